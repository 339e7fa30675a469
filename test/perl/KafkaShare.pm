# Share groups (KIP-932), by hand: over a connection of KafkaClient.
#
#   my $answer = share_heartbeat($client, group => 'g', member => 'm', epoch => 0, names => ['orders']);
#   $answer = share_fetch($client, group => 'g', member => 'm', epoch => 0, add => { $id => [ 0, 1 ] }, records => 10);
#   $answer->{partitions}{"$id:0"}{acquired};    # [[first, last, deliveries], ...]
#   share_acknowledge($client, group => 'g', member => 'm', epoch => 1, acks => { "$id:0" => [ [ 0, 4, 1 ] ] });
#
# A member that fetches as Kafka's clients do:
#
#   my $member = KafkaShare->new($client, group => 'g', member => 'm');
#   $member->fetch(add => { $id => [0] }, records => 10);
package KafkaShare;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(share_heartbeat describe_share_groups share_fetch send_share_fetch read_share_fetch share_acknowledge
  topic_ids acquired_text describe_share_offsets alter_share_offsets delete_share_offsets);

use constant {
	HEARTBEAT => 76, DESCRIBE => 77, FETCH => 78, ACKNOWLEDGE => 79, DESCRIBE_OFFSETS => 90, ALTER_OFFSETS => 91,
	DELETE_OFFSETS => 92
};
use constant { GAP => 0, ACCEPT => 1, RELEASE => 2, REJECT => 3, RENEW => 4 };
use constant ERRORS => {
	FENCED_MEMBER_EPOCH => 110, UNKNOWN_MEMBER_ID => 25, INVALID_REQUEST => 42, GROUP_MAX_SIZE_REACHED => 81,
	GROUP_ID_NOT_FOUND => 69, TOPIC_AUTHORIZATION_FAILED => 29, GROUP_AUTHORIZATION_FAILED => 30, NON_EMPTY_GROUP => 68,
	INCONSISTENT_GROUP_PROTOCOL => 23, INVALID_RECORD_STATE => 121, SHARE_SESSION_NOT_FOUND => 122,
	INVALID_SHARE_SESSION_EPOCH => 123, SHARE_SESSION_LIMIT_REACHED => 133, UNKNOWN_TOPIC_ID => 100,
	UNKNOWN_TOPIC_OR_PARTITION => 3, INVALID_GROUP_ID => 24 };

sub uuid { return pack('H*', $_[0]) }

# Ids of topics by their names, as the server makes them: sql() is a function that runs a query.
sub topic_ids
{
	my ($sql) = @_;
	my $system = $sql->('SELECT system_identifier FROM pg_control_system()');
	my $database = $sql->('SELECT oid FROM pg_database WHERE datname = current_database()');

	return { map { my ($oid, $name) = split /\|/; $name => unpack('H*', pack('Q>NN', $system, $database, $oid)) }
		  split /\n/, $sql->('SELECT topic::oid, topic::text FROM pg_topics') };
}

# ---- groups -----------------------------------------------------------------------

sub read_partitions
{
	my ($reader, $with_name) = @_;
	my %topics;

	foreach (1 .. $reader->compact_count)
	{
		my $id = $reader->uuid;
		my $name = $with_name ? $reader->compact_string : undef;

		$topics{ $name // $id } = [ map { $reader->int32 } 1 .. $reader->compact_count ];
		$reader->tags;
	}
	$reader->tags;
	return \%topics;
}

sub share_heartbeat
{
	my ($client, %said) = @_;
	my $names = $said{names};
	my $reader = $client->call(HEARTBEAT, 1, text(1, $said{group}) . text(1, $said{member}) . int32($said{epoch})
		  . text(1, $said{rack}) . values_of(1, $names, sub { text(1, $_[0]) }) . "\0", 1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message member epoch interval)} =
	  ($reader->int16, $reader->compact_string, $reader->compact_string, $reader->int32, $reader->int32);
	$answer{assignment} = read_partitions($reader) if $reader->int8 >= 0;
	read_end($reader, 1);
	return \%answer;
}

