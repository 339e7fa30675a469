/*
 * consume_shared.c
 *	  consume_shared(): records for one of many consumers of a share group.
 *
 * consume() owns a partition as a whole, in order.  Here each record is acquired by itself, so any
 * number of consumers work on one partition, and one that fails or is slow holds up its
 * own records only.  What share groups are, and what is durable of them, is in src/share.
 *
 *	  acquire offsets			in shared memory, up to the log's end (share_group.c)
 *	  read them					as the statement's snapshot sees the log
 *	  offset without a record	skipped, for good
 *	  not visible yet			given back, as if not acquired
 *	  delivered too often		to the dead-letter topic (share_death.c), in place of the caller
 *	  rejected by Kafka's clients, and still there: likewise
 *
 * Offsets are acquired before they are read, since who reads first would read what others read as well.
 *
 * All records of a call are acquired before its statement gets the first one.  So statements that might leave some of
 * them out are refused (consume_whole.c).
 *
 * Partitions take turns: each call of a session begins with another one.
 *
 * Locks: AccessShareLock on the topic until the transaction's end.
 *
 * Memory: a context for each record; the result is a tuplestore.
 */
#include "postgres.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "consume/consume_request.h"
#include "consume/consume_shared.h"
#include "consume/consume_wait.h"
#include "consume/nack_header.h"
#include "consume/share_death.h"
#include "log/topic_waiters.h"
#include "topic/record_rows.h"
#include "util/clock.h"
#include "util/compat.h"
#include "util/fault_point.h"
#include "util/sql_version.h"
#include "wal/log_reader.h"
#include "wal/visible_end.h"

PGT_FUNCTION_INFO(pgt_consume_shared);

#define RANGES_AT_ONCE		64
#define REJECTED_AT_ONCE	64
#define COLUMNS				(TOPIC_COLUMN_COUNT + 1)

/* offsets between two ranges that a reader passes; for more, another one is opened */
#define READ_ON				256

/* so many records that wait are looked at for one that does not; those behind them are hardly due earlier */
#define HELD_AT_ONCE		256

/* A call under way. */
typedef struct SharedCall
{
	const ConsumeRequest *request;
	ShareGroup	group;
	Topic	   *topic;
	Snapshot	snapshot;
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext per_record;
	int32		delivered;
} SharedCall;

/* A partition that is read. */
typedef struct SharedPartition
{
	SharedCall *call;
	ShareSlot  *slot;
	TopicPartition key;
	LogReader  *reader;			/* NULL: none is open */
	int64		unread_from;	/* where acquired offsets begin that the snapshot does not see; -1: there are none */
	bool		has_record;		/* "record" is the next one, not used yet */
	Record		record;
} SharedPartition;

/* with which partition this session's next call begins */
static uint32 next_turn = 0;

/* ---- where a group begins ----------------------------------------------------- */

/* ShareFirstOffset: as auto_offset_reset says.  arg: SharedCall. */
static int64
first_offset(const TopicPartition *key, void *arg)
{
	const SharedCall *call = arg;
	LogBounds	bounds;
	TransactionId blocker;

	switch (call->request->reset)
	{
		case OFFSET_RESET_LATEST:
			return pgt_visible_end(key, call->snapshot, &blocker);
		case OFFSET_RESET_NONE:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("there is no share group \"%s\" in partition %d of topic \"%s\"",
							call->group.group.id, key->partition, get_rel_name(key->topic)),
					 errdetail("auto_offset_reset is \"none\"."),
					 errhint("Set auto_offset_reset to \"earliest\" or \"latest\".")));
		case OFFSET_RESET_EARLIEST:
			break;
	}
	(void) pgt_partition_log_bounds(key, &bounds);
	return bounds.log_start_offset;
}

/* Begin a call: open the topic, and find the group. */
static void
begin_call(SharedCall *call, const ConsumeRequest *request, Oid function)
{
	memset(call, 0, sizeof(*call));
	call->request = request;
	call->topic = pgt_consume_request_open_topic(request, request->topics[0]);
	pgt_share_group_init(&call->group, function, call->topic->relid, request->group.id);
	call->snapshot = GetActiveSnapshot();
}

