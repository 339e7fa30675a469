/*
 * kafka_txn.c
 *	  Kafka transactions: beginning and ending them through the WAL.
 *
 *	  KAFKA_BEGIN	a producer has a transaction of this number
 *	  KAFKA_END		the number is mapped to the transaction Y of the server, or aborted in it
 *
 * kafka_txn_table.h says what numbers are, kafka_txn_map.c who asks what they are mapped to.  Their
 * batches are APPENDs (log_writer.c), and what resolving makes of those is SETTLE (log_resolve.c).
 *
 * What a crash leaves of a commit:
 *
 *	  before KAFKA_END			the Kafka transaction is open
 *	  before Y's commit record	it is mapped to Y, which has aborted: it is aborted
 *	  behind it					it is committed
 *
 * So it is committed with all that Y wrote, or is not.  A commit is never tried twice: who was
 * not answered asks what has become of it.
 *
 * Nobody knows of an end that is not durable, or a crash could let a transaction be open again of which
 * somebody knows that it has ended; what the producer appends next would join it, and be committed with records
 * that were aborted.
 *
 *	  the caller		KAFKA_END is durable when Y has ended, whatever synchronous_commit says, and also where Y has
 *						aborted; or the caller says that it waits for that itself, so that many ends have one flush
 *	  readers in SQL	flush the WAL when they meet such an end (batch_visibility.c)
 *	  other consumers	the stable end stands before it (log_stable_end.c)
 *
 * However far the ids have gone on, an end is not refused: it may be what others wait for.
 *
 * Where an id Y comes from does not matter for an abort; it only says which snapshots are older.
 *
 * A subtransaction that rolls back may have written what belongs to a commit, so that is taken back
 * by a second KAFKA_END, which aborts.  If no sync process runs then, a checkpoint could pass that record
 * without the file (kafka_txn_file.c); so the transaction syncs before it commits.
 *
 * No number is begun or ended while no sync process runs, for the same reason.  A sync process that
 * ends makes a last sync, which passes the lock.
 *
 * Numbers are ids as producers have them (producer_ids.c), with the highest bit set.  So a promoted
 * server, one that was restored to an earlier time, one whose WAL was reset and one that pg_upgrade has
 * made give out others than the one before.
 *
 * An ended one takes room until its entries tell how it has ended, which is done each second, and sooner where room gets
 * short (log_resolve.c).
 *
 * When Y has ended, who waits for the partitions is woken, as by a producer's commit.
 *
 * Locks: that of the table, over the insertion of each record.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "format/record_batch.h"
#include "log/log_state.h"
#include "log/topic_waiters.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "util/fault_point.h"
#include "util/transaction.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "wal/kafka_txn.h"
#include "wal/log_sync.h"
#include "wal/producer_ids.h"

/* A Kafka transaction that the current transaction has ended. */
typedef struct EndedTxn
{
	uint64		number;
	int			level;			/* the nesting level in which that was; rolled back: it is aborted */
	bool		commit;
} EndedTxn;

/* Those, and the partitions they have batches in; in TopTransactionContext. */
static List *ended = NIL;
static List *announced = NIL;
static bool revoked = false;	/* one was aborted by a subtransaction's end */
static XLogRecPtr ended_lsn = InvalidXLogRecPtr;	/* of the last record that says so */

/* Can records be logged that the table's file must have?  The caller holds the table's lock, or will ask again. */
static bool
is_saved(void)
{
	return pg_atomic_read_u32(&pgt_log_state->self_sync) == 0;
}

/* Before a record: a checkpoint behind it must find the marks. */
static void
mark_changed(void)
{
	pgt_kafka_txn_map_note_change();
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}

/* ---- beginning ------------------------------------------------------------------- */

