-- publish_table(), unpublish_table(): topic and triggers in one call.  File
-- under test: publish_table.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE SCHEMA publish_table;
SET search_path = publish_table, public;
CREATE FUNCTION look(topic regclass) RETURNS TABLE (key text, value text, headers jsonb) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT c.key, regexp_replace(c.value, '"xid":\d+,"ts_ms":\d+', '"xid":0,"ts_ms":0'), c.headers
                 FROM consume(topic, 'look', max_records => 100000) c;
END $$;
CREATE VIEW publishing AS
    SELECT tgrelid::regclass AS table, tgname, pg_get_triggerdef(oid, true) FROM pg_trigger
    WHERE tgfoid = 'publish_changes'::regproc AND tgparentid = 0 ORDER BY 1, 2;

-- with nothing but the table
CREATE TABLE accounts (aid int PRIMARY KEY, balance numeric);
INSERT INTO accounts VALUES (1, 1.50);
SELECT publish_table('accounts');
SELECT tgname, pg_get_triggerdef FROM publishing;
SELECT topic, partitions, cleanup_policy, key_type, value_type, config FROM pg_topics WHERE topic = 'accounts_changes'::regclass;
INSERT INTO accounts VALUES (2, 2.50);
UPDATE accounts SET balance = 3 WHERE aid = 1;
TRUNCATE accounts;
SELECT key, value FROM look('accounts_changes');
SELECT value -> 'source' ->> 'table' AS table, value -> 'after' AS after FROM accounts_changes WHERE value ->> 'op' = 'u';
-- not twice
SELECT publish_table('accounts');
-- the topic is not dropped while triggers need it
DROP FOREIGN TABLE accounts_changes;
SELECT unpublish_table('accounts');
SELECT unpublish_table('accounts');
INSERT INTO accounts VALUES (4, 4);
SELECT count(*) FROM look('accounts_changes');
DROP FOREIGN TABLE accounts_changes;

-- all arguments; the rows that are there first, once each
INSERT INTO accounts VALUES (1, 1), (2, NULL);
SELECT publish_table('accounts', topic => 'rows', format => 'row', key => 'aid', columns => 'aid,balance', headers => 'operation,schema_version',
                     snapshot => true, partitions => 2, config => '{"segment.bytes": 1000000}');
SELECT topic, partitions, cleanup_policy, config FROM pg_topics WHERE topic = 'rows'::regclass;
UPDATE accounts SET balance = 5 WHERE aid = 2;
DELETE FROM accounts WHERE aid = 1;
SELECT key, value, headers FROM look('rows') ORDER BY key, headers ->> 'operation' DESC;
SELECT key, value FROM latest(NULL::rows) ORDER BY key;
TRUNCATE accounts;
-- a second topic of the same table, by statement; one is taken back
SELECT publish_table('accounts', topic => 'by_statement', before => 'full', exclude => 'balance', for_each => 'statement', snapshot => true);
SELECT tgname, pg_get_triggerdef FROM publishing;
UPDATE accounts SET balance = balance + 1;
SELECT key, value FROM look('by_statement') ORDER BY 1, 2;
SELECT unpublish_table('accounts', 'rows');
SELECT tgname FROM publishing;
-- and with the topic, by CASCADE
DROP FOREIGN TABLE by_statement CASCADE;
SELECT tgname FROM publishing;

-- a topic that exists is used as it is; names that need quotes
CREATE SCHEMA "other schema";
SELECT create_topic('"other schema"."the topic"', partitions => 3);
SELECT publish_table('accounts', '"other schema"."the topic"', format => 'row');
SELECT topic, partitions, cleanup_policy FROM pg_topics WHERE topic = '"other schema"."the topic"'::regclass;
UPDATE accounts SET balance = 7;
SELECT key, value FROM look('"other schema"."the topic"') ORDER BY 1;
SELECT unpublish_table('accounts');
CREATE TABLE "it's a ""table""" ("the ""key""" int PRIMARY KEY, v text);
INSERT INTO "it's a ""table""" VALUES (1, 'x');
SELECT publish_table('"it''s a ""table"""', key => '"the ""key"""', snapshot => true);
SELECT key, value FROM look('"it''s a ""table""_changes"');
SELECT unpublish_table('"it''s a ""table"""');
-- a long name
CREATE TABLE a_table_with_a_name_that_is_as_long_as_a_name_can_be_in_postgres (id int PRIMARY KEY);
SELECT publish_table('a_table_with_a_name_that_is_as_long_as_a_name_can_be_in_postgres');
SELECT tgname FROM publishing;
SELECT unpublish_table('a_table_with_a_name_that_is_as_long_as_a_name_can_be_in_postgres');

-- partitions
CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 (v text, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (1) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, 'one'), (11, 'eleven');
SELECT publish_table('parts', snapshot => true);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (20) TO (30);
INSERT INTO parts VALUES (2, 'two'), (21, 'twenty-one');
SELECT key, value FROM look('parts_changes');
SELECT unpublish_table('parts_1');
SELECT unpublish_table('parts');
INSERT INTO parts VALUES (3, 'three');
SELECT count(*) FROM look('parts_changes');

