# shellcheck shell=bash disable=SC2034,SC2154
# Costs against the number of records that are stored: nothing grows

# shellcheck source=bench/scaling.sh
source "$bench/scaling.sh"

prepare() {
    counts=(100000 1000000 10000000)
    [ -z "$huge" ] || counts+=(100000000)
    [ -z "$smoke" ] || counts=(1000 5000)
    begin_scaling 'max_wal_size = 8GB'
}

# Small batches: what might grow does so with batches and segments.
fill() {    # COUNT
    local there more=$1
    there=$(in_scale -c 'SELECT count(*) FROM one')
    more=$((more - there))
    # so many a transaction
    while [ "$more" -gt 0 ]; do
        in_scale -c "SET pg_topics.batch_size = '1kB'" -c "INSERT INTO one (key, value)
            SELECT lpad(i::text, 10, '0'), bench_value() FROM generate_series(1, $((more > 5000000 ? 5000000 : more))) AS i"
        more=$((more - 5000000))
    done
    in_scale -c "SELECT seek_to_end('one', 'one')" >/dev/null
}

measure() {
    [ "$1" -eq 1 ] || return 0
    local count repeat
    in_scale -c 'CALL append_calls(10)' -c "SELECT alter_topic('one', '{\"segment.bytes\": 67108864, \"compression.type\": \"none\"}')" >/dev/null
    for count in "${counts[@]}"; do
        fill "$count"
        costs_at "$count"
        for repeat in $(seq "$runs"); do
            in_scale -c "SELECT seek_to_beginning('one', 'old')" >/dev/null
            calls_at "$count" consume_oldest "CALL consume_calls('one', 'old', $calls)"
            calls_at "$count" read_at_offset "DO \$\$ BEGIN FOR i IN 1 .. $calls LOOP
                PERFORM value FROM one WHERE partition = 0 AND record_offset = i::bigint * 7919999 % $count; END LOOP; END \$\$"
        done
    done
}

conclude() {
    axes 'stored records' 'milliseconds'
    remark 'CPU of one-record transactions at the end of a log, its beginning, and of reading one record in it; time of checkpoints and starts'
    law append ms '<= 1.3' 'r <= 1.3'
    law consume ms '<= 1.3' 'r <= 1.3'
    law consume_oldest ms '<= 1.3' 'r <= 1.3'
    law read_at_offset ms '<= 1.5' 'r <= 1.5'
    law checkpoint_idle ms 'at most 10 ms more' 'o - b <= 10'
    law checkpoint ms 'at most 10 ms more' 'o - b <= 10'
    law start ms 'at most 100 ms more' 'o - b <= 100'
    law start_cpu ms 'at most 100 ms more' 'o - b <= 100'
    law start_crash_syncfs ms 'at most 100 ms more' 'o - b <= 100'
    law start_crash_fsync ms
    end_scaling
}
