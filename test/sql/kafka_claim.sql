-- A group that Kafka's clients use, and consumers in SQL.
-- Files under test: src/group/kafka_claim.c, src/consume/remove_kafka_members.c, and all that looks for claims.
-- The rows are written here as the coordinator writes them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
\set SHOW_CONTEXT never
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
CREATE SCHEMA claim_test;
SELECT set_config('search_path', 'claim_test, ' || :'home', false) <> '' AS ok;
CREATE ROLE regress_claim_owner;
CREATE ROLE regress_claim_user;
CREATE ROLE regress_claim_other;
GRANT ALL ON SCHEMA claim_test TO PUBLIC;
SELECT current_setting('data_directory') || '/kafka_claim.copy' AS file \gset

SET ROLE regress_claim_owner;
SELECT create_topic('jobs', 3), create_topic('more', 1);
INSERT INTO jobs (partition, key, value) SELECT i % 3, i, 'job ' || i FROM generate_series(0, 8) i;
INSERT INTO more (value) VALUES ('more');
GRANT SELECT ON jobs, more TO regress_claim_user, regress_claim_other;
SET ROLE regress_claim_user;
SELECT count(*) FROM consume('jobs', 'g', 4);
SELECT count(*) FROM consume('jobs', 'leased', 1, member_id => 'm', lease => '1 hour');
RESET ROLE;

---- names of Kafka's members are reserved
SELECT count(*) FROM consume('jobs', 'leased', 1, member_id => 'kafka:m');
SELECT count(*) FROM consume('jobs', 'leased', 1, member_id => 'kafka');
SELECT leave_group('jobs', 'leased', 'kafka');

---- a claim closes the group to SQL
UPDATE topic_group_offsets SET member_id = 'kafka:consumer-1', lease_until = 'infinity' WHERE topic = 'jobs'::regclass AND group_id = 'g' AND partition = 1;
SET ROLE regress_claim_user;
SELECT count(*) FROM consume('jobs', 'g');
\set VERBOSITY sqlstate
SELECT count(*) FROM consume('jobs', 'g', partitions => '{0}');
SELECT count(*) FROM consume('jobs', 'g', timeout => '1 hour');
SELECT count(*) FROM consume('jobs', 'g', auto_commit => false);
SELECT count(*) FROM consume_as(NULL::jobs, 'g');
SELECT count(*) FROM consume_many('{more,jobs}', 'g');
SELECT count(*) FROM consume('jobs', 'g', member_id => 'a');
SELECT count(*) FROM consume('jobs', 'g', member_id => 'a', timeout => '1 hour');
SELECT seek_to_offset('jobs', 'g', 0);
SELECT seek_to_offset('jobs', 'g', 0, 0);
SELECT seek_to_beginning('jobs', 'g');
SELECT seek_to_end('jobs', 'g', 2);
SELECT seek_to_timestamp('jobs', 'g', '2020-01-01');
SELECT commit_offset('jobs', 'g', 1, 1);
SELECT commit_offset('jobs', 'g', 0, 1);
SELECT commit_offset('jobs', 'g', 0, 1, member_id => 'a');
SELECT delete_group('g', 'jobs');
SELECT delete_group('jobs', 'g');
SELECT delete_group('g');
\set VERBOSITY default
-- nothing has changed
SELECT partition, committed_offset, member_id FROM pg_topic_groups WHERE group_id = 'g' ORDER BY 1;
-- other topics and groups are not concerned
SELECT count(*) FROM consume('more', 'g');
SELECT count(*) FROM consume('jobs', 'h');
SELECT delete_group('more', 'g');
-- what does not consume
SELECT leave_group('jobs', 'g', 'a');
SELECT commit_offsets('jobs', 'g');
RESET ROLE;
-- who may not use the group is not told of its members
SET ROLE regress_claim_other;
SELECT count(*) FROM consume('jobs', 'g');
SELECT commit_offset('jobs', 'g', 1, 1, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'g', 1, 1, member_id => 'kafka:consumer-2');
RESET ROLE;

---- the member itself may commit in SQL, what is assigned to it
SET ROLE regress_claim_user;
SELECT commit_offset('jobs', 'g', 1, 2, member_id => 'kafka:consumer-1');
BEGIN;
SELECT commit_offset('jobs', 'g', 1, 3, 'lost', 'kafka:consumer-1');
ROLLBACK;
SELECT partition, committed_offset, metadata, member_id, lease_until FROM pg_topic_groups WHERE group_id = 'g' AND partition = 1;
SELECT commit_offset('jobs', 'g', 1, 3, member_id => 'kafka:consumer-2');
SELECT commit_offset('jobs', 'g', 1, 3, member_id => 'kafka:');
SELECT commit_offset('jobs', 'g', 0, 3, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'h', 0, 3, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'nobody', 0, 3, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'g', 1, 4, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'g', 1, -1, member_id => 'kafka:consumer-1');
SELECT commit_offset('jobs', 'g', 3, 0, member_id => 'kafka:consumer-1');
SELECT partition, committed_offset, member_id FROM pg_topic_groups WHERE group_id = 'g' ORDER BY 1;
-- back to where it was
SELECT commit_offset('jobs', 'g', 1, 1, member_id => 'kafka:consumer-1');
RESET ROLE;

