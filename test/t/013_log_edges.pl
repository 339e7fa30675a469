# Edges of the log, a section each: the largest offset, TRUNCATE without a sync process, a
# segment without its header, a roll that fails, a crash before the WAL is on disk, a damaged
# index header, the disk space of deleted files, a start that a given offset has moved.  Whatever happens, no record is lost or made
# up, and the server starts.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', init => { allows_streaming => 1 });
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# The error message of a statement that must fail.
sub failure
{
	my ($code, $out, $err) = $node->psql('postgres', @_);

	isnt($code, 0, "fails: $_[0]");
	return $err;
}

# SIGKILL: what no process has flushed is lost, halted processes die too.
sub power_failure
{
	kill_all($node);
	return;
}

sub crash_and_start
{
	$node->stop('immediate');
	$node->start;
	return;
}

# Sessions whose server has gone.
sub forget { return map { $_->{run}->kill_kill } @_; }

sub pid_of
{
	my ($type) = @_;

	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = '$type'")
	  or die "no process $type";
	return sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
}

# Halt the postmaster, which never holds a lock, until the next crash or go_on().
sub halt_postmaster
{
	kill 'STOP', postmaster();
	wait_halted(postmaster());
	return;
}

sub postmaster { return (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0]; }

# End the sync process.  The postmaster is halted, so that it starts no other:
# only sessions that are open already go on.
sub end_sync_process
{
	my ($session) = @_;
	my $ones = q{FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'};

	pid_of('pg_topics sync');
	halt_postmaster();
	$session->run("SELECT pg_terminate_backend(pid) $ones");
	poll_until(sub { $session->run("SELECT count(*) $ones") eq '0' }) or die 'the sync process does not end';
	return;
}

# The result of a query or, so that a failed test shows it, its error.
sub told
{
	my ($code, $out, $err) = $node->psql('postgres', @_);

	return $code == 0 ? $out : $err;
}

# Values, and offsets, of a topic of one partition.
sub values_only { return told("SELECT string_agg(value, ' ' ORDER BY record_offset) FROM $_[0]"); }

sub records { return told("SELECT string_agg(record_offset || ':' || value, ' ' ORDER BY record_offset) FROM $_[0]"); }

# A file of a segment.
sub segment_file
{
	my ($directory, $base, $kind) = @_;

	return sprintf('%s/%020d.%s', $directory, $base, $kind);
}

sql('CREATE EXTENSION pg_topics');

# ---- the largest offset that can be given --------------------------------------

my $largest = 4611686018427387904;
sql(q{SELECT create_topic('high')});
foreach my $offset ('9223372036854775807', $largest + 1)
{
	like(failure("INSERT INTO high (record_offset, value) VALUES ($offset, 'x')"),
		qr/ERROR:  offset $offset is too large for partition 0 of topic "high"/,
		'an offset beyond the largest one is refused');
}
# it ends nothing: what comes in the same batch, later, and after TRUNCATE goes on from there
sql("INSERT INTO high (record_offset, value) VALUES ($largest, 'a'), (NULL, 'b')");
sql(q{SELECT produce('high', 'k', 'c')});
is(values_only('high'), 'a b c', 'producing goes on behind the largest offset that can be given');
crash_and_start();
is(values_only('high'), 'a b c', 'after a crash records behind the largest given offset are there');
sql(q{INSERT INTO high (value) SELECT 'x' FROM generate_series(1, 1000)});
sql('TRUNCATE high');
sql(q{SELECT produce('high', 'k', 'd')});
crash_and_start();
is(records('high'), ($largest + 1003) . ':d',
	'after TRUNCATE and a crash producing goes on at the following offset');

# ---- a log start moved while no sync process runs ----------------------------

sql(q{SELECT create_topic('emptied')});
foreach my $ending ('checkpoint and crash', 'crash', 'fast shutdown')
{
	sql(q{INSERT INTO emptied (value) SELECT 'old' || i FROM generate_series(1, 100) AS i});
	sql('CHECKPOINT');
	my $session = open_session($node);
	end_sync_process($session);
	my $log = -s $node->logfile;
	$session->run('TRUNCATE emptied');
	$session->run(q{INSERT INTO emptied (value) VALUES ('a'), ('b'), ('c')});
	my $before = $session->run(q{SELECT string_agg(record_offset || ':' || value, ' ' ORDER BY record_offset) FROM emptied});

	$session->run('CHECKPOINT') if $ending eq 'checkpoint and crash';
	if ($ending eq 'fast shutdown')
	{
		kill 'INT', postmaster();
		go_on();
		# it may be down before it is told so once more
		$node->stop('fast', fail_ok => 1);
		$node->start;
	}
	else
	{
		power_failure();
		$node->start;
	}
	forget($session);
	is(records('emptied'), $before,
		"TRUNCATE without sync process, $ending: records produced after it are there");
	unlike(slurp_file($node->logfile, $log), qr/removing segment .*not known to the WAL/,
		"TRUNCATE without sync process, $ending: no file of later records was removed");
	told(q{INSERT INTO emptied (value) VALUES ('d')});
	is(values_only('emptied'), 'a b c d', "TRUNCATE without sync process, $ending: producing goes on");
}

# where it can never start
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'}), '0',
	'with max_worker_processes = 0 there is no sync process');