# {group => {error, message, state, epoch, assignment_epoch, assignor, members => {id => {...}}, operations}}
sub describe_share_groups
{
	my ($client, @groups) = @_;
	my $reader = $client->call(DESCRIBE, 1, values_of(1, \@groups, sub { text(1, $_[0]) }) . int8(1) . "\0", 1)
	  // return undef;
	my %groups;

	$reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		my %group = (error => $reader->int16, message => $reader->compact_string);
		my $id = $reader->compact_string;

		@group{qw(state epoch assignment_epoch assignor)} =
		  ($reader->compact_string, $reader->int32, $reader->int32, $reader->compact_string);
		foreach (1 .. $reader->compact_count)
		{
			my %member;
			my $member = $reader->compact_string;

			@member{qw(rack epoch client host)} =
			  ($reader->compact_string, $reader->int32, $reader->compact_string, $reader->compact_string);
			$member{names} = [ map { $reader->compact_string } 1 .. $reader->compact_count ];
			$member{assignment} = read_partitions($reader, 1);
			$reader->tags;
			$group{members}{$member} = \%member;
		}
		$group{operations} = $reader->int32;
		$reader->tags;
		$groups{$id} = \%group;
	}
	read_end($reader, 1);
	return \%groups;
}

# ---- records ------------------------------------------------------------------------

# Acknowledgements of a partition: [[first, last, type, ...], ...]
sub batches
{
	my ($acks) = @_;

	return array(1, $acks // [], sub {
		my ($first, $last, @types) = @{ $_[0] };
		return int64($first) . int64($last) . values_of(1, \@types, sub { int8($_[0]) });
	});
}

