-- Files under test: src/consume/consume.c, src/consume/consume_request.c, src/consume/consume_partition.c,
-- src/consume/partition_cursor.c, src/group/consumer_group.c, src/group/group_row.c.
-- consume(), consume_as(), commit_offsets(): reading a topic for a group.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA consume_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'consume_test, ' || :'home', false) <> '' AS ok;

-- what the tests look at: the group's rows
CREATE VIEW offsets AS
    SELECT group_id, topic, partition, committed_offset, metadata
    FROM topic_group_offsets ORDER BY group_id, topic::text, partition;

---- a group reads on where it stopped
SELECT create_topic('orders');
SELECT count(produce('orders', 'k' || i, 'v' || i)) FROM generate_series(1, 5) i;
SELECT partition, record_offset, key, value, headers FROM consume('orders', 'billing', 2);
SELECT partition, record_offset, key, value FROM consume('orders', 'billing', 2);
SELECT partition, record_offset, key, value FROM consume('orders', 'billing', 2);
SELECT count(*) FROM consume('orders', 'billing', 2);
SELECT * FROM offsets;
-- nothing to read writes nothing
SELECT ctid AS before FROM topic_group_offsets WHERE group_id = 'billing' \gset
SELECT count(*) FROM consume('orders', 'billing');
SELECT ctid = :'before' AS unchanged FROM topic_group_offsets WHERE group_id = 'billing';
-- another group has an offset of its own
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'shipping');
-- a group on an empty topic leaves no row
SELECT create_topic('empty');
SELECT count(*) FROM consume('empty', 'billing');
SELECT count(*) FROM offsets WHERE topic = 'empty'::regclass;

---- keys, values, headers, timestamps
SELECT create_topic('typed', key_type => 'int', value_type => 'jsonb');
SELECT produce('typed', 7, '{"a": [1, 2]}'::jsonb, record_timestamp => '2024-02-03 04:05:06.789+00',
               headers => '{"source": "test"}');
SELECT produce('typed', NULL::int, NULL::jsonb);
SELECT record_offset, key, value, headers,
       CASE WHEN record_offset = 0 THEN record_timestamp AT TIME ZONE 'UTC' END AS record_timestamp
FROM consume('typed', 'g');
SELECT record_timestamp BETWEEN now() - interval '1 min' AND now() + interval '1 min' AS recent
FROM consume('orders', 'times', 1);

-- texts of all lengths, empty and null ones: both functions agree with what was produced
CREATE TABLE texts (n bigint, key text, value text);
INSERT INTO texts SELECT row_number() OVER (ORDER BY k, v) - 1, repeat('k', k), repeat('é', v)
FROM (VALUES (NULL), (0), (1), (2), (3), (125), (126), (127), (128), (300)) a(k),
     (VALUES (NULL), (0), (1), (62), (63), (64), (100000)) b(v);
SELECT create_topic('texts_topic');
INSERT INTO texts_topic (key, value) SELECT key, value FROM texts ORDER BY n;
SELECT count(*) FROM (SELECT * FROM texts EXCEPT
    SELECT record_offset, key, value FROM consume('texts_topic', 'as text', 1000)) missing;
SELECT count(*) FROM (SELECT * FROM texts EXCEPT
    SELECT record_offset, key, value FROM consume_as(NULL::texts_topic, 'typed', 1000)) missing;
SELECT record_offset, key, length(value), headers, record_timestamp IS NULL AS no_timestamp
FROM consume('texts_topic', 'again', 1, partitions => '{0}');

---- consume_as() gives the topic's own types
CREATE TABLE items (id int PRIMARY KEY, name text);
INSERT INTO items VALUES (7, 'seven');
SELECT t.record_offset, t.key, i.name, t.value -> 'a' AS a, pg_typeof(t.value)
FROM consume_as(NULL::typed, 'joiner') t LEFT JOIN items i ON i.id = t.key ORDER BY 1;
SELECT (consume_as(NULL::typed, 'target list', max_records => 1)).key;
-- columns go by name
CREATE FOREIGN TABLE reordered (value bytea, record_offset bigint, key text) SERVER topics;
SELECT produce('reordered', 'k', '\x00ff'::bytea);
SELECT * FROM consume_as(NULL::reordered, 'g');
SELECT partition, record_offset, key, value FROM consume('reordered', 'text');
ALTER FOREIGN TABLE reordered DROP COLUMN value;
SELECT * FROM consume_as(NULL::reordered, 'g2');
SELECT * FROM consume_as(NULL::items, 'g');
SELECT * FROM consume_as(1, 'g');

