-- reading a topic with queries: src/query/topic_plan.c, src/query/topic_scan.c, src/query/scan_bounds.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

SELECT create_topic('scan_events', partitions => 3);
-- 300 records, 100 in each partition, one a minute, five transactions
DO $$
BEGIN
    FOR t IN 0..4 LOOP
        INSERT INTO scan_events (partition, record_timestamp, key, value)
        SELECT i % 3, timestamptz '2024-01-01' + make_interval(mins => i), 'k' || i % 10, 'v' || i
        FROM generate_series(t * 60, t * 60 + 59) i;
        COMMIT;
    END LOOP;
END $$;

-- partitions come one after another, each in offset order
SELECT count(*), min(record_offset), max(record_offset), min(record_timestamp), max(record_timestamp) FROM scan_events;
SELECT array_agg(DISTINCT partition) FROM scan_events;
SELECT bool_and(ordered) FROM (
    SELECT (partition, record_offset) > lag((partition, record_offset)) OVER () IS NOT FALSE AS ordered
    FROM scan_events) s;

-- a plan in the same words with every major: rows without a fraction, a subquery's value by its number
CREATE FUNCTION scan_plan(query text, options text DEFAULT 'COSTS OFF') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        CONTINUE WHEN line LIKE '%Replaces:%';
        line := regexp_replace(line, '(rows=\d+)\.00', '\1');
        line := regexp_replace(line, ' \(returns .*\)', '');
        line := regexp_replace(line, '^( *Bytes: ).*', '\1...');
        RETURN NEXT regexp_replace(line, '\(InitPlan 1\)\.col1', '$0');
    END LOOP;
END $$;
-- conditions on the partition
EXPLAIN (COSTS OFF) SELECT * FROM scan_events;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition = 0;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition IN (2, 0);
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE 1 <= partition AND partition < 7;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition = 9;
SELECT line FROM scan_plan($$SELECT * FROM scan_events WHERE partition = 1 AND partition = 2$$) line LIMIT 2;
SELECT partition, count(*) FROM scan_events WHERE partition = 1 GROUP BY 1;
SELECT partition, count(*) FROM scan_events WHERE partition IN (2, 0, 0, 17, -1, NULL) GROUP BY 1 ORDER BY 1;
SELECT partition, count(*) FROM scan_events WHERE partition = ANY ('{1,2}'::bigint[]) GROUP BY 1 ORDER BY 1;
SELECT partition, count(*) FROM scan_events WHERE partition > 0 AND partition <= 1 GROUP BY 1;
SELECT partition, count(*) FROM scan_events WHERE partition <> 1 GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM scan_events WHERE partition = 9;
SELECT count(*) FROM scan_events WHERE partition < -9223372036854775808;
SELECT count(*) FROM scan_events WHERE partition = 1::smallint;
SELECT count(*) FROM scan_events WHERE partition = 1.0;
SELECT count(*) FROM scan_events WHERE partition = NULL;
SELECT count(*) FROM scan_events WHERE partition = ANY (NULL::int[]);
SELECT count(*) FROM scan_events WHERE partition = ALL ('{1}');
SELECT count(*) FROM scan_events WHERE partition = 0 OR partition = 1;

-- conditions on the offset
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE record_offset >= 90;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE record_offset BETWEEN 10 AND 12 AND value LIKE 'v%';
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND record_offset >= 97;
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND record_offset > 97;
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND record_offset < 2;
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND 2 >= record_offset;
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND record_offset = 50;
SELECT record_offset, key, value FROM scan_events WHERE partition = 1 AND record_offset BETWEEN 19 AND 21;
SELECT partition, value FROM scan_events WHERE record_offset = 42::int ORDER BY partition;
SELECT count(*) FROM scan_events WHERE record_offset > 9223372036854775807;
SELECT count(*) FROM scan_events WHERE record_offset <= 9223372036854775807;
SELECT count(*) FROM scan_events WHERE record_offset < -1;
SELECT count(*) FROM scan_events WHERE record_offset >= -5;
SELECT count(*) FROM scan_events WHERE record_offset > 20 AND record_offset < 10;
SELECT count(*) FROM scan_events WHERE record_offset = ANY ('{1,2}');

