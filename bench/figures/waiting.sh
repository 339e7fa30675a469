# shellcheck shell=bash disable=SC2034,SC2154
# Consumers that wait while others produce: CPU an event, and what the producers notice

events=2000    # a second, a transaction each

prepare() {
    has_min_records=''
    ! has_function consume min_records || has_min_records=yes
    run_file waiting.sql
}

# Four producers at a steady rate, with so many consumers that wait beside them: CPU of all
# their processes an event, the producers' median and 99th percentile in microseconds
waiting() {    # SIDE SCRIPT [pgbench argument...]
    local side=$1 script=$2 consumers='' producers pids cpu cpu_after produced p50 p99
    shift 2
    ask 'TRUNCATE waiting_topic'
    ask CHECKPOINT
    export PGOPTIONS='-c synchronous_commit=off'
    if [ -n "$script" ]; then
        PGAPPNAME=waiting_consumer pgbench -T $((seconds + 2 * slack)) "$@" -f "$bench/figures/$script" >"$work/waiting.consumers" &
        consumers=$!
        wait_for_sessions 4 "application_name = 'waiting_consumer'" "$consumers"
    fi
    rm -f "$work"/waiting.log.*
    PGAPPNAME=waiting_producer pgbench -c 4 -j 1 -R "$events" -T $((seconds + slack)) --log --log-prefix="$work/waiting.log" \
        -f "$bench/figures/waiting_produce.sql" >/dev/null &
    producers=$!
    wait_for_sessions 4 "application_name = 'waiting_producer'" "$producers"
    mapfile -t pids < <(pids_of "application_name LIKE 'waiting%'")
    produced=$(end_offset) cpu=$(cpu_of "${pids[@]}")
    sleep "$seconds"
    cpu_after=$(cpu_of "${pids[@]}") || die 'the clients have ended early'
    cpu=$((cpu_after - cpu)) produced=$(($(end_offset) - produced))
    wait "$producers"
    [ -z "$consumers" ] || wait "$consumers"
    unset PGOPTIONS
    [ "$produced" -gt 0 ] || die 'nothing was produced meanwhile'
    sample cpu "$side" "$(calculate "$cpu / $produced")"
    # from when it was sent; by the schedule it would be pgbench's own sleeping as well
    read -r p50 p99 < <(awk '{ print $3 - $7 }' "$work"/waiting.log.* | sort -n |
        awk '{ v[NR] = $1 } END { print v[int(NR / 2) + 1], v[int(NR * 0.99) + 1] }')
    sample producer_p50 "$side" "$p50"
    sample producer_p99 "$side" "$p99"
}
end_offset() { ask "SELECT sum(log_end_offset) FROM pg_topic_partitions WHERE topic = 'waiting_topic'::regclass"; }

measure() {
    waiting 'one group' waiting_consume.sql -c 4 -j 1
    waiting 'no consumers' ''
    waiting 'four groups' waiting_consume_own.sql -c 4 -j 1
    [ -z "$has_min_records" ] || waiting 'min_records' waiting_consume_min.sql -c 4 -j 1
}

conclude() {
    remark "$events one-record transactions a second on one partition, synchronous_commit off, four consumers that wait in consume(); CPU of all these sessions"
    [ -n "$has_min_records" ] || remark 'min_records => 100: not measured, consume() has no such argument here'
    report cpu us/event
    report producer_p50 us
    report producer_p99 us
}
