#!/usr/bin/env perl
# Files under test: src/broker/data/fetch.c, src/broker/core/broker_wait.c, src/broker/dispatch.c.
# A Fetch of many partitions takes more than a slice of a turn.  What becomes durable meanwhile, or just then, is
# given at once, and not when something else wakes the process.  So it is to a client that does not wait.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaRecords;
use KafkaServer qw(start_kafka_server wait_for_listener);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant PARTITIONS => 30_000;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'pg_topics.max_partitions = 40000', 'bgwriter_delay = 10s', 'autovacuum = off');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics; SELECT create_topic($$wide$$, partitions => ' . PARTITIONS . '); SELECT create_topic($$t$$)');
wait_for_listener() or die 'nobody listens';

sub client
{
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	$client->metadata('t');
	return $client;
}

my $session = open_session($node);
$session->run('SET synchronous_commit = off');
sub insert { $session->run("INSERT INTO $_[0] (key, value) VALUES ('k', 'x')"); return }

# Of a topic's partition: the client has all that is before this offset.
my %offsets;
sub wide_frame
{
	return KafkaClient::frame(1, 4, 1, pack('l>4', -1, 20_000, 1, 1 << 20) . "\0" . KafkaClient::int32(1) . KafkaClient::string('wide')
		. KafkaClient::int32(PARTITIONS) . join('', map { pack('l>q>l>', $_, $offsets{$_} // 0, 1 << 20) } 0 .. PARTITIONS - 1));
}

# The partitions that have records, of an answer to it.
sub filled
{
	my ($answer) = @_;
	my @filled;

	$answer->int32;
	$answer->int32;
	$answer->string;
	for (1 .. $answer->int32)
	{
		my ($partition, $error) = ($answer->int32, $answer->int16);

		die "error $error" if $error;
		$answer->take(8 + 8);
		$answer->int32;
		my $size = $answer->int32;
		$answer->take($size);
		push @filled, $partition if $size > 0;
	}
	return @filled;
}

# nobody but the listener's processes is to flush an asynchronous commit
my $walwriter = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
halt_asleep($node, $walwriter);
END { go_on($walwriter) if $walwriter }

# ---- a client that waits -----------------------------------------------------------

my $client = client();
my $longest = 0;
my $got = 0;
foreach my $round (1 .. 15)
{
	$client->send_bytes(wide_frame());
	# it waits
	usleep(200_000);
	my $start = time;
	insert('wide');
	my @filled = filled($client->read_response);
	my $took = time - $start;
	$longest = $took if $took > $longest;
	note(sprintf 'round %d: %.0f ms', $round, 1000 * $took);
	$got += @filled;
	$offsets{$_}++ foreach @filled;
}
is($got, 15, 'each record comes');
# what else wakes the process comes after ten seconds or more
cmp_ok($longest, '<', 5, 'soon after it was committed');

# ---- a client that does not wait --------------------------------------------------------

# The process that serves clients begins anew, and does not know what its predecessor has shown; behind what was
# committed there is WAL of a transaction that has not ended, which nobody else flushes.
$session->run("SET synchronous_commit = on; INSERT INTO t (value) VALUES ('x')");
$session->run("BEGIN; INSERT INTO wide (value) VALUES ('x')");
my $worker = sub { $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) };
my $before = $worker->();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($before)");
poll_until(sub { my $pid = $worker->(); $pid && $pid != $before && KafkaClient->new($port) }) or die 'nobody listens';
$client = client();
my $seen = 0;
my $end = time + $PostgreSQL::Test::Utils::timeout_default;
for (; !$seen && time < $end; usleep(10_000))
{
	$client->send_bytes(fetch_frame('t', 0, 0));
	my $answer = $client->read_response;
	$seen = $answer->left > 60;
}
ok($seen, 'a client that asks without waiting gets records');

go_on($walwriter);
$session->close;
$node->stop;
done_testing();
