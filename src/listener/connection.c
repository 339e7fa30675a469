/*
 * connection.c
 *	  Connections of clients: frames that come in, and the answers that go out.
 *
 * A connection in the order of its bytes:
 *
 *	  socket -> backlog -> coming -> exchanges -> output -> socket
 *
 * All connections read into one buffer of the process.  Frames that are whole in there are
 * copied to their exchange; of one that is not, the rest is read straight into the
 * exchange, with the buffer behind it.  So a connection on which nothing happens has no
 * buffer at all.
 *
 * A connection is not read while it may not be served: while it is muted, behind an exchange that blocks, with too
 * many exchanges that are not answered or too much of answers that is not sent, or, at
 * the beginning of a frame, while the frames and answers of all connections take too much
 * memory.  Then its bytes stay in the kernel, and the client cannot send on.  Bytes that
 * came in the same read before this was known wait in the backlog, which is no larger
 * than the buffer, and is not counted: else many that wait would keep the memory from themselves.  A frame that has begun is always read to its end, as its memory is
 * counted from the beginning, so connections cannot wait for each other's memory.  They get it in
 * the order in which they have come for it: while some wait no other one begins a frame, or those who have
 * just been answered would be first again and again.
 *
 * What an event changes is brought in order at the end of the turn: a connection with
 * something to do there is in the list "todo".  Only there answers are sent, and only there
 * connections are closed and freed, so that nobody holds one that is gone.  Exchanges that
 * are answered are freed after the handler has returned, which may be at the end of the turn.
 * An answer of which the next part has to be read from a disk is sent on when that has been read (read_ahead.c).
 * What waits in a backlog and may be served goes on in the next turn.  So does a connection whose
 * frames have taken SLICE_US, as one read may hold thousands of them that are small and cost much.
 *
 * A client that sends what cannot be served gets the answers to what it has sent before that, as if it had waited
 * for them: it is not told by the end of a connection which of its requests were carried out.
 *
 * Memory may be short at any allocation.  What is done for a connection is called by the handlers' guard, and
 * an error closes the connection.
 *
 * A client that closes its side for sending gets the answers to what it has sent.  Behind an
 * exchange that blocks, though, such as a Fetch that waits for records, it is taken for gone.
 *
 * Sockets are not counted among the server's external descriptors, which may be a third of
 * max_files_per_process only: whoever limits the number of connections sees to it
 * that the process may open so many beyond the server's.
 */
#include "postgres.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener/connection.h"
#include "listener/connection_address.h"
#include "listener/connection_limits.h"
#include "listener/connection_log.h"
#include "listener/parting.h"
#include "listener/plain.h"
#include "listener/read_ahead.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "util/clock.h"
#include "utils/memutils.h"

#define READ_BUFFER		(64 * 1024)
#define TURN_BYTES		(1024 * 1024)	/* that a turn reads, or sends, of a connection */
#define RANGES_READ		4		/* that are read from a disk at once for a connection */
#define SLICE_US		10000	/* of a turn for a connection, and the frame that is served when it is over */

dlist_head	pgt_connections = DLIST_STATIC_INIT(pgt_connections);
int			pgt_connection_count = 0;

static const ConnectionHandlers *handlers = NULL;
static MemoryContext connection_context = NULL;
static char *read_buffer = NULL;

/* Connections with something to do at the end of the turn; the other list fills while one is worked on. */
static dlist_head todo[2] = {DLIST_STATIC_INIT(todo[0]), DLIST_STATIC_INIT(todo[1])};
static int	todo_list = 0;

static dlist_head servable = DLIST_STATIC_INIT(servable);	/* connections to go on with in the next turn */
static dlist_head starved = DLIST_STATIC_INIT(starved); /* connections that wait for memory, for a frame */
static dlist_head finished = DLIST_STATIC_INIT(finished);	/* exchanges that are answered and to be freed */

static bool serves_starved = false; /* the connection that is served was the first of those */

