# Setting up: the library must be loaded when the server starts, the extension can be
# created in any schema, the log directory must not be one that the server uses itself,
# and a limit that is reached is an error that says what to do.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# The error message of a statement that must fail.
sub failure
{
	my ($sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql);

	isnt($code, 0, "fails: $sql");
	return $err;
}

# Start with a setting that must keep the server from starting; returns what the server logged.
sub failed_start
{
	my ($setting, $value) = @_;
	my $log = -e $node->logfile ? -s $node->logfile : 0;

	$node->append_conf('postgresql.conf', "$setting = '$value'");
	my $started = $node->start(fail_ok => 1);
	ok(!$started, "$setting = '$value' keeps the server from starting");
	$node->stop if $started;
	$node->adjust_conf('postgresql.conf', $setting, undef);
	return slurp_file($node->logfile, $log);
}

# ---- not preloaded -----------------------------------------------------------

foreach my $sql ('CREATE EXTENSION pg_topics', q{LOAD 'pg_topics'})
{
	my $err = failure($sql);
	like($err, qr/ERROR:  pg_topics must be loaded when the server starts/,
		"without shared_preload_libraries the error says why it fails: $sql");
	like($err, qr/HINT:  Add pg_topics to shared_preload_libraries .* restart the server/,
		"without shared_preload_libraries the hint says what to do: $sql");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_extension WHERE extname = $$pg_topics$$'),
	'0', 'nothing is left of the failed CREATE EXTENSION');
$node->stop;
configure_node($node);

# ---- log_dir -----------------------------------------------------------------

foreach my $value ('', '.', '..', '.hidden', '/tmp/topics', 'a/b')
{
	like(failed_start('pg_topics.log_dir', $value),
		qr/invalid value for parameter "pg_topics.log_dir".*directly below the data directory/s,
		"the error says where the log directory may be, not '$value'");
}
foreach my $value ('base', 'global', 'pg_wal', 'pg_xact', 'pg_tblspc', 'pg_replslot')
{
	like(failed_start('pg_topics.log_dir', $value),
		qr/invalid value for parameter "pg_topics.log_dir".*belongs to the server/s,
		"the error says that '$value' is a directory of the server's own");
}
# the server leaves directories of such names out of base backups
foreach my $value ('pgsql_tmp', 'pgsql_tmp_topics', 'pg_internal.init')
{
	like(failed_start('pg_topics.log_dir', $value),
		qr/invalid value for parameter "pg_topics.log_dir".*Base backups leave/s,
		"the error says that base backups leave out '$value'");
}
# a file of that name
like(failed_start('pg_topics.log_dir', 'postgresql.conf'), qr/FATAL:.*postgresql\.conf/,
	'a log directory that is a file is named in the error');

$node->append_conf('postgresql.conf', "pg_topics.log_dir = 'kafka_logs'");
$node->start;
ok(-d $node->data_dir . '/kafka_logs', 'the server makes the log directory that the setting names');
ok(!-e $node->data_dir . '/pg_topics', 'it makes no log directory of the default name');

# ---- schemas and databases ---------------------------------------------------

$node->safe_psql('postgres', q{
	CREATE SCHEMA queue;
	CREATE EXTENSION pg_topics SCHEMA queue;
	SELECT queue.create_topic('events', partitions => 2);
	SELECT queue.produce('events', 'k', 'v1', partition => 1);
	INSERT INTO events (key, value, partition) VALUES ('k', 'v2', 0);
});
is($node->safe_psql('postgres', 'SELECT partition, record_offset, key, value FROM events ORDER BY 1, 2'),
	"0|0|k|v2\n1|0|k|v1", 'topics work by qualified names in a schema that is not in the search path');
is($node->safe_psql('postgres', q{SELECT count(*) FROM queue.consume('events', 'g')}), '2',
	'consume() works by its qualified name');
