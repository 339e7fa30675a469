-- Topics as foreign tables: create, alter, rename, drop, and what a rollback
-- leaves.  Files under test: topic_ddl.c, topic_drop.c, create_topic.c, topic.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- how many of a topic's partitions have files
CREATE FUNCTION ddl_directories(topic_oid oid) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*)
      FROM pg_database d,
           pg_ls_dir(current_setting('pg_topics.log_dir') || '/' || d.oid, true, false) AS name
     WHERE d.datname = current_database() AND name LIKE topic_oid || '-%'
$$;

-- both ways to make one
SELECT create_topic('ddl_a', partitions => 3, config => '{"retention.ms": 60000, "segment.bytes": "1048576"}');
\d ddl_a
CREATE FOREIGN TABLE ddl_b (value jsonb, key uuid) SERVER topics;
SELECT topic, partitions, cleanup_policy, key_type, value_type, config
  FROM pg_topics WHERE topic::text LIKE 'ddl\_%' ORDER BY topic::text;

-- names: qualified, quoted, taken, missing
CREATE SCHEMA ddl_schema;
SELECT create_topic('ddl_schema.t', key_type => 'bytea', value_type => 'character varying');
SELECT create_topic('"ddl Quoted"', value_type => 'char');
SELECT create_topic('ddl_missing.t');
SELECT create_topic('ddl_none.ddl_missing.t');
SELECT create_topic('not a name');
SELECT create_topic('');
SELECT create_topic('My Topic');
-- a name that would be cut off is refused; one that just fits is not
SELECT create_topic(repeat('n', 64));
SELECT create_topic(repeat('s', 64) || '.t');
SELECT create_topic('"' || repeat('é', 32) || '"');
SELECT create_topic(repeat('n', 63));
SELECT drop_topic(repeat('n', 64), true);
SELECT drop_topic(repeat('n', 63), true);
-- options of Kafka's topics that ours do not have say why
SELECT create_topic('ddl_factor', config => '{"replication.factor": 3}');
SELECT create_topic('ddl_factor', config => '{"remote.copy.lag.ms": 1000}');
SELECT create_topic('ddl_factor', config => '{"retention.ms": "7 days"}');
-- a relation that is no topic has the name; a topic has been dropped
CREATE TABLE ddl_no_topic ();
SELECT create_topic('ddl_no_topic');
DROP TABLE ddl_no_topic;
SELECT create_topic('ddl_dropped');
DO $$
DECLARE id regclass := 'ddl_dropped';
BEGIN
    PERFORM produce(id, 'v');
    PERFORM drop_topic(id);
    PERFORM consume(id, 'g');
END $$;
SELECT create_topic('ddl_a');
SELECT create_topic('ddl_a', if_not_exists => true);
CREATE TABLE ddl_table (id int);
SELECT create_topic('ddl_table', if_not_exists => true);
SELECT create_topic('ddl_c', partitions => NULL);
SELECT create_topic('ddl_c', key_type => 0::regtype);
SELECT create_topic('ddl_c', key_type => 'anyelement');
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
 WHERE attrelid = 'ddl_schema.t'::regclass AND attnum > 0 ORDER BY attnum;
DROP FOREIGN TABLE "ddl Quoted";

-- a topic is a topic and nothing else
SELECT alter_topic('ddl_table', '{"retention.ms": 1}');
SELECT drop_topic('ddl_table');
SELECT drop_topic('ddl_table', if_exists => true);
SELECT drop_topic('ddl_nothing', if_exists => true);
SELECT drop_topic('ddl_nothing', if_exists => false);
SELECT drop_topic(0::regclass);

