# shellcheck shell=bash disable=SC2034,SC2154
# The memory of a session that produces very many records in one transaction

prepare() {
    ask "SELECT create_topic('memory_topic')" >/dev/null
    ask 'CREATE TABLE memory_heap (key text, value text)'
}

measure() {
    local side
    for side in topic heap; do
        sample peak "${side/topic/pg_topics}" "$(peak_memory "INSERT INTO memory_$side (key, value)
            SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, $big_records) AS i")"
        ask "TRUNCATE memory_$side"
    done
}

conclude() {
    remark "a transaction of $big_records records"
    report peak MB '< 128 MB' 'o < 128'
}
