/*
 * txn_look.c
 *	  Looking at transactions, or transactional ids, from time to time.
 *
 *	  timer		expired: have the turn look, if this server coordinates anything
 *	  turn		look(), at its end, as the work of requests
 *	  timer		set anew, whatever has become of the turn
 *
 * What looks is nobody's request, so its errors must be nobody's: they are caught, and logged.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "broker/groups/group_coordinator.h"
#include "broker/transactions/txn_look.h"
#include "util/catch_error.h"
#include "util/clock.h"
#include "utils/memutils.h"

/* There is more to do, and others are served in between. */
#define MORE_US	(20 * INT64CONST(1000))

static void
set_timer(TxnLook *look)
{
	pgt_event_loop_set_timer(&look->timer, pgt_clock_monotonic_us() + (look->more ? MORE_US : look->pause_us()));
}

static void
call_look(void *arg)
{
	TxnLook    *look = arg;

	look->look(look);
}

/* TurnWork */
static void
look_before(TurnWork *work)
{
	TxnLook    *look = (TxnLook *) work;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "pg_topics look at transactions", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	ErrorData  *error = pgt_catch_error(call_look, look);

	if (error != NULL)
	{
		look->more = false;
		pgt_catch_error_report(error);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

/* TurnWork */
static void
look_after(TurnWork *work, bool committed, XLogRecPtr lsn)
{
	TxnLook    *look = (TxnLook *) work;

	look->more = look->more && committed;
	set_timer(look);
}

/* Have the turn look, if this server coordinates anything. */
static void
begin(void *arg)
{
	TxnLook    *look = arg;

	pgt_turn_open();
	if (pgt_group_coordinator_check_active() == KAFKA_ERROR_NONE)
		pgt_turn_add(&look->work);
	else
		set_timer(look);
}

static void
expired(EventLoopTimer *timer)
{
	TxnLook    *look = (TxnLook *) ((char *) timer - offsetof(TxnLook, timer));

	if (RecoveryInProgress() || (look->is_wanted != NULL && !look->is_wanted()) || !pgt_turn_try(begin, look, NULL))
		set_timer(look);
}

void
pgt_txn_look_start(TxnLook *look)
{
	look->work.before = look_before;
	look->work.after = look_after;
	look->timer.expired = expired;
	set_timer(look);
}

void
pgt_txn_look_reloaded(TxnLook *look)
{
	/* else it is looking, and sets the timer itself */
	if (look->timer.due != 0)
		set_timer(look);
}
