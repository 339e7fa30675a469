-- conditions on the key, decided by bytes, and partitions that they leave:
-- src/query/key_set.c, src/format/key_shape.c, src/format/key_placement.c, src/ddl/placement_check.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- a query that the scan may decide by bytes, and the same with a condition that it cannot use
CREATE FUNCTION same(topic regclass, condition text, OUT n bigint, OUT same bool) LANGUAGE plpgsql AS $$
DECLARE
    sum_of constant text := 'SELECT count(*), coalesce(sum(partition * 1000000 + record_offset), 0)::text';
    by_bytes record;
    by_rows record;
BEGIN
    EXECUTE format('%s FROM %s WHERE %s', sum_of, topic, condition) INTO by_bytes;
    -- volatile, so it is evaluated for each row
    EXECUTE format('%s FROM %s WHERE (%s) AND random() >= 0', sum_of, topic,
                   replace(condition, 'key', format('(CASE WHEN random() >= 0 THEN key END)'))) INTO by_rows;
    n := by_bytes.count;
    same := by_bytes = by_rows;
END $$;

CREATE FUNCTION k_explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;

-- ---- text
SELECT create_topic('k_text', partitions => 3);
INSERT INTO k_text (key, value) SELECT 'k' || i % 50, i FROM generate_series(1, 1000) i;
INSERT INTO k_text (key, value) VALUES (NULL, 'no key'), ('', 'empty'), ('k1 ', 'blank'), ('ü', 'umlaut'), ('k1', NULL);
BEGIN;
INSERT INTO k_text (key, value) VALUES ('k1', 'rolled back');
SELECT count(*) FROM flush();
ROLLBACK;
EXPLAIN (COSTS OFF) SELECT value FROM k_text WHERE key = 'k1';
EXPLAIN (COSTS OFF) SELECT value FROM k_text WHERE 'k1' = key AND partition = 1;
EXPLAIN (COSTS OFF) SELECT value FROM k_text WHERE key IN ('k1', 'k2');
SELECT c, s.* FROM unnest(ARRAY[
    $$key = 'k1'$$, $$'k7' = key$$, $$key = ''$$, $$key = 'k1 '$$, $$key = 'ü'$$, $$key = 'none'$$, $$key = NULL$$,
    $$key IN ('k1', 'k2', 'k2', NULL)$$, $$key = ANY ('{}'::text[])$$, $$key = ANY (NULL::text[])$$,
    $$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(10, 200) i))$$,
    $$key = 'k1' AND key IN ('k1', 'k2')$$, $$key = 'k1' AND key = 'k2'$$,
    $$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(0, 20) i)) AND key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(20, 40) i))$$,
    $$key = 'k1'::varchar$$, $$key = 'k1'::name$$, $$key = 'k1'::char(5)$$, $$key COLLATE "C" = 'k1'$$, $$key = 'k1' OR key = 'k2'$$]) AS c, same('k_text', c) AS s;
-- parameters, also of a join
PREPARE by_key(text) AS SELECT count(*), min(partition) = max(partition) AS one FROM k_text WHERE key = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_key('k3');
EXECUTE by_key('k3');
EXECUTE by_key(NULL);
DEALLOCATE by_key;
RESET plan_cache_mode;
SELECT k, n FROM unnest(ARRAY['k1', 'k2', 'x', NULL]) AS k, LATERAL (SELECT count(*) AS n FROM k_text WHERE key = k) c;
-- from the end
SELECT value FROM k_text WHERE key = 'k3' AND partition = (SELECT min(partition) FROM k_text WHERE key = 'k3') ORDER BY record_offset DESC LIMIT 2;
-- a column that is left out, or of another type
ALTER FOREIGN TABLE k_text DROP COLUMN key;
SELECT count(*) FROM k_text;
DROP FOREIGN TABLE k_text;

-- ---- equal by a collation: not by bytes
CREATE COLLATION k_ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FOREIGN TABLE k_case (key text COLLATE k_ignore_case, partition int, record_offset bigint) SERVER topics;
INSERT INTO k_case (key) VALUES ('abc'), ('ABC'), ('abd');
EXPLAIN (COSTS OFF) SELECT key FROM k_case WHERE key = 'Abc';
SELECT key FROM k_case WHERE key = 'Abc' ORDER BY key COLLATE "C";
SELECT key FROM k_case WHERE key COLLATE "C" = 'abc';
SELECT key FROM k_case WHERE key = ANY ('{Abc,ABD}') ORDER BY key COLLATE "C";
DROP FOREIGN TABLE k_case;
DROP COLLATION k_ignore_case;

