/*
 * share_group.h
 *	  Share groups: many consumers of one partition, each record by itself.
 */
#ifndef SHARE_GROUP_H
#define SHARE_GROUP_H

#include "group/group_types.h"
#include "share/share_row.h"
#include "share/share_table.h"
#include "topic/topic.h"

/* A group in a topic, and the schema of the extension's tables. */
typedef struct ShareGroup
{
	ConsumerGroup group;
	Oid			schema;
} ShareGroup;

/* The offset at which a group begins that is new in a partition; may be an ERROR. */
typedef int64 (*ShareFirstOffset) (const TopicPartition *key, void *arg);

/* The group of that name as the SQL function "function" uses it; ERROR where the name cannot be one. */
extern void pgt_share_group_init(ShareGroup *group, Oid function, Oid topic, const char *id);

/*
 * Enter the slot of the group in a partition, for the time of the transaction.  The group is made where
 * there is none and "first" is not NULL: it begins at that offset.  NULL: there is none.
 *
 * ERROR where the user may not use the group, it is being deleted, a group of another kind has the
 * name, or all slots are in use.
 */
extern ShareSlot *pgt_share_group_enter(const ShareGroup *group, int32 partition, ShareFirstOffset first, void *arg);

/*
 * The same for a process that waits for nobody.  False: somebody is in the way for the moment, and nothing was done.  A slot of a group
 * that is new is not "durable" until the transaction has committed.
 */
extern bool pgt_share_group_try_enter(const ShareGroup *group, int32 partition, ShareFirstOffset first, void *arg,
									  ShareSlot **slot);

/* How records are acquired. */
typedef struct ShareTake
{
	int32		most;			/* so many at most */
	int64		from;			/* none before this offset */
	int64		lease_ms;		/* 0: until the transaction ends */
	bool		auto_acknowledge;	/* without a lease: accept at commit what is not acknowledged by then */
} ShareTake;

/* Acquire records of a slot that the transaction has entered; as pgt_share_window_acquire(). */
extern int	pgt_share_group_acquire(ShareSlot *slot, const ShareTake *take, ShareRange *ranges, int capacity);

/*
 * Acquire records that are rejected, which nobody else gets, to send them to the dead-letter topic and archive them; no delivery
 * is counted.
 */
extern int	pgt_share_group_acquire_rejected(ShareSlot *slot, ShareRange *ranges, int capacity);

/* What acquired offsets are after all: not read, or without a record. */
extern void pgt_share_group_give_back(ShareSlot *slot, int64 first, int64 last);
extern void pgt_share_group_skip(ShareSlot *slot, int64 first, int64 last);

/* What to do with a record that is acquired. */
typedef struct ShareAcknowledgement
{
	bool		renews;			/* let its lease end lease_ms from now; else: */
	ShareRecordState outcome;	/* SHARE_ACKNOWLEDGED, SHARE_ARCHIVED, SHARE_AVAILABLE */
	int64		lease_ms;
	int			deliveries;		/* refuse unless it was delivered so often; SHARE_ANY_DELIVERY */
} ShareAcknowledgement;

/*
 * Acknowledge or renew a record with the transaction.  *deliveries becomes how often it was delivered, where the
 * answer is SHARE_DONE.
 */
extern ShareAnswer pgt_share_group_acknowledge(ShareSlot *slot, int64 offset, const ShareAcknowledgement *what,
											   int *deliveries);

/* How often a record was delivered; 0 for one that is not in flight. */
extern int	pgt_share_group_deliveries(ShareSlot *slot, int64 offset);

/*
 * The first offset from "from" on, before log_end, that could be acquired now; -1: there is none.  *expires_in_ms is the
 * time until a lease ends; -1: there is no lease.
 */
extern int64 pgt_share_group_next_available(ShareSlot *slot, int64 from, int64 log_end, int64 *expires_in_ms);

/*
 * Delete the group in its topic with the transaction; returns the number of its partitions.  ERROR where a transaction
 * uses it, or, unless "force", a lease lasts.
 */
extern int	pgt_share_group_delete(const ShareGroup *group, bool force);

/* The same without "force" and without waiting.  False: somebody is in the way for the moment. */
extern bool pgt_share_group_try_delete(const ShareGroup *group);

/*
 * Let the group begin anew in a partition with the transaction, at this offset: whatever it was done with is forgotten.  ERROR where somebody
 * uses the partition.
 */
extern void pgt_share_group_restart(const ShareGroup *group, int32 partition, int64 offset);

/* Let the group belong to another role in its topic with the transaction; returns the number of partitions. */
extern int	pgt_share_group_set_owner(const ShareGroup *group, Oid owner);

/* The role that the group belongs to in its topic; GROUP_UNCLAIMED where there is no such group. */
extern Oid	pgt_share_group_owner(const ShareGroup *group);

/* Is there a share group of that name in this database, committed or not? */
extern bool pgt_share_group_exists(Oid schema, const char *id);

/* A share partition as somebody sees it. */
typedef struct ShareStatus
{
	ShareRow	row;			/* its states are not set */
	int64		start_offset;
	int64		end_offset;
	int64		available;		/* records by their states, from start to end */
	int64		acquired;
	int64		pending;		/* also those that are rejected, and wait for the dead-letter topic */
	int64		finished;
	int64		redelivered;	/* not finished and delivered more than once */
	int			most_deliveries;
	int64		next_expiry;	/* ms since 1970; SHARE_NO_LEASE: none */
} ShareStatus;

/* The state of a share partition that has this row. */
extern void pgt_share_group_status(Oid schema, const ShareRow *row, ShareStatus *status);

/*
 * The lowest offset that a share group is not done with in a partition: of the groups of these names, or with NIL of
 * all that the topic has.  A group that has not begun there counts as 0; PG_INT64_MAX where there is no group.  *others are the
 * names that are no share groups' of the topic.
 */
extern int64 pgt_share_group_consumed(Oid topic, int32 partition, List *names, List **others);

/* Install what this folder needs; called once per process. */
extern void pgt_share_group_init_process(void);

#endif							/* SHARE_GROUP_H */
