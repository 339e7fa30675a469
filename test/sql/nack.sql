-- Files under test: src/consume/nack.c, src/consume/partition_cursor.c.
-- nack(): retry and dead-letter topics.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA nack_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'nack_test, ' || :'home', false) <> '' AS ok;

SELECT create_topic('orders', partitions => 2, value_type => 'jsonb');
SELECT produce('orders', 'k' || i, format('{"n": %s}', i)::jsonb, partition => 1,
               headers => CASE i WHEN 1 THEN '{"trace": ["a", "b"], "nack": "mine"}'::jsonb END)
FROM generate_series(1, 4) i;

---- where it is to go must exist; the hint makes it
SELECT nack('orders', 'billing', 1, 0, 'no');
SELECT create_topic('nack_test."orders.retry"', partitions => 2, value_type => 'jsonb');
SELECT create_topic('nack_test."orders.dlq"', value_type => 'jsonb');

---- a poison record does not block its partition
CREATE TABLE done (n int PRIMARY KEY);
CREATE PROCEDURE process(t regclass, bad int) LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM consume(t, 'billing') LOOP
        BEGIN
            IF (r.value::jsonb ->> 'n')::int = bad THEN
                RAISE EXCEPTION 'cannot bill %', r.key;
            END IF;
            INSERT INTO done VALUES ((r.value::jsonb ->> 'n')::int);
        EXCEPTION WHEN OTHERS THEN
            PERFORM nack(t, 'billing', r.partition, r.record_offset, SQLERRM);
        END;
    END LOOP;
END $$;
CALL process('orders', 1);
TABLE done;
SELECT committed_offset FROM topic_group_offsets WHERE topic = 'orders'::regclass AND group_id = 'billing';
-- the copy has key, value and headers, and the origin
SELECT partition BETWEEN 0 AND 1 AS placed, key, value, headers - '{nack.timestamp}'::text[] AS headers,
       (headers ->> 'nack.timestamp')::bigint = (SELECT round(extract(epoch FROM o.record_timestamp) * 1000) FROM orders o WHERE o.key = 'k1') AS stamped
FROM "orders.retry";

---- attempts count on, the first origin stays; after max.attempts (3) it is dead
CALL process('"orders.retry"', 1);
SELECT headers ->> 'nack.attempts' AS attempts, headers ->> 'nack.topic' AS topic, headers ->> 'nack.offset' AS o FROM "orders.retry" ORDER BY 1;
CALL process('"orders.retry"', 1);
SELECT count(*) FROM consume('"orders.retry"', 'billing');
SELECT key, value, headers - '{nack.timestamp}'::text[] AS headers FROM "orders.dlq";
-- from there it may be nacked again, or go back where it came from
SELECT nack('"orders.dlq"', 'redrive', 0, 0, NULL);
SELECT record_offset, headers ->> 'nack.attempts' AS attempts, headers ? 'nack.error' AS error, headers ->> 'nack.error' AS is_null FROM "orders.dlq";
INSERT INTO orders (partition, key, value, headers)
    SELECT (headers ->> 'nack.partition')::int, key, value,
           (SELECT jsonb_object_agg(h.key, h.value) FROM jsonb_each(headers) h WHERE h.key NOT LIKE 'nack.%')
    FROM consume_as(NULL::"orders.dlq", 'redrive', 1);
SELECT partition, key, headers FROM consume('orders', 'billing');

---- with the transaction
BEGIN;
SELECT nack('orders', 'billing', 1, 1, 'undone');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT nack('orders', 'billing', 1, 1, 'undone');
ROLLBACK TO s;
SELECT nack('orders', 'billing', 1, 2, 'kept');
COMMIT;
SELECT key, headers ->> 'nack.error' AS error FROM consume('"orders.retry"', 'billing');

---- options: names, attempts
CREATE SCHEMA nack_other;
SELECT create_topic('nack_other.retries'), create_topic('dead');
SELECT create_topic('jobs', config => '{"retry.topic": "nack_other.retries", "dlq.topic": "dead", "max.attempts": 2}');
SELECT produce('jobs', 'k'::text, 'v');
SELECT nack('jobs', 'g', 0, 0, 'one');
SELECT nack('nack_other.retries', 'g', 0, 0, 'two');
SELECT alter_topic('jobs', '{"max.attempts": 1}');
SELECT nack('jobs', 'g', 0, 0, 'at once');
SELECT config FROM pg_topics WHERE topic = 'jobs'::regclass;
SELECT headers ->> 'nack.attempts' AS attempts, headers ->> 'nack.error' AS error FROM dead;
-- the origin is gone: the options of the topic it is in
SELECT produce('dead', 'k'::text, 'v', headers => '{"nack.topic": "no.such.topic", "nack.attempts": "many"}');
SELECT nack('dead', 'g', 0, 2, 'gone');
SELECT alter_topic('jobs', '{"retry.topic": "a.b.c"}');
SELECT alter_topic('jobs', '{"max.attempts": 0}');

