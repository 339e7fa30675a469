/*
 * maintenance_worker.c
 *	  The background worker that looks after one database's topics.
 *
 * The launcher starts and ends it.  It has four kinds of rounds, each over all
 * partitions of the database that have a log, and each at an interval of its own:
 *
 *	  retention		log_retention_check_interval_ms, as log.retention.check.interval.ms
 *	  cleaning		compaction of the partitions that are due, highest dirty ratio
 *					first; then merging of those that have small batches; then a
 *					pause of log_cleaner_backoff_ms, as log.cleaner.backoff.ms
 *	  keys			key_index_interval: bringing indexes of keys up to date
 *	  leftovers		maintenance_interval: logs without a topic, offsets of groups
 *					that have expired, and segments of unfinished compactions
 *
 * A cleaning round may take long, so a round of retention that is due runs between any
 * two of its partitions.  Settings are read again before each partition and whenever the
 * worker wakes.
 *
 * Each partition is handled in a transaction of its own.  An error ends only that
 * transaction: it is reported in the server's log and in the partition's statistics, and
 * the round goes on with the next partition.  A partition whose cleaning has failed is
 * left alone until the next round of retention, so that it neither fills the server's log
 * nor delays other partitions.
 *
 * The worker holds no snapshot and no transaction id while it works, so it does not hold
 * vacuum back however long it takes.  Between rounds there is no transaction at all.
 *
 * Locks: ShareUpdateExclusiveLock on the topic while one of its partitions is handled.
 * If it cannot be had at once, because of DDL or a function such as compact(), the
 * partition is skipped until the next round.  A session that waits for the worker's lock
 * gets it soon: see pgt_cleaner_throttle_yields.  SIGTERM ends the worker in the midst of its
 * work; no more is left behind than after a crash.
 *
 * Memory: lists of partitions in "pg_topics round", the rest in transactions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "ddl/orphaned_logs.h"
#include "group/group_expiry.h"
#include "group/role_groups.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/compaction.h"
#include "maintenance/database_claim.h"
#include "maintenance/key_index_build.h"
#include "maintenance/maintenance_stats.h"
#include "maintenance/maintenance_worker.h"
#include "maintenance/merging.h"
#include "maintenance/retention.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "share/share_role.h"
#include "share/share_row.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "util/background_worker.h"
#include "util/clock.h"
#include "util/compat.h"
#include "util/sql_version.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

int			pgt_maintenance_interval = 60;
int			pgt_key_index_interval = 5;
int			pgt_log_retention_check_interval_ms = 300000;
int			pgt_log_cleaner_backoff_ms = 15000;
bool		pgt_log_cleaner_enable = true;

/* When the last round of each kind began or, for cleaning, ended, by the monotonic clock; 0: never. */
static int64 last_retention = 0;
static int64 last_cleaning = 0;
static int64 last_collection = 0;
static int64 last_keys = 0;
static int64 last_share = 0;

/* how often acknowledgements of share groups are looked at, and how many blocks of them are merged */
#define SHARE_MERGE_INTERVAL_MS	INT64CONST(5000)
#define SHARE_MERGE_BLOCKS		64

static MemoryContext round_context = NULL;

/* A partition and how dirty it is. */
typedef struct DirtyPartition
{
	TopicPartition key;
	double		ratio;
} DirtyPartition;

/* Something to do with one partition. */
typedef struct Job
{
	const char *activity;		/* followed by "topic" and its name */
	bool		is_run;			/* shown in pg_stat_activity and counted as a run */

	/* with the topic locked; false: there was nothing to do */
	bool		(*run) (const Topic *topic, int32 partition, void *arg);
} Job;

/* How a job on a partition ended. */
typedef enum JobOutcome
{
	JOB_DONE,
	JOB_NOTHING,				/* there was nothing to do */
	JOB_SKIPPED,				/* the topic is locked, or gone */
	JOB_FAILED
} JobOutcome;

extern PGDLLEXPORT void pgt_maintenance_worker_main(Datum arg);

