/*
 * log_redo.c
 *	  Replaying the logs' WAL records, and the resource manager.
 *
 * Redo sets a partition's state to what the record says, whatever it was: files may be
 * missing, older or newer than the record, as in a base backup, and the state that was
 * loaded at server start may be from after the record.  An append uses the same functions as
 * outside of recovery (partition_log.c, log_apply.c).
 *
 * Before a change that cannot be undone (removing files, flagging, writing the recovery
 * point) XLogFlush() is called.  In recovery it raises the minimum recovery point, so
 * that no later recovery of this data directory ends before the record.
 *
 * A restart point may begin where the server that wrote the WAL ended a recovery.  No
 * SYNC record can be there.  So redo of the server's own record of that end does what
 * SYNC does; for this the server's redo function is wrapped.
 *
 * Damage must not keep the server from starting: redo makes a damaged header anew and
 * reports a flag that it cannot set; readers report the rest.
 *
 * A standby must have room for as many partitions and Kafka transactions as its primary.  If it
 * does not, recovery pauses, or ends if it is not consistent yet, as for max_connections and
 * similar settings.  SETTINGS has the numbers, and the recovery point and the file of Kafka
 * transactions keep them.
 *
 * Memory: one context, reset after each record.
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "catalog/pg_control.h"
#include "format/record_batch.h"
#include "log/commit_log.h"
#include "log/kafka_txn_map.h"
#include "log/producer_state.h"
#include "util/format_version.h"
#include "utils/memutils.h"
#include "wal/kafka_txn.h"
#include "wal/log_apply.h"
#include "wal/log_desc.h"
#include "wal/log_redo.h"
#include "wal/log_sync.h"
#include "wal/producer_ids.h"
#include "wal/wal_record.h"

static MemoryContext redo_context = NULL;

/* ---- settings ------------------------------------------------------------ */

/* Pause or end recovery if this server does not have room for that many partitions. */
static void
require_max_partitions(int partitions)
{
	RecoveryRequiresIntParameter("pg_topics.max_partitions", pgt_log_state->max_partitions, partitions);
}

/* The same for Kafka transactions. */
static void
require_kafka_transactions(int transactions)
{
	RecoveryRequiresIntParameter("pg_topics.kafka_max_transactions", pgt_kafka_max_transactions, transactions);
}

/* Require room for as much as the server has that wrote the WAL, on a hot standby. */
static void
check_settings(void)
{
	if (!ArchiveRecoveryRequested || !EnableHotStandby)
		return;
	require_max_partitions(pgt_log_state->wal_max_partitions);
	require_kafka_transactions(pgt_kafka_txn_map_wal_max());
}

/* The table of Kafka transactions is full in redo: recovery of a standby pauses first, as for partitions. */
static void
fail_for_kafka_transactions(void)
{
	if (ArchiveRecoveryRequested)
		require_kafka_transactions(Max(pgt_kafka_txn_map_wal_max(), pgt_kafka_max_transactions + 1));
	ereport(FATAL,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("the WAL has more Kafka transactions than this server has room for"),
			 errhint("Raise pg_topics.kafka_max_transactions and start the server again.")));
}

/* The slot of a record's partition, taken if it has none.  If all are in use, recovery of a standby pauses. */
static PartitionState *
redo_partition(const TopicPartition *key)
{
	PartitionState *state = pgt_log_state_try_get(key);

	if (state == NULL && ArchiveRecoveryRequested)
		require_max_partitions(Max(pgt_log_state->wal_max_partitions,
								   pgt_log_state->max_partitions + 1));
	return state != NULL ? state : pgt_log_state_get(key);
}

/* ---- rewritten segments ---------------------------------------------------- */

/* A segment that redo has written and not synced. */
typedef struct UnsyncedSegment
{
	PartitionState *state;
	uint32		incarnation;
	SegmentId	id;
} UnsyncedSegment;

static List *unsynced = NIL;	/* in TopMemoryContext */

/* Take a segment off the list, if it is there. */
static void
forget_unsynced(const PartitionState *state, SegmentId id)
{
	ListCell   *cell;

	foreach(cell, unsynced)
	{
		UnsyncedSegment *item = lfirst(cell);

		if (item->state == state && pgt_segment_id_equal(item->id, id))
		{
			unsynced = foreach_delete_current(unsynced, cell);
			pfree(item);
		}
	}
}

