-- Files under test: src/consume/consume_shared.c, src/consume/acknowledge.c, src/consume/share_death.c,
-- src/share/share_group.c, src/share/share_window.c, src/share/share_row.c, src/share/share_transaction.c,
-- src/share/share_table.c, src/views/inspect_share.c.
-- Share groups: consume_shared(), acknowledge(), acknowledge_many(), renew(), pg_topic_share_groups.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA share_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'share_test, ' || :'home', false) <> '' AS ok;

SELECT create_topic('jobs');
CREATE PROCEDURE work(n int) LANGUAGE sql AS $$
    INSERT INTO jobs (key, value) SELECT 'k' || i, 'job ' || i FROM generate_series(1, n) i $$;
-- who has what; pg_topics.clock_offset moves the clock, so that nothing here takes time
CREATE VIEW stands AS
    SELECT group_id AS g, partition AS p, start_offset AS s, end_offset AS e, lag, available AS avail, acquired AS acq,
           pending AS pend, finished AS fin, redelivered AS re, max_delivery_count AS max,
           next_lease_end IS NOT NULL AS leased
    FROM pg_topic_share_groups ORDER BY 1, topic::text, 2;
CREATE FUNCTION take(g text, n int, lease interval DEFAULT NULL, auto bool DEFAULT NULL) RETURNS text
LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(record_offset || 'x' || delivery_count, ' ' ORDER BY record_offset)
    FROM consume_shared('jobs', g, n, lease => take.lease, auto_acknowledge => auto) $$;

CALL work(6);

---- within a transaction: commit accepts, rollback gives all back, and it counts as a delivery
SELECT partition, record_offset, key, value, headers, delivery_count FROM consume_shared('jobs', 'g', 2);
SELECT * FROM stands;
BEGIN;
SELECT take('g', 2);
SELECT * FROM stands;
ROLLBACK;
SELECT * FROM stands;
SELECT take('g', 3);
SELECT * FROM stands;
-- without auto_acknowledge: what is not acknowledged is released
BEGIN;
SELECT take('g', 9, auto => false);
SELECT take('g', 9);
COMMIT;
SELECT * FROM stands;
BEGIN;
SELECT take('g', 9, auto => false);
SELECT acknowledge('jobs', 'g', 0, 5);
SELECT * FROM stands;
COMMIT;
SELECT * FROM stands;

---- leases outlive the transaction
CALL work(6);
SELECT take('g', 4, lease => '30 min');
SELECT * FROM stands;
SELECT acknowledge('jobs', 'g', 0, 6);
SELECT acknowledge('jobs', 'g', 0, 7, 'release');
SELECT acknowledge_many('jobs', 'g', 0, '{8}', 'accept');
SELECT * FROM stands;
SELECT take('g', 9, lease => '30 min');
-- each delivery can be told from another one
SELECT acknowledge('jobs', 'g', 0, 7, delivery_count => 1);
SELECT acknowledge('jobs', 'g', 0, 7, delivery_count => -1);
SELECT renew('jobs', 'g', 0, 7, delivery_count => 0);
SELECT acknowledge('jobs', 'g', 0, 7, delivery_count => 2);
-- a rollback takes an acknowledgement back, and the lease goes on
BEGIN;
SELECT acknowledge('jobs', 'g', 0, 9);
SELECT acknowledge('jobs', 'g', 0, 9);
SELECT * FROM stands;
ROLLBACK;
SELECT * FROM stands;
-- a rollback of the call itself gives back what it leased
CALL work(2);
BEGIN; SELECT take('g', 9, lease => '30 min'); ROLLBACK;
SELECT * FROM stands;

---- leases end
SET pg_topics.clock_offset = '31min';
SELECT * FROM stands;
SELECT acknowledge('jobs', 'g', 0, 9);
SELECT take('g', 2, lease => '10 min');
SET pg_topics.clock_offset = '40min';
SELECT renew('jobs', 'g', 0, 9, '20 min') > now() AS renewed;
SELECT acknowledge('jobs', 'g', 0, 10, 'renew');
SET pg_topics.clock_offset = '58min';
SELECT acknowledge('jobs', 'g', 0, 9);
SELECT acknowledge('jobs', 'g', 0, 10);
RESET pg_topics.clock_offset;

