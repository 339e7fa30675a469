/*
 * partitioner.c
 *	  Which partition a record goes to when its producer names none.
 *
 * A name says by which rule: the session's setting pg_topics.partitioner, as
 * each Kafka producer may have its own; else the topic's option
 * partitioner.class; else murmur2.  What a trigger publishes is no producer's own:
 * there the setting does not count, or who may change a table could tear the
 * records of one key apart.  The built-in rules stand in one table,
 * partitioners[]: a new one is a function and a line there.
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
 * The hashes are those of librdkafka's partitioners of the same names, but for
 * murmur2: there it has librdkafka's murmur2_random do what Kafka's Java client
 * does, here it is Kafka's default itself, with round robin for null keys as
 * older Java clients have it.
 *
 * sticky is Kafka's UniformStickyPartitioner: full batches although records are
 * spread.  A transaction keeps to one partition until the batch it has begun
 * there has no room for the record, then draws another one by lot; so does the
 * next transaction.  Keys do not count.
 *
 * Any other name is looked up by partitioner_lookup.c and called by
 * partitioner_call.c.  What a name stands for is found once a transaction and
 * topic, and again when pgt_partitioner_version has moved; it is in
 * topic->partitioning.  Beside it are where round robin and sticky stand, for
 * the session; they start at a random partition, so that many short sessions
 * spread evenly.
 *
 * Layer 5.  Next: partitioner_lookup.c.
 */
#include "postgres.h"

#include <zlib.h>

#include "common/pg_prng.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "storage/proc.h"

#include "format/fnv1a.h"
#include "format/murmur2.h"
#include "produce/partitioner.h"
#include "produce/partitioner_call.h"
#include "produce/partitioner_lookup.h"
#include "produce/producer.h"
#include "util/compat.h"

typedef struct Partitioner
{
	const char *name;
	PartitionRule choose;
} Partitioner;

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
static const Partitioner partitioners[] = {
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

PG_FUNCTION_INFO_V1(pgt_murmur2_sql);
PG_FUNCTION_INFO_V1(pgt_murmur2_partition_sql);

/* ---- rules -------------------------------------------------------------- */

/* A number from 0 to count - 1, drawn by lot. */
static int32
draw(int32 count)
{
	return (int32) pg_prng_uint64_range(&pg_global_prng_state, 0, count - 1);
}

/* Kafka's default: equal keys together, null keys spread. */
static int32
choose_murmur2(Topic *topic, ByteView key, ByteView value)
{
	if (key.length < 0)
		return choose_round_robin(topic, key, value);
	return pgt_murmur2_partition(key.data, key.length, topic->partitions);
}

/* The same but for null keys. */
static int32
choose_murmur2_random(Topic *topic, ByteView key, ByteView value)
{
	if (key.length < 0)
		return draw(topic->partitions);
	return pgt_murmur2_partition(key.data, key.length, topic->partitions);
}

/* The next partition; the first one is drawn by lot. */
static int32
choose_round_robin(Topic *topic, ByteView key, ByteView value)
{
	int32	   *last = &topic->partitioning.round_robin;

	*last = *last < 0 ? draw(topic->partitions) : (*last + 1) % topic->partitions;
	return *last;
}

/*
 * The last partition while its batch takes the record, then any other.  One
 * past the end was added by a transaction that has rolled back.
 */
static int32
choose_sticky(Topic *topic, ByteView key, ByteView value)
{
	int32	   *last = &topic->partitioning.sticky;
	Record		record = {0};
	TopicPartition place;

	if (*last < 0 || *last >= topic->partitions)
		*last = draw(topic->partitions);
	place = pgt_topic_partition(topic, *last);
	record.key_length = key.length;
	record.value_length = value.length;
	if (topic->partitions > 1 && !pgt_producer_has_room(&place, pgt_record_size(&record)))
		*last = (*last + 1 + draw(topic->partitions - 1)) % topic->partitions;
	return *last;
}

/* Any partition. */
static int32
choose_random(Topic *topic, ByteView key, ByteView value)
{
	return draw(topic->partitions);
}

/* librdkafka's: the key's CRC32, which is 0 of a null key. */
static int32
choose_consistent(Topic *topic, ByteView key, ByteView value)
{
	uLong		crc = key.length > 0 ? crc32(0, (const Bytef *) key.data, key.length) : 0;

	return (int32) (crc % (uint32) topic->partitions);
}

/* librdkafka's default: the same, with null and empty keys spread. */
static int32
choose_consistent_random(Topic *topic, ByteView key, ByteView value)
{
	return key.length > 0 ? choose_consistent(topic, key, value) : draw(topic->partitions);
}

/* librdkafka's and Sarama's FNV-1a; a null key is as an empty one. */
static int32
choose_fnv1a(Topic *topic, ByteView key, ByteView value)
{
	return pgt_fnv1a_partition(key.data, Max(key.length, 0), topic->partitions);
}

/* The same but for null keys. */
static int32
choose_fnv1a_random(Topic *topic, ByteView key, ByteView value)
{
	return key.length < 0 ? draw(topic->partitions) : choose_fnv1a(topic, key, value);
}

/* ---- choosing ----------------------------------------------------------- */

/* The built-in rule of that name, or NULL. */
PartitionRule
pgt_builtin_partitioner(const char *name)
{
	for (int i = 0; i < lengthof(partitioners); i++)
	{
		if (strcmp(partitioners[i].name, name) == 0)
			return partitioners[i].choose;
	}
	return NULL;
}

/* Append the names of all built-in ones, with commas between. */
void
pgt_builtin_partitioner_names(StringInfo names)
{
	for (int i = 0; i < lengthof(partitioners); i++)
		appendStringInfo(names, "%s%s", i > 0 ? ", " : "", partitioners[i].name);
}

/* Find the rule of that name; one that is not built in is looked up when called. */
static void
find_rule(PartitionerChoice *choice, const char *name)
{
	/* another transaction's is gone with its memory */
	if (choice->lxid == PGT_MY_LXID)
		pgt_custom_partitioner_close(choice->custom);
	choice->custom = NULL;
	choice->rule = *name == '\0' ? partitioners[0].choose : pgt_builtin_partitioner(name);
	choice->version = pgt_partitioner_version;
	choice->lxid = PGT_MY_LXID;
}

/* Let the partitioner of that name choose. */
static int32
choose_by(PartitionerChoice *choice, const char *name, Topic *topic, ByteView key, ByteView value)
{
	if (choice->lxid != PGT_MY_LXID || choice->version != pgt_partitioner_version)
		find_rule(choice, name);
	if (choice->rule != NULL)
		return choice->rule(topic, key, value);
	return pgt_custom_partition(choice, topic, key, value);
}

/* See the header. */
int32
pgt_choose_own_partition(Topic *topic, ByteView key, ByteView value)
{
	return choose_by(&topic->partitioning.own, topic->partitioner_class, topic, key, value);
}

/* See the header. */
int32
pgt_choose_partition(Topic *topic, ByteView key, ByteView value)
{
	const char *name = pgt_partitioner_setting();

	if (likely(*name == '\0'))
		return pgt_choose_own_partition(topic, key, value);
	return choose_by(&topic->partitioning.session, name, topic, key, value);
}

/* ---- SQL ---------------------------------------------------------------- */

/* murmur2(key bytea): the hash, signed as in Java. */
Datum
pgt_murmur2_sql(PG_FUNCTION_ARGS)
{
	bytea	   *key = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_INT32(pgt_murmur2(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}

/* murmur2_partition(key bytea, partitions int): where Kafka puts the key. */
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
