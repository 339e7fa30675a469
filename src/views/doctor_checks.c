/*
 * doctor_checks.c
 *	  What pg_topics_doctor() checks: a query for each.
 *
 * A finding is something that somebody should do something about, and tells what.  Five
 * severities, by what happens if nobody does:
 *
 *	  critical	records cannot be read, or will be lost; statements fail, or will
 *	  warning	disks fill up, consumers stand still, a promise is not kept
 *	  notice	it works, and could work better
 *	  unknown	the user may not see what it takes to tell
 *	  ok		nothing to do
 *
 * What is normal for a moment, such as a transaction that runs or a group that has much to
 * read, is no finding before the time that the caller gives.
 *
 * A new check is a row in the table at the end, with a test in test/t/078_doctor.pl that
 * brings the finding about, and a line in docs/monitoring.md.
 *
 * The queries read the views, and so show what their user may see.
 */
#include "postgres.h"

#include "views/doctor_checks.h"

/* ---- the server's settings ------------------------------------------------ */

/* The files may leave the library out, which nobody notices before the next start. */
#define PRELOAD_QUERY \
	"SELECT 'critical', f.sourcefile, " \
	" format('The next start of the server is without pg_topics: shared_preload_libraries is \"%s\" in line %s.', f.setting, f.sourceline), " \
	" 'Add pg_topics to the setting before the server is restarted.' " \
	"FROM (SELECT * FROM pg_file_settings WHERE name = 'shared_preload_libraries' ORDER BY seqno DESC LIMIT 1) f " \
	"WHERE NOT EXISTS (SELECT FROM regexp_split_to_table(f.setting, ',') AS library " \
	"  WHERE regexp_replace(btrim(library, ' \"'), '^.*/', '') IN ('pg_topics', 'pg_topics.so'))"
#define PRELOAD_FINE "format('Version %s of the library is loaded.', current_setting('pg_topics.version'))"

/*
 * The launcher, the sync process and a maintenance worker for each database with topics; for Kafka's clients one
 * for each database with a listener, and two that flush.  Requests that may wait need one more at times (broker/helpers).
 */
#define KAFKA_WORKERS \
	"(SELECT CASE WHEN listeners = '' THEN 0 ELSE 2 + (SELECT count(DISTINCT btrim(regexp_replace(l, '^.*/', ''), ' \"')) " \
	" FROM regexp_split_to_table(listeners, ',') AS l) END AS kafka FROM current_setting('pg_topics.kafka_listeners') AS listeners) k"
#define WORKERS_QUERY \
	"SELECT CASE WHEN slots < needed THEN 'critical' ELSE 'warning' END, 'max_worker_processes', " \
	" format('Databases with topics: %s; ', $5) " \
	" || CASE WHEN kafka > 0 THEN format('processes of Kafka''s listeners: %s; ', kafka) ELSE '' END " \
	" || format('worker processes: %s', slots) " \
	" || CASE WHEN slots >= needed THEN '. None is left for requests of Kafka''s clients that may wait: creating and altering topics ends with REQUEST_TIMED_OUT.' " \
	"  ELSE format(', and %s are needed: a database without a maintenance worker deletes and compacts nothing', needed) " \
	"   || CASE WHEN kafka > 0 THEN ', and a listener without its process serves nobody.' ELSE '.' END END, " \
	" format('Set max_worker_processes to at least %s, more by what parallel queries and other extensions need, and restart.', needed + helpers) " \
	"FROM (SELECT current_setting('max_worker_processes')::int AS slots, " \
	"  k.kafka, 2 + $5 + k.kafka + (current_setting('max_logical_replication_workers')::int > 0)::int AS needed, (kafka > 0)::int AS helpers FROM " KAFKA_WORKERS ") w " \
	"WHERE slots < needed + helpers"
#define WORKERS_FINE \
	"format('Databases with topics: %s; worker processes: %s.', $5, current_setting('max_worker_processes'))"

