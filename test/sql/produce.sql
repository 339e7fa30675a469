-- produce(), produced() and flush(): src/produce/produce.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

SELECT create_topic('produce_orders', partitions => 3);

-- a record's partition is returned; the same key always lands on the same one
SELECT produce('produce_orders', 'customer-1', 'first', record_timestamp => '2024-05-01 10:00:00.123') =
       produce('produce_orders', 'customer-1', 'second', record_timestamp => '2024-05-01 10:00:01') AS same;
-- an explicit partition comes first
SELECT produce('produce_orders', 'customer-1', 'third', 2, '2024-05-01 10:00:02');
SELECT produce('produce_orders', 'k', 'v', partition => 0, record_timestamp => '2024-05-01 10:00:03',
               headers => '{"trace": "abc", "n": 7, "tag": ["x", "y"], "none": null}');
SELECT key, value, record_timestamp, headers FROM produce_orders ORDER BY record_timestamp;

-- produced() tells the offsets of the last committed transaction
BEGIN;
SELECT produce('produce_orders', 'a', '1', 0), produce('produce_orders', 'b', '2', 0),
       produce('produce_orders', 'c', '3', 2);
-- its own records are not in the log before it commits
SELECT count(*) FROM produce_orders;
COMMIT;
SELECT * FROM produced() ORDER BY partition;
-- a transaction that produces nothing changes nothing of it
SELECT count(*) FROM produce_orders;
SELECT count(*) FROM produced();
-- neither does one that is rolled back, whose records are gone
BEGIN;
SELECT produce('produce_orders', 'a', 'rolled back', 0);
ROLLBACK;
SELECT count(*) FROM produced();
SELECT count(*) FROM produce_orders WHERE value = 'rolled back';

-- a savepoint takes its records with it when it is rolled back
BEGIN;
SELECT produce('produce_orders', 's', 'kept 1', 1);
SAVEPOINT one;
SELECT produce('produce_orders', 's', 'lost 1', 1);
SAVEPOINT two;
SELECT produce('produce_orders', 's', 'lost 2', 1);
RELEASE SAVEPOINT two;
ROLLBACK TO SAVEPOINT one;
SELECT produce('produce_orders', 's', 'kept 2', 1);
RELEASE SAVEPOINT one;
SAVEPOINT three;
SELECT produce('produce_orders', 's', 'kept 3', 1);
RELEASE SAVEPOINT three;
COMMIT;
SELECT value FROM produce_orders WHERE partition = 1 AND key = 's' ORDER BY record_offset;
SELECT records FROM produced();

-- an error caught in a block is a savepoint rolled back
DO $$
BEGIN
    PERFORM produce('produce_orders', 'e', 'before', 1);
    BEGIN
        PERFORM produce('produce_orders', 'e', 'inside', 1);
        RAISE EXCEPTION 'no';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    PERFORM produce('produce_orders', 'e', 'after', 1);
END $$;
SELECT value FROM produce_orders WHERE partition = 1 AND key = 'e' ORDER BY record_offset;

-- flush() appends now; nobody reads it before the commit, not even the transaction itself
SELECT create_topic('produce_flush');
BEGIN;
SELECT produce('produce_flush', 'f', '1'), produce('produce_flush', 'f', '2');
SELECT * FROM flush();
SELECT value FROM produce_flush ORDER BY record_offset;
SELECT produce('produce_flush', 'f', '3');
SELECT * FROM flush();
SELECT produce('produce_flush', 'f', '4');
COMMIT;
SELECT * FROM produced();
-- flushed and rolled back: the offsets stay unused
BEGIN;
SELECT produce('produce_flush', 'f', 'rolled back');
SELECT base_offset FROM flush();
ROLLBACK;
SELECT produce('produce_flush', 'f', '5');
SELECT record_offset, value FROM produce_flush ORDER BY record_offset;
-- nothing to flush
SELECT * FROM flush();
-- records of a savepoint could not be taken back once they are appended
BEGIN;
SAVEPOINT one;
SELECT produce('produce_flush', 'f', '6');
SELECT * FROM flush();
ROLLBACK;
DROP FOREIGN TABLE produce_flush;

-- null keys go round, null values are tombstones
SELECT create_topic('produce_nulls', partitions => 2);
SELECT count(DISTINCT p) FROM (SELECT produce('produce_nulls', NULL, 'v' || i) AS p FROM generate_series(1, 4) i) s;
SELECT count(DISTINCT p) FROM (SELECT produce('produce_nulls', 'v' || i) AS p FROM generate_series(1, 4) i) s;
SELECT partition, count(*), count(key) AS keys, count(value) AS values FROM produce_nulls GROUP BY partition ORDER BY partition;
SELECT produce('produce_nulls', 'gone', NULL, 0);
SELECT produce('produce_nulls', '', '', 1);
SELECT partition, key, value, value IS NULL AS tombstone FROM produce_nulls WHERE key IS NOT NULL ORDER BY partition;
DROP FOREIGN TABLE produce_nulls;

-- types of the arguments: anything that the column's type accepts
SELECT create_topic('produce_typed', key_type => 'int', value_type => 'jsonb');
SELECT produce('produce_typed', 1, '{"a": 1}'::jsonb);
SELECT produce('produce_typed', '2', '{"b":   2}');
SELECT produce('produce_typed', 3::bigint, '{"c": 3}'::text);
SELECT produce('produce_typed', 4::numeric, '[4]'::json);
SELECT key, value FROM produce_typed ORDER BY key;
SELECT produce('produce_typed', 5, '{"a": ');
SELECT produce('produce_typed', 'five', '{}');
SELECT produce('produce_typed', 99999999999, '{}');
SELECT count(*) FROM produce_typed;
DROP FOREIGN TABLE produce_typed;

