# Files under test: src/log/producer_state.c, src/format/producer_sequence.c,
# src/wal/producer_file.c, src/wal/log_redo.c.
# Producers as Kafka's clients are: each has up to five batches under way, gets some answers
# not, and sends again.  Batches come in transactions that commit, durably or not, or roll
# back, and the server is killed again and again.  In the end each record is in the log once and
# in order, and no answer has said what is not so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProducerProbe;
use TopicTest;

use constant { PRODUCERS => 3, STEPS => 240, IN_FLIGHT => 5 };

my $seed = $ENV{SEED} // time;
my $node = new_node('main', settings => [ 'pg_topics.max_partitions = 64' ]);

srand $seed;
note "SEED=$seed";
$node->start;
create_producer_probe($node);

# "window": batches that were sent, or will be: [ number, records ]; "next": the number behind them
my %producers = map { $_ => { window => [], next => 0, epoch => 0, offsets => {} } } 1 .. PRODUCERS;
my $session = open_session($node);
my @wrong;

# What a batch's answer may be, and what the producer does with it if it gets it.
sub take_answer
{
	my ($producer, $batch, $answer) = @_;
	my ($word, $offset) = $answer =~ /^(\w+) ?(\d*)/;
	my $known = $producer->{offsets}{ $batch->[0] };

	push @wrong, "batch $batch->[0] is at $known: $answer" if defined $known && $answer ne "duplicate $known";
	push @wrong, "batch $batch->[0]: $answer"
	  if $answer !~ /^(?:appended|duplicate|out of order)/ || ($answer eq 'out of order' && $batch == $producer->{window}[0]);
	return $offset;
}

# Send some batches of a producer in a transaction; those of which the answer arrives leave the window.
sub send_batches
{
	my ($id, $how) = @_;
	my $producer = $producers{$id};
	my $window = $producer->{window};

	while (@$window < IN_FLIGHT && rand() < 0.7)
	{
		push @$window, [ $producer->{next}, 1 + int(rand(4)) ];
		$producer->{next} += $window->[-1][1];
	}
	my @batches = @$window[ 0 .. int(rand(@$window)) ];
	my %offsets;

	return if !@$window;
	$session->run('BEGIN');
	$session->run('SET LOCAL synchronous_commit = ' . ($how eq 'async' ? 'off' : 'on'));
	$offsets{ $_->[0] } = take_answer($producer, $_, $session->run(
		"SELECT append_batch('events', 0, $id, $producer->{epoch}, $_->[0], $_->[1])")) foreach @batches;
	return if $how eq 'open';
	# a commit that has written nothing is not flushed, and so would not make durable what a duplicate rests on
	$session->run("SELECT pg_logical_emit_message(true, '', '')") if $how eq 'commit';
	$session->run($how eq 'abort' ? 'ROLLBACK' : 'COMMIT');
	# an asynchronous commit is no answer yet
	return if $how ne 'commit';
	$producer->{offsets}{$_} = $offsets{$_} foreach keys %offsets;
	# some answers do not arrive
	splice @$window, 0, scalar @batches if rand() < 0.6;
	return;
}

# Kill the server and start it again.
sub crash
{
	kill_all($node);
	eval { $session->{run}->kill_kill };
	$node->start;
	$session = open_session($node);
	# until the sync process runs, batches wait
	poll_until(sub { $session->run("BEGIN; SELECT append_batch('events', 1, 999, 0, 0, 1); ROLLBACK") !~ /try again/ }) or die;
	return;
}

foreach my $step (1 .. STEPS)
{
	my $id = 1 + int(rand(PRODUCERS));
	my $kind = rand();

	if ($kind < 0.5) { send_batches($id, 'commit'); }
	elsif ($kind < 0.65) { send_batches($id, 'async'); }
	elsif ($kind < 0.85) { send_batches($id, 'abort'); }
	elsif ($kind < 0.91) { $session->run('CHECKPOINT'); }
	elsif ($kind < 0.95) { wait_resolved($node); }
	else
	{
		send_batches($id, 'open') if rand() < 0.5;
		crash();
	}
}
foreach my $id (1 .. PRODUCERS)
{
	my $rounds = 0;

	send_batches($id, 'commit') while @{ $producers{$id}{window} } && $rounds++ < 200;
	push @wrong, "producer $id does not come to an end" if @{ $producers{$id}{window} };
}
is(join("\n", @wrong), '', "no answer is wrong (SEED=$seed)");

# the records say only their numbers, so the log itself must tell whose they are
foreach my $id (1 .. PRODUCERS)
{
	my @numbers;
	my $end = $producers{$id}{next};

	foreach my $batch (sort { $a->[0] <=> $b->[0] } batches_of($id))
	{
		push @numbers, $batch->[1] .. $batch->[1] + $batch->[2] - 1;
	}
	is("@numbers", join(' ', 0 .. $end - 1), "producer $id has each of its $end records in the log once and in order (SEED=$seed)");
}
$node->stop;
done_testing();

# The visible batches of a producer: [ offset, first number, records ], by the files of the partition.
sub batches_of
{
	my ($id) = @_;
	my %visible = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{SELECT record_offset FROM events WHERE partition = 0});
	my @found;

	foreach my $file (glob(topic_directory($node, 'events', 0) . '/*.log'))
	{
		my $bytes = slurp_file($file);

		for (my $at = 0; $at + 61 <= length $bytes;)
		{
			my ($offset, $length) = unpack 'q> l>', substr($bytes, $at, 12);
			my ($producer, $epoch, $first, $records) = unpack 'q> s> l> l>', substr($bytes, $at + 43, 18);

			last if $length <= 0;
			push @found, [ $offset, $first, $records ] if $producer == $id && $visible{$offset};
			$at += 12 + $length;
		}
	}
	return @found;
}
