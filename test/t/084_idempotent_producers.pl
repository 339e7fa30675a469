# Files under test: src/log/producer_state.c, src/log/producer_table.c,
# src/wal/producer_file.c, src/wal/producer_ids.c, and how src/wal/log_writer.c, log_redo.c and
# log_sync.c use them.
# A batch that an idempotent producer sends again is in the log once: after a lost answer, an
# aborted transaction, a crash at each step, a restart.  What is remembered has its limits,
# and what must be forgotten is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProducerProbe;
use TopicTest;

my $node = new_node('main', settings => [ 'restart_after_crash = on' ]);
my $file = $node->data_dir . '/pg_topics/producers';

$node->start;
create_producer_probe($node);

sub sql { return $node->safe_psql('postgres', @_); }

# Append in a transaction of its own.
sub append
{
	my ($id, $epoch, $sequence, $records, $topic) = @_;

	return sql(sprintf("SELECT append_batch('%s', 0, %d, %d, %d, %d)", $topic // 'events', $id, $epoch, $sequence, $records));
}

sub crash { kill_all($node); $node->start; return; }

# The process that runs the statement crashes at a fault point, and the server starts all of them again.
sub crash_at
{
	my ($point, $statement) = @_;

	crash_one($node, sub { try_psql($node, "SET pg_topics.fault_point = '$point'\n$statement") });
	return;
}

# ---- numbers -------------------------------------------------------------------

is(append(7, 0, 0, 10), 'appended 0', 'a producer begins');
is(append(7, 0, 10, 10), 'appended 10', 'and goes on');
is(append(7, 0, 10, 10), 'duplicate 10', 'a batch that is sent again is answered with its offset');
is(append(7, 0, 0, 10), 'duplicate 0', 'the one before, too');
is(append(7, 0, 30, 10), 'out of order', 'a batch that leaves a gap is refused');
is(append(8, 0, 500, 1), 'appended 20', 'a producer that is not known begins anywhere');
sql(q{SELECT produce('events', 'k', 'sql', partition => 0)});
is(append(7, 0, 20, 1), 'appended 22', 'producers in SQL stand between, and do not count');
append(7, 0, $_, 1) foreach 21 .. 25;
is(append(7, 0, 10, 10), 'old duplicate', 'a batch of which only the producer knows the offset is not appended either');
is(append(7, 1, 26, 1), 'out of order', 'a new epoch begins with 0');
is(append(7, 1, 0, 1), 'appended 28', 'then it is taken');
is(append(7, 0, 26, 1), 'fenced', 'and the one before is over');
is(sql(q{SELECT producers('events', 0)}), '7/1/1:1 8/0/501:1', 'that is what is remembered');
is(sql(q{SELECT producers('events', 1)}), '', 'of this partition alone');
is(sql(q{SELECT append_batch('events', 1, 7, 0, 0, 1)}), 'appended 0', 'another partition has its own numbers');
is(sql(q{SELECT count(*), count(DISTINCT value) FROM events WHERE partition = 0 AND value <> 'sql' AND record_offset < 28}), '27|27',
	'nothing is twice in the log');

# ---- transactions ----------------------------------------------------------------

sql(q{SELECT create_topic('aborts')});
append(7, 0, 0, 5, 'aborts');
sql(q{BEGIN; SELECT append_batch('aborts', 0, 7, 0, 5, 5), append_batch('aborts', 0, 7, 0, 10, 5); ROLLBACK});
is(append(7, 0, 15, 5, 'aborts'), 'out of order', 'what was rolled back is missing');
is(append(7, 0, 5, 5, 'aborts'), 'appended 15', 'and goes in when it is sent again');
is(append(7, 0, 10, 5, 'aborts'), 'appended 20', 'with what comes behind it');
is(sql('BEGIN; ' . join(' ', map { "SELECT append_batch('aborts', 0, 7, 0, $_, 1);" } 15 .. 20) . ' ROLLBACK'),
	join("\n", map({ "appended $_" } 25 .. 29), 'try again'), 'a transaction takes as many batches as are remembered');
is(append(7, 0, 15, 1, 'aborts'), 'appended 30', 'even if all that is remembered was rolled back');
is(sql(q{BEGIN; SELECT append_batch('aborts', 0, 7, 0, 16, 1); SELECT append_batch('aborts', 0, 7, 0, 16, 1); COMMIT}),
	"appended 31\nduplicate 31", 'a transaction knows its own batches');
is(numbers($node, 'aborts', 0), join(' ', 0 .. 16), 'each number is there once and in order');

my $other = open_session($node);
$other->run('BEGIN');
is($other->run(q{SELECT append_batch('aborts', 0, 7, 0, 17, 1)}), 'appended 32', 'a transaction is left open');
is(append(7, 0, 17, 1, 'aborts'), 'try again', 'another one must wait for it with the same batch');
is(append(7, 0, 18, 1, 'aborts'), 'try again', 'and with the next one');
is(append(7, 0, 16, 1, 'aborts'), 'duplicate 31', 'but not with what was before');
is(append(9, 0, 0, 1, 'aborts'), 'appended 33', 'nor do other producers');
$other->run('COMMIT');
is(append(7, 0, 17, 1, 'aborts'), 'duplicate 32', 'once it has committed its batch is a duplicate');
$other->run('BEGIN');
$other->run(q{SELECT append_batch('aborts', 0, 7, 0, 18, 1)});
is(append(7, 0, 18, 1, 'aborts'), 'try again', 'another transaction');
$other->run('ROLLBACK');
is(append(7, 0, 18, 1, 'aborts'), 'appended 35', 'once it has rolled back its batch goes in');
$other->run('BEGIN; SAVEPOINT a');
$other->run(q{SELECT append_batch('aborts', 0, 7, 0, 19, 1)});
$other->run('ROLLBACK TO a');
is($other->run(q{SELECT append_batch('aborts', 0, 7, 0, 19, 1)}), 'duplicate 36',
	'a savepoint takes no batch back, as the broker wants it');
$other->run('COMMIT');

# settled by the index, not by asking
sql(q{BEGIN; SELECT append_batch('aborts', 0, 7, 0, 20, 1); ROLLBACK});
wait_resolved($node);
is(sql(q{SELECT producers('aborts', 0)}), '7/0/20:4 9/0/1:1', 'resolving takes back what was rolled back');
is(append(7, 0, 20, 1, 'aborts'), 'appended 38', 'it goes in later');

# ---- restarts and crashes ------------------------------------------------------------

$other->close;
my %ways = (
	'a restart' => sub { $node->restart },
	'a crash behind a checkpoint' => sub { sql('CHECKPOINT'); crash() },
	'a checkpoint before a crash, and more behind it' => sub { crash() },
	'a crash of one process' => sub {
		crash_at('append-done', q{SELECT append_batch('events', 1, 99, 0, 0, 1)}) });
my $id = 100;
foreach my $way (sort keys %ways)
{
	my @offsets = map { (append(++$id, 0, 0, 2) =~ /^appended (\d+)$/)[0] } 1 .. 2;

	# two producers: one goes on behind a checkpoint, of both a batch is rolled back
	sql('CHECKPOINT') if $way =~ /more behind/;
	my ($last) = append($id, 0, 2, 2) =~ /^appended (\d+)$/;
	sql(sprintf(q{BEGIN; SELECT append_batch('events', 0, %d, 0, 2, 2), append_batch('events', 0, %d, 0, 4, 2); ROLLBACK}, $id - 1, $id));
	$ways{$way}->();
	is(append($id - 1, 0, 0, 2), "duplicate $offsets[0]", "after $way a batch is known");
	is(append($id, 0, 0, 2), "duplicate $offsets[1]", "after $way another producer's is known");
	is(append($id, 0, 2, 2), "duplicate $last", "after $way the last one is known");
	is(append($id, 0, 6, 2), 'out of order', "after $way what was rolled back is missing");
	like(append($id - 1, 0, 2, 2), qr/^appended/, "after $way what was rolled back goes in");
	like(append($id, 0, 4, 2), qr/^appended/, "after $way that of the other one, too");
}

# between append and answer, at each step; the transaction is lost with the process
foreach my $step (qw(append-written append-logged append-entered append-done))
{
	$id++;
	like(append($id, 0, 0, 1), qr/^appended/, "a producer begins, before a crash at $step");
	crash_at($step, "SELECT append_batch('events', 0, $id, 0, 1, 1)");
	is(append($id, 0, 2, 1), 'out of order', "after a crash at $step the batch is missing");
	like(append($id, 0, 1, 1), qr/^appended/, "after a crash at $step it goes in");
	like(append($id, 0, 1, 1), qr/^duplicate/, 'and is known');
}

# the commit is in the WAL, and its answer is lost
$id++;
append($id, 0, 0, 1);
my ($committed) = append($id, 0, 1, 1) =~ /^appended (\d+)$/;
crash();
is(append($id, 0, 1, 1), "duplicate $committed", 'a batch that has committed is known after a crash');

# what was seen to have committed is not durable before the WAL is
sql(q{ALTER SYSTEM SET wal_writer_delay = '10s'; SELECT pg_reload_conf()});
$node->restart;
foreach my $round (1 .. 3)
{
	$id++;
	my ($code, $out) = try_psql($node, join "\n", 'SET synchronous_commit = off',
		"SELECT append_batch('events', 0, $id, 0, 0, 1)", "SELECT append_batch('events', 0, $id, 0, 0, 1)",
		"SELECT append_batch('events', 0, $id, 0, 1, 1)");
	like($out, qr/^appended \d+\nduplicate \d+\nappended \d+$/, "round $round: asynchronous commits are seen at once");
	crash();
	my $first = append($id, 0, 0, 1);
	my $second = append($id, 0, 1, 1);
	is(sql(qq{SELECT count(*) FROM events WHERE partition = 0 AND record_offset IN (@{[ join ', ', map { /(\d+)$/ } $first, $second ]})}), 2,
		"round $round: after a crash each of the two is in the log, as the answers say ($first, $second)");
}
sql(q{ALTER SYSTEM RESET wal_writer_delay; SELECT pg_reload_conf()});

# ---- the sync process ----------------------------------------------------------------

$id++;
append($id, 0, 0, 1);
my $sync = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'};
my $tried = 0;
foreach my $try (1 .. 5)
{
	my $pid = sql($sync);

	sql("SELECT pg_terminate_backend($pid, 10000)");
	my $answer = append($id, 0, $try, 1);
	$tried++ if $answer eq 'try again';
	poll_until(sub { append($id, 0, $try, 1) =~ /^(appended|duplicate)/ }) or die;
}
cmp_ok($tried, '>', 0, 'while no sync process runs, batches of idempotent producers wait');
crash();
is(append($id, 0, 5, 1) =~ /^(\w+)/ ? $1 : '', 'duplicate', 'what was appended before and after is known');

# ---- the file -------------------------------------------------------------------------

ok(-s $file > 40, 'there is a file of producers');
$node->stop;
my $bytes = slurp_file($file);
overwrite($file, 50, chr(ord(substr($bytes, 50, 1)) ^ 1));
$node->start;
like(slurp_file($node->logfile), qr/file of producers "pg_topics\/producers" is damaged; idempotent producers are forgotten/,
	'a damaged file is reported');
is(sql(q{SELECT producers('events', 0)}), '', 'and no producer is known');
like(append(7, 1, 77, 1), qr/^appended/, 'so any batch is taken');
$node->stop;
ok(-s $file > 40, 'the next one has it');
unlink $file or die;
$node->start;
is(sql(q{SELECT producers('events', 0)}), '', 'without the file no producer is known');
like(append(7, 1, 90, 1), qr/^appended/, 'and any batch is taken');
$node->restart;
is(append(7, 1, 90, 1) =~ /^(\w+)/ ? $1 : '', 'duplicate', 'from then on it is there');

# ---- topics that change ------------------------------------------------------------------

sql(q{SELECT create_topic('gone')});
append(7, 0, 0, 10, 'gone');
sql('TRUNCATE gone');
is(append(7, 0, 0, 10, 'gone'), 'duplicate 0', 'a batch that was truncated does not come back');
is(append(7, 0, 10, 10, 'gone'), 'appended 10', 'its producer goes on');
sql(q{BEGIN; SELECT append_batch('gone', 0, 7, 0, 20, 5); ROLLBACK; SELECT delete_records('gone', 0, 25)});
crash();
is(append(7, 0, 10, 10, 'gone'), 'duplicate 10', 'nor do deleted records');
is(append(7, 0, 20, 5, 'gone'), 'appended 25', 'what was rolled back is not taken for deleted');
sql('DROP FOREIGN TABLE gone');
sql(q{SELECT create_topic('gone')});
is(sql(q{SELECT producers('gone', 0)}), '', 'a new topic of the same name knows nobody');
is(append(7, 0, 3, 1, 'gone'), 'appended 0', 'so any batch is taken');

# compaction and merging leave the numbers in the log, and what is remembered
sql(q{SELECT create_topic('merged', config => '{"segment.bytes": 2048, "batch.merge.lag.ms": 0}')});
append(7, 0, $_, 1, 'merged') foreach 0 .. 39;
sql(q{SELECT compact('merged')}) if 0;
is(append(7, 0, 39, 1, 'merged'), 'duplicate 39', 'after rolls the last batch is known');

# ---- expiry ---------------------------------------------------------------------------------

append(5, 0, 0, 1);
sub expire_all
{
	my ($name) = @_;

	sql(q{ALTER SYSTEM SET pg_topics.producer_id_expiration_ms = 1; SELECT pg_reload_conf()});
	ok(poll_until(sub { sql(q{SELECT producers('events', 0) || producers('merged', 0)}) eq '' }), $name);
	return sql(q{ALTER SYSTEM RESET pg_topics.producer_id_expiration_ms; SELECT pg_reload_conf()});
}

expire_all('producers that are idle for too long are forgotten');
is(sql('SHOW pg_topics.producer_id_expiration_ms'), 86400000, 'which is a day by default');
like(append(5, 0, 5, 1), qr/^appended/, 'then any batch is taken');
like(append(5, 0, 5, 1), qr/^duplicate/, 'and remembered');

# ---- a full table ------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', 'pg_topics.kafka_max_producers = 4');
$node->restart;
expire_all('none is known');
append($_, 0, 0, 1, 'merged') foreach 11 .. 14;
is(sql(q{SELECT producers('merged', 0)}), '11/0/1:1 12/0/1:1 13/0/1:1 14/0/1:1', 'the table is full');
like(append(11, 0, 1, 1, 'merged'), qr/^appended/, 'who is known goes on');
is(append(15, 0, 0, 1, 'merged') =~ /^(\w+)/ ? $1 : '', 'appended', 'a fifth producer is taken');
is(sql(q{SELECT producers('merged', 0)}), '11/0/2:2 13/0/1:1 14/0/1:1 15/0/1:1', 'the one that was idle for the longest time has gone');
like(append(12, 0, 9, 1), qr/^appended/, 'in another partition, too');
is(sql(q{SELECT producers('events', 0) || ' | ' || producers('merged', 0)}), '12/0/10:1 | 11/0/2:2 14/0/1:1 15/0/1:1',
	'which takes the place of one elsewhere');
like(slurp_file($node->logfile), qr/forgetting idempotent producers because there are more than 4/, 'the log says so');
append($_, 0, 0, 1, 'merged') foreach 20 .. 40;
is(sql(q{SELECT producers('events', 0) || ' | ' || producers('merged', 0)}), '12/0/10:1 | 38/0/1:1 39/0/1:1 40/0/1:1',
	'many producers of a partition crowd out each other, and none of another one');
crash();
is(sql(q{SELECT producers('events', 0) || ' | ' || producers('merged', 0)}), '12/0/10:1 | 38/0/1:1 39/0/1:1 40/0/1:1',
	'a crash changes nothing of that') ;
$node->append_conf('postgresql.conf', 'pg_topics.kafka_max_producers = 2');
$node->restart;
like(append(11, 0, 5, 1, 'merged'), qr/^(appended|out of order)/, 'with a smaller table the server starts, and knows fewer');
$node->append_conf('postgresql.conf', 'pg_topics.kafka_max_producers = 10000');
$node->restart;

# ---- ids -----------------------------------------------------------------------------------------

my %given;
my $take = sub { $given{$_}++ foreach split /\n/, sql("SELECT next_producer_id() FROM generate_series(1, $_[0])"); };

$take->(10);
$node->restart;
$take->(10);
sql('CHECKPOINT');
crash();
$take->(1500);
crash();
$take->(10);
crash_at('producer-ids-logged', 'SELECT next_producer_id() FROM generate_series(1, 1001)');
$take->(10);
$node->stop;
unlink $file or die;
# without the file ids begin at the clock, which blocks that are taken in quick succession run ahead of
my $last = (sort { $b <=> $a } keys %given)[0] & (2**44 - 1);
poll_until(sub { (time - 1_735_689_600) * 4000 > $last + 1000 }) or die 'the clock does not go on';
$node->start;
ok(poll_until(sub { sql('SELECT next_producer_id() > 0') eq 't' }), 'ids can be had');
$take->(1001);
is(scalar(grep { $given{$_} > 1 } keys %given), 0, 'no id is given out twice');
is(scalar(grep { $_ < 2**44 || $_ >= 2**45 } keys %given), 0, 'each one has the timeline');

$node->stop;
done_testing();
