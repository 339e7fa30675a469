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
