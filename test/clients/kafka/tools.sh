# shellcheck shell=bash
# Kafka's own command line tools; sourced by run.
# tools_SCENARIO BOOTSTRAP TOPIC

program_tools() { "tools_$2" "$1" "$3"; }

tool() { timeout "$limit" "$here/apache_kafka" "$@"; }

tools_metadata() {
    tool TopicCommand --bootstrap-server "$1" --list | grep -Fx by_sql
}

# each API with its versions; those that only one of them has are in differences.txt
tools_versions() {
    tool BrokerApiVersionsCommand --bootstrap-server "$1"
}

# an error is known by its class; texts are each broker's own
error_names() { sed -nE 's/^.*[ .]([A-Za-z]+Exception)\b.*$/error \1/p' | uniq | head -n 1; }

# What TopicCommand says of topics, without their ids, and what Kafka sets for all brokers when a cluster begins.
describe_topics() {
    tool TopicCommand --bootstrap-server "$1" --describe "${@:2}" |
        sed -E 's/TopicId: [^\t]*/TopicId: ID/; s/(Configs: )min\.insync\.replicas=1,?/\1/'
}

# creating, describing, more partitions, and what cannot be
tools_topics() {
    describe_topics "$1" --topic "$2"
    tool TopicCommand --bootstrap-server "$1" --alter --topic "$2" --partitions 5
    describe_topics "$1" --topic "$2"
    tool TopicCommand --bootstrap-server "$1" --alter --topic "$2" --partitions 4 2>&1 | error_names
    tool TopicCommand --bootstrap-server "$1" --alter --topic "$2" --partitions 5 2>&1 | error_names
    tool TopicCommand --bootstrap-server "$1" --alter --topic no_such --partitions 5 2>&1 | grep -oE 'Topic .* does not exist as expected' | head -n 1
    tool TopicCommand --bootstrap-server "$1" --create --topic "$2-made" --partitions 2 --replication-factor 1 \
        --config retention.ms=3600000 --config flush.messages=100 --config unclean.leader.election.enable=false --config preallocate=true
    describe_topics "$1" --topic "$2-made"
    tool TopicCommand --bootstrap-server "$1" --create --topic "$2-made" 2>&1 | error_names
    tool TopicCommand --bootstrap-server "$1" --create --topic "$2-made" --if-not-exists
    tool TopicCommand --bootstrap-server "$1" --create --topic "$2-bad" --config no.such.option=1 2>&1 | error_names
    tool TopicCommand --bootstrap-server "$1" --create --topic "$2-bad" --config retention.ms=soon 2>&1 | error_names
    for what in --under-replicated-partitions --unavailable-partitions --under-min-isr-partitions --at-min-isr-partitions; do
        echo "$what"
        describe_topics "$1" $what --topic "$2"
    done
    describe_topics "$1" --topics-with-overrides --topic "$2-made"
    tool TopicCommand --bootstrap-server "$1" --delete --topic "$2-made"
    tool TopicCommand --bootstrap-server "$1" --list --topic "$2.*"
}

# What ConfigCommand says of a resource.
describe_configs() {
    tool ConfigCommand --bootstrap-server "$1" --describe "${@:2}"
}
alter_configs() {
    tool ConfigCommand --bootstrap-server "$1" --alter "${@:2}" 2>&1 | sed -nE '/^Completed/p; s/^.*[ .]([A-Za-z]+Exception): .*$/error \1/p' | uniq
}

