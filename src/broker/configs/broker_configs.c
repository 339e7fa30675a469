/*
 * broker_configs.c
 *	  The configuration of the broker, in Kafka's names.
 *
 * Kafka's tools, and programs that look after a Kafka cluster, ask a broker for its configuration.  What is
 * listed here is what there is a true value for: settings of ours, what topics have by default, and a few
 * facts.  All of it is read-only: settings are changed in postgresql.conf.
 *
 * Any role sees it, as it sees the settings with SHOW.
 */
#include "postgres.h"

#include "broker/configs/broker_configs.h"
#include "broker/core/broker_settings.h"
#include "group/consumer_group.h"
#include "listener/tls.h"
#include "log/log_directory.h"
#include "log/producer_state.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/maintenance_worker.h"
#include "share/share_table.h"
#include "topic/topic_settings.h"
#include "utils/guc.h"

#define NO_LIMIT	"2147483647"	/* as Kafka says it */
#define ADVERTISED	"advertised.listeners"
#define LISTENERS	"listeners"

/* How a value is found. */
typedef enum ValueKind
{
	VALUE_FACT,					/* it is "initial" */
	VALUE_OF_OPTION,			/* what a topic has that does not set the option "variable" */
	VALUE_BOOL,					/* of the variable, as the following ones */
	VALUE_INT,
	VALUE_LIMIT,				/* an int whose 0 is no limit */
	VALUE_KILOBYTES,			/* an int */
	VALUE_INT_OR_UNSET,			/* none where it is not set, as the following ones */
	VALUE_REAL_OR_UNSET,
	VALUE_STRING_OR_UNSET,
	VALUE_WORD,					/* one of those that the setting knows */
	VALUE_OF_CLIENT				/* another one for each client */
} ValueKind;

typedef struct BrokerConfig
{
	const char *name;
	TopicOptionType type;
	ValueKind	kind;
	const void *variable;
	const char *initial;		/* that no setting has changed; NULL: none */
	const char *setting;		/* without its prefix; NULL: there is none */
	const char *documentation;	/* NULL: it is the default of a topic's option */
} BrokerConfig;

#define BOOLEAN	TOPIC_OPTION_BOOLEAN
#define STRING	TOPIC_OPTION_STRING
#define INT		TOPIC_OPTION_INT
#define LONG	TOPIC_OPTION_LONG
#define DOUBLE	TOPIC_OPTION_DOUBLE
#define LIST	TOPIC_OPTION_LIST

#define FACT(name, type, value, documentation) \
	{name, type, VALUE_FACT, NULL, value, NULL, documentation}
#define OPTION(name, type, option, initial, setting) \
	{name, type, VALUE_OF_OPTION, option, initial, setting, NULL}

