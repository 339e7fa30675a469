# A checkpoint may fail, and the next one may begin while the sync process still gives up
# the failed one: no process stops for it, and the next one waits until all that was
# appended before it is on disk.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'checkpoint_timeout = 1h', 'log_checkpoints = on', 'restart_after_crash = off' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# Have the sync process meet a fault, or none.
sub set_fault
{
	my ($fault) = @_;

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$fault'");
	sql('SELECT pg_reload_conf()');
	return;
}

# Wait for a line in the server's log.
sub wait_for_line
{
	my ($line, $from) = @_;

	poll_until(sub { slurp_file($node->logfile, $from) =~ $line }) or die "no line $line";
	return;
}

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('events'); SELECT produce('events', 'k', '1')});
my $snapshots = $node->data_dir . '/pg_logical/snapshots';
my $sync = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'});

foreach my $round (1 .. 3)
{
	my $from = -s $node->logfile;

	sql("SELECT produce('events', 'k', 'before the failed one')");
	chmod 0000, $snapshots;
	my ($code, $out, $err) = $node->psql('postgres', 'CHECKPOINT');
	like($err, qr/checkpoint request failed/, "round $round: a checkpoint fails");

	# it is let go again and again, until the next one completes
	set_fault('checkpoint-release:stop');
	wait_for_line(qr/stopping at fault point "checkpoint-release"/, $from);
	chmod 0700, $snapshots;
	sql("SELECT produce('events', 'k', 'before the next one')");
	set_fault('');
	$from = -s $node->logfile;
	my $checkpoint = start_psql($node, '/dev/null', PostgreSQL::Test::Utils::tempdir() . '/checkpoint', '-c', 'CHECKPOINT');
	wait_for_line(qr/checkpoint starting/, $from);
	kill 'CONT', $sync;
	ok($checkpoint->finish, "round $round: the checkpoint after the failed one completes");
	unlike(slurp_file($node->logfile, $from), qr/PANIC|FATAL/,
		"round $round: no process stops for the failed checkpoint");
	is(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'}), $sync,
		"round $round: the sync process is still the same");

	# nothing that the checkpoint should have made durable is missing
	sql('SELECT pg_switch_wal()');
	kill_all($node);
	$node->start;
	is(sql('SELECT count(*) FROM events'), 1 + 2 * $round, "round $round: all records are there after a crash");
	$sync = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'});
}
$node->stop;

done_testing();
