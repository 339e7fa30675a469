/*
 * producer.c
 *	  Records of the running transaction: added to its batches, appended just
 *	  before the commit record.
 *
 * The batches are pending_partition.c's, which takes them back with savepoints.  The last one
 * of a partition is open: records are encoded straight into its buffer.  A batch is sealed
 * when it is full or when the transaction ends, all before any lock is taken.
 *
 * Batches are filled by their uncompressed size: their memory is bounded, and each
 * batch fits max.message.bytes even if it cannot be compressed.  Only a single record
 * larger than that has to be compressed to fit; its batch is sealed at once, so that
 * the error comes from the statement that produces the record.  A batch that its codec
 * does not make smaller is stored uncompressed.
 *
 * At pre-commit (or PREPARE) the partitions are appended in a fixed order.  The batches
 * of each one are appended in runs of up to RUN_BYTES or, if that is less, what a segment
 * takes, each run under one hold of the
 * partition's lock (log_writer.c).  So batches of other transactions can stand between
 * them only if a transaction takes several runs.  Such transactions take turns, so that
 * two of them never alternate: a scan stops before all of a transaction of which a part
 * stands behind a running one (whole_end.c), and chains of such transactions would have
 * no end.  Records appended by flush(), or before a late error, belong to a transaction
 * that may still abort; readers decide by its transaction id.
 *
 * Memory: the ranges that produced() shows are in TopMemoryContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "log/topic_waiters.h"
#include "miscadmin.h"
#include "produce/acks.h"
#include "produce/pending_partition.h"
#include "produce/producer.h"
#include "produce/record_check.h"
#include "storage/lock.h"
#include "util/advisory_lock.h"
#include "util/fault_point.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* How much is appended under one hold of a partition's lock, if it is more than a batch. */
#define RUN_BYTES			(1024 * 1024)

/* The ranges that a transaction has appended. */
typedef struct RangeList
{
	ProducerRange *ranges;		/* in TopMemoryContext */
	int			count;
	int			capacity;
} RangeList;

static RangeList appended;		/* by the running transaction */
static RangeList committed;		/* by the last committed one that appended */

/* ---- adding -------------------------------------------------------------- */

/*
 * Does the record come from a topic, with its offset?  So a dump is restored.  It was
 * accepted when it was produced, by the options of that time, and keeps its timestamp; so
 * the options that judge new records, and the time of the append, do not apply to it.  Only
 * the topic's owner gives offsets (topic_modify.c).
 */
static inline bool
is_restored(const Record *record)
{
	return record->offset != NO_OFFSET;
}

/* Does the batch have room for "size" more bytes? */
static inline bool
has_room(const PendingPartition *p, const PendingBatch *batch, Size size)
{
	return batch->length + size <= Min(pgt_batch_size, p->config.max_message_bytes);
}

/* Can the record go into this batch?  "delta" is its offset there. */
static bool
fits(const PendingPartition *p, const PendingBatch *batch, const Record *record,
	 Size size, int64 delta)
{
	if (delta <= batch->last_offset_delta && batch->records > 0)
		return false;
	/* whether its offset is given also decides what a batch's timestamps are, see is_restored() */
	if ((record->offset != NO_OFFSET) != (batch->required_offset != NO_OFFSET))
		return false;
	return delta < PG_INT32_MAX && has_room(p, batch, size);
}

/* The offset of a record relative to the batch's first. */
static int64
offset_delta(const PendingBatch *batch, const Record *record)
{
	if (record->offset != NO_OFFSET)
		return record->offset - batch->required_offset;
	return batch->last_offset_delta + 1;
}

/* The batch that takes the record: the open one, or a new one. */
static PendingBatch *
batch_for(PendingPartition *p, const Record *record, Size size)
{
	PendingBatch *batch = pgt_pending_partition_open_batch(p);

	if (batch != NULL && batch->records > 0 &&
		!fits(p, batch, record, size, offset_delta(batch, record)))
	{
		pgt_pending_batch_seal(&p->config, batch);
		pgt_pending_partition_spill_newest(p);
		batch = NULL;
	}
	if (batch != NULL)
		pgt_pending_batch_reopen(batch);
	else
	{
		/* small transactions, and those with many partitions, begin with little memory */
		bool		bulk = p->count > 0 && pgt_pending_partition_count() <= 16;
		Size		capacity = bulk ? pgt_batch_size : 1024;

		batch = pgt_pending_partition_start_batch(p, Max(capacity, RECORD_BATCH_HEADER_SIZE + size));
		batch->required_offset = record->offset;
		batch->base_timestamp = record->timestamp;
		batch->min_timestamp = batch->max_timestamp = record->timestamp;
		batch->last_offset_delta = -1;
	}
	return batch;
}

