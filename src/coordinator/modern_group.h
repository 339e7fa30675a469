/*
 * modern_group.h
 *	  A group of Kafka's new consumer protocol (KIP-848) as a state machine.
 *
 * Members send heartbeats.  Each heartbeat says what has changed on the member's side, and its answer what
 * has changed on the coordinator's.  There is no barrier at which all members meet, as in the classic protocol:
 * each one goes by itself from what it has to what it is to have.
 *
 *	  group epoch		moves when subscriptions, members or topics change
 *	  assignment epoch	the group epoch for which the target assignment has been computed
 *	  member epoch		the assignment epoch that the member has reached
 *
 *	  STABLE ---- a newer target ----> UNREVOKED ---- it has given up what it must ----> UNRELEASED or STABLE
 *		^								  (it stays in its epoch)							  |
 *		+-------------------- others have given up what it waits for ------------------------+
 *
 * What of a partition is true is in one place, ModernPartition: who owns it, and who is to own it.  So no
 * partition has two owners, by the form of the data.  A member owns what it was told and has not
 * confirmed that it has given up; "revoking" marks what it was told to give up.
 *
 * Some members may speak the classic protocol, by JoinGroup, SyncGroup, Heartbeat and LeaveGroup: those of a classic group
 * that has become this one (group_migration.c), and those that come later.  Their generation is their member epoch.  They
 * join again when a heartbeat tells them to, which is their step towards the target.
 *
 * Files: modern_group.c keeps members and modern_topics.c their topics; modern_heartbeat.c takes requests, and
 * modern_classic.c those of the classic protocol; modern_target.c computes the target; modern_reconcile.c moves a member
 * towards it; modern_format.c turns all into bytes and back.
 *
 * Memory.  A group has a context of its own, "memory".  What is only needed for a call is palloc'd in the
 * caller's context, and left there.
 *
 * Errors.  Functions that change a group take all memory, and call back whatever may throw, before they
 * change anything; pgt_modern_group_heartbeat() does so in three steps, each of which leaves a
 * sound group.
 *
 * Times are milliseconds of any clock that does not go back.
 */
#ifndef MODERN_GROUP_H
#define MODERN_GROUP_H

#include "coordinator/assignor.h"
#include "coordinator/classic_member.h"
#include "kafka/kafka_error.h"
#include "kafka/kafka_messages.h"
#include "lib/stringinfo.h"
#include "utils/palloc.h"

/* Epochs of requests that are none. */
#define MODERN_EPOCH_JOIN			0
#define MODERN_EPOCH_LEAVE			(-1)
#define MODERN_EPOCH_LEAVE_STATIC	(-2)

/* A group and an assignment begin with this epoch, as in Kafka. */
#define MODERN_EPOCH_FIRST			1

#define MODERN_NEVER	PG_INT64_MAX

/* Members of the classic protocol may allow no time for what they are to do, and have some all the same: ms. */
#define MODERN_LEAST_WAIT	100

/* Topics that a member may be subscribed to by name. */
#define MODERN_NAMES_MAX	20000

typedef enum ModernState
{
	MODERN_STABLE,				/* it has what the target of its epoch says */
	MODERN_UNREVOKED,			/* it has to give something up before it gets to the next epoch */
	MODERN_UNRELEASED			/* it waits for what others still own */
} ModernState;

/* What a member is subscribed to.  Members with the same subscription share one. */
typedef struct ModernSubscription
{
	char	  **names;			/* of topics, sorted, each once */
	int32		count;
	struct ModernRegex *regex;	/* NULL: none */
	int32		users;			/* members */
	KafkaUuid  *ids;			/* of the topics that it led to at the last look, sorted; NULL: there was none */
	int32		id_count;
} ModernSubscription;

/* A regular expression, and the topics that it has been found to match. */
typedef struct ModernRegex
{
	char	   *pattern;
	char	  **names;			/* sorted */
	int32		count;
	int32		users;			/* members */
} ModernRegex;

/* A member id that is no member's any more: its row is to be deleted. */
typedef struct ModernGone
{
	struct ModernGone *next;
	char	   *id;
} ModernGone;

