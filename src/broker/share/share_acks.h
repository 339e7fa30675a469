/*
 * share_acks.h
 *	  What members of share groups acknowledge: from the partitions of a request to their errors.
 */
#ifndef SHARE_ACKS_H
#define SHARE_ACKS_H

#include "broker/core/broker.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_messages.h"
#include "lib/ilist.h"
#include "share/share_member.h"

/* A partition of the request. */
typedef struct ShareAcksPart
{
	KafkaUuid	topic;
	int32		partition;
	ShareVerdict *verdicts;
	int			count;
	KafkaError	error;
	const char *message;		/* NULL: that of the error */

	/* of share_acks.c */
	bool		waits;			/* for its turn */
	Oid			relid;
	int			max_attempts;
	bool		sends_on;		/* what is rejected is to be sent on */
	bool		rejected;		/* something is */
} ShareAcksPart;

/* The acknowledgements of a request.  It is the first field of request->state. */
typedef struct ShareAcks
{
	BrokerRequest *request;
	const char *group;
	uint32		member;
	ShareAcksPart *parts;
	int			count;

	/* called when all parts have their errors; it goes on with the request as a serve function does */
	void		(*done) (BrokerRequest *request);

	/* of share_acks.c */
	int			prepared;		/* so many parts were looked at */
	bool		in_list;
	dlist_node	node;
	int64		deadline;
	XLogRecPtr	lsn;
} ShareAcks;

/* An acknowledgement of the wire: those of both requests are alike. */
typedef KafkaShareFetchRequestAcknowledgementBatch ShareAcksBatch;

/* Take a partition's acknowledgements apart; where they make no sense, the part has an error.  In request->memory. */
extern void pgt_share_acks_take(ShareAcksPart *part, const KafkaUuid *topic, int32 partition, const ShareAcksBatch *batches,
								int32 count, bool renews);

/* Acknowledge: the request is parked until done() is called. */
extern void pgt_share_acks_begin(ShareAcks *acks);

/* The request's connection is closed. */
extern void pgt_share_acks_drop(ShareAcks *acks);

extern const BrokerHooks pgt_share_acks_hooks;

#endif							/* SHARE_ACKS_H */
