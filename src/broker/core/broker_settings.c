/*
 * broker_settings.c
 *	  The settings of the Kafka listener.  The value of a variable is the setting's default.
 *
 * Names and meanings are those of Kafka's broker where it has such a setting:
 * socket.request.max.bytes, queued.max.request.bytes, connections.max.idle.ms,
 * auto.create.topics.enable, delete.topic.enable, num.partitions, group.initial.rebalance.delay.ms,
 * group.min.session.timeout.ms, group.max.session.timeout.ms, group.max.size,
 * group.consumer.migration.policy, transaction.max.timeout.ms,
 * transactional.id.expiration.ms.
 */
#include "postgres.h"

#include "broker/core/broker_settings.h"
#include "broker/core/broker_shared.h"
#include "common/ip.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

char	   *pgt_kafka_listeners = NULL;
char	   *pgt_kafka_advertised = NULL;
char	   *pgt_kafka_anonymous_role = NULL;
bool		pgt_kafka_plain_without_tls = false;
char	   *pgt_kafka_search_path = NULL;
char	   *pgt_kafka_rack = NULL;
int			pgt_kafka_node_id = 1;
int			pgt_kafka_max_connections = 1000;
int			pgt_kafka_max_connections_per_ip = 0;
int			pgt_kafka_socket_request_max_bytes = 100 * 1024 * 1024;
int			pgt_kafka_queued_max_request_bytes = 256 * 1024;
int			pgt_kafka_connections_max_idle_ms = 600000;
int			pgt_kafka_client_timeout = 60000;
bool		pgt_kafka_auto_create_topics = false;
bool		pgt_kafka_delete_topic_enable = true;
int			pgt_kafka_num_partitions = 1;
int			pgt_kafka_group_initial_rebalance_delay = 3000;
int			pgt_kafka_group_min_session_timeout = 6000;
int			pgt_kafka_group_max_session_timeout = 1800000;
int			pgt_kafka_group_max_size = 10000;
int			pgt_kafka_groups_max_bytes = 512 * 1024;
int			pgt_kafka_group_consumer_session_timeout = 45000;
int			pgt_kafka_group_consumer_heartbeat_interval = 5000;
int			pgt_kafka_transaction_max_timeout = 900000;
int			pgt_kafka_transactional_id_expiration = 604800000;
int			pgt_kafka_max_transactional_ids = 10000;
int			pgt_kafka_group_share_session_timeout = 45000;
int			pgt_kafka_group_share_heartbeat_interval = 5000;
int			pgt_kafka_group_share_max_size = 200;
int			pgt_kafka_group_share_record_lock_duration = 30000;
int			pgt_kafka_group_share_max_share_sessions = 2000;
int			pgt_kafka_group_share_auto_offset_reset = BROKER_SETTINGS_RESET_LATEST;
int			pgt_kafka_group_consumer_migration_policy = BROKER_SETTINGS_MIGRATION_BOTH;

static const struct config_enum_entry reset_policies[] = {
	{"latest", BROKER_SETTINGS_RESET_LATEST, false},
	{"earliest", BROKER_SETTINGS_RESET_EARLIEST, false},
	{NULL, 0, false}
};

static const struct config_enum_entry migration_policies[] = {
	{"bidirectional", BROKER_SETTINGS_MIGRATION_BOTH, false},
	{"upgrade", BROKER_SETTINGS_MIGRATION_UP, false},
	{"downgrade", BROKER_SETTINGS_MIGRATION_DOWN, false},
	{"disabled", BROKER_SETTINGS_MIGRATION_NONE, false},
	{NULL, 0, false}
};

/* ---- lists of addresses ---------------------------------------------------- */

/* The databases of some listeners, each once. */
static List *
distinct_databases(List *addresses)
{
	List	   *databases = NIL;
	ListCell   *cell;

	foreach(cell, addresses)
	{
		ListenAddress *address = lfirst(cell);
		ListCell   *other;
		bool		known = false;

		foreach(other, databases)
		{
			if (strcmp(lfirst(other), address->database) == 0)
				known = true;
		}
		if (!known)
			databases = lappend(databases, address->database);
	}
	return databases;
}

