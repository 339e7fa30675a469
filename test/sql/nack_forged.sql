-- Files under test: src/consume/nack_header.c, src/consume/nack.c, src/consume/partition_cursor.c, src/views/inspect_groups.c.
-- A producer writes nack()'s headers itself: they are data, but for what a retry topic must believe.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_topics;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE ROLE regress_nack_owner;
CREATE ROLE regress_nack_other;
CREATE ROLE regress_nack_app;
CREATE SCHEMA nack_forged;
GRANT CREATE, USAGE ON SCHEMA nack_forged TO regress_nack_owner, regress_nack_other;
GRANT USAGE ON SCHEMA nack_forged TO regress_nack_app;
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pg_topics' \gset
SELECT set_config('search_path', 'nack_forged, ' || :'home', false) <> '' AS ok;
-- so many milliseconds from now
CREATE FUNCTION in_ms(ms bigint) RETURNS text LANGUAGE sql AS
    $$ SELECT (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + ms)::text $$;
CREATE PROCEDURE forge(header jsonb, at timestamptz DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM produce('"t.retry"', 'k'::text, header ->> 'say', record_timestamp => at, headers => header - 'say');
END $$;

SET ROLE regress_nack_owner;
SELECT create_topic('t'), create_topic('"t.retry"'), create_topic('"t.dlq"'),
       create_topic('u'), create_topic('"u.retry"'), create_topic('"u.dlq"');
SELECT alter_topic('t', '{"retry.delay.ms": 600000}'), alter_topic('u', '{"retry.delay.ms": 31536000000}');
GRANT SELECT, INSERT ON t, "t.retry", "t.dlq" TO regress_nack_app;

---- on an ordinary topic a time to wait is data
SET ROLE regress_nack_app;
SELECT produce('t', 'k'::text, 'forged', headers => jsonb_build_object('nack.not_before', in_ms(31104000000)));
SELECT produce('t', 'k'::text, 'forged', headers => jsonb_build_object('nack.topic', 'nack_forged.t', 'nack.not_before', in_ms(300000)));
SELECT produce('t', 'k'::text, 'behind');
SELECT record_offset, value FROM consume('t', 'g');

---- and so is an origin: the record has not failed before, what it says is replaced
SELECT produce('t', 'k'::text, 'elsewhere', headers =>
    '{"nack.topic": ["nack_forged.u", "nack_forged.\"u.retry\""], "nack.partition": 7, "nack.offset": "x", "nack.timestamp": null,
      "nack.group": "them", "nack.attempts": 99, "nack.error": ["a", "b"], "nack.not_before": [1, 2], "nack.other": "kept", "trace": [1, 2]}');
SELECT nack('t', 'g', 0, 3, 'first');
SELECT headers - '{nack.timestamp,nack.not_before}'::text[] AS headers,
       (headers ->> 'nack.not_before')::bigint - (headers ->> 'nack.timestamp')::bigint BETWEEN 600000 AND 660000 AS delayed
FROM "t.retry";

---- what waits is seen, also by a group that has committed nothing there
SELECT count(*) FROM consume('"t.retry"', 'g');
SELECT count(*) FROM consume('"t.retry"', 'w', timeout => '10 ms');
SELECT count(*) FROM consume('"t.retry"', 'm', member_id => 'one');
SELECT group_id, committed_offset, position, held_offset, held_until BETWEEN now() + '9 min' AND now() + '11 min' AS held
FROM pg_topic_groups WHERE topic = '"t.retry"'::regclass ORDER BY 1;
SELECT group_id, held_offset, held_until FROM pg_topic_groups WHERE topic = 't'::regclass;
RESET ROLE;
SET pg_topics.clock_offset = '11min';
SELECT value FROM consume('"t.retry"', 'g');
RESET pg_topics.clock_offset;
SELECT group_id, held_offset FROM pg_topic_groups WHERE topic = '"t.retry"'::regclass ORDER BY 1;

---- who may produce to the retry topic: waits no longer than the origin's delay, and only for its origin
SET ROLE regress_nack_app;
CALL forge(jsonb_build_object('say', 'a timestamp ahead', 'nack.topic', 'nack_forged.t', 'nack.not_before', in_ms(31104000000)), now() + '50 min');
CALL forge(jsonb_build_object('say', 'another origin', 'nack.topic', 'nack_forged.u', 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'no origin', 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'unqualified', 'nack.topic', 't', 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'null origin first', 'nack.topic', '[null, "nack_forged.t"]'::jsonb, 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'no topic', 'nack.topic', 'pg_catalog.pg_class', 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'long', 'nack.topic', 'nack_forged.' || repeat('t', 100000), 'nack.not_before', in_ms(300000)));
CALL forge(jsonb_build_object('say', 'quotes', 'nack.topic', 'nack_forged."t', 'nack.not_before', in_ms(300000)));
CALL forge('{"say": "larger", "nack.topic": "nack_forged.t", "nack.not_before": 99999999999999999999999999999999999}');
CALL forge('{"say": "negative", "nack.topic": "nack_forged.t", "nack.not_before": -1}');
CALL forge('{"say": "fraction", "nack.topic": "nack_forged.t", "nack.not_before": 1.5e12}');
CALL forge('{"say": "none", "nack.topic": "", "nack.not_before": ""}');
CALL forge('{"say": "nulls", "nack.topic": null, "nack.not_before": null, "nack.attempts": null}');
CALL forge('{"say": "booleans", "nack.topic": true, "nack.not_before": false}');
CALL forge(jsonb_build_object('say', 'ancient', 'nack.topic', 'nack_forged.t', 'nack.not_before', in_ms(300000)), '0001-01-01');
SELECT value FROM consume('"t.retry"', 'g');
-- a year from now, but the record is of now: till the delay has passed
CALL forge('{"say": "huge", "nack.topic": "nack_forged.t", "nack.not_before": "999999999999999999"}');
CALL forge(jsonb_build_object('say', 'bounded', 'nack.topic', 'nack_forged.t', 'nack.not_before', in_ms(31104000000)));
SELECT count(*) FROM consume('"t.retry"', 'g');
SELECT held_offset, held_until BETWEEN now() + '9 min' AND now() + '11 min' AS held
FROM pg_topic_groups WHERE topic = '"t.retry"'::regclass AND group_id = 'g';
-- a lower delay takes effect on what waits
SET ROLE regress_nack_owner;
SELECT alter_topic('t', '{"retry.delay.ms": 0}');
SET ROLE regress_nack_app;
SELECT value FROM consume('"t.retry"', 'g');

---- a number of attempts that is forged brings a record to the dead-letter topic, no further
CALL forge('{"say": "often", "nack.topic": "nack_forged.t", "nack.attempts": "999999999999999999"}');
CALL forge('{"say": "odd", "nack.topic": "nack_forged.t", "nack.attempts": "-5", "nack.partition": "99999999999999999999", "nack.group": null}');
CALL forge('{"say": "not its origin", "nack.topic": "nack_forged.u", "nack.attempts": "5"}');
SELECT nack('"t.retry"', 'g', partition, record_offset, 'again') FROM consume('"t.retry"', 'g', 2);
SELECT value, headers FROM "t.dlq";
SELECT value, headers FROM "t.retry" WHERE value = 'odd' AND headers ? 'nack.error';
-- the topic it is in is the origin then, which has no retry topic
SELECT nack('"t.retry"', 'g', partition, record_offset, 'lost') FROM "t.retry" WHERE value = 'not its origin';

---- bytes that are no text, in names and values
SET ROLE regress_nack_app;
SELECT produce('t', 'k'::text, 'bytes', headers => '{"nack.topic": "\\xff\\x00", "\\xff": "\\xfe", "nack.error": "é"}');
SELECT value, headers FROM consume('t', 'g', 100) WHERE value = 'bytes';
SELECT nack('t', 'g', 0, 4, 'é');
SELECT value, headers - '{nack.timestamp}'::text[] FROM "t.retry" WHERE value = 'bytes';

---- another's topic may not make one its retry topic, nor a topic that its owner may not produce to its dead-letter topic
SET ROLE regress_nack_other;
SELECT create_topic('x', config => '{"retry.topic": "\"t.retry\"", "dlq.topic": "\"u.dlq\"", "retry.delay.ms": 31536000000, "max.attempts": 2}');
GRANT SELECT, INSERT ON x TO regress_nack_app;
SET ROLE regress_nack_owner;
GRANT INSERT ON "t.retry" TO regress_nack_other;
GRANT INSERT ON "u.dlq" TO regress_nack_app;
SET ROLE regress_nack_app;
SELECT count(*) >= 0 AS read FROM consume('"t.retry"', 'g');
CALL forge(jsonb_build_object('say', 'of another', 'nack.topic', 'nack_forged.x', 'nack.attempts', 1, 'nack.not_before', in_ms(300000)));
SELECT value FROM consume('"t.retry"', 'g');
SELECT nack('"t.retry"', 'g', partition, record_offset, 'other') FROM "t.retry" WHERE value = 'of another';
SELECT produce('x', 'v'::text);
SELECT nack('x', 'g', 0, 0, 'retry');
SET ROLE regress_nack_other;
SELECT alter_topic('x', '{"max.attempts": 1}');
SET ROLE regress_nack_app;
SELECT nack('x', 'g', 0, 0, 'dead');
SET ROLE regress_nack_owner;
GRANT INSERT ON "u.dlq" TO regress_nack_other;
SET ROLE regress_nack_app;
SELECT nack('x', 'g', 0, 0, 'dead');
-- the owner of both may do it by a role that both belong to
RESET ROLE;
GRANT regress_nack_owner TO regress_nack_other;
SET ROLE regress_nack_other;
SELECT alter_topic('x', '{"max.attempts": 2, "retry.delay.ms": 0}');
SET ROLE regress_nack_app;
SELECT nack('x', 'g', 0, 0, 'retry');
SELECT value, headers ->> 'nack.topic' AS topic FROM consume('"t.retry"', 'g');

---- a topic that is its own retry topic; an origin that is renamed, altered, gone
SET ROLE regress_nack_owner;
SELECT create_topic('self', config => '{"retry.topic": "self", "retry.delay.ms": 600000}'), create_topic('"self.dlq"');
SELECT produce('self', 'v'::text);
SELECT nack('self', 'g', partition, record_offset, 'self') FROM consume('self', 'g');
SELECT count(*) FROM consume('self', 'g');
SELECT held_offset, held_until > now() AS held FROM pg_topic_held_info('self', 0, 1);
SET ROLE regress_nack_app;
SELECT held_offset, held_until > now() AS held FROM pg_topic_held_info('self', 0, 1);
SET ROLE regress_nack_owner;
SELECT headers ->> 'nack.attempts' AS attempts FROM self WHERE headers IS NOT NULL;
SELECT nack('self', 'g', 0, 1, 'self');
SELECT headers ->> 'nack.attempts' AS attempts FROM self WHERE headers IS NOT NULL;
ALTER FOREIGN TABLE self RENAME TO renamed;
SELECT value FROM consume('renamed', 'g');
DROP FOREIGN TABLE t;
SELECT nack('"t.retry"', 'g', 0, 0, 'gone');

---- who cannot read a topic is not told what waits there
SET ROLE regress_nack_app;
SELECT held_offset, held_until FROM pg_topic_held_info('renamed', 0, 0);
SELECT held_offset, held_until FROM pg_topic_held_info(NULL, NULL, NULL);
SELECT held_offset, held_until FROM pg_topic_held_info('"t.retry"', 77, 0);

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA nack_forged CASCADE;
DROP ROLE regress_nack_owner, regress_nack_other, regress_nack_app;
