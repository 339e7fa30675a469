# Files under test: src/broker/groups/group_coordinator.c, classic_store.c, classic_claims.c, consumer_store.c,
# src/broker/offsets/offset_request.c, src/coordinator, src/group/kafka_claim.c and kafka_offset.c.
# Groups of either protocol and of both, and consumers in SQL that use them, at random, through crashes of the coordinator and of the
# server, fail-overs, and changes of topics beside.  test/perl/KafkaGroupsModel.pm says what must be.
#
#	TOPIC_TEST_SEED			repeats a run, but for the moments
#	TOPIC_TEST_HISTORIES	so many histories (2)
#	TOPIC_TEST_ROUNDS		of so many rounds (4)
#	TOPIC_TEST_SECONDS		as many histories as there is time for
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Path qw(rmtree);
use KafkaClient;
use KafkaGroupsModel;
use KafkaMember ();
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $seconds = $ENV{TOPIC_TEST_SECONDS};
my $histories = $ENV{TOPIC_TEST_HISTORIES} // ($seconds ? 1_000_000 : 2);
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 4;
my $began = time;

diag("TOPIC_TEST_SEED=$seed");

my ($node, $port, $standby, $standby_port, $model);

sub sql { return $node->safe_psql('postgres', @_) }

# The listener is there, and has the groups.
sub wait_listener
{
	my ($where) = @_;

	poll_until(sub { my $client = KafkaClient->new($where) or return 0;
		my $groups = eval { KafkaMember::list_groups($client) };
		return ref $groups; }) or die 'the listener does not come back';
	return;
}

# The ids of topics, as members of the new protocol know them.
sub learn_names
{
	my $client = KafkaClient->new($port);
	my $reader = $client->call(KafkaClient::METADATA, 12, KafkaClient::compact_count(-1) . "\1\0\0", 1);

	$reader->int32;
	foreach (1 .. $reader->compact_count) { $reader->int32; $reader->compact_string; $reader->int32; $reader->compact_string; $reader->tags; }
	$reader->compact_string;
	$reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		$reader->int16;
		my $name = $reader->compact_string;
		$model->{names}{ $reader->uuid } = $name;
		$reader->int8;
		foreach (1 .. $reader->compact_count)
		{
			$reader->int16;
			$reader->int32 foreach 1 .. 3;
			foreach (1 .. 3) { $reader->int32 foreach 1 .. $reader->compact_count; }
			$reader->tags;
		}
		$reader->int32;
		$reader->tags;
	}
	return;
}

sub add_topic
{
	my ($topic, $partitions) = @_;

	sql("SELECT create_topic('$topic', partitions => $partitions);
		INSERT INTO $topic (partition, value) SELECT p, i FROM generate_series(0, $partitions - 1) p, generate_series(1, " . KafkaGroupsModel::RECORDS . ") i;
		GRANT SELECT ON $topic TO producer");
	$model->{topics}{$topic} = $partitions;
	return;
}

sub new_servers
{
	my ($history, $with_standby) = @_;

	$port = PostgreSQL::Test::Cluster::get_free_port();
	$node = new_node("main$history", init => { allows_streaming => 1 }, settings => [ kafka_settings($port),
		'fsync = off', 'restart_after_crash = on', 'wal_retrieve_retry_interval = 50ms', 'max_worker_processes = 16', 'max_connections = 50',
		'pg_topics.kafka_group_initial_rebalance_delay = 100', 'pg_topics.kafka_group_min_session_timeout = 500',
		'pg_topics.kafka_group_consumer_session_timeout = ' . KafkaGroupsModel::SESSION * 1000 ]);
	$node->start;
	$model = KafkaGroupsModel->new(node => $node, port => $port);
	sql('CREATE EXTENSION pg_topics; CREATE ROLE producer LOGIN');
	add_topic('t0', 4);
	add_topic('t1', 3);
	add_topic('t2', 2);
	$standby = undef;
	if ($with_standby)
	{
		$standby_port = PostgreSQL::Test::Cluster::get_free_port();
		$standby = new_standby($node, "standby$history", kafka_settings($standby_port), "synchronous_standby_names = ''");
		$standby->start;
		sql("ALTER SYSTEM SET synchronous_standby_names = 'standby$history'");
		sql('SELECT pg_reload_conf()');
		poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }) or die 'no synchronous standby';
	}
	wait_listener($port);
	learn_names();
	foreach my $n (0 .. 2)
	{
		foreach my $kind ('classic', 'consumer')
		{
			my $group = $model->add_group("$kind$n", $kind, [ [ 't0', 't1' ], ['t0'], [ 't1', 't2' ] ]->[$n]);

			$group->{flips} = $n == 2;
			$model->add_member($group) foreach 1 .. 2;
		}
		my $mixed = $model->add_group("mixed$n", 'mixed', [ ['t0'], [ 't1', 't2' ], [ 't0', 't1', 't2' ] ]->[$n]);

		$model->add_member($mixed) foreach 1 .. 3;
	}
	return;
}

sub worker { return (try_psql($node, q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}))[1] =~ /(\d+)/ ? $1 : 0 }

sub kill_all_now { kill_all($node); $node->start; return; }

