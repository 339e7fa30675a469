#!/usr/bin/env perl
# Any allocation may fail while groups with members go from the classic protocol to the new one and back
# (src/broker/groups/migrate_group.c, classic_in_consumer.c, src/coordinator/group_migration.c, modern_classic.c): each request is answered, or
# its connection closed, a group is always one or the other with its members, and no partition has two owners.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 60;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $role = (getpwuid($<))[0];
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'",
	"pg_topics.kafka_anonymous_role = '$role'", 'pg_topics.kafka_group_initial_rebalance_delay = 0', 'log_min_messages = warning',
	'max_worker_processes = 12' ]);
$node->start;

my $next = 0;
my ($up, $down) = (0, 0);

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub client { return KafkaClient->new($port) // die "no connection: $!" }

# The kind of the group, as ListGroups tells it; '' where that cannot be asked at the moment.
sub kind
{
	my $client = KafkaClient->new($port) // return '';
	my $groups = eval { KafkaMember::list_groups($client) };

	return ref $groups ? ($groups->{g} // '') =~ s/.*://r : '';
}

sub new_consumer
{
	my $n = $next++;

	return KafkaHeartbeat->new(\&client, group => 'g', names => ['orders'], member => "n$n", timeout => 60000, $n % 3 == 0 ? (instance => "i$n") : ());
}

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('orders', partitions => 6)});
poll_until(sub { my $client = KafkaClient->new($port) or return 0; ref(eval { KafkaMember::list_groups($client) }) }) or die 'no listener';
my $worker = listener($node);
# in a classic group they need not wait for each other for long
my @classic = map { KafkaMember->new($port, 'g', topics => ['orders'], rebalance => 1000, cooperative => $_ == 1) } 0, 1;
my $consumer = new_consumer();
my $stuck = '';

# Two members of a classic group come to a generation, or fail to.
sub form
{
	my @answers;

	$_->send_join_generation foreach @classic;
	@answers = map { $_->read_join_generation } @classic;
	foreach my $n (grep { $answers[$_] ne 0 } 0, 1)
	{
		die "closed\n" if $answers[$n] eq 'closed';
		$classic[$n]{member} = '' if $answers[$n] eq 25;
	}
	return if grep { $_ ne 0 } @answers;
	$_->send_sync_generation('orders', 6) foreach sort { $a->leads <=> $b->leads } @classic;
	$_->read_sync_generation foreach @classic;
	return;
}

# Members go on in the protocol that the group has, and the one of the new protocol comes or goes.
sub act
{
	my $kind = kind();

	if ($kind eq 'Consumer')
	{
		$_->beat foreach @classic;
		if (int(rand 4) == 0)
		{
			$down++ if $consumer->leave->{error} == 0;
			$consumer = new_consumer();
		}
		else
		{
			$consumer->beat;
		}
		return;
	}
	@$consumer{qw(epoch owned target whole)} = (0, {}, undef, 1);
	if (int(rand 2) == 0)
	{
		$up++ if $consumer->beat->{error} == 0;
		return;
	}
	form();
	return;
}

# Who is told of a partition that another one has: by the epochs of a group of the new protocol, which none shares.
sub shared
{
	return '' if kind() ne 'Consumer';
	my $group = (eval { KafkaHeartbeat::describe_consumer_groups(client(), 'g') } // return '')->{g};

	return KafkaHeartbeat::shared(map { $_ => $group->{members}{$_}{assignment} } keys %{ $group->{members} });
}

foreach my $round (1 .. $rounds)
{
	my $problem = fail_allocation($node, 500, sub {
		return if eval { act(); 1 };
		die $@ if $@ =~ /does not answer/;
		# a connection may have ended, or have an answer that was not read
		$_->reconnect foreach @classic, $consumer; });
	my $shared = shared();

	$problem ||= "a partition has two owners: $shared" if $shared;
	$stuck = "round $round, $problem" if $problem;
	last if $stuck || listener($node) ne $worker;
}
end_failures($node);

is($stuck, '', 'each request is answered, or its connection closed, and no partition ever had two owners');
is(listener($node), $worker, 'the process is the same');
cmp_ok(allocation_failures($node), '>', $rounds * 0.7, 'allocations have failed');
cmp_ok($up, '>', 3, 'while the group became one of the new protocol');
cmp_ok($down, '>', 3, 'and back');
$_->reconnect foreach @classic, $consumer;
$consumer = new_consumer();

# all partitions are one member's
sub has { my ($member) = @_; return $member->isa('KafkaHeartbeat') ? map { @$_ } values %{ $member->{target} // $member->{owned} } :
	map { /-(\d+)$/ } split / /, $member->{assignment} // '' }
ok(poll_until(sub { eval { $consumer->beat; $_->beat foreach @classic; 1 } or return 0;
	return join(' ', sort map { has($_) } @classic, $consumer) eq '0 1 2 3 4 5' }), 'at last members of both kinds share the partitions')
  or diag(explain(KafkaHeartbeat::describe_consumer_groups(client(), 'g')));
my $before = KafkaHeartbeat::describe_consumer_groups(client(), 'g')->{g};
$node->restart('immediate');
ok(poll_until(sub { kind() eq 'Consumer' }), 'after a crash');
is_deeply(KafkaHeartbeat::describe_consumer_groups(client(), 'g')->{g}, $before, 'it is what it was: its rows are those of the group in memory');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed by itself');
done_testing();
