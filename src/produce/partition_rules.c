/*
 * partition_rules.c
 *	  The built-in rules by which a partitioner's name chooses a partition.
 *
 * The rules stand in one table, partition_rules[]: a new one is a function and a
 * line there, and one in key_placement.c if nothing but the key decides.
 *
 *							a key					a null key		an empty key
 *	  murmur2				its hash, as in Kafka	round robin		its hash
 *	  murmur2_random		its hash, as in Kafka	random			its hash
 *	  consistent			its CRC32				as an empty one	its CRC32 (0)
 *	  consistent_random		its CRC32				random			random
 *	  fnv1a					its hash, as in Sarama	as an empty one	its hash
 *	  fnv1a_random			its hash, as in Sarama	random			its hash
 *	  round_robin			one partition after the other, whatever the key is
 *	  random				any partition, whatever the key is
 *	  sticky				one partition for as long as a batch for it is open
 *
 * The hashes are those of librdkafka's partitioners of the same names, except
 * for murmur2: there librdkafka's murmur2_random does what Kafka's Java client
 * does; here murmur2 is Kafka's default itself, with round robin for null keys
 * as older Java clients have it.
 *
 * sticky is Kafka's UniformStickyPartitioner: full batches although records are
 * spread.  A transaction keeps to one partition until the batch it has begun
 * there has no room for the record, then draws another one by lot; so does the
 * next transaction.  Keys do not count.
 *
 * Where round robin and sticky stand is in topic->partitioning, for the session;
 * they start at a random partition, so that many short sessions spread evenly.
 *
 * Locks, files, WAL: none.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "fmgr.h"

#include "format/key_placement.h"
#include "format/murmur2.h"
#include "produce/partition_rules.h"
#include "produce/producer.h"
#include "util/compat.h"
#include "util/sql_version.h"

typedef struct NamedRule
{
	const char *name;
	PartitionRule choose;
} NamedRule;

static int32 choose_murmur2(Topic *topic, ByteView key, ByteView value);
static int32 choose_murmur2_random(Topic *topic, ByteView key, ByteView value);
static int32 choose_round_robin(Topic *topic, ByteView key, ByteView value);
static int32 choose_sticky(Topic *topic, ByteView key, ByteView value);
static int32 choose_random(Topic *topic, ByteView key, ByteView value);
static int32 choose_consistent(Topic *topic, ByteView key, ByteView value);
static int32 choose_consistent_random(Topic *topic, ByteView key, ByteView value);
static int32 choose_fnv1a(Topic *topic, ByteView key, ByteView value);
static int32 choose_fnv1a_random(Topic *topic, ByteView key, ByteView value);

/* The first one is the default. */
static const NamedRule partition_rules[] = {
	{"murmur2", choose_murmur2},
	{"murmur2_random", choose_murmur2_random},
	{"round_robin", choose_round_robin},
	{"sticky", choose_sticky},
	{"random", choose_random},
	{"consistent", choose_consistent},
	{"consistent_random", choose_consistent_random},
	{"fnv1a", choose_fnv1a},
	{"fnv1a_random", choose_fnv1a_random},
};

PGT_FUNCTION_INFO(pgt_murmur2_sql);
PGT_FUNCTION_INFO(pgt_murmur2_partition_sql);

/* ---- rules -------------------------------------------------------------- */

/* A random number from 0 to count - 1. */
static int32
draw(int32 count)
{
	return (int32) pg_prng_uint64_range(&pg_global_prng_state, 0, count - 1);
}

/* The partition that the key has by a rule; a null key counts as an empty one. */
static int32
place(const Topic *topic, PlacementRule rule, ByteView key)
{
	return pgt_placement_rule_apply(rule, topic->partitions, key.data, Max(key.length, 0));
}

/* Kafka's default: equal keys go to one partition, null keys go round robin. */
static int32
choose_murmur2(Topic *topic, ByteView key, ByteView value)
{
	if (key.length < 0)
		return choose_round_robin(topic, key, value);
	return place(topic, PLACED_BY_MURMUR2, key);
}

