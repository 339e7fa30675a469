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
        --command-property batch.size=100000 | sed -nE '$s/^([0-9]+ records sent).*/\1/p'
    tool GetOffsetShell --bootstrap-server "$1" --topic "$2" | awk -F: '{ n += $3 } END { print n, "records" }'
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
