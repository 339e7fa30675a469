# A statement sees either all records that a transaction has in a partition or none of them,
# also where the batches of a transaction that is still running stand between its own:
# however the topic is read, by whatever snapshot, on a standby, and after restarts and
# crashes.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $standby) = start_pair();

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{CREATE EXTENSION pg_topics; CREATE TABLE other (i int)});

my $flush = 'DO $$ BEGIN PERFORM flush(); END $$';

# Each writer is a session with a transaction of its own, named by a letter.
my %writers;

# "a b a" appends a batch of a, one of b, another one of a, each of one record whose key
# is the transaction's; "a." commits it, "a!" rolls it back, "a'" prepares it.
sub write_batches
{
	my ($topic, $steps) = @_;

	foreach my $step (split ' ', $steps)
	{
		my ($name, $end) = $step =~ /^(\w+)([.!']?)$/;
		my $writer = $writers{$name} //= do { my $w = open_session($node); $w->run('BEGIN'); $w };

		$writer->run("SELECT produce('$topic', '$name'::text, ''::text)"), $writer->run($flush) if $end eq '';
		next if $end eq '';
		$writer->run({ '.' => 'COMMIT', '!' => 'ROLLBACK', q(') => "PREPARE TRANSACTION '$name'" }->{$end});
		$writer->close;
		delete $writers{$name};
	}
	return;
}

# Sharing the records out must pay even for a few of them, and more than the order that a
# serial scan gives for nothing, which aggregates make use of from PostgreSQL 16 on.
my $parallel = q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SET max_parallel_workers_per_gather = 2; SET cpu_tuple_cost = 1000;};
my $keys = q{SELECT coalesce(string_agg(key, ' ' ORDER BY record_offset), '') FROM};

# Whichever way the topic is read, the keys seen must be these, in order.  Where they
# are read from is a node, or a session.
sub shows
{
	my ($of, $topic, $seen, $name) = @_;
	my @seen = split ' ', $seen;
	my @ways = (
		[ 'all', "$keys $topic", $seen ],
		[ 'in parallel', "$parallel $keys $topic", $seen ],
		[ 'backward', "SELECT coalesce(string_agg(key, ' '), '') FROM (SELECT key FROM $topic WHERE partition = 0 ORDER BY record_offset DESC) r",
			join(' ', reverse @seen) ],
		[ 'by each offset', "SET enable_hashjoin = off; SET enable_mergejoin = off;
			SELECT coalesce(string_agg(record_offset || ':' || key, ' '), '') FROM generate_series(0, 9) i
			JOIN LATERAL (SELECT * FROM $topic WHERE record_offset = i) r ON true", join(' ', map { "$_:$seen[$_]" } 0 .. $#seen) ],
		[ 'from each offset on', "SELECT string_agg((SELECT count(*) FROM $topic WHERE record_offset >= i)::text, ' ') FROM generate_series(0, 4) i",
			join(' ', map { $_ < @seen ? @seen - $_ : 0 } 0 .. 4) ]);
	my $sql = join(";\nRESET ALL;\n", map { $_->[1] } @ways);

	is(ref $of eq 'TopicTest::Session' ? $of->run($sql) : $of->safe_psql('postgres', $sql), join("\n", map { $_->[2] } @ways),
		"$name: " . join(', ', map { $_->[0] } @ways));
	return;
}

sub visible { return $_[0]->safe_psql('postgres', "SELECT next_offset, exact FROM visible_offsets('$_[1]')"); }

# An old snapshot, taken now.
sub take_snapshot
{
	my ($of) = @_;
	my $session = open_session($of);

	$session->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
	return $session;
}

# ---- one between the batches of another ----------------------------------------

sql(q{SELECT create_topic('plain')});
write_batches('plain', 'a b a a.');
like(sql("$parallel EXPLAIN (COSTS OFF) $keys plain"), qr/Parallel Foreign Scan/,
	'the parallel query has a parallel plan');
shows($node, 'plain', '', 'while b runs between the batches of a');
is(visible($node, 'plain'), '0|f', 'visible_offsets() is inexact while b runs between the batches of a');
is(sql("SELECT string_agg(key, ' ') FROM latest(NULL::plain)"), 'a',
	'latest() shows a committed record behind those of a running transaction');
is(sql(q{SELECT last_stable_offset FROM pg_topic_partitions}), '1',
	"last_stable_offset is where the running transaction's records begin");
is(sql(q{SELECT string_agg(key, ' ') FROM consume('plain', 'g')}), 'a',
	"consume() gives the committed record in front of the running transaction's");
catch_up($node, $standby);
shows($standby, 'plain', '', 'while b runs between the batches of a, on a standby');
my @old = map { take_snapshot($_) } $node, $standby;
write_batches('plain', 'b.');
is(sql(q{SELECT string_agg(key, ' ') FROM consume('plain', 'g')}), 'b a',
	'consume() goes on in order of the offsets once b has committed');
shows($node, 'plain', 'a b a', 'once b has ended');
is(visible($node, 'plain'), '3|t', 'visible_offsets() is exact once b has committed');
catch_up($node, $standby);
shows($standby, 'plain', 'a b a', 'once b has ended, on a standby');
wait_resolved($node);
catch_up($node, $standby);
shows($_, 'plain', '', 'to a snapshot from before b ended') foreach @old;
is($old[0]->run(q{SELECT next_offset, exact FROM visible_offsets('plain')}), '0|f',
	'visible_offsets() in a snapshot from before says what it said');
$_->run('COMMIT'), $_->close foreach @old;

# ---- several, in chains --------------------------------------------------------

sql(q{SELECT create_topic('chain')});
write_batches('chain', 'c c. d a d b a d. a.');
shows($node, 'chain', 'c', 'd ends behind the begin of a, and a behind the begin of b, which runs');
is(visible($node, 'chain'), '1|f', 'visible_offsets() is inexact behind transactions that overlap in a chain');
write_batches('chain', 'b.');
shows($node, 'chain', 'c d a d b a', 'of the chain, once b has ended');

sql(q{SELECT create_topic('aborted')});
write_batches('aborted', 'c c. a b a a! d d.');
shows($node, 'aborted', 'c', 'a and d are held back behind b, though a is rolled back');
write_batches('aborted', 'b!');
is(sql("$keys aborted"), 'c d', 'once all have ended records of rolled-back transactions are not shown');

# who runs is behind all the batches of the others: nothing is held back
sql(q{SELECT create_topic('behind')});
write_batches('behind', 'a b a a. b. d d e e.');
shows($node, 'behind', 'a b a', 'a transaction that runs behind all others holds nothing back');
write_batches('behind', 'd.');

# a session's own batch is not seen before its end, and no more than another's in between
sql(q{SELECT create_topic('own')});
write_batches('own', 'a b a a.');
shows($writers{b}, 'own', '', 'to the session b, whose own batch stands between those of a');
write_batches('own', 'b.');

# ---- far behind ----------------------------------------------------------------

sql(q{SELECT create_topic('far')});
write_batches('far', 'c c. a b');
$writers{a}->run(q{INSERT INTO far (record_offset, partition, key) VALUES (1000000000, 0, 'a')});
$writers{a}->run($flush);
write_batches('far', 'a. d d.');
is(sql("$keys far"), 'c', 'a transaction that begins more offsets earlier than an index entry can say');
is(sql("$parallel $keys far"), 'c', 'the same, read in parallel');
is(visible($node, 'far'), '1|f', 'visible_offsets() is inexact for such a transaction');
write_batches('far', 'b.');
is(sql("$keys far"), 'c a b a d', 'once b has committed all records are shown');

# where the first part of a transaction is deleted, the rest is all there is of it
sql(q{SELECT create_topic('cut')});
write_batches('cut', 'a c c. b a a.');
sql(q{SELECT delete_records('cut', 0, 1)});
is(sql("$keys cut"), 'c', 'a transaction whose first records were deleted does not hold others back');
write_batches('cut', 'b.');
is(sql("$keys cut"), 'c b a', 'the rest of such a transaction is shown with those around it');

# ---- prepared, restarts and crashes --------------------------------------------

sql(q{SELECT create_topic('prepared')});
sql(q{SELECT create_topic('young')});
write_batches('prepared', q{c c. a b a a. b'});
shows($node, 'prepared', 'c', 'while b is prepared between the batches of a');
$node->restart;
shows($node, 'prepared', 'c', 'while b is prepared, after a restart');
write_batches('young', q{c c. a p a a. p'});
kill_all($node);
$node->start;
shows($node, 'prepared', 'c', 'while b is prepared, after a crash');
shows($node, 'young', 'c', 'while p is prepared, after a crash that replays the WAL');
sql('CHECKPOINT');
kill_all($node);
$node->start;
shows($node, 'young', 'c', 'while p is prepared, after a crash with nothing to replay');
catch_up($node, $standby);
shows($standby, 'young', 'c', 'while p is prepared, on the standby');
$standby->restart;
shows($standby, 'young', 'c', 'while p is prepared, on the standby after a restart');
unlink $node->data_dir . '/pg_topics/recovery_point' or die if $node->stop || 1;
$node->start;
shows($node, 'young', 'c', 'while p is prepared, without a recovery point');
sql("COMMIT PREPARED 'b'");
sql("COMMIT PREPARED 'p'");
shows($node, 'prepared', 'c a b a', 'once b has been committed');
shows($node, 'young', 'c a p a', 'once p has been committed');

# ---- taking turns --------------------------------------------------------------

# a transaction of several runs can be cancelled between them, and lets the next one in
my $many = q{SELECT count(produce('turns', NULL::text, repeat('x', 1000))) FROM generate_series(1, 3000)};
sql(q{SELECT create_topic('turns')});
my $first = open_background($node, 'first');
ask($first, "SET pg_topics.fault_point = 'run-appended:halt'; BEGIN; $many; COMMIT;");
wait_halted(my $pid = pid_of_session($node, 'first'));
my $second = open_background($node, 'second');
ask($second, "$many;");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'second' AND wait_event_type = 'Lock'}),
	'a second large transaction waits for its turn to append');
sql(q{SELECT produce('turns', 'small'::text, ''::text)});
is(sql("SELECT pg_cancel_backend($pid)"), 't', 'the first large transaction is cancelled while it appends');
go_on($pid);
answer($first);
like($first->{err}, qr/canceling statement due to user request/,
	'the first large transaction stops between two parts of its append');
is(answer($second), '3000', 'the second large transaction appends all of its records');
is(sql(q{SELECT count(*), count(*) FILTER (WHERE key = 'small') FROM turns}), '3001|1',
	'the records of the second transaction and a small one are seen, no others');

# ---- compaction ----------------------------------------------------------------

# it removes nothing for the sake of a record that some statement does not see yet
sql(q{SELECT create_topic('compacted', config => '{"cleanup.policy": "compact", "segment.bytes": 1024, "min.cleanable.dirty.ratio": 0}');
	SELECT produce('compacted', 'a'::text, repeat('x', 600))});
write_batches('compacted', 'a b a a.');
sql(q{SELECT produce('compacted', 'filler' || i, repeat('x', 600)) FROM generate_series(1, 3) i});
my $snapshot = take_snapshot($node);
my $two = q{SELECT count(*), count(*) FILTER (WHERE key = 'a') FROM compacted};
is($snapshot->run($two), '1|1', 'while b runs the older record of the key is seen and no later one');
write_batches('compacted', 'b.');
wait_resolved($node);
sql(q{SELECT compact('compacted')});
is($snapshot->run($two), '1|1',
	'compaction keeps the older record for a snapshot that does not see the later one');
$snapshot->run('COMMIT');
$snapshot->close;
sql(q{SELECT compact('compacted')});
is(sql(q{SELECT count(*) FILTER (WHERE key = 'a') FROM compacted}), '1',
	'once that snapshot has gone compaction removes the older record');
is(sql("SELECT count(*) FROM verify_topic('$_')"), '0',
	"the files of $_ are undamaged") foreach qw(plain chain far cut prepared young turns compacted);

done_testing();