typedef struct ModernMember
{
	char	   *id;
	char	   *instance_id;	/* NULL: it is no static member */
	char	   *rack_id;		/* NULL: it has named none */
	char	   *client_id;
	char	   *client_host;
	int32		rebalance_timeout;	/* -1: not known */
	const Assignor *assignor;	/* that it asks for; NULL: any */
	ModernSubscription *subscription;
	int32		epoch;
	int32		previous_epoch; /* the answer with the newer one may have been lost */
	ModernState state;
	int32		index;			/* in group->members */
	int64		session_deadline;
	int64		revoke_deadline;	/* MODERN_NEVER: it has nothing to give up */
	bool		dirty;			/* its row is to be written */
	bool		reclaims;		/* what it owns may be claimed under the id that it had before, or not at all */
	int64		claim_retry;	/* a claim was refused: until then it is not worth while to try it again */
	int32		claim_pause;	/* ms, which grows while claims are refused; 0: none was */
	ModernGone *gone;			/* for when it goes */

	/* one that speaks the classic protocol */
	ClassicMemberProtocols *protocols;	/* NULL: it speaks the new one */
	int32		session_timeout;	/* ms */
	int64		rejoin_deadline;	/* it was told to join again, by then; MODERN_NEVER: it was not */
	int64		sync_deadline;	/* it is to ask for its assignment by then; MODERN_NEVER: it has */
} ModernMember;

typedef struct ModernPartition
{
	ModernMember *owner;		/* NULL: nobody */
	ModernMember *target;		/* who is to own it; NULL: nobody */
	int32		epoch;			/* of the owner, when it got it */
	bool		revoking;		/* the owner is to give it up */
} ModernPartition;

typedef struct ModernTopic
{
	KafkaUuid	id;
	char	   *name;			/* as of the last look */
	bool		subscribed;		/* it exists, and a member is subscribed to it */
	int32		count;			/* of partitions, as of the last look */
	int32		room;			/* of "partitions"; those past count have no target */
	ModernPartition *partitions;
} ModernTopic;

typedef struct ModernGroup
{
	MemoryContext memory;
	int32		epoch;
	int32		assignment_epoch;
	ModernMember **members;		/* sorted by id */
	int32		member_count;
	int32		member_room;
	ModernSubscription **subscriptions;
	int32		subscription_count;
	int32		subscription_room;
	ModernRegex **regexes;
	int32		regex_count;
	int32		regex_room;
	ModernTopic **topics;		/* sorted by id: those subscribed to, and those of which somebody owns a part */
	int32		topic_count;
	uint64		topics_version; /* as of which topics have been looked at */
	uint64		names_hash;		/* of what all names led to */
	bool		stale;			/* look at topics again, whatever the version */
	bool		bump;			/* the group epoch is to move */
	int64		next_deadline;	/* no deadline is earlier */
	bool		dirty;			/* its row is to be written */
	ModernGone *gone;			/* whose rows are to be deleted */
} ModernGroup;

/* What the name of a topic leads to. */
typedef enum ModernLook
{
	MODERN_LOOK_NOTHING,
	MODERN_LOOK_TOPIC,
	MODERN_LOOK_BUSY			/* a topic, of which no more is known at the moment: it is what it was, and is looked at again */
} ModernLook;

/* What a group asks those who call it.  Both functions may throw errors. */
typedef struct ModernWorld
{
	int64		now;
	int32		session_timeout;	/* ms */
	int32		max_size;		/* members of a group */
	uint64		topics_version; /* another one than before: topics may have changed */
	const char *new_member_id;	/* for a member that brings none */
	const char *client_id;
	const char *client_host;

	/* a regular expression that is new to the group: the topics that it matches */
	char	  **matches;
	int32		match_count;

	/* the topic of a name; of a busy one only the id is told */
	ModernLook	(*describe) (void *arg, const char *name, KafkaUuid *id, int32 *partitions);

	/* may the member own the partition from now on?  Else it waits */
	bool		(*claim) (void *arg, const ModernTopic *topic, int32 partition, const ModernMember *member);
	void	   *arg;
} ModernWorld;

