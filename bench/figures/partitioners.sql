-- What bench/run partitioners produces to: the same key, and partition, by each
-- kind of partitioner.  The one in C is that of test/modules/partitioner_hook, which has
-- the bar in keys to look for as well.

SELECT create_topic('partitioned', partitions => 6);

CREATE FUNCTION in_sql(topic regclass, key bytea, value bytea, partitions int)
    RETURNS int IMMUTABLE LANGUAGE sql RETURN murmur2_partition(key, partitions);
CREATE FUNCTION in_plpgsql(topic regclass, key bytea, value bytea, partitions int)
    RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN murmur2_partition(key, partitions); END $$;
