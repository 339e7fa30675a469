/*
 * classic_member.h
 *	  A member of a classic group, and the protocols (assignors) that it supports.
 */
#ifndef CLASSIC_MEMBER_H
#define CLASSIC_MEMBER_H

#include "coordinator/deadline.h"
#include "coordinator/id_table.h"
#include "kafka/kafka_messages.h"
#include "lib/ilist.h"

/* A member's protocols, in the order of its preference: one piece of memory. */
typedef struct ClassicMemberProtocol
{
	KafkaString name;			/* with a zero byte behind it */
	KafkaBytes	metadata;
} ClassicMemberProtocol;

typedef struct ClassicMemberProtocols
{
	Size		size;			/* of all of it */
	int32		count;
	ClassicMemberProtocol items[FLEXIBLE_ARRAY_MEMBER];
} ClassicMemberProtocols;

/*
 * A request that waits for its answer.  It is part of whatever the caller has of it.  While it waits, "member" is
 * the one it waits for; it is NULL again when it is answered.
 */
typedef struct ClassicMemberWait
{
	struct ClassicMember *member;
} ClassicMemberWait;

typedef struct ClassicMember
{
	IdTableEntry by_id;			/* in the group's tables; these have the ids */
	IdTableEntry by_instance;
	dlist_node	node;			/* in the group's list of members, of pending ones, or of removed ones */
	Deadline	session;		/* until then it must be heard of */
	char	   *id;
	char	   *instance_id;	/* of a static member; NULL: it is none */
	char	   *client_id;
	char	   *client_host;
	int32		session_timeout;	/* ms */
	int32		rebalance_timeout;	/* ms */
	ClassicMemberProtocols *protocols;	/* NULL: it is pending */
	KafkaBytes	assignment;		/* palloc'd, unless it is empty */
	KafkaBytes	next_assignment;	/* what the leader has sent, and is not stored yet; likewise */
	bool		pending;		/* it was given an id, and has not joined with it */
	bool		is_new;			/* it has not been told of a generation, and cannot send heartbeats */
	bool		joining;		/* it has sent JoinGroup, and has no answer */
	bool		replaces;		/* joining a stable group, as soon as it is stored there in another one's place */
	bool		skips_assignment;	/* then it can be told that it leads, and has nothing to assign */
	char	   *replaced_leader;	/* then, if it does: the id of the one before, for clients that cannot; palloc'd */
	bool		syncing;		/* it has sent SyncGroup, and has no answer */
	bool		sync_due;		/* it must send SyncGroup in time */
	ClassicMemberWait *join;	/* the request, while joining; NULL: its connection is gone */
	ClassicMemberWait *sync;	/* while syncing, likewise */

	Size		counted;		/* in the bytes of its group */

	/* of the caller, who stores it */
	bool		stored;			/* it is, in some state */
	uint64		stored_hash;	/* of that state */
} ClassicMember;

/* What a member is made of.  A null instance id is that of a dynamic member. */
typedef struct ClassicMemberOrigin
{
	KafkaString id;
	KafkaString instance_id;
	KafkaString client_id;
	KafkaString client_host;
	int32		session_timeout;
	int32		rebalance_timeout;
} ClassicMemberOrigin;

/* A new one that is in no group.  It is one piece of memory, but for protocols and assignments. */
extern ClassicMember *pgt_classic_member_make(const ClassicMemberOrigin *origin);
extern void pgt_classic_member_free(ClassicMember *member);

/* How much memory it takes. */
extern Size pgt_classic_member_size(const ClassicMember *member);

/* Copies. */
extern ClassicMemberProtocols *pgt_classic_member_copy_protocols(const KafkaJoinGroupRequestProtocol *protocols, int32 count);
extern KafkaBytes pgt_classic_member_copy_bytes(KafkaBytes bytes);

/* The same in memory of the caller: how many bytes that takes, and filling it. */
extern Size pgt_classic_member_protocols_size(const KafkaJoinGroupRequestProtocol *protocols, int32 count);
extern void pgt_classic_member_fill_protocols(ClassicMemberProtocols *copy, const KafkaJoinGroupRequestProtocol *protocols,
											  int32 count);

/* Give a copy of bytes back, and let it be empty. */
extern void pgt_classic_member_clear_bytes(KafkaBytes *bytes);

/* Are these the same protocols, in the same order, with the same metadata?  And are they those of a member? */
extern bool pgt_classic_member_protocols_match(const ClassicMemberProtocols *own,
											   const KafkaJoinGroupRequestProtocol *protocols, int32 count);
extern bool pgt_classic_member_matches(const ClassicMember *member, const KafkaJoinGroupRequestProtocol *protocols,
									   int32 count);

/* The protocol of that name; NULL: it is none of these. */
extern const ClassicMemberProtocol *pgt_classic_member_find_protocol(const ClassicMemberProtocols *own, KafkaString name);

/* Its metadata of a protocol; null if it does not support that. */
extern KafkaBytes pgt_classic_member_metadata(const ClassicMember *member, KafkaString protocol);

#endif							/* CLASSIC_MEMBER_H */