---- several partitions: max_records counts over all, the one served longest ago comes first
SELECT create_topic('multi', partitions => 3);
SELECT count(produce('multi', NULL::text, p || '-' || i, partition => p))
FROM generate_series(0, 2) p, generate_series(1, 4) i;
SELECT partition, array_agg(value ORDER BY record_offset) FROM consume('multi', 'g', 3) GROUP BY 1 ORDER BY 1;
SELECT partition, array_agg(value ORDER BY record_offset) FROM consume('multi', 'g', 3) GROUP BY 1 ORDER BY 1;
SELECT partition, array_agg(value ORDER BY record_offset) FROM consume('multi', 'g', 3) GROUP BY 1 ORDER BY 1;
SELECT partition, array_agg(value ORDER BY record_offset) FROM consume('multi', 'g', 2) GROUP BY 1 ORDER BY 1;
SELECT partition, array_agg(value ORDER BY record_offset) FROM consume('multi', 'g') GROUP BY 1 ORDER BY 1;
-- chosen partitions
SELECT partition, count(*) FROM consume('multi', 'chosen', partitions => '{2,0,2}') GROUP BY 1 ORDER BY 1;
SELECT partition, count(*) FROM consume('multi', 'chosen') GROUP BY 1 ORDER BY 1;

-- the clock was set back by an hour: what was served "later than now" was served before all that is
UPDATE topic_group_offsets SET committed_offset = 0, commit_timestamp = commit_timestamp + interval '1 hour'
WHERE topic = 'multi'::regclass AND group_id = 'chosen';
SELECT partition FROM consume('multi', 'chosen', 1)
UNION ALL SELECT partition FROM consume('multi', 'chosen', 1) UNION ALL SELECT partition FROM consume('multi', 'chosen', 1)
UNION ALL SELECT partition FROM consume('multi', 'chosen', 1);

---- rollback gives the records back
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'undo', 2);
ROLLBACK;
SELECT * FROM offsets WHERE group_id = 'undo';
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'undo', 2);
SAVEPOINT s;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'undo', 2);
ROLLBACK TO s;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'undo', 2);
COMMIT;
SELECT * FROM offsets WHERE group_id = 'undo';

---- auto_commit => false: positions of the transaction
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 2, auto_commit => false);
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
COMMIT;
-- without commit_offsets() nothing was committed
SELECT * FROM offsets WHERE group_id = 'manual';
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 2, auto_commit => false);
SELECT commit_offsets('orders', 'manual');
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 2, auto_commit => false);
COMMIT;
SELECT * FROM offsets WHERE group_id = 'manual';
-- savepoints take the position back, released ones keep it
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
SAVEPOINT a;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
SAVEPOINT b;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
ROLLBACK TO b;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
RELEASE b;
ROLLBACK TO a;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
RELEASE a;
SELECT commit_offsets('orders', 'manual');
COMMIT;
SELECT * FROM offsets WHERE group_id = 'manual';
-- committing in a savepoint that is rolled back commits nothing
SELECT seek_to_beginning('orders', 'manual');
BEGIN;
SELECT count(*) FROM consume('orders', 'manual', 3, auto_commit => false);
SAVEPOINT a;
SELECT commit_offsets('orders', 'manual');
ROLLBACK TO a;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
COMMIT;
SELECT * FROM offsets WHERE group_id = 'manual';
-- both kinds in one transaction
BEGIN;
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 2, auto_commit => false);
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1);
SELECT array_agg(value ORDER BY record_offset) FROM consume('orders', 'manual', 1, auto_commit => false);
COMMIT;
SELECT * FROM offsets WHERE group_id = 'manual';
-- another group's positions stay out of it
BEGIN;
SELECT count(*) FROM consume('orders', 'one', 2, auto_commit => false);
SELECT count(*) FROM consume('orders', 'two', 3, auto_commit => false);
SELECT commit_offsets('orders', 'two');
SELECT commit_offsets('orders', 'three');
COMMIT;
SELECT * FROM offsets WHERE group_id IN ('one', 'two', 'three');
-- a commit of nothing is told, but for a transaction that has read and found nothing
SELECT commit_offsets('orders', 'manual');
BEGIN;
SELECT count(*) FROM consume('orders', 'manual', 1, auto_commit => true);
SELECT commit_offsets('orders', 'manual');
SAVEPOINT a;
SELECT count(*) FROM consume('orders', 'manual', 1, auto_commit => false);
ROLLBACK TO a;
SELECT commit_offsets('orders', 'manual');
ROLLBACK;
SELECT seek_to_end('orders', 'idle');
BEGIN;
SELECT count(*) FROM consume('orders', 'idle', auto_commit => false);
SELECT commit_offsets('orders', 'idle');
SELECT count(*) FROM consume('orders', 'idle', auto_commit => false, timeout_ms => 1);
SELECT commit_offsets('orders', 'idle');
COMMIT;
BEGIN;
SELECT count(*) FROM consume_many('{orders}', 'idle', auto_commit => false);
SELECT commit_offsets('orders', 'idle');
COMMIT;

