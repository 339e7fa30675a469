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

#include "listener/connection_types.h"

/* What is done with connections and frames.  But for serve() and opened() no function may throw. */
typedef struct ConnectionHandlers
{
	/* call a function that may throw; false, after the error is logged and cleaned up, if it has */
	bool		(*guard) (void (*function) (void *arg), void *arg);

	/* a client has connected; false: close it again */
	bool		(*opened) (Connection *connection);

	/* a frame is whole.  Before it returns or later pgt_connection_answer() is called */
	void		(*serve) (Exchange *exchange);

	/* the connection is closed before that, or an earlier frame has failed: exchange is freed when this returns */
	void		(*dropped) (Exchange *exchange);

	/* at the end of a turn in which something has happened on the connection, and it stays */
	void		(*settled) (Connection *connection);

	/* after all its exchanges were dropped; the connection is freed when this returns */
	void		(*closed) (Connection *connection);
} ConnectionHandlers;

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

/*
 * Read no frames for so many milliseconds, at least.  Those that have come are served, but for what is in the
 * connection's backlog.
 */
extern void pgt_connection_mute(Connection *connection, int32 ms);

/* Close at the end of the turn.  The reason is a constant string for the server's log, which is not told an empty one. */
extern void pgt_connection_close(Connection *connection, const char *reason);

/* Read no more, wait for the answers to what has come, send them, and close.  The reason is as above. */
extern void pgt_connection_finish(Connection *connection, const char *reason);

/*
 * Finish the connection, without answers to this frame and to those behind it.  At the end of the turn
 * they are dropped.
 */
extern void pgt_connection_fail(Exchange *exchange, const char *reason);

/* Is it to be closed, or to end with a frame that has failed? */
extern bool pgt_connection_is_failing(const Connection *connection);

/* In a turn: serve frames that had to wait and need not any more. */
extern void pgt_connection_serve_waiting(void);

/* Do frames wait for memory, and there is none? */
extern bool pgt_connection_starves(void);

/* At the end of a turn: send what can be sent, and close what is to be closed. */
extern void pgt_connection_end_turn(void);

#endif							/* CONNECTION_H */
