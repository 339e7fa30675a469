/*
 * init.c
 *	  Loading the library: settings, hooks, registration.
 *
 * The library must be in shared_preload_libraries, since it has a WAL resource manager,
 * shared memory and background workers, and loads the logs before the startup process
 * runs.  If it is loaded in another way, it fails at once and says what to add.
 *
 * Most settings are defined here; the value of a variable is the setting's default.  These are
 * not: the defaults of topic options (topic_options.c) and of consumers (consume_request.c), the
 * partitioner (partitioner_lookup.c), the limits of partitions (partition_room.c), those of the
 * Kafka listener (broker_settings.c), and the clock of tests (clock.c).
 */
#include "postgres.h"

#include "broker/broker_worker.h"
#include "broker/connection_status.h"
#include "broker/core/broker_settings.h"
#include "broker/core/broker_shared.h"
#include "consume/consume.h"
#include "consume/consume_live.h"
#include "ddl/partition_room.h"
#include "ddl/topic_ddl.h"
#include "fmgr.h"
#include "group/group_expiry.h"
#include "log/commit_log.h"
#include "log/kafka_txn_map.h"
#include "log/producer_state.h"
#include "log/topic_waiters.h"
#include "maintenance/cleaner_throttle.h"
#include "maintenance/database_claim.h"
#include "maintenance/maintenance_launcher.h"
#include "maintenance/maintenance_worker.h"
#include "miscadmin.h"
#include "produce/acks.h"
#include "produce/partitioner_lookup.h"
#include "produce/pending_partition.h"
#include "produce/producer.h"
#include "publish/change_order.h"
#include "publish/change_publisher.h"
#include "publish/publish_ddl.h"
#include "query/latest_plan.h"
#include "query/topic_walk.h"
#include "share/share_group.h"
#include "share/share_table.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "topic/topic.h"
#include "util/clock.h"
#include "util/fault_point.h"
#include "utils/guc.h"
#include "wal/kafka_txn.h"
#include "wal/log_load.h"
#include "wal/log_redo.h"
#include "wal/log_resolve.h"
#include "wal/log_writer.h"
#include "wal/recovery_point.h"
#include "wal/sync_process.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type previous_shmem_request = NULL;
static shmem_startup_hook_type previous_shmem_startup = NULL;

/* ---- settings ------------------------------------------------------------ */

/* Why a name cannot be the name of the log directory; NULL if it can. */
static const char *
problem_of_log_dir(const char *name)
{
	static const char *const taken[] = {
		"base", "global", "log", "pg_commit_ts", "pg_dynshmem", "pg_logical", "pg_multixact",
		"pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp",
		"pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal", "pg_xact"
	};
	static const char *const not_backed_up[] = {
		"pgsql_tmp", "pg_internal.init", "backup_label", "backup_manifest", "tablespace_map"
	};

	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL)
		return "It must be the name of a directory directly below the data directory.";
	for (int i = 0; i < lengthof(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return "The directory of that name belongs to the server.";
	for (int i = 0; i < lengthof(not_backed_up); i++)
		if (strncmp(name, not_backed_up[i], strlen(not_backed_up[i])) == 0)
			return "Base backups leave out files with such a name.";
	return NULL;
}

/*
 * The log directory must be a directory of our own in the data directory.  At server start
 * returning false would only warn, and the server would start with the default directory
 * and show every topic as empty: so a wrong name is FATAL there.
 */
static bool
check_log_dir(char **value, void **extra, GucSource source)
{
	const char *problem = problem_of_log_dir(*value);

	if (problem == NULL)
		return true;
	GUC_check_errdetail("%s", problem);
	if (process_shared_preload_libraries_in_progress)
		ereport(FATAL,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"pg_topics.log_dir\": \"%s\"", *value),
				 errdetail_internal("%s", problem)));
	return false;
}

/*
 * Settings that the library or a server start decides.  The version is that of the
 * loaded library, which after an upgrade of the files is an older one until the restart.
 */
