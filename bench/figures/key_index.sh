# shellcheck shell=bash disable=SC2034,SC2154
# Records of one key among very many, by the topic's index of keys, beside a B-tree

lookups=200

prepare() {
    need_data big
    run_file key_index.sql
    can "SELECT FROM pg_topics WHERE topic = 'big_topic'::regclass AND config ? 'key.index'" ||
        skipped='topics have no option key.index here'
}

look_up() {    # SIDE SOURCE [ORDER]
    local ms cpu
    read -r ms cpu < <(timed "CALL look_up('$2', '${3:-}', $lookups, $big_records)")
    sample look_up "$1" "$(calculate "$ms / $lookups")"
    sample look_up_cpu "$1" "$(calculate "$cpu / $lookups")"
}
measure() {
    look_up 'pg_topics' big_topic
    look_up 'latest()' 'latest(NULL::big_topic)'
    look_up 'last one' big_topic 'ORDER BY record_offset DESC LIMIT 1'
    look_up 'heap, B-tree' big_heap
}

conclude() {
    remark "$lookups keys among $big_records records, a statement each"
    report look_up ms '< 2 ms' 'o < 2'
    report look_up_cpu us
}
