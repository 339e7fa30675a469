/*
 * topic_options.c
 *	  The options of a topic.
 *
 * A topic's configuration is the OPTIONS of its foreign table, under Kafka's
 * names.  One table, topic_options[], says for each option what its values are
 * and which field of Topic it sets.  The validator (CREATE and ALTER FOREIGN
 * TABLE), the cache of topics and the view pg_topics all work from it, so a
 * new option is one line here and one field in topic_types.h.
 *
 * The default of an option is that of a setting (topic_settings.c, Kafka's broker
 * configuration) where there is one, else it stands in the table if the option is
 * an integer, else in pgt_topic_options_defaults().
 *
 * Some of Kafka's options have no effect here, and are kept all the same, since
 * scripts and tools set them.  Of these, some promise no more than is true of each
 * topic (flush.messages: what is acknowledged is flushed) or only tell Kafka how to
 * do its work (preallocate): they take any value that Kafka takes.  Others would
 * promise what is not so (unclean.leader.election.enable): they take the one value that is true.
 *
 * No locks, no files, no WAL.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>

#include "access/reloptions.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/varlena.h"

#include "format/compression.h"
#include "format/record_batch.h"
#include "topic/topic_options.h"
#include "topic/topic_settings.h"
#include "util/compat.h"
#include "util/sql_version.h"

/* Unknown names longer than this are not compared with the valid ones. */
#define OPTION_NAME_MAX	64

/* An unknown name is answered with the closest valid one, up to this Levenshtein distance. */
#define OPTION_NAME_MAX_DISTANCE	4

#define CLEANUP_POLICIES	"delete, compact, and both with a comma between"

typedef struct TopicOption TopicOption;

/* Check a value and store it in *field; ERROR where the option does not take it. */
typedef void (*OptionParser) (const TopicOption *option, const char *value, void *field);

struct TopicOption
{
	const char *name;
	OptionParser parse;
	bool		is_number;		/* in jsonb: a number, else a string */
	size_t		offset;			/* of the field in Topic */
	int64		min;			/* of integers */
	int64		max;
	int64		initial;		/* default of integers that no setting gives */
	TopicOptionType type;		/* of options without effect; of others parse says it */
	const char *text;			/* likewise: the default */
	const char *why;			/* that is the only value */
};

static void parse_int32(const TopicOption *option, const char *value, void *field);
static void parse_int64(const TopicOption *option, const char *value, void *field);
static void parse_ratio(const TopicOption *option, const char *value, void *field);
static void parse_unused(const TopicOption *option, const char *value, void *field);
static void parse_unused_switch(const TopicOption *option, const char *value, void *field);
static void parse_fixed(const TopicOption *option, const char *value, void *field);
static void parse_cleanup_policy(const TopicOption *option, const char *value, void *field);
static void parse_gzip_level(const TopicOption *option, const char *value, void *field);
static void parse_compression(const TopicOption *option, const char *value, void *field);
static void parse_timestamp_type(const TopicOption *option, const char *value, void *field);
static void parse_switch(const TopicOption *option, const char *value, void *field);
static void parse_partitioner(const TopicOption *option, const char *value, void *field);
static void parse_consumers(const TopicOption *option, const char *value, void *field);
static void parse_groups(const TopicOption *option, const char *value, void *field);
static void parse_kafka_topic(const TopicOption *option, const char *value, void *field);
static void parse_topic_name(const TopicOption *option, const char *value, void *field);

#define FIELD(name) offsetof(Topic, name)
#define NUMBER(name, parser, field, min, max, initial) \
	{name, parser, true, FIELD(field), min, max, initial}
#define RATIO(name, field) \
	{name, parse_ratio, true, FIELD(field), 0, 0, 0}
#define UNUSED_NUMBER(name, type, min, max, text) \
	{name, parse_unused, true, 0, min, max, 0, type, text, NULL}
#define UNUSED_SWITCH(name, text) \
	{name, parse_unused_switch, false, 0, 0, 0, 0, TOPIC_OPTION_BOOLEAN, text, NULL}
#define FIXED(name, type, text, why) \
	{name, parse_fixed, (type) == TOPIC_OPTION_LONG, 0, 0, 0, 0, type, text, why}
