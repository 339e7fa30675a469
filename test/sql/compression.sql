-- Compressed batches: each codec there and back, the options, changing the
-- codec, records that fit only when compressed, savepoints.
-- Files under test: compression.c, compression_rule.h, pending_batch.c, batch_builder.c, batch_reader.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;
\set SHOW_CONTEXT never

-- The codec of each batch in a topic's files: bits 0-2 of its attributes.
CREATE FUNCTION batch_codecs(t regclass) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    s record;
    at bigint;
    header bytea;
    codecs text[] := '{}';
BEGIN
    FOR s IN SELECT path, bytes FROM pg_topic_segments WHERE topic = t ORDER BY partition, base_offset LOOP
        at := 0;
        WHILE at < s.bytes LOOP
            header := pg_read_binary_file(s.path, at, 61);
            codecs := codecs || (ARRAY['none', 'gzip', 'snappy', 'lz4', 'zstd'])[1 + (get_byte(header, 22) & 7)];
            at := at + 12 + ('x' || encode(substr(header, 9, 4), 'hex'))::bit(32)::int;
        END LOOP;
    END LOOP;
    RETURN codecs;
END $$;

-- ---- each codec there and back --------------------------------------------

SELECT create_topic('compressed_' || codec, partitions => 2, config => jsonb_build_object('compression.type', codec))
FROM unnest(ARRAY['none', 'gzip', 'snappy', 'lz4', 'zstd']) AS codec;

CREATE TABLE compression_records AS
SELECT n, CASE WHEN n % 7 > 0 THEN 'key ' || n % 10 END AS key,
       CASE WHEN n % 5 > 0 THEN '{"number": ' || n || ', "text": "' || repeat('records ', n % 30) || '"}' END AS value,
       n % 2 AS partition, '2025-06-01'::timestamptz + n * interval '1 s' AS record_timestamp,
       CASE n % 4 WHEN 1 THEN jsonb_build_object('trace', 'trace ' || n)
                  WHEN 2 THEN '{"a": null, "b": ["x", "y"]}' END AS headers
FROM generate_series(1, 2000) AS n;

CREATE FUNCTION round_trip(codec text) RETURNS TABLE (records bigint, differ bigint, codecs text, smaller bool)
LANGUAGE plpgsql AS $$
DECLARE
    t regclass := 'compressed_' || codec;
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT (SELECT count(*) FROM %1$s),
               (SELECT count(*) FROM (
                    SELECT key, value, partition, record_timestamp, headers,
                           row_number() OVER (PARTITION BY partition ORDER BY record_offset) - 1 = record_offset AS in_order
                    FROM %1$s
                    EXCEPT ALL
                    SELECT key, value, partition, record_timestamp, headers, true FROM compression_records) AS d),
               (SELECT string_agg(DISTINCT c, ',') FROM unnest(batch_codecs(%1$L)) AS c),
               (SELECT sum(bytes) FROM pg_topic_segments WHERE topic = %1$L::regclass) * 2 <
               (SELECT sum(bytes) FROM pg_topic_segments WHERE topic = 'compressed_none'::regclass)
        $q$, t);
END $$;

INSERT INTO compressed_none (key, value, partition, record_timestamp, headers)
    SELECT key, value, partition, record_timestamp, headers FROM compression_records ORDER BY n;
INSERT INTO compressed_gzip (key, value, partition, record_timestamp, headers)
    SELECT key, value, partition, record_timestamp, headers FROM compression_records ORDER BY n;
INSERT INTO compressed_snappy (key, value, partition, record_timestamp, headers)
    SELECT key, value, partition, record_timestamp, headers FROM compression_records ORDER BY n;
INSERT INTO compressed_lz4 (key, value, partition, record_timestamp, headers)
    SELECT key, value, partition, record_timestamp, headers FROM compression_records ORDER BY n;
