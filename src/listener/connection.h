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

	/* at the end of a turn in which something has happened on the connection, and it stays */
	void		(*settled) (struct Connection *connection);

	/* after all its exchanges were dropped; the connection is freed when this returns */
	void		(*closed) (struct Connection *connection);
} ConnectionHandlers;

/*
 * How bytes come and go: with TLS by functions of its own.  They are like readv(2), send(2) and
 * sendfile(2), with EAGAIN for what would block.
 */
typedef struct ConnectionTransport
{
	ssize_t		(*receive) (struct Connection *connection, const struct iovec *parts, int count);
	OutputSink	output;			/* with the connection as its arg */
	bool		(*pending) (struct Connection *connection); /* has it bytes that the socket does not tell of?  NULL: never */
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
	char		size_bytes[4];	/* of the next frame, while they come */
	int			size_count;
	Exchange   *coming;			/* a frame of which bytes are missing; NULL: none */
	int32		coming_count;	/* how many are there */
	char	   *backlog;		/* bytes that came behind what can be served now; NULL: none */
	size_t		backlog_length;
	size_t		backlog_done;

	/* going out */
	dlist_head	exchanges;		/* in the order of their frames */
	int			exchange_count;
	size_t		held;			/* memory of answers that others have to go before */
	Exchange   *blocker;		/* until it is answered no further frame is served; NULL: none */
	Output		output;			/* answers that are next */
	bool		stalled;		/* the socket takes no more of it now */

	/* lists of connection.c */
	dlist_node	todo_node;
	bool		todo;
	dlist_node	waiting_node;
	dlist_head *waiting;		/* NULL: in none */

	/* times by the monotonic clock */
	int64		connected_at;
	int64		active_at;		/* when a frame came in or an answer went out last */
	int64		coming_since;	/* when a frame began to come, or could come again */
	int64		sent_at;		/* when the socket last took bytes, or was given the first ones */
	int64		expires;		/* when it is closed in any case; the handlers change it.  NEVER_US: never */

	bool		half_closed;	/* the client seems to send no more */
	bool		finishing;		/* no more is read; closed as soon as its answers are sent */
	const char *closing;		/* why it is closed at the end of the turn; NULL: it stays */

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
	size_t		memory;			/* of frames and answers of all connections: then no further frames are read */
	size_t		unsent_memory;	/* of a connection's answers, sent next or held back: then it is not read until they are sent */
	int			pipelined;		/* frames of a connection that are not answered: then it is not read until one is */
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

/*
 * The exchange is not answered yet: are the frames behind it to wait until it is?  At first they
 * are not.
 */
extern void pgt_connection_block(Exchange *exchange, bool block);

/* The exchange is not answered yet, but its frame is not needed any more. */
extern void pgt_connection_release_frame(Exchange *exchange);

/* Close at the end of the turn.  The reason is a constant string for the server's log, which is not told an empty one. */
extern void pgt_connection_close(Connection *connection, const char *reason);

/* Read no more, send the answers that there are, and close. */
extern void pgt_connection_finish(Connection *connection);

/* In a turn: serve frames that had to wait and need not any more. */
extern void pgt_connection_serve_waiting(void);

/* Do frames wait for memory, and there is none? */
extern bool pgt_connection_starves(void);

/* At the end of a turn: send what can be sent, and close what is to be closed. */
extern void pgt_connection_end_turn(void);

/* Close all connections at once, as the process ends. */
extern void pgt_connection_close_all(void);

#endif							/* CONNECTION_H */
