# High availability with pg_auto_failover, as docs/high-availability.md has it: a
# monitor and two nodes.  The primary is lost with all its processes in mid-load,
# twice, is handed over, and its server crashes.  Producers and a consumer group go on with the node
# that takes over by their connection string alone; what producers were told is
# there, once; the group goes on where it was; the lost node comes back and follows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use List::Util qw(max);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest qw(poll_until);

my ($bin, $library) = map { chomp(my $directory = `pg_config --$_`); $directory } qw(bindir pkglibdir);
my $autoctl = (grep { -x } map { "$_/pg_autoctl" } $bin, split(/:/, $ENV{PATH}), '/usr/bin')[0];
plan skip_all => "there is no pg_autoctl: Debian's package pg-auto-failover-cli has it" unless $autoctl;
plan skip_all => "there is no $library/pgautofailover.so: Debian's package postgresql-NN-auto-failover has it"
  unless -e "$library/pgautofailover.so";

# ---- processes ---------------------------------------------------------------

my $home = PostgreSQL::Test::Utils::tempdir();
my $sockets = PostgreSQL::Test::Utils::tempdir_short();
delete @ENV{qw(PGHOST PGPORT PGUSER PGDATA PGAPPNAME)};
mkdir "$home/$_" foreach qw(config share run);
@ENV{qw(HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR PG_REGRESS_SOCK_DIR)} =
  ($home, "$home/config", "$home/share", "$home/run", $sockets);
$ENV{PATH} = "$bin:$ENV{PATH}";

my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(monitor n1 n2);
my $monitor_uri = "postgres://autoctl_node\@localhost:$port{monitor}/pg_auto_failover";
# initdb calls the superuser as who runs it
my $user = getpwuid($>);
my $app = "host=localhost,localhost port=$port{n1},$port{n2} dbname=postgres user=$user connect_timeout=2"
  . " target_session_attrs=read-write options='-c pg_topics.acks=all'";
my (%keeper, @workers);
my $test = $$;

