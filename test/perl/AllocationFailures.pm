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

our @EXPORT = qw(listener let_allocations_fail fail_allocation end_failures allocation_failures);

# The process that serves Kafka's clients.
sub listener
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
}

# How many have failed.
sub allocation_failures { my ($node) = @_; return scalar(() = slurp_file($node->logfile) =~ /letting an allocation fail/g) }

# Let one of the listener's next allocations fail, up to that number of them, and do "work" until it has, or dies.  Why it has, or nothing.
sub fail_allocation
{
	my ($node, $within, $work) = @_;
	my $nth = int(exp(rand(log($within))));
	my $failed = allocation_failures($node);
	my $end = time + 20;
	my $stuck = '';

	$node->append_conf('postgresql.conf', "pg_topics.fault_point = 'allocation:$nth'");
	$node->reload;
	while (allocation_failures($node) == $failed && time < $end && $stuck eq '')
	{
		eval { $work->(); 1 } or $stuck = "allocation $nth: $@";
	}
	return $stuck;
}

# None is to fail any more.
sub end_failures
{
	my ($node) = @_;

	$node->append_conf('postgresql.conf', "pg_topics.fault_point = ''");
	$node->reload;
	return;
}

# Let "rounds" allocations of the listener fail, each one of the next "within", and check that it answers each request or closes
# the connection, and loses no memory.  A request is one of "load", which get a connection, and return undef where that was closed; so many
# come before, "first".  "around" is called before each round, and returns what is to be done after it.  How many connections were closed.
sub let_allocations_fail
{
	my ($node, $port, %said) = @_;
	my $worker = listener($node);
	my $rounds = $ENV{TOPIC_TEST_ROUNDS} // $said{rounds};
	my ($stuck, $closed) = ('', 0);
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
		my $after = $said{around} ? $said{around}->() : sub { };
		my $problem = fail_allocation($node, $said{within}, $work);

		eval { $after->(); 1 } or $problem .= "a request that waits: $@";
		$stuck .= "round $round, $problem" if $problem;
		last if $stuck || listener($node) ne $worker;
	}
	end_failures($node);

	is($stuck, '', 'each request is answered, or its connection closed');
	is(listener($node), $worker, 'the process is the same');
	cmp_ok(allocation_failures($node), '>', $rounds * 0.8, 'allocations have failed');
	is_bounded($memory->() - $before, 20, 'no memory is lost');
	return $closed;
}

1;
