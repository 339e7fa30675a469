#!/usr/bin/env perl
# Files under test: src/broker/share/*.c, src/broker/groups/share_groups.c, src/broker/groups/group_configs.c, src/coordinator/share_members.c.
# Any allocation may fail while members of share groups come and go, fetch, acknowledge in all ways, and are configured: the process goes on,
# each request is answered or its connection closed, and each record is accepted, rejected, or available again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaAdmin;
use KafkaClient;
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my ($node, $port) = start_kafka_server('log_min_messages = warning', 'max_worker_processes = 20',
	"pg_topics.kafka_group_share_auto_offset_reset = 'earliest'", 'pg_topics.share_partition_max_record_locks = 4000');
sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('jobs', partitions => 2, config => '{"max.attempts": 3}'),
	create_topic('"jobs.dlq"'); GRANT SELECT, INSERT ON jobs, "jobs.dlq" TO app;
	INSERT INTO jobs (partition, value) SELECT i % 2, i FROM generate_series(1, 2000) i});
wait_for_listener() or die 'nobody listens';
my $id = topic_ids(\&sql)->{jobs};
my $names = 0;
my %accepted;	# those of which that was acknowledged
my $unknown = 0;	# requests whose answer did not come

# A member joins, and leaves or not.
sub members
{
	my ($client) = @_;
	my $name = 'm' . ++$names;

	share_heartbeat($client, group => 'g', member => $name, epoch => 0, names => ['jobs']) // return undef;
	describe_share_groups($client, 'g') // return undef if rand() < 0.3;
	return 1 if rand() < 0.3;
	return share_heartbeat($client, group => 'g', member => $name, epoch => -1);
}

# A member fetches some records and says something of them, or goes.
sub works
{
	my ($client) = @_;
	my $member = KafkaShare->new($client, group => 'g', member => 'm' . ++$names);
	my $answer = $member->fetch(add => { $id => [ 0, 1 ] }, records => 5, wait => 5) // return undef;
	my %acks;

	foreach my $partition (keys %{ $answer->{partitions} // {} })
	{
		push @{ $acks{$partition} }, [ $_->[0], $_->[1], (1, 1, 1, 2, 3, 1)[ rand 6 ] ] foreach @{ $answer->{partitions}{$partition}{acquired} // [] };
	}
	return 1 if !%acks || rand() < 0.1;
	$answer = rand() < 0.5 ? $member->acknowledge(\%acks) : $member->fetch(acks => \%acks, records => 1, wait => 0);
	$unknown++ if !$answer;
	return undef if !$answer;
	foreach my $partition (keys %acks)
	{
		my $told = $answer->{partitions}{$partition} // next;
		my $error = $told->{ack_error} // $told->{error};

		next if $answer->{error} || $error;
		foreach my $ack (grep { $_->[2] == 1 } @{ $acks{$partition} }) { $accepted{"$partition:$_"}++ foreach $ack->[0] .. $ack->[1] }
	}
	return 1;
}

# An administrator looks, and configures.
sub looks
{
	my ($client) = @_;

	return describe_share_offsets($client, 'g') if rand() < 0.5;
	return describe_configs($client, [ [ GROUP, 'g' ] ], synonyms => 1) if rand() < 0.5;
	return alter_configs($client, [ [ GROUP, 'g', [ [ 'share.record.lock.duration.ms', SET, 1000 + int(rand 500) ] ] ] ]);
}

my $closed = let_allocations_fail($node, $port, load => [ \&members, \&works, \&works, \&works, \&looks ], first => 30, rounds => 60, within => 6000);
cmp_ok($closed, '>', 0, "connections were closed ($closed)");
is(join(' ', grep { $accepted{$_} > 1 } sort keys %accepted), '', 'no record was accepted twice');

# What is left is to be had: by one that accepts all.
my $last;
my $done = poll_until(sub {
	$last //= KafkaShare->new(KafkaClient->new($port), group => 'g', member => 'last' . ++$names);
	my $answer = $last->fetch(add => { $id => [ 0, 1 ] }, records => 500, wait => 100);

	if (!$answer || $answer->{error}) { $last = undef; return 0 }
	my %acks = map { my $p = $_; ($p => [ map { [ $_->[0], $_->[1], 1 ] } @{ $answer->{partitions}{$p}{acquired} } ]) }
	  grep { @{ $answer->{partitions}{$_}{acquired} // [] } } keys %{ $answer->{partitions} // {} };

	$last->acknowledge(\%acks) if %acks;
	return sql(q{SELECT sum(lag) FROM pg_topic_share_groups}) eq '0' });
ok($done, 'nothing is stuck') or diag(sql('SELECT * FROM pg_topic_share_groups'));
is(sql(q{SELECT count(*) FROM (SELECT 1 FROM "jobs.dlq" GROUP BY headers->>'nack.partition', headers->>'nack.offset' HAVING count(*) > 1) d}), '0',
	'nothing is in the dead-letter topic twice');
my %dead = map { $_ => 1 } split /\n/, sql(q{SELECT (headers->>'nack.partition') || ':' || (headers->>'nack.offset') FROM "jobs.dlq"});
is(join(' ', grep { $dead{ $_ =~ s/^\w+://r } } sort keys %accepted), '', 'and nothing that was accepted');

done_testing();
