-- The role that a consumer group belongs to, and who may use the group.
-- Files under test: src/group/group_role.c, src/group/group_owned.c, src/consume/alter_group_owner.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
\set SHOW_CONTEXT never
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
CREATE SCHEMA roles_test;
SELECT set_config('search_path', 'roles_test, ' || :'home', false) <> '' AS ok;

CREATE ROLE regress_group_topic;
CREATE ROLE regress_group_first;
CREATE ROLE regress_group_other;
CREATE ROLE regress_group_friend IN ROLE regress_group_first;
CREATE ROLE regress_group_shy NOINHERIT IN ROLE regress_group_first;
CREATE ROLE regress_group_watch IN ROLE pg_read_all_stats;
GRANT ALL ON SCHEMA roles_test TO PUBLIC;

SET ROLE regress_group_topic;
SELECT create_topic('jobs', 2), create_topic('"jobs.retry"'), create_topic('more');
GRANT SELECT ON jobs, more TO regress_group_first, regress_group_other, regress_group_friend, regress_group_shy;
GRANT INSERT ON "jobs.retry" TO PUBLIC;
INSERT INTO jobs (partition, key, value) SELECT i % 2, i, 'job ' || i FROM generate_series(1, 20) i;
SELECT produce('more', 'k'::text, 'v');
RESET ROLE;

---- a group belongs to the role that first used it
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'g', 3);
SELECT count(*) FROM consume('jobs', 'leased', 1, member_id => 'm', lease => '1 hour');
SELECT group_id, partition, owner FROM pg_topic_groups WHERE topic = 'jobs'::regclass ORDER BY 1, 2;
SELECT group_id, member_id, owner FROM pg_topic_group_members WHERE topic = 'jobs'::regclass;

---- every way of using it is refused to others
SET ROLE regress_group_other;
SELECT count(*) FROM consume('jobs', 'g');
\set VERBOSITY sqlstate
SELECT count(*) FROM consume('jobs', 'g', timeout => '1 hour');
SELECT count(*) FROM consume('jobs', 'g', partitions => '{1}');
SELECT count(*) FROM consume('jobs', 'g', auto_commit => false);
SELECT count(*) FROM consume_as(NULL::jobs, 'g');
SELECT count(*) FROM consume_many('{jobs,more}', 'g');
SELECT count(*) FROM consume('jobs', 'g', member_id => 'spy');
SELECT count(*) FROM consume('jobs', 'leased', member_id => 'm');
SELECT commit_offsets('jobs', 'g');
SELECT commit_offsets('jobs', 'leased', 'm');
SELECT commit_offset('jobs', 'g', 0, 1);
SELECT commit_offset('jobs', 'leased', 0, 1, member_id => 'm');
SELECT nack('jobs', 'g', 0, 0, 'error');
SELECT seek_to_offset('jobs', 'g', 0);
SELECT seek_to_timestamp('jobs', 'g', '2020-01-01');
SELECT seek_to_beginning('jobs', 'g');
SELECT seek_to_end('jobs', 'g');
SELECT seek_to_end('jobs', 'leased');
SELECT leave_group('jobs', 'leased', 'm');
SELECT delete_group('g', 'jobs');
SELECT delete_group('jobs'::regclass, 'g');
SELECT delete_group('jobs', 'g');
SELECT alter_group_owner('jobs', 'g', 'regress_group_other');
\set VERBOSITY default
SELECT delete_group('g');
-- nor are they told of it
SELECT group_id FROM pg_topic_groups WHERE topic = 'jobs'::regclass;
SELECT group_id FROM pg_topic_group_members WHERE topic = 'jobs'::regclass;
SELECT pg_topic_group_is_shown('jobs', NULL) AS unclaimed, pg_topic_group_is_shown(NULL, NULL) AS no_topic;
-- a group of the same name in another topic is another group
SELECT count(*) FROM consume('more', 'g');
SELECT count(*) FROM consume('jobs', 'own', 2);
SELECT group_id, topic, owner FROM pg_topic_groups ORDER BY 1, 2, partition;
-- a role that does not inherit has to take the role on
SET ROLE regress_group_shy;
SELECT count(*) FROM consume('jobs', 'g');

