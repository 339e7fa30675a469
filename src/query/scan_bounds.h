/*
 * scan_bounds.h
 *	  The part of a topic that a query has to read, by its conditions.
 */
#ifndef SCAN_BOUNDS_H
#define SCAN_BOUNDS_H

#include "nodes/bitmapset.h"
#include "nodes/pathnodes.h"
#include "nodes/primnodes.h"
#include "query/key_set.h"
#include "topic/topic.h"

/* One condition on partition, record_offset, record_timestamp or key. */
typedef struct ScanCondition
{
	TopicColumnId column;
	int			strategy;		/* BTLessStrategyNumber ... BTGreaterStrategyNumber */
	bool		is_array;		/* column = ANY (value) */
	Expr	   *value;			/* what the column is compared with */
} ScanCondition;

/* The records to read: those that satisfy all bounds. */
typedef struct ScanBounds
{
	Bitmapset  *partitions;
	int64		first_offset;
	int64		end_offset;		/* exclusive; PG_INT64_MAX: none */
	int64		min_timestamp;	/* milliseconds, inclusive; PG_INT64_MIN: none */
	int64		max_timestamp;	/* milliseconds, inclusive; PG_INT64_MAX: none */
	KeySet	   *keys;			/* NULL: any */
	KeyProbe   *probe;			/* the keys as an index of keys is asked for them; NULL: it is not asked */
} ScanBounds;

/*
 * Is the clause a condition on a column of the topic at "varno" that bounds the scan?
 * If so, fills in *condition.
 */
extern bool pgt_scan_condition_match(const Topic *topic, Index varno, Expr *clause,
									 ScanCondition *condition);

/*
 * Does the scan return only records that satisfy the condition?  If not, it leaves out
 * some of the others, and the condition must be checked for each record as well.
 */
extern bool pgt_scan_condition_is_exact(const ScanCondition *condition);

/*
 * A condition in a plan: its value is added to one list, three numbers for the rest of it
 * (column, strategy, is_array) to another one.  And the conditions of such lists
 * (ScanCondition *, palloc'd).
 */
extern void pgt_scan_condition_encode(const ScanCondition *condition, List **values, List **numbers);
extern List *pgt_scan_conditions_decode(List *values, List *numbers);

/* Set the bounds to all partitions, all offsets and all times. */
extern void pgt_scan_bounds_init(ScanBounds *bounds, int32 partitions);

/* Narrow the bounds to what also satisfies the condition; "value" is the value it compares with. */
extern void pgt_scan_bounds_narrow(ScanBounds *bounds, const Topic *topic,
								   const ScanCondition *condition, Datum value, bool isnull);

/* The same with the value that the planner can guess; false, with nothing done, if it cannot. */
extern bool pgt_scan_bounds_narrow_by_estimate(PlannerInfo *root, ScanBounds *bounds, const Topic *topic,
											   const ScanCondition *condition);

/* Does a condition on the key leave one partition, whatever the key is? */
extern bool pgt_scan_condition_names_partition(const Topic *topic, const ScanCondition *condition);

/* Estimate how many records and bytes are within the bounds. */
extern void pgt_scan_bounds_estimate(const ScanBounds *bounds, const Topic *topic,
									 double *records, double *bytes);

/* Estimate how many batches are within the bounds. */
extern double pgt_scan_bounds_estimate_batches(const ScanBounds *bounds, const Topic *topic);

#endif							/* SCAN_BOUNDS_H */
