#!/usr/bin/env perl
# Files under test: src/broker/transactions/txn_request.c, txn_coordinator.c, txn_expiry.c, txn_timeout.c, txn_offset_commit.c,
# list_transactions.c, describe_transactions.c, write_txn_markers.c, src/broker/offsets/pending_offset.c, src/wal/kafka_txn.c.
# Any allocation may fail while transactions begin and end, by their clients, administrators and timeouts: the process goes on,
# each request is answered or its connection closed, and of each transaction all is there or nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use AllocationFailures;
use KafkaClient;
use KafkaOffsets;
use KafkaServer;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my ($node, $port) = start_kafka_server('log_min_messages = warning', 'max_worker_processes = 20',
	'pg_topics.kafka_transactional_id_expiration = 1s');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('t', partitions => 2);
	GRANT SELECT, INSERT ON t TO app});


wait_for_listener() or die 'nobody listens';
my $worker = listener($node);
my ($transactions, $ended, $refused) = (0, 0, 0);
my %committed;	# those that were acknowledged

# A transaction of a transactional id of its own.  Undefined where the connection is closed.
sub transaction
{
	my ($client, $commit, $new) = @_;
	my $n = ++$transactions;
	my ($error, $id, $epoch) = init_transactions($client, "t$n", timeout => rand() < 0.3 ? 1 : 60000) or return undef;

	return 1 if $error;
	if (!$new)
	{
		my $begun = begin_transaction($client, "t$n", $id, $epoch, { t => [ 0, 1 ] });

		return $begun eq 'closed' ? undef : 1 if $begun ne '0';
	}
	foreach my $partition (0, 1)
	{
		my $answer = transactional_produce($client, "t$n", $id, $epoch, 't', $partition, 0, ["$n"], version => $new ? 12 : 11);

		return undef if $answer eq 'closed';
		# its client would abort it now, or never comes again
		if ($answer !~ /^0 /)
		{
			$refused++;
			$commit = 0;
		}
	}
	if (rand() < 0.5)
	{
		my $answer = add_offsets($client, "t$n", $id, $epoch, 'g');

		return undef if $answer eq 'closed';
		$answer = commit_in_transaction($client, "t$n", $id, $epoch, "g$n", { t => { 0 => $n, 1 => $n } }, version => $new ? 5 : 4);
		return undef if $answer eq 'closed';
		$commit = 0 if $answer ne '0';
	}
	return 1 if rand() < 0.2;
	if (rand() < 0.1)
	{
		return write_markers($client, $id, $epoch, 0, 't', 0) eq 'closed' ? undef : 1;
	}
	my @answer = end_transaction($client, "t$n", $id, $epoch, $commit, version => $new ? 5 : 4) or return undef;
	$ended++ if $answer[0] == 0;
	$committed{$n} = 1 if $commit && $answer[0] == 0;
	return 1;
}

my @load = (
	(sub { return transaction($_[0], 1, 1) }) x 3,
	(sub { return transaction($_[0], 1, 0) }) x 3,
	sub { return transaction($_[0], 0, int(rand(2))) },
	sub { my @answer = list_transactions($_[0], pattern => 't[0-9]+', states => ['Ongoing']); return @answer ? 1 : undef },
	sub { my @answer = describe_transactions($_[0], map { 't' . int(rand($transactions + 1)) } 1 .. 3); return @answer ? 1 : undef },
);

my $closed = let_allocations_fail($node, $port, load => \@load, first => 50, within => 1000, rounds => 80);

note("$transactions transactions, of which $ended ended; $closed connections were closed, $refused batches refused, " . keys(%committed) . ' commits acknowledged');

# what nobody has ended: its administrator does, before its time is over
ok(poll_until(sub {
	# one may have gone meanwhile
	$node->psql('postgres', q{SELECT abort_kafka_transaction(transactional_id) FROM pg_kafka_transactions WHERE state = 'open'});
	sql(q{SELECT count(*) FROM topic_kafka_transactional_ids}) eq '0';
}), 'all transactional ids end, and expire');
is(sql('SELECT count(*) FROM topic_kafka_pending_offsets'), 0, 'no pending offsets are left');
my %seen = map { split /\|/, $_ } split /\n/, sql(q{SELECT value, count(*) FROM t GROUP BY value});
is(join(' ', grep { $seen{$_} != 2 } sort keys %seen), '', 'of no transaction there is a half');
is(join(' ', grep { !$seen{$_} } sort keys %committed), '', 'those that were acknowledged are there');
is(sql(q{SELECT count(*) FROM topic_group_offsets o WHERE group_id ~ '^g[0-9]+$' AND NOT EXISTS (SELECT FROM t WHERE 'g' || value = group_id)}), 0,
	'no offsets without the records');
is(sql("SELECT count(*) FROM pg_locks WHERE pid = $worker AND NOT fastpath AND locktype = 'relation'"), 0, 'no lock is left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
