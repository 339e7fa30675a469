#!/usr/bin/env perl
# DescribeConfigs and ListConfigResources of Kafka's clients (src/broker/configs/describe_configs.c, list_config_resources.c,
# topic_configs.c, broker_configs.c, other_configs.c, config_resource.c), and the options of topics without effect
# (src/topic/topic_options.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaClient;
use KafkaServer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_node_id = 7',
	'pg_topics.kafka_group_consumer_heartbeat_interval = 7s',
	'pg_topics.kafka_group_max_size = 20',
	'pg_topics.log_retention_ms = -2',
	'pg_topics.compression_type = producer',
	'max_worker_processes = 12');

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE nobody LOGIN; GRANT CREATE ON SCHEMA public TO app');
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 32, 74 } ], [ [ 1, 4 ], [ 0, 1 ] ], 'the versions that Kafka 4.4 serves');

# ---- a topic -----------------------------------------------------------------------

sub topic { return describe_configs($client, [ [ TOPIC, @_ ] ], synonyms => 1, documentation => 1)->[0] }

is(create_error($client, 'orders', partitions => 2, configs => [ 'retention.ms' => '3600000', 'cleanup.policy' => 'compact' ]), 0, 'a topic');
my $answer = topic('orders');
is("$answer->{error} $answer->{type} $answer->{name}", '0 2 orders', 'it is described');
my %configs = %{ $answer->{configs} };
is_deeply($answer->{order}, [ sort keys %configs ], 'in the order of names');
ok(!exists $configs{partitions} && !exists $configs{'kafka.topic'}, 'what clients set otherwise is no configuration');
is(scalar(grep { length($configs{$_}{documentation} // '') < 10 } keys %configs), 0, 'each has a sentence of documentation');
is_deeply($configs{'retention.ms'}, { value => '3600000', read_only => 0, source => 1, type => 5,
	documentation => $configs{'retention.ms'}{documentation},
	synonyms => [ [ 'retention.ms', '3600000', 1 ], [ 'log.retention.hours', '168', 5 ] ] }, 'an option that is set');
is_deeply([ @{ $configs{'cleanup.policy'} }{qw(value source type)} ], [ 'compact', 1, 7 ], 'a list');
is_deeply($configs{'segment.bytes'}{synonyms}, [ [ 'log.segment.bytes', '1073741824', 5 ] ], 'one that is not set has the default');
is(join(' ', map { "$_=$configs{$_}{value}:$configs{$_}{source}:$configs{$_}{type}" }
	  qw(segment.bytes max.message.bytes min.cleanable.dirty.ratio batch.merge compression.type retry.topic partitioner.class)),
	'segment.bytes=1073741824:5:3 max.message.bytes=1048588:5:3 min.cleanable.dirty.ratio=0.5:5:6 batch.merge=true:5:1 '
	  . 'compression.type=producer:5:2 retry.topic=:5:2 partitioner.class=:5:2', 'of each type');
is_deeply($configs{'batch.merge'}{synonyms}, [], 'an option that no setting gives has no synonyms');

# what Kafka's topics have, and what is true of these here
my %idle = ('file.delete.delay.ms' => '0', 'flush.messages' => '1', 'flush.ms' => '0', 'index.interval.bytes' => '4096',
	'preallocate' => 'false', 'segment.index.bytes' => '10485760', 'segment.jitter.ms' => '0',
	'unclean.leader.election.enable' => 'false', 'remote.storage.enable' => 'false', 'remote.log.copy.disable' => 'false',
	'remote.log.delete.on.disable' => 'false', 'local.retention.ms' => '-2', 'local.retention.bytes' => '-2',
	'leader.replication.throttled.replicas' => '', 'follower.replication.throttled.replicas' => '',
	'errors.deadletterqueue.group.enable' => 'false');
is_deeply({ map { $_ => $configs{$_}{value} } keys %idle }, \%idle, 'options of Kafka that have no effect are shown');

is_deeply([ sort keys %{ topic('orders', [ 'retention.ms', 'no.such', 'segment.ms' ])->{configs} } ], [ 'retention.ms', 'segment.ms' ], 'some of them');
is(scalar keys %{ topic('orders', [])->{configs} }, scalar keys %configs, 'an empty list stands for all');
is_deeply(topic('orders', ['no.such'])->{configs} // {}, {}, 'none of them');
foreach my $version (1 .. 4)
{
	my $old = describe_configs($client, [ [ TOPIC, 'orders' ] ], version => $version, synonyms => 1, documentation => 1)->[0];

	is_deeply($old->{order}, $answer->{order}, "version $version");
	is_deeply([ @{ $old->{configs}{'retention.ms'} }{qw(value source synonyms)} ], [ @{ $configs{'retention.ms'} }{qw(value source synonyms)} ],
		'with the same values');
}
$answer = describe_configs($client, [ [ TOPIC, 'orders' ] ])->[0];
is_deeply($answer->{configs}{'retention.ms'}{synonyms}, [], 'without synonyms where nobody wants them');
is($answer->{configs}{'retention.ms'}{documentation}, undef, 'nor documentation');

# as SQL sets them
sql(q{ALTER FOREIGN TABLE orders OPTIONS (ADD "key.index" 'on', ADD "partitioner.class" 'sticky', SET "cleanup.policy" 'compact,delete')});
is(topic_config($client, 'orders', 'key.index'), 'true 1', 'what SQL has set, in the words of Kafka');
is(topic_config($client, 'orders', 'partitioner.class'), 'sticky 1', 'also what Kafka does not know');
my $session = open_session($node);
$session->run(q{BEGIN; ALTER FOREIGN TABLE orders OPTIONS (SET "retention.ms" '5'); DROP FOREIGN TABLE orders});
is(topic_config($client, 'orders', 'retention.ms'), '3600000 1', 'a statement that has the topic for itself is not waited for');
$session->run('ROLLBACK');
$session->close;

# errors
sub errors { return join(' ', map { $_->{error} } @{ describe_configs(@_) }) }
is(errors($client, [ [ TOPIC, 'none' ], [ TOPIC, 'a b' ], [ TOPIC, '' ], [ TOPIC, 'orders' ] ]), '3 17 17 0', 'each topic on its own');
is(errors(client_as('nobody'), [ [ TOPIC, 'orders' ] ]), '29', 'who may not know of a topic');
sql('GRANT INSERT ON orders TO nobody');
is(errors(client_as('nobody'), [ [ TOPIC, 'orders' ] ]), '0', 'who may write to it');
sql('REVOKE INSERT ON orders FROM nobody; CREATE TABLE no_topic (i int); GRANT ALL ON no_topic TO app');
is(errors($client, [ [ TOPIC, 'no_topic' ] ]), '3', 'a table is no topic');
is(errors($client, [ [ TOPIC, 'orders' ], [ TOPIC, 'orders' ], [ BROKER, '7' ] ]), '42 42 0', 'a resource that is there twice');
is(errors($client, [ map { [ $_, 'x' ] } 0, 1, 3, 64, -1 ]), '42 42 42 42 42', 'types that there are not');
is(errors($client, [ [ TOPIC, 'orders', [ map { "k$_" } 1 .. 1001 ] ] ]), '42', 'more names than there are options');
is_deeply(describe_configs($client, []), [], 'nothing at all');

# ---- the broker ------------------------------------------------------------------------

$answer = describe_configs($client, [ [ BROKER, '7' ], [ BROKER, '' ] ], synonyms => 1, documentation => 1);
is("$answer->[0]{error} $answer->[1]{error}", '0 0', 'the broker is described');
is_deeply($answer->[1]{configs} // {}, {}, 'what all brokers were given at run time is nothing');
%configs = %{ $answer->[0]{configs} };
is_deeply($answer->[0]{order}, [ sort keys %configs ], 'in the order of names');
is(scalar(grep { length($configs{$_}{documentation} // '') < 10 || !$configs{$_}{read_only} } keys %configs), 0,
	'each has documentation and is read-only');
my %expected = ('broker.id' => '7:4', 'node.id' => '7:4', 'num.partitions' => '1:5', 'log.retention.hours' => '168:5',
	'message.max.bytes' => '1048588:5', 'auto.create.topics.enable' => 'false:5', 'delete.topic.enable' => 'true:5',
	'offsets.retention.minutes' => '10080:5', 'default.replication.factor' => '1:5', 'min.insync.replicas' => '1:5',
	'log.cleanup.policy' => 'delete:5', 'compression.type' => 'producer:5', 'unclean.leader.election.enable' => 'false:5',
	'advertised.listeners' => "PLAINTEXT://127.0.0.1:$port:4", 'listeners' => "PLAINTEXT://127.0.0.1:$port:4",
	'log.dirs' => 'pg_topics:5', 'queued.max.request.bytes' => '268435456:5', 'max.connections.per.ip' => '2147483647:5',
	'log.message.timestamp.before.max.ms' => '9223372036854775807:5', 'sasl.enabled.mechanisms' => 'SCRAM-SHA-256,PLAIN:5',
	'group.initial.rebalance.delay.ms' => '3000:5', 'group.min.session.timeout.ms' => '6000:5', 'group.max.session.timeout.ms' => '1800000:5',
	'group.max.size' => '20:4', 'group.consumer.max.size' => '20:4', 'group.consumer.heartbeat.interval.ms' => '7000:4',
	'group.consumer.session.timeout.ms' => '45000:5', 'group.consumer.assignors' => 'uniform,range:5',
	'group.consumer.migration.policy' => 'bidirectional:5',
	'group.coordinator.rebalance.protocols' => 'classic,consumer:5');
is_deeply({ map { my $config = $configs{$_}; $_ => $config->{value} . ":$config->{source}" } keys %expected }, \%expected, 'with what is true');
is($configs{$_}{value}, undef, "$_ is not set") foreach 'log.retention.ms', 'log.retention.minutes', 'log.roll.ms', 'broker.rack';
is(errors(client_as('nobody'), [ [ BROKER, '7' ] ]), '0', 'any role may see it');
is(errors($client, [ [ BROKER, '8' ], [ BROKER, 'x' ], [ BROKER, '07' ] ]), '42 42 42', 'other brokers');

# settings
sql("ALTER SYSTEM SET pg_topics.$_") foreach q{log_retention_minutes = 5}, q{log_cleanup_policy = 'compact'},
  q{log_message_timestamp_after_max_ms = -1}, q{kafka_num_partitions = 3}, q{kafka_group_consumer_migration_policy = 'upgrade'};
$node->reload;
ok(poll_until(sub { describe_configs($client, [ [ BROKER, '7', ['num.partitions'] ] ])->[0]{configs}{'num.partitions'}{value} == 3 }),
	'settings are reloaded');
is(describe_configs($client, [ [ BROKER, '7', ['group.consumer.migration.policy'] ] ])->[0]{configs}{'group.consumer.migration.policy'}{value}, 'upgrade',
	'also one that is a word');
%configs = %{ topic('orders')->{configs} };
is_deeply($configs{'retention.ms'}{synonyms}, [ [ 'retention.ms', '3600000', 1 ], [ 'log.retention.minutes', '5', 4 ], [ 'log.retention.hours', '168', 5 ] ],
	'a topic tells which of them count');
is(create_error($client, 'plain'), 0, 'a topic without options');
%configs = %{ topic('plain')->{configs} };
is_deeply([ @{ $configs{'retention.ms'} }{qw(value source)} ], [ '300000', 4 ], 'has what a setting says');
is_deeply([ @{ $configs{'cleanup.policy'} }{qw(value source)} ], [ 'compact', 4 ], 'as well as this one');
is($configs{'message.timestamp.after.max.ms'}{value}, '9223372036854775807', 'no limit, as Kafka says it');
my $created = create_topics($client, [ { name => 'told', configs => [ 'retention.ms' => '1000' ] } ])->{told}{configs};
is_deeply([ @{$created}{qw(retention.ms cleanup.policy segment.bytes)} ], [ [ '1000', 1 ], [ 'compact', 4 ], [ '1073741824', 5 ] ],
	'a new topic tells the same');

# ---- what there is nothing of -----------------------------------------------------------------

$answer = describe_configs($client, [ [ GROUP, 'any' ], [ CLIENT_METRICS, 'any' ], [ BROKER_LOGGER, '7' ], [ GROUP, '' ], [ CLIENT_METRICS, '' ],
	[ BROKER_LOGGER, '' ] ], documentation => 1);
is(join(' ', map { $_->{error} } @$answer), '0 0 0 42 42 42', 'groups, metrics, loggers');
is(join(' ', map { "$_=$answer->[0]{configs}{$_}{value}" } @{ $answer->[0]{order} }),
	'consumer.heartbeat.interval.ms=7000 consumer.session.timeout.ms=45000 share.auto.offset.reset=latest share.heartbeat.interval.ms=5000 '
	  . 'share.isolation.level=read_committed share.record.lock.duration.ms=30000 share.session.timeout.ms=45000', 'a group has what settings say');
is_deeply([ map { $answer->[0]{configs}{$_}{source} } @{ $answer->[0]{order} } ], [ 4, 5, 5, 5, 5, 5, 5 ], 'or the defaults');
is(join(' ', map { "$_=$answer->[1]{configs}{$_}{value}" } @{ $answer->[1]{order} }), 'interval.ms=300000 match= metrics=', 'as metrics have');
is_deeply($answer->[2]{configs} // {}, {}, 'there are no loggers');

# ---- ListConfigResources ------------------------------------------------------------------------

is_deeply(list_config_resources($client, []), [ 0, [ 8, '7' ], [ 4, '7' ], map { [ 2, $_ ] } qw(orders plain told) ], 'all that is configured');
is_deeply(list_config_resources($client, [TOPIC]), [ 0, map { [ 2, $_ ] } qw(orders plain told) ], 'topics');
is_deeply(list_config_resources($client, [ BROKER, GROUP ]), [ 0, [ 4, '7' ] ], 'brokers and groups');
is_deeply(list_config_resources($client, [CLIENT_METRICS]), [0], 'metrics');
is_deeply(list_config_resources($client, [ TOPIC, 3 ]), [35], 'a type that there is not');
is_deeply(list_config_resources($client, undef, version => 0), [0], 'version 0 has metrics alone');
is_deeply(list_config_resources(client_as('nobody'), [TOPIC]), [0], 'who may not know of topics');

# ---- options without effect -------------------------------------------------------------------------

my @given = map { $_ => $idle{$_} } grep { $_ ne 'index.interval.bytes' } sort keys %idle;
is(create_error($client, 'idle', configs => \@given), 0, 'options without effect are taken, with what is true');
is(create_error($client, 'other', configs => [ 'flush.messages' => 10000, 'flush.ms' => 1000, 'preallocate' => 'true',
	'segment.jitter.ms' => 5, 'file.delete.delay.ms' => 60000, 'segment.index.bytes' => 1000000 ]), 0, 'some with any value');
is(topic_config($client, 'other', 'flush.messages'), '10000 1', 'they are kept');
like(sql(q{SELECT config FROM pg_topics WHERE topic = 'other'::regclass}), qr/"preallocate": "true"/, 'SQL shows them');
is(create_error($client, 'no', configs => [@$_]), 40, "$_->[0]=$_->[1] is not true") foreach [ 'unclean.leader.election.enable', 'true' ],
  [ 'remote.storage.enable', 'true' ], [ 'local.retention.ms', '1000' ], [ 'leader.replication.throttled.replicas', '*' ],
  [ 'errors.deadletterqueue.group.enable', 'true' ], [ 'flush.messages', '0' ], [ 'flush.ms', '-1' ], [ 'preallocate', 'maybe' ],
  [ 'segment.index.bytes', '3' ];
is(create_error($client, 'no', configs => [@$_]), 40, "$_->[0] there is not") foreach [ 'message.format.version', '3.0' ],
  [ 'message.downconversion.enable', 'true' ], [ 'message.timestamp.difference.max.ms', 1 ], [ 'remote.copy.lag.ms', 1 ];
like(create_topics($client, [ { name => 'no', configs => [ 'unclean.leader.election.enable' => 'true' ] } ])->{no}{message},
	qr/^invalid value for option "unclean.leader.election.enable": "true"\. The only value is "false"\. Which standby is promoted/, 'the message says why');

done_testing();
