# FindCoordinator, OffsetCommit, OffsetFetch and OffsetDelete of all versions, by hand: over a connection of
# KafkaClient.
#
#   commit_offsets($client, 'group', { orders => { 0 => 17, 1 => [ 3, 'metadata', 5 ] } }, version => 8);
#   my $offsets = fetch_offsets($client, 'group', { orders => [ 0, 1 ] });
package KafkaOffsets;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;

our @EXPORT = qw(find_coordinator commit_offsets send_commit read_commit commit_error fetch_offsets send_fetch_offsets
  read_fetch_offsets fetched delete_offsets);

use constant { OFFSET_COMMIT => 8, OFFSET_FETCH => 9, FIND_COORDINATOR => 10, OFFSET_DELETE => 47 };

# The items of a hash, in order, as pairs; a list of pairs as it is.
sub pairs
{
	my ($items) = @_;

	return ref $items eq 'HASH' ? map { [ $_, $items->{$_} ] } sort keys %$items : @$items;
}

# ---- FindCoordinator -----------------------------------------------------------

# A list of hashes with key, error, node, host, port and message.
sub find_coordinator
{
	my ($client, $keys, %other) = @_;
	my $version = $other{version} // 4;
	my $flexible = $version >= 3;
	my $body = $version < 4 ? text($flexible, $keys->[0]) : '';
	$body .= KafkaClient::int8($other{type} // 0) if $version >= 1;
	$body .= count_of($flexible, scalar @$keys) . join('', map { text($flexible, $_) } @$keys) if $version >= 4;
	my $reader = $client->call(FIND_COORDINATOR, $version, $body . tags($flexible), $flexible) // return undef;
	my @found;

	$reader->int32 if $version >= 1;
	if ($version < 4)
	{
		my $error = $reader->int16;
		my $message = $version >= 1 ? read_text($reader, $flexible) : undef;
		@found = ({ key => $keys->[0], error => $error, message => $message, node => $reader->int32,
				host => read_text($reader, $flexible), port => $reader->int32 });
	}
	else
	{
		foreach (1 .. read_count($reader, $flexible))
		{
			push @found, { key => read_text($reader, 1), node => $reader->int32, host => read_text($reader, 1),
				port => $reader->int32, error => $reader->int16, message => read_text($reader, 1) };
			$reader->tags;
		}
	}
	read_tags($reader, $flexible);
	die "FindCoordinator: bytes are left\n" if $reader->left;
	return \@found;
}

# ---- OffsetCommit ------------------------------------------------------------------

# Send a commit: { topic => { partition => offset, or [ offset, metadata, leader epoch ] } }, or lists of pairs in the
# place of hashes.  Topics of version 10 are ids, in hexadecimal.
sub send_commit
{
	my ($client, $group, $topics, %other) = @_;
	my $version = $other{version} // 8;
	my $flexible = $version >= 8;
	my $body = text($flexible, $group) . int32($other{generation} // -1) . text($flexible, $other{member} // '');

	$body .= text($flexible, $other{instance}) if $version >= 7;
	$body .= int64(-1) if $version <= 4;
	$body .= array($flexible, [ pairs($topics) ], sub {
		my ($name, $partitions) = @{ $_[0] };

		return ($version >= 10 ? pack('H*', $name) : text($flexible, $name)) . array($flexible, [ pairs($partitions) ], sub {
			my ($partition, $what) = @{ $_[0] };
			my ($offset, $metadata, $epoch) = ref $what ? @$what : ($what, '', -1);

			return int32($partition) . int64($offset) . ($version >= 6 ? int32($epoch // -1) : '') . text($flexible, $metadata);
		});
	});
	return $client->send_request(OFFSET_COMMIT, $version, $body . tags($flexible), $flexible);
}

# The answer: { topic => { partition => error } }; of partitions that are named twice the errors are in "all".
sub read_commit
{
	my ($client, %other) = @_;
	my $version = $other{version} // 8;
	my $flexible = $version >= 8;
	my $reader = $client->read_response($flexible) // return undef;
	my (%errors, @all);

	$reader->int32 if $version >= 3;
	foreach (1 .. read_count($reader, $flexible))
	{
		my $topic = $version >= 10 ? $reader->uuid : read_text($reader, $flexible);

		foreach (1 .. read_count($reader, $flexible))
		{
			my ($partition, $error) = ($reader->int32, $reader->int16);

			$errors{$topic}{$partition} = $error;
			push @all, $error;
			read_tags($reader, $flexible);
		}
		read_tags($reader, $flexible);
	}
	read_tags($reader, $flexible);
	die "OffsetCommit: bytes are left\n" if $reader->left;
	@{ $other{all} } = @all if $other{all};
	return \%errors;
}

sub commit_offsets
{
	my ($client, $group, $topics, %other) = @_;

	send_commit($client, $group, $topics, %other);
	return read_commit($client, %other);
}

# The error of one commit.
sub commit_error
{
	my ($client, $group, $topic, $partition, $what, %other) = @_;
	my $errors = commit_offsets($client, $group, { $topic => { $partition => $what } }, %other) // return 'closed';

	return $errors->{$topic}{$partition};
}

# ---- OffsetFetch -------------------------------------------------------------------

sub topics_of_fetch
{
	my ($version, $flexible, $topics) = @_;

	return count_of($flexible, -1) if !defined $topics;
	return array($flexible, [ pairs($topics) ], sub {
		my ($name, $partitions) = @{ $_[0] };

		return ($version >= 10 ? pack('H*', $name) : text($flexible, $name)) .
			count_of($flexible, scalar @$partitions) . join('', map { int32($_) } @$partitions);
	});
}

# Send a request for groups: a list of [ group, topics ]; topics as { topic => [ partition, ... ] }, or undef for all.
sub send_fetch_offsets
{
	my ($client, $groups, %other) = @_;
	my $version = $other{version} // 8;
	my $flexible = $version >= 6;
	my $body;

	if ($version < 8)
	{
		$body = text($flexible, $groups->[0][0]) . topics_of_fetch($version, $flexible, $groups->[0][1]);
	}
	else
	{
		$body = array(1, $groups, sub {
			my ($group, $topics) = @{ $_[0] };

			return text(1, $group) . ($version >= 9 ? text(1, $other{member}) . int32($other{epoch} // -1) : '') .
				topics_of_fetch($version, 1, $topics);
		});
	}
	$body .= KafkaClient::int8($other{stable} // 0) if $version >= 7;
	return $client->send_request(OFFSET_FETCH, $version, $body . tags($flexible), $flexible);
}

# The answer: { group => { error => code, topics => { topic => { partition => [ offset, metadata, epoch, error ] } } } };
# the group of an earlier version is ''.
sub read_fetch_offsets
{
	my ($client, %other) = @_;
	my $version = $other{version} // 8;
	my $flexible = $version >= 6;
	my $reader = $client->read_response($flexible) // return undef;
	my %groups;
	my $read_topics = sub {
		my %topics;

		foreach (1 .. read_count($reader, $flexible))
		{
			my $topic = $version >= 10 ? $reader->uuid : read_text($reader, $flexible);

			$topics{$topic} //= {};
			foreach (1 .. read_count($reader, $flexible))
			{
				my ($partition, $offset) = ($reader->int32, $reader->int64);
				my $epoch = $version >= 5 ? $reader->int32 : -1;

				$topics{$topic}{$partition} = [ $offset, read_text($reader, $flexible), $epoch, $reader->int16 ];
				read_tags($reader, $flexible);
			}
			read_tags($reader, $flexible);
		}
		return \%topics;
	};

	$reader->int32 if $version >= 3;
	if ($version < 8)
	{
		$groups{''}{topics} = $read_topics->();
		$groups{''}{error} = $version >= 2 ? $reader->int16 : 0;
	}
	else
	{
		foreach (1 .. $reader->compact_count)
		{
			my $group = $reader->compact_string;

			$groups{$group}{topics} = $read_topics->();
			$groups{$group}{error} = $reader->int16;
			$reader->tags;
		}
	}
	read_tags($reader, $flexible);
	die "OffsetFetch: bytes are left\n" if $reader->left;
	return \%groups;
}

# Fetch for one group: its hash.
sub fetch_offsets
{
	my ($client, $group, $topics, %other) = @_;

	send_fetch_offsets($client, [ [ $group, $topics ] ], %other);
	my $groups = read_fetch_offsets($client, %other) // return undef;
	return $groups->{ ($other{version} // 8) < 8 ? '' : $group };
}

# What is committed in a partition, as "offset metadata epoch", or "error code".
sub fetched
{
	my ($client, $group, $topic, $partition, %other) = @_;
	my $answer = fetch_offsets($client, $group, { $topic => [$partition] }, %other) // return 'closed';
	my $offset = $answer->{topics}{$topic}{$partition};

	return "group error $answer->{error}" if $answer->{error};
	return "error $offset->[3]" if $offset->[3];
	return join ' ', map { $_ // 'null' } @$offset[ 0 .. 2 ];
}

# ---- OffsetDelete --------------------------------------------------------------------

# Delete { topic => [ partition, ... ] }: the error of the request, and { topic => { partition => error } }.
sub delete_offsets
{
	my ($client, $group, $topics) = @_;
	my $body = text(0, $group) . array(0, [ pairs($topics) ], sub {
		my ($name, $partitions) = @{ $_[0] };

		return text(0, $name) . array(0, $partitions, sub { return int32($_[0]) });
	});
	my $reader = $client->call(OFFSET_DELETE, 0, $body) // return undef;
	my $error = $reader->int16;
	my %errors;

	$reader->int32;
	foreach (1 .. $reader->int32)
	{
		my $topic = $reader->string;

		foreach (1 .. $reader->int32)
		{
			my $partition = $reader->int32;

			$errors{$topic}{$partition} = $reader->int16;
		}
	}
	die "OffsetDelete: bytes are left\n" if $reader->left;
	return ($error, \%errors);
}

1;
