/*
 * turn_batch.c
 *	  The batches that a turn of the loop appends.
 *
 * Batches wait until the turn ends, and are then appended partition by partition, those of a
 * partition one behind the other in the order in which they came: so a partition's lock is
 * taken once a turn, however many producers have sent something for it.
 *
 * All batches of a partition in a transaction are one run, between which no batch of another
 * transaction can stand (producer.c says why that matters).  So that the run, and the time for
 * which it holds the lock, stay short, a transaction that has RUN_BYTES is committed before
 * it takes more.
 *
 * Batches of a transaction of Kafka's are runs of their own, since they are appended under its number and not with the
 * turn's transaction, which gets no id for them.
 *
 * Errors.  A batch that cannot be appended (the disk is full, for instance) makes those of its
 * partition that come after it in the turn fail, too: a producer with several requests under way
 * must not find the second one ahead of the first.  Batches of other partitions are not
 * concerned, nor are those before it.
 *
 * Memory: an array for each transaction, and a context that is reset at its end, with the
 * requests of a run side by side, as the log wants them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/core/turn.h"
#include "broker/data/turn_batch.h"
#include "log/topic_waiters.h"
#include "miscadmin.h"
#include "util/fault_point.h"
#include "utils/memutils.h"
#include "wal/log_stable_end.h"
#include "wal/log_writer.h"

/* How many bytes a transaction takes, if it is more than one request. */
#define RUN_BYTES	(1024 * 1024)

static TurnBatch **batches = NULL;	/* of the transaction */
static int	count = 0;
static int	room = 0;
static Size bytes = 0;			/* of all of them */
static FullTransactionId xid;	/* with which they were appended; invalid: none was */
static MemoryContext memory = NULL;

/* ---- appending -------------------------------------------------------------- */

