/*
 * topic_plan.c
 *	  Planning and explaining the scan of a topic.
 *
 * A topic is read by the selected partitions one after another, each in offset order.  The
 * planner can choose the part that is read (see scan_bounds.c) and can make use of the
 * order:
 *
 *	  several partitions   rows come by (partition, record_offset)
 *	  one partition        rows come by record_offset, ascending or descending
 *
 * or, where the query asks for it, several at once, by record_offset and then by partition,
 * ascending or descending.  So ORDER BY record_offset LIMIT n needs no sort and stops early,
 * and so does ORDER BY record_offset DESC.  Which partition it is need not be known while
 * planning.
 * The scan itself enforces conditions on partition and record_offset; other conditions are
 * checked for each row, also those by which the scan leaves rows out.  A join on an offset
 * or a partition gets a path that looks up
 * each outer row's records.
 *
 * A large scan may be divided among parallel workers, at the price of its
 * order.
 *
 * Costs are those of a sequential scan over the bytes within the bounds,
 * which are known from the logs' shared state without reading a file.
 *
 * The plan carries the values of the conditions as fdw_exprs, and in
 * fdw_private two integer lists: three numbers for each of the conditions (column,
 * strategy, is_array), and the columns to be filled in as one bit mask with the
 * scan's order.  The path of an ordered scan has the ScanOrder in its fdw_private.
 *
 * No locks, no WAL; everything lives in the planner's context.
 */
#include "postgres.h"

#include <math.h>

#include "access/stratnum.h"
#include "access/sysattr.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"

#include "query/explain_bounds.h"
#include "query/fdw_callbacks.h"
#include "query/outer_bounds.h"
#include "util/compat.h"

/* Records of a batch that are decoded to find one of them: a guess. */
#define RECORDS_PER_LOOKUP	100

/* Records of a key in a topic that was never analyzed: a guess. */
#define GUESSED_KEY_RECORDS	10

/* Pages of an index of keys that are read from the disk to look a key up: those above are cached. */
#define PAGES_PER_LOOKUP	1

/* What the planner knows about the scan of one topic. */
typedef struct TopicPlan
{
	Topic	   *topic;
	bool		one_partition;	/* rows come by record_offset alone */
	bool		by_key;			/* with an index of keys */
	double		key_rows;		/* where no statistics tell: the most rows it will give; 0: they do */
	double		partitions;		/* to be read, estimated */
	double		records;		/* to be read, estimated */
	double		bytes;
	double		batches;
	double		index_cost;		/* of looking keys up */
} TopicPlan;

/* Share of the records that a condition of unknown value leaves. */
static double
guess_selectivity(const TopicPlan *plan, const ScanCondition *condition)
{
	if (condition->strategy != BTEqualStrategyNumber)
		return DEFAULT_INEQ_SEL;
	if (condition->column == TOPIC_PARTITION ||
		pgt_scan_condition_names_partition(plan->topic, condition))
		return 1.0 / plan->topic->partitions;
	if (condition->column == TOPIC_KEY)
		return 1;
	return 1.0 / Max(plan->records / Max(plan->partitions, 1), 1);
}

/* Are there statistics of the topic's keys? */
static bool
has_key_statistics(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan)
{
	VariableStatData statistics;
	bool		found;

	examine_variable(root, (Node *) pgt_outer_bounds_column(rel, plan->topic, TOPIC_KEY), rel->relid, &statistics);
	found = HeapTupleIsValid(statistics.statsTuple);
	ReleaseVariableStats(statistics);
	return found;
}

/*
 * Note that the index of keys will be used for a condition.  True where its selectivity must
 * not be asked for: without statistics the server takes a key to have a share of all records,
 * and would make a plan for a large result.
 */
