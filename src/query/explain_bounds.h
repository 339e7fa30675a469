/*
 * explain_bounds.h
 *	  Which part of which topic a plan node reads, for EXPLAIN.
 */
#ifndef EXPLAIN_BOUNDS_H
#define EXPLAIN_BOUNDS_H

#include "nodes/plannodes.h"
#include "query/scan_bounds.h"

struct ExplainState;

/* Show the bounds that a node's conditions (ScanCondition) make. */
extern void pgt_explain_bounds_show(Plan *plan, List *conditions, const Topic *topic,
									struct ExplainState *es);

/* Show the topic, for a node that has no relation. */
extern void pgt_explain_bounds_show_topic(Oid topic, struct ExplainState *es);

#endif							/* EXPLAIN_BOUNDS_H */
