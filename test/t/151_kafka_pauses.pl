#!/usr/bin/env perl
# Files under test: src/broker/core/broker.c, src/broker/topics/metadata.c, describe_topics.c, src/broker/data/list_offsets.c,
# leader_epoch.c, fetch.c, fetch_session.c, produce.c, produce_check.c, src/kafka/producer_batch.c.
# One process serves all clients, so what a single request costs all of them wait for.  Requests that
# cost much, of many elements or with batches that are large behind their codec, are served in
# slices or refused: a client beside them is served meanwhile.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Compress::Gzip qw($GzipError);
use KafkaClient;
use KafkaRecords;
use KafkaServer qw(start_kafka_server wait_for_listener);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

# A pause that is longer fails, in seconds.
my $longest_allowed = $ENV{TOPIC_TEST_PAUSE} // 0.3;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'");
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('wide', partitions => 60, value_type => 'bytea');
	SELECT create_topic('document', value_type => 'jsonb', config => '{"max.message.bytes": 10000000}');
	SELECT create_topic('other');
	INSERT INTO wide (value) SELECT '\x00' FROM generate_series(1, 1000)});

# A client that has entered: others may not send large requests.
sub connected
{
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	$client->metadata('other');
	return $client;
}

wait_for_listener() or die 'nobody listens';

# ---- the client beside them ---------------------------------------------------

# How much time the listener has had of a processor, in seconds.  Pauses are measured by that, as
# other work on the machine makes longer ones.
my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});

sub worked { return (split ' ', slurp_file("/proc/$worker/schedstat"))[0] / 1e9 }

# Ask for something small again and again until the pipe is closed; the most that the listener did before it answered.
sub measure
{
	my ($until) = @_;
	my $client = connected();
	my $longest = 0;

	do
	{
		my $before = worked();

		$client->metadata('other');
		my $pause = worked() - $before;
		$longest = $pause if $pause > $longest;
	} while (!IO::Select->new($until)->can_read(0.001));
	return $longest;
}

