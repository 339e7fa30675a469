/*
 * authentication.h
 *	  Who a client is.
 */
#ifndef AUTHENTICATION_H
#define AUTHENTICATION_H

#include "broker/broker.h"

/*
 * A client has connected: admit it at once, if no password is asked of it, and set
 * client->authenticated, role and role_name; or leave it for SASL.  Called outside of a
 * transaction.
 */
extern void pgt_authentication_begin(BrokerConnection *client);

/*
 * May this client's request of an API be served now?  Asked before each request, authenticated
 * or not; "anonymous" is what the API's entry says.
 */
extern bool pgt_authentication_admits(BrokerConnection *client, const BrokerApi *api);

#endif							/* AUTHENTICATION_H */
