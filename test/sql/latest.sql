-- latest(): a topic as a table, the last record of each key.  Files under
-- test: latest.c, key_map.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- the last record of each key; none for a tombstone, none without a key; a
-- tombstone is not the end: a value may follow
CREATE FOREIGN TABLE latest_prices (record_offset bigint, key text, value text, headers jsonb) SERVER topics;
SELECT * FROM latest(NULL::latest_prices);
SELECT produce('latest_prices', k, v) FROM (VALUES
    ('book', '10'), ('pen', '1'), ('book', '11'), (NULL, 'no key'), ('', 'empty key'), ('cup', '5')) AS r(k, v);
SELECT produce('latest_prices', 'book', '12', headers => '{"by": "ann"}');
SELECT record_offset, key, value, headers FROM latest(NULL::latest_prices);
SELECT produce('latest_prices', 'pen', NULL);
SELECT produce('latest_prices', 'cup', NULL);
SELECT produce('latest_prices', 'cup', '');
SELECT record_offset, key, value FROM latest(NULL::latest_prices);
SELECT count(*) FROM latest_prices;

-- keys of every length around where they are no longer kept as they are
SELECT count(produce('latest_prices', repeat('k', n), n::text)) FROM generate_series(13, 18) AS n, generate_series(1, 2);
SELECT length(key), value FROM latest(NULL::latest_prices) WHERE key LIKE 'k%';

-- what rolled back does not count, at once or to a savepoint
BEGIN;
SELECT produce('latest_prices', 'book', 'rolled back');
ROLLBACK;
BEGIN;
SELECT produce('latest_prices', 'book', '13');
SAVEPOINT s;
SELECT produce('latest_prices', 'book', 'rolled back');
ROLLBACK TO s;
COMMIT;
-- nor what was appended before the rollback: a batch that readers skip
BEGIN;
SELECT produce('latest_prices', 'book', 'flushed and rolled back');
SELECT count(*) FROM flush();
ROLLBACK;
SELECT value FROM latest(NULL::latest_prices) WHERE key = 'book';

-- a transaction does not see its own records, flushed or not
BEGIN;
SELECT produce('latest_prices', 'book', '14');
SELECT value FROM latest(NULL::latest_prices) WHERE key = 'book';
SELECT count(*) FROM flush();
SELECT value FROM latest(NULL::latest_prices) WHERE key = 'book';
COMMIT;
SELECT value FROM latest(NULL::latest_prices) WHERE key = 'book';

-- each partition has its own last record of a key
CREATE FOREIGN TABLE latest_parts (partition int, record_offset bigint, key text, value text)
SERVER topics OPTIONS (partitions '3');
SELECT produce('latest_parts', 'k', 'in ' || p || ', ' || n, partition => p)
FROM generate_series(0, 2) AS p, generate_series(1, 2) AS n;
SELECT produce('latest_parts', 'k', NULL, partition => 1);
SELECT * FROM latest(NULL::latest_parts);

-- the topic's own columns and types: keys are compared by the bytes that are stored
CREATE TYPE latest_place AS (street text, number int);
CREATE FOREIGN TABLE latest_typed (value numeric, key latest_place) SERVER topics;
INSERT INTO latest_typed (key, value) VALUES (('Elm', 1), 1.5), (('Elm', 2), 2.5), (('Elm', 1), 3.50);
SELECT (key).street, (key).number, value + 1 AS next FROM latest(NULL::latest_typed);
SELECT pg_typeof(t) FROM latest(NULL::latest_typed) AS t LIMIT 1;
CREATE FOREIGN TABLE latest_json (key jsonb, value jsonb) SERVER topics;
INSERT INTO latest_json VALUES ('{"a":1,"b":2}', '1'), ('{ "b": 2, "a": 1 }', '2'), ('{"b": 2}', '3'), ('{"b": 2}', 'null');
SELECT * FROM latest(NULL::latest_json);
CREATE FOREIGN TABLE latest_bytes (key bytea, value bytea) SERVER topics;
INSERT INTO latest_bytes VALUES ('\x00', '\x01'), ('\x0000', '\x02'), ('\x', '\x03'), ('\x00', '\xff');
SELECT * FROM latest(NULL::latest_bytes);
-- columns may be left out, also the key
CREATE FOREIGN TABLE latest_values (value text) SERVER topics;
SELECT produce('latest_values', 'k' || n % 2, n::text) FROM generate_series(1, 4) AS n;
SELECT * FROM latest(NULL::latest_values);

-- compressed batches, many keys, short and long, and memory for few of them:
-- the same as a query gives
CREATE FOREIGN TABLE latest_many (partition int, record_offset bigint, key text, value text)
SERVER topics OPTIONS (partitions '2', "segment.bytes" '65536', "compression.type" 'lz4');
INSERT INTO latest_many (key, value)
SELECT CASE WHEN n % 3 = 0 THEN repeat('long', 5) ELSE 'k' END || (n::bigint * 7919 % 9000),
       CASE WHEN n % 11 > 0 THEN n::text END
FROM generate_series(1, 30000) AS n;
CREATE VIEW latest_expected AS
SELECT * FROM (SELECT DISTINCT ON (partition, key) * FROM latest_many ORDER BY partition, key, record_offset DESC) AS r
WHERE value IS NOT NULL;
CREATE FUNCTION latest_differs() RETURNS TABLE (rows bigint, missing bigint, wrong bigint)
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM latest(NULL::latest_many)),
           (SELECT count(*) FROM (SELECT * FROM latest_expected EXCEPT ALL SELECT * FROM latest(NULL::latest_many)) AS m),
           (SELECT count(*) FROM (SELECT * FROM latest(NULL::latest_many) EXCEPT ALL SELECT * FROM latest_expected) AS w);
END;
SELECT * FROM latest_differs();
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT * FROM latest_differs();
RESET work_mem;
RESET hash_mem_multiplier;

-- as a table: joined, in a transaction that may not write
BEGIN READ ONLY;
SELECT p.value AS price, v.value AS last FROM latest(NULL::latest_prices) p JOIN latest(NULL::latest_values) v ON p.value::int > v.value::int
WHERE p.key = 'book' ORDER BY 2;
COMMIT;

-- TRUNCATE forgets keys
TRUNCATE latest_values;
SELECT * FROM latest(NULL::latest_values);
SELECT produce('latest_values', 'k0', 'again');
SELECT * FROM latest(NULL::latest_values);

-- who may read may
CREATE ROLE regress_latest;
SET ROLE regress_latest;
SELECT * FROM latest(NULL::latest_values);
RESET ROLE;
GRANT SELECT ON latest_values TO regress_latest;
SET ROLE regress_latest;
SELECT * FROM latest(NULL::latest_values);
RESET ROLE;

-- what is no topic
CREATE TABLE latest_table (key text);
SELECT * FROM latest(NULL::latest_table);
SELECT * FROM latest(NULL::latest_place);
SELECT * FROM latest(1);
SELECT * FROM latest(NULL);

DROP FUNCTION latest_differs();
DROP VIEW latest_expected;
DROP FOREIGN TABLE latest_prices, latest_parts, latest_typed, latest_json, latest_bytes, latest_values, latest_many;
DROP TABLE latest_table;
DROP TYPE latest_place;
DROP ROLE regress_latest;
