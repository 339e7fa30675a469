-- latest() asked for keys or partitions: a plan node reads only what may have them, and gives the rows
-- that the function gives.  Files under test: latest_plan.c, latest_node.c, latest_reader.c,
-- function_node.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- the same query by the node and by the function, which sees no condition: all rows, in the order in which they come
CREATE FUNCTION looked_up(topic regclass, condition text, OUT n bigint, OUT same bool, OUT node bool) LANGUAGE plpgsql AS $$
DECLARE
    rows_of constant text := 'SELECT count(*), array_agg(l::text) FROM latest(NULL::%s) l WHERE %s';
    plan json;
    by_node record;
    by_function record;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || format(rows_of, topic, condition) INTO plan;
    node := plan::text LIKE '%"Custom Plan Provider": "Latest"%';
    EXECUTE format(rows_of, topic, condition) INTO by_node;
    condition := replace(replace(condition, 'key', '(CASE WHEN random() >= 0 THEN key END)'),
                         'partition', '(CASE WHEN random() >= 0 THEN partition END)');
    EXECUTE format(rows_of, topic, condition) INTO by_function;
    n := by_node.count;
    same := by_node IS NOT DISTINCT FROM by_function;
END $$;
-- batches that a query reads and skips
CREATE FUNCTION batches(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    node json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
    node := plan -> 0 -> 'Plan';
    WHILE node ->> 'Node Type' NOT IN ('Foreign Scan', 'Custom Scan') LOOP
        node := node -> 'Plans' -> 0;
    END LOOP;
    RETURN format('%s read, %s skipped', node ->> 'Batches Read', node ->> 'Key Index Batches Skipped');
END $$;

-- ---- plans
SELECT create_topic('lk_text', partitions => 3, config => '{"segment.bytes": 20000}');
SET pg_topics.batch_size = '1kB';
INSERT INTO lk_text (partition, key, value)
SELECT i % 2, 'k' || i * 7919 % 900, CASE WHEN i % 13 > 0 THEN repeat('v', 20) || i END FROM generate_series(1, 3000) i;
EXPLAIN (COSTS OFF) SELECT value FROM latest(NULL::lk_text) WHERE key = 'k77';
EXPLAIN (COSTS OFF, VERBOSE) SELECT l FROM latest(NULL::lk_text) l WHERE key IN ('k1', 'k2') AND partition = 1 AND value > 'v';
EXPLAIN (COSTS OFF) SELECT count(*) FROM latest(NULL::lk_text) WHERE partition IN (0, 2);
-- what bounds nothing
EXPLAIN (COSTS OFF) SELECT key FROM latest(NULL::lk_text) WHERE record_offset = 5;
EXPLAIN (COSTS OFF) SELECT key FROM latest(NULL::lk_text) WHERE key LIKE 'k1%';
-- where no node can be
EXPLAIN (COSTS OFF) SELECT key FROM latest(NULL::lk_text) WITH ORDINALITY WHERE key = 'k1';
EXPLAIN (COSTS OFF) SELECT l.key FROM ROWS FROM (latest(NULL::lk_text), generate_series(1, 2)) l WHERE l.key = 'k1';
EXPLAIN (COSTS OFF) SELECT (l).key FROM (SELECT latest(NULL::lk_text) AS l) s WHERE (l).key = 'k1';
CREATE FUNCTION lk_copy(topic anyelement) RETURNS SETOF anyelement AS '$libdir/pg_topics', 'pgt_latest' LANGUAGE C STABLE SET work_mem = '1MB';
EXPLAIN (COSTS OFF) SELECT key FROM lk_copy(NULL::lk_text) WHERE key = 'k1';
SELECT count(*) FROM lk_copy(NULL::lk_text) WHERE key = 'k1';
DROP FUNCTION lk_copy;

-- ---- results
CREATE TABLE conditions (condition text);
INSERT INTO conditions VALUES ($$key = 'k1'$$), ($$key = 'k77'$$), ($$key = 'k13'$$), ($$key = 'none'$$), ($$key = ''$$),
    ($$key = NULL$$), ($$key IN ('k1', 'k2', 'k300', 'x')$$), ($$key = ANY ('{}')$$),
    ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(0, 899, 7) i))$$),
    ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(0, 899) i))$$),
    ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(0, 3000) i))$$),
    ($$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(0, 20000) i))$$),
    ($$partition = 0$$), ($$partition = 2$$), ($$partition > 0$$), ($$partition = 7$$), ($$partition = ANY ('{1,2}')$$),
    ($$key = 'k77' AND partition = 1$$), ($$key = 'k77' AND record_offset > 500$$), ($$key = 'k78' AND record_offset < 500$$),
    ($$key = 'k77' AND value IS NULL$$);
