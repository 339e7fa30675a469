#!/usr/bin/env perl
# Kafka's consumer groups through restarts and crashes of the process that coordinates them and of the server
# (src/broker/groups/group_coordinator.c, classic_rows.c, classic_store.c): no needless rebalance, no generation twice.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'restart_after_crash = on',
	'pg_topics.kafka_group_initial_rebalance_delay = 200',
	'pg_topics.kafka_group_min_session_timeout = 500');

sub member { return KafkaMember->new($port, @_) }

sub worker_pid { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND backend_type NOT LIKE '%helper%'
	AND datname = 'postgres'}) }

# Wait until the listener is there again, and let members connect.
sub reconnect
{
	my (@members) = @_;

	KafkaClient->served($port) or die 'the listener does not come back';
	poll_until(sub { $_->reconnect }) or die 'no connection' foreach @members;
	return;
}

# A heartbeat's error once the groups are loaded, which heartbeats do not tell of.
sub error_of
{
	my ($member) = @_;

	poll_until(sub { leave_group($member->client, $member->{group}, 'nobody') ne '14' }) or return 'not loaded';
	return $member->heartbeat_error;
}

sub owners { my (@members) = @_; return join(' ', map { "$_->{generation}:$_->{assignment}" } @members) }

# SyncGroup again, for the assignment that the group knows.
sub assignment_now
{
	my ($member) = @_;

	$member->send_sync_generation('orders', 6);
	return $member->read_sync_generation;
}

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN');
sql(q{SELECT create_topic('orders', partitions => 6); GRANT SELECT ON orders TO app});
reconnect();

# ---- stable groups -----------------------------------------------------------------------

my @members = map { member('stable', topics => ['orders'], protocols => [ 'range', 'roundrobin' ]) } 1 .. 3;
push @members, member('stable', topics => ['orders'], protocols => [ 'range', 'roundrobin' ], instance => 'i1');
form_group('orders', 6, @members);
my $owners = owners(@members);

foreach my $way (
	[ 'the server restarts', sub { $node->restart } ],
	[ 'the server crashes', sub { kill_all($node); $node->start } ],
	[ 'the process is killed', sub { crash_one($node, sub { kill 'KILL', worker_pid() }) } ],
	[ 'the process is terminated', sub { my $pid = worker_pid(); kill 'TERM', $pid; poll_until(sub { !kill 0, $pid }) } ])
{
	$way->[1]->();
	reconnect(@members);
	is(join(' ', map { error_of($_) } @members), '0 0 0 0', "$way->[0]: members go on");
	is(join(' ', map { "$_->{generation}:" . assignment_now($_) } @members), $owners, 'in their generation, with their assignments');
	is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE member_id LIKE 'kafka:%'}), 6, 'which are claimed');
}

# joining again without a change is no rebalance, though the group was loaded
my ($follower) = grep { !$_->leads && !defined $_->{params}{instance} } @members;
send_join($follower->client, 'stable', %{ $follower->{params} }, member => $follower->{member});
my $answer = read_join($follower->client);
is("$answer->{error} $answer->{generation}", '0 1', 'a follower that joins again: no rebalance');

# a rebalance after it: no generation twice
my $new = member('stable', topics => ['orders'], protocols => ['range']);
$new->send_join_generation;
poll_until(sub { $members[0]->heartbeat_error eq 27 }) or die 'no rebalance';
$_->send_join_generation foreach @members;
is(join(' ', map { $_->read_join_generation } @members, $new), '0 0 0 0 0', 'a new member joins');
cmp_ok($new->{generation}, '>', 1, 'the next generation');
my $generation = $new->{generation};

# ---- in the middle of a rebalance ------------------------------------------------------------

# all know the generation, and nobody has sent its SyncGroup
kill_all($node);
$node->start;
reconnect(@members, $new);
is(error_of($members[0]), 22, 'a generation that was not stored is none');
is($new->heartbeat_error, 25, 'who was new in it is unknown');
sync_group($members[0]->client, 'stable', member => $members[0]{member}, generation => $generation);
$new->{member} = '';
$new->send_join_generation;
$_->send_join_generation foreach @members;
is(join(' ', map { $_->read_join_generation } @members, $new), '0 0 0 0 0', 'they join again');
cmp_ok($new->{generation}, '>', $generation, 'in a generation that was never told before');
my @all = (@members, $new);
$_->send_sync_generation('orders', 6) foreach sort { $a->leads <=> $b->leads } @all;
my @shares = map { $_->read_sync_generation } @all;
is(join(' ', sort map { split ' ' } @shares), join(' ', map { "orders-$_" } 0 .. 5), 'and share the topic');

# JoinGroup is parked
my $late = member('stable', topics => ['orders'], protocols => ['range']);
$late->send_join_generation;
crash_one($node, sub { kill 'KILL', worker_pid() });
is($late->read_join_generation, 'closed', 'a request that waits ends with the process');
reconnect(@all, $late);
is(error_of($all[0]), 0, 'the group is as before the rebalance');
is($late->heartbeat_error, 25, 'without the new member');

# ---- members that do not come back -------------------------------------------------------------

my @short = map { member('short', topics => ['orders'], session => 1000, rebalance => 1000) } 1, 2;
form_group('orders', 6, @short);
$node->restart;
reconnect(@short);
is(join(' ', map { error_of($_) } @short), '0 0', 'two members come back');
my ($leader) = grep { $_->leads } @short;
ok(poll_until(sub { $leader->heartbeat_error eq 27 }), 'the one that is silent then is out');
form_group('orders', 6, $leader);
is($leader->{assignment}, join(' ', map { "orders-$_" } 0 .. 5), 'the other one has all');
$node->restart;
ok(poll_until(sub { sql(q{SELECT count(*) FROM topic_kafka_members WHERE group_id = 'short'}) eq '0' }),
	'members that do not come back are out after their session');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'short'}), 0, 'with their claims');

# ---- a group with many members is stored in several transactions ------------------------------------

my @crowd = map { member('crowd', topics => ['orders']) } 1 .. 250;
form_group('orders', 6, @crowd);
is(sql(q{SELECT count(*) FROM topic_kafka_members WHERE group_id = 'crowd'}), 250, 'many members are stored');
$node->restart;
reconnect(@crowd[ 0 .. 9 ]);
is(join(' ', map { error_of($_) } @crowd[ 0 .. 9 ]), join(' ', (0) x 10), 'and go on after a restart');

done_testing();
