-- What all figures need, in both clusters.

-- a value of 140 bytes: with a key of 10 the record that most figures are about
CREATE FUNCTION bench_value() RETURNS text IMMUTABLE LANGUAGE sql
    RETURN rpad('{"item": "book", "price": 10.99, "customer": 4711}', 140, '.');

-- the microseconds of CPU time that this session has had
CREATE FUNCTION bench_cpu() RETURNS bigint LANGUAGE sql
    RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint / 1000;

-- which files of bench/data have been run
CREATE TABLE bench_data (name text PRIMARY KEY);