/* ---- one partition ------------------------------------------------------- */

/* The partitions of this database that have a log, as palloc'd keys. */
static List *
partitions_with_logs(void)
{
	List	   *partitions = NIL;

	for (int i = pgt_log_state_slot_count() - 1; i >= 0; i--)
	{
		TopicPartition key;
		LogBounds	bounds;

		if (pgt_partition_log_slot_bounds(pgt_log_state_slot(i), &key, &bounds) &&
			key.database == MyDatabaseId)
		{
			TopicPartition *copy = palloc(sizeof(TopicPartition));

			*copy = key;
			partitions = lappend(partitions, copy);
		}
	}
	return partitions;
}

/* Lock a topic; false if it cannot be locked at once, is gone, or is no topic. */
static bool
lock_topic(Oid topic)
{
	return ConditionalLockRelationOid(topic, ShareUpdateExclusiveLock) && pgt_topic_exists(topic);
}

/* Show what is being done in pg_stat_activity. */
static void
show_activity(const char *activity, Oid topic)
{
	char	   *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(topic)),
												  get_rel_name(topic));

	pgstat_report_activity(STATE_RUNNING, psprintf("%s topic %s", activity, name));
}

/* Was the job canceled for another session, or by a user, rather than failed? */
static bool
gave_way(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ||
		error->sqlerrcode == ERRCODE_QUERY_CANCELED;
}

/*
 * In a PG_CATCH: report the error, count it for the partition if there is one,
 * and end the transaction.  The topic's lock is still held, so the slot is the
 * partition's.
 */
static JobOutcome
job_failed(const char *doing, PartitionState *state)
{
	ErrorData  *error;
	JobOutcome	outcome;

	HOLD_INTERRUPTS();
	LWLockReleaseAll();
	errcontext("%s", doing);
	MemoryContextSwitchTo(round_context);
	error = CopyErrorData();
	outcome = gave_way(error) ? JOB_SKIPPED : JOB_FAILED;
	if (outcome == JOB_FAILED)
	{
		EmitErrorReport();
		if (state != NULL)
			pgt_maintenance_stats_error(state, error->message);
	}
	FlushErrorState();
	AbortOutOfAnyTransaction();
	RESUME_INTERRUPTS();
	return outcome;
}

/* The job within its transaction; *state is set once the topic is locked. */
static JobOutcome
do_job(const TopicPartition *key, const Job *job, void *arg, PartitionState *volatile *state)
{
	int64		started = pgt_clock_monotonic_us();
	Topic	   *topic;

	if (!lock_topic(key->topic))
		return JOB_SKIPPED;
	*state = pgt_log_state_find(key);
	topic = pgt_topic_get(key->topic);
	if (*state == NULL || key->partition >= topic->partitions)
		return JOB_SKIPPED;
	if (job->is_run)
		show_activity(job->activity, key->topic);
	InvalidateCatalogSnapshot();	/* or it would hold vacuum back */
	if (!job->run(topic, key->partition, arg))
		return JOB_NOTHING;
	if (job->is_run)
		pgt_maintenance_stats_run(*state, started);
	return JOB_DONE;
}

/* Do a job on one partition in a transaction of its own; its errors end here. */
static JobOutcome
run_job(const TopicPartition *key, const Job *job, void *arg)
{
	PartitionState *volatile state = NULL;
	volatile JobOutcome outcome = JOB_FAILED;

	pgt_background_worker_serve_signals();
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		outcome = do_job(key, job, arg, &state);
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		outcome = job_failed(psprintf("%s topic %u, partition %d",
									  job->activity, key->topic, key->partition), state);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
	return outcome;
}

/* ---- retention ----------------------------------------------------------- */

/* Is a round due that was last made at "last" and is made at that interval? */
static bool
is_due(int64 last, int64 interval_ms)
{
	return last == 0 || pgt_clock_ms_since(last) >= interval_ms;
}

static bool
apply_retention(const Topic *topic, int32 partition, void *arg)
{
	RetentionResult result;

	pgt_retention_run(topic, partition, false, &result);
	return true;
}

