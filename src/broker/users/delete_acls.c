/*
 * delete_acls.c
 *	  DeleteAcls: privileges that are revoked.
 *
 * For each filter what it matches is looked for, and each privilege of that is revoked by a statement and in a
 * transaction of its own, as the client's role.  As in SQL a role revokes what it has granted itself, or what the owner
 * has, if it is the owner; and not what others have passed on.  The answer has what was revoked, and with an error what
 * was not.
 *
 * What comes with ownership cannot be revoked.  A filter that names the owner is told so; others pass it over, so that
 * all grants on a topic can be removed at once.
 *
 * As in Kafka there is a limit of how many ACLs a request may remove.
 */
#include "postgres.h"

#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/acl_catalog.h"
#include "broker/users/delete_acls.h"
#include "broker/users/describe_acls.h"
#include "catalog/pg_class.h"
#include "ddl/statement.h"
#include "kafka/kafka_default.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static void serve(BrokerRequest *request);
static void run(HelperCall *call);

const BrokerApi pgt_delete_acls_api = {.key = KAFKA_API_DELETE_ACLS, .serve = serve};
const HelperApi pgt_delete_acls_helper = {.key = KAFKA_API_DELETE_ACLS, .run = run};

#define REMOVED_MAX		10000	/* ACLs a request, as Kafka's MAX_RECORDS_PER_USER_OP */

typedef KafkaDeleteAclsResponseDeleteAclsFilterResult FilterResult;
typedef KafkaDeleteAclsResponseDeleteAclsMatchingAcl MatchingAcl;

/* A filter that is being served. */
typedef struct AclDeletion
{
	HelperCall *call;
	AclBinding	filter;
	int			room;			/* for so many ACLs */
	List	   *found;			/* of AclCatalogEntry, in the call's memory */
} AclDeletion;

static AclBinding
filter_of(const KafkaDeleteAclsRequestDeleteAclsFilter *filter)
{
	return (AclBinding) {.resource = filter->resource_type_filter, .pattern = filter->pattern_type_filter,
		.operation = filter->operation, .permission = filter->permission_type, .name = filter->resource_name_filter,
		.principal = filter->principal_filter, .host = filter->host_filter};
}

/* ---- looking for ACLs, and revoking one ---------------------------------------------------- */

/* Find what the filter matches; in a transaction. */
static void
find(void *arg)
{
	AclDeletion *deletion = arg;
	List	   *matched = pgt_acl_catalog_find(&deletion->filter);
	MemoryContext old;
	ListCell   *cell;

	old = MemoryContextSwitchTo(deletion->call->request.memory);
	foreach(cell, matched)
	{
		const AclCatalogEntry *entry = lfirst(cell);

		if (entry->privilege == ACL_NO_RIGHTS && deletion->filter.principal.length < 0)
			continue;
		if (deletion->room-- <= 0)
			pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REQUEST, "no more than %d ACLs can be removed at once", REMOVED_MAX);
		deletion->found = lappend(deletion->found, pgt_acl_catalog_copy(entry));
	}
	MemoryContextSwitchTo(old);
}

/* Revoke a privilege; in a transaction. */
static void
revoke_privilege(void *arg)
{
	const AclCatalogEntry *entry = arg;

	if (entry->privilege == ACL_NO_RIGHTS)
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "it comes with ownership, and cannot be removed");
	LockDatabaseObject(RelationRelationId, entry->topic, 0, ShareUpdateExclusiveLock);
	/* somebody else may have done it */
	if ((pgt_acl_catalog_granted(entry->topic, entry->grantee) & entry->privilege) == 0)
		return;
	/* SQL only warns */
	if (pg_class_aclmask(entry->topic, GetUserId(), ACL_GRANT_OPTION_FOR(entry->privilege), ACLMASK_ALL) == ACL_NO_RIGHTS)
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED,
								"privileges are revoked by the topic's owner, or by who has granted them");
	pgt_statement_run(psprintf("REVOKE %s ON TABLE %s FROM %s", entry->privilege == ACL_SELECT ? "SELECT" : "INSERT",
							   quote_qualified_identifier(get_namespace_name(get_rel_namespace(entry->topic)),
														  get_rel_name(entry->topic)),
							   pgt_acl_catalog_role_in_sql(entry->grantee)));
	if ((pgt_acl_catalog_granted(entry->topic, entry->grantee) & entry->privilege) != 0)
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
								"another role has granted it, which alone can revoke it");
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void
fail(FilterResult *result, KafkaError error, const char *message)
{
	result->error_code = error;
	result->error_message = pgt_broker_string(message);
	result->matching_acls.count = 0;
}