-- conditions on the time: whole batches are skipped by them, each record is checked
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE record_timestamp >= '2024-01-01 04:50:00+00';
SELECT * FROM scan_plan($$SELECT * FROM scan_events WHERE record_timestamp >= '2024-01-01 04:50:00+00'$$,
    'ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF') AS "QUERY PLAN";
SELECT count(*) FROM scan_events WHERE record_timestamp >= '2024-01-01 04:50:00+00';
SELECT count(*) FROM scan_events WHERE record_timestamp > '2024-01-01 04:50:00+00';
SELECT count(*) FROM scan_events WHERE record_timestamp < '2024-01-01 00:10:00+00';
SELECT count(*) FROM scan_events WHERE record_timestamp <= '2024-01-01 00:10:00+00';
SELECT value FROM scan_events WHERE record_timestamp = '2024-01-01 01:00:00+00';
SELECT count(*) FROM scan_events WHERE record_timestamp BETWEEN '2024-01-01 01:00:00.0005+00' AND '2024-01-01 02:00:00.0005+00';
SELECT count(*) FROM scan_events WHERE record_timestamp >= date '2024-01-01' AND record_timestamp < timestamp '2024-01-01 00:05';
SELECT count(*) FROM scan_events WHERE record_timestamp > 'infinity';
SELECT count(*) FROM scan_events WHERE record_timestamp > '-infinity';
SELECT count(*) FROM scan_events WHERE record_timestamp < now();
-- times need not ascend
SELECT create_topic('scan_times');
INSERT INTO scan_times (record_timestamp, value) VALUES ('2024-03-03', 'third'), ('2024-03-01', 'first'), ('2024-03-02', 'second');
INSERT INTO scan_times (record_timestamp, value) VALUES ('2024-03-01 12:00', 'first too');
SELECT value FROM scan_times WHERE record_timestamp < '2024-03-02';
SELECT value FROM scan_times WHERE record_timestamp >= '2024-03-02';
DROP FOREIGN TABLE scan_times;

-- the order of offsets needs no sort, of one partition or of several; a limit stops early
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition = 0 AND record_offset >= 100 ORDER BY record_offset LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition = 0 ORDER BY partition, record_offset;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events ORDER BY partition, record_offset LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition = 0 ORDER BY record_offset DESC;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events WHERE partition IN (0, 1) ORDER BY record_offset;
EXPLAIN (COSTS OFF) SELECT * FROM scan_events ORDER BY partition DESC;
SELECT * FROM scan_plan($$SELECT min(record_offset) FROM scan_events WHERE partition = 2$$) AS "QUERY PLAN";
SELECT * FROM scan_plan($$SELECT value FROM scan_events WHERE partition = 0 AND record_offset >= 10 ORDER BY record_offset LIMIT 3$$,
    'ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF') AS "QUERY PLAN";
SELECT value FROM scan_events WHERE partition = 0 AND record_offset >= 10 ORDER BY record_offset LIMIT 3;
SELECT partition, record_offset FROM scan_events ORDER BY partition, record_offset OFFSET 98 LIMIT 4;
SELECT record_offset FROM scan_events WHERE partition = 0 ORDER BY record_offset DESC LIMIT 2;
SELECT min(record_offset), max(record_offset) FROM scan_events WHERE partition = 2;
-- a topic of one partition has one order
SELECT create_topic('scan_single');
EXPLAIN (COSTS OFF) SELECT * FROM scan_single ORDER BY record_offset;
EXPLAIN (COSTS OFF) SELECT * FROM scan_single ORDER BY partition, record_offset NULLS FIRST;
-- and may still be empty
SELECT * FROM scan_single;
DROP FOREIGN TABLE scan_single;

-- parameters and stable expressions are evaluated when the scan starts
PREPARE scan_part(int, bigint) AS
    SELECT partition, record_offset, value FROM scan_events WHERE partition = $1 AND record_offset >= $2 ORDER BY record_offset LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE scan_part(1, 50);
