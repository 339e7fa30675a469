#!/usr/bin/env perl
# Files under test: src/broker/groups/list_groups.c, classic_groups.c, consumer_group_describe.c, describe_groups.c,
# find_coordinator.c, leave_group.c, delete_groups.c, regex_resolver.c, src/broker/offsets/offset_delete.c, offset_commit.c,
# offset_fetch.c, src/broker/users/alter_quotas.c, src/broker/topics/one_replica.c.
# What is asked about groups, and what their members say of themselves, may be large, and may be asked again and
# again: nobody beside it waits for long, and the memory of the process stays bounded.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAttack;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaServer qw(start_kafka_server wait_for_listener);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'",
	'pg_topics.kafka_group_initial_rebalance_delay = 3000', 'pg_topics.max_partitions = 30000');
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('wide', partitions => 1000);
	SELECT create_topic('other')});

wait_for_listener() or die 'nobody listens';

my $worker = begin_attacks($node, $port, 'other');

sub many { my ($count, $code) = @_; return join('', KafkaClient::int32($count), map { $code->($_) } 1 .. $count) }
sub compact { my ($count, $code) = @_; return join('', KafkaClient::compact_count($count), map { $code->($_) } 1 .. $count) }
sub text { return KafkaClient::compact_string($_[0]) }

my $count = 45_000;

# ---- groups that are there ------------------------------------------------------

# members whose subscriptions are as large as they may be: of short names
my $names = 340_000;
my $subscription = KafkaClient::int16(0) . KafkaClient::int32($names) . KafkaClient::string('x') x $names . KafkaClient::int32(-1);
# a checker makes them take longer to join than the five minutes that the first one waits for the others
my $fat = $ENV{TOPIC_TEST_SANITIZED} || $ENV{TOPIC_TEST_VALGRIND} ? 5 : 55;
my @fat = map { KafkaMember->new($port, 'fat', metadata => $subscription, session => 600_000, rebalance => 600_000, client => attacker()) } 1 .. $fat;
form_group('wide', 1000, @fat);

# and many groups, of members that never join
my $flood = attacker();
foreach my $round (0 .. 9)
{
	send_join($flood, "flood$round.$_", topics => ['wide'], session => 600_000) foreach 1 .. 500;
	read_join($flood) foreach 1 .. 500;
}

# a group of the new protocol whose members have a part of each topic
my %part;
my @members = map { sprintf 'm%03d', $_ } 1 .. 100;
my $beat = attacker();
my $epoch = {};
foreach my $round (1 .. 3)
{
	foreach my $member (@members)
	{
		my $answer = KafkaHeartbeat::heartbeat($beat, group => 'modern', member => $member, epoch => $epoch->{$member} // 0, timeout => 600_000,
			$round == 1 ? (names => ['wide'], owned => {}) : $part{$member} ? (owned => $part{$member}) : ());
		die "error $answer->{error}" if $answer->{error};
		$epoch->{$member} = $answer->{epoch};
		$part{$member} = $answer->{assignment} if $answer->{assignment};
	}
}

# ---- questions --------------------------------------------------------------------

attack('ListGroups with many filters', 100, sub {
	ok(ask_kafka(16, 5, compact($count, sub { text('Stablf') }) . compact($count, sub { text('Classid') }) . "\0", 1), 'it is answered');
});

# each topic of the request is looked for in all subscriptions
my ($pause, $work) = attack('OffsetDelete beside large subscriptions', 100, sub {
	ok(ask_kafka(47, 0, KafkaClient::string('fat') . many(40, sub { KafkaClient::string('wide') . KafkaClient::int32(0) })), 'it is answered');
	ok(ask_kafka(47, 0, KafkaClient::string('fat') . many(40, sub { KafkaClient::string('wide') . KafkaClient::int32(1) . KafkaClient::int32($_[0]) })), 'it is answered');
});
cmp_ok($pause, '<', $work / 80, 'nobody waits until one of the topics has been looked for');

attack('ConsumerGroupDescribe of one group many times', 150, sub {
	ok(ask_kafka(69, 1, compact(20_000, sub { text('modern') }) . "\1\0", 1), 'it is answered');
});

# Regular expressions that take a while to compile, each of another member: all are compiled anew when there is a new topic.
my $slow = attacker();
my $pattern = '(' . join('|', map { "(a$_){1,40}b{1,60}" } 1 .. 12) . ')';
my %slow;
foreach my $n (1 .. 100)
{
	my $answer = KafkaHeartbeat::heartbeat($slow, group => 'slow', member => "s$n", epoch => 0, timeout => 600_000, regex => "$pattern|x$n", owned => {});
	die "error $answer->{error}: $answer->{message}" if $answer->{error};
	$slow{"s$n"} = $answer->{epoch};
}
attack('regular expressions of many members', 100, sub {
	$node->safe_psql('postgres', q{SELECT create_topic('xnew')});
	usleep(1_200_000);
	my $answer = KafkaHeartbeat::heartbeat($slow, group => 'slow', member => 's100', epoch => $slow{s100});
	is($answer->{error}, 0, 'a heartbeat is answered');
});

attack('DescribeGroups by clients that do not read', 400, sub {
	my @clients = map { attacker() } 1 .. 20;

	$_->send_bytes(KafkaClient::frame(15, 5, 1, KafkaClient::compact_count(201) . join('', map { text("none$_") } 1 .. 200) . text('fat') . "\0\0", 1)) foreach @clients;
	usleep(500_000);
	$_->close foreach @clients;
# their answers take the memory that there is for frames, and others wait until it is free
}, 2 * LONGEST_ALLOWED);

