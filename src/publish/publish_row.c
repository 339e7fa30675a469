/*
 * publish_row.c
 *	  publish_row(): publishing a row's change at the moment when it is made.
 *
 * The server queues the events of AFTER triggers and fires them at the statement's end.
 * Another trigger may then have changed the same row again, by a statement whose own
 * events fired first: changes come out of order, whatever the triggers' names are.  There
 * is one moment that cannot be out of order, the change itself, and one place where an
 * AFTER trigger is asked something then: its condition.  The server evaluates it just
 * after the row was changed, to decide whether there is an event to queue.  So the
 * triggers of publish_table() publish in their conditions:
 *
 *	  CREATE TRIGGER publish_t_changes_update AFTER UPDATE ON t FOR EACH ROW
 *		  WHEN (publish_row(OLD.*, NEW.*, 't_changes'))
 *		  EXECUTE FUNCTION publish_changes('t_changes', 'key=id');
 *
 * The function returns false: nothing is left for an event to do, and no queue grows.
 * The topic finds the trigger, and with it the options, among those of the table.  It is a
 * regclass, so that it stays the same under another name.
 *
 * Partitions have the trigger as a clone, in whose condition the server converts the rows
 * to the row type of the table that it was made for.  That type tells the table.  An
 * update that moves a row to another partition is a deletion and an insertion of the
 * partitions'; the server evaluates the condition a third time, for a partitioned table
 * itself, on behalf of foreign keys, and that one is passed over.
 *
 * Nobody can call the function with rows of his own: it looks at its arguments'
 * expressions, which in a condition, and only there, are whole rows of the OLD and NEW
 * variables.
 *
 * Memory: what a call allocates is in a context that the next call resets; the rest lives
 * as long as the query that changes the table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "publish/change_record.h"
#include "util/sql_version.h"

PGT_FUNCTION_INFO(pgt_publish_row);

/* The arguments of publish_row() by number. */
enum
{
	ARG_OLD,
	ARG_NEW,
	ARG_TOPIC
};

/* What the calls of one query have in common; in fn_extra. */
typedef struct RowCall
{
	Oid			source;			/* the table that the trigger was made for */
	bool		passed_over;	/* called for a partitioned table */
	ChangeOperation operation;
	ChangePublisher *publisher;
	TupleTableSlot *old;		/* NULL: there is no such row */
	TupleTableSlot *new;
	MemoryContext row_context;
} RowCall;

/* ---- where the call stands ------------------------------------------------ */

/*
 * The type of the row that an argument stands for, or InvalidOid for NULL.  Sets *changed
 * to the type of the table that is changed.  ERROR unless the argument is OLD.* or NEW.*
 * in the condition of a trigger.
 */
static Oid
row_type(FunctionCallInfo fcinfo, int n, int varno, Oid *changed)
{
	Node	   *call = fcinfo->flinfo->fn_expr;
	Node	   *argument = call != NULL && IsA(call, FuncExpr) ? list_nth(((FuncExpr *) call)->args, n) : NULL;
	Node	   *row = argument;

	if (argument != NULL && IsA(argument, Const) && ((Const *) argument)->constisnull)
		return InvalidOid;
	if (row != NULL && IsA(row, ConvertRowtypeExpr))
		row = (Node *) ((ConvertRowtypeExpr *) row)->arg;
	if (row == NULL || !IsA(row, Var) || ((Var *) row)->varno != varno || ((Var *) row)->varattno != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("publish_row() was not called with OLD.* and NEW.* in the condition of a trigger"),
				 errhint("Let publish_table() make the triggers, or use it in CREATE TRIGGER ... AFTER UPDATE ... FOR EACH ROW WHEN (publish_row(OLD.*, NEW.*, 'topic')) EXECUTE FUNCTION publish_changes('topic').")));
	*changed = exprType(row);
	return exprType(argument);
}

/* Find out which change of which table the calls are for. */
static void
identify(FunctionCallInfo fcinfo, RowCall *call)
{
	Oid			changed = InvalidOid;
	Oid			old = row_type(fcinfo, ARG_OLD, INNER_VAR, &changed);
	Oid			new = row_type(fcinfo, ARG_NEW, OUTER_VAR, &changed);

	if (!OidIsValid(old) && !OidIsValid(new))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("publish_row() was called without a row")));
	call->source = get_typ_typrelid(OidIsValid(new) ? new : old);
	call->passed_over = get_rel_relkind(get_typ_typrelid(changed)) == RELKIND_PARTITIONED_TABLE;
	call->operation = !OidIsValid(old) ? CHANGE_CREATE : !OidIsValid(new) ? CHANGE_DELETE : CHANGE_UPDATE;
}

/* ---- the trigger ---------------------------------------------------------- */

/* A call of the function. */
typedef struct WantedCall
{
	Oid			function;
	Oid			topic;
} WantedCall;

/* Walker: is the function called with this topic in the expression? */
static bool
calls_function(Node *node, void *context)
{
	WantedCall *wanted = context;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == wanted->function)
	{
		Node	   *topic = list_nth(((FuncExpr *) node)->args, ARG_TOPIC);

		if (IsA(topic, Const) && !((Const *) topic)->constisnull &&
			DatumGetObjectId(((Const *) topic)->constvalue) == wanted->topic)
			return true;
	}
	return expression_tree_walker(node, calls_function, context);
}

