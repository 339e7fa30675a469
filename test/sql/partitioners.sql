-- Which partition a record goes to: built-in partitioners, SQL functions, the
-- option and the setting.  Files under test: partition_rules.c, partitioner.c, partitioner_lookup.c,
-- partitioner_call.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
-- the hint is the same each time: shown once
\set VERBOSITY terse

-- ---- the same keys on the same partitions as librdkafka, which has a test of these
SELECT create_topic('p17', partitions => 17, key_type => 'bytea');
CREATE TABLE keys (n int, key bytea);
INSERT INTO keys VALUES (1, NULL), (2, ''), (3, '23456'),
    (4, 'this is another string with more length to it perhaps'), (5, 'hejsan');
CREATE FUNCTION chosen(partitioner text) RETURNS int[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pg_topics.partitioner', partitioner, true);
    RETURN array_agg(produce('p17', key, 'v') ORDER BY n) FROM keys;
END $$;
CREATE TABLE expected (partitioner text, hashes bigint[]);  -- null: any partition
INSERT INTO expected VALUES
    ('consistent',        ARRAY[0, 0, x'b1b451d7'::bigint, x'b0150df7'::bigint, x'd077037e'::bigint]),
    ('consistent_random', ARRAY[NULL, NULL, x'b1b451d7'::bigint, x'b0150df7'::bigint, x'd077037e'::bigint]),
    ('murmur2',           ARRAY[NULL, x'106e08d9'::bigint, x'058d780f'::bigint, x'4f7703da'::bigint, x'5ec19395'::bigint]),
    ('murmur2_random',    ARRAY[NULL, x'106e08d9'::bigint, x'058d780f'::bigint, x'4f7703da'::bigint, x'5ec19395'::bigint]),
    ('fnv1a',             ARRAY[x'7ee3623b'::bigint, x'7ee3623b'::bigint, x'27e6f469'::bigint, x'155e3e5f'::bigint, x'17b1e27a'::bigint]),
    ('fnv1a_random',      ARRAY[NULL, x'7ee3623b'::bigint, x'27e6f469'::bigint, x'155e3e5f'::bigint, x'17b1e27a'::bigint]);
SELECT partitioner, n, partition, hash % 17 AS expected
FROM expected, chosen(partitioner) AS partitions,
     unnest(partitions, hashes) WITH ORDINALITY AS k (partition, hash, n)
WHERE partition IS DISTINCT FROM hash % 17 AND hash IS NOT NULL;
SELECT chosen('consistent') AS consistent, (chosen('murmur2'))[2:] AS murmur2, chosen('fnv1a') AS fnv1a;

-- ---- keys that are spread
SET pg_topics.partitioner = 'round_robin';
SELECT create_topic('p3', partitions => 3);
INSERT INTO p3 (key, value) SELECT 'same', i FROM generate_series(1, 300) AS i;
SELECT partition, count(*), count(DISTINCT value::int % 3) AS steps FROM p3 GROUP BY partition ORDER BY 1;
TRUNCATE p3;
-- any partition: out of 2000 records none is left out (but once in 10^50 runs)
CREATE FUNCTION partitions_used(partitioner text, k text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('pg_topics.partitioner', partitioner, true);
    RETURN count(DISTINCT p) FROM (SELECT produce('p17', k::bytea, i::text) AS p FROM generate_series(1, 2000) AS i) AS produced;
END $$;
SELECT partitioner, partitions_used(partitioner, 'k') AS key, partitions_used(partitioner, '') AS empty,
       partitions_used(partitioner, NULL) AS "null"
FROM unnest(ARRAY['murmur2', 'murmur2_random', 'round_robin', 'random', 'consistent',
                  'consistent_random', 'fnv1a', 'fnv1a_random']) AS partitioner;

-- ---- sticky: one partition until its batch is full, or the transaction ends
SET pg_topics.partitioner = 'sticky';
SET pg_topics.batch_size = '1kB';
CREATE FUNCTION runs(VARIADIC partitions int[]) RETURNS int[] LANGUAGE sql AS $$
    SELECT array_agg(n ORDER BY run) FROM (
        SELECT run, count(*)::int AS n FROM (
            SELECT sum(changed::int) OVER (ORDER BY i) AS run FROM (
                SELECT i, p IS DISTINCT FROM lag(p) OVER (ORDER BY i) AS changed
                FROM unnest(partitions) WITH ORDINALITY AS u (p, i)) AS a) AS b
        GROUP BY run) AS c
$$;
-- 61 bytes of header, then 8 records of about 110 each, whatever their keys are
BEGIN;
SELECT runs(VARIADIC array_agg(produce('p17', i::text::bytea, repeat('v', 98)))) FROM generate_series(1, 25) AS i;
-- flush() has appended the batch: the next one begins elsewhere
SELECT produce('p17', 'v') AS p \gset
SELECT count(*) > 0 AS flushed FROM flush();
SELECT produce('p17', 'v') = :p AS same;
SELECT produce('p17', 'v') AS p \gset
SELECT produce('p17', 'v') = :p AS same;
COMMIT;
-- so does the next transaction, and one that has taken all back
SELECT produce('p17', 'v') = :p AS same;
BEGIN;
SAVEPOINT s;
SELECT produce('p17', 'v') AS p \gset
ROLLBACK TO s;
SELECT produce('p17', 'v') = :p AS same;
COMMIT;
-- an explicit partition is nothing to it
BEGIN;
SELECT produce('p17', 'v') AS p \gset
SELECT produce('p17', 'k'::bytea, 'v', partition => (:p + 1) % 17) = :p AS same;
SELECT produce('p17', 'v') = :p AS same;
COMMIT;
-- a record as large as a batch, and a topic with one partition
BEGIN;
SELECT runs(VARIADIC array_agg(produce('p17', repeat('v', 2000)))) FROM generate_series(1, 4);
COMMIT;
SELECT create_topic('p1');
SELECT DISTINCT produce('p1', repeat('v', 500)) FROM generate_series(1, 10);
-- partitions that were there for a while
BEGIN;
SELECT alter_topic('p1', '{"partitions": 900}');
SELECT count(produce('p1', repeat('v', 2000))) FROM generate_series(1, 4);
ROLLBACK;
SELECT produce('p1', 'v');
RESET pg_topics.batch_size;
RESET pg_topics.partitioner;

-- ---- which name counts: an explicit partition, the setting, the option, murmur2
CREATE SCHEMA shop;
CREATE FUNCTION shop.first(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 0;
CREATE FUNCTION shop.last(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN partitions - 1;
CREATE FUNCTION shop.by_value(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RETURN (convert_from(value, 'UTF8')::jsonb ->> 'to')::int; END $$;
SELECT create_topic('p5', partitions => 5, value_type => 'jsonb', config => '{"partitioner.class": "shop.first"}');
SELECT murmur2_partition('b', 5) AS default, produce('p5', 'b', '{}') AS option;
SET pg_topics.partitioner = 'shop.last';
SELECT produce('p5', 'b', '{}') AS setting, produce('p5', 'b', '{}', partition => 2) AS explicit;
INSERT INTO p5 (partition, key, value) VALUES (NULL, 'b', '{}'), (3, 'b', '{}') RETURNING partition;
COPY p5 (key, value) FROM stdin;
b	{"copied": 1}
\.
SELECT partition FROM p5 WHERE value ? 'copied';
SET pg_topics.partitioner = 'murmur2';
SELECT produce('p5', 'b', '{}') AS setting;
SET pg_topics.partitioner = '';
SELECT produce('p5', 'b', '{}') AS option;
SELECT alter_topic('p5', '{"partitioner.class": "shop.by_value"}');
SELECT produce('p5', 'b', jsonb_build_object('to', i)) FROM generate_series(0, 4) AS i;
SELECT config FROM pg_topics WHERE topic = 'p5'::regclass;
SELECT alter_topic('p5', '{"partitioner.class": null}');
SELECT produce('p5', 'b', '{}') AS default;
-- the setting is undone with its transaction
BEGIN;
SET pg_topics.partitioner = 'shop.last';
SELECT produce('p5', 'b', '{}') AS setting;
ROLLBACK;
SELECT produce('p5', 'b', '{}') AS default;
BEGIN;
SET LOCAL pg_topics.partitioner = 'shop.last';
SELECT produce('p5', 'b', '{}') AS setting;
COMMIT;
SELECT produce('p5', 'b', '{}') AS default;

-- ---- what the function is given
CREATE FUNCTION shop.tell(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING '% % % %', topic, key, value, partitions; RETURN 1; END $$;
SELECT create_topic('told', partitions => 2, key_type => 'int', config => '{"partitioner.class": "shop.tell"}');
SELECT produce('told', 65, 'v'), produce('told', NULL::int, NULL::text), produce('told', 66, ''), produce('told', 'value');
-- the topic has grown; a built-in one goes on
SELECT alter_topic('told', '{"partitions": 4}');
SELECT produce('told', 65, 'v');
SET pg_topics.partitioner = 'round_robin';
SELECT array_agg(DISTINCT produce('told', 65, 'v')) FROM generate_series(1, 4);
SELECT alter_topic('told', '{"partitions": 5}');
SELECT array_agg(DISTINCT produce('told', 65, 'v')) FROM generate_series(1, 5);
RESET pg_topics.partitioner;

-- ---- names: quoted, in search_path, with a schema
CREATE FUNCTION shop."Odd.""name"(regclass, bytea, bytea, int) RETURNS int LANGUAGE sql RETURN 4;
SELECT alter_topic('p5', '{"partitioner.class": "shop.\"Odd.\"\"name\""}');
SELECT produce('p5', 'b', '{}');
SELECT alter_topic('p5', '{"partitioner.class": "SHOP.First"}');
SELECT produce('p5', 'b', '{}');
CREATE SCHEMA store;
CREATE FUNCTION store.first(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 2;
-- without a schema: in the option the topic's, in the setting search_path
SELECT alter_topic('p5', '{"partitioner.class": "first"}');
SET search_path = shop, public;
SELECT alter_topic('p5', '{"partitioner.class": "first"}');
CREATE FUNCTION public.first(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 1;
SELECT alter_topic('p5', '{"partitioner.class": "first"}');
SELECT produce('p5', 'b', '{}') AS public;
BEGIN;
ALTER FOREIGN TABLE p5 SET SCHEMA store;
SELECT produce('store.p5', 'b', '{}') AS store;
ROLLBACK;
BEGIN;
SET LOCAL pg_topics.partitioner = 'first';
SELECT produce('p5', 'b', '{}') AS shop;
SET LOCAL search_path = store, public;
SELECT produce('p5', 'b', '{}') AS store;
SET LOCAL search_path = pg_catalog;
SELECT public.produce('public.p5', 'b', '{}');
ROLLBACK;
RESET search_path;
-- another one comes first, is replaced, renamed, moved, all of it in one transaction
SELECT alter_topic('p5', '{"partitioner.class": "shop.first"}');
BEGIN;
SELECT produce('p5', 'b', '{}');
CREATE OR REPLACE FUNCTION shop.first(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 3;
SELECT produce('p5', 'b', '{}');
SAVEPOINT s;
ALTER FUNCTION shop.first RENAME TO second;
SELECT produce('p5', 'b', '{}');
ROLLBACK TO s;
SELECT produce('p5', 'b', '{}');
ALTER SCHEMA shop RENAME TO shop2;
SELECT produce('p5', 'b', '{}');
ROLLBACK;
SELECT produce('p5', 'b', '{}');

-- ---- names that will not do
\set VERBOSITY default
SELECT create_topic('p_bad', config => '{"partitioner.class": "nosuch"}');
CREATE FOREIGN TABLE p_bad (value text) SERVER topics OPTIONS ("partitioner.class" 'shop.nosuch');
SET pg_topics.partitioner = 'nosuch';
\set VERBOSITY terse
SELECT alter_topic('p5', '{"partitioner.class": "nosuch"}');
SELECT alter_topic('p5', '{"partitioner.class": "nosuch.first"}');
SELECT alter_topic('p5', '{"partitioner.class": ""}');
SELECT alter_topic('p5', '{"partitioner.class": "a..b"}');
SELECT alter_topic('p5', '{"partitioner.class": "a b"}');
SELECT alter_topic('p5', '{"partitioner.class": "\"a"}');
SELECT alter_topic('p5', '{"partitioner.class": "Murmur2"}');
SET pg_topics.partitioner = 'a..b';
DO $$
BEGIN
    PERFORM alter_topic('p5', jsonb_build_object('partitioner.class', repeat('x', 1000)));
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE NOTICE '%', left(SQLERRM, 60);
END $$;
DO $$
BEGIN
    PERFORM set_config('pg_topics.partitioner', repeat('x', 1000), false);
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE NOTICE '%', left(SQLERRM, 60);
END $$;
-- functions of another kind; the details say which
CREATE FUNCTION shop.text(topic regclass, key bytea, value bytea, partitions int) RETURNS text LANGUAGE sql RETURN '1';
CREATE FUNCTION shop.set(topic regclass, key bytea, value bytea, partitions int) RETURNS SETOF int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE shop.procedure(topic regclass, key bytea, value bytea, INOUT partitions int) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.key_only(key bytea, partitions int) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION shop.default(topic regclass, key bytea, value bytea, partitions int, more int DEFAULT 1) RETURNS int LANGUAGE sql RETURN 1;
\set VERBOSITY default
DO $$
DECLARE
    name text;
    detail text;
BEGIN
    FOREACH name IN ARRAY ARRAY['shop.text', 'shop.set', 'shop.procedure', 'shop.key_only', 'shop.default'] LOOP
        BEGIN
            PERFORM alter_topic('p5', jsonb_build_object('partitioner.class', name));
            RAISE 'accepted';
        EXCEPTION WHEN invalid_parameter_value THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE NOTICE '%: %', SQLERRM, detail;
        END;
    END LOOP;
END $$;
\set VERBOSITY terse
ALTER DATABASE :DBNAME SET pg_topics.partitioner = 'nosuch';
ALTER DATABASE :DBNAME RESET pg_topics.partitioner;
SHOW pg_topics.partitioner;

-- ---- results that will not do
CREATE FUNCTION shop.give(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RETURN nullif(convert_from(key, 'UTF8'), 'null')::int; END $$;
SELECT alter_topic('p5', '{"partitioner.class": "shop.give"}');
\set VERBOSITY default
DO $$
DECLARE
    k text;
    hint text;
    context text;
BEGIN
    FOREACH k IN ARRAY ARRAY['null', '5', '-1', '2147483647', 'x', NULL] LOOP
        BEGIN
            PERFORM produce('p5', k, '{}');
            RAISE 'accepted';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
            RAISE NOTICE '% %', SQLSTATE, SQLERRM USING HINT = hint, DETAIL = context;
        END;
    END LOOP;
END $$;
\set VERBOSITY terse
INSERT INTO p5 (key, value) VALUES ('1', '{"n": 1}'), ('5', '{"n": 2}');
SELECT count(*) FROM p5 WHERE value ? 'n';
-- an error in a block of its own leaves the function usable, in SQL as well
CREATE FUNCTION shop.divide(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql AS
    $$ SELECT 1; SELECT 8 / convert_from(key, 'UTF8')::int $$;
SELECT alter_topic('p5', '{"partitioner.class": "shop.divide"}');
DO $$
BEGIN
    FOR i IN 0 .. 3 LOOP
        RAISE NOTICE '%', produce('p5', '2', '{}');
        BEGIN
            PERFORM produce('p5', '0', '{}');
        EXCEPTION WHEN division_by_zero THEN
            RAISE NOTICE 'divided by zero';
        END;
    END LOOP;
END $$;
-- a simple one in SQL is not called, its body takes the place of the call
CREATE FUNCTION shop.inlined(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql STABLE AS
    $$ SELECT convert_from(key, 'UTF8')::int % partitions $$;
SELECT alter_topic('p5', '{"partitioner.class": "shop.inlined"}');
INSERT INTO p5 (key, value) SELECT i, '{}' FROM generate_series(8, 12) AS i RETURNING key, partition;
SELECT produce('p5', '{}');
SELECT produce('p5', 'x', '{}');
-- a key of several columns
CREATE TYPE shop.order_key AS (customer int, day date);
SELECT create_topic('composite', partitions => 5, key_type => 'shop.order_key', config => '{"partitioner.class": "shop.by_composite"}');
CREATE FUNCTION shop.by_composite(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql AS
    $$ SELECT (convert_from(key, 'UTF8')::shop.order_key).customer % partitions $$;
SELECT create_topic('composite', partitions => 5, key_type => 'shop.order_key', config => '{"partitioner.class": "shop.by_composite"}');
SELECT produce('composite', ROW(4711 + i % 2, '2024-05-01'::date + i)::shop.order_key, 'v') FROM generate_series(1, 4) AS i;
-- strict
CREATE FUNCTION shop.strict(topic regclass, key bytea, value bytea, partitions int) RETURNS int STRICT LANGUAGE sql RETURN 1;
SELECT alter_topic('p5', '{"partitioner.class": "shop.strict"}');
SELECT produce('p5', 'k', '{}');
\set VERBOSITY default
SELECT produce('p5', '{}');
\set VERBOSITY terse

-- ---- a function that produces itself, also to the same topic
CREATE FUNCTION shop.echo(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF key IS NOT NULL AND key <> '0' THEN
        PERFORM public.produce(topic, (convert_from(key, 'UTF8')::int - 1)::text, '{"echo": true}',
                        headers => jsonb_build_object('of', convert_from(key, 'UTF8')));
    END IF;
    RETURN 1;
END $$;
SELECT alter_topic('p5', '{"partitioner.class": "shop.echo"}');
SELECT produce('p5', '3', '{"echo": true}', headers => '{"called": "by a client", "with": "headers"}');
INSERT INTO p5 (key, value, headers) VALUES ('1', '{"echo": true}', '{"inserted": "1"}');
SELECT key, partition, headers FROM p5 WHERE value ? 'echo' ORDER BY record_offset;
-- and one that changes the setting, which lasts as long as its call
CREATE FUNCTION shop.switch(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN SET LOCAL pg_topics.partitioner = 'shop.last'; RETURN 2; END $$;
SELECT alter_topic('p5', '{"partitioner.class": "shop.switch"}');
SELECT produce('p5', 'k', '{}') FROM generate_series(1, 3);

-- ---- it is dropped: the topic says so, can be read and altered
SELECT alter_topic('p5', '{"partitioner.class": "shop.strict"}');
DROP FUNCTION shop.strict;
\set VERBOSITY default
SELECT produce('p5', 'k', '{}');
\set VERBOSITY terse
SELECT produce('p5', 'k', '{}', partition => 0);
SELECT count(*) > 0 FROM p5;
SELECT alter_topic('p5', '{"retention.ms": 1000000}');
SELECT alter_topic('p5', '{"partitioner.class": "murmur2"}');
SELECT produce('p5', 'b', '{}');

-- ---- the option's function runs as the topic's owner, whoever produces
CREATE ROLE regress_partitioner_owner;
CREATE ROLE regress_partitioner_user;
CREATE ROLE regress_partitioner_other;
CREATE SCHEMA own AUTHORIZATION regress_partitioner_owner;
CREATE FUNCTION own.who(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING 'as % with %', current_user, current_setting('search_path'); RETURN 1; END $$;
ALTER FUNCTION own.who OWNER TO regress_partitioner_owner;
REVOKE EXECUTE ON FUNCTION own.who FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own.who TO regress_partitioner_owner;
SET ROLE regress_partitioner_owner;
SELECT create_topic('own.owned', partitions => 2, config => '{"partitioner.class": "own.who"}');
GRANT USAGE ON SCHEMA own TO regress_partitioner_user;
GRANT INSERT ON own.owned TO regress_partitioner_user;
RESET ROLE;
SET search_path = shop, public;
SELECT produce('own.owned', 'k', 'v');
SET ROLE regress_partitioner_user;
SELECT produce('own.owned', 'k', 'v');
INSERT INTO own.owned (key, value) VALUES ('k', 'v');
RESET ROLE;
RESET search_path;
SELECT current_user = session_user AS still_oneself, current_setting('search_path');
-- it cannot become anybody else, nor leave anything behind
CREATE OR REPLACE FUNCTION own.who(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE convert_from(value, 'UTF8'); RETURN 1; END $$;
SELECT produce('own.owned', 'k', 'RESET ROLE');
SELECT produce('own.owned', 'k', 'SET SESSION AUTHORIZATION DEFAULT');
SELECT produce('own.owned', 'k', 'CREATE TEMP TABLE t ()');
\set VERBOSITY sqlstate
SELECT produce('own.owned', 'k', 'ALTER ROLE regress_partitioner_user SUPERUSER');
\set VERBOSITY default
SELECT produce('own.owned', 'k', 'SET search_path = elsewhere');
SHOW search_path;
-- its owner needs the privileges
SET ROLE regress_partitioner_owner;
REVOKE EXECUTE ON FUNCTION own.who FROM regress_partitioner_owner;
RESET ROLE;
SELECT produce('own.owned', 'k', 'SELECT 1');
SET ROLE regress_partitioner_owner;
GRANT EXECUTE ON FUNCTION own.who TO PUBLIC;
RESET ROLE;
GRANT USAGE ON SCHEMA shop TO regress_partitioner_owner;
-- whose owner has not the rights of the topic's owner is not run as him
\set VERBOSITY default
ALTER FUNCTION own.who OWNER TO regress_partitioner_other;
SELECT produce('own.owned', 'k', 'SELECT 1');
SELECT alter_topic('own.owned', '{"partitioner.class": "shop.first"}');
SELECT produce('own.owned', 'k', 'a superuser''s');
SELECT alter_topic('own.owned', '{"partitioner.class": "own.who"}');
\set VERBOSITY terse
SELECT alter_topic('p5', '{"partitioner.class": "own.who"}');
GRANT regress_partitioner_owner TO regress_partitioner_other;
SELECT alter_topic('own.owned', '{"partitioner.class": "own.who"}');
SELECT produce('own.owned', 'k', 'SELECT 1');
-- nor one of the session's own, by its temporary schema
SET check_function_bodies = off;
SELECT alter_topic('own.owned', '{"partitioner.class": "pg_temp.mine"}');
RESET check_function_bodies;
SET ROLE regress_partitioner_user;
CREATE FUNCTION pg_temp.mine(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 1;
SELECT produce('own.owned', 'k', 'v');
RESET ROLE;

-- ---- the setting's function runs as who produces, where that is no trap for him
CREATE FUNCTION own.send() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
RETURN public.produce('own.owned'::regclass, 'k'::text, 'v'::text);
ALTER FUNCTION own.send OWNER TO regress_partitioner_owner;
GRANT EXECUTE ON FUNCTION own.send TO regress_partitioner_user;
SELECT alter_topic('own.owned', '{"partitioner.class": null}');
CREATE SCHEMA trap AUTHORIZATION regress_partitioner_user;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
SET ROLE regress_partitioner_user;
CREATE FUNCTION trap.as_who(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING 'as %', current_user; RETURN 1; END $$;
SET pg_topics.partitioner = 'trap.as_who';
SELECT produce('own.owned', 'k', 'v');
\set VERBOSITY default
SELECT own.send();
\set VERBOSITY terse
RESET ROLE;
SELECT produce('own.owned', 'k', 'v');
RESET pg_topics.partitioner;
SET pg_topics.partitioner = 'trap.as_who';
SHOW pg_topics.partitioner;
SET client_min_messages = warning;
DROP SCHEMA own, trap CASCADE;
RESET client_min_messages;
DROP OWNED BY regress_partitioner_owner, regress_partitioner_user;
DROP ROLE regress_partitioner_owner, regress_partitioner_user, regress_partitioner_other;

-- ---- a restore may name what comes later
SET check_function_bodies = off;
SELECT create_topic('p_later', partitions => 2, config => '{"partitioner.class": "shop.later"}');
RESET check_function_bodies;
SELECT produce('p_later', 'k', 'v');
CREATE FUNCTION shop.later(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 1;
SELECT produce('p_later', 'k', 'v');

-- ---- a key of customer and date, the partition by customer alone
CREATE FUNCTION shop.by_customer(topic regclass, key bytea, value bytea, partitions int)
RETURNS int LANGUAGE sql STABLE
RETURN murmur2_partition(convert_to(split_part(convert_from(key, 'UTF8'), '|', 1), 'UTF8'), partitions);
SELECT create_topic('shop.orders', partitions => 6, config => '{"partitioner.class": "shop.by_customer"}');
SELECT produce('shop.orders', '4711|2024-05-01', '1') = produce('shop.orders', '4711|2024-05-02', '2') AS same;
DO $$
DECLARE
    customer int;
BEGIN
    FOR i IN 3 .. 2000 LOOP
        customer := 4700 + i * 7 % 37;
        PERFORM produce('shop.orders', customer || '|' || '2024-05-01'::date + i % 20, i::text);
    END LOOP;
END $$;
INSERT INTO shop.orders (key, value)
SELECT 4700 + i * 7 % 37 || '|' || '2024-05-01'::date + i % 20, i FROM generate_series(2001, 4000) AS i;
SELECT count(DISTINCT customer) AS customers, count(DISTINCT partition) AS partitions, count(DISTINCT (customer, partition)) AS pairs,
       bool_and(partition = murmur2_partition(customer::bytea, 6)) AS as_kafka_would
FROM shop.orders, split_part(key, '|', 1) AS customer;
SELECT count(*) AS records, count(*) FILTER (WHERE value::int <= before) AS out_of_order
FROM (SELECT value, lag(value::int) OVER (PARTITION BY split_part(key, '|', 1) ORDER BY arrival) AS before
      FROM consume('shop.orders', 'billing', 10000) WITH ORDINALITY AS c (partition, record_offset, record_timestamp, key, value, headers, arrival)) AS consumed;
-- by murmur2 of the whole key a customer's orders are all over the place
SELECT count(DISTINCT produce('shop.orders', '4711|' || '2024-05-01'::date + i, 'x',
                              partition => murmur2_partition(('4711|' || '2024-05-01'::date + i)::bytea, 6))) AS partitions
FROM generate_series(1, 100) AS i;

DROP FOREIGN TABLE p1, p3, p5, p17, told, composite, p_later, shop.orders;
DROP TABLE keys, expected;
DROP FUNCTION chosen, partitions_used, runs, public.first;
SET client_min_messages = warning;
DROP SCHEMA shop, store CASCADE;
