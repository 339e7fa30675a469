# shellcheck shell=bash disable=SC2034,SC2154
# Groups: members that come, go and are killed while records flow; sourced by run.
#
# A scenario "group_KIND" of a client has three members of that client; those of "mixed" have
# one of each of the clients in their names.  What a member prints is in README.md.

group_partitions=6
# records that are written at a time, six times in all
group_chunk=${TOPIC_GROUP_RECORDS:-16800}

member_java() { exec java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$kept/java:$KAFKA_HOME/libs/*" Member "$@"; }
member_python() { PYTHONPATH=$kept/python PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/python/$1_member.py" "${@:2}"; }
member_confluent() { member_python confluent "$@"; }
member_kafka_python() { member_python kafka_python "$@"; }
member_aiokafka() { member_python aiokafka "$@"; }
member_kafkajs() { KAFKAJS_NO_PARTITIONER_WARNING=1 NODE_PATH=$kept/node/node_modules exec node "$here/node/member.js" "$@"; }
member_franz_go() { exec "$kept/go/bin/franz" "$1" member "${@:2}"; }
member_kafka_go() { exec "$kept/go/bin/kafkago" "$1" member "${@:2}"; }
# It says on standard error which partitions it gets, and that all are taken away before.
member_kcat() {
    exec kcat -b "$1" -X client.id="$4" -X partition.assignment.strategy="$5" -X auto.commit.interval.ms=200 -X auto.offset.reset=earliest \
        -X session.timeout.ms=6000 -X heartbeat.interval.ms=500 -u -f 'record %p %o %s\n' -G "$3" "$2" \
        2> >(sed -uE '/ rebalanced /!d; s/.*: revoked: .*/assigned/; s/.*: assigned: (.*)/assigned \1/; s/[^ ]+ \[([0-9]+)\],?/\1/g' >&3)
}

# ---- members -------------------------------------------------------------------

# The state of one scenario: which members there have been, and their processes.
group_begin() {
    bootstrap=$1 topic=$2 group=$2
    said=$output/members/$topic.${bootstrap#*:}
    rm -rf "$said"
    mkdir -p "$said"
    declare -gA members=()
    exec {feed}>/dev/null
}

# Members and the producer outlive the steps of a scenario, each of which has the limit.
SCENARIO_STEPS=20

# join NAME CLIENT KIND
join() {
    (cd "$said" && limit=$((SCENARIO_STEPS * limit)) && "member_$2" "$bootstrap" "$topic" "$group" "$1" "$3") 3>>"$said/$1" >>"$said/$1" 2>"$said/$1.err" </dev/null {feed}>&- &
    members[$1]=$!
}

# leave NAME...: they end as they should
leave() {
    local name status
    for name; do
        kill -TERM "${members[$name]}" || true
        status=0
        wait "${members[$name]}" || status=$?
        unset "members[$name]"
        # so a JVM ends, and what has no handler of SIGTERM
        [ "$status" = 0 ] || [ "$status" = 143 ] || echo "$name ends with $status"
    done
}

# die_at_once NAME
die_at_once() {
    kill -KILL "${members[$1]}"
    wait "${members[$1]}" 2>/dev/null || true
    unset "members[$1]"
}

end_members() {
    local name
    for name in "${!members[@]}"; do die_at_once "$name"; done
    [ -z "${feeder:-}" ] || kill -KILL "$feeder" 2>/dev/null || true
}

# shares NAME...: how many partitions each has, where none has one that another has, or is left out
shares() {
    local name all='' counts='' mine
    for name; do
        mine=$(grep -a '^assigned' "$said/$name" | tail -n 1 | cut -s -d' ' -f2-)
        all+=" $mine"
        counts+=" $(wc -w <<<"$mine")"
    done
    tr ' ' '\n' <<<"$all" | grep . | sort -n | awk '$1 != NR - 1 { wrong = 1 } END { exit wrong }' || return 1
    # which one has more is the members' ids' affair
    tr ' ' '\n' <<<"$counts" | grep . | sort -n | paste -sd' '
}

# settled TEXT COUNTS NAME...: wait until the members have so many partitions each
settled() {
    local text=$1 counts=$2
    shift 2
    wait_until "$text" "shares $*" "$counts" || { grep -a '^assigned' "$said"/m? | tail -n 20 >&2; exit 1; }
    echo "$text: partitions $counts"
}

# drops CLIENT: how many records it may lose when it leaves.  kcat does not print one that it gets after SIGTERM, and commits it.
drops() { if [ "$1" = kcat ]; then echo 1; else echo 0; fi; }

# ---- the records ---------------------------------------------------------------

feed_begin() {
    rm -f "$said/feed"
    mkfifo "$said/feed"
    (limit=$((SCENARIO_STEPS * limit)); program_java "$bootstrap" feed "$topic") <"$said/feed" 2>"$said/feed.err" >&2 &
    feeder=$!
    exec {feed}>"$said/feed"
}
feed() { echo "$group_chunk" >&"$feed"; }
feed_end() {
    exec {feed}>&-
    wait "$feeder" || echo "the producer fails"
    feeder=''
}

# ---- what the tools say ----------------------------------------------------------

# Is CLIENT/SCENARIO one that needs what follows?
in_groups() { case $1 in mixed/*|streams/*|*/group_*|tools/groups|tools/*_group|tools/performance|tools/kinds|tools/transactions) ;; *) return 1 ;; esac; }

# Kafka's tools run in one process for each broker, to which these descriptors lead.
declare -A commands_in=() commands_out=() commands_process=()

commands_begin() {
    local place=$output/commands.${1#*:} in out
    [ -z "${commands_in[$1]:-}" ] || return 0
    mkfifo "$place.in" "$place.out"
    (exec 9>&- java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$kept/java:$KAFKA_HOME/libs/*" Commands "$1") \
        <"$place.in" >"$place.out" 2>"$place.err" &
    commands_process[$1]=$!
    exec {in}>"$place.in" {out}<"$place.out"
    commands_in[$1]=$in commands_out[$1]=$out
}

commands_end() {
    local process
    for process in "${commands_process[@]}"; do kill "$process" 2>/dev/null || true; done
}

# command_of BOOTSTRAP CLASS ARGUMENT...
command_of() {
    local line
    echo "${*:2}" >&"${commands_in[$1]}"
    while IFS= read -r -t "$limit" line <&"${commands_out[$1]}"; do
        [ "$line" != '== done' ] || return 0
        printf '%s\n' "$line"
    done
    echo 'the tool does not answer'
}

# unserved BOOTSTRAP CLIENT/SCENARIO: the API that it needs and that the broker does not serve
unserved() {
    local api=JoinGroup said
    case $2 in */group_consumer|*/group_migration) api=ConsumerGroupHeartbeat ;; esac
    said=$(command_of "$1" BrokerApiVersionsCommand)
    ! grep -q "^.$api(.*): UNSUPPORTED" <<<"$said" || echo "$api is not served"
}