is($node->safe_psql('postgres', 'SELECT group_id, partition, committed_offset, lag FROM queue.pg_topic_groups ORDER BY 2'),
	"g|0|1|0\ng|1|1|0", 'the views work by their qualified names');
is($node->safe_psql('postgres', q{SET search_path = queue, public; SELECT count(*) FROM consume('events', 'g2')}),
	'2', 'topics work by short names with the schema in the search path');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_proc JOIN pg_depend ON objid = pg_proc.oid
	WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_topics')
	  AND pronamespace <> 'queue'::regnamespace}), '0',
		'all functions of the extension are in the schema that was asked for');
like(failure('CREATE EXTENSION pg_topics'), qr/already exists/, 'a database can have the extension only once');
like(failure('ALTER EXTENSION pg_topics SET SCHEMA public'), qr/does not support SET SCHEMA/,
	'the extension cannot be moved to another schema');

# another database has its own topics, also where it is a copy
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events');
	SELECT produce('events', 'k', 'other');
});
is($node->safe_psql('other', 'SELECT value FROM events'), 'other', 'another database has topics of its own');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE other');
is($node->safe_psql('copy', 'SELECT count(*) FROM events'), '0',
	'a copy of a database has its topics but not their records');
$node->safe_psql('copy', q{SELECT produce('events', 'k', 'copy')});
is($node->safe_psql('other', 'SELECT value FROM events'), 'other',
	'what is produced in the copy is not seen in the original');

# dropping the extension takes the topics along, and their files
my $directory = topic_directory($node, 'public.events', 0);
ok(-d $directory, 'a topic that has a record has a directory');
like(failure('DROP EXTENSION pg_topics'), qr/depend/,
	'DROP EXTENSION without CASCADE fails while there is a topic');
$node->safe_psql('postgres', 'DROP EXTENSION pg_topics CASCADE');
ok(!-e $directory, "DROP EXTENSION CASCADE removes the topics' files");
$node->safe_psql('postgres', q{CREATE EXTENSION pg_topics; SELECT create_topic('events')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM events'), '0',
	'created again, the extension has none of the old records');

# ---- limits ------------------------------------------------------------------

$node->safe_psql('postgres', q{
	SELECT create_topic('wide', partitions => 10);
	INSERT INTO wide (value, partition) SELECT 'v' || p, p FROM generate_series(0, 9) AS p;
});
$node->stop;
# 10 of wide, 1 of events, 1 in each of the other databases
like(failed_start('pg_topics.max_partitions', 5),
	qr/FATAL: .*too many topic partitions.*HINT:  Raise pg_topics.max_partitions/s,
	'with too few partitions allowed the error says which setting to raise');
$node->append_conf('postgresql.conf', 'pg_topics.max_partitions = 13');
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM wide'), '10',
	'with as many partitions allowed as there are the server starts');
like(failure(q{SELECT create_topic($$more$$)}),
	qr/too many topic partitions.*HINT:  .*raise pg_topics.max_partitions/s,
	'a topic with more partitions than are allowed cannot be created');

# a bad value must not harm a running server either
$node->append_conf('postgresql.conf', "pg_topics.log_dir = 'base'");
$node->reload;
$node->poll_query_until('postgres', q{
	SELECT pg_read_file('} . $node->logfile . q{') ~ 'invalid value for parameter "pg_topics.log_dir": "base"'})
  or die 'the bad value was not noticed';
like(failure(q{ALTER SYSTEM SET pg_topics.log_dir = 'pg_wal'}), qr/ERROR:  invalid value/,
	'ALTER SYSTEM refuses a bad log directory');
$node->adjust_conf('postgresql.conf', 'pg_topics.log_dir', "'kafka_logs'");
is($node->safe_psql('postgres', 'DROP FOREIGN TABLE wide; SELECT create_topic($$more$$); SELECT produce($$more$$, $$k$$, $$v$$); SELECT value FROM more'),
	"more\n0\nv", 'dropping a topic makes room for another one');
$node->stop;

done_testing();
