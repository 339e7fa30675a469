-- What is stored does not depend on the settings of who produces or changes a table,
-- and can be read with any; headers that nobody could read are refused.
-- Files under test: text_settings.c, serializer.c, change_json.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'America/New_York';

CREATE TYPE set_pair AS (d date, f float8[]);
SELECT create_topic('set_date', key_type => 'date', value_type => 'float8', config => '{"cleanup.policy": "compact"}');
SELECT create_topic('set_time', key_type => 'timestamptz', value_type => 'interval'),
       create_topic('set_many', key_type => 'tstzrange', value_type => 'set_pair'),
       create_topic('set_bytes', key_type => 'bytea[]', value_type => 'text');
CREATE TABLE set_rows (at timestamptz, span interval, ratio float8, day date, blob bytea, note text,
                       PRIMARY KEY (at, span, ratio, day, blob));
SELECT publish_table('set_rows', format => 'row');

CREATE PROCEDURE set_odd() LANGUAGE plpgsql AS $$
BEGIN
    SET datestyle = 'German';
    SET timezone = 'Asia/Tokyo';
    SET intervalstyle = 'sql_standard';
    SET extra_float_digits = -15;
    SET bytea_output = 'escape';
END $$;
CREATE PROCEDURE set_produce() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM produce('set_date', make_date(2024, 3, 4), pi());
    INSERT INTO set_date (key, value) VALUES (make_date(2024, 3, 4), pi());
    PERFORM produce('set_time', to_timestamp(1700000000.25), make_interval(months => -14, days => 3, secs => -1.5));
    PERFORM produce('set_many', tstzrange(to_timestamp(0), to_timestamp(86400)), ROW(make_date(-44, 3, 15), ARRAY[pi(), 1e-300]));
    PERFORM produce('set_bytes', ARRAY[decode('00ff', 'hex')], 'v'::text);
END $$;
CREATE PROCEDURE set_change(text) LANGUAGE sql AS $$
    INSERT INTO set_rows VALUES (to_timestamp(1700000000.25), make_interval(months => -14, days => 3, secs => -1.5), pi(),
                                 make_date(2024, 3, 4), decode('00ff', 'hex'), $1)
    ON CONFLICT (at, span, ratio, day, blob) DO UPDATE SET note = $1;
$$;

---- the same bytes from each session
CALL set_produce();
CALL set_change('first');
CALL set_odd();
CALL set_produce();
CALL set_change('second');
-- in a statement that fails in between, and in a transaction that goes on
DO $$ BEGIN PERFORM produce('set_time', now(), 'x'::text); EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT current_setting('datestyle') AS datestyle, current_setting('timezone') AS timezone, current_setting('intervalstyle') AS intervalstyle,
       current_setting('extra_float_digits') AS digits, current_setting('bytea_output') AS bytea;
COPY set_date (key, value) FROM stdin;
04.03.2024	2.5
\.
-- values of other types; where one has to lose its time zone, the session's counts
SELECT produce('set_date', to_timestamp(1700000000.25), 2.5::numeric);
SELECT produce('set_bytes', NULL::bytea[], to_timestamp(1700000000.25)),
       produce('set_bytes', NULL::bytea[], ROW(pi(), make_date(2024, 3, 4)));
-- a literal means what it means in the session
SELECT produce('set_date', '05.03.2024', '7');
SELECT key, value FROM consume('set_date', 'g');
SELECT key, value FROM consume('set_time', 'g');
SELECT key, value FROM consume('set_many', 'g');
SELECT key, value FROM consume('set_bytes', 'g');
SELECT key, value FROM consume('set_rows_changes', 'g');
-- a key is erased that another session has produced
SELECT erase('set_date', make_date(2024, 3, 5));

---- and read by each
SELECT DISTINCT key, value FROM set_date ORDER BY value;
SELECT DISTINCT key, value FROM set_time;
SELECT key, value FROM set_many;
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'iso_8601';
SELECT DISTINCT key, value FROM set_date ORDER BY value;
SELECT DISTINCT key, value FROM set_time;
SET datestyle = 'Postgres, MDY';
SET intervalstyle = 'sql_standard';
SELECT DISTINCT key FROM set_date;
SELECT DISTINCT value = make_interval(months => -14, days => 3, secs => -1.5) AS same FROM set_time;
RESET ALL;
SET datestyle = 'ISO';
SELECT DISTINCT key, value FROM set_date ORDER BY value;
SELECT count(*) FROM latest(NULL::set_date);
SELECT (r.at, r.span, r.ratio, r.day, r.blob, r.note) = (s.at, s.span, s.ratio, s.day, s.blob, s.note) AS same
FROM set_rows s, latest(NULL::set_rows_changes) l, jsonb_populate_record(NULL::set_rows, l.value) r;

---- headers that can be produced can be read
SELECT create_topic('set_headers', config => '{"compression.type": "lz4"}');
CREATE FUNCTION set_nulls(n int) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('', ('[' || repeat('null,', n - 1) || 'null]')::jsonb) $$;
SELECT produce('set_headers', 'k'::text, 'most'::text, headers => set_nulls(1048576));
SELECT produce('set_headers', 'k'::text, 'one more'::text, headers => set_nulls(1048577));
INSERT INTO set_headers (value, headers) SELECT 'two names', set_nulls(1048576) || '{"a": 1}';
SELECT produce('set_headers', 'k'::text, 'behind'::text);
SELECT value, jsonb_array_length(headers -> '') AS headers FROM set_headers;
SELECT value FROM consume('set_headers', 'g');

DROP TABLE set_rows;
DROP FOREIGN TABLE set_rows_changes, set_date, set_time, set_many, set_bytes, set_headers;
DROP PROCEDURE set_odd, set_produce, set_change;
DROP FUNCTION set_nulls;
DROP TYPE set_pair;
