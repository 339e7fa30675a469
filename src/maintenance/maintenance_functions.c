/*
 * maintenance_functions.c
 *	  The SQL functions that do by hand what the maintenance worker does:
 *	  apply_retention(), compact(), merge_batches() and build_key_index(); and those that
 *	  remove what the user names: delete_records() and erase().
 *
 * All of them take effect at once and are not undone by a rollback, because files
 * cannot be brought back.  apply_retention() and compact() remove only records that are
 * due to go anyway, and merge_batches() and build_key_index() none that can be read, so they
 * may be part of a transaction, unless that transaction has set the options that they follow.
 * The other two are refused inside a transaction.
 *
 * Only the topic's owner may call them.
 *
 * Locks: ShareUpdateExclusiveLock on the topic, which waits for a running worker and
 * excludes another such function, but not producing and consuming.  apply_retention(),
 * compact(), merge_batches() and build_key_index() release it after each topic, so that two
 * calls that go over all topics do not wait for each other in a circle.  A dry run changes
 * nothing; that of apply_retention() takes AccessShareLock, and those of the others keep the
 * segments they read from being replaced.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "maintenance/compaction.h"
#include "maintenance/erase.h"
#include "maintenance/key_index_build.h"
#include "maintenance/merging.h"
#include "maintenance/record_deletion.h"
#include "maintenance/retention.h"
#include "produce/producer.h"
#include "topic/serializer.h"
#include "topic/sql_argument.h"
#include "util/clock.h"
#include "util/sql_version.h"
#include "wal/sync_process.h"

PGT_FUNCTION_INFO(pgt_apply_retention);
PGT_FUNCTION_INFO(pgt_compact);
PGT_FUNCTION_INFO(pgt_build_key_index);
PGT_FUNCTION_INFO(pgt_merge_batches);
PGT_FUNCTION_INFO(pgt_delete_records);
PGT_FUNCTION_INFO(pgt_erase);

/* ---- the user's own topics ------------------------------------------------- */

#define MAINTAIN_COLUMNS	6	/* at most, of a row */

/* What one of these functions does to topics. */
typedef struct TopicWork
{
	bool		(*suits) (const Topic *topic);	/* is the topic one for this work? */
	void		(*refuse) (const Topic *topic);	/* ERROR: it is not, and was named */
	/* work on one partition of a locked topic, and fill its row's columns behind the partition's */
	void		(*run) (const Topic *topic, int32 partition, bool dry_run, Datum *values);
} TopicWork;

