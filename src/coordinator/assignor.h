/*
 * assignor.h
 *	  Assignors: who of a group's members gets which partition.
 *
 * Kafka's new protocol computes assignments in the coordinator.  A group is handed over as numbers:
 * topics and members by their index, and for each partition the member that has it until now.  The assignor
 * puts in its place who has it from now on.  A partition has at most one member so, by the form of it.
 *
 *	  topics	0	"a", 3 partitions	owner  { 0, 0, 1 }
 *				1	"b", 2 partitions	owner  { 1, -1 }			-1: nobody
 *	  members	0	"x", topics { 0, 1 }
 *				1	"y", topics { 0, 1 }
 *
 * All assignors are functions of their input: the same group gets the same assignment.  What they
 * promise is in their files.
 */
#ifndef ASSIGNOR_H
#define ASSIGNOR_H

#include "kafka/kafka_types.h"

#define ASSIGNOR_NOBODY	(-1)

/* A topic that a member at least is subscribed to. */
typedef struct AssignorTopic
{
	KafkaUuid	id;
	int32		partitions;
	int32	   *owner;			/* of each partition: a member's index, or ASSIGNOR_NOBODY */
} AssignorTopic;

typedef struct AssignorMember
{
	const char *id;
	const char *instance_id;	/* NULL: it is no static member */
	const int32 *topics;		/* that it is subscribed to: indexes, ascending, each once */
	int32		topic_count;
} AssignorMember;

typedef struct AssignorGroup
{
	const AssignorTopic *topics;	/* in the order of ids */
	int32		topic_count;
	const AssignorMember *members;
	int32		member_count;
	bool		alike;			/* all members are subscribed to the same topics */
} AssignorGroup;

typedef struct Assignor
{
	const char *name;

	/* Needs memory before it changes anything: an ERROR leaves the owners as they were. */
	void		(*assign) (const AssignorGroup *group);
} Assignor;

/* Members of a group by topic: those of topic t are members[begin[t]] to members[begin[t + 1] - 1], ascending. */
typedef struct AssignorSubscribers
{
	int32	   *begin;
	int32	   *members;
} AssignorSubscribers;

extern AssignorSubscribers pgt_assignor_subscribers(const AssignorGroup *group);

/* The number of all partitions. */
extern int64 pgt_assignor_partitions(const AssignorGroup *group);

#endif							/* ASSIGNOR_H */