#define FILES_QUERY \
	"SELECT 'warning', 'max_files_per_process', " \
	" format('The system lets each process of the server open %s files, fewer than max_files_per_process = %s.', $6, asked), " \
	" 'Raise the limit of open files (LimitNOFILE of the service, or ulimit -n), and restart.' " \
	"FROM current_setting('max_files_per_process') AS asked WHERE $6 < asked::bigint " \
	"UNION ALL " \
	"SELECT 'notice', 'max_files_per_process', " \
	" format('A process keeps at most %s files open, and %s partitions have at least two each: those that use many of them open the files again and again.', $7, $3), " \
	" 'Raise max_files_per_process, and with it the limit of open files, and restart.' " \
	"WHERE 2 * $3 > $7"
#define FILES_FINE "format('A process keeps up to %s files open; partitions: %s.', $7, $3)"

#define PARTITIONS_QUERY \
	"SELECT CASE WHEN $3 >= $4 THEN 'critical' ELSE 'warning' END, 'pg_topics.max_partitions', " \
	" format('%s of %s partitions are taken. Who wants more than are left gets an error.', $3, $4), " \
	" 'Raise pg_topics.max_partitions, on standbys first, and restart; or drop topics that nobody needs.' " \
	"WHERE $3 >= 0.8 * $4"
#define PARTITIONS_FINE "format('%s of %s partitions are taken.', $3, $4)"

#define WAL_QUERY \
	"SELECT severity, name, format('%s = %s: %s', name, value, effect), advice FROM (VALUES " \
	" ('critical', 'fsync', 'off', 'after a crash of the machine topics and tables may be damaged.', 'Set fsync = on.'), " \
	" ('critical', 'full_page_writes', 'off', 'after a crash of the machine tables may be damaged, those of the consumer groups among them.', 'Set full_page_writes = on.'), " \
	" ('warning', 'wal_level', 'minimal', 'there can be no standby, and no recovery to a point in time.', 'Set wal_level = replica, and restart.'), " \
	" ('notice', 'synchronous_commit', 'off', 'a crash takes the records and offsets of the last transactions, although they were acknowledged.', 'Set synchronous_commit = on, or pg_topics.acks where it counts.') " \
	") AS s (severity, name, value, effect, advice) WHERE current_setting(name) = value"
#define WAL_FINE \
	"format('wal_level = %s, fsync = %s, full_page_writes = %s, synchronous_commit = %s', current_setting('wal_level'), " \
	" current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'))"

/* Settings that are meant for a while. */
#define EXCEPTIONS_QUERY \
	"SELECT 'warning', name, format('%s = %s is meant for one start or one repair: %s', name, current_setting(name), effect), advice " \
	"FROM (VALUES " \
	" ('pg_topics.adopt_log_dir', 'off', 'a start with the files of another cluster would not be noticed.', 'Set it to off; it counts from the next restart on.'), " \
	" ('pg_topics.forgotten_transactions', 'hold', 'what becomes of records whose transaction is not known is decided for all topics to come.', 'Set it to hold when no partition is held back any more, and reload.') " \
	") AS s (name, usual, effect, advice) WHERE current_setting(name) <> usual"
#define EXCEPTIONS_FINE "'No setting is in force that is meant for a repair.'"

/* ---- replicas --------------------------------------------------------------- */

/* How many standbys a commit waits for, by synchronous_standby_names. */
#define SYNC_STANDBYS \
	"(SELECT CASE WHEN names = '' THEN 0 " \
	"  ELSE coalesce(substring(names FROM '^\\s*(?:(?:any|first)\\s*)?(\\d+)\\s*\\(')::int, 1) END AS number " \
	" FROM lower(btrim(current_setting('synchronous_standby_names'))) AS names)"

