#!/usr/bin/env perl
# Files under test: src/broker, beside a standby and after its promotion.
# A hot standby does not listen: it would have to say that it leads all partitions, and coordinates all groups.  Clients that are
# given its address besides are refused, and go on to the primary.  Once it is promoted it serves all APIs.  An API that is new has
# to be told here how it is asked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAcls;
use KafkaAdmin;
use KafkaClient;
use KafkaConsumer;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use KafkaProducer;
use KafkaShare;
use KafkaTopics;
use KafkaTransactions;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant DELETE_TOPICS => 20;

# NOT_LEADER_OR_FOLLOWER, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, NOT_CONTROLLER
my $refused = qr/6|15|16|41|group error 16/;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $role = (getpwuid($<))[0];
my $node = new_node('main', init => { allows_streaming => 1 }, settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = '$role'", 'max_worker_processes = 20',
	'pg_topics.kafka_auto_create_topics = on', 'wal_retrieve_retry_interval = 50ms' ]);

$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 2);
	INSERT INTO events (partition, value) SELECT 0, 'x' FROM generate_series(1, 10);
	SELECT commit_offset('events', 'of_sql', 0, 3)});
ok(poll_until(sub { my $client = KafkaClient->new($port) or return 0; commit_error($client, 'g', 'events', 0, 1) == 0 }), 'the primary coordinates groups')
  or BAIL_OUT('no listener');
my $standby = new_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'");
$standby->start;
catch_up($node, $standby);

sub int8 { return KafkaClient::int8(@_) }
sub int16 { return KafkaClient::int16(@_) }
sub int32 { return KafkaClient::int32(@_) }
sub int64 { return KafkaClient::int64(@_) }
sub text { return KafkaClient::compact_string(@_) }
sub count { return KafkaClient::compact_count(@_) }
sub bytes { return count(length $_[0]) . $_[0] }

my $client;

sub event_id { return topic_ids(sub { $standby->safe_psql('postgres', $_[0]) })->{events} }

# Ask; the reader of the answer is behind the throttle time.
sub ask
{
	my ($key, $version, $body, $flexible) = @_;
	my $reader = $client->call($key, $version, $body, $flexible) // die "the connection is closed\n";

	$reader->int32;
	return $reader;
}

my $member = '11111111-1111-1111-1111-111111111111';

