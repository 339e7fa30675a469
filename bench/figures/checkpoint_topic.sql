INSERT INTO load_topic (key, value) SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, 100) AS i;