/* Log that it is begun, and add it to the table, whose lock the caller holds. */
static void
begin_logged(KafkaTxnTable *table, const xl_pgt_kafka_begin *xlrec)
{
	KafkaTxn   *txn;

	mark_changed();
	pgt_wal_record_begin();
	pgt_wal_record_register(xlrec, sizeof(*xlrec));
	pgt_kafka_txn_map_changed(XLogInsert(PGT_RMGR_ID, XLOG_PGT_KAFKA_BEGIN));
	txn = pgt_kafka_txn_table_add(table, xlrec->number);
	pgt_kafka_txn_table_set_producer(table, txn, xlrec->database, xlrec->producer_id, xlrec->producer_epoch);
	txn->started = xlrec->started;
}

/* Where half of the room is taken, ask for a round of resolving now: most of them may have ended. */
static void
ask_for_room(const KafkaTxnTable *table)
{
	if (table->count > table->limit / 2)
		pg_atomic_write_u32(&pgt_log_state->resolve_wanted, 1);
}

/* Begin it with this number, unless the producer has an open one by now, whose number it gets. */
static KafkaTxnResult
begin_with(xl_pgt_kafka_begin *xlrec)
{
	KafkaTxnTable *table = pgt_kafka_txn_map_lock();
	const KafkaTxn *txn = pgt_kafka_txn_table_find_producer(table, xlrec->database, xlrec->producer_id);
	KafkaTxnResult result = KAFKA_TXN_DONE;

	if (txn != NULL && txn->producer_epoch != xlrec->producer_epoch)
		result = KAFKA_TXN_OTHER_EPOCH;
	else if (txn != NULL)
		xlrec->number = txn->number;
	else if (!is_saved())
		result = KAFKA_TXN_TRY_AGAIN;
	else if (!pgt_kafka_txn_table_has_room(table))
		result = KAFKA_TXN_FULL;
	else
		begin_logged(table, xlrec);
	ask_for_room(table);
	pgt_kafka_txn_map_unlock();
	FAULT_POINT("kafka-begin-logged");
	return result;
}

KafkaTxnResult
pgt_kafka_txn_begin(int64 producer_id, int16 epoch, Oid database, uint64 *number)
{
	xl_pgt_kafka_begin xlrec = {0, producer_id, GetCurrentTimestamp(), database, epoch};
	KafkaTxnResult result;
	int64		id;
	int16		open_epoch;

	if (RecoveryInProgress() || !is_saved())
		return KAFKA_TXN_TRY_AGAIN;
	if (pgt_kafka_txn_map_find_producer(database, producer_id, number, &open_epoch))
		return open_epoch == epoch ? KAFKA_TXN_DONE : KAFKA_TXN_OTHER_EPOCH;
	id = pgt_producer_ids_next();
	if (id == NO_PRODUCER_ID)
		return KAFKA_TXN_TRY_AGAIN;
	xlrec.number = ENTRY_NUMBERED | (uint64) id;
	result = begin_with(&xlrec);
	*number = xlrec.number;
	return result;
}

void
pgt_kafka_txn_fail_full(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many Kafka transactions"),
			 errdetail("The server can hold %d that are open or not resolved yet.", pgt_kafka_max_transactions),
			 errhint("End Kafka transactions, or raise pg_topics.kafka_max_transactions and restart the server.")));
}

/* ---- ending ------------------------------------------------------------------------ */

/* The slots and ranges of its parts, palloc'd; the caller holds the table's lock. */
static KafkaTxnPart *
copy_parts(KafkaTxnTable *table, const KafkaTxn *txn, int *count)
{
	KafkaTxnPart *parts = palloc(Max(txn->part_count, 1) * sizeof(KafkaTxnPart));
	const KafkaTxnPart *part = NULL;

	*count = 0;
	while ((part = pgt_kafka_txn_table_next_part(table, txn, part)) != NULL)
		parts[(*count)++] = *part;
	return parts;
}

/* Remember what is to be done when the transaction ends. */
static void
note_ended(uint64 number, bool commit, const KafkaTxnPart *parts, int count)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
	EndedTxn   *item = palloc(sizeof(EndedTxn));

	*item = (EndedTxn) {number, GetCurrentTransactionNestLevel(), commit};
	ended = lappend(ended, item);
	for (int i = 0; i < count; i++)
	{
		KafkaTxnPart *part = palloc(sizeof(KafkaTxnPart));

		*part = parts[i];
		announced = lappend(announced, part);
	}
	MemoryContextSwitchTo(caller);
}

