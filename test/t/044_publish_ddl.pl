# Random DDL on published tables, between random changes: columns, keys and topics are
# renamed, dropped and altered, partitions come and go.  Each statement is done or refused,
# but then no change of the rows may fail, and the topic of the rows must be the table: the
# same keys at once, and the same values after each row has changed.
#
# Files under test: src/publish/publish_ddl.c, published_columns.c, published_keys.c,
# published_partitions.c, publishing_trigger.c.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 250;
my $seed = $ENV{TOPIC_TEST_SEED} // int(rand(2**31));
srand($seed);
note("TOPIC_TEST_SEED=$seed");

sub number { return int(rand($_[0])); }
sub one_of { return $_[ rand @_ ]; }

my $node = new_node('main', settings => ['fsync = off']);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE SCHEMA s;
	CREATE TABLE s.plain (id int PRIMARY KEY, c1 text, c2 int, c3 varchar(100), c4 text);
	CREATE TABLE s.parted (id int PRIMARY KEY, c1 text, c2 int, c4 text) PARTITION BY RANGE (id);
	CREATE TYPE s.color AS ENUM ('red', 'green');
	CREATE TABLE s.pair (a int, c1 text, b s.color, c4 text, PRIMARY KEY (a, b));
	INSERT INTO s.plain SELECT i, 'first' FROM generate_series(1, 30) i;
	INSERT INTO s.pair SELECT i, 'first', 'red' FROM generate_series(1, 30) i;
});
foreach my $n (0 .. 4)
{
	$node->safe_psql('postgres', "CREATE TABLE s.part_$n PARTITION OF s.parted FOR VALUES FROM (${n}0) TO (" . ($n + 1) . '0)');
}
$node->safe_psql('postgres', q{
	INSERT INTO s.parted SELECT i, 'first' FROM generate_series(1, 30) i;
	SELECT publish_table(t, format => 'row', exclude => 'c4', snapshot => true, partitions => 2)
	FROM unnest('{s.plain,s.parted,s.pair}'::regclass[]) t});

my $session = open_session($node);
$session->run('SET client_min_messages = warning; SET search_path = public, r, s');
my %table = map { $_ => $session->run("SELECT 's.$_'::regclass::oid") } qw(plain parted pair);
my %topic = map { $_ => $session->run("SELECT 's.${_}_changes'::regclass::oid") } qw(plain parted pair);

# what names are now
sub name { return $session->run("SELECT $_[0]::regclass"); }
sub rows { return $session->run($_[0]); }

# some column, and the columns of the key
sub column { return rows("SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $_[0] AND attnum > 0 AND NOT attisdropped ORDER BY random() LIMIT 1"); }

