# The requests of Kafka's administrators that look after topics, by hand and in all versions: over a connection of
# KafkaClient.
#
#   my $answer = describe_configs($client, [ [ TOPIC, 'orders' ] ], synonyms => 1)->[0];
#   my $value = $answer->{configs}{'retention.ms'}{value};
package KafkaAdmin;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(TOPIC BROKER BROKER_LOGGER CLIENT_METRICS GROUP SET DELETE APPEND SUBTRACT
  describe_configs topic_config send_alter_configs read_alter_configs alter_configs alter_error list_config_resources
  create_partitions send_create_partitions read_create_partitions partitions_error
  delete_records send_delete_records read_delete_records records_error
  describe_log_dirs alter_log_dirs describe_producers);

use constant { TOPIC => 2, BROKER => 4, BROKER_LOGGER => 8, CLIENT_METRICS => 16, GROUP => 32 };
use constant { SET => 0, DELETE => 1, APPEND => 2, SUBTRACT => 3 };
use constant {
	DELETE_RECORDS => 21, DESCRIBE_CONFIGS => 32, ALTER_CONFIGS => 33, ALTER_REPLICA_LOG_DIRS => 34, DESCRIBE_LOG_DIRS => 35,
	CREATE_PARTITIONS => 37, INCREMENTAL_ALTER_CONFIGS => 44, DESCRIBE_PRODUCERS => 61, LIST_CONFIG_RESOURCES => 74
};

# The end of a response.
sub end
{
	my ($reader, $flexible, $result) = @_;

	read_end($reader, $flexible);
	return $result;
}

# ---- configurations --------------------------------------------------------------

# Describe resources, each [type, name] or [type, name, [keys]]: a list of {error, message, type, name, configs =>
# {name => {value, source, type, read_only, documentation, synonyms => [[name, value, source]]}}}.
sub describe_configs
{
	my ($client, $resources, %other) = @_;
	my $version = $other{version} // 4;
	my $flexible = $version >= 4;
	my $body = array($flexible, $resources, sub {
		return int8($_[0][0]) . text($flexible, $_[0][1]) . values_of($flexible, $_[0][2], sub { text($flexible, $_[0]) }) })
	  . int8($other{synonyms} ? 1 : 0);

	$body .= int8($other{documentation} ? 1 : 0) if $version >= 3;
	my $reader = $client->call(DESCRIBE_CONFIGS, $version, $body . tags($flexible), $flexible) // return;
	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, $flexible, read_array($reader, $flexible, sub {
		my %result = (error => $reader->int16, message => read_text($reader, $flexible), type => $reader->int8,
			name => read_text($reader, $flexible), order => []);

		read_array($reader, $flexible, sub {
			my $name = read_text($reader, $flexible);
			my %config = (value => read_text($reader, $flexible), read_only => $reader->int8, source => $reader->int8);

			die 'sensitive' if $reader->int8;
			$config{synonyms} = read_array($reader, $flexible, sub {
				return [ read_text($reader, $flexible), read_text($reader, $flexible), $reader->int8 ] });
			@config{qw(type documentation)} = ($reader->int8, read_text($reader, $flexible)) if $version >= 3;
			die "two values of $name" if $result{configs}{$name};
			$result{configs}{$name} = \%config;
			push @{ $result{order} }, $name;
			return });
		return \%result }));
}

# One value of a topic, and where it comes from.
sub topic_config
{
	my ($client, $topic, $name) = @_;
	my $answer = describe_configs($client, [ [ TOPIC, $topic, [$name] ] ])->[0];

	return $answer->{error} ? "error $answer->{error}" : join ' ', @{ $answer->{configs}{$name} }{qw(value source)};
}

# Send a request to alter resources, each [type, name, [[option, value]]] or, with "incremental", [type, name, [[option,
# operation, value]]].
sub send_alter_configs
{
	my ($client, $resources, %other) = @_;
	my $incremental = $other{incremental} // 1;
	my $version = $other{version} // ($incremental ? 1 : 2);
	my $flexible = $version >= ($incremental ? 1 : 2);
	my $body = array($flexible, $resources, sub {
		return int8($_[0][0]) . text($flexible, $_[0][1]) . array($flexible, $_[0][2], sub {
			my ($name, @rest) = @{ $_[0] };

			return text($flexible, $name) . ($incremental ? int8(shift @rest) : '') . text($flexible, $rest[0]) }) });

	return $client->send_request($incremental ? INCREMENTAL_ALTER_CONFIGS : ALTER_CONFIGS, $version,
		$body . int8($other{validate_only} ? 1 : 0) . tags($flexible), $flexible);
}

