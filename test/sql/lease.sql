-- Files under test: src/lease.c, src/group_member.c.
-- Members of a group that lease partitions: consume(member_id => ...), commit_offsets, leave_group.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA lease_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'lease_test, ' || :'home', false) <> '' AS ok;

-- who has what; pg_topics.clock_offset moves the clock, so that nothing here takes time
CREATE VIEW leases AS
    SELECT partition, member_id, generation, committed_offset, position
    FROM pg_topic_groups WHERE group_id = 'g' ORDER BY partition;
CREATE FUNCTION ctids() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT (SELECT string_agg(ctid::text, ' ' ORDER BY partition) FROM topic_group_offsets WHERE group_id = 'g') || ' / ' ||
           (SELECT string_agg(ctid::text, ' ' ORDER BY member_id) FROM topic_group_members WHERE group_id = 'g') $$;
CREATE FUNCTION poll(member text, max_records int DEFAULT 500) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(partition || ':' || record_offset, ' ') FROM consume('jobs', 'g', max_records, member_id => member) $$;
CREATE PROCEDURE work(n int) LANGUAGE sql AS $$
    INSERT INTO jobs (partition, value) SELECT p, 'job' FROM generate_series(0, 3) p, generate_series(1, n) $$;

SELECT create_topic('jobs', partitions => 4);
CALL work(3);

---- one member has all; positions move from call to call, the committed offset does not
SELECT poll('a', 4);
SELECT poll('a', 2);
SELECT * FROM leases;
SELECT commit_offsets('jobs', 'g', 'a');
SELECT poll('a');
SELECT poll('a');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT * FROM leases;
SELECT member_id, partitions, lease, lease_until - joined BETWEEN '30 s' AND '31 s' AS until FROM pg_topic_group_members;

---- a second member gets its share when the first calls again
SELECT poll('b');
CALL work(2);
SELECT poll('b');
-- what is given up now has nothing uncommitted
SELECT poll('a');
SELECT * FROM leases;
SELECT poll('b');
SELECT * FROM leases;
-- a third: one of a's two, which have uncommitted records, is given up when they are committed
SELECT poll('c');
SELECT poll('a');
SELECT poll('c');
CALL work(1);
-- a gets no more of what it is to give up
SELECT poll('a');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT * FROM leases;
SELECT poll('c');
SELECT commit_offsets('jobs', 'g', 'b');
SELECT * FROM leases;

---- leaving gives everything up, and what is uncommitted is read again
SELECT leave_group('jobs', 'g', 'c');
SELECT leave_group('jobs', 'g', 'nobody');
SELECT * FROM leases;
SELECT poll('a'), poll('b');
SELECT * FROM leases;
SELECT commit_offsets('jobs', 'g', 'a'), commit_offsets('jobs', 'g', 'b');
-- fenced: it is no member any more
SELECT commit_offsets('jobs', 'g', 'c');

---- a lease that runs out is taken over; its member is fenced until it consumes again
CALL work(1);
SELECT poll('a'), poll('b');
SET pg_topics.clock_offset = '29s';
SELECT poll('a');
SELECT * FROM leases;
SET pg_topics.clock_offset = '31s';
SELECT poll('a');
SELECT * FROM leases;
DO $$
BEGIN
    PERFORM commit_offsets('jobs', 'g', 'b');
EXCEPTION WHEN lock_not_available THEN
    RAISE NOTICE '% %', sqlstate, sqlerrm;
END $$;
SELECT commit_offset('jobs', 'g', 2, 1, member_id => 'b');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT poll('b');
SELECT poll('a');
SELECT poll('b');
SELECT * FROM leases;
SELECT member_id, partitions FROM pg_topic_group_members;

-- one that ran out, and that nobody took, goes on
CALL work(1);
SELECT poll('a');
SET pg_topics.clock_offset = '10min';
SELECT commit_offsets('jobs', 'g', 'a');
SELECT * FROM leases WHERE member_id = 'a';

-- a member that loses one of its partitions reads the other one again as well
SELECT leave_group('jobs', 'g', 'b');
SELECT poll('a');
CALL work(1);
SELECT poll('a');
SET pg_topics.clock_offset = '11min';
-- (b takes all, then a is back, then b gives up two)
SELECT poll('b', 1);
SELECT commit_offsets('jobs', 'g', 'b');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT poll('a');
SELECT poll('b', 1), poll('a');
SELECT * FROM leases;
UPDATE topic_group_offsets SET lease_until = '-infinity' WHERE partition = 3 AND group_id = 'g';
SELECT member_id FROM leases WHERE partition = 3;
SELECT leave_group('jobs', 'g', 'b');
SELECT leave_group('jobs', 'g', 'a');

---- commit_offset() commits a part
SELECT poll('a');
SELECT committed_offset, position FROM leases WHERE partition = 0;
SELECT commit_offset('jobs', 'g', 0, 7, 'half', 'a');
SELECT committed_offset, position FROM leases WHERE partition = 0;
SELECT commit_offset('jobs', 'g', 0, 8, member_id => 'a');
SELECT committed_offset, position FROM leases WHERE partition = 0;
SELECT commit_offsets('jobs', 'g', 'a');

