/*
 * acl_implied.c
 *	  ACLs for which there is no privilege of their own: whether what they say is so.
 *
 * Tools add several ACLs together: who is to write to a topic is also to describe it, and to create it; who is to read
 * it is also to use a group.  These follow from something else here, so nothing is granted for them.  But
 * nobody is told that a role may do what it may not:
 *
 *	  TOPIC		DESCRIBE, DESCRIBE_CONFIGS			SELECT or INSERT
 *				CREATE								INSERT, as the topic is there; or the right to create it again
 *				ALL, ALTER, DELETE, ALTER_CONFIGS	ownership
 *	  GROUP		READ, DESCRIBE, DELETE, ALL			the group is nobody else's
 *	  CLUSTER	IDEMPOTENT_WRITE					always: it comes with INSERT on whatever topic is written to
 *
 * What is not so is refused, with the words that say how to make it so.
 */
#include "postgres.h"

#include "broker/core/topic_names.h"
#include "broker/helpers/topic_change.h"
#include "broker/users/acl_implied.h"
#include "foreign/foreign.h"
#include "group/group_row.h"
#include "group/kafka_group_row.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "topic/topic.h"
#include "util/compat.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* ---- what an ACL is about -------------------------------------------------------------- */

Oid
pgt_acl_implied_topic(const AclBinding *wanted)
{
	Oid			topic = pgt_topic_names_find(wanted->name);

	if (!OidIsValid(topic))
		pgt_topic_change_refuse(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
								"topic does not exist: privileges are those of a topic, which must be there");
	if (!pgt_topic_is_visible(topic))
		pgt_topic_change_refuse(KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, "no privilege on the topic");
	return topic;
}

Oid
pgt_acl_implied_role(const AclBinding *wanted)
{
	Oid			role;

	if (!pgt_acl_catalog_role(wanted, &role))
		pgt_topic_change_refuse(KAFKA_ERROR_RESOURCE_NOT_FOUND, "principals are roles, and there is no such role");
	return role;
}

/* ---- topics ------------------------------------------------------------------------------- */

/* Which of these privileges the role has, in whatever way. */
static AclMode
rights_of(Oid topic, Oid role, AclMode asked)
{
	if (role == ACL_ID_PUBLIC)
		return pgt_acl_catalog_granted(topic, role) & asked;
	return pg_class_aclmask(topic, role, asked, ACLMASK_ALL);
}

static bool
owns(Oid topic, Oid role)
{
	return role != ACL_ID_PUBLIC && PGT_OWNS_RELATION(topic, role);
}

/* May the role create a topic where this one is? */
static bool
may_create(Oid topic, Oid role)
{
	Oid			server = get_foreign_server_oid(TOPIC_SERVER_NAME, true);

	return role != ACL_ID_PUBLIC && OidIsValid(server) &&
		PGT_SCHEMA_ACLCHECK(get_rel_namespace(topic), role, ACL_CREATE) == ACLCHECK_OK &&
		PGT_SERVER_ACLCHECK(server, role, ACL_USAGE) == ACLCHECK_OK;
}

static void
check_topic(const AclBinding *wanted)
{
	Oid			topic = pgt_acl_implied_topic(wanted);
	Oid			role = pgt_acl_implied_role(wanted);
	bool		is_so = owns(topic, role);

	switch (wanted->operation)
	{
		case ACL_OPERATION_DESCRIBE:
		case ACL_OPERATION_DESCRIBE_CONFIGS:
			if (!is_so && rights_of(topic, role, ACL_SELECT | ACL_INSERT) == ACL_NO_RIGHTS)
				pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
										"a topic is described to who may read or write it: add READ or WRITE");
			break;
		case ACL_OPERATION_CREATE:
			if (rights_of(topic, role, ACL_INSERT) == ACL_NO_RIGHTS && !may_create(topic, role))
				pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
										"topics are created by who has the privilege CREATE on the schema, which is granted in SQL");
			break;
		case ACL_OPERATION_ALL:
			if (!is_so || rights_of(topic, role, ACL_SELECT | ACL_INSERT) != (ACL_SELECT | ACL_INSERT))
				pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
										"the owner alone may alter and delete a topic: add READ and WRITE instead of ALL");
			break;
		case ACL_OPERATION_ALTER:
		case ACL_OPERATION_DELETE:
		case ACL_OPERATION_ALTER_CONFIGS:
			if (!is_so)
				pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
										"the owner alone may alter and delete a topic: let it own the topic, or be a member of the owner");
			break;
		default:
			pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "there is no such operation on topics");
	}
}

/* ---- groups ------------------------------------------------------------------------------ */

/* May the role use a group of an owner? */
static bool
may_use(const ConsumerGroup *group, Oid owner, Oid role)
{
	if (owner == GROUP_UNCLAIMED)
		return true;
	return role != ACL_ID_PUBLIC &&
		((OidIsValid(owner) && has_privs_of_role(role, owner)) || owns(group->topic, role));
}

static void
refuse_group(void)
{
	pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
							"the group belongs to another role: use another group, or let the role be a member of its owner");
}

static void
check_group(const AclBinding *wanted)
{
	Oid			role = pgt_acl_implied_role(wanted);
	ConsumerGroup group = {.offsets_table = pgt_group_row_any_table()};
	List	   *topics;
	ListCell   *cell;
	Oid			owner;

	if (wanted->operation != ACL_OPERATION_READ && wanted->operation != ACL_OPERATION_DESCRIBE &&
		wanted->operation != ACL_OPERATION_DELETE && wanted->operation != ACL_OPERATION_ALL)
		pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "there is no such operation on groups");
	if (memchr(wanted->name.data, '\0', wanted->name.length) != NULL)
		pgt_topic_change_refuse(KAFKA_ERROR_INVALID_REQUEST, "the name of a group must be text");
	group.id = pg_any_to_server(pnstrdup(wanted->name.data, wanted->name.length), wanted->name.length, PG_UTF8);
	topics = OidIsValid(group.offsets_table) ? pgt_group_rows_topics(&group) : NIL;
	foreach(cell, topics)
	{
		group.topic = lfirst_oid(cell);
		if (!may_use(&group, pgt_group_rows_owner(&group), role))
			refuse_group();
	}
	/* one of Kafka's clients that has no partition */
	if (topics == NIL && OidIsValid(pgt_group_row_extension_table()) && pgt_kafka_group_row_owner(group.id, &owner) &&
		owner != GROUP_UNCLAIMED && SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(owner)) &&
		(role == ACL_ID_PUBLIC || !has_privs_of_role(role, owner)))
		refuse_group();
}

/* ---- all ------------------------------------------------------------------------------------ */

void
pgt_acl_implied_check(const AclBinding *wanted)
{
	switch (wanted->resource)
	{
		case ACL_RESOURCE_TOPIC:
			check_topic(wanted);
			break;
		case ACL_RESOURCE_GROUP:
			check_group(wanted);
			break;
		case ACL_RESOURCE_CLUSTER:
			if (wanted->operation != ACL_OPERATION_IDEMPOTENT_WRITE)
				pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
										"rights on the cluster are those of roles and schemas, which are given in SQL");
			(void) pgt_acl_implied_role(wanted);
			break;
		case ACL_RESOURCE_TRANSACTIONAL_ID:
			pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION,
									"a transactional id belongs to the role that uses it first, and no ACL is about it: leave it out");
			break;
		default:
			pgt_topic_change_refuse(KAFKA_ERROR_POLICY_VIOLATION, "ACLs are about topics, and about groups that are nobody else's");
	}
}
