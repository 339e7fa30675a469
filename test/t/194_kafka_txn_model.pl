# Files under test: src/log/kafka_txn_map.c, src/wal/kafka_txn.c, src/wal/log_resolve.c, src/wal/log_redo.c.
# A random load of Kafka transactions and SQL producers against a model that does one thing after the
# other, with checkpoints, deletions, merging and kill -9.  Readers beside look with one snapshot each at all
# partitions, and at rows that were written by the same transactions.
#
# TOPIC_TEST_SEED repeats a run, TOPIC_TEST_ROUNDS makes it longer.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { PARTITIONS => 3, PRODUCERS => 6, STEPS => 40 };

my $seed = $ENV{TOPIC_TEST_SEED} // int(rand 2**31);
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'restart_after_crash = off', 'checkpoint_timeout = 1h', 'wal_keep_size = 256MB', 'pg_topics.log_retention_check_interval_ms = 1d' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics; CREATE TABLE done (value text, records int[])');
$node->safe_psql('postgres', q{SELECT create_topic('events', partitions => 3, config => '{"segment.bytes": 4096, "batch.merge.lag.ms": 0}')});
create_kafka_txn_probe($node);

# Values are "k<number>" of Kafka transactions, whose rows say how many records there are in each partition, and
# "s<number>".  A partition may show none of a transaction while an open one is in front of it, but never some.
# Transactions of which records were deleted are not looked at.
$node->safe_psql('postgres', q{
	CREATE TABLE deleted (value text);
	CREATE FUNCTION torn() RETURNS text LANGUAGE sql AS $$
		WITH found AS (SELECT value, partition, count(*) AS n FROM events WHERE value LIKE 'k%' GROUP BY value, partition),
			expected AS (SELECT value, partition, records[partition + 1] AS n FROM done, generate_series(0, 2) AS partition
				WHERE records[partition + 1] > 0),
			blocked AS (SELECT partition FROM visible_offsets('events') v JOIN pg_topic_partitions p USING (partition)
				WHERE p.topic = 'events'::regclass AND v.next_offset < p.log_end_offset)
		SELECT coalesce(string_agg(format('%s in %s: %s of %s', value, partition, f.n, e.n), ', '), 'whole')
		FROM found f FULL JOIN expected e USING (value, partition)
		WHERE f.n IS DISTINCT FROM e.n AND value NOT IN (SELECT value FROM deleted)
			AND NOT (f.n IS NULL AND partition IN (SELECT partition FROM blocked)) $$});
my $standby = start_standby($node, 'standby');

# ---- the model ---------------------------------------------------------------------------

my (%open, %sequence, %records, $session, @readers);
my ($next, $looks, $torn, $crashes) = (0, 0, '', 0);
my %committed;    # values

sub connect_session
{
	$session = open_session($node);
	$readers[0] = open_background($node, 'reader');
	$readers[1] //= open_background($standby, 'standby_reader');
	ask($_, 'SELECT torn();') foreach $readers[0], $readers[1]{asked}++ ? () : $readers[1];
	return;
}

# What a reader found, and let it look again, after something was done meanwhile.
sub hear
{
	my ($reader, $meanwhile) = @_;
	my $found = answer($reader);

	$looks++;
	$torn ||= "$reader->{name}: $found $reader->{err}" if $found ne 'whole';
	$meanwhile->() if $meanwhile;
	ask($reader, 'SELECT torn();');
	return;
}

# Ask for something until the sync process is there.
sub run
{
	my ($sql) = @_;
	my $answer;

	poll_until(sub { ($answer = $session->run($sql)) ne 'try again' }) or die "$sql: try again";
	return $answer;
}

# Append to a partition under the producer's number; returns the offset.
sub append_again
{
	my ($producer, $partition, $first, $values) = @_;
	my $list = join ',', map { "'$_'" } @$values;

	# one that is sent again must be the same batch
	return run("SELECT kafka_append('events', $partition, $open{$producer}{number}, $producer, 0, $first, 'key', ARRAY[$list], 1, true)");
}

sub step_append
{
	my ($producer) = @_;
	my $txn = $open{$producer} //= { number => run("SELECT kafka_begin($producer, 0)"), value => 'k' . ++$next, counts => [ (0) x PARTITIONS ] };
	my $partition = int(rand PARTITIONS);
	my $first = $sequence{"$producer $partition"} // 0;
	my @values = ($txn->{value}) x (1 + int(rand 3));
	my $answer = append_again($producer, $partition, $first, \@values);

	$answer =~ /^appended (\d+)$/ or die "$txn->{value}: $answer";
	$records{$partition}{ $1 + $_ } = $txn->{value} foreach 0 .. $#values;
	$txn->{counts}[$partition] += @values;
	$txn->{last} = [ $partition, $first, \@values, $1 ];
	$sequence{"$producer $partition"} = $first + @values;
	return;
}

