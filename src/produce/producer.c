/*
 * producer.c
 *	  Records of the running transaction: buffered, taken back with
 *	  savepoints, appended just before the commit record.
 *
 * Each partition the transaction writes to has a list of batches
 * (pending_batch.c).  The last one is open: records are encoded straight into
 * its buffer.  A batch is sealed when it is full or when the transaction ends,
 * all before any lock is taken.
 *
 *	  partition 0:	[sealed][sealed on disk][sealed][open.....]
 *											^ mark of subtransaction 7
 *
 * Once the batches in memory exceed pg_topics.buffer_memory, each further batch goes to
 * a temporary file when it is sealed, so that a transaction of any size runs in bounded
 * memory.
 *
 * Subtransactions nest, so the records of a subtransaction are always at the end of
 * each list.  A mark says where a list ended when the subtransaction first added to it:
 * a rollback cuts the list there, a release hands the mark to the parent.  Where the
 * mark is inside a sealed batch, that batch becomes open again.
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
 * Memory: everything lives in a context below TopTransactionContext, the
 * ranges that produced() shows in TopMemoryContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "log/topic_waiters.h"
#include "miscadmin.h"
#include "produce/acks.h"
#include "produce/producer.h"
#include "storage/lock.h"
#include "util/advisory_lock.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "util/subxact_stack.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How much is appended under one hold of a partition's lock, if it is more than a batch. */
#define RUN_BYTES			(1024 * 1024)

int			pgt_buffer_memory = 64 * 1024;

/* Where a partition's list ended when a subtransaction first added to it. */
typedef struct Mark
{
	SubTransactionId subid;
	int			batch;			/* index of the batch that was open */
	PendingBatch as_was;		/* the batch's counters then; records 0: no batch was open */
} Mark;

typedef struct PendingPartition
{
	TopicPartition key;			/* hash key */
	PartitionState *state;		/* set just before the append */
	LogWriterRange own;			/* where its appended batches are */
	LogConfig	config;
	PendingBatch *batches;
	int			count;
	int			capacity;
	Mark	   *marks;
	int			mark_count;
	int			mark_capacity;
	int			range;			/* index of its appended range, from 1 on; 0: it has none */
	bool		listed;			/* is it among those with pending batches? */
} PendingPartition;

/* Partitions, in the transaction's context. */
typedef struct PartitionList
{
	PendingPartition **partitions;
	int			count;
	int			capacity;
} PartitionList;

/* Of the running transaction; reset when it ends. */
static MemoryContext context = NULL;
static HTAB *partitions = NULL;
static PendingPartition *last_used = NULL;
static PartitionList pending;	/* all with batches, and some that a savepoint has taken back */
static SubxactStack marked;		/* partitions with a mark of a subtransaction */

/* The ranges that a transaction has appended. */
typedef struct RangeList
{
	ProducerRange *ranges;		/* in TopMemoryContext */
	int			count;
	int			capacity;
} RangeList;

static RangeList appended;		/* by the running transaction */
static RangeList committed;		/* by the last committed one that appended */

/* ---- batches ------------------------------------------------------------- */

/* The partition's open batch, or NULL. */
static PendingBatch *
open_batch(PendingPartition *p)
{
	PendingBatch *last = p->count > 0 ? &p->batches[p->count - 1] : NULL;

	return last != NULL && !last->sealed ? last : NULL;
}

/* List a partition that gets its first batch. */
static void
list_pending(PendingPartition *p)
{
	if (p->listed)
		return;
	if (pending.count == pending.capacity)
	{
		int			capacity = Max(16, pending.capacity * 2);

		pending.partitions = pending.partitions == NULL ?
			MemoryContextAlloc(context, capacity * sizeof(*pending.partitions)) :
			repalloc_huge(pending.partitions, capacity * sizeof(*pending.partitions));
		pending.capacity = capacity;
	}
	pending.partitions[pending.count++] = p;
	p->listed = true;
}

/* Start an empty batch at the end of the list. */
static PendingBatch *
start_batch(PendingPartition *p, uint32 capacity)
{
	list_pending(p);
	if (p->count == p->capacity)
	{
		p->capacity = Max(4, p->capacity * 2);
		if (p->batches == NULL)
			p->batches = MemoryContextAlloc(context, p->capacity * sizeof(PendingBatch));
		else
			p->batches = repalloc_huge(p->batches, p->capacity * sizeof(PendingBatch));
	}
	pgt_pending_batch_init(&p->batches[p->count], capacity);
	return &p->batches[p->count++];
}

