/* To a version that is newer than the library, for test/t/091_sql_versions.pl. */
\echo Use "ALTER EXTENSION pg_topics UPDATE TO 'next'" to load this file. \quit

ALTER TABLE topic_group_offsets ADD COLUMN of_next int;
