-- the index of keys: src/format/key_index_page.c, src/log/key_index_file.c, src/log/key_index_writer.c,
-- src/maintenance/key_index_build.c, and src/wal/log_reader.c, which skips batches by it
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- the same query by the index of keys and by a condition that cannot use it
CREATE FUNCTION looked_up(topic regclass, condition text, OUT n bigint, OUT same bool) LANGUAGE plpgsql AS $$
DECLARE
    sum_of constant text := 'SELECT count(*), coalesce(sum(partition * 1000000 + record_offset), 0)::text, md5(string_agg(value::text, '','' ORDER BY partition, record_offset))';
    by_index record;
    by_rows record;
BEGIN
    EXECUTE format('%s FROM %s WHERE %s', sum_of, topic, condition) INTO by_index;
    EXECUTE format('%s FROM %s WHERE %s', sum_of, topic,
                   replace(condition, 'key', '(CASE WHEN random() >= 0 THEN key END)')) INTO by_rows;
    n := by_index.count;
    same := by_index IS NOT DISTINCT FROM by_rows;
END $$;
-- batches that a query reads and skips
CREATE FUNCTION batches(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    node json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
    node := plan -> 0 -> 'Plan';
    WHILE node ->> 'Node Type' <> 'Foreign Scan' LOOP
        node := node -> 'Plans' -> 0;
    END LOOP;
    RETURN format('%s read, %s skipped', node ->> 'Key Index Batches Read', node ->> 'Key Index Batches Skipped');
END $$;
CREATE FUNCTION files(topic regclass) RETURNS TABLE (partition int, segments bigint, covered bool, has_bytes bool) LANGUAGE sql AS $$
    SELECT partition, count(*), sum(indexed_batches) = sum(batches), sum(key_index_bytes) > 0
    FROM pg_topic_segments s WHERE s.topic = files.topic GROUP BY 1 ORDER BY 1
$$;

SELECT create_topic('i_text', partitions => 2, config => '{"key.index": "on", "segment.bytes": 20000}');
SET pg_topics.batch_size = '1kB';
INSERT INTO i_text (partition, key, value) SELECT i % 2, 'k' || i, repeat('v', 20) || i FROM generate_series(1, 2000) i;
INSERT INTO i_text (partition, key, value) SELECT 0, NULL, 'no key' FROM generate_series(1, 100) i;
BEGIN;
INSERT INTO i_text (partition, key, value) SELECT 0, 'k' || i, 'rolled back' FROM generate_series(1, 200) i;
SELECT count(*) FROM flush();
ROLLBACK;
INSERT INTO i_text (partition, key, value) SELECT 0, 'k' || i, 'again' FROM generate_series(1, 300) i;
-- without files all is read
EXPLAIN (COSTS OFF) SELECT value FROM i_text WHERE key = 'k77';
SELECT batches($$SELECT value FROM i_text WHERE partition = 1 AND key = 'k77'$$) LIKE '% read, 0 skipped' AS all_read;
SELECT topic, partition, batches > 30 AS batches, keys, bytes > 0 AS bytes FROM build_key_index('i_text');
SELECT * FROM files('i_text');
SELECT batches($$SELECT value FROM i_text WHERE partition = 1 AND key = 'k77'$$) LIKE '1 read, % skipped' AS one_read;
SELECT value FROM i_text WHERE key = 'k77';
-- nothing to do the second time
SELECT topic, partition, batches, keys, bytes FROM build_key_index('i_text');
CREATE TABLE conditions (condition text);
INSERT INTO conditions VALUES ($$key = 'k1'$$), ($$key = 'k77'$$), ($$key = 'k2000'$$), ($$key = 'none'$$), ($$key = ''$$), ($$key IS NULL$$),
    ($$key IN ('k1', 'k2', 'k300', 'x')$$), ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(100, 700, 7) i))$$),
    ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(1, 20000) i))$$),
    ($$key = 'k77' AND partition = 0$$), ($$key = 'k77' AND record_offset > 500$$), ($$key = 'k200' AND record_offset < 500$$);
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l;
-- what came later is read, then indexed
INSERT INTO i_text (partition, key, value) SELECT 1, 'k' || i, 'later' FROM generate_series(1, 3000, 3) i;
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l WHERE NOT same;
SELECT partition, batches > 0 AS batches, keys FROM build_key_index('i_text');
SELECT * FROM files('i_text');
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l WHERE NOT same;
-- small pieces are merged: never more than a few files
DO $$
BEGIN
    FOR i IN 1..60 LOOP
        INSERT INTO i_text (partition, key, value) SELECT 0, 'p' || i * 100 + j, 'piece' FROM generate_series(1, 3) j;
        COMMIT;
        PERFORM build_key_index('i_text');
    END LOOP;