INSERT INTO compressed_zstd (key, value, partition, record_timestamp, headers)
    SELECT key, value, partition, record_timestamp, headers FROM compression_records ORDER BY n;
SELECT codec, r.* FROM unnest(ARRAY['none', 'gzip', 'snappy', 'lz4', 'zstd']) AS codec, round_trip(codec) AS r;

-- from the middle of a batch, by offset, by time, and in a group
SELECT partition, record_offset, key, value, headers FROM compressed_zstd
WHERE partition = 1 AND record_offset BETWEEN 501 AND 503 ORDER BY record_offset;
SELECT count(*), min(record_offset) FROM compressed_lz4
WHERE partition = 0 AND record_timestamp >= '2025-06-01 00:30:00';
SELECT offset_for_timestamp('compressed_gzip', 0, '2025-06-01 00:10:01');
SELECT count(*), max(record_offset) FROM consume('compressed_snappy', 'g', 700, partitions => '{0}');
SELECT count(*), min(record_offset) FROM consume('compressed_snappy', 'g', 700, partitions => '{0}');

-- what does not get smaller stays as it is
SELECT create_topic('compressed_small', config => '{"compression.type": "zstd"}');
SELECT produce('compressed_small', 'k', 'v');
SELECT batch_codecs('compressed_small'), value FROM compressed_small;

-- prepared transactions and flush()
BEGIN;
SELECT count(produce('compressed_lz4', n::text, repeat('prepared ', 20), partition => 0)) FROM generate_series(1, 100) AS n;
PREPARE TRANSACTION 'compressed';
COMMIT PREPARED 'compressed';
BEGIN;
SELECT count(produce('compressed_lz4', n::text, repeat('flushed ', 20), partition => 0)) FROM generate_series(1, 100) AS n;
SELECT base_offset, last_offset FROM flush();
COMMIT;
SELECT left(value, 8) AS value, count(*) FROM compressed_lz4 WHERE partition = 0 AND record_offset >= 1000 GROUP BY 1 ORDER BY 1;

-- ---- by size, where the topic names no codec --------------------------------

CREATE FUNCTION noise(bytes int, seed int DEFAULT 0) RETURNS text LANGUAGE sql AS $$
    SELECT left(string_agg(encode(sha512((seed + n)::text::bytea), 'base64'), ''), bytes)
    FROM generate_series(1, bytes / 80 + 1) AS n $$;

SELECT create_topic('compressed_by_size');
-- a record of less than 1024 bytes, one of more, one that hardly gets smaller
INSERT INTO compressed_by_size (value) VALUES (repeat('a', 1000));
INSERT INTO compressed_by_size (value) VALUES (repeat('b', 1024));
INSERT INTO compressed_by_size (value) VALUES (noise(20000));
-- the same of a batch's records together
INSERT INTO compressed_by_size (value) SELECT repeat('c', 100) FROM generate_series(1, 9);
INSERT INTO compressed_by_size (value) SELECT repeat('d', 100) FROM generate_series(1, 10);
-- what a savepoint leaves decides
BEGIN;
INSERT INTO compressed_by_size (value) VALUES ('e');
SAVEPOINT a;
INSERT INTO compressed_by_size (value) SELECT repeat('f', 100) FROM generate_series(1, 10);
INSERT INTO compressed_by_size (value) VALUES (repeat('g', 100000));
ROLLBACK TO a;
INSERT INTO compressed_by_size (value) VALUES ('h');
COMMIT;
SELECT batch_codecs('compressed_by_size');
SELECT left(value, 1) AS value, length(value), count(*), min(record_offset) FROM compressed_by_size GROUP BY 1, 2 ORDER BY 4;
-- the level is that of lz4; "producer", Kafka's default, is the same choice; none is never
SELECT alter_topic('compressed_by_size', '{"compression.type": "producer", "compression.lz4.level": 9}');
INSERT INTO compressed_by_size (value) VALUES (repeat('i', 1024));
SELECT alter_topic('compressed_by_size', '{"compression.type": "none"}');
INSERT INTO compressed_by_size (value) VALUES (repeat('j', 1024));
SELECT alter_topic('compressed_by_size', '{"compression.type": null}');
INSERT INTO compressed_by_size (value) VALUES (repeat('k', 1024));
SELECT (batch_codecs('compressed_by_size'))[7:];
-- a record that is too large stays too large, since nobody has named the codec
SELECT alter_topic('compressed_by_size', '{"max.message.bytes": 2000}');
INSERT INTO compressed_by_size (value) VALUES (repeat('l', 3000));
SELECT alter_topic('compressed_by_size', '{"compression.type": "lz4"}');
INSERT INTO compressed_by_size (value) VALUES (repeat('m', 3000));
SELECT (batch_codecs('compressed_by_size'))[10:];

