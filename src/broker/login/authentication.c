/*
 * authentication.c
 *	  Who a client is, and whether it may connect.
 *
 * A client is a role of the server, and connects to the worker's database.  Who may do that is
 * said where it is said for SQL: in pg_hba.conf and by the role.
 *
 *	  rule in pg_hba.conf				what a client has to do
 *
 *	  trust								nothing; or PLAIN with any password
 *	  scram-sha-256, md5, password		SCRAM, or PLAIN
 *	  cert								come over TLS with a certificate of the role's name, no SASL
 *	  reject, no rule, others			it cannot connect
 *
 * All three methods with passwords allow SCRAM, which needs a secret stored for it.  Unlike for SQL
 * scram-sha-256 allows that a password is told too: many clients have nothing but PLAIN, and sasl.c
 * takes it only where nobody can listen.  SCRAM under "trust" is a real one, since the
 * client wants a proof of the server.
 *
 * A client without SASL is the role that its certificate names or, where it has none, the one of
 * pg_topics.kafka_anonymous_role; a rule must let that role in without a password.
 *
 *	  demand			accept							admits
 *	  the rule -------> LOGIN, CONNECT,			-----> role dropped, NOLOGIN,
 *	  VALID UNTIL  SASL	ALLOW_CONNECTIONS,				session over: closed
 *						CONNECTION LIMIT of role
 *						and database
 *
 * What "accept" says is told only to who has proved to be the role.  A role that does not exist, has
 * no password or one that has expired looks like a wrong password.  What the rules say is told, as the
 * server does.
 *
 * While a client is connected, a change of pg_authid makes it looked at again before its
 * next request.  It is not kept as an SQL session would be: there is no pg_terminate_backend() for
 * it.  Its role's new name is followed.  VALID UNTIL is the end of its session, at which
 * it has to have authenticated again (KIP-368).  Changes of pg_hba.conf and of the password count for new
 * connections.
 *
 * A client that has not authenticated authentication_timeout after it has connected is closed.  But many clients
 * connect, ask for the versions of APIs, and then have nothing to ask for a long time.  Those that would be let in without
 * SASL are kept: they are only not called by their role yet, and count for its limits of connections as
 * if they were.  So nobody has more connections by it than by asking for something.
 *
 * CONNECTION LIMIT, of the role and of the database, counts this process's clients, and not SQL sessions; it
 * does not count for superusers, as in SQL.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/turn.h"
#include "broker/login/authentication.h"
#include "broker/login/client_address.h"
#include "broker/login/hba_rules.h"
#include "broker/login/refusal_log.h"
#include "broker/login/role_facts.h"
#include "commands/dbcommands.h"
#include "listener/tls.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "util/clock.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* Clients add the time that they are told to clocks that are not as long as ours. */
#define LONGEST_LIFETIME_MS		(30 * INT64CONST(86400000))

/* How often pg_authid was seen to change. */
static uint64 roles_version = 1;

/* ---- others with the same role ----------------------------------------------------------- */

/* The role that a client is, or becomes without SASL; InvalidOid: none yet. */
static Oid
role_of(const BrokerConnection *client)
{
	return client->authenticated ? client->role : client->expected;
}

/* How many other clients of this process are the role; InvalidOid: any. */
static int
count_others(const BrokerConnection *client, Oid role)
{
	dlist_iter	iter;
	int			count = 0;

	dlist_foreach(iter, &pgt_connections)
	{
		const BrokerConnection *other = dlist_container(Connection, node, iter.cur)->client;

		if (other != NULL && other != client && OidIsValid(role_of(other)) && (role == InvalidOid || role_of(other) == role))
			count++;
	}
	return count;
}

/* ---- entering --------------------------------------------------------------- */

/* Set the verifier that the client's password is compared with. */
static void
demand_password(AuthenticationDemand *demand)
{
	RoleFacts	facts;

	if (!pgt_role_facts_by_name(demand->role, &facts))
		demand->problem = psprintf("Role \"%s\" does not exist.", demand->role);
	else if (facts.verifier == NULL)
		demand->problem = psprintf("Role \"%s\" has no password.", demand->role);
	else if (facts.valid_until < GetCurrentTimestamp())
		demand->problem = psprintf("The password of role \"%s\" has expired.", demand->role);
	else
	{
		demand->oid = facts.oid;
		demand->verifier = facts.verifier;
	}
}

