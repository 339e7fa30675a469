-- the last record first: src/wal/backward_reader.c, src/query/topic_plan.c, src/query/offset_merge.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

-- all kinds of batches in small segments: every codec, short and long, taken back in part and
-- as a whole; keys, tombstones, headers, values of very different lengths
SELECT create_topic('back', partitions => 2, config => '{"segment.bytes": 20000}');
CREATE FUNCTION back_produce(t int) RETURNS void LANGUAGE sql AS $$
    SELECT produce('back', CASE WHEN random() < 0.9 THEN 'k' || (random() * 30)::int END,
        CASE WHEN random() < 0.8 THEN t || ':' || i || ':' || repeat(chr(97 + i % 26), (10 ^ (random() * 3))::int) END,
        (i % 3 = 0)::int, timestamptz '2024-01-01' + make_interval(mins => t),
        CASE WHEN random() < 0.2 THEN jsonb_build_object('n', i, 'x', repeat('h', i % 9)) END)
    FROM generate_series(1, (10 ^ (random() * 2))::int) i
$$;
DO $$
DECLARE
    codecs text[] := '{none,gzip,snappy,lz4,zstd}';
BEGIN
    PERFORM setseed(0.25);
    FOR t IN 1..80 LOOP
        PERFORM alter_topic('back', jsonb_build_object('compression.type', codecs[1 + t % 5]));
        COMMIT;
        PERFORM back_produce(t);
        IF random() < 0.15 THEN
            PERFORM flush();
            ROLLBACK;
        ELSE
            BEGIN
                PERFORM back_produce(t);
                IF random() < 0.3 THEN
                    RAISE division_by_zero;
                END IF;
            EXCEPTION WHEN division_by_zero THEN
                PERFORM produce('back', 'kept', t::text, 0, timestamptz '2024-01-01' + make_interval(mins => t));
            END;
        END IF;
        COMMIT;
    END LOOP;
END $$;
-- one large batch of records that compression makes tiny, one large record, and a gap
SET pg_topics.batch_size = '1MB';
INSERT INTO back (partition, key, value) SELECT 0, 'large', repeat('y', 500) || i FROM generate_series(1, 600) i;
INSERT INTO back (partition, key, value) VALUES (0, 'large', repeat('z', 200000));
RESET pg_topics.batch_size;
INSERT INTO back (partition, record_offset, key, value) VALUES (0, 1000000, 'k1', 'behind a gap'), (0, 1000001, 'k1', NULL);

-- the rows of a backward scan and those of a forward scan that are sorted: how many, and the same?
CREATE FUNCTION back_compare(condition text DEFAULT 'true', n text DEFAULT 'ALL', OUT records bigint, OUT same bool)
LANGUAGE plpgsql AS $$
DECLARE
    backward text := format('SELECT b::text AS r FROM back b WHERE %s ORDER BY record_offset DESC LIMIT %s', condition, n);
    line text;
BEGIN
    EXECUTE format('SELECT count(*), array_agg(b.r) IS NOT DISTINCT FROM (SELECT array_agg(f.r) FROM
        (SELECT f::text AS r FROM (SELECT * FROM back WHERE %s OFFSET 0) f ORDER BY record_offset DESC LIMIT %s) f)
        FROM (%s) b', condition, n, backward) INTO records, same;
    FOR line IN EXECUTE 'EXPLAIN ' || backward LOOP
        IF line ~ 'Order: record_offset descending' THEN
            RETURN;
        END IF;
    END LOOP;
    RAISE 'this is no backward scan: %', backward;
END $$;
-- with random bounds and limits, how many differ; and are there rows?
CREATE FUNCTION back_differences(OUT differences bigint, OUT is_read bool) LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE NOT c.same), sum(c.records) > 1000
    FROM (SELECT random() AS r, (random() * 2500)::int AS low, (10 ^ (random() * 4))::int AS width,
              (10 ^ (random() * 3))::int AS n, i % 3 / 2 AS p
          FROM generate_series(1, 60) i) s,
        LATERAL back_compare('partition = ' || p ||
            CASE WHEN r < 0.7 THEN format(' AND record_offset >= %s AND record_offset < %s', low, low + width) ELSE '' END ||
            CASE WHEN r > 0.5 THEN format(' AND record_timestamp >= timestamptz ''2024-01-01'' + interval ''%s minutes''', low / 40) ELSE '' END ||
            CASE WHEN r > 0.9 THEN ' AND record_timestamp < ''2024-01-01 01:00''' ELSE '' END ||
            CASE WHEN r BETWEEN 0.3 AND 0.4 THEN ' AND key <> ''large''' ELSE '' END, n::text) c
$$;
SELECT same, records > 1000 AS enough FROM back_compare('partition = 0');
SELECT same, records > 100 AS enough FROM back_compare('partition = 1');
SELECT * FROM back_compare('partition = 7');
SELECT * FROM back_compare('partition = 0 AND record_offset < -5');
SELECT * FROM back_compare('partition = 0 AND record_offset >= 1000000');
SELECT * FROM back_compare('partition = 0 AND record_offset BETWEEN 900000 AND 999999');
SELECT * FROM back_compare('partition = 0 AND record_offset < 999999', '3');
SELECT * FROM back_differences();
-- less memory than a batch takes
SET work_mem = '64kB';
SELECT same FROM back_compare('partition = 0');
SELECT * FROM back_differences();
RESET work_mem;

