# Files under test: src/broker/transactions/txn_coordinator.c, txn_request.c, txn_timeout.c, src/broker/data/produce.c, turn_batch.c, fetch.c,
# src/broker/offsets/pending_offset.c, src/wal/kafka_txn.c, kafka_txn_file.c, log_stable_end.c.
# Transactions of Kafka's clients of all kinds and in SQL, at random: through crashes of the server and of its processes, also
# at each step of an end and with or without the WAL that was written by then, a fail-over, and recovery to a moment between two
# ends.  Each is there as a whole or not at all, offsets included, and no reader was given anything else.
# test/perl/KafkaTxnModel.pm has the load, KafkaTxnHistory.pm says what must be, 215_kafka_txn_anomalies.pl shows that it finds what is not so.
#
#	TOPIC_TEST_SEED			repeats a run, but for the moments
#	TOPIC_TEST_HISTORIES	so many histories (3: one of each kind)
#	TOPIC_TEST_ROUNDS		of so many rounds (4)
#	TOPIC_TEST_SECONDS		as many histories as there is time for (test/run model MINUTES)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Path qw(rmtree);
use KafkaProducer qw(kafka_settings);
use KafkaTxnModel;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $seconds = $ENV{TOPIC_TEST_SECONDS};
my $histories = $ENV{TOPIC_TEST_HISTORIES} // ($seconds ? 1_000_000 : 3);
my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 4;
my $began = time;

diag("TOPIC_TEST_SEED=$seed");

my ($node, $standby, $standby_port, $model);

sub sql { return $node->safe_psql('postgres', @_) }

# A server, and what becomes of it in the end.
sub new_servers
{
	my ($history, $kind) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();

	$node = new_node("main$history", init => { allows_streaming => 1, has_archiving => $kind eq 'recovery' }, settings => [ kafka_settings($port),
		# what killed processes have written is not lost, so fsync would only cost time
		'fsync = off', 'checkpoint_timeout = 30s', 'restart_after_crash = on', 'wal_retrieve_retry_interval = 50ms', 'wal_keep_size = 256MB',
		'max_worker_processes = 16',
		# nothing is flushed but what somebody waits for, or everything soon
		rand() < 0.7 ? ('wal_writer_delay = 10s', 'wal_writer_flush_after = 1GB') : () ]);
	$node->start;
	KafkaTxnModel::create_topics($node);
	$standby = undef;
	if ($kind eq 'failover')
	{
		$standby_port = PostgreSQL::Test::Cluster::get_free_port();
		$standby = new_standby($node, "standby$history", kafka_settings($standby_port), "synchronous_standby_names = ''");
		$standby->start;
		sql("ALTER SYSTEM SET synchronous_standby_names = 'standby$history'");
		sql('SELECT pg_reload_conf()');
		poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }) or die 'no synchronous standby';
	}
	$node->backup('backup') if $kind eq 'recovery';
	$model = KafkaTxnModel->new(node => $node, port => $port);
	return;
}

# ---- what happens ----------------------------------------------------------------------------------

my %events = (kill => 3, halt => 8, process => 3, terminate => 2, fast => 1, immediate => 2);

# The processes that may die alone, and all others with them.
my @processes = ('pg_topics kafka', 'pg_topics kafka flush', 'pg_topics kafka sync', 'pg_topics sync', 'client backend', 'walwriter', 'checkpointer');

# The steps of a transaction's end, where the process that serves the clients is stopped.
my @steps = qw(kafka-begin-logged:stop kafka-end-logged:stop txn-end-done:stop kafka-end-before-commit:stop kafka-end-aborted:halt
  turn-appended:halt turn-committed:halt);

# The processes of a kind.
sub pids_of
{
	my ($kind) = @_;

	return split /\n/, (try_psql($node, "SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind' AND pid <> pg_backend_pid()"))[1];
}

sub kill_and_start
{
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	return;
}

