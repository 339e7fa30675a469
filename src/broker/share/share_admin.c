/*
 * share_admin.c
 *	  What the APIs have in common that change where share groups stand.
 *
 * Whether a group has members the loop knows.  What is to be done then may have to wait, for rows that others have changed, and
 * is done by a helper process, as the client's role.  A member that joins meanwhile has nothing yet that it could lose;
 * where somebody has records, in SQL or as a client, nothing is changed.
 */
#include "postgres.h"

#include "broker/core/turn.h"
#include "broker/groups/share_groups.h"
#include "broker/groups/sql_share_group.h"
#include "broker/helpers/helper_pool.h"
#include "broker/helpers/topic_change.h"
#include "broker/share/share_admin.h"
#include "group/group_row.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#define TIMEOUT_MS	5000

KafkaError
pgt_share_admin_check_exists(const BrokerRequest *request, KafkaString id)
{
	KafkaError	error = pgt_group_coordinator_check(request->client, id);
	CoordinatorGroup *registered = pgt_group_coordinator_find(id);

	if (error != KAFKA_ERROR_NONE)
		return error;
	if (registered != NULL)
		return registered->kind == KAFKA_GROUP_SHARE ? KAFKA_ERROR_NONE : KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	switch (pgt_sql_share_group_find(request->client, pnstrdup(id.data, id.length)))
	{
		case SQL_GROUP_FOUND:
			return KAFKA_ERROR_NONE;
		case SQL_GROUP_DENIED:
			return KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED;
		case SQL_GROUP_MISSING:
			break;
	}
	return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
}

/* May a group be changed, which has no members then? */
static KafkaError
check(const BrokerRequest *request, KafkaString id)
{
	KafkaError	error = pgt_share_admin_check_exists(request, id);

	if (error == KAFKA_ERROR_NONE && pgt_group_coordinator_has_members(id))
		return KAFKA_ERROR_NON_EMPTY_GROUP;
	return error;
}

void
pgt_share_admin_hand(BrokerRequest *request, KafkaString id,
					 void (*refuse) (BrokerRequest *request, KafkaError error, const char *message))
{
	KafkaError	error;

	pgt_turn_open();
	error = check(request, id);
	if (error != KAFKA_ERROR_NONE)
		refuse(request, error, pgt_kafka_error_message(error));
	else
		pgt_helper_pool_hand(request, TIMEOUT_MS, refuse);
}

void
pgt_share_admin_open(ShareGroup *group, const char *id, KafkaString topic)
{
	Oid			relid = pgt_topic_change_find(topic);
	Oid			table = pgt_group_row_extension_table();

	LockRelationOid(relid, AccessShareLock);
	if (!OidIsValid(table) || !pgt_topic_exists(relid))
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "topic does not exist");
	pgt_topic_check_acl(relid, ACL_SELECT);
	*group = (ShareGroup) {
		.group = {.offsets_table = table,.topic = relid,.id = id,.role = GetUserId()},
		.schema = get_rel_namespace(table)
	};
}

KafkaError
pgt_share_admin_error(KafkaError error)
{
	switch (error)
	{
		case KAFKA_ERROR_POLICY_VIOLATION:
			/* it is in use */
			return KAFKA_ERROR_NON_EMPTY_GROUP;
		case KAFKA_ERROR_NOT_CONTROLLER:
			return KAFKA_ERROR_NOT_COORDINATOR;
		case KAFKA_ERROR_REQUEST_TIMED_OUT:
			return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
		default:
			return error;
	}
}
