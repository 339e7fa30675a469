-- Each privilege by itself, and what it permits on a topic: every statement as every role.
-- docs/reference.md says the same in words.  Files under test: all that check privileges.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
\set SHOW_CONTEXT never
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'each, ' || :'home', false) <> '' AS ok;

CREATE ROLE regress_each_owner;
CREATE ROLE regress_each_none;
CREATE ROLE regress_each_select;
CREATE ROLE regress_each_select_key;
CREATE ROLE regress_each_insert;
CREATE ROLE regress_each_insert_key;
CREATE ROLE regress_each_update;
CREATE ROLE regress_each_delete;
CREATE ROLE regress_each_truncate;
CREATE ROLE regress_each_references;
CREATE ROLE regress_each_trigger;
CREATE ROLE regress_each_all;
CREATE ROLE regress_each_read_all IN ROLE pg_read_all_data;
CREATE ROLE regress_each_write_all IN ROLE pg_write_all_data;
CREATE ROLE regress_each_member IN ROLE regress_each_owner;
CREATE ROLE regress_each_noinherit NOINHERIT IN ROLE regress_each_owner;

CREATE SCHEMA each AUTHORIZATION regress_each_owner;
GRANT USAGE ON SCHEMA each TO PUBLIC;
CREATE FUNCTION each.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
SET ROLE regress_each_owner;
SELECT create_topic('t'), create_topic('"t.retry"'), create_topic('c', config => '{"cleanup.policy": "compact"}');
SELECT produce('t', 'k'::text, 'v'), produce('c', 'k'::text, 'v');
SELECT count(*) FROM consume('t', 'g');
SELECT count(*) FROM consume('t', 'leased', member_id => 'm', lease => '1 hour');
GRANT INSERT ON "t.retry" TO PUBLIC;
GRANT SELECT ON t, c TO regress_each_select;
GRANT SELECT (key) ON t, c TO regress_each_select_key;
GRANT INSERT ON t, c TO regress_each_insert;
GRANT INSERT (key, value) ON t, c TO regress_each_insert_key;
GRANT UPDATE ON t, c TO regress_each_update;
GRANT DELETE ON t, c TO regress_each_delete;
GRANT TRUNCATE ON t, c TO regress_each_truncate;
GRANT REFERENCES ON t, c TO regress_each_references;
GRANT TRIGGER ON t, c TO regress_each_trigger;
GRANT ALL ON t, c TO regress_each_all;
RESET ROLE;

CREATE TABLE each.statements (n serial, command text, query text);
INSERT INTO each.statements (query) VALUES
    -- producing
    ($$produce('t', 'k'::text, 'v')$$),
    ($$produce('t', 'v'::text)$$);
INSERT INTO each.statements (command) VALUES
    ($$INSERT INTO t (key, value) VALUES ('k', 'v')$$),
    ($$INSERT INTO t (key, value) VALUES ('k', 'v') RETURNING key$$),
    ($$INSERT INTO t (partition, key) VALUES (0, 'k')$$),
    ($$INSERT INTO t (record_timestamp, key) VALUES ('2026-01-01', 'k')$$),
    ($$UPDATE t SET value = 'w'$$),
    ($$DELETE FROM t$$);
-- querying
INSERT INTO each.statements (query) VALUES
    ($$(SELECT max(key) FROM t)$$),
    ($$(SELECT max(value) FROM t)$$),
    ($$(SELECT count(*) FROM t)$$),
    ($$(SELECT count(*) FROM latest(NULL::t))$$),
    ($$(SELECT count(*) FROM visible_offsets('t'))$$),
    ($$offset_for_timestamp('t', 0, '2020-01-01')$$),
    ($$(SELECT count(*) FROM verify_topic('t'))$$);
-- consuming
INSERT INTO each.statements (query) VALUES
    ($$(SELECT count(*) FROM consume('t', 'mine'))$$),
    ($$(SELECT count(*) FROM consume_as(NULL::t, 'mine'))$$),
    ($$(SELECT count(*) FROM consume_many('{t}', 'mine'))$$),
    ($$(SELECT count(*) FROM consume('t', 'mine', member_id => 'm'))$$),
    ($$nack('t', 'mine', 0, 0, 'error')$$);
