-- What bench/run compaction measures.  Variables: records, and keys that they
-- have in turn.  A record is 150 bytes: a key of 10 and a value of 140.

-- nobody else compacts meanwhile
ALTER SYSTEM SET pg_topics.log_cleaner_enable = off;
SELECT pg_reload_conf();

SELECT create_topic('compacted_' || n, config => '{"cleanup.policy": "compact"}') FROM generate_series(1, 4) AS n;
CREATE TABLE keyed_heap (id bigserial PRIMARY KEY, key text, value text);
INSERT INTO keyed_heap (key, value)
    SELECT lpad((i * 7919::bigint % :keys)::text, 10, '0'), bench_value() FROM generate_series(1, :records) AS i;
VACUUM ANALYZE keyed_heap;