EXECUTE scan_part(1, 50);
EXECUTE scan_part(2, 98);
EXECUTE scan_part(NULL, 98);
EXECUTE scan_part(7, 0);
RESET plan_cache_mode;
DEALLOCATE scan_part;
SELECT set_config('scan.partition', '2', false);
EXPLAIN (COSTS OFF) SELECT value FROM scan_events WHERE partition = current_setting('scan.partition')::int AND record_offset < 2;
SELECT value FROM scan_events WHERE partition = current_setting('scan.partition')::int AND record_offset < 2;
SELECT value FROM scan_events WHERE partition = (SELECT 1) AND record_offset = (SELECT max(x) FROM (VALUES (5), (7)) v(x));
-- volatile ones are not: they are checked for each record
EXPLAIN (COSTS OFF) SELECT value FROM scan_events WHERE record_offset < random() * 10;
EXPLAIN (COSTS OFF) SELECT value FROM scan_events WHERE record_offset >= (random() * 0)::int;

-- a join looks records up by their place
CREATE TABLE scan_wanted (p int, o bigint);
INSERT INTO scan_wanted VALUES (0, 5), (2, 99), (1, 0), (1, 500), (NULL, 1), (0, NULL);
ANALYZE scan_wanted;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT * FROM scan_wanted w JOIN scan_events e ON e.partition = w.p AND e.record_offset = w.o;
SELECT w.*, e.value FROM scan_wanted w JOIN scan_events e ON e.partition = w.p AND e.record_offset = w.o ORDER BY 1, 2;
-- values that come from elsewhere in the plan
EXPLAIN (COSTS OFF) SELECT * FROM scan_wanted w, LATERAL (SELECT * FROM scan_events e WHERE e.record_offset = w.o OFFSET 0) e;
EXPLAIN (COSTS OFF) SELECT (SELECT value FROM scan_events e WHERE e.partition = w.p AND e.record_offset = w.o) FROM scan_wanted w;
SELECT * FROM scan_plan($$SELECT * FROM scan_events WHERE record_offset >= (SELECT max(o) FROM scan_wanted)$$) AS "QUERY PLAN";
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
SELECT w.*, e.value FROM scan_wanted w LEFT JOIN scan_events e ON e.partition = w.p AND e.record_offset = w.o ORDER BY 1, 2;
-- each rescan evaluates the bounds again
SELECT w.p, w.o, e.n FROM scan_wanted w,
    LATERAL (SELECT count(*) AS n FROM scan_events WHERE partition = w.p AND record_offset >= w.o) e ORDER BY 1, 2;
SELECT w.p, w.o, (SELECT value FROM scan_events WHERE partition = w.p AND record_offset >= w.o ORDER BY record_offset LIMIT 1) AS value
FROM scan_wanted w ORDER BY 1, 2;
SELECT count(*) FROM scan_events a JOIN scan_events b USING (partition, record_offset);
SELECT count(*) FROM generate_series(1, 3) g, LATERAL (SELECT * FROM scan_events LIMIT g) e;
DROP TABLE scan_wanted;

-- only the columns that are used are made
SELECT count(key) FROM scan_events;
SELECT count(*) FROM scan_events WHERE key = 'k3';
SELECT key, count(*) FROM scan_events GROUP BY key ORDER BY key LIMIT 2;
SELECT e FROM scan_events e WHERE partition = 1 AND record_offset = 1;
SELECT to_jsonb(e) FROM scan_events e WHERE partition = 1 AND record_offset = 1;
SELECT tableoid::regclass, value FROM scan_events WHERE partition = 1 AND record_offset = 1;
SELECT value FROM scan_events WHERE partition = 1 AND record_offset = 1 FOR UPDATE;

-- a large scan is divided among parallel workers, and sees the same
SELECT create_topic('scan_large', partitions => 3);
INSERT INTO scan_large (partition, key, value) SELECT i % 2, i % 1000, i FROM generate_series(1, 100000) i;
-- nobody reads past a transaction that has not ended
BEGIN;
SELECT produce('scan_large', 'k', 'prepared', 0);
PREPARE TRANSACTION 'scan_large';
INSERT INTO scan_large (partition, key, value) SELECT i % 2, 'later', i FROM generate_series(1, 50000) i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*), sum(value::int) FROM scan_large WHERE record_offset >= 100;
SELECT partition, count(*), count(DISTINCT record_offset), sum(value::int) FROM scan_large GROUP BY 1 ORDER BY 1;
SELECT count(*), sum(record_offset), min(record_offset), max(record_offset) FROM scan_large
WHERE record_offset BETWEEN 100 AND 40000 AND partition IN (0, 2);
SELECT count(*) FROM scan_large WHERE partition = 9;
SELECT x, (SELECT count(*) FROM scan_large WHERE record_offset < x) FROM (VALUES (1), (20000)) v(x) ORDER BY 1;
SELECT count(*) FROM scan_large a JOIN scan_large b USING (partition, record_offset);
-- ordered, it is not divided
EXPLAIN (COSTS OFF) SELECT * FROM scan_large ORDER BY partition, record_offset LIMIT 1;
COMMIT PREPARED 'scan_large';
SELECT partition, count(*), count(DISTINCT record_offset), sum(length(value)) FROM scan_large GROUP BY 1 ORDER BY 1;
SET max_parallel_workers_per_gather = 0;
SELECT partition, count(*), count(DISTINCT record_offset), sum(length(value)) FROM scan_large GROUP BY 1 ORDER BY 1;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP FOREIGN TABLE scan_large;

