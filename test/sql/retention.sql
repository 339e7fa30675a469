SET statement_timeout = '30s';
-- retention, delete_records and what groups lose by them: src/maintenance/retention.c, src/maintenance/maintenance_functions.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

-- One record a segment: values that two of do not fit.  Records are of now;
-- pg_topics.clock_offset moves the clock.
CREATE PROCEDURE fill(topic regclass, records int, partition int DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. records LOOP
        PERFORM produce(topic, 'k', repeat('x', 700), partition);
        COMMIT;
    END LOOP;
END $$;
-- the maintenance worker looks once when it starts, and then not for a day: let it be done
SELECT create_topic('first');
CALL fill('first', 1);
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND
                      backend_type = 'pg_topics maintenance' AND wait_event_type = 'Extension') LOOP
        PERFORM pg_sleep(0.01);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$;
DROP FOREIGN TABLE first;
CREATE VIEW logs AS SELECT topic, partition, log_start_offset, log_end_offset, segments FROM pg_topic_partitions;

-- ---- time ----

SELECT create_topic('retained', config => '{"segment.bytes": 1024, "retention.ms": 3600000}');
SELECT * FROM apply_retention('retained');
CALL fill('retained', 5);
SELECT * FROM apply_retention('retained');
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'retained'::regclass;

-- young ones behind old ones; a dry run changes nothing
SET pg_topics.clock_offset = '59min';
SELECT * FROM apply_retention('retained');
INSERT INTO retained (record_timestamp, value) SELECT now() + interval '30min', repeat('y', 700);
SET pg_topics.clock_offset = '61min';
SELECT * FROM apply_retention('retained', dry_run => true);
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'retained'::regclass;
SELECT * FROM apply_retention('retained');
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'retained'::regclass;
SELECT record_offset, left(value, 1) FROM retained;
SELECT segments_deleted, bytes_deleted FROM apply_retention('retained');

-- only from the front: an old one behind a young one waits for it
INSERT INTO retained (record_timestamp, value) SELECT now() - interval '30min', repeat('z', 700);
INSERT INTO retained (record_timestamp, value) SELECT now() + interval '30min', repeat('z', 700);
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
-- all of an idle topic, the active segment too; offsets go on
SET pg_topics.clock_offset = '91min';
SELECT segments_deleted, log_start_offset FROM apply_retention('retained', dry_run => true);
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'retained'::regclass;
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
CALL fill('retained', 2);
SELECT record_offset FROM retained;
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
RESET pg_topics.clock_offset;
SELECT alter_topic('retained', '{"retention.ms": -1}');
SET pg_topics.clock_offset = '1000000min';
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
-- the largest sum of both is for ever, too
SELECT alter_topic('retained', '{"retention.ms": 9223372036854775807}');
SELECT segments_deleted, log_start_offset FROM apply_retention('retained');
RESET pg_topics.clock_offset;

-- ---- size ----

SELECT create_topic('sized', partitions => 2, config => '{"segment.bytes": 1024, "retention.bytes": 2000, "retention.ms": -1}');
CALL fill('sized', 5, 0);
CALL fill('sized', 2, 1);
SELECT bytes FROM pg_topic_segments WHERE topic = 'sized'::regclass AND base_offset = 0 AND partition = 0;
-- never below the limit: three segments are more, two are less
SELECT * FROM apply_retention('sized', true) ORDER BY partition;
SELECT * FROM apply_retention('sized') ORDER BY partition;
SELECT partition, log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'sized'::regclass ORDER BY partition;
-- exactly the limit
SELECT alter_topic('sized', jsonb_build_object('retention.bytes',
    (SELECT sum(bytes) FROM pg_topic_segments WHERE topic = 'sized'::regclass AND partition = 0 AND base_offset > 2)));
SELECT partition, segments_deleted, log_start_offset FROM apply_retention('sized') ORDER BY partition;
SELECT alter_topic('sized', jsonb_build_object('retention.bytes',
    (SELECT sum(bytes) + 1 FROM pg_topic_segments WHERE topic = 'sized'::regclass AND partition = 0 AND base_offset > 3)));
SELECT partition, segments_deleted, log_start_offset FROM apply_retention('sized') ORDER BY partition;
-- nothing is to stay
SELECT alter_topic('sized', '{"retention.bytes": 0}');
SELECT partition, segments_deleted, log_start_offset FROM apply_retention('sized') ORDER BY partition;
SELECT partition, log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'sized'::regclass ORDER BY partition;

