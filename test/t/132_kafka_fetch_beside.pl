# Files under test: src/log/entry_walk.c, src/log/log_file_cache.c, src/wal/log_ranges.c, log_stable_end.c,
# src/broker/data/fetch.c.
# Consumers beside all that changes a log behind their back: no lock keeps topics from being
# truncated, dropped and made anew, merged, compacted and deleted from while they are looked at.
# Each response must have whole batches that check, in order and of the topic that was asked for; the
# listener must live, and call nothing damaged.
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

my $seconds = $ENV{TOPIC_TEST_SECONDS} // 15;
my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_anonymous_role = '" . (getpwuid($<))[0] . "'",
	'pg_topics.max_partitions = 40');

# All topics have the same offsets and segments; a value says which topic it is of.
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE PROCEDURE make(name text) LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM create_topic(name, partitions => 2,
			config => '{"segment.bytes": 2048, "batch.merge.lag.ms": 0, "cleanup.policy": "compact,delete", "min.compaction.lag.ms": 0}');
	END $$;
	CREATE PROCEDURE fill(name text, n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce(name::regclass, (random() * 10)::int::text, format('[%s]%s', name, repeat('v', 100)), i % 2);
			IF i % 5 = 0 THEN
				PERFORM flush();
				ROLLBACK;
			ELSE
				COMMIT;
			END IF;
		END LOOP;
	END $$});
my @topics = map { "topic$_" } 1 .. 3;
$node->safe_psql('postgres', "CALL make('$_'); CALL fill('$_', 50)") foreach @topics;
my $consumer;
poll_until(sub { $consumer = KafkaConsumer->new($port) }) or die 'no listener';
my $listener = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});

# What is done to the topics, for ever; each statement by itself.
sub script
{
	my @kinds = @_;
	my $script = "\\set ON_ERROR_STOP off\n";

	for (1 .. 50_000)
	{
		my $topic = $topics[ rand @topics ];
		my $kind = $kinds[ rand @kinds ];

		$script .= $kind eq 'fill' ? "CALL fill('$topic', " . int(1 + rand(20)) . ");\n"
		  : $kind eq 'truncate' ? "TRUNCATE $topic;\n"
		  : $kind eq 'drop' ? "DROP FOREIGN TABLE $topic;\nCALL make('$topic');\n"
		  : $kind eq 'delete' ? "SELECT delete_records('$topic', " . int(rand(2)) . ", -1);\n"
		  : "SELECT $kind('$topic');\n";
	}
	return $script;
}
my $load = start_load($node, clients => 0, also => [ script('fill'), script('fill'),
	script(qw(truncate merge_batches compact delete drop fill fill merge_batches)) ]);

my (@wrong, %seen, %offset);
my $session = { id => 0, epoch => 0 };
my $until = time + $seconds;
my $responses = 0;

# Check what a response has of a partition, and where to go on.
sub check
{
	my ($topic, $number, $partition, $from) = @_;
	my $position = $from < 0 ? 0 : $from;

	$seen{ $partition->{error} }++;
	$offset{$topic}{$number} = (split / /, $consumer->list_offsets($topic, { $number => -2 })->{$number})[1] if $partition->{error};
	$offset{$topic}{$number} = $partition->{log_start} if !$partition->{error} && $from < $partition->{log_start};
	return if $partition->{error} || $partition->{records} eq '';
	my @batches = eval { batches(unpack('H*', $partition->{records})) };
	push @wrong, "$topic $number from $from: $@" if $@;
	foreach my $batch (@batches)
	{
		my $bytes = pack('H*', $batch->{bytes});

		push @wrong, "$topic $number: $batch->{last} comes at $position" if $batch->{last} < $position;
		push @wrong, "$topic $number: the checksum of the batch at $batch->{first}" if rand() < 0.1
			&& unpack('N', substr($bytes, 17, 4)) != crc32c(substr($bytes, 21));
		push @wrong, "$topic $number: records of $1" if $bytes =~ /\[(topic\d)\]/ && $1 ne $topic;
		$position = $batch->{last} + 1;
		$seen{batches}++;
	}
	$offset{$topic}{$number} = $position;
	return;
}

while (time < $until && !@wrong)
{
	my %wanted = map { my $topic = $_; $topic => { map { $_ => $offset{$topic}{$_} // 0 } 0 .. 1 } } @topics;
	# sometimes from somewhere, or from nowhere
	$wanted{ $topics[ rand @topics ] }{0} = int(rand(1000)) if rand() < 0.2;
	my $max_wait = rand() < 0.3 ? 20 : 0;
	my $in_session = rand() < 0.7;
	my $answer = $consumer->fetch(topics => \%wanted, max_wait => $max_wait, max_bytes => 1 + int(rand(20000)),
		$in_session ? (session_id => $session->{id}, session_epoch => $session->{epoch}) : ());

	if (!$answer)
	{
		# a topic was cut while it was being sent
		$seen{closed}++;
		$session = { id => 0, epoch => 0 };
		poll_until(sub { $consumer = KafkaConsumer->new($port) }) or die 'no listener';
		next;
	}
	$responses++;
	$session = $in_session && !$answer->{error} ? { id => $answer->{session}, epoch => $session->{epoch} + 1 } : { id => 0, epoch => 0 };
	foreach my $topic (@topics)
	{
		check($topic, $_, $answer->{$topic}{$_}, $wanted{$topic}{$_}) foreach keys %{ $answer->{$topic} // {} };
		next if rand() > 0.05;
		my $times = $consumer->list_offsets($topic, { 0 => int(rand(3)) - 3, 1 => 1 });
		$seen{offsets}++ if $times->{0} =~ /^0 /;
		$consumer->epoch_end($topic, 0, 1);
	}
}
finish_load($load, kill => 1, expected => qr/./);
note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
is(join("\n", @wrong), '', "$responses responses are right");
cmp_ok($seen{batches} // 0, '>', 100, 'there were batches in them');
cmp_ok($seen{offsets} // 0, '>', 0, 'and offsets by time');
is($node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), $listener,
	'the listener lives');
my @complaints = grep { /^\S+ \S+ \S+ \[$listener\] (WARNING|ERROR|LOG:  .*(fail|could not|left))/ } split /\n/, slurp_file($node->logfile);
is(join("\n", @complaints), '', 'and complains of nothing');
# the load may have ended between dropping one and making it anew
is($node->safe_psql('postgres', "SELECT count(*) FROM verify_topic('$_')"), 0, "$_ is whole")
  foreach grep { $node->safe_psql('postgres', "SELECT to_regclass('$_')") ne '' } @topics;
done_testing();
