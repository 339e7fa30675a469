SET statement_timeout = '30s';
-- what holds retention and compaction back: src/maintenance/maintenance_hold.c, src/maintenance/retention.c, src/maintenance/compaction.c
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
SET timezone = 'UTC';
RESET client_min_messages;

-- one record a segment: values that two of do not fit
CREATE PROCEDURE hold_fill(topic regclass, key text, VARIADIC times timestamptz[]) LANGUAGE plpgsql AS $$
DECLARE t timestamptz;
BEGIN
    FOREACH t IN ARRAY times LOOP
        PERFORM produce(topic, key, repeat('x', 700), record_timestamp => t);
        COMMIT;
    END LOOP;
    PERFORM count(*) FROM apply_retention(topic, true);    -- so that all is resolved
END $$;
CREATE VIEW holds AS SELECT topic, work, held_by, base_offset, record_offset, record_timestamp, held_until FROM pg_topic_maintenance
    WHERE topic::text LIKE 'hold%' AND work <> 'merging' ORDER BY topic::text, partition, work;

-- the maintenance worker looks once when it starts, and then not for a day: let it be done
SELECT create_topic('hold_first');
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND
                      backend_type = 'pg_topics maintenance' AND wait_event_type = 'Extension') LOOP
        PERFORM pg_sleep(0.01);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$;
-- ---- retention ----

SELECT create_topic('hold_old', config => '{"segment.bytes": 1024, "retention.ms": 3600000, "message.timestamp.after.max.ms": 9223372036854775807}');
SELECT * FROM holds;
CALL hold_fill('hold_old', 'k', '2020-01-01', '2021-01-01', '2099-01-01 00:00:00.123', '2022-01-01');
SELECT held_by, base_offset, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
SELECT segments_deleted FROM apply_retention('hold_old');
SELECT * FROM holds;
SELECT detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
-- which is removed by hand
SELECT delete_records('hold_old', 0, record_offset + 1) FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
SELECT segments_deleted FROM apply_retention('hold_old');
SELECT held_by, base_offset, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
-- several records in a batch; the youngest is in the middle
INSERT INTO hold_old (record_timestamp) VALUES ('2020-01-01'), ('294276-12-31'), ('2020-01-01'), ('294276-12-31');
SELECT count(*) FROM apply_retention('hold_old', true);
SELECT record_offset, record_timestamp, held_until FROM holds;
-- one that was rolled back counts, as in Kafka, and nobody sees it
SELECT delete_records('hold_old', 0, -1) > 0 AS empty;
BEGIN;
SELECT produce('hold_old', 'k', 'v', record_timestamp => '294276-12-31 23:59:59');
SELECT records FROM flush();
ROLLBACK;
SELECT count(*) FROM apply_retention('hold_old', true);
SELECT held_by, record_offset, record_timestamp FROM holds;
ALTER FOREIGN TABLE hold_old OPTIONS (SET "retention.ms" '-1');
SELECT held_by, record_offset, held_until, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
ALTER FOREIGN TABLE hold_old OPTIONS (ADD "retention.bytes" '1000');
SELECT held_by, record_offset, held_until, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
ALTER FOREIGN TABLE hold_old OPTIONS (SET "retention.bytes" '0');
SELECT held_by, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_old'::regclass;
DROP FOREIGN TABLE hold_old;

-- a group that has to read first, and a transaction that has not ended
SELECT create_topic('hold_wait', config => '{"segment.bytes": 1024, "retention.ms": 1, "retention.consumers": "wait"}');
CALL hold_fill('hold_wait', 'k', '2020-01-01', '2020-01-01');
SELECT commit_offset('hold_wait', 'g', 0, 0);
SELECT held_by, base_offset, record_offset, held_until, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_wait'::regclass;
ALTER FOREIGN TABLE hold_wait OPTIONS (ADD "retention.consumers.max.ms" '9000000000000');
SELECT held_by, record_offset, record_timestamp, held_until FROM holds;
SELECT commit_offset('hold_wait', 'g', 0, 2);
SELECT segments_deleted FROM apply_retention('hold_wait');
BEGIN;
SELECT produce('hold_wait', 'k', 'v', record_timestamp => '2020-01-01');
SELECT records FROM flush();
PREPARE TRANSACTION 'hold';
SELECT held_by, base_offset, record_offset, held_until, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_wait'::regclass;
COMMIT PREPARED 'hold';
DROP FOREIGN TABLE hold_wait;

-- ---- compaction ----

SELECT create_topic('hold_compact', config => '{"segment.bytes": 1024, "cleanup.policy": "compact", "message.timestamp.after.max.ms": 9223372036854775807, "segment.ms": 1000000000000}');
SELECT * FROM holds;
CALL hold_fill('hold_compact', 'k', '2020-01-01');
SELECT work, held_by, base_offset, record_offset, held_until, detail FROM pg_topic_maintenance WHERE work <> 'merging' AND topic = 'hold_compact'::regclass ORDER BY work;
CALL hold_fill('hold_compact', 'k', '2020-01-01', '2020-01-01');
SELECT held_by, detail ~ '^The next round compacts: 100% of [0-9]+ bytes are dirty.$' AS due FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
SELECT records_before, records_after FROM compact('hold_compact');
SELECT held_by, detail FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
-- one record of a time to come, and all behind it is left alone
ALTER FOREIGN TABLE hold_compact OPTIONS (ADD "min.compaction.lag.ms" '3600000');
CALL hold_fill('hold_compact', 'k', '2098-12-31 23:00:00.001', '2020-01-01', '2020-01-01');
SELECT records_before, records_after FROM compact('hold_compact');
SELECT held_by, base_offset, record_offset, record_timestamp, held_until FROM holds WHERE work = 'compaction';
SELECT detail FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
ALTER FOREIGN TABLE hold_compact OPTIONS (SET "min.compaction.lag.ms" '0', ADD "min.cleanable.dirty.ratio" '1', ADD "max.compaction.lag.ms" '1000000000000000');
SELECT held_by, base_offset, record_offset, held_until, detail ~ '^[0-9]+% of [0-9]+ bytes are dirty, but 100% must be; compact\(\) works regardless.$' AS told
FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
-- a transaction that was open before
BEGIN;
SELECT pg_current_xact_id() IS NOT NULL AS has_id;
PREPARE TRANSACTION 'hold';
ALTER FOREIGN TABLE hold_compact OPTIONS (SET "min.cleanable.dirty.ratio" '0');
SELECT records_before - records_after AS gone FROM compact('hold_compact');
CALL hold_fill('hold_compact', 'k', '2020-01-01', '2020-01-01');
SELECT records_before - records_after AS gone FROM compact('hold_compact');
SELECT held_by, base_offset, record_offset, held_until, regexp_replace(detail, 'transaction \d+', 'transaction <xid>') AS detail
FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
ROLLBACK PREPARED 'hold';
SELECT records_before - records_after AS gone FROM compact('hold_compact');
SELECT held_by, detail FROM pg_topic_maintenance WHERE topic = 'hold_compact'::regclass AND work = 'compaction';
DROP FOREIGN TABLE hold_compact;
DROP VIEW holds;
DROP PROCEDURE hold_fill;
DROP FOREIGN TABLE hold_first;
