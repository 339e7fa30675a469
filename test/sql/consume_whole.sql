-- File under test: src/consume/consume_whole.c.
-- What is consumed is returned: statements that would lose records are errors.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA whole_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'whole_test, ' || :'home', false) <> '' AS ok;
SELECT create_topic('events');
SELECT count(produce('events', 'k', i)) FROM generate_series(1, 100) i;
CREATE TABLE work (value text);
CREATE VIEW next_offset AS SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'g';

---- forms that leave rows out move no offset
SELECT value FROM consume('events', 'g') LIMIT 1;
\set VERBOSITY terse
SELECT value FROM consume('events', 'g') OFFSET 3;
SELECT value FROM consume('events', 'g') ORDER BY record_timestamp FETCH FIRST 2 ROWS ONLY;
SELECT value FROM consume('events', 'g', 10) LIMIT 9;
SELECT value FROM consume_as(NULL::events, 'g') LIMIT 1;
SELECT value FROM consume_many('{events}', 'g') LIMIT 1;
SELECT (consume('events', 'g')).value LIMIT 1;
SELECT value FROM (SELECT value FROM consume('events', 'g') OFFSET 0) s LIMIT 1;
WITH batch AS MATERIALIZED (SELECT * FROM consume('events', 'g')) SELECT value FROM batch LIMIT 1;
SELECT DISTINCT key FROM consume('events', 'g') LIMIT 1;
SELECT key, count(*) FROM consume('events', 'g') GROUP BY key LIMIT 1;
SELECT * FROM consume('events', 'g') c LEFT JOIN work w USING (value) LIMIT 1;
SELECT value FROM consume('events', 'g') UNION ALL SELECT 'other' LIMIT 1;
SELECT (SELECT value FROM consume('events', 'g') LIMIT 1);
INSERT INTO work SELECT value FROM consume('events', 'g') LIMIT 1;
CREATE TABLE copy AS SELECT value FROM consume('events', 'g') LIMIT 1;
SELECT EXISTS (SELECT FROM consume('events', 'g'));
SELECT 1 WHERE NOT EXISTS (SELECT value FROM consume('events', 'g', 1) WHERE key = 'k');
EXPLAIN ANALYZE SELECT value FROM consume('events', 'g');
EXPLAIN (ANALYZE) SELECT count(*) FROM consume('events', 'g') JOIN work USING (value);
EXPLAIN ANALYZE SELECT value FROM consume('events', 'g', auto_commit => false, member_id => 'm');
DO $$ DECLARE r record; BEGIN SELECT * INTO r FROM consume('events', 'g'); END $$;
DO $$ DECLARE r record; BEGIN SELECT * INTO STRICT r FROM consume('events', 'g'); END $$;
PREPARE batch(int, bigint) AS SELECT value FROM consume('events', 'g', $1) LIMIT $2;
EXECUTE batch(2, 1);
SELECT value FROM consume('events', 'g', 5) LIMIT (SELECT count(*) FROM work);
TABLE next_offset;
\set VERBOSITY default

---- forms that return all
SELECT value FROM consume('events', 'g', 1) LIMIT 1;
SELECT value FROM consume('events', 'g', max_records => 2) OFFSET 0 LIMIT 500;
SELECT value FROM consume('events', 'g', max_records => 1) LIMIT ALL;
EXECUTE batch(2, 2);
EXECUTE batch(2, NULL);
EXECUTE batch(2, 0);
SELECT count(*) FROM consume('events', 'g', 2) LIMIT 1;
SELECT string_agg(value, ' ') FROM consume('events', 'g', 2) HAVING count(*) > 0 LIMIT 1;
WITH done AS (INSERT INTO work SELECT value FROM consume('events', 'g', 2) RETURNING value) SELECT count(*) FROM done LIMIT 1;
WITH done AS (INSERT INTO work SELECT value FROM consume('events', 'g', 2) RETURNING value) SELECT 1 FROM done LIMIT 1;
SELECT count(*) FROM consume('events', 'g', 2), (SELECT 1 FROM generate_series(1, 10) LIMIT 1) s;
DO $$
DECLARE
    r record;
    n int;
BEGIN
    SELECT * INTO r FROM consume('events', 'g', max_records => 1);
    SELECT count(*) INTO n FROM consume('events', 'g', 2);
    FOR r IN SELECT * FROM consume('events', 'g', 3) LOOP
        n := n + 1;
    END LOOP;
    RAISE NOTICE '% records', n + 1;
END $$;
TABLE next_offset;
-- EXPLAIN without ANALYZE consumes nothing, with it what is stored, or nothing that is committed
EXPLAIN (COSTS OFF) SELECT value FROM consume('events', 'g') LIMIT 1;
EXPLAIN ANALYZE INSERT INTO work SELECT value FROM consume('events', 'g', 2) \g /dev/null
EXPLAIN ANALYZE WITH done AS (INSERT INTO work SELECT value FROM consume('events', 'g', 2) RETURNING value) SELECT count(*) FROM done \g /dev/null
EXPLAIN ANALYZE CREATE TABLE copy AS SELECT value FROM consume('events', 'g', 2) \g /dev/null
SELECT (SELECT count(*) FROM work) AS worked, (SELECT count(*) FROM copy) AS copied;
TABLE next_offset;
BEGIN;
EXPLAIN ANALYZE SELECT value FROM consume('events', 'g', auto_commit => false) \g /dev/null
EXPLAIN ANALYZE SELECT value FROM consume_many('{events}', 'g', auto_commit => false) \g /dev/null
ROLLBACK;
TABLE next_offset;
-- CTEs that refer to each other twice are walked once each
SELECT 'WITH c0 AS MATERIALIZED (SELECT 1 AS n), ' ||
    string_agg(format('c%s AS MATERIALIZED (SELECT a.n FROM c%s a JOIN c%s b USING (n))', i, i - 1, i - 1), ', ' ORDER BY i) || ' SELECT n FROM c40'
FROM generate_series(1, 40) i \gexec

SET client_min_messages = warning;
DROP SCHEMA whole_test CASCADE;
