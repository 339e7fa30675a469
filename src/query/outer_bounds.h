/*
 * outer_bounds.h
 *	  Which other relations of a query have the values that bound a topic's scan.
 */
#ifndef OUTER_BOUNDS_H
#define OUTER_BOUNDS_H

#include "nodes/pathnodes.h"
#include "query/scan_bounds.h"

/* The topic's column as a Var, or NULL if it is left out. */
extern Var *pgt_outer_bounds_column(const RelOptInfo *rel, const Topic *topic, TopicColumnId column);

/* The sets of relations (Relids, each once) whose values can bound the scan, by the clauses of joins. */
extern List *pgt_outer_bounds_relids(PlannerInfo *root, RelOptInfo *rel, const Topic *topic);

#endif							/* OUTER_BOUNDS_H */
