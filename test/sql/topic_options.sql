-- Options of topics and the settings behind them.
-- File under test: topic_options.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- all of them at once
CREATE FOREIGN TABLE options_all (key text, value text) SERVER topics OPTIONS (
    partitions '2',
    "cleanup.policy" 'delete',
    "retention.ms" '-1',
    "retention.bytes" '5000000000',
    "segment.bytes" '1024',
    "segment.ms" '1',
    "index.interval.bytes" '4096',
    "delete.retention.ms" '0',
    "min.cleanable.dirty.ratio" '0.25',
    "min.compaction.lag.ms" '0',
    "max.compaction.lag.ms" '9223372036854775807',
    "max.message.bytes" '268435456',
    "compression.type" 'producer',
    "compression.gzip.level" '9',
    "compression.lz4.level" '17',
    "compression.zstd.level" '-131072',
    "message.timestamp.type" 'LogAppendTime',
    "min.insync.replicas" '2',
    "partitioner.class" 'murmur2_random',
    "partitioner.enforce" 'on');
SELECT partitions, cleanup_policy, jsonb_pretty(config) FROM pg_topics WHERE topic = 'options_all'::regclass;

-- a topic's config makes another like it
SELECT create_topic('options_copy', partitions => partitions, config => config)
  FROM pg_topics WHERE topic = 'options_all'::regclass;
SELECT a.config = b.config FROM pg_topics a, pg_topics b
 WHERE a.topic = 'options_all'::regclass AND b.topic = 'options_copy'::regclass;
DROP FOREIGN TABLE options_all, options_copy;

-- every bad value
SELECT create_topic('options_bad', partitions => 0);
SELECT create_topic('options_bad', partitions => 65537);
SELECT create_topic('options_bad', config => '{"partitions": 3}');
SELECT create_topic('options_bad', config => '{"retention.ms": -2}');
SELECT create_topic('options_bad', config => '{"retention.ms": "7 days"}');
SELECT create_topic('options_bad', config => '{"retention.ms": ""}');
SELECT create_topic('options_bad', config => '{"retention.ms": " 1"}');
SELECT create_topic('options_bad', config => '{"retention.ms": 1.5}');
SELECT create_topic('options_bad', config => '{"retention.bytes": 9223372036854775808}');
SELECT create_topic('options_bad', config => '{"segment.bytes": 1023}');
SELECT create_topic('options_bad', config => '{"segment.bytes": 2147483648}');
SELECT create_topic('options_bad', config => '{"segment.ms": 0}');
SELECT create_topic('options_bad', config => '{"index.interval.bytes": -1}');
-- options of Kafka's without effect: some take any value, others the one that is true
SELECT create_topic('options_idle', config => '{"flush.messages": 1000, "flush.ms": "1", "preallocate": true,
    "unclean.leader.election.enable": "off", "local.retention.ms": -2, "follower.replication.throttled.replicas": ""}');
