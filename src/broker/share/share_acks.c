/*
 * share_acks.c
 *	  What members of share groups acknowledge: from the partitions of a request to their errors.
 *
 *	  taken apart	verdicts on records that follow each other, or an error
 *	  prepared		topics are looked up, in slices
 *	  in a turn		all that members have acknowledged in a turn of the loop is written before its commit: a row for
 *					each share partition (share_transaction.c)
 *	  durable		the request waits until the commit is on this server's disk, and on that of synchronous standbys
 *
 * What is rejected, or released after its last try, is marked for the topic's dead-letter topic, if there may be one; then a helper
 * process sends it on (share_rejected.c), and the member need not wait for that.
 *
 * Of a partition all is acknowledged or nothing, as in Kafka: where the member has not one of the records, the partition's error is
 * INVALID_RECORD_STATE.
 *
 * The records change in memory first, under the turn's transaction: until it has ended nobody gets them.  If it is
 * lost, they are the member's again.
 *
 * Errors.  What a turn acknowledges is written in one subtransaction.  If there is an ERROR in it, each request's is
 * tried in a subtransaction of its own, so that it is the error of whoever is its cause.
 *
 * Locks.  The loop waits for none.  Where somebody has what a turn has to write to, all is tried again a little later,
 * until TIMEOUT_US have passed: then it is COORDINATOR_NOT_AVAILABLE, and the client may try again while its leases last.
 */
#include "postgres.h"

#include "broker/core/access.h"
#include "broker/core/flusher.h"
#include "broker/core/topic_lookup.h"
#include "broker/core/topic_names.h"
#include "broker/core/turn.h"
#include "broker/groups/group_configs.h"
#include "broker/share/share_acks.h"
#include "broker/share/share_rejected.h"
#include "consume/share_death.h"
#include "group/group_row.h"
#include "share/share_transaction.h"
#include "topic/topic.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* As Kafka's offsets.commit.timeout.ms. */
#define TIMEOUT_US	(5 * INT64CONST(1000000))

#define SLICE_US	(5 * INT64CONST(1000))	/* of a turn */

/* The types of acknowledgements on the wire. */
enum
{
	TYPE_GAP,					/* there is no record */
	TYPE_ACCEPT,
	TYPE_RELEASE,
	TYPE_REJECT,
	TYPE_RENEW
};

static dlist_head waiting = DLIST_STATIC_INIT(waiting);
static dlist_head in_turn = DLIST_STATIC_INIT(in_turn);

static void work_before(TurnWork *work);
static void work_after(TurnWork *work, bool committed, XLogRecPtr lsn);

static TurnWork turn_work = {.before = work_before,.after = work_after};
static bool work_added = false;
static Oid	offsets_table = InvalidOid; /* of the extension, in this turn; and its schema */
static Oid	schema = InvalidOid;
static int64 slice_end;			/* of this turn */
static bool any_done;			/* a part was looked at in this turn */
static bool any_left;			/* there was no time for another one */
static EventLoopTimer retry;

static void go_on(BrokerRequest *request);

/* ---- taking apart --------------------------------------------------------------------- */

/* Does an acknowledgement make sense, behind one that ended at an offset? */
static bool
is_sound(const ShareAcksBatch *batch, int64 before, bool renews)
{
	int64		records = batch->last_offset - batch->first_offset + 1;
	int32		types = batch->acknowledge_types.count;

	if (batch->first_offset < 0 || batch->last_offset < batch->first_offset || batch->first_offset <= before ||
		batch->last_offset == PG_INT64_MAX || types < 1 || (types > 1 && types != records))
		return false;
	for (int32 i = 0; i < types; i++)
	{
		int8		type = batch->acknowledge_types.items[i];

		if (type < TYPE_GAP || type > TYPE_RENEW || (type == TYPE_RENEW && !renews))
			return false;
	}
	return true;
}

static ShareVerdict
verdict_of(int8 type, int64 first, int64 last)
{
	static const ShareRecordState outcomes[] = {
		[TYPE_GAP] = SHARE_ARCHIVED,[TYPE_ACCEPT] = SHARE_ACKNOWLEDGED,[TYPE_RELEASE] = SHARE_AVAILABLE,
		[TYPE_REJECT] = SHARE_REJECTED,[TYPE_RENEW] = SHARE_ACQUIRED
	};

	return (ShareVerdict) {.first = first,.last = last,.renews = type == TYPE_RENEW,.outcome = outcomes[type]};
}

