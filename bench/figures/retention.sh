# shellcheck shell=bash disable=SC2034,SC2154
# Retention of whole segments, beside DELETE and VACUUM; producing and reading beside it

prepare() {
    segments=1000
    [ -z "$smoke" ] || segments=20
    run_file retention.sql
}

# the milliseconds that unlinking a copy of a topic's files takes
unlink_time() {    # TOPIC
    local directory
    directory=$ours/data/$(ask "SELECT regexp_replace(path, '/[^/]*$', '') FROM pg_topic_segments WHERE topic = '$1'::regclass LIMIT 1")
    cp -r "$directory" "$work/copy"
    sync -f "$work/copy"
    local from=$EPOCHREALTIME
    rm -r "$work/copy"
    calculate "($EPOCHREALTIME - $from) * 1000"
}
# the milliseconds that retention takes once all is due
retention_time() { milliseconds "SELECT * FROM apply_retention('$1')" '-c pg_topics.clock_offset=2d'; }
# the longest that a producer or a reader of that topic is kept waiting, in ms, while
# a command runs beside them
longest_beside() {    # COMMAND...
    local load
    rm -f "$work"/beside.*
    PGOPTIONS='-c synchronous_commit=off' pgbench -c 2 -j 2 -T $((seconds + 1)) --log --log-prefix="$work/beside" \
        -f "$bench/figures/retention_produce.sql" -f "$bench/figures/retention_read.sql" >/dev/null &
    load=$!
    sleep 1
    "$@"
    wait "$load"
    sort -n -k 3 "$work"/beside.* | awk 'END { print $3 / 1000 }'
}
delete_segments() {
    ask "SELECT delete_records('segments_topic', 0, max(base_offset)) FROM pg_topic_segments WHERE topic = 'segments_topic'::regclass" >/dev/null
}
check_empty() { [ "$(ask "SELECT count(*) FROM $1")" = 0 ] || die "retention has left records in $1"; }

measure() {
    local ms beside
    ask "INSERT INTO retained_topic (key, value)
         SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, $big_records) AS i"
    ask 'INSERT INTO retained_heap (key, value) SELECT key, value FROM retained_topic'
    ask "CALL fill_segments($segments)"
    wait_resolved
    ask CHECKPOINT
    sync -f "$ours"
    local unlink unlink_segments
    unlink=$(unlink_time retained_topic)
    unlink_segments=$(unlink_time segments_topic)
    ms=$(retention_time retained_topic)
    check_empty retained_topic
    sample all 'pg_topics' "$ms"
    sample all 'DELETE, VACUUM' "$(calculate "$(milliseconds 'DELETE FROM retained_heap') + $(milliseconds 'VACUUM retained_heap')")"
    sample files 'pg_topics' "$ms"
    sample files 'unlink alone' "$unlink"
    sample segments 'pg_topics' "$(retention_time segments_topic)"
    sample segments 'unlink alone' "$unlink_segments"
    check_empty segments_topic
    ask "CALL fill_segments($segments)"
    # one segment more takes all that is produced beside
    ask "ALTER FOREIGN TABLE segments_topic OPTIONS (SET \"segment.bytes\" '1073741824')"
    beside=$(longest_beside true)
    sample longest_wait 'while segments go' "$(longest_beside delete_segments)"
    sample longest_wait 'while none go' "$beside"
    ask "ALTER FOREIGN TABLE segments_topic OPTIONS (SET \"segment.bytes\" '1024')"
}

conclude() {
    remark "$big_records records"
    report all ms '<= 0.1' 'r <= 0.1'
    report files ms 'at most 50 ms more' 'o - b <= 50'
    remark "$segments segments"
    report segments ms '< 2 s' 'o < 2000'
    remark 'the longest that a producer or a reader waits'
    report longest_wait ms 'at most 10 ms more' 'o - b <= 10'
}
