/*
 * log_writer.c
 *	  Changing the logs through the WAL.
 *
 *	  APPEND	one batch was appended to a partition
 *	  RESOLVE	how far partitions are resolved, and which batches aborted
 *	  DELETE	the log start moved up, segments below it are gone
 *	  DROP		the logs of a topic or a database are gone
 *	  RESERVE	a topic's partitions have slots, before anything is appended
 *	  SETTLE	which ids and outcomes batches of Kafka transactions have got
 *	  KAFKA_SETTLED		whose batches all have them now, in a partition
 *	  SETTINGS	the numbers of partitions and of Kafka transactions for which a standby must
 *				have room
 *
 * SYNC is in log_sync.c; KAFKA_BEGIN and KAFKA_END are in kafka_txn.c; REWRITE, SWAP and DISCARD
 * are in segment_rewrite.c.
 *
 * An append takes one batch or several of a transaction, each of them in these steps
 * under the partition's lock: write the batch behind the log's end,
 * insert the WAL record, write the index entry with the record's LSN, publish.
 * What a crash at each step leaves:
 *
 *	  before the WAL insert		bytes that no index entry covers: not part of
 *								the log, overwritten by the next append; or a
 *								segment past the active one, which does not
 *								count and which the next roll removes
 *	  before the index entry	redo writes batch and entry from the record
 *	  before the commit			a batch whose transaction never committed:
 *								readers skip it, the offsets stay a gap
 *
 * Small batches are appended together, each step for all of them at once: the log's end moves
 * only under the lock that is held over all steps, so their order among themselves is seen by
 * nobody, and a crash leaves of each what it would leave of one alone.
 *
 * Between the WAL insert and publishing there must be no error: those steps
 * are in a critical section, and what could fail for a full disk (log bytes,
 * index space) is done before.
 *
 * LogAppendTime is read from the clock just before the lock is taken.  If it is less
 * than that of the previous batch, it is raised under the lock, so that it never goes
 * back within a partition, even if the clock does.  Batches are sealed long before, maybe
 * by a producer elsewhere that knows nothing of the topic's option, so this corrects a
 * checksum in constant time, and does not compute it anew.
 *
 * Each batch carries the WAL's timeline as its leader epoch.  It begins anew with each
 * promotion, as Kafka's epoch with each leader, so it tells from whom a batch at an offset
 * is, where two servers have given that offset out.
 *
 * A batch of an idempotent producer is checked under the lock before anything of it is written
 * (producer_state.c).  If it is not to be appended, that is its outcome, and no error.
 *
 * A batch of a Kafka transaction has the number of that in place of an id, and what was said of its
 * transaction above is said of the Kafka transaction.  Nobody can end that between the check that
 * it is open and the insertion of the record (kafka_txn_map.c).
 *
 * The record has the batch as it is in the log.  Appending and redo make the entry by the
 * same functions (partition_log.h).
 *
 * For RESOLVE batches are flagged before the record is logged: a flag repeats what the
 * commit log says, so it is never wrong, and a round that finds one logs it again.  For SETTLE the record is durable
 * before: what is settled here has lost its number, and nobody could log it again for those who replay the WAL, on
 * a standby or from a backup.  For DELETE and DROP the record is logged before files are removed.
 *
 * Locks: a slot's lock around each change of its state; none is held across a flush.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xloginsert.h"
#include "format/record_batch.h"
#include "log/kafka_txn_map.h"
#include "log/producer_state.h"
#include "miscadmin.h"
#include "storage/s_lock.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "wal/log_apply.h"
#include "wal/log_sync.h"
#include "wal/log_writer.h"
#include "wal/records_end.h"
#include "wal/wal_record.h"

#define MAX_ALONE_MS		(10 * 60 * 1000)

#define APPEND_SPINS		20
#define APPEND_SPIN_DELAYS	20	/* between two looks: about a microsecond */

/* Batches that are written together: so many, with so many bytes. */
#define GROUP_BATCHES		128
#define GROUP_BYTES			((uint32) (128 * 1024))

