#!/usr/bin/env perl
# Files under test: src/broker/share/*.c, src/share/share_member.c, src/share/share_window.c, src/share/share_row.c.
# A share group at random: members join, die, fetch, acknowledge in all ways, renew, and are too late; workers in SQL take part, and commit or roll
# back; producers commit and abort, in SQL and as Kafka's clients; the server crashes.
#
# The model knows of each record who has it and until when, how often it was delivered, and what became of it:
#
#	- nobody gets a record that somebody has, or that is accepted or rejected
#	- an acknowledgement counts if and only if its answer says so, whatever crashes
#	- deliveries are counted one by one; a crash may forget some
#	- in the end each record that was committed is accepted or in the dead-letter topic, once, and not in both
#
# TOPIC_TEST_SEED repeats a run, TOPIC_TEST_HISTORIES asks for more steps.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaClient;
use KafkaServer;
use KafkaShare;
use KafkaTransactions;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(rand(1_000_000));
my $steps = $ENV{TOPIC_TEST_HISTORIES} // 250;
srand($seed);
diag("TOPIC_TEST_SEED=$seed TOPIC_TEST_HISTORIES=$steps repeats it");

use constant { LEASE => 1.5, ATTEMPTS => 4 };

my ($node, $port) = start_kafka_server('max_worker_processes = 20', 'pg_topics.share_partition_max_record_locks = 150');
sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('jobs', partitions => 2, config => '{"max.attempts": 4}'), create_topic('"jobs.dlq"');
	GRANT SELECT, INSERT ON jobs, "jobs.dlq" TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $id = topic_ids(\&sql)->{jobs};
is(alter_configs(client(), [ [ GROUP, 'g', [ [ 'share.record.lock.duration.ms', SET, LEASE * 1000 ], [ 'share.auto.offset.reset', SET, 'earliest' ] ] ] ])->[0]{error},
	0, 'the group is configured');

my (%records, @members, @wrong);
my ($names, $crashes, %count) = (0, 0);

sub wrong { my ($what) = @_; push @wrong, $what; return }

# ---- the model ------------------------------------------------------------------------------

# Somebody has got a record, which he may have as long as its lease lasts, or while a transaction runs (-1).
sub gets
{
	my ($key, $deliveries, $who, $asked) = @_;
	my $record = $records{$key} //= { deliveries => 0, crashes => $crashes, who => '', until => 0 };
	my $due = $record->{deliveries} + 1;

	wrong("$who gets $key, which is $record->{end}") if $record->{end};
	wrong("$who gets $key, which $record->{who} has") if $record->{who} ne '' && $record->{who} ne $who && time < $record->{until};
	wrong("$who gets $key for the time $deliveries, not $due")
	  if $record->{crashes} == $crashes ? $deliveries != $due : $deliveries > $due || $deliveries < 1;
	wrong("$who gets $key for the time $deliveries") if $deliveries > ATTEMPTS;
	@$record{qw(deliveries crashes who until)} = ($deliveries, $crashes, $who, $asked + LEASE);
	$count{deliveries}++;
	return;
}

sub frees { my ($who) = @_; $_->{who} = '' foreach grep { $_->{who} eq $who } values %records; return }

sub ends
{
	my ($key, $end) = @_;

	wrong("$key is $end, and was $records{$key}{end}") if $records{$key}{end};
	@{ $records{$key} }{qw(end who)} = ($end, '');
	$count{$end}++;
	return;
}

# ---- members ----------------------------------------------------------------------------------

sub member { return $members[ rand @members ] }

sub joins
{
	return if @members >= 5;
	my $name = 'm' . ++$names;
	my $client = client();

	share_heartbeat($client, group => 'g', member => $name, epoch => 0, names => ['jobs']);
	push @members, { name => $name, member => KafkaShare->new($client, group => 'g', member => $name) };
	return;
}

sub dies
{
	my $gone = splice @members, rand @members, 1;

	$gone->{member}{client}->close;
	# what it had is available as soon as the server has noticed
	frees($gone->{name});
	return;
}

