/*
 * group_position.c
 *	  The positions of the running transaction: how far it has read for a group
 *	  beyond the committed offsets.
 *
 * With auto_commit => false a transaction's progress is in this process's memory only:
 * a stack of versions for each partition, with a version for each subtransaction that
 * moved the position:
 *
 *	  (topic, partition, group) -> 250 (savepoint b) -> 100 (top)
 *
 * ROLLBACK TO b removes the top version, RELEASE b merges it into the one below.  A
 * position is set only while the partition is owned (consumer_group.c), and a rollback
 * that removes the position also releases the lock by which the partition is owned.  A
 * start is weaker than a position: it is the log's end as a group that begins there first
 * saw it, and counts only while the group has neither a position nor a committed offset.
 *
 * Commit, abort and crash all end a transaction's positions.
 *
 * That the transaction has read for a group at all is an entry with a partition number
 * that no partition has.  By it commit_offsets() tells a batch without records from a call
 * in the wrong transaction.
 *
 * Locks: none; positions are private to this process.
 *
 * Memory: TopTransactionContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "group/group_position.h"
#include "util/subxact_stack.h"

/* The partition number of the entry that says that the transaction reads for the group. */
#define READING_MARK	(-1)

typedef struct PositionKey
{
	Oid			topic;
	int32		partition;
	char		group[MAX_GROUP_ID_LENGTH + 1];	/* padded with zeros */
} PositionKey;

/* A position as one subtransaction left it. */
typedef struct PositionVersion
{
	SubTransactionId subid;
	int64		next_offset;	/* NO_OFFSET: none, the committed offset counts */
	int64		start;			/* counts where there is no readable offset; NO_OFFSET: none */
	TimestampTz served;
	int64		lost;			/* lost records that are not in the row yet */
	struct PositionVersion *below;	/* of an enclosing subtransaction */
} PositionVersion;

typedef struct PositionEntry
{
	PositionKey key;
	PositionVersion *top;		/* NULL: none */
} PositionEntry;

/* This transaction's positions; NULL: it has none. */
static HTAB *positions = NULL;

/* Those with a version of a subtransaction. */
static SubxactStack moved;

/* Fill a key, its padding included. */
static void
position_key(PositionKey *key, const ConsumerGroup *group, int32 partition)
{
	memset(key, 0, sizeof(*key));
	key->topic = group->topic;
	key->partition = partition;
	strlcpy(key->group, group->id, sizeof(key->group));
}

/* The current version of a position, or NULL. */
static PositionVersion *
find_position(const ConsumerGroup *group, int32 partition)
{
	PositionKey key;
	PositionEntry *entry;

	if (positions == NULL)
		return NULL;
	position_key(&key, group, partition);
	entry = hash_search(positions, &key, HASH_FIND, NULL);
	return entry == NULL ? NULL : entry->top;
}