my %faults = (
	'kill the worker' => sub { crash_one($node, sub { my $pid = worker(); kill 'KILL', $pid if $pid }); },
	'end the worker' => sub { my $pid = worker() or return; kill 'TERM', $pid; poll_until(sub { !kill 0, $pid }); },
	'kill the server' => \&kill_all_now,
	'fast restart' => sub { $node->stop('fast'); $node->start; },
	'immediate restart' => sub { $node->stop('immediate'); $node->start; },
	'crash of a session' => sub { crash_one($node, sub { my ($pid) = (try_psql($node, q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}))[1] =~ /(\d+)/; kill 'KILL', $pid if $pid }); },
);

# What may be done beside: statements whose locks and news reach the coordinator.
my @beside = (
	"ALTER FOREIGN TABLE t1 RENAME TO t1x\nALTER FOREIGN TABLE t1x RENAME TO t1",
	"SET statement_timeout = '2s'\nBEGIN; ALTER FOREIGN TABLE t0 OWNER TO CURRENT_USER; SELECT pg_sleep(0.4); COMMIT",
	"SET statement_timeout = '2s'\nBEGIN; ALTER FOREIGN TABLE t2 OWNER TO CURRENT_USER; SELECT pg_sleep(0.8); COMMIT",
	"CREATE ROLE passing; GRANT SELECT ON t0 TO passing; REVOKE SELECT ON t0 FROM passing; DROP ROLE passing",
	"ANALYZE t0",
	"SELECT create_topic('passing', partitions => 2); DROP FOREIGN TABLE passing",
	"ALTER SYSTEM SET pg_topics.clock_offset = 100000000\nSELECT pg_reload_conf()",
	"ALTER SYSTEM SET pg_topics.clock_offset = 0\nSELECT pg_reload_conf()",
	"SELECT remove_kafka_members('classic0')",
	"VACUUM FULL topic_group_offsets", "VACUUM topic_kafka_groups", "REINDEX TABLE topic_kafka_members",
	"CHECKPOINT");

sub round
{
	my ($number) = @_;
	my @kinds = sort keys %faults;
	my $kind = $kinds[ rand @kinds ];

	foreach (1 .. 2)
	{
		my $statement = $beside[ rand @beside ];

		$model->run(0.7 + rand(1));
		my ($out, $err) = ('', '');
		my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } split /\n/, $statement ], '<', \undef, '>', \$out, '2>', \$err);
		$model->run(0.7 + rand(1));
		# the statement may wait for a transaction that the model has open, and ends in time
		while ($psql->pumpable && !$model->problems)
		{
			$psql->pump_nb;
			$model->run(0.1);
		}
		$model->end_holds(1) if $model->problems;
		$psql->finish;
		note("beside: $statement") if $err eq '';
		$model->problem("remove_kafka_members() beside a listener: $err") if $statement =~ /remove_kafka/ && $err !~ /while the listener/;
	}
	$model->check_commits("before '$kind'", 0);
	return if $model->problems;
	$faults{$kind}->();
	wait_ready($node);
	$model->lost_server;
	wait_listener($port);
	note("round $number: $kind");
	$model->check_commits("after '$kind'", 1);
	$model->run(1);
	return;
}

# The standby, which is a synchronous one, takes over.
sub fail_over
{
	$model->run(1.5);
	kill_all($node);
	$standby->promote;
	$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'no promotion';
	($node, $port) = ($standby, $standby_port);
	$standby = undef;
	$model->{node} = $node;
	$model->lost_server($port);
	wait_listener($port);
	$model->check_commits('after a fail-over', 1);
	note('fail-over');
	return;
}

# Many groups at a time, whose coordinator dies while they come to their first generation.
sub crowd
{
	foreach my $n (1 .. 50)
	{
		foreach my $kind ('classic', 'consumer')
		{
			my $group = $model->add_group("crowd-$kind-$n", $kind, ['t0']);

			$model->add_member($group) foreach 1, 2;
		}
	}
	foreach my $when (0, 0.3)
	{
		my $end = time + $when;

		do { $model->step_all } while (time < $end);
		$faults{ ('kill the worker', 'kill the server', 'end the worker')[ rand 3 ] }->();
		wait_ready($node);
		$model->lost_server;
		wait_listener($port);
	}
	return;
}

foreach my $history (1 .. $histories)
{
	srand($seed + $history);
	my $name = "history $history (TOPIC_TEST_SEED=$seed)";
	my $with_standby = $history % 2 == 0;

	new_servers($history, $with_standby);
	foreach my $round (1 .. $rounds)
	{
		round($round);
		last if $model->problems;
	}
	fail_over() if $with_standby && !$model->problems;
	crowd() if !$with_standby && !$model->problems;
	$model->settle if !$model->problems;
	$model->check_tables if !$model->problems;
	$model->finish if !$model->problems;
	is(join("\n", $model->problems), '', "$name: all is as it was told") or diag(join "\n", $model->traces);
	unlike(slurp_file($node->logfile), qr/(PANIC|TRAP|terminated by signal (?!9))/, "$name: nothing in the log");
	note("$model->{answers} answers; ", join ', ', map { "$_ x $model->{did}{$_}" } sort keys %{ $model->{did} });
	last if !Test::More->builder->is_passing || ($seconds && time > $began + $seconds);
	$_->stop('immediate'), rmtree($_->data_dir) foreach $node;
}

done_testing();
