#!/usr/bin/env perl
# CreatePartitions and DeleteRecords of Kafka's clients (src/broker/topics/create_partitions.c, delete_records.c,
# src/maintenance/record_deletion.c), beside SQL, and through crashes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaClient;
use KafkaConsumer;
use KafkaProducer;
use KafkaServer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server('max_worker_processes = 12');

# A helper waits for a lock.
sub wait_for_helper
{
	poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'}) })
	  or die 'no helper waits';
	return;
}

sub partitions { return sql("SELECT partitions FROM pg_topics WHERE topic::text = '$_[0]'") }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; GRANT CREATE ON SCHEMA public TO app');
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 37, 21 } ], [ [ 0, 3 ], [ 0, 2 ] ], 'the versions that Kafka 4.4 serves');

# ---- CreatePartitions ------------------------------------------------------------------

is(create_error($client, 't', partitions => 1, configs => [ 'retention.ms' => 5 ]), 0, 'a topic');
is(partitions_error($client, 't', 2 + $_, undef, version => $_), 0, "more partitions by version $_") foreach 0 .. 3;
is(partitions('t'), 5, 'are there');
is(metadata_error($client, 't'), '0:5', 'Metadata knows it');
is(topic_config($client, 't', 'retention.ms'), '5 1', 'its other options are as they were');
is(kafka_connect($port)->produce('t', 4, kafka_batch([ [ undef, 'v' ] ]))->{error}, 0, 'a new one takes records');
is(partitions_error($client, 't', $_), 37, "$_ partitions") foreach 5, 4, 0, -1, 65537, 2**31 - 1;
is(partitions_error($client, $_, 9), 3, "no topic '$_'") foreach 'none', 'a b', '';
is(partitions_error($client, 't', 7, [ [1], [1] ]), 0, 'assigned to the broker');
is(partitions('t'), 7, 'are there');
is(partitions_error($client, 't', 9, $_), 39, 'assigned otherwise') foreach [ [1] ], [ [1], [1], [1] ], [ [1], [2] ], [ [1], [] ], [ [1], [ 1, 1 ] ], [];
is(partitions_error($client, 't', 8, undef, validate_only => 1), 0, 'validate_only');
is(partitions_error($client, 't', 7, undef, validate_only => 1), 37, 'tells errors');
is(partitions('t'), 7, 'and does nothing');
is(partitions_error($client, 't', 8, undef, timeout => 0), 7, 'no time');
is(partitions_error(client_as('other'), 't', 8), 29, 'a role that is not the owner');
is(create_error($client, 'u'), 0, 'another topic');
my $answer = create_partitions($client, [ [ 't', 8 ], [ 'u', 2 ], [ 't', 9 ], [ 'none', 3 ], [ 't', 8 ] ]);
is(join(' ', map { "$_->{name}:$_->{error}" } @$answer), 't:42 u:0 none:3', 'each topic on its own; one that stands there twice is refused');
is_deeply(create_partitions($client, []), [], 'no topics at all');
like(create_partitions($client, [ [ 't', 3 ] ])->[0]{message}, qr/^the topic has 7 partitions, of which there can be more/, 'the message says why');
sql('ALTER SYSTEM SET pg_topics.max_partitions_per_role = 12');
$node->reload;
ok(poll_until(sub { partitions_error($client, 'u', 100, undef, validate_only => 1) == 44 }), 'a limit of partitions');
sql('ALTER SYSTEM RESET pg_topics.max_partitions_per_role');
$node->reload;

my $session = open_session($node);
$session->run('BEGIN; SELECT count(*) FROM t');
is(partitions_error($client, 't', 8, undef, timeout => 700), 7, 'a topic that is in use');
is(partitions('t'), 7, 'stays as it is');
my $waiting = client();
send_create_partitions($waiting, [ [ 't', 9 ], [ 'u', 3 ] ]);
wait_for_helper();
$session->run('COMMIT');
is(join(' ', map { $_->{error} } @{ read_create_partitions($waiting) }), '0 0', 'when it is not any more');
is(partitions('t') . partitions('u'), '93', 'they are there');
my @clients = map { client() } 1 .. 4;
send_create_partitions($_, [ [ 'u', 6 ] ]) foreach @clients;
sql(q{ALTER FOREIGN TABLE t OPTIONS (SET partitions '10')});
is(join(' ', sort { $a <=> $b } map { read_create_partitions($_)->[0]{error} } @clients), '0 37 37 37', 'of several that want the same one gets it');
is(partitions('t') . partitions('u'), '106', 'beside SQL');

# ---- DeleteRecords ------------------------------------------------------------------------

# The offsets at which a partition begins and ends, as clients are told.
sub range
{
	my ($topic, $partition) = @_;

	return sql("SELECT log_start_offset || ' ' || log_end_offset FROM pg_topic_partitions WHERE topic = '$topic'::regclass AND partition = $partition");
}

