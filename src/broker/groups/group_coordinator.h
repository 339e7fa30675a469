/*
 * group_coordinator.h
 *	  The groups of the database that Kafka's clients use: which there are, and what other APIs ask of them.
 *
 * Groups live in the memory of the process that serves the database.  A group has one kind at a time: classic
 * (JoinGroup, coordinator/classic_group.h), consumer (ConsumerGroupHeartbeat, KIP-848) or share (ShareGroupHeartbeat,
 * KIP-932); and an id stands for one group.
 *
 * The file of a kind keeps its groups' state, and writes their rows.  It tells of itself by pgt_group_coordinator_set_kind(),
 * when it starts; its hooks come before those of this file.
 */
#ifndef GROUP_COORDINATOR_H
#define GROUP_COORDINATOR_H

#include "broker/core/broker.h"
#include "coordinator/id_table.h"
#include "group/kafka_group_row.h"
#include "kafka/kafka_error.h"
#include "lib/ilist.h"

/* A group, as the registry has it.  Strings belong to it. */
typedef struct CoordinatorGroup
{
	char	   *id;
	Oid			owner;			/* the role that it belongs to, as was last heard: see group_owner.h */
	KafkaGroupKind kind;
	void	   *state;			/* of the kind's file; NULL: it has just been made */

	/* while it becomes one of another kind, which is not stored yet: what it was; NULL: it does not */
	void	   *former;
	KafkaGroupKind former_kind;

	/* of the registry */
	IdTableEntry by_id;
	uint64		number;			/* larger than those of groups that were there before */
	dlist_node	node;			/* in the order of these */

	/* of group_memory.c */
	Size		bytes;			/* that it takes */
	struct RoleMemory *memory_role; /* for which it counts; NULL: for none */

	/* of group_owner.c */
	uint64		owner_version;	/* the news as of which the owner is known; 0: it is not */
	int64		owner_asked;	/* when the rows were last read */
	bool		owner_moved;	/* the owner is not in the group's row yet */
	Oid			allowed_role;	/* one that may use the group, as of ... */
	uint64		allowed_version;	/* ... pgt_access_version() */
	Oid			denied_role;	/* likewise one that may not */
	uint64		denied_version;
} CoordinatorGroup;

/*
 * How far it was looked whether a member is subscribed to a topic.  Zeros: not at all.  What members say may be large, and may be
 * another thing with each slice.
 */
typedef struct CoordinatorSearch
{
	bool		more;			/* the slice was over before it was known */

	/* of the kind */
	char	   *member;			/* the id of the member at hand, palloc'd; NULL: it begins */
	int32		size;			/* bytes of its subscription, ... */
	int32		read;			/* ... of which so many were read, ... */
	int32		topics;			/* ... and so many topics are left */
} CoordinatorSearch;

/* What the file of a kind does for the registry. */
typedef struct CoordinatorKind
{
	/* Rows are read at the start: make group->state of one; add a member; all members were added.  NULL for a kind without rows. */
	void		(*load) (CoordinatorGroup *group, const KafkaGroupRow *row);
	void		(*load_member) (CoordinatorGroup *group, const KafkaGroupRow *group_row, const KafkaMemberRow *row);
	void		(*loaded) (CoordinatorGroup *group);

	/* Give the state back.  Requests that wait for it are answered. */
	void		(*forget) (CoordinatorGroup *group);

	/* The state is about to be another one's former: nothing may happen to it, until it goes on or is forgotten. */
	void		(*suspend) (CoordinatorGroup *group);
	void		(*resume) (CoordinatorGroup *group);

	/* As Kafka writes it in ListGroups. */
	const char *(*state_name) (CoordinatorGroup *group);
	const char *(*protocol_type) (CoordinatorGroup *group);
	bool		(*has_members) (CoordinatorGroup *group);

	/* Is it being stored, so that it cannot be deleted at the moment? */
	bool		(*is_busy) (CoordinatorGroup *group);

	/* Since when it has no members, in ms of the shifted clock; 0: it has some, or awaits some. */
	int64		(*empty_since) (CoordinatorGroup *group);

	/* See the functions of these names below. */
	bool		(*is_subscribed) (CoordinatorGroup *group, KafkaString topic, CoordinatorSearch *search);
	KafkaError	(*check_commit) (CoordinatorGroup *group, KafkaString member, KafkaString instance, int32 generation);
	KafkaError	(*check_fetch) (CoordinatorGroup *group, KafkaString member, int32 epoch);
} CoordinatorKind;

/* The functions that each kind has, in a file where they have the names of the fields; and those of a kind with rows besides. */
#define COORDINATOR_KIND_FUNCTIONS \
	.forget = forget, .suspend = suspend, .resume = resume, \
	.state_name = state_name, .protocol_type = protocol_type, .has_members = has_members, \
	.is_busy = is_busy, .empty_since = empty_since, \
	.is_subscribed = is_subscribed, .check_commit = check_commit, .check_fetch = check_fetch
