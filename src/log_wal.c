/*
 * log_wal.c
 *	  The WAL records of the logs: inserting, redo, describing.
 *
 *	  APPEND   one batch went to the end of a partition
 *	  SYNC	   every append before this record is on disk
 *	  RESOLVE  how far transactions' outcomes are known, and who aborted
 *	  DELETE   the log start moved up, segments below it are gone
 *	  DROP	   a topic's (or database's) logs are gone
 *
 * An append under the partition's lock: write the batch behind the log's end,
 * insert the WAL record, write the index entry with the record's LSN, publish.
 * What a crash at each step leaves:
 *
 *	  before the WAL insert		bytes that no index entry covers: not part of
 *								the log, overwritten by the next append
 *	  before the index entry	redo writes batch and entry from the record
 *	  before the commit			a batch whose transaction never committed:
 *								readers skip it, the offsets stay a gap
 *
 * Between the WAL insert and publishing there must be no error: those steps
 * are in a critical section, and what could fail for a full disk (log bytes,
 * index space) is done before.
 *
 * The record carries the batch as it is in the log; the entry is made of the
 * record by the same functions in both directions (partition_log.h).  Redo
 * sets a partition's state absolutely: files may be missing, older or newer
 * than the record, as base backups have them.
 *
 * RESOLVE flags first and logs then: a flag says what the commit log says, so
 * it cannot be wrong early.  DELETE and DROP log first and unlink then.
 *
 * Redo calls XLogFlush() before what it cannot take back (unlinking, flagging,
 * the recovery point): in recovery that raises the minimum recovery point, so
 * that no later recovery of this data directory ends before the record.
 *
 * Locks: a slot's lock around each change of its state, none across a flush.
 * Layer 3.  Next: log_sync.c.
 */
#include "postgres.h"

#include "access/rmgr.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xloginsert.h"
#include "access/xlogutils.h"
#include "log_sync.h"
#include "log_wal.h"
#include "miscadmin.h"
#include "record_batch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define XLOG_PGT_APPEND		0x00
#define XLOG_PGT_SYNC		0x10
#define XLOG_PGT_RESOLVE	0x20
#define XLOG_PGT_DELETE		0x30
#define XLOG_PGT_DROP		0x40

#define APPEND_SELF_SYNCED	0x01

#define MAX_ALONE_MS		(10 * 60 * 1000)

/* The batch follows. */
typedef struct xl_pgt_append
{
	TopicPartition key;
	uint32		flags;
	int64		segment_base;
	uint32		position;
	uint32		entry;
	uint64		xid;
	int64		min_timestamp;
	int64		largest_timestamp;
} xl_pgt_append;

typedef struct xl_pgt_delete
{
	TopicPartition key;
	uint32		reserved;
	int64		log_start_offset;
	int64		active_base;	/* a roll may have come with it */
} xl_pgt_delete;

typedef struct xl_pgt_drop
{
	Oid			database;
	Oid			topic;			/* InvalidOid: all of the database */
} xl_pgt_drop;

int			pgt_max_xid_distance = 1500000000;

/* ---- append -------------------------------------------------------------- */

/*
 * Refuse to append for a transaction so far past the oldest unresolved one
 * that its 32-bit id could be taken for an older one's.
 */
static void
check_xid_distance(FullTransactionId xid)
{
	uint64		oldest = pg_atomic_read_u64(&pgt_log_shared->oldest_unresolved_xid);
	uint64		mine = U64FromFullTransactionId(xid);

	if (oldest == 0 || mine < oldest || mine - oldest <= pgt_max_xid_distance)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("cannot produce: transaction %llu is too far from the oldest unresolved one, %llu",
					(unsigned long long) mine, (unsigned long long) oldest),
			 errdetail("A transaction or prepared transaction that has produced was left open for %llu transactions.",
					   (unsigned long long) (mine - oldest)),
			 errhint("See pg_topic_partitions for who holds readers back, and commit or roll it back.")));
}