tools_configs() {
    describe_configs "$1" --entity-type topics --entity-name "$2"
    alter_configs "$1" --entity-type topics --entity-name "$2" --add-config 'retention.ms=1000,cleanup.policy=[compact,delete],flush.ms=5'
    describe_configs "$1" --entity-type topics --entity-name "$2"
    alter_configs "$1" --entity-type topics --entity-name "$2" --delete-config flush.ms --add-config max.message.bytes=2000
    describe_configs "$1" --entity-type topics --entity-name "$2"
    describe_configs "$1" --entity-type topics --entity-name "$2" --all | sed 's/ synonyms=.*//'
    alter_configs "$1" --entity-type topics --entity-name "$2" --delete-config no.such.option
    alter_configs "$1" --entity-type topics --entity-name "$2" --add-config no.such.option=1
    alter_configs "$1" --entity-type topics --entity-name "$2" --add-config segment.bytes=x
    alter_configs "$1" --entity-type topics --entity-name no_such --add-config retention.ms=1
    alter_configs "$1" --entity-type topics --entity-name "$2" --delete-config retention.ms,cleanup.policy,max.message.bytes
    describe_configs "$1" --entity-type topics --entity-name "$2"
    describe_configs "$1" --entity-type brokers --entity-name 1
    describe_configs "$1" --entity-type brokers --entity-default
    # what is so on both
    describe_configs "$1" --entity-type brokers --entity-name 1 --all |
        grep -E '^  (node\.id|broker\.id|num\.partitions|log\.retention\.(ms|hours|bytes)|log\.segment\.bytes|log\.cleanup\.policy|message\.max\.bytes|auto\.create\.topics\.enable|delete\.topic\.enable|default\.replication\.factor|min\.insync\.replicas|compression\.type|offsets\.retention\.minutes|unclean\.leader\.election\.enable|socket\.request\.max\.bytes|log\.message\.timestamp\.type)=' |
        sed -E 's/ (sensitive|synonyms)=.*//' | sort
}

tools_delete_records() {
    local json=$output/offsets.json
    (program_java "$1" write "$2" "$here/records.jsonl") >/dev/null
    tool GetOffsetShell --bootstrap-server "$1" --topic "$2" --time earliest
    printf '{"version": 1, "partitions": [{"topic": "%s", "partition": 0, "offset": 1}, {"topic": "%s", "partition": 1, "offset": -1}]}' "$2" "$2" >"$json"
    tool DeleteRecordsCommand --bootstrap-server "$1" --offset-json-file "$json" | sort
    tool GetOffsetShell --bootstrap-server "$1" --topic "$2" --time earliest
    tool GetOffsetShell --bootstrap-server "$1" --topic "$2" --time latest
    printf '{"version": 1, "partitions": [{"topic": "%s", "partition": 0, "offset": 99}, {"topic": "no_such", "partition": 0, "offset": 1}]}' "$2" >"$json"
    tool DeleteRecordsCommand --bootstrap-server "$1" --offset-json-file "$json" 2>&1 | grep -oE 'partition: [^ ]+|[A-Za-z]+Exception' | sort
    tools_read_all "$1" "$2" | wc -l
}

# partitions of a topic in the one directory; who has produced
tools_log_dirs() {
    local partition
    (program_java "$1" write "$2" "$here/records.jsonl") >/dev/null
    tool LogDirsCommand --bootstrap-server "$1" --describe --topic-list "$2" | tail -n 1 |
        grep -oE '"(partition|offsetLag|isFuture|error)":[^,}]*|"broker":[0-9]+' | sort
    tool LogDirsCommand --bootstrap-server "$1" --describe --topic-list "$2" --broker-list 1 | tail -n 1 | grep -cE '"size":[1-9]'
    for partition in 0 1 2; do
        tool TransactionsCommand --bootstrap-server "$1" describe-producers --topic "$2" --partition "$partition" |
            sed -E 's/^[0-9]+/ID/; s/1[0-9]{12}/TIME/; s/[ \t]+/ /g; s/ $//'
    done
}

tools_console_write() {
    printf 'a\tone\nb\ttwo\n\tno key\nc\tNULL\n' |
        tool ConsoleProducer --bootstrap-server "$1" --topic "$2" --reader-property parse.key=true --reader-property null.marker=NULL
    printf 'h:1,name:two words\tk\tv\n' |
        tool ConsoleProducer --bootstrap-server "$1" --topic "$2" --compression-codec gzip \
            --reader-property parse.key=true --reader-property parse.headers=true
    tools_read_all "$1" "$2" | sed -E 's/^CreateTime:[0-9]+/CreateTime/'
}

tools_console_read() {
    tools_read_all "$1" "$2"
    tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --partition 0 --offset 1 --max-messages 1 \
        --formatter-property print.offset=true 2>/dev/null
}

tools_read_all() {
    local partition
    for partition in 0 1 2; do
        tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --partition "$partition" --offset earliest --timeout-ms 5000 \
            --formatter-property print.timestamp=true --formatter-property print.partition=true --formatter-property print.offset=true \
            --formatter-property print.key=true --formatter-property print.headers=true 2>/dev/null
    done
}