/* Log an end, and let the table have it, whose lock the caller holds. */
static void
end_logged(KafkaTxnTable *table, KafkaTxn *txn, uint64 xid, bool aborted)
{
	xl_pgt_kafka_end xlrec = {txn->number, xid, aborted ? KAFKA_END_ABORTED : 0};

	mark_changed();
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	ended_lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_KAFKA_END);
	pgt_kafka_txn_map_changed(ended_lsn);
	txn->ended_lsn = ended_lsn;
	pgt_kafka_txn_table_end(table, txn, xid, aborted);
}

/* End it; "forced": the commit is synchronous. */
static KafkaTxnResult
end(uint64 number, bool commit, bool forced)
{
	KafkaTxnResult result = KAFKA_TXN_DONE;
	FullTransactionId xid;
	KafkaTxnTable *table;
	KafkaTxn   *txn;
	KafkaTxnPart *parts = NULL;
	int			count = 0;

	if (RecoveryInProgress() || !is_saved())
		return KAFKA_TXN_TRY_AGAIN;
	/* it must be running before anybody can find the number mapped to it */
	xid = GetTopFullTransactionId();
	if (forced)
		ForceSyncCommit();

	table = pgt_kafka_txn_map_lock();
	txn = pgt_kafka_txn_table_find(table, number);
	if (txn == NULL || txn->xid != 0)
		result = KAFKA_TXN_NOT_OPEN;
	else if (!is_saved())
		result = KAFKA_TXN_TRY_AGAIN;
	else
	{
		parts = copy_parts(table, txn, &count);
		note_ended(number, commit, parts, count);
		end_logged(table, txn, U64FromFullTransactionId(xid), !commit);
	}
	pgt_kafka_txn_map_unlock();
	FAULT_POINT("kafka-end-logged");
	return result;
}

KafkaTxnResult
pgt_kafka_txn_end(uint64 number, bool commit)
{
	return end(number, commit, true);
}

KafkaTxnResult
pgt_kafka_txn_end_unflushed(uint64 number, bool commit)
{
	return end(number, commit, false);
}

/* ---- the end of the transaction ------------------------------------------------------ */

/* Wake who waits for the partitions: the records are there, or hold nobody back any more. */
static void
announce(void)
{
	ListCell   *cell;

	foreach(cell, announced)
	{
		const KafkaTxnPart *part = lfirst(cell);

		pgt_topic_waiters_announce(part->key.database, part->key.topic, part->key.partition,
								   Max(part->end_offset - part->first_offset, 1));
	}
}

/* The transaction has aborted: the server flushes nothing for that.  It throws nothing. */
static void
flush_end(void)
{
	FAULT_HALT("kafka-end-aborted");
	if (!XLogRecPtrIsInvalid(ended_lsn) && !FAULT_SKIP("kafka-abort-flush"))
		XLogFlush(ended_lsn);
}

/* The memory goes with the transaction. */
static void
forget(void)
{
	ended = announced = NIL;
	revoked = false;
	ended_lsn = InvalidXLogRecPtr;
}

/* Transaction callback. */
static void
xact_callback(XactEvent event, void *arg)
{
	if (ended == NIL)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot PREPARE a transaction that has ended a Kafka transaction")));
			break;
		case XACT_EVENT_PRE_COMMIT:
			if (revoked)
				pgt_log_sync_if_alone();
			FAULT_POINT("kafka-end-before-commit");
			break;
		case XACT_EVENT_ABORT:
			flush_end();
			announce();
			forget();
			break;
		case XACT_EVENT_COMMIT:
			announce();
			forget();
			break;
		default:
			break;
	}
}

