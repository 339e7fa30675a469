# Members of Kafka's consumer groups, by hand: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, ListGroups, DescribeGroups and
# DeleteGroups in all versions, over connections of KafkaClient.
#
#   my $answer = join_group($client, 'workers', topics => ['orders']);
#   my $member = KafkaMember->new($port, 'workers', topics => ['orders']);
#   $member->join_generation;
package KafkaMember;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(join_group send_join read_join sync_group send_sync read_sync heartbeat leave_group list_groups describe_groups
  delete_groups subscription assignment read_assignment share_out form_group);

use constant {
	JOIN_GROUP => 11, HEARTBEAT => 12, LEAVE_GROUP => 13, SYNC_GROUP => 14, DESCRIBE_GROUPS => 15, LIST_GROUPS => 16,
	DELETE_GROUPS => 42
};

sub bytes    { my ($flexible, $bytes) = @_; return count_of($flexible, length $bytes) . $bytes }

sub read_bytes { my ($reader, $flexible) = @_; return $reader->take(read_count($reader, $flexible)) }

# ---- what members tell each other ------------------------------------------------------

# A subscription of version 0.
sub subscription
{
	my (@topics) = @_;

	return int16(0) . int32(scalar @topics) . join('', map { KafkaClient::string($_) } @topics) . int32(-1);
}

# topic => [partitions]
sub partitions_of
{
	my (%partitions) = @_;

	return int32(scalar keys %partitions)
	  . join('', map { KafkaClient::string($_) . int32(scalar @{ $partitions{$_} }) . join('', map { int32($_) } @{ $partitions{$_} }) }
		sort keys %partitions);
}

# A subscription of version 3, of a member that owns something, as an assignment in text: "orders-0 orders-2".
sub owning_subscription
{
	my ($owned, @topics) = @_;
	my %owned;

	push @{ $owned{ $_->[0] } }, $_->[1] foreach map { [ /^(.*)-(\d+)$/ ] } split / /, $owned;
	return int16(3) . int32(scalar @topics) . join('', map { KafkaClient::string($_) } @topics) . int32(-1) . partitions_of(%owned)
	  . int32(-1) . KafkaClient::string('a rack');
}

# An assignment of version 0: topic => [partitions].
sub assignment
{
	my (%partitions) = @_;

	return int16(0) . partitions_of(%partitions) . int32(-1);
}

# The same as text: "orders-0 orders-2".
sub read_assignment
{
	my ($bytes) = @_;
	return '' if !length $bytes;
	my $reader = KafkaClient::Reader->new($bytes);
	my @partitions;

	$reader->int16;
	foreach (1 .. $reader->int32)
	{
		my $topic = $reader->string;

		push @partitions, "$topic-" . $reader->int32 foreach 1 .. $reader->int32;
	}
	return join(' ', @partitions);
}

# ---- JoinGroup ----------------------------------------------------------------------------

