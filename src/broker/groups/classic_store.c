/*
 * classic_store.c
 *	  Making a classic group durable: its claims to partitions, its rows.
 *
 *	  BEGIN		with the next turn that ends
 *	  CLAIM		a slice a turn; while a partition is in use in SQL it is tried again, until the rebalance timeout
 *	  WRITE		the rows of members that have changed, then the group's.  A group with many members is written in
 *				several transactions, before the first of which its row says that it is not whole
 *	  WAIT		for the commit to be durable, also on synchronous standbys, as with acks=all
 *	  (done() is called)
 *	  RELEASE	claims that are not needed any more
 *	  REGAIN	if SQL had partitions beyond that timeout, their members were not told of them: they are tried again until the group
 *				rebalances, as it is told to when one can be claimed.  The pauses grow to a second
 *
 * All of it is done at the end of turns, as work of their transactions (turn.h), for some milliseconds a turn,
 * whichever groups it is for.  What one of them does is in a subtransaction, so that its errors are its own.
 *
 * In PREPARING_REBALANCE only the group's row is written, for the generations that it reserves: its members are those of
 * the last generation still.
 *
 * If the group becomes another one on the way, what was begun is of no use: it begins anew with the next call, or the group
 * will call when its next rebalance ends.
 *
 * If standbys do not confirm it in time, members get an error, and rebalance, as with a broker of Kafka whose
 * replicas are gone.
 */
#include "postgres.h"

#include "broker/core/flusher.h"
#include "broker/core/turn.h"
#include "broker/groups/classic_rows.h"
#include "broker/groups/classic_store.h"
#include "group/kafka_claim.h"
#include "util/catch_error.h"
#include "util/clock.h"

#define SLICE_US		(5 * INT64CONST(1000))	/* of a turn, for all groups */
#define RETRY_US		(TURN_RETRY_MS * INT64CONST(1000))
#define RELEASE_MAX_US	(1000 * INT64CONST(1000))	/* between attempts to release */
#define DURABLE_US		(5 * INT64CONST(1000000))	/* Kafka's offsets.commit.timeout.ms */
#define WHOLE_MEMBERS	200 /* so many are written in one transaction */

static dlist_head ready = DLIST_STATIC_INIT(ready);
static dlist_head in_turn = DLIST_STATIC_INIT(in_turn);
static dlist_head waiting = DLIST_STATIC_INIT(waiting);

static void work_before(TurnWork *work);
static void work_after(TurnWork *work, bool committed, XLogRecPtr lsn);

static TurnWork turn_work = {.before = work_before,.after = work_after};
static bool work_added = false;

/* ---- places ------------------------------------------------------------------------- */

/* Go to another list, or to none. */
static void
move(ClassicStore *store, int place)
{
	if (store->place != CLASSIC_STORE_NOWHERE)
		dlist_delete(&store->node);
	store->place = place;
	if (place == CLASSIC_STORE_READY)
	{
		dlist_push_tail(&ready, &store->node);
		pgt_event_loop_hurry();
	}
	else if (place == CLASSIC_STORE_IN_TURN)
		dlist_push_tail(&in_turn, &store->node);
	else if (place == CLASSIC_STORE_WAITING)
		dlist_push_tail(&waiting, &store->node);
}

/* Is the group what it was when this store began? */
static bool
is_current(const ClassicStore *store)
{
	const ClassicGroup *group = store->group;

	if (group->generation != store->generation)
		return false;
	if (store->phase == CLASSIC_STORE_REGAIN)
		return group->state == CLASSIC_GROUP_STABLE;
	if (store->phase == CLASSIC_STORE_RELEASE)
		return group->state == CLASSIC_GROUP_STABLE || group->state == CLASSIC_GROUP_EMPTY;
	return group->state == store->state && (group->state != CLASSIC_GROUP_COMPLETING_REBALANCE || group->storing);
}

/* Do nothing until then, and go on. */
static void
rest(ClassicStore *store, int64 us)
{
	move(store, CLASSIC_STORE_NOWHERE);
	pgt_event_loop_set_timer(&store->timer, pgt_clock_monotonic_us() + us);
}