/*
 * Move the batch that the partition has just sealed to the file, if the batches in
 * memory exceed the limit.  Older batches stay in memory: which ones are moved does
 * not matter, as each is read back exactly once.
 */
static void
spill_newest(PendingPartition *p)
{
	PendingBatch *batch = &p->batches[p->count - 1];

	if (pgt_pending_batch_memory() <= (Size) pgt_buffer_memory * 1024)
		return;
	pgt_pending_batch_spill(batch);
}

/* Move all open batches to the file: with many partitions they alone may exceed the limit. */
static void
spill_open(void)
{
	for (int i = 0; i < pending.count; i++)
	{
		PendingPartition *p = pending.partitions[i];
		PendingBatch *open = open_batch(p);

		/* a batch that was cut back may still be in the file */
		if (open == NULL || open->records == 0 || open->data == NULL)
			continue;
		pgt_pending_batch_seal(&p->config, open);
		pgt_pending_batch_spill(open);
	}
}

/* ---- subtransactions ----------------------------------------------------- */

/* Remember where the list ends, once for each subtransaction. */
static void
set_mark(PendingPartition *p, SubTransactionId subid)
{
	Mark	   *mark;
	PendingBatch *open;

	if (subid == TopSubTransactionId ||
		(p->mark_count > 0 && p->marks[p->mark_count - 1].subid == subid))
		return;
	if (p->mark_count == p->mark_capacity)
	{
		p->mark_capacity = Max(4, p->mark_capacity * 2);
		if (p->marks == NULL)
			p->marks = MemoryContextAlloc(context, p->mark_capacity * sizeof(Mark));
		else
			p->marks = repalloc(p->marks, p->mark_capacity * sizeof(Mark));
	}
	pgt_subxact_stack_note(&marked, context, GetCurrentSubTransactionId(), p);
	mark = &p->marks[p->mark_count++];
	memset(mark, 0, sizeof(*mark));
	open = open_batch(p);
	mark->subid = subid;
	mark->batch = open != NULL ? p->count - 1 : p->count;
	if (open != NULL)
		mark->as_was = *open;
}

/* Cut the list back to a mark. */
static void
cut_to_mark(PendingPartition *p, const Mark *mark)
{
	PendingBatch *batch;
	int			keep = mark->batch + (mark->as_was.records > 0 ? 1 : 0);

	while (p->count > keep)
		pgt_pending_batch_free(&p->batches[--p->count]);
	if (mark->as_was.records == 0)
		return;

	/* the batch was open then: open it again, with the records that it had */
	batch = &p->batches[mark->batch];
	batch->length = mark->as_was.length;
	batch->records = mark->as_was.records;
	batch->last_offset_delta = mark->as_was.last_offset_delta;
	batch->min_timestamp = mark->as_was.min_timestamp;
	batch->max_timestamp = mark->as_was.max_timestamp;
	batch->sealed = false;
}

/* A subtransaction was released: hand its mark to the parent, unless that has one. */
static bool
release_mark(void *thing, SubTransactionId subid, SubTransactionId parent)
{
	PendingPartition *p = thing;

	if (p->mark_count == 0 || p->marks[p->mark_count - 1].subid != subid)
		return false;
	if (parent == TopSubTransactionId ||
		(p->mark_count > 1 && p->marks[p->mark_count - 2].subid == parent))
	{
		p->mark_count--;
		return false;
	}
	p->marks[p->mark_count - 1].subid = parent;
	return true;
}

/* A subtransaction was rolled back: remove its records. */
static void
undo_mark(void *thing, SubTransactionId subid)
{
	PendingPartition *p = thing;

	if (p->mark_count == 0 || p->marks[p->mark_count - 1].subid != subid)
		return;
	p->mark_count--;
	cut_to_mark(p, &p->marks[p->mark_count]);
}

/* A subtransaction has ended: hand its marks on or cut the lists back.  Must not throw. */
static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		pgt_subxact_stack_release(&marked, subid, parent, release_mark);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		pgt_subxact_stack_undo(&marked, subid, undo_mark);
}

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

