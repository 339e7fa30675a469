# Files under test: src/group/group_row_cache.c, src/group/group_row.c, src/group/group_row_write.c.
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
cmp_ok($drains[3], '<', 1.05 * $drains[0],
	"consuming reads no more blocks while row versions pile up (@drains)");
is(consume($other, 'drained'), 4 * $commits + 1, 'another session finds the latest version of the row');

# each has the place of a version before the other's
is(consume($_ % 2 ? $consumer : $other, 'drained'), 4 * $commits + 1 + $_,
	"two sessions in turn find the latest version, turn $_") foreach 1 .. 4;
$consumer->run('BEGIN');
is(consume($consumer, 'drained'), 4 * $commits + 6, 'a transaction consumes a record');
$consumer->run('ROLLBACK');
is(consume($other, 'drained'), 4 * $commits + 6, 'after a rollback another session gets the same record');
is(consume($consumer, 'drained'), 4 * $commits + 7, 'the session that rolled back gets the next record');
$consumer->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
is(consume($other, 'drained'), 4 * $commits + 8,
	'another session consumes after the snapshot of a transaction was taken');
like($consumer->fails("SELECT * FROM consume('events', 'drained', 1)"),
	qr/could not serialize access/, 'consuming with a snapshot from before is a serialization failure');
$consumer->run('ROLLBACK');
$holder->run('COMMIT');

# ---- places that are somebody else's ----
$other->run('VACUUM FULL topic_group_offsets');
is(consume($consumer, 'drained'), 4 * $commits + 9, 'the row is found after VACUUM FULL');
consume($other, "group $_") foreach 1 .. 3;
consume($consumer, "group $_") foreach 1 .. 3;
$other->run(q{SELECT delete_group('drained', 'events'), delete_group('group 1', 'events');
	SELECT delete_group('group 2', 'events')});
$other->run('VACUUM topic_group_offsets');
consume($other, $_) foreach 'new', 'group 2', 'drained';
is(consume($consumer, 'drained'), 2, 'the row of a group that was deleted and began anew is found');
is(consume($consumer, 'group 1'), 1, 'a group that was deleted begins anew');
is(consume($consumer, 'group 2'), 2, "a group is found whose row is where another group's row was");
is(consume($consumer, 'group 3'), 3, 'a group whose row has stayed is found');
$other->run('DELETE FROM topic_group_offsets');
$other->run('VACUUM topic_group_offsets');
is(consume($consumer, $_), 1,
	"the group \"$_\" begins anew after vacuum has truncated the table") foreach 'group 3', 'drained';

# ---- more groups than are remembered ----
my $groups = 300;
consume($consumer, "many $_") foreach 1 .. $groups;
is(scalar(grep { consume($consumer, "many $_") != 2 } 1 .. $groups), 0,
	"each of $groups groups gets its next record");

$_->close foreach $consumer, $other, $holder;
done_testing();
