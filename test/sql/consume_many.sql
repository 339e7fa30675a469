-- Files under test: src/consume/consume.c, src/topic/record_rows.c.
-- consume_many(): several topics for one group.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA many_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'many_test, ' || :'home', false) <> '' AS ok;

SELECT create_topic('orders_eu', partitions => 2), create_topic('orders_us'),
       create_topic('orders_raw', value_type => 'bytea'), create_topic('other');
SELECT count(produce('orders_eu', NULL::text, 'eu' || p || i, partition => p))
FROM generate_series(0, 1) p, generate_series(1, 3) i;
SELECT count(produce('orders_us', 'k' || i, 'us' || i, headers => CASE i WHEN 2 THEN '{"h": "x"}'::jsonb END))
FROM generate_series(1, 3) i;
SELECT produce('orders_raw', 'k', '\x00ff'::bytea);

---- each record has its topic; text, bytes and headers come as from consume()
SELECT topic, partition, record_offset, key, value, headers, record_timestamp IS NOT NULL AS stamped
FROM consume_many('{orders_eu,orders_us,orders_raw}', 'all') ORDER BY topic::text, partition, record_offset;
SELECT count(*) FROM consume_many('{orders_eu,orders_us,orders_raw}', 'all');
-- the offsets are the group's in each topic
SELECT topic, partition, committed_offset FROM topic_group_offsets WHERE group_id = 'all' ORDER BY topic::text, partition;
SELECT count(*) FROM consume('orders_eu', 'all');
SELECT value FROM consume_many('{orders_eu}', 'other way', 1);
SELECT value FROM consume('orders_eu', 'other way', 1);

---- the partition served longest ago comes first, whichever topic it is of
CREATE TABLE served (n int GENERATED ALWAYS AS IDENTITY, topic regclass, partition int);
DO $$
BEGIN
    FOR i IN 1..9 LOOP
        INSERT INTO served (topic, partition)
            SELECT topic, partition FROM consume_many('{orders_us,orders_eu}', 'fair', 1);
    END LOOP;
END $$;
SELECT (n - 1) / 3 AS round, array_agg(topic || '-' || partition ORDER BY topic::text, partition) FROM served GROUP BY 1 ORDER BY 1;
-- max_records counts over all topics
SELECT count(*) FROM consume_many('{orders_us,orders_eu,orders_us}', 'counted', 7);
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'counted', 7);

---- with the transaction, and positions
BEGIN;
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'undone');
ROLLBACK;
SELECT count(*) FROM topic_group_offsets WHERE group_id = 'undone';
BEGIN;
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'manual', 4, auto_commit => false);
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'manual', 4, auto_commit => false);
SELECT commit_offsets('orders_us', 'manual');
COMMIT;
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'manual', 100);

---- a pattern: topics that match later join with the next call
CREATE FUNCTION order_topics() RETURNS regclass[] STABLE LANGUAGE sql AS
$$ SELECT array_agg(topic) FROM pg_topics WHERE topic::text LIKE 'orders%' $$;
SELECT topic, count(*) FROM consume_many(order_topics(), 'pattern') GROUP BY topic ORDER BY topic::text;
SELECT create_topic('orders_new');
SELECT produce('orders_new', 'k'::text, 'new'), produce('other', 'k'::text, 'not wanted');
SELECT topic, value FROM consume_many((SELECT array_agg(topic) FROM pg_topics WHERE topic::text LIKE 'orders%'), 'pattern');
SELECT count(*) FROM consume_many((SELECT array_agg(topic) FROM pg_topics WHERE topic::text LIKE 'nothing%'), 'pattern');
SELECT count(*) FROM consume_many('{}', 'pattern', timeout => '10 ms');
-- a topic that is gone is left out
SELECT 'orders_new'::regclass::oid AS gone \gset
DROP FOREIGN TABLE orders_new;
SELECT count(*) FROM consume_many(ARRAY[:gone, 'orders_us'::regclass], 'leaves out');

---- leased mode: a share of each topic's partitions
CREATE VIEW leases AS SELECT topic, partition, member_id, committed_offset, position
    FROM pg_topic_groups WHERE group_id = 'leased' ORDER BY topic::text, partition;
