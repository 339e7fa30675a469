# A producer of Kafka's protocol by hand: what it sends, and when, is the test's to say.
package KafkaProducer;

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time);

our @EXPORT = qw(kafka_settings kafka_connect kafka_batch kafka_record FIRST_TIME);

# The timestamp of a batch's first record, where the test does not say another.
use constant FIRST_TIME => 1_700_000_000_000;

# The settings of a server that serves its database "postgres" to anybody on that port.
sub kafka_settings
{
	my ($port) = @_;

	return ("pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = 'producer'");
}

# ---- batches -----------------------------------------------------------------

# Checksums of batches are computed by the thousand.
my @crc_table = map {
	my $crc = $_;
	$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 foreach 1 .. 8;
	$crc } 0 .. 255;

sub crc32c
{
	my $crc = 0xffffffff;

	$crc = ($crc >> 8) ^ $crc_table[($crc ^ $_) & 255] foreach unpack('C*', $_[0]);
	return $crc ^ 0xffffffff;
}

# A number as records have it.
sub varint
{
	my ($number) = @_;
	my $zigzag = $number < 0 ? -2 * $number - 1 : 2 * $number;
	my $bytes = '';

	for (; $zigzag > 127; $zigzag >>= 7)
	{
		$bytes .= chr($zigzag & 127 | 128);
	}
	return $bytes . chr($zigzag);
}

sub bytes_or_null { return defined $_[0] ? varint(length $_[0]) . $_[0] : varint(-1) }

