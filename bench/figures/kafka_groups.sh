# shellcheck shell=bash disable=SC2034,SC2154
# Consumer groups of Kafka's clients: heartbeats, rebalances and commits of offsets, beside Apache Kafka

# shellcheck source=bench/kafka_sides.sh
source "$bench/kafka_sides.sh"

groups=1000 members=100 rounds=10 connections=50 partitions=200 commit_rate=2000 heartbeat_seconds=10
# the intervals of Kafka's clients, in ms
classic_interval=3000 consumer_interval=5000
[ -z "$smoke" ] || groups=20 members=5 rounds=1 commit_rate=100 heartbeat_seconds=1 classic_interval=500 consumer_interval=500

prepare() {
    find_kafka || return 0
    # a wait of Kafka's for more changes that may come is not what is measured
    export KAFKA_SETTINGS='group.consumer.assignment.interval.ms=0'
    start_sides kafka_groups "pg_topics.kafka_max_connections = $((groups + 200))" 'pg_topics.max_partitions = 1000'
    classes=$served.classes
    mkdir "$classes"
    javac -proc:none -cp "$KAFKA_HOME/libs/*" -d "$classes" "$bench/figures/KafkaGroups.java"
    asked "SELECT create_topic('shared', $partitions, 'bytea', 'bytea')" >/dev/null
    "$kafka" TopicCommand --bootstrap-server "$apache" --create --topic shared --partitions "$partitions" >/dev/null
    worker=$(asked "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'")
    # Kafka that has just begun is slow: its code is compiled while it runs
    [ -n "$smoke" ] || for what in "rebalance classic $members 5" "rebalance consumer $members 5" "commits $connections 0 10"; do
        # shellcheck disable=SC2086
        play 'Apache Kafka' $what
    done
}

# play SIDE ARGUMENTS...: what the program prints into $answer, and the CPU time of the side meanwhile into $cpu, and of the
# process that serves the clients into $listener_cpu, in microseconds
play() {
    local tries=1
    # where the other side stumbles, there is nothing to compare with, and nothing wrong with ours
    [ "$1" = pg_topics ] || tries=3
    until play_once "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "$1 did not play: ${*:2}"
    done
}

play_once() {
    local side=$1 line before listener_before player status=0
    shift
    coproc PLAYER { java -cp "$classes:$KAFKA_HOME/libs/*" KafkaGroups "$(address_of "$side")" shared "$partitions" "$@"; }
    player=$PLAYER_PID
    exec 8<&"${PLAYER[0]}"
    read -r line <&8 || status=1
    before=$(server_cpu "$side") listener_before=$(cpu_of "$worker")
    [ "$status" -ne 0 ] || read -r answer <&8 || status=1
    cpu=$(($(server_cpu "$side") - before)) listener_cpu=$(($(cpu_of "$worker") - listener_before))
    wait "$player" || status=1
    return "$status"
}

# per cent of a core
heartbeats() {    # SIDE MEASURE PROTOCOL INTERVAL_MS
    local took
    play "$1" heartbeats "$3" "$groups" "$4" "$heartbeat_seconds"
    took=$cpu
    # the others of the server's processes have nothing to do
    [ "$1" != pg_topics ] || took=$listener_cpu
    sample "$2" "$1" "$(calculate "$took / $heartbeat_seconds / 1e4")"
}

rebalances() {    # SIDE PROTOCOL
    local one all
    play "$1" rebalance "$2" "$members" "$rounds"
    read -r one all <<<"$answer"
    sample "$2_one_more" "$1" "$one"
    sample "$2_all" "$1" "$all"
}

commits() {    # SIDE MEASURE RATE
    local rate middle worst
    play "$1" commits "$connections" "$3" "$seconds"
    read -r rate middle worst <<<"$answer"
    sample "$2_rate" "$1" "$rate"
    sample "$2_p50" "$1" "$middle"
    sample "$2_p99" "$1" "$worst"
    sample "$2_cpu" "$1" "$(calculate "$cpu / $rate / $seconds")"
}

# Kafka's offsets are records of a topic, which the kernel writes when it likes
flush_offsets() {    # VALUE
    "$kafka" ConfigCommand --bootstrap-server "$apache" --alter --entity-type topics --entity-name __consumer_offsets \
        --add-config "flush.messages=$1" >/dev/null
}

measure() {    # RUN
    local side
    for side in 'pg_topics' 'Apache Kafka'; do
        heartbeats "$side" heartbeats_classic classic "$classic_interval"
        heartbeats "$side" heartbeats_consumer consumer "$consumer_interval"
        rebalances "$side" classic
        rebalances "$side" consumer
    done
    for side in 'pg_topics' 'Apache Kafka' 'Apache Kafka, flushing'; do
        [ "$side" != 'Apache Kafka, flushing' ] || flush_offsets 1
        commits "$side" commit "$commit_rate"
        commits "$side" commit_most 0
    done
    flush_offsets 9223372036854775807
}

conclude() {
    remark "$groups groups of one member, with the clients' intervals: 3 s in the classic protocol, 5 s in the new one"
    remark 'per cent of a core: of the process that serves the clients, and of Apache Kafka'
    report heartbeats_classic % '< 3' 'o < 3'
    report heartbeats_consumer % '< 3' 'o < 3'
    remark "a group of $members members and $partitions partitions, until all have their share: one more joins; all join at once"
    remark 'members ask again when they are answered, so that it is not the time between heartbeats; Apache Kafka waits for no further changes'
    report classic_one_more ms '<= 1.0' 'r <= 1.0'
    report classic_all ms '<= 1.0' 'r <= 1.0'
    report consumer_one_more ms '<= 1.0' 'r <= 1.0'
    report consumer_all ms '<= 1.0' 'r <= 1.0'
    remark "$connections groups that commit an offset each again and again, together $commit_rate times a second; pg_topics answers when that is flushed"
    report commit_rate /s ">= $((commit_rate * 98 / 100))" "o >= $((commit_rate * 98 / 100))"
    report commit_cpu us/commit
    report commit_p50 ms
    report commit_p99 ms
    remark 'the same, as soon as they are answered'
    report commit_most_rate /s
    report commit_most_cpu us/commit
    report commit_most_p50 ms
    report commit_most_p99 ms
    "$kafka" stop
}
