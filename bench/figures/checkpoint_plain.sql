-- in the cluster without the extension
CREATE TABLE load_heap (id bigserial PRIMARY KEY, key text, value text);
