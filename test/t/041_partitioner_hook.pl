# Partitioners that an extension in C registers: test/modules/partitioner_hook, built
# against the installed header.  Files under test: pg_topics.h,
# partitioner_lookup.c, partitioner_call.c.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# ---- build it as anybody would ---------------------------------------------------

my $directory = PostgreSQL::Test::Utils::tempdir();
copy("$FindBin::RealBin/../modules/partitioner_hook/$_", $directory) or die "$_: $!" foreach qw(Makefile partitioner_hook.c);
# the variables of the make that runs the tests are not for this one
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};
command_ok([ 'make', '-s', '-C', $directory, 'PG_CONFIG=pg_config', 'COPT=-Werror', 'with_llvm=no' ],
	'the example builds, without warnings, against the installed header');
my $library = "$directory/partitioner_hook";

my $node = new_node('main');

# Start the server with these libraries.
sub start_with
{
	my (@libraries) = @_;

	$node->stop if -e $node->data_dir . '/postmaster.pid';
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '" . join(', ', @libraries) . "'");
	$node->start;
	return;
}
sub sql { return $node->safe_psql('postgres', $_[0]); }

# The error that SQL gives, with its context.
sub fails
{
	my ($sql) = @_;
	my ($status, undef, $error) = $node->psql('postgres', "\\set VERBOSITY default\n\\set SHOW_CONTEXT always\n$sql",
		on_error_die => 0);

	isnt($status, 0, "fails: $sql");
	return $error;
}

# ---- preloaded behind pg_topics: the key is customer and date ----------------------

start_with('pg_topics', $library);
sql(q{CREATE EXTENSION pg_topics;
	SELECT create_topic('orders', partitions => 6, config => '{"partitioner.class": "by_customer"}');
	SELECT create_topic('whole_key', partitions => 6)});
my $order = q{4700 + i * 7 % 37 || '|' || date '2024-05-01' + i % 20, i};
# by several sessions and in several ways
sql("DO \$\$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM produce('orders', k, v::text) FROM (SELECT $order) AS o (k, v); END LOOP; END \$\$");
sql("INSERT INTO orders (key, value) SELECT $order FROM generate_series(1001, 3000) AS i");
sql("COPY (SELECT $order FROM generate_series(3001, 4000) AS i) TO '$directory/orders'; COPY orders (key, value) FROM '$directory/orders'");
is(sql(q{SELECT count(*), count(DISTINCT customer), count(DISTINCT partition), count(DISTINCT (customer, partition))
		FROM orders, split_part(key, '|', 1) AS customer}), '4000|37|6|37', 'a customer is always on one partition');
is(sql(q{SELECT count(*) FROM orders, split_part(key, '|', 1) AS customer
		WHERE partition <> murmur2_partition(customer::bytea, 6)}), '0', 'the one where Kafka has the customer');
is(sql(q{SELECT count(*), count(*) FILTER (WHERE value::int <= before) FROM (
		SELECT value, lag(value::int) OVER (PARTITION BY split_part(key, '|', 1) ORDER BY arrival) AS before
		FROM consume('orders', 'billing', 10000) WITH ORDINALITY
			AS c (partition, record_offset, record_timestamp, key, value, headers, arrival)) AS consumed}),
	'4000|0', 'and is consumed in the order of producing');
cmp_ok(sql(q{SELECT count(DISTINCT murmur2_partition(key::bytea, 6)) FROM orders WHERE key LIKE '4711|%'}), '>', 1,
	'which the whole key would not have given');
is(sql(q{SELECT count(DISTINCT produce('orders', 'without a key')) FROM generate_series(1, 6)}), '6',
	'it delegates records without a key to round robin');
is(sql(q{SELECT produce('orders', '', 'v') = murmur2_partition('', 6), produce('orders', 'no bar', 'v') = murmur2_partition('no bar', 6)}),
	't|t', 'keys of another form');

# ---- by the setting ---------------------------------------------------------------

