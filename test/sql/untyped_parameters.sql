-- Files under test: sql/pg_topics--1.0.sql, src/produce/produce.c, src/query/latest.c.
-- What drivers send: statements whose parameters have no type yet.  Each function can be
-- called with them, and calls with types mean what they say.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA untyped_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'untyped_test, ' || :'home', false) <> '' AS ok;

---- every function for users, with all its arguments and with those that have no default
CREATE FUNCTION untyped_test.call_of(name text, arguments int) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT * FROM %s(%s)', name, (SELECT string_agg('$' || n, ', ' ORDER BY n) FROM generate_series(1, arguments) n)) $$;
CREATE TABLE calls AS
    SELECT DISTINCT p.proname AS name, n AS arguments
    FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
         JOIN pg_extension e ON d.refobjid = e.oid AND e.extname = 'pg_topics',
         unnest(ARRAY[p.pronargs::int, p.pronargs - p.pronargdefaults]) n
    WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'fdw_handler'::regtype)
        AND p.proname <> 'pg_topics_validator' AND p.proname NOT LIKE 'pg\_%\_info' AND p.proname NOT LIKE 'topic\_role\_%';
DO $$
DECLARE
    call record;
BEGIN
    FOR call IN SELECT * FROM calls LOOP
        EXECUTE format('PREPARE %I AS %s', call.name || '/' || call.arguments, call_of(call.name, call.arguments));
    END LOOP;
END $$;
SELECT name, parameter_types FROM pg_prepared_statements WHERE name LIKE '%/%' ORDER BY name COLLATE "C";
DEALLOCATE ALL;
-- the names of the arguments, as reference.md has them
PREPARE named AS SELECT produce(topic => $1, value => $2);
PREPARE named_key AS SELECT produce($1, key => $2, value => $3, headers => $4);
PREPARE named_consume AS SELECT * FROM consume($1, group_id => $2, max_records => $3, timeout_ms => $4);
PREPARE named_delete AS SELECT delete_group(topic => $1, group_id => $2);
PREPARE named_delete_before AS SELECT delete_group(group_id => $1, topic => $2);
PREPARE named_erase AS SELECT erase(topic => $1, key => $2);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name COLLATE "C";
DEALLOCATE ALL;

---- a record as a driver produces it, in topics of several types
SELECT create_topic('texts'), create_topic('bytes', key_type => 'bytea', value_type => 'bytea'),
    create_topic('documents', key_type => 'int', value_type => 'jsonb');
PREPARE one AS SELECT produce($1, $2, $3);
PREPARE no_key AS SELECT produce($1, $2);
PREPARE all_arguments AS SELECT produce($1, $2, $3, $4, $5, $6);
EXECUTE one('texts', 'k', 'v');
EXECUTE one('texts', NULL, NULL);
EXECUTE no_key('texts', 'only a value');
EXECUTE all_arguments('texts', 'k', 'v', 0, '2024-05-06 07:08:09+00', '{"a": "b"}');
EXECUTE all_arguments('texts', 'k', 'v', NULL, NULL, NULL);
EXECUTE one('bytes', '\x00ff', '\xdeadbeef');
EXECUTE one('bytes', 'abc', 'ä');
EXECUTE no_key('bytes', '\x');
SELECT produce('bytes', '\x00ff'::bytea, '\xdeadbeef'::bytea), produce('bytes', '\x00ff', '\xdeadbeef'),
    produce('bytes', '\x00ff'::text, '\xdeadbeef'::bytea);
EXECUTE one('documents', '5', '{"a":  1}');
SELECT record_offset, key, value, headers FROM texts;
SELECT record_offset, key, value FROM bytes;
SELECT record_offset, key, value FROM documents;
-- the same as a server-side cursor and in a function
DO $$
BEGIN
    EXECUTE 'SELECT produce($1, $2, $3)' USING 'texts', 'from', 'PL/pgSQL';
    EXECUTE 'SELECT produce($1, $2, $3)' USING 'texts'::regclass, 5, '{"n": 1}'::jsonb;
