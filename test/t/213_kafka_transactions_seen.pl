# Files under test: src/broker/transactions/txn_coordinator.c, src/broker/offsets/pending_offset.c, src/wal/batch_visibility.c,
# src/query/topic_walk.c.
# What SQL sees of transactions of Kafka's clients: records in several partitions and topics, and offsets of a group, become
# visible at one snapshot, beside transactions in SQL that write rows and records of the same topics.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaOffsets;
use KafkaServer;
use KafkaTransactions;
use List::Util qw(shuffle);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

# Transactions of Kafka's clients in the random part.
use constant TRANSACTIONS => $ENV{TOPIC_TEST_ROUNDS} // 120;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my ($node, $port) = start_kafka_server();
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN SUPERUSER;
	CREATE TABLE ledger (n bigint PRIMARY KEY);
	SELECT create_topic('source', partitions => 3);
	SELECT create_topic('debits', partitions => 2, value_type => 'bigint');
	SELECT create_topic('credits', partitions => 2, value_type => 'bigint');
	INSERT INTO source (partition, value) SELECT i % 3, i FROM generate_series(0, 2999) i});
wait_for_listener() or die;

# A transactional producer: it has a connection, its current epoch, and the sequence of each partition in this epoch.
sub producer
{
	my ($name) = @_;
	my $client = client();
	my ($error, $id, $epoch) = init_transactions($client, $name);

	die "no producer: $error" if $error != 0;
	return { name => $name, client => $client, id => $id, epoch => $epoch, next => {}, taken => {} };
}

