/*
 * topic_drop.c
 *	  Slots and files of topics that go: dropped ones at commit, new ones at rollback.
 *
 * Until a drop commits a rollback must bring the topic back whole; and should
 * a CREATE be rolled back, slots, and batches that flush() or a failing commit
 * has written by then, belong to nobody; so do those of partitions that an ALTER
 * has added.  So all only note what to remove, with the subtransaction they
 * happened in:
 *
 *	                          dropped                     created, added
 *	  ROLLBACK TO, error      forgotten                   removed
 *	  RELEASE                 the parent's from now on    the same
 *	  COMMIT                  removed                     forgotten
 *	  ROLLBACK                forgotten                   removed
 *	  PREPARE TRANSACTION     forgotten                   forgotten
 *
 * Removing is pgt_log_drop(): a WAL record, then unlink.  A crash between the
 * commit and the unlink, and the end of a prepared transaction, leave slots and
 * files that no topic owns.  The collection of orphans removes them, which the
 * rollback of a prepared transaction does at once (topic_ddl.c); a new topic
 * with the same oid removes what it finds, too.
 *
 * The consumer groups' offsets of the topic are rows of topic_group_offsets,
 * their members rows of topic_group_members; they are deleted in the
 * transaction itself.  That is done on the heap, not through SQL: the hook runs
 * inside the server's deletion of objects, for users who have no privilege on
 * the tables, and when the extension is dropped these may be gone already.
 *
 * Locks: the dropping transaction holds AccessExclusiveLock on the topic until
 * after the files are gone; RowExclusiveLock is taken on both tables.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/lwlock.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ddl/topic_drop.h"
#include "group/group_member.h"
#include "group/group_row.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "util/guarded_look.h"
#include "wal/log_writer.h"

/* Files to remove when the transaction ends one way and not the other. */
typedef struct PendingRemoval
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
	int32		first_partition;	/* those before stay */
	bool		at_commit;		/* else at rollback */
	SubTransactionId subxact;	/* whose rollback decides */
} PendingRemoval;

static List *pending = NIL;		/* of PendingRemoval, in TopTransactionContext */

/* ---- consumer groups ---------------------------------------------------- */

/*
 * Delete one row.  Its owners hold locks on the topic, so nobody changes it
 * now, but a group that is being deleted may take it away first.
 */
static void
delete_row(Relation table, HeapTuple row)
{
	TM_FailureData failure;
	TM_Result	result;

	result = PGT_TUPLE_DELETE(table, &row->t_self, GetCurrentCommandId(true),
							  GetActiveSnapshot(), &failure);
	if (result == TM_Updated)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("a consumer group's offset changed while its topic was being dropped"),
				 errhint("Try again.")));
}

/* Delete a topic's rows of one of the groups' tables, which may be gone. */
static void
delete_rows(Oid relid, Oid topic)
{
	Relation	table = OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;
	ScanKeyData key;
	Oid			index;
	SysScanDesc scan;
	HeapTuple	row;

	if (table == NULL)
		return;

	ScanKeyInit(&key, get_attnum(relid, "topic"), BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(topic));
	index = PGT_PRIMARY_KEY_INDEX(table);
	PushActiveSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(table, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		delete_row(table, row);
	systable_endscan(scan);
	PopActiveSnapshot();
	table_close(table, NoLock);
}

/* ---- pending removals --------------------------------------------------- */

/* Note files to be removed at the transaction's end. */
static void
note_removal(Oid database, Oid topic, int32 first_partition, bool at_commit)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	PendingRemoval *removal = palloc(sizeof(PendingRemoval));

	removal->database = database;
	removal->topic = topic;
	removal->first_partition = first_partition;
	removal->at_commit = at_commit;
	removal->subxact = GetCurrentSubTransactionId();
	pending = lappend(pending, removal);
	MemoryContextSwitchTo(old);
}

/*
 * A topic of this database is being dropped: forget its groups' offsets and,
 * at commit, remove its files.  Called before its catalog entries go.
 */
void
pgt_topic_drop(Oid topic)
{
	Oid			offsets_table = pgt_group_offsets_table(topic);

	delete_rows(offsets_table, topic);
	delete_rows(pgt_member_table(offsets_table), topic);
	note_removal(MyDatabaseId, topic, 0, true);

	/* files go right after the commit: it must not be lost then */
	ForceSyncCommit();
}

/*
 * A topic of this database has been created, or given partitions from "first" on:
 * should that be rolled back, remove the slots and files that they have by then.
 */
void
pgt_topic_created(Oid topic, int32 first)
{
	note_removal(MyDatabaseId, topic, first, false);
}

/* A database is being created: remove what a dropped one of its OID has left. */
void
pgt_topic_create_database(Oid database)
{
	if (pgt_log_exists(database, InvalidOid, 0))
		pgt_log_drop(database, InvalidOid);
}

/* A database is being dropped: at commit, remove its topics' files. */
void
pgt_topic_drop_database(Oid database)
{
	note_removal(database, InvalidOid, 0, true);
}

/*
 * Remove the files, after the transaction's outcome is settled: an error must
 * not reach its end, and what it leaves is collected as an orphan.
 */
static void
remove_files(const PendingRemoval *removal)
{
	MemoryContext context = CurrentMemoryContext;
	uint32		holdoff = InterruptHoldoffCount;

	PG_TRY();
	{
		pgt_log_drop_partitions(removal->database, removal->topic, removal->first_partition);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		InterruptHoldoffCount = holdoff;
		MemoryContextSwitchTo(context);
		LWLockReleaseAll();
		error = CopyErrorData();
		FlushErrorState();
		pgt_report_as_warning(error);
	}
	PG_END_TRY();
}

/* The transaction that created the topic, or its partitions, is being rolled back. */
static void
remove_created(const PendingRemoval *removal)
{
	/* what it has appended has a slot */
	if (pgt_log_exists(removal->database, removal->topic, 0))
		remove_files(removal);
}

/* Remove what was noted for this end; nothing here throws. */
static void
finish_removals(bool committed)
{
	List	   *removals = pending;
	ListCell   *cell;

	pending = NIL;
	foreach(cell, removals)
	{
		PendingRemoval *removal = lfirst(cell);

		FAULT_POINT("drop-settled");
		if (removal->at_commit && committed)
			remove_files(removal);
		else if (!removal->at_commit && !committed)
			remove_created(removal);
	}
}

/* Transaction callback. */
static void
transaction_ended(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			finish_removals(true);
			break;
		case XACT_EVENT_ABORT:
			finish_removals(false);
			break;
		case XACT_EVENT_PREPARE:
			pending = NIL;
			break;
		default:
			break;
	}
}

/* Subtransaction callback: settle its notes, or hand them to the parent. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId subxact,
					 SubTransactionId parent, void *arg)
{
	ListCell   *cell;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach(cell, pending)
	{
		PendingRemoval *removal = lfirst(cell);

		if (removal->subxact != subxact)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
		{
			removal->subxact = parent;
			continue;
		}
		pending = foreach_delete_current(pending, cell);
		if (!removal->at_commit)
			remove_created(removal);
	}
}

/* Install the transaction callbacks; called once per process. */
void
pgt_topic_drop_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}