-- a rolled-back call leaves nothing
BEGIN;
SELECT publish_table('accounts', topic => 'never', snapshot => true);
ROLLBACK;
SELECT to_regclass('never'), count(*) FROM publishing;

-- large values, rows out of line
CREATE TABLE large (id int PRIMARY KEY, v text);
INSERT INTO large SELECT i, string_agg(md5((i * j)::text), '') FROM generate_series(1, 20) AS i, generate_series(1, 1000) AS j GROUP BY i;
SELECT publish_table('large', format => 'row', snapshot => true);
SELECT count(*), bool_and(l.value = to_jsonb(s)) FROM latest(NULL::large_changes) l JOIN large s ON s.id::text = l.key;

-- privileges: the owner of the table; the topic is the caller's, and open to the owner
CREATE ROLE regress_publish_table_owner;
CREATE ROLE regress_publish_table_other;
GRANT USAGE, CREATE ON SCHEMA publish_table TO regress_publish_table_owner, regress_publish_table_other;
SET ROLE regress_publish_table_owner;
CREATE TABLE owned (id int PRIMARY KEY);
CREATE TABLE owned_2 (id int PRIMARY KEY);
GRANT ALL ON owned TO regress_publish_table_other;
SELECT publish_table('owned');
SET ROLE regress_publish_table_other;
SELECT publish_table('owned', 'mine');
SELECT unpublish_table('owned');
INSERT INTO owned VALUES (1);
RESET ROLE;
SELECT publish_table('owned_2');
SET ROLE regress_publish_table_owner;
INSERT INTO owned_2 VALUES (1);
-- a topic that the owner may not produce to
RESET ROLE;
SELECT create_topic('closed');
SET ROLE regress_publish_table_owner;
SELECT publish_table('owned_2', 'closed');
RESET ROLE;

-- errors
SELECT publish_table(NULL);
SELECT publish_table('accounts', format => NULL);
SELECT publish_table(1::regclass);
CREATE VIEW a_view AS SELECT 1 AS x;
SELECT publish_table('a_view');
SELECT publish_table('accounts', 'accounts');
SELECT publish_table('accounts', 'errors', format => 'rows');
SELECT publish_table('accounts', 'errors', key => 'no');
SELECT publish_table('accounts', 'errors', for_each => 'column');
SELECT publish_table('accounts', 'errors', config => '{"no.option": 1}');
SELECT publish_table('accounts', 'errors', format => 'row', before => 'full');
CREATE TABLE keyless (a int);
SELECT publish_table('keyless', format => 'row');
SELECT to_regclass('errors'), to_regclass('keyless_changes'), count(*) FROM publishing WHERE tgname LIKE '%errors%';


-- no key: the old row
SELECT publish_table('keyless');
INSERT INTO keyless VALUES (1);
UPDATE keyless SET a = 2;
DELETE FROM keyless;
SELECT key, value FROM look('keyless_changes');

SELECT publish_table('keyless', 'keyless_3', partitions => 3);
SELECT unpublish_table('keyless');

-- keys that do not tell the rows
CREATE TABLE loose (id int PRIMARY KEY DEFERRABLE, a int, b int, UNIQUE (a, b), EXCLUDE USING btree (b WITH =));
CREATE UNIQUE INDEX ON loose (a) WHERE a > 0;
CREATE UNIQUE INDEX ON loose (b, (a + 1));
SELECT publish_table('loose', 'loose_1', key => 'id');
SELECT publish_table('loose', 'loose_2', key => 'id', for_each => 'statement');
SELECT publish_table('loose', 'loose_3', 'row', key => 'a');
SELECT publish_table('loose', 'loose_4', 'row', key => 'b, a');
SELECT publish_table('loose', 'loose_5', key => 'b', before => 'full');
SELECT publish_table('loose', 'loose_6', key => 'b, a, id');
DROP TABLE loose;

-- another key, and the end of all keys, in their partitions
CREATE TABLE spread (id int PRIMARY KEY, v text);
SELECT publish_table('spread', partitions => 3, before => 'none');
INSERT INTO spread VALUES (1, 'one'), (2, 'two');
UPDATE spread SET id = id + 100;
TRUNCATE spread;
SELECT partition, key, value ->> 'op' AS op, value #>> '{after,v}' AS v FROM spread_changes ORDER BY partition, record_offset;
-- a topic is published already
SELECT publish_table('spread_changes');

