/*
 * partitioner_lookup.h
 *	  What a partitioner's name stands for.
 */
#ifndef PARTITIONER_LOOKUP_H
#define PARTITIONER_LOOKUP_H

#include "include/pg_topics.h"
#include "produce/partition_rules.h"

/* What a name stands for: one of the three, or none and perhaps why. */
typedef struct FoundPartitioner
{
	PartitionRule rule;
	const PgTopicsPartitioner *registered;
	Oid			function;
	bool		in_search_path; /* looked for there, as the name has no schema */
	bool		untrusted;		/* there is one, whose owner must not run code as that role */
	char	   *detail;			/* NULL, or a sentence on a function that will not do */
} FoundPartitioner;

#define PARTITIONER_ARGUMENTS	4

/* The types of a function's arguments: topic, key, value, partitions. */
extern const Oid pgt_partitioner_lookup_arguments[PARTITIONER_ARGUMENTS];

/*
 * Moves on when a name may stand for something else, or another name counts;
 * what was found before is to be looked up again then.
 */
extern uint64 pgt_partitioner_lookup_version;

/* The session's setting; empty: each topic's option counts. */
extern const char *pgt_partitioner_lookup_setting(void);

/*
 * Look a name up as that role, for whom a function is to run; one without a schema
 * in "schema", or where that is InvalidOid in search_path.  False where there is no
 * such partitioner, or a function that the role must not run.  ERROR where it may
 * not use the schema.
 */
extern bool pgt_partitioner_lookup(const char *name, Oid schema, Oid role, FoundPartitioner *found);

/* What to say to who named a partitioner that is not there. */
extern char *pgt_partitioner_lookup_hint(void);

/*
 * ERROR (invalid_parameter_value) where the topic's option names no partitioner; a
 * restore, which runs with check_function_bodies off, may name one that comes later.
 */
extern void pgt_partitioner_lookup_check(const Topic *topic);

/* Define the setting, offer the interface for C; called once per process. */
extern void pgt_partitioner_lookup_init(void);

#endif							/* PARTITIONER_LOOKUP_H */
