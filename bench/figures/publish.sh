# shellcheck shell=bash disable=SC2034,SC2154
# A table's changes published by publish_changes(), beside a trigger that fills an outbox

prepare() {
    scale=10 commits=(off on) rounds=3
    if [ -n "$smoke" ]; then scale=1 commits=(off) rounds=1; fi
    in_ours "$pg_bin/pgbench" -i -q -s "$scale" >/dev/null 2>&1
    in_ours "${psql[@]}" -o /dev/null -v records="$records" -f "$bench/figures/publish.sql"
    # pages written whole after a checkpoint would hide what a transaction adds
    set_config full_page_writes=off
    # warm: pages in memory, hint bits set
    [ -n "$smoke" ] || pgbench -c 8 -j 2 -T "$seconds" >/dev/null
}

# pgbench's standard transaction, 8 clients, with one trigger or none: transactions a
# second, and of its backends CPU and WAL a transaction
standard_load() {    # none|pg_topics|outbox on|off
    local load pids cpu cpu_after wal done_before done_after out=$work/publish.out
    ask "CALL publish_by('$1')"
    PGOPTIONS="-c synchronous_commit=$2" pgbench -c 8 -j 2 -T $((seconds + slack)) >"$out" &
    load=$!
    wait_for_sessions 1 "application_name = 'pgbench' AND query LIKE 'END%'" "$load"
    mapfile -t pids < <(pids_of "application_name = 'pgbench'")
    # whole transactions are what matters: the few under way at both ends are the same on all sides
    done_before=$(ask 'SELECT count(*) FROM pgbench_history') wal=$(wal_position) cpu=$(cpu_of "${pids[@]}")
    sleep "$seconds"
    cpu_after=$(cpu_of "${pids[@]}") || die 'the clients have ended early'
    cpu=$((cpu_after - cpu)) wal=$(($(wal_position) - wal)) done_after=$(ask 'SELECT count(*) FROM pgbench_history')
    wait "$load"
    echo "$(tps_in "$(cat "$out")") $(calculate "$cpu / ($done_after - $done_before)") $(calculate "$wal / ($done_after - $done_before)")"
}
# what each trigger adds, against the load without one just before
beside_each_other() {    # on|off
    local side tps cpu wal no_tps no_cpu no_wal
    read -r no_tps no_cpu no_wal < <(standard_load none "$1")
    for side in pg_topics outbox; do
        read -r tps cpu wal < <(standard_load "$side" "$1")
        sample "tps_$1" "$side" "$tps"
        sample "added_cpu_$1" "$side" "$(calculate "$cpu - $no_cpu")"
        sample "added_wal_$1" "$side" "$(calculate "$wal - $no_wal")"
    done
    sample "tps_$1" 'no trigger' "$no_tps"
}
# rows a second of one UPDATE of all rows: the statement trigger, and the outbox's
update_all() {    # SIDE BY
    ask "CALL publish_by('$2')"
    ask 'VACUUM published_rows'
    ask CHECKPOINT
    timed_sample one_update "$1" "$records" 'UPDATE published_rows SET abalance = abalance + 1'
}
measure() {
    local round commit
    for round in $(seq "$rounds"); do
        for commit in "${commits[@]}"; do beside_each_other "$commit"; done
    done
    update_all 'pg_topics, a statement' statement
    update_all 'outbox, each row' outbox_rows
}

conclude() {
    local commit
    remark "pgbench, scale $scale, 8 clients; the outbox's trigger is in PL/pgSQL and inserts the same JSON into a table"
    for commit in "${commits[@]}"; do
        remark "synchronous_commit $commit"
        report "tps_$commit" transactions/s
        report "added_cpu_$commit" us '<= 25 us and <= 0.5' 'o <= 25 && r <= 0.5'
        report "added_wal_$commit" 'bytes of WAL' '<= 350 bytes' 'o <= 350'
    done
    remark "one UPDATE of $records rows"
    report one_update rows/s '>= 3' 'r >= 3'
    set_config full_page_writes=
    ask 'DROP TABLE published_rows, outbox'
}
