-- What bench/run's "groups" measures beside schema.sql: a queue in a heap table,
-- and a topic of four partitions.

CREATE TABLE queue_heap (id bigserial PRIMARY KEY, key text, value text);
SELECT create_topic('four_topic', partitions => 4);
INSERT INTO four_topic (key, value) SELECT key, value FROM read_heap;

-- Read all that a group has to read, a batch a transaction.
CREATE PROCEDURE drain_group(topic regclass, group_name text, batch int) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    bytes bigint;
BEGIN
    LOOP
        SELECT count(*), sum(length(value)) INTO n, bytes FROM consume(topic, group_name, batch);
        COMMIT;
        EXIT WHEN n = 0;
    END LOOP;
END $$;

CREATE PROCEDURE drain_queue(batch int) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    bytes bigint;
BEGIN
    LOOP
        WITH taken AS (
            DELETE FROM queue_heap WHERE id IN (
                SELECT id FROM queue_heap ORDER BY id LIMIT batch FOR UPDATE SKIP LOCKED)
            RETURNING value)
        SELECT count(*), sum(length(value)) INTO n, bytes FROM taken;
        COMMIT;
        EXIT WHEN n = 0;
    END LOOP;
END $$;

-- Produce and consume in turn, and tell each round's time and the size of what grows.
CREATE TABLE steady_rounds (round int, ms float8, offsets_bytes bigint, dead_rows bigint);
SELECT create_topic('steady_topic');
CREATE PROCEDURE steady(rounds int, batches int) LANGUAGE plpgsql AS $$
DECLARE
    begun timestamptz;
BEGIN
    FOR r IN 1..rounds LOOP
        begun := clock_timestamp();
        FOR b IN 1..batches LOOP
            INSERT INTO steady_topic (key, value)
                SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, 100) i;
            COMMIT;
            PERFORM count(*) FROM consume('steady_topic', 'steady', 100);
            COMMIT;
        END LOOP;
        INSERT INTO steady_rounds
            SELECT r, extract(epoch FROM clock_timestamp() - begun) * 1000,
                   pg_relation_size('topic_group_offsets'), pg_stat_get_dead_tuples('topic_group_offsets'::regclass);
        COMMIT;
    END LOOP;
END $$;
