/*
 * api_table.c
 *	  Which APIs are served, and which files have work in the loop, or in a helper.
 *
 * The only place that lists them: requests are looked up here, and ApiVersions tells clients of
 * the APIs that are here.  Hooks are called in the order of their table.
 */
#include "postgres.h"

#include "broker/absent_features.h"
#include "broker/api_table.h"
#include "broker/configs/alter_configs.h"
#include "broker/configs/describe_configs.h"
#include "broker/configs/list_config_resources.h"
#include "broker/core/access.h"
#include "broker/core/quota.h"
#include "broker/core/turn.h"
#include "broker/data/describe_producers.h"
#include "broker/data/fetch.h"
#include "broker/data/fetch_news.h"
#include "broker/data/init_producer_id.h"
#include "broker/data/leader_epoch.h"
#include "broker/data/list_offsets.h"
#include "broker/data/produce.h"
#include "broker/groups/classic_groups.h"
#include "broker/groups/classic_store.h"
#include "broker/groups/consumer_group_describe.h"
#include "broker/groups/consumer_group_heartbeat.h"
#include "broker/groups/consumer_groups.h"
#include "broker/groups/consumer_store.h"
#include "broker/groups/consumer_topics.h"
#include "broker/groups/delete_groups.h"
#include "broker/groups/describe_groups.h"
#include "broker/groups/empty_groups.h"
#include "broker/groups/find_coordinator.h"
#include "broker/groups/group_configs.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_owner.h"
#include "broker/groups/heartbeat.h"
#include "broker/groups/join_group.h"
#include "broker/groups/leave_group.h"
#include "broker/groups/list_groups.h"
#include "broker/groups/migrate_group.h"
#include "broker/groups/share_group_describe.h"
#include "broker/groups/share_group_heartbeat.h"
#include "broker/groups/share_groups.h"
#include "broker/groups/sync_group.h"
#include "broker/helpers/helper_pool.h"
#include "broker/login/api_versions.h"
#include "broker/login/authentication.h"
#include "broker/login/refusal_log.h"
#include "broker/login/sasl.h"
#include "broker/offsets/offset_commit.h"
#include "broker/offsets/offset_delete.h"
#include "broker/offsets/offset_fetch.h"
#include "broker/share/alter_share_offsets.h"
#include "broker/share/delete_share_offsets.h"
#include "broker/share/describe_share_offsets.h"
#include "broker/share/share_acknowledge.h"
#include "broker/share/share_acks.h"
#include "broker/share/share_fetch.h"
#include "broker/share/share_rejected.h"
#include "broker/share/share_session.h"
#include "broker/topics/auto_create.h"
#include "broker/topics/create_partitions.h"
#include "broker/topics/create_topics.h"
#include "broker/topics/delete_records.h"
#include "broker/topics/delete_topics.h"
#include "broker/topics/describe_cluster.h"
#include "broker/topics/describe_topics.h"
#include "broker/topics/log_dirs.h"
#include "broker/topics/metadata.h"
#include "broker/topics/one_replica.h"
#include "broker/transactions/add_offsets_to_txn.h"
#include "broker/transactions/add_partitions_to_txn.h"
#include "broker/transactions/describe_transactions.h"
#include "broker/transactions/end_txn.h"
#include "broker/transactions/list_transactions.h"
#include "broker/transactions/txn_expiry.h"
#include "broker/transactions/txn_offset_commit.h"
#include "broker/transactions/txn_timeout.h"
#include "broker/transactions/write_txn_markers.h"
#include "broker/users/alter_credentials.h"
#include "broker/users/alter_quotas.h"
#include "broker/users/create_acls.h"
#include "broker/users/delete_acls.h"
#include "broker/users/describe_acls.h"
#include "broker/users/describe_credentials.h"
#include "broker/users/describe_quotas.h"

