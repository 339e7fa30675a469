/*
 * pg_topics.h
 *	  The interface for extensions in C that have partitioners of their own.
 *
 * This is the only header of pg_topics that is installed.  It needs postgres.h before
 * it, and none of the other headers:
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
 * Such a library is loaded by shared_preload_libraries (before or after pg_topics),
 * session_preload_libraries or LOAD.  In each session that has loaded it, the topic
 * option partitioner.class and the setting pg_topics.partitioner accept the
 * partitioner's name.  A session that has not loaded it can produce to such a topic
 * only if it names the partition.
 *
 * The two libraries find each other through rendezvous variables; neither links against
 * the other.
 */
#ifndef PG_TOPICS_H
#define PG_TOPICS_H

#include "fmgr.h"

/*
 * The version of this header.  It grows when members are added at the end of a struct.  A
 * partitioner that was made for a newer version than that of pg_topics is refused when
 * it is used.
 */
#define PG_TOPICS_API_VERSION	1

#define PG_TOPICS_PARTITIONERS_VARIABLE "pg_topics_partitioners"
#define PG_TOPICS_API_VARIABLE			"pg_topics_api"

/* A key or value as the log stores it; null has length -1. */
typedef struct PgTopicsBytes
{
	const char *data;
	int32		length;
} PgTopicsBytes;

/*
 * Choose a partition: a number from 0 to partitions - 1.  Any other number is an ERROR for
 * the producer.  A key should always get the same partition.  Called in a transaction, in
 * a memory context that is reset soon; may ereport(ERROR).
 */
typedef int32 (*PgTopicsChoose) (Oid topic, PgTopicsBytes key, PgTopicsBytes value,
								 int32 partitions);

/* A partitioner that an extension registers.  It must stay in memory as long as the process lives. */
typedef struct PgTopicsPartitioner
{
	int			version;		/* PG_TOPICS_API_VERSION of the extension */
	const char *name;			/* compared byte by byte; a built-in one of that name wins */
	PgTopicsChoose choose;
	struct PgTopicsPartitioner *next;	/* in the list of all; set when it is registered */
} PgTopicsPartitioner;

#define PG_TOPICS_PARTITIONER(name, choose) {PG_TOPICS_API_VERSION, name, choose, NULL}

/* The functions that pg_topics offers to partitioners. */
typedef struct PgTopicsApi
{
	int			version;		/* PG_TOPICS_API_VERSION of pg_topics */

	/* the hash of Kafka's default partitioner, and the partition it gives a key */
	int32		(*murmur2) (const char *data, size_t length);
	int32		(*murmur2_partition) (const char *key, size_t length, int32 partitions);

	/*
	 * The partition that the built-in partitioner of that name chooses for the topic, for
	 * null keys, too.  ERROR if there is no such partitioner.
	 */
	int32		(*builtin) (const char *name, Oid topic, PgTopicsBytes key, PgTopicsBytes value);
} PgTopicsApi;

/* Register a partitioner.  ERROR if another one has registered its name. */
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

/* The functions of pg_topics.  ERROR if it is not loaded, or too old. */
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
				 errmsg("interface version %d of pg_topics is too old: this library needs version %d",
						api->version, PG_TOPICS_API_VERSION),
				 api == NULL ? errhint("Add pg_topics to shared_preload_libraries.") :
				 errhint("Update pg_topics.")));
	return api;
}

#endif							/* PG_TOPICS_H */
