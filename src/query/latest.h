/*
 * latest.h
 *	  latest(NULL::topic): a topic read as a table, the last record of each key.
 */
#ifndef LATEST_H
#define LATEST_H

#include "nodes/nodes.h"

/* Is the expression a call of latest(NULL::topic)?  Not of a copy that the server wraps, as one with SET. */
extern bool pgt_latest_is_call(const Node *expr);

#endif							/* LATEST_H */