#define WORD(name, parser, field) \
	{name, parser, false, FIELD(field), 0, 0, 0}

/* Why options about other storage and other servers have one value. */
#define WHY_LOCAL		"Records are kept in the server's data directory only."
#define WHY_STREAMING	"Streaming replication sends the records to standbys."

/* In alphabetical order: hints list them as they stand here. */
static const TopicOption topic_options[] = {
	WORD("batch.merge", parse_switch, batch_merge),
	NUMBER("batch.merge.lag.ms", parse_int64, batch_merge_lag_ms, 0, PG_INT64_MAX, 300000),
	WORD("cleanup.policy", parse_cleanup_policy, cleanup_policy),
	NUMBER("compression.gzip.level", parse_gzip_level, gzip_level, -1, 9, -1),
	NUMBER("compression.lz4.level", parse_int32, lz4_level, 1, 17, 1),
	WORD("compression.type", parse_compression, compression_type),
	NUMBER("compression.zstd.level", parse_int32, zstd_level, -131072, 22, 3),
	NUMBER("delete.retention.ms", parse_int64, delete_retention_ms, 0, PG_INT64_MAX, 86400000),
	WORD("dlq.topic", parse_topic_name, dlq_topic),
	FIXED("errors.deadletterqueue.group.enable", TOPIC_OPTION_BOOLEAN, "false",
		  "Records that consumers reject go where the options retry.topic and dlq.topic say."),
	/* files of segments that have been deleted go at once */
	UNUSED_NUMBER("file.delete.delay.ms", TOPIC_OPTION_LONG, 0, PG_INT64_MAX, "0"),
	/* whatever is acknowledged is flushed */
	UNUSED_NUMBER("flush.messages", TOPIC_OPTION_LONG, 1, PG_INT64_MAX, "1"),
	UNUSED_NUMBER("flush.ms", TOPIC_OPTION_LONG, 0, PG_INT64_MAX, "0"),
	FIXED("follower.replication.throttled.replicas", TOPIC_OPTION_LIST, "", WHY_STREAMING),
	/* every batch has an index entry here, so there is no interval */
	UNUSED_NUMBER("index.interval.bytes", TOPIC_OPTION_INT, 0, PG_INT32_MAX, "4096"),
	WORD("kafka.topic", parse_kafka_topic, kafka_topic),
	WORD("key.index", parse_switch, key_index),
	FIXED("leader.replication.throttled.replicas", TOPIC_OPTION_LIST, "", WHY_STREAMING),
	FIXED("local.retention.bytes", TOPIC_OPTION_LONG, "-2", WHY_LOCAL),
	FIXED("local.retention.ms", TOPIC_OPTION_LONG, "-2", WHY_LOCAL),
	NUMBER("max.attempts", parse_int32, max_attempts, 1, PG_INT32_MAX, 3),
	NUMBER("max.compaction.lag.ms", parse_int64, max_compaction_lag_ms, 1, PG_INT64_MAX, PG_INT64_MAX),
	NUMBER("max.message.bytes", parse_int32, log.max_message_bytes, 1, RECORD_BATCH_MAX_SIZE, 1048588),
	NUMBER("message.timestamp.after.max.ms", parse_int64, log.timestamp_after_max_ms, 0, PG_INT64_MAX, 0),
	NUMBER("message.timestamp.before.max.ms", parse_int64, log.timestamp_before_max_ms, 0, PG_INT64_MAX, 0),
	WORD("message.timestamp.type", parse_timestamp_type, log.log_append_time),
	RATIO("min.cleanable.dirty.ratio", min_cleanable_dirty_ratio),
	NUMBER("min.compaction.lag.ms", parse_int64, min_compaction_lag_ms, 0, PG_INT64_MAX, 0),
	NUMBER("min.insync.replicas", parse_int32, log.min_insync_replicas, 1, PG_INT32_MAX, 1),
	WORD("partitioner.class", parse_partitioner, partitioner_class),
	WORD("partitioner.enforce", parse_switch, partitioner_enforce),
	NUMBER("partitions", parse_int32, partitions, 1, TOPIC_PARTITIONS_MAX, 1),
	UNUSED_SWITCH("preallocate", "false"),
	FIXED("remote.log.copy.disable", TOPIC_OPTION_BOOLEAN, "false", WHY_LOCAL),
	FIXED("remote.log.delete.on.disable", TOPIC_OPTION_BOOLEAN, "false", WHY_LOCAL),
	FIXED("remote.storage.enable", TOPIC_OPTION_BOOLEAN, "false", WHY_LOCAL),
	NUMBER("retention.bytes", parse_int64, retention_bytes, -1, PG_INT64_MAX, -1),
	WORD("retention.consumers", parse_consumers, retention_waits),
	WORD("retention.consumers.groups", parse_groups, retention_groups),
	NUMBER("retention.consumers.max.bytes", parse_int64, retention_waits_bytes, -1, PG_INT64_MAX, -1),
	NUMBER("retention.consumers.max.ms", parse_int64, retention_waits_ms, -1, PG_INT64_MAX, -1),
	NUMBER("retention.ms", parse_int64, retention_ms, -1, PG_INT64_MAX, -1),
	NUMBER("retry.delay.ms", parse_int64, retry_delay_ms, 0, MAX_RETRY_DELAY_MS, 0),
	WORD("retry.topic", parse_topic_name, retry_topic),
	NUMBER("segment.bytes", parse_int64, log.segment_bytes, 1024, SEGMENT_MAX_BYTES, 0),
	/* a segment's index is as large as its batches are many */
	UNUSED_NUMBER("segment.index.bytes", TOPIC_OPTION_INT, 4, PG_INT32_MAX, "10485760"),
	UNUSED_NUMBER("segment.jitter.ms", TOPIC_OPTION_LONG, 0, PG_INT64_MAX, "0"),
	NUMBER("segment.ms", parse_int64, log.segment_ms, 1, PG_INT64_MAX, 0),
	FIXED("unclean.leader.election.enable", TOPIC_OPTION_BOOLEAN, "false",
		  "Which standby is promoted is decided outside of the server."),
};

