#!/usr/bin/env perl
# Groups of Kafka's new consumer protocol, KIP-848 (src/broker/groups/consumer_group_heartbeat.c, consumer_group_describe.c,
# consumer_groups.c, consumer_store.c, consumer_topics.c): members that come and go, what they are given, who may.
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

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_max_size = 5',
	'max_worker_processes = 12');

my $error = KafkaHeartbeat::ERRORS;

sub member { my (%said) = @_; return KafkaHeartbeat->new(\&client, %said) }

# The names of topics by their ids, as the server makes them.
sub names
{
	my $system = sql('SELECT system_identifier FROM pg_control_system()');
	my $database = sql('SELECT oid FROM pg_database WHERE datname = current_database()');

	return { map { my ($oid, $name) = split /\|/; unpack('H*', pack('Q>NN', $system, $database, $oid)) => $name }
		  split /\n/, sql('SELECT topic::oid, topic::text FROM pg_topics') };
}

sub stable { my ($group) = @_; return describe_consumer_groups(client(), $group)->{$group}{state} eq 'Stable' }

sub claims
{
	return sql(qq{SELECT string_agg(topic || ':' || partition || '=' || member_id, ' ' ORDER BY topic::text, partition)
		FROM topic_group_offsets WHERE group_id = '$_[0]' AND member_id LIKE 'kafka:%'});
}

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic('orders', partitions => 3); SELECT create_topic('bills', partitions => 3);
	SELECT create_topic('secret');
	GRANT SELECT ON orders, bills TO app, other});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $names = names();
my $client = client();
is_deeply([ @{ $client->api_versions }{ 68, 69 } ], [ [ 0, 1 ], [ 0, 1 ] ], 'the versions that Kafka 4.4 serves');

# ---- joining and leaving -------------------------------------------------------------------

my $first = member(group => 'g', member => 'first', names => [ 'orders', 'bills' ]);
my $answer;
poll_until(sub { $answer = $first->beat; $answer->{error} != 14 });
is("$answer->{error} $answer->{member} $answer->{interval}", '0 first 5000', 'a member joins');
is(KafkaHeartbeat::as_text($answer->{assignment}, $names), 'bills:0,1,2 orders:0,1,2', 'and gets all');
$answer = $first->beat;
is("$answer->{error} $answer->{epoch}", "0 " . $first->epoch, 'it says that it has taken them');
is($first->beat->{assignment}, undef, 'a heartbeat with nothing new is told nothing');
is(claims('g'), 'bills:0=kafka:first bills:1=kafka:first bills:2=kafka:first orders:0=kafka:first orders:1=kafka:first orders:2=kafka:first',
	'the partitions are claimed for it');
my $described = describe_consumer_groups($client, 'g', 'nothing');
is_deeply([ @{ $described->{g} }{qw(error state assignor operations)} ], [ 0, 'Stable', 'uniform', (1 << 3) | (1 << 6) | (1 << 8) ],
	'the group is described');
is_deeply([ @{ $described->{g}{members}{first} }{qw(epoch client host names type)} ],
	[ $first->epoch, 'test', '/127.0.0.1', [ 'bills', 'orders' ], 1 ], 'with its member');
is_deeply($described->{g}{members}{first}{assignment}, { bills => [ 0, 1, 2 ], orders => [ 0, 1, 2 ] }, 'and what it has');
is($described->{nothing}{error}, $error->{GROUP_ID_NOT_FOUND}, 'a group that there is not is told so');