-- ---- policies ----

-- compacted only: what is below the log start, nothing else
SELECT create_topic('compacted', config => '{"segment.bytes": 1024, "retention.ms": 3600000, "retention.bytes": 0, "cleanup.policy": "compact"}');
CALL fill('compacted', 3);
SET pg_topics.clock_offset = '1d';
SELECT segments_deleted, log_start_offset FROM apply_retention('compacted');
SELECT alter_topic('compacted', '{"cleanup.policy": "compact,delete"}');
SELECT segments_deleted, log_start_offset FROM apply_retention('compacted');
RESET pg_topics.clock_offset;

-- ---- delete_records ----

SELECT create_topic('cut', partitions => 2, config => '{"segment.bytes": 1024, "retention.ms": -1}');
INSERT INTO cut (partition, value) SELECT 0, 'v' FROM generate_series(0, 9);
CALL fill('cut', 3);
-- in the middle of a segment, which stays
SELECT delete_records('cut', 0, 4);
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'cut'::regclass AND partition = 0;
SELECT min(record_offset), count(*) FROM cut;
SELECT delete_records('cut', 0, 4), 'no change' AS and;
SELECT delete_records('cut', 0, 0), 'no change' AS and;
SELECT delete_records('cut', 0, 11);
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'cut'::regclass AND partition = 0;
SELECT delete_records('cut', 0, -1);
SELECT log_start_offset, log_end_offset, segments FROM logs WHERE topic = 'cut'::regclass AND partition = 0;
-- at once: not only what is resolved
INSERT INTO cut (partition, value) VALUES (0, 'v');
SELECT delete_records('cut', 0, 14);
-- a partition without records
SELECT delete_records('cut', 1, -1), delete_records('cut', 1, 0);

SELECT delete_records('cut', 0, 15);
SELECT delete_records('cut', 0, -2);
SELECT delete_records('cut', 1, 1);
SELECT delete_records('cut', 2, 0);
SELECT delete_records('logs', 0, 0);
SELECT delete_records(0, 0, 0);
SELECT delete_records('cut', NULL, 0) IS NULL AS strict;

-- never what has not ended
SELECT alter_topic('cut', '{"retention.ms": 3600000}');
INSERT INTO cut (partition, value) VALUES (0, 'v');
BEGIN;
SELECT produce('cut', 'k', 'prepared', 0);
PREPARE TRANSACTION 'held';
INSERT INTO cut (partition, value) VALUES (0, 'behind');
SELECT delete_records('cut', 0, 16);
SELECT delete_records('cut', 0, -1);
SET pg_topics.clock_offset = '1d';
SELECT segments_deleted, log_start_offset FROM apply_retention('cut') WHERE partition = 0;
COMMIT PREPARED 'held';
SELECT record_offset, value FROM cut;
SELECT segments_deleted, log_start_offset FROM apply_retention('cut') WHERE partition = 0;
RESET pg_topics.clock_offset;

-- it acts at once, so nothing may have to undo it
BEGIN;
SELECT delete_records('cut', 0, -1);
ROLLBACK;
SELECT delete_records('cut', 0, -1)\; SELECT 1;
DO $$
BEGIN
    PERFORM delete_records('cut', 0, -1);
EXCEPTION WHEN active_sql_transaction THEN
    RAISE INFO '%', SQLERRM;
END $$;
BEGIN READ ONLY;
SELECT delete_records('cut', 0, -1);
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM apply_retention('cut');
ROLLBACK;
BEGIN READ ONLY;
SELECT partition, segments_deleted FROM apply_retention('cut', dry_run => true) ORDER BY partition;
ROLLBACK;

-- ---- owners only ----

