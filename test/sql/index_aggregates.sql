-- count(), min() and max() from the index: src/query/aggregate_plan.c, src/query/aggregate_scan.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

-- batches of all kinds in small segments: taken back in part and as a whole, times that do not
-- ascend, offsets left out inside of a batch and between two
SELECT create_topic('agg', partitions => 3, config => '{"segment.bytes": 20000, "retention.ms": -1}');
CREATE FUNCTION agg_produce(t int) RETURNS void LANGUAGE sql AS $$
    SELECT produce('agg', CASE WHEN random() < 0.9 THEN 'k' || (random() * 30)::int END,
        CASE WHEN random() < 0.8 THEN t || ':' || i || ':' || repeat(chr(97 + i % 26), (10 ^ (random() * 2.5))::int) END,
        i % 2, timestamptz '2024-01-01' + make_interval(mins => t, secs => (random() * 100)::int))
    FROM generate_series(1, (10 ^ (random() * 2))::int) i
$$;
DO $$
DECLARE
    next_offset bigint;
BEGIN
    PERFORM setseed(0.5);
    FOR t IN 1..80 LOOP
        PERFORM agg_produce(t);
        IF random() < 0.15 THEN
            PERFORM flush();
            ROLLBACK;
        ELSE
            BEGIN
                PERFORM agg_produce(t);
                IF random() < 0.3 THEN
                    RAISE division_by_zero;
                END IF;
            EXCEPTION WHEN division_by_zero THEN
                PERFORM produce('agg', 'kept', t::text, 0);
            END;
        END IF;
        COMMIT;
        IF t % 10 = 0 THEN
            SELECT log_end_offset + 5 INTO next_offset FROM pg_topic_partitions WHERE topic = 'agg'::regclass AND partition = 1;
            INSERT INTO agg (partition, record_offset, record_timestamp, key, value)
            SELECT 1, next_offset + i * i, timestamptz '2024-01-01' + make_interval(mins => t + i), 'k' || i, repeat('g', 300)
            FROM generate_series(0, 5) i;
            COMMIT;
        END IF;
    END LOOP;
END $$;

-- The aggregates by the index, together and alone, and those of the rows themselves: are they the
-- same, in all and for each partition?  It must be the index that was asked.
CREATE FUNCTION agg_compare(topic regclass, condition text DEFAULT 'true', OUT records bigint, OUT same bool)
LANGUAGE plpgsql AS $$
DECLARE
    aggregates text[] := '{"count(*)", min(record_offset), max(record_offset), min(record_timestamp), max(record_timestamp)}';
    wanted text;
    plan text;
    line text;
    indexed text;
    plain text;
BEGIN
    same := true;
    FOREACH wanted IN ARRAY aggregates || array_to_string(aggregates, ', ') || 'max(record_offset) - min(record_offset), count(partition)'::text LOOP
        EXECUTE format('SELECT a::text FROM (SELECT %s FROM %s WHERE %s) a', wanted, topic, condition) INTO indexed;
        EXECUTE format('SELECT a::text FROM (SELECT %s FROM (SELECT * FROM %s WHERE %s OFFSET 0) r) a', wanted, topic, condition) INTO plain;
        same := same AND indexed = plain;
        EXECUTE format('SELECT string_agg(a::text, '' '' ORDER BY partition) FROM (SELECT partition, %s FROM %s WHERE %s GROUP BY partition) a', wanted, topic, condition) INTO indexed;
        EXECUTE format('SELECT string_agg(a::text, '' '' ORDER BY partition) FROM (SELECT partition, %s FROM (SELECT * FROM %s WHERE %s OFFSET 0) r GROUP BY partition) a', wanted, topic, condition) INTO plain;
        same := same AND indexed IS NOT DISTINCT FROM plain;
    END LOOP;
    EXECUTE format('SELECT count(*) FROM %s WHERE %s', topic, condition) INTO records;
    plan := '';
    FOR line IN EXECUTE format('EXPLAIN SELECT count(*) FROM %s WHERE %s', topic, condition) LOOP
        plan := plan || line;
    END LOOP;
    IF plan !~ 'From Index: count' THEN
        RAISE 'not from the index: %', condition;
    END IF;