/*
 * Seal the batch of a single record that must be compressed to fit; ERROR where it still
 * does not.
 */
static void
seal_large(PendingPartition *p, PendingBatch *batch, Size size)
{
	pgt_pending_batch_seal(&p->config, batch);
	if (batch->stored > p->config.max_message_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record of %zu bytes for partition %d of topic \"%s\" is too large",
						size, p->key.partition, get_rel_name(p->key.topic)),
				 errdetail("Compressed with %s and with its batch header it has %u bytes; it can have at most %d (max.message.bytes).",
						   pgt_compression_name(p->config.compression), batch->stored,
						   p->config.max_message_bytes),
				 errhint("Raise the topic's option max.message.bytes, or store the value elsewhere and produce a reference.")));
	pgt_pending_partition_spill_newest(p);
}

/* Add a record that may have up to "most" bytes together with its batch's header. */
static void
add_record(const TopicPartition *key, const LogConfig *config, const Record *record, int32 most)
{
	Size		size = pgt_record_size(record);
	PendingPartition *p;
	PendingBatch *batch;
	int32		delta;
	char	   *end;

	if (!is_restored(record))
		pgt_record_check_new(key, config, record);
	pgt_record_check_size(key, config, size, most);
	pgt_record_check_placement(key, config, record);
	p = pgt_pending_partition_get(key, config);
	pgt_pending_partition_mark(p);
	batch = batch_for(p, record, size);
	pgt_pending_batch_reserve(batch, size);
	delta = batch->records == 0 ? 0 : offset_delta(batch, record);

	end = pgt_record_encode(batch->data + batch->length, record,
							pgt_record_timestamp_delta(batch->base_timestamp, record->timestamp),
							delta);
	batch->length = end - batch->data;
	batch->records++;
	batch->last_offset_delta = delta;
	batch->min_timestamp = Min(batch->min_timestamp, record->timestamp);
	batch->max_timestamp = Max(batch->max_timestamp, record->timestamp);
	if (batch->length > p->config.max_message_bytes)
		seal_large(p, batch, size);

	/* sealed batches are in the file already, so the open ones take the memory */
	if (pgt_pending_batch_memory() > (Size) pgt_buffer_memory * 1024 * 5 / 4)
		pgt_pending_partition_spill_open();
}

/* Add a record whatever max.message.bytes is, as far as a batch can hold it. */
static void
add_any_size(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	LogConfig	enough = *config;

	enough.max_message_bytes = Min(Max(RECORD_BATCH_HEADER_SIZE + pgt_record_size(record),
									   enough.max_message_bytes), RECORD_BATCH_MAX_SIZE);
	add_record(key, &enough, record, RECORD_BATCH_MAX_SIZE);
}

bool
pgt_producer_fits(const LogConfig *config, const Record *record)
{
	Size		size = RECORD_BATCH_HEADER_SIZE + pgt_record_size(record);

	if (size > RECORD_BATCH_MAX_SIZE - PRODUCER_HEADER_ROOM)
		return false;
	return size <= config->max_message_bytes ||
		(pgt_pending_batch_counts_compressed(config) &&
		 pgt_pending_batch_size_alone(config, record) <= config->max_message_bytes);
}

void
pgt_producer_add(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	if (is_restored(record))
		add_any_size(key, config, record);
	else
		add_record(key, config, record, RECORD_BATCH_MAX_SIZE - PRODUCER_HEADER_ROOM);
}

void
pgt_producer_add_failed(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	add_any_size(key, config, record);
}

bool
pgt_producer_has_room(const TopicPartition *key, Size size)
{
	PendingPartition *p = pgt_pending_partition_find(key);
	PendingBatch *batch = p == NULL ? NULL : pgt_pending_partition_open_batch(p);

	return batch != NULL && batch->records > 0 && has_room(p, batch, size);
}

bool
pgt_producer_has_pending(Oid topic)
{
	return pgt_pending_partition_any(topic);
}

void
pgt_producer_check_unused(Oid topic, const char *action)
{
	bool		used = pgt_producer_has_pending(topic);

	for (int i = 0; i < appended.count; i++)
		used |= appended.ranges[i].topic == topic;
	if (used)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot %s topic \"%s\" because this transaction has produced to it",
						action, get_rel_name(topic)),
				 errhint("Commit the transaction first.")));
}

/* ---- appending ----------------------------------------------------------- */

