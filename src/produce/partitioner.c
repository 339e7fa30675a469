/*
 * partitioner.c
 *	  Which partition a record goes to when its producer names none.
 *
 * A name says by which rule: the session's setting pg_topics.partitioner, as
 * each Kafka producer may have its own; else the topic's option
 * partitioner.class; else murmur2.  Records that a trigger publishes are not the
 * session's own, so the setting does not count for them: otherwise anybody who
 * may change a table could tear the records of one key apart.
 *
 * The built-in rules are in partition_rules.c.  Any other name is looked up by
 * partitioner_lookup.c and called by partitioner_call.c.  What a name stands for
 * is found once for each transaction and topic, and again when
 * pgt_partitioner_lookup_version has moved; it is kept in topic->partitioning.
 */
#include "postgres.h"

#include "storage/proc.h"

#include "produce/partition_rules.h"
#include "produce/partitioner.h"
#include "produce/partitioner_call.h"
#include "produce/partitioner_lookup.h"
#include "util/compat.h"

/* Look for a built-in rule of that name; any other partitioner is looked up when it is called. */
static void
find_rule(TopicPartitioner *choice, const char *name)
{
	/* a partitioner of an earlier transaction was freed at that transaction's end */
	if (choice->lxid == PGT_MY_LXID)
		pgt_partitioner_call_close(choice->custom);
	choice->custom = NULL;
	choice->rule = *name == '\0' ? pgt_partition_rule_default() : pgt_partition_rule_find(name);
	choice->version = pgt_partitioner_lookup_version;
	choice->lxid = PGT_MY_LXID;
}

/* Let the partitioner of that name choose. */
static int32
choose_by(TopicPartitioner *choice, const char *name, Topic *topic, ByteView key, ByteView value)
{
	if (choice->lxid != PGT_MY_LXID || choice->version != pgt_partitioner_lookup_version)
		find_rule(choice, name);
	if (choice->rule != NULL)
		return choice->rule(topic, key, value);
	return pgt_partitioner_call(choice, topic, key, value);
}

int32
pgt_partitioner_choose_own(Topic *topic, ByteView key, ByteView value)
{
	return choose_by(&topic->partitioning.own, topic->partitioner_class, topic, key, value);
}

int32
pgt_partitioner_choose(Topic *topic, ByteView key, ByteView value)
{
	const char *name = pgt_partitioner_lookup_setting();

	if (likely(*name == '\0'))
		return pgt_partitioner_choose_own(topic, key, value);
	return choose_by(&topic->partitioning.session, name, topic, key, value);
}
