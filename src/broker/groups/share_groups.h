/*
 * share_groups.h
 *	  The share groups of Kafka's clients, as the APIs find them.
 */
#ifndef SHARE_GROUPS_H
#define SHARE_GROUPS_H

#include "broker/groups/group_coordinator.h"
#include "coordinator/share_members.h"

/* A group, with what connects it with the server. */
typedef struct ShareGroupEntry
{
	CoordinatorGroup *registered;
	ShareMembers *members;
	MemoryContext memory;		/* of all that belongs to the group */
	EventLoopTimer timer;		/* members' sessions */
	int64		empty_since;	/* ms of the shifted clock; 0: it has members */
} ShareGroupEntry;

/* The group of that kind; NULL: it is none. */
extern ShareGroupEntry *pgt_share_groups_entry(const CoordinatorGroup *registered);

/* The member of a group; NULL: there is no such group, or no such member. */
extern ShareMember *pgt_share_groups_member(KafkaString group, KafkaString member);

/* A new group of an id that is not known; NULL: the client may not use it.  In a transaction. */
extern ShareGroupEntry *pgt_share_groups_make(const BrokerConnection *client, KafkaString id);

/* May members tell the group of so many bytes more that it is to keep? */
extern bool pgt_share_groups_has_room(const ShareGroupEntry *entry, Size bytes);

/* Call after whatever may have changed a group. */
extern void pgt_share_groups_settle(ShareGroupEntry *entry);

extern const BrokerHooks pgt_share_groups_hooks;

#endif							/* SHARE_GROUPS_H */
