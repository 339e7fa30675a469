# shellcheck shell=bash disable=SC2034
# What pg_topics is built and tested with.  This is the one place that says so: test/setup.sh
# sources it, and through that everything that builds or tests.
#
# majors     the supported majors of PostgreSQL
# suite_of   the Debian suite whose own PostgreSQL that is.  16 is in no suite: it is
#            built and tested where PG_CONFIG names one
# ..._packages
#            Debian's packages; NN stands for the major

majors=(15 16 17 18)
declare -A suite_of=([15]=bookworm [17]=trixie [18]=forky)

# the server; not needed where PG_CONFIG names one from elsewhere
server_packages=(postgresql-NN postgresql-server-dev-NN)
build_packages=(gcc make libc6-dev libssl-dev zlib1g-dev libsnappy-dev liblz4-dev libzstd-dev)
# prove and PostgreSQL::Test for the TAP tests; a stock Kafka client's decoder and its codecs;
# libFuzzer and its sanitizers; a file system to cut the power of; a connection pooler; xz
# for the fixtures
test_packages=(perl libipc-run-perl openssl python3 python3-kafka python3-snappy python3-lz4 python3-zstandard
    clang libclang-rt-dev xfsprogs pgbouncer xz-utils)
# a scheduler; a client of Kafka; fail-over.  Not every suite has these for every major: the tests of what is
# missing are skipped
optional_packages=(postgresql-NN-cron kcat pg-auto-failover-cli postgresql-NN-auto-failover)
