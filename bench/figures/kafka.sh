# shellcheck shell=bash disable=SC2034,SC2154
# Kafka's own measuring tools against the Kafka listener and against Apache Kafka

prepare() {
    find_kafka || return 0
    export KAFKA_HOME
    kafka=$tree/test/clients/kafka/apache_kafka
    listener=127.0.0.1:54381 apache=127.0.0.1:54383 partitions=4
    # Kafka relies on the page cache alone; what the log of the server needs for such loads is said in docs/kafka.md
    served=$work/kafka
    begin_cluster "$served" "shared_preload_libraries = 'pg_topics'" "pg_topics.kafka_listeners = '$listener/postgres'" \
        "pg_topics.kafka_anonymous_role = 'postgres'" 'wal_buffers = 64MB' 'pg_topics.log_retention_ms = -1'
    in_served "${psql[@]}" -o /dev/null -c 'CREATE EXTENSION pg_topics'
    trap '"$kafka" stop' EXIT
    "$kafka" start "${apache##*:}"
    # Kafka that has just begun is slow: its code is compiled while it runs
    make_topic 'Apache Kafka' warm_up
    [ -n "$smoke" ] || performance "$apache" warm_up 1000 $((records / 2)) >/dev/null
}

in_served() { in_cluster "$served" "$@"; }
asked() { in_served "${psql[@]}" -At -c "$1"; }

# the server is what is measured: its clients compile what they need, and have a collector that runs beside little else
java() { command java -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@"; }

sides=('pg_topics' 'Apache Kafka' 'Apache Kafka, flushing')
address_of() { if [ "$1" = pg_topics ]; then echo "$listener"; else echo "$apache"; fi; }

# a new topic for each sample
make_topic() {    # SIDE TOPIC
    local options=()
    if [ "$1" = pg_topics ]; then
        asked "SELECT create_topic('$2', $partitions, 'bytea', 'bytea')" >/dev/null
    else
        [ "$1" != 'Apache Kafka, flushing' ] || options=(--config flush.messages=1)
        "$kafka" TopicCommand --bootstrap-server "$apache" --create --topic "$2" --partitions "$partitions" "${options[@]}" >/dev/null
    fi
}

# the CPU time of all threads of a server's processes so far, in microseconds
server_cpu() {    # SIDE
    local pid pids
    if [ "$1" = pg_topics ]; then mapfile -t pids < <(cluster_pids "$served"); else pids=("$(cat "$KAFKA_HOME/server.pid")"); fi
    # those who have ended in between count with their parent
    for pid in "${pids[@]}"; do sed 's/.*) //' "/proc/$pid/stat"; done |
        awk -v hz="$(getconf CLK_TCK)" '{ n += $12 + $13 } NR == 1 { n += $14 + $15 } END { printf "%.0f\n", n / hz * 1e6 }'
}

# ProducerPerformance: records a second, ms of latency on average, in the middle and of the worst hundredth
performance() {    # ADDRESS TOPIC SIZE COUNT [THROUGHPUT [SETTING...]]
    java -cp "$KAFKA_HOME/libs/*" org.apache.kafka.tools.ProducerPerformance --topic "$2" --record-size "$3" --num-records "$4" \
        --throughput "${5:--1}" --command-property bootstrap.servers="$1" "${@:6}" |
        sed -nE '$s|.*sent, ([0-9.]+) records/sec.*, ([0-9.]+) ms avg latency.*, ([0-9]+) ms 50th.*, ([0-9]+) ms 99th.*|\1 \2 \3 \4|p'
}

# at full rate: MEASURE and MEASURE_cpu
full_rate() {    # SIDE MEASURE TOPIC SIZE COUNT [SETTING...]
    local rate rest cpu
    make_topic "$1" "$3"
    cpu=$(server_cpu "$1")
    read -r rate rest < <(performance "$(address_of "$1")" "$3" "$4" "$5" -1 "${@:6}")
    sample "$2" "$1" "$(calculate "$rate * $4 / 1e6")"
    sample "$2_cpu" "$1" "$(calculate "($(server_cpu "$1") - $cpu) / $5")"
}

# at a rate that all of them keep up with
latency() {    # SIDE TOPIC
    local rest average middle worst count=$((seconds * 2000))
    make_topic "$1" "$2"
    read -r rest average middle worst < <(performance "$(address_of "$1")" "$2" 100 "$count" 1000)
    sample acknowledged_average "$1" "$average"
    sample acknowledged_p99 "$1" "$worst"
}

# ConsumerPerformance joins a group, which the listener does not serve: a program of ours takes all partitions
consume() {    # SIDE TOPIC COUNT SIZE
    local cpu ms
    cpu=$(server_cpu "$1")
    ms=$(java -cp "$KAFKA_HOME/libs/*" "$bench/figures/KafkaConsume.java" "$(address_of "$1")" "$2" "$3")
    sample consumed "$1" "$(megabytes_per_second "$3 * $4" "$ms")"
    sample consumed_cpu "$1" "$(calculate "($(server_cpu "$1") - $cpu) / $3")"
}

# from send() to the consumer, one record at a time
end_to_end() {    # SIDE TOPIC
    local middle worst
    make_topic "$1" "$2"
    read -r middle worst < <(java -cp "$KAFKA_HOME/libs/*" "$bench/figures/KafkaEndToEnd.java" "$(address_of "$1")" "$2" $((seconds * 1000)))
    sample end_to_end_p50 "$1" "$middle"
    sample end_to_end_p99 "$1" "$worst"
}

measure() {    # RUN
    local side count n=0
    for side in "${sides[@]}"; do
        n=$((n + 1)) count=$((records / 2))
        # the one that flushes takes long
        [ "$n" -le 2 ] || count=$((records / 10))
        full_rate "$side" produced_1k "kb_$1_$n" 1000 "$count"
        latency "$side" "rate_$1_$n"
        end_to_end "$side" "single_$1_$n"
        # reading and small records do not ask for a flush
        if [ "$n" -le 2 ]; then
            full_rate "$side" produced_100 "small_$1_$n" 100 "$records" linger.ms=5
            consume "$side" "kb_$1_$n" "$((records / 2))" 1000
        fi
    done
}

conclude() {
    remark "one producer or consumer of Kafka's Java client, acks=all, $partitions partitions; pg_topics acknowledges what is flushed to disk"
    remark 'Apache Kafka leaves that to the kernel, unless it is told to flush each request'
    remark 'records of 1,000 bytes; of 100 with linger.ms=5'
    report produced_1k MB/s '>= 1.0' 'r >= 1.0'
    report produced_1k_cpu us/record
    report produced_100 MB/s '>= 1.0' 'r >= 1.0'
    report produced_100_cpu us/record
    remark 'reading 1,000 bytes a record, from the page cache'
    report consumed MB/s '>= 1.2' 'r >= 1.2'
    report consumed_cpu us/record '<= 0.5' 'r <= 0.5'
    remark '1,000 records/s; then one record at a time, from send() to the consumer'
    report acknowledged_average ms
    report acknowledged_p99 ms
    report end_to_end_p50 ms '<= 1.0' 'r <= 1.0'
    report end_to_end_p99 ms
    "$kafka" stop
}
