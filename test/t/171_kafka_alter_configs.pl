#!/usr/bin/env perl
# AlterConfigs and IncrementalAlterConfigs of Kafka's clients (src/broker/configs/alter_configs.c), and what becomes of them
# beside SQL and a crash.
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
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server('max_worker_processes = 12');

# The options of a topic, as SQL has them.
sub config { return sql("SELECT config FROM pg_topics WHERE topic::text = '$_[0]'") }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; GRANT CREATE ON SCHEMA public TO app');
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $versions = $client->api_versions;
is_deeply([ @{$versions}{ 33, 44 } ], [ [ 0, 2 ], [ 0, 1 ] ], 'the versions that Kafka 4.4 serves');
is(create_error($client, $_, partitions => 2), 0, "topic $_") foreach 't', 'u';

# ---- IncrementalAlterConfigs -----------------------------------------------------------

is(alter_error($client, 't', [ [ 'retention.ms', SET, "100$_" ] ], version => $_), 0, "set by version $_") foreach 0, 1;
is(config('t'), '{"retention.ms": 1001}', 'SQL has it');
is(alter_error($client, 't', [ [ 'retention.ms', SET, '5' ], [ 'segment.ms', SET, '7' ], [ 'retry.topic', SET, 'r' ] ]), 0, 'several at once');
is(config('t'), '{"segment.ms": 7, "retry.topic": "r", "retention.ms": 5}', 'are there');
is(alter_error($client, 't', [ [ 'retention.ms', DELETE, undef ], [ 'retry.topic', DELETE, 'ignored' ], [ 'segment.bytes', DELETE, undef ] ]), 0,
	'removed, also what was not set');
is(config('t'), '{"segment.ms": 7}', 'they are gone');
is(alter_error($client, 't', [ [ 'no.such', DELETE, undef ] ]), 0, 'an option that there is not is not set');
is(topic_config($client, 't', 'segment.ms'), '7 1', 'clients see it at once');

is(alter_error($client, 't', [ [ 'cleanup.policy', APPEND, 'compact' ] ]), 0, 'a word is added to a default');
is(topic_config($client, 't', 'cleanup.policy'), 'delete,compact 1', 'which is a list then');
is(alter_error($client, 't', [ [ 'cleanup.policy', APPEND, 'compact,delete' ] ]), 0, 'words that are there already');
is(topic_config($client, 't', 'cleanup.policy'), 'delete,compact 1', 'are there once');
is(alter_error($client, 't', [ [ 'cleanup.policy', SUBTRACT, 'delete' ] ]), 0, 'a word is taken out');
is(topic_config($client, 't', 'cleanup.policy'), 'compact 1', 'and gone');
is(alter_error($client, 't', [ [ 'retention.consumers.groups', APPEND, 'g1,g2' ] ]), 0, 'another list');
is(topic_config($client, 't', 'retention.consumers.groups'), 'g1,g2 1', 'is a list too');
my $names = join(',', map { $_ x 250 } 'a' .. 'z', 'A' .. 'Z', 0 .. 9);
is(alter_error($client, 't', [ [ 'retention.consumers.groups', SET, $names ] ]), 0, 'a long list');
is(alter_error($client, 't', [ [ 'retention.consumers.groups', APPEND, $names =~ s/,/y,/gr ] ]), 0, 'a list that becomes longer');
is(alter_error($client, 't', [ [ 'retention.consumers.groups', APPEND, $names =~ s/,/z,/gr ] ]), 40, 'than Kafka can say');
is(alter_error($client, 't', [ [ 'retention.consumers.groups', DELETE, undef ] ]), 0, 'it is removed');
is(alter_error(client(), 't', [ [ 'retention.consumers.groups', SET, 'x' x 40000 ] ]), 'closed', 'as it cannot be sent');
is(alter_error($client, 't', [ [ 'retention.ms', $_, '5' ] ]), 40, 'no list') foreach APPEND, SUBTRACT;
is(alter_error($client, 't', [ [ 'cleanup.policy', SUBTRACT, 'compact' ] ]), 40, 'a list that would be empty');

my $before = config('t');
is(alter_error($client, 't', [ [ 'segment.ms', SET, '8' ], [@$_] ]), 40, "option $_->[0]") foreach
  [ 'no.such.option', SET, 1 ], [ 'retention.ms', SET, 'long' ], [ 'cleanup.policy', SET, "a\0b" ], [ 'cleanup.policy', APPEND, 'x' ],
  [ 'cleanup.policy', SET, "\xff" ], [ 'partitions', SET, 3 ], [ 'kafka.topic', SET, 'x' ], [ 'partitions', DELETE, undef ], [ '', SET, '' ],
  [ 'partitioner.class', SET, 'no_such' ], [ 'x' x 32000, SET, '1' ];
is(alter_error($client, 't', [ [ 'segment.ms', SET, '8' ], [@$_] ]), 42, 'what cannot be') foreach
  [ 'segment.ms', SET, '9' ], [ 'segment.ms', DELETE, undef ], [ 'retention.ms', SET, undef ], [ 'retention.ms', 4, '1' ], [ 'retention.ms', -1, '1' ];
