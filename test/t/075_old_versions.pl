# Files under test: src/group/group_row_cache.c, src/group/group_row.c.
# Versions of a group's rows that vacuum may not remove yet do not make consuming
# slower; and a row is found whatever has happened to the place where it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $commits = 1500;
my $node = new_node('main', settings => [ 'autovacuum = off', 'synchronous_commit = off' ]);
$node->start;

my ($consumer, $other) = map { open_session($node) } 1 .. 2;

# One record for the group, by that session; the record's value.
sub consume
{
	my ($session, $group) = @_;

	return $session->run("SELECT value FROM consume('events', '$group', 1)");
}

# Blocks of the offsets table and its index that were looked at so far.
sub blocks
{
	$consumer->run('SELECT pg_stat_force_next_flush()');
	return $node->safe_psql('postgres', q{SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit
		FROM pg_statio_user_tables WHERE relname = 'topic_group_offsets'});
}

# Blocks looked at for so many commits.
sub blocks_of_drain
{
	my $before = blocks();

	$consumer->run("CALL drain($commits)");
	return blocks() - $before;
}

$consumer->run(q{CREATE EXTENSION pg_topics;
	SELECT create_topic('events');
	INSERT INTO events (value) SELECT i::text FROM generate_series(1, 20000) i;
	CREATE PROCEDURE drain(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			PERFORM FROM consume('events', 'drained', 1);
			COMMIT;
		END LOOP;
	END $$});

# ---- a transaction that keeps all versions ----
my $holder = open_session($node);
$holder->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()');
my @drains = map { blocks_of_drain() } 1 .. 4;
cmp_ok($drains[3], '<', 1.05 * $drains[0], "no more blocks with more versions (@drains)");
is(consume($other, 'drained'), 4 * $commits + 1, 'another session finds the latest');

# each has the place of a version before the other's
is(consume($_ % 2 ? $consumer : $other, 'drained'), 4 * $commits + 1 + $_, "in turn, $_") foreach 1 .. 4;
$consumer->run('BEGIN');
is(consume($consumer, 'drained'), 4 * $commits + 6, 'consumed');
$consumer->run('ROLLBACK');
is(consume($other, 'drained'), 4 * $commits + 6, 'and again after a rollback, by the other');
is(consume($consumer, 'drained'), 4 * $commits + 7, 'and then the next');
$consumer->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
is(consume($other, 'drained'), 4 * $commits + 8, 'consumed behind a snapshot');
like($consumer->fails("SELECT * FROM consume('events', 'drained', 1)"),
	qr/could not serialize access/, 'whose transaction is told');
$consumer->run('ROLLBACK');
$holder->run('COMMIT');

# ---- places that are somebody else's ----
$other->run('VACUUM FULL topic_group_offsets');
is(consume($consumer, 'drained'), 4 * $commits + 9, 'after the table was written anew');
consume($other, "group $_") foreach 1 .. 3;
consume($consumer, "group $_") foreach 1 .. 3;
$other->run(q{SELECT delete_group('drained', 'events'), delete_group('group 1', 'events');
	SELECT delete_group('group 2', 'events')});
$other->run('VACUUM topic_group_offsets');
consume($other, $_) foreach 'new', 'group 2', 'drained';
is(consume($consumer, 'drained'), 2, 'a group that began anew');
is(consume($consumer, 'group 1'), 1, 'one that is gone');
is(consume($consumer, 'group 2'), 2, 'at the place of another one');
is(consume($consumer, 'group 3'), 3, 'one that stayed');
$other->run('DELETE FROM topic_group_offsets');
$other->run('VACUUM topic_group_offsets');
is(consume($consumer, $_), 1, "$_, with the table truncated") foreach 'group 3', 'drained';

# ---- more groups than are remembered ----
my $groups = 300;
consume($consumer, "many $_") foreach 1 .. $groups;
is(scalar(grep { consume($consumer, "many $_") != 2 } 1 .. $groups), 0, "$groups groups");

$_->close foreach $consumer, $other, $holder;
done_testing();
