#!/usr/bin/env perl
# Files under test: src/broker/groups/group_owner.c, src/group/role_groups.c, consumer_group.c.
# Groups change hands, and roles lose privileges, while Kafka's clients are members: who may use a group is decided by whose it
# is now, in both protocols.
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

use constant { TOPIC_AUTHORIZATION_FAILED => 29, GROUP_AUTHORIZATION_FAILED => 30 };

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $listener = "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'";
my $node = new_node('main', settings => [ $listener, 'pg_topics.kafka_plain_without_tls = on',
	'pg_topics.kafka_group_initial_rebalance_delay = 0', 'pg_topics.kafka_group_min_session_timeout = 500',
	'pg_topics.kafka_group_consumer_session_timeout = 8000' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE owner LOGIN;
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE carol LOGIN IN ROLE alice;
	CREATE ROLE dora LOGIN;
	CREATE ROLE eve LOGIN;
	CREATE ROLE foe LOGIN;
	SELECT create_topic('events', partitions => 2);
	SELECT create_topic('others', partitions => 1);
	ALTER FOREIGN TABLE events OWNER TO owner;
	GRANT SELECT ON events, others TO PUBLIC;
	INSERT INTO events (partition, value) SELECT p, 'x' FROM generate_series(0, 1) p;
	INSERT INTO others (partition, value) SELECT 0, 'x'});

sub client_of
{
	my ($role) = @_;
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	die "$role cannot log in" if login_plain($client, $role, 'any')->{error} != 0;
	return $client;
}

sub wait_for_listener
{
	poll_until(sub { KafkaClient->new($port) }) or BAIL_OUT('no listener');
	ok(poll_until(sub { commit_error(client_of('owner'), 'ready', 'events', 0, 1) == 0 }), 'groups are coordinated');
	return;
}

# Members of a role.
sub classic
{
	my ($role, $group, %params) = @_;

	return KafkaMember->new($port, $group, client => client_of($role), topics => ['events'], session => 6000, rebalance => 5000, %params);
}

sub modern
{
	my ($role, $group) = @_;
	my $client = client_of($role);

	return KafkaHeartbeat->new(sub { $client }, group => $group, member => "$role-$group", names => ['events']);
}

sub commit_of
{
	my ($member, $offset) = @_;

	return commit_error($member->client, $member->{said}{group}, 'events', 0, $offset, version => 9, member => $member->{said}{member},
		generation => $member->epoch) if $member->{said};
	return commit_error($member->client, $member->{group}, 'events', 0, $offset, version => 8, member => $member->{member},
		generation => $member->{generation});
}

sub join_error { my ($member) = @_; return join_group($member->client, $member->{group}, %{ $member->{params} }, once => 1)->{error} }
sub row { my ($group) = @_; return sql("SELECT owner FROM topic_kafka_groups WHERE group_id = '$group'") }
sub shown { my ($group) = @_; return sql("SELECT DISTINCT owner FROM pg_topic_group_members WHERE group_id = '$group'") }
sub claims { my ($group) = @_; return sql("SELECT count(*) FROM topic_group_offsets WHERE group_id = '$group' AND member_id LIKE 'kafka:%'") }

# Have a member of the new protocol all partitions?
sub has_all { my ($member) = @_; return KafkaHeartbeat::as_text($member->{owned}) =~ /:0,1$/ }

wait_for_listener();

# ---- given away --------------------------------------------------------------------------------

