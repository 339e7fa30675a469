/*
 * scan_bounds.c
 *	  The part of a topic that a query has to read, by its conditions.
 *
 * A condition compares one of the columns partition, record_offset, record_timestamp and
 * key with a value that does not depend on the topic's rows:
 *
 *	  partition         = < <= >= >  and = ANY (array)
 *	  record_offset     = < <= >= >
 *	  record_timestamp  = < <= >= >
 *	  key               = and = ANY (array), where bytes decide it (key_set.h)
 *
 * The planner recognises conditions and estimates with the values that it can guess;
 * the executor evaluates the values when a scan starts and narrows the bounds by each
 * of them.  Both use the same functions, so EXPLAIN shows what the scan does.
 *
 * Invariants: bounds never leave out a record that satisfies all conditions.
 * Bounds on partitions and offsets are exact.  Bounds on times are not: CreateTime need
 * not ascend, so batches are skipped by the smallest and largest timestamp in them, and a
 * condition on record_timestamp must be checked for each record as well.  So must one on the
 * key, because some bytes only the type itself can compare.
 *
 * A condition on the key is one on the partition, too, if the topic's option
 * partitioner.enforce says that each key is where the partitioner places it.
 *
 * No locks, no WAL.  Memory: the current context holds the partition set.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "query/scan_bounds.h"
#include "topic/serializer.h"
#include "util/clock.h"
#include "util/compat.h"

/* The size of a record where a log has no active segment to estimate it from. */
#define GUESSED_RECORD_BYTES	150
#define MANY_OFFSETS			1e8

/* A range of integers, both ends inclusive; empty where first > last. */
typedef struct IntegerRange
{
	int64		first;
	int64		last;
} IntegerRange;

/* Set *column to the topic's column that the expression is; false if it is none that bounds a scan. */
static bool
match_column(const Topic *topic, Index varno, Node *node, TopicColumnId *column)
{
	static const TopicColumnId bounded[] = {
		TOPIC_PARTITION, TOPIC_RECORD_OFFSET, TOPIC_RECORD_TIMESTAMP, TOPIC_KEY
	};
	Var		   *var = (Var *) node;

	/* a key's domain or varchar is relabeled; which operator it is tells whether that matters */
	while (var != NULL && IsA(var, RelabelType))
		var = (Var *) ((RelabelType *) var)->arg;
	if (!IsA(var, Var) || var->varno != varno || var->varlevelsup != 0 ||
		var->varattno <= 0)
		return false;
	for (int i = 0; i < lengthof(bounded); i++)
	{
		if (topic->attnum[bounded[i]] == var->varattno &&
			((Node *) var == node || bounded[i] == TOPIC_KEY))
		{
			*column = bounded[i];
			return true;
		}
	}
	return false;
}

/* Has the value the same result throughout a scan of the topic at varno? */
static bool
is_scan_constant(Index varno, Node *value)
{
	return !bms_is_member(varno, pull_varnos(NULL, value)) &&
		!contain_volatile_functions(value) &&
		!contain_subplans(value);
}