const char *
pgt_authentication_demand(BrokerConnection *client, const char *role, ClientRuleProof proof,
						  AuthenticationDemand *demand)
{
	const char *told = NULL;
	const HbaLine *rule;

	memset(demand, 0, sizeof(*demand));
	demand->proof = proof;
	if (strlen(role) >= NAMEDATALEN)
		return pgt_refusal_log_refuse(client, "the name of the role is too long", NULL);
	strlcpy(demand->role, role, NAMEDATALEN);
	rule = pgt_client_rule_find(client, role, proof, &told);
	if (rule == NULL)
		return told;
	demand->trusted = proof == CLIENT_RULE_PROOF_NONE ||
		(proof == CLIENT_RULE_PROOF_PLAIN && rule->auth_method == uaTrust);
	if (!demand->trusted)
		demand_password(demand);
	return NULL;
}

const char *
pgt_authentication_fail(BrokerConnection *client, const AuthenticationDemand *demand, const char *reason)
{
	return pgt_refusal_log_refuse(client, psprintf("authentication failed for role \"%s\"", demand->role),
								  demand->problem != NULL ? demand->problem : reason);
}

/* Why the role may not connect, though the client is it; NULL: it may. */
static const char *
entry_problem(const BrokerConnection *client, const RoleFacts *facts)
{
	RoleFactsOfDatabase database = pgt_role_facts_of_database();

	if (!facts->can_login)
		return psprintf("role \"%s\" is not permitted to log in", facts->name);
	if (!database.allows_connections)
		return psprintf("database \"%s\" is not currently accepting connections", get_database_name(MyDatabaseId));
	if (PGT_DATABASE_ACLCHECK(MyDatabaseId, facts->oid, ACL_CONNECT) != ACLCHECK_OK)
		return psprintf("role \"%s\" has no privilege to connect to database \"%s\"",
						facts->name, get_database_name(MyDatabaseId));
	if (facts->connection_limit >= 0 && !facts->is_superuser &&
		count_others(client, facts->oid) >= facts->connection_limit)
		return psprintf("too many connections for role \"%s\"", facts->name);
	if (database.connection_limit >= 0 && !facts->is_superuser &&
		count_others(client, InvalidOid) >= database.connection_limit)
		return psprintf("too many connections for database \"%s\"", get_database_name(MyDatabaseId));
	if (client->authenticated && client->role != facts->oid)
		return psprintf("role \"%s\" cannot become role \"%s\" in one connection", client->role_name, facts->name);
	return NULL;
}

/*
 * The client is the role, until it has to authenticate again.  Only passwords have an end.  "version" is of
 * before the facts were looked up.
 */
static void
set_role(BrokerConnection *client, const RoleFacts *facts, uint64 version)
{
	int64		end = NEVER_US;
	TimestampTz now = GetCurrentTimestamp();

	if (client->by_password && !TIMESTAMP_IS_NOEND(facts->valid_until))
		end = pgt_clock_monotonic_us() + (facts->valid_until > now ? facts->valid_until - now : 0);
	client->roles_version = version;
	pgt_broker_set_client(client, facts->oid, facts->name, end);
	client->connection->max_frame = pgt_kafka_socket_request_max_bytes;
}

const char *
pgt_authentication_accept(BrokerConnection *client, const AuthenticationDemand *demand)
{
	RoleFacts	facts;
	const char *problem;
	uint64		version = roles_version;

	if (!pgt_role_facts_by_name(demand->role, &facts))
		return pgt_authentication_fail(client, demand, psprintf("Role \"%s\" does not exist.", demand->role));
	/* comparing takes some turns, and SCRAM a message: meanwhile roles may have changed their names */
	if (!demand->trusted && facts.oid != demand->oid)
		return pgt_authentication_fail(client, demand, "The password was that of another role, which had the name before.");
	problem = entry_problem(client, &facts);
	if (problem != NULL)
		return pgt_refusal_log_refuse(client, problem, NULL);
	client->by_password = !demand->trusted;
	set_role(client, &facts, version);
	if (PGT_LOG_CONNECTIONS)
		ereport(LOG,
				(errmsg("Kafka client %s authorized: role=%s database=%s",
						pgt_client_address_text(client), facts.name, get_database_name(MyDatabaseId))));
	return NULL;
}