/* A JoinGroup: somebody who speaks the classic protocol becomes a member, or a member joins again. */
typedef struct ModernJoin
{
	KafkaString member;			/* the id that it was given; empty: none yet */
	KafkaString instance_id;	/* null: a dynamic member */
	KafkaString protocol_type;
	const KafkaJoinGroupRequestProtocol *protocols;
	int32		protocol_count;
	int32		session_timeout;
	int32		rebalance_timeout;
	bool		knows_ids;		/* its client can be told an id, and joins again with that */
} ModernJoin;

/* What to answer. */
typedef struct ModernAnswer
{
	KafkaError	error;
	const char *message;		/* for the client's log; NULL: what the error is called */
	ModernMember *member;		/* NULL with an error, and for one that has left */
	int32		epoch;
	bool		has_assignment; /* tell the member what it is to have: pgt_modern_group_assigned() */
} ModernAnswer;

/* ---- modern_group.c: members and topics ---------------------------------------------------- */

/* A group without members, in a context of its own. */
extern ModernGroup *pgt_modern_group_create(MemoryContext memory);

extern ModernMember *pgt_modern_group_find_member(const ModernGroup *group, KafkaString id);
extern ModernMember *pgt_modern_group_find_static(const ModernGroup *group, KafkaString instance);
extern ModernTopic *pgt_modern_group_find_topic(const ModernGroup *group, const KafkaUuid *id);
extern ModernRegex *pgt_modern_group_find_regex(const ModernGroup *group, KafkaString pattern);

/* Is a member subscribed to the topic? */
extern bool pgt_modern_group_is_subscribed(const ModernGroup *group, const char *topic);
extern bool pgt_modern_group_subscription_leads_to(const ModernSubscription *subscription, const KafkaUuid *topic);

/* How many members speak the classic protocol. */
extern int32 pgt_modern_group_count_classic(const ModernGroup *group);

/* "Empty", "Assigning", "Reconciling" or "Stable". */
extern const char *pgt_modern_group_state_name(const ModernGroup *group);

/* The assignor that most members ask for. */
extern const Assignor *pgt_modern_group_assignor(const ModernGroup *group);

/* A subscription to these names, in any order, and to what the expression matches, unless that is NULL. */
extern ModernSubscription *pgt_modern_group_subscribe(ModernGroup *group, const KafkaString *names, int32 count,
													  ModernRegex *regex);
extern ModernRegex *pgt_modern_group_add_regex(ModernGroup *group, KafkaString pattern, char **names, int32 count);

/* Count how many members use each subscription and expression; forget what none uses any more. */
extern void pgt_modern_group_count_users(ModernGroup *group);
extern void pgt_modern_group_sweep(ModernGroup *group);

/* Another look at what a regular expression matches. */
extern void pgt_modern_group_set_matches(ModernGroup *group, ModernRegex *regex, char **names, int32 count);

/* Room for one more member; then adding it needs no memory. */
extern void pgt_modern_group_make_room(ModernGroup *group);
extern void pgt_modern_group_add_member(ModernGroup *group, ModernMember *member);

/* A static member's place is taken by another id, which is allocated in the group's memory. */
extern void pgt_modern_group_rename_member(ModernGroup *group, ModernMember *member, char *id);

/* The rows of group->gone are deleted. */
extern void pgt_modern_group_forget_gone(ModernGroup *group);

/* Remove a member, with all that it owns, and free it.  The group epoch moves. */
extern void pgt_modern_group_remove_member(ModernGroup *group, ModernMember *member);

/* Deadlines of a member were set. */
extern void pgt_modern_group_note_deadlines(ModernGroup *group, const ModernMember *member);

/* ---- modern_topics.c: what members are subscribed to ------------------------------------------- */

/* Look at all topics that members are subscribed to.  Where something has changed, group->bump is set. */
extern void pgt_modern_group_look_at_topics(ModernGroup *group, const ModernWorld *world);

/* Remove members whose time is over: call gone() before each of them.  Returns how many. */
extern int	pgt_modern_group_expire(ModernGroup *group, int64 now,
									void (*gone) (ModernMember *member, const char *why, void *arg), void *arg);

/* The server has started again: all members have their full time. */
extern void pgt_modern_group_renew_deadlines(ModernGroup *group, int64 now, int32 session_timeout);

/* ---- modern_heartbeat.c ---------------------------------------------------------------------- */

