/*
 * group_row_cache.c
 *	  Where this process last found rows of topic_group_offsets: their tids.
 *
 * A row of that table gets a new version with each commit.  While some transaction keeps
 * vacuum from removing old versions, an index lookup of the row visits all of them, and
 * each commit takes a little longer than the one before.  So a process remembers the tid
 * at which it found a row: from there it reaches the latest version by following the
 * versions written since.
 *
 *	  (topic, group) -> tid of partition 0, of partition 1, ...
 *
 * A tid is only a hint: the row may be gone, or another row may be there.  A visible
 * version with the row's key is the row, wherever it was found.  The caller checks the
 * key, and looks the row up in the index where the tid fails.  A fetch also prunes the
 * page, as an index scan does: once old versions can be removed, a tid among them fails,
 * and the index has few versions left.
 *
 * Locks: only those of reading.
 *
 * Memory: a context that lives as long as the process, and is reset when there are too
 * many groups.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "group/group_row_cache.h"
#include "group/group_types.h"
#include "util/compat.h"

/* Reset the cache when it has so many groups. */
#define GROUPS_MAX	256

typedef struct CachedGroupKey
{
	Oid			topic;
	char		group[MAX_GROUP_ID_LENGTH + 1];	/* padded with zeros */
} CachedGroupKey;

typedef struct CachedGroup
{
	CachedGroupKey	key;
	int32		count;
	ItemPointer tids;
} CachedGroup;

struct GroupRowFetch
{
	Relation	table;
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
};

static MemoryContext tids_context = NULL;
static HTAB *groups = NULL;

/* ---- tids --------------------------------------------------------------- */

/* Make the cache, or reset it. */
static void
reset_groups(void)
{
	HASHCTL		ctl = {0};

	if (tids_context == NULL)
		tids_context = AllocSetContextCreate(TopMemoryContext, "pg_topics group rows",
											 ALLOCSET_DEFAULT_SIZES);
	groups = NULL;
	MemoryContextReset(tids_context);
	ctl.keysize = sizeof(CachedGroupKey);
	ctl.entrysize = sizeof(CachedGroup);
	ctl.hcxt = tids_context;
	groups = hash_create("pg_topics group rows", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The entry of a group, which is made if there is none. */
static CachedGroup *
group_entry(const CachedGroupKey *key)
{
	CachedGroup *entry = groups == NULL ? NULL : hash_search(groups, key, HASH_FIND, NULL);

	if (entry != NULL)
		return entry;
	if (groups == NULL || hash_get_num_entries(groups) >= GROUPS_MAX)
		reset_groups();
	entry = hash_search(groups, key, HASH_ENTER, NULL);
	entry->count = 0;
	entry->tids = NULL;
	return entry;
}

ItemPointer
pgt_group_row_cache_tids(Oid topic, const char *group, int32 partitions)
{
	CachedGroupKey	key;
	CachedGroup *entry;

	memset(&key, 0, sizeof(key));
	key.topic = topic;
	strlcpy(key.group, group, sizeof(key.group));
	entry = group_entry(&key);
	if (entry->count < partitions)
	{
		/* zeros are an invalid tid */
		ItemPointer tids = MemoryContextAllocZero(tids_context, sizeof(ItemPointerData) * partitions);

		if (entry->count > 0)
		{
			memcpy(tids, entry->tids, sizeof(ItemPointerData) * entry->count);
			pfree(entry->tids);
		}
		entry->tids = tids;
		entry->count = partitions;
	}
	return entry->tids;
}

/* ---- fetching ----------------------------------------------------------- */

GroupRowFetch *
pgt_group_row_cache_begin(Relation table, Snapshot snapshot)
{
	GroupRowFetch  *scan = palloc(sizeof(GroupRowFetch));

	scan->table = table;
	scan->snapshot = snapshot;
	scan->scan = table_beginscan_tid(table, snapshot);
	scan->slot = table_slot_create(table, NULL);
	return scan;
}

void
pgt_group_row_cache_end(GroupRowFetch *scan)
{
	ExecDropSingleTupleTableSlot(scan->slot);
	table_endscan(scan->scan);
	pfree(scan);
}

/* Remove row versions that no transaction can see from the page, as an index scan does. */
static void
prune_page(Relation table, BlockNumber block)
{
	Buffer		buffer = ReadBuffer(table, block);

	PGT_PRUNE_PAGE(table, buffer);
	ReleaseBuffer(buffer);
}

HeapTuple
pgt_group_row_cache_fetch(GroupRowFetch *scan, ItemPointer tid)
{
	ItemPointerData latest = *tid;

	/* the table may have been truncated */
	if (!ItemPointerIsValid(&latest) || !table_tuple_tid_valid(scan->scan, &latest))
		return NULL;
	prune_page(scan->table, ItemPointerGetBlockNumber(&latest));
	if (!table_tuple_fetch_row_version(scan->table, &latest, scan->snapshot, scan->slot))
	{
		table_tuple_get_latest_tid(scan->scan, &latest);
		if (ItemPointerEquals(&latest, tid) ||
			!table_tuple_fetch_row_version(scan->table, &latest, scan->snapshot, scan->slot))
			return NULL;
	}
	return ExecCopySlotHeapTuple(scan->slot);
}