/* Work on all partitions of a locked topic, adding a row for each. */
static void
work_on_topic(ReturnSetInfo *set, const Topic *topic, const TopicWork *work, bool dry_run)
{
	if (work->suits != NULL && !work->suits(topic))
		return;
	for (int32 partition = 0; partition < topic->partitions; partition++)
	{
		Datum		values[MAINTAIN_COLUMNS];
		bool		nulls[MAINTAIN_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = ObjectIdGetDatum(topic->relid);
		values[1] = Int32GetDatum(partition);
		work->run(topic, partition, dry_run, &values[2]);
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
		if (pgt_topic_is_owner(lfirst_oid(cell)))
			own = lappend_oid(own, lfirst_oid(cell));
	}
	list_sort(own, list_oid_cmp);
	return own;
}

/* ERROR unless the relation is a topic of the current user's. */
static void
check_own_topic(Oid relid)
{
	pgt_topic_require(relid);
	pgt_topic_check_owner(relid);
}

/* A function f(topic) or f(topic, dry_run): a row for each partition of the topic, or of all own topics. */
static Datum
work_on_topics(FunctionCallInfo fcinfo, const TopicWork *work, LOCKMODE lock)
{
	bool		dry_run = PG_NARGS() > 1 && !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	List	   *topics;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		topics = list_own_topics();
	else
	{
		check_own_topic(PG_GETARG_OID(0));
		topics = list_make1_oid(PG_GETARG_OID(0));
	}

	foreach(cell, topics)
	{
		Oid			relid = lfirst_oid(cell);

		LockRelationOid(relid, lock);
		if (!dry_run)
			pgt_topic_check_settled(relid);
		/* it may have been dropped, or given to another role, before we had the lock */
		if (pgt_topic_is_owner(relid))
			work_on_topic((ReturnSetInfo *) fcinfo->resultinfo, pgt_topic_get(relid), work, dry_run);
		UnlockRelationOid(relid, lock);
	}
	return (Datum) 0;
}

/*
 * The same for work that suits some topics only, which a topic that is named must be, and
 * that is to take in everything committed before the call.
 */
static Datum
work_on_suitable_topics(FunctionCallInfo fcinfo, const TopicWork *work)
{
	if (!PG_ARGISNULL(0))
	{
		const Topic *topic;

		check_own_topic(PG_GETARG_OID(0));
		topic = pgt_topic_get(PG_GETARG_OID(0));
		if (!work->suits(topic))
			work->refuse(topic);
	}
	(void) pgt_sync_process_resolve();
	return work_on_topics(fcinfo, work, ShareUpdateExclusiveLock);
}

/* Fill the columns that tell what rewriting a partition's segments has done. */
static void
set_counts(Datum *values, const SegmentFilterCounts *counts)
{
	values[0] = Int64GetDatum(counts->records_before);
	values[1] = Int64GetDatum(counts->records_after);
	values[2] = Int64GetDatum(counts->bytes_before);
	values[3] = Int64GetDatum(counts->bytes_after);
}

/* Lock a topic; ERROR unless the current user owns it before and after the lock is granted. */
static void
lock_own_topic(Oid relid)
{
	check_own_topic(relid);
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	check_own_topic(relid);
}

/* ERROR inside a transaction, whose rollback could not bring records back. */
static void
check_not_in_transaction(const char *function)
{
	if (IsTransactionBlock() || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", function),
				 errdetail("The function takes effect at once and cannot be rolled back."),
				 errhint("Run it as a statement of its own, outside of transaction blocks and of blocks with an EXCEPTION clause.")));
	/* this also refuses pipelines */
	PreventInTransactionBlock(true, function);
}

/* ---- apply_retention ----------------------------------------------------- */

/* Apply retention to one partition. */
static void
retain(const Topic *topic, int32 partition, bool dry_run, Datum *values)
{
	RetentionResult result;

	pgt_retention_run(topic, partition, dry_run, &result);
	values[0] = Int32GetDatum(result.segments_deleted);
	values[1] = Int64GetDatum(result.bytes_deleted);
	values[2] = Int64GetDatum(result.log_start_offset);
}

static const TopicWork retaining = {NULL, NULL, retain};

/* apply_retention(topic, dry_run) */
Datum
pgt_apply_retention(PG_FUNCTION_ARGS)
{
	bool		dry_run = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);

	if (!dry_run)
		PreventCommandIfReadOnly("apply_retention()");

	/* so that everything committed before the call may be removed */
	if (!RecoveryInProgress())
		(void) pgt_sync_process_resolve();
	return work_on_topics(fcinfo, &retaining, dry_run ? AccessShareLock : ShareUpdateExclusiveLock);
}

/* ---- compact ------------------------------------------------------------- */

/* Is the topic one whose records are compacted? */
static bool
is_compacted(const Topic *topic)
{
	return (topic->cleanup_policy & CLEANUP_COMPACT) != 0;
}

/* ERROR: the topic is not compacted. */
static void
refuse_to_compact(const Topic *topic)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("topic \"%s\" is not compacted", get_rel_name(topic->relid)),
			 errhint("Set the topic's option cleanup.policy to \"compact\" or \"compact,delete\".")));
}