is(config('t'), $before, 'then nothing is altered');
my $answer = alter_configs($client, [ [ TOPIC, 't', [ [ 'retention.mss', SET, '1' ] ] ] ])->[0];
like($answer->{message}, qr/^invalid topic option "retention\.mss"\. Perhaps you meant the option "retention\.ms"/, 'the message says why');

is(alter_error($client, 't', [ [ 'segment.ms', SET, '1000' ] ], validate_only => 1), 0, 'validate_only');
is(alter_error($client, 't', [ [ 'segment.ms', SET, 'x' ] ], validate_only => 1), 40, 'tells errors');
is(config('t'), $before, 'and does nothing');

$answer = alter_configs($client, [ [ TOPIC, 't', [ [ 'segment.ms', SET, '9' ] ] ], [ TOPIC, 'none', [] ], [ TOPIC, 'a b', [] ], [ TOPIC, '', [] ],
	[ TOPIC, 'u', [ [ 'segment.ms', SET, 'x' ] ] ], [ TOPIC, 'u', [] ], [ 3, 'u', [] ] ]);
is(join(' ', map { "$_->{name}:$_->{error}" } @$answer), 't:0 none:3 a b:17 :42 u:42 u:42 u:42', 'each resource on its own');
is(alter_error(client_as('other'), 't', [ [ 'segment.ms', SET, '9' ] ]), 29, 'by a role that is not the owner');
sql('GRANT ALL ON t TO other');
is(alter_error(client_as('other'), 't', [ [ 'segment.ms', SET, '9' ] ]), 29, 'also with all privileges');
sql('CREATE TABLE no_topic (i int); ALTER TABLE no_topic OWNER TO app');
is(alter_error($client, 'no_topic', [ [ 'segment.ms', SET, '9' ] ]), 3, 'a table is no topic');
sql(q{CREATE FUNCTION no_more() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
	CREATE EVENT TRIGGER no_more ON ddl_command_end WHEN TAG IN ('ALTER FOREIGN TABLE') EXECUTE FUNCTION no_more()});
is(alter_error($client, 't', [ [ 'segment.ms', SET, '10' ] ]), 44, 'an event trigger refuses it');
sql('DROP EVENT TRIGGER no_more');

# ---- AlterConfigs ------------------------------------------------------------------------

sub replace_error { my ($topic, $options, %other) = @_; return alter_error($client, $topic, $options, incremental => 0, %other) }

is(replace_error('u', [ [ 'segment.ms', "10$_" ] ], version => $_), 0, "replaced by version $_") foreach 0 .. 2;
is(config('u'), '{"segment.ms": 102}', 'with that');
is(replace_error('u', [ [ 'retention.ms', '3' ], [ 'key.index', 'true' ] ]), 0, 'other options');
is(config('u'), '{"key.index": "true", "retention.ms": 3}', 'take the place of all');
is(replace_error('u', [ [ 'retention.ms', undef ] ]), 42, 'a null');
is(replace_error('u', [ [ 'retention.ms', 1 ], [ 'retention.ms', 1 ] ]), 42, 'one that is there twice');
is(replace_error('u', [ [ 'no.such', 1 ] ]), 40, 'one that there is not');
is(replace_error('u', [], validate_only => 1), 0, 'validate_only');
is(config('u'), '{"key.index": "true", "retention.ms": 3}', 'none of these has done anything');
my $long = 'x' x 100;
is(create_error($client, $long, partitions => 3), 0, 'a topic with a long name');
is(replace_error($long, [ [ 'segment.ms', 1 ] ]), 0, 'is altered');
is(metadata_error($client, $long), '0:3', 'and keeps its name and its partitions');
is(replace_error($long, []), 0, 'as it does');
is(topic_config($client, $long, 'segment.ms'), '604800000 5', 'without options');

# ---- what cannot be altered -------------------------------------------------------------------

sub answers { return join(' ', map { $_->{error} } @{ alter_configs($client, @_) }) }

