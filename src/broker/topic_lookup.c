/*
 * topic_lookup.c
 *	  From the topic of a request to its configuration, without waiting for anybody.
 *
 * topic.c takes a relation lock where it reads the configuration anew, and would wait for a
 * statement that drops or alters the topic.  The loop must not: so the lock is taken
 * here before, if it can be had at once, and what was looked up without it is looked up again.
 */
#include "postgres.h"

#include "broker/access.h"
#include "broker/topic_lookup.h"
#include "storage/lmgr.h"
#include "topic/topic.h"

/* As above, with the topic locked. */
static KafkaError
get_locked(const BrokerConnection *client, Oid oid, AclMode any_of, const Topic **topic)
{
	if (!pgt_topic_exists(oid))
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (!pgt_access_topic(client, oid, any_of))
		return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	*topic = pgt_topic_get(oid);
	return KAFKA_ERROR_NONE;
}

KafkaError
pgt_topic_lookup(const BrokerConnection *client, Oid oid, AclMode any_of, const Topic **topic)
{
	KafkaError	error;

	if (!OidIsValid(oid))
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (!ConditionalLockRelationOid(oid, AccessShareLock))
		return KAFKA_ERROR_LEADER_NOT_AVAILABLE;
	error = get_locked(client, oid, any_of, topic);
	UnlockRelationOid(oid, AccessShareLock);
	return error;
}

TopicLookup
pgt_topic_lookup_keep(const BrokerConnection *client, Oid oid, AclMode any_of)
{
	TopicLookup found = {.relid = oid};
	const Topic *topic;

	found.error = pgt_topic_lookup(client, oid, any_of, &topic);
	if (found.error == KAFKA_ERROR_NONE)
		found.partitions = topic->partitions;
	return found;
}

KafkaError
pgt_topic_lookup_partition(const TopicLookup *topic, int32 partition, TopicPartition *key)
{
	if (topic->error != KAFKA_ERROR_NONE)
		return topic->error;
	if (partition < 0 || partition >= topic->partitions)
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	*key = pgt_topic_partition_key(topic->relid, partition);
	return KAFKA_ERROR_NONE;
}
