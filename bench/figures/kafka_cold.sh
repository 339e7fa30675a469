# shellcheck shell=bash disable=SC2034,SC2154
# A Kafka consumer of records that are not in the kernel's cache, and a client beside it

listener=54387

prepare() {
    partitions=4
    served=$work/cold reader=$work/kafka_reader
    gcc -O2 -o "$reader" "$bench/figures/kafka_reader.c" -lpthread
    begin_cluster "$served" "shared_preload_libraries = 'pg_topics'" "pg_topics.kafka_listeners = '127.0.0.1:$listener/postgres'" \
        "pg_topics.kafka_anonymous_role = 'postgres'" 'pg_topics.log_retention_ms = -1'
    served_sql 'CREATE EXTENSION pg_topics'
    served_sql "SELECT create_topic('cold', $partitions, 'bytea', 'bytea', config => '{\"compression.type\": \"none\"}')"
    # a megabyte a transaction, as a batch of each partition
    for _ in $(seq $((records / 1000))); do
        echo "INSERT INTO cold (value) SELECT decode(repeat(md5(random()::text), 62), 'hex') FROM generate_series(1, 1000);"
    done | in_cluster "$served" "${psql[@]}" -o /dev/null
    served_sql CHECKPOINT
    # clients connect when the listener has seen the extension
    until "$reader" 127.0.0.1 "$listener" cold "$partitions" >/dev/null 2>&1; do sleep 1; done
    worker=$(served_sql "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'")
}

served_sql() { in_cluster "$served" "${psql[@]}" -At -c "$1"; }

read_all() {    # SIDE
    local rate middle worst worst_of_all cpu
    cpu=$(cpu_of "$worker")
    read -r rate middle worst worst_of_all < <("$reader" 127.0.0.1 "$listener" cold "$partitions")
    sample read "$1" "$rate"
    sample read_cpu "$1" "$(calculate "($(cpu_of "$worker") - $cpu) / $records")"
    sample beside_p50 "$1" "$middle"
    sample beside_p999 "$1" "$worst"
    sample beside_worst "$1" "$worst_of_all"
}

# take the records out of the cache
evict() {
    local file
    find "$served"/data/pg_topics -name '*.log' | while read -r file; do
        dd if="$file" iflag=nocache count=0 status=none
    done
}

measure() {    # RUN
    read_all 'in the cache'
    evict
    read_all 'not in the cache'
}

conclude() {
    remark "all records of $partitions partitions by one connection, of 1,000 bytes; the client throws them away"
    report read MB/s
    report read_cpu us/record
    remark 'what another client waits for answers meanwhile'
    report beside_p50 ms
    report beside_p999 ms
    report beside_worst ms
}