/* Can the bounds use a value of that type for the column? */
static bool
is_usable_type(const Topic *topic, TopicColumnId column, Oid type)
{
	if (column == TOPIC_KEY)
		return pgt_key_set_takes(topic, type);
	if (column == TOPIC_RECORD_TIMESTAMP)
		return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* The operator's B-tree strategy for the column's type; 0 if it has none that can be used. */
static int
column_strategy(const Topic *topic, TopicColumnId column, Oid operator, Oid collation)
{
	Oid			type = column == TOPIC_RECORD_TIMESTAMP ? TIMESTAMPTZOID : INT8OID;
	TypeCacheEntry *entry;

	if (column == TOPIC_KEY)
		return pgt_key_set_can_match(topic, operator, collation) ? BTEqualStrategyNumber : 0;
	entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	return get_op_opfamily_strategy(operator, entry->btree_opf);
}

/* column op value, or value op column. */
static bool
match_comparison(const Topic *topic, Index varno, OpExpr *expr, ScanCondition *condition)
{
	Oid			operator = expr->opno;
	Node	   *left;
	Node	   *right;

	if (list_length(expr->args) != 2)
		return false;
	left = linitial(expr->args);
	right = lsecond(expr->args);
	if (!match_column(topic, varno, left, &condition->column))
	{
		Node	   *swap = left;

		left = right;
		right = swap;
		operator = get_commutator(operator);
		if (!OidIsValid(operator) ||
			!match_column(topic, varno, left, &condition->column))
			return false;
	}
	condition->strategy = column_strategy(topic, condition->column, operator, expr->inputcollid);
	condition->is_array = false;
	condition->value = (Expr *) right;
	return condition->strategy != 0 &&
		is_usable_type(topic, condition->column, exprType(right)) &&
		is_scan_constant(varno, right);
}

/* partition = ANY (array), or key = ANY (array) */
static bool
match_any(const Topic *topic, Index varno, ScalarArrayOpExpr *expr, ScanCondition *condition)
{
	Node	   *array = lsecond(expr->args);

	if (!expr->useOr ||
		!match_column(topic, varno, linitial(expr->args), &condition->column) ||
		(condition->column != TOPIC_PARTITION && condition->column != TOPIC_KEY))
		return false;
	condition->strategy = column_strategy(topic, condition->column, expr->opno, expr->inputcollid);
	condition->is_array = true;
	condition->value = (Expr *) array;
	return condition->strategy == BTEqualStrategyNumber &&
		is_usable_type(topic, condition->column, get_element_type(exprType(array))) &&
		is_scan_constant(varno, array);
}

bool
pgt_scan_condition_match(const Topic *topic, Index varno, Expr *clause,
						 ScanCondition *condition)
{
	if (IsA(clause, OpExpr))
		return match_comparison(topic, varno, (OpExpr *) clause, condition);
	if (IsA(clause, ScalarArrayOpExpr))
		return match_any(topic, varno, (ScalarArrayOpExpr *) clause, condition);
	return false;
}

bool
pgt_scan_condition_is_exact(const ScanCondition *condition)
{
	return condition->column != TOPIC_RECORD_TIMESTAMP && condition->column != TOPIC_KEY;
}

bool
pgt_scan_condition_names_partition(const Topic *topic, const ScanCondition *condition)
{
	return condition->column == TOPIC_KEY && !condition->is_array &&
		topic->log.placement.rule != PLACED_ANYWHERE &&
		topic->log.placement.rule != PLACED_BY_CRC32_OR_EMPTY;
}

void
pgt_scan_condition_encode(const ScanCondition *condition, List **values, List **numbers)
{
	*values = lappend(*values, condition->value);
	*numbers = lappend_int(*numbers, condition->column);
	*numbers = lappend_int(*numbers, condition->strategy);
	*numbers = lappend_int(*numbers, condition->is_array);
}

List *
pgt_scan_conditions_decode(List *values, List *numbers)
{
	List	   *conditions = NIL;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, values)
	{
		ScanCondition *condition = palloc(sizeof(ScanCondition));

		condition->column = list_nth_int(numbers, n++);
		condition->strategy = list_nth_int(numbers, n++);
		condition->is_array = list_nth_int(numbers, n++) != 0;
		condition->value = lfirst(cell);
		conditions = lappend(conditions, condition);
	}
	return conditions;
}

void
pgt_scan_bounds_init(ScanBounds *bounds, int32 partitions)
{
	bounds->partitions = bms_add_range(NULL, 0, partitions - 1);
	bounds->first_offset = 0;
	bounds->end_offset = PG_INT64_MAX;
	bounds->min_timestamp = PG_INT64_MIN;
	bounds->max_timestamp = PG_INT64_MAX;
	bounds->keys = NULL;
	bounds->probe = NULL;
}

/* An integer of one of the types that is_usable_type() admits. */
static int64
integer_value(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
	}
	elog(ERROR, "unexpected type %u in a scan condition", type);
}

