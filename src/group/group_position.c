/*
 * group_position.c
 *	  The positions of the running transaction: how far it has read for a group
 *	  beyond the committed offsets.
 *
 * With auto_commit => false a transaction's progress is in this process's memory only:
 * for each partition a version for each subtransaction that moved the position
 * (subxact_version.c).  A position is set only while the partition is owned (consumer_group.c), and a rollback
 * that removes the position also releases the lock by which the partition is owned.  A
 * start is weaker than a position: it is the log's end as a group that begins there first
 * saw it, and counts only while the group has neither a position nor a committed offset.
 *
 * Scans.  A query that consumes record by record would have to set the position for each
 * record.  Instead it has a PositionScan, whose "next" it moves by itself, and which is noted
 * here, as a version like any other, only when that can make a difference:
 *
 *	  before anybody reads or sets a position
 *	  before a savepoint, as of the subtransaction that it is in; before RELEASE
 *
 * A savepoint that is rolled back takes back what the scan has returned since.  And other
 * functions may move the group while the scan is open.  Then the scan is overtaken: it is not
 * noted any more, and must not go on, as records would be returned twice or never; another
 * one may begin there.  It may go on where the group stands exactly at its "next", as after
 * commit_offsets(); and where the move is rolled back with a savepoint, which then takes back
 * another scan that has begun since as well.
 *
 * What an auto_commit scan has returned is to be committed with the transaction.  So is the
 * position of a member's scan, in leased mode: it is an entry of its own beside that of
 * transactional mode, and goes to the lease.  Until it is written such a position is "due";
 * consume_live.c writes it.  The scan itself may be gone by then, since a savepoint that is
 * rolled back can end a cursor that was opened before it.
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
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "group/group_position.h"
#include "util/subxact_version.h"

/* The partition number of the entry that says that the transaction reads for the group. */
#define READING_MARK	(-1)

typedef struct PositionKey
{
	Oid			topic;
	int32		partition;
	bool		leased;			/* of a member, whose position is in the lease otherwise */
	char		group[MAX_GROUP_ID_LENGTH + 1];	/* padded with zeros */
} PositionKey;

/* A position as one subtransaction left it. */
typedef struct PositionVersion
{
	SubxactVersion version;
	int64		next_offset;	/* NO_OFFSET: none, the committed offset counts */
	int64		start;			/* counts where there is no readable offset; NO_OFFSET: none */
	TimestampTz served;
	int64		lost;			/* lost records that are not in the row yet */
	bool		due;			/* next_offset is to be committed with the transaction: */
	Oid			user;			/* by this role */
	const char *member;			/* for this member; NULL: in transactional mode */
	TimestampTz until;			/* until when the member has the partition at least */
} PositionVersion;

typedef struct PositionEntry
{
	PositionKey key;
	Oid			offsets_table;	/* of the group */
	SubxactVersions versions;	/* PositionVersion */
} PositionEntry;

/* This transaction's positions; NULL: it has none. */
static HTAB *positions = NULL;

/* Those with a version of a subtransaction. */
static SubxactStack moved;

/* The scans' positions, of PositionScan. */
static dlist_head scans = DLIST_STATIC_INIT(scans);

/* ---- versions ----------------------------------------------------------- */

/* The entry's version that counts now; NULL: none. */
static inline PositionVersion *
top_version(const PositionEntry *entry)
{
	return (PositionVersion *) entry->versions.top;
}

/* Fill a key, its padding included. */
static void
position_key(PositionKey *key, const ConsumerGroup *group, int32 partition, bool leased)
{
	memset(key, 0, sizeof(*key));
	key->topic = group->topic;
	key->partition = partition;
	key->leased = leased;
	strlcpy(key->group, group->id, sizeof(key->group));
}

/* The version that a subtransaction, the current one or its parent, may overwrite, made where needed. */
static PositionVersion *
version_for(const ConsumerGroup *group, int32 partition, bool leased, SubTransactionId subid)
{
	PositionKey key;
	PositionEntry *entry;
	bool		is_new;
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
	position_key(&key, group, partition, leased);
	entry = hash_search(positions, &key, HASH_ENTER, &found);
	if (!found)
		entry->versions.top = NULL;
	entry->offsets_table = group->offsets_table;
	is_new = entry->versions.top == NULL;
	version = pgt_subxact_version_for(&entry->versions, &moved, TopTransactionContext, subid,
									  sizeof(PositionVersion));
	if (is_new)
	{
		version->next_offset = version->start = NO_OFFSET;
		version->served = DT_NOBEGIN;
	}
	return version;
}

