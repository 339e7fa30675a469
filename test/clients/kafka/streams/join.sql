-- What SQL sees of the application Join while it runs, and while it is killed: each of its transactions as a whole.
-- :topic is its first topic.
CREATE TABLE streams_problem (what text);
CREATE TABLE streams_checks (at timestamptz);
-- what the items cost, as in Join.before()
CREATE TABLE streams_prices AS SELECT 'item' || n AS item, 10 + n AS price FROM generate_series(0, 16) n;

-- Names of topics have parameters in them, so these are views.
CREATE VIEW streams_committed AS
    SELECT partition, committed_offset FROM pg_topic_groups WHERE group_id = :'topic' AND topic = quote_ident(:'topic')::regclass;
CREATE VIEW streams_orders AS
    SELECT partition, record_offset, convert_from(key, 'UTF8') AS item, split_part(convert_from(value, 'UTF8'), ' ', 2)::int AS number FROM :"topic";
SELECT :'topic' || '-joined' AS joined, :'topic' || '-results' AS results, :'topic' || '-totals-changelog' AS changelog \gset
CREATE VIEW streams_joined AS SELECT split_part(convert_from(value, 'UTF8'), ' ', 2)::int AS amount FROM :"joined";
CREATE VIEW streams_results AS SELECT key, value FROM latest(NULL::public.:"results");

-- Three questions, each of which is one statement, and so of one snapshot.
CREATE PROCEDURE check_streams() LANGUAGE plpgsql AS $$
DECLARE
    changelog text;
    found text;
BEGIN
    -- queries read on behind transactions that are open, as latest() does
    PERFORM set_config('pg_topics.read_past_running', 'on', false);
    WHILE to_regclass('streams_checked') IS NULL LOOP
        -- each order whose offset is committed is joined, and no other; with the price that a table has
        SELECT format('%s orders of %s are joined, for %s in place of %s', count(*),
                (SELECT coalesce(sum(committed_offset), 0) FROM streams_committed), coalesce(sum(amount), 0),
                (SELECT coalesce(sum(number * price), 0) FROM streams_orders JOIN streams_committed USING (partition)
                 JOIN streams_prices USING (item) WHERE record_offset < committed_offset))
        INTO found FROM streams_joined;
        INSERT INTO streams_problem SELECT found WHERE found !~ '^(\d+) orders of \1 are joined, for (\d+) in place of \2$';
        -- the results are what the application's state is
        SELECT topic::text INTO changelog FROM pg_topics WHERE topic::text LIKE '%-totals-changelog%';
        IF changelog IS NOT NULL THEN
            EXECUTE format('SELECT string_agg(convert_from(coalesce(r.key, c.key), ''UTF8''), '' '') FROM streams_results r
                FULL JOIN latest(NULL::%s) c ON r.key = c.key WHERE r.value IS DISTINCT FROM c.value', changelog) INTO found;
            INSERT INTO streams_problem SELECT 'results are not the state of ' || found WHERE found IS NOT NULL;
            INSERT INTO streams_checks VALUES (now());
        END IF;
        COMMIT;
        PERFORM pg_sleep(0.05);
    END LOOP;
END $$;