int			pgt_max_xid_distance = 1500000000;

/* ---- append -------------------------------------------------------------- */

/*
 * Refuse to append for a transaction far past the oldest unresolved one.  The commit log is
 * kept from that one on.  In the long run the server would stop giving out transaction
 * ids; producing stops earlier.
 */
static void
check_xid_distance(FullTransactionId xid)
{
	uint64		oldest = pg_atomic_read_u64(&pgt_log_state->oldest_unresolved_xid);
	uint64		mine = U64FromFullTransactionId(xid);

	if (oldest == 0 || mine < oldest || mine - oldest <= pgt_max_xid_distance)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("cannot produce: transaction %llu is too far from the oldest unresolved one, %llu",
					(unsigned long long) mine, (unsigned long long) oldest),
			 errdetail("A transaction, prepared transaction or Kafka transaction that has produced was left open for %llu transactions, or a partition cannot be resolved.",
					   (unsigned long long) (mine - oldest)),
			 errhint("Find the transaction that holds readers back in pg_topic_partitions, and commit it or roll it back.  The server log reports partitions that cannot be resolved.")));
}

/* The base offset of the batch.  ERROR if it asks for one below the log end, or one too large. */
static int64
choose_base_offset(PartitionState *state, const LogAppendRequest *request)
{
	int64		log_end = state->next_offset;
	TopicPartition key = state->key;
	bool		given = request->required_offset != NO_OFFSET;
	int64		wanted = given ? request->required_offset : log_end;
	int64		largest = given ? MAX_EXPLICIT_OFFSET : MAX_OFFSET - request->last_offset_delta;

	if (wanted >= log_end && wanted <= largest)
		return wanted;

	/* the messages need the catalog, and no lock of ours held */
	LWLockRelease(&state->lock);
	if (wanted >= log_end)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot produce at offset %lld of partition %d of topic \"%s\"",
						(long long) wanted, key.partition, get_rel_name(key.topic)),
				 errdetail("Offsets must not pass %lld.", (long long) largest)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot produce at offset %lld of partition %d of topic \"%s\": the log end is %lld",
					(long long) wanted, key.partition,
					get_rel_name(key.topic), (long long) log_end),
			 errhint("Leave record_offset out, or give one at or past the log end.")));
}

/*
 * Refuse to append if there has been no sync process for long.  Without it nothing is
 * resolved, and the commit log is kept, in the long run until the server stops giving
 * out transaction ids.  Its restart takes seconds, so a long absence means that it cannot
 * start.
 */
static void
check_sync_process(void)
{
	uint64		since = 0;

	if (IsBinaryUpgrade)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot produce during pg_upgrade")));
	if (likely(pg_atomic_read_u32(&pgt_log_state->self_sync) == 0))
		return;
	if (pg_atomic_compare_exchange_u64(&pgt_log_state->alone_since, &since, pgt_clock_monotonic_us()) ||
		pgt_clock_ms_since((int64) since) < MAX_ALONE_MS)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot produce: background process \"pg_topics sync\" has been down for more than 10 minutes"),
			 errhint("Look into the server log for why it does not start; max_worker_processes may be too small.")));
}

/* The active segment.  Caller holds the slot's lock. */
static Segment *
segment_for_append(PartitionState *state)
{
	SegmentId	active = pgt_segment_id_original(state->active_base);
	Segment    *segment;

	/* an empty one holds nothing that could be lost: make it anew if need be */
	if (state->active_entries == 0 && !pgt_segment_is_usable(&state->key, active))
	{
		SegmentSpan span = {.previous_end = state->next_offset};

		return pgt_log_segments_create(state, active, &span);
	}

	segment = pgt_log_segments_open(state, active);
	if (segment == NULL)
	{
		char		path[MAXPGPATH];

		pgt_segment_log_path(path, &state->key, active);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("active segment \"%s\" is missing", path),
				 errhint("Restore it from a backup, or truncate the topic.")));
	}
	return segment;
}

