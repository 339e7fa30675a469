# Files under test: src/broker/data/init_producer_id.c, and what src/broker/data/produce.c answers to producers that
# number their records.
# Clients that lose answers and connections, and servers that crash at any moment or before
# and behind a commit: each record is in the log once and in order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProducerProbe;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

use constant { PRODUCERS => 6, PARTITIONS => 2, UNDER_WAY => 5, ROUNDS => 5 };

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ kafka_settings($port), 'restart_after_crash = off', 'checkpoint_timeout = 30s', 'wal_retrieve_retry_interval = 50ms' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(qq{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events', partitions => @{[ PARTITIONS ]}, config => '{"segment.bytes": 65536}'), create_topic('other');
	GRANT INSERT ON events TO producer});

# A connection to a server, as soon as it can be had.
sub connect_to
{
	my ($where) = @_;
	my $client;

	poll_until(sub { $client = kafka_connect($where) }) or die 'no listener';
	return $client;
}

# An id, as soon as it can be had.
sub new_id
{
	my ($client) = @_;
	my ($error, $id);

	poll_until(sub { ($error, $id) = init_producer_id($client); $error != 14 }) or die 'no id';
	die "error $error" if $error != 0;
	return $id;
}

# A producer's batch of records with these values.
sub batch
{
	my ($id, $sequence, @values) = @_;

	return kafka_batch([ map { [ 'k', $_ ] } @values ], producer_id => $id, producer_epoch => 0, sequence => $sequence);
}

# The answer to a batch, as "error offset".
sub answer
{
	my ($client, @batch) = @_;
	my $answer = $client->produce('events', 0, batch(@batch));

	return "$answer->{error} $answer->{offset}";
}

# ---- ids ----------------------------------------------------------------------

my $client = connect_to($port);
my %given;

new_id($client);
foreach my $version (0 .. 5)
{
	my ($error, $id, $epoch) = init_producer_id($client, version => $version);

	is("$error $epoch", '0 0', "version $version: an id with epoch 0");
	ok($id > 0 && !$given{$id}++, "version $version: a new one");
}
my ($error, $again) = init_producer_id($client, id => (keys %given)[0], epoch => 3);
ok($error == 0 && !$given{$again}++, 'a producer that has an id gets another one');
is_deeply([ init_producer_id($client, transaction => '') ], [ 42, -1, -1 ], 'an empty one is none');
is_deeply([ init_producer_id($client, id => 7) ], [ 42, -1, -1 ], 'nor is an id without an epoch one');
sql('REVOKE INSERT ON events FROM producer; GRANT SELECT ON events TO producer');
is((init_producer_id($client))[0], 31, 'who may produce to no topic gets no id');
sql('GRANT INSERT ON events TO producer');
is((init_producer_id($client))[0], 0, 'who may produce to one gets one');

# ---- answers --------------------------------------------------------------------

my $id = new_id($client);

is(answer($client, $id, 0, 'a', 'b'), '0 0', 'a producer begins');
is(answer($client, $id, 2, 'c'), '0 2', 'and goes on');
is(answer($client, $id, 0, 'a', 'b'), '0 0', 'a batch that is sent again is answered as before');
is(answer($client, $id, 5, 'e'), '45 -1', 'a gap is out of order');
is(answer($client, $id, 2, 'c', 'd'), '45 -1', 'so is a batch that is there in part');
answer($client, $id, $_, "$_") foreach 3 .. 8;
is(answer($client, $id, 0, 'a', 'b'), '45 -1', 'a batch whose offset is forgotten is out of order');
is($client->produce('events', 0, kafka_batch([ [ 'k', 'z' ] ], producer_id => $id, producer_epoch => 2, sequence => 0))->{error}, 0,
	'a later epoch is taken');
is(answer($client, $id, 9, '9'), '47 -1', 'then the one before is over');
is(sql(q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM events}), 'a b c 3 4 5 6 7 8 z', 'each record is there once');

