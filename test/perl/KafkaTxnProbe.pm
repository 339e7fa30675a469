# Kafka transactions without a broker: functions of test/modules/kafka_txn_probe.
package KafkaTxnProbe;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Utils;
use TopicTest;

our @EXPORT = qw(create_kafka_txn_probe kafka_begin kafka_append kafka_end kafka_state entry_xids);

# Build the module; the path to its library.
my $library;
sub build_kafka_txn_probe
{
	return $library if $library;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $test = "$FindBin::RealBin/..";

	copy($_, $directory) or die "$_: $!" foreach glob("$test/modules/kafka_txn_probe/*");
	# the variables of the make that runs the tests are not for this one
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};
	system_or_bail('make', '-s', '-C', $directory, 'PG_CONFIG=pg_config', "SRC=$test/../src", 'COPT=-Werror', 'with_llvm=no');
	return $library = "$directory/kafka_txn_probe";
}

# Make the functions.
sub create_kafka_txn_probe
{
	my ($node) = @_;

	build_kafka_txn_probe();
	$node->safe_psql('postgres', qq{
		CREATE FUNCTION kafka_begin(producer_id bigint, epoch int) RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_append(topic regclass, partition int, number bigint, producer_id bigint, epoch int,
			sequence int, key text, "values" text[], batches int, flush boolean) RETURNS text
			LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_end(number bigint, "commit" boolean) RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_state(number bigint) RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_transactions(OUT number bigint, OUT producer_id bigint, OUT epoch int, OUT xid bigint,
			OUT aborted boolean, OUT database oid, OUT started timestamptz, OUT parts text)
			RETURNS SETOF record LANGUAGE c STRICT AS '$library'});
	return;
}

# Begin one; its number.  On a server that has just been started the sync process may be on its way.
sub kafka_begin
{
	my ($node, $producer_id, $epoch) = @_;
	my $number;

	poll_until(sub { ($number = $node->safe_psql('postgres',
		"SELECT kafka_begin($producer_id, " . ($epoch // 0) . ')')) ne 'try again' }) or die;
	return $number;
}

# Append values under a number, flushed: the outcome.  epoch, key, batches and flush may be given.
sub kafka_append
{
	my ($node, $topic, $partition, $number, $producer_id, $sequence, $values, %other) = @_;
	my $list = join ',', map { "'$_'" } @$values;
	my ($epoch, $key, $batches, $flush) = ($other{epoch} // 0, $other{key} // '', $other{batches} // 1, $other{flush} // 'true');
	my $answer;

	poll_until(sub { ($answer = $node->safe_psql('postgres', "SELECT kafka_append('$topic', $partition, $number, "
		. "$producer_id, $epoch, $sequence, '$key', ARRAY[$list]::text[], $batches, $flush)")) ne 'try again' }) or die;
	return $answer;
}

# End it in a transaction of its own: the outcome.
sub kafka_end
{
	my ($node, $number, $commit) = @_;
	my $answer;

	poll_until(sub { ($answer = $node->safe_psql('postgres', "SELECT kafka_end($number, " . ($commit ? 'true' : 'false') . ')'))
		ne 'try again' }) or die;
	return $answer;
}

sub kafka_state { return $_[0]->safe_psql('postgres', "SELECT kafka_state($_[1])"); }

# What the index entries of a partition say of their transactions, in order: "kafka" for a number, an id, or
# an id with "-" where it has aborted.
sub entry_xids
{
	my ($node, $topic, $partition) = @_;
	my ($database, $relid) = split /\|/, $node->safe_psql('postgres',
		"SELECT (SELECT oid FROM pg_database WHERE datname = 'postgres'), '$topic'::regclass::oid");
	my @xids;

	foreach my $file (sort glob($node->data_dir . "/pg_topics/$database/$relid-$partition/*.index"))
	{
		my $bytes = slurp_file($file);
		for (my $at = 64; $at + 64 <= length $bytes; $at += 64)
		{
			my ($length, $xid, $flags) = (unpack('x12 V', substr($bytes, $at, 64)), unpack('x40 Q<', substr($bytes, $at, 64)),
				unpack('x56 V', substr($bytes, $at, 64)));
			next if $length == 0;
			push @xids, $xid >> 63 ? 'kafka' : $xid . ($flags & 1 ? '-' : '');
		}
	}
	return @xids;
}

1;
