/*
 * topic_drop.c
 *	  Removing slots and files: of dropped topics at commit, of new ones at rollback.
 *
 * Until a DROP commits, a rollback must bring the whole topic back.  And when a CREATE, or
 * an ALTER that adds partitions, is rolled back, its slots belong to no topic any more,
 * nor do batches that flush() or a failing commit has written.  So all of these statements
 * only note what is to be removed, with the subtransaction that they happened in:
 *
 *	                          dropped                     created, added
 *	  ROLLBACK TO, error      note discarded              removed
 *	  RELEASE                 note given to the parent    note given to the parent
 *	  COMMIT                  removed                     note discarded
 *	  ROLLBACK                note discarded              removed
 *	  PREPARE TRANSACTION     note discarded              note discarded
 *
 * pgt_log_writer_drop() removes slots and files: a WAL record, then the unlink.  A crash between
 * the commit and the unlink, and the end of a prepared transaction, leave slots and files
 * that belong to no topic.  They are removed by the collection of orphans
 * (orphaned_logs.c), which runs at once when a prepared transaction is rolled back
 * (topic_ddl.c), or by a new topic with the same oid.
 *
 * The offsets and members of the topic's consumer groups are rows of topic_group_offsets
 * and topic_group_members, those of its share groups of topic_share_groups; the transaction itself deletes them.  They are deleted through
 * the tables directly, not through SQL: the hook runs inside the server's deletion of
 * objects, for users without privileges on these tables, and while the extension is being
 * dropped the tables may not exist any more.
 *
 * Locks: the dropping transaction holds AccessExclusiveLock on the topic until
 * after the files are gone; RowExclusiveLock is taken on both tables.
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
#include "share/share_row.h"
#include "share/share_table.h"
#include "util/catch_error.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "wal/log_writer.h"

/* Files to remove when the transaction ends one way and not the other. */
typedef struct PendingRemoval
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
	int32		first_partition;	/* remove the partitions from this one on */
	bool		at_commit;		/* remove at commit, else at rollback */
	SubTransactionId subxact;	/* the subtransaction that noted it */
} PendingRemoval;

static List *pending = NIL;		/* of PendingRemoval, in TopTransactionContext */

/* ---- consumer groups ---------------------------------------------------- */

/*
 * Delete one row.  Consumers that write it hold a lock on the topic, so none of them
 * changes it now; but delete_group() may delete it first.
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
				 errmsg("could not drop topic because an offset of its consumer groups was changed concurrently"),
				 errhint("Try again.")));
}

/* Delete a topic's rows in one of the groups' tables, if the table exists. */
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

void
pgt_topic_drop(Oid topic)
{
	Oid			offsets_table = pgt_group_row_table(topic);

	delete_rows(offsets_table, topic);
	delete_rows(pgt_group_member_table(offsets_table), topic);
	if (OidIsValid(offsets_table))
		pgt_share_row_delete(get_rel_namespace(offsets_table), topic, NULL);
	note_removal(MyDatabaseId, topic, 0, true);

	/* the files are removed right after the commit, so a crash must not lose the commit */
	ForceSyncCommit();
}

void
pgt_topic_drop_if_rolled_back(Oid topic, int32 first)
{
	note_removal(MyDatabaseId, topic, first, false);
}

void
pgt_topic_drop_leftovers(Oid database)
{
	pgt_share_table_forget(database, InvalidOid);
	if (pgt_log_writer_has_log(database, InvalidOid, 0))
		pgt_log_writer_drop(database, InvalidOid);
}

void
pgt_topic_drop_database(Oid database)
{
	note_removal(database, InvalidOid, 0, true);
}

/*
 * Remove slots and files once the transaction's outcome is settled.  An error cannot
 * change the outcome any more: it is reported as a WARNING, and the files that remain are
 * collected as orphans.
 */
static void
remove_files(const PendingRemoval *removal)
{
	MemoryContext context = CurrentMemoryContext;
	uint32		holdoff = InterruptHoldoffCount;

	if (removal->first_partition == 0)
		pgt_share_table_forget(removal->database, removal->topic);

	PG_TRY();
	{
		pgt_log_writer_drop_partitions(removal->database, removal->topic, removal->first_partition);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		InterruptHoldoffCount = holdoff;
		MemoryContextSwitchTo(context);
		LWLockReleaseAll();
		error = CopyErrorData();
		FlushErrorState();
		pgt_catch_error_report(error);
	}
	PG_END_TRY();
}

/* The transaction that created the topic, or its partitions, is being rolled back. */
static void
remove_created(const PendingRemoval *removal)
{
	/* whatever the transaction has appended has a slot */
	if (pgt_log_writer_has_log(removal->database, removal->topic, 0))
		remove_files(removal);
}

/* Remove what was noted for this outcome; does not throw. */
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

/*
 * Subtransaction callback: settle its notes, or hand them to the parent.  They are the last in
 * the list, since inner subtransactions end first.
 */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId subxact,
					 SubTransactionId parent, void *arg)
{
	int			first = list_length(pending);

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	while (first > 0 && ((PendingRemoval *) list_nth(pending, first - 1))->subxact == subxact)
	{
		first--;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			((PendingRemoval *) list_nth(pending, first))->subxact = parent;
	}
	if (event == SUBXACT_EVENT_COMMIT_SUB || first == list_length(pending))
		return;

	for (int i = first; i < list_length(pending); i++)
	{
		const PendingRemoval *removal = list_nth(pending, i);

		if (!removal->at_commit)
			remove_created(removal);
	}
	pending = list_truncate(pending, first);
}

void
pgt_topic_drop_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}
