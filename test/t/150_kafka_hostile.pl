#!/usr/bin/env perl
# Files under test: src/listener, src/broker, src/kafka.
# Whatever a Kafka client sends, the server stays up, the worker's memory stays bounded, and other
# connections are served.  101_kafka_connections has connections themselves; here is
# what is in the frames.
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
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'");
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t', value_type => 'bytea')});

# ---- what must hold after each attack ----------------------------------------

my ($neighbour, $worker);

sub connected { return KafkaClient->new($port) // die "could not connect: $!\n" }
sub listener { return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }

wait_for_listener() or die 'nobody listens';
$neighbour = connected();
my $served = $neighbour->api_versions;
ok($served, 'the listener answers');
$worker = listener();

# What the kernel says of the worker's memory, in MB.
sub memory
{
	my ($field) = @_;

	return (slurp_file("/proc/$worker/status") =~ /^$field:\s+(\d+)/m)[0] / 1024;
}

my $memory_before = memory('RssAnon');

# The peak counts anew from here.
sub forget_peak
{
	open(my $file, '>', "/proc/$worker/clear_refs") or die $!;
	print $file "5\n";
	return close($file);
}

# Run an attack.  It must leave the worker the same, the peak of its memory within so
# many MB more, and connections served, both one that was there and a new one.
sub attack
{
	my ($name, $megabytes, $code) = @_;
	my $began = time;
	my $base = memory('VmRSS');

	forget_peak();
	$code->();
	ok(eval { $neighbour->api_versions }, "$name: a connection beside it is served");
	ok(eval { connected()->api_versions }, "$name: a new connection is served");
	is(listener(), $worker, "$name: the worker is the same") or BAIL_OUT('the worker has ended');
	my $more = memory('VmHWM') - $base;
	is_bounded($more, $megabytes, "$name: the worker's memory is bounded");
	note(sprintf('%s: %.1f s, %.0f MB more at its peak', $name, time - $began, $more));
	return;
}

# Such bytes end their connection.
sub is_refused
{
	my ($bytes, $name) = @_;
	my $client = connected();

	$client->send_bytes($bytes);
	return ok($client->is_closed, "$name closes the connection");
}

# Close it as a machine does that has forgotten it.
sub reset_connection
{
	my ($client) = @_;

	setsockopt($client->socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	return $client->close;
}

# ---- frames --------------------------------------------------------------------

attack('lengths', 20, sub {
	is_refused(pack('N', $_), sprintf('lengths: a frame of 0x%x bytes', $_)) foreach 0x7fffffff, 0x80000000, 0xffffffff, 0x40000000;
	is_refused(pack('N', $_) . "\0" x $_, "lengths: a frame of $_ bytes") foreach 0, 1, 7;
	is_refused(pack('Nnn', 10, 18, 0) . pack('Nn', 1, 0x7fff), 'lengths: a name that is longer than its frame');
	is_refused(KafkaClient::frame(KafkaClient::METADATA, 1, 1, pack('N', 0x7fffffff)), 'lengths: a count that its frame cannot hold');
	is_refused("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 'lengths: HTTP');
});

attack('frames without an end', 300, sub {
	my @clients = map { connected() } 1 .. 40;

	foreach my $client (@clients)
	{
		$client->send_some(pack('N', 50_000_000) . KafkaClient::int16(0) . KafkaClient::int16(7) . KafkaClient::int32(1));
	}
	foreach my $round (1 .. 20)
	{
		$_->send_some("\0" x 1_000_000) foreach @clients;
		usleep(10_000);
	}
	$_->close foreach @clients;
});

attack('numbers', 20, sub {
	is_refused(KafkaClient::frame($_, 0, 1, ''), "numbers: API $_") foreach -1, -32768, 93, 500, 32767;
	is_refused(KafkaClient::frame(KafkaClient::METADATA, $_, 1, ''), "numbers: Metadata in version $_") foreach 99, -1, 32767;
	foreach my $version (99, -1)
	{
		my $client = connected();

		$client->send_request(KafkaClient::API_VERSIONS, $version, '', $version > 2);
		is($client->read_response->int16, 35, "numbers: ApiVersions in version $version is not supported");
	}
});

# ---- connections that end in the midst of something ---------------------------------

SKIP:
{
	skip 'Fetch is not served', 1 unless $served->{1};

	attack('waiting', 30, sub {
		foreach my $n (1 .. 100)
		{
			my $client = connected();

			$client->send_bytes(fetch_frame('t', 0, 0, max_wait => 600_000));
			$client->shut if $n % 3 == 0;
			reset_connection($client) if $n % 3 == 1;
		}
	});

	attack('readers that do not read', 150, sub {
		$node->safe_psql('postgres', q{INSERT INTO t (value) SELECT decode(repeat(md5(i::text), 4000), 'hex') FROM generate_series(1, 200) AS i});
		my @clients = map { connected() } 1 .. 20;

		foreach my $round (1 .. 20)
		{
			$_->send_some(fetch_frame('t', 0, 0) x 20) foreach @clients;
			usleep(10_000);
		}
		cmp_ok(length($clients[0]->read_frame), '>', 12_000_000, 'readers that do not read: one that does at last gets a whole answer');
	});
}

# ---- batches -----------------------------------------------------------------------

sub log_end { return $node->safe_psql('postgres', q{SELECT log_end_offset FROM pg_topic_partitions WHERE topic = 't'::regclass}) }

# The error code for such records, or "closed".
my $producer;
sub append
{
	my ($records) = @_;

	$producer //= connected();
	$producer->send_bytes(produce_frame('t', 0, $records));
	my $error = produced($producer);

	$producer = undef unless defined $error;
	return $error // 'closed';
}

# so many MB of zeros in one record
sub bomb
{
	my ($megabytes) = @_;
	my $length = $megabytes << 20;
	my $head = "\0" . zigzag(0) . zigzag(0) . zigzag(-1) . zigzag($length);
	my ($piece, $compressed) = ("\0" x (1 << 20), '');
	my $gzip = IO::Compress::Gzip->new(\$compressed, Level => 9) or die $GzipError;

	$gzip->print(zigzag(length($head) + $length + 1) . $head);
	$gzip->print($piece) foreach 1 .. $megabytes;
	$gzip->print("\0");
	$gzip->close;
	return record_batch($compressed, 1, attributes => 1);
}

SKIP:
{
	skip 'Produce is not served', 1 unless $served->{0};
	my $end = log_end();

	is(append(record_batch(record_of('good'), 1)), 0, 'a batch is taken');
	is(log_end(), ++$end, 'and is in the log');

	attack('batches', 20, sub {
		my $batch = record_batch(record_of('x' x 20) . record_of('y', 1), 2);

		is(join(' ', grep { append(substr($batch, 0, $_)) eq '0' } 0 .. length($batch) - 1), '', 'no piece of a batch is taken');
		# the base offset and the leader's epoch are not the producer's to say; the rest is covered by the checksum
		my @changed = grep {
			my $bad = $batch;

			vec($bad, $_, 1) ^= 1;
			append($bad) eq '0' } map { $_ * 8 + int(rand(8)) } 8 .. 11, 16 .. length($batch) - 1;

		is("@changed", '', 'nor one with a bit that is wrong');
		isnt(append("$batch$batch"), 0, 'nor two');
		is(log_end(), $end, 'and nothing was appended');
	});

	attack('codecs', 300, sub {
		my $bomb = bomb(900);

		note(sprintf 'a bomb of %d bytes', length $bomb);
		isnt(append($bomb), 0, 'a batch that is 900 MB behind its codec is refused');
		isnt(append(record_batch($_->[1], 1, attributes => $_->[0])), 0, "codec $_->[0] with other bytes is refused")
		  foreach [ 1, "\x1f\x8b\x08\0" . "\0" x 20 ], [ 2, "\x82SNAPPY\0" . pack('NNN', 1, 1, 0x7fffffff) ], [ 2, "\xff\xff\xff\xff\x0f" . 'x' x 50 ],
		  [ 3, "\x04\x22\x4d\x18\x60\x40\x82" . pack('V', 0x7fffffff) ], [ 4, "\x28\xb5\x2f\xfd\xe0" . "\xff" x 30 ],
		  map({ [ $_, '' ], [ $_, 'x' ], [ $_, "\0" x 100 ] } 1 .. 7);
		is(log_end(), $end, 'and nothing was appended');
	});

	attack('records', 20, sub {
		isnt(append(record_batch($_, 1)), 0, 'records that do not fit their lengths are refused')
		  foreach zigzag(1 << 30), zigzag(-5), record_of('x') x 3, zigzag(7) . "\0" . zigzag(0) x 2 . zigzag(-1) . zigzag(1 << 40), '', record_of('x') . 'y';
		isnt(append(record_batch(record_of('x'), 1, count => $_)), 0, "a count of $_ is refused") foreach 2, 0, -1, 0x7fffffff;
		is(log_end(), $end, 'and nothing was appended');
	});
}

# ---- any API with any bytes ----------------------------------------------------------

# Send it on a connection of its own; whether the server answers, or has closed it.  One
# that is parked does neither.
sub throw
{
	my ($bytes) = @_;
	my $client = connected();

	$client->send_bytes($bytes);
	my $end = time + 0.05;
	usleep(500) until $client->is_readable || time > $end;
	my $answered = $client->is_readable && $client->fill(8);

	$client->close;
	return $answered ? 1 : 0;
}

attack('random bodies', 60, sub {
	my $answered = 0;

	foreach my $round (1 .. $ENV{TOPIC_TEST_ROUNDS} // 10)
	{
		foreach my $key (0 .. 92)
		{
			my $body = join '', map { chr(rand(4) < 3 ? int(rand(4)) : int(rand(256))) } 1 .. rand(60);

			$answered += throw(KafkaClient::frame($key, int(rand(8)), 1, $body, rand(2) < 1));
		}
	}
	note("$answered answered");
});

# Requests as Kafka's own classes write them: each field filled, null, or empty.
attack('strange values', 60, sub {
	my ($sent, $answered) = (0, 0);
	# Debian's own Python has the library
	my ($lines) = run_command([ '/usr/bin/python3', '-c',
		'import sys, zstandard; zstandard.ZstdDecompressor().copy_stream(open(sys.argv[1], "rb"), sys.stdout.buffer)',
		"$FindBin::RealBin/../kafka/vectors.zst" ]);

	foreach my $line (split /\n/, $lines)
	{
		my ($kind, $way, $key, $version, undef, $bytes) = split /\t/, $line;

		next unless $kind eq 'message' && $way eq 'request' && $served->{$key};
		# the first version whose header has tags, where the API has one: try both
		foreach my $flexible (0, 1)
		{
			$sent++;
			$answered += throw(KafkaClient::frame($key, $version, 1, pack('H*', $bytes), $flexible));
		}
	}
	cmp_ok($answered, '>', 50, "some of $sent requests with strange values are answered");
});

# ---- afterwards ----------------------------------------------------------------------

if ($served->{0})
{
	is(append(record_batch(record_of('good'), 1)), 0, 'a batch is taken after all of it');
	is($node->safe_psql('postgres', q{SELECT convert_from(value, 'UTF8') FROM t ORDER BY record_offset DESC LIMIT 1}), 'good', 'and SQL reads it');
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('t')}), 0, 'the log is sound');
$producer->close if $producer;
is_bounded(memory('RssAnon') - $memory_before, 30, 'the worker has given its memory back');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