INSERT INTO each.statements (command) VALUES
    ($$SELECT commit_offsets('t', 'g')$$),
    ($$SELECT commit_offset('t', 'g', 0, 0)$$),
    ($$SELECT commit_offset('t', 'leased', 0, 0, member_id => 'm')$$),
    ($$SELECT leave_group('t', 'leased', 'm')$$),
    ($$SELECT seek_to_offset('t', 'g', 0)$$),
    ($$SELECT seek_to_timestamp('t', 'g', '2020-01-01')$$),
    ($$SELECT seek_to_beginning('t', 'g')$$),
    ($$SELECT seek_to_end('t', 'g')$$),
    ($$SELECT alter_group_owner('t', 'g', current_user)$$);
INSERT INTO each.statements (query) VALUES
    ($$delete_group('g', 't')$$),
    ($$delete_group('g')$$);
INSERT INTO each.statements (command) VALUES
    ($$SELECT * FROM topic_group_offsets$$),
    ($$UPDATE topic_group_offsets SET committed_offset = 0$$),
    ($$SELECT * FROM topic_group_members$$);
-- maintenance
INSERT INTO each.statements (query) VALUES
    ($$(SELECT count(*) FROM apply_retention('t'))$$),
    ($$(SELECT count(*) FROM apply_retention('t', dry_run => true))$$),
    ($$(SELECT count(*) FROM apply_retention() WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM compact('c'))$$),
    ($$(SELECT count(*) FROM compact('c', dry_run => true))$$),
    ($$(SELECT count(*) FROM compact() WHERE topic = 'c'::regclass)$$);
-- definitions
INSERT INTO each.statements (command) VALUES
    ($$SELECT alter_topic('t', '{"retention.ms": 1}')$$),
    ($$ALTER FOREIGN TABLE t OPTIONS (ADD "segment.ms" '1')$$),
    ($$ALTER FOREIGN TABLE t ALTER value TYPE bytea$$),
    ($$ALTER FOREIGN TABLE t OWNER TO regress_each_none$$),
    ($$SELECT drop_topic('t')$$),
    ($$SELECT drop_topic('t', if_exists => true)$$),
    ($$DROP FOREIGN TABLE t$$),
    ($$SELECT create_topic('t', if_not_exists => true)$$),
    ($$CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()$$),
    ($$COMMENT ON FOREIGN TABLE t IS 'x'$$),
    ($$ANALYZE t$$);
-- looking
INSERT INTO each.statements (query) VALUES
    ($$(SELECT count(*) FROM pg_topics WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM pg_topic_partitions WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM pg_topic_segments WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM pg_stat_topics WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM pg_topic_groups WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(*) FROM pg_topic_group_members WHERE topic = 't'::regclass)$$),
    ($$(SELECT count(lag_time) FROM (SELECT pg_topic_lag_time('t', 0, 0) AS lag_time) x)$$),
    ($$(SELECT count(topic) FROM pg_stat_progress_topic_compaction)$$);

