# A server's long life in a minute or two: transaction ids go past 2^31 and 2^32
# and against the server's limits, with prepared transactions, transactions and
# snapshots that stay open for a billion ids, under load, beside a standby.  On
# both nodes the topic must hold what the table holds.
#
# With TOPIC_TEST_LONG_LIFE=n the way around is gone n times, 2^32 ids each.
# Files under test: commit_log.c, log_resolve.c, batch_visibility.c.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;
use XidJump;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $primary = new_node('primary', init => { allows_streaming => 1 }, settings => [
	'max_connections = 30', 'shared_buffers = 16MB', 'wal_keep_size = 1GB',
	'autovacuum_freeze_max_age = 2000000000' ]);
$primary->start;
create_load_schema($primary);
create_xid_jump($primary);
my $standby = start_standby($primary);

sub sql { return $primary->safe_psql('postgres', @_); }
sub sync_pid { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'}); }

# ---- help --------------------------------------------------------------------

# A hot standby takes all ids between two that it meets for running ones, and has no
# room for so many: over a jump it follows without being one.
sub cool_down
{
	$standby->stop;
	$standby->append_conf('postgresql.conf', 'hot_standby = off');
	$standby->start;
	return;
}

# It begins anew behind the jumps.  What is checked on both nodes.
sub warm_up
{
	my ($name) = @_;

	sql('CHECKPOINT');
	my $lsn = sql(q{SELECT pg_logical_emit_message(true, 'flush', '')}) && sql('SELECT pg_current_wal_flush_lsn()');
	$primary->poll_query_until('postgres', "SELECT replay_lsn >= '$lsn' FROM pg_stat_replication")
	  or die 'the standby does not follow';
	$standby->stop;
	$standby->append_conf('postgresql.conf', 'hot_standby = on');
	$standby->start;
	catch_up($primary, $standby);
	check_events($primary, "$name: the primary has the same records in topic and table");
	check_events($standby, "$name: the standby has the same records in topic and table");
	return;
}

# Every kind of transaction, some at once.
sub load
{
	my $load = start_load($primary, clients => 2, transactions => 30);

	finish_load($load);
	return;
}

my $key = 1000;

# Records that are sent in the middle of it: by a transaction that is prepared, one that
# has appended and one that has not, all of them still open.
sub begin_open
{
	my ($gid) = @_;
	my %open = (gid => $gid, map { $_ => open_session($primary) } qw(appended pending rolled_back snapshot));

	$open{snapshot}->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
	$open{seen} = $open{snapshot}->run('SELECT count(*), sum(record_offset) FROM events');
	sql('BEGIN; SELECT send(' . $key++ . ", 1, 1, 0, 10); PREPARE TRANSACTION '$gid'");
	$open{$_}->run('BEGIN; SELECT send(' . $key++ . ', 1, 1, 1, 10)') foreach qw(appended pending rolled_back);
	$open{$_}->run('SELECT count(*) FROM flush()') foreach qw(appended rolled_back);
	return \%open;
}

# They end: what was committed is there, as the table has it.
sub end_open
{
	my ($open) = @_;

	is($open->{snapshot}->run('SELECT count(*), sum(record_offset) FROM events'), $open->{seen},
		"$open->{gid}: an open snapshot still sees the records that it saw");
	$open->{snapshot}->run('COMMIT');
	$open->{appended}->run('COMMIT');
	$open->{pending}->run('COMMIT');
	$open->{rolled_back}->run('ROLLBACK');
	sql("COMMIT PREPARED '$open->{gid}'");
	$open->{$_}->close foreach qw(appended pending rolled_back snapshot);
	wait_resolved($primary);
	check_events($primary, "$open->{gid}: once the open transactions have ended topic and table have the same records");
	return;
}

# Far ahead, with nothing behind.
sub jump_and_freeze
{
	my ($distance) = @_;

	wait_rounds($primary);
	freeze_all($primary);
	jump($primary, next_xid($primary) + $distance);
	wait_rounds($primary);
	freeze_all($primary);
	return;
}

# ---- one time around -----------------------------------------------------------

sub once_around
{
	my ($n) = @_;
	my $start = next_xid($primary);
	my $pid = sync_pid();

	# a billion ids, over open transactions
	cool_down();
	my $open = begin_open("a billion, $n");
	jump($primary, $start + 1_000_000_000);
	load();
	wait_rounds($primary);
	freeze_all($primary);
	ok(-e clog_file($primary, $start), 'the commit log is kept for open transactions that have produced');
	end_open($open);
	wait_rounds($primary);
	freeze_all($primary);
	ok(!-e clog_file($primary, $start), 'the commit log is cut once these transactions have ended');

	# past 2^31 since the processes started
	jump_and_freeze(1_200_000_000);
	is(sync_pid(), $pid, 'the sync process still runs after 2^31 transaction ids');
	$open = begin_open("2^31, $n");
	wait_rounds($primary);
	load();
	end_open($open);
	warm_up("2^31, $n");
	load();
	catch_up($primary, $standby);
	check_events($standby, 'after 2^31 ids a hot standby has the same records in topic and table');

	# past 2^32, id by id, with a sync process that stands still, and without
	cool_down();
	jump_and_freeze(($n * 2**32 - 32768) - next_xid($primary));
	kill 'STOP', $pid;
	$open = begin_open("2^32, $n");
	use_ids($primary, 33000);
	cmp_ok(next_xid($primary), '>', $n * 2**32, 'the transaction ids have wrapped around');
	load();
	kill 'CONT', $pid;
	sql("SELECT pg_terminate_backend($pid)");
	load();
	end_open($open);
	warm_up("2^32, $n");
	load();
	kill_all($primary);
	$primary->start;
	end_prepared($primary);
	wait_resolved($primary);
	load();
	catch_up($primary, $standby);
	check_events($primary, 'after 2^32 ids and a crash the primary has the same records in topic and table');
	check_events($standby, 'after 2^32 ids and a crash the standby has the same records in topic and table');
	return;
}

once_around($_) foreach 1 .. ($ENV{TOPIC_TEST_LONG_LIFE} // 1);

# ---- the limits ------------------------------------------------------------------

# A transaction that has produced and stays prepared stops producing first ...
cool_down();
sql(q{BEGIN; SELECT send(901, 1, 1, 0, 10); PREPARE TRANSACTION 'produced'});
wait_rounds($primary);
jump($primary, next_xid($primary) + 1_600_000_000);
my (undef, undef, $err) = $primary->psql('postgres', "\\set VERBOSITY verbose\nSELECT send(902, 1, 1, 1, 10)");
like($err, qr/ERROR:  54000: cannot produce: transaction \d+ is too far from the oldest unresolved one/,
	'producing too many ids after a prepared transaction that has produced is an error');
sql('SELECT txid_current()');
sql(q{COMMIT PREPARED 'produced'});
poll_until(sub { ($primary->psql('postgres', 'SELECT send(903, 1, 1, 1, 10)'))[0] == 0 }) or die 'no producing';
wait_rounds($primary);
freeze_all($primary);
check_events($primary, 'once that transaction is committed producing goes on');

# ... one that has not, all of the server.
sql(q{BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'idle'});
my $stop = sql('SELECT 2147483648 - 3000000 - age(datfrozenxid) FROM pg_database ORDER BY age(datfrozenxid) DESC LIMIT 1');
jump($primary, next_xid($primary) + $stop - 2000);
my $ends = 'SELECT sum(log_end_offset) FROM pg_topic_partitions';
$primary->psql('postgres', q{SET client_min_messages = error; SET synchronous_commit = off;
	DO $$ BEGIN FOR i IN 1 .. 40000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$});
my $end = sql($ends);
(undef, undef, $err) = $primary->psql('postgres', 'SELECT send(904, 1, 1, 1, 10)');
like($err, qr/ERROR:  database is not accepting commands/,
	'at its limit of transaction ids the server refuses to produce');
is(sql($ends), $end, 'a transaction that the server refuses at its limit appends nothing');
check_events($primary, 'at the limit of transaction ids topic and table have the same records');
sql(q{COMMIT PREPARED 'idle'});
poll_until(sub { freeze_all($primary); ($primary->psql('postgres', 'SELECT send(905, 1, 1, 1, 10)'))[0] == 0 })
  or die 'the server does not go on';
wait_resolved($primary);
load();
warm_up('after the limit');

# ---- a standby takes over ----------------------------------------------------------

sql(q{BEGIN; SELECT send(906, 1, 1, 0, 10); PREPARE TRANSACTION 'taken over'});
my $prepared = sql('SELECT transaction FROM pg_prepared_xacts');
catch_up($primary, $standby);
$primary->stop('immediate');
$standby->promote;
$primary = $standby;
jump($primary, next_xid($primary) + 2 * CLOG_SEGMENT);
freeze_all($primary);
ok(-e clog_file($primary, $prepared),
	'after a promotion the commit log is kept for a prepared transaction that has produced');
sql(q{COMMIT PREPARED 'taken over'});
load();
wait_resolved($primary);
check_events($primary, 'after a promotion topic and table have the same records');
$primary->stop;

done_testing();
