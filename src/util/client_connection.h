/*
 * client_connection.h
 *	  Noticing that the session's client has gone, while the session waits.
 */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

/*
 * Sleep until the process's latch is set, timeout_ms milliseconds have passed, or the
 * client has disconnected.  The latch is reset.  After a disconnection the next
 * CHECK_FOR_INTERRUPTS() ends the session.
 */
extern void pgt_client_connection_sleep(long timeout_ms);

/* End the session if its client has disconnected. */
extern void pgt_client_connection_check(void);

#endif							/* CLIENT_CONNECTION_H */