#define ACKS_QUERY \
	"SELECT 'critical', t.topic::text, " \
	" format('min.insync.replicas: %s; standbys that a commit waits for: %s. Transactions that wait for standbys cannot produce to the topic.', " \
	"  t.config ->> 'min.insync.replicas', s.number), " \
	" 'Set synchronous_standby_names so that enough standbys are waited for, or lower the option.' " \
	"FROM @.pg_topics t, " SYNC_STANDBYS " s WHERE (t.config ->> 'min.insync.replicas')::int > 1 + s.number " \
	"UNION ALL " \
	"SELECT 'warning', 'pg_topics.acks', " \
	" format('pg_topics.acks is \"all\"%s, and synchronous_standby_names is empty: a commit waits for no standby.', place), " \
	" 'Name the standbys in synchronous_standby_names, or set pg_topics.acks to 1.' " \
	"FROM (SELECT '' AS place WHERE current_setting('pg_topics.acks') IN ('all', '-1') " \
	"  UNION SELECT format(' for%s%s', ' role ' || nullif(setrole, 0)::regrole, ' database ' || quote_ident(datname)) " \
	"  FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase " \
	"  WHERE setconfig && '{pg_topics.acks=all,pg_topics.acks=-1}') p, " SYNC_STANDBYS " s WHERE s.number = 0 " \
	"UNION ALL " \
	"SELECT 'critical', 'synchronous_standby_names', " \
	" format('Standbys that a commit waits for: %s; connected: %s. No commit returns until there are more.', s.number, r.number), " \
	" 'Start the standbys, or take them out of synchronous_standby_names and reload.' " \
	"FROM " SYNC_STANDBYS " s, (SELECT count(*) AS number FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) r " \
	"WHERE s.number > r.number AND NOT pg_is_in_recovery() AND pg_has_role('pg_read_all_stats', 'USAGE')"
#define ACKS_FINE \
	"format('Standbys that a commit waits for: %s. No topic wants more.', (SELECT number FROM " SYNC_STANDBYS " s))"

/* ---- transactions ------------------------------------------------------------ */

#define HELD_QUERY \
	"SELECT 'warning', topic::text, " \
	" format('Consumers and queries stop in partition %s at records of %s, open since %s.', " \
	"  string_agg(partition::text, ', ' ORDER BY partition), blocker, coalesce(since::text, 'a time that is not shown')), " \
	" format('End it: %s', remedy) " \
	"FROM (SELECT p.topic, p.partition, coalesce(x.prepared, a.xact_start) AS since, " \
	"  CASE WHEN blocking_pid IS NULL THEN format('the prepared transaction %L', blocking_gid) " \
	"   ELSE format('process %s (user %s, application \"%s\", %s)', blocking_pid, a.usename, a.application_name, a.state) END AS blocker, " \
	"  CASE WHEN blocking_pid IS NULL THEN format('COMMIT PREPARED %L or ROLLBACK PREPARED %L', blocking_gid, blocking_gid) " \
	"   ELSE format('in its session, or by pg_terminate_backend(%s)', blocking_pid) END AS remedy " \
	" FROM @.pg_topic_partitions p " \
	"  LEFT JOIN pg_stat_activity a ON a.pid = blocking_pid " \
	"  LEFT JOIN pg_prepared_xacts x ON x.gid = blocking_gid " \
	" WHERE last_stable_offset < log_end_offset AND (blocking_pid IS NOT NULL OR blocking_gid IS NOT NULL)) h " \
	"WHERE since IS NULL OR since <= clock_timestamp() - $1 " \
	"GROUP BY topic, blocker, since, remedy"
#define HELD_FINE "format('No transaction older than %s holds consumers back.', $1)"

#define PREPARED_QUERY \
	"SELECT 'warning', format('prepared transaction %L', gid), " \
	" format('It is open since %s in database %s, owned by %s: it holds back vacuum, and consumers of the partitions it has produced to or consumed from.', prepared, quote_ident(database), quote_ident(owner)), " \
	" format('Run COMMIT PREPARED %L or ROLLBACK PREPARED %L there.', gid, gid) " \
	"FROM pg_prepared_xacts WHERE prepared <= clock_timestamp() - $1"
