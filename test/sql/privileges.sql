-- Privileges: INSERT may produce, SELECT may read and consume, the owner may
-- alter and drop.  Files under test: topic.c, create_topic.c.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_user;
CREATE SCHEMA privileges AUTHORIZATION regress_topic_owner;
GRANT USAGE ON SCHEMA privileges TO regress_topic_user;

-- who may create in a schema may create topics there
SET ROLE regress_topic_owner;
SELECT create_topic('privileges.t', partitions => 2);
SELECT produce('privileges.t', 'k', 'v');
SELECT relowner::regrole FROM pg_class WHERE oid = 'privileges.t'::regclass;
SET ROLE regress_topic_user;
SELECT create_topic('privileges.t2');

-- nothing without a grant
SELECT produce('privileges.t', 'k', 'v');
SELECT produce('privileges.t', 'v');
INSERT INTO privileges.t (value) VALUES ('v');
SELECT value FROM privileges.t;
SELECT * FROM consume('privileges.t', 'g');
SELECT alter_topic('privileges.t', '{"retention.ms": 1}');
SELECT drop_topic('privileges.t');
SELECT drop_topic('privileges.t', if_exists => true);
TRUNCATE privileges.t;

-- a topic is truncated by its owner only, since that cannot be undone
RESET ROLE;
GRANT TRUNCATE ON privileges.t TO regress_topic_user;
SET ROLE regress_topic_user;
TRUNCATE privileges.t;
RESET ROLE;
REVOKE TRUNCATE ON privileges.t FROM regress_topic_user;

-- INSERT: produce only
GRANT INSERT ON privileges.t TO regress_topic_user;
SET ROLE regress_topic_user;
SELECT produce('privileges.t', 'k', 'v');
INSERT INTO privileges.t (key, value) VALUES ('k', 'v');
SELECT value FROM privileges.t;
SELECT * FROM consume('privileges.t', 'g');

-- but give no offsets, which would move the log's end for all: those are the owner's, wherever they come from
INSERT INTO privileges.t (partition, record_offset, value) VALUES (0, 9223372032559808512, 'v');
INSERT INTO privileges.t (partition, record_offset, value) VALUES (0, NULL, 'numbered');
INSERT INTO privileges.t (partition, record_offset, value) SELECT 0, 4000000000, 'v';
COPY privileges.t (partition, record_offset, value) FROM stdin;
0	4000000000	v
\.
RESET ROLE;
GRANT INSERT (partition, record_offset, value) ON privileges.t TO regress_topic_user;
SET ROLE regress_topic_user;
INSERT INTO privileges.t (partition, record_offset, value) VALUES (0, 4000000000, 'v');
RESET ROLE;
REVOKE INSERT (partition, record_offset, value) ON privileges.t FROM regress_topic_user;
SET ROLE regress_topic_owner;
CREATE VIEW privileges.v AS SELECT * FROM privileges.t;
GRANT INSERT ON privileges.v TO regress_topic_user;
CREATE FUNCTION privileges.numbers() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.record_offset := 4000000000; RETURN NEW; END $$;
CREATE TRIGGER numbers BEFORE INSERT ON privileges.t FOR EACH ROW EXECUTE FUNCTION privileges.numbers();
SET ROLE regress_topic_user;
INSERT INTO privileges.t (partition, value) VALUES (0, 'v');
SET ROLE regress_topic_owner;
DROP TRIGGER numbers ON privileges.t;
SET ROLE regress_topic_user;
INSERT INTO privileges.v (partition, record_offset, value) VALUES (0, 4000000000, 'v');
INSERT INTO privileges.v (partition, value) VALUES (0, 'numbered');
-- nor make a segment of each transaction, by timestamps far apart
INSERT INTO privileges.v (partition, record_timestamp, value) VALUES (1, '2000-01-01', 'old'), (1, now(), 'new');
INSERT INTO privileges.v (partition, record_timestamp, value) VALUES (1, '2000-01-01', 'old'), (1, now(), 'new');
INSERT INTO privileges.v (partition, record_timestamp, value) VALUES (1, '2000-01-01', 'old'), (1, now(), 'new');
RESET ROLE;
SELECT partition, log_end_offset < 100 AS as_before, segments FROM pg_topic_partitions WHERE topic = 'privileges.t'::regclass;
-- the owner restores a dump
SET ROLE regress_topic_owner;
DROP VIEW privileges.v;
INSERT INTO privileges.t (partition, record_offset, value) VALUES (1, 200, 'restored');
SET ROLE regress_topic_user;

-- SELECT: read and consume, also with no privilege on the table of offsets
RESET ROLE;
REVOKE INSERT ON privileges.t FROM regress_topic_user;
GRANT SELECT ON privileges.t TO regress_topic_user;
SET ROLE regress_topic_user;
SELECT produce('privileges.t', 'k', 'v');
SELECT value FROM privileges.t;
SELECT value FROM consume('privileges.t', 'g');
SELECT count(*) FROM topic_group_offsets;
SELECT group_id, committed_offset FROM pg_topic_groups WHERE topic = 'privileges.t'::regclass ORDER BY partition;
SELECT alter_topic('privileges.t', '{"retention.ms": 1}');
SELECT drop_topic('privileges.t');

-- USAGE on the server can be taken away
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER topics FROM PUBLIC;
SET ROLE regress_topic_owner;
SELECT create_topic('privileges.t3');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER topics TO PUBLIC;

-- the owner, and an owner's rights handed on
SET ROLE regress_topic_owner;
SELECT alter_topic('privileges.t', '{"retention.ms": 1000}');
RESET ROLE;
GRANT CREATE ON SCHEMA privileges TO regress_topic_user;
ALTER FOREIGN TABLE privileges.t OWNER TO regress_topic_user;
SET ROLE regress_topic_owner;
SELECT alter_topic('privileges.t', '{"retention.ms": 2000}');
SET ROLE regress_topic_user;
SELECT alter_topic('privileges.t', '{"retention.ms": 2000}');
-- dropping takes the group's offsets along, though the owner cannot see the table
SELECT drop_topic('privileges.t');
RESET ROLE;
SELECT count(*) FROM topic_group_offsets WHERE group_id = 'g' AND topic::oid NOT IN (SELECT oid FROM pg_class);

-- a function of its owner's rights lets others in, and only there
SET ROLE regress_topic_owner;
SELECT create_topic('privileges.definer');
CREATE FUNCTION privileges.put(text) RETURNS int LANGUAGE sql SECURITY DEFINER
    AS $$ SELECT produce('privileges.definer', NULL, $1) $$;
SET ROLE regress_topic_user;
SELECT privileges.put('v');
SELECT produce('privileges.definer', 'v');
-- what options a topic has is not told first
SELECT count(*) FROM compact('privileges.definer');
RESET ROLE;
SELECT value FROM privileges.definer;

SET client_min_messages = warning;
DROP SCHEMA privileges CASCADE;
DROP ROLE regress_topic_user, regress_topic_owner;