/* The partition's range among those appended, made where it has none. */
static ProducerRange *
range_of(PendingPartition *p, int64 base)
{
	RangeList  *list = &appended;
	ProducerRange *range;

	if (p->range > 0)
		return &list->ranges[p->range - 1];
	if (list->count == list->capacity)
	{
		list->capacity = Max(8, list->capacity * 2);
		if (list->ranges == NULL)
			list->ranges = MemoryContextAlloc(TopMemoryContext,
											  list->capacity * sizeof(ProducerRange));
		else
			list->ranges = repalloc(list->ranges, list->capacity * sizeof(ProducerRange));
	}
	range = &list->ranges[list->count++];
	p->range = list->count;
	range->topic = p->key.topic;
	range->partition = p->key.partition;
	range->base_offset = base;
	range->records = 0;
	return range;
}

/* Note a batch that was appended at the offset "base". */
static void
note_appended(PendingPartition *p, const PendingBatch *batch, int64 base)
{
	ProducerRange *range = range_of(p, base);

	range->last_offset = base + batch->last_offset_delta;
	range->records += batch->records;
}

/* What the log is to append of a batch, which is in memory afterwards. */
static void
make_request(const PendingPartition *p, PendingBatch *batch, LogAppendRequest *request)
{
	Assert(batch->sealed);
	pgt_pending_batch_load(batch);
	memset(request, 0, sizeof(*request));
	request->batch = batch->data;
	request->length = batch->stored;
	request->records_length = batch->stored_length - RECORD_BATCH_HEADER_SIZE;
	request->last_offset_delta = batch->last_offset_delta;
	request->records = batch->records;
	request->min_timestamp = batch->min_timestamp;
	request->max_timestamp = batch->max_timestamp;
	request->log_append_time = p->config.log_append_time && batch->required_offset == NO_OFFSET;
	request->required_offset = batch->required_offset;
	request->producer_id = NO_PRODUCER_ID;
	request->producer_epoch = -1;
	request->base_sequence = -1;
	request->producer_starts = false;
}

/* Append so many batches of a partition from the first on, which are a run. */
static void
append_run(PendingPartition *p, PendingBatch *first, int count, FullTransactionId xid)
{
	LogAppendRequest *requests = palloc(count * sizeof(LogAppendRequest));

	for (int i = 0; i < count; i++)
		make_request(p, &first[i], &requests[i]);
	pgt_log_writer_append(p->state, &p->config, requests, count, xid, &p->own);
	for (int i = 0; i < count; i++)
	{
		note_appended(p, &first[i], requests[i].base_offset);
		pgt_pending_batch_free(&first[i]);
	}
	pfree(requests);
}

/*
 * How many batches of a partition from the first on are appended at once: one at least.
 * No more than a segment takes, since each roll syncs files while the lock is held.
 */
static int
run_length(const PendingPartition *p, int first)
{
	Size		most = Min(RUN_BYTES, p->config.segment_bytes);
	Size		bytes = p->batches[first].stored;
	int			end = first + 1;

	while (end < p->count && bytes + p->batches[end].stored <= most)
		bytes += p->batches[end++].stored;
	return end - first;
}

/* The lock of a partition's turn. */
static LOCKTAG
turn_tag(const TopicPartition *key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, key->database, key->topic, key->partition, TURN_LOCK_CLASS);
	return tag;
}

/*
 * Append all pending batches of a partition.  What takes several runs waits for its
 * turn, in which no other such transaction appends to the partition.
 */
static void
append_partition(PendingPartition *p, FullTransactionId xid)
{
	bool		in_turn = run_length(p, 0) < p->count;
	LOCKTAG		turn = turn_tag(&p->key);
	int			count;

	if (in_turn)
		(void) LockAcquire(&turn, ExclusiveLock, false, false);
	for (int i = 0; i < p->count; i += count)
	{
		/* a transaction of any size can be cancelled while it appends */
		CHECK_FOR_INTERRUPTS();
		count = run_length(p, i);
		append_run(p, &p->batches[i], count, xid);
		FAULT_HALT("run-appended");
	}
	if (in_turn)
		(void) LockRelease(&turn, ExclusiveLock, false);
	p->count = 0;
	p->mark_count = 0;
}

/* The partition whose topic has the highest min.insync.replicas. */
static const PendingPartition *
strictest(PendingPartition *const *sorted, int count)
{
	const PendingPartition *found = sorted[0];

	for (int i = 1; i < count; i++)
		if (sorted[i]->config.min_insync_replicas > found->config.min_insync_replicas)
			found = sorted[i];
	return found;
}

