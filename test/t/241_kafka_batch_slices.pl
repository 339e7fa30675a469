#!/usr/bin/env perl
# Files under test: src/broker/data/produce_check.c, codec_work.c, produce.c, src/listener/thread_pool.c, src/kafka/producer_batch.c.
# A batch of many records is checked in slices, and one that is large is decompressed and compressed beside the loop: others are
# served in between, the topic may become another one, the client may leave, and the memory that all that takes is bounded.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Compress::Gzip qw(gzip $GzipError);
use KafkaClient;
use KafkaRecords;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { GZIP => 1, MESSAGE_TOO_LARGE => 10, INVALID_RECORD => 87 };

my ($node, $port) = start_kafka_server();

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('document', partitions => 2, value_type => 'jsonb');
	SELECT create_topic('plain', value_type => 'bytea', config => '{"max.message.bytes": 10000000, "compression.type": "producer"}');
	SELECT create_topic('squeezed', value_type => 'bytea', config => '{"max.message.bytes": 10000000, "compression.type": "gzip"}');
	GRANT SELECT, INSERT ON document, plain, squeezed TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');

my $beside = client();

# How checks go: "slices", in many of them; "waits", they go on no more; "packs", codecs do not come to an end; without an argument as they do.
sub checks
{
	my ($how) = @_;
	my $value = $how ? "produce-check:$how" : '';

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$value'");
	$node->reload;
	poll_until(sub { sql('SHOW pg_topics.fault_point') eq $value }) or die 'the setting does not count';
	# the listener has been told: it counts from its next turn on
	$beside->metadata('plain');
	return;
}

# How many connections have a Produce that is not answered.
sub unanswered { return sql(q{SELECT count(*) FROM pg_kafka_connections WHERE state = 'waiting' AND last_api = 'Produce'}) }

# A batch of so many records, one of which may have another value.
sub batch
{
	my ($count, $codec, $value, $odd, $odd_value) = @_;
	my $records = join '', map { record_of(defined $odd && $_ == $odd ? $odd_value : $value, $_) } 0 .. $count - 1;
	my $packed = $records;

	gzip(\$records, \$packed) or die $GzipError if $codec;
	return record_batch($packed, $count, attributes => $codec);
}

# A record with a key.
sub keyed_record
{
	my ($value, $delta) = @_;
	my $body = "\0" . zigzag(0) . zigzag($delta) . zigzag(1) . 'k' . zigzag(length $value) . $value . zigzag(0);

	return zigzag(length $body) . $body;
}