/* What is wrong with a request by itself; NULL: nothing.  *error is the code. */
extern const char *pgt_modern_group_check_request(const KafkaConsumerGroupHeartbeatRequest *request, int version,
												  KafkaError *error);

/*
 * A request that has passed the check is about to be served: if it is that of a new member with an id, the group has that member from
 * now on.  So of several that join at once none is given what is another one's.
 */
extern void pgt_modern_group_announce(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request,
									  const ModernWorld *world);

/* Serve a request that has passed the check. */
extern void pgt_modern_group_heartbeat(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request,
									   const ModernWorld *world, ModernAnswer *answer);

/* Let a member that speaks the classic protocol join by a request that says the same, and has passed no check. */
extern void pgt_modern_group_serve_join(ModernGroup *group, const KafkaConsumerGroupHeartbeatRequest *request,
										const ModernJoin *join, const ModernWorld *world, ModernAnswer *answer);

/* Has the group no place for one more member with these ids? */
extern bool pgt_modern_group_is_full(const ModernGroup *group, const ModernWorld *world, KafkaString member,
									 KafkaString instance);

/* ---- modern_classic.c: requests of members that speak the classic protocol ---------------------- */

/*
 * JoinGroup.  The member's epoch is the generation, and the first of its protocols is that of the generation.
 * MEMBER_ID_REQUIRED: world->new_member_id is its id.
 */
extern void pgt_modern_group_join_classic(ModernGroup *group, const ModernJoin *join, const ModernWorld *world,
										  ModernAnswer *answer);

/* What a member says with its other requests.  Strings may be null where it does not say it. */
typedef struct ModernClassicCall
{
	KafkaString member;
	KafkaString instance_id;
	int32		generation;
	KafkaString protocol_type;	/* of SyncGroup, as the following */
	KafkaString protocol;
} ModernClassicCall;

/* SyncGroup, whose answer has the assignment of *member.  Heartbeat: REBALANCE_IN_PROGRESS where it is to join again. */
extern KafkaError pgt_modern_group_sync_classic(ModernGroup *group, const ModernClassicCall *call, int64 now,
												const ModernMember **member);
extern KafkaError pgt_modern_group_beat_classic(ModernGroup *group, const ModernClassicCall *call, int64 now);

/* LeaveGroup: a member goes, whichever protocol it speaks, or the static one of an instance id. */
extern KafkaError pgt_modern_group_leave_classic(ModernGroup *group, KafkaString member, KafkaString instance_id);

/* Append what is assigned to a member, as its protocol has it; with "all" also what it is to give up yet.  Takes memory. */
extern void pgt_modern_group_put_assignment(const ModernGroup *group, const ModernMember *member, bool all, StringInfo out);

/* ---- modern_target.c -------------------------------------------------------------------------- */

/* Compute who is to own what, if the group epoch has moved since. */
extern void pgt_modern_group_compute_target(ModernGroup *group);

/* ---- modern_reconcile.c ----------------------------------------------------------------------- */

typedef struct ModernOwned
{
	const KafkaConsumerGroupHeartbeatRequestTopicPartitions *items;
	int32		count;
} ModernOwned;

/*
 * Move a member towards the target as far as it goes.  "owned" is what it says it owns, count -1: it says
 * nothing.  Returns whether what is assigned to it has changed.
 */
extern bool pgt_modern_group_reconcile(ModernGroup *group, ModernMember *member, const ModernWorld *world,
									   const ModernOwned *owned, bool subscription_changed);

/* Is all that a member says it owns assigned to it? */
extern bool pgt_modern_group_owns_less(const ModernGroup *group, const ModernMember *member, const ModernOwned *owned);

/* Is a partition that the member is to have another one's yet? */
extern bool pgt_modern_group_waits_for_others(const ModernGroup *group, const ModernMember *member);

/* Call for each partition that is assigned to a member, or, with "revoking", that it is to give up. */
extern void pgt_modern_group_assigned(const ModernGroup *group, const ModernMember *member, bool revoking,
									  void (*take) (const ModernTopic *topic, int32 partition, void *arg), void *arg);

/* A partition that was assigned to its owner could not be claimed after all: the owner is not told of it. */
extern void pgt_modern_group_withdraw(ModernGroup *group, ModernTopic *topic, int32 partition);

#endif							/* MODERN_GROUP_H */
