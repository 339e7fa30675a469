-- File under test: src/consume/consume_whole.c.
-- Where consume() takes all records before the statement gets the first one, statements that would
-- lose some of them are errors.  In FROM it does not: consume_node.sql.
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

---- in a SELECT list, ROWS FROM and WITH ORDINALITY: forms that leave rows out move no offset
SELECT (consume('events', 'g')).value LIMIT 1;
\set VERBOSITY terse
SELECT consume('events', 'g') OFFSET 3;
SELECT (consume('events', 'g')).value ORDER BY 1 FETCH FIRST 2 ROWS ONLY;
SELECT (consume('events', 'g', 10)).value LIMIT 9;
SELECT (consume_as(NULL::events, 'g')).value LIMIT 1;
SELECT (consume_many('{events}', 'g')).value LIMIT 1;
SELECT value FROM consume('events', 'g') WITH ORDINALITY LIMIT 1;
SELECT value FROM ROWS FROM (consume('events', 'g'), generate_series(1, 2)) LIMIT 1;
SELECT c FROM (SELECT consume('events', 'g') AS c OFFSET 0) s LIMIT 1;
WITH batch AS MATERIALIZED (SELECT consume('events', 'g') AS c) SELECT c FROM batch LIMIT 1;
SELECT DISTINCT key FROM consume('events', 'g') WITH ORDINALITY LIMIT 1;
SELECT key, count(*) FROM consume('events', 'g') WITH ORDINALITY GROUP BY key LIMIT 1;
SELECT * FROM consume('events', 'g') WITH ORDINALITY c LEFT JOIN work w USING (value) LIMIT 1;
SELECT value FROM consume('events', 'g') WITH ORDINALITY UNION ALL SELECT 'other' LIMIT 1;
SELECT (SELECT value FROM consume('events', 'g') WITH ORDINALITY LIMIT 1);
INSERT INTO work SELECT (consume('events', 'g')).value LIMIT 1;
CREATE TABLE copy AS SELECT (consume('events', 'g')).value LIMIT 1;
SELECT EXISTS (SELECT FROM consume('events', 'g') WITH ORDINALITY);
SELECT 1 WHERE NOT EXISTS (SELECT value FROM consume('events', 'g', 1) WITH ORDINALITY WHERE key = 'k');
EXPLAIN ANALYZE SELECT consume('events', 'g');
EXPLAIN (ANALYZE) SELECT count(*) FROM consume('events', 'g') WITH ORDINALITY JOIN work USING (value);
EXPLAIN ANALYZE SELECT consume('events', 'g', auto_commit => false, member_id => 'm');
DO $$ DECLARE r record; BEGIN SELECT * INTO r FROM consume('events', 'g') WITH ORDINALITY; END $$;
DO $$ DECLARE r record; BEGIN SELECT * INTO STRICT r FROM consume('events', 'g') WITH ORDINALITY; END $$;
PREPARE batch(int, bigint) AS SELECT (consume('events', 'g', $1)).value LIMIT $2;
EXECUTE batch(2, 1);
SELECT (consume('events', 'g', 5)).value LIMIT (SELECT count(*) FROM work);
TABLE next_offset;
\set VERBOSITY default

---- forms that return all
SELECT (consume('events', 'g', 1)).value LIMIT 1;
SELECT (consume('events', 'g', max_records => 2)).value OFFSET 0 LIMIT 500;
SELECT value, ordinality FROM consume('events', 'g', max_records => 1) WITH ORDINALITY LIMIT ALL;
EXECUTE batch(2, 2);
EXECUTE batch(2, NULL);
EXECUTE batch(2, 0);
SELECT value, n FROM ROWS FROM (consume('events', 'g', 2), generate_series(7, 8)) c(partition, record_offset, record_timestamp, key, value, headers, n);
SELECT count(*) FROM consume('events', 'g', 2) WITH ORDINALITY LIMIT 1;
SELECT string_agg(value, ' ') FROM consume('events', 'g', 2) WITH ORDINALITY HAVING count(*) > 0 LIMIT 1;
WITH done AS (INSERT INTO work SELECT (consume('events', 'g', 2)).value RETURNING value) SELECT count(*) FROM done LIMIT 1;
WITH done AS (INSERT INTO work SELECT (consume('events', 'g', 2)).value RETURNING value) SELECT 1 FROM done LIMIT 1;
SELECT count(*) FROM consume('events', 'g', 2) WITH ORDINALITY, (SELECT 1 FROM generate_series(1, 10) LIMIT 1) s;
DO $$
DECLARE
    r record;
    n int;
BEGIN
    SELECT * INTO r FROM consume('events', 'g', max_records => 1) WITH ORDINALITY;
    SELECT count(*) INTO n FROM consume('events', 'g', 2) WITH ORDINALITY;
    FOR r IN SELECT * FROM consume('events', 'g', 3) WITH ORDINALITY LOOP
        n := n + 1;
    END LOOP;
    RAISE NOTICE '% records', n + 1;
END $$;
TABLE next_offset;
-- EXPLAIN without ANALYZE consumes nothing, with it what is stored, or nothing that is committed
EXPLAIN (COSTS OFF) SELECT (consume('events', 'g')).value LIMIT 1;
EXPLAIN ANALYZE INSERT INTO work SELECT (consume('events', 'g', 2)).value \g /dev/null
EXPLAIN ANALYZE WITH done AS (INSERT INTO work SELECT (consume('events', 'g', 2)).value RETURNING value) SELECT count(*) FROM done \g /dev/null
EXPLAIN ANALYZE CREATE TABLE copy AS SELECT value FROM consume('events', 'g', 2) WITH ORDINALITY \g /dev/null
SELECT (SELECT count(*) FROM work) AS worked, (SELECT count(*) FROM copy) AS copied;
TABLE next_offset;
BEGIN;
EXPLAIN ANALYZE SELECT (consume('events', 'g', auto_commit => false)).value \g /dev/null
EXPLAIN ANALYZE SELECT consume_many('{events}', 'g', auto_commit => false) \g /dev/null
ROLLBACK;
TABLE next_offset;
-- CTEs that refer to each other twice are walked once each
SELECT 'WITH c0 AS MATERIALIZED (SELECT 1 AS n), ' ||
    string_agg(format('c%s AS MATERIALIZED (SELECT a.n FROM c%s a JOIN c%s b USING (n))', i, i - 1, i - 1), ', ' ORDER BY i) || ' SELECT n FROM c40'
FROM generate_series(1, 40) i \gexec

SET client_min_messages = warning;
DROP SCHEMA whole_test CASCADE;