sub sending
{
	my ($topic, $batch, $partition) = @_;
	my $client = client();

	$client->send_bytes(produce_frame($topic, $partition // 0, $batch));
	return $client;
}

sub result { return produced(sending(@_)) }

# ---- in many slices ----------------------------------------------------------------------

checks('slices');
is(result('document', batch(1000, 0, '{"a": 1}')), 0, 'a batch is taken in slices');
is(result('document', batch(1000, GZIP, '{"a": 2}')), 0, 'one that is compressed, too');
foreach my $odd (0, 15, 16, 17, 999)
{
	is(result('document', batch(1000, $odd % 2 ? GZIP : 0, '{"a": 3}', $odd, '{')), INVALID_RECORD, "one with a bad record, $odd, is refused");
}
is(result('plain', batch(10_000, GZIP, 'x')), 0, 'a batch that nobody looks into');
my $damaged = join '', map { record_of('x', $_ < 9000 ? $_ : $_ + 1) } 0 .. 9999;
gzip(\$damaged, \my $packed);
is(result('plain', record_batch($packed, 10_000, attributes => GZIP)), INVALID_RECORD, 'one that is damaged near its end');
is(sql(q{SELECT string_agg(value::text || ' ' || n, ', ' ORDER BY value::text) FROM (SELECT value, count(*) n FROM document GROUP BY value) x}),
	'{"a": 1} 1000, {"a": 2} 1000', 'what was taken is there, and nothing else');
is(sql('SELECT count(*) FROM plain'), 10_000, 'all of it');

# ---- beside others ------------------------------------------------------------------------------

checks('waits');
my @waiting = map { sending('document', batch(1000, $_ % 2 ? GZIP : 0, '{"b": 1}')) } 1 .. 4;
ok(poll_until(sub { unanswered() == 4 }), 'checks take long');
is($beside->metadata('plain')->{topics}{plain}{partitions}, 1, 'another client is served meanwhile');
is(result('document', batch(3, 0, '{"c": 1}')), 0, 'and produces to the same partition');
(pop @waiting)->close foreach 1 .. 2;
ok(poll_until(sub { unanswered() == 2 }), 'clients leave');

# records have no keys
sql(q{SELECT alter_topic('document', config => '{"cleanup.policy": "compact"}')});
checks();
is(join(' ', map { produced($_) } @waiting), join(' ', (INVALID_RECORD) x 2), 'the topic as it is in the end counts');
is(sql(q{SELECT count(*) FROM document WHERE value ? 'b'}), 0, 'nothing of them is there');

# one has none, which is seen before the topic changes
checks('waits');
my $keyless = record_batch(record_of('{"d": 1}', 0) . join('', map { keyed_record('{"d": 1}', $_) } 1 .. 99), 100);
my $waits = sending('document', $keyless);
ok(poll_until(sub { unanswered() == 1 }), 'another one');
sql(q{SELECT alter_topic('document', config => '{"cleanup.policy": "delete"}')});
checks();
is(produced($waits), 0, 'also for what has been checked');

# ---- memory ---------------------------------------------------------------------------------------

checks('waits');
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
sub memory_mb { return slurp_file("/proc/$worker/status") =~ /^RssAnon:\s*(\d+)/m ? $1 >> 10 : die }

# 20 MB of records each
my $large = batch(5000, GZIP, "\0" x 4096);
my $before = memory_mb();
@waiting = map { sending('plain', $large) } 1 .. 12;
ok(poll_until(sub { unanswered() == 12 }), 'batches wait that are large behind their codec');
cmp_ok(memory_mb() - $before, '<', 150, 'few of them in memory');
is(result('plain', batch(10, GZIP, 'y')), 0, 'a small one does not wait for them');
checks();
is(join(' ', map { produced($_) } @waiting), join(' ', (0) x 12), 'all are taken in the end');
is(sql('SELECT count(*) FROM plain'), 70_010, 'all of them');

# ---- beside the loop --------------------------------------------------------------------------------

is(result('document', $large), MESSAGE_TOO_LARGE, 'what is too large behind its codec');
gzip(\("\0" x 20_000_000), \$packed);
is(result('plain', record_batch(substr($packed, 0, -100), 5000, attributes => GZIP)), INVALID_RECORD, 'what is cut off');
checks('packs');
@waiting = map { sending('plain', $large) } 1 .. 6;
# in the topic's codec, of one that was sent in another and of one that was sent without
push @waiting, sending('squeezed', batch(100, 0, join '', map { chr(rand 256) } 1 .. 4096));
ok(poll_until(sub { unanswered() == 7 }), 'codecs take long');
is($beside->metadata('plain')->{topics}{plain}{partitions}, 1, 'another client is served meanwhile');
is(result('plain', batch(10, GZIP, 'z')), 0, 'and produces to the same partition');
(shift @waiting)->close foreach 1 .. 2;
ok(poll_until(sub { unanswered() == 5 }), 'clients leave');
sql(q{SELECT alter_topic('plain', config => '{"cleanup.policy": "compact"}')});
checks();
is(join(' ', map { produced($_) } @waiting), join(' ', (INVALID_RECORD) x 4, 0), 'the topic as it is in the end counts');
is(sql(q{SELECT count(*) || ' ' || sum(length(value)) FROM squeezed}), '100 409600', 'what was compressed anew is there');
is(sql(q{SELECT count(*) FROM verify_topic('squeezed')}), 0, 'and sound');
cmp_ok(-s (glob(topic_directory($node, 'squeezed', 0) . '/*.log'))[0], '<', 200_000, 'in the codec of the topic');
cmp_ok(memory_mb() - $before, '<', 150, 'the memory is given back');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
done_testing();
