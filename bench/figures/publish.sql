-- Triggers that publish the changes of a table to a
-- topic and, for comparison, to an outbox table.

SELECT create_topic('published', config => '{"compression.type": "lz4"}');
CREATE TABLE outbox (id bigserial PRIMARY KEY, topic text NOT NULL, key text, value json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE published_rows WITH (fillfactor = 50, autovacuum_enabled = off) AS
    SELECT i AS aid, 1 AS bid, 0 AS abalance, ''::char(84) AS filler FROM generate_series(1, :records) AS i;
ALTER TABLE published_rows ADD PRIMARY KEY (aid);

-- the JSON that publish_changes() makes
CREATE FUNCTION to_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (topic, key, value) VALUES ('published', NEW.aid::text, json_build_object(
        'op', 'u', 'before', NULL, 'after', row_to_json(NEW),
        'source', json_build_object('schema', TG_TABLE_SCHEMA, 'table', TG_TABLE_NAME,
            'xid', pg_current_xact_id()::text::bigint,
            'ts_ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint)));
    RETURN NULL;
END $$;

CREATE PROCEDURE publish_by(way text) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL client_min_messages = warning;
    DROP TRIGGER IF EXISTS publish ON pgbench_accounts;
    DROP TRIGGER IF EXISTS publish ON published_rows;
    TRUNCATE outbox;
    CASE way
        WHEN 'none' THEN
            NULL;
        WHEN 'pg_topics' THEN
            CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON pgbench_accounts
                FOR EACH ROW EXECUTE FUNCTION publish_changes('published');
        WHEN 'outbox' THEN
            CREATE TRIGGER publish AFTER UPDATE ON pgbench_accounts
                FOR EACH ROW EXECUTE FUNCTION to_outbox();
        WHEN 'statement' THEN
            CREATE TRIGGER publish AFTER UPDATE ON published_rows REFERENCING OLD TABLE AS o NEW TABLE AS n
                FOR EACH STATEMENT EXECUTE FUNCTION publish_changes('published');
        WHEN 'outbox_rows' THEN
            CREATE TRIGGER publish AFTER UPDATE ON published_rows
                FOR EACH ROW EXECUTE FUNCTION to_outbox();
    END CASE;
END $$;
