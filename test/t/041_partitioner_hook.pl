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
	'the example of a partitioner builds without warnings against the installed header');
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

	isnt($status, 0, "this is an error: $sql");
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
		FROM orders, split_part(key, '|', 1) AS customer}), '4000|37|6|37',
		'all records of a customer are in one partition');
is(sql(q{SELECT count(*) FROM orders, split_part(key, '|', 1) AS customer
		WHERE partition <> murmur2_partition(customer::bytea, 6)}), '0',
		"a customer's records are in the partition that Kafka gives the customer");
is(sql(q{SELECT count(*), count(*) FILTER (WHERE value::int <= before) FROM (
		SELECT value, lag(value::int) OVER (PARTITION BY split_part(key, '|', 1) ORDER BY arrival) AS before
		FROM consume('orders', 'billing', 10000) WITH ORDINALITY
			AS c (partition, record_offset, record_timestamp, key, value, headers, arrival)) AS consumed}),
	'4000|0', "a customer's records are consumed in the order in which they were produced");
cmp_ok(sql(q{SELECT count(DISTINCT murmur2_partition(key::bytea, 6)) FROM orders WHERE key LIKE '4711|%'}), '>', 1,
	'by the whole key the records of one customer would be in several partitions');
is(sql(q{SELECT count(DISTINCT produce('orders', 'without a key')) FROM generate_series(1, 6)}), '6',
	'the partitioner passes records without a key on to round robin');
is(sql(q{SELECT produce('orders', '', 'v') = murmur2_partition('', 6), produce('orders', 'no bar', 'v') = murmur2_partition('no bar', 6)}), 't|t',
	'the partitioner takes the whole key where it has no customer');

# ---- by the setting ---------------------------------------------------------------

