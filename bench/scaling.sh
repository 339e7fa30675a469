# shellcheck shell=bash disable=SC2034,SC2154
# How costs grow: what scaling_partitions and scaling_records share; sourced by them.
#
# Both work in a cluster of their own, which they start anew and crash, with a topic "one" of one
# partition whose costs are measured.  All costs are in milliseconds: of CPU for append, consume
# and what ends with _cpu, of time for the others.

scale=$work/scale
in_scale() { in_cluster "$scale" "${psql[@]}" -At "$@"; }

# begin_scaling [setting...]
begin_scaling() {
    begin_cluster "$scale" "shared_preload_libraries = 'pg_topics'" 'synchronous_commit = off' 'checkpoint_timeout = 1h' \
        'max_locks_per_transaction = 1024' "$@"
    in_scale -o /dev/null -c 'CREATE EXTENSION pg_topics' -f "$bench/schema.sql" -f "$bench/scaling.sql"
    calls=500 repeats=$((runs > 3 ? 3 : runs))
    if [ -n "$smoke" ]; then calls=20; fi
}
end_scaling() {
    stop_cluster "$scale" immediate
    rm -rf "$scale"
}

# calls_at X MEASURE SQL: CPU of a call, of $calls that a procedure makes
calls_at() {
    local cpu
    cpu=$(in_scale -c 'SELECT bench_cpu()' -c "$3" -c 'SELECT bench_cpu()' | awk '/^[0-9]+$/ { v[++n] = $1 } END { print v[2] - v[1] }')
    sample_at "$2" "$1" "$(calculate "$cpu / $calls / 1000")"
}
time_of() { in_scale -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'; }

# start_at X MEASURE: from the start of the postmaster to the first answer; into MEASURE_cpu the
# postmaster's own CPU time, in which it has loaded the logs
start_at() {
    local from=$EPOCHREALTIME until=$((SECONDS + 300))
    (cd / && as_server_user "$pg_bin/pg_ctl" -D "$scale/data" -l "$scale/server.log" -W start >/dev/null 2>&1)
    until in_cluster "$scale" "$pg_bin/pg_isready" -q; do
        [ "$SECONDS" -lt "$until" ] || { tail -n 30 "$scale/server.log" >&2; die 'the server does not start'; }
    done
    sample_at "$2" "$1" "$(calculate "($EPOCHREALTIME - $from) * 1000")"
    sample_at "$2_cpu" "$1" "$(calculate "$(cpu_of "$(head -n 1 "$scale/data/postmaster.pid")") / 1000")"
}

# The costs that both figures measure, at X.
costs_at() {    # X
    local repeat
    in_scale -c CHECKPOINT
    for repeat in $(seq "$runs"); do
        calls_at "$1" append "CALL append_calls($calls)"
        calls_at "$1" consume "CALL consume_calls('one', 'one', $calls)"
        in_scale -c CHECKPOINT
        sample_at checkpoint_idle "$1" "$(time_of CHECKPOINT)"
        in_scale -c "CALL append_calls(1)"
        sample_at checkpoint "$1" "$(time_of CHECKPOINT)"
    done
    for repeat in $(seq "$repeats"); do
        stop_cluster "$scale"
        start_at "$1" start
        crash_at "$1" fsync
        crash_at "$1" syncfs
    done
}
crash_at() {    # X METHOD
    in_scale -c "ALTER SYSTEM SET recovery_init_sync_method = '$2'" -c 'SELECT pg_reload_conf()' -c CHECKPOINT -c 'CALL append_calls(1)' >/dev/null
    # what the system has not written yet would be waited for by either method
    sync -f "$scale"
    kill_cluster "$scale" >/dev/null
    start_at "$1" "start_crash_$2"
}