/* In alphabetical order. */
static const BrokerConfig broker_configs[] = {
	{ADVERTISED, LIST, VALUE_OF_CLIENT, NULL, NULL, "kafka_advertised",
	"Where the client is told to connect."},
	{"auto.create.topics.enable", BOOLEAN, VALUE_BOOL, &pgt_kafka_auto_create_topics, "false", "kafka_auto_create_topics",
	"Topics that a client asks for are created, if its role may create them."},
	{"broker.id", INT, VALUE_INT, &pgt_kafka_node_id, "1", "kafka_node_id",
	"The number of this server as a broker."},
	{"broker.rack", STRING, VALUE_STRING_OR_UNSET, &pgt_kafka_rack, NULL, "kafka_rack",
	"The rack that clients are told this server is in."},
	OPTION("compression.gzip.level", INT, "compression.gzip.level", "-1", NULL),
	OPTION("compression.lz4.level", INT, "compression.lz4.level", "1", NULL),
	OPTION("compression.type", STRING, "compression.type", "producer", "compression_type"),
	OPTION("compression.zstd.level", INT, "compression.zstd.level", "3", NULL),
	{"connections.max.idle.ms", LONG, VALUE_INT, &pgt_kafka_connections_max_idle_ms, "600000", "kafka_connections_max_idle_ms",
	"A client that is silent for that long is disconnected; 0: never."},
	FACT("default.replication.factor", INT, "1",
		 "Each partition has one replica that clients know; standbys of the server are others."),
	{"delete.topic.enable", BOOLEAN, VALUE_BOOL, &pgt_kafka_delete_topic_enable, "true", "kafka_delete_topic_enable",
	"Clients may delete topics that their role owns."},
	FACT("group.consumer.assignors", LIST, "uniform,range",
		 "How partitions can be assigned to members of the new protocol; the first one is the default."),
	{"group.consumer.heartbeat.interval.ms", INT, VALUE_INT, &pgt_kafka_group_consumer_heartbeat_interval, "5000",
	"kafka_group_consumer_heartbeat_interval", "How often members of the new protocol tell that they are alive."},
	{"group.consumer.max.size", INT, VALUE_INT, &pgt_kafka_group_max_size, "10000", "kafka_group_max_size",
	"How many members a group of the new protocol may have."},
	{"group.consumer.migration.policy", STRING, VALUE_WORD, NULL, "bidirectional", "kafka_group_consumer_migration_policy",
	"Which way groups with members may go between the two protocols: upgrade to the new one, downgrade, both or none."},
	{"group.consumer.session.timeout.ms", INT, VALUE_INT, &pgt_kafka_group_consumer_session_timeout, "45000",
	"kafka_group_consumer_session_timeout", "A member of the new protocol that is silent for that long is taken to be gone."},
	FACT("group.coordinator.rebalance.protocols", LIST, "classic,consumer", "The protocols of groups that there are."),
	{"group.initial.rebalance.delay.ms", INT, VALUE_INT, &pgt_kafka_group_initial_rebalance_delay, "3000",
	"kafka_group_initial_rebalance_delay", "How long a group without members waits for more of them when the first one joins."},
	{"group.max.session.timeout.ms", INT, VALUE_INT, &pgt_kafka_group_max_session_timeout, "1800000",
	"kafka_group_max_session_timeout", "The longest session timeout that a member may ask for."},
	{"group.max.size", INT, VALUE_INT, &pgt_kafka_group_max_size, "10000", "kafka_group_max_size",
	"How many members a group may have."},
	{"group.min.session.timeout.ms", INT, VALUE_INT, &pgt_kafka_group_min_session_timeout, "6000",
	"kafka_group_min_session_timeout", "The shortest session timeout that a member may ask for."},
	OPTION("group.share.delivery.count.limit", INT, "max.attempts", "3", NULL),
	{"group.share.heartbeat.interval.ms", INT, VALUE_INT, &pgt_kafka_group_share_heartbeat_interval, "5000",
	"kafka_group_share_heartbeat_interval", "How often members of share groups tell that they are alive."},
	{"group.share.max.share.sessions", INT, VALUE_INT, &pgt_kafka_group_share_max_share_sessions, "2000",
	"kafka_group_share_max_share_sessions", "How many share sessions clients may have."},
	{"group.share.max.size", INT, VALUE_INT, &pgt_kafka_group_share_max_size, "200", "kafka_group_share_max_size",
	"How many members a share group may have."},
	{"group.share.partition.max.record.locks", INT, VALUE_INT, &pgt_share_partition_max_record_locks, "2000",
	"share_partition_max_record_locks", "How many records of a partition a share group may have in flight."},
	{"group.share.record.lock.duration.ms", INT, VALUE_INT, &pgt_kafka_group_share_record_lock_duration, "30000",
	"kafka_group_share_record_lock_duration", "How long a member of a share group has a record before others may get it."},
	{"group.share.session.timeout.ms", INT, VALUE_INT, &pgt_kafka_group_share_session_timeout, "45000",
	"kafka_group_share_session_timeout", "A member of a share group that is silent for that long is taken to be gone."},
	FACT("inter.broker.protocol.version", STRING, "4.4",
		 "The version of Kafka whose protocol this server speaks."),
	{LISTENERS, LIST, VALUE_OF_CLIENT, NULL, NULL, "kafka_listeners",
	"Where clients of this database are served."},
	{"log.cleaner.backoff.ms", LONG, VALUE_INT, &pgt_log_cleaner_backoff_ms, "15000", "log_cleaner_backoff_ms",
	"How long compaction pauses when nothing is left to compact."},
	OPTION("log.cleaner.delete.retention.ms", LONG, "delete.retention.ms", "86400000", NULL),
	{"log.cleaner.enable", BOOLEAN, VALUE_BOOL, &pgt_log_cleaner_enable, "true", "log_cleaner_enable",
	"Topics are compacted in the background."},
	OPTION("log.cleaner.max.compaction.lag.ms", LONG, "max.compaction.lag.ms", "9223372036854775807", NULL),
	OPTION("log.cleaner.min.cleanable.ratio", DOUBLE, "min.cleanable.dirty.ratio", "0.5", NULL),
	OPTION("log.cleaner.min.compaction.lag.ms", LONG, "min.compaction.lag.ms", "0", NULL),
	OPTION("log.cleanup.policy", LIST, "cleanup.policy", "delete", "log_cleanup_policy"),
	{"log.dir", LIST, VALUE_STRING_OR_UNSET, &pgt_log_dir, "pg_topics", "log_dir",
	"Where records are kept, below the server's data directory."},
	{"log.dirs", LIST, VALUE_STRING_OR_UNSET, &pgt_log_dir, "pg_topics", "log_dir",
	"Where records are kept, below the server's data directory."},
	OPTION("log.flush.interval.messages", LONG, "flush.messages", "1", NULL),
	OPTION("log.index.interval.bytes", INT, "index.interval.bytes", "4096", NULL),
	OPTION("log.index.size.max.bytes", INT, "segment.index.bytes", "10485760", NULL),
	OPTION("log.message.timestamp.after.max.ms", LONG, "message.timestamp.after.max.ms", "3600000",
		   "log_message_timestamp_after_max_ms"),
	OPTION("log.message.timestamp.before.max.ms", LONG, "message.timestamp.before.max.ms", "9223372036854775807",
		   "log_message_timestamp_before_max_ms"),
	OPTION("log.message.timestamp.type", STRING, "message.timestamp.type", "CreateTime", NULL),
	OPTION("log.preallocate", BOOLEAN, "preallocate", "false", NULL),
	OPTION("log.retention.bytes", LONG, "retention.bytes", "-1", "log_retention_bytes"),
	{"log.retention.check.interval.ms", LONG, VALUE_INT, &pgt_log_retention_check_interval_ms, "300000",
	"log_retention_check_interval_ms", "How often it is looked for segments that are due to be deleted."},
	{"log.retention.hours", INT, VALUE_INT, &pgt_log_retention_hours, "168", "log_retention_hours",
	"For how long records are kept, unless log.retention.minutes or log.retention.ms says it."},
	{"log.retention.minutes", INT, VALUE_INT_OR_UNSET, &pgt_log_retention_minutes, NULL, "log_retention_minutes",
	"For how long records are kept, unless log.retention.ms says it."},
	{"log.retention.ms", LONG, VALUE_REAL_OR_UNSET, &pgt_log_retention_ms, NULL, "log_retention_ms",
	"For how long records are kept."},
	{"log.roll.hours", INT, VALUE_INT, &pgt_log_roll_hours, "168", "log_roll_hours",
	"The age at which a segment is rolled, unless log.roll.ms says it."},
	{"log.roll.ms", LONG, VALUE_REAL_OR_UNSET, &pgt_log_roll_ms, NULL, "log_roll_ms",
	"The age at which a segment is rolled."},
	OPTION("log.segment.bytes", INT, "segment.bytes", "1073741824", "log_segment_bytes"),
	OPTION("log.segment.delete.delay.ms", LONG, "file.delete.delay.ms", "0", NULL),
	{"max.connections", INT, VALUE_INT, &pgt_kafka_max_connections, "1000", "kafka_max_connections",
	"How many clients may be connected."},
	{"max.connections.per.ip", INT, VALUE_LIMIT, &pgt_kafka_max_connections_per_ip, NO_LIMIT, "kafka_max_connections_per_ip",
	"How many clients of one address may be connected."},
	OPTION("message.max.bytes", INT, "max.message.bytes", "1048588", NULL),
	OPTION("min.insync.replicas", INT, "min.insync.replicas", "1", NULL),
	{"node.id", INT, VALUE_INT, &pgt_kafka_node_id, "1", "kafka_node_id",
	"The number of this server as a broker."},
	{"num.partitions", INT, VALUE_INT, &pgt_kafka_num_partitions, "1", "kafka_num_partitions",
	"How many partitions a topic gets whose creator does not say it."},
	{"offsets.retention.minutes", INT, VALUE_INT, &pgt_offsets_retention_minutes, "10080", "offsets_retention_minutes",
	"How long the offsets of a consumer group are kept; -1: for ever."},
	FACT("process.roles", LIST, "broker,controller", "The one node is a broker and the controller."),
	{"producer.id.expiration.ms", INT, VALUE_INT, &pgt_producer_id_expiration_ms, "86400000", "producer_id_expiration_ms",
	"How long a producer is remembered that numbers its records and does not produce."},
	{"queued.max.request.bytes", LONG, VALUE_KILOBYTES, &pgt_kafka_queued_max_request_bytes, "268435456",
	"kafka_queued_max_request_bytes", "Memory for requests and responses beyond which no more requests are read."},
	FACT("sasl.enabled.mechanisms", LIST, "SCRAM-SHA-256,PLAIN", "How clients can prove who they are."),
	{"socket.request.max.bytes", INT, VALUE_INT, &pgt_kafka_socket_request_max_bytes, "104857600",
	"kafka_socket_request_max_bytes", "The largest request."},
	{"transaction.max.timeout.ms", INT, VALUE_INT, &pgt_kafka_transaction_max_timeout, "900000",
	"kafka_transaction_max_timeout", "The longest time for which a client may ask to leave a transaction open."},
	{"transactional.id.expiration.ms", INT, VALUE_INT, &pgt_kafka_transactional_id_expiration, "604800000",
	"kafka_transactional_id_expiration", "How long a transactional id is kept that is not used."},
	OPTION("unclean.leader.election.enable", BOOLEAN, "unclean.leader.election.enable", "false", NULL),
};