/* It is stored: go on to release what is not needed any more. */
static void
begin_release(ClassicStore *store)
{
	store->phase = CLASSIC_STORE_RELEASE;
	store->releases = 0;
	store->has_surplus = true;
	pgt_classic_claims_begin_release(&store->claims);
	move(store, CLASSIC_STORE_READY);
}

/* Wait for what SQL has, if there is anything. */
static void
begin_regain(ClassicStore *store)
{
	store->phase = CLASSIC_STORE_IDLE;
	move(store, CLASSIC_STORE_NOWHERE);
	if (store->claims.withheld.count == 0)
		return;
	store->phase = CLASSIC_STORE_REGAIN;
	store->regains = 0;
	pgt_classic_claims_begin_regain(&store->claims);
	rest(store, RETRY_US);
}

/*
 * All is done that is to be reported.  That a group is empty must be stored some time, or its claims would
 * remain; nobody else will ask for that.
 */
static void
report(ClassicStore *store, KafkaError error)
{
	move(store, CLASSIC_STORE_NOWHERE);
	pgt_event_loop_cancel_timer(&store->timer);
	store->phase = CLASSIC_STORE_IDLE;
	if (error != KAFKA_ERROR_NONE && store->state == CLASSIC_GROUP_EMPTY)
	{
		store->phase = CLASSIC_STORE_BEGIN;
		rest(store, RELEASE_MAX_US);
	}
	/* where only some members were looked at nothing is known to be of no use */
	else if (error == KAFKA_ERROR_NONE && !store->claims.only_new && store->state != CLASSIC_GROUP_PREPARING_REBALANCE)
		begin_release(store);
	else if (store->state == CLASSIC_GROUP_STABLE)
		begin_regain(store);
	store->done(store->group, error);
}

/* ---- steps, in a subtransaction at the end of a turn ------------------------------------ */

static int64 slice_end;

/* Have the group's members partitions that it claims? */
static bool
claims(const ClassicStore *store)
{
	const ClassicGroup *group = store->group;

	return store->state != CLASSIC_GROUP_PREPARING_REBALANCE && group->protocol_type != NULL && strcmp(group->protocol_type, CONSUMER_PROTOCOL_TYPE) == 0;
}

/* The next phase begins. */
static void
begin_write(ClassicStore *store)
{
	ClassicGroup *group = store->group;

	pgt_classic_claims_end(&store->claims);
	store->phase = CLASSIC_STORE_WRITE;
	store->next = dlist_is_empty(&group->members) || store->state == CLASSIC_GROUP_PREPARING_REBALANCE ? NULL :
		dlist_head_node(&group->members);
	store->in_parts = store->next != NULL && group->member_count > WHOLE_MEMBERS;
	if (store->in_parts)
	{
		store->is_partial = true;
		pgt_classic_rows_write_group(store->registered, group, false);
	}
	store->has_row = true;
}

/* Write members' rows; true when all are written. */
static bool
write_members(ClassicStore *store)
{
	ClassicGroup *group = store->group;
	KafkaMemberRows *rows = store->next == NULL ? NULL : pgt_kafka_member_rows_begin(store->registered->id);

	while (store->next != NULL)
	{
		pgt_classic_rows_write_member(rows, group, dlist_container(ClassicMember, node, store->next));
		store->next = dlist_has_next(&group->members, store->next) ? dlist_next_node(&group->members, store->next) : NULL;
		if (store->in_parts && store->next != NULL && pgt_clock_monotonic_us() >= slice_end)
			break;
	}
	if (rows != NULL)
		pgt_kafka_member_rows_end(rows);
	return store->next == NULL;
}

/* Write the rest, which makes it whole. */
static void
write_group(ClassicStore *store)
{
	dlist_iter	iter;

	if (store->state != CLASSIC_GROUP_PREPARING_REBALANCE)
		dlist_foreach(iter, &store->group->removed)
			pgt_kafka_member_row_delete(store->registered->id, dlist_container(ClassicMember, node, iter.cur)->id);
	pgt_classic_rows_write_group(store->registered, store->group,
								 store->state != CLASSIC_GROUP_PREPARING_REBALANCE || !store->is_partial);
	store->complete = true;
}

