/*
 * api_table.c
 *	  Which APIs are served, and which files have work in the loop, or in a helper.
 *
 * The only place that lists them: requests are looked up here, and ApiVersions tells clients of
 * the APIs that are here.  Hooks are called in the order of their table.
 */
#include "postgres.h"

#include "broker/access.h"
#include "broker/api_table.h"
#include "broker/api_versions.h"
#include "broker/authentication.h"
#include "broker/auto_create.h"
#include "broker/create_topics.h"
#include "broker/delete_topics.h"
#include "broker/describe_cluster.h"
#include "broker/describe_topics.h"
#include "broker/fetch.h"
#include "broker/helper_pool.h"
#include "broker/init_producer_id.h"
#include "broker/leader_epoch.h"
#include "broker/list_offsets.h"
#include "broker/metadata.h"
#include "broker/produce.h"
#include "broker/refusal_log.h"
#include "broker/sasl.h"
#include "broker/turn.h"

const BrokerApi *const pgt_api_table[] = {
	&pgt_produce_api,
	&pgt_fetch_api,
	&pgt_list_offsets_api,
	&pgt_metadata_api,
	&pgt_sasl_handshake_api,
	&pgt_api_versions_api,
	&pgt_create_topics_api,
	&pgt_delete_topics_api,
	&pgt_leader_epoch_api,
	&pgt_init_producer_id_api,
	&pgt_sasl_authenticate_api,
	&pgt_describe_cluster_api,
	&pgt_describe_topics_api,
	NULL
};

const BrokerHooks *const pgt_api_table_hooks[] = {
	&pgt_turn_hooks,
	&pgt_fetch_hooks,
	&pgt_authentication_hooks,
	&pgt_refusal_log_hooks,
	&pgt_access_hooks,
	&pgt_helper_pool_hooks,
	NULL
};

const HelperApi *const pgt_api_table_helper[] = {
	&pgt_create_topics_helper,
	&pgt_delete_topics_helper,
	&pgt_auto_create_helper,
	NULL
};
