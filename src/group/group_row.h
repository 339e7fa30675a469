/*
 * group_row.h
 *	  The rows of topic_group_offsets.
 */
#ifndef GROUP_ROW_H
#define GROUP_ROW_H

#include "access/genam.h"
#include "access/htup.h"
#include "access/tupdesc.h"
#include "group/group_types.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#define OFFSETS_TABLE_NAME	"topic_group_offsets"

/*
 * Where the group stands in each of the topic's partitions: an array of that
 * many, palloc'd.  Locks nothing and leaves no lock on the table.
 */
extern GroupPartition *pgt_group_rows_read(const ConsumerGroup *group, int32 partitions);

/* A partition for which nothing is known yet but, maybe, a position. */
extern void pgt_group_row_clear(GroupPartition *part, const ConsumerGroup *group, int32 partition);

/* Take over what a row says; the row is kept, so it must be the caller's to keep. */
extern void pgt_group_row_fill(GroupPartition *part, HeapTuple row, TupleDesc desc);

/* Make *part of a copy of a row of the group and what else is known of its partition. */
extern void pgt_group_row_take(GroupPartition *part, const ConsumerGroup *group, HeapTuple row,
							   TupleDesc desc);

/* Read one partition's row again, in its latest version. */
extern void pgt_group_row_refresh(Relation table, const ConsumerGroup *group, GroupPartition *part);

/* The metadata of part->row, palloc'd, or NULL. */
extern char *pgt_group_row_metadata(const ConsumerGroup *group, const GroupPartition *part);

/*
 * The snapshot to look at rows with, registered: the latest, but under
 * REPEATABLE READ and SERIALIZABLE the transaction's.
 */
extern Snapshot pgt_group_rows_snapshot(void);

/* Begin a scan of the group's rows of its topic; partition -1: all. */
extern SysScanDesc pgt_group_rows_scan(Relation table, const ConsumerGroup *group, int32 partition,
									   Snapshot snapshot);

/*
 * Write an owned partition's row, new or not; *part has the new version.
 * NO_OFFSET: what is committed stays; "lost" is added to what the row says;
 * without "leased" the lease stays.
 */
extern void pgt_group_row_write(const ConsumerGroup *group, GroupPartition *part, int64 next,
								int64 lost, const char *metadata, bool leased);

/* Oids of the topics that a group has rows for; group->topic is not used. */
extern List *pgt_group_rows_topics(const ConsumerGroup *group);

/*
 * The table of committed offsets, in the schema of the topic's wrapper, which
 * is the extension's; InvalidOid where it is gone already.
 */
extern Oid	pgt_group_row_table(Oid topic);

/*
 * Up to which offset every registered group (any with a row for the topic) has
 * consumed a partition, as committed by now; PG_INT64_MAX where there is no
 * group.  Needs no privilege on the table.
 */
extern int64 pgt_group_rows_consumed(Oid topic, int32 partition);

#endif							/* GROUP_ROW_H */
