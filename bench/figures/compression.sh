# shellcheck shell=bash disable=SC2034,SC2154
# Each codec: inserting, consuming and scanning real JSON in transactions of several sizes

prepare() {
    need_data events
    run_file compression.sql
    codecs=(default none gzip snappy lz4 zstd) batches=(1 10 100 1000 100000)
    if [ -n "$smoke" ]; then codecs=(default none lz4) batches=(10); fi
    # small transactions take long, and there is not much to learn from so many
    count=$((records / 10))
}

# a topic for each codec, anew for each size of batch; what the default gives is compared with the others
compression() {    # CODEC BATCH RUN
    local topic=json_$1 group="batch $2 run $3" count=$count
    [ "$2" -gt 1 ] || count=$((count / 4))
    ask "TRUNCATE $topic"
    timed_sample "insert_$2" "$1" "$count" "CALL insert_events('$topic', $2, $count)" '-c synchronous_commit=off'
    sample "bytes_$2" "$1" "$(calculate "$(file_bytes "$topic") / $count")"
    timed_sample "consume_$2" "$1" "$count" "CALL consume_events('$topic', '$group', $count)" '-c synchronous_commit=off'
    timed_sample "scan_$2" "$1" "$count" "SELECT count(*), sum(length(value)) FROM $topic" '-c max_parallel_workers_per_gather=0'
}
measure() {    # RUN
    local codec batch
    for batch in "${batches[@]}"; do
        for codec in "${codecs[@]}"; do compression "$codec" "$batch" "$1"; done
    done
}

conclude() {
    local batch
    remark "$(ask 'SELECT avg(length(key) + length(value))::numeric(10, 1) FROM events') bytes of key and JSON a record; the number is that of records in a transaction; bytes with the index files"
    for batch in "${batches[@]}"; do
        report "bytes_$batch" bytes/record
        report "insert_${batch}_cpu" us/record
        report "consume_${batch}_cpu" us/record
        report "scan_${batch}_cpu" us/record
    done
}