END $$;
SELECT max(n) < 10 AS few FROM (
    SELECT count(*) AS n FROM pg_topic_segments s, pg_ls_dir(regexp_replace(s.path, '/[^/]*$', '')) f
    WHERE topic = 'i_text'::regclass AND f LIKE regexp_replace(s.path, '^.*/(.*)\.log$', '\1') || '.keys%' GROUP BY s.path) f;
SELECT l.* FROM unnest('{p105,p101,p6103,p102}'::text[]) k, looked_up('i_text', format('key = %L', k)) l;
-- a running transaction ends what is shown, with the index as without
INSERT INTO i_text (partition, key, value) VALUES (0, 'before', 'x');
BEGIN;
INSERT INTO i_text (partition, key, value) VALUES (0, 'running', 'x');
PREPARE TRANSACTION 'i_text';
INSERT INTO i_text (partition, key, value) VALUES (0, 'before', 'behind');
SELECT sum(batches) FROM build_key_index('i_text');
SELECT l.* FROM unnest('{before,running}'::text[]) k, looked_up('i_text', format('key = %L', k)) l;
COMMIT PREPARED 'i_text';
SELECT l.* FROM unnest('{before,running}'::text[]) k, looked_up('i_text', format('key = %L', k)) l;
-- an old snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM i_text WHERE key = 'k3';
COMMIT;
-- backward, and joins that look keys up
EXPLAIN (COSTS OFF) SELECT value FROM i_text WHERE partition = 0 AND key = 'k7' ORDER BY record_offset;
SELECT value FROM i_text WHERE partition = 0 AND key = 'k8' ORDER BY record_offset DESC LIMIT 1;
CREATE TABLE i_wanted (k text);
INSERT INTO i_wanted VALUES ('k1'), ('k5'), ('k2000'), ('none'), (NULL);
ANALYZE i_wanted;
ANALYZE i_text;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT k, count(value) FROM i_wanted LEFT JOIN i_text ON key = k GROUP BY k;
SELECT k, count(value) FROM i_wanted LEFT JOIN i_text ON key = k GROUP BY k ORDER BY k;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
DROP TABLE i_wanted;

