# Files under test: src/log/topic_waiters.c, src/consume/consume_wait.c, src/consume/consume.c.
# A hundred sessions of a group wait for one topic: a record wakes one of them, and
# no more than can get something; the others sleep on, and hold nothing.  So do
# members that lease partitions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $crowd = 100;
my $partitions = 6;

my $node = new_node('main', settings => [ 'max_connections = 130', 'pg_topics.log_retention_check_interval_ms = 1000000' ]);
$node->start;

# one session for all: it asks often, and shall not be what keeps the machine busy
my $asking = open_session($node);
# nor does it mind a session that has ended before it is told to
$asking->run('SET client_min_messages = error');

sub sql { return $asking->run(@_); }

# Wait until a query says yes.
sub wait_for
{
	my ($query) = @_;

	return poll_until(sub { return 1 if sql($query) eq 't'; usleep(50_000); return 0; });
}

sql(qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => $partitions);
	CREATE TABLE got (pid int DEFAULT pg_backend_pid(), at timestamptz DEFAULT clock_timestamp(), partition int, record_offset bigint)});

my $directory = PostgreSQL::Test::Utils::tempdir();

# A hundred clients that do this again and again, all of them waiting.
sub start_crowd
{
	my ($name, $script) = @_;

	append_to_file("$directory/$name.sql", $script);
	my $run = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $crowd, '-T', '600', '-f', "$directory/$name.sql",
			$node->connstr('postgres') . " application_name=$name" ],
		'>', \my $out, '2>', \my $err);
	all_wait($name);
	return $run;
}

sub end_crowd
{
	my ($name, $run) = @_;

	$run->kill_kill;
	sql(qq{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '$name'});
	wait_for(qq{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '$name'});
	return;
}

# Until all of them sleep, each without another sleep for longer than a nap is.
sub all_wait
{
	my ($name) = @_;
	my ($before, $since, $longest) = ('', time, 0);

	poll_until(sub {
		my $begun = time;
		usleep(100_000);
		return 0 if sql(qq{SELECT count(*) FROM pg_stat_activity WHERE application_name = '$name'
			AND state = 'active' AND wait_event_type = 'Extension'}) != $crowd;
		my %now = sleeps($name);
		my $same = join(' ', map { "$_:$now{$_}" } sort keys %now);
		($before, $since) = ($same, time) if $same ne $before;
		# who has found a row locked looks again after a second at most, when it gets a
		# processor: as long as that takes us, many times over, on a busy machine
		$longest = time - $begun if time - $begun > $longest;
		return time > $since + 2 + 10 * $longest;
	}) or die "$name: not all wait";
	return;
}

# How often each session of the crowd has gone to sleep so far.
sub sleeps
{
	my ($name) = @_;

	return map { $_ => (slurp_file("/proc/$_/status") =~ /^voluntary_ctxt_switches:\s*(\d+)/m)[0] }
	  split /\n/, sql(qq{SELECT pid FROM pg_stat_activity WHERE application_name = '$name'});
}

# How many records the sessions of the crowd have got so far.
my $consumed = 0;

