-- The topic whose costs are measured, and what uses it, a transaction a call.
SELECT create_topic('one');
CREATE PROCEDURE append_calls(calls int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. calls LOOP
        PERFORM produce('one', lpad(i::text, 10, '0'), bench_value());
        COMMIT;
    END LOOP;
END $$;

-- Consume a record a call; they are there.
CREATE PROCEDURE consume_calls(topic regclass, group_name text, calls int) LANGUAGE plpgsql AS $$
DECLARE
    n int;
BEGIN
    FOR i IN 1 .. calls LOOP
        SELECT count(*) INTO n FROM consume(topic, group_name, 1);
        ASSERT n = 1, 'a call of consume() has got nothing';
        COMMIT;
    END LOOP;
END $$;