PGT_FUNCTION_INFO(pgt_fdw_validator);

/* ---- values ------------------------------------------------------------- */

/* Report a value that an option does not take; "valid" lists the values it does take. */
static void
invalid_value(const TopicOption *option, const char *value, const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", option->name, value),
			 errhint("Valid values are: %s.", valid)));
}

/* Read a decimal integer; false where the text is not one or is outside the option's range. */
static bool
read_number(const TopicOption *option, const char *value, int64 *number)
{
	char	   *end;

	errno = 0;
	*number = strtoll(value, &end, 10);
	return *value != '\0' && !isspace((unsigned char) *value) && *end == '\0' && errno == 0 &&
		*number >= option->min && *number <= option->max;
}

/* The unit of a number, as Kafka's name for the option ends with it. */
static const char *
unit_hint(const char *name)
{
	size_t		length = strlen(name);

	if (length > 3 && strcmp(name + length - 3, ".ms") == 0)
		return ", in milliseconds; a day has 86400000";
	if (length > 6 && strcmp(name + length - 6, ".bytes") == 0)
		return ", in bytes";
	return "";
}

/* Read a decimal integer; ERROR where the text is not one or is outside the option's range. */
static int64
parse_number(const TopicOption *option, const char *value)
{
	int64		number;

	if (!read_number(option, value, &number))
		invalid_value(option, value,
					  psprintf("integers from " INT64_FORMAT " to " INT64_FORMAT "%s",
							   option->min, option->max, unit_hint(option->name)));
	return number;
}

/* The parser of int32 fields. */
static void
parse_int32(const TopicOption *option, const char *value, void *field)
{
	*(int32 *) field = (int32) parse_number(option, value);
}

/* The parser of int64 fields. */
static void
parse_int64(const TopicOption *option, const char *value, void *field)
{
	*(int64 *) field = parse_number(option, value);
}

/* The parser of options that are accepted because Kafka has them, and have no effect here. */
static void
parse_unused(const TopicOption *option, const char *value, void *field)
{
	(void) parse_number(option, value);
}

/* The same for those that are on or off. */
static void
parse_unused_switch(const TopicOption *option, const char *value, void *field)
{
	bool		ignored;

	if (!parse_bool(value, &ignored))
		invalid_value(option, value, "on and off");
}