/* The base offset of the batch; ERROR where it asks for one that is taken. */
static int64
choose_base_offset(PartitionState *state, const AppendRequest *request)
{
	int64		log_end = state->next_offset;
	TopicPartition key = state->key;

	int64		wanted = request->required_offset == NO_OFFSET ? log_end : request->required_offset;

	if (wanted >= log_end && wanted <= MAX_OFFSET - request->last_offset_delta)
		return wanted;

	/* the messages need the catalog, and no lock of ours held */
	LWLockRelease(&state->lock);
	if (wanted > log_end)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot produce at offset %lld of partition %d of topic \"%s\"",
						(long long) wanted, key.partition, get_rel_name(key.topic)),
				 errdetail("Offsets must not pass %lld.", (long long) MAX_OFFSET)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot produce at offset %lld of partition %d of topic \"%s\": the log end is %lld",
					(long long) wanted, key.partition,
					get_rel_name(key.topic), (long long) log_end),
			 errhint("Leave record_offset out, or give one at or past the log end.")));
}

/*
 * Without a sync process nothing is resolved, and in the long run the commit
 * log would be cut under unresolved batches.  Its restart takes seconds, so a
 * long absence means that it cannot start.
 */
static void
check_sync_process(void)
{
	TimestampTz now;
	uint64		since = 0;

	if (likely(pg_atomic_read_u32(&pgt_log_shared->self_sync) == 0))
		return;
	now = GetCurrentTimestamp();
	if (pg_atomic_compare_exchange_u64(&pgt_log_shared->alone_since, &since, now) ||
		!TimestampDifferenceExceeds(since, now, MAX_ALONE_MS))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot produce: the process \"pg_topics sync\" has not been running for long"),
			 errhint("See the server log; max_worker_processes may be too small.")));
}

/* The active segment, rolled if due.  Caller holds the slot's lock. */
static Segment *
segment_for_append(PartitionState *state, const LogConfig *config,
				   const AppendRequest *request, int64 base_offset)
{
	Segment    *segment;

	if (pgt_partition_log_must_roll(state, config, request, base_offset))
		return pgt_partition_log_roll(state, base_offset);

	/* an empty one holds nothing that could be lost: make it anew if need be */
	if (state->active_entries == 0 &&
		!pgt_segment_is_usable(&state->key, state->active_base))
		return pgt_partition_log_create_segment(state, state->active_base);

	segment = pgt_partition_log_segment(state, state->active_base);
	if (segment == NULL)
	{
		char		path[MAXPGPATH];

		pgt_segment_log_path(path, &state->key, state->active_base);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("active segment \"%s\" is missing", path),
				 errhint("Restore it from a backup, or truncate the topic.")));
	}
	return segment;
}

/* Redo refuses a batch that does not check, so it must not get into the WAL. */
static void
check_batch(const AppendRequest *request)
{
	RecordBatchHeader header;
	const char *problem = pgt_record_batch_read_header(request->batch, request->length, &header);

	if (problem != NULL || header.length != request->length)
		elog(ERROR, "malformed record batch: %s",
			 problem != NULL ? problem : "its length is not the header's");
}

/* Insert the APPEND record; returns its end LSN. */
static XLogRecPtr
insert_append(const PartitionState *state, const AppendRequest *request,
			  const IndexEntry *entry, bool self_sync)
{
	xl_pgt_append xlrec;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = state->key;
	xlrec.flags = self_sync ? APPEND_SELF_SYNCED : 0;
	xlrec.segment_base = state->active_base;
	xlrec.position = entry->position;
	xlrec.entry = state->active_entries;
	xlrec.xid = entry->xid;
	xlrec.min_timestamp = entry->min_timestamp;
	xlrec.largest_timestamp = entry->largest_timestamp;

	XLogBeginInsert();
	XLogRegisterData((char *) &xlrec, sizeof(xlrec));
	XLogRegisterData(request->batch, request->length);
	return XLogInsert(PGT_RMGR_ID, XLOG_PGT_APPEND);
}

/* The steps between which nothing may fail; see the head of this file. */
static void
log_and_publish(PartitionState *state, Segment *segment,
				const AppendRequest *request, IndexEntry *entry)
{
	/* read under the lock: the sync process turns it, then passes every lock */
	bool		self_sync = pg_atomic_read_u32(&pgt_log_shared->self_sync) != 0;

	START_CRIT_SECTION();
	entry->lsn = insert_append(state, request, entry, self_sync);
	pgt_segment_write_entry(segment, state->active_entries, entry);
	if (self_sync)
	{
		pgt_segment_sync(segment);
		pg_atomic_fetch_add_u64(&pgt_log_shared->self_syncs, 1);
	}
	pgt_partition_log_publish(state, entry, self_sync);
	END_CRIT_SECTION();
}

