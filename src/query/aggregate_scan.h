/*
 * aggregate_scan.h
 *	  Running a scan that answers aggregates from the segments' indexes: the server's
 *	  callbacks for plans of aggregate_plan.h.
 */
#ifndef AGGREGATE_SCAN_H
#define AGGREGATE_SCAN_H

#include "foreign/fdwapi.h"

extern void pgt_aggregate_scan_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *pgt_aggregate_scan_iterate(ForeignScanState *node);
extern void pgt_aggregate_scan_rescan(ForeignScanState *node);
extern void pgt_aggregate_scan_end(ForeignScanState *node);

#endif							/* AGGREGATE_SCAN_H */