my $second = member(group => 'g', member => 'second', names => [ 'orders', 'bills' ]);
$answer = $second->beat;
is(KafkaHeartbeat::as_text($answer->{assignment}, $names), '', 'a second one gets nothing that the first one has');
is(describe_consumer_groups($client, 'g')->{g}{state}, 'Reconciling', 'the group reconciles');
ok(KafkaHeartbeat::settle(sub { stable('g') && $second->owned ne '' }, $first, $second), 'heartbeats lead to a stable group');
is(join(' | ', sort map { $_->owned($names) } $first, $second), 'bills:0,1,2 | orders:0,1,2', 'in which each has a half');
is($first->epoch, $second->epoch, 'and the same epoch');
like(claims('g'), qr/^(bills:\d=kafka:(first|second) ?){3}(orders:\d=kafka:(?!\2)(first|second) ?){3}$/, 'and its claims');

is($second->leave->{epoch}, -1, 'one leaves');
ok(KafkaHeartbeat::settle(sub { stable('g') && $first->owned($names) eq 'bills:0,1,2 orders:0,1,2' }, $first), 'the other one gets all');
$first->leave;
is(describe_consumer_groups($client, 'g')->{g}{state}, 'Empty', 'when it leaves, too, the group is empty');
ok(poll_until(sub { claims('g') eq '' }), 'and has no claims');

# Members whose requests come while the process does not run, and so in one turn.
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
my @together = map { client() } 1 .. 3;
$_->api_versions foreach @together;
kill 'STOP', $worker;
send_heartbeat($together[$_], group => 'together', member => "m$_", epoch => 0, timeout => 60000, names => [ 'orders', 'bills' ], owned => {}) foreach 0 .. 2;
kill 'CONT', $worker;
my @answers = map { read_heartbeat($_) } @together;
is(join(' ', map { scalar map { @$_ } values %{ $_->{assignment} } } @answers), '2 2 2', 'members that join together have their share at once');
is(join(' ', map { $_->{epoch} } @answers), join(' ', ($answers[0]{epoch}) x 3), 'in the same epoch');
is(describe_consumer_groups($client, 'together')->{together}{state}, 'Stable', 'and the group is stable');
heartbeat($together[$_], group => 'together', member => "m$_", epoch => -1) foreach 0 .. 2;

# ---- errors ------------------------------------------------------------------------------------

sub error_of { my (%said) = @_; return heartbeat($client, group => 'e', member => 'm', %said)->{error} }

my %joins = (epoch => 0, timeout => 1000, names => ['orders'], owned => {});
is(error_of(epoch => 3), $error->{GROUP_ID_NOT_FOUND}, 'a group that there is not');
is(error_of(%joins, group => ''), 24, 'an empty group id');
is(error_of(%joins, timeout => -1), $error->{INVALID_REQUEST}, 'a join without a timeout');
is(error_of(%joins, owned => undef), $error->{INVALID_REQUEST}, 'without partitions');
is(error_of(%joins, names => undef), $error->{INVALID_REQUEST}, 'without a subscription');
is(error_of(%joins, member => ''), $error->{INVALID_REQUEST}, 'without an id');
is(error_of(%joins, assignor => 'sticky'), $error->{UNSUPPORTED_ASSIGNOR}, 'with an unknown assignor');
is(error_of(%joins, names => [ 'orders', 'secret' ]), $error->{TOPIC_AUTHORIZATION_FAILED}, 'for a topic that the role may not read');
is(error_of(%joins, names => ["a\0b"]), $error->{INVALID_REQUEST}, 'for a name that is none');
is(error_of(%joins, member => "\xff"), $error->{INVALID_REQUEST}, 'with an id that is no text');
is(error_of(%joins), 0, 'a good one');
my $epoch = heartbeat($client, group => 'e', member => 'm', %joins)->{epoch};
is(error_of(epoch => $epoch + 1), $error->{FENCED_MEMBER_EPOCH}, 'an epoch that is ahead');
is(error_of(epoch => $epoch, member => 'x'), $error->{UNKNOWN_MEMBER_ID}, 'an unknown member');
is(error_of(epoch => -2), $error->{INVALID_REQUEST}, 'a member that is not static does not leave for a while');
is(error_of(%joins, member => "m$_"), 0, 'another member') foreach 1 .. 4;
is(error_of(%joins, member => 'm5'), $error->{GROUP_MAX_SIZE_REACHED}, 'one too many');
$answer = heartbeat($client, version => 0, group => 'v0', %joins);
like($answer->{member}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'with version 0 the server makes the id');
is(heartbeat(client_as('other'), group => 'e', member => 'o', %joins)->{error}, $error->{GROUP_AUTHORIZATION_FAILED},
	'a group belongs to the role that has made it');
