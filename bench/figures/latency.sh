# shellcheck shell=bash disable=SC2034,SC2154
# From a commit to a waiting consumer, beside LISTEN/NOTIFY and DELETE ... RETURNING

rate=200

prepare() {
    ways=(transaction auto)
    [ -z "$smoke" ] || ways=(auto)
    gcc -O2 -o "$work/latency" "$bench/figures/latency.c" -I"$("$PG_CONFIG" --includedir)" -L"$("$PG_CONFIG" --libdir)" -lpq
    run_file latency.sql
}

latency() {    # SIDE topic|queue auto|transaction
    local p50 p99 sent_p50 sent_p99 time=$((seconds * 2))
    [ -z "$smoke" ] || time=1
    read -r p50 p99 sent_p50 sent_p99 <<<"$(in_ours "$work/latency" "$2" "$3" "$time" "$rate")"
    sample "$3_p50" "$1" "$p50"
    sample "$3_p99" "$1" "$p99"
    sample "$3_from_send_p50" "$1" "$sent_p50"
    sample "$3_from_send_p99" "$1" "$sent_p99"
}
measure() {
    local way
    for way in "${ways[@]}"; do
        latency 'pg_topics' topic "$way"
        latency 'NOTIFY' queue "$way"
    done
}

conclude() {
    local way
    remark "$rate records/s, a transaction each"
    for way in "${ways[@]}"; do
        case $way in
            transaction) remark 'in a transaction of the consumer: it has the record before its own commit' ;;
            auto) remark "a statement is a transaction: either side's consumer waits for its own commit as well" ;;
        esac
        report "${way}_p50" ms '<= 0.6' 'r <= 0.6'
        report "${way}_p99" ms '<= 0.6' 'r <= 0.6'
        remark 'the same from when the producer sends it, so with the commit'
        report "${way}_from_send_p50" ms
        report "${way}_from_send_p99" ms
    done
}
