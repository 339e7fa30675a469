-- DDL on published tables: what would stop their changes, or part them from a
-- replica, is followed or refused.  Files under test: publish_ddl.c,
-- published_columns.c, publishing_trigger.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE SCHEMA publish_ddl;
SET search_path = publish_ddl, public;
CREATE FUNCTION look(topic regclass) RETURNS TABLE (key text, value text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT c.key, regexp_replace(c.value, ', ?"source".*', '}') FROM consume(topic, 'look', max_records => 100000) c;
END $$;
CREATE VIEW publishing AS
    SELECT tgrelid::regclass AS table, tgname, replace(encode(tgargs, 'escape'), '\000', ' ') AS arguments FROM pg_trigger
    WHERE tgfoid = 'publish_changes'::regproc ORDER BY 1, 2;

-- ---- columns that options name ------------------------------------------------

CREATE TABLE people (id int PRIMARY KEY, name text, "pass,word" text, note text);
SELECT publish_table('people', exclude => '"pass,word", note');
SELECT publish_table('people', 'people_names', key => 'NAME', columns => 'name,ID', for_each => 'statement');
-- a new name is followed
ALTER TABLE people RENAME name TO "full name";
ALTER TABLE people RENAME "pass,word" TO secret;
ALTER TABLE people RENAME id TO person;
SELECT tgname, arguments FROM publishing WHERE tgname ~ 'insert|truncate';
INSERT INTO people VALUES (1, 'one', 'hidden', 'n');
SELECT key, value FROM look('people_changes');
SELECT key, value FROM look('people_names');
-- and one that is taken back
BEGIN;
ALTER TABLE people RENAME secret TO open;
ROLLBACK;
ALTER TABLE people RENAME note TO remark;
ALTER TABLE people RENAME secret TO note;
ALTER TABLE people RENAME remark TO secret;
SELECT DISTINCT arguments FROM publishing ORDER BY 1;
-- by who may alter the table and nothing else
CREATE ROLE regress_publish_ddl;
GRANT USAGE, CREATE ON SCHEMA publish_ddl TO regress_publish_ddl;
ALTER TABLE people OWNER TO regress_publish_ddl;
SET ROLE regress_publish_ddl;
ALTER TABLE people RENAME secret TO remark;
RESET ROLE;
-- what is named is not dropped
ALTER TABLE people DROP note;
ALTER TABLE people DROP COLUMN IF EXISTS "full name";
ALTER TABLE people ADD more int, DROP person;
CREATE DOMAIN shade AS text;
ALTER TABLE people ALTER remark TYPE shade, ADD other shade;
DROP DOMAIN shade;
-- what is not, is
GRANT INSERT ON people_changes, people_names TO regress_publish_ddl;
ALTER TABLE people DROP other;
INSERT INTO people VALUES (2, 'two', 'hidden', 'n');
SELECT key, value FROM look('people_changes');
-- CASCADE ends publishing to those topics
BEGIN;
DROP DOMAIN shade CASCADE;
SELECT count(*) FILTER (WHERE tgname LIKE '%people_changes%'), count(*) FILTER (WHERE tgname LIKE '%people_names%') FROM publishing;
ROLLBACK;
ALTER TABLE people DROP "full name" CASCADE;
SELECT count(*) FILTER (WHERE tgname LIKE '%people_changes%'), count(*) FILTER (WHERE tgname LIKE '%people_names%') FROM publishing;
SELECT unpublish_table('people');
ALTER TABLE people DROP note;
DROP TABLE people;

-- of partitions and children, in their order
CREATE TABLE parted (id int PRIMARY KEY, a int, b int) PARTITION BY RANGE (id);
CREATE TABLE part_1 (b int, a int, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION part_1 FOR VALUES FROM (0) TO (10);
SELECT publish_table('parted', key => 'id', exclude => 'a', for_each => 'row');
ALTER TABLE parted RENAME a TO c;
ALTER TABLE parted RENAME id TO number;
CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1, 2, 3), (11, 12, 13);
SELECT key, value FROM look('parted_changes');
SELECT DISTINCT "table", arguments FROM publishing ORDER BY 1;
ALTER TABLE parted DROP c;
DROP TABLE parted CASCADE;
CREATE TABLE parents (id int PRIMARY KEY, a int);
CREATE TABLE children (b int) INHERITS (parents);
CREATE TRIGGER publish AFTER INSERT ON children FOR EACH ROW EXECUTE FUNCTION publish_changes('parted_changes', 'columns=a', 'key=id');
ALTER TABLE parents RENAME a TO c;
INSERT INTO children VALUES (1, 2, 3);
SELECT key, value FROM look('parted_changes');
ALTER TABLE parents DROP c;
DROP TABLE parents CASCADE;

-- a schema with all of it
CREATE SCHEMA publish_gone;
CREATE DOMAIN publish_gone.shade AS text;
CREATE TABLE publish_gone.t (id int PRIMARY KEY, a publish_gone.shade);
SELECT publish_table('publish_gone.t', 'publish_gone.t_changes', exclude => 'a');
DROP SCHEMA publish_gone;
SET client_min_messages = warning;
DROP SCHEMA publish_gone CASCADE;
RESET client_min_messages;

-- ---- keys --------------------------------------------------------------------

CREATE TABLE keyed (id int, v text, PRIMARY KEY (id));
INSERT INTO keyed VALUES (1, 'one');
SELECT publish_table('keyed', format => 'row', snapshot => true);
-- the primary key is the key
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey;
ALTER TABLE keyed DROP id;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (v);
INSERT INTO keyed VALUES (2, 'two');
-- another index of the same columns
CREATE UNIQUE INDEX keyed_anew ON keyed (id);
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD CONSTRAINT keyed_pkey PRIMARY KEY USING INDEX keyed_anew;
-- types of which the text is the same
ALTER TABLE keyed ALTER id TYPE bigint;
ALTER TABLE keyed ALTER id TYPE int, ALTER v TYPE varchar(10);
INSERT INTO keyed VALUES (3, 'three');
SELECT count(*) FROM latest(NULL::keyed_changes) l JOIN keyed k ON k.id::text = l.key AND l.value = to_jsonb(k);
-- and others
ALTER TABLE keyed ALTER id TYPE text;
ALTER TABLE keyed ALTER id TYPE bigint USING id + 1;
ALTER TABLE keyed ALTER id TYPE int USING id + 1;
ALTER TABLE keyed ALTER v TYPE jsonb USING to_jsonb(v);
-- the old values of other columns come with the next change
UPDATE keyed SET v = '"other"';
SELECT key, value FROM latest(NULL::keyed_changes) ORDER BY key;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey CASCADE;
SELECT * FROM publishing;
DROP TABLE keyed;
-- a limit that cuts off spaces
CREATE TABLE spaced (id varchar(5) PRIMARY KEY);
INSERT INTO spaced VALUES ('a   ');
SELECT publish_table('spaced', format => 'row', snapshot => true);
ALTER TABLE spaced ALTER id TYPE varchar(2);
ALTER TABLE spaced ALTER id TYPE varchar(6), ALTER id SET STATISTICS 1;
ALTER TABLE spaced ALTER id TYPE text;
ALTER TABLE spaced ALTER id TYPE varchar(6);
DROP TABLE spaced;
-- names and labels that are in the keys
CREATE TYPE color AS ENUM ('red', 'green');
CREATE TABLE named (a int, b color, c text, PRIMARY KEY (a, b));
SELECT publish_table('named', 'named_rows', 'row');
SELECT publish_table('named', 'named_envelopes', key => 'c');
INSERT INTO named VALUES (1, 'red', 'x');
ALTER TABLE named RENAME a TO d;
ALTER TABLE named RENAME c TO f;
ALTER TYPE color RENAME VALUE 'red' TO 'blue';
ALTER TYPE color ADD VALUE 'yellow';
SELECT unpublish_table('named', 'named_rows');
ALTER TABLE named RENAME a TO e;
ALTER TYPE color RENAME VALUE 'red' TO 'blue';
INSERT INTO named VALUES (2, 'blue', 'y');
SELECT key, value FROM look('named_rows');
SELECT key, value FROM look('named_envelopes');
DROP TABLE named;
DROP TYPE color;
-- and in those of all partitions
CREATE TABLE paired (a int, b int, c int, v text, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
CREATE TABLE paired_1 PARTITION OF paired DEFAULT;
INSERT INTO paired VALUES (1, 2, 3, 'v');
SELECT publish_table('paired', format => 'row', snapshot => true);
SELECT publish_table('paired', 'paired_named', key => 'c,V');
ALTER TABLE paired RENAME a TO d;
ALTER TABLE paired RENAME c TO d;
DELETE FROM paired;
SELECT count(*) FROM latest(NULL::paired_changes);
SELECT unpublish_table('paired', 'paired_named');
ALTER TABLE paired RENAME c TO d;
DROP TABLE paired;
-- what a key's type is made of
CREATE TYPE color AS ENUM ('red', 'blue');
CREATE DOMAIN colors AS color[];
CREATE TYPE place AS (x int, y int);
CREATE TYPE spot AS (name text, at place);
CREATE TABLE colored (id colors PRIMARY KEY, own color);
CREATE TABLE spotted (id spot, day date, at place[], PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
CREATE TABLE spotted_1 PARTITION OF spotted DEFAULT;
CREATE TABLE bystanders (id color PRIMARY KEY, at place);
SELECT publish_table('spotted'), publish_table('colored', format => 'row');
ALTER TYPE color RENAME VALUE 'red' TO 'pink';
ALTER TYPE color ADD VALUE 'green';
ALTER TYPE place ADD ATTRIBUTE z int;
ALTER TYPE place DROP ATTRIBUTE y;
ALTER TYPE place RENAME ATTRIBUTE y TO z;
ALTER TYPE place RENAME TO location;
SELECT unpublish_table('spotted'), publish_table('spotted', 'by_day', key => 'day'), unpublish_table('colored');
ALTER TYPE location ADD ATTRIBUTE z int, DROP ATTRIBUTE y;
ALTER TYPE color RENAME VALUE 'red' TO 'pink';
-- the rows of a table can be keys of another one's
CREATE TABLE copied (copy bystanders PRIMARY KEY);
SELECT publish_table('copied');
ALTER TABLE bystanders ADD more int;
ALTER TABLE bystanders DROP at;
ALTER TABLE bystanders RENAME at TO "where";
ALTER TABLE bystanders ALTER at SET STATISTICS 1;
BEGIN;
SET LOCAL client_min_messages = warning;
DROP TYPE location CASCADE;
ROLLBACK;
DROP TABLE copied;
ALTER TABLE bystanders ADD more int, DROP at;
DROP TABLE colored, spotted, bystanders;
-- a topic's key of another type
CREATE TABLE worded (id text PRIMARY KEY);
SELECT publish_table('worded', format => 'row');
ALTER FOREIGN TABLE worded_changes ALTER key TYPE json;
ALTER FOREIGN TABLE worded_changes ALTER key TYPE varchar;
DROP TABLE worded;
ALTER FOREIGN TABLE worded_changes ALTER key TYPE json;
-- a key where there was none
CREATE TABLE unkeyed (id int, v int NOT NULL);
SELECT publish_table('unkeyed');
INSERT INTO unkeyed VALUES (1, 2);
ALTER TABLE unkeyed ADD PRIMARY KEY (id) DEFERRABLE;
INSERT INTO unkeyed VALUES (2, 2);
ALTER TABLE unkeyed DROP CONSTRAINT unkeyed_pkey, ADD PRIMARY KEY (id);
INSERT INTO unkeyed VALUES (3, 2);
SELECT key, value FROM look('unkeyed_changes');
ALTER TABLE unkeyed DROP CONSTRAINT unkeyed_pkey;
DROP TABLE unkeyed;
-- the topic's key has the type of the column
CREATE TABLE typed (id int PRIMARY KEY);
SELECT create_topic('typed_changes', key_type => 'int');
SELECT publish_table('typed');
ALTER TABLE typed ALTER id TYPE bigint;
INSERT INTO typed VALUES (1);
-- a dropped table ends publishing, and leaves the topic; a dropped function needs CASCADE
DROP FUNCTION publish_changes();
\set VERBOSITY sqlstate
DROP EXTENSION pg_topics;
\set VERBOSITY default
BEGIN;
SET LOCAL client_min_messages = warning;
DROP EXTENSION pg_topics CASCADE;
INSERT INTO typed VALUES (2);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'typed'::regclass;
ROLLBACK;
DROP TABLE typed CASCADE;
SELECT key, value FROM look('typed_changes');

-- ---- topics --------------------------------------------------------------------

CREATE SCHEMA publish_moved;
CREATE TABLE publish_moved.moved (id int PRIMARY KEY, v text) PARTITION BY LIST (id);
CREATE TABLE publish_moved.moved_1 PARTITION OF publish_moved.moved DEFAULT;
CREATE TABLE publish_moved.other (id int PRIMARY KEY);
SELECT publish_table('publish_moved.moved');
SELECT create_topic('publish_moved.by_hand');
CREATE TRIGGER by_hand AFTER INSERT ON publish_moved.moved FOR EACH ROW EXECUTE FUNCTION publish_changes('by_hand');
ALTER SCHEMA publish_moved RENAME TO "publish moved";
INSERT INTO "publish moved".moved VALUES (1, 'a');
ALTER FOREIGN TABLE "publish moved".moved_changes RENAME TO "changes of moved";
INSERT INTO "publish moved".moved VALUES (2, 'b');
ALTER FOREIGN TABLE "publish moved"."changes of moved" SET SCHEMA publish_ddl;
ALTER TABLE "publish moved".moved SET SCHEMA publish_ddl;
INSERT INTO moved VALUES (3, 'c');
SELECT key, value FROM look('"changes of moved"');
SELECT key FROM look('"publish moved".by_hand');
-- a dump has the names of now
SELECT "table", tgname, arguments FROM publishing WHERE tgname !~ 'update|delete';
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'moved'::regclass AND tgname LIKE '%insert';
-- TRUNCATE, too
TRUNCATE moved;
SELECT key, value FROM look('"changes of moved"');
-- not what the triggers could not publish to
ALTER FOREIGN TABLE "changes of moved" ALTER value TYPE int;
ALTER FOREIGN TABLE "changes of moved" ALTER value TYPE text;
DROP FOREIGN TABLE "changes of moved";
CREATE TABLE keyless (id int);
SELECT publish_table('keyless');
SELECT alter_topic('keyless_changes', '{"cleanup.policy": "compact"}');
SELECT alter_topic('keyless_changes', '{"retention.ms": 1000000}');
INSERT INTO keyless VALUES (1);
-- nor do triggers of those who may not publish to it
CREATE ROLE regress_publish_ddl_2;
CREATE TABLE others (id int);
ALTER TABLE others OWNER TO regress_publish_ddl_2;
SELECT create_topic('mine');
CREATE TRIGGER t AFTER INSERT ON others FOR EACH ROW EXECUTE FUNCTION publish_changes('mine');
SELECT alter_topic('mine', '{"cleanup.policy": "compact"}');
GRANT INSERT ON mine TO regress_publish_ddl_2;
SELECT alter_topic('mine', '{"cleanup.policy": "delete"}');
SELECT alter_topic('mine', '{"cleanup.policy": "compact"}');
-- nor those that could not before
CREATE TRIGGER nonsense AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION publish_changes('"changes of moved"', 'format=nonsense');
ALTER FOREIGN TABLE "changes of moved" ALTER value TYPE jsonb;
BEGIN;
SELECT unpublish_table('moved', '"changes of moved"');
ALTER FOREIGN TABLE "changes of moved" ALTER value TYPE int;
ROLLBACK;
DROP TRIGGER nonsense ON keyless;
SELECT unpublish_table('moved', '"changes of moved"');
DROP FOREIGN TABLE "changes of moved";
DROP FOREIGN TABLE "publish moved".by_hand CASCADE;
INSERT INTO moved VALUES (4, 'd');
DROP TABLE moved;
DROP SCHEMA "publish moved" CASCADE;

-- ---- other tables are altered as before -----------------------------------------

CREATE TABLE bystander (id int PRIMARY KEY, a int, b text);
CREATE FUNCTION do_nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON bystander FOR EACH ROW EXECUTE FUNCTION do_nothing('topic', 'key=a', 'exclude=b');
ALTER TABLE bystander RENAME b TO c;
ALTER TABLE bystander DROP a, DROP c, ALTER id TYPE text;
ALTER TABLE bystander DROP CONSTRAINT bystander_pkey;
SELECT tgargs = 'topic\000key=a\000exclude=b\000'::bytea FROM pg_trigger WHERE tgrelid = 'bystander'::regclass;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA publish_ddl CASCADE;
DROP ROLE regress_publish_ddl, regress_publish_ddl_2;
