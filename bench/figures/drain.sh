# shellcheck shell=bash disable=SC2034,SC2154
# One group reads a topic by 1,000 records, a commit each, beside cursors over heap tables

prepare() {
    need_data read
    run_file drain.sql
}

measure() {    # RUN
    timed_sample rate 'pg_topics' "$records" "CALL drain_topic('group $1', $records)"
    timed_sample rate 'heap, xid cursor' "$records" "CALL drain_log('group $1', $records)"
    timed_sample rate 'heap, id cursor' "$records" "CALL drain_ids('ids $1', $records)"
}

conclude() {
    remark 'xid cursor: a log that loses no record: by (xid, id), below the oldest running transaction'
    remark 'id cursor: by id alone, which passes records of transactions that commit late'
    report rate records/s '>= 1.3' 'r >= 1.3'
    report rate_cpu us/record '<= 0.8 us' 'o <= 0.8'
}
