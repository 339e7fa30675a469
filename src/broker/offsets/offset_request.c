/*
 * offset_request.c
 *	  A request that commits or deletes offsets: from its partitions to its answer.
 *
 *	  taken apart		the API's file makes a part of each partition, or writes its error to the answer
 *	  admitted			the part is written at the end of the turn (offset_turn.c), with what others commit
 *	  busy				a transaction in SQL has the partition: admitted again, a little later
 *	  durable			all parts are done: wait until the commit is on this server's disk, and on that of
 *						synchronous standbys, as Kafka replicates commits before it answers
 *
 * Whether the group's member may commit is asked whenever parts are admitted: while one waits to be tried again, its
 * partition may be given to another member, who must not be overtaken.
 *
 * Behind a request that waits for its turn, or to be tried again, the connection's next requests wait; while it
 * waits to become durable, they are served.
 *
 * As with Produce, where standbys are away the answer is REQUEST_TIMED_OUT after a while, though the commit may yet
 * become durable: the client commits again.  A partition that stays busy is COORDINATOR_LOAD_IN_PROGRESS, which
 * makes clients try again without looking for another coordinator.
 */
#include "postgres.h"

#include "broker/core/flusher.h"
#include "broker/core/turn.h"
#include "broker/offsets/offset_request.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* As Kafka's offsets.commit.timeout.ms. */
#define TIMEOUT_US	(5 * INT64CONST(1000000))

/* The clock is looked at after so many steps. */
#define STEPS		16

static void go_on(BrokerRequest *request);
static void proceed(void *arg);

/* ---- parts ------------------------------------------------------------------ */

/* A part is done. */
static void
finish_part(OffsetRequestPart *part, KafkaError error)
{
	part->waits = false;
	*part->error = error;
}

/* The parts that are not done get an error. */
static void
finish_waiting(OffsetRequest *whole, KafkaError error)
{
	for (int i = 0; i < whole->count; i++)
		if (whole->parts[i].waits)
			finish_part(&whole->parts[i], error);
	whole->waiting = 0;
}

/* The error for what has become of a part; not for one that is busy. */
static KafkaError
error_of(const OffsetRequestPart *part)
{
	switch (part->write.result)
	{
		case OFFSET_TURN_DONE:
			return KAFKA_ERROR_NONE;
		case OFFSET_TURN_SQL_MEMBER:
			return part->whole->kind->sql_member;
		case OFFSET_TURN_DENIED:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case OFFSET_TURN_GONE:
			return part->whole->gone;
		default:
			return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	}
}

/* Bring the request further, where an ERROR would be that of others as well. */
static void
proceed_or_close(OffsetRequest *whole)
{
	if (!pgt_turn_try(proceed, whole, NULL))
		pgt_broker_close(whole->request, "an error while it was answered");
}

