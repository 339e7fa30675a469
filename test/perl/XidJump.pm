# Transaction ids of a long life in a short test: moving the next one ahead
# (test/modules/xid_jump), and freezing, so that the server really cuts its commit log.
package XidJump;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  build_xid_jump create_xid_jump jump next_xid wait_rounds freeze_all clog_file use_ids CLOG_SEGMENT
);

# Transactions in a segment file of the commit log.
use constant CLOG_SEGMENT => 1048576;

# Build the module, once a test; the path to its library.
my $library;
sub build_xid_jump
{
	return $library if $library;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $test = "$FindBin::RealBin/..";

	copy($_, $directory) or die "$_: $!" foreach "$test/modules/xid_jump/Makefile", "$test/modules/xid_jump/xid_jump.c", "$test/../src/util/compat.h";
	# the variables of the make that runs the tests are not for this one
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};
	system_or_bail('make', '-s', '-C', $directory, 'PG_CONFIG=pg_config', 'SRC=.', 'COPT=-Werror', 'with_llvm=no');
	return $library = "$directory/xid_jump";
}

# Make the function, and let template0 be vacuumed: it holds the ids back like any database.
sub create_xid_jump
{
	my ($node) = @_;
	my $path = build_xid_jump();

	$node->safe_psql('postgres', qq{
		SELECT create_topic('rounds');
		CREATE FUNCTION xid_jump(bigint) RETURNS bigint STRICT LANGUAGE C AS '$path';
		ALTER DATABASE template0 ALLOW_CONNECTIONS true});
	return;
}

# The next transaction id, all 64 bits of it.
sub next_xid
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())');
}

# Move the next id to the page of the commit log that this one is in, and use it, so that
# the page is there: the server cuts nothing while its last page seems to be an older one.
sub jump
{
	my ($node, $xid) = @_;

	$node->safe_psql('postgres', "SELECT xid_jump($xid)");
	$node->safe_psql('postgres', 'SELECT txid_current()');
	return;
}

# Wait until two whole rounds of resolving have begun and ended: after that the commit
# log is kept for those alone that need it now.
sub wait_rounds
{
	my ($node) = @_;

	# which waits for that
	$node->safe_psql('postgres', q{SELECT count(*) FROM apply_retention('rounds')});
	return;
}

# Freeze everything there is (without what needs a transaction id), and by that cut the commit log as far as it may be.
sub freeze_all
{
	my ($node) = @_;

	foreach my $database (split /\n/, $node->safe_psql('postgres', 'SELECT datname FROM pg_database ORDER BY 1'))
	{
		$node->safe_psql($database, 'VACUUM (FREEZE, TRUNCATE off)');
	}
	return;
}

# The file of the commit log that tells of this transaction.
sub clog_file
{
	my ($node, $xid) = @_;

	return sprintf('%s/pg_xact/%04X', $node->data_dir, $xid % 4294967296 / CLOG_SEGMENT);
}

# Use up that many transaction ids.
sub use_ids
{
	my ($node, $count) = @_;

	$node->safe_psql('postgres', qq{
		SET synchronous_commit = off;
		DO \$\$ BEGIN FOR i IN 1 .. $count LOOP PERFORM txid_current(); COMMIT; END LOOP; END \$\$});
	return;
}

1;
