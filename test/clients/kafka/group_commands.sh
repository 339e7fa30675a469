# shellcheck shell=bash disable=SC2154
# Kafka's tools, groups and transactions: kafka-consumer-groups and kafka-transactions with each of their commands, and the tools that
# are members of groups; sourced by run.
# tools_SCENARIO BOOTSTRAP TOPIC

# said_of ARGUMENT...: a command of kafka-consumer-groups and what it says, without its explanation of all options and
# where in its program an error comes from.  A table's rows come in any order.
said_of() {
    echo "== ${*//"$said/"/}"
    groups "$@" | awk '/^Option Description/ { explains = 1 } /^it ends with|^Commands/ { explains = 0 }
        explains || /^(\tat |Caused by:|java\.|org\.)/ { next }
        # a set, in any order
        { sub(/Valid states are: .*/, "") }
        /^GROUP|^TOPIC/ { print; next }
        { print | "LC_ALL=C sort" }'
}

# What the group is set to by ARGUMENT..., first without doing it
resets() {
    said_of --reset-offsets --group "$group" "$@" --dry-run
    said_of --reset-offsets --group "$group" "$@" --execute
}

# offsets that are set by each way to say which
reset_each() {
    resets --topic "$topic" --to-earliest
    said_of --describe --group "$group"
    resets --topic "$topic" --to-latest
    resets --topic "$topic:0,2" --to-offset 1
    resets --topic "$topic:1" --to-offset 1000000
    resets --topic "$topic" --shift-by -1
    resets --topic "$topic" --shift-by 1000000
    resets --topic "$topic" --to-datetime 2023-11-14T22:13:22.500
    resets --topic "$topic" --to-datetime 2023-11-14T22:13:22.500+01:00
    resets --topic "$topic" --by-duration PT0S
    resets --topic "$topic" --by-duration P10000D
    resets --all-topics --to-current
    resets --topic "$topic" --topic by_sql:1 --to-earliest
    resets --topic kafka_no_such_topic --to-earliest
    resets --topic "$topic:9" --to-earliest
    said_of --reset-offsets --group "$group" --to-earliest --dry-run
    said_of --reset-offsets --all-groups --topic "$topic" --to-latest --dry-run
}

# by a file, in its two forms
reset_by_file() {
    said_of --reset-offsets --group "$group" --topic "$topic" --to-offset 2 --export --dry-run
    echo "$topic,0,1" >"$said/one.csv"
    resets --from-file "$said/one.csv"
    printf '%s\n' "$group,$topic,0,2" "$group-2,$topic,1,1" >"$said/two.csv"
    said_of --reset-offsets --group "$group" --group "$group-2" --from-file "$said/two.csv" --execute
    said_of --reset-offsets --group "$group" --group "$group-2" --topic "$topic" --to-current --export
    said_of --describe --group "$group" --group "$group-2" --offsets
}

# what is told of all groups and of one, in each form
list_and_describe() {
    said_of --list
    said_of --list --state
    said_of --list --state stable,preparingrebalance
    said_of --list --state empty
    said_of --list --state nonsense
    said_of --list --type
    said_of --list --type consumer
    said_of --list --type classic --state
    said_of --describe --group "$group"
    said_of --describe --group "$group" --offsets --verbose
    said_of --describe --group "$group" --members
    said_of --describe --group "$group" --members --verbose
    said_of --describe --group "$group" --state
    said_of --describe --group "$group" --state --verbose
    said_of --describe --all-groups --state
    said_of --describe --all-groups
}

# what may not be done to a group that has members
refusals() {
    said_of --reset-offsets --group "$group" --topic "$topic" --to-earliest --execute
    said_of --delete --group "$group"
    said_of --delete-offsets --group "$group" --topic "$topic"
}