/* How many partitions the call is for, and the i-th of them. */
static int
partition_count(const SharedCall *call)
{
	return call->request->partitions != NULL ? call->request->partition_count : call->topic->partitions;
}

static int32
partition_at(const SharedCall *call, int i)
{
	return call->request->partitions != NULL ? call->request->partitions[i] : i;
}

/*
 * "latest" is the end of each partition as of the group's first call, whether that comes to
 * read the partition or not.
 */
static void
fix_starts(SharedCall *call)
{
	if (call->request->reset != OFFSET_RESET_LATEST)
		return;
	for (int i = 0; i < partition_count(call); i++)
		(void) pgt_share_group_enter(&call->group, partition_at(call, i), first_offset, call);
}

/* ---- reading --------------------------------------------------------------------- */

/* Put a record into the result. */
static void
put_row(SharedCall *call, int32 partition, const Record *record, int deliveries)
{
	MemoryContext caller = MemoryContextSwitchTo(call->per_record);
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	for (int i = 0; i < TOPIC_COLUMN_COUNT; i++)
		values[i] = pgt_record_rows_column(call->topic, i, false, partition, record, &nulls[i]);
	values[TOPIC_COLUMN_COUNT] = Int32GetDatum(deliveries);
	nulls[TOPIC_COLUMN_COUNT] = false;
	tuplestore_putvalues(call->store, call->desc, values, nulls);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(call->per_record);
}

/* The record has had its last try: another topic gets it. */
static void
give_up(SharedPartition *partition, int deliveries)
{
	SharedCall *call = partition->call;
	ShareAcknowledgement dead = {.outcome = SHARE_ARCHIVED,.deliveries = SHARE_ANY_DELIVERY};

	(void) pgt_share_group_acknowledge(partition->slot, partition->record.offset, &dead, &deliveries);
	pgt_share_death_send(&call->group, call->topic, partition->key.partition, &partition->record,
						 deliveries - 1, NULL);
}

/* Deliver the record, which is acquired. */
static void
deliver(SharedPartition *partition, int deliveries)
{
	SharedCall *call = partition->call;
	int64		offset = partition->record.offset;

	if (pgt_share_death_is_due(call->topic, deliveries - 1))
		give_up(partition, deliveries);
	else if (pgt_nack_header_held_until(call->topic, &partition->record) > 0)
		pgt_share_group_give_back(partition->slot, offset, offset);
	else
	{
		put_row(call, partition->key.partition, &partition->record, deliveries);
		call->delivered++;
	}
}

/* Stand before the first record at or behind an offset; false where the snapshot sees none. */
static bool
move_to(SharedPartition *partition, int64 offset)
{
	while (partition->has_record && partition->record.offset < offset)
		partition->has_record = false;
	if (partition->reader != NULL && pgt_log_reader_position(partition->reader) + READ_ON < offset)
	{
		pgt_log_reader_end(partition->reader);
		partition->reader = NULL;
		partition->has_record = false;
	}
	if (partition->reader == NULL)
		partition->reader = pgt_log_reader_begin(&partition->key, offset, partition->call->snapshot, NULL);
	while (!partition->has_record)
	{
		if (!pgt_log_reader_next(partition->reader, &partition->record))
			return false;
		partition->has_record = partition->record.offset >= offset;
	}
	return true;
}

/* The offsets from first on up to last, but before "end", have no record. */
static void
skip(SharedPartition *partition, int64 first, int64 last, int64 end)
{
	if (first <= Min(last, end - 1))
		pgt_share_group_skip(partition->slot, first, Min(last, end - 1));
}