-- ---- every kind of type: equal values of some have different bytes
CREATE TYPE k_color AS ENUM ('red', 'green', 'light blue');
CREATE DOMAIN k_code AS text CHECK (value <> 'never');
CREATE DOMAIN k_number AS bigint;
CREATE TABLE k_types (type text, keys text[], condition text);
INSERT INTO k_types VALUES
    ('bytea', '{"\\x00","\\x0001","\\x"}', $$key = '\x00'$$),
    ('smallint', '{1,-1,0}', 'key = 1'),
    ('int', '{1,-1,0,2147483647}', 'key = 1::bigint'),
    ('int', '{1,-1,0,2147483647}', 'key IN (-1, 0)'),
    ('int', '{1,-1,0,2147483647}', 'key = 99999999999'),
    ('int', '{1,-1,0,2147483647}', 'key = 1.0'),
    ('bigint', '{1,-9223372036854775808}', 'key = -9223372036854775808'),
    ('bigint', '{1,5}', 'key = 1::smallint'),
    ('k_number', '{1,5}', 'key = 5'),
    ('uuid', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,00000000-0000-0000-0000-000000000000}', $$key = 'a0eebc999c0b4ef8bb6d6bb9bd380a11'$$),
    ('varchar', '{a,b,"a "}', $$key = 'a'$$),
    ('varchar(3)', '{a,b,"a "}', $$key = 'a'$$),
    ('char(3)', '{a,b,"a "}', $$key = 'a'$$),
    ('char(3)', '{a,b,"a "}', $$key = 'a '$$),
    ('k_code', '{a,b,"a "}', $$key = 'a'$$),
    ('k_color', '{red,green,light blue}', $$key = 'light blue'$$),
    ('k_color', '{red,green,light blue}', $$key IN ('red', 'green')$$),
    ('bool', '{t,f}', 'key = true'),
    ('numeric', '{1.0,1.00,1,2}', 'key = 1'),
    ('float8', '{0,-0,1e0,1}', 'key = 0'),
    ('jsonb', '{"1.0","1.00","{\"a\": 1}"}', $$key = '1'$$),
    ('jsonb', '{"{\"a\": 1.0}","{\"a\":1}"}', $$key = '{"a": 1.00}'$$),
    ('date', '{2024-01-01,20240101}', $$key = '2024-01-01'$$),
    ('timestamptz', '{2024-01-01 00:00:00+00,2024-01-01 01:00:00+01}', $$key = '2024-01-01 02:00:00+02'$$),
    ('inet', '{10.0.0.1,10.0.0.1/32}', $$key = '10.0.0.1'$$),
    ('interval', '{1 day,24 hours}', $$key = '1 day'$$),
    ('text[]', '{"{a,b}","{\"a\",b}"}', $$key = '{a,b}'$$);
DO $$
DECLARE
    t k_types;
    result record;
    shown bool;
BEGIN
    FOR t IN SELECT * FROM k_types LOOP
        EXECUTE format('CREATE FOREIGN TABLE k_typed (partition int, record_offset bigint, key %s, value text) SERVER topics', t.type);
        EXECUTE format('INSERT INTO k_typed (key) SELECT k::%s FROM unnest($1) k', t.type) USING t.keys || NULL;
        COMMIT;
        SELECT * INTO result FROM same('k_typed', t.condition);
        EXECUTE 'SELECT bool_or(line ~ ''^ +Key: '') FROM k_explain($1) line' INTO shown USING 'SELECT * FROM k_typed WHERE ' || t.condition;
        RAISE INFO '% %: % found, %, by %', t.type, t.condition, result.n,
            CASE WHEN result.same THEN 'same' ELSE 'DIFFERENT' END, CASE WHEN shown THEN 'bytes' ELSE 'value' END;
        DROP FOREIGN TABLE k_typed;
    END LOOP;
END $$;

