/*
 * outer_bounds.c
 *	  Which other relations of a query have the values that bound a topic's scan.
 *
 * A scan on the inner side of a nested loop may be run again for each outer row, with the
 * row's values in its bounds.  That is worth a path where the bounds then leave little: by a
 * partition or an offset, or by a key with an index of keys.
 *
 * No locks; everything lives in the planner's context.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "query/outer_bounds.h"

Var *
pgt_outer_bounds_column(const RelOptInfo *rel, const Topic *topic, TopicColumnId column)
{
	AttrNumber	attnum = topic->attnum[column];
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attnum == 0)
		return NULL;
	get_atttypetypmodcoll(topic->relid, attnum, &type, &typmod, &collation);
	return makeVar(rel->relid, attnum, type, typmod, collation, 0);
}

/* Can the clause bound a scan that gets values from the outer side of a join? */
static bool
is_useful_join_clause(RelOptInfo *rel, const Topic *topic, RestrictInfo *rinfo)
{
	ScanCondition condition;

	return join_clause_is_movable_to(rinfo, rel) &&
		pgt_scan_condition_match(topic, rel->relid, rinfo->clause, &condition) &&
		(pgt_scan_condition_is_exact(&condition) ||
		 (condition.column == TOPIC_KEY && topic->key_index));
}

/* Callback: is the member the column that arg, a Var, stands for? */
static bool
is_column_member(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec,
				 EquivalenceMember *em, void *arg)
{
	return equal(em->em_expr, arg);
}

/* Add to "useful" those among "clauses" that can bound the scan. */
static List *
add_useful_join_clauses(List *useful, RelOptInfo *rel, const Topic *topic, List *clauses)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);

		if (is_useful_join_clause(rel, topic, rinfo))
			useful = lappend(useful, rinfo);
	}
	return useful;
}

/* The join clauses that can bound the scan, given an outer row. */
static List *
useful_join_clauses(PlannerInfo *root, RelOptInfo *rel, const Topic *topic)
{
	static const TopicColumnId columns[] = {TOPIC_PARTITION, TOPIC_RECORD_OFFSET, TOPIC_KEY};
	List	   *useful = add_useful_join_clauses(NIL, rel, topic, rel->joininfo);

	if (!rel->has_eclass_joins)
		return useful;
	for (int i = 0; i < lengthof(columns); i++)
	{
		Var		   *var = pgt_outer_bounds_column(rel, topic, columns[i]);

		if (var != NULL)
			useful = add_useful_join_clauses(useful, rel, topic,
											 generate_implied_equalities_for_column(root, rel, is_column_member,
																					var, rel->lateral_referencers));
	}
	return useful;
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

List *
pgt_outer_bounds_relids(PlannerInfo *root, RelOptInfo *rel, const Topic *topic)
{
	List	   *sets = NIL;
	ListCell   *cell;

	foreach(cell, useful_join_clauses(root, rel, topic))
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, cell);
		Relids		outer = bms_union(rinfo->clause_relids, rel->lateral_relids);

		outer = bms_del_member(outer, rel->relid);
		if (!bms_is_empty(outer) && !contains_relids(sets, outer))
			sets = lappend(sets, outer);
	}
	return sets;
}
