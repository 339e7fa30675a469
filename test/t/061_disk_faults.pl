# Disks that are full or fail, and files that may not be touched: the transaction
# that meets it fails with a clear error, nothing else is lost, and all goes on when
# it is over.  A log that cannot be fsynced or that has lost its index entry stops
# the server, which recovers.
#
# The system calls that fail are the FAULT_ERROR()s of the sources: each must have a
# scenario.  Then a disk is full indeed.  Damaged and missing files are
# 008_damage.pl's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ScratchDisk;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'restart_after_crash = on', 'pg_topics.batch_size = 1kB',
	'pg_topics.log_retention_check_interval_ms = 1d', 'pg_topics.key_index_interval = 1d' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');

sub sql { return $node->safe_psql('postgres', @_); }

# The error of the SQL, with its SQLSTATE.
sub error_of
{
	my ($sql) = @_;

	return ($node->psql('postgres', "\\set VERBOSITY verbose\n$sql"))[2];
}

# ---- single system calls -----------------------------------------------------

my $number = 0;

# A topic that has a few segments, and whose table it agrees with.
sub make_topic
{
	my $topic = 't' . ++$number;

	sql(qq{
		SELECT create_topic('$topic', config => '{"cleanup.policy": "compact", "segment.bytes": 4096}');
		INSERT INTO $topic (key, value) SELECT 'key ' || n % 10, n FROM generate_series(1, 600) AS n;
		CREATE TABLE sent_$topic AS SELECT key, value FROM $topic});
	return $topic;
}

# Produce one more record, into both.
sub produce
{
	my ($topic, $value) = @_;

	return "BEGIN;\nINSERT INTO sent_$topic VALUES ('key', '$value');\nSELECT produce('$topic', 'key'::text, '$value'::text);\nCOMMIT";
}

# Topic and table hold the same; compaction may have removed older values.
sub agree
{
	my ($topic, $name) = @_;

	is(sql(qq{
		SELECT count(*) FROM (SELECT key, value FROM $topic EXCEPT SELECT * FROM sent_$topic) AS a
		UNION ALL SELECT count(*) FROM (
			SELECT DISTINCT ON (key) key, value FROM (SELECT ctid, * FROM sent_$topic) AS s ORDER BY key, ctid DESC
		) AS s WHERE (key, value) NOT IN (SELECT key, value FROM latest(NULL::$topic))}), "0\n0",
		"$name: topic and table have the same records");
	is(sql("SELECT count(*) FROM verify_topic('$topic')"), '0', "$name: verify_topic() finds no damage");
	return;
}

my $grow = "SELECT produce('%s', 'key 1', repeat('x', 5000))";

