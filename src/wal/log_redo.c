/*
 * log_redo.c
 *	  Replaying the logs' WAL records, describing them, and the resource
 *	  manager that does both.
 *
 * Redo sets a partition's state absolutely: files may be missing, older or
 * newer than the record, as base backups have them, and what was loaded at
 * start may be of a later time than the record.  An append goes through the
 * same functions as in the forward path (partition_log.c, log_apply.c).
 *
 * XLogFlush() before what cannot be taken back (unlinking, flagging, the
 * recovery point) raises the minimum recovery point in recovery, so that no
 * later recovery of this data directory ends before the record.
 *
 * A restart point may begin where the server that wrote the WAL ended a recovery.  No
 * SYNC record can stand there, so redo of the server's own record of it does what
 * SYNC does; for that the server's redo function is wrapped.
 *
 * Damage met here must not keep the server from starting: a header is made
 * anew, a flag is passed over with a LOG line, and readers report the rest.
 *
 * A standby must have room for as many partitions as its primary.  Where it has
 * not, recovery pauses, or ends before it is consistent, as for max_connections and
 * the like.  SETTINGS says what it takes, and the recovery point keeps that.
 *
 * Memory: one context, reset after each record.  Layer 3.  Next: log_sync.c.
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "catalog/pg_control.h"
#include "format/record_batch.h"
#include "log/commit_log.h"
#include "util/format_version.h"
#include "utils/memutils.h"
#include "wal/log_sync.h"
#include "wal/wal_record.h"

static MemoryContext redo_context = NULL;

/* ---- settings ------------------------------------------------------------ */

/* Pause, or end, where this server has not room for that many partitions. */
static void
require_max_partitions(int partitions)
{
	RecoveryRequiresIntParameter("pg_topics.max_partitions", pgt_log_shared->max_partitions, partitions);
}

/* The same for what the WAL's server has, where others follow its WAL. */
static void
check_settings(void)
{
	if (ArchiveRecoveryRequested && EnableHotStandby)
		require_max_partitions(pgt_log_shared->wal_max_partitions);
}

PartitionState *
pgt_redo_partition(const TopicPartition *key)
{
	PartitionState *state = pgt_partition_try_get(key);

	if (state == NULL && ArchiveRecoveryRequested)
		require_max_partitions(Max(pgt_log_shared->wal_max_partitions,
								   pgt_log_shared->max_partitions + 1));
	return state != NULL ? state : pgt_partition_get(key);
}

/* ---- append -------------------------------------------------------------- */

/* An APPEND record, taken apart. */
typedef struct AppendRecord
{
	xl_pgt_append fixed;
	AppendRequest request;		/* what the forward path was asked to append */
	int64		base_offset;
	int64		largest_timestamp;
	int64		previous_end;	/* the log end before */
} AppendRecord;

/* How long the optional values of an APPEND are. */
static Size
optional_length(const xl_pgt_append *xlrec)
{
	return sizeof(int64) * (((xlrec->flags & APPEND_MIN_TIMESTAMP) != 0) +
							((xlrec->flags & APPEND_LARGEST_TIMESTAMP) != 0) +
							((xlrec->flags & APPEND_PREVIOUS_END) != 0));
}

/* Take the next one off *optional, where it is there; else it is the header's. */
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

/* Take a record apart; the batch stays in it. */
static void
read_append(XLogReaderState *record, AppendRecord *append)
{
	xl_pgt_append *xlrec = &append->fixed;
	AppendRequest *request = &append->request;
	char	   *optional = pgt_log_record_data(record) + sizeof(*xlrec);
	char	   *batch = optional;
	uint32		length;
	RecordBatchHeader header;
	const char *problem;

	memcpy(xlrec, pgt_log_record_data(record), sizeof(*xlrec));
	batch += optional_length(xlrec);
	length = pgt_log_record_data(record) + pgt_log_record_length(record) - batch;
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
	append->base_offset = header.base_offset;
	request->min_timestamp = take_optional(xlrec, &optional, APPEND_MIN_TIMESTAMP, header.base_timestamp);
	append->largest_timestamp = take_optional(xlrec, &optional, APPEND_LARGEST_TIMESTAMP, header.max_timestamp);
	append->previous_end = take_optional(xlrec, &optional, APPEND_PREVIOUS_END, header.base_offset);
}

