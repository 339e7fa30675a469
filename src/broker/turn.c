/*
 * turn.c
 *	  The one transaction of a turn of the loop.
 *
 * It begins when the first request of the turn needs it, and is committed at the turn's end:
 * no transaction is open while the loop sleeps.
 */
#include "postgres.h"

#include "access/xact.h"
#include "broker/turn.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"

static void end_turn(void);

const BrokerHooks pgt_turn_hooks = {.turn_end = end_turn};

void
pgt_turn_open(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (IsTransactionState())
		return;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(caller);
}

bool
pgt_turn_is_open(void)
{
	return IsTransactionState();
}

void
pgt_turn_end(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (!IsTransactionState())
		return;
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
}

void
pgt_turn_recover(void)
{
	MemoryContext caller = CurrentMemoryContext;

	AbortCurrentTransaction();
	LWLockReleaseAll();
	MemoryContextSwitchTo(caller);
}

static void
end_turn(void)
{
	pgt_turn_end();
}