#define PREPARED_FINE "format('No transaction has been prepared for longer than %s.', $1)"

/*
 * The groups' tables, where they have many old versions of rows, and who keeps vacuum from
 * removing them: the oldest of the transactions, snapshots and replicas.
 */
#define VERSIONS_QUERY \
	"SELECT 'notice', quote_ident(t.relname), " \
	" format('It has %s with about %s old versions of rows, which %s keeps, open since %s. Each commit of a consumer group adds one.', " \
	"  pg_size_pretty(pg_table_size(t.relid)), t.n_dead_tup, h.holder, coalesce(h.since::text, 'a time that is not shown')), " \
	" format('End it: %s. Let idle_in_transaction_session_timeout end sessions that forget to. Vacuum makes the room free for new versions then.', h.remedy) " \
	"FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace " \
	" JOIN pg_stat_all_tables t ON t.schemaname = n.nspname AND t.relname IN ('topic_group_offsets', 'topic_group_members', 'topic_kafka_groups', 'topic_kafka_members', 'topic_kafka_transactional_ids', 'topic_kafka_pending_offsets'), " \
	"LATERAL (SELECT * FROM (" \
	"  SELECT format('process %s (user %s, application \"%s\", %s)', pid, usename, application_name, state) AS holder, xact_start AS since, " \
	"   format('in its session, or by pg_terminate_backend(%s)', pid) AS remedy, " \
	"   greatest(age(backend_xid), age(backend_xmin)) AS age " \
	"  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() " \
	"  UNION ALL SELECT format('the prepared transaction %L', gid), prepared, " \
	"   format('COMMIT PREPARED %L or ROLLBACK PREPARED %L', gid, gid), age(transaction) " \
	"  FROM pg_prepared_xacts WHERE database = current_database() " \
	"  UNION ALL SELECT format('the replication slot %s', slot_name), NULL, " \
	"   'start its replica, or drop the slot', age(xmin) FROM pg_replication_slots " \
	"  UNION ALL SELECT format('the standby %s (hot_standby_feedback)', application_name), NULL, " \
	"   'a query or an open transaction there', age(backend_xmin) FROM pg_stat_replication) all_of_them " \
	" WHERE age IS NOT NULL ORDER BY age DESC LIMIT 1) h " \
	"WHERE e.extname = 'pg_topics' AND t.n_dead_tup >= 10000 AND (h.since IS NULL OR h.since <= clock_timestamp() - $1)"
#define VERSIONS_FINE "format('No transaction older than %s keeps many old versions of the rows of consumer groups.', $1)"

/* ---- topics ------------------------------------------------------------------ */

#define DAMAGE_QUERY \
	"SELECT 'critical', format('%s, partition %s', topic, partition), " \
	" 'Its end cannot be found: a file is damaged, or records are of a transaction whose outcome is not known.', " \
	" format('See the server''s log and verify_topic(%L).', topic) " \
	"FROM @.pg_topic_partitions WHERE last_stable_offset IS NULL " \
	"UNION ALL " \
	"SELECT 'critical', format('%s, partition %s', topic, partition), " \
	" format('%s cannot go on: a file is damaged or cannot be read.', string_agg(initcap(work), ', ' ORDER BY work DESC)), " \
	" format('See the server''s log and verify_topic(%L).', topic) " \
	"FROM @.pg_topic_maintenance WHERE held_by = 'damage' GROUP BY topic, partition"
#define DAMAGE_FINE \
	"format('The ends of %s partitions can be read; verify_topic() reads all of their files.', " \
	" (SELECT count(*) FROM @.pg_topic_partitions))"

