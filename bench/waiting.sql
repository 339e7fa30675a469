-- What waiting consumers cost: 2,000 records a second, a transaction each, and four sessions
-- that wait for them.  Measured is the CPU that all these sessions take for a record, and
-- how long a producer's transaction takes beside waiting consumers and alone.
SELECT create_topic('waiting_topic');

-- waiting_produce.sql is the producers' script; the consumers' is one of
--   SELECT count(*) FROM consume('waiting_topic', 'waiting', timeout => '1 s');
--   SELECT count(*) FROM consume('waiting_topic', 'waiting', timeout => '1 s', min_records => 100);

-- The CPU microseconds of all sessions of that name so far, by the scheduler's nanoseconds.
CREATE FUNCTION waiting_cpu(name text) RETURNS float8 LANGUAGE sql AS $$
    SELECT coalesce(sum(split_part(pg_read_file('/proc/' || pid || '/schedstat'), ' ', 1)::float8) / 1000, 0)
    FROM pg_stat_activity WHERE application_name = name
$$;

-- Where a run begins and ends; all sessions are connected for the time between.
CREATE TABLE waiting_notes (at timestamptz, records bigint, commits bigint, produce_cpu float8, consume_cpu float8);
CREATE FUNCTION waiting_note() RETURNS void LANGUAGE sql AS $$
    INSERT INTO waiting_notes
    SELECT clock_timestamp(), p.log_end_offset, t.n_tup_upd, waiting_cpu('waiting_produce'), waiting_cpu('waiting_consume')
    FROM pg_topic_partitions p, pg_stat_user_tables t
    WHERE p.topic = 'waiting_topic'::regclass AND t.relid = 'topic_group_offsets'::regclass
$$;

-- CPU microseconds for each record, and the consumers' commits for each record.
CREATE VIEW waiting_cost AS
    SELECT (max(records) - min(records)) / extract(epoch FROM max(at) - min(at)) AS records_per_second,
           (max(produce_cpu) - min(produce_cpu)) / (max(records) - min(records)) AS produce_cpu,
           (max(consume_cpu) - min(consume_cpu)) / (max(records) - min(records)) AS consume_cpu,
           (max(commits) - min(commits))::float8 / (max(records) - min(records)) AS commits
    FROM waiting_notes;
