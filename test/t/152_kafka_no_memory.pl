#!/usr/bin/env perl
# Files under test: src/listener/connection.c, src/broker/dispatch.c, src/broker/core/turn.c, broker_wait.c,
# src/broker/data/turn_batch.c, src/broker/groups/classic_groups.c, classic_store.c,
# src/coordinator/classic_group.c and what they call; src/util/fault_allocation.c.
# Any allocation of the process that serves Kafka's clients may fail.  It goes on to serve, no request is
# left without an answer or the end of its connection, and nothing is lost that was acknowledged.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaClient;
use KafkaLogin;
use KafkaMember;
use KafkaOffsets;
use KafkaRecords;
use KafkaServer qw(start_kafka_server wait_for_listener);
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'log_min_messages = warning',
	'pg_topics.kafka_auto_create_topics = on', 'max_worker_processes = 20', 'pg_topics.kafka_group_initial_rebalance_delay = 0',
	'pg_topics.kafka_group_min_session_timeout = 200');
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t', partitions => 3);
	SELECT create_topic('quiet');
	SELECT create_topic('document', value_type => 'jsonb')});

wait_for_listener() or die 'nobody listens';
my $worker = listener($node);

# ---- a load -------------------------------------------------------------------

my $acknowledged = 0;

# Be a member of a group for a moment, and perhaps go without a word.
sub in_group
{
	my ($client, $group) = @_;
	my @instance = rand() < 0.3 ? (instance => 'i' . int(rand(2))) : ();
	my $joined = join_group($client, $group, topics => ['t'], session => 400, rebalance => 400, @instance) // return undef;
	return 1 if $joined->{error};
	my %who = (member => $joined->{member}, generation => $joined->{generation}, @instance);
	my $synced = sync_group($client, $group, %who, assignments => share_out('t', 3, keys %{ $joined->{members} })) // return undef;

	return undef if heartbeat($client, $group, %who) eq 'closed';
	return 1 if $synced->{error} || rand() < 0.5;
	commit_offsets($client, $group, { t => { 0 => 0 } }, member => $who{member}, generation => $who{generation}) // return undef;
	return leave_group($client, $group, $who{member}) eq 'closed' ? undef : 1;
}

# Something that a client may do, on a connection of its own; it may end by the connection's end.
my @load = (
	sub { $_[0]->metadata('t', 'document', 'nothing') },
	sub { $_[0]->metadata },
	sub { $_[0]->api_versions },
	sub {
		my ($client) = @_;
		$client->send_bytes(produce_frame('t', int(rand(3)), record_batch(record_of('x'), 1)) x 3);
		foreach (1 .. 3)
		{
			my $error = produced($client) // return undef;
			$acknowledged++ if $error == 0;
		}
		return 1;
	},
	sub {
		my ($client) = @_;
		$client->send_bytes(produce_frame('document', 0, record_batch(record_of('{"a": 1}'), 1)) . produce_frame('document', 0, record_batch(record_of('{'), 1)));
		produced($client) // return undef;
		return defined produced($client);
	},
	sub { $_[0]->send_bytes(fetch_frame('t', int(rand(3)), 0)); return defined $_[0]->read_response },
	sub { $_[0]->send_bytes(fetch_frame('t', 0, 0, max_wait => 50)); return defined $_[0]->read_response },
	sub { return $_[0]->call(2, 1, pack('l>2', -1, 1) . KafkaClient::string('t') . pack('l> l>q> l>q>', 2, 0, -1, 1, 5)) },
	sub { return $_[0]->call(22, 0, KafkaClient::string(undef) . KafkaClient::int32(1000)) },
	sub { return $_[0]->call(23, 2, KafkaClient::int32(1) . KafkaClient::string('t') . pack('l>4', 1, 0, -1, 1)) },
	sub { return defined create_error($_[0], 'made' . int(rand(3)), timeout => 5000) },
	sub { return defined delete_error($_[0], 'made' . int(rand(3)), timeout => 5000) },
	sub { return topic_metadata($_[0], [ 'made' . int(rand(3)) ], create => 1) },
	sub { return in_group($_[0], 'g' . int(rand(4))) },
	sub { return in_group($_[0], 'h' . int(rand(1000))) },
	sub { return ref list_groups($_[0]) && defined describe_groups($_[0], [ map { "g$_" } 0 .. 3 ]) ? 1 : undef },
	sub { return defined delete_groups($_[0], [ map { "g$_" } 0 .. 3 ]) ? 1 : undef },
	sub { login_plain($_[0], $role, 'wrong') },
	sub { return login_scram($_[0], $role, 'wrong') },
);

# ---- allocations that fail -------------------------------------------------------

# requests that wait meanwhile, of two clients
sub waiting
{
	my @waiting = map { KafkaClient->new($port) // die "could not connect: $!\n" } 1, 2;

	$waiting[0]->send_bytes(fetch_frame('quiet', 0, 0, max_wait => 100));
	$waiting[1]->send_bytes(produce_frame('t', 0, record_batch(record_of('x'), 1)) . fetch_frame('quiet', 0, 0, max_wait => 100));
	return sub { foreach my $client (@waiting) { $client->read_frame; $client->close; } };
}

my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 250;
my $closed = let_allocations_fail($node, $port, rounds => $rounds, within => 600, first => 50, load => \@load, around => \&waiting);

# ---- helper processes that are started and used meanwhile ----------------------------

sub helpers { return $node->safe_psql('postgres', q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper'}) }

my $stuck = '';
foreach my $round (1 .. $rounds / 4)
{
	poll_until(sub { helpers() == 0 }) or die 'helpers do not end';
	my $problem = fail_allocation($node, 300, sub {
		my $client = KafkaClient->new($port) // die "could not connect: $!\n";

		create_error($client, "early$round", timeout => 3000);
		delete_error($client, "early$round", timeout => 3000);
		$client->close });

	$stuck .= "round $round of helpers, $problem" if $problem;
	last if $stuck || listener($node) ne $worker;
}
end_failures($node);
is($stuck, '', 'so it is with helper processes');
is(listener($node), $worker, 'of the same process');
note("$closed connections were closed, $acknowledged batches acknowledged");
ok(eval { KafkaClient->new($port)->metadata('t') }, 'clients are served');
is($node->safe_psql('postgres', q{SELECT count(*) > } . ($acknowledged - 1) . q{ FROM t}), 't', 'what was acknowledged is there');
ok(poll_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM pg_kafka_connections') eq '0' }), 'no connection is left');
ok(poll_until(sub { $node->safe_psql('postgres', 'SELECT count(*) FROM topic_kafka_members') eq '0' }), 'no member of a group is left');
ok(poll_until(sub { $node->safe_psql('postgres', q{SELECT count(*) FROM topic_group_offsets WHERE member_id LIKE 'kafka:%'}) eq '0' }),
	'nor a partition of one');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE pid = $worker AND NOT fastpath AND locktype = 'relation'"), 0, 'no lock is left');
is($node->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('t')}), 0, 'the log is sound');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
