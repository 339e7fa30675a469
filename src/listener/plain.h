/*
 * plain.h
 *	  Connections without TLS.
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "listener/connection_types.h"

/* How bytes come and go. */
extern const ConnectionTransport pgt_plain_transport;

#endif							/* PLAIN_H */
