-- publish_changes(): a table's changes in a topic.  Files under test:
-- publish_changes.c, change_record.c, change_publisher.c, change_json.c,
-- schema_version.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY default

CREATE SCHEMA publish;
SET search_path = publish, public;

-- what a topic has got since the last look, without what differs at each run
CREATE FUNCTION changes(topic regclass) RETURNS TABLE (key text, value text, headers jsonb) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT c.key, regexp_replace(c.value, '"xid":\d+,"ts_ms":\d+', '"xid":0,"ts_ms":0'),
                        c.headers - 'xid'
                 FROM consume(topic, 'changes', max_records => 100000) c;
END $$;

-- ---- envelopes -------------------------------------------------------------

CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler text);
SELECT create_topic('account_changes');
CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION publish_changes('account_changes', 'key=aid', 'format=envelope');
CREATE TRIGGER publish_truncate AFTER TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('account_changes');
INSERT INTO accounts VALUES (1, 1, 0, 'a'), (2, 1, 0, NULL);
UPDATE accounts SET abalance = 10 WHERE aid = 1;
UPDATE accounts SET aid = 3 WHERE aid = 2;
DELETE FROM accounts WHERE aid = 1;
TRUNCATE accounts;
SELECT key, value FROM changes('account_changes');
-- xid and ts_ms are the transaction's and the record's
BEGIN;
INSERT INTO accounts VALUES (1, 1, 0, 'a');
SELECT pg_current_xact_id() AS xid \gset
COMMIT;
SELECT (value::json #>> '{source,xid}') = :'xid' AS xid,
       to_timestamp((value::json #>> '{source,ts_ms}')::bigint / 1000.0) = record_timestamp AS ts_ms
FROM consume('account_changes', 'changes');

-- before=
CREATE TRIGGER publish_full AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION publish_changes('account_changes', 'before=full');
CREATE TRIGGER publish_none AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION publish_changes('account_changes', 'before=none');
DROP TRIGGER publish ON accounts;
UPDATE accounts SET aid = 2, abalance = 5;
DELETE FROM accounts;
SELECT key, value FROM changes('account_changes');

-- columns=, exclude=, headers=; a condition
DROP TRIGGER publish_full ON accounts;
DROP TRIGGER publish_none ON accounts;
CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION publish_changes('account_changes', 'columns=filler, "aid"', 'headers=table,operation,user,xid');
CREATE TRIGGER publish_2 AFTER UPDATE ON accounts
    FOR EACH ROW WHEN (OLD.abalance IS DISTINCT FROM NEW.abalance)
    EXECUTE FUNCTION publish_changes('account_changes', 'exclude=filler,bid', 'before=full', 'headers=none');
CREATE ROLE regress_publish_creator;
CREATE ROLE regress_publish_changer;
GRANT USAGE ON SCHEMA publish TO regress_publish_creator, regress_publish_changer;
GRANT ALL ON accounts TO regress_publish_creator, regress_publish_changer;
-- who changes the table needs no privilege on the topic
SET ROLE regress_publish_creator;
INSERT INTO accounts VALUES (1, 1, 0, 'a');
SET ROLE regress_publish_changer;
UPDATE accounts SET abalance = 1;
UPDATE accounts SET abalance = 1;
RESET ROLE;
SELECT * FROM changes('account_changes');
-- nothing of a rolled-back savepoint, or transaction
BEGIN;
UPDATE accounts SET filler = 'kept';
SAVEPOINT s;
UPDATE accounts SET filler = 'lost';
ROLLBACK TO s;
UPDATE accounts SET filler = 'kept too';
COMMIT;
BEGIN;
UPDATE accounts SET filler = 'lost';
ROLLBACK;
SELECT key, value FROM changes('account_changes');
DROP TABLE accounts;

-- ---- rows --------------------------------------------------------------------

-- every type's JSON is what row_to_json() gives with the settings of what is stored
SET datestyle = 'ISO';
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
CREATE TYPE mood AS ENUM ('sad', 'ok "quoted"');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text, j json);
CREATE TYPE with_cast AS ENUM ('x', 'y');
CREATE FUNCTION to_json_by_cast(with_cast) RETURNS json LANGUAGE sql AS $$ SELECT json_build_object('cast', $1::text) $$;
CREATE CAST (with_cast AS json) WITH FUNCTION to_json_by_cast(with_cast);
CREATE TABLE types (
    id int PRIMARY KEY, dropped text, "odd ""name""\ ü" text, b bool, i2 int2, i8 int8, f4 float4, f8 float8, n numeric,
    v varchar(10), c char(5), d date, ts timestamp, tstz timestamptz, t time, tz timetz, iv interval,
    j json, jb jsonb, u uuid, e mood, dom positive, ia int[], ta text[], ma mood[], p pair, pa pair[],
    r int4range, tr tstzrange, mr int4multirange, by bytea, ip inet, m money, bits bit varying, x xml, o oid, nm name,
    w with_cast, point point, generated int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE types DROP COLUMN dropped;
SELECT create_topic('type_rows', value_type => 'text');
CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON types
    FOR EACH ROW EXECUTE FUNCTION publish_changes('type_rows', 'format=row');
INSERT INTO types VALUES (1);
INSERT INTO types VALUES (2, E'quote " backslash \\ tab \t newline \n return \r bell \x07 feed \f back \b ünï 😀', true, -32768,
    '-9223372036854775808', 'NaN', '-Infinity', 'NaN', 'varchar', 'char', 'infinity', '-infinity', '2024-02-29 12:34:56.789+02',
    '24:00', '12:00+02', '1 year -2 days 03:04:05.6', E'{"a":\n [1, null]}', '{"b": [true, 1.50]}',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ok "quoted"', 7, '{1,NULL,3}', '{"a\"b",NULL,""}', '{sad}', '(1,"x y","{""z"":1}")',
    '{"(1,a,null)","(,,)"}', '[1,10)', '[2024-01-01 00:00+00,)', '{[1,3),[5,7)}', '\x00ff10', '10.0.0.1/8', '12.34', '10101',
    '<a>&amp;</a>', 4294967295, 'name', 'x', '(1,2)');
INSERT INTO types (id, i2, i8, f4, f8, n, d, ts, tstz, t, iv, ia) VALUES (3, 32767, 9223372036854775807, 3.4e38, 5e-324,
    '123456789012345678901234567890.123456789000', '4713-11-24 BC', '294276-12-31 23:59:59.999999', 'infinity', '00:00',
    '-1 mon', '{{1,2},{3,4}}'), (4, 0, 0, '-0', 1e15, '-Infinity', '5874897-12-31', '4714-11-24 00:00:00 BC',
    '0001-01-01 00:00:00+00 BC', '23:59:59.999999', '0', '{}');
-- large values, out of line, and one that an update leaves as it is
INSERT INTO types (id, "odd ""name""\ ü", jb) SELECT 5, string_agg(md5(i::text), ''), jsonb_agg(i) FROM generate_series(1, 5000) AS i;
ALTER TABLE types ADD fast_default text DEFAULT 'missing in old rows';
UPDATE types SET i2 = coalesce(i2, 5);
SELECT key, l.value = row_to_json(s)::text AS same, length(l.value) > 100000 AS large, l.value::jsonb = to_jsonb(s) AS valid
FROM latest(NULL::type_rows) l JOIN types s ON s.id::text = l.key ORDER BY key;
SELECT value FROM type_rows WHERE key = '2';

-- a deletion is a tombstone, another key a tombstone and the row
UPDATE types SET id = 6 WHERE id = 1;
DELETE FROM types WHERE id = 2;
SELECT key, left(value, 20) FROM type_rows ORDER BY record_offset DESC LIMIT 3;
SELECT count(*), count(*) FILTER (WHERE l.value = row_to_json(s)::text)
FROM latest(NULL::type_rows) l FULL JOIN types s ON s.id::text = l.key;
DROP TABLE types;
RESET datestyle;
RESET timezone;
RESET intervalstyle;

-- ---- keys --------------------------------------------------------------------

-- one column: its text; several: a JSON object, in the order given
CREATE TABLE orders (customer int, day date, line text, raw bytea, at timestamptz, PRIMARY KEY (day, customer));
SELECT create_topic('orders_default', partitions => 3), create_topic('orders_bytea', key_type => 'bytea'),
       create_topic('orders_jsonb', key_type => 'jsonb'), create_topic('orders_int', key_type => 'int');
CREATE TRIGGER p1 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_default', 'columns=line');
CREATE TRIGGER p2 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_bytea', 'columns=line', 'key=raw');
CREATE TRIGGER p3 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_bytea', 'columns=line', 'key=line');
CREATE TRIGGER p4 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_jsonb', 'columns=line', 'key=line');
CREATE TRIGGER p5 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_jsonb', 'columns=line', 'key=customer,line');
CREATE TRIGGER p6 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_int', 'columns=line', 'key=customer');
CREATE TRIGGER p7 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_default', 'columns=line', 'key=at');
CREATE TRIGGER p8 AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION publish_changes('orders_default', 'columns=line', 'key=raw');
INSERT INTO orders VALUES (4711, '2024-05-01', 'two "books"', '\xff00', '2024-05-01 12:00+02');
-- the same key, whatever the session's settings
SET datestyle = german;
SET timezone = 'Asia/Tokyo';
SET bytea_output = escape;
DELETE FROM orders;
INSERT INTO orders VALUES (4711, '01.05.2024', 'two "books"', '\xff00', '2024-05-01 12:00+02');
SHOW datestyle;
SHOW timezone;
RESET datestyle;
RESET timezone;
RESET bytea_output;
SELECT key, count(*) FROM orders_default GROUP BY 1 ORDER BY 1;
SELECT key, count(*) FROM orders_bytea GROUP BY 1 ORDER BY 1;
SELECT key, count(*) FROM orders_jsonb GROUP BY 1 ORDER BY 1;
SELECT key, count(*) FROM orders_int GROUP BY 1 ORDER BY 1;
-- it is the key that produce() would store, and lands on the same partition
SELECT produce('orders_default', '{"day":"2024-05-01","customer":4711}', 'v') =
       (SELECT max(partition) FROM orders_default WHERE key LIKE '{%' AND value <> 'v') AS same_partition;
DROP TABLE orders;

-- no primary key: null keys, unless keys are needed
CREATE TABLE keyless (a int, b text);
SELECT create_topic('keyless_changes');
CREATE TRIGGER publish AFTER INSERT OR DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION publish_changes('keyless_changes');
INSERT INTO keyless VALUES (1, 'a');
DELETE FROM keyless;
SELECT key, value FROM changes('keyless_changes');
CREATE TRIGGER publish_row AFTER INSERT OR DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION publish_changes('keyless_changes', 'format=row');
INSERT INTO keyless VALUES (1, 'a');
ALTER TABLE keyless ADD PRIMARY KEY (a) DEFERRABLE;
INSERT INTO keyless VALUES (1, 'a');
ALTER TABLE keyless DROP CONSTRAINT keyless_pkey, ADD PRIMARY KEY (a);
INSERT INTO keyless VALUES (1, 'a');
SELECT key, value FROM changes('keyless_changes');
DROP TRIGGER publish_row ON keyless;
CREATE TRIGGER publish_row AFTER INSERT OR DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION publish_changes('keyless_changes', 'format=row', 'key=b');
INSERT INTO keyless VALUES (2, NULL);
-- a compacted topic: a deletion's envelope is followed by a tombstone
DROP TRIGGER publish_row ON keyless;
SELECT alter_topic('keyless_changes', '{"cleanup.policy": "compact"}');
DELETE FROM keyless;
SELECT key, value FROM changes('keyless_changes');
DROP TABLE keyless;

-- ---- after each statement ------------------------------------------------------

CREATE TABLE items (id int PRIMARY KEY, name text);
SELECT create_topic('item_changes'), create_topic('item_rows', config => '{"cleanup.policy": "compact"}');
CREATE TRIGGER i AFTER INSERT ON items REFERENCING NEW TABLE AS n
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_changes', 'key=id', 'before=full');
CREATE TRIGGER u AFTER UPDATE ON items REFERENCING OLD TABLE AS o NEW TABLE AS n
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_changes', 'key=id', 'before=full');
CREATE TRIGGER d AFTER DELETE ON items REFERENCING OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_changes', 'key=id', 'before=full');
CREATE TRIGGER t AFTER TRUNCATE ON items
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_changes', 'key=id');
-- a second one reads the same transition tables
CREATE TRIGGER i2 AFTER INSERT ON items REFERENCING NEW TABLE AS n
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_rows', 'key=id', 'format=row');
CREATE TRIGGER u2 AFTER UPDATE ON items REFERENCING NEW TABLE AS n OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_rows', 'key=id', 'format=row');
CREATE TRIGGER d2 AFTER DELETE ON items REFERENCING OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_rows', 'key=id', 'format=row');
INSERT INTO items VALUES (1, 'a'), (2, 'b');
UPDATE items SET name = name || name;
UPDATE items SET name = 'nobody' WHERE id = 9;
DELETE FROM items WHERE id = 1;
INSERT INTO items VALUES (2, 'conflict'), (3, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name;
MERGE INTO items USING (VALUES (2, NULL), (3, 'merged'), (4, 'inserted')) AS s (id, name) ON items.id = s.id
    WHEN MATCHED AND s.name IS NULL THEN DELETE
    WHEN MATCHED THEN UPDATE SET name = s.name
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name);
COPY items FROM stdin;
5	copied
6	\N
\.
SELECT key, value FROM changes('item_changes');
SELECT key, value FROM changes('item_rows');
-- parts of a statement that end a key and give it to another row
WITH gone AS (DELETE FROM items WHERE id = 5 RETURNING id) INSERT INTO items SELECT id, 'anew' FROM gone;
WITH gone AS (DELETE FROM items WHERE id = 5 RETURNING id) INSERT INTO items SELECT id, 'again' FROM gone LIMIT 1;
WITH moved AS (UPDATE items SET id = 7 WHERE id = 5 RETURNING 5 AS id) INSERT INTO items SELECT id, 'again' FROM moved LIMIT 1;
WITH gone AS (DELETE FROM items WHERE id = 5 RETURNING id) INSERT INTO items SELECT 8, 'other' FROM gone LIMIT 1;
SELECT key, value FROM changes('item_rows');
-- keys handed on from row to row
ALTER TABLE items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (id) DEFERRABLE;
DROP TRIGGER i2 ON items;
DROP TRIGGER u2 ON items;
CREATE TRIGGER u2 AFTER UPDATE ON items REFERENCING NEW TABLE AS n OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('item_rows', 'format=row', 'key=id');
UPDATE items SET id = id + 1;
SELECT key, value FROM changes('item_rows');
SELECT count(*), count(*) FILTER (WHERE l.value = row_to_json(t)::text)
FROM latest(NULL::item_rows) l FULL JOIN items t ON t.id::text = l.key;
TRUNCATE items;
SELECT value FROM changes('item_changes') WHERE value LIKE '{"op":"t"%';
-- many rows, past memory
SET work_mem = '64kB';
INSERT INTO items SELECT i, repeat('x', 100) FROM generate_series(1, 5000) AS i;
UPDATE items SET name = id::text;
RESET work_mem;
SELECT value::json ->> 'op' AS op, count(*), min((value::json #>> '{after,id}')::int), max((value::json #>> '{after,id}')::int),
       count(*) FILTER (WHERE value::json #>> '{before,name}' = repeat('x', 100)) AS before
FROM changes('item_changes') GROUP BY 1 ORDER BY 1;
DROP TABLE items;

-- ---- the same after each row --------------------------------------------------

CREATE TABLE items (id int PRIMARY KEY, name text, parent int REFERENCES items ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON items
    FOR EACH ROW EXECUTE FUNCTION publish_changes('item_changes', 'headers=operation');
INSERT INTO items VALUES (1, 'a', NULL), (2, 'b', 1);
INSERT INTO items VALUES (2, 'conflict'), (3, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO items VALUES (3, 'left alone') ON CONFLICT DO NOTHING;
MERGE INTO items USING (VALUES (3, 'merged'), (4, 'inserted')) AS s (id, name) ON items.id = s.id
    WHEN MATCHED THEN UPDATE SET name = s.name
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name);
COPY items FROM stdin;
5	copied	\N
\.
-- foreign keys
UPDATE items SET id = 10 WHERE id = 1;
DELETE FROM items WHERE id = 10;
SELECT key, value, headers FROM changes('item_changes');

-- deferred: the row's last state at the moment of its change, at commit
DROP TRIGGER publish ON items;
CREATE CONSTRAINT TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION publish_changes('item_changes');
BEGIN;
UPDATE items SET name = 'deferred' WHERE id = 3;
SELECT count(*) FROM flush();
DELETE FROM items WHERE id = 4;
COMMIT;
SELECT records FROM produced();
SELECT key, value FROM changes('item_changes');

-- session_replication_role
SET session_replication_role = replica;
UPDATE items SET name = 'as replica' WHERE id = 3;
SELECT count(*) FROM changes('item_changes');
ALTER TABLE items ENABLE ALWAYS TRIGGER publish;
UPDATE items SET name = 'always' WHERE id = 3;
RESET session_replication_role;
ALTER TABLE items DISABLE TRIGGER publish;
UPDATE items SET name = 'disabled' WHERE id = 3;
SELECT key, value FROM changes('item_changes');
DROP TABLE items;

-- ---- partitions and children -------------------------------------------------------

CREATE TABLE measures (id int, city text, peak int, PRIMARY KEY (id, city)) PARTITION BY LIST (city);
CREATE TABLE measures_a PARTITION OF measures FOR VALUES IN ('a');
CREATE TABLE measures_b (peak int, gone int, city text NOT NULL, id int NOT NULL) PARTITION BY RANGE (id);
ALTER TABLE measures_b DROP COLUMN gone;
ALTER TABLE measures ATTACH PARTITION measures_b FOR VALUES IN ('b');
CREATE TABLE measures_b1 (city text NOT NULL, id int NOT NULL, peak int);
ALTER TABLE measures_b ATTACH PARTITION measures_b1 FOR VALUES FROM (0) TO (100);
SELECT create_topic('measure_changes'), create_topic('measure_statements');
CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON measures
    FOR EACH ROW EXECUTE FUNCTION publish_changes('measure_changes');
CREATE TRIGGER i AFTER INSERT ON measures REFERENCING NEW TABLE AS n
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('measure_statements');
CREATE TRIGGER u AFTER UPDATE ON measures REFERENCING NEW TABLE AS n OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('measure_statements');
INSERT INTO measures VALUES (1, 'a', 10), (2, 'b', 20);
INSERT INTO measures_b1 (id, city, peak) VALUES (3, 'b', 30);
UPDATE measures SET peak = peak + 1;
UPDATE measures SET city = 'a' WHERE id = 2;
ALTER TABLE measures RENAME TO measurements;
DELETE FROM measurements WHERE id < 3;
SELECT key, value FROM changes('measure_changes');
SELECT key, value FROM changes('measure_statements');
-- a row that is kept out on its way
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON measures_a FOR EACH ROW EXECUTE FUNCTION keep_out();
UPDATE measurements SET city = 'a';
DROP TABLE measurements;

CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE children (age int) INHERITS (parents);
CREATE TRIGGER publish AFTER INSERT OR UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION publish_changes('measure_changes');
CREATE TRIGGER publish AFTER INSERT OR UPDATE ON children FOR EACH ROW EXECUTE FUNCTION publish_changes('measure_changes', 'key=id');
CREATE TRIGGER u AFTER UPDATE ON parents REFERENCING NEW TABLE AS n OLD TABLE AS o
    FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('measure_statements');
INSERT INTO parents VALUES (1, 'p');
INSERT INTO children VALUES (2, 'c', 7);
UPDATE parents SET name = upper(name);
SELECT key, value FROM changes('measure_changes');
SELECT key, value FROM changes('measure_statements');
DROP TABLE parents CASCADE;

-- ---- changes of the schema ------------------------------------------------------------

CREATE TABLE evolving (id int PRIMARY KEY, a text);
SELECT create_topic('evolution');
CREATE TRIGGER publish AFTER INSERT OR UPDATE ON evolving
    FOR EACH ROW EXECUTE FUNCTION publish_changes('evolution', 'headers=schema_version');
INSERT INTO evolving VALUES (1, 'x');
ALTER TABLE evolving ADD b int DEFAULT 5;
UPDATE evolving SET a = 'y';
BEGIN;
ALTER TABLE evolving ALTER b TYPE numeric(10, 2);
UPDATE evolving SET a = 'z';
ALTER TABLE evolving RENAME a TO c;
UPDATE evolving SET c = 'u';
COMMIT;
BEGIN;
ALTER TABLE evolving DROP c;
ROLLBACK;
CREATE INDEX ON evolving (c);
ALTER TABLE evolving ALTER c SET STATISTICS 10;
UPDATE evolving SET c = 'same version';
ALTER TABLE evolving DROP c;
UPDATE evolving SET b = 6;
ALTER TABLE evolving RENAME TO evolved;
UPDATE evolved SET b = 7;
ALTER SCHEMA publish RENAME TO published;
SET search_path = published, public;
UPDATE evolved SET b = 8;
ALTER SCHEMA published RENAME TO publish;
SET search_path = publish, public;
SELECT value, headers FROM changes('evolution');
SELECT source, version, columns FROM topic_schema_versions WHERE source = 'evolved'::regclass ORDER BY version;
-- what its types are made of
CREATE TYPE feeling AS ENUM ('sad');
CREATE TYPE "a part" AS (zip text, mood feeling);
CREATE DOMAIN parts AS "a part"[];
CREATE TABLE inner_rows (a int);
CREATE TABLE typed (id int PRIMARY KEY, v parts, r int4range, i inner_rows);
CREATE TRIGGER publish AFTER INSERT ON typed FOR EACH ROW EXECUTE FUNCTION publish_changes('evolution', 'headers=schema_version');
ALTER TYPE feeling ADD VALUE 'it''s "fine"';
ALTER TYPE feeling RENAME VALUE 'sad' TO 'glad';
ALTER TYPE "a part" RENAME ATTRIBUTE zip TO code;
ALTER TABLE inner_rows RENAME a TO b;
ALTER TYPE feeling OWNER TO CURRENT_USER;
CREATE TYPE unused AS (a int);
ALTER TYPE unused ADD ATTRIBUTE b int;
CREATE TABLE parcels (a int);
ALTER TABLE typed ADD sent parcels[];
ALTER TABLE parcels ADD b int;
ALTER TABLE parcels DROP a;
INSERT INTO typed VALUES (1, '{"(1,glad)"}', '[1,2)');
SELECT value, headers FROM changes('evolution');
SELECT version, columns FROM topic_schema_versions WHERE source = 'typed'::regclass ORDER BY version;
DROP TABLE typed, parcels;
-- a topic that is renamed is followed; one that a trigger needs stays
ALTER FOREIGN TABLE evolution RENAME TO evolution_2;
UPDATE evolved SET b = 9;
SELECT create_topic('evolution');
UPDATE evolved SET b = 10;
SELECT value FROM changes('evolution_2');
SELECT drop_topic('evolution_2');
-- and one that comes later than its trigger is found by its name
CREATE OR REPLACE TRIGGER publish AFTER UPDATE ON evolved FOR EACH ROW EXECUTE FUNCTION publish_changes('later');
SELECT drop_topic('evolution_2');
UPDATE evolved SET b = 11;
SELECT create_topic('later');
UPDATE evolved SET b = 11;
SELECT value FROM changes('later');
DROP TABLE evolved;
SELECT count(*) FROM topic_schema_versions WHERE columns LIKE 'id integer, b %';

-- ---- privileges ---------------------------------------------------------------------

CREATE ROLE regress_publish_owner;
GRANT USAGE, CREATE ON SCHEMA publish TO regress_publish_owner;
SELECT create_topic('private_topic');
SET ROLE regress_publish_owner;
CREATE TABLE owned (id int PRIMARY KEY);
GRANT ALL ON owned TO regress_publish_changer;
CREATE TRIGGER publish AFTER INSERT ON owned FOR EACH ROW EXECUTE FUNCTION publish_changes('private_topic');
INSERT INTO owned VALUES (1);
RESET ROLE;
-- the owner's right counts, not a superuser's
INSERT INTO owned VALUES (1);
GRANT INSERT ON private_topic TO regress_publish_owner;
SET ROLE regress_publish_changer;
INSERT INTO owned VALUES (1);
SELECT produce('private_topic', 'k', 'v');
RESET ROLE;
SELECT key FROM private_topic;
REVOKE INSERT ON private_topic FROM regress_publish_owner;
INSERT INTO owned VALUES (2);
DROP TABLE owned;

-- ---- errors ------------------------------------------------------------------------

SELECT publish_changes();
CREATE TABLE wrong (id int PRIMARY KEY, name text);
CREATE TABLE no_topic (id int);
SELECT create_topic('good'), create_topic('int_values', value_type => 'int'), create_topic('int_keys', key_type => 'int'),
       create_topic('varchar_keys', key_type => 'uuid');
CREATE FUNCTION try(arguments text, kind text DEFAULT 'AFTER INSERT', row_or_not text DEFAULT 'FOR EACH ROW') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER publish %s ON wrong %s EXECUTE FUNCTION publish_changes(%s)', kind, row_or_not, arguments);
    INSERT INTO wrong VALUES (1, 'a');
    UPDATE wrong SET id = id + 1;
    DELETE FROM wrong;
    TRUNCATE wrong;
    RAISE EXCEPTION 'no error';
END $$;
SELECT try('');
SELECT try($$'missing'$$);
SELECT try($$'public.missing'$$);
SELECT try($$'no_topic'$$);
SELECT try($$'a.b.c.d'$$);
SELECT try($$'good', 'keys=id'$$);
SELECT try($$'good', 'format'$$);
SELECT try($$'good', 'format=row', 'format=row'$$);
SELECT try($$'good', 'format=json'$$);
SELECT try($$'good', 'before=all'$$);
SELECT try($$'good', 'headers=xid,time'$$);
SELECT try($$'good', 'key=nothing'$$);
SELECT try($$'good', 'key='$$);
SELECT try($$'good', 'key=id,"name'$$);
SELECT try($$'good', 'columns=id', 'exclude=name'$$);
SELECT try($$'good', 'exclude=ctid'$$);
SELECT try($$'good', 'format=row', 'before=full'$$);
SELECT try($$'int_values'$$);
SELECT try($$'int_keys', 'key=name'$$);
SELECT try($$'int_keys', 'key=id,name'$$);
SELECT try($$'varchar_keys'$$);
SELECT try($$'good'$$, 'BEFORE INSERT');
SELECT try($$'good'$$, 'AFTER INSERT', 'FOR EACH STATEMENT');
SELECT try($$'good'$$, 'AFTER UPDATE', 'REFERENCING NEW TABLE AS n FOR EACH STATEMENT');
SELECT try($$'good'$$, 'AFTER UPDATE', 'REFERENCING OLD TABLE AS n FOR EACH STATEMENT');
SELECT try($$'good'$$, 'AFTER DELETE', 'FOR EACH STATEMENT');
SELECT try($$'good', 'format=row'$$, 'AFTER TRUNCATE', 'FOR EACH STATEMENT');
-- also with before=none: the update may change the key
SELECT try($$'good', 'before=none'$$, 'AFTER UPDATE', 'REFERENCING NEW TABLE AS n FOR EACH STATEMENT');
-- what jsonb refuses does not get into a topic of jsonb
CREATE TABLE holds_json (id int PRIMARY KEY, j json);
SELECT create_topic('jsonb_values', value_type => 'jsonb');
CREATE TRIGGER publish AFTER INSERT ON holds_json FOR EACH ROW EXECUTE FUNCTION publish_changes('jsonb_values');
INSERT INTO holds_json VALUES (1, '"\u0000"');
INSERT INTO holds_json VALUES (1, '"fine"');
SELECT value -> 'after' AS after FROM jsonb_values;
-- temporary tables in a read-only transaction
CREATE TEMP TABLE temporary (id int);
CREATE TRIGGER publish AFTER INSERT ON temporary FOR EACH ROW EXECUTE FUNCTION publish_changes('publish.good');
BEGIN READ ONLY;
INSERT INTO temporary VALUES (1);
ROLLBACK;
-- a record that is too large fails the statement
SELECT create_topic('small', config => '{"max.message.bytes": 1000}');
CREATE TABLE large (id int PRIMARY KEY, v text);
CREATE TRIGGER publish AFTER INSERT ON large FOR EACH ROW EXECUTE FUNCTION publish_changes('small', 'format=row');
\set SHOW_CONTEXT errors
INSERT INTO large VALUES (1, repeat('x', 2000));
\set SHOW_CONTEXT never

SET client_min_messages = warning;
DROP SCHEMA publish CASCADE;
DROP TABLE temporary;
DROP ROLE regress_publish_owner, regress_publish_creator, regress_publish_changer;
