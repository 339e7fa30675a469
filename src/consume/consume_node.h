/*
 * consume_node.h
 *	  The plan node that consumes: executing it.
 */
#ifndef CONSUME_NODE_H
#define CONSUME_NODE_H

#include "nodes/extensible.h"

/*
 * The node's methods.  The plan has the call, a FuncExpr, as the first of its custom_exprs,
 * and in custom_scan_tlist the columns of the call that are used, as Vars.
 */
extern const CustomScanMethods pgt_consume_node_methods;

#endif							/* CONSUME_NODE_H */