SELECT condition, l.* FROM conditions, looked_up('lk_text', condition) l;
-- the last of a key may be a tombstone, or in one partition only
INSERT INTO lk_text (partition, key, value) VALUES (0, 'k1', NULL), (2, 'k77', 'third'), (1, 'k77', NULL), (0, NULL, 'no key'), (0, '', 'empty');
SELECT condition, l.* FROM conditions, looked_up('lk_text', condition) l WHERE n IN (1, 2) OR NOT same;
SELECT partition, value FROM latest(NULL::lk_text) WHERE key = 'k77';
-- records of transactions that run or have rolled back, and what is behind them
BEGIN;
INSERT INTO lk_text (partition, key, value) VALUES (0, 'k2', 'running'), (0, 'k5', 'running');
PREPARE TRANSACTION 'lk_text';
BEGIN;
INSERT INTO lk_text (partition, key, value) VALUES (0, 'k2', 'rolled back'), (0, 'k6', 'rolled back');
SELECT count(*) FROM flush();
ROLLBACK;
INSERT INTO lk_text (partition, key, value) VALUES (0, 'k2', 'behind'), (0, 'k7', 'behind');
CREATE FUNCTION values_of(keys text[]) RETURNS TABLE (key text, value text) LANGUAGE sql AS
    $$ SELECT key, value FROM latest(NULL::lk_text) WHERE partition = 0 AND key = ANY (keys) ORDER BY key $$;
SELECT key, left(value, 12) AS value FROM values_of('{k2,k5,k6,k7}');
SELECT condition, l.* FROM conditions, looked_up('lk_text', condition) l WHERE NOT same;
SELECT l.* FROM unnest('{k2,k5,k6,k7}'::text[]) k, looked_up('lk_text', format('key = %L', k)) l;
COMMIT PREPARED 'lk_text';
SELECT key, left(value, 12) AS value FROM values_of('{k2,k5,k6,k7}');
-- a transaction's own records
BEGIN;
INSERT INTO lk_text (partition, key, value) VALUES (0, 'k7', 'own');
SELECT count(*) FROM flush();
SELECT value FROM latest(NULL::lk_text) WHERE key = 'k7' AND partition = 0;
ROLLBACK;

-- ---- with an index of keys
SELECT alter_topic('lk_text', '{"key.index": "on"}');
SELECT batches($$SELECT * FROM latest(NULL::lk_text) WHERE partition = 0 AND key = 'none'$$) LIKE '% read, 0 skipped' AS all_read;
SELECT sum(batches) >= 0 AS built FROM build_key_index('lk_text');
EXPLAIN (COSTS OFF) SELECT value FROM latest(NULL::lk_text) WHERE key = 'k77';
SELECT batches($$SELECT * FROM latest(NULL::lk_text) WHERE partition = 2 AND key = 'k77'$$) AS one_read,
       batches($$SELECT * FROM latest(NULL::lk_text) WHERE key = 'none'$$) LIKE '0 read, % skipped' AS none_read;