int64
pgt_log_append(PartitionState *state, const LogConfig *config,
			   AppendRequest *request, FullTransactionId xid)
{
	Segment    *segment;
	IndexEntry	entry;
	int64		base_offset;

	check_xid_distance(xid);
	check_sync_process();
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	base_offset = choose_base_offset(state, request);
	segment = segment_for_append(state, config, request, base_offset);
	pgt_segment_reserve_entry(segment, state->active_entries);
	pgt_record_batch_set_base_offset(request->batch, base_offset);
	check_batch(request);
	pgt_segment_write(segment, state->active_end, request->batch, request->length);
	pgt_segment_open_index(segment);
	pgt_partition_log_fill_entry(&entry, state, request, base_offset,
								 U64FromFullTransactionId(xid));
	log_and_publish(state, segment, request, &entry);
	LWLockRelease(&state->lock);

	pg_atomic_fetch_add_u64(&state->records_in, request->records);
	pg_atomic_fetch_add_u64(&state->bytes_in, request->length);
	pg_atomic_fetch_add_u64(&state->batches_in, 1);
	return base_offset;
}

/* ---- delete -------------------------------------------------------------- */

/* Unlink the finished segments that lie wholly below the log start. */
static int
unlink_below(PartitionState *state, int64 log_start_offset, int64 active_base)
{
	int64	   *bases;
	int			count = pgt_segment_list(&state->key, &bases);
	int			removed = 0;

	/* before and after: who looks in between must look again */
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	for (int i = 0; i < count && bases[i] < active_base; i++)
	{
		int64		next = i + 1 < count ? bases[i + 1] : active_base;

		if (next > log_start_offset)
			break;
		pgt_segment_unlink(&state->key, bases[i], WARNING);
		removed++;
	}
	pfree(bases);
	pg_atomic_fetch_add_u32(&state->segments_version, 1);
	return removed;
}

/* Move the log start up; caller holds the slot's lock exclusively. */
static void
move_log_start(PartitionState *state, int64 log_start_offset)
{
	state->log_start_offset = Max(state->log_start_offset, log_start_offset);
	state->resolved_offset = Max(state->resolved_offset, state->log_start_offset);
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
}

int
pgt_log_delete_before(PartitionState *state, int64 offset)
{
	xl_pgt_delete xlrec;
	XLogRecPtr	lsn;

	memset(&xlrec, 0, sizeof(xlrec));
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	offset = Min(offset, state->next_offset);
	if (state->active_base == NO_SEGMENT || offset <= state->log_start_offset)
	{
		LWLockRelease(&state->lock);
		return 0;
	}
	if (offset == state->next_offset && state->active_entries > 0)
		pgt_partition_log_roll(state, offset);

	/* before the record: a checkpoint behind it must find the mark */
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
	xlrec.key = state->key;
	xlrec.log_start_offset = offset;
	xlrec.active_base = state->active_base;
	XLogBeginInsert();
	XLogRegisterData((char *) &xlrec, sizeof(xlrec));
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_DELETE);
	move_log_start(state, offset);
	state->last_lsn = lsn;
	LWLockRelease(&state->lock);

	/* files must not be gone before it is certain that they are to go */
	XLogFlush(lsn);
	pgt_log_sync_if_alone();
	return unlink_below(state, offset, xlrec.active_base);
}

/* ---- drop ---------------------------------------------------------------- */

/*
 * Names of the partition directories of a topic (InvalidOid: of the database).
 * Returns a list of palloc'd TopicPartition.
 */
static List *
partition_directories(Oid database, Oid topic)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	struct dirent *de;
	List	   *keys = NIL;

	pgt_database_path(path, database);
	dir = AllocateDir(path);
	if (dir == NULL)
		return NIL;
	while ((de = ReadDirExtended(dir, path, LOG)) != NULL)
	{
		TopicPartition key = {database, InvalidOid, 0};

		if (pgt_partition_parse_name(de->d_name, &key.topic, &key.partition) &&
			(!OidIsValid(topic) || key.topic == topic))
		{
			TopicPartition *found = palloc(sizeof(TopicPartition));

			*found = key;
			keys = lappend(keys, found);
		}
	}
	FreeDir(dir);
	return keys;
}