/* As murmur2, but null keys go to a random partition. */
static int32
choose_murmur2_random(Topic *topic, ByteView key, ByteView value)
{
	if (key.length < 0)
		return draw(topic->partitions);
	return place(topic, PLACED_BY_MURMUR2, key);
}

/* The next partition, beginning with a random one. */
static int32
choose_round_robin(Topic *topic, ByteView key, ByteView value)
{
	int32	   *last = &topic->partitioning.round_robin;

	*last = *last < 0 ? draw(topic->partitions) : (*last + 1) % topic->partitions;
	return *last;
}

/*
 * The last partition while its batch has room for the record, then a random other
 * one.  The last partition may not exist any more, where the transaction that added it
 * has rolled back.
 */
static int32
choose_sticky(Topic *topic, ByteView key, ByteView value)
{
	int32	   *last = &topic->partitioning.sticky;
	Record		record = {0};
	TopicPartition partition;

	if (*last < 0 || *last >= topic->partitions)
		*last = draw(topic->partitions);
	partition = pgt_topic_partition(topic, *last);
	record.key_length = key.length;
	record.value_length = value.length;
	if (topic->partitions > 1 && !pgt_producer_has_room(&partition, pgt_record_size(&record)))
		*last = (*last + 1 + draw(topic->partitions - 1)) % topic->partitions;
	return *last;
}

/* Any partition. */
static int32
choose_random(Topic *topic, ByteView key, ByteView value)
{
	return draw(topic->partitions);
}

/* librdkafka's rule: by the key's CRC32, which is 0 for a null key. */
static int32
choose_consistent(Topic *topic, ByteView key, ByteView value)
{
	return place(topic, PLACED_BY_CRC32, key);
}

/* librdkafka's default: as consistent, but null and empty keys go to a random partition. */
static int32
choose_consistent_random(Topic *topic, ByteView key, ByteView value)
{
	return key.length > 0 ? choose_consistent(topic, key, value) : draw(topic->partitions);
}

/*
 * By the key's FNV-1a hash, as librdkafka and Sarama compute it; a null key counts as an
 * empty one.
 */
static int32
choose_fnv1a(Topic *topic, ByteView key, ByteView value)
{
	return place(topic, PLACED_BY_FNV1A, key);
}

/* As fnv1a, but null keys go to a random partition. */
static int32
choose_fnv1a_random(Topic *topic, ByteView key, ByteView value)
{
	return key.length < 0 ? draw(topic->partitions) : choose_fnv1a(topic, key, value);
}

/* ---- the table ---------------------------------------------------------- */

PartitionRule
pgt_partition_rule_default(void)
{
	return partition_rules[0].choose;
}

PartitionRule
pgt_partition_rule_find(const char *name)
{
	for (int i = 0; i < lengthof(partition_rules); i++)
	{
		if (strcmp(partition_rules[i].name, name) == 0)
			return partition_rules[i].choose;
	}
	return NULL;
}

void
pgt_partition_rule_names(StringInfo names)
{
	for (int i = 0; i < lengthof(partition_rules); i++)
		appendStringInfo(names, "%s%s", i > 0 ? ", " : "", partition_rules[i].name);
}

/* ---- SQL ---------------------------------------------------------------- */

/* murmur2(key bytea): the hash, signed as in Java */
Datum
pgt_murmur2_sql(PG_FUNCTION_ARGS)
{
	bytea	   *key = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_INT32(pgt_murmur2(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

/* murmur2_partition(key bytea, partitions int): the partition that Kafka chooses for the key */
Datum
pgt_murmur2_partition_sql(PG_FUNCTION_ARGS)
{
	bytea	   *key = PG_GETARG_BYTEA_PP(0);
	int32		partitions = PG_GETARG_INT32(1);

	if (partitions < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of partitions must be at least 1, not %d", partitions)));
	PG_RETURN_INT32(pgt_murmur2_partition(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), partitions));
}
