#!/usr/bin/env perl
# Hostile and unlucky administrators among Kafka's clients: requests of thousands of items, null names, bytes that are no
# message, many at once beside SQL, and crashes in the midst (src/broker/configs/alter_configs.c,
# describe_configs.c, list_config_resources.c, src/broker/topics/create_partitions.c, delete_records.c, log_dirs.c, delete_topics.c,
# src/broker/data/describe_producers.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaClient;
use KafkaProducer;
use KafkaServer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server('max_worker_processes = 12');

sub listener { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app');
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $listener = listener();
is(create_error($client, $_, partitions => 2), 0, "topic $_") foreach map { "t$_" } 1 .. 5;

# ---- thousands ------------------------------------------------------------------------

my $many = 10000;
my $answer = describe_configs($client, [ map { [ TOPIC, "none$_" ] } 1 .. $many ]);
is(scalar(grep { $_->{error} == 3 } @$answer), $many, 'many topics that there are not are described');
$answer = describe_configs($client, [ map { [ TOPIC, 't1' ] } 1 .. $many ], synonyms => 1, documentation => 1);
is(scalar(grep { $_->{error} == 42 } @$answer), $many, 'or one many times');
$answer = describe_configs($client, [ map { [ GROUP, "g$_" ] } 1 .. $many ], documentation => 1);
is(scalar(grep { $_->{error} == 0 } @$answer), $many, 'or groups');
$answer = create_partitions($client, [ map { [ "none$_", 2 ] } 1 .. 2000 ]);
is(scalar(grep { $_->{error} == 3 } @$answer), 2000, 'partitions for many topics');
$answer = delete_records($client, [ map { [ "none$_", [ [ 0, 0 ] ] ] } 1 .. 2000 ]);
is(scalar(grep { $_->[1][2] == 3 } @$answer), 2000, 'records of many topics');
$answer = delete_records($client, [ [ 't1', [ map { [ $_, 0 ] } 0 .. 1999 ] ] ]);
is(scalar(grep { $_->[2] == 3 } @{ $answer->[0] }[ 1 .. 2000 ]), 1998, 'or of many partitions');
$answer = describe_producers($client, [ map { [ 't1', [ 0, 1, 2 ] ] } 1 .. $many ]);
is(scalar @$answer, $many, 'producers of a partition many times');
$answer = alter_log_dirs($client, [ map { [ 'pg_topics', [ [ "none$_", [ 0 .. 3 ] ] ] ] } 1 .. $many ]);
is(scalar(grep { $_->[1][1] == 3 } @$answer), $many, 'moving many');
is(scalar keys %{ describe_log_dirs($client, [ map { [ "none$_", [0] ] } 1 .. $many ])->{dirs}[0]{topics} }, 0, 'sizes of many');

# others are served meanwhile
my @busy = map { client() } 1 .. 6;
my $body = KafkaAdmin::array(1, [ map { [ TOPIC, "t$_" ] } 1 .. 20000 ], sub { KafkaClient::int8(TOPIC) . KafkaClient::compact_string($_[0][1]) . "\0" })
  . KafkaClient::int8(1) . KafkaClient::int8(1) . "\0";
$_->send_request(32, 4, $body, 1) foreach @busy;
my $start = time;
is($client->metadata('t1')->{topics}{t1}{partitions}, 2, 'others are served beside large requests');
note('after ' . (time - $start) . ' s');
is(scalar(grep { defined $_->read_response(1) } @busy), 6, 'which are answered too');

# ---- what is no message, or null ------------------------------------------------------------

my %requests = (21 => 2, 32 => 4, 33 => 2, 34 => 2, 35 => 5, 37 => 3, 44 => 1, 61 => 0, 74 => 1);
my $sound = 0;
foreach my $key (sort { $a <=> $b } keys %requests)
{
	foreach my $bytes ('', "\xff" x 5, "\x02", "\x01", "\x00" x 30, "\x02\x00\x00\x00\x00\x00\x00\x00", "\xff\xff\xff\xff\x0f", join('', map { chr(($_ * 37 + $key) & 255) } 1 .. 200))
	{
		my $one = client();

		$one->send_request($key, $requests{$key}, $bytes, 1);
		my $frame = $one->read_frame;
		$sound++ if !defined $frame || length $frame >= 8;
		$one->close;
	}
}
is($sound, 8 * keys %requests, 'bytes of any kind are answered, or their connection is closed');
is(listener(), $listener, 'the listener lives');
my $null = client();
$null->send_request(32, 4, KafkaClient::varint(2) . KafkaClient::int8(TOPIC) . KafkaClient::varint(0) . "\0\0\0\0\0", 1);
ok(!defined $null->read_frame, 'a name that is null, and may not be, closes the connection');
is(listener(), $listener, 'and nothing else');

# ---- a topic by its name and its id -----------------------------------------------------------

my %id = map { $_ => topic_metadata($client, [$_])->{$_}{id} } 't4', 't5';
$answer = delete_topics($client, [ 't4', [ undef, $id{t4} ], [ undef, $id{t5} ] ]);
is(join(' ', map { $_->{error} } @$answer), '42 0', 'a topic that is to be deleted by its name and its id is refused once');
is(metadata_error($client, 't4') . ' ' . metadata_error($client, 't5'), '0:2 3:0', 'and stays; another one goes');
$answer = delete_topics($client, [ [ undef, $id{t4} ], 't4', [ undef, $id{t4} ], 'none' ]);
is(join(' ', map { $_->{error} } @$answer), '42 3', 'in any order');
is(delete_error($client, [ [ undef, $id{t4} ], 't1' ]), '0 0', 'different ones are deleted');

# ---- many at once, beside SQL ---------------------------------------------------------------------

is(create_error($client, 'shared', partitions => 1), 0, 'a topic');
my @clients = map { client() } 1 .. 8;
my (%errors, $rounds);
for my $round (1 .. 6)
{
	send_alter_configs($clients[$_], [ [ TOPIC, 'shared', [ [ 'segment.ms', SET, 1000 * $round + $_ ] ] ] ]) foreach 0 .. 3;
	send_create_partitions($clients[$_], [ [ 'shared', $round + 1 ] ]) foreach 4, 5;
	send_delete_records($clients[6], [ [ 'shared', [ [ 0, -1 ] ] ] ]);
	send_alter_configs($clients[7], [ [ TOPIC, 'shared', [ [ 'retention.ms', $round ] ] ] ], incremental => 0);
	# the topic is dropped and made anew by SQL
	sql(q{DROP FOREIGN TABLE shared; SELECT create_topic('shared', 1); ALTER FOREIGN TABLE shared OWNER TO app}) if $round % 3 == 0;
	sql(q{SELECT alter_topic('shared', '{"max.attempts": 9}')});
	$errors{ read_alter_configs($_)->[0]{error} }++ foreach @clients[ 0 .. 3 ];
	$errors{ read_create_partitions($_)->[0]{error} }++ foreach @clients[ 4, 5 ];
	$errors{ read_delete_records($clients[6])->[0][1][2] }++;
	$errors{ read_alter_configs($clients[7], incremental => 0)->[0]{error} }++;
}
is(join(' ', grep { !/^(?:0|3|7|29|37)$/ } sort keys %errors), '', 'each is done, or told what came between');
note(join ', ', map { "$_: $errors{$_}" } sort { $a <=> $b } keys %errors);
is(sql(q{SELECT config->>'max.attempts' FROM pg_topics WHERE topic = 'shared'::regclass}), 9, 'SQL has its part');

# ---- crashes ------------------------------------------------------------------------------------------

# what was acknowledged is there, whenever the server dies
is(create_error($client, 'crashed', partitions => 1, configs => [ 'segment.ms' => 1 ]), 0, 'a topic');
is(kafka_connect($port)->produce('crashed', 0, kafka_batch([ map { [ undef, 'x' ] } 1 .. 50 ]))->{error}, 0, 'with records');
my ($config, $partitions, $deleted) = (1, 1, 0);
for my $crash (1 .. 3)
{
	@clients = map { client() } 1 .. 3;
	my ($tried_config, $tried_partitions, $tried_deleted) = ($config, $partitions, $deleted);

	for my $round (1 .. 4)
	{
		send_alter_configs($clients[0], [ [ TOPIC, 'crashed', [ [ 'segment.ms', SET, ++$tried_config ] ] ] ]);
		send_create_partitions($clients[1], [ [ 'crashed', ++$tried_partitions ] ]);
		send_delete_records($clients[2], [ [ 'crashed', [ [ 0, ++$tried_deleted ] ] ] ]);
		last if $round == 4;
		is(read_alter_configs($clients[0])->[0]{error}, 0, "crash $crash, round $round: altered");
		$config = $tried_config;
		is(read_create_partitions($clients[1])->[0]{error}, 0, 'a partition');
		$partitions = $tried_partitions;
		is(read_delete_records($clients[2])->[0][1][2], 0, 'a record less');
		$deleted = $tried_deleted;
	}
	$node->stop('immediate');
	$node->start;
	ok(poll_until(sub { $client = KafkaClient->new($port) }), 'the server is started again');
	my ($is_config, $is_partitions) = split /\|/, sql(q{SELECT config->>'segment.ms', partitions FROM pg_topics WHERE topic = 'crashed'::regclass});
	my $is_deleted = sql(q{SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'crashed'::regclass AND partition = 0});
	ok($is_config == $config || $is_config == $tried_config, "configuration $is_config: of $config, or $tried_config");
	ok($is_partitions == $partitions || $is_partitions == $tried_partitions, "partitions $is_partitions: of $partitions, or $tried_partitions");
	ok($is_deleted == $deleted || $is_deleted == $tried_deleted, "log start $is_deleted: of $deleted, or $tried_deleted");
	($config, $partitions, $deleted) = ($is_config, $is_partitions, $is_deleted);
}
is(sql(q{SELECT count(*) FROM crashed WHERE partition = 0}), 50 - $deleted, 'the other records are there');

unlike(slurp_file($node->logfile), qr/TRAP|PANIC|still running|leak|out of memory/, 'the log tells of no trouble');
done_testing();
