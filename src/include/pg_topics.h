/*
 * pg_topics.h
 *	  For extensions in C that bring partitioners of their own.
 *
 * This is the one installed header; it includes none of the others and needs
 * only postgres.h before it:
 *
 *		#include "postgres.h"
 *		#include "fmgr.h"
 *		#include "extension/pg_topics/pg_topics.h"
 *
 *		PG_MODULE_MAGIC;
 *
 *		static int32
 *		by_first_byte(Oid topic, PgTopicsBytes key, PgTopicsBytes value, int32 partitions)
 *		{
 *			return key.length > 0 ? (unsigned char) key.data[0] % partitions : 0;
 *		}
 *
 *		static PgTopicsPartitioner partitioner = PG_TOPICS_PARTITIONER("by_first_byte", by_first_byte);
 *
 *		void
 *		_PG_init(void)
 *		{
 *			pg_topics_register_partitioner(&partitioner);
 *		}
 *
 * The library is loaded by shared_preload_libraries (before or after pg_topics),
 * session_preload_libraries or LOAD.  The name is then one that the topic option
 * partitioner.class and the setting pg_topics.partitioner take, in each session
 * that has loaded the library; one that has not cannot produce to such a topic
 * without naming partitions.
 *
 * Both sides meet in rendezvous variables, so neither links against the other.
 */
#ifndef PG_TOPICS_H
#define PG_TOPICS_H

#include "fmgr.h"

/*
 * Of this header.  It grows when members are added at the end of a struct; a
 * partitioner made for a newer one than pg_topics has is refused when used.
 */
#define PG_TOPICS_API_VERSION	1

#define PG_TOPICS_PARTITIONERS_VARIABLE "pg_topics_partitioners"
#define PG_TOPICS_API_VARIABLE			"pg_topics_api"

/* A key or value as the log stores it.  null: length -1. */
typedef struct PgTopicsBytes
{
	const char *data;
	int32		length;
} PgTopicsBytes;

/*
 * Choose a partition: a number from 0 to partitions - 1, anything else is an
 * ERROR of the producer.  The same key should always give the same one.  Called
 * in a transaction, in a memory context that is reset soon; may ereport(ERROR).
 */
typedef int32 (*PgTopicsChoose) (Oid topic, PgTopicsBytes key, PgTopicsBytes value,
								 int32 partitions);

/* What an extension registers; it must stay where it is as long as the process lives. */
typedef struct PgTopicsPartitioner
{
	int			version;		/* PG_TOPICS_API_VERSION of its maker */
	const char *name;			/* compared as it is; those built in win */
	PgTopicsChoose choose;
	struct PgTopicsPartitioner *next;	/* of the list of all; set by registering */
} PgTopicsPartitioner;

#define PG_TOPICS_PARTITIONER(name, choose) {PG_TOPICS_API_VERSION, name, choose, NULL}

/* What pg_topics offers to partitioners. */
typedef struct PgTopicsApi
{
	int			version;		/* PG_TOPICS_API_VERSION of pg_topics */

	/* the hash of Kafka's default partitioner, and the partition it gives a key */
	int32		(*murmur2) (const char *data, size_t length);
	int32		(*murmur2_partition) (const char *key, size_t length, int32 partitions);

	/*
	 * What a built-in partitioner, by its name, chooses for the topic: also for
	 * null keys, round robin and so on.  ERROR where there is none of that name.
	 */
	int32		(*builtin) (const char *name, Oid topic, PgTopicsBytes key, PgTopicsBytes value);
} PgTopicsApi;

/* Make a partitioner known by its name; ERROR where the name is taken by another. */
static inline void
pg_topics_register_partitioner(PgTopicsPartitioner *partitioner)
{
	PgTopicsPartitioner **first =
		(PgTopicsPartitioner **) find_rendezvous_variable(PG_TOPICS_PARTITIONERS_VARIABLE);

	for (PgTopicsPartitioner *p = *first; p != NULL; p = p->next)
		if (strcmp(p->name, partitioner->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("partitioner \"%s\" is already registered", p->name)));
	partitioner->next = *first;
	*first = partitioner;
}

/* The functions of pg_topics; ERROR where it is not loaded. */
static inline const PgTopicsApi *
pg_topics_api(void)
{
	static const PgTopicsApi *api = NULL;

	if (api != NULL)
		return api;
	api = (const PgTopicsApi *) *find_rendezvous_variable(PG_TOPICS_API_VARIABLE);
	if (api == NULL || api->version < PG_TOPICS_API_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 api == NULL ? errmsg("pg_topics is not loaded") :
				 errmsg("pg_topics is too old: its interface has version %d, needed is %d",
						api->version, PG_TOPICS_API_VERSION),
				 errhint("Add pg_topics to shared_preload_libraries.")));
	return api;
}

#endif							/* PG_TOPICS_H */