-- cursors fetch as they go, and hold what they saw
BEGIN;
DECLARE scan_cursor CURSOR FOR SELECT partition, record_offset FROM scan_events;
FETCH 2 FROM scan_cursor;
MOVE 97 IN scan_cursor;
FETCH 2 FROM scan_cursor;
FETCH BACKWARD 1 FROM scan_cursor;
ROLLBACK;
BEGIN;
DECLARE scan_cursor SCROLL CURSOR FOR SELECT partition, record_offset FROM scan_events;
FETCH 2 FROM scan_cursor;
FETCH BACKWARD 1 FROM scan_cursor;
SELECT produce('scan_events', 'new', 'later', 2, '2024-02-01');
COMMIT;
SELECT count(*) FROM scan_events;

-- a snapshot keeps what it sees
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM scan_events;
SELECT produce('scan_events', 'new', 'mine', 2, '2024-02-01');
SELECT count(*) FROM scan_events;
COMMIT;
SELECT count(*) FROM scan_events;

-- columns of the user's choice: left out, in another order, of other types
CREATE FOREIGN TABLE scan_columns (value jsonb, record_offset bigint, key bytea) SERVER topics;
INSERT INTO scan_columns (value, key) VALUES ('{"a": [1, 2]}', '\x6162'), (NULL, '\x00'), ('"text"', NULL);
SELECT * FROM scan_columns;
SELECT value -> 'a' -> 1 FROM scan_columns WHERE record_offset = 0;
ALTER FOREIGN TABLE scan_columns DROP COLUMN record_offset;
SELECT * FROM scan_columns;
ALTER FOREIGN TABLE scan_columns ADD COLUMN record_offset bigint;
SELECT * FROM scan_columns ORDER BY record_offset;
DROP FOREIGN TABLE scan_columns;
-- bytes that are not what the column says
SELECT create_topic('scan_raw', value_type => 'bytea');
INSERT INTO scan_raw (value) VALUES ('\x7b7d'), ('\xff00');
ALTER FOREIGN TABLE scan_raw ALTER COLUMN value TYPE text;
SELECT value FROM scan_raw LIMIT 1;
SELECT value FROM scan_raw;
SELECT count(*) FROM scan_raw;
DROP FOREIGN TABLE scan_raw;

-- statistics
ANALYZE scan_events;
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'scan_events' AND attname IN ('partition', 'key') ORDER BY 1;
SELECT reltuples FROM pg_class WHERE relname = 'scan_events';

-- privileges
CREATE ROLE regress_scan_reader;
SET ROLE regress_scan_reader;
SELECT count(*) FROM scan_events;
RESET ROLE;
GRANT SELECT (partition, value) ON scan_events TO regress_scan_reader;
SET ROLE regress_scan_reader;
SELECT value FROM scan_events WHERE partition = 0 LIMIT 1;
SELECT key FROM scan_events;
RESET ROLE;
DROP OWNED BY regress_scan_reader;
DROP ROLE regress_scan_reader;

-- a view over a topic
CREATE VIEW scan_view AS SELECT record_offset, value FROM scan_events WHERE partition = 1;
EXPLAIN (COSTS OFF) SELECT * FROM scan_view WHERE record_offset = 3;
SELECT * FROM scan_view WHERE record_offset = 3;
DROP VIEW scan_view;

DROP FOREIGN TABLE scan_events;
