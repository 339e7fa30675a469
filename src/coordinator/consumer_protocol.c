/*
 * consumer_protocol.c
 *	  What members of protocol type "consumer" tell each other, as bytes.
 *
 * All versions begin as version 0 does, and later ones add to it:
 *
 *	  subscription	int16 version, array of {string topic}, bytes user data,
 *					from version 1 on		array of {string topic, array of {int32 partition}} owned
 *					from version 2 on		int32 generation
 *					from version 3 on		string rack, which may be null
 *	  assignment	int16 version, array of {string topic, array of {int32 partition}}, bytes user data
 *
 * with arrays and bytes of an int32 count, -1 for null, and strings of an int16 length.  As Kafka's clients do, what is of a
 * version that is newer than these is read as of version 3, with whatever stands behind it left unread.
 */
#include "postgres.h"

#include "coordinator/consumer_protocol.h"
#include "port/pg_bswap.h"

#define VERSION_OWNED	1
#define VERSION_RACK	3

/* Take a number off; false if the bytes are at an end. */
static bool
take_int16(ConsumerProtocolReader *reader, int16 *value)
{
	uint16		number;

	if (reader->end - reader->next < (int) sizeof(number))
		return false;
	memcpy(&number, reader->next, sizeof(number));
	reader->next += sizeof(number);
	*value = (int16) pg_ntoh16(number);
	return true;
}

static bool
take_int32(ConsumerProtocolReader *reader, int32 *value)
{
	uint32		number;

	if (reader->end - reader->next < (int) sizeof(number))
		return false;
	memcpy(&number, reader->next, sizeof(number));
	reader->next += sizeof(number);
	*value = (int32) pg_ntoh32(number);
	return true;
}

void
pgt_consumer_protocol_begin(ConsumerProtocolReader *reader, KafkaBytes bytes)
{
	int16		version;

	memset(reader, 0, sizeof(*reader));
	if (bytes.length <= 0)
		return;
	reader->next = bytes.data;
	reader->end = bytes.data + bytes.length;
	if (!take_int16(reader, &version) || version < 0 || !take_int32(reader, &reader->topics))
		reader->topics = 0;
}

bool
pgt_consumer_protocol_next_topic(ConsumerProtocolReader *reader)
{
	int16		length;

	if (reader->topics <= 0)
		return false;
	if (!take_int16(reader, &length) || length < 0 || reader->end - reader->next < length)
	{
		reader->topics = 0;
		return false;
	}
	reader->topics--;
	reader->topic = (KafkaString) {reader->next, length};
	reader->next += length;
	return true;
}

bool
pgt_consumer_protocol_next_partition(ConsumerProtocolReader *reader, int32 *partition)
{
	while (reader->partitions <= 0)
	{
		if (!pgt_consumer_protocol_next_topic(reader))
			return false;
		if (!take_int32(reader, &reader->partitions))
			reader->topics = 0;
	}
	if (take_int32(reader, partition))
	{
		reader->partitions--;
		return true;
	}
	reader->topics = reader->partitions = 0;
	return false;
}

/* ---- whole subscriptions and assignments -------------------------------------------------- */

/* A string off; false if the bytes are at an end.  Its length may be -1 where it may be null. */
static bool
take_string(ConsumerProtocolReader *reader, KafkaString *string, bool may_be_null)
{
	int16		length;

	if (!take_int16(reader, &length) || length < (may_be_null ? -1 : 0) || reader->end - reader->next < length)
		return false;
	*string = (KafkaString) {length < 0 ? NULL : reader->next, length};
	reader->next += Max(length, 0);
	return true;
}

/* A count of things that take so many bytes each at least. */
static bool
take_count(ConsumerProtocolReader *reader, int least, int32 *count)
{
	return take_int32(reader, count) && *count >= 0 && (int64) *count * least <= reader->end - reader->next;
}

/* User data, of which only the length is told; null is 0. */
static bool
take_user_data(ConsumerProtocolReader *reader, int32 *length)
{
	if (!take_int32(reader, length) || *length < -1 || reader->end - reader->next < *length)
		return false;
	*length = Max(*length, 0);
	reader->next += *length;
	return true;
}

/* Partitions of a topic. */
static bool
take_partitions(ConsumerProtocolReader *reader, ConsumerPartitions *taken)
{
	if (!take_string(reader, &taken->topic, false) || !take_count(reader, sizeof(int32), &taken->count))
		return false;
	taken->partitions = palloc(Max(taken->count, 1) * sizeof(int32));
	for (int32 i = 0; i < taken->count; i++)
		if (!take_int32(reader, &taken->partitions[i]))
			return false;
	return true;
}

/* The same of several topics, palloc'd. */
static bool
take_topics(ConsumerProtocolReader *reader, ConsumerPartitions **topics, int32 *count)
{
	if (!take_count(reader, sizeof(int16) + sizeof(int32), count))
		return false;
	*topics = palloc(Max(*count, 1) * sizeof(ConsumerPartitions));
	for (int32 i = 0; i < *count; i++)
		if (!take_partitions(reader, &(*topics)[i]))
			return false;
	return true;
}