END $$;
-- with random bounds, how many differ; and are there rows?
CREATE FUNCTION agg_differences(topic regclass, OUT differences bigint, OUT is_read bool) LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE NOT c.same), sum(c.records) > 100
    FROM (SELECT random() AS r, random() AS s, (random() * 3000)::int AS low, (10 ^ (random() * 3.5))::int AS width, i % 4 AS p
          FROM generate_series(1, 60) i) b,
        LATERAL agg_compare(topic, CASE WHEN s < 0.6 THEN 'partition = ' || p WHEN s < 0.8 THEN format('partition IN (%s, 1)', p) ELSE 'true' END ||
            CASE WHEN r < 0.7 THEN format(' AND record_offset >= %s AND record_offset < %s', low, low + width) ELSE '' END ||
            CASE WHEN r > 0.5 THEN format(' AND record_timestamp >= timestamptz ''2024-01-01'' + interval ''%s seconds''', low) ELSE '' END ||
            CASE WHEN r > 0.8 THEN format(' AND record_timestamp < ''2024-01-01 01:00:%s.0005''', p) ELSE '' END) c
$$;
SELECT same, records > 200 AS enough FROM agg_compare('agg');
SELECT partition, same, records > 100 AS enough FROM generate_series(0, 3) partition, agg_compare('agg', 'partition = ' || partition) ORDER BY 1;
SELECT * FROM agg_differences('agg');
SELECT * FROM agg_compare('agg', 'partition = 0 AND record_offset < -5');
SELECT count(*), max(record_offset) FROM agg WHERE partition = NULL;
SELECT * FROM agg_compare('agg', 'partition = ANY (NULL::int[])');
-- the times of a condition may be of other types, infinite or beyond what there can be
SELECT same, records > 200 AS enough FROM agg_compare('agg', $$record_timestamp > '-infinity'$$);
SELECT * FROM agg_compare('agg', $$record_timestamp > 'infinity'$$);
SELECT same, records > 100 AS enough FROM agg_compare('agg', $$record_timestamp >= date '2024-01-01' AND record_timestamp < timestamp '2024-01-01 00:30'$$);
SELECT * FROM agg_compare('agg', $$record_timestamp = date '5874000-01-01'$$);
SELECT same FROM agg_compare('agg', $$record_timestamp = (SELECT max(record_timestamp) FROM agg)$$);

-- a transaction's own records are seen by no query before it commits
BEGIN;
SELECT count(*) FROM agg \gset before_
SELECT produce('agg', 'mine', 'flushed', 0);
SELECT count(*) FROM flush();
SAVEPOINT s;
SELECT produce('agg', 'mine', 'taken back', 0);
ROLLBACK TO s;
SELECT produce('agg', 'mine', 'kept', 0);
SELECT same, records - :before_count AS more FROM agg_compare('agg');
COMMIT;
SELECT same, records - :before_count AS more FROM agg_compare('agg');
-- nor what is behind a transaction that has not ended, or would show a part of another one
BEGIN;
SELECT produce('agg', 'prepared', 'later', 0);
PREPARE TRANSACTION 'agg';
SELECT produce('agg', 'behind', 'behind', 0);
SELECT same, records - :before_count AS more FROM agg_compare('agg');
ROLLBACK PREPARED 'agg';
SELECT same, records - :before_count AS more FROM agg_compare('agg');

-- records deleted up to the middle of a batch; the last ones of a partition gone
SELECT delete_records('agg', 0, 333);
SELECT same, records > 100 AS enough FROM agg_compare('agg', 'partition = 0');
SELECT delete_records('agg', 1, -1) > 0 AS deleted;
SELECT * FROM agg_compare('agg', 'partition = 1');
INSERT INTO agg (partition, key, value) SELECT 1, 'k', 'v' FROM generate_series(1, 7);
SELECT * FROM agg_compare('agg', 'partition = 1');
SELECT erase('agg', 'kept') > 0 AS erased;
SELECT same, records > 100 AS enough FROM agg_compare('agg');
SELECT * FROM agg_differences('agg');

-- batches with holes, by compaction, at their beginning and end, too
SELECT create_topic('agg_keys', partitions => 2, config => '{"segment.bytes": 20000, "cleanup.policy": "compact", "retention.ms": -1}');
DO $$
BEGIN
    FOR t IN 1..40 LOOP
        INSERT INTO agg_keys (partition, record_timestamp, key, value)
        SELECT i % 2, timestamptz '2024-01-01' + make_interval(secs => (random() * 3000)::int),
            CASE WHEN random() < 0.8 THEN 'k' || (random() * 20)::int ELSE t || ':' || i END, repeat('v', 40)
        FROM generate_series(1, 100) i;
        IF t % 7 = 0 THEN
            PERFORM flush();
            ROLLBACK;
        END IF;
        COMMIT;
    END LOOP;
    WHILE EXISTS (SELECT FROM pg_topic_partitions WHERE resolved_offset < log_end_offset) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
