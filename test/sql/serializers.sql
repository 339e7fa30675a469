-- Typed keys and values, headers and timestamps, to bytes and back.
-- File under test: serializer.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';

CREATE TYPE ser_mood AS ENUM ('sad', 'glad');
CREATE TYPE ser_pair AS (a int, b text);
CREATE DOMAIN ser_word AS text NOT NULL CHECK (VALUE ~ '^[a-z]+$');
CREATE DOMAIN ser_blob AS bytea CHECK (length(VALUE) < 4);

-- text takes a value of any type as that type's text
SELECT create_topic('ser_text');
SELECT produce('ser_text', 'key', 'plain');
SELECT produce('ser_text', '', '');
SELECT produce('ser_text', 'tombstone', NULL);
SELECT produce('ser_text', NULL, NULL);
SELECT produce('ser_text', 'only a value');
SELECT produce('ser_text', 1, 2.50);
SELECT produce('ser_text', true, '{"a": [1, 2]}'::jsonb);
SELECT produce('ser_text', '2024-02-29'::date, ARRAY[1, 2, NULL]);
SELECT produce('ser_text', 'glad'::ser_mood, ROW(1, 'x y')::ser_pair);
SELECT produce('ser_text', '\xdeadbeef'::bytea, ROW(1, NULL));
SELECT produce('ser_text', 'varchar'::varchar(3), 'char'::char(6));
SELECT produce('ser_text', 'ünïcødé €', U&'\+01F600');
SELECT record_offset, key, value, key IS NULL AS no_key, value IS NULL AS no_value
  FROM ser_text ORDER BY record_offset;
SELECT record_offset, key, value FROM consume('ser_text', 'g') WHERE record_offset < 3;

-- bytea: as it is
SELECT create_topic('ser_bytea', key_type => 'bytea', value_type => 'bytea');
SELECT produce('ser_bytea', '\x0001ff'::bytea, '\x'::bytea);
SELECT produce('ser_bytea', '\x00', 'text'::text);
INSERT INTO ser_bytea (key, value) VALUES ('\xff', repeat('x', 100000)::bytea);
SELECT record_offset, key, length(value) FROM ser_bytea ORDER BY record_offset;
SELECT record_offset, key, left(value, 10) FROM consume('ser_bytea', 'g');

-- a column refuses what its type refuses
SELECT create_topic('ser_jsonb', key_type => 'int', value_type => 'jsonb');
SELECT produce('ser_jsonb', 1, '{"a": 1}');
SELECT produce('ser_jsonb', '2'::text, '{"a": 2}'::json);
SELECT produce('ser_jsonb', 3::bigint, '[3]'::text);
-- a boolean is JSON's
CREATE DOMAIN ser_switch AS boolean;
SELECT produce('ser_jsonb', 5, true), produce('ser_jsonb', 6, false::ser_switch), produce('ser_jsonb', 7, NULL::boolean);
SELECT produce('ser_jsonb', 4, 'not json');
SELECT produce('ser_jsonb', 'four', '4');
SELECT produce('ser_jsonb', 3000000000, '4');
SELECT key, value, key + 1 AS next, value -> 'a' AS a FROM ser_jsonb ORDER BY record_offset;

-- lengths
CREATE FOREIGN TABLE ser_length (key varchar(3), value char(3)) SERVER topics;
SELECT produce('ser_length', 'abc', 'ab');
SELECT produce('ser_length', 'abcd', 'ab');
SELECT produce('ser_length', 'abcd'::varchar, 'ab');
SELECT produce('ser_length', 'abc', 'abcd'::text);
INSERT INTO ser_length (key, value) VALUES ('a', 'b');
SELECT key, value, octet_length(value) FROM ser_length ORDER BY 1;

