# shellcheck shell=bash disable=SC2034,SC2154
# A CHECKPOINT in the middle of a load and after it, beside a cluster without the extension

prepare() {
    start_plain
    run_file checkpoint.sql
    in_plain "${psql[@]}" -o /dev/null -f "$bench/figures/checkpoint_plain.sql"
}

seconds_of_checkpoint() { "$1" "${psql[@]}" -c '\timing on' -c CHECKPOINT | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{ print $1 / 1000 }'; }
# the load: 100 records a transaction
checkpoint() {    # SIDE IN SCRIPT
    local load
    "$2" "${psql[@]}" -c CHECKPOINT
    "$2" "$pg_bin/pgbench" -n -M prepared -c 8 -j 2 -T $((seconds + 1)) -f "$bench/figures/$3" >/dev/null 2>&1 &
    load=$!
    sleep "$seconds"
    sample load "$1" "$(seconds_of_checkpoint "$2")"
    wait "$load"
    "$2" "${psql[@]}" -c CHECKPOINT
    [ -n "$smoke" ] || sleep 1
    sample idle "$1" "$(seconds_of_checkpoint "$2")"
}
measure() {
    checkpoint 'pg_topics' in_ours checkpoint_topic.sql
    checkpoint 'heap' in_plain checkpoint_heap.sql
}

conclude() {
    report load s 'at most 0.5 s more' 'o - b <= 0.5'
    report idle s 'at most 0.2 s more' 'o - b <= 0.2'
    stop_cluster "$plain"
}