# What an answer to a fetch says.
sub takes
{
	my ($member, $answer, $asked) = @_;

	foreach my $partition (sort keys %{ $answer->{partitions} // {} })
	{
		my ($number) = $partition =~ /:(\d+)$/;

		foreach my $range (@{ $answer->{partitions}{$partition}{acquired} // [] })
		{
			gets("$number:$_", $range->[2], $member->{name}, $asked) foreach $range->[0] .. $range->[1];
		}
	}
	return;
}

sub fetches
{
	my $member = member();
	my $asked = time;
	my $answer = $member->{member}->fetch(add => { $id => [ 0, 1 ] }, records => 1 + int rand 8, wait => 0);

	# after a crash groups are read first
	if ($answer->{error} == 14 || $answer->{error} == 15)
	{
		$member->{member}{epoch} = 0;
		return;
	}
	return wrong("$member->{name} may not fetch: $answer->{error}") if $answer->{error};
	return takes($member, $answer, $asked);
}

# Say something of what a member has: of each partition all counts, or nothing.
sub acknowledges
{
	my $member = member();
	my $renews = rand() < 0.15;
	my (%acks, %said);

	foreach my $key (grep { $records{$_}{who} eq $member->{name} && rand() < 0.7 } sort { (split /:/, $a)[1] <=> (split /:/, $b)[1] } keys %records)
	{
		my ($number, $offset) = split /:/, $key;
		my $type = $renews ? KafkaShare::RENEW : (KafkaShare::ACCEPT, KafkaShare::ACCEPT, KafkaShare::RELEASE, KafkaShare::REJECT)[ rand 4 ];

		push @{ $acks{"$id:$number"} }, [ $offset, $offset, $type ];
		$said{"$id:$number"}{$key} = $type;
	}
	return if !%acks;
	my $asked = time;
	my $with_fetch = !$renews && rand() < 0.4;
	my $answer = $with_fetch ? $member->{member}->fetch(acks => \%acks, records => 3, wait => 0) : $member->{member}->acknowledge(\%acks, renew => $renews);

	foreach my $partition (sort keys %acks)
	{
		my $told = $answer->{partitions}{$partition};
		my $error = $answer->{error} || $told->{ $with_fetch ? 'ack_error' : 'error' };
		my @keys = sort keys %{ $said{$partition} };

		if ($error)
		{
			wrong("$member->{name} has all of @keys, and is told $error") if $error != 121 || !grep { time >= $records{$_}{until} } @keys;
			# which of them are late is not told; they come again
			$records{$_}{who} = '' foreach @keys;
			$count{late}++;
			next;
		}
		foreach my $key (@keys)
		{
			my $type = $said{$partition}{$key};

			if ($type == KafkaShare::ACCEPT) { ends($key, 'accepted') }
			elsif ($type == KafkaShare::REJECT) { ends($key, 'rejected') }
			elsif ($type == KafkaShare::RENEW) { $records{$key}{until} = $asked + LEASE }
			elsif ($records{$key}{deliveries} >= ATTEMPTS) { ends($key, 'rejected') }
			else { $records{$key}{who} = '' }
		}
	}
	takes($member, $answer, $asked) if $with_fetch;
	return;
}

# ---- workers in SQL, producers, crashes ---------------------------------------------------------

sub works_in_sql
{
	my $end = rand() < 0.7 ? 'COMMIT' : 'ROLLBACK';
	my @got = split /\n/, sql("SET ROLE app; BEGIN; SELECT partition || ':' || record_offset || ' ' || delivery_count FROM consume_shared('jobs', 'g', " . (1 + int rand 6) . "); $end");

	foreach (@got)
	{
		my ($key, $deliveries) = split / /;

		gets($key, $deliveries, 'sql', time - LEASE);
		ends($key, 'accepted') if $end eq 'COMMIT';
	}
	return frees('sql');
}

sub produces
{
	my $many = 1 + int rand 12;
	my $end = rand() < 0.8 ? 'COMMIT' : 'ROLLBACK';

	return sql("BEGIN; INSERT INTO jobs (partition, value) SELECT i % 2, 'v' FROM generate_series(1, $many) i; $end") if rand() < 0.6;
	my $client = client();
	my ($error, $producer, $epoch) = init_transactions($client, 't');

	return if $error;
	begin_transaction($client, 't', $producer, $epoch, { jobs => [ 0, 1 ] });
	transactional_produce($client, 't', $producer, $epoch, 'jobs', int rand 2, 0, [ ('k') x (1 + rand 5) ]);
	end_transaction($client, 't', $producer, $epoch, $end eq 'COMMIT' ? 1 : 0);
	return;
}

sub crashes
{
	$node->stop('immediate');
	$node->start;
	wait_for_listener() or die 'the listener does not come back';
	$crashes++;
	frees($_->{name}) foreach @members;
	@members = ();
	return;
}

# ---- the run ----------------------------------------------------------------------------------------

my $last_crash = 0;
joins();
foreach my $step (1 .. $steps)
{
	my $dice = rand 100;

	joins() if !@members;
	if ($dice < 8) { joins() }
	elsif ($dice < 12) { dies() if @members > 1 }
	elsif ($dice < 42) { fetches() }
	elsif ($dice < 74) { acknowledges() }
	elsif ($dice < 84) { works_in_sql() }
	elsif ($dice < 98) { produces() }
	elsif ($step - $last_crash > 80) { crashes(); $last_crash = $step }
	last if @wrong > 10;
}
crashes();
is(join("\n", @wrong), '', 'the server does what the model says');
@wrong = ();

# Somebody accepts all that is left.
joins();
ok(poll_until(sub {
	my $asked = time;
	my $answer = $members[0]{member}->fetch(add => { $id => [ 0, 1 ] }, records => 500, wait => 100);

	if (!$answer || $answer->{error}) { @members = (); joins(); return 0 }
	takes($members[0], $answer, $asked);
	my %acks = map { my $p = $_; ($p => [ map { [ $_->[0], $_->[1], 1 ] } @{ $answer->{partitions}{$p}{acquired} } ]) }
	  grep { @{ $answer->{partitions}{$_}{acquired} // [] } } keys %{ $answer->{partitions} // {} };
	if (%acks)
	{
		$members[0]{member}->acknowledge(\%acks);
		ends($_, 'accepted') foreach grep { $records{$_}{who} eq $members[0]{name} } sort keys %records;
	}
	return sql(q{SELECT count(*) || ' ' || sum(lag) FROM pg_topic_share_groups}) eq '2 0' }), 'nothing is stuck')
  or diag(sql('SELECT * FROM pg_topic_share_groups'));
is(join("\n", @wrong), '', 'nor does anything come again');

my %dead;
$dead{$_}++ foreach split /\n/, sql(q{SELECT (headers->>'nack.partition') || ':' || (headers->>'nack.offset') FROM "jobs.dlq"});
is(join(' ', grep { $dead{$_} > 1 } sort keys %dead), '', 'nothing is in the dead-letter topic twice');
is(join(' ', grep { $records{$_}{end} && $records{$_}{end} eq 'accepted' && $dead{$_} } sort keys %records), '', 'nor is what was accepted');
is(join(' ', grep { ($records{$_}{end} // '') eq 'rejected' && !$dead{$_} } sort keys %records), '', 'all that was rejected is');
is(join(' ', grep { !$dead{$_} && ($records{$_}{end} // '') ne 'accepted' } split /\n/, sql(q{SELECT partition || ':' || record_offset FROM jobs})), '',
	'and all others are accepted');
note(join ', ', map { "$_: $count{$_}" } sort keys %count);
cmp_ok($count{deliveries} // 0, '>', $steps / 3, 'there was something to do');
done_testing();
