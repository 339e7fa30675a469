# Files under test: src/log/kafka_txn_map.c, src/log/kafka_txn_table.c, src/wal/kafka_txn.c,
# src/wal/log_resolve.c, src/wal/batch_visibility.c, src/log/entry_walk.c.
# Kafka transactions below the broker: batches that are appended under a number, without a
# transaction of the server, are committed or aborted with one; until then they hold readers
# back in their partitions only, and every snapshot sees each of them in all partitions or in none.
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

my $node = new_node('main', settings => [ 'pg_topics.kafka_max_transactions = 20' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
create_kafka_txn_probe($node);
create_log_look($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub topic
{
	my ($name, $partitions) = @_;
	sql("SELECT create_topic('$name', partitions => $partitions)");
	return;
}

# The values that a query shows of a partition, in order.
sub values_of
{
	my ($topic, $partition) = @_;
	return sql(qq{SELECT coalesce(string_agg(value, ' ' ORDER BY record_offset), '') FROM $topic WHERE partition = $partition});
}

sub last_stable { return sql("SELECT last_stable_offset FROM pg_topic_partitions WHERE topic = '$_[0]'::regclass AND partition = $_[1]"); }

sub stable { return sql("SELECT stable_end FROM stable_end('$_[0]', $_[1], true)"); }

sub transactions { return sql('SELECT count(*) FROM kafka_transactions()'); }

sub wait_forgotten { return poll_until(sub { transactions() == ($_[0] // 0) }); }

# ---- one transaction ------------------------------------------------------------------

topic('events', 3);
my $number = kafka_begin($node, 7);
like($number, qr/^-\d+$/, 'a number has the highest bit set');
is(kafka_begin($node, 7), $number, 'a producer has one at a time');
is(sql('SELECT kafka_begin(7, 1)'), 'other epoch', 'and none of another epoch beside it');
isnt(sql('SELECT kafka_begin(8, 0)'), $number, 'another producer has another');
is(kafka_end($node, sql('SELECT kafka_begin(8, 0)'), 0), 'done', 'which ends without a record');

is(kafka_append($node, 'events', 0, $number, 7, 0, [ 'a', 'b' ]), 'appended 0', 'a batch is appended, without an id');
is(kafka_append($node, 'events', 0, $number, 7, 2, [ 'c' ]), 'appended 2', 'a second one');
is(kafka_append($node, 'events', 1, $number, 7, 0, [ 'x' .. 'z' ], batches => 3), 'appended 0', 'several by one write');
is(kafka_append($node, 'events', 0, $number, 7, 2, [ 'c' ]), 'duplicate 2', 'one that is sent again is known');
is(kafka_append($node, 'events', 0, $number, 7, 9, [ 'c' ]), 'out of order', 'one that leaves a gap is not appended');
is(kafka_append($node, 'events', 0, $number, 7, 3, [ 'c' ], epoch => 1), 'fenced', 'nor one of another epoch');
is(kafka_append($node, 'events', 0, $number, 8, 0, [ 'c' ]), 'fenced', 'or of another producer');
is(kafka_state($node, $number), 'open', 'it is open');
is(sql(q{SELECT producer_id, epoch, xid, parts ~ '^\d+-0:0-3 \d+-1:0-3$', now() - started < '1 hour' FROM kafka_transactions()}),
	'7|0|0|t|t', 'and listed with its partitions');

is(values_of('events', 0), '', 'its records are not seen');
is(last_stable('events', 0), 0, 'and end what a consumer reads');
is(stable('events', 0), 0, 'a consumer outside, too');
is(sql(q{SELECT blocking_xid, blocking_pid, blocking_producer_id FROM pg_topic_partitions WHERE topic = 'events'::regclass AND partition = 0}),
	'||7', 'the view tells whose they are');
sql(q{SELECT produce('events', 'k', 's' || p, partition => p) FROM generate_series(0, 2) p});
is(values_of('events', 2), 's2', 'records in other partitions are seen');
is(values_of('events', 0), '', 'those behind are not');
is(sql(q{SELECT count(*) FROM consume('events', 'g')}), '1', 'a consumer gets those of the other partition');

is(kafka_end($node, $number, 1), 'done', 'it is committed');
is(kafka_state($node, $number) =~ /^committed$|^forgotten$/, 1, 'and is');
is(values_of('events', 0), 'a b c s0', 'its records are seen, and those behind');
is(values_of('events', 1), 'x y z s1', 'in the other partition as well');
is(stable('events', 0), 4, 'for consumers outside, too');
is(sql(q{SELECT string_agg(value, ' ' ORDER BY partition, record_offset) FROM consume('events', 'g')}), 'a b c s0 x y z s1',
	'a consumer gets them in order');
is(kafka_end($node, $number, 1), 'not open', 'it ends once');
is(kafka_append($node, 'events', 0, $number, 7, 3, [ 'd' ]), 'not open', 'and takes no more');
ok(wait_forgotten(), 'when its entries tell the outcome, the number is forgotten');
is(kafka_state($node, $number), 'forgotten', 'which is what is known of it');
is(scalar(grep { $_ eq 'kafka' } entry_xids($node, 'events', 0)), 0, 'no entry has it');
is(values_of('events', 0), 'a b c s0', 'the records are there');

# ---- aborted --------------------------------------------------------------------------

$number = kafka_begin($node, 7);
is(kafka_append($node, 'events', 0, $number, 7, 3, [ 'lost' ]), 'appended 4', 'the producer goes on');
sql(q{SELECT produce('events', 'k', 'behind', partition => 0)});
is(kafka_end($node, $number, 0), 'done', 'its next transaction is aborted');
is(values_of('events', 0), 'a b c s0 behind', 'its record is not seen, the one behind is');
is(stable('events', 0), 6, 'and consumers outside go past it');
ok(wait_forgotten(), 'it is forgotten');
like((entry_xids($node, 'events', 0))[3], qr/^\d+-$/, 'its entry says aborted');

# as in Kafka, an aborted batch counts for the numbers of its producer
$number = kafka_begin($node, 7);
is(kafka_append($node, 'events', 0, $number, 7, 3, [ 'lost' ]), 'duplicate 4', 'a batch that was aborted is still known');
is(kafka_append($node, 'events', 0, $number, 7, 4, [ 'd' ]), 'appended 6', 'the producer goes on behind it');
is(sql("BEGIN; SELECT kafka_end($number, true); ROLLBACK"), 'done', 'a commit that is rolled back');
like(kafka_state($node, $number), qr/^(?:aborted|forgotten)$/, 'aborts');
is(values_of('events', 0), 'a b c s0 behind', 'its record is not seen');
ok(wait_forgotten(), 'it is forgotten');

# ---- in the transaction that ends it ------------------------------------------------------

$number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 5, [ 'e' ]);
is($node->psql('postgres', "BEGIN; SELECT kafka_end($number, true); PREPARE TRANSACTION 'p'"), 3, 'PREPARE TRANSACTION is refused');
like(kafka_state($node, $number), qr/^(?:aborted|forgotten)$/, 'and aborts it');

$number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 6, [ 'f' ]);
sql(qq{CREATE TABLE rows (value text);
	BEGIN;
	SAVEPOINT s;
	SELECT kafka_end($number, true);
	INSERT INTO rows VALUES ('with f');
	ROLLBACK TO s;
	INSERT INTO rows VALUES ('without');
	COMMIT});
is(sql('TABLE rows') . ' ' . values_of('events', 0), 'without a b c s0 behind', 'a savepoint that rolls back aborts it');

$number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 7, [ 'g' ]);
is(sql(qq{BEGIN; SAVEPOINT s; SAVEPOINT t; SELECT kafka_end($number, true); RELEASE t; RELEASE s; SAVEPOINT u;
	ROLLBACK TO u; COMMIT}), 'done', 'released savepoints do not');
is(values_of('events', 0), 'a b c s0 behind g', 'its record is seen');

$number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 8, [ 'h' ]);
is(sql(qq{BEGIN; SAVEPOINT s; SAVEPOINT t; SELECT kafka_end($number, true); RELEASE t; ROLLBACK TO s; COMMIT}), 'done',
	'one around a released one');
is(values_of('events', 0), 'a b c s0 behind g', 'aborts it');

$number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 9, [ 'i' ]);
is(sql(qq{BEGIN; SELECT kafka_end($number, false); ROLLBACK}), 'done', 'an abort that is rolled back');
like(kafka_state($node, $number), qr/^(?:aborted|forgotten)$/, 'holds');

# a session that is ending one
my $ending = open_session($node);
$number = kafka_begin($node, 7);
kafka_append($node, 'events', 2, $number, 7, 0, [ 'm' ]);
sql(q{SELECT produce('events', 'k', 'n', partition => 2)});
my $old = open_session($node);
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->run('SELECT 1');
$ending->run('BEGIN');
$ending->run("SELECT kafka_end($number, true)");
is(kafka_state($node, $number), 'ending', 'a transaction is about to commit it');
is($ending->run("SELECT kafka_state($number)"), 'ending', 'which says the same');
is(values_of('events', 2), 's2', 'its records are not seen');
is(sql(q{SELECT blocking_xid IS NOT NULL, blocking_producer_id FROM pg_topic_partitions WHERE topic = 'events'::regclass AND partition = 2}),
	't|', 'the view has the id');
$ending->run('COMMIT');
is(values_of('events', 2), 's2 m n', 'now they are');
is($old->run(q{SELECT string_agg(value, ' ') FROM events WHERE partition = 2}), 's2', 'but not by an older snapshot');
wait_forgotten();
is($old->run(q{SELECT string_agg(value, ' ') FROM events WHERE partition = 2}), 's2', 'nor when it is resolved');
$old->run('COMMIT');

# an abort does not come to an older snapshot either
$number = kafka_begin($node, 7);
kafka_append($node, 'events', 2, $number, 7, 1, [ 'o' ]);
sql(q{SELECT produce('events', 'k', 'p', partition => 2)});
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($old->run(q{SELECT string_agg(value, ' ') FROM events WHERE partition = 2}), 's2 m n', 'an open one ends what a snapshot sees');
kafka_end($node, $number, 0);
is(values_of('events', 2), 's2 m n p', 'when it is aborted, a new one goes past it');
is($old->run(q{SELECT string_agg(value, ' ') FROM events WHERE partition = 2}), 's2 m n', 'the old one does not');
wait_forgotten();
is($old->run(q{SELECT string_agg(value, ' ') FROM events WHERE partition = 2}), 's2 m n', 'nor when it is resolved');
$old->run('COMMIT');

# several in one transaction, with different outcomes
my @several = map { kafka_begin($node, 20 + $_) } 0 .. 2;
kafka_append($node, 'events', 1, $several[$_], 20 + $_, 0, ["q$_"]) foreach 0 .. 2;
sql("BEGIN; SELECT kafka_end($several[0], true), kafka_end($several[1], false), kafka_end($several[2], true); COMMIT");
is(values_of('events', 1), 'x y z s1 q0 q2', 'one transaction ends several, each its own way');
wait_forgotten();
is(values_of('events', 1), 'x y z s1 q0 q2', 'and so they are resolved');

# ---- who waits ----------------------------------------------------------------------------

topic('waited', 1);
$number = kafka_begin($node, 7);
kafka_append($node, 'waited', 0, $number, 7, 0, ['w']);
my $waiter = open_background($node, 'waiter');
ask($waiter, q{SELECT value FROM consume('waited', 'g', timeout => '5 min');});
ok(poll_until(sub { sql(q{SELECT wait_event_type FROM pg_stat_activity WHERE application_name = 'waiter'}) eq 'Extension' }),
	'a consumer waits');
kafka_end($node, $number, 1);
is(answer($waiter) . $waiter->{err}, 'w', 'and is woken');

# ---- the end of room -----------------------------------------------------------------------

wait_forgotten();
my @open = map { kafka_begin($node, 100 + $_) } 1 .. 20;
my ($status, $out, $err) = $node->psql('postgres', 'SELECT kafka_begin(200, 0)');
is($status, 3, 'one too many is an error');
like($err, qr/too many Kafka transactions.*kafka_max_transactions/s, 'that names the setting');
topic('wide', 340);
my $room = 0;
foreach my $partition (0 .. 339)
{
	($status, $out, $err) = $node->psql('postgres', "SELECT kafka_append('wide', $partition, $open[0], 101, 0, 0, '', ARRAY['v'], 1, false)");
	last if $status != 0;
	$room++;
}
is($room, 320, 'so is a partition too many');
like($err, qr/too many partitions in Kafka transactions.*kafka_max_transactions/s, 'in all of them');
is(kafka_end($node, $_, 1), 'done', 'one ends') foreach $open[0];
is(sql(q{SELECT count(*) FROM wide}), '320', 'its records are seen');
ok(poll_until(sub { transactions() == 19 }), 'and leave room');
like(kafka_begin($node, 200), qr/^-/, 'for another one');
kafka_end($node, $_, 0) foreach @open[ 1 .. 19 ], kafka_begin($node, 200);
ok(wait_forgotten(), 'all are forgotten');

# ---- deleting and dropping --------------------------------------------------------------------

topic('truncated', 1);
$number = kafka_begin($node, 7);
kafka_append($node, 'truncated', 0, $number, 7, 0, [ 'a', 'b' ]);
sql('TRUNCATE truncated');
is(sql('SELECT parts FROM kafka_transactions()'), '', 'TRUNCATE takes away what an open one has');
is(kafka_append($node, 'truncated', 0, $number, 7, 2, ['c']), 'appended 2', 'it goes on');
is(values_of('truncated', 0), '', 'unseen');
kafka_end($node, $number, 1);
is(values_of('truncated', 0), 'c', 'until it is committed');
$number = kafka_begin($node, 7);
kafka_append($node, 'truncated', 0, $number, 7, 3, ['d']);
is($node->psql('postgres', q{SELECT delete_records('truncated', 0, 4)}), 3, 'records of an open one are not deleted');
sql('DROP FOREIGN TABLE truncated');
is(sql('SELECT parts FROM kafka_transactions()'), '', 'a topic that is dropped takes them away');
is(kafka_end($node, $number, 1), 'done', 'and it ends all the same');
is(transactions(), 0, 'and is forgotten at once');

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION pg_topics});
$node->safe_psql('other', "CREATE FUNCTION kafka_begin(producer_id bigint, epoch int) RETURNS text LANGUAGE c STRICT AS '"
	. sql(q{SELECT probin FROM pg_proc WHERE proname = 'kafka_begin'}) . q{'});
like($node->safe_psql('other', 'SELECT kafka_begin(7, 0)'), qr/^-/, 'one of another database');
like(kafka_begin($node, 7), qr/^-/, 'and one of the same producer here');
is(transactions(), 2, 'are two');
$node->safe_psql('postgres', 'DROP DATABASE other');
is(transactions(), 1, 'a dropped database takes its own away');
kafka_end($node, kafka_begin($node, 7), 0);

# ---- snapshots ------------------------------------------------------------------------------------

# Each Kafka transaction puts one record into each partition and one row into a table.  Checkers
# run beside, and must find each of them in all partitions and in the table, or in none; within one
# snapshot they must find the same again.
topic('everywhere', 4);
sql('CREATE TABLE done (value text)');
my $seed = int(rand 2**31);
srand $seed;
note "seed $seed";
sql(q{CREATE FUNCTION looked() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	first text; again text; wrong text;
BEGIN
	SELECT string_agg(value || ' ' || n, ',' ORDER BY value) INTO first
	FROM (SELECT value, count(*) AS n FROM (SELECT value FROM everywhere UNION ALL SELECT value FROM done) v GROUP BY value) c;
	SELECT string_agg(value || ' ' || n, ', ' ORDER BY value) INTO wrong
	FROM (SELECT value, count(*) AS n FROM done GROUP BY value
		HAVING (SELECT count(*) FROM everywhere e WHERE e.value = done.value AND e.record_offset >= 0) <> 4) c;
	PERFORM pg_sleep(random() * 0.02);
	SELECT string_agg(value || ' ' || n, ',' ORDER BY value) INTO again
	FROM (SELECT value, count(*) AS n FROM (SELECT value FROM everywhere UNION ALL SELECT value FROM done) v GROUP BY value) c;
	IF first IS DISTINCT FROM again THEN
		RETURN 'changed: ' || coalesce(first, '') || ' and then ' || coalesce(again, '');
	END IF;
	RETURN coalesce('not everywhere: ' || wrong, 'right');
END$$});
my @checkers = map { open_background($node, "checker$_") } 1 .. 2;
my ($wrong, $looks, $sequence) = ('', 0, 0);
my %expected;
ask($_, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT looked(); COMMIT;') foreach @checkers;
foreach my $round (1 .. 60)
{
	my @running = map { kafka_begin($node, 300 + $_) } 0 .. 1;
	foreach my $partition (0 .. 3)
	{
		kafka_append($node, 'everywhere', $partition, $running[$_], 300 + $_, $sequence, ["r$round-$_"]) foreach 0 .. 1;
	}
	$sequence++;
	foreach my $i (rand() < 0.5 ? (0, 1) : (1, 0))
	{
		my $how = int(rand 4);
		sql("BEGIN; INSERT INTO done VALUES ('r$round-$i'); SELECT kafka_end($running[$i], true); COMMIT") if $how < 2;
		kafka_end($node, $running[$i], 0) if $how == 2;
		sql("BEGIN; INSERT INTO done VALUES ('r$round-$i'); SELECT kafka_end($running[$i], true); ROLLBACK") if $how == 3;
		$expected{"r$round-$i"}++ if $how < 2;
	}
	foreach my $checker (@checkers)
	{
		my $told = answer($checker);
		$looks++;
		$wrong ||= "<$told> $checker->{err}" if $told ne 'right';
		ask($checker, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT looked(); COMMIT;');
	}
}
answer($_) foreach @checkers;
is($wrong, '', "each of $looks looks found whole transactions");
is(sql(q{SELECT string_agg(value, ' ' ORDER BY value COLLATE "C") FROM (SELECT value FROM everywhere GROUP BY value HAVING count(*) = 4) v}),
	join(' ', sort keys %expected), 'those that were committed are there, and no others');

$node->stop;
done_testing();
