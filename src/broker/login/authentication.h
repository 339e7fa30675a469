/*
 * authentication.h
 *	  Who a client is, and whether it may connect.
 */
#ifndef AUTHENTICATION_H
#define AUTHENTICATION_H

#include "broker/core/broker.h"
#include "broker/login/client_rule.h"

/* What a client that wants to be a role has to prove. */
typedef struct AuthenticationDemand
{
	char		role[NAMEDATALEN];
	ClientRuleProof proof;
	bool		trusted;		/* no password is asked for */
	Oid			oid;			/* of the role whose verifier it is */
	char	   *verifier;		/* of the password, palloc'd; NULL: none is right */
	char	   *problem;		/* why there is no verifier, palloc'd, for the server's log */
} AuthenticationDemand;

/*
 * A client has connected.  What it may do is decided when it first asks for something, since it
 * is not known before whether it has a certificate, or begins SASL.
 */
extern void pgt_authentication_begin(BrokerConnection *client);

/*
 * May this client's request of an API be served now?  Asked before each request, authenticated
 * or not; a client that does without SASL is authenticated here.  If not, that has been logged.
 * Opens the turn.
 */
extern bool pgt_authentication_admits(BrokerConnection *client, const BrokerApi *api);

/*
 * The client has asked what versions there are.  One that would be let in without SASL has no need to
 * hurry: it is closed as others that are silent.  One that begins SASL then has to come to its end.
 */
extern void pgt_authentication_expect(BrokerConnection *client);
extern void pgt_authentication_begin_sasl(BrokerConnection *client);

/*
 * Set what the client has to prove to be a role.  NULL, or why it cannot be that in
 * any case, palloc'd and logged: a text that may be told to the client.  A role that does not exist
 * is one without a verifier.  This and the next function are called in a transaction.
 */
extern const char *pgt_authentication_demand(BrokerConnection *client, const char *role, ClientRuleProof proof,
											 AuthenticationDemand *demand);

/*
 * The client has proved it: from now on it is the role.  NULL, or why the role may not
 * connect, as above.
 */
extern const char *pgt_authentication_accept(BrokerConnection *client, const AuthenticationDemand *demand);

/*
 * The client has not proved it.  Logs that, and why, which the client must not know; returns what
 * it is told.
 */
extern const char *pgt_authentication_fail(BrokerConnection *client, const AuthenticationDemand *demand,
										   const char *reason);

/* For how long, in milliseconds, an authenticated client may go on until it authenticates again; 0: for ever. */
extern int64 pgt_authentication_lifetime(const BrokerConnection *client);

extern const BrokerHooks pgt_authentication_hooks;

#endif							/* AUTHENTICATION_H */