SELECT * FROM agg_differences('agg_keys');
SELECT sum(records_after) < sum(records_before) AS compacted FROM compact('agg_keys');
SELECT same, records > 100 AS enough FROM agg_compare('agg_keys');
SELECT * FROM agg_differences('agg_keys');
-- the last batch has lost its last records, and the first one its first
SELECT sum(erase('agg_keys', key)) > 0 AS erased FROM (SELECT DISTINCT key FROM agg_keys WHERE key LIKE '40:%' OR key LIKE '1:%') k;
SELECT same, records > 100 AS enough FROM agg_compare('agg_keys');
SELECT * FROM agg_differences('agg_keys');
SELECT count(*) AS problems FROM verify_topic('agg_keys');

-- one transaction's time, and the time of the append, which the append sets in all records
SELECT create_topic('agg_times', config => '{"retention.ms": -1}');
INSERT INTO agg_times (key, value) SELECT 'k', i FROM generate_series(1, 500) i;
SELECT * FROM agg_compare('agg_times');
BEGIN;
SELECT count(produce('agg_times', 'k', i::text)) FROM generate_series(1, 10) i;
COMMIT;
SELECT alter_topic('agg_times', '{"message.timestamp.type": "LogAppendTime"}');
INSERT INTO agg_times (key, value) SELECT 'k', i FROM generate_series(1, 500) i;
SELECT produce('agg_times', 'k', 'old', record_timestamp => '2000-01-01');
SELECT * FROM agg_compare('agg_times');
SELECT * FROM agg_compare('agg_times', $$record_timestamp >= '2001-01-01'$$);
SELECT alter_topic('agg_times', '{"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": "9223372036854775807"}');
INSERT INTO agg_times (record_timestamp, value) VALUES ('294276-12-31 23:59:59.999', 'last'), ('4713-01-02 00:00:00.001 BC', 'first'), ('1969-12-31 23:59:59.9999', 'before 1970');
SELECT * FROM agg_compare('agg_times');
SELECT min(record_timestamp), max(record_timestamp) FROM agg_times;
SELECT * FROM agg_compare('agg_times', $$record_timestamp < '1970-01-01'$$);
SELECT * FROM agg_compare('agg_times', $$record_timestamp <= '1969-12-31 23:59:59.9995'$$);

-- nothing was ever there
SELECT create_topic('agg_empty', partitions => 2);
SELECT count(*), min(record_offset), max(record_timestamp) FROM agg_empty;
SELECT partition, count(*) FROM agg_empty GROUP BY partition;
SELECT max(record_offset) FROM agg_empty HAVING count(*) > 0;

-- what is left to the index, and what is not
CREATE FUNCTION agg_from_index(query text, OUT from_index text) LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        from_index := coalesce(from_index, substring(line FROM 'From Index: (.*)'));
    END LOOP;
