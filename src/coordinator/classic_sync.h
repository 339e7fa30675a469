/*
 * classic_sync.h
 *	  SyncGroup.
 */
#ifndef CLASSIC_SYNC_H
#define CLASSIC_SYNC_H

#include "coordinator/classic_group.h"

typedef struct ClassicSync
{
	KafkaString member;
	KafkaString instance_id;	/* null: it does not say */
	int32		generation;
	KafkaString protocol_type;	/* null: it does not say */
	KafkaString protocol;		/* likewise */
	const KafkaSyncGroupRequestAssignment *assignments;
	int32		assignment_count;
	ClassicMemberWait *wait;
} ClassicSync;

/* A member asks for its assignment, or the leader brings all.  Answered as JoinGroup is.  Takes memory. */
extern void pgt_classic_sync(ClassicGroup *group, const ClassicSync *sync, int64 now);

#endif							/* CLASSIC_SYNC_H */
