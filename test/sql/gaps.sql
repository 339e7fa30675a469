-- offsets without a record: passed, and nobody's loss: src/consume/partition_cursor.c, src/wal/records_end.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;

-- what rolled back has taken offsets: flush() gives them before the transaction ends
CREATE PROCEDURE gap(topic regclass, records int DEFAULT 1) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM produce(topic, 'gone', 'x', 0) FROM generate_series(1, records);
    PERFORM flush();
    ROLLBACK;
END $$;
-- the sync process has seen how all transactions ended
CREATE PROCEDURE resolved(which regclass) LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT resolved_offset < log_end_offset FROM pg_topic_partitions WHERE topic = which AND partition = 0) LOOP
        COMMIT;
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
CREATE VIEW stand AS SELECT topic, group_id, committed_offset AS committed, "position", lag, lost_records AS lost, at_risk_records AS at_risk, metadata
    FROM pg_topic_groups ORDER BY topic::text, group_id;
-- the row's version: has a poll written?
CREATE FUNCTION row_version(which text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(topic::regclass || ' ' || ctid::text || xmin::text, ',') FROM topic_group_offsets WHERE group_id = which $$;

-- ---- a rolled-back tail ----

SELECT create_topic('tail');
SELECT produce('tail', 'k', 'v' || i) FROM generate_series(0, 2) i;
SELECT count(*) FROM consume('tail', 'auto');
SELECT count(*) FROM consume('tail', 'kept');
SELECT commit_offset('tail', 'kept', 0, 3, 'mine');
SELECT commit_offset('tail', 'sleeps', 0, 3), commit_offset('tail', 'behind', 0, 2);
CALL gap('tail', 2);
SELECT * FROM stand;
-- the poll that finds nothing goes behind it, and the next one writes nothing
SELECT record_offset FROM consume('tail', 'auto');
SELECT record_offset FROM consume('tail', 'kept', auto_commit => false);
SELECT * FROM stand;
SELECT row_version('auto') AS before \gset
SELECT record_offset FROM consume('tail', 'auto');
SELECT record_offset FROM consume('tail', 'auto', timeout => '10ms');
SELECT row_version('auto') = :'before' AS as_before;
-- a rollback takes it back
CALL gap('tail');
BEGIN;
SELECT record_offset FROM consume('tail', 'auto');
SELECT committed FROM stand WHERE group_id = 'auto';
ROLLBACK;
SELECT committed FROM stand WHERE group_id = 'auto';
-- not behind a transaction that runs
SELECT produce('tail', 'k', 'v6');
BEGIN;
SELECT produce('tail', 'k', 'runs');
SELECT base_offset FROM flush();
SELECT record_offset FROM consume('tail', 'auto');
SELECT record_offset FROM consume('tail', 'auto');
SELECT committed FROM stand WHERE group_id = 'auto';
ROLLBACK;
-- behind records that wait for their commit
BEGIN;
SELECT array_agg(record_offset) FROM consume('tail', 'behind', 1, auto_commit => false);
SELECT array_agg(record_offset) FROM consume('tail', 'behind', 1, auto_commit => false);
SELECT array_agg(record_offset) FROM consume('tail', 'behind', auto_commit => false);
SELECT committed FROM stand WHERE group_id = 'behind';
SELECT commit_offsets('tail', 'behind');
COMMIT;
SELECT committed FROM stand WHERE group_id = 'behind';
-- a new group that commits by itself gets no row by a gap
SELECT create_topic('only_gaps');
CALL gap('only_gaps');
SELECT count(*) FROM consume('only_gaps', 'new', auto_commit => false);
SELECT count(*) FROM stand WHERE topic = 'only_gaps'::regclass;
SELECT count(*) FROM consume('only_gaps', 'new');
SELECT * FROM stand WHERE topic = 'only_gaps'::regclass;

-- ---- and its deletion ----

-- "sleeps" has all records but v6
CALL resolved('tail');
SELECT delete_records('tail', 0, 6);
SELECT log_start_offset, deleted_end_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'tail'::regclass;
SELECT * FROM stand WHERE topic = 'tail'::regclass;
SELECT record_offset, value FROM consume('tail', 'sleeps', auto_offset_reset => 'none');
-- the record of 6 and behind it nothing but a gap
SELECT commit_offset('tail', 'late', 0, 6), commit_offset('tail', 'gap', 0, 7), commit_offset('tail', 'latest', 0, 7);
SELECT delete_records('tail', 0, -1);
SELECT log_start_offset, deleted_end_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'tail'::regclass;
SELECT * FROM stand WHERE topic = 'tail'::regclass AND group_id IN ('late', 'gap', 'latest');
SELECT record_offset FROM consume('tail', 'late', auto_offset_reset => 'none');
SELECT record_offset FROM consume('tail', 'late');
SELECT record_offset FROM consume('tail', 'late');
SELECT record_offset FROM consume('tail', 'gap', auto_offset_reset => 'none');
SELECT produce('tail', 'k', 'v8');
SELECT record_offset FROM consume('tail', 'latest', auto_offset_reset => 'latest');
SELECT * FROM stand WHERE topic = 'tail'::regclass AND group_id IN ('late', 'gap', 'latest');
-- TRUNCATE counts the same, also where it comes before anybody has resolved
SELECT commit_offset('tail', 'late', 0, 9), commit_offset('tail', 'gap', 0, 8);
CALL gap('tail', 3);
TRUNCATE tail;
SELECT log_start_offset, deleted_end_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'tail'::regclass;
SELECT * FROM stand WHERE topic = 'tail'::regclass AND group_id IN ('late', 'gap');
-- moving a group counts what it passes of deleted records, no gap
SELECT seek_to_end('tail', 'gap'), seek_to_end('tail', 'late');
SELECT * FROM stand WHERE topic = 'tail'::regclass AND group_id IN ('late', 'gap');

-- ---- retention that waits ----

-- the maintenance worker looks once when it starts, and then not for a day: let it be done
SELECT create_topic('first');
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND
                      backend_type = 'pg_topics maintenance' AND wait_event_type = 'Extension') LOOP
        PERFORM pg_sleep(0.01);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$;