static void
define_server_settings(void)
{
	static char *version;

	DefineCustomStringVariable("pg_topics.version",
							   "Version of the loaded library.",
							   NULL, &version, PGT_VERSION,
							   PGC_INTERNAL, GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, NULL, NULL, NULL);
	DefineCustomStringVariable("pg_topics.log_dir",
							   "Directory of the topics' files, below the data directory.",
							   NULL, &pgt_log_dir, "pg_topics",
							   PGC_POSTMASTER, 0, check_log_dir, NULL, NULL);
	DefineCustomIntVariable("pg_topics.max_partitions",
							"How many topic partitions the server can hold.",
							"Each takes about 650 bytes of shared memory.",
							&pgt_max_partitions, pgt_max_partitions, 1, 1000000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_max_producers",
							"How many idempotent producers the server remembers.",
							"Counted for each partition that one produces to.  Each takes 160 bytes of shared memory.",
							&pgt_kafka_max_producers, pgt_kafka_max_producers, 1, 1000000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.kafka_max_transactions",
							"How many transactions of Kafka's clients the server can hold.",
							"Counted are those that are open, or have records that are not resolved yet. Each takes about 1,700 bytes of shared memory.",
							&pgt_kafka_max_transactions, pgt_kafka_max_transactions, 1, 100000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.max_share_partitions",
							"How many partitions share groups can have records of in flight at a time.",
							"Each takes 24 bytes of shared memory for each of pg_topics.share_partition_max_record_locks.",
							&pgt_max_share_partitions, pgt_max_share_partitions, 1, 100000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.share_partition_max_record_locks",
							"How many offsets of a partition a share group can have in flight.",
							"From the first record that is not finished to the last one delivered.",
							&pgt_share_partition_max_record_locks, pgt_share_partition_max_record_locks, 100, 10000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pg_topics.adopt_log_dir",
							 "Accept topics that another database cluster has written.",
							 "Turn this on for the first start after pg_upgrade or pg_createsubscriber.",
							 &pgt_adopt_log_dir, pgt_adopt_log_dir,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
}

static const struct config_enum_entry forgotten_transactions[] = {
	{"hold", FORGOTTEN_HOLD, false},
	{"commit", FORGOTTEN_COMMIT, false},
	{"abort", FORGOTTEN_ABORT, false},
	{NULL, 0, false}
};

/* Settings that can be changed in a running server. */
static void
define_settings(void)
{
	DefineCustomIntVariable("pg_topics.batch_size",
							"Size at which a record batch is closed.",
							NULL, &pgt_batch_size, pgt_batch_size, 1024, 16 * 1024 * 1024,
							PGC_USERSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.buffer_memory",
							"Memory for a transaction's pending records before they go to a temporary file.",
							NULL, &pgt_buffer_memory, pgt_buffer_memory, 64, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.sync_interval",
							"How often the sync process checks whether a checkpoint is under way.",
							NULL, &pgt_sync_interval, pgt_sync_interval, 1, 10000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.maintenance_interval",
							"How often the server is searched for orphaned topic files.",
							NULL, &pgt_maintenance_interval, pgt_maintenance_interval, 1, 86400,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.key_index_interval",
							"How often indexes of keys are brought up to date.",
							NULL, &pgt_key_index_interval, pgt_key_index_interval, 1, 86400,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.log_cleaner_io_max_bytes_per_second",
							"How many bytes a compaction reads and writes per second at most.",
							"-1: no limit.",
							&pgt_log_cleaner_io_max_bytes_per_second, 200 * 1024 * 1024, -1, INT_MAX,
							PGC_USERSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.log_retention_check_interval_ms",
							"How often topics are checked for expired segments.",
							NULL, &pgt_log_retention_check_interval_ms, pgt_log_retention_check_interval_ms, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomBoolVariable("pg_topics.log_cleaner_enable",
							 "Compact topics in the background.",
							 NULL, &pgt_log_cleaner_enable, pgt_log_cleaner_enable,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.log_cleaner_backoff_ms",
							"How long the background compaction pauses when there is nothing left to compact.",
							NULL, &pgt_log_cleaner_backoff_ms, pgt_log_cleaner_backoff_ms, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.producer_id_expiration_ms",
							"How long an idempotent producer is remembered that does not produce.",
							NULL, &pgt_producer_id_expiration_ms, pgt_producer_id_expiration_ms, 1, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pg_topics.read_past_running",
							 "Let queries of topics show what stands behind running transactions.",
							 "They show all that their snapshot sees then, as with tables, and not only what is in order.",
							 &pgt_topic_walk_past_running, pgt_topic_walk_past_running,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pg_topics.forgotten_transactions",
							 "How records are treated whose transaction the commit log does not have any more.",
							 "Such records were written before the server ran without pg_topics.",
							 &pgt_forgotten_transactions, pgt_forgotten_transactions, forgotten_transactions,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("pg_topics.max_xid_distance",
							"How far transaction ids may run ahead of the oldest unresolved record batch.",
							"Only tests lower it.",
							&pgt_max_xid_distance, pgt_max_xid_distance, 1, 1500000000,
							PGC_SUSET, GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, NULL, NULL, NULL);
}

/* ---- start --------------------------------------------------------------- */

/* Ask for the shared memory that startup_shmem() will make. */
static void
request_shmem(void)
{
	/* first of all, since it changes MaxBackends, by which others size their memory */
	pgt_commit_log_request();
	if (previous_shmem_request != NULL)
		previous_shmem_request();
	RequestAddinShmemSpace(pgt_log_state_size());
	RequestAddinShmemSpace(pgt_topic_waiters_size());
	RequestAddinShmemSpace(pgt_producer_table_size());
	RequestAddinShmemSpace(pgt_kafka_txn_map_size(pgt_max_partitions));
	RequestAddinShmemSpace(pgt_share_table_size());
	RequestAddinShmemSpace(pgt_broker_shared_size());
	RequestAddinShmemSpace(pgt_connection_status_size());
}

/* Make the table of partitions and fill it, before any process can use it. */
static void
startup_shmem(void)
{
	if (previous_shmem_startup != NULL)
		previous_shmem_startup();
	pgt_topic_waiters_init();
	pgt_producer_table_init();
	pgt_kafka_txn_map_init(pgt_max_partitions);
	pgt_share_table_init();
	pgt_broker_shared_init();
	pgt_connection_status_init();
	if (pgt_log_state_init())
	{
		pgt_commit_log_init();
		pgt_log_load();
	}
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_topics must be loaded when the server starts"),
				 errhint("Add pg_topics to shared_preload_libraries in postgresql.conf, as in shared_preload_libraries = 'pg_topics', and restart the server.")));

	/* first, since it is what another library may stand in the way of */
	pgt_log_redo_init();
	define_server_settings();
	define_settings();
	pgt_topic_init();
	pgt_acks_init();
	pgt_partitioner_lookup_init();
	pgt_partition_room_init();
	pgt_change_publisher_init();
	pgt_consume_init();
	pgt_latest_plan_init();
	pgt_clock_init();
	pgt_group_expiry_init();
	pgt_broker_settings_init();
	pgt_fault_point_init();
	MarkGUCPrefixReserved("pg_topics");

	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;

	pgt_producer_init();
	pgt_kafka_txn_init();
	/* behind the producer's, so that offsets are written before records are appended */
	pgt_consume_live_init();
	pgt_share_group_init_process();
	pgt_topic_ddl_init();
	pgt_change_order_init();
	pgt_publish_ddl_init();
	pgt_database_claim_init();
	/* pg_upgrade freezes and replaces catalogs; a process that shows an xmin would hinder it */
	if (!IsBinaryUpgrade)
	{
		pgt_sync_process_register();
		pgt_maintenance_launcher_register();
		pgt_broker_worker_register();
	}
}
