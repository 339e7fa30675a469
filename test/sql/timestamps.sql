SET statement_timeout = '30s';
-- every timestamp that a record can have, and the limits of those: src/util/clock.c, src/produce/record_check.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

-- ---- the edges of timestamptz, in one batch and one by one ----

SELECT create_topic('ages', config => '{"message.timestamp.after.max.ms": 9223372036854775807, "retention.ms": -1}');
CREATE TABLE edges (n int, ts timestamptz, kept timestamptz);
INSERT INTO edges VALUES
    (1, '4714-11-24 00:00:00+00 BC', '4714-11-24 00:00:00+00 BC'),
    (2, '4714-11-24 00:00:00.000999+00 BC', '4714-11-24 00:00:00+00 BC'),
    (3, '0001-12-31 23:59:59.999999+00 BC', '0001-12-31 23:59:59.999+00 BC'),
    (4, '1969-12-31 23:59:59.9995+00', '1969-12-31 23:59:59.999+00'),
    (5, '1969-12-31 23:59:59.999+00', '1969-12-31 23:59:59.999+00'),
    (6, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00'),
    (7, '1999-12-31 23:59:59.999999+00', '1999-12-31 23:59:59.999+00'),
    (8, '2000-01-01 00:00:00.0009+00', '2000-01-01 00:00:00+00'),
    (9, '2099-01-01 00:00:00.123+00', '2099-01-01 00:00:00.123+00'),
    (10, '292277-01-09 04:00:54.775807+00', '292277-01-09 04:00:54.775+00'),
    (11, '294276-12-31 00:00:00+00', '294276-12-31 00:00:00+00'),
    (12, '294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999+00');
SELECT count(produce('ages', 'produced', n::text, record_timestamp => ts)) FROM edges;
SELECT count(produce('ages', 'backwards', n::text, record_timestamp => ts)) FROM (SELECT * FROM edges ORDER BY n DESC) AS e;
INSERT INTO ages (key, value, record_timestamp) SELECT 'inserted', n::text, ts FROM edges;
COPY ages (key, value, record_timestamp) FROM stdin;
copied	1	4714-11-24 00:00:00+00 BC
copied	12	294276-12-31 23:59:59.999999+00
copied	4	1969-12-31 23:59:59.9995+00
\.
DO $$
DECLARE edge record;
BEGIN
    FOR edge IN SELECT * FROM edges LOOP
        PERFORM produce('ages', 'one by one', edge.n::text, record_timestamp => edge.ts);
        COMMIT;
    END LOOP;
END $$;
SELECT key, count(*), count(*) FILTER (WHERE record_timestamp = kept) AS kept
FROM ages JOIN edges ON value = n::text GROUP BY key ORDER BY key;
SELECT key, count(*), count(*) FILTER (WHERE record_timestamp = kept) AS kept
FROM consume('ages', 'g') JOIN edges ON value = n::text GROUP BY key ORDER BY key;
SELECT count(*) FROM consume_as(NULL::ages, 'typed');
SELECT key, value, record_timestamp FROM latest(NULL::ages) ORDER BY key;
SELECT first_timestamp, largest_timestamp FROM pg_topic_segments WHERE topic = 'ages'::regclass;
SELECT group_id, lag, lag_time IS NULL AS none FROM pg_topic_groups WHERE topic = 'ages'::regclass ORDER BY 1;
SELECT seek_to_beginning('ages', 'g');
SELECT group_id, lag, lag_time > interval '58000000 hours' AS old FROM pg_topic_groups WHERE topic = 'ages'::regclass AND lag > 0;
SELECT seek_to_offset('ages', 'g', 11);
SELECT group_id, lag, lag_time FROM pg_topic_groups WHERE topic = 'ages'::regclass AND lag > 0;
INSERT INTO ages (record_timestamp, value) VALUES ('2001-02-03 04:05:06.7899+00', 'r') RETURNING record_timestamp;

-- copied from one topic into another, as a restored dump does
SELECT create_topic('ages_again', config => '{"message.timestamp.after.max.ms": 9223372036854775807, "segment.ms": 1, "segment.bytes": 1024, "compression.type": "none"}');
INSERT INTO ages_again (partition, record_offset, record_timestamp, key, value)
SELECT partition, record_offset, record_timestamp, key, value FROM ages ORDER BY record_offset;
SELECT count(*) FROM (SELECT record_offset, record_timestamp, key, value FROM ages EXCEPT
                      SELECT record_offset, record_timestamp, key, value FROM ages_again) AS difference;

-- segment.ms: between far ends nothing overflows
DO $$
DECLARE edge record;
BEGIN
    FOR edge IN SELECT * FROM edges ORDER BY n LOOP
        PERFORM produce('ages_again', 'one by one', edge.n::text, record_timestamp => edge.ts);
        COMMIT;
    END LOOP;
END $$;
SELECT first_timestamp, largest_timestamp FROM pg_topic_segments WHERE topic = 'ages_again'::regclass AND base_offset > 40 ORDER BY base_offset;

-- ---- looking for them ----

SELECT n, (SELECT value FROM ages WHERE key = 'produced' AND record_offset = offset_for_timestamp('ages', 0, ts)) AS found
FROM edges ORDER BY n;
SELECT offset_for_timestamp('ages', 0, '294276-12-31 23:59:59.999+00') AS last;
SELECT seek_to_timestamp('ages', 'g', '294276-12-31 23:59:59.999999+00');
SELECT record_offset, value, record_timestamp FROM consume('ages', 'g', 1);
SELECT seek_to_timestamp('ages', 'g', '4714-11-24 00:00:00+00 BC');
SELECT record_offset, value, record_timestamp FROM consume('ages', 'g', 1);
SELECT seek_to_timestamp('ages', 'g', 'infinity');
SELECT offset_for_timestamp('ages', 0, '-infinity');

-- conditions find the same with and without help of the index
CREATE TABLE ages_heap AS SELECT record_timestamp, value FROM ages;
CREATE FUNCTION compare(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE here bigint; there bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ages WHERE %s', condition) INTO here;
    EXECUTE format('SELECT count(*) FROM ages_heap WHERE %s', condition) INTO there;
    RETURN CASE WHEN here = there THEN here || ' as in the heap' ELSE format('%s, in the heap %s', here, there) END;
END $$;
SELECT op, value, compare(format('record_timestamp %s %s', op, value))
FROM unnest(ARRAY['<', '<=', '=', '>=', '>']) AS op,
     unnest(ARRAY['timestamptz ''infinity''', 'timestamptz ''-infinity''', 'date ''infinity''', 'timestamp ''-infinity''',
                  'date ''5874897-12-31''', 'date ''4714-11-24 BC''', 'timestamp ''294276-12-31 23:59:59.999999''',
                  'timestamptz ''4714-11-24 00:00:00+00 BC''', 'timestamptz ''294276-12-31 23:59:59.999+00''',
                  'timestamptz ''1969-12-31 23:59:59.9995+00''', 'timestamptz ''1969-12-31 23:59:59.999+00''']) WITH ORDINALITY AS v(value, n)
ORDER BY n, op;

-- ---- infinity is refused ----

SELECT produce('ages', 'k', 'v', record_timestamp => 'infinity');
INSERT INTO ages (record_timestamp) VALUES ('-infinity');
COPY ages (record_timestamp) FROM stdin;
infinity
\.

-- ---- retention and compaction ----

SELECT log_start_offset > 0 AS deleted FROM apply_retention('ages_again');
ALTER FOREIGN TABLE ages_again OPTIONS (ADD "retention.ms" '9223372036854775807');
SELECT segments_deleted FROM apply_retention('ages_again');
ALTER FOREIGN TABLE ages OPTIONS (ADD "cleanup.policy" 'compact', SET "retention.ms" '1', ADD "delete.retention.ms" '9223372036854775807');
INSERT INTO ages (key, record_timestamp) VALUES ('copied', '294276-12-31 23:59:59.999999+00'), ('inserted', '4714-11-24 00:00:00+00 BC');
SELECT records_after FROM compact('ages');
SELECT key, value, record_timestamp FROM ages ORDER BY record_offset;
SELECT key, value, record_timestamp FROM latest(NULL::ages) ORDER BY key;
ALTER FOREIGN TABLE ages OPTIONS (ADD "min.compaction.lag.ms" '9223372036854775807', ADD "max.compaction.lag.ms" '9223372036854775807');
SELECT records_after FROM compact('ages');
SELECT * FROM verify_topic('ages');
SELECT * FROM verify_topic('ages_again');

-- ---- message.timestamp.before.max.ms and message.timestamp.after.max.ms ----

\set VERBOSITY terse
SELECT create_topic('limited');
SELECT produce('limited', 'k', 'an hour, less a moment', record_timestamp => clock_timestamp() + interval '59 min');
SELECT count(produce('limited', 'k', 'of any age', record_timestamp => '4714-11-24 BC'));
DO $$
BEGIN
    PERFORM produce('limited', 'k', 'too far', record_timestamp => clock_timestamp() + interval '61 min');
EXCEPTION WHEN datetime_field_overflow THEN
    RAISE NOTICE 'refused: %', regexp_replace(sqlerrm, '[0-9-]+ [0-9:.+]+', '<time>');
END $$;
\set VERBOSITY default
SELECT produce('limited', 'k', 'v', record_timestamp => '2999-01-01 00:00:00.123+00');
INSERT INTO limited (value, record_timestamp) VALUES ('a', '2020-01-01'), ('b', '2999-01-01');
COPY limited (value, record_timestamp) FROM stdin;
a	2999-01-01 00:00:00+00
\.
ALTER FOREIGN TABLE limited OPTIONS (ADD "message.timestamp.before.max.ms" '60000', ADD "message.timestamp.after.max.ms" '0');
SELECT produce('limited', 'k', 'v', record_timestamp => '2020-01-01 00:00:00+00');
SELECT produce('limited', 'k', 'young enough', record_timestamp => clock_timestamp() - interval '50 s');
SELECT produce('limited', 'k', 'of now'), produce('limited', 'of now'), produce('limited', 'k', 'of now', record_timestamp => clock_timestamp());
INSERT INTO limited (value) VALUES ('of now');
-- a restored dump has its records' offsets and is its owner's
INSERT INTO limited (record_offset, value, record_timestamp) VALUES (10, 'restored', '1999-01-01'), (11, 'restored', '2999-01-01');
CREATE ROLE timestamps_producer;
GRANT INSERT ON limited TO timestamps_producer;
SET ROLE timestamps_producer;
INSERT INTO limited (record_offset, value, record_timestamp) VALUES (12, 'no restore', '2999-01-01');
RESET ROLE;
DROP OWNED BY timestamps_producer;
DROP ROLE timestamps_producer;
SELECT value FROM limited ORDER BY record_offset;
-- the append's own time is not the producer's
ALTER FOREIGN TABLE limited OPTIONS (ADD "message.timestamp.type" 'LogAppendTime');
SELECT produce('limited', 'k', 'appended', record_timestamp => '2999-01-01 00:00:00+00');
SELECT record_timestamp BETWEEN now() - interval '1 min' AND now() + interval '1 min' FROM limited WHERE value = 'appended';
ALTER FOREIGN TABLE limited OPTIONS (SET "message.timestamp.after.max.ms" '-1');
SELECT create_topic('never', config => '{"message.timestamp.before.max.ms": "soon"}');

SELECT name, setting, unit FROM pg_settings WHERE name LIKE 'pg_topics.log_message_timestamp%' ORDER BY name;
DROP TABLE edges, ages_heap;
DROP FUNCTION compare;
DROP FOREIGN TABLE ages, ages_again, limited;