/* Forget the slots, remove the directories. */
static void
apply_drop(Oid database, Oid topic)
{
	ListCell   *cell;

	pgt_partition_log_close(database, topic);
	pgt_partition_forget(database, topic);
	foreach(cell, partition_directories(database, topic))
		pgt_partition_unlink(lfirst(cell));
	if (!OidIsValid(topic))
	{
		char		path[MAXPGPATH];

		pgt_database_path(path, database);
		rmtree(path, true);
	}
	pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
}

void
pgt_log_drop(Oid database, Oid topic)
{
	xl_pgt_drop xlrec = {database, topic};

	XLogBeginInsert();
	XLogRegisterData((char *) &xlrec, sizeof(xlrec));
	XLogFlush(XLogInsert(PGT_RMGR_ID, XLOG_PGT_DROP));
	apply_drop(database, topic);
}

bool
pgt_log_exists(Oid database, Oid topic)
{
	int			n = pgt_partition_slots();

	for (int i = 0; i < n; i++)
	{
		PartitionState *state = pgt_partition_slot(i);

		if (state->in_use && state->key.database == database && state->key.topic == topic)
			return true;
	}
	return partition_directories(database, topic) != NIL;
}

/* ---- resolve ------------------------------------------------------------- */

/* Set the aborted flag of one entry; a segment that is gone needs none. */
static void
flag_aborted(PartitionState *state, const AbortedEntry *aborted)
{
	Segment    *segment = pgt_partition_log_segment(state, aborted->segment_base);
	IndexEntry	entry;

	if (segment == NULL ||
		pgt_segment_read_entries(segment, aborted->entry, 1, &entry) != 1 ||
		(entry.flags & ENTRY_ABORTED) != 0)
		return;
	entry.flags |= ENTRY_ABORTED;
	pgt_segment_write_entry(segment, aborted->entry, &entry);
}

/* Flag a partition's aborted batches, durably. */
static void
flag_all_aborted(PartitionState *state, const AbortedEntry *aborted, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
	{
		Segment    *segment;

		flag_aborted(state, &aborted[i]);
		if (i + 1 < count && aborted[i + 1].segment_base == aborted[i].segment_base)
			continue;
		segment = pgt_partition_log_segment(state, aborted[i].segment_base);
		if (segment != NULL)
			pgt_segment_sync_index(segment);
	}
}

/* The same; in redo damage must not keep the server from starting. */
static void
flag_or_report(PartitionState *state, const AbortedEntry *aborted, uint32 count)
{
	MemoryContext context = CurrentMemoryContext;

	if (!InRecovery)
	{
		flag_all_aborted(state, aborted, count);
		return;
	}
	PG_TRY();
	{
		flag_all_aborted(state, aborted, count);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
}

/*
 * Let readers know how far outcomes are in the index.  The recovery point may
 * hold this only once the RESOLVE record, and with it the commit records
 * before it, is flushed: so it counts as the partition's last.
 */
static void
publish_resolved(PartitionState *state, const ResolvedPartition *resolved, XLogRecPtr lsn)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (state->in_use && memcmp(&state->key, &resolved->key, sizeof(TopicPartition)) == 0)
	{
		state->resolved_offset = Max(state->resolved_offset,
									 Min(resolved->resolved_offset, state->next_offset));
		state->resolved_max_xid = Max(state->resolved_max_xid, resolved->max_xid);
		state->last_lsn = Max(state->last_lsn, lsn);
		pg_atomic_write_u32(&pgt_log_shared->recovery_point_stale, 1);
	}
	LWLockRelease(&state->lock);
}

/* The partition that "progress" begins with; the aborted entries follow it. */
static const char *
split_progress(const char *progress, ResolvedPartition *resolved, AbortedEntry **aborted)
{
	Size		size;

	memcpy(resolved, progress, sizeof(*resolved));
	progress += sizeof(*resolved);
	size = resolved->aborted_count * sizeof(AbortedEntry);
	*aborted = palloc(size + 1);
	memcpy(*aborted, progress, size);
	return progress + size;
}

/* Flag the aborted batches of all partitions of the progress that are still there. */
static void
flag_progress(const char *progress, int length)
{
	const char *end = progress + length;

	while (progress < end)
	{
		ResolvedPartition resolved;
		AbortedEntry *aborted;
		PartitionState *state;

		progress = split_progress(progress, &resolved, &aborted);
		state = pgt_partition_find(&resolved.key);
		if (state != NULL)
			flag_or_report(state, aborted, resolved.aborted_count);
		pfree(aborted);
	}
}