/* Give all of the request's records this time. */
static void
set_append_time(LogAppendRequest *request, int64 time)
{
	pgt_record_batch_set_append_time(request->batch, request->length, time);
	request->min_timestamp = request->max_timestamp = time;
}

/* Redo refuses a batch that does not check, so it must not get into the WAL. */
static void
check_batch(const LogAppendRequest *request)
{
	RecordBatchHeader header;
	const char *problem = pgt_record_batch_read_header(request->batch, request->length, &header);

	if (problem != NULL || header.length != request->length)
		elog(ERROR, "malformed record batch: %s",
			 problem != NULL ? problem : "its length is not the header's");
}

/* Add one of an APPEND's optional values, unless it is what the batch's header says. */
static void
add_optional(xl_pgt_append *xlrec, int64 *optional, int *count, uint32 flag, int64 value, int64 header)
{
	if (value == header)
		return;
	xlrec->flags |= flag;
	optional[(*count)++] = value;
}

/* Insert the APPEND record; returns its end LSN. */
static XLogRecPtr
insert_append(const PartitionState *state, const LogAppendRequest *request,
			  const IndexEntry *entry, bool self_sync)
{
	xl_pgt_append xlrec;
	RecordBatchHeader header;
	int64		optional[APPEND_OPTIONAL];
	int			count = 0;

	(void) pgt_record_batch_read_header(request->batch, request->length, &header);
	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.key = state->key;
	xlrec.flags = (self_sync ? APPEND_SELF_SYNCED : 0) | (request->interleaved ? APPEND_INTERLEAVED : 0) |
		(pgt_partition_log_would_start(state, header.base_offset) ? APPEND_STARTS_LOG : 0) |
		(request->producer_starts ? APPEND_STARTS_PRODUCER : 0);
	xlrec.segment_base = state->active_base;
	xlrec.position = entry->position;
	xlrec.entry = state->active_entries;
	xlrec.xid = entry->xid;
	add_optional(&xlrec, optional, &count, APPEND_MIN_TIMESTAMP, entry->min_timestamp, header.base_timestamp);
	add_optional(&xlrec, optional, &count, APPEND_LARGEST_TIMESTAMP, entry->largest_timestamp,
				 header.max_timestamp);
	add_optional(&xlrec, optional, &count, APPEND_PREVIOUS_END, state->next_offset, header.base_offset);
	add_optional(&xlrec, optional, &count, APPEND_FIRST_OFFSET, request->first_offset, header.base_offset);

	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	if (count > 0)
		pgt_wal_record_register(optional, count * sizeof(int64));
	pgt_wal_record_register(request->batch, request->length);
	return XLogInsert(PGT_RMGR_ID, XLOG_PGT_APPEND);
}

/*
 * Write the batch behind the active segment's end, with space for its entry: all
 * that may fail.
 */
static Segment *
write_batch(PartitionState *state, const LogAppendRequest *request)
{
	Segment    *segment = segment_for_append(state);

	pgt_segment_reserve_entry(segment, state->active_entries);
	pgt_segment_write(segment, state->active_end, request->batch, request->length);
	pgt_segment_open_index(segment);
	return segment;
}

/* Let everyone see the batch, and remember it of its producer. */
static void
publish(PartitionState *state, const LogAppendRequest *request, const IndexEntry *entry, bool self_sync)
{
	pgt_partition_log_publish(state, request, entry, self_sync);
	if (likely(request->producer_id < 0))
		return;
	if (pgt_index_entry_is_numbered(entry))
		pgt_kafka_txn_map_appended(entry->xid, pgt_log_state_slot_number(state), request->first_offset,
								   state->next_offset);
	pgt_producer_state_apply(state, request, entry->xid);
	/* the sync process has just ended: its last sync must save that */
	if (self_sync)
		pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}