tools_offsets() {
    local time
    for time in -1 -2 -3 0 1700000002500 1700000007001; do
        echo "at $time"
        tool GetOffsetShell --bootstrap-server "$1" --topic "$2" --time "$time"
    done
    tool GetOffsetShell --bootstrap-server "$1" --topic-partitions "$2:1" --time latest
}

tools_verifiable() {
    tool VerifiableProducer --bootstrap-server "$1" --topic "$2" --max-messages 200 --throughput -1 --acks -1 --repeating-keys 10 --message-create-time 1700000000000 |
        sed -E 's/"timestamp":[0-9]+,//; s/"avg_throughput":[0-9.]+,?//; s/"target_throughput":[-0-9]+,?//' | grep -v '"name":"startup_complete"' | sort
}

# many bytes in large requests, and back
tools_many() {
    tool ProducerPerformance --topic "$2" --num-records 20000 --record-size 1000 --throughput -1 --command-property bootstrap.servers="$1" \
        batch.size=100000 | sed -nE '$s/^([0-9]+ records sent).*/\1/p'
    tool GetOffsetShell --bootstrap-server "$1" --topic "$2" | awk -F: '{ n += $3 } END { print n, "records" }'
}

# The name of the error that a tool meets.
first_error() { (grep -oE '[A-Za-z]+Exception' || true) | (grep -v ExecutionException || true) | head -n 1; }
tool_error() { (tool "$@" 2>&1 || true) | first_error; }

# rights as ACLs; a tool prints those of a topic in no order
tools_acls() {
    local topic=(--bootstrap-server "$1" --topic "$2")
    acls() { tool AclCommand "${topic[@]}" "$@"; }
    listed() { acls --list "$@" | LC_ALL=C sort; }
    acls --add --allow-principal User:writer --producer --idempotent >/dev/null && echo 'a producer was added'
    acls --add --allow-principal User:writer --producer | grep -c 'operation=WRITE.*already exists'
    acls --add --allow-principal User:reader --consumer --group "$2_group" >/dev/null && echo 'a consumer was added'
    acls --add --allow-principal 'User:*' --operation Read >/dev/null && echo 'all may read'
    listed
    listed --principal User:reader
    listed --resource-pattern-type match
    tool AclCommand --bootstrap-server "$1" --list --topic nothing_like_it
    acls --remove --force --allow-principal User:writer --producer && echo 'the producer was removed'
    acls --remove --force --allow-principal User:nobody --operation Read && echo 'nothing was removed'
    listed
    acls --remove --force && echo 'all were removed'
    listed | grep -cE 'User:([*]|reader|writer)' || true
}

# passwords of users, and what an alteration that cannot be says
tools_scram() {
    configs() { tool ConfigCommand --bootstrap-server "$1" "${@:2}" 2>&1 || true; }
    configs "$1" --describe --entity-type users --entity-name writer
    configs "$1" --alter --entity-type users --entity-name writer --add-config 'SCRAM-SHA-256=[iterations=8192,password=secret]'
    configs "$1" --alter --entity-type users --entity-name reader --add-config 'SCRAM-SHA-256=[password=secret]'
    configs "$1" --describe --entity-type users --entity-name writer
    configs "$1" --describe --entity-type users | LC_ALL=C sort
    configs "$1" --alter --entity-type users --entity-name writer --delete-config SCRAM-SHA-256
    configs "$1" --describe --entity-type users --entity-name writer
    configs "$1" --alter --entity-type users --entity-name writer --delete-config SCRAM-SHA-256 | first_error
    configs "$1" --alter --entity-type users --entity-name reader --delete-config SCRAM-SHA-256
    configs "$1" --alter --entity-type users --entity-name reader --add-config 'SCRAM-SHA-256=[iterations=100,password=secret]' | first_error
}

