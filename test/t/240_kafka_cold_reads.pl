#!/usr/bin/env perl
# Files under test: src/listener/read_ahead.c, output_file.c, output.c, connection.c, connection_limits.c.
# Records that are not in the kernel's cache are read beside the listener's loop: other clients are served meanwhile,
# and the connection may end, and the segment be deleted, before the disk has answered.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaLogin;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server();
my $has_tls = check_pg_config('#define USE_OPENSSL 1');
my $dir = PostgreSQL::Test::Utils::tempdir();

if ($has_tls)
{
	system_or_bail('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '10',
		'-subj', '/CN=server', '-keyout', "$dir/server.key", '-out', "$dir/server.crt");
	chmod(0600, "$dir/server.key");
	$node->append_conf('postgresql.conf', "ssl = on\nssl_cert_file = '$dir/server.crt'\nssl_key_file = '$dir/server.key'");
	$node->restart;
}
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('t', value_type => 'bytea', config => '{"segment.bytes": 1700000, "compression.type": "none"}');
	GRANT SELECT ON t TO app});
# random bytes, in one record for each batch
sql(q{INSERT INTO t (value) SELECT decode(repeat(md5(random()::text), 6000), 'hex')}) foreach 1 .. 60;

my $consumer;
ok(poll_until(sub { $consumer = KafkaConsumer->new($port) }), 'the listener has started') or BAIL_OUT('no listener');
ok(poll_until(sub { $consumer->list_offsets('t', { 0 => -1 })->{0} =~ /^0 60 / }), 'the records are there');

my @segments = sort glob(topic_directory($node, 't', 0) . '/*.log');
my $bytes = join '', map { slurp_file($_) } @segments;
cmp_ok(scalar @segments, '>', 2, 'in several segments');

# What the disk does: "cold", nothing is cached; "slow", what is read does not come; "away", both; without an argument
# what it does.
sub disk
{
	my ($what) = @_;
	my $value = $what ? "disk:$what" : '';

	$node->safe_psql('postgres', "ALTER SYSTEM SET pg_topics.fault_point = '$value'");
	$node->reload;
	poll_until(sub { $node->safe_psql('postgres', 'SHOW pg_topics.fault_point') eq $value }) or die 'the setting does not count';
	# the listener has been told: it counts from its next turn on
	$consumer->metadata('t');
	return;
}

# How many connections wait for the disk.
sub reading { return $node->safe_psql('postgres', q{SELECT count(*) FROM pg_kafka_connections WHERE state = 'reading'}) }

my %all = (topics => { t => { 0 => { offset => 0, max_bytes => 50_000_000 } } }, max_bytes => 50_000_000);

sub fetched
{
	my ($client) = @_;
	my $answer = $client->fetched // return '';

	return $answer->{t}{0}{records};
}

sub asking
{
	my $client = shift // KafkaConsumer->new($port);

	$client->send_fetch(%all);
	return $client;
}

# ---- what is in the cache -----------------------------------------------------------

# a kernel that is short of memory, or saves it, takes pages out of its cache at any time: then they are read once more
disk('slow');
ok(poll_until(sub {
	local $PostgreSQL::Test::Utils::timeout_default = 5;
	slurp_file($_) foreach @segments;
	return eval { fetched(asking()) eq $bytes };
}), 'what is in the cache needs no disk');

# ---- a disk that takes its time -------------------------------------------------------

disk('away');
my @waiting = map { asking() } 1 .. 6;
ok(poll_until(sub { reading() == 6 }), 'clients wait for the disk');
is($consumer->metadata('t')->{topics}{t}{partitions}, 1, 'another one is served meanwhile');

(pop @waiting)->close;
ok(poll_until(sub { reading() == 5 }), 'one that has gone is not waited for');

# a frame that is half sent tells when the time is over that a client has to take its answer
$node->append_conf('postgresql.conf', 'pg_topics.kafka_client_timeout = 500ms');
$node->reload;
my $half = KafkaClient->new($port);
$half->send_bytes(KafkaClient::int32(100));
ok($half->is_closed, 'a client that is slow is closed');
is(reading(), 5, 'those that wait for the disk are not to blame');
$node->append_conf('postgresql.conf', 'pg_topics.kafka_client_timeout = 60s');
$node->reload;

# the first segments go, while parts of them are being read
sql(q{SELECT delete_records('t', 0, 40)});
ok(poll_until(sub { sql('SELECT count(*) FROM apply_retention()'); !-e $segments[0] }), 'a segment is deleted meanwhile');
disk();
is((grep { fetched($_) eq $bytes } @waiting), 5, 'all get all of it when the disk is back');
is(reading(), 0, 'nobody waits any more');

# ---- a disk that has everything ---------------------------------------------------------

# what is left
my $left = join '', map { slurp_file($_) } sort glob(topic_directory($node, 't', 0) . '/*.log');
my $first = $consumer->list_offsets('t', { 0 => -2 })->{0} =~ /^0 (\d+)/ ? $1 : die;
$all{topics}{t}{0}{offset} = $first;
disk('cold');
my $got = fetched(asking());
ok(length $got > 1_500_000 && $got eq substr($left, -length $got), 'everything is read from the disk');
is(join(' ', map { fetched(asking()) eq $got } 1 .. 5), '1 1 1 1 1', 'again and again');

SKIP:
{
	skip 'the server was built without OpenSSL', 2 if !$has_tls;
	my $secret = KafkaConsumer->of_socket(dial_tls($port)->socket);

	ok(fetched(asking($secret)) eq $got, 'with TLS');
	disk('away');
	asking($secret);
	ok(poll_until(sub { reading() == 1 }), 'which waits, too');
	disk();
	ok(fetched($secret) eq $got, 'and goes on');
}

# ---- the kernel's cache -----------------------------------------------------------------------

# How much of the files is in the cache; undef where no program tells.
sub cached
{
	my $told = `fincore -b -n -o RES @_ 2>/dev/null`;

	return $? == 0 ? eval join('+', 0, split ' ', $told) : undef;
}

SKIP:
{
	my @files = sort glob(topic_directory($node, 't', 0) . '/*.log');

	disk('slow');
	system_or_bail('sync', @files);
	system('dd', "if=$_", 'iflag=nocache', 'count=0', 'status=none') foreach @files;
	skip 'the files cannot be taken out of the cache', 2 if (cached(@files) // 1) > 0;

	my $client = asking();
	ok(poll_until(sub { reading() == 1 }), 'what is really not in the cache is waited for');
	disk();
	ok(fetched($client) eq $got, 'and comes');
}

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
done_testing();
