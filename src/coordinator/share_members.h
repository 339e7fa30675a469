/*
 * share_members.h
 *	  The members of a share group, and which partitions each of them works on.
 */
#ifndef SHARE_MEMBERS_H
#define SHARE_MEMBERS_H

#include "postgres.h"

#include "coordinator/deadline.h"
#include "coordinator/id_table.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_messages.h"
#include "lib/ilist.h"

#define SHARE_EPOCH_LEAVE	(-1)
#define SHARE_EPOCH_JOIN	0

/* A topic to whose partitions members are assigned. */
typedef struct ShareMembersTopic
{
	char	   *name;
	KafkaUuid	id;
	int32		partitions;
} ShareMembersTopic;

/* Partitions of a topic that a member works on. */
typedef struct ShareAssigned
{
	KafkaUuid	topic;
	int32	   *partitions;		/* in their order */
	int32		count;
} ShareAssigned;

typedef struct ShareAssignment
{
	ShareAssigned *topics;
	int32		count;
} ShareAssignment;

typedef struct ShareMember
{
	IdTableEntry by_id;
	dlist_node	node;			/* in the order in which members came */
	MemoryContext memory;		/* of all that it says of itself */
	MemoryContext target_memory;	/* of the targets */
	char	   *id;
	char	   *rack_id;		/* NULL: none */
	char	   *client_id;
	char	   *client_host;
	char	  **names;			/* of the topics that it is subscribed to, sorted, each once */
	int32		name_count;
	int32		epoch;
	int32		previous_epoch;
	ShareAssignment target;		/* what it is to have */
	bool		told;			/* and it knows */
	Deadline	session;
} ShareMember;

typedef struct ShareMembers
{
	MemoryContext memory;
	IdTable		by_id;
	dlist_head	members;
	int32		count;
	int32		epoch;			/* grows with each change of members, subscriptions or topics */
	uint64		topics_version; /* as of which the topics were looked up; 0: they were not */
	ShareMembersTopic *topics;	/* of all subscriptions, by name; those that there are */
	int32		topic_count;
	MemoryContext topics_memory;
	MemoryContext draft;		/* of what is being made, or an error has left; NULL: none */
	DeadlineHeap deadlines;
} ShareMembers;

/* What a group asks of the world while it serves a request. */
typedef struct ShareMembersWorld
{
	int64		now;			/* ms */
	int64		session_timeout;	/* ms */
	int32		most_members;
	const char *client_id;
	const char *client_host;
	uint64		topics_version; /* another number where a name may lead elsewhere than before */

	/* What a name leads to: false: nothing. */
	bool		(*find_topic) (const char *name, KafkaUuid *id, int32 *partitions, void *arg);
	void	   *arg;
} ShareMembersWorld;

/* What a member is told. */
typedef struct ShareMembersAnswer
{
	KafkaError	error;
	const char *message;		/* NULL: that of the error */
	const ShareMember *member;	/* NULL: it has left */
	int32		epoch;
	bool		has_assignment;
} ShareMembersAnswer;

/* A group without members, whose memory is below that context. */
extern ShareMembers *pgt_share_members_create(MemoryContext memory);

/* What is wrong with a request, whatever the group; NULL: nothing. */
extern const char *pgt_share_members_check(const KafkaShareGroupHeartbeatRequest *request);

/* Serve a request that was checked.  Takes memory before it changes anything that others see. */
extern void pgt_share_members_heartbeat(ShareMembers *group, const KafkaShareGroupHeartbeatRequest *request,
										const ShareMembersWorld *world, ShareMembersAnswer *answer);

extern ShareMember *pgt_share_members_find(const ShareMembers *group, KafkaString id);

/* Remove members whose time is over; gone() is called before for each.  Returns when the next one's is, or DEADLINE_NEVER. */
extern int64 pgt_share_members_expire(ShareMembers *group, int64 now, void (*gone) (const ShareMember *member, void *arg),
									  void *arg);

/* Is a member subscribed to the topic? */
extern bool pgt_share_members_is_subscribed(ShareMembers *group, KafkaString topic);

#endif							/* SHARE_MEMBERS_H */
