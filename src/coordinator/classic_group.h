/*
 * classic_group.h
 *	  A group of the classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup): its state, its members.
 *
 *	  EMPTY --> PREPARING_REBALANCE --> COMPLETING_REBALANCE --> STABLE
 *	    ^			|  ^   ^						|			   |
 *	    +-----------+  |   +------------------------+			   |
 *					   +---------------------------------------+
 *
 *	  EMPTY					it has no members; some may have been given an id
 *	  PREPARING_REBALANCE	it waits for all members to join again.  It ends when all have, or at
 *							join_deadline, with a new generation
 *	  COMPLETING_REBALANCE	members are told of the generation, and send SyncGroup; the leader's brings the
 *							assignments, which are stored
 *	  STABLE				each member has its assignment
 *	  DEAD					it is removed
 *
 * Files: classic_group.c has the structure, and what is true in each state; classic_rebalance.c goes from state to state;
 * classic_join.c, classic_sync.c, classic_heartbeat.c and classic_leave.c are requests.
 *
 * Time is handed in, in microseconds of a clock that does not go back.  Memory is of the current context, which
 * must outlive the group.  Functions that take memory say so, and do so before they change anything:
 * if there is none, they throw, and the group is as before.
 *
 * What a group does to the outside it does by its actions, in the midst of a change.  These
 * must not throw, and must not call the group.
 */
#ifndef CLASSIC_GROUP_H
#define CLASSIC_GROUP_H

#include "coordinator/classic_member.h"
#include "kafka/kafka_error.h"

typedef enum ClassicGroupState
{
	CLASSIC_GROUP_EMPTY,
	CLASSIC_GROUP_PREPARING_REBALANCE,
	CLASSIC_GROUP_COMPLETING_REBALANCE,
	CLASSIC_GROUP_STABLE,
	CLASSIC_GROUP_DEAD
} ClassicGroupState;

struct ClassicGroup;

/* The answer to a JoinGroup.  Strings are the group's; NULL is null. */
typedef struct ClassicGroupJoined
{
	KafkaError	error;
	const char *member;			/* its id; empty: none */
	const char *protocol_type;
	const char *protocol;
	const char *leader;			/* a member id; empty: none */
	int32		generation;		/* -1: none */
	bool		with_members;	/* it is the leader, and is told of all members */
	bool		skip_assignment;	/* it is the leader, and has nothing to assign */
} ClassicGroupJoined;

/* The answer to a SyncGroup. */
typedef struct ClassicGroupSynced
{
	KafkaError	error;
	const char *protocol_type;
	const char *protocol;
	KafkaBytes	assignment;
} ClassicGroupSynced;

typedef struct ClassicGroupActions
{
	void		(*answer_join) (struct ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupJoined *answer);
	void		(*answer_sync) (struct ClassicGroup *group, ClassicMemberWait *wait, const ClassicGroupSynced *answer);

	/* store the group as it is, and call pgt_classic_rebalance_stored() some time later */
	void		(*store) (struct ClassicGroup *group);

	/* may the group take so many bytes more?  NULL: it may */
	bool		(*has_room) (const struct ClassicGroup *group, Size bytes);

	/* a member is removed because it was missed; throws nothing */
	void		(*gone) (struct ClassicGroup *group, const ClassicMember *member, const char *why);

	/* what a member is told of an assignment that is stored; palloc'd or the assignment itself.  NULL: all of it */
	KafkaBytes	(*told) (const struct ClassicGroup *group, KafkaBytes assignment);
} ClassicGroupActions;

/* A protocol that members support. */
typedef struct ClassicGroupProtocol
{
	IdTableEntry by_name;		/* with a zero byte behind the name */
	dlist_node	node;
	int32		members;		/* that support it */
	int32		votes;
	const ClassicMember *last;	/* who was counted last, as one may name it twice */
} ClassicGroupProtocol;

