#!/usr/bin/env perl
# APIs of what there is not here (src/broker/absent_features.c, src/broker/topics/one_replica.c); clients that connect
# and say nothing (src/broker/login/authentication.c), or want TLS where there is none (src/listener/connection.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaFields;
use KafkaLogin;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('authentication_timeout = 1s');

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; GRANT CREATE ON SCHEMA public TO app');
sql(q{SET ROLE app; SELECT create_topic('orders', 3)});
sql(q{SELECT create_topic('hidden', 1); SELECT create_topic('shown', 1); GRANT SELECT ON shown TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 34, 38 .. 41, 43, 45, 46, 57, 64 } ],
	[ [ 1, 2 ], [ 1, 3 ], [ 1, 2 ], [ 1, 2 ], [ 1, 3 ], [ 0, 2 ], [ 0, 1 ], [ 0, 0 ], [ 0, 2 ], [ 0, 0 ] ], 'the versions that Kafka 4.4 serves');
ok(!grep({ exists $versions->{$_} } 55, 80, 81, 83 .. 89), 'what is between brokers and controllers stays away');

# ---- delegation tokens -------------------------------------------------------------

foreach my $version (1 .. 3)
{
	my $flexible = $version >= 2;
	my $reader = $client->call(38, $version, ($version >= 3 ? "\0\0" : '') . count_of($flexible, 0) . KafkaClient::int64(-1) . tags($flexible), $flexible);
	my @said = ($reader->int16, map { read_text($reader, $flexible) } 1 .. ($version >= 3 ? 4 : 2));

	is("@said", '61 User app' . ($version >= 3 ? ' User app' : ''), "CreateDelegationToken $version");
	is(join(' ', map { $reader->int64 } 1 .. 3), '-1 -1 -1', 'with Kafka\'s times');
	$reader = $client->call(41, $version, count_of($flexible, -1) . tags($flexible), $flexible);
	is($reader->int16 . ' ' . read_count($reader, $flexible) . ' ' . $reader->int32, '61 0 0', "DescribeDelegationToken $version");
	next if $version == 3;
	foreach my $key (39, 40)
	{
		$reader = $client->call($key, $version, ($flexible ? KafkaClient::varint(3) : int32(2)) . 'ab' . KafkaClient::int64(1) . tags($flexible), $flexible);
		is($reader->int16 . ' ' . $reader->int64 . ' ' . $reader->int32, '61 -1 0', "token API $key, version $version");
	}
}

# ---- one replica ---------------------------------------------------------------------

