# Files under test: src/maintenance, src/log/kafka_txn_map.c, src/wal/log_resolve.c, src/wal/records_end.c.
# Compaction, merging, retention, deleting, erasing and the index of keys beside Kafka transactions that
# are open, and behind them: nothing that is not resolved is changed, and what is resolved is treated as
# other records are.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use LogLook;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'pg_topics.key_index_interval = 1d', 'pg_topics.log_retention_check_interval_ms = 1d' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
create_kafka_txn_probe($node);
create_log_look($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }

my ($producer, $topic, $number, $sequence);

# A topic with this configuration, and an open transaction of a new producer.
sub begin
{
	my ($name, $config) = @_;

	($topic, $sequence) = ($name, 0);
	sql("SELECT create_topic('$topic', config => '{$config}')");
	$number = kafka_begin($node, ++$producer);
	return;
}

# Records of the open transaction, all with that key, one batch each.
sub append
{
	my ($key, @values) = @_;
	my $outcome = kafka_append($node, $topic, 0, $number, $producer, $sequence, \@values, key => $key, batches => scalar @values);

	die $outcome if $outcome !~ /^appended/;
	$sequence += @values;
	return;
}

sub produce { my ($key, @values) = @_; sql("SELECT produce('$topic', '$key', '$_')") foreach @values; return; }

# Let the log roll: what was appended is in finished segments.
sub roll { sql("SELECT produce('$topic', 'roll', repeat('x', 3000))"); return; }

sub seen { return sql("SELECT coalesce(string_agg(value, ' ' ORDER BY record_offset), '') FROM $topic WHERE key <> 'roll'"); }

sub of_key { return sql("SELECT coalesce(string_agg(value, ' ' ORDER BY record_offset), '') FROM $topic WHERE key = '$_[0]'"); }

sub wait_all { return poll_until(sub { sql("SELECT bool_and(resolved_offset = log_end_offset) FROM pg_topic_partitions WHERE topic = '$topic'::regclass") eq 't' }); }

sub verified { return sql("SELECT count(*) FROM verify_topic('$topic')"); }

# ---- compaction ------------------------------------------------------------------------

my $compacted = '"cleanup.policy": "compact", "segment.bytes": 2048, "min.cleanable.dirty.ratio": 0';
begin('compacted', $compacted);
produce('a', 'a1', 'a2');
roll();
append('a', 'a3', 'a4');
produce('a', 'a5');
roll();
sql("SELECT count(*) FROM compact('$topic')");
is(seen(), 'a2', 'what is before an open transaction is compacted');
is(sql("SELECT held_by FROM pg_topic_maintenance WHERE topic = '$topic'::regclass AND work = 'compaction'"), 'transaction', 'the rest is held');
is((grep { $_ eq 'kafka' } entry_xids($node, $topic, 0)) + 0, 2, 'its batches are as they were');
my $old = open_session($node);
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->run('SELECT 1');
kafka_end($node, $number, 1);
wait_all();
sql("SELECT count(*) FROM compact('$topic')");
is($old->run("SELECT coalesce(string_agg(value, ' '), '') FROM $topic WHERE key <> 'roll'"), 'a2', 'nor behind an older snapshot, when it is committed');
is(seen(), 'a2 a3 a4 a5', 'which a new one sees');
$old->run('COMMIT');
sql("SELECT count(*) FROM compact('$topic')");
is(seen(), 'a5', 'then they are compacted');
is(sql("SELECT value FROM latest(NULL::$topic) WHERE key = 'a'"), 'a5', 'latest() as well');
is(verified(), 0, 'the topic is sound');

# an aborted one goes
begin('dropped', $compacted);
produce('a', 'a1');
append('a', 'a2');
append('b', 'b1');
roll();
kafka_end($node, $number, 0);
wait_all();
roll();
sql("SELECT count(*) FROM compact('$topic')");
is(seen(), 'a1', 'an aborted batch takes no key away');
is(scalar(grep { /-$/ } entry_xids($node, $topic, 0)), 0, 'and is removed');
is(verified(), 0, 'the topic is sound');

# ---- merging -----------------------------------------------------------------------------

begin('merged', '"segment.bytes": 2048, "batch.merge.lag.ms": 0');
produce('k', map { "s$_" } 1 .. 6);
append('k', map { "t$_" } 1 .. 3);
produce('k', map { "s$_" } 7 .. 9);
roll();
roll();
sql("SELECT count(*) FROM merge_batches('$topic')");
is((grep { $_ eq 'kafka' } entry_xids($node, $topic, 0)) + 0, 3, 'batches of an open transaction are not merged');
is(seen(), 's1 s2 s3 s4 s5 s6', 'nor seen');
kafka_end($node, $number, 1);
wait_all();
my $whole = seen();
my $batches = sql("SELECT sum(batches) FROM pg_topic_segments WHERE topic = '$topic'::regclass");
is($whole, 's1 s2 s3 s4 s5 s6 t1 t2 t3 s7 s8 s9', 'when it is committed they are');
sql("SELECT count(*) FROM merge_batches('$topic')");
cmp_ok(sql("SELECT sum(batches) FROM pg_topic_segments WHERE topic = '$topic'::regclass"), '<', $batches, 'and those around them are merged');
is(seen(), $whole, 'in their order');
is(verified(), 0, 'the topic is sound');

# ---- retention and deleting -------------------------------------------------------------------

