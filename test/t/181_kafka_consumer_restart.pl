#!/usr/bin/env perl
# What of groups of Kafka's new consumer protocol survives restarts and crashes (src/broker/groups/consumer_store.c,
# consumer_groups.c, src/coordinator/modern_format.c): what members were told, and no partition with two owners.
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
use TopicTest;

my ($node, $port) = start_kafka_server('max_worker_processes = 12');

my $error = KafkaHeartbeat::ERRORS;
my $seed = $ENV{TOPIC_TEST_SEED} // 848;
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 8;

srand $seed;

sub member { my (%said) = @_; return KafkaHeartbeat->new(\&client, group => 'g', names => [ 'orders', 'bills' ], %said) }

sub group { return describe_consumer_groups(client(), 'g')->{g} }

sub stable { return (group()->{state} // '') eq 'Stable' }

# Wait until groups are served.
sub wait_for_groups
{
	return poll_until(sub {
		my $client = KafkaClient->new($port) // return 0;
		my $groups = eval { describe_consumer_groups($client, 'g') } // return 0;
		return $groups->{g}{error} == 0 || $groups->{g}{error} == $error->{GROUP_ID_NOT_FOUND} });
}

# All members have lost their connections.
sub restart
{
	my ($mode, @members) = @_;

	$node->stop($mode);
	$node->start;
	$_->reconnect foreach @members;
	return wait_for_groups();
}

# Does a partition belong to two of the members?
sub shared
{
	my (@members) = @_;
	my %owners;

	foreach my $member (@members)
	{
		foreach my $topic (keys %{ $member->{owned} })
		{
			push @{ $owners{"$topic:$_"} }, $member->{said}{member} foreach @{ $member->{owned}{$topic} };
		}
	}
	return join ' ', map { "$_=" . join(',', @{ $owners{$_} }) } grep { @{ $owners{$_} } > 1 } sort keys %owners;
}

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('orders', partitions => 8); SELECT create_topic('bills', partitions => 5);
	GRANT SELECT ON orders, bills TO app});
ok(wait_for_groups(), 'the listener has started') or BAIL_OUT('no listener');

# ---- restarts -------------------------------------------------------------------------------

my @members = map { member(member => "m$_", ($_ == 1 ? (instance => 'i1') : ()), rack => "r$_") } 1 .. 3;
ok(KafkaHeartbeat::settle(\&stable, @members), 'three members') or diag(explain(group()));
$_->beat foreach @members;
foreach my $mode (qw(fast immediate))
{
	my $before = group();
	my @owned = map { $_->owned } @members;
	ok(restart($mode, @members), "the server has started again after a stop of mode $mode");
	is_deeply(group(), $before, 'the group is what it was');
	my @answers = map { $_->beat } @members;
	is_deeply([ map { "$_->{error} $_->{epoch}" } @answers ], [ ("0 $before->{epoch}") x 3 ], 'members go on in their epochs');
	is_deeply([ map { KafkaHeartbeat::as_text($_->{assignment}) } @answers ], \@owned, 'with what they have');
	is(group()->{epoch}, $before->{epoch}, 'and no rebalance');
}
$members[0]->leave(-2);
restart('fast', @members);
$members[0]->say(member => 'm1b');
my $answer = $members[0]->beat;
is("$answer->{error} $answer->{epoch}", '0 ' . group()->{epoch}, 'a static member that has left for a while comes back after a restart');
ok(KafkaHeartbeat::settle(\&stable, @members), 'and the group is stable');

# in the midst of a rebalance
push @members, member(member => 'm4');
$members[3]->beat;
$members[0]->beat;
my %revoking = %{ $members[0]->{target} };
restart('immediate', @members);
is(group()->{state}, 'Reconciling', 'a rebalance goes on after a crash');
ok(KafkaHeartbeat::settle(\&stable, @members), 'and comes to its end');
is(shared(@members), '', 'no partition has two owners');

# ---- crashes at any time ------------------------------------------------------------------------

# A member does something, whose answer it may not get.
my $next = 10;
sub act
{
	my ($place, $answers) = @_;
	my $member = $members[$place];

	if ($answers && int(rand 12) == 0)
	{
		$member->leave;
		$members[$place] = member(member => 'm' . $next++);
	}
	elsif ($answers)
	{
		$member->say(names => int(rand 2) ? ['orders'] : [ 'orders', 'bills' ]) if int(rand 8) == 0;
		$member->beat;
	}
	else
	{
		send_heartbeat($member->client, $member->request);
	}
	return;
}

my @shared;
my $lost = 0;
foreach my $round (1 .. $rounds)
{
	foreach (1 .. 10 + int(rand 20))
	{
		act(int(rand @members), 1);
		push @shared, shared(@members);
	}
	# these are on their way when the server dies
	act($_, 0) foreach 0 .. $#members;
	$lost++ if !restart('immediate', @members);
	push @shared, shared(@members);
}
is($lost, 0, "the server has come back from $rounds crashes (seed $seed)");
is(join(' ', grep { $_ ne '' } @shared), '', 'no partition ever had two owners');
$_->say(names => [ 'orders', 'bills' ]) foreach @members;
ok(KafkaHeartbeat::settle(sub { stable() && !grep { $_->{target} } @members }, @members), 'at last the group is stable')
  or diag(explain(group()));
my %count = map { $_->{said}{member} => scalar map { @$_ } values %{ $_->{owned} } } @members;
is_deeply([ sort values %count ], [ 3, 3, 3, 4 ], 'and balanced') or diag(explain([ \%count, group() ]));
is(shared(@members), '', 'with one owner for each partition');
is(sql(q{SELECT count(*) FROM topic_group_offsets o WHERE group_id = 'g' AND member_id LIKE 'kafka:%'
	AND NOT EXISTS (SELECT FROM topic_kafka_members m WHERE m.group_id = o.group_id AND o.member_id = 'kafka:' || m.member_id)}), 0,
	'whose claim it has');

done_testing();
