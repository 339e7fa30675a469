# Files under test: src/wal/log_redo.c, src/wal/kafka_txn.c, src/wal/kafka_txn_file.c, src/log/kafka_txn_map.c.
# Kafka transactions come with the WAL: to a hot standby and its snapshots, to one that is promoted,
# to a base backup that was made meanwhile, to a recovery that ends earlier; and they go on after the
# WAL was reset.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $primary = new_node('primary', init => { allows_streaming => 1, has_archiving => 1 },
	settings => [ 'checkpoint_timeout = 1h', 'wal_keep_size = 256MB', 'pg_topics.kafka_max_transactions = 500' ]);
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION pg_topics; CREATE TABLE rows (value text);
	SELECT create_topic('events', partitions => 3)});
create_kafka_txn_probe($primary);

my %sequence;

# Append one value to each of two partitions under a number.
sub append
{
	my ($node, $number, $producer, $value) = @_;

	foreach my $partition (0, 1)
	{
		my $outcome = kafka_append($node, 'events', $partition, $number, $producer,
			$sequence{"$producer $partition"} // 0, [$value]);
		die "$value: $outcome" if $outcome !~ /^appended/;
		$sequence{"$producer $partition"}++;
	}
	return;
}

sub begin_with
{
	my ($node, $producer, $value) = @_;
	my $number = kafka_begin($node, $producer);

	append($node, $number, $producer, $value);
	return $number;
}

# End one with a row that has the value.
sub end_with_row
{
	my ($node, $number, $value, $how) = @_;

	$node->safe_psql('postgres', "BEGIN; INSERT INTO rows VALUES ('$value'); SELECT kafka_end($number, true); $how");
	return;
}

# The values of a partition in order, and the rows.
sub seen
{
	my ($node, $partition) = @_;
	return $node->safe_psql('postgres', qq{SELECT coalesce((SELECT string_agg(value, ' ' ORDER BY record_offset)
		FROM events WHERE partition = $partition), '')});
}

sub rows_of { return $_[0]->safe_psql('postgres', q{SELECT coalesce(string_agg(value, ' ' ORDER BY value COLLATE "C"), '') FROM rows}); }

sub transactions { return $_[0]->safe_psql('postgres', $_[1] // 'SELECT count(*) FROM kafka_transactions()'); }

sub wait_forgotten
{
	my ($node, $left) = @_;
	return poll_until(sub { transactions($node) == ($left // 0) });
}

sub catch_up_with
{
	my ($standby) = @_;

	$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'flush', '')});
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
	return;
}

# ---- a hot standby ----------------------------------------------------------------------

my $before = begin_with($primary, 1, 'before');
my $standby = start_standby($primary, 'standby');
my $number = begin_with($primary, 2, 'a');
$primary->safe_psql('postgres', q{SELECT produce('events', 'k', 'behind', partition => p) FROM generate_series(0, 2) p});
catch_up_with($standby);
is(transactions($standby, q{SELECT string_agg(producer_id || ' ' || xid || ' ' || regexp_replace(parts, '\d+-(\d:)', '\1', 'g'), ',' ORDER BY producer_id) FROM kafka_transactions()}),
	'1 0 0:0-1 1:0-1,2 0 0:1-2 1:1-2', 'a standby knows the transactions');
is(seen($standby, 0), '', 'it shows no records of open ones, nor what is behind them');
is(seen($standby, 2), 'behind', 'in their partitions only');
is($standby->safe_psql('postgres', q{SELECT last_stable_offset, blocking_producer_id FROM pg_topic_partitions WHERE partition = 0}), '0|1',
	'its view tells whose they are');
is($standby->safe_psql('postgres', 'SELECT kafka_begin(9, 0)'), 'try again', 'none begins there');
is($standby->safe_psql('postgres', "SELECT kafka_end($number, true)"), 'try again', 'and none ends');

my $ending = open_session($primary);
my $old = open_session($standby);
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($old->run(q{SELECT count(*) FROM events WHERE partition <> 2}), '0', 'an old snapshot there');
$ending->run('BEGIN');
$ending->run(q{INSERT INTO rows VALUES ('before')});
$ending->run("SELECT kafka_end($before, true)");
catch_up_with($standby);
is(kafka_state($standby, $before), 'ending', 'one that is about to be committed');
is(seen($standby, 0) . rows_of($standby), '', 'is not seen');
$ending->run('COMMIT');
kafka_end($primary, $number, 0);
catch_up_with($standby);
is(seen($standby, 0), 'before behind', 'committed it is, and an aborted one is passed');
is(rows_of($standby), 'before', 'with its row');
is($old->run(q{SELECT count(*) FROM events WHERE partition <> 2}), '0', 'the old snapshot sees neither');
wait_forgotten($primary);
catch_up_with($standby);
ok(wait_forgotten($standby), 'when they are resolved, the standby forgets them');
is(scalar(grep { $_ eq 'kafka' } entry_xids($standby, 'events', 0)), 0, 'no entry there has a number');
is(seen($standby, 0), 'before behind', 'and they are seen as before');
is($old->run(q{SELECT count(*) FROM events WHERE partition <> 2}), '0', 'but not by the old snapshot');
$old->run('COMMIT');

# a standby with less room
$standby->stop;
$standby->append_conf('postgresql.conf', 'pg_topics.kafka_max_transactions = 499');
my $from = -s $standby->logfile;
$standby->start(fail_ok => 1);
ok(poll_until(sub { !-e $standby->data_dir . '/postmaster.pid' }), 'a standby with less room than its primary does not start');
$standby->{_pid} = undef;
like(slurp_file($standby->logfile, $from), qr/pg_topics.kafka_max_transactions = 499 is a lower setting than on the primary server, where its value was 500/,
	'and says why');
$standby->append_conf('postgresql.conf', 'pg_topics.kafka_max_transactions = 500');
$standby->start;

# ---- a checker beside, on the standby ----------------------------------------------------------

$primary->safe_psql('postgres', q{
	CREATE FUNCTION torn() RETURNS bigint LANGUAGE sql AS $$
		SELECT count(*) FROM (
			SELECT value FROM (SELECT value FROM events WHERE partition <> 2 AND value LIKE 'c%'
				UNION ALL SELECT value FROM rows WHERE value LIKE 'c%') v
			GROUP BY value HAVING count(*) <> 3) t $$});
catch_up_with($standby);
my $checker = open_background($standby, 'checker');
my ($torn, $looks) = (0, 0);
ask($checker, 'SELECT torn();');
foreach my $round (1 .. 30)
{
	my $n = begin_with($primary, 10 + $round % 3, "c$round");
	$round % 3 == 0 ? kafka_end($primary, $n, 0) : end_with_row($primary, $n, "c$round", $round % 3 == 1 ? 'COMMIT' : 'ROLLBACK');
	$torn += answer($checker);
	$looks++;
	ask($checker, 'SELECT torn();');
}
answer($checker);
is($torn, 0, "$looks looks on a standby find whole transactions");
is($primary->safe_psql('postgres', 'SELECT torn()'), 0, 'as on the primary');

# ---- promotion ------------------------------------------------------------------------------------

wait_forgotten($primary);
my $events = seen($primary, 0);
my $rows = rows_of($primary);
my $goes_on = begin_with($primary, 30, 'goes on');
my $aborted = begin_with($primary, 31, 'aborted');
my $ended = begin_with($primary, 32, 'ended');
my $restarted = start_standby($primary, 'restarted');
$primary->safe_psql('postgres', 'CHECKPOINT');
catch_up_with($_) foreach $standby, $restarted;
# a restart point, from which this one then starts
$restarted->safe_psql('postgres', 'CHECKPOINT');
ok(-s $restarted->data_dir . '/pg_topics/kafka_transactions' >= 40 + 3 * 40 + 6 * 40, 'a restart point saves the transactions');
append($primary, $goes_on, 30, 'further');
catch_up_with($_) foreach $standby, $restarted;
kill_all($restarted);
$restarted->start;
$primary->backup('backup');
# in the middle of a commit when its server is lost
$ending->run('BEGIN');
$ending->run(q{INSERT INTO rows VALUES ('ended')});
$ending->run("SELECT kafka_end($ended, true)");
catch_up_with($_) foreach $standby, $restarted;
# as if the primary were lost here
$_->stop foreach $standby, $restarted;
my @lost = map { kafka_begin($primary, 50 + $_) } 1 .. 3;
my $target = $primary->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
end_with_row($primary, $goes_on, 'late', 'COMMIT');
ok(poll_until(sub { transactions($primary) == 5 }), 'one that has ended behind others that are open takes no room');
switch_archived($primary);
my $late = seen($primary, 2) . '|' . rows_of($primary);

my %kept = %sequence;

sub check_promoted
{
	my ($node, $name) = @_;

	%sequence = %kept;
	is(kafka_state($node, $goes_on), 'open', "$name: an open one is open");
	like(kafka_state($node, $ended), qr/^(?:aborted|forgotten)$/, "$name: one in mid-commit is aborted");
	is(seen($node, 0), $events, "$name: nothing of them is seen");
	is(kafka_begin($node, 30), $goes_on, "$name: its producer finds it");
	append($node, $goes_on, 30, 'more');
	kafka_end($node, $aborted, 0);
	end_with_row($node, $goes_on, 'promoted', 'COMMIT');
	is(seen($node, 0), "$events goes on further more", "$name: it goes on, and ends");
	is(rows_of($node), $rows eq '' ? 'promoted' : "$rows promoted", "$name: with its row");
	my %theirs = map { $_ => 1 } @lost, $goes_on, $aborted, $ended;
	is(scalar(grep { $theirs{$_} } map { kafka_begin($node, 60 + $_) } 1 .. 5), 0, "$name: it gives out other numbers");
	$node->safe_psql('postgres', 'SELECT kafka_end(number, false) FROM kafka_transactions() WHERE xid = 0');
	ok(wait_forgotten($node), "$name: all are forgotten");
	kill_all($node);
	$node->start;
	is(seen($node, 0), "$events goes on further more", "$name: a crash changes nothing");
	is(transactions($node), 0, "$name: and brings none back");
	$node->stop;
	return;
}

foreach my $node ($standby, $restarted)
{
	$node->append_conf('postgresql.conf', q{primary_conninfo = ''});
	$node->start;
	$node->promote;
	check_promoted($node, $node->name);
}

# ---- a backup -----------------------------------------------------------------------------------------

sub restored
{
	my ($name, $backup, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($primary, $backup, has_restoring => 1, standby => 0);
	$node->append_conf('postgresql.conf', join "\n", "recovery_target_timeline = 'current'", "recovery_target_action = 'promote'", @settings);
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die;
	return $node;
}

check_promoted(restored('early', 'backup', "recovery_target_lsn = '$target'"), 'a recovery that ends early');
my $whole = restored('whole', 'backup');
is(seen($whole, 2) . '|' . rows_of($whole), $late, 'a restored backup has the late commit');
like(kafka_state($whole, $goes_on), qr/^(?:committed|forgotten)$/, 'of the one that was open then');
is(seen($whole, 0), $events, 'not shown in part while another open one stands between its records');
kafka_end($whole, $aborted, 0);
is(seen($whole, 0), "$events goes on further", 'and whole when that has ended');
$whole->stop;

# backups that are made while transactions begin, end, and are resolved
$ending->run('ROLLBACK');
%sequence = %kept;
$primary->safe_psql('postgres', 'SELECT kafka_end(number, false) FROM kafka_transactions() WHERE xid = 0');
my $busy = start_psql($primary, do {
	my $script = PostgreSQL::Test::Utils::tempdir() . '/busy.sql';
	my $text = '';

	foreach my $i (0 .. 1999)
	{
		my ($producer, $seq) = (100 + $i % 5, int($i / 5));
		$text .= "SELECT kafka_begin($producer, 0) AS n \\gset\n"
		  . "SELECT kafka_append('events', p, :n, $producer, 0, $seq, '', ARRAY['b$i'], 1, false) FROM generate_series(0, 1) p;\n"
		  . ($i % 3 == 0 ? "SELECT kafka_end(:n, false);\n" : "BEGIN; INSERT INTO rows VALUES ('b$i'); SELECT kafka_end(:n, true); COMMIT;\n")
		  . ($i % 50 == 49 ? "SELECT pg_sleep(0.2);\n" : '');
	}
	append_to_file($script, $text);
	$script;
}, PostgreSQL::Test::Utils::tempdir() . '/busy.out');
foreach my $i (1 .. 3)
{
	$primary->backup("busy$i");
	switch_archived($primary);
}
$busy->finish;
is($busy->result(0), 0, 'the load has ended');
switch_archived($primary);
my $b = q{SELECT (SELECT count(*) FROM (SELECT value FROM (SELECT value FROM events WHERE value LIKE 'b%' AND partition <> 2 AND value <> 'before' AND value <> 'behind'
	UNION ALL SELECT value FROM rows WHERE value LIKE 'b%' AND value <> 'before') v GROUP BY value HAVING count(*) <> 3) t) || ' torn of ' || (SELECT count(*) FROM rows)};
is($primary->safe_psql('postgres', $b) =~ /^0 /, 1, 'the primary has whole transactions');
foreach my $i (1 .. 3)
{
	my $node = restored("busy$i", "busy$i", "recovery_target = 'immediate'");

	like($node->safe_psql('postgres', $b), qr/^0 torn/, "backup $i has whole transactions");
	$node->safe_psql('postgres', 'SELECT kafka_end(number, false) FROM kafka_transactions() WHERE xid = 0');
	ok(wait_forgotten($node), 'all of which end');
	like($node->safe_psql('postgres', $b), qr/^0 torn/, "and are whole then");
	$node->stop;
}
my $complete = restored('complete', 'busy2');
is($complete->safe_psql('postgres', $b), $primary->safe_psql('postgres', $b), 'one that is restored to the end has all of them');
is(seen($complete, 0), seen($primary, 0), 'in the same order');
ok(wait_forgotten($complete), 'and forgets them');
$complete->stop;

# ---- the WAL is reset ------------------------------------------------------------------------------------

my $open = begin_with($primary, 70, 'through');
$events = seen($primary, 0);
$primary->stop;
command_ok([ 'pg_resetwal', '-f', '-D', $primary->data_dir ], 'the WAL is reset');
$primary->start;
is(kafka_state($primary, $open), 'open', 'an open one is open');
isnt(kafka_begin($primary, 71), $open, 'others have other numbers');
end_with_row($primary, $open, 'through', 'COMMIT');
is(seen($primary, 0), "$events through", 'and it is committed');
$primary->stop;

done_testing();