/* The same for those of which one value is true here. */
static void
parse_fixed(const TopicOption *option, const char *value, void *field)
{
	bool		given;
	bool		wanted;

	if (strcmp(value, option->text) == 0)
		return;
	if (option->type == TOPIC_OPTION_BOOLEAN && parse_bool(option->text, &wanted) &&
		parse_bool(value, &given) && given == wanted)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", option->name, value),
			 errdetail("The only value is \"%s\".", option->text),
			 errhint("%s", option->why)));
}

/* Has the option an effect? */
static bool
has_effect(const TopicOption *option)
{
	return option->text == NULL;
}

/* A fraction from 0 to 1. */
static void
parse_ratio(const TopicOption *option, const char *value, void *field)
{
	char	   *end;
	double		ratio;

	errno = 0;
	ratio = strtod(value, &end);
	if (*value == '\0' || isspace((unsigned char) *value) || *end != '\0' || errno != 0 ||
		!(ratio >= 0 && ratio <= 1))
		invalid_value(option, value, "numbers from 0 to 1");
	*(double *) field = ratio;
}

/* A list of "delete" and "compact", as Kafka has it. */
static void
parse_cleanup_policy(const TopicOption *option, const char *value, void *field)
{
	List	   *words;
	ListCell   *cell;
	int			policy = 0;

	if (!SplitIdentifierString(pstrdup(value), ',', &words) || words == NIL)
		invalid_value(option, value, CLEANUP_POLICIES);

	foreach(cell, words)
	{
		const char *word = lfirst(cell);

		if (strcmp(word, "delete") == 0)
			policy |= CLEANUP_DELETE;
		else if (strcmp(word, "compact") == 0)
			policy |= CLEANUP_COMPACT;
		else
			invalid_value(option, value, CLEANUP_POLICIES);
	}
	*(int *) field = policy;
}

/* zlib's levels: -1 stands for zlib's default; 0 (no compression) is not valid in Kafka either. */
static void
parse_gzip_level(const TopicOption *option, const char *value, void *field)
{
	int64		level;

	if (!read_number(option, value, &level) || level == 0)
		invalid_value(option, value, "-1 and integers from 1 to 9");
	*(int32 *) field = (int32) level;
}

/* The names of all codecs. */
static char *
codec_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int type = 0; type < COMPRESSION_TYPE_COUNT; type++)
		appendStringInfo(&names, "%s%s", type > 0 ? ", " : "", pgt_compression_name(type));
	return names.data;
}

/*
 * A codec's name, of which Kafka has two for "none", or "producer": in Kafka the codec that
 * the producer has chosen, and its default.  Here the producer is this server.
 */
static void
parse_compression(const TopicOption *option, const char *value, void *field)
{
	bool		by_size = strcmp(value, "producer") == 0;
	int			type = by_size ? TOPIC_COMPRESSION_BY_SIZE : pgt_compression_by_name(value);

	if (type < 0 && !by_size)
		invalid_value(option, value, psprintf("producer, uncompressed, %s", codec_names()));
	*(int *) field = type;
}

/* Kafka's names of the two timestamp types; the field is true for LogAppendTime. */
static void
parse_timestamp_type(const TopicOption *option, const char *value, void *field)
{
	if (strcmp(value, "CreateTime") == 0)
		*(bool *) field = false;
	else if (strcmp(value, "LogAppendTime") == 0)
		*(bool *) field = true;
	else
		invalid_value(option, value, "CreateTime and LogAppendTime");
}

/* On or off, in any of the words that SQL takes for a boolean. */
static void
parse_switch(const TopicOption *option, const char *value, void *field)
{
	if (!parse_bool(value, (bool *) field))
		invalid_value(option, value, "on and off");
}

/* Does retention wait for consumer groups? */
static void
parse_consumers(const TopicOption *option, const char *value, void *field)
{
	if (strcmp(value, "none") == 0)
		*(bool *) field = false;
	else if (strcmp(value, "wait") == 0)
		*(bool *) field = true;
	else
		invalid_value(option, value, "none and wait");
}

/* Is the group in the list of names? */
static bool
names_group(const List *names, const char *group)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), group) == 0)
			return true;
	}
	return false;
}

