#!/usr/bin/env perl
# Kafka's classic consumer groups: members that join, leave, are silent or static, and what they are told
# (src/broker/groups/join_group.c, sync_group.c, heartbeat.c, leave_group.c, classic_groups.c, classic_answer.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaServer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 300',
	'pg_topics.kafka_group_min_session_timeout = 500');

sub member { return KafkaMember->new($port, @_) }

# A member's heartbeats until one is answered otherwise: that error.
sub heartbeat_until
{
	my ($member, $error) = @_;
	my $last;

	poll_until(sub { ($last = $member->heartbeat_error) eq $error }) or return "still $last";
	return $last;
}

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE boss LOGIN IN ROLE app');
sql(q{SELECT create_topic('orders', partitions => 6); GRANT SELECT ON orders TO app, other});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 11 .. 14 } ], [ [ 0, 9 ], [ 0, 4 ], [ 0, 5 ], [ 0, 5 ] ],
	'the versions that Kafka 4.4 serves');

# ---- a group of three ----------------------------------------------------------------

my @members = map { member('three', topics => ['orders'], session => 1000, rebalance => 5000) } 1 .. 3;
is_deeply([ form_group('orders', 6, @members) ] , [ map { $_->{assignment} } @members ], 'three members form a group');
is(join(' ', sort map { split ' ' } map { $_->{assignment} } @members), join(' ', map { "orders-$_" } 0 .. 5), 'each partition has an owner');
is((grep { $_->leads } @members), 1, 'one leads');
like($members[0]{member}, qr/^test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'a member id has the client id and a UUID');
is(join(' ', map { $_->heartbeat_error } @members), '0 0 0', 'they are alive');
is(sql(q{SELECT string_agg(partition || ':' || (member_id LIKE 'kafka:test-%'), ' ' ORDER BY partition)
	FROM topic_group_offsets WHERE group_id = 'three'}), join(' ', map { "$_:true" } 0 .. 5), 'their partitions are claimed');
is(sql(q{SELECT epoch, protocol_type, protocol, (SELECT count(*) FROM topic_kafka_members m WHERE m.group_id = g.group_id)
	FROM topic_kafka_groups g WHERE group_id = 'three'}), '1|consumer|range|3', 'the group is stored');

# one leaves
my ($gone) = grep { !$_->leads } @members;
@members = grep { $_ != $gone } @members;
is(leave_group($gone->client, 'three', $gone->{member}), '0 0', 'one leaves');
is($gone->heartbeat_error, 25, 'it is no member any more');
is(join(' ', map { heartbeat_until($_, 27) } @members), '27 27', 'the others are to join again');
form_group('orders', 6, @members);
is("$members[0]{generation} " . join(' ', sort map { split ' ' } map { $_->{assignment} } @members),
	'2 ' . join(' ', map { "orders-$_" } 0 .. 5), 'and share its partitions');

# one is silent
my ($silent) = grep { !$_->leads } @members;
my ($left) = grep { $_->leads } @members;
is(heartbeat_until($left, 27), 27, 'one is silent: the other one is to join again');
form_group('orders', 6, $left);
is("$left->{generation} $left->{assignment}", '3 ' . join(' ', map { "orders-$_" } 0 .. 5), 'and has all');
is($silent->heartbeat_error, 25, 'the silent one is out');
like(slurp_file($node->logfile), qr/member "\Q$silent->{member}\E" of consumer group "three" of Kafka clients is gone: its session has timed out/,
	'which the log tells');
is(leave_group($left->client, 'three', [ [ $left->{member}, undef ], [ 'nobody', undef ] ]), '0 0 25', 'the last one leaves, with one that is none');
ok(poll_until(sub { sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'three'}) eq '0' }), 'its claims end');
is(sql(q{SELECT epoch, (SELECT count(*) FROM topic_kafka_members) FROM topic_kafka_groups WHERE group_id = 'three'}), '4|0', 'the empty group is stored');

# ---- all versions ---------------------------------------------------------------------

foreach my $version (0 .. 9)
{
	my $answer = join_group(my $one = client(), "v$version", version => $version, topics => ['orders']);
	my $sync_version = $version > 5 ? 5 : $version;
	my %who = (member => $answer->{member}, generation => 1);

	is("$answer->{error} $answer->{generation} $answer->{protocol}", '0 1 range', "JoinGroup of version $version");
	is(join(' ', keys %{ $answer->{members} }), $answer->{member}, 'it leads');
	my $sync = sync_group($one, "v$version", %who, version => $sync_version, assignments => { $answer->{member} => assignment(orders => [1]) });
	is("$sync->{error} " . read_assignment($sync->{assignment}), '0 orders-1', "SyncGroup of version $sync_version");
	is(heartbeat($one, "v$version", %who, version => $version > 4 ? 4 : $version), 0, 'its heartbeat');
	is(leave_group($one, "v$version", $answer->{member}, version => $sync_version), $sync_version < 3 ? '0' : '0 0', "LeaveGroup of version $sync_version");
	is(leave_group($one, "v$version", $answer->{member}, version => $sync_version), $sync_version < 3 ? '25' : '0 25', 'but not twice');
}

