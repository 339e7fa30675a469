#!/usr/bin/env perl
# DescribeLogDirs, AlterReplicaLogDirs and DescribeProducers of Kafka's clients (src/broker/topics/log_dirs.c,
# src/broker/data/describe_producers.c, src/broker/core/topic_lookup.c).
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

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; GRANT CREATE ON SCHEMA public TO app');
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 34, 35, 61 } ], [ [ 1, 2 ], [ 1, 5 ], [ 0, 0 ] ], 'the versions that Kafka 4.4 serves');

# ---- DescribeLogDirs ---------------------------------------------------------------------

is(create_error($client, $_, partitions => 3), 0, "topic $_") foreach 'a', 'b', 'empty';
kafka_connect($port)->produce('a', 1, kafka_batch([ [ undef, 'x' x 1000 ] ]));
kafka_connect($port)->produce('b', 2, kafka_batch([ [ undef, 'x' x 2000 ] ]));
my $size = sql(q{SELECT pg_topic_size('a')});
cmp_ok($size, '>', 1000, 'a topic has files');
foreach my $version (1 .. 5)
{
	my $answer = describe_log_dirs($client, [ [ 'a', [ 0, 1 ] ] ], version => $version);

	is("$answer->{error} " . @{ $answer->{dirs} } . " $answer->{dirs}[0]{error} $answer->{dirs}[0]{dir}", '0 1 0 pg_topics', "version $version");
	is_deeply($answer->{dirs}[0]{topics}, { a => { 0 => 0, 1 => $size } }, 'tells the size');
}
sub sizes { return describe_log_dirs(@_)->{dirs}[0]{topics} }
is_deeply(sizes($client, undef), { a => { 0 => 0, 1 => $size, 2 => 0 }, b => { 0 => 0, 1 => 0, 2 => sql(q{SELECT pg_topic_size('b')}) },
	empty => { 0 => 0, 1 => 0, 2 => 0 } }, 'all topics');
is_deeply(sizes($client, [ [ 'none', [0] ], [ 'a', [ -1, 3, 1 ] ], [ 'a b', [0] ], [ 'b', [9] ] ]), { a => { 1 => $size } }, 'without what there is not');
is_deeply(sizes($client, []), {}, 'nothing');
is_deeply(sizes(client_as('other'), undef), {}, 'who may not know of a topic');
sql('GRANT SELECT ON b TO other');
is_deeply([ keys %{ sizes(client_as('other'), undef) } ], ['b'], 'or of one alone');
my $session = open_session($node);
$session->run(q{BEGIN; ALTER FOREIGN TABLE b OPTIONS (ADD "retention.ms" '5')});
is_deeply([ sort keys %{ sizes($client, undef) } ], [ 'a', 'b', 'empty' ], 'a statement that has a topic for itself is not waited for');
$session->run('COMMIT');
my $dir = describe_log_dirs($client, undef)->{dirs}[0];
is("$dir->{total} $dir->{usable} $dir->{cordoned}", '-1 -1 0', 'the file system is not told of');
$dir = describe_log_dirs(client_as('monitor'), undef)->{dirs}[0];
ok($dir->{total} > $dir->{usable} && $dir->{usable} > 0, 'but to those who may see statistics');

# many files, in slices
is(create_error($client, 'many', partitions => 2, configs => [ 'segment.bytes' => 1024 ]), 0, 'a topic of small segments');
sql(q{SET pg_topics.batch_size = 1024; INSERT INTO many (value) SELECT convert_to(repeat('x', 1000), 'UTF8') FROM generate_series(1, 3000)});
cmp_ok(sql(q{SELECT count(*) FROM pg_topic_segments WHERE topic = 'many'::regclass}), '>', 2000, 'has thousands of files');
my @clients = map { client() } 1 .. 8;
my $body = KafkaClient::varint(0) . "\0";
$_->send_request(35, 5, $body, 1) foreach @clients;
# some go while their directories are being read
$_->close foreach @clients[ 0 .. 3 ];
my $other = client();
my $slowest = 0;
for (1 .. 20)
{
	my $start = time;

	$other->metadata('a');
	$slowest = time - $start if time - $start > $slowest;
}
note("metadata took $slowest s beside it");
is(scalar(grep { defined $_->read_response(1) } @clients[ 4 .. 7 ]), 4, 'thousands of files are looked at for many clients');
is(sizes($client, [ [ 'many', [ 0, 1 ] ] ])->{many}{0} + sizes($client, [ [ 'many', [1] ] ])->{many}{1}, sql(q{SELECT pg_topic_size('many')}), 'and counted');
is(scalar keys %{ sizes($client, [ map { [ 'a', [ 0 .. 2 ] ] } 1 .. 3000 ]) }, 1, 'thousands of times the same');
opendir(my $fds, '/proc/' . sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) . '/fd');
is(scalar(grep { my $to = readlink("/proc/" . sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) . "/fd/$_"); $to && -d $to } readdir $fds),
	0, 'no directory stays open');

