# Files under test: src/share/share_group.c, src/broker/groups/join_group.c, src/broker/groups/consumer_group_heartbeat.c,
# src/broker/groups/sql_group.c, src/group/group_row_write.c.
# A name is that of a share group or of a group of Kafka's clients, not of both.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaMember;
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_group_initial_rebalance_delay = 0');

use constant { INCONSISTENT_GROUP_PROTOCOL => 23, GROUP_AUTHORIZATION_FAILED => 30, GROUP_ID_NOT_FOUND => 69 };

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('jobs'); INSERT INTO jobs (value) SELECT i FROM generate_series(1, 9) i;
	CREATE ROLE app LOGIN; GRANT SELECT ON jobs TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
poll_until(sub { fetched($client, 'nobody', 'jobs', 0) eq '-1  -1' }) or die 'no coordinator';

# ---- a share group comes first ------------------------------------------------------

is(sql(q{SET ROLE app; SELECT count(*) FROM consume_shared('jobs', 'shared', 2)}), '2', 'a share group');
my $member = KafkaMember->new($port, 'shared', topics => ['jobs'], session => 30000);
is((join_group($member->client, 'shared', topics => ['jobs']))->{error}, INCONSISTENT_GROUP_PROTOCOL, 'a client cannot join it');
my $modern = KafkaHeartbeat->new(\&client, group => 'shared', member => 'm', names => ['jobs']);
is($modern->beat->{error}, GROUP_ID_NOT_FOUND, 'nor by the newer protocol');
is(commit_error($client, 'shared', 'jobs', 0, 5), GROUP_AUTHORIZATION_FAILED, 'nor commit offsets');
is(sql(q{SELECT count(*) FROM topic_kafka_groups WHERE group_id = 'shared'}), '0', 'nothing is left of that');
is(sql(q{SET ROLE app; SELECT count(*) FROM consume_shared('jobs', 'shared', 2)}), '2', 'the share group goes on');
is(sql(q{SELECT delete_group('jobs', 'shared')}), '1', 'once it is deleted');
is(commit_error($client, 'shared', 'jobs', 0, 5), 0, 'the name is free');

# ---- a group of clients comes first ---------------------------------------------------

$member = KafkaMember->new($port, 'clients', topics => ['jobs'], session => 30000);
is((form_group('jobs', 1, $member))[0], 'jobs-0', 'a client forms a group');
like(($node->psql('postgres', q{SELECT consume_shared('jobs', 'clients')}))[2], qr/"clients" is a consumer group, not a share group/, 'which no share group can be');
like(($node->psql('postgres', q{SELECT consume_shared('jobs', 'shared')}))[2], qr/"shared" is a consumer group, not a share group/, 'nor one that has only committed');
$node->stop;
done_testing();
