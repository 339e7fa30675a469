-- PgQ beside consumer groups, for bench/run's "groups": a queue for each batch size.
-- A batch of PgQ's is what lies between two ticks.

CREATE EXTENSION pgq;

-- A queue of the same records as read_topic has, with a tick after each so many.
CREATE PROCEDURE fill_pgq(queue text, records int, batch int) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pgq.create_queue(queue);
    PERFORM pgq.set_queue_config(queue, 'ticker_max_count', '1');
    COMMIT;
    FOR lowest IN 1..records BY batch LOOP
        PERFORM pgq.insert_event(queue, lpad(i::text, 10, '0'), bench_value())
        FROM generate_series(lowest, least(lowest + batch - 1, records)) AS i;
        COMMIT;
        PERFORM pgq.ticker(queue);
        COMMIT;
    END LOOP;
END $$;

-- Let a new consumer read all of a queue, a batch a transaction.
CREATE PROCEDURE drain_pgq(queue text, consumer text, expected bigint) LANGUAGE plpgsql AS $$
DECLARE
    batch bigint;
    n bigint;
    bytes bigint;
    total bigint := 0;
BEGIN
    PERFORM pgq.register_consumer_at(queue, consumer, 1);
    COMMIT;
    LOOP
        batch := pgq.next_batch(queue, consumer);
        EXIT WHEN batch IS NULL;
        SELECT count(*), sum(length(ev_data)) INTO n, bytes FROM pgq.get_batch_events(batch);
        PERFORM pgq.finish_batch(batch);
        COMMIT;
        total := total + n;
    END LOOP;
    ASSERT total = expected, format('%s events, expected %s', total, expected);
END $$;
