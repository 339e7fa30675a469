-- The load table of the cluster that runs without the extension.

CREATE FUNCTION bench_value() RETURNS text IMMUTABLE LANGUAGE sql
    RETURN rpad('{"item": "book", "price": 10.99, "customer": 4711}', 140, '.');
CREATE TABLE single_heap (id bigserial PRIMARY KEY, key text, value text);
