/*
 * connection_address.h
 *	  How many connections come from each address.
 */
#ifndef CONNECTION_ADDRESS_H
#define CONNECTION_ADDRESS_H

#include <netinet/in.h>

#include "libpq/pqcomm.h"

/* The address of a client, without its port: of IPv6, or of IPv4 as IPv6 maps it; zeros for what is neither. */
extern struct in6_addr pgt_connection_address_of(const SockAddr *peer);

/* Count a connection; false, and it is not counted, if there are "most" from its address already.  0: no limit. */
extern bool pgt_connection_address_add(const SockAddr *peer, int most);

/* One that was counted is closed. */
extern void pgt_connection_address_remove(const SockAddr *peer);

#endif							/* CONNECTION_ADDRESS_H */