static int64 slice_end = 0;		/* of the connection that is served, by the monotonic clock */

void
pgt_connection_init(const ConnectionHandlers *with)
{
	handlers = with;
	connection_context = AllocSetContextCreate(TopMemoryContext, "pg_topics connections",
											   ALLOCSET_DEFAULT_SIZES);
	read_buffer = MemoryContextAlloc(connection_context, READ_BUFFER);
}

/* ---- what is to be done ---------------------------------------------------- */

/* Bring the connection in order at the end of the turn. */
static void
add_todo(Connection *connection)
{
	if (connection->todo)
		return;
	connection->todo = true;
	dlist_push_tail(&todo[todo_list], &connection->todo_node);
}

/* Put it into one of the lists of connections that cannot be served now; NULL: into none. */
static void
set_waiting(Connection *connection, dlist_head *list)
{
	if (connection->waiting == list)
		return;
	if (connection->waiting != NULL)
		dlist_delete(&connection->waiting_node);
	connection->waiting = list;
	if (list != NULL)
		dlist_push_tail(list, &connection->waiting_node);
}

/* May a frame be served, as far as the connection itself goes? */
static bool
may_serve(const Connection *connection)
{
	return connection->closing == NULL && connection->finishing == NULL && connection->blocker == NULL && !connection->muted &&
		connection->exchange_count < pgt_connection_limits.pipelined &&
		connection->output.memory + connection->held <= pgt_connection_limits.unsent_memory &&
		connection->output.files + connection->held_files <= pgt_connection_limits.unsent_files;
}

/* A connection has its time in the turn from now on. */
static void
begin_slice(void)
{
	slice_end = pgt_clock_monotonic_us() + SLICE_US;
}

static bool
slice_is_over(void)
{
	return pgt_clock_monotonic_us() >= slice_end;
}

/* Is it to be read? */
static bool
wants_input(const Connection *connection)
{
	return may_serve(connection) && connection->backlog == NULL && connection->waiting != &starved;
}

/* The time is over for which a connection was not read. */
static void
unmute(EventLoopTimer *timer)
{
	Connection *connection = (Connection *) ((char *) timer - offsetof(Connection, mute_timer));

	connection->muted = false;
	connection->coming_since = connection->active_at = pgt_clock_monotonic_us();
	add_todo(connection);
}

void
pgt_connection_mute(Connection *connection, int32 ms)
{
	int64		until = pgt_clock_monotonic_us() + ms * INT64CONST(1000);

	if (connection->muted && connection->mute_timer.due >= until)
		return;
	connection->muted = true;
	pgt_event_loop_set_timer(&connection->mute_timer, until);
	add_todo(connection);
}

void
pgt_connection_close(Connection *connection, const char *reason)
{
	if (connection->closing == NULL)
		connection->closing = reason;
	add_todo(connection);
}

void
pgt_connection_finish(Connection *connection, const char *reason)
{
	if (connection->finishing == NULL)
		connection->finishing = reason;
	add_todo(connection);
}

bool
pgt_connection_is_failing(const Connection *connection)
{
	return connection->closing != NULL || connection->failed != NULL;
}

/* ---- exchanges ------------------------------------------------------------- */

/* Free those that have been answered. */
static void
free_finished(void)
{
	while (!dlist_is_empty(&finished))
		pgt_exchange_free(dlist_container(Exchange, node, dlist_pop_head_node(&finished)));
}

/* What is wrong with the size of a frame; NULL: nothing. */
static const char *
size_problem(const Connection *connection, int32 size)
{
	if (size < 0)
		return "the size of a frame is negative";
	if (size <= connection->max_frame)
		return NULL;
	/* a record of TLS with a handshake, which would have begun TLS if there were any */
	if (connection->frames == 0 && memcmp(connection->size_bytes, "\x16\x03", 2) == 0)
		return "the client wants TLS, which the server does not offer, as ssl is off";
	return "a frame is larger than the limit";
}

