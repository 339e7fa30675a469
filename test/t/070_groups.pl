# Files under test: src/consume/consume.c, src/group/consumer_group.c.
# Consumers of a group in transactions, many at once: whatever they commit, roll
# back or die in, each record is processed exactly once and in order.  Partitions
# are served in turn, and who finds nothing to read writes nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $sessions = 8;
my $partitions = 6;

my $node = new_node('main', settings => ['max_connections = 30']);
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => $partitions);
	-- what was processed, written in the consumer's transaction
	CREATE TABLE processed (id bigserial, session int, partition int, record_offset bigint, value text);
	CREATE FUNCTION process(session int, max_records int) RETURNS void LANGUAGE sql AS \$\$
		INSERT INTO processed (session, partition, record_offset, value)
		SELECT session, partition, record_offset, value FROM consume('events', 'g', max_records);
	\$\$;
	CREATE FUNCTION process_manually(session int, max_records int) RETURNS void LANGUAGE sql AS \$\$
		INSERT INTO processed (session, partition, record_offset, value)
		SELECT session, partition, record_offset, value FROM consume('events', 'g', max_records, auto_commit => false);
		SELECT commit_offsets('events', 'g');
	\$\$;
});

# One random transaction of a session.
sub transaction
{
	my ($session) = @_;
	my $process = sub {
		return sprintf("SELECT %s(%d, %d);\n", rand() < 0.3 ? 'process_manually' : 'process', $session, 1 + rand(40));
	};
	my $end = rand() < 0.25 ? "ROLLBACK;\n" : "COMMIT;\n";
	my $kind = rand();

	return "BEGIN;\n" . $process->() . $end if $kind < 0.4;
	return "BEGIN;\n" . $process->() . $process->() . "SELECT pg_sleep(0.002);\n" . $end if $kind < 0.6;
	return "BEGIN;\n" . $process->() . "SAVEPOINT a;\n" . $process->() . "ROLLBACK TO a;\n" . $process->() . $end
	  if $kind < 0.75;
	return "BEGIN;\nSAVEPOINT a;\n" . $process->() . "SAVEPOINT b;\n" . $process->() . "ROLLBACK TO b;\nRELEASE a;\n"
	  . $process->() . $end if $kind < 0.9;
	return "BEGIN;\nSAVEPOINT a;\n" . $process->() . "SELECT 1 / 0;\nROLLBACK TO a;\n" . $process->() . $end;
}

# A script of transactions; half of the sessions die in the middle of one.
sub script
{
	my ($session) = @_;
	my $script = join('', map { transaction($session) } 1 .. 30);

	return $script if rand() < 0.5;
	return $script . "BEGIN;\nSELECT process($session, 50);\nSELECT pg_terminate_backend(pg_backend_pid());\n";
}

# Run a script for each session at once, and a producer beside them; wait for all.
sub run_sessions
{
	my ($produce) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @runs;

	for my $session (1 .. $sessions)
	{
		append_to_file("$directory/$session.sql", script($session));
		push @runs, start_psql($node, "$directory/$session.sql", "$directory/$session.out", '-v', 'ON_ERROR_STOP=0');
	}
	append_to_file("$directory/produce.sql", join('', map {
		"INSERT INTO events (key, value) SELECT i::text, '$_-' || i FROM generate_series(1, 100) i;\n" } 1 .. $produce));
	push @runs, start_psql($node, "$directory/produce.sql", "$directory/produce.out");
	$_->finish foreach @runs;

	my @errors = grep { /ERROR/ && !/division by zero/ } map { split /\n/, slurp_file("$directory/$_.out.err") } 1 .. $sessions;
	is("@errors", '', 'no session met an error of consume() under load');
	return;
}

# What the oracle says against the topic: nothing where all is well.
sub differences
{
	my ($complete) = @_;
	my $missing = $complete ? q{
		UNION ALL
		(SELECT 'missed: ' || partition || ':' || record_offset FROM (
			SELECT partition, record_offset, value FROM events EXCEPT SELECT partition, record_offset, value FROM processed) m
		 LIMIT 5)} : '';

	return $node->safe_psql('postgres', qq{
		(SELECT 'twice: ' || partition || ':' || record_offset FROM processed GROUP BY partition, record_offset
		 HAVING count(*) > 1 LIMIT 5)
		UNION ALL
		(SELECT 'never produced: ' || partition || ':' || record_offset FROM (
			SELECT partition, record_offset, value FROM processed EXCEPT SELECT partition, record_offset, value FROM events) n
		 LIMIT 5)
		UNION ALL
		(SELECT 'out of order: ' || partition || ':' || record_offset FROM (
			SELECT *, lag(record_offset) OVER (PARTITION BY partition ORDER BY id) AS previous FROM processed) o
		 WHERE previous IS NOT NULL AND record_offset <> previous + 1 LIMIT 5)
		$missing});
}

# ---- many at once ------------------------------------------------------------

my $round = 0;
for (1 .. 3)
{
	run_sessions(60);
	is(differences(0), '', 'round ' . ++$round . ': no record is processed twice or out of order');
}
kill_all($node);
$node->start;
is(differences(0), '', 'after a crash no record is processed twice or out of order');
run_sessions(10);
for (1 .. 20)
{
	last if $node->safe_psql('postgres', q{SELECT coalesce(sum(lag), 1) FROM pg_topic_groups}) eq '0';
	$node->safe_psql('postgres', 'SELECT process(9, 100000)');
}
is(differences(1), '', 'at the end each record is processed exactly once and in order');
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT session) FROM processed'), '>=', $sessions,
	'all sessions have processed records');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM processed'), '>', 15000,
	'more than 15000 records are processed');

