# shellcheck shell=bash disable=SC2034,SC2154
# Share groups: 8 workers on one partition that take 1, 10 and 100 jobs a transaction, beside FOR UPDATE SKIP LOCKED

prepare() {
    workers=8 batches=(1 10 100) commits=(on off)
    if [ -n "$smoke" ]; then batches=(10) commits=(off); fi
    run_file share.sql
}

# So many jobs that the workers do not get through them in the time.
fill() {    # BATCH
    local jobs=$((records / 10))
    [ "$1" -lt 10 ] || jobs=$((records / 2))
    [ "$1" -lt 100 ] || jobs=$((records * 3))
    ask "CALL share_fill($jobs)"
    ask 'VACUUM ANALYZE share_heap'
    ask CHECKPOINT
}

# Jobs a second that the workers process, each batch in a transaction of its own.
work() {    # BATCH SYNCHRONOUS_COMMIT SCRIPT
    local out
    out=$(PGOPTIONS="-c synchronous_commit=$2" pgbench -c "$workers" -j 2 -T "$seconds" -D batch="$1" -f "$bench/figures/$3")
    calculate "$(tps_in "$out") * $1"
}

measure() {
    local batch commit heap
    for commit in "${commits[@]}"; do
        for batch in "${batches[@]}"; do
            fill "$batch"
            sample "batch_${batch}_$commit" 'pg_topics' "$(work "$batch" "$commit" share_topic.sql)"
            sample "lease_${batch}_$commit" 'pg_topics' "$(work "$batch" "$commit" share_lease.sql)"
            heap=$(work "$batch" "$commit" share_heap.sql)
            sample "batch_${batch}_$commit" 'heap, SKIP LOCKED' "$heap"
            sample "lease_${batch}_$commit" 'heap, SKIP LOCKED' "$heap"
        done
    done
    # what is left behind: rows that are dead and not vacuumed, acknowledgements that are not merged
    sample left 'pg_topics' "$(ask "SELECT (pg_total_relation_size('topic_share_groups') + pg_total_relation_size('topic_share_acks_0') + pg_total_relation_size('topic_share_acks_1')) / 1e6")"
}

conclude() {
    local batch commit
    for commit in "${commits[@]}"; do
        for batch in "${batches[@]}"; do
            report "batch_${batch}_$commit" jobs/s '>= 3' 'r >= 3'
            report "lease_${batch}_$commit" jobs/s
        done
    done
    [ -n "$smoke" ] || report left MB
}
