# What the durability tests share: clusters with the extension, killing one in
# mid-load, a load whose right outcome is known, and checking it.
#
# The known outcome is a heap table, "sent".  Each record of the topic "events"
# is produced by send(), which puts the same into "sent" in the same
# (sub)transaction.  So whatever rolled back, crashed, was prepared or was
# replayed: the two must hold the same, and within a partition the records of
# one client must be in the order it sent them.
package TopicTest;

use strict;
use warnings;

use Carp;
use Exporter 'import';
use Fcntl ':flock';
use File::Path qw(rmtree);
use IPC::Run;
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(
  new_node new_standby start_standby start_pair configure_node kill_all crash_one poll_until try_psql wait_ready switch_archived
  create_load_schema start_load finish_load stop_load catch_up load_script acknowledged ENDLESS
  events_differ check_events check_acknowledged wait_resolved
  start_psql topic_directory contents end_prepared open_session
  open_background ask answer holdings overwrite crc32c pid_of_session wait_halted halt_asleep go_on is_bounded
);

# ---- a script's time --------------------------------------------------------

# A script that waits for what never comes would hold up all others' results: it says where it stands,
# and ends with its servers.  Runs that are asked to be long have no such limit.
use constant LIMIT => 900;		# seconds; the longest script takes half of it on a busy machine

if (!grep { defined $ENV{"TOPIC_TEST_$_"} } qw(SECONDS HISTORIES ROUNDS CUTS LONG SANITIZED VALGRIND))
{
	$SIG{ALRM} = sub {
		my $where = Carp::longmess('still runs after ' . LIMIT . ' s');

		diag($where);
		ok(0, 'ends within ' . LIMIT . ' s, and does not stand at ' . join(', ', $where =~ /(\w+\.p[lm] line \d+)/g));
		exit 1;
	};
	alarm LIMIT;
}

# ---- clusters ----------------------------------------------------------------

# A server that does not start fails the test that starts it, which says why in its last line.
# Test::Cluster would end the run of all tests.
{
	no warnings 'redefine';
	my $start = \&PostgreSQL::Test::Cluster::start;

	*PostgreSQL::Test::Cluster::BAIL_OUT = *PostgreSQL::Test::Utils::BAIL_OUT = sub { croak $_[0] };
	*PostgreSQL::Test::Cluster::start = sub {
		my ($node, %params) = @_;
		my @log;

		return 1 if $start->($node, %params, fail_ok => 1);
		return 0 if $params{fail_ok};
		@log = split /\n/, slurp_file($node->logfile);
		@log = grep { !/DEBUG|STATEMENT/ } @log;
		croak 'server "' . $node->name . '" does not start: ' . join(' | ', splice @log, @log > 4 ? -4 : 0);
	};
}

# Clusters that this script has had copied.
my $identities = 0;