/* What was to be committed by a subtransaction that rolls back is aborted.  Throws nothing. */
static void
take_back(const EndedTxn *item)
{
	KafkaTxnTable *table = pgt_kafka_txn_map_lock();
	KafkaTxn   *txn = pgt_kafka_txn_table_find(table, item->number);

	/* if it is not there any more, it has no records; it is open if the error came before the end was logged */
	if (txn != NULL && txn->xid != 0)
		end_logged(table, txn, txn->xid, true);
	pgt_kafka_txn_map_unlock();
	revoked = true;
}

/* Subtransaction callback. */
static void
subxact_callback(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	ListCell   *cell;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach(cell, ended)
	{
		EndedTxn   *item = lfirst(cell);

		if (item->level < level)
			continue;
		item->level = level - 1;
		if (event == SUBXACT_EVENT_ABORT_SUB && item->commit)
		{
			item->commit = false;
			take_back(item);
		}
	}
}

void
pgt_kafka_txn_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

/* ---- asking ---------------------------------------------------------------------------- */

/* Is the transaction running now?  Our own is. */
static bool
is_running(uint64 xid)
{
	TransactionId xmin = MyProc->xmin;
	TransactionSet running;
	bool		result;

	if (xid == U64FromFullTransactionId(GetTopFullTransactionIdIfAny()))
		return true;
	pgt_transaction_list_running(&running);
	MyProc->xmin = xmin;
	result = pgt_transaction_is_running(&running, xid);
	pfree(running.xids);
	return result;
}

KafkaTxnState
pgt_kafka_txn_state(uint64 number)
{
	uint64		xid;

	switch (pgt_kafka_txn_map_look_up(number, &xid))
	{
		case KAFKA_TXN_OPEN:
			return KAFKA_TXN_IS_OPEN;
		case KAFKA_TXN_ABORTED:
			return KAFKA_TXN_IS_ABORTED;
		case KAFKA_TXN_UNKNOWN:
			return KAFKA_TXN_IS_FORGOTTEN;
		case KAFKA_TXN_MAPPED:
			break;
	}
	if (is_running(xid))
		return KAFKA_TXN_IS_ENDING;
	switch (pgt_transaction_outcome(xid))
	{
		case TRANSACTION_COMMITTED:
			return KAFKA_TXN_IS_COMMITTED;
		case TRANSACTION_ABORTED:
			return KAFKA_TXN_IS_ABORTED;
		default:
			return KAFKA_TXN_IS_FORGOTTEN;
	}
}

/* ---- redo --------------------------------------------------------------------------------- */

bool
pgt_kafka_txn_redo_begin(const xl_pgt_kafka_begin *xlrec, XLogRecPtr lsn)
{
	KafkaTxnTable *table = pgt_kafka_txn_map_lock();
	KafkaTxn   *txn = pgt_kafka_txn_table_find(table, xlrec->number);

	/* the file may be of a later moment; then the end comes as well */
	if (txn == NULL)
		txn = pgt_kafka_txn_table_add(table, xlrec->number);
	if (txn != NULL)
	{
		pgt_kafka_txn_table_set_producer(table, txn, xlrec->database, xlrec->producer_id, xlrec->producer_epoch);
		txn->started = xlrec->started;
	}
	pgt_kafka_txn_map_changed(lsn);
	pgt_kafka_txn_map_unlock();
	return txn != NULL;
}

void
pgt_kafka_txn_redo_end(const xl_pgt_kafka_end *xlrec, XLogRecPtr lsn)
{
	KafkaTxnTable *table = pgt_kafka_txn_map_lock();
	KafkaTxn   *txn = pgt_kafka_txn_table_find(table, xlrec->number);

	/* if it is not there, the file is of a later moment, and SETTLE has what entries get */
	if (txn != NULL)
	{
		txn->ended_lsn = lsn;
		pgt_kafka_txn_table_end(table, txn, xlrec->xid, (xlrec->flags & KAFKA_END_ABORTED) != 0);
	}
	pgt_kafka_txn_map_changed(lsn);
	pgt_kafka_txn_map_unlock();
}
