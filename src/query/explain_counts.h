/*
 * explain_counts.h
 *	  How much of the log a scan has read, for EXPLAIN ANALYZE.
 */
#ifndef EXPLAIN_COUNTS_H
#define EXPLAIN_COUNTS_H

#include "commands/explain.h"
#include "wal/log_reader_filter.h"

/* Add what other readers have done. */
extern void pgt_explain_counts_add(LogReaderCounts *counts, const LogReaderCounts *more);

/* Show the counts; "counted" says that the index can stand for batches. */
extern void pgt_explain_counts_show(const LogReaderCounts *counts, bool counted, struct ExplainState *es);

/*
 * Show that the index of keys is used and, if the node was run, how many batches it has read
 * and skipped by that.
 */
extern void pgt_explain_counts_show_keys(const LogReaderCounts *counts, struct ExplainState *es);

#endif							/* EXPLAIN_COUNTS_H */
