/*
 * connection_types.h
 *	  What a connection is: its socket, what comes in and what goes out.
 */
#ifndef CONNECTION_TYPES_H
#define CONNECTION_TYPES_H

#include "lib/ilist.h"
#include "libpq/pqcomm.h"
#include "listener/event_loop.h"
#include "listener/exchange.h"
#include "listener/output.h"

struct Connection;

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
	int			held_files;		/* pieces of files in them */
	Exchange   *blocker;		/* until it is answered no further frame is served; NULL: none */
	Output		output;			/* answers that are next */
	bool		stalled;		/* the socket takes no more of it now */
	struct ReadAhead *reading;	/* what is next of it is read from a disk; NULL: it is not */

	bool		muted;			/* it is not read until mute_timer is due */
	EventLoopTimer mute_timer;

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
	const char *finishing;		/* why no more is read, and it is closed as soon as its answers are sent; NULL: it is not */
	Exchange   *failed;			/* it and those behind it are dropped at the end of the turn; NULL: none */
	const char *closing;		/* why it is closed at the end of the turn; NULL: it stays */

	/* for views */
	uint64		frames;
	uint64		bytes_in;
	uint64		bytes_out;
} Connection;

#endif							/* CONNECTION_TYPES_H */
