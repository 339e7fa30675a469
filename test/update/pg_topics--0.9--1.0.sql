/* From a version that test builds of the library know and do not serve, for test/t/091_sql_versions.pl. */
\echo Use "ALTER EXTENSION pg_topics UPDATE TO '1.0'" to load this file. \quit