/* ERROR: there are not enough slots for new partitions. */
static void
report_no_room(Oid topic, const PartitionRoom *room)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("cannot produce to topic \"%s\": too many topic partitions", get_rel_name(topic)),
			 errdetail("The transaction needs %d new partitions. The server has room for %d, of which %d are in use, %d of them by this database.",
					   room->wanted, pgt_log_state->max_partitions, room->taken, room->of_database),
			 room->by_database ?
			 errhint("Drop topics, or raise pg_topics.max_partitions_per_database.") :
			 errhint("Drop topics, or raise pg_topics.max_partitions and restart the server.")));
}

/*
 * Find the partitions' slots.  A topic takes its slots when it is created; the topics of
 * a copied database take theirs here, either all of them or, with an ERROR, none.
 */
static void
find_states(PendingPartition **sorted, int count)
{
	bool		missing = false;
	TopicPartition *keys;
	PartitionRoom room;

	for (int i = 0; i < count; i++)
	{
		sorted[i]->state = pgt_log_state_find(&sorted[i]->key);
		missing |= sorted[i]->state == NULL;
	}
	if (likely(!missing))
		return;
	keys = palloc(count * sizeof(TopicPartition));
	for (int i = 0; i < count; i++)
		keys[i] = sorted[i]->key;
	if (!pgt_log_state_reserve(keys, count, &room))
		report_no_room(keys[0].topic, &room);
	for (int i = 0; i < count; i++)
		sorted[i]->state = pgt_log_state_find(&keys[i]);
	pfree(keys);
}

/* Append all pending records. */
static void
append_all(void)
{
	PendingPartition **sorted;
	const PendingPartition *most;
	FullTransactionId xid;
	int			count;

	if (!pgt_producer_has_pending(InvalidOid))
		return;
	sorted = pgt_pending_partition_take(&count);
	most = strictest(sorted, count);
	pgt_acks_check(most->key.topic, most->config.min_insync_replicas);
	pgt_acks_apply();
	find_states(sorted, count);
	/* readers wait for this transaction from its first append on, so compress everything before */
	for (int i = 0; i < count; i++)
		if (pgt_pending_partition_open_batch(sorted[i]) != NULL)
			pgt_pending_batch_seal(&sorted[i]->config, pgt_pending_partition_open_batch(sorted[i]));
	xid = GetTopFullTransactionId();
	for (int i = 0; i < count; i++)
		append_partition(sorted[i], xid);
	pfree(sorted);
	pgt_pending_batch_close_file();
	FAULT_POINT("all-appended");
}

void
pgt_producer_flush(void)
{
	if (pgt_producer_has_pending(InvalidOid) && GetCurrentTransactionNestLevel() > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("flush() cannot append inside a subtransaction"),
				 errdetail("Appended records could not be removed again if the savepoint were rolled back."),
				 errhint("Call flush() outside of savepoints and of PL/pgSQL blocks with EXCEPTION.")));
	append_all();
}

const ProducerRange *
pgt_producer_last_committed(int *count)
{
	*count = committed.count;
	return committed.ranges;
}

void
pgt_producer_forget_committed(void)
{
	committed.count = 0;
}

const ProducerRange *
pgt_producer_flushed(int *count)
{
	*count = appended.count;
	return appended.ranges;
}

/* ---- the transaction's end ----------------------------------------------- */

/* Wake consumers that wait for the topics appended to. */
static void
wake_waiters(void)
{
	for (int i = 0; i < appended.count; i++)
		pgt_topic_waiters_announce(MyDatabaseId, appended.ranges[i].topic, appended.ranges[i].partition,
								   appended.ranges[i].records);
}

/* Reset the state; the transaction itself frees the memory and closes the file. */
static void
end_transaction(void)
{
	appended.count = 0;
	pgt_pending_partition_forget();
}

/* Let produced() show what the transaction has appended, if it has appended anything. */
static void
keep_ranges(void)
{
	RangeList	reuse = committed;

	if (appended.count == 0)
		return;
	committed = appended;
	appended = reuse;
}

/* Transaction callback: append pending records before the commit, reset the state after it. */
static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			append_all();
			if (appended.count > 0)
				pgt_acks_apply();
			pgt_pending_batch_close_file();
			break;
		case XACT_EVENT_COMMIT:
			wake_waiters();
			keep_ranges();
			end_transaction();
			break;
		case XACT_EVENT_ABORT:
			/* records that flush() appended no longer hold readers back */
			wake_waiters();
			end_transaction();
			break;
		case XACT_EVENT_PREPARE:
			end_transaction();
			break;
		default:
			break;
	}
}

void
pgt_producer_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	pgt_pending_partition_init();
}
