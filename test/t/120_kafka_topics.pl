#!/usr/bin/env perl
# Topics that Kafka's clients create and delete (src/broker/create_topics.c, delete_topics.c, auto_create.c,
# topic_change.c, topic_names.c), in the helper processes (helper.c, helper_pool.c, helper_process.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaLogin;
use KafkaProducer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'",
	"pg_topics.kafka_anonymous_role = 'app'",
	"pg_topics.kafka_search_path = 'nowhere, public'",
	'max_worker_processes = 12' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub client { return KafkaClient->new($port) // die "no connection: $!" }

# A connection as another role.
sub client_as
{
	my ($role) = @_;
	my $client = client();

	die "$role cannot log in" if login_plain($client, $role, 'any')->{error} != 0;
	return $client;
}

sub helpers { return sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper'}) }

# The pid of a helper that waits for a lock.
sub waiting_helper
{
	my $pid;

	poll_until(sub { $pid = sql(q{SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'}) }) or die 'no helper waits';
	return $pid;
}

# Change settings; the listener has them when it reports the new rack.
my $version = 0;
sub reload_with
{
	my (%settings) = @_;
	my $client = client();

	$version++;
	sql("ALTER SYSTEM SET $_ = '$settings{$_}'") foreach keys %settings;
	sql("ALTER SYSTEM SET pg_topics.kafka_rack = 'v$version'");
	$node->reload;
	poll_until(sub {
		my $reader = $client->call(KafkaClient::METADATA, 1, KafkaClient::int32(0));

		$reader->int32;
		$reader->int32;
		$reader->string;
		$reader->int32;
		return ($reader->string // '') eq "v$version" }) or die 'the settings do not arrive';
	return;
}

sub topic { return sql("SELECT partitions, config FROM pg_topics WHERE topic::text = '$_[0]'") }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE nobody LOGIN');
sql('GRANT CREATE ON SCHEMA public TO app, other; CREATE SCHEMA sales; CREATE SCHEMA "a.b"; GRANT CREATE, USAGE ON SCHEMA "a.b" TO app');
ok(poll_until(sub { KafkaClient->new($port) }), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 19, 20 } ], [ [ 2, 7 ], [ 1, 6 ] ], 'the versions that Kafka 4.4 serves');
is(helpers(), 0, 'no helper runs before there is something to do');

# ---- CreateTopics ----------------------------------------------------------------

my $answer = create_topics($client, [ { name => 'orders', partitions => 3, replication => 3,
	configs => [ 'retention.ms' => '3600000', 'cleanup.policy' => 'compact' ] } ])->{orders};
is("$answer->{error} $answer->{partitions} $answer->{replication}", '0 3 1', 'a topic is created');
is($answer->{message}, undef, 'without a message');
is_deeply([ @{ $answer->{configs} }{qw(retention.ms cleanup.policy max.message.bytes)} ],
	[ [ '3600000', 1 ], [ 'compact', 1 ], [ '1048588', 5 ] ], 'its configuration is told');
is(topic('orders'), '3|{"retention.ms": 3600000, "cleanup.policy": "compact"}', 'SQL has it');
is(sql(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0}),
	'partition integer, record_offset bigint, record_timestamp timestamp with time zone, key bytea, value bytea, headers jsonb',
	'with keys and values of any bytes');
is(sql(q{SELECT relowner::regrole FROM pg_class WHERE relname = 'orders'}), 'app', 'the role owns it');
my $meta = topic_metadata($client, ['orders'])->{orders};
is("$meta->{error} $meta->{partitions} $meta->{id}", "0 3 $answer->{id}", 'Metadata knows it at once');
is(helpers(), 1, 'one helper has started');

foreach my $old (2 .. 7)
{
	is(create_error($client, "v$old", version => $old, partitions => 1, replication => 1), 0, "created by version $old");
}
is(topic('v2'), '1|{}', 'they are there');

is(create_error($client, 'orders'), 36, 'a topic that there is');
is(create_error($client, $_), 17, "no name: '" . substr($_, 0, 20) . "'") foreach '', '.', '..', 'a b', "a\0b", 'x' x 250, "\xc3\xa4";
is(create_error($client, 'n1', partitions => $_), 37, "$_ partitions") foreach 0, -2, 65537;
is(create_error($client, 'n1', replication => $_), 38, "replication factor $_") foreach 0, -2;
is(create_error($client, 'n1', configs => [@$_]), 40, "option $_->[0]") foreach
  [ 'no.such.option', 1 ], [ 'retention.ms', 'long' ], [ 'retention.ms', undef ], [ 'cleanup.policy', "a\0b" ],
  [ 'cleanup.policy', "\xff" ], [ 'partitions', 3 ], [ 'kafka.topic', 'x' ], [ '', '' ], [ 'partitioner.class', 'no_such' ];
is(topic('n1'), '', 'none of these is there');
$answer = create_topics($client, [ { name => 'n1', configs => [ 'segment.bytes' => 'x' ] } ])->{n1};
like($answer->{message}, qr/^invalid value for option "segment.bytes": "x"\. Valid values are: integers/, 'the message says why');
is("$answer->{partitions} $answer->{replication} " . (defined $answer->{configs} ? 'some' : 'none'), '-1 -1 none', 'without counts');

is(create_error($client, 'm1', assignments => [ [1], [1], [1] ]), 0, 'an assignment by hand');
is(topic('m1'), '3|{}', 'has so many partitions');
is(create_error($client, 'm2', assignments => [ [1], [2] ]), 39, 'to a broker that there is not');
is(create_error($client, 'm2', assignments => [ [1], [] ]), 39, 'to none');
is(create_error($client, 'm2', assignments => { 0 => [1], 2 => [1] }), 39, 'with a gap');
is(create_error($client, 'm2', assignments => { -1 => [1] }), 39, 'to partition -1');
is(create_error($client, 'm2', assignments => [ [1] ], partitions => 1), 42, 'with a number of partitions');
is(create_error($client, 'm2', assignments => [ [1] ], replication => 1), 42, 'with a replication factor');

$answer = create_topics($client, [ { name => 'dry', partitions => 5, configs => [ 'segment.ms' => 1000 ] } ], validate_only => 1)->{dry};
is("$answer->{error} $answer->{partitions} $answer->{configs}{'segment.ms'}[0] $answer->{id}", '0 5 1000 ' . '0' x 32,
	'validate_only tells what would be');
is(topic('dry'), '', 'and does nothing');
is(create_error($client, 'orders', validate_only => 1), 36, 'it tells errors');
is(create_error($client, 'late', timeout => $_), 7, "a timeout of $_") foreach 0, -1;
is(topic('late'), '', 'nothing is done in no time');

$answer = create_topics($client, [ map { { name => $_, partitions => $_ eq 'c3' ? 0 : 1 } } qw(c1 c2 c2 orders c3 c4 c2) ]);
is(join(' ', map { "$_:$answer->{$_}{error}" } sort keys %$answer), 'c1:0 c2:42 c3:37 c4:0 orders:36',
	'each topic on its own; one that stands there twice is none');
is_deeply(create_topics($client, []), {}, 'no topics at all');

# names in Kafka's metrics
is(create_error($client, 'x.y_z'), 0, 'a name with a dot');
is(create_error($client, $_), 17, "$_ collides with it") foreach 'x_y_z', 'x.y.z', 'x_y.z';
is(create_error($client, 'x.y-z'), 0, 'another one does not');
is(create_error($client, '__cluster_metadata'), 42, 'a topic of Kafka itself');

# schemas
is(create_error($client, 'a.b.deep'), 0, 'a name that begins with a schema');
is(sql(q{SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'deep'}), '"a.b"', 'goes there');
is(metadata_error($client, 'a.b.deep'), '0:1', 'and is found');
is(create_error($client, 'sales.t'), 29, 'a schema in which the role may create nothing');
sql('CREATE TABLE taken (i int)');
is(create_error($client, 'taken'), 17, 'a table that is no topic');
is(create_error(client_as('nobody'), 'orders'), 29, 'who may create nothing learns nothing');
sql('REVOKE USAGE ON FOREIGN SERVER topics FROM public; GRANT USAGE ON FOREIGN SERVER topics TO app');
is(create_error(client_as('other'), 'mine'), 29, 'without USAGE of the server');
sql('GRANT USAGE ON FOREIGN SERVER topics TO public');
is(create_error(client_as('other'), 'mine'), 0, 'with it');

# limits
sql(q{CREATE FUNCTION no_more() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN IF current_user = 'other' THEN RAISE 'not today'; END IF; END $$;
	CREATE EVENT TRIGGER no_more ON ddl_command_end EXECUTE FUNCTION no_more()});
$answer = create_topics(client_as('other'), [ { name => 'refused' } ])->{refused};
is("$answer->{error} $answer->{message}", '44 not today', 'an event trigger refuses a topic');
is(topic('refused'), '', 'which is not there');
sql(q{CREATE OR REPLACE FUNCTION no_more() RETURNS event_trigger LANGUAGE plpgsql AS $$
	BEGIN RESET SESSION AUTHORIZATION; END $$});
isnt(create_error($client, 'escape'), 0, 'it cannot become a superuser');
sql('DROP EVENT TRIGGER no_more');
reload_with('pg_topics.max_partitions_per_role' => 40);
is(create_error($client, 'many', partitions => 50), 44, 'a limit of partitions');
reload_with('pg_topics.max_partitions_per_role' => -1, 'pg_topics.kafka_num_partitions' => 4);
is(create_error($client, 'four'), 0, 'a number of partitions by default');
is(topic('four'), '4|{}', 'is that of the setting');

# ---- DeleteTopics ----------------------------------------------------------------

is(delete_error($client, "v$_", version => $_ - 1), 0, 'deleted by version ' . ($_ - 1)) foreach 2 .. 6;
is(delete_error($client, 'v7'), 0, 'deleted by version 6');
is(topic('v2') . topic('v7'), '', 'they are gone');
my $id = topic_metadata($client, ['c1'])->{c1}{id};
my $deleted = delete_topics($client, [ [ undef, $id ] ]);
is("$deleted->[0]{error} $deleted->[0]{name} $deleted->[0]{id}", "0 c1 $id", 'deleted by its id');
is(delete_error($client, [ [ undef, $id ] ]), 100, 'and not again');
is(delete_error($client, [ 'c1', 'no_such', 'a b', '' ]), '3 3 3 3', 'what is not there');
is(delete_error($client, [ 'c4', 'c4', 'm1' ]), '42 0', 'one that stands there twice');
is(delete_error($client, [ [ 'c4', $id ], [ undef, undef ] ]), '42 42', 'a name and an id, or neither');
is(topic('c4'), '1|{}', 'none of these is deleted');
is(delete_error(client_as('other'), 'c4'), 29, 'by a role that is not the owner');
$deleted = delete_topics(client_as('nobody'), [ [ undef, topic_metadata($client, ['c4'])->{c4}{id} ] ]);
is($deleted->[0]{error} . ($deleted->[0]{name} // ' null'), '29 null', 'who may not know of it is not told its name');
is(delete_error($client, 'c4', timeout => 0), 7, 'no time');
sql('CREATE VIEW on_c4 AS SELECT * FROM c4');
is(delete_error($client, 'c4'), 44, 'a view depends on it');
sql('DROP VIEW on_c4');
is(delete_error($client, 'taken'), 3, 'a table is no topic');
reload_with('pg_topics.kafka_delete_topic_enable' => 'off');
is(delete_error($client, 'c4', version => $_), $_ < 3 ? 42 : 73, "deletion is off, version $_") foreach 1 .. 6;
reload_with('pg_topics.kafka_delete_topic_enable' => 'on');
is(delete_error($client, 'c4'), 0, 'and on');

done_testing();