static bool
use_key_index(PlannerInfo *root, RelOptInfo *rel, TopicPlan *plan, const ScanCondition *condition)
{
	double		keys = condition->is_array ? PGT_ARRAY_LENGTH(root, (Node *) condition->value) : 1;

	plan->by_key = true;
	if (has_key_statistics(root, rel, plan))
		return false;
	plan->key_rows = Max(keys, 1) * GUESSED_KEY_RECORDS;
	return true;
}

/*
 * Set how much of the topic is read, from the conditions the scan enforces,
 * and return the clauses (RestrictInfos) that remain to be checked.
 */
static List *
estimate_scan(PlannerInfo *root, RelOptInfo *rel, TopicPlan *plan)
{
	ScanBounds	bounds;
	List	   *unknown = NIL;
	List	   *remaining = NIL;
	ListCell   *cell;

	pgt_scan_bounds_init(&bounds, plan->topic->partitions);
	foreach(cell, rel->baserestrictinfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		ScanCondition condition;
		bool		matches = pgt_scan_condition_match(plan->topic, rel->relid, rinfo->clause, &condition);

		bool		by_key = matches && condition.column == TOPIC_KEY && plan->topic->key_index;

		if (!(by_key && use_key_index(root, rel, plan, &condition)) &&
			(!matches || !pgt_scan_condition_is_exact(&condition)))
			remaining = lappend(remaining, rinfo);
		if (!matches || condition.column == TOPIC_RECORD_TIMESTAMP)
			continue;
		if ((condition.column == TOPIC_PARTITION && !condition.is_array &&
			 condition.strategy == BTEqualStrategyNumber) ||
			pgt_scan_condition_names_partition(plan->topic, &condition))
			plan->one_partition = true;
		if (!pgt_scan_bounds_narrow_by_estimate(root, &bounds, plan->topic, &condition))
		{
			ScanCondition *copy = palloc(sizeof(ScanCondition));

			*copy = condition;
			unknown = lappend(unknown, copy);
		}
	}
	plan->partitions = bms_num_members(bounds.partitions);
	pgt_scan_bounds_estimate(&bounds, plan->topic, &plan->records, &plan->bytes);
	plan->batches = pgt_scan_bounds_estimate_batches(&bounds, plan->topic);
	foreach(cell, unknown)
	{
		double		selectivity = guess_selectivity(plan, lfirst(cell));

		plan->records *= selectivity;
		plan->bytes *= selectivity;
		plan->batches *= selectivity;
	}
	return remaining;
}

/*
 * Estimate what a scan by the index of keys reads: some pages of the index, a batch for each
 * row, and what the index does not cover yet.
 */
static void
estimate_lookups(TopicPlan *plan, double rows)
{
	double		records = Min(plan->records, (rows + 1) * RECORDS_PER_LOOKUP);

	plan->index_cost = plan->partitions * PAGES_PER_LOOKUP * (random_page_cost + cpu_index_tuple_cost * RECORDS_PER_LOOKUP);
	plan->bytes *= records / Max(plan->records, 1);
	plan->records = records;
}

/* GetForeignRelSize: estimate how many rows the scan returns. */
void
pgt_topic_plan_get_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	TopicPlan  *plan = palloc0(sizeof(TopicPlan));
	ScanBounds	everything;
	double		bytes;
	List	   *remaining;

	plan->topic = pgt_topic_get(relid);
	plan->one_partition = plan->topic->partitions == 1;
	pgt_scan_bounds_init(&everything, plan->topic->partitions);
	pgt_scan_bounds_estimate(&everything, plan->topic, &rel->tuples, &bytes);
	remaining = estimate_scan(root, rel, plan);
	rel->rows = clamp_row_est(plan->records *
							  clauselist_selectivity(root, remaining, 0, JOIN_INNER, NULL));
	if (plan->key_rows > 0)
		rel->rows = clamp_row_est(Min(rel->rows, plan->key_rows));
	rel->fdw_private = plan;
	if (plan->by_key)
		estimate_lookups(plan, rel->rows);
}