/*
 * The segment that a record begins: made anew, as all past it are of a later time.
 * The one before it is finished, if this recovery has come by it.
 */
static Segment *
redo_new_segment(PartitionState *state, const AppendRecord *append)
{
	int64		base = append->fixed.segment_base;
	SegmentSpan span = {.previous_end = append->previous_end};

	if (state->active_base < base)
		return pgt_partition_log_roll(state, base, append->previous_end);
	return pgt_partition_log_create_segment(state, pgt_original_segment(base), &span);
}

/* The segment that a record goes on in: its files may be missing or its header damaged, what is there stays. */
static Segment *
redo_begun_segment(PartitionState *state, const AppendRecord *append)
{
	SegmentId	id = pgt_original_segment(append->fixed.segment_base);
	SegmentSpan span = {.previous_end = id.base};
	Segment    *segment;
	IndexEntry	first;

	if (!pgt_partition_log_is_open(state, id))
		pgt_segment_restore(&state->key, id, &span);
	segment = pgt_partition_log_segment(state, id);
	if (state->active_base != id.base)
		state->active_first_timestamp = pgt_segment_peek_entry(segment, 0, &first) ?
			first.max_timestamp : append->request.max_timestamp;
	return segment;
}

/*
 * The segment a record appends to, with the partition's state set to just
 * before the append.  What was loaded may be of a later time: then segments past
 * that one do not count yet.  They go, since a roll that is not logged may have
 * made one that comes at another offset now, or never.
 */
static Segment *
redo_segment(PartitionState *state, const AppendRecord *append)
{
	const xl_pgt_append *xlrec = &append->fixed;
	Segment    *segment;

	if (state->active_base > xlrec->segment_base)
		pgt_partition_log_remove_past(state, xlrec->segment_base);
	segment = xlrec->entry == 0 ? redo_new_segment(state, append) : redo_begun_segment(state, append);
	if (state->active_base != xlrec->segment_base)
		pg_atomic_fetch_add_u32(&state->segments_version, 1);
	state->active_base = xlrec->segment_base;
	state->active_entries = xlrec->entry;
	state->active_end = xlrec->position;
	state->written_back = Min(state->written_back, xlrec->position);
	/* forward only publish moves it, which knows an empty log */
	state->next_offset = Min(state->next_offset, append->base_offset);

	/* nothing was deleted of a log that ended at 0; loading may have guessed otherwise */
	if (append->previous_end == 0)
		state->deleted_end = 0;

	/* the entry is written anew, unflagged: its RESOLVE is still to come */
	state->resolved_offset = Min(state->resolved_offset, append->base_offset);
	return segment;
}

/* SYNC, and the end of redo: what redo wrote must be durable before anything else is. */
static void
redo_sync(void)
{
	pgt_redo_sync_rewritten();
	pgt_log_sync_all(true);
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

	read_append(record, &append);
	self_synced = (xlrec->flags & APPEND_SELF_SYNCED) != 0;
	state = pgt_redo_partition(&xlrec->key);

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	goes_back = state->active_base > xlrec->segment_base;
	segment = redo_segment(state, &append);
	pgt_segment_reserve_entry(segment, xlrec->entry);
	pgt_segment_write(segment, xlrec->position, append.request.batch, append.request.length);
	pgt_partition_log_fill_entry(&entry, state, &append.request, append.base_offset, xlrec->xid);
	entry.largest_timestamp = append.largest_timestamp;
	entry.lsn = record->EndRecPtr;
	pgt_segment_write_entry(segment, xlrec->entry, &entry);
	if (self_synced)
		pgt_segment_sync(segment);
	pgt_partition_log_publish(state, &append.request, &entry, self_synced);
	LWLockRelease(&state->lock);

	/* no SYNC may come, and the next restart must not begin from what is gone */
	if (goes_back && self_synced)
		redo_sync();
}

/* ---- the other records ----------------------------------------------------- */

