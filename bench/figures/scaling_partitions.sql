SELECT create_topic('wide');
CREATE PROCEDURE consume_rest(topic regclass, group_name text) LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        PERFORM FROM consume(topic, group_name, 10000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END $$;