sub keys_of
{
	return split /\n/, rows("SELECT quote_ident(attname) FROM pg_index, unnest(indkey) WITH ORDINALITY AS k (n, i), pg_attribute
		WHERE indrelid = $_[0] AND indisprimary AND attrelid = indrelid AND attnum = n ORDER BY i");
}

# some partition, and some table that is none
sub partition { return rows("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = $table{parted} ORDER BY random() LIMIT 1"); }
sub loose { return rows("SELECT oid::regclass FROM pg_class WHERE relname LIKE 'part_%' AND relkind = 'r' AND NOT relispartition ORDER BY random() LIMIT 1"); }

# the range of a new partition; it may be taken
sub bounds
{
	my $n = number(6);
	return "FOR VALUES FROM (${n}0) TO (" . ($n + 1) . '0)';
}

# a statement that alters a table, or NULL
sub ddl
{
	my ($kind) = @_;
	my ($table, $topic) = (name($table{$kind}), name($topic{$kind}));
	my $new = one_of('C7', 'C"8', 'c9', 'c10', 'c11') . number(10);
	my $column = column($table{$kind});
	my $type = one_of('int', 'bigint', 'text', 'varchar(100)', 'numeric');
	my $cascade = '';

	$new =~ s/"/""/g;
	return one_of(
		qq{ALTER TABLE $table RENAME $column TO "$new"}, qq{ALTER TABLE $table RENAME $column TO "$new"},
		qq{ALTER TABLE $table DROP $column},
		qq{ALTER TABLE $table ADD "$new" $type},
		qq{ALTER TABLE $table ALTER $column TYPE $type},
		qq{ALTER TABLE $table ALTER $column TYPE $type USING NULL},
		sprintf('ALTER TABLE %s DROP CONSTRAINT %s_pkey', $table, $kind),
		sprintf('ALTER TABLE %s DROP CONSTRAINT %s_pkey, ADD CONSTRAINT %2$s_pkey PRIMARY KEY (%s)', $table, $kind, one_of(join(', ', keys_of($table{$kind})), $column)),
		"ALTER FOREIGN TABLE $topic RENAME TO " . one_of('one', 'two', '"the third"', 'four') . number(10),
		"ALTER FOREIGN TABLE $topic ALTER value TYPE " . one_of('int', 'text', 'json', 'jsonb'),
		"DROP FOREIGN TABLE $topic",
		"ALTER TABLE $table SET SCHEMA " . one_of('public', 'r'),
		"ALTER FOREIGN TABLE $topic SET SCHEMA " . one_of('public', 'r'),
		one_of('ALTER SCHEMA s RENAME TO r', 'ALTER SCHEMA r RENAME TO s'),
		one_of("ALTER TYPE color RENAME VALUE 'red' TO 'blue'", "ALTER TYPE color ADD VALUE '$new'"),
		"TRUNCATE $table") if $kind ne 'parted' || number(3) == 0;

	my ($partition, $loose) = (partition(), loose());
	my ($attribute) = keys_of($table{parted});
	return one_of(
		"ALTER TABLE $table DETACH PARTITION $partition",
		"ALTER TABLE $table DETACH PARTITION $partition CONCURRENTLY",
		"DROP TABLE $partition", "TRUNCATE $partition",
		"DELETE FROM $partition; DROP TABLE $partition",
		"DELETE FROM $partition; ALTER TABLE $table DETACH PARTITION $partition",
		"CREATE TABLE part_" . number(1000) . " PARTITION OF $table " . bounds(),
		"CREATE TABLE part_" . number(1000) . " (LIKE $table INCLUDING ALL)",
		$loose eq '' ? 'SELECT 1' : ("ALTER TABLE $table ATTACH PARTITION $loose " . bounds(), "INSERT INTO $loose ($attribute) VALUES (" . number(50) . ')',
			"DELETE FROM $loose; ALTER TABLE $table ATTACH PARTITION $loose " . bounds()));
}

# Change some rows; returns the error, if it is not one of the table's own.
sub change
{
	my ($kind) = @_;
	my ($table, $key, $second) = (name($table{$kind}), keys_of($table{$kind}));
	my ($a, $b) = (number(50), number(50));
	my $row = $second ? "($key, $second) VALUES ($a, '" . one_of('red', 'green') . "')" : "($key) VALUES ($a)";
	my $problem = '';

	foreach my $statement ("INSERT INTO $table $row ON CONFLICT DO NOTHING", "UPDATE $table SET $key = $b WHERE $key = $a",
		"DELETE FROM $table WHERE $key = " . number(50))
	{
		my (undef, $error) = $session->both($statement);
		$problem .= "$statement: $error\n" if $error ne '' && $error !~ /no partition of relation|duplicate key/;
	}
	return $problem;
}

# What the table and its topic differ by.
sub differ
{
	my ($kind) = @_;
	my ($table, $topic, $key, $second) = (name($table{$kind}), name($topic{$kind}), keys_of($table{$kind}));
	my $json = $second ? "(SELECT to_jsonb(k) FROM (SELECT t.$key, t.$second) k)" : "to_jsonb(t.$key)";
	my $joined = "FROM $table t FULL JOIN latest(NULL::$topic) l ON l.key::jsonb = $json";
	my $keys = rows("SELECT string_agg(coalesce(l.key, '') || '/' || coalesce(t.$key\::text, ''), ' ') $joined WHERE l.key IS NULL OR t.$key IS NULL");

	return "keys: $keys" if $keys ne '';
	rows("UPDATE $table SET $key = $key");
	my $values = rows("SELECT string_agg(concat_ws(' ', l.value, to_jsonb(t)), E'\\n') $joined WHERE NOT to_jsonb(t) @> l.value::text::jsonb");
	return $values eq '' ? '' : "values: $values";
}

my ($done, $refused, @problems) = (0, 0);

foreach my $round (1 .. $rounds)
{
	my $kind = one_of('plain', 'pair', 'parted', 'parted');
	my $statement = ddl($kind);
	my $transaction = $statement =~ /CONCURRENTLY/ ? $statement : "BEGIN; $statement; " . one_of('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK');
	my (undef, $error) = $session->both($transaction);

	$error =~ /ERROR/ ? $refused++ : $done++;
	push @problems, "server: $error" if $error =~ /XX000|connection|concurrently updated/;
	push @problems, grep { $_ ne '' } map { change($_) } qw(plain parted pair);
	if ($round % 5 == 0 && !@problems)
	{
		my %differ = map { $_ => differ($_) } qw(plain parted pair);
		push @problems, map { "$_: $differ{$_}" } grep { $differ{$_} ne '' } sort keys %differ;
	}
	next if !@problems;
	diag("round $round: $transaction\n$error");
	last;
}
is(join("\n", @problems), '', "tables and topics were the same through $rounds rounds of DDL");
cmp_ok($done, '>', $rounds / 10, 'much was done');
cmp_ok($refused, '>', $rounds / 10, 'and much refused');
is(rows(q{SELECT count(*) FROM pg_trigger WHERE tgfoid = 'publish_changes'::regproc AND tgparentid = 0}), '12', 'the triggers are all there');
note("$done done, $refused refused");

$session->close;
$node->stop;
done_testing();