sub put
{
	my ($producer, $topic, $partition, @values) = @_;
	my $next = \$producer->{next}{"$topic $partition"};
	my $answer = transactional_produce($producer->{client}, @{$producer}{qw(name id epoch)}, $topic, $partition, $$next // 0, \@values);

	die "not produced: $answer" if $answer !~ /^0 /;
	$$next += @values;
	return;
}

sub commit_source
{
	my ($producer, $partition, $offset) = @_;
	my $error = commit_in_transaction($producer->{client}, @{$producer}{qw(name id epoch)}, 'app', { source => { $partition => $offset } });

	die "offset not committed: $error" if $error ne '0';
	return;
}

sub end
{
	my ($producer, $commit) = @_;
	my ($error, $id, $epoch);

	# SQL may have the group's partition for the moment
	poll_until(sub {
		($error, $id, $epoch) = end_transaction($producer->{client}, @{$producer}{qw(name id epoch)}, $commit);
		$error != 51 }) or die;
	die "not ended: $error" if $error != 0;
	@{$producer}{qw(id epoch next)} = ($id, $epoch, {});
	return;
}

# ---- one transaction behind another ------------------------------------------------------

my $whole = 'SET pg_topics.read_past_running = on;';
my $both = q{SELECT coalesce((SELECT string_agg(value::text, ' ' ORDER BY partition, record_offset) FROM debits), '-') || ' / '
	|| coalesce((SELECT string_agg(value::text, ' ' ORDER BY partition, record_offset) FROM credits), '-')};
my $offset = q{SELECT coalesce(max(committed_offset), 0) FROM pg_topic_groups WHERE group_id = 'app'};
my ($first, $second) = map { producer($_) } 'first', 'second';

put($first, 'debits', 0, 1);
put($second, 'debits', 0, 2);
put($second, 'credits', 1, -2);
put($first, 'credits', 1, -1);
commit_source($second, 0, 7);
is(sql("$whole $both"), '- / -', 'nothing is seen of open transactions');
is(sql($offset), 0, 'nor their offsets');
my $old = open_session($node);
$old->run("$whole BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ledger");
end($second, 1);
is(sql($both), '- / -2', 'in the order of a partition what is committed behind an open one waits, there alone');
is(sql("$whole $both"), '2 / -2', 'all of it is seen by a query that reads on');
is(sql($offset), 7, 'as the offsets are');
is(sql("$whole SELECT count(*), min(record_offset), max(record_offset), sum(value) FROM debits WHERE partition = 0"), '1|1|1|2', 'also by aggregates');
is(sql("$whole SELECT count(*), max(record_offset) FROM debits"), '1|1', 'from the index');
is(sql("$whole SELECT value FROM debits WHERE partition = 0 ORDER BY record_offset DESC LIMIT 1"), '2', 'backward');
is(sql("$whole SELECT value FROM debits ORDER BY record_offset DESC LIMIT 1"), '2', 'over all partitions');
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
	SET cpu_tuple_cost = 1000;';
like(sql("$parallel EXPLAIN SELECT sum(value) FROM debits"), qr/Gather/, 'a scan can be parallel');
is(sql("$whole $parallel SELECT sum(value) FROM debits"), '2', 'and reads on then as well');
is(sql(q{SELECT string_agg(value::text, ' ') FROM latest(NULL::debits)}), '2', 'and by latest()');
is(sql("$whole SELECT count(*) FROM consume('debits', 'order')"), '0', 'a consumer reads in order');
is($old->run($both), '- / -', 'an older snapshot sees none of it');
is($old->run(q{SELECT count(*) FROM latest(NULL::debits)}), '0', 'by latest() neither');
is($old->run($offset), '0', 'nor the offsets');
$old->run('COMMIT');
end($first, 1);
is(sql($both), '1 2 / -2 -1', 'in the end all is there, in order');
is($old->run($both), '1 2 / -2 -1', 'for everybody');
$old->close;
sql(q{TRUNCATE debits, credits; SELECT delete_group('app'), delete_group('order')});

# ---- many of them, with a checker beside --------------------------------------------------

# Each transaction of a Kafka client takes records of "source" and writes as many debits, and credits of the same sum; each one in
# SQL writes a row for each of its debits.  Keys tell the two apart.
sql(q{
	CREATE TABLE problem (what text, found text);
	CREATE TABLE checks (kind text, n bigint);
	CREATE TABLE consumed (topic text, partition int, record_offset bigint, key text, value bigint, PRIMARY KEY (topic, partition, record_offset));
	CREATE FUNCTION balance() RETURNS text LANGUAGE sql STABLE AS $$
		SELECT format('sum %s, Kafka %s of %s, SQL %s of %s', sum(value), count(*) FILTER (WHERE key = 'k' AND value > 0),
			(SELECT coalesce(sum(committed_offset), 0) FROM pg_topic_groups WHERE group_id = 'app' AND topic = 'source'::regclass),
			count(*) FILTER (WHERE key LIKE 's%' AND value > 0), (SELECT count(*) FROM ledger))
		FROM (SELECT key, value FROM debits UNION ALL SELECT key, value FROM credits) t $$;
	CREATE FUNCTION is_balanced(balance text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
		SELECT balance ~ '^sum 0?, Kafka (\d+) of \1, SQL (\d+) of \2$' $$;
	CREATE PROCEDURE check_statements(past boolean) LANGUAGE plpgsql AS $$
	DECLARE
		found text;
		times bigint := 0;
	BEGIN
		PERFORM set_config('pg_topics.read_past_running', past::text, false);
		WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'is_over') LOOP
			IF past THEN
				found := balance();
				INSERT INTO problem SELECT 'statement', found WHERE NOT is_balanced(found);
			ELSE
				-- in order a record may come after its row and its offset, and never before
				SELECT format('%s Kafka''s before their offsets, %s before their rows',
					count(*) FILTER (WHERE key = 'k') > (SELECT coalesce(sum(committed_offset), 0) FROM pg_topic_groups WHERE group_id = 'app'),
					count(*) FILTER (WHERE key LIKE 's%' AND NOT EXISTS (SELECT FROM ledger WHERE n = nullif(substr(key, 2), '')::bigint)))
				INTO found FROM debits WHERE value > 0;
				INSERT INTO problem SELECT 'in order', found WHERE found !~ '^f.*, 0 ';
				-- of a partition a transaction has both of its records, or none
				INSERT INTO problem SELECT 'half', key FROM debits WHERE key LIKE 's%' GROUP BY key, partition HAVING count(*) <> 2;
			END IF;
			times := times + 1;
			COMMIT;
		END LOOP;
		INSERT INTO checks VALUES (CASE WHEN past THEN 'statement' ELSE 'in order' END, times);
	END $$;
	CREATE PROCEDURE check_snapshots() LANGUAGE plpgsql AS $$
	DECLARE
		first text;
		again text;
		times bigint := 0;
	BEGIN
		PERFORM set_config('pg_topics.read_past_running', 'on', false);
		WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'is_over') LOOP
			COMMIT;
			SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
			first := balance();
			PERFORM pg_sleep(0.02);
			again := balance();
			INSERT INTO problem SELECT 'snapshot', first WHERE NOT is_balanced(first);
			INSERT INTO problem SELECT 'snapshot that changes', first || ' and then ' || again WHERE first <> again;
			times := times + 1;
		END LOOP;
		COMMIT;
		INSERT INTO checks VALUES ('snapshot', times);
	END $$;
	CREATE PROCEDURE check_consumer() LANGUAGE plpgsql AS $$
	DECLARE
		times bigint := 0;
	BEGIN
		WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'is_over') LOOP
			WITH records AS MATERIALIZED (
				SELECT r.*, nullif(substr(r.key, 2), '')::bigint AS row_of FROM consume_many('{debits,credits}', 'sql') r
			), stored AS (
				INSERT INTO consumed SELECT topic::text, partition, record_offset, key, value::bigint FROM records
			)
			INSERT INTO problem SELECT 'consumed before its row', key FROM records
			WHERE key LIKE 's%' AND NOT EXISTS (SELECT FROM ledger l WHERE l.n = row_of);
			IF random() < 0.3 THEN ROLLBACK; ELSE COMMIT; END IF;
			times := times + 1;
			PERFORM pg_sleep(0.01);
		END LOOP;
		INSERT INTO checks VALUES ('consumer', times);
	END $$;
	CREATE SEQUENCE numbers;
	CREATE PROCEDURE write_in_sql() LANGUAGE plpgsql AS $$
	DECLARE
		number bigint;
		amount bigint;
	BEGIN
		WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'is_over') LOOP
			number := nextval('numbers');
			amount := 1 + number % 100;
			INSERT INTO ledger VALUES (number), (-number);
			INSERT INTO debits (partition, key, value) SELECT number % 2, 's' || number, amount FROM generate_series(1, 2);
			INSERT INTO credits (partition, key, value) VALUES (number / 2 % 2, 's' || number, -2 * amount);
			IF number % 5 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
			PERFORM pg_sleep(0.01);
		END LOOP;
	END $$});