# Let it stop at a step, flush what is written or not, and kill all.
sub halt_and_kill
{
	my $step = $steps[ rand @steps ];
	my ($pid) = pids_of('pg_topics kafka');
	my $end = time + 2;
	my $halted = sub { open(my $stat, '<', '/proc/' . ($pid // 0) . '/stat') or return 1; return (<$stat> // '') =~ /\) T /; };

	# an end is also that of a transaction whose client is fenced, and goes on if the crash takes that back
	$model->let_rival(0.7) if rand() < 0.6;
	$model->run(0.1);
	sql("ALTER SYSTEM SET pg_topics.fault_point = '$step'");
	sql('SELECT pg_reload_conf()');
	$model->run(0.02) while !$halted->() && time < $end;
	$model->let_rival(undef);
	# no id is taken for that, which would tell recovery the next one
	try_psql($node, "SET statement_timeout = '1s'\nSELECT pg_switch_wal()") if rand() < 0.6;
	$model->run(0.1) if rand() < 0.5;
	kill_and_start();
	return $step;
}

# One process dies, and all others with it; the postmaster starts them anew.
sub kill_process
{
	my $kind = $processes[ rand @processes ];
	my @pids = pids_of($kind);

	kill 'KILL', $pids[ rand @pids ] if @pids;
	$model->run(0.2);
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

my %actions = (kill => \&kill_and_start, halt => \&halt_and_kill, process => \&kill_process, terminate => \&end_process,
	fast => sub { $node->stop('fast'); $node->start; }, immediate => sub { $node->stop('immediate'); $node->start; });

# A round: a load, and what happens in its midst.
sub round
{
	my ($number) = @_;
	my @kinds = map { ($_) x $events{$_} } sort keys %events;
	my $kind = $kinds[ rand @kinds ];

	$model->run(0.4 + rand(0.8));
	$model->event("round $number: $kind");
	my $more = $actions{$kind}->() // '';
	$model->event("is over: $more");
	note("round $number: $kind $more");
	$model->run(0.3 + rand(0.5));
	return;
}

# The standby, which is a synchronous one, takes over.
sub fail_over
{
	$model->run(0.5 + rand(1));
	kill_all($node);
	$standby->promote;
	($node, $standby) = ($standby, undef);
	$model->failed_over($node, $standby_port);
	note('fail-over');
	return;
}

# Another server is restored to a moment of this one.
sub recover
{
	my ($history, @marks) = @_;
	my $mark = $marks[ rand @marks ];
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $restored = PostgreSQL::Test::Cluster->new("restored$history");

	switch_archived($node);
	$node->stop('immediate');
	$restored->init_from_backup($node, 'backup', has_restoring => 1, standby => 0);
	# it must not write to the archive it reads
	$restored->append_conf('postgresql.conf', join "\n", 'archive_mode = off', kafka_settings($port), "recovery_target_name = '$mark'",
		"recovery_target_action = 'promote'");
	$restored->start;
	$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
	$node = $restored;
	$model->recovered($mark, $node, $port);
	note("recovered to $mark");
	return;
}

# ---- histories ----------------------------------------------------------------------------------------

foreach my $history (1 .. $histories)
{
	srand($seed + $history);
	my $kind = $ENV{TOPIC_TEST_KIND} // (qw(failover recovery crashes))[ $history % 3 ];
	my $name = "history $history, $kind (TOPIC_TEST_SEED=$seed)";
	my @marks;

	new_servers($history, $kind);
	# the other kinds take more time for themselves
	my $last = $kind eq 'crashes' ? $rounds + 1 : $rounds - 1;
	foreach my $round (1 .. $last)
	{
		if ($kind eq 'recovery')
		{
			$model->run(0.5 + rand(1));
			push @marks, "m$round";
			$model->mark("m$round");
		}
		round($round);
		last if $model->is_wrong;
	}
	$model->run(0.5);
	fail_over() if $kind eq 'failover' && !$model->is_wrong;
	recover($history, @marks) if $kind eq 'recovery' && !$model->is_wrong;
	$model->run(1) if $kind ne 'crashes' && !$model->is_wrong;
	eval { $model->finish; 1 } or $model->wrong("the end: $@") if !$model->is_wrong;
	my @problems = $model->problems;
	is(join("\n", @problems), '', "$name: each transaction is there as a whole or not at all");
	if (@problems)
	{
		append_to_file("$PostgreSQL::Test::Utils::log_path/kafka_transactions_$history.txt", $model->{history}->text);
		diag("the history is in $PostgreSQL::Test::Utils::log_path/kafka_transactions_$history.txt");
	}
	unlike(slurp_file($node->logfile), qr/(PANIC|TRAP|terminated by signal (?!9))/, "$name: nothing in the log");
	note($model->summary);
	cmp_ok($model->{counts}{committed} // 0, '>', 5 * $rounds, "$name: there was a load");
	last if !Test::More->builder->is_passing || ($seconds && time > $began + $seconds);
	$_->stop('immediate'), rmtree($_->data_dir) foreach grep { $_ } $node, $standby;
}

done_testing();
