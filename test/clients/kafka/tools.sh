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
    tools_console_read "$1" "$2" | sed -E 's/^CreateTime:[0-9]+/CreateTime/'
}

tools_console_read() {
    local partition
    for partition in 0 1 2; do
        tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --partition "$partition" --offset earliest --timeout-ms 5000 \
            --formatter-property print.timestamp=true --formatter-property print.partition=true --formatter-property print.offset=true \
            --formatter-property print.key=true --formatter-property print.headers=true 2>/dev/null
    done
    tool consumer.ConsoleConsumer --bootstrap-server "$1" --topic "$2" --partition 0 --offset 1 --max-messages 1 \
        --formatter-property print.offset=true 2>/dev/null
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

# Kafka's own reader of log files on the files that came of the same records.  The producer's id
# and the leader's epoch are the broker's own, and the checksum covers the first.
tools_dump() {
    local partition file
    (program_java "$1" write "$2" "$here/records.jsonl") >/dev/null
    for partition in 0 1 2; do
        if [ "$1" = "$(bootstrap_of kafka)" ]; then
            file=$KAFKA_HOME/data/$2-$partition/00000000000000000000.log
        else
            file=$dir/data/$(sql -c "SELECT path FROM pg_topic_segments WHERE topic = '$2'::regclass AND partition = $partition")
            # the tool goes by the name that Kafka would give the file
            install -D "$file" "$output/dump/00000000000000000000.log"
            file=$output/dump/00000000000000000000.log
        fi
        tool DumpLogSegments --deep-iteration --print-data-log --files "$file" |
            sed -E 's/producerId: [0-9]+//; s/(crc|partitionLeaderEpoch): [0-9]+//; s/^Dumping .*//'
    done
}