/* ---- scans -------------------------------------------------------------- */

/* Note how far a scan has come, as of a subtransaction. */
static void
note_scan(PositionScan *scan, SubTransactionId subid)
{
	PositionVersion *version;

	if (scan->overtaken || scan->next == scan->noted)
		return;
	version = version_for(&scan->group, scan->partition, scan->member != NULL, subid);
	version->next_offset = scan->next;
	version->start = NO_OFFSET;
	version->served = GetCurrentTimestamp();
	version->due = scan->commits;
	version->user = scan->user;
	version->until = scan->until;
	if (scan->member == NULL)
		version->member = NULL;
	else if (version->member == NULL || strcmp(version->member, scan->member) != 0)
		version->member = MemoryContextStrdup(TopTransactionContext, scan->member);
	scan->noted = scan->next;
	scan->noted_in = subid;
}

/* Note how far all scans have come. */
static void
note_scans(SubTransactionId subid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &scans)
		note_scan(dlist_container(PositionScan, link, iter.cur), subid);
}

/* The scan that has a position in a partition and can go on there, or NULL. */
static PositionScan *
find_scan(const ConsumerGroup *group, int32 partition, bool leased)
{
	dlist_iter	iter;

	dlist_foreach(iter, &scans)
	{
		PositionScan *scan = dlist_container(PositionScan, link, iter.cur);

		if (!scan->overtaken && scan->partition == partition && scan->group.topic == group->topic &&
			(scan->member != NULL) == leased && strcmp(scan->group.id, group->id) == 0)
			return scan;
	}
	return NULL;
}

/* Something else than the scan has moved the group: the scan cannot go on. */
static void
overtake(PositionScan *scan)
{
	scan->overtaken = true;
	scan->overtaken_in = GetCurrentSubTransactionId();
}

/* The group stands at "next" in a partition: overtake a scan that is elsewhere. */
static void
overtake_scan(const ConsumerGroup *group, int32 partition, int64 next)
{
	PositionScan *scan = find_scan(group, partition, false);

	if (scan != NULL && scan->next != next)
		overtake(scan);
}

/* A subtransaction was rolled back: scans that have returned records in it cannot go on. */
static void
undo_scans(SubTransactionId subid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &scans)
	{
		PositionScan *scan = dlist_container(PositionScan, link, iter.cur);

		if (scan->overtaken && scan->overtaken_in == subid)
			scan->overtaken = false;
		if (scan->overtaken || (scan->noted_in != subid && scan->next == scan->noted))
			continue;
		scan->overtaken = true;
		scan->overtaken_in = InvalidSubTransactionId;
	}
}

/* What scans have noted in a subtransaction that ended well, its parent has. */
static void
inherit_scans(SubTransactionId subid, SubTransactionId parent)
{
	dlist_iter	iter;

	dlist_foreach(iter, &scans)
	{
		PositionScan *scan = dlist_container(PositionScan, link, iter.cur);

		if (scan->noted_in == subid)
			scan->noted_in = parent;
		if (scan->overtaken_in == subid)
			scan->overtaken_in = parent;
	}
}

void
pgt_position_scan_begin(PositionScan *scan)
{
	scan->user = GetUserId();
	scan->noted = scan->next;
	scan->noted_in = GetCurrentSubTransactionId();
	scan->overtaken = false;
	scan->overtaken_in = InvalidSubTransactionId;
	scan->is_live = true;
	dlist_push_tail(&scans, &scan->link);
}

void
pgt_position_scan_note(PositionScan *scan)
{
	note_scan(scan, GetCurrentSubTransactionId());
}

void
pgt_position_scan_end(PositionScan *scan)
{
	if (scan->is_live)
		dlist_delete(&scan->link);
	scan->is_live = false;
}

bool
pgt_position_scan_is_live(const ConsumerGroup *group, int32 partition, bool leased)
{
	return find_scan(group, partition, leased) != NULL;
}

void
pgt_position_scan_stop_member(const ConsumerGroup *group, int32 partition)
{
	PositionScan *scan = find_scan(group, partition, true);

	if (scan != NULL)
		overtake(scan);
}

/* The transaction has ended, and with it all scans. */
static void
forget_scans(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &scans)
		pgt_position_scan_end(dlist_container(PositionScan, link, iter.cur));
}

/* ---- positions ---------------------------------------------------------- */

/* The current version of a position, or NULL. */
static PositionVersion *
find_version(const ConsumerGroup *group, int32 partition, bool leased)
{
	PositionKey key;
	PositionEntry *entry;

	note_scans(GetCurrentSubTransactionId());
	if (positions == NULL)
		return NULL;
	position_key(&key, group, partition, leased);
	entry = hash_search(positions, &key, HASH_FIND, NULL);
	return entry == NULL ? NULL : top_version(entry);
}

