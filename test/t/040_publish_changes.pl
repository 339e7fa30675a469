# A compacted topic as a replica: tables are changed by random transactions of
# several sessions (savepoints that are rolled back, keys that change, rows that
# move between partitions), each change is published in format "row", and the
# topics are compacted meanwhile, by the worker and by compact().  At every
# snapshot latest() must be the table, row by row; and so after a crash.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seconds = $ENV{TOPIC_TEST_SECONDS} // 8;
my @tables = qw(by_row by_statement parted);

my $node = new_node('main', settings => [
	'fsync = off', 'pg_topics.batch_size = 1kB', 'pg_topics.sync_interval = 1ms',
	'pg_topics.log_cleaner_enable = on', 'pg_topics.log_cleaner_backoff_ms = 20' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE by_row (id int PRIMARY KEY, n int, v text);
	CREATE TABLE by_statement (LIKE by_row INCLUDING ALL);
	CREATE TABLE parted (id int PRIMARY KEY, n int, v text) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (30);
	CREATE TABLE parted_2 (v text, n int, id int NOT NULL);
	ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (30) TO (MAXVALUE);

	-- one random change of a table, with keys out of a few, or one that fails
	CREATE FUNCTION change(t regclass) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		k int := random() * 60;
		-- few enough to meet, always in this order against deadlocks
		action int := random() * 8;
	BEGIN
		CASE
			WHEN action < 3 THEN
				EXECUTE format('INSERT INTO %s VALUES ($1, 1, repeat(md5($1::text), ($1 %% 5)))
					ON CONFLICT (id) DO UPDATE SET n = excluded.n + 1', t) USING k;
			WHEN action < 5 THEN
				EXECUTE format('UPDATE %s SET n = n + 1 WHERE id = $1', t) USING k;
			WHEN action < 6 THEN
				EXECUTE format('DELETE FROM %s WHERE id = $1', t) USING k;
			WHEN action < 7 THEN
				EXECUTE format('UPDATE %s SET id = (random() * 60)::int WHERE id = $1', t) USING k;
			ELSE
				EXECUTE format('UPDATE %s SET n = -n WHERE id BETWEEN $1 AND $1 + 3', t) USING k;
		END CASE;
		IF random() < 0.1 THEN
			RAISE division_by_zero;
		END IF;
	EXCEPTION WHEN unique_violation OR division_by_zero THEN
		NULL;
	END $$;

	-- a few of them
	CREATE PROCEDURE change_all() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. (1 + random() * 4)::int LOOP
			PERFORM change((ARRAY['by_row', 'by_statement', 'parted']::regclass[])[1 + floor(random() * 3)]);
		END LOOP;
		IF random() < 0.1 THEN
			ROLLBACK;
		END IF;
	END $$;

	-- rows by which a table and the topic of its rows differ
	CREATE FUNCTION differ(t text) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE n bigint;
	BEGIN
		EXECUTE format('SELECT count(*) FROM %1$I r FULL JOIN latest(NULL::%2$I) l ON r.id::text = l.key
			WHERE l.value IS DISTINCT FROM to_jsonb(r)', t, t || '_changes') INTO n;
		RETURN n;
	END $$;
});

# rows that are there before publishing begins
$node->safe_psql('postgres', "INSERT INTO $_ SELECT i, 0, 'first' FROM generate_series(1, 40, 2) AS i") foreach @tables;
$node->safe_psql('postgres', sprintf(q{SELECT publish_table('%s', format => 'row', partitions => 2, snapshot => true,
	for_each => '%s', config => '{"segment.bytes": 16384, "min.cleanable.dirty.ratio": 0, "delete.retention.ms": 0}')},
	$_, $_ eq 'by_statement' ? 'statement' : 'row')) foreach @tables;

my $script = $node->basedir . '/change.sql';
append_to_file($script, "CALL change_all();\n");

# Start the load; deadlocks are tried again.
sub start_load_of_changes
{
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', '4', '-T', $seconds, '--max-tries=100', '-f', $script, $node->connstr('postgres') ],
		'>', \my $out, '2>', \my $err);
}

# Compare at one snapshot after another while the load runs; how many, and what differed.
sub compare_while
{
	my ($running) = @_;
	my $session = open_session($node);
	my ($checks, @differences) = (0);

	while ($running->())
	{
		# the tables first, then the topics, and later, at the same snapshot
		my $found = $session->run(q{BEGIN ISOLATION LEVEL REPEATABLE READ;
			SELECT (SELECT count(*) FROM by_row), } . join(', ', map { "differ('$_')" } @tables));
		my $again = $session->run('SELECT ' . join(', ', map { "differ('$_')" } @tables) . '; COMMIT');

		push @differences, "$found then $again" if "$found|$again" !~ /^\d+\|0\|0\|0\|0\|0\|0$/;
		$session->run("SELECT * FROM compact('$_" . "_changes')") foreach ($checks % 5 == 0 ? @tables : ());
		$checks++;
	}
	$session->close;
	return ($checks, @differences);
}

my $load = start_load_of_changes();
my ($checks, @differences) = compare_while(sub { $load->pump_nb; $load->pumpable });
ok($load->finish, 'pgbench ran without an error to the end of its time');
cmp_ok($checks, '>', 10, 'the topics were compared with the tables at more than ten snapshots');
is(join("\n", @differences), '',
	'at each snapshot latest() had the same rows as the table') or diag("after $checks checks");

my $counts = $node->safe_psql('postgres', q{
	SELECT sum(records_in) > 1000, sum(records_compacted) > 100, sum(compactions) > 10, sum(errors)
	FROM pg_stat_topics});
is($counts, 't|t|t|0', 'more than 1000 records were produced and more than 100 compacted, without an error');
isnt($node->safe_psql('postgres', 'SELECT count(*) FROM by_row'), '0',
	'the table has rows that can be compared');

# a crash in mid-load
$load = start_load_of_changes();
usleep(1_000_000 * ($seconds > 2 ? 2 : $seconds / 2));
kill_all($node);
$load->finish;
$node->start;
is($node->safe_psql('postgres', 'SELECT ' . join(', ', map { "differ('$_')" } @tables)), '0|0|0',
	'after a crash latest() has the same rows as the table');
$node->safe_psql('postgres', "SELECT * FROM compact('$_" . "_changes')") foreach @tables;
is($node->safe_psql('postgres', 'SELECT ' . join(', ', map { "differ('$_')" } @tables)), '0|0|0',
	'after the crash and a compaction latest() has the same rows as the table');

$node->stop;
done_testing();
