/*
 * classic_join.h
 *	  JoinGroup.
 */
#ifndef CLASSIC_JOIN_H
#define CLASSIC_JOIN_H

#include "coordinator/classic_group.h"

typedef struct ClassicJoin
{
	KafkaString member;			/* the id that it was given; empty: none yet */
	const char *new_member;		/* the id that it gets then, which nobody has had */
	KafkaString instance_id;	/* null: a dynamic member */
	KafkaString client_id;
	KafkaString client_host;
	KafkaString protocol_type;
	const KafkaJoinGroupRequestProtocol *protocols;
	int32		protocol_count;
	int32		session_timeout;
	int32		rebalance_timeout;
	bool		knows_ids;		/* its client can be told an id, and joins again with that */
	bool		skips_assignment;	/* it can be told that it leads, and has nothing to assign */
	ClassicMemberWait *wait;
} ClassicJoin;

/* Let a member join.  The request is answered by the group's actions, now or later.  Takes memory. */
extern void pgt_classic_join(ClassicGroup *group, const ClassicJoin *join, int64 now);

#endif							/* CLASSIC_JOIN_H */