$answer = alter_configs($client, [ [ BROKER, '1', [ [ 'log.retention.ms', SET, '1' ] ] ], [ BROKER, '', [ [ 'node.id', DELETE, undef ] ] ] ]);
is("$answer->[0]{error} $answer->[1]{error}", '42 42', 'the broker');
is($answer->[0]{message}, q{the broker's configuration "log.retention.ms" is the setting pg_topics.log_retention_ms in postgresql.conf}, 'says what to do');
is(answers([ [ BROKER, '1', [] ], [ BROKER, '2', [] ], [ BROKER, 'x', [] ] ]), '0 42 42', 'nothing of a broker, or of another one');
is(answers([ [ BROKER, '1', [ [ 'default.replication.factor', SET, '1' ] ] ], [ BROKER, '', [ [ "a\0b", SET, '1' ] ] ] ]), '42 42', 'what is no setting');
is(answers([ [ GROUP, 'g', [ [ 'consumer.session.timeout.ms', SET, '1' ] ] ], [ CLIENT_METRICS, 'm', [ [ 'interval.ms', SET, '1' ] ] ],
	[ BROKER_LOGGER, '1', [ [ 'root', SET, 'INFO' ] ] ] ]), '40 42 42', 'groups, metrics, loggers');
is(answers([ [ GROUP, 'g', [ [ 'consumer.session.timeout.ms', DELETE, undef ] ] ], [ CLIENT_METRICS, 'm', [] ], [ GROUP, '', [] ] ]), '0 0 42', 'of which nothing is set');
is(answers([ [ BROKER_LOGGER, '1', [] ] ], incremental => 0), '42', 'a type that AlterConfigs does not know');

# ---- beside SQL -----------------------------------------------------------------------------

my $session = open_session($node);
$session->run('BEGIN; SELECT count(*) FROM t');
my $waiting = client();
send_alter_configs($waiting, [ [ TOPIC, 't', [ [ 'segment.ms', SET, '77' ] ] ] ]);
my $pid;
ok(poll_until(sub { $pid = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'}) }),
	'an alteration waits for a session that uses the topic');
is(alter_error($client, 'u', [ [ 'segment.ms', SET, '78' ] ]), 0, 'others are altered meanwhile');
sql(q{SELECT create_topic('t2'); ALTER FOREIGN TABLE t2 OWNER TO app});
$session->run('DROP FOREIGN TABLE t; ALTER FOREIGN TABLE t2 RENAME TO t; COMMIT');
is(read_alter_configs($waiting)->[0]{error}, 0, 'when it has the topic, another one has the name');
is(config('t'), '{"segment.ms": 77}', 'which is altered then');
$session->run('BEGIN; SELECT count(*) FROM t');
send_alter_configs($waiting, [ [ TOPIC, 't', [ [ 'segment.ms', SET, '79' ] ] ] ]);
poll_until(sub { sql(qq{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'}) }) or die 'none waits';
$session->run('DROP FOREIGN TABLE t; COMMIT');
is(read_alter_configs($waiting)->[0]{error}, 3, 'or the topic is gone');

# the same topic from all sides: each change is there, or told to have failed
is(create_error($client, 'race'), 0, 'a topic for a race');
my @clients = map { client() } 1 .. 6;
my @numbers = ('retention.ms', 'segment.ms', 'delete.retention.ms', 'min.compaction.lag.ms', 'retention.bytes', 'flush.ms');
for my $round (1 .. 5)
{
	send_alter_configs($clients[$_], [ [ TOPIC, 'race', [ [ $numbers[$_], SET, $round ] ] ] ]) foreach 0 .. 5;
	sql(qq{SELECT alter_topic('race', '{"max.attempts": $round}')});
	is(join(' ', map { read_alter_configs($_)->[0]{error} } @clients), '0 0 0 0 0 0', "round $round");
}
is(join(' ', map { topic_config($client, 'race', $_) } @numbers, 'max.attempts'), join(' ', ('5 1') x 7), 'nothing is lost');

# ---- many -----------------------------------------------------------------------------------

my $count = 3000;
$answer = alter_configs($client, [ map { [ TOPIC, "none$_", [ [ 'segment.ms', SET, '1' ] ] ] } 1 .. $count ]);
is(scalar(grep { $_->{error} == 3 } @$answer), $count, 'thousands of topics that there are not');
$answer = alter_configs($client, [ map { [ TOPIC, 'race', [ [ 'segment.ms', SET, '1' ] ] ] } 1 .. $count ]);
is(scalar(grep { $_->{error} == 42 } @$answer), $count, 'or of the same one');
is(alter_error($client, 'race', [ map { [ "o$_", DELETE, undef ] } 1 .. 2000 ]), 42, 'thousands of options');
is(topic_config($client, 'race', 'segment.ms'), '5 1', 'the topic is as it was');

# ---- a crash ----------------------------------------------------------------------------------

$session->run('BEGIN; SELECT count(*) FROM race');
send_alter_configs($waiting, [ [ TOPIC, 'race', [ [ 'segment.ms', SET, '6' ], [ 'retention.ms', SET, '6' ] ] ], [ TOPIC, 'u', [ [ 'segment.ms', SET, '6' ] ] ] ]);
poll_until(sub { sql(qq{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'}) }) or die 'none waits';
is(alter_error($client, 'u', [ [ 'max.attempts', SET, '66' ] ]), 0, 'what is acknowledged');
$node->stop('immediate');
$node->start;
ok(poll_until(sub { $client = KafkaClient->new($port) }), 'the server crashes in the midst');
is(topic_config($client, 'u', 'max.attempts'), '66 1', 'is there');
is(join(' ', map { topic_config($client, 'race', $_) } 'segment.ms', 'retention.ms'), '5 1 5 1', 'what was not is not there, not half of it either');
is(alter_error($client, 'race', [ [ 'segment.ms', SET, '6' ] ]), 0, 'and can be done again');

unlike(slurp_file($node->logfile), qr/TRAP|PANIC(?!.*immediate)|still running|leak/, 'the log tells of no trouble');
done_testing();
