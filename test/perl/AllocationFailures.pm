# A listener under a load of requests while allocations fail, one after another.
package AllocationFailures;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

our @EXPORT = qw(listener let_allocations_fail);

# The process that serves Kafka's clients.
sub listener
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
}

# Let "rounds" allocations of the listener fail, each one of the next "within", and check that it answers each request or closes
# the connection, and loses no memory.  A request is one of "load", which get a connection, and return undef where that was closed; so many
# come before, "first".  How many connections were closed.
sub let_allocations_fail
{
	my ($node, $port, %said) = @_;
	my $worker = listener($node);
	my $rounds = $ENV{TOPIC_TEST_ROUNDS} // $said{rounds};
	my ($stuck, $closed) = ('', 0);
	my $failures = sub { return scalar(() = slurp_file($node->logfile) =~ /letting an allocation fail/g) };
	my $memory = sub { (slurp_file("/proc/$worker/status") =~ /^RssAnon:\s+(\d+)/m)[0] / 1024 };
	my $work = sub {
		my $client = KafkaClient->new($port) // die "could not connect: $!\n";
		my $done = eval { $said{load}[int(rand(@{ $said{load} }))]->($client) };

		die $@ if $@ =~ /does not answer/;
		$closed++ unless defined $done;
		return $client->close;
	};

	$work->() for 1 .. $said{first};
	my $before = $memory->();
	foreach my $round (1 .. $rounds)
	{
		my $nth = int(exp(rand(log($said{within}))));
		my $failed = $failures->();
		my $end = time + 20;

		$node->append_conf('postgresql.conf', "pg_topics.fault_point = 'allocation:$nth'");
		$node->reload;
		while ($failures->() == $failed && time < $end)
		{
			eval { $work->(); 1 } or $stuck .= "round $round, allocation $nth: $@";
		}
		last if $stuck || listener($node) ne $worker;
	}
	$node->append_conf('postgresql.conf', "pg_topics.fault_point = ''");
	$node->reload;

	is($stuck, '', 'each request is answered, or its connection closed');
	is(listener($node), $worker, 'the process is the same');
	cmp_ok($failures->(), '>', $rounds * 0.8, 'allocations have failed');
	is_bounded($memory->() - $before, 20, 'no memory is lost');
	return $closed;
}

1;
