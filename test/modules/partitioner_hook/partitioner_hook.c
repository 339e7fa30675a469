/*
 * partitioner_hook.c
 *	  Partitioners of an extension: the example for pg_topics.h.
 *
 * by_customer is for keys of a customer and a date, "4711|2024-05-01": all of a
 * customer's records go to one partition, the one that Kafka's default
 * partitioner gives the customer alone.  Records without a key go round robin.
 *
 * The others do what a partitioner must not do, so that the test can see what
 * comes of it.
 */
#include "postgres.h"

#include "fmgr.h"

#include "extension/pg_topics/pg_topics.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* The partition of the key's part before the bar. */
static int32
by_customer(Oid topic, PgTopicsBytes key, PgTopicsBytes value, int32 partitions)
{
	const PgTopicsApi *api = pg_topics_api();
	const char *bar;

	if (key.length < 0)
		return api->builtin("round_robin", topic, key, value);
	bar = key.length > 0 ? memchr(key.data, '|', key.length) : NULL;
	return api->murmur2_partition(key.data, bar != NULL ? bar - key.data : key.length, partitions);
}

/* A partition that is not there. */
static int32
past_the_end(Oid topic, PgTopicsBytes key, PgTopicsBytes value, int32 partitions)
{
	return partitions;
}

/* What a built-in partitioner of a wrong name says. */
static int32
misspelt(Oid topic, PgTopicsBytes key, PgTopicsBytes value, int32 partitions)
{
	return pg_topics_api()->builtin("murmur3", topic, key, value);
}

static PgTopicsPartitioner partitioners[] = {
	PG_TOPICS_PARTITIONER("by_customer", by_customer),
	PG_TOPICS_PARTITIONER("past_the_end", past_the_end),
	PG_TOPICS_PARTITIONER("misspelt", misspelt),
	{PG_TOPICS_API_VERSION + 1, "of_the_future", by_customer, NULL},
};

void
_PG_init(void)
{
	for (int i = 0; i < lengthof(partitioners); i++)
		pg_topics_register_partitioner(&partitioners[i]);
}