-- domains, enums, composites, arrays
CREATE FOREIGN TABLE ser_domain (key ser_word, value ser_blob) SERVER topics;
SELECT produce('ser_domain', 'word', '\x01'::bytea);
SELECT produce('ser_domain', 'word'::text, '\x02');
SELECT produce('ser_domain', 'Two words', '\x01'::bytea);
SELECT produce('ser_domain', NULL, '\x01'::bytea);
SELECT produce('ser_domain', 'word', '\x01020304'::bytea);
SELECT produce('ser_domain', 'word', NULL);
SELECT key, value FROM ser_domain;
-- NOT NULL by each way in; the check with the session's search_path, the text without
SELECT produce('ser_domain', '\x01'::bytea);
SELECT produce('ser_domain', NULL::text, '\x01'::bytea);
INSERT INTO ser_domain (value) VALUES ('\x01');
INSERT INTO ser_domain (key, value) VALUES (NULL, '\x01');
COPY ser_domain (value) FROM stdin;
\\x01
\.
COPY ser_domain (key, value) FROM stdin;
\N	\\x01
\.
CREATE SCHEMA ser_schema CREATE TABLE ser_days (d date);
INSERT INTO ser_schema.ser_days VALUES ('2024-03-04');
SET search_path = ser_schema, public;
CREATE FUNCTION ser_is_day(d date) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM ser_days s WHERE s.d = $1); END $$;
CREATE DOMAIN ser_day AS date NOT NULL CHECK (VALUE IS NULL OR ser_is_day(VALUE));
SELECT create_topic('ser_schema.ser_domain_days', key_type => 'ser_day', value_type => 'ser_day');
SET datestyle = 'SQL, DMY';
SELECT produce('ser_schema.ser_domain_days', make_date(2024, 3, 4), '04/03/2024');
SELECT produce('ser_schema.ser_domain_days', '04/03/2024'::text, make_date(2024, 3, 4)::ser_day);
SELECT produce('ser_schema.ser_domain_days', '05/03/2024', '04/03/2024');
SELECT produce('ser_schema.ser_domain_days', '04/03/2024');
SELECT key, value FROM ser_schema.ser_domain_days;
SET datestyle = 'ISO, MDY';
SELECT key, value FROM consume('ser_schema.ser_domain_days', 'g');
-- records of before the domain refused nulls are read
ALTER DOMAIN ser_day DROP NOT NULL;
SELECT produce('ser_schema.ser_domain_days', '2024-03-04');
ALTER DOMAIN ser_day SET NOT NULL;
SELECT key, value FROM ser_schema.ser_domain_days;
SET client_min_messages = warning;
DROP SCHEMA ser_schema CASCADE;
RESET client_min_messages;
RESET search_path;

CREATE FOREIGN TABLE ser_types (key ser_mood, value ser_pair[]) SERVER topics;
SELECT produce('ser_types', 'glad', ARRAY[ROW(1, 'one')::ser_pair, ROW(2, NULL)::ser_pair]);
SELECT produce('ser_types', 'sad'::ser_mood, '{"(3,three)"}');
SELECT produce('ser_types', 'angry', '{}');
SELECT produce('ser_types', 'sad', '{(oops)}');
SELECT key, value, (value[1]).a FROM ser_types ORDER BY key;

-- two argument types in turn
SELECT count(produce('ser_text', n::int8, n::float8)) + count(produce('ser_text', n::numeric, now()))
  FROM generate_series(1, 10) n;

-- a type changed under its records
ALTER FOREIGN TABLE ser_length ALTER COLUMN key TYPE int;
SELECT key FROM ser_length;
-- bytes that are no text
ALTER FOREIGN TABLE ser_bytea ALTER COLUMN key TYPE text;
SELECT key FROM ser_bytea ORDER BY record_offset LIMIT 1;
SELECT * FROM consume('ser_bytea', 'g2');
ALTER FOREIGN TABLE ser_bytea ALTER COLUMN key TYPE bytea;
SELECT count(key) FROM ser_bytea;

-- headers
SELECT produce('ser_text', 'h', 'v', headers => '{"a": "x", "n": 1.50, "yes": true, "none": null, "many": ["1", 2, null, false], "empty": "", "no": []}');
SELECT produce('ser_text', 'h', 'v', headers => '{}');
SELECT produce('ser_text', 'h', 'v', headers => NULL);
SELECT produce('ser_text', 'h', 'v', headers => '{"ключ": "значение"}');
SELECT headers, headers IS NULL AS none FROM ser_text WHERE key = 'h' ORDER BY record_offset;
SELECT produce('ser_text', 'h', 'v', headers => '[]');
SELECT produce('ser_text', 'h', 'v', headers => '"a"');
SELECT produce('ser_text', 'h', 'v', headers => '{"a": {"b": 1}}');
SELECT produce('ser_text', 'h', 'v', headers => '{"a": [["b"]]}');
SELECT produce('ser_text', 'h', 'v', headers => '{"a": [{}]}');

-- timestamps: milliseconds, rounded down, also before 1970
SELECT produce('ser_text', 'ts', '1', record_timestamp => '2024-01-01 00:00:00.1239+00');
SELECT produce('ser_text', 'ts', '2', record_timestamp => '1969-12-31 23:59:59.9995+00');
SELECT produce('ser_text', 'ts', '3', record_timestamp => '1970-01-01 00:00:00+00');
SELECT produce('ser_text', 'ts', '4', record_timestamp => '1500-06-01 12:00:00.001+00');
SELECT value, record_timestamp FROM ser_text WHERE key = 'ts' ORDER BY value;
SELECT produce('ser_text', 'ts', '6', record_timestamp => 'infinity');
SELECT produce('ser_text', 'ts', '6', record_timestamp => '-infinity');

DROP FOREIGN TABLE ser_text, ser_bytea, ser_jsonb, ser_length, ser_domain, ser_types;
DROP TYPE ser_mood, ser_pair;
DROP DOMAIN ser_word, ser_blob;
