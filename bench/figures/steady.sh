# shellcheck shell=bash disable=SC2034,SC2154
# Producing and consuming at full rate for minutes, beside a transaction that holds vacuum back

rounds=20

# once, whatever --runs is: it takes long enough
measure() {
    [ "$1" -eq 1 ] || return 0
    local holder round session begun pids=()
    run_file steady.sql
    set_config pg_topics.log_retention_check_interval_ms=2s autovacuum_naptime=
    # it has a snapshot and a transaction id for all the time
    (echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id(), count(*) FROM topic_group_offsets;'
        until [ -e "$work/steady.done" ] || [ ! -d "$work" ]; do sleep 0.2; done) | in_ours "${psql[@]}" -o /dev/null &
    holder=$!
    ask "SELECT count(*) FROM consume('steady_topic', 'steady')" >/dev/null
    ask "SELECT steady_note(0)" >/dev/null
    begun=$EPOCHREALTIME
    for session in produce consume; do
        PGAPPNAME="steady_$session" pgbench -T "$(calculate "int($minutes * 60) + 3")" -f "$bench/figures/steady_$session.sql" >/dev/null &
        pids+=($!)
    done
    echo '(minute: records/s produced and consumed; records behind, lost; MB of topic, WAL, offsets table; its dead rows; CPU us/record of either)'
    for round in $(seq "$rounds"); do
        # from the beginning on, so that the last one ends before the load does
        sleep "$(awk -v b="$begun" -v now="$EPOCHREALTIME" -v end="$(calculate "$minutes * 60 * $round")" -v n="$rounds" \
            'BEGIN { s = b + end / n - now; print (s > 0 ? s : 0) }')"
        ask "SELECT steady_note($round)" >/dev/null
        ask "SELECT format('%s: %s %s; %s, %s; %s %s %s; %s; %s %s', round(minute, 1), round(produced), round(consumed),
                 behind, lost, topic_bytes / 1000000, wal_bytes / 1000000,
                 round(offsets_bytes / 1e6, 1), dead_rows, round(produce_cpu::numeric, 3), round(consume_cpu::numeric, 3)) FROM steady_rates WHERE round = $round"
    done
    for session in "${pids[@]}"; do wait "$session"; done
    touch "$work/steady.done"
    wait "$holder"
    set_config pg_topics.log_retention_check_interval_ms= autovacuum_naptime=1h
}

average() { ask "SELECT coalesce(avg($1), 0) FROM steady_rates WHERE $2"; }    # COLUMN CONDITION

conclude() {
    local column
    for column in produced consumed produce_cpu consume_cpu; do
        sample "$column" 'last quarter' "$(average "$column" "round > $((rounds * 3 / 4))")"
        sample "$column" 'first quarter' "$(average "$column" "round <= $((rounds / 4))")"
    done
    sample offsets_table 'at the end' "$(average offsets_bytes "round = $rounds")"
    sample offsets_table 'after a round' "$(average offsets_bytes 'round = 1')"
    remark "$minutes minutes"
    report produced records/s '>= 0.9' 'r >= 0.9'
    report consumed records/s '>= 0.9' 'r >= 0.9'
    report produce_cpu us/record '<= 1.1' 'r <= 1.1'
    report consume_cpu us/record '<= 1.1' 'r <= 1.1'
    remark 'the table of committed offsets: old versions that vacuum may not remove'
    report offsets_table bytes
    ask "SELECT drop_topic('steady_topic')" >/dev/null
}
