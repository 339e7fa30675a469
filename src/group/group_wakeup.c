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
 *	  rollback		always: its records can be read again.  Of a savepoint: where it has owned
 *					the partition or has set the next offset
 *	  prepare		not; COMMIT and ROLLBACK PREPARED wake all waiters (topic_ddl.c)
 *
 * Some commits wake all consumers that wait for a topic: when a group was moved back, when
 * members have joined or left, which changes the shares of all, and when the topic has
 * got more partitions.
 *
 * A transaction may own all partitions of a large topic, and have a savepoint for each, so
 * what it owns is looked up in a table, once it is more than a few, with a version for each
 * subtransaction that has changed it (subxact_version.c).
 *
 * Memory: TopTransactionContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "group/group_wakeup.h"
#include "log/topic_waiters.h"
#include "util/subxact_version.h"
#include "wal/log_writer.h"

typedef struct OwnedKey
{
	TopicPartition partition;
	uint64		group;
} OwnedKey;

/* How a subtransaction left a partition that it owned. */
typedef struct OwnedVersion
{
	SubxactVersion version;
	int64		next;			/* NO_OFFSET: not set */
} OwnedVersion;

typedef struct OwnedPartition
{
	SubxactVersions versions;	/* OwnedVersion; none: not owned any more.  First: it is what is noted */
	OwnedKey	key;
} OwnedPartition;

/* An entry of the table. */
typedef struct OwnedPlace
{
	OwnedKey	key;
	OwnedPartition *partition;
} OwnedPlace;

/* So many partitions are looked through one by one; making the table takes longer. */
#define FEW_OWNED	16

/* The partitions that this transaction has owned; in TopTransactionContext. */
static OwnedPartition **owned = NULL;
static int	owned_count = 0;
static int	owned_capacity = 0;
static HTAB *places = NULL;		/* where they are; NULL while they are few */

/* Those with a version of a subtransaction. */
static SubxactStack touched;

/* Topics of which all waiters are woken if this transaction commits; in TopTransactionContext. */
static List *topics_to_wake = NIL;

/* Fill a key, its padding included. */
static void
owned_key(OwnedKey *key, Oid topic, int32 partition, const char *group_id)
{
	memset(key, 0, sizeof(*key));
	key->partition = (TopicPartition) {MyDatabaseId, topic, partition};
	key->group = pgt_topic_waiters_group(group_id);
}

/* The entry of a partition, or NULL. */
static OwnedPartition *
find_owned(const OwnedKey *key)
{
	if (places != NULL)
	{
		const OwnedPlace *place = hash_search(places, key, HASH_FIND, NULL);

		return place == NULL ? NULL : place->partition;
	}
	for (int i = 0; i < owned_count; i++)
	{
		if (memcmp(&owned[i]->key, key, sizeof(*key)) == 0)
			return owned[i];
	}
	return NULL;
}

/* Enter a partition into the table. */
static void
enter_place(OwnedPartition *partition)
{
	OwnedPlace *place = hash_search(places, &partition->key, HASH_ENTER, NULL);

	place->partition = partition;
}

/* Make the table of those that are owned by now. */
static void
make_places(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(OwnedKey);
	ctl.entrysize = sizeof(OwnedPlace);
	ctl.hcxt = TopTransactionContext;
	places = hash_create("pg_topics owned partitions", 4 * FEW_OWNED, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < owned_count; i++)
		enter_place(owned[i]);
}

/* Add a partition that has no entry yet. */
static OwnedPartition *
add_owned(const OwnedKey *key)
{
	OwnedPartition *partition = MemoryContextAllocZero(TopTransactionContext, sizeof(OwnedPartition));

	memcpy(&partition->key, key, sizeof(*key));
	if (owned_count == owned_capacity)
	{
		int			capacity = Max(FEW_OWNED, owned_capacity * 2);

		owned = owned == NULL ?
			MemoryContextAlloc(TopTransactionContext, capacity * sizeof(*owned)) :
			repalloc_huge(owned, capacity * sizeof(*owned));
		owned_capacity = capacity;
	}
	owned[owned_count++] = partition;
	if (places != NULL)
		enter_place(partition);
	else if (owned_count > FEW_OWNED)
		make_places();
	return partition;
}