/* ---- values ------------------------------------------------------------------ */

/* What a topic without options has for one. */
static const char *
option_text(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		TopicOptionValue *option = lfirst(cell);

		if (strcmp(option->name, name) == 0)
			return option->text;
	}
	return NULL;
}

/* The protocol by which the client speaks with the listener, in Kafka's word. */
static const char *
protocol_of(const BrokerConnection *client)
{
	if (pgt_tls_is_on(client->connection))
		return client->by_password ? "SASL_SSL" : "SSL";
	return client->by_password ? "SASL_PLAINTEXT" : "PLAINTEXT";
}

/* The listeners of this database, or where they are, for this client. */
static char *
listeners_text(const BrokerConnection *client, bool advertised)
{
	ListenAddress *address = list_nth(pgt_broker_settings_listeners(), client->connection->listener);
	int			port = address->port;
	const char *host = advertised ? pgt_broker_settings_advertised(client, &port) : address->host;

	return psprintf(strchr(host, ':') == NULL ? "%s://%s:%d" : "%s://[%s]:%d", protocol_of(client), host, port);
}

/* The value of one; NULL if it has none.  "client" may be NULL where the value is not that of a client. */
static const char *
value_of(const BrokerConfig *config, List *options, const BrokerConnection *client)
{
	switch (config->kind)
	{
		case VALUE_FACT:
			return config->initial;
		case VALUE_OF_OPTION:
			return option_text(options, config->variable);
		case VALUE_BOOL:
			return *(const bool *) config->variable ? "true" : "false";
		case VALUE_INT:
			return psprintf("%d", *(const int *) config->variable);
		case VALUE_LIMIT:
			return *(const int *) config->variable == 0 ? NO_LIMIT : psprintf("%d", *(const int *) config->variable);
		case VALUE_KILOBYTES:
			return psprintf(INT64_FORMAT, *(const int *) config->variable * INT64CONST(1024));
		case VALUE_INT_OR_UNSET:
			return *(const int *) config->variable == TOPIC_SETTINGS_UNSET ? NULL :
				psprintf("%d", *(const int *) config->variable);
		case VALUE_REAL_OR_UNSET:
			/* of log.roll.ms it is -1 */
			return *(const double *) config->variable == TOPIC_SETTINGS_UNSET ||
				(config->variable == &pgt_log_roll_ms && pgt_log_roll_ms < 0) ? NULL :
				psprintf("%.0f", *(const double *) config->variable);
		case VALUE_STRING_OR_UNSET:
			return **(const char *const *) config->variable == '\0' ? NULL : *(const char *const *) config->variable;
		case VALUE_WORD:
			return GetConfigOption(pgt_broker_configs_setting(config->name), false, false);
		case VALUE_OF_CLIENT:
			return listeners_text(client, strcmp(config->name, ADVERTISED) == 0);
	}
	return NULL;
}