/* Publish the progress that the RESOLVE record ending at "lsn" holds. */
static void
publish_progress(const char *progress, int length, XLogRecPtr lsn)
{
	const char *end = progress + length;

	while (progress < end)
	{
		ResolvedPartition resolved;
		AbortedEntry *aborted;
		PartitionState *state;

		progress = split_progress(progress, &resolved, &aborted);
		state = pgt_partition_find(&resolved.key);
		if (state != NULL)
			publish_resolved(state, &resolved, lsn);
		pfree(aborted);
	}
}

void
pgt_log_resolve(const char *progress, int length)
{
	XLogRecPtr	lsn;

	flag_progress(progress, length);
	XLogBeginInsert();
	XLogRegisterData((char *) progress, length);
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_RESOLVE);
	publish_progress(progress, length, lsn);
	pg_atomic_fetch_add_u64(&pgt_log_shared->resolves, 1);
}

void
pgt_log_write_sync_record(void)
{
	char		nothing = 0;

	XLogBeginInsert();
	XLogRegisterData(&nothing, sizeof(nothing));
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	XLogFlush(XLogInsert(PGT_RMGR_ID, XLOG_PGT_SYNC));
}

/* ---- redo ---------------------------------------------------------------- */

static MemoryContext redo_context = NULL;

/* What the forward path was asked to append, told by the record. */
static void
request_of_record(const xl_pgt_append *xlrec, char *batch, uint32 length,
				  AppendRequest *request, int64 *base_offset)
{
	RecordBatchHeader header;
	const char *problem = pgt_record_batch_read_header(batch, length, &header);

	if (problem != NULL || header.length != length)
		elog(PANIC, "damaged record batch in a WAL record of pg_topics: %s",
			 problem != NULL ? problem : "its length is not the record's");
	memset(request, 0, sizeof(*request));
	request->batch = batch;
	request->length = length;
	request->last_offset_delta = header.last_offset_delta;
	request->records = header.record_count;
	request->min_timestamp = xlrec->min_timestamp;
	request->max_timestamp = header.max_timestamp;
	*base_offset = header.base_offset;
}

/*
 * The segment a record appends to, with the partition's state set to just
 * before the append.
 */
static Segment *
redo_segment(PartitionState *state, const xl_pgt_append *xlrec, int64 base_offset)
{
	Segment    *segment = NULL;

	if (state->active_base != xlrec->segment_base)
	{
		if (xlrec->entry == 0)
			segment = pgt_partition_log_roll(state, xlrec->segment_base);
		state->active_base = xlrec->segment_base;
		pg_atomic_fetch_add_u32(&state->segments_version, 1);
	}
	state->active_entries = xlrec->entry;
	state->active_end = xlrec->position;
	state->written_back = Min(state->written_back, xlrec->position);
	/* forward only publish moves it, which knows an empty log */
	state->next_offset = Min(state->next_offset, base_offset);

	/* the entry is written anew, unflagged: its RESOLVE is still to come */
	state->resolved_offset = Min(state->resolved_offset, base_offset);

	if (segment != NULL)
		return segment;
	if (xlrec->entry == 0)
		return pgt_partition_log_create_segment(state, xlrec->segment_base);

	/* files may be missing or their header damaged: what is there must stay */
	if (!pgt_partition_log_is_open(state, xlrec->segment_base))
		pgt_segment_restore(&state->key, xlrec->segment_base);
	return pgt_partition_log_segment(state, xlrec->segment_base);
}

static void
redo_append(XLogReaderState *record)
{
	char	   *data = XLogRecGetData(record);
	xl_pgt_append xlrec;
	AppendRequest request;
	IndexEntry	entry;
	PartitionState *state;
	Segment    *segment;
	int64		base_offset;
	bool		self_synced;

	memcpy(&xlrec, data, sizeof(xlrec));
	request_of_record(&xlrec, data + sizeof(xlrec), XLogRecGetDataLen(record) - sizeof(xlrec),
					  &request, &base_offset);
	self_synced = (xlrec.flags & APPEND_SELF_SYNCED) != 0;
	state = pgt_partition_get(&xlrec.key);

	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	segment = redo_segment(state, &xlrec, base_offset);
	pgt_segment_reserve_entry(segment, xlrec.entry);
	pgt_segment_write(segment, xlrec.position, request.batch, request.length);
	pgt_partition_log_fill_entry(&entry, state, &request, base_offset, xlrec.xid);
	entry.largest_timestamp = xlrec.largest_timestamp;
	entry.lsn = record->EndRecPtr;
	pgt_segment_write_entry(segment, xlrec.entry, &entry);
	if (self_synced)
		pgt_segment_sync(segment);
	pgt_partition_log_publish(state, &entry, self_synced);
	LWLockRelease(&state->lock);
}

