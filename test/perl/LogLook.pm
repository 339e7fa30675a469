# What consumers outside of the database are shown, without a broker: functions of
# test/modules/log_look, and reading the batches that they give.
package LogLook;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(build_log_look create_log_look batches);

# Build the module; the path to its library.
my $library;
sub build_log_look
{
	return $library if $library;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $test = "$FindBin::RealBin/..";

	copy($_, $directory) or die "$_: $!" foreach glob("$test/modules/log_look/*");
	# the variables of the make that runs the tests are not for this one
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};
	system_or_bail('make', '-s', '-C', $directory, 'PG_CONFIG=pg_config', "SRC=$test/../src", 'COPT=-Werror', 'with_llvm=no');
	return $library = "$directory/log_look";
}

# Make the functions.
sub create_log_look
{
	my ($node) = @_;

	build_log_look();
	$node->safe_psql('postgres', qq{
		CREATE FUNCTION stable_end(topic regclass, partition int, flush boolean,
			OUT log_start bigint, OUT stable_end bigint, OUT log_end bigint, OUT is_known boolean, OUT awaited pg_lsn)
			LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION log_ranges(topic regclass, partition int, record_offset bigint, max_bytes bigint,
			at_least_one boolean, OUT next_offset bigint, OUT ranges int, OUT bytes bytea)
			LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION hold_ranges(topic regclass, partition int, record_offset bigint, max_bytes bigint)
			RETURNS void LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION held_bytes() RETURNS bytea LANGUAGE c STRICT AS '$library'});
	return;
}

# The batches in these bytes (hexadecimal, as psql prints them with encode()): a list of hashes with
# first, last, count and, hexadecimal, bytes.  Dies where they are no sequence of whole batches.
sub batches
{
	my ($hex) = @_;
	my $bytes = pack('H*', $hex);
	my @batches;

	while ($bytes ne '')
	{
		die 'a batch is cut' if length($bytes) < 61;
		my ($base, $length) = unpack('q>N', $bytes);
		my ($magic, $delta, $count) = (unpack('C', substr($bytes, 16, 1)), unpack('N', substr($bytes, 23, 4)),
			unpack('N', substr($bytes, 57, 4)));
		die 'no batch of version 2' if $magic != 2;
		die 'a batch is cut' if length($bytes) < 12 + $length;
		push @batches, { first => $base, last => $base + $delta, count => $count,
			bytes => unpack('H*', substr($bytes, 0, 12 + $length, '')) };
	}
	return @batches;
}

1;
