SELECT create_topic('wide');
-- A record a transaction, each in another partition.
CREATE PROCEDURE produce_wide(calls int, partitions int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. calls LOOP
        PERFORM produce('wide', NULL::text, bench_value(), partition => (i::bigint * 7919 % partitions)::int);
        COMMIT;
    END LOOP;
END $$;
CREATE PROCEDURE consume_rest(topic regclass, group_name text) LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        PERFORM FROM consume(topic, group_name, 10000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END $$;
