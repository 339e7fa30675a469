-- Files under test: src/consume/consume_node.c, src/consume/consume_plan.c, src/consume/consume_scan.c,
-- src/consume/consume_live.c, src/group/group_position.c.
-- In FROM what is fetched is what is consumed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA node_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'node_test, ' || :'home', false) <> '' AS ok;
SELECT create_topic('events');
SELECT create_topic('pairs', partitions => 2);
SELECT create_topic('typed', key_type => 'int', value_type => 'jsonb');
SELECT count(produce('events', 'k', i)) FROM generate_series(0, 99) i;
SELECT count(produce('pairs', NULL::text, p || '-' || i, partition => p))
FROM generate_series(0, 1) p, generate_series(0, 9) i;
SELECT count(produce('typed', i, jsonb_build_object('n', i))) FROM generate_series(0, 9) i;
CREATE TABLE work (value text);
CREATE TABLE five AS SELECT generate_series(0, 4) AS n;
-- where a group stands, as partition:offset
CREATE FUNCTION stands(group_id text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(CASE WHEN topic = 'pairs'::regclass THEN partition || ':' ELSE '' END || committed_offset, ' ' ORDER BY topic::text, partition)
    FROM topic_group_offsets o WHERE o.group_id = $1 $$;
-- the table is not analyzed, and its statistics must not choose the plan
ALTER TABLE work SET (autovacuum_enabled = off);
ALTER TABLE five SET (autovacuum_enabled = off);

---- LIMIT and OFFSET
SELECT value FROM consume('events', 'limit') LIMIT 3;
SELECT stands('limit');
SELECT value FROM consume('events', 'limit') LIMIT 3 OFFSET 2;
SELECT stands('limit');
SELECT value FROM consume('events', 'limit') FETCH FIRST ROW ONLY;
SELECT value FROM consume('events', 'limit') LIMIT 0;
SELECT value FROM consume('events', 'limit') LIMIT (SELECT count(*) FROM five) - 3;
SELECT value FROM consume('events', 'limit', 2) LIMIT 5;
SELECT value FROM (SELECT value FROM consume('events', 'limit') OFFSET 0) s LIMIT 1;
SELECT stands('limit');
-- sorted, grouped and distinct ones take all
SELECT value FROM consume('events', 'limit', 10) ORDER BY record_offset DESC LIMIT 1;
SELECT key, count(*) FROM consume('events', 'limit', 3) GROUP BY key LIMIT 1;
SELECT stands('limit');
SELECT count(*) FROM consume('events', 'limit', 5);
SELECT count(*) FROM consume('events', 'limit', 5) WHERE false;
SELECT stands('limit');
-- rows that a condition rejects were fetched
SELECT value FROM consume('events', 'where') WHERE record_offset >= 5 LIMIT 1;
SELECT stands('where');
SELECT value FROM consume('events', 'where') UNION ALL SELECT value FROM consume('events', 'where') LIMIT 2;
SELECT stands('where');
WITH batch AS MATERIALIZED (SELECT * FROM consume('events', 'where')) SELECT value FROM batch LIMIT 1;
SELECT (SELECT value FROM consume('events', 'where') LIMIT 1) AS one, (SELECT value FROM consume('events', 'where') LIMIT 1) AS two;
SELECT stands('where');

---- EXISTS, IN, ANY
SELECT EXISTS (SELECT FROM consume('events', 'exists'));
SELECT 1 AS none WHERE NOT EXISTS (SELECT value FROM consume('events', 'exists') WHERE value = '3');
SELECT stands('exists');
SELECT '5' = ANY (SELECT value FROM consume('events', 'exists')) AS any;
SELECT stands('exists');

---- INSERT ... SELECT, CREATE TABLE AS, COPY
INSERT INTO work SELECT value FROM consume('events', 'store') LIMIT 2;
SELECT stands('store');
CREATE TABLE copy AS SELECT value FROM consume('events', 'store') LIMIT 1;
COPY (SELECT value FROM consume('events', 'store') LIMIT 1) TO STDOUT;
INSERT INTO work SELECT value FROM consume('events', 'store', 3);
SELECT stands('store'), (SELECT string_agg(value, ' ' ORDER BY value) FROM work) AS worked;
WITH done AS (INSERT INTO work SELECT value FROM consume('events', 'store') LIMIT 3 RETURNING value) SELECT count(*) FROM done;
WITH done AS (INSERT INTO work SELECT value FROM consume('events', 'store', 3) RETURNING value) SELECT 1 AS one FROM done LIMIT 1;
SELECT stands('store');
TRUNCATE work;

---- cursors
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'cursor');
FETCH 2 FROM c;
CLOSE c;
SELECT stands('cursor');
COMMIT;
SELECT stands('cursor');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'cursor');
FETCH 1 FROM c;
MOVE 2 IN c;
FETCH 1 FROM c;
COMMIT;
SELECT stands('cursor');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'cursor');
FETCH 3 FROM c;
ROLLBACK;
SELECT stands('cursor');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'cursor', 3);
FETCH ALL FROM c;
FETCH ALL FROM c;
COMMIT;
SELECT stands('cursor');
-- a cursor that nobody has fetched from
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'no fetch');
COMMIT;
SELECT stands('no fetch');
-- there and back again
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT value FROM consume('events', 'scroll');
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH 1 FROM c;
FETCH ABSOLUTE 4 FROM c;
FETCH FIRST FROM c;
COMMIT;
SELECT stands('scroll');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'scroll');
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
-- held cursors are read to their end at COMMIT
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT value FROM consume('events', 'hold', 20);
FETCH 1 FROM c;
COMMIT;
SELECT stands('hold');
FETCH 1 FROM c;
CLOSE c;
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT value FROM consume('events', 'hold', 5);
FETCH 2 FROM c;
COMMIT;
FETCH ABSOLUTE 1 FROM c;
CLOSE c;
SELECT stands('hold');
-- who asks while the cursor is open: functions know, and then the table
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'asked');
FETCH 2 FROM c;
SELECT commit_offset('events', 'asked', 0, 2);
SELECT stands('asked');
FETCH 1 FROM c;
SELECT commit_offset('events', 'asked', 0, 3, 'by hand');
FETCH 1 FROM c;
COMMIT;
SELECT stands('asked');