/* Put it on the list, once. */
static void
remember_unsynced(PartitionState *state, SegmentId id)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	UnsyncedSegment *item;

	forget_unsynced(state, id);
	item = palloc(sizeof(UnsyncedSegment));
	*item = (UnsyncedSegment) {state, state->incarnation, id};
	unsynced = lappend(unsynced, item);
	MemoryContextSwitchTo(old);
}

/* Make durable what redo has rewritten; done before a SYNC record counts. */
static void
sync_rewritten(void)
{
	ListCell   *cell;

	foreach(cell, unsynced)
	{
		UnsyncedSegment *item = lfirst(cell);
		Segment    *segment = item->state->in_use && item->state->incarnation == item->incarnation ?
			pgt_log_segments_open(item->state, item->id) : NULL;

		if (segment != NULL)
			pgt_segment_sync(segment);
	}
	list_free_deep(unsynced);
	unsynced = NIL;
}

/* The segment a chunk goes to: made anew by the first one, else as it is. */
static Segment *
redo_target(PartitionState *state, const xl_pgt_rewrite *xlrec)
{
	if ((xlrec->flags & REWRITE_FIRST) != 0)
		return pgt_log_segments_create(state, xlrec->id, &xlrec->span);
	if (!pgt_log_segments_is_open(state, xlrec->id))
		pgt_segment_restore(&state->key, xlrec->id, &xlrec->span);
	return pgt_log_segments_open(state, xlrec->id);
}

/* REWRITE: a chunk of a new segment; an fsync if the record says so. */
static void
redo_rewrite(XLogReaderState *record)
{
	char	   *data = pgt_wal_record_data(record);
	xl_pgt_rewrite xlrec;
	IndexEntry *entries;
	PartitionState *state;
	Segment    *segment;
	Size		size;

	memcpy(&xlrec, data, sizeof(xlrec));
	data += sizeof(xlrec);
	size = xlrec.entries * sizeof(IndexEntry);
	entries = palloc(size + 1);
	memcpy(entries, data, size);
	state = redo_partition(&xlrec.key);
	segment = redo_target(state, &xlrec);
	if (xlrec.length > 0)
		pgt_segment_write(segment, xlrec.position, data + size, xlrec.length);
	if (xlrec.entries > 0)
		pgt_segment_write_entries(segment, xlrec.first_entry, xlrec.entries, entries);
	if ((xlrec.flags & REWRITE_SELF_SYNCED) != 0)
		pgt_segment_sync(segment);
	else
		remember_unsynced(state, xlrec.id);
}

/* The new segment, if it is there as the record has it; else a LOG line. */
static Segment *
redo_swapped_segment(PartitionState *state, const xl_pgt_swap *xlrec)
{
	Segment    *segment = NULL;
	char		path[MAXPGPATH];

	if (pgt_segment_is_usable(&state->key, xlrec->id))
		segment = pgt_log_segments_open(state, xlrec->id);
	if (segment != NULL && pgt_segment_is_complete(segment, xlrec->entries, xlrec->log_end))
		return segment;
	pgt_segment_log_path(path, &state->key, xlrec->id);
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is incomplete; keeping the segments that it would have replaced", path)));
	return NULL;
}

/* SWAP: the new segment counts, if it is whole, and those it replaces go. */
static void
redo_swap(XLogReaderState *record)
{
	char	   *data = pgt_wal_record_data(record);
	xl_pgt_swap xlrec;
	SegmentId  *replaced;
	PartitionState *state;
	Segment    *segment;

	memcpy(&xlrec, data, sizeof(xlrec));
	replaced = palloc(xlrec.replaced * sizeof(SegmentId));
	memcpy(replaced, data + sizeof(xlrec), xlrec.replaced * sizeof(SegmentId));
	state = redo_partition(&xlrec.key);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	pgt_log_apply_active_base(state, xlrec.active_base);
	LWLockRelease(&state->lock);
	segment = redo_swapped_segment(state, &xlrec);
	if (segment == NULL)
		return;
	forget_unsynced(state, xlrec.id);
	pgt_segment_sync(segment);
	XLogFlush(record->EndRecPtr);
	pgt_segment_stamp(segment, record->EndRecPtr);
	pgt_log_apply_swapped(state, replaced, xlrec.replaced);
}

/* DISCARD: the new segment goes. */
static void
redo_discard(XLogReaderState *record)
{
	xl_pgt_discard xlrec;
	PartitionState *state;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	state = redo_partition(&xlrec.key);
	forget_unsynced(state, xlrec.id);
	pgt_log_segments_remove(state, xlrec.id);
}