sub step_end
{
	my ($producer) = @_;
	my $txn = delete $open{$producer} or return;
	my $row = "INSERT INTO done VALUES ('$txn->{value}', ARRAY[" . join(',', @{ $txn->{counts} }) . '])';
	my $end = "SELECT kafka_end($txn->{number}, true)";
	my $how = int(rand 10);

	if ($how < 3)
	{
		is_done(run("BEGIN; $row; $end; COMMIT"));
		$committed{ $txn->{value} } = 1;
	}
	elsif ($how < 6)
	{
		is_done(run("SET synchronous_commit = off; BEGIN; $row; $end; COMMIT; SET synchronous_commit = on"));
		$committed{ $txn->{value} } = 1;
	}
	elsif ($how == 6) { is_done(run("SELECT kafka_end($txn->{number}, false)")); }
	elsif ($how == 7) { is_done(run("BEGIN; $row; $end; ROLLBACK")); }
	elsif ($how == 8) { is_done(run("BEGIN; SAVEPOINT s; $row; $end; ROLLBACK TO s; COMMIT")); }
	else
	{
		# in one transaction with another one
		my ($other) = keys %open;

		is_done(run("BEGIN; $row; $end; " . (defined $other ? "SELECT kafka_end($open{$other}{number}, false); " : '') . 'COMMIT'));
		$committed{ $txn->{value} } = 1;
		delete $open{$other} if defined $other;
	}
	return;
}

sub is_done { $_[0] =~ /^done(?:\ndone)?$/ or die "the end: $_[0]"; return; }

sub step_sql
{
	my $value = 's' . ++$next;
	my $partition = int(rand PARTITIONS);
	my $aborts = rand() < 0.2;
	my $offset = run("BEGIN; SELECT produce('events', 'key', '$value', partition => $partition) < 0; SELECT base_offset FROM flush(); "
		. ($aborts ? 'ROLLBACK' : 'COMMIT'));

	$offset =~ /(\d+)$/ or die "flush: $offset";
	$records{$partition}{$1} = $value;
	$committed{$value} = 1 if !$aborts;
	return;
}

# A transaction of which records are deleted is not whole any more; it is noted before.  So what is deleted is what a
# statement shows, which stops before any part of a transaction, and not all up to an open one.  Nobody reads
# meanwhile, since an old snapshot may miss what is deleted.
sub step_delete
{
	my $partition = int(rand PARTITIONS);
	my $delete = sub {
		my $end = run("SELECT coalesce(max(record_offset) + 1, 0) FROM events WHERE partition = $partition") or return;

		run("INSERT INTO deleted SELECT DISTINCT value FROM events WHERE partition = $partition AND record_offset < $end");
		run("SELECT delete_records('events', $partition, $end)");
		$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
	};

	hear($readers[0], sub { hear($readers[1], $delete) });
	return;
}

# What a server that has come back must know of open transactions.
sub after_crash
{
	foreach my $producer (sort keys %open)
	{
		my $last = $open{$producer}{last} or next;
		my $state = $session->run("SELECT kafka_state($open{$producer}{number})");

		is($state, 'open', "$open{$producer}{value} is open after a crash") if $state ne 'open';
		my $again = append_again($producer, @$last[ 0 .. 2 ]);
		is($again, "duplicate $last->[3]", 'its last batch is known') if $again ne "duplicate $last->[3]";
	}
	return;
}

sub crash
{
	$crashes++;
	kill_all($node);
	$node->start;
	connect_session();
	run('SELECT kafka_begin(1000, 0) LIKE \'-%\'');
	run('SELECT kafka_end(number, false) FROM kafka_transactions() WHERE producer_id = 1000');
	after_crash();
	return;
}

# With all transactions ended: each partition shows what the model has, in its order.
sub check
{
	my ($round) = @_;
	my @wrong;

	step_end($_) foreach sort keys %open;
	foreach my $producer (sort keys %open) { is_done(run("SELECT kafka_end($open{$producer}{number}, false)")); delete $open{$producer}; }
	foreach my $partition (0 .. PARTITIONS - 1)
	{
		my $start = run("SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass AND partition = $partition");
		my $expected = join ' ', map { "$_:$records{$partition}{$_}" }
		  grep { $_ >= $start && $committed{ $records{$partition}{$_} } } sort { $a <=> $b } keys %{ $records{$partition} };
		my $seen = run("SELECT coalesce(string_agg(record_offset || ':' || value, ' ' ORDER BY record_offset), '') FROM events WHERE partition = $partition");

		push @wrong, "partition $partition: $seen\n  instead of $expected" if $seen ne $expected;
	}
	is("@wrong", '', "round $round: each partition has the records that were committed");
	return;
}

# ---- the run --------------------------------------------------------------------------------------

connect_session();
foreach my $round (1 .. $ENV{TOPIC_TEST_ROUNDS} // 6)
{
	foreach (1 .. STEPS)
	{
		my $what = int(rand 100);
		my $producer = 1 + int(rand PRODUCERS);

		$what < 45 ? step_append($producer) : $what < 65 ? step_end($producer) : $what < 85 ? step_sql()
		  : $what < 88 ? run('CHECKPOINT') : $what < 90 ? step_delete() : $what < 92 ? run(q{SELECT count(*) FROM merge_batches('events')})
		  : $what < 95 ? crash() : hear($readers[ int(rand 2) ]);
	}
	crash() if $round % 2 == 0;
	check($round);
}
hear($_) foreach @readers;
cmp_ok($looks, '>', 0, "$looks looks beside, $crashes crashes");
is($torn, '', 'found whole transactions only');
ok(poll_until(sub { run('SELECT count(*) FROM kafka_transactions()') == 0 }), 'all are forgotten');
$node->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'flush', '')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
my $all = q{SELECT string_agg(partition || ':' || record_offset || ':' || value, ' ' ORDER BY partition, record_offset) FROM events};
is($standby->safe_psql('postgres', $all), $node->safe_psql('postgres', $all), 'the standby has the same');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM kafka_transactions()'), 0, 'and has forgotten the same');
is($node->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('events')}), 0, 'the topic is sound');
$standby->stop;
$node->stop;
done_testing();
