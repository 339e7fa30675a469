#!/usr/bin/env perl
# Files under test: src/listener/output_file.c, output.c, src/log/log_file_cache.c, src/wal/log_ranges.c.
# Clients that do not take their answers keep segment files open.  They cannot take all that the process may
# have: others get their records, and the server's own files stay usable.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaRecords;
use KafkaServer qw(start_kafka_server wait_for_listener);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant SEGMENTS => 60;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'max_files_per_process = 70',
	"pg_topics.kafka_queued_max_request_bytes = '80MB'");
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t', value_type => 'bytea', config => '{"segment.bytes": 1700000, "compression.type": "none", "max.message.bytes": 2000000}')});
# random bytes, in one record for each batch
$node->safe_psql('postgres', q{INSERT INTO t (value) SELECT decode(repeat(md5(random()::text), 20000), 'hex')}) foreach 1 .. 5 * SEGMENTS;
is($node->safe_psql('postgres', q{SELECT count(*) > 40 FROM pg_topic_segments WHERE topic = 't'::regclass}), 't', 'there are many segments');
wait_for_listener() or die 'nobody listens';

my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
sub files { return scalar grep { (readlink($_) // '') =~ m{/pg_topics/.*\.log} } glob("/proc/$worker/fd/*") }

sub fetched
{
	my ($offset) = @_;
	my $client = KafkaClient->new($port);

	$client->send_bytes(fetch_frame('t', 0, $offset, max_bytes => 5_000_000));
	my $answer = $client->read_response;
	$client->close;
	$answer->int32;
	$answer->int32;
	$answer->string;
	$answer->int32;
	$answer->int32;
	my $error = $answer->int16;
	$answer->take(16);
	$answer->int32;
	my $size = $answer->int32;
	return "error $error" if $error;
	# the first batch is the one that was asked for, and whole
	return "no records" if $size < 300_000;
	my $records = $answer->take($size);
	my ($base, $length) = unpack('q>l>', $records);
	my $covered = substr($records, 21, $length - 9);
	return "offset $base" if $base != $offset;
	return TopicTest::crc32c($covered) == unpack('x17N', $records) ? 'records' : 'damage';
}

my $seen = '';
for (1 .. 300)
{
	last if ($seen = fetched(1)) eq 'records';
	usleep(20_000);
}
is($seen, 'records', 'there are records');

# ask for all from different segments on, and read nothing
my @slow;
foreach my $n (0 .. 39)
{
	my $client = KafkaClient->new($port);

	setsockopt($client->socket, SOL_SOCKET, SO_RCVBUF, 65536);
	$client->send_bytes(fetch_frame('t', 0, 5 * $n + 1) x 40);
	push @slow, $client;
}
ok(poll_until(sub { files() > 10 }), 'they keep files open');

my $start = time;
is(join(' ', map { fetched(5 * $_ + 2) } 40 .. SEGMENTS - 1), join(' ', ('records') x (SEGMENTS - 40)), 'others get records of other segments');
# not only when the slow ones are closed
cmp_ok(time - $start, '<', 40, 'without waiting for the memory that copies for the slow ones take');
cmp_ok(files(), '<', 40, 'the files that they keep are not too many');
is($node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE backend_type = $$pg_topics kafka$$'), $worker, 'the process is the same');
unlike(slurp_file($node->logfile), qr/ERROR|Too many open files/, 'nothing has failed');

# those that were slow get what they were promised
is(join(' ', map { $slow[$_]->fill(400_000) } 0, 20, 39), '1 1 1', 'slow ones get theirs');
$_->close foreach @slow;
$node->stop;
done_testing();