/* ---- append -------------------------------------------------------------- */

/* An APPEND record, taken apart. */
typedef struct AppendRecord
{
	xl_pgt_append fixed;
	LogAppendRequest request;	/* what the forward path was asked to append */
	int64		largest_timestamp;
	int64		previous_end;	/* the log end before */
} AppendRecord;

/* Read the next optional value if the record has it; otherwise it is what the batch's header says. */
static int64
take_optional(const xl_pgt_append *xlrec, char **optional, uint32 flag, int64 header)
{
	int64		value;

	if ((xlrec->flags & flag) == 0)
		return header;
	memcpy(&value, *optional, sizeof(value));
	*optional += sizeof(value);
	return value;
}

/* Take a record apart; the batch is not copied. */
static void
read_append(XLogReaderState *record, AppendRecord *append)
{
	xl_pgt_append *xlrec = &append->fixed;
	LogAppendRequest *request = &append->request;
	char	   *optional = pgt_wal_record_data(record) + sizeof(*xlrec);
	char	   *batch = optional;
	uint32		length;
	RecordBatchHeader header;
	const char *problem;

	memcpy(xlrec, pgt_wal_record_data(record), sizeof(*xlrec));
	batch += pgt_wal_record_optional_length(xlrec);
	length = pgt_wal_record_data(record) + pgt_wal_record_length(record) - batch;
	problem = pgt_record_batch_read_header(batch, length, &header);
	if (problem != NULL || header.length != length)
		elog(PANIC, "damaged record batch in a WAL record of pg_topics: %s",
			 problem != NULL ? problem : "its length is not the record's");
	memset(request, 0, sizeof(*request));
	request->batch = batch;
	request->length = length;
	request->last_offset_delta = header.last_offset_delta;
	request->records = header.record_count;
	request->max_timestamp = header.max_timestamp;
	request->log_append_time = (header.attributes & BATCH_ATTR_LOG_APPEND_TIME) != 0;
	request->base_offset = header.base_offset;
	request->interleaved = (xlrec->flags & APPEND_INTERLEAVED) != 0;
	pgt_partition_log_set_producer(request, &header);
	request->producer_starts = (xlrec->flags & APPEND_STARTS_PRODUCER) != 0;
	request->min_timestamp = take_optional(xlrec, &optional, APPEND_MIN_TIMESTAMP, header.base_timestamp);
	append->largest_timestamp = take_optional(xlrec, &optional, APPEND_LARGEST_TIMESTAMP, header.max_timestamp);
	append->previous_end = take_optional(xlrec, &optional, APPEND_PREVIOUS_END, header.base_offset);
	request->first_offset = take_optional(xlrec, &optional, APPEND_FIRST_OFFSET, header.base_offset);
}

/*
 * The segment that a record begins.  It is made anew; an existing one is from after the
 * record.  The segment before it is finished by a roll, if this recovery has appended to
 * it.
 */
static Segment *
redo_new_segment(PartitionState *state, const AppendRecord *append)
{
	int64		base = append->fixed.segment_base;
	SegmentSpan span = {.previous_end = append->previous_end};

	if (state->active_base < base)
		return pgt_partition_log_roll(state, base, append->previous_end);
	return pgt_log_segments_create(state, pgt_segment_id_original(base), &span);
}

/* The segment that a record continues.  Its files may be missing or its header damaged; all other contents stay. */
static Segment *
redo_begun_segment(PartitionState *state, const AppendRecord *append)
{
	SegmentId	id = pgt_segment_id_original(append->fixed.segment_base);
	SegmentSpan span = {.previous_end = id.base};
	Segment    *segment;
	IndexEntry	first;

	if (!pgt_log_segments_is_open(state, id))
		pgt_segment_restore(&state->key, id, &span);
	segment = pgt_log_segments_open(state, id);
	if (state->active_base != id.base)
		state->active_first_timestamp = pgt_segment_peek_entry(segment, 0, &first) ?
			first.max_timestamp : append->request.max_timestamp;
	return segment;
}

/*
 * The segment that a record appends to, with the partition's state set to just before the
 * append.  The state that was loaded may be from after the record: then the segments past
 * this one do not count yet.  They are removed, since an unlogged roll may have made
 * one that redo makes at another offset, or not at all.
 */