SELECT condition, l.* FROM conditions, looked_up('lk_text', condition) l WHERE NOT same;
INSERT INTO lk_text (partition, key, value) SELECT i % 3, 'k' || i * 31 % 900, 'not indexed ' || i FROM generate_series(1, 200) i;
SELECT condition, l.* FROM conditions, looked_up('lk_text', condition) l WHERE NOT same;
-- joins
CREATE TABLE lk_wanted (k text);
INSERT INTO lk_wanted VALUES ('k1'), ('k5'), ('k77'), ('none'), (NULL);
ANALYZE lk_wanted;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
EXPLAIN (COSTS OFF) SELECT k, partition FROM lk_wanted LEFT JOIN latest(NULL::lk_text) ON key = k;
SELECT k, partition, value LIKE 'v%' FROM lk_wanted LEFT JOIN latest(NULL::lk_text) ON key = k ORDER BY 1, 2;
EXPLAIN (COSTS OFF) SELECT k, n FROM lk_wanted, LATERAL (SELECT count(*) AS n FROM latest(NULL::lk_text) WHERE key = k) l;
SELECT k, n FROM lk_wanted, LATERAL (SELECT count(*) AS n FROM latest(NULL::lk_text) WHERE key = k) l ORDER BY 1;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
SELECT k, partition, value LIKE 'v%' FROM lk_wanted LEFT JOIN latest(NULL::lk_text) ON key = k ORDER BY 1, 2;
-- two calls in one statement, a semi-join, a cursor that goes back
SELECT count(*) FROM latest(NULL::lk_text) a JOIN latest(NULL::lk_text) b USING (key) WHERE a.key = 'k5' AND a.partition = 0;
SELECT k FROM lk_wanted WHERE EXISTS (SELECT FROM latest(NULL::lk_text) WHERE key = k AND partition = 0) ORDER BY k;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT partition, key FROM latest(NULL::lk_text) WHERE key IN ('k5', 'k77');
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
COMMIT;

-- ---- views, roles, prepared statements
CREATE VIEW lk_view AS SELECT key, value FROM latest(NULL::lk_text);
EXPLAIN (COSTS OFF) SELECT * FROM lk_view WHERE key = 'k5';
CREATE VIEW lk_barrier WITH (security_barrier) AS SELECT key, value FROM latest(NULL::lk_text) WHERE key <> 'k6';
EXPLAIN (COSTS OFF) SELECT * FROM lk_barrier WHERE key = 'k5';
SELECT count(*) FROM lk_barrier WHERE key IN ('k5', 'k6');
CREATE ROLE regress_latest_key;
GRANT SELECT ON lk_view TO regress_latest_key;
SET ROLE regress_latest_key;
SELECT key FROM lk_view WHERE key = 'k5';
SELECT key FROM latest(NULL::lk_text) WHERE key = 'k5';
RESET ROLE;
GRANT SELECT ON lk_text TO regress_latest_key;
SET ROLE regress_latest_key;
SELECT count(*) > 0 AS may FROM lk_view WHERE key = 'k5';
RESET ROLE;
REVOKE EXECUTE ON FUNCTION latest(anyelement) FROM public;
SET ROLE regress_latest_key;
SELECT key FROM latest(NULL::lk_text) WHERE key = 'k5';
RESET ROLE;
GRANT EXECUTE ON FUNCTION latest(anyelement) TO public;
REVOKE ALL ON lk_view, lk_text FROM regress_latest_key;
DROP ROLE regress_latest_key;
PREPARE lk_one(text) AS SELECT partition, left(value, 12) AS value FROM latest(NULL::lk_text) WHERE key = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE lk_one('k7');
EXECUTE lk_one('k7');
EXECUTE lk_one('k77');
EXECUTE lk_one(NULL);
-- a change of the topic makes a new plan
SELECT alter_topic('lk_text', '{"key.index": "off"}');
EXPLAIN (COSTS OFF) EXECUTE lk_one('k7');
ALTER FOREIGN TABLE lk_text DROP COLUMN headers;
EXECUTE lk_one('k7');
RESET plan_cache_mode;
DEALLOCATE lk_one;
DROP VIEW lk_view, lk_barrier;
DROP FUNCTION values_of;
DROP FOREIGN TABLE lk_text;
DROP TABLE lk_wanted;

