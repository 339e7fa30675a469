-- What bench/run measures: topics beside the heap tables they are compared with.
-- Variable: records, how many the reading figures have.  A record is 150 bytes:
-- a key of 10 and a value of 140.

CREATE FUNCTION bench_value() RETURNS text IMMUTABLE LANGUAGE sql
    RETURN rpad('{"item": "book", "price": 10.99, "customer": 4711}', 140, '.');

-- bulk insert, and the memory of a large transaction
SELECT create_topic('bulk_topic');
CREATE TABLE bulk_heap (key text, value text);

-- one record a transaction, and the load under which checkpoints are timed
SELECT create_topic('single_topic');
CREATE TABLE single_heap (id bigserial PRIMARY KEY, key text, value text);

-- reading
SELECT create_topic('read_topic');
CREATE TABLE read_heap (key text, value text);
CREATE TABLE log_heap (id bigserial PRIMARY KEY, key text, value text);
CREATE TABLE log_cursors (group_id text PRIMARY KEY, next_id bigint NOT NULL);

INSERT INTO read_heap (key, value)
    SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, :records) AS i;
INSERT INTO log_heap (key, value) SELECT key, value FROM read_heap;
INSERT INTO read_topic (key, value) SELECT key, value FROM read_heap;
VACUUM ANALYZE read_heap, log_heap;

-- Drain in batches of 1000, each in a transaction of its own.
CREATE PROCEDURE drain_topic(group_name text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    LOOP
        SELECT count(*), sum(length(value)) INTO n, bytes
        FROM consume('read_topic', group_name, 1000);
        COMMIT;
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s records, expected %s', total, expected);
END $$;

CREATE PROCEDURE drain_heap(group_name text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
    from_id bigint;
    last_id bigint;
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    INSERT INTO log_cursors VALUES (group_name, 0);
    COMMIT;
    LOOP
        SELECT next_id INTO from_id FROM log_cursors WHERE group_id = group_name FOR UPDATE;
        SELECT count(*), max(id), sum(length(value)) INTO n, last_id, bytes
        FROM (SELECT id, key, value FROM log_heap WHERE id > from_id ORDER BY id LIMIT 1000) AS batch;
        IF n > 0 THEN
            UPDATE log_cursors SET next_id = last_id WHERE group_id = group_name;
        END IF;
        COMMIT;
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s records, expected %s', total, expected);
END $$;
