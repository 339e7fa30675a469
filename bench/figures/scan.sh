# shellcheck shell=bash disable=SC2034,SC2154
# The whole topic in one query, beside a heap table, in one process and with two workers

prepare() {
    need_data read
    ask 'SELECT count(*) FROM read_topic' >/dev/null
    ask 'SELECT count(*) FROM read_heap' >/dev/null
}

scan() {    # MEASURE SIDE TABLE WORKERS
    timed_sample "$1" "$2" "$records" "SELECT count(*), sum(length(value)) FROM $3" \
        "-c max_parallel_workers_per_gather=$4 -c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0"
}
measure() {
    scan one_process 'pg_topics' read_topic 0
    scan one_process 'heap' read_heap 0
    scan two_workers 'pg_topics' read_topic 2
    scan two_workers 'pg_topics, one process' read_topic 0
    scan two_workers 'heap' read_heap 2
}

conclude() {
    report one_process records/s '>= 0.9' 'r >= 0.9'
    report one_process_cpu us/record
    report two_workers records/s '>= 1.5 (needs 3 CPUs)' 'r >= 1.5'
}
