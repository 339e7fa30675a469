# DescribeAcls, CreateAcls and DeleteAcls, by hand: over a connection of KafkaClient.
#
# An ACL is written as "TOPIC orders LITERAL User:app * READ ALLOW"; in a filter "-" stands for null.
#
#   my @errors = create_acls($client, ['TOPIC orders LITERAL User:app * READ ALLOW']);
#   my @acls = describe_acls($client, 'ANY - ANY - - ANY ANY');
package KafkaAcls;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(describe_acls create_acls create_acl_messages delete_acls);

use constant { DESCRIBE_ACLS => 29, CREATE_ACLS => 30, DELETE_ACLS => 31 };

my @resources = qw(UNKNOWN ANY TOPIC GROUP CLUSTER TRANSACTIONAL_ID DELEGATION_TOKEN USER);
my @patterns = qw(UNKNOWN ANY MATCH LITERAL PREFIXED);
my @operations = qw(UNKNOWN ANY ALL READ WRITE CREATE DELETE ALTER DESCRIBE CLUSTER_ACTION DESCRIBE_CONFIGS
  ALTER_CONFIGS IDEMPOTENT_WRITE CREATE_TOKENS DESCRIBE_TOKENS TWO_PHASE_COMMIT);
my @permissions = qw(UNKNOWN ANY DENY ALLOW);

# The number of a name, which may be a number itself.
sub number
{
	my ($name, @names) = @_;

	return $name if $name =~ /^-?\d+$/;
	my ($number) = grep { $names[$_] eq $name } 0 .. $#names;
	return $number // die "what is $name?";
}

# The bytes of an ACL or a filter: a string of words, or a list of them.
sub acl
{
	my ($acl, $version) = @_;
	my ($resource, $name, $pattern, $principal, $host, $operation, $permission) =
	  map { defined $_ && $_ eq '-' ? undef : $_ } ref $acl ? @$acl : split / /, $acl;
	my $flexible = $version >= 2;

	return int8(number($resource, @resources)) . text($flexible, $name)
	  . ($version >= 1 ? int8(number($pattern, @patterns)) : '') . text($flexible, $principal) . text($flexible, $host)
	  . int8(number($operation, @operations)) . int8(number($permission, @permissions)) . tags($flexible);
}

sub resource_of
{
	my ($reader, $version) = @_;
	my ($resource, $name) = ($resources[$reader->int8], read_text($reader, $version >= 2));

	return "$resource $name " . ($version >= 1 ? $patterns[$reader->int8] : 'LITERAL');
}

sub entry_of
{
	my ($reader, $version) = @_;
	my ($principal, $host) = map { read_text($reader, $version >= 2) } 1 .. 2;

	return "$principal $host $operations[$reader->int8] $permissions[$reader->int8]";
}

# Call, and pass the throttle time over; nothing where the connection is closed.
sub call
{
	my ($client, $key, $version, $body) = @_;
	my $reader = $client->call($key, $version, $body . tags($version >= 2), $version >= 2) // return;

	die 'a throttle time' if $reader->int32 != 0;
	return $reader;
}

sub finish
{
	my ($reader, $version) = @_;

	return read_end($reader, $version >= 2);
}

# What a filter matches, sorted; or "error CODE: MESSAGE".
sub describe_acls
{
	my ($client, $filter, $version) = @_;
	$version //= 3;
	my $flexible = $version >= 2;
	# its tags are those of the request
	my $bytes = acl($filter, $version);
	my $reader = call($client, DESCRIBE_ACLS, $version, $flexible ? substr($bytes, 0, -1) : $bytes) // return 'closed';
	my $error = $reader->int16;
	my $message = read_text($reader, $flexible);
	my @acls;

	foreach (1 .. read_count($reader, $flexible))
	{
		my $resource = resource_of($reader, $version);

		foreach (1 .. read_count($reader, $flexible))
		{
			push @acls, "$resource " . entry_of($reader, $version);
			read_tags($reader, $flexible);
		}
		read_tags($reader, $flexible);
	}
	finish($reader, $version);
	return "error $error: $message" if $error;
	return sort @acls;
}

# The results: [error, message] each.
sub create_acl_messages
{
	my ($client, $acls, $version) = @_;
	$version //= 3;
	my $flexible = $version >= 2;
	my $reader = call($client, CREATE_ACLS, $version,
		count_of($flexible, scalar @$acls) . join('', map { acl($_, $version) } @$acls)) // return ['closed'];
	my @results;

	foreach (1 .. read_count($reader, $flexible))
	{
		push @results, [ $reader->int16, read_text($reader, $flexible) ];
		read_tags($reader, $flexible);
	}
	finish($reader, $version);
	return @results;
}

# The errors in one string.
sub create_acls { return join ' ', map { $_->[0] } create_acl_messages(@_) }

# For each filter a string: the error, or what was removed, sorted, with errors before what was not.
sub delete_acls
{
	my ($client, $filters, $version) = @_;
	$version //= 3;
	my $flexible = $version >= 2;
	my $reader = call($client, DELETE_ACLS, $version,
		count_of($flexible, scalar @$filters) . join('', map { acl($_, $version) } @$filters)) // return 'closed';
	my @results;

	foreach (1 .. read_count($reader, $flexible))
	{
		my $error = $reader->int16;
		my $message = read_text($reader, $flexible);
		my @removed;

		foreach (1 .. read_count($reader, $flexible))
		{
			my $failed = $reader->int16;

			read_text($reader, $flexible);
			push @removed, ($failed ? "error $failed: " : '') . resource_of($reader, $version) . ' ' . entry_of($reader, $version);
			read_tags($reader, $flexible);
		}
		push @results, $error ? "error $error: $message" : join(', ', sort @removed);
		read_tags($reader, $flexible);
	}
	finish($reader, $version);
	return @results;
}

1;