/* DELETE: the log start, then the files; a roll where it emptied the log. */
static void
redo_delete(XLogReaderState *record)
{
	xl_pgt_delete xlrec;
	PartitionState *state;

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	state = pgt_redo_partition(&xlrec.key);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	pgt_apply_active_base(state, xlrec.active_base);
	pgt_apply_log_start(state, xlrec.log_start_offset, xlrec.deleted_end);
	state->last_lsn = record->EndRecPtr;
	LWLockRelease(&state->lock);
	XLogFlush(record->EndRecPtr);
	pgt_apply_unlink_below(state, xlrec.log_start_offset, xlrec.active_base,
						   (xlrec.flags & DELETE_EXCLUSIVE) != 0);
}

/* DROP: a topic's or a database's slots and files. */
static void
redo_drop(XLogReaderState *record)
{
	xl_pgt_drop xlrec;

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	XLogFlush(record->EndRecPtr);
	pgt_apply_drop(xlrec.database, xlrec.topic, xlrec.first_partition);
}

/* RESERVE: slots for a topic's partitions. */
static void
redo_reserve(XLogReaderState *record)
{
	xl_pgt_reserve xlrec;
	TopicPartition key = {0};

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	key.database = xlrec.database;
	key.topic = xlrec.topic;
	for (key.partition = xlrec.first; key.partition < xlrec.end; key.partition++)
		(void) pgt_redo_partition(&key);
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
}

/* RESOLVE: flags in the indexes, then the resolved offsets. */
static void
redo_resolve(XLogReaderState *record)
{
	XLogFlush(record->EndRecPtr);
	pgt_apply_aborted(pgt_log_record_data(record), pgt_log_record_length(record));
	pgt_apply_resolved(pgt_log_record_data(record), pgt_log_record_length(record), record->EndRecPtr);
}

/* SETTINGS: kept for the next start first, then there must be enough room now. */
static void
redo_settings(XLogReaderState *record)
{
	xl_pgt_settings xlrec;

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	pgt_log_shared->wal_max_partitions = xlrec.max_partitions;
	redo_sync();
	check_settings();
}

/* What this library replays. */
static const FormatVersions wal_versions = {
	"its WAL records", PGT_WAL_OLDEST_VERSION, PGT_WAL_VERSION
};