/* The steps between which nothing may fail; see the head of this file. */
static void
log_and_publish(PartitionState *state, Segment *segment,
				const LogAppendRequest *request, IndexEntry *entry)
{
	/* read under the lock: the sync process turns it, then passes every lock */
	bool		self_sync = pg_atomic_read_u32(&pgt_log_state->self_sync) != 0;

	START_CRIT_SECTION();
	entry->lsn = insert_append(state, request, entry, self_sync);
	FAULT_POINT("append-logged");
	pgt_segment_write_entry(segment, state->active_entries, entry);
	FAULT_POINT("append-entered");
	if (self_sync)
		pgt_segment_sync(segment);
	publish(state, request, entry, self_sync);
	END_CRIT_SECTION();
}

/* Where the batch stands among those of its transaction in the partition; it becomes their last. */
static void
set_place(const PartitionState *state, LogAppendRequest *request, LogWriterRange *own)
{
	bool		is_first = own->end == 0;

	if (is_first)
		own->first = request->base_offset;
	request->first_offset = own->first;
	request->interleaved = !is_first && own->end != state->next_offset;
	own->end = request->base_offset + request->last_offset_delta + 1;
}

/*
 * Take the slot's lock exclusively.  An append holds it for a few
 * microseconds, less than going to sleep and being woken costs: so look again
 * a few times first.  With 32 clients on one partition this is worth a fifth.
 */
static void
acquire_for_append(PartitionState *state)
{
	for (int i = 0; i < APPEND_SPINS; i++)
	{
		if (LWLockConditionalAcquire(&state->lock, LW_EXCLUSIVE))
			return;
		for (int k = 0; k < APPEND_SPIN_DELAYS; k++)
			SPIN_DELAY();
	}
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
}

/*
 * May a batch of an idempotent producer be appended?  If not, set its outcome.  The caller holds
 * the slot's lock.
 */
static bool
passes_check(PartitionState *state, LogAppendRequest *request, uint64 xid)
{
	switch (pgt_producer_state_check(state, request, xid))
	{
		case SEQUENCE_GOES_ON:
			return true;
		case SEQUENCE_DUPLICATE:
			request->outcome = LOG_APPEND_DUPLICATE;
			request->lsn = state->last_lsn;
			break;
		case SEQUENCE_OLD:
			request->outcome = LOG_APPEND_OLD_DUPLICATE;
			break;
		case SEQUENCE_GAP:
			request->outcome = LOG_APPEND_OUT_OF_ORDER;
			break;
		case SEQUENCE_FENCED:
			request->outcome = LOG_APPEND_FENCED;
			break;
		case SEQUENCE_BUSY:
			request->outcome = LOG_APPEND_TRY_AGAIN;
			break;
	}
	request->log_start_offset = state->log_start_offset;
	return false;
}

/* Write into a batch what only its place in the log decides. */
static void
place_batch(LogAppendRequest *request, int64 base_offset, int64 last_append_time)
{
	/* another has passed us, or the clock was set back */
	if (request->log_append_time && request->max_timestamp < last_append_time)
		set_append_time(request, last_append_time);
	request->base_offset = base_offset;
	pgt_record_batch_set_base_offset(request->batch, base_offset);
	pgt_record_batch_set_leader_epoch(request->batch, (int32) GetWALInsertionTimeLine());
}

/* The batch is appended. */
static void
set_outcome(const PartitionState *state, LogAppendRequest *request, XLogRecPtr lsn)
{
	request->lsn = lsn;
	request->log_start_offset = state->log_start_offset;
	request->outcome = LOG_APPEND_DONE;
}

/* Append one batch; caller holds the slot's lock. */
static void
append_batch(PartitionState *state, const LogConfig *config, LogAppendRequest *request, uint64 xid,
			 LogWriterRange *own)
{
	Segment    *segment;
	LogRoll		roll;
	IndexEntry	entry;
	bool		rolls;

	place_batch(request, choose_base_offset(state, request), state->last_append_time);
	set_place(state, request, own);
	rolls = pgt_partition_log_must_roll(state, config, request, request->base_offset);
	segment = !rolls ? write_batch(state, request) :
		pgt_partition_log_begin_roll(state, request->base_offset, state->next_offset, request, &roll);
	FAULT_POINT("append-written");
	pgt_partition_log_fill_entry(&entry, state, request, xid);
	log_and_publish(state, segment, request, &entry);
	set_outcome(state, request, entry.lsn);
	if (rolls)
		pgt_partition_log_end_roll(state, &roll);
}