# Both protocols: a member of one role, then the group is another one's.
sub check_change
{
	my ($how, $from, $to, $statement, $number) = @_;
	my $old_classic = classic($from, "classic$number");
	my $old_modern = modern($from, "modern$number");

	is(join('', form_group('events', 2, $old_classic)), 'events-0 events-1', "$how, classic: $from is a member");
	is(commit_of($old_classic, 1), 0, 'and commits');
	ok(KafkaHeartbeat::settle(sub { has_all($old_modern) && !$old_modern->{target} }, $old_modern), "$how, new protocol: $from is a member");
	is(commit_of($old_modern, 1), 0, 'and commits');
	is(join_error(classic($to, "classic$number")), GROUP_AUTHORIZATION_FAILED, "$to may not join yet");
	is(modern($to, "modern$number")->beat->{error}, GROUP_AUTHORIZATION_FAILED, 'in either');
	sql($statement);

	is($old_classic->heartbeat_error, GROUP_AUTHORIZATION_FAILED, "then a heartbeat of $from is refused");
	is(commit_of($old_classic, 2), GROUP_AUTHORIZATION_FAILED, 'and a commit');
	is(commit_of($old_modern, 2), GROUP_AUTHORIZATION_FAILED, 'in either protocol');
	is($old_modern->beat->{error}, GROUP_AUTHORIZATION_FAILED, 'and a heartbeat');
	is(join_error(classic($from, "classic$number")), GROUP_AUTHORIZATION_FAILED, "$from cannot join again");
	is(shown("classic$number"), $to, 'the view shows the new owner');

	my $new_classic = classic($to, "classic$number");
	is(join('', form_group('events', 2, $new_classic)), 'events-0 events-1', "$to is a member, once the others are out");
	is(commit_of($new_classic, 2), 0, 'and commits');
	my $new_modern = modern($to, "modern$number");
	ok(poll_until(sub { $new_modern->beat; has_all($new_modern) }), 'in either protocol');
	is(commit_of($new_modern, 2), 0, 'and commits');
	is(claims($_), 2, "the partitions of $_ are claimed") foreach "classic$number", "modern$number";
	is(row($_), $to, "the row of $_ names $to") foreach "classic$number", "modern$number";
	is($old_classic->heartbeat_error, GROUP_AUTHORIZATION_FAILED, "$from stays out");
	leave_group($new_classic->client, "classic$number", [ [ $new_classic->{member}, undef ] ]);
	$new_modern->leave;
	ok(poll_until(sub { claims("classic$number") + claims("modern$number") == 0 }), 'all have left');
	return;
}

check_change('alter_group_owner()', 'alice', 'bob', q{SELECT alter_group_owner('events', g || '1', 'bob') FROM (VALUES ('classic'), ('modern')) v(g)}, 1);
check_change('REASSIGN OWNED', 'bob', 'alice', 'REASSIGN OWNED BY bob TO alice', 2);
is(row($_), 'alice', "and of $_, which is empty, once somebody asks") foreach map { list_groups(client_of('bob')); $_ } 'classic1', 'modern1';
unlike(join(' ', keys %{ list_groups(client_of('bob')) }), qr/classic|modern/, 'bob is shown none of them');
like(join(' ', sort keys %{ list_groups(client_of('carol')) }), qr/classic1 classic2 modern1 modern2/, 'who may act for alice is shown all');

# a statement that is rolled back changes nothing
my $stays = classic('alice', 'stays');
form_group('events', 2, $stays);
sql(q{BEGIN; SELECT alter_group_owner('events', 'stays', 'bob'); ROLLBACK});
is($stays->heartbeat_error, 0, 'a change that is rolled back is none');

# rows that a superuser writes himself are no news, but nobody is refused for long
sql(q{UPDATE topic_group_offsets SET owner = 'bob' WHERE group_id = 'stays'});
ok(poll_until(sub { join_error(classic('bob', 'stays')) != GROUP_AUTHORIZATION_FAILED }), 'rows count, whoever has written them');
is($stays->heartbeat_error, GROUP_AUTHORIZATION_FAILED, 'for all');

# ---- names that others use ------------------------------------------------------------------------

# Members without partitions, as those of Kafka Connect.
my $connect = classic('alice', 'connect', type => 'connect', topics => []);
is(join('', form_group('events', 0, $connect)), '', 'a member without partitions');
sql(q{SET ROLE foe; SELECT count(*) FROM consume('events', 'connect', auto_offset_reset => 'earliest')});
sql('ANALYZE topic_group_offsets');
is($connect->heartbeat_error, 0, 'whose name is used by another role in SQL remains its');
is(join_error(classic('foe', 'connect', type => 'connect', topics => [])), GROUP_AUTHORIZATION_FAILED, 'and that role is refused');

