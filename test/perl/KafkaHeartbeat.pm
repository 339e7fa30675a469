# ConsumerGroupHeartbeat and ConsumerGroupDescribe, by hand: over a connection of KafkaClient.
#
#   my $answer = heartbeat($client, group => 'g', member => 'm', epoch => 0, names => ['orders'], timeout => 60000, owned => {});
#   $answer->{assignment};    # {topic id => [partitions]}, undef where there is none
#
# And members that behave as Kafka's clients do:
#
#   my $member = KafkaHeartbeat->new(sub { connection }, group => 'g', member => 'm', names => ['orders']);
#   $member->beat;            # join, go on, give up what is to be given up
#   $member->owned;           # "id:0,1 id:2"
#
#   shared(a => $a->{owned}, b => $b->{owned});    # partitions that several say they own, "id:0=a,b"
package KafkaHeartbeat;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;

our @EXPORT = qw(send_heartbeat read_heartbeat heartbeat describe_consumer_groups);

use constant { CONSUMER_GROUP_HEARTBEAT => 68, CONSUMER_GROUP_DESCRIBE => 69 };
use constant ERRORS => {
	FENCED_MEMBER_EPOCH => 110, UNRELEASED_INSTANCE_ID => 111, UNSUPPORTED_ASSIGNOR => 112, STALE_MEMBER_EPOCH => 113,
	UNKNOWN_MEMBER_ID => 25, INVALID_REQUEST => 42, INVALID_REGULAR_EXPRESSION => 128, GROUP_MAX_SIZE_REACHED => 81,
	GROUP_ID_NOT_FOUND => 69, FENCED_INSTANCE_ID => 82, TOPIC_AUTHORIZATION_FAILED => 29, GROUP_AUTHORIZATION_FAILED => 30,
	INCONSISTENT_GROUP_PROTOCOL => 23, COORDINATOR_NOT_AVAILABLE => 15 };

sub text  { return KafkaClient::compact_string(@_) }
sub count { return KafkaClient::compact_count(@_) }

sub uuid { return pack('H*', $_[0]) }

# ---- what members own --------------------------------------------------------------------

# The partitions that more than one owns, of {topic => [partitions]} by owner.
sub shared
{
	my (%owned) = @_;
	my %owners;

	foreach my $owner (sort keys %owned)
	{
		foreach my $topic (keys %{ $owned{$owner} })
		{
			push @{ $owners{"$topic:$_"} }, $owner foreach @{ $owned{$owner}{$topic} };
		}
	}
	return join ' ', map { "$_=" . join(',', @{ $owners{$_} }) } grep { @{ $owners{$_} } > 1 } sort keys %owners;
}

# ---- ConsumerGroupHeartbeat ------------------------------------------------------------

