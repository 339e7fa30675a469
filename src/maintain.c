/*
 * maintain.c
 *	  The SQL functions that do by hand what the maintenance worker does:
 *	  apply_retention() and delete_records(); and what pg_topic_groups tells of
 *	  retention.
 *
 * They act at once and are not undone by a rollback: files cannot be brought
 * back.  What apply_retention() removes is due anyway, so it may be part of a
 * transaction; delete_records() is refused in one.
 *
 * For the topic's owner.
 *
 * Locks: ShareUpdateExclusiveLock on the topic, which waits for a running
 * worker and excludes another such function, not producing and consuming.
 * apply_retention() gives it back after each topic, so that two of them going
 * over all topics do not wait for each other in a circle.  A dry run changes
 * nothing and takes AccessShareLock.
 *
 * Layer 7.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "log_reader.h"
#include "retention.h"
#include "serializer.h"

#define LAST_STABLE_OFFSET	(-1)	/* what delete_records() calls it */

PG_FUNCTION_INFO_V1(pgt_apply_retention);
PG_FUNCTION_INFO_V1(pgt_delete_records);
PG_FUNCTION_INFO_V1(pgt_topic_at_risk_info);

/* ---- apply_retention ----------------------------------------------------- */

/* Apply retention to all partitions of a locked topic, adding a row for each. */
static void
apply_to_topic(ReturnSetInfo *set, const Topic *topic, bool dry_run)
{
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		RetentionResult result;
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		pgt_retention_run(topic, partition, dry_run, &result);
		values[0] = ObjectIdGetDatum(topic->relid);
		values[1] = Int32GetDatum(partition);
		values[2] = Int32GetDatum(result.segments_deleted);
		values[3] = Int64GetDatum(result.bytes_deleted);
		values[4] = Int64GetDatum(result.log_start_offset);
		tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
	}
}

/* The topics of this database that the current user owns. */
static List *
list_own_topics(void)
{
	List	   *own = NIL;
	ListCell   *cell;
	List	   *all = pgt_topic_list();

	foreach(cell, all)
	{
		/* not an error where it has just been dropped */
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lfirst_oid(cell))) &&
			pg_class_ownercheck(lfirst_oid(cell), GetUserId()))
			own = lappend_oid(own, lfirst_oid(cell));
	}
	list_sort(own, list_oid_cmp);
	return own;
}

/* apply_retention(topic, dry_run): a row for each partition. */
Datum
pgt_apply_retention(PG_FUNCTION_ARGS)
{
	bool		dry_run = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	LOCKMODE	lock = dry_run ? AccessShareLock : ShareUpdateExclusiveLock;
	List	   *topics;
	ListCell   *cell;

	if (!dry_run)
		PreventCommandIfReadOnly("apply_retention()");
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		topics = list_own_topics();
	else
	{
		pgt_topic_require(PG_GETARG_OID(0));
		pgt_topic_check_owner(PG_GETARG_OID(0));
		topics = list_make1_oid(PG_GETARG_OID(0));
	}

	foreach(cell, topics)
	{
		Oid			relid = lfirst_oid(cell);

		LockRelationOid(relid, lock);
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			apply_to_topic((ReturnSetInfo *) fcinfo->resultinfo, pgt_topic_get(relid), dry_run);
		UnlockRelationOid(relid, lock);
	}
	return (Datum) 0;
}

/* ---- delete_records ------------------------------------------------------ */

/* ERROR where a rollback would have to bring records back. */
static void
check_not_in_transaction(void)
{
	if (IsTransactionBlock() || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("delete_records() cannot run inside a transaction block"),
				 errdetail("It acts at once and cannot be rolled back."),
				 errhint("Run it as a statement of its own, outside of transaction blocks and of blocks with an EXCEPTION clause.")));
	/* the rest: pipelines */
	PreventInTransactionBlock(true, "delete_records()");
}

/* The partition's last stable offset as of now. */
static int64
last_stable_offset(const TopicPartition *key)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TransactionId blocker;
	int64		end = pgt_log_visible_end(key, snapshot, &blocker);

	UnregisterSnapshot(snapshot);
	return end;
}

/* ERROR unless records before that offset may be deleted. */
static void
check_before_offset(const TopicPartition *key, int64 offset, int64 stable)
{
	if (offset < LAST_STABLE_OFFSET)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is negative", (long long) offset),
				 errhint("Use -1 for the last stable offset.")));
	if (offset > stable)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("offset %lld is past the last stable offset %lld of topic \"%s\" partition %d",
						(long long) offset, (long long) stable, get_rel_name(key->topic),
						key->partition),
				 errdetail("Records of transactions that have not ended are not deleted."),
				 errhint("Use -1 for the last stable offset.")));
}

/* delete_records(topic, partition, before_offset): the log start afterwards. */
Datum
pgt_delete_records(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int64		offset = PG_GETARG_INT64(2);
	Topic	   *topic;
	TopicPartition key;
	int64		stable;
	RetentionResult result;

	PreventCommandIfReadOnly("delete_records()");
	check_not_in_transaction();
	pgt_topic_require(relid);
	pgt_topic_check_owner(relid);
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	topic = pgt_topic_get(relid);
	key = pgt_topic_partition(topic, PG_GETARG_INT32(1));
	stable = last_stable_offset(&key);
	check_before_offset(&key, offset, stable);
	if (offset == LAST_STABLE_OFFSET)
		offset = stable;
	pgt_retention_delete_before(topic, key.partition, offset, &result);
	PG_RETURN_INT64(result.log_start_offset);
}

/* ---- pg_topic_groups ------------------------------------------------------ */

/*
 * pg_topic_at_risk_info(topic, partition, committed_offset): how many records
 * the group loses next, and when; nulls where it loses none, or for who may
 * not read the topic.
 */
Datum
pgt_topic_at_risk_info(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	int32		partition = PG_GETARG_INT32(1);
	int64		next = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};
	int64		records;
	int64		at;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	LockRelationOid(relid, AccessShareLock);
	if (pgt_is_topic(relid) &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
	{
		Topic	   *topic = pgt_topic_get(relid);

		if (partition >= 0 && partition < topic->partitions &&
			pgt_retention_at_risk(topic, partition, next, &records, &at))
		{
			values[0] = Int64GetDatum(records);
			values[1] = TimestampTzGetDatum(pgt_ms_to_timestamptz(at));
			nulls[0] = nulls[1] = false;
		}
	}
	UnlockRelationOid(relid, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