-- columns
CREATE FOREIGN TABLE ddl_c (payload text) SERVER topics;
CREATE FOREIGN TABLE ddl_c (partition bigint, value text) SERVER topics;
CREATE FOREIGN TABLE ddl_c (record_offset int, value text) SERVER topics;
CREATE FOREIGN TABLE ddl_c (record_timestamp timestamp, value text) SERVER topics;
CREATE FOREIGN TABLE ddl_c (value text, headers text) SERVER topics;
CREATE FOREIGN TABLE ddl_c () SERVER topics;
CREATE FOREIGN TABLE ddl_c (key text, value text GENERATED ALWAYS AS (key) STORED) SERVER topics;
CREATE FOREIGN TABLE ddl_c (key int GENERATED ALWAYS AS IDENTITY, value text) SERVER topics;
CREATE FOREIGN TABLE ddl_c (value text NOT NULL DEFAULT 'x' CHECK (value <> ''), key serial) SERVER topics;
ALTER FOREIGN TABLE ddl_c ADD COLUMN payload text;
ALTER FOREIGN TABLE ddl_c RENAME COLUMN value TO payload;
ALTER FOREIGN TABLE ddl_c ADD COLUMN headers json;
ALTER TABLE ddl_c ADD COLUMN headers jsonb, ADD COLUMN record_offset bigint;
ALTER TABLE ddl_c ALTER COLUMN record_offset TYPE int;
ALTER TABLE ddl_c ALTER COLUMN value TYPE jsonb USING NULL;
ALTER TABLE ddl_c DROP COLUMN record_offset, DROP COLUMN key, DROP COLUMN headers;
ALTER TABLE ddl_c DROP COLUMN value;
ALTER TABLE ddl_c ADD COLUMN key text, DROP COLUMN value;
\d ddl_c
DROP FOREIGN TABLE ddl_c;

-- no part in inheritance or partitioning
CREATE TABLE ddl_parent (value text);
CREATE FOREIGN TABLE ddl_c () INHERITS (ddl_parent) SERVER topics;
CREATE FOREIGN TABLE ddl_c (value text) SERVER topics;
ALTER FOREIGN TABLE ddl_c INHERIT ddl_parent;
CREATE TABLE ddl_child () INHERITS (ddl_c);
CREATE TABLE ddl_partitioned (value text) PARTITION BY LIST (value);
ALTER TABLE ddl_partitioned ATTACH PARTITION ddl_c DEFAULT;
CREATE FOREIGN TABLE ddl_d PARTITION OF ddl_partitioned DEFAULT SERVER topics;
DROP TABLE ddl_parent, ddl_partitioned;
DROP FOREIGN TABLE ddl_c;

-- other foreign tables are none of our business
CREATE FOREIGN DATA WRAPPER ddl_dummy;
CREATE SERVER ddl_dummy FOREIGN DATA WRAPPER ddl_dummy;
CREATE FOREIGN TABLE ddl_other (payload text) SERVER ddl_dummy OPTIONS (partitions '3');
ALTER FOREIGN TABLE ddl_other OPTIONS (SET partitions '1');
SELECT alter_topic('ddl_other', '{"partitions": 5}');
DROP FOREIGN DATA WRAPPER ddl_dummy CASCADE;

-- partitions can only be added
SELECT alter_topic('ddl_a', '{"partitions": 5}');
SELECT alter_topic('ddl_a', '{"partitions": 4}');
SELECT alter_topic('ddl_a', '{"partitions": null}');
ALTER FOREIGN TABLE ddl_a OPTIONS (SET partitions '2');
ALTER FOREIGN TABLE ddl_a OPTIONS (DROP partitions);
ALTER TABLE ddl_a OPTIONS (SET partitions '9'), OPTIONS (SET partitions '8');
BEGIN;
ALTER FOREIGN TABLE ddl_a OPTIONS (SET partitions '6');
SELECT produce('ddl_a', 'k', 'v', partition => 5);
ROLLBACK;
SELECT produce('ddl_a', 'k', 'v', partition => 5);

-- the server's own statements
COMMENT ON FOREIGN TABLE ddl_a IS 'a topic';
SELECT produce('ddl_a', 'k', 'v', partition => 4);
ALTER FOREIGN TABLE ddl_a RENAME TO ddl_renamed;
ALTER FOREIGN TABLE ddl_renamed SET SCHEMA ddl_schema;
SELECT partition, record_offset, key, value FROM ddl_schema.ddl_renamed;
SELECT obj_description('ddl_schema.ddl_renamed'::regclass, 'pg_class');
SELECT topic, partitions FROM pg_topics WHERE topic = 'ddl_schema.ddl_renamed'::regclass;
ALTER FOREIGN TABLE ddl_schema.ddl_renamed SET SCHEMA public;
ALTER FOREIGN TABLE ddl_renamed RENAME TO ddl_a;

-- a rolled-back CREATE leaves nothing
BEGIN;
SELECT create_topic('ddl_rolled_back');
SELECT produce('ddl_rolled_back', 'k', 'v');
SELECT 'ddl_rolled_back'::regclass::oid AS rolled_back \gset
ROLLBACK;
SELECT to_regclass('ddl_rolled_back'), ddl_directories(:rolled_back);