/* Add a batch's verdicts. */
static void
add_batch(ShareAcksPart *part, const ShareAcksBatch *batch)
{
	if (batch->acknowledge_types.count == 1)
	{
		part->verdicts[part->count++] = verdict_of(batch->acknowledge_types.items[0], batch->first_offset, batch->last_offset);
		return;
	}
	for (int32 i = 0; i < batch->acknowledge_types.count; i++)
	{
		int64		offset = batch->first_offset + i;

		if (i > 0 && batch->acknowledge_types.items[i] == batch->acknowledge_types.items[i - 1])
			part->verdicts[part->count - 1].last = offset;
		else
			part->verdicts[part->count++] = verdict_of(batch->acknowledge_types.items[i], offset, offset);
	}
}

void
pgt_share_acks_take(ShareAcksPart *part, const KafkaUuid *topic, int32 partition, const ShareAcksBatch *batches, int32 count,
					bool renews)
{
	int64		before = -1;
	int64		room = 0;

	*part = (ShareAcksPart) {.topic = *topic,.partition = partition};
	for (int32 i = 0; i < count; i++)
	{
		if (!is_sound(&batches[i], before, renews))
		{
			part->error = KAFKA_ERROR_INVALID_REQUEST;
			part->message = "the acknowledgements make no sense";
			return;
		}
		before = batches[i].last_offset;
		room += batches[i].acknowledge_types.count;
	}
	part->verdicts = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(ShareVerdict));
	for (int32 i = 0; i < count; i++)
		add_batch(part, &batches[i]);
	part->waits = true;
}

/* ---- parts ---------------------------------------------------------------------------- */

static void
finish(ShareAcksPart *part, KafkaError error)
{
	part->waits = false;
	part->error = error;
}

static void
finish_waiting(ShareAcks *acks, KafkaError error)
{
	for (int i = 0; i < acks->count; i++)
	{
		if (acks->parts[i].waits)
			finish(&acks->parts[i], error);
	}
}

static bool
any_waits(const ShareAcks *acks)
{
	for (int i = 0; i < acks->count; i++)
	{
		if (acks->parts[i].waits)
			return true;
	}
	return false;
}

/* May records of a part be rejected? */
static bool
may_reject(const ShareAcksPart *part)
{
	for (int i = 0; i < part->count; i++)
	{
		if (part->verdicts[i].outcome == SHARE_REJECTED || part->verdicts[i].outcome == SHARE_AVAILABLE)
			return true;
	}
	return false;
}

/* Look a part's topic up. */
static void
prepare(const ShareAcks *acks, ShareAcksPart *part)
{
	const Topic *topic;
	KafkaError	error;

	part->relid = pgt_topic_names_by_id(&part->topic);
	error = pgt_topic_lookup(acks->request->client, part->relid, ACL_SELECT, &topic);
	if (error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)
		error = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
	else if (error == KAFKA_ERROR_NONE && (part->partition < 0 || part->partition >= topic->partitions))
		error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (error != KAFKA_ERROR_NONE)
	{
		finish(part, error);
		return;
	}
	part->max_attempts = topic->max_attempts;
	part->sends_on = may_reject(part) && pgt_share_death_may_have_topic(topic);
}

/* ---- the turn --------------------------------------------------------------------------- */

static void
move(ShareAcks *acks, dlist_head *list)
{
	if (acks->in_list)
		dlist_delete(&acks->node);
	acks->in_list = list != NULL;
	if (list != NULL)
		dlist_push_tail(list, &acks->node);
}