# API => its name, and how it is asked: for the error, or what else there is in it.
my %apis = (
	0 => [ 'Produce', sub { kafka_connect($standby_port)->produce('events', 0, kafka_batch([ [ 'k', 'v' ] ]))->{error} } ],
	1 => [ 'Fetch', sub { my $consumer = KafkaConsumer->new($standby_port); my $answer = $consumer->fetch(topics => { events => { 0 => 0 } }); $answer->{error} } ],
	2 => [ 'ListOffsets', sub { join ' ', (split ' ', KafkaConsumer->new($standby_port)->list_offsets('events', { 0 => -1 })->{0})[ 0, 1 ] } ],
	3 => [ 'Metadata', sub { join ' ', metadata_error($client, 'events'), metadata_error($client, 'not_there') } ],
	8 => [ 'OffsetCommit', sub { commit_error($client, 'g', 'events', 0, 2) } ],
	9 => [ 'OffsetFetch', sub { fetched($client, 'g', 'events', 0) } ],
	10 => [ 'FindCoordinator', sub { find_coordinator($client, ['g'])->[0]{error} } ],
	11 => [ 'JoinGroup', sub { join_group($client, 'g', topics => ['events'], once => 1)->{error} } ],
	12 => [ 'Heartbeat', sub { heartbeat($client, 'g', member => 'm', generation => 1) } ],
	13 => [ 'LeaveGroup', sub { my $answer = leave_group($client, 'g', [ [ 'm', undef ] ]); ref $answer ? $answer->{error} : $answer } ],
	14 => [ 'SyncGroup', sub { sync_group($client, 'g', member => 'm', generation => 1)->{error} } ],
	15 => [ 'DescribeGroups', sub { describe_groups($client, ['of_sql'])->[0]{error} } ],
	16 => [ 'ListGroups', sub { my $answer = list_groups($client); ref $answer ? 0 : $answer } ],
	17 => [ 'SaslHandshake', sub { $client->call(17, 1, KafkaClient::string('GSSAPI'))->int16 } ],
	18 => [ 'ApiVersions', sub { exists $client->api_versions->{18} ? 1 : 0 } ],
	19 => [ 'CreateTopics', sub { create_error($client, 'fresh') } ],
	20 => [ 'DeleteTopics', sub { delete_error($client, 'events') } ],
	21 => [ 'DeleteRecords', sub { records_error($client, 'events', 0, 5) } ],
	22 => [ 'InitProducerId', sub { ask(22, 1, KafkaClient::string(undef) . int32(1000))->int16 } ],
	24 => [ 'AddPartitionsToTxn', sub { begin_transaction($client, 't', 1, 0, { events => [0] }) } ],
	25 => [ 'AddOffsetsToTxn', sub { add_offsets($client, 't', 1, 0, 'g') } ],
	28 => [ 'TxnOffsetCommit', sub { commit_in_transaction($client, 't', 1, 0, 'g', { events => { 0 => 1 } }) } ],
	27 => [ 'WriteTxnMarkers', sub { write_markers($client, 1, 0, 0, 'events', 0) } ],
	65 => [ 'DescribeTransactions', sub { (describe_transactions($client, 't'))[0]{error} } ],
	66 => [ 'ListTransactions', sub { (list_transactions($client))[0] } ],
	26 => [ 'EndTxn', sub { (end_transaction($client, 't', 1, 0, 1))[0] } ],
	23 => [ 'OffsetForLeaderEpoch', sub { (split ' ', KafkaConsumer->new($standby_port)->epoch_end('events', 0, 1))[0] } ],
	29 => [ 'DescribeAcls', sub { join ' ', describe_acls($client, 'TOPIC events LITERAL - - ANY ANY') } ],
	30 => [ 'CreateAcls', sub { create_acls($client, ['TOPIC events LITERAL User:app * READ ALLOW']) } ],
	31 => [ 'DeleteAcls', sub { join ' ', delete_acls($client, ['TOPIC events LITERAL User:app * ANY ANY']) } ],
	32 => [ 'DescribeConfigs', sub { my $answer = describe_configs($client, [ [ TOPIC(), 'events' ] ]); ref $answer ? 0 : $answer } ],
	33 => [ 'AlterConfigs', sub { my $reader = ask(33, 1, int32(1) . int8(2) . KafkaClient::string('events') . int32(0) . int8(0)); $reader->int32; $reader->int16 } ],
	34 => [ 'AlterReplicaLogDirs', sub { alter_log_dirs($client, [])->[0] // 0 } ],
	35 => [ 'DescribeLogDirs', sub { describe_log_dirs($client, undef)->{error} } ],
	36 => [ 'SaslAuthenticate', sub { my $other = KafkaClient->new($standby_port); $other->api_versions; $other->call(36, 0, int32(2) . 'ab')->int16 } ],
	37 => [ 'CreatePartitions', sub { partitions_error($client, 'events', 4) } ],
	38 => [ 'CreateDelegationToken', sub { $client->call(38, 1, int32(0) . int64(-1))->int16 } ],
	39 => [ 'RenewDelegationToken', sub { $client->call(39, 1, int32(2) . 'ab' . int64(1))->int16 } ],
	40 => [ 'ExpireDelegationToken', sub { $client->call(40, 1, int32(2) . 'ab' . int64(1))->int16 } ],
	41 => [ 'DescribeDelegationToken', sub { $client->call(41, 1, int32(-1))->int16 } ],
	42 => [ 'DeleteGroups', sub { delete_groups($client, ['of_sql'])->{of_sql} } ],
	43 => [ 'ElectLeaders', sub { ask(43, 1, int8(0) . int32(0) . int32(1000))->int16 } ],
	44 => [ 'IncrementalAlterConfigs', sub { my $reader = ask(44, 0, int32(1) . int8(2) . KafkaClient::string('events') . int32(1)
		. KafkaClient::string('retention.ms') . int8(0) . KafkaClient::string('1000') . int8(0)); $reader->int32; $reader->int16 } ],
	45 => [ 'AlterPartitionReassignments', sub { ask(45, 0, int32(1000) . count(0) . "\0", 1)->int16 } ],
	46 => [ 'ListPartitionReassignments', sub { ask(46, 0, int32(1000) . count(-1) . "\0", 1)->int16 } ],
	47 => [ 'OffsetDelete', sub { (delete_offsets($client, 'of_sql', { events => [0] }))[0] } ],
	48 => [ 'DescribeClientQuotas', sub { ask(48, 1, count(0) . int8(0) . "\0", 1)->int16 } ],
	49 => [ 'AlterClientQuotas', sub { my $reader = ask(49, 1, count(1) . count(1) . text('user') . text('app') . "\0" . count(1) . text('request_percentage')
		. pack('d>', 5) . int8(0) . "\0\0" . int8(0) . "\0", 1); $reader->compact_count; $reader->int16 } ],
	50 => [ 'DescribeUserScramCredentials', sub { ask(50, 0, count(-1) . "\0", 1)->int16 } ],
	51 => [ 'AlterUserScramCredentials', sub { my $reader = ask(51, 0, count(0) . count(1) . text('app') . int8(1) . int32(4096) . bytes('salt' x 4) . bytes('x' x 32) . "\0\0", 1);
		$reader->compact_count; $reader->compact_string; $reader->int16 } ],
	57 => [ 'UpdateFeatures', sub { ask(57, 0, int32(1000) . count(0) . "\0", 1)->int16 } ],
	60 => [ 'DescribeCluster', sub { ask(60, 0, int8(0) . "\0", 1)->int16 } ],
	61 => [ 'DescribeProducers', sub { describe_producers($client, [ [ 'events', [0] ] ])->[0][1]{error} } ],
	64 => [ 'UnregisterBroker', sub { ask(64, 0, int32(7) . "\0", 1)->int16 } ],
	68 => [ 'ConsumerGroupHeartbeat', sub { KafkaHeartbeat::heartbeat($client, group => 'g', member => $member, epoch => 0, timeout => 60000, names => ['events'], owned => {})->{error} } ],
	69 => [ 'ConsumerGroupDescribe', sub { KafkaHeartbeat::describe_consumer_groups($client, 'g')->{g}{error} } ],
	76 => [ 'ShareGroupHeartbeat', sub { share_heartbeat($client, group => 's', member => $member, epoch => 0, names => ['events'])->{error} } ],
	77 => [ 'ShareGroupDescribe', sub { describe_share_groups($client, 's')->{s}{error} } ],
	78 => [ 'ShareFetch', sub { my $answer = share_fetch($client, group => 's', member => $member, epoch => 0, add => { event_id() => [0] }, wait => 2000);
		join ' ', $answer->{error}, map { "$_->{error} " . acquired_text($_) } values %{ $answer->{partitions} } } ],
	79 => [ 'ShareAcknowledge', sub { share_fetch($client, group => 's', member => 'other', epoch => 0, add => { event_id() => [0] }, wait => 0);
		share_acknowledge($client, group => 's', member => 'other', epoch => 1, acks => { event_id() . ':0' => [ [ 0, 0, 1 ] ] })->{error} } ],
	90 => [ 'DescribeShareGroupOffsets', sub { my $answer = describe_share_offsets($client, 's'); join ' ', $answer->{error}, $answer->{topics}{events}{0}{start} } ],
	91 => [ 'AlterShareGroupOffsets', sub { share_heartbeat($client, group => 's', member => $member, epoch => -1);
		alter_share_offsets($client, 's', { events => { 0 => 1 } })->{error} } ],
	92 => [ 'DeleteShareGroupOffsets', sub { delete_share_offsets($client, 's', 'events')->{error} } ],
	74 => [ 'ListConfigResources', sub { my $answer = list_config_resources($client, []); ref $answer ? 0 : $answer } ],
	75 => [ 'DescribeTopicPartitions', sub { my $reader = ask(75, 0, count(1) . text('events') . "\0" . int32(100) . int8(-1) . "\0", 1); $reader->compact_count; $reader->int16 } ]);

# ---- before ------------------------------------------------------------------------------------

is($standby->safe_psql('postgres', q{SELECT pg_is_in_recovery(), count(*) FROM events}), 't|10', 'a hot standby has the topics');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%'}), 0, 'no process serves clients there');
ok(!KafkaClient->new($standby_port), 'they are refused');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM pg_kafka_connections'), 0, 'the view shows none');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_topic_group_members}), 0, 'groups can be looked at');
is($standby->safe_psql('postgres', q{SELECT committed_offset FROM pg_topic_groups WHERE group_id = 'of_sql' AND partition = 0}), 3, 'with their offsets');

# ---- after -------------------------------------------------------------------------------------

$node->stop('immediate');
$standby->promote;
ok(poll_until(sub { my $new = KafkaClient->new($standby_port) or return 0; (commit_error($new, 'g', 'events', 0, 2) // 'closed') eq '0' }), 'once it is promoted it serves clients');
$client = KafkaClient->new($standby_port);
my $served = $client->api_versions;
# what deletes the topic comes last
foreach my $key (sort { ($a == DELETE_TOPICS) <=> ($b == DELETE_TOPICS) || $a <=> $b } keys %$served)
{
	my ($name, $code) = @{ $apis{$key} // fail("API $key is told here") && next };
	my $said = eval { $code->() } // "nothing: $@";

	unlike($said, qr/^(?:$refused|nothing.*)$/, "$name is served ($said)");
	$client = KafkaClient->new($standby_port) if !defined eval { $client->metadata('events') };
}
is(join(' ', grep { !exists $served->{$_} } sort { $a <=> $b } keys %apis), '', 'all that is told here is served');
unlike(slurp_file($standby->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$standby->stop;
done_testing();
