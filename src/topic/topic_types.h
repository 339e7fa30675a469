/*
 * topic_types.h
 *	  struct Topic: the configuration of a topic, as topic.c reads it from the
 *	  catalogs.  topic_options.c fills the fields that options set.
 */
#ifndef TOPIC_TYPES_H
#define TOPIC_TYPES_H

#include "access/attnum.h"
#include "kafka/kafka_name.h"
#include "log/partition_log.h"
#include "nodes/pg_list.h"
#include "topic/serializer.h"

/* The most partitions that a topic can have. */
#define TOPIC_PARTITIONS_MAX	65536

/* The longest name of a consumer group, in bytes. */
#define MAX_GROUP_ID_LENGTH	255

/* compression.type is "producer" or not set: the server chooses, by a batch's size */
#define TOPIC_COMPRESSION_BY_SIZE	(-1)

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

typedef enum TopicCleanupPolicy
{
	CLEANUP_DELETE = 1,
	CLEANUP_COMPACT = 2			/* a bit each; both may be set */
} TopicCleanupPolicy;

/* The longest name of a partitioner: schema and function, quoted, every character doubled. */
#define PARTITIONER_NAME_MAX	(2 * (2 * (NAMEDATALEN - 1) + 2) + 1)

struct Topic;
struct PartitionerCall;

/* What a partitioner's name stands for. */
typedef struct TopicPartitioner
{
	LocalTransactionId lxid;	/* the transaction in which it was looked up */
	uint64		version;		/* pgt_partitioner_lookup_version at that time */
	int32		(*rule) (struct Topic *topic, ByteView key, ByteView value);
	struct PartitionerCall *custom;		/* where rule is NULL; NULL: not looked up yet */
} TopicPartitioner;

/* The state that a session keeps for a topic's partitioners; see partitioner.c. */
typedef struct TopicPartitioning
{
	TopicPartitioner own;		/* for the name in the topic's option, or the default */
	TopicPartitioner session;	/* for the name in the session's setting */
	int32		round_robin;	/* the last partition that round robin chose; -1: none yet */
	int32		sticky;			/* the last partition that sticky chose; -1: none yet */
} TopicPartitioning;

typedef struct Topic
{
	Oid			relid;
	uint64		version;		/* of no other configuration that this process has read */
	Oid			owner;
	Oid			schema;
	int32		partitions;
	int			cleanup_policy;
	int64		retention_ms;	/* -1: for ever */
	int64		retention_bytes;	/* -1: no limit */
	bool		retention_waits;	/* for the consumer groups, up to these limits: */
	List	   *retention_groups;	/* of names: for these only; NIL: for all that have committed */
	int64		retention_waits_bytes;	/* -1: no limit */
	int64		retention_waits_ms; /* -1: no limit */
	int64		delete_retention_ms;
	int64		min_compaction_lag_ms;
	int64		max_compaction_lag_ms;
	double		min_cleanable_dirty_ratio;
	bool		batch_merge;	/* small batches of finished segments become full ones */
	int64		batch_merge_lag_ms;
	int			compression_type;	/* CompressionType, or TOPIC_COMPRESSION_BY_SIZE */
	int32		gzip_level;		/* each on its codec's own scale */
	int32		lz4_level;
	int32		zstd_level;
	char		partitioner_class[PARTITIONER_NAME_MAX + 1];	/* empty: the default */
	bool		partitioner_enforce;	/* as in the option; log.placement says what follows */
	bool		key_index;		/* maintenance keeps an index of keys */
	char		retry_topic[TOPIC_NAME_MAX];	/* as given, maybe qualified; empty: the default */
	char		dlq_topic[TOPIC_NAME_MAX];
	char		kafka_topic[KAFKA_NAME_MAX_TOPIC + 1];	/* for Kafka's clients; empty: the table's name */
	int32		max_attempts;
	int64		retry_delay_ms;
	LogConfig	log;
	AttrNumber	attnum[TOPIC_COLUMN_COUNT]; /* 0: the column is left out */
	Serializer	key;
	Serializer	value;
	TopicPartitioning partitioning;
} Topic;

#endif							/* TOPIC_TYPES_H */
