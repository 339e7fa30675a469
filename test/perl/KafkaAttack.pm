# What a client asks for may be large: while it is served nobody beside it waits for long, and the memory of the process that
# serves it stays bounded.
#
#   begin_attacks($node, $port, 'topic');
#   attack('DescribeGroups of many', 100, sub { ok(ask_kafka(15, 5, $body, 1), 'it is answered') });
package KafkaAttack;

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use KafkaClient;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TopicTest;

our @EXPORT = qw(begin_attacks attack attacker ask_kafka LONGEST_ALLOWED);

# A pause that is longer fails, in seconds.
use constant LONGEST_ALLOWED => $ENV{TOPIC_TEST_PAUSE} // 0.3;

my ($port, $topic, $worker);

# What follows is about this server, which has that topic.
sub begin_attacks
{
	my $node;

	($node, $port, $topic) = @_;
	$worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
	return $worker;
}

# A connection that may send large requests, as who has entered may.
sub attacker
{
	my $client = KafkaClient->new($port) // die "could not connect: $!\n";

	$client->metadata($topic);
	return $client;
}

# How much time the listener has had of a processor, in seconds: other work on the machine makes no pauses then.
sub worked { return (split ' ', slurp_file("/proc/$worker/schedstat"))[0] / 1e9 }

sub memory { my ($field) = @_; return (slurp_file("/proc/$worker/status") =~ /^$field:\s+(\d+)/m)[0] / 1024 }

sub forget_peak
{
	open(my $file, '>', "/proc/$worker/clear_refs") or die $!;
	print $file "5\n";
	return close($file);
}

# Ask for something small again and again until the pipe is closed; the most that the listener did before it answered.
sub measure
{
	my ($until) = @_;
	my $client = attacker();
	my $longest = 0;

	do
	{
		my $before = worked();

		$client->metadata($topic);
		my $pause = worked() - $before;
		$longest = $pause if $pause > $longest;
	} while (!IO::Select->new($until)->can_read(0.001));
	return $longest;
}

# While the code runs nobody beside it waits for long, or for that many seconds of the listener's work, and the process takes so many MB
# more at most.  How long somebody waited, and how much the process has done.
sub attack
{
	my ($name, $megabytes, $code, $allowed) = @_;
	my $base = memory('VmRSS');
	my $began = worked();

	forget_peak();
	pipe(my $until, my $end) or die $!;
	pipe(my $result, my $tell) or die $!;
	my $child = fork() // die $!;
	if ($child == 0)
	{
		close $end;
		syswrite($tell, eval { measure($until) } // "failed: $@");
		require POSIX;
		POSIX::_exit(0);
	}
	close $tell;
	usleep(20_000);
	$code->();
	close $end;
	my $longest = <$result>;
	waitpid($child, 0);
	like($longest, qr/^[\d.e-]+$/, "$name: somebody beside it is answered") and
	cmp_ok($longest, '<', $allowed // LONGEST_ALLOWED, "$name: nobody waits for long");
	my $more = memory('VmHWM') - $base;
	is_bounded($more, $megabytes, "$name: the memory is bounded");
	my $work = worked() - $began;
	note(sprintf('%s: %.2f s, longest pause %.0f ms, %.0f MB', $name, $work, 1000 * $longest, $more));
	return ($longest, $work);
}

# Send a request over a connection of its own: the length of the answer, 0 where the connection is closed without one.
sub ask_kafka
{
	my ($key, $version, $body, $flexible) = @_;
	my $client = attacker();

	$client->send_bytes(KafkaClient::frame($key, $version, 1, $body, $flexible));
	my $answer = $client->read_frame;
	$client->close;
	return length($answer // '');
}

1;