/* Claim partitions; true when that is over. */
static bool
claim_some(ClassicStore *store)
{
	bool		force = pgt_clock_monotonic_us() >= store->give_up;

	switch (pgt_classic_claims_go_on(&store->claims, store->registered, store->group, slice_end, force))
	{
		case CLASSIC_CLAIMS_DONE:
			return true;
		case CLASSIC_CLAIMS_MORE:
			break;
		case CLASSIC_CLAIMS_BUSY:
			store->rest = RETRY_US;
			break;
	}
	return false;
}

/* Find out what is claimed, where that is in doubt. */
static void
read_claims(ClassicStore *store)
{
	if (!store->claims_in_doubt)
		return;
	pgt_classic_claims_read(&store->claims, store->registered);
	store->claims_in_doubt = false;
}

/* Delete the rows of members of the group whose place this one has taken. */
static void
delete_inherited(ClassicStore *store)
{
	ListCell   *cell;

	foreach(cell, pgt_kafka_member_row_ids(store->registered->id))
		pgt_kafka_member_row_delete(store->registered->id, lfirst(cell));
}

/* Begin. */
static void
begin_claims(ClassicStore *store)
{
	store->give_up = pgt_clock_monotonic_us() + pgt_classic_group_rebalance_timeout(store->group);
	if (store->inherits)
		delete_inherited(store);
	read_claims(store);
	pgt_classic_claims_begin(&store->claims, store->group, store->state == CLASSIC_GROUP_STABLE && !store->has_surplus);
	store->phase = CLASSIC_STORE_CLAIM;
}

/* Release partitions. */
static void
release_some(ClassicStore *store)
{
	ClassicClaimsStep step;

	if (store->claims_in_doubt)
	{
		read_claims(store);
		pgt_classic_claims_begin_release(&store->claims);
	}
	step = pgt_classic_claims_release(&store->claims, store->registered, slice_end);
	if (step == CLASSIC_CLAIMS_DONE && store->group->state == CLASSIC_GROUP_EMPTY &&
		!pgt_kafka_claim_release_all(store->registered->id))
		step = CLASSIC_CLAIMS_BUSY;
	if (step == CLASSIC_CLAIMS_DONE)
	{
		store->released = true;
		store->has_surplus = false;
	}
	else if (step == CLASSIC_CLAIMS_BUSY)
		store->rest = Min(RETRY_US << Min(store->releases++, 10), RELEASE_MAX_US);
}

/* Claim what SQL has had. */
static void
regain_some(ClassicStore *store)
{
	read_claims(store);
	store->tried_all = pgt_classic_claims_regain(&store->claims, store->registered, store->group, slice_end) == CLASSIC_CLAIMS_DONE;
}

/* Go as far as there is time, and nothing is to be waited for. */
static void
step(void *arg)
{
	ClassicStore *store = arg;

	if (store->phase == CLASSIC_STORE_BEGIN)
		begin_claims(store);
	if (store->phase == CLASSIC_STORE_CLAIM && claims(store) && !claim_some(store))
	{
		/* who finds claims after a crash must find the group that they are of */
		if (!store->has_row)
			pgt_classic_rows_write_group(store->registered, store->group, true);
		store->has_row = true;
		return;
	}
	if (store->phase == CLASSIC_STORE_CLAIM)
		begin_write(store);
	if (store->phase == CLASSIC_STORE_WRITE && write_members(store))
		write_group(store);
	if (store->phase == CLASSIC_STORE_RELEASE)
		release_some(store);
	if (store->phase == CLASSIC_STORE_REGAIN)
		regain_some(store);
}

/* A step has failed. */
static void
fail(ClassicStore *store, const ErrorData *error)
{
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("could not store consumer group \"%s\" of Kafka clients: %s", store->registered->id, error->message)));
	store->complete = store->released = false;
	store->rest = RELEASE_MAX_US;
	store->error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
}

