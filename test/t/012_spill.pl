# Pending records past pg_topics.buffer_memory go to a temporary file: memory
# stays bounded, the file goes away, and savepoints take back exactly what they
# should wherever the records are.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main', settings => [ 'jit = off', 'max_wal_size = 4GB' ]);
$node->start;
create_load_schema($node, segment_bytes => 1048576);

sub sql { return $node->safe_psql('postgres', @_); }

sub temporary_files
{
	return glob($node->data_dir . '/base/pgsql_tmp/pgsql_tmp*');
}

# Anonymous memory of a process in MB.
sub memory
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 / 1024 : die 'no RssAnon';
}

# Run SQL in the session; the most memory seen meanwhile.
my $peak;

sub run_watched
{
	my ($session, $pid, $sql) = @_;

	$peak = memory($pid);
	return $session->run($sql, sub { my $now = memory($pid); $peak = $now if $now > $peak });
}

# ---- a large transaction in bounded memory -----------------------------------

use constant { LARGE => 2_000_000, BUFFER_MB => 4, LIMIT_MB => 16 };

sql(q{SELECT create_topic('large', partitions => 3)});
my $session = open_session($node);
my $pid = $session->run('SELECT pg_backend_pid()');
$session->run("SET pg_topics.buffer_memory = '" . BUFFER_MB . "MB'");
my $insert = 'INSERT INTO large (key, value) SELECT n, md5(n::text) FROM (SELECT generate_series(1, %d)::text AS n) AS s';
$session->run('BEGIN');
run_watched($session, $pid, sprintf($insert, LARGE));
note(sprintf('%d records pending: %.1f MB', LARGE, $peak));
is_bounded($peak, LIMIT_MB, 'memory is bounded while records are pending');
my ($file) = temporary_files();
ok(defined $file, 'pending records are in a temporary file');
cmp_ok(defined $file ? -s $file : 0, '>', 50 * 1024 * 1024,
	'most of the pending records are in the temporary file');
run_watched($session, $pid, 'COMMIT');
note(sprintf('committing: %.1f MB', $peak));
is_bounded($peak, LIMIT_MB, 'memory is bounded while the records are appended at the commit');
is(join(' ', temporary_files()), '', 'the temporary file is gone after the commit');
is($session->run('SELECT sum(records) FROM produced()'), LARGE,
	'produced() counts all records of the large transaction');
is($session->run('SELECT count(*), count(DISTINCT key), bool_and(value = md5(key)) FROM large'),
	LARGE . '|' . LARGE . '|t', 'all records of the large transaction are there with their values');

# gone as well when it does not end well
my $few = sprintf($insert, 300_000);
my $ends = q{SELECT sum(log_end_offset) FROM pg_topic_partitions WHERE topic = 'large'::regclass};
$session->run("BEGIN; $few");
isnt(join(' ', temporary_files()), '', 'the next large transaction has a temporary file');
$session->run('ROLLBACK');
is(join(' ', temporary_files()), '', 'ROLLBACK removes the temporary file');
like($session->fails("BEGIN; $few; SELECT 1 / 0"), qr/division by zero/, 'an error ends a large transaction');
is(join(' ', temporary_files()), '', 'an error removes the temporary file');
$session->run('ROLLBACK');
like($session->fails("SET temp_file_limit = '1MB'; $few"), qr/ERROR:  temporary file size exceeds "?temp_file_limit"?/,
	'pg_topics respects temp_file_limit');
is(join(' ', temporary_files()), '', 'a transaction that exceeds temp_file_limit leaves no temporary file');
$session->run('RESET temp_file_limit');
is(sql($ends), LARGE, 'transactions that were rolled back or failed have appended nothing');
$session->run("BEGIN; SAVEPOINT a; $few; ROLLBACK TO a; $few; COMMIT");
is(sql($ends), LARGE + 300_000, 'rolled back to a savepoint, only later records are appended');
$session->run("BEGIN; $few; PREPARE TRANSACTION 'spilled'");
is(join(' ', temporary_files()), '', 'PREPARE TRANSACTION removes the temporary file');
kill_all($node);
$node->start;
is(sql('SELECT count(*) FROM large'), LARGE + 300_000,
	'after a crash the records of a prepared large transaction are not seen');
sql(q{COMMIT PREPARED 'spilled'});
is(sql('SELECT count(*) FROM large'), LARGE + 600_000,
	'committed, all records of the prepared large transaction are seen');

# ---- a crowd of partitions ---------------------------------------------------