foreach my $mode ('fast', 'immediate')
{
	sql('TRUNCATE emptied');
	sql(q{INSERT INTO emptied (value) VALUES ('a'), ('b')});
	sql('CHECKPOINT') if $mode eq 'immediate';
	$node->stop($mode);
	$node->start;
	is(values_only('emptied'), 'a b', "TRUNCATE where no sync process can start, $mode stop: records produced after it are there");
}
# and the disk is full: who deletes is told so, and the server goes on
my $from = -s $node->logfile;
foreach my $statement ("SELECT delete_records('emptied', 0, -1)", 'TRUNCATE emptied')
{
	my ($code, $out, $error) = $node->psql('postgres', "SET pg_topics.fault_point = 'recovery-point-write:ENOSPC';\n$statement");

	like($error, qr/ERROR:  could not write file "pg_topics\/recovery_point.tmp": No space left on device/,
		"$statement, with no space for the recovery point: an error");
	sql(q{INSERT INTO emptied (value) VALUES ('a'), ('b')});
	is(values_only('emptied'), 'a b',
		"$statement, with no space for the recovery point: what is produced after it is there");
}
unlike(slurp_file($node->logfile, $from), qr/PANIC/,
	'a full disk for the recovery point does not stop the server');
sql('SELECT count(*) FROM apply_retention()');
sql('CHECKPOINT');
$node->stop('immediate');
$node->start;
is(values_only('emptied'), 'a b',
	'what a failed deletion has left is removed later, and stays removed after a crash');
$node->adjust_conf('postgresql.conf', 'max_worker_processes', undef);
$node->restart;
is(values_only('emptied'), 'a b', 'with a sync process again the records are the same');

# ---- a new segment whose header was lost in a power failure ------------------

# an empty active segment
sql(q{SELECT create_topic('empty'); INSERT INTO empty (value) SELECT 'old' || i FROM generate_series(1, 10) AS i});
sql('TRUNCATE empty');
my $directory = topic_directory($node, 'empty', 0);
foreach my $round (1, 2)
{
	sql('CHECKPOINT');
	my $base = sql(q{SELECT log_end_offset FROM pg_topic_partitions WHERE topic = 'empty'::regclass});
	$node->stop('immediate');
	my $index = segment_file($directory, $base, 'index');
	ok(-s $index, 'an empty segment has a header on disk');
	truncate($index, 0) or die $!;
	$node->start;
	is(records('empty'), '', 'an empty segment without its header reads as empty');
	sql(q{INSERT INTO empty (value) VALUES ('a')});
	is(records('empty'), "$base:a", 'producing goes on in the segment that had lost its header');
	crash_and_start();
	is(records('empty'), "$base:a", 'after a crash the record in that segment is there');
	sql('TRUNCATE empty');
}

# the first segment of a topic, whose first append never got into the WAL
sql(q{SELECT create_topic('fresh')});
$directory = topic_directory($node, 'fresh', 0);
$node->stop('immediate');
mkdir $directory, 0700 or -d $directory or die $!;
append_to_file(segment_file($directory, 0, $_), '') foreach qw(log index);
$node->start;
is(records('fresh'), '', 'a first segment without its header reads as empty');
sql(q{INSERT INTO fresh (value) VALUES ('a')});
crash_and_start();
is(records('fresh'), '0:a', 'a first segment that had lost its header takes records, which survive a crash');

# ---- a roll that fails -------------------------------------------------------

# two values of this size fit into a segment, a third does not
my $big = q{repeat('x', 1500)};
sql(q{SELECT create_topic('rolled', config => '{"segment.bytes": 4096}')});
$directory = topic_directory($node, 'rolled', 0);
my @sent;
my $session = open_session($node);

sub send_rolled
{
	my ($value) = @_;

	$session->run("INSERT INTO rolled (value) VALUES ($value)");
	push @sent, sql("SELECT md5($value)");
	return;
}