# Send a request: group, member, epoch, instance, rack, timeout, names, regex, assignor, owned ({id => [partitions]}).
sub send_heartbeat
{
	my ($client, %said) = @_;
	my $version = $said{version} // 1;
	my $owned = $said{owned};
	my $body = text($said{group}) . text($said{member} // '') . KafkaClient::int32($said{epoch}) . text($said{instance})
	  . text($said{rack}) . KafkaClient::int32($said{timeout} // -1);

	$body .= $said{names} ? count(scalar @{ $said{names} }) . join('', map { text($_) } @{ $said{names} }) : "\0";
	$body .= text($said{regex}) if $version >= 1;
	$body .= text($said{assignor});
	$body .= $owned ? count(scalar keys %$owned) . join('', map {
		uuid($_) . count(scalar @{ $owned->{$_} }) . join('', map { KafkaClient::int32($_) } @{ $owned->{$_} }) . "\0"
	} sort keys %$owned) : "\0";
	return $client->send_request(CONSUMER_GROUP_HEARTBEAT, $version, "$body\0", 1);
}

# {id => [partitions]}
sub read_partitions
{
	my ($reader, $with_name) = @_;
	my %topics;

	for (1 .. $reader->compact_count)
	{
		my $id = $reader->uuid;
		my $name = $with_name ? $reader->compact_string : undef;
		$topics{ $name // $id } = [ map { $reader->int32 } 1 .. $reader->compact_count ];
		$reader->tags;
	}
	return \%topics;
}

# The answer to it; undef at the connection's end.
sub read_heartbeat
{
	my ($client) = @_;
	my $reader = $client->read_response(1) // return undef;
	my %answer;

	$reader->int32;
	@answer{qw(error message member epoch interval)} =
	  ($reader->int16, $reader->compact_string, $reader->compact_string, $reader->int32, $reader->int32);
	if ($reader->int8 >= 0)
	{
		$answer{assignment} = read_partitions($reader);
		$reader->tags;
	}
	$reader->tags;
	return \%answer;
}

sub heartbeat
{
	my ($client, %said) = @_;

	send_heartbeat($client, %said);
	return read_heartbeat($client);
}

# ---- ConsumerGroupDescribe --------------------------------------------------------------

# {group => {error, message, state, epoch, assignment_epoch, assignor, members => {id => {...}}}}
sub describe_consumer_groups
{
	my ($client, @groups) = @_;
	my $reader = $client->call(CONSUMER_GROUP_DESCRIBE, 1,
		count(scalar @groups) . join('', map { text($_) } @groups) . KafkaClient::int8(1) . "\0", 1) // return undef;
	my %groups;

	$reader->int32;
	for (1 .. $reader->compact_count)
	{
		my %group = (error => $reader->int16, message => $reader->compact_string);
		my $id = $reader->compact_string;

		@group{qw(state epoch assignment_epoch assignor)} =
		  ($reader->compact_string, $reader->int32, $reader->int32, $reader->compact_string);
		for (1 .. $reader->compact_count)
		{
			my %member;
			my $member = $reader->compact_string;

			@member{qw(instance rack epoch client host)} = ($reader->compact_string, $reader->compact_string,
				$reader->int32, $reader->compact_string, $reader->compact_string);
			$member{names} = [ map { $reader->compact_string } 1 .. $reader->compact_count ];
			$member{regex} = $reader->compact_string;
			foreach my $kind (qw(assignment target))
			{
				$member{$kind} = read_partitions($reader, 1);
				$reader->tags;
			}
			$member{type} = $reader->int8;
			$reader->tags;
			$group{members}{$member} = \%member;
		}
		$group{operations} = $reader->int32;
		$reader->tags;
		$groups{$id} = \%group;
	}
	return \%groups;
}

# ---- members ------------------------------------------------------------------------------

sub new
{
	my ($class, $connect, %said) = @_;

	return bless { connect => $connect, said => \%said, epoch => 0, owned => {}, target => undef, whole => 1 }, $class;
}

# "id:0,1 id:2", with names in the place of ids, if they are given.
sub as_text
{
	my ($topics, $names) = @_;

	return join ' ', sort map { ($names->{$_} // $_) . ':' . join(',', sort { $a <=> $b } @{ $topics->{$_} }) } keys %$topics;
}

sub owned { my ($self, $names) = @_; return as_text($self->{owned}, $names // {}) }

sub epoch { return $_[0]{epoch} }

sub client { my ($self) = @_; return $self->{client} //= $self->{connect}->() }

# Its address is another one from now on, and the last answer is lost.
sub reconnect { my ($self) = @_; $self->{client} = undef; $self->{whole} = 1; return }

# Say something else with the next heartbeat.
sub say { my ($self, %said) = @_; $self->{said} = { %{ $self->{said} }, %said }; $self->{whole} = 1; return }

# What is said with the next heartbeat, after it has done what it was told.
sub request
{
	my ($self) = @_;
	my %said = %{ $self->{said} };
	my $moved = 0;

	if ($self->{target})
	{
		$moved = as_text($self->{owned}) ne as_text($self->{target});
		$self->{owned} = $self->{target};
		$self->{target} = undef;
	}
	my %request = map { $_ => $said{$_} } grep { exists $said{$_} } qw(version group member instance);
	$request{epoch} = $self->{epoch};
	@request{qw(rack timeout names regex assignor)} = ($said{rack}, $said{timeout} // 60000, @said{qw(names regex assignor)})
	  if $self->{whole};
	$request{owned} = $self->{owned} if $moved || $self->{whole};
	return %request;
}

# A heartbeat; returns the answer.
sub beat
{
	my ($self) = @_;
	my $answer = heartbeat($self->client, $self->request) // die "the connection is closed\n";

	if ($answer->{error} == ERRORS->{FENCED_MEMBER_EPOCH} || $answer->{error} == ERRORS->{UNKNOWN_MEMBER_ID})
	{
		@$self{qw(epoch owned target whole)} = (0, {}, undef, 1);
	}
	elsif ($answer->{error} == 0)
	{
		$self->{said}{member} = $answer->{member};
		@$self{qw(epoch whole)} = ($answer->{epoch}, 0);
		$self->{target} = $answer->{assignment} if $answer->{assignment};
	}
	else
	{
		$self->{whole} = 1;
	}
	return $answer;
}

# Leave: for good, or for a while with -2.
sub leave
{
	my ($self, $epoch) = @_;
	my %said = %{ $self->{said} };
	my $answer = heartbeat($self->client, group => $said{group}, member => $said{member}, epoch => $epoch // -1,
		instance => $said{instance}, version => $said{version});

	@$self{qw(epoch owned target whole)} = (0, {}, undef, 1);
	return $answer;
}

# Let members send heartbeats, until all is so; false if that does not come.
sub settle
{
	my ($condition, @members) = @_;

	for (1 .. 40)
	{
		$_->beat foreach @members;
		return 1 if $condition->();
	}
	return 0;
}

1;
