/*
 * txn_expiry.c
 *	  Forgetting transactional ids that are not used any more.
 *
 * A transactional id whose row has not changed for pg_topics.kafka_transactional_id_expiration, and that has no open
 * transaction, is forgotten, as in Kafka: its row is deleted, and a producer that comes back with it is told
 * INVALID_PRODUCER_ID_MAPPING, and begins anew.
 *
 * The rows are looked at from time to time, one by one in the order of their names, some of them in a turn, at whose end those
 * that are due are deleted.  A row that is locked is left to the next time.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/pending_offset.h"
#include "broker/transactions/txn_coordinator.h"
#include "broker/transactions/txn_expiry.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ROWS_IN_TURN	200
#define BETWEEN_TURNS_US	(20 * INT64CONST(1000))
#define LOOK_MOST_MS	(60 * 60 * 1000)	/* as Kafka's transaction.remove.expired.transaction.cleanup.interval.ms */
#define LOOK_LEAST_MS	1000

static EventLoopTimer timer;
static TurnWork work;
static char *last = NULL;		/* the transactional id that was looked at last; NULL: it begins */
static bool more = false;		/* there are some behind it */

/* Is it due? */
static bool
is_due(const TxnRow *row)
{
	TimestampTz due = TimestampTzPlusMilliseconds(row->changed, pgt_kafka_transactional_id_expiration);
	uint64		number;

	return due <= GetCurrentTimestamp() && pgt_txn_coordinator_state(row, &number) != TXN_COORDINATOR_OPEN;
}

/* Look at the next ones. */
static void
look(void *arg)
{
	TxnRow		row;
	char	   *looked_at;

	more = false;
	for (int i = 0; pgt_txn_row_next(last, &row); i++)
	{
		if (i == ROWS_IN_TURN)
		{
			more = true;
			return;
		}
		if (is_due(&row))
		{
			pgt_pending_offset_delete(row.producer_id);
			pgt_txn_row_delete(&row);
		}
		/* if there is no memory for this one, the last one stays */
		looked_at = MemoryContextStrdup(TopMemoryContext, row.id);
		if (last != NULL)
			pfree(last);
		last = looked_at;
	}
}

/* TurnWork */
static void
look_before(TurnWork *unused)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics expired transactional ids", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	ErrorData  *error = pgt_catch_error(look, NULL);

	if (error != NULL)
		pgt_catch_error_report(error);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

/* Look again some time. */
static void
set_timer(void)
{
	int64		between_ms = Min(Max(pgt_kafka_transactional_id_expiration / 10, LOOK_LEAST_MS), LOOK_MOST_MS);

	pgt_event_loop_set_timer(&timer, pgt_clock_monotonic_us() + (more ? BETWEEN_TURNS_US : between_ms * 1000));
}

/* TurnWork */
static void
look_after(TurnWork *unused, bool committed, XLogRecPtr lsn)
{
	more = more && committed;
	if (!more && last != NULL)
	{
		pfree(last);
		last = NULL;
	}
	set_timer();
}

/* Have the turn look, if this server coordinates anything. */
static void
begin(void *arg)
{
	pgt_turn_open();
	if (pgt_group_coordinator_check_active() != KAFKA_ERROR_NONE)
		return;
	pgt_turn_add(&work);
	*(bool *) arg = true;
}

static void
expired(EventLoopTimer *unused)
{
	bool		added = false;

	if (!RecoveryInProgress())
		(void) pgt_turn_try(begin, &added, NULL);
	if (!added)
		set_timer();
}

/* The setting may be another one. */
static void
reloaded(void)
{
	if (timer.due != 0)
		set_timer();
}

static void
start(void)
{
	work.before = look_before;
	work.after = look_after;
	timer.expired = expired;
	set_timer();
}

const BrokerHooks pgt_txn_expiry_hooks = {.start = start,.reloaded = reloaded};
