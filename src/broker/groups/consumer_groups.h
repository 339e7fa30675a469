/*
 * consumer_groups.h
 *	  The groups of Kafka's new protocol, as the APIs find them.
 */
#ifndef CONSUMER_GROUPS_H
#define CONSUMER_GROUPS_H

#include "broker/groups/consumer_store.h"

/* What a member takes without what it is subscribed to, about. */
#define CONSUMER_GROUPS_MEMBER_BYTES	1024

/* Milliseconds by which groups reckon. */
extern int64 pgt_consumer_groups_now(void);

/* The group of that kind; NULL: it is none. */
extern ConsumerStoreGroup *pgt_consumer_groups_entry(const CoordinatorGroup *registered);

/* A new group of an id that is not known; NULL: the client may not use it.  In a transaction. */
extern ConsumerStoreGroup *pgt_consumer_groups_make(const BrokerConnection *client, KafkaString id);

/* The state that a group of the other kind is to have instead of its own, or not, and then is discarded.  Takes memory. */
extern ConsumerStoreGroup *pgt_consumer_groups_draft(CoordinatorGroup *registered);
extern void pgt_consumer_groups_discard(ConsumerStoreGroup *entry);

/* May members tell the group of so many bytes more that it is to keep?  Of a draft: may it become the group with those? */
extern bool pgt_consumer_groups_has_room(const ConsumerStoreGroup *entry, Size bytes);

/* Call after whatever may have changed a group: its rows are written at the end of the turn, and it is woken in time. */
extern void pgt_consumer_groups_settle(ConsumerStoreGroup *entry);

/* Whoever lets groups become others is told of each: it is made, which may take memory; it may have changed; it is to be freed. */
typedef struct ConsumerGroupsWatcher
{
	void		(*made) (ConsumerStoreGroup *entry);
	void		(*changed) (ConsumerStoreGroup *entry);
	void		(*forgotten) (ConsumerStoreGroup *entry);
} ConsumerGroupsWatcher;

/* Called at the start, before there is a group. */
extern void pgt_consumer_groups_watch(const ConsumerGroupsWatcher *watcher);

extern const BrokerHooks pgt_consumer_groups_hooks;

#endif							/* CONSUMER_GROUPS_H */