tools_groups() {
    local kind
    (program_java "$1" write "$2" "$here/records.jsonl") >/dev/null
    group_begin "$1" "$2"
    trap end_members EXIT
    # what a scenario that failed has left
    groups --delete --all-groups >/dev/null
    for kind in --state --members --offsets; do said_of --describe --group "$group" "$kind"; done
    said_of --delete --group "$group"
    said_of --delete-offsets --group "$group" --topic "$topic"
    reset_each
    reset_by_file
    list_and_describe
    said_of --delete-offsets --group "$group" --topic "$topic:1" --topic by_sql
    said_of --delete-offsets --group "$group" --topic kafka_no_such_topic
    said_of --describe --group "$group"
    said_of --delete-offsets --group "$group-2" --topic "$topic"
    said_of --delete --group "$group-2" --group "$group-3"
    said_of --list
    for kind in range consumer; do
        said_of --delete --all-groups
        join "$kind" java "$kind"
        wait_until 'a member' "shares $kind" 3
        wait_until 'its offsets' lag '3: 0'
        list_and_describe
        refusals
        leave "$kind"
        said_of --describe --group "$group"
        said_of --describe --group "$group" --state
    done
    said_of --delete --group "$group"
    said_of --list
    for kind in 'a.*' '(a' '[[:alpha:]]+' 'a(?=b)'; do said_of --validate-regex "$kind"; done
}

# plain CLASS ARGUMENT...: another tool and what it says, in any order, without its explanation of all options
plain() {
    echo "== $*"
    command_of "$bootstrap" "$@" | awk '/^Option Description/ { explains = 1 } /ends with/ { explains = 0 }
        explains || !NF || /ends with|^(\tat |Caused by:|java\.|org\.)/ { next }
        { gsub(/ +/, " "); sub(/ $/, ""); print | "LC_ALL=C sort" }'
}
# failing CLASS ARGUMENT...: a tool and the error that it meets
failing() { echo "== $*: $(command_of "$bootstrap" "$@" | first_error)"; }

# all kinds of groups, of which two are not served, and what is set for groups
tools_kinds() {
    local kind
    group_begin "$1" "$2"
    trap end_members EXIT
    groups --delete --all-groups >/dev/null
    groups --reset-offsets --group "$group-2" --topic "$topic" --to-earliest --execute >/dev/null
    join consumer java consumer
    wait_until 'a member' 'shares consumer' 3
    for kind in '' --consumer --share --streams '--group-type classic' '--group-type consumer'; do
        # shellcheck disable=SC2086
        plain GroupsCommand --list $kind
    done
    for kind in consumer.group.ShareGroupCommand streams.StreamsGroupCommand; do
        plain "$kind" --list
        plain "$kind" --list --state
        plain "$kind" --describe --all-groups
        failing "$kind" --describe --group "$group-3"
        failing "$kind" --describe --group "$group-2"
        failing "$kind" --delete --group "$group-3"
    done
    plain ConfigCommand --describe --entity-type groups --entity-name "$group"
    plain ConfigCommand --describe --entity-type groups
    failing ConfigCommand --alter --entity-type groups --entity-name "$group" --add-config no.such.option=1
    plain ClientMetricsCommand --list
    plain ClientMetricsCommand --describe
    leave consumer
    groups --delete --all-groups >/dev/null
}