const Topic *
pgt_topic_plan_topic(const RelOptInfo *rel)
{
	return ((const TopicPlan *) rel->fdw_private)->topic;
}

void
pgt_topic_plan_estimate_batches(const RelOptInfo *rel, double *partitions, double *batches)
{
	const TopicPlan *plan = rel->fdw_private;

	*partitions = plan->partitions;
	*batches = plan->batches;
}

/* Does the pathkey ask for the order of that column, by either direction of integers? */
static bool
is_pathkey_on(const PathKey *pathkey, RelOptInfo *rel, const TopicPlan *plan,
			  TopicColumnId column)
{
	TypeCacheEntry *integers = lookup_type_cache(INT8OID, TYPECACHE_BTREE_OPFAMILY);
	Var		   *var = pgt_outer_bounds_column(rel, plan->topic, column);

	return var != NULL &&
		pathkey->pk_opfamily == integers->btree_opf &&
		find_ec_member_matching_expr(pathkey->pk_eclass, (Expr *) var, rel->relids) != NULL;
}

bool
pgt_topic_plan_comes_by_partition(const List *pathkeys, RelOptInfo *rel)
{
	const PathKey *pathkey = list_length(pathkeys) == 1 ? linitial_node(PathKey, pathkeys) : NULL;

	return pathkey != NULL && PGT_PATHKEY_ASCENDS(pathkey) &&
		is_pathkey_on(pathkey, rel, rel->fdw_private, TOPIC_PARTITION);
}

/*
 * The leading part of the query's order that a scan in that order provides.  The position
 * of nulls does not matter, because neither column is ever null; nor does the direction of
 * the partition where there is one.
 */
static List *
useful_pathkeys(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan, ScanOrder order)
{
	List	   *useful = NIL;
	bool		by_offset = plan->one_partition || order != SCAN_BY_PARTITION;
	ListCell   *cell;

	foreach(cell, root->query_pathkeys)
	{
		PathKey    *pathkey = lfirst_node(PathKey, cell);
		bool		ascends = PGT_PATHKEY_ASCENDS(pathkey);

		if ((ascends || plan->one_partition) && is_pathkey_on(pathkey, rel, plan, TOPIC_PARTITION))
		{
			/* by offset, it comes behind that only */
			if (order != SCAN_BY_PARTITION && !plan->one_partition && useful == NIL)
				break;
			by_offset = true;
		}
		else if (!by_offset || ascends == (order == SCAN_BY_OFFSET_BACKWARD) ||
				 !is_pathkey_on(pathkey, rel, plan, TOPIC_RECORD_OFFSET))
			break;
		useful = lappend(useful, pathkey);
	}
	return useful;
}

/* The number of processes that the work is divided among; the leader counts in part, as it has other work. */
static double
parallel_divisor(int workers)
{
	double		leader = parallel_leader_participation ? 1.0 - 0.3 * workers : 0;

	return workers + Max(leader, 0);
}

/*
 * The path that reads everything within the bounds once; with workers, the part that
 * each process of a parallel scan reads.
 */
static Path *
make_scan_path(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan, int workers)
{
	double		divisor = workers > 0 ? parallel_divisor(workers) : 1;
	double		rows = clamp_row_est(rel->rows / divisor);
	Cost		startup = rel->baserestrictcost.startup + rel->reltarget->cost.startup + plan->index_cost;
	Cost		run = ceil(plan->bytes / BLCKSZ) * seq_page_cost +
		plan->records / divisor * (cpu_tuple_cost + rel->baserestrictcost.per_tuple) +
		rows * rel->reltarget->cost.per_tuple;
	List	   *pathkeys = workers > 0 ? NIL : useful_pathkeys(root, rel, plan, SCAN_BY_PARTITION);
	ForeignPath *path = PGT_SCAN_PATH(root, rel, rows, startup, startup + run, pathkeys,
									  rel->lateral_relids);

	path->path.parallel_workers = workers;
	path->path.parallel_aware = workers > 0;
	return (Path *) path;
}