static const Job retention_job = {"applying retention to", true, apply_retention};

/* A round of retention, if it is time. */
static void
retention_round(void)
{
	List	   *partitions;
	ListCell   *cell;

	if (!is_due(last_retention, pgt_log_retention_check_interval_ms))
		return;
	last_retention = pgt_clock_monotonic_us();
	partitions = partitions_with_logs();
	foreach(cell, partitions)
		(void) run_job(lfirst(cell), &retention_job, NULL);
	list_free_deep(partitions);
}

/* ---- cleaning ------------------------------------------------------------ */

/* Partitions whose cleaning has failed, and the round of retention after which. */
static List *failed = NIL;		/* of TopicPartition, in TopMemoryContext */
static int64 failed_since = 0;	/* last_retention at that time */

/* Remember that cleaning a partition has failed. */
static void
note_failed(const TopicPartition *key)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	TopicPartition *copy = palloc(sizeof(TopicPartition));

	*copy = *key;
	failed = lappend(failed, copy);
	MemoryContextSwitchTo(old);
}

/* Has cleaning the partition failed since the last round of retention? */
static bool
has_failed(const TopicPartition *key)
{
	ListCell   *cell;

	foreach(cell, failed)
		if (memcmp(lfirst(cell), key, sizeof(TopicPartition)) == 0)
			return true;
	return false;
}

/* Give those that have failed another chance after a round of retention. */
static void
forget_failed(void)
{
	if (failed_since == last_retention)
		return;
	list_free_deep(failed);
	failed = NIL;
	failed_since = last_retention;
}

/* A job: is the partition due to be compacted?  Sets *arg, a double, to its dirty ratio. */
static bool
measure_dirt(const Topic *topic, int32 partition, void *arg)
{
	return (topic->cleanup_policy & CLEANUP_COMPACT) != 0 &&
		pgt_compaction_is_due(topic, partition, arg);
}

/* A job: compact the partition, unless another session has done so since it was found due. */
static bool
compact(const Topic *topic, int32 partition, void *arg)
{
	SegmentFilterCounts result;

	if (!measure_dirt(topic, partition, arg))
		return false;
	pgt_compaction_run(topic, partition, false, false, &result);
	return true;
}

static const Job measuring_job = {"measuring", false, measure_dirt};
static const Job compaction_job = {"compacting", true, compact};

/* list_sort comparator: highest dirty ratio first. */
static int
compare_dirt(const ListCell *a, const ListCell *b)
{
	double		x = ((const DirtyPartition *) lfirst(a))->ratio;
	double		y = ((const DirtyPartition *) lfirst(b))->ratio;

	return x > y ? -1 : x < y ? 1 : 0;
}

/* The partitions to be compacted, in that order. */
static List *
dirty_partitions(void)
{
	List	   *partitions = partitions_with_logs();
	List	   *dirty = NIL;
	ListCell   *cell;

	foreach(cell, partitions)
	{
		DirtyPartition *candidate = palloc0(sizeof(DirtyPartition));

		candidate->key = *(TopicPartition *) lfirst(cell);
		if (has_failed(&candidate->key))
			continue;
		switch (run_job(&candidate->key, &measuring_job, &candidate->ratio))
		{
			case JOB_DONE:
				dirty = lappend(dirty, candidate);
				break;
			case JOB_FAILED:
				note_failed(&candidate->key);
				break;
			default:
				break;
		}
	}
	list_sort(dirty, compare_dirt);
	return dirty;
}

/* Compact the partitions that are due. */
static void
compact_partitions(void)
{
	List	   *dirty = dirty_partitions();
	ListCell   *cell;

	foreach(cell, dirty)
	{
		DirtyPartition *partition = lfirst(cell);

		if (run_job(&partition->key, &compaction_job, &partition->ratio) == JOB_FAILED)
			note_failed(&partition->key);
		retention_round();
	}
}