is(describe_consumer_groups(client_as('other'), 'e')->{e}{error}, $error->{GROUP_AUTHORIZATION_FAILED}, 'and others do not see it');

# ---- static members ---------------------------------------------------------------------------------

my @static = map { member(group => 's', member => "s$_", instance => "i$_", names => ['orders']) } 1, 2;
ok(KafkaHeartbeat::settle(sub { stable('s') && (grep { $_->owned ne '' } @static) == 2 }, @static), 'two static members');
my $had = $static[0]->owned;
$epoch = $static[1]->epoch;
my $twin = member(group => 's', member => 'twin', instance => 'i1', names => ['orders']);
is($twin->beat->{error}, $error->{UNRELEASED_INSTANCE_ID}, 'an instance has one member');
is($static[0]->leave(-2)->{epoch}, -2, 'it leaves for a while');
is($static[1]->beat->{epoch}, $epoch, 'nothing moves');
$answer = $twin->beat;
is(KafkaHeartbeat::as_text($answer->{assignment}), $had, 'it comes back with another id, and has what it had');
is($static[1]->beat->{epoch}, $epoch, 'and again nothing moves');
is($static[0]->beat->{error}, $error->{UNRELEASED_INSTANCE_ID}, 'the old one is not let in');
ok(poll_until(sub { claims('s') !~ /kafka:s1/ && claims('s') =~ /kafka:twin/ }), 'its claims go with it') or diag(claims('s'));
is(sql(q{SELECT string_agg(member_id, ' ' ORDER BY member_id) FROM topic_kafka_members WHERE group_id = 's'}), 's2 twin', 'and its row');

# ---- topics that change --------------------------------------------------------------------------------

my $one = member(group => 't', member => 'one', names => [ 'orders', 'later' ]);
ok(KafkaHeartbeat::settle(sub { $one->owned($names) eq 'orders:0,1,2' }, $one), 'a topic that is not there yet');
sql(q{SELECT create_topic('later', partitions => 2); GRANT SELECT ON later TO app});
$names = names();
ok(poll_until(sub { $one->beat; $one->owned($names) eq 'later:0,1 orders:0,1,2' }), 'is assigned when it comes');
sql(q{ALTER FOREIGN TABLE later OPTIONS (SET partitions '4')});
ok(poll_until(sub { $one->beat; $one->owned($names) eq 'later:0,1,2,3 orders:0,1,2' }), 'and its partitions, when it gets more');
$epoch = $one->epoch;
sql('CREATE TABLE something_else (a int); ANALYZE orders');
sql('ALTER FOREIGN TABLE later RENAME TO gone');
ok(poll_until(sub { $one->beat; $one->owned($names) eq 'orders:0,1,2' }), 'when it is called otherwise, it is given up');
$one->beat;
is($one->epoch, $epoch + 1, 'changes of other tables have not moved the group');
sql('ALTER FOREIGN TABLE gone RENAME TO later');
ok(poll_until(sub { $one->beat; $one->owned($names) eq 'later:0,1,2,3 orders:0,1,2' }), 'when it has its name again, it is back');
sql('DROP FOREIGN TABLE later');
ok(poll_until(sub { $one->beat; $one->owned($names) eq 'orders:0,1,2' }), 'when it is dropped, it is given up');
$one->say(names => ['bills']);
ok(KafkaHeartbeat::settle(sub { $one->owned($names) eq 'bills:0,1,2' }, $one), 'another subscription');

done_testing();
