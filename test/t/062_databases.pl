# What befalls whole databases: dropped, copied by both strategies, renamed, moved to
# another tablespace, their OIDs given to others, dumped and restored.  A topic's
# records are those of its own database, always.
#
# pg_upgrade is 011_cluster_identity.pl's, the workers that have to get out of the
# way are 031_maintenance_worker.pl's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'restart_after_crash = on', 'pg_topics.maintenance_interval = 1s' ]);
$node->start;
my $log_dir = $node->data_dir . '/pg_topics';

sub sql
{
	my ($database, $sql) = @_;

	return $node->safe_psql($database, $sql);
}

sub oid_of { return sql('postgres', "SELECT oid FROM pg_database WHERE datname = '$_[0]'"); }

# All there is to be seen of the topic: definition, rights, bounds, records, offsets.
my $definition = q{
	SELECT relname, relowner::regrole, relacl, (SELECT array_agg(o ORDER BY o) FROM unnest(ftoptions) AS o), obj_description(c.oid, 'pg_class')
	FROM pg_class c JOIN pg_foreign_table ON ftrelid = c.oid ORDER BY relname};
my $records = q{SELECT partition, record_offset, record_timestamp, key, value, headers FROM purchases ORDER BY 1, 2};
my $groups = q{SELECT group_id, topic, partition, committed_offset FROM topic_group_offsets ORDER BY 1, 3};

sql('postgres', q{CREATE ROLE clerk; CREATE ROLE buyer});
sql('postgres', q{CREATE DATABASE shop});
sql('shop', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('purchases', partitions => 2, value_type => 'jsonb',
		config => '{"retention.ms": 604800000, "compression.type": "zstd", "segment.bytes": 4096}');
	COMMENT ON FOREIGN TABLE purchases IS 'what was bought';
	GRANT INSERT ON purchases TO clerk;
	GRANT SELECT ON purchases TO buyer;
	INSERT INTO purchases (partition, key, value, headers)
	SELECT n % 2, 'key ' || n % 7, json_build_object('n', n, 'text', md5(n::text)), '{"h": "1"}' FROM generate_series(1, 500) AS n;
	BEGIN;
	SELECT produce('purchases', 'key', '{}'::jsonb);
	SELECT count(*) FROM flush();
	ROLLBACK;
	INSERT INTO purchases (partition, key, value) SELECT n % 2, 'after a gap', to_jsonb(n) FROM generate_series(1, 10) AS n;
	SELECT count(*) FROM consume('purchases', 'accounting', 100);
	SELECT count(*) FROM consume('purchases', 'half', 30)});
my $before = sql('shop', $records);
my $before_groups = sql('shop', $groups);

# ---- copied ------------------------------------------------------------------

foreach my $strategy (qw(wal_log file_copy))
{
	my $copy = "copy_$strategy";

	sql('postgres', "CREATE DATABASE $copy TEMPLATE shop STRATEGY $strategy");
	is(sql($copy, $definition), sql('shop', $definition),
		"$strategy: the copied database has the topic with its options and privileges");
	is(sql($copy, 'SELECT count(*) FROM purchases'), '0',
		"$strategy: the topic in the copied database has no records");
	is(sql($copy, $groups), $before_groups,
		"$strategy: the copied database has the groups' committed offsets");
	is(sql($copy, q{SELECT count(*) FROM consume('purchases', 'accounting')}), '0',
		"$strategy: a group finds no records in the copied database");
	sql($copy, q{SELECT produce('purchases', 'key', '{"of": "the copy"}'::jsonb, partition => 0)});
	is(sql($copy, 'SELECT partition, record_offset, value FROM purchases'), '0|0|{"of": "the copy"}',
		"$strategy: the offsets in the copied database begin at 0");
	is(sql($copy, q{SELECT value FROM consume('purchases', 'accounting', partitions => '{0}')}), '{"of": "the copy"}',
		"$strategy: a group whose offset is past the copied log's end starts where auto_offset_reset says");
	is(sql('shop', $records), $before, "$strategy: the original database has the same records as before");
	is(sql('shop', $groups), $before_groups,
		"$strategy: the original database has the same committed offsets as before");
}

# ---- renamed, moved ----------------------------------------------------------

my $tablespace = PostgreSQL::Test::Utils::tempdir();
sql('postgres', 'ALTER DATABASE shop RENAME TO store');
is(sql('store', $records), $before, 'a renamed database has all records');
sql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$tablespace'");
sql('postgres', 'ALTER DATABASE store SET TABLESPACE elsewhere');
is(sql('store', $records), $before, 'a database that was moved to another tablespace has all records');
sql('store', q{SELECT produce('purchases', 'key', '{}'::jsonb, partition => 0)});
kill_all($node);
$node->start;
is(sql('store', 'SELECT count(*) FROM purchases'), '511',
	'a database that was moved has all records after a crash, also one that was produced since');
sql('postgres', 'ALTER DATABASE store SET TABLESPACE pg_default');
sql('postgres', 'ALTER DATABASE store RENAME TO shop');
$before = sql('shop', $records);

# ---- dropped, and its OID given to another -----------------------------------