# A record: key, value, how long after the batch's first time, and headers.
sub kafka_record
{
	my ($delta, $key, $value, $time, @headers) = @_;
	my $body = "\0" . varint($time // 0) . varint($delta) . bytes_or_null($key) . bytes_or_null($value)
	  . varint(scalar(@headers) / 2);

	while (my ($name, $header) = splice(@headers, 0, 2))
	{
		$body .= varint(length $name) . $name . bytes_or_null($header);
	}
	return varint(length $body) . $body;
}

# A batch of records: each a list of key, value, and what else kafka_record() takes.  Fields of the
# header by their names; "pack" makes other bytes of the records.
sub kafka_batch
{
	my ($records, %other) = @_;
	my $n = 0;
	my $bytes = join('', map { kafka_record($n++, @$_) } @$records);
	my $first = $other{time} // FIRST_TIME;
	my $longest = 0;

	foreach my $record (@$records)
	{
		$longest = $record->[2] if ($record->[2] // 0) > $longest;
	}
	$bytes = $other{pack}->($bytes) if $other{pack};
	$bytes = pack('nNq>q>q>nNN', $other{attributes} // 0, ($other{last_delta} // $n - 1) & 0xffffffff, $first,
		$other{max_time} // $first + $longest, $other{producer_id} // -1, ($other{producer_epoch} // -1) & 0xffff,
		($other{sequence} // -1) & 0xffffffff, $other{count} // $n) . $bytes;
	return pack('q>NNcN', $other{base_offset} // 0, 9 + length $bytes, $other{epoch} // 0, $other{magic} // 2,
		$other{crc} // crc32c($bytes)) . $bytes;
}

# ---- connections ---------------------------------------------------------------

# A connection, or nothing where it is refused.
sub kafka_connect
{
	my ($port) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp') or return;

	$socket->sockopt(Socket::TCP_NODELAY(), 1);
	binmode $socket;
	return bless { socket => $socket, correlation => 0, in => '', versions => {} }, 'KafkaProducer';
}

sub close { return CORE::close($_[0]->{socket}) }

sub uvarint
{
	my ($number) = @_;
	my $bytes = '';

	for (; $number > 127; $number >>= 7)
	{
		$bytes .= chr($number & 127 | 128);
	}
	return $bytes . chr($number);
}

# Parts of a request, as its version has them.
sub text_in { return $_[0] ? uvarint(1 + length $_[1]) . $_[1] : pack('n/a*', $_[1]) }
sub count_in { return $_[0] ? uvarint(1 + $_[1]) : pack('N', $_[1]) }
sub tags_in { return $_[0] ? "\0" : '' }

# Send a Produce request: [topic, [partition, batch] ...] ...; a topic is a name or, from version 13 on, an
# id.  Returns the number by which receive() knows it.
sub send
{
	my ($self, $topics, %other) = @_;
	my $version = $other{version} // 9;
	my $flexible = $version >= 9;
	my $number = ++$self->{correlation};
	my $transaction = $other{transaction};
	my $body = $flexible ? (defined $transaction ? text_in(1, $transaction) : "\0")
	  : (defined $transaction ? text_in(0, $transaction) : pack('n', 0xffff));

	$body .= pack('nN', ($other{acks} // -1) & 0xffff, $other{timeout} // 30000) . count_in($flexible, scalar @$topics);
	foreach my $topic (@$topics)
	{
		my ($name, @partitions) = @$topic;

		$body .= ($version >= 13 ? $name : text_in($flexible, $name)) . count_in($flexible, scalar @partitions);
		foreach my $partition (@partitions)
		{
			my ($index, $batch) = @$partition;

			$body .= pack('N', $index & 0xffffffff) . count_in($flexible, length $batch) . $batch . tags_in($flexible);
		}
		$body .= tags_in($flexible);
	}
	$body .= tags_in($flexible);
	$body = pack('nnN', 0, $version, $number) . pack('n/a*', 'perl') . tags_in($flexible) . $body;
	$self->{versions}->{$number} = $version;
	$self->write_all(pack('N', length $body) . $body);
	return $number;
}

# Send bytes, however many.  False where the connection is closed.
sub write_all
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';

	for (my $sent = 0; $sent < length $bytes;)
	{
		my $count = syswrite($self->{socket}, $bytes, length($bytes) - $sent, $sent);

		return 0 if !defined $count;
		$sent += $count;
	}
	return 1;
}

# Is there something to read, or the end, within so many seconds?
sub is_ready
{
	my ($self, $seconds) = @_;

	return IO::Select->new($self->{socket})->can_read($seconds) ? 1 : 0;
}

# The bytes of the next frame; nothing at the connection's end.
sub read_frame
{
	my ($self) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;

	until (length $self->{in} >= 4 && length $self->{in} >= 4 + unpack('N', $self->{in}))
	{
		die "no answer in time\n" if time > $end;
		next if !$self->is_ready($end - time);
		sysread($self->{socket}, $self->{in}, 65536, length $self->{in}) or return;
	}
	my $frame = substr($self->{in}, 4, unpack('N', $self->{in}));

	substr($self->{in}, 0, 4 + length $frame) = '';
	return $frame;
}

# Take parts off a response.
sub take { my ($bytes, $format, $length) = @_; return unpack($format, substr($$bytes, 0, $length, '')) }

sub take_uvarint
{
	my ($bytes) = @_;
	my ($number, $shift) = (0, 0);

	while (1)
	{
		my $byte = take($bytes, 'C', 1);

		$number |= ($byte & 127) << $shift;
		return $number if $byte < 128;
		$shift += 7;
	}
}

sub take_text
{
	my ($bytes, $flexible) = @_;
	my $length = $flexible ? take_uvarint($bytes) - 1 : take($bytes, 's>', 2);

	return $length < 0 ? undef : substr($$bytes, 0, $length, '');
}

sub take_count { my ($bytes, $flexible) = @_; return $flexible ? take_uvarint($bytes) - 1 : take($bytes, 'l>', 4) }

sub take_tags
{
	my ($bytes, $flexible) = @_;

	return if !$flexible;
	foreach (1 .. take_uvarint($bytes))
	{
		take_uvarint($bytes);
		substr($$bytes, 0, take_uvarint($bytes), '');
	}
	return;
}

# One partition's answer.
sub take_partition
{
	my ($bytes, $version) = @_;
	my $flexible = $version >= 9;
	my %answer;

	@answer{qw(partition error offset time)} = take($bytes, 'l>s>q>q>', 22);
	$answer{start} = take($bytes, 'q>', 8) if $version >= 5;
	if ($version >= 8)
	{
		my $count = take_count($bytes, $flexible);

		foreach (1 .. $count)
		{
			my $index = take($bytes, 'l>', 4);

			push @{ $answer{records} }, [ $index, take_text($bytes, $flexible) ];
			take_tags($bytes, $flexible);
		}
		$answer{message} = take_text($bytes, $flexible);
	}
	take_tags($bytes, $flexible);
	return \%answer;
}

# The next response: its number, and the answers of its partitions, in order.  Nothing at the connection's end.
sub receive
{
	my ($self) = @_;
	my $frame = $self->read_frame;
	my @answers;

	return if !defined $frame;
	my $number = take(\$frame, 'N', 4);
	my $version = $self->{versions}->{$number} // die "answer to no request: $number";
	my $flexible = $version >= 9;

	take_tags(\$frame, $flexible);
	my $topics = take_count(\$frame, $flexible);
	foreach (1 .. $topics)
	{
		my $topic = $version >= 13 ? substr($frame, 0, 16, '') : take_text(\$frame, $flexible);
		my $partitions = take_count(\$frame, $flexible);

		foreach (1 .. $partitions)
		{
			my $answer = take_partition(\$frame, $version);

			$answer->{topic} = $topic;
			push @answers, $answer;
		}
		take_tags(\$frame, $flexible);
	}
	die "response is too short or too long\n" if take(\$frame, 'l>', 4) != 0;
	take_tags(\$frame, $flexible);
	die 'bytes behind a response' if $frame ne '';
	return ($number, @answers);
}

# Produce one batch, and return the answer of its partition.
sub produce
{
	my ($self, $topic, $partition, $batch, %other) = @_;
	my $number = $self->send([ [ $topic, [ $partition, $batch ] ] ], %other);
	my ($answered, @answers) = $self->receive;

	die 'the connection was closed' if !defined $answered;
	die "answer to $answered instead of $number" if $answered != $number;
	die 'not one answer' if @answers != 1;
	return $answers[0];
}

1;