# What is done, the error, and what else is to be seen.  "new": to a topic
# that has no record yet; "panics": the server starts anew; "partly": segments before
# the one that fails are done; "removes": records go; "elsewhere": it is the sync
# process that meets it, at a checkpoint; "at_start": the server does not start.
my %full = (errno => 'ENOSPC', like => qr/ERROR:  53100: .*No space left on device.*HINT:  Check free disk space/s);
my %scenarios = (
	'directory-create' => { new => 1, errno => 'ENOSPC', like => qr/ERROR:  53100: could not create directory/ },
	'header-write' => { new => 1, %full },
	'log-write' => { %full },
	'index-extend' => { new => 1, %full },
	'entries-write' => { %full, partly => 1, sql => "SELECT count(*) FROM compact('%s')" },
	'spill-write' => { %full, errno => 'ENOSPC',
		sql => "SET pg_topics.buffer_memory = '64kB';\nINSERT INTO %s (key, value) SELECT n::text, md5(n::text) FROM generate_series(1, 20000) AS n" },
	'spill-read' => { errno => 'EIO', like => qr/ERROR:  58030: could not read pending records/,
		sql => "SET pg_topics.buffer_memory = '64kB';\nINSERT INTO %s (key, value) SELECT n::text, md5(n::text) FROM generate_series(1, 20000) AS n" },
	'log-read' => { errno => 'EIO', like => qr/ERROR:  58030: could not read topic file ".*\.log" at position \d+/,
		sql => "SELECT count(*) FROM consume('%s', 'g')" },
	'index-read' => { errno => 'EIO', like => qr/ERROR:  58030: could not read topic file ".*\.index" at position \d+/,
		sql => "SELECT count(*) FROM %s" },
	'header-read' => { errno => 'EIO', like => qr/ERROR:  58030: could not read topic file ".*\.index" at position 0/,
		sql => "SELECT count(*) FROM %s" },
	'load-read' => { at_start => 1, errno => 'EIO', like => qr/FATAL:  could not read topic file ".*\.index": Input\/output error/ },
	'file-open' => { errno => 'EACCES', like => qr/ERROR:  42501: could not open topic file ".*\.index": Permission denied/,
		sql => "SELECT count(*) FROM %s" },
	'log-open' => { errno => 'EACCES', like => qr/ERROR:  42501: could not open topic file ".*\.log": Permission denied/,
		sql => "SELECT count(*) FROM %s" },
	'file-remove' => { errno => 'EACCES', like => qr/42501: could not remove topic file/, removes => 1,
		sql => "SELECT delete_records('%s', 0, 290)" },
	'log-start-write' => { errno => 'ENOSPC', like => qr/WARNING:  53100: could not write topic file ".*\/log_start.tmp"/, removes => 1,
		sql => "SELECT delete_records('%s', 0, 290)" },
	# an index of keys: building it fails, and reading goes on without it
	'key-index-create' => { keys => 1, errno => 'EACCES', like => qr/ERROR:  42501: could not open topic file ".*\.keys_new"/,
		sql => "SELECT count(*) FROM build_key_index('%s')" },
	'key-index-write' => { keys => 1, %full, sql => "SELECT count(*) FROM build_key_index('%s')" },
	'key-index-open' => { keys => 2, errno => 'EACCES', like => qr/WARNING:  42501: could not open topic file ".*\.keys\d+"/,
		sql => "SELECT count(*) FROM %s WHERE key = 'key 1'" },
	'key-index-read' => { keys => 2, errno => 'EIO', like => qr/WARNING:  58030: could not read topic file ".*\.keys\d+"/,
		sql => "SELECT count(*) FROM %s WHERE key = 'key 1'" },
	'entry-write' => { errno => 'EIO', panics => 1, like => qr/PANIC:  .*could not write to topic file ".*\.index"/ },
	'segment-sync' => { errno => 'EIO', panics => 1, sql => $grow, like => qr/PANIC:  .*could not fsync topic file/ },
	# the file of Kafka transactions is written in the same way, before the recovery point
	'recovery-point-write' => { elsewhere => 1, errno => 'ENOSPC', waits => 1,
		like => qr/ERROR:  could not write file "pg_topics\/(recovery_point|kafka_transactions).tmp": No space left on device/ },
	'recovery-point-sync' => { elsewhere => 1, errno => 'EIO', like => qr/PANIC:  could not fsync file "pg_topics\/(recovery_point|kafka_transactions).tmp"/ });

my %points = map { $_ => 1 } map { slurp_file($_) =~ /\bFAULT_ERROR\("([^"]+)"\)/g } glob("$FindBin::RealBin/../../src/*.c $FindBin::RealBin/../../src/*/*.c $FindBin::RealBin/../../src/*/*/*.c");
is(join(' ', sort keys %scenarios), join(' ', sort keys %points),
	'each FAULT_ERROR() of the sources has a scenario');

# Back after a PANIC.
sub wait_restart
{
	my ($from) = @_;

	poll_until(sub { slurp_file($node->logfile, $from) =~ /PANIC.*database system is ready to accept connections/s })
	  or die 'the server does not come back';
	return;
}

# In a session of its own.
sub run_session
{
	my ($point, $topic, $case) = @_;
	my $sql = $case->{sql} ? sprintf($case->{sql}, $topic) : produce($topic, 'lost');
	my $from = -s $node->logfile;
	my $error = error_of("SET pg_topics.fault_point = '$point:$case->{errno}';\n$sql");

	like($case->{panics} ? slurp_file($node->logfile, $from) : $error, $case->{like},
		"$point: the error says which file failed and why");
	wait_restart($from) if $case->{panics};
	return;
}

