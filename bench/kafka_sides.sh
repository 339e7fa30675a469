# shellcheck shell=bash disable=SC2034,SC2154
# A server with a Kafka listener and Apache Kafka, side by side; sourced by the figures that measure both.
#
# Needs bench/lib.sh, and of the figure: find_kafka has found it.  A side is "pg_topics", or begins with
# "Apache Kafka".

kafka=$tree/test/clients/kafka/apache_kafka
listener=127.0.0.1:54381 apache=127.0.0.1:54383

# start_sides NAME [SETTING...]: Kafka gets what KAFKA_SETTINGS says
start_sides() {
    export KAFKA_HOME
    served=$work/$1
    begin_cluster "$served" "shared_preload_libraries = 'pg_topics'" "pg_topics.kafka_listeners = '$listener/postgres'" \
        "pg_topics.kafka_anonymous_role = 'postgres'" 'pg_topics.log_retention_ms = -1' "${@:2}"
    in_served "${psql[@]}" -o /dev/null -c 'CREATE EXTENSION pg_topics'
    trap '"$kafka" stop' EXIT
    "$kafka" start "${apache##*:}"
}

in_served() { in_cluster "$served" "$@"; }
asked() { in_served "${psql[@]}" -At -c "$1"; }

# the server is what is measured: its clients compile what they need, and have a collector that runs beside little else
java() { command java -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@"; }

address_of() { if [ "$1" = pg_topics ]; then echo "$listener"; else echo "$apache"; fi; }

# the CPU time of all threads of a side so far, in microseconds
server_cpu() {    # SIDE
    local pid pids
    if [ "$1" = pg_topics ]; then mapfile -t pids < <(cluster_pids "$served"); else pids=("$(cat "$KAFKA_HOME/server.pid")"); fi
    # those who have ended in between count with their parent
    for pid in "${pids[@]}"; do sed 's/.*) //' "/proc/$pid/stat"; done |
        awk -v hz="$(getconf CLK_TCK)" '{ n += $12 + $13 } NR == 1 { n += $14 + $15 } END { printf "%.0f\n", n / hz * 1e6 }'
}
