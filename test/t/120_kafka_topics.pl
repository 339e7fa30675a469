#!/usr/bin/env perl
# Topics that Kafka's clients create and delete (src/broker/topics/create_topics.c, delete_topics.c, auto_create.c,
# src/broker/helpers/topic_change.c, src/broker/core/topic_names.c), in the helper processes (src/broker/helpers/helper.c,
# helper_pool.c, src/broker/helper_process.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
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

my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_search_path = 'nowhere, public'",
	'max_worker_processes = 12');

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
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
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

# ---- topics that are used ---------------------------------------------------------

sub produce_error { return kafka_connect($port)->produce($_[0], 0, kafka_batch([ [ undef, 'v' ] ]), @_[ 1 .. $#_ ])->{error} }

sub fetch_error
{
	my ($topic, %params) = @_;

	return KafkaConsumer->new($port)->fetch(topics => { $topic => { 0 => 0 } }, %params)->{$topic}{0}{error};
}

is(create_error($client, 'used'), 0, 'a topic');
$id = topic_metadata($client, ['used'])->{used}{id};
is(produce_error('used'), 0, 'clients produce to it');
is(fetch_error('used'), 0, 'and fetch');
is(sql(q{SELECT convert_from(value, 'UTF8') FROM used}), 'v', 'SQL reads it');
my $waiting = KafkaConsumer->new($port);
$waiting->send_fetch(topics => { used => { 0 => 1 } }, max_wait => 2000, min_bytes => 1);
is(delete_error($client, 'used'), 0, 'it is deleted while a client waits for records');
# that it has no leader for the moment, if the statement has it locked still
like($waiting->fetched->{used}{0}{error}, qr/^[35]$/, 'who is told so');
is(produce_error('used'), 3, 'producers are, too');
is(produce_error(pack('H*', $id), version => 13), 100, 'also those that know its id');
is(fetch_error('used'), 3, 'and consumers');
is(fetch_error($id, version => 13), 100, 'by its id');
is(create_error($client, 'used'), 0, 'a new topic of the name');
isnt(topic_metadata($client, ['used'])->{used}{id}, $id, 'has another id');
is(sql('SELECT count(*) FROM used'), 0, 'and is empty');

my $session = open_session($node);
$session->run('BEGIN; SELECT count(*) FROM used');
my $start = time;
is(delete_error($client, 'used', timeout => 700), 7, 'a topic that a transaction uses is not deleted in time');
cmp_ok(time - $start, '>', 0.6, 'it was waited for');
is(metadata_error($client, 'used'), '0:4', 'the topic is as it was');
is(produce_error('used'), 0, 'clients produce to it');
my $deleting = client();
send_delete($deleting, ['used']);
waiting_helper();
is(create_error($client, 'beside'), 0, 'while a deletion waits, other topics are created');
is(delete_error($client, 'beside'), 0, 'and deleted');
$deleting->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(0));
ok(!$deleting->is_readable, 'requests behind it wait');
$session->run('COMMIT');
is(read_delete($deleting)->[0]{error}, 0, 'with the end of the transaction it is deleted');
ok(defined $deleting->read_response, 'and what stood behind it is answered');
is(metadata_error($client, 'used'), '3:0', 'the topic is gone');

# producers in full work
is(create_error($client, 'busy', partitions => 1), 0, 'a topic of producers in full work');
my @producers = map { kafka_connect($port) } 1 .. 4;
my %errors;
my $batch = kafka_batch([ [ undef, 'x' x 100 ] ]);
$_->send([ [ 'busy', [ 0, $batch ] ] ]) foreach map { ($_) x 5 } @producers;
for my $round (1 .. 60)
{
	send_delete($client, ['busy']) if $round == 20;
	foreach my $producer (@producers)
	{
		my ($number, $result) = $producer->receive;

		$errors{ $result->{error} }++;
		$producer->send([ [ 'busy', [ 0, $batch ] ] ]);
	}
}
is(read_delete($client)->[0]{error}, 0, 'it is deleted');
is(join(' ', sort keys %errors), '0 3', 'what they sent until then is taken, what they sent after it refused');
$_->close foreach @producers;

# many at once
my @clients = map { client() } 1 .. 8;
send_create($clients[$_], [ map { { name => "at-once-$_", partitions => 2 } } 20 * $_ .. 20 * $_ + 19 ]) foreach 0 .. 7;
is(join(' ', map { my $results = read_create($_); scalar grep { $results->{$_}{error} == 0 } keys %$results } @clients),
	join(' ', (20) x 8), 'eight clients create twenty topics each at once');
send_create($_, [ { name => 'the-one' } ]) foreach @clients;
is(join(' ', sort { $a <=> $b } map { read_create($_)->{'the-one'}{error} } @clients), join(' ', 0, (36) x 7),
	'of eight that create the same one succeeds');
send_delete($_, [ 'the-one', map { "at-once-$_" } 0 .. 159 ]) foreach @clients;
my %deleted;
$deleted{ $_->{name} }{ $_->{error} }++ foreach map { @{ read_delete($_) } } @clients;
is(scalar(grep { ($deleted{$_}{0} // 0) == 1 && ($deleted{$_}{3} // 0) == 7 } keys %deleted), 161,
	'and of eight that delete all of them one succeeds with each');
cmp_ok(helpers(), '<=', 4, 'four helpers at most');

# ---- long names -------------------------------------------------------------------

my $long = 'app-' . 'KSTREAM-' x 30 . 'store';
is(length $long, 249, 'the longest name that there is');
is(create_error($client, $long), 0, 'a topic of it');
is(create_error($client, $long), 36, 'is there');
is(metadata_error($client, $long), '0:4', 'Metadata knows it');
is(produce_error($long) . fetch_error($long), '00', 'clients produce and fetch');
is(produce_error(pack('H*', topic_metadata($client, [$long])->{$long}{id}), version => 13), 0, 'by its id, too');
ok(exists $client->metadata->{topics}{$long}, 'it is in the list of all');
my $other_long = $long =~ s/store$/other/r;
is(create_error($client, $other_long), 0, 'another one that begins like it');
is(create_error($client, 'y' x 63), 0, 'a name of 63 characters');
is(create_error($client, 'y' x 64), 0, 'and of 64');
is(sql(q{SELECT string_agg((topic::text ~ '^"?(app-(KSTREAM-)*K*S*T*R*E*A*M*|y{54})_[0-9a-f]{8}"?$')::text || length(config->>'kafka.topic'), ' '
	ORDER BY topic::text COLLATE "C") FROM pg_topics WHERE config ? 'kafka.topic'}), 'true249 true249 true64',
	'tables with the beginning of the name');
is(topic('y' x 63), '4|{}', 'one that needs no option');
my $table = sql(qq{SELECT topic FROM pg_topics WHERE config->>'kafka.topic' = '$long'});
is(sql(qq{SELECT count(*) FROM $table}), 2, 'SQL reads it');
sql(qq{ALTER FOREIGN TABLE $table RENAME TO store});
is(metadata_error($client, $long), '0:4', 'its table is renamed without harm');
is(metadata_error($client, 'store'), '3:0', 'clients know no other name');
is(create_error($client, 'store'), 17, 'and cannot have the name of its table');
sql('GRANT USAGE, CREATE ON SCHEMA sales TO app');
my $in_sales = 'sales.' . 'z' x 243;
is(create_error($client, $in_sales), 0, 'a long name in a schema');
is(sql(q{SELECT length(config->>'kafka.topic') FROM pg_topics WHERE topic::text LIKE 'sales.%'}), 243, 'without the schema');
is(metadata_error($client, $in_sales), '0:4', 'is found');
is(create_error($client, $long =~ s/-store$/_store/r =~ s/^app-/app./r), 0, 'a long name with a dot');
is(create_error($client, $long =~ s/-store$/.store/r =~ s/^app-/app_/r), 17, 'another one that collides');
is(delete_error($client, [ $other_long, $in_sales, 'y' x 64 ]), '0 0 0', 'long names are deleted');
is(metadata_error($client, $in_sales), '3:0', 'and gone');

# names that SQL gives
sql(q{SELECT create_topic('alias', config => '{"kafka.topic": "Shop.orders"}'); GRANT ALL ON alias TO app});
is(metadata_error($client, 'Shop.orders') . ' ' . metadata_error($client, 'public.Shop.orders') . ' ' . metadata_error($client, 'alias'),
	'0:1 0:1 3:0', 'a topic with another name in SQL');
ok(exists $client->metadata->{topics}{'Shop.orders'}, 'in the list, too');
is(create_error($client, 'Shop.orders'), 36, 'is there');
sql(q{SELECT alter_topic('alias', '{"kafka.topic": "sales.plan"}')});
is(metadata_error($client, 'sales.plan') . ' ' . metadata_error($client, 'Shop.orders'), '0:1 3:0', 'with a new name');
sql(q{SELECT alter_topic('alias', '{"kafka.topic": null}')});
is(metadata_error($client, 'alias') . ' ' . metadata_error($client, 'sales.plan'), '0:1 3:0', 'and without one');
sql(q{BEGIN; SELECT alter_topic('alias', '{"kafka.topic": "rolled"}'); ROLLBACK});
is(metadata_error($client, 'alias'), '0:1', 'a change that is rolled back is none');

# dump and restore
sql('CREATE DATABASE copy');
my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'a dump');
command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('copy') ], 'is restored');
is($node->safe_psql('copy', q{SELECT config->>'kafka.topic' FROM pg_topics WHERE topic = 'store'::regclass}), $long, 'with the long name');

# ---- automatic creation --------------------------------------------------------------

is(metadata_error($client, 'auto', create => 1), '3:0', 'no topic is created unasked');
reload_with('pg_topics.kafka_auto_create_topics' => 'on');
is(metadata_error($client, 'auto'), '3:0', 'nor for a client that does not want it');
is(metadata_error($client, 'auto', create => 1), '5:0', 'one that does is told that there is no leader yet');
ok(poll_until(sub { metadata_error($client, 'auto', create => 1) eq '0:4' }), 'and finds the topic');
is(sql(q{SELECT relowner::regrole FROM pg_class WHERE relname = 'auto'}), 'app', 'which is its own');
is($client->metadata('auto1')->{topics}{auto1}{error}, 5, 'old versions always want it');
ok(poll_until(sub { $client->metadata('auto1')->{topics}{auto1}{error} == 0 }), 'and get it');
my $several = topic_metadata($client, [ 'auto', 'auto2', 'a b', 'sales.auto', 'auto3' ], create => 1);
is(join(' ', map { "$_:$several->{$_}{error}" } sort keys %$several), 'a b:17 auto:0 auto2:5 auto3:5 sales.auto:5',
	'several topics at once');
ok(poll_until(sub { metadata_error($client, 'sales.auto') eq '0:4' && metadata_error($client, 'auto3') eq '0:4' }), 'are created');
sql('REVOKE CREATE ON SCHEMA sales FROM app');
is(metadata_error($client, 'sales.not', create => 1), '29:0', 'where the role may not create it, that is said');
is(metadata_error(client_as('nobody'), 'auto4', create => 1), '29:0', 'to each role');
is(metadata_error($client, $long =~ s/store$/autos/r, create => 1), '5:0', 'a long name');
ok(poll_until(sub { metadata_error($client, $long =~ s/store$/autos/r) eq '0:4' }), 'is created, too');
is(topic_metadata($client, [], create => 1) && metadata_error($client, 'auto_2', create => 1), '5:0', 'one that cannot be');
is(metadata_error($client, 'x_y_z', create => 1), '5:0', 'because it collides with another one');
my $log = $node->logfile;
ok(poll_until(sub { slurp_file($log) =~ /could not create a topic that a Kafka client has asked for: topic "x_y_z": name "x_y_z" differs/ }),
	'is told to the log');
is(metadata_error($client, 'x_y_z'), '3:0', 'and is not there');

done_testing();
