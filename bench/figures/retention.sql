-- The topics that retention empties, and the heap table that it is measured against.
SELECT create_topic('retained_topic', config => '{"segment.bytes": 104857600, "retention.ms": 86400000}');
CREATE TABLE retained_heap (key text, value text) WITH (autovacuum_enabled = off);

SELECT create_topic('segments_topic', config => '{"segment.bytes": 1024, "retention.ms": 86400000}');
-- one record a segment
CREATE PROCEDURE fill_segments(n int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. n LOOP
        PERFORM produce('segments_topic', repeat('x', 700));
        COMMIT;
    END LOOP;
END $$;