/* Acknowledge what a part says, if nobody is in the way; in a transaction. */
static void
acknowledge(const ShareAcks *acks, ShareAcksPart *part)
{
	ShareGroup	group = {
		.group = {
			.offsets_table = offsets_table,.topic = part->relid,.id = acks->group,.role = acks->request->client->role
		},
		.schema = schema
	};
	ShareRule	rule = {
		.lease_ms = pgt_group_configs_of(acks->group, GROUP_CONFIG_SHARE_RECORD_LOCK_DURATION),.max_deliveries = part->max_attempts,
		.sends_on = part->sends_on
	};
	ShareSlot  *slot;

	part->rejected = false;
	if (!pgt_topic_exists(part->relid))
		finish(part, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
	else if (!pgt_share_group_try_enter(&group, part->partition, NULL, NULL, &slot))
		return;
	else if (slot == NULL ||
			 !pgt_share_member_acknowledge(slot, acks->member, part->verdicts, part->count, &rule, &part->rejected))
		finish(part, KAFKA_ERROR_INVALID_RECORD_STATE);
	else
		finish(part, KAFKA_ERROR_NONE);
}

/*
 * Acknowledge the parts of a request that wait, for pgt_catch_error().  Those for which there is no time go on waiting: a request may name
 * a partition again and again, each time with as many records as a window has.
 */
static void
run_request(void *arg)
{
	const ShareAcks *acks = arg;

	for (int i = 0; i < acks->count; i++)
	{
		if (!acks->parts[i].waits)
			continue;
		if (any_done && pgt_clock_monotonic_us() >= slice_end)
		{
			any_left = true;
			break;
		}
		any_done = true;
		acknowledge(acks, &acks->parts[i]);
	}
	pgt_share_transaction_write();
}

/* The same of all requests of the turn. */
static void
run_all(void *unused)
{
	dlist_iter	iter;

	dlist_foreach(iter, &in_turn)
		run_request(dlist_container(ShareAcks, node, iter.cur));
}

/* What an error tells a member. */
static KafkaError
error_of(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_INSUFFICIENT_PRIVILEGE:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case ERRCODE_OBJECT_IN_USE:
			return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
		default:
			ereport(LOG,
					(errcode(error->sqlerrcode),
					 errmsg("could not acknowledge records of a share group: %s", error->message)));
			return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	}
}

/* The states of parts as they were before an attempt that has failed. */
static bool *
save_waits(const ShareAcks *acks)
{
	bool	   *waits = palloc(Max(acks->count, 1) * sizeof(bool));

	for (int i = 0; i < acks->count; i++)
		waits[i] = acks->parts[i].waits;
	return waits;
}

static void
restore_waits(ShareAcks *acks, const bool *waits)
{
	for (int i = 0; i < acks->count; i++)
	{
		if (waits[i])
			acks->parts[i].waits = true;
	}
}

/* Acknowledge each request's in a subtransaction of its own. */
static void
run_each(bool **waits)
{
	int			n = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &in_turn)
	{
		ShareAcks  *acks = dlist_container(ShareAcks, node, iter.cur);
		ErrorData  *error;

		restore_waits(acks, waits[n]);
		any_done = false;
		error = pgt_catch_error(run_request, acks);
		if (error != NULL)
		{
			restore_waits(acks, waits[n]);
			finish_waiting(acks, error_of(error));
		}
		n++;
	}
}

static void
work_before(TurnWork *work)
{
	bool	  **waits;
	int			count = 0;
	dlist_iter	iter;

	any_done = any_left = false;
	offsets_table = pgt_group_row_extension_table();
	schema = OidIsValid(offsets_table) ? get_rel_namespace(offsets_table) : InvalidOid;
	if (!OidIsValid(schema) || !pgt_share_transaction_try_lock(schema))
		return;
	slice_end = pgt_clock_monotonic_us() + SLICE_US;
	while (!dlist_is_empty(&waiting))
	{
		move(dlist_head_element(ShareAcks, node, &waiting), &in_turn);
		count++;
	}
	waits = palloc(count * sizeof(bool *));
	count = 0;
	dlist_foreach(iter, &in_turn)
		waits[count++] = save_waits(dlist_container(ShareAcks, node, iter.cur));
	if (pgt_catch_error(run_all, NULL) != NULL)
		run_each(waits);
}

/* ---- after the turn ------------------------------------------------------------------------ */

/* BrokerWait: it is durable, or is not in time. */
static void
wake_durable(BrokerRequest *request)
{
	ShareAcks  *acks = request->state;

	if (acks->lsn > pgt_flusher_reached(BROKER_SYNCED))
	{
		for (int i = 0; i < acks->count; i++)
		{
			if (acks->parts[i].error == KAFKA_ERROR_NONE)
				acks->parts[i].error = KAFKA_ERROR_REQUEST_TIMED_OUT;
		}
	}
	acks->done(request);
}

