/*
 * connection.h
 *	  Connections of clients: frames that come in, and the answers that go out.
 *
 * A frame with its answer is an Exchange.  Frames are handed to handlers->serve() as they
 * become whole.  It answers then or later, in any order: the answers leave in the order of
 * the frames.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "lib/ilist.h"
#include "libpq/pqcomm.h"
#include "listener/event_loop.h"
#include "listener/exchange.h"
#include "listener/output.h"

struct Connection;

/* What is done with connections and frames.  No function may throw. */
typedef struct ConnectionHandlers
{
	/* a client has connected; false: close it again */
	bool		(*opened) (struct Connection *connection);

	/* a frame is whole.  Before it returns or later pgt_connection_answer() is called */
	void		(*serve) (Exchange *exchange);

	/* the connection is closed before that: exchange is freed when this returns */
	void		(*dropped) (Exchange *exchange);

	/* after all its exchanges were dropped; the connection is freed when this returns */
	void		(*closed) (struct Connection *connection);
} ConnectionHandlers;

/* How bytes come and go; without TLS recv(2) and send(2).  Errors are told by errno as there. */
typedef struct ConnectionTransport
{
	ssize_t		(*receive) (struct Connection *connection, struct iovec *parts, int count);
	ssize_t		(*send) (struct Connection *connection, const void *bytes, size_t length, bool more);
	void		(*close) (struct Connection *connection);	/* before the socket is closed; NULL: nothing to do */
} ConnectionTransport;

typedef struct Connection
{
	EventLoopSource source;		/* the socket */
	EventLoopTimer timer;		/* for the next of its time limits */
	dlist_node	node;			/* in pgt_connections */
	MemoryContext memory;		/* lives as long as the connection */
	const ConnectionTransport *transport;
	void	   *transport_state;	/* of TLS */
	int			listener;		/* by which address it came, an index of the listening addresses */
	SockAddr	peer;
	SockAddr	local;
	int32		max_frame;		/* larger ones close the connection; the handlers change it */
	void	   *client;			/* of the handlers */

	/* coming in */
	char	   *partial;		/* what has come of the frame that is not whole, its size first */
	size_t		partial_length;
	size_t		partial_room;
	MemoryContext partial_memory;	/* that of the coming exchange */
	size_t		reserved;		/* of the memory for all frames */
	char	   *backlog;		/* bytes that came behind a frame that blocks */
	size_t		backlog_length;
	size_t		backlog_done;
	bool		waits_for_memory;

	/* going out */
	dlist_head	exchanges;		/* in the order of their frames */
	int			exchange_count;
	Output		output;			/* answers that are next */
	bool		dirty;			/* it has output to be tried at the end of the turn */

	/* times by the monotonic clock */
	int64		connected_at;
	int64		active_at;		/* when a frame came in or an answer went out last */
	int64		partial_since;	/* when the frame began that is not whole */
	int64		sent_at;		/* when the socket last took bytes */

	bool		at_end;			/* the client sends no more */
	bool		finishing;		/* closed as soon as its answers are sent */
	const char *closing;		/* why it is closed at the end of the turn; NULL: it is open */

	/* for views */
	uint64		frames;
	uint64		bytes_in;
	uint64		bytes_out;
} Connection;

/* Limits, set by who uses this file; they may be changed at any time. */
typedef struct ConnectionLimits
{
	int			connections;	/* at most */
	int32		first_frame;	/* max_frame of a new connection */
	size_t		frame_memory;	/* for frames of all connections: then no further ones are read */
	size_t		unsent_memory;	/* of a connection's answers: then it is not read any more */
	int			pipelined;		/* frames of a connection that are not answered: then it is not read any more */
	int64		idle_ms;		/* without a frame and an answer; 0: for ever */
	int64		slow_ms;		/* for a frame to come, and without progress of an answer */
} ConnectionLimits;

extern ConnectionLimits pgt_connection_limits;

/* All connections, and how many there are. */
extern dlist_head pgt_connections;
extern int	pgt_connection_count;

/* Make ready, once in the process, when there is an event loop. */
extern void pgt_connection_init(const ConnectionHandlers *handlers);

/*
 * Take over a socket of a client, which has connected to a listening address.  It closes the
 * socket if there are too many connections.
 */
extern void pgt_connection_open(int fd, int listener);

/*
 * exchange->output is the answer, or if it is empty, there is none.  Frees the exchange,
 * now or when the ones before it have been answered.
 */
extern void pgt_connection_answer(Exchange *exchange);

/* Close at the end of the turn.  The reason is a constant string, for the server's log. */
extern void pgt_connection_close(Connection *connection, const char *reason);

/* Read no more, send the answers that there are, and close. */
extern void pgt_connection_finish(Connection *connection);

/* At the end of a turn: send what can be sent, serve what could not be served, close what is to be closed. */
extern void pgt_connection_end_turn(void);

/* Close all connections at once, as the process ends. */
extern void pgt_connection_close_all(void);

#endif							/* CONNECTION_H */