/* One group's turn; its error is its own. */
static void
run_step(ClassicStore *store)
{
	ErrorData  *error = NULL;

	move(store, CLASSIC_STORE_IN_TURN);
	store->rest = 0;
	store->released = store->tried_all = false;
	if (is_current(store))
		error = pgt_catch_error(step, store);
	else
	{
		store->released = store->phase == CLASSIC_STORE_RELEASE;
		store->error = store->released ? KAFKA_ERROR_NONE : KAFKA_ERROR_REBALANCE_IN_PROGRESS;
	}
	if (error != NULL)
		fail(store, error);
}

static void
work_before(TurnWork *work)
{
	slice_end = pgt_clock_monotonic_us() + SLICE_US;
	while (!dlist_is_empty(&ready) && pgt_clock_monotonic_us() < slice_end)
		run_step(dlist_head_element(ClassicStore, node, &ready));
}

/* ---- after the turn ------------------------------------------------------------------------ */

/* Nothing is known of the rows that were written. */
static void
doubt_rows(ClassicStore *store)
{
	dlist_iter	iter;

	store->claims_in_doubt = true;
	dlist_foreach(iter, &store->group->members)
		dlist_container(ClassicMember, node, iter.cur)->stored_hash = 0;
}

/* All is committed: wait until it is durable. */
static void
wait_for_durable(ClassicStore *store, XLogRecPtr lsn)
{
	store->complete = false;
	store->phase = CLASSIC_STORE_WAIT;
	store->lsn = lsn;
	store->inherits = false;
	if (store->state != CLASSIC_GROUP_PREPARING_REBALANCE)
	{
		store->is_partial = false;
		pgt_classic_group_forget_removed(store->group);
	}
	if (XLogRecPtrIsInvalid(lsn) || pgt_flusher_reached(BROKER_SYNCED) >= lsn)
	{
		report(store, KAFKA_ERROR_NONE);
		return;
	}
	move(store, CLASSIC_STORE_WAITING);
	pgt_event_loop_set_timer(&store->timer, pgt_clock_monotonic_us() + DURABLE_US);
	pgt_flusher_want(BROKER_SYNCED, lsn);
}

/* The turn with a step is over, in which something was released. */
static void
after_release(ClassicStore *store, bool committed)
{
	/* what was released in vain is held still */
	if (!committed || store->error != KAFKA_ERROR_NONE)
		store->claims_in_doubt = store->has_surplus = true;
	store->error = KAFKA_ERROR_NONE;
	if (!committed || store->rest > 0)
		rest(store, committed ? store->rest : RELEASE_MAX_US);
	else if (store->released)
	{
		if (!store->has_surplus)
			pgt_classic_claims_released(&store->claims);
		begin_regain(store);
		store->done(store->group, KAFKA_ERROR_NONE);
	}
	else
		move(store, CLASSIC_STORE_READY);
}

/* The turn with an attempt to claim what SQL has had, or with a part of one, is over. */
static void
after_regain(ClassicStore *store, bool committed)
{
	bool		failed = !committed || store->error != KAFKA_ERROR_NONE;

	store->error = KAFKA_ERROR_NONE;
	if (failed)
		store->claims_in_doubt = store->has_surplus = true;
	if (!is_current(store))
	{
		store->phase = CLASSIC_STORE_IDLE;
		move(store, CLASSIC_STORE_NOWHERE);
	}
	else if (!failed && !store->tried_all)
		move(store, CLASSIC_STORE_READY);
	else if (!failed && store->claims.regained)
	{
		store->phase = CLASSIC_STORE_IDLE;
		move(store, CLASSIC_STORE_NOWHERE);
		store->regained(store->group);
	}
	else
	{
		pgt_classic_claims_begin_regain(&store->claims);
		rest(store, Min(RETRY_US << Min(store->regains++, 10), RELEASE_MAX_US));
	}
}