---- savepoints
SELECT delete_group('jobs', 'g');
SELECT * FROM stands;
SELECT take('g', 12);
BEGIN;
SAVEPOINT a;
SELECT take('g', 1, auto => false);
SAVEPOINT b;
SELECT acknowledge('jobs', 'g', 0, 12);
ROLLBACK TO b;
SELECT acknowledge('jobs', 'g', 0, 12, 'release');
RELEASE a;
SAVEPOINT c;
SELECT take('g', 1);
ROLLBACK TO c;
SELECT * FROM stands;
COMMIT;
SELECT * FROM stands;
SELECT take('g', 2);

---- the last try: max.attempts, and the dead-letter topic
CALL work(3);
SELECT alter_topic('jobs', '{"max.attempts": 2}');
BEGIN; SELECT take('g', 1); ROLLBACK;
BEGIN; SELECT take('g', 1); ROLLBACK;
SELECT take('g', 1);
SELECT create_topic('"jobs.dlq"');
BEGIN; SELECT take('g', 1); ROLLBACK;
SELECT take('g', 1, lease => '10 min');
SELECT acknowledge('jobs', 'g', 0, 16, 'release', error => 'it failed');
SELECT * FROM stands;
CALL work(2);
SELECT take('g', 1, lease => '10 min');
BEGIN; SELECT acknowledge('jobs', 'g', 0, 17, 'reject', error => 'no such thing'); ROLLBACK;
SELECT acknowledge('jobs', 'g', 0, 17, 'reject', error => 'this cannot be');
BEGIN; SELECT take('g', 1); ROLLBACK;
BEGIN; SELECT take('g', 1); ROLLBACK;
SELECT take('g', 1);
SELECT record_offset, value, headers - 'nack.timestamp' AS headers FROM "jobs.dlq" ORDER BY 1;
SELECT * FROM stands;
SELECT alter_topic('jobs', '{"max.attempts": null}');

---- the rows: acknowledgements are merged
SELECT merge_share_acks() > 0 AS merged;
SELECT group_id, partition, start_offset, length(states) FROM topic_share_groups;
SELECT (SELECT count(*) FROM topic_share_acks_0) + (SELECT count(*) FROM topic_share_acks_1) AS rows;
SELECT merge_share_acks();

---- gaps: transactions that rolled back, deleted records
BEGIN; CALL work(2); SELECT count(*) FROM flush(); ROLLBACK;
CALL work(2);
SELECT take('g', 9);
SELECT * FROM stands;
CALL work(4);
SELECT take('g', 1, lease => '10 min');
SELECT delete_records('jobs', 0, (SELECT next_offset - 1 FROM visible_offsets('jobs')));
SELECT * FROM stands;
SELECT acknowledge('jobs', 'g', 0, 23);
SELECT take('g', 9);
SELECT * FROM stands;
TRUNCATE jobs;
CALL work(1);
SELECT take('g', 9);

---- where a new group begins
SELECT take('late', 1) FROM set_config('pg_topics.auto_offset_reset', 'latest', true);
CALL work(2);
SELECT take('late', 9);
SELECT consume_shared('jobs', 'none', auto_offset_reset => 'none');
SELECT acknowledge('jobs', 'none', 0, 0);
-- a rolled-back transaction makes no group
BEGIN; SELECT take('none', 1); ROLLBACK;
SELECT * FROM stands WHERE g = 'none';
SELECT * FROM consume('jobs', 'none', 1) WHERE false;
-- but what was delivered in vain counts: else a record that cannot be processed would keep the group from being made
SELECT alter_topic('jobs', '{"max.attempts": 2}');
BEGIN; SELECT take('vain', 1, auto => false), take('vain', 1); ROLLBACK;
BEGIN; SELECT take('vain', 1, lease => '10 min'); ROLLBACK;
SELECT acknowledge('jobs', 'vain', 0, 24);
SELECT count(*) FROM consume('jobs', 'vain', 1);
SELECT delete_group('jobs', 'vain');
CREATE ROLE share_carol;
GRANT USAGE ON SCHEMA share_test TO share_carol;
GRANT SELECT ON jobs TO share_carol;
BEGIN; SELECT take('vain', 1); ROLLBACK;
BEGIN; SET LOCAL ROLE share_carol; SELECT record_offset, delivery_count FROM consume_shared('jobs', 'vain', 1); ROLLBACK;
BEGIN; SELECT take('vain', 1); ROLLBACK;
BEGIN; SELECT take('vain', 1); ROLLBACK;
SELECT take('vain', 1);
SELECT delete_group('jobs', 'vain');
SELECT alter_topic('jobs', '{"max.attempts": null}');
DROP OWNED BY share_carol;
DROP ROLE share_carol;

