/*
 * latest_node.h
 *	  The plan node of latest().
 */
#ifndef LATEST_NODE_H
#define LATEST_NODE_H

#include "nodes/extensible.h"
#include "topic/topic.h"

extern const CustomScanMethods pgt_latest_node_methods;

/*
 * Make a custom scan the node of a call, which reads the topic, with conditions on keys and
 * partitions as pgt_scan_condition_encode() leaves them.
 */
extern void pgt_latest_node_set(CustomScan *scan, Node *call, const Topic *topic, List *values,
								List *numbers);

#endif							/* LATEST_NODE_H */
