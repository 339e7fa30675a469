# Files under test: src/broker/groups/classic_claims.c and classic_withheld.c.
# Members of a classic group are not told of partitions that cannot be claimed for them, since the group was given to a role that may not
# have them; so nobody in SQL has a partition beside them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaOffsets;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ kafka_settings($port), 'pg_topics.kafka_group_initial_rebalance_delay = 0' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	CREATE ROLE other;
	GRANT other TO producer;
	SELECT create_topic('events', partitions => 2);
	INSERT INTO events (partition, value) SELECT i % 2, i FROM generate_series(0, 9) i;
	GRANT SELECT ON events TO producer});
poll_until(sub { my $client = KafkaClient->new($port) and 1 }) or die 'no listener';

my $member = KafkaMember->new($port, 'g', topics => ['events'], session => 30000);
is((form_group('events', 2, $member))[0], 'events-0 events-1', 'a client has the partitions');
is(commit_error($member->client, 'g', 'events', 0, 1, member => $member->{member}, generation => $member->{generation}), 0, 'and commits');
sql(q{SELECT alter_group_owner('events', 'g', 'other')});
is((form_group('events', 2, $member))[0], '', 'it is told of none when its group was given to a role that may not read the topic');
poll_until(sub { sql(q{SELECT count(*) FROM topic_group_offsets WHERE member_id LIKE 'kafka:%'}) eq '0' }) or die 'claims stay';
is(sql(q{SET ROLE producer; SELECT min(record_offset) FROM consume('events', 'g', 1, partitions => '{0}')}), '1', 'SQL goes on, beside nobody');
sql('GRANT SELECT ON events TO other');
poll_until(sub { $member->heartbeat_error == 27 }) or die 'no rebalance';
pass('when that role may read it, the group rebalances');
is((form_group('events', 2, $member))[0], 'events-0 events-1', 'and has the partitions again');
my ($code, $out, $err) = try_psql($node, "SET ROLE producer\nSELECT count(*) FROM consume('events', 'g', 1)");
like($err, qr/in use by Kafka clients/, 'SQL is refused');
done_testing();