/* The turn has ended, or time has passed: go on with what is left. */
static void
proceed(void *arg)
{
	ShareAcks  *acks = arg;
	BrokerWait	wait = {0};

	if (any_waits(acks) && pgt_clock_monotonic_us() < acks->deadline)
	{
		move(acks, &waiting);
		pgt_event_loop_set_timer(&retry, pgt_clock_monotonic_us() + TURN_RETRY_MS * INT64CONST(1000));
		pgt_broker_park(acks->request, &wait);
		return;
	}
	finish_waiting(acks, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	if (acks->lsn <= pgt_flusher_reached(BROKER_SYNCED))
	{
		acks->done(acks->request);
		return;
	}
	wait.wake = wake_durable;
	wait.lsn = acks->lsn;
	wait.durability = BROKER_SYNCED;
	wait.deadline = pgt_clock_monotonic_us() + TIMEOUT_US;
	pgt_flusher_want(BROKER_SYNCED, acks->lsn);
	pgt_broker_park(acks->request, &wait);
}

static void
proceed_or_close(ShareAcks *acks)
{
	BrokerRequest *request = acks->request;

	if (!pgt_turn_try(proceed, acks, NULL))
		pgt_broker_close(request, "an error while it was answered");
}

/* Has the turn left something that is to be sent on? */
static bool
any_rejected(const ShareAcks *acks)
{
	for (int i = 0; i < acks->count; i++)
	{
		if (acks->parts[i].rejected && acks->parts[i].error == KAFKA_ERROR_NONE)
			return true;
	}
	return false;
}

static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	int64		now = pgt_clock_monotonic_us();
	dlist_mutable_iter iter;
	dlist_head	late = DLIST_STATIC_INIT(late);

	work_added = false;
	while (!dlist_is_empty(&in_turn))
	{
		ShareAcks  *acks = dlist_head_element(ShareAcks, node, &in_turn);

		move(acks, NULL);
		if (!committed)
		{
			/* nothing of it was done */
			for (int i = 0; i < acks->count; i++)
			{
				if (acks->parts[i].error == KAFKA_ERROR_NONE)
					finish(&acks->parts[i], KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
			}
		}
		/* if that is not to be had now, members who fetch see to it */
		if (committed && any_rejected(acks))
			(void) pgt_share_rejected_send(acks->request);
		acks->lsn = Max(acks->lsn, lsn);
		proceed_or_close(acks);
	}
	dlist_foreach_modify(iter, &waiting)
	{
		ShareAcks  *acks = dlist_container(ShareAcks, node, iter.cur);

		if (now >= acks->deadline)
			move(acks, &late);
	}
	while (!dlist_is_empty(&late))
	{
		ShareAcks  *acks = dlist_head_element(ShareAcks, node, &late);

		move(acks, NULL);
		proceed_or_close(acks);
	}
	/* what is left waits for the next turn, or for somebody */
	if (any_left)
	{
		pgt_event_loop_cancel_timer(&retry);
		pgt_event_loop_hurry();
	}
	else if (!dlist_is_empty(&waiting) && retry.due == 0)
		pgt_event_loop_set_timer(&retry, now + TURN_RETRY_MS * INT64CONST(1000));
}

/* Before the turn is committed: there is something to do in it. */
static void
turn_end(void)
{
	if (work_added || dlist_is_empty(&waiting) || retry.due != 0)
		return;
	pgt_turn_open();
	pgt_turn_add(&turn_work);
	work_added = true;
}

/* The timer only wakes the loop. */
static void
retry_due(EventLoopTimer *timer)
{
}

static void
start(void)
{
	retry.expired = retry_due;
}

const BrokerHooks pgt_share_acks_hooks = {.start = start,.turn_end = turn_end};

/* ---- the request ------------------------------------------------------------------------------ */

/* Look the parts up; then they wait for the turn's end. */
static void
go_on(BrokerRequest *request)
{
	ShareAcks  *acks = request->state;
	BrokerWait	wait = {0};

	pgt_turn_open();
	while (acks->prepared < acks->count)
	{
		ShareAcksPart *part = &acks->parts[acks->prepared++];

		if (part->waits)
			prepare(acks, part);
		if (pgt_broker_slice_is_over())
		{
			pgt_broker_go_on(request, go_on);
			return;
		}
	}
	if (!any_waits(acks))
	{
		acks->done(request);
		return;
	}
	move(acks, &waiting);
	/* one that waits to be tried again does not hold up others */
	pgt_event_loop_cancel_timer(&retry);
	pgt_event_loop_hurry();
	pgt_broker_park(request, &wait);
}

void
pgt_share_acks_begin(ShareAcks *acks)
{
	acks->deadline = pgt_clock_monotonic_us() + TIMEOUT_US;
	go_on(acks->request);
}

void
pgt_share_acks_drop(ShareAcks *acks)
{
	move(acks, NULL);
}