---- retry.delay.ms: not delivered before its time, nor what is behind it
SELECT create_topic('slow', config => '{"retry.delay.ms": 60000}'), create_topic('"slow.retry"');
SELECT produce('slow', 'k'::text, 'v');
SELECT nack('slow', 'g', 0, 0, 'later');
SELECT produce('"slow.retry"', 'k'::text, 'behind');
SELECT (headers ->> 'nack.not_before')::bigint - extract(epoch FROM record_timestamp) * 1000 BETWEEN 59000 AND 61000 AS delayed
FROM "slow.retry" WHERE record_offset = 0;
SELECT count(*) FROM consume('"slow.retry"', 'g');
SELECT count(*) FROM consume('"slow.retry"', 'g', timeout => '5 ms');
SELECT count(*) FROM topic_group_offsets WHERE topic = '"slow.retry"'::regclass;
SET pg_topics.clock_offset = '61s';
SELECT key, value FROM consume('"slow.retry"', 'g');
RESET pg_topics.clock_offset;
-- in the midst of a call
SELECT produce('"slow.retry"', 'k'::text, 'before');
SELECT nack('slow', 'g', 0, 0, 'later');
SELECT record_offset, value FROM consume('"slow.retry"', 'g');
SELECT committed_offset FROM topic_group_offsets WHERE topic = '"slow.retry"'::regclass;
-- who waits gets it in time
SELECT alter_topic('slow', '{"retry.delay.ms": 50}');
SELECT create_topic('"slow.soon"'), alter_topic('slow', '{"retry.topic": "\"slow.soon\""}');
SELECT nack('slow', 'g', 0, 0, 'soon');
SELECT value, clock_timestamp() >= to_timestamp((headers ->> 'nack.not_before')::bigint / 1000.0) AS in_time
FROM consume('"slow.soon"', 'g', timeout => '1 min');
-- a header that makes no sense holds back nobody
SELECT produce('"slow.soon"', 'k'::text, 'odd', headers => '{"nack.not_before": "tomorrow"}');
SELECT value FROM consume('"slow.soon"', 'g');

-- nor one that is further ahead than retry.delay.ms may be
SELECT produce('"slow.soon"', 'k'::text, 'never', headers => '{"nack.not_before": "999999999999999999"}');
SELECT value FROM consume('"slow.soon"', 'g');

---- nothing is too large to be set aside: a long error is cut, limits are passed
SELECT create_topic('full', config => '{"max.message.bytes": 1000}'),
       create_topic('"full.retry"', config => '{"max.message.bytes": 1000}'),
       create_topic('"full.dlq"', config => '{"max.message.bytes": 800}');
SELECT produce('full', NULL::text, repeat('x', 900));

SELECT nack('full', 'g', 0, 0, repeat('é', 1000000));
SELECT length(value), length(headers ->> 'nack.error') AS error FROM "full.retry";
-- also where the other topic would not take it from a producer
SELECT alter_topic('full', '{"max.attempts": 1}');
SELECT nack('full', 'g', 0, 0, 'larger');

---- more than one nack of a record: each is a copy; of a record that is not the group's next, or of any group
SELECT nack('jobs', 'g', 0, 0, 'twice'), nack('jobs', 'g', 0, 0, 'twice');
SELECT nack('jobs', 'never seen', 0, 0, 'of a group that has no offsets');
SELECT count(*) FROM dead WHERE headers ->> 'nack.error' IN ('twice', 'of a group that has no offsets');
-- one that is gone
SELECT create_topic('short'), create_topic('"short.retry"');
SELECT produce('short', 'k'::text, 'v');
TRUNCATE short;
SELECT nack('short', 'g', 0, 0, 'gone');
-- of a record that came by consume_many()
SELECT produce('short', 'k'::text, 'v');
SELECT nack(topic, 'g', partition, record_offset, 'many') FROM consume_many('{short}', 'g');
SELECT headers ->> 'nack.topic' AS topic, headers ->> 'nack.offset' AS o FROM consume_many('{short,"\"short.retry\""}', 'g');