typedef struct ClassicGroup
{
	const ClassicGroupActions *actions;
	void	   *owner;			/* of the caller, for its actions */
	ClassicGroupState state;
	int32		generation;
	int32		last_used;		/* generations up to it may have been used before the group was loaded */
	int32		reserved;		/* those up to it may be used */
	int32		next_reserved;	/* the same when what was written is durable */
	char	   *protocol_type;	/* NULL: none yet */
	ClassicGroupProtocol *protocol; /* that the generation uses; NULL: none */
	ClassicMember *leader;		/* NULL: none */

	IdTable		by_id;			/* members, and pending ones */
	IdTable		by_instance;
	IdTable		by_protocol;
	dlist_head	members;		/* in the order in which they came */
	dlist_head	pending;
	dlist_head	removed;		/* members that are gone, and are stored yet */
	dlist_head	protocols;
	DeadlineHeap	sessions;
	int32		member_count;
	int32		pending_count;
	int32		joining_count;
	int32		sync_due_count;
	int32		replacing_count;
	Size		bytes;			/* that it takes, with its members */

	int64		join_deadline;	/* end of PREPARING_REBALANCE */
	int64		sync_deadline;	/* by when all must have sent SyncGroup */
	bool		initial;		/* the rebalance is that of an empty group, which waits for more members */
	bool		member_added;	/* since that wait has begun or was extended */
	int64		initial_left;	/* by how much it may still be extended */
	bool		reserving;		/* in PREPARING_REBALANCE: the next generation, which is told when it is reserved */
	bool		storing;		/* assignments, in COMPLETING_REBALANCE */
	bool		rebalance_due;	/* members have not all that they are to have: whoever loads the group has to rebalance it */
} ClassicGroup;

/* Settings, in milliseconds where they are times. */
typedef struct ClassicGroupSettings
{
	int32		initial_rebalance_delay;
	int32		new_member_join_timeout;
	int32		max_size;
	int32		reserve;		/* so many generations at once */
} ClassicGroupSettings;

extern ClassicGroupSettings pgt_classic_group_settings;

/* What all groups take, with their members. */
extern Size pgt_classic_group_total_bytes;

#define CLASSIC_GROUP_MAX_PROTOCOLS	100 /* of a member */

/* A new group, which is empty.  Takes memory. */
extern ClassicGroup *pgt_classic_group_make(const ClassicGroupActions *actions, void *owner);

/* Remove a group and all that it has.  Requests that wait for it are answered. */
extern void pgt_classic_group_free(ClassicGroup *group, KafkaError error);

/* All requests that wait for it are answered with that error, and its members are told their ids. */
extern void pgt_classic_group_refuse_waiting(ClassicGroup *group, KafkaError error);

/* The next moment at which pgt_classic_rebalance_tick() has something to do, or earlier; DEADLINE_NEVER: none. */
extern int64 pgt_classic_group_deadline(const ClassicGroup *group);

/* As Kafka writes it. */
extern const char *pgt_classic_group_state_name(const ClassicGroup *group);

/* The connection of a request that waits is closed.  Its member remains until it is silent for too long. */
extern void pgt_classic_group_drop(ClassicGroup *group, ClassicMemberWait *wait, int64 now);

/*
 * The group is about to be stored: up to which generation it may be used without being stored again.  Whoever loads it must
 * not use any of these for another one.
 */
extern int32 pgt_classic_group_reserve_generations(ClassicGroup *group);

/* Forget the members that are gone and were stored. */
extern void pgt_classic_group_forget_removed(ClassicGroup *group);

/* ---- loading ------------------------------------------------------------------------ */

/* Take memory. */
extern void pgt_classic_group_load(ClassicGroup *group, const char *protocol_type, int32 generation, int32 last_used);
extern void pgt_classic_group_load_member(ClassicGroup *group, const ClassicMemberOrigin *origin,
										  const KafkaJoinGroupRequestProtocol *protocols, int32 protocol_count,
										  KafkaBytes assignment, int64 now);
extern void pgt_classic_group_loaded(ClassicGroup *group, KafkaString protocol, KafkaString leader);

/* Remove all members of a group that was loaded, which then is empty. */
extern void pgt_classic_group_reset(ClassicGroup *group);

/* ---- for the files of this group ---------------------------------------------------- */