# transacts ARGUMENT...: kafka-transactions and what it says, without what is another one each time: columns of producers' ids and times
transacts() {
    echo "== $*"
    command_of "$bootstrap" TransactionsCommand "$@" | perl -ne '
        next if /^(\tat |Caused by:|java\.|org\.)/ || !/\S/;
        chomp;
        my @words = split /\t/;
        s/ +$// foreach @words;
        if (/^\w+Id *\t/) { @columns = @words }
        elsif (@columns) { foreach my $i (0 .. $#words) { $words[$i] = "SOME" if $columns[$i] =~ /^ProducerId$|Time(stamp)?(Ms)?$|Duration/ && $words[$i] =~ /^\d+$/ && $columns[$i] !~ /Timeout/ } }
        s/(\S+,\S+)/join ",", sort split ",", $1/e foreach @words;
        push @lines, [ scalar(@lines) && @columns ? 1 : 0, join " | ", @words ];
        END { print map { "$_->[1]\n" } sort { $a->[0] <=> $b->[0] || $a->[1] cmp $b->[1] } @lines }'
}

# held LINE: tell the program that holds transactions open, and wait for what it says of that
held() {
    echo "$1" >&"$hold"
    wait_until 'its answer' "grep -c '^$1:' $said/hold" 1
    grep "^$1:" "$said/hold"
}

# transactional ids in each state, as an administrator sees and ends them
tools_transactions() {
    local holder hold name partition
    group_begin "$1" "$2"
    transacts list
    rm -f "$said/held"
    mkfifo "$said/held"
    (program_java "$1" hold "$topic") <"$said/held" >"$said/hold" &
    holder=$!
    exec {hold}>"$said/held"
    wait_until 'the transactions' "grep -c ready $said/hold" 1
    transacts list
    transacts list --transactional-id-pattern "$topic-.*ed"
    transacts list --transactional-id-pattern '('
    transacts list --duration-filter 3600000
    for name in open doomed committed aborted empty nobody; do transacts describe --transactional-id "$topic-$name"; done
    for partition in 0 1 2; do transacts describe-producers --topic "$topic" --partition "$partition"; done
    transacts find-hanging --broker-id 1
    transacts find-hanging --topic "$topic" --partition 0
    transacts find-hanging --broker-id 1 --max-transaction-timeout 0
    transacts abort --topic "$topic" --partition 1 --start-offset 7
    transacts abort --topic "$topic" --partition 1 --start-offset 0
    transacts describe-producers --topic "$topic" --partition 1
    transacts describe --transactional-id "$topic-doomed"
    held 'commit doomed'
    transacts forceTerminateTransaction --transactionalId "$topic-open"
    transacts forceTerminateTransaction --transactionalId "$topic-nobody"
    transacts describe --transactional-id "$topic-open"
    for partition in 0 2; do transacts describe-producers --topic "$topic" --partition "$partition"; done
    held 'commit open'
    transacts list
    exec {hold}>&-
    wait "$holder" || echo "the program fails"
    tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --from-beginning --timeout-ms 5000 --command-property isolation.level=read_committed 2>/dev/null | sort
}

# console-consumer with a group: it reads what is new, and goes on where it ended
tools_console_group() {
    local n
    group_begin "$1" "$2"
    for n in 1 2; do
        printf '%s\n' "a:one $n" "b:two $n" "c:three $n" |
            tool ConsoleProducer --bootstrap-server "$1" --topic "$2" --reader-property parse.key=true --reader-property key.separator=:
        tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --group "$group" --from-beginning --max-messages 3 --timeout-ms 20000 \
            --formatter-property print.key=true 2>&1 | sort
        said_of --describe --group "$group"
    done
    tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --group "$group" --timeout-ms 3000 2>&1 | grep -v ERROR
    tool consumer.ConsoleConsumer --bootstrap-server "$1" --include "$2|nothing" --group "$group-2" --from-beginning --max-messages 6 --timeout-ms 20000 2>&1 | sort
    said_of --delete --group "$group" --group "$group-2"
}

# two consumers that say in JSON what happens to them
tools_verifiable_group() {
    local protocol
    group_begin "$1" "$2"
    tool VerifiableProducer --bootstrap-server "$1" --topic "$2" --max-messages 600 --acks -1 --message-create-time 1700000000000 >"$said/produced"
    for protocol in classic consumer; do
        tool VerifiableConsumer --bootstrap-server "$1" --topic "$2" --group-id "$group-$protocol" --group-protocol "$protocol" --max-messages 600 \
            --reset-policy earliest --enable-autocommit >"$said/$protocol" 2>&1 || echo "the consumer ends with $?"
        grep -o '"name":"[a-z_]*"' "$said/$protocol" | sort -u
        sed -nE 's/.*"name":"records_consumed".*"count":([0-9]+).*/\1/p' "$said/$protocol" | awk '{ n += $1 } END { print n, "records" }'
        said_of --describe --group "$group-$protocol"
        said_of --delete --group "$group-$protocol"
    done
}

# how fast it is, which is another figure each time
tools_performance() {
    group_begin "$1" "$2"
    tool ProducerPerformance --topic "$2" --num-records 20000 --record-size 100 --throughput -1 --command-property bootstrap.servers="$1" >/dev/null
    tool ConsumerPerformance --bootstrap-server "$1" --topic "$2" --group "$group" --num-records 20000 --timeout 30000 2>&1 |
        awk -F', ' 'NR > 1 { print $5, "records" }'
    said_of --describe --group "$group" --state
    tool EndToEndLatency --bootstrap-server "$1" --topic "$2" --num-records 200 --producer-acks all --record-size 100 2>&1 |
        sed -E 's/[0-9]+(\.[0-9]+)?/N/g' | sort -u
    said_of --delete --group "$group"
}