# In the sync process, at a checkpoint.
sub run_checkpoint
{
	my ($point, $topic, $case) = @_;
	my $from = -s $node->logfile;

	sql(produce($topic, 'before'));
	sql("ALTER SYSTEM SET pg_topics.fault_point = '$point:$case->{errno}'");
	sql('SELECT pg_reload_conf()');
	my $session = open_background($node, 'checkpoint');
	# until the sync process has read its settings again
	ask($session, (produce($topic, 'again') . ";\nCHECKPOINT;\n") x 100);
	ok(poll_until(sub { slurp_file($node->logfile, $from) =~ $case->{like} }),
		"$point: the error says which file failed and why");
	if ($case->{waits})
	{
		sql(produce($topic, 'meanwhile'));
		is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'checkpoint' AND state = 'active'}), '1',
			"$point: the checkpoint waits while producing goes on");
		sql('ALTER SYSTEM RESET pg_topics.fault_point');
		sql('SELECT pg_reload_conf()');
		answer($session);
		unlike($session->{err}, qr/ERROR|FATAL/, "$point: the checkpoint completes once the fault is gone");
		return;
	}
	# recovery meets the same, so the server stays down
	ok(poll_until(sub { !-e $node->data_dir . '/postmaster.pid' }), "$point: the server stays down");
	$node->{_pid} = undef;
	unlink $node->data_dir . '/postgresql.auto.conf';
	append_to_file($node->data_dir . '/postgresql.auto.conf', '');
	$node->start;
	return;
}

# At start: what cannot be read is not taken for missing, and cut.
sub run_start
{
	my ($point, $topic, $case) = @_;
	my $from = -s $node->logfile;

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$point:$case->{errno}'");
	$node->stop;
	ok(!$node->start(fail_ok => 1), "$point: the server does not start");
	like(slurp_file($node->logfile, $from), $case->{like}, "$point: the log says which file failed and why");
	unlink $node->data_dir . '/postgresql.auto.conf';
	append_to_file($node->data_dir . '/postgresql.auto.conf', '');
	$node->start;
	return;
}