is(create_error($client, 'r', partitions => 3), 0, 'a topic of records');
is(kafka_connect($port)->produce('r', $_, kafka_batch([ map { [ undef, "v$_" ] } 0 .. 9 ]))->{error}, 0, "with records in partition $_") foreach 0 .. 2;
is(records_error($client, 'r', 0, 1 + $_, version => $_), '0 ' . (1 + $_), "deleted by version $_") foreach 0 .. 2;
is(range('r', 0), '3 10', 'SQL sees it');
is(sql('SELECT count(*) FROM r WHERE partition = 0'), 7, 'in what it reads');
is(KafkaConsumer->new($port)->fetch(topics => { r => { 0 => 2 } })->{r}{0}{error}, 1, 'as consumers do');
is(records_error($client, 'r', 0, $_), '0 3', "offset $_, which has gone before") foreach 0, 2, 3;
is(records_error($client, 'r', 0, $_), '1 -1', "offset $_ is none") foreach 11, -2, 2**62, -2**63;
is(records_error($client, 'r', 0, -1), '0 10', 'all of them');
is(range('r', 0), '10 10', 'are gone');
is(records_error($client, 'r', 0, -1), '0 10', 'and again');
is(records_error($client, 'r', $_, 0), '3 -1', "no partition $_") foreach 3, -1, 2**31 - 1;
is(records_error($client, $_, 0, 0), '3 -1', "no topic '$_'") foreach 'none', 'a b', '';
is(records_error(client_as('other'), 'r', 1, 1), '29 -1', 'a role that is not the owner');
sql('GRANT ALL ON r TO other');
is(records_error(client_as('other'), 'r', 1, 1), '29 -1', 'also with all privileges');
is(records_error($client, 'r', 1, $_ + 1, timeout => -$_), '0 ' . ($_ + 1), 'no time needs no more than there is') foreach 0, 1;
$answer = delete_records($client, [ [ 'r', [ [ 1, 4 ], [ 2, 99 ], [ 5, 1 ], [ 2, 5 ] ] ], [ 'none', [ [ 0, 0 ] ] ], [ 'r', [ [ 1, 6 ] ] ] ]);
is(join(' ', map { my ($topic, @partitions) = @$_; map { "$topic:" . join(':', @$_) } @partitions } @$answer),
	'r:1:4:0 r:2:-1:1 r:5:-1:3 r:2:5:0 none:0:-1:3 r:1:6:0', 'each partition on its own');
is_deeply(delete_records($client, []), [], 'nothing at all');
is(create_error($client, 'compacted', configs => [ 'cleanup.policy' => 'compact' ]), 0, 'a compacted topic');
is(kafka_connect($port)->produce('compacted', 0, kafka_batch([ [ 'k', 'v' ] ]))->{error}, 0, 'with a record');
is(records_error($client, 'compacted', 0, -1), '44 -1', 'keeps its records');
is(alter_error($client, 'compacted', [ [ 'cleanup.policy', APPEND, 'delete' ] ]), 0, 'if records are deleted as well');
is(records_error($client, 'compacted', 0, -1), '0 1', 'they can be deleted so');

# records that nobody can read yet
$session->run(q{BEGIN; SELECT produce('r', ''::bytea, ''::bytea, partition => 2) FROM generate_series(1, 3); SELECT flush()});
is(records_error($client, 'r', 2, 12), '1 -1', 'records of a running transaction');
is(records_error($client, 'r', 2, -1), '0 10', 'are not what can be read');
$session->run('COMMIT');
is(records_error($client, 'r', 2, 12), '0 12', 'when it has ended they are');

my @more = map { client() } 1 .. 6;
is(kafka_connect($port)->produce('r', 0, kafka_batch([ map { [ undef, 'x' ] } 1 .. 60 ]))->{error}, 0, 'more records');
send_delete_records($more[$_], [ [ 'r', [ map { [ 0, 11 + $_ ] } map { 5 * $_ } 0 .. 9 ] ] ]) foreach 0 .. 5;
is(join(' ', map { join ',', map { $_->[2] } @{ (read_delete_records($_))->[0] }[ 1 .. 10 ] } @more), join(' ', ('0,0,0,0,0,0,0,0,0,0') x 6), 'several at once');
is(range('r', 0), '56 70', 'the furthest of them counts');

# ---- crashes -----------------------------------------------------------------------------------

is(kafka_connect($port)->produce('r', 1, kafka_batch([ map { [ undef, 'x' ] } 1 .. 10 ]))->{error}, 0, 'records');
is(records_error($client, 'r', 1, 15), '0 15', 'of which some are deleted');
is(partitions_error($client, 'u', 7), 0, 'and a partition is added');
$session->run('BEGIN; SELECT count(*) FROM u');
send_create_partitions($waiting, [ [ 'u', 8 ] ]);
wait_for_helper();
$node->stop('immediate');
$node->start;
ok(poll_until(sub { $client = KafkaClient->new($port) }), 'the server crashes');
is(range('r', 1), '15 20', 'what was deleted stays deleted');
is(partitions('u'), 7, 'what was added is there, and what was not told is not');
is(records_error($client, 'r', 1, 16), '0 16', 'it goes on');
is(partitions_error($client, 'u', 8), 0, 'with both');

unlike(slurp_file($node->logfile), qr/TRAP|PANIC|still running|leak/, 'the log tells of no trouble');
done_testing();