static Segment *
redo_segment(PartitionState *state, const AppendRecord *append)
{
	const xl_pgt_append *xlrec = &append->fixed;
	Segment    *segment;

	if (state->active_base > xlrec->segment_base)
		pgt_log_segments_remove_past(state, xlrec->segment_base);
	segment = xlrec->entry == 0 ? redo_new_segment(state, append) : redo_begun_segment(state, append);
	if (state->active_base != xlrec->segment_base)
		pg_atomic_fetch_add_u32(&state->segments_version, 1);
	state->active_base = xlrec->segment_base;
	state->active_entries = xlrec->entry;
	state->active_end = xlrec->position;
	state->written_back = Min(state->written_back, xlrec->position);
	state->next_offset = Min(state->next_offset, append->request.base_offset);
	state->interleaved_end = Min(state->interleaved_end, append->request.base_offset);

	/* nothing was deleted of a log that ended at 0; loading may have guessed otherwise */
	if (append->previous_end == 0)
		state->deleted_end = 0;

	/* the entry is written anew, unflagged: its RESOLVE is still to come */
	state->resolved_offset = Min(state->resolved_offset, append->request.base_offset);

	/* the record says it, since a loaded end may be that of a segment from after the record */
	if ((xlrec->flags & APPEND_STARTS_LOG) != 0)
		state->log_start_offset = Max(state->log_start_offset, append->request.base_offset);
	return segment;
}

/* SYNC, and the end of redo: make durable what redo has written. */
static void
redo_sync(void)
{
	sync_rewritten();
	pgt_log_sync_all(true);
}

/* A batch of a Kafka transaction: note that it is there.  False if there is no room. */
static bool
redo_numbered(PartitionState *state, const AppendRecord *append)
{
	const LogAppendRequest *request = &append->request;
	KafkaTxnAppend numbered = {append->fixed.xid, request->producer_id, request->producer_epoch,
		pgt_log_state_slot_number(state), append->fixed.key, request->first_offset, state->next_offset};

	return pgt_kafka_txn_map_redo_append(&numbered);
}

/* APPEND: batch, entry and log end; an fsync where the appender did one. */
static void
redo_append(XLogReaderState *record)
{
	AppendRecord append;
	const xl_pgt_append *xlrec = &append.fixed;
	IndexEntry	entry;
	PartitionState *state;
	Segment    *segment;
	bool		self_synced;
	bool		goes_back;
	bool		has_producer;
	bool		numbered;
	bool		fits = true;

	read_append(record, &append);

	/*
	 * The id must not be given out again.  The server keeps from that the id that stands in the
	 * record's own header; a batch that was appended in a subtransaction has none there.  A number is
	 * no id.
	 */
	numbered = (xlrec->xid & ENTRY_NUMBERED) != 0;
	if (!numbered)
		AdvanceNextFullTransactionIdPastXid(XidFromFullTransactionId(FullTransactionIdFromU64(xlrec->xid)));
	self_synced = (xlrec->flags & APPEND_SELF_SYNCED) != 0;
	state = redo_partition(&xlrec->key);
	has_producer = append.request.producer_id >= 0;
	if (has_producer)
		pgt_producer_state_make_room(state, append.request.producer_id);

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	goes_back = state->active_base > xlrec->segment_base;
	segment = redo_segment(state, &append);
	pgt_segment_reserve_entry(segment, xlrec->entry);
	pgt_segment_write(segment, xlrec->position, append.request.batch, append.request.length);
	pgt_partition_log_fill_entry(&entry, state, &append.request, xlrec->xid);
	entry.largest_timestamp = append.largest_timestamp;
	entry.lsn = record->EndRecPtr;
	pgt_segment_write_entry(segment, xlrec->entry, &entry);
	if (self_synced)
		pgt_segment_sync(segment);
	pgt_partition_log_publish(state, &append.request, &entry, self_synced);
	if (has_producer)
		pgt_producer_state_apply(state, &append.request, xlrec->xid);
	if (numbered)
		fits = redo_numbered(state, &append);
	LWLockRelease(&state->lock);
	if (!fits)
		fail_for_kafka_transactions();

	/* no SYNC may follow, and the next start must not begin with segments that are gone */
	if (goes_back && self_synced)
		redo_sync();
}

/* ---- the other records ----------------------------------------------------- */

