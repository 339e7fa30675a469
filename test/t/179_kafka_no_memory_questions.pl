#!/usr/bin/env perl
# Files under test: src/broker/offsets/offset_turn.c, offset_request.c, offset_fetch.c, src/broker/groups/list_groups.c,
# consumer_group_describe.c, regex_resolver.c, src/broker/users/describe_quotas.c, src/broker/core/quota.c,
# src/broker/topics/log_dirs.c, one_replica.c, src/broker/configs/describe_configs.c, src/broker/data/describe_producers.c.
# Any allocation may fail while questions about groups and topics are answered, and while offsets are committed: the process goes
# on, each request is answered or its connection closed, and what was acknowledged is there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaAdmin;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use KafkaServer qw(start_kafka_server wait_for_listener);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'log_min_messages = warning', 'max_worker_processes = 20');
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t', partitions => 3);
	INSERT INTO topic_kafka_quotas (client_id, request_percentage) VALUES ('', 10000)});


wait_for_listener() or die 'nobody listens';
my $worker = listener($node);
my ($committed, $acknowledged, $members) = (0, 0, 0);

my @load = (
	(sub {
		my ($client) = @_;
		my $error = commit_error($client, 'g', 't', 0, ++$committed);

		return undef if $error eq 'closed';
		$acknowledged = $committed if $error == 0;
		return 1;
	}) x 3,
	sub { return commit_error($_[0], 'h' . int(rand(5)), 't', int(rand(3)), [ 1, 'x' x 100 ]) eq 'closed' ? undef : 1 },
	sub { return fetch_offsets($_[0], 'g', undef, version => 8) },
	sub { return fetch_offsets($_[0], 'h1', { t => [ 0 .. 2 ] }, version => 7) },
	sub { return $_[0]->call(47, 0, KafkaClient::string('h' . int(rand(5))) . pack('l>', 1) . KafkaClient::string('t') . pack('l>2', 1, 0)) },
	sub { my $groups = list_groups($_[0], states => [ 'Empty', 'Stable' ], types => ['classic']); return $groups eq 'closed' ? undef : 1 },
	sub {
		my ($client) = @_;
		my $id = 'm' . ++$members;
		my $answer = KafkaHeartbeat::heartbeat($client, group => 'c', member => $id, epoch => 0, timeout => 5000, regex => "t|x$members", owned => {}) // return undef;

		return 1 if $answer->{error};
		KafkaHeartbeat::describe_consumer_groups($client, 'c', 'c', 'none') // return undef;
		return KafkaHeartbeat::heartbeat($client, group => 'c', member => $id, epoch => -1) ? 1 : undef;
	},
	sub { return $_[0]->call(48, 1, "\1\0\0", 1) },
	sub { return $_[0]->call(43, 1, KafkaClient::int8(0) . pack('l>', 1) . KafkaClient::string('t') . pack('l>3', 1, 0, 1000)) },
	sub { return $_[0]->call(10, 4, "\0" . KafkaClient::compact_count(2) . KafkaClient::compact_string('a') . KafkaClient::compact_string('b') . "\0", 1) },
	sub { return describe_configs($_[0], [ [ TOPIC, 't' ], [ BROKER, '' ], [ GROUP, 'g' ] ]) },
	sub { return describe_producers($_[0], [ [ 't', [ 0, 1 ] ] ]) },
	sub { return describe_log_dirs($_[0], undef) },
);

my $closed = let_allocations_fail($node, $port, load => \@load, first => 100, within => 600, rounds => 120);

note("$closed connections were closed, $acknowledged of $committed commits acknowledged");
cmp_ok($node->safe_psql('postgres', q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'g'}), '>=', $acknowledged, 'what was acknowledged is there');
ok(poll_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM pg_kafka_connections') eq '0' }), 'no connection is left');
ok(eval { my $client = KafkaClient->new($port); commit_error($client, 'after', 't', 0, 1) == 0 }, 'offsets are committed');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE pid = $worker AND NOT fastpath AND locktype = 'relation'"), 0, 'no lock is left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
