/*
 * tls.h
 *	  TLS of connections, with the server's certificate and settings.
 */
#ifndef TLS_H
#define TLS_H

#include "listener/connection.h"

/*
 * Read the certificate, the key and the settings that begin with "ssl".  At the start, and when
 * the configuration has been read again.  If that fails it is logged, and what was
 * read before stays.  Connections keep what they began with.
 */
extern void pgt_tls_load(void);

/*
 * A connection that has just been opened may begin with TLS, if there is a certificate: what it does is
 * seen from its first byte.
 */
extern void pgt_tls_offer(Connection *connection);

/* Has the connection begun with TLS? */
extern bool pgt_tls_is_on(const Connection *connection);

/*
 * The common name of the client's certificate, which a trusted authority has signed; NULL, if there is
 * none.  Known once a frame has come in.
 */
extern const char *pgt_tls_common_name(const Connection *connection);

#endif							/* TLS_H */
