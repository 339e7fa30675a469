# File under test: src/group/group_row_write.c.
# A transaction writes one version of a group's row, however often it consumes: overwriting it
# is undone by rollback, by savepoints and by a crash, is prepared, replicated and seen by
# snapshots like any other.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $standby) = start_pair();
my ($consumer, $other) = map { open_session($node) } 1 .. 2;

sub sql { return $node->safe_psql('postgres', @_); }

# Consume so many records for the group, one with each call; the value of the last.
sub consume
{
	my ($calls) = @_;
	my @values = map { $consumer->run(q{SELECT value FROM consume('events', 'g', 1)}) } 1 .. $calls;

	return $values[-1];
}

# The group's committed offset, as a session sees it.
sub committed
{
	my ($session) = @_;

	return $session->run(q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'g'});
}

# How many versions have rows of the table, dead ones included?
sub versions
{
	return sql(q{SELECT count(*) FROM generate_series(0, pg_relation_size('topic_group_offsets') / 8192 - 1) AS block,
		heap_page_items(get_raw_page('topic_group_offsets', block::int)) WHERE t_xmin IS NOT NULL});
}

sql(q{CREATE EXTENSION pg_topics;
	CREATE EXTENSION pageinspect;
	CREATE TABLE other (i int);
	SELECT create_topic('events');
	INSERT INTO events (value) SELECT i::text FROM generate_series(1, 1000) i});
is(consume(1), 1, 'the first record');

# ---- beside an old snapshot ----
my $holder = open_session($node);
$holder->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()');
is(committed($holder), 1, 'a snapshot is taken');

my $before = versions();
$consumer->run('BEGIN');
is(consume(200), 201, 'a transaction consumes with each of many calls');
is(committed($other), 1, 'nobody else sees that before it commits');
is(committed($consumer), 201, 'the transaction itself does');
$consumer->run('COMMIT');
is(versions() - $before, 1, 'it has written one version of the row');
is(committed($other), 201, 'after the commit others see the last offset');
is(committed($holder), 1, 'the old snapshot sees the offset of its time');

# ---- rollback ----
$consumer->run('BEGIN');
consume(3);
$consumer->run('ROLLBACK');
is(committed($other), 201, 'a rollback brings the offset back');
$consumer->run('BEGIN');
is(consume(2), 203, 'the records are delivered again');
$consumer->run('SAVEPOINT a; INSERT INTO other VALUES (1)');
is(consume(3), 206, 'calls within a savepoint');
$consumer->run('ROLLBACK TO a');
is(committed($consumer), 203, 'its rollback brings back the offset from before the savepoint');
is(consume(2), 205, 'and the next calls go on from there');
$consumer->run('RELEASE a; SAVEPOINT b');
consume(1);
$consumer->run('RELEASE b');
is(consume(2), 208, 'calls after a savepoint');
$consumer->run('SAVEPOINT c');
consume(1);
$consumer->run('ROLLBACK TO c');
$consumer->run('COMMIT');
is(committed($other), 208, 'what was not rolled back is committed');

# ---- a row that gets another layout ----
$consumer->run('BEGIN');
consume(1);
$consumer->run(qq{SELECT commit_offset('events', 'g', 0, 300, '$_')}) foreach 'short', 'much longer', 'short';
$consumer->run('COMMIT');
is($other->run(q{SELECT committed_offset, metadata FROM topic_group_offsets}), '300|short',
	'metadata of any length is written');

# ---- prepared ----
$consumer->run('BEGIN');
consume(3);
$consumer->run(q{PREPARE TRANSACTION 'p'});
is(committed($other), 300, 'a prepared transaction has not moved the offset');
$node->stop('immediate');
$node->start;
($consumer, $other) = map { open_session($node) } 1 .. 2;
sql(q{COMMIT PREPARED 'p'});
is(committed($other), 303, 'after a crash the prepared transaction commits its last offset');

# ---- a crash ----
$consumer->run('BEGIN');
consume(3);
sql('CHECKPOINT');
consume(3);
$node->stop('immediate');
$node->start;
($consumer, $other) = map { open_session($node) } 1 .. 2;
is(committed($other), 303, 'a crash before the commit leaves the offset');
$consumer->run('BEGIN');
is(consume(3), 306, 'and the records are delivered again');
$consumer->run('COMMIT');
$node->stop('immediate');
$node->start;
is(sql('SELECT committed_offset FROM topic_group_offsets'), 306, 'a crash after the commit loses nothing');
($consumer, $other) = map { open_session($node) } 1 .. 2;

# ---- replicas ----
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', 'SELECT committed_offset FROM topic_group_offsets'), 306,
	'a standby has the last offset');
$node->append_conf('postgresql.conf', 'wal_level = logical');
$node->restart;
($consumer, $other) = map { open_session($node) } 1 .. 2;
sql(q{SELECT pg_create_logical_replication_slot('decoded', 'test_decoding')});
$consumer->run('BEGIN');
consume(3);
$consumer->run('COMMIT');
is(committed($other), 309, 'consumed with wal_level = logical');
like(sql(q{SELECT data FROM pg_logical_slot_get_changes('decoded', NULL, NULL) WHERE data LIKE '%topic_group_offsets%'}),
	qr/committed_offset\[bigint\]:309/, 'logical decoding shows the last offset');

$_->close foreach $consumer, $other;
done_testing();
