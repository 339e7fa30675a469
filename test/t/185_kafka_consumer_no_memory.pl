#!/usr/bin/env perl
# Any allocation may fail while groups of Kafka's new consumer protocol are served (src/broker/groups/consumer_group_heartbeat.c,
# consumer_store.c, src/coordinator/modern_heartbeat.c and what they call): each request is answered, or its connection
# closed, groups stay sound, and no partition has two owners.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
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

sub listener { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }
sub failures { return scalar(() = slurp_file($node->logfile) =~ /letting an allocation fail/g) }

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('t1', partitions => 4); SELECT create_topic('t2', partitions => 3)});
poll_until(sub { my $client = KafkaClient->new($port) or return 0;
	describe_consumer_groups($client, 'x')->{x}{error} == $error->{GROUP_ID_NOT_FOUND} }) or die 'no listener';
my $worker = listener();
my @members = map { new_member() } 1 .. 4;
my ($stuck, $shared) = ('', '');

# A member does something; it has a new connection if the old one has ended.
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
	return;
}

# A partition that two members believe to own.
sub shared { return KafkaHeartbeat::shared(map { $_->{said}{member} => $_->{owned} } @members) }

foreach my $round (1 .. $rounds)
{
	my $nth = int(exp(rand(log(400))));
	my $failed = failures();
	my $end = time + 20;

	$node->append_conf('postgresql.conf', "pg_topics.fault_point = 'allocation:$nth'");
	$node->reload;
	while (failures() == $failed && time < $end && $shared eq '')
	{
		eval { act(); 1 } or $stuck .= "round $round, allocation $nth: $@";
		$shared = shared();
	}
	last if $stuck || $shared || listener() ne $worker;
}
$node->append_conf('postgresql.conf', "pg_topics.fault_point = ''");
$node->reload;

is($stuck, '', 'each request is answered, or its connection closed');
is(listener(), $worker, 'the process is the same');
is($shared, '', 'no partition ever had two owners');
cmp_ok(failures(), '>', $rounds * 0.8, 'allocations have failed');
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