/* Make the transaction's context and table. */
static void
begin_transaction(void)
{
	HASHCTL		info = {0};

	context = AllocSetContextCreate(TopTransactionContext, "pg_topics producer",
									ALLOCSET_DEFAULT_SIZES);
	info.keysize = sizeof(TopicPartition);
	info.entrysize = sizeof(PendingPartition);
	info.hcxt = context;
	partitions = hash_create("pg_topics pending partitions", 16, &info,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	last_used = NULL;
	pgt_pending_batch_begin(context);
}

/* The transaction's list for a partition. */
static PendingPartition *
find_partition(const TopicPartition *key, const LogConfig *config)
{
	PendingPartition *p;
	bool		found;

	if (partitions == NULL)
		begin_transaction();
	p = last_used;
	if (p == NULL || memcmp(&p->key, key, sizeof(*key)) != 0)
	{
		p = hash_search(partitions, key, HASH_ENTER, &found);
		if (!found)
		{
			memset((char *) p + sizeof(*key), 0, sizeof(*p) - sizeof(*key));
			p->config = *config;
		}
		last_used = p;
	}
	/* the copy of a record that could not be processed may be larger than the topic allows */
	p->config.max_message_bytes = Max(p->config.max_message_bytes, config->max_message_bytes);
	return p;
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
	PendingBatch *batch = open_batch(p);

	if (batch != NULL && batch->records > 0 &&
		!fits(p, batch, record, size, offset_delta(batch, record)))
	{
		pgt_pending_batch_seal(&p->config, batch);
		spill_newest(p);
		batch = NULL;
	}
	if (batch != NULL)
		pgt_pending_batch_reopen(batch);
	else
	{
		/* small transactions, and those with many partitions, begin with little memory */
		bool		bulk = p->count > 0 && hash_get_num_entries(partitions) <= 16;
		Size		capacity = bulk ? pgt_batch_size : 1024;

		batch = start_batch(p, Max(capacity, RECORD_BATCH_HEADER_SIZE + size));
		batch->required_offset = record->offset;
		batch->base_timestamp = record->timestamp;
		batch->min_timestamp = batch->max_timestamp = record->timestamp;
		batch->last_offset_delta = -1;
	}
	return batch;
}

/*
 * ERROR where the record is too large even alone in a batch.  Where the topic names no codec
 * the limit is max.message.bytes.  With a codec the compressed size is checked later
 * (seal_large()); here the limit is "most" bytes, as much as a reader can hold.
 */
static void
check_size(const TopicPartition *key, const LogConfig *config, Size size, int32 most)
{
	bool		compressed = pgt_pending_batch_counts_compressed(config);
	Size		limit = compressed ? most : Min(config->max_message_bytes, most);

	if (RECORD_BATCH_HEADER_SIZE + size <= limit)
		return;
	if (compressed || config->max_message_bytes > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record of %zu bytes for partition %d of topic \"%s\" is too large",
						size, key->partition, get_rel_name(key->topic)),
				 errdetail("With its batch header it can have at most %d bytes uncompressed.", most),
				 errhint("Store the value elsewhere and produce a reference.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("record of %zu bytes for partition %d of topic \"%s\" is too large",
					size, key->partition, get_rel_name(key->topic)),
			 errdetail("With its batch header it can have at most %d bytes (max.message.bytes).",
					   config->max_message_bytes),
			 errhint("Raise the topic's option max.message.bytes, or store the value elsewhere and produce a reference.")));
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
	spill_newest(p);
}

/*
 * ERROR where a record for a compacted topic has no key: compaction keeps the last record
 * of each key.
 */
static void
check_key(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	if (!config->compacted || record->key_length >= 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("record for partition %d of topic \"%s\" has no key",
					key->partition, get_rel_name(key->topic)),
			 errdetail("The topic is compacted: its cleanup.policy keeps the last record of each key."),
			 errhint("Give the record a key, or set the topic's cleanup.policy to delete.")));
}

/*
 * ERROR where the topic's partitioner is enforced and places the record's key elsewhere:
 * queries look for a key only where it must be.
 */
static void
check_placement(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	const KeyPlacement *placement = &config->placement;
	int32		placed;

	if (likely(placement->rule == PLACED_ANYWHERE) || record->key_length < 0 ||
		pgt_key_placement_allows(placement, key->partition, record->key, record->key_length))
		return;
	placed = pgt_placement_rule_apply(placement->rule, placement->partitions, record->key, record->key_length);
	if (placed != key->partition && placed != NO_PLACEMENT)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("record for partition %d of topic \"%s\" has a key that belongs to partition %d",
						key->partition, get_rel_name(key->topic), placed),
				 errdetail("The topic's option partitioner.enforce is on: each key is where the topic's own partitioner places it."),
				 errhint("Leave the partition out and pg_topics.partitioner empty, or set the topic's option partitioner.enforce to off.")));
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("record for partition %d of topic \"%s\" has a key that is not in the form of its type",
					key->partition, get_rel_name(key->topic)),
			 errdetail("The topic's option partitioner.enforce is on, so the bytes of a key must be those that its value has when it is produced in SQL.")));
}