SELECT create_topic('waits', config => '{"segment.bytes": 1024, "retention.ms": 0, "retention.consumers": "wait"}');
SELECT produce('waits', 'k', repeat('x', 700), record_timestamp => now() - interval '1 hour');
CALL gap('waits', 8);
SELECT commit_offset('waits', 'sleeps', 0, 1), commit_offset('waits', 'new', 0, 0);
CALL resolved('waits');
SELECT * FROM stand WHERE topic = 'waits'::regclass;
SELECT segments_deleted, log_start_offset FROM apply_retention('waits');
SELECT count(*) FROM consume('waits', 'new', 1);
SELECT segments_deleted > 0 AS gone, log_start_offset FROM apply_retention('waits');
SELECT * FROM stand WHERE topic = 'waits'::regclass;

-- ---- offsets that are given ----

SELECT create_topic('given');
SELECT produce('given', 'k', 'v' || i) FROM generate_series(0, 4) i;
SELECT count(*) FROM consume('given', 'early');
SELECT count(*) FROM consume('given', 'latest');
SELECT commit_offset('given', 'none', 0, 5), commit_offset('given', 'lost', 0, 3);
SELECT delete_records('given', 0, 5);
INSERT INTO given (record_offset, value) VALUES (1000, 'jumped');
SELECT log_start_offset, deleted_end_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'given'::regclass;
SELECT * FROM stand WHERE topic = 'given'::regclass;
SELECT record_offset FROM consume('given', 'early');
SELECT record_offset FROM consume('given', 'latest', auto_offset_reset => 'latest');
SELECT record_offset FROM consume('given', 'none', auto_offset_reset => 'none');
SELECT record_offset FROM consume('given', 'lost');
SELECT * FROM stand WHERE topic = 'given'::regclass;
-- deleted into a gap, also one within a batch
INSERT INTO given (record_offset, value) VALUES (2000, 'a'), (2010, 'b');
SELECT commit_offset('given', 'none', 0, 2001), commit_offset('given', 'lost', 0, 2000);
SELECT delete_records('given', 0, 1500), deleted_end_offset FROM pg_topic_partitions WHERE topic = 'given'::regclass;
SELECT delete_records('given', 0, 2005);
SELECT log_start_offset, deleted_end_offset FROM pg_topic_partitions WHERE topic = 'given'::regclass;
SELECT group_id, lost FROM stand WHERE topic = 'given'::regclass AND group_id IN ('none', 'lost');
SELECT record_offset FROM consume('given', 'none', auto_offset_reset => 'none');
SELECT record_offset FROM consume('given', 'lost');

-- ---- what compaction and erasing leave ----

