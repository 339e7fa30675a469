-- Files under test: src/group/lease.c, src/group/lease_call.c, src/group/group_member.c.
-- Members of a group that lease partitions: consume(member_id => ...), commit_offsets, leave_group.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA lease_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'lease_test, ' || :'home', false) <> '' AS ok;

SELECT create_topic('jobs', partitions => 4);
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
SELECT member_id, partitions, lease, lease_until - joined BETWEEN '30 s' AND '60 s' AS until FROM pg_topic_group_members;

---- a second member gets its share when the first calls again
SELECT poll('b');
CALL work(2);
SELECT poll('b');
-- what is given up now has nothing uncommitted
SELECT poll('a');
SELECT * FROM leases;
SELECT poll('b');
SELECT * FROM leases;
-- a third: who joined last gives up.  What it is to give up has uncommitted
-- records: it gets no more of it, and gives it up when they are committed.
SELECT poll('c');
CALL work(1);
SELECT poll('b');
SELECT poll('c');
SELECT commit_offsets('jobs', 'g', 'b');
SELECT * FROM leases;
SELECT poll('a'), poll('b'), poll('c');
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
SELECT member_id, partitions FROM pg_topic_group_members ORDER BY member_id;

-- one that ran out, and that nobody took, goes on
CALL work(1);
SELECT poll('a');
SET pg_topics.clock_offset = '10min';
SELECT commit_offsets('jobs', 'g', 'a');
SELECT * FROM leases WHERE member_id = 'a';

-- a member that calls after its partitions were taken begins anew
SELECT poll('a');
SET pg_topics.clock_offset = '11min';
CALL work(1);
SELECT poll('b', 1);
SELECT commit_offsets('jobs', 'g', 'b');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT poll('a');
SELECT poll('b', 1), poll('a');
SELECT * FROM leases;
SELECT leave_group('jobs', 'g', 'b');
SELECT leave_group('jobs', 'g', 'a');

-- what a member had before it was forgotten is not its own when it joins again and
-- gets less: b reads what a had read and not committed (b is made by hand, as if
-- it had joined, and forgotten a, while all rows were locked)
SELECT create_topic('again', partitions => 2);
INSERT INTO again (partition, value) VALUES (0, 'x'), (1, 'y');
SELECT partition, record_offset FROM consume('again', 'again', member_id => 'a');
DELETE FROM topic_group_members WHERE group_id = 'again';
INSERT INTO topic_group_members
VALUES ('again', 'again', 'b', now() - interval '1 h', now() + interval '1 h', '1 h', '{}');
SELECT partition, record_offset FROM consume('again', 'again', member_id => 'a');
SELECT partition, record_offset FROM consume('again', 'again', member_id => 'a');
SELECT commit_offsets('again', 'again', 'a');
SET pg_topics.clock_offset = '12min';
SELECT partition, record_offset FROM consume('again', 'again', member_id => 'b');
SET pg_topics.clock_offset = '11min';
SELECT partition, member_id, committed_offset, position FROM pg_topic_groups WHERE group_id = 'again' ORDER BY 1;
DROP FOREIGN TABLE again;

---- commit_offset() commits a part
SELECT poll('a');
SELECT committed_offset, position FROM leases WHERE partition = 2;
SELECT commit_offset('jobs', 'g', 2, 8, 'half', 'a');
SELECT committed_offset, position FROM leases WHERE partition = 2;
SELECT commit_offset('jobs', 'g', 2, 9, member_id => 'a');
SELECT committed_offset, position FROM leases WHERE partition = 2;
SELECT commit_offsets('jobs', 'g', 'a');

---- who polls and finds nothing writes nothing, until a quarter of the lease has passed
SELECT poll('a');
SELECT commit_offsets('jobs', 'g', 'a');
SELECT ctids() AS before \gset
SELECT poll('a'), ctids() = :'before' AS unchanged;
SELECT commit_offsets('jobs', 'g', 'a');
SET pg_topics.clock_offset = '664s';
SELECT poll('a'), ctids() = :'before' AS unchanged;
SET pg_topics.clock_offset = '670s';
SELECT poll('a'), ctids() = :'before' AS unchanged;