begin('expired', '"segment.bytes": 2048, "retention.ms": 3600000');
produce('k', 'a', 'b');
roll();
append('k', 'c');
produce('k', 'd');
roll();
roll();
sql("SET pg_topics.clock_offset = 7200000; SELECT count(*) FROM apply_retention('$topic')");
is(sql("SELECT log_start_offset FROM pg_topic_partitions WHERE topic = '$topic'::regclass"), 3, 'retention goes up to an open transaction');
my ($code, $out, $err) = $node->psql('postgres', "SELECT delete_records('$topic', 0, 4)");
like($err, qr/is past the last stable offset 3/, 'records of it cannot be deleted by hand');
sql("SELECT delete_records('$topic', 0, -1)");
is(sql("SELECT log_start_offset FROM pg_topic_partitions WHERE topic = '$topic'::regclass"), 3, 'all means up to it');
is(sql("SELECT parts ~ ':3-4' FROM kafka_transactions()"), 't', 'it has its record');
kafka_end($node, $number, 0);
wait_all();
is(seen(), 'd', 'when it is aborted, what is behind is seen');
sql("SELECT delete_records('$topic', 0, 4)");
is(sql("SELECT deleted_end_offset FROM pg_topic_partitions WHERE topic = '$topic'::regclass"), 3, 'an aborted record was no record');
sql("SET pg_topics.clock_offset = 7200000; SELECT count(*) FROM apply_retention('$topic')");
is(seen(), '', 'retention goes past it');
is(sql('SELECT count(*) FROM kafka_transactions()'), 0, 'and it is forgotten');

# ---- the index of keys -------------------------------------------------------------------------

begin('indexed', '"segment.bytes": 2048, "key.index": "on"');
produce('k', 'a');
append('k', 'b', 'c');
produce('k', 'd');
roll();
sql("SELECT count(*) FROM build_key_index('$topic')");
is(of_key('k'), 'a', 'a query by key stops at an open transaction');
kafka_end($node, $number, 1);
is(of_key('k'), 'a b c d', 'and goes past it when it is committed');
wait_all();
roll();
sql("SELECT count(*) FROM build_key_index('$topic')");
is(of_key('k'), 'a b c d', 'by the index as well');
like(sql("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM $topic WHERE key = 'k'"), qr/without the key|Batches/i, 'which is used');
is(of_key('none'), '', 'for other keys, too');
is(verified(), 0, 'the topic is sound');
$number = kafka_begin($node, $producer);
append('k', 'e');
roll();
sql("SELECT count(*) FROM build_key_index('$topic')");
kafka_end($node, $number, 0);
wait_all();
roll();
sql("SELECT count(*) FROM build_key_index('$topic')");
is(of_key('k'), 'a b c d', 'an aborted record is not found by key');

# ---- erasing -----------------------------------------------------------------------------------

begin('erased', '"segment.bytes": 2048');
produce('gone', 'a');
append('gone', 'b');
append('stays', 'c');
my $session = open_background($node, 'eraser');
ask($session, "SELECT erase('$topic', 'gone');");
ok(poll_until(sub { sql(q{SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'eraser' AND state = 'active'}) eq 'Extension' }),
	'erase() waits for an open transaction');
kafka_end($node, $number, 1);
is(answer($session) . $session->{err}, 2, 'and erases its records, too');
is(seen(), 'c', 'but no others');

# ---- what the partitioner places --------------------------------------------------------------------

begin('placed', '');
append('k', 'a');
($code, $out, $err) = $node->psql('postgres', "ALTER FOREIGN TABLE placed OPTIONS (ADD \"partitioner.enforce\" 'on')");
like($err, qr/because a Kafka transaction has not ended/, 'an open transaction cannot be checked for its keys');
kafka_end($node, $number, 1);
is($node->psql('postgres', "ALTER FOREIGN TABLE placed OPTIONS (ADD \"partitioner.enforce\" 'on')"), 0, 'a committed one can');

# ---- consumers outside -------------------------------------------------------------------------------

# What a consumer is given.  A session that has not looked before knows no end until the WAL of that moment is
# flushed, such as that of resolving; so it waits for that.
sub given
{
	my ($next, $hex) = split /\|/, sql("DO \$\$BEGIN PERFORM stable_end('$topic', 0, true); END\$\$;
		SELECT next_offset, encode(bytes, 'hex') FROM log_ranges('$topic', 0, 0, 100000, true)"), -1;

	return join ' ', map({ $_->{first} } batches($hex)), "up to $next";
}

begin('outside', '"segment.bytes": 2048');
produce('k', 'a');
is(sql("SELECT stable_end FROM stable_end('$topic', 0, true)"), 1, 'the stable end');
append('k', 'b', 'c');
produce('k', 'd');
is(sql("SELECT stable_end FROM stable_end('$topic', 0, true)"), 1, 'stays before an open transaction');
is(given(), '0 up to 1', 'and so does what is given');
kafka_end($node, $number, 0);
is(sql("SELECT stable_end FROM stable_end('$topic', 0, true)"), 4, 'goes behind an aborted one');
is(given(), '0 3 up to 4', 'whose batches are not given');
wait_all();
is(given(), '0 3 up to 4', 'nor when it is resolved');
$number = kafka_begin($node, $producer);
append('k', 'e');
sql("SET synchronous_commit = off; SELECT kafka_end($number, true)");
is(sql("SELECT stable_end FROM stable_end('$topic', 0, true)"), 5, 'and behind a committed one');

$node->stop;
done_testing();