# How many sessions were woken by these statements, which produce so many records.
sub woken_by
{
	my ($name, $records, $sql) = @_;
	my %before = sleeps($name);

	sql($sql);
	$consumed += $records;
	wait_for("SELECT count(*) = $consumed FROM got") or die 'not all is consumed';
	all_wait($name);
	my %after = sleeps($name);
	return scalar grep { $after{$_} != ($before{$_} // -1) } keys %after;
}

# At most "limit" sessions are woken.  For each partition with news that is one, and one
# that has leased it.  A session that was woken and has not looked yet is not woken again,
# but another one is: with what the first ones do, that makes some more on a busy machine,
# and never a crowd.  The server wakes a whole crowd for reasons of its own once in a
# while: when sleeping sessions are far behind in reading messages about changed catalogs,
# one after the other is told to catch up.  So one try of three may count too many.
sub wakes_few
{
	my ($limit, $test, @what) = @_;
	my @woken;

	do { push @woken, woken_by(@what) } until $woken[-1] <= $limit || @woken == 3;
	cmp_ok($woken[-1], '<=', $limit, $test);
	note("sessions woken: @woken");
	return;
}

# ---- transactional consumers -------------------------------------------------

my $run = start_crowd('crowd', q{
BEGIN;
SELECT string_agg(format('(%s,%s)', partition, record_offset), ',') AS batch FROM consume('events', 'g', timeout => '1 hour') \gset
INSERT INTO got (partition, record_offset) VALUES :batch;
COMMIT;
});
is(sql(q{SELECT count(*) FILTER (WHERE backend_xmin IS NULL AND backend_xid IS NULL),
		(SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE application_name = 'crowd' AND locktype <> 'virtualxid')
	FROM pg_stat_activity WHERE application_name = 'crowd'}), "$crowd|0",
	'a hundred sessions wait without an xmin, a transaction id or a lock');

sql(q{SELECT create_topic('other')});
wakes_few(4, 'a record wakes one session or a few, not a hundred',
	'crowd', 1, q{INSERT INTO events (partition, value) VALUES (3, 'one')});
wakes_few(4 * $partitions, "records in $partitions partitions wake a few sessions for each",
	'crowd', 60, qq{INSERT INTO events (partition, value) SELECT i % $partitions, 'many' FROM generate_series(1, 60) i});
wakes_few(0, 'a record of another topic wakes no session', 'crowd', 0, q{SELECT produce('other', 'x'::text)});
is(sql(q{SELECT count(*), count(DISTINCT (partition, record_offset)) FROM got}), "$consumed|$consumed",
	'each record went to exactly one session');
end_crowd('crowd', $run);

# ---- members -----------------------------------------------------------------

sql('TRUNCATE got');
$run = start_crowd('members', q{
SELECT coalesce(string_agg(format('(%s,%s)', partition, record_offset), ','), '(-1,-1)') AS batch
FROM consume('events', 'm', timeout => '1 hour', member_id => 'm' || :client_id, lease => '1 hour') \gset
INSERT INTO got (partition, record_offset) SELECT * FROM (VALUES :batch) v(p, o) WHERE p >= 0;
SELECT commit_offsets('events', 'm', 'm' || :client_id);
});
wait_for("SELECT count(*) = $consumed FROM got") or die 'not all is consumed';
all_wait('members');
is(sql(q{SELECT count(DISTINCT member_id), count(*) FROM pg_topic_groups WHERE group_id = 'm' AND member_id IS NOT NULL}),
	"$partitions|$partitions", "of a hundred members $partitions lease one partition each");
wakes_few(4, 'a record wakes few others than the member that leases its partition',
	'members', 1, q{INSERT INTO events (partition, value) VALUES (2, 'one')});
wakes_few(4 * $partitions, "records in $partitions partitions wake a few members for each",
	'members', 60, qq{INSERT INTO events (partition, value) SELECT i % $partitions, 'many' FROM generate_series(1, 60) i});
# a partition that is given up is everybody's business
my $leaver = sql(q{SELECT member_id FROM pg_topic_groups WHERE group_id = 'm' AND partition = 4});
sql("SELECT leave_group('events', 'm', '$leaver')");
ok(wait_for(qq{SELECT member_id <> '$leaver' FROM pg_topic_groups WHERE group_id = 'm' AND partition = 4}),
	'a partition that its member gives up is leased by another one that waits');
end_crowd('members', $run);

# ---- take-over -----------------------------------------------------------------

sql(q{SELECT create_topic('left'); SELECT produce('"left"', 'v'::text)});
is(sql(q{SELECT value FROM consume('"left"', 't', member_id => 'dead', lease => '2 s')}), 'v',
	'a member gets a record and makes no other call');
my $heir = open_background($node, 'heir');
my $wait = q{SELECT value FROM consume('"left"', 't', member_id => 'heir', lease => '1 hour', timeout => '1 hour');};
ask($heir, $wait);
is(answer($heir), '', 'another member joins the group');
ask($heir, $wait);
is(answer($heir), 'v',
	'the other member takes the partition over when the lease ends, though nothing wakes it');
ask($heir, q{SELECT commit_offsets('"left"', 't', 'heir');} . $wait . $wait);
wait_for(q{SELECT EXISTS (SELECT FROM pg_stat_activity
	WHERE application_name = 'heir' AND state = 'active' AND wait_event_type = 'Extension')});
sql(q{SELECT alter_topic('"left"', '{"partitions": 2}')});
sql(q{SELECT produce('"left"', NULL::text, 'in a new partition', partition => 1)});
like(answer($heir), qr/in a new partition/, 'a waiting member gets records of a partition that is added');
$heir->{in} .= "\\q\n";
$heir->{run}->finish;

# ---- latency -------------------------------------------------------------------

my $waiter = open_background($node, 'waiter');
my @latency;
sql(q{SELECT seek_to_end('events', 'latency')});
foreach (1 .. 20)
{
	ask($waiter, q{SELECT extract(epoch FROM clock_timestamp() - value::timestamptz) * 1000 FROM consume('events', 'latency', timeout => '1 hour');});
	wait_for(q{SELECT EXISTS (SELECT FROM pg_stat_activity
		WHERE application_name = 'waiter' AND state = 'active' AND wait_event_type = 'Extension')});
	sql(q{SELECT produce('events', clock_timestamp()::text)});
	push @latency, answer($waiter);
}
@latency = sort { $a <=> $b } @latency;
note(sprintf('from produce() to the row: median %.1f ms, most %.1f ms', $latency[10], $latency[-1]));
# it is a wake-up: by itself it would look again after an hour
cmp_ok($latency[10], '<', 10_000, 'a commit wakes a waiting session long before its timeout');

$waiter->{in} .= "\\q\n";
$waiter->{run}->finish;
$asking->close;
$node->stop;
done_testing();