---- consumers in a transaction pass over leased partitions while the lease lives
CALL work(1);
SELECT count(*) FROM consume('jobs', 'g');
SELECT poll('a', 1);
SET pg_topics.clock_offset = '12min';
SELECT partition, record_offset FROM consume('jobs', 'g', 3);
SELECT * FROM leases;
SELECT commit_offsets('jobs', 'g', 'a');
-- it has lost three, and reads again what it has not committed of the fourth
SELECT poll('a');

---- a group with live members is not moved
\set VERBOSITY terse
SELECT seek_to_beginning('jobs', 'g');
SELECT seek_to_offset('jobs', 'g', 0, 1);
SELECT commit_offset('jobs', 'g', 0, 0);
SELECT delete_group('g');
\set VERBOSITY default
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM seek_to_beginning('jobs', 'g');
EXCEPTION WHEN object_in_use THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%', hint;
END $$;
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
SELECT record_offset - committed_offset AS ahead, value
FROM consume('jobs', 'g', member_id => 'm') JOIN leases USING (partition);
SELECT commit_offsets('jobs', 'g', 'm');
CALL work(2);
SELECT partition, record_offset FROM consume('jobs', 'other', member_id => 'm', auto_offset_reset => 'none');
SELECT delete_records('jobs', 0, -1) > 0 AS deleted;
SELECT leave_group('jobs', 'g', 'm');
\set VERBOSITY terse
CALL work(1);
SELECT poll('m');
\set VERBOSITY default
SELECT lost_records FROM topic_group_offsets WHERE group_id = 'g' AND partition = 0;
SELECT * FROM leases WHERE partition = 0;

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

---- REPEATABLE READ and SERIALIZABLE: each call goes on behind the one before
SELECT create_topic('levels', partitions => 2);
INSERT INTO levels (partition, value) SELECT i % 2, i::text FROM generate_series(0, 5) i;
CREATE FUNCTION level_poll(max_records int) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(partition || ':' || record_offset, ' ') FROM consume('levels', 'l', max_records, member_id => 'm') $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT level_poll(2), level_poll(1);
SELECT commit_offsets('levels', 'l', 'm');
SELECT level_poll(1);
ROLLBACK;
SELECT count(*) FROM pg_topic_group_members WHERE group_id = 'l';
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT level_poll(2), level_poll(1);
SELECT commit_offsets('levels', 'l', 'm');
COMMIT;
SELECT partition, committed_offset, position FROM pg_topic_groups WHERE group_id = 'l' ORDER BY 1;

---- savepoints: what a rolled back one read is read again
BEGIN;
SAVEPOINT s;
SELECT level_poll(2);
SELECT commit_offsets('levels', 'l', 'm');
ROLLBACK TO s;
SELECT level_poll(2);
SAVEPOINT s;
SELECT leave_group('levels', 'l', 'm');
ROLLBACK TO s;
SELECT commit_offsets('levels', 'l', 'm');
COMMIT;
SELECT partition, committed_offset, member_id FROM pg_topic_groups WHERE group_id = 'l' ORDER BY 1;

---- the clock is set back: a live member's leases are written anew, and end with the new time
SET pg_topics.clock_offset = '1h';
SELECT level_poll(1);
SELECT commit_offsets('levels', 'l', 'm');
SET pg_topics.clock_offset = '19min';
SELECT level_poll(1);
SELECT max(lease_until) < now() + interval '20 min' AS anew FROM pg_topic_groups WHERE group_id = 'l';
SELECT max(lease_until) < now() + interval '20 min' AS anew FROM pg_topic_group_members WHERE group_id = 'l';

