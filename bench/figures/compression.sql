-- A topic for each codec, and one that leaves the choice to the server.
SELECT create_topic('json_default');
SELECT create_topic('json_' || codec, config => jsonb_build_object('compression.type', codec))
FROM unnest(ARRAY['none', 'gzip', 'snappy', 'lz4', 'zstd']) AS codec;

-- Insert the first so many events, a batch a transaction.
CREATE PROCEDURE insert_events(topic regclass, batch int, expected int) LANGUAGE plpgsql AS $$
DECLARE
    insert text := format('INSERT INTO %s (key, value) SELECT key, value FROM events WHERE n BETWEEN $1 AND $2', topic);
BEGIN
    FOR lowest IN 0 .. expected - 1 BY batch LOOP
        EXECUTE insert USING lowest, least(lowest + batch, expected) - 1;
        COMMIT;
    END LOOP;
END $$;

CREATE PROCEDURE consume_events(topic regclass, group_name text, expected int) LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    LOOP
        SELECT count(*), sum(length(value)) INTO n, bytes FROM consume(topic, group_name, 1000);
        COMMIT;
        EXIT WHEN n = 0;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s records, expected %s', total, expected);
END $$;
