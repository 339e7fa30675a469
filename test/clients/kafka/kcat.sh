# shellcheck shell=bash
# kcat, which is librdkafka's command, as Debian has it; sourced by run.
# kcat_SCENARIO BOOTSTRAP TOPIC

program_kcat() { "kcat_$2" "$1" "$3"; }

kc() { timeout "$limit" kcat -q "$@"; }

# each partition from the beginning to the end, in a form of its own: a length of -1 is null
kc_read() {
    local partition partitions
    partitions=$(timeout "$limit" kcat -L -b "$1" -t "$2" | grep -c ', leader')
    for ((partition = 0; partition < partitions; partition++)); do
        kc -C -b "$1" -t "$2" -p "$partition" -o beginning -e -f '%p %o %T %K:%k %S:%s %h\n'
    done
}

# kcat_records FILE: its records as the programs print them, where all is text and there are no headers
kcat_records() {
    sed -i -E 's/^([0-9]+ [0-9]+ [0-9]+) -1: [0-9]+:(.*) $/record \1 null "\2" -/; s/^([0-9]+ [0-9]+ [0-9]+) [0-9]+:(.*) [0-9]+:(.*) $/record \1 "\2" "\3" -/' "$1"
}

kcat_metadata() {
    timeout "$limit" kcat -L -b "$1" -t "$2" | sed 's/(from broker [^)]*)//'
    timeout "$limit" kcat -L -b "$1" -t kafka_no_such_topic | sed 's/(from broker [^)]*)//'
    timeout "$limit" kcat -L -b "$1" | grep -c "topic \"$2\" with"
}

kcat_write() {
    printf 'a:one\nb:two\nc:\n:four\n' | kc -P -b "$1" -t "$2" -p 0 -K: -Z -H h=1 -H 'name=two words'
    printf 'one\ntwo\n' | kc -P -b "$1" -t "$2" -p 1
    printf 'x;y' | kc -P -b "$1" -t "$2" -p 2 -D ';'
    # their timestamps are those of the moment
    kc_read "$1" "$2" | sed -E 's/^([0-9]+ [0-9]+) [0-9]+/\1/'
}

kcat_read() { kc_read "$@"; }

keyed() { local n x; for n in {0..59}; do printf -v x '%*s' $((n % 9)) ''; echo "key${x// /x}$n:value $n"; done; }
kcat_keys() {
    keyed | kc -P -b "$1" -t "$2" -K: -X topic.partitioner=murmur2_random
    kc_read "$1" "$2" | sed -E 's/^([0-9]+ [0-9]+) [0-9]+/\1/'
}
kcat_own_keys() {
    keyed | kc -P -b "$1" -t "$2" -K:
    kc_read "$1" "$2" | sed -E 's/^([0-9]+ [0-9]+) [0-9]+/\1/'
}

kcat_codecs() {
    local codec
    for codec in none gzip snappy lz4 zstd; do
        seq -f "$codec %g text text text text text text text" 100 | kc -P -b "$1" -t "$2" -p 0 -z "$codec"
    done
    kc -C -b "$1" -t "$2" -p 0 -o beginning -e -f '%o %s\n' | md5sum
}

kcat_idempotent() {
    seq 20000 | sed 's/.*/key &:value &/' | kc -P -b "$1" -t "$2" -K: -X enable.idempotence=true -X topic.partitioner=murmur2_random
    kc -C -b "$1" -t "$2" -o beginning -e -f '%p %o %s\n' | sort -n -k 1,1 -k 2,2 | md5sum
}

kcat_offsets() {
    local partition at
    for partition in 0 1 2; do
        for at in -2 -1 1 1700000001000 1700000002500 1700000006002 1700000007001; do
            timeout "$limit" kcat -Q -b "$1" -t "$2:$partition:$at"
        done
    done
}

kcat_seek() {
    local from
    for from in 4 0 3 -2 s@1700000002500; do
        echo "from $from"
        kc -C -b "$1" -t "$2" -p 0 -o "$from" -e -f '%o %K:%k %S:%s\n'
    done
    # it tells of an offset that is not there, and goes on from the end
    echo 'from 1000'
    kc -C -b "$1" -t "$2" -p 0 -o 1000 -e -f '%o %K:%k %S:%s\n' 2>&1
}

kcat_errors() {
    echo v | timeout "$limit" kcat -P -b "$1" -t kafka_no_such_topic -X topic.message.timeout.ms=3000 -X topic.metadata.propagation.max.ms=500 2>&1 || echo "kcat ends with $?"
    head -c 200000 /dev/zero | tr '\0' x | timeout "$limit" kcat -P -b "$1" -t "$2" -p 0 -X topic.message.timeout.ms=5000 2>&1 || echo "kcat ends with $?"
    echo good | kc -P -b "$1" -t "$2" -p 0
    kc -C -b "$1" -t "$2" -p 0 -o beginning -e -f '%o %s\n'
}

# a consumer that waits at the end gets what another one writes; with pg_topics by SQL
kcat_follow() {
    local file n waiting
    file=$(mktemp)
    kc -C -b "$1" -t "$2" -p 0 -o beginning -c 3 -u -f '%o %s\n' -X fetch.wait.max.ms=20000 -X socket.timeout.ms=60000 >"$file" &
    waiting=$!
    for n in 1 2 3; do
        if [ "$1" = "$(bootstrap_of kafka)" ]; then
            printf 'followed %s' "$n" | kc -P -b "$1" -t "$2" -p 0
        else
            sql -c "INSERT INTO $2 (value) VALUES ('followed $n')"
        fi
        wait_until "record $n" "wc -l <$file" "$n" || break
    done
    wait "$waiting" || echo "kcat ends with $?"
    cat "$file"
    rm -f "$file"
}
