/*
 * topic_configs.c
 *	  The options of a topic as Kafka's clients see and set them.
 *
 * Options have Kafka's names (topic_options.c).  What is added here: the settings that give an option's
 * default, under the names that they have as a broker's configuration in Kafka, and a sentence that says what the
 * option is for.
 */
#include "postgres.h"

#include "broker/configs/broker_configs.h"
#include "broker/configs/topic_configs.h"
#include "utils/builtins.h"

#define SYNONYMS_MAX	3

typedef struct OptionText
{
	const char *name;
	const char *documentation;
	const char *synonyms[SYNONYMS_MAX + 1]; /* broker's configurations, in the order in which they count */
} OptionText;

/* In alphabetical order. */
static const OptionText option_texts[] = {
	{"batch.merge", "Small batches of finished segments become full ones."},
	{"batch.merge.lag.ms", "Batches of segments with younger records are not merged."},
	{"cleanup.policy", "Old segments are deleted, or compacted to the last record of each key, or both.", {"log.cleanup.policy"}},
	{"compression.gzip.level", "How much effort gzip takes.", {"compression.gzip.level"}},
	{"compression.lz4.level", "How much effort lz4 takes.", {"compression.lz4.level"}},
	{"compression.type", "The codec of batches; with producer they stay as producers send them.", {"compression.type"}},
	{"compression.zstd.level", "How much effort zstd takes.", {"compression.zstd.level"}},
	{"delete.retention.ms", "How long a tombstone stays in a compacted topic.", {"log.cleaner.delete.retention.ms"}},
	{"dlq.topic", "The topic that nack() sends records to that have failed too often."},
	{"errors.deadletterqueue.group.enable", "It has no effect: dlq.topic says where rejected records go."},
	{"file.delete.delay.ms", "It has no effect: files of deleted segments go at once.", {"log.segment.delete.delay.ms"}},
	{"flush.messages", "It has no effect: every record is flushed before it is acknowledged.", {"log.flush.interval.messages"}},
	{"flush.ms", "It has no effect: every record is flushed before it is acknowledged."},
	{"follower.replication.throttled.replicas", "It has no effect: standbys of the server stream the records."},
	{"index.interval.bytes", "It has no effect: each batch has its index entry.", {"log.index.interval.bytes"}},
	{"key.index", "Maintenance keeps an index of keys."},
	{"leader.replication.throttled.replicas", "It has no effect: standbys of the server stream the records."},
	{"local.retention.bytes", "It has no effect: records are kept in the server's data directory only."},
	{"local.retention.ms", "It has no effect: records are kept in the server's data directory only."},
	{"max.attempts", "A record that has failed so often goes to dlq.topic."},
	{"max.compaction.lag.ms", "Older records are compacted, whatever min.cleanable.dirty.ratio says.", {"log.cleaner.max.compaction.lag.ms"}},
	{"max.message.bytes", "The largest batch.", {"message.max.bytes"}},
	{"message.timestamp.after.max.ms", "How far a producer's timestamp may be ahead of the server's clock.", {"log.message.timestamp.after.max.ms"}},
	{"message.timestamp.before.max.ms", "How far a producer's timestamp may be behind the server's clock.", {"log.message.timestamp.before.max.ms"}},
	{"message.timestamp.type", "Timestamps are the producer's, or those of the append.", {"log.message.timestamp.type"}},
	{"min.cleanable.dirty.ratio", "A partition is compacted when a larger part of it is not compacted yet.", {"log.cleaner.min.cleanable.ratio"}},
	{"min.compaction.lag.ms", "Younger records are not compacted.", {"log.cleaner.min.compaction.lag.ms"}},
	{"min.insync.replicas", "How many servers must be in sync for acks=all.", {"min.insync.replicas"}},
	{"partitioner.class", "How SQL places a record that names no partition."},
	{"partitioner.enforce", "Each record with a key is in the partition where partitioner.class places it."},
	{"preallocate", "It has no effect: files grow with their records.", {"log.preallocate"}},
	{"remote.log.copy.disable", "It has no effect: records are kept in the server's data directory only."},
	{"remote.log.delete.on.disable", "It has no effect: records are kept in the server's data directory only."},
	{"remote.storage.enable", "It has no effect: records are kept in the server's data directory only."},
	{"retention.bytes", "The oldest segments go as long as so much of a partition stays.", {"log.retention.bytes"}},
	{"retention.consumers", "With wait, segments stay until consumer groups have read them."},
	{"retention.consumers.groups", "The consumer groups that retention waits for."},
	{"retention.consumers.max.bytes", "How much of a partition stays for consumer groups at most."},
	{"retention.consumers.max.ms", "How long records stay for consumer groups at most."},
	{"retention.ms", "How long records are kept.", {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}},
	{"retry.delay.ms", "How long a record of retry.topic is held back."},
	{"retry.topic", "The topic that nack() sends records to."},
	{"segment.bytes", "The size at which a segment is rolled.", {"log.segment.bytes"}},
	{"segment.index.bytes", "It has no effect: a segment's index is as large as its batches are many.", {"log.index.size.max.bytes"}},
	{"segment.jitter.ms", "It has no effect: segments are rolled when they are due."},
	{"segment.ms", "The age at which a segment is rolled.", {"log.roll.ms", "log.roll.hours"}},
	{"unclean.leader.election.enable", "It has no effect: which standby is promoted is decided outside of the server.", {"unclean.leader.election.enable"}},
};

bool
pgt_topic_configs_is_hidden(const char *name)
{
	return strcmp(name, "partitions") == 0 || strcmp(name, "kafka.topic") == 0;
}

static const OptionText *
find_text(const char *name)
{
	static const OptionText none = {"", ""};

	for (int i = 0; i < lengthof(option_texts); i++)
	{
		if (strcmp(option_texts[i].name, name) == 0)
			return &option_texts[i];
	}
	return &none;
}

/* A value in the one way in which Kafka writes values of its type. */
static const char *
kafka_text(const TopicOptionValue *option)
{
	bool		is_on;

	if (option->type != TOPIC_OPTION_BOOLEAN || !parse_bool(option->text, &is_on))
		return option->text;
	return is_on ? "true" : "false";
}

/* An option with all that clients may want to know of it; "defaults" as topics without options have them. */
static ConfigEntry *
make_entry(const TopicOptionValue *option, List *defaults)
{
	const OptionText *text = find_text(option->name);
	ConfigEntry *entry = palloc0(sizeof(ConfigEntry));

	entry->name = option->name;
	entry->value = kafka_text(option);
	entry->type = option->type;
	entry->documentation = text->documentation;
	entry->synonyms = pgt_broker_configs_synonyms(text->synonyms, defaults);
	if (option->is_set)
	{
		ConfigSynonym *own = palloc(sizeof(ConfigSynonym));

		*own = (ConfigSynonym) {entry->name, entry->value, CONFIG_SOURCE_TOPIC};
		entry->synonyms = lcons(own, entry->synonyms);
	}
	entry->source = entry->synonyms == NIL ? CONFIG_SOURCE_DEFAULT : ((ConfigSynonym *) linitial(entry->synonyms))->source;
	return entry;
}

List *
pgt_topic_configs_list(List *options)
{
	List	   *values = pgt_topic_options_list(options);
	List	   *defaults = pgt_topic_options_list(NIL);
	List	   *entries = NIL;
	ListCell   *cell;

	foreach(cell, values)
	{
		TopicOptionValue *option = lfirst(cell);

		if (!pgt_topic_configs_is_hidden(option->name))
			entries = lappend(entries, make_entry(option, defaults));
	}
	return entries;
}