---- errors
SELECT nack('orders', '', 1, 0, 'no');
SELECT nack('orders', repeat('g', 256), 1, 0, 'no');
SELECT nack('orders', 'billing', 1, 99, 'no');
SELECT nack('orders', 'billing', 7, 0, 'no');
SELECT nack('orders', 'billing', 1, NULL, 'no');
SELECT nack('orders', NULL, 1, 0, 'no');
SELECT nack('done', 'billing', 1, 0, 'no');
ALTER FOREIGN TABLE orders OPTIONS (ADD "retry.topic" 'done');
SELECT nack('orders', 'billing', 1, 0, 'no');
SELECT create_topic('ints', value_type => 'int');
SELECT alter_topic('orders', '{"retry.topic": "ints"}');
SELECT nack('orders', 'billing', 1, 0, 'no');
SELECT create_topic(repeat('n', 60));
SELECT produce(repeat('n', 60)::regclass, 'v'::text);
SELECT nack(repeat('n', 60)::regclass, 'g', 0, 0, 'no');
BEGIN READ ONLY;
SELECT nack('orders', 'billing', 1, 0, 'no');
ROLLBACK;
CREATE ROLE regress_nack;
GRANT USAGE ON SCHEMA nack_test TO regress_nack;
GRANT SELECT ON jobs TO regress_nack;
SET ROLE regress_nack;
SELECT nack('orders', 'billing', 1, 0, 'no');
SELECT nack('jobs', 'g', 0, 0, 'no');
RESET ROLE;
GRANT INSERT ON dead TO regress_nack;
SET ROLE regress_nack;
SELECT nack('jobs', 'g', 0, 0, 'allowed');
RESET ROLE;

-- a record that its codec made fit, in topics without one; and one that leaves no room for what nack() adds
SELECT create_topic('small', config => '{"compression.type": "lz4", "max.attempts": 2}'), create_topic('"small.retry"'), create_topic('"small.dlq"');
SELECT produce('small', 'k'::text, repeat('x', 3000000));
SELECT nack('small', 'g', partition, record_offset, 'first') FROM consume('small', 'g');
SELECT nack('"small.retry"', 'g', partition, record_offset, 'second') FROM consume('"small.retry"', 'g');
SELECT length(value) FROM "small.dlq";
SELECT produce('"small.retry"', 'k'::text, repeat('x', 3000000));
SELECT produce('small', 'k'::text, repeat('x', 268435456 - 65536));

---- both topics made with the topic: of its types and partitions, where its options say
SELECT create_topic('shipped', partitions => 3, key_type => 'int', value_type => 'jsonb', config => '{"max.attempts": 2}', retry_topics => true);
SELECT create_topic('billed', config => '{"retry.topic": "nack_other.again", "dlq.topic": "shipped.dlq"}', retry_topics => true);
SELECT create_topic('billed', config => '{"retry.topic": "nack_other.again", "dlq.topic": "\"billed.dead\""}', retry_topics => true);
SELECT topic, partitions, key_type, value_type, config FROM pg_topics
WHERE topic::text ~ 'shipped|billed|again' ORDER BY topic::text COLLATE "C";
SELECT produce('shipped', 1, '{"n": 1}');
SELECT nack('shipped', 'g', partition, record_offset, 'first') FROM consume('shipped', 'g');
SELECT nack('"shipped.retry"', 'g', partition, record_offset, 'second') FROM consume('"shipped.retry"', 'g');
SELECT key, value, headers ->> 'nack.attempts' AS attempts FROM "shipped.dlq";
-- for a topic that is there already too; nothing is left of one that fails
SELECT create_topic('shipped', if_not_exists => true, retry_topics => true);
SELECT create_topic('before');
SELECT create_topic('before', if_not_exists => true, retry_topics => true);
SELECT to_regclass('"before.retry"'), to_regclass('"before.dlq"');
SELECT create_topic(repeat('n', 59), retry_topics => true);
SELECT to_regclass(repeat('n', 59));
SELECT create_topic('none', retry_topics => NULL);

SET client_min_messages = warning;
DROP SCHEMA nack_test, nack_other CASCADE;
RESET client_min_messages;
DROP ROLE regress_nack;
