/*
 * record_check.c
 *	  What a topic's options refuse of a record.
 *
 * A record is judged by its topic's options when it is produced, so that the error comes from
 * the statement that produces it.  Nothing of the transaction is looked at, and nothing kept.
 */
#include "postgres.h"

#include "access/xact.h"
#include "produce/pending_batch.h"
#include "produce/record_check.h"
#include "util/clock.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* ---- size ----------------------------------------------------------------- */

void
pgt_record_check_size(const TopicPartition *key, const LogConfig *config, Size size, int32 most)
{
	bool		compressed = pgt_pending_batch_counts_compressed(config);
	Size		limit = compressed ? most : Min(config->max_message_bytes, most);

	if (RECORD_BATCH_HEADER_SIZE + size <= limit)
		return;
	if (compressed || config->max_message_bytes > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record of %zu bytes for partition %d of topic \"%s\" is too large",
						size, key->partition, get_rel_name(key->topic)),
				 errdetail("With its batch header it can have at most %d bytes uncompressed.", most),
				 errhint("Store the value elsewhere and produce a reference.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("record of %zu bytes for partition %d of topic \"%s\" is too large",
					size, key->partition, get_rel_name(key->topic)),
			 errdetail("With its batch header it can have at most %d bytes (max.message.bytes).",
					   config->max_message_bytes),
			 errhint("Raise the topic's option max.message.bytes, or store the value elsewhere and produce a reference.")));
}

/* ---- key and timestamp ---------------------------------------------------- */

/*
 * ERROR where a record for a compacted topic has no key: compaction keeps the last record
 * of each key.
 */
static void
check_key(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	if (!config->compacted || record->key_length >= 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("record for partition %d of topic \"%s\" has no key",
					key->partition, get_rel_name(key->topic)),
			 errdetail("The topic is compacted: its cleanup.policy keeps the last record of each key."),
			 errhint("Give the record a key, or set the topic's cleanup.policy to delete.")));
}

/*
 * ERROR: a timestamp is further from the clock than the topic's option allows; Kafka
 * calls it InvalidTimestampException.
 */
static void
refuse_timestamp(const TopicPartition *key, const Record *record, const char *where,
				 const char *option, int64 limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("timestamp %s of a record for partition %d of topic \"%s\" is too far %s the server's clock",
					timestamptz_to_str(pgt_clock_to_timestamptz(record->timestamp)), key->partition,
					get_rel_name(key->topic), where),
			 errdetail("The topic's option %s allows %lld ms.", option, (long long) limit),
			 errhint("Check the producer's clock, or raise the topic's option %s.", option)));
}

/*
 * Check a record's timestamp against the topic's limits: a timestamp far from now is
 * mostly a mistake, and one in the future keeps its segment from retention.  With
 * LogAppendTime the append sets the timestamp, so nothing is checked.
 */
static void
check_timestamp(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	int64		before = config->timestamp_before_max_ms;
	int64		after = config->timestamp_after_max_ms;
	int64		now = pgt_clock_from_timestamptz(GetCurrentStatementStartTimestamp());

	if (config->log_append_time)
		return;
	/* no need to read the clock if the timestamp was not too far ahead when the statement began */
	if (before == PG_INT64_MAX && pgt_clock_ms_between(now, record->timestamp) <= after)
		return;
	now = pgt_clock_now_ms();
	if (pgt_clock_ms_between(now, record->timestamp) > after)
		refuse_timestamp(key, record, "ahead of", "message.timestamp.after.max.ms", after);
	if (pgt_clock_ms_between(record->timestamp, now) > before)
		refuse_timestamp(key, record, "behind", "message.timestamp.before.max.ms", before);
}

void
pgt_record_check_new(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	check_key(key, config, record);
	check_timestamp(key, config, record);
}

/* ---- placement ------------------------------------------------------------ */

void
pgt_record_check_placement(const TopicPartition *key, const LogConfig *config, const Record *record)
{
	const KeyPlacement *placement = &config->placement;
	int32		placed;

	if (likely(placement->rule == PLACED_ANYWHERE) || record->key_length < 0 ||
		pgt_key_placement_allows(placement, key->partition, record->key, record->key_length))
		return;
	placed = pgt_placement_rule_apply(placement->rule, placement->partitions, record->key, record->key_length);
	if (placed != key->partition && placed != NO_PLACEMENT)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("record for partition %d of topic \"%s\" has a key that belongs to partition %d",
						key->partition, get_rel_name(key->topic), placed),
				 errdetail("The topic's option partitioner.enforce is on: each key is where the topic's own partitioner places it."),
				 errhint("Leave the partition out and pg_topics.partitioner empty, or set the topic's option partitioner.enforce to off.")));
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("record for partition %d of topic \"%s\" has a key that is not in the form of its type",
					key->partition, get_rel_name(key->topic)),
			 errdetail("The topic's option partitioner.enforce is on, so the bytes of a key must be those that its value has when it is produced in SQL.")));
}
