SET statement_timeout = '30s';
-- INSERT, COPY FROM and TRUNCATE of a topic, UPDATE and DELETE refused: src/query/topic_modify.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

SELECT create_topic('insert_log', partitions => 3);

-- the columns by name; what is left out is chosen
INSERT INTO insert_log (key, value) VALUES ('a', '1'), ('a', '2'), ('a', '3');
SELECT count(DISTINCT partition) AS partitions, array_agg(value ORDER BY record_offset) FROM insert_log;
SELECT count(*) FROM insert_log WHERE record_timestamp BETWEEN now() - interval '1 minute' AND now() + interval '1 minute';
INSERT INTO insert_log VALUES (2, NULL, '2024-01-01 00:00:00.001', 'b', 'all columns', '{"h": "1"}');
INSERT INTO insert_log (value, headers, partition) VALUES (NULL, NULL, 1), ('null key', '{}', 1);
INSERT INTO insert_log (partition) VALUES (1);
SELECT partition, record_offset, key, value, headers FROM insert_log WHERE partition > 0 AND key IS DISTINCT FROM 'a' ORDER BY 1, 2;
SELECT record_timestamp FROM insert_log WHERE key = 'b';

-- a statement's records have one time, a transaction is appended as a whole
SELECT count(DISTINCT record_timestamp) FROM insert_log WHERE key = 'a';
BEGIN;
INSERT INTO insert_log (key, value) SELECT 'tx', i FROM generate_series(1, 1000) i;
ROLLBACK;
SELECT count(*) FROM insert_log WHERE key = 'tx';
BEGIN;
SAVEPOINT one;
INSERT INTO insert_log (key, value) VALUES ('tx', 'lost');
ROLLBACK TO one;
INSERT INTO insert_log (key, value) VALUES ('tx', 'kept');
COMMIT;
SELECT value FROM insert_log WHERE key = 'tx';
-- a failing row takes the whole statement with it
INSERT INTO insert_log (key, value, partition) VALUES ('bad', 'x', 0), ('bad', 'y', 3);
SELECT count(*) FROM insert_log WHERE key = 'bad';
-- from the topic itself
INSERT INTO insert_log (partition, key, value) SELECT 0, 'copied', value FROM insert_log WHERE key = 'a' ORDER BY record_offset;
SELECT array_agg(value ORDER BY record_offset) FROM insert_log WHERE key = 'copied';

-- RETURNING knows the partition and the time, but no offset yet
INSERT INTO insert_log (key, value, record_timestamp) VALUES ('r', 'v', '2024-01-02') RETURNING partition IN (0, 1, 2) AS chosen, record_offset, record_timestamp, value;
INSERT INTO insert_log (key, value) VALUES ('r', 'v') RETURNING partition IS NOT NULL AS chosen, record_timestamp IS NOT NULL AS timed, key;
WITH new AS (INSERT INTO insert_log (partition, value) SELECT 1, i FROM generate_series(1, 3) i RETURNING *)
SELECT partition, value, record_offset FROM new;
INSERT INTO insert_log (partition, value) VALUES (1, 'whole row') RETURNING (insert_log).value;
-- so do triggers and check options
CREATE FUNCTION insert_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% %: partition known %, %', TG_WHEN, TG_OP, NEW.partition IS NOT NULL, NEW.value;
    NEW.value := NEW.value || '!';
    RETURN NEW;
END $$;
CREATE TRIGGER insert_before BEFORE INSERT ON insert_log FOR EACH ROW EXECUTE FUNCTION insert_notice();
CREATE TRIGGER insert_after AFTER INSERT ON insert_log FOR EACH ROW EXECUTE FUNCTION insert_notice();
INSERT INTO insert_log (key, value) VALUES ('t', 'triggered');
INSERT INTO insert_log (key, value) SELECT 't', i FROM generate_series(1, 3) i RETURNING key, value;
COPY insert_log (key, value) FROM stdin;
t	copied
\.
SELECT value FROM insert_log WHERE key = 't' ORDER BY record_offset;
DROP TRIGGER insert_before ON insert_log;
DROP TRIGGER insert_after ON insert_log;
DROP FUNCTION insert_notice();
CREATE VIEW insert_view AS SELECT * FROM insert_log WHERE partition < 3 WITH CHECK OPTION;
INSERT INTO insert_view (key, value) VALUES ('view', 'v');
DROP VIEW insert_view;