# Elect: {"topic partition" => error}, and the error for all.
sub elect
{
	my ($version, $type, @topics) = @_;
	my $flexible = $version >= 2;
	my $null = @topics == 1 && !defined $topics[0];
	my $body = ($version >= 1 ? int8($type) : '') . count_of($flexible, $null ? -1 : scalar @topics);

	$body .= join('', map { text($flexible, $_->[0]) . count_of($flexible, $#$_) . join('', map { int32($_) } @{$_}[ 1 .. $#$_ ]) . tags($flexible) } @topics)
	  if !$null;
	my $reader = $client->call(43, $version, $body . int32(1000) . tags($flexible), $flexible) // return 'closed';
	my @results;

	die 'a throttle time' if $reader->int32;
	push @results, 'error ' . $reader->int16 if $version >= 1;
	foreach (1 .. read_count($reader, $flexible))
	{
		my $topic = read_text($reader, $flexible);

		foreach (1 .. read_count($reader, $flexible))
		{
			push @results, "$topic " . $reader->int32 . ': ' . $reader->int16;
			read_text($reader, $flexible);
			$reader->tags if $flexible;
		}
		$reader->tags if $flexible;
	}
	$reader->tags if $flexible;
	die 'bytes behind a response' if $reader->left;
	return join(', ', @results);
}

foreach my $version (0 .. 2)
{
	my $all = $version >= 1 ? 'error 0' : '';

	is(elect($version, 0, [ 'orders', 0, 2, 3, -1 ], [ 'hidden', 0 ], [ 'nothing', 0 ], [ "o\0", 0 ]),
		($all ? "$all, " : '') . "orders 0: 84, orders 2: 84, orders 3: 3, orders -1: 3, hidden 0: 29, nothing 0: 3, o\0 0: 3",
		"ElectLeaders $version");
	is(elect($version, 1, undef), $all, 'of all partitions none needs it');
}
is(elect(2, $_, [ 'orders', 0 ]), 'error 42', "election type $_") foreach 2, -1;
is(scalar(split /, /, elect(2, 0, map { [ 'orders', 0 .. 99 ] } 1 .. 300)), 30001, 'many partitions');

# Reassign: the errors of partitions.
sub reassign
{
	my ($version, $topic, @partitions) = @_;
	my $body = int32(1000) . ($version >= 1 ? int8(1) : '') . KafkaClient::compact_count(1) . text(1, $topic)
	  . KafkaClient::compact_count(scalar @partitions);

	foreach my $partition (@partitions)
	{
		my ($number, @replicas) = @$partition;

		$body .= int32($number) . ($#$partition && !defined $replicas[0] ? KafkaClient::compact_count(-1)
			: KafkaClient::compact_count(scalar @replicas) . join('', map { int32($_) } @replicas)) . "\0";
	}
	my $reader = $client->call(45, $version, "$body\0\0", 1);
	my @errors;

	$reader->int32;
	$reader->int8 if $version >= 1;
	push @errors, $reader->int16;
	$reader->compact_string;
	foreach (1 .. $reader->compact_count)
	{
		$reader->compact_string;
		foreach (1 .. $reader->compact_count)
		{
			$reader->int32;
			push @errors, $reader->int16;
			$reader->compact_string;
			$reader->tags;
		}
		$reader->tags;
	}
	$reader->tags;
	die 'bytes behind a response' if $reader->left;
	return "@errors";
}

foreach my $version (0, 1)
{
	is(reassign($version, 'orders', [ 0, 1 ], [ 1, 2 ], [ 2, 1, 2 ], [ 0, undef ], [ 0 ], [ 7, 1 ]), '0 0 39 39 85 39 3',
		"AlterPartitionReassignments $version");
	is(reassign($version, $_, [ 0, 1 ]), $_ eq 'nothing' ? '0 3' : '0 29', "of topic $_") foreach 'shown', 'hidden', 'nothing';
}
my $reader = $client->call(46, 0, int32(1000) . KafkaClient::compact_count(-1) . "\0", 1);
is($reader->int32 . ' ' . $reader->int16 . ' ' . ($reader->compact_string // 'none') . ' ' . $reader->compact_count, '0 0 none 0',
	'ListPartitionReassignments');

# ---- the cluster -----------------------------------------------------------------------

foreach my $version (1, 2)
{
	my $flexible = $version >= 2;
	$reader = $client->call(34, $version, count_of($flexible, 1) . text($flexible, '/other') . count_of($flexible, 1) . text($flexible, 'orders')
		. count_of($flexible, 2) . int32(0) . int32(1) . tags($flexible) x 3, $flexible);
	is(join(' ', $reader->int32, read_count($reader, $flexible), read_text($reader, $flexible), read_count($reader, $flexible),
			$reader->int32, $reader->int16), '0 1 orders 2 0 57', "AlterReplicaLogDirs $version");
}
foreach my $version (0 .. 2)
{
	my $feature = text(1, 'group.version') . int16(1) . int8($version == 0 ? 0 : 1) . "\0";
	my $tail = ($version >= 1 ? int8(0) : '') . "\0";

	$reader = $client->call(57, $version, int32(1000) . KafkaClient::compact_count(1) . $feature . $tail, 1);
	is($reader->int32 . ' ' . $reader->int16, '0 95', "UpdateFeatures $version");
	like($reader->compact_string, qr/cannot be changed/, 'says why');
	$reader = $client->call(57, $version, int32(1000) . KafkaClient::compact_count(0) . $tail, 1);
	is($reader->int32 . ' ' . $reader->int16, '0 0', 'no features');
}
foreach my $case ([ 1, 42 ], [ 2, 102 ])
{
	$reader = $client->call(64, 0, int32($case->[0]) . "\0", 1);
	is($reader->int32 . ' ' . $reader->int16, "0 $case->[1]", "UnregisterBroker of $case->[0]");
}

# ---- clients that say nothing ------------------------------------------------------------

my $patient = client();
ok($patient->api_versions, 'a client asks for versions');
my $silent = client();
ok($silent->is_closed, 'one that says nothing is closed after authentication_timeout');
is($patient->metadata('orders')->{topics}{orders}{error}, 0, 'the other one may be silent: it would be let in');
$patient = client();
$patient->api_versions;
is((handshake($patient, 'SCRAM-SHA-256'))[0], 0, 'one that begins SASL');
ok($patient->is_closed, 'has authentication_timeout to come to its end');

# the limit of the role counts them
sql('ALTER ROLE app CONNECTION LIMIT 2');
$client->close;
ok(poll_until(sub { sql('SELECT count(*) FROM pg_kafka_connections') == 0 }), 'no client is left');
my @waiting = map { my $one = client(); $one->api_versions; $one } 1 .. 2;
my $third = client();
$third->api_versions;
$third->send_request(KafkaClient::METADATA, 1, int32(-1));
ok($third->is_closed, 'those who wait count for the limit of their role');
$third = client();
$third->api_versions;
ok($third->is_closed, 'one beyond it is not kept');
ok(defined $_->metadata('orders'), 'those that were let wait get on') foreach @waiting;
sql('ALTER ROLE app CONNECTION LIMIT -1');

# ---- TLS where there is none -------------------------------------------------------------------

my $tls = client();
$tls->send_bytes("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'x' x 100);
ok($tls->is_closed, 'a client that wants TLS is closed');
ok(poll_until(sub { $node->log_contains('the client wants TLS, which the server does not offer, as ssl is off') }), 'the log says so');
$tls = client();
$tls->api_versions;
$tls->send_bytes("\x16\x03\x01\x02");
ok($tls->is_closed, 'later bytes of that kind');
ok(poll_until(sub { $node->log_contains('a frame is larger than the limit') }), 'are a frame');

$node->stop;
done_testing();
