-- compact() and erase(): rules, settings, errors.  Files under test:
-- compaction.c, erase.c, segment_filter.c, maintenance_functions.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE VIEW logs AS
    SELECT topic, partition, base_offset, last_offset, batches, active FROM pg_topic_segments;

-- ---- the last record of each key stays ----
SELECT create_topic('state', 2, config => '{"cleanup.policy": "compact", "segment.bytes": 1024, "compression.type": "none"}');
INSERT INTO state (partition, key, value)
    SELECT 0, 'k' || i % 5, 'v' || i FROM generate_series(1, 100) i;
INSERT INTO state (partition, key, value, headers) VALUES (1, 'k1', 'other', '{"h": "x"}');
-- what would be left; nothing changes
SELECT partition, records_before, records_after, bytes_before > bytes_after AS less
    FROM compact('state', dry_run => true) ORDER BY partition;
SELECT count(*) FROM state;
SELECT count(*) FROM compact('state');
SELECT partition, record_offset, key, value, headers FROM state ORDER BY partition, record_offset;
SELECT partition, log_start_offset, log_end_offset, last_stable_offset FROM pg_topic_partitions
    WHERE topic = 'state'::regclass ORDER BY partition;
-- again: nothing left to do, nothing is written
SELECT partition, records_before, records_after FROM compact('state') ORDER BY partition;
CREATE TEMP TABLE paths AS SELECT path FROM pg_topic_segments WHERE topic = 'state'::regclass;
SELECT count(*) FROM compact('state');
SELECT path FROM pg_topic_segments WHERE topic = 'state'::regclass EXCEPT SELECT path FROM paths;
-- a group goes on behind the gap
SELECT commit_offset('state', 'g', 0, 3);
SELECT partition, record_offset, value FROM consume('state', 'g', partitions => '{0}');
-- small segments are put together
INSERT INTO state (partition, key, value) SELECT 0, 'k' || i, repeat('x', 600) FROM generate_series(1, 4) i;
SELECT count(*) FROM compact('state');
SELECT base_offset, last_offset, batches, active FROM logs WHERE topic = 'state'::regclass AND partition = 0
    ORDER BY base_offset;
ALTER FOREIGN TABLE state OPTIONS (SET "segment.bytes" '100000');
SELECT count(*) FROM compact('state');
SELECT base_offset, last_offset, batches, active FROM logs WHERE topic = 'state'::regclass AND partition = 0
    ORDER BY base_offset;
SELECT partition, record_offset, key, length(value) FROM state ORDER BY partition, record_offset;

-- ---- tombstones ----
SELECT create_topic('gone', config => '{"cleanup.policy": "compact", "delete.retention.ms": 3600000}');
INSERT INTO gone (key, value) VALUES ('a', '1'), ('b', '2'), ('a', NULL);
SELECT records_after FROM compact('gone');
SELECT record_offset, key, value FROM gone;
-- the time begins with the compaction that meets it first
SET pg_topics.clock_offset = '59min';
SELECT records_after FROM compact('gone');
SET pg_topics.clock_offset = '61min';
SELECT records_after FROM compact('gone');
SELECT record_offset, key, value FROM gone;
-- for ever
ALTER FOREIGN TABLE gone OPTIONS (SET "delete.retention.ms" '9223372036854775807');
INSERT INTO gone (key, value) VALUES ('b', NULL);
SELECT records_after FROM compact('gone');
SET pg_topics.clock_offset = '1000000h';
SELECT records_after FROM compact('gone');
RESET pg_topics.clock_offset;
SELECT record_offset, key, record_timestamp > now() - interval '1h' AS dated FROM gone;

-- ---- what takes no part ----
SELECT create_topic('lag', config => '{"cleanup.policy": "compact", "min.compaction.lag.ms": 3600000}');
INSERT INTO lag (key, value) VALUES ('a', '1'), ('a', '2');
SELECT records_before, records_after FROM compact('lag');
SET pg_topics.clock_offset = '61min';
SELECT records_before, records_after FROM compact('lag');
RESET pg_topics.clock_offset;
-- a transaction that rolls back after it has appended
BEGIN;
INSERT INTO lag (key, value) VALUES ('b', 'rolled back');
SELECT records FROM flush();
ROLLBACK;
SET pg_topics.clock_offset = '61min';
SELECT records_before, records_after FROM compact('lag');
RESET pg_topics.clock_offset;
SELECT record_offset, key, value FROM lag;
-- what is below the log start goes as well
SELECT create_topic('cut', config => '{"cleanup.policy": "compact"}');
INSERT INTO cut (key, value) VALUES ('a', '1'), ('b', '2'), ('c', '3');
SELECT delete_records('cut', 0, 1);
SELECT records_before, records_after FROM compact('cut');
SELECT record_offset, key, value FROM cut;