bool
pgt_topic_options_waits_for(const Topic *topic, const char *group)
{
	return topic->retention_waits &&
		(topic->retention_groups == NIL || names_group(topic->retention_groups, group));
}

/* Names of consumer groups with commas between, in double quotes where they have blanks or commas. */
static void
parse_groups(const TopicOption *option, const char *value, void *field)
{
	List	   *names;
	List	   *groups = NIL;
	ListCell   *cell;

	if (!SplitGUCList(pstrdup(value), ',', &names))
		invalid_value(option, value, "names of consumer groups with a comma between, in double quotes if need be");
	foreach(cell, names)
	{
		size_t		length = strlen(lfirst(cell));

		if (length == 0 || length > MAX_GROUP_ID_LENGTH)
			invalid_value(option, value, psprintf("names of 1 to %d bytes", MAX_GROUP_ID_LENGTH));
		if (!names_group(groups, lfirst(cell)))
			groups = lappend(groups, lfirst(cell));
	}
	*(List **) field = groups;
}

/*
 * A partitioner's name.  Whether the partitioner exists is not checked here but when
 * the option is set (topic_ddl.c) and when a record is produced: a topic whose
 * partitioner was dropped can still be read.
 */
static void
parse_partitioner(const TopicOption *option, const char *value, void *field)
{
	if (*value == '\0' || strlen(value) > PARTITIONER_NAME_MAX)
		invalid_value(option, value, psprintf("names of partitioners, up to %d bytes",
											  PARTITIONER_NAME_MAX));
	strlcpy(field, value, PARTITIONER_NAME_MAX + 1);
}

/* A name by Kafka's rules; topic_ddl.c checks that no other topic of the schema has it. */
static void
parse_kafka_topic(const TopicOption *option, const char *value, void *field)
{
	KafkaString name = {.data = value, .length = (int32) strlen(value)};

	if (pgt_kafka_name_topic_problem(name) != NULL)
		invalid_value(option, value,
					  psprintf("1 to %d ASCII letters, digits, \".\", \"_\" and \"-\", but not \".\" and \"..\" alone",
							   KAFKA_NAME_MAX_TOPIC));
	strlcpy(field, value, KAFKA_NAME_MAX_TOPIC + 1);
}

/* A topic's name, with or without its schema; nack() checks whether the topic exists. */
static void
parse_topic_name(const TopicOption *option, const char *value, void *field)
{
	List	   *names;

	if (strlen(value) >= TOPIC_NAME_MAX || !SplitIdentifierString(pstrdup(value), '.', &names) ||
		names == NIL || list_length(names) > 2)
		invalid_value(option, value, "names as in SQL, with or without a schema");
	strlcpy(field, value, TOPIC_NAME_MAX);
}

/* ---- names -------------------------------------------------------------- */

/* The option of that name, or NULL. */
static const TopicOption *
find_option(const char *name)
{
	for (int i = 0; i < lengthof(topic_options); i++)
	{
		if (strcmp(topic_options[i].name, name) == 0)
			return &topic_options[i];
	}
	return NULL;
}

/* The valid option name closest to an unknown one, or NULL where none is close. */
static const char *
closest_name(const char *name)
{
	const char *closest = NULL;
	int			smallest = OPTION_NAME_MAX_DISTANCE + 1;

	if (strlen(name) > OPTION_NAME_MAX)
		return NULL;
	for (int i = 0; i < lengthof(topic_options); i++)
	{
		const char *candidate = topic_options[i].name;
		int			distance;

		distance = varstr_levenshtein_less_equal(name, strlen(name),
												 candidate, strlen(candidate),
												 1, 1, 1, smallest, true);
		if (distance < smallest && distance <= strlen(name) / 2)
		{
			smallest = distance;
			closest = candidate;
		}
	}
	return closest;
}

