/*
 * topic_settings.c
 *	  The server-wide settings that are defaults of topics' options.
 *
 * They are Kafka's broker configuration (log.retention.ms is pg_topics.log_retention_ms), with its
 * rules of which of several counts.  A changed setting takes effect when the configuration is
 * reloaded: its assign hook increases pgt_topic_settings_version, by which the cache of topics
 * notices.
 */
#include "postgres.h"

#include <limits.h>

#include "format/compression.h"
#include "topic/topic_settings.h"

/* Doubles hold integers up to here exactly; settings past int are doubles. */
#define SETTING_MAX		9.0e15

const struct config_enum_entry pgt_topic_settings_cleanup_policies[] = {
	{"delete", CLEANUP_DELETE, false},
	{"compact", CLEANUP_COMPACT, false},
	{"compact,delete", CLEANUP_COMPACT | CLEANUP_DELETE, false},
	{"delete,compact", CLEANUP_COMPACT | CLEANUP_DELETE, true},
	{NULL, 0, false}
};

/* what compression.type can be, as a setting */
const struct config_enum_entry pgt_topic_settings_compression_types[] = {
	{"producer", TOPIC_COMPRESSION_BY_SIZE, false},
	{"none", COMPRESSION_NONE, false},
	{"uncompressed", COMPRESSION_NONE, true},
	{"gzip", COMPRESSION_GZIP, false},
	{"snappy", COMPRESSION_SNAPPY, false},
	{"lz4", COMPRESSION_LZ4, false},
	{"zstd", COMPRESSION_ZSTD, false},
	{NULL, 0, false}
};

StaticAssertDecl(lengthof(pgt_topic_settings_compression_types) == COMPRESSION_TYPE_COUNT + 3, "the setting knows each codec");

uint64		pgt_topic_settings_version = 0;

int			pgt_log_segment_bytes;
double		pgt_log_roll_ms;
int			pgt_log_roll_hours;
double		pgt_log_retention_ms;
int			pgt_log_retention_minutes;
int			pgt_log_retention_hours;
double		pgt_log_retention_bytes;
double		pgt_log_message_timestamp_before_max_ms;
double		pgt_log_message_timestamp_after_max_ms;
int			pgt_log_cleanup_policy = CLEANUP_DELETE;
int			pgt_compression_type = TOPIC_COMPRESSION_BY_SIZE;

/* The retention time of the settings: ms counts before minutes, minutes before hours. */
static int64
default_retention_ms(void)
{
	if (pgt_log_retention_ms != TOPIC_SETTINGS_UNSET)
		return (int64) pgt_log_retention_ms;
	if (pgt_log_retention_minutes != TOPIC_SETTINGS_UNSET)
		return pgt_log_retention_minutes < 0 ? -1 : pgt_log_retention_minutes * INT64CONST(60000);
	return pgt_log_retention_hours < 0 ? -1 : pgt_log_retention_hours * INT64CONST(3600000);
}

/* The limit that a setting gives, in which -1 means "no limit". */
static int64
limit_of(double setting)
{
	return setting < 0 ? PG_INT64_MAX : (int64) setting;
}

void
pgt_topic_settings_apply(Topic *topic)
{
	topic->cleanup_policy = pgt_log_cleanup_policy;
	topic->retention_ms = default_retention_ms();
	topic->retention_bytes = (int64) pgt_log_retention_bytes;
	topic->log.segment_bytes = pgt_log_segment_bytes;
	topic->log.segment_ms = pgt_log_roll_ms >= 0 ? (int64) pgt_log_roll_ms :
		pgt_log_roll_hours * INT64CONST(3600000);
	topic->compression_type = pgt_compression_type;
	topic->log.timestamp_before_max_ms = limit_of(pgt_log_message_timestamp_before_max_ms);
	topic->log.timestamp_after_max_ms = limit_of(pgt_log_message_timestamp_after_max_ms);
}

/* ---- definitions --------------------------------------------------------- */

/* Assign hook of integer settings: cached topics must be read again. */
static void
int_setting_changed(int newval, void *extra)
{
	pgt_topic_settings_version++;
}

/* Assign hook of settings that are doubles: cached topics must be read again. */
static void
real_setting_changed(double newval, void *extra)
{
	pgt_topic_settings_version++;
}

/* Check hook of pgt_log_roll_ms: "not set", or a value that segment.ms takes. */
static bool
check_roll_ms(double *newval, void **extra, GucSource source)
{
	if (*newval == -1 || *newval >= 1)
		return true;
	GUC_check_errdetail("Valid values are: -1 (not set), and times of at least 1 ms.");
	return false;
}

