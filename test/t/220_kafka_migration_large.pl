#!/usr/bin/env perl
# A group with 2,000 members goes from the classic protocol to the new one and back (src/coordinator/group_migration.c,
# src/broker/groups/migrate_group.c): all members are there, with what they had, in memory, in rows and after a crash.
# TOPIC_TEST_MEMBERS is another number of them; how long others wait meanwhile is in the test's log.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $members = $ENV{TOPIC_TEST_MEMBERS} // 2000;
my ($node, $port) = start_kafka_server('pg_topics.kafka_group_initial_rebalance_delay = 0', 'pg_topics.max_partitions = 20000');

sub kind { my $groups = eval { KafkaMember::list_groups(client()) }; return ref $groups ? ($groups->{big} // '') : '' }

# How many members there are in rows, and how many partitions they were assigned.
sub rows { return sql(q{SELECT kind || ' ' || (SELECT count(*) FROM topic_kafka_members WHERE group_id = 'big') FROM topic_kafka_groups WHERE group_id = 'big'}) }

sql("CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('orders', partitions => $members); GRANT SELECT ON orders TO app");
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $witness = KafkaMember->new($port, 'witness', topics => []);
form_group('orders', 0, $witness);
my $first = KafkaMember->new($port, 'big', topics => ['orders'], session => 1_800_000, rebalance => 1_800_000);
form_group('orders', 1, $first);
my $generation = $first->{generation};

# as if others had joined: each has one partition
$node->stop('fast');
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = ''");
$node->start;
sql(qq{INSERT INTO topic_kafka_members SELECT group_id, 'other-' || p, instance_id, client_id, client_host, session_timeout, rebalance_timeout,
	epoch, subscription, '\\x0000'::bytea || int4send(1) || int2send(6::int2) || 'orders'::bytea || int4send(1) || int4send(p) || '\\xffffffff'::bytea, state
	FROM topic_kafka_members, generate_series(1, $members - 1) p WHERE group_id = 'big';
	SET session_replication_role = replica;
	INSERT INTO topic_group_offsets (group_id, topic, partition, member_id, lease_until, owner)
	SELECT group_id, topic, p, 'kafka:other-' || p, lease_until, owner FROM topic_group_offsets, generate_series(1, $members - 1) p WHERE group_id = 'big'});
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'");
$node->restart;
ok(poll_until(sub { kind() eq 'consumer:Stable:Classic' }), "a classic group of $members members");
$_->reconnect foreach $witness, $first;

# The longest that another client waits until $client has an answer, in ms.
sub longest
{
	my ($client) = @_;
	my $longest = 0;

	until ($client->is_readable)
	{
		my $begin = time;

		$witness->heartbeat_error;
		$longest = time - $begin if time - $begin > $longest;
	}
	return int(1000 * $longest);
}

# up
my $new = KafkaHeartbeat->new(\&client, group => 'big', member => 'new', names => ['orders']);
KafkaHeartbeat::send_heartbeat($new->client, $new->request);
note('others wait for ' . longest($new->client) . ' ms on the way up');
my $answer = KafkaHeartbeat::read_heartbeat($new->client);
cmp_ok($answer->{epoch}, ">", $generation, 'a member of the new protocol joins');
is(rows(), 'consumer ' . ($members + 1), 'all are in rows of a group of the new protocol');
my $group = KafkaHeartbeat::describe_consumer_groups(client(), 'big')->{big};
is(scalar keys %{ $group->{members} }, $members + 1, 'and in memory');
is(scalar(grep { @{ $_->{assignment}{orders} // [] } == 1 } values %{ $group->{members} }), $members, 'each has what it had');
is($first->heartbeat_error, 27, 'and is told to join again');
is($first->join_again, 0, 'which it does');

# and back
$node->stop('immediate');
$node->start;
ok(poll_until(sub { kind() =~ /:Consumer$/ }), 'after a crash it is still a group of the new protocol');
$_->reconnect foreach $witness, $first, $new;
KafkaHeartbeat::send_heartbeat($new->client, group => 'big', member => 'new', epoch => -1);
note('others wait for ' . longest($new->client) . ' ms on the way down');
is(KafkaHeartbeat::read_heartbeat($new->client)->{error}, 0, 'it leaves');
ok(poll_until(sub { kind() =~ /:Classic$/ }), 'the group is a classic one');
is(rows(), "classic $members", 'with all others');
is($first->heartbeat_error, 27, 'which are to rebalance');
$node->stop('immediate');
$node->start;
ok(poll_until(sub { kind() =~ /:Classic$/ }), 'also after a crash');
is(rows(), "classic $members", 'with all of them');
done_testing();