/* Why a topic has no such option as Kafka's topics have; NULL for other names. */
static const char *
why_missing(const char *name)
{
	static const struct
	{
		const char *prefix;
		const char *why;
	}			missing[] = {
		{"message.downconversion.enable", "Record batches have one format."},
		{"message.format.version", "Record batches have one format."},
		{"message.timestamp.difference.max.ms", "Use message.timestamp.before.max.ms and message.timestamp.after.max.ms."},
		{"remote.", WHY_LOCAL},
		{"replication.factor", "Every standby of the server has all topics."},
	};

	for (int i = 0; i < lengthof(missing); i++)
	{
		if (strncmp(name, missing[i].prefix, strlen(missing[i].prefix)) == 0)
			return missing[i].why;
	}
	return NULL;
}

/* The names of all options that have an effect, for a hint. */
static char *
option_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(topic_options); i++)
	{
		if (has_effect(&topic_options[i]))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", topic_options[i].name);
	}
	return names.data;
}

/* The option of that name; ERROR where there is none. */
static const TopicOption *
get_option(const char *name)
{
	const TopicOption *option = find_option(name);
	const char *closest;

	if (option != NULL)
		return option;
	if (why_missing(name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("topics have no option \"%s\"", name),
				 errhint("%s", why_missing(name))));

	closest = closest_name(name);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid topic option \"%s\"", name),
			 closest ?
			 errhint("Perhaps you meant the option \"%s\". Valid options are: %s.",
					 closest, option_names()) :
			 errhint("Valid options are: %s.", option_names())));
}

void
pgt_topic_options_check_name(const char *name)
{
	(void) get_option(name);
}

/* ---- a topic's options -------------------------------------------------- */

void
pgt_topic_options_defaults(Topic *topic)
{
	for (int i = 0; i < lengthof(topic_options); i++)
	{
		const TopicOption *option = &topic_options[i];
		char	   *field = (char *) topic + option->offset;

		if (option->parse == parse_int32 || option->parse == parse_gzip_level)
			*(int32 *) field = (int32) option->initial;
		else if (option->parse == parse_int64)
			*(int64 *) field = option->initial;
	}
	topic->batch_merge = true;
	topic->min_cleanable_dirty_ratio = 0.5;
	topic->partitioner_class[0] = '\0';
	topic->partitioner_enforce = false;
	topic->key_index = false;
	topic->retry_topic[0] = topic->dlq_topic[0] = topic->kafka_topic[0] = '\0';
	topic->retention_waits = false;
	topic->retention_groups = NIL;
	topic->log.log_append_time = false;
	pgt_topic_settings_apply(topic);
}

/* The level that the topic's codec is given; only some have one. */
static int
compression_level(const Topic *topic)
{
	switch (topic->log.compression)
	{
		case COMPRESSION_GZIP:
			return topic->gzip_level;
		case COMPRESSION_LZ4:
			return topic->lz4_level;
		case COMPRESSION_ZSTD:
			return topic->zstd_level;
		default:
			return 0;
	}
}

void
pgt_topic_options_apply(Topic *topic, List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);
		const TopicOption *option = get_option(def->defname);

		option->parse(option, defGetString(def), (char *) topic + option->offset);
	}
	topic->log.compress_by_size = topic->compression_type == TOPIC_COMPRESSION_BY_SIZE;
	topic->log.compression = topic->log.compress_by_size ? COMPRESSION_LZ4 : topic->compression_type;
	topic->log.compression_level = compression_level(topic);
	topic->log.compacted = (topic->cleanup_policy & CLEANUP_COMPACT) != 0;
	topic->log.placement.rule = !topic->partitioner_enforce ? PLACED_ANYWHERE :
		pgt_placement_rule_of(topic->partitioner_class);
	topic->log.placement.partitions = topic->partitions;

	/* as in Kafka: records must leave the active segment before max.compaction.lag.ms has passed */
	if (topic->log.compacted)
		topic->log.segment_ms = Min(topic->log.segment_ms, topic->max_compaction_lag_ms);
}

Datum
pgt_topic_options_jsonb(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	PgtJsonb	json = {0};
	ListCell   *cell;

	PGT_JSONB_PUSH(json, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, table->options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);
		const TopicOption *option = find_option(def->defname);
		char	   *text = defGetString(def);
		JsonbValue	name;
		JsonbValue	value;

		if (strcmp(def->defname, "partitions") == 0)
			continue;
		name.type = jbvString;
		name.val.string.val = def->defname;
		name.val.string.len = strlen(def->defname);
		PGT_JSONB_PUSH(json, WJB_KEY, &name);

		if (option != NULL && option->is_number)
		{
			value.type = jbvNumeric;
			value.val.numeric =
				DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
		}
		else
		{
			value.type = jbvString;
			value.val.string.val = text;
			value.val.string.len = strlen(text);
		}
		PGT_JSONB_PUSH(json, WJB_VALUE, &value);
	}
	PGT_JSONB_PUSH(json, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(json.result));
}

