# Sessions and workers that end at any moment: terminated, cancelled, timed out,
# killed; connections used up; the extension updated and dropped under load.  Whoever
# ends takes only his own transaction with him.
#
# Waiting consumers and prepared transactions have their own tests (020, 021, 006),
# so has the distance of transaction ids (007).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main', settings => [ 'restart_after_crash = on', 'max_connections = 40' ]);
$node->start;
create_load_schema($node);

sub sql { return $node->safe_psql('postgres', @_); }

sub pid_of { return sql("SELECT pid FROM pg_stat_activity WHERE $_[0]"); }

# A worker's pid, when there is one other than "before".
sub worker
{
	my ($type, $before) = @_;
	my $pid;

	poll_until(sub {
		chomp($pid = (try_psql($node, "SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'"))[1]);
		return $pid ne '' && $pid ne ($before // '');
	}) or die "no $type";
	return $pid;
}

my $lost = qr/terminat|crash|server closed|connection|FATAL|WARNING/;
my $count = 'SELECT count(DISTINCT (client, n)) FROM sent';

# ---- terminated and killed under load -----------------------------------------

# Sessions of the load are terminated one after the other, wherever they are.
my $load = start_load($node, clients => 6);
foreach my $round (1 .. 6)
{
	my $before = sql($count);

	$node->poll_query_until('postgres', "SELECT ($count) > $before + 15") or die 'the load does not get on';
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
}
finish_load($load, expected => $lost);
check_acknowledged($node, $load, 'after sessions were terminated');
end_prepared($node);
check_events($node, 'after sessions were terminated topic and table have the same records');

# Each of our workers, ended and killed.
foreach my $type ('pg_topics sync', 'pg_topics launcher', 'pg_topics maintenance')
{
	my $before = worker($type);
	my $running = start_load($node, clients => 2, transactions => 300);
	my $started = sql('SELECT pg_postmaster_start_time()');

	sql("SELECT pg_terminate_backend($before)");
	my $after = worker($type, $before);
	ok($after, "$type is started again after it was terminated");
	finish_load($running);
	is(sql('SELECT pg_postmaster_start_time()'), $started,
		"the server does not restart when $type is terminated");
	check_acknowledged($node, $running, "after $type was terminated");

	$running = start_load($node, clients => 2, transactions => 3000);
	crash_one($node, sub { kill 'KILL', $after });
	finish_load($running, expected => $lost);
	check_acknowledged($node, $running, "after $type was killed");
	end_prepared($node);
	check_events($node, "after $type was killed topic and table have the same records");
	ok(worker($type, $after), "$type is started again after it was killed");
}

# ---- at pre-commit -------------------------------------------------------------

# The session stands where its batch is in the log and its commit is not.
foreach my $signal (qw(terminate cancel KILL))
{
	my $name = "at pre-commit, $signal";
	my $session = open_background($node, 'halted');
	my $from = -s $node->logfile;

	ask($session, qq{SET pg_topics.fault_point = 'all-appended:stop';
		BEGIN; SELECT send(100, 1, 1, 0, 10); COMMIT;});
	my $pid = pid_of_session($node, 'halted');
	wait_halted($pid);
	is(sql("SELECT blocking_pid FROM pg_topic_partitions WHERE topic = 'events'::regclass AND blocking_pid IS NOT NULL"), $pid,
		"$name: pg_topic_partitions shows the pid of the session that holds readers back");
	sql("SELECT pg_terminate_backend($pid)") if $signal eq 'terminate';
	sql("SELECT pg_cancel_backend($pid)") if $signal eq 'cancel';
	kill('KILL', $pid) if $signal eq 'KILL';
	go_on($pid);
	if ($signal eq 'KILL')
	{
		poll_until(sub { slurp_file($node->logfile, $from) =~ /terminated by signal 9.*ready to accept connections/s }) or die 'no restart';
	}
	poll_until(sub { pid_of(q{application_name = 'halted' AND state = 'active'}) eq '' }) or die 'it does not end';
	check_events($node, "$name: topic and table have the same records");
	is(sql("SELECT count(*) FROM pg_topic_partitions WHERE blocking_xid IS NOT NULL"), '0',
		"$name: no partition is held back once the session has ended");
	$session->{run}->kill_kill;
	sql('DELETE FROM sent WHERE client = 100');
	sql(q{TRUNCATE events}), sql('TRUNCATE sent');
}

# ---- cancelled and timed out ----------------------------------------------------

sql(q{
	SELECT create_topic('long', config => '{"cleanup.policy": "compact,delete", "segment.bytes": 262144}');
	INSERT INTO long (key, value) SELECT 'key ' || n % 50000, md5(n::text) FROM generate_series(1, 400000) AS n;
	SELECT create_topic('bulk')});
wait_resolved($node);
my $held = sql('SELECT count(*) FROM long');

# Each takes longer than its timeout in ms, also of what compaction leaves; one because another session is in the way.
my %statements = (
	'bulk produce' => [ 50, 'INSERT INTO bulk (value) SELECT md5(n::text) FROM generate_series(1, 5000000) AS n' ],
	'produce()' => [ 50, q{SELECT count(produce('bulk', NULL::text, n::text)) FROM generate_series(1, 5000000) AS n} ],
	'consume, waiting' => [ 50, q{SELECT * FROM consume('bulk', 'g', timeout => '1 min')} ],
	'consume, reading' => [ 20, q{SELECT count(md5(a.value || b.n)) FROM consume('long', 'g', 100000) AS a, generate_series(1, 1000) AS b(n)} ],
	'scan' => [ 2, 'SELECT count(md5(key || value)) FROM long' ],
	'latest' => [ 2, 'SELECT count(*) FROM latest(NULL::long)' ],
	'compact' => [ 20, q{SELECT count(*) FROM compact('long')} ],
	'erase' => [ 2, q{SELECT erase('long', 'key 1'::text)} ],
	'verify' => [ 2, q{SELECT count(*) FROM verify_topic('long')} ],
	'lock for retention' => [ 50, q{SELECT count(*) FROM apply_retention('long')}, q{BEGIN; ALTER FOREIGN TABLE long OPTIONS (ADD "retention.bytes" '1000000000')} ]);

foreach my $name (sort keys %statements)
{
	my ($timeout, $statement, $holder) = @{ $statements{$name} };
	my $other = open_session($node);
	my $session = open_session($node);

	$other->run($holder) if $holder;
	$session->run("SET statement_timeout = $timeout");
	my $begun = time;
	like($session->fails($statement), qr/ERROR:  canceling statement due to statement timeout/,
		"$name: statement_timeout ends the statement");
	cmp_ok(time - $begun, '<', 30, "$name: the statement ends within 30 seconds");
	$other->run('ROLLBACK') if $holder;
	$session->run('RESET statement_timeout');
	is($session->run(q{SELECT count(*) FROM bulk}), '0',
		"$name: the canceled statement has produced nothing");
	is($session->run(q{SELECT count(*) FROM topic_group_offsets WHERE committed_offset > 0}), '0',
		"$name: the canceled statement has committed no offset");
	is($session->run(q{SELECT count(*) FROM latest(NULL::long)}), '50000',
		"$name: the topic has the last record of each key");
	$_->close foreach $session, $other;
}
is(sql(q{SELECT count(*) FROM verify_topic('long')}), '0',
	'after all canceled statements verify_topic() finds no damage');
cmp_ok(sql('SELECT count(*) FROM long'), '<=', $held, 'canceled compactions have added no records');

# ---- connections used up ---------------------------------------------------------

my @sessions = map { my $s = open_session($node); $s->run('SELECT 1'); $s } 1 .. 30;
my @more;
while (@more < 20)
{
	my ($code, $out, $err) = try_psql($node, 'SELECT 1');
	last if $code != 0 && $err =~ /too many clients|remaining connection slots/;
	my $s = open_session($node);
	push @more, $s;
	$s->{in} .= "SELECT 1;\n";
	$s->{run}->pump_nb;
}
like((try_psql($node, 'SELECT 1'))[2], qr/too many clients|remaining connection slots/,
	'one more session is refused when all connections are used');
$sessions[0]->run(q{SELECT produce('bulk', NULL::text, 'still')});
is($sessions[1]->run(q{SELECT value FROM consume('bulk', 'g', timeout => '10s')}), 'still',
	'while all connections are used a session can produce and another one consume');
$sessions[2]->run('CHECKPOINT');
pass('while all connections are used a session can make a checkpoint');
$_->{run}->kill_kill foreach @sessions, @more;
wait_ready($node);

# ---- the extension is updated under load -------------------------------------------

$load = start_load($node, clients => 3, also => [ "SELECT count(*) FROM consume('events', 'updated', 50);\n" x ENDLESS ]);
$node->poll_query_until('postgres', "SELECT ($count) > 50") or die 'the load does not get on';
sql(q{ALTER EXTENSION pg_topics UPDATE TO 'again'});
is(sql('SELECT is_updated()'), 't', 'ALTER EXTENSION UPDATE succeeds under load');
my $updated = sql($count);
$node->poll_query_until('postgres', "SELECT ($count) > $updated + 50") or die 'the load does not get on after it';
stop_load($node, $load);
check_acknowledged($node, $load, 'after the extension was updated under load');
check_events($node, 'after the extension was updated under load topic and table have the same records');

# ---- the extension goes under load -------------------------------------------------

$load = start_load($node, clients => 3);
$node->poll_query_until('postgres', "SELECT ($count) > 100") or die 'the load does not get on';
sql('DROP EXTENSION pg_topics CASCADE');
finish_load($load, expected => qr/ERROR|does not exist|LINE|\^|QUERY|produce/);
check_acknowledged($node, $load, 'after the extension was dropped under load');
ok(poll_until(sub { !glob($node->data_dir . '/pg_topics/*/*-*') }),
	"DROP EXTENSION under load removes all topics' files");
sql(q{DROP TABLE sent; DROP FUNCTION send, send_many});
create_load_schema($node);
$load = start_load($node, clients => 2, transactions => 100);
finish_load($load);
check_acknowledged($node, $load, 'after the extension was created again');
end_prepared($node);
check_events($node, 'after the extension was created again topic and table have the same records');
$node->stop;

done_testing();
