/*
 * topic.h
 *	  A topic's configuration, read from its foreign table and cached.
 *
 * Layer 5.
 */
#ifndef TOPIC_H
#define TOPIC_H

#include "access/attnum.h"
#include "log/partition_log.h"
#include "nodes/parsenodes.h"
#include "topic/serializer.h"

#define TOPIC_FDW_HANDLER	"pgt_fdw_handler"	/* C symbol of its handler */
#define TOPIC_SERVER_NAME	"topics"

/* Room for a qualified name with all its quotes. */
#define TOPIC_NAME_MAX	(4 * NAMEDATALEN + 4)

/* The columns a topic may have. */
typedef enum TopicColumnId
{
	TOPIC_PARTITION,
	TOPIC_RECORD_OFFSET,
	TOPIC_RECORD_TIMESTAMP,
	TOPIC_KEY,
	TOPIC_VALUE,
	TOPIC_HEADERS,
	TOPIC_COLUMN_COUNT
} TopicColumnId;

typedef enum CleanupPolicy
{
	CLEANUP_DELETE = 1,
	CLEANUP_COMPACT = 2			/* a bit each; both may be set */
} CleanupPolicy;

/* The longest name of a partitioner: schema and function, quoted, every character doubled. */
#define PARTITIONER_NAME_MAX	(2 * (2 * (NAMEDATALEN - 1) + 2) + 1)

struct Topic;
struct CustomPartitioner;

/* What a partitioner's name stands for. */
typedef struct PartitionerChoice
{
	LocalTransactionId lxid;	/* it is of that transaction */
	uint64		version;		/* and of this pgt_partitioner_version */
	int32		(*rule) (struct Topic *topic, ByteView key, ByteView value);
	struct CustomPartitioner *custom;	/* where rule is NULL; NULL: to be looked up */
} PartitionerChoice;

/* What a session keeps of a topic's partitioners; see partitioner.c. */
typedef struct PartitionerState
{
	PartitionerChoice own;		/* the topic's option's, or the default */
	PartitionerChoice session;	/* the session's setting's */
	int32		round_robin;	/* the last partition, -1: none yet */
	int32		sticky;			/* the same */
} PartitionerState;

typedef struct Topic
{
	Oid			relid;
	Oid			owner;
	Oid			schema;
	int32		partitions;
	int			cleanup_policy;
	int64		retention_ms;	/* -1: for ever */
	int64		retention_bytes;	/* -1: no limit */
	bool		retention_waits;	/* for the consumer groups, up to: */
	int64		retention_waits_bytes;	/* -1: no limit */
	int64		retention_waits_ms; /* -1: no limit */
	int64		delete_retention_ms;
	int64		min_compaction_lag_ms;
	int64		max_compaction_lag_ms;
	double		min_cleanable_dirty_ratio;
	int32		gzip_level;		/* each on its codec's own scale */
	int32		lz4_level;
	int32		zstd_level;
	char		partitioner_class[PARTITIONER_NAME_MAX + 1];	/* empty: the default */
	char		retry_topic[TOPIC_NAME_MAX];	/* as given, maybe qualified; empty: the default */
	char		dlq_topic[TOPIC_NAME_MAX];
	int32		max_attempts;
	int64		retry_delay_ms;
	LogConfig	log;
	AttrNumber	attnum[TOPIC_COLUMN_COUNT]; /* 0: the column is left out */
	Serializer	key;
	Serializer	value;
	PartitionerState partitioning;
} Topic;

/* Is the relation a topic, that is, a foreign table of our wrapper? */
extern bool pgt_is_topic(Oid relid);

/* Oids of the topics of this database; one may be dropped by the time it is looked at. */
extern List *pgt_topic_list(void);

/* ERROR unless it is one: undefined_table, or wrong_object_type with a hint. */
extern void pgt_topic_require(Oid relid);

/*
 * The topic's configuration; ERROR (wrong_object_type, with a hint) where the
 * relation is none.  Stays good until the transaction's end; reflects options
 * as of the last invalidation received.  No privilege is checked here.
 */
extern Topic *pgt_topic_get(Oid relid);

/* Key of one of its partitions; ERROR (invalid_parameter_value) where it is out of range. */
extern TopicPartition pgt_topic_partition(const Topic *topic, int32 partition);

/* Check columns (ERROR at CREATE and ALTER time) of a topic's relation. */
extern void pgt_topic_check_columns(Oid relid);

/* ERROR unless the current user has the privileges (ACL_SELECT, ACL_INSERT) on it. */
extern void pgt_topic_check_acl(Oid relid, AclMode mode);

/* Who owns a relation; InvalidOid where it is gone. */
extern Oid pgt_topic_owner(Oid relid);

/* ERROR unless the current user owns it. */
extern void pgt_topic_check_owner(Oid relid);

/*
 * Does the current user own it, or may he do anything with it?  False, and no
 * ERROR, where it is gone; so who goes over many topics asks this before he locks
 * one, and again when he has the lock.
 */
extern bool pgt_topic_is_owner(Oid relid);
extern bool pgt_topic_is_visible(Oid relid);

/* ERROR where the running transaction has made the topic or changed its options. */
extern void pgt_topic_check_settled(Oid relid);

extern void pgt_topic_init(void);	/* settings of this file */

#endif							/* TOPIC_H */
