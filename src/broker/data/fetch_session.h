/*
 * fetch_session.h
 *	  Which partitions a Fetch asks for, some of them since an earlier one.
 */
#ifndef FETCH_SESSION_H
#define FETCH_SESSION_H

#include "broker/core/broker.h"
#include "broker/core/topic_lookup.h"
#include "kafka/kafka_error.h"
#include "wal/log_ranges.h"
#include "wal/log_stable_end.h"

/* A topic of which partitions are asked for. */
typedef struct FetchTopic
{
	KafkaString name;			/* as the client has named it; empty in versions with ids */
	KafkaUuid	id;				/* zeros in versions with names */

	/* what fetch.c finds out for one request */
	const BrokerRequest *looked_up;	/* for which */
	TopicLookup found;
} FetchTopic;

/* A partition that is asked for. */
typedef struct FetchTarget
{
	dlist_node	node;			/* in FetchList.targets */
	FetchTopic *topic;
	int32		partition;
	int32		leader_epoch;	/* that the client knows; -1: none */
	int32		last_epoch;		/* that of the last batch it has; -1: it does not say */
	int64		offset;
	int32		max_bytes;

	/* what the client of a session has been told last; -1: nothing, or an error */
	int64		told_end;
	int64		told_log_start;

	/* what fetch.c finds for one request */
	KafkaError	error;
	bool		existed;		/* at its first look */
	LogStableEnd end;
	LogRanges	found;
	bool		diverges;		/* the client's last batch is not of this log */
	int32		diverging_epoch;
	int64		diverging_end;
} FetchTarget;

typedef struct FetchList
{
	dlist_head	targets;		/* in the order in which they have their turn */
	int			count;
	int32		session_id;		/* 0: no session */
	bool		incremental;	/* what has not changed is left out of the response */
} FetchList;

/*
 * The partitions that a request asks for, by itself or with those before it.  An error code other
 * than KAFKA_ERROR_NONE answers the request as a whole.  The list lives as long as the request at
 * least, and with a session as long as that.
 */
extern KafkaError pgt_fetch_session_open(BrokerRequest *request, FetchList **list);

/* A list without a session has a partition twice: let the later one count, in the earlier one's place. */
extern void pgt_fetch_session_replace(FetchList *list, FetchTarget *target, FetchTarget *by);

/* Does the response have to say anything of the partition? */
extern bool pgt_fetch_session_must_tell(const FetchList *list, const FetchTarget *target);

/* It has said it: note what, and let others have their turn before. */
extern void pgt_fetch_session_told(FetchList *list, FetchTarget *target);

#endif							/* FETCH_SESSION_H */
