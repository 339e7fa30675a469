/*
 * group_row_cache.h
 *	  Where this process last found rows of topic_group_offsets: their tids.
 */
#ifndef GROUP_ROW_CACHE_H
#define GROUP_ROW_CACHE_H

#include "access/htup.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/*
 * The tids at which the rows of a group in a topic were last found, an array by
 * partition; an invalid tid means unknown.  The caller may change the array until it calls
 * this function again.
 */
extern ItemPointer pgt_group_row_cache_tids(Oid topic, const char *group, int32 partitions);

/* Fetching rows of a table by their tids. */
typedef struct GroupRowFetch GroupRowFetch;

extern GroupRowFetch *pgt_group_row_cache_begin(Relation table, Snapshot snapshot);
extern void pgt_group_row_cache_end(GroupRowFetch *scan);

/*
 * The version that the snapshot sees of the row that is or was at the tid, palloc'd, or
 * NULL.  Another row may have the tid by now: the caller checks which row it is.
 */
extern HeapTuple pgt_group_row_cache_fetch(GroupRowFetch *scan, ItemPointer tid);

#endif							/* GROUP_ROW_CACHE_H */