/*
 * The size of a frame is known: make an exchange for it.  False if the size is wrong or there
 * is no memory now.
 */
static bool
begin_frame(Connection *connection)
{
	uint32		bytes;
	int32		size;
	const char *problem;
	Exchange   *exchange;

	memcpy(&bytes, connection->size_bytes, sizeof(bytes));
	size = (int32) pg_ntoh32(bytes);
	problem = size_problem(connection, size);
	if (problem != NULL)
	{
		pgt_connection_finish(connection, problem);
		return false;
	}
	if (!pgt_connection_limits_has_memory() || (!dlist_is_empty(&starved) && !serves_starved))
	{
		set_waiting(connection, &starved);
		return false;
	}
	exchange = pgt_exchange_make(connection, connection->memory, size);
	if (exchange == NULL)
	{
		pgt_connection_finish(connection, "there is no memory for a frame");
		return false;
	}
	connection->coming = exchange;
	connection->coming_count = 0;
	connection->coming_since = pgt_clock_monotonic_us();
	connection->size_count = 0;
	return true;
}

/* The frame that was coming is whole: hand it on. */
static void
serve(Connection *connection)
{
	Exchange   *exchange = connection->coming;

	connection->coming = NULL;
	connection->frames++;
	dlist_push_tail(&connection->exchanges, &exchange->node);
	connection->exchange_count++;
	handlers->serve(exchange);
	if (!exchange->answered)
		pgt_exchange_count(exchange);
	free_finished();
}

/* Serve what is whole of these bytes, and keep the beginning of the next frame.  Returns how many are used up. */
static size_t
take_bytes(Connection *connection, const char *bytes, size_t length)
{
	size_t		used = 0;

	while (may_serve(connection))
	{
		Exchange   *coming;
		size_t		count;

		if (connection->coming == NULL)
		{
			while (connection->size_count < sizeof(connection->size_bytes) && used < length)
				connection->size_bytes[connection->size_count++] = bytes[used++];
			if (connection->size_count < sizeof(connection->size_bytes) || !begin_frame(connection))
				break;
		}
		coming = connection->coming;
		count = Min(length - used, coming->length - connection->coming_count);
		if (count > 0)
			memcpy(coming->frame + connection->coming_count, bytes + used, count);
		connection->coming_count += count;
		used += count;
		if (connection->coming_count < coming->length)
			break;
		serve(connection);
		if (slice_is_over())
			break;
	}
	return used;
}

void
pgt_connection_block(Exchange *exchange, bool block)
{
	Connection *connection = exchange->connection;

	if (block)
		connection->blocker = exchange;
	else if (connection->blocker == exchange)
	{
		connection->blocker = NULL;
		connection->coming_since = pgt_clock_monotonic_us();
	}
	add_todo(connection);
}

void
pgt_connection_answer(Exchange *exchange)
{
	Connection *connection = exchange->connection;
	int64		now = pgt_clock_monotonic_us();

	exchange->answered = true;
	connection->held += exchange->output.memory;
	connection->held_files += exchange->output.files;
	connection->active_at = now;
	pgt_connection_block(exchange, false);
	while (!dlist_is_empty(&connection->exchanges))
	{
		Exchange   *first = dlist_head_element(Exchange, node, &connection->exchanges);

		if (!first->answered)
			break;
		if (connection->output.length == 0)
			connection->sent_at = now;
		connection->held -= first->output.memory;
		connection->held_files -= first->output.files;
		pgt_output_move(&connection->output, &first->output);
		dlist_delete(&first->node);
		connection->exchange_count--;
		dlist_push_tail(&finished, &first->node);
	}
}

/* Has a frame of the same connection come before another one, which is not answered? */
static bool
is_before(const Exchange *exchange, Exchange *other)
{
	dlist_head *all = &other->connection->exchanges;
	dlist_node *node = &other->node;

	while (dlist_has_prev(all, node))
	{
		node = dlist_prev_node(all, node);
		if (node == &exchange->node)
			return true;
	}
	return false;
}

