/*
 * aggregate_scan.h
 *	  Running a scan that answers aggregates from the segments' indexes: the server's
 *	  callbacks for plans of aggregate_plan.h.
 */
#ifndef AGGREGATE_SCAN_H
#define AGGREGATE_SCAN_H

#include "foreign/fdwapi.h"
#include "wal/log_reader_filter.h"

extern void pgt_aggregate_scan_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *pgt_aggregate_scan_iterate(ForeignScanState *node);
extern void pgt_aggregate_scan_rescan(ForeignScanState *node);
extern void pgt_aggregate_scan_end(ForeignScanState *node);

/* What the scan's readers have done so far. */
extern LogReaderCounts pgt_aggregate_scan_counts(const ForeignScanState *node);

#endif							/* AGGREGATE_SCAN_H */