---- a member of the owner, the topic's owner and a superuser use it, and it stays whose it is
SET ROLE regress_group_friend;
SELECT count(*) FROM consume('jobs', 'g', 3);
SELECT seek_to_offset('jobs', 'g', 1, 0);
SET ROLE regress_group_topic;
SELECT count(*) FROM consume('jobs', 'g', 3);
SELECT seek_to_offset('jobs', 'g', 1, 1);
RESET ROLE;
SELECT count(*) FROM consume('jobs', 'g', 3);
SELECT DISTINCT owner FROM topic_group_offsets WHERE group_id = 'g' AND topic = 'jobs'::regclass;
SET ROLE regress_group_watch;
SELECT DISTINCT group_id, owner FROM pg_topic_groups WHERE topic = 'roles_test.jobs'::regclass ORDER BY 1;
RESET ROLE;

---- alter_group_owner()
SET ROLE regress_group_first;
-- worded otherwise from 16 on, as some below
\set VERBOSITY sqlstate
SELECT alter_group_owner('jobs', 'g', 'regress_group_other');
\set VERBOSITY default
SELECT alter_group_owner('jobs', 'g', 'regress_group_first');
SELECT alter_group_owner('jobs', 'nobody', 'regress_group_first');
SELECT alter_group_owner('jobs', 'g', 'regress_group_nobody');
SELECT alter_group_owner('jobs', 'g', NULL);
SET ROLE regress_group_topic;
SELECT alter_group_owner('jobs', 'g', 'regress_group_topic');
RESET ROLE;
GRANT regress_group_watch, regress_group_other TO regress_group_topic;
SET ROLE regress_group_topic;
SELECT alter_group_owner('jobs', 'g', 'regress_group_watch');
SELECT alter_group_owner('jobs', 'g', 'regress_group_other');
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'g', 1);
SET ROLE regress_group_other;
SELECT count(*) FROM consume('jobs', 'g', 1);
BEGIN READ ONLY;
SELECT alter_group_owner('jobs', 'g', 'regress_group_other');
ROLLBACK;
RESET ROLE;
REVOKE regress_group_watch, regress_group_other FROM regress_group_topic;
-- a superuser gives it to anybody
SELECT alter_group_owner('jobs', 'g', 'regress_group_watch');
SELECT DISTINCT owner FROM topic_group_offsets WHERE group_id = 'g' AND topic = 'jobs'::regclass;
SELECT alter_group_owner('jobs', 'g', 'regress_group_other');

---- a group is deleted by its owner
SET ROLE regress_group_other;
SELECT delete_group('jobs'::regclass, 'g');
SELECT delete_group('g', 'jobs');
SELECT delete_group('own');
RESET ROLE;
-- and is the next one's then
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'own', 1);
SELECT group_id, owner FROM pg_topic_groups WHERE group_id = 'own' ORDER BY partition LIMIT 1;
RESET ROLE;

---- in a function that runs as its owner the group is that role's
CREATE FUNCTION roles_test.take() RETURNS bigint SECURITY DEFINER
LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM consume('jobs', 'defined', 1); END;
ALTER FUNCTION roles_test.take() OWNER TO regress_group_other;
SET ROLE regress_group_watch;
SELECT roles_test.take();
RESET ROLE;
SELECT DISTINCT owner FROM topic_group_offsets WHERE group_id = 'defined';

---- a role that is renamed keeps its groups
ALTER ROLE regress_group_other RENAME TO "Regress Group";
SELECT DISTINCT owner,
    owner = '"Regress Group"'::topic_role AS is_it FROM topic_group_offsets WHERE group_id = 'defined';
ALTER ROLE "Regress Group" RENAME TO regress_group_other;

---- rows without an owner: the next role that writes one
SET ROLE regress_group_first;
SELECT seek_to_beginning('jobs', 'old');
RESET ROLE;
UPDATE topic_group_offsets SET owner = NULL WHERE group_id = 'old';
SELECT DISTINCT group_id, owner FROM pg_topic_groups WHERE group_id = 'old';
SET ROLE regress_group_other;
SELECT count(*) FROM consume('jobs', 'old', 1, partitions => '{0}');
SELECT partition, owner FROM pg_topic_groups WHERE group_id = 'old' ORDER BY 1;
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'old', 1, partitions => '{1}');
SET ROLE regress_group_other;
SELECT count(*) FROM consume('jobs', 'old', 1, partitions => '{1}');
RESET ROLE;
SELECT partition, owner FROM topic_group_offsets WHERE group_id = 'old' ORDER BY 1;

---- the type
SELECT 'regress_group_first'::topic_role, '-'::topic_role, '-'::topic_role::oid;
SELECT '"Regress Nobody"'::topic_role::oid, 'regress_nobody'::topic_role::oid, 'REGRESS_NOBODY'::topic_role::oid;
SELECT 'a.b'::topic_role;
SELECT ''::topic_role;
SELECT '"'::topic_role;

