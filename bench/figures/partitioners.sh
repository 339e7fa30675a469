# shellcheck shell=bash disable=SC2034,SC2154
# What choosing the partition costs: each partitioner beside murmur2, in C and as functions

prepare() {
    partitioners=(fnv1a consistent round_robin sticky by_customer in_plpgsql in_sql)
    need_data read
    # build the example extension where it can be loaded from
    (cd / && as_server_user cp -r "$build/test/modules/partitioner_hook" "$work/hook")
    (cd "$work/hook" && as_server_user make -s PG_CONFIG="$PG_CONFIG" with_llvm=no >/dev/null)
    run_file partitioners.sql
    partitioned murmur2 >/dev/null
}

# milliseconds, and microseconds of the session's CPU, of inserting into a topic of six
# partitions by that partitioner
partitioned() {
    ask 'TRUNCATE partitioned'
    ask CHECKPOINT
    timed 'INSERT INTO partitioned (key, value) SELECT key, value FROM read_heap' \
        "-c session_preload_libraries=$work/hook/partitioner_hook -c pg_topics.partitioner=$1"
}
measure() {
    local partitioner ms cpu
    read -r ms cpu < <(partitioned murmur2)
    local murmur2_rate murmur2_cpu
    murmur2_rate=$(per_second "$records" "$ms") murmur2_cpu=$(calculate "$cpu / $records")
    for partitioner in "${partitioners[@]}"; do
        read -r ms cpu < <(partitioned "$partitioner")
        sample "$partitioner" 'this one' "$(per_second "$records" "$ms")"
        sample "$partitioner" 'murmur2' "$murmur2_rate"
        sample "${partitioner}_cpu" 'this one' "$(calculate "$cpu / $records")"
        sample "${partitioner}_cpu" 'murmur2' "$murmur2_cpu"
    done
}

conclude() {
    local partitioner
    remark 'by_customer is in C, in_plpgsql and in_sql are functions that call murmur2_partition()'
    for partitioner in "${partitioners[@]}"; do
        report "$partitioner" records/s
        report "${partitioner}_cpu" us/record
    done
}
