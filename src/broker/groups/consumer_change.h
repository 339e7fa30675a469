/*
 * consumer_change.h
 *	  Requests that change groups of the new protocol: what the group asks on the way, and when they are answered.
 */
#ifndef CONSUMER_CHANGE_H
#define CONSUMER_CHANGE_H

#include "broker/groups/consumer_store.h"

/* A partition that was given to the member. */
typedef struct ConsumerGrant
{
	KafkaUuid	topic;
	int32		partition;
} ConsumerGrant;

/* A request; it is part of whatever its API keeps of it, in the request's memory. */
typedef struct ConsumerChange
{
	ConsumerStoreJob job;		/* the first field */
	BrokerRequest *request;
	const char *client_id;
	const char *client_host;
	const char *new_member_id;	/* for a member that brings none */
	uint64		topics_version; /* as of which the group looks at topics */
	bool		looks;			/* the group looks at topics again */

	/* When it is stored and durable, or is not: answer, with that error and message unless there is none. */
	void		(*answer) (struct ConsumerChange *change, KafkaError error, const char *message);

	/*
	 * Set by run(): the group is another one by now, or is about to become one of another kind.  Called in the place of
	 * answer(), outside of the turn's end: the request begins anew.
	 */
	void		(*again) (BrokerRequest *request);
	bool		goes_again;

	/* of this file */
	char	   *member_id;		/* NULL: nobody was given anything */
	ConsumerGrant *grants;
	int			grant_count;
	int			grant_room;
	bool		reclaims;		/* something was claimed that the member had already */
	bool		stored;
	XLogRecPtr	lsn;			/* up to which WAL has to be durable */
} ConsumerChange;

/* Set up one of zeros.  In a transaction.  "entry" is the group; NULL: it is none of that kind yet. */
extern void pgt_consumer_change_init(ConsumerChange *change, BrokerRequest *request, const ConsumerStoreGroup *entry);

/* Have it run at the end of the turn, or soon for the first member of a group.  The request is parked. */
extern void pgt_consumer_change_begin(ConsumerChange *change, bool is_first);

/* For run(), with change->job.entry: what the group asks. */
extern void pgt_consumer_change_world(ConsumerChange *change, ModernWorld *world);

/* The client's address, as Kafka writes it; palloc'd. */
extern const char *pgt_consumer_change_host(const BrokerConnection *client);

#endif							/* CONSUMER_CHANGE_H */