---- who polls and finds nothing commits anew, once a quarter of offsets_retention_minutes has passed
CREATE FUNCTION aged(ago interval) RETURNS void LANGUAGE sql AS $$
    UPDATE topic_group_offsets SET commit_timestamp = now() - ago, metadata = 'kept' WHERE group_id = 'poller' $$;
CREATE FUNCTION polled() RETURNS TABLE (topic regclass, partition int, committed_offset bigint, metadata text, anew bool) LANGUAGE sql AS $$
    SELECT topic, partition, committed_offset, metadata, commit_timestamp > now() - interval '1 hour'
    FROM topic_group_offsets WHERE group_id = 'poller' ORDER BY topic::text, partition $$;
SELECT count(*) FROM consume('multi', 'poller');
SELECT aged('1 day');
SELECT count(*) FROM consume('multi', 'poller');
SELECT * FROM polled();
SELECT aged('2 days');
SELECT count(*) FROM consume('multi', 'poller');
SELECT * FROM polled();
SELECT aged('2 days');
SELECT count(*) FROM consume('multi', 'poller', partitions => '{2}', auto_commit => false, timeout => '1 ms');
SELECT * FROM polled() WHERE anew;
-- one of several topics, while the others have records
SELECT aged('2 days');
SELECT count(*) FROM consume_many('{multi,orders}', 'poller', 2);
SELECT * FROM polled() WHERE anew;
-- not where it would forget what the transaction has read, nor by a rolled back poll
SELECT aged('2 days');
BEGIN;
SELECT count(*) FROM consume('orders', 'poller', auto_commit => false);
SELECT count(*) FROM consume('orders', 'poller', auto_commit => false);
SELECT commit_offsets('orders', 'poller');
SELECT count(*) FROM consume('multi', 'poller');
ROLLBACK;
SELECT * FROM polled() WHERE anew;

