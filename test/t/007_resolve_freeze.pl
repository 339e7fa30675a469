# Resolving, that is noting in a topic's files how transactions have ended: records outlive
# the commit log that told of their transactions, the commit log is kept as long as a
# record still needs it, and transaction ids may wrap around.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# Transactions in a segment file of the commit log.
use constant CLOG_SEGMENT => 1048576;

my $node = new_node('main', settings => [ 'autovacuum_freeze_max_age = 2000000000', 'max_connections = 20' ]);
$node->start;
create_load_schema($node);

sub sql { return $node->safe_psql('postgres', @_); }

# ---- helpers -----------------------------------------------------------------

sub clog_file
{
	my ($xid) = @_;

	return sprintf('%s/pg_xact/%04X', $node->data_dir, $xid / CLOG_SEGMENT);
}

# Let the next transaction id be this one, as the manual of pg_resetwal has it.
sub jump_to
{
	my ($xid) = @_;
	my $file = clog_file($xid);

	$node->stop;
	append_to_file($file, "\0" x (CLOG_SEGMENT / 4)) unless -e $file;
	command_ok([ 'pg_resetwal', '-x', $xid, '-D', $node->data_dir ], "next transaction id is $xid");
	$node->start;
	return;
}

# Use up that many transaction ids.
sub use_ids
{
	my ($count) = @_;

	sql("DO \$\$ BEGIN FOR i IN 1 .. $count LOOP PERFORM txid_current(); COMMIT; END LOOP; END \$\$");
	return;
}

# Wait until two whole rounds of resolving have begun and ended.
sub wait_rounds
{
	foreach my $i (1 .. 2)
	{
		sql(q{SELECT produce('rounds', 'x')});
		$node->poll_query_until('postgres', q{
			SELECT resolved_offset = log_end_offset FROM pg_topic_partitions WHERE topic = 'rounds'::regclass})
		  or die 'no resolving';
	}
	return;
}

# Freeze everything there is, so that the server cuts the commit log.
sub freeze_all
{
	wait_rounds();
	$node->command_ok([ 'vacuumdb', '--all', '--freeze', '--quiet' ], 'VACUUM FREEZE of all databases');
	return;
}

