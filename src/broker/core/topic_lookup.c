/*
 * topic_lookup.c
 *	  From the topic of a request to its configuration, without waiting for anybody.
 *
 * topic.c takes a relation lock where it reads the configuration anew, and would wait for a
 * statement that drops or alters the topic.  The loop must not: so the lock is taken
 * here before, if it can be had at once, and what was looked up without it is looked up again.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "broker/core/access.h"
#include "broker/core/topic_lookup.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "storage/lmgr.h"
#include "topic/topic.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

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

bool
pgt_topic_lookup_options(Oid oid, List **options)
{
	HeapTuple	row = OidIsValid(oid) && pgt_topic_exists(oid) ? SearchSysCache1(FOREIGNTABLEREL, ObjectIdGetDatum(oid)) : NULL;
	bool		is_null;
	Datum		value;

	if (!HeapTupleIsValid(row))
		return false;
	value = SysCacheGetAttr(FOREIGNTABLEREL, row, Anum_pg_foreign_table_ftoptions, &is_null);
	*options = is_null ? NIL : untransformRelOptions(value);
	ReleaseSysCache(row);
	return true;
}

int32
pgt_topic_lookup_partition_count(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "partitions") == 0)
			return pg_strtoint32(defGetString(option));
	}
	return 1;
}
