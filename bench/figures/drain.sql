-- Read all records in batches of 1000, each in a transaction of its own.

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

-- The place of a batch's last record is looked up in the index, since it is not that of the
-- largest id where transactions overlap.
CREATE PROCEDURE drain_log(group_name text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
    at log_cursors;
    last_xid bigint;
    last_id bigint;
    oldest bigint;
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    INSERT INTO log_cursors VALUES (group_name, 0, 0);
    COMMIT;
    LOOP
        SELECT * INTO at FROM log_cursors WHERE group_id = group_name FOR UPDATE;
        oldest := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
        SELECT count(*), sum(length(value)) INTO n, bytes
        FROM (SELECT key, value FROM log_heap
              WHERE (xid, id) > (at.next_xid, at.next_id) AND xid < oldest ORDER BY xid, id LIMIT 1000) AS batch;
        IF n > 0 THEN
            SELECT xid, id INTO last_xid, last_id FROM log_heap
            WHERE (xid, id) > (at.next_xid, at.next_id) AND xid < oldest ORDER BY xid, id OFFSET n - 1 LIMIT 1;
            UPDATE log_cursors SET next_xid = last_xid, next_id = last_id WHERE group_id = group_name;
        END IF;
        COMMIT;
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s records, expected %s', total, expected);
END $$;

CREATE PROCEDURE drain_ids(group_name text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
    from_id bigint;
    last_id bigint;
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    INSERT INTO log_cursors VALUES (group_name, 0, 0);
    COMMIT;
    LOOP
        SELECT next_id INTO from_id FROM log_cursors WHERE group_id = group_name FOR UPDATE;
        SELECT count(*), max(id), sum(length(value)) INTO n, last_id, bytes
        FROM (SELECT id, key, value FROM id_heap WHERE id > from_id ORDER BY id LIMIT 1000) AS batch;
        IF n > 0 THEN
            UPDATE log_cursors SET next_id = last_id WHERE group_id = group_name;
        END IF;
        COMMIT;
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s records, expected %s', total, expected);
END $$;
