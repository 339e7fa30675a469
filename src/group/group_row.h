/*
 * group_row.h
 *	  The rows of topic_group_offsets: reading them (group_row.c), writing them
 *	  (group_row_write.c), and questions about all of them (group_row_query.c).
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
 * Read the group's rows for the partitions 0 to "partitions" - 1 of its topic: a
 * palloc'd array.  Locks no row, and leaves no lock on the table.  ERROR unless the current
 * user may use the group.
 */
extern GroupPartition *pgt_group_rows_read(const ConsumerGroup *group, int32 partitions);

/* Initialize *part for a partition without a row; it may have a position in this transaction. */
extern void pgt_group_row_clear(GroupPartition *part, const ConsumerGroup *group, int32 partition);

/* Fill *part from a row.  *part points to the row, which must stay allocated. */
extern void pgt_group_row_fill(GroupPartition *part, HeapTuple row, TupleDesc desc);

/* Initialize *part from a copy of a row of the group, and from this transaction's position. */
extern void pgt_group_row_take(GroupPartition *part, const ConsumerGroup *group, HeapTuple row,
							   TupleDesc desc);

/* Read one partition's row again, in its latest version. */
extern void pgt_group_row_refresh(Relation table, const ConsumerGroup *group, GroupPartition *part);

/* The metadata of part->row, palloc'd, or NULL. */
extern char *pgt_group_row_metadata(const ConsumerGroup *group, const GroupPartition *part);

/* The table's index on (topic, group, partition). */
extern Oid	pgt_group_row_index(Relation table);

/* What a row says: the group's owner, or GROUP_UNCLAIMED, and the partition. */
extern Oid	pgt_group_row_owner(HeapTuple row, TupleDesc desc);
extern int32 pgt_group_row_partition(HeapTuple row, TupleDesc desc);

/* Is this the group's row for the partition? */
extern bool pgt_group_row_is_of(HeapTuple row, TupleDesc desc, const ConsumerGroup *group, int32 partition);

/*
 * The snapshot to read rows with, registered: the latest one, except under REPEATABLE
 * READ and SERIALIZABLE, where it is the transaction's.
 */
extern Snapshot pgt_group_rows_snapshot(void);

/* Begin a scan of the group's rows of its topic; partition -1: all. */
extern SysScanDesc pgt_group_rows_scan(Relation table, const ConsumerGroup *group, int32 partition,
									   Snapshot snapshot);

/*
 * Write an owned partition's row, a new one or a new version; *part has it afterwards.
 * "next" is the committed offset, which NO_OFFSET leaves unchanged; "lost" is added to the
 * row's number of lost records; without "leased" the lease is left unchanged.  A row without
 * an owner gets the group's, or the current user: ERROR where the group belongs to a role
 * that the current user may not act for.
 */
extern void pgt_group_row_write(const ConsumerGroup *group, GroupPartition *part, int64 next,
								int64 lost, const char *metadata, bool leased);

/* Write an owned partition's row, which exists, with another owner of the group; *part has it afterwards. */
extern void pgt_group_row_set_owner(const ConsumerGroup *group, GroupPartition *part, Oid owner);

/* Delete an owned partition's row, which exists. */
extern void pgt_group_row_delete(Relation table, const GroupPartition *part);

/*
 * How many rows this process has written and deleted.  Where that has changed since a row
 * was read, the transaction may have replaced the version read.
 */
extern uint64 pgt_group_row_changes(void);

/* The role that the group belongs to in its topic; GROUP_UNCLAIMED where it has no row or no owner. */
extern Oid	pgt_group_rows_owner(const ConsumerGroup *group);

/* Oids of the topics in which a group has rows; group->topic is not used. */
extern List *pgt_group_rows_topics(const ConsumerGroup *group);

/*
 * The table of committed offsets, in the schema of the topic's wrapper, which
 * is the extension's; InvalidOid where the table does not exist any more.
 */
extern Oid	pgt_group_row_table(Oid topic);

/* The same of this database; InvalidOid where it has no topics. */
extern Oid	pgt_group_row_any_table(void);

/*
 * The groups whose owner is one that the function wants: a List of ConsumerGroup, by topic
 * and name, each pair once.
 */
extern List *pgt_group_rows_groups(Oid offsets_table, bool (*wanted) (Oid owner, const void *arg),
								   const void *arg);

/*
 * The lowest offset that the topic's groups have committed by now for a partition: the groups
 * of these names, or with NIL all that have a row for the topic.  A group without an offset
 * there counts as 0.  PG_INT64_MAX where there is no group.  Needs no privilege on the table.
 */
extern int64 pgt_group_rows_consumed(Oid topic, int32 partition, List *names);

#endif							/* GROUP_ROW_H */