/* A job: does the partition have batches to merge? */
static bool
look_for_batches(const Topic *topic, int32 partition, void *arg)
{
	return pgt_merging_is_due(topic, partition);
}

/* A job: merge the partition's batches. */
static bool
merge(const Topic *topic, int32 partition, void *arg)
{
	SegmentFilterCounts result;

	return pgt_merging_run(topic, partition, false, false, &result);
}

static const Job looking_job = {"looking for batches to merge of", false, look_for_batches};
static const Job merging_job = {"merging batches of", true, merge};

/* Merge the batches of the partitions that have small ones. */
static void
merge_partitions(void)
{
	List	   *partitions = partitions_with_logs();
	ListCell   *cell;

	foreach(cell, partitions)
	{
		const TopicPartition *key = lfirst(cell);
		JobOutcome	outcome;

		if (has_failed(key))
			continue;
		outcome = run_job(key, &looking_job, NULL);
		if (outcome == JOB_DONE)
			outcome = run_job(key, &merging_job, NULL);
		if (outcome == JOB_FAILED)
			note_failed(key);
		retention_round();
	}
	list_free_deep(partitions);
}

/* A round of cleaning, if it is time. */
static void
cleaning_round(void)
{
	if (!pgt_log_cleaner_enable || !is_due(last_cleaning, pgt_log_cleaner_backoff_ms))
		return;
	forget_failed();
	compact_partitions();
	merge_partitions();
	last_cleaning = pgt_clock_monotonic_us();
}

/* ---- keys ----------------------------------------------------------------- */