/* OffsetTurnWrite: the turn has ended. */
static void
part_done(OffsetTurnWrite *write, bool committed, XLogRecPtr lsn)
{
	OffsetRequestPart *part = (OffsetRequestPart *) write;
	OffsetRequest *whole = part->whole;

	whole->queued--;
	if (!committed)
		/* as Kafka says where its log of offsets could not be written */
		finish_part(part, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	else if (write->result == OFFSET_TURN_BUSY)
		whole->waiting++;
	else
	{
		finish_part(part, error_of(part));
		/* what was committed before is not written again, and was perhaps committed a moment ago */
		whole->lsn = Max(whole->lsn, pgt_offset_turn_lsn());
	}
	if (whole->queued == 0 && whole->admitted == whole->count && !whole->dropped)
		proceed_or_close(whole);
}

OffsetRequestPart *
pgt_offset_request_add(OffsetRequest *whole, int32 partition, int16 *error)
{
	OffsetRequestPart *part = &whole->parts[whole->count++];

	part->whole = whole;
	part->error = error;
	part->waits = true;
	part->write = (OffsetTurnWrite) {
		.group = whole->group, .topic = whole->topic, .partition = partition,
		.role = whole->request->client->role, .done = part_done
	};
	return part;
}

/* ---- waiting ------------------------------------------------------------------ */

/* BrokerWait: admit again what was busy. */
static void
wake_busy(BrokerRequest *request)
{
	OffsetRequest *whole = request->state;

	whole->admitted = 0;
	whole->waiting = 0;
	go_on(request);
}

/* BrokerWait: what was waited for has come, or the time is over. */
static void
wake(BrokerRequest *request)
{
	proceed(request->state);
}

/* Wait for the end of the turn. */
static void
park_for_turn(OffsetRequest *whole)
{
	BrokerWait	wait = {.wake = wake};

	pgt_broker_park(whole->request, &wait);
}

/* Wait a little for partitions that are busy. */
static void
park_for_busy(OffsetRequest *whole)
{
	BrokerWait	wait = {.wake = wake_busy};

	wait.deadline = pgt_clock_monotonic_us() + TURN_RETRY_MS * INT64CONST(1000);
	pgt_broker_park(whole->request, &wait);
}

/* Wait until what is committed is durable. */
static void
park_for_durable(OffsetRequest *whole)
{
	BrokerWait	wait = {.wake = wake,.pipelined = true};

	wait.lsn = whole->lsn;
	wait.durability = BROKER_SYNCED;
	wait.deadline = whole->deadline;
	pgt_flusher_want(wait.durability, wait.lsn);
	pgt_broker_park(whole->request, &wait);
}

/* ---- the request ---------------------------------------------------------------- */

/* What is committed and not durable yet has not been answered in time. */
static void
time_out(OffsetRequest *whole)
{
	for (int i = 0; i < whole->count; i++)
		if (*whole->parts[i].error == KAFKA_ERROR_NONE)
			*whole->parts[i].error = KAFKA_ERROR_REQUEST_TIMED_OUT;
}

/* All parts have had their turn: answer, or wait for what is missing. */
static void
proceed(void *arg)
{
	OffsetRequest *whole = arg;
	bool		is_late = pgt_clock_monotonic_us() >= whole->deadline;

	if (whole->queued > 0)
	{
		park_for_turn(whole);
		return;
	}
	if (whole->waiting > 0 && !is_late)
	{
		park_for_busy(whole);
		return;
	}
	if (whole->waiting > 0)
		finish_waiting(whole, KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
	if (whole->lsn > pgt_flusher_reached(BROKER_SYNCED))
	{
		if (!is_late)
		{
			park_for_durable(whole);
			return;
		}
		time_out(whole);
	}
	whole->kind->answer(whole);
}

/* Take a partition apart, or begin with a topic. */
static void
take_one(OffsetRequest *whole)
{
	if (whole->partitions < 0)
		whole->partitions = whole->kind->begin_topic(whole, whole->taken_topics);
	else if (whole->taken_partitions < whole->partitions)
		whole->kind->take_partition(whole, whole->taken_topics, whole->taken_partitions++);
	else
	{
		whole->taken_topics++;
		whole->taken_partitions = 0;
		whole->partitions = -1;
	}
}

/* Take the request apart.  False if the slice is over before. */
static bool
take_all(OffsetRequest *whole)
{
	for (int i = 1; whole->taken_topics < whole->topics; i++)
	{
		/* to begin with a topic may be work for more than a slice */
		bool		is_topic = whole->partitions < 0;

		take_one(whole);
		if ((is_topic || i % STEPS == 0) && pgt_broker_slice_is_over())
			return false;
	}
	return true;
}

/* Have all parts written that wait.  False if the slice is over before, or the turn has enough. */
static bool
admit_all(OffsetRequest *whole)
{
	KafkaError	error;

	if (whole->admitted == whole->count)
		return true;
	error = whole->kind->check(whole);
	if (error != KAFKA_ERROR_NONE)
	{
		for (; whole->admitted < whole->count; whole->admitted++)
			if (whole->parts[whole->admitted].waits)
				finish_part(&whole->parts[whole->admitted], error);
		return true;
	}
	while (whole->admitted < whole->count)
	{
		OffsetRequestPart *part = &whole->parts[whole->admitted];

		if (pgt_offset_turn_is_full() || (whole->admitted % STEPS == 0 && whole->queued > 0 && pgt_broker_slice_is_over()))
			return false;
		whole->admitted++;
		if (!part->waits)
			continue;
		pgt_offset_turn_add(&part->write);
		whole->queued++;
	}
	return true;
}

/* Bring the request as far as it goes. */
static void
go_on(BrokerRequest *request)
{
	OffsetRequest *whole = request->state;

	pgt_turn_open();
	if (!take_all(whole) || !admit_all(whole))
		pgt_broker_go_on(request, go_on);
	else
		proceed(whole);
}

/* BrokerRequest: the connection is closed.  What is queued is written all the same, while its memory is there. */
static void
dropped(BrokerRequest *request)
{
	OffsetRequest *whole = request->state;

	whole->dropped = true;
	if (whole->queued > 0)
		pgt_turn_end();
}

OffsetRequest *
pgt_offset_request_begin(BrokerRequest *request, const OffsetRequestKind *kind, int64 parts)
{
	OffsetRequest *whole = palloc0(sizeof(OffsetRequest));

	whole->kind = kind;
	whole->request = request;
	whole->partitions = -1;
	whole->deadline = request->arrived + TIMEOUT_US;
	whole->parts = MemoryContextAllocHuge(request->memory, Max(parts, 1) * sizeof(OffsetRequestPart));
	request->state = whole;
	request->dropped = dropped;
	return whole;
}

void
pgt_offset_request_go(OffsetRequest *whole)
{
	go_on(whole->request);
}
