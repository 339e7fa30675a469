# The order of published changes, with random other triggers on the table: before and
# after the change, for each row and for each statement, deferred to the commit, with any
# names, nested and failing; they change the same rows again.  A reader that follows the
# topic must find in each record's "before" the row as the records up to there have left
# it, and at the end the table.  The triggers of publish_table() for each row publish all
# of it; those that are fired for queued events or for statements may refuse, and must
# not publish anything out of order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 60;
my $seed = $ENV{TOPIC_TEST_SEED} // 20240501;
my $refusal = 'cannot publish changes in the order in which they were made';

# a generator of our own: the same numbers everywhere
sub number { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int($seed / 65536) % $_[0]; }
sub one_of { return $_[number(scalar @_)]; }

my $node = new_node('main', settings => [ 'fsync = off' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE by_condition (id int PRIMARY KEY, n int);
	CREATE TABLE in_parts (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
	CREATE TABLE part_1 PARTITION OF in_parts FOR VALUES FROM (MINVALUE) TO (6);
	CREATE TABLE part_2 (n int, id int NOT NULL);
	ALTER TABLE in_parts ATTACH PARTITION part_2 FOR VALUES FROM (6) TO (MAXVALUE);
	CREATE TABLE by_statement (LIKE by_condition INCLUDING ALL);
	CREATE TABLE hand_first (LIKE by_condition INCLUDING ALL);
	CREATE TABLE hand_last (LIKE by_condition INCLUDING ALL);
	CREATE TABLE hand_deferred (LIKE by_condition INCLUDING ALL);
	SELECT publish_table(t, for_each => CASE t WHEN 'by_statement'::regclass THEN 'statement' ELSE 'row' END,
		before => 'full', partitions => 3)
	FROM unnest('{by_condition,in_parts,by_statement}'::regclass[]) AS t;
	SELECT publish_table('by_condition', 'rows_of_by_condition', 'row');
	SELECT create_topic(t || '_changes', 3, value_type => 'jsonb') FROM unnest('{hand_first,hand_last,hand_deferred}'::text[]) AS t;
	CREATE TRIGGER " first" AFTER INSERT OR UPDATE OR DELETE ON hand_first FOR EACH ROW
		EXECUTE FUNCTION publish_changes('hand_first_changes', 'before=full');
	CREATE TRIGGER zz_last AFTER INSERT OR UPDATE OR DELETE ON hand_last FOR EACH ROW
		EXECUTE FUNCTION publish_changes('hand_last_changes', 'before=full');
	CREATE CONSTRAINT TRIGGER middle AFTER INSERT OR UPDATE OR DELETE ON hand_deferred
		INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION publish_changes('hand_deferred_changes', 'before=full');

	-- runs its arguments, up to some depth, and not too often; the first says whether a failure ends the statement
	CREATE FUNCTION interfere() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		-- deferred triggers that wake each other would never end
		IF pg_trigger_depth() <= 3 AND current_setting('test.budget', true)::int > 0 THEN
			PERFORM set_config('test.budget', (current_setting('test.budget')::int - 1)::text, false);
			FOR i IN 1 .. tg_nargs - 1 LOOP
				IF tg_argv[0] = 'fails' THEN
					EXECUTE tg_argv[i];
				ELSE
					BEGIN
						EXECUTE tg_argv[i];
					EXCEPTION WHEN OTHERS THEN NULL;
					END;
				END IF;
			END LOOP;
		END IF;
		RETURN CASE WHEN tg_op = 'DELETE' THEN old ELSE new END;
	END $$;
});

# a statement that changes some of ten rows
sub change
{
	my ($table) = @_;
	my ($a, $b) = (number(10), number(10));

	return one_of(
		"INSERT INTO $table VALUES ($a, 1) ON CONFLICT (id) DO UPDATE SET n = $table.n + 1",
		"INSERT INTO $table SELECT i, $b FROM generate_series($a, $a + 2) AS i ON CONFLICT DO NOTHING",
		"UPDATE $table SET n = n + 1 WHERE id = $a",
		"UPDATE $table SET n = n * 2 WHERE id BETWEEN $a AND $a + 3",
		"UPDATE $table SET id = $b WHERE id = $a AND NOT EXISTS (SELECT FROM $table WHERE id = $b)",
		"DELETE FROM $table WHERE id = $a",
		"DELETE FROM $table WHERE id IN ($a, $b)",
		"WITH gone AS (DELETE FROM $table WHERE id = $a RETURNING n) INSERT INTO $table SELECT 10 + $a, n FROM gone ON CONFLICT DO NOTHING",
		"UPDATE $table SET id = id + 10 WHERE id < 5 AND id + 10 NOT IN (SELECT id FROM $table)");
}

# triggers that interfere; the statement that makes one
sub interfering
{
	my ($table, $i) = @_;
	my $name = one_of('Aa', 'b', 'o', 'publish_a', 'publish_z', 'zzz') . $i;
	my $arguments = join(', ', "'" . one_of('fails', 'goes on') . "'", map { my $sql = change($table); $sql =~ s/'/''/g; "'$sql'" } 0 .. number(2));
	my $events = one_of('INSERT', 'UPDATE', 'DELETE', 'INSERT OR UPDATE', 'INSERT OR UPDATE OR DELETE');

	return "CREATE CONSTRAINT TRIGGER $name AFTER $events ON $table INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION interfere($arguments)"
	  if number(5) == 0;
	return sprintf("CREATE TRIGGER $name %s $events ON $table FOR EACH %s EXECUTE FUNCTION interfere($arguments)",
		one_of('BEFORE', 'AFTER', 'AFTER'), one_of('ROW', 'ROW', 'STATEMENT'));
}

# a transaction
sub transaction
{
	my ($table) = @_;
	my @statements = ("SET test.budget = 20", 'BEGIN', change($table));

	push @statements, change($table) while number(3);
	push @statements, 'SAVEPOINT s', change($table), 'ROLLBACK TO s', change($table) if number(4) == 0;
	push @statements, "TRUNCATE $table" if number(15) == 0 && $table !~ /hand/;
	return @statements, number(8) ? 'COMMIT' : 'ROLLBACK';
}

# Run statements in one session, going on after errors; returns the messages.
sub run
{
	my ($file, $err) = ($node->basedir . '/round.sql', '');

	unlink $file;
	append_to_file($file, join(";\n", @_, ''));
	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $file ], '<', \undef, '>', \my $out, '2>', \$err);
	return $err;
}

# what a reader has: table => {key => row}, and where it goes on: table => {partition => offset}
my (%copy, %next);

# Follow a topic; what is wrong with a record, if anything is.
sub follow
{
	my ($table) = @_;
	my $rows = $copy{$table} //= {};

	foreach my $partition (0 .. 2)
	{
		my $from = $next{$table}{$partition} //= 0;
		my $records = $node->safe_psql('postgres', qq{SELECT record_offset, key, value ->> 'op', value -> 'before', value -> 'after'
			FROM ${table}_changes WHERE partition = $partition AND record_offset >= $from ORDER BY record_offset});

		foreach (split /\n/, $records)
		{
			my ($offset, $key, $op, $before, $after) = split /\|/;

			$next{$table}{$partition} = $offset + 1;
			delete @$rows{ grep { $rows->{$_}{partition} == $partition } keys %$rows }, next if $op eq 't';
			return "partition $partition offset $offset: $_" if ($rows->{$key}{row} // 'null') ne $before;
			$rows->{$key} = { row => $after, partition => $partition };
			delete $rows->{$key} if $op eq 'd';
		}
	}
	my $now = $node->safe_psql('postgres', "SELECT id || '|' || to_jsonb(t) FROM $table t ORDER BY id");
	my $copied = join("\n", map { "$_|$rows->{$_}{row}" } sort { $a <=> $b } keys %$rows);
	return $now eq $copied ? '' : "table:\n$now\ncopy:\n$copied";
}

my %refused;
my @problems;

foreach my $round (1 .. $rounds)
{
	my $table = (qw(by_condition in_parts by_statement hand_first hand_last hand_deferred))[$round % 6];
	my @triggers = map { interfering($table, $_) } 0 .. number(4);
	my @statements = map { transaction($table) } 1 .. 8;
	my $errors = run(@triggers, @statements);
	my $problem = follow($table);

	$refused{$table} += () = $errors =~ /$refusal/g;
	push @problems, "round $round, $table: $problem\n" . join(";\n", @triggers, @statements) if $problem ne '';
	last if @problems;
	$node->safe_psql('postgres', join(';', map { /TRIGGER (\S+)/; "DROP TRIGGER IF EXISTS $1 ON $table" } @triggers));
}
is(join("\n", @problems), '',
	"in $rounds rounds each record shows the row as the records before it have left it");
is($refused{by_condition} + $refused{in_parts}, 0,
	'the triggers that publish_table() makes for each row refuse no change');
cmp_ok($refused{$_}, '>', 0,
	"the trigger of $_ refuses changes that it could not publish in order") foreach qw(by_statement hand_first hand_last);
is($node->safe_psql('postgres', q{SELECT count(*) FROM by_condition t FULL JOIN latest(NULL::rows_of_by_condition) l ON l.key = t.id::text
	WHERE l.value IS DISTINCT FROM to_jsonb(t)}), '0',
	'latest() of the topic of rows has the same rows as the table') unless grep { /TRUNCATE/ } @problems;
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM ${_}_changes"), '>', 50,
	"more than 50 changes of $_ were published")
  foreach qw(by_condition in_parts hand_last);
# deferred events of nested statements come in the order of these, but for functions inside of one
diag("refusals: " . join(', ', map { "$_ $refused{$_}" } sort keys %refused));

$node->stop;
done_testing();