SELECT config FROM pg_topics WHERE topic = 'options_idle'::regclass;
SELECT alter_topic('options_idle', '{"unclean.leader.election.enable": true}');
SELECT alter_topic('options_idle', '{"remote.storage.enable": "maybe"}');
SELECT alter_topic('options_idle', '{"preallocate": "maybe"}');
SELECT alter_topic('options_idle', '{"flush.messages": 0}');
SELECT drop_topic('options_idle');
SELECT create_topic('options_bad', config => '{"delete.retention.ms": -1}');
SELECT create_topic('options_bad', config => '{"min.cleanable.dirty.ratio": 1.01}');
SELECT create_topic('options_bad', config => '{"min.cleanable.dirty.ratio": "nan"}');
SELECT create_topic('options_bad', config => '{"min.compaction.lag.ms": true}');
SELECT create_topic('options_bad', config => '{"max.compaction.lag.ms": 0}');
SELECT create_topic('options_bad', config => '{"max.message.bytes": 268435457}');
SELECT create_topic('options_bad', config => '{"compression.type": "lzma"}');
SELECT create_topic('options_bad', config => '{"message.timestamp.type": "logappendtime"}');
SELECT create_topic('options_bad', config => '{"partitioner.enforce": "maybe"}');
SELECT create_topic('options_bad', config => '{"min.insync.replicas": 0}');
SELECT create_topic('options_bad', config => '{"partitioner.class": "org.example.Partitioner"}');
SELECT create_topic('options_bad', config => '{"cleanup.policy": "discard"}');
SELECT create_topic('options_bad', config => '{"cleanup.policy": ""}');
SELECT create_topic('options_compacted', config => '{"cleanup.policy": "compact,delete"}');
SELECT produce('options_compacted', NULL::text, 'no key');
SELECT produce('options_compacted', 'no key');
INSERT INTO options_compacted (value) VALUES ('no key');
SELECT produce('options_compacted', 'k', 'v');
SELECT drop_topic('options_compacted');

-- names
SELECT create_topic('options_bad', config => '{"retention_ms": 1}');
SELECT create_topic('options_bad', config => '{"colour": "red"}');
CREATE FOREIGN TABLE options_bad (value text) SERVER topics OPTIONS (partition '3');
CREATE SERVER options_server FOREIGN DATA WRAPPER pg_topics_fdw OPTIONS (host 'x');
CREATE FOREIGN TABLE options_bad (value text OPTIONS (format 'x')) SERVER topics;
CREATE USER MAPPING FOR CURRENT_USER SERVER topics OPTIONS (password 'x');

-- shapes
SELECT create_topic('options_bad', config => '[]');
SELECT create_topic('options_bad', config => '"retention.ms"');
SELECT create_topic('options_bad', config => '{"retention.ms": [1]}');
SELECT create_topic('options_bad', config => '{"retention.ms": {}}');

-- alter_topic: set, change, remove, remove what is not set
SELECT create_topic('options_t', config => '{"retention.ms": null, "segment.ms": 1000}');
SELECT alter_topic('options_t', '{"retention.ms": 5, "segment.ms": 2000}');
SELECT config FROM pg_topics WHERE topic = 'options_t'::regclass;
SELECT alter_topic('options_t', '{"retention.ms": null, "retention.bytes": null, "partitions": 4}');
SELECT partitions, config FROM pg_topics WHERE topic = 'options_t'::regclass;
SELECT alter_topic('options_t', '{}');
SELECT alter_topic('options_t', '{"colour": null}');
SELECT alter_topic('options_t', '{"segment.ms": "soon"}');
SELECT alter_topic('options_t', '[1]');
SELECT partitions, config FROM pg_topics WHERE topic = 'options_t'::regclass;

-- the session sees a change at once, and a rollback too
SELECT alter_topic('options_t', '{"max.message.bytes": 100}');
\set VERBOSITY sqlstate
SELECT produce('options_t', 'k', repeat('x', 200));
BEGIN;
SELECT alter_topic('options_t', '{"max.message.bytes": 1000}');
SELECT produce('options_t', 'k', repeat('x', 200)) IS NOT NULL;
ROLLBACK;
SELECT produce('options_t', 'k', repeat('x', 200));
\set VERBOSITY default
SELECT alter_topic('options_t', '{"max.message.bytes": null}');
SELECT produce('options_t', 'k', repeat('x', 200)) IS NOT NULL;

-- the partitioner: round robin whatever the key is
SELECT alter_topic('options_t', '{"partitioner.class": "round_robin"}');
SELECT count(DISTINCT produce('options_t', 'same key', n)) FROM generate_series(1, 4) n;
SELECT alter_topic('options_t', '{"partitioner.class": "murmur2"}');
SELECT count(DISTINCT produce('options_t', 'same key', n)) FROM generate_series(1, 4) n;
-- null keys go round robin
SELECT count(DISTINCT produce('options_t', NULL, n)) FROM generate_series(1, 4) n;
DROP FOREIGN TABLE options_t;