is(sql(q{SET pg_topics.partitioner = 'by_customer';
		SELECT count(DISTINCT produce('whole_key', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '1',
	'the setting names a registered partitioner');
is(sql(q{SET pg_topics.partitioner = 'murmur2';
		SELECT count(DISTINCT produce('orders', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '6',
			"the session's setting counts more than the topic's option");

# ---- what it must not do -------------------------------------------------------------

my $error = fails(q{SET pg_topics.partitioner = 'past_the_end'; SELECT produce('whole_key', 'k', 'v')});
like($error, qr/partitioner "past_the_end" returned invalid partition 6 for topic "whole_key"/,
	'a partitioner that returns a partition past the last one is an error');
like($error, qr/DETAIL:  The topic's partitions are numbered from 0 to 5/,
	'the detail of that error says which partitions there are');
$error = fails(q{SET pg_topics.partitioner = 'misspelt'; SELECT produce('whole_key', 'k', 'v')});
like($error, qr/built-in partitioner "murmur3" does not exist/,
	'passing a record on to a partitioner that does not exist is an error');
like($error, qr/CONTEXT:  partitioner "misspelt" of topic "whole_key"/,
	'the context of that error names partitioner and topic');
like(fails(q{SET pg_topics.partitioner = 'of_the_future'}), qr/partitioner "of_the_future" needs a newer pg_topics/,
	'a partitioner that was built for a later interface is refused');
like(fails(q{SELECT create_topic('t', config => '{"partitioner.class": "by_costumer"}')}),
	qr/HINT: .* Registered partitioners are: .*\bby_customer\b/,
	'the hint for an unknown partitioner names the registered ones');
copy("$library.so", "$directory/twin.so") or die $!;
like(fails("LOAD '$directory/twin'"), qr/partitioner "\w+" is already registered/,
	'a second partitioner of the same name cannot be registered');

# ---- in front of pg_topics, and a name that is a function's as well --------------------

start_with($library, 'pg_topics');
sql(q{CREATE FUNCTION by_customer(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE sql RETURN 0});
is(sql(q{SELECT array_agg(DISTINCT produce('orders', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}),
	'{' . sql(q{SELECT murmur2_partition('4711', 6)}) . '}',
	'a library may be loaded before pg_topics, and its partitioner comes before a function of that name');
sql(q{DROP FUNCTION by_customer});

# ---- not loaded -----------------------------------------------------------------------

start_with('pg_topics');
$error = fails(q{SELECT produce('orders', '4711|x', 'v')});
like($error, qr/partitioner "by_customer" of topic "orders" does not exist/, 'a session without the library cannot produce');
like(fails(q{SELECT create_topic('t', config => '{"partitioner.class": "by_customer"}')}),
	qr/partitioner "by_customer" does not exist/,
	'a session without the library cannot create a topic with its partitioner');
is(sql(q{SELECT produce('orders', '4711|x', 'v', partition => 3)}), '3',
	'a session without the library can produce to a given partition');
cmp_ok(sql('SELECT count(*) FROM orders'), '>', 4000, 'a session without the library can read the topic');
is(sql("LOAD '$library'; SELECT produce('orders', '4711|x', 'v') = murmur2_partition('4711', 6)"), 't',
	'a session can produce once it has loaded the library by LOAD');
is(sql("BEGIN; SELECT produce('orders', 'k', 'v', partition => 0); LOAD '$library'; SELECT produce('orders', '4711|x', 'v') = murmur2_partition('4711', 6)"),
	"0\nt", 'LOAD in the middle of a transaction makes the partitioner known, too');
{
	# a setting that comes with the connection is taken on faith: libraries are loaded later
	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$library -c pg_topics.partitioner=by_customer";
	is(sql(q{SELECT count(DISTINCT produce('whole_key', '4711|' || i, 'v')) FROM generate_series(1, 50) AS i}), '1',
		'a setting of the connection may name a partitioner that session_preload_libraries loads');
	local $ENV{PGOPTIONS} = '-c pg_topics.partitioner=by_customer';
	like(fails(q{SELECT produce('whole_key', 'k', 'v')}), qr/partitioner "by_customer" of topic "whole_key" does not exist/,
		'a setting of the connection that names an unknown partitioner is an error when it is used');
}

# ---- another session changes the function in the middle of a transaction ------------------

my $function = q{FUNCTION changing(topic regclass, key bytea, value bytea, partitions int) RETURNS int LANGUAGE};
sql(qq{CREATE $function sql RETURN 1; SELECT create_topic('changes', partitions => 4, config => '{"partitioner.class": "public.changing"}')});
my $session = open_session($node);
is($session->run(q{BEGIN; SELECT produce('changes', 'k', 'v')}), '1',
	'a transaction chooses the partition by the partitioning function');
sql("CREATE OR REPLACE $function plpgsql AS 'BEGIN RETURN 2; END'");
# sessions notice what others have changed when they lock something
$session->run('SELECT FROM orders LIMIT 0');
is($session->run(q{SELECT produce('changes', 'k', 'v')}), '2',
	'once another session has replaced the function the same transaction uses the new one');
sql('DROP FUNCTION changing');
$session->run('SELECT FROM whole_key LIMIT 0');
like($session->fails(q{SELECT produce('changes', 'k', 'v')}), qr/partitioner "public.changing" of topic "changes" does not exist/,
	'once another session has dropped the function the transaction cannot produce');
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
command_ok([ 'pg_dump', '--include-foreign-data=topics',
	'-f', $dump, $node->connstr('postgres') ], 'pg_dump with the topics and their records succeeds');
command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ],
	'the dump can be restored in a database whose sessions have not loaded the library');
is($node->safe_psql('restored', q{SELECT produce('shop.by_function', 'k', 'north'), produce('shop.by_path', 'k', 'v'),
		(SELECT count(*) FROM orders)}), '0|1|' . sql('SELECT count(*) FROM orders'),
		'in the restored database partitioning functions are found and all records are there');
is($node->safe_psql('restored', q{SELECT config ->> 'partitioner.class' FROM pg_topics WHERE topic = 'orders'::regclass}), 'by_customer',
	'the restored topic has the name of the partitioner that is not loaded');
# the other way: topics before their functions
command_ok([ 'pg_dump', '-Fc', '-f', "$dump.custom", $node->connstr('postgres') ],
	'pg_dump in the custom format succeeds');
sql('CREATE DATABASE reordered');
my @entries = split /\n/, (run_command([ 'pg_restore', '--list', "$dump.custom" ]))[0];
my @functions = grep { / FUNCTION / } @entries;
open(my $list, '>', "$dump.list") or die $!;
print $list map { "$_\n" } (grep { !/ FUNCTION / } @entries), @functions;
close $list;
cmp_ok(scalar(@functions), '>=', 2, 'the dump has partitioning functions');
command_ok([ 'pg_restore', '--exit-on-error', '--use-list', "$dump.list", '-d', $node->connstr('reordered'), "$dump.custom" ],
	'topics can be restored before their functions');
is($node->safe_psql('reordered', q{SELECT produce('shop.by_function', 'k', 'south')}), '1',
	'a topic that was restored before its function uses that function');

$node->stop;
done_testing();