/*
 * How many of the batches go into the active segment by one write, if none of them asks for an
 * offset.  Less than 2: the first one is to be appended alone.  The caller holds the slot's lock.
 */
static int
group_length(PartitionState *state, const LogConfig *config, LogAppendRequest *requests, int count, uint64 xid)
{
	int64		offset = state->next_offset;
	int64		first_time = state->active_entries > 0 ? state->active_first_timestamp : requests[0].max_timestamp;
	uint32		bytes = 0;
	int			n = 0;

	if (state->active_base == NO_SEGMENT || offset > MAX_EXPLICIT_OFFSET)
		return 0;
	pgt_producer_state_begin_group();
	for (; n < Min(count, GROUP_BATCHES); n++)
	{
		LogAppendRequest *request = &requests[n];

		if (request->required_offset != NO_OFFSET || request->length > GROUP_BYTES - bytes ||
			offset + request->last_offset_delta - state->active_base > PG_INT32_MAX)
			break;
		/* as pgt_partition_log_must_roll() would say then */
		if ((int64) state->active_end + bytes + request->length > config->segment_bytes ||
			pgt_clock_ms_between(first_time, request->max_timestamp) > config->segment_ms)
			break;
		if (request->producer_id >= 0 && !pgt_producer_state_joins_group(state, request, offset, xid))
			break;
		bytes += request->length;
		offset += request->last_offset_delta + 1;
	}
	return n;
}

/* Write the batches behind the active segment's end, with space for their entries: all that may fail. */
static Segment *
write_group(PartitionState *state, LogAppendRequest *requests, int count)
{
	static char *buffer = NULL;
	Segment    *segment = segment_for_append(state);
	int64		offset = state->next_offset;
	int64		time = state->last_append_time;
	uint32		length = 0;

	if (buffer == NULL)
		buffer = MemoryContextAlloc(TopMemoryContext, GROUP_BYTES);
	for (int i = 0; i < count; i++)
	{
		LogAppendRequest *request = &requests[i];

		place_batch(request, offset, time);
		memcpy(buffer + length, request->batch, request->length);
		length += request->length;
		offset += request->last_offset_delta + 1;
		time = request->log_append_time ? request->max_timestamp : NO_APPEND_TIME;
	}
	pgt_segment_reserve_entry(segment, state->active_entries + count - 1);
	pgt_segment_write(segment, state->active_end, buffer, length);
	pgt_segment_open_index(segment);
	return segment;
}

/*
 * Append batches of which group_length() says that they go together; the caller holds the slot's
 * lock.  For small batches most of the time goes into the system calls, of which there are two
 * here, however many batches there are.  The log's end moves before the entries are written,
 * since each record says where the one before has ended; but nobody sees that before the lock
 * is released.
 */
static void
append_group(PartitionState *state, LogAppendRequest *requests, int count, uint64 xid, LogWriterRange *own)
{
	Segment    *segment = write_group(state, requests, count);
	uint32		first = state->active_entries;
	IndexEntry	entries[GROUP_BATCHES];
	bool		self_sync = pg_atomic_read_u32(&pgt_log_state->self_sync) != 0;

	FAULT_POINT("append-written");
	START_CRIT_SECTION();
	for (int i = 0; i < count; i++)
	{
		set_place(state, &requests[i], own);
		pgt_partition_log_fill_entry(&entries[i], state, &requests[i], xid);
		entries[i].lsn = insert_append(state, &requests[i], &entries[i], self_sync);
		publish(state, &requests[i], &entries[i], self_sync);
	}
	FAULT_POINT("append-logged");
	pgt_segment_write_entries(segment, first, count, entries);
	FAULT_POINT("append-entered");
	if (self_sync)
		pgt_segment_sync(segment);
	END_CRIT_SECTION();
	for (int i = 0; i < count; i++)
		set_outcome(state, &requests[i], entries[i].lsn);
}

