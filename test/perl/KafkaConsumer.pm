# A Kafka consumer that tests steer request by request: Fetch, ListOffsets and
# OffsetForLeaderEpoch, in all versions that differ in their bytes.
#
#   my $consumer = KafkaConsumer->new($port);
#   my $answer = $consumer->fetch(topics => {events => {0 => 17}}, max_wait => 100);
#   $answer->{events}{0}{records};
package KafkaConsumer;

use strict;
use warnings;

use parent -norequire, 'KafkaClient';

use KafkaClient;

use constant {
	FETCH                   => 1,
	LIST_OFFSETS            => 2,
	OFFSET_FOR_LEADER_EPOCH => 23,
};

sub int8   { return KafkaClient::int8(@_) }
sub int32  { return KafkaClient::int32(@_) }
sub int64  { return KafkaClient::int64(@_) }

# ---- Fetch -------------------------------------------------------------------

# An array and a name, of a flexible version or not.
sub count_of { my ($flexible, $count) = @_; return $flexible ? KafkaClient::compact_count($count) : int32($count) }
sub text     { my ($flexible, $text) = @_; return $flexible ? KafkaClient::compact_string($text) : KafkaClient::string($text) }

# The topic as a request names it: by its id, in hexadecimal digits, from version 13 on.
sub topic_name
{
	my ($version, $name) = @_;
	return $version >= 13 ? pack('H*', $name) : text($version >= 12, $name);
}

