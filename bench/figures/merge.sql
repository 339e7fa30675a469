-- merge_batches() alone merges, and at once
ALTER SYSTEM SET pg_topics.log_cleaner_enable = off;
SELECT pg_reload_conf();
SELECT create_topic('merge_default', config => '{"batch.merge.lag.ms": 0}');
SELECT create_topic('merge_none', config => '{"batch.merge.lag.ms": 0, "compression.type": "none"}');
SELECT create_topic('merge_zstd', config => '{"batch.merge.lag.ms": 0, "compression.type": "zstd"}');
CREATE TABLE merge_heap (id bigserial PRIMARY KEY, key text, value text);

-- The first so many events, a transaction each.
CREATE PROCEDURE single_events(target regclass, expected int) LANGUAGE plpgsql AS $$
DECLARE
    insert text := format('INSERT INTO %s (key, value) SELECT key, value FROM events WHERE n = $1', target);
BEGIN
    SET synchronous_commit = off;
    FOR i IN 0 .. expected - 1 LOOP
        EXECUTE insert USING i;
        COMMIT;
    END LOOP;
END $$;