# ---- what is refused ---------------------------------------------------------------------

sub join_error { my ($group, %other) = @_; return join_group($client, $group, topics => ['orders'], once => 1, %other)->{error} }

is(join_error('x', session => $_), 26, "a session of $_ ms") foreach 499, 1_800_001, -1;
is(join_error(''), 24, 'a group without a name');
is(join_error("a\0b"), 24, 'a name with a zero byte');
is(join_error("\xff\xfe"), 24, 'a name that is no text');
is(join_error('x' x 256), 24, 'a long name');
is(join_error('x', member => 'unknown'), 25, 'a member that is unknown');
is(join_error('x', protocols => []), 23, 'without a protocol');
is(join_error('x', type => ''), 23, 'without a type');
is(join_error('x', protocols => [ map { "p$_" } 1 .. 101 ]), 42, 'with too many');
is(join_error('x', instance => $_), 42, 'an instance id that is none') foreach '', "\xff", "a\0";
is(join_error('x', metadata => 'x' x 1_050_000), 42, 'with much metadata');
is(heartbeat($client, 'x', member => 'a', generation => 1), 25, 'a heartbeat for a group that is not there');
is(leave_group($client, 'x', 'a'), '0 25', 'nobody leaves it');
is(sync_group($client, 'x', member => 'a', generation => 1)->{error}, 25, 'nobody asks for an assignment');

# ---- static members --------------------------------------------------------------------------

my @static = map { member('static', topics => ['orders'], instance => "i$_", session => 30000) } 1, 2;
form_group('orders', 6, @static);
my ($leader) = grep { $_->leads } @static;
my ($follower) = grep { !$_->leads } @static;
like($leader->{member}, qr/^i\d-/, "a static member's id has its instance id");
my $before = $follower->{assignment};
my $old_id = $follower->{member};
$follower->reconnect;
$follower->{member} = '';
$follower->send_join_generation;
is($follower->read_join_generation . " $follower->{generation}", '0 1', 'one comes back, in the same generation');
isnt($follower->{member}, $old_id, 'under another id');
$follower->send_sync_generation('orders', 6);
is($follower->read_sync_generation, $before, 'with its assignment');
is($leader->heartbeat_error, 0, 'the other one hears nothing of it');
is(heartbeat($client, 'static', member => $old_id, instance => $follower->{params}{instance}, generation => 1), 82, 'its old id is fenced');
is(sql(qq{SELECT count(*) FILTER (WHERE member_id = '$old_id'), count(*) FILTER (WHERE member_id = '$follower->{member}') FROM topic_kafka_members}),
	'0|1', 'the new one is stored in its place');
is(sql(qq{SELECT count(*) FROM topic_group_offsets WHERE member_id = 'kafka:$follower->{member}'}), 3, 'and has its claims');
$leader->reconnect;
$leader->{member} = '';
my $answer = join_group($leader->client, 'static', topics => ['orders'], instance => $leader->{params}{instance});
is("$answer->{error} $answer->{generation} $answer->{skip} " . keys %{ $answer->{members} }, '0 1 1 2', 'the leader comes back, and has nothing to assign');
is(leave_group($client, 'static', [ [ '', 'i1' ], [ '', 'i2' ], [ '', 'i3' ] ]), '0 0 0 25', 'an administrator removes them');
ok(poll_until(sub { sql(q{SELECT count(*) FROM topic_kafka_members WHERE group_id = 'static'}) eq '0' }), 'they are gone');

# ---- roles --------------------------------------------------------------------------------------

my $mine = member('mine', topics => ['orders']);
form_group('orders', 6, $mine);
my %mine = (member => $mine->{member}, generation => 1);
my $other = client_as('other');
is(join_group($other, 'mine', topics => ['orders'], once => 1)->{error}, 30, 'another role cannot join');
is(heartbeat($other, 'mine', %mine), 30, 'nor send heartbeats');
is(sync_group($other, 'mine', %mine)->{error}, 30, 'nor see assignments');
is(leave_group($other, 'mine', $mine->{member}), '30', 'nor remove members');
my $boss = client_as('boss');
is(heartbeat($boss, 'mine', %mine), 0, 'one with the privileges of the role can');
is($mine->heartbeat_error, 0, 'and the role itself');
sql('REVOKE app FROM boss');
is(heartbeat($boss, 'mine', %mine), 30, 'not without them');

# a group whose offsets belong to another role
sql(q{SET ROLE other; SELECT commit_offset('orders', 'theirs', 0, 0)});
is(join_error('theirs'), 30, 'a group that another role uses in SQL');
is(join_group($other, 'theirs', topics => ['orders'], once => 1)->{error}, 79, 'which itself may');

done_testing();