-- what is rewritten goes by the same sizes.  By partition: together too small; too little is
-- saved; compressed; too little is saved, but without it more would be stored than before
SELECT create_topic('merged_by_size', partitions => 4, config => '{"batch.merge.lag.ms": 0}');
DO $$
BEGIN
    PERFORM produce('merged_by_size', NULL::text, repeat('d', 1200), partition => 3);
    COMMIT;
    FOR i IN 1 .. 12 LOOP
        IF i <= 3 THEN
            PERFORM produce('merged_by_size', NULL::text, repeat('a', 100), partition => 0);
            COMMIT;
        END IF;
        PERFORM produce('merged_by_size', NULL::text, noise(850, i * 1000) || repeat('b', 60), partition => 1);
        COMMIT;
        PERFORM produce('merged_by_size', NULL::text, repeat('c', 900), partition => 2);
        COMMIT;
        PERFORM produce('merged_by_size', NULL::text, noise(900, i * 1000), partition => 3);
        COMMIT;
    END LOOP;
END $$;
SELECT array_positions(batch_codecs('merged_by_size'), 'lz4') AS compressed;
SELECT partition, records_before = records_after AS complete, bytes_after < bytes_before AS smaller
FROM merge_batches('merged_by_size');
SELECT batch_codecs('merged_by_size');
SELECT partition, count(*), sum(length(value)) FROM merged_by_size GROUP BY 1 ORDER BY 1;
-- the one record that compaction leaves of a batch is too small
SELECT create_topic('compacted_by_size', config => '{"cleanup.policy": "compact", "batch.merge": "off"}');
INSERT INTO compacted_by_size (key, value) SELECT n::text, repeat('e', 100) FROM generate_series(1, 40) AS n;
INSERT INTO compacted_by_size (key, value) SELECT n::text, repeat('f', 100) FROM generate_series(2, 40) AS n;
SELECT batch_codecs('compacted_by_size');
SELECT records_before, records_after FROM compact('compacted_by_size');
SELECT batch_codecs('compacted_by_size');

-- ---- options -----------------------------------------------------------------

SELECT create_topic('compressed_options', config => '{"compression.type": "zstd", "compression.zstd.level": 19, "compression.gzip.level": -1, "compression.lz4.level": 17}');
SELECT jsonb_pretty(config) FROM pg_topics WHERE topic = 'compressed_options'::regclass;
SELECT alter_topic('compressed_options', '{"compression.type": "brotli"}');
SELECT alter_topic('compressed_options', '{"compression.type": "GZIP"}');
SELECT alter_topic('compressed_options', '{"compression.gzip.level": 0}');
SELECT alter_topic('compressed_options', '{"compression.gzip.level": 10}');
SELECT alter_topic('compressed_options', '{"compression.gzip.level": "best"}');
SELECT alter_topic('compressed_options', '{"compression.lz4.level": 0}');
SELECT alter_topic('compressed_options', '{"compression.lz4.level": 18}');
SELECT alter_topic('compressed_options', '{"compression.zstd.level": 23}');
SELECT alter_topic('compressed_options', '{"compression.zstd.level": -131073}');
SELECT alter_topic('compressed_options', '{"compression.snappy.level": 1}');