my $oid = oid_of('copy_wal_log');
ok(-d "$log_dir/$oid", 'the copied database has a directory for its topics');
sql('postgres', 'DROP DATABASE copy_wal_log');
ok(!-e "$log_dir/$oid", 'DROP DATABASE removes the directory of its topics');
is(sql('shop', $records), $before, 'DROP DATABASE leaves the records of other databases');

# a database with the same OID and the same topics' OIDs
sql('postgres', "CREATE DATABASE again TEMPLATE shop OID $oid");
is(sql('again', 'SELECT count(*) FROM purchases'), '0',
	'a new database with the OID of a dropped one has an empty topic');
sql('again', q{SELECT produce('purchases', 'key', '{"of": "again"}'::jsonb, partition => 0)});
is(sql('again', 'SELECT record_offset, value FROM purchases'), '0|{"of": "again"}',
	'in a new database with the OID of a dropped one offsets begin at 0');

# files of a dropped one that nobody has removed yet
sql('postgres', 'DROP DATABASE again');
# a name that is no database's, until all is there: the launcher may look meanwhile
PostgreSQL::Test::RecursiveCopy::copypath("$log_dir/" . oid_of('shop'), "$log_dir/copying");
rename "$log_dir/copying", "$log_dir/$oid" or die $!;
sql('postgres', "CREATE DATABASE again TEMPLATE shop OID $oid");
is(sql('again', 'SELECT count(*) FROM purchases'), '0',
	'a new database does not show files that a dropped one with its OID has left');
is(sql('again', q{SELECT count(*) FROM verify_topic('purchases')}), '0',
	'the files that a dropped database has left are removed');
sql('again', q{SELECT produce('purchases', 'key', '{"of": "the second"}'::jsonb, partition => 0)});
is(sql('again', 'SELECT record_offset, value FROM purchases'), '0|{"of": "the second"}',
	'after old files of its OID were removed offsets begin at 0');

# the server dies between the commit and the removal, and the worker that collects what
# is left finds no room at the next start
sql('postgres', 'ALTER SYSTEM SET restart_after_crash = off');
sql('postgres', 'ALTER SYSTEM SET max_logical_replication_workers = 0');
sql('postgres', 'ALTER SYSTEM SET max_worker_processes = 1');
sql('postgres', 'SELECT pg_reload_conf()');
$node->psql('postgres', "SET pg_topics.fault_point = 'drop-settled';\nDROP DATABASE again");
poll_until(sub { !-e $node->data_dir . '/postmaster.pid' }) or die 'the server lives on';
$node->{_pid} = undef;
$node->start;
is(sql('postgres', q{SELECT string_agg(backend_type, ' ') FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics %'}),
	'pg_topics sync', 'with one worker process there is no launcher');
ok(-d "$log_dir/$oid", 'a crash after the commit of DROP DATABASE leaves files');
is(oid_of('again'), '', 'the database is dropped, though the server died then');
sql('postgres', "CREATE DATABASE again TEMPLATE shop OID $oid");
is(sql('again', 'SELECT count(*) FROM purchases'), '0',
	'a new database with that OID does not show the files that the crash has left');
sql('again', q{SELECT produce('purchases', 'key', '{"of": "the third"}'::jsonb, partition => 0)});
is(sql('again', 'SELECT record_offset, value FROM purchases'), '0|{"of": "the third"}',
	'in the new database with that OID offsets begin at 0');
kill_all($node);
unlink $node->data_dir . '/postgresql.auto.conf';
append_to_file($node->data_dir . '/postgresql.auto.conf', '');
$node->start;
is(sql('again', 'SELECT record_offset, value FROM purchases'), '0|{"of": "the third"}',
	'the new database with that OID has its record after a crash');
sql('postgres', 'DROP DATABASE again');

# ---- dumped and restored -----------------------------------------------------

# Restore a dump with these options into a new database; its name.
sub dump_and_restore
{
	my ($name, @options) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";

	sql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ 'pg_dump', @options, '-f', $file, $node->connstr('shop') ],
		"$name: pg_dump succeeds");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($name), '-f', $file ],
		"$name: psql restores the dump without an error");
	is(sql($name, $definition), sql('shop', $definition),
		"$name: the topic is restored with its options, comment and privileges");
	return;
}

dump_and_restore('with_records', '--include-foreign-data=topics');
is(sql('with_records', $records), $before, 'a dump with records restores all of them at their offsets');
is(sql('with_records', $groups), $before_groups,
	"a dump with records restores the groups' committed offsets");
is(sql('with_records', q{SELECT partition, record_offset, value FROM consume('purchases', 'half', 5000)}),
	sql('shop', q{SELECT partition, record_offset, value FROM consume('purchases', 'half', 5000)}),
	'after restoring a dump with records a group goes on with the same records');

dump_and_restore('without_records');
is(sql('without_records', 'SELECT count(*) FROM purchases'), '0', 'a dump without records restores none');
is(sql('without_records', q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'accounting' AND partition = 0}),
	sql('shop', q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'accounting' AND partition = 0}),
	"a dump without records restores the groups' committed offsets");

dump_and_restore('schema_only', '--schema-only');
is(sql('schema_only', 'SELECT count(*) FROM topic_group_offsets'), '0',
	'a dump of the schema alone restores no committed offsets');
$node->stop;

done_testing();