/* The name of one of the values of a setting. */
static const char *
enum_name(const struct config_enum_entry *entries, int value)
{
	while (entries->name != NULL && entries->val != value)
		entries++;
	return entries->name;
}

/* The text of a value that no option of the topic has set. */
static char *
default_text(const Topic *topic, const TopicOption *option)
{
	const char *field = (const char *) topic + option->offset;

	if (!has_effect(option))
		return pstrdup(option->text);
	if (option->parse == parse_int32 || option->parse == parse_gzip_level)
		return psprintf("%d", *(const int32 *) field);
	if (option->parse == parse_int64)
		return psprintf(INT64_FORMAT, *(const int64 *) field);
	if (option->parse == parse_ratio)
		return psprintf("%g", *(const double *) field);
	if (option->parse == parse_switch)
		return pstrdup(*(const bool *) field ? "true" : "false");
	if (option->parse == parse_cleanup_policy)
		return pstrdup(enum_name(pgt_topic_settings_cleanup_policies, *(const int *) field));
	if (option->parse == parse_compression)
		return pstrdup(enum_name(pgt_topic_settings_compression_types, *(const int *) field));
	if (option->parse == parse_timestamp_type)
		return pstrdup(*(const bool *) field ? "LogAppendTime" : "CreateTime");
	if (option->parse == parse_consumers)
		return pstrdup(*(const bool *) field ? "wait" : "none");
	/* names, which are empty where they are not set */
	return pstrdup("");
}

/* What kind of value an option has, as Kafka's clients are told. */
static TopicOptionType
type_of(const TopicOption *option)
{
	if (!has_effect(option))
		return option->type;
	/* in Kafka that of segments is no long */
	if (option->parse == parse_int32 || option->parse == parse_gzip_level || strcmp(option->name, "segment.bytes") == 0)
		return TOPIC_OPTION_INT;
	if (option->parse == parse_int64)
		return TOPIC_OPTION_LONG;
	if (option->parse == parse_ratio)
		return TOPIC_OPTION_DOUBLE;
	if (option->parse == parse_switch)
		return TOPIC_OPTION_BOOLEAN;
	if (option->parse == parse_cleanup_policy || option->parse == parse_groups)
		return TOPIC_OPTION_LIST;
	return TOPIC_OPTION_STRING;
}

List *
pgt_topic_options_list(List *options)
{
	Topic		defaults;
	List	   *values = NIL;

	memset(&defaults, 0, sizeof(defaults));
	pgt_topic_options_defaults(&defaults);
	for (int i = 0; i < lengthof(topic_options); i++)
	{
		TopicOptionValue *value = palloc0(sizeof(TopicOptionValue));
		ListCell   *cell;

		value->name = topic_options[i].name;
		value->type = type_of(&topic_options[i]);
		foreach(cell, options)
		{
			DefElem    *def = lfirst_node(DefElem, cell);

			if (strcmp(def->defname, value->name) != 0)
				continue;
			value->text = defGetString(def);
			value->is_set = true;
		}
		if (!value->is_set)
			value->text = default_text(&defaults, &topic_options[i]);
		values = lappend(values, value);
	}
	return values;
}

/*
 * The wrapper's validator: ERROR for an unknown option or a bad value.  Only
 * foreign tables have options.
 */
Datum
pgt_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	Topic		scratch;

	if (catalog == ForeignTableRelationId)
	{
		memset(&scratch, 0, sizeof(scratch));
		pgt_topic_options_apply(&scratch, options);
	}
	else if (options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"",
						linitial_node(DefElem, options)->defname),
				 errhint("Options of topics belong to the topic itself: CREATE or ALTER FOREIGN TABLE ... OPTIONS (...).")));
	PG_RETURN_VOID();
}