-- a level matters
SELECT alter_topic('compressed_options', '{"compression.zstd.level": -50}');
INSERT INTO compressed_options (key, value) SELECT key, value FROM compression_records;
SELECT sum(bytes) AS fast FROM pg_topic_segments WHERE topic = 'compressed_options'::regclass \gset
SELECT alter_topic('compressed_options', '{"compression.zstd.level": 19}');
INSERT INTO compressed_options (key, value) SELECT key, value FROM compression_records;
SELECT sum(bytes) - :fast < :fast AS smaller FROM pg_topic_segments WHERE topic = 'compressed_options'::regclass;

-- ---- another codec in mid-topic ------------------------------------------------

SELECT create_topic('compressed_mixed', config => '{"compression.type": "none"}');
INSERT INTO compressed_mixed (value) SELECT repeat('none ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "gzip"}');
INSERT INTO compressed_mixed (value) SELECT repeat('gzip ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "snappy"}');
INSERT INTO compressed_mixed (value) SELECT repeat('snappy ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "lz4"}');
INSERT INTO compressed_mixed (value) SELECT repeat('lz4 ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "zstd"}');
INSERT INTO compressed_mixed (value) SELECT repeat('zstd ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "uncompressed"}');
INSERT INTO compressed_mixed (value) SELECT repeat('uncompressed ', 50) FROM generate_series(1, 10);
SELECT alter_topic('compressed_mixed', '{"compression.type": "producer"}');
INSERT INTO compressed_mixed (value) SELECT repeat('producer ', 50) FROM generate_series(1, 10);
SELECT batch_codecs('compressed_mixed');
SELECT split_part(value, ' ', 1) AS value, count(*), min(record_offset) FROM compressed_mixed GROUP BY 1 ORDER BY 3;

-- ---- max.message.bytes is of the compressed batch --------------------------------