const BrokerApi *const pgt_api_table[] = {
	&pgt_produce_api,
	&pgt_fetch_api,
	&pgt_list_offsets_api,
	&pgt_metadata_api,
	&pgt_offset_commit_api,
	&pgt_offset_fetch_api,
	&pgt_find_coordinator_api,
	&pgt_join_group_api,
	&pgt_heartbeat_api,
	&pgt_leave_group_api,
	&pgt_sync_group_api,
	&pgt_describe_groups_api,
	&pgt_list_groups_api,
	&pgt_sasl_handshake_api,
	&pgt_api_versions_api,
	&pgt_create_topics_api,
	&pgt_delete_topics_api,
	&pgt_delete_records_api,
	&pgt_leader_epoch_api,
	&pgt_init_producer_id_api,
	&pgt_add_partitions_to_txn_api,
	&pgt_add_offsets_to_txn_api,
	&pgt_end_txn_api,
	&pgt_write_txn_markers_api,
	&pgt_txn_offset_commit_api,
	&pgt_describe_configs_api,
	&pgt_alter_configs_api,
	&pgt_log_dirs_alter_api,
	&pgt_log_dirs_describe_api,
	&pgt_describe_acls_api,
	&pgt_create_acls_api,
	&pgt_delete_acls_api,
	&pgt_sasl_authenticate_api,
	&pgt_create_partitions_api,
	&pgt_alter_configs_incremental_api,
	&pgt_describe_producers_api,
	&pgt_list_config_resources_api,
	&pgt_absent_features_create_token_api,
	&pgt_absent_features_renew_token_api,
	&pgt_absent_features_expire_token_api,
	&pgt_absent_features_describe_token_api,
	&pgt_one_replica_elect_api,
	&pgt_one_replica_reassign_api,
	&pgt_one_replica_list_api,
	&pgt_describe_quotas_api,
	&pgt_alter_quotas_api,
	&pgt_describe_credentials_api,
	&pgt_alter_credentials_api,
	&pgt_absent_features_update_features_api,
	&pgt_delete_groups_api,
	&pgt_offset_delete_api,
	&pgt_describe_cluster_api,
	&pgt_absent_features_unregister_api,
	&pgt_consumer_group_heartbeat_api,
	&pgt_consumer_group_describe_api,
	&pgt_describe_transactions_api,
	&pgt_list_transactions_api,
	&pgt_describe_topics_api,
	&pgt_share_group_heartbeat_api,
	&pgt_share_group_describe_api,
	&pgt_share_fetch_api,
	&pgt_share_acknowledge_api,
	&pgt_describe_share_offsets_api,
	&pgt_alter_share_offsets_api,
	&pgt_delete_share_offsets_api,
	NULL
};

const BrokerHooks *const pgt_api_table_hooks[] = {
	&pgt_classic_store_hooks,	/* its work is that of the turn that ends */
	&pgt_consumer_store_hooks,	/* likewise */
	&pgt_group_owner_hooks,		/* likewise */
	&pgt_share_acks_hooks,		/* likewise */
	&pgt_turn_hooks,
	&pgt_fetch_news_hooks,
	&pgt_fetch_hooks,
	&pgt_share_session_hooks,
	&pgt_share_fetch_hooks,
	&pgt_authentication_hooks,
	&pgt_refusal_log_hooks,
	&pgt_access_hooks,
	&pgt_quota_hooks,
	&pgt_group_configs_hooks,
	&pgt_helper_pool_hooks,
	&pgt_classic_groups_hooks,
	&pgt_consumer_topics_hooks,
	&pgt_consumer_groups_hooks,
	&pgt_share_groups_hooks,
	&pgt_migrate_group_hooks,
	&pgt_empty_groups_hooks,
	&pgt_group_coordinator_hooks,
	&pgt_txn_timeout_hooks,
	&pgt_txn_expiry_hooks,
	NULL
};

const HelperApi *const pgt_api_table_helper[] = {
	&pgt_create_topics_helper,
	&pgt_delete_topics_helper,
	&pgt_delete_records_helper,
	&pgt_alter_configs_helper,
	&pgt_create_partitions_helper,
	&pgt_alter_configs_incremental_helper,
	&pgt_auto_create_helper,
	&pgt_describe_acls_helper,
	&pgt_create_acls_helper,
	&pgt_delete_acls_helper,
	&pgt_describe_credentials_helper,
	&pgt_alter_credentials_helper,
	&pgt_alter_quotas_helper,
	&pgt_alter_share_offsets_helper,
	&pgt_delete_share_offsets_helper,
	&pgt_share_rejected_fetch_helper,
	&pgt_share_rejected_acknowledge_helper,
	NULL
};