void
pgt_connection_fail(Exchange *exchange, const char *reason)
{
	Connection *connection = exchange->connection;

	/* one that has its answer keeps it */
	if (!exchange->answered && (connection->failed == NULL || is_before(exchange, connection->failed)))
		connection->failed = exchange;
	pgt_connection_finish(connection, reason);
}

/* Drop the last exchange. */
static void
drop_last(Connection *connection)
{
	Exchange   *exchange = dlist_tail_element(Exchange, node, &connection->exchanges);

	dlist_delete(&exchange->node);
	connection->exchange_count--;
	if (connection->blocker == exchange)
		connection->blocker = NULL;
	if (exchange->answered)
	{
		connection->held -= exchange->output.memory;
		connection->held_files -= exchange->output.files;
	}
	else
		handlers->dropped(exchange);
	pgt_exchange_free(exchange);
}

/* Drop the exchange that has failed, and those behind it. */
static void
drop_failed(Connection *connection)
{
	Exchange   *failed = connection->failed;
	bool		is_last;

	if (failed == NULL)
		return;
	connection->failed = NULL;
	do
	{
		is_last = dlist_tail_element(Exchange, node, &connection->exchanges) == failed;
		drop_last(connection);
	} while (!is_last);
}

/* ---- reading --------------------------------------------------------------- */

/* Keep bytes that cannot be served now. */
static void
keep_backlog(Connection *connection, const char *bytes, size_t length)
{
	Assert(connection->backlog == NULL);
	connection->backlog = MemoryContextAlloc(connection->memory, length);
	memcpy(connection->backlog, bytes, length);
	connection->backlog_length = length;
	connection->backlog_done = 0;
}

/* Serve what has waited. */
static void
serve_backlog(Connection *connection)
{
	if (connection->backlog == NULL)
	{
		(void) take_bytes(connection, NULL, 0);
		return;
	}
	connection->backlog_done += take_bytes(connection, connection->backlog + connection->backlog_done,
										   connection->backlog_length - connection->backlog_done);
	if (connection->backlog_done < connection->backlog_length)
		return;
	pfree(connection->backlog);
	connection->backlog = NULL;
	connection->backlog_length = connection->backlog_done = 0;
}

/* The client sends no more. */
static void
input_ended(Connection *connection)
{
	if (connection->coming != NULL || connection->size_count > 0)
		pgt_connection_close(connection, "the client has left in the midst of a frame");
	else
		pgt_connection_finish(connection, "");
}

/* Bytes have been read: so many into the frame that is coming, and so many into the buffer. */
static void
take_read(Connection *connection, size_t direct, size_t behind)
{
	size_t		used;

	if (connection->coming != NULL)
		connection->coming_count += direct;
	else if (connection->size_count == 0)
		connection->coming_since = pgt_clock_monotonic_us();
	/* also where nothing is behind it: the frame may be whole now */
	used = take_bytes(connection, read_buffer, behind);
	if (used < behind && connection->closing == NULL)
		keep_backlog(connection, read_buffer + used, behind - used);
}

/* Read once.  False if there is no more to be read for now. */
static bool
read_once(Connection *connection, size_t *total)
{
	struct iovec parts[2];
	int			count = 0;
	size_t		direct = 0;
	ssize_t		got;

	if (connection->coming != NULL)
	{
		direct = connection->coming->length - connection->coming_count;
		parts[count].iov_base = connection->coming->frame + connection->coming_count;
		parts[count++].iov_len = direct;
	}
	parts[count].iov_base = read_buffer;
	parts[count++].iov_len = READ_BUFFER;

	errno = 0;
	got = connection->transport->receive(connection, parts, count);
	if (got < 0 && errno == EINTR)
		return true;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (got < 0)
		pgt_connection_close(connection, "the connection was reset");
	else if (got == 0)
		input_ended(connection);
	if (got <= 0)
		return false;

	*total += got;
	take_read(connection, Min(got, direct), got - Min(got, direct));
	return got == direct + READ_BUFFER || connection->transport->pending != NULL;
}

