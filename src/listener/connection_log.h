/*
 * connection_log.h
 *	  What the server's log is told of connections.
 */
#ifndef CONNECTION_LOG_H
#define CONNECTION_LOG_H

#include "listener/connection_types.h"

/* A connection is closed for connection->closing; nothing is told where that is empty. */
extern void pgt_connection_log_closing(const Connection *connection);

/* A client was one too many of its address. */
extern void pgt_connection_log_refused_address(const Connection *connection);

/* A client was one too many, with so many connections. */
extern void pgt_connection_log_refused(int connections);

#endif							/* CONNECTION_LOG_H */