/* The topics with an index of keys; errors end here. */
static List *
topics_with_keys(void)
{
	List	   *volatile topics = NIL;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		List	   *all = pgt_topic_list();
		ListCell   *cell;

		foreach(cell, all)
		{
			Oid			topic = lfirst_oid(cell);

			/* one that is locked is being altered or dropped */
			if (!ConditionalLockRelationOid(topic, AccessShareLock))
				continue;
			if (pgt_topic_exists(topic) && pgt_topic_get(topic)->key_index)
			{
				MemoryContext transaction = MemoryContextSwitchTo(round_context);

				topics = lappend_oid(topics, topic);
				MemoryContextSwitchTo(transaction);
			}
			UnlockRelationOid(topic, AccessShareLock);
		}
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		(void) job_failed("looking for topics with an index of keys", NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
	return topics;
}

static bool
index_keys(const Topic *topic, int32 partition, void *arg)
{
	KeyIndexResult result;

	if (!topic->key_index)
		return false;
	pgt_key_index_build(topic, partition, &result);
	return true;
}

static const Job keys_job = {"indexing keys of", true, index_keys};

/* Bring the indexes of keys up to date that lack much, if it is time. */
static void
keys_round(void)
{
	List	   *topics;

	if (!is_due(last_keys, pgt_key_index_interval * INT64CONST(1000)))
		return;
	last_keys = pgt_clock_monotonic_us();
	forget_failed();
	topics = topics_with_keys();
	for (int i = topics == NIL ? 0 : pgt_log_state_slot_count(); i > 0; i--)
	{
		PartitionState *state = pgt_log_state_slot(i - 1);
		TopicPartition key;
		LogBounds	bounds;

		if (pgt_partition_log_slot_bounds(state, &key, &bounds) && key.database == MyDatabaseId &&
			list_member_oid(topics, key.topic) && pgt_key_index_build_is_due(state, &bounds) &&
			!has_failed(&key) && run_job(&key, &keys_job, NULL) == JOB_FAILED)
			note_failed(&key);
	}
	list_free(topics);
}

/* ---- leftovers ----------------------------------------------------------- */

static bool
collect_leftovers(const Topic *topic, int32 partition, void *arg)
{
	int			collected = pgt_compaction_collect(topic, partition);

	return collected + pgt_key_index_build_collect(topic, partition) > 0;
}

static const Job leftovers_job = {"collecting leftovers of", false, collect_leftovers};

/* Remove the logs that no topic owns; errors end here. */
static void
collect_orphans(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		pgt_orphaned_logs_collect();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		(void) job_failed("removing logs without a topic", NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
}

/* Remove the groups that have expired, take the others from roles that were dropped; errors end here. */
static void
expire_groups(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		(void) pgt_group_expiry_run();
		(void) pgt_role_groups_disown();
		PushActiveSnapshot(GetLatestSnapshot());
		(void) pgt_share_role_disown();
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		(void) job_failed("expiring consumer groups", NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
}

/* Merge acknowledgements of share groups where they have grown; errors end here. */
static void
merge_share_acks(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		if (OidIsValid(pgt_sql_version_schema()))
			(void) pgt_share_row_merge(pgt_sql_version_schema(), SHARE_MERGE_BLOCKS);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		(void) job_failed("merging acknowledgements of share groups", NULL);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(round_context);
}

/* A round of merging them, if it is time. */
static void
share_round(void)
{
	if (!is_due(last_share, SHARE_MERGE_INTERVAL_MS))
		return;
	last_share = pgt_clock_monotonic_us();
	merge_share_acks();
}

/* A round of removing what is no longer used, if it is time. */
static void
collection_round(void)
{
	List	   *partitions;
	ListCell   *cell;

	if (!is_due(last_collection, pgt_maintenance_interval * INT64CONST(1000)))
		return;
	last_collection = pgt_clock_monotonic_us();
	collect_orphans();
	expire_groups();
	partitions = partitions_with_logs();
	foreach(cell, partitions)
		(void) run_job(lfirst(cell), &leftovers_job, NULL);
}

/* ---- the process --------------------------------------------------------- */

/* Signal handler for SIGTERM: end at once while working, quietly while waiting. */
static void
handle_sigterm(SIGNAL_ARGS)
{
	ShutdownRequestPending = true;
	die(PGT_SIGNAL_PASS);
}

/* Milliseconds until something of that interval is due, or "most" if that is less. */
static int64
until_due(int64 last, int64 interval_ms, int64 most)
{
	return Max(1, Min(most, interval_ms - pgt_clock_ms_since(last)));
}

/* Sleep until the next round of any kind is due. */
static void
wait_until_due(void)
{
	int64		timeout = until_due(last_retention, pgt_log_retention_check_interval_ms, INT_MAX);

	timeout = until_due(last_keys, pgt_key_index_interval * INT64CONST(1000), timeout);
	timeout = until_due(last_share, SHARE_MERGE_INTERVAL_MS, timeout);
	timeout = until_due(last_collection, pgt_maintenance_interval * INT64CONST(1000), timeout);
	if (pgt_log_cleaner_enable)
		timeout = until_due(last_cleaning, pgt_log_cleaner_backoff_ms, timeout);
	pgt_background_worker_wait((long) timeout);
}

/* Connect to the database; exits if the worker must not be there. */
static void
enter_database(Oid database)
{
	pgt_background_worker_connect(database);
	StartTransactionCommand();
	if (!pgt_database_claim_enter(database) || !pgt_sql_version_check(WARNING))
		proc_exit(0);
	CommitTransactionCommand();
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
}

void
pgt_maintenance_worker_main(Datum arg)
{
	pqsignal(SIGTERM, handle_sigterm);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	enter_database(DatumGetObjectId(arg));
	pgt_cleaner_throttle_yields = true;
	round_context = AllocSetContextCreate(TopMemoryContext, "pg_topics round",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(round_context);

	for (;;)
	{
		collection_round();
		share_round();
		retention_round();
		keys_round();
		cleaning_round();
		MemoryContextReset(round_context);
		pgstat_report_stat(false);
		pgstat_report_activity(STATE_IDLE, NULL);
		wait_until_due();
	}
}

void
pgt_maintenance_worker_init(BackgroundWorker *worker, Oid database)
{
	pgt_background_worker_init(worker, "pgt_maintenance_worker_main", MAINTENANCE_WORKER_NAME);
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	worker->bgw_main_arg = ObjectIdGetDatum(database);
	worker->bgw_notify_pid = MyProcPid;
}
