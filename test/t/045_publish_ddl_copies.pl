# Files under test: src/publish/publish_ddl.c, published_columns.c, published_keys.c,
# published_partitions.c, publishing_trigger.c.
# Random DDL on published tables, their types, partitions and topics, beside and between
# random changes, in two sessions at once.  Whatever is followed or refused: a reader that keeps
# the last value of each key has as many rows as the table, and, once each row has been changed,
# the same ones.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 14;
my $seed = $ENV{TOPIC_TEST_SEED} // 20261129;

# a generator of our own: the same numbers everywhere
sub number { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int($seed / 65536) % $_[0]; }
sub one_of { return $_[number(scalar @_)]; }

my $node = new_node('main', settings => [ 'fsync = off' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE SCHEMA other;
	CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e');
	CREATE TYPE place AS (x int, y text);
	CREATE DOMAIN moods AS mood[];
	CREATE TABLE plain (id int PRIMARY KEY, touched int, v text, w place, m mood, n int GENERATED ALWAYS AS (id * 2) STORED);
	CREATE TABLE paired (id int, b text, touched int, v text, PRIMARY KEY (id, b));
	CREATE TABLE typed (id int, m moods, touched int, v place, PRIMARY KEY (id, m));
	CREATE TABLE statements (LIKE plain INCLUDING ALL);
	CREATE TABLE parents (id int PRIMARY KEY, touched int, v text);
	CREATE TABLE children (PRIMARY KEY (id)) INHERITS (parents);
	CREATE TABLE parted (id int PRIMARY KEY, touched int, v text) PARTITION BY RANGE (id);
	CREATE TABLE part_0 PARTITION OF parted FOR VALUES FROM (0) TO (3);
	CREATE TABLE part_1 (v text, gone int, id int NOT NULL, touched int);
	ALTER TABLE part_1 DROP gone;
	ALTER TABLE parted ATTACH PARTITION part_1 FOR VALUES FROM (3) TO (6);
	CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (6) TO (9) PARTITION BY LIST (id);
	CREATE TABLE part_20 PARTITION OF part_2 DEFAULT;
	CREATE TABLE part_d PARTITION OF parted DEFAULT;
	CREATE TABLE topics (source regclass, topic regclass);
	INSERT INTO topics SELECT t, publish_table(t, format => 'row', partitions => 2,
		for_each => CASE t WHEN 'statements'::regclass THEN 'statement' ELSE 'row' END)
	FROM unnest('{plain,paired,typed,statements,parents,children,parted}'::regclass[]) t;
	CREATE TABLE copy (topic regclass, key text, value jsonb, PRIMARY KEY (topic, key));

	CREATE FUNCTION follow(of regclass) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE r record;
	BEGIN
		FOR r IN SELECT key, value::jsonb FROM consume(of, 'copy', max_records => 1000000) LOOP
			DELETE FROM copy WHERE topic = of AND key = r.key;
			INSERT INTO copy SELECT of, r.key, r.value WHERE r.value IS NOT NULL;
		END LOOP;
	END $$;
	-- what table and copy differ by; with "number" only in the number of rows
	CREATE FUNCTION differ(of regclass, number bool) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE result text;
	BEGIN
		EXECUTE format('SELECT string_agg(format(''table %%s copy %%s %%s'', r.value, c.key, c.value), E''\n'')
			FROM (SELECT to_jsonb(t) AS value, row_number() OVER (PARTITION BY CASE WHEN NOT $2 THEN to_jsonb(t) END) AS i FROM %s %s t) r
			FULL JOIN (SELECT key, value, row_number() OVER (PARTITION BY CASE WHEN NOT $2 THEN value END) AS i FROM copy WHERE topic = $1) c
			ON r.i = c.i AND ($2 OR r.value = c.value) WHERE r.value IS NULL OR c.value IS NULL',
			(SELECT CASE WHEN relkind <> 'p' THEN 'ONLY' END FROM topics JOIN pg_class c ON c.oid = source WHERE topic = of),
			(SELECT source FROM topics WHERE topic = of))
		INTO result USING of, number;
		RETURN result;
	END $$;
});
my @tables = qw(plain paired typed statements parents children parted);
my %keys = (paired => [ 'id, b', "'k'" ], typed => [ 'id, m', q{'{a,b}'} ]);