# initdb takes longer than many a test of what it has made, and makes the same for most of them: the first
# script that wants a cluster with these arguments keeps a copy, from which all others of the run have theirs.
{
	no warnings 'redefine';
	my $run = \&PostgreSQL::Test::Utils::system_or_bail;

	*PostgreSQL::Test::Utils::system_or_bail = sub {
		my ($command, @arguments) = @_;
		my ($place) = grep { $arguments[$_] =~ /^(-D|--pgdata)$/ } 0 .. $#arguments;

		return $run->(@_) if $command ne 'initdb' || !defined $place;
		my (undef, $data) = splice @arguments, $place, 2;
		# the server of another release, for an upgrade, has another initdb
		my ($from) = grep { -x "$_/initdb" } split /:/, $ENV{PATH};
		my $template = "$PostgreSQL::Test::Utils::tmp_check/template" . join('_', map { s/\W//gr } $from, @arguments);

		open(my $lock, '>', "$template.lock") or die "$template.lock: $!";
		flock($lock, LOCK_EX) or die "$template.lock: $!";
		if (!-e $template)
		{
			# one that was not finished is not taken for a template
			rmtree("$template.new");
			$run->('initdb', @arguments, '-D', "$template.new");
			rename("$template.new", $template) or die "$template: $!";
		}
		close($lock);
		mkdir $data;
		$run->('cp', '-Rp', "$template/.", $data);
		new_identity($data);
		return;
	};
}

# Give a copied cluster a system identifier that no other one has, as initdb would: in its control file,
# with the checksum behind all the rest there, and in the first page of its only WAL file.
sub new_identity
{
	my ($data) = @_;
	my $identity = pack('Q', int(time) << 32 | ($$ & 0xfffff) << 12 | ++$identities);
	my $control = substr(slurp_file("$data/global/pg_control"), 0, 512);
	my ($wal) = grep { /\/[0-9A-F]{24}$/ } glob("$data/pg_wal/*");
	my ($end, $sum) = (0, 0);

	# the checksum's place depends on the server's version
	until ($end > 8 && pack('V', $sum) eq substr($control, $end, 4))
	{
		die 'no checksum in pg_control' if $end + 8 > length $control;
		$sum = crc32c(substr($control, $end, 4), $sum);
		$end += 4;
	}
	substr($control, 0, 8) = $identity;
	overwrite("$data/global/pg_control", 0, substr($control, 0, $end) . pack('V', crc32c(substr($control, 0, $end))));
	# behind what every page begins with: magic, flags, timeline, address, bytes left and padding
	overwrite($wal, 24, $identity);
	return;
}

# The settings of every cluster here.  Unlike Test::Cluster's own, fsync is on:
# what is tested is that data is on disk.  The maintenance workers leave records
# of any age alone unless a test says otherwise.
sub configure_node
{
	my ($node, @settings) = @_;

	$node->append_conf('postgresql.conf', join("\n",
		"shared_preload_libraries = 'pg_topics'",
		'fsync = on',
		'log_statement = none',
		'log_replication_commands = off',
		'max_prepared_transactions = 20',
		'autovacuum = off',
		'pg_topics.log_retention_ms = -1',
		'pg_topics.log_cleaner_enable = off',
		# so that tests know how many records a segment takes; the codecs have tests of their own
		'pg_topics.compression_type = none',
		@settings));
	return;
}

# An initialized cluster that is not running yet.
sub new_node
{
	my ($name, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%{ $params{init} // {} });
	configure_node($node, @{ $params{settings} // [] });
	return $node;
}

# A standby of a running cluster, from a backup that is taken here.  It has these settings
# besides, and is not running yet.
sub new_standby
{
	my ($primary, $name, @settings) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name // 'standby');

	$primary->backup($standby->name);
	$standby->init_from_backup($primary, $standby->name, has_streaming => 1);
	$standby->append_conf('postgresql.conf', join("\n", @settings)) if @settings;
	return $standby;
}

# The same, and running.
sub start_standby
{
	my $standby = new_standby(@_);

	$standby->start;
	return $standby;
}

# Two clusters with these settings that run, the second a standby of the first.
sub start_pair
{
	my (@settings) = @_;
	my $node = new_node('main', init => { allows_streaming => 1 }, settings => \@settings);

	$node->start;
	return ($node, start_standby($node));
}

# Wait until the code returns true; false when it does not within the timeout.  Code that takes long,
# as what asks by a psql of its own, is given pauses twice as long, up to a fifth of a second: it shall
# not take a processor from what it waits for.
sub poll_until
{
	my ($code) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;
	my $begun;

	until ($begun = time, $code->())
	{
		return 0 if time > $end;
		usleep(min(200_000, max(10_000, 2_000_000 * (time - $begun))));
	}
	return 1;
}

# The parent of a process, or nothing where there is no such process.
sub parent_of
{
	my ($pid) = @_;

	open(my $file, '<', "/proc/$pid/stat") or return;
	return (<$file> // '') =~ /\) \S (\d+) / ? $1 : ();
}

# Processes that stand still: none must be left so, the server could not stop.
my %halted;
END { kill 'CONT', keys %halted }

# SIGKILL to every process of the server at once, as a power failure would but
# for what the kernel still holds.  The postmaster is halted first, so that it
# starts no child that would be overlooked and live on.  Its pid is needed where its
# file cannot be read any more.
sub kill_all
{
	my ($node, $postmaster) = @_;

	$postmaster //= (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0];
	kill 'STOP', $postmaster;
	my @children = grep { (parent_of($_) // 0) == $postmaster }
	  map { m{(\d+)$} } glob('/proc/[0-9]*');

	kill 'KILL', @children;
	$node->kill9;
	delete @halted{ $postmaster, @children };
	# not a zombie either: a new postmaster takes that for the old one
	poll_until(sub { !grep { parent_of($_) } $postmaster, @children })
	  or die 'killed processes live on';
	return;
}

# Run SQL, a statement a line, while the server may be away: exit code, output and
# errors.  Cluster's psql() writes to its psql, which may be gone by then.
sub try_psql
{
	my ($node, $sql) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), map { ('-c', $_) } split /\n/, $sql ],
		'<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# Wait until one can connect.
sub wait_ready
{
	my ($node) = @_;

	poll_until(sub { (try_psql($node, 'SELECT 1'))[0] == 0 }) or die 'the server does not come back';
	return;
}

# Let "crash" end a process of the server so that this restarts all of them, and wait until it has:
# the server still takes connections until it has noticed.
sub crash_one
{
	my ($node, $crash) = @_;
	my $checkpointer = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};
	my $before = $node->safe_psql('postgres', $checkpointer);

	$crash->();
	poll_until(sub {
		my ($code, $pid) = try_psql($node, $checkpointer);
		return $code == 0 && $pid =~ /\d/ && $pid != $before;
	}) or die 'the server does not restart its processes';
	return;
}

# Complete a file of WAL, and wait until it is in the archive.
sub switch_archived
{
	my ($node) = @_;
	my $file = $node->safe_psql('postgres', 'SELECT pg_walfile_name(pg_switch_wal())');

	$node->poll_query_until('postgres', "SELECT last_archived_wal >= '$file' FROM pg_stat_archiver") or die "$file is not archived";
	return;
}

# Run psql in the background with a script, output into a file.
sub start_psql
{
	my ($node, $script, $output, @options) = @_;

	return IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', @options,
			'-d', $node->connstr('postgres'), '-f', $script ],
		'<', \undef, '>', $output, '2>', "$output.err");
}

# A session has so much time for each thing that it is asked, and not for its life: each begins with
# its timer started anew.

# A session in the background, known by its application name: ask() and
# answer() drive it.
sub open_background
{
	my ($node, $name) = @_;
	my $self = { name => $name, in => '', out => '', err => '' };

	$self->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres') . " application_name=$name", '-f', '-' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

# Send SQL without waiting for its end, which "answer" waits for.
sub ask
{
	my ($self, $sql) = @_;

	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql\n\\echo :done:\n";
	$self->{timer}->start;
	$self->{run}->pump_nb;
	return;
}

# What the session printed up to the end of what was sent last.
sub answer
{
	my ($self) = @_;

	$self->{timer}->start;
	$self->{run}->pump until $self->{out} =~ /:done:\n/;
	(my $out = $self->{out}) =~ s/:done:\n.*//s;
	$out =~ s/\n\z//;
	return $out;
}

# A session that stays open: run() gives the output and dies of an error,
# fails() gives the error that there must be.
sub open_session
{
	my ($node, $database) = @_;
	my $self = bless { in => '', out => '', err => '' }, 'TopicTest::Session';

	$self->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr($database // 'postgres'), '-f', '-' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

# Send SQL, wait for its end; output and errors.  "meanwhile" is called again
# and again until then.
sub TopicTest::Session::both
{
	my ($self, $sql, $meanwhile) = @_;

	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql;\n\\echo :done:\n\\warn :done:\n";
	$self->{timer}->start;
	until ($self->{out} =~ /:done:\n/ && $self->{err} =~ /:done:\n/)
	{
		$meanwhile ? $self->{run}->pump_nb : $self->{run}->pump;
		$meanwhile->(), usleep(10_000) if $meanwhile;
	}
	s/\n?:done:\n.*//s foreach my ($out, $err) = ($self->{out}, $self->{err});
	return ($out, $err);
}

sub TopicTest::Session::run
{
	my ($self, $sql, $meanwhile) = @_;
	my ($out, $err) = $self->both($sql, $meanwhile);

	die "failed: $sql: $err" if $err ne '';
	return $out;
}

sub TopicTest::Session::fails
{
	my ($self, $sql) = @_;

	return ($self->both($sql))[1];
}

sub TopicTest::Session::close
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{timer}->start;
	$self->{run}->finish;
	return;
}

# The process that serves a session known by its application name, which may be
# connecting still.
sub pid_of_session
{
	my ($node, $name) = @_;
	my $pid;

	poll_until(sub { $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name = '$name'") }) or die "no session $name";
	return $pid;
}

# Wait until a process stands at the place it was told to (src/util/fault_point.h): what
# it writes before it does so may come earlier, and a SIGCONT then would be lost.
sub wait_halted
{
	my ($pid) = @_;

	poll_until(sub {
		open(my $file, '<', "/proc/$pid/stat") or return 0;
		return (<$file> // '') =~ /\) T / }) or die "process $pid does not halt";
	$halted{$pid} = 1;
	return;
}

# Halt processes of the server while they sleep in their main loop, or wait for records.  SIGSTOP alone may
# meet one with a lock that the others, and so the test, then wait for.
sub halt_asleep
{
	my ($node, @pids) = @_;

	foreach my $pid (@pids)
	{
		poll_until(sub {
			kill('STOP', $pid) or die "no process $pid";
			wait_halted($pid);
			my ($code, $asleep) = try_psql($node, "SET statement_timeout = '5s'\n"
				. "SELECT wait_event_type IN ('Activity', 'Extension') FROM pg_stat_activity WHERE pid = $pid");
			return 1 if $code == 0 && $asleep =~ /^t/;
			go_on($pid);
			return 0 }) or die "process $pid does not sleep";
	}
	return;
}

# Let halted processes go on, all where none is named.
sub go_on
{
	my @pids = @_ ? @_ : keys %halted;

	delete @halted{@pids};
	kill 'CONT', @pids;
	return;
}

# What a waiting session holds: its xmin, its xid and its locks.
sub holdings
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT coalesce(a.backend_xmin::text, 'no xmin'), coalesce(a.backend_xid::text, 'no xid'),
			   (SELECT string_agg(locktype, ' ' ORDER BY locktype) FROM pg_locks l WHERE l.pid = a.pid)
		FROM pg_stat_activity a WHERE application_name = '$name'});
}

# Change bytes of a file in place.
sub overwrite
{
	my ($path, $position, $bytes) = @_;

	open(my $file, '+<:raw', $path) or die "$path: $!";
	seek($file, $position, 0);
	print $file $bytes;
	close($file) or die "$path: $!";
	return;
}

# CRC-32C, bit by bit; of the bytes behind others where their checksum is given.
sub crc32c
{
	my ($bytes, $before) = @_;
	my $crc = ($before // 0) ^ 0xffffffff;

	foreach my $byte (unpack 'C*', $bytes)
	{
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 foreach 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

# The directory of a partition below the data directory.
sub topic_directory
{
	my ($node, $topic, $partition) = @_;

	return $node->data_dir . '/' . $node->safe_psql('postgres', qq{
		SELECT current_setting('pg_topics.log_dir') || '/' || d.oid || '/' || '$topic'::regclass::oid || '-$partition'
		FROM pg_database d WHERE datname = current_database()});
}

# All that a topic shows, in order.
sub contents
{
	my ($node, $topic) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT partition, record_offset, extract(epoch FROM record_timestamp), key, value, headers
		FROM $topic ORDER BY partition, record_offset});
}

# ---- the load ----------------------------------------------------------------

sub create_load_schema
{
	my ($node, %params) = @_;
	my $segment_bytes = $params{segment_bytes} // 16384;

	$node->safe_psql('postgres', qq{
		CREATE EXTENSION IF NOT EXISTS pg_topics;
		SELECT create_topic('events', partitions => 3, config => '{"segment.bytes": $segment_bytes}');
		CREATE TABLE sent (client int, n int, k int, part int, value text);
		CREATE FUNCTION send(client int, n int, k int, part int, length int) RETURNS void
		LANGUAGE plpgsql AS \$\$
		DECLARE value text := format('%s:%s:%s:%s', client, n, k, repeat('x', length));
		BEGIN
			INSERT INTO sent VALUES (client, n, k, part, value);
			PERFORM produce('events', client::text, value, partition => part);
		END \$\$;
		-- several batches in one transaction
		CREATE FUNCTION send_many(client int, n int, count int, length int) RETURNS void
		LANGUAGE plpgsql AS \$\$
		BEGIN
			FOR k IN 1 .. count LOOP
				PERFORM send(client, n, k, k % 3, length);
			END LOOP;
		END \$\$;
	});
	return;
}

# The kinds of transactions, each as often as its number says.
my %kinds = (
	commit => 20, rollback => 4, savepoints => 6, big => 1, flush_commit => 2,
	flush_rollback => 2, late_failure => 2, commit_prepared => 2, rollback_prepared => 2);

# The SQL of transaction n of a client; "acknowledged" where it committed.
sub transaction
{
	my ($kind, $client, $n) = @_;
	my $k = 0;
	my $send = sub {
		return sprintf("SELECT send(%d, %d, %d, %d, %d);\n", $client, $n, ++$k, int(rand(3)), int(rand(300)));
	};
	my $ack = "\\echo acknowledged $client $n\n";
	my $gid = "'$client-$n'";

	return "BEGIN;\n" . $send->() . $send->() . "COMMIT;\n$ack" if $kind eq 'commit';
	return "BEGIN;\n" . $send->() . "ROLLBACK;\n" if $kind eq 'rollback';
	return "BEGIN;\n" . $send->() . "SAVEPOINT a;\n" . $send->() . "SAVEPOINT b;\n" . $send->()
	  . "ROLLBACK TO b;\n" . $send->() . "RELEASE b;\n" . $send->()
	  . (rand() < 0.5 ? "ROLLBACK TO a;\n" : '') . $send->() . "COMMIT;\n$ack" if $kind eq 'savepoints';
	return sprintf("BEGIN;\nSELECT send_many(%d, %d, %d, 100);\nCOMMIT;\n", $client, $n, 20 + int(rand(100))) . $ack
	  if $kind eq 'big';
	return "BEGIN;\n" . $send->() . "DO \$\$ BEGIN PERFORM flush(); END \$\$;\n" . $send->() . "COMMIT;\n$ack"
	  if $kind eq 'flush_commit';
	return "BEGIN;\n" . $send->() . "DO \$\$ BEGIN PERFORM flush(); END \$\$;\n" . $send->() . "ROLLBACK;\n"
	  if $kind eq 'flush_rollback';
	return "BEGIN;\n" . $send->() . "PREPARE TRANSACTION $gid;\nCOMMIT PREPARED $gid;\n$ack"
	  if $kind eq 'commit_prepared';
	return "BEGIN;\n" . $send->() . "PREPARE TRANSACTION $gid;\nROLLBACK PREPARED $gid;\n"
	  if $kind eq 'rollback_prepared';
	# PREPARE appends the records before it finds that it cannot be done
	return "BEGIN;\n" . $send->() . "SELECT FROM of_session;\n\\set ON_ERROR_STOP off\nPREPARE TRANSACTION $gid;\n"
	  . "\\set ON_ERROR_STOP on\n" if $kind eq 'late_failure';
	die "no kind $kind";
}

# The script of one client: "count" transactions numbered from "first" on, each with "rest" behind it.
sub load_script
{
	my ($client, $first, $count, $rest) = @_;
	my @choice = map { ($_) x $kinds{$_} } sort keys %kinds;
	my $script = '';

	for my $n ($first .. $first + $count - 1)
	{
		$script .= transaction($choice[ rand @choice ], $client, $n) . ($rest // '');
	}
	return $script;
}

my $next_number = 1;

# More transactions or statements than a client gets done before a test has stopped
# it, on a fast machine too.
use constant ENDLESS => 100_000;

# Start clients 1 .. n.  "prologue" is a hash from client to SQL that goes
# first, "also" a list of further scripts that run beside them, "rest" what a client does
# between its transactions.  They run until something stops them, or for that many "transactions".
sub start_load
{
	my ($node, %params) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $count = $params{transactions} // ENDLESS;
	my $load = { clients => {}, runs => [], files => [] };
	my %scripts;

	for my $client (1 .. $params{clients} // 4)
	{
		$scripts{"client$client"} = "CREATE TEMP TABLE of_session ();\n" . ($params{prologue}{$client} // '')
		  . load_script($client, $next_number, $count, $params{rest});
	}
	$next_number += $count;
	my $i = 0;
	$scripts{ 'also' . ++$i } = $_ foreach @{ $params{also} // [] };

	for my $name (sort keys %scripts)
	{
		append_to_file("$directory/$name.sql", $scripts{$name});
		push @{ $load->{files} }, "$directory/$name.out";
		push @{ $load->{runs} }, start_psql($node, "$directory/$name.sql", "$directory/$name.out");
	}
	return $load;
}

# Wait for the clients' end: of themselves, or because the server went away.
# Any other trouble that a client met is a failed test, but what "expected" matches.
sub finish_load
{
	my ($load, %params) = @_;
	my @unexpected;
	my $expected = $params{expected} // qr/(?!)/;

	foreach my $run (@{ $load->{runs} })
	{
		$run->kill_kill if $params{kill};
		$run->finish;
	}
	foreach my $file (@{ $load->{files} })
	{
		push @unexpected, grep { !/$expected/ } grep {
			!/connection to (the )?server|on temporary objects|server closed the connection|terminat|crash|^(DETAIL|HINT|CONTEXT|SQL statement|PL\/pgSQL function)|^\s|shutting down/
		} split /\n/, slurp_file("$file.err");
	}
	ok(!@unexpected, 'clients met no error but the loss of the server');
	diag("$_") foreach @unexpected;
	return;
}

# The transactions whose COMMIT the clients saw: a list of [client, n].  A client that
# was killed may have written half of its last line.
sub acknowledged
{
	my ($load) = @_;

	return map { [ split ' ', $_ ] } map { slurp_file($_) =~ /^acknowledged (\d+ \d+)\n/mg } @{ $load->{files} };
}

# Stop the clients, and leave nothing of theirs.  Sessions whose client is gone end
# their statement first.
sub stop_load
{
	my ($node, $load) = @_;

	finish_load($load, kill => 1);
	$node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()})
	  or die 'no end of work';
	end_prepared($node);
	return;
}

# Wait until the standby has replayed all that the other one has written: a commit
# flushes what nobody waits for, as resolving's records.
sub catch_up
{
	my ($from, $standby) = @_;

	$from->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'flush', '')});
	my $lsn = $from->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
	$standby->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() >= '$lsn'") or die $standby->name . ' does not catch up';
	return;
}

# End transactions that a crash has left prepared, one way or the other.  Until
# then they hold back what was appended behind them, rightly.
sub end_prepared
{
	my ($node) = @_;

	foreach my $gid (split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts'))
	{
		my $end = rand() < 0.5 ? 'COMMIT' : 'ROLLBACK';
		note("$end PREPARED $gid");
		$node->safe_psql('postgres', "$end PREPARED '$gid'");
	}
	return;
}

# ---- checking ----------------------------------------------------------------

# What differs between "events" and "sent", what is out of order: one line
# each, nothing where all is well.
sub events_differ
{
	my ($node, $database) = @_;

	return $node->safe_psql($database // 'postgres', q{
		WITH read AS MATERIALIZED (
			-- numbered as they came: the scan itself must be in order
			SELECT partition, record_offset, key, value, row_number() OVER () AS place FROM events),
		lost AS (SELECT part, client::text, value FROM sent EXCEPT ALL SELECT partition, key, value FROM read),
		wrong AS (SELECT partition, key, value FROM read EXCEPT ALL SELECT part, client::text, value FROM sent),
		places AS (
			SELECT partition, record_offset, lag(record_offset) OVER (PARTITION BY partition ORDER BY place) AS previous
			FROM read),
		orders AS (
			SELECT *, lag(n * 1000000::bigint + k) OVER (PARTITION BY partition, key ORDER BY record_offset) AS previous
			FROM read, LATERAL (SELECT split_part(value, ':', 2)::bigint AS n, split_part(value, ':', 3)::bigint AS k) AS id)
		(SELECT 'lost: ' || left(lost::text, 60) FROM lost LIMIT 5)
		UNION ALL
		(SELECT 'not sent or twice: ' || left(wrong::text, 60) FROM wrong LIMIT 5)
		UNION ALL
		(SELECT format('offset %s of partition %s after %s', record_offset, partition, previous)
		 FROM places WHERE record_offset <= previous LIMIT 5)
		UNION ALL
		(SELECT format('out of order: %s in partition %s', left(value, 60), partition)
		 FROM orders WHERE n * 1000000 + k <= previous LIMIT 5)
		ORDER BY 1});
}

sub check_events
{
	my ($node, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(events_differ($node), '', $name);
	return;
}

# Each acknowledged transaction is in "sent".
sub check_acknowledged
{
	my ($node, $load, $name, @clients) = @_;
	my %wanted = map { $_ => 1 } @clients;
	my @seen = grep { !@clients || $wanted{ $_->[0] } } acknowledged($load);
	my %there = map { $_ => 1 } split /\n/,
	  $node->safe_psql('postgres', q{SELECT DISTINCT client || ' ' || n FROM sent});
	my @missing = grep { !$there{$_} } map { "$_->[0] $_->[1]" } @seen;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("@missing", '', "$name: all " . @seen . ' acknowledged transactions are there');
	return;
}

# Wait until the outcome of every batch is in the index.
sub wait_resolved
{
	my ($node) = @_;

	$node->poll_query_until('postgres', q{
		SELECT bool_and(resolved_offset = log_end_offset) FROM pg_topic_partitions})
	  or die 'batches stay unresolved';
	return;
}

# ---- memory ------------------------------------------------------------------

# A test of how much memory a process has taken.
sub is_bounded
{
	my ($used, $limit, $name) = @_;

	SKIP:
	{
		skip 'a memory checker keeps what is freed', 1 if $ENV{TOPIC_TEST_SANITIZED} || $ENV{TOPIC_TEST_VALGRIND};
		cmp_ok($used, '<', $limit, $name);
	}
	return;
}

1;
