# shellcheck shell=bash disable=SC2034,SC2154
# What the figures of bench/run are measured with; sourced by it.
#
# A figure is a file in bench/figures, run in a subshell, so that its functions and
# variables are its own.  It defines
#
#   measure RUN    takes the samples of one run, of all alternatives in turn
#   conclude       reports them (report.sh)
#   prepare        optional: what is there before the first run
#
# and may set $skipped to a reason in prepare().  Two clusters may be there: "ours"
# with the extension, which runs all the time, and "plain" without it, for what the
# extension must not slow down.  Each has its data and its socket in a directory in $work.
#
# Needs test/setup.sh, and of bench/run: $work, $build, $bench, $runs, $records, $big_records, $seconds,
# $slack, $smoke.

port=54330
ours=$work/ours plain=$work/plain
psql=("$pg_bin/psql" -X -q -v ON_ERROR_STOP=1)

# ---- clusters ----------------------------------------------------------------------

cluster_settings=('shared_buffers = 1GB' 'max_wal_size = 8GB' 'max_connections = 100'
    # else a vacuum or an analyze that comes when it likes is in somebody's sample
    'autovacuum_naptime = 1h')

# begin_cluster DIR [setting...]
begin_cluster() {
    (cd / && as_server_user mkdir -m 700 "$1")
    make_cluster "$1" "$port" "${cluster_settings[@]}" "${@:2}"
    start_cluster "$1"
}

start_ours() {
    begin_cluster "$ours" "shared_preload_libraries = 'pg_topics'"
    in_ours "${psql[@]}" -o /dev/null -c 'CREATE EXTENSION pg_topics' -f "$bench/schema.sql"
    note_machine
}

# Start the cluster without the extension, the first time that somebody needs it.
start_plain() {
    [ ! -d "$plain" ] || return 0
    begin_cluster "$plain"
    in_plain "${psql[@]}" -o /dev/null -f "$bench/schema.sql"
}

# remove_cluster DIR
remove_cluster() {
    [ ! -d "$1/data" ] || stop_cluster "$1" immediate
    rm -rf "$1"
}

