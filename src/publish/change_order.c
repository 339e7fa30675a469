/*
 * change_order.c
 *	  Refusing to publish the changes of a key in another order than they were made.
 *
 * publish_row() publishes a change when it is made.  A trigger whose function is called
 * for a queued event, or for a statement with transition tables, comes later: if another
 * trigger, or a function in the statement itself, has changed the same row meanwhile by a
 * statement of its own, the event of that later change has been fired before.  Published
 * in this order a replica and compaction would keep the older row.
 *
 * Within a transaction each command has a number (cid), and a command that changes what
 * another one has made has a higher number.  So changes of a key are in order if the
 * numbers of their commands do not fall.  We remember for each key that was published in
 * this transaction the number of the last command, and refuse a lower one.  The rule may
 * also refuse what happened to be in order: a key that a trigger BEFORE the change has
 * inserted and deleted, before the statement itself inserts it.
 *
 * A statement with parts that change the same table (WITH) fires triggers FOR EACH STATEMENT
 * for each kind of change, in an order that is not that of the changes; all have its number.
 * Its parts do not see each other's rows.  So where one of them ends a key and another
 * one gives it to a row, the end was first, and is refused after the row.
 *
 * Where the numbers come from: a row's event has it in the row's header; for a statement
 * it is that of the query whose triggers are being fired, which the hooks below keep on a
 * stack (ExecutorFinish() for queries, ProcessUtility() for COPY).
 *
 * Memory: an entry for each key, up to MAX_KEYS.  Past that only the highest number of
 * all is remembered, and every lower one refused.  It is in the transaction's context.  A
 * rolled-back subtransaction takes the keys with it that it was the first to publish; of
 * others its numbers stay, which may refuse too much, but nothing too little.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "publish/change_order.h"
#include "util/compat.h"
#include "util/subxact_stack.h"

/* The number of keys that are remembered. */
#define MAX_KEYS	65536

/* A key of a table, and the last command whose change of it was published. */
typedef struct PublishedKey
{
	uint64		hash;			/* hash key: of the topic, the table and the key's bytes */
	CommandId	command;
	bool		has_row;		/* a row has it after that command */
} PublishedKey;

/* A query, or COPY, that is firing its triggers. */
typedef struct FiringCommand
{
	struct FiringCommand *outer;
	CommandId	command;
} FiringCommand;

static FiringCommand *firing = NULL;
static HTAB *keys = NULL;		/* NULL: none in this transaction */
static SubxactStack first_published;	/* keys, by the subtransaction that published them first */
static LocalTransactionId keys_of = InvalidLocalTransactionId;
static CommandId floor_command = FirstCommandId;	/* lower ones are refused, of any key */
static bool floor_has_rows = false;	/* that command has given keys to rows */
static ExecutorFinish_hook_type next_executor_finish = NULL;
static ProcessUtility_hook_type next_process_utility = NULL;

/* ---- commands ----------------------------------------------------------- */

CommandId
pgt_change_order_command(const TriggerData *trigger)
{
	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		return firing != NULL ? firing->command : InvalidCommandId;
	if (trigger->tg_relation->rd_tableam != GetHeapamTableAmRoutine())
		return InvalidCommandId;
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		return HeapTupleHeaderGetCmax(trigger->tg_trigtuple->t_data);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return HeapTupleHeaderGetCmin(trigger->tg_newtuple->t_data);
	return HeapTupleHeaderGetCmin(trigger->tg_trigtuple->t_data);
}

/* ExecutorFinish_hook: triggers are fired in it. */
static void
executor_finish(QueryDesc *query)
{
	FiringCommand self = {firing, query->estate->es_output_cid};

	firing = &self;
	PG_TRY();
	{
		if (next_executor_finish)
			next_executor_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		firing = self.outer;
	}
	PG_END_TRY();
}

/* ProcessUtility_hook: COPY FROM fires triggers without the executor. */
static void
process_utility(PlannedStmt *statement, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *env,
				DestReceiver *dest, QueryCompletion *completion)
{
	FiringCommand self = {firing, InvalidCommandId};

	if (!IsA(statement->utilityStmt, CopyStmt) || !IsTransactionState())
	{
		next_process_utility(statement, query_string, read_only_tree, context, params, env, dest, completion);
		return;
	}
	self.command = GetCurrentCommandId(false);
	firing = &self;
	PG_TRY();
	{
		next_process_utility(statement, query_string, read_only_tree, context, params, env, dest, completion);
	}
	PG_FINALLY();
	{
		firing = self.outer;
	}
	PG_END_TRY();
}