/* The turn with another step is over. */
static void
after_step(ClassicStore *store, bool committed, XLogRecPtr lsn)
{
	KafkaError	error = store->error;

	if (!committed && error == KAFKA_ERROR_NONE)
		error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	store->error = KAFKA_ERROR_NONE;
	if (error != KAFKA_ERROR_NONE)
	{
		doubt_rows(store);
		report(store, error);
	}
	else if (store->complete)
		wait_for_durable(store, lsn);
	else if (store->rest > 0)
		rest(store, store->rest);
	else
		move(store, CLASSIC_STORE_READY);
}

static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	work_added = false;
	while (!dlist_is_empty(&in_turn))
	{
		ClassicStore *store = dlist_head_element(ClassicStore, node, &in_turn);

		if (store->phase == CLASSIC_STORE_RELEASE)
			after_release(store, committed);
		else if (store->phase == CLASSIC_STORE_REGAIN)
			after_regain(store, committed);
		else
			after_step(store, committed, lsn);
	}
	/* there was no time for all */
	if (!dlist_is_empty(&ready))
		pgt_event_loop_hurry();
}

/* ---- hooks ------------------------------------------------------------------------------------ */

/* Before the turn is committed: there is something to do in it. */
static void
turn_end(void)
{
	if (dlist_is_empty(&ready) || work_added)
		return;
	if (!pgt_turn_lock_tables())
		return;
	/* if that fails, it is tried again */
	pgt_event_loop_hurry();
	pgt_turn_add(&turn_work);
	work_added = true;
}

static void
reached(BrokerDurability durability, XLogRecPtr lsn)
{
	dlist_mutable_iter iter;

	if (durability != BROKER_SYNCED)
		return;
	dlist_foreach_modify(iter, &waiting)
	{
		ClassicStore *store = dlist_container(ClassicStore, node, iter.cur);

		if (store->lsn <= lsn)
			report(store, KAFKA_ERROR_NONE);
	}
}

const BrokerHooks pgt_classic_store_hooks = {.turn_end = turn_end,.reached = reached};

/* ---- for the caller ---------------------------------------------------------------------------- */

/* A pause is over, or what is committed is not durable in time. */
static void
timer_expired(EventLoopTimer *timer)
{
	ClassicStore *store = (ClassicStore *) ((char *) timer - offsetof(ClassicStore, timer));

	if (store->place == CLASSIC_STORE_WAITING)
		report(store, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	else
		move(store, CLASSIC_STORE_READY);
}

void
pgt_classic_store_init(ClassicStore *store)
{
	store->timer.expired = timer_expired;
}

void
pgt_classic_store_begin(ClassicStore *store)
{
	pgt_event_loop_cancel_timer(&store->timer);
	store->phase = CLASSIC_STORE_BEGIN;
	store->generation = store->group->generation;
	store->state = store->group->state;
	store->error = KAFKA_ERROR_NONE;
	store->complete = false;
	move(store, CLASSIC_STORE_READY);
}

void
pgt_classic_store_release(ClassicStore *store)
{
	store->generation = store->group->generation;
	store->state = store->group->state;
	begin_release(store);
}

void
pgt_classic_store_regain(ClassicStore *store)
{
	store->generation = store->group->generation;
	store->state = store->group->state;
	begin_regain(store);
}

void
pgt_classic_store_suspend(ClassicStore *store)
{
	pgt_event_loop_cancel_timer(&store->timer);
	move(store, CLASSIC_STORE_NOWHERE);
}

void
pgt_classic_store_resume(ClassicStore *store)
{
	doubt_rows(store);
	store->has_surplus = true;
	/* what was only to be released is, when the group is stored next */
	if (store->phase == CLASSIC_STORE_RELEASE || store->phase == CLASSIC_STORE_REGAIN)
	{
		begin_regain(store);
		return;
	}
	if (store->phase != CLASSIC_STORE_IDLE)
		pgt_classic_store_begin(store);
}

void
pgt_classic_store_forget(ClassicStore *store)
{
	pgt_classic_store_suspend(store);
	pgt_classic_claims_free(&store->claims);
}