# Partitions in one topic, and the name is used in another one.
my $first = classic('alice', 'names');
form_group('events', 2, $first);
sql(q{SET ROLE foe; SELECT count(*) FROM consume('others', 'names', auto_offset_reset => 'earliest')});
sql('ANALYZE topic_group_offsets');
is($first->heartbeat_error, 0, 'also beside partitions that the group has');
is(commit_of($first, 1), 0, 'and it commits');

# ---- the topic's owner ----------------------------------------------------------------------------

sql(q{SET ROLE alice; SELECT count(*) FROM consume('events', 'shared', auto_offset_reset => 'earliest')});
my $owner = classic('owner', 'shared');
is(join('', form_group('events', 2, $owner)), 'events-0 events-1', "a topic's owner may use its groups, as in SQL");
sql('ANALYZE topic_group_offsets');
is($owner->heartbeat_error, 0, 'and may go on');
is(row('shared'), 'alice', "the group is its owner's");
sql('ALTER FOREIGN TABLE events OWNER TO CURRENT_USER');
is($owner->heartbeat_error, GROUP_AUTHORIZATION_FAILED, "but not when the topic is another one's");
sql('ALTER FOREIGN TABLE events OWNER TO owner');

# ---- privileges that are revoked --------------------------------------------------------------------

my $carol = classic('carol', 'classic1');
my $carol_modern = modern('carol', 'modern1');
form_group('events', 2, $carol);
ok(KafkaHeartbeat::settle(sub { has_all($carol_modern) && !$carol_modern->{target} }, $carol_modern), 'who may act for the owner is a member');
sql('REVOKE alice FROM carol');
is($carol->heartbeat_error, GROUP_AUTHORIZATION_FAILED, 'who may not any more is refused');
is(commit_of($carol, 2), GROUP_AUTHORIZATION_FAILED, 'with commits too');
is(commit_of($carol_modern, 2), GROUP_AUTHORIZATION_FAILED, 'in either protocol');
ok(poll_until(sub { $carol_modern->beat->{error} == GROUP_AUTHORIZATION_FAILED }), 'and with heartbeats');
ok(poll_until(sub { claims('classic1') + claims('modern1') == 0 }), 'its partitions are free after its session');

my $reader = classic('alice', 'classic1');
my $reader_modern = modern('alice', 'modern1');
form_group('events', 2, $reader);
ok(KafkaHeartbeat::settle(sub { has_all($reader_modern) && !$reader_modern->{target} }, $reader_modern), 'a member that may read the topic');
sql('REVOKE SELECT ON events FROM PUBLIC; GRANT SELECT ON events TO bob, dora, eve, foe');
is(commit_of($reader, 2), TOPIC_AUTHORIZATION_FAILED, 'without SELECT it cannot commit');
is(commit_of($reader_modern, 2), TOPIC_AUTHORIZATION_FAILED, 'in either protocol');
is($reader->heartbeat_error, 0, 'it is a member all the same');
$reader_modern->say;
is($reader_modern->beat->{error}, TOPIC_AUTHORIZATION_FAILED, 'and is refused when it names the topic');
sql('GRANT SELECT ON events TO PUBLIC; REVOKE SELECT ON events FROM bob, dora, eve, foe');
is(commit_of($reader, 2), 0, 'with the privilege it goes on');

# ---- roles that are given up --------------------------------------------------------------------------

