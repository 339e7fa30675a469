# shellcheck shell=bash disable=SC2034,SC2154
# Kafka's own measuring tools against the Kafka listener and against Apache Kafka

# shellcheck source=bench/kafka_sides.sh
source "$bench/kafka_sides.sh"

prepare() {
    find_kafka || return 0
    partitions=4 reader=$work/kafka_reader
    gcc -O2 -o "$reader" "$bench/figures/kafka_reader.c" -lpthread
    # Kafka relies on the page cache alone; what the log of the server needs for such loads is said in docs/kafka.md
    start_sides kafka 'wal_buffers = 64MB'
    # Kafka that has just begun is slow: its code is compiled while it runs
    make_topic 'Apache Kafka' warm_up
    [ -n "$smoke" ] || performance "$apache" warm_up 1000 $((records / 2)) >/dev/null
}

sides=('pg_topics' 'Apache Kafka' 'Apache Kafka, flushing')

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

# ConsumerPerformance joins a group, which takes its time: a program of ours takes all partitions
consume() {    # SIDE TOPIC COUNT SIZE
    local cpu client TIMEFORMAT='%U + %S'
    cpu=$(server_cpu "$1")
    client=$({ time java -cp "$KAFKA_HOME/libs/*" "$bench/figures/KafkaConsume.java" "$(address_of "$1")" "$2" "$3" >"$work/consume.ms"; } 2>&1 | tail -n 1)
    sample consumed "$1" "$(megabytes_per_second "$3 * $4" "$(cat "$work/consume.ms")")"
    sample consumed_cpu "$1" "$(calculate "($(server_cpu "$1") - $cpu) / $3")"
    sample consumed_client_cpu "$1" "$(calculate "($client) * 1e6 / $3")"
}

# a consumer that throws the records away
discard() {    # SIDE TOPIC COUNT
    local cpu rate rest address
    address=$(address_of "$1")
    cpu=$(server_cpu "$1")
    read -r rate rest < <("$reader" "${address%:*}" "${address##*:}" "$2" "$partitions")
    sample discarded "$1" "$rate"
    sample discarded_cpu "$1" "$(calculate "($(server_cpu "$1") - $cpu) / $3")"
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
            discard "$side" "kb_$1_$n" "$((records / 2))"
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
    remark 'the Java client takes this itself, with its start: where it is many times what the server takes, it is what is measured'
    report consumed_client_cpu us/record
    remark 'the same records to a client that throws them away'
    report discarded MB/s
    report discarded_cpu us/record
    remark '1,000 records/s; then one record at a time, from send() to the consumer'
    report acknowledged_average ms
    report acknowledged_p99 ms
    report end_to_end_p50 ms '<= 1.0' 'r <= 1.0'
    report end_to_end_p99 ms
    "$kafka" stop
}