/* The integers x for which "x strategy value" is true. */
static IntegerRange
range_of(int strategy, int64 value)
{
	IntegerRange range = {PG_INT64_MIN, PG_INT64_MAX};
	IntegerRange none = {0, -1};

	switch (strategy)
	{
		case BTLessStrategyNumber:
			if (value == PG_INT64_MIN)
				return none;
			range.last = value - 1;
			break;
		case BTLessEqualStrategyNumber:
			range.last = value;
			break;
		case BTEqualStrategyNumber:
			range.first = range.last = value;
			break;
		case BTGreaterEqualStrategyNumber:
			range.first = value;
			break;
		case BTGreaterStrategyNumber:
			if (value == PG_INT64_MAX)
				return none;
			range.first = value + 1;
			break;
		default:
			elog(ERROR, "unexpected strategy %d in a scan condition", strategy);
	}
	return range;
}

/* Leave nothing to be read. */
static void
make_empty(ScanBounds *bounds)
{
	bms_free(bounds->partitions);
	bounds->partitions = NULL;
}

/* Leave the partitions of a range. */
static void
narrow_partitions(ScanBounds *bounds, IntegerRange range)
{
	Bitmapset  *wanted = NULL;
	int			partition = -1;

	while ((partition = bms_next_member(bounds->partitions, partition)) >= 0)
	{
		if (partition >= range.first && partition <= range.last)
			wanted = bms_add_member(wanted, partition);
	}
	bms_free(bounds->partitions);
	bounds->partitions = wanted;
}

/* Leave the partitions that an integer array names. */
static void
narrow_partitions_to_any(ScanBounds *bounds, ArrayType *array)
{
	Oid			type = ARR_ELEMTYPE(array);
	Bitmapset  *wanted = NULL;
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		int64		partition = nulls[i] ? -1 : integer_value(type, values[i]);

		if (partition >= 0 && partition <= PG_INT32_MAX &&
			bms_is_member((int) partition, bounds->partitions))
			wanted = bms_add_member(wanted, (int) partition);
	}
	bms_free(bounds->partitions);
	bounds->partitions = wanted;
}

/* Leave the offsets of a range. */
static void
narrow_offsets(ScanBounds *bounds, IntegerRange range)
{
	bounds->first_offset = Max(bounds->first_offset, range.first);
	if (range.last < PG_INT64_MAX)
		bounds->end_offset = Min(bounds->end_offset, range.last + 1);
	if (bounds->first_offset >= bounds->end_offset)
		make_empty(bounds);
}

/* A date or time as timestamptz; beyond its range: an infinity. */
static TimestampTz
timestamptz_value(Oid type, Datum value)
{
	switch (type)
	{
		case TIMESTAMPTZOID:
			return DatumGetTimestampTz(value);
		case TIMESTAMPOID:
			return PGT_TIMESTAMP_TO_TIMESTAMPTZ(DatumGetTimestamp(value));
		case DATEOID:
			return PGT_DATE_TO_TIMESTAMPTZ(DatumGetDateADT(value));
	}
	elog(ERROR, "unexpected type %u in a scan condition", type);
}

/*
 * Leave the batches that may have such timestamps.  A millisecond more on
 * each side makes up for the rounding of values that are not whole
 * milliseconds; infinite values bound nothing.
 */
static void
narrow_timestamps(ScanBounds *bounds, int strategy, TimestampTz value)
{
	int64		milliseconds;

	if (TIMESTAMP_NOT_FINITE(value))
		return;
	milliseconds = pgt_clock_from_timestamptz(value);
	if (strategy >= BTEqualStrategyNumber)
		bounds->min_timestamp = Max(bounds->min_timestamp, milliseconds - 1);
	if (strategy <= BTEqualStrategyNumber)
		bounds->max_timestamp = Min(bounds->max_timestamp, milliseconds + 1);
}

/* Leave the records with the keys of a condition, and the partitions that may have them. */
static void
narrow_keys(ScanBounds *bounds, const Topic *topic, KeySet *keys)
{
	Bitmapset  *partitions;

	if (bounds->keys == NULL)
		bounds->keys = keys;
	else
		pgt_key_set_intersect(bounds->keys, keys);
	if (bounds->keys->count == 0)
	{
		make_empty(bounds);
		return;
	}
	partitions = pgt_key_set_partitions(bounds->keys, topic);
	if (partitions != NULL)
		bounds->partitions = bms_int_members(bounds->partitions, partitions);
	bms_free(partitions);
}

