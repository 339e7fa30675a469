# In which order records stand in a partition, and what times they have, when
# several transactions append to it at once: a transaction's records in its order, up
# to a megabyte beside each other, each transaction seen as a whole; LogAppendTime is
# the time of the append and never goes back, whatever the clock does.
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

sql(q{
	CREATE EXTENSION pg_topics;
	-- n records of so many bytes, each in a batch of its own where they are large
	CREATE FUNCTION produce_n(topic regclass, key text, n int, length int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce(topic, key, format('%s:%s:%s', i, n, repeat('x', length)));
		END LOOP;
	END $$;
	-- the same, but appended in several parts, with time for others between them
	CREATE FUNCTION flush_n(topic regclass, key text, n int, length int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce(topic, key, format('%s:%s:%s', i, n, repeat('x', length)));
			IF random() < 0.2 THEN
				PERFORM flush(), pg_sleep(0.0002);
			END IF;
		END LOOP;
	END $$;
	SELECT create_topic('events'), create_topic('stamped', config => '{"message.timestamp.type": "LogAppendTime"}');
});
my $small = q{SET pg_topics.batch_size = '1kB';};

# The topic's keys in order, each once for a run of its records.
sub runs
{
	my ($topic) = @_;

	return sql(qq{
		SELECT string_agg(key || n, ' ' ORDER BY record_offset) FROM (
			SELECT key, record_offset, split_part(value, ':', 1) AS n FROM $topic) r});
}

# ---- batches alternate, and what is promised holds -----------------------------

# Batches of a transaction, which is halted behind the first part of its append.
sub halt_in_append
{
	my ($name, $records, $length) = @_;
	my $session = open_background($node, $name);

	ask($session, qq{$small SET pg_topics.fault_point = 'append-done:stop'; SELECT produce_n('events', '$name', $records, $length);});
	wait_halted(pid_of_session($node, $name));
	return $session;
}

# It goes on, at each part of its append, until it has committed.
sub let_go_on
{
	my ($session) = @_;
	my $pid = pid_of_session($node, $session->{name});

	go_on($pid);
	poll_until(sub { eval { kill 'CONT', $pid; $session->{run}->pump_nb; $session->{out} =~ /:done:/ } }) or die 'the producer does not end';
	return;
}

# up to a megabyte is appended at once, in as many batches as that is
my $whole = halt_in_append('w', 4, 900);
sql(q{SELECT produce_n('events', 'b', 2, 10)});
let_go_on($whole);
is(runs('events'), 'w1 w2 w3 w4 b1 b2', 'the batches of a small transaction stand together');

# more in several parts; others append between them if they need but one themselves
sql('TRUNCATE events');
my $first = halt_in_append('a', 3, 700000);
sql(q{SELECT produce_n('events', 'b', 2, 10)});
my $second = open_background($node, 'second');
ask($second, q{SELECT produce_n('events', 'c', 3, 700000);});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 6 AND NOT granted}) or die;
is(sql('SELECT count(*) FROM events'), '0', 'a committed transaction is not seen between the batches of a running one');
my ($code, undef, $error) = $node->psql('postgres', q{SET lock_timeout = '10ms'; SELECT produce_n('events', 'd', 3, 700000)});
like($error, qr/lock timeout/, 'a transaction that waits for its turn to append can be cancelled');
let_go_on($first);
answer($second);
is(runs('events'), 'a1 b1 b2 a2 a3 c1 c2 c3',
	'a small batch may stand between those of a large transaction, a large one not');
is(sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 6}), '0',
	'a transaction gives back its turn to append');

# three writers at once, and readers that count
my $scripts = PostgreSQL::Test::Utils::tempdir();
my @running;
sql('TRUNCATE events');
foreach my $writer (1 .. 3)
{
	# most in parts that others stand between, some large
	append_to_file("$scripts/writer$writer.sql", "$small\n" . join('', map {
		sprintf("SELECT %s('events', '$writer-$_', 20, %d);\n", $_ % 20 ? ('flush_n', 400) : ('produce_n', 60000)) } 1 .. 100));
	push @running, start_psql($node, "$scripts/writer$writer.sql", "$scripts/writer$writer.out");
}
my %readers = (serial => '', parallel => q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;});
foreach my $reader (sort keys %readers)
{
	append_to_file("$scripts/$reader.sql", $readers{$reader} . q{
		SELECT 'part of ' || key FROM events GROUP BY key HAVING count(*) <> 20;} x 100);
	push @running, start_psql($node, "$scripts/$reader.sql", "$scripts/$reader.out");
}
ok($_->finish, 'no writer or reader met an error') foreach @running;
is(slurp_file("$scripts/$_.out"), '',
	"each transaction is seen as a whole or not at all, $_ readers") foreach sort keys %readers;
