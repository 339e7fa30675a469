#!/usr/bin/env perl
# Files under test: src/broker/groups/group_configs.c, src/group/kafka_group_config.c, src/broker/configs/alter_group_config.c,
# src/broker/configs/group_config_list.c.
# What is configured for single groups: by IncrementalAlterConfigs and in SQL, who may, and what it does to members.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember qw(delete_groups);
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_group_share_session_timeout = 20s', 'max_worker_processes = 20');

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; SELECT create_topic('jobs');
	GRANT SELECT, INSERT ON jobs TO app, other; SELECT produce('jobs', 'k', 'v' || i) FROM generate_series(1, 20) i});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $id = topic_ids(\&sql)->{jobs};
my ($app, $other) = (client(), client_as('other'));

# The error of changing a group's configurations, each [name, operation, value].
sub alters { my ($client, $group, @changes) = @_; return alter_configs($client, [ [ GROUP, $group, \@changes ] ])->[0]{error} }
sub message { my ($client, $group, @changes) = @_; return alter_configs($client, [ [ GROUP, $group, \@changes ] ])->[0]{message} }

# A value, where it comes from, and its synonyms.
sub told
{
	my ($group, $name, $client) = @_;
	my $answer = describe_configs($client // $app, [ [ GROUP, $group, [$name] ] ], synonyms => 1)->[0];
	my $config = $answer->{configs}{$name};

	return $answer->{error} ? "error $answer->{error}" :
	  join ' ', @$config{qw(value source)}, map { join '/', @$_ } @{ $config->{synonyms} };
}

# ---- what groups have that say nothing -------------------------------------------------------

is(told('g', 'share.session.timeout.ms'), '20000 4 group.share.session.timeout.ms/20000/4', 'what a setting says');
is(told('g', 'share.heartbeat.interval.ms'), '5000 5 group.share.heartbeat.interval.ms/5000/5', 'what none has changed');
is(told('g', 'share.auto.offset.reset'), 'latest 5 share.auto.offset.reset/latest/5', 'a word');
is(join(' ', @{ describe_configs($app, [ [ GROUP, 'g' ] ])->[0]{order} }),
	'consumer.heartbeat.interval.ms consumer.session.timeout.ms share.auto.offset.reset share.heartbeat.interval.ms share.isolation.level '
	  . 'share.record.lock.duration.ms share.session.timeout.ms', 'all that a group can have');
my $broker = describe_configs($app, [ [ BROKER, '1' ] ])->[0]{configs};
is(join(' ', map { "$_->{value}:$_->{source}" } @$broker{ map { "group.share.$_" } qw(session.timeout.ms record.lock.duration.ms max.size) }),
	'20000:4 30000:5 200:5', 'the broker tells the defaults');

# ---- setting, and removing -------------------------------------------------------------------

is(alters($app, 'g', [ 'share.session.timeout.ms', SET, '30000' ], [ 'share.auto.offset.reset', SET, 'earliest' ]), 0, 'two are set');
is(told('g', 'share.session.timeout.ms'), '30000 8 share.session.timeout.ms/30000/8 group.share.session.timeout.ms/20000/4', 'the first one');
is(told('g', 'share.auto.offset.reset'), 'earliest 8 share.auto.offset.reset/earliest/8 share.auto.offset.reset/latest/5', 'the second one');
is(told('h', 'share.session.timeout.ms'), '20000 4 group.share.session.timeout.ms/20000/4', 'not of another group');
is_deeply(list_config_resources($app, [GROUP]), [ 0, [ GROUP, 'g' ] ], 'such groups are listed');
is_deeply(list_config_resources($other, [GROUP]), [0], 'for those that may act for who has set it');
is(alters($app, 'g', [ 'share.auto.offset.reset', DELETE, undef ], [ 'streams.num.standby.replicas', DELETE, undef ]), 0, 'one is removed');
is(told('g', 'share.auto.offset.reset'), 'latest 5 share.auto.offset.reset/latest/5', 'it has its default again');
is(alters($app, 'g', [ 'share.record.lock.duration.ms', SET, '60000' ]), 0, 'another one');
is(alter_configs($app, [ [ GROUP, 'g', [ [ 'share.session.timeout.ms', SET, '40000' ] ] ] ], validate_only => 1)->[0]{error}, 0, 'a dry run');
is(told('g', 'share.session.timeout.ms'), '30000 8 share.session.timeout.ms/30000/8 group.share.session.timeout.ms/20000/4', 'changes nothing');
foreach my $bad ([ 'share.session.timeout.ms', SET, '999' ], [ 'share.session.timeout.ms', SET, '5000' ], [ 'share.session.timeout.ms', SET, ' 6000' ],
	[ 'share.session.timeout.ms', SET, '99999999999' ], [ 'share.heartbeat.interval.ms', SET, '30000' ], [ 'share.auto.offset.reset', SET, 'by_duration:PT1H' ],
	[ 'share.isolation.level', SET, '' ], [ 'share.auto.offset.reset', APPEND, 'latest' ], [ 'retention.ms', SET, '1' ], [ 'streams.num.standby.replicas', SET, '1' ])
{
	is(alters($app, 'g', $bad), 40, "refused: $bad->[0] " . ($bad->[2] // ''));
}
like(message($app, 'g', [ 'share.session.timeout.ms', SET, '1' ]), qr/from 1000 to/, 'the message tells what there is');
is(alters($app, '', [ 'share.session.timeout.ms', SET, '30000' ]), 42, 'no name');
is(alters($app, 'x' x 300, [ 'share.session.timeout.ms', SET, '30000' ]), 24, 'one that no group can have');

# ---- who may -----------------------------------------------------------------------------------

is(alters($other, 'g', [ 'share.session.timeout.ms', SET, '35000' ]), 30, 'another role may not change what was set before there is a group');
is(alters($other, 'h', [ 'share.record.lock.duration.ms', SET, '35000' ]), 0, 'it may configure another one');
my $member = KafkaShare->new(client(), group => 'h', member => 'm');
poll_until(sub { share_heartbeat($app, group => 'h', member => 'm', epoch => 0, names => ['jobs'])->{error} == 0 });
ok(poll_until(sub { ($member->fetch(add => { $id => [0] }, wait => 0) // {})->{lock} == 35000 }), 'which counts when somebody else makes the group');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_topic_share_groups WHERE group_id = 'h'}) eq '1' }), 'the group is there');
is(alters($other, 'h', [ 'share.record.lock.duration.ms', SET, '36000' ]), 30, 'then it is the owner who may change it');
is(told('h', 'share.record.lock.duration.ms', $other), 'error 30', 'and see it');
is(alters($app, 'h', [ 'share.record.lock.duration.ms', SET, '37000' ]), 0, 'the owner changes it');
ok(poll_until(sub { $member->fetch(wait => 0)->{lock} == 37000 }), 'which counts at once');

# ---- what it does ---------------------------------------------------------------------------------

is(share_heartbeat($app, group => 'g', member => 'a', epoch => 0, names => ['jobs'])->{interval}, 5000, 'a member of the share group');
is(alters($app, 'g', [ 'share.heartbeat.interval.ms', SET, '700' ], [ 'share.session.timeout.ms', SET, '1000' ], [ 'share.auto.offset.reset', SET, 'earliest' ]), 0,
	'other timeouts');
ok(poll_until(sub { share_heartbeat($app, group => 'g', member => 'a', epoch => 0, names => ['jobs'])->{interval} == 700 }), 'the next heartbeat tells');
ok(poll_until(sub { slurp_file($node->logfile) =~ /member "a" of share group "g" of Kafka clients is gone/ }), 'and it is gone sooner');
my $first = KafkaShare->new(client(), group => 'g', member => 'f');
is(acquired_text($first->fetch(add => { $id => [0] }, wait => 5000)->{partitions}{"$id:0"} // {}), '0-19x1', 'the group begins where it is to begin');

is(alters($app, 'c', [ 'consumer.heartbeat.interval.ms', SET, '300' ], [ 'consumer.session.timeout.ms', SET, '1500' ]), 0, 'a consumer group');
my $consumer;
ok(poll_until(sub { $consumer = KafkaHeartbeat::heartbeat($app, group => 'c', member => 'm', epoch => 0, names => ['jobs'], timeout => 60000, owned => {}); $consumer->{error} == 0 }), 'with a member');
is($consumer->{interval}, 300, 'its members are told');
ok(poll_until(sub { slurp_file($node->logfile) =~ /member "m" of consumer group "c" of Kafka clients is gone/ }), 'and gone when they are silent');

# ---- SQL, restarts, and the end of a group ----------------------------------------------------------

sql(q{INSERT INTO topic_kafka_group_configs VALUES ('g', 'share.record.lock.duration.ms', '1234') ON CONFLICT (group_id, name) DO UPDATE SET value = excluded.value;
	INSERT INTO topic_kafka_group_configs VALUES ('n', 'share.session.timeout.ms', 'nonsense'), ('n', 'nothing', '1')});
ok(poll_until(sub { told('g', 'share.record.lock.duration.ms') =~ /^1234 8/ }), 'a superuser writes to the table');
is(told('n', 'share.session.timeout.ms'), '20000 4 group.share.session.timeout.ms/20000/4', 'nonsense does not count');
$node->restart('immediate');
ok(wait_for_listener(), 'the server is there again');
($app, $other) = (client(), client_as('other'));
is(told('g', 'share.record.lock.duration.ms'), '1234 8 share.record.lock.duration.ms/1234/8 group.share.record.lock.duration.ms/30000/5', 'through a crash');
ok(poll_until(sub { delete_groups($app, ['h'])->{h} == 0 }), 'a group is deleted');
is(sql(q{SELECT count(*) FROM topic_kafka_group_configs WHERE group_id = 'h'}), '0', 'and what was configured for it');
is(told('h', 'share.record.lock.duration.ms'), '30000 5 group.share.record.lock.duration.ms/30000/5', 'for members as well');
sql(q{SET ROLE app; SELECT delete_group('g')});
is(sql(q{SELECT count(*) FROM topic_kafka_group_configs WHERE group_id = 'g'}), '0', 'in SQL likewise');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE topic_kafka_group_configs IN ACCESS EXCLUSIVE MODE');
is(share_heartbeat($app, group => 'l', member => 'a', epoch => 0, names => ['jobs'])->{error}, 0, 'nobody waits for who has the table');
$session->query_safe('COMMIT');
$session->quit;

unlike(slurp_file($node->logfile), qr/PANIC|TRAP/, 'nothing has gone wrong');
done_testing();