/* DELETE: a roll if the record names a new active segment, then the log start, then the files. */
static void
redo_delete(XLogReaderState *record)
{
	xl_pgt_delete xlrec;
	PartitionState *state;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	state = redo_partition(&xlrec.key);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	pgt_log_apply_active_base(state, xlrec.active_base);
	pgt_log_apply_log_start(state, xlrec.log_start_offset, xlrec.deleted_end, record->EndRecPtr);
	state->last_lsn = record->EndRecPtr;
	LWLockRelease(&state->lock);
	XLogFlush(record->EndRecPtr);
	pgt_log_apply_unlink_below(state, xlrec.log_start_offset, xlrec.active_base,
							   (xlrec.flags & DELETE_EXCLUSIVE) != 0);
}

/* DROP: a topic's or a database's slots and files. */
static void
redo_drop(XLogReaderState *record)
{
	xl_pgt_drop xlrec;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	XLogFlush(record->EndRecPtr);
	pgt_log_apply_drop(xlrec.database, xlrec.topic, xlrec.first_partition);
}

/* RESERVE: slots for a topic's partitions. */
static void
redo_reserve(XLogReaderState *record)
{
	xl_pgt_reserve xlrec;
	TopicPartition key = {0};

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	key.database = xlrec.database;
	key.topic = xlrec.topic;
	for (key.partition = xlrec.first; key.partition < xlrec.end; key.partition++)
		(void) redo_partition(&key);
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}

/* RESOLVE: flags in the indexes, then the resolved offsets. */
static void
redo_resolve(XLogReaderState *record)
{
	XLogFlush(record->EndRecPtr);
	pgt_log_apply_aborted(pgt_wal_record_data(record), pgt_wal_record_length(record));
	pgt_log_apply_resolved(pgt_wal_record_data(record), pgt_wal_record_length(record), record->EndRecPtr);
}

/* SETTLE: entries get ids and outcomes, which redo knows from the records before this one. */
static void
redo_settle(XLogReaderState *record)
{
	XLogFlush(record->EndRecPtr);
	pgt_log_apply_settled(pgt_wal_record_data(record), pgt_wal_record_length(record));
}

/* KAFKA_SETTLED: numbers are not needed any more. */
static void
redo_kafka_settled(XLogReaderState *record)
{
	pgt_log_apply_kafka_settled(pgt_wal_record_data(record), pgt_wal_record_length(record), record->EndRecPtr);
}

/* KAFKA_BEGIN: a Kafka transaction is open. */
static void
redo_kafka_begin(XLogReaderState *record)
{
	xl_pgt_kafka_begin xlrec;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	if (!pgt_kafka_txn_redo_begin(&xlrec, record->EndRecPtr))
		fail_for_kafka_transactions();
}

/* KAFKA_END: it is mapped, or aborted.  The id must not be given out again, as in redo_append(). */
static void
redo_kafka_end(XLogReaderState *record)
{
	xl_pgt_kafka_end xlrec;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	AdvanceNextFullTransactionIdPastXid(XidFromFullTransactionId(FullTransactionIdFromU64(xlrec.xid)));
	pgt_kafka_txn_redo_end(&xlrec, record->EndRecPtr);
}

/* SETTINGS: keep them for the next start, then require enough room now. */
static void
redo_settings(XLogReaderState *record)
{
	xl_pgt_settings xlrec = {0};

	memcpy(&xlrec, pgt_wal_record_data(record), Min(sizeof(xlrec), pgt_wal_record_length(record)));
	pgt_log_state->wal_max_partitions = xlrec.max_partitions;
	pgt_kafka_txn_map_set_wal_max(xlrec.kafka_max_transactions);
	redo_sync();
	check_settings();
}

/* PRODUCER_IDS: ids up to the record's are used up. */
static void
redo_producer_ids(XLogReaderState *record)
{
	xl_pgt_producer_ids xlrec;

	memcpy(&xlrec, pgt_wal_record_data(record), sizeof(xlrec));
	pgt_producer_ids_redo(&xlrec);
}

