/*
 * absent_features.c
 *	  APIs of what there is not here, answered as a Kafka answers that does not have it either.
 *
 *	  delegation tokens: Create,
 *	  Renew, Expire, Describe		61	they are off
 *	  UpdateFeatures				95	no feature has a level that could be changed
 *	  UnregisterBroker				102	there is no other broker; 42 for this one
 *
 * Clients and tools know these answers.  What is not told of by ApiVersions, clients take for missing, and some
 * for the sign of an old broker.  So what stays away is what nobody could use: APIs between Kafka's brokers and
 * controllers, such as DescribeQuorum and AddRaftVoter.
 */
#include "postgres.h"

#include "broker/absent_features.h"
#include "broker/core/broker_settings.h"
#include "broker/core/database_text.h"
#include "broker/core/turn.h"
#include "kafka/kafka_default.h"
#include "kafka/kafka_error.h"

#define NO_TIME					(-1)	/* Kafka's timestamp with errors of tokens */
#define FIRST_WITH_REQUESTER	3	/* version of CreateDelegationToken */

/* ---- delegation tokens ----------------------------------------------------------------- */

static void
create_token(BrokerRequest *request)
{
	KafkaCreateDelegationTokenResponse response;

	const char *role = request->client->role_name;

	pgt_turn_open();
	pgt_kafka_default_struct(KAFKA_CREATE_DELEGATION_TOKEN_RESPONSE, &response);
	response.error_code = KAFKA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED;
	response.principal_type = pgt_broker_string("User");
	response.principal_name = pgt_database_text_for_client(role);
	if (request->kafka.version >= FIRST_WITH_REQUESTER)
	{
		response.token_requester_principal_type = response.principal_type;
		response.token_requester_principal_name = response.principal_name;
	}
	response.issue_timestamp_ms = response.expiry_timestamp_ms = response.max_timestamp_ms = NO_TIME;
	pgt_broker_answer(request, &response);
}

static void
renew_token(BrokerRequest *request)
{
	KafkaRenewDelegationTokenResponse response;

	pgt_kafka_default_struct(KAFKA_RENEW_DELEGATION_TOKEN_RESPONSE, &response);
	response.error_code = KAFKA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED;
	response.expiry_timestamp_ms = NO_TIME;
	pgt_broker_answer(request, &response);
}

static void
expire_token(BrokerRequest *request)
{
	KafkaExpireDelegationTokenResponse response;

	pgt_kafka_default_struct(KAFKA_EXPIRE_DELEGATION_TOKEN_RESPONSE, &response);
	response.error_code = KAFKA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED;
	response.expiry_timestamp_ms = NO_TIME;
	pgt_broker_answer(request, &response);
}

static void
describe_token(BrokerRequest *request)
{
	KafkaDescribeDelegationTokenResponse response;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_DELEGATION_TOKEN_RESPONSE, &response);
	response.error_code = KAFKA_ERROR_DELEGATION_TOKEN_AUTH_DISABLED;
	pgt_broker_answer(request, &response);
}

/* ---- the cluster ----------------------------------------------------------------------- */

static void
update_features(BrokerRequest *request)
{
	const KafkaUpdateFeaturesRequest *body = request->kafka.body;
	KafkaUpdateFeaturesResponse response;

	pgt_kafka_default_struct(KAFKA_UPDATE_FEATURES_RESPONSE, &response);
	response.error_message = pgt_broker_string(NULL);
	if (body->feature_updates.count > 0)
	{
		response.error_code = KAFKA_ERROR_INVALID_UPDATE_VERSION;
		response.error_message = pgt_broker_string("the levels of features are those of pg_topics, and cannot be changed");
	}
	pgt_broker_answer(request, &response);
}

static void
unregister_broker(BrokerRequest *request)
{
	const KafkaUnregisterBrokerRequest *body = request->kafka.body;
	KafkaUnregisterBrokerResponse response;

	pgt_kafka_default_struct(KAFKA_UNREGISTER_BROKER_RESPONSE, &response);
	if (body->broker_id == pgt_kafka_node_id)
	{
		response.error_code = KAFKA_ERROR_INVALID_REQUEST;
		response.error_message = pgt_broker_string("the server itself cannot be unregistered");
	}
	else
	{
		response.error_code = KAFKA_ERROR_BROKER_ID_NOT_REGISTERED;
		response.error_message = pgt_broker_string("there is no such broker");
	}
	pgt_broker_answer(request, &response);
}

const BrokerApi pgt_absent_features_create_token_api = {.key = KAFKA_API_CREATE_DELEGATION_TOKEN, .serve = create_token};
const BrokerApi pgt_absent_features_renew_token_api = {.key = KAFKA_API_RENEW_DELEGATION_TOKEN, .serve = renew_token};
const BrokerApi pgt_absent_features_expire_token_api = {.key = KAFKA_API_EXPIRE_DELEGATION_TOKEN, .serve = expire_token};
const BrokerApi pgt_absent_features_describe_token_api = {.key = KAFKA_API_DESCRIBE_DELEGATION_TOKEN, .serve = describe_token};
const BrokerApi pgt_absent_features_update_features_api = {.key = KAFKA_API_UPDATE_FEATURES, .serve = update_features};
const BrokerApi pgt_absent_features_unregister_api = {.key = KAFKA_API_UNREGISTER_BROKER, .serve = unregister_broker};