/*
 * At server start returning false would only warn, and the server would start without the
 * listener: so a wrong value is FATAL there.
 */
static bool
refuse_value(const char *name, const char *value, const char *problem, const char *hint)
{
	GUC_check_errdetail("%s.", problem);
	GUC_check_errhint("%s", hint);
	if (process_shared_preload_libraries_in_progress)
		ereport(FATAL,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": \"%s\"", name, value),
				 errdetail_internal("%s.", problem),
				 errhint("%s", hint)));
	return false;
}

static bool
check_listeners(char **value, void **extra, GucSource source)
{
	const char *problem;
	List	   *addresses = pgt_listen_address_parse(*value, true, &problem);
	char		text[128];

	if (problem == NULL && list_length(distinct_databases(addresses)) > BROKER_SHARED_WORKERS)
	{
		snprintf(text, sizeof(text), "At most %d databases can have a listener", BROKER_SHARED_WORKERS);
		problem = text;
	}
	if (problem == NULL)
		return true;
	return refuse_value("pg_topics.kafka_listeners", *value, problem,
						"List addresses with a port and a database, as in \"localhost:9092/app, 10.0.0.1:9093/app\".");
}

static bool
check_advertised(char **value, void **extra, GucSource source)
{
	const char *problem;

	(void) pgt_listen_address_parse(*value, false, &problem);
	if (problem == NULL)
		return true;
	return refuse_value("pg_topics.kafka_advertised", *value, problem,
						"List one host with a port for each item of pg_topics.kafka_listeners, as in \"db1.example.com:9092\".");
}

static bool
check_kafka_search_path(char **value, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*value);
	List	   *schemas;

	if (SplitIdentifierString(copy, ',', &schemas))
		return true;
	GUC_check_errdetail("It must be a list of schemas, separated by commas.");
	return false;
}

List *
pgt_broker_settings_listeners(void)
{
	const char *problem;

	return pgt_listen_address_parse(pgt_kafka_listeners, true, &problem);
}

List *
pgt_broker_settings_databases(void)
{
	return distinct_databases(pgt_broker_settings_listeners());
}

/* ---- what clients are told ------------------------------------------------- */