/* The current version of the transaction's position in transactional mode, or NULL. */
static PositionVersion *
find_position(const ConsumerGroup *group, int32 partition)
{
	return find_version(group, partition, false);
}

/* The version that the current subtransaction may overwrite, made where needed. */
static PositionVersion *
own_position(const ConsumerGroup *group, int32 partition)
{
	note_scans(GetCurrentSubTransactionId());
	return version_for(group, partition, false, GetCurrentSubTransactionId());
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
	PositionVersion *version = find_position(group, part->partition);

	overtake_scan(group, part->partition, next != NO_OFFSET ? next : part->committed);
	/* there is no position to remove */
	if (next == NO_OFFSET && version == NULL)
		return;

	version = own_position(group, part->partition);
	version->next_offset = next;
	version->start = NO_OFFSET;
	version->due = false;
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

	note_scans(GetCurrentSubTransactionId());
	if (positions == NULL)
		return NIL;
	hash_seq_init(&status, positions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->key.topic == group->topic && !entry->key.leased &&
			strcmp(entry->key.group, group->id) == 0 && top_version(entry) != NULL &&
			top_version(entry)->next_offset != NO_OFFSET)
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

/* ---- positions that are due ---------------------------------------------- */

/* Is a position to be committed with the transaction? */
static bool
is_due(const PositionVersion *version)
{
	return version != NULL && version->due && version->next_offset != NO_OFFSET;
}

/* The position of an entry, to be committed. */
static PositionDue *
make_due(const PositionEntry *entry)
{
	const PositionVersion *version = top_version(entry);
	PositionDue *due = palloc(sizeof(PositionDue));

	due->group.offsets_table = entry->offsets_table;
	due->group.role = InvalidOid;
	due->group.topic = entry->key.topic;
	due->group.id = pstrdup(entry->key.group);
	due->partition = entry->key.partition;
	due->member = version->member;
	due->until = version->until;
	due->user = version->user;
	due->next = version->next_offset;
	return due;
}

/* By topic, group and partition: the order in which rows are locked. */
static int
compare_due(const ListCell *a, const ListCell *b)
{
	const PositionDue *left = lfirst(a);
	const PositionDue *right = lfirst(b);
	int			order;

	if (left->group.topic != right->group.topic)
		return left->group.topic < right->group.topic ? -1 : 1;
	order = strcmp(left->group.id, right->group.id);
	return order != 0 ? order : left->partition - right->partition;
}

List *
pgt_position_due_list(void)
{
	HASH_SEQ_STATUS status;
	PositionEntry *entry;
	List	   *list = NIL;

	note_scans(GetCurrentSubTransactionId());
	if (positions == NULL)
		return NIL;
	hash_seq_init(&status, positions);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (is_due(top_version(entry)))
			list = lappend(list, make_due(entry));
	}
	list_sort(list, compare_due);
	return list;
}

bool
pgt_position_due_exists(const PositionDue *due)
{
	return is_due(find_version(&due->group, due->partition, due->member != NULL));
}

void
pgt_position_due_remove(const PositionDue *due)
{
	PositionVersion *version = version_for(&due->group, due->partition, due->member != NULL,
										   GetCurrentSubTransactionId());

	version->next_offset = NO_OFFSET;
	version->due = false;
}

/* ---- the transaction's end ----------------------------------------------- */

/* Keep positions in step with savepoints. */
static void
positions_subxact_callback(SubXactEvent event, SubTransactionId subid,
						   SubTransactionId parent, void *arg)
{
	switch (event)
	{
		case SUBXACT_EVENT_START_SUB:
			note_scans(parent);
			break;
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			note_scans(subid);
			break;
		case SUBXACT_EVENT_COMMIT_SUB:
			pgt_subxact_stack_release(&moved, subid, parent, pgt_subxact_version_inherit);
			inherit_scans(subid, parent);
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			pgt_subxact_stack_undo(&moved, subid, pgt_subxact_version_undo);
			undo_scans(subid);
			break;
	}
}

/* Reset at the transaction's end, which frees the memory. */
static void
positions_xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	positions = NULL;
	pgt_subxact_stack_forget(&moved);
	forget_scans();
}

void
pgt_group_position_init(void)
{
	RegisterXactCallback(positions_xact_callback, NULL);
	RegisterSubXactCallback(positions_subxact_callback, NULL);
}