my $directory = PostgreSQL::Test::Utils::tempdir();
my @calls = ('check_statements(true)', 'check_statements(false)', 'check_snapshots()', 'check_consumer()', 'write_in_sql()');
my @running = map { my $n = $_; append_to_file("$directory/$n.sql", "CALL $calls[$n];\n"); start_psql($node, "$directory/$n.sql", "$directory/$n") } 0 .. $#calls;

# Three producers at once, each of which takes from a partition of "source"; a step of one of them at a time.
my @producers = map { producer("app-$_") } 0 .. 2;
my ($ended, $committed, $written) = (0, 0, 0);
$_->{source} = $_->{name} =~ s/.*-//r, $_->{at} = 0 foreach @producers;
while ($ended < TRANSACTIONS)
{
	my $producer = $producers[ rand @producers ];
	my $steps = $producer->{steps} //= do {
		my $count = 1 + int rand 4;
		my @amounts = map { 1 + int rand 100 } 1 .. $count;
		my $sum = 0;
		my $to = $producer->{at} + $count;

		$sum += $_ foreach @amounts;
		$producer->{to} = $to;
		# in any order, and each debit may be a batch of its own
		my @steps = ((map { my $amount = $_; sub { put($producer, 'debits', int rand 2, $amount) } } @amounts),
			(map { my $half = $_; sub { put($producer, 'credits', int rand 2, -$half) } } int($sum / 2), $sum - int($sum / 2)),
			sub { commit_source($producer, $producer->{source}, $to) });
		[ shuffle @steps ];
	};

	if (my $step = shift @$steps)
	{
		$step->();
		next;
	}
	my $commit = rand() < 0.7;
	end($producer, $commit);
	$ended++;
	$committed++ if $commit;
	$producer->{at} = $producer->{to} if $commit;
	delete $producer->{steps};
}
end($_, 0) foreach @producers;
sql('CREATE TABLE is_over ()');
$_->finish foreach @running;
is(join('', map { slurp_file("$directory/$_.err") } 0 .. $#calls), '', 'nobody met an error');
is(sql(q{SELECT what, found FROM problem LIMIT 5}), '', "$committed of $ended transactions of Kafka's clients are seen as a whole or not at all");
my %checks = map { split /\|/ } split /\n/, sql('SELECT * FROM checks');
cmp_ok($checks{$_} // 0, '>', 5, "so says \"$_\"") foreach 'statement', 'in order', 'snapshot', 'consumer';
note(join ', ', map { "$_: $checks{$_} times" } sort keys %checks);
like(sql('SELECT balance()'), qr/^sum 0, Kafka (\d+) of \1, SQL (\d+) of \2$/, 'in the end as well');
my $taken = 0;
$taken += $_->{at} foreach @producers;
like(sql('SELECT balance()'), qr/Kafka $taken of $taken,/, 'which is what they have committed');
sql(q{WITH rest AS MATERIALIZED (SELECT * FROM consume_many('{debits,credits}', 'sql', 100000))
	INSERT INTO consumed SELECT topic::text, partition, record_offset, key, value::bigint FROM rest});
is(sql(q{(SELECT 'debits', partition, record_offset, key, value FROM debits UNION ALL SELECT 'credits', partition, record_offset, key, value FROM credits)
	EXCEPT ALL SELECT * FROM consumed}), '', 'a consumer has got all of it');
is(sql('SELECT count(*) FROM consumed'), sql('SELECT (SELECT count(*) FROM debits) + (SELECT count(*) FROM credits)'), 'and once');

$node->stop;
done_testing();
