# shellcheck shell=bash disable=SC2034
# Set-up shared by test/run, demo/run and bench/run; sourced, not run.
#
# Brings a Debian machine to the point where the extension is built and installed
# and an unprivileged user can run servers with it.  Never touches a PostgreSQL
# cluster that is already there, nor makes a system one.
#
# The server is the one that PG_CONFIG names or else that of the Debian release's own
# major; test/supported.sh has the majors, and the packages of each.
#
# Sets:       tree         the top of the source tree
#             PG_CONFIG    the server's pg_config, also where it is yet to be installed
#             pg_major     its major
#             pg_bin       the server's programs
#             server_user  who runs servers (initdb refuses root)
# Functions:  say, die, need_server, need_packages, need_for_tests, of_major,
#             release_major, choose_server_user, as_server_user, need_root, as_root, private_dir, kept_dir,
#             build_in, make_cluster, start_cluster, cluster_runs, stop_cluster,
#             kill_cluster

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$tree/test/supported.sh"
# the same messages, sort order and encoding everywhere (pg_regress unsets LC_ALL)
export LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC
# a server of the caller's must not be met by accident
unset PGHOST PGPORT PGUSER PGDATABASE PGDATA PGSERVICE PGOPTIONS PGPASSWORD MAKEFLAGS MAKELEVEL

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The major of the Debian release we run on; nothing where it has none that is supported.
release_major() {
    local major codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
    for major in "${majors[@]}"; do
        [ "${suite_of[$major]:-none}" != "$codename" ] || printf '%s\n' "$major"
    done
}

# Set PG_CONFIG and pg_major.
choose_server() {
    if [ -n "${PG_CONFIG:-}" ]; then
        if [ -x "$PG_CONFIG" ]; then
            pg_major=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        else
            pg_major=$(sed -n 's|^/usr/lib/postgresql/\([0-9]*\)/bin/pg_config$|\1|p' <<<"$PG_CONFIG")
            [ -n "$pg_major" ] || die "PG_CONFIG is $PG_CONFIG, which is no program"
        fi
    else
        pg_major=$(release_major)
        [ -n "$pg_major" ] ||
            die "this is no release of Debian with a PostgreSQL of ${majors[*]}: set PG_CONFIG to the server's pg_config"
        PG_CONFIG=/usr/lib/postgresql/$pg_major/bin/pg_config
    fi
    export PG_CONFIG
    case " ${majors[*]} " in
        *" $pg_major "*) ;;
        *) die "$PG_CONFIG is of PostgreSQL $pg_major; supported are ${majors[*]}" ;;
    esac
}
choose_server

# of_major PACKAGE...: the names with the server's major in them
of_major() { printf '%s\n' "${@//NN/$pg_major}"; }

# need_root WHAT: an error where "WHAT needs root" and it cannot be had
need_root() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "$1 needs root, and there is no sudo"
}

# Run as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        need_root "\"$*\""
        sudo env LC_ALL="$LC_ALL" "$@"
    fi
}

is_installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Install packages with no question asked and nothing else done: the server would create a system
# cluster and start it, needrestart (where the machine has it) restart those that are there.
install_packages() (
    keep_away=/etc/postgresql-common/createcluster.d/zz-pg-topics.conf
    log=$(mktemp)
    # also when it is interrupted: later installations are none of our business
    trap 'rm -f "$log"; as_root rm -f "$keep_away"' EXIT
    as_root mkdir -p "${keep_away%/*}"
    echo 'create_main_cluster = false' | as_root tee "$keep_away" >/dev/null
    if ! { as_root apt-get update &&
        as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
            apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "could not install: $*"
    fi
)

# Install the Debian packages that are missing.
need_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null ||
        die "this set-up is for Debian; elsewhere use make, make install and make installcheck"
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    need_root "installing packages (${missing[*]})"
    say "installing packages: ${missing[*]}"
    install_packages "${missing[@]}" || exit 1
}

# The packages of the server, where it is to be Debian's, and of the build.
need_server() {
    local packages=("${build_packages[@]}")
    case $PG_CONFIG in
        "/usr/lib/postgresql/$pg_major/bin/pg_config") packages+=("${server_packages[@]}") ;;
    esac
    mapfile -t packages < <(of_major "${packages[@]}")
    need_packages "${packages[@]}"
}