foreach my $point (sort keys %scenarios)
{
	my $case = $scenarios{$point};
	my $topic = make_topic();
	my $before;

	sql("TRUNCATE $topic, sent_$topic"), sql("DROP FOREIGN TABLE $topic"), sql("SELECT create_topic('$topic', config => '{\"cleanup.policy\": \"compact\"}')") if $case->{new};
	sql("SELECT alter_topic('$topic', '{\"key.index\": \"on\"}')") if $case->{keys};
	sql("SELECT count(*) FROM build_key_index('$topic')") if ($case->{keys} // 0) > 1;
	$before = sql("SELECT count(*), max(record_offset) FROM $topic");
	my $run = $case->{elsewhere} ? \&run_checkpoint : $case->{at_start} ? \&run_start : \&run_session;
	$run->($point, $topic, $case);
	is(sql("SELECT count(*), max(record_offset) FROM $topic"), $before,
		"$point: the topic has the same records as before the fault")
	  unless $case->{elsewhere} || $case->{removes} || $case->{partly};
	is(sql("SELECT count(*) FROM topic_group_offsets WHERE topic = '$topic'::regclass AND committed_offset > 0"), '0',
		"$point: no committed offset has moved");
	# once more, without the fault
	sql("SELECT delete_records('$topic', 0, 295)") if $case->{removes};
	sql(produce($topic, 'after'));
	is(sql("SELECT value FROM $topic ORDER BY record_offset DESC LIMIT 1"), 'after',
		"$point: without the fault a record can be produced");
	agree($topic, $point) unless $case->{removes};
	sql("SELECT count(*) FROM compact('$topic')");
	agree($topic, "$point, after compaction") unless $case->{removes};
	if ($case->{keys})
	{
		sql("SELECT count(*) FROM build_key_index('$topic')");
		is(sql("SELECT count(*) FROM $topic WHERE key = 'key 1'"), sql("SELECT count(*) FROM $topic WHERE key || '' = 'key 1'"),
			"$point: without the fault the index of keys can be built and used");
	}
	next if !$case->{removes};
	my @files = glob(topic_directory($node, $topic, 0) . '/*');
	is(scalar(grep { /\/0{20}\./ } @files), 0, "$point: files that could not be removed are removed later");
}
$node->stop;

# ---- permission, for real -----------------------------------------------------

$node->start;
my $topic = make_topic();
my $directory = topic_directory($node, $topic, 0);
chmod 0500, $directory;
like(error_of(sprintf($grow, $topic)), qr/ERROR:  42501: could not (open|create) topic file/,
	'producing to a directory without write permission is an error');
chmod 0700, $directory;
chmod 0000, glob("$directory/*.log");
like(error_of("SELECT count(*) FROM $topic"), qr/ERROR:  42501: could not open topic file/,
	'reading files without read permission is an error');
chmod 0600, glob("$directory/*.log");
sql(produce($topic, 'after'));
agree($topic, 'with the permissions back');
$node->stop;

# ---- a full disk, for real ----------------------------------------------------

SKIP:
{
	skip $ScratchDisk::refused, 1 if have_no_scratch_disk();

	my $full = new_node('full', init => { extra => ['--wal-segsize=1'] }, settings => [ 'max_wal_size = 8MB', 'restart_after_crash = on' ]);
	clear_disk();
	move_to_disk($full);
	$full->start;
	$full->safe_psql('postgres', q{
		CREATE EXTENSION pg_topics;
		SELECT create_topic('events', config => '{"segment.bytes": 1048576}');
		CREATE TABLE sent (n int);
		CREATE PROCEDURE fill(count int) LANGUAGE plpgsql AS $$
		BEGIN
			FOR i IN 1 .. count LOOP
				INSERT INTO sent SELECT coalesce(max(n), 0) + 1 FROM sent;
				PERFORM produce('events', NULL::text, n || ' ' || repeat(md5(n::text), 500)) FROM (SELECT max(n) AS n FROM sent) AS s;
				COMMIT;
			END LOOP;
		END $$;
		CALL fill(10)});
	my $check = sub {
		my ($name) = @_;

		is($full->safe_psql('postgres', q{
			SELECT count(*) FROM sent FULL JOIN events ON n = split_part(value, ' ', 1)::int WHERE n IS NULL OR value IS NULL
			UNION ALL SELECT count(*) FROM verify_topic('events')}), "0\n0",
			"$name: topic and table have the same records, and no file is damaged");
	};

	# what is left takes the pending records' file, or a part of it
	my $ballast = fill_disk(4 * 1024 * 1024);
	my ($code, $out, $err) = $full->psql('postgres', q{
		SET pg_topics.buffer_memory = '64kB';
		INSERT INTO events (value) SELECT repeat(md5(n::text), 10) FROM generate_series(1, 100000) AS n});
	like($err, qr/ERROR:  could not write pending records to temporary file .*: No space left on device/,
		'with a full disk writing the temporary file is an error');
	$check->('after the disk was full for the temporary file');

	# then the log or the WAL, whichever comes first: an error, or PostgreSQL's own PANIC
	unlink $ballast;
	$ballast = fill_disk(2 * 1024 * 1024);
	($code, $out, $err) = $full->psql('postgres', 'CALL fill(2000)');
	isnt($code, 0, 'with a full disk producing fails');
	like($err . slurp_file($full->logfile), qr/No space left on device/,
		'with a full disk the error or the log says that no space is left');
	note($err =~ /(.*(?:ERROR|server closed).*)/);
	unlink $ballast;
	poll_until(sub { (try_psql($full, 'SELECT 1'))[0] == 0 || !-e $full->data_dir . '/postmaster.pid' });
	if ((try_psql($full, 'SELECT 1'))[0] != 0)
	{
		$full->{_pid} = undef;
		$full->start;
	}
	$check->('after the disk was full for log or WAL');
	$full->safe_psql('postgres', 'CALL fill(20); CHECKPOINT');
	$check->('with space on the disk again');
	$full->stop;
	clear_disk();
}

done_testing();