/* Is it a trigger that publishes such changes with "action", and has the wanted call in its condition? */
static bool
is_ours(const Trigger *trigger, ChangeOperation operation, Oid action, WantedCall *wanted)
{
	bool		fires = operation == CHANGE_CREATE ? TRIGGER_FOR_INSERT(trigger->tgtype) :
		operation == CHANGE_DELETE ? TRIGGER_FOR_DELETE(trigger->tgtype) : TRIGGER_FOR_UPDATE(trigger->tgtype);

	return fires && TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_AFTER(trigger->tgtype) &&
		trigger->tgfoid == action && trigger->tgqual != NULL &&
		calls_function(stringToNode(trigger->tgqual), wanted);
}

/* ERROR: no trigger has the call in its condition and publishes to its topic. */
static void
refuse_call(Relation source, Oid topic)
{
	const char *name = get_rel_name(topic);

	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" has no trigger with publish_row() that publishes to topic \"%s\"",
					RelationGetRelationName(source), name != NULL ? name : psprintf("%u", topic)),
			 errhint("The trigger is an AFTER trigger FOR EACH ROW, and executes publish_changes() with the same topic as its first argument.")));
}

/* The table's trigger in whose condition the call stands, as a copy; ERROR if there is not one. */
static Trigger *
find_trigger(FunctionCallInfo fcinfo, const RowCall *call, Relation source, Oid topic)
{
	WantedCall	wanted = {fcinfo->flinfo->fn_oid, topic};
	char	   *schema = get_namespace_name(get_func_namespace(wanted.function));
	Oid			action = LookupFuncName(list_make2(makeString(schema), makeString("publish_changes")), 0, NULL, false);
	/* a copy, since the cache's is replaced if another session gives the topic another name */
	TriggerDesc *triggers = CopyTriggerDesc(source->trigdesc);
	Trigger    *found = NULL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!is_ours(trigger, call->operation, action, &wanted))
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("triggers \"%s\" and \"%s\" on table \"%s\" publish the same changes to topic \"%s\"",
							found->tgname, trigger->tgname, RelationGetRelationName(source), get_rel_name(topic)),
					 errhint("Drop one of them.")));
		found = trigger;
	}
	if (found == NULL)
		refuse_call(source, topic);
	return found;
}

/* ---- the call ------------------------------------------------------------- */

/* Get the publisher, and slots for the rows, in the memory of the query. */
static void
prepare(FunctionCallInfo fcinfo, RowCall *call)
{
	MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	Oid			topic = PG_GETARG_OID(ARG_TOPIC);
	Relation	source = table_open(call->source, AccessShareLock);

	call->publisher = pgt_change_publisher_get(source, find_trigger(fcinfo, call, source, topic));
	if (call->publisher->topic != topic)
		refuse_call(source, topic);
	if (call->operation != CHANGE_CREATE)
		call->old = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(source)), &TTSOpsHeapTuple);
	if (call->operation != CHANGE_DELETE)
		call->new = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(source)), &TTSOpsHeapTuple);
	table_close(source, NoLock);
	MemoryContextSwitchTo(caller);
}

/* The state of the calls; made at the query's first call. */
static RowCall *
begin(FunctionCallInfo fcinfo)
{
	RowCall    *call = fcinfo->flinfo->fn_extra;

	if (call != NULL)
		return call;
	call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RowCall));
	identify(fcinfo, call);
	call->row_context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "pg_topics published row",
											  ALLOCSET_DEFAULT_SIZES);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/* Store the row of an argument in its slot, if there is one. */
static void
store_row(FunctionCallInfo fcinfo, int n, TupleTableSlot *slot, HeapTuple tuple)
{
	HeapTupleHeader row;

	if (slot == NULL)
		return;
	row = PG_GETARG_HEAPTUPLEHEADER(n);
	memset(tuple, 0, sizeof(*tuple));
	tuple->t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = InvalidOid;
	tuple->t_data = row;
	ExecStoreHeapTuple(tuple, slot, false);
}

/* Begin writing; repeated if the catalogs have changed, also while the topic's lock was waited for. */
static void
begin_writing(FunctionCallInfo fcinfo, RowCall *call, ChangeWriter *writer)
{
	do
	{
		if (call->publisher == NULL || !call->publisher->valid)
			prepare(fcinfo, call);
		pgt_change_record_begin(writer, call->publisher, call->operation);
	} while (!call->publisher->valid);
}

/* Error context callback: name the trigger. */
static void
trigger_context(void *arg)
{
	RowCall    *call = arg;

	if (call->publisher != NULL)
		errcontext("trigger \"%s\" on table \"%s\"", call->publisher->trigger, get_rel_name(call->source));
}

/* publish_row(row_before record, row_after record, topic regclass) returns bool: always false */
Datum
pgt_publish_row(PG_FUNCTION_ARGS)
{
	RowCall    *call = begin(fcinfo);
	ErrorContextCallback context = {error_context_stack, trigger_context, call};
	MemoryContext caller;
	ChangeWriter writer;
	HeapTupleData old;
	HeapTupleData new;

	if (call->passed_over)
		PG_RETURN_BOOL(false);
	error_context_stack = &context;
	MemoryContextReset(call->row_context);
	caller = MemoryContextSwitchTo(call->row_context);
	begin_writing(fcinfo, call, &writer);
	store_row(fcinfo, ARG_OLD, call->old, &old);
	store_row(fcinfo, ARG_NEW, call->new, &new);
	if (call->operation == CHANGE_UPDATE)
		pgt_change_record_add_departure(&writer, call->old, call->new);
	pgt_change_record_add(&writer, call->old, call->new);
	MemoryContextSwitchTo(caller);
	error_context_stack = context.previous;
	PG_RETURN_BOOL(false);
}
