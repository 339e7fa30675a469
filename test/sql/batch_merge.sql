-- merge_batches() and the options batch.merge, batch.merge.lag.ms: small batches become full
-- ones, and nobody can tell by what is read.  Files under test: merging.c, batch_builder.c,
-- segment_filter.c, segment_survey.c, maintenance_functions.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- each value in a transaction of its own, some of them rolled back after the append
CREATE PROCEDURE fill(topic regclass, first int, last int, size int DEFAULT 30) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN first .. last LOOP
        PERFORM produce(topic, 'k' || i % 7, jsonb_build_object('n', i, 'pad', repeat(md5(i::text), size / 30))::text,
                        headers => CASE WHEN i % 3 = 0 THEN jsonb_build_object('h', i, 'none', null) END);
        IF i % 10 = 5 THEN
            PERFORM flush();
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END $$;
-- the topic's batches without the active segment
CREATE VIEW finished AS
    SELECT topic, sum(batches) AS batches, sum(bytes) AS bytes, count(*) AS segments
    FROM pg_topic_segments WHERE NOT active GROUP BY topic;
-- has merging changed what is read, in whatever way it is read?
CREATE FUNCTION keep(topic text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS kept; CREATE TEMP TABLE kept AS SELECT * FROM %I', topic);
END $$;
CREATE FUNCTION same(topic text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    different int;
    backward int;
    problems int;
    single int;
BEGIN
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$I EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE %1$I)) d', topic)
        INTO different;
    EXECUTE format('SELECT count(*) FROM (SELECT partition, record_offset FROM %1$I ORDER BY partition DESC, record_offset DESC) t
                    FULL JOIN kept USING (partition, record_offset) WHERE t.* IS NULL OR kept.* IS NULL', topic) INTO backward;
    EXECUTE format('SELECT count(*) FROM kept k LEFT JOIN LATERAL (SELECT * FROM %1$I t
                    WHERE t.partition = k.partition AND t.record_offset = k.record_offset
                        AND t.record_timestamp = k.record_timestamp) t ON true WHERE k.* IS DISTINCT FROM t.*', topic) INTO single;
    SELECT count(*) FROM verify_topic(topic::regclass) INTO problems;
    RETURN format('%s different, %s backward, %s single, %s problems', different, backward, single, problems);
END $$;

-- ---- small batches become full ones ----
SELECT create_topic('small', config => '{"batch.merge.lag.ms": 0}');
CALL fill('small', 1, 500);
SELECT keep('small');
-- a dry run says what would be, and changes nothing
SELECT topic, partition, records_before, records_after, bytes_after < bytes_before * 0.7 AS gains
    FROM merge_batches('small', dry_run => true);
SELECT segments FROM finished WHERE topic = 'small'::regclass;
SELECT topic, partition, records_before, records_after, bytes_after < bytes_before * 0.7 AS gains FROM merge_batches('small');
SELECT same('small');
SELECT batches, segments FROM finished WHERE topic = 'small'::regclass;
-- again: there is nothing to do
SELECT path FROM pg_topic_segments WHERE topic = 'small'::regclass AND NOT active \gset
SELECT topic, partition, records_before, records_after, bytes_before, bytes_after FROM merge_batches('small');
SELECT path = :'path' AS same_file FROM pg_topic_segments WHERE topic = 'small'::regclass AND NOT active;
-- what comes now, by a group as well
SELECT commit_offset('small', 'g', 0, 123);
SELECT count(*), min(record_offset) FROM consume('small', 'g', 10);
CALL fill('small', 501, 600);
SELECT keep('small');
-- a small neighbour that is merged already is joined, a large one is not
SELECT records_before FROM merge_batches('small');
SELECT batches, segments FROM finished WHERE topic = 'small'::regclass;
CALL fill('small', 601, 1300);
SELECT keep('small');
SELECT records_before FROM merge_batches('small');
SELECT same('small');
SELECT segments FROM finished WHERE topic = 'small'::regclass;
SELECT count(*), min(record_offset) FROM consume('small', 'g', 10);
SELECT merges, batches_merged > 1000 AS batches_merged, bytes_merged > 125 * 1000 AS bytes_merged, compactions
    FROM pg_stat_topics WHERE topic = 'small'::regclass;
-- a time within the batch is found
SELECT offset_for_timestamp('small', 0, record_timestamp) <= record_offset AS found FROM kept WHERE record_offset = 450;

-- ---- the codec ----
SELECT create_topic('packed', config => '{"batch.merge.lag.ms": 0, "compression.type": "zstd"}');
CALL fill('packed', 1, 200);
SELECT keep('packed');
SELECT bytes_after < bytes_before * 0.3 AS gains FROM merge_batches('packed');
SELECT same('packed');
-- of another one than when the records were produced
ALTER FOREIGN TABLE packed OPTIONS (SET "compression.type" 'lz4');
CALL fill('packed', 201, 600);
ALTER FOREIGN TABLE packed OPTIONS (SET "compression.type" 'none');
SELECT keep('packed');
SELECT records_before FROM merge_batches('packed');
SELECT same('packed');
-- what was compressed stays so, also behind a batch that was too small for its codec
SELECT create_topic('mixed', config => '{"batch.merge.lag.ms": 0, "compression.type": "zstd"}');
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        PERFORM produce('mixed', 'k', CASE WHEN i % 2 = 0 THEN repeat('v', 5000) ELSE i::text END);
        COMMIT;
    END LOOP;
END $$;
ALTER FOREIGN TABLE mixed OPTIONS (SET "compression.type" 'none');
SELECT keep('mixed');
SELECT records_before, bytes_after < bytes_before AS gains FROM merge_batches('mixed');
SELECT same('mixed');

-- ---- the size of a full batch ----
SELECT create_topic('sized', config => '{"batch.merge.lag.ms": 0, "max.message.bytes": 4096}');
CALL fill('sized', 1, 300);
SELECT keep('sized');
SELECT records_before FROM merge_batches('sized');
SELECT same('sized');
SELECT batches BETWEEN 4 AND 12 AS few FROM finished WHERE topic = 'sized'::regclass;
-- large batches are left
SELECT create_topic('large', config => '{"batch.merge.lag.ms": 0, "compression.type": "none"}');
CALL fill('large', 1, 4, 60000);
SELECT records_before FROM merge_batches('large');
SELECT batches FROM finished WHERE topic = 'large'::regclass;

-- ---- timestamps ----
-- each record keeps its append time, though no batch can say so of several
SELECT create_topic('appended', config => '{"batch.merge.lag.ms": 0, "message.timestamp.type": "LogAppendTime"}');
DO $$ BEGIN
    FOR i IN 1 .. 20 LOOP
        PERFORM produce('appended', 'k', 'v' || i);
        COMMIT;
        PERFORM pg_sleep(0.002);
    END LOOP;
END $$;
SELECT keep('appended');
SELECT count(DISTINCT record_timestamp) > 10 AS times FROM kept;
SELECT records_before FROM merge_batches('appended');
SELECT same('appended');
-- the last one, by which the log's time goes on, stays alone
SELECT batches FROM finished WHERE topic = 'appended'::regclass;
-- the earliest and the latest ones that there are, in one batch
SELECT create_topic('times', config => '{"segment.ms": 9223372036854775807, "message.timestamp.after.max.ms": 9223372036854775807}');
DO $$
DECLARE t timestamptz;
BEGIN
    FOREACH t IN ARRAY '{1970-01-01, 294276-12-31 23:59:59.999, 4713-01-02 BC, 2020-02-02 02:02:02.123, 1969-12-31 23:59:59.999}'::timestamptz[] LOOP
        PERFORM produce('times', NULL::text, t::text, record_timestamp => t);
        COMMIT;
    END LOOP;
END $$;
SELECT keep('times');
-- one lies ahead of the clock: the lag counts from there
SELECT records_before FROM merge_batches('times');
SELECT held_by, base_offset, record_offset, record_timestamp FROM pg_topic_maintenance WHERE topic = 'times'::regclass AND work = 'merging';
ALTER FOREIGN TABLE times OPTIONS (ADD "batch.merge.lag.ms" '0');
SELECT records_before FROM merge_batches('times');
SELECT same('times');
SELECT batches FROM finished WHERE topic = 'times'::regclass;

-- ---- gaps ----
-- offsets that were never there, records before the log start
SELECT create_topic('gaps', config => '{"batch.merge.lag.ms": 0}');
INSERT INTO gaps (record_offset, record_timestamp, value) VALUES (5, '2020-01-01', 'a');
INSERT INTO gaps (record_offset, record_timestamp, value) VALUES (1000, '2020-01-01', 'b'), (1500, '2020-01-02', 'c');
INSERT INTO gaps (record_offset, record_timestamp, value) VALUES (2000000000, '2020-01-03', 'd');
INSERT INTO gaps (record_offset, record_timestamp, value) VALUES (2500000000, '2020-01-03', 'e');
INSERT INTO gaps (value) VALUES (NULL);
SELECT keep('gaps');
SELECT delete_records('gaps', 0, 1500);
DELETE FROM kept WHERE record_offset < 1500;
SELECT records_before, records_after FROM merge_batches('gaps');
SELECT same('gaps');
SELECT base_offset, last_offset, batches FROM pg_topic_segments WHERE topic = 'gaps'::regclass;

-- ---- what aborted transactions and savepoints have left ----
SELECT create_topic('aborted', config => '{"batch.merge.lag.ms": 0}');
BEGIN;
SELECT produce('aborted', 'k', 'a');
SAVEPOINT s;
SELECT produce('aborted', 'k', 'not this');
ROLLBACK TO s;
SELECT produce('aborted', 'k', 'b');
COMMIT;
BEGIN;
SELECT produce('aborted', 'k', repeat('x', 1000));
SELECT records FROM flush();
ROLLBACK;
SELECT produce('aborted', 'k', 'c');
SELECT keep('aborted');
SELECT records_before, records_after, bytes_after < 200 AS small FROM merge_batches('aborted');
SELECT same('aborted');
-- nothing but these
SELECT create_topic('in_vain', config => '{"batch.merge.lag.ms": 0}');
DO $$ BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM produce('in_vain', 'k', 'v');
        PERFORM flush();
        ROLLBACK;
    END LOOP;
END $$;
SELECT records_before, records_after, bytes_after FROM merge_batches('in_vain');
SELECT count(*) FROM in_vain;
SELECT records_before FROM merge_batches('in_vain');
SELECT produce('in_vain', 'k', 'v');
SELECT record_offset, value FROM in_vain;

-- ---- what takes no part ----
SELECT create_topic('lag');
CALL fill('lag', 1, 50);
SELECT records_before, bytes_before FROM merge_batches('lag');
SELECT held_by, base_offset, held_until > now() AS later FROM pg_topic_maintenance WHERE topic = 'lag'::regclass AND work = 'merging';
SET pg_topics.clock_offset = '6min';
SELECT held_by, base_offset, detail ~ '^The next round merges: 50 batches have [0-9]+ bytes.$' AS due
    FROM pg_topic_maintenance WHERE topic = 'lag'::regclass AND work = 'merging';
SELECT records_before, records_after FROM merge_batches('lag');
RESET pg_topics.clock_offset;
SELECT held_by, detail FROM pg_topic_maintenance WHERE topic = 'lag'::regclass AND work = 'merging';
CALL fill('lag', 51, 60);
SELECT held_by, base_offset > 40 AS active, detail FROM pg_topic_maintenance WHERE topic = 'lag'::regclass AND work = 'merging';
-- dirty segments of a compacted topic are compaction's, which merges what it keeps
SELECT create_topic('state', config => '{"batch.merge.lag.ms": 0, "cleanup.policy": "compact"}');
CALL fill('state', 1, 100);
SELECT records_before FROM merge_batches('state');
SELECT records_before, records_after FROM compact('state');
SELECT batches FROM finished WHERE topic = 'state'::regclass;
SELECT keep('state');
SELECT records_before FROM merge_batches('state');
SELECT same('state');
-- tombstones keep the time until which they stay
ALTER FOREIGN TABLE state OPTIONS (ADD "delete.retention.ms" '3600000');
SELECT produce('state', 'k1', NULL::text);
SELECT produce('state', 'k2', NULL::text);
SELECT records_before, records_after FROM compact('state');
SELECT produce('state', 'k3', NULL::text);
SET pg_topics.clock_offset = '59min';
SELECT records_before, records_after FROM compact('state');
SET pg_topics.clock_offset = '61min';
SELECT records_before, records_after FROM compact('state');
RESET pg_topics.clock_offset;
SELECT key, value IS NULL AS tombstone FROM state ORDER BY record_offset;
SELECT count(*) FROM verify_topic('state');
-- without the option compaction leaves batches as they are
SELECT create_topic('state_off', config => '{"batch.merge": "off", "cleanup.policy": "compact"}');
CALL fill('state_off', 1, 100);
SELECT records_before, records_after FROM compact('state_off');
SELECT batches FROM finished WHERE topic = 'state_off'::regclass;
-- nor does it merge what is too young
SELECT create_topic('state_young', config => '{"cleanup.policy": "compact"}');
CALL fill('state_young', 1, 100);
SELECT records_before, records_after FROM compact('state_young');
SELECT batches FROM finished WHERE topic = 'state_young'::regclass;
SET pg_topics.clock_offset = '6min';
SELECT records_before, records_after FROM merge_batches('state_young');
RESET pg_topics.clock_offset;
SELECT batches FROM finished WHERE topic = 'state_young'::regclass;

-- ---- after it, all else works ----
SELECT create_topic('after', config => '{"batch.merge.lag.ms": 0, "segment.bytes": 20000}');
CALL fill('after', 1, 300);
SELECT segments > 1 AS several FROM finished WHERE topic = 'after'::regclass;
SELECT records_before FROM merge_batches('after');
SELECT keep('after');
SELECT erase('after', 'k3');
DELETE FROM kept WHERE key = 'k3';
SELECT same('after');
SELECT records_before FROM merge_batches('after');
SELECT delete_records('after', 0, 100);
DELETE FROM kept WHERE record_offset < 100;
SELECT same('after');
ALTER FOREIGN TABLE after OPTIONS (ADD "retention.bytes" '0');
SELECT segments_deleted > 0 AS deleted FROM apply_retention('after');
SELECT count(*) FROM verify_topic('after');
TRUNCATE after;
SELECT records_before FROM merge_batches('after');

-- ---- who may, and on what ----
SELECT merge_batches('no_topic');
SELECT merge_batches('kept'::regclass);
SELECT create_topic('off', config => '{"batch.merge": "off"}');
CALL fill('off', 1, 10);
SELECT * FROM merge_batches('off');
SELECT count(*) FROM pg_topic_maintenance WHERE topic = 'off'::regclass AND work = 'merging';
SELECT alter_topic('off', '{"batch.merge": "maybe"}');
SELECT alter_topic('off', '{"batch.merge.lag.ms": -1}');
-- options that may be rolled back
BEGIN;
SELECT alter_topic('off', '{"batch.merge": "on"}');
SELECT * FROM merge_batches('off');
ROLLBACK;
-- of all own topics those that are merged
CREATE ROLE regress_merge_owner;
CREATE ROLE regress_merge_reader;
GRANT SELECT, INSERT ON small TO regress_merge_reader;
SET ROLE regress_merge_reader;
SELECT merge_batches('small');
SELECT merge_batches('small', dry_run => true);
SELECT count(*) FROM merge_batches();
RESET ROLE;
ALTER FOREIGN TABLE small OWNER TO regress_merge_owner;
ALTER FOREIGN TABLE off OWNER TO regress_merge_owner;
SET ROLE regress_merge_owner;
SELECT topic, partition FROM merge_batches();
SELECT topic, records_before FROM merge_batches(NULL, NULL);
RESET ROLE;
-- part of a transaction, whose rollback does not bring the batches back
ALTER FOREIGN TABLE small OWNER TO CURRENT_USER;
CALL fill('small', 1301, 1310);
BEGIN;
SELECT records_before > 0 AS merged FROM merge_batches('small');
ROLLBACK;
SELECT records_before FROM merge_batches('small');
BEGIN READ ONLY;
SELECT merge_batches('small');
ROLLBACK;

DROP FOREIGN TABLE small, packed, mixed, sized, large, appended, times, gaps, aborted, in_vain, lag, state, state_off, state_young, after, off;
DROP VIEW finished;
DROP PROCEDURE fill;
DROP FUNCTION keep, same;
DROP ROLE regress_merge_owner, regress_merge_reader;
