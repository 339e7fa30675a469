# CreateTopics, DeleteTopics and Metadata of the versions that have all fields, by hand: over a connection of
# KafkaClient.
#
#   my $answer = create_topics($client, [ { name => 'orders', partitions => 3 } ], version => 7);
#   my $error = $answer->{orders}{error};
package KafkaTopics;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(create_topics send_create read_create create_error delete_topics send_delete read_delete delete_error
  topic_metadata metadata_error);

use constant { CREATE_TOPICS => 19, DELETE_TOPICS => 20 };
use constant NULL_ID => '0' x 32;

# Tagged fields: {tag => bytes}.
sub tagged_fields
{
	my ($reader) = @_;

	return map { my $tag = $reader->varint; $tag => $reader->take($reader->varint) } 1 .. $reader->varint;
}

# ---- CreateTopics ----------------------------------------------------------------

# Send a request for topics, each with name, partitions, replication, configs (a list of pairs), assignments
# (a list of lists of brokers, or a hash).
sub send_create
{
	my ($client, $topics, %other) = @_;
	my $version = $other{version} // 7;
	my $flexible = $version >= 5;
	my $body = array($flexible, $topics, sub {
		my ($topic) = @_;
		my $assignments = $topic->{assignments} // [];
		my @pairs = ref $assignments eq 'HASH' ? map { [ $_, $assignments->{$_} ] } sort keys %$assignments
		  : map { [ $_, $assignments->[$_] ] } 0 .. $#$assignments;
		my @configs = @{ $topic->{configs} // [] };
		my @config_pairs;

		push @config_pairs, [ splice(@configs, 0, 2) ] while @configs;
		return text($flexible, $topic->{name}) . int32($topic->{partitions} // -1) . int16($topic->{replication} // -1)
		  . array($flexible, \@pairs, sub {
			return int32($_[0][0]) . count_of($flexible, scalar @{ $_[0][1] }) . join('', map { int32($_) } @{ $_[0][1] }) })
		  . array($flexible, \@config_pairs, sub { return text($flexible, $_[0][0]) . text($flexible, $_[0][1]) }) });

	$body .= int32($other{timeout} // 60000) . int8($other{validate_only} ? 1 : 0) . tags($flexible);
	return $client->send_request(CREATE_TOPICS, $version, $body, $flexible);
}

# The answer to it: {name => {error, message, id, partitions, replication, configs => {name => [value, source]}}};
# nothing at the connection's end.
sub read_create
{
	my ($client, $version) = @_;
	my $flexible = ($version //= 7) >= 5;
	my $reader = $client->read_response($flexible) // return;
	my %results;

	die 'a throttle time' if $reader->int32 != 0;
	foreach (1 .. read_count($reader, $flexible))
	{
		my $name = read_text($reader, $flexible);
		my %result;

		$result{id} = $reader->uuid if $version >= 7;
		$result{error} = $reader->int16;
		$result{message} = read_text($reader, $flexible);
		if ($version >= 5)
		{
			@result{qw(partitions replication)} = ($reader->int32, $reader->int16);
			my $configs = read_count($reader, 1);
			$result{configs} = {} if $configs >= 0;
			foreach (1 .. $configs)
			{
				my ($config, $value, $read_only, $source, $sensitive) =
				  ($reader->compact_string, $reader->compact_string, $reader->int8, $reader->int8, $reader->int8);

				$reader->tags;
				die 'read-only or sensitive' if $read_only || $sensitive;
				$result{configs}{$config} = [ $value, $source ];
			}
			die 'tags' if tagged_fields($reader);
		}
		die "two entries for $name" if exists $results{$name};
		$results{$name} = \%result;
	}
	read_tags($reader, $flexible);
	die 'bytes behind a response' if $reader->left;
	return \%results;
}

sub create_topics
{
	my ($client, $topics, %other) = @_;

	send_create($client, $topics, %other);
	return read_create($client, $other{version});
}

# Create one topic: the error.
sub create_error
{
	my ($client, $name, %topic) = @_;
	my %other = map { $_ => delete $topic{$_} } grep { exists $topic{$_} } qw(version timeout validate_only);
	my $answer = create_topics($client, [ { name => $name, %topic } ], %other) // return 'closed';

	return $answer->{$name}{error};
}

# ---- DeleteTopics ------------------------------------------------------------------

# Send a request for topics: names or, from version 6 on, pairs of a name and an id in hexadecimal digits.
sub send_delete
{
	my ($client, $topics, %other) = @_;
	my $version = $other{version} // 6;
	my $flexible = $version >= 4;
	my $body = $version >= 6 ? array(1, $topics, sub {
		my ($name, $id) = ref $_[0] ? @{ $_[0] } : ($_[0]);

		return KafkaClient::compact_string($name) . pack('H*', $id // NULL_ID) })
	  : count_of($flexible, scalar @$topics) . join('', map { text($flexible, $_) } @$topics);

	$body .= int32($other{timeout} // 60000) . tags($flexible);
	return $client->send_request(DELETE_TOPICS, $version, $body, $flexible);
}

# The answer: a list of {name, id, error, message}, in order; nothing at the connection's end.
sub read_delete
{
	my ($client, $version) = @_;
	my $flexible = ($version //= 6) >= 4;
	my $reader = $client->read_response($flexible) // return;
	my @results;

	die 'a throttle time' if $reader->int32 != 0;
	foreach (1 .. read_count($reader, $flexible))
	{
		my %result = (name => read_text($reader, $flexible));

		$result{id} = $reader->uuid if $version >= 6;
		$result{error} = $reader->int16;
		$result{message} = read_text($reader, $flexible) if $version >= 5;
		read_tags($reader, $flexible);
		push @results, \%result;
	}
	read_tags($reader, $flexible);
	die 'bytes behind a response' if $reader->left;
	return \@results;
}

sub delete_topics
{
	my ($client, $topics, %other) = @_;

	send_delete($client, $topics, %other);
	return read_delete($client, $other{version});
}

# Delete topics: the errors.
sub delete_error
{
	my ($client, $topics, %other) = @_;
	my $results = delete_topics($client, ref $topics ? $topics : [$topics], %other) // return 'closed';

	return join(' ', map { $_->{error} } @$results);
}

# ---- Metadata ---------------------------------------------------------------------------

# What version 12 says of topics by name: {name => {error, id, partitions}}.  With "create" they may be created.
sub topic_metadata
{
	my ($client, $topics, %other) = @_;
	my $body = array(1, $topics, sub { return pack('H*', NULL_ID) . KafkaClient::compact_string($_[0]) });
	my $reader = $client->call(KafkaClient::METADATA, 12, $body . int8($other{create} ? 1 : 0) . int8(0) . "\0", 1) // return;
	my %results;

	$reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		$reader->int32;
		$reader->compact_string;
		$reader->int32;
		$reader->compact_string;
		$reader->tags;
	}
	$reader->compact_string;
	$reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		my $error = $reader->int16;
		my $name = $reader->compact_string;
		my $id = $reader->uuid;

		$reader->int8;
		my $partitions = $reader->compact_count;
		foreach (1 .. $partitions)
		{
			$reader->int16;
			$reader->int32 for 1 .. 3;
			$reader->take(4 * $reader->compact_count) for 1 .. 3;
			$reader->tags;
		}
		$reader->int32;
		$reader->tags;
		$results{$name} = { error => $error, id => $id, partitions => $partitions };
	}
	return \%results;
}

# The error for one topic, and its number of partitions.
sub metadata_error
{
	my ($client, $name, %other) = @_;
	my $topic = topic_metadata($client, [$name], %other)->{$name};

	return "$topic->{error}:$topic->{partitions}";
}

1;
