/*
 * explain_bounds.c
 *	  Which part of which topic a plan node reads, for EXPLAIN.
 *
 * A node has its conditions (scan_bounds.h), and they are shown as they are written, with
 * parameters by what they stand for.  Partitions are shown by their numbers where the
 * conditions on them, and on a key that says where it is, are constants.
 *
 * No locks; everything lives in the current context.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "query/explain_bounds.h"
#include "query/explain_parameters.h"
#include "util/compat.h"

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

/* Copies of the conditions with values that can be deparsed. */
static List *
explainable_conditions(List *conditions, Plan *plan, List *ancestors)
{
	List	   *copies = NIL;
	ListCell   *cell;

	foreach(cell, conditions)
	{
		ScanCondition *copy = palloc(sizeof(ScanCondition));

		*copy = *(const ScanCondition *) lfirst(cell);
		copy->value = (Expr *) pgt_explain_parameters_value((Node *) copy->value, plan, ancestors);
		copies = lappend(copies, copy);
	}
	return copies;
}

void
pgt_explain_bounds_show(Plan *plan, List *conditions, const Topic *topic, struct ExplainState *es)
{
	List	   *ancestors = pgt_explain_parameters_ancestors(es->pstmt, plan);
	List	   *context = set_deparse_context_plan(es->deparse_cxt, plan, ancestors);
	char	   *partitions;
	char	   *offsets;
	char	   *timestamps;
	char	   *keys;

	conditions = explainable_conditions(conditions, plan, ancestors);
	partitions = list_partitions(conditions, topic);
	offsets = describe_conditions(conditions, TOPIC_RECORD_OFFSET, context);
	timestamps = describe_conditions(conditions, TOPIC_RECORD_TIMESTAMP, context);
	keys = describe_conditions(conditions, TOPIC_KEY, context);
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

void
pgt_explain_bounds_show_topic(Oid topic, struct ExplainState *es)
{
	ExplainPropertyText("Topic", es->verbose ?
						quote_qualified_identifier(get_namespace_name(get_rel_namespace(topic)), get_rel_name(topic)) :
						quote_identifier(get_rel_name(topic)), es);
}