-- ---- an enforced partitioner, compaction, erasing
SELECT create_topic('lk_placed', partitions => 4, config => '{"partitioner.enforce": "on", "cleanup.policy": "compact", "segment.bytes": 20000, "key.index": "on"}');
INSERT INTO lk_placed (key, value) SELECT 'k' || i % 300, 'v' || i FROM generate_series(1, 3000) i;
EXPLAIN (COSTS OFF) SELECT value FROM latest(NULL::lk_placed) WHERE key = 'k7';
PREPARE lk_two(text[]) AS SELECT value FROM latest(NULL::lk_placed) WHERE key = ANY ($1) ORDER BY key;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE lk_two('{k7,k8}');
EXECUTE lk_two('{k7,k8}');
RESET plan_cache_mode;
DEALLOCATE lk_two;
SELECT condition, l.* FROM conditions, looked_up('lk_placed', condition) l;
SELECT count(*) FROM build_key_index('lk_placed');
SELECT count(*) FROM compact('lk_placed');
SELECT condition, l.* FROM conditions, looked_up('lk_placed', condition) l WHERE NOT same;
SELECT count(*) FROM build_key_index('lk_placed');
SELECT erase('lk_placed', 'k77');
SELECT condition, l.* FROM conditions, looked_up('lk_placed', condition) l WHERE NOT same OR condition = $$key = 'k77'$$;
DROP FOREIGN TABLE lk_placed;
DROP TABLE conditions;

-- ---- types, and bytes that are not as the server writes them
CREATE TYPE lk_enum AS ENUM ('76', '77', '78');
CREATE DOMAIN lk_domain AS int;
DO $$
DECLARE
    t record;
    indexed bool;
    result record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('int', 'i', 'key = 77'), ('bigint', 'i', 'key IN (77, 78)'), ('smallint', 'i', 'key = 77'), ('lk_domain', 'i', 'key = 77'),
        ('bytea', 'decode(lpad(to_hex(i), 4, ''0''), ''hex'')', 'key = ''\x004d'''),
        ('uuid', 'lpad(i::text, 32, ''0'')::uuid', 'key = ''00000000-0000-0000-0000-000000000077'''),
        ('varchar(5)', 'i', 'key = ''77'''), ('varchar', 'i', 'key = ''77'''),
        ('lk_enum', '(76 + i % 3)::text::lk_enum', 'key = ''77'''),
        ('jsonb', 'to_jsonb(i)', 'key = ''77'''), ('numeric', 'i', 'key = 77'),
        ('text COLLATE "C"', 'i', 'key = ''77''')) v (type, expression, condition)
    LOOP
        EXECUTE format('CREATE FOREIGN TABLE lk_typed (value text, partition int, key %s, record_offset bigint) SERVER topics', t.type);
        FOREACH indexed IN ARRAY '{f,t}'::bool[] LOOP
            EXECUTE format('INSERT INTO lk_typed (key, value) SELECT %s, repeat(''v'', 30) FROM generate_series(1, 300) i', t.expression);
            COMMIT;
            IF indexed THEN
                PERFORM alter_topic('lk_typed', '{"key.index": "on"}');
                COMMIT;
                PERFORM build_key_index('lk_typed');
            END IF;
            SELECT * INTO result FROM looked_up('lk_typed', t.condition);
            RAISE INFO '% %: %', t.type, t.condition, result;
        END LOOP;
        DROP FOREIGN TABLE lk_typed;
        COMMIT;
    END LOOP;
END $$;
DROP TYPE lk_enum;
DROP DOMAIN lk_domain;
-- '007' is the integer 7 and another key than '7'
CREATE FOREIGN TABLE lk_raw (partition int, record_offset bigint, key text, value text) SERVER topics OPTIONS ("key.index" 'on');
INSERT INTO lk_raw (key, value) SELECT i, 'first' FROM generate_series(1, 300) i;
INSERT INTO lk_raw (key, value) VALUES ('007', 'written elsewhere'), ('7', 'last');
SELECT keys FROM build_key_index('lk_raw');
ALTER FOREIGN TABLE lk_raw ALTER COLUMN key TYPE int;
SELECT record_offset, key, value FROM latest(NULL::lk_raw) WHERE key = 7;
SELECT c, l.* FROM unnest('{key = 7,"key IN (7, 8)",key = 9}'::text[]) c, looked_up('lk_raw', c) l;
DROP FOREIGN TABLE lk_raw;

DROP FUNCTION looked_up, batches;