# The answer: a list of {error, message, type, name}; nothing at the connection's end.
sub read_alter_configs
{
	my ($client, %other) = @_;
	my $incremental = $other{incremental} // 1;
	my $flexible = ($other{version} // 2) >= ($incremental ? 1 : 2);
	my $reader = $client->read_response($flexible) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, $flexible, read_array($reader, $flexible, sub {
		return { error => $reader->int16, message => read_text($reader, $flexible), type => $reader->int8,
			name => read_text($reader, $flexible) } }));
}

sub alter_configs
{
	my ($client, $resources, %other) = @_;

	send_alter_configs($client, $resources, %other);
	return read_alter_configs($client, %other);
}

# Alter a topic: the error.  Options are as send_alter_configs() takes them.
sub alter_error
{
	my ($client, $topic, $options, %other) = @_;
	my $answer = alter_configs($client, [ [ TOPIC, $topic, $options ] ], %other) // return 'closed';

	return $answer->[0]{error};
}

# What has a configuration: [error, [type, name]...].
sub list_config_resources
{
	my ($client, $types, %other) = @_;
	my $version = $other{version} // 1;
	my $reader = $client->call(LIST_CONFIG_RESOURCES, $version,
		($version >= 1 ? values_of(1, $types, sub { int8($_[0]) }) : '') . "\0", 1) // return;

	die 'a throttle time' if $reader->int32 != 0;
	my $error = $reader->int16;
	return end($reader, 1, [ $error, @{ read_array($reader, 1, sub {
		my $name = $reader->compact_string;

		return $version >= 1 ? [ $reader->int8, $name ] : $name }) } ]);
}

# ---- partitions and records ---------------------------------------------------------