#define COORDINATOR_KIND_ROWS \
	.load = load, .load_member = load_member, .loaded = loaded

extern void pgt_group_coordinator_set_kind(KafkaGroupKind kind, const CoordinatorKind *functions);
extern const CoordinatorKind *pgt_group_coordinator_kind(const CoordinatorGroup *group);

/* What group_owner.c does for the registry, in a transaction. */
typedef struct CoordinatorOwners
{
	/* Who is to own a group that is not known yet. */
	Oid			(*choose) (const BrokerConnection *client, const char *id);

	/* May the client use the group? */
	bool		(*may_use) (const BrokerConnection *client, CoordinatorGroup *group);
} CoordinatorOwners;

extern void pgt_group_coordinator_set_owners(const CoordinatorOwners *functions);

/* The context in which groups live. */
extern MemoryContext pgt_group_coordinator_memory(void);

/*
 * The group of that id; NULL where it is not known.  pgt_group_coordinator_make() makes it, owned by the client's
 * role, or by whom its rows of topic_group_offsets name; in a transaction.
 */
extern CoordinatorGroup *pgt_group_coordinator_find(KafkaString id);
extern CoordinatorGroup *pgt_group_coordinator_make(const BrokerConnection *client, KafkaString id, KafkaGroupKind kind);
extern void pgt_group_coordinator_remove(CoordinatorGroup *group);

/*
 * A group is about to be made: one of the other kind with that id, which is empty, is forgotten.  True: there was one, so that there
 * may be rows of its members, and claims, of which nobody knows any more but the new group.
 */
extern bool pgt_group_coordinator_give_way(KafkaString id);

/*
 * A group becomes one of another kind, with this state, at the end of a turn.  When it is known what has become of the turn,
 * either it has, or it is what it was.  All throw nothing.
 */
extern void pgt_group_coordinator_become(CoordinatorGroup *group, KafkaGroupKind kind, void *state);
extern void pgt_group_coordinator_became(CoordinatorGroup *group, bool stored);

/* Call it for all groups.  It may remove the group. */
extern void pgt_group_coordinator_each(void (*look) (CoordinatorGroup *group, void *arg), void *arg);

/*
 * A walk over the groups that there are when it begins, which may take many turns: those that are removed meanwhile are left
 * out.  "next" says the next group; NULL: the walk has ended.  One that does not come there must be ended by "end",
 * which may be called again.
 */
typedef struct CoordinatorWalk
{
	dlist_node	node;			/* of the walks that have not ended */
	dlist_node *next;			/* of a group; NULL: none is left */
	uint64		end;			/* the number of the first group that was not there yet */
	bool		under_way;
} CoordinatorWalk;

extern void pgt_group_coordinator_walk_begin(CoordinatorWalk *walk);
extern CoordinatorGroup *pgt_group_coordinator_walk_next(CoordinatorWalk *walk);
extern void pgt_group_coordinator_walk_end(CoordinatorWalk *walk);

/*
 * May requests about groups be served yet?  Else the error for them: COORDINATOR_LOAD_IN_PROGRESS while the groups
 * are read, NOT_COORDINATOR on a standby, INVALID_GROUP_ID for an id that is none, GROUP_AUTHORIZATION_FAILED where
 * the group belongs to a role that the client may not act for.  In a transaction.
 */
extern KafkaError pgt_group_coordinator_check(const BrokerConnection *client, KafkaString id);

/* The same for requests about no group in particular. */
extern KafkaError pgt_group_coordinator_check_active(void);

/* Can these bytes be stored as text, and are they not longer?  Null can. */
extern bool pgt_group_coordinator_is_text(KafkaString string, int32 most);

/*
 * May a member commit offsets, as of this generation or member epoch?  The error that Kafka gives where not:
 * UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS, STALE_MEMBER_EPOCH.  Without a
 * member (generation -1, empty id) it may where the group has none.  It counts as a heartbeat of a classic member.
 */
extern KafkaError pgt_group_coordinator_check_commit(KafkaString id, KafkaString member, KafkaString instance,
													 int32 generation);

/* The same for reading offsets as a member (OffsetFetch version 9). */
extern KafkaError pgt_group_coordinator_check_fetch(KafkaString id, KafkaString member, int32 epoch);

/*
 * Is a member of the group subscribed to the topic?  For OffsetDelete.  Where search->more is set it is not known yet, and to be asked
 * again in the next slice, with the same search.  Takes memory of the current context.
 */
extern bool pgt_group_coordinator_is_subscribed(KafkaString id, KafkaString topic, CoordinatorSearch *search);

/* Has the group members? */
extern bool pgt_group_coordinator_has_members(KafkaString id);

extern const BrokerHooks pgt_group_coordinator_hooks;

#endif							/* GROUP_COORDINATOR_H */