---- who polls and finds nothing writes nothing, until a quarter of the lease has passed
SELECT ctids() AS before \gset
SELECT poll('a'), ctids() = :'before' AS unchanged;
SELECT commit_offsets('jobs', 'g', 'a');
SET pg_topics.clock_offset = '667s';
SELECT poll('a'), ctids() = :'before' AS unchanged;
SET pg_topics.clock_offset = '668s';
SELECT poll('a'), ctids() = :'before' AS unchanged;

---- consumers in a transaction pass over leased partitions while the lease lives
CALL work(1);
SELECT count(*) FROM consume('jobs', 'g');
SELECT poll('a', 1);
SET pg_topics.clock_offset = '12min';
SELECT partition, record_offset FROM consume('jobs', 'g', 3);
SELECT * FROM leases;
SELECT commit_offsets('jobs', 'g', 'a');
SELECT partition, record_offset FROM consume('jobs', 'g', 3);

---- a group with live members is not moved
SELECT poll('a');
\set VERBOSITY terse
SELECT seek_to_beginning('jobs', 'g');
SELECT seek_to_offset('jobs', 'g', 0, 1);
SELECT commit_offset('jobs', 'g', 0, 0);
SELECT delete_group('g');
\set VERBOSITY default
SET pg_topics.clock_offset = '13min';
SELECT seek_to_offset('jobs', 'g', 0, 1);
SELECT * FROM leases;
SELECT leave_group('jobs', 'g', 'a');
SELECT seek_to_end('jobs', 'g');
SELECT delete_group('g');
SELECT count(*) FROM topic_group_members;

---- offset reset
SELECT partition, record_offset FROM consume('jobs', 'g', member_id => 'm', auto_offset_reset => 'latest');
SELECT * FROM leases;
CALL work(1);
SELECT poll('m') IS NOT NULL AS only_new, count(*) FROM leases WHERE position = committed_offset + 1;
SELECT partition, record_offset FROM consume('jobs', 'other', member_id => 'm', auto_offset_reset => 'none');
SELECT delete_records('jobs', 0, -1) > 0 AS deleted;
SELECT leave_group('jobs', 'g', 'm');
\set VERBOSITY terse
SELECT poll('m');
\set VERBOSITY default
SELECT lost_records, committed_offset = (SELECT log_start_offset FROM pg_topic_partitions
       WHERE topic = 'jobs'::regclass AND partition = 0) AS at_start
FROM pg_topic_groups WHERE group_id = 'g' AND partition = 0;

---- consume_as(); the lease's length; more members than partitions
SELECT create_topic('single', value_type => 'jsonb');
INSERT INTO single (value) VALUES ('{"n": 1}');
SELECT value->'n' AS n FROM consume_as(NULL::single, 's', member_id => 'x', lease => '5 min');
SELECT count(*) FROM consume('single', 's', member_id => 'y');
SELECT member_id, lease, partitions FROM pg_topic_group_members WHERE group_id = 's' ORDER BY 1;
SET pg_topics.clock_offset = '16min';
SELECT count(*) FROM consume('single', 's', member_id => 'y');
SET pg_topics.clock_offset = '19min';
SELECT count(*) FROM consume('single', 's', member_id => 'y');
-- a commit keeps the lease's length
SELECT commit_offsets('single', 's', 'y');
SELECT member_id, lease FROM pg_topic_group_members WHERE group_id = 's' ORDER BY 1;

---- atomic with the worker's own rows
CREATE TABLE done (n int);
BEGIN;
INSERT INTO done VALUES (1);
SELECT commit_offsets('single', 's', 'y');
ROLLBACK;
SELECT committed_offset FROM pg_topic_groups WHERE group_id = 's';

---- refused
SELECT * FROM consume('jobs', 'g', member_id => '');
SELECT * FROM consume('jobs', 'g', member_id => repeat('m', 256));
SELECT * FROM consume('jobs', 'g', member_id => 'm', lease => '0');
SELECT * FROM consume('jobs', 'g', member_id => 'm', lease => '-1 s');
SELECT * FROM consume('jobs', 'g', lease => '1 s');
SELECT * FROM consume('jobs', 'g', member_id => 'm', partitions => '{0}');
SELECT commit_offsets('jobs', NULL);
SELECT commit_offsets('jobs', 'g', 'unknown');
SELECT leave_group('jobs', 'g', NULL);
BEGIN READ ONLY;
SELECT leave_group('jobs', 'g', 'm');
ROLLBACK;

---- dropping the topic forgets the members
DROP FOREIGN TABLE jobs, single;
SELECT count(*) FROM topic_group_members;
SELECT count(*) FROM topic_group_offsets WHERE group_id IN ('g', 's');
RESET pg_topics.clock_offset;
SET client_min_messages = warning;
DROP SCHEMA lease_test CASCADE;
