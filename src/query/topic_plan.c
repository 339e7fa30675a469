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
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"

#include "query/explain_parameters.h"
#include "query/fdw_callbacks.h"
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
	double		all_records;	/* records and bytes without an index of keys */
	double		all_bytes;
	List	   *join_clauses;	/* RestrictInfos, see collect_join_clauses() */
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

/*
 * Narrow the bounds by a condition if its value is known while planning; false if it is
 * not.
 */
static bool
narrow_by_estimate(PlannerInfo *root, ScanBounds *bounds, const Topic *topic,
				   const ScanCondition *condition)
{
	Node	   *value = estimate_expression_value(root, (Node *) condition->value);
	Const	   *constant = (Const *) value;

	if (!IsA(value, Const))
		return false;
	pgt_scan_bounds_narrow(bounds, topic, condition, constant->constvalue, constant->constisnull);
	return true;
}

/* The topic's column as a Var, or NULL if it is left out. */
static Var *
column_var(RelOptInfo *rel, const TopicPlan *plan, TopicColumnId column)
{
	AttrNumber	attnum = plan->topic->attnum[column];
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attnum == 0)
		return NULL;
	get_atttypetypmodcoll(plan->topic->relid, attnum, &type, &typmod, &collation);
	return makeVar(rel->relid, attnum, type, typmod, collation, 0);
}

/* Are there statistics of the topic's keys? */
static bool
has_key_statistics(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan)
{
	VariableStatData statistics;
	bool		found;

	examine_variable(root, (Node *) column_var(rel, plan, TOPIC_KEY), rel->relid, &statistics);
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
		if (!narrow_by_estimate(root, &bounds, plan->topic, &condition))
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
	plan->all_records = plan->records;
	plan->all_bytes = plan->bytes;
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
	Var		   *var = column_var(rel, plan, column);

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
 * Backward it does not use an index of keys.
 */
static void
add_ordered_path(PlannerInfo *root, RelOptInfo *rel, const TopicPlan *plan, ScanOrder order)
{
	List	   *pathkeys = useful_pathkeys(root, rel, plan, order);
	double		partitions = plan->one_partition ? 1 : Max(plan->partitions, 1);
	double		first = Min(rel->rows, partitions * RECORDS_PER_LOOKUP);
	Cost		startup = cpu_operator_cost * (first + partitions * log2(partitions));
	Cost		per_row = cpu_operator_cost * (1 + log2(partitions));
	TopicPlan	read = *plan;
	ForeignPath *path;

	if (list_length(pathkeys) <= list_length(useful_pathkeys(root, rel, plan, SCAN_BY_PARTITION)))
		return;
	if (order == SCAN_BY_OFFSET_BACKWARD)
	{
		read.index_cost = 0;
		read.records = plan->all_records;
		read.bytes = plan->all_bytes;
	}
	path = (ForeignPath *) make_scan_path(root, rel, &read, 0);
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

/* Can the clause bound a scan that gets values from the outer side of a join? */
static bool
is_useful_join_clause(RelOptInfo *rel, const TopicPlan *plan, RestrictInfo *rinfo)
{
	ScanCondition condition;

	return join_clause_is_movable_to(rinfo, rel) &&
		pgt_scan_condition_match(plan->topic, rel->relid, rinfo->clause, &condition) &&
		(pgt_scan_condition_is_exact(&condition) ||
		 (condition.column == TOPIC_KEY && plan->topic->key_index));
}

/* Callback: is the member the column that arg, a Var, stands for? */
static bool
is_column_member(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
				 EquivalenceMember *em, void *arg)
{
	return equal(em->em_expr, arg);
}

/* Add to plan->join_clauses those among "clauses" that can bound the scan. */
static void
keep_useful_join_clauses(RelOptInfo *rel, TopicPlan *plan, List *clauses)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);

		if (is_useful_join_clause(rel, plan, rinfo))
			plan->join_clauses = lappend(plan->join_clauses, rinfo);
	}
}

