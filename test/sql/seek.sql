-- Files under test: src/consume/seek.c, src/group/consumer_group.c, src/group/group_row.c.
-- seek_*(), commit_offset(), delete_group(), offset_for_timestamp(): moving a group.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
CREATE SCHEMA seek_test;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'seek_test, ' || :'home', false) <> '' AS ok;
CREATE VIEW offsets AS
    SELECT group_id, topic, partition, committed_offset, metadata
    FROM topic_group_offsets ORDER BY group_id, topic::text, partition;

-- two partitions with ten records each, a minute apart
SELECT create_topic('events', partitions => 2);
SELECT count(produce('events', NULL::text, p || '-' || i, partition => p,
                     record_timestamp => timestamptz '2024-01-01 00:00:00+00' + i * interval '1 min'))
FROM generate_series(0, 1) p, generate_series(0, 9) i;

---- to an offset
SELECT seek_to_offset('events', 'g', 7, 0);
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_offset('events', 'g', 8);
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_offset('events', 'g', 10);
SELECT count(*) FROM consume('events', 'g');

---- to the beginning and the end
SELECT seek_to_beginning('events', 'g');
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_beginning('events', 'g', 1);
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_beginning('events', 'fresh');
SELECT seek_to_end('events', 'fresh', 0);
SELECT * FROM offsets WHERE group_id = 'fresh';

---- to a time
SELECT p, offset_for_timestamp('events', p, '2024-01-01 00:04:30+00') FROM generate_series(0, 1) p;
SELECT offset_for_timestamp('events', 0, '2024-01-01 00:04:00+00');
SELECT offset_for_timestamp('events', 0, '2023-01-01 00:00:00+00');
SELECT offset_for_timestamp('events', 0, '2025-01-01 00:00:00+00') IS NULL AS none;
SELECT seek_to_timestamp('events', 'g', '2024-01-01 00:08:30+00');
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_timestamp('events', 'g', '2023-12-31 00:00:00+00', 1);
SELECT partition, min(record_offset), count(*) FROM consume('events', 'g') GROUP BY 1 ORDER BY 1;
SELECT seek_to_timestamp('events', 'g', '2030-01-01 00:00:00+00');
SELECT * FROM offsets WHERE group_id = 'g';

---- a committed offset with metadata; the next commit replaces both
SELECT commit_offset('events', 'meta', 1, 5, 'batch 17');
SELECT * FROM offsets WHERE group_id = 'meta';
SELECT partition, min(record_offset), count(*) FROM consume('events', 'meta') GROUP BY 1 ORDER BY 1;
SELECT * FROM offsets WHERE group_id = 'meta';

---- with the transaction
BEGIN;
SELECT seek_to_beginning('events', 'g');
SELECT count(*) FROM consume('events', 'g');
ROLLBACK;
SELECT count(*) FROM consume('events', 'g');
BEGIN;
SAVEPOINT s;
SELECT seek_to_beginning('events', 'g', 0);
ROLLBACK TO s;
SELECT seek_to_offset('events', 'g', 9, 1);
COMMIT;
SELECT * FROM offsets WHERE group_id = 'g';

---- moving a partition forgets what this transaction consumed there
BEGIN;
SELECT count(*) FROM consume('events', 'pos', 6, partitions => '{0}', auto_commit => false);
SELECT count(*) FROM consume('events', 'pos', 6, partitions => '{1}', auto_commit => false);
SELECT seek_to_offset('events', 'pos', 2, 0);
SELECT min(record_offset) FROM consume('events', 'pos', 1, partitions => '{0}', auto_commit => false);
SAVEPOINT s;
SELECT commit_offset('events', 'pos', 1, 1);
SELECT min(record_offset) FROM consume('events', 'pos', 1, partitions => '{1}', auto_commit => false);
ROLLBACK TO s;
SELECT min(record_offset) FROM consume('events', 'pos', 1, partitions => '{1}', auto_commit => false);
SELECT commit_offsets('events', 'pos');
COMMIT;
SELECT * FROM offsets WHERE group_id = 'pos';

---- records not visible yet are not skipped by seek_to_end
BEGIN;
SELECT produce('events', NULL::text, 'late', partition => 0);
SELECT seek_to_end('events', 'end', 0);
COMMIT;
SELECT value FROM consume('events', 'end', partitions => '{0}');

