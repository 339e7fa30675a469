/*
 * acl_binding.h
 *	  Kafka's ACLs: their numbers, what may be asked for, and what a filter matches.
 */
#ifndef ACL_BINDING_H
#define ACL_BINDING_H

#include "kafka/kafka_error.h"
#include "kafka/kafka_types.h"

/* Kafka's numbers, which are on the wire. */
typedef enum AclResource
{
	ACL_RESOURCE_ANY = 1,
	ACL_RESOURCE_TOPIC = 2,
	ACL_RESOURCE_GROUP = 3,
	ACL_RESOURCE_CLUSTER = 4,
	ACL_RESOURCE_TRANSACTIONAL_ID = 5,
	ACL_RESOURCE_LAST = 7
} AclResource;

typedef enum AclPattern
{
	ACL_PATTERN_ANY = 1,
	ACL_PATTERN_MATCH = 2,
	ACL_PATTERN_LITERAL = 3,
	ACL_PATTERN_PREFIXED = 4
} AclPattern;

typedef enum AclOperation
{
	ACL_OPERATION_ANY = 1,
	ACL_OPERATION_ALL = 2,
	ACL_OPERATION_READ = 3,
	ACL_OPERATION_WRITE = 4,
	ACL_OPERATION_CREATE = 5,
	ACL_OPERATION_DELETE = 6,
	ACL_OPERATION_ALTER = 7,
	ACL_OPERATION_DESCRIBE = 8,
	ACL_OPERATION_CLUSTER_ACTION = 9,
	ACL_OPERATION_DESCRIBE_CONFIGS = 10,
	ACL_OPERATION_ALTER_CONFIGS = 11,
	ACL_OPERATION_IDEMPOTENT_WRITE = 12,
	ACL_OPERATION_LAST = 15
} AclOperation;

typedef enum AclPermission
{
	ACL_PERMISSION_ANY = 1,
	ACL_PERMISSION_DENY = 2,
	ACL_PERMISSION_ALLOW = 3
} AclPermission;

/* An ACL; or a filter, in which strings may be null and numbers those of "any". */
typedef struct AclBinding
{
	int8		resource;
	int8		pattern;
	int8		operation;
	int8		permission;
	KafkaString name;			/* of the resource */
	KafkaString principal;		/* "User:" and a role, or "User:*" */
	KafkaString host;
} AclBinding;

/* Is that what Kafka's clients may send as a filter?  NULL, or why not. */
extern const char *pgt_acl_binding_filter_problem(const AclBinding *filter);

/*
 * May there be such an ACL here?  Else INVALID_REQUEST for what Kafka does not take either, or POLICY_VIOLATION
 * for what privileges cannot say, with the reason in *message, a constant.
 */
extern KafkaError pgt_acl_binding_check(const AclBinding *wanted, const char **message);

/* Does a filter match the ACL? */
extern bool pgt_acl_binding_matches(const AclBinding *filter, const AclBinding *binding);

/* May a filter match an ACL of such a resource? */
extern bool pgt_acl_binding_is_about(const AclBinding *filter, AclResource resource);

/* The name of the principal, behind "User:"; null if it is of another type. */
extern KafkaString pgt_acl_binding_user(const AclBinding *binding);

/* Is this string the text? */
extern bool pgt_acl_binding_says(KafkaString string, const char *text);

#endif							/* ACL_BINDING_H */