/* Find the join clauses that can bound the scan, given an outer row. */
static void
collect_join_clauses(PlannerInfo *root, RelOptInfo *rel, TopicPlan *plan)
{
	static const TopicColumnId columns[] = {TOPIC_PARTITION, TOPIC_RECORD_OFFSET, TOPIC_KEY};

	keep_useful_join_clauses(rel, plan, rel->joininfo);
	if (!rel->has_eclass_joins)
		return;
	for (int i = 0; i < lengthof(columns); i++)
	{
		Var		   *var = column_var(rel, plan, columns[i]);

		if (var != NULL)
			keep_useful_join_clauses(rel, plan,
									 generate_implied_equalities_for_column(root, rel, is_column_member,
																			var, rel->lateral_referencers));
	}
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

/* Does the list contain the set? */
static bool
contains_relids(List *sets, Relids relids)
{
	ListCell   *cell;

	foreach(cell, sets)
	{
		if (bms_equal(lfirst(cell), relids))
			return true;
	}
	return false;
}

/* One path for each set of relations whose values can bound the scan. */
static void
add_lookup_paths(PlannerInfo *root, RelOptInfo *rel, TopicPlan *plan)
{
	List	   *done = NIL;
	ListCell   *cell;

	collect_join_clauses(root, rel, plan);
	foreach(cell, plan->join_clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		Relids		outer = bms_union(rinfo->clause_relids, rel->lateral_relids);

		outer = bms_del_member(outer, rel->relid);
		if (bms_is_empty(outer) || contains_relids(done, outer))
			continue;
		done = lappend(done, outer);
		add_lookup_path(root, rel, plan, outer);
	}
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

void
pgt_topic_plan_add_condition(const ScanCondition *condition, List **values, List **numbers)
{
	*values = lappend(*values, condition->value);
	*numbers = lappend_int(*numbers, condition->column);
	*numbers = lappend_int(*numbers, condition->strategy);
	*numbers = lappend_int(*numbers, condition->is_array);
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
		pgt_topic_plan_add_condition(&condition, &values, &conditions);
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
	List	   *numbers = linitial(plan->fdw_private);
	List	   *conditions = NIL;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, plan->fdw_exprs)
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

/* The conditions on a column, as in ">= 100 and < 200"; NULL if there are none. */
static char *
describe_conditions(List *conditions, TopicColumnId column, List *context)
{
	static const char *const operators[] = {"", "< ", "<= ", "= ", ">= ", "> "};
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, conditions)
	{
		ScanCondition *condition = lfirst(cell);
		char	   *value;

		if (condition->column != column)
			continue;
		value = deparse_expression((Node *) condition->value, context, false, false);
		if (text.len > 0)
			appendStringInfoString(&text, " and ");
		appendStringInfo(&text, condition->is_array ? "%sANY (%s)" : "%s%s",
						 operators[condition->strategy], value);
	}
	return text.len > 0 ? text.data : NULL;
}

/* Can the condition leave fewer partitions? */
static bool
bounds_partitions(const ScanCondition *condition, const Topic *topic)
{
	return condition->column == TOPIC_PARTITION ||
		(condition->column == TOPIC_KEY && topic->log.placement.rule != PLACED_ANYWHERE);
}

/* The partitions that satisfy constant conditions, as in "0, 2"; NULL if a condition is not constant. */
static char *
list_partitions(List *conditions, const Topic *topic)
{
	ScanBounds	bounds;
	StringInfoData text;
	int			partition = -1;
	ListCell   *cell;

	pgt_scan_bounds_init(&bounds, topic->partitions);
	foreach(cell, conditions)
	{
		ScanCondition *condition = lfirst(cell);
		Const	   *value = (Const *) condition->value;

		if (!bounds_partitions(condition, topic))
			continue;
		if (!IsA(value, Const))
			return NULL;
		pgt_scan_bounds_narrow(&bounds, topic, condition, value->constvalue, value->constisnull);
	}
	if (bms_num_members(bounds.partitions) == topic->partitions)
		return "all";
	initStringInfo(&text);
	while ((partition = bms_next_member(bounds.partitions, partition)) >= 0)
		appendStringInfo(&text, "%s%d", text.len > 0 ? ", " : "", partition);
	return text.len > 0 ? text.data : "none";
}

/* The same where a condition is not constant: the conditions themselves. */
static char *
describe_partitions(List *conditions, const Topic *topic, List *context)
{
	char	   *partitions = describe_conditions(conditions, TOPIC_PARTITION, context);
	ListCell   *cell;

	foreach(cell, conditions)
	{
		const ScanCondition *condition = lfirst(cell);

		if (condition->column == TOPIC_KEY && bounds_partitions(condition, topic))
			return partitions == NULL ? "by key" : psprintf("%s and by key", partitions);
	}
	return partitions;
}

/* The plan's conditions, with values that can be deparsed. */
static List *
explainable_conditions(Plan *plan, List *ancestors)
{
	List	   *conditions = pgt_topic_plan_conditions((ForeignScan *) plan);
	ListCell   *cell;

	foreach(cell, conditions)
	{
		ScanCondition *condition = lfirst(cell);

		condition->value = (Expr *) pgt_explain_parameters_value((Node *) condition->value, plan, ancestors);
	}
	return conditions;
}

void
pgt_topic_plan_explain_bounds(ForeignScanState *node, const Topic *topic, struct ExplainState *es)
{
	Plan	   *plan = node->ss.ps.plan;
	List	   *ancestors = pgt_explain_parameters_ancestors(es->pstmt, plan);
	List	   *conditions = explainable_conditions(plan, ancestors);
	List	   *context = set_deparse_context_plan(es->deparse_cxt, plan, ancestors);
	char	   *partitions = list_partitions(conditions, topic);
	char	   *offsets = describe_conditions(conditions, TOPIC_RECORD_OFFSET, context);
	char	   *timestamps = describe_conditions(conditions, TOPIC_RECORD_TIMESTAMP, context);
	char	   *keys = describe_conditions(conditions, TOPIC_KEY, context);

	if (partitions == NULL)
		partitions = describe_partitions(conditions, topic, context);
	ExplainPropertyText("Partitions", partitions, es);
	if (offsets != NULL)
		ExplainPropertyText("Offsets", offsets, es);
	if (timestamps != NULL)
		ExplainPropertyText("Timestamps", timestamps, es);
	if (keys != NULL)
		ExplainPropertyText("Key", keys, es);
}

/* For ExplainForeignScan: show the bounds of the scan, and its order. */
void
pgt_topic_plan_explain(ForeignScanState *node, struct ExplainState *es)
{
	const ForeignScan *plan = (const ForeignScan *) node->ss.ps.plan;

	pgt_topic_plan_explain_bounds(node, pgt_topic_get(RelationGetRelid(node->ss.ss_currentRelation)), es);
	if (pgt_topic_plan_order(plan) != SCAN_BY_PARTITION)
		ExplainPropertyText("Order", pgt_topic_plan_order(plan) == SCAN_BY_OFFSET ?
							"record_offset" : "record_offset descending", es);
}