# several of one producer in one request's turn, and the answers are lost
$id = new_id($client);
my @sent = map { batch($id, $_, "lost $_") } 0 .. 4;
$client->send([ [ 'events', [ 0, $_ ] ] ]) foreach @sent;
poll_until(sub { sql(q{SELECT count(*) FROM events WHERE value LIKE 'lost%'}) eq '5' }) or die;
$client->close;
$client = connect_to($port);
$client->send([ [ 'events', [ 0, $_ ] ] ]) foreach @sent, batch($id, 5, 'lost 5');
my @answers = map { ($client->receive)[1] } 0 .. 5;
is(join(' ', map { $_->{error} } @answers), '0 0 0 0 0 0', 'after a lost connection all are answered');
is(sql(q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM events WHERE value LIKE 'lost%'}),
	join(' ', map { "lost $_" } 0 .. 5), 'and are there once');
is(join(' ', map { $_->{offset} } @answers), sql(q{SELECT string_agg(record_offset::text, ' ' ORDER BY record_offset) FROM events WHERE value LIKE 'lost%'}),
	'where the answers say');
# ---- crashes at a commit ----------------------------------------------------------

foreach my $place ('turn-appended', 'turn-committed')
{
	my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});

	$client = connect_to($port);
	$id = new_id($client);
	answer($client, $id, 0, "$place 0");
	sql("ALTER SYSTEM SET pg_topics.fault_point = '$place:halt'");
	sql('SELECT pg_reload_conf()');
	my $sequence = 1;
	my $stopped = sub { open(my $stat, '<', "/proc/$worker/stat") or return 0; return (<$stat> // '') =~ /\) T /; };

	# until the process has read its setting it does not stop
	until ($stopped->())
	{
		$client->send([ [ 'events', [ 0, batch($id, $sequence, "$place $sequence") ] ] ]);
		$sequence++;
		poll_until(sub { $stopped->() || $client->is_ready(0) }) or die 'neither stopped nor answered';
		$client->receive if $client->is_ready(0);
	}
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	$client = connect_to($port);
	$sequence--;
	like(answer($client, $id, $sequence, "$place $sequence"), qr/^0 \d+$/, "$place: a batch that was not answered is sent again") or next;
	like(answer($client, $id, $sequence + 1, "$place @{[ $sequence + 1 ]}"), qr/^0 \d+$/, "$place: its producer goes on");
	is(sql(qq{SELECT string_agg(split_part(value, ' ', 2), ' ' ORDER BY record_offset) FROM events WHERE value LIKE '$place %'}),
		join(' ', 0 .. $sequence + 1), "$place: each record is there once and in order");
}

# ---- a load, and crashes at any moment ----------------------------------------------

# "window": what is under way: [ sequence, values, offset of the answer that got lost ]
my @producers = map { { number => $_, next => 0, window => [], answered => 0 } } 1 .. PRODUCERS;
my @wrong;

$client = connect_to($port);
$_->{id} = new_id($client) foreach @producers;

# Send a batch that is in the window.
sub send_batch
{
	my ($producer, $batch) = @_;
	my $number = eval { $producer->{client}->send([ [ 'events', [ $producer->{number} % PARTITIONS,
		batch($producer->{id}, $batch->[0], @{ $batch->[1] }) ] ] ], acks => rand() < 0.5 ? 1 : -1) };

	$producer->{sent}{ $number // -1 } = $batch;
	return;
}

# Connect, and send all again that has no answer.
sub connect_producer
{
	my ($producer) = @_;

	$producer->{client} = connect_to($port);
	$producer->{sent} = {};
	send_batch($producer, $_) foreach @{ $producer->{window} };
	return;
}

# Fill the window.
sub fill
{
	my ($producer) = @_;
	my $window = $producer->{window};

	while (@$window < UNDER_WAY)
	{
		my @values = map { "$producer->{number}:" . ($producer->{next} + $_) } 0 .. int(rand(4));

		push @$window, [ $producer->{next}, \@values ];
		$producer->{next} += @values;
		send_batch($producer, $window->[-1]);
	}
	return;
}

# Take an answer.  False where the connection is to be made anew.
sub take
{
	my ($producer) = @_;
	my ($number, $answer) = eval { $producer->{client}->receive };
	my $window = $producer->{window};

	return 0 if !defined $number;
	my $batch = $producer->{sent}{$number} // die "answer to no batch";
	my $first = @$window && $batch == $window->[0];

	push @wrong, "$producer->{number}: batch $batch->[0]: error $answer->{error}"
	  if $answer->{error} != 0 && $answer->{error} != 7 && !($answer->{error} == 45 && !$first);
	return 0 if $answer->{error} != 0;
	push @wrong, "$producer->{number}: batch $batch->[0] was at $batch->[2] and is at $answer->{offset}"
	  if defined $batch->[2] && $batch->[2] != $answer->{offset};
	$batch->[2] = $answer->{offset};
	# now and then the answer is lost, and with it those behind
	return 0 if rand() < 0.02;
	@$window = grep { $_ != $batch } @$window;
	$producer->{answered}++;
	return 1;
}

# Produce for a while, and do something then.
sub produce_for
{
	my ($seconds, $then) = @_;
	my $end = time + $seconds;

	connect_producer($_) foreach @producers;
	while (time < $end)
	{
		foreach my $producer (@producers)
		{
			fill($producer);
			next if !(length $producer->{client}{in} || $producer->{client}->is_ready(0.001));
			next if take($producer);
			$producer->{client}->close;
			connect_producer($producer);
		}
	}
	$then->();
	return;
}

# Send what is under way until all of it is answered.
sub finish
{
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;

	foreach my $producer (@producers)
	{
		connect_producer($producer);
		while (@{ $producer->{window} })
		{
			die 'batches are not answered' if time > $end;
			next if take($producer);
			$producer->{client}->close;
			connect_producer($producer);
		}
	}
	return;
}

sub check_load
{
	my ($when, $server) = @_;

	is(join("\n", @wrong), '', "$when: no answer is wrong");
	foreach my $producer (@producers)
	{
		my $found = $server->safe_psql('postgres', qq{SELECT string_agg(split_part(value, ':', 2), ' ' ORDER BY record_offset)
			FROM events WHERE value LIKE '$producer->{number}:%'});

		ok($found eq join(' ', 0 .. $producer->{next} - 1),
			"$when: all records of producer $producer->{number} are there once and in order");
	}
	return;
}

foreach my $round (1 .. ROUNDS)
{
	produce_for(0.5 + rand(1), sub { kill_all($node); $node->start });
	sql('CHECKPOINT') if $round == 3;
}
finish();
check_load('after crashes', $node);
cmp_ok(eval { my $n = 0; $n += $_->{answered} foreach @producers; $n }, '>', 100, 'there was a load');

# ---- promotion -------------------------------------------------------------------------

my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $standby = start_standby($node, 'standby', kafka_settings($standby_port));
sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'there is a synchronous standby');
my $on_standby = kafka_connect($standby_port);
is((init_producer_id($on_standby))[0], 14, 'a standby gives no ids') if $on_standby;
{
	no warnings 'redefine';
	# what was acknowledged without the standby may be lost
	*send_batch = sub {
		my ($producer, $batch) = @_;
		my $number = eval { $producer->{client}->send([ [ 'events', [ $producer->{number} % PARTITIONS,
			batch($producer->{id}, $batch->[0], @{ $batch->[1] }) ] ] ], acks => -1) };
		$producer->{sent}{ $number // -1 } = $batch;
	};
}
produce_for(2, sub { kill_all($node); $standby->promote });
$port = $standby_port;
finish();
check_load('after a promotion', $standby);
ok(!$given{ new_id(connect_to($port)) }, 'ids are new ones');
$standby->stop;

done_testing();
