# shellcheck shell=bash disable=SC2034,SC2154
# Compaction of many records of few keys, beside SELECT DISTINCT ON; producing beside it

prepare() {
    topics=(compacted_{1..4})
    in_ours "${psql[@]}" -o /dev/null -v records="$records" -v keys=$((records / 10)) -f "$bench/figures/compaction.sql"
}

fill_topics() {    # TOPIC...
    local topic
    for topic in "$@"; do
        ask "TRUNCATE $topic"
        ask "INSERT INTO $topic (key, value) SELECT key, value FROM keyed_heap ORDER BY id"
    done
    wait_resolved
    ask CHECKPOINT
}
# transactions a second that 4 clients get done
produce_rate() { tps_in "$(pgbench -c 4 -j 2 -T "$seconds" -f "$bench/figures/compaction_produce.sql")"; }

measure() {
    local bytes topic load distinct='SELECT DISTINCT ON (key) * FROM keyed_heap ORDER BY key, id DESC'
    fill_topics compacted_1
    bytes=$(log_bytes compacted_1)
    sample rate 'pg_topics' "$(megabytes_per_second "$bytes" "$(milliseconds "SELECT * FROM compact('compacted_1')")")"
    sample rate 'CREATE TABLE AS' "$(megabytes_per_second "$bytes" "$(milliseconds "CREATE TABLE distinct_heap AS $distinct")")"
    ask 'DROP TABLE distinct_heap'

    fill_topics "${topics[@]}"
    sample memory 'pg_topics' "$(PGOPTIONS='-c maintenance_work_mem=4MB' peak_memory "SELECT * FROM compact('compacted_1')")"
    sample memory 'CREATE TABLE AS' "$(peak_memory "CREATE TABLE distinct_heap AS $distinct")"
    ask 'DROP TABLE distinct_heap'

    # meanwhile: what was read, so that it shows when there was too little to do
    local alone
    alone=$(produce_rate)
    fill_topics "${topics[@]}"
    for topic in "${topics[@]}" "${topics[@]}"; do
        ask "SELECT bytes_before FROM compact('$topic')" || break
    done >"$work/compaction.out" 2>/dev/null &
    load=$!
    sample produce 'beside compaction' "$(produce_rate)"
    sample produce 'alone' "$alone"
    sample meanwhile 'compacted' "$(awk '{ n += $1 } END { print n / 1e6 }' "$work/compaction.out")"
    wait "$load"
}

conclude() {
    remark "$records records of $((records / 10)) keys"
    report rate 'MB/s of input' '>= 60 MB/s' 'o >= 60'
    remark 'with a key map of 4 MB'
    report memory MB '< 64 MB beyond the map' 'o < 68'
    report produce transactions/s '>= 0.8' 'r >= 0.8'
    report meanwhile MB
    ask 'DROP TABLE keyed_heap'
    set_config pg_topics.log_cleaner_enable=
}