# Send one: with member, instance, topics or metadata, protocols (names), type, session, rebalance, version.
sub send_join
{
	my ($client, $group, %other) = @_;
	my $version = $other{version} // 9;
	my $flexible = $version >= 6;
	my $metadata = $other{metadata} // subscription(@{ $other{topics} // [] });
	my @protocols = @{ $other{protocols} // ['range'] };
	my $body = text($flexible, $group) . int32($other{session} // 30000);

	$body .= int32($other{rebalance} // 60000) if $version >= 1;
	$body .= text($flexible, $other{member} // '');
	$body .= text($flexible, $other{instance}) if $version >= 5;
	$body .= text($flexible, $other{type} // 'consumer');
	$body .= count_of($flexible, scalar @protocols)
	  . join('', map { text($flexible, $_) . bytes($flexible, $metadata) . tags($flexible) } @protocols);
	$body .= text($flexible, 'a test') if $version >= 8;
	return $client->send_request(JOIN_GROUP, $version, $body . tags($flexible), $flexible);
}

# The answer: {error, generation, type, protocol, leader, skip, member, members => {id => metadata}}; nothing at the end.
sub read_join
{
	my ($client, $version) = @_;
	my $flexible = ($version //= 9) >= 6;
	my $reader = $client->read_response($flexible) // return;
	my %answer;

	die 'a throttle time' if $version >= 2 && $reader->int32 != 0;
	@answer{qw(error generation)} = ($reader->int16, $reader->int32);
	$answer{type} = read_text($reader, $flexible) if $version >= 7;
	$answer{protocol} = read_text($reader, $flexible);
	$answer{leader} = read_text($reader, $flexible);
	$answer{skip} = $reader->int8 if $version >= 9;
	$answer{member} = read_text($reader, $flexible);
	$answer{members} = {};
	foreach (1 .. read_count($reader, $flexible))
	{
		my $id = read_text($reader, $flexible);

		read_text($reader, $flexible) if $version >= 5;
		$answer{members}{$id} = read_bytes($reader, $flexible);
		read_tags($reader, $flexible);
	}
	read_end($reader, $flexible);
	return \%answer;
}

# Join as a client that is told its id does.
sub join_group
{
	my ($client, $group, %other) = @_;

	send_join($client, $group, %other);
	my $answer = read_join($client, $other{version}) // return;
	return $answer if $answer->{error} != 79 || $other{once};
	send_join($client, $group, %other, member => $answer->{member});
	return read_join($client, $other{version});
}

# ---- SyncGroup ------------------------------------------------------------------------------

# Send one: with member, instance, generation, type, protocol, assignments => {id => bytes}, version.
sub send_sync
{
	my ($client, $group, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 4;
	my $assignments = $other{assignments} // {};
	my $body = text($flexible, $group) . int32($other{generation}) . text($flexible, $other{member});

	$body .= text($flexible, $other{instance}) if $version >= 3;
	$body .= text($flexible, $other{type} // 'consumer') . text($flexible, $other{protocol} // 'range') if $version >= 5;
	$body .= count_of($flexible, scalar keys %$assignments)
	  . join('', map { text($flexible, $_) . bytes($flexible, $assignments->{$_}) . tags($flexible) } sort keys %$assignments);
	return $client->send_request(SYNC_GROUP, $version, $body . tags($flexible), $flexible);
}

# The answer: {error, type, protocol, assignment}.
sub read_sync
{
	my ($client, $version) = @_;
	my $flexible = ($version //= 5) >= 4;
	my $reader = $client->read_response($flexible) // return;
	my %answer;

	die 'a throttle time' if $version >= 1 && $reader->int32 != 0;
	$answer{error} = $reader->int16;
	@answer{qw(type protocol)} = (read_text($reader, $flexible), read_text($reader, $flexible)) if $version >= 5;
	$answer{assignment} = read_bytes($reader, $flexible);
	read_end($reader, $flexible);
	return \%answer;
}

sub sync_group
{
	my ($client, $group, %other) = @_;

	send_sync($client, $group, %other);
	return read_sync($client, $other{version});
}

# ---- Heartbeat, LeaveGroup --------------------------------------------------------------------

# The error of a heartbeat.
sub heartbeat
{
	my ($client, $group, %other) = @_;
	my $version = $other{version} // 4;
	my $flexible = $version >= 4;
	my $body = text($flexible, $group) . int32($other{generation}) . text($flexible, $other{member});

	$body .= text($flexible, $other{instance}) if $version >= 3;
	my $reader = $client->call(HEARTBEAT, $version, $body . tags($flexible), $flexible) // return 'closed';

	die 'a throttle time' if $version >= 1 && $reader->int32 != 0;
	my $error = $reader->int16;

	read_end($reader, $flexible);
	return $error;
}

# Leave: a member or, from version 3 on, a list of [member, instance].  The errors: that of the response, and those of members.
sub leave_group
{
	my ($client, $group, $members, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 4;
	my $body = text($flexible, $group);

	$members = [ [$members] ] if !ref $members;
	if ($version < 3)
	{
		$body .= text($flexible, $members->[0][0]);
	}
	else
	{
		$body .= count_of($flexible, scalar @$members) . join('', map {
			text($flexible, $_->[0]) . text($flexible, $_->[1]) . ($version >= 5 ? text($flexible, 'a test') : '') . tags($flexible) } @$members);
	}
	my $reader = $client->call(LEAVE_GROUP, $version, $body . tags($flexible), $flexible) // return 'closed';

	die 'a throttle time' if $version >= 1 && $reader->int32 != 0;
	my @errors = ($reader->int16);

	foreach (1 .. ($version >= 3 ? read_count($reader, $flexible) : 0))
	{
		read_text($reader, $flexible);
		read_text($reader, $flexible);
		push @errors, $reader->int16;
		read_tags($reader, $flexible);
	}
	read_end($reader, $flexible);
	return join(' ', @errors);
}

# ---- ListGroups, DescribeGroups, DeleteGroups ------------------------------------------------------

# {id => "type:state:kind"}, or the error.
sub list_groups
{
	my ($client, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 3;
	my $body = '';

	foreach my $filter ($version >= 4 ? $other{states} // [] : (), $version >= 5 ? $other{types} // [] : ())
	{
		$body .= count_of($flexible, scalar @$filter) . join('', map { text($flexible, $_) } @$filter);
	}
	my $reader = $client->call(LIST_GROUPS, $version, $body . tags($flexible), $flexible) // return 'closed';

	die 'a throttle time' if $version >= 1 && $reader->int32 != 0;
	my $error = $reader->int16;
	my %groups;

	foreach (1 .. read_count($reader, $flexible))
	{
		my $id = read_text($reader, $flexible);
		my @told = (read_text($reader, $flexible));

		push @told, read_text($reader, $flexible) if $version >= 4;
		push @told, read_text($reader, $flexible) if $version >= 5;
		read_tags($reader, $flexible);
		die "two entries for $id" if exists $groups{$id};
		$groups{$id} = join(':', @told);
	}
	read_end($reader, $flexible);
	return $error ? $error : \%groups;
}

# A list, in order: {error, message, id, state, type, protocol, operations, members => {id => {instance, client, host,
# metadata, assignment}}}.
sub describe_groups
{
	my ($client, $groups, %other) = @_;
	my $version = $other{version} // 6;
	my $flexible = $version >= 5;
	my $body = count_of($flexible, scalar @$groups) . join('', map { text($flexible, $_) } @$groups);

	$body .= int8($other{operations} ? 1 : 0) if $version >= 3;
	my $reader = $client->call(DESCRIBE_GROUPS, $version, $body . tags($flexible), $flexible) // return;
	my @answers;

	die 'a throttle time' if $version >= 1 && $reader->int32 != 0;
	foreach (1 .. read_count($reader, $flexible))
	{
		my %group = (error => $reader->int16);

		$group{message} = read_text($reader, $flexible) if $version >= 6;
		$group{$_} = read_text($reader, $flexible) foreach qw(id state type protocol);
		$group{members} = {};
		foreach (1 .. read_count($reader, $flexible))
		{
			my %member;
			my $id = read_text($reader, $flexible);

			$member{instance} = read_text($reader, $flexible) if $version >= 4;
			$member{client} = read_text($reader, $flexible);
			$member{host} = read_text($reader, $flexible);
			$member{metadata} = read_bytes($reader, $flexible);
			$member{assignment} = read_bytes($reader, $flexible);
			read_tags($reader, $flexible);
			$group{members}{$id} = \%member;
		}
		$group{operations} = $reader->int32 if $version >= 3;
		read_tags($reader, $flexible);
		push @answers, \%group;
	}
	read_end($reader, $flexible);
	return \@answers;
}

# {id => error}
sub delete_groups
{
	my ($client, $groups, %other) = @_;
	my $version = $other{version} // 3;
	my $flexible = $version >= 2;
	my $body = count_of($flexible, scalar @$groups) . join('', map { text($flexible, $_) } @$groups);
	my $reader = $client->call(DELETE_GROUPS, $version, $body . tags($flexible), $flexible) // return;
	my %errors;

	die 'a throttle time' if $reader->int32 != 0;
	foreach (1 .. read_count($reader, $flexible))
	{
		my $id = read_text($reader, $flexible);

		$errors{$id} = $reader->int16;
		read_text($reader, $flexible) if $version >= 3;
		read_tags($reader, $flexible);
	}
	read_end($reader, $flexible);
	return \%errors;
}

# ---- a member with a connection ------------------------------------------------------------------

# A member that has not joined; further parameters are those of JoinGroup.
sub new
{
	my ($class, $port, $group, %params) = @_;
	my $client = $params{client} // KafkaClient->new($port) // die "no connection: $!";

	delete $params{client};
	return bless { client => $client, port => $port, group => $group, params => \%params, member => '', generation => -1 }, $class;
}

sub client { return $_[0]{client} }

# Connect anew: the server has closed the connection, or the test did.
sub reconnect
{
	my ($self) = @_;

	$self->{client}->close;
	$self->{client} = KafkaClient->new($self->{port}) // return 0;
	return 1;
}

# Send JoinGroup with the id that it has; with one it is given first, if it has none.
sub send_join_generation
{
	my ($self) = @_;

	if ($self->{member} eq '' && !defined $self->{params}{instance} && ($self->{params}{version} // 9) >= 4)
	{
		my $answer = join_group($self->{client}, $self->{group}, %{ $self->{params} }, once => 1);

		die "error $answer->{error} in place of an id" if $answer->{error} != 79;
		$self->{member} = $answer->{member};
	}
	return send_join($self->{client}, $self->{group}, %{ $self->{params} }, member => $self->{member});
}

sub read_join_generation
{
	my ($self) = @_;
	my $answer = read_join($self->{client}, $self->{params}{version}) // return 'closed';

	@{$self}{qw(member generation members leader)} = @{$answer}{qw(member generation members leader)} if $answer->{error} == 0;
	return $answer->{error};
}

sub leads { my ($self) = @_; return $self->{leader} eq $self->{member} && %{ $self->{members} } }

# Share the partitions of a topic among members, in the order of their ids: {id => assignment}.
sub share_out
{
	my ($topic, $partitions, @members) = @_;
	my %shares = map { $_ => [] } @members;

	@members = sort @members;
	push @{ $shares{ $members[ $_ % @members ] } }, $_ foreach 0 .. $partitions - 1;
	return { map { $_ => assignment($topic => $shares{$_}) } keys %shares };
}

# Send SyncGroup; the leader shares out a topic.
sub send_sync_generation
{
	my ($self, $topic, $partitions) = @_;

	return send_sync($self->{client}, $self->{group}, member => $self->{member}, generation => $self->{generation},
		instance => $self->{params}{instance}, $self->{params}{type} ? (type => $self->{params}{type}) : (),
		assignments => $self->leads ? share_out($topic, $partitions, keys %{ $self->{members} }) : {});
}

# The answer: the error, or the assignment as text.
sub read_sync_generation
{
	my ($self) = @_;
	my $answer = read_sync($self->{client}) // return 'closed';

	return "error $answer->{error}" if $answer->{error};
	return $self->{assignment} = read_assignment($answer->{assignment});
}

sub heartbeat_error
{
	my ($self) = @_;

	return heartbeat($self->{client}, $self->{group}, member => $self->{member}, generation => $self->{generation},
		instance => $self->{params}{instance});
}

# In a group of the new protocol: join again, and ask for what is assigned.  The member says what it owns, if it is to give up
# only what it must ("cooperative"), or else owns nothing by then.  The error, or none.
sub join_again
{
	my ($self) = @_;
	my %params = %{ $self->{params} };

	$params{metadata} = owning_subscription($self->{assignment} // '', @{ $params{topics} }) if delete $params{cooperative};
	my $answer = join_group($self->{client}, $self->{group}, %params, member => $self->{member}) // return 'closed';

	return $answer->{error} if $answer->{error};
	@{$self}{qw(member generation members leader protocol)} = @{$answer}{qw(member generation members leader protocol)};
	$answer = sync_group($self->{client}, $self->{group}, member => $self->{member}, generation => $self->{generation},
		instance => $params{instance}, protocol => $self->{protocol}) // return 'closed';
	return $answer->{error} if $answer->{error};
	$self->{assignment} = read_assignment($answer->{assignment});
	return 0;
}

# There, too: a heartbeat, and whatever it asks for.  The error that is left, or none.
sub beat
{
	my ($self) = @_;
	my $error = $self->{member} eq '' ? 25 : $self->heartbeat_error;

	# REBALANCE_IN_PROGRESS; who is unknown, or late, has nothing any more
	@{$self}{qw(member assignment)} = ('', '') if $error eq 25;
	$self->{assignment} = '' if $error eq 22;
	return $error eq 27 || $error eq 25 || $error eq 22 ? $self->join_again : $error;
}

# Let members that are to be in a group together come to a generation with a topic's partitions: their assignments.
sub form_group
{
	my ($topic, $partitions, @members) = @_;

	$_->send_join_generation foreach @members;
	foreach my $member (@members)
	{
		my $error = $member->read_join_generation;

		die "JoinGroup: error $error" if $error ne 0;
	}
	$_->send_sync_generation($topic, $partitions) foreach sort { $a->leads <=> $b->leads } @members;
	return map { $_->read_sync_generation } @members;
}

1;
