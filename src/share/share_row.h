/*
 * share_row.h
 *	  What of share groups is durable: rows of topic_share_groups and topic_share_acks_*.
 */
#ifndef SHARE_ROW_H
#define SHARE_ROW_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "share/share_window.h"
#include "topic/topic_types.h"

#define SHARE_ACKS_TABLES	2

/* Where a group stands in a partition, as its row has it. */
typedef struct ShareRow
{
	Oid			topic;
	char	   *group_id;
	int32		partition;
	int64		share_id;
	Oid			owner;			/* GROUP_UNCLAIMED: none yet */
	int64		start_offset;
	Datum		states;			/* bytea, or 0 */
} ShareRow;

/*
 * Read a share partition's row, in its latest version, and make *window, palloc'd, what all rows of
 * the share partition say.  It has as many cells as it needs, and no fewer than the setting says.  False if
 * there is no row.
 */
extern bool pgt_share_row_load(Oid schema, Oid topic, const char *group_id, int32 partition, ShareRow *row,
							   ShareWindow **window);

/* The row alone. */
extern bool pgt_share_row_read(Oid schema, Oid topic, const char *group_id, int32 partition, ShareRow *row);

/* All rows, of a group and of a topic where these are not NULL and InvalidOid: a List of ShareRow. */
extern List *pgt_share_row_list(Oid schema, const char *group_id, Oid topic);

/* The first group behind this one by name, palloc'd; NULL: there is none.  NULL: the first of all. */
extern char *pgt_share_row_next_group(Oid schema, const char *group_id);

/* Is there a share group of that name, committed or not? */
extern bool pgt_share_row_has_group(Oid schema, const char *group_id);

/* Insert a share partition's first row. */
extern void pgt_share_row_insert(Oid schema, const ShareRow *row);

/* Give a group's rows in a topic another owner; returns their number. */
extern int	pgt_share_row_set_owner(Oid schema, Oid topic, const char *group_id, Oid owner);

/* Is nobody writing to the rows of groups, and nobody to begin until the transaction ends?  Waits for nobody. */
extern bool pgt_share_row_try_lock_groups(Oid schema);

/* Delete the row of a partition. */
extern void pgt_share_row_delete_partition(Oid schema, Oid topic, const char *group_id, int32 partition);

/* Delete rows: a group's in a topic; group_id NULL: the topic's.  Returns their number. */
extern int	pgt_share_row_delete(Oid schema, Oid topic, const char *group_id);

/*
 * Insert what a transaction has acknowledged: "states" from pgt_share_row_add_range().  "generation" is that of
 * pgt_share_row_try_lock(), or pgt_share_table_generation().
 */
extern void pgt_share_row_insert_ack(Oid schema, int generation, int64 share_id, int64 start_offset, StringInfo states);

/*
 * Lock what a transaction that acknowledges, or that makes groups, writes to, if that needs no waiting.  Returns the
 * generation that it is to write to; -1: a lock is not to be had now.
 */
extern int	pgt_share_row_try_lock(Oid schema);

/* Could share partitions be loaded now without waiting for a lock? */
extern bool pgt_share_row_try_lock_to_load(Oid schema);

/* Begin to encode ranges, and add one: none is before start_offset. */
extern void pgt_share_row_begin_states(StringInfo states);
extern void pgt_share_row_add_range(StringInfo states, int64 start_offset, const ShareRange *range);

/*
 * Put what the table of acknowledgements says that is not written to now into the rows of the groups, and empty it;
 * or turn to the other one where the one written to has grown to so many blocks.  Returns the number of
 * acknowledgements' rows.  Waits for nobody: does nothing where a transaction that wrote there has not ended.
 */
extern int64 pgt_share_row_merge(Oid schema, int blocks);

#endif							/* SHARE_ROW_H */
