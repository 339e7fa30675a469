/*
 * partitioner_lookup.h
 *	  Looking up the partitioner that a name stands for.
 */
#ifndef PARTITIONER_LOOKUP_H
#define PARTITIONER_LOOKUP_H

#include "include/pg_topics.h"
#include "produce/partition_rules.h"

/* The result of a look-up: one of the first three, or none of them and perhaps the reason. */
typedef struct PartitionerLookup
{
	PartitionRule rule;
	const PgTopicsPartitioner *registered;
	Oid			function;
	bool		in_search_path; /* a function was looked for in search_path, as the name has no schema */
	bool		untrusted;		/* the function's owner must not run code as the role */
	char	   *detail;			/* NULL, or a sentence that says why a function cannot be used */
} PartitionerLookup;

#define PARTITIONER_ARGUMENTS	4

/* The types of a partitioning function's arguments: topic, key, value, partitions. */
extern const Oid pgt_partitioner_lookup_arguments[PARTITIONER_ARGUMENTS];

/*
 * Increases when a name may stand for another partitioner, or when the setting names
 * another one; callers then look their partitioner up again.
 */
extern uint64 pgt_partitioner_lookup_version;

/* The session's setting pg_topics.partitioner; where it is empty, each topic's option counts. */
extern const char *pgt_partitioner_lookup_setting(void);

/*
 * Look a partitioner's name up.  "role" is the role that would run a function, with its
 * privileges on schemas; a name without a schema is looked up in "schema", or in
 * search_path where that is InvalidOid.  False where no such partitioner exists, or where
 * it is a function that the role must not run.  ERROR where the role may not use the schema.
 */
extern bool pgt_partitioner_lookup(const char *name, Oid schema, Oid role, PartitionerLookup *found);

/* A hint for errors about a missing partitioner: which ones there are; palloc'd. */
extern char *pgt_partitioner_lookup_hint(void);

/*
 * ERROR (invalid_parameter_value) where the partitioner in the topic's option does not
 * exist.  With check_function_bodies off nothing is checked: a dump may restore the topic
 * before its partitioner.
 */
extern void pgt_partitioner_lookup_check(const Topic *topic);

/* Define the setting, and publish the interface of pg_topics.h; called once per process. */
extern void pgt_partitioner_lookup_init(void);

#endif							/* PARTITIONER_LOOKUP_H */