---- a cursor whose group is moved cannot go on
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'asked');
FETCH 1 FROM c;
SELECT seek_to_offset('events', 'asked', 50);
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'asked');
FETCH 1 FROM c;
SELECT seek_to_offset('events', 'asked', 50);
CLOSE c;
COMMIT;
SELECT stands('asked');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'asked');
FETCH 1 FROM c;
SELECT delete_group('events', 'asked');
CLOSE c;
COMMIT;
SELECT stands('asked') IS NULL AS deleted;
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'asked');
FETCH 1 FROM c;
SELECT delete_group('events', 'asked');
\set VERBOSITY sqlstate
FETCH 1 FROM c;
\set VERBOSITY default
ROLLBACK;

---- savepoints: the offset goes back with them
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'saved');
FETCH 2 FROM c;
SAVEPOINT a;
FETCH 2 FROM c;
SAVEPOINT b;
FETCH 1 FROM c;
RELEASE b;
ROLLBACK TO a;
CLOSE c;
COMMIT;
SELECT stands('saved');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'saved');
FETCH 1 FROM c;
SAVEPOINT a;
FETCH 1 FROM c;
RELEASE a;
FETCH 1 FROM c;
SAVEPOINT a;
SELECT 1 / 0;
ROLLBACK TO a;
FETCH 1 FROM c;
COMMIT;
SELECT stands('saved');
-- but the cursor does not
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'saved');
FETCH 1 FROM c;
SAVEPOINT a;
FETCH 1 FROM c;
ROLLBACK TO a;
SAVEPOINT b;
FETCH 1 FROM c;
ROLLBACK TO b;
CLOSE c;
SELECT value FROM consume('events', 'saved') LIMIT 1;
COMMIT;
SELECT stands('saved');
-- what was moved and rolled back does not count, nor does what was committed and rolled back
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'saved');
FETCH 1 FROM c;
SAVEPOINT a;
SELECT seek_to_beginning('events', 'saved');
ROLLBACK TO a;
FETCH 1 FROM c;
SAVEPOINT b;
SELECT value FROM consume('events', 'saved') LIMIT 1;
ROLLBACK TO b;
FETCH 1 FROM c;
COMMIT;
SELECT stands('saved');
-- a cursor that fails in a savepoint
BEGIN;
DECLARE c CURSOR FOR SELECT 1 / (record_offset - 13) AS q FROM consume('events', 'saved');
FETCH 1 FROM c;
SAVEPOINT a;
FETCH 1 FROM c;
FETCH 1 FROM c;
ROLLBACK TO a;
COMMIT;
SELECT stands('saved');
-- a partition taken in a savepoint that is rolled back
BEGIN;
SAVEPOINT a;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'saved');
FETCH 1 FROM c;
ROLLBACK TO a;
SELECT value FROM consume('events', 'saved') LIMIT 1;
COMMIT;
SELECT stands('saved');