/* Append or refuse the next batches, one at least; returns how many.  The caller holds the slot's lock. */
static int
append_next(PartitionState *state, const LogConfig *config, LogAppendRequest *requests, int count, uint64 xid,
			LogWriterRange *own)
{
	int			together;

	if (unlikely(requests[0].producer_id >= 0) && !passes_check(state, &requests[0], xid))
		return 1;
	together = count > 1 ? group_length(state, config, requests, count, xid) : 1;
	if (together < 2)
	{
		append_batch(state, config, &requests[0], xid, own);
		return 1;
	}
	append_group(state, requests, together, xid, own);
	return together;
}

/* Count what was appended. */
static void
count_appended(PartitionState *state, const LogAppendRequest *requests, int count)
{
	int64		records = 0;
	int64		bytes = 0;
	int			batches = 0;

	for (int i = 0; i < count; i++)
	{
		if (requests[i].outcome != LOG_APPEND_DONE)
			continue;
		records += requests[i].records;
		bytes += requests[i].records_length;
		batches++;
	}
	pg_atomic_fetch_add_u64(&state->records_in, records);
	pg_atomic_fetch_add_u64(&state->bytes_in, bytes);
	pg_atomic_fetch_add_u64(&state->batches_in, batches);
}

/* What can be done without the slot's lock. */
static void
prepare(PartitionState *state, LogAppendRequest *requests, int count)
{
	check_sync_process();
	for (int i = 0; i < count; i++)
	{
		check_batch(&requests[i]);
		if (requests[i].log_append_time)
			set_append_time(&requests[i], pgt_clock_shifted_now_ms());
		if (unlikely(requests[i].producer_id >= 0))
			pgt_producer_state_make_room(state, requests[i].producer_id);
	}
}

void
pgt_log_writer_append(PartitionState *state, const LogConfig *config, LogAppendRequest *requests, int count,
					  FullTransactionId xid, LogWriterRange *own)
{
	check_xid_distance(xid);
	prepare(state, requests, count);
	acquire_for_append(state);
	for (int i = 0; i < count;)
		i += append_next(state, config, &requests[i], count - i, U64FromFullTransactionId(xid), own);
	LWLockRelease(&state->lock);
	FAULT_POINT("append-done");
	count_appended(state, requests, count);
}

/* The table of Kafka transactions has no room for one more partition of one.  The caller holds no lock. */
static void
fail_for_full_map(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many partitions in Kafka transactions"),
			 errdetail("The server can hold %d Kafka transactions, with %d partitions of all of them together.",
					   pgt_kafka_max_transactions, pgt_kafka_max_transactions * KAFKA_TXN_TABLE_PARTS),
			 errhint("End Kafka transactions, or raise pg_topics.kafka_max_transactions and restart the server.")));
}

/* Those requests are refused for that reason. */
static void
refuse_all(LogAppendRequest *requests, int count, LogAppendOutcome outcome)
{
	for (int i = 0; i < count; i++)
		requests[i].outcome = outcome;
}

void
pgt_log_writer_append_numbered(PartitionState *state, const LogConfig *config, LogAppendRequest *requests,
							   int count, uint64 number)
{
	KafkaTxnAppend append = {number, requests[0].producer_id, requests[0].producer_epoch,
		pgt_log_state_slot_number(state), state->key};
	KafkaTxnHold hold;
	LogWriterRange own;

	/* an idempotent producer's are not appended while no sync process runs, which saves the table */
	for (int i = 0; i < count; i++)
		if (requests[i].producer_id < 0 || requests[i].producer_id != append.producer_id ||
			requests[i].producer_epoch != append.producer_epoch || requests[i].required_offset != NO_OFFSET)
			elog(ERROR, "batches of a Kafka transaction must be of one idempotent producer, at no given offset");
	prepare(state, requests, count);
	acquire_for_append(state);
	hold = pgt_kafka_txn_map_begin_append(&append);
	if (hold == KAFKA_TXN_HELD)
	{
		own = (LogWriterRange) {append.first_offset, append.end_offset};
		for (int i = 0; i < count;)
			i += append_next(state, config, &requests[i], count - i, number, &own);
		pgt_kafka_txn_map_end_append();
	}
	LWLockRelease(&state->lock);
	FAULT_POINT("append-done");
	if (hold == KAFKA_TXN_HOLD_FULL)
		fail_for_full_map();
	if (hold == KAFKA_TXN_HELD)
		count_appended(state, requests, count);
	else
		refuse_all(requests, count, hold == KAFKA_TXN_HOLD_FENCED ? LOG_APPEND_FENCED : LOG_APPEND_NOT_OPEN);
}

