/*
 * share_session.h
 *	  Which partitions a member of a share group fetches from, and what it has.
 */
#ifndef SHARE_SESSION_H
#define SHARE_SESSION_H

#include "broker/core/broker.h"
#include "broker/core/topic_lookup.h"
#include "coordinator/id_table.h"
#include "kafka/kafka_error.h"
#include "utils/hsearch.h"

/* A partition of a session. */
typedef struct SharePartition
{
	dlist_node	node;			/* in the order in which they have their turn */
	KafkaUuid	topic;
	int32		partition;
} SharePartition;

typedef struct ShareSession
{
	IdTableEntry by_key;
	dlist_node	node;			/* of all sessions */
	MemoryContext memory;
	const char *group;
	uint64		connection;		/* with which it ends */
	Oid			role;
	uint32		member;			/* the number by which it has records (share_member.h) */
	int32		epoch;			/* that the next request is to say */
	dlist_head	partitions;
	int			count;
	HTAB	   *by_partition;
	int			users;			/* requests that are being served */
	bool		over;			/* it ends with the last one of them */
} ShareSession;

#define SHARE_SESSION_FINAL		(-1)
#define SHARE_SESSION_INITIAL	0

/*
 * The session of a request of a member, which is its user then: SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH,
 * SHARE_SESSION_LIMIT_REACHED where there is none.  "may_begin": a request with epoch 0 begins a new one.
 */
extern KafkaError pgt_share_session_open(const BrokerRequest *request, KafkaString group, KafkaString member, int32 epoch,
										 bool may_begin, ShareSession **session);

/* The request is served. */
extern void pgt_share_session_leave(ShareSession *session);

/* The session ends when its last request is served: what the member has is available again. */
extern void pgt_share_session_end(ShareSession *session);

/* Add a partition, if it is not there; false: there are too many.  Or remove one. */
extern bool pgt_share_session_add(ShareSession *session, const KafkaUuid *topic, int32 partition);
extern void pgt_share_session_remove(ShareSession *session, const KafkaUuid *topic, int32 partition);

/* It had its turn: others come before. */
extern void pgt_share_session_served(ShareSession *session, SharePartition *partition);

extern const BrokerHooks pgt_share_session_hooks;

#endif							/* SHARE_SESSION_H */