-- another trigger that changes the same rows: in order, or refused
CREATE FUNCTION count_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        UPDATE counted SET n = n + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TABLE counted (id int PRIMARY KEY, n int);
CREATE TRIGGER before_all AFTER INSERT OR UPDATE ON counted FOR EACH ROW EXECUTE FUNCTION count_again();
CREATE TRIGGER zz_after_all AFTER INSERT OR UPDATE ON counted FOR EACH STATEMENT EXECUTE FUNCTION count_again();
SELECT publish_table('counted', 'counted_rows', 'row');
INSERT INTO counted VALUES (1, 0), (2, 10);
SELECT key, value FROM counted_rows;
UPDATE counted SET n = n * 10;
SELECT count(*) FROM latest(NULL::counted_rows) l JOIN counted c ON l.key = c.id::text AND l.value = to_jsonb(c);
SELECT unpublish_table('counted');
SELECT publish_table('counted', 'counted_rows', 'row', for_each => 'statement');
UPDATE counted SET n = n + 1;
SELECT unpublish_table('counted');
CREATE TRIGGER by_hand AFTER INSERT OR UPDATE OR DELETE ON counted FOR EACH ROW
    EXECUTE FUNCTION publish_changes('counted_rows', 'format=row');
UPDATE counted SET n = n + 1 WHERE id = 1;
COPY counted FROM stdin;
3	0
\.
DROP TRIGGER before_all ON counted;
DROP TRIGGER zz_after_all ON counted;
UPDATE counted SET n = n + 1;
BEGIN;
DELETE FROM counted;
COPY counted FROM stdin;
1	5
2	6
\.
UPDATE counted SET id = 3 WHERE id = 1;
COMMIT;
SELECT key, value FROM latest(NULL::counted_rows);

-- a row that is too large for the topic: an error, the key alone, or nothing
CREATE TABLE sized (id int PRIMARY KEY, v text, more text);
SELECT publish_table('sized', config => '{"max.message.bytes": 1000}');
DO $$ BEGIN
    INSERT INTO sized VALUES (1, repeat('x', 2000));
EXCEPTION WHEN OTHERS THEN      -- the envelope has a transaction id, and so as many bytes
    RAISE NOTICE '% %', sqlstate, regexp_replace(sqlerrm, '\d+ bytes', 'N bytes');
END $$;
SELECT unpublish_table('sized');
SELECT publish_table('sized', on_large => 'key_only', before => 'full');
INSERT INTO sized VALUES (1, repeat('x', 2000)), (2, 'small');
UPDATE sized SET v = 'small' WHERE id = 1;
UPDATE sized SET v = repeat('x', 2000), id = 3 WHERE id = 1;
UPDATE sized SET more = 'm';
DELETE FROM sized;
SELECT key, value, headers FROM look('sized_changes');
SELECT publish_table('sized', 'sized_rows', 'row', on_large => 'key_only', headers => 'operation', for_each => 'statement',
                     config => '{"max.message.bytes": 1000, "compression.type": "lz4"}');
INSERT INTO sized VALUES (1, repeat('x', 2000)), (2, 'small'), (3, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 100) i)), (4, 'small');
SELECT key, left(value, 20) AS value, headers FROM look('sized_rows');
SELECT unpublish_table('sized');
SELECT publish_table('sized', 'sized_rows', 'row', on_large => 'skip', snapshot => true);
UPDATE sized SET v = v || 'y';
DELETE FROM sized;
SELECT key, left(value, 20) AS value, headers FROM look('sized_rows');
-- not what has no key, or is larger with the key alone
SELECT publish_table('keyless', 'keyless_rows', on_large => 'key_only');
SELECT publish_table('keyless', 'keyless_rows', on_large => 'truncate');
SELECT unpublish_table('sized');
SELECT publish_table('sized', 'sized_changes', key => 'v', on_large => 'key_only');
DO $$ BEGIN
    INSERT INTO sized VALUES (1, repeat('x', 2000));
EXCEPTION WHEN OTHERS THEN      -- the envelope has a transaction id, and so as many bytes
    RAISE NOTICE '% %', sqlstate, regexp_replace(sqlerrm, '\d+ bytes', 'N bytes');
END $$;

-- publish_row() stands in triggers' conditions alone
SELECT publish_row(NULL, ROW(1, 2)::counted, 'counted_rows');
SELECT publish_row(NULL, c.*, 'counted_rows') FROM counted c;
SELECT publish_row(c.*, c.*, 'counted_rows') FROM counted c LEFT JOIN (VALUES (1)) v (i) ON c.id = v.i;
CREATE TRIGGER wrong AFTER INSERT ON counted FOR EACH ROW WHEN (publish_row(NULL, NEW.*, 'counted_rows'))
    EXECUTE FUNCTION count_again();
INSERT INTO counted VALUES (9, 9);

-- many in one transaction: no statement looks at the columns of all tables before it
BEGIN;
SELECT create_topic('many_changes');
SET LOCAL client_min_messages = warning;
DO $$ BEGIN
    FOR i IN 1 .. 20 LOOP
        EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY)', i);
        PERFORM publish_table(('many_' || i)::regclass, 'many_changes');
    END LOOP;
END $$;
SELECT sum(seq_scan + idx_scan) < 300 AS few_scans FROM pg_stat_xact_all_tables WHERE relname = 'topic_schema_versions';
ROLLBACK;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA publish_table, "other schema" CASCADE;
DROP ROLE regress_publish_table_owner, regress_publish_table_other;
