# Files under test: src/broker/data/produce.c, turn_batch.c, fetch.c, fetch_session.c, src/broker/core/turn.c, flusher.c,
# src/wal/log_stable_end.c, src/log/producer_state.c, src/wal/log_redo.c.
# Kafka's clients and SQL beside each other, with all that changes logs, and with crashes: of the server
# as a whole, of one of its processes, between a broker's append and its commit, with and
# without the WAL that was written by then, of a synchronous standby, and failovers.  test/perl/KafkaModel.pm
# says what must be.
#
#	TOPIC_TEST_SEED			repeats a run, but for the moments
#	TOPIC_TEST_HISTORIES	so many histories (2)
#	TOPIC_TEST_ROUNDS		of so many rounds (6)
#	TOPIC_TEST_SECONDS		as many histories as there is time for (test/run model MINUTES)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Path qw(rmtree);
use KafkaModel;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $seconds = $ENV{TOPIC_TEST_SECONDS};
my $histories = $ENV{TOPIC_TEST_HISTORIES} // ($seconds ? 1_000_000 : 2);
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 6;
my $began = time;

diag("TOPIC_TEST_SEED=$seed");

my ($node, $standby, $standby_port, $model, @sent);

# What happens in a round, each as often as its number says; "standby" only where there is one.
my %events = (kill => 4, halt => 4, process => 4, terminate => 3, restart => 1, immediate => 1, nothing => 1, standby => 3);

# The processes that may die alone.
my @processes = ('pg_topics kafka', 'pg_topics kafka flush', 'pg_topics kafka sync', 'pg_topics sync', 'client backend',
	'walwriter', 'checkpointer', 'background writer');

sub sql { return $node->safe_psql('postgres', @_) }

# A server, and a synchronous standby of it if "with_standby".
sub new_servers
{
	my ($history, $with_standby) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();

	$node = new_node("main$history", init => { allows_streaming => 1 }, settings => [ kafka_settings($port),
		# what killed processes have written is not lost, so fsync would only cost time
		'fsync = off', 'checkpoint_timeout = 30s', 'restart_after_crash = on', 'wal_retrieve_retry_interval = 50ms',
		'max_wal_size = 128MB', 'min_wal_size = 32MB', 'wal_keep_size = 256MB', 
		# nothing is flushed but what somebody waits for, or everything soon
		rand() < 0.7 ? ('wal_writer_delay = 10s', 'wal_writer_flush_after = 1GB') : () ]);
	$node->start;
	KafkaModel::create_topics($node);
	$standby = undef;
	if ($with_standby)
	{
		$standby_port = PostgreSQL::Test::Cluster::get_free_port();
		$standby = new_standby($node, "standby$history", kafka_settings($standby_port), "synchronous_standby_names = ''");
		$standby->start;
		sql("ALTER SYSTEM SET synchronous_standby_names = 'standby$history'");
		sql('SELECT pg_reload_conf()');
	}
	# with a failover to come only the standby's word lasts
	$model = KafkaModel->new(node => $node, port => $port, lasting => $with_standby ? [-1] : [ -1, 1 ]);
	@sent = ();
	return;
}

# The processes of a kind.
sub pids_of
{
	my ($kind) = @_;

	return split /\n/, (try_psql($node, "SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind' AND pid <> pg_backend_pid()"))[1];
}