/* ---- keys --------------------------------------------------------------- */

/* Begin to remember this transaction's keys, unless that was done. */
static void
begin_keys(void)
{
	HASHCTL		ctl;

	if (keys_of == PGT_MY_LXID)
		return;
	ctl.keysize = sizeof(uint64);
	ctl.entrysize = sizeof(PublishedKey);
	ctl.hcxt = TopTransactionContext;
	keys = hash_create("pg_topics published keys", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	floor_command = FirstCommandId;
	floor_has_rows = false;
	pgt_subxact_stack_forget(&first_published);
	keys_of = PGT_MY_LXID;
}

/* Forget the keys one by one; from now on every command below the highest is refused. */
static void
raise_floor(void)
{
	HASH_SEQ_STATUS scan;
	PublishedKey *key;

	hash_seq_init(&scan, keys);
	while ((key = hash_seq_search(&scan)) != NULL)
	{
		if (key->command > floor_command)
			floor_has_rows = false;
		floor_command = Max(floor_command, key->command);
		floor_has_rows |= key->command == floor_command && key->has_row;
		hash_search(keys, &key->hash, HASH_REMOVE, NULL);
	}
	pgt_subxact_stack_forget(&first_published);
}

/* ERROR: a later change of the key has been published. */
static void
refuse(const ChangePublisher *publisher)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("trigger \"%s\" on table \"%s\" cannot publish changes in the order in which they were made",
					publisher->trigger, publisher->table),
			 errdetail("While the statement ran, another trigger or a function has changed a row of the same key, and that change is published already."),
			 errhint("Publish the table with publish_table() and for_each => 'row', whose triggers publish each change when it is made.")));
}

/* ERROR: the key has a row of the same statement. */
static void
refuse_end(const ChangePublisher *publisher)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("trigger \"%s\" on table \"%s\" cannot publish changes in the order in which they were made",
					publisher->trigger, publisher->table),
			 errdetail("One part of the statement has ended a key that another part gives to a row, and the row is published already."),
			 errhint("Publish the table with publish_table() and for_each => 'row', or change the rows in two statements.")));
}

void
pgt_change_order_note(const ChangePublisher *publisher, ByteView key, CommandId command, ChangeEffect effect)
{
	PublishedKey *entry;
	uint64		hash;
	bool		found;

	if (command == InvalidCommandId)
		return;
	begin_keys();
	if (command < floor_command)
		refuse(publisher);
	hash = hash_combine64(hash_bytes_uint32_extended(publisher->source, publisher->topic),
						  key.length < 0 ? 0 : hash_bytes_extended((const unsigned char *) key.data, key.length, 1));
	entry = hash_search(keys, &hash, HASH_ENTER, &found);
	if (found && entry->command > command)
		refuse(publisher);
	if (effect == CHANGE_EFFECT_STATEMENT_END && key.length >= 0 &&
		(found ? entry->has_row && entry->command == command : floor_has_rows && floor_command == command))
		refuse_end(publisher);
	entry->command = command;
	entry->has_row = effect == CHANGE_EFFECT_ROW;
	/* an entry must outlive a rollback of later changes alone */
	if (!found)
		pgt_subxact_stack_note(&first_published, TopTransactionContext, GetCurrentSubTransactionId(), entry);
	if (hash_get_num_entries(keys) > MAX_KEYS)
		raise_floor();
}

/* Forget a key that a subtransaction was the first to publish. */
static void
forget_key(void *thing, SubTransactionId id)
{
	PublishedKey *key = thing;

	hash_search(keys, &key->hash, HASH_REMOVE, NULL);
}

/* A subtransaction's keys become its parent's. */
static bool
inherit_key(void *thing, SubTransactionId id, SubTransactionId parent)
{
	return parent != TopSubTransactionId;
}

/* SubXact callback: what a subtransaction has published goes with it. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (keys_of != PGT_MY_LXID)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pgt_subxact_stack_undo(&first_published, id, forget_key);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		pgt_subxact_stack_release(&first_published, id, parent, inherit_key);
}

void
pgt_change_order_init(void)
{
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
	next_process_utility = ProcessUtility_hook ? ProcessUtility_hook : standard_ProcessUtility;
	ProcessUtility_hook = process_utility;
	RegisterSubXactCallback(subtransaction_ended, NULL);
}