# quotas, and a producer that has one
tools_quotas() {
    configs() { tool ConfigCommand --bootstrap-server "$1" "${@:2}" 2>&1 || true; }
    configs "$1" --alter --add-config producer_byte_rate=1000000,consumer_byte_rate=2000000 --entity-type users --entity-name writer
    configs "$1" --alter --add-config request_percentage=200 --entity-type users --entity-name writer --entity-type clients --entity-name one
    configs "$1" --alter --add-config producer_byte_rate=3000000 --entity-type clients --entity-default
    configs "$1" --alter --add-config controller_mutation_rate=5.5 --entity-type users --entity-default --entity-type clients --entity-default
    configs "$1" --describe --entity-type users --entity-name writer
    configs "$1" --describe --entity-type users --entity-name writer --entity-type clients
    configs "$1" --describe --entity-type users | LC_ALL=C sort
    configs "$1" --describe --entity-type clients | LC_ALL=C sort
    configs "$1" --alter --delete-config consumer_byte_rate --entity-type users --entity-name writer
    configs "$1" --describe --entity-type users --entity-name writer
    configs "$1" --alter --add-config producer_byte_rate=-1 --entity-type users --entity-name writer | first_error
    configs "$1" --alter --add-config no_such_rate=1 --entity-type users --entity-name writer | first_error
    configs "$1" --alter --delete-config producer_byte_rate --entity-type users --entity-name writer
    configs "$1" --alter --delete-config request_percentage --entity-type users --entity-name writer --entity-type clients --entity-name one
    configs "$1" --alter --delete-config controller_mutation_rate --entity-type users --entity-default --entity-type clients --entity-default
    configs "$1" --alter --delete-config producer_byte_rate --entity-type clients --entity-default
    configs "$1" --describe --entity-type users
    configs "$1" --alter --add-config producer_byte_rate=100000 --entity-type clients --entity-name slow
    # 1.4 MB at 100 kB/s, of which the first megabyte may come at once
    tool ProducerPerformance --topic "$2" --num-records 1400 --record-size 1000 --throughput -1 --print-metrics --command-property bootstrap.servers="$1" \
        client.id=slow batch.size=20000 |
        awk '/^[0-9]+ records sent/ { line = $0 } /producer-metrics:produce-throttle-time-max/ && $NF > 0 { waited = 1 }
            END { sub(/,.*/, "", line); print line; print (waited ? "it has waited" : "it has not waited") }'
    configs "$1" --alter --delete-config producer_byte_rate --entity-type clients --entity-name slow
}

# what a cluster of one broker has not, or needs not
tools_absent() {
    tool_error DelegationTokenCommand --bootstrap-server "$1" --command-config /dev/null --create --max-life-time-period -1
    tool_error DelegationTokenCommand --bootstrap-server "$1" --command-config /dev/null --describe
    tool LeaderElectionCommand --bootstrap-server "$1" --election-type preferred --topic "$2" --partition 0 || true
    tool LeaderElectionCommand --bootstrap-server "$1" --election-type unclean --all-topic-partitions || true
    tool_error LeaderElectionCommand --bootstrap-server "$1" --election-type preferred --topic nothing_like_it --partition 0
    tool reassign.ReassignPartitionsCommand --bootstrap-server "$1" --list
    tool FeatureCommand --bootstrap-server "$1" describe | grep -oE 'Feature: (metadata|kraft)[.]version' || true
    (tool FeatureCommand --bootstrap-server "$1" upgrade --feature no.such.feature=1 2>&1 || true) | (grep -oE "^Could not upgrade no.such.feature to 1" || true)
    tool_error MetadataQuorumCommand --bootstrap-server "$1" describe --status
}

# Kafka's own reader of log files on the files that came of the same records, segment by segment.
# The producer's id and the leader's epoch are the broker's own, and the checksum covers the first.
tools_dump() {
    local partition file
    (program_java "$1" write "$2" "$here/records.jsonl") >/dev/null
    for partition in 0 1 2; do
        while read -r file; do
            tool DumpLogSegments --deep-iteration --print-data-log --files "$file" |
                sed -E 's/(producerId|partitionLeaderEpoch|crc): [0-9]+//g; /^Dumping /d'
        done < <(tools_segments "$1" "$2" "$partition")
    done
}

# The files of a partition's segments, which the tool wants to have the names that Kafka gives them.
tools_segments() {
    local file name
    if [ "$1" = "$(bootstrap_of kafka)" ]; then
        printf '%s\n' "$KAFKA_HOME/data/$2-$3"/*.log
        return
    fi
    sql -c "SELECT path FROM pg_topic_segments WHERE topic = '$2'::regclass AND partition = $3 ORDER BY base_offset" |
        while read -r file; do
            name=$output/dump/$3/${file##*/}
            install -D "$dir/data/$file" "$name"
            printf '%s\n' "$name"
        done
}
