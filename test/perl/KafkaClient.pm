# A client of the Kafka protocol that tests steer byte by byte: what it sends may be wrong,
# cut into pieces or late.  It knows the few messages that tests of connections need; the
# codec has its own tests (test/unit/kafka_test.c).
#
#   my $client = KafkaClient->new($port);
#   my $answer = $client->call(KafkaClient::METADATA, 1, KafkaClient::int32(-1));
#   my $throttle = $answer->int32;
package KafkaClient;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use PostgreSQL::Test::Utils ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time usleep);

use constant {
	METADATA                   => 3,
	SASL_HANDSHAKE             => 17,
	API_VERSIONS               => 18,
	SASL_AUTHENTICATE          => 36,
	DESCRIBE_CLUSTER           => 60,
	DESCRIBE_TOPIC_PARTITIONS  => 75,
};

# ---- writing -----------------------------------------------------------------

sub int8   { return pack('c', @_) }
sub int16  { return pack('s>', @_) }
sub int32  { return pack('l>', @_) }
sub int64  { return pack('q>', @_) }
sub string { my ($text) = @_; return defined $text ? int16(length $text) . $text : int16(-1) }

# A number of 7 bits a byte.
sub varint
{
	my ($value) = @_;
	my $bytes = '';

	for (; $value > 127; $value >>= 7)
	{
		$bytes .= chr($value & 127 | 128);
	}
	return $bytes . chr($value);
}

# The same as compact types, of flexible versions.
sub compact_string { my ($text) = @_; return defined $text ? varint(1 + length $text) . $text : varint(0) }
sub compact_count  { my ($count) = @_; return varint(1 + $count) }

# The frame of a request.  The header's version is 2 with "flexible", and else 1.
sub frame
{
	my ($key, $version, $correlation_id, $body, $flexible) = @_;
	my $request = int16($key) . int16($version) . int32($correlation_id) . string('test') . ($flexible ? "\0" : '') . $body;

	return int32(length $request) . $request;
}

# ---- connections -------------------------------------------------------------

# Connect; undef with $! set if that fails.
sub new
{
	my ($class, $port, %options) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => $options{host} // '127.0.0.1', PeerPort => $port, Proto => 'tcp')
	  or return undef;

	setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
	return $class->of_socket($socket);
}

# Connect as soon as the server answers, where its process is about to be another one; undef if it does
# not in time.  A connection alone says nothing: the operating system makes it for a process that has a
# socket to listen, and resets it if that process ends before it has taken it.
sub served
{
	my ($class, $port) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;

	for (;;)
	{
		my $client = $class->new($port);

		return $client if $client && $client->api_versions;
		return undef if time > $end;
		usleep(10_000);
	}
}

# A client whose bytes go through a socket that is open already.
sub of_socket
{
	my ($class, $socket) = @_;

	binmode $socket;
	return bless { socket => $socket, input => '', last_id => 0 }, $class;
}

sub socket { return $_[0]{socket} }

sub close { my ($self) = @_; return CORE::close($self->{socket}) }

# No more is sent, but still read.
sub shut { my ($self) = @_; return shutdown($self->{socket}, 1) }

# Send bytes as they are; false if the server has closed the connection.
sub send_bytes
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';

	while (length $bytes)
	{
		my $count = syswrite($self->{socket}, $bytes) // return 0;

		substr($bytes, 0, $count) = '';
	}
	return 1;
}

# Send as much as the server takes now; returns how many bytes.
sub send_some
{
	my ($self, $bytes) = @_;
	my $sent = 0;
	local $SIG{PIPE} = 'IGNORE';

	$self->{socket}->blocking(0);
	while ($sent < length $bytes)
	{
		my $count = syswrite($self->{socket}, $bytes, length($bytes) - $sent, $sent);
		last if !defined $count;
		$sent += $count;
	}
	$self->{socket}->blocking(1);
	return $sent;
}

# Read until there are so many bytes; false at the end of the connection.
sub fill
{
	my ($self, $size) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;

	while (length $self->{input} < $size)
	{
		IO::Select->new($self->{socket})->can_read($end - time) or die "the server does not answer\n";
		my $count = sysread($self->{socket}, $self->{input}, 65536, length $self->{input});
		return 0 if !$count;
	}
	return 1;
}

# The next frame, without its size; undef at the end of the connection.
sub read_frame
{
	my ($self) = @_;

	return undef if !$self->fill(4);
	my $size = unpack('l>', $self->{input});
	return undef if !$self->fill(4 + $size);
	my $frame = substr($self->{input}, 4, $size);
	substr($self->{input}, 0, 4 + $size) = '';
	return $frame;
}