---- PL/pgSQL
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT value FROM consume('events', 'loop') LOOP
        EXIT WHEN r.value = '2';
    END LOOP;
END $$;
SELECT stands('loop');
-- a failed step is undone, the loop and the offset are not
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT value FROM consume('events', 'steps', 60) LOOP
        BEGIN
            INSERT INTO work VALUES (r.value);
            IF r.value::int % 7 = 3 THEN RAISE 'no'; END IF;
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    END LOOP;
END $$;
SELECT stands('steps'), (SELECT count(*) FROM work) AS worked;
TRUNCATE work;
CREATE FUNCTION first_of(topic regclass, group_id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    SELECT value INTO r FROM consume(topic, group_id);
    RETURN r.value;
END $$;
SELECT first_of('events', 'first') FROM five;
SELECT stands('first');
DO $$
DECLARE
    r record;
BEGIN
    SELECT value INTO STRICT r FROM consume('events', 'first');
EXCEPTION WHEN too_many_rows THEN RAISE NOTICE '%', SQLERRM;
END $$;
SELECT stands('first');
-- a function that the server runs to its end
CREATE FUNCTION next_values(group_id text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT value FROM consume('events', $1) $$;
SELECT * FROM next_values('function') LIMIT 2;
SELECT stands('function');
CREATE FUNCTION later(group_id text) RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE
    c refcursor := 'later';
BEGIN
    OPEN c FOR SELECT value FROM consume('events', group_id);
    RETURN c;
END $$;
BEGIN;
SELECT later('refcursor');
FETCH 3 FROM later;
COMMIT;
SELECT stands('refcursor');
-- COMMIT in a loop reads the loop's query to its end
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT value FROM consume('events', 'committed', 12) LOOP
        COMMIT;
        EXIT;
    END LOOP;
END $$;
SELECT stands('committed');

---- joins, LATERAL, rescans
SELECT count(*) FROM work JOIN consume('events', 'join') c USING (value);
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM consume('events', 'hash') c JOIN work USING (value);
RESET enable_nestloop;
SELECT stands('hash');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT n, value FROM five LEFT JOIN consume('events', 'rescan', 3) ON true ORDER BY 1, 2;
SELECT stands('rescan');
SELECT n, value FROM five, LATERAL (SELECT value FROM consume('events', 'rescan') OFFSET 0) c WHERE c.value = n::text || '3' ORDER BY 1, 2;
SELECT stands('rescan');
-- a rescan that stops early goes on behind what was given: three more rows, then five
SELECT n, (SELECT string_agg(value, ' ') FROM (SELECT value FROM consume('events', 'again') LIMIT n + 1) c) AS values
FROM five ORDER BY n;
SELECT stands('again');
-- each side has a partition of its own
SELECT count(*), count(DISTINCT a.partition), count(DISTINCT b.partition), bool_or(a.partition = b.partition) AS shared
FROM consume('pairs', 'self') a JOIN consume('pairs', 'self') b USING (record_offset);
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
SELECT n, value FROM five, LATERAL (SELECT value FROM consume('events', 'lateral', n + 1) LIMIT 1) c ORDER BY 1;
SELECT stands('lateral');
SELECT n, value FROM five, LATERAL (SELECT value FROM consume('events', 'lateral ' || n % 2) LIMIT 1) c ORDER BY 1;
SELECT stands('lateral 0'), stands('lateral 1');
-- rows of the same arguments are calls of their own as well
CREATE TABLE same AS SELECT 1 AS n FROM generate_series(1, 1000);
ANALYZE same;
SELECT count(DISTINCT value) FROM (SELECT n FROM same LIMIT 20) s, LATERAL consume('events', 'same', n) c;
SELECT count(DISTINCT value) FROM (SELECT n FROM same LIMIT 20) s, LATERAL (SELECT value FROM consume('events', 'same', n) LIMIT 1) c;
SELECT stands('same');

---- two queries of one group share no partition
BEGIN;
DECLARE c1 CURSOR FOR SELECT value FROM consume('pairs', 'two');
DECLARE c2 CURSOR FOR SELECT value FROM consume('pairs', 'two');
FETCH 2 FROM c1;
FETCH 2 FROM c2;
SELECT count(*) FROM consume('pairs', 'two');
SELECT count(*) FROM (SELECT consume('pairs', 'two')) s;
SELECT count(*) FROM consume('pairs', 'two', timeout => '1 ms');
FETCH 1 FROM c1;
CLOSE c1;
SELECT value FROM consume('pairs', 'two') LIMIT 1;
FETCH 20 FROM c2;
COMMIT;
SELECT stands('two');
-- a partition that another query has consumed from since the call began
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('pairs', 'since');
FETCH 1 FROM c;
SELECT value FROM consume('pairs', 'since', 3);
SELECT value FROM consume('pairs', 'since', 2, auto_commit => false);
FETCH 20 FROM c;
COMMIT;
SELECT stands('since');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('pairs', 'since2', auto_commit => false);
FETCH 1 FROM c;
SELECT seek_to_offset('pairs', 'since2', 8, 1);
FETCH 20 FROM c;
SELECT commit_offsets('pairs', 'since2');
COMMIT;
SELECT stands('since2');

---- auto_commit => false
BEGIN;
SELECT value FROM consume('events', 'manual', auto_commit => false) LIMIT 3;
COMMIT;
SELECT stands('manual');
BEGIN;
SELECT value FROM consume('events', 'manual', auto_commit => false) LIMIT 3;
SELECT commit_offsets('events', 'manual');
SELECT value FROM consume('events', 'manual', auto_commit => false) LIMIT 3;
COMMIT;
SELECT stands('manual');
SELECT commit_offsets('events', 'manual') FROM consume('events', 'manual', auto_commit => false) LIMIT 2;
SELECT stands('manual');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'manual', auto_commit => false);
FETCH 2 FROM c;
SELECT commit_offsets('events', 'manual');
FETCH 2 FROM c;
COMMIT;
SELECT stands('manual');
-- what a cursor with auto_commit has consumed is committed, also where another query goes on without
BEGIN;
DECLARE c CURSOR FOR SELECT 1 / (record_offset - 9) AS q FROM consume('events', 'manual');
FETCH 1 FROM c;
SAVEPOINT a;
FETCH 1 FROM c;
ROLLBACK TO a;
SELECT value FROM consume('events', 'manual', auto_commit => false) LIMIT 2;
COMMIT;
SELECT stands('manual');

---- consume_as() and consume_many()
SELECT key + 1 AS key, value -> 'n' AS n FROM consume_as(NULL::typed, 'as') LIMIT 2;
SELECT t, t.key FROM (SELECT record_offset, key FROM consume_as(NULL::typed, 'as') LIMIT 1) t;
SELECT to_jsonb(c) - 'record_timestamp' AS c FROM consume_as(NULL::typed, 'as') c LIMIT 1;
SELECT to_jsonb(c) - 'at' AS c FROM consume('typed', 'as') c (p, o, at) LIMIT 1;
SELECT pg_typeof(c) FROM consume_as(NULL::typed, 'as') c LIMIT 1;
SELECT stands('as');
SELECT topic, partition, value FROM consume_many('{events,pairs}', 'many') WHERE topic = 'pairs'::regclass LIMIT 12;
SELECT stands('many');
SELECT to_jsonb(c) - 'record_timestamp' AS c FROM consume_many('{events,pairs}', 'many') c LIMIT 1;
SELECT value FROM consume_many('{}', 'many') LIMIT 1;
-- a topic whose columns change between plan and execution
PREPARE of_typed AS SELECT key, value, headers FROM consume_as(NULL::typed, 'changed') LIMIT 1;
EXECUTE of_typed;
SELECT count(*) FROM consume_as(NULL::typed, 'changed');
ALTER FOREIGN TABLE typed DROP COLUMN headers;
ALTER FOREIGN TABLE typed ADD COLUMN headers jsonb;
SELECT produce('typed', 10, '{}'::jsonb, headers => '{"h": "1"}');
EXECUTE of_typed;

---- prepared statements, with generic plans
SET plan_cache_mode = force_generic_plan;
PREPARE batch(text, bigint) AS SELECT value FROM consume('events', $1) LIMIT $2;
EXECUTE batch('generic', 2);
EXECUTE batch('generic', 2);
EXECUTE batch('generic 2', 1);
SELECT stands('generic'), stands('generic 2');
EXPLAIN (COSTS OFF) EXECUTE batch('generic', 2);
RESET plan_cache_mode;

---- EXPLAIN
-- the plan as lines, in a form that all versions of the server give
CREATE FUNCTION plan(query text, options text DEFAULT 'COSTS OFF') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        line := regexp_replace(line, 'rows=(\d+)\.00', 'rows=\1');
        IF line !~ '^\s*(Disabled|Storage|Memory Usage)' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
EXPLAIN (COSTS OFF) SELECT value FROM consume('events', 'billing') LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) SELECT value, c FROM consume('pairs', 'billing', 10, '5 s', '{0}', false) c WHERE key = 'k';
EXPLAIN (COSTS OFF) SELECT key FROM consume_as(NULL::typed, 'billing', member_id => 'm', timeout_ms => 50);
EXPLAIN (COSTS OFF) SELECT key FROM consume_many('{events,pairs}', 'billing');
EXPLAIN (COSTS OFF) SELECT key FROM consume_many('{events,pairs}', 'billing', timeout => '5 s', min_records => 20);
EXPLAIN (COSTS OFF) SELECT n, value FROM five, LATERAL (SELECT value FROM consume('events', 'billing ' || n)) c;
-- as values for programs
SELECT p #>> '{0,Plan,Topic}' AS topic, p #>> '{0,Plan,Group}' AS "group", p #>> '{0,Plan,Max Records}' AS max_records
FROM (SELECT string_agg(line, '')::json AS p FROM plan($$SELECT value FROM consume('events', 'billing')$$, 'FORMAT JSON') line) s;
SELECT plan($$SELECT value FROM consume('events', 'explained') WHERE record_offset > 0 LIMIT 3$$, 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF') AS plan;
SELECT plan($$SELECT count(*) FROM consume('pairs', 'explained')$$, 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF') AS plan;
SELECT plan($$SELECT value FROM consume('pairs', 'explained', partitions => '{1}') LIMIT 0$$, 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF') AS plan;
SELECT stands('explained');
-- where no node can stand
EXPLAIN (COSTS OFF) SELECT consume('events', 'billing');
EXPLAIN (COSTS OFF) SELECT * FROM consume('events', 'billing') WITH ORDINALITY;
EXPLAIN (COSTS OFF) SELECT * FROM ROWS FROM (consume('events', 'billing'), generate_series(1, 2));

---- leased mode: the member's position is what it was given
SELECT value FROM consume('events', 'lease', member_id => 'm') LIMIT 3;
SELECT commit_offsets('events', 'lease', 'm');
SELECT stands('lease');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'lease', member_id => 'm');
FETCH 2 FROM c;
SELECT commit_offsets('events', 'lease', 'm');
SELECT stands('lease');
FETCH 2 FROM c;
SAVEPOINT a;
FETCH 2 FROM c;
ROLLBACK TO a;
CLOSE c;
COMMIT;
SELECT value FROM consume('events', 'lease', member_id => 'm') LIMIT 1;
SELECT commit_offsets('events', 'lease', 'm');
SELECT stands('lease');
SELECT position, lease_until > now() + interval '29 s' AS renewed FROM topic_group_offsets WHERE group_id = 'lease';
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'lease', member_id => 'm');
FETCH 1 FROM c;
SELECT count(*) FROM consume('events', 'lease', member_id => 'm');
SELECT commit_offset('events', 'lease', 0, 9, member_id => 'm');
FETCH 1 FROM c;
SELECT commit_offsets('events', 'lease', 'm');
SELECT leave_group('events', 'lease', 'm');
COMMIT;
SELECT stands('lease');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'lease', member_id => 'm');
FETCH 1 FROM c;
SELECT leave_group('events', 'lease', 'm');
FETCH 1 FROM c;
COMMIT;
SELECT stands('lease');
SELECT value FROM consume_many('{events,pairs}', 'lease', member_id => 'n') LIMIT 1;
SELECT leave_group('events', 'lease', 'n'), leave_group('pairs', 'lease', 'n');