/* ---- reserve, roll, delete and drop ---------------------------------------------- */

bool
pgt_log_writer_reserve(Oid database, Oid topic, int32 first, int32 end, PartitionRoom *room)
{
	xl_pgt_reserve xlrec = {database, topic, first, end};
	TopicPartition *keys = palloc0((end - first) * sizeof(TopicPartition));
	bool		reserved;

	for (int32 i = 0; i < end - first; i++)
	{
		keys[i].database = database;
		keys[i].topic = topic;
		keys[i].partition = first + i;
	}
	reserved = pgt_log_state_reserve(keys, end - first, room);
	pfree(keys);
	if (!reserved)
		return false;

	/* before the record: a checkpoint behind it must find slots and mark */
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	(void) XLogInsert(PGT_RMGR_ID, XLOG_PGT_RESERVE);
	FAULT_POINT("reserve-logged");
	return true;
}

void
pgt_log_writer_roll(PartitionState *state)
{
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	if (state->active_base != NO_SEGMENT && state->active_entries > 0)
		pgt_partition_log_roll(state, state->next_offset, state->next_offset);
	LWLockRelease(&state->lock);
}

/*
 * The offset behind the last record that is deleted if all below "offset" is.  The
 * transactions below it have ended, so nothing changes there, and no lock is needed.
 */
static int64
deleted_end_before(PartitionState *state, int64 offset)
{
	LogBounds	bounds;
	TopicPartition key;

	if (!pgt_partition_log_slot_bounds(state, &key, &bounds))
		return 0;
	return Max(bounds.deleted_end,
			   pgt_records_end(state, &bounds, bounds.log_start_offset,
							   Min(offset, bounds.next_offset), true));
}

/*
 * Remove everything below "offset"; where "expected_end" is not NO_OFFSET, only
 * while the log still ends there.
 */
static int
delete_before(PartitionState *state, int64 offset, int64 expected_end, bool exclusive)
{
	xl_pgt_delete xlrec;
	XLogRecPtr	lsn;

	memset(&xlrec, 0, sizeof(xlrec));
	xlrec.deleted_end = deleted_end_before(state, offset);
	LWLockAcquire(&state->lock, LW_EXCLUSIVE);
	offset = Min(offset, state->next_offset);
	if (state->active_base == NO_SEGMENT || offset <= state->log_start_offset ||
		(expected_end != NO_OFFSET && expected_end != state->next_offset))
	{
		LWLockRelease(&state->lock);
		return 0;
	}
	if (offset == state->next_offset && state->active_entries > 0)
		pgt_partition_log_roll(state, offset, offset);

	/* before the record: a checkpoint behind it must find the mark */
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
	xlrec.key = state->key;
	xlrec.flags = exclusive ? DELETE_EXCLUSIVE : 0;
	xlrec.log_start_offset = offset;
	xlrec.active_base = state->active_base;
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_DELETE);
	pgt_log_apply_log_start(state, offset, xlrec.deleted_end, lsn);
	state->last_lsn = lsn;
	LWLockRelease(&state->lock);

	/* files must not be gone before it is certain that they are to go */
	FAULT_POINT("delete-logged");
	XLogFlush(lsn);
	pgt_log_sync_if_alone();
	FAULT_POINT("delete-flushed");
	return pgt_log_apply_unlink_below(state, offset, xlrec.active_base, exclusive);
}

