/*
 * group_wakeup.c
 *	  Waking waiting consumers when a transaction ends: for a partition that its
 *	  owner gives up, and for what else no append announces.
 *
 * An append wakes few of the consumers that wait (topic_waiters.c).  What they
 * find owned by another consumer, or what that one leaves, is announced by its
 * owner when it lets go: to one waiter of the group for each partition that
 * still has something to read.
 *
 *	  commit		the log goes on behind the group's next offset, or that
 *					was not set
 *	  rollback		always, of a savepoint too: the records are there again
 *	  prepared		when it ends it wakes all waiters (topic_ddl.c)
 *
 * A group that is moved back has something to read again, members that come or
 * go change the shares of all, and a topic gets partitions: such a commit wakes
 * everybody who waits for the topic.
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

/* What this transaction owns; in TopTransactionContext. */
static List *owned = NIL;

/* Topics whose waiters it wakes, all of them, if it commits; in TopTransactionContext. */
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
	uint64		group = pgt_wait_group(group_id);
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
	OwnedPartition *entry = find_owned(topic, partition, pgt_wait_group(group_id));

	if (entry != NULL)
		entry->next = next;
}

/* Is there something to read behind what the group has committed? */
static bool
goes_on(const OwnedPartition *entry)
{
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(&entry->key, &bounds);
	return entry->next == NO_OFFSET || entry->next < bounds.next_offset;
}

/* Wake for each partition that has something to read. */
static void
announce(bool committed)
{
	ListCell   *cell;

	foreach(cell, owned)
	{
		OwnedPartition *entry = lfirst(cell);

		if (!committed || goes_on(entry))
			pgt_topic_wake_one(MyDatabaseId, entry->key.topic, entry->key.partition, entry->group);
	}
}

void
pgt_group_wakeup_topic(Oid topic)
{
	MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

	topics_to_wake = list_append_unique_oid(topics_to_wake, topic);
	MemoryContextSwitchTo(caller);
}

/* Wake all who wait for such a topic. */
static void
announce_topics(void)
{
	ListCell   *cell;

	foreach(cell, topics_to_wake)
		pgt_topic_wake(MyDatabaseId, lfirst_oid(cell));
}

/* The transaction ends. */
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

/* A savepoint is rolled back: what it owned is free again, what it has set is not. */
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
