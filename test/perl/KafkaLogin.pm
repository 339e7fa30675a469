# How a Kafka client logs in, by hand: SASL with PLAIN and SCRAM, of which a test chooses each message,
# connections with TLS, and what a role may do then.
package KafkaLogin;

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 sha256);
use Exporter 'import';
use IO::Socket;
use KafkaClient;
use MIME::Base64 qw(decode_base64 encode_base64);
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

our @EXPORT = qw(
  dial dial_tls handshake send_message authenticate bare login_plain login_scram scram_first scram_final salted_password topic_error
  is_served is_over UNSUPPORTED_MECHANISM ILLEGAL_STATE FAILED NOT_AUTHORIZED
);

# errors
use constant { UNSUPPORTED_MECHANISM => 33, ILLEGAL_STATE => 34, FAILED => 58, NOT_AUTHORIZED => 29 };

# ---- connections -------------------------------------------------------------------

sub dial { return KafkaClient->new(@_) }

# A connection over TLS, made by the program openssl with these options besides; the test's end has the plain
# bytes.  A failed handshake shows as one that is closed.
sub dial_tls
{
	my ($port, @options) = @_;

	my ($ours, $theirs) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "no pair of sockets: $!";
	my $pid = fork() // die "no process: $!";
	if ($pid == 0)
	{
		open(STDIN, '<&', $theirs);
		open(STDOUT, '>&', $theirs);
		open(STDERR, '>', '/dev/null');
		close($ours);
		exec('openssl', 's_client', '-quiet', '-connect', "127.0.0.1:$port", @options) or exit 1;
	}
	close($theirs);
	return KafkaClient->of_socket($ours);
}

# Is the connection closed, whatever is sent before?
sub is_over
{
	my ($client) = @_;

	$client->{input} = '' while $client->fill(1);
	return 1;
}

# Does the client get an answer to ApiVersions, which needs no login?
sub is_served { my ($client) = @_; return defined $client && defined eval { $client->api_versions } }

# ---- SASL ------------------------------------------------------------------------

# Choose a mechanism: the error code, and the names of those that there are.
sub handshake
{
	my ($client, $mechanism, $version) = @_;
	my $answer = $client->call(KafkaClient::SASL_HANDSHAKE, $version // 1, KafkaClient::string($mechanism)) // return;

	return ($answer->int16, map { $answer->string } 1 .. $answer->int32);
}

# Send a message.
sub send_message
{
	my ($client, $bytes) = @_;

	return $client->send_request(KafkaClient::SASL_AUTHENTICATE, 1, KafkaClient::int32(length $bytes) . $bytes);
}

# Send a message: a hash of error, message, bytes and lifetime; nothing where the connection is closed.
sub authenticate
{
	my ($client, $bytes) = @_;

	send_message($client, $bytes);
	my $answer = $client->read_response // return;
	return { error => $answer->int16, message => $answer->string, bytes => $answer->take($answer->int32), lifetime => $answer->int64 };
}

# Send a message without a header, and return the answer; nothing where the connection is closed.
sub bare
{
	my ($client, $bytes) = @_;

	$client->send_bytes(KafkaClient::int32(length $bytes) . $bytes);
	return $client->read_frame;
}

# Log in with PLAIN; the last answer.
sub login_plain
{
	my ($socket, $role, $password) = @_;
	my ($error) = handshake($socket, 'PLAIN');

	return { error => $error } if $error // 1;
	return authenticate($socket, "\0$role\0$password");
}

# The client's first message of SCRAM, without its head.
sub scram_first
{
	my ($role, $nonce) = @_;

	return 'n=' . ($role =~ s/=/=3D/gr =~ s/,/=2C/gr) . ",r=$nonce";
}

# What comes of a password after so many rounds.
sub salted_password
{
	my ($salt, $rounds, $password) = @_;
	my $round = hmac_sha256($salt . "\0\0\0\1", $password);
	my $salted = $round;

	for (2 .. $rounds)
	{
		$round = hmac_sha256($round, $password);
		$salted ^= $round;
	}
	return $salted;
}

# The client's last message, and the signature that the server must answer with.
sub scram_final
{
	my ($first, $server_first, $password, %other) = @_;
	my ($nonce, $salt, $rounds) = $server_first =~ /^r=([^,]*),s=([^,]*),i=(\d+)$/ or die "what is $server_first?";
	my ($own) = $first =~ /,r=(.*)/;
	my $bare = 'c=' . ($other{binding} // 'biws') . ',r=' . ($other{repeat} ? $own : '') . ($other{nonce} // $nonce);
	my $all = "$first,$server_first,$bare";
	my $salted = salted_password(decode_base64($salt), $rounds, $password);
	my $client_key = hmac_sha256('Client Key', $salted);
	my $proof = $client_key ^ hmac_sha256($all, sha256($client_key));

	return ("$bare,p=" . encode_base64($proof, ''), 'v=' . encode_base64(hmac_sha256($all, hmac_sha256('Server Key', $salted)), ''));
}

# Log in with SCRAM-SHA-256; the last answer, in which "signed" is whether the server has proved itself.
sub login_scram
{
	my ($socket, $role, $password, %other) = @_;
	my ($error) = handshake($socket, 'SCRAM-SHA-256');
	my $first = scram_first($role, 'cl13nt' . int(rand(2**31)));

	return { error => $error } if $error // 1;
	my $answer = authenticate($socket, ($other{head} // 'n,,') . $first);

	return $answer if !defined $answer || $answer->{error};
	my ($final, $signature) = scram_final($first, $answer->{bytes}, $password, %other);

	$answer = authenticate($socket, $final) // return;
	$answer->{signed} = $answer->{bytes} eq $signature;
	return $answer;
}

# ---- what a role may do ------------------------------------------------------------

# The error code of a topic in the answer to Metadata; nothing where the connection is closed.
sub topic_error
{
	my ($client, $topic) = @_;
	my $answer = $client->metadata($topic) // return;

	return $answer->{topics}{$topic}{error};
}

1;
