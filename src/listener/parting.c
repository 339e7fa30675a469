/*
 * parting.c
 *	  Sockets that are closed, until their clients have what was sent to them.
 *
 * TCP has no end of a connection in both directions that waits for anything: a socket that is closed while
 * bytes of the client are unread resets the connection, and so does each that comes later.  The reset
 * overtakes answers that are on their way, also those that the client's system has and the client has not read,
 * on some systems.  So there are two steps.  First no more is sent, which the client sees behind the
 * last answer.  What it still sends is read and thrown away until it closes its side, as clients
 * do then.
 *
 *	  begin ---> parting ---> closed		by the client, or after PARTING_US
 *		   \-------------/				where PARTINGS_MAX others part
 *
 * There is a limit of time and number, as a client may do otherwise.  Whoever limits the number of connections counts
 * with PARTINGS_MAX further sockets.
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener/event_loop.h"
#include "listener/parting.h"
#include "util/clock.h"

#define PARTING_US		(5 * 1000 * 1000)
#define READS_MAX		16		/* of a turn, 64 kB each */

typedef struct Parting
{
	EventLoopSource source;
	EventLoopTimer timer;
	bool		is_used;
} Parting;

static Parting partings[PARTINGS_MAX];

/* Throw away what the client has sent.  False: it sends no more. */
static bool
discard(int fd)
{
	static char bytes[64 * 1024];

	for (int i = 0; i < READS_MAX; i++)
	{
		ssize_t		got = recv(fd, bytes, sizeof(bytes), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (got == 0)
			return false;
	}
	return true;
}

static void
end(Parting *parting)
{
	pgt_event_loop_cancel_timer(&parting->timer);
	pgt_event_loop_remove(&parting->source);
	close(parting->source.fd);
	parting->is_used = false;
}

static void
parting_ready(EventLoopSource *source, uint32 events)
{
	if (!discard(source->fd))
		end((Parting *) source);
}

static void
parting_expired(EventLoopTimer *timer)
{
	end((Parting *) ((char *) timer - offsetof(Parting, timer)));
}

/* One that is free, or NULL. */
static Parting *
free_parting(void)
{
	for (int i = 0; i < PARTINGS_MAX; i++)
	{
		if (!partings[i].is_used)
			return &partings[i];
	}
	return NULL;
}

void
pgt_parting_begin(int fd)
{
	Parting    *parting = free_parting();

	if (parting == NULL || shutdown(fd, SHUT_WR) != 0 || !discard(fd))
	{
		close(fd);
		return;
	}
	parting->source.fd = fd;
	parting->source.ready = parting_ready;
	parting->timer.expired = parting_expired;
	if (!pgt_event_loop_add(&parting->source, EPOLLIN))
	{
		close(fd);
		return;
	}
	parting->is_used = true;
	pgt_event_loop_set_timer(&parting->timer, pgt_clock_monotonic_us() + PARTING_US);
}