/*
 * Add the path that reads in one of the orders by offset, if the query asks for it.  It
 * reads a batch of each partition before the first row, and backward it copies each
 * record: little, but more than a walk through the partitions, and less than any sort.
 */
static void
add_ordered_path(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan, ScanOrder order)
{
	List	   *pathkeys = useful_pathkeys(root, rel, plan, order);
	double		partitions = plan->one_partition ? 1 : Max(plan->partitions, 1);
	double		first = Min(rel->rows, partitions * RECORDS_PER_LOOKUP);
	Cost		startup = cpu_operator_cost * (first + partitions * log2(partitions));
	Cost		per_row = cpu_operator_cost * (1 + log2(partitions));
	ForeignPath *path;

	if (list_length(pathkeys) <= list_length(useful_pathkeys(root, rel, plan, SCAN_BY_PARTITION)))
		return;
	path = (ForeignPath *) make_scan_path(root, rel, plan, 0);
	path->path.pathkeys = pathkeys;
	path->path.startup_cost += startup;
	path->path.total_cost += startup + per_row * rel->rows;
	path->fdw_private = list_make1_int(order);
	add_path(rel, (Path *) path);
}

/* Add the path of a serial scan and, if the scan is large enough, of a parallel one. */
static void
add_scan_paths(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan)
{
	int			workers;

	add_path(rel, make_scan_path(root, rel, plan, 0));
	if (!rel->consider_parallel || !bms_is_empty(rel->lateral_relids) || plan->by_key)
		return;
	workers = compute_parallel_worker(rel, ceil(plan->bytes / BLCKSZ), -1,
									  max_parallel_workers_per_gather);
	if (workers > 0)
		add_partial_path(rel, make_scan_path(root, rel, plan, workers));
}

/* Do a column's values come from functions that workers may run? */
static bool
is_parallel_safe_type(const Serializer *serializer)
{
	return get_typtype(serializer->type) != TYPTYPE_DOMAIN &&
		func_parallel(serializer->input.fn_oid) == PROPARALLEL_SAFE;
}

/* IsForeignScanParallelSafe: true unless reading a value runs code that is not parallel safe. */
bool
pgt_topic_plan_is_parallel_safe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	Topic	   *topic = pgt_topic_get(rte->relid);

	return is_parallel_safe_type(&topic->key) && is_parallel_safe_type(&topic->value);
}

/* Add the path that is run again for each row of the relations "outer". */
static void
add_lookup_path(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan, Relids outer)
{
	ParamPathInfo *param = get_baserel_parampathinfo(root, rel, outer);
	double		records = plan->records;
	double		rows;
	double		decoded;
	bool		by_key = false;
	Cost		cost;
	ListCell   *cell;

	foreach(cell, param->ppi_clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		ScanCondition condition;

		if (!pgt_scan_condition_match(plan->topic, rel->relid, rinfo->clause, &condition))
			continue;
		if (pgt_scan_condition_is_exact(&condition))
			records *= guess_selectivity(plan, &condition);
		by_key |= condition.column == TOPIC_KEY;
	}
	rows = Min(records, param->ppi_rows);
	if (by_key && !has_key_statistics(root, rel, plan))
		rows = Min(rows, GUESSED_KEY_RECORDS);
	rows = clamp_row_est(rows);
	decoded = by_key ? Min(records, rows * RECORDS_PER_LOOKUP) : records;
	decoded += RECORDS_PER_LOOKUP;
	/* records with other keys are passed over */
	if (by_key)
		records = rows;
	cost = random_page_cost * (by_key ? PAGES_PER_LOOKUP + 1 : 1) + cpu_operator_cost * decoded +
		clamp_row_est(records) * (cpu_tuple_cost + rel->baserestrictcost.per_tuple);
	add_path(rel, (Path *) PGT_SCAN_PATH(root, rel, rows, 0, cost, NIL, outer));
}