static void
begin_response(BrokerRequest *request, KafkaDeleteAclsResponse *response)
{
	const KafkaDeleteAclsRequest *body = request->kafka.body;

	pgt_kafka_default_struct(KAFKA_DELETE_ACLS_RESPONSE, response);
	response->filter_results.count = body->filters.count;
	response->filter_results.items = pgt_broker_array(request, KAFKA_DELETE_ACLS_RESPONSE_DELETE_ACLS_FILTER_RESULT,
													  body->filters.count);
	for (int32 i = 0; i < body->filters.count; i++)
		response->filter_results.items[i].error_message = pgt_broker_string(NULL);
}

/* Remove one ACL, and say how that went. */
static void
remove_one(HelperCall *call, AclCatalogEntry *entry, MatchingAcl *result)
{
	char	   *message = NULL;

	result->resource_type = entry->binding.resource;
	result->resource_name = entry->binding.name;
	result->pattern_type = entry->binding.pattern;
	result->principal = entry->binding.principal;
	result->host = entry->binding.host;
	result->operation = entry->binding.operation;
	result->permission_type = entry->binding.permission;
	result->error_code = pgt_topic_change_run(call, revoke_privilege, entry, false, &message);
	result->error_message = pgt_broker_string(message);
}

/* Serve one filter of the request; returns how many ACLs it has matched. */
static int
serve_filter(HelperCall *call, AclBinding filter, int room, FilterResult *result)
{
	AclDeletion deletion = {.call = call, .filter = filter, .room = room};
	const char *problem = pgt_acl_binding_filter_problem(&filter);
	char	   *message;
	KafkaError	error;

	if (problem != NULL)
	{
		fail(result, KAFKA_ERROR_INVALID_REQUEST, problem);
		return 0;
	}
	error = pgt_topic_change_run(call, find, &deletion, true, &message);
	if (error != KAFKA_ERROR_NONE)
	{
		fail(result, error, message);
		return 0;
	}
	result->matching_acls.count = list_length(deletion.found);
	result->matching_acls.items = pgt_broker_array(&call->request, KAFKA_DELETE_ACLS_RESPONSE_DELETE_ACLS_MATCHING_ACL,
												   list_length(deletion.found));
	for (int i = 0; i < list_length(deletion.found); i++)
		remove_one(call, list_nth(deletion.found, i), &result->matching_acls.items[i]);
	return list_length(deletion.found);
}

/* In the helper. */
static void
run(HelperCall *call)
{
	const KafkaDeleteAclsRequest *body = call->request.kafka.body;
	KafkaDeleteAclsResponse response;
	int			room = REMOVED_MAX;

	begin_response(&call->request, &response);
	for (int32 i = 0; i < body->filters.count; i++)
		room -= serve_filter(call, filter_of(&body->filters.items[i]), room, &response.filter_results.items[i]);
	pgt_helper_answer(call, &response);
}

/* ---- in the loop -------------------------------------------------------------------------------- */

/* Answer with an error for all filters. */
static void
refuse(BrokerRequest *request, KafkaError error, const char *message)
{
	KafkaDeleteAclsResponse response;

	begin_response(request, &response);
	for (int32 i = 0; i < response.filter_results.count; i++)
		fail(&response.filter_results.items[i], error, message);
	pgt_broker_answer(request, &response);
}

static void
serve(BrokerRequest *request)
{
	pgt_helper_pool_hand(request, DESCRIBE_ACLS_TIMEOUT_MS, refuse);
}
