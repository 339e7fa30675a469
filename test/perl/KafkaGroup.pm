# What the coordinator of Kafka's groups does to their rows, without a listener: functions of
# test/modules/kafka_group.
package KafkaGroup;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(create_kafka_group);

# Build the module; the path to its library.
my $library;
sub build_kafka_group
{
	return $library if $library;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $test = "$FindBin::RealBin/..";

	copy($_, $directory) or die "$_: $!" foreach glob("$test/modules/kafka_group/*");
	# the variables of the make that runs the tests are not for this one
	local %ENV = %ENV;
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES)};
	system_or_bail('make', '-s', '-C', $directory, 'PG_CONFIG=pg_config', "SRC=$test/../src", 'COPT=-Werror', 'with_llvm=no');
	return $library = "$directory/kafka_group";
}

# Make the functions in a database.
sub create_kafka_group
{
	my ($node, $database) = @_;

	build_kafka_group();
	$node->safe_psql($database // 'postgres', qq{
		CREATE FUNCTION kafka_claim(group_id text, topic regclass, partition int, member text, role regrole DEFAULT current_user::regrole)
			RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_release(group_id text, topic regclass, partition int) RETURNS boolean LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_release_all(group_id text) RETURNS boolean LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_sql_member(group_id text, topic regclass) RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_coordinate() RETURNS boolean LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_write_group(group_id text, kind text, epoch int, state bytea) RETURNS void LANGUAGE c AS '$library';
		CREATE FUNCTION kafka_write_member(group_id text, member text, instance text DEFAULT NULL, assignment bytea DEFAULT NULL)
			RETURNS void LANGUAGE c AS '$library';
		CREATE FUNCTION kafka_delete_group(group_id text) RETURNS void LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_delete_member(group_id text, member text) RETURNS void LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_load() RETURNS text LANGUAGE c STRICT AS '$library';
		CREATE FUNCTION kafka_group_names(role regrole DEFAULT NULL) RETURNS text LANGUAGE c AS '$library'});
	return;
}

1;