---- names: a group is of one kind
SELECT * FROM consume('jobs', 'g');
SELECT seek_to_end('jobs', 'g');
SELECT record_offset FROM consume_shared('jobs', 'none');
SELECT count(*) > 0 AS made FROM consume('jobs', 'plain', 1);
SELECT create_topic('other');
SELECT * FROM consume_shared('other', 'plain');
SELECT * FROM consume('other', 'g');
-- a deleted group's name is free
SELECT delete_group('g'), delete_group('plain');
SELECT take('plain', 1);
SELECT count(*) FROM consume('jobs', 'g', 1);
BEGIN; SELECT take('late', 1, lease => '10 min'); COMMIT;
CALL work(1);
BEGIN; SELECT take('late', 1, lease => '10 min'); COMMIT;
SELECT delete_group('late');
BEGIN; SELECT delete_group('plain'); ROLLBACK;
SELECT count(*) FROM stands WHERE g = 'plain';

---- partitions
SELECT create_topic('wide', partitions => 2);
INSERT INTO wide (partition, value) SELECT p, p || '-' || i FROM generate_series(0, 1) p, generate_series(0, 2) i;
SELECT partition, record_offset FROM consume_shared('wide', 'w') ORDER BY 1, 2;
SELECT alter_topic('wide', '{"partitions": 3}');
INSERT INTO wide (partition, value) VALUES (0, 'old'), (2, 'new');
SELECT partition, record_offset, value FROM consume_shared('wide', 'w', partitions => '{2}');
SELECT partition, record_offset, value FROM consume_shared('wide', 'w') ORDER BY 1, 2;
SELECT * FROM stands WHERE g = 'w';
SELECT consume_shared('wide', 'w', partitions => '{3}');
DROP FOREIGN TABLE wide;
SELECT * FROM stands WHERE g = 'w';

---- retention waits for share groups as for others
SELECT create_topic('waits', config => '{"segment.bytes": 1024, "retention.ms": 60000, "retention.consumers": "wait"}');
CREATE PROCEDURE fill(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..n LOOP
        PERFORM produce('waits', 'k', repeat('x', 600));
        COMMIT;
    END LOOP;
END $$;
CALL fill(5);
SET pg_topics.clock_offset = '2min';
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true);
SELECT count(*) FROM consume_shared('waits', 'slow', 1, lease => '1 hour');
SELECT count(*) FROM consume_shared('waits', 'slow', 2);
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true);
SELECT acknowledge('waits', 'slow', 0, 0);
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true);
SELECT alter_topic('waits', '{"retention.consumers.groups": "slow"}');
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true);
SELECT alter_topic('waits', '{"retention.consumers.groups": "slow,plain"}');
SELECT segments_deleted, log_start_offset FROM apply_retention('waits', true);
RESET pg_topics.clock_offset;
DROP FOREIGN TABLE waits;

---- what would consume records and not return them
SELECT consume_shared('jobs', 'plain') LIMIT 1;
SELECT * FROM consume_shared('jobs', 'plain') LIMIT 1;
SELECT EXISTS (SELECT FROM consume_shared('jobs', 'plain'));
EXPLAIN ANALYZE SELECT * FROM consume_shared('jobs', 'plain');
SELECT count(*) FROM (SELECT * FROM consume_shared('jobs', 'plain', 1) LIMIT 1) c;

---- arguments
SELECT consume_shared(NULL, 'x');
SELECT consume_shared('jobs', NULL);
SELECT consume_shared('jobs', '');
SELECT consume_shared('jobs', 'x', 0);
SELECT consume_shared('jobs', 'x', lease => '0');
SELECT consume_shared('jobs', 'x', lease => '1 s', auto_acknowledge => true);
SELECT consume_shared('jobs', 'x', timeout => '-1 s');
SELECT consume_shared('jobs', 'x', auto_offset_reset => 'nowhere');
SELECT acknowledge('jobs', 'plain', 0, 0, 'aceept');
SELECT acknowledge('jobs', 'plain', 0, NULL);
SELECT acknowledge('jobs', 'plain', 7, 0);
SELECT acknowledge('jobs', 'plain', 0, 1000000);
SELECT acknowledge('jobs', 'plain', 0, -1);
SELECT acknowledge_many('jobs', 'plain', 0, '{1,NULL}');
SELECT renew('jobs', 'plain', 0, 1, '-1 s');
BEGIN READ ONLY; SELECT consume_shared('jobs', 'plain'); ROLLBACK;
-- the view keeps no lock on topics
BEGIN;
SELECT count(*) > 0 AS some FROM pg_topic_share_groups;
SELECT mode FROM pg_locks WHERE locktype = 'relation' AND relation = 'jobs'::regclass;
ROLLBACK;
-- parameters that have no type yet
PREPARE one AS SELECT count(*) FROM consume_shared($1, $2, $3);
PREPARE two AS SELECT acknowledge($1, $2, $3, $4, $5);

