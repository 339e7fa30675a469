-- Sessions that bend names and settings: who may change a published table cannot
-- break what is published, and none of our own statements finds another's function,
-- operator, type or table.  Files under test: change_record.c, change_publisher.c,
-- publish_table.c, create_topic.c, the SQL script.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY terse
\set regress_database :DBNAME
CREATE ROLE regress_hostile_owner;
CREATE ROLE regress_hostile_clerk;
CREATE SCHEMA shop AUTHORIZATION regress_hostile_owner;
CREATE SCHEMA feeds AUTHORIZATION regress_hostile_owner;
CREATE SCHEMA evil AUTHORIZATION regress_hostile_clerk;

-- ---- what decides where a change goes
SET ROLE regress_hostile_owner;
CREATE TABLE shop.items (id int PRIMARY KEY, name text);
SELECT publish_table('shop.items', 'feeds.items', format => 'row', partitions => 8);
GRANT USAGE ON SCHEMA shop TO regress_hostile_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.items TO regress_hostile_clerk;
SET ROLE regress_hostile_clerk;
-- without any right to the topic and its schema
INSERT INTO shop.items SELECT i, 'first' FROM generate_series(1, 50) AS i;
CREATE FUNCTION evil.any(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING 'called as %', current_user; RETURN random() * (partitions - 1); END $$;
SET pg_topics.partitioner = 'evil.any';
SET search_path = evil, pg_temp, public;
UPDATE shop.items SET name = 'second' WHERE id <= 25;
SET pg_topics.partitioner = 'round_robin';
SET pg_topics.batch_size = '1kB';
SET pg_topics.buffer_memory = '64kB';
SET pg_topics.acks = '0';
SET check_function_bodies = off;
SET row_security = off;
SET default_transaction_isolation = 'serializable';
UPDATE shop.items SET name = 'third';
BEGIN;
SET LOCAL pg_topics.partitioner = 'random';
UPDATE shop.items SET name = 'fourth' WHERE id % 2 = 0;
DELETE FROM shop.items WHERE id % 10 = 0;
COMMIT;
-- which would end publishing
SET session_replication_role = replica;
RESET ALL;
RESET ROLE;
SELECT bool_and(partition = murmur2_partition(convert_to(key, 'UTF8'), 8)) AS by_key, count(*) AS records FROM feeds.items;
SELECT count(*) FROM (SELECT key::int AS id, value ->> 'name' AS name FROM latest(NULL::feeds.items)
                      EXCEPT SELECT * FROM shop.items) AS missing;
SELECT (SELECT count(*) FROM latest(NULL::feeds.items)) = (SELECT count(*) FROM shop.items) AS same;
-- the topic's own function, in its schema, as its owner
CREATE FUNCTION feeds.one(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING 'as % with %', current_user, current_setting('search_path'); RETURN 1; END $$;
ALTER FUNCTION feeds.one OWNER TO regress_hostile_owner;
SELECT alter_topic('feeds.items', '{"partitioner.class": "one"}');
SET ROLE regress_hostile_clerk;
CREATE FUNCTION evil.one(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 2;
SET search_path = evil;
UPDATE shop.items SET name = 'fifth' WHERE id = 1;
SET pg_topics.partitioner = 'one';
UPDATE shop.items SET name = 'sixth' WHERE id = 1;
RESET ALL;
RESET ROLE;
SELECT partition, value FROM feeds.items WHERE value ->> 'name' IN ('fifth', 'sixth') ORDER BY record_offset;
-- it is the table's owner who needs the topic
ALTER SCHEMA feeds OWNER TO CURRENT_USER;
ALTER FOREIGN TABLE feeds.items OWNER TO CURRENT_USER;
SET ROLE regress_hostile_clerk;
\set VERBOSITY default
UPDATE shop.items SET name = 'seventh' WHERE id = 1;
\set VERBOSITY terse
RESET ROLE;
SELECT unpublish_table('shop.items');

-- ---- look-alikes: each of them raises an error, and stands before all others
DO $$
DECLARE
    body text := ' LANGUAGE plpgsql AS $f$ BEGIN RAISE $m$trapped$m$; END $f$';
    signature text;
    operator text;
    type text;
    name text;
BEGIN
    FOREACH signature IN ARRAY ARRAY['has_table_privilege(regclass, text)', 'jsonb_concat(text, jsonb)', 'jsonb_concat(jsonb, jsonb)',
        'max(timestamptz)', 'format_type(oid, int)', 'quote_ident(name)', 'string_agg(text, text)',
        'pg_topics_info()', 'pg_topic_partitions_info()', 'pg_topic_at_risk_info(regclass, int, bigint, text)',
        'pg_topic_lag_time(regclass, int, bigint)', 'number_schemas()',
        'create_topic(text, int, regtype, regtype, jsonb, bool)', 'create_topic(text, int, text, jsonb)'] LOOP
        EXECUTE 'CREATE FUNCTION evil.' || signature || ' RETURNS text' || body;
    END LOOP;
    FOREACH type IN ARRAY ARRAY['regclass', 'oid', 'int', 'bigint', 'text', 'name', 'xid', 'timestamptz', 'bool'] LOOP
        EXECUTE format('CREATE FUNCTION evil.trap_operator(%1$s, %1$s) RETURNS bool' || body, type);
        FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>=', '-', '+', '||', '~'] LOOP
            EXECUTE format('CREATE OPERATOR evil.%2$s (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = evil.trap_operator)', type, operator);
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY ARRAY['text', 'jsonb', 'regclass', 'regtype', 'int4', 'int8', 'integer', 'bigint', 'oid', 'name', 'timestamptz'] LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.box', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['topic_group_offsets', 'topic_group_members', 'topic_schema_versions', 'pg_class', 'pg_trigger',
        'pg_attribute', 'pg_prepared_xacts', 'pg_foreign_table', 'pg_topic_partitions'] LOOP
        EXECUTE format('CREATE TABLE evil.%I ()', name);
        EXECUTE format('CREATE TEMP TABLE %I ()', name);
    END LOOP;
END $$;
-- overloads in the extension's own schema, closer to what a literal might mean
CREATE FUNCTION public.create_topic(topic text, partitions int, value_type text, config jsonb) RETURNS regclass LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION public.publish_changes(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE TABLE shop.orders (id int PRIMARY KEY, name text);
INSERT INTO shop.orders VALUES (1, 'one');
CREATE TABLE shop.plain (id int);
CREATE PROCEDURE evil.run_all() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.create_topic('shop.made', 2, 'pg_catalog.int4', 'pg_catalog.text', '{"cleanup.policy": "compact"}', true);
    PERFORM public.alter_topic('shop.made', '{"partitions": 3}');
    PERFORM public.publish_table('shop.orders', 'shop.feed', 'row', headers => 'all', snapshot => true);
    INSERT INTO shop.orders VALUES (2, 'two');
    UPDATE shop.orders SET id = id OPERATOR(pg_catalog.+) 10;
    ALTER TABLE shop.orders ADD COLUMN more pg_catalog.int4;
    ALTER TABLE shop.orders DROP COLUMN more;
    DELETE FROM shop.orders;
    PERFORM public.unpublish_table('shop.orders');
    PERFORM public.produce('shop.made', 1::pg_catalog.int4, 'v'::pg_catalog.text);
    PERFORM public.flush();
    COMMIT;
    PERFORM FROM public.consume('shop.feed', 'g', member_id => 'm', lease => '1min', timeout => '1ms');
    PERFORM public.commit_offsets('shop.feed', 'g', 'm');
    PERFORM public.commit_offset('shop.feed', 'g', 0, 0, member_id => 'm');
    PERFORM public.leave_group('shop.feed', 'g', 'm');
    PERFORM FROM public.consume_as(NULL::shop.feed, 'g2');
    PERFORM FROM public.consume_many(ARRAY['shop.feed', 'shop.made']::pg_catalog.regclass[], 'g3');
    PERFORM public.seek_to_beginning('shop.feed', 'g'), public.seek_to_end('shop.feed', 'g');
    PERFORM public.seek_to_timestamp('shop.feed', 'g', '2024-01-01'), public.seek_to_offset('shop.feed', 'g', 0);
    PERFORM public.offset_for_timestamp('shop.feed', 0, '2024-01-01');
    PERFORM FROM public.visible_offsets('shop.feed');
    PERFORM FROM public.latest(NULL::shop.feed);
    PERFORM FROM public.apply_retention('shop.feed');
    PERFORM FROM public.compact('shop.made');
    PERFORM FROM public.verify_topic('shop.feed');
    PERFORM FROM public.pg_topics, public.pg_topic_partitions, public.pg_topic_segments, public.pg_topic_groups,
        public.pg_topic_group_members, public.pg_stat_topics, public.pg_stat_progress_topic_compaction;
    PERFORM public.alter_group_owner('shop.feed', 'g', CURRENT_USER);
    -- an error of a check is a row
    IF EXISTS (SELECT FROM public.pg_topics_doctor() WHERE severity OPERATOR(pg_catalog.=) 'unknown') THEN
        RAISE 'trapped in a check';
    END IF;
    PERFORM public.delete_group('g', 'shop.feed');
    PERFORM public.drop_topic('shop.made');
    PERFORM public.drop_topic('shop.feed', true);
END $$;
SET search_path = evil, pg_catalog, public;
CALL evil.run_all();
SET search_path = pg_temp, evil, pg_catalog, public;
CALL evil.run_all();
RESET search_path;
SELECT count(*) FROM pg_topics WHERE topic::text ~ '^shop';

-- ---- the extension made where look-alikes are already
DROP FUNCTION public.create_topic(text, int, text, jsonb), public.publish_changes(text);
SET client_min_messages = warning;
CREATE DATABASE regress_hostile;
\c regress_hostile
SET client_min_messages = warning;
CREATE SCHEMA queue;
CREATE FUNCTION queue.trap_operator(regclass, regclass) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR queue.= (LEFTARG = regclass, RIGHTARG = regclass, FUNCTION = queue.trap_operator);
CREATE FUNCTION queue.has_table_privilege(regclass, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE EXTENSION pg_topics SCHEMA queue;
SELECT queue.create_topic('t');
SELECT queue.produce('t', 'k', 'v');
SELECT count(*) FROM queue.consume('t', 'g');
SELECT group_id, lag FROM queue.pg_topic_groups;
SELECT count(*) FROM queue.pg_topic_group_members;
SELECT check_name, finding FROM queue.pg_topics_doctor() WHERE severity = 'unknown';
-- and in a schema whose name needs more than quotes
SET client_min_messages = warning;
DROP EXTENSION pg_topics CASCADE;
CREATE SCHEMA "back\slash's ""schema""";
CREATE EXTENSION pg_topics SCHEMA "back\slash's ""schema""";
SET search_path = public, "back\slash's ""schema""";
CREATE SCHEMA kinds CREATE TABLE plain (id int);
CREATE TYPE kinds.mood AS ENUM ('sad');
CREATE TABLE moody (id int PRIMARY KEY, mood kinds.mood);
SELECT publish_table('moody', headers => 'schema_version');
SELECT check_name, finding FROM pg_topics_doctor() WHERE severity = 'unknown';
ALTER TABLE moody ADD COLUMN more int;
ALTER TYPE kinds.mood RENAME TO "the mood";
ALTER SCHEMA kinds RENAME TO sorts;
DROP TABLE sorts.plain;
INSERT INTO moody VALUES (1);
SELECT version, columns FROM topic_schema_versions ORDER BY version;
SELECT headers FROM moody_changes;
DROP TABLE moody;
SELECT count(*) FROM topic_schema_versions;
\c :regress_database
DROP DATABASE regress_hostile;
SET client_min_messages = warning;
DROP SCHEMA evil, shop, feeds CASCADE;
DROP OWNED BY regress_hostile_owner, regress_hostile_clerk;
DROP ROLE regress_hostile_owner, regress_hostile_clerk;