END $$;
SELECT key, value FROM texts WHERE record_offset >= 5;

---- typed calls: each type is taken as it is
CREATE DOMAIN untyped_test.blank_padded AS character(6);
CREATE TYPE untyped_test.color AS ENUM ('red');
SELECT create_topic('kinds');
SELECT produce('kinds', 'ab'::character(4), 'cd'::character(4)), produce('kinds', 'ab'::blank_padded, 'cd'::blank_padded),
    produce('kinds', 'ab'::character(4), 5), produce('kinds', 'ab'::varchar(4), 'cd'::varchar(4)),
    produce('kinds', 'ab'::name, 'cd'::name), produce('kinds', 1, 2.50), produce('kinds', 1::bigint, true),
    produce('kinds', ARRAY[1, 2], ARRAY['a', NULL]), produce('kinds', (1, 'x'), (2, NULL)),
    produce('kinds', '{"a": 1}'::jsonb, '{"a":   1}'::json), produce('kinds', '\x01'::bytea, '\x02'::bytea),
    produce('kinds', 'red'::color, 'red'::color), produce('kinds', 'k', 'ab'::character(4)),
    produce('kinds', date '2024-02-03', interval '1 day'), produce('kinds', key => 'k', value => 1),
    produce('kinds', 'k', '(1,2)'::point), produce('kinds', int4range(1, 5), 'x'::"char"),
    produce('kinds', NULL::int, NULL::jsonb), produce('kinds', NULL, NULL);
SELECT produce('kinds', 'only'::character(6)), produce('kinds', 7), produce('kinds', NULL), produce('kinds', '{1}'::int[]);
SELECT record_offset, '<' || key || '>' AS key, '<' || value || '>' AS value FROM kinds;
-- every base type of the server, as a key and as a value; those that only the server makes itself are left out
DO $$
DECLARE
    t regtype;
BEGIN
    FOR t IN SELECT oid FROM pg_type WHERE typtype IN ('b', 'r', 'm') AND typcategory <> 'Z' AND typnamespace = 'pg_catalog'::regnamespace LOOP
        EXECUTE format('SELECT produce(''kinds'', NULL::%s, NULL::%s), produce(''kinds'', NULL::%s, 1), produce(''kinds'', 1, NULL::%s), produce(''kinds'', NULL::%s)',
            t, t, t, t, t);
        EXECUTE format('SELECT produce(''kinds'', $1, NULL::%s), produce(''kinds'', NULL::%s, $1)', t, t) USING 'text'::text;
    END LOOP;
END $$;
-- a key of a type with an implicit cast to text that is none of the string types needs a cast
SELECT produce('kinds', 'c'::"char", 1);
SELECT produce('kinds', 'c'::"char"::text, 1);

---- erase()
SELECT produce('kinds', 'gone', 1), produce('kinds', 4711, 1), produce('kinds', 'pad'::character(5), 1);
PREPARE forget AS SELECT erase($1, $2);
EXECUTE forget('kinds', 'gone');
SELECT erase('kinds', 4711);
SELECT erase('kinds', 'pad'::character(5));
SELECT erase('bytes', '\x00ff');
SELECT count(*) FROM bytes WHERE key = '\x00ff';

---- names instead of row types
SELECT * FROM latest('texts');
SELECT key, value FROM latest('untyped_test."Texts"') WHERE key = 'k';
PREPARE last_records AS SELECT * FROM latest($1);
EXECUTE last_records(NULL);
SELECT * FROM latest('texts'::regclass);
SELECT value FROM consume_as('texts', 'g', max_records => 5, timeout_ms => 10);
SELECT * FROM consume_as('texts'::regclass, 'g');
SELECT * FROM consume_as(ROW('texts'), 'g');
SELECT key, value FROM latest(NULL::texts) ORDER BY record_offset LIMIT 1;
SELECT key, value FROM consume_as(NULL::texts, 'g', 1);

SET client_min_messages = warning;
DROP SCHEMA untyped_test CASCADE;
