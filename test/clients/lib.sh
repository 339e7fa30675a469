# shellcheck shell=bash disable=SC2034,SC2154
# What test/clients/run and those of kafka, librdkafka and suites share; sourced by them, after test/setup.sh.
#
# Needs $here, the folder of the clients' sources, and $kept, where what they need is kept
# from one run to the next.  A function prepare_CLIENT fetches and builds into $kept; it
# fails where that cannot be done, with the reason in $reason.  program_CLIENT is the command.

passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); printf 'ok - %s\n' "$1"; }
not_ok() { failed=$((failed + 1)); printf 'not ok - %s\n' "$1"; }
skip() { skipped=$((skipped + 1)); printf 'ok - %s # SKIP %s\n' "$1" "$2"; }
# is GOT EXPECTED NAME
is() { if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3"; printf '#   got: %s\n#   expected: %s\n' "$1" "$2"; fi; }

# the end of the output, and the exit code
finish() {
    [ "$skipped" -eq 0 ] || say "$skipped skipped"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}

# ---- fetching and building -----------------------------------------------------

# fetched NAME COMMAND...: run the command once, in $kept/NAME, for TOPIC_FETCH_LIMIT seconds at most
fetched() {
    local name=$1
    shift
    [ ! -e "$kept/$name/.fetched" ] || return 0
    rm -rf "${kept:?}/$name"
    mkdir -p "$kept/$name"
    (cd "$kept/$name" && timeout "${TOPIC_FETCH_LIMIT:-0}" "$@") >"$kept/$name.log" 2>&1 || {
        reason="$(head -n 1 <<<"$*") failed, see $kept/$name.log"
        return 1
    }
    touch "$kept/$name/.fetched"
}

# has PROGRAM
has() { command -v "$1" >/dev/null || { reason="there is no $1"; return 1; }; }

# built NAME SOURCE COMMAND...: run the command in $kept/NAME, which has a copy of the sources
built() {
    local name=$1 source=$2
    shift 2
    mkdir -p "$kept/$name"
    cp -R --update "$here/$source/." "$kept/$name/"
    (cd "$kept/$name" && "$@") >"$kept/$name.log" 2>&1 || {
        reason="$(head -n 1 <<<"$*") failed, see $kept/$name.log"
        return 1
    }
}

# prepare_clients CLIENT...: those that can be had are in $ready; the others are skipped
prepare_clients() {
    local client
    ready=()
    for client in "$@"; do
        declare -F "prepare_$client" >/dev/null || die "there is no client \"$client\": there are ${all_clients[*]}"
        reason=''
        if "prepare_$client"; then
            ready+=("$client")
        else
            skip "$client" "$reason"
        fi
    done
}

# ---- a server with a listener --------------------------------------------------

# start_listener NAME SETTING...: a private server with the listener, in $dir; needs $port and $listener_port
start_listener() {
    local name=$1 build
    shift
    build=$(kept_dir test)/source
    say "building and installing"
    build_in "$build" COPT=-Werror FAULT_POINTS=1 with_llvm=no
    dir=$(private_dir "$name")
    make_cluster "$dir" "$port" "shared_preload_libraries = 'pg_topics'" 'pg_topics.log_retention_ms = -1' \
        "pg_topics.kafka_listeners = '127.0.0.1:$listener_port/postgres'" "pg_topics.kafka_anonymous_role = 'postgres'" "$@"
    start_cluster "$dir"
    export PGHOST=$dir PGPORT=$port PGUSER=postgres PGDATABASE=postgres
    sql -c 'CREATE EXTENSION pg_topics'
}

# ---- asking the server ---------------------------------------------------------

sql() { "$pg_bin/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }

now_ms() { local now=${EPOCHREALTIME/./}; printf '%s\n' "$((now / 1000))"; }

# wait_until WHAT COMMAND EXPECTED: poll until it prints that, for three minutes
wait_until() {
    local what=$1 command=$2 expected=$3 tries
    for ((tries = 0; tries < 1800; tries++)); do
        [ "$(eval "$command" 2>/dev/null)" != "$expected" ] || return 0
        sleep 0.1
    done
    printf '# waited in vain for %s: %s\n' "$what" "$(eval "$command" 2>&1)"
    return 1
}