---- a member in SQL that a client of Kafka's has taken a partition from
UPDATE topic_group_offsets SET member_id = 'kafka:consumer-1', lease_until = 'infinity', position = NULL
WHERE topic = 'jobs'::regclass AND group_id = 'leased' AND member_id = 'm' AND partition = 0;
SET ROLE regress_claim_user;
SELECT commit_offsets('jobs', 'leased', 'm');
SELECT commit_offset('jobs', 'leased', 0, 1, member_id => 'm');
SELECT leave_group('jobs', 'leased', 'm');
RESET ROLE;

---- what is known of the member
INSERT INTO topic_kafka_groups (group_id, owner, kind, epoch, changed) VALUES ('g', 'regress_claim_user', 'classic', 3, now());
INSERT INTO topic_kafka_members (group_id, member_id, client_id, client_host, session_timeout, rebalance_timeout, epoch)
VALUES ('g', 'consumer-1', 'app', '/10.0.0.7', 45000, 60000, 3), ('g', 'consumer-2', 'app', '/10.0.0.8', 45000, 60000, 3);
SET ROLE regress_claim_user;
SELECT count(*) FROM consume('jobs', 'g');

---- the owner of a group can be changed, and dropped
RESET ROLE;
SELECT alter_group_owner('jobs', 'g', 'regress_claim_other');
SELECT DISTINCT owner, member_id FROM topic_group_offsets WHERE group_id = 'g' ORDER BY 2;
SELECT alter_group_owner('jobs', 'g', 'regress_claim_user');

---- who sees what of members; some have no partition
SET ROLE regress_claim_user;
SELECT group_id, topic, member_id, lease, partitions, owner, kind, epoch, instance_id, client_id, client_host FROM pg_topic_group_members ORDER BY group_id, member_id;
SELECT partition, committed_offset, member_id, member_kind, client_id, client_host, lease_until FROM pg_topic_groups WHERE group_id = 'g' ORDER BY 1;
SET ROLE regress_claim_other;
SELECT group_id, topic, member_id FROM pg_topic_group_members ORDER BY group_id, member_id;
SET ROLE regress_claim_owner;
SELECT group_id, topic, member_id, kind FROM pg_topic_group_members ORDER BY group_id, member_id;
RESET ROLE;

---- a dump restores no claims
COPY (SELECT * FROM topic_group_offsets WHERE topic = 'jobs'::regclass AND group_id = 'g') TO :'file';
BEGIN;
DELETE FROM topic_group_offsets WHERE group_id = 'g';
COPY topic_group_offsets FROM :'file';
INSERT INTO topic_group_offsets (group_id, topic, partition, member_id, lease_until) VALUES ('g', 'jobs', 2, 'kafka:x', 'infinity');
SELECT partition, committed_offset, member_id, lease_until, owner FROM topic_group_offsets WHERE group_id = 'g' ORDER BY 1;
ROLLBACK;

---- removing members
SET ROLE regress_claim_other;
SELECT remove_kafka_members('g');
SELECT * FROM topic_kafka_groups;
SELECT * FROM topic_kafka_members;
SET ROLE regress_claim_user;
SELECT remove_kafka_members(NULL);
SELECT remove_kafka_members('');
SELECT remove_kafka_members('no such group');
BEGIN READ ONLY;
SELECT remove_kafka_members('g');
ROLLBACK;
SELECT remove_kafka_members('g');
SELECT remove_kafka_members('g');
SELECT partition, committed_offset, member_id, lease_until FROM pg_topic_groups WHERE topic = 'jobs'::regclass AND group_id = 'g' ORDER BY 1;
SELECT count(*) FROM consume('jobs', 'g');
-- a claim without a row of its member
SELECT remove_kafka_members('leased');
SELECT count(*) FROM consume('jobs', 'leased');
RESET ROLE;
SELECT count(*) FROM topic_kafka_groups;
SELECT count(*) FROM topic_kafka_members;

---- a claim of a partition without a committed offset goes with its row
INSERT INTO topic_group_offsets (group_id, topic, partition, owner) VALUES ('new', 'jobs', 1, 'regress_claim_user');
UPDATE topic_group_offsets SET member_id = 'kafka:x', lease_until = 'infinity' WHERE group_id = 'new';
SELECT remove_kafka_members('new');
SELECT count(*) FROM topic_group_offsets WHERE group_id = 'new';

---- who owns the topic may, too; who owns neither may not
UPDATE topic_group_offsets SET member_id = 'kafka:consumer-1', lease_until = 'infinity' WHERE topic = 'jobs'::regclass AND group_id = 'g';
SET ROLE regress_claim_other;
SELECT remove_kafka_members('g');
SET ROLE regress_claim_owner;
SELECT remove_kafka_members('g');

---- dropping a role's groups takes their offsets, and leaves Kafka's members what they have
RESET ROLE;
UPDATE topic_group_offsets SET member_id = 'kafka:consumer-1', lease_until = 'infinity' WHERE topic = 'jobs'::regclass AND group_id = 'g';
DROP OWNED BY regress_claim_user;
SELECT partition, committed_offset, lost_records, member_id, lease_until FROM topic_group_offsets WHERE group_id = 'g' ORDER BY 1;
SELECT remove_kafka_members('g');
SELECT count(*) FROM topic_group_offsets WHERE group_id = 'g';

DROP FOREIGN TABLE jobs, more;
DROP OWNED BY regress_claim_owner, regress_claim_user, regress_claim_other;
DROP ROLE regress_claim_owner, regress_claim_user, regress_claim_other;
DROP SCHEMA claim_test;