-- do it as a role and take it back; what came of it
CREATE FUNCTION each.attempt(role text, command text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := 'done';
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    IF query IS NOT NULL THEN
        EXECUTE 'SELECT ' || query INTO result;
    ELSE
        EXECUTE command;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'TAKEN', MESSAGE = coalesce(result, 'null');
EXCEPTION
    WHEN SQLSTATE 'TAKEN' THEN RETURN SQLERRM;
    -- worded otherwise from 16 on
    WHEN OTHERS THEN RETURN 'ERROR ' || SQLSTATE || ': ' || replace(SQLERRM, 'must be able to SET ROLE', 'must be member of role');
END $$;

SET client_min_messages = error;
\a
SELECT coalesce(query, command) AS statement, outcome, string_agg(substr(rolname, 14), ', ' ORDER BY rolname) AS roles
FROM each.statements, (SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress\_each\_%') r,
     LATERAL each.attempt(rolname, command, query) AS outcome
GROUP BY n, statement, outcome ORDER BY n, outcome NOT LIKE 'ERROR%' DESC, outcome;
\a

---- what does not run in a transaction
\set VERBOSITY terse
SET ROLE regress_each_all;
TRUNCATE t;
SELECT erase('t', 'k'::text);
SELECT delete_records('t', 0, 0);
SET ROLE regress_each_truncate;
TRUNCATE t;
SET ROLE regress_each_noinherit;
TRUNCATE t;
SELECT erase('t', 'k'::text);
SELECT delete_records('t', 0, 0);
SET ROLE regress_each_member;
SELECT erase('t', 'none'::text);
SELECT delete_records('t', 0, 0);
SET ROLE regress_each_insert;
BEGIN;
SELECT produce('t', 'k'::text, 'flushed');
SELECT topic, records FROM flush();
ROLLBACK;
COPY t (key, value) FROM STDIN;
k	copied
\.
SET ROLE regress_each_insert_key;
COPY t (key, value) FROM STDIN;
k	copied
\.
-- without data, which some versions of psql take for commands after an error
\copy t (partition, key) FROM '/dev/null'
\copy t FROM '/dev/null'
SET ROLE regress_each_select;
\copy t (key, value) FROM '/dev/null'
COPY (SELECT value FROM t) TO STDOUT;
SET ROLE regress_each_select_key;
COPY (SELECT key FROM t) TO STDOUT;
COPY (SELECT value FROM t) TO STDOUT;

---- USAGE on the server is for creating topics
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER topics FROM PUBLIC;
SELECT rolname, each.attempt(rolname, $$SELECT create_topic('new')$$, NULL) AS "create",
       each.attempt(rolname, NULL, $$produce('t', 'v'::text)$$) AS produce,
       each.attempt(rolname, $$INSERT INTO t (value) VALUES ('v')$$, NULL) AS insert,
       each.attempt(rolname, NULL, $$(SELECT count(*) FROM consume('t', 'mine'))$$) AS consume
FROM unnest('{regress_each_owner,regress_each_all}'::text[]) rolname;
SET ROLE regress_each_insert;
COPY t (key, value) FROM STDIN;
k	copied without USAGE
\.
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER topics TO PUBLIC;

---- handed on, and taken back from both
SET ROLE regress_each_owner;
GRANT SELECT, INSERT ON c TO regress_each_update WITH GRANT OPTION;
SET ROLE regress_each_update;
GRANT SELECT, INSERT ON c TO regress_each_none;
SET ROLE regress_each_none;
GRANT SELECT ON c TO regress_each_delete;
SELECT produce('c', 'n'::text, 'v');
SELECT key FROM consume('c', 'none');
SET ROLE regress_each_owner;
REVOKE SELECT, INSERT ON c FROM regress_each_update CASCADE;
SET ROLE regress_each_none;
SELECT produce('c', 'n'::text, 'v');
SELECT key FROM consume('c', 'none');

---- taken away in the midst of a transaction: what was produced before stays
SET ROLE regress_each_owner;
GRANT INSERT, SELECT ON c TO regress_each_none;
BEGIN;
SET LOCAL ROLE regress_each_none;
SELECT produce('c', 'before'::text, 'v');
SELECT count(*) FROM consume('c', 'revoked', 1);
SET LOCAL ROLE regress_each_owner;
REVOKE ALL ON c FROM regress_each_none;
SET LOCAL ROLE regress_each_none;
SAVEPOINT s;
SELECT produce('c', 'after'::text, 'v');
ROLLBACK TO s;
INSERT INTO c (key, value) VALUES ('after', 'v');
ROLLBACK TO s;
SELECT count(*) FROM consume('c', 'revoked', 1);
ROLLBACK TO s;
COMMIT;
SELECT key FROM c WHERE key IN ('before', 'after');

---- the owner changes, in a session that has used the topic as the old one
SET ROLE regress_each_owner;
SELECT produce('c', 'mine'::text, 'v');
RESET ROLE;
GRANT CREATE ON SCHEMA each TO regress_each_none;
ALTER FOREIGN TABLE c OWNER TO regress_each_none;
SET ROLE regress_each_owner;
SELECT produce('c', 'mine'::text, 'v');
SELECT count(*) FROM compact('c');
SELECT count(*) FROM compact();
SELECT alter_topic('c', '{"retention.ms": 1}');
SELECT count(*) FROM pg_topics WHERE topic = 'c'::regclass;
SET ROLE regress_each_none;
SELECT produce('c', 'mine'::text, 'v');
SELECT count(*) FROM compact();
-- an owner may take rights from himself
REVOKE INSERT ON c FROM regress_each_none;
SELECT produce('c', 'mine'::text, 'v');
RESET ROLE;
ALTER FOREIGN TABLE c OWNER TO regress_each_owner;

---- default privileges are those of tables
SET ROLE regress_each_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA each GRANT SELECT ON TABLES TO regress_each_none;
SELECT create_topic('by_default');
SET ROLE regress_each_none;
SELECT count(*) FROM consume('by_default', 'g');
SELECT produce('by_default', 'v'::text);

---- a group's name is everybody's, its offsets are each topic's: delete_group() acts on what the caller owns
SET ROLE regress_each_none;
SELECT create_topic('hidden');
SELECT seek_to_beginning('hidden', 'g');
SELECT seek_to_beginning('by_default', 'g');
SET ROLE regress_each_owner;
SELECT topic, group_id FROM pg_topic_groups WHERE group_id = 'g' ORDER BY topic::text;
SELECT delete_group('g');
SELECT delete_group('g');
SELECT delete_group('g', 'hidden');
SET ROLE regress_each_none;
SELECT topic, group_id FROM pg_topic_groups WHERE group_id = 'g' ORDER BY topic::text;
SELECT delete_group('g');
-- with live members there, nor here
SET ROLE regress_each_none;
SELECT count(*) FROM consume('hidden', 'g', member_id => 'm', lease => '1 hour');
SET ROLE regress_each_owner;
SELECT seek_to_beginning('c', 'g');
SELECT delete_group('g');

---- views: no function of the user's sees rows that he may not see
RESET ROLE;
GRANT CREATE ON SCHEMA each TO regress_each_delete, regress_each_select;
SET ROLE regress_each_delete;
SET client_min_messages = notice;
CREATE FUNCTION each.leak(text, regclass) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN RAISE NOTICE 'leaked % of %', $1, $2; RETURN true; END $$;
SELECT group_id FROM pg_topic_groups WHERE each.leak(group_id, topic);
SELECT group_id FROM pg_topic_group_members WHERE each.leak(group_id, topic);
SELECT topic FROM pg_topic_partitions WHERE each.leak('partition', topic) ORDER BY topic::text;
-- a view that shows some records shows no others, whatever is pushed down
SET ROLE regress_each_owner;
SELECT produce('by_default', 'public'::text, 'p' || i), produce('by_default', 'secret'::text, 's' || i) FROM generate_series(1, 2) i;
REVOKE ALL ON by_default FROM regress_each_none;
CREATE VIEW each.some WITH (security_barrier) AS SELECT * FROM by_default WHERE key = 'public';
GRANT SELECT ON each.some TO regress_each_delete;
SET ROLE regress_each_delete;
SELECT value FROM each.some WHERE partition = 0 AND each.leak(value, 't') AND record_offset >= 0;
SELECT s.value FROM generate_series(0, 1) o JOIN each.some s ON s.record_offset = o AND each.leak(s.value, 't');
SELECT value FROM by_default;
SELECT count(*) FROM consume('some', 'g');
SELECT count(*) FROM consume_as(NULL::each.some, 'g');
SELECT count(*) FROM latest(NULL::each.some);

---- a trigger runs with the rights of who inserts, at INSERT and COPY; produce(), consume() and TRUNCATE fire none
RESET ROLE;
CREATE FUNCTION each.who() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE NOTICE '% % as %', TG_WHEN, TG_OP, current_user; IF NEW.value = 'drop' THEN RETURN NULL; END IF; NEW.value = NEW.value || '!'; RETURN NEW; END $$;
SET ROLE regress_each_trigger;
CREATE TRIGGER who BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION each.who();
SET ROLE regress_each_insert;
INSERT INTO t (key, value) VALUES ('trigger', 'inserted'), ('trigger', 'drop');
SELECT produce('t', 'trigger'::text, 'produced');
COPY t (key, value) FROM STDIN;
trigger	copied
\.
SET ROLE regress_each_select;
SELECT value FROM t WHERE key = 'trigger';
SELECT count(*) > 0 AS consumed FROM consume('t', 'trigger');
SET ROLE regress_each_trigger;
DROP TRIGGER who ON t;
SET ROLE regress_each_owner;
DROP TRIGGER who ON t;

---- constraints: as for any foreign table nobody checks them; a type does, for all who produce
CREATE DOMAIN each.mail AS text CHECK (VALUE LIKE '%@%') NOT NULL;
CREATE FOREIGN TABLE each.checked (key text NOT NULL DEFAULT 'd', value mail, CHECK (key <> 'bad')) SERVER topics;
INSERT INTO each.checked (key, value) VALUES ('bad', 'a@b'), (NULL, 'a@b');
INSERT INTO each.checked (value) VALUES ('a@b');
INSERT INTO each.checked (value) VALUES ('a');
INSERT INTO each.checked (value) VALUES (NULL);
SELECT produce('each.checked', 'k'::text, 'a'::text);
SELECT produce('each.checked', 'k'::text, NULL::text);
SELECT produce('each.checked', NULL::text, 'a@b'::text);
SELECT key, value FROM each.checked ORDER BY key;

---- what others may make depend on a topic
SET ROLE regress_each_delete;
CREATE VIEW each.dependent AS SELECT key FROM t;
SELECT * FROM each.dependent;
CREATE TABLE each.typed (r t);
CREATE TABLE each.child () INHERITS (t);
CREATE TABLE each.keys (k text REFERENCES t);
CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING;
CREATE POLICY p ON t USING (false);
CREATE INDEX ON t (key);
CREATE STATISTICS each.st ON key, value FROM t;
SET ROLE regress_each_owner;
ALTER FOREIGN TABLE t ENABLE ROW LEVEL SECURITY;
DROP FOREIGN TABLE t;
ALTER FOREIGN TABLE t ALTER value TYPE varchar;
RESET ROLE;
DROP VIEW each.dependent;
DROP TABLE each.typed;
SET ROLE regress_each_owner;
REVOKE USAGE ON TYPE t FROM PUBLIC;
SET ROLE regress_each_delete;
CREATE TABLE each.typed (r t);
-- consuming by the type needs no right on it
SET ROLE regress_each_select;
SELECT count(*) > 0 AS consumed FROM consume_as(NULL::t, 'typed');

---- a pattern over pg_topics: what cannot be read is an error, unless it is left out
SET ROLE regress_each_none;
SELECT array_agg(topic ORDER BY topic::text) FROM pg_topics WHERE topic::text IN ('by_default', 'hidden', '"t.retry"');
SELECT count(*) FROM consume_many((SELECT array_agg(topic) FROM pg_topics WHERE topic::text IN ('hidden', '"t.retry"')), 'p');
SELECT count(*) FROM consume_many((SELECT array_agg(topic) FROM pg_topics WHERE topic::text IN ('hidden', '"t.retry"') AND has_table_privilege(topic, 'SELECT')), 'p');

RESET ROLE;
SET client_min_messages = warning;
SET ROLE regress_each_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA each REVOKE SELECT ON TABLES FROM regress_each_none;
RESET ROLE;
DROP OWNED BY regress_each_owner, regress_each_none, regress_each_select, regress_each_delete CASCADE;
DROP SCHEMA IF EXISTS each CASCADE;
DROP ROLE regress_each_none, regress_each_select, regress_each_select_key, regress_each_insert, regress_each_insert_key, regress_each_update, regress_each_delete, regress_each_truncate, regress_each_references, regress_each_trigger,
    regress_each_all, regress_each_read_all, regress_each_write_all, regress_each_member, regress_each_noinherit, regress_each_owner;