int64
pgt_authentication_lifetime(const BrokerConnection *client)
{
	int64		left;

	if (client->session_end == NEVER_US)
		return 0;
	left = (client->session_end - pgt_clock_monotonic_us()) / 1000;
	return Min(Max(left, 1), LONGEST_LIFETIME_MS);
}

/* ---- each request ----------------------------------------------------------- */

void
pgt_authentication_begin(BrokerConnection *client)
{
	pgt_tls_offer(client->connection);
}

/* Who a client is without SASL; an empty string: nobody. */
static const char *
role_without_sasl(const BrokerConnection *client)
{
	const char *role = pgt_tls_common_name(client->connection);

	return role == NULL ? pgt_kafka_anonymous_role : role;
}

/* Would the client be let in without SASL?  Then that role's oid. */
static Oid
expected_role(const BrokerConnection *client)
{
	const char *role = role_without_sasl(client);
	RoleFacts	facts;

	if (*role == '\0' || strlen(role) >= NAMEDATALEN ||
		!pgt_client_rule_would_admit(client, role) ||
		!pgt_role_facts_by_name(role, &facts) || entry_problem(client, &facts) != NULL)
		return InvalidOid;
	return facts.oid;
}

void
pgt_authentication_expect(BrokerConnection *client)
{
	if (client->authenticated || client->sasl != NULL || OidIsValid(client->expected))
		return;
	pgt_turn_open();
	client->expected = expected_role(client);
	if (OidIsValid(client->expected))
		client->connection->expires = NEVER_US;
}

void
pgt_authentication_begin_sasl(BrokerConnection *client)
{
	if (!OidIsValid(client->expected))
		return;
	client->expected = InvalidOid;
	if (!client->authenticated)
		pgt_broker_set_expiry(client, pgt_clock_monotonic_us() + AuthenticationTimeout * USECS_PER_SEC);
}

/* A client asks for something and has not authenticated: is it a role without that? */
static bool
enter_without_sasl(BrokerConnection *client)
{
	const char *role = role_without_sasl(client);
	AuthenticationDemand demand;

	if (client->sasl != NULL)
	{
		pgt_refusal_log_refuse(client, "its authentication is not complete", NULL);
		return false;
	}
	if (*role == '\0')
	{
		pgt_refusal_log_refuse(client, "it does not authenticate",
							   "There is no role for such clients: pg_topics.kafka_anonymous_role is empty.");
		return false;
	}
	return pgt_authentication_demand(client, role, CLIENT_RULE_PROOF_NONE, &demand) == NULL &&
		pgt_authentication_accept(client, &demand) == NULL;
}

/* Roles have changed since the client was looked at: is its role still one that may log in? */
static bool
look_again(BrokerConnection *client)
{
	RoleFacts	facts;
	uint64		version = roles_version;

	if (!pgt_role_facts_by_oid(client->role, &facts))
	{
		pgt_refusal_log_refuse(client, psprintf("its role \"%s\" was dropped", client->role_name), NULL);
		return false;
	}
	if (!facts.can_login)
	{
		pgt_refusal_log_refuse(client, psprintf("its role \"%s\" is not permitted to log in any more", facts.name), NULL);
		return false;
	}
	set_role(client, &facts, version);
	return true;
}

bool
pgt_authentication_admits(BrokerConnection *client, const BrokerApi *api)
{
	if (api->anonymous)
		return true;
	pgt_turn_open();			/* brings news of roles */
	if (!client->authenticated)
		return enter_without_sasl(client);
	if (client->roles_version != roles_version && !look_again(client))
		return false;
	if (client->session_end <= pgt_clock_monotonic_us())
	{
		pgt_refusal_log_refuse(client, "its session has ended, and it has not authenticated again", NULL);
		return false;
	}
	return true;
}

/* ---- the process ------------------------------------------------------------ */

/* A callback of the caches. */
static void
forget_roles(Datum arg, int cache, uint32 hash)
{
	roles_version++;
}

/* Read what may have changed. */
static void
reload(void)
{
	pgt_hba_rules_load();
	pgt_tls_load();
}

static void
start(void)
{
	CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
	reload();
}

const BrokerHooks pgt_authentication_hooks = {.start = start, .reloaded = reload};