is(sql(q{SET pg_topics.partitioner = 'by_customer';
		SELECT count(DISTINCT produce('whole_key', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '1', 'by the setting');
is(sql(q{SET pg_topics.partitioner = 'murmur2';
		SELECT count(DISTINCT produce('orders', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '6', 'the setting is over the option');

# ---- what it must not do -------------------------------------------------------------

my $error = fails(q{SET pg_topics.partitioner = 'past_the_end'; SELECT produce('whole_key', 'k', 'v')});
like($error, qr/partitioner "past_the_end" returned invalid partition 6 for topic "whole_key"/, 'a partition past the end');
like($error, qr/DETAIL:  The topic's partitions are numbered from 0 to 5/, 'with the valid ones');
$error = fails(q{SET pg_topics.partitioner = 'misspelt'; SELECT produce('whole_key', 'k', 'v')});
like($error, qr/built-in partitioner "murmur3" does not exist/, 'delegating to nobody');
like($error, qr/CONTEXT:  partitioner "misspelt" of topic "whole_key"/, 'the context names partitioner and topic');
like(fails(q{SET pg_topics.partitioner = 'of_the_future'}), qr/partitioner "of_the_future" needs a newer pg_topics/,
	'made for a later interface');
like(fails(q{SELECT create_topic('t', config => '{"partitioner.class": "by_costumer"}')}),
	qr/HINT: .* Registered partitioners are: .*\bby_customer\b/, 'the hint names those registered');
copy("$library.so", "$directory/twin.so") or die $!;
like(fails("LOAD '$directory/twin'"), qr/partitioner "\w+" is already registered/, 'two of one name');

# ---- in front of pg_topics, and a name that is a function's as well --------------------

start_with($library, 'pg_topics');
sql(q{CREATE FUNCTION by_customer(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 0});
is(sql(q{SELECT array_agg(DISTINCT produce('orders', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}),
	'{' . sql(q{SELECT murmur2_partition('4711', 6)}) . '}', 'loaded before pg_topics, and before functions of its name');
sql(q{DROP FUNCTION by_customer});

# ---- not loaded -----------------------------------------------------------------------

start_with('pg_topics');
$error = fails(q{SELECT produce('orders', '4711|x', 'v')});
like($error, qr/partitioner "by_customer" of topic "orders" does not exist/, 'a session without the library cannot produce');
like(fails(q{SELECT create_topic('t', config => '{"partitioner.class": "by_customer"}')}),
	qr/partitioner "by_customer" does not exist/, 'nor make such a topic');
is(sql(q{SELECT produce('orders', '4711|x', 'v', partition => 3)}), '3', 'but produce to a partition');
cmp_ok(sql('SELECT count(*) FROM orders'), '>', 4000, 'and read');
is(sql("LOAD '$library'; SELECT produce('orders', '4711|x', 'v') = murmur2_partition('4711', 6)"), 't', 'LOAD will do');
is(sql("BEGIN; SELECT produce('orders', 'k', 'v', partition => 0); LOAD '$library'; SELECT produce('orders', '4711|x', 'v') = murmur2_partition('4711', 6)"),
	"0\nt", 'in the middle of a transaction too');
{
	# a setting that comes with the connection is taken on faith: libraries are loaded later
	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$library -c pg_topics.partitioner=by_customer";
	is(sql(q{SELECT count(DISTINCT produce('whole_key', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '1',
		'loaded with the session');
	local $ENV{PGOPTIONS} = '-c pg_topics.partitioner=by_customer';
	like(fails(q{SELECT produce('whole_key', 'k', 'v')}), qr/partitioner "by_customer" of topic "whole_key" does not exist/,
		'a setting that stands for nothing');
}

# ---- another session changes the function in the middle of a transaction ------------------

my $function = q{FUNCTION changing(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE};
sql(qq{CREATE $function sql RETURN 1; SELECT create_topic('changes', partitions => 4, config => '{"partitioner.class": "public.changing"}')});
my $session = open_session($node);
is($session->run(q{BEGIN; SELECT produce('changes', 'k', 'v')}), '1', 'a transaction has called the function');
sql("CREATE OR REPLACE $function plpgsql AS 'BEGIN RETURN 2; END'");
# sessions notice what others have changed when they lock something
$session->run('SELECT FROM orders LIMIT 0');
is($session->run(q{SELECT produce('changes', 'k', 'v')}), '2', 'the next record goes by the new one');
sql('DROP FUNCTION changing');
$session->run('SELECT FROM whole_key LIMIT 0');
like($session->fails(q{SELECT produce('changes', 'k', 'v')}), qr/partitioner "public.changing" of topic "changes" does not exist/,
	'or by none');
$session->close;

# ---- a dump can be restored, whatever its partitioners need -----------------------------

# functions that need what is restored after them, or are named without their schema
sql(q{CREATE SCHEMA shop;
	CREATE TABLE zones (zone bytea, partition int);
	CREATE FUNCTION shop.by_value(topic regclass, key bytea, value bytea, partitions int) RETURNS int
		LANGUAGE plpgsql AS 'DECLARE r public.zones; BEGIN SELECT * INTO r FROM public.zones WHERE zone = value; RETURN r.partition; END';
	INSERT INTO zones VALUES ('north', 0), ('south', 1);
	CREATE FUNCTION shop.unqualified(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 1;
	SELECT create_topic('shop.by_function', partitions => 2, config => '{"partitioner.class": "shop.by_value"}');
	SELECT create_topic('shop.by_path', partitions => 2, config => '{"partitioner.class": "unqualified"}');
	SELECT produce('shop.by_function', 'k', 'south'), produce('shop.by_path', 'k', 'v')});
sql('CREATE DATABASE restored');
my $dump = "$directory/dump.sql";
command_ok([ 'pg_dump', '--include-foreign-data=topics', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ],
	'the dump is restored, although nobody has loaded the library');
is($node->safe_psql('restored', q{SELECT produce('shop.by_function', 'k', 'north'), produce('shop.by_path', 'k', 'v'),
		(SELECT count(*) FROM orders)}), '0|1|' . sql('SELECT count(*) FROM orders'), 'functions are found again, the records are there');
is($node->safe_psql('restored', q{SELECT config ->> 'partitioner.class' FROM pg_topics WHERE topic = 'orders'::regclass}),
	'by_customer', 'so is the name of one that is not loaded');
# the other way: topics before their functions
command_ok([ 'pg_dump', '-Fc', '-f', "$dump.custom", $node->connstr('postgres') ], 'pg_dump');
sql('CREATE DATABASE reordered');
my @entries = split /\n/, (run_command([ 'pg_restore', '--list', "$dump.custom" ]))[0];
my @functions = grep { / FUNCTION / } @entries;
open(my $list, '>', "$dump.list") or die $!;
print $list map { "$_\n" } (grep { !/ FUNCTION / } @entries), @functions;
close $list;
cmp_ok(scalar(@functions), '>=', 2, 'the dump has functions');
command_ok([ 'pg_restore', '--exit-on-error', '--use-list', "$dump.list", '-d', $node->connstr('reordered'), "$dump.custom" ],
	'topics can be restored before their functions');
is($node->safe_psql('reordered', q{SELECT produce('shop.by_function', 'k', 'south')}), '1', 'and work');

$node->stop;
done_testing();
