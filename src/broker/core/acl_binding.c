/*
 * acl_binding.c
 *	  Kafka's ACLs: their numbers, what may be asked for, and what a filter matches.
 *
 * An ACL of Kafka's allows or denies a principal one operation on a resource, from a host:
 *
 *	  TOPIC "orders" LITERAL    User:app    *    READ    ALLOW
 *
 * Here it stands for a privilege, and privileges allow, are those of one table, and count wherever the role
 * comes from.  So there are ACLs of that form alone.
 */
#include "postgres.h"

#include "broker/core/acl_binding.h"

#define USER_PREFIX		"User:"

bool
pgt_acl_binding_says(KafkaString string, const char *text)
{
	return string.length >= 0 && (size_t) string.length == strlen(text) && memcmp(string.data, text, string.length) == 0;
}

static bool
is_equal(KafkaString one, KafkaString other)
{
	return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

KafkaString
pgt_acl_binding_user(const AclBinding *binding)
{
	int			length = strlen(USER_PREFIX);

	if (binding->principal.length < length || memcmp(binding->principal.data, USER_PREFIX, length) != 0)
		return (KafkaString) {.length = -1};
	return (KafkaString) {.data = binding->principal.data + length, .length = binding->principal.length - length};
}

/* ---- what may be asked for ---------------------------------------------------------- */

static bool
is_within(int8 value, int8 first, int8 last)
{
	return value >= first && value <= last;
}

const char *
pgt_acl_binding_filter_problem(const AclBinding *filter)
{
	if (!is_within(filter->resource, ACL_RESOURCE_ANY, ACL_RESOURCE_LAST))
		return "the type of the resource is unknown";
	if (!is_within(filter->pattern, ACL_PATTERN_ANY, ACL_PATTERN_PREFIXED))
		return "the type of the pattern is unknown";
	if (!is_within(filter->operation, ACL_OPERATION_ANY, ACL_OPERATION_LAST))
		return "the operation is unknown";
	if (!is_within(filter->permission, ACL_PERMISSION_ANY, ACL_PERMISSION_ALLOW))
		return "the type of the permission is unknown";
	return NULL;
}

/* What Kafka does not take either; NULL: it does. */
static const char *
request_problem(const AclBinding *wanted)
{
	if (!is_within(wanted->resource, ACL_RESOURCE_TOPIC, ACL_RESOURCE_LAST))
		return "the type of the resource is not valid";
	if (!is_within(wanted->pattern, ACL_PATTERN_LITERAL, ACL_PATTERN_PREFIXED))
		return "the type of the pattern is not valid";
	if (!is_within(wanted->operation, ACL_OPERATION_ALL, ACL_OPERATION_LAST))
		return "the operation is not valid";
	if (!is_within(wanted->permission, ACL_PERMISSION_DENY, ACL_PERMISSION_ALLOW))
		return "the type of the permission is not valid";
	if (wanted->name.length <= 0)
		return "the resource has no name";
	if (wanted->resource == ACL_RESOURCE_CLUSTER && !pgt_acl_binding_says(wanted->name, "kafka-cluster"))
		return "the only name of a cluster is \"kafka-cluster\"";
	if (wanted->principal.length < 0 || memchr(wanted->principal.data, ':', wanted->principal.length) == NULL)
		return "the principal has no colon between its type and its name";
	if (wanted->host.length <= 0)
		return "the host is empty";
	return NULL;
}

/* What privileges cannot say; NULL: they can. */
static const char *
policy_problem(const AclBinding *wanted)
{
	if (wanted->permission == ACL_PERMISSION_DENY)
		return "nothing can be denied: privileges only allow. Revoke the privilege, or do not grant it";
	if (wanted->pattern == ACL_PATTERN_PREFIXED || pgt_acl_binding_says(wanted->name, "*"))
		return "privileges are those of one topic: it must be named literally";
	if (!pgt_acl_binding_says(wanted->host, "*"))
		return "hosts are admitted by pg_hba.conf: the host of an ACL must be \"*\"";
	if (pgt_acl_binding_user(wanted).length <= 0)
		return "principals are roles: \"User:\" and a role's name, or \"User:*\" for all";
	return NULL;
}

KafkaError
pgt_acl_binding_check(const AclBinding *wanted, const char **message)
{
	*message = request_problem(wanted);
	if (*message != NULL)
		return KAFKA_ERROR_INVALID_REQUEST;
	*message = policy_problem(wanted);
	return *message != NULL ? KAFKA_ERROR_POLICY_VIOLATION : KAFKA_ERROR_NONE;
}

/* ---- what a filter matches ------------------------------------------------------------- */

bool
pgt_acl_binding_is_about(const AclBinding *filter, AclResource resource)
{
	return filter->resource == ACL_RESOURCE_ANY || filter->resource == (int8) resource;
}

/* All ACLs here are literal, and of no resource "*", so that "match" means "equal". */
bool
pgt_acl_binding_matches(const AclBinding *filter, const AclBinding *binding)
{
	Assert(binding->pattern == ACL_PATTERN_LITERAL);
	return pgt_acl_binding_is_about(filter, binding->resource) &&
		filter->pattern != ACL_PATTERN_PREFIXED &&
		(filter->name.length < 0 || is_equal(filter->name, binding->name)) &&
		(filter->principal.length < 0 || is_equal(filter->principal, binding->principal)) &&
		(filter->host.length < 0 || is_equal(filter->host, binding->host)) &&
		(filter->operation == ACL_OPERATION_ANY || filter->operation == binding->operation) &&
		(filter->permission == ACL_PERMISSION_ANY || filter->permission == binding->permission);
}