# A process and all below it.
sub tree
{
	my @found = @_;
	my %below;

	foreach my $stat (glob('/proc/[0-9]*/stat'))
	{
		open(my $file, '<', $stat) or next;
		push @{ $below{$2} }, $1 if (<$file> // '') =~ /^(\d+) .*\) [^Z] (\d+) /;
	}
	for (my $i = 0; $i < @found; $i++)
	{
		push @found, @{ $below{ $found[$i] } // [] };
	}
	return @found;
}

# All of a node is lost at once.
sub lose
{
	my ($name) = @_;
	my $run = delete $keeper{$name};
	my @pids = tree($run->{KIDS}[0]{PID});

	kill 'STOP', @pids;
	# what was started meanwhile
	@pids = tree($run->{KIDS}[0]{PID});
	kill 'KILL', @pids;
	$run->finish;
	poll_until(sub { !grep { -e "/proc/$_" } @pids }) or die "processes of $name live on";
	return;
}

# The server alone is killed, not what watches over it.
sub crash
{
	my ($name) = @_;
	my ($postmaster) = slurp_file("$home/$name/postmaster.pid") =~ /^(\d+)/;

	kill 'STOP', $postmaster;
	kill 'KILL', tree($postmaster);
	return;
}

END
{
	if (defined $test && $$ == $test)
	{
		my $status = $?;

		kill 'KILL', @workers;
		lose($_) foreach keys %keeper;
		$? = $status;
	}
}

# Run a command of pg_autoctl, more than once where the monitor may be busy with its own.
sub autoctl
{
	my ($times, @command) = @_;
	my $log = "$home/command.log";

	foreach my $time (1 .. $times)
	{
		return if IPC::Run::run([ $autoctl, @command ], '<', \undef, '>', $log, '2>&1');
		note(slurp_file($log));
	}
	die "pg_autoctl @command fails";
}

# Start a node and what watches over it.
sub run_node
{
	my ($name) = @_;

	$keeper{$name} = IPC::Run::start([ $autoctl, 'run', '--pgdata', "$home/$name" ],
		'<', \undef, '>>', "$PostgreSQL::Test::Utils::log_path/052_$name.log", '2>&1');
	return;
}

# A query's answer, undef where there is none.
sub query
{
	my ($connection, $sql) = @_;
	my $out;

	# a psql that meets no server may be gone before it was told the query, which dies here
	eval {
		IPC::Run::run([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', '-' ],
			'<', \$sql, '>', \$out, '2>', \my $err);
	} or return;
	chomp $out;
	return $out;
}

sub node_query
{
	my ($name, $sql) = @_;

	return query("host=localhost port=$port{$name} dbname=postgres user=$user", $sql);
}

# Wait until the monitor sees these roles.
sub wait_roles
{
	my (%role) = @_;
	my $sql = join(' AND ', map {
		"EXISTS (SELECT FROM pgautofailover.node WHERE nodename = '$_' AND reportedstate = '$role{$_}' AND goalstate = '$role{$_}')"
	} sort keys %role);

	poll_until(sub { (query($monitor_uri, "SELECT $sql") // '') eq 't' })
	  or die 'roles do not come about: ' . (query($monitor_uri, 'SELECT nodename, reportedstate, goalstate FROM pgautofailover.node') // '');
	return;
}

# ---- the cluster -------------------------------------------------------------

my @trust = qw(--hostname localhost --auth trust --no-ssl);

autoctl(1, 'create', 'monitor', '--pgdata', "$home/monitor", '--pgport', $port{monitor}, '--pgctl', "$bin/pg_ctl", @trust);
# how soon a silent node counts as lost, and how long it is given to stop by itself:
# longer than it takes to do so, see network_partition_timeout
append_to_file("$home/monitor/postgresql.conf", q{
pgautofailover.health_check_period = 1s
pgautofailover.health_check_retry_delay = 500ms
pgautofailover.node_considered_unhealthy_timeout = 5s
pgautofailover.primary_demote_timeout = 6s
});
run_node('monitor');
poll_until(sub { query($monitor_uri, 'SELECT 1') }) or die 'no monitor';
foreach my $name (qw(n1 n2))
{
	autoctl(1, 'create', 'postgres', '--pgdata', "$home/$name", '--pgport', $port{$name}, '--name', $name,
		'--listen', 'localhost', '--pghost', $sockets, '--pgctl', "$bin/pg_ctl", '--monitor', $monitor_uri, @trust);
	# the later line wins; the second node gets its file from the first
	append_to_file("$home/$name/postgresql.conf", "shared_preload_libraries = 'pg_topics'\nshared_buffers = 32MB\nport = $port{$name}\n")
	  if $name eq 'n1';
	autoctl(1, 'config', 'set', '--pgdata', "$home/$name", 'timeout.network_partition_timeout', 5);
	run_node($name);
	wait_roles($name => 'single') if $name eq 'n1';
}
wait_roles(n1 => 'primary', n2 => 'secondary');
is(query($app, q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE sent (client int, n int, PRIMARY KEY (client, n));
	CREATE TABLE got (partition int, record_offset bigint, value text);
	SELECT create_topic('orders', partitions => 3, config => '{"segment.bytes": 65536}');
}), 'orders', 'a topic can be created by the connection string of both nodes');
is(query($app, 'SHOW pg_topics.acks'), 'all', 'the connection string sets acks to all');

# ---- producers and consumers -------------------------------------------------

# Run SQL again and again in a process of its own, with a new connection where one is
# lost.  "next" gives the SQL from the answer to the one before, or to "begin".
sub start_worker
{
	my ($name, %of) = @_;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		my $stop = 0;

		$SIG{TERM} = sub { $stop = 1 };
		open(my $log, '>>', "$home/$name.log") or POSIX::_exit(1);
		$log->autoflush(1);
		until ($stop)
		{
			eval { session($of{begin}, $of{next}, $log, \$stop); 1 }
			  or print $log 'lost ' . time . "\n";
			usleep(50_000);
		}
		POSIX::_exit(0);
	}
	push @workers, $pid;
	return $pid;
}

# One connection's life; dies when it is lost.
sub session
{
	my ($begin, $next, $log, $stop) = @_;
	my ($in, $out, $err) = ('', '', '');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $app, '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err);
	my $ask = sub {
		$out = '';
		$in .= "$_[0];\n\\echo :done:\n";
		$run->pump until $out =~ /:done:\n/;
		return $out =~ s/\n?:done:\n//r;
	};
	my $done = eval {
		my $state = $ask->($begin);

		until ($$stop)
		{
			my ($sql, $what) = $next->($state);

			$state = $ask->($sql);
			printf $log "ack %.3f %s\n", time, $what // $state;
		}
		1;
	};

	print $log "error $err\n" if $err =~ /ERROR|PANIC/;
	$run->kill_kill;
	die 'lost' unless $done;
	return;
}

# A producer knows from the table how far it got, so an answer that was lost makes
# neither a gap nor a record too many.
sub start_producer
{
	my ($client) = @_;

	return start_worker("producer$client",
		begin => "SELECT coalesce(max(n), 0) FROM sent WHERE client = $client",
		next => sub {
			my $n = $_[0] + 1;

			return ("WITH s AS (INSERT INTO sent VALUES ($client, $n) RETURNING n), "
				. "p AS (SELECT n, produce('orders', '$client', '$client:' || n) FROM s) SELECT n FROM p", $n);
		});
}

# A consumer's work and its offset commit together.
sub start_consumer
{
	my ($name) = @_;
	my $work = q{WITH w AS (INSERT INTO got SELECT partition, record_offset, value FROM consume('orders', 'workers', 50, timeout => '100ms')
		RETURNING 1) SELECT count(*) FROM w};

	return start_worker($name, begin => 'SELECT 0', next => sub { return ($work) });
}

# Time and answer of each acknowledgement.
sub acknowledged_by
{
	my ($name) = @_;

	return -e "$home/$name.log" ? map { [ /^ack (\S+) (\S*)/ ] } grep { /^ack/ } split /\n/, slurp_file("$home/$name.log") : ();
}

my @producers = map { "producer$_" } 1 .. 3;
my @consumers = qw(consumer1 consumer2);

# All of them have got on by so many steps since a time.
sub wait_service
{
	my ($since, $steps) = @_;

	poll_until(sub {
		!grep { (grep { $_->[0] > $since } acknowledged_by($_)) < $steps } @producers, @consumers
	}) or die 'producers and consumers do not get on';
	return;
}

# The longest time without an acknowledgement since then, of the unluckiest of them.
sub seconds_without
{
	my ($since, @names) = @_;
	my $longest = 0;

	foreach my $name (@names)
	{
		my @times = grep { $_ > $since } map { $_->[0] } acknowledged_by($name);

		$longest = max($longest, map { $times[$_] - $times[ $_ - 1 ] } 1 .. $#times);
	}
	return $longest;
}

my $groups = q{SELECT partition, committed_offset FROM pg_topic_groups WHERE group_id = 'workers' ORDER BY partition};

sub offsets
{
	return map { split /\|/ } split /\n/, query($app, $groups);
}

# ---- what must hold ----------------------------------------------------------

# With producers and consumers at rest and all consumed.
sub check
{
	my ($name) = @_;

	kill 'TERM', @workers;
	waitpid($_, 0) foreach splice @workers;
	poll_until(sub {
		(query($app, q{WITH w AS (INSERT INTO got SELECT partition, record_offset, value FROM consume('orders', 'workers', 10000) RETURNING 1)
			SELECT count(*) FROM w}) // 1) == 0
	}) or die 'the group does not come to the end';

	foreach my $client (1 .. 3)
	{
		my @told = map { $_->[1] } acknowledged_by("producer$client");
		my %there = map { $_ => 1 } split /\n/, query($app, "SELECT split_part(value, ':', 2) FROM orders WHERE key = '$client'");

		is(join(' ', grep { !$there{$_} } @told), '',
			"$name: all " . @told . " acknowledged records of producer $client are there");
	}
	is(query($app, q{SELECT value FROM orders GROUP BY value HAVING count(*) > 1}), '',
		"$name: no record is there twice");
	is(query($app, q{
		(SELECT client || ':' || n FROM sent EXCEPT SELECT value FROM orders)
		UNION ALL (SELECT value FROM orders EXCEPT SELECT client || ':' || n FROM sent)}), '',
		"$name: the topic and the table have the same records");
	is(query($app, q{
		(SELECT partition, record_offset, value FROM orders EXCEPT ALL SELECT * FROM got)
		UNION ALL (SELECT * FROM got EXCEPT ALL SELECT partition, record_offset, value FROM orders)}), '',
		"$name: the group got each record exactly once");
	is(query($app, q{
		SELECT value FROM (SELECT value, split_part(value, ':', 2)::int AS n,
			lag(split_part(value, ':', 2)::int) OVER (PARTITION BY key ORDER BY record_offset) AS before FROM orders) AS o
		WHERE n <> coalesce(before, 0) + 1 LIMIT 5}), '', "$name: each producer's records are in order, without a gap");
	is(query($app, q{SELECT count(*) FROM verify_topic('orders')}), '0',
		"$name: verify_topic() finds no damage")
	  if query($app, q{SELECT count(*) FROM pg_proc WHERE proname = 'verify_topic'});
	is(join('', grep { /^error/ && !/server closed|terminat|starting up|shutting down/ }
		map { -e "$home/$_.log" ? split(/\n/, slurp_file("$home/$_.log")) : () } @producers, @consumers), '',
		"$name: producers and consumers met no error but the loss of the server");
	return;
}

# Both nodes show the same.
sub check_same
{
	my ($name) = @_;
	my $all = 'SELECT partition, record_offset, record_timestamp, key, value FROM orders ORDER BY 1, 2';

	poll_until(sub { (node_query('n1', $all) // '1') eq (node_query('n2', $all) // '2') });
	ok((node_query('n1', $all) // '1') eq (node_query('n2', $all) // '2'),
		"$name: both nodes show the same records");
	is(node_query('n1', 'SELECT count(*), sum(record_offset) FROM got'), node_query('n2', 'SELECT count(*), sum(record_offset) FROM got'),
		"$name: both nodes have the same rows of the consumer group's work");
	return;
}

# ---- lost, twice; handed over; crashed ---------------------------------------

foreach my $step ([ 'n1', 'n2', 'lost' ], [ 'n2', 'n1', 'lost' ], [ 'n1', 'n2', 'handed over' ], [ 'n2', 'n1', 'crashed' ])
{
	my ($old, $new, $how) = @$step;
	my $name = "$old $how";

	start_producer($_) foreach 1 .. 3;
	start_consumer($_) foreach @consumers;
	wait_service(time, 30);
	my %before = offsets();
	my $begin = time - 1;
	lose($old) if $how eq 'lost';
	autoctl(5, 'perform', 'switchover', '--pgdata', "$home/monitor") if $how eq 'handed over';
	crash($old) if $how eq 'crashed';
	wait_service(time, 30);
	diag(sprintf('%s: %.1f seconds without service to producers, %.1f to consumers',
		$name, seconds_without($begin, @producers), seconds_without($begin, @consumers)));
	if ($how eq 'crashed')
	{
		# started again where it was, unless that took too long
		($old, $new) = ($new, $old) if (node_query($old, 'SELECT pg_is_in_recovery()') // '') eq 'f';
		note("$name: $new serves");
	}
	else
	{
		is(node_query($new, 'SELECT pg_is_in_recovery()'), 'f', "$name: $new has taken over");
	}
	check($name);
	my %after = offsets();
	is(join(' ', grep { $after{$_} < $before{$_} } sort keys %before), '', "$name: no committed offset has gone back");

	# the old primary comes back as a standby, rewound
	run_node($old) if $how eq 'lost';
	wait_roles($new => 'primary', $old => 'secondary');
	check_same("$name, with $old back");
}

done_testing();