-- nor where records were appended already
BEGIN;
SELECT create_topic('ddl_rolled_back');
SELECT produce('ddl_rolled_back', 'k', 'v');
SELECT partition, base_offset FROM flush();
SELECT 'ddl_rolled_back'::regclass::oid AS rolled_back \gset
SELECT ddl_directories(:rolled_back);
ROLLBACK;
SELECT to_regclass('ddl_rolled_back'), ddl_directories(:rolled_back);

-- a rolled-back DROP loses nothing
SELECT 'ddl_a'::regclass::oid AS a \gset
BEGIN;
DROP FOREIGN TABLE ddl_a;
ROLLBACK;
SELECT count(*), ddl_directories(:a) > 0 AS has_files FROM ddl_a;
BEGIN;
SAVEPOINT s;
SELECT drop_topic('ddl_a');
ROLLBACK TO s;
COMMIT;
SELECT count(*), ddl_directories(:a) > 0 AS has_files FROM ddl_a;
DO $$
BEGIN
    DROP FOREIGN TABLE ddl_a;
    RAISE EXCEPTION 'undo';
EXCEPTION WHEN raise_exception THEN
    NULL;
END $$;
SELECT count(*), ddl_directories(:a) > 0 AS has_files FROM ddl_a;

-- a committed one takes files and groups along, also from a released savepoint
SELECT count(*) FROM consume('ddl_a', 'ddl_group');
SELECT count(*) > 0 AS has_offsets FROM topic_group_offsets WHERE topic = :a;
BEGIN;
SAVEPOINT s;
DROP FOREIGN TABLE ddl_a;
SELECT count(*) AS offsets FROM topic_group_offsets WHERE topic = :a;
ROLLBACK TO s;
SELECT count(*) > 0 AS has_offsets FROM topic_group_offsets WHERE topic = :a;
SAVEPOINT s2;
DROP FOREIGN TABLE ddl_a;
RELEASE s2;
COMMIT;
SELECT ddl_directories(:a);
SELECT count(*) AS offsets FROM topic_group_offsets WHERE topic = :a;

-- a prepared DROP
SELECT create_topic('ddl_p');
SELECT produce('ddl_p', 'k', 'v');
SELECT 'ddl_p'::regclass::oid AS p \gset
BEGIN;
DROP FOREIGN TABLE ddl_p;
PREPARE TRANSACTION 'ddl_drop';
ROLLBACK PREPARED 'ddl_drop';
SELECT value, ddl_directories(:p) FROM ddl_p;
BEGIN;
DROP FOREIGN TABLE ddl_p;
PREPARE TRANSACTION 'ddl_drop';
COMMIT PREPARED 'ddl_drop';
SELECT to_regclass('ddl_p');

-- dependents are respected
CREATE VIEW ddl_view AS SELECT value FROM ddl_b;
SELECT drop_topic('ddl_b');
DROP VIEW ddl_view;
SELECT drop_topic('ddl_b', if_exists => true);

-- a name used again begins empty
SELECT create_topic('ddl_e');
SELECT produce('ddl_e', 'k', 'old');
SELECT 'ddl_e'::regclass::oid AS e \gset
BEGIN;
DROP FOREIGN TABLE ddl_e;
SELECT create_topic('ddl_e');
SELECT produce('ddl_e', 'k', 'new');
COMMIT;
SELECT ddl_directories(:e);
SELECT record_offset, value FROM ddl_e;

-- created, filled and dropped in one transaction
BEGIN;
SELECT create_topic('ddl_f');
SELECT produce('ddl_f', 'k', 'v');
SELECT 'ddl_f'::regclass::oid AS f \gset
DROP FOREIGN TABLE ddl_f;
COMMIT;
SELECT ddl_directories(:f);

-- temporary topics
SELECT create_topic('pg_temp.ddl_temp');
SELECT produce('ddl_temp', 'k', 'v');
SELECT value FROM ddl_temp;
DROP FOREIGN TABLE ddl_temp;

-- in a schema's own statement, and going with the schema
CREATE SCHEMA ddl_schema2
    CREATE TABLE t (id int);
CREATE FOREIGN TABLE ddl_schema2.t2 (value text) SERVER topics OPTIONS (partitions '2');
SELECT produce('ddl_schema2.t2', 'v') IS NOT NULL;
SELECT 'ddl_schema2.t2'::regclass::oid AS t2 \gset
SET client_min_messages = warning;
DROP SCHEMA ddl_schema, ddl_schema2 CASCADE;
RESET client_min_messages;
SELECT ddl_directories(:t2);

DROP FOREIGN TABLE ddl_e;
DROP TABLE ddl_table;
DROP FUNCTION ddl_directories;