---- delete_group()
SELECT create_topic('other');
SELECT seek_to_beginning('other', 'g');
SELECT delete_group('g', 'other');
SELECT seek_to_beginning('other', 'g');
SELECT delete_group('g');
SELECT delete_group('g');
SELECT * FROM offsets WHERE group_id = 'g';
BEGIN;
SELECT delete_group('pos', 'events');
SELECT min(record_offset) FROM consume('events', 'pos', 1, partitions => '{0}');
ROLLBACK;
SELECT * FROM offsets WHERE group_id = 'pos';
-- in the transaction that consumed
BEGIN;
SELECT count(*) FROM consume('events', 'shortlived', 3);
SELECT delete_group('shortlived');
SELECT min(record_offset) FROM consume('events', 'shortlived', 1);
SELECT delete_group('shortlived');
COMMIT;
SELECT count(*) FROM offsets WHERE group_id = 'shortlived';

-- the topic first, as elsewhere; untyped names in either order, typed ones by their types
CREATE FUNCTION made() RETURNS text LANGUAGE sql AS $$
    SELECT seek_to_beginning('other', 'h', 0); SELECT seek_to_beginning('events', 'h'); SELECT 'made' $$;
SELECT made(), delete_group('other', 'h'), delete_group('other', 'h'), delete_group('h', 'events');
SELECT made(), delete_group('other'::regclass, 'h'), delete_group('h', 'events'::regclass);
SELECT made(), delete_group('seek_test.other'::text, 'h'::text), delete_group('h'::varchar, 'events'::varchar);
SELECT made(), delete_group(topic => 'other', group_id => 'h'), delete_group(group_id => 'h', topic => 'events');
SELECT made(), delete_group('h', NULL), delete_group(group_id => 'h');
-- where the names do not tell
SELECT seek_to_beginning('events', 'other'), seek_to_beginning('other', 'not.a/name');
SELECT delete_group('events', 'other');
SELECT delete_group(topic => 'events', group_id => 'other'), delete_group('not.a/name', 'other');
SELECT delete_group('nothing', 'h');
SELECT delete_group('other', NULL);
SELECT delete_group(NULL, 'other');
SELECT delete_group(NULL::regclass, 'h');
SELECT delete_group('other'::regclass, NULL);

---- privileges
CREATE ROLE regress_seeker;
GRANT USAGE ON SCHEMA seek_test TO regress_seeker;
SET ROLE regress_seeker;
SELECT seek_to_beginning('events', 'pos');
SELECT commit_offset('events', 'pos', 0, 1);
SELECT offset_for_timestamp('events', 0, '2024-01-01');
RESET ROLE;
GRANT SELECT ON events TO regress_seeker;
SET ROLE regress_seeker;
SELECT seek_to_offset('events', 'pos', 3, 0);
SELECT commit_offset('events', 'pos', 1, 4);
SELECT offset_for_timestamp('events', 0, '2023-01-01');
SELECT delete_group('pos', 'events');
SELECT delete_group('pos');
RESET ROLE;
SELECT alter_group_owner('events', 'pos', 'regress_seeker');
SET ROLE regress_seeker;
SELECT seek_to_offset('events', 'pos', 3, 0);
SELECT commit_offset('events', 'pos', 1, 4);
RESET ROLE;
SELECT * FROM offsets WHERE group_id = 'pos';

---- errors
SELECT seek_to_offset('events', 'g', -1);
SELECT seek_to_offset('events', 'g', 12, 0);
SELECT seek_to_offset('events', 'g', 11);
SELECT seek_to_offset('events', 'g', 0, 2);
SELECT seek_to_offset('events', 'g', NULL);
SELECT seek_to_offset('events', '', 0);
SELECT seek_to_offset(NULL, 'g', 0);
SELECT seek_to_timestamp('events', 'g', NULL);
SELECT seek_to_timestamp('events', 'g', 'infinity');
SELECT offset_for_timestamp('events', 0, '-infinity');
SELECT commit_offset('events', 'g', 2, 0);
SELECT commit_offset('events', 'g', 0, -1);
SELECT commit_offset('events', 'g', 0, 12);
SELECT commit_offset('events', 'g', NULL, 0);
SELECT commit_offset('events', 'g', 0, NULL);
SELECT commit_offset('events', 'g', 0, 0, repeat('m', 4097));
SELECT offset_for_timestamp('events', 2, '2024-01-01');
SELECT delete_group('');
SELECT delete_group(NULL);
SELECT delete_group('g', 'offsets');
SELECT delete_group('offsets', 'g');
BEGIN READ ONLY;
SELECT seek_to_end('events', 'g');
ROLLBACK;
BEGIN READ ONLY;
SELECT offset_for_timestamp('events', 0, '2024-01-01 00:09:00+00');
SELECT delete_group('g');
ROLLBACK;
-- nothing half done: a seek over all partitions that fails in one moves none
SELECT * FROM offsets WHERE group_id = 'g';

SET client_min_messages = warning;
DROP SCHEMA seek_test CASCADE;
RESET client_min_messages;
DROP ROLE regress_seeker;