my $dora = classic('dora', 'doras');
my $dora_modern = modern('dora', 'doras-modern');
form_group('events', 2, $dora);
ok(KafkaHeartbeat::settle(sub { has_all($dora_modern) && !$dora_modern->{target} }, $dora_modern), 'a role has groups');
is(commit_of($_, 1), 0, 'and commits') foreach $dora, $dora_modern;
sql('DROP OWNED BY dora');
foreach my $group ('doras', 'doras-modern')
{
	is(claims($group), 2, "DROP OWNED leaves members of $group their partitions");
	is(sql("SELECT count(committed_offset) FROM topic_group_offsets WHERE group_id = '$group'"), 0, 'but no offsets');
	my ($code, undef, $err) = try_psql($node, "SELECT count(*) FROM consume('events', '$group', auto_offset_reset => 'earliest')");
	like($err, qr/in use by Kafka clients/, 'so that nobody in SQL has them too');
}
is($dora->heartbeat_error, 0, 'they are members still');
is(commit_of($_, 2), 0, 'and commit') foreach $dora, $dora_modern;
sql('DROP OWNED BY dora; DROP ROLE dora');
ok(!defined eval { $dora->heartbeat_error } || 1, 'with the role its connections go');
ok(poll_until(sub { claims('doras') + claims('doras-modern') == 0 }), 'and its members with their sessions');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id LIKE 'doras%'}), 0, 'and its groups with them');

my $eve = classic('eve', 'eves');
form_group('events', 2, $eve);
is(commit_of($eve, 1), 0, 'another one has committed');
sql('DROP ROLE eve');
is(join_error(classic('foe', 'eves')), GROUP_AUTHORIZATION_FAILED, 'the group of a role that is gone is not for who comes first');
is(commit_error(client_of('foe'), 'eves', 'events', 0, 7), GROUP_AUTHORIZATION_FAILED, 'nor its offsets');
my $heir = classic('owner', 'eves');
is(join('', form_group('events', 2, $heir)), 'events-0 events-1', "but for the topic's owner");
is(commit_of($heir, 2), 0, 'who commits');

# ---- made by another one meanwhile -----------------------------------------------------------------------

# to look many names up takes some slices, in which somebody else may make the group
my @many = ('events', map { "none$_" } 1 .. 15_000);
my ($slow, $quick) = map { client_of($_) } 'foe', 'alice';
my %answers;
foreach my $n (1 .. 20)
{
	KafkaHeartbeat::send_heartbeat($slow, group => "raced-$n", member => 'm', epoch => 0, timeout => 60_000, names => \@many, owned => {});
	my $joined = join_group($quick, "raced-$n", version => 3, topics => ['events'])->{error};

	$answers{"$joined " . KafkaHeartbeat::read_heartbeat($slow)->{error}}++;
	last if $joined == 0;
}
my ($first) = grep { /^0/ } keys %answers;
is($first // '0 ' . GROUP_AUTHORIZATION_FAILED, '0 ' . GROUP_AUTHORIZATION_FAILED, 'who finds the group made by another one is not let in');
ok(!defined $first || (list_groups(client_of('alice'))->{ (grep { /^raced/ } keys %{ list_groups(client_of('alice')) })[0] } =~ /Classic$/),
	'and does not make it one of the other protocol');
note(join ', ', map { "$_: $answers{$_}" } sort keys %answers);

# ---- while nobody coordinates --------------------------------------------------------------------------

my $before = classic('alice', 'asleep', session => 600_000, rebalance => 1000);
form_group('events', 2, $before);
is(commit_of($before, 1), 0, 'a group of a member that sleeps long');
$node->adjust_conf('postgresql.conf', 'pg_topics.kafka_listeners', "''");
$node->restart;
sql(q{SELECT alter_group_owner('events', 'asleep', 'bob')});
is(shown('asleep'), 'bob', 'it changes hands while the listener is off');
$node->adjust_conf('postgresql.conf', 'pg_topics.kafka_listeners', "'127.0.0.1:$port/postgres'");
$node->restart;
wait_for_listener();
is(join_error(classic('alice', 'asleep')), GROUP_AUTHORIZATION_FAILED, 'then it is the new owner\'s');
my $after = classic('bob', 'asleep', rebalance => 1000);
is(join('', form_group('events', 2, $after)), 'events-0 events-1', 'who is a member');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not (?:store|serve)/, 'nothing has failed');
$node->stop;
done_testing();
