# shellcheck shell=bash disable=SC2034,SC2154
# Batches of one record of JSON each, before and after merge_batches(): size and scanning

prepare() {
    count=$((records / 5))
    if ! has_function merge_batches; then
        skipped='there is no function merge_batches() here'
        return
    fi
    need_data events
    run_file merge.sql
    ask "CALL single_events('merge_heap', $count)"
    ask 'VACUUM ANALYZE merge_heap'
    topics=(default none zstd)
}

# a topic anew each time, since merging it is once and for all
fill() {    # TOPIC
    ask "TRUNCATE $1"
    ask "CALL single_events('$1', $count)"
    wait_resolved
}
scan_time() {    # TABLE
    ask "SELECT count(*) FROM $1" >/dev/null
    milliseconds "SELECT count(*), sum(length(value)) FROM $1" '-c max_parallel_workers_per_gather=0'
}
measure() {
    local name topic size time
    for name in "${topics[@]}"; do
        topic=merge_$name
        fill "$topic"
        size=$(file_bytes "$topic") time=$(scan_time "$topic")
        sample "merging_$name" 'pg_topics' "$(milliseconds "SELECT merge_batches('$topic')")"
        [ "$(ask "SELECT count(*) FROM $topic")" = "$count" ] || die "$topic has not all records"
        sample "size_$name" 'merged' "$(calculate "$(file_bytes "$topic") / $count")"
        sample "size_$name" 'heap with its key' "$(calculate "$(ask "SELECT pg_total_relation_size('merge_heap')") / $count")"
        sample "size_$name" 'not merged' "$(calculate "$size / $count")"
        sample "scan_$name" 'merged' "$(scan_time "$topic")"
        sample "scan_$name" 'not merged' "$time"
        sample "scan_$name" 'heap' "$(scan_time merge_heap)"
    done
}

conclude() {
    local name
    remark "$count records in a transaction each; sizes with indexes"
    set_config pg_topics.log_cleaner_enable=
    for name in "${topics[@]}"; do
        if [ "$name" = zstd ]; then
            report size_zstd bytes/record '<= 0.35' 'r <= 0.35'
        else
            report "size_$name" bytes/record '<= 0.75' 'r <= 0.75'
        fi
        report "scan_$name" ms 'merged 2x faster' 'r <= 0.5'
        report "merging_$name" ms
    done
}