#define MAINTENANCE_QUERY \
	"SELECT 'warning', format('%s, partition %s', topic, partition), " \
	" format('Errors of the maintenance worker: %s, the last one at %s: %s', errors, last_error_at, last_error), " \
	" 'See the server''s log. What is due is tried again with the next round.' " \
	"FROM @.pg_stat_topics WHERE last_error_at >= clock_timestamp() - $2 " \
	"UNION ALL " \
	"SELECT 'warning', topic::text, 'The topic is to be compacted, and pg_topics.log_cleaner_enable is off.', " \
	" 'Set it to on and reload, or call compact() by a schedule.' " \
	"FROM @.pg_topics WHERE cleanup_policy ~ 'compact' AND NOT current_setting('pg_topics.log_cleaner_enable')::bool"
#define MAINTENANCE_FINE "format('The maintenance worker has met no error for %s.', $2)"

/* The groups that the topic waits for and that are last in a partition whose retention they hold back. */
#define CONSUMERS_QUERY \
	"WITH held AS (SELECT DISTINCT topic FROM @.pg_topic_maintenance " \
	"  WHERE work = 'retention' AND held_by = 'retention.consumers'), " \
	"named AS (SELECT topic, coalesce(replace(n[1], '\"\"', '\"'), n[2]) AS group_id " \
	"  FROM held JOIN @.pg_topics USING (topic), " \
	"  regexp_matches(config ->> 'retention.consumers.groups', '\\s*(?:\"((?:[^\"]|\"\")*)\"|([^,\"\\s]+))\\s*(?:,|$)', 'g') AS n), " \
	"used AS (SELECT topic, group_id, max(greatest(commit_timestamp, lease_until)) AS at, " \
	"  bool_or(consumer_pid IS NOT NULL OR consumer_gid IS NOT NULL) AS busy, sum(lag) AS lag " \
	"  FROM held JOIN @.pg_topic_groups USING (topic) GROUP BY topic, group_id) " \
	"SELECT 'warning', format('consumer group \"%s\" of %s', group_id, topic), " \
	" format('It has not committed since %s, and the topic keeps files for it. Offsets that it has still to read: %s.', at, lag), " \
	" format('Start a consumer, or call delete_group(%L, %L). A limit is retention.consumers.max.bytes or .max.ms.', topic, group_id) " \
	"FROM used WHERE lag > 0 AND NOT busy AND at < clock_timestamp() - $2 " \
	" AND (group_id IN (SELECT n.group_id FROM named n WHERE n.topic = used.topic) " \
	"  OR NOT EXISTS (SELECT FROM named n WHERE n.topic = used.topic)) " \
	"UNION ALL " \
	"SELECT 'warning', format('consumer group \"%s\" of %s', group_id, topic), " \
	" 'It has never committed, and the topic keeps all files for it, since retention.consumers.groups names it.', " \
	" 'Start a consumer, or correct the option.' " \
	"FROM named LEFT JOIN used USING (topic, group_id) WHERE used.at IS NULL"
#define CONSUMERS_FINE "format('No topic keeps files for a group that has been idle for %s.', $2)"

/*
 * Groups that Kafka's clients keep from consumers in SQL though nobody serves these clients, or nothing is known of
 * them.  Whoever coordinates holds a lock (kafka_claim.c).
 */
#define KAFKA_GROUPS_QUERY \
	"WITH claimed AS (SELECT group_id, topic, member_id, client_id, string_agg(partition::text, ', ' ORDER BY partition) AS partitions " \
	"  FROM @.pg_topic_groups WHERE member_kind = 'kafka' GROUP BY group_id, topic, member_id, client_id), " \
	"used AS (SELECT group_id FROM claimed UNION SELECT group_id FROM @.pg_topic_group_members WHERE kind <> 'sql'), " \
	"served AS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 0 AND objsubid = 9 " \
	"  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted) " \
	"SELECT 'warning', format('consumer group \"%s\"', group_id), " \
	" 'Kafka clients are members of it, but no listener serves this database: the group is closed to consumers in SQL.', " \
	" format('Set pg_topics.kafka_listeners for this database, or call remove_kafka_members(%L).', group_id) " \
	"FROM used WHERE NOT EXISTS (SELECT FROM served) AND NOT pg_is_in_recovery() " \
	"UNION ALL " \
	"SELECT 'warning', format('consumer group \"%s\" of %s', group_id, topic), " \
	" format('Partitions %s are assigned to the Kafka client \"%s\", of which nothing is known.', partitions, member_id), " \
	" format('Unless that changes in a moment: remove the database from pg_topics.kafka_listeners, and call remove_kafka_members(%L).', group_id) " \
	"FROM claimed WHERE client_id IS NULL AND EXISTS (SELECT FROM served)"
