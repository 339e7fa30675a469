/*
 * nack_send.h
 *	  Sending a record that could not be processed to a retry topic or a dead-letter
 *	  topic.
 */
#ifndef NACK_SEND_H
#define NACK_SEND_H

#include "format/record_batch.h"
#include "topic/topic.h"

/* A record that could not be processed.  The caller sets all but the last four. */
typedef struct NackFailure
{
	Topic	   *topic;			/* the topic that it is in */
	TopicPartition key;
	Record		record;
	const char *group;
	const char *error;			/* NULL: none given */
	Topic	   *origin;			/* the topic whose options count */
	bool		again;			/* its headers are believed: it has failed before */
	bool		dies;			/* it goes to the dead-letter topic, whatever the number of attempts */
	int64		attempts;		/* this one included */
} NackFailure;

/*
 * Send the record on as nack() does, to the retry topic or after the last attempt to the dead-letter topic,
 * which it returns.  ERROR where that does not exist, or records may not be sent there.
 */
extern Oid	pgt_nack_send(NackFailure *failure);

/*
 * Send the record, which a share group has delivered so often, to the dead-letter topic, which it returns.
 * InvalidOid, and nothing is sent, where the topic has no option dlq.topic and there is no topic of the default name.
 */
extern Oid	pgt_nack_send_dead(NackFailure *failure, int deliveries);

#endif							/* NACK_SEND_H */
