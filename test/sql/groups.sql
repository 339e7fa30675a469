-- Files under test: src/views/inspect_groups.c, the view pg_topic_groups.
-- What is to be seen of consumer groups: lag in records and in time.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA groups_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'groups_test, ' || :'home', false) <> '' AS ok;
-- the age of the oldest record still to read, whatever follows it in its batch
SELECT create_topic('events', partitions => 2);
CREATE VIEW shown AS
    SELECT group_id, partition, committed_offset, lag, date_trunc('hour', lag_time) AS lag_time,
           commit_timestamp > now() - interval '1 min' AS just_now
    FROM pg_topic_groups WHERE topic = 'events'::regclass ORDER BY group_id, partition;
SELECT produce('events', NULL::text, 'v', partition => 0, record_timestamp => now() - h * interval '1 hour')
FROM unnest(ARRAY[5, 9, 2]) h;
SELECT produce('events', NULL::text, 'v', partition => 1, record_timestamp => now() + interval '1 hour');
SELECT count(*) FROM consume('events', 'all');
SELECT count(*) FROM consume('events', 'one', 1, partitions => '{0}');
SELECT count(*) FROM consume('events', 'two', 2, partitions => '{0}');
SELECT commit_offset('events', 'none', p, 0) FROM generate_series(0, 1) p;
TABLE shown;
-- a partition that a group has not begun counts among its lag
SELECT group_id, sum(lag) FROM pg_topic_groups WHERE topic = 'events'::regclass GROUP BY group_id ORDER BY group_id;
-- so does each one for a member that has none yet
SELECT count(*) FROM consume('events', 'leased', 1, member_id => 'm', lease => '1 min');
SELECT partition, lag, member_id FROM pg_topic_groups WHERE group_id = 'leased' ORDER BY partition;
SELECT leave_group('events', 'leased', 'm'), delete_group('leased', 'events');
-- the session that consumes in a transaction, with and without a row of the group's
CREATE VIEW consuming AS
    SELECT group_id, partition, consumer_pid = pg_backend_pid() AS me, consumer_gid,
           consumer_application, consumer_since = now() AS now
    FROM pg_topic_groups WHERE topic = 'events'::regclass AND group_id IN ('one', 'all') ORDER BY 1, 2;
SET application_name = 'a worker';
BEGIN;
SELECT count(*) FROM consume('events', 'one', 1, partitions => '{0}');
TABLE consuming;
SAVEPOINT a;
SELECT count(*) FROM consume('events', 'one', 1, partitions => '{1}', auto_commit => false);
TABLE consuming;
ROLLBACK TO a;
TABLE consuming;
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM consume('events', 'one', 1, partitions => '{0}', auto_commit => false);
SAVEPOINT b;
SELECT commit_offsets('events', 'one');
TABLE consuming;
ROLLBACK;
TABLE consuming;
RESET application_name;
-- what is not visible yet does not count
BEGIN;
SELECT produce('events', NULL::text, 'v', partition => 0);
SELECT records FROM flush();
SELECT group_id, lag, lag_time FROM shown WHERE group_id = 'all';
ROLLBACK;
-- records that are deleted do not either
SELECT delete_records('events', 0, 2);
TABLE shown;
TRUNCATE events;
SELECT group_id, partition, lag, lag_time FROM shown;
-- a dropped topic takes its groups along; one whose topic may not be read is not shown
CREATE ROLE regress_groups;
GRANT USAGE ON SCHEMA groups_test TO regress_groups;
GRANT SELECT ON shown TO regress_groups;
SELECT produce('events', NULL::text, 'v', partition => 0);
SELECT pg_topic_lag_time('events', 0, 0) IS NULL AS hidden;
SET ROLE regress_groups;
SELECT count(*) FROM pg_topic_groups WHERE topic = 'events'::regclass;
SELECT pg_topic_lag_time('events', 0, 0) IS NULL AS hidden;
SELECT count(*) FROM pg_topics WHERE topic = 'events'::regclass;
RESET ROLE;
-- monitoring sees all topics, their groups and who consumes
GRANT pg_monitor TO regress_groups;
BEGIN;
SELECT count(*) FROM consume('events', 'one', 1);
SET LOCAL ROLE regress_groups;
SELECT count(*), count(consumer_pid) > 0 AS consuming, count(lag_time) > 0 AS lag_time
FROM pg_topic_groups WHERE topic = 'events'::regclass;
SELECT count(*) FROM pg_topics WHERE topic = 'events'::regclass;
SELECT count(*) FROM pg_topic_partitions WHERE topic = 'events'::regclass;
SELECT count(*) FROM pg_stat_topics WHERE topic = 'events'::regclass;
ROLLBACK;
SELECT pg_topic_lag_time('shown', 0, 0) IS NULL AS no_topic, pg_topic_lag_time('events', 7, 0) IS NULL AS no_partition;

SET client_min_messages = warning;
DROP SCHEMA groups_test CASCADE;
RESET client_min_messages;
DROP ROLE regress_groups;