-- ---- the files go with the segments
CREATE FUNCTION key_files(topic regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (SELECT DISTINCT regexp_replace(path, '/[^/]*$', '') AS dir FROM pg_topic_segments s WHERE s.topic = key_files.topic) d,
        pg_ls_dir(dir) f WHERE f LIKE '%.keys%'
$$;
CREATE FUNCTION stray_files(topic regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT f FROM (SELECT DISTINCT regexp_replace(path, '/[^/]*$', '') AS dir FROM pg_topic_segments s WHERE s.topic = stray_files.topic) d,
        pg_ls_dir(dir) f WHERE f LIKE '%.keys%' AND NOT EXISTS (
            SELECT FROM pg_topic_segments s WHERE s.topic = stray_files.topic AND path = dir || '/' || regexp_replace(f, '\.keys.*$', '.log'))
$$;
-- retention
SELECT sum(batches) > 0 AS built FROM build_key_index('i_text');
SELECT delete_records('i_text', 0, -1) > 0 AS deleted;
SELECT * FROM stray_files('i_text');
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l WHERE NOT same;
SELECT count(*) FROM verify_topic('i_text');
-- the option off: no file is used; the worker removes them
SELECT alter_topic('i_text', '{"key.index": "off"}');
EXPLAIN (COSTS OFF) SELECT value FROM i_text WHERE key = 'k77';
SELECT * FROM build_key_index('i_text');
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l WHERE NOT same;
SELECT alter_topic('i_text', '{"key.index": "on"}');
TRUNCATE i_text;
SELECT count(*) FROM pg_topic_segments WHERE topic = 'i_text'::regclass AND indexed_batches > 0;
INSERT INTO i_text (partition, key, value) SELECT 0, 'k' || i, 'new' FROM generate_series(1, 100) i;
SELECT partition, batches > 0 AS batches, keys FROM build_key_index('i_text');
SELECT condition, l.* FROM conditions, looked_up('i_text', condition) l WHERE NOT same;
DROP FOREIGN TABLE i_text;
-- compaction and erasing
SELECT create_topic('i_state', config => '{"key.index": "on", "segment.bytes": 20000, "cleanup.policy": "compact"}');
INSERT INTO i_state (key, value) SELECT 'k' || i % 300, 'v' || i FROM generate_series(1, 3000) i;
SELECT keys FROM build_key_index();
SELECT records_before > records_after AS compacted FROM compact('i_state');
SELECT * FROM stray_files('i_state');
SELECT condition, l.* FROM conditions, looked_up('i_state', condition) l WHERE NOT same;
SELECT partition, batches > 0 AS batches FROM build_key_index('i_state');
SELECT * FROM files('i_state');
SELECT condition, l.* FROM conditions, looked_up('i_state', condition) l;
SELECT erase('i_state', 'k77');
SELECT * FROM stray_files('i_state');
SELECT count(*) FROM i_state WHERE key = 'k77';
SELECT condition, l.* FROM conditions, looked_up('i_state', condition) l WHERE NOT same;
SELECT partition, batches > 0 AS batches FROM build_key_index('i_state');
SELECT condition, l.* FROM conditions, looked_up('i_state', condition) l WHERE NOT same;
SELECT count(*) FROM verify_topic('i_state');
DROP FOREIGN TABLE i_state;

-- ---- backward by the index of keys
SELECT create_topic('i_back', config => '{"key.index": "on", "segment.bytes": 20000}');
INSERT INTO i_back (key, value) SELECT CASE WHEN i % 2 = 0 THEN 'often' ELSE 'k' || i / 10 END, repeat('v', 20) || i FROM generate_series(1, 4000) i;
INSERT INTO i_back (key, value) VALUES ('k400', 'alone');
SELECT keys > 0 AS built FROM build_key_index('i_back');
EXPLAIN (COSTS OFF) SELECT record_offset FROM i_back WHERE key = 'k17' ORDER BY record_offset DESC LIMIT 3;
SELECT record_offset FROM i_back WHERE key = 'k17' ORDER BY record_offset DESC LIMIT 3;
SELECT batches($$SELECT * FROM i_back WHERE key = 'k400' ORDER BY record_offset DESC LIMIT 1$$);
SELECT batches($$SELECT * FROM i_back WHERE key = 'k17' ORDER BY record_offset DESC LIMIT 1$$) ~ '^[12] read, \d{2,} skipped' AS few_read;
SELECT batches($$SELECT * FROM i_back WHERE key = 'none' ORDER BY record_offset DESC LIMIT 1$$) LIKE '0 read, %' AS none_read;
SELECT k, (SELECT array_agg(record_offset) FROM (SELECT record_offset FROM i_back WHERE key = k ORDER BY record_offset DESC) r) =
          (SELECT array_agg(record_offset ORDER BY record_offset DESC) FROM i_back WHERE key || '' = k) AS same
FROM unnest('{often,k0,k17,k399,k400}'::text[]) k;
SELECT (SELECT array_agg(record_offset) FROM (SELECT record_offset FROM i_back WHERE key = 'often' AND record_offset BETWEEN 1000 AND 3001 ORDER BY record_offset DESC) r) =
       (SELECT array_agg(o ORDER BY o DESC) FROM generate_series(1001::bigint, 3001, 2) o) AS same;
DROP FOREIGN TABLE i_back;

-- ---- types, and bytes that are not as the server writes them
CREATE FUNCTION typed(type text, values_of text, condition text, OUT n bigint, OUT same bool, OUT index_used bool) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT * FROM looked_up(''i_typed'', %L)', condition) INTO n, same;
    index_used := batches('SELECT * FROM i_typed WHERE ' || condition) LIKE '1 read, %';
END $$;
DO $$
DECLARE
    t record;
    result record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('int', 'i', 'key = 77'), ('bigint', 'i', 'key IN (77, 7700)'), ('smallint', 'i', 'key = 77'),
        ('bytea', 'decode(lpad(to_hex(i), 4, ''0''), ''hex'')', 'key = ''\x004d'''),
        ('uuid', 'lpad(i::text, 32, ''0'')::uuid', 'key = ''00000000-0000-0000-0000-000000000077'''),
        ('varchar(5)', 'i', 'key = ''77'''), ('varchar', 'i', 'key = ''77'''),
        ('jsonb', 'to_jsonb(i)', 'key = ''77'''), ('numeric', 'i', 'key = 77')) v (type, expression, condition)
    LOOP
        EXECUTE format('CREATE FOREIGN TABLE i_typed (partition int, record_offset bigint, key %s, value text) SERVER topics OPTIONS ("key.index" ''on'')', t.type);
        EXECUTE format('INSERT INTO i_typed (key, value) SELECT %s, repeat(''v'', 30) FROM generate_series(1, 1000) i', t.expression);
        COMMIT;
        PERFORM build_key_index('i_typed');
        SELECT * INTO result FROM typed(t.type, t.expression, t.condition);
        RAISE INFO '% %: %', t.type, t.condition, result;
        DROP FOREIGN TABLE i_typed;
    END LOOP;
END $$;
CREATE FOREIGN TABLE i_raw (partition int, record_offset bigint, key text, value text) SERVER topics OPTIONS ("key.index" 'on');
INSERT INTO i_raw (key, value) SELECT i, repeat('v', 30) FROM generate_series(1, 1000) i;
SELECT keys FROM build_key_index('i_raw');
ALTER FOREIGN TABLE i_raw ALTER COLUMN key TYPE int;
SELECT l.*, batches('SELECT * FROM i_raw WHERE key = 7') LIKE '1 read, %' AS index_used FROM looked_up('i_raw', 'key = 7') l;
ALTER FOREIGN TABLE i_raw ALTER COLUMN key TYPE text;
INSERT INTO i_raw (key, value) VALUES ('007', 'x');
SELECT keys FROM build_key_index('i_raw');
ALTER FOREIGN TABLE i_raw ALTER COLUMN key TYPE int;
SELECT * FROM looked_up('i_raw', 'key = 7');
DROP FOREIGN TABLE i_raw;

-- ---- who may, and when
CREATE ROLE regress_key_index;
SELECT create_topic('i_own', config => '{"key.index": "on"}');
GRANT ALL ON i_own TO regress_key_index;
SET ROLE regress_key_index;
SELECT build_key_index('i_own');
SELECT count(*) FROM build_key_index();
RESET ROLE;
SELECT build_key_index('pg_class');
DROP FOREIGN TABLE i_own;
DROP ROLE regress_key_index;
DROP FUNCTION looked_up, batches, files, key_files, stray_files, typed;
DROP TABLE conditions;
