/*
 * client_connection.c
 *	  Noticing that the session's client has gone, while the session waits.
 *
 * The server does not look at the socket while a statement runs, unless
 * client_connection_check_interval is set.  A session that waits for hours would then
 * outlive its client for hours, and what wakes it would be consumed for a client that
 * never gets it.  So a sleeping session has the socket among what wakes it, in the set
 * that the server itself uses to wait for the client: the operating system reports the
 * disconnection at once, and nothing is polled.
 *
 * A client that has shut down only its sending side counts as gone, as it does for
 * client_connection_check_interval.  Systems that cannot report a closed socket (Windows)
 * notice it when the session next writes to the client.
 *
 * Locks: none.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/wait_event.h"

#include "util/client_connection.h"

/* Of libpq/libpq.h, which needs GSSAPI's headers where the server has that built in. */
extern bool pq_check_connection(void);
extern PGDLLIMPORT WaitEventSet *FeBeWaitSet;

#define FeBeWaitSetSocketPos	0
#define FeBeWaitSetNEvents		3

/* Does the session have a client whose disconnection the system can report? */
static bool
has_client(void)
{
	return MyProcPort != NULL && FeBeWaitSet != NULL && whereToSendOutput == DestRemote &&
		WaitEventSetCanReportClosed();
}

/* Let the next CHECK_FOR_INTERRUPTS() end the session. */
static void
note_disconnection(void)
{
	ClientConnectionLost = true;
	InterruptPending = true;
}

/* Sleep as pgt_client_connection_sleep() says, in a session with a client. */
static void
sleep_with_client(long timeout_ms)
{
	WaitEvent	events[FeBeWaitSetNEvents];
	int			count;

	ModifyWaitEvent(FeBeWaitSet, FeBeWaitSetSocketPos, WL_SOCKET_CLOSED, NULL);
	count = WaitEventSetWait(FeBeWaitSet, timeout_ms, events, lengthof(events), PG_WAIT_EXTENSION);
	for (int i = 0; i < count; i++)
	{
		/* what WL_EXIT_ON_PM_DEATH does, which this set does not have */
		if ((events[i].events & WL_POSTMASTER_DEATH) != 0)
			proc_exit(1);
		if ((events[i].events & WL_SOCKET_CLOSED) != 0)
			note_disconnection();
	}
}

void
pgt_client_connection_sleep(long timeout_ms)
{
	if (has_client())
		sleep_with_client(timeout_ms);
	else
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

void
pgt_client_connection_check(void)
{
	if (!has_client() || pq_check_connection())
		return;
	note_disconnection();
	CHECK_FOR_INTERRUPTS();
}
