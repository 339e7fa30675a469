-- What a transaction can do to a topic that it has itself appended to by flush()
-- and not yet committed: nothing waits for the transaction itself, and nothing it has
-- appended is lost.  Files under test: producer.c, maintenance_functions.c, topic_modify.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY default
-- what waits for itself is not to wait for ever
SET statement_timeout = '60s';
-- the maintenance worker looks once when it starts, and then not for a day: let it be done
SELECT create_topic('first');
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND
                      backend_type = 'pg_topics maintenance' AND wait_event_type = 'Extension') LOOP
        PERFORM pg_sleep(0.01);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$;
SELECT create_topic('own', config => '{"cleanup.policy": "compact,delete", "retention.ms": 3600000}');
SELECT create_topic('own_other', partitions => 2);
SELECT produce('own', 'k', 'committed', record_timestamp => now()), produce('own_other', 'k', 'committed', 0);

-- ---- erase() and TRUNCATE: refused, flushed or not
DO $$ BEGIN
    PERFORM produce('own', 'k', 'own');
    PERFORM flush();
    PERFORM erase('own', 'k'::text);
END $$;
DO $$ BEGIN
    PERFORM produce('own', 'k', 'own');
    PERFORM erase('own', 'k'::text);
END $$;
SELECT produce('own', 'k', 'own'), (SELECT count(*) FROM flush()), erase('own', 'k'::text);
CREATE FUNCTION own_erase() RETURNS bigint LANGUAGE sql AS
    $$ SELECT produce('own', 'k', 'own'); SELECT flush(); SELECT erase('own', 'k'::text) $$;
SELECT own_erase();
CREATE PROCEDURE own_erase_after_commit() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM produce('own_other', 'gone', 'own', 0);
    PERFORM flush();
    COMMIT;
    RAISE NOTICE 'erased %', erase('own_other', 'gone'::text);
END $$;
CALL own_erase_after_commit();
-- another topic is no matter
DO $$ BEGIN
    PERFORM produce('own', 'k2', 'to stay');
    PERFORM flush();
    RAISE NOTICE 'erased %', erase('own_other', 'nothing'::text);
END $$;
BEGIN;
SELECT produce('own', 'k', 'own');
SELECT count(*) FROM flush();
SELECT erase('own', 'k'::text);
ROLLBACK;
CREATE TABLE own_table ();
CREATE FUNCTION own_trigger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM produce('own', 'k', 'own'); PERFORM flush(); RETURN NULL; END $$;
CREATE TRIGGER own_trigger BEFORE TRUNCATE ON own_table FOR EACH STATEMENT EXECUTE FUNCTION own_trigger();
TRUNCATE own_table, own;
SELECT key, value FROM own;

-- ---- what neither waits nor takes anything
DO $$
DECLARE
    r record;
BEGIN
    PERFORM produce('own', 'k', 'newer', record_timestamp => '2000-01-01'), produce('own_other', 'k', 'newer', 0);
    PERFORM flush();
    SELECT sum(records_before - records_after) AS compacted INTO r FROM compact('own');
    RAISE NOTICE 'compact: %', r;
    SELECT sum(segments_deleted) AS deleted INTO r FROM apply_retention('own');
    RAISE NOTICE 'apply_retention: %', r;
    SELECT count(*) AS problems INTO r FROM verify_topic('own');
    RAISE NOTICE 'verify_topic: %', r;
    SELECT string_agg(value, ' ' ORDER BY key) AS latest INTO r FROM latest(NULL::own);
    RAISE NOTICE 'latest: %', r;
    SELECT string_agg(value, ' ' ORDER BY record_offset) AS consumed INTO r
    FROM consume('own', 'g', timeout => '10ms', auto_commit => false);
    RAISE NOTICE 'consume: %', r;
    PERFORM commit_offsets('own', 'g');
    SELECT count(*) AS consumed INTO r FROM consume('own', 'g', timeout => '10ms');
    RAISE NOTICE 'consume again: %', r;
    PERFORM seek_to_beginning('own', 'g'), seek_to_end('own', 'g');
    SELECT committed_offset = last_stable_offset AS stable, log_end_offset > last_stable_offset AS behind INTO r
    FROM pg_topic_groups JOIN pg_topic_partitions USING (topic, partition)
    WHERE topic = 'own'::regclass AND group_id = 'g';
    RAISE NOTICE 'seek_to_end: %', r;
    PERFORM alter_topic('own_other', '{"partitions": 3}');
    PERFORM produce('own_other', 'k', 'in a new partition', 2);
    PERFORM flush();
    BEGIN
        PERFORM delete_records('own', 0, -1);
    EXCEPTION WHEN active_sql_transaction THEN
        RAISE NOTICE '%', SQLERRM;
    END;
END $$;
DO $$ BEGIN
    PERFORM produce('own_other', 'k', 'not deleted', 2);
    PERFORM flush();
    RAISE NOTICE 'log start %', delete_records('own_other', 2, -1);
END $$;
SELECT partition, value FROM own_other ORDER BY 1, record_offset;
BEGIN;
SELECT produce('own_other', 'k', 'dropped');
SELECT count(*) FROM flush();
DROP FOREIGN TABLE own_other;
ROLLBACK;
SELECT count(*) FROM own_other;
BEGIN;
SELECT produce('own_other', 'k', 'dropped');
SELECT count(*) FROM flush();
SELECT produce('own_other', 'k', 'dropped');
DROP FOREIGN TABLE own_other;
COMMIT;
-- committed, they are erased like any other
SELECT produce('own', 'k', 'own'), (SELECT count(*) FROM flush());
SELECT erase('own', 'k'::text) > 0 AS erased;
SELECT key, value FROM own ORDER BY record_offset;

DROP FUNCTION own_erase;
DROP PROCEDURE own_erase_after_commit;
DROP TABLE own_table;
DROP FUNCTION own_trigger;
DROP FOREIGN TABLE own;
DROP FOREIGN TABLE first;
