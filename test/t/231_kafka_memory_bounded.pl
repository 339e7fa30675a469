#!/usr/bin/env perl
# Files under test: src/broker/broker_worker.c, src/broker/dispatch.c, src/listener/connection.c, and what they keep of requests.
# Requests of all kinds, over and over, those that are errors too: once the process has met each of them, its memory stays as it is.
# TOPIC_TEST_ROUNDS asks for more of them; a round is some 75 requests.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use KafkaRecords;
use KafkaServer;
use KafkaShare;
use KafkaTopics;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# As many rounds before the first look, and then as many again.
use constant WARM_UP => 60;
use constant ROUNDS => $ENV{TOPIC_TEST_ROUNDS} // 120;

# More than what tables of the process take when they grow once more, and less than a few bytes of each request.
use constant GROWTH_ALLOWED => 256 * 1024;

my ($node, $port) = start_kafka_server("pg_topics.kafka_group_share_auto_offset_reset = 'earliest'",
	'pg_topics.kafka_group_initial_rebalance_delay = 0', 'max_worker_processes = 20', 'log_min_messages = warning');
sql(q{
	CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 2), create_topic('jobs'), create_topic('secret');
	GRANT SELECT, INSERT ON events, jobs TO app});
wait_for_listener() or die 'nobody listens';
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
my $jobs = topic_ids(\&sql)->{jobs};
my %answers;	# how often what was answered
my $requests = 0;

