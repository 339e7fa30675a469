# Checkpoints and shutdown with and without load are prompt, though both wait
# for the sync process; without a sync process appends are durable all the same.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

# Generous: what is to be caught is waiting for a timeout, or for ever.
use constant PROMPT => 10;

my $node = new_node('main');
$node->start;
create_load_schema($node, segment_bytes => 1048576);

# Run it; its time must be within bounds and is shown.
sub prompt
{
	my ($name, $code) = @_;
	my $begun = time;

	$code->();
	my $seconds = time - $begun;
	note(sprintf('%s: %.0f ms', $name, 1000 * $seconds));
	cmp_ok($seconds, '<', PROMPT, "$name is prompt");
	return;
}

sub sql { return $node->safe_psql('postgres', @_); }

my $sync_pid = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'};

sub wait_for_transactions
{
	my ($more) = @_;
	my $counted = 'SELECT count(DISTINCT (client, n)) FROM sent';
	my $before = sql($counted);

	$node->poll_query_until('postgres', "SELECT ($counted) > $before + $more")
	  or die 'the load does not get on';
	return;
}

# ---- checkpoints -------------------------------------------------------------

sql('CHECKPOINT');
prompt("CHECKPOINT $_, idle", sub { sql('CHECKPOINT') }) foreach 1 .. 3;

my $load = start_load($node, clients => 4);
foreach my $i (1 .. 4)
{
	wait_for_transactions(30);
	prompt("CHECKPOINT $i under load", sub { sql('CHECKPOINT') });
}

# several at a time, as a backup's meets a timed one
my @runs;
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/checkpoints.sql", "CHECKPOINT;\n" x 5);
prompt('5 CHECKPOINTs by 4 sessions each', sub {
	push @runs, start_psql($node, "$directory/checkpoints.sql", "$directory/checkpoints$_.out") foreach 1 .. 4;
	ok($_->finish, 'a session that runs checkpoints beside others meets no error') foreach @runs;
});

# ---- without the sync process ------------------------------------------------

# it comes back again and again, and a checkpoint need not wait for it
foreach my $i (1 .. 3)
{
	my $pid = sql($sync_pid);
	ok(sql("SELECT pg_terminate_backend($pid)"), "the sync process can be terminated, time $i");
	prompt('CHECKPOINT without sync process', sub { sql('CHECKPOINT') });
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($sync_pid) AS s WHERE pid <> $pid")
	  or die 'no new sync process';
	prompt('CHECKPOINT with the new one', sub { sql('CHECKPOINT') });
}

# and what was appended meanwhile survives
my $pid = sql($sync_pid);
sql("SELECT pg_terminate_backend($pid)");
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM ($sync_pid) AS s WHERE pid = $pid")
  or die 'it does not end';
sql(q{BEGIN; SELECT send(100, 1, k, k % 3, 100) FROM generate_series(1, 10) AS k; COMMIT; CHECKPOINT;});
wait_for_transactions(20);
kill_all($node);
finish_load($load);
$node->start;
end_prepared($node);
check_events($node, 'crash without sync process: topic and table agree');
check_acknowledged($node, $load, 'crash without sync process');

# ---- shutdown ----------------------------------------------------------------

$load = start_load($node, clients => 4);
wait_for_transactions(50);
prompt('fast shutdown under load', sub { $node->stop('fast') });
finish_load($load);

my $log = -s $node->logfile;
$node->start;
end_prepared($node);
check_events($node, 'after a fast shutdown topic and table agree');
check_acknowledged($node, $load, 'fast shutdown');
unlike(slurp_file($node->logfile, $log), qr/removing the last|removing segment|redo starts/,
	'after a fast shutdown nothing has to be repaired or replayed');

prompt('fast shutdown, idle', sub { $node->stop('fast') });
$node->start;

# a smart one waits for the clients, so they end by themselves
$load = start_load($node, clients => 2, transactions => 100);
wait_for_transactions(10);
prompt('smart shutdown', sub { $node->stop('smart') });
finish_load($load);
$node->start;
check_events($node, 'after a smart shutdown topic and table agree');
check_acknowledged($node, $load, 'smart shutdown');

# a crash of a backend restarts all processes but not the postmaster, which
# has to load the logs again
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
$load = start_load($node, clients => 4);
wait_for_transactions(50);
my $victim = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1});
crash_one($node, sub { kill 'KILL', $victim });
finish_load($load);
end_prepared($node);
check_events($node, 'crash of a backend: topic and table agree');
check_acknowledged($node, $load, 'crash of a backend');
$pid = sql($sync_pid);
kill 'KILL', $pid;
poll_until(sub { (try_psql($node, "SELECT count(*) FROM ($sync_pid) AS s WHERE pid <> $pid"))[1] eq "1\n" })
  or die 'the sync process does not come back after a crash';
prompt('CHECKPOINT after its crash', sub { sql('CHECKPOINT') });
check_events($node, 'crash of the sync process: topic and table agree');
$node->stop;

done_testing();