static ConfigSource
source_of(const BrokerConfig *config, const char *value)
{
	return value == NULL || (config->initial != NULL && strcmp(value, config->initial) == 0) ?
		CONFIG_SOURCE_DEFAULT : CONFIG_SOURCE_SETTING;
}

static ConfigSynonym *
make_synonym(const BrokerConfig *config, const char *value)
{
	ConfigSynonym *synonym = palloc(sizeof(ConfigSynonym));

	*synonym = (ConfigSynonym) {config->name, value, source_of(config, value)};
	return synonym;
}

/* ---- lists --------------------------------------------------------------------- */

static const BrokerConfig *
find_config(const char *name)
{
	for (int i = 0; i < lengthof(broker_configs); i++)
	{
		if (strcmp(broker_configs[i].name, name) == 0)
			return &broker_configs[i];
	}
	return NULL;
}

List *
pgt_broker_configs_synonyms(const char *const *names, List *options)
{
	List	   *synonyms = NIL;

	for (; *names != NULL; names++)
	{
		const BrokerConfig *config = find_config(*names);
		const char *value = value_of(config, options, NULL);

		if (value != NULL)
			synonyms = lappend(synonyms, make_synonym(config, value));
	}
	return synonyms;
}

List *
pgt_broker_configs_list(const BrokerConnection *client)
{
	List	   *options = pgt_topic_options_list(NIL);
	List	   *entries = NIL;

	for (int i = 0; i < lengthof(broker_configs); i++)
	{
		const BrokerConfig *config = &broker_configs[i];
		ConfigEntry *entry = palloc0(sizeof(ConfigEntry));

		entry->name = config->name;
		entry->value = value_of(config, options, client);
		entry->type = config->type;
		entry->source = source_of(config, entry->value);
		entry->read_only = true;
		entry->documentation = config->documentation != NULL ? config->documentation :
			psprintf("Default of the topic option %s.", (const char *) config->variable);
		if (entry->value != NULL)
			entry->synonyms = list_make1(make_synonym(config, entry->value));
		entries = lappend(entries, entry);
	}
	return entries;
}

const char *
pgt_broker_configs_setting(const char *name)
{
	const BrokerConfig *config = find_config(name);

	return config == NULL || config->setting == NULL ? NULL : psprintf("pg_topics.%s", config->setting);
}