-- ---- bytes from elsewhere: several forms of a value, which the type compares
CREATE FOREIGN TABLE k_raw (partition int, record_offset bigint, key text) SERVER topics;
INSERT INTO k_raw (key) VALUES ('7'), ('007'), (' 7 '), ('+7'), ('-7'), ('70'), ('-0'), ('0');
ALTER FOREIGN TABLE k_raw ALTER COLUMN key TYPE int;
SELECT c, s.* FROM unnest(ARRAY['key = 7', 'key = 0', 'key = -7', 'key IN (0, 70)']) AS c, same('k_raw', c) AS s;
TRUNCATE k_raw;
ALTER FOREIGN TABLE k_raw ALTER COLUMN key TYPE text;
INSERT INTO k_raw (key) VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'), ('a0eebc999c0b4ef8bb6d6bb9bd380a11'), ('A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
ALTER FOREIGN TABLE k_raw ALTER COLUMN key TYPE uuid;
SELECT * FROM same('k_raw', $$key = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'$$);
TRUNCATE k_raw;
ALTER FOREIGN TABLE k_raw ALTER COLUMN key TYPE text;
INSERT INTO k_raw (key) VALUES ('abc'), ('abc   '), ('ab'), ('ab    '), ('üöä'), ('üöä ');
ALTER FOREIGN TABLE k_raw ALTER COLUMN key TYPE varchar(3);
SELECT c, s.* FROM unnest(ARRAY[$$key = 'abc'$$, $$key = 'ab'$$, $$key = 'ab '$$, $$key = 'üöä'$$]) AS c, same('k_raw', c) AS s;
DROP FOREIGN TABLE k_raw;

-- ---- an enforced partitioner: one partition has the key
\set VERBOSITY terse
SELECT create_topic('k_placed', partitions => 4, config => '{"partitioner.enforce": "on"}');
INSERT INTO k_placed (key, value) SELECT 'k' || i % 50, i FROM generate_series(1, 1000) i;
INSERT INTO k_placed (key, value) SELECT NULL, i FROM generate_series(1, 10) i;
EXPLAIN (COSTS OFF) SELECT value FROM k_placed WHERE key = 'k1';
EXPLAIN (COSTS OFF) SELECT value FROM k_placed WHERE key IN ('k1', 'k2', 'k5');
EXPLAIN (COSTS OFF) SELECT value FROM k_placed WHERE key = 'k1' AND partition = 0;
-- the one partition's order needs no sort
EXPLAIN (COSTS OFF) SELECT value FROM k_placed WHERE key = 'k1' ORDER BY record_offset DESC LIMIT 1;
SELECT value FROM k_placed WHERE key = 'k1' ORDER BY record_offset DESC LIMIT 2;
PREPARE by_key(text) AS SELECT count(*), min(partition) = max(partition) AS one FROM k_placed WHERE key = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_key('k3');
EXECUTE by_key('k3');
EXPLAIN (COSTS OFF) SELECT * FROM k_placed WHERE key = current_setting('k.key', true) AND partition = length(current_setting('k.key', true));
-- a plan does not outlive the option
ALTER FOREIGN TABLE k_placed OPTIONS (SET "partitioner.enforce" 'off');
EXPLAIN (COSTS OFF) EXECUTE by_key('k3');
ALTER FOREIGN TABLE k_placed OPTIONS (SET "partitioner.enforce" 'on');
DEALLOCATE by_key;
RESET plan_cache_mode;
SELECT c, s.* FROM unnest(ARRAY[$$key = 'k1'$$, $$key IN ('k1', 'k2', 'x')$$, $$key = ''$$, 'key = NULL',
    $$key = ANY (ARRAY(SELECT 'k' || i FROM generate_series(10, 200) i))$$]) AS c, same('k_placed', c) AS s;

-- whatever would put a record elsewhere is refused
SELECT produce('k_placed', 'k1', 'v', murmur2_partition('k1', 4)) = murmur2_partition('k1', 4) AS own;
SELECT produce('k_placed', 'k1', 'v', 0);
SELECT produce('k_placed', NULL::text, 'v', 0);
INSERT INTO k_placed (partition, key, value) VALUES (0, 'k1', 'v');
INSERT INTO k_placed (partition, record_offset, key, value) VALUES (0, 100000, 'k1', 'v');
COPY k_placed (partition, key, value) FROM STDIN;
0	k1	v
\.
SET pg_topics.partitioner = 'consistent';
SELECT produce('k_placed', 'k2', 'v');
SET pg_topics.partitioner = 'murmur2_random';
SELECT produce('k_placed', 'k1', 'v') = murmur2_partition('k1', 4) AS own;
RESET pg_topics.partitioner;
-- so are rules that other things than the key decide, and statements that break the rule
ALTER FOREIGN TABLE k_placed OPTIONS (ADD "partitioner.class" 'round_robin');
ALTER FOREIGN TABLE k_placed OPTIONS (ADD "partitioner.class" 'consistent');
ALTER FOREIGN TABLE k_placed OPTIONS (ADD "partitioner.class" 'murmur2_random');
ALTER FOREIGN TABLE k_placed OPTIONS (SET partitions '5');
SELECT alter_topic('k_placed', '{"partitions": 8, "partitioner.enforce": "off"}');
SELECT alter_topic('k_placed', '{"partitioner.enforce": "on"}');
SELECT create_topic('k_bad', config => '{"partitioner.enforce": "maybe"}');
SELECT create_topic('k_bad', config => '{"partitioner.enforce": "on", "partitioner.class": "sticky"}');
-- an empty topic may change, and a transaction that has produced may not
TRUNCATE k_placed;
SELECT alter_topic('k_placed', '{"partitions": 9, "partitioner.enforce": "on"}');
SELECT alter_topic('k_placed', '{"partitioner.class": "fnv1a"}');
BEGIN;
SELECT produce('k_placed', 'k1', 'v');
SELECT alter_topic('k_placed', '{"partitions": 10}');
ROLLBACK;
-- a dump of it can be restored
INSERT INTO k_placed (key, value) SELECT 'k' || i % 50, i FROM generate_series(1, 100) i;
CREATE TABLE k_dump AS SELECT * FROM k_placed;
SELECT create_topic('k_restored', partitions => partitions, config => config) FROM pg_topics WHERE topic = 'k_placed'::regclass;
INSERT INTO k_restored SELECT * FROM k_dump ORDER BY partition, record_offset;
SELECT count(*) AS differences FROM (TABLE k_placed EXCEPT TABLE k_restored) d;
DROP TABLE k_dump;
DROP FOREIGN TABLE k_placed, k_restored;

-- every rule that can be enforced, on every key
CREATE FUNCTION k_rule(rule text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    differences bigint;
BEGIN
    PERFORM create_topic('k_rule', partitions => 7, config => jsonb_build_object('partitioner.class', rule, 'partitioner.enforce', 'on'));
    INSERT INTO k_rule (key, value) SELECT repeat('k', i), i FROM generate_series(0, 40) i, generate_series(1, 3);
    SELECT count(*) INTO differences FROM generate_series(0, 40) i
    WHERE NOT (SELECT count(*) = 3 AND s.same FROM k_rule, same('k_rule', format('key = %L', repeat('k', i))) s WHERE key = repeat('k', i) GROUP BY s.same);
    DROP FOREIGN TABLE k_rule;
    RETURN differences;
END $$;
SELECT rule, k_rule(rule) AS differences FROM unnest('{murmur2,murmur2_random,consistent,consistent_random,fnv1a,fnv1a_random}'::text[]) rule;

-- the key's type decides where a key belongs, too
SELECT create_topic('k_retyped', partitions => 5, config => '{"partitioner.enforce": "on"}');
INSERT INTO k_retyped (key) VALUES ('7'), ('8');
ALTER FOREIGN TABLE k_retyped ALTER COLUMN key TYPE int;
SELECT count(*) FROM k_retyped WHERE key = 7;
ALTER FOREIGN TABLE k_retyped ALTER COLUMN key TYPE text;
INSERT INTO k_retyped (key) VALUES ('007');
ALTER FOREIGN TABLE k_retyped ALTER COLUMN key TYPE int;
ALTER FOREIGN TABLE k_retyped OPTIONS (SET "partitioner.enforce" 'off');
ALTER FOREIGN TABLE k_retyped ALTER COLUMN key TYPE int;
SELECT count(*) FROM k_retyped WHERE key = 7;
ALTER FOREIGN TABLE k_retyped OPTIONS (SET "partitioner.enforce" 'on');
DROP FOREIGN TABLE k_retyped;
DROP FUNCTION same, k_explain, k_rule;
DROP TABLE k_types;
DROP DOMAIN k_code, k_number;
DROP TYPE k_color;