/* Set the next offset, as the current subtransaction leaves it. */
static void
set_next(OwnedPartition *entry, int64 next)
{
	OwnedVersion *version = pgt_subxact_version_for(&entry->versions, &touched, TopTransactionContext,
													GetCurrentSubTransactionId(), sizeof(OwnedVersion));

	version->next = next;
}

void
pgt_group_wakeup_note_owned(Oid topic, int32 partition, const char *group_id)
{
	OwnedKey	key;
	OwnedPartition *entry;

	owned_key(&key, topic, partition, group_id);
	entry = find_owned(&key);
	if (entry == NULL)
		entry = add_owned(&key);
	if (entry->versions.top != NULL)
		return;
	set_next(entry, NO_OFFSET);
	pgt_topic_waiters_own(topic, partition, key.group);
}

bool
pgt_group_wakeup_owns(void)
{
	return owned_count > 0;
}

void
pgt_group_wakeup_note_next(Oid topic, int32 partition, const char *group_id, int64 next)
{
	OwnedKey	key;
	OwnedPartition *entry;

	owned_key(&key, topic, partition, group_id);
	entry = find_owned(&key);
	if (entry != NULL && entry->versions.top != NULL)
		set_next(entry, next);
}

bool
pgt_group_wakeup_will_come(const ConsumerGroup *group, int32 partition)
{
	return pgt_topic_waiters_is_owned(group->topic, partition, pgt_topic_waiters_group(group->id));
}

/* How many records the partition may have behind the group's committed offset. */
static int64
records_left(const OwnedPartition *entry)
{
	int64		next = ((const OwnedVersion *) entry->versions.top)->next;
	LogBounds	bounds;

	(void) pgt_partition_log_bounds(&entry->key.partition, &bounds);
	return next == NO_OFFSET ? NEWS_FORCED : bounds.next_offset - next;
}

/* Wake a waiter for a partition that has so many records to read. */
static void
announce_partition(const OwnedPartition *entry, int64 records)
{
	const TopicPartition *partition = &entry->key.partition;

	pgt_topic_waiters_announce_to(partition->database, partition->topic, partition->partition,
								  entry->key.group, records);
}

/*
 * Let go of all owned partitions, and wake a waiter for each one that has records to read.
 * What is appended from now on wakes waiters by itself.
 */
static void
announce(bool committed)
{
	pgt_topic_waiters_disown();
	for (int i = 0; i < owned_count; i++)
	{
		int64		records;

		if (owned[i]->versions.top == NULL)
			continue;
		records = committed ? records_left(owned[i]) : NEWS_FORCED;
		if (records > 0)
			announce_partition(owned[i], records);
	}
}

void
pgt_group_wakeup_topic(Oid topic)
{
	MemoryContext caller;

	if (topics_to_wake != NIL && llast_oid(topics_to_wake) == topic)
		return;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	topics_to_wake = lappend_oid(topics_to_wake, topic);
	MemoryContextSwitchTo(caller);
}

/* Wake all waiters of the noted topics. */
static void
announce_topics(void)
{
	ListCell   *cell;

	list_sort(topics_to_wake, list_oid_cmp);
	list_deduplicate_oid(topics_to_wake);
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
	if (event == XACT_EVENT_PREPARE)
		pgt_topic_waiters_disown();
	else
		announce(event == XACT_EVENT_COMMIT);
	owned = NULL;
	owned_count = owned_capacity = 0;
	places = NULL;
	pgt_subxact_stack_forget(&touched);
	topics_to_wake = NIL;
}

/*
 * A subtransaction that rolls back has set the next offset, or owned the partition, which is
 * free again then: wake a waiter.
 */
static void
undo_owned(void *thing, SubTransactionId subid)
{
	OwnedPartition *entry = thing;

	if (!pgt_subxact_version_drop(&entry->versions, subid))
		return;
	/* all notes go: one of them may be about a partition that is free again */
	pgt_topic_waiters_disown();
	announce_partition(entry, NEWS_FORCED);
}

/* Keep the owned partitions in step with savepoints. */
static void
wakeup_subxact_callback(SubXactEvent event, SubTransactionId subid,
						SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pgt_subxact_stack_undo(&touched, subid, undo_owned);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		pgt_subxact_stack_release(&touched, subid, parent, pgt_subxact_version_inherit);
}

void
pgt_group_wakeup_init(void)
{
	RegisterXactCallback(wakeup_xact_callback, NULL);
	RegisterSubXactCallback(wakeup_subxact_callback, NULL);
}
