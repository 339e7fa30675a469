# shellcheck shell=bash disable=SC2034,SC2154
# One record a transaction, beside a heap table: 1, 8 and 32 clients, synchronous_commit on and off

prepare() {
    clients=(1 8 32) commits=(on off)
    if [ -n "$smoke" ]; then clients=(8) commits=(off); fi
    run_file single.sql
}

# WAL flushes a transaction: how well commits share them
single() {    # SIDE CLIENTS SYNCHRONOUS_COMMIT SCRIPT
    local out syncs
    syncs=$(ask 'SELECT wal_sync FROM pg_stat_wal')
    out=$(PGOPTIONS="-c synchronous_commit=$3" pgbench -c "$2" -j 2 -T "$seconds" -f "$bench/figures/$4")
    sample "clients_$2_$3" "$1" "$(tps_in "$out")"
    [ "$3" = on ] || return 0
    syncs=$(($(ask 'SELECT wal_sync FROM pg_stat_wal') - syncs))
    sample "flushes_$2" "$1" "$(calculate "$syncs / $(transactions_in "$out")")"
}
measure() {
    local count commit
    ask CHECKPOINT
    for commit in "${commits[@]}"; do
        for count in "${clients[@]}"; do
            single 'pg_topics' "$count" "$commit" single_topic.sql
            single 'heap' "$count" "$commit" single_heap.sql
        done
    done
}

conclude() {
    local count commit
    for commit in "${commits[@]}"; do
        for count in "${clients[@]}"; do
            report "clients_${count}_$commit" transactions/s '>= 1.0' 'r >= 1.0'
        done
    done
    [ -z "$smoke" ] || return 0
    remark 'WAL flushes a transaction, all on one partition: below 1 where commits share them'
    report flushes_1 flushes
    report flushes_8 flushes
    report flushes_32 flushes '< 0.5' 'o < 0.5'
}