-- defaults of the table apply
ALTER FOREIGN TABLE insert_log ALTER COLUMN value SET DEFAULT 'by default';
INSERT INTO insert_log (key) VALUES ('d');
SELECT value FROM insert_log WHERE key = 'd';
ALTER FOREIGN TABLE insert_log ALTER COLUMN value DROP DEFAULT;
-- nothing can conflict
INSERT INTO insert_log (key) VALUES ('d') ON CONFLICT DO NOTHING;
INSERT INTO insert_log (key) VALUES ('d') ON CONFLICT (key) DO NOTHING;

-- COPY
COPY insert_log (key, value) FROM stdin;
c	one
c	two\twith tab
c	\N
\.
COPY insert_log (partition, record_timestamp, key, value, headers) FROM stdin (FORMAT csv);
2,2024-01-03 00:00:00+00,csv,"quoted, value","{""h"": ""x""}"
2,,csv,now,
\.
SELECT value FROM insert_log WHERE key = 'c' ORDER BY record_offset;
SELECT value, headers, record_timestamp = '2024-01-03' AS given FROM insert_log WHERE key = 'csv' ORDER BY record_offset;
COPY insert_log (partition, key, value) FROM stdin;
0	bad	row
5	bad	row
\.
SELECT count(*) FROM insert_log WHERE key = 'bad';
COPY (SELECT key, value FROM insert_log WHERE key = 'c' ORDER BY record_offset) TO stdout;

-- explicit offsets restore a dump: only at or past the log's end
SELECT create_topic('insert_offsets', partitions => 2);
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (0, 0, 'zero'), (0, 1, 'one'), (0, 5, 'five'), (1, 7, 'seven');
SELECT partition, record_offset, value FROM insert_offsets;
INSERT INTO insert_offsets (partition, value) VALUES (0, 'next'), (1, 'next');
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (0, 7, 'seven') RETURNING record_offset, value;
SELECT partition, record_offset, value FROM insert_offsets;
\set VERBOSITY sqlstate
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (0, 7, 'again');
\set VERBOSITY default
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (0, -1, 'negative');
COPY insert_offsets (partition, record_offset, value) FROM stdin;
0	10	ten
0	12	twelve
\.
SELECT record_offset, value FROM insert_offsets WHERE partition = 0 AND record_offset > 5;
-- offsets that do not ascend within a transaction
\set VERBOSITY sqlstate
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (0, 21, 'x'), (0, 20, 'y');
\set VERBOSITY default
SELECT count(*) FROM insert_offsets WHERE record_offset >= 20;
-- given and not given ones together
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (1, NULL, 'a'), (1, 20, 'b'), (1, NULL, 'c');
SELECT record_offset, value FROM insert_offsets WHERE partition = 1 AND record_offset > 8;

-- no offset that is given ends the log
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (1, 9223372036854775807, 'x');
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (1, 4611686018427387905, 'x');
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (1, 4611686018427387904, 'the last that can be given');
INSERT INTO insert_offsets (partition, value) SELECT 1, i FROM generate_series(1, 3) i;
SELECT record_offset, value FROM insert_offsets WHERE partition = 1 AND record_offset > 4000000000000000000;
INSERT INTO insert_offsets (partition, record_offset, value) VALUES (1, 4611686018427387908, 'x');
SELECT count(*) FROM verify_topic('insert_offsets');
-- nor makes it queries that go through all offsets one by one
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*), max(record_offset) FROM insert_offsets;
SELECT count(*) FROM insert_offsets WHERE record_offset > 8;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- TRUNCATE removes the records and goes on counting
BEGIN;
TRUNCATE insert_offsets;
ROLLBACK;
DO $$ BEGIN TRUNCATE insert_offsets; END $$;
SELECT count(*) > 0 AS still_there FROM insert_offsets;
TRUNCATE insert_offsets;
SELECT count(*) FROM insert_offsets;
INSERT INTO insert_offsets (partition, value) VALUES (0, 'after'), (1, 'after');
SELECT partition, record_offset, value FROM insert_offsets;
TRUNCATE TABLE insert_offsets RESTART IDENTITY CASCADE;
TRUNCATE insert_offsets;
INSERT INTO insert_offsets (partition, value) VALUES (0, 'after all');
SELECT partition, record_offset, value FROM insert_offsets;
DROP FOREIGN TABLE insert_offsets;