#define KAFKA_GROUPS_FINE "'No group is closed to consumers in SQL by Kafka clients that are gone.'"

/* Kafka's transactions that are open for longer than transactions should be. */
#define KAFKA_TRANSACTIONS_QUERY \
	"SELECT 'warning', format('transactional id \"%s\"', transactional_id), " \
	" format('Its transaction is open since %s. Partitions in which it has records, behind which nothing can be read: %s.', started_at, partitions), " \
	" CASE WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 0 AND objsubid = 9 " \
	"   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted) " \
	"  THEN format('Let its client end it, or call abort_kafka_transaction(%L). It is aborted when it has been open for %s.', transactional_id, timeout) " \
	"  ELSE 'No listener serves this database, so nobody can end it: set pg_topics.kafka_listeners, which has it aborted when its time is over.' END " \
	"FROM @.pg_kafka_transactions WHERE state = 'open' AND started_at <= clock_timestamp() - $1 AND NOT pg_is_in_recovery()"
#define KAFKA_TRANSACTIONS_FINE "format('No transaction of a Kafka client that you may see is open for longer than %s.', $1)"

#define SHARE_QUERY \
	"WITH room AS (SELECT current_setting('pg_topics.share_partition_max_record_locks')::bigint AS offsets) " \
	"SELECT 'warning', format('share group \"%s\" in partition %s of %s', group_id, partition, topic), " \
	" format('Of the %s offsets that it can have in flight, %s are taken, since the record at offset %s is not finished.', offsets, end_offset - start_offset, start_offset), " \
	" 'Let its consumers accept, release or reject that record; or raise pg_topics.share_partition_max_record_locks, and restart.' " \
	"FROM @.pg_topic_share_groups, room WHERE lag > 0 AND end_offset - start_offset >= 0.8 * offsets"
#define SHARE_FINE "'No share group is held up by a record that it has not finished.'"

const DoctorCheck pgt_doctor_checks[] = {
	{"shared_preload_libraries", PRELOAD_QUERY, PRELOAD_FINE},
	{"worker_processes", WORKERS_QUERY, WORKERS_FINE},
	{"open_files", FILES_QUERY, FILES_FINE},
	{"max_partitions", PARTITIONS_QUERY, PARTITIONS_FINE},
	{"wal", WAL_QUERY, WAL_FINE},
	{"repair_settings", EXCEPTIONS_QUERY, EXCEPTIONS_FINE},
	{"acks", ACKS_QUERY, ACKS_FINE},
	{"held_back", HELD_QUERY, HELD_FINE},
	{"prepared_transactions", PREPARED_QUERY, PREPARED_FINE},
	{"old_versions", VERSIONS_QUERY, VERSIONS_FINE},
	{"damage", DAMAGE_QUERY, DAMAGE_FINE},
	{"maintenance", MAINTENANCE_QUERY, MAINTENANCE_FINE},
	{"retention_consumers", CONSUMERS_QUERY, CONSUMERS_FINE},
	{"kafka_groups", KAFKA_GROUPS_QUERY, KAFKA_GROUPS_FINE},
	{"kafka_transactions", KAFKA_TRANSACTIONS_QUERY, KAFKA_TRANSACTIONS_FINE},
	{"share_groups", SHARE_QUERY, SHARE_FINE},
};

const int	pgt_doctor_check_count = lengthof(pgt_doctor_checks);
