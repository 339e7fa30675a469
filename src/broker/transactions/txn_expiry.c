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

#include "broker/core/broker_settings.h"
#include "broker/offsets/pending_offset.h"
#include "broker/transactions/txn_coordinator.h"
#include "broker/transactions/txn_expiry.h"
#include "broker/transactions/txn_look.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ROWS_IN_TURN	200
#define LOOK_MOST_MS	(60 * 60 * 1000)	/* as Kafka's transaction.remove.expired.transaction.cleanup.interval.ms */
#define LOOK_LEAST_MS	1000

static char *last = NULL;		/* the transactional id that was looked at last; NULL: it begins */

/* Is it due? */
static bool
is_due(const TxnRow *row)
{
	TimestampTz due = TimestampTzPlusMilliseconds(row->changed, pgt_kafka_transactional_id_expiration);
	uint64		number;

	return due <= GetCurrentTimestamp() && pgt_txn_coordinator_state(row, &number) != TXN_COORDINATOR_OPEN;
}

/* Begin at the first one. */
static void
begin(void)
{
	if (last != NULL)
		pfree(last);
	last = NULL;
}

/* TxnLook: look at the next ones. */
static void
look(TxnLook *look)
{
	TxnRow		row;
	char	   *looked_at;

	/* all were looked at, or a turn was lost */
	if (!look->more)
		begin();
	look->more = false;
	for (int i = 0; pgt_txn_row_next(last, &row); i++)
	{
		if (i == ROWS_IN_TURN)
		{
			look->more = true;
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

static int64
pause_us(void)
{
	return Min(Max(pgt_kafka_transactional_id_expiration / 10, LOOK_LEAST_MS), LOOK_MOST_MS) * INT64CONST(1000);
}

static TxnLook expiry = {.pause_us = pause_us,.look = look};

/* The setting may be another one. */
static void
reloaded(void)
{
	pgt_txn_look_reloaded(&expiry);
}

static void
start(void)
{
	pgt_txn_look_start(&expiry);
}

const BrokerHooks pgt_txn_expiry_hooks = {.start = start,.reloaded = reloaded};
