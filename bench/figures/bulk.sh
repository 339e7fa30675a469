# shellcheck shell=bash disable=SC2034,SC2154
# One INSERT ... SELECT in one transaction, beside a heap table: plain records, and real JSON

prepare() {
    need_data read
    need_data events
    run_file bulk.sql
}

bulk() {    # MEASURE SIDE TABLE SOURCE
    local before
    ask "TRUNCATE $3"
    ask CHECKPOINT
    before=$(wal_position)
    timed_sample "$1" "$2" "$records" "INSERT INTO $3 (key, value) SELECT key, value FROM $4"
    sample "$1_wal" "$2" "$(calculate "($(wal_position) - $before) / $records")"
}
measure() {
    bulk plain 'pg_topics, none' bulk_none read_heap
    bulk plain 'heap' bulk_heap read_heap
    bulk plain 'pg_topics, default' bulk_default read_heap
    bulk json 'pg_topics, lz4' bulk_lz4 events
    bulk json 'heap' bulk_heap events
    bulk json 'pg_topics, default' bulk_default events
    bulk json 'pg_topics, none' bulk_none events
    bulk json 'pg_topics, zstd' bulk_zstd events
}

conclude() {
    local table
    for table in bulk_none bulk_default bulk_lz4 bulk_zstd bulk_heap; do ask "TRUNCATE $table"; done
    remark 'plain: 150 bytes; json: events of a dpkg.log'
    report plain records/s '>= 1.45' 'r >= 1.45'
    report plain_cpu us/record
    report plain_wal 'bytes of WAL' '<= 172' 'o <= 172'
    report json records/s '>= 2.2' 'r >= 2.2'
    report json_cpu us/record
    report json_wal 'bytes of WAL'
}
