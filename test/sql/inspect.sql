-- the views that show topics: src/views/inspect.c, src/views/inspect_stats.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

SELECT create_topic('inspect_plain', partitions => 2);
SELECT create_topic('inspect_typed', key_type => 'int', value_type => 'jsonb',
                    config => '{"retention.ms": 3600000, "segment.bytes": 1048576, "compression.type": "none"}');

-- pg_topics: a row a topic
SELECT topic, partitions, cleanup_policy, key_type, value_type, config FROM pg_topics
WHERE topic::text LIKE 'inspect%' ORDER BY topic::text;

-- pg_topic_partitions: nothing was produced yet
SELECT topic, partition, log_start_offset, log_end_offset, last_stable_offset, segments, bytes, blocking_xid
FROM pg_topic_partitions WHERE topic::text LIKE 'inspect%' ORDER BY topic::text, partition;
SELECT count(*) FROM pg_topic_segments WHERE topic::text LIKE 'inspect%';

INSERT INTO inspect_plain (partition, record_timestamp, value)
SELECT 0, timestamptz '2024-01-01' + make_interval(secs => i), 'v' FROM generate_series(0, 9) i;
INSERT INTO inspect_plain (partition, record_timestamp, value) VALUES (0, '2023-12-31', 'late'), (1, '2024-02-01', 'w');
SELECT partition, log_start_offset, log_end_offset, last_stable_offset, segments, bytes > 0 AS has_bytes
FROM pg_topic_partitions WHERE topic = 'inspect_plain'::regclass ORDER BY partition;
SELECT partition, base_offset, last_offset, batches, bytes > 0 AS has_bytes, first_timestamp, largest_timestamp, active,
       path ~ ('^pg_topics/[0-9]+/' || topic::oid || '-' || partition || '/00000000000000000000\.log$') AS path
FROM pg_topic_segments WHERE topic = 'inspect_plain'::regclass ORDER BY partition;
SELECT s.bytes = p.bytes AS agree FROM pg_topic_segments s JOIN pg_topic_partitions p USING (topic, partition)
WHERE topic = 'inspect_plain'::regclass AND partition = 0;

-- counters; what the index answers is not read
SELECT partition, records_in, batches_in, bytes_in > 0 AS has_bytes FROM pg_stat_topics
WHERE topic = 'inspect_plain'::regclass ORDER BY partition;
SELECT count(*) FROM (SELECT * FROM inspect_plain OFFSET 0) r;
SELECT partition, records_out, bytes_out > 0 AS has_bytes FROM pg_stat_topics
WHERE topic = 'inspect_plain'::regclass ORDER BY partition;

-- what is counted in and out is measured alike, whatever the compression
SELECT create_topic('inspect_packed', config => '{"compression.type": "zstd"}');
INSERT INTO inspect_packed (key, value, headers) SELECT i, repeat('x', i), '{"h": "v"}' FROM generate_series(1, 500) i;
SELECT count(*) FROM (SELECT * FROM inspect_packed OFFSET 0) r;
SELECT count(*) FROM consume('inspect_packed', 'g', 500);
SELECT records_in, records_out, bytes_out = 2 * bytes_in AS twice, bytes_in > 125000 AS uncompressed FROM pg_stat_topics
WHERE topic = 'inspect_packed'::regclass;
SELECT pg_stat_reset_topics('inspect_packed');
SELECT records_in, bytes_in, records_out, bytes_out, stats_reset > now() - interval '1 min' AS just_now FROM pg_stat_topics
WHERE topic = 'inspect_packed'::regclass;
SELECT sum(records_in) > 0 AS others_count FROM pg_stat_topics;
SELECT pg_stat_reset_topics();
SELECT sum(records_in) AS records_in, min(stats_reset) > now() - interval '1 min' AS just_now FROM pg_stat_topics;
CREATE ROLE regress_inspect;
GRANT SELECT ON inspect_packed TO regress_inspect;
SET ROLE regress_inspect;
SELECT pg_stat_reset_topics('inspect_packed');
SELECT pg_stat_reset_topics();
SELECT pg_topic_size('inspect_plain');
SELECT pg_topic_size('inspect_packed') > 0 AS size;
RESET ROLE;
SELECT pg_stat_reset_topics('pg_class');
SELECT create_topic('inspect_empty');
SELECT pg_topic_size('inspect_empty');
-- the size on disk: logs and indexes
SELECT pg_topic_size('inspect_packed') = s.size AS all_files
FROM (SELECT sum((pg_stat_file(replace(path, '.log', e))).size) AS size
      FROM pg_topic_segments, unnest(ARRAY['.log', '.index']) e WHERE topic = 'inspect_packed'::regclass) s;
DROP FOREIGN TABLE inspect_packed, inspect_empty;
DROP ROLE regress_inspect;

-- every column of the views tells what it is
SELECT attrelid::regclass, attname FROM pg_attribute
     JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = attrelid AND d.deptype = 'e'
     JOIN pg_class c ON c.oid = attrelid AND relkind = 'v'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_topics')
  AND attnum > 0 AND col_description(attrelid, attnum) IS NULL;

-- what retention and compaction did: by hand, as the worker's runs come when they come
SELECT partition, segments_deleted, bytes_deleted, compactions, records_compacted, bytes_compacted,
       errors, last_error_at, last_error FROM pg_stat_topics
WHERE topic = 'inspect_plain'::regclass ORDER BY partition;
SELECT (last_run IS NULL) = (last_duration IS NULL) AS both_or_none FROM pg_stat_topics WHERE topic = 'inspect_typed'::regclass;
SELECT create_topic('inspect_maintained', config => '{"segment.bytes": 1024, "cleanup.policy": "compact"}');
DO $$
BEGIN
    FOR i IN 1..4 LOOP
        PERFORM produce('inspect_maintained', 'same', repeat('x', 700));
        COMMIT;
    END LOOP;
    WHILE EXISTS (SELECT FROM pg_topic_partitions WHERE resolved_offset < log_end_offset) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