-- a transaction's own records are seen by no scan before it commits
BEGIN;
SELECT produce('back', 'mine', 'flushed', 0);
SELECT count(*) FROM flush();
SAVEPOINT s;
SELECT produce('back', 'mine', 'taken back', 0);
SELECT * FROM back_compare('partition = 0 AND record_offset > 500000');
ROLLBACK TO s;
SELECT produce('back', 'mine', 'kept', 0);
SELECT * FROM back_compare('partition = 0 AND record_offset > 500000');
COMMIT;
SELECT record_offset, value FROM back WHERE partition = 0 ORDER BY record_offset DESC LIMIT 3;
-- nor what is behind a transaction that has not ended
BEGIN;
SELECT produce('back', 'prepared', 'later', 0);
PREPARE TRANSACTION 'back';
SELECT produce('back', 'behind', 'behind', 0);
SELECT * FROM back_compare('partition = 0 AND record_offset > 1000000');
SELECT * FROM back_compare('partition = 0 AND record_offset > 1000004');
COMMIT PREPARED 'back';
SELECT * FROM back_compare('partition = 0 AND record_offset > 1000000');

-- when it may be chosen
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition = 0 ORDER BY record_offset DESC LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition = 0 AND record_offset < 500 ORDER BY partition DESC, record_offset DESC;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition = 0 ORDER BY record_offset LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition = 0 LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM back ORDER BY record_offset DESC LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition IN (0, 1) ORDER BY record_offset DESC LIMIT 10;
EXPLAIN (COSTS OFF) SELECT * FROM back WHERE partition = 0 ORDER BY key, record_offset DESC LIMIT 10;
-- the largest offset is the first of a backward scan
SELECT max(record_offset) FROM back WHERE partition = 0;
RESET max_parallel_workers_per_gather;
PREPARE back_last(int) AS SELECT record_offset, value FROM back WHERE partition = $1 AND record_offset > 500000 ORDER BY record_offset DESC LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE back_last(0);
EXECUTE back_last(0);
EXECUTE back_last(1);
EXECUTE back_last(NULL);
RESET plan_cache_mode;
DEALLOCATE back_last;

-- rescans, with other bounds each time
SELECT p, o, e.n, e.o1, e.o2, e.n = (SELECT count(*) FROM (SELECT FROM back b WHERE b.partition = p AND b.record_offset < o LIMIT 20) l) AS same
FROM (VALUES (0, 10), (1, 5), (0, 1000002), (7, 10), (0, NULL), (0, 0), (0, 2)) v(p, o),
    LATERAL (SELECT count(*) AS n, max(record_offset) < o AS o1, count(DISTINCT record_offset) = count(*) AS o2 FROM
        (SELECT record_offset FROM back b WHERE b.partition = p AND b.record_offset < o ORDER BY record_offset DESC LIMIT 20) l) e;

EXPLAIN (COSTS OFF) SELECT l.* FROM generate_series(0, 1) AS p,
    LATERAL (SELECT * FROM back WHERE partition = p ORDER BY record_offset DESC LIMIT 3) l;

-- a cursor goes back and forth
BEGIN;
DECLARE back_cursor SCROLL CURSOR FOR
    SELECT record_offset FROM back WHERE partition = 0 ORDER BY record_offset DESC;
FETCH 3 FROM back_cursor;
FETCH BACKWARD 2 FROM back_cursor;
FETCH LAST FROM back_cursor;
FETCH PRIOR FROM back_cursor;
ROLLBACK;

-- where records were deleted, and after compaction
SELECT delete_records('back', 0, 100);
SELECT same, records > 1000 AS enough FROM back_compare('partition = 0');
SELECT * FROM back_differences();
-- a null key could not be compacted
SELECT create_topic('back_keys', config => '{"segment.bytes": 20000, "cleanup.policy": "compact"}');
DO $$
BEGIN
    FOR t IN 1..40 LOOP
        INSERT INTO back_keys (key, value) SELECT coalesce(key, 'none'), value FROM back
        WHERE partition = 0 AND key <> 'large' AND record_offset % 40 = t;
        COMMIT;
    END LOOP;
    WHILE EXISTS (SELECT FROM pg_topic_partitions WHERE resolved_offset < log_end_offset) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$;
SELECT records_after < records_before AS compacted FROM compact('back_keys');
EXPLAIN (COSTS OFF) SELECT * FROM back_keys ORDER BY record_offset DESC;
EXPLAIN (COSTS OFF) SELECT * FROM back_keys ORDER BY record_offset;
SELECT array_agg(b.r) = (SELECT array_agg(f.r) FROM (SELECT f::text AS r FROM (SELECT * FROM back_keys OFFSET 0) f ORDER BY record_offset DESC) f) AS same
FROM (SELECT b::text AS r FROM back_keys b ORDER BY record_offset DESC) b;
-- nothing is left, and nothing was ever there
SELECT delete_records('back_keys', 0, -1) > 0 AS deleted;
SELECT * FROM back_keys ORDER BY record_offset DESC;
SELECT create_topic('back_empty');
SELECT * FROM back_empty ORDER BY record_offset DESC;

DROP FOREIGN TABLE back, back_keys, back_empty;
DROP FUNCTION back_differences(), back_compare(text, text), back_produce(int);
