# shellcheck shell=bash disable=SC2034,SC2154
# Consumer groups, beside a queue in a heap table and PgQ: batches, several groups, several sessions

prepare() {
    batches=(100 1000 10000)
    need_data read
    run_file groups.sql
    prepare_pgq
    bytes_before=$(log_bytes read_topic)
}

# the milliseconds that N sessions of a group take to read a topic together
drain_sessions() {    # N GROUP
    local from=$EPOCHREALTIME session pids=()
    for session in $(seq "$1"); do
        in_ours "${psql[@]}" -o /dev/null -c "CALL drain_group('four_topic', '$2', 1000)" &
        pids+=($!)
    done
    for session in "${pids[@]}"; do wait "$session"; done
    calculate "($EPOCHREALTIME - $from) * 1000"
}
consumed_all() { [ "$(ask "SELECT sum(lag) FROM pg_topic_groups WHERE group_id = '$1'")" = 0 ] || die "group $1 has not read all"; }

# batches of a size, with commits that wait for the disk and with such that do not
batch_of() {    # RUN BATCH SYNCHRONOUS_COMMIT
    local name=batch_$2 group="batch $2 $3 $1"
    [ "$3" = on ] || name+=_nosync
    timed_sample "$name" 'pg_topics' "$records" "CALL drain_group('read_topic', '$group', $2)" "-c synchronous_commit=$3"
    consumed_all "$group"
    ask 'TRUNCATE queue_heap'
    ask 'INSERT INTO queue_heap (key, value) SELECT key, value FROM read_heap'
    ask 'VACUUM ANALYZE queue_heap'
    timed_sample "$name" 'heap, SKIP LOCKED' "$records" "CALL drain_queue($2)" "-c synchronous_commit=$3"
}

# PgQ's batches are what lies between two ticks
prepare_pgq() {
    local batch
    pgq_batches=()
    if [ -n "$smoke" ]; then return; fi
    if ! (need_packages "postgresql-$pg_major-pgq3") >"$work/pgq.log" 2>&1 ||
        ! can "SELECT FROM pg_available_extensions WHERE name = 'pgq'"; then
        echo 'PgQ: not measured, the server has no extension pgq'
        return
    fi
    pgq_batches=(1000 10000 100000)
    run_file groups_pgq.sql
    for batch in "${pgq_batches[@]}"; do
        ask "CALL fill_pgq('pgq_$batch', $records, $batch)"
    done
    ask 'VACUUM ANALYZE'
}

measure() {    # RUN
    local batch group ms=()
    for batch in "${batches[@]}"; do
        batch_of "$1" "$batch" on
        batch_of "$1" "$batch" off
    done
    [ ${#pgq_batches[@]} -eq 0 ] ||
        timed_sample pgq 'pg_topics' "$records" "CALL drain_group('read_topic', 'pgq $1', 10000)"
    for batch in "${pgq_batches[@]}"; do
        timed_sample pgq "PgQ, $batch a tick" "$records" "CALL drain_pgq('pgq_$batch', 'run $1', $records)"
    done
    for group in a b c; do
        ms+=("$(milliseconds "CALL drain_group('read_topic', '$group $1', 1000)")")
    done
    sample three_groups 'three groups' "$(calculate "${ms[0]} + ${ms[1]} + ${ms[2]}")"
    sample three_groups 'the first of them' "${ms[0]}"
    sample sessions 'four sessions' "$(per_second "$records" "$(drain_sessions 4 "four $1")")"
    sample sessions 'one session' "$(per_second "$records" "$(drain_sessions 1 "one $1")")"
    consumed_all "four $1"
    sample storage 'after groups have read' "$(log_bytes read_topic)"
    sample storage 'before' "$bytes_before"
}

conclude() {
    local batch
    for batch in "${batches[@]}"; do
        report "batch_$batch" records/s '>= 5' 'r >= 5'
        report "batch_${batch}_cpu" us/record
    done
    remark 'the same with synchronous_commit off'
    for batch in "${batches[@]}"; do report "batch_${batch}_nosync" records/s; done
    if [ ${#pgq_batches[@]} -gt 0 ]; then
        remark 'batches of 10000; PgQ with so many events between two ticks'
        report pgq records/s '>= 1' 'r >= 1'
    fi
    report three_groups ms '<= 3.3' 'r <= 3.3'
    report storage bytes '= 1' 'r == 1'
    remark 'four partitions'
    report sessions records/s '>= 1.6 (needs 4 CPUs)' 'r >= 1.6'
}