# Let a process of the broker stop at a place, flush what is written or not, and kill all.
sub halt_and_kill
{
	my ($place, $kind) = @{ [ [ 'turn-appended', 'pg_topics kafka' ], [ 'turn-committed', 'pg_topics kafka' ],
		[ 'broker-flush', 'pg_topics kafka flush' ], [ 'broker-sync', 'pg_topics kafka sync' ] ]->[ rand 4 ] };
	my ($pid) = pids_of($kind);
	my $end = time + 2;
	my $halted = sub { open(my $stat, '<', '/proc/' . ($pid // 0) . '/stat') or return 1; return (<$stat> // '') =~ /\) T /; };

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$place:halt'");
	sql('SELECT pg_reload_conf()');
	# with a standby alone there is somebody to wait for
	$model->run(0.02) while !$halted->() && time < $end;
	# no id is taken for that, which would tell recovery the next one
	try_psql($node, "SET statement_timeout = '2s'\nSELECT pg_switch_wal()") if rand() < 0.5;
	$model->run(0.2) if rand() < 0.7;
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	return $place;
}

# One process dies, and all others with it; the postmaster starts them anew.
sub kill_process
{
	my $kind = $processes[ rand @processes ];
	my @pids = pids_of($kind);

	kill 'KILL', $pids[ rand @pids ] if @pids;
	$model->run(0.5);
	wait_ready($node);
	return $kind;
}

# A process of the extension ends alone, and comes back.
sub end_process
{
	my @own = grep { /^pg_topics/ } @processes;
	my $kind = $own[ rand @own ];

	kill 'TERM', pids_of($kind);
	return $kind;
}

# Something happens.  Returns what, and whether clients of SQL have lost their server.
sub happen
{
	my @kinds = map { ($_) x ($_ eq 'standby' && !$standby ? 0 : $events{$_}) } sort keys %events;
	my $kind = $kinds[ rand @kinds ];
	my $more = '';

	if ($kind eq 'kill') { kill_all($node); $node->start; }
	elsif ($kind eq 'halt') { $more = halt_and_kill(); }
	elsif ($kind eq 'process') { $more = kill_process(); }
	elsif ($kind eq 'terminate') { $more = end_process(); }
	elsif ($kind eq 'restart') { $node->stop('fast'); $node->start; }
	elsif ($kind eq 'immediate') { $node->stop('immediate'); $node->start; }
	elsif ($kind eq 'standby') { kill_all($standby); $model->run(rand(1.5)); $standby->start; }
	return ("$kind $more", scalar $kind !~ /nothing|standby|terminate/);
}

# SQL's load.
sub start_sql
{
	return start_load($node, clients => 3, transactions => 3000, prologue => { 3 => "SET synchronous_commit = off;\n" },
		also => [ KafkaModel::neighbours() ]);
}

# A round: a load, and what happens in its midst.  Without SQL nobody flushes the WAL for others.
sub round
{
	my ($number) = @_;
	my $load = rand() < 0.6 ? start_sql() : undef;

	$model->unanswered_only(!$load && rand() < 0.5);
	$model->run(0.3 + rand(1.2));
	my ($what, $lost) = happen();

	note("round $number: $what" . ($load ? '' : ', without SQL'));
	$model->unanswered_only(0);
	$model->run(0.3 + rand(0.7));
	return if !$load;
	if ($lost) { finish_load($load, kill => 1); }
	else { stop_load($node, $load); }
	end_prepared($node);
	push @sent, map { "@$_" } grep { $_->[0] != 3 } acknowledged($load);
	return;
}

# The standby takes over.
sub fail_over
{
	my $load = start_sql();

	$model->run(0.5 + rand(1));
	kill_all($node);
	finish_load($load);
	push @sent, map { "@$_" } grep { $_->[0] != 3 } acknowledged($load);
	$standby->promote;
	($node, $standby) = ($standby, undef);
	$model->move_to($node, $standby_port);
	end_prepared($node);
	note('failover');
	return;
}

foreach my $history (1 .. $histories)
{
	srand($seed + $history);
	my $name = "history $history (TOPIC_TEST_SEED=$seed)";
	my $with_standby = ($ENV{TOPIC_TEST_STANDBY} // $history % 2 == 0) ? 1 : 0;

	new_servers($history, $with_standby);
	foreach my $round (1 .. $rounds)
	{
		round($round);
		last if $model->problems;
	}
	fail_over() if $with_standby;
	round('last') if $with_standby && !$model->problems;
	$model->finish;
	wait_resolved($node);
	$model->check;
	is(join("\n", $model->problems), '', "$name: all is as it was told");
	my %there = map { $_ => 1 } split /\n/, sql(q{SELECT DISTINCT client || ' ' || n FROM sent});
	is(join(' ', grep { !$there{$_} } @sent), '', "$name: all " . @sent . ' transactions of SQL that were acknowledged are there');
	is(sql(q{
		WITH read AS (SELECT partition, key, value FROM events WHERE key ~ '^\d+$'),
		kept AS (SELECT part, client::text, value FROM sent)
		SELECT string_agg(left(d::text, 60), ' ') FROM
			((TABLE read EXCEPT ALL TABLE kept) UNION ALL (TABLE kept EXCEPT ALL TABLE read) LIMIT 5) AS d}), '',
		"$name: topic and table of SQL agree");
	note("$model->{answers} batches were acknowledged, consumers were given records $model->{fetches} times");
	cmp_ok($model->{answers}, '>', 20 * $rounds, "$name: there was a load");
	last if !Test::More->builder->is_passing || ($seconds && time > $began + $seconds);
	$_->stop('immediate'), rmtree($_->data_dir) foreach grep { $_ } $node, $standby;
}

done_testing();