CREATE FUNCTION poll(member text, max_records int DEFAULT 500) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(topic || ':' || partition || ':' || record_offset, ' ')
    FROM consume_many('{orders_us,orders_eu}', 'leased', max_records, member_id => member, lease => '1 min') $$;
-- oldest served first over all, positions move from call to call
SELECT poll('a', 4);
SELECT poll('a', 4);
SELECT * FROM leases;
SELECT poll('b');
SELECT commit_offsets(t, 'leased', 'a') FROM unnest('{orders_us,orders_eu}'::regclass[]) t;
SELECT * FROM leases;
SELECT poll('b'), poll('a'), poll('b');
SELECT topic, member_id, lease, partitions FROM pg_topic_group_members WHERE group_id = 'leased' ORDER BY topic::text, member_id;
-- a member of one of the topics shares that one
SELECT partition, record_offset FROM consume('orders_us', 'leased', member_id => 'c');
-- the newcomer in the list; one that is gone
SELECT create_topic('orders_late');
SELECT produce('orders_late', 'k'::text, 'late');
SELECT topic, value FROM consume_many('{orders_us,orders_eu,orders_late}', 'leased', member_id => 'b', timeout => '1 ms');
SELECT 'orders_late'::regclass::oid AS gone \gset
DROP FOREIGN TABLE orders_late;
SELECT topic, value FROM consume_many(ARRAY[:gone, 'orders_us', 'orders_eu']::regclass[], 'leased', member_id => 'b', timeout => '1 ms');
-- taken over when the lease has run out; the commit of who has lost it fails
SELECT produce('orders_us', 'k'::text, 'us4');
SELECT poll('a');
SET pg_topics.clock_offset = '61s';
SELECT poll('d');
SELECT commit_offsets('orders_us', 'leased', 'a');
SELECT * FROM leases WHERE topic = 'orders_us'::regclass;
RESET pg_topics.clock_offset;
SELECT count(*) FROM consume_many('{orders_us}', 'leased', lease => '1 min');
SELECT count(*) FROM consume_many('{orders_us}', 'leased', member_id => '');
SELECT count(*) FROM consume_many('{}', 'leased', member_id => 'm', timeout => '1 ms');
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'leased from the end', member_id => 'm', auto_offset_reset => 'latest');
SELECT count(*), sum(lag) FROM pg_topic_groups WHERE group_id = 'leased from the end';

---- where the group starts
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'tail', auto_offset_reset => 'latest');
SELECT topic, partition, committed_offset FROM topic_group_offsets WHERE group_id = 'tail' ORDER BY topic::text, partition;
SELECT count(*) FROM consume_many('{orders_us,other}', 'late waiter', timeout => '1 ms', auto_offset_reset => 'latest');
SELECT topic, partition, committed_offset FROM topic_group_offsets WHERE group_id = 'late waiter' ORDER BY topic::text, partition;
SELECT count(*) FROM consume_many('{orders_us}', 'strict', auto_offset_reset => 'none');

---- errors
SELECT count(*) FROM consume_many('{orders_us}', NULL);
SELECT count(*) FROM consume_many('{orders_us}', 'g', 0);
SELECT count(*) FROM consume_many('{orders_us}', 'g', timeout => '-1 s');
SELECT count(*) FROM consume_many('{orders_us,served}', 'g');
SELECT count(*) FROM consume_many(ARRAY['orders_us', NULL]::regclass[], 'g');
SELECT count(*) FROM consume_many(NULL, 'g');
BEGIN READ ONLY;
SELECT count(*) FROM consume_many('{orders_us}', 'g');
ROLLBACK;
CREATE ROLE regress_many;
GRANT USAGE ON SCHEMA many_test TO regress_many;
GRANT SELECT ON orders_us TO regress_many;
SET ROLE regress_many;
SELECT count(*) FROM consume_many('{orders_us,orders_eu}', 'g');
SELECT count(*) FROM consume_many('{orders_us}', 'g');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA many_test CASCADE;
RESET client_min_messages;
DROP ROLE regress_many;
