# Functions of the packages' tests, which print TAP.  To be sourced.
tests=0 failures=0

# ok STATUS NAME [OUTPUT]
ok() {
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        printf 'ok %s - %s\n' "$tests" "$2"
    else
        failures=$((failures + 1))
        printf 'not ok %s - %s\n' "$tests" "$2"
        printf '%s\n' "${3:-}" | sed 's/^/# /'
    fi
}

# is ACTUAL EXPECTED NAME
is() { [ "$1" = "$2" ]; ok $? "$3" "got \"$1\", expected \"$2\""; }
# has TEXT PATTERN NAME; has_not likewise
has() { grep -qE -- "$2" <<<"$1"; ok $? "$3" "$1"; }
has_not() { ! grep -qE -- "$2" <<<"$1"; ok $? "$3" "$1"; }

# sql_in VERSION/CLUSTER QUERY [DATABASE]: what psql prints, errors too
sql_in() {
    (cd / && runuser -u postgres -- psql -X -At --cluster "$1" -d "${3:-postgres}" -c "$2") 2>&1
}

# the last lines; fails where a test has
tap_end() {
    printf '1..%s\n' "$tests"
    printf '%s passed, %s failed\n' "$((tests - failures))" "$failures"
    [ "$failures" = 0 ]
}
