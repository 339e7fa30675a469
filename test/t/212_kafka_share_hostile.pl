#!/usr/bin/env perl
# Share groups and hostile clients: requests with bytes at random, and such that nearly make sense; locks that somebody holds
# (src/broker/share, src/broker/groups/share_group_heartbeat.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaFields;
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(rand(1_000_000));
diag("TOPIC_TEST_SEED=$seed repeats it");
srand($seed);

my ($node, $port) = start_kafka_server("pg_topics.kafka_group_share_auto_offset_reset = 'earliest'");

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('orders', partitions => 2);
	GRANT SELECT, INSERT ON orders TO app; INSERT INTO orders (partition, value) SELECT 0, 'x' FROM generate_series(1, 100)});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $id = topic_ids(\&sql)->{orders};
my $client = client();
my $answer;

poll_until(sub { ($answer = share_heartbeat($client, group => 'g', member => 'm', epoch => 0, names => ['orders']))->{error} == 0 });
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'} );

# ---- bytes at random -------------------------------------------------------------------

my %versions = (76 => 1, 77 => 1, 78 => 2, 79 => 2, 90 => 1, 91 => 0, 92 => 0);
my $good = text(1, 'g') . text(1, 'm') . int32(0) . int32(0) . int32(1) . int32(1000) . int32(5) . int32(5) . int8(0) . int8(0)
  . count_of(1, 1) . pack('H*', $id) . count_of(1, 1) . int32(0) . count_of(1, 1) . int64(0) . int64(5) . count_of(1, 1) . int8(1)
  . "\0\0\0" . count_of(1, 0) . "\0";
my $answered = 0;

foreach my $round (1 .. 400)
{
	my $key = (sort keys %versions)[ rand keys %versions ];
	my $body = $good;

	if ($round % 2) { $body = join '', map { chr(rand(4) < 1 ? rand 256 : rand 6) } 1 .. rand 60 }
	else { substr($body, rand length $body, 1) = chr(rand 256) for 0 .. rand 3; $key = 78 }
	$client->send_request($key, $versions{$key}, $body, 1);
	$answered++ if $client->read_response(1);
	$client = client() if !eval { $client->api_versions };
}
cmp_ok($answered, '>', 0, "some of them made sense ($answered)");
is(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), $worker, 'the process is the same');

# ---- many partitions and acknowledgements ---------------------------------------------------

$client = client();
$answer = share_fetch($client, group => 'many', member => 'm', epoch => 0, add => { map { sprintf('%032x', $_) => [ 0 .. 99 ] } 1 .. 50 }, wait => 0);
is(scalar(grep { $_->{error} == 100 } values %{ $answer->{partitions} }), 5000, 'five thousand partitions that there are not');
is(share_acknowledge($client, group => 'many', member => 'm', epoch => 1,
		acks => { "$id:0" => [ map { [ 2 * $_, 2 * $_, 1 ] } 0 .. 20_000 ] })->{partitions}{"$id:0"}{error}, 121, 'many acknowledgements of nothing');

# ---- locks ----------------------------------------------------------------------------------

my $member = KafkaShare->new(client(), group => 'l', member => 'm');
is(acquired_text($member->fetch(add => { $id => [0] }, records => 10)->{partitions}{"$id:0"}), '0-9x1', 'a member has records');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE topic_share_acks_0, topic_share_acks_1 IN ACCESS EXCLUSIVE MODE');
is($member->acknowledge({ "$id:0" => [ [ 0, 4, 1 ] ] })->{partitions}{"$id:0"}{error}, 15, 'somebody has the tables: the member may try again');
is(share_heartbeat(client(), group => 'g', member => 'm', epoch => 0, names => ['orders'])->{error}, 0, 'others are served');
$session->query_safe('COMMIT');
$session->quit;
is($member->acknowledge({ "$id:0" => [ [ 0, 4, 1 ] ] })->{partitions}{"$id:0"}{error}, 0, 'then it is acknowledged');
is(sql(q{SELECT start_offset || ' ' || acquired FROM pg_topic_share_groups WHERE group_id = 'l' AND partition = 0}), '5 5', 'once');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
done_testing();