# Install those of the packages that this release of Debian has.
want_packages() {
    local package there=()
    for package in "$@"; do
        if is_installed "$package" || [ -n "$(apt-cache --quiet=2 madison "$package" 2>/dev/null)" ]; then
            there+=("$package")
        else
            say "there is no package $package here: tests that need it are skipped"
        fi
    done
    [ ${#there[@]} -eq 0 ] || need_packages "${there[@]}"
}

# What building and testing need; the tests of what the release lacks are skipped.
need_for_tests() {
    local packages
    need_server
    need_packages "${test_packages[@]}"
    mapfile -t packages < <(of_major "${optional_packages[@]}")
    want_packages "${packages[@]}"
}

# Root cannot run a server: the user "postgres" of Debian's package does.
choose_server_user() {
    [ -x "$PG_CONFIG" ] || die "no $PG_CONFIG (set PG_CONFIG to the server's pg_config)"
    pg_bin=$("$PG_CONFIG" --bindir)
    if [ "$(id -u)" = 0 ]; then
        server_user=postgres
        id "$server_user" >/dev/null 2>&1 || die "there is no user $server_user to run servers"
    else
        server_user=$(id -un)
    fi
}

# Run as the server's user.  Its working directory must be one it can enter.
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups \
            env HOME="$(getent passwd "$server_user" | cut -d: -f6)" USER="$server_user" \
            LOGNAME="$server_user" "$@"
    else
        "$@"
    fi
}

# private_dir NAME: print a new directory of the server's user, only for it.
# Not in the tree, which that user may be unable to enter.
private_dir() {
    local dir
    dir=$(mktemp -d "${TMPDIR:-/tmp}/pg_topics_$1.XXXXXX")
    [ "$(id -u)" != 0 ] || chown "$server_user:" "$dir"
    chmod 700 "$dir"
    (cd / && as_server_user test -w "$dir") || die "user $server_user cannot write to $dir; set TMPDIR"
    printf '%s\n' "$dir"
}

# kept_dir NAME: like private_dir, but the same directory each time for this tree and
# this server, so that a build is there the next time.  Ends with an error where
# somebody else has made it.
kept_dir() {
    local dir key
    key=$(printf '%s %s' "$tree" "$PG_CONFIG" | cksum | cut -d' ' -f1)
    dir=${TMPDIR:-/tmp}/pg_topics_$1_$(id -u)_$key
    (cd / && as_server_user mkdir -m 700 "$dir" 2>/dev/null) ||
        [ "$(stat -c '%U %a %F' "$dir")" = "$server_user 700 directory" ] ||
        die "$dir is not a directory that only $server_user can enter: remove it"
    printf '%s\n' "$dir"
}

# The checksum, size and name of each file that a build is made of, not what is made.
source_sums() {
    (cd "$tree" && find Makefile bin src sql test -type f ! -name '*.o' ! -name '*.so' ! -name '*.bc' ! -name '*.pyc' \
        ! -name unit_test ! -name key_map_test ! -name key_index_test ! -name subxact_stack_test ! -name producer_sequence_test ! -name output_test ! -name classic_group_test ! -name assignor_test ! -name modern_group_test ! -name kafka_test ! -name kafka_bench ! -name fuzz_target ! -name make_seeds -exec cksum {} + | sort -k 3)
}

# build_key SUMS [make arguments]: what a build depends on beside the contents of files:
# other arguments, another server or Makefile, a file more or less.
build_key() {
    local sums=$1
    shift
    printf '%s\n' "$PG_CONFIG" "$@"
    "$PG_CONFIG" --version
    grep ' Makefile$' <<<"$sums"
    cut -d' ' -f3- <<<"$sums"
}

# touch_changed DIR SUMS: make what has other contents than at DIR's last build newer than
# that, whatever the file's time is (an older version may have come back); make looks
# at nothing else.
touch_changed() {
    local dir=$1 sums=$2
    [ -e "$dir.sums" ] || return 0
    comm -13 <(sort "$dir.sums") <(sort <<<"$sums") | cut -d' ' -f3- |
        (cd "$dir" && as_server_user xargs -r -d '\n' touch)
}

# Remove what another build has installed for the JIT compiler: it would inline that code,
# not the one that is installed now.  Builds with with_llvm=no, which take half the time,
# install none.
remove_bitcode() {
    local bitcode
    bitcode=$("$PG_CONFIG" --pkglibdir)/bitcode
    as_root rm -rf "$bitcode/pg_topics" "$bitcode/pg_topics.index.bc"
}

# build_in DIR [make arguments]: copy the sources there, build them as the
# server's user and install into the PostgreSQL installation (15 looks for
# extensions nowhere else).  A directory of an earlier build with the same files
# and arguments is brought up to date.
build_in() {
    local dir=$1 key sums
    shift
    need_root 'installing what is built'
    sums=$(source_sums)
    key=$(build_key "$sums" "$@" | cksum)
    if [ "$(cat "$dir.key" 2>/dev/null)" != "$key" ]; then
        (cd / && as_server_user rm -rf "$dir" "$dir.key" "$dir.sums")
    fi
    (cd / && as_server_user mkdir -p "$dir")
    tar -C "$tree" -cf - --exclude=./.git --exclude=./demo/cluster --exclude=./bench/results \
        --exclude=./tmp_check --exclude=./tmp_instance --exclude=./results --exclude=./log \
        --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude=unit_test --exclude=key_map_test --exclude=key_index_test --exclude=subxact_stack_test --exclude=producer_sequence_test --exclude=output_test --exclude=classic_group_test --exclude=assignor_test --exclude=modern_group_test --exclude=kafka_test --exclude=kafka_bench --exclude=fuzz_target --exclude=make_seeds . |
        (cd / && as_server_user tar -C "$dir" -xf - --no-same-permissions)
    touch_changed "$dir" "$sums"
    if ! (cd "$dir" && as_server_user make -j"$(nproc)" PG_CONFIG="$PG_CONFIG" "$@" &&
        remove_bitcode && as_root make install PG_CONFIG="$PG_CONFIG" "$@") >"$dir.log" 2>&1; then
        cat "$dir.log" >&2
        rm -f "$dir.log"
        die "the build failed"
    fi
    rm -f "$dir.log"
    printf '%s\n' "$sums" | (cd / && as_server_user tee "$dir.sums" >/dev/null)
    echo "$key" | (cd / && as_server_user tee "$dir.key" >/dev/null)
}

# make_cluster DIR PORT [setting...]: a cluster in DIR/data that listens only
# on a socket in DIR, which nobody but its owner (and root) can enter.
make_cluster() {
    local dir=$1 port=$2 setting
    shift 2
    (cd / && as_server_user "$pg_bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 \
        --locale=C.UTF-8 >"$dir/initdb.log" 2>&1) || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
    {
        printf "listen_addresses = ''\nunix_socket_directories = '%s'\nport = %s\n" "$dir" "$port"
        for setting in "$@"; do printf '%s\n' "$setting"; done
    } >>"$dir/data/postgresql.conf"
}

start_cluster() {
    (cd / && as_server_user "$pg_bin/pg_ctl" -D "$1/data" -l "$1/server.log" -w -t 180 start >/dev/null) ||
        { tail -n 30 "$1/server.log" >&2; die "the server in $1 does not start"; }
}

# a crash leaves a pid file behind, so look at the process as well
cluster_runs() {
    local pid
    pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]
}

# stop_cluster DIR [mode]: fine where none runs
stop_cluster() {
    cluster_runs "$1" || return 0
    (cd / && as_server_user "$pg_bin/pg_ctl" -D "$1/data" -m "${2:-fast}" -w stop >/dev/null) ||
        die "the server in $1 does not stop"
}

# All processes of a cluster's server, the postmaster first (there may be no ps).
cluster_pids() {
    local postmaster stat rest
    postmaster=$(head -n 1 "$1/data/postmaster.pid")
    printf '%s\n' "$postmaster"
    for stat in /proc/[0-9]*/stat; do
        rest=$(cat "$stat" 2>/dev/null) || continue
        # the command in parentheses may hold spaces; the parent is the second field after it
        # shellcheck disable=SC2086
        set -- ${rest##*) }
        [ "${2:-}" = "$postmaster" ] || continue
        stat=${stat%/stat}
        printf '%s\n' "${stat#/proc/}"
    done
}

# kill_cluster DIR: a crash, SIGKILL to every process; prints what it does
kill_cluster() {
    local pids pid tries
    mapfile -t pids < <(cluster_pids "$1")
    printf 'kill -KILL %s\n' "${pids[*]}"
    kill -KILL "${pids[@]}" 2>/dev/null || true
    for pid in "${pids[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
    done
    # where nothing reaps orphans, the dead postmaster still looks alive to the next one
    if grep -qs '^State:.*Z' "/proc/${pids[0]}/status"; then
        rm -f "$1/data/postmaster.pid" "$1"/.s.PGSQL.*.lock
    fi
}
