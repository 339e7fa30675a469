#!/usr/bin/env perl
# Groups of Kafka's new consumer protocol beside consumers in SQL, beside the classic protocol, and their committed offsets
# (src/broker/groups/consumer_group_heartbeat.c, consumer_groups.c, consumer_store.c, group_coordinator.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaMember ();
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 0',
	'pg_topics.kafka_group_consumer_session_timeout = 1000',
	'pg_topics.kafka_group_consumer_migration_policy = disabled',
	'max_worker_processes = 12');

my $error = KafkaHeartbeat::ERRORS;

sub member { my (%said) = @_; return KafkaHeartbeat->new(\&client, names => ['orders'], %said) }

sub state_of { my ($group) = @_; return describe_consumer_groups(client(), $group)->{$group}{state} }

# The partitions of the one topic that a member has.
sub partitions { my ($member) = @_; return join ',', map { @$_ } values %{ $member->{owned} } }

# The error of a statement of a role.
sub sql_error
{
	my ($statement) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $statement, extra_params => [ '-U', 'app' ]);

	return $err;
}

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('orders', partitions => 3);
	SELECT create_topic('bills'); GRANT SELECT, INSERT ON orders, bills TO app; SELECT produce('orders', i::text, 'v' || i) FROM generate_series(1, 300) i});
ok(poll_until(sub { my $client = KafkaClient->new($port) or return 0;
	describe_consumer_groups($client, 'x')->{x}{error} == $error->{GROUP_ID_NOT_FOUND} }), 'the listener has started')
  or BAIL_OUT('no listener');

# ---- a transaction in SQL that consumes ----------------------------------------------------------

my $psql = $node->background_psql('postgres', extra_params => [ '-U', 'app' ]);
$psql->query_safe(q{BEGIN; SELECT count(*) FROM consume('orders', 'g', max_records => 1)});
my $one = member(group => 'g', member => 'one');
is($one->beat->{error}, 0, 'a member joins while a transaction consumes in SQL');
$one->beat;
my $had = partitions($one);
like($had, qr/^\d,\d$/, 'it gets what that does not own');
is(state_of('g'), 'Reconciling', 'and waits for the rest');
$psql->query_safe('COMMIT');
ok(poll_until(sub { $one->beat; partitions($one) eq '0,1,2' }), 'which it gets when the transaction has ended');
like(sql_error(q{SELECT * FROM consume('orders', 'g')}), qr/in use by Kafka clients.*\n.*member "one".*127\.0\.0\.1/, 'now SQL is refused');
$one->say(names => ['bills']);
ok(poll_until(sub { $one->beat; sql_error(q{SELECT count(*) FROM consume('orders', 'g', max_records => 1)}) eq '' }),
	'until no member is subscribed to the topic');
like(sql_error(q{SELECT * FROM consume('bills', 'g')}), qr/in use by Kafka clients/, 'then in the other one');
$one->leave;
ok(poll_until(sub { sql_error(q{SELECT count(*) FROM consume('bills', 'g', max_records => 1)}) eq '' }), 'until the group is empty');

# a member in SQL
sql(q{SET ROLE app; SELECT count(*) FROM consume('orders', 'leased', member_id => 'worker', max_records => 1)});
my $answer = member(group => 'leased', member => 'm')->beat;
is($answer->{error}, $error->{INCONSISTENT_GROUP_PROTOCOL}, 'a group that a member in SQL uses is closed');
is(describe_consumer_groups(client(), 'leased')->{leased}{error}, $error->{GROUP_ID_NOT_FOUND}, 'and is none of ours');
$psql->quit;

# silent members
my $silent = member(group => 'silent', member => 'm');
$silent->beat;
ok(poll_until(sub { state_of('silent') eq 'Empty' }), 'a silent member is removed');
ok(poll_until(sub { sql_error(q{SELECT count(*) FROM consume('orders', 'silent', max_records => 1)}) eq '' }), 'and SQL may use the group');
is($silent->beat->{error}, $error->{UNKNOWN_MEMBER_ID}, 'it is told that it is none any more');

# ---- committed offsets ------------------------------------------------------------------------------

my $two = member(group => 'c', member => 'two');
$two->beat;
$two->beat;
my $client = client();
my %as = (member => 'two', version => 9);
is(commit_error($client, 'c', 'orders', 0, 7, %as, generation => $two->epoch), 0, 'a member commits');
is(sql(q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'c' AND partition = 0}), 7, 'for SQL to see');
is(commit_error($client, 'c', 'orders', 0, 8, %as, generation => $two->epoch - 1), $error->{STALE_MEMBER_EPOCH}, 'not with an old epoch');
is(commit_error($client, 'c', 'orders', 0, 8, %as, generation => $two->epoch + 1), $error->{STALE_MEMBER_EPOCH}, 'nor with one that is ahead');
is(commit_error($client, 'c', 'orders', 0, 8, %as, member => 'x', generation => $two->epoch), $error->{UNKNOWN_MEMBER_ID}, 'nor an unknown member');
is(commit_error($client, 'c', 'orders', 0, 8), $error->{UNKNOWN_MEMBER_ID}, 'nor a tool, while the group has members');
$two->leave;
is(commit_error($client, 'c', 'orders', 0, 8), 0, 'but then it does');

# ---- tools ------------------------------------------------------------------------------------------------

my $five = member(group => 'tools', member => 'five');
$five->beat;
is(KafkaMember::list_groups($client)->{tools}, 'consumer:Stable:Consumer', 'ListGroups has it');
is_deeply([ sort keys %{ KafkaMember::list_groups($client, types => ['consumer']) } ], [ 'c', 'g', 'silent', 'tools' ],
	'with the others of its kind');
is(KafkaMember::describe_groups($client, ['tools'])->[0]{error}, $error->{GROUP_ID_NOT_FOUND}, 'DescribeGroups does not know it');

is_deeply(KafkaMember::delete_groups($client, ['tools']), { tools => 68 }, 'a group with members is not deleted');
$five->leave;
is_deeply(KafkaMember::delete_groups($client, ['tools']), { tools => 0 }, 'an empty one is');
is(describe_consumer_groups($client, 'tools')->{tools}{error}, $error->{GROUP_ID_NOT_FOUND}, 'and gone');
is(sql(q{SELECT count(*) FROM topic_kafka_groups WHERE group_id = 'tools'}), 0, 'with its row');
is($five->beat->{error}, 0, 'a member makes it anew');
$five->leave;

# ---- the classic protocol -------------------------------------------------------------------------------

my $three = member(group => 'k', member => 'three');
$three->beat;
my $classic = KafkaMember->new($port, 'k', topics => ['orders']);
$three->leave;
is((KafkaMember::form_group('orders', 3, $classic))[0], 'orders-0 orders-1 orders-2', 'a member of the classic protocol gets into an empty group');
is(describe_consumer_groups($client, 'k')->{k}{error}, $error->{GROUP_ID_NOT_FOUND}, 'which is a classic group now');
is(member(group => 'k', member => 'four')->beat->{error}, $error->{GROUP_ID_NOT_FOUND}, 'and closed to the new protocol');
$node->restart;
ok(poll_until(sub { my $c = KafkaClient->new($port) or return 0; (describe_consumer_groups($c, 'c') // return 0)->{c}{error} == 0 }),
	'after a restart');
is(describe_consumer_groups(client(), 'k')->{k}{error}, $error->{GROUP_ID_NOT_FOUND}, 'it still is');
is(state_of('c'), 'Empty', 'and an empty group is there');

done_testing();