# Send a request for partitions of topics, each [name, count] or [name, count, [[brokers]]].
sub send_create_partitions
{
	my ($client, $topics, %other) = @_;
	my $version = $other{version} // 3;
	my $flexible = $version >= 2;
	my $body = array($flexible, $topics, sub {
		return text($flexible, $_[0][0]) . int32($_[0][1]) . array($flexible, $_[0][2], sub {
			return values_of($flexible, $_[0], sub { int32($_[0]) }) }) });

	return $client->send_request(CREATE_PARTITIONS, $version,
		$body . int32($other{timeout} // 60000) . int8($other{validate_only} ? 1 : 0) . tags($flexible), $flexible);
}

# The answer: a list of {name, error, message}.
sub read_create_partitions
{
	my ($client, $version) = @_;
	my $flexible = ($version // 3) >= 2;
	my $reader = $client->read_response($flexible) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, $flexible, read_array($reader, $flexible, sub {
		return { name => read_text($reader, $flexible), error => $reader->int16, message => read_text($reader, $flexible) } }));
}

sub create_partitions
{
	my ($client, $topics, %other) = @_;

	send_create_partitions($client, $topics, %other);
	return read_create_partitions($client, $other{version});
}

sub partitions_error
{
	my ($client, $topic, $count, $assignments, %other) = @_;
	my $answer = create_partitions($client, [ [ $topic, $count, $assignments ] ], %other) // return 'closed';

	return $answer->[0]{error};
}

# Send a request to delete records: topics, each [name, [[partition, offset]]].
sub send_delete_records
{
	my ($client, $topics, %other) = @_;
	my $version = $other{version} // 2;
	my $flexible = $version >= 2;
	my $body = array($flexible, $topics, sub {
		return text($flexible, $_[0][0]) . array($flexible, $_[0][1], sub { int32($_[0][0]) . int64($_[0][1]) }) });

	return $client->send_request(DELETE_RECORDS, $version, $body . int32($other{timeout} // 60000) . tags($flexible), $flexible);
}

# The answer: a list of [name, [partition, low watermark, error]...].
sub read_delete_records
{
	my ($client, $version) = @_;
	my $flexible = ($version // 2) >= 2;
	my $reader = $client->read_response($flexible) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, $flexible, read_array($reader, $flexible, sub {
		my $name = read_text($reader, $flexible);

		return [ $name, @{ read_array($reader, $flexible, sub { return [ $reader->int32, $reader->int64, $reader->int16 ] }) } ] }));
}

sub delete_records
{
	my ($client, $topics, %other) = @_;

	send_delete_records($client, $topics, %other);
	return read_delete_records($client, $other{version});
}

# Delete records of one partition: "error low watermark".
sub records_error
{
	my ($client, $topic, $partition, $offset, %other) = @_;
	my $answer = delete_records($client, [ [ $topic, [ [ $partition, $offset ] ] ] ], %other) // return 'closed';

	return "$answer->[0][1][2] $answer->[0][1][1]";
}

# ---- directories and producers ---------------------------------------------------------

# Describe directories, of topics, each [name, [partitions]], or of all: {error, dirs => [{error, dir, total, usable,
# topics => {name => {partition => size}}}]}.
sub describe_log_dirs
{
	my ($client, $topics, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 2;
	my $body = array($flexible, $topics, sub { text($flexible, $_[0][0]) . values_of($flexible, $_[0][1], sub { int32($_[0]) }) });
	my $reader = $client->call(DESCRIBE_LOG_DIRS, $version, $body . tags($flexible), $flexible) // return;
	my %answer;

	die 'a throttle time' if $reader->int32 != 0;
	$answer{error} = $version >= 3 ? $reader->int16 : 0;
	$answer{dirs} = read_array($reader, $flexible, sub {
		my %dir = (error => $reader->int16, dir => read_text($reader, $flexible), topics => {});

		read_array($reader, $flexible, sub {
			my $name = read_text($reader, $flexible);

			read_array($reader, $flexible, sub {
				my ($partition, $size) = ($reader->int32, $reader->int64);

				$dir{topics}{$name}{$partition} = $size;
				die 'a lag, or a future replica' if $reader->int64 != 0 || $reader->int8 != 0;
				return });
			return });
		@dir{qw(total usable)} = ($reader->int64, $reader->int64) if $version >= 4;
		$dir{cordoned} = $reader->int8 if $version >= 5;
		return \%dir });
	return end($reader, $flexible, \%answer);
}

# Move partitions to directories, each [path, [[topic, [partitions]]]]: a list of [topic, [partition, error]...].
sub alter_log_dirs
{
	my ($client, $dirs, %other) = @_;
	my $version = $other{version} // 2;
	my $flexible = $version >= 2;
	my $body = array($flexible, $dirs, sub {
		return text($flexible, $_[0][0]) . array($flexible, $_[0][1], sub {
			return text($flexible, $_[0][0]) . values_of($flexible, $_[0][1], sub { int32($_[0]) }) }) });
	my $reader = $client->call(ALTER_REPLICA_LOG_DIRS, $version, $body . tags($flexible), $flexible) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, $flexible, read_array($reader, $flexible, sub {
		my $name = read_text($reader, $flexible);

		return [ $name, @{ read_array($reader, $flexible, sub { return [ $reader->int32, $reader->int16 ] }) } ] }));
}

# Producers of topics, each [name, [partitions]]: a list of [topic, {partition, error, producers => [{id, epoch, sequence, time}]}...].
sub describe_producers
{
	my ($client, $topics) = @_;
	my $body = array(1, $topics, sub { KafkaClient::compact_string($_[0][0]) . values_of(1, $_[0][1], sub { int32($_[0]) }) });
	my $reader = $client->call(DESCRIBE_PRODUCERS, 0, "$body\0", 1) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return end($reader, 1, read_array($reader, 1, sub {
		my $name = $reader->compact_string;

		return [ $name, @{ read_array($reader, 1, sub {
			my %partition = (partition => $reader->int32, error => $reader->int16);

			$reader->compact_string;
			$partition{producers} = read_array($reader, 1, sub {
				my %producer = (id => $reader->int64, epoch => $reader->int32, sequence => $reader->int32, time => $reader->int64);

				my ($coordinator_epoch, $start) = ($reader->int32, $reader->int64);
				die 'an epoch of a coordinator, which writes no markers here' if $coordinator_epoch != -1;
				# where its open transaction begins
				$producer{start} = $start if $start >= 0;
				return \%producer });
			return \%partition }) } ] }));
}

1;
