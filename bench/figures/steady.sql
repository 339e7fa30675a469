-- What bench/run's "steady" measures: one session that produces and one that consumes,
-- both as fast as they can.

-- what is consumed goes soon, so that an hour's records need not fit the disk
SELECT create_topic('steady_topic', config => '{"segment.bytes": 67108864, "retention.bytes": 2147483648}');

-- What has been done and what has grown, at the end of a round; round 0 is the beginning.
CREATE TABLE steady_rounds (round int, at timestamptz, log_end bigint, committed bigint, lost bigint, calls bigint,
    topic_bytes bigint, wal_bytes bigint, offsets_bytes bigint, dead_rows bigint, produce_cpu float8, consume_cpu float8);

-- The CPU microseconds of a session so far, from the kernel's hundredths of a second.
CREATE FUNCTION session_cpu(name text) RETURNS float8 LANGUAGE sql AS $$
    SELECT coalesce(sum(split_part(stat, ' ', 14)::float8 + split_part(stat, ' ', 15)::float8) * 10000, 0)
    FROM pg_stat_activity, pg_read_file('/proc/' || pid || '/stat') AS stat
    WHERE application_name = name
$$;
CREATE FUNCTION steady_note(round int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO steady_rounds
    SELECT round, clock_timestamp(), p.log_end_offset, g.committed_offset, g.lost_records, t.n_tup_upd,
           p.bytes, (SELECT sum(size) FROM pg_ls_waldir()),
           pg_total_relation_size('topic_group_offsets'), t.n_dead_tup,
           session_cpu('steady_produce'), session_cpu('steady_consume')
    FROM pg_topic_partitions p LEFT JOIN pg_topic_groups g ON g.topic = p.topic AND g.group_id = 'steady',
         pg_stat_user_tables t
    WHERE p.topic = 'steady_topic'::regclass AND t.relid = 'topic_group_offsets'::regclass
$$;

-- A round against the one before it.
CREATE VIEW steady_rates AS
    SELECT n.round, extract(epoch FROM n.at - (SELECT min(at) FROM steady_rounds)) / 60 AS minute,
           (n.log_end - p.log_end) / s.seconds AS produced, (n.committed - coalesce(p.committed, 0)) / s.seconds AS consumed,
           (n.calls - p.calls) / s.seconds AS calls, n.log_end - n.committed AS behind, n.lost,
           n.topic_bytes, n.wal_bytes, n.offsets_bytes, n.dead_rows,
           (n.produce_cpu - p.produce_cpu) / nullif(n.log_end - p.log_end, 0) AS produce_cpu,
           (n.consume_cpu - p.consume_cpu) / nullif(n.committed - coalesce(p.committed, 0), 0) AS consume_cpu
    FROM steady_rounds n JOIN steady_rounds p ON p.round = n.round - 1
         CROSS JOIN LATERAL (SELECT extract(epoch FROM n.at - p.at)::float8 AS seconds) s;