attack('FindCoordinator of many keys', 100, sub {
	ok(ask_kafka(10, 4, KafkaClient::int8(0) . compact($count, sub { text("g$_[0]") }) . "\0", 1), 'it is answered');
});

attack('LeaveGroup of many members', 100, sub {
	ok(ask_kafka(13, 5, text('fat') . compact($count, sub { text("g$_[0]") . text("i$_[0]") . text('why') . "\0" }) . "\0", 1), 'it is answered');
});

attack('SyncGroup with many assignments', 100, sub {
	ok(ask_kafka(14, 5, text('fat') . KafkaClient::int32(1) . text($fat[0]{member}) . text(undef) . text('consumer') . text('range')
		. compact($count, sub { text("g$_[0]") . text('x' x 100) . "\0" }) . "\0", 1), 'it is answered');
});

($pause, $work) = attack('DescribeGroups of many', 100, sub {
	ok(ask_kafka(15, 5, compact($count, sub { text("g$_[0]") }) . "\0\0", 1), 'it is answered');
});
cmp_ok($pause, '<', $work / 4, 'nobody waits until all of them are described');

attack('DeleteGroups of many', 100, sub {
	ok(ask_kafka(42, 2, compact($count, sub { text("g$_[0]") }) . "\0", 1), 'it is answered');
});

attack('DeleteGroups of long names', 200, sub {
	my $long = 'x' x 2000;
	ok(ask_kafka(42, 2, compact($count, sub { text("$long$_[0]") }) . "\0", 1), 'it is answered');
});

attack('OffsetFetch of many groups', 100, sub {
	ok(ask_kafka(9, 8, compact(20_000, sub { text("g$_[0]") . "\0\0" }) . "\0\0", 1), 'it is answered');
});

attack('OffsetFetch of many partitions', 100, sub {
	ok(ask_kafka(9, 7, text('g') . compact(1, sub { text('wide') . compact($count, sub { KafkaClient::int32($_[0]) }) . "\0" }) . "\0\0", 1), 'it is answered');
});

attack('OffsetCommit of many partitions', 150, sub {
	ok(ask_kafka(8, 2, KafkaClient::string('g') . KafkaClient::int32(-1) . KafkaClient::string('') . KafkaClient::int64(-1) . many(1, sub { KafkaClient::string('wide')
		. many($count, sub { KafkaClient::int32($_[0]) . KafkaClient::int64(1) . KafkaClient::string('') }) })), 'it is answered');
});

attack('ElectLeaders of one topic', 100, sub {
	ok(ask_kafka(43, 1, KafkaClient::int8(0) . many(1, sub { KafkaClient::string('wide') . many($count, sub { KafkaClient::int32($_[0]) }) }) . KafkaClient::int32(1000)), 'it is answered');
});

attack('DescribeClientQuotas of many', 100, sub {
	ok(defined ask_kafka(48, 1, compact(20_000, sub { text('user') . "\0" . text("u$_[0]") . "\0" }) . "\0\0", 1), 'it is answered or not');
});

attack('AlterClientQuotas of many', 100, sub {
	ok(defined ask_kafka(49, 1, compact(10_000, sub { compact(1, sub { text('user') . text("u$_[0]") . "\0" }) . compact(1, sub { text('request_percentage') . pack('d>', 1) . "\0\0" }) . "\0" }) . "\1\0", 1), 'it is answered or not');
});

# Groups in SQL: many of them, some of many partitions.
$node->safe_psql('postgres', q{
	INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset)
		SELECT 'sql' || lpad(g::text, 5, '0'), 'other', 0, 0 FROM generate_series(1, 10000) g
		UNION ALL SELECT 'wide' || lpad(g::text, 3, '0'), 'wide', p, 0 FROM generate_series(1, 400) g, generate_series(0, 999) p});
attack('ListGroups of many in SQL', 200, sub {
	my $groups = list_groups(attacker());

	is(scalar(grep { /^(sql\d{5}|wide\d{3})$/ } keys %$groups), 10400, 'all are listed');
	like($groups->{$_->[0]}, qr/^consumer:\w+:$_->[1]$/, "and $_->[0], of clients") foreach [ fat => 'Classic' ], [ modern => 'Consumer' ];
}, 0.05);

$node->safe_psql('postgres', q{
	SELECT create_topic('vast', partitions => 20000);
	INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset) SELECT 'vast', 'vast', p, 0 FROM generate_series(0, 19999) p;
	INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset) SELECT 'vast', 'wide', p, 0 FROM generate_series(0, 999) p});
attack('DeleteGroups of a group with many partitions', 100, sub {
	is_deeply(delete_groups(attacker(), ['vast']), { vast => 0 }, 'it is deleted');
}, 0.1);
is($node->safe_psql('postgres', q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'vast'}), 0, 'nothing is left');

# one of which a partition is in use beside others
$node->safe_psql('postgres', q{INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset) SELECT 'used', 'wide', p, 0 FROM generate_series(0, 999) p});
my $session = open_session($node);
$session->run(q{BEGIN; UPDATE topic_group_offsets SET committed_offset = 1 WHERE group_id = 'used' AND partition = 900});
is_deeply(delete_groups(attacker(), ['used']), { used => 68 }, 'a large group that is in use is not deleted as a whole');
$session->run('ROLLBACK');
is_deeply(delete_groups(attacker(), ['used']), { used => 0 }, 'later it is');
is($node->safe_psql('postgres', q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'used'}), 0, 'with all that was left');

is($fat[0]->heartbeat_error, 0, 'the group is as it was');
is($node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), $worker, 'the process is the same');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
