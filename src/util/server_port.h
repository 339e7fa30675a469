/*
 * server_port.h
 *	  The server's struct Port, without the headers of Kerberos.
 *
 * libpq-be.h includes them where the server was built with GSSAPI, and they need not be
 * installed where an extension is built.  The struct's layout does not depend on it: the
 * server keeps a pointer's room for it in either case, for the sake of extensions.  To be included
 * before other headers of libpq.
 */
#ifndef SERVER_PORT_H
#define SERVER_PORT_H

#undef ENABLE_GSS
#include "libpq/libpq-be.h"

#endif							/* SERVER_PORT_H */
