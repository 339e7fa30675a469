/*
 * describe_acls.c
 *	  DescribeAcls: the ACLs that a filter matches.
 *
 * It is served in a helper process, since all topics and groups may have to be looked at.  Before version 1 there are
 * literal patterns alone.
 */
#include "postgres.h"

#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/acl_catalog.h"
#include "broker/users/describe_acls.h"
#include "kafka/kafka_default.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_describe_acls_api = {.key = KAFKA_API_DESCRIBE_ACLS, .serve = serve};
const HelperApi pgt_describe_acls_helper = {.key = KAFKA_API_DESCRIBE_ACLS, .run = run};

typedef KafkaDescribeAclsResponseDescribeAclsResource ResourceEntry;
typedef KafkaDescribeAclsResponseAclDescription Description;

/* What is being described. */
typedef struct AclDescribing
{
	HelperCall *call;
	AclBinding	filter;
	List	   *found;			/* of AclCatalogEntry, in the call's memory */
} AclDescribing;

static AclBinding
filter_of(const KafkaDescribeAclsRequest *body)
{
	return (AclBinding) {.resource = body->resource_type_filter, .pattern = body->pattern_type_filter,
		.operation = body->operation, .permission = body->permission_type, .name = body->resource_name_filter,
		.principal = body->principal_filter, .host = body->host_filter};
}

/* Find them; in a transaction. */
static void
find(void *arg)
{
	AclDescribing *describing = arg;
	MemoryContext old = MemoryContextSwitchTo(describing->call->request.memory);

	describing->found = pgt_acl_catalog_find(&describing->filter);
	MemoryContextSwitchTo(old);
}

static bool
is_same_resource(const AclBinding *one, const AclBinding *other)
{
	return one->resource == other->resource && one->name.length == other->name.length &&
		memcmp(one->name.data, other->name.data, one->name.length) == 0;
}

static void
describe(Description *description, const AclBinding *binding)
{
	description->principal = binding->principal;
	description->host = binding->host;
	description->operation = binding->operation;
	description->permission_type = binding->permission;
}

/* Fill the response, in which ACLs of a resource stand together. */
static void
fill(BrokerRequest *request, KafkaDescribeAclsResponse *response, List *found)
{
	Description *descriptions = pgt_broker_array(request, KAFKA_DESCRIBE_ACLS_RESPONSE_ACL_DESCRIPTION, list_length(found));
	ResourceEntry *resources = pgt_broker_array(request, KAFKA_DESCRIBE_ACLS_RESPONSE_DESCRIBE_ACLS_RESOURCE,
												list_length(found));
	int32		count = 0;

	for (int i = 0; i < list_length(found); i++)
	{
		const AclBinding *binding = &((AclCatalogEntry *) list_nth(found, i))->binding;

		describe(&descriptions[i], binding);
		if (i == 0 || !is_same_resource(binding, &((AclCatalogEntry *) list_nth(found, i - 1))->binding))
		{
			resources[count].resource_type = binding->resource;
			resources[count].resource_name = binding->name;
			resources[count].pattern_type = binding->pattern;
			resources[count++].acls.items = &descriptions[i];
		}
		resources[count - 1].acls.count++;
	}
	response->resources.items = resources;
	response->resources.count = count;
}

/* In the helper. */
static void
run(HelperCall *call)
{
	AclDescribing describing = {.call = call, .filter = filter_of(call->request.kafka.body)};
	KafkaDescribeAclsResponse response;
	char	   *message = NULL;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_ACLS_RESPONSE, &response);
	response.error_code = pgt_topic_change_run(call, find, &describing, true, &message);
	response.error_message = pgt_broker_string(message);
	if (response.error_code == KAFKA_ERROR_NONE)
		fill(&call->request, &response, describing.found);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------- */

static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDescribeAclsResponse response;

	pgt_kafka_default_struct(KAFKA_DESCRIBE_ACLS_RESPONSE, &response);
	response.error_code = error;
	response.error_message = pgt_broker_string(message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	AclBinding	filter = filter_of(request->kafka.body);
	const char *problem = pgt_acl_binding_filter_problem(&filter);

	if (problem != NULL)
		refuse(request, KAFKA_ERROR_INVALID_REQUEST, problem);
	else
		pgt_helper_pool_hand(request, DESCRIBE_ACLS_TIMEOUT_MS, refuse);
}
