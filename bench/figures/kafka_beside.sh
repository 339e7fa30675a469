# shellcheck shell=bash disable=SC2034,SC2154
# SQL beside the Kafka listener: what it costs SQL's producers, how soon a Kafka consumer has their records, idle connections

connections=1000

prepare() {
    find_kafka || return 0
    listener=127.0.0.1:54385
    listening=$work/listening silent=$work/silent
    begin_cluster "$listening" "shared_preload_libraries = 'pg_topics'" "pg_topics.kafka_listeners = '$listener/postgres'" \
        "pg_topics.kafka_anonymous_role = 'postgres'" "pg_topics.kafka_max_connections = $((connections + 100))"
    begin_cluster "$silent" "shared_preload_libraries = 'pg_topics'"
    for cluster in "$listening" "$silent"; do
        in_cluster "$cluster" "${psql[@]}" -o /dev/null -c 'CREATE EXTENSION pg_topics' -c "SELECT create_topic('beside', 4)"
    done
}

java() { command java -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$KAFKA_HOME/libs/*" "$@"; }
statement="SELECT produce('beside', 'key', 'value')"

# four sessions, each with a transaction a record
producers() {    # SIDE CLUSTER MEASURE [SETTING]
    local out
    echo "$statement;" >"$work/beside.sql"
    out=$(PGOPTIONS=${4:-} in_cluster "$2" "$pg_bin/pgbench" -n -M prepared -c 4 -j 1 -T "$seconds" -f "$work/beside.sql")
    sample "$3" "$1" "$(tps_in "$out")"
}

# from an SQL statement to a Kafka consumer that waits
wake() {
    local answered middle worst
    read -r answered middle worst < <(in_cluster "$listening" java "$bench/figures/KafkaWoken.java" "$listener" beside $((seconds * 200)) \
        "$statement" "${psql[@]}" -At)
    sample arrived_p50 'at the Kafka consumer' "$middle"
    sample arrived_p50 'at the SQL session' "$answered"
    sample arrived_p99 'at the Kafka consumer' "$worst"
}

worker_pid() { in_cluster "$listening" "${psql[@]}" -At -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'"; }
anonymous_kb() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }

# connections that do nothing
idle() {
    local pid kb cpu client line
    pid=$(worker_pid)
    kb=$(anonymous_kb "$pid")
    coproc CLIENT { java "$bench/figures/KafkaIdle.java" "$listener" "$connections"; }
    client=$CLIENT_PID
    read -r line <&"${CLIENT[0]}" || die 'the connections were refused'
    sample idle_memory "$connections connections" "$(calculate "($(anonymous_kb "$pid") - $kb) / $connections")"
    cpu=$(cpu_of "$pid")
    sleep "$seconds"
    sample idle_cpu "$connections connections" "$(calculate "($(cpu_of "$pid") - $cpu) / $seconds / 1e4")"
    eval "exec ${CLIENT[1]}>&-"
    wait "$client"
}

measure() {    # RUN
    producers 'listener on' "$listening" producing
    producers 'listener off' "$silent" producing
    producers 'listener on' "$listening" producing_async '-c synchronous_commit=off'
    producers 'listener off' "$silent" producing_async '-c synchronous_commit=off'
    wake
    idle
}

conclude() {
    remark 'four SQL sessions, each with a transaction a record; synchronous_commit on and off'
    report producing tps '>= 0.95' 'r >= 0.95'
    report producing_async tps '>= 0.95' 'r >= 0.95'
    remark 'a record of one SQL session, from the moment when its statement is sent; the Kafka consumer waits in Fetch'
    report arrived_p50 ms
    report arrived_p99 ms
    remark "$connections idle connections: memory of each, and the CPU of the worker in per cent of a core"
    report idle_memory kB
    report idle_cpu %
}