sub sync_xmin
{
	return sql(q{SELECT backend_xmin FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'});
}

# Records that were committed and records that were aborted, in all ways.
sub some_of_each
{
	my $load = start_load($node, clients => 2, transactions => 60);

	finish_load($load);
	return;
}

# ---- committed and aborted, the commit log gone ------------------------------

sql(q{
	SELECT create_topic('rounds');
	ALTER DATABASE template0 ALLOW_CONNECTIONS true;
});
some_of_each();
my $first_clog = clog_file(0);
ok(-e $first_clog, 'the server has the first file of its commit log');
check_events($node, 'with the commit log, topic and table agree');
my $offsets = sql('SELECT sum(log_end_offset) - (SELECT count(*) FROM events) FROM pg_topic_partitions');
cmp_ok($offsets, '>', 0, 'some records are of transactions that did not commit');

jump_to(3 * CLOG_SEGMENT);
some_of_each();
freeze_all();
ok(!-e $first_clog, 'VACUUM FREEZE lets the server remove the first file of its commit log');
check_events($node, 'without the old commit log topic and table agree');
$node->restart;
check_events($node, 'without the old commit log they agree after a restart');
kill_all($node);
$node->start;
check_events($node, 'without the old commit log they agree after a crash');
sql('CHECKPOINT');
$node->stop('immediate');
$node->start;
check_events($node, 'without the old commit log they agree after a checkpoint and a crash');

# ---- what is not resolved keeps its commit log -------------------------------

# Two transactions begin in one segment of the commit log; the ids go on to the
# next one; there a transaction is prepared; behind its record the two append
# theirs and end.  They are nowhere in the server any more, only in the topic.
my $boundary = 4 * CLOG_SEGMENT;
jump_to($boundary - 100);
my ($aborted, $committed) = map { open_session($node) } 1 .. 2;
$aborted->run('BEGIN; SELECT send(100, 1, 1, 0, 10)');
$committed->run('BEGIN; SELECT send(101, 1, 1, 0, 10)');
my $needed = $aborted->run('SELECT txid_current()');
cmp_ok($needed, '<', $boundary, 'the transaction has begun in the old file of the commit log');
use_ids(200);
sql(q{BEGIN; SELECT send(102, 1, 1, 0, 10); PREPARE TRANSACTION 'blocker'});
cmp_ok(sql('SELECT transaction FROM pg_prepared_xacts'), '>', $boundary,
	'the prepared transaction is in the new file of the commit log');
$aborted->run('SELECT count(*) FROM flush(); ROLLBACK');
$committed->run('SELECT count(*) FROM flush(); COMMIT');
$_->close foreach $aborted, $committed;
wait_rounds();
is(sync_xmin(), $needed, 'the sync process shows the oldest transaction whose outcome is still needed');
freeze_all();
ok(-e clog_file($boundary - 1), 'a file of the commit log stays while the topic needs it');

# also when nobody remembers but the files
kill_all($node);
$node->start;
wait_rounds();
freeze_all();
ok(-e clog_file($boundary - 1), 'after a crash the file stays');
$node->restart;
freeze_all();
ok(-e clog_file($boundary - 1), 'after a restart the file stays');

my $seen = q{SELECT string_agg(key, ' ' ORDER BY key) FROM events WHERE key::int >= 100};
is(sql($seen), '', 'no record behind that of a prepared transaction is seen');
sql(q{COMMIT PREPARED 'blocker'});
is(sql($seen), '101 102', 'once it has committed the records of committed transactions are seen');
wait_resolved($node);
freeze_all();
ok(!-e clog_file($boundary - 1), 'when all outcomes are noted the old file of the commit log goes');
is(sql($seen), '101 102', 'without that file the same records are seen');
check_events($node, 'without that file topic and table agree');

# ---- the distance guard ------------------------------------------------------

sql(q{BEGIN; SELECT send(103, 1, 1, 0, 10); PREPARE TRANSACTION 'old'});
use_ids(200);
wait_rounds();
my $guarded = 'SET pg_topics.max_xid_distance = 100; SELECT send(104, 1, 1, %d, 10)';
my $ends = 'SELECT sum(log_end_offset) FROM pg_topic_partitions';
my $end = sql($ends);
foreach my $partition (0, 1)
{
	my (undef, undef, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . sprintf($guarded, $partition));
	like($err, qr/ERROR:  54000: cannot produce: transaction \d+ is too far from the oldest unresolved one.*HINT/s,
		"producing too many ids behind a prepared transaction is refused: partition $partition");
}
is(sql($ends), $end, 'a transaction that is refused for the distance appends nothing');
check_events($node, 'after the refusals topic and table agree');
is(sql('SELECT blocking_gid FROM pg_topic_partitions WHERE blocking_gid IS NOT NULL'), 'old',
	'the view names the prepared transaction that is too old');
sql('SELECT send(104, 2, 1, 0, 10)');
ok(1, 'with the default distance producing works');
sql(q{ROLLBACK PREPARED 'old'});
wait_resolved($node);
wait_rounds();
sql(sprintf($guarded =~ s{104}{98}r, 0));
check_events($node, 'producing goes on when the old transaction is rolled back');

# an open transaction whose records are not appended yet does not count
my $session = open_session($node);
$session->run('BEGIN; SELECT send(105, 1, 1, 0, 10)');
use_ids(200);
wait_rounds();
sql(sprintf($guarded =~ s{104}{99}r, 1));
ok(1, 'an old transaction that has appended nothing does not keep others from producing');
$session->run('ROLLBACK');
$session->close;

# ---- wrap-around -------------------------------------------------------------

foreach my $xid (2_000_000_000, 4_000_000_000, 4_294_967_296 - 300)
{
	jump_to($xid);
	some_of_each();
	freeze_all();
	check_events($node, "transaction id $xid: topic and table agree");
}
sql(q{BEGIN; SELECT send(106, 1, 1, 2, 10); PREPARE TRANSACTION 'before the wrap'});
$session = open_session($node);
$session->run('BEGIN; SELECT send(107, 1, 1, 2, 10)');
use_ids(1000);
cmp_ok(sql('SELECT txid_current()'), '>', 4_294_967_296, 'the transaction ids have wrapped around');
sql('SELECT send(108, 1, 1, 2, 10)');
$session->run('SELECT count(*) FROM flush()');
wait_rounds();
is(sql(q{SELECT string_agg(key, ' ' ORDER BY key) FROM events WHERE key::int > 105}), '',
	'a transaction prepared before the wrap-around holds back records after it');
kill_all($node);
$node->start;
sql(q{COMMIT PREPARED 'before the wrap'});
is(sql(q{SELECT string_agg(key, ' ' ORDER BY key) FROM events WHERE key::int > 105}), '106 108',
	'its record is seen once it commits, one of a crashed transaction is not');
wait_resolved($node);
some_of_each();
check_events($node, 'after the wrap-around: topic and table agree');
freeze_all();
$node->restart;
check_events($node, 'after the wrap-around they agree when all is frozen and restarted');
$node->stop;

done_testing();