---- and a dead member's end when they are over, counted from the next call of another one
SELECT create_topic('dead', partitions => 2);
INSERT INTO dead (partition, value) VALUES (0, 'a'), (1, 'b');
SET pg_topics.clock_offset = '2h';
SELECT partition, record_offset FROM consume('dead', 'd', member_id => 'dead', lease => '2 min');
SET pg_topics.clock_offset = '19min';
SELECT partition, record_offset FROM consume('dead', 'd', member_id => 'living');
SELECT partition, member_id, lease_until - now() BETWEEN '20 min' AND '21 min' AS cut FROM pg_topic_groups WHERE group_id = 'd' ORDER BY 1;
SELECT member_id, lease_until - now() < '21 min' AS cut FROM pg_topic_group_members WHERE group_id = 'd' ORDER BY 1;
SET pg_topics.clock_offset = '20min';
SELECT partition, record_offset FROM consume('dead', 'd', member_id => 'living');
SET pg_topics.clock_offset = '1262s';
SELECT partition, record_offset FROM consume('dead', 'd', member_id => 'living');
SET pg_topics.clock_offset = '19min';
DROP FOREIGN TABLE dead;

---- nack: set aside by a member, in the transaction that commits
SELECT create_topic('poison', partitions => 1, config => '{"max.attempts": 2}'),
       create_topic('"poison.retry"'), create_topic('"poison.dlq"');
INSERT INTO poison (value) SELECT i::text FROM generate_series(0, 3) i;
SELECT record_offset FROM consume('poison', 'n', 3, member_id => 'm');
BEGIN;
SELECT nack('poison', 'n', 0, 1, 'bad');
SELECT commit_offsets('poison', 'n', 'm');
COMMIT;
SELECT record_offset FROM consume('poison', 'n', 3, member_id => 'm');
SELECT value, headers ->> 'nack.attempts' AS attempts FROM consume('"poison.retry"', 'n', member_id => 'm');
SELECT nack('"poison.retry"', 'n', 0, 0, 'bad again'), commit_offsets('"poison.retry"', 'n', 'm');
SELECT value, headers ->> 'nack.attempts' AS attempts FROM "poison.dlq";
-- who has lost its lease sets nothing aside: the commit fails, and the other member meets the record
SET pg_topics.clock_offset = '25min';
SELECT record_offset FROM consume('poison', 'n', 3, member_id => 'other');
BEGIN;
SELECT nack('poison', 'n', 0, 3, 'too late');
SELECT commit_offsets('poison', 'n', 'm');
COMMIT;
SELECT count(*) FROM "poison.retry";
SET pg_topics.clock_offset = '19min';

---- privileges: who may read the topic may be a member
CREATE ROLE regress_member;
GRANT USAGE ON SCHEMA lease_test TO regress_member;
GRANT SELECT ON single TO regress_member;
SET ROLE regress_member;
SELECT count(*) FROM consume('single', 'other', member_id => 'm');
SELECT commit_offsets('single', 'other', 'm');
SELECT commit_offset('single', 'other', 0, 0, member_id => 'm');
SELECT count(*) FROM consume_many('{single}', 'other', member_id => 'm');
SELECT member_id, partitions FROM pg_topic_group_members ORDER BY 1;
SELECT leave_group('single', 'other', 'm');
SELECT count(*) FROM topic_group_members;
SELECT count(*) FROM consume('jobs', 'other', member_id => 'm');
SELECT commit_offsets('jobs', 'other', 'm');
SELECT leave_group('jobs', 'other', 'm');
SELECT count(*) FROM consume_many('{single,jobs}', 'other', member_id => 'm');
RESET ROLE;

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
DROP FOREIGN TABLE jobs, single, levels, poison, "poison.retry", "poison.dlq";
SELECT count(*) FROM topic_group_members;
SELECT count(*) FROM topic_group_offsets WHERE group_id IN ('g', 's');
RESET pg_topics.clock_offset;
SET client_min_messages = warning;
DROP SCHEMA lease_test CASCADE;
DROP ROLE regress_member;