# a change of some rows
sub change
{
	my ($table) = @_;
	my ($a, $b) = (number(12), number(12));
	my ($names, $more) = @{ $keys{$table} // [ 'id', '' ] };
	my $row = $more eq '' ? $a : "$a, $more";

	return one_of(
		"INSERT INTO $table ($names) VALUES ($row) ON CONFLICT DO NOTHING",
		"INSERT INTO $table ($names) VALUES ($row) ON CONFLICT ($names) DO UPDATE SET touched = 1",
		"UPDATE $table SET touched = $b WHERE id BETWEEN $a AND $a + 3",
		"UPDATE $table SET id = $b WHERE id = $a",
		"DELETE FROM $table WHERE id = $a",
		"DELETE FROM $table WHERE id BETWEEN $a AND $b",
		"WITH gone AS (DELETE FROM $table WHERE id = $a RETURNING *) INSERT INTO $table ($names) SELECT $names FROM gone LIMIT 1");
}

# a statement that alters something of a table
sub alteration
{
	my ($table) = @_;
	my $name = one_of(qw(v w m x y b id n));
	my $to = one_of(qw(v w m x y b id));
	my $part = one_of(qw(part_0 part_1 part_2 part_20 part_d part_3));
	my $topic = $table . '_changes';
	my $bounds = $part eq 'part_d' ? 'DEFAULT' : $part eq 'part_20' ? 'IN (6)' : 'FOR VALUES FROM (' . number(10) . ') TO (' . (3 + number(10)) . ')';

	return one_of(
		"ALTER TABLE $table RENAME $name TO $to",
		"ALTER TABLE $table ADD $to " . one_of('int', 'text DEFAULT 5', 'mood', 'place', 'serial', 'int GENERATED ALWAYS AS (id + 1) STORED'),
		"ALTER TABLE $table DROP $name",
		"ALTER TABLE $table DROP $name, ADD $name text",
		"ALTER TABLE $table ALTER $name TYPE " . one_of('text', 'bigint', 'varchar(3)', 'jsonb USING to_jsonb(' . $name . ')'),
		"ALTER TABLE $table DROP CONSTRAINT ${table}_pkey, ADD PRIMARY KEY (" . ($keys{$table} // [ 'id' ])->[0] . ')',
		"ALTER TABLE $table DROP CONSTRAINT ${table}_pkey",
		"TRUNCATE $table",
		"ALTER TABLE $table SET SCHEMA other",
		"ALTER TABLE other.$table SET SCHEMA public",
		"ALTER FOREIGN TABLE $topic RENAME TO ${topic}_2",
		"ALTER FOREIGN TABLE ${topic}_2 RENAME TO $topic",
		"ALTER FOREIGN TABLE $topic ALTER key TYPE " . one_of('varchar', 'text', 'jsonb', 'bytea'),
		"ALTER FOREIGN TABLE $topic SET SCHEMA other",
		"ALTER FOREIGN TABLE other.$topic SET SCHEMA public",
		"ALTER TABLE $table " . one_of('SET UNLOGGED', 'SET LOGGED', 'REPLICA IDENTITY FULL', 'CLUSTER ON ' . $table . '_pkey'),
		"ALTER TYPE mood RENAME VALUE '" . one_of('a' .. 'f') . "' TO '" . one_of('a' .. 'f') . "'",
		"ALTER TYPE place ADD ATTRIBUTE z int CASCADE",
		"ALTER TYPE place DROP ATTRIBUTE " . one_of('y', 'z') . ' CASCADE',
		"ALTER TYPE place RENAME ATTRIBUTE x TO y CASCADE",
		"ALTER SCHEMA other RENAME TO another",
		"ALTER SCHEMA another RENAME TO other",
		"ALTER TABLE children " . one_of('NO INHERIT parents', 'INHERIT parents'),
		"ALTER TABLE statements INHERIT parents",
		"ALTER TABLE " . one_of('parted', 'part_2') . " DETACH PARTITION $part" . one_of('', '', ' CONCURRENTLY', ' FINALIZE'),
		"ALTER TABLE " . one_of('parted', 'parted', 'part_2') . " ATTACH PARTITION $part $bounds",
		"CREATE " . one_of('', 'UNLOGGED ') . "TABLE $part PARTITION OF " . one_of('parted', 'part_2') . " $bounds",
		"DROP TABLE $part",
		"TRUNCATE $part",
		"DELETE FROM $part");
}

# a transaction
sub transaction
{
	my ($table) = @_;
	my @statements;

	# some DDL runs outside of transaction blocks alone
	return number(2) ? alteration($table) : change($table) if number(3) == 0;
	push @statements, number(2) ? change($table) : alteration($table) for 0 .. number(4);
	@statements = map { number(8) ? $_ : ('SAVEPOINT s', $_, 'ROLLBACK TO s') } @statements;
	@statements = map { my $sql = $_; $sql =~ /SAVEPOINT|ROLLBACK/ ? $sql :
		number(3) ? "DO \$do\$ BEGIN $sql; EXCEPTION WHEN OTHERS THEN NULL; END \$do\$" : $sql } @statements;
	return ('BEGIN', @statements, number(6) ? 'COMMIT' : 'ROLLBACK');
}

# Run the scripts at once, going on after errors; returns the messages.
sub run_all
{
	my (@scripts) = @_;
	my @runs;

	foreach my $i (0 .. $#scripts)
	{
		my $file = $node->basedir . "/session$i.sql";

		unlink $file;
		append_to_file($file, join(";\n", "SET search_path = public, other, another", "SET lock_timeout = '1s'", @{ $scripts[$i] }, ''));
		push @runs, { err => '', out => '' };
		$runs[-1]{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $file ],
			'<', \undef, '>', \$runs[-1]{out}, '2>', \$runs[-1]{err});
	}
	$_->{run}->finish foreach @runs;
	return join('', map { $_->{err} } @runs);
}

# What differs between a table and its copy, if anything does.
sub compare
{
	my ($table) = @_;
	my $problem = '';

	foreach my $number ('true', 'false')
	{
		$node->safe_psql('postgres', qq{DO \$\$ BEGIN EXECUTE format('UPDATE %s SET touched = coalesce(touched, 0) + 1', (SELECT source FROM topics WHERE source::text ~ '\\m$table\$')); END \$\$})
		  if $number eq 'false';
		$problem = $node->safe_psql('postgres', qq{SELECT follow(topic) FROM topics WHERE source::text ~ '\\m$table\$';
			SELECT differ(topic, $number) FROM topics WHERE source::text ~ '\\m$table\$'});
		$problem =~ s/^\n//;
		last if $problem ne '';
	}
	return $problem;
}

my ($problem, %followed, %refused) = ('');

foreach my $round (1 .. $rounds)
{
	my $table = $tables[ $round % @tables ];
	my @scripts = map { [ map { transaction($table) } 1 .. 12 ] } 1 .. 2;
	my $errors = run_all(@scripts);

	$refused{$1}++ while $errors =~ /ERROR:  (cannot \w+(?: \w+){0,2})/g;
	foreach my $other (@tables)
	{
		$problem = compare($other);
		next if $problem eq '';
		$problem = "round $round, $other: $problem\n" . join("\n--\n", map { join(";\n", @$_) } @scripts) . "\n$errors";
		last;
	}
	last if $problem ne '';
	is($node->safe_psql('postgres', 'SELECT count(DISTINCT tgrelid) FROM pg_trigger JOIN topics ON source = tgrelid'), scalar @tables, 'all are published') or last
	  if $round == $rounds;
}
is($problem, '', "after each of $rounds rounds of random DDL, copies are their tables");
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM copy'), '>', 5, 'there are rows');
diag("$_: $refused{$_}") foreach sort keys %refused;

$node->stop;
done_testing();
