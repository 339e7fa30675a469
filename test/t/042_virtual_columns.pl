# File under test: src/publish/change_publisher.c.
# Virtual generated columns are in no row that a trigger sees: they are not published,
# and naming one is an error.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
plan skip_all => 'virtual generated columns came with PostgreSQL 18' if $node->pg_version < 18;
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# A table with a trigger of these arguments.
sub publish
{
	my ($table, @arguments) = @_;

	sql(qq{
		CREATE TABLE $table (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL,
			thrice int GENERATED ALWAYS AS (a * 3) STORED);
		SELECT create_topic('${table}_changes')});
	sql("CREATE TRIGGER publish AFTER INSERT OR UPDATE OR DELETE ON $table FOR EACH ROW EXECUTE FUNCTION publish_changes("
		. join(', ', map { "'$_'" } "${table}_changes", @arguments) . ')');
	return;
}

# The error of an insert into it.
sub refused
{
	my ($table) = @_;
	my ($code, undef, $stderr) = $node->psql('postgres', "INSERT INTO $table (id, a) VALUES (1, 1)");

	isnt($code, 0, "an insert into $table is an error");
	return $stderr;
}

sql('CREATE EXTENSION pg_topics');
publish('plain', 'format=row');
sql('INSERT INTO plain (id, a) VALUES (1, 10)');
is(sql(q{SELECT value FROM plain_changes}), '{"id":1,"a":10,"thrice":30}',
	'a virtual generated column is not published, a stored one is');

publish('whole', 'before=full');
sql('INSERT INTO whole (id, a) VALUES (1, 10); UPDATE whole SET a = 11');
unlike(sql(q{SELECT string_agg(value, ' ') FROM whole_changes}), qr/twice/,
	'the old row is published without the virtual column, too');

publish('rest', 'exclude=twice,thrice', 'format=row');
sql('INSERT INTO rest (id, a) VALUES (1, 10)');
is(sql(q{SELECT value FROM rest_changes}), '{"id":1,"a":10}',
	'a virtual column may be named among the columns that are left out');

publish('named', 'columns=id,twice');
like(refused('named'), qr/argument "columns=id,twice" of trigger "publish" on table "public.named": column "twice" is a virtual generated column/,
	'a virtual column cannot be named among the columns to publish');
publish('keyed', 'key=twice');
like(refused('keyed'), qr/argument "key=twice" .*column "twice" is a virtual generated column/,
	'a virtual column cannot be the key');

# rows that are there before publishing begins
sql(q{CREATE TABLE old (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL);
	INSERT INTO old (id, a) VALUES (1, 10);
	SELECT publish_table('old', snapshot => true)});
unlike(sql(q{SELECT string_agg(value::text, ' ') FROM old_changes}), qr/twice/,
	'publish_table() publishes the rows that are there without the virtual column');

# and one that is added later: events publish with it, conditions cannot
sql('ALTER TABLE plain ADD four int GENERATED ALWAYS AS (4) VIRTUAL; INSERT INTO plain (id, a) VALUES (2, 20)');
sql(q{CREATE TABLE later (id int PRIMARY KEY, a int); SELECT publish_table('later')});
my ($code, undef, $stderr) = $node->psql('postgres', 'ALTER TABLE later ADD twice int GENERATED ALWAYS AS (a * 2) VIRTUAL');
like($stderr, qr/cannot add virtual generated column "twice" to table "public.later"/, 'it is not added to a row that a condition publishes');
sql(q{BEGIN; SELECT unpublish_table('later'); ALTER TABLE later ADD twice int GENERATED ALWAYS AS (a * 2) VIRTUAL;
	SELECT publish_table('later'); COMMIT; INSERT INTO later VALUES (1, 1)});
unlike(sql(q{SELECT string_agg(value::text, ' ') FROM later_changes}), qr/twice/, 'but to one that is published anew');

# a key that is generated does not get other values by another expression
sql(q{CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED ALWAYS AS (a * 3) STORED);
	ALTER TABLE generated ADD PRIMARY KEY (b); SELECT publish_table('generated')});
(undef, undef, $stderr) = $node->psql('postgres', 'ALTER TABLE generated ALTER b SET EXPRESSION AS (a * 4)');
like($stderr, qr/cannot compute new values of column "b" of table "public.generated"/,
	'the expression of a generated column that is the key cannot be altered');
sql('ALTER TABLE generated ALTER c SET EXPRESSION AS (a * 4)');
pass('the expression of another generated column can be altered');

$node->stop;
done_testing();