# Note an answer: the round's requests are to be the same errors, and the same successes, each time.
sub saw { my ($what, $answer) = @_; $requests++; $answers{ "$what " . ($answer // 'closed') }++; return $answer }

# ---- a round ---------------------------------------------------------------------------

sub produce_to
{
	my ($client, $topic, $partition, $bytes) = @_;

	$client->send_bytes(produce_frame($topic, $partition, $bytes));
	return saw("produce to $topic", produced($client));
}

sub produce_and_fetch
{
	my ($client) = @_;
	my $batch = record_batch(record_of('a value'), 1);

	produce_to($client, 'events', $_ % 2, $batch) foreach 0 .. 4;
	produce_to($client, 'jobs', 0, $batch);
	produce_to($client, 'events', 7, $batch);
	produce_to($client, $_, 0, $batch) foreach qw(nothing secret);
	produce_to($client, 'events', 0, record_batch(record_of('a value'), 1, crc => 1));
	produce_to($client, 'events', 0, record_batch(record_of('a value'), 1, count => 3));
	foreach ([ events => 0, 0 ], [ events => 1, 1 ], [ events => 9, 0 ], [ events => 0, 1 << 40 ], [ nothing => 0, 0 ], [ secret => 0, 0 ])
	{
		$client->send_bytes(fetch_frame(@$_, max_bytes => 5000));
		saw('fetch', $client->read_frame && 'answered');
	}
	saw('metadata', join ' ', sort map { $_->{error} } values %{ topic_metadata($client, [ 'events', 'nothing', 'secret' ]) });
	return;
}

sub groups
{
	my ($client, $n) = @_;
	my $group = "classic-$n";
	my $joined = join_group($client, $group, topics => ['events']);

	saw('join', $joined->{error});
	my %member = (member => $joined->{member}, generation => $joined->{generation});
	saw('sync', sync_group($client, $group, %member, assignments => { $joined->{member} => assignment(events => [ 0, 1 ]) })->{error});
	saw('heartbeat', heartbeat($client, $group, %member));
	saw('heartbeat of nobody', heartbeat($client, $group, %member, member => 'nobody'));
	saw('commit', commit_error($client, $group, 'events', 0, 1, %member));
	saw('commit of an old generation', commit_error($client, $group, 'events', 0, 1, %member, generation => 1 << 20));
	saw('commit of nothing', commit_error($client, $group, 'nothing', 0, 1, %member));
	saw('offsets', fetched($client, $group, 'events', 0));
	saw('delete a group that has members', join ' ', values %{ delete_groups($client, [$group]) });
	saw('leave', leave_group($client, $group, $joined->{member}));
	saw('describe', scalar @{ describe_groups($client, [ $group, 'none' ]) });
	saw('coordinator', scalar @{ find_coordinator($client, [ $group, '' ]) });
	saw('delete offsets', (delete_offsets($client, $group, { events => [ 0, 5 ] }))[0]);
	saw('list', ref list_groups($client));
	saw('delete', join ' ', sort values %{ delete_groups($client, [ $group, 'none' ]) });

	my %modern = (group => "modern-$n", member => 'm', timeout => 60000, owned => {});
	my $beat = KafkaHeartbeat::heartbeat($client, %modern, epoch => 0, names => [ 'events', 'nothing' ]);
	saw('join the new protocol', $beat->{error});
	saw('go on', KafkaHeartbeat::heartbeat($client, %modern, epoch => $beat->{epoch})->{error});
	saw('with a wrong epoch', KafkaHeartbeat::heartbeat($client, %modern, epoch => 1 << 20)->{error});
	saw('with a wrong expression', KafkaHeartbeat::heartbeat($client, %modern, member => 'x', epoch => 0, regex => '(')->{error});
	saw('leave', KafkaHeartbeat::heartbeat($client, %modern, epoch => -1)->{error});
	return;
}

sub transactions
{
	my ($client, $n) = @_;
	my $name = "txn-$n";

	foreach my $commit (1, 0)
	{
		my ($error, $id, $epoch) = init_transactions($client, $name);

		saw('init', $error);
		saw('add', begin_transaction($client, $name, $id, $epoch, { events => [ 0, 1 ] }));
		saw('add what there is not', begin_transaction($client, $name, $id, $epoch, { nothing => [0] }));
		saw('transactional produce', transactional_produce($client, $name, $id, $epoch, events => 0, 0, ['x']) =~ /^(\d+)/);
		saw('out of sequence', transactional_produce($client, $name, $id, $epoch, events => 0, 9, ['x']) =~ /^(\d+)/);
		saw('add offsets', add_offsets($client, $name, $id, $epoch, 'txn-group'));
		saw('offsets', commit_in_transaction($client, $name, $id, $epoch, 'txn-group', { events => { 0 => 1 } }));
		saw('fenced', (end_transaction($client, $name, $id, $epoch - 1, 1))[0]);
		saw('describe transactions', scalar(describe_transactions($client, $name, 'none')));
		saw('end', (end_transaction($client, $name, $id, $epoch, $commit))[0]);
	}
	saw('list transactions', (list_transactions($client))[0]);
	saw('markers', write_markers($client, 1, 0, 1, 'events', 0));
	return;
}

sub share_groups
{
	my ($client, $n) = @_;
	my %who = (group => "share-$n", member => 'm');
	my $beat = share_heartbeat($client, %who, epoch => 0, names => ['jobs']);
	my $member = KafkaShare->new($client, %who);

	saw('join a share group', $beat->{error});
	my $fetched = $member->fetch(add => { $jobs => [0] }, wait => 0, records => 3);
	saw('share fetch', $fetched->{error});
	my @acquired = @{ $fetched->{partitions}{"$jobs:0"}{acquired} // [] };
	saw('acknowledge', $member->acknowledge({ "$jobs:0" => [ map { [ $_->[0], $_->[1], 1 ] } @acquired ] })->{error}) if @acquired;
	saw('acknowledge what it has not', $member->acknowledge({ "$jobs:0" => [ [ 1 << 40, 1 << 40, 1 ] ] })->{error});
	saw('share fetch of a wrong epoch', share_fetch($client, %who, epoch => 77, wait => 0)->{error});
	saw('share fetch of no topic', share_fetch($client, %who, member => 'other', epoch => 0, add => { 'f' x 32 => [0] }, wait => 0)->{error});
	saw('the session ends', share_fetch($client, %who, epoch => -1, wait => 0)->{error});
	saw('leave a share group', share_heartbeat($client, %who, epoch => -1)->{error});
	saw('share group', describe_share_groups($client, $who{group})->{ $who{group} }{error});
	return;
}

# Connections that end in the midst of things, and what is no request.
sub bad_connections
{
	my $client = client();

	$client->send_bytes(pack('l>', 1000) . 'half');
	$client->close;
	foreach (KafkaClient::frame(0, 99, 1, ''), KafkaClient::frame(3, 12, 1, 'x', 1), pack('l>', -5), pack('l>', 1 << 30))
	{
		$client = client();
		$client->send_bytes($_);
		saw('no request', defined $client->read_frame ? 'answered' : undef);
		$client->close;
	}
	$client = client();
	$client->send_bytes(fetch_frame('events', 0, 1 << 40, max_wait => 60_000));
	$client->send_bytes(fetch_frame('jobs', 0, 0));
	$client->close;
	return;
}

sub round
{
	my ($n) = @_;
	my $client = client();

	produce_and_fetch($client);
	groups($client, $n % 5);
	transactions($client, $n % 5);
	share_groups($client, $n % 5);
	bad_connections();
	return $client->close;
}

# ---- memory ----------------------------------------------------------------------------------

# What the process's memory contexts have in use, and each of them by its name.
sub memory_contexts
{
	my $seen = length slurp_file($node->logfile);
	my $log;

	sql("SELECT pg_log_backend_memory_contexts($worker)");
	poll_until(sub { $log = substr(slurp_file($node->logfile), $seen); $log =~ /Grand total:.*\n/ }) or die 'nothing is told of the memory';
	my %used;
	$used{$1} += $2 while $log =~ /level: \d+; ([^:\n]+): .*?(\d+) used$/mg;
	$log =~ /Grand total: .*?(\d+) used/;
	return ($1, \%used);
}

# What is its own, in kB: pages of shared memory count as soon as it has looked at them.
sub resident { return (slurp_file("/proc/$worker/status") =~ /^RssAnon:\s+(\d+)/m)[0] }

# What has grown, largest first.
sub growth
{
	my ($before, $after) = @_;
	my %more = map { $_ => $after->{$_} - ($before->{$_} // 0) } keys %$after;

	return join ', ', map { "$_: $more{$_}" } grep { $more{$_} != 0 } sort { $more{$b} <=> $more{$a} } keys %more;
}

round($_) foreach 1 .. WARM_UP;
my ($base, $contexts) = memory_contexts();
my $base_rss = resident();
note("$requests requests: $base bytes in contexts, $base_rss kB resident");
note("$_: $answers{$_}") foreach sort keys %answers;
my ($used, $now, $rss);

foreach my $part (1 .. 4)
{
	round($_) foreach 1 .. ROUNDS / 4;
	($used, $now) = memory_contexts();
	$rss = resident();
	note("$requests requests: $used bytes in contexts, $rss kB resident; " . growth($contexts, $now));
}
cmp_ok($used - $base, '<', GROWTH_ALLOWED, 'memory contexts have not grown') or diag(growth($contexts, $now));
is_bounded($rss - $base_rss, 4 * 1024, 'nor has the process');
is(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), $worker, 'which is the same');
$node->stop;
done_testing();
