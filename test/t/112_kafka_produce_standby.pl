# Produce beside standbys: acks=all waits for the synchronous ones and gives up when the request's
# time is over, acks=1 waits for none; a standby refuses to be produced to, and after its
# promotion it has what was acknowledged and writes a new leader epoch.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my ($node, $standby) = start_pair(kafka_settings($port), 'wal_retrieve_retry_interval = 50ms', 'synchronous_commit = local',
	q{pg_topics.kafka_queued_max_request_bytes = '1MB'});

$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events');
	SELECT create_topic('strict', config => '{"min.insync.replicas": 2}');
	GRANT INSERT ON events, strict TO producer});
sub sql { return $node->safe_psql('postgres', @_) }

my $one = kafka_batch([ [ 'k', 'v' ] ]);
my $client;
poll_until(sub { $client = kafka_connect($port) }) or die 'no listener';
my $other = kafka_connect($port);

is($client->produce('events', 0, $one)->{error}, 0, 'without synchronous standbys acks=all waits for this server alone');
is($client->produce('strict', 0, $one)->{error}, 19, 'and too few replicas are in sync');

# ---- a synchronous standby ------------------------------------------------------

my $name = $standby->name;
sql("ALTER SYSTEM SET synchronous_standby_names = '$name'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'the standby is a synchronous one');
ok(poll_until(sub { $client->produce('strict', 0, $one)->{error} == 0 }), 'enough replicas are in sync');

foreach my $n (1 .. 20)
{
	my $answer = $client->produce('events', 0, kafka_batch([ [ 'synced', "$n" ] ]));

	is($answer->{error}, 0, 'acks=all is answered');
	# what is received may not be replayed yet
	ok(poll_until(sub { $standby->safe_psql('postgres', "SELECT count(*) FROM events WHERE key = 'synced' AND value = '$n'") eq '1' }), 'and the standby has it');
}

$standby->stop;
is($client->produce('events', 0, kafka_batch([ [ 'alone', '1' ] ]), acks => 1)->{error}, 0, 'the standby is away: acks=1 does not wait');
$client->send([ [ 'events', [ 0, kafka_batch([ [ 'alone', '2' ] ]) ] ] ]);
my $late = $other->produce('events', 0, kafka_batch([ [ 'alone', '3' ] ]), timeout => 1);
is("$late->{error} $late->{offset}", '7 -1', 'acks=all gives up when its time is over');
like($late->{message}, qr/^records are in the log, but synchronous standbys have not confirmed them in time$/, 'and says that the records are there');
is($other->produce('events', 0, kafka_batch([ [ 'alone', '4' ] ]), acks => 1)->{error}, 0, 'others go on meanwhile');
ok(!$client->is_ready(0), 'one with more time still waits');
my @crowd = map { kafka_connect($port) } 1 .. 20;
$_->send([ [ 'events', [ 0, kafka_batch([ [ 'crowd', 'x' x 100_000 ] ]) ] ] ]) foreach @crowd;
my $began = time;
is($other->produce('events', 0, kafka_batch([ [ 'crowd', '1' ] ]), acks => 1)->{error}, 0,
	'many that wait for the standby leave memory to others');
cmp_ok(time - $began, '<', 15, 'before their time is over');
is($other->produce('strict', 0, $one)->{error}, 19, 'too few replicas are in sync now');
is(sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka sync'}), 't',
	'who waits for the standby is canceled, and has to wait again');
$standby->start;
my ($number, $answer) = $client->receive;
is($answer->{error}, 0, 'it is answered when the standby is back');
is(join(' ', map { ($_->receive)[1]->{error} } @crowd), join(' ', (0) x 20), 'so are the others');
$_->close foreach @crowd;
is(sql(q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM events WHERE key = 'alone'}), '1 2 3 4', 'all records are there once');

# the setting goes while somebody waits
$standby->stop;
$client->send([ [ 'events', [ 0, kafka_batch([ [ 'released', '1' ] ]) ] ] ]);
ok(!$client->is_ready(0.5), 'a request waits for the standby');
sql('ALTER SYSTEM RESET synchronous_standby_names');
sql('SELECT pg_reload_conf()');
($number, $answer) = $client->receive;
is($answer->{error}, 0, 'it is answered when there are no synchronous standbys any more');
sql("ALTER SYSTEM SET synchronous_standby_names = '$name'");
sql('SELECT pg_reload_conf()');
$standby->append_conf('postgresql.conf', join("\n", kafka_settings($standby_port)));
$standby->start;
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'the standby is back');

# a server that is to stop does not wait for a standby
$standby->stop;
$client->send([ [ 'events', [ 0, kafka_batch([ [ 'stopped', '1' ] ]) ] ] ]);
ok(!$client->is_ready(0.5), 'a request waits for the standby');
$node->stop;
ok(!defined(($client->receive)[0]), 'the server stops without an answer to it');
$node->start;
$standby->start;
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'both are back');

# ---- the standby takes over --------------------------------------------------------

my $on_standby = kafka_connect($standby_port);
SKIP:
{
	skip 'the listener does not run on standbys', 1 if !$on_standby;
	is($on_standby->produce('events', 0, $one)->{error}, 6, 'a standby is not the leader');
}

poll_until(sub { $client = kafka_connect($port) }) or die 'no listener';
my @acknowledged;
$client->send([ [ 'events', [ 0, kafka_batch([ [ 'last', "$_" ] ]) ] ] ]) foreach 1 .. 200;
push @acknowledged, ($client->receive)[1]->{offset} foreach 1 .. 150;
kill_all($node);
$standby->promote;
my $list = join(',', @acknowledged);
is($standby->safe_psql('postgres', "SELECT count(*) FROM events WHERE key = 'last' AND record_offset = ANY ('{$list}')"), '150',
	'the promoted standby has all that acks=all has acknowledged');
poll_until(sub { $client = kafka_connect($standby_port) }) or die 'no listener';
my $first;
ok(poll_until(sub { $first = $client->produce('events', 0, $one, acks => 1); $first->{error} == 0 }), 'it takes records');

my $log = slurp_file(topic_directory($standby, 'events', 0) . '/00000000000000000000.log');
my %epochs;
for (my $at = 0; $at < length $log; $at += 12 + unpack('x8N', substr($log, $at, 12)))
{
	my ($offset, undef, $epoch) = unpack('q>NN', substr($log, $at, 16));

	$epochs{$epoch}++;
	is($epoch, 2, 'its batch has the new epoch') if $offset == $first->{offset};
}
is(join(' ', sort keys %epochs), '1 2', 'those before have the old one');

$standby->stop;
done_testing();
