/*
 * group_row_cache.h
 *	  Where this process last found the rows of topic_group_offsets.
 */
#ifndef GROUP_ROW_CACHE_H
#define GROUP_ROW_CACHE_H

#include "access/htup.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/*
 * The places of the rows of a topic's group by partition, to be changed by the
 * caller as long as it does not call this again; invalid: unknown.
 */
extern ItemPointer pgt_group_row_cache_tids(Oid topic, const char *group, int32 partitions);

/* A table that rows are fetched from by their places. */
typedef struct GroupRowFetch GroupRowFetch;

extern GroupRowFetch *pgt_group_row_cache_begin(Relation table, Snapshot snapshot);
extern void pgt_group_row_cache_end(GroupRowFetch *scan);

/*
 * The version that the snapshot sees of the row that is or was at that place, or
 * NULL; palloc'd.  The place may be somebody else's by now: check what row it is.
 */
extern HeapTuple pgt_group_row_cache_fetch(GroupRowFetch *scan, ItemPointer tid);

#endif							/* GROUP_ROW_CACHE_H */
