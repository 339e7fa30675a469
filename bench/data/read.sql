-- The records that are read: in a topic, in a heap table, and in one that is a log.
-- Variable: records, how many.

SELECT create_topic('read_topic', config => '{"compression.type": "none"}');
CREATE TABLE read_heap (key text, value text);

-- A log in a table that loses nothing: a reader takes what lies below the oldest transaction
-- that is running, since ids are given before the commit.
CREATE TABLE log_heap (
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    id bigserial, key text, value text,
    PRIMARY KEY (xid, id));
-- the same without that care
CREATE TABLE id_heap (id bigserial PRIMARY KEY, key text, value text);
CREATE TABLE log_cursors (group_id text PRIMARY KEY, next_xid bigint NOT NULL, next_id bigint NOT NULL);

INSERT INTO read_heap (key, value)
    SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, :records) AS i;
INSERT INTO read_topic (key, value) SELECT key, value FROM read_heap;
INSERT INTO log_heap (key, value) SELECT key, value FROM read_heap;
INSERT INTO id_heap (key, value) SELECT key, value FROM read_heap;
VACUUM ANALYZE read_heap, log_heap, id_heap;