# The body of a Fetch.  A partition is an offset, or a hash with offset, max_bytes, leader_epoch
# and last_epoch; a list of [topic, partition] pairs in "order" gives an order.
sub fetch_body
{
	my ($version, %params) = @_;
	my $flexible = $version >= 12;
	my $tags = $flexible ? "\0" : '';
	my $topics = $params{topics} // {};
	my $body = $version >= 15 ? '' : int32(-1);
	my @names = $params{order} ? @{ $params{order} } : sort keys %$topics;

	$body .= int32($params{max_wait} // 0) . int32($params{min_bytes} // 1) . int32($params{max_bytes} // 10_000_000);
	$body .= int8($params{isolation} // 1);
	$body .= int32($params{session_id} // 0) . int32($params{session_epoch} // -1) if $version >= 7;
	$body .= count_of($flexible, scalar @names);
	foreach my $name (@names)
	{
		my $partitions = $topics->{$name};

		$body .= topic_name($version, $name) . count_of($flexible, scalar keys %$partitions);
		foreach my $number (sort { $a <=> $b } keys %$partitions)
		{
			my $partition = $partitions->{$number};
			$partition = { offset => $partition } if !ref $partition;

			$body .= int32($number);
			$body .= int32($partition->{leader_epoch} // -1) if $version >= 9;
			$body .= int64($partition->{offset});
			$body .= int32($partition->{last_epoch} // -1) if $version >= 12;
			$body .= int64(-1) if $version >= 5;
			$body .= int32($partition->{max_bytes} // 1_000_000) . $tags;
		}
		$body .= $tags;
	}
	if ($version >= 7)
	{
		my $forgotten = $params{forgotten} // {};

		$body .= count_of($flexible, scalar keys %$forgotten);
		foreach my $name (sort keys %$forgotten)
		{
			my @numbers = @{ $forgotten->{$name} };

			$body .= topic_name($version, $name) . count_of($flexible, scalar @numbers);
			$body .= join('', map { int32($_) } @numbers) . $tags;
		}
	}
	$body .= text($flexible, '') if $version >= 11;
	return $body . $tags;
}

# Send a Fetch without waiting for its answer, which "fetched" reads.
sub send_fetch
{
	my ($self, %params) = @_;
	my $version = $self->{fetch_version} = $params{version} // 11;

	return $self->send_request(FETCH, $version, fetch_body($version, %params), $version >= 12);
}

# A partition's tags: {number => bytes}.
sub read_tags
{
	my ($reader) = @_;
	my %tags;

	for (1 .. $reader->varint)
	{
		my $tag = $reader->varint;
		$tags{$tag} = $reader->take($reader->varint);
	}
	return \%tags;
}

# The answer to the Fetch that was sent last: {error, session, topic => {partition => {error, high_watermark,
# stable, log_start, records (undef: null), aborted (-1: null), diverging}}}; undef at the end of the
# connection.  The hash "order" has the partitions in their order.
sub fetched
{
	my ($self) = @_;
	my $version = $self->{fetch_version};
	my $flexible = $version >= 12;
	my $reader = $self->read_response($flexible) // return undef;
	my %answer = (error => 0, session => 0, order => []);
	my $count = sub { return $flexible ? $reader->compact_count : $reader->int32 };

	$reader->int32;
	($answer{error}, $answer{session}) = ($reader->int16, $reader->int32) if $version >= 7;
	for (1 .. $count->())
	{
		my $name = $version >= 13 ? $reader->uuid : $flexible ? $reader->compact_string : $reader->string;

		for (1 .. $count->())
		{
			my $number = $reader->int32;
			my %partition = (error => $reader->int16, high_watermark => $reader->int64, stable => $reader->int64);

			$partition{log_start} = $reader->int64 if $version >= 5;
			$partition{aborted} = $count->();
			die "there are aborted transactions\n" if $partition{aborted} > 0;
			$reader->int32 if $version >= 11;
			my $size = $count->();
			$partition{records} = $size < 0 ? undef : $reader->take($size);
			my $tags = $flexible ? read_tags($reader) : {};
			$partition{diverging} = join ',', unpack('l>q>', $tags->{0}) if $tags->{0};
			$answer{$name}{$number} = \%partition;
			push @{ $answer{order} }, "$name-$number";
		}
		$reader->tags if $flexible;
	}
	$reader->tags if $flexible;
	die "a response is too long\n" if $reader->left;
	return \%answer;
}

# Send a Fetch and wait for its answer.
sub fetch
{
	my ($self, %params) = @_;

	$self->send_fetch(%params);
	return $self->fetched;
}

# ---- ListOffsets and OffsetForLeaderEpoch --------------------------------------

# The offsets of a topic's partitions: {partition => timestamp} to {partition => "error offset timestamp epoch"}.
sub list_offsets
{
	my ($self, $topic, $wanted, %params) = @_;
	my $version = $params{version} // 11;
	my $flexible = $version >= 6;
	my $tags = $flexible ? "\0" : '';
	my $body = int32(-1) . ($version >= 2 ? int8(1) : '') . count_of($flexible, 1) . text($flexible, $topic)
	  . count_of($flexible, scalar keys %$wanted);
	my %answer;

	foreach my $number (sort { $a <=> $b } keys %$wanted)
	{
		$body .= int32($number) . ($version >= 4 ? int32($params{leader_epoch} // -1) : '') . int64($wanted->{$number}) . $tags;
	}
	$body .= $tags . ($version >= 10 ? int32($params{timeout} // 1000) : '') . $tags;
	my $reader = $self->call(LIST_OFFSETS, $version, $body, $flexible) // return undef;
	my $count = sub { return $flexible ? $reader->compact_count : $reader->int32 };

	$reader->int32 if $version >= 2;
	for (1 .. $count->())
	{
		$flexible ? $reader->compact_string : $reader->string;
		for (1 .. $count->())
		{
			my $number = $reader->int32;
			my ($error, $timestamp, $offset) = ($reader->int16, $reader->int64, $reader->int64);
			my $epoch = $version >= 4 ? $reader->int32 : -1;

			$reader->tags if $flexible;
			$answer{$number} = "$error $offset $timestamp $epoch";
		}
		$reader->tags if $flexible;
	}
	return \%answer;
}

# Where an epoch ends in a partition: "error epoch offset".
sub epoch_end
{
	my ($self, $topic, $number, $epoch, %params) = @_;
	my $version = $params{version} // 4;
	my $flexible = $version >= 4;
	my $tags = $flexible ? "\0" : '';
	my $body = ($version >= 3 ? int32(-1) : '') . count_of($flexible, 1) . text($flexible, $topic) . count_of($flexible, 1)
	  . int32($number) . int32($params{leader_epoch} // -1) . int32($epoch) . $tags . $tags . $tags;
	my $reader = $self->call(OFFSET_FOR_LEADER_EPOCH, $version, $body, $flexible) // return undef;

	$reader->int32;
	$flexible ? $reader->compact_count : $reader->int32;
	$flexible ? $reader->compact_string : $reader->string;
	$flexible ? $reader->compact_count : $reader->int32;
	my ($error, $partition, $found, $offset) = ($reader->int16, $reader->int32, $reader->int32, $reader->int64);
	return "$error $found $offset";
}

1;