/* Begin to read something of any version from 0 on. */
static bool
begin_whole(ConsumerProtocolReader *reader, KafkaBytes bytes, int16 *version)
{
	memset(reader, 0, sizeof(*reader));
	reader->next = bytes.data;
	reader->end = bytes.data + Max(bytes.length, 0);
	return bytes.length > 0 && take_int16(reader, version) && *version >= 0;
}

bool
pgt_consumer_protocol_read_subscription(KafkaBytes bytes, ConsumerSubscription *subscription)
{
	ConsumerProtocolReader reader;
	int32		unused;

	memset(subscription, 0, sizeof(*subscription));
	subscription->rack.length = -1;
	if (!begin_whole(&reader, bytes, &subscription->version) ||
		!take_count(&reader, sizeof(int16), &subscription->topic_count))
		return false;
	subscription->topics = palloc(Max(subscription->topic_count, 1) * sizeof(KafkaString));
	for (int32 i = 0; i < subscription->topic_count; i++)
		if (!take_string(&reader, &subscription->topics[i], false))
			return false;
	if (!take_user_data(&reader, &unused))
		return false;
	if (subscription->version < VERSION_OWNED)
		return true;
	if (!take_topics(&reader, &subscription->owned, &subscription->owned_count))
		return false;
	return subscription->version < VERSION_RACK ||
		(take_int32(&reader, &unused) && take_string(&reader, &subscription->rack, true));
}

bool
pgt_consumer_protocol_read_assignment(KafkaBytes bytes, ConsumerAssignment *assignment)
{
	ConsumerProtocolReader reader;
	int16		version;

	memset(assignment, 0, sizeof(*assignment));
	/* a member that was never assigned anything has no bytes */
	if (bytes.length <= 0)
		return true;
	return begin_whole(&reader, bytes, &version) && take_topics(&reader, &assignment->topics, &assignment->count) &&
		take_user_data(&reader, &assignment->user_data);
}

int16
pgt_consumer_protocol_version(KafkaBytes bytes)
{
	ConsumerProtocolReader reader;
	int16		version;

	return begin_whole(&reader, bytes, &version) ? Min(version, VERSION_RACK) : 0;
}

/* Append a number. */
static void
put_int16(StringInfo out, int16 value)
{
	uint16		number = pg_hton16((uint16) value);

	appendBinaryStringInfo(out, (char *) &number, sizeof(number));
}

static void
put_int32(StringInfo out, int32 value)
{
	uint32		number = pg_hton32((uint32) value);

	appendBinaryStringInfo(out, (char *) &number, sizeof(number));
}

void
pgt_consumer_protocol_write_assignment(StringInfo out, int16 version, const ConsumerPartitions *topics, int32 count)
{
	put_int16(out, version);
	put_int32(out, count);
	for (int32 t = 0; t < count; t++)
	{
		put_int16(out, (int16) topics[t].topic.length);
		appendBinaryStringInfo(out, topics[t].topic.data, topics[t].topic.length);
		put_int32(out, topics[t].count);
		for (int32 p = 0; p < topics[t].count; p++)
			put_int32(out, topics[t].partitions[p]);
	}
	put_int32(out, -1);
}

/* Append a topic of an assignment with those of its partitions that are not left out; false: there is none. */
static bool
copy_topic(StringInfo out, const ConsumerPartitions *topic, bool (*is_out) (KafkaString topic, int32 partition, void *arg),
		   void *arg)
{
	int			begin = out->len;
	int32		count = 0;
	uint32		number;

	put_int16(out, (int16) topic->topic.length);
	appendBinaryStringInfo(out, topic->topic.data, topic->topic.length);
	put_int32(out, 0);
	for (int32 p = 0; p < topic->count; p++)
	{
		if (is_out(topic->topic, topic->partitions[p], arg))
			continue;
		put_int32(out, topic->partitions[p]);
		count++;
	}
	number = pg_hton32((uint32) count);
	memcpy(out->data + begin + sizeof(int16) + topic->topic.length, &number, sizeof(number));
	if (count == 0)
		out->len = begin;
	return count > 0;
}

KafkaBytes
pgt_consumer_protocol_leave_out(KafkaBytes assignment, bool (*is_out) (KafkaString topic, int32 partition, void *arg), void *arg)
{
	ConsumerProtocolReader reader;
	ConsumerPartitions *topics;
	StringInfoData out;
	int16		version;
	int32		count;
	int32		left = 0;
	uint32		number;

	if (!begin_whole(&reader, assignment, &version) || !take_topics(&reader, &topics, &count))
		return assignment;
	initStringInfo(&out);
	put_int16(&out, version);
	put_int32(&out, 0);
	for (int32 t = 0; t < count; t++)
		left += copy_topic(&out, &topics[t], is_out, arg);
	number = pg_hton32((uint32) left);
	memcpy(out.data + sizeof(int16), &number, sizeof(number));
	/* user data, and whatever else there is */
	appendBinaryStringInfo(&out, reader.next, reader.end - reader.next);
	return (KafkaBytes) {out.data, out.len};
}
