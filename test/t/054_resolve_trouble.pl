# Resolving in trouble: a partition whose flags cannot be written, a damaged index
# that is repaired later, no sync process, a server that ran without the library.
# Whatever it is, the commit log is kept for what is not resolved, the other
# partitions go on, and no record is taken for committed that was rolled back.
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

# the fault points are for the sync process alone
$ENV{PGOPTIONS} = '-c pg_topics.fault_point=';

my $node = new_node('main', settings => [ 'autovacuum_freeze_max_age = 2000000000', 'max_connections = 20' ]);
$node->start;
create_load_schema($node);
create_xid_jump($node);

sub sql { return $node->safe_psql('postgres', @_); }
sub sync_pid { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'}); }

# Is the partition resolved to its end?
sub is_resolved
{
	return sql(qq{SELECT resolved_offset = log_end_offset FROM pg_topic_partitions
		WHERE topic = 'events'::regclass AND partition = $_[0]}) eq 't';
}

my $next_key = 100;
my $removed = 0;
my $from;

# A record that is rolled back and one that is committed, in a partition.  The id of
# the transaction that was rolled back.
sub produce_both
{
	my ($partition) = @_;
	my $session = open_session($node);

	$session->run('BEGIN; SELECT send(' . $next_key++ . ", 1, 1, $partition, 10)");
	my $xid = $session->run('SELECT count(*) FROM flush()') && $session->run('SELECT txid_current()');
	$session->run('ROLLBACK');
	$session->close;
	sql('SELECT send(' . $next_key++ . ", 1, 1, $partition, 10)");
	return $xid;
}

# Let the ids pass a whole segment of the commit log, and freeze.
sub pass_by
{
	my ($node) = @_;

	jump($node, next_xid($node) + 2 * CLOG_SEGMENT);
	freeze_all($node);
	return;
}

# Change a setting of the running server, or of the one that is stopped.
sub set_reloaded { my ($name, $value) = @_; sql("ALTER SYSTEM SET $name = '$value'"); $node->reload; return; }
sub start_with { $node->append_conf('postgresql.conf', @_); $node->start; return; }

# The trouble is over: all is resolved and right, and the commit log is cut.
sub check_after
{
	my ($name, $xid) = @_;

	wait_resolved($node);
	check_events($node, "$name: topic and table have the same records");
	wait_rounds($node);
	pass_by($node);
	wait_rounds($node);
	freeze_all($node);
	ok(!-e clog_file($node, $xid), "$name: the commit log is cut once all is resolved");
	check_events($node, "$name: topic and table have the same records without that part of the commit log");
	return;
}

# ---- segments that go, and ones that are lost ----------------------------------

# a partition that is resolved to the end of a segment, which is removed then
$from = -s $node->logfile;
foreach my $removes ('TRUNCATE TOPIC', "SELECT erase('TOPIC', 'k'::text)", q{SELECT count(*) FROM compact('TOPIC')},
	q{SET pg_topics.clock_offset = 7200000; SELECT count(*) FROM apply_retention('TOPIC')})
{
	my $topic = 'removed' . ++$removed;

	sql(qq{SELECT create_topic('$topic', config => '{"cleanup.policy": "compact,delete", "retention.ms": 3600000}')});
	sql("INSERT INTO $topic (key, value) SELECT 'k', n FROM generate_series(1, 3) AS n");
	wait_resolved($node);
	wait_rounds($node);
	sql($removes =~ s/TOPIC/$topic/r);
	sql("INSERT INTO $topic (key, value) VALUES ('k', 'new')");
	wait_resolved($node);
	is(sql("SELECT value FROM $topic WHERE value = 'new'"), 'new',
		"$removes: resolving goes on behind segments that are removed");
}
unlike(slurp_file($node->logfile, $from), qr/is missing|is resolved up to/,
	'no removed segment is reported as missing');

# one that is lost, and comes back
sql(q{SELECT create_topic('lost', config => '{"segment.bytes": 4096}')});
sql(q{BEGIN; INSERT INTO lost (value) VALUES ('first'); PREPARE TRANSACTION 'first'});
sql(q{BEGIN; INSERT INTO lost (value) VALUES (repeat('rolled back', 500)); SELECT count(*) FROM flush(); ROLLBACK});
sql(q{INSERT INTO lost (value) VALUES (repeat('last', 1500))});
my $files = sprintf('%s/%020d', topic_directory($node, 'lost', 0), 1);
ok(-e "$files.log", 'the record that was rolled back has a segment of its own');
$node->stop;
rename("$files.$_", "$files.$_.away") or die "rename: $!" foreach qw(log index);
$from = -s $node->logfile;
$node->start;
sql(q{COMMIT PREPARED 'first'});
ok(poll_until(sub { slurp_file($node->logfile, $from) =~ /ERROR:  the segment of offsets 1 to 1 is missing.*is resolved up to offset 1 only/s }),
	'resolving stops before a missing segment and reports it');
$node->stop;
rename("$files.$_.away", "$files.$_") or die "rename: $!" foreach qw(log index);
$node->start;
wait_resolved($node);
is(sql(q{SELECT left(value, 5) FROM lost}), "first\nlastl",
	'once the missing segment is back its rolled-back record is not shown');
sql("DROP FOREIGN TABLE $_") foreach 'lost', map { "removed$_" } 1 .. $removed;

# ---- a write error in one partition --------------------------------------------

wait_rounds($node);
my $pid = sync_pid();
set_reloaded('pg_topics.fault_point', 'entry-write:EIO');
$from = -s $node->logfile;
my $aborted = produce_both(0);
sql("SELECT send($next_key, 1, 1, 1, 10)");
poll_until(sub { slurp_file($node->logfile, $from) =~ /could not write to topic file/ }) or die 'no error';
poll_until(sub { is_resolved(1) });
ok(is_resolved(1), 'a write error in one partition does not keep others from being resolved');
like(slurp_file($node->logfile, $from), qr/partition 0 of topic \d+ in database \d+ is resolved up to offset 0 only/,
	'the log says up to where the partition with the write error is resolved');
ok(!is_resolved(0), 'the partition with the write error is not resolved');
wait_rounds($node);
is(sync_pid(), $pid, 'the sync process survives the write error');
pass_by($node);
ok(-e clog_file($node, $aborted), 'the commit log is kept for the partition with the write error');
check_events($node, 'while there is a write error topic and table have the same records');
set_reloaded('pg_topics.fault_point', '');
check_after('after a write error', $aborted);

# ---- a damaged entry, repaired later ---------------------------------------------

sql(q{BEGIN; SELECT send(90, 1, 1, 2, 10); PREPARE TRANSACTION 'before'});
$aborted = produce_both(2);
my ($index) = glob(topic_directory($node, 'events', 2) . '/*.index');
my $bytes = slurp_file($index);
my $place = (grep { unpack('Q', substr($bytes, 64 * $_ + 40, 8)) == $aborted } 1 .. length($bytes) / 64 - 1)[0];
ok($place, 'the index entry of the rolled-back batch is found');
overwrite($index, 64 * $place + 20, "\xff" x 4);
sql(q{COMMIT PREPARED 'before'});
sql("SELECT pg_terminate_backend($pid)");
poll_until(sub { sync_pid() ne '' && sync_pid() ne $pid }) or die 'no sync process';
$from = -s $node->logfile;
poll_until(sub { slurp_file($node->logfile, $from) =~ /damaged segment index.*damaged segment index/s }) or die 'no damage';
wait_rounds($node);
pass_by($node);
ok(-e clog_file($node, $aborted), 'the commit log is kept for a partition with a damaged index entry');
is(sql(q{SELECT count(*) FROM events WHERE partition = 1}), '1',
	'partitions beside the damaged one can be read');
poll_until(sub { slurp_file($node->logfile, $from) =~ /partition 2 of topic \d+ in database \d+ is resolved up to offset 1 only/ });
like(slurp_file($node->logfile, $from), qr/is resolved up to offset 1 only/,
	'the batches before the damaged entry are resolved');
overwrite($index, 64 * $place + 20, substr($bytes, 64 * $place + 20, 4));
check_after('after damage', $aborted);

# ---- no sync process -------------------------------------------------------------

$node->stop;
start_with('max_worker_processes = 0');
$aborted = produce_both(0);
pass_by($node);
ok(-e clog_file($node, $aborted), 'without a sync process the commit log is kept');
check_events($node, 'without a sync process topic and table have the same records');
kill_all($node);
$node->start;
pass_by($node);
ok(-e clog_file($node, $aborted), 'without a sync process the commit log is kept after a crash, too');
check_events($node, 'without a sync process and after a crash topic and table have the same records');

# ---- a server of a single process ------------------------------------------------

# where it is the last resort, it must be able to freeze
my @databases = split /\n/, sql('SELECT datname FROM pg_database');
$node->stop;
foreach my $database (@databases)
{
	my $output;

	IPC::Run::run([ 'postgres', '--single', '-D', $node->data_dir, $database ], '<', \"VACUUM (FREEZE);\n", '>&', \$output)
	  or die $output;
}
ok(!-e clog_file($node, $aborted), 'a server of a single process resolves before it freezes');
start_with('max_worker_processes = 8');
check_after('after a server of a single process', $aborted);

# ---- a server that ran without the library ----------------------------------------

sql(q{SELECT create_topic('doubt', partitions => 2); INSERT INTO doubt (partition, value) VALUES (0, 'sure'), (1, 'sure')});
wait_resolved($node);
$node->stop;
start_with('max_worker_processes = 0');
$aborted = sql(q{BEGIN; INSERT INTO doubt (partition, value) VALUES (0, 'committed'); SELECT txid_current(); COMMIT});
# of which the recovery point does not know yet
sql(q{SELECT create_topic('young')});
my $young = sql(q{BEGIN; INSERT INTO young (value) VALUES ('rolled back'); SELECT count(*) FROM flush(); SELECT txid_current(); ROLLBACK});
$young =~ s/.*\n//s;
$node->stop;
start_with(q{shared_preload_libraries = ''});
pass_by($node);
pass_by($node);
ok(!-e clog_file($node, $aborted), 'a server without the library cuts its commit log');
$node->stop;
$from = -s $node->logfile;
start_with(qq{shared_preload_libraries = 'pg_topics'\nmax_worker_processes = 8});
my (undef, undef, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT * FROM doubt");
like($err, qr/ERROR:  XX001: cannot tell whether transaction $aborted was committed.*offsets 1 to 1 of partition 0 of topic doubt.*HINT:  .*forgotten_transactions/s,
	'reading a record whose transaction the commit log has forgotten is an error');
is(sql(q{SET client_min_messages = error; SELECT subject FROM pg_topics_doctor() WHERE check_name = 'damage' AND severity = 'critical' AND subject ~ 'doubt'}),
	'public.doubt, partition 0', 'the doctor finds the partition of such a record');
is(sql('SELECT value FROM doubt WHERE partition = 1'), 'sure',
	'partitions without such a record can be read');
is(sql('SELECT value FROM doubt WHERE partition = 0 LIMIT 1'), 'sure',
	'records before such a record can be read');
poll_until(sub { slurp_file($node->logfile, $from) =~ /cannot tell whether transaction $aborted was committed/ }) or die 'no report';
(undef, my $out, $err) = $node->psql('postgres', 'SELECT value FROM young');
is($out, '', 'in a topic that the recovery point does not know a forgotten record is not shown');
like($err, qr/ERROR:  cannot tell whether transaction $young was committed/,
	'reading that record is an error');
$node->restart;
set_reloaded('pg_topics.forgotten_transactions', 'abort');
wait_resolved($node);
is(sql('SELECT value FROM doubt'), "sure\nsure",
	'with forgotten_transactions set to abort the topic can be read without the record');
is(sql('SELECT count(*) FROM young'), '0',
	'with forgotten_transactions set to abort the new topic can be read without the record, too');
like(slurp_file($node->logfile, $from), qr/treating transaction $aborted as rolled back/,
	'the log says that the transaction is treated as rolled back');
check_events($node, 'at the end topic and table have the same records');
$node->stop;

done_testing();
