#!/usr/bin/env perl
# File under test: src/broker/database_wait.c.
# A listener whose database is not there, or is dropped, tells so once in the log, and serves clients when it
# is there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $role = (getpwuid($<))[0];
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/shop'", "pg_topics.kafka_anonymous_role = '$role'" ]);

$node->start;

sub logged { my ($pattern) = @_; return scalar(() = slurp_file($node->logfile) =~ /$pattern/g) }
sub served { return poll_until(sub { my $client = KafkaClient->new($port); $client && eval { $client->metadata } }) }

my $waiting = qr/waiting for database "shop" to serve Kafka clients in it/;

ok(poll_until(sub { logged($waiting) == 1 }), 'the log tells that the database is not there');
# in this time the process would have started some times more
my $pid = sub { return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) };
my $first = $pid->();
my $polls = 0;
poll_until(sub { $polls++ > 700 });
is($pid->(), $first, 'one process waits for it');
is(logged(qr/FATAL:  database "shop" does not exist/), 1, 'there was one error');
is(logged($waiting), 1, 'and it was told once');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(served(), 'when the database is there, clients are served');
$node->safe_psql('postgres', 'DROP DATABASE shop');
ok(poll_until(sub { logged($waiting) == 2 }), 'when it is dropped, the log tells');
is(logged(qr/FATAL:  database "shop" does not exist/), 2, 'once');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(served(), 'when it is there again, clients are served');

# an extension of a version that the library does not serve
$node->safe_psql('shop', q{CREATE EXTENSION pg_topics; UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'pg_topics'});
$node->restart;
my $version = qr/WARNING:  extension "pg_topics" is of version 0\.9 in this database/;
ok(poll_until(sub { logged($version) > 0 }), 'the log tells that a version is not served');
$first = $pid->();
$polls = 0;
poll_until(sub { $polls++ > 700 });
is($pid->(), $first, 'one process waits for another one');
is(logged($version), 1, 'and it was told once');
$node->safe_psql('shop', q{UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'pg_topics'});
ok(served(), 'then clients are served');
$node->stop;
done_testing();