# {id => {partition => acks}} of {"id:partition" => acks} and {id => [partitions]}
sub by_topic
{
	my ($acks, $add) = @_;
	my %topics;

	foreach my $partition (keys %{ $acks // {} })
	{
		my ($id, $number) = split /:/, $partition;

		$topics{$id}{$number} = $acks->{$partition};
	}
	foreach my $id (keys %{ $add // {} })
	{
		$topics{$id}{$_} //= [] foreach @{ $add->{$id} };
	}
	return \%topics;
}

sub topics
{
	my ($topics) = @_;

	return array(1, [ sort keys %$topics ], sub {
		my $partitions = $topics->{ $_[0] };
		return uuid($_[0]) . array(1, [ sort { $a <=> $b } keys %$partitions ], sub { int32($_[0]) . batches($partitions->{ $_[0] }) });
	});
}

# group, member, epoch, wait (ms), min, bytes, records, mode, renew, add ({id => [partitions]}), acks, forget
sub send_share_fetch
{
	my ($client, %said) = @_;
	my $version = $said{version} // 2;
	my $forget = $said{forget} // {};

	return $client->send_request(FETCH, $version, text(1, $said{group}) . text(1, $said{member}) . int32($said{epoch})
		  . int32($said{wait} // 500) . int32($said{min} // 1) . int32($said{bytes} // 1 << 20) . int32($said{records} // 500)
		  . int32(500) . ($version >= 2 ? int8($said{mode} // 0) . int8($said{renew} // 0) : '')
		  . topics(by_topic($said{acks}, $said{add}))
		  . array(1, [ sort keys %$forget ], sub { uuid($_[0]) . values_of(1, $forget->{ $_[0] }, sub { int32($_[0]) }) })
		  . "\0", 1);
}

# {error, message, lock, partitions => {"id:partition" => {error, ack_error, records (bytes), acquired => [[first, last, count]]}}}
sub read_share_fetch
{
	my ($client) = @_;
	my $reader = $client->read_response(1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message lock)} = ($reader->int16, $reader->compact_string, $reader->int32);
	foreach (1 .. $reader->compact_count)
	{
		my $id = $reader->uuid;

		foreach (1 .. $reader->compact_count)
		{
			my $number = $reader->int32;
			my %partition;

			@partition{qw(error message ack_error ack_message)} =
			  ($reader->int16, $reader->compact_string, $reader->int16, $reader->compact_string);
			$reader->int32;
			$reader->int32;
			$reader->tags;
			$partition{records} = $reader->compact_string // '';
			$partition{acquired} = read_array($reader, 1, sub { [ $reader->int64, $reader->int64, $reader->int16 ] });
			$reader->tags;
			$answer{partitions}{"$id:$number"} = \%partition;
		}
		$reader->tags;
	}
	$reader->compact_count == 0 or die 'there are nodes';
	read_end($reader, 1);
	return \%answer;
}

sub share_fetch
{
	my ($client, %said) = @_;

	send_share_fetch($client, %said);
	return read_share_fetch($client);
}

# {error, message, partitions => {"id:partition" => {error, message}}}
sub share_acknowledge
{
	my ($client, %said) = @_;
	my $version = $said{version} // 2;
	my $reader = $client->call(ACKNOWLEDGE, $version, text(1, $said{group}) . text(1, $said{member}) . int32($said{epoch})
		  . ($version >= 2 ? int8($said{renew} // 0) : '') . topics(by_topic($said{acks})) . "\0", 1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message)} = ($reader->int16, $reader->compact_string);
	$answer{lock} = $reader->int32 if $version >= 2;
	foreach (1 .. $reader->compact_count)
	{
		my $id = $reader->uuid;

		foreach (1 .. $reader->compact_count)
		{
			my $number = $reader->int32;

			$answer{partitions}{"$id:$number"} = { error => $reader->int16, message => $reader->compact_string };
			$reader->int32;
			$reader->int32;
			$reader->tags;
			$reader->tags;
		}
		$reader->tags;
	}
	$reader->compact_count == 0 or die 'there are nodes';
	read_end($reader, 1);
	return \%answer;
}

# "0-4x1 7-7x2"
sub acquired_text { my ($partition) = @_; return join ' ', map { "$_->[0]-$_->[1]x$_->[2]" } @{ $partition->{acquired} // [] } }

# ---- offsets ----------------------------------------------------------------------------

# {error, message, topics => {name => {partition => {start, lag, error}}}} of a group; topics undef: all
sub describe_share_offsets
{
	my ($client, $group, $topics) = @_;
	my $reader = $client->call(DESCRIBE_OFFSETS, 1, array(1, [$group], sub {
		text(1, $group) . array(1, defined $topics ? [ sort keys %$topics ] : undef, sub {
			text(1, $_[0]) . values_of(1, $topics->{ $_[0] }, sub { int32($_[0]) })
		})
	}) . "\0", 1) // return undef;
	my %answer;

	$reader->int32;
	$reader->compact_count == 1 or die 'not one group';
	$reader->compact_string eq $group or die 'another group';
	foreach (1 .. $reader->compact_count)
	{
		my $name = $reader->compact_string;

		$reader->uuid;
		foreach (1 .. $reader->compact_count)
		{
			my $number = $reader->int32;
			my %partition;

			@partition{qw(start epoch lag error message)} =
			  ($reader->int64, $reader->int32, $reader->int64, $reader->int16, $reader->compact_string);
			$reader->tags;
			$answer{topics}{$name}{$number} = \%partition;
		}
		$reader->tags;
	}
	@answer{qw(error message)} = ($reader->int16, $reader->compact_string);
	$reader->tags;
	read_end($reader, 1);
	return \%answer;
}

# {error, message, topics => {name => {partition => error}}}; topics: {name => {partition => offset}}
sub alter_share_offsets
{
	my ($client, $group, $topics) = @_;
	my $reader = $client->call(ALTER_OFFSETS, 0, text(1, $group) . array(1, [ sort keys %$topics ], sub {
		my $partitions = $topics->{ $_[0] };
		text(1, $_[0]) . array(1, [ sort { $a <=> $b } keys %$partitions ], sub { int32($_[0]) . int64($partitions->{ $_[0] }) })
	}) . "\0", 1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message)} = ($reader->int16, $reader->compact_string);
	foreach (1 .. $reader->compact_count)
	{
		my $name = $reader->compact_string;

		$reader->uuid;
		foreach (1 .. $reader->compact_count)
		{
			my $number = $reader->int32;

			$answer{topics}{$name}{$number} = $reader->int16;
			$reader->compact_string;
			$reader->tags;
		}
		$reader->tags;
	}
	read_end($reader, 1);
	return \%answer;
}

# {error, message, topics => {name => error}}
sub delete_share_offsets
{
	my ($client, $group, @topics) = @_;
	my $reader = $client->call(DELETE_OFFSETS, 0,
		text(1, $group) . array(1, \@topics, sub { text(1, $_[0]) }) . "\0", 1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message)} = ($reader->int16, $reader->compact_string);
	foreach (1 .. $reader->compact_count)
	{
		my $name = $reader->compact_string;

		$reader->uuid;
		$answer{topics}{$name} = $reader->int16;
		$reader->compact_string;
		$reader->tags;
	}
	read_end($reader, 1);
	return \%answer;
}

# ---- members ---------------------------------------------------------------------------------

sub new { my ($class, $client, %said) = @_; return bless { client => $client, said => \%said, epoch => 0 }, $class }

sub session_epoch { return $_[0]{epoch} }

sub next_epoch { my ($self) = @_; return $self->{epoch}++ }

# What ShareFetch says, with the session's epoch.
sub fetch
{
	my ($self, %said) = @_;

	return share_fetch($self->{client}, %{ $self->{said} }, epoch => $self->next_epoch, %said);
}

sub acknowledge
{
	my ($self, $acks, %said) = @_;

	return share_acknowledge($self->{client}, %{ $self->{said} }, epoch => $self->next_epoch, acks => $acks, %said);
}

1;
