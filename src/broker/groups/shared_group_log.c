/*
 * shared_group_log.c
 *	  What the server's log is told of groups that Kafka's clients and others want at the same time.
 */
#include "postgres.h"

#include "broker/groups/shared_group_log.h"
#include "util/clock.h"

#define LOG_US	(10 * INT64CONST(1000000))

/* May the line be written whose time is *next?  Then it may again after a while. */
static bool
is_due(int64 *next)
{
	int64		now = pgt_clock_monotonic_us();

	if (now < *next)
		return false;
	*next = now + LOG_US;
	return true;
}

void
pgt_shared_group_log_waiting(const char *group, const char *topic, int32 partition, KafkaClaim why)
{
	static int64 next = 0;

	if (is_due(&next))
		ereport(LOG,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("consumer group \"%s\" of Kafka clients waits for partition %d of topic \"%s\", which %s", group, partition, topic,
						why == KAFKA_CLAIM_DENIED ? "its role may not consume, or a group of that name of another role has" : "is used in SQL")));
}

void
pgt_shared_group_log_refused(const char *group, KafkaString topic, const char *member)
{
	static int64 next = 0;

	if (is_due(&next))
		ereport(LOG,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a Kafka client cannot join consumer group \"%s\", since member \"%s\" consumes topic \"%.*s\" in SQL",
						group, member, topic.length, topic.data)));
}