/* Read, and serve what is whole. */
static void
read_some(Connection *connection)
{
	size_t		total = 0;

	while (total < TURN_BYTES && wants_input(connection) && read_once(connection, &total) && !slice_is_over())
		;
	connection->bytes_in += total;
	if (total > 0)
		connection->active_at = pgt_clock_monotonic_us();
}

/*
 * The client sends no more, as it seems, while the connection is not read.  If it has left
 * nothing behind, it has gone away from an exchange that blocks.
 */
static void
maybe_left(Connection *connection)
{
	int			unread = 0;

	connection->half_closed = true;
	if (connection->blocker != NULL && connection->backlog == NULL &&
		ioctl(connection->source.fd, FIONREAD, &unread) == 0 && unread == 0)
		pgt_connection_close(connection, "");
}

static void
call_read(void *arg)
{
	read_some(arg);
}

/* Do something for a connection; an error, as where there is no memory, is its end alone. */
static void
do_or_close(Connection *connection, void (*function) (void *arg))
{
	if (!handlers->guard(function, connection))
		pgt_connection_close(connection, "an error in the server");
}

/* The socket is ready. */
static void
socket_ready(EventLoopSource *source, uint32 events)
{
	Connection *connection = (Connection *) ((char *) source - offsetof(Connection, source));

	if (events & EPOLLOUT)
		connection->stalled = false;
	begin_slice();
	if (wants_input(connection))
		do_or_close(connection, call_read);
	else if (events & (EPOLLERR | EPOLLHUP))
		pgt_connection_close(connection, "");
	else if (events & EPOLLRDHUP)
		maybe_left(connection);
	add_todo(connection);
}

/* ---- sending --------------------------------------------------------------- */

/* What was next to be sent has been read. */
static void
have_read(void *arg)
{
	Connection *connection = arg;

	connection->reading = NULL;
	/* the client was not to blame */
	connection->sent_at = pgt_clock_monotonic_us();
	add_todo(connection);
}

/* Have what is next to be sent read, and what follows; where nobody can do it, the next send does. */
static void
read_cold(Connection *connection)
{
	OutputRange ranges[RANGES_READ];
	int			count = pgt_output_cold(&connection->output, ranges, lengthof(ranges));

	connection->reading = pgt_read_ahead_begin(&ranges[0], have_read, connection);
	if (connection->reading == NULL)
		add_todo(connection);
	for (int i = 1; i < count; i++)
		(void) pgt_read_ahead_begin(&ranges[i], NULL, NULL);
}

static void
send_output(void *arg)
{
	Connection *connection = arg;
	OutputSink	sink = connection->transport->output;
	size_t		before = connection->output.length;

	sink.arg = connection;
	switch (pgt_output_send(&connection->output, TURN_BYTES, &sink))
	{
		case OUTPUT_SENT:
			if (connection->output.length > 0)
				add_todo(connection);
			break;
		case OUTPUT_WOULD_BLOCK:
			connection->stalled = true;
			break;
		case OUTPUT_COLD:
			read_cold(connection);
			break;
		case OUTPUT_FAILED:
			pgt_connection_close(connection, errno == 0 ? "a file has become shorter than an answer" : "");
			break;
	}
	if (connection->output.length < before)
	{
		connection->bytes_out += before - connection->output.length;
		connection->sent_at = connection->active_at = pgt_clock_monotonic_us();
	}
}

/* ---- begin and end --------------------------------------------------------- */

