/*
 * txn_timeout.c
 *	  Ending transactions that are open for too long.
 *
 * An open transaction holds back all readers of its partitions.  So each second those of the database are looked at, and
 * aborted
 *
 *	  when the time is over that their client has asked for: it is fenced, and begins anew if it is still there
 *	  if no transactional id has their producer with their epoch, as where the extension was made anew: nobody could end
 *	  them.  That a row says so which is of the same turn does not count: it could be lost, and what the log has not
 *
 * One that is to be ended is marked in one look, and ended in the next one, which follows at once (txn_coordinator.c).
 *
 * A transaction's time counts from its first request on, by the wall clock, also while the server is down.  It is over as soon
 * as abort_kafka_transaction() says so.
 *
 * With each look at all of them it is counted which role has how many (txn_role_limits.c).
 *
 * It is done at the end of a turn, some of them in one, each in a subtransaction.  What cannot be ended now is left to the next
 * look.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/offsets/pending_offset.h"
#include "broker/transactions/txn_coordinator.h"
#include "broker/transactions/txn_look.h"
#include "broker/transactions/txn_role_limits.h"
#include "broker/transactions/txn_timeout.h"
#include "log/kafka_txn_map.h"
#include "miscadmin.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "wal/kafka_txn.h"

#define LOOK_US			INT64CONST(1000000)
#define ENDED_IN_TURN	100
#define ASKED_IN_TURN	500		/* if there are more, the next look goes on behind them */

static int	next_asked = 0;		/* in the list of transactions */

/* ---- one transaction ------------------------------------------------------------ */

/* One that is to be ended. */
typedef struct Expired
{
	const KafkaTxnInfo *info;
	bool		marked;			/* set: it can be ended in another turn */
} Expired;

/* End it, and fence its producer. */
static bool
end_with_row(Expired *expired, TxnRow *row)
{
	bool		done = pgt_txn_coordinator_fence(row, expired->info->number, &expired->marked) == KAFKA_ERROR_NONE;

	if (done)
		ereport(LOG,
				(errmsg("aborting a transaction of a Kafka client that was open for too long"),
				 errdetail("It is that of the transactional id \"%s\".", row->id)));
	return done || expired->marked;
}

/* End one that is nobody's; the row, if it exists, is that of its producer with another epoch. */
static bool
end_without_row(const Expired *expired, const TxnRow *row)
{
	const KafkaTxnInfo *info = expired->info;

	pgt_pending_offset_delete(info->producer_id);
	if (pgt_kafka_txn_end(info->number, false) != KAFKA_TXN_DONE)
		return false;
	ereport(LOG,
			(errmsg("aborting a transaction of a Kafka client that nobody can end"),
			 row->exists ? errdetail("The transactional id \"%s\" has its producer with epoch %d, and not with epoch %d any more.",
									 row->id, row->epoch, info->producer_epoch) :
			 errdetail("No transactional id has its producer any more.")));
	return true;
}

/* In a subtransaction: end it. */
static void
end_one(void *arg)
{
	Expired    *expired = arg;
	const KafkaTxnInfo *info = expired->info;
	TxnRow		row;

	(void) pgt_txn_row_find_producer(info->producer_id, &row);
	if (row.exists && row.epoch == info->producer_epoch ? end_with_row(expired, &row) : end_without_row(expired, &row))
		return;
	/* what was written goes with the subtransaction */
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("transaction of producer " INT64_FORMAT " cannot be ended at the moment", info->producer_id)));
}

/* Is its time over, or can nobody end it?  With "counts" it is counted for its role. */
static bool
is_expired(const KafkaTxnInfo *info, TimestampTz now, bool counts)
{
	TxnRow		row;

	if (!pgt_txn_row_find_producer(info->producer_id, &row))
		return true;
	if (row.epoch != info->producer_epoch)
		return !row.is_new;
	if (counts)
		pgt_txn_role_limits_begun(row.owner);
	return TimestampTzPlusMilliseconds(info->started, row.timeout_ms) <= now;
}

/* End one whose time is over; an ERROR is its own.  Is it marked, so that it can be ended in another turn? */
static bool
end_or_report(const KafkaTxnInfo *info)
{
	Expired		expired = {info, false};
	ErrorData  *error = pgt_catch_error(end_one, &expired);

	if (error != NULL && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		pgt_catch_error_report(error);
	return error == NULL && expired.marked;
}

/* ---- all of them ------------------------------------------------------------------ */

/* TxnLook: look at them, and end those whose time is over. */
static void
look(TxnLook *look)
{
	TimestampTz now = GetCurrentTimestamp();
	KafkaTxnInfo *infos;
	int			count = pgt_kafka_txn_map_list(&infos);
	int			asked = 0;
	int			ended = 0;
	bool		counts = count <= ASKED_IN_TURN;
	int			i;

	look->more = false;
	if (counts)
		pgt_txn_role_limits_recount();
	for (i = 0; i < count && asked < ASKED_IN_TURN && (counts || ended < ENDED_IN_TURN); i++)
	{
		const KafkaTxnInfo *info = &infos[(next_asked + i) % count];

		if (info->xid != 0 || info->database != MyDatabaseId)
			continue;
		asked++;
		if (is_expired(info, now, counts) && ended++ < ENDED_IN_TURN)
			look->more |= end_or_report(info);
	}
	next_asked = i < count ? (next_asked + i) % count : 0;
}

static int64
pause_us(void)
{
	return LOOK_US;
}

static bool
is_wanted(void)
{
	return pgt_kafka_txn_map_count() > 0;
}

static TxnLook timeout = {.pause_us = pause_us,.is_wanted = is_wanted,.look = look};

static void
start(void)
{
	pgt_txn_look_start(&timeout);
}

const BrokerHooks pgt_txn_timeout_hooks = {.start = start};
