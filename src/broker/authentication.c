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
 * A client that has not authenticated authentication_timeout after it has connected is closed.
 *
 * CONNECTION LIMIT, of the role and of the database, counts this process's clients, and not SQL sessions; it
 * does not count for superusers, as in SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "broker/authentication.h"
#include "broker/broker_settings.h"
#include "broker/hba_rules.h"
#include "broker/refusal_log.h"
#include "broker/turn.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "common/ip.h"
#include "listener/tls.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "util/clock.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* Clients add the time that they are told to clocks that are not as long as ours. */
#define LONGEST_LIFETIME_MS		(30 * INT64CONST(86400000))

/* How often pg_authid was seen to change. */
static uint64 roles_version = 1;

/* What pg_authid says of a role. */
typedef struct RoleFacts
{
	Oid			oid;
	char		name[NAMEDATALEN];
	bool		can_login;
	bool		is_superuser;
	int			connection_limit;	/* -1: none */
	TimestampTz valid_until;	/* DT_NOEND: for ever */
	char	   *verifier;		/* palloc'd; NULL: no password */
} RoleFacts;

/* ---- roles ------------------------------------------------------------------ */

static void
take_facts(RoleFacts *facts, HeapTuple row)
{
	Form_pg_authid form = (Form_pg_authid) GETSTRUCT(row);
	bool		is_null;
	Datum		value;

	facts->oid = form->oid;
	strlcpy(facts->name, NameStr(form->rolname), NAMEDATALEN);
	facts->can_login = form->rolcanlogin;
	facts->is_superuser = form->rolsuper;
	facts->connection_limit = form->rolconnlimit;
	value = SysCacheGetAttr(AUTHOID, row, Anum_pg_authid_rolvaliduntil, &is_null);
	facts->valid_until = is_null ? DT_NOEND : DatumGetTimestampTz(value);
	value = SysCacheGetAttr(AUTHOID, row, Anum_pg_authid_rolpassword, &is_null);
	facts->verifier = is_null ? NULL : TextDatumGetCString(value);
}

/* What there is to know of a role; false, if there is none. */
static bool
look_up(int cache, Datum key, RoleFacts *facts)
{
	HeapTuple	row = SearchSysCache1(cache, key);

	if (!HeapTupleIsValid(row))
		return false;
	take_facts(facts, row);
	ReleaseSysCache(row);
	return true;
}

static bool
has_expired(const RoleFacts *facts)
{
	return facts->valid_until < GetCurrentTimestamp();
}

/* What pg_database says of the database. */
typedef struct DatabaseFacts
{
	bool		allows_connections;
	int			connection_limit;	/* -1: none */
} DatabaseFacts;

static DatabaseFacts
look_up_database(void)
{
	HeapTuple	row = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	DatabaseFacts facts = {false};
	Form_pg_database form;

	if (!HeapTupleIsValid(row))
		return facts;
	form = (Form_pg_database) GETSTRUCT(row);
	facts.allows_connections = form->datallowconn;
	facts.connection_limit = form->datconnlimit;
	ReleaseSysCache(row);
	return facts;
}

/* ---- the client ------------------------------------------------------------- */

static bool
is_tls(const BrokerConnection *client)
{
	return pgt_tls_is_on(client->connection);
}

/* The client's address; that of an IPv4 client on an IPv6 socket as one of IPv4. */
static SockAddr
address_of(const BrokerConnection *client)
{
	SockAddr	address = client->connection->peer;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *) &client->connection->peer.addr;

	if (address.addr.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
	{
		struct sockaddr_in *four = (struct sockaddr_in *) &address.addr;

		memset(&address, 0, sizeof(address));
		four->sin_family = AF_INET;
		four->sin_port = six->sin6_port;
		memcpy(&four->sin_addr, &six->sin6_addr.s6_addr[12], sizeof(four->sin_addr));
		address.salen = sizeof(struct sockaddr_in);
	}
	return address;
}

static char *
host_of(const BrokerConnection *client)
{
	SockAddr	address = address_of(client);
	char		host[NI_MAXHOST];

	if (pg_getnameinfo_all(&address.addr, address.salen, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return pstrdup("???");
	return pstrdup(host);
}

char *
pgt_authentication_address(const BrokerConnection *client)
{
	SockAddr	address = address_of(client);
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (pg_getnameinfo_all(&address.addr, address.salen, host, sizeof(host), port, sizeof(port),
						   NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return pstrdup("???");
	return psprintf(address.addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool
pgt_authentication_is_private(const BrokerConnection *client)
{
	SockAddr	address = address_of(client);

	if (is_tls(client))
		return true;
	if (address.addr.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *) &address.addr)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address.addr.ss_family == AF_INET6 &&
		IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *) &address.addr)->sin6_addr);
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

		if (other != NULL && other != client && other->authenticated && (role == InvalidOid || other->role == role))
			count++;
	}
	return count;
}

/* ---- refusing --------------------------------------------------------------- */

/* Log, unless there is much of it, that a client is refused, with what it is told of it and what it is not; returns the former. */
static const char *
refuse(const BrokerConnection *client, const char *told, const char *detail)
{
	if (pgt_refusal_log_may(client))
		ereport(LOG,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("refused Kafka client %s: %s", pgt_authentication_address(client), told),
				 detail != NULL ? errdetail_internal("%s", detail) : 0));
	return told;
}

const char *
pgt_authentication_fail(BrokerConnection *client, const AuthenticationDemand *demand, const char *reason)
{
	return refuse(client, psprintf("authentication failed for role \"%s\"", demand->role),
				  demand->problem != NULL ? demand->problem : reason);
}

/* ---- rules ------------------------------------------------------------------ */

