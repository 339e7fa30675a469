#!/usr/bin/env perl
# Files under test: src/broker/groups/group_memory.c, empty_groups.c.
# A role that makes as many groups as it can, with members that say as much as they can, takes a part of the memory for groups:
# groups of other roles work on, and new ones come.  Groups without members give their memory back, and so do those that have gone from
# one protocol to the other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaLogin;
use KafkaMember;
use KafkaOffsets;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { GROUP_MAX_SIZE_REACHED => 81, MEMBER_ID_REQUIRED => 79 };

# Of all groups.
use constant MEGABYTES => 12;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", 'pg_topics.kafka_plain_without_tls = on',
	'pg_topics.kafka_group_initial_rebalance_delay = 0', "pg_topics.kafka_groups_max_bytes = '" . MEGABYTES . "MB'",
	'pg_topics.kafka_group_min_session_timeout = 500', 'pg_topics.kafka_group_consumer_session_timeout = 600000' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE friend LOGIN;
	CREATE ROLE foe LOGIN;
	CREATE ROLE crony LOGIN;
	CREATE ROLE guest LOGIN;
	CREATE ROLE mover LOGIN;
	SELECT create_topic('events', partitions => 2);
	GRANT SELECT ON events TO PUBLIC});

sub client_of
{
	my ($role) = @_;
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	die "$role cannot log in" if login_plain($client, $role, 'any')->{error} != 0;
	return $client;
}

poll_until(sub { KafkaClient->new($port) }) or BAIL_OUT('no listener');
ok(poll_until(sub { commit_error(client_of('friend'), 'ready', 'events', 0, 1) == 0 }), 'groups are coordinated');

sub classic { my ($role, $group) = @_; return KafkaMember->new($port, $group, client => client_of($role), topics => ['events'], session => 600_000) }
sub modern { my ($role, $group) = @_; my $client = client_of($role); return KafkaHeartbeat->new(sub { $client }, group => $group, member => "m-$group", names => ['events']) }

