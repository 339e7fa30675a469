/*
 * group_row_cache.c
 *	  Where this process last found the rows of topic_group_offsets.
 *
 * A row of that table gets a new version with each commit.  While a transaction
 * somewhere keeps vacuum from removing old ones, an index lookup of the row
 * visits all versions since, and each commit takes a little longer than the one
 * before.  So who has read a row remembers where it was: the latest version is
 * reached from there by following the versions written since.
 *
 *	  (topic, group) -> place of partition 0, of partition 1, ...
 *
 * A place is a hint.  What is there may be gone or another row; a version that
 * is visible and has the row's key is the row, wherever it was found.  The
 * caller checks that, and looks the row up by the index where a place fails.
 * Where old versions may go, it is the reader who prunes the page, as in an index
 * scan; a place among them then fails, and the index leads to few.
 *
 * Locks: none but those of reading.
 *
 * Memory: places in a context of their own for the process's life, forgotten all
 * at once when there are too many.
 *
 * Layer 6.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "group/consumer_group.h"
#include "group/group_row_cache.h"
#include "util/compat.h"

/* Groups to remember. */
#define GROUPS_MAX	256

typedef struct PlacesKey
{
	Oid			topic;
	char		group[MAX_GROUP_ID_LENGTH + 1];	/* padded with zeros */
} PlacesKey;

typedef struct PlacesEntry
{
	PlacesKey	key;
	int32		count;
	ItemPointer places;
} PlacesEntry;

struct PlaceScan
{
	Relation	table;
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
};

static MemoryContext places_context = NULL;
static HTAB *groups = NULL;

/* ---- places ------------------------------------------------------------- */

/* Forget all groups, or begin. */
static void
reset_groups(void)
{
	HASHCTL		ctl = {0};

	if (places_context == NULL)
		places_context = AllocSetContextCreate(TopMemoryContext, "pg_topics row places",
											   ALLOCSET_DEFAULT_SIZES);
	groups = NULL;
	MemoryContextReset(places_context);
	ctl.keysize = sizeof(PlacesKey);
	ctl.entrysize = sizeof(PlacesEntry);
	ctl.hcxt = places_context;
	groups = hash_create("pg_topics row places", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The entry of a group, made where there is none. */
static PlacesEntry *
group_entry(const PlacesKey *key)
{
	PlacesEntry *entry = groups == NULL ? NULL : hash_search(groups, key, HASH_FIND, NULL);

	if (entry != NULL)
		return entry;
	if (groups == NULL || hash_get_num_entries(groups) >= GROUPS_MAX)
		reset_groups();
	entry = hash_search(groups, key, HASH_ENTER, NULL);
	entry->count = 0;
	entry->places = NULL;
	return entry;
}

/* See the header. */
ItemPointer
pgt_row_places(Oid topic, const char *group, int32 partitions)
{
	PlacesKey	key;
	PlacesEntry *entry;

	memset(&key, 0, sizeof(key));
	key.topic = topic;
	strlcpy(key.group, group, sizeof(key.group));
	entry = group_entry(&key);
	if (entry->count < partitions)
	{
		/* zeros are an invalid place */
		ItemPointer places = MemoryContextAllocZero(places_context, sizeof(ItemPointerData) * partitions);

		if (entry->count > 0)
		{
			memcpy(places, entry->places, sizeof(ItemPointerData) * entry->count);
			pfree(entry->places);
		}
		entry->places = places;
		entry->count = partitions;
	}
	return entry->places;
}

/* ---- fetching ----------------------------------------------------------- */

/* See the header. */
PlaceScan *
pgt_place_scan_begin(Relation table, Snapshot snapshot)
{
	PlaceScan  *scan = palloc(sizeof(PlaceScan));

	scan->table = table;
	scan->snapshot = snapshot;
	scan->scan = table_beginscan_tid(table, snapshot);
	scan->slot = table_slot_create(table, NULL);
	return scan;
}

/* See the header. */
void
pgt_place_scan_end(PlaceScan *scan)
{
	ExecDropSingleTupleTableSlot(scan->slot);
	table_endscan(scan->scan);
	pfree(scan);
}

/* Remove what nobody sees any more from the page, as an index scan does. */
static void
prune_page(Relation table, BlockNumber block)
{
	Buffer		buffer = ReadBuffer(table, block);

	PGT_PRUNE_PAGE(table, buffer);
	ReleaseBuffer(buffer);
}

/* See the header. */
HeapTuple
pgt_place_scan_fetch(PlaceScan *scan, ItemPointer place)
{
	ItemPointerData latest = *place;

	/* the table may have been truncated */
	if (!ItemPointerIsValid(&latest) || !table_tuple_tid_valid(scan->scan, &latest))
		return NULL;
	prune_page(scan->table, ItemPointerGetBlockNumber(&latest));
	if (!table_tuple_fetch_row_version(scan->table, &latest, scan->snapshot, scan->slot))
	{
		table_tuple_get_latest_tid(scan->scan, &latest);
		if (ItemPointerEquals(&latest, place) ||
			!table_tuple_fetch_row_version(scan->table, &latest, scan->snapshot, scan->slot))
			return NULL;
	}
	return ExecCopySlotHeapTuple(scan->slot);
}