/* Does the method of the rule fit the way in which the client proves itself?  NULL, or why not. */
static const char *
method_problem(const HbaLine *rule, AuthenticationProof proof)
{
	bool		sasl = proof != AUTHENTICATION_PROOF_NONE;

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
rule_problem(const HbaLine *rule, const BrokerConnection *client, const char *role, AuthenticationProof proof)
{
	const char *problem;

	if (rule->hostname != NULL)
		return "It has a host name, and those of clients of Kafka are not looked up: write the rule with addresses.";
	problem = method_problem(rule, proof);
	return problem != NULL ? problem : certificate_problem(rule, client, role);
}

/* The rule of pg_hba.conf that lets the client try to be the role; NULL with what the client is told. */
static const HbaLine *
find_rule(const BrokerConnection *client, const char *role, AuthenticationProof proof, const char **told)
{
	SockAddr	address = address_of(client);
	HbaRulesQuestion question = {&address, is_tls(client), get_database_name(MyDatabaseId), role};
	const HbaLine *rule = pgt_hba_rules_find(&question);
	const char *problem = rule == NULL ? NULL : rule_problem(rule, client, role, proof);

	if (rule != NULL && problem == NULL)
		return rule;
	*told = refuse(client, psprintf("no entry of pg_hba.conf lets host \"%s\", role \"%s\", database \"%s\" in by %s, %s",
									host_of(client), role, question.database,
									proof == AUTHENTICATION_PROOF_PLAIN ? "SASL PLAIN" :
									proof == AUTHENTICATION_PROOF_SCRAM ? "SASL SCRAM" : "no SASL",
									is_tls(client) ? "TLS" : "no TLS"),
				   rule == NULL ? NULL : psprintf("Line %d of the file is the one that counts. %s",
												  rule->linenumber, problem));
	return NULL;
}

/* ---- entering --------------------------------------------------------------- */

/* Set the verifier that the client's password is compared with. */
static void
demand_password(AuthenticationDemand *demand)
{
	RoleFacts	facts;

	if (!look_up(AUTHNAME, CStringGetDatum(demand->role), &facts))
		demand->problem = psprintf("Role \"%s\" does not exist.", demand->role);
	else if (facts.verifier == NULL)
		demand->problem = psprintf("Role \"%s\" has no password.", demand->role);
	else if (has_expired(&facts))
		demand->problem = psprintf("The password of role \"%s\" has expired.", demand->role);
	else
	{
		demand->oid = facts.oid;
		demand->verifier = facts.verifier;
	}
}

const char *
pgt_authentication_demand(BrokerConnection *client, const char *role, AuthenticationProof proof,
						  AuthenticationDemand *demand)
{
	const char *told = NULL;
	const HbaLine *rule;

	memset(demand, 0, sizeof(*demand));
	demand->proof = proof;
	if (strlen(role) >= NAMEDATALEN)
		return refuse(client, "the name of the role is too long", NULL);
	strlcpy(demand->role, role, NAMEDATALEN);
	rule = find_rule(client, role, proof, &told);
	if (rule == NULL)
		return told;
	demand->trusted = proof == AUTHENTICATION_PROOF_NONE ||
		(proof == AUTHENTICATION_PROOF_PLAIN && rule->auth_method == uaTrust);
	if (!demand->trusted)
		demand_password(demand);
	return NULL;
}

/* Why the role may not connect, though the client is it; NULL: it may. */
static const char *
entry_problem(const BrokerConnection *client, const RoleFacts *facts)
{
	DatabaseFacts database = look_up_database();

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

	if (!look_up(AUTHNAME, CStringGetDatum(demand->role), &facts))
		return pgt_authentication_fail(client, demand, psprintf("Role \"%s\" does not exist.", demand->role));
	/* comparing takes some turns, and SCRAM a message: meanwhile roles may have changed their names */
	if (!demand->trusted && facts.oid != demand->oid)
		return pgt_authentication_fail(client, demand, "The password was that of another role, which had the name before.");
	problem = entry_problem(client, &facts);
	if (problem != NULL)
		return refuse(client, problem, NULL);
	client->by_password = !demand->trusted;
	set_role(client, &facts, version);
	if (PGT_LOG_CONNECTIONS)
		ereport(LOG,
				(errmsg("Kafka client %s authorized: role=%s database=%s",
						pgt_authentication_address(client), facts.name, get_database_name(MyDatabaseId))));
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

/* A client asks for something and has not authenticated: is it a role without that? */
static bool
enter_without_sasl(BrokerConnection *client)
{
	const char *role = pgt_tls_common_name(client->connection);
	AuthenticationDemand demand;

	if (client->sasl != NULL)
	{
		refuse(client, "its authentication is not complete", NULL);
		return false;
	}
	if (role == NULL)
		role = pgt_kafka_anonymous_role;
	if (*role == '\0')
	{
		refuse(client, "it does not authenticate",
			   "There is no role for such clients: pg_topics.kafka_anonymous_role is empty.");
		return false;
	}
	return pgt_authentication_demand(client, role, AUTHENTICATION_PROOF_NONE, &demand) == NULL &&
		pgt_authentication_accept(client, &demand) == NULL;
}

/* Roles have changed since the client was looked at: is its role still one that may log in? */
static bool
look_again(BrokerConnection *client)
{
	RoleFacts	facts;
	uint64		version = roles_version;

	if (!look_up(AUTHOID, ObjectIdGetDatum(client->role), &facts))
	{
		refuse(client, psprintf("its role \"%s\" was dropped", client->role_name), NULL);
		return false;
	}
	if (!facts.can_login)
	{
		refuse(client, psprintf("its role \"%s\" is not permitted to log in any more", facts.name), NULL);
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
		refuse(client, "its session has ended, and it has not authenticated again", NULL);
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