/* By partition and transaction, and those of both as they came. */
static int
compare(const void *a, const void *b)
{
	const TurnBatch *left = *(TurnBatch *const *) a;
	const TurnBatch *right = *(TurnBatch *const *) b;

	if (left->key.topic != right->key.topic)
		return left->key.topic < right->key.topic ? -1 : 1;
	if (left->key.partition != right->key.partition)
		return left->key.partition < right->key.partition ? -1 : 1;
	if (left->transaction != right->transaction)
		return left->transaction < right->transaction ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

/* Are both for the same partition, and of the same transaction? */
static bool
same_run(const TurnBatch *left, const TurnBatch *right)
{
	return left->key.topic == right->key.topic && left->key.partition == right->key.partition &&
		left->transaction == right->transaction;
}

/* The partition's slot, which only topics of a copied database may have to take now. */
static PartitionState *
find_state(const TopicPartition *key)
{
	PartitionState *state = pgt_log_state_find(key);
	PartitionRoom partition_room;

	if (state != NULL)
		return state;
	if (!pgt_log_state_reserve(key, 1, &partition_room))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the server has no room for another topic partition")));
	return pgt_log_state_find(key);
}

/* A partition's batches of one transaction, which are appended together. */
typedef struct Run
{
	TurnBatch **batches;
	int			length;
	LogAppendRequest *requests; /* of the batches, copied: an error may come after a part of them */
} Run;

/* Append them. */
static void
append(void *arg)
{
	Run		   *run = arg;
	LogWriterRange own = {0};
	PartitionState *state = find_state(&run->batches[0]->key);
	uint64		transaction = run->batches[0]->transaction;

	if (transaction != 0)
	{
		pgt_log_writer_append_numbered(state, run->batches[0]->config, run->requests, run->length, transaction);
		return;
	}
	xid = GetTopFullTransactionId();
	pgt_log_writer_append(state, run->batches[0]->config, run->requests, run->length, xid, &own);
}

/* Give the batches what has become of them, and those that were not appended the reason. */
static void
note_outcome(const Run *run, const char *problem)
{
	for (int i = 0; i < run->length; i++)
	{
		TurnBatch  *batch = run->batches[i];

		batch->request = run->requests[i];
		if (problem != NULL && batch->request.outcome == LOG_APPEND_NOT_DONE)
			batch->problem = MemoryContextStrdup(batch->memory, problem);
	}
}

/* Append a run; an ERROR is theirs alone. */
static void
append_or_note(TurnBatch **run_batches, int length)
{
	Run			run = {run_batches, length, palloc(length * sizeof(LogAppendRequest))};
	ErrorData  *error = NULL;

	for (int i = 0; i < length; i++)
		run.requests[i] = run_batches[i]->request;
	(void) pgt_turn_try(append, &run, &error);
	note_outcome(&run, error == NULL ? NULL : error->message);
}

/* Before the transaction commits. */
static void
append_all(TurnWork *work)
{
	MemoryContext caller = MemoryContextSwitchTo(memory);
	TurnBatch **sorted = palloc(count * sizeof(TurnBatch *));
	int			end;

	memcpy(sorted, batches, count * sizeof(TurnBatch *));
	qsort(sorted, count, sizeof(TurnBatch *), compare);
	for (int first = 0; first < count; first = end)
	{
		end = first + 1;
		while (end < count && same_run(sorted[first], sorted[end]))
			end++;
		append_or_note(&sorted[first], end - first);
	}
	MemoryContextSwitchTo(caller);
	FAULT_HALT("turn-appended");
}

/* ---- after the commit ------------------------------------------------------- */

/*
 * Wake sessions that wait for the records, or for the transaction, which no longer holds
 * them back.  With "committed" consumers of ours need not look them up in the index.
 */
static void
announce(const TurnBatch *batch, bool committed, XLogRecPtr lsn)
{
	const LogAppendRequest *request = &batch->request;

	/* whoever ends a transaction of Kafka's announces what it has appended */
	if (request->outcome != LOG_APPEND_DONE || batch->transaction != 0)
		return;
	if (committed)
		pgt_log_stable_end_appended(&batch->key, request->base_offset,
									request->base_offset + request->last_offset_delta + 1, lsn);
	pgt_topic_waiters_announce(batch->key.database, batch->key.topic, batch->key.partition,
							   request->records);
}

/* What a turn has committed. */
typedef struct Committed
{
	uint64		xid;
	XLogRecPtr	lsn;
} Committed;

static void
note_committed(void *arg)
{
	const Committed *end = arg;

	pgt_log_stable_end_committed(end->xid, end->lsn);
}

/* A batch whose transaction has ended. */
typedef struct Ended
{
	const TurnBatch *batch;
	bool		committed;
	XLogRecPtr	lsn;
} Ended;

static void
call_announce(void *arg)
{
	const Ended *ended = arg;

	announce(ended->batch, ended->committed, ended->lsn);
}

/*
 * After the transaction has ended.  Who is told may add batches, to the next transaction.  Whatever fails,
 * all are told: their requests wait for it.
 */
static void
tell_all(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	TurnBatch **told = batches;
	int			told_count = count;

	FAULT_HALT("turn-committed");
	batches = NULL;
	count = room = 0;
	bytes = 0;
	MemoryContextReset(memory);
	if (committed && FullTransactionIdIsValid(xid))
	{
		Committed	end = {U64FromFullTransactionId(xid), lsn};

		(void) pgt_turn_try(note_committed, &end, NULL);
	}
	xid = InvalidFullTransactionId;
	for (int i = 0; i < told_count; i++)
	{
		Ended		ended = {told[i], committed, lsn};

		(void) pgt_turn_try(call_announce, &ended, NULL);
		told[i]->done(told[i], committed, lsn);
	}
	pfree(told);
}

/* ---- adding ----------------------------------------------------------------- */

void
pgt_turn_batch_make_room(Size more)
{
	if (bytes > 0 && bytes + more > RUN_BYTES)
		pgt_turn_end();
}

/* Make the array larger. */
static void
grow(void)
{
	int			larger = Max(64, room * 2);

	batches = batches == NULL ? MemoryContextAlloc(TopMemoryContext, larger * sizeof(TurnBatch *)) :
		repalloc_huge(batches, larger * sizeof(TurnBatch *));
	room = larger;
}

void
pgt_turn_batch_add(TurnBatch *batch)
{
	static TurnWork work = {.before = append_all,.after = tell_all};

	Assert(pgt_turn_is_open());
	if (memory == NULL)
		memory = AllocSetContextCreate(TopMemoryContext, "pg_topics turn", ALLOCSET_DEFAULT_SIZES);
	if (count == room)
		grow();
	if (count == 0)
		pgt_turn_add(&work);
	batch->number = count;
	batch->problem = NULL;
	batch->request.outcome = LOG_APPEND_NOT_DONE;
	batches[count++] = batch;
	bytes += batch->request.length;
}