-- the rest is refused, before it looks for rows
UPDATE insert_log SET value = 'x';
DELETE FROM insert_log WHERE key = 'no such key';
DELETE FROM insert_log WHERE false;
EXPLAIN (COSTS OFF) DELETE FROM insert_log;
\set VERBOSITY sqlstate
UPDATE insert_log SET value = 'x' WHERE partition = 0;
\set VERBOSITY default
CREATE VIEW insert_view AS SELECT * FROM insert_log;
DELETE FROM insert_view;
DROP VIEW insert_view;
SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'insert_log';
BEGIN READ ONLY;
INSERT INTO insert_log (value) VALUES ('x');
ROLLBACK;
BEGIN READ ONLY;
COPY insert_log (value) FROM PROGRAM 'echo x';
ROLLBACK;
INSERT INTO insert_log (record_timestamp) VALUES ('infinity');
\set VERBOSITY sqlstate
INSERT INTO insert_log (value) VALUES (repeat('x', 2000000));
\set VERBOSITY default
INSERT INTO insert_log (headers) VALUES ('"not an object"');

-- a value column of another type checks its input
SELECT create_topic('insert_json', value_type => 'jsonb', key_type => 'int');
INSERT INTO insert_json (key, value) VALUES (1, '{"a": 1}');
INSERT INTO insert_json (key, value) VALUES (2, '{"a": ');
COPY insert_json (key, value) FROM stdin;
3	{"b": [1, 2]}
\.
COPY insert_json (key, value) FROM stdin;
4	nonsense
\.
SELECT key, value FROM insert_json;
DROP FOREIGN TABLE insert_json;

-- columns left out
CREATE FOREIGN TABLE insert_values (value text) SERVER topics;
INSERT INTO insert_values VALUES ('only'), ('values') RETURNING *;
COPY insert_values FROM stdin;
copied
\.
SELECT * FROM insert_values;
DROP FOREIGN TABLE insert_values;

-- EXPLAIN, prepared statements, many rows
EXPLAIN (COSTS OFF) INSERT INTO insert_log (value) SELECT 'x';
PREPARE insert_one(int, text) AS INSERT INTO insert_log (partition, value) VALUES ($1, $2);
EXECUTE insert_one(0, 'prepared 0');
EXECUTE insert_one(2, 'prepared 2');
EXECUTE insert_one(3, 'prepared 3');
SELECT partition, value FROM insert_log WHERE value LIKE 'prepared%' ORDER BY 1;
DEALLOCATE insert_one;
SELECT create_topic('insert_many', partitions => 2);
INSERT INTO insert_many (key, value, headers)
SELECT i, repeat('v', 100), CASE WHEN i % 100 = 0 THEN '{"h": "x"}'::jsonb END FROM generate_series(1, 50000) i;
SELECT count(*), count(DISTINCT key), sum(length(value)), count(headers) FROM insert_many;
SELECT sum(records) FROM produced();
DROP FOREIGN TABLE insert_many;

-- privileges
CREATE ROLE regress_insert_nobody;
SET ROLE regress_insert_nobody;
INSERT INTO insert_log (value) VALUES ('x');
TRUNCATE insert_log;
RESET ROLE;
DROP ROLE regress_insert_nobody;

DROP FOREIGN TABLE insert_log;
