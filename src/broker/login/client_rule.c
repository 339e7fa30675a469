/*
 * client_rule.c
 *	  Which rule of pg_hba.conf counts for a client, and whether it lets the client in.
 *
 * Finding the rule is the business of hba_rules.c, which does it as the server does.  What a rule's method means for
 * clients of Kafka is told in authentication.c.
 */
#include "postgres.h"

#include "broker/login/client_address.h"
#include "broker/login/client_rule.h"
#include "broker/login/hba_rules.h"
#include "broker/login/refusal_log.h"
#include "commands/dbcommands.h"
#include "listener/tls.h"
#include "miscadmin.h"

static const char *const proof_names[] = {
	[CLIENT_RULE_PROOF_NONE] = "no SASL",
	[CLIENT_RULE_PROOF_PLAIN] = "SASL PLAIN",
	[CLIENT_RULE_PROOF_SCRAM] = "SASL SCRAM"
};

/* Does the method of the rule fit the way in which the client proves itself?  NULL, or why not. */
static const char *
method_problem(const HbaLine *rule, ClientRuleProof proof)
{
	bool		sasl = proof != CLIENT_RULE_PROOF_NONE;

	switch (rule->auth_method)
	{
		case uaTrust:
			return NULL;
		case uaPassword:
		case uaMD5:
		case uaSCRAM:
			return sasl ? NULL : "It asks for a password, which the client gives only by SASL.";
		case uaCert:
			return sasl ? "It asks for a certificate and not for a password: the client must not use SASL." : NULL;
		case uaReject:
			return "It rejects the connection.";
		default:
			return psprintf("Its method \"%s\" cannot be used by clients of Kafka.", hba_authname(rule->auth_method));
	}
}

/* Has the client the certificate that the rule asks for?  NULL, or why not. */
static const char *
certificate_problem(const HbaLine *rule, const BrokerConnection *client, const char *role)
{
	const char *name = pgt_tls_common_name(client->connection);

	if (rule->clientcert == clientCertOff && rule->auth_method != uaCert)
		return NULL;
	if (name == NULL)
		return "It asks for a certificate, and the client has none that a trusted authority has signed.";
	if (rule->clientcert == clientCertCA && rule->auth_method != uaCert)
		return NULL;
	if (rule->usermap != NULL || rule->clientcertname != clientCertCN)
		return "It compares certificates by a map or by their distinguished name, which is not done for clients of Kafka.";
	return strcmp(name, role) == 0 ? NULL : "The client's certificate has another name.";
}

/* Why the rule does not let the client in, whatever it proves; NULL: it may. */
static const char *
rule_problem(const HbaLine *rule, const BrokerConnection *client, const char *role, ClientRuleProof proof)
{
	const char *problem;

	if (rule->hostname != NULL)
		return "It has a host name, and those of clients of Kafka are not looked up: write the rule with addresses.";
	problem = method_problem(rule, proof);
	return problem != NULL ? problem : certificate_problem(rule, client, role);
}

/* The rule of pg_hba.conf that counts, or NULL, and in *problem why it does not let the client try to be the role. */
static const HbaLine *
look_up_rule(const BrokerConnection *client, const char *role, ClientRuleProof proof, const char **problem)
{
	SockAddr	address = pgt_client_address_of(client);
	HbaRulesQuestion question = {&address, pgt_tls_is_on(client->connection), get_database_name(MyDatabaseId), role};
	const HbaLine *rule = pgt_hba_rules_find(&question);

	*problem = rule == NULL ? NULL : rule_problem(rule, client, role, proof);
	return rule;
}

const HbaLine *
pgt_client_rule_find(const BrokerConnection *client, const char *role, ClientRuleProof proof, const char **told)
{
	const char *problem;
	const HbaLine *rule = look_up_rule(client, role, proof, &problem);

	if (rule != NULL && problem == NULL)
		return rule;
	*told = psprintf("no entry of pg_hba.conf lets host \"%s\", role \"%s\", database \"%s\" in by %s, %s",
					 pgt_client_address_host(client), role, get_database_name(MyDatabaseId), proof_names[proof],
					 pgt_tls_is_on(client->connection) ? "TLS" : "no TLS");
	(void) pgt_refusal_log_refuse(client, *told, rule == NULL ? NULL :
								  psprintf("Line %d of the file is the one that counts. %s", rule->linenumber, problem));
	return NULL;
}

bool
pgt_client_rule_would_admit(const BrokerConnection *client, const char *role)
{
	const char *problem;

	return look_up_rule(client, role, CLIENT_RULE_PROOF_NONE, &problem) != NULL && problem == NULL;
}