/* Compact one partition. */
static void
compact(const Topic *topic, int32 partition, bool dry_run, Datum *values)
{
	SegmentFilterCounts counts;

	pgt_compaction_run(topic, partition, true, dry_run, &counts);
	set_counts(values, &counts);
}

static const TopicWork compacting = {is_compacted, refuse_to_compact, compact};

/* compact(topic, dry_run) */
Datum
pgt_compact(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("compact()");
	return work_on_suitable_topics(fcinfo, &compacting);
}

/* ---- build_key_index ------------------------------------------------------- */

/* Is the topic one with an index of keys? */
static bool
has_key_index(const Topic *topic)
{
	return topic->key_index;
}

/* ERROR: the topic has no index of keys. */
static void
refuse_to_index(const Topic *topic)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("topic \"%s\" has no index of keys", get_rel_name(topic->relid)),
			 errhint("Set the topic's option key.index to on.")));
}

/* Build the index of keys of one partition. */
static void
index_keys(const Topic *topic, int32 partition, bool dry_run, Datum *values)
{
	KeyIndexResult result;

	pgt_key_index_build(topic, partition, &result);
	values[0] = Int64GetDatum(result.batches);
	values[1] = Int64GetDatum(result.keys);
	values[2] = Int64GetDatum(result.bytes);
}

static const TopicWork indexing = {has_key_index, refuse_to_index, index_keys};

/* build_key_index(topic) */
Datum
pgt_build_key_index(PG_FUNCTION_ARGS)
{
	PreventCommandDuringRecovery("build_key_index()");
	return work_on_suitable_topics(fcinfo, &indexing);
}

/* ---- merge_batches ------------------------------------------------------- */

/* Is the topic one whose batches are merged? */
static bool
is_merged(const Topic *topic)
{
	return topic->batch_merge;
}

/* ERROR: the topic's batches are not merged. */
static void
refuse_to_merge(const Topic *topic)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("batches of topic \"%s\" are not merged", get_rel_name(topic->relid)),
			 errhint("Set the topic's option batch.merge to \"on\".")));
}

/* Merge the batches of one partition. */
static void
merge(const Topic *topic, int32 partition, bool dry_run, Datum *values)
{
	SegmentFilterCounts counts;

	(void) pgt_merging_run(topic, partition, true, dry_run, &counts);
	set_counts(values, &counts);
}

static const TopicWork merging = {is_merged, refuse_to_merge, merge};

/* merge_batches(topic, dry_run) */
Datum
pgt_merge_batches(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("merge_batches()");
	return work_on_suitable_topics(fcinfo, &merging);
}

/* ---- erase --------------------------------------------------------------- */

/* erase(topic, key): how many records are gone. */
Datum
pgt_erase(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	Topic	   *topic;
	ByteView	key;
	int64		erased = 0;

	pgt_sql_argument_require(fcinfo, 0, "topic");
	pgt_sql_argument_require(fcinfo, 1, "key");
	PreventCommandIfReadOnly("erase()");
	check_not_in_transaction("erase()");
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the data type of the key of erase()")));
	pgt_producer_check_unused(relid, "erase from");
	lock_own_topic(relid);
	topic = pgt_topic_get(relid);
	key = pgt_serialize_any(&topic->key, PG_GETARG_DATUM(1), false, type);
	for (int32 partition = 0; partition < topic->partitions; partition++)
		erased += pgt_erase_key(topic, partition, key);
	PG_RETURN_INT64(erased);
}

/* ---- delete_records ------------------------------------------------------ */

/* delete_records(topic, partition, before_offset): the log start afterwards. */
Datum
pgt_delete_records(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	PreventCommandIfReadOnly("delete_records()");
	check_not_in_transaction("delete_records()");
	lock_own_topic(relid);
	PG_RETURN_INT64(pgt_record_deletion_run(pgt_topic_get(relid), PG_GETARG_INT32(1), PG_GETARG_INT64(2)));
}
