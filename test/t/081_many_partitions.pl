# Files under test: src/group/group_wakeup.c, src/group/group_position.c, src/group/lease.c,
# src/produce/pending_partition.c, src/util/subxact_stack.c.
# What a transaction does with n partitions, and with n savepoints, takes n steps and not n
# times n.  Told by the processor time that the session itself has used, for n and eight times n.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

plan skip_all => 'the kernel does not tell the processor time of a process' if !-r '/proc/self/schedstat';

my %partitions = (small => 2000, large => 16000);
my $node = new_node('main', settings => [
	'pg_topics.max_partitions = 20000',
	'max_locks_per_transaction = 1000',
	'autovacuum = off',
	'synchronous_commit = off' ]);
$node->start;
my $session = open_session($node);

$session->run(q{CREATE EXTENSION pg_topics;
	CREATE FUNCTION used() RETURNS bigint LANGUAGE sql
		AS $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$});
$session->run("SELECT create_topic('$_', $partitions{$_})") foreach sort keys %partitions;

# Nanoseconds of processor time that the session takes for the statement: the least of three runs.
sub time_of
{
	my ($statement, $after) = @_;
	my $least;

	foreach (1 .. 3)
	{
		my $before = $session->run('SELECT used()');
		$session->run($statement);
		my $used = $session->run('SELECT used()') - $before;
		$session->run($after);
		$least = $used if !defined $least || $used < $least;
	}
	return $least;
}

# With eight times as many partitions the statement, in which T and N stand for a topic and the
# number of its partitions, takes no more than sixteen times as long.
sub is_linear
{
	my ($name, $statement, $after) = @_;
	my %used;

	foreach my $topic (qw(small large))
	{
		my ($this, $then) = map { s/\bT\b/$topic/gr =~ s/\bN\b/$partitions{$topic}/gr } $statement, $after // 'ROLLBACK';
		$used{$topic} = time_of($this, $then);
	}
	cmp_ok($used{large}, '<', 16 * $used{small},
		sprintf('%s: %.1f ms and %.1f ms', $name, map { $used{$_} / 1e6 } qw(small large)));
}

# Run the statement n times, each in a subtransaction of its own.
sub each_in_savepoint
{
	my ($statement) = @_;

	return qq{DO \$\$
		BEGIN
			FOR i IN 0 .. N - 1 LOOP
				BEGIN
					$statement;
				EXCEPTION WHEN division_by_zero THEN
					NULL;
				END;
			END LOOP;
		END \$\$};
}

is_linear('moving a new group in all partitions', "BEGIN; SELECT seek_to_beginning('T', 'g')");
$session->run("SELECT seek_to_beginning('$_', 'g')") foreach sort keys %partitions;
is_linear('moving a group in all partitions', "BEGIN; SELECT seek_to_beginning('T', 'g')");
is_linear('producing to all partitions, with a savepoint for each',
	'BEGIN; ' . each_in_savepoint(q{PERFORM produce('T', 'k', 'v', i)}));
is_linear('producing to all partitions, and as many savepoints that roll back',
	q{BEGIN; INSERT INTO T (partition, value) SELECT i, 'v' FROM generate_series(0, N - 1) i; } .
	each_in_savepoint('PERFORM 1 / (i - i)'));
is_linear('owning all partitions, and as many savepoints that roll back',
	"BEGIN; SELECT seek_to_beginning('T', 'g'); " . each_in_savepoint('PERFORM 1 / (i - i)'));

is_linear('a member takes all partitions',
	"SELECT FROM consume('T', 'l', member_id => 'm')", "SELECT leave_group('T', 'l', 'm')");
$session->run("SELECT FROM consume('$_', 'l', member_id => 'm')") foreach sort keys %partitions;
is_linear('a member polls', "SELECT FROM consume('T', 'l', member_id => 'm')", 'SELECT 1');
is_linear('a member commits', "SELECT commit_offsets('T', 'l', 'm')", 'SELECT 1');
is_linear('a member leaves',
	"SELECT leave_group('T', 'l', 'm')", "SELECT FROM consume('T', 'l', member_id => 'm')");

$session->close;
done_testing();