# Is the connection closed by the server, with nothing sent before?
sub is_closed { my ($self) = @_; return length $self->{input} == 0 && !$self->fill(1) }

# Is there something to read, or the end, right now?
sub is_readable { my ($self) = @_; return IO::Select->new($self->{socket})->can_read(0) ? 1 : 0 }

# Send a request; returns its correlation id.
sub send_request
{
	my ($self, $key, $version, $body, $flexible) = @_;
	my $id = ++$self->{last_id};

	$self->send_bytes(frame($key, $version, $id, $body // '', $flexible));
	return $id;
}

# The next response, as a reader behind its header; undef at the end of the connection.  With
# "flexible" the header has tags.
sub read_response
{
	my ($self, $flexible) = @_;
	my $frame = $self->read_frame // return undef;
	my $reader = KafkaClient::Reader->new($frame);

	$reader->{correlation_id} = $reader->int32;
	$reader->tags if $flexible;
	return $reader;
}

# Send a request and read the response to it.
sub call
{
	my ($self, $key, $version, $body, $flexible) = @_;
	my $id = $self->send_request($key, $version, $body, $flexible);
	# the response of ApiVersions has the oldest header in every version
	my $reader = $self->read_response($flexible && $key != API_VERSIONS) // return undef;

	die "response to $reader->{correlation_id} in place of $id\n" if $reader->{correlation_id} != $id;
	return $reader;
}

# ---- messages ----------------------------------------------------------------

# What the server serves, by ApiVersions of version 0: {key => [first version, last version]}.
sub api_versions
{
	my ($self) = @_;
	my $reader = $self->call(API_VERSIONS, 0) // return undef;
	my $error = $reader->int16;

	die "ApiVersions: error $error\n" if $error;
	return { map { my $key = $reader->int16; $key => [ $reader->int16, $reader->int16 ] } 1 .. $reader->int32 };
}

# Metadata of version 1 for these topics, all without an argument:
# {broker => "id@host:port", controller => id, topics => {name => {error => code, partitions => count}}}.
sub metadata
{
	my ($self, @topics) = @_;
	my $list = @topics ? join('', int32(scalar @topics), map { string($_) } @topics) : int32(-1);
	my $reader = $self->call(METADATA, 1, $list) // return undef;

	return $reader->metadata;
}

package KafkaClient::Reader;

use strict;
use warnings;

sub new { my ($class, $bytes) = @_; return bless { bytes => $bytes, at => 0 }, $class }

sub take
{
	my ($self, $size) = @_;

	die "a response is too short\n" if $self->{at} + $size > length $self->{bytes};
	$self->{at} += $size;
	return substr($self->{bytes}, $self->{at} - $size, $size);
}

sub left { my ($self) = @_; return length($self->{bytes}) - $self->{at} }

sub int8  { return unpack('c', $_[0]->take(1)) }
sub int16 { return unpack('s>', $_[0]->take(2)) }
sub int32 { return unpack('l>', $_[0]->take(4)) }
sub int64 { return unpack('q>', $_[0]->take(8)) }
sub uuid  { return unpack('H*', $_[0]->take(16)) }
sub string { my ($self) = @_; my $size = $self->int16; return $size < 0 ? undef : $self->take($size) }

sub varint
{
	my ($self) = @_;
	my $value = 0;

	for (my $shift = 0;; $shift += 7)
	{
		my $byte = ord $self->take(1);
		$value |= ($byte & 127) << $shift;
		return $value if $byte < 128;
	}
}

sub compact_string { my ($self) = @_; my $size = $self->varint; return $size == 0 ? undef : $self->take($size - 1) }
sub compact_count  { my ($self) = @_; return $self->varint - 1 }

# Pass tagged fields over.
sub tags
{
	my ($self) = @_;

	for (1 .. $self->varint)
	{
		$self->varint;
		$self->take($self->varint);
	}
	return;
}

# The body of a Metadata response of version 1.
sub metadata
{
	my ($self) = @_;
	my (@brokers, %topics);

	for (1 .. $self->int32)
	{
		my ($id, $host, $port) = ($self->int32, $self->string, $self->int32);
		$self->string;
		push @brokers, "$id\@$host:$port";
	}
	my $controller = $self->int32;
	for (1 .. $self->int32)
	{
		my ($error, $name) = ($self->int16, $self->string);
		$self->int8;
		my $partitions = $self->int32;
		for (1 .. $partitions)
		{
			$self->int16;
			$self->int32;
			$self->int32;
			$self->take(4 * $self->int32) for 1 .. 2;
		}
		$topics{$name} = { error => $error, partitions => $partitions };
	}
	return { broker => "@brokers", controller => $controller, topics => \%topics };
}

1;
