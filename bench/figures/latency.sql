-- What bench/run's "latency" measures: a topic beside a queue in a heap table.
SELECT create_topic('latency_topic');
CREATE TABLE latency_queue (id bigserial PRIMARY KEY, value text);