-- the hash and the partitions of Kafka's tests
SELECT key, murmur2(convert_to(key, 'UTF8'))
  FROM unnest(ARRAY['21', 'foobar', 'a-little-bit-long-string', 'a-little-bit-longer-string',
                    'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', 'abc', '', 'a', 'key',
                    '123447777']) AS key;
SELECT key, murmur2_partition(convert_to(key, 'UTF8'), 3) AS n3,
       murmur2_partition(convert_to(key, 'UTF8'), 6) AS n6,
       murmur2_partition(convert_to(key, 'UTF8'), 12) AS n12
  FROM unnest(ARRAY['123447777', 'abc', 'key', 'foobar', '']) AS key;
SELECT create_topic('options_p', partitions => 12);
SELECT key, produce('options_p', key, 'v')
  FROM unnest(ARRAY['123447777', 'abc', 'key', 'foobar', '']) AS key;
DROP FOREIGN TABLE options_p;
SELECT murmur2_partition('\x00', 0);

-- the name for Kafka's clients: by Kafka's rules, and no other topic's of the schema
SELECT create_topic('options_k', config => '{"kafka.topic": "Orders.v2-EU_1"}');
SELECT create_topic('options_l', config => jsonb_build_object('kafka.topic', repeat('x', 249)));
SELECT alter_topic('options_l', '{"kafka.topic": ""}');
SELECT alter_topic('options_l', '{"kafka.topic": ".."}');
SELECT alter_topic('options_l', '{"kafka.topic": "a b"}');
SELECT alter_topic('options_l', '{"kafka.topic": "Orders.v2-EU_1"}');
SELECT alter_topic('options_l', '{"kafka.topic": "options_k"}');
SELECT create_topic('options_m', config => '{"kafka.topic": "options_k"}');
SELECT create_topic('options_n');
SELECT alter_topic('options_l', '{"kafka.topic": "options_n"}');
ALTER FOREIGN TABLE options_n RENAME TO "Orders.v2-EU_1";
SELECT create_topic('"Orders.v2-EU_1"');
-- another schema has names of its own; a table with another name is renamed without harm
CREATE SCHEMA options_s;
SELECT create_topic('options_s.options_n', config => '{"kafka.topic": "Orders.v2-EU_1"}');
ALTER FOREIGN TABLE options_s.options_n RENAME TO moved;
ALTER FOREIGN TABLE options_s.moved SET SCHEMA public;
SELECT alter_topic('options_l', '{"kafka.topic": "options_l"}');
ALTER FOREIGN TABLE options_l RENAME TO options_o;
SELECT topic, config FROM pg_topics WHERE topic::text LIKE 'options\_%' ORDER BY topic::text COLLATE "C";
-- as a table can be renamed only by who may create one in the schema
CREATE ROLE options_owner;
GRANT CREATE ON SCHEMA options_s TO options_owner;
GRANT USAGE ON SCHEMA options_s TO options_owner;
ALTER FOREIGN TABLE options_s.moved OWNER TO options_owner;
REVOKE CREATE ON SCHEMA options_s FROM options_owner;
SET ROLE options_owner;
SELECT alter_topic('options_s.moved', '{"kafka.topic": "mine"}');
SELECT alter_topic('options_s.moved', '{"kafka.topic": null}');
RESET ROLE;
DROP FOREIGN TABLE options_k, options_n, options_o, options_s.moved;
DROP SCHEMA options_s;
DROP ROLE options_owner;

-- settings
SELECT name, unit, context, min_val, boot_val, enumvals
  FROM pg_settings WHERE name LIKE 'pg\_topics.log\_%' AND name <> 'pg_topics.log_dir' ORDER BY name COLLATE "C";
SET pg_topics.log_segment_bytes = '1MB';