/* Close it, drop its exchanges, and free it. */
static void
close_now(Connection *connection)
{
	free_finished();
	pgt_connection_log_closing(connection);
	while (!dlist_is_empty(&connection->exchanges))
	{
		Exchange   *exchange = dlist_container(Exchange, node, dlist_pop_head_node(&connection->exchanges));

		if (!exchange->answered)
			handlers->dropped(exchange);
		pgt_exchange_free(exchange);
	}
	handlers->closed(connection);
	if (connection->coming != NULL)
		pgt_exchange_free(connection->coming);
	if (connection->reading != NULL)
		pgt_read_ahead_forget(connection->reading);
	pgt_output_clear(&connection->output);
	pgt_event_loop_cancel_timer(&connection->timer);
	pgt_event_loop_cancel_timer(&connection->mute_timer);
	set_waiting(connection, NULL);
	if (connection->todo)
		dlist_delete(&connection->todo_node);
	dlist_delete(&connection->node);
	pgt_connection_count--;
	pgt_event_loop_remove(&connection->source);
	if (connection->transport->close != NULL)
		connection->transport->close(connection);
	if (connection->finishing != NULL && connection->bytes_out > 0)
		pgt_parting_begin(connection->source.fd);
	else
		close(connection->source.fd);
	pgt_connection_address_remove(&connection->peer);
	MemoryContextDelete(connection->memory);
}

/* Close a connection whose time is over. */
static void
look_after(EventLoopTimer *timer)
{
	Connection *connection = (Connection *) ((char *) timer - offsetof(Connection, timer));
	const char *reason = pgt_connection_limits_overdue(connection, wants_input(connection));

	if (reason != NULL)
		pgt_connection_close(connection, reason);
}

/* A Connection for a socket; NULL: there is no memory. */
static Connection *
make_connection(int fd, int listener)
{
	MemoryContext memory = AllocSetContextCreate(connection_context, "pg_topics connection", ALLOCSET_SMALL_SIZES);
	Connection *connection = MemoryContextAllocExtended(memory, sizeof(Connection), MCXT_ALLOC_NO_OOM | MCXT_ALLOC_ZERO);

	if (connection == NULL)
	{
		MemoryContextDelete(memory);
		return NULL;
	}
	connection->memory = memory;
	connection->source.fd = fd;
	connection->source.ready = socket_ready;
	connection->timer.expired = look_after;
	connection->mute_timer.expired = unmute;
	connection->transport = &pgt_plain_transport;
	connection->listener = listener;
	connection->max_frame = pgt_connection_limits.first_frame;
	connection->expires = NEVER_US;
	connection->connected_at = connection->active_at = pgt_clock_monotonic_us();
	dlist_init(&connection->exchanges);
	connection->peer.salen = sizeof(connection->peer.addr);
	if (getpeername(fd, (struct sockaddr *) &connection->peer.addr, &connection->peer.salen) != 0)
		connection->peer.salen = 0;
	connection->local.salen = sizeof(connection->local.addr);
	if (getsockname(fd, (struct sockaddr *) &connection->local.addr, &connection->local.salen) != 0)
		connection->local.salen = 0;
	return connection;
}

/* A socket of a client, on its way to be one of the connections. */
typedef struct NewSocket
{
	int			fd;
	int			listener;
	Connection *connection;		/* once it is made */
	bool		is_counted;		/* among those of its address */
	bool		is_open;		/* among the connections */
} NewSocket;

/* Make it one of the connections; it is left as it is where that fails. */
static void
open_socket(void *arg)
{
	NewSocket  *socket = arg;
	Connection *connection = socket->connection = make_connection(socket->fd, socket->listener);

	if (connection == NULL)
		return;
	socket->is_counted = pgt_connection_address_add(&connection->peer, pgt_connection_limits.of_address);
	if (!socket->is_counted)
	{
		pgt_connection_log_refused_address(connection);
		return;
	}
	if (!pgt_event_loop_add(&connection->source, EPOLLIN))
		return;
	dlist_push_tail(&pgt_connections, &connection->node);
	pgt_connection_count++;
	socket->is_open = true;
	add_todo(connection);
	look_after(&connection->timer);
	if (!handlers->opened(connection))
		pgt_connection_close(connection, "");
}

