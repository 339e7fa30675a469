SELECT create_topic('single_topic');
CREATE TABLE single_heap (id bigserial PRIMARY KEY, key text, value text);