# Groups of a role work, those that there are and new ones.
my %groups;
my $number = 0;
sub works
{
	my ($role, $when) = @_;
	my ($old_classic, $old_modern) = @{ $groups{$role} // [] };

	if ($old_classic)
	{
		is($old_classic->heartbeat_error, 0, "$when: ${role}'s classic group goes on");
		is(join('', form_group('events', 2, $old_classic)), 'events-0 events-1', 'and rebalances');
		$old_modern->say;
		is($old_modern->beat->{error}, 0, 'so does one of the new protocol');
	}
	$number++;
	my $new_classic = classic($role, "$role-$number");
	my $new_modern = modern($role, "$role-modern-$number");
	is(eval { join('', form_group('events', 2, $new_classic)) } // $@, 'events-0 events-1', "$when: $role makes another one");
	is($new_modern->beat->{error}, 0, 'in either protocol');
	is(commit_error($new_modern->client, "$role-commits-$number", 'events', 0, 1), 0, 'and commits');
	$groups{$role} //= [ $new_classic, $new_modern ];
	return;
}

# Have a role take what it gets, by one kind of request; how often it was served, and the error that ended it.
sub flood
{
	my ($role, $name, $request) = @_;
	my $client = client_of($role);
	my $served = 0;
	my $error;

	foreach my $n (1 .. 100_000)
	{
		$error = $request->($client, "$role-$name-$n");
		last if $error == GROUP_MAX_SIZE_REACHED;
		die "error $error" if $error != 0 && $error != MEMBER_ID_REQUIRED;
		$served++;
	}
	return ($served, $error);
}

my $names = [ map { 'x' x 200 . $_ } 1 .. 1000 ];
my %floods = (
	'ids of members that never join' => sub { my ($client, $group) = @_; return join_group($client, $group, topics => ['events'], session => 600_000, once => 1)->{error} },
	'members that say much' => sub { my ($client, $group) = @_;
		send_join($client, $group, metadata => 'x' x 500_000, session => 600_000, rebalance => 600_000, instance => 'one');
		return read_join($client)->{error} },
	'subscriptions to many names' => sub { my ($client, $group) = @_;
		return KafkaHeartbeat::heartbeat($client, group => $group, member => 'm', epoch => 0, timeout => 600_000, names => $names, owned => {})->{error} },
	'groups of the new protocol' => sub { my ($client, $group) = @_;
		return KafkaHeartbeat::heartbeat($client, group => $group, member => 'm', epoch => 0, timeout => 600_000, names => ['none'], owned => {})->{error} });

works('friend', 'at first');

# ---- groups that go from one protocol to the other ------------------------------------------------

# A member of the classic protocol that says some 200 kB, in a group that goes to the new one and back.
sub kind_of { my ($group) = @_; return (list_groups(client_of('mover'))->{$group} // '') =~ /:(\w+)$/ ? $1 : '' }
foreach my $n (1 .. 20)
{
	my $group = "mover-$n";
	my $member = KafkaMember->new($port, $group, client => client_of('mover'), topics => ['events', @$names], session => 600_000, rebalance => 600_000);
	my $other = modern('mover', $group);
	my @kinds;

	form_group('events', 2, $member);
	foreach (1, 2)
	{
		push @kinds, $other->beat->{error} . kind_of($group);
		$other->leave;
		poll_until(sub { kind_of($group) eq 'Classic' });
	}
	push @kinds, leave_group($member->client, $group, $member->{member});
	is(join(' ', @kinds), '0Consumer 0Consumer 0 0', "group $n: up and down, twice");
	poll_until(sub { delete_groups(client_of('mover'), [$group])->{$group} == 0 }) or fail('it is not deleted');
}
my $classic = classic('mover', 'mover-classic');
form_group('events', 2, $classic);
my $member = classic('mover', 'mover-both');
form_group('events', 2, $member);
is(modern('mover', 'mover-both')->beat->{error}, 0, 'a group with members of both protocols');
my ($taken) = flood('mover', 'more', sub { my ($client, $group) = @_;
	send_join($client, $group, metadata => 'x' x 100_000, session => 600_000, rebalance => 600_000, instance => 'one');
	return read_join($client)->{error} });
cmp_ok($taken, '>=', 45, 'groups that are gone have given their memory back');
cmp_ok($taken, '<=', 62, 'no more than they had');
is($member->join_again, 0, 'a member of the classic protocol that says what it has said is served');
$member->{params}{topics} = ['events', @$names];
is($member->join_again, GROUP_MAX_SIZE_REACHED, 'one that says more is not');
$member->{params}{topics} = ['events'];
is($member->join_again, 0, 'and remains a member');
is(KafkaHeartbeat::heartbeat(client_of('mover'), group => 'mover-classic', member => 'm', epoch => 0, timeout => 600_000, names => $names, owned => {})->{error},
	GROUP_MAX_SIZE_REACHED, 'nor is a member of the new protocol that joins a classic group');
is(kind_of('mover-classic') . $classic->heartbeat_error, 'Classic0', 'which stays one');
leave_group(client_of('mover'), "mover-more-$_", [ [ '', 'one' ] ]) foreach 1 .. $taken;
ok(poll_until(sub { my $groups = list_groups(client_of('mover')); !grep { /more/ && $groups->{$_} !~ /Empty/ } keys %$groups }), 'all leave');

# ---- roles that take what they get ------------------------------------------------------------------

foreach my $name (sort keys %floods)
{
	my ($served, $error) = flood('foe', $name, $floods{$name});

	is($error, GROUP_MAX_SIZE_REACHED, "$name: a role is told that it has enough");
	note("$served served");
	works('friend', "after $name");
}
cmp_ok((flood('foe', 'more', $floods{'members that say much'}))[0], '<=', 1, 'the role gets nothing more');
like(slurp_file($node->logfile), qr/consumer group "foe-.*" of Kafka clients gets no more memory/, 'the log tells of it');
like(slurp_file($node->logfile), qr/It takes \d+ kB, the \d+ groups of role "foe" take \d+ kB, and those of all roles \d+ kB/, 'and of whose groups take how much');

# two that help each other
foreach my $name (sort keys %floods)
{
	is((flood('crony', $name, $floods{$name}))[1], GROUP_MAX_SIZE_REACHED, "$name: another one has enough too");
}
works('friend', 'beside two of them');

# ---- memory that comes back -------------------------------------------------------------------------

# what a role gives up it may have again
my $much = $floods{'members that say much'};
my ($served) = flood('guest', 'much', $much);
cmp_ok($served, '>=', 1, 'a third role gets its share');
leave_group(client_of('guest'), "guest-much-$_", [ [ '', 'one' ] ]) foreach 1 .. $served;
ok(poll_until(sub { my $groups = list_groups(client_of('guest')); !grep { $_ !~ /Empty/ } values %$groups }), 'its members leave');
is($much->(client_of('guest'), 'guest-again'), 0, 'then there is room for another one');

# groups without members are forgotten some time, offsets or not
my $kept = modern('friend', 'friend-kept');
is($kept->beat->{error}, 0, 'a group');
is(commit_error($kept->client, 'friend-kept', 'events', 0, 1, version => 9, member => $kept->{said}{member}, generation => $kept->epoch), 0, 'that has committed');
$kept->leave;
foreach my $n (1 .. 250)
{
	my $gone = modern('friend', "friend-gone-$n");
	$gone->beat;
	$gone->leave;
}
sub rows { return sql(q{SELECT count(*) FROM topic_kafka_groups WHERE group_id LIKE 'friend-gone-%' OR group_id = 'friend-kept'}) }
is(rows(), 251, 'groups whose members have left have rows');
sql(q{ALTER SYSTEM SET pg_topics.clock_offset = '11min'});
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { rows() == 0 }), 'which go after a while');
like(list_groups(client_of('friend'))->{'friend-kept'}, qr/Empty/, 'one that has committed is listed');
is(sql(q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'friend-kept'}), 1, 'and has its offset');
is($kept->beat->{error}, 0, 'who comes back joins it');
works('friend', 'at the end');

$node->restart;
poll_until(sub { KafkaClient->new($port) }) or BAIL_OUT('no listener');
ok(poll_until(sub { ($groups{friend}[0]{client} = client_of('friend')) && $groups{friend}[0]->heartbeat_error == 0 }), 'a restart brings all groups back');
is((flood('foe', 'later', $floods{'members that say much'}))[1], GROUP_MAX_SIZE_REACHED, 'and counts them');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not/, 'nothing has failed');
$node->stop;
done_testing();
