/*
 * consumer_protocol.h
 *	  What members of protocol type "consumer" tell each other: subscriptions and assignments, as bytes.
 *
 * In a group of the classic protocol the broker hands them on as they are.  It looks into them to know which topics a group
 * uses, and which partitions a member has.  In a group of the new protocol it takes the leader's place for members that speak
 * the classic one: it reads their subscriptions, and writes their assignments.  They are clients' own: anything may be in
 * them.
 */
#ifndef CONSUMER_PROTOCOL_H
#define CONSUMER_PROTOCOL_H

#include "kafka/kafka_types.h"
#include "lib/stringinfo.h"

#define CONSUMER_PROTOCOL_TYPE	"consumer"

/* A walk through such bytes. */
typedef struct ConsumerProtocolReader
{
	const char *next;
	const char *end;
	int32		topics;			/* that are left */
	int32		partitions;		/* that are left of the topic */
	KafkaString topic;			/* the one that was read last; points into the bytes */
} ConsumerProtocolReader;

/* Begin to read, whatever the bytes are. */
extern void pgt_consumer_protocol_begin(ConsumerProtocolReader *reader, KafkaBytes bytes);

/* The next topic of a subscription is reader->topic; false: there is none, or the rest is no such thing. */
extern bool pgt_consumer_protocol_next_topic(ConsumerProtocolReader *reader);

/* The next partition of an assignment, of reader->topic; false as above. */
extern bool pgt_consumer_protocol_next_partition(ConsumerProtocolReader *reader, int32 *partition);

/* ---- whole subscriptions and assignments -------------------------------------------------- */

/* Partitions of a topic.  The array is palloc'd where it was read. */
typedef struct ConsumerPartitions
{
	KafkaString topic;
	int32	   *partitions;
	int32		count;
} ConsumerPartitions;

/* Strings point into the bytes; arrays are palloc'd. */
typedef struct ConsumerSubscription
{
	int16		version;
	KafkaString *topics;
	int32		topic_count;
	ConsumerPartitions *owned;	/* that the member says it has; none before version 1 */
	int32		owned_count;
	KafkaString rack;			/* null: it has named none */
} ConsumerSubscription;

typedef struct ConsumerAssignment
{
	ConsumerPartitions *topics;
	int32		count;
	int32		user_data;		/* bytes of what the assignor has told the member besides */
} ConsumerAssignment;

/* False: the bytes are no such thing.  No bytes are an empty assignment. */
extern bool pgt_consumer_protocol_read_subscription(KafkaBytes bytes, ConsumerSubscription *subscription);
extern bool pgt_consumer_protocol_read_assignment(KafkaBytes bytes, ConsumerAssignment *assignment);

/*
 * An assignment without the partitions that are to be left out, and else as it is.  palloc'd, unless it is the bytes themselves,
 * as those are that are no assignment.
 */
extern KafkaBytes pgt_consumer_protocol_leave_out(KafkaBytes assignment,
												  bool (*is_out) (KafkaString topic, int32 partition, void *arg), void *arg);

/* The version of bytes, at most the highest one that is known; 0 where they have none. */
extern int16 pgt_consumer_protocol_version(KafkaBytes bytes);

/* Append an assignment of that version, without user data. */
extern void pgt_consumer_protocol_write_assignment(StringInfo out, int16 version, const ConsumerPartitions *topics,
												   int32 count);

#endif							/* CONSUMER_PROTOCOL_H */