---- several calls in one statement, and in functions
SELECT a.record_offset, b.record_offset
FROM consume('orders', 'twice', 1) a, LATERAL consume('orders', 'twice', a.partition + 1) b;
CREATE FUNCTION drain(batch int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    total bigint := 0;
    n bigint;
BEGIN
    LOOP
        SELECT count(*) INTO n FROM consume('orders', 'drained', batch);
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    RETURN total;
END $$;
SELECT drain(2);
SELECT committed_offset FROM offsets WHERE group_id = 'drained';
-- what a function's caught error undoes
DO $$
BEGIN
    PERFORM consume('orders', 'caught', 3);
    BEGIN
        PERFORM consume('orders', 'caught', 1);
        RAISE EXCEPTION 'processing failed';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
END $$;
SELECT committed_offset FROM offsets WHERE group_id = 'caught';

---- isolation levels
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM consume('orders', 'rr', 2);
SELECT count(*) FROM consume('orders', 'rr', 2);
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM consume('orders', 'rr', 2);
SELECT count(*) FROM consume('orders', 'rr', 2, timeout => '1 hour');
COMMIT;
SELECT committed_offset FROM offsets WHERE group_id = 'rr';

---- own records: not before they are committed
BEGIN;
SELECT produce('orders', 'k6', 'v6');
SELECT count(*) FROM consume('orders', 'rr');
COMMIT;
SELECT value FROM consume('orders', 'rr');

---- where a new group starts
SELECT count(*) FROM consume('orders', 'tail', auto_offset_reset => 'latest');
SELECT * FROM offsets WHERE group_id = 'tail';
SELECT produce('orders', 'k7', 'v7');
SELECT value FROM consume('orders', 'tail', auto_offset_reset => 'latest');
SELECT count(*) FROM consume('orders', 'tail', auto_offset_reset => 'latest');
SELECT count(*) FROM consume('empty', 'tail', auto_offset_reset => 'latest', auto_commit => false);
SELECT * FROM offsets WHERE group_id = 'tail';
SELECT count(*) FROM consume('orders', 'strict', auto_offset_reset => 'none');
SET pg_topics.auto_offset_reset = 'none';
SELECT count(*) FROM consume('orders', 'strict');
SELECT count(*) FROM consume('orders', 'strict', auto_offset_reset => 'earliest');
SELECT count(*) FROM consume('orders', 'strict');
RESET pg_topics.auto_offset_reset;
SET pg_topics.auto_offset_reset = 'whatever';

---- records deleted before the group read them
SELECT create_topic('short');
SELECT count(produce('short', NULL::text, 'old' || i)) FROM generate_series(1, 10) i;
SELECT g, (SELECT count(*) FROM consume('short', g, 4)) FROM (VALUES ('early'), ('late'), ('strict')) v(g);
TRUNCATE short;
SELECT count(*) FROM consume('short', 'early');
SELECT count(produce('short', NULL::text, 'new' || i)) FROM generate_series(1, 3) i;
SELECT count(*) FROM consume('short', 'strict', auto_offset_reset => 'none');
SELECT record_offset, value FROM consume('short', 'early', 2);
SELECT record_offset, value FROM consume('short', 'early');
SELECT record_offset, value FROM consume('short', 'late', auto_offset_reset => 'latest');
SELECT * FROM offsets WHERE topic = 'short'::regclass;
-- an offset past the end (a restore without the records): the group starts over
UPDATE topic_group_offsets SET committed_offset = 1000 WHERE group_id = 'late' AND topic = 'short'::regclass;
SELECT count(*) FROM consume('short', 'late', auto_offset_reset => 'none');
BEGIN;
SELECT count(*) FROM consume('short', 'late', auto_offset_reset => 'latest');
ROLLBACK;
SELECT record_offset, value FROM consume('short', 'late');
SELECT count(*) FROM consume('short', 'late');

---- waiting: an expired timeout gives no rows
SELECT count(*) FROM consume('empty', 'waiting', timeout => '10 ms');
SELECT count(*) FROM consume('orders', 'waiting', 1, timeout => '1 hour');
SELECT * FROM consume('empty', 'waiting', 1, timeout => '1 ms') LIMIT 1;
PREPARE waiting(text, interval) AS SELECT count(*) FROM consume('empty', $1, timeout => $2);
EXECUTE waiting('waiting', '1 ms');
DO $$ BEGIN PERFORM consume('empty', 'waiting', timeout => '10 ms'); END $$;
-- a new group that starts at the end waits holding nothing, and is remembered
SELECT count(*) FROM consume('orders', 'late waiter', timeout => '1 ms', auto_offset_reset => 'latest');
SELECT committed_offset FROM offsets WHERE group_id = 'late waiter';
EXPLAIN (COSTS OFF) SELECT * FROM consume('empty', 'waiting', timeout => '1 hour');
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM consume('orders', 'cursor', 2, timeout => '1 hour');
FETCH 1 FROM c;
FETCH ALL FROM c;
COMMIT;

---- statistics
SELECT records_out >= 30 AS records, bytes_out > records_out AS bytes
FROM pg_stat_topics WHERE topic = 'orders'::regclass;

---- privileges: SELECT on the topic is enough
CREATE ROLE regress_consumer;
GRANT USAGE ON SCHEMA consume_test TO regress_consumer;
SET ROLE regress_consumer;
SELECT count(*) FROM consume('orders', 'other');
SELECT count(*) FROM consume('orders', 'other', timeout => '1 hour');
SELECT count(*) FROM consume_as(NULL::orders, 'other');
SELECT commit_offsets('orders', 'other');
SELECT count(*) FROM topic_group_offsets;
RESET ROLE;
GRANT SELECT ON orders TO regress_consumer;
SET ROLE regress_consumer;
SELECT count(*) FROM consume('orders', 'other');
BEGIN;
SELECT count(*) FROM consume_as(NULL::orders, 'other2', auto_commit => false);
SELECT commit_offsets('orders', 'other2');
COMMIT;
RESET ROLE;
SELECT * FROM offsets WHERE group_id LIKE 'other%';

---- timeout in milliseconds
CREATE FUNCTION waited(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    begun timestamptz := clock_timestamp();
    n int;
BEGIN
    EXECUTE call INTO n;
    RETURN n || ' after ' || CASE WHEN clock_timestamp() - begun BETWEEN '50 ms' AND '20 s' THEN 'waiting' ELSE (clock_timestamp() - begun)::text END;
END $$;
SELECT count(*) FROM consume('orders', 'waits');
SELECT waited($$SELECT count(*) FROM consume('orders', 'waits', timeout_ms => 50)$$),
    waited($$SELECT count(*) FROM consume('orders', 'waits', timeout => '0.05')$$),
    waited($$SELECT count(*) FROM consume_as(NULL::orders, 'waits', timeout_ms => 50)$$),
    waited($$SELECT count(*) FROM consume_many('{orders}', 'waits', timeout_ms => 50)$$);

---- as many records as are wanted
SELECT count(produce('orders', 'k', 'v' || i)) FROM generate_series(1, 3) i;
BEGIN;
SELECT count(*) FROM consume('orders', 'waits', timeout => '1 hour', min_records => 3);
ROLLBACK;
BEGIN;
SELECT waited($$SELECT count(*) FROM consume('orders', 'waits', timeout_ms => 50, min_records => 4)$$);
ROLLBACK;
-- without a timeout it returns what is there
BEGIN;
SELECT count(*) FROM consume('orders', 'waits', min_records => 500);
ROLLBACK;
-- null is the default
BEGIN;
SELECT count(*) FROM consume('orders', 'waits', timeout => '1 hour', min_records => NULL);
ROLLBACK;
-- the snapshot of a whole transaction sees no more later, so nothing is waited for
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM consume('orders', 'waits', timeout => '1 hour', min_records => 4);
ROLLBACK;
-- a prepared statement whose parameters have no type
PREPARE waits AS SELECT count(*) FROM consume($1, $2, timeout_ms => $3, min_records => $4, max_records => $5);
EXECUTE waits ('orders', 'waits', 3600000, 3, 3);
DEALLOCATE waits;
SELECT count(*) FROM consume('orders', 'waits', min_records => 0);
SELECT count(*) FROM consume('orders', 'waits', min_records => 501);
SELECT count(*) FROM consume('orders', 'waits', 10, timeout => '1 s', min_records => 11);
SELECT count(*) FROM consume_as(NULL::orders, 'waits', min_records => -1);
SELECT count(*) FROM consume_many('{orders}', 'waits', 1, min_records => 2);

---- errors
SELECT count(*) FROM consume('orders', '');
SELECT count(*) FROM consume('orders', NULL);
SELECT count(*) FROM consume(NULL, 'g');
SELECT count(*) FROM consume('orders', repeat('g', 256));
SELECT count(*) FROM consume('orders', repeat('g', 255), 1);
SELECT count(*) FROM consume('orders', 'g', 0);
SELECT count(*) FROM consume('orders', 'g', timeout => '-1 s');
SELECT count(*) FROM consume('orders', 'g', partitions => '{1}');
SELECT count(*) FROM consume('orders', 'g', partitions => '{-1}');
SELECT count(*) FROM consume('orders', 'g', partitions => '{}');
SELECT count(*) FROM consume('orders', 'g', partitions => '{0,NULL}');
SELECT count(*) FROM consume('orders', 'g', auto_offset_reset => 'first');
SELECT count(*) FROM consume('orders', 'g', timeout_ms => -1);
SELECT count(*) FROM consume('orders', 'g', timeout => '1 s', timeout_ms => 1000);
SELECT count(*) FROM consume('items', 'g');
SELECT count(*) FROM consume('nothing', 'g');
-- null is neither "no limit" nor the default
SELECT count(*) FROM consume('orders', 'g', max_records => NULL);
SELECT count(*) FROM consume('orders', 'g', NULL, timeout => '1 hour');
SELECT count(*) FROM consume('orders', 'g', timeout => NULL);
SELECT count(*) FROM consume_as(NULL::orders, 'g', auto_commit => NULL);
SELECT count(*) FROM consume('orders', 'null', 1, '0', NULL, true, NULL, NULL, NULL, NULL);
SELECT commit_offsets('items', 'g');
BEGIN READ ONLY;
SELECT count(*) FROM consume('orders', 'g', timeout => '1 hour');
ROLLBACK;
-- a failed consume moves no offset
SELECT count(*) FROM offsets WHERE group_id = 'g' AND topic = 'orders'::regclass;

SET client_min_messages = warning;
DROP SCHEMA consume_test CASCADE;
RESET client_min_messages;
-- a dropped topic takes its groups along
SELECT count(*) FROM topic_group_offsets WHERE group_id IN ('billing', 'manual', 'tail');
DROP ROLE regress_consumer;
