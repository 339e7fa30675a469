/*
 * broker_settings.h
 *	  The settings of the Kafka listener.
 */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include "broker/core/broker.h"
#include "listener/listen_address.h"

/* Where share groups begin: pg_topics.kafka_group_share_auto_offset_reset. */
typedef enum BrokerSettingsReset
{
	BROKER_SETTINGS_RESET_LATEST,
	BROKER_SETTINGS_RESET_EARLIEST
} BrokerSettingsReset;

/* Which way groups with members may go between the protocols: pg_topics.kafka_group_consumer_migration_policy. */
typedef enum BrokerSettingsMigration
{
	BROKER_SETTINGS_MIGRATION_NONE = 0,
	BROKER_SETTINGS_MIGRATION_UP = 1,	/* to the new protocol */
	BROKER_SETTINGS_MIGRATION_DOWN = 2, /* to the classic one */
	BROKER_SETTINGS_MIGRATION_BOTH = BROKER_SETTINGS_MIGRATION_UP | BROKER_SETTINGS_MIGRATION_DOWN
} BrokerSettingsMigration;

extern char *pgt_kafka_listeners;
extern char *pgt_kafka_advertised;
extern char *pgt_kafka_anonymous_role;
extern bool pgt_kafka_plain_without_tls;
extern char *pgt_kafka_search_path;
extern char *pgt_kafka_rack;
extern int	pgt_kafka_node_id;
extern int	pgt_kafka_max_connections;
extern int	pgt_kafka_max_connections_per_ip;
extern int	pgt_kafka_socket_request_max_bytes;
extern int	pgt_kafka_queued_max_request_bytes;
extern int	pgt_kafka_connections_max_idle_ms;
extern int	pgt_kafka_client_timeout;
extern bool pgt_kafka_auto_create_topics;
extern bool pgt_kafka_delete_topic_enable;
extern int	pgt_kafka_num_partitions;
extern int	pgt_kafka_group_initial_rebalance_delay;
extern int	pgt_kafka_group_min_session_timeout;
extern int	pgt_kafka_group_max_session_timeout;
extern int	pgt_kafka_group_max_size;
extern int	pgt_kafka_groups_max_bytes;	/* kB */
extern int	pgt_kafka_group_consumer_session_timeout;
extern int	pgt_kafka_group_consumer_heartbeat_interval;
extern int	pgt_kafka_transaction_max_timeout;
extern int	pgt_kafka_transactional_id_expiration;
extern int	pgt_kafka_max_transactional_ids;
extern int	pgt_kafka_group_consumer_migration_policy;	/* BrokerSettingsMigration */

extern int	pgt_kafka_group_share_session_timeout;
extern int	pgt_kafka_group_share_heartbeat_interval;
extern int	pgt_kafka_group_share_max_size;
extern int	pgt_kafka_group_share_record_lock_duration;
extern int	pgt_kafka_group_share_max_share_sessions;
extern int	pgt_kafka_group_share_auto_offset_reset;	/* BrokerSettingsReset */

/* A frame of a client that is not authenticated may be that large. */
#define BROKER_SETTINGS_FIRST_FRAME		(1024 * 1024)

/* The items of pg_topics.kafka_listeners, of ListenAddress and palloc'd; NIL: nothing is served. */
extern List *pgt_broker_settings_listeners(void);

/* Their databases, each once, in the order of the setting. */
extern List *pgt_broker_settings_databases(void);

/*
 * Where a client is told to connect: a host, palloc'd, and a port.  By default it is the
 * address that it has connected to.
 */
extern char *pgt_broker_settings_advertised(const BrokerConnection *client, int *port);

/* Define the settings; in the postmaster. */
extern void pgt_broker_settings_init(void);

#endif							/* BROKER_SETTINGS_H */