---- roles
CREATE ROLE share_alice;
CREATE ROLE share_bob;
GRANT USAGE ON SCHEMA share_test TO share_alice, share_bob;
SET ROLE share_alice;
SELECT consume_shared('jobs', 'of_alice');
RESET ROLE;
GRANT SELECT ON jobs TO share_alice, share_bob;
SET ROLE share_alice;
SELECT count(*) FROM consume_shared('jobs', 'of_alice', 1, lease => '10 min');
SET ROLE share_bob;
SELECT consume_shared('jobs', 'of_alice');
SELECT acknowledge('jobs', 'of_alice', 0, 0);
SELECT delete_group('jobs', 'of_alice');
SELECT delete_group('of_alice');
SELECT count(*) FROM pg_topic_share_groups WHERE group_id = 'of_alice';
SELECT merge_share_acks();
SELECT count(*) FROM topic_share_groups;
RESET ROLE;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'of_alice';
SET pg_topics.clock_offset = '11min';
SELECT alter_group_owner('jobs', 'of_alice', 'share_bob');
SET ROLE share_alice;
SELECT consume_shared('jobs', 'of_alice');
SET ROLE share_bob;
SELECT count(*) > 0 AS mine FROM consume_shared('jobs', 'of_alice');
RESET ROLE;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'of_alice';
RESET pg_topics.clock_offset;
-- whoever uses it
INSERT INTO jobs (value) SELECT 'more' FROM generate_series(1, 3);
SELECT count(*) FROM consume_shared('jobs', 'of_alice', 1, lease => '10 min');
REASSIGN OWNED BY share_bob TO share_alice;
SELECT group_id, owner, acquired FROM pg_topic_share_groups WHERE group_id = 'of_alice';
SET ROLE share_alice;
SELECT count(*) FROM consume_shared('jobs', 'of_alice', 1);
BEGIN;
SELECT count(*) FROM consume_shared('jobs', 'of_alice', 1);
RESET ROLE;
SAVEPOINT a;
SELECT alter_group_owner('jobs', 'of_alice', 'share_bob');
ROLLBACK TO a;
COMMIT;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'of_alice';
-- what a savepoint takes back leaves what was done before it
BEGIN;
SELECT alter_group_owner('jobs', 'of_alice', 'share_bob');
SAVEPOINT a;
SELECT alter_group_owner('jobs', 'of_alice', 'share_alice');
ROLLBACK TO a;
COMMIT;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'of_alice';
SET ROLE share_alice;
SELECT consume_shared('jobs', 'of_alice');
SET ROLE share_bob;
SELECT count(*) FROM consume_shared('jobs', 'of_alice');
RESET ROLE;
SELECT alter_group_owner('jobs', 'of_alice', 'share_alice');
-- a group that the transaction itself makes
BEGIN;
SELECT count(*) FROM consume_shared('jobs', 'given', 1);
SELECT alter_group_owner('jobs', 'given', 'share_alice');
COMMIT;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'given';
BEGIN;
SELECT alter_group_owner('jobs', 'given', 'share_bob');
SAVEPOINT a;
SELECT delete_group('jobs', 'given');
ROLLBACK TO a;
COMMIT;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'given';
BEGIN;
SELECT count(*) FROM consume_shared('jobs', 'deleted', 1);
SAVEPOINT a;
SELECT delete_group('jobs', 'deleted');
ROLLBACK TO a;
SAVEPOINT a;
SELECT count(*) FROM consume_shared('other', 'deleted', 1);
SELECT delete_group('other', 'deleted');
COMMIT;
SELECT group_id, topic FROM pg_topic_share_groups WHERE group_id = 'deleted';
BEGIN;
SELECT delete_group('jobs', 'deleted');
SELECT alter_group_owner('jobs', 'deleted', 'share_alice');
ROLLBACK;
DROP OWNED BY share_alice;
SELECT group_id, owner FROM pg_topic_share_groups WHERE group_id = 'of_alice';

DROP FOREIGN TABLE jobs, "jobs.dlq", other;
SELECT count(*) FROM topic_share_groups;
REVOKE ALL ON SCHEMA share_test FROM share_alice, share_bob;
DROP ROLE share_alice, share_bob;
SET client_min_messages = warning;
DROP SCHEMA share_test CASCADE;