void
pgt_scan_bounds_narrow(ScanBounds *bounds, const Topic *topic, const ScanCondition *condition,
					   Datum value, bool isnull)
{
	Oid			type = exprType((Node *) condition->value);

	/* a comparison with null is never true */
	if (isnull)
		make_empty(bounds);
	else if (condition->column == TOPIC_KEY)
		narrow_keys(bounds, topic, pgt_key_set_make(topic, value, type));
	else if (condition->is_array)
		narrow_partitions_to_any(bounds, DatumGetArrayTypeP(value));
	else if (condition->column == TOPIC_RECORD_TIMESTAMP)
		narrow_timestamps(bounds, condition->strategy, timestamptz_value(type, value));
	else
	{
		IntegerRange range = range_of(condition->strategy, integer_value(type, value));

		if (condition->column == TOPIC_PARTITION)
			narrow_partitions(bounds, range);
		else
			narrow_offsets(bounds, range);
	}
}

bool
pgt_scan_bounds_narrow_by_estimate(PlannerInfo *root, ScanBounds *bounds, const Topic *topic,
								   const ScanCondition *condition)
{
	Node	   *value = estimate_expression_value(root, (Node *) condition->value);
	Const	   *constant = (Const *) value;

	if (!IsA(value, Const))
		return false;
	pgt_scan_bounds_narrow(bounds, topic, condition, constant->constvalue, constant->constisnull);
	return true;
}

/* Bytes a record takes in the log, judged by the active segment. */
static double
record_bytes(const LogBounds *log)
{
	int64		records = log->next_offset - log->active_base;

	/* less than a byte each: offsets were given that left a gap */
	if (log->active_base == NO_SEGMENT || records <= 0 || log->active_end < records)
		return GUESSED_RECORD_BYTES;
	return (double) log->active_end / (double) records;
}

/*
 * Estimate the share of the offsets that have a record.  Gaps are rare, except in
 * compacted topics and where there are so many offsets that some must have been set
 * explicitly: there the size of the log gives the estimate.
 */
static double
density(const Topic *topic, const TopicPartition *key, const LogBounds *log)
{
	double		offsets = (double) (log->next_offset - log->log_start_offset);
	double		records;
	int			segments;

	if (offsets <= 0 || (!topic->log.compacted && offsets < MANY_OFFSETS))
		return 1;
	records = pgt_partition_log_bytes(key, log, &segments) / record_bytes(log);
	return Min(1, records / offsets);
}

/* Estimate how many records of a partition are within the bounds; *log has its bounds unless that is 0. */
static double
partition_records(const ScanBounds *bounds, const Topic *topic, int partition, LogBounds *log)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	double		count;

	if (!pgt_partition_log_bounds(&key, log))
		return 0;
	count = (double) Min(bounds->end_offset, log->next_offset) -
		(double) Max(bounds->first_offset, log->log_start_offset);
	return count <= 0 ? 0 : count * density(topic, &key, log);
}

void
pgt_scan_bounds_estimate(const ScanBounds *bounds, const Topic *topic,
						 double *records, double *bytes)
{
	int			partition = -1;

	*records = 0;
	*bytes = 0;
	while ((partition = bms_next_member(bounds->partitions, partition)) >= 0)
	{
		LogBounds	log;
		double		count = partition_records(bounds, topic, partition, &log);

		if (count <= 0)
			continue;
		*records += count;
		*bytes += count * record_bytes(&log);
	}
}

double
pgt_scan_bounds_estimate_batches(const ScanBounds *bounds, const Topic *topic)
{
	int			partition = -1;
	double		batches = 0;

	while ((partition = bms_next_member(bounds->partitions, partition)) >= 0)
	{
		LogBounds	log;
		double		count = partition_records(bounds, topic, partition, &log);

		if (count <= 0)
			continue;
		/* judged by the active segment */
		if (log.active_entries > 0)
			count *= record_bytes(&log) * log.active_entries / log.active_end;
		batches += Max(count, 1);
	}
	return batches;
}
