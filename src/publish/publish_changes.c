/*
 * publish_changes.c
 *	  The trigger function publish_changes(): it writes the changes that a statement
 *	  makes to a table to a topic, in the same transaction.
 *
 * The function is called after each row, or after each statement with transition tables.
 * The call for a row publishes one change.  The call for a statement reads the transition
 * tables to their ends: the old and the new rows of an update are pairs, because the
 * server adds to both tables at once.
 *
 * An update may hand a key on from one row to another (SET id = id + 1, with a deferrable
 * constraint).  A statement's call therefore ends all old keys before the first row.  A
 * row's call knows only the order of the rows, so for triggers FOR EACH ROW such keys must
 * not be deferrable.
 *
 * Events are fired after their statement, and those of the statements of other triggers
 * before them: changes that would be published out of order are refused (change_order.c).
 * The triggers of publish_table() do not wait for events: they publish in their conditions
 * (publish_row.c), and the function here is called for their TRUNCATE alone.
 *
 * The function publishes the changes that the trigger fires for: the server itself
 * handles conditions (WHEN), deferral and disabling (session_replication_role).
 *
 * Memory: a row's call uses the context that the server resets after each call; a
 * statement's call has a context of its own, which it resets after each row.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "publish/change_record.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_publish_changes);

/* A transition table being read. */
typedef struct Transition
{
	Tuplestorestate *rows;		/* NULL: the trigger has no such table */
	int			read_pointer;
	TupleTableSlot *slot;
} Transition;

/* ---- the call ----------------------------------------------------------- */

/* ERROR unless called as a trigger that can publish. */
static TriggerData *
check_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("publish_changes() was not called as a trigger"),
				 errhint("Use it in CREATE TRIGGER ... EXECUTE FUNCTION publish_changes('topic').")));
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on table \"%s\" cannot publish changes before they are made",
						trigger->tg_trigger->tgname, RelationGetRelationName(trigger->tg_relation)),
				 errhint("Create it as an AFTER trigger.")));
	return trigger;
}

/* The operation that fired the trigger. */
static ChangeOperation
fired_by(const TriggerData *trigger)
{
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return CHANGE_CREATE;
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return CHANGE_UPDATE;
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return CHANGE_DELETE;
	return CHANGE_TRUNCATE;
}

/* Begin writing; repeated if the topic has changed while its lock was waited for. */
static void
begin(ChangeWriter *writer, TriggerData *trigger)
{
	ChangePublisher *publisher;

	do
	{
		publisher = pgt_change_publisher_get(trigger->tg_relation, trigger->tg_trigger);
		pgt_change_record_begin(writer, publisher, fired_by(trigger));
	} while (!publisher->valid);
	writer->command = pgt_change_order_command(trigger);
	writer->for_statement = !TRIGGER_FIRED_FOR_ROW(trigger->tg_event);
}

/* ---- after each row ----------------------------------------------------- */

/* Publish one row's change. */
static void
publish_row(ChangeWriter *writer, TriggerData *trigger)
{
	if (writer->operation == CHANGE_CREATE)
		pgt_change_record_add(writer, NULL, trigger->tg_trigslot);
	else if (writer->operation == CHANGE_DELETE)
		pgt_change_record_add(writer, trigger->tg_trigslot, NULL);
	else
	{
		pgt_change_record_add_departure(writer, trigger->tg_trigslot, trigger->tg_newslot);
		pgt_change_record_add(writer, trigger->tg_trigslot, trigger->tg_newslot);
	}
}

/* ---- after each statement ----------------------------------------------- */

/* Prepare to read a transition table. */
static void
open_transition(Transition *transition, Tuplestorestate *rows, Relation relation)
{
	transition->rows = rows;
	if (rows == NULL)
		return;
	/* another trigger's function may read the same table */
	transition->read_pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	transition->slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
}

/* Go to the beginning of a transition table. */
static void
rewind_transition(Transition *transition)
{
	if (transition->rows == NULL)
		return;
	tuplestore_select_read_pointer(transition->rows, transition->read_pointer);
	tuplestore_rescan(transition->rows);
}

/* The next row; NULL at the end, and if there is no such table. */
static TupleTableSlot *
next_row(Transition *transition)
{
	if (transition->rows == NULL)
		return NULL;
	tuplestore_select_read_pointer(transition->rows, transition->read_pointer);
	return tuplestore_gettupleslot(transition->rows, true, false, transition->slot) ?
		transition->slot : NULL;
}

