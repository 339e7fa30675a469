/*
 * client_rule.h
 *	  Which rule of pg_hba.conf counts for a client, and whether it lets the client in.
 */
#ifndef CLIENT_RULE_H
#define CLIENT_RULE_H

#include "broker/core/broker.h"
#include "libpq/hba.h"

/* How a client proves which role it is. */
typedef enum ClientRuleProof
{
	CLIENT_RULE_PROOF_NONE,		/* not by SASL: by its certificate, or it is the anonymous role */
	CLIENT_RULE_PROOF_PLAIN,	/* it tells the password */
	CLIENT_RULE_PROOF_SCRAM		/* it shows that it knows the password */
} ClientRuleProof;

/*
 * The rule that lets the client try to be the role.  NULL, with what the client is told, which has been logged.  The
 * rules live until the file is read again.
 */
extern const HbaLine *pgt_client_rule_find(const BrokerConnection *client, const char *role, ClientRuleProof proof,
										   const char **told);

/* Would a rule let the client be the role without SASL? */
extern bool pgt_client_rule_would_admit(const BrokerConnection *client, const char *role);

#endif							/* CLIENT_RULE_H */