/* One path for each set of relations whose values can bound the scan. */
static void
add_lookup_paths(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan)
{
	ListCell   *cell;

	foreach(cell, pgt_outer_bounds_relids(root, rel, plan->topic))
		add_lookup_path(root, rel, plan, lfirst(cell));
}

/* GetForeignPaths */
void
pgt_topic_plan_get_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	TopicPlan  *plan = rel->fdw_private;

	add_scan_paths(root, rel, plan);
	add_ordered_path(root, rel, plan, SCAN_BY_OFFSET);
	add_ordered_path(root, rel, plan, SCAN_BY_OFFSET_BACKWARD);
	add_lookup_paths(root, rel, plan);
}

/* A mask of the columns that the targets and the clauses mention. */
static uint32
used_columns(RelOptInfo *rel, const Topic *topic, List *clauses)
{
	Bitmapset  *attributes = NULL;
	uint32		columns = 0;
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attributes);
	pull_varattnos((Node *) clauses, rel->relid, &attributes);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attributes);
	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
	{
		AttrNumber	attnum = topic->attnum[i];

		if (attnum != 0 &&
			(whole_row || bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, attributes)))
			columns |= 1 << i;
	}
	return columns;
}

/*
 * GetForeignPlan: conditions that the scan enforces become fdw_recheck_quals, for rows
 * that are checked again outside the scan; the other conditions stay.
 */
ForeignScan *
pgt_topic_plan_get_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path,
						List *tlist, List *clauses, Plan *outer_plan)
{
	TopicPlan  *plan = rel->fdw_private;
	List	   *checked = NIL;
	List	   *enforced = NIL;
	List	   *values = NIL;
	List	   *conditions = NIL;
	int			order = path->fdw_private == NIL ? SCAN_BY_PARTITION : linitial_int(path->fdw_private);
	uint32		columns;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		ScanCondition condition;

		if (rinfo->pseudoconstant)
			continue;
		if (!pgt_scan_condition_match(plan->topic, rel->relid, rinfo->clause, &condition))
		{
			checked = lappend(checked, rinfo->clause);
			continue;
		}
		pgt_scan_condition_encode(&condition, &values, &conditions);
		if (pgt_scan_condition_is_exact(&condition))
			enforced = lappend(enforced, rinfo->clause);
		else
			checked = lappend(checked, rinfo->clause);
	}
	columns = used_columns(rel, plan->topic, checked);
	return make_foreignscan(tlist, checked, rel->relid, values,
							list_make2(conditions,
									   list_make2_int((int) columns, order)),
							NIL, enforced, outer_plan);
}

List *
pgt_topic_plan_conditions(const ForeignScan *plan)
{
	return pgt_scan_conditions_decode(plan->fdw_exprs, linitial(plan->fdw_private));
}

uint32
pgt_topic_plan_columns(const ForeignScan *plan)
{
	return (uint32) linitial_int(lsecond(plan->fdw_private));
}

ScanOrder
pgt_topic_plan_order(const ForeignScan *plan)
{
	return lsecond_int(lsecond(plan->fdw_private));
}

/* For ExplainForeignScan: show the bounds of the scan, and its order. */
void
pgt_topic_plan_explain(ForeignScanState *node, struct ExplainState *es)
{
	const ForeignScan *plan = (const ForeignScan *) node->ss.ps.plan;

	pgt_explain_bounds_show(node->ss.ps.plan, pgt_topic_plan_conditions(plan),
							pgt_topic_get(RelationGetRelid(node->ss.ss_currentRelation)), es);
	if (pgt_topic_plan_order(plan) != SCAN_BY_PARTITION)
		ExplainPropertyText("Order", pgt_topic_plan_order(plan) == SCAN_BY_OFFSET ?
							"record_offset" : "record_offset descending", es);
}