END $$;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM agg;
EXPLAIN (COSTS OFF) SELECT count(*), max(record_timestamp) FROM agg WHERE partition = 0 AND record_offset >= 100 AND record_timestamp < '2024-01-01 00:30';
EXPLAIN (COSTS OFF) SELECT partition, count(*), max(record_offset) + 1 FROM agg GROUP BY partition HAVING min(record_offset) >= 0 ORDER BY partition;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) * 2 AS twice FROM agg;
SELECT query, from_index FROM (VALUES
    (1, 'SELECT count(partition), count(record_offset), count(record_timestamp) FROM agg'),
    (2, 'SELECT count(key) FROM agg'),
    (3, 'SELECT count(*) FROM agg WHERE key = ''k1'''),
    (4, 'SELECT count(*) FROM agg WHERE partition + 0 = 0'),
    (5, 'SELECT count(*) FROM agg WHERE record_timestamp < now()'),
    (6, 'SELECT count(*) FROM agg WHERE record_timestamp < clock_timestamp()'),
    (7, 'SELECT count(*) FILTER (WHERE partition = 0) FROM agg'),
    (8, 'SELECT count(DISTINCT partition) FROM agg'),
    (9, 'SELECT sum(record_offset) FROM agg'),
    (10, 'SELECT min(record_timestamp), max(record_timestamp) FROM agg'),
    (11, 'SELECT count(*) FROM agg GROUP BY key'),
    (12, 'SELECT partition, key, count(*) FROM agg GROUP BY partition, key'),
    (13, 'SELECT partition, count(*) FROM agg GROUP BY GROUPING SETS ((partition), ())'),
    (14, 'SELECT partition FROM agg GROUP BY partition'),
    (15, 'SELECT count(*) FROM agg, agg_times'),
    (16, 'SELECT count(*) FROM agg WHERE random() < 2'),
    (17, 'SELECT count(*) FROM agg WHERE now() > ''2000-01-01'''),
    (18, 'SELECT count(*) FROM (SELECT * FROM agg WHERE partition = 1) s'),
    (19, 'SELECT count(*) FROM (SELECT * FROM agg LIMIT 5) s'),
    (20, 'SELECT (SELECT count(*) FROM agg WHERE partition = p) FROM generate_series(0, 2) p'),
    (21, 'SELECT max(record_offset), min(record_offset) FROM agg WHERE record_offset < 100'),
    (22, 'SELECT max(key) FROM agg'),
    (23, 'SELECT count(*), max(value) FROM agg'),
    (24, 'SELECT count(*) FROM agg WHERE partition = 0 OR record_offset = 5'),
    (25, 'SELECT 1 FROM agg HAVING true'),
    (26, 'SELECT count(*) OVER () FROM agg'),
    (27, 'SELECT count(*), count(*) OVER () FROM agg'),
    (28, 'SELECT record_offset, count(*) FROM agg GROUP BY record_offset'),
    (29, 'SELECT count(*) FROM agg WHERE record_timestamp < $$2024-01-01$$ AND value IS NOT NULL')) q (n, query), agg_from_index(query) ORDER BY n;
-- the results of those that the server aggregates itself, or that have more around them
SELECT count(*) = (SELECT sum(n) FROM (SELECT count(*) AS n FROM agg GROUP BY partition OFFSET 0) g) AS same FROM agg;
SELECT p, (SELECT count(*) FROM agg WHERE partition = p) = (SELECT count(*) FROM agg WHERE partition + 0 = p) AS same FROM generate_series(0, 4) p ORDER BY p;
SELECT count(*) AS none FROM agg WHERE now() < '2000-01-01';
SELECT array_agg(partition ORDER BY partition) FROM (SELECT partition FROM agg GROUP BY partition) g;
PREPARE agg_generic(int, timestamptz) AS SELECT count(*), max(record_offset) FROM agg WHERE partition = $1 AND record_timestamp >= $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE agg_generic(1, now());
EXECUTE agg_generic(1, '2020-01-01');
EXECUTE agg_generic(1, NULL);
EXECUTE agg_generic(7, '2020-01-01');
RESET plan_cache_mode;
DEALLOCATE agg_generic;
-- a view, a table that inherits nothing of it, a role without the right to read
CREATE VIEW agg_view AS SELECT record_offset FROM agg_times WHERE partition = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM agg_view;
SELECT count(*) FROM agg_view;
CREATE ROLE agg_reader;
SET ROLE agg_reader;
SELECT count(*) FROM agg_times;
RESET ROLE;
GRANT SELECT (record_offset) ON agg_times TO agg_reader;
SET ROLE agg_reader;
SELECT count(*), max(record_offset) FROM agg_times;
SELECT max(record_timestamp) FROM agg_times;
RESET ROLE;
DROP VIEW agg_view;
-- columns left out and in another order
CREATE FOREIGN TABLE agg_columns (value text, record_offset bigint, key text) SERVER topics;
INSERT INTO agg_columns (key, value) SELECT i, i FROM generate_series(1, 50) i;
SELECT count(*), min(record_offset), count(record_offset) FROM agg_columns;
SELECT * FROM agg_from_index('SELECT count(*), min(record_offset), count(record_offset) FROM agg_columns');
CREATE FOREIGN TABLE agg_values (value text) SERVER topics OPTIONS (partitions '2');
INSERT INTO agg_values SELECT i FROM generate_series(1, 50) i;
SELECT count(*), (SELECT from_index FROM agg_from_index('SELECT count(*) FROM agg_values')) FROM agg_values;

