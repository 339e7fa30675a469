# Files under test: src/broker/data/produce.c, fetch.c, src/log/producer_state.c.
# kcat, which is librdkafka's command, produces and consumes while the server is killed and started again
# and again.  In the end each record of the idempotent producer is there once and in order, each one of
# a producer that may send again at least once, and the consumer has been given all of them, once.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Handle;
use IPC::Run;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant { PARTITIONS => 3, ROUNDS => 6 };

plan skip_all => 'kcat is not installed' if !grep { -x "$_/kcat" } split /:/, $ENV{PATH};

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ kafka_settings($port), 'restart_after_crash = on' ]);

$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events', partitions => @{[ PARTITIONS ]}, config => '{"segment.bytes": 65536}');
	GRANT SELECT, INSERT ON events TO producer});

sub sql { return $node->safe_psql('postgres', @_) }

# The command, with a client's settings, which comes back soon.
sub kcat_command
{
	return ('kcat', '-q', '-E', '-b', "127.0.0.1:$port", '-t', 'events', '-X', 'reconnect.backoff.ms=20',
		'-X', 'reconnect.backoff.max.ms=200', '-X', 'retry.backoff.ms=20', @_);
}

my $directory = PostgreSQL::Test::Utils::tempdir();

# A producer that reads lines.
sub start_producer
{
	my ($name, @options) = @_;
	my $command = join(' ', map { "'$_'" } kcat_command('-P', '-K:', '-X', 'linger.ms=2', '-X', 'message.timeout.ms=300000',
		'-X', 'batch.num.messages=20', @options));

	open(my $pipe, '|-', "exec $command 2>'$directory/$name.err'") or die "kcat: $!";
	$pipe->autoflush(1);
	return $pipe;
}

my $consumer = IPC::Run::start([ kcat_command('-C', '-u', '-o', 'beginning', '-f', '%p %o %s\n',
	'-X', 'topic.auto.offset.reset=error', '-X', 'fetch.wait.max.ms=200') ], '<', \undef, '>', "$directory/consumed", '2>', "$directory/consumed.err");
my %kcat = (
	once => start_producer('once', '-X', 'enable.idempotence=true'),
	again => start_producer('again', '-X', 'acks=1', '-X', 'message.send.max.retries=1000000'));
my %sent = map { $_ => 0 } keys %kcat;
$SIG{PIPE} = 'IGNORE';

# Give the producers records for a while.
sub produce_for
{
	my ($seconds) = @_;
	my $end = time + $seconds;

	while (time < $end)
	{
		foreach my $name (sort keys %kcat)
		{
			print { $kcat{$name} } map { my $n = ++$sent{$name}; "$n:$name $n " . 'x' x int(rand(100)) . "\n" } 1 .. 20;
		}
		usleep(10_000);
	}
	return;
}

foreach my $round (1 .. ROUNDS)
{
	produce_for(0.3 + rand(1));
	if ($round % 3 == 0)
	{
		crash_one($node, sub {
			kill 'KILL', sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
			produce_for(0.5) });
		next;
	}
	kill_all($node);
	produce_for(rand(0.5));
	$node->start;
}
produce_for(0.3);
foreach my $name (sort keys %kcat)
{
	ok(close($kcat{$name}), "kcat, $name: all records were delivered");
	is(join('', grep { !/brokers? .*down|Disconnected|Connect to|Connection/ } slurp_file("$directory/$name.err") =~ /^.+$/mg), '',
		"kcat, $name: and no error but lost connections");
}

is(sql(q{SELECT string_agg(n || ' after ' || previous, ', ') FROM
	(SELECT n, lag(n) OVER (PARTITION BY partition ORDER BY record_offset) AS previous
	 FROM (SELECT partition, record_offset, split_part(value, ' ', 2)::int AS n FROM events WHERE value LIKE 'once %') AS e) AS o
	WHERE n <= previous}), '', 'the records of the idempotent producer are in order, and none is there twice');
foreach my $name (sort keys %sent)
{
	is(sql(qq{SELECT count(DISTINCT split_part(value, ' ', 2)) FROM events WHERE value LIKE '$name %'}), $sent{$name},
		"kcat, $name: all $sent{$name} records are there");
}

my $wanted = sql(q{SELECT string_agg(partition || ' ' || record_offset || ' ' || value, E'\n' ORDER BY partition, record_offset) FROM events});
my $count = () = $wanted =~ /^/mg;
poll_until(sub { my $lines = () = slurp_file("$directory/consumed") =~ /\n/g; $lines >= $count });
$consumer->kill_kill;
my @consumed = map { [ split / /, $_, 3 ] } split /\n/, slurp_file("$directory/consumed");
ok(join("\n", map { "@$_" } sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @consumed) eq $wanted,
	"the consumer was given all $count records, each once");
my (%last, @wrong);
foreach my $record (@consumed)
{
	push @wrong, "@$record[0, 1]" if $record->[1] <= ($last{ $record->[0] } // -1);
	$last{ $record->[0] } = $record->[1];
}
is("@wrong", '', 'and in order');
$node->stop;
done_testing();