/* Deliver the records of an acquired range; false where the snapshot sees no more. */
static bool
read_range(SharedPartition *partition, const ShareRange *range)
{
	int64		next = range->first;

	while (next <= range->last)
	{
		CHECK_FOR_INTERRUPTS();
		if (!move_to(partition, next))
		{
			int64		end = pgt_log_reader_position(partition->reader);

			skip(partition, next, range->last, end);
			pgt_share_group_give_back(partition->slot, Max(next, end), range->last);
			partition->unread_from = Max(next, end);
			return false;
		}
		skip(partition, next, range->last, partition->record.offset);
		if (partition->record.offset > range->last)
			break;
		deliver(partition, range->deliveries);
		partition->has_record = false;
		next = partition->record.offset + 1;
	}
	return true;
}

/*
 * The call has given back offsets that its snapshot does not see.  Others may have looked while it had them, and wait:
 * if there are records by now, wake them, as nobody else will.
 */
static void
announce_unread(const SharedPartition *partition)
{
	const TopicPartition *key = &partition->key;
	uint64		group = pgt_topic_waiters_group(partition->call->group.group.id);
	Snapshot	snapshot;
	TransactionId blocker;
	int64		records;

	if (!pgt_topic_waiters_exist(key->database, key->topic, group))
		return;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	records = pgt_visible_end(key, snapshot, &blocker) - partition->unread_from;
	UnregisterSnapshot(snapshot);
	if (records > 0)
		pgt_topic_waiters_announce_to(key->database, key->topic, key->partition, group, records);
}

/* Acquire and deliver records of a partition until the call has enough, or there are no more. */
static void
read_partition(SharedPartition *partition)
{
	SharedCall *call = partition->call;
	ShareTake	take = {
		.lease_ms = (call->request->lease + 999) / 1000,.auto_acknowledge = call->request->auto_commit
	};
	ShareRange	ranges[RANGES_AT_ONCE];
	bool		more = true;
	int			count;

	/* what Kafka's clients have rejected, and nobody has sent on */
	while (partition->slot->window.rejected > 0 &&
		   pgt_share_death_send_rejected(&call->group, call->topic, partition->slot, REJECTED_AT_ONCE) > 0)
		;
	while (more && (take.most = call->request->max_records - call->delivered) > 0 &&
		   (count = pgt_share_group_acquire(partition->slot, &take, ranges, RANGES_AT_ONCE)) > 0)
	{
		FAULT_POINT("share-acquired");
		for (int i = 0; i < count; i++)
		{
			if (more)
				more = read_range(partition, &ranges[i]);
			else
				pgt_share_group_give_back(partition->slot, ranges[i].first, ranges[i].last);
		}
		/* what was given back is not for this call */
		take.from = ranges[count - 1].last + 1;
	}
	if (partition->reader != NULL)
		pgt_log_reader_end(partition->reader);
	if (partition->unread_from >= 0)
		announce_unread(partition);
}

/* Deliver records of all partitions, each in its turn. */
static void
read_partitions(SharedCall *call)
{
	int			count = partition_count(call);
	uint32		turn = next_turn++;

	fix_starts(call);
	for (int i = 0; i < count && call->delivered < call->request->max_records; i++)
	{
		int32		number = partition_at(call, (turn + i) % count);
		SharedPartition partition = {
			.call = call,.key = pgt_topic_partition(call->topic, number),.unread_from = -1
		};

		partition.slot = pgt_share_group_enter(&call->group, number, first_offset, call);
		read_partition(&partition);
	}
}

/* ---- waiting --------------------------------------------------------------------- */

/* What a waiting call looks for. */
typedef struct SharedWait
{
	ConsumeRequest request;
	Oid			function;
} SharedWait;

/* Does a record that could be acquired have to wait?  Then another look is due at its time. */
static bool
is_held(const SharedCall *call, const Record *record)
{
	int64		until = pgt_nack_header_held_until(call->topic, record);

	if (until > 0)
		pgt_consume_wait_again_in(Max(until - pgt_clock_shifted_now_ms(), 1) * 1000);
	return until > 0;
}