/*
 * ERROR: a timestamp is further from the clock than the topic's option allows; Kafka
 * calls it InvalidTimestampException.
 */
static void
refuse_timestamp(const TopicPartition *key, const Record *record, const char *where,
				 const char *option, int64 limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp %s of a record for partition %d of topic \"%s\" is too far %s the server's clock",
					timestamptz_to_str(pgt_clock_to_timestamptz(record->timestamp)), key->partition,
					get_rel_name(key->topic), where),
			 errdetail("The topic's option %s allows %lld ms.", option, (long long) limit),
			 errhint("Check the producer's clock, or raise the topic's option %s.", option)));
}

/*
 * Check a record's timestamp against the topic's limits: a timestamp far from now is
 * mostly a mistake, and one in the future keeps its segment from retention.  With
 * LogAppendTime the append sets the timestamp, so nothing is checked.
 */
static void
check_timestamp(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	int64		before = config->timestamp_before_max_ms;
	int64		after = config->timestamp_after_max_ms;
	int64		now = pgt_clock_from_timestamptz(GetCurrentStatementStartTimestamp());

	if (config->log_append_time)
		return;
	/* no need to read the clock if the timestamp was not too far ahead when the statement began */
	if (before == PG_INT64_MAX && pgt_clock_ms_between(now, record->timestamp) <= after)
		return;
	now = pgt_clock_now_ms();
	if (pgt_clock_ms_between(now, record->timestamp) > after)
		refuse_timestamp(key, record, "ahead of", "message.timestamp.after.max.ms", after);
	if (pgt_clock_ms_between(record->timestamp, now) > before)
		refuse_timestamp(key, record, "behind", "message.timestamp.before.max.ms", before);
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
	{
		check_key(key, config, record);
		check_timestamp(key, config, record);
	}
	check_size(key, config, size, most);
	check_placement(key, config, record);
	p = find_partition(key, config);
	set_mark(p, GetCurrentSubTransactionId());
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
		spill_open();
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
	PendingPartition *p = last_used;
	PendingBatch *batch;

	if (partitions == NULL)
		return false;
	if (p == NULL || memcmp(&p->key, key, sizeof(*key)) != 0)
		p = hash_search(partitions, key, HASH_FIND, NULL);
	if (p == NULL)
		return false;
	batch = open_batch(p);
	return batch != NULL && batch->records > 0 && has_room(p, batch, size);
}

bool
pgt_producer_has_pending(Oid topic)
{
	for (int i = 0; i < pending.count; i++)
	{
		const PendingPartition *p = pending.partitions[i];

		if (p->count > 0 && (!OidIsValid(topic) || p->key.topic == topic))
			return true;
	}
	return false;
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
	LogAppendRequest *requests = MemoryContextAlloc(context, count * sizeof(LogAppendRequest));

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

/* The order in which partitions are appended to. */
static int
compare_partitions(const void *a, const void *b)
{
	const TopicPartition *left = &(*(PendingPartition *const *) a)->key;
	const TopicPartition *right = &(*(PendingPartition *const *) b)->key;

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	return left->partition < right->partition ? -1 : left->partition > right->partition;
}

/* The partitions with pending records, in order; none is listed afterwards. */
static PendingPartition **
take_pending(int *count)
{
	PendingPartition **sorted = pending.partitions;

	*count = 0;
	for (int i = 0; i < pending.count; i++)
	{
		PendingPartition *p = pending.partitions[i];

		p->listed = false;
		if (p->count > 0)
			sorted[(*count)++] = p;
	}
	pending = (PartitionList) {0};
	qsort(sorted, *count, sizeof(*sorted), compare_partitions);
	return sorted;
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
	keys = MemoryContextAlloc(context, count * sizeof(TopicPartition));
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
	sorted = take_pending(&count);
	most = strictest(sorted, count);
	pgt_acks_check(most->key.topic, most->config.min_insync_replicas);
	pgt_acks_apply();
	find_states(sorted, count);
	/* readers wait for this transaction from its first append on, so compress everything before */
	for (int i = 0; i < count; i++)
		if (open_batch(sorted[i]) != NULL)
			pgt_pending_batch_seal(&sorted[i]->config, open_batch(sorted[i]));
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
	context = NULL;
	partitions = NULL;
	last_used = NULL;
	pending = (PartitionList) {0};
	pgt_subxact_stack_forget(&marked);
	pgt_pending_batch_forget();
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
	RegisterSubXactCallback(subxact_callback, NULL);
}
