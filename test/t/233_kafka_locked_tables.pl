#!/usr/bin/env perl
# Files under test: src/broker/core/turn.c, src/broker/dispatch.c, src/group/group_tables.c, src/broker/groups/group_coordinator.c,
# classic_store.c, consumer_store.c.
# Somebody has tables of the groups of Kafka's clients for himself, or waits for that behind a transaction, as VACUUM FULL may:
# who has nothing to do with groups is served, members stay members, and then all goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaMember;
use KafkaOffsets;
use KafkaProducer;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

use constant LOAD_IN_PROGRESS => 14;
use constant SESSION => 1000;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 0', 'pg_topics.kafka_group_min_session_timeout = 500',
	'pg_topics.kafka_group_consumer_session_timeout = ' . SESSION, 'pg_topics.kafka_group_consumer_heartbeat_interval = 500');

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('orders', partitions => 2), create_topic('other');
	GRANT SELECT, INSERT ON orders, other TO app;
	INSERT INTO other (value) SELECT 'x' FROM generate_series(1, 10)});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
ok(poll_until(sub { commit_error(client(), 'ready', 'orders', 0, 1) == 0 }), 'groups are coordinated');

my $classic = KafkaMember->new($port, 'classic', topics => ['orders'], session => SESSION, rebalance => 60_000);
my $modern = KafkaHeartbeat->new(\&client, group => 'modern', member => 'm', names => ['orders']);
my $producer = kafka_connect($port);

# Members that have joined anew, if they must.
sub settle_members
{
	if ($classic->{member} eq '' || $classic->heartbeat_error ne '0')
	{
		$classic->{member} = '';
		is(join('', form_group('orders', 2, $classic)), 'orders-0 orders-1', 'a member of the classic protocol has all');
	}
	ok(KafkaHeartbeat::settle(sub { $modern->owned =~ /:0,1$/ }, $modern), 'and one of the new one');
	return;
}

sub commit_both
{
	my ($offset) = @_;

	return join ' ',
	  commit_error($classic->client, 'classic', 'orders', 0, $offset, member => $classic->{member}, generation => $classic->{generation}),
	  commit_error($modern->client, 'modern', 'orders', 0, $offset, member => 'm', generation => $modern->epoch, version => 9);
}

# What must be so while the tables are locked, for so many sessions' time at least, and after that.
sub check_locked
{
	my ($what, $sessions, $lock, $unlock) = @_;
	my $end = time + $sessions * SESSION / 1000;
	my @memberships = (@{$classic}{qw(member generation)}, $modern->epoch);

	# who waits for all that time fails, and does not wait for long
	local $PostgreSQL::Test::Utils::timeout_default = 20;
	note($what);
	$lock->();
	is(eval { client()->metadata('orders')->{topics}{orders}{partitions} }, 2, "$what: who has nothing to do with groups is served")
	  or BAIL_OUT('the listener waits for a lock');
	is($producer->produce('orders', 0, kafka_batch([ [ undef, 'x' ] ]))->{error}, 0, 'and produces');
	my ($committer, $joining, $newcomer) = map { client() } 1 .. 3;
	send_commit($committer, 'new', { orders => { 0 => 1 } });
	send_join($joining, 'new', topics => ['orders']);
	send_heartbeat($newcomer, group => 'fresh', member => 'f', epoch => 0, timeout => 60_000, names => ['orders'], owned => {});
	is(list_groups(client()), LOAD_IN_PROGRESS, 'a question is to be asked again');
	is(read_commit($committer)->{orders}{0}, LOAD_IN_PROGRESS, 'so is a commit to be tried again');
	is(read_join($joining)->{error}, LOAD_IN_PROGRESS, 'and a JoinGroup');
	is(read_heartbeat($newcomer)->{error}, LOAD_IN_PROGRESS, 'and a heartbeat of who would join');
	my $beats = 0;
	poll_until(sub { $beats += $classic->heartbeat_error ne '0'; time > $end });
	is($beats, 0, 'a member is told nothing');
	$unlock->();
	is($classic->heartbeat_error, 0, 'then the member of the classic protocol is one');
	is($modern->beat->{error}, 0, 'and that of the new one');
	is_deeply([ @{$classic}{qw(member generation)}, $modern->epoch ], \@memberships, 'as they were');
	is(commit_both(time % 1000), '0 0', 'and they commit');
	return;
}

my $session = open_session($node);
settle_members();
foreach my $table (qw(topic_group_offsets topic_kafka_groups topic_kafka_members topic_kafka_transactional_ids))
{
	check_locked("$table is locked", 0,
		sub { $session->run("BEGIN; LOCK TABLE $table IN ACCESS EXCLUSIVE MODE") },
		sub { $session->run('COMMIT') });
}

# behind a consumer in SQL, as VACUUM FULL would wait
my $consumer = open_session($node);
my $admin = open_session($node);
check_locked('somebody waits to lock a table', 2,
	sub {
		$consumer->run(q{BEGIN; SELECT count(*) FROM consume('other', 'sql', auto_offset_reset => 'earliest')});
		$admin->{in} .= "VACUUM FULL topic_group_offsets;\n";
		poll_until(sub { $admin->{run}->pump_nb; sql(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'}) });
	},
	sub {
		$consumer->run('COMMIT');
		ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'topic_group_offsets'::regclass}) == 0 }), 'it is done');
	});

# who is gone while nobody looks is missed
$session->run('BEGIN; LOCK TABLE topic_group_offsets IN ACCESS EXCLUSIVE MODE');
is(commit_error(client(), 'new', 'orders', 0, 1), LOAD_IN_PROGRESS, 'a table is locked again');
$_->client->close foreach $classic, $modern;
$session->run('COMMIT');
ok(poll_until(sub { sql(q{SELECT count(*) FROM topic_kafka_members}) == 0 }), 'members that are gone are missed afterwards');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not (?:store|serve)/, 'nothing has failed');
$session->close;
$_->close foreach $consumer, $admin;
$node->stop;
done_testing();