# a directory that cannot be read
my $path = $node->data_dir . '/' . sql(q{SELECT substring(path FROM '.*/') FROM pg_topic_segments WHERE topic = 'a'::regclass LIMIT 1});
{
	rename($path =~ s{/$}{}r, $path =~ s{/$}{.away}r) or die $!;
	open(my $file, '>', $path =~ s{/$}{}r) or die $!;
	close($file);
	is(describe_log_dirs(client(), [ [ 'a', [1] ] ]), undef, 'trouble with files closes the connection');
	unlink($path =~ s{/$}{}r);
	rename($path =~ s{/$}{.away}r, $path =~ s{/$}{}r) or die $!;
	is_deeply(sizes($client, [ [ 'a', [1] ] ]), { a => { 1 => $size } }, 'and of nobody else');
}

# ---- AlterReplicaLogDirs -----------------------------------------------------------------------

foreach my $version (1, 2)
{
	is_deeply(alter_log_dirs($client, [ [ '/elsewhere', [ [ 'a', [ 0, 1 ] ], [ 'none', [0] ] ] ] ], version => $version),
		[ [ 'a', [ 0, 57 ], [ 1, 57 ] ], [ 'none', [ 0, 57 ] ] ], "there is no other directory, version $version");
}
is_deeply(alter_log_dirs($client, [ [ 'pg_topics', [ [ 'a', [ 0, 3 ] ], [ 'none', [0] ] ] ], [ $node->data_dir . '/pg_topics', [ [ 'b', [1] ] ] ] ]),
	[ [ 'a', [ 0, 0 ], [ 3, 3 ] ], [ 'none', [ 0, 3 ] ], [ 'b', [ 1, 0 ] ] ], 'a partition is where it is');
is_deeply(alter_log_dirs(client_as('other'), [ [ 'pg_topics', [ [ 'a', [0] ] ] ] ]), [ [ 'a', [ 0, 29 ] ] ], 'for those who may know of it');

# ---- DescribeProducers ---------------------------------------------------------------------------

sub producers { return [ map { my ($topic, @partitions) = @$_; [ $topic, map { "$_->{partition}:$_->{error}:" . @{ $_->{producers} } } @partitions ] } @{ describe_producers(@_) } ] }

is_deeply(producers($client, [ [ 'a', [ 0, 1 ] ] ]), [ [ 'a', '0:0:0', '1:0:0' ] ], 'no producers that number their records');
my $producer = kafka_connect($port);
my $id = 4_000_000;
is($producer->produce('a', 0, kafka_batch([ [ undef, 'x' ], [ undef, 'y' ] ], producer_id => $id, producer_epoch => 3, sequence => 0))->{error}, 0, 'one of them');
my $found = describe_producers($client, [ [ 'a', [0] ] ])->[0][1]{producers};
is("@$found[0]->{id} @$found[0]->{epoch} @$found[0]->{sequence}", "$id 3 1", 'is told of');
cmp_ok(abs($found->[0]{time} / 1000 - time), '<', 600, 'with its time');
is($producer->produce('a', 0, kafka_batch([ [ undef, 'x' ] ], producer_id => $id + $_, producer_epoch => 0, sequence => 0))->{error}, 0, "producer $_") foreach 1 .. 100;
is_deeply(producers($client, [ [ 'a', [ 0, 1, 0 ] ] ]), [ [ 'a', '0:0:101', '1:0:0', '0:0:101' ] ], 'as are others');
is_deeply(producers($client, [ [ 'none', [0] ], [ 'a b', [0] ], [ 'a', [ 3, -1 ] ], [ 'b', [] ] ]),
	[ [ 'none', '0:3:0' ], [ 'a b', '0:17:0' ], [ 'a', '3:3:0', '-1:3:0' ], ['b'] ], 'what there is not');
is_deeply(producers(client_as('other'), [ [ 'a', [0] ], [ 'b', [0] ] ]), [ [ 'a', '0:29:0' ], [ 'b', '0:0:0' ] ], 'who may read a topic');
sql('DROP FOREIGN TABLE a');
is_deeply(producers($client, [ [ 'a', [0] ] ]), [ [ 'a', '0:3:0' ] ], 'they go with the topic');

unlike(slurp_file($node->logfile), qr/TRAP|PANIC|leak/, 'the log tells of no trouble');
done_testing();
