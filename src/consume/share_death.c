/*
 * share_death.c
 *	  Records that a share group gives up: to the dead-letter topic.
 *
 * A record is given up when a consumer rejects it, and when it has been delivered max.attempts times and is
 * neither accepted nor leased: then whoever would get it next, or releases it, sends it on instead.  The
 * copy is produced by the transaction that archives the record for the group, so it is done once.
 * Topic, headers and privileges are those of nack() (nack_send.c).
 *
 * Without a dead-letter topic the group is done with the record as well, as in Kafka: else one that
 * can never be processed would stop the group in the end.  The record stays in its topic.
 *
 * Kafka's clients reject records without that: their acknowledgement is an answer to a request, and is not to fail for a topic that
 * they know nothing of.  Such a record is marked as rejected (share_window.c), by a row that is as durable as the acknowledgement, and
 * whoever comes by next sends it on: a helper process for the clients (src/broker/share), or consume_shared().
 *
 * Locks: those of nack_send.c.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "consume/nack_header.h"
#include "consume/nack_send.h"
#include "consume/share_death.h"
#include "wal/log_reader.h"

/* of the name that a retry topic has by default */
#define RETRY_SUFFIX	".retry"

#define RANGES_AT_ONCE	64

bool
pgt_share_death_is_due(const Topic *topic, int deliveries)
{
	return deliveries >= topic->max_attempts;
}

bool
pgt_share_death_may_have_topic(const Topic *topic)
{
	const char *relation;
	char	   *name;
	size_t		length;

	if (*topic->dlq_topic != '\0')
		return true;
	relation = get_rel_name(topic->relid);
	length = relation == NULL ? 0 : strlen(relation);
	if (length > strlen(RETRY_SUFFIX) && strcmp(relation + length - strlen(RETRY_SUFFIX), RETRY_SUFFIX) == 0)
		return true;
	name = pgt_topic_failed_name(topic, true);
	return name != NULL && OidIsValid(pgt_nack_header_find_target(topic, name));
}

/* Tell that the group is done with a record that nobody has processed. */
static void
report_given_up(const NackFailure *failure, int deliveries)
{
	char	   *name = pgt_topic_failed_name(failure->origin, true);

	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("share group \"%s\" gives up the record at offset %lld of partition %d of topic \"%s\"",
					failure->group, (long long) failure->record.offset, failure->key.partition,
					get_rel_name(failure->key.topic)),
			 errdetail_plural("It was delivered %d time, and the topic has no dead-letter topic.",
							  "It was delivered %d times, and the topic has no dead-letter topic.",
							  deliveries, deliveries),
			 name == NULL ? errhint("Set the topic's option \"dlq.topic\" to have such records copied there.") :
			 errhint("Create one, for example with SELECT create_topic(%s), or set the option \"dlq.topic\", to have such records copied there.",
					 quote_literal_cstr(name))));
}

void
pgt_share_death_send(const ShareGroup *group, Topic *topic, int32 partition, const Record *record,
					 int deliveries, const char *error)
{
	NackFailure failure = {
		.topic = topic,.key = pgt_topic_partition(topic, partition),.record = *record,
		.group = group->group.id,.error = error
	};

	if (!OidIsValid(pgt_nack_send_dead(&failure, deliveries)))
		report_given_up(&failure, deliveries);
}

void
pgt_share_death_send_offset(const ShareGroup *group, Topic *topic, int32 partition, int64 offset,
							int deliveries, const char *error)
{
	TopicPartition key = pgt_topic_partition(topic, partition);
	/* whom the record was delivered to has seen it; this statement may have begun before that */
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	LogReader  *reader = pgt_log_reader_begin(&key, offset, snapshot, NULL);
	Record		record;

	if (pgt_log_reader_next(reader, &record) && record.offset == offset)
		pgt_share_death_send(group, topic, partition, &record, deliveries, error);
	pgt_log_reader_end(reader);
	UnregisterSnapshot(snapshot);
}

/* Send one on, and be done with it. */
static void
send_rejected(const ShareGroup *group, Topic *topic, ShareSlot *slot, int64 offset)
{
	ShareAcknowledgement dead = {.outcome = SHARE_ARCHIVED,.deliveries = SHARE_ANY_DELIVERY};
	int			deliveries;

	if (pgt_share_group_acknowledge(slot, offset, &dead, &deliveries) == SHARE_DONE)
		pgt_share_death_send_offset(group, topic, slot->key.partition, offset, deliveries, NULL);
}

int
pgt_share_death_send_rejected(const ShareGroup *group, Topic *topic, ShareSlot *slot, int most)
{
	ShareRange	ranges[RANGES_AT_ONCE];
	int			count = pgt_share_group_acquire_rejected(slot, ranges, lengthof(ranges));
	int			sent = 0;

	for (int i = 0; i < count; i++)
	{
		for (int64 offset = ranges[i].first; offset <= ranges[i].last && sent < most; offset++, sent++)
		{
			CHECK_FOR_INTERRUPTS();
			send_rejected(group, topic, slot, offset);
		}
	}
	return sent;
}
