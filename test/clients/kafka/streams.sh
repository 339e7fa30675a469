# shellcheck shell=bash disable=SC2154
# Applications of Kafka Streams with exactly_once_v2, whose processes are killed at random; sourced by run.

prepare_streams() {
    has javac && has mvn || return 1
    prepare_java && built streams streams bash -c '[ -e lib/.complete ] || { mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib && touch lib/.complete; }
        [ -z "$(find . -name "*.java" -newer WordCount.class 2>&1)" ] || javac -proc:none -cp "lib/*" *.java'
}
# application ARGUMENT...: of the program that the scenario is about
application() { exec java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$kept/streams:$kept/streams/lib/*" "$program" "$@"; }
program_streams() { "streams_$2" "$1" "$3"; }

# start_application [SETTING VALUE]...: its lines begin anew
start_application() {
    : >"$said/made"
    (application "$bootstrap" run "$topic" "$said/state" "$@") >>"$said/made" 2>>"$said/made.err" </dev/null &
    members[application]=$!
}
# results that the process has made, in thousands: enough of them
makes_some() { [ "$(tail -n 1 "$said/made" | tr -dc 0-9)" -ge "$1" ] && echo yes; }

# killed PROGRAM BOOTSTRAP TOPIC RESULTS [SETTING VALUE]...: ten thousand records are worked on, so many results for each of them, while the process is killed
# four times at random in the midst of them, once with the loss of its state, and then ended as it should be.
killed() {
    local round results=$4
    program=$1
    group_begin "$2" "$3"
    trap 'end_members; end_checker' EXIT
    (application "$bootstrap" create "$topic")
    check_beside
    for round in 0 1 2 3; do
        (application "$bootstrap" feed "$topic" $((2000 * round)) 2000)
        start_application "${@:5}"
        wait_until "round $round" "makes_some $((500 * (1 + RANDOM % (3 * results))))" yes || tail -n 5 "$said"/made{,.err} >&2
        die_at_once application
        [ "$round" != 1 ] || rm -rf "$said/state"
    done
    (application "$bootstrap" feed "$topic" 8000 2000)
    start_application "${@:5}"
    (application "$bootstrap" judge "$topic" $((10000 * results)))
    leave application
    ! grep fails "$said/made"
    end_checker
    groups --describe --group "$group" --state
}

# The groups of Streams' own protocol (KIP-1071) are off: what becomes of an application that wants them.
streams_protocol() {
    program=WordCount
    group_begin "$1" "$2"
    trap end_members EXIT
    [ "$1" != "$(bootstrap_of kafka)" ] || command_of "$1" FeatureCommand downgrade --feature streams.version=0 >"$said/feature"
    (application "$1" create "$topic")
    start_application group.protocol streams
    wait_until 'its end' 'grep -q "^fails" "$said/made" && echo yes' yes || tail -n 5 "$said"/made{,.err} >&2
    grep -oE '^fails with [a-zA-Z.]+|[a-zA-Z.]*UnsupportedVersionException.*' "$said/made" | sort -u
    # as it was, for those that come next
    [ "$1" != "$(bootstrap_of kafka)" ] || command_of "$1" FeatureCommand upgrade --feature streams.version=1 >>"$said/feature"
}

streams_word_count() { killed WordCount "$1" "$2" 3; }
streams_join() { killed Join "$1" "$2" 1; }
streams_windows() { killed Windows "$1" "$2" 1; }

# ---- a checker in SQL beside it ----------------------------------------------------

# check_beside: on pg_topics what the application writes is looked at again and again, if there are checks for it
checker=''
check_beside() {
    [ "$program" = Join ] && [ "$bootstrap" = "$(bootstrap_of pg_topics)" ] || return 0
    sql -v topic="$topic" -f "$here/streams/join.sql" >/dev/null
    sql -c 'CALL check_streams()' >"$said/checks" 2>&1 </dev/null &
    checker=$!
}

# what it has found wrong is printed, as is that it has looked at nothing
end_checker() {
    [ -n "$checker" ] || return 0
    sql -c 'CREATE TABLE streams_checked ()'
    wait "$checker" || true
    checker=''
    cat "$said/checks"
    sql -c "SELECT 'SQL sees: ' || what FROM streams_problem LIMIT 10" -c "SELECT 'SQL has looked too seldom' FROM streams_checks HAVING count(*) < 20"
}