SELECT create_topic('compressed_large', config => '{"compression.type": "gzip", "max.message.bytes": 2000}');
SELECT produce('compressed_large', 'k', repeat('x', 100000));
-- (how well it compresses is the library's business)
\set VERBOSITY terse
SELECT produce('compressed_large', 'k', noise(10000));
BEGIN;
SELECT produce('compressed_large', 'before', repeat('y', 1500));
SELECT produce('compressed_large', 'large', repeat('z', 50000));
SAVEPOINT a;
SELECT produce('compressed_large', 'gone', 'gone');
SELECT produce('compressed_large', 'k', noise(10000));
ROLLBACK TO a;
SELECT produce('compressed_large', 'after', 'after');
COMMIT;
\set VERBOSITY default
SELECT record_offset, key, length(value), left(value, 1) FROM compressed_large ORDER BY 1;
SELECT alter_topic('compressed_large', '{"compression.type": null}');
SELECT produce('compressed_large', 'k', repeat('x', 100000));
-- many that compress badly: each batch fits even so
SELECT alter_topic('compressed_large', '{"compression.type": "snappy"}');
INSERT INTO compressed_large (value) SELECT noise(1 + n % 1800) FROM generate_series(1, 500) AS n;
SELECT count(*) FROM compressed_large;
-- ratios in the thousands
SELECT create_topic('compressed_zeros', config => '{"compression.type": "zstd"}');
SELECT produce('compressed_zeros', 'k', repeat('0', 50000000));
SELECT length(value), replace(value, '0', '') = '' AS same FROM compressed_zeros;
SELECT bytes < 10000 AS small FROM pg_topic_segments WHERE topic = 'compressed_zeros'::regclass;

-- ---- savepoints: a model check ------------------------------------------------------

-- Each record also goes to a table, in the same subtransaction.  Batches are
-- small, so that most savepoints are cut back into closed ones, and memory is,
-- so that many of those are in the file.
CREATE TABLE model (id bigserial, topic text, partition int, value text);

CREATE FUNCTION add_record(t text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p int := floor(random() * 2);
    v text := CASE WHEN random() < 0.3 THEN substr(noise(2000), 1 + (random() * 1000)::int, (random() * 400)::int)
                   ELSE repeat('text ' || floor(random() * 100), (random() * 60)::int) END;
BEGIN
    INSERT INTO model (topic, partition, value) VALUES (t, p, v);
    PERFORM produce(t::regclass, NULL::text, v, partition => p);
END $$;

CREATE FUNCTION churn(t text, depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 1 + floor(random() * 5) LOOP
        IF depth > 0 AND random() < 0.6 THEN
            BEGIN
                PERFORM churn(t, depth - 1);
                IF random() < 0.5 THEN
                    RAISE EXCEPTION 'take back';
                END IF;
            EXCEPTION WHEN raise_exception THEN
                NULL;
            END;
        ELSE
            FOR j IN 0 .. floor(random() * 8) LOOP
                PERFORM add_record(t);
            END LOOP;
        END IF;
    END LOOP;
END $$;

SELECT setseed(0.25);
SET pg_topics.batch_size = '1kB';
SET pg_topics.buffer_memory = '64kB';
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['none', 'gzip', 'snappy', 'lz4', 'zstd'] LOOP
        PERFORM create_topic('model_' || t, partitions => 2, config => jsonb_build_object('compression.type', t));
    END LOOP;
    COMMIT;
    FOR round IN 1 .. 20 LOOP
        FOREACH t IN ARRAY ARRAY['model_none', 'model_gzip', 'model_snappy', 'model_lz4', 'model_zstd'] LOOP
            FOR i IN 1 .. 1 + round % 10 LOOP
                PERFORM churn(t, 4);
            END LOOP;
        END LOOP;
        -- some transactions over all topics, some over one
        IF round % 3 > 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END $$;
RESET pg_topics.batch_size;
RESET pg_topics.buffer_memory;

CREATE VIEW model_topics AS
    SELECT 'model_none' AS topic, partition, record_offset, value FROM model_none
    UNION ALL SELECT 'model_gzip', partition, record_offset, value FROM model_gzip
    UNION ALL SELECT 'model_snappy', partition, record_offset, value FROM model_snappy
    UNION ALL SELECT 'model_lz4', partition, record_offset, value FROM model_lz4
    UNION ALL SELECT 'model_zstd', partition, record_offset, value FROM model_zstd;
SELECT topic, count(*) > 1000 AS many, count(*) FILTER (WHERE m.value IS DISTINCT FROM r.value) AS differ
FROM (SELECT topic, partition, value, row_number() OVER (PARTITION BY topic, partition ORDER BY id) AS n FROM model) AS m
FULL JOIN (SELECT topic, partition, value, row_number() OVER (PARTITION BY topic, partition ORDER BY record_offset) AS n
           FROM model_topics) AS r USING (topic, partition, n)
GROUP BY topic ORDER BY topic;
SELECT t, array(SELECT DISTINCT c FROM unnest(batch_codecs(t::regclass)) AS c ORDER BY c)
FROM unnest(ARRAY['model_none', 'model_gzip', 'model_snappy', 'model_lz4', 'model_zstd']) AS t;

DROP VIEW model_topics;
DROP TABLE model, compression_records;
DROP FUNCTION batch_codecs, round_trip, noise, add_record, churn;
DROP FOREIGN TABLE compressed_none, compressed_gzip, compressed_snappy, compressed_lz4, compressed_zstd,
    compressed_small, compressed_by_size, merged_by_size, compacted_by_size, compressed_options, compressed_mixed, compressed_large, compressed_zeros,
    model_none, model_gzip, model_snappy, model_lz4, model_zstd;
