# shellcheck shell=bash disable=SC2034,SC2154
# Costs against the number of partitions: only a start grows, and consume() of a topic that has them all

# shellcheck source=bench/scaling.sh
source "$bench/scaling.sh"

prepare() {
    partitions=(1 10 100 1000 10000)
    [ -z "$smoke" ] || partitions=(1 20)
    begin_scaling "pg_topics.max_partitions = $((partitions[-1] + 10))"
    in_scale -f "$bench/figures/scaling_partitions.sql" >/dev/null
}

# all at once: partitions only become more
measure() {
    [ "$1" -eq 1 ] || return 0
    local count repeat
    for count in "${partitions[@]}"; do
        sample_at create "$count" "$(calculate "$(time_of "SELECT alter_topic('wide', '{\"partitions\": $count}')") + 0.01")"
        in_scale -c "INSERT INTO wide (value, partition) SELECT bench_value(), i % $count FROM generate_series(1, $count) AS i"
        costs_at "$count"
        in_scale -c "CALL consume_rest('wide', 'wide')"
        for repeat in $(seq "$runs"); do
            in_scale -c "CALL produce_wide($calls, $count)"
            calls_at "$count" consume_wide "CALL consume_calls('wide', 'wide', $calls)"
        done
    done
}

conclude() {
    axes 'partitions' 'milliseconds'
    remark 'CPU of one-record transactions, with so many partitions beside; time of checkpoints and starts'
    law append ms '<= 1.3' 'r <= 1.3'
    law consume ms '<= 1.3' 'r <= 1.3'
    law checkpoint_idle ms 'at most 10 ms more' 'o - b <= 10'
    law checkpoint ms 'at most 10 ms more' 'o - b <= 10'
    law start ms 'at most 2 s more' 'o - b <= 2000'
    law start_cpu ms 'at most 2 s more' 'o - b <= 2000'
    remark 'after a crash, PostgreSQL first syncs each file of the data directory, or the file system'
    law start_crash_syncfs ms 'at most 2 s more' 'o - b <= 2000'
    law start_crash_syncfs_cpu ms 'at most 2 s more' 'o - b <= 2000'
    law start_crash_fsync ms
    remark 'consume() of one record of a topic that has all these partitions; adding partitions to it'
    law consume_wide ms
    law create ms
    end_scaling
}
