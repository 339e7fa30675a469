-- Look so many keys up that are there.
CREATE PROCEDURE look_up(source text, in_order text, lookups int, keys int) LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
    n bigint;
BEGIN
    FOR i IN 1 .. lookups LOOP
        wanted := lpad((1 + i::bigint * 7919999 % keys)::text, 10, '0');
        EXECUTE format('SELECT count(value) FROM (SELECT value FROM %s WHERE key = %L %s) r', source, wanted, in_order) INTO n;
        ASSERT n = 1, format('%s records of key %s', n, wanted);
    END LOOP;
END $$;