---- REASSIGN OWNED and DROP OWNED take groups along, in this database
CREATE ROLE regress_group_heir;
GRANT SELECT ON jobs, more TO regress_group_heir;
SELECT group_id, topic, owner, count(*) FROM topic_group_offsets WHERE owner::text ~ 'regress_group' GROUP BY 1, 2, 3 ORDER BY 1, 2;
REASSIGN OWNED BY regress_group_other TO regress_group_heir;
SELECT group_id, topic, owner, count(*) FROM topic_group_offsets WHERE owner::text ~ 'regress_group' GROUP BY 1, 2, 3 ORDER BY 1, 2;
SET ROLE regress_group_other;
\set VERBOSITY sqlstate
REASSIGN OWNED BY regress_group_heir TO regress_group_other;
\set VERBOSITY default
RESET ROLE;
BEGIN;
DROP OWNED BY regress_group_heir;
SELECT group_id, topic, owner, count(*) FROM topic_group_offsets WHERE owner::text ~ 'regress_group' GROUP BY 1, 2, 3 ORDER BY 1, 2;
ROLLBACK;
SELECT count(*) FROM topic_group_offsets WHERE owner::text ~ 'heir';
-- a group whose member is alive goes too, and the member is told
DROP OWNED BY regress_group_first, regress_group_heir;
SELECT count(*) FROM topic_group_members;
\set VERBOSITY terse
SELECT commit_offsets('jobs', 'leased', 'm');
\set VERBOSITY default
SELECT group_id, topic, owner, count(*) FROM topic_group_offsets WHERE owner::text ~ 'regress_group' GROUP BY 1, 2, 3 ORDER BY 1, 2;

-- what a cursor has consumed belongs to the group that goes, and the cursor ends there
GRANT SELECT ON jobs TO regress_group_heir;
\set VERBOSITY terse
BEGIN;
SET LOCAL ROLE regress_group_heir;
DECLARE c CURSOR FOR SELECT partition FROM consume('jobs', 'open', partitions => '{0}');
MOVE 1 FROM c;
RESET ROLE;
DROP OWNED BY regress_group_heir;
SAVEPOINT s;
MOVE 1 FROM c;
ROLLBACK TO s;
CLOSE c;
COMMIT;
SELECT count(*) FROM topic_group_offsets WHERE owner::text ~ 'heir';
-- of a member likewise
GRANT SELECT ON jobs TO regress_group_heir;
SET ROLE regress_group_heir;
SELECT count(*) > 0 AS joined FROM consume('jobs', 'open', 1, member_id => 'm', lease => '1 hour');
RESET ROLE;
BEGIN;
SET LOCAL ROLE regress_group_heir;
DECLARE c CURSOR FOR SELECT partition FROM consume('jobs', 'open', member_id => 'm', lease => '1 hour');
MOVE 1 FROM c;
RESET ROLE;
DROP OWNED BY regress_group_heir;
CLOSE c;
COMMIT;
SELECT count(*) FROM topic_group_offsets WHERE owner::text ~ 'heir';
\set VERBOSITY default

---- a role that is dropped while it owns groups: they are the topic owner's
SET ROLE regress_group_other;
SELECT count(*) FROM consume('jobs', 'left', 2);
RESET ROLE;
REVOKE ALL ON jobs, more FROM regress_group_other;
DROP ROLE regress_group_other;
SELECT DISTINCT owner FROM topic_group_offsets WHERE group_id = 'left';
SELECT DISTINCT group_id, owner FROM pg_topic_groups WHERE group_id = 'left';
GRANT SELECT ON jobs TO regress_group_first;
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'left');
SELECT delete_group('left', 'jobs');
SELECT group_id FROM pg_topic_groups WHERE group_id = 'left';
SET ROLE regress_group_topic;
SELECT count(*) FROM consume('jobs', 'left', 1);
RESET ROLE;
GRANT regress_group_first TO regress_group_topic;
SET ROLE regress_group_topic;
SELECT alter_group_owner('jobs', 'left', 'regress_group_first');
SET ROLE regress_group_first;
SELECT count(*) FROM consume('jobs', 'left', 1);
RESET ROLE;

DROP SCHEMA roles_test CASCADE;
DROP OWNED BY regress_group_first, regress_group_topic;
DROP ROLE regress_group_first, regress_group_topic, regress_group_friend, regress_group_shy, regress_group_watch, regress_group_heir;
