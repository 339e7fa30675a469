# File under test: Makefile.
# A build in another directory than that of the sources, as packagers do it for several
# majors, makes and installs what a build among the sources does.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = "$FindBin::RealBin/../..";
my $config = $ENV{PG_CONFIG} // 'pg_config';
my $dir = PostgreSQL::Test::Utils::tempdir();
# the make that runs the tests has flags of its own
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

plan skip_all => 'nothing is built among the sources' if !-e "$source/pg_topics.so";

sub run_shell
{
	my ($command) = @_;
	my $output = `($command) 2>&1`;

	$? == 0 or die "$command\n$output";
	return $output;
}

sub symbols
{
	my ($library) = @_;

	return join("\n", sort map { (split)[-1] } split(/\n/, run_shell("nm -D --defined-only '$library'")));
}

# make looks for what is built beside the sources too, so they are without any of it
mkdir "$dir/$_" foreach qw(sources build root);
run_shell("tar -C '$source' --exclude='*.o' --exclude='*.bc' -cf - Makefile pg_topics.control bin src sql test/sql test/specs test/update"
	. " | tar -C '$dir/sources' -xf -");
# quick to compile: what it does is tested elsewhere
my $make = "make -C '$dir/build' -f '$dir/sources/Makefile' PG_CONFIG='$config' with_llvm=no FAULT_POINTS=1"
  . " COPT='-O0 -U_FORTIFY_SOURCE'";
run_shell("$make -j2");
is(symbols("$dir/build/pg_topics.so"), symbols("$source/pg_topics.so"),
	'a library that is built elsewhere has the same symbols as one built among the sources');
is(run_shell("find '$dir/sources' -name '*.o' -o -name '*.so'"), '',
	'a build in another directory leaves no object files among the sources');

run_shell("$make install DESTDIR='$dir/root'");
my $installed = run_shell("find '$dir/root' -type f");
foreach my $file (qw(pg_topics.so pg_topics.control pg_topics--1.0.sql pg_topics.h))
{
	like($installed, qr/\/\Q$file\E$/m, "make install in another directory installs $file");
}

done_testing();
