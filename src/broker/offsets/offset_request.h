/*
 * offset_request.h
 *	  A request that commits or deletes offsets: from its partitions to its answer.
 */
#ifndef OFFSET_REQUEST_H
#define OFFSET_REQUEST_H

#include "broker/core/broker.h"
#include "broker/groups/group_coordinator.h"
#include "broker/offsets/offset_turn.h"
#include "kafka/kafka_error.h"

struct OffsetRequest;

/* A partition of the request. */
typedef struct OffsetRequestPart
{
	OffsetTurnWrite write;		/* the first field: the part is found by it */
	struct OffsetRequest *whole;
	int16	   *error;			/* in the answer; it is written when the part is done */
	bool		waits;			/* for its turn, or to be tried again */
} OffsetRequestPart;

/* What differs from API to API. */
typedef struct OffsetRequestKind
{
	/*
	 * The request is taken apart topic by topic: begin with topic n, setting "topic" and "topic_error", and return
	 * how many partitions its entry has, or -1 if it is to be called again in the next slice; then take one of them
	 * after the other.
	 */
	int			(*begin_topic) (struct OffsetRequest *whole, int n);
	void		(*take_partition) (struct OffsetRequest *whole, int n, int partition);

	/* may it be done now?  Called before parts are written, also when they are tried again */
	KafkaError	(*check) (struct OffsetRequest *whole);

	void		(*answer) (struct OffsetRequest *whole);

	KafkaError	sql_member;		/* where a member in SQL is alive */
} OffsetRequestKind;

typedef struct OffsetRequest
{
	const OffsetRequestKind *kind;
	BrokerRequest *request;
	const char *group;			/* in the encoding of the database */
	void	   *response;
	KafkaError	gone;			/* of a topic or partition that is not there */
	int			topics;			/* that it names */

	/* the topic that is taken apart */
	Oid			topic;
	KafkaError	topic_error;	/* that of all its partitions, or none */
	CoordinatorSearch search;	/* of begin_topic(): zeros when it begins with a topic */

	/* of offset_request.c */
	int			taken_topics;	/* how far it has come */
	int			taken_partitions;
	int			partitions;		/* of that topic; -1: it is to be begun with */
	OffsetRequestPart *parts;
	int			count;
	int			admitted;		/* the next one to be admitted; count: all are */
	int			queued;			/* parts that the turn writes */
	int			waiting;		/* parts that wait to be tried again */
	XLogRecPtr	lsn;			/* up to where all that it has written is committed */
	int64		deadline;
	bool		dropped;		/* its connection is closed */
} OffsetRequest;

/* Begin: the request has as many parts at most.  The caller sets the first fields, and calls go(). */
extern OffsetRequest *pgt_offset_request_begin(BrokerRequest *request, const OffsetRequestKind *kind, int64 parts);
extern void pgt_offset_request_go(OffsetRequest *whole);

/* Add a part, of the topic that is taken apart: its write is set up but for what is to be done. */
extern OffsetRequestPart *pgt_offset_request_add(OffsetRequest *whole, int32 partition, int16 *error);

#endif							/* OFFSET_REQUEST_H */