SELECT create_topic('produce_bytes', key_type => 'bytea', value_type => 'bytea');
SELECT produce('produce_bytes', '\x00ff'::bytea, '\xdeadbeef'::bytea);
SELECT produce('produce_bytes', 'text', '\x01');
SELECT key, value FROM produce_bytes ORDER BY record_offset;
DROP FOREIGN TABLE produce_bytes;

-- a domain checks what is produced
CREATE DOMAIN produce_email AS text CHECK (VALUE LIKE '%@%');
SELECT create_topic('produce_domain', value_type => 'produce_email');
SELECT produce('produce_domain', 'k', 'a@example.org');
SELECT produce('produce_domain', 'k', 'nobody');
SELECT value FROM produce_domain;
DROP FOREIGN TABLE produce_domain;
DROP DOMAIN produce_email;

-- a trigger and a prepared statement produce as well
CREATE TABLE produce_source (id int PRIMARY KEY, name text);
CREATE FUNCTION produce_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM produce('produce_orders', NEW.id, to_jsonb(NEW), 0);
    RETURN NULL;
END $$;
CREATE TRIGGER produce_row AFTER INSERT ON produce_source FOR EACH ROW EXECUTE FUNCTION produce_row();
INSERT INTO produce_source VALUES (1, 'one'), (2, 'two');
PREPARE produce_one(text, text) AS SELECT produce('produce_orders', $1, $2, 0);
EXECUTE produce_one('p', 'prepared');
EXECUTE produce_one(NULL, NULL);
SELECT key, value FROM produce_orders WHERE partition = 0 ORDER BY record_offset DESC LIMIT 4;
DEALLOCATE produce_one;
DROP TABLE produce_source;
DROP FUNCTION produce_row();

-- what is refused
SELECT produce(NULL, 'k', 'v');
SELECT produce('no_such_topic', 'k', 'v');
SELECT produce(0::regclass, 'k', 'v') IS NULL;
SELECT produce('pg_class', 'k', 'v');
SELECT produce('produce_orders', 'k', 'v', 3);
SELECT produce('produce_orders', 'k', 'v', -1);
SELECT produce('produce_orders', 'k', 'v', 0, 'infinity');
SELECT produce('produce_orders', 'k', 'v', 0, NULL, '[1, 2]');
SELECT produce('produce_orders', 'k', 'v', 0, NULL, '{"a": {"b": 1}}');
-- (by their SQLSTATE)
\set VERBOSITY sqlstate
SELECT produce(NULL, 'k', 'v');
SELECT produce('produce_orders', 'k', 'v', 3);
SELECT produce('produce_orders', 'k', repeat('x', 2000000));
\set VERBOSITY default
BEGIN READ ONLY;
SELECT produce('produce_orders', 'k', 'v');
ROLLBACK;
CREATE ROLE regress_produce_nobody;
CREATE ROLE regress_produce_writer;
GRANT INSERT ON produce_orders TO regress_produce_writer;
SET ROLE regress_produce_nobody;
SELECT produce('produce_orders', 'k', 'v');
SET ROLE regress_produce_writer;
SELECT produce('produce_orders', 'k', 'writer', 0);
SELECT count(*) FROM produce_orders;
RESET ROLE;
SELECT value FROM produce_orders WHERE value = 'writer';
DROP OWNED BY regress_produce_writer;
DROP ROLE regress_produce_nobody, regress_produce_writer;

-- a topic of the same transaction; dropped in it, its records go too
BEGIN;
SELECT create_topic('produce_new');
SELECT produce('produce_new', 'k', 'v');
SELECT count(*) FROM flush();
ROLLBACK;
BEGIN;
SELECT create_topic('produce_new');
SELECT produce('produce_new', 'k', 'v');
COMMIT;
SELECT key, value FROM produce_new;
BEGIN;
SELECT produce('produce_new', 'k', 'v');
DROP FOREIGN TABLE produce_new;
COMMIT;

DROP FOREIGN TABLE produce_orders;

-- ---- acks and min.insync.replicas, without a standby ----
SELECT create_topic('acked', config => '{"min.insync.replicas": 2}');
SELECT produce('acked', 'k', 'refused');
-- nobody is waited for: not asked
SET pg_topics.acks = '1';
SELECT produce('acked', 'k', 'acks 1');
SET pg_topics.acks = '0';
SELECT produce('acked', 'k', 'acks 0');
SET pg_topics.acks = 'all';
SELECT produce('acked', 'k', 'refused');
RESET pg_topics.acks;
SET synchronous_commit = local;
SELECT produce('acked', 'k', 'local');
-- how the transaction commits, and no longer than that
SELECT create_topic('unacked');
SET pg_topics.acks = 'all';
BEGIN;
SELECT produce('unacked', 'k', 'v');
SELECT records FROM flush();
SHOW synchronous_commit;
COMMIT;
SHOW synchronous_commit;
RESET synchronous_commit;
SET pg_topics.acks = '0';
BEGIN;
SELECT produce('unacked', 'k', 'v');
SELECT records FROM flush();
SHOW synchronous_commit;
ROLLBACK;
SHOW synchronous_commit;
SET pg_topics.acks = '2';
SET pg_topics.acks = '';
SHOW pg_topics.acks;
SELECT record_offset, value FROM acked;
SELECT drop_topic(t) FROM unnest('{acked,unacked}'::regclass[]) t;

-- ---- a pooled session that is cleaned shows nothing of the client before ----
SELECT create_topic('produce_pooled');
SELECT produce('produce_pooled', 'k', 'v');
SELECT records FROM produced();
DISCARD PLANS;
SELECT records FROM produced();
DISCARD ALL;
SELECT * FROM produced();
SELECT drop_topic('produce_pooled');
