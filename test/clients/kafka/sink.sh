# shellcheck shell=bash disable=SC2154
# A sink: clients that write what they read to a table of the same database, and commit their offsets in the same transaction; sourced by run.

prepare_sink() { prepare_python && fetched sink python3 -m pip install --quiet --target . 'psycopg[binary]'; }
sink() { PYTHONPATH=$kept/python:$kept/sink PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/python/confluent_sink.py" "$@"; }

# start_sink NAME
start_sink() {
    (sink "$bootstrap" "$topic" "$group" "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=$PGUSER") >>"$said/$1" 2>>"$said/$1.err" </dev/null &
    members[$1]=$!
}
sunk() { sql -c 'SELECT count(*) FROM sunk'; }
has_sunk() { [ "$(sunk)" -ge "$1" ] && echo yes; }

# Two sinks work on twenty thousand records, which are written meanwhile; one of them is killed at random, and started anew, five times.
sink_scenario() {
    local round victim
    group_begin "$1" "$2"
    trap end_members EXIT
    # writing takes its time, so that who is killed is mostly in the midst of it
    sql -c 'CREATE TABLE sunk (partition int, record_offset bigint, value text)' \
        -c "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END'" \
        -c 'CREATE TRIGGER take_time BEFORE INSERT ON sunk FOR EACH ROW EXECUTE FUNCTION take_time()'
    start_sink one
    start_sink two
    for round in 1 2 3 4 5; do
        sql -c "INSERT INTO $topic (key, value) SELECT convert_to('key ' || i, 'UTF8'), convert_to('value ' || i, 'UTF8') FROM generate_series(1, 4000) i"
        wait_until "round $round" "has_sunk $((4000 * (round - 1) + 1 + RANDOM % 3000))" yes || tail -n 5 "$said"/{one,two}.err >&2
        victim=$([ $((RANDOM % 2)) = 0 ] && echo one || echo two)
        die_at_once "$victim"
        start_sink "$victim"
    done
    wait_until 'all' "has_sunk 20000" yes || tail -n 5 "$said"/{one,two}.err >&2
    leave one two
    sql -c "SELECT 'records ' || count(*) || ' in the table ' || (SELECT count(*) FROM sunk) || ' different ' ||
        (SELECT count(DISTINCT (partition, record_offset)) FROM sunk) || ' lag ' || (SELECT sum(lag) FROM pg_topic_groups WHERE group_id = '$group') FROM $topic"
}
sink_expected() { echo 'records 20000 in the table 20000 different 20000 lag 0'; }
