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

/* Its index on (group, topic). */
extern Oid	pgt_group_row_group_index(Relation table);

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

/* What is to be written into a partition's row. */
typedef struct GroupRowChange
{
	int64		next;			/* the committed offset; NO_OFFSET: it stays, with all that belongs to it */
	int64		lost;			/* added to the row's number of lost records */
	const char *metadata;		/* NULL: none */
	int32		leader_epoch;	/* of the record before "next"; -1: unknown */
	bool		leased;			/* with the lease of *part; else that in the row stays */
} GroupRowChange;

/*
 * Write an owned partition's row, a new one or a new version; *part has it afterwards.  A row without
 * an owner gets the group's, or the role that uses it: ERROR where the group belongs to a role
 * that this one may not act for.
 */
extern void pgt_group_row_write(const ConsumerGroup *group, GroupPartition *part, const GroupRowChange *change);

/* The same without waiting, and without an ERROR for that role. */
typedef enum GroupRowWrite
{
	GROUP_ROW_WRITTEN,
	GROUP_ROW_BUSY,				/* nothing is written: another transaction is making the group */
	GROUP_ROW_DENIED			/* nothing is written */
} GroupRowWrite;

extern GroupRowWrite pgt_group_row_try_write(const ConsumerGroup *group, GroupPartition *part,
											 const GroupRowChange *change);

/*
 * Let a group's first row in a topic be refused where taken() says that its name is that of a group of another
 * kind; called once per process.
 */
extern void pgt_group_row_refuse_names(bool (*taken) (const ConsumerGroup *group));

/* Is there a group of that name, in any topic, committed or not?  group->topic is not used. */
extern bool pgt_group_row_has_group(const ConsumerGroup *group);

/* Write an owned partition's row, which exists, with another owner of the group; *part has it afterwards. */
extern void pgt_group_row_set_owner(const ConsumerGroup *group, GroupPartition *part, Oid owner);

/* Whoever has changed owners tells it so, in the same transaction, to those who keep owners in mind. */
extern void pgt_group_row_tell_owners(Oid offsets_table);

/* Write an owned partition's row, which exists and has a lease, as that of a group that has committed nothing. */
extern void pgt_group_row_forget_offset(const ConsumerGroup *group, GroupPartition *part);

/* A copy of a row without its lease; NULL if nothing else is left that counts. */
extern HeapTuple pgt_group_row_without_lease(HeapTuple row, TupleDesc desc);

/* Delete an owned partition's row, which exists. */
extern void pgt_group_row_delete(Relation table, const GroupPartition *part);

/*
 * How many rows this process has written and deleted.  Where that has changed since a row
 * was read, the transaction may have replaced the version read.
 */
extern uint64 pgt_group_row_changes(void);

/* The role that the group belongs to in its topic; GROUP_UNCLAIMED where it has no row or no owner. */
extern Oid	pgt_group_rows_owner(const ConsumerGroup *group);

/* Oids of the topics in which a group has rows, ascending; group->topic is not used. */
extern List *pgt_group_rows_topics(const ConsumerGroup *group);

/*
 * The partitions behind this one of the group's topic in which it has rows, ascending, as many as "most" of them: a List of
 * integers.  -1 as "partition": the first ones.
 */
extern List *pgt_group_rows_partitions(const ConsumerGroup *group, int32 partition, int most);

/*
 * The first group behind this one, by the bytes of its name, that has rows in any topic: its name, palloc'd; NULL where there is
 * none.  NULL as "group": the first of all.
 */
extern char *pgt_group_rows_next_group(Oid offsets_table, const char *group);

/* The first of a group's topics behind "topic"; InvalidOid where there is none.  InvalidOid as "topic": the first of all. */
extern Oid	pgt_group_rows_next_topic(const ConsumerGroup *group, Oid topic);

/*
 * The table of committed offsets, in the schema of the topic's wrapper, which
 * is the extension's; InvalidOid where the table does not exist any more.
 */
extern Oid	pgt_group_row_table(Oid topic);

/* The same of this database; InvalidOid where it has no topics. */
extern Oid	pgt_group_row_any_table(void);

/* The same, whether it has topics or not; InvalidOid where the extension is not there. */
extern Oid	pgt_group_row_extension_table(void);

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
