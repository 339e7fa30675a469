/*
 * partitioner.c
 *	  Which partition a record goes to when its producer names none.
 *
 * A topic's option partitioner.class names a rule; without one it is murmur2,
 * as in Kafka's Java client.  The built-in rules stand in one table,
 * partitioners[]: a new one is a function and a line there.
 *
 *	  murmur2       the key's hash, so that a key lands on the partition number
 *					it has in Kafka; a null key goes round robin
 *	  round_robin   one partition after the other, whatever the key is
 *
 * Round robin counts in the session's own Topic (field round_robin) and starts
 * at a random partition, so that many short sessions spread evenly.
 *
 * Layer 5.  Pure functions of their arguments but for that counter.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#include "murmur2.h"
#include "partitioner.h"

/* Returns a partition from 0 to topic->partitions - 1. */
typedef int32 (*PartitionerFunction) (Topic *topic, ByteView key, ByteView value);

typedef struct Partitioner
{
	const char *name;
	PartitionerFunction choose;
} Partitioner;

static int32 choose_murmur2(Topic *topic, ByteView key, ByteView value);
static int32 choose_round_robin(Topic *topic, ByteView key, ByteView value);

/* The first one is the default. */
static const Partitioner partitioners[] = {
	{"murmur2", choose_murmur2},
	{"round_robin", choose_round_robin},
};

PG_FUNCTION_INFO_V1(pgt_murmur2_sql);
PG_FUNCTION_INFO_V1(pgt_murmur2_partition_sql);

/* ---- rules -------------------------------------------------------------- */

/* Kafka's default: equal keys together, null keys spread. */
static int32
choose_murmur2(Topic *topic, ByteView key, ByteView value)
{
	if (key.length < 0)
		return choose_round_robin(topic, key, value);
	return pgt_murmur2_partition(key.data, key.length, topic->partitions);
}

/* The next partition; the first one is drawn by lot. */
static int32
choose_round_robin(Topic *topic, ByteView key, ByteView value)
{
	if (topic->round_robin < 0)
		topic->round_robin = (int32) pg_prng_uint64_range(&pg_global_prng_state, 0,
														  topic->partitions - 1);
	else
		topic->round_robin = (topic->round_robin + 1) % topic->partitions;
	return topic->round_robin;
}

/* ---- choosing ----------------------------------------------------------- */

/* The rule of that name, or NULL. */
static const Partitioner *
find_partitioner(const char *name)
{
	for (int i = 0; i < lengthof(partitioners); i++)
	{
		if (strcmp(partitioners[i].name, name) == 0)
			return &partitioners[i];
	}
	return NULL;
}

/* ERROR (invalid_parameter_value) naming the valid ones, for an unknown partitioner. */
void
pgt_partitioner_check(const char *name)
{
	StringInfoData names;

	if (find_partitioner(name) != NULL)
		return;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(partitioners); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", partitioners[i].name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("partitioner \"%s\" does not exist", name),
			 errhint("Valid partitioners are: %s.", names.data)));
}

/*
 * The partition of a record for which none was named: the topic's rule, by
 * default murmur2 of the key as Kafka's Java client has it, a null key round
 * robin.
 */
int32
pgt_choose_partition(Topic *topic, ByteView key, ByteView value)
{
	const Partitioner *partitioner = &partitioners[0];

	if (topic->partitioner_class[0] != '\0')
		partitioner = find_partitioner(topic->partitioner_class);
	if (partitioner == NULL)
		elog(ERROR, "partitioner \"%s\" does not exist", topic->partitioner_class);
	return partitioner->choose(topic, key, value);
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