/* Does a host stand for all addresses of the machine? */
static bool
is_wildcard(const char *host)
{
	return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* The address of this machine that a client has connected to. */
static char *
local_host(const Connection *connection)
{
	char		host[NI_MAXHOST];

	if (pg_getnameinfo_all(&connection->local.addr, connection->local.salen, host, sizeof(host),
						   NULL, 0, NI_NUMERICHOST) != 0)
		return pstrdup("localhost");
	return pstrdup(host);
}

char *
pgt_broker_settings_advertised(const BrokerConnection *client, int *port)
{
	int			listener = client->connection->listener;
	const char *problem;
	List	   *advertised = pgt_listen_address_parse(pgt_kafka_advertised, false, &problem);
	ListenAddress *address = list_nth(pgt_broker_settings_listeners(), listener);

	if (listener < list_length(advertised))
		address = list_nth(advertised, listener);
	*port = address->port;
	return is_wildcard(address->host) ? local_host(client->connection) : address->host;
}

/* ---- definitions ----------------------------------------------------------- */

/* Settings that say who may connect, and where. */
static void
define_addresses(void)
{
	DefineCustomStringVariable("pg_topics.kafka_listeners",
							   "Addresses on which Kafka clients are served, each with a port and a database.",
							   "An empty string means that none are.",
							   &pgt_kafka_listeners, "",
							   PGC_POSTMASTER, GUC_LIST_INPUT, check_listeners, NULL, NULL);
	DefineCustomStringVariable("pg_topics.kafka_advertised",
							   "Hosts and ports that Kafka clients are told to connect to, one for each listener.",
							   "By default it is the address of the listener or, if that is a wildcard, the one that the client has connected to.",
							   &pgt_kafka_advertised, "",
							   PGC_SIGHUP, GUC_LIST_INPUT, check_advertised, NULL, NULL);
	DefineCustomStringVariable("pg_topics.kafka_anonymous_role",
							   "Role of Kafka clients that do not authenticate.",
							   "An empty string means that they are refused.",
							   &pgt_kafka_anonymous_role, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pg_topics.kafka_plain_without_tls",
							 "Offers SASL PLAIN to Kafka clients whose passwords others on the network may hear.",
							 "Without it PLAIN is offered over TLS, and to clients on the server's machine.",
							 &pgt_kafka_plain_without_tls, pgt_kafka_plain_without_tls,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pg_topics.kafka_search_path",
							   "Schemas in which topics are found that Kafka clients name without a schema.",
							   NULL, &pgt_kafka_search_path, "public",
							   PGC_SIGHUP, GUC_LIST_INPUT, check_kafka_search_path, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_node_id",
							"Number by which Kafka clients know this server.",
							NULL, &pgt_kafka_node_id, pgt_kafka_node_id, 0, INT_MAX,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("pg_topics.kafka_rack",
							   "Rack that Kafka clients are told this server is in.",
							   "An empty string means that they are told of none.",
							   &pgt_kafka_rack, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
}

static void
define_limits(void)
{
	DefineCustomIntVariable("pg_topics.kafka_max_connections",
							"How many Kafka clients may be connected to a listener's database.",
							NULL, &pgt_kafka_max_connections, pgt_kafka_max_connections, 1, 100000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_max_connections_per_ip",
							"How many Kafka clients of one address may be connected to a listener's database.",
							"0: as many as may be connected at all.",
							&pgt_kafka_max_connections_per_ip, pgt_kafka_max_connections_per_ip, 0, 100000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_socket_request_max_bytes",
							"Largest request of an authenticated Kafka client; a larger one closes its connection.",
							NULL, &pgt_kafka_socket_request_max_bytes, pgt_kafka_socket_request_max_bytes, 1024, MaxAllocSize / 2,
							PGC_SIGHUP, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_queued_max_request_bytes",
							"Memory for requests and responses of all Kafka clients of a database beyond which no further requests are read.",
							NULL, &pgt_kafka_queued_max_request_bytes, pgt_kafka_queued_max_request_bytes, 1024, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_connections_max_idle_ms",
							"How long a Kafka client may be silent before its connection is closed.",
							"0: for ever.",
							&pgt_kafka_connections_max_idle_ms, pgt_kafka_connections_max_idle_ms, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_client_timeout",
							"How long a Kafka client may leave a request half sent, or not take its answers.",
							NULL, &pgt_kafka_client_timeout, pgt_kafka_client_timeout, 100, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}

/* Settings that say which topics clients may make and remove. */
static void
define_topics(void)
{
	DefineCustomBoolVariable("pg_topics.kafka_auto_create_topics",
							 "Creates topics that Kafka clients ask for, if their role may.",
							 "As auto.create.topics.enable of Kafka.",
							 &pgt_kafka_auto_create_topics, pgt_kafka_auto_create_topics,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pg_topics.kafka_delete_topic_enable",
							 "Lets Kafka clients delete topics that their role owns.",
							 "As delete.topic.enable of Kafka.",
							 &pgt_kafka_delete_topic_enable, pgt_kafka_delete_topic_enable,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_num_partitions",
							"Number of partitions of topics that Kafka clients create without saying it.",
							"As num.partitions of Kafka.",
							&pgt_kafka_num_partitions, pgt_kafka_num_partitions, 1, 65536,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Settings of consumer groups. */
static void
define_groups(void)
{
	DefineCustomIntVariable("pg_topics.kafka_group_initial_rebalance_delay",
							"How long a group without members waits for more of them, when the first Kafka client joins.",
							"As group.initial.rebalance.delay.ms of Kafka.",
							&pgt_kafka_group_initial_rebalance_delay, pgt_kafka_group_initial_rebalance_delay, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_min_session_timeout",
							"Shortest session timeout that a Kafka client may ask for.",
							"As group.min.session.timeout.ms of Kafka.",
							&pgt_kafka_group_min_session_timeout, pgt_kafka_group_min_session_timeout, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_max_session_timeout",
							"Longest session timeout that a Kafka client may ask for.",
							"As group.max.session.timeout.ms of Kafka.",
							&pgt_kafka_group_max_session_timeout, pgt_kafka_group_max_session_timeout, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_max_size",
							"How many Kafka clients may be members of a group.",
							"As group.max.size of Kafka.",
							&pgt_kafka_group_max_size, pgt_kafka_group_max_size, 1, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_groups_max_bytes",
							"How much memory the groups of a database's Kafka clients may take.",
							"A role gets as much of it as it leaves free.",
							&pgt_kafka_groups_max_bytes, pgt_kafka_groups_max_bytes, 1024, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
}

/* Settings of consumer groups of the new protocol. */
static void
define_consumer_groups(void)
{
	DefineCustomIntVariable("pg_topics.kafka_group_consumer_session_timeout",
							"How long a member of a consumer group of Kafka's new protocol may be silent before it is removed.",
							"As group.consumer.session.timeout.ms of Kafka.",
							&pgt_kafka_group_consumer_session_timeout, pgt_kafka_group_consumer_session_timeout, 1000, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_consumer_heartbeat_interval",
							"How often members of consumer groups of Kafka's new protocol are told to send heartbeats.",
							"As group.consumer.heartbeat.interval.ms of Kafka.",
							&pgt_kafka_group_consumer_heartbeat_interval, pgt_kafka_group_consumer_heartbeat_interval, 100, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomEnumVariable("pg_topics.kafka_group_consumer_migration_policy",
							 "Which way consumer groups with members may go between Kafka's classic protocol and the new one.",
							 "As group.consumer.migration.policy of Kafka.",
							 &pgt_kafka_group_consumer_migration_policy, pgt_kafka_group_consumer_migration_policy, migration_policies,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Settings of transactions. */
static void
define_transactions(void)
{
	DefineCustomIntVariable("pg_topics.kafka_transaction_max_timeout",
							"Longest time for which a Kafka client may ask to leave a transaction open.",
							"As transaction.max.timeout.ms of Kafka.",
							&pgt_kafka_transaction_max_timeout, 900000, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_transactional_id_expiration",
							"How long a transactional id of a Kafka client is kept that is not used.",
							"As transactional.id.expiration.ms of Kafka.",
							&pgt_kafka_transactional_id_expiration, 604800000, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_max_transactional_ids",
							"How many transactional ids of Kafka clients may belong to a role in a database.",
							NULL, &pgt_kafka_max_transactional_ids, 10000, 0, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

/* Settings of share groups. */
static void
define_share_groups(void)
{
	DefineCustomIntVariable("pg_topics.kafka_group_share_session_timeout",
							"How long a Kafka client that is a member of a share group may be silent before it is removed.",
							"As group.share.session.timeout.ms of Kafka.",
							&pgt_kafka_group_share_session_timeout, 45000, 1000, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_share_heartbeat_interval",
							"How often Kafka clients that are members of share groups are told to send heartbeats.",
							"As group.share.heartbeat.interval.ms of Kafka.",
							&pgt_kafka_group_share_heartbeat_interval, 5000, 100, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_share_max_size",
							"How many Kafka clients may be members of a share group.",
							"As group.share.max.size of Kafka.",
							&pgt_kafka_group_share_max_size, 200, 1, 10000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_share_record_lock_duration",
							"How long a Kafka client has a record of a share group before others may get it.",
							"As group.share.record.lock.duration.ms of Kafka.",
							&pgt_kafka_group_share_record_lock_duration, 30000, 100, 3600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_group_share_max_share_sessions",
							"How many share sessions Kafka clients of a database may have.",
							"As group.share.max.share.sessions of Kafka.",
							&pgt_kafka_group_share_max_share_sessions, 2000, 1, 1000000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pg_topics.kafka_group_share_auto_offset_reset",
							 "Where a share group begins in a partition that a Kafka client reads first.",
							 "As share.auto.offset.reset of groups in Kafka.",
							 &pgt_kafka_group_share_auto_offset_reset, BROKER_SETTINGS_RESET_LATEST, reset_policies,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

void
pgt_broker_settings_init(void)
{
	define_addresses();
	define_limits();
	define_topics();
	define_groups();
	define_consumer_groups();
	define_transactions();
	define_share_groups();
}