/* The resource manager's redo: one record, in a context of its own. */
static void
log_redo(XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;
	MemoryContext old = MemoryContextSwitchTo(redo_context);

	pgt_format_version_check_wal(&PGT_WAL_VERSIONS, pgt_wal_record_version(record),
								 record->EndRecPtr);
	switch (info)
	{
		case XLOG_PGT_APPEND:
			redo_append(record);
			break;
		case XLOG_PGT_SYNC:
			redo_sync();
			break;
		case XLOG_PGT_RESOLVE:
			redo_resolve(record);
			break;
		case XLOG_PGT_DELETE:
			redo_delete(record);
			break;
		case XLOG_PGT_DROP:
			redo_drop(record);
			break;
		case XLOG_PGT_RESERVE:
			redo_reserve(record);
			break;
		case XLOG_PGT_REWRITE:
			redo_rewrite(record);
			break;
		case XLOG_PGT_SWAP:
			redo_swap(record);
			break;
		case XLOG_PGT_DISCARD:
			redo_discard(record);
			break;
		case XLOG_PGT_SETTINGS:
			redo_settings(record);
			break;
		case XLOG_PGT_PRODUCER_IDS:
			redo_producer_ids(record);
			break;
		case XLOG_PGT_KAFKA_BEGIN:
			redo_kafka_begin(record);
			break;
		case XLOG_PGT_KAFKA_END:
			redo_kafka_end(record);
			break;
		case XLOG_PGT_SETTLE:
			redo_settle(record);
			break;
		case XLOG_PGT_KAFKA_SETTLED:
			redo_kafka_settled(record);
			break;
		default:
			elog(PANIC, "unknown WAL record type 0x%02X of pg_topics", info);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(redo_context);
}

/* ---- where a recovery ends -------------------------------------------------- */

static void (*server_redo) (XLogReaderState *record) = NULL;

/*
 * Redo of the server's own records.  At two of them a recovery of the server that wrote
 * them may have ended.  That server made everything durable then, as log_cleanup() does,
 * but a recovery cannot insert a SYNC record.  So redo syncs, too, before a restart
 * point can begin there.
 */
static void
redo_server_record(XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & ~XLR_INFO_MASK;

	if (info == XLOG_CHECKPOINT_SHUTDOWN || info == XLOG_END_OF_RECOVERY)
	{
		MemoryContext old = MemoryContextSwitchTo(redo_context);

		redo_sync();
		MemoryContextSwitchTo(old);
		MemoryContextReset(redo_context);
	}
	server_redo(record);
}

/* Let redo of the server's records call redo_server_record(). */
static void
wrap_server_redo(void)
{
	server_redo = RmgrTable[RM_XLOG_ID].rm_redo;
	RmgrTable[RM_XLOG_ID].rm_redo = redo_server_record;
}

/*
 * The records to come may have the id that the library had when the recovery point was
 * written.  Then the server finds no resource manager for them and ends recovery with
 * an error that cannot say why: so say it before.  It is no error, since there may
 * be no such record: who changes the id has stopped the server cleanly.
 */
static void
check_rmgr_id(void)
{
	uint32		id = pgt_log_state->wal_rmgr_id;

	if (id == 0 || id == PGT_RMGR_ID)
		return;
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("pg_topics has resource manager ID %d here, but the topics in \"%s\" were last written with ID %u",
					PGT_RMGR_ID, pgt_log_dir, id),
			 errhint("If recovery ends because the resource manager with ID %u is not registered, install pg_topics built with PGT_RMGR_ID=%u. All servers that read the same WAL need the same ID.",
					 id, id)));
}

/* Before the first record. */
static void
log_startup(void)
{
	check_rmgr_id();
	redo_context = AllocSetContextCreate(TopMemoryContext, "pg_topics redo",
										 ALLOCSET_DEFAULT_SIZES);
	check_settings();
}

/* At the end of redo.  From then on the server may cut its commit log, so hold it. */
static void
log_cleanup(void)
{
	pgt_commit_log_hold();
	redo_sync();
	MemoryContextDelete(redo_context);
	redo_context = NULL;
}

static RmgrData log_rmgr = {
	.rm_name = "pg_topics",
	.rm_redo = log_redo,
	.rm_desc = pgt_log_desc,
	.rm_identify = pgt_log_desc_identify,
	.rm_startup = log_startup,
	.rm_cleanup = log_cleanup,
};

/* Two libraries that use one id would replay each other's records. */
static void
check_rmgr_is_free(void)
{
	if (!RmgrIdExists(PGT_RMGR_ID))
		return;
	ereport(FATAL,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("resource manager ID %d of pg_topics is taken by \"%s\"",
					PGT_RMGR_ID, GetRmgr(PGT_RMGR_ID).rm_name),
			 errhint("Build one of the two with another ID, pg_topics with make PGT_RMGR_ID=<128..255>. All servers that read the same WAL need the same ID.")));
}

void
pgt_log_redo_init(void)
{
	check_rmgr_is_free();
	RegisterCustomRmgr(PGT_RMGR_ID, &log_rmgr);
	wrap_server_redo();
}