/* A member of that id, joined or pending; NULL: there is none. */
extern ClassicMember *pgt_classic_group_find(const ClassicGroup *group, KafkaString id);
extern ClassicMember *pgt_classic_group_find_instance(const ClassicGroup *group, KafkaString instance_id);

/* Is that member, with that instance id or null, one of the group?  Else UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID. */
extern KafkaError pgt_classic_group_check_member(const ClassicGroup *group, KafkaString id, KafkaString instance_id);

/* Does the group support one of these protocols with all its members? */
extern bool pgt_classic_group_supports(const ClassicGroup *group, KafkaString protocol_type,
									   const KafkaJoinGroupRequestProtocol *protocols, int32 count);

/* Is there room for so many bytes more? */
extern bool pgt_classic_group_has_room(const ClassicGroup *group, Size bytes);

/* Have memory for one more member, and for these protocols.  Takes memory. */
extern void pgt_classic_group_reserve(ClassicGroup *group, const ClassicMemberProtocols *protocols);

/* Add a member, or a pending one.  There is memory. */
extern void pgt_classic_group_add(ClassicGroup *group, ClassicMember *member);
extern void pgt_classic_group_add_pending(ClassicGroup *group, ClassicMember *member);

/* Remove one, of either kind.  Its requests are answered with that error. */
extern void pgt_classic_group_remove(ClassicGroup *group, ClassicMember *member, KafkaError error);

/* Let a member take the place of another one with the same instance id.  There is memory. */
extern void pgt_classic_group_replace(ClassicGroup *group, ClassicMember *old, ClassicMember *member);

/* Give a member other protocols.  There is memory. */
extern void pgt_classic_group_set_protocols(ClassicGroup *group, ClassicMember *member, ClassicMemberProtocols *protocols);

/* What a member is told of its assignment. */
extern KafkaBytes pgt_classic_group_told(const ClassicGroup *group, const ClassicMember *member);

/* Let the leader's assignments be those of all members, or let none have one. */
extern void pgt_classic_group_take_assignments(ClassicGroup *group);
extern void pgt_classic_group_clear_assignments(ClassicGroup *group);

/* What the leader has sent for a member; the bytes are the group's from now on. */
extern void pgt_classic_group_set_next_assignment(ClassicGroup *group, ClassicMember *member, KafkaBytes assignment);

/* Let a request wait; one that did already is answered. */
extern void pgt_classic_group_begin_join(ClassicGroup *group, ClassicMember *member, ClassicMemberWait *wait);
extern void pgt_classic_group_begin_sync(ClassicGroup *group, ClassicMember *member, ClassicMemberWait *wait);

/* Answer it, if it waits. */
extern void pgt_classic_group_end_join(ClassicGroup *group, ClassicMember *member, const ClassicGroupJoined *answer);
extern void pgt_classic_group_fail_join(ClassicGroup *group, ClassicMember *member, KafkaError error, const char *id);
extern void pgt_classic_group_end_sync(ClassicGroup *group, ClassicMember *member, KafkaError error);

/* What a member that has joined the generation is told. */
extern ClassicGroupJoined pgt_classic_group_joined(const ClassicGroup *group, const ClassicMember *member);

/* A member is to send SyncGroup; or it has. */
extern void pgt_classic_group_set_sync_due(ClassicGroup *group, ClassicMember *member, bool due);

/* A member was heard of. */
extern void pgt_classic_group_touch(ClassicGroup *group, ClassicMember *member, int64 now);

/* The longest rebalance timeout of all members, in microseconds. */
extern int64 pgt_classic_group_rebalance_timeout(ClassicGroup *group);

/* The generation after this one. */
extern int32 pgt_classic_group_next_generation(const ClassicGroup *group);

/* Have all members joined, and none was given an id and is awaited? */
extern bool pgt_classic_group_all_joined(const ClassicGroup *group);

/* The protocol that most members want of those that all support; NULL where there are no members. */
extern ClassicGroupProtocol *pgt_classic_group_vote(ClassicGroup *group);

/* The generation uses this protocol from now on; NULL: none. */
extern void pgt_classic_group_use_protocol(ClassicGroup *group, ClassicGroupProtocol *protocol);

#endif							/* CLASSIC_GROUP_H */
