# shellcheck shell=bash disable=SC2154
# Kafka Streams with exactly_once_v2, of which the process is killed; sourced by run.

prepare_streams() {
    has javac && has mvn || return 1
    prepare_java && built streams streams bash -c '[ -e lib/.complete ] || { mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib && touch lib/.complete; }
        [ WordCount.class -nt WordCount.java ] || javac -proc:none -cp "lib/*" WordCount.java'
}
word_count() { exec java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$kept/streams:$kept/streams/lib/*" WordCount "$@"; }
program_streams() { "streams_$2" "$1" "$3"; }

# start_counting: its lines begin anew
start_counting() {
    : >"$said/counted"
    (word_count "$bootstrap" count "$topic" "$said/state") >>"$said/counted" 2>>"$said/counted.err" </dev/null &
    members[counter]=$!
}
# words that the process has counted, in thousands, at least one
counts_some() { [ "$(tail -n 1 "$said/counted" | tr -dc 0-9)" -ge 1000 ] && echo yes; }

# The words of ten thousand records are counted while the process is killed four times in the midst of them, once with the loss of
# its state, and then ended as it should be.
streams_word_count() {
    local round
    group_begin "$1" "$2"
    trap end_members EXIT
    (word_count "$1" create "$topic")
    for round in 1 2 3 4; do
        (word_count "$1" feed "$topic" 2000)
        start_counting
        wait_until "round $round" counts_some yes || tail -n 5 "$said"/counted{,.err} >&2
        die_at_once counter
        [ "$round" != 2 ] || rm -rf "$said/state"
    done
    (word_count "$1" feed "$topic" 2000)
    start_counting
    (word_count "$1" judge "$topic" 30000)
    leave counter
    ! grep fails "$said/counted"
    groups --describe --group "$group" --state
}
