/*
 * txn_request.c
 *	  A request to the coordinator of transactions: it is done at the end of a turn, and answered when that is durable.
 *
 *	  queued		the turn that ends does it, behind what was to be appended before
 *	  again			a row is locked, or something is lacking for the moment: queued again, a little later; at once where
 *					a part is done, which is kept
 *	  durable		done: wait until the commit is on this server's disk, and on that of synchronous standbys
 *
 * Each request is work of its own, in the order in which requests came, and in a subtransaction, so that its errors are its own.
 *
 * An answer may tell of what an earlier request has done, whose client is gone: so each waits for the last commit
 * of all of them.  If standbys do not confirm it in time the client is told to ask again, which harms nothing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/core/database_text.h"
#include "broker/core/flusher.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_turn.h"
#include "broker/transactions/txn_request.h"
#include "miscadmin.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "wal/log_stable_end.h"

/* What is not possible at the moment is tried for so long; then the client is to try it. */
#define RETRY_US	INT64CONST(1000000)

/* As the timeout of Kafka's coordinator for writing its log.  What is done in parts has so long, too. */
#define TIMEOUT_US	(5 * INT64CONST(1000000))

/* Up to where all is committed that requests have done. */
static XLogRecPtr committed_lsn = InvalidXLogRecPtr;

static void proceed(void *arg);
static void queue(TxnRequest *whole);

/* ---- what concerns all requests ------------------------------------------------ */

char *
pgt_txn_request_id(KafkaString id)
{
	return id.length <= 0 || id.length > TXN_ROW_ID_MAX ? NULL : pgt_database_text_of_client(id);
}

KafkaError
pgt_txn_request_error(const BrokerRequest *request, KafkaError error, int first_version)
{
	return error == KAFKA_ERROR_PRODUCER_FENCED && request->kafka.version < first_version ?
		KAFKA_ERROR_INVALID_PRODUCER_EPOCH : error;
}

/* ---- in the turn -------------------------------------------------------------------- */

/* Do it in a subtransaction. */
static void
step_in_subtransaction(TxnRequest *whole)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			level = GetCurrentTransactionNestLevel();

	whole->keeps = false;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(whole->request->memory);
	PG_TRY();
	{
		whole->error = whole->step(whole);
		if (whole->error == KAFKA_ERROR_NONE || whole->keeps)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		HOLD_INTERRUPTS();
		EmitErrorReport();
		FlushErrorState();
		pgt_catch_error_roll_back(level);
		whole->error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
}

/* TurnWork */
static void
work_before(TurnWork *work)
{
	TxnRequest *whole = (TxnRequest *) work;

	step_in_subtransaction(whole);
	whole->xid = U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
}

/* TurnWork */
static void
work_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	TxnRequest *whole = (TxnRequest *) work;

	whole->queued = false;
	if (!committed)
		whole->error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	else
	{
		committed_lsn = Max(committed_lsn, lsn);
		pgt_offset_turn_committed(lsn);
		/* what readers were held back from is there, and they need not ask when that was committed */
		if (whole->xid != 0)
			pgt_log_stable_end_committed(whole->xid, lsn);
	}
	whole->lsn = committed_lsn;
	if (!whole->dropped && !pgt_turn_try(proceed, whole, NULL))
		pgt_broker_close(whole->request, "an error while it was answered");
}

/* ---- waiting ------------------------------------------------------------------------- */

/* BrokerWait: it is tried again. */
static void
wake_again(BrokerRequest *request)
{
	queue(request->state);
}

/* BrokerWait: what was waited for has come, or the time is over. */
static void
wake(BrokerRequest *request)
{
	proceed(request->state);
}

/* Wait for the end of the turn, which does it. */
static void
queue(TxnRequest *whole)
{
	BrokerWait	wait = {.wake = wake};

	pgt_turn_open();
	whole->queued = true;
	pgt_turn_add(&whole->work);
	pgt_broker_park(whole->request, &wait);
}

static void
park_until(TxnRequest *whole, int64 deadline)
{
	BrokerWait	wait = {.wake = wake_again,.deadline = deadline};

	pgt_broker_park(whole->request, &wait);
}

static void
park_for_durable(TxnRequest *whole)
{
	BrokerWait	wait = {.wake = wake,.lsn = whole->lsn,.durability = BROKER_SYNCED,.deadline = whole->deadline};

	pgt_flusher_want(wait.durability, wait.lsn);
	pgt_broker_park(whole->request, &wait);
}

/* The turn is over: answer, or wait for what is missing. */
static void
proceed(void *arg)
{
	TxnRequest *whole = arg;
	int64		now = pgt_clock_monotonic_us();

	if (whole->queued)
	{
		BrokerWait	wait = {.wake = wake};

		pgt_broker_park(whole->request, &wait);
		return;
	}
	if (whole->error == KAFKA_ERROR_CONCURRENT_TRANSACTIONS && now < (whole->keeps ? whole->deadline : whole->retry_until))
	{
		park_until(whole, whole->keeps ? now : now + TURN_RETRY_MS * INT64CONST(1000));
		return;
	}
	if (whole->lsn > pgt_flusher_reached(BROKER_SYNCED))
	{
		if (now < whole->deadline)
		{
			park_for_durable(whole);
			return;
		}
		whole->error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	whole->answer(whole, whole->error);
}

/* BrokerRequest: the connection is closed.  What is queued is done all the same, while its memory is there. */
static void
dropped(BrokerRequest *request)
{
	TxnRequest *whole = request->state;

	whole->dropped = true;
	if (whole->queued)
		pgt_turn_end();
}

/* Set it up, in the turn's transaction.  The error, if nothing is coordinated here. */
static KafkaError
set_up(TxnRequest *whole, BrokerRequest *request)
{
	whole->request = request;
	whole->work.before = work_before;
	whole->work.after = work_after;
	whole->retry_until = request->arrived + RETRY_US;
	whole->deadline = request->arrived + TIMEOUT_US;
	request->state = whole;
	request->dropped = dropped;
	pgt_turn_open();
	return pgt_group_coordinator_check_active();
}

void
pgt_txn_request_begin(TxnRequest *whole, BrokerRequest *request, KafkaString id)
{
	KafkaError	error = set_up(whole, request);

	whole->id = pgt_txn_request_id(id);
	if (error == KAFKA_ERROR_NONE && whole->id == NULL)
		error = KAFKA_ERROR_INVALID_REQUEST;
	if (error != KAFKA_ERROR_NONE)
		whole->answer(whole, error);
	else
		queue(whole);
}

void
pgt_txn_request_begin_any(TxnRequest *whole, BrokerRequest *request)
{
	KafkaError	error = set_up(whole, request);

	if (error != KAFKA_ERROR_NONE)
		whole->answer(whole, error);
	else
		queue(whole);
}