CREATE ROLE regress_retention_owner;
CREATE ROLE regress_retention_user;
GRANT USAGE, CREATE ON SCHEMA public TO regress_retention_owner;
SET ROLE regress_retention_owner;
SELECT create_topic('owned', config => '{"segment.bytes": 1024, "retention.ms": 3600000, "retention.consumers": "wait"}');
RESET ROLE;
GRANT ALL ON owned TO regress_retention_user;
CALL fill('owned', 2);
SELECT count(*) FROM consume('owned', 'g', 1);
SET pg_topics.clock_offset = '1d';
SET ROLE regress_retention_user;
SELECT * FROM apply_retention('owned');
SELECT * FROM apply_retention('owned', true);
SELECT delete_records('owned', 0, 1);
SELECT * FROM apply_retention();
SELECT at_risk_records FROM pg_topic_groups WHERE topic = 'owned'::regclass;
SELECT * FROM pg_topic_at_risk_info('sized', 0, 0, 'g');
SET ROLE regress_retention_owner;
SELECT * FROM apply_retention(dry_run => true);
SELECT * FROM apply_retention();
SELECT delete_records('owned', 0, -1);
RESET ROLE;
SELECT apply_retention('logs');
-- all own topics, a row a partition
SELECT topic, count(*) FROM apply_retention() GROUP BY topic ORDER BY topic::text;
RESET pg_topics.clock_offset;
DROP FOREIGN TABLE owned;
DROP OWNED BY regress_retention_owner, regress_retention_user;
DROP ROLE regress_retention_owner, regress_retention_user;

-- ---- waiting for consumers ----

SELECT create_topic('waits', partitions => 2,
    config => '{"segment.bytes": 1024, "retention.ms": 60000, "retention.consumers": "wait"}');
CALL fill('waits', 5);
CREATE VIEW waits_groups AS SELECT group_id, partition, committed_offset, lag, lost_records, lost_timestamp IS NOT NULL AS noticed,
    at_risk_records, date_trunc('minute', at_risk_at - now() + interval '20 seconds') AS at_risk_in
    FROM pg_topic_groups WHERE topic = 'waits'::regclass;
SET pg_topics.clock_offset = '2min';
-- no group is registered: nobody is waited for
SELECT partition, segments_deleted, log_start_offset FROM apply_retention('waits', true) ORDER BY partition;
SELECT count(*) FROM consume('waits', 'fast', 4);
SELECT count(*) FROM consume('waits', 'slow', 1);
SELECT * FROM waits_groups ORDER BY group_id, partition;
SELECT partition, segments_deleted, log_start_offset FROM apply_retention('waits') ORDER BY partition;
-- committed, not just read
BEGIN;
SELECT count(*) FROM consume('waits', 'slow', 2);
ROLLBACK;
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT count(*) FROM consume('waits', 'slow', 2);
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
-- registered by another partition: has consumed nothing of this one
SELECT commit_offset('waits', 'elsewhere', 1, 0);
SELECT count(*) FROM consume('waits', 'slow', 2);
SELECT count(*) FROM consume('waits', 'fast', 2);
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT delete_group('elsewhere');
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true) WHERE partition = 0;
-- the active one, too, once it is consumed
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;

-- a cap of time
CALL fill('waits', 3);
SELECT alter_topic('waits', '{"retention.consumers.max.ms": 3600000}');
SELECT count(*) FROM consume('waits', 'fast', 3);
SELECT * FROM waits_groups ORDER BY group_id, partition;
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SET pg_topics.clock_offset = '61min';
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
-- lost, and not noticed yet; then noticed; once
SELECT * FROM waits_groups ORDER BY group_id, partition;
SELECT count(*) FROM consume('waits', 'slow');
CALL fill('waits', 3);
SELECT count(*) FROM consume('waits', 'slow', 1);
SELECT * FROM waits_groups ORDER BY group_id, partition;

-- a cap of size; it is never below what the topic's own rules are
SELECT alter_topic('waits', '{"retention.consumers.max.ms": null, "retention.consumers.max.bytes": 1600}');
SET pg_topics.clock_offset = '2min';
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT alter_topic('waits', '{"retention.consumers.max.bytes": 1500}');
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT * FROM waits_groups ORDER BY group_id, partition;
RESET pg_topics.clock_offset;
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT * FROM waits_groups ORDER BY group_id, partition;
-- size retention waits as well
SELECT alter_topic('waits', '{"retention.ms": -1, "retention.bytes": 0, "retention.consumers.max.bytes": null}');
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT * FROM waits_groups ORDER BY group_id, partition;
SELECT alter_topic('waits', '{"retention.consumers": "none"}');
SELECT * FROM waits_groups ORDER BY group_id, partition;
SELECT segments_deleted, log_start_offset FROM apply_retention('waits') WHERE partition = 0;
SELECT alter_topic('waits', '{"retention.consumers": "maybe"}');
SELECT alter_topic('waits', '{"retention.consumers.max.ms": -2}');