-- what was read, what the index has answered and what was skipped, those of parallel workers summed
CREATE FUNCTION agg_counts(query text, OUT bytes bool, OUT batches_read bool, OUT counted bool, OUT skipped bool) LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) ' || query INTO plan;
    plan := jsonb_path_query_first(plan, 'strict $.**?(exists(@."Batches Read"))');
    batches_read := (plan ->> 'Batches Read')::int > 0;
    counted := (plan ->> 'Batches Counted')::int > 0;
    skipped := (plan ->> 'Batches Skipped')::int > 0;
    bytes := ((plan ->> 'Bytes Read')::bigint > 0) = batches_read AND ((plan ->> 'Bytes Skipped')::bigint > 0) = skipped
        AND ((plan ->> 'Bytes Counted')::bigint > 0) IS NOT DISTINCT FROM counted;
END $$;
SELECT * FROM agg_counts('SELECT count(*) FROM agg_times');
SELECT * FROM agg_counts('SELECT count(*) FROM agg_times WHERE record_offset > 3');
SELECT * FROM agg_counts('SELECT count(*) FROM agg_times WHERE record_timestamp < ''1980-01-01''');
SELECT * FROM agg_counts('SELECT count(value) FROM agg_times');
SELECT * FROM agg_counts('SELECT value FROM agg_times WHERE record_timestamp > now()');
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT * FROM agg_counts('SELECT count(value) FROM agg_times');
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
SET max_parallel_workers_per_gather = 0;

-- the order of offsets over several partitions: the largest one, the last ones
SELECT max(record_offset) = (SELECT max(record_offset) FROM (SELECT * FROM agg OFFSET 0) a) AS same FROM agg;
-- the order is the scan's, or this fails
CREATE FUNCTION agg_ordered(topic regclass, ordering text, n text, condition text DEFAULT 'true', OUT records bigint, OUT same bool)
LANGUAGE plpgsql AS $$
DECLARE
    plan text := '';
    line text;
BEGIN
    EXECUTE format('SELECT count(*), array_agg(m::text) IS NOT DISTINCT FROM (SELECT array_agg(s::text) FROM
        (SELECT * FROM (SELECT * FROM %1$s WHERE %4$s OFFSET 0) a ORDER BY %2$s LIMIT %3$s) s)
        FROM (SELECT * FROM %1$s WHERE %4$s ORDER BY %2$s LIMIT %3$s) m', topic, ordering, n, condition) INTO records, same;
    FOR line IN EXECUTE format('EXPLAIN SELECT * FROM %1$s WHERE %4$s ORDER BY %2$s LIMIT %3$s', topic, ordering, n, condition) LOOP
        plan := plan || line;
    END LOOP;
    IF plan ~ 'Sort' OR plan !~ 'Order: record_offset' THEN
        RAISE 'this sorts: % %', ordering, condition;
    END IF;
END $$;
SELECT same, records > 100 AS enough FROM agg_ordered('agg', 'record_offset, partition', 'ALL');
SELECT same, records > 100 AS enough FROM agg_ordered('agg', 'record_offset DESC, partition', 'ALL');
SELECT * FROM agg_ordered('agg', 'record_offset DESC, partition', '10');
SELECT * FROM agg_ordered('agg', 'record_offset, partition', '10');
SELECT same, records > 100 AS enough FROM agg_ordered('agg_keys', 'record_offset DESC, partition', 'ALL');
SELECT same FROM agg_ordered('agg_keys', 'record_offset, partition', '33', 'record_offset >= 500 AND key <> ''k1''');
SELECT same FROM agg_ordered('agg', 'record_offset DESC, partition', '33', 'partition IN (0, 2) AND record_offset < 700 AND record_timestamp > ''2024-01-01 00:20''');
SELECT * FROM agg_ordered('agg_empty', 'record_offset DESC, partition', '10');
SET work_mem = '64kB';
SELECT same, records > 100 AS enough FROM agg_ordered('agg', 'record_offset DESC, partition', 'ALL');
RESET work_mem;
EXPLAIN (COSTS OFF) SELECT * FROM agg ORDER BY record_offset DESC, partition DESC;
EXPLAIN (COSTS OFF) SELECT * FROM agg ORDER BY record_timestamp DESC LIMIT 1;
SELECT x, (SELECT max(record_offset) FROM agg WHERE record_offset < x) = (SELECT max(record_offset) FROM (SELECT * FROM agg OFFSET 0) a WHERE record_offset < x) AS same
FROM (VALUES (400), (500), (600)) v(x);

DROP OWNED BY agg_reader;
DROP ROLE agg_reader;
DROP FOREIGN TABLE agg, agg_keys, agg_times, agg_empty, agg_columns, agg_values;
DROP FUNCTION agg_counts, agg_ordered, agg_from_index, agg_differences, agg_compare, agg_produce;
