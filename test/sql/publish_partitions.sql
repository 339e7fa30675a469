-- Partitions and children of published tables: rows come and go by changes that
-- are published, or the statement is refused.  Files under test:
-- published_partitions.c, publish_ddl.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE SCHEMA publish_partitions;
SET search_path = publish_partitions, public;
-- what a table and the topic of its rows differ by
CREATE FUNCTION differ(t text) RETURNS TABLE (key text, replica jsonb, row_is jsonb) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT l.key, l.value, to_jsonb(r) FROM ONLY %1$I r FULL JOIN latest(NULL::%2$I) l ON r.id::text = l.key
        WHERE l.value IS DISTINCT FROM to_jsonb(r) ORDER BY 1', t, t || '_changes');
END $$;

-- ---- partitions ---------------------------------------------------------------

CREATE TABLE measures (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE m_0 PARTITION OF measures FOR VALUES FROM (0) TO (10);
CREATE TABLE m_1 PARTITION OF measures FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE m_10 PARTITION OF m_1 FOR VALUES FROM (10) TO (15);
INSERT INTO measures VALUES (1, 'a'), (11, 'b');
SELECT publish_table('measures', format => 'row', snapshot => true);
CREATE FUNCTION differs() RETURNS TABLE (key text, replica jsonb, row_is jsonb) LANGUAGE sql AS $$
    SELECT l.key, l.value, to_jsonb(r) FROM measures r FULL JOIN latest(NULL::measures_changes) l ON r.id::text = l.key
    WHERE l.value IS DISTINCT FROM to_jsonb(r) $$;
-- one that comes has no rows
CREATE TABLE m_2 (v text, id int NOT NULL);
INSERT INTO m_2 VALUES ('c', 21);
ALTER TABLE measures ATTACH PARTITION m_2 FOR VALUES FROM (20) TO (30);
CREATE TABLE m_3 (id int NOT NULL, v text) PARTITION BY LIST (id);
CREATE TABLE m_31 PARTITION OF m_3 FOR VALUES IN (31);
INSERT INTO m_3 VALUES (31, 'd');
ALTER TABLE measures ATTACH PARTITION m_3 FOR VALUES FROM (30) TO (40);
DELETE FROM m_2;
ALTER TABLE measures ATTACH PARTITION m_2 FOR VALUES FROM (20) TO (30);
INSERT INTO m_2 VALUES ('c', 21);
CREATE TABLE m_11 (id int NOT NULL, v text);
INSERT INTO m_11 VALUES (16, 'e');
ALTER TABLE m_1 ATTACH PARTITION m_11 FOR VALUES FROM (15) TO (20);
-- and so one that goes
ALTER TABLE measures DETACH PARTITION m_2;
ALTER TABLE measures DETACH PARTITION m_2 CONCURRENTLY;
ALTER TABLE measures DETACH PARTITION m_1;
ALTER TABLE m_1 DETACH PARTITION m_10;
DROP TABLE m_2;
DROP TABLE m_1;
DROP TABLE m_10, m_2;
DO $$ BEGIN DROP TABLE m_2; EXCEPTION WHEN object_not_in_prerequisite_state THEN RAISE NOTICE '%', SQLERRM; END $$;
TRUNCATE m_2;
TRUNCATE m_1;
TRUNCATE m_0, m_10;
DELETE FROM m_2;
INSERT INTO m_2 VALUES ('f', 22);
SELECT * FROM differs();
DELETE FROM m_2;
ALTER TABLE measures DETACH PARTITION m_2 CONCURRENTLY;
INSERT INTO m_2 VALUES ('g', 23);
DELETE FROM measures WHERE id >= 10;
DROP TABLE m_1;
SELECT * FROM differs();
-- a trigger that is disabled publishes nothing
BEGIN;
ALTER TABLE measures DISABLE TRIGGER USER;
ALTER TABLE measures ATTACH PARTITION m_2 FOR VALUES FROM (20) TO (30);
TRUNCATE m_2;
DROP TABLE m_0;
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
DROP TABLE m_0;
ROLLBACK;
-- nor one that is not for such changes
SELECT unpublish_table('measures');
CREATE TRIGGER publish AFTER INSERT ON measures FOR EACH ROW EXECUTE FUNCTION publish_changes('measures_changes', 'format=row');
TRUNCATE m_0;
INSERT INTO measures VALUES (3, 'h');
ALTER TABLE measures DETACH PARTITION m_0;
ALTER TABLE measures ATTACH PARTITION m_0 FOR VALUES FROM (0) TO (10);
DELETE FROM m_0;
ALTER TABLE measures ATTACH PARTITION m_0 FOR VALUES FROM (0) TO (10);
INSERT INTO measures VALUES (3, 'h');
DROP TRIGGER publish ON measures;
-- the table with its partitions
SELECT publish_table('measures', 'measures_envelopes');
TRUNCATE measures, m_0;
INSERT INTO measures VALUES (4, 'i');
SELECT value ->> 'op' AS op, value -> 'after' AS after FROM measures_envelopes;
-- a key that takes all rows that refer to it
CREATE TABLE referred (id int PRIMARY KEY);
ALTER TABLE m_0 ADD FOREIGN KEY (id) REFERENCES referred NOT VALID;
TRUNCATE referred CASCADE;
SELECT count(*) FROM measures;
-- all of it
DROP TABLE measures;
DROP TABLE referred CASCADE;

-- a partition that is published by itself has its changes, from wherever they come
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_0 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (10) TO (20);
SELECT publish_table('part_0', format => 'row', config => '{"cleanup.policy": "compact"}');
INSERT INTO parted VALUES (1, 'a'), (2, 'b'), (11, 'c');
UPDATE parted SET id = id + 10 WHERE id = 2;
UPDATE parted SET id = id - 8 WHERE id = 11;
SELECT * FROM differ('part_0');
ALTER TABLE parted DETACH PARTITION part_0;
DELETE FROM part_0 WHERE id = 1;
SELECT * FROM differ('part_0');
ALTER TABLE parted ATTACH PARTITION part_0 FOR VALUES FROM (0) TO (10);
-- for each statement: not those whose rows other tables' statements change
SELECT publish_table('parted', for_each => 'statement');
SELECT publish_table('part_1', for_each => 'statement');
CREATE TABLE part_2 (id int NOT NULL PRIMARY KEY, v text);
SELECT publish_table('part_2', for_each => 'statement');
ALTER TABLE parted ATTACH PARTITION part_2 FOR VALUES FROM (20) TO (30);
DROP TABLE parted, part_2 CASCADE;

-- a statement inside of an ALTER TABLE is none of its subcommands
CREATE TABLE nested (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE nested_0 PARTITION OF nested DEFAULT;
INSERT INTO nested VALUES (1);
CREATE FUNCTION publish_nested() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM publish_table('nested'); END $$;
CREATE EVENT TRIGGER regress_publish_nested ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION publish_nested();
ALTER TABLE nested ADD v text;
DROP EVENT TRIGGER regress_publish_nested;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'nested_0'::regclass;
DROP TABLE nested;

-- ---- rows that do not last -----------------------------------------------------

CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY, v text);
SELECT publish_table('fleeting', format => 'row');
ALTER TABLE fleeting SET LOGGED;
SELECT publish_table('fleeting', format => 'row');
ALTER TABLE fleeting SET UNLOGGED;
ALTER TABLE fleeting DISABLE TRIGGER ALL;
ALTER TABLE fleeting SET UNLOGGED;
ALTER TABLE fleeting ENABLE TRIGGER ALL;
SELECT unpublish_table('fleeting');
ALTER TABLE fleeting SET LOGGED;
ALTER TABLE fleeting SET UNLOGGED;
CREATE TRIGGER publish AFTER INSERT OR UPDATE ON fleeting FOR EACH ROW EXECUTE FUNCTION publish_changes('fleeting_changes');
DROP TABLE fleeting;
CREATE TEMP TABLE fleeting (id int PRIMARY KEY) ON COMMIT DELETE ROWS;
CREATE TRIGGER publish AFTER DELETE ON fleeting FOR EACH ROW EXECUTE FUNCTION publish_changes('publish_partitions.fleeting_changes');
DROP TABLE fleeting;
CREATE TABLE lasting (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE UNLOGGED TABLE l_0 (id int NOT NULL, v text);
SELECT publish_table('lasting', format => 'row');
CREATE UNLOGGED TABLE l_1 PARTITION OF lasting FOR VALUES FROM (0) TO (10);
ALTER TABLE lasting ATTACH PARTITION l_0 FOR VALUES FROM (0) TO (10);
ALTER TABLE l_0 SET LOGGED;
ALTER TABLE lasting ATTACH PARTITION l_0 FOR VALUES FROM (0) TO (10);
ALTER TABLE l_0 SET UNLOGGED;
DROP TABLE lasting;

-- ---- children ------------------------------------------------------------------

CREATE TABLE parents (id int PRIMARY KEY, v text);
CREATE TABLE children (PRIMARY KEY (id)) INHERITS (parents);
INSERT INTO parents VALUES (1, 'p');
INSERT INTO children VALUES (2, 'c');
SELECT publish_table('parents', for_each => 'statement');
SELECT publish_table('children', for_each => 'statement');
SELECT publish_table('parents', format => 'row', snapshot => true);
SELECT publish_table('children', format => 'row', snapshot => true);
UPDATE parents SET v = upper(v);
INSERT INTO children VALUES (3, 'd');
UPDATE ONLY parents SET id = 10;
UPDATE parents SET id = id + 100 WHERE id = 2;
DELETE FROM parents WHERE id = 3;
SELECT * FROM differ('parents');
SELECT * FROM differ('children');
SELECT unpublish_table('parents'), unpublish_table('children');
ALTER TABLE children NO INHERIT parents;
SELECT publish_table('parents', for_each => 'statement');
ALTER TABLE children INHERIT parents;
CREATE TABLE more_children () INHERITS (parents);
SELECT unpublish_table('parents'), publish_table('children', 'by_statement', for_each => 'statement');
ALTER TABLE children INHERIT parents;
SELECT unpublish_table('children');
ALTER TABLE children INHERIT parents;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA publish_partitions CASCADE;