SELECT create_topic('keyed', config => '{"segment.bytes": 1024}');
SELECT produce('keyed', 'k' || i, repeat('x', 700)) FROM generate_series(0, 2) i;
SELECT commit_offset('keyed', 'g', 0, 2), commit_offset('keyed', 'h', 0, 1);
CALL resolved('keyed');
SELECT erase('keyed', 'k2');
SELECT record_offset FROM consume('keyed', 'g');
SELECT committed, lag FROM stand WHERE topic = 'keyed'::regclass AND group_id = 'g';
SELECT delete_records('keyed', 0, -1);
SELECT log_start_offset, deleted_end_offset FROM pg_topic_partitions WHERE topic = 'keyed'::regclass;
SELECT group_id, committed, lag, lost FROM stand WHERE topic = 'keyed'::regclass;
-- some of a batch
BEGIN;
SELECT produce('keyed', 'b' || i % 3, 'v') FROM generate_series(0, 5) i;
COMMIT;
SELECT commit_offset('keyed', 'h', 0, 8);
CALL resolved('keyed');
SELECT erase('keyed', 'b2');
SELECT delete_records('keyed', 0, -1);
SELECT log_start_offset, deleted_end_offset FROM pg_topic_partitions WHERE topic = 'keyed'::regclass;
SELECT record_offset FROM consume('keyed', 'h', auto_offset_reset => 'none');

-- ---- many topics, and members ----

SELECT create_topic('one'), create_topic('two');
SELECT produce('one', 'k', 'v');
SELECT count(*) FROM consume_many('{one,two}', 'm');
CALL gap('one'); CALL gap('two');
SELECT count(*) FROM consume_many('{one,two}', 'm');
SELECT topic, committed, lag FROM stand WHERE group_id = 'm';
SELECT row_version('m') AS before \gset
SELECT count(*) FROM consume_many('{one,two}', 'm');
SELECT row_version('m') = :'before' AS as_before;

SELECT create_topic('leased');
SELECT produce('leased', 'k', 'v');
SELECT commit_offset('leased', 'g', 0, 0, 'mine');
CALL gap('leased');
SELECT record_offset FROM consume('leased', 'g', 1, member_id => 'm');
-- behind a record that is not committed yet
SELECT record_offset FROM consume('leased', 'g', member_id => 'm');
SELECT committed, "position" FROM stand WHERE topic = 'leased'::regclass;
SELECT commit_offsets('leased', 'g', 'm');
SELECT committed, "position", lag FROM stand WHERE topic = 'leased'::regclass;
-- with nothing to commit before it
CALL gap('leased');
SELECT record_offset FROM consume('leased', 'g', member_id => 'm', timeout => '10ms');
SELECT committed, "position", lag FROM stand WHERE topic = 'leased'::regclass;
SELECT row_version('g') AS before \gset
SELECT record_offset FROM consume('leased', 'g', member_id => 'm');
SELECT row_version('g') = :'before' AS as_before;
SELECT leave_group('leased', 'g', 'm');
-- and deleted
CALL gap('leased');
CALL resolved('leased');
SELECT delete_records('leased', 0, -1);
SELECT record_offset FROM consume('leased', 'g', member_id => 'm', auto_offset_reset => 'none');
SELECT committed, "position", lag, lost FROM stand WHERE topic = 'leased'::regclass;

-- a stretch that is lost again and again counts up to the largest number there is
SELECT create_topic('far');
INSERT INTO far (value, record_offset) VALUES ('v', 4611686018427387904);
TRUNCATE far;
SELECT produce('far', 'behind'::text);
SELECT seek_to_offset('far', 'g', 0);
SELECT value FROM consume('far', 'g');
SELECT seek_to_offset('far', 'g', 0);
SELECT lost FROM stand WHERE topic = 'far'::regclass;
SELECT value FROM consume('far', 'g');
SELECT lost FROM stand WHERE topic = 'far'::regclass;
SELECT seek_to_offset('far', 'g', 0), seek_to_end('far', 'g'), seek_to_offset('far', 'g', 0), seek_to_end('far', 'g');
SELECT lost FROM stand WHERE topic = 'far'::regclass;

DROP FOREIGN TABLE far, tail, only_gaps, waits, given, keyed, one, two, leased CASCADE;
DROP VIEW stand;
DROP FUNCTION row_version;
DROP PROCEDURE gap;
DROP PROCEDURE resolved;
DROP FOREIGN TABLE first;
