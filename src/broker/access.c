/*
 * access.c
 *	  What a client may do with a topic.
 *
 * Rights are those of the table: who may SELECT may read, who may INSERT may write, and the
 * owner may do what the owner of a table may.
 */
#include "postgres.h"

#include "broker/access.h"
#include "util/compat.h"
#include "utils/acl.h"

/* Kafka's numbers of operations (AclOperation). */
enum
{
	OPERATION_READ = 3,
	OPERATION_WRITE = 4,
	OPERATION_DELETE = 6,
	OPERATION_ALTER = 7,
	OPERATION_DESCRIBE = 8,
	OPERATION_DESCRIBE_CONFIGS = 10,
	OPERATION_ALTER_CONFIGS = 11
};

#define BIT(operation)	(1 << (operation))

bool
pgt_access_topic(const BrokerConnection *client, Oid topic, AclMode any_of)
{
	return client->authenticated && pg_class_aclmask(topic, client->role, any_of, ACLMASK_ANY) != 0;
}

int32
pgt_access_topic_operations(const BrokerConnection *client, Oid topic)
{
	int32		operations = BIT(OPERATION_DESCRIBE) | BIT(OPERATION_DESCRIBE_CONFIGS);

	if (pgt_access_topic(client, topic, ACL_SELECT))
		operations |= BIT(OPERATION_READ);
	if (pgt_access_topic(client, topic, ACL_INSERT))
		operations |= BIT(OPERATION_WRITE);
	if (PGT_OWNS_RELATION(topic, client->role))
		operations |= BIT(OPERATION_DELETE) | BIT(OPERATION_ALTER) | BIT(OPERATION_ALTER_CONFIGS);
	return operations;
}
