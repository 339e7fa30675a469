# shellcheck shell=bash disable=SC2034,SC2154
# count(*) over very many records, beside a heap table

prepare() {
    need_data big
    [ "$(ask 'SELECT count(*) FROM big_topic')" = "$big_records" ] || die 'big_topic has not all records'
}

measure() {
    sample count 'pg_topics' "$(milliseconds 'SELECT count(*) FROM big_topic')"
    sample count 'heap' "$(milliseconds 'SELECT count(*) FROM big_heap')"
}

conclude() {
    remark "$big_records records"
    report count ms '< 20 ms' 'o < 20'
}
