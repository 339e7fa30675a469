# Produce and crashes: what was acknowledged with acks=1 or acks=all is there once and in its order
# after a crash at any moment; what is not durable is not acknowledged.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Select;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant { PRODUCERS => 8, PARTITIONS => 4, UNDER_WAY => 5 };

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ kafka_settings($port), 'restart_after_crash = off', 'checkpoint_timeout = 30s' ]);

$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events', partitions => @{[ PARTITIONS ]}, config => '{"segment.bytes": 65536}');
	GRANT INSERT ON events TO producer});

sub sql { return $node->safe_psql('postgres', @_) }

my %acknowledged;    # value => partition and offset
my %in_order;        # by producer and partition: the values that were sent, in order
my $sent = 0;

# Connect, as soon as there is somebody to connect to.
sub connect_all
{
	return map {
		my $client;
		poll_until(sub { $client = kafka_connect($port) }) or die 'no listener';
		$client } 1 .. PRODUCERS;
}

# Send one more request of that producer, with up to two batches.
sub send_one
{
	my ($client, $producer) = @_;
	my $acks = rand() < 0.5 ? 1 : -1;
	my (@partitions, @values);

	foreach my $partition (rand() < 0.7 ? int(rand(PARTITIONS)) : (0, 2))
	{
		my @batch = map { [ "$producer", join(':', $producer, $partition, ++$sent, 'x' x int(rand(200))) ] } 1 .. 1 + int(rand(3));

		push @partitions, [ $partition, kafka_batch(\@batch) ];
		push @values, [ $partition, map { $_->[1] } @batch ];
		push @{ $in_order{$producer}{$partition} }, map { $_->[1] } @batch;
	}
	my $number = eval { $client->send([ [ 'events', @partitions ] ], acks => $acks) };

	$client->{expected}->{ $number // 0 } = \@values;
	return;
}

# Take one answer, if the connection lives.
sub take_answer
{
	my ($client) = @_;
	my ($number, @answers) = eval { $client->receive };

	return 0 if !defined $number;
	my $expected = delete $client->{expected}->{$number};

	foreach my $answer (@answers)
	{
		my ($partition, @values) = @{ shift @$expected };

		die "error $answer->{error}: $answer->{message}" if $answer->{error} != 0 || $answer->{partition} != $partition;
		$acknowledged{ $values[$_] } = $answer->{partition} . ':' . ($answer->{offset} + $_) foreach 0 .. $#values;
	}
	return 1;
}

# Produce from all connections, and do something in the midst of it.
sub produce_until
{
	my ($seconds, $meanwhile) = @_;
	my @clients = connect_all();
	my $end = time + $seconds;
	my %alive = map { $_ => 1 } 0 .. $#clients;

	foreach my $producer (0 .. $#clients) { send_one($clients[$producer], $producer) foreach 1 .. UNDER_WAY }
	while (%alive)
	{
		$meanwhile->(), $meanwhile = undef if $meanwhile && time > $end;
		foreach my $producer (keys %alive)
		{
			my $client = $clients[$producer];

			next if !(length $client->{in} || $client->is_ready(0.001));
			if (take_answer($client)) { send_one($client, $producer) if $meanwhile }
			else { delete $alive{$producer} }
			delete $alive{$producer} if !%{ $client->{expected} };
		}
	}
	return;
}

# Compare the topic with what was sent and acknowledged.
sub check
{
	my ($when) = @_;
	my (%found, %last, @wrong);

	foreach my $line (split /\n/, sql(q{SELECT "partition" || ':' || record_offset || ' ' || value FROM events ORDER BY "partition", record_offset}))
	{
		my ($place, $value) = split / /, $line, 2;
		my ($producer, $partition, $number) = split /:/, $value;

		push @wrong, "twice: $value" if exists $found{$value};
		$found{$value} = $place;
		push @wrong, "not in order: $value" if ($last{"$producer $partition"} // 0) > $number;
		$last{"$producer $partition"} = $number;
	}
	foreach my $value (keys %acknowledged)
	{
		push @wrong, "lost or elsewhere: $value at $acknowledged{$value}, found at " . ($found{$value} // 'none')
		  if ($found{$value} // '') ne $acknowledged{$value};
	}
	is(join("\n", @wrong[0 .. ($#wrong < 5 ? $#wrong : 5)]), '', "$when: " . keys(%acknowledged) . ' acknowledged records are there once and in order');
	is(sql(q{SELECT count(*) FROM verify_topic('events')}), '0', "$when: the topic is sound");
	return;
}

foreach my $round (1 .. 4)
{
	produce_until(0.5 + rand(1), sub { kill_all($node) });
	$node->start;
	wait_resolved($node);
	check("round $round");
}
cmp_ok(scalar(keys %acknowledged), '>', 100, 'there was a load');

# ---- what is not flushed is not acknowledged -----------------------------------------

# The process of a kind.
sub process
{
	my ($kind) = @_;
	my $pid;

	poll_until(sub { $pid = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka $kind'") }) or die "no $kind";
	return $pid;
}

# Does a process stand still?
sub is_halted
{
	my ($pid) = @_;

	open(my $file, '<', "/proc/$pid/stat") or return 0;
	return (<$file> // '') =~ /\) T /;
}

# A server whose process stops at a place, and a client of it.
sub halt_at
{
	my ($place) = @_;
	my $client;

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$place:halt'");
	sql('SELECT pg_reload_conf()');
	poll_until(sub { $client = kafka_connect($port) }) or die 'no listener';
	return $client;
}

my $flusher = process('flush');
# the walwriter would flush it as well, a little later
my $walwriter = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
my $client = halt_at('broker-flush');
my $kept = 0;

halt_asleep($node, $walwriter);
# until the process has read its setting it does not stop
until (is_halted($flusher))
{
	$client->send([ [ 'events', [ 0, kafka_batch([ [ 'halted', 'halted:0:' . ++$kept ] ]) ] ] ], acks => 1);
	poll_until(sub { is_halted($flusher) || $client->is_ready(0) }) or die 'neither halted nor answered';
	$client->receive if $client->is_ready(0);
}
$client->send([ [ 'events', [ 0, kafka_batch([ [ 'halted', 'halted:0:' . ++$kept ] ]) ] ] ], acks => -1);
ok(!$client->is_ready(1), 'while nothing is flushed nothing is acknowledged');
go_on($flusher, $walwriter);
my @late;
push @late, ($client->receive)[1] while !@late || $late[-1]->{offset} < sql(q{SELECT max(record_offset) FROM events WHERE "partition" = 0});
is(join(' ', map { $_->{error} } @late), join(' ', (0) x @late), 'when it is flushed, it is');
is(sql(q{SELECT count(*) FROM events WHERE key = 'halted'}), $kept, 'and there once');
sql(q{ALTER SYSTEM RESET pg_topics.fault_point});
sql('SELECT pg_reload_conf()');
sql(q{INSERT INTO events (key, value, "partition") VALUES ('sql', 'sql:3:0', 3)});

# ---- between append and commit ----------------------------------------------------------

foreach my $place (qw(turn-appended turn-committed))
{
	my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND datname = 'postgres'});
	my $doomed = halt_at($place);
	my $tries = 0;

	until (is_halted($worker))
	{
		$doomed->send([ [ 'events', [ 0, kafka_batch([ [ 'doomed', "doomed:$place:" . ++$tries ] ]) ] ] ]);
		poll_until(sub { is_halted($worker) || $doomed->is_ready(0) }) or die 'neither halted nor answered';
		$doomed->receive if $doomed->is_ready(0);
	}
	ok(!$doomed->is_ready(0), "$place: not acknowledged");
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	wait_resolved($node);
	check($place);
	is(sql(qq{SELECT count(*) FROM events WHERE value = 'doomed:$place:$tries'}), '0', "$place: its records are not there") if $place eq 'turn-appended';

	my $after;
	ok(poll_until(sub { $after = kafka_connect($port) }), "$place: the listener is back");
	is($after->produce('events', 0, kafka_batch([ [ 'alive', "alive:$place:1" ] ]))->{error}, 0, "$place: producing goes on");
}

$node->stop;
done_testing();