# groups ARGUMENT...: kafka-consumer-groups, without what is another one each time
groups() {
    command_of "$bootstrap" consumer.group.ConsumerGroupCommand "$@" |
        perl -ne 's/127\.0\.0\.1:\d+/BROKER/g; s/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g; s/(?<!\S)(?=\S*[A-Z])[\w+\/-]{22}(==)?(?!\S)/ID/g; s/ +/ /g; s/ $//; print if /\S/'
}

lag() { groups --describe --group "$group" | awk '$6 ~ /^[0-9]+$/ { n += $6; rows++ } END { print rows ": " n }'; }

# the members of the group, its offsets and its state
describe_group() {
    echo "== $1"
    groups --describe --group "$group" --offsets | sort -k 3,3
    groups --describe --group "$group" --members --verbose
    groups --describe --group "$group" --state
    groups --list --state | grep -E "^$group "
}

# members_of NAME: the clients whose names it consists of
members_of() {
    case $1 in
        java_confluent_kafkajs) echo java confluent kafkajs ;;
        franz_go_kafka_python_kafka_go) echo franz_go kafka_python kafka_go ;;
        kcat_aiokafka_java) echo kcat aiokafka java ;;
    esac
}

# ---- the scenarios ---------------------------------------------------------------

# One member; a second one; a third one; that is killed; the second one leaves.  Records flow all the time.
group_scenario() {
    local first=$3 second=$4 third=$5 kind=$6
    group_begin "$1" "$2"
    trap end_members EXIT
    feed_begin
    feed
    join m1 "$first" "$kind"
    settled 'one member' 6 m1
    feed
    join m2 "$second" "$kind"
    settled 'two members' '3 3' m1 m2
    feed
    join m3 "$third" "$kind"
    settled 'three members' '2 2 2' m1 m2 m3
    feed
    wait_until 'records of the third' "grep -ac ^record $said/m3 | sed 's/[1-9].*/some/'" some
    die_at_once m3
    settled 'one is killed' '3 3' m1 m2
    feed
    leave m2
    settled 'one leaves' 6 m1
    feed
    feed_end
    wait_until 'all is consumed' lag "$group_partitions: 0"
    describe_group 'with a member'
    leave m1
    describe_group 'without members'
    "$here/delivered" "$group_partitions" "$((6 * group_chunk / group_partitions))" m3 "$(drops "$second")" "$said"/m{1,2,3}
    groups --delete --group "$group"
    groups --list | grep -Fx "$group" || echo 'it is not listed any more'
}

