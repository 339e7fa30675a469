# Merging of batches, by bytes and by the server's ways: what stays as it is, what the
# worker does by itself, what crashes and restarts leave, what a standby shows and when it
# refuses to.  Files under test: merging.c, batch_builder.c, visibility_horizon.c,
# segment_filter.c, batch_visibility.c, maintenance_worker.c.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { HEADER => 61, ENTRY => 64, LOG_APPEND_TIME => 8, TRANSACTIONAL => 16, CONTROL => 32 };
use constant { ABORTED => 1, INTERLEAVED => 2, MERGED => 8 };

my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'wal_keep_size = 1GB', 'pg_topics.log_cleaner_backoff_ms = 20' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(q{
	CREATE EXTENSION pg_topics;
	-- each record in a transaction of its own
	CREATE PROCEDURE fill(topic regclass, first int, last int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN first .. last LOOP
			PERFORM produce(topic, 'k' || n % 5, 'value ' || n, headers => CASE WHEN n % 3 = 0 THEN '{"h": "x"}'::jsonb END);
			COMMIT;
		END LOOP;
	END $$});

# Make a topic whose batches can be merged at once.
sub create
{
	my ($topic, $config) = @_;

	sql("SELECT create_topic('$topic', config => '{\"batch.merge.lag.ms\": 0@{[ $config ? ', ' . $config : '' ]}}')");
	return;
}

# The finished segments of a topic, by their paths without the ending.
sub segments
{
	my ($topic, $of) = @_;
	my @paths = split /\n/, ($of // $node)->safe_psql('postgres',
		"SELECT path FROM pg_topic_segments WHERE topic = '$topic'::regclass AND NOT active ORDER BY base_offset");

	s/\.log$// foreach @paths;
	return map { ($of // $node)->data_dir . "/$_" } @paths;
}

# The batches of a segment: what the header and the index entry of each have.
sub batches
{
	my ($segment) = @_;
	my ($log, $index) = map { slurp_file("$segment.$_") } qw(log index);
	my @batches;

	for (my $at = ENTRY; $at + ENTRY <= length $index; $at += ENTRY)
	{
		my ($first, $last, $position, $length, $flags) = unpack 'L4 x24 x16 L', substr($index, $at, ENTRY);
		last unless $length;
		my $bytes = substr($log, $position, $length);
		my ($offset, $attributes, $delta, $base_time, $time, $producer, $epoch, $sequence, $records) =
		  unpack 'q> x13 s> l> q> q> q> s> l> l>', $bytes;

		push @batches, {
			bytes => $bytes, offset => $offset, attributes => $attributes, last => $offset + $delta, time => $time,
			producer => $producer, epoch => $epoch, sequence => $sequence, records => $records,
			flags => $flags & 15, since => $flags >> 4, xid => unpack('Q', substr($index, $at + 40, 8)) };
	}
	return @batches;
}

# Change the header of batch n of a segment that is not merged, with a checksum that is right.
sub change_batch
{
	my ($segment, $n, $at, $bytes) = @_;
	my ($position, $length) = unpack 'x8 L2', substr(slurp_file("$segment.index"), ENTRY * ($n + 1), ENTRY);
	my $batch = substr(slurp_file("$segment.log"), $position, $length);

	substr($batch, $at, length $bytes, $bytes);
	substr($batch, 17, 4, pack 'N', crc32c(substr($batch, 21)));
	overwrite("$segment.log", $position, $batch);
	return;
}

# Nothing can be told from what is read.
sub check_same
{
	my ($topic, $before, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(contents($node, $topic) eq $before, "$name: the records are the same");
	is(sql("SELECT count(*) FROM verify_topic('$topic')"), '0', "$name: the files are undamaged");
	return;
}

# ---- batches of idempotent producers ------------------------------------------------------

create('produced', '"segment.bytes": 1000000');
sql(q{CALL fill('produced', 1, 40)});
# a roll, and nothing else: nothing is merged that is so young
sql(q{ALTER FOREIGN TABLE produced OPTIONS (SET "batch.merge.lag.ms" '3600000'); SELECT count(*) FROM merge_batches('produced')});
wait_resolved($node);
my ($segment) = segments('produced');
$node->stop;
# two producers, each with batches that follow each other and with others between them
change_batch($segment, $_, 43, pack('q> s> l>', 4711, 3, $_ - 10)) foreach 10 .. 14, 20;
change_batch($segment, $_, 43, pack('q> s> l>', 4712, 0, $_)) foreach 15, 16;
change_batch($segment, 25, 21, pack('s>', TRANSACTIONAL));
# an attribute that is not known here
change_batch($segment, 26, 21, pack('s>', 0x100));
$node->start;
my @before = batches($segment);
my $contents = contents($node, 'produced');

sql(q{ALTER FOREIGN TABLE produced OPTIONS (SET "batch.merge.lag.ms" '0')});
is(sql(q{SELECT records_before, records_after FROM merge_batches('produced')}), '40|40', 'a segment with batches of producers is merged');
my @after = batches((segments('produced'))[0]);

check_same('produced', $contents, 'batches of producers');
is(join(' ', map { "$_->{offset}-$_->{last}" } @after),
	'0-9 10-10 11-11 12-12 13-13 14-14 15-15 16-16 17-19 20-20 21-24 25-25 26-26 27-39',
	'batches of producers and transactions stay by themselves, and those between them are merged');
my %was = map { $_->{offset} => $_ } @before;
is(scalar(grep { $_->{bytes} ne $was{ $_->{offset} }{bytes} } grep { $_->{records} == 1 } @after), 0,
	'they stay byte for byte');
is(join(' ', map { "$_->{producer}/$_->{epoch}/$_->{sequence}" } grep { $_->{producer} != -1 } @after),
	join(' ', map { "$_->{producer}/$_->{epoch}/$_->{sequence}" } grep { $_->{producer} != -1 } @before),
	'with their ids, epochs and sequences');
is(scalar(grep { $_->{producer} != -1 } @after), 8, 'all of them');
is(join(' ', map { $_->{records} } @after), '10 1 1 1 1 1 1 1 3 1 4 1 1 13', 'headers tell the number of records');
is(scalar(grep { !($_->{flags} & MERGED) } @after), 0, 'all entries are marked');
is(scalar(grep { $_->{xid} < $_->{since} || $_->{since} < $_->{records} - 1 } @after), 0,
	'each entry has the range of its transactions');
is(sql(q{SELECT records_before FROM merge_batches('produced')}), '0', 'it is not merged again');
# what loses a record keeps the producer
sql(q{SELECT erase('produced', 'k0'::text)});
@after = batches((segments('produced'))[0]);
is(join(' ', map { "$_->{offset}/$_->{producer}" } grep { $_->{producer} != -1 } @after),
	'10/4711 11/4711 12/4711 13/4711 15/4712 16/4712 20/4711', 'erasing leaves the ids as well');
is(sql(q{SELECT count(*) FROM verify_topic('produced')}), '0', 'erasing: the files are undamaged');

# ---- the worker -----------------------------------------------------------------------------

create('worked', '"segment.bytes": 8192, "compression.type": "zstd"');
create('unworked', '"segment.bytes": 8192, "batch.merge": "off"');
sql("CALL fill('$_', 1, 400)") foreach qw(worked unworked);
wait_resolved($node);
$contents = contents($node, 'worked');
my $unworked = join ' ', segments('unworked');
is(sql(q{SELECT sum(merges) FROM pg_stat_topics WHERE topic IN ('worked'::regclass, 'unworked'::regclass)}), '0',
	'with log_cleaner_enable = off the worker merges nothing');
sql($_) foreach 'ALTER SYSTEM SET pg_topics.log_cleaner_enable = on', 'SELECT pg_reload_conf()';
ok(poll_until(sub { sql(q{
	SELECT sum(batches) FILTER (WHERE NOT active) < count(*) FROM pg_topic_segments
	WHERE topic = 'worked'::regclass HAVING count(*) < 8}) eq 't' || sql(q{
	SELECT max(batches) FILTER (WHERE NOT active) <= 2 FROM pg_topic_segments WHERE topic = 'worked'::regclass}) eq 't' }),
	'the worker merges the batches of finished segments');
check_same('worked', $contents, 'merged by the worker');
# nothing is left to do, however often it looks
my $merges = q{SELECT merges FROM pg_stat_topics WHERE topic = 'worked'::regclass};
my $rounds = sql($merges);
my $runs = sql(q{SELECT count(*) FROM pg_topic_maintenance WHERE work = 'merging' AND held_by IS NULL AND detail LIKE 'The next round%'});
is($runs, '0', 'no partition waits for the next round');
sql(q{CALL fill('worked', 401, 420)});
wait_resolved($node);
cmp_ok(sql($merges) - $rounds, '<=', 1, 'and it does not do so again and again');
is(join(' ', segments('unworked')), $unworked, 'it leaves a topic with batch.merge = off alone');
is(sql(q{SELECT errors FROM pg_stat_topics WHERE topic = 'worked'::regclass}), '0', 'the worker met no error');

# a session that waits for the topic does not wait for the end of a merging
sql(q{ALTER SYSTEM SET pg_topics.log_cleaner_io_max_bytes_per_second = 1000});
sql('SELECT pg_reload_conf()');
create('slow', '"segment.bytes": 30000');
sql(q{CALL fill('slow', 1, 1500)});
wait_resolved($node);
ok(poll_until(sub { sql(q{SELECT phase FROM pg_stat_progress_topic_compaction WHERE topic = 'slow'::regclass}) eq 'merging' }),
	'the progress of a merging is shown');
sql(q{SET statement_timeout = '60s'; ALTER FOREIGN TABLE slow OPTIONS (ADD "batch.merge" 'off')});
is(sql(q{SELECT errors FROM pg_stat_topics WHERE topic = 'slow'::regclass}), '0', 'giving way is no error');
sql($_) foreach 'ALTER SYSTEM RESET pg_topics.log_cleaner_io_max_bytes_per_second', 'ALTER SYSTEM SET pg_topics.log_cleaner_enable = off',
  'SELECT pg_reload_conf()';

# ---- append times -------------------------------------------------------------------------------

# the log's time does not go back behind its last record, though that is in a merged segment
create('stamped', '"message.timestamp.type": "LogAppendTime"');
sql(q{SET pg_topics.clock_offset = '1h'; CALL fill('stamped', 1, 30)});
wait_resolved($node);
$contents = contents($node, 'stamped');
sql(q{SET pg_topics.clock_offset = '2h'; SELECT count(*) FROM merge_batches('stamped')});
check_same('stamped', $contents, 'append times');
@after = batches((segments('stamped'))[0]);
is($after[-1]{attributes} & LOG_APPEND_TIME, LOG_APPEND_TIME, 'the last batch has LogAppendTime');
is($after[-1]{records}, 1, 'and stays by itself');
cmp_ok(scalar(@after), '<', 20, 'the others are merged');
my $last = sql('SELECT max(record_timestamp) FROM stamped');
# so that the time is loaded from the segment, and not from the WAL
sql('CHECKPOINT');
$node->stop('immediate');
$node->start;
sql(q{SELECT produce('stamped', 'k', 'v')});
is(sql("SELECT min(record_timestamp) >= '$last' FROM stamped WHERE value = 'v'"), 't',
	'after a crash the append time does not go back behind a merged segment');

# ---- transactions with others between their batches ----------------------------------------------

create('between', '"segment.bytes": 1024');
my $session = open_session($node);
$session->run(q{BEGIN});
$session->run(q{SELECT produce('between', 'a', repeat('x', 100)) FROM generate_series(1, 1)});
$session->run(q{SELECT count(*) FROM flush()});
sql(q{CALL fill('between', 1, 40)});
$session->run(q{SELECT produce('between', 'a', 'last')});
$session->run('COMMIT');
sql(q{CALL fill('between', 41, 80)});
wait_resolved($node);
# a snapshot that does not see what comes now
my $old = open_session($node);
$old->run(q{BEGIN ISOLATION LEVEL REPEATABLE READ});
my $seen = $old->run(q{SELECT count(*), count(*) FILTER (WHERE key = 'a') FROM between});
is($seen, '82|2', 'a snapshot sees the whole transaction');
sql(q{SELECT count(*) FROM merge_batches('between')});
sql(q{CALL fill('between', 81, 90)});
is($old->run(q{SELECT count(*), count(*) FILTER (WHERE key = 'a') FROM between}), $seen, 'so it does when its batches are merged');
$old->run('COMMIT');
check_same('between', contents($node, 'between'), 'a transaction around others');

# ---- a standby ------------------------------------------------------------------------------------

create($_, '"segment.bytes": 4096') foreach qw(copied other);
sql(q{CREATE TABLE rows (n int); CREATE DATABASE elsewhere});
sql("CALL fill('$_', 1, 100)") foreach qw(copied other);
wait_resolved($node);
my $standby = start_standby($node);
my $reader = open_session($standby);
my $young = open_session($standby);

# sees all that is merged
$reader->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$reader->run('SELECT count(*) FROM rows');
# a transaction that the next snapshot takes as running, and that ends before the merging
my $writer = open_session($node);
$writer->run('BEGIN');
$writer->run('INSERT INTO rows VALUES (1)');
sql(q{CALL fill('other', 101, 110)});
$writer->run(q{SELECT produce('other', 'w', 'with a row')});
catch_up($node, $standby);
$young->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($young->run(q{SELECT count(*) FROM other}), '110', 'a snapshot of the standby sees what has ended');
$writer->run('COMMIT');
sql(q{CALL fill('other', 111, 120)});
wait_resolved($node);
sql(qq{SELECT count(*) FROM merge_batches('$_')}) foreach qw(copied other);
catch_up($node, $standby);
is($reader->run('SELECT count(*) FROM copied'), '100', 'a snapshot that sees all merged batches reads them');
is($young->run('SELECT count(*) FROM copied'), '100', 'so does another one');
like($young->fails('SELECT count(*) FROM other'), qr/canceling statement due to conflict with recovery\nDETAIL:  The record batches of partition 0 .* were merged/,
	'a snapshot that is older than merged batches gets an error, not a part of them');
$young->run('ROLLBACK');
is($young->run('SELECT count(*) FROM other'), '121', 'a new snapshot reads them');
like($reader->fails('SELECT count(*) FROM other'), qr/conflict with recovery/, 'so it is with the oldest snapshot');
$reader->run('ROLLBACK');
ok(contents($node, $_) eq contents($standby, $_), "the standby shows the same of $_") foreach qw(copied other worked produced stamped between);
ok(join('', map { slurp_file("$_.log") . slurp_file("$_.index") } segments('other')) eq
	join('', map { slurp_file("$_.log") . slurp_file("$_.index") } segments('other', $standby)), 'its merged segments have the same bytes');

# a transaction of another database that began long ago is none of those that were merged
my $long = open_session($node, 'elsewhere');
$long->run('BEGIN');
$long->run('SELECT pg_current_xact_id()');
sql(q{CALL fill('copied', 101, 200)});
wait_resolved($node);
sql(q{SELECT count(*) FROM merge_batches('copied')});
catch_up($node, $standby);
$young->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($young->run('SELECT count(*) FROM copied'), '200', 'a transaction of another database that is open does not hide merged batches');
$young->run('COMMIT');
is(sql('SELECT count(*) FROM copied'), '200', 'nor does it on the primary');
$long->run('COMMIT');

# with feedback nothing is merged that the standby has still to see
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1");
$standby->reload;
$young->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$young->run('SELECT count(*) FROM copied');
$node->poll_query_until('postgres', 'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication') or die 'no feedback';
sql(q{CALL fill('copied', 201, 300)});
wait_resolved($node);
sql(q{SELECT count(*) FROM merge_batches('copied')});
is(sql(q{SELECT held_by FROM pg_topic_maintenance WHERE topic = 'copied'::regclass AND work = 'merging'}), 'snapshot',
	'pg_topic_maintenance tells that a snapshot holds the merging back');
catch_up($node, $standby);
is($young->run('SELECT count(*) FROM copied'), '200', 'with hot_standby_feedback the snapshot goes on');
$young->run('COMMIT');
ok(poll_until(sub { sql(q{SELECT records_before > 0 FROM merge_batches('copied')}) eq 't' }), 'when it has gone the batches are merged');
catch_up($node, $standby);
is($young->run('SELECT count(*) FROM copied'), '300', 'and the standby shows them');

# promoted, it goes on
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
ok(contents($node, 'copied') eq contents($standby, 'copied'), 'promoted, it shows the same');
$standby->safe_psql('postgres', q{CALL fill('copied', 301, 400)});
wait_resolved($standby);
is($standby->safe_psql('postgres', q{SELECT records_before > 50 FROM merge_batches('copied')}), 't', 'promoted, it merges');
is($standby->safe_psql('postgres', q{SELECT count(*), max(record_offset) FROM copied}), '400|399', 'and has all records');

$_->close foreach $session, $old, $writer, $reader, $young, $long;
$standby->stop;
$node->stop;
done_testing();