# ---- served in turn ----------------------------------------------------------

$node->safe_psql('postgres', qq{
	INSERT INTO events (partition, value) SELECT p, 'turn' FROM generate_series(0, $partitions - 1) p, generate_series(1, 100)});
my @turns = map { $node->safe_psql('postgres', q{SELECT DISTINCT partition FROM consume('events', 'g', 10)}) } 1 .. 3 * $partitions;
for my $turn (0 .. 2)
{
	is(join(' ', sort @turns[ $turn * $partitions .. ($turn + 1) * $partitions - 1 ]), '0 1 2 3 4 5',
		"turn $turn: each partition is served once before any is served again");
}
# a partition that was owned by another session is the next one
my $other = open_session($node);
$other->run(q{BEGIN});
my $taken = $other->run(q{SELECT DISTINCT partition FROM consume('events', 'g', 10)});
$node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'g', 10)}) for 1 .. 7;
$other->run('ROLLBACK');
is($node->safe_psql('postgres', q{SELECT DISTINCT partition FROM consume('events', 'g', 10)}), $taken,
	'a partition that another session gave back comes first');
$other->close;

# ---- nothing to read ---------------------------------------------------------

$node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'g', 100000)});

# What EXPLAIN says of a call whose records a temporary table takes: no other WAL than the call's.
sub explained_consume
{
	return $node->safe_psql('postgres', q{
		CREATE TEMPORARY TABLE taken (value text);
		EXPLAIN (ANALYZE, WAL, COSTS off) INSERT INTO taken SELECT value FROM consume('events', 'g')});
}

my $idle;
# the server prunes what versions of rows are dead while it reads; that is written once
poll_until(sub {
	$idle = explained_consume();
	return $idle !~ /WAL/;
});
like($idle, qr/Custom Scan \(Consume\).*rows=0/, 'with nothing to read consume() gives no row');
unlike($idle, qr/WAL/, 'with nothing to read consume() writes no WAL');
is($node->safe_psql('postgres', q{
	BEGIN;
	SELECT count(*) FROM consume('events', 'g');
	SELECT pg_current_xact_id_if_assigned() IS NULL, count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode LIKE '%Exclusive%' AND locktype <> 'virtualxid';
	COMMIT}), "0\nt|0", 'with nothing to read consume() takes no transaction id and no exclusive lock');
my $xmax = $node->safe_psql('postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())');
$node->safe_psql('postgres', join(';', (q{SELECT count(*) FROM consume('events', 'g')}) x 100));
is($node->safe_psql('postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())'), $xmax,
	'with nothing to read a hundred calls of consume() take no transaction id');
# while there is something, it does: the means of looking are good
$node->safe_psql('postgres', q{INSERT INTO events (value) VALUES ('one')});
like(explained_consume(), qr/WAL/,
	'consuming a record writes WAL');

# ---- what stays of many commits ------------------------------------------------

# Commit n times; the table's size then, and how many of the updates since the last
# call left the index alone.
my ($updates, $hot) = (0, 0);
sub commits
{
	my ($n) = @_;

	$node->safe_psql('postgres', qq{DO \$\$ BEGIN
		FOR i IN 1 .. $n LOOP
			INSERT INTO events (partition, value) VALUES (i % $partitions, 'kept');
			COMMIT;
			PERFORM consume('events', 'g');
			COMMIT;
		END LOOP; END \$\$});
	$node->safe_psql('postgres', q{SELECT pg_stat_force_next_flush(); SELECT pg_stat_clear_snapshot()});
	my ($size, @now) = split /\|/, $node->safe_psql('postgres', q{SELECT pg_relation_size(relid), n_tup_upd, n_tup_hot_upd
		FROM pg_stat_user_tables WHERE relname = 'topic_group_offsets'});
	my @since = ($now[0] - $updates, $now[1] - $hot);
	($updates, $hot) = @now;
	return ($size, @since);
}

$node->safe_psql('postgres', 'VACUUM FULL topic_group_offsets');
commits(1);
my ($size, $updated, $hot_updated) = commits(1000);
cmp_ok($size, '<=', 4 * 8192, "a thousand commits leave a table of $size bytes, without vacuum");
cmp_ok($hot_updated, '>', 0.9 * $updated,
	"$hot_updated of $updated updates of offsets write nothing to the index");
# a transaction that stays open keeps what was dead since; then it goes
$other = open_session($node);
$other->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM processed');
my ($grown) = commits(1000);
cmp_ok($grown, '<', 1000 * 200, "beside a long transaction a commit takes a row's size, $grown bytes in all");
$other->run('COMMIT');
$other->close;
commits(200);
$node->safe_psql('postgres', 'VACUUM topic_group_offsets');
my ($after) = commits(1000);
cmp_ok($after, '<=', $grown,
	'once the long transaction has ended and vacuum has run the table does not grow');

# a group that is new in a topic is told in the log, once: its name may be a mistake
my $log = -s $node->logfile;
$node->safe_psql('postgres', q{
	SELECT count(produce('events', NULL::text, 'v', partition => p)) FROM generate_series(0, 5) p;
	SELECT count(*) FROM consume('events', 'mistyped', 3);
	SELECT count(*) FROM consume('events', 'mistyped');
	SELECT create_topic('other');
	SELECT seek_to_end('other', 'mistyped')});
my @told = slurp_file($node->logfile, $log) =~ /LOG:  (consumer group .*)/g;
is(join(', ', @told), 'consumer group "mistyped" is new in topic "events", consumer group "mistyped" is new in topic "other"',
	'the server log reports a new group once for each topic');

$node->stop;
done_testing();
