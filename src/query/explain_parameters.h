/*
 * explain_parameters.h
 *	  Where the values of a plan's parameters come from, for EXPLAIN.
 */
#ifndef EXPLAIN_PARAMETERS_H
#define EXPLAIN_PARAMETERS_H

#include "nodes/plannodes.h"

/* The nodes above one in the plan of a statement, the nearest first; NIL where it is on top. */
extern List *pgt_explain_parameters_ancestors(PlannedStmt *statement, Plan *plan);

/* A value of that plan in a form that can be deparsed, whatever parameters are in it. */
extern Node *pgt_explain_parameters_value(Node *value, Plan *plan, List *ancestors);

#endif							/* EXPLAIN_PARAMETERS_H */