-- ---- records without a key, of a time before the policy ----
SELECT create_topic('keyless');
INSERT INTO keyless (key, value) VALUES (NULL, 'no key'), ('a', '1'), ('a', '2');
SELECT * FROM compact('keyless');
SELECT alter_topic('keyless', '{"cleanup.policy": "compact,delete"}');
INSERT INTO keyless (value) VALUES ('no key');
SELECT records_before, records_after FROM compact('keyless');
SELECT record_offset, key, value FROM keyless;

-- what would go by options that may be rolled back
BEGIN;
SELECT alter_topic('keyless', '{"retention.ms": 1}');
SELECT * FROM apply_retention('keyless');
ROLLBACK;
BEGIN;
SELECT alter_topic('keyless', '{"cleanup.policy": "compact"}');
SELECT * FROM compact();
ROLLBACK;

-- ---- codecs and timestamps stay ----
SELECT create_topic('packed', config => '{"cleanup.policy": "compact", "compression.type": "zstd", "message.timestamp.type": "LogAppendTime"}');
INSERT INTO packed (key, value) SELECT 'k' || i % 3, repeat('v' || i, 200) FROM generate_series(1, 30) i;
CREATE TEMP TABLE stamps AS SELECT record_offset, record_timestamp FROM packed;
SELECT records_before, records_after, bytes_after < 400 AS packed FROM compact('packed');
SELECT record_offset, key, left(value, 3), length(value), p.record_timestamp = s.record_timestamp AS same
    FROM packed p JOIN stamps s USING (record_offset) ORDER BY 1;

-- ---- the planner knows that few are left ----
SELECT create_topic('sparse', config => '{"cleanup.policy": "compact", "compression.type": "none"}');
INSERT INTO sparse (key, value) SELECT 'k' || i % 100, repeat('v', 130) FROM generate_series(1, 10000) i;
SELECT records_after FROM compact('sparse');
DO $$ DECLARE plan json; BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT * FROM sparse' INTO plan;
    RAISE NOTICE 'about 100 rows: %', (plan->0->'Plan'->>'Plan Rows')::float BETWEEN 50 AND 200;
END $$;

-- ---- erase ----
SELECT create_topic('people', 2, 'int', 'jsonb', '{"segment.bytes": 1024}');
INSERT INTO people (partition, key, value)
    SELECT i % 2, i % 4, jsonb_build_object('n', i) FROM generate_series(1, 40) i;
SELECT erase('people', 3);
SELECT count(*), count(*) FILTER (WHERE key = 3) FROM people;
SELECT erase('people', 3);
SELECT erase('people', 7);
SELECT erase('people', NULL::int);
SELECT erase(NULL, 3);
-- the key's type is the column's
SELECT erase('people', '2');
SELECT erase('people', 'x'::text);
-- in every partition
INSERT INTO people (partition, key, value) VALUES (0, 9, '1'), (1, 9, '2');
SELECT erase('people', 9);
SELECT count(*) FROM people;
-- not where it could be rolled back
BEGIN;
SELECT erase('people', 1);
ROLLBACK;
SELECT count(*) FROM people WHERE key = 1;

-- ---- who may, and on what ----
SELECT compact('no_topic');
SELECT compact('paths'::regclass);
SELECT erase('paths'::regclass, 'x');
CREATE ROLE regress_compaction_reader;
GRANT SELECT, INSERT ON state TO regress_compaction_reader;
SET ROLE regress_compaction_reader;
SELECT compact('state');
SELECT erase('state', 'k1');
SELECT count(*) FROM compact();
RESET ROLE;
DROP OWNED BY regress_compaction_reader;
DROP ROLE regress_compaction_reader;
-- all of one's own that are compacted
SELECT topic, partition FROM compact() ORDER BY topic::text COLLATE "C", partition;
SELECT compactions > 0 AS compacted, records_compacted FROM pg_stat_topics WHERE topic = 'gone'::regclass;
SELECT * FROM pg_stat_progress_topic_compaction;
-- slowly
SET pg_topics.log_cleaner_io_max_bytes_per_second = 1000000;
SELECT records_after FROM compact('lag');
\set VERBOSITY sqlstate
SET pg_topics.log_cleaner_io_max_bytes_per_second = -2;
\set VERBOSITY default
RESET pg_topics.log_cleaner_io_max_bytes_per_second;

DROP VIEW logs;
SELECT drop_topic(t) FROM unnest('{state,gone,lag,cut,keyless,packed,sparse,people}'::regclass[]) t;
