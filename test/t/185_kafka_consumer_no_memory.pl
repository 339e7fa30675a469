#!/usr/bin/env perl
# Any allocation may fail while groups of Kafka's new consumer protocol are served (src/broker/groups/consumer_group_heartbeat.c,
# consumer_store.c, src/coordinator/modern_heartbeat.c and what they call): each request is answered, or its connection
# closed, groups stay sound, and no partition has two owners.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaClient;
use KafkaHeartbeat;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 80;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'log_min_messages = warning', 'max_worker_processes = 12');

my $error = KafkaHeartbeat::ERRORS;
my $next = 0;

sub new_member
{
	my $n = $next++;

	return KafkaHeartbeat->new(\&client, group => 'g', member => "m$n", timeout => 60000,
		$n % 3 == 0 ? (regex => 't.*') : (names => [ 't1', 't2' ]), $n % 4 == 0 ? (instance => "i$n") : ());
}

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('t1', partitions => 4); SELECT create_topic('t2', partitions => 3)});
poll_until(sub { my $client = KafkaClient->new($port) or return 0;
	describe_consumer_groups($client, 'x')->{x}{error} == $error->{GROUP_ID_NOT_FOUND} }) or die 'no listener';
my $worker = listener($node);
my @members = map { new_member() } 1 .. 4;
my $stuck = '';

# A member does something, which leads to no partition with two owners; it has a new connection if the old one has ended.
sub act
{
	my $place = int(rand @members);
	my $member = $members[$place];
	my $what = int(rand 10);
	my $good = eval {
		if ($what == 0)
		{
			$member->leave;
			$members[$place] = new_member();
		}
		elsif ($what == 1)
		{
			describe_consumer_groups($member->client, 'g') // die "the connection is closed\n";
		}
		else
		{
			$member->beat;
		}
		1 };

	die $@ if !$good && $@ =~ /does not answer/;
	$member->reconnect if !$good;
	my $shared = KafkaHeartbeat::shared(map { $_->{said}{member} => $_->{owned} } @members);

	die "a partition has two owners: $shared\n" if $shared ne '';
	return;
}

foreach my $round (1 .. $rounds)
{
	my $problem = fail_allocation($node, 400, \&act);

	$stuck = "round $round, $problem" if $problem;
	last if $stuck || listener($node) ne $worker;
}
end_failures($node);

is($stuck, '', 'each request is answered, or its connection closed, and no partition ever had two owners');
is(listener($node), $worker, 'the process is the same');
cmp_ok(allocation_failures($node), '>', $rounds * 0.8, 'allocations have failed');
$_->reconnect foreach @members;
ok(poll_until(sub { $_->beat foreach @members; describe_consumer_groups(client(), 'g')->{g}{state} eq 'Stable' }), 'at last the group is stable')
  or diag(explain(describe_consumer_groups(client(), 'g')));
$_->beat foreach @members;
my $members = describe_consumer_groups(client(), 'g')->{g}{members};
is(join(' ', sort map { scalar map { @$_ } values %{ $_->{assignment} } } grep { %{ $_->{assignment} } } values %$members) =~ tr/0-9//, scalar(keys %$members) < 7 ? scalar keys %$members : 7,
	'and each has something');
my $before = describe_consumer_groups(client(), 'g')->{g};
$node->restart('immediate');
ok(poll_until(sub { my $client = KafkaClient->new($port) or return 0; (eval { describe_consumer_groups($client, 'g') } // return 0)->{g}{error} == 0 }), 'after a crash');
is_deeply(describe_consumer_groups(client(), 'g')->{g}, $before, 'it is what it was: its rows are those of the group in memory');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed by itself');
done_testing();