/* The resource manager's redo: one record, in a context of its own. */
static void
log_redo(XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;
	MemoryContext old = MemoryContextSwitchTo(redo_context);

	pgt_check_wal_version(&wal_versions, pgt_log_record_version(record), record->EndRecPtr);
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
			pgt_redo_rewrite(record);
			break;
		case XLOG_PGT_SWAP:
			pgt_redo_swap(record);
			break;
		case XLOG_PGT_DISCARD:
			pgt_redo_discard(record);
			break;
		case XLOG_PGT_SETTINGS:
			redo_settings(record);
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
 * The server's own records; two of them are where a recovery of the server that
 * wrote them may have ended.  It made everything durable then, as log_cleanup() does,
 * but a recovery inserts no records, SYNC neither.  So who replays them does the same
 * before a restart point can begin there.
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

/* See to it that redo of the server's records comes by there. */
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
	uint32		id = pgt_log_shared->wal_rmgr_id;

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

/* At the end of redo: soon the server itself may cut its commit log. */
static void
log_cleanup(void)
{
	pgt_commit_log_hold();
	redo_sync();
	MemoryContextDelete(redo_context);
	redo_context = NULL;
}

/* ---- describing ---------------------------------------------------------- */

/* What error contexts and pg_walinspect show of an APPEND. */
static void
describe_append(StringInfo buf, XLogReaderState *record)
{
	xl_pgt_append xlrec;

	memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
	appendStringInfo(buf, "partition %u/%u-%d segment %lld position %u entry %u bytes %zu%s",
					 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
					 (long long) xlrec.segment_base, xlrec.position, xlrec.entry,
					 pgt_log_record_length(record) - sizeof(xlrec) - optional_length(&xlrec),
					 (xlrec.flags & APPEND_SELF_SYNCED) != 0 ? " synced" : "");
}

/* The same of what rewriting segments logs. */
static void
describe_rewrite(StringInfo buf, const TopicPartition *key, SegmentId id)
{
	appendStringInfo(buf, "partition %u/%u-%d segment %lld generation %u",
					 key->database, key->topic, key->partition, (long long) id.base, id.generation);
}

/* The same of records of a topic's whole partitions. */
static void
describe_partitions(StringInfo buf, uint8 info, const char *data)
{
	xl_pgt_drop drop;
	xl_pgt_reserve reserve;

	if (info == XLOG_PGT_DROP)
	{
		memcpy(&drop, data, sizeof(drop));
		appendStringInfo(buf, "database %u topic %u", drop.database, drop.topic);
		if (drop.first_partition > 0)
			appendStringInfo(buf, " from partition %d", drop.first_partition);
	}
	else
	{
		memcpy(&reserve, data, sizeof(reserve));
		appendStringInfo(buf, "database %u topic %u partitions from %d to %d",
						 reserve.database, reserve.topic, reserve.first, reserve.end - 1);
	}
}

/* The same of any record; SYNC has nothing to tell. */
static void
log_desc(StringInfo buf, XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;

	if (!pgt_format_is_known(&wal_versions, pgt_log_record_version(record)))
		appendStringInfo(buf, "format version %u", pgt_log_record_version(record));
	else if (info == XLOG_PGT_APPEND)
		describe_append(buf, record);
	else if (info == XLOG_PGT_RESOLVE)
		appendStringInfo(buf, "bytes %u", pgt_log_record_length(record));
	else if (info == XLOG_PGT_DELETE)
	{
		xl_pgt_delete xlrec;

		memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
		appendStringInfo(buf, "partition %u/%u-%d log start %lld deleted end %lld",
						 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
						 (long long) xlrec.log_start_offset, (long long) xlrec.deleted_end);
	}
	else if (info == XLOG_PGT_REWRITE)
	{
		xl_pgt_rewrite xlrec;

		memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
		appendStringInfo(buf, " position %u entry %u entries %u bytes %u", xlrec.position,
						 xlrec.first_entry, xlrec.entries, xlrec.length);
	}
	else if (info == XLOG_PGT_SWAP)
	{
		xl_pgt_swap xlrec;

		memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
		appendStringInfo(buf, " replaces %u", xlrec.replaced);
	}
	else if (info == XLOG_PGT_DISCARD)
	{
		xl_pgt_discard xlrec;

		memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
		describe_rewrite(buf, &xlrec.key, xlrec.id);
	}
	else if (info == XLOG_PGT_DROP || info == XLOG_PGT_RESERVE)
		describe_partitions(buf, info, pgt_log_record_data(record));
	else if (info == XLOG_PGT_SETTINGS)
	{
		xl_pgt_settings xlrec;

		memcpy(&xlrec, pgt_log_record_data(record), sizeof(xlrec));
		appendStringInfo(buf, "max_partitions %d", xlrec.max_partitions);
	}
}

/* The name of a record's type; NULL where there is none. */
static const char *
log_identify(uint8 info)
{
	switch (info & XLR_RMGR_INFO_MASK)
	{
		case XLOG_PGT_APPEND:
			return "APPEND";
		case XLOG_PGT_SYNC:
			return "SYNC";
		case XLOG_PGT_RESOLVE:
			return "RESOLVE";
		case XLOG_PGT_DELETE:
			return "DELETE";
		case XLOG_PGT_DROP:
			return "DROP";
		case XLOG_PGT_REWRITE:
			return "REWRITE";
		case XLOG_PGT_SWAP:
			return "SWAP";
		case XLOG_PGT_DISCARD:
			return "DISCARD";
		case XLOG_PGT_SETTINGS:
			return "SETTINGS";
		case XLOG_PGT_RESERVE:
			return "RESERVE";
	}
	return NULL;
}

static RmgrData log_rmgr = {
	.rm_name = "pg_topics",
	.rm_redo = log_redo,
	.rm_desc = log_desc,
	.rm_identify = log_identify,
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
pgt_log_wal_init(void)
{
	check_rmgr_is_free();
	RegisterCustomRmgr(PGT_RMGR_ID, &log_rmgr);
	wrap_server_redo();
}
