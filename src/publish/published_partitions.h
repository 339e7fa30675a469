/*
 * published_partitions.h
 *	  DDL that gives rows to a published table, or takes rows from it, without changing them.
 */
#ifndef PUBLISHED_PARTITIONS_H
#define PUBLISHED_PARTITIONS_H

#include "nodes/parsenodes.h"
#include "publish/publishing_trigger.h"

/*
 * A statement that alters a table has made a trigger's clone, so a partition is being
 * attached: ERROR if that has rows.
 */
extern void pgt_published_partitions_joined(PublishingTrigger *clone);

/*
 * The clone is about to be dropped: if a partition with rows loses it, list that, in the
 * current memory context, for pgt_published_partitions_check_left() at the statement's end.
 */
extern List *pgt_published_partitions_leaving(PublishingTrigger *clone);

/* ERROR if a partition with rows has left a table that is still published. */
extern void pgt_published_partitions_check_left(List *leaving);

/* ERROR if the statement detaches a partition with rows concurrently, which it does in two transactions. */
extern void pgt_published_partitions_check_detach(AlterTableStmt *statement);

/* ERROR if the relations, by oid, have a partition among them, but not the published table that it belongs to. */
extern void pgt_published_partitions_check_truncate(List *relids);

/* The relations that the statement names, by oid. */
extern List *pgt_published_partitions_named(TruncateStmt *statement);

/*
 * A table becomes the child of another one: ERROR if triggers for each statement publish
 * one of them.
 */
extern void pgt_published_partitions_inherited(Oid child, Oid parent);

/*
 * The trigger has been made or altered: ERROR if it publishes deletions of a table that loses its
 * rows without any, being unlogged or temporary.
 */
extern void pgt_published_partitions_check_lasting(PublishingTrigger *trigger);

/* ERROR if the statement makes such a table unlogged. */
extern void pgt_published_partitions_check_unlogged(AlterTableStmt *statement);

#endif							/* PUBLISHED_PARTITIONS_H */
