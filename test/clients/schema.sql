-- What the programs of test/clients work on.
CREATE EXTENSION pg_topics;
SELECT create_topic('orders', partitions => 3, value_type => 'jsonb', config => '{"max.attempts": 2}', retry_topics => true);
CREATE TABLE orders_made (id int PRIMARY KEY);
-- exactly once: the worker's transaction inserts, and a second insert would fail
CREATE TABLE billed (id int PRIMARY KEY);
-- at least once
CREATE TABLE mailed (id int NOT NULL);
