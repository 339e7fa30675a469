/*
 * client_address.h
 *	  Where a client comes from.
 */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include "broker/core/broker.h"
#include "libpq/pqcomm.h"

/* The client's address; that of an IPv4 client on an IPv6 socket as one of IPv4. */
extern SockAddr pgt_client_address_of(const BrokerConnection *client);

/* The same without the port, and with it, as texts for the server's log, palloc'd. */
extern char *pgt_client_address_host(const BrokerConnection *client);
extern char *pgt_client_address_text(const BrokerConnection *client);

/* Does the client come over TLS, or from this machine?  Else who listens to the network hears it. */
extern bool pgt_client_address_is_private(const BrokerConnection *client);

#endif							/* CLIENT_ADDRESS_H */
