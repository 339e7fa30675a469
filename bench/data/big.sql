-- Many records.  Where topics can have an index of keys, this one has it.
-- Variable: records, how many.

SELECT create_topic('big_topic', config => '{"compression.type": "none"}');
DO $$
BEGIN
    PERFORM alter_topic('big_topic', '{"key.index": "on"}');
EXCEPTION WHEN fdw_invalid_option_name OR invalid_parameter_value THEN
    NULL;
END $$;
INSERT INTO big_topic (key, value)
    SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, :records) AS i;
DO $$
BEGIN
    PERFORM build_key_index('big_topic');
EXCEPTION WHEN undefined_function THEN
    NULL;
END $$;
CREATE TABLE big_heap (key text, value text);
INSERT INTO big_heap (key, value)
    SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, :records) AS i;
CREATE INDEX ON big_heap (key);
VACUUM ANALYZE big_heap;