-- for named groups only: another one keeps nothing, and is told what it loses next
SELECT create_topic('named', config => '{"segment.bytes": 1024, "retention.ms": 60000,
    "retention.consumers": "wait", "retention.consumers.groups": "first, \"second, with blanks\",first"}');
CALL fill('named', 4);
CREATE VIEW named_groups AS SELECT group_id, committed_offset, at_risk_records FROM pg_topic_groups WHERE topic = 'named'::regclass;
SET pg_topics.clock_offset = '2min';
SELECT commit_offset('named', 'stranger', 0, 0), commit_offset('named', 'first', 0, 3);
-- one that has not begun yet has everything before it
SELECT segments_deleted, log_start_offset FROM apply_retention('named');
SELECT work, held_by, detail FROM pg_topic_maintenance WHERE topic = 'named'::regclass AND work = 'retention';
SELECT commit_offset('named', 'second, with blanks', 0, 2);
SELECT * FROM named_groups ORDER BY group_id;
SELECT segments_deleted, log_start_offset FROM apply_retention('named');
SELECT * FROM named_groups ORDER BY group_id;
SELECT alter_topic('named', '{"retention.consumers.groups": "first"}');
SELECT segments_deleted, log_start_offset FROM apply_retention('named');
-- no name: all groups
SELECT alter_topic('named', '{"retention.consumers.groups": ""}');
SELECT segments_deleted, log_start_offset FROM apply_retention('named');
SELECT alter_topic('named', '{"retention.consumers.groups": null}');
SELECT segments_deleted, log_start_offset FROM apply_retention('named');
SELECT alter_topic('named', '{"retention.consumers.groups": "first,"}');
SELECT alter_topic('named', '{"retention.consumers.groups": "two words"}');
SELECT alter_topic('named', '{"retention.consumers.groups": "\"\""}');
SELECT alter_topic('named', jsonb_build_object('retention.consumers.groups', repeat('g', 256)));
RESET pg_topics.clock_offset;
DROP VIEW named_groups;
DROP FOREIGN TABLE named;

-- ---- what a group has lost ----

SELECT create_topic('lossy', config => '{"segment.bytes": 1024}');
CALL fill('lossy', 4);
SELECT commit_offset('lossy', g, 0, 1) FROM unnest('{earliest,latest,none,seeks,saved,reads}'::text[]) g;
CREATE VIEW lossy_groups AS SELECT group_id, committed_offset, lag, lost_records, lost_timestamp IS NOT NULL AS noticed
    FROM pg_topic_groups WHERE topic = 'lossy'::regclass ORDER BY group_id;
SELECT delete_records('lossy', 0, 3);
SELECT * FROM lossy_groups;
SELECT record_offset FROM consume('lossy', 'earliest', auto_offset_reset => 'earliest');
SELECT record_offset FROM consume('lossy', 'latest', auto_offset_reset => 'latest');
SELECT record_offset FROM consume('lossy', 'none', auto_offset_reset => 'none');
-- who is moved on has lost them, too
SELECT seek_to_beginning('lossy', 'seeks');
SELECT * FROM lossy_groups;
-- who has read them and commits it has not
SELECT commit_offset('lossy', 'reads', 0, 4);
-- counted with the commit, and not twice: a position's, a savepoint's
BEGIN;
SELECT record_offset FROM consume('lossy', 'saved', auto_commit => false);
SAVEPOINT a;
SELECT commit_offsets('lossy', 'saved');
ROLLBACK TO a;
SELECT commit_offsets('lossy', 'saved');
SELECT record_offset FROM consume('lossy', 'saved');
COMMIT;
SELECT * FROM lossy_groups;
-- lost again: a rollback counts nothing; then added, with nothing behind it to read
CALL fill('lossy', 1);
SELECT delete_records('lossy', 0, 5);
BEGIN;
SELECT record_offset FROM consume('lossy', 'saved');
ROLLBACK;
SELECT lost_records, lost_timestamp IS NOT NULL AS noticed FROM topic_group_offsets
WHERE topic = 'lossy'::regclass AND group_id = 'saved';
SELECT record_offset FROM consume('lossy', 'saved');
SELECT * FROM lossy_groups;
SELECT record_offset FROM consume('lossy', 'saved');
CALL fill('lossy', 1);
SELECT record_offset FROM consume('lossy', 'saved');

DROP FOREIGN TABLE retained, sized, compacted, cut, waits, lossy CASCADE;
DROP VIEW logs;