/* The version that the current subtransaction may overwrite, made where needed. */
static PositionVersion *
own_position(const ConsumerGroup *group, int32 partition)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	PositionKey key;
	PositionEntry *entry;
	PositionVersion *version;
	bool		found;

	if (positions == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(PositionKey);
		ctl.entrysize = sizeof(PositionEntry);
		ctl.hcxt = TopTransactionContext;
		positions = hash_create("pg_topics positions", 16, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	position_key(&key, group, partition);
	entry = hash_search(positions, &key, HASH_ENTER, &found);
	if (!found)
		entry->top = NULL;
	if (entry->top != NULL && entry->top->subid == subid)
		return entry->top;

	version = MemoryContextAlloc(TopTransactionContext, sizeof(PositionVersion));
	if (entry->top != NULL)
		*version = *entry->top;
	else
	{
		version->next_offset = version->start = NO_OFFSET;
		version->served = DT_NOBEGIN;
		version->lost = 0;
	}
	pgt_subxact_stack_note(&moved, TopTransactionContext, entry);
	version->subid = subid;
	version->below = entry->top;
	entry->top = version;
	return version;
}

void
pgt_group_position_read(const ConsumerGroup *group, GroupPartition *part)
{
	const PositionVersion *version = find_position(group, part->partition);

	part->position = version == NULL ? NO_OFFSET : version->next_offset;
	part->start = version == NULL ? NO_OFFSET : version->start;
	part->served = version == NULL ? DT_NOBEGIN : version->served;
}

void
pgt_group_position_set(const ConsumerGroup *group, GroupPartition *part, int64 next)
{
	PositionVersion *version;

	/* there is no position to remove */
	if (next == NO_OFFSET && find_position(group, part->partition) == NULL)
		return;

	version = own_position(group, part->partition);
	version->next_offset = next;
	version->start = NO_OFFSET;
	version->served = next == NO_OFFSET ? DT_NOBEGIN : GetCurrentTimestamp();
	if (next == NO_OFFSET)
		version->lost = 0;
	part->position = next;
	part->start = NO_OFFSET;
}

void
pgt_group_position_set_start(const ConsumerGroup *group, GroupPartition *part, int64 start)
{
	PositionVersion *version = own_position(group, part->partition);

	version->next_offset = part->position;
	version->start = start;
	version->served = part->served;
	part->start = start;
}

void
pgt_group_position_note_lost(const ConsumerGroup *group, const GroupPartition *part, int64 lost)
{
	int64	   *sum = &own_position(group, part->partition)->lost;

	if (pg_add_s64_overflow(*sum, lost, sum))
		*sum = PG_INT64_MAX;
}

int64
pgt_group_position_lost(const ConsumerGroup *group, int32 partition)
{
	const PositionVersion *version = find_position(group, partition);

	return version == NULL ? 0 : version->lost;
}

List *
pgt_group_position_partitions(const ConsumerGroup *group)
{
	HASH_SEQ_STATUS status;
	PositionEntry *entry;
	List	   *partitions = NIL;

	if (positions == NULL)
		return NIL;
	hash_seq_init(&status, positions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->key.topic == group->topic && strcmp(entry->key.group, group->id) == 0 &&
			entry->top != NULL && entry->top->next_offset != NO_OFFSET)
			partitions = lappend_int(partitions, entry->key.partition);
	}
	list_sort(partitions, list_int_cmp);
	return partitions;
}

void
pgt_group_position_note_reading(const ConsumerGroup *group)
{
	if (find_position(group, READING_MARK) == NULL)
		(void) own_position(group, READING_MARK);
}

bool
pgt_group_position_is_reading(const ConsumerGroup *group)
{
	return find_position(group, READING_MARK) != NULL;
}

/* Drop the version of a subtransaction that rolled back. */
static void
undo_position(void *thing, SubTransactionId subid)
{
	PositionEntry *entry = thing;

	while (entry->top != NULL && entry->top->subid == subid)
	{
		PositionVersion *undone = entry->top;

		entry->top = undone->below;
		pfree(undone);
	}
}

/* Hand the version of a subtransaction that ended well to its parent. */
static bool
inherit_position(void *thing, SubTransactionId subid, SubTransactionId parent)
{
	PositionEntry *entry = thing;
	PositionVersion *top = entry->top;
	PositionVersion *replaced;

	if (top == NULL || top->subid != subid)
		return false;
	top->subid = parent;
	replaced = top->below;
	if (replaced == NULL || replaced->subid != parent)
		return parent != TopSubTransactionId;
	top->below = replaced->below;
	pfree(replaced);
	return false;
}

/* Keep positions in step with savepoints. */
static void
positions_subxact_callback(SubXactEvent event, SubTransactionId subid,
						   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pgt_subxact_stack_undo(&moved, subid, undo_position);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		pgt_subxact_stack_release(&moved, subid, parent, inherit_position);
}

/* Reset at the transaction's end, which frees the memory. */
static void
positions_xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	positions = NULL;
	pgt_subxact_stack_forget(&moved);
}

void
pgt_group_position_init(void)
{
	RegisterXactCallback(positions_xact_callback, NULL);
	RegisterSubXactCallback(positions_subxact_callback, NULL);
}