/* Check hook of limits that are off with -1. */
static bool
check_limit(double *newval, void **extra, GucSource source)
{
	if (*newval == -1 || *newval >= 0)
		return true;
	GUC_check_errdetail("Valid values are: -1 (no limit), and times of at least 0 ms.");
	return false;
}

/* Define an integer setting that is the default of an option. */
static void
define_int(const char *name, const char *description, const char *details,
		   int *variable, int initial, int min, int max, int unit)
{
	DefineCustomIntVariable(name, description, details, variable, initial, min, max,
							PGC_SIGHUP, unit, NULL, int_setting_changed, NULL);
}

/* Define a setting that is the default of an option and whose values exceed the range of an int. */
static void
define_real(const char *name, const char *description, const char *details,
			double *variable, double initial, double min, int unit, GucRealCheckHook check)
{
	DefineCustomRealVariable(name, description, details, variable, initial, min, SETTING_MAX,
							 PGC_SIGHUP, unit, check, real_setting_changed, NULL);
}

void
pgt_topic_settings_init(void)
{
	define_int("pg_topics.log_segment_bytes",
			   "Size at which a topic's segment is rolled.",
			   "Default of the topic option \"segment.bytes\".",
			   &pgt_log_segment_bytes, 1024 * 1024 * 1024, 1024, INT_MAX, GUC_UNIT_BYTE);
	define_real("pg_topics.log_roll_ms",
				"Age at which a topic's segment is rolled.",
				"Default of the topic option \"segment.ms\". -1 takes the value of pg_topics.log_roll_hours.",
				&pgt_log_roll_ms, -1, -1, GUC_UNIT_MS, check_roll_ms);
	define_int("pg_topics.log_roll_hours",
			   "Age in hours at which a topic's segment is rolled.",
			   "Used where pg_topics.log_roll_ms is not set.",
			   &pgt_log_roll_hours, 168, 1, INT_MAX, 0);
	define_real("pg_topics.log_retention_ms",
				"Time for which records are kept.",
				"Default of the topic option \"retention.ms\". -1 keeps records for ever; -2 takes the value of pg_topics.log_retention_minutes.",
				&pgt_log_retention_ms, TOPIC_SETTINGS_UNSET, TOPIC_SETTINGS_UNSET, GUC_UNIT_MS, NULL);
	define_int("pg_topics.log_retention_minutes",
			   "Time in minutes for which records are kept.",
			   "Used where pg_topics.log_retention_ms is not set. -1 keeps records for ever; -2 takes the value of pg_topics.log_retention_hours.",
			   &pgt_log_retention_minutes, TOPIC_SETTINGS_UNSET, TOPIC_SETTINGS_UNSET, INT_MAX, 0);
	define_int("pg_topics.log_retention_hours",
			   "Time in hours for which records are kept.",
			   "Used where neither pg_topics.log_retention_ms nor pg_topics.log_retention_minutes is set. -1 keeps records for ever.",
			   &pgt_log_retention_hours, 168, -1, INT_MAX, 0);
	define_real("pg_topics.log_retention_bytes",
				"Size up to which a partition's log is kept.",
				"Default of the topic option \"retention.bytes\". -1 means no limit.",
				&pgt_log_retention_bytes, -1, -1, GUC_UNIT_BYTE, NULL);
	define_real("pg_topics.log_message_timestamp_before_max_ms",
				"How far the timestamp that a producer gives a record may be behind the server's clock.",
				"Default of the topic option \"message.timestamp.before.max.ms\". -1 means no limit.",
				&pgt_log_message_timestamp_before_max_ms, -1, -1, GUC_UNIT_MS, check_limit);
	define_real("pg_topics.log_message_timestamp_after_max_ms",
				"How far the timestamp that a producer gives a record may be ahead of the server's clock.",
				"Default of the topic option \"message.timestamp.after.max.ms\". -1 means no limit.",
				&pgt_log_message_timestamp_after_max_ms, 3600000, -1, GUC_UNIT_MS, check_limit);
	DefineCustomEnumVariable("pg_topics.log_cleanup_policy",
							 "Whether old segments are deleted, compacted, or both.",
							 "Default of the topic option \"cleanup.policy\".",
							 &pgt_log_cleanup_policy, CLEANUP_DELETE, pgt_topic_settings_cleanup_policies,
							 PGC_SIGHUP, 0, NULL, int_setting_changed, NULL);
	DefineCustomEnumVariable("pg_topics.compression_type",
							 "Codec with which record batches are compressed.",
							 "Default of the topic option \"compression.type\". \"producer\" takes lz4 for batches that are large enough.",
							 &pgt_compression_type, TOPIC_COMPRESSION_BY_SIZE, pgt_topic_settings_compression_types,
							 PGC_SIGHUP, 0, NULL, int_setting_changed, NULL);
}