static void
redo_delete(XLogReaderState *record)
{
	xl_pgt_delete xlrec;
	PartitionState *state;

	memcpy(&xlrec, XLogRecGetData(record), sizeof(xlrec));
	state = pgt_partition_get(&xlrec.key);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (state->active_base < xlrec.active_base)
	{
		pgt_partition_log_roll(state, xlrec.active_base);
		state->next_offset = Max(state->next_offset, xlrec.active_base);
	}
	move_log_start(state, xlrec.log_start_offset);
	state->last_lsn = record->EndRecPtr;
	LWLockRelease(&state->lock);
	XLogFlush(record->EndRecPtr);
	unlink_below(state, xlrec.log_start_offset, xlrec.active_base);
}

static void
redo_drop(XLogReaderState *record)
{
	xl_pgt_drop xlrec;

	memcpy(&xlrec, XLogRecGetData(record), sizeof(xlrec));
	XLogFlush(record->EndRecPtr);
	apply_drop(xlrec.database, xlrec.topic);
}

static void
redo_resolve(XLogReaderState *record)
{
	XLogFlush(record->EndRecPtr);
	flag_progress(XLogRecGetData(record), XLogRecGetDataLen(record));
	publish_progress(XLogRecGetData(record), XLogRecGetDataLen(record), record->EndRecPtr);
}

static void
log_redo(XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;
	MemoryContext old = MemoryContextSwitchTo(redo_context);

	switch (info)
	{
		case XLOG_PGT_APPEND:
			redo_append(record);
			break;
		case XLOG_PGT_SYNC:
			pgt_log_sync_all(true);
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
		default:
			elog(PANIC, "unknown WAL record type 0x%02X of pg_topics", info);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(redo_context);
}

static void
log_startup(void)
{
	redo_context = AllocSetContextCreate(TopMemoryContext, "pg_topics redo",
										 ALLOCSET_DEFAULT_SIZES);
}

/* At the end of redo: what it wrote must be durable before anything else is. */
static void
log_cleanup(void)
{
	pgt_log_sync_all(true);
	MemoryContextDelete(redo_context);
	redo_context = NULL;
}

/* ---- describing ---------------------------------------------------------- */

static void
describe_append(StringInfo buf, XLogReaderState *record)
{
	xl_pgt_append xlrec;

	memcpy(&xlrec, XLogRecGetData(record), sizeof(xlrec));
	appendStringInfo(buf, "partition %u/%u-%d segment %lld position %u entry %u bytes %zu%s",
					 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
					 (long long) xlrec.segment_base, xlrec.position, xlrec.entry,
					 XLogRecGetDataLen(record) - sizeof(xlrec),
					 (xlrec.flags & APPEND_SELF_SYNCED) != 0 ? " synced" : "");
}

static void
log_desc(StringInfo buf, XLogReaderState *record)
{
	uint8		info = XLogRecGetInfo(record) & XLR_RMGR_INFO_MASK;

	if (info == XLOG_PGT_APPEND)
		describe_append(buf, record);
	else if (info == XLOG_PGT_RESOLVE)
		appendStringInfo(buf, "bytes %u", XLogRecGetDataLen(record));
	else if (info == XLOG_PGT_DELETE)
	{
		xl_pgt_delete xlrec;

		memcpy(&xlrec, XLogRecGetData(record), sizeof(xlrec));
		appendStringInfo(buf, "partition %u/%u-%d log start %lld",
						 xlrec.key.database, xlrec.key.topic, xlrec.key.partition,
						 (long long) xlrec.log_start_offset);
	}
	else if (info == XLOG_PGT_DROP)
	{
		xl_pgt_drop xlrec;

		memcpy(&xlrec, XLogRecGetData(record), sizeof(xlrec));
		appendStringInfo(buf, "database %u topic %u", xlrec.database, xlrec.topic);
	}
}

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

void
pgt_log_wal_init(void)
{
	RegisterCustomRmgr(PGT_RMGR_ID, &log_rmgr);
}