static void
close_transition(Transition *transition)
{
	if (transition->rows != NULL)
		ExecDropSingleTupleTableSlot(transition->slot);
}

/* ERROR if the trigger lacks a transition table that the change needs. */
static void
check_transitions(const ChangeWriter *writer, const TriggerData *trigger)
{
	ChangePublisher *publisher = writer->publisher;
	bool		old_needed = writer->operation == CHANGE_DELETE ||
		(writer->operation == CHANGE_UPDATE &&
		 (publisher->key.form != KEY_FORM_NONE || publisher->before != CHANGE_BEFORE_NONE));
	bool		new_needed = writer->operation != CHANGE_DELETE;
	bool		old_missing = old_needed && trigger->tg_oldtable == NULL;

	if (!old_missing && (!new_needed || trigger->tg_newtable != NULL))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("trigger \"%s\" on table \"%s\" has no transition table with the %s rows",
					publisher->trigger, publisher->table, old_missing ? "old" : "new"),
			 errhint("Create it FOR EACH ROW, or with REFERENCING%s%s.",
					 old_needed ? " OLD TABLE AS old_rows" : "",
					 new_needed ? " NEW TABLE AS new_rows" : "")));
}

/*
 * ERROR if old and new rows are not pairs: then a row was being moved to another
 * partition, and a trigger there has kept it out.
 */
static void
check_pairs(const ChangeWriter *writer, const TriggerData *trigger)
{
	if (writer->operation != CHANGE_UPDATE || trigger->tg_oldtable == NULL ||
		tuplestore_tuple_count(trigger->tg_oldtable) == tuplestore_tuple_count(trigger->tg_newtable))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("trigger \"%s\" on table \"%s\" cannot tell which rows were updated and which deleted",
					writer->publisher->trigger, writer->publisher->table),
			 errdetail("A row that moved to another partition was kept out by a trigger there."),
			 errhint("Publish the table with a trigger FOR EACH ROW.")));
}

/*
 * Go through the rows, or pairs of rows, of the statement with "add", which
 * runs in "row_context".  The rows are read outside of it: one that comes from
 * a file is freed by its slot.
 */
static void
for_each_row(ChangeWriter *writer, Transition *old, Transition *new, MemoryContext row_context,
			 void (*add) (ChangeWriter *writer, TupleTableSlot *old, TupleTableSlot *new))
{
	rewind_transition(old);
	rewind_transition(new);
	for (;;)
	{
		TupleTableSlot *old_row = next_row(old);
		TupleTableSlot *new_row = next_row(new);
		MemoryContext caller;

		if (old_row == NULL && new_row == NULL)
			break;
		caller = MemoryContextSwitchTo(row_context);
		add(writer, old_row, new_row);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Publish the changes of a statement. */
static void
publish_statement(ChangeWriter *writer, TriggerData *trigger)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "pg_topics changed row",
													  ALLOCSET_DEFAULT_SIZES);
	Transition	old = {0};
	Transition	new = {0};

	check_transitions(writer, trigger);
	check_pairs(writer, trigger);
	if (writer->operation != CHANGE_CREATE)
		open_transition(&old, trigger->tg_oldtable, trigger->tg_relation);
	if (writer->operation != CHANGE_DELETE)
		open_transition(&new, trigger->tg_newtable, trigger->tg_relation);

	if (writer->operation == CHANGE_UPDATE && writer->publisher->key.form != KEY_FORM_NONE)
		for_each_row(writer, &old, &new, row_context, pgt_change_record_add_departure);
	for_each_row(writer, &old, &new, row_context, pgt_change_record_add);
	close_transition(&old);
	close_transition(&new);
	MemoryContextDelete(row_context);
}

/* Error context callback: name the trigger. */
static void
trigger_context(void *arg)
{
	TriggerData *trigger = arg;

	errcontext("trigger \"%s\" on table \"%s\"", trigger->tg_trigger->tgname,
			   RelationGetRelationName(trigger->tg_relation));
}

/* publish_changes(): the trigger function. */
Datum
pgt_publish_changes(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_call(fcinfo);
	ErrorContextCallback context = {error_context_stack, trigger_context, trigger};
	ChangeWriter writer;

	error_context_stack = &context;
	begin(&writer, trigger);
	if (writer.operation == CHANGE_TRUNCATE)
		pgt_change_record_add_truncate(&writer);
	else if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		publish_row(&writer, trigger);
	else
		publish_statement(&writer, trigger);
	error_context_stack = context.previous;
	return PointerGetDatum(NULL);
}