# Open batches alone would take more than is allowed.
sql(q{SELECT create_topic('wide', partitions => 200)});
$session = open_session($node);
$pid = $session->run('SELECT pg_backend_pid()');
$session->run(q{SET pg_topics.buffer_memory = '64kB'; BEGIN});
my $before = memory($pid);
run_watched($session, $pid, q{
	INSERT INTO wide (partition, value) SELECT n % 200, n || repeat('x', 500) FROM (SELECT generate_series(1, 20000) AS n) AS s});
note(sprintf('200 partitions, 10 MB pending: %.1f MB more', $peak - $before));
is_bounded($peak - $before, 8, 'memory is bounded with many partitions');
$session->run('COMMIT');
$session->close;
is(sql('SELECT count(DISTINCT value), bool_and(split_part(value, $$x$$, 1)::int % 200 = partition) FROM wide'),
	'20000|t', 'a transaction to 200 partitions puts each record into its partition');
is(sql(q{
	SELECT count(*) FROM (SELECT split_part(value, 'x', 1)::int - lag(split_part(value, 'x', 1)::int) OVER (PARTITION BY partition ORDER BY record_offset) AS step FROM wide) AS s
	WHERE step <> 200}), '0', 'in each of 200 partitions the records are in the order of producing');

# ---- random trees of savepoints ----------------------------------------------

my $settings = q{SET pg_topics.batch_size = '1kB'; SET pg_topics.buffer_memory = '64kB';};
sql(q{
	CREATE SEQUENCE numbers;
	-- some records, with the same in the table; numbers only ever go up
	CREATE FUNCTION send_some(client int, count int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. count LOOP
			PERFORM send(client, nextval('numbers')::int, 1, (random() * 2)::int, (random() ^ 4 * 3000)::int);
		END LOOP;
	END $$;
	-- blocks within blocks, some of which fail
	CREATE FUNCTION tree(client int, depth int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 0 .. (random() * 3)::int LOOP
			PERFORM send_some(client, (random() * 15)::int);
			BEGIN
				IF depth > 0 THEN
					PERFORM tree(client, depth - 1);
				END IF;
				PERFORM send_some(client, (random() * 5)::int);
				IF random() < 0.4 THEN
					RAISE 'undo';
				END IF;
			EXCEPTION WHEN raise_exception THEN
				PERFORM send_some(client, (random() * 3)::int);
			END;
		END LOOP;
	END $$;
});

# By savepoints: any of those alive may be rolled back to or released.
sub random_transaction
{
	my ($client) = @_;
	my @alive;
	my $names = 0;
	my $script = "BEGIN;\n";

	foreach my $step (1 .. 20 + int(rand(60)))
	{
		my $what = rand();

		if ($what < 0.45)
		{
			$script .= sprintf("SELECT send_some(%d, %d);\n", $client, 1 + int(rand(40)));
		}
		elsif ($what < 0.7 || !@alive)
		{
			push @alive, 's' . ++$names;
			$script .= "SAVEPOINT $alive[-1];\n";
		}
		else
		{
			# rolling back to one, or releasing it, ends those after it
			my $n = int(rand(@alive));
			my $release = $what < 0.82;

			$script .= ($release ? 'RELEASE ' : 'ROLLBACK TO ') . "$alive[$n];\n";
			$#alive = $release ? $n - 1 : $n;
		}
		$script .= "DO \$\$ BEGIN PERFORM flush(); END \$\$;\n" if !@alive && rand() < 0.05;
	}
	return $script . (rand() < 0.85 ? 'COMMIT' : 'ROLLBACK') . ";\n";
}

# offsets that no record has, left by what was appended and rolled back
my $aborted = q{
	SELECT sum(log_end_offset) - (SELECT count(*) FROM events) FROM pg_topic_partitions WHERE topic = 'events'::regclass};

foreach my $round (1 .. 3)
{
	sql($settings . join '', map { random_transaction($round) } 1 .. 15);
	check_events($node, "savepoints, round $round: topic and table agree");
	my $lost = sql($aborted);
	sql($settings . qq{SELECT setseed(@{[ rand() ]});} . qq{SELECT tree($round + 10, 4);} x 5);
	check_events($node, "blocks, round $round: topic and table agree");
	is(sql($aborted), $lost, "blocks, round $round: what was rolled back takes no offsets");
}
note(sql('SELECT count(*) FROM sent') . ' records');
cmp_ok(sql('SELECT count(*) FROM sent'), '>', 1000, 'the random transactions have left many records');
$node->poll_query_until('postgres', q{SELECT temp_files > 10 FROM pg_stat_database WHERE datname = 'postgres'});
cmp_ok(sql(q{SELECT temp_files FROM pg_stat_database WHERE datname = 'postgres'}), '>', 10,
	'the random transactions needed many temporary files');
wait_resolved($node);
$node->restart;
check_events($node, 'after a restart topic and table agree');
$node->stop;

done_testing();
