/*
 * create_acls.c
 *	  CreateAcls: privileges that are granted.
 *
 *	  READ on a topic		GRANT SELECT ON topic TO role
 *	  WRITE					GRANT INSERT
 *
 * Each is a statement and a transaction of its own in a helper process, as the client's role: so the topic's owner can
 * grant, and who has the privilege WITH GRANT OPTION.  ACLs without a privilege of their own are not granted, but
 * accepted where what they say is so when the privileges of the same request have been granted
 * (acl_implied.c).
 *
 *	  3		there is no such topic
 *	  29	the role may not grant that, or may not know of the topic
 *	  42	no ACL that Kafka would take
 *	  44	one that privileges cannot say, or that is not so
 *	  91	there is no such role
 *	  7		no time was left
 */
#include "postgres.h"

#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/acl_implied.h"
#include "broker/users/create_acls.h"
#include "broker/users/describe_acls.h"
#include "catalog/pg_class.h"
#include "ddl/statement.h"
#include "kafka/kafka_default.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_create_acls_api = {.key = KAFKA_API_CREATE_ACLS, .serve = serve};
const HelperApi pgt_create_acls_helper = {.key = KAFKA_API_CREATE_ACLS, .run = run};

typedef KafkaCreateAclsResponseAclCreationResult CreationResult;

static AclBinding
binding_of(const KafkaCreateAclsRequestAclCreation *creation)
{
	return (AclBinding) {.resource = creation->resource_type, .pattern = creation->resource_pattern_type,
		.operation = creation->operation, .permission = creation->permission_type, .name = creation->resource_name,
		.principal = creation->principal, .host = creation->host};
}

/* Is there a privilege for it? */
static bool
is_granted(const AclBinding *wanted)
{
	return wanted->resource == ACL_RESOURCE_TOPIC && pgt_acl_catalog_privilege(wanted->operation) != ACL_NO_RIGHTS;
}

/* Grant the privilege; in a transaction. */
static void
grant_privilege(void *arg)
{
	const AclBinding *wanted = arg;
	AclMode		privilege = pgt_acl_catalog_privilege(wanted->operation);
	Oid			topic = pgt_acl_implied_topic(wanted);
	Oid			role = pgt_acl_implied_role(wanted);

	/* SQL only warns */
	if (pg_class_aclmask(topic, GetUserId(), ACL_GRANT_OPTION_FOR(privilege), ACLMASK_ALL) == ACL_NO_RIGHTS)
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED,
								"privileges are granted by the topic's owner, or with a grant option");
	/* two statements at once on one row of pg_class would fail: other helpers wait here */
	LockDatabaseObject(RelationRelationId, topic, 0, ShareUpdateExclusiveLock);
	if ((pgt_acl_catalog_granted(topic, role) & privilege) != 0)
		return;
	pgt_statement_run(psprintf("GRANT %s ON TABLE %s TO %s", privilege == ACL_SELECT ? "SELECT" : "INSERT",
							   quote_qualified_identifier(get_namespace_name(get_rel_namespace(topic)), get_rel_name(topic)),
							   pgt_acl_catalog_role_in_sql(role)));
}

/* ERROR unless what it says is so; in a transaction. */
static void
check_implied(void *arg)
{
	pgt_acl_implied_check(arg);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void
fail(CreationResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
}

static void
begin_response(BrokerRequest *request, KafkaCreateAclsResponse *response)
{
	const KafkaCreateAclsRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_CREATE_ACLS_RESPONSE, response);
	response->results.count = body->creations.count;
	response->results.items = pgt_broker_array(request, KAFKA_CREATE_ACLS_RESPONSE_ACL_CREATION_RESULT,
											   body->creations.count);
	for (int32 i = 0; i < body->creations.count; i++)
		response->results.items[i].error_message = pgt_broker_string(NULL);
}

/* Serve one ACL of the request, in the pass in which it has its turn. */
static void
serve_one(HelperCall *call, AclBinding wanted, CreationResult *result, bool granting)
{
	const char *problem;
	char	   *message;
	KafkaError	error = pgt_acl_binding_check(&wanted, &problem);

	if (is_granted(&wanted) != granting)
		return;
	if (error != KAFKA_ERROR_NONE)
	{
		fail(result, error, problem);
		return;
	}
	error = pgt_topic_change_run(call, granting ? grant_privilege : check_implied, &wanted, !granting, &message);
	if (error != KAFKA_ERROR_NONE)
		fail(result, error, message);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaCreateAclsRequest *body = call->request.kafka.body;
	KafkaCreateAclsResponse response;

	begin_response(&call->request, &response);
	for (int32 i = 0; i < body->creations.count; i++)
		serve_one(call, binding_of(&body->creations.items[i]), &response.results.items[i], true);
	for (int32 i = 0; i < body->creations.count; i++)
		serve_one(call, binding_of(&body->creations.items[i]), &response.results.items[i], false);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------------- */

/* Answer with an error for all ACLs. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaCreateAclsResponse response;

	begin_response(request, &response);
	for (int32 i = 0; i < response.results.count; i++)
		fail(&response.results.items[i], error, message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	pgt_helper_pool_hand(request, DESCRIBE_ACLS_TIMEOUT_MS, refuse);
}