/* Is there a record in the partition that the call could acquire and deliver? */
static bool
has_record(SharedPartition *partition)
{
	const SharedCall *call = partition->call;
	TransactionId blocker;
	int64		end = pgt_visible_end(&partition->key, call->snapshot, &blocker);
	int64		offset = 0;
	int64		expires_in;
	int			held = 0;
	bool		found = false;

	while (!found && held < HELD_AT_ONCE &&
		   (offset = pgt_share_group_next_available(partition->slot, offset, end, &expires_in)) >= 0 &&
		   move_to(partition, offset))
	{
		if (partition->record.offset > offset)
			offset = partition->record.offset;
		else if (is_held(call, &partition->record))
		{
			held++;
			offset++;
		}
		else
			found = true;
	}
	if (partition->reader != NULL)
		pgt_log_reader_end(partition->reader);
	if (!found && expires_in >= 0)
		pgt_consume_wait_again_in(expires_in * 1000);
	return found;
}

/* The look of a ConsumeWaiter: is there a record that the call could acquire? */
static ConsumeWaitVerdict
look(void *arg)
{
	SharedWait *wait = arg;
	ConsumeWaitVerdict verdict = WAIT_IDLE;
	SharedCall	call;

	begin_call(&call, &wait->request, wait->function);
	fix_starts(&call);
	for (int i = 0; i < partition_count(&call) && verdict == WAIT_IDLE; i++)
	{
		int32		number = partition_at(&call, i);
		SharedPartition partition = {.call = &call,.key = pgt_topic_partition(call.topic, number)};

		partition.slot = pgt_share_group_enter(&call.group, number, first_offset, &call);
		if (has_record(&partition))
			verdict = WAIT_DONE;
	}
	return verdict;
}

/* Fill in a waiter; false where the call does not wait. */
static bool
fill_waiter(SharedWait *wait, ConsumeWaiter *waiter)
{
	if (wait->request.timeout <= 0)
		return false;
	*waiter = (ConsumeWaiter) {
		.topics = wait->request.topics,.topic_count = 1,
		.group = pgt_topic_waiters_group(wait->request.group.id),
		/* any of them may take some of the news */
		.each = true,.wanted = 1,
		.deadline = pgt_clock_monotonic_us() + wait->request.timeout,
		.look = look,.arg = wait
	};
	return true;
}

/* ConsumeWaitPrepare */
static bool
prepare_wait(const FuncExpr *call, const NullableDatum *args, ConsumeWaiter *waiter)
{
	SharedWait *wait = palloc(sizeof(SharedWait));

	if (XactReadOnly)
		return false;
	pgt_consume_request_parse_shared(&wait->request, call->funcid, args);
	wait->function = call->funcid;
	return fill_waiter(wait, waiter);
}

/* ---- the function ------------------------------------------------------------------ */

/* consume_shared(topic, group_id, max_records, lease, timeout, partitions, auto_acknowledge, auto_offset_reset) */
Datum
pgt_consume_shared(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		waited = pgt_consume_wait_was_done((const Node *) fcinfo->flinfo->fn_expr);
	SharedWait	wait = {.function = fcinfo->flinfo->fn_oid};
	ConsumeWaiter waiter;
	SharedCall	call;

	PreventCommandIfReadOnly("consume_shared()");
	pgt_consume_request_parse_shared(&wait.request, wait.function, fcinfo->args);
	if (!waited && fill_waiter(&wait, &waiter))
	{
		pgt_consume_wait_inside(&waiter);
		/* the wait was for records that the statement's own snapshot need not see */
		PushActiveSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : GetLatestSnapshot());
	}
	else
		PushActiveSnapshot(GetActiveSnapshot());
	begin_call(&call, &wait.request, wait.function);
	InitMaterializedSRF(fcinfo, 0);
	call.store = result->setResult;
	call.desc = result->setDesc;
	call.per_record = AllocSetContextCreate(CurrentMemoryContext, "pg_topics record", ALLOCSET_DEFAULT_SIZES);
	read_partitions(&call);
	PopActiveSnapshot();
	return (Datum) 0;
}

void
pgt_consume_shared_init(void)
{
	pgt_consume_wait_register(pgt_consume_shared, prepare_wait);
}