# ---- from one protocol to the other ------------------------------------------------

# what kind of group it is, and which protocol each member speaks
tell_kind() {
    groups --list --type | grep -E "^$group "
    groups --describe --group "$group" --members --verbose |
        awk 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next } { print $column["CLIENT-ID"], $column["#PARTITIONS"], ("UPGRADED" in column) ? $column["UPGRADED"] : "-" }' | sort
}

# Three members that are rolled over one by one from KIND to another one; the others go on with what they have.
roll_over() {
    local from=$1 to=$2 kind=$3 left=$4 n
    for n in 1 2 3; do
        feed
        leave "$from$n"
        # shellcheck disable=SC2086
        settled "$from$n has left" '3 3' ${left#* }
        left=${left#* }
        feed
        join "$to$n" java "$kind"
        left+=" $to$n"
        # shellcheck disable=SC2086
        settled "$to$n speaks $kind" '2 2 2' $left
        tell_kind
    done
}

migration_scenario() {
    group_begin "$1" "$2"
    trap end_members EXIT
    feed_begin
    feed
    join a1 java cooperative
    settled 'one member' 6 a1
    join a2 java cooperative
    settled 'two members' '3 3' a1 a2
    join a3 java cooperative
    settled 'three members' '2 2 2' a1 a2 a3
    tell_kind
    roll_over a n consumer 'a1 a2 a3'
    roll_over n r range 'n1 n2 n3'
    feed
    feed_end
    wait_until 'all is consumed' lag "$group_partitions: 0"
    leave r1 r2 r3
    groups --list --type --state | grep -E "^$group "
    "$here/delivered" "$group_partitions" "$((14 * group_chunk / group_partitions))" - 0 "$said"/[anr]?
}

# ---- one group, in Kafka and in SQL -----------------------------------------------

# What Java's members have left SQL goes on with, and the other way round, with the offsets of one and the same group.
shared_scenario() {
    local values n
    group_begin "$1" shared_group
    trap end_members EXIT
    feed_begin
    for n in 1 3; do
        feed
        join "m$n" java range
        wait_until 'what has been written' "sql -c 'SELECT count(*) FROM shared_group'" "$((n * group_chunk))"
        wait_until 'all is consumed' lag "$group_partitions: 0"
        echo "while a member of Kafka's lives, SQL is refused with $(shared_in_sql)"
        leave "m$n"
        values=$(sed -n 's/^record . \([0-9]*\) .*/\1/p' "$said/m$n" | sort -n)
        echo "Java gets $(wc -l <<<"$values") records from offset $(head -n 1 <<<"$values") to $(tail -n 1 <<<"$values")"
        feed
        wait_until 'what has been written' "sql -c 'SELECT count(*) FROM shared_group'" "$(((n + 1) * group_chunk))"
        echo "SQL gets records, the first and the last offset: $(shared_in_sql)"
        echo "lag in SQL $(sql -c "SELECT sum(lag) FROM pg_topic_groups WHERE group_id = 'shared_group'"), for Kafka $(lag)"
    done
    feed_end
}
shared_in_sql() {
    sql -v VERBOSITY=sqlstate -c "SELECT count(*), min(record_offset), max(record_offset) FROM consume('shared_group', 'shared_group', 1000000)" 2>&1 |
        sed 's/.*ERROR: *//'
}

check_shared_group() {
    local bootstrap each=$((group_chunk / group_partitions)) n
    [[ " ${chosen[java]:-} " == *' group_range '* ]] || return 0
    bootstrap=$(bootstrap_of pg_topics)
    commands_begin "$bootstrap"
    reason=$(unserved "$bootstrap" java/group_range)
    [ -z "$reason" ] || { skip 'a group in Kafka and in SQL' "$reason"; return 0; }
    sql -o /dev/null -c "SELECT create_topic('shared_group', $group_partitions, 'bytea', 'bytea')"
    (shared_scenario "$bootstrap") >"$output/shared" 2>"$output/shared.err" || true
    for n in 0 2; do
        echo "while a member of Kafka's lives, SQL is refused with 55006"
        echo "Java gets $group_chunk records from offset $((n * each)) to $(((n + 1) * each - 1))"
        echo "SQL gets records, the first and the last offset: $group_chunk|$(((n + 1) * each))|$(((n + 2) * each - 1))"
        echo "lag in SQL 0, for Kafka $group_partitions: 0"
    done >"$output/shared_expected"
    same "$output/shared" "$output/shared_expected" 'a group in Kafka and in SQL goes on where the other one stopped'
}
