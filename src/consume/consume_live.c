/*
 * consume_live.c
 *	  When what a query has consumed record by record is written.
 *
 * A scan (consume_scan.c) returns one record at a time, and the records that it has returned
 * are those that are consumed.  How far it is goes three steps:
 *
 *	  with each record		a number in the scan's memory (PositionScan)
 *	  with each savepoint	a position of the transaction (group_position.c)
 *	  once a partition		the group's row, or the member's lease
 *
 * The row is written when the scan is done with the partition: it has no more records,
 * max_records is reached, the query ends or the cursor is closed.  Before that it is
 * written where somebody asks: the functions that read or move groups settle first, so that
 * commit_offset(), seek_*(), delete_group(), DROP OWNED and other calls of consume() in the
 * transaction find the group where it is.  What is left at the end, such as the position of a cursor that
 * failed within a savepoint, is written before the commit record, and before the producer
 * appends the transaction's records: if writing fails, nothing has been appended.
 *
 * With auto_commit => false nothing is written here; commit_offsets() does that.
 *
 * The row is written by the role that has consumed, which may not be the current one by
 * then: a cursor lasts longer than SET ROLE, or than the SECURITY DEFINER function that
 * opened it.  A group that is new belongs to that role.
 *
 * Locks: the partitions' rows, which the transaction owns already.  They are written in the
 * order in which they are locked elsewhere.
 *
 * Memory: the caller's context.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "consume/consume_live.h"
#include "group/consumer_group.h"
#include "group/group_row.h"
#include "group/lease.h"
#include "group/role_groups.h"

/* Have the topic and the table of offsets been dropped by the transaction that consumed? */
static bool
is_gone(const ConsumerGroup *group)
{
	return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(group->topic)) ||
		!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(group->offsets_table));
}

/* Write a position as the current role. */
static void
write_position(const PositionDue *due)
{
	Relation	table = table_open(due->group.offsets_table, RowExclusiveLock);
	GroupPartition part;

	pgt_group_row_clear(&part, &due->group, due->partition);
	pgt_group_row_refresh(table, &due->group, &part);
	table_close(table, NoLock);
	(void) pgt_group_lock(&due->group, &part, true);
	if (due->member != NULL)
		pgt_lease_advance(&due->group, &part, due->member, due->until, due->next);
	else
		pgt_group_commit(&due->group, &part, due->next, NULL);
}

/* Write a position as the role that has consumed. */
static void
settle(const PositionDue *due)
{
	Oid			user;
	int			context;
	bool		has_snapshot = ActiveSnapshotSet();

	if (is_gone(&due->group))
		return;
	if (!has_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&user, &context);
	if (user != due->user)
		SetUserIdAndSecContext(due->user, context | SECURITY_LOCAL_USERID_CHANGE);
	write_position(due);
	SetUserIdAndSecContext(user, context);
	if (!has_snapshot)
		PopActiveSnapshot();
}

void
pgt_consume_live_close(PositionScan *scan)
{
	PositionDue due = {
		.group = scan->group, .partition = scan->partition, .member = scan->member,
		.until = scan->until, .user = scan->user, .next = scan->next
	};
	bool		is_noted;

	if (!scan->is_live)
		return;
	if (!scan->commits)
		pgt_position_scan_note(scan);
	pgt_position_scan_end(scan);
	if (!scan->commits || scan->overtaken)
		return;
	is_noted = pgt_position_due_exists(&due);
	if (scan->next == scan->noted && !is_noted)
		return;
	settle(&due);
	if (is_noted)
		pgt_position_due_remove(&due);
}

void
pgt_consume_live_settle(const char *group_id)
{
	ListCell   *cell;

	foreach(cell, pgt_position_due_list())
	{
		const PositionDue *due = lfirst(cell);

		if (group_id != NULL && strcmp(due->group.id, group_id) != 0)
			continue;
		settle(due);
		pgt_position_due_remove(due);
	}
}

/* Transaction callback: write what is left. */
static void
live_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		pgt_consume_live_settle(NULL);
}

void
pgt_consume_live_init(void)
{
	RegisterXactCallback(live_xact_callback, NULL);
	pgt_role_groups_call_first(pgt_consume_live_settle);
}