sub check_rolled
{
	my ($name) = @_;

	is(told(q{SELECT string_agg(record_offset || ':' || md5(value), ' ' ORDER BY record_offset) FROM rolled}),
		join(' ', map { "$_:$sent[$_]" } 0 .. $#sent), $name);
	return;
}

# What makes the roll at a base fail, what takes that back, and the error.
my %hindrances = (
	'unwritable directory' => [
		sub { chmod 0500, $directory or die $! },
		sub { chmod 0700, $directory or die $! },
		qr/ERROR:  could not \w+ topic file ".*": Permission denied/ ],
	# the header cannot be written, when the log is there already
	'disk full' => [
		sub { symlink '/dev/full', segment_file($directory, $_[0], 'index') or die $! },
		sub { },
		qr/ERROR:  could not write to topic file ".*": No space left on device/ ]);
foreach my $name ('unwritable directory', 'disk full')
{
	my ($hinder, $restore, $error) = @{ $hindrances{$name} };

	# a new segment, filled
	do { send_rolled($big) }
	  until sql(q{SELECT bytes > 2500 FROM pg_topic_segments WHERE topic = 'rolled'::regclass AND active}) eq 't';
	my $base = @sent;
	my $index = segment_file($directory, sql(q{SELECT base_offset FROM pg_topic_segments WHERE topic = 'rolled'::regclass AND active}), 'index');
	my $size = -s $index;

	$hinder->($base);
	like(failure("INSERT INTO rolled (value) VALUES ($big)"), $error, "$name: a roll that fails says why");
	ok(!-e segment_file($directory, $base, 'log'),
		"$name: a roll that fails leaves no log file of the new segment");
	$restore->();
	ok(!-l segment_file($directory, $base, 'index'),
		"$name: a roll that fails leaves no index file of the new segment");
	cmp_ok(-s $index, '==', $size, "$name: the index of the old segment keeps its size");
	check_rolled("$name: a roll that fails loses no record");

	# a small one still fits the old segment, and takes the offset the new one was to begin with
	send_rolled("'small, $name'");
	is(sql(q{SELECT max(base_offset) < max(last_offset) FROM pg_topic_segments WHERE topic = 'rolled'::regclass}), 't',
		"$name: after a roll that failed the next batch goes into the old segment");
	send_rolled($big) foreach 1 .. 5;
	check_rolled("$name: after later rolls all records are read");

	# TRUNCATE rolls as well
	$hinder->(scalar @sent);
	like(failure('TRUNCATE rolled'), $error, "$name: TRUNCATE, which rolls too, fails with the same error");
	$restore->();
	check_rolled("$name: a TRUNCATE that fails loses no record");
	send_rolled("'next, $name'");
	send_rolled($big) foreach 1 .. 3;
	check_rolled("$name: after a TRUNCATE that failed later rolls lose nothing");
}
$session->close;
crash_and_start();
check_rolled('after failed rolls a crash loses nothing');
$node->restart;
check_rolled('after failed rolls a restart loses nothing');
cmp_ok(sql(q{SELECT count(*) FROM pg_topic_segments WHERE topic = 'rolled'::regclass}), '>', 6,
	'the topic has rolled several segments');

# ---- resolved offsets that run ahead of the WAL ------------------------------

# With the WAL writer halted nobody flushes the RESOLVE record of a quiet
# server.  The crash comes when the next recovery point is in place and the SYNC
# record behind it is perhaps not yet: who misses that moment proves nothing, so
# there are several tries.  "outcome" tells what became of the transaction.
my $recovery_point = $node->data_dir . '/pg_topics/recovery_point';
my $tries = 0;
sql('CREATE TABLE outcome (topic text)');
foreach my $end ('ROLLBACK', 'SET LOCAL synchronous_commit = off; COMMIT', 'ROLLBACK')
{
	my $topic = 'ahead' . ++$tries;

	sql("SELECT create_topic('$topic'); INSERT INTO $topic (value) VALUES ('first')");
	wait_resolved($node);
	sql('CHECKPOINT');
	my ($doubtful, $flusher, $checkpointer) = map { open_session($node) } 1 .. 3;
	my $sync = pid_of('pg_topics sync');
	halt_asleep($node, pid_of('walwriter'));
	$doubtful->run("BEGIN; INSERT INTO outcome VALUES ('$topic'); INSERT INTO $topic (value) VALUES ('doubtful')");
	$doubtful->run('SELECT count(*) FROM flush()');
	$flusher->run("INSERT INTO $topic (value) VALUES ('second')");
	$doubtful->run($end);
	wait_resolved($node);
	note('unflushed WAL: ', sql('SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()'));

	my $old = (stat $recovery_point)[1];
	$checkpointer->run('SELECT 1');
	$checkpointer->{in} .= "CHECKPOINT;\n";
	$checkpointer->{run}->pump_nb;
	# no sleep in between, or the moment is missed
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	while ((stat $recovery_point)[1] == $old) { die 'no recovery point' if time > $deadline }
	kill 'STOP', $sync;
	power_failure();
	forget($doubtful, $flusher, $checkpointer);
	$node->start;

	# transaction ids that were lost are used again
	sql('SELECT pg_current_xact_id()') foreach 1 .. 5;
	my $expected = sql("SELECT count(*) FROM outcome WHERE topic = '$topic'") ? 'first doubtful second' : 'first second';
	is(values_only($topic), $expected, "try $tries, $end: the record is there if its transaction is");
	wait_resolved($node);
	is(values_only($topic), $expected, "try $tries, $end: the same when the transaction's outcome is noted");
}

# ---- a drop that does not wait for its commit --------------------------------

foreach my $drop ('DROP FOREIGN TABLE doomed', 'BEGIN; DROP FOREIGN TABLE doomed; COMMIT', 'DROP SCHEMA doomed_too CASCADE')
{
	sql(q{CREATE SCHEMA doomed_too; SET search_path = doomed_too, public;
		SELECT create_topic('doomed', partitions => 2);
		INSERT INTO doomed (key, value) SELECT i, i FROM generate_series(1, 100) AS i});
	my $session = open_session($node);
	$session->run('SET search_path = doomed_too, public; SET synchronous_commit = off; SET client_min_messages = warning');
	sql('CHECKPOINT');
	halt_asleep($node, pid_of('walwriter'));
	$session->run($drop);
	power_failure();
	forget($session);
	$node->start;
	my $left = sql(q{SELECT to_regclass('doomed_too.doomed') IS NULL});
	$left = told('SELECT count(*) FROM doomed_too.doomed') if $left eq 'f';
	like($left, qr/^(t|100)$/, "$drop, synchronous_commit = off, power failure: the topic is gone or has all its records");
	sql('DROP SCHEMA IF EXISTS doomed_too CASCADE');
}

# ---- a damaged index header --------------------------------------------------

my %damages = (
	'one byte' => [ 16, "\xff" ],
	'all of it' => [ 0, "\0" x 64 ]);
sql(q{SELECT create_topic('harmed')});
$directory = topic_directory($node, 'harmed', 0);
my $total = 0;

sub send_harmed
{
	sql(q{INSERT INTO harmed (value) SELECT i FROM generate_series(1, 10) AS i}) foreach 1 .. 3;
	$total += 30;
	return;
}

sub check_harmed
{
	my ($name) = @_;

	is(told('SELECT count(*), count(DISTINCT record_offset), max(record_offset) FROM harmed'),
		"$total|$total|" . ($total - 1), $name);
	return;
}

foreach my $damage (sort keys %damages)
{
	foreach my $when ('no checkpoint', 'behind a checkpoint', 'behind a newer recovery point', 'clean shutdown')
	{
		send_harmed();
		if ($when ne 'no checkpoint')
		{
			sql('CHECKPOINT');
			send_harmed();
		}
		if ($when eq 'behind a newer recovery point')
		{
			# the sync process leaves one when it ends
			my $pid = pid_of('pg_topics sync');
			sql("SELECT pg_terminate_backend($pid)");
			$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die;
			send_harmed();
		}
		$node->stop($when eq 'clean shutdown' ? 'fast' : 'immediate');
		overwrite(segment_file($directory, 0, 'index'), @{ $damages{$damage} });
		$node->start;
		check_harmed("damaged header ($damage), $when: the server starts, all records are there");
	}
}
send_harmed();
crash_and_start();
check_harmed('with the damaged header repaired, what is produced survives a crash');

# aborted batches are still flagged
sql(q{BEGIN; INSERT INTO harmed (value) VALUES ('rolled back'); SELECT count(*) FROM flush(); ROLLBACK});
wait_resolved($node);
$node->stop('immediate');
overwrite(segment_file($directory, 0, 'index'), 0, "\xff");
$node->start;
is(told('SELECT count(*) FROM harmed'), $total,
	'with a damaged index header, records that were rolled back stay hidden');
wait_resolved($node);
is(told('SELECT count(*) FROM harmed'), $total, 'they stay hidden when all outcomes are noted');

# ---- the space of what is deleted --------------------------------------------

# Kilobytes that a process holds in deleted files of topics.
sub held_by
{
	my ($pid) = @_;
	my $kilobytes = 0;

	foreach my $link (glob("/proc/$pid/fd/*"))
	{
		my $file = readlink $link // next;
		$kilobytes += (stat $link)[12] / 2 if $file =~ m{/pg_topics/.* \(deleted\)$};
	}
	return $kilobytes;
}

my $filling = q{INSERT INTO freed (value) SELECT repeat('x', 1000) FROM generate_series(1, 1000)};
sql(q{SELECT create_topic('freed', config => '{"segment.bytes": 100000}')});
my $sync = pid_of('pg_topics sync');
my ($reader, $writer) = map { open_session($node) } 1, 2;
my %pids = (
	'the sync process' => $sync,
	'an idle session that read' => $reader->run('SELECT pg_backend_pid()'),
	'an idle session that wrote' => $writer->run('SELECT pg_backend_pid()'));
foreach my $removal ('TRUNCATE freed', 'DROP FOREIGN TABLE freed')
{
	$writer->run("SET pg_topics.batch_size = '16kB'; $filling") foreach 1 .. 2;
	$reader->run('SELECT count(*), sum(length(value)) FROM freed');
	wait_resolved($node);
	sql('CHECKPOINT');
	sql($removal);
	foreach my $who (sort keys %pids)
	{
		local $PostgreSQL::Test::Utils::timeout_default = 10;
		ok(poll_until(sub { held_by($pids{$who}) == 0 }), "$removal: $who keeps no space of deleted files")
		  or diag(held_by($pids{$who}), ' kB');
	}
}
$_->close foreach $reader, $writer;

# ---- a wrapper of another name -----------------------------------------------

$node->append_conf('postgresql.conf', 'pg_topics.maintenance_interval = 1');
$node->reload;
sql(q{SELECT create_topic('kept'); INSERT INTO kept (value) VALUES ('a')});
$directory = topic_directory($node, 'kept', 0);
sql('ALTER FOREIGN DATA WRAPPER pg_topics_fdw RENAME TO renamed');

# when a second orphan is removed, a whole round of maintenance has passed
foreach my $orphan (4000000001, 4000000002)
{
	(my $path = $directory) =~ s{[^/]+$}{$orphan-0};
	mkdir $path or die $!;
	poll_until(sub { !-e $path }) or die 'maintenance does not run';
}
ok(-d $directory, 'a renamed foreign data wrapper does not make its topics orphans');
is(values_only('kept'), 'a', "with the wrapper renamed, the topic's records are there");
sql(q{INSERT INTO kept (value) VALUES ('b'); SELECT produce('kept', 'k', 'c')});
is(sql(q{SELECT count(*) FROM consume('kept', 'g')}), '3',
	'with the wrapper renamed, producing and consuming work');
crash_and_start();
is(values_only('kept'), 'a b c', 'with the wrapper renamed, all records are there after a crash');
sql('ALTER FOREIGN DATA WRAPPER renamed RENAME TO pg_topics_fdw');
sql(q{INSERT INTO kept (value) VALUES ('d')});
is(values_only('kept'), 'a b c d', "with the wrapper's old name back, all records are there");
sql('DROP FOREIGN TABLE kept');
ok(!-e $directory, 'dropping a topic whose wrapper was renamed removes its files');

# ---- an empty log that a given offset has started elsewhere --------------------

# The recovery point has the empty log; compaction has rewritten what was appended after it,
# so that the files say no more where the first record was.
foreach my $case ([ near => 1000, 1500 ], [ far => 2147484288, 2147484290 ])
{
	my ($name, @offsets) = @$case;
	my $bounds = "SELECT log_start_offset, log_end_offset FROM pg_topic_partitions WHERE topic = '$name'::regclass";

	sql(qq(SELECT create_topic('$name', config => '{"cleanup.policy": "compact"}')));
	sql("INSERT INTO $name (key, value) VALUES ('a', 'old'), ('b', 'old'); TRUNCATE $name; CHECKPOINT");
	foreach my $offset (@offsets)
	{
		sql("INSERT INTO $name (key, value, record_offset) VALUES ('k', '$offset', $offset)");
		sql("SELECT count(*) FROM compact('$name')");
	}
	my $before = sql($bounds);
	is($before, "$offsets[0]|" . ($offsets[1] + 1), "$name: the log starts at the given offset");
	crash_and_start();
	is(sql($bounds), $before, "$name: it does so after a crash");
	is(sql("SELECT count(*) FROM verify_topic('$name')"), '0', "$name: with nothing wrong");
}
$node->stop;

done_testing();
