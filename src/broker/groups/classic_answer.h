/*
 * classic_answer.h
 *	  Answers to JoinGroup and SyncGroup, which may be given long after the request.
 */
#ifndef CLASSIC_ANSWER_H
#define CLASSIC_ANSWER_H

#include "broker/core/broker.h"
#include "coordinator/classic_group.h"

/* A request that waits for the group; in the request's memory. */
typedef struct ClassicAnswer
{
	ClassicMemberWait wait;		/* the first field: the request is found by it */
	BrokerRequest *request;
	ClassicGroup *group;		/* valid while wait.member is not NULL */
	void		(*settle) (ClassicGroup *group);
} ClassicAnswer;

/* Park a request, for the group to answer it.  If its connection is closed before, settle() is called. */
extern ClassicMemberWait *pgt_classic_answer_park(BrokerRequest *request, ClassicGroup *group,
												  void (*settle) (ClassicGroup *group));

/* Actions of groups.  They throw nothing: a connection whose answer cannot be given is closed. */
extern void pgt_classic_answer_join(ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupJoined *answer);
extern void pgt_classic_answer_sync(ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupSynced *answer);

/* Refuse a JoinGroup that did not get to a group; the member's id is that of the request, or empty. */
extern void pgt_classic_answer_refuse_join(BrokerRequest *request, KafkaError error, KafkaString member);

#endif							/* CLASSIC_ANSWER_H */
