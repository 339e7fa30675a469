-- The commands for psql, sql/pg_topics.psql.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
\getenv abs_srcdir PG_ABS_SRCDIR
\set macros :abs_srcdir '/../sql/pg_topics.psql'
\set ECHO none
\i :macros
\set ECHO all

SELECT create_topic('macro_orders', partitions => 2, value_type => 'jsonb');
INSERT INTO macro_orders (partition, key, value, record_timestamp)
SELECT n % 2, n::text, to_jsonb(n), '2024-05-01 12:00Z'::timestamptz + n * interval '1 min' FROM generate_series(0, 9) AS n;
\set topic macro_orders
\set group billing

\pset format unaligned
\pset null (null)
SET TimeZone = 'UTC';
SELECT alter_topic('macro_orders', '{"retention.ms": -1}');

-- a topic that was never appended to has a row too
SELECT create_topic('macro_empty');
:topics

\set last 2
:tail

\set group billing
SELECT count(*) FROM consume('macro_orders', 'billing', 7);
SELECT group_id, lag FROM pg_topic_groups WHERE topic = 'macro_orders'::regclass ORDER BY partition;

-- a dry run moves nothing
\set to beginning
:reset_dry_run
SELECT committed_offset FROM pg_topic_groups WHERE topic = 'macro_orders'::regclass ORDER BY partition;
\set to end
:reset_dry_run
\set to 3
:reset_dry_run
\set to 100
:reset_dry_run
\set to '2024-05-01 12:04Z'
:reset_dry_run
\set to yesterdayish
:reset_dry_run

-- the move itself
\set to '2024-05-01 12:08Z'
:reset
SELECT committed_offset FROM pg_topic_groups WHERE topic = 'macro_orders'::regclass ORDER BY partition;
SELECT partition, committed_offset, lag FROM pg_topic_groups WHERE topic = 'macro_orders'::regclass AND group_id = 'billing' ORDER BY partition;

-- a group that has committed nothing yet
\set group newcomer
\set to beginning
:reset_dry_run

-- a name that needs quotes, in a schema
CREATE SCHEMA macro_shop;
SELECT create_topic('macro_shop."orders.retry"');
SELECT produce('macro_shop."orders.retry"', 'k', 'v');
\set topic 'macro_shop."orders.retry"'
\set group psql
\pset tuples_only on
SELECT partition, record_offset, key, value FROM macro_shop."orders.retry";
-- times differ
\o /dev/null
:describe
:tail
:console
:lag
:group_lag
\o
SELECT partition, committed_offset, lag FROM pg_topic_groups WHERE topic = 'macro_shop."orders.retry"'::regclass;

SELECT drop_topic('macro_orders'), drop_topic('macro_empty');
DROP SCHEMA macro_shop CASCADE;
