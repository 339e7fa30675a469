# Data that released versions have left, in test/fixtures: each later build must read
# it.  Clusters that were shut down and that crashed, a base backup with the WAL behind
# it for a standby, and a dump; then the extension is updated and all goes on.
use strict;
use warnings;

use File::Copy;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# theirs were made by this role
$ENV{PGUSER} = 'postgres';

my $fixtures = "$FindBin::RealBin/../fixtures";
my ($major) = (run_command([ 'postgres', '--version' ]))[0] =~ /(\d+)/;
my $default = slurp_file("$FindBin::RealBin/../../pg_topics.control") =~ /default_version = '(.*)'/ ? $1 : die;

# What a reader of a server sees, in the fixtures' form.
sub look
{
	my ($node, $database) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr($database // 'postgres'), '-f', "$fixtures/contents.sql" ], '>', \$out, '2>', \$err);
	is($err, '', $node->name . ': all contents can be read without an error');
	return $out;
}

# The same, without what "pattern" matches.
sub without
{
	my ($pattern, $text) = @_;

	return join "\n", grep { !/$pattern/ } split /\n/, $text;
}

# A cluster from a fixture's data directory.
sub restored
{
	my ($version, $archive, $kind, %params) = @_;
	my $root = PostgreSQL::Test::Cluster->new("root_${kind}_$version");
	my $node = PostgreSQL::Test::Cluster->new("${kind}_$version");

	mkdir $root->backup_dir;
	PostgreSQL::Test::RecursiveCopy::copypath("$archive/$kind", $root->backup_dir . "/$kind");
	PostgreSQL::Test::RecursiveCopy::copypath("$archive/wal", $root->archive_dir);
	$node->init_from_backup($root, $kind, %params);
	$node->append_conf('postgresql.conf', 'fsync = on');
	return $node;
}

# All is sound, and goes on: produced, consumed, prepared, compacted, erased; then a crash.
sub check_goes_on
{
	my ($node, $name, $round) = @_;
	my $sql = sub { return $node->safe_psql('postgres', $_[0]) };

	$sql->('ALTER EXTENSION pg_topics UPDATE');
	is($sql->(q{SELECT extversion FROM pg_extension WHERE extname = 'pg_topics'}), $default,
		"$name: ALTER EXTENSION UPDATE brings the default version");
	is($sql->('SELECT topic, v.* FROM pg_topics t, verify_topic(t.topic) v'), '', "$name: verify_topic() finds no problem");
	like($sql->(q{COMMIT PREPARED 'first'; SELECT string_agg(value, ',' ORDER BY record_offset) FROM prepared WHERE partition = 0}),
		qr/^before,prepared first,behind$/,
		"$name: the transaction that was prepared first can be committed");
	$sql->("ROLLBACK PREPARED 'round $_'") foreach 1 .. $round;
	is($sql->('SELECT count(*) FROM prepared WHERE partition = 1'), 0,
		"$name: the other prepared transactions can be rolled back");
	my ($before) = $sql->(q{SELECT sum(committed_offset) FROM topic_group_offsets WHERE group_id = 'reader' AND topic = 'events'::regclass});
	is($sql->(q{SELECT count(*) FROM consume('events', 'reader', 7)}), 7,
		"$name: a consumer group gets more records");
	cmp_ok($sql->(q{SELECT sum(committed_offset) FROM topic_group_offsets WHERE group_id = 'reader' AND topic = 'events'::regclass}), '>', $before,
		"$name: the committed offsets of the group move forward");
	is($sql->(q{SELECT leave_group('events', 'members', 'm1'); SELECT count(*) FROM consume('events', 'members', 5, member_id => 'm2', lease => '1 h')}),
		"\n5", "$name: a member that leaves gives its partitions to another one");
	foreach my $topic (split /\n/, $sql->(q{SELECT topic FROM pg_topics WHERE key_type = 'text'::regtype AND value_type = 'text'::regtype}))
	{
		is($sql->("INSERT INTO $topic (key, value) VALUES ('new key', 'new value'); SELECT count(*) FROM $topic WHERE value = 'new value'"), 1,
			"$name: $topic can be produced to");
	}
	$sql->(q{UPDATE orders SET item = 'changed' WHERE id = 1});
	like($sql->(q{SELECT value FROM order_changes ORDER BY record_offset DESC LIMIT 1}), qr/changed/,
		"$name: a change of the published table is published");
	$sql->(q{SELECT compact('compacted'); SELECT erase('erased', 'person 4'::text); SELECT delete_records('deleted', 0, 150)});
	is($sql->(q{SELECT count(*) FROM erased WHERE key = 'person 4'}), 0,
		"$name: erase() removes the records of a key");
	my $now = look($node);
	kill_all($node);
	$node->start;
	is(look($node), $now, "$name: the contents are the same after a crash");
	return;
}

sub check_cluster
{
	my ($version, $archive, $kind, $round) = @_;
	my $name = "$version, $kind";
	my $node = restored($version, $archive, $kind);

	$node->start;
	is(look($node), slurp_file("$archive/$kind.expected"), "$name: the contents are those of the fixture");
	check_goes_on($node, $name, $round);
	$node->stop;
	return;
}

sub check_standby
{
	my ($version, $archive) = @_;
	my $node = restored($version, $archive, 'backup', has_restoring => 1, standby => 1);
	my $end = slurp_file("$archive/end_of_wal") =~ s/\s+//r;
	my $expected = slurp_file("$archive/crashed.expected");

	$node->start;
	$node->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() >= '$end'") or die 'the standby does not come to the end';
	# a standby does not know the names of prepared transactions
	is(look($node), $expected =~ s/^(prepared(?:\|\d+){4}\|).*$/$1/mgr,
		"$version, standby: a standby that has replayed all WAL has the contents of the fixture");
	$node->promote;
	is(look($node), $expected, "$version, standby: the promoted standby has the contents of the fixture");
	check_goes_on($node, "$version, standby", 2);
	$node->stop;
	return;
}

# A dump goes into any major.  It has no prepared transactions, no members' leases, not
# where a log ends or what of it was deleted, and records of LogAppendTime get the time of
# their restoring.
sub check_dump
{
	my ($version, $archive, $node) = @_;
	my $database = "dump_$version" =~ s/\W/_/gr;
	my ($records) = slurp_file("$archive/clean.expected") =~ /^(.*?)^partitions\n/ms;
	my ($published) = slurp_file("$archive/clean.expected") =~ /^(published tables\n.*)/ms;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$archive/dump.sql" ],
		"$version, dump: psql restores the dump without an error");
	my $seen = look($node, $database);
	is(without(qr/^append_time\|/, ($seen =~ /^(.*?)^partitions\n/ms)[0]), without(qr/^append_time\|/, $records),
		"$version, dump: all records are restored at their offsets");
	is(($seen =~ /^(published tables\n.*)/ms)[0], $published,
		"$version, dump: published tables and their options are restored");
	is($node->safe_psql($database, q{SELECT committed_offset, metadata FROM topic_group_offsets WHERE group_id = 'keeper'}),
		'17|with metadata', "$version, dump: committed offsets and their metadata are restored");
	return;
}

my @archives = sort glob("$fixtures/*/pg*.tar.xz");
ok(@archives > 0, 'there are fixtures');
my $new = new_node('new', settings => ['pg_topics.offsets_retention_minutes = -1'], init => { extra => [ '-U', 'postgres' ] });
$new->start;

foreach my $file (@archives)
{
	my ($version, $of_major) = $file =~ m{([^/]+)/pg(\d+)\.tar\.xz$};
	my $archive = PostgreSQL::Test::Utils::tempdir();

	system_or_bail('tar', '-C', $archive, '-xJf', $file);
	check_dump($version, $archive, $new);
SKIP:
	{
		skip "a data directory of PostgreSQL $of_major", 3 if $of_major != $major;
		check_cluster($version, $archive, 'clean', 1);
		check_cluster($version, $archive, 'crashed', 2);
		check_standby($version, $archive);
	}
}
$new->stop;

done_testing();