is(sql(q{SELECT count(*), count(DISTINCT (key, value)) FROM events}), '6000|6000',
	'each record is there exactly once');
my $disorder = q{
	SELECT count(*) FROM (
		SELECT split_part(value, ':', 1)::int AS n, lag(split_part(value, ':', 1)::int, 1, 0)
			OVER (PARTITION BY key ORDER BY record_offset) AS before FROM events) o WHERE n <> before + 1};
is(sql($disorder), '0', 'the records of each transaction are in order');
cmp_ok(sql(q{SELECT count(*) FROM (SELECT key, lag(key) OVER (ORDER BY record_offset) AS before FROM events) c
	WHERE key <> before}), '>', 400, 'many records stand between those of another transaction');
catch_up($node, $standby);
is($standby->safe_psql('postgres', $disorder), '0',
	'on the standby the records of each transaction are in order too');

# ---- the time of the append ----------------------------------------------------

my $backwards = q{
	SELECT count(*) FROM (SELECT record_timestamp AS t, lag(record_timestamp) OVER (ORDER BY record_offset) AS before
		FROM stamped) o WHERE t < before};
my $times = q{SELECT string_agg(key, ' ' ORDER BY record_offset) FROM stamped};

# full batches, in the temporary file, long before the commit
my $long = open_session($node);
$long->run(qq{$small SET pg_topics.buffer_memory = '64kB'; BEGIN; SELECT produce_n('stamped', 'long', 300, 900)});
sql(q{SELECT produce_n('stamped', 'short', 1, 10)});
my $before = sql('SELECT date_trunc(\'milliseconds\', clock_timestamp())');
$long->run('COMMIT');
is(sql(q{SELECT key FROM stamped LIMIT 1}), 'short',
	'the transaction that commits first has its records first');
is(sql($backwards), '0', 'the times of records that were buffered before do not go back');
is(sql(qq{SELECT count(*) FROM stamped WHERE key = 'long' AND record_timestamp >= '$before'}), '300',
	'records that were buffered get the time when they are appended');

# a prepared transaction's is when it was prepared
sql(q{BEGIN; SELECT produce_n('stamped', 'prepared', 1, 10); PREPARE TRANSACTION 'p'});
my $prepared = sql('SELECT date_trunc(\'milliseconds\', clock_timestamp()) + interval \'1 ms\'');
sql(q{SELECT produce_n('stamped', 'behind', 1, 10)});
sql(q{COMMIT PREPARED 'p'});
is(sql(qq{SELECT string_agg(key, ' ' ORDER BY record_offset) FROM stamped WHERE key IN ('prepared', 'behind')
	AND (key = 'behind' OR record_timestamp <= '$prepared')}), 'prepared behind',
	'records of a prepared transaction have the time of PREPARE TRANSACTION');
is(sql($backwards), '0', 'with a prepared transaction the times do not go back');

# Produce with a clock that is ahead or behind; the record's time, relative to the clock's.
sub stamp
{
	my ($offset, $server) = @_;

	return ($server // $node)->safe_psql('postgres', qq{
		SET pg_topics.clock_offset = '$offset';
		DO \$\$ BEGIN PERFORM produce_n('stamped', 'stamp', 1, 10); END \$\$;
		SELECT round(extract(epoch FROM record_timestamp - clock_timestamp()) / 3600)
		FROM stamped ORDER BY record_offset DESC LIMIT 1});
}

is(stamp('-5h'), '0', 'after the clock is set back a record gets the time of the one before');
is(stamp('3h'), '3', "with a clock that is ahead a record gets that clock's time");
is(stamp('0'), '3', 'until the clock has come there records get the same time');
is(stamp('4h'), '4', "from then on records get the clock's time again");
is(sql($backwards), '0', 'with the clock set back and forth the times do not go back');
is(sql(q{SELECT count(*) FROM verify_topic('stamped')}), '0',
	'with the clock set back and forth the batches are undamaged');

