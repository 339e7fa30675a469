/*
 * scan_bounds.h
 *	  Which part of a topic a query's conditions leave to be read.
 */
#ifndef SCAN_BOUNDS_H
#define SCAN_BOUNDS_H

#include "nodes/bitmapset.h"
#include "nodes/primnodes.h"
#include "topic/topic.h"

/* One condition on partition, record_offset or record_timestamp. */
typedef struct ScanCondition
{
	TopicColumnId column;
	int			strategy;		/* BTLessStrategyNumber ... BTGreaterStrategyNumber */
	bool		is_array;		/* column = ANY (value) */
	Expr	   *value;			/* what the column is compared with */
} ScanCondition;

/* What is left to be read. */
typedef struct ScanBounds
{
	Bitmapset  *partitions;
	int64		first_offset;
	int64		end_offset;		/* exclusive; PG_INT64_MAX: none */
	int64		min_timestamp;	/* milliseconds, inclusive; PG_INT64_MIN: none */
	int64		max_timestamp;	/* milliseconds, inclusive; PG_INT64_MAX: none */
} ScanBounds;

/*
 * Is the clause a condition on a column of the topic at "varno" that bounds
 * the scan?  Then *condition is filled in.
 */
extern bool pgt_scan_condition_match(const Topic *topic, Index varno, Expr *clause,
									 ScanCondition *condition);

/*
 * Does the scan enforce such a condition to the record?  Otherwise it only
 * skips whole batches by it, and the condition must be checked as well.
 */
extern bool pgt_scan_condition_is_exact(const ScanCondition *condition);

/* Everything: all partitions, all offsets, all times. */
extern void pgt_scan_bounds_init(ScanBounds *bounds, int32 partitions);

/* Leave what also satisfies the condition, with the value it evaluated to. */
extern void pgt_scan_bounds_narrow(ScanBounds *bounds, const ScanCondition *condition,
								   Datum value, bool isnull);

/* Roughly how many records and bytes that is. */
extern void pgt_scan_bounds_estimate(const ScanBounds *bounds, const Topic *topic,
									 double *records, double *bytes);

#endif							/* SCAN_BOUNDS_H */