---- roles and transactions
CREATE ROLE regress_node_reader;
GRANT USAGE ON SCHEMA node_test TO regress_node_reader;
GRANT SELECT ON events TO regress_node_reader;
-- a new group belongs to who has consumed, whoever closes the cursor
BEGIN;
SET LOCAL ROLE regress_node_reader;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'owned');
FETCH 1 FROM c;
RESET ROLE;
COMMIT;
SELECT stands('owned'), owner FROM topic_group_offsets WHERE group_id = 'owned';
SET ROLE regress_node_reader;
SELECT value FROM consume('pairs', 'forbidden') LIMIT 1;
SELECT value FROM consume('events', 'owned') LIMIT 1;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION consume FROM PUBLIC;
SET ROLE regress_node_reader;
SELECT value FROM consume('events', 'owned') LIMIT 1;
RESET ROLE;
GRANT EXECUTE ON FUNCTION consume TO PUBLIC;
BEGIN READ ONLY;
SELECT value FROM consume('events', 'read only') LIMIT 1;
ROLLBACK;
BEGIN READ ONLY;
SELECT value FROM consume('events', 'read only') LIMIT 0;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT value FROM consume('events', 'repeatable') LIMIT 1;
DECLARE c CURSOR FOR SELECT value FROM consume('events', 'repeatable');
FETCH 1 FROM c;
COMMIT;
SELECT stands('repeatable');
-- a copy with settings of its own, and one for its owner's privileges, stay functions
CREATE FUNCTION settled(topic regclass, group_id text) RETURNS TABLE (value text) LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT value FROM consume(topic, group_id) $$;
SELECT * FROM settled('events', 'definer') LIMIT 1;
SELECT stands('definer');
-- the topic is dropped by the transaction that consumes from it
SELECT create_topic('gone');
SELECT produce('gone', 'v');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('gone', 'gone');
FETCH 1 FROM c;
DROP FOREIGN TABLE gone;
COMMIT;
SELECT count(*) FROM topic_group_offsets WHERE group_id = 'gone';
-- values that cannot be read move nothing
CREATE FOREIGN TABLE bytes (value bytea) SERVER topics;
INSERT INTO bytes VALUES ('ok'), ('\xff'), ('ok');
ALTER FOREIGN TABLE bytes ALTER COLUMN value TYPE text;
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('bytes', 'bytes');
FETCH 1 FROM c;
SAVEPOINT a;
\set VERBOSITY terse
FETCH 1 FROM c;
\set VERBOSITY default
ROLLBACK TO a;
COMMIT;
SELECT stands('bytes');
-- a column that is not asked for is not read
SELECT record_offset FROM consume('bytes', 'bytes');

SET client_min_messages = warning;
DROP SCHEMA node_test CASCADE;
DROP ROLE regress_node_reader;