int
pgt_log_writer_delete_before(PartitionState *state, int64 offset, bool exclusive)
{
	return delete_before(state, offset, NO_OFFSET, exclusive);
}

int
pgt_log_writer_delete_idle(PartitionState *state, int64 log_end_offset)
{
	return delete_before(state, log_end_offset, log_end_offset, false);
}

int
pgt_log_writer_collect_deleted(PartitionState *state)
{
	int64		log_start_offset;
	int64		active_base;

	LWLockAcquire(&state->lock, LW_SHARED);
	log_start_offset = state->log_start_offset;
	active_base = state->active_base;
	LWLockRelease(&state->lock);
	if (active_base == NO_SEGMENT)
		return 0;
	/* the deletion that left them may have failed before it synced */
	pgt_log_sync_if_alone();
	return pgt_log_apply_unlink_below(state, log_start_offset, active_base, false);
}

void
pgt_log_writer_drop_partitions(Oid database, Oid topic, int32 first)
{
	xl_pgt_drop xlrec = {database, topic, first};

	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	XLogFlush(XLogInsert(PGT_RMGR_ID, XLOG_PGT_DROP));
	FAULT_POINT("drop-logged");
	pgt_log_apply_drop(database, topic, first);
	FAULT_POINT("drop-done");
}

void
pgt_log_writer_drop(Oid database, Oid topic)
{
	pgt_log_writer_drop_partitions(database, topic, 0);
}

bool
pgt_log_writer_has_log(Oid database, Oid topic, int partitions)
{
	return pgt_log_state_has_slots(database, topic) ||
		pgt_log_directory_exists(database, topic, partitions);
}

/* ---- for the sync process ------------------------------------------------- */

void
pgt_log_writer_flag_aborted(const char *progress, int length)
{
	pgt_log_apply_aborted(progress, length);
	FAULT_POINT("resolve-flagged");
}

void
pgt_log_writer_settle(const char *settled, int length)
{
	XLogRecPtr	lsn;

	pgt_wal_record_begin();
	pgt_wal_record_register(settled, length);
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_SETTLE);
	FAULT_POINT("kafka-settle-logged");
	if (!FAULT_SKIP("kafka-settle-flush"))
		XLogFlush(lsn);
	pgt_log_apply_settled(settled, length);
	FAULT_POINT("kafka-settled");
}

void
pgt_log_writer_log_kafka_settled(const char *settled, int length)
{
	XLogRecPtr	lsn;

	pgt_wal_record_begin();
	pgt_wal_record_register(settled, length);
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_KAFKA_SETTLED);
	FAULT_POINT("kafka-numbers-logged");
	pgt_log_apply_kafka_settled(settled, length, lsn);
}

void
pgt_log_writer_log_resolved(const char *progress, int length)
{
	XLogRecPtr	lsn;

	pgt_wal_record_begin();
	pgt_wal_record_register(progress, length);
	XLogSetRecordFlags(XLOG_MARK_UNIMPORTANT);
	lsn = XLogInsert(PGT_RMGR_ID, XLOG_PGT_RESOLVE);
	FAULT_POINT("resolve-logged");
	pgt_log_apply_resolved(progress, length, lsn);
}

void
pgt_log_writer_log_settings(void)
{
	xl_pgt_settings xlrec = {pgt_log_state->max_partitions, pgt_kafka_max_transactions};

	if (pgt_log_state->wal_max_partitions == xlrec.max_partitions &&
		pgt_kafka_txn_map_wal_max() == xlrec.kafka_max_transactions)
		return;
	pgt_wal_record_begin();
	pgt_wal_record_register(&xlrec, sizeof(xlrec));
	XLogFlush(XLogInsert(PGT_RMGR_ID, XLOG_PGT_SETTINGS));
	pgt_log_state->wal_max_partitions = xlrec.max_partitions;
	pgt_kafka_txn_map_set_wal_max(xlrec.kafka_max_transactions);
	pg_atomic_write_u32(&pgt_log_state->recovery_point_stale, 1);
}