# Those of a figure go with it: a server that went on would answer the clients of the next figure at the same address.
remove_clusters_of_figure() {
    local dir
    for dir in "$work"/*/data; do
        case ${dir%/data} in "$ours" | "$plain") ;; *) remove_cluster "${dir%/data}" ;; esac
    done
}

remove_clusters() {
    remove_clusters_of_figure
    remove_cluster "$ours"
    remove_cluster "$plain"
    rm -rf "$work"
}

# in_cluster DIR PROGRAM arguments...: a client program on that cluster
in_cluster() { PGHOST=$1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres "${@:2}"; }
in_ours() { in_cluster "$ours" "$@"; }
in_plain() { in_cluster "$plain" "$@"; }

ask() { in_ours "${psql[@]}" -At -c "$1"; }
can() { [ "$(ask "SELECT EXISTS ($1)")" = t ]; }
run_file() { in_ours "${psql[@]}" -o /dev/null "${@:2}" -f "$bench/figures/$1"; }

# has_function NAME [ARGUMENT]: is there a function of the extension, with an argument of that name?
has_function() {
    can "SELECT FROM pg_proc WHERE proname = '$1' AND ('${2:-}' = '' OR '${2:-}' = ANY (proargnames))"
}

# find_kafka: KAFKA_HOME becomes where test/clients/run has put Apache Kafka; or $skipped says what is missing
find_kafka() {
    KAFKA_HOME=$(kept_dir kafka_clients)/kafka
    if ! command -v java >/dev/null || [ ! -e "$KAFKA_HOME/libs/.complete" ]; then
        skipped='Apache Kafka is not there: test/clients/run kafka --prepare'
    elif ! can "SELECT FROM pg_settings WHERE name = 'pg_topics.kafka_listeners'"; then
        skipped='there is no Kafka listener'
    fi
    [ -z "$skipped" ]
}

# set_config NAME=VALUE...: for all sessions to come; NAME= takes it back
set_config() {
    local setting
    for setting in "$@"; do
        ask "ALTER SYSTEM $(if [ -n "${setting#*=}" ]; then echo "SET ${setting%%=*} = '${setting#*=}'"; else echo "RESET ${setting%=}"; fi)"
    done
    ask 'SELECT pg_reload_conf()' >/dev/null
}

# ---- the records that several figures read -------------------------------------------

# need_data NAME: fill the tables and topics of bench/data/NAME.sql, once
need_data() {
    local count=$records
    [ "$1" != big ] || count=$big_records
    ! can "SELECT FROM bench_data WHERE name = '$1'" || return 0
    if [ "$1" = events ]; then
        in_ours "${psql[@]}" -o /dev/null -v records="$count" \
            -c 'CREATE TEMP TABLE dpkg_log (line_number int GENERATED ALWAYS AS IDENTITY, line text)' \
            -c "\\copy dpkg_log (line) FROM '$tree/test/data/dpkg.log'" -f "$bench/data/$1.sql"
    else
        in_ours "${psql[@]}" -o /dev/null -v records="$count" -f "$bench/data/$1.sql"
    fi
    ask "INSERT INTO bench_data VALUES ('$1')"
    ask CHECKPOINT
}

# Wait until no partition has records whose transaction's outcome is to be noted.
wait_resolved() {
    until can 'SELECT FROM pg_topic_partitions HAVING bool_and(resolved_offset = log_end_offset)'; do sleep 0.1; done
}

# the bytes of a topic's log files; of all its files, with the indexes
log_bytes() { ask "SELECT sum(bytes) FROM pg_topic_segments WHERE topic = '$1'::regclass"; }
file_bytes() {
    local directory
    for directory in $(ask "SELECT DISTINCT regexp_replace(path, '/[^/]*\$', '') FROM pg_topic_segments WHERE topic = '$1'::regclass"); do
        find "$ours/data/$directory" -type f -printf '%s\n'
    done | awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# ---- measuring -------------------------------------------------------------------------

# timed SQL [settings]: milliseconds that a statement takes, and microseconds of CPU of its session
timed() {
    PGOPTIONS=${2:-} in_ours "${psql[@]}" -At -c 'SELECT bench_cpu()' -c '\timing on' -c '\o /dev/null' -c "$1" \
        -c '\o' -c '\timing off' -c 'SELECT bench_cpu()' |
        awk '/^Time: / { ms = $2 } /^[0-9]+$/ { cpu[++n] = $1 } END { if (n != 2) exit 1; print ms, cpu[2] - cpu[1] }'
}
# only the milliseconds
milliseconds() { timed "$@" | cut -d' ' -f1; }

calculate() { awk "BEGIN { printf \"%.6g\", $1 }"; }
per_second() { calculate "$1 / $2 * 1000"; }
megabytes_per_second() { calculate "$1 / 1e6 / $2 * 1000"; }
wal_position() { ask "SELECT pg_current_wal_insert_lsn() - '0/0'"; }

# the CPU time of processes so far, in microseconds; an error where one of them has ended, but
# in a smoke run, whose machine may be too slow for its short loads
cpu_of() { local pid; for pid in "$@"; do cat "/proc/$pid/schedstat" 2>/dev/null || [ -n "$smoke" ] || exit 1; done | awk '{ n += $1 } END { printf "%.0f\n", n / 1000 }'; }

# pids_of CONDITION: the processes of pg_stat_activity that are so
pids_of() { ask "SELECT pid FROM pg_stat_activity WHERE $1"; }

# wait_for_sessions COUNT CONDITION CLIENT: until so many are there; an error if the client's process ends
wait_for_sessions() {
    until [ "$(pids_of "$2" | wc -l)" -ge "$1" ]; do
        kill -0 "$3" 2>/dev/null || die 'the clients have ended early'
        sleep 0.05
    done
}

# timed_sample MEASURE SIDE COUNT SQL [settings]: run a statement that does COUNT operations;
# operations a second into MEASURE, CPU of its session an operation into MEASURE_cpu
timed_sample() {
    local ms cpu
    read -r ms cpu < <(timed "$4" "${5:-}")
    sample "$1" "$2" "$(per_second "$3" "$ms")"
    sample "$1_cpu" "$2" "$(calculate "$cpu / $3")"
}

# pgbench arguments...: without the initial vacuum, prepared; its output, on a failure to stderr
pgbench() {
    local out
    out=$(in_ours "$pg_bin/pgbench" -n -M prepared "$@" 2>&1) || { printf '%s\n' "$out" >&2; return 1; }
    printf '%s\n' "$out"
}
tps_in() { sed -n 's/^tps = \([0-9.]*\).*/\1/p' <<<"$1"; }
transactions_in() { sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' <<<"$1"; }

# the peak of a session's own memory (without shared buffers) while SQL runs, in MB
peak_memory() {
    local out=$work/memory.out client backend
    : >"$out"
    in_ours "${psql[@]}" -At -c 'SELECT pg_backend_pid()' -c "$1" >"$out" &
    client=$!
    until [ -s "$out" ]; do sleep 0.02; done
    backend=$(head -n 1 "$out")
    while kill -0 "$client" 2>/dev/null; do
        sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$backend/status" 2>/dev/null || true
        sleep 0.05
    done | awk '$1 > m { m = $1 } END { printf "%.1f\n", m / 1024 }'
    wait "$client"
}

# measure_figure NAME: prepare, so many runs, conclude
measure_figure() {
    local run
    figure=$1 skipped=''
    prepare() { :; }
    # shellcheck source=/dev/null
    source "$bench/figures/$figure.sh"
    prepare
    if [ -n "$skipped" ]; then
        echo "skipped: $skipped"
        return
    fi
    for run in $(seq "$runs"); do measure "$run"; done
    begin_table
    conclude
}