void
pgt_connection_open(int fd, int listener)
{
	NewSocket	new = {.fd = fd,.listener = listener};
	int			on = 1;
	bool		done;

	if (pgt_connection_count >= pgt_connection_limits.connections)
	{
		close(fd);
		pgt_connection_log_refused(pgt_connection_count);
		return;
	}
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	done = handlers->guard(open_socket, &new);
	if (new.is_open)
	{
		if (!done)
			pgt_connection_close(new.connection, "an error in the server");
		return;
	}
	if (new.is_counted)
		pgt_connection_address_remove(&new.connection->peer);
	if (new.connection != NULL)
		MemoryContextDelete(new.connection->memory);
	close(fd);
}

/* ---- the turn -------------------------------------------------------------- */

/* Which events of its socket are waited for. */
static uint32
wanted_events(const Connection *connection)
{
	uint32		events = 0;

	if (wants_input(connection))
		events |= EPOLLIN;
	else if (!connection->half_closed)
		events |= EPOLLRDHUP;
	if (connection->stalled)
		events |= EPOLLOUT;
	return events;
}

/* Bring a connection in order, after something has happened to it. */
static void
settle(Connection *connection)
{
	drop_failed(connection);
	if (connection->closing == NULL && connection->output.length > 0 && !connection->stalled && connection->reading == NULL)
		do_or_close(connection, send_output);
	if (connection->finishing != NULL && connection->exchange_count == 0 && connection->output.length == 0)
		pgt_connection_close(connection, connection->finishing);
	if (connection->closing != NULL)
	{
		close_now(connection);
		return;
	}
	if (may_serve(connection) && connection->waiting == NULL &&
		(connection->backlog != NULL ||
		 (connection->transport->pending != NULL && connection->transport->pending(connection))))
		set_waiting(connection, &servable);
	pgt_event_loop_change(&connection->source, wanted_events(connection));
	handlers->settled(connection);
}

/* Serve what has waited, and what TLS has behind it. */
static void
serve_on(void *arg)
{
	Connection *connection = arg;

	serve_backlog(connection);
	if (wants_input(connection) && connection->transport->pending != NULL)
		read_some(connection);
}

/* Serve the first connection of a list, which leaves it. */
static void
serve_first(dlist_head *list)
{
	Connection *connection = dlist_head_element(Connection, waiting_node, list);

	set_waiting(connection, NULL);
	begin_slice();
	do_or_close(connection, serve_on);
	add_todo(connection);
}

static int
length_of(const dlist_head *list)
{
	int			count = 0;
	dlist_iter	iter;

	dlist_foreach(iter, unconstify(dlist_head *, list))
		count++;
	return count;
}

/* Are there connections that wait for memory, and is there some? */
static bool
may_feed(void)
{
	return !dlist_is_empty(&starved) && pgt_connection_limits_has_memory();
}

/*
 * Those that have come back to a list meanwhile have had their time.  Those that starve are asked one at a
 * time: each may take all memory that there is.
 */
void
pgt_connection_serve_waiting(void)
{
	for (int count = length_of(&servable); count > 0 && !dlist_is_empty(&servable); count--)
		serve_first(&servable);
	serves_starved = true;
	for (int count = length_of(&starved); count > 0 && may_feed(); count--)
		serve_first(&starved);
	serves_starved = false;
}

bool
pgt_connection_starves(void)
{
	return !dlist_is_empty(&starved) && !pgt_connection_limits_has_memory();
}

void
pgt_connection_end_turn(void)
{
	dlist_head *list = &todo[todo_list];

	free_finished();
	todo_list = 1 - todo_list;
	while (!dlist_is_empty(list))
	{
		Connection *connection = dlist_container(Connection, todo_node, dlist_pop_head_node(list));

		connection->todo = false;
		settle(connection);
	}
	if (!dlist_is_empty(&todo[todo_list]) || !dlist_is_empty(&servable) || may_feed())
		pgt_event_loop_hurry();
}
