# Files under test: src/wal/log_stable_end.c, log_ranges.c, src/broker/data/fetch.c.
# Nothing that a consumer was given ever changes or disappears: random transactions, many of them
# with asynchronous commits, beside a consumer, and kill -9 right after it has got something.
# What it gets after that must be what it got before, with nothing in between, and in the end it
# has what SQL sees.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaServer;
use LogLook qw(batches);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $rounds = $ENV{TOPIC_TEST_ROUNDS} // 6;
my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_anonymous_role = '" . (getpwuid($<))[0] . "'",
	'wal_writer_delay = 10s', 'wal_writer_flush_after = 0', 'wal_buffers = 64MB');
create_load_schema($node);

# A client, as soon as there is a listener.
sub connected
{
	my $consumer;

	poll_until(sub { $consumer = KafkaConsumer->new($port) }) or die 'no listener';
	return $consumer;
}

# What was given, by partition: a list of batches, and where the next one begins.
my %given = map { $_ => [] } 0 .. 2;
my %next = map { $_ => 0 } 0 .. 2;

# The ends that a consumer was told last.
my %end;

# Fetch once from these offsets; adds to what was given, returns how many batches have come.
# Dies where they do not follow each other.  undef if the server went away.
sub fetch_more
{
	my ($consumer, $given, $next, %params) = @_;
	my $answer = $consumer->fetch(topics => { events => $next }, max_wait => 50, %params) // return undef;
	my $count = 0;

	foreach my $number (sort keys %$next)
	{
		my $partition = $answer->{events}{$number};

		die "partition $number from $next->{$number}: error $partition->{error}" if $partition->{error};
		foreach my $batch (batches(unpack('H*', $partition->{records})))
		{
			die "partition $number: $batch->{first} comes behind $next->{$number}" if $batch->{first} < $next->{$number};
			die "partition $number: $batch->{last} is past the end $partition->{high_watermark}"
				if $batch->{last} >= $partition->{high_watermark};
			push @{ $given->{$number} }, $batch;
			$next->{$number} = $batch->{last} + 1;
			$count++;
		}
		$end{$number} = $partition->{high_watermark};
	}
	return $count;
}

# What differs between what was given before and what is given now.
sub changed
{
	my $consumer = connected();
	my %again = map { $_ => [] } 0 .. 2;
	my %place = map { $_ => 0 } 0 .. 2;
	my @changed;

	# up to where the consumer was
	while (grep { $place{$_} < $next{$_} } 0 .. 2)
	{
		# less than there was is found below
		last if !fetch_more($consumer, \%again, \%place, max_wait => 3000, max_bytes => 100_000);
	}
	foreach my $number (0 .. 2)
	{
		my @before = @{ $given{$number} };
		my @now = grep { $_->{first} < $next{$number} } @{ $again{$number} };

		push @changed, "partition $number: " . @before . ' batches were given, now there are ' . @now if @before != @now;
		foreach my $i (0 .. ($#before < $#now ? $#before : $#now))
		{
			next if $before[$i]{bytes} eq $now[$i]{bytes};
			push @changed, "partition $number: the batch at $before[$i]{first} has changed";
			last;
		}
	}
	return join "\n", @changed;
}

# The script of a client whose transactions are never flushed for its own sake.
my $numbers = 0;
sub lazy_script
{
	my ($client) = @_;
	my $script = "SET synchronous_commit = off;\n";

	for my $n (1 .. 20_000)
	{
		my $number = ++$numbers;
		my $sends = join '', map { sprintf("SELECT send(%d, %d, %d, %d, %d);\n", $client, $number, $_, rand(3), rand(300)) } 1 .. 1 + rand(3);

		$script .= rand() < 0.2 ? "BEGIN;\n$sends DO \$\$ BEGIN PERFORM flush(); END \$\$;\nROLLBACK;\n" : "BEGIN;\n${sends}COMMIT;\n";
	}
	return $script;
}

my $total = 0;
foreach my $round (1 .. $rounds)
{
	my $consumer = connected();
	my $load;

	# in every other round nothing is flushed but what the consumer waits for
	if ($round % 2)
	{
		halt_asleep($node, $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}));
		$load = start_load($node, clients => 0, also => [ map { lazy_script(100 * $round + $_) } 1 .. 3 ]);
	}
	else
	{
		$load = start_load($node, clients => 4, prologue => { map { $_ => "SET synchronous_commit = off;\n" } 1 .. 3 });
	}
	my $until = time + 1 + rand(2);
	my $batches = 0;

	# not before something was given, and then at once
	for (;;)
	{
		my $count = fetch_more($consumer, \%given, \%next) // die 'the listener went away';
		$batches += $count;
		last if $count > 0 && time > $until;
	}
	kill_all($node);
	finish_load($load);
	$total += $batches;
	$node->start;
	is(changed(), '', "round $round: what $batches batches gave is still there");
	end_prepared($node);
}
cmp_ok($total, '>', 100 * $rounds, "$total batches were given");

# in the end consumers have what SQL has
my $consumer = connected();
wait_resolved($node);
do {} while fetch_more($consumer, \%given, \%next, max_wait => 1000);
foreach my $number (0 .. 2)
{
	my $records = 0;
	$records += $_->{count} foreach @{ $given{$number} };
	is("$records before $next{$number}", $node->safe_psql('postgres',
		"SELECT count(*) || ' before ' || max(record_offset) + 1 FROM events WHERE partition = $number"),
		"partition $number: consumers have as many records as SQL");
	is($end{$number}, $next{$number}, "partition $number: and have reached the end that they are told");
}
check_events($node, 'SQL has what was sent');
done_testing();
