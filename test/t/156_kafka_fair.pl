#!/usr/bin/env perl
# Files under test: src/listener/connection.c, src/broker/data/produce.c, turn_batch.c.
# Producers that send to one partition as fast as they are answered share it: none is crowded out by those with
# more requests under way, with larger ones, or where memory for frames is short.  One process
# keeps all connections busy, so that how often each is answered is the server's choice alone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Select;
use KafkaClient;
use KafkaRecords;
use KafkaServer qw(start_kafka_server wait_for_listener);
use List::Util qw(min sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'");
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t', value_type => 'bytea', config => '{"max.message.bytes": 2000000}')});
wait_for_listener() or die 'nobody listens';

# The request whose record has so many bytes.
my %frames;

sub frame_of
{
	my ($bytes) = @_;

	return $frames{$bytes} //= produce_frame('t', 0, record_batch(record_of('x' x $bytes, 0), 1));
}

# A producer whose requests have so many bytes, with so many of them under way.
sub producer
{
	my ($bytes, $pipelined) = @_;
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	$client->metadata('t');
	$client->socket->blocking(0);
	return { client => $client, frame => frame_of($bytes),
		pipelined => $pipelined, unsent => '', under_way => 0, answered => 0 };
}

# Send what the socket takes.
sub send_on
{
	my ($producer) = @_;
	my $socket = $producer->{client}->socket;

	for (;;)
	{
		if ($producer->{unsent} eq '')
		{
			return if $producer->{under_way} >= $producer->{pipelined};
			$producer->{unsent} = $producer->{frame};
			$producer->{under_way}++;
		}
		my $count = syswrite($socket, $producer->{unsent}) // return;
		substr($producer->{unsent}, 0, $count) = '';
	}
}

# Take the answers that are there.
sub take_answers
{
	my ($producer) = @_;
	my $client = $producer->{client};

	sysread($client->socket, $client->{input}, 65536, length $client->{input}) or die "the connection is closed\n";
	while (length $client->{input} >= 4 && length $client->{input} >= 4 + unpack('l>', $client->{input}))
	{
		produced($client) == 0 or die "a request failed\n";
		$producer->{under_way}--;
		$producer->{answered}++;
	}
}

# Keep all of them busy until there are so many answers in all; how many each one has.
sub compete
{
	my ($answers, @producers) = @_;
	my %of = map { fileno($_->{client}->socket) => $_ } @producers;
	my @sockets = map { $_->{client}->socket } @producers;

	while (sum(map { $_->{answered} } @producers) < $answers)
	{
		send_on($_) foreach @producers;
		my @writing = map { $_->{client}->socket } grep { $_->{unsent} ne '' } @producers;
		my ($readable) = IO::Select->select(IO::Select->new(@sockets), IO::Select->new(@writing), undef, $PostgreSQL::Test::Utils::timeout_default)
		  or die "the server does not answer\n";
		take_answers($of{ fileno $_ }) foreach @$readable;
	}
	$_->{client}->close foreach @producers;
	return map { $_->{answered} } @producers;
}

# For each request that it has under way nobody has less than a part of the answers that others have on average.
sub shares
{
	my ($name, $answers, $part, @kinds) = @_;
	my @producers = map { my ($count, $bytes, $pipelined) = @$_; map { producer($bytes, $pipelined) } 1 .. $count } @kinds;
	my @counts = compete($answers, @producers);
	my @shares = map { $counts[$_] / $producers[$_]{pipelined} } 0 .. $#counts;

	note("$name: @counts");
	cmp_ok(min(@shares), '>=', sum(@shares) / @shares * $part, "$name: nobody is crowded out");
}

# so many producers, with so many bytes a request, and so many requests under way
shares('equal ones', 4000, 0.5, [ 8, 5000, 5 ]);
shares('few and many requests under way', 4000, 0.5, [ 4, 5000, 1 ], [ 4, 5000, 40 ]);
# one process sends for all of them, and where it is slow the large ones' bytes come late
shares('small and large ones', 400, 0.3, [ 4, 100, 5 ], [ 4, 700_000, 5 ]);

# so little that one frame is more than there may be
$node->append_conf('postgresql.conf', 'pg_topics.kafka_queued_max_request_bytes = 1MB');
$node->reload;
shares('little memory', 600, 0.3, [ 3, 600_000, 1 ], [ 3, 600_000, 5 ]);
shares('little memory, small and large', 600, 0.3, [ 3, 600_000, 5 ], [ 3, 100, 1 ]);
shares('little memory, many producers', 1000, 0.5, [ 20, 600_000, 1 ]);
shares('little memory, huge and small', 600, 0.3, [ 2, 1_900_000, 1 ], [ 20, 20_000, 1 ]);

is($node->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('t')}), 0, 'the log is sound');
$node->stop;
done_testing();
