-- What is inserted into, with each codec.
SELECT create_topic('bulk_default');
SELECT create_topic('bulk_' || codec, config => jsonb_build_object('compression.type', codec))
FROM unnest(ARRAY['none', 'lz4', 'zstd']) AS codec;
CREATE TABLE bulk_heap (key text, value text);