# While the code runs nobody beside it waits for long.
sub attack
{
	my ($name, $code) = @_;
	my $began = worked();

	pipe(my $until, my $end) or die $!;
	pipe(my $result, my $tell) or die $!;
	my $child = fork() // die $!;
	if ($child == 0)
	{
		close $end;
		syswrite($tell, eval { measure($until) } // "failed: $@");
		require POSIX;
		POSIX::_exit(0);
	}
	close $tell;
	usleep(20_000);
	$code->();
	close $end;
	my $longest = <$result>;
	waitpid($child, 0);
	like($longest, qr/^[\d.e-]+$/, "$name: somebody beside it is answered") and
	cmp_ok($longest, '<', $longest_allowed, "$name: nobody waits for long");
	note(sprintf('%s: %.2f s, longest pause %.0f ms', $name, worked() - $began, 1000 * $longest));
	return;
}

# Ask and wait for the answer, or for the end of the connection; the answer's length, or 0.
sub ask
{
	my ($key, $version, $body, $flexible) = @_;
	my $client = connected();

	$client->send_bytes(KafkaClient::frame($key, $version, 1, $body, $flexible));
	my $answer = $client->read_frame;
	$client->close;
	return length($answer // '');
}

# ---- elements -------------------------------------------------------------------

# An array of so many elements, which the code makes from their numbers.
sub many { my ($count, $code) = @_; return join('', KafkaClient::int32($count), map { $code->($_) } 1 .. $count) }

# As many as a request may have: of names or partitions, and of topics with a partition each.
my $count = 45_000;
my $topics = 25_000;

attack('Metadata of many names', sub {
	ok(ask(KafkaClient::METADATA, 1, many($count, sub { KafkaClient::string("name.$_[0]") })), 'it is answered');
});

attack('Metadata of one name many times', sub {
	cmp_ok(ask(KafkaClient::METADATA, 1, many($count, sub { KafkaClient::string('wide') })), '<', 5000, 'a topic is told once');
});

attack('DescribeTopicPartitions of many names', sub {
	ok(ask(KafkaClient::DESCRIBE_TOPIC_PARTITIONS, 0, KafkaClient::compact_count($count)
		. join('', map { KafkaClient::compact_string("name.$_") . "\0" } 1 .. $count) . KafkaClient::int32(2000) . "\xff\0", 1), 'it is answered');
});

attack('ListOffsets of many partitions', sub {
	ok(ask(2, 1, KafkaClient::int32(-1) . KafkaClient::int32(1) . KafkaClient::string('wide') . many($count, sub { pack('l>q>', $_[0], 0) })), 'it is answered');
});

attack('ListOffsets of one partition many times', sub {
	ok(ask(2, 1, KafkaClient::int32(-1) . KafkaClient::int32(1) . KafkaClient::string('wide') . many($count, sub { pack('l>q>', 0, 0) })), 'it is answered');
});

attack('ListOffsets of many topics', sub {
	ok(ask(2, 1, KafkaClient::int32(-1) . many($topics, sub { KafkaClient::string("name.$_[0]") . pack('l>', 0) })), 'it is answered');
});

attack('OffsetForLeaderEpoch of one partition many times', sub {
	ok(ask(23, 2, KafkaClient::int32(1) . KafkaClient::string('wide') . many($count, sub { pack('l>3', 0, -1, 1) })), 'it is answered');
});

attack('Fetch of one partition many times', sub {
	ok(ask(1, 4, pack('l>4', -1, 0, 1, 1 << 20) . "\0" . KafkaClient::int32(1) . KafkaClient::string('wide')
		. many($count, sub { pack('l>q>l>', $_[0] % 60, 1000, 100) })), 'it is answered');
});

attack('Fetch that waits for one partition many times', sub {
	my $waits = connected();

	$waits->send_bytes(KafkaClient::frame(1, 4, 1, pack('l>4', -1, 60000, 1, 1 << 20) . "\0" . KafkaClient::int32(1) . KafkaClient::string('document')
		. many($count, sub { pack('l>q>l>', 0, 0, 100) })));
	usleep(500_000);
	foreach (1 .. 20)
	{
		$node->safe_psql('postgres', 'CREATE TEMPORARY TABLE x (); DROP TABLE x');
	}
	$waits->close;
	usleep(100_000);
});

attack('Fetch of many topics', sub {
	ok(ask(1, 4, pack('l>4', -1, 0, 1, 1 << 20) . "\0" . many($topics, sub { KafkaClient::string("name.$_[0]") . pack('l>l>q>l>', 1, 0, 0, 100) })), 'it is answered');
});

attack('Fetch sessions of many topics', sub {
	ok(ask(1, 7, pack('l>4', -1, 0, 1, 1 << 20) . "\0" . pack('l>2', 0, 0)
		. many($topics, sub { KafkaClient::string("name.$_[0]") . pack('l>l>q>q>l>', 1, 0, 0, -1, 100) }) . KafkaClient::int32(0)), 'it is answered');
});

attack('Produce to many partitions', sub {
	my $head = KafkaClient::string(undef) . KafkaClient::int16(-1) . pack('l>2', 30000, 1);

	ok(ask(0, 7, $head . KafkaClient::string('wide') . many($count, sub { pack('l>l>', $_[0], -1) })), 'it is answered');
	ask(0, 7, $head . KafkaClient::string('wide') . many($count, sub { pack('l>l>', $_[0] % 60, 1) . 'x' }));
});

attack('Produce to many topics', sub {
	ok(ask(0, 7, KafkaClient::string(undef) . KafkaClient::int16(-1) . KafkaClient::int32(30000)
		. many($topics, sub { KafkaClient::string("name.$_[0]") . pack('l>l>l>', 1, 0, -1) })), 'it is answered');
});

# A request that has more than that is refused when it has come.
attack('More items than a server can have', sub {
	is(ask(KafkaClient::METADATA, 1, many(250_000, sub { KafkaClient::string('x') })), 0, 'the connection is closed');
});
like(slurp_file($node->logfile), qr/closing the Kafka connection of [\d.:]+: a request has more items than there is memory for/, 'and the log tells why');

# ---- batches ----------------------------------------------------------------------

# These bytes so many times, as gzip has them.
sub compressed
{
	my ($times, $record) = @_;
	my $result = '';
	my $gzip = IO::Compress::Gzip->new(\$result, Level => 6) or die $GzipError;
	my $piece = $record x 100_000;

	for (my $left = $times; $left > 0; $left -= 100_000)
	{
		$gzip->print($left >= 100_000 ? $piece : $record x $left);
	}
	$gzip->close;
	return $result;
}

# A batch of so many of the smallest records, with this value.
sub dense_batch
{
	my ($times, $value) = @_;
	# offset deltas must be 0, 1, 2 ...: of varying length
	my $records = '';
	my $gzip = IO::Compress::Gzip->new(\$records, Level => 1) or die $GzipError;
	my $piece = '';

	foreach my $delta (0 .. $times - 1)
	{
		$piece .= record_of($value, $delta);
		next if length $piece < 1 << 20;
		$gzip->print($piece);
		$piece = '';
	}
	$gzip->print($piece);
	$gzip->close;
	return record_batch($records, $times, attributes => 1);
}

# The error codes for batches that go to these partitions of a topic, in one request.
sub produce
{
	my ($topic, $timeout, %records) = @_;
	my $client = connected();
	my @partitions = sort { $a <=> $b } keys %records;

	$client->send_bytes(KafkaClient::frame(0, 7, 1, KafkaClient::string(undef) . KafkaClient::int16(-1) . pack('l>2', $timeout, 1)
		. KafkaClient::string($topic) . KafkaClient::int32(scalar @partitions)
		. join('', map { pack('l>2', $_, length $records{$_}) . $records{$_} } @partitions)));
	my $answer = $client->read_response // return 'closed';
	$answer->int32;
	$answer->string;
	my %errors;
	for (1 .. $answer->int32)
	{
		$answer->int32;
		$errors{$answer->int16} = 1;
		$answer->take(8 * 3);
	}
	return join ' ', sort keys %errors;
}

my $bomb = record_batch(compressed(250 << 20, "\0"), 1, attributes => 1);

attack('a bomb for each partition', sub {
	is(produce('wide', 30000, map { $_ => $bomb } 0 .. 59), 10, 'batches that are large behind their codec are refused');
});

attack('batches of many records', sub {
	is(produce('document', 30000, 0 => dense_batch(500_001, '1')), 10, 'a batch of too many records is refused');
	is(produce('document', 30000, 0 => dense_batch(400_000, '1')), 0, 'a batch of many records is taken');
});


is($node->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('wide')}), 0, 'the log is sound');
is($node->safe_psql('postgres', q{SELECT count(*) FROM document}), 400_000, 'what was taken is there');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
