# shellcheck shell=bash disable=SC2034,SC2154
# Transactions of Kafka's own producer: one producer, many at once, and with offsets, beside Apache Kafka

# shellcheck source=bench/kafka_sides.sh
source "$bench/kafka_sides.sh"

producers=500 records=100 size=100 partitions=12 load_seconds=$((seconds * 3)) warm_up=4
[ -z "$smoke" ] || producers=20 load_seconds=1 warm_up=0.3

prepare() {
    find_kafka || return 0
    # a producer has a connection for what it asks before it knows the broker, and another one
    start_sides kafka_transactions "pg_topics.kafka_max_connections = $((2 * producers + 100))"
    classes=$served.classes
    mkdir "$classes"
    javac -proc:none -cp "$KAFKA_HOME/libs/*" -d "$classes" "$bench/figures/KafkaTransactions.java"
    asked "SELECT create_topic('accounts', $partitions, 'bytea', 'bytea')" >/dev/null
    "$kafka" TopicCommand --bootstrap-server "$apache" --create --topic accounts --partitions "$partitions" >/dev/null
    # Kafka that has just begun is slow: its code is compiled while it runs
    [ -n "$smoke" ] || play 'Apache Kafka' 50 1+offsets
}

# What pg_topics knows of transactions, where a load has failed: what clients of Kafka's say is half of it.
tell_state() {    # SIDE
    [ "$1" = pg_topics ] || return 0
    asked "SELECT 'error: pg_topics has ' || count(*) || ' connections, last API ' || last_api || ', with requests that wait: ' ||
            sum(waiting_requests) FROM pg_kafka_connections GROUP BY last_api ORDER BY count(*) DESC LIMIT 3" >&2
    asked "SELECT 'error: pg_topics has ' || count(*) || ' transactional ids, ' || state FROM pg_kafka_transactions GROUP BY state" >&2
}

# play SIDE LOAD...: the loads one behind the other.  Of each of them what the program prints into $answers, and the CPU time
# of the side meanwhile, in microseconds, into $cpus
play() {
    local side=$1 load line before player
    coproc PLAYER {
        java -Xmx2g -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$classes:$KAFKA_HOME/libs/*" KafkaTransactions "$(address_of "$side")" accounts "$records" "$size" \
            "$load_seconds" "$warm_up" "${@:2}"
    }
    player=$PLAYER_PID answers=() cpus=()
    exec 8<&"${PLAYER[0]}"
    for load in "${@:2}"; do
        read -r line <&8 && before=$(server_cpu "$side") && read -r line <&8 ||
            { tell_state "$side"; die "$side: transactions of $load producers have failed"; }
        cpus+=("$(($(server_cpu "$side") - before))") answers+=("$line")
    done
    wait "$player"
}

# take MEASURE SIDE N: the samples of the Nth load
take() {
    local rate middle worst longest count least
    read -r rate middle worst longest count least <<<"${answers[$3]}"
    sample "$1_rate" "$2" "$rate"
    sample "$1_cpu" "$2" "$(calculate "${cpus[$3]} / $count")"
    sample "$1_p50" "$2" "$middle"
    sample "$1_p99" "$2" "$worst"
    [ "$1" != many ] || {
        sample many_longest "$2" "$longest"
        sample many_least "$2" "$(calculate "$least * $producers / $count * 100")"
    }
}

# what Kafka has written is written by the kernel when it likes
flush_topics() {    # VALUE
    local topic
    for topic in accounts __transaction_state __consumer_offsets; do
        "$kafka" ConfigCommand --bootstrap-server "$apache" --alter --entity-type topics --entity-name "$topic" \
            --add-config "flush.messages=$1" >/dev/null
    done
}

measure() {    # RUN
    local side sides=('pg_topics' 'Apache Kafka' 'Apache Kafka, flushing')
    [ -z "$smoke" ] || sides=('pg_topics' 'Apache Kafka')
    for side in "${sides[@]}"; do
        [ "$side" != 'Apache Kafka, flushing' ] || flush_topics 1
        play "$side" 1 1+offsets "$producers"
        take one "$side" 0
        take offsets "$side" 1
        take many "$side" 2
    done
    [ -n "$smoke" ] || flush_topics 9223372036854775807
}

conclude() {
    remark "transactions of $records records of $size bytes, as fast as they are committed; pg_topics answers when that is flushed"
    remark 'by one producer; the times are those of commitTransaction()'
    report one_rate /s '>= 0.8' 'r >= 0.8'
    report one_cpu us/transaction
    report one_p50 ms
    report one_p99 ms
    remark 'the same, each with an offset of a group'
    report offsets_rate /s '>= 0.8' 'r >= 0.8'
    report offsets_cpu us/transaction
    report offsets_p50 ms
    report offsets_p99 ms
    remark "by $producers producers at once"
    report many_rate /s '>= 0.8' 'r >= 0.8'
    report many_cpu us/transaction
    report many_p50 ms
    report many_p99 ms
    report many_longest ms
    remark 'of the producer with the fewest, in per cent of what each has on average'
    report many_least %
    "$kafka" stop
}