SELECT records_before, records_after FROM compact('inspect_maintained');
SELECT compactions, records_compacted, bytes_compacted > 1000 AS has_bytes, segments_deleted FROM pg_stat_topics
WHERE topic = 'inspect_maintained'::regclass;
SELECT delete_records('inspect_maintained', 0, -1);
SELECT segments_deleted > 0 AS deleted, bytes_deleted > 700 AS has_bytes FROM pg_stat_topics
WHERE topic = 'inspect_maintained'::regclass;
DROP FOREIGN TABLE inspect_maintained;
-- nothing is being compacted
SELECT * FROM pg_stat_progress_topic_compaction;

-- a segment that is full is rolled
SELECT create_topic('inspect_rolls', config => '{"segment.bytes": 1048576, "compression.type": "none"}');
DO $$
BEGIN
    FOR i IN 1..3 LOOP
        INSERT INTO inspect_rolls (record_timestamp, value) SELECT '2024-01-01', repeat('x', 1000) FROM generate_series(1, 700);
        COMMIT;
    END LOOP;
END $$;
SELECT base_offset > 0 AS rolled, last_offset FROM pg_topic_segments WHERE topic = 'inspect_rolls'::regclass AND active;
SELECT segments > 1 AS rolled, segments = (SELECT count(*) FROM pg_topic_segments s WHERE s.topic = p.topic) AS agree,
       bytes = (SELECT sum(bytes) FROM pg_topic_segments s WHERE s.topic = p.topic) AS bytes_agree
FROM pg_topic_partitions p WHERE topic = 'inspect_rolls'::regclass;
SELECT bool_and(base_offset = previous + 1) AS contiguous
FROM (SELECT base_offset, lag(last_offset, 1, -1::bigint) OVER (ORDER BY base_offset) AS previous
      FROM pg_topic_segments WHERE topic = 'inspect_rolls'::regclass) s;
TRUNCATE inspect_rolls;
SELECT log_start_offset, log_end_offset, last_stable_offset FROM pg_topic_partitions WHERE topic = 'inspect_rolls'::regclass;
DROP FOREIGN TABLE inspect_rolls;

-- who holds readers back: nobody sees past a flush of a transaction that runs
BEGIN;
SELECT produce('inspect_plain', 'k', 'flushed', 1, '2024-02-01');
SELECT count(*) FROM flush();
SELECT log_end_offset, last_stable_offset, blocking_pid = pg_backend_pid() AS mine, blocking_gid FROM pg_topic_partitions
WHERE topic = 'inspect_plain'::regclass AND partition = 1;
ROLLBACK;
SELECT log_end_offset, last_stable_offset, blocking_xid FROM pg_topic_partitions
WHERE topic = 'inspect_plain'::regclass AND partition = 1;

-- a prepared transaction is named
BEGIN;
SELECT produce('inspect_plain', 'k', 'prepared', 1, '2024-02-01');
PREPARE TRANSACTION 'inspect''s own';
SELECT log_end_offset - last_stable_offset AS held_back, blocking_pid, blocking_gid FROM pg_topic_partitions
WHERE topic = 'inspect_plain'::regclass AND partition = 1;
COMMIT PREPARED 'inspect''s own';
SELECT log_end_offset - last_stable_offset AS held_back, blocking_pid, blocking_gid FROM pg_topic_partitions
WHERE topic = 'inspect_plain'::regclass AND partition = 1;

-- a topic is shown to who may do something with it
CREATE ROLE regress_inspect_user;
SET ROLE regress_inspect_user;
SELECT topic FROM pg_topics WHERE topic::text LIKE 'inspect%';
SELECT count(*) FROM pg_topic_partitions WHERE topic::text LIKE 'inspect%';
RESET ROLE;
GRANT INSERT ON inspect_plain TO regress_inspect_user;
SET ROLE regress_inspect_user;
SELECT topic FROM pg_topics WHERE topic::text LIKE 'inspect%';
SELECT count(*) FROM pg_topic_segments WHERE topic::text LIKE 'inspect%';
SELECT count(*) FROM pg_stat_topics WHERE topic::text LIKE 'inspect%';
SELECT count(*) FROM pg_stat_progress_topic_compaction;
RESET ROLE;
DROP OWNED BY regress_inspect_user;
DROP ROLE regress_inspect_user;

-- another server's foreign tables are no topics
SELECT count(*) = (SELECT count(*) FROM pg_foreign_table JOIN pg_foreign_server s ON s.oid = ftserver WHERE srvname = 'topics') AS all_shown
FROM pg_topics;

DROP FOREIGN TABLE inspect_plain, inspect_typed;
SELECT count(*) FROM pg_topics WHERE topic::text LIKE 'inspect%';

-- verify_topic(): nothing to say about a sound topic; for who may read
SELECT create_topic('verified', 2, config => '{"segment.bytes": 1024, "compression.type": "lz4"}');
SELECT count(*) FROM verify_topic('verified');
INSERT INTO verified (key, value) SELECT i::text, repeat(i::text, 20) FROM generate_series(1, 500) i;
SELECT count(*) FROM verify_topic('verified');
SELECT verify_topic('pg_class');
SELECT verify_topic(NULL);
SELECT drop_topic('verified');

-- the loaded library is of the version that the control file states
SELECT current_setting('pg_topics.version') = default_version AS agree
FROM pg_available_extensions WHERE name = 'pg_topics';
SET pg_topics.version = '0.9';