# what a process knows must come from the log where the server starts anew
kill_all($node);
$node->start;
is(stamp('0'), '4', "after a crash the log's latest time is known");
$node->restart;
is(stamp('0'), '4', "after a restart the log's latest time is known");
sql('CHECKPOINT');
kill_all($node);
$node->start;
is(stamp('0'), '4', "after a crash with nothing to replay the log's latest time is known");
# the active segment is empty after erase() has rolled it
sql(q{SELECT erase('stamped', 'nobody'::text)});
kill_all($node);
$node->start;
is(stamp('0'), '4', "after a roll and a crash the log's latest time is known");
sql(q{SELECT erase('stamped', 'nobody'::text)});
$node->restart;
is(stamp('0'), '4', "after a roll and a restart the log's latest time is known");

# a log that has nothing left begins anew, and so does one with a time of another kind
sql(q{SELECT alter_topic('stamped', '{"message.timestamp.type": "CreateTime"}')});
is(stamp('0'), '0', "with CreateTime a record has its producer's time");
sql(q{SELECT alter_topic('stamped', '{"message.timestamp.type": "LogAppendTime"}')});
is(stamp('0'), '0', "behind a record with CreateTime the clock's time is taken again");
is(stamp('7h'), '7', 'LogAppendTime goes by a clock that is seven hours ahead');
sql('TRUNCATE stamped');
is(stamp('0'), '0', "after TRUNCATE the clock's time is taken again");

# ---- several writers, each with a clock of its own, crashes, a standby ---------

sql(q{SELECT alter_topic('stamped', '{"compression.type": "lz4", "segment.bytes": 65536}')});
foreach my $round (1 .. 2)
{
	@running = ();
	foreach my $writer (1 .. 4)
	{
		my $script = $small . join('', map { sprintf(
			"SET pg_topics.clock_offset = '%d s';\nSELECT produce_n('stamped', '%d-%d-%d', %d, 200);\n",
			rand(7200) - 3600, $round, $writer, $_, 1 + rand(30)) } 1 .. ENDLESS / 200);
		append_to_file("$scripts/clocks$round$writer.sql", $script);
		push @running, start_psql($node, "$scripts/clocks$round$writer.sql", "$scripts/clocks$round$writer.out");
	}
	my $from = sql('SELECT log_end_offset FROM pg_topic_partitions WHERE topic = \'stamped\'::regclass');
	$node->poll_query_until('postgres', qq{
		SELECT log_end_offset > $from + 2000 FROM pg_topic_partitions WHERE topic = 'stamped'::regclass}) or die;
	kill_all($node);
	$_->finish foreach @running;
	$node->start;
	is(stamp('-2h'), sql(q{SELECT round(extract(epoch FROM max(record_timestamp) - clock_timestamp()) / 3600) FROM stamped}),
		"round $round: the largest time is known after a crash");
	is(sql($backwards), '0', "round $round: the times do not go back whatever the writers' clocks say");
	is(sql(q{SELECT count(*) FROM verify_topic('stamped')}), '0', "round $round: the batches are undamaged");
}
is(sql(q{SELECT count(*) FROM stamped s WHERE record_timestamp > (SELECT max(record_timestamp) FROM stamped)}), '0',
	"no record's time is beyond the largest one");

# compaction keeps them
sql(q{SELECT alter_topic('stamped', '{"cleanup.policy": "compact"}')});
my $kept = q{SELECT string_agg(record_offset || ' ' || record_timestamp, ',' ORDER BY record_offset) FROM latest(NULL::stamped)};
my $times_before = sql($kept);
wait_resolved($node);
like(sql(q{SELECT compact('stamped')::text}), qr/./, 'the topic with LogAppendTime is compacted');
is(sql($kept), $times_before, "compaction keeps the records' times");
is(sql($backwards), '0', 'after compaction the times do not go back');

catch_up($node, $standby);
$node->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
my $last = $standby->safe_psql('postgres', q{SELECT max(record_timestamp) FROM stamped});
stamp('-9h', $standby);
is($standby->safe_psql('postgres', q{SELECT record_timestamp FROM stamped ORDER BY record_offset DESC LIMIT 1}), $last,
	"a promoted standby with an older clock goes on with the log's latest time");
is($standby->safe_psql('postgres', $backwards), '0', 'on the promoted standby the times do not go back');

done_testing();
