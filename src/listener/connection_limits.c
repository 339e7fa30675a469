/*
 * connection_limits.c
 *	  How many connections there may be, how much they may take, and how long.
 *
 * Memory is that of the frames and answers of all connections.  A frame that comes may make it go over
 * the limit, and then no further one is begun (connection.c).
 *
 * Each connection has a time limit at any moment, by what is under way on it:
 *
 *	  an answer is being sent	slow_ms, from when the socket last took bytes of it, or a disk had given some;
 *								none while a disk is waited for
 *	  a frame is coming			slow_ms, from its beginning, and longer for a large one
 *	  nothing					idle_ms, from the last frame or answer
 *	  any of these				the moment "expires", which the handlers set
 *
 * One that is not read, since the server has no memory for a frame or waits for something, has not
 * the client to blame.  A connection has one timer, which looks after its limit when that is
 * due, and at least as often as the shortest one: what is no limit now may be one soon.
 */
#include "postgres.h"

#include "listener/connection_limits.h"
#include "util/clock.h"

#define SLOW_BYTES_MS	64		/* a large frame has to come with so many bytes a millisecond */

ConnectionLimits pgt_connection_limits;

bool
pgt_connection_limits_has_memory(void)
{
	return pgt_exchange_memory + pgt_output_memory + pgt_output_file_memory < pgt_connection_limits.memory;
}

/* When the connection is to be closed, if nothing happens until then, and why. */
static int64
time_limit(const Connection *connection, bool reads, const char **reason)
{
	int64		slow = pgt_connection_limits.slow_ms * INT64CONST(1000);
	int64		limit = NEVER_US;

	*reason = "";
	if (connection->reading != NULL)
		limit = NEVER_US;
	else if (connection->output.length > 0)
	{
		*reason = "the client does not take its answers";
		limit = connection->sent_at + slow;
	}
	else if ((connection->coming != NULL || connection->size_count > 0) && reads)
	{
		*reason = "a frame takes too long to come";
		limit = connection->coming_since + slow;
		if (connection->coming != NULL)
			limit += connection->coming->length / SLOW_BYTES_MS * INT64CONST(1000);
	}
	else if (connection->exchange_count == 0 && !connection->muted && pgt_connection_limits.idle_ms > 0)
		limit = connection->active_at + pgt_connection_limits.idle_ms * INT64CONST(1000);
	if (connection->expires < limit)
	{
		*reason = "its time is over";
		limit = connection->expires;
	}
	return limit;
}

const char *
pgt_connection_limits_overdue(Connection *connection, bool reads)
{
	const char *reason;
	int64		limit = time_limit(connection, reads, &reason);
	int64		now = pgt_clock_monotonic_us();
	int64		shortest = pgt_connection_limits.slow_ms;

	if (limit <= now)
		return reason;
	if (pgt_connection_limits.idle_ms > 0)
		shortest = Min(shortest, pgt_connection_limits.idle_ms);
	pgt_event_loop_set_timer(&connection->timer, Min(limit, now + shortest * INT64CONST(1000)));
	return NULL;
}
