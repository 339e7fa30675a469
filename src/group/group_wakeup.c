/*
 * group_wakeup.c
 *	  Waking waiting consumers when a transaction ends that owned partitions, or
 *	  that has changed what consumers can read.
 *
 * An append wakes only a few of the waiting consumers (topic_waiters.c).  A consumer so
 * woken may find that another consumer owns the partition, and that one may leave records
 * unread.  Therefore the owner, when its transaction ends, wakes one waiter of the group
 * for each partition that it owned and that still has records to read:
 *
 *	  commit		if the log has records behind the group's next offset, or
 *					the transaction has not set that offset
 *	  rollback		always, also of a savepoint: its records can be read again
 *	  prepare		not; COMMIT and ROLLBACK PREPARED wake all waiters (topic_ddl.c)
 *
 * Some commits wake all consumers that wait for a topic: when a group was moved back, when
 * members have joined or left, which changes the shares of all, and when the topic has
 * got more partitions.
 *
 * Memory: lists in TopTransactionContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "group/group_wakeup.h"
#include "log/topic_waiters.h"
#include "wal/log_writer.h"

typedef struct OwnedPartition
{
	TopicPartition key;
	uint64		group;
	int64		next;			/* NO_OFFSET: not set */
} OwnedPartition;

/* The partitions that this transaction owns; in TopTransactionContext. */
static List *owned = NIL;

/* Topics of which all waiters are woken if this transaction commits; in TopTransactionContext. */
static List *topics_to_wake = NIL;

/* The entry of a partition, or NULL. */
static OwnedPartition *
find_owned(Oid topic, int32 partition, uint64 group)
{
	ListCell   *cell;

	foreach(cell, owned)
	{
		OwnedPartition *entry = lfirst(cell);

		if (entry->key.topic == topic && entry->key.partition == partition && entry->group == group)
			return entry;
	}
	return NULL;
}

void
pgt_group_wakeup_note_owned(Oid topic, int32 partition, const char *group_id)
{
	uint64		group = pgt_topic_waiters_group(group_id);
	MemoryContext caller;
	OwnedPartition *entry;

	if (find_owned(topic, partition, group) != NULL)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	entry = palloc(sizeof(OwnedPartition));
	entry->key = (TopicPartition) {MyDatabaseId, topic, partition};
	entry->group = group;
	entry->next = NO_OFFSET;
	owned = lappend(owned, entry);
	MemoryContextSwitchTo(caller);
}

void
pgt_group_wakeup_note_next(Oid topic, int32 partition, const char *group_id, int64 next)
{
	OwnedPartition *entry = find_owned(topic, partition, pgt_topic_waiters_group(group_id));

	if (entry != NULL)
		entry->next = next;
}

/* May the partition have records behind the group's committed offset? */
static bool
goes_on(const OwnedPartition *entry)
{
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(&entry->key, &bounds);
	return entry->next == NO_OFFSET || entry->next < bounds.next_offset;
}

/* Wake a waiter for each owned partition that has records to read. */
static void
announce(bool committed)
{
	ListCell   *cell;

	foreach(cell, owned)
	{
		OwnedPartition *entry = lfirst(cell);

		if (!committed || goes_on(entry))
			pgt_topic_waiters_wake_one(MyDatabaseId, entry->key.topic, entry->key.partition, entry->group);
	}
}

void
pgt_group_wakeup_topic(Oid topic)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

	topics_to_wake = list_append_unique_oid(topics_to_wake, topic);
	MemoryContextSwitchTo(caller);
}

/* Wake all waiters of the noted topics. */
static void
announce_topics(void)
{
	ListCell   *cell;

	foreach(cell, topics_to_wake)
		pgt_topic_waiters_wake(MyDatabaseId, lfirst_oid(cell));
}

/* Transaction callback: wake waiters. */
static void
wakeup_xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (event == XACT_EVENT_COMMIT)
		announce_topics();
	if (event != XACT_EVENT_PREPARE)
		announce(event == XACT_EVENT_COMMIT);
	owned = NIL;
	topics_to_wake = NIL;
}

/*
 * Subtransaction callback: after a rollback to a savepoint wake waiters, since partitions may
 * be free again, and count no next offset as set.
 */
static void
wakeup_subxact_callback(SubXactEvent event, SubTransactionId subid,
						SubTransactionId parent, void *arg)
{
	ListCell   *cell;

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	announce(false);
	foreach(cell, owned)
		((OwnedPartition *) lfirst(cell))->next = NO_OFFSET;
}

void
pgt_group_wakeup_init(void)
{
	RegisterXactCallback(wakeup_xact_callback, NULL);
	RegisterSubXactCallback(wakeup_subxact_callback, NULL);
}
