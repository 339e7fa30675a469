# Files under test: src/wal/log_redo.c.
# The resource manager of the WAL records: another library that uses the same ID, a
# standby without the library or with another ID, and how the ID is changed.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Copy;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { ID => 187, OTHER_ID => 222 };

my $source = abs_path("$FindBin::RealBin/../..");
my $directory = PostgreSQL::Test::Utils::tempdir();
my ($node, $standby) = start_pair();

# What a start that must fail logs.
sub failed_start
{
	my ($server) = @_;
	my $log = -s $server->logfile;
	my $started = $server->start(fail_ok => 1);

	ok(!$started, $server->name . ' does not start');
	$server->stop if $started;
	return slurp_file($server->logfile, $log);
}

sub preload
{
	my ($server, $libraries) = @_;

	$server->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'$libraries'");
	return;
}

# The library of that directory, "" for the installed one, for all that names it.
sub library_from
{
	my ($server, $path) = @_;

	$server->append_conf('postgresql.conf', "dynamic_library_path = '" . ($path ne '' ? "$path:" : '') . "\$libdir'");
	return;
}

is($node->safe_psql('postgres', q{SELECT rm_id FROM pg_get_wal_resource_managers() WHERE rm_name = 'pg_topics'}),
	ID, 'the resource manager has the ID that the manual names');
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events');
	SELECT produce('events', 'k', 'first')});
catch_up($node, $standby);

# ---- two libraries with one ID ---------------------------------------------------------

# a library that registers the same ID: a copy of this one
copy("$source/pg_topics.so", "$directory/other.so") or die $!;
$standby->stop;
$node->stop;
preload($node, "$directory/other.so,pg_topics");
my $log = failed_start($node);
like($log, qr/FATAL:  resource manager ID @{[ ID ]} of pg_topics is taken by "pg_topics"/,
	'with another library that has the same ID the server does not start');
like($log, qr/HINT:  Build one of the two with another ID, pg_topics with make PGT_RMGR_ID=/,
	'the hint says how to build the library with another ID');
preload($node, 'pg_topics');
$node->start;

# ---- a standby without the library --------------------------------------------------------

$node->safe_psql('postgres', q{SELECT produce('events', 'k', 'second')});
preload($standby, '');
$log = -s $standby->logfile;
# it starts, and ends when it comes to the record
$standby->start(fail_ok => 1);
poll_until(sub { slurp_file($standby->logfile, $log) =~ /FATAL:  resource manager with ID @{[ ID ]} not registered/ }) or die 'it goes on';
like(slurp_file($standby->logfile, $log), qr/HINT:  Include the extension module that implements this resource manager in "?shared_preload_libraries"?/,
	'a standby without the library stops at the record, and the hint says what to load');
poll_until(sub { !-e $standby->data_dir . '/postmaster.pid' }) or die 'it does not stop';
$standby->_update_pid(0);

# ---- a standby with another ID --------------------------------------------------------------

# the library with another ID, from the objects of this build
{
	mkdir "$directory/build";
	# with their times, so that nothing else is built again
	system_or_bail('cp', '-a', (grep { -e } map { "$source/$_" } qw(Makefile pg_topics.control sql src test)), "$directory/build");
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS)};
	unlink "$directory/build/pg_topics.so", map { s/c$/o/r } grep { slurp_file($_) =~ /PGT_RMGR_ID/ } glob("$directory/build/src/*/*.c $directory/build/src/*/*/*.c");
	command_ok([ 'make', '-s', '-C', "$directory/build", 'PG_CONFIG=pg_config', 'COPT=-Werror', 'FAULT_POINTS=1', 'with_llvm=no',
			'PGT_RMGR_ID=' . OTHER_ID, 'pg_topics.so' ], 'the library can be built with another ID');
}
preload($standby, 'pg_topics');
library_from($standby, "$directory/build");
$log = -s $standby->logfile;
$standby->start(fail_ok => 1);
poll_until(sub { slurp_file($standby->logfile, $log) =~ /FATAL:  resource manager with ID @{[ ID ]} not registered/ }) or die 'it goes on';
like(slurp_file($standby->logfile, $log),
	qr/WARNING:  pg_topics has resource manager ID @{[ OTHER_ID ]} here, but the topics in "pg_topics" were last written with ID @{[ ID ]}\n.*HINT:  If recovery ends .* install pg_topics built with PGT_RMGR_ID=@{[ ID ]}\. All servers/,
	'a standby with another ID stops, and a warning before says how to build the library');
poll_until(sub { !-e $standby->data_dir . '/postmaster.pid' }) or die 'it does not stop';
$standby->_update_pid(0);

library_from($standby, '');
$standby->start;
catch_up($node, $standby);
is($standby->safe_psql('postgres', 'SELECT value FROM events'), "first\nsecond",
	'with the right library the standby goes on');

# ---- changing the ID ---------------------------------------------------------------------------

# As the manual has it: the primary is stopped, then the standby, which has replayed all.
$node->stop;
$standby->stop;
library_from($_, "$directory/build") foreach $node, $standby;
$_->start foreach $node, $standby;
is($node->safe_psql('postgres', q{SELECT rm_id FROM pg_get_wal_resource_managers() WHERE rm_name = 'pg_topics'}),
	OTHER_ID, 'after clean stops primary and standby start with another ID');
catch_up($node, $standby);
$_->stop foreach $node, $standby;

done_testing();
