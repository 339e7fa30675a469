# Hundreds of random histories of compacted topics against a model: what is
# left is what Kafka's rules leave, whatever was produced, taken back, compacted,
# deleted, erased and killed in between.  See test/perl/CompactionModel.pm.
#
# TOPIC_TEST_SEED repeats a run, TOPIC_TEST_HISTORIES asks for more of them, and TOPIC_TEST_SECONDS
# for as many as there is time for (test/run model MINUTES).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CompactionModel;
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $seconds = $ENV{TOPIC_TEST_SECONDS};
my $began = time;
my $histories = $ENV{TOPIC_TEST_HISTORIES} // ($seconds ? 1_000_000 : 800);
# what happens to the server happens to so many at once: five times four rounds by default
my $together = 160;
my $rounds = 4;
my $steps = 4;
my $sessions = 12;

srand($seed);
note("TOPIC_TEST_SEED=$seed TOPIC_TEST_HISTORIES=$histories");

# killed processes lose nothing that was written, so fsync would only cost time
my $node = new_node('main', settings => [
	'fsync = off', 'pg_topics.sync_interval = 1ms', 'pg_topics.batch_size = 1kB', 'pg_topics.max_partitions = 4000',
	'client_min_messages = warning', 'max_wal_size = 4GB',
	'pg_topics.log_cleaner_enable = off', 'pg_topics.log_cleaner_backoff_ms = 50' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	-- all there is to know of some topics
	CREATE FUNCTION look(topics text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
	DECLARE name text;
	BEGIN
		RETURN QUERY
			SELECT concat_ws('|', 'bounds', topic, partition, log_start_offset, log_end_offset)
			FROM pg_topic_partitions WHERE topic = ANY (topics::regclass[]);
		FOREACH name IN ARRAY topics LOOP
			RETURN QUERY EXECUTE format($sql$
				SELECT concat_ws('|', 'record', %1$L, partition, record_offset,
					(extract(epoch FROM record_timestamp) * 1000)::bigint, key,
					coalesce(value, '~'), coalesce(headers::text, '~')) FROM %1$I
				UNION ALL
				SELECT concat_ws('|', 'latest', %1$L, partition, key, record_offset, value) FROM latest(NULL::%1$I)
			$sql$, name);
		END LOOP;
	END $$;
});

# What this server offers beyond producing and compacting.
my %offered = map { $_ => 1 } 'alter', 'truncate', 'dry_run',
  split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_proc WHERE proname IN ('apply_retention', 'delete_records', 'erase')});

my $clock = 0;
my %count = map { $_ => 0 } qw(histories with_worker steps looks crashes failures records removed);

sub names { return join ', ', map { "'$_->{name}'" } @_; }

# The time that the server's maintenance has now.
sub now { return int(time * 1000) + $clock; }

# What the server has of these topics: name => partition => as compare() takes it.
sub look
{
	my (@topics) = @_;
	my %seen;

	foreach my $line (split /\n/, $node->safe_psql('postgres', "SELECT look(ARRAY[@{[ names(@topics) ]}])"))
	{
		my ($what, $name, $number, @rest) = split /\|/, $line, -1;
		my $partition = $seen{$name}{$number} //= { start => 0, end => 0, order => [], records => {}, latest => {} };

		($partition->{start}, $partition->{end}) = @rest if $what eq 'bounds';
		$partition->{latest}{ $rest[0] } = [ @rest[ 1, 2 ] ] if $what eq 'latest';
		next unless $what eq 'record';
		my $offset = shift @rest;
		push @{ $partition->{order} }, $offset;
		$partition->{records}{$offset} = \@rest;
	}
	$count{looks} += @topics;
	return \%seen;
}

# Compare; a topic that went wrong is reported with its history.
sub check
{
	my ($seen, $when, @topics) = @_;

	foreach my $topic (@topics)
	{
		my @wrong = $topic->compare($seen->{ $topic->{name} } // {}, now());

		next unless @wrong;
		next if $count{failures}++ >= 3;
		fail("$topic->{name} $when");
		diag($_) foreach @wrong;
		diag("its history:\n" . join('', @{ $topic->{sql} }));
	}
	return;
}

# Steps of all topics, mixed but each topic's in its order: a list of [topic, step].
sub make_steps
{
	my ($most, @topics) = @_;

	return map { [ $_, undef ] } shuffle(map { ($_) x (1 + int(rand($most))) } @topics);
}

# Do steps, a topic's all in one of some sessions, each acknowledged by a line.
# "during" is called meanwhile and may kill the server.  Returns the time before
# and after; items become [topic, step, what erase() may tell,
# done or interrupted?].
sub do_steps
{
	my ($work, $offered, $during) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $from = now();
	my (%session, @items, @runs);

	foreach my $item (@$work)
	{
		my ($topic, $step) = @$item;
		my $number = $session{ $topic->{name} } //= keys(%session) % $sessions;

		# what a step is may depend on what the ones before it did
		$item->[1] = $step //= $topic->step($offered);
		$topic->maybe_worked($from + 60_000);
		$item->[2] = [ $topic->count_key($step->{key}) ] if $step->{kind} eq 'erase';
		$topic->apply($step, $from, $from + 60_000) unless $during;
		push @{ $items[$number] }, $item;
	}
	foreach my $number (0 .. $#items)
	{
		my $place = 0;

		append_to_file("$directory/$number.sql", join '', "SET pg_topics.clock_offset = $clock;\n",
			map { $_->[0]->sql_of($_->[1]) . "\\echo done " . ++$place . "\n" } @{ $items[$number] });
		push @runs, start_psql($node, "$directory/$number.sql", "$directory/$number.out");
	}
	$during->() if $during;
	$_->finish foreach @runs;
	take_answers($items[$_], "$directory/$_.out", $during) foreach 0 .. $#items;
	return ($from, now());
}

# What one session said of its steps.
sub take_answers
{
	my ($items, $file, $killed) = @_;
	my $out = slurp_file($file);
	my $done = ($out =~ /.*^done (\d+)$/ms)[0] // 0;
	my @told = $out =~ /^erased\|(\w+\|\d+)$/mg;

	$count{steps} += $done;
	$_->[3] = 'done' foreach @$items[ 0 .. $done - 1 ];
	$items->[$done][3] = 'interrupted' if $killed && $done < @$items;
	if (!$killed && $done < @$items)
	{
		my ($topic, $step) = @{ $items->[$done] };

		fail("$step->{kind} on $topic->{name}: " . slurp_file("$file.err"));
		diag("its history:\n" . join('', @{ $topic->{sql} }));
		BAIL_OUT('the other steps were not done');
	}
	foreach my $item ($killed ? () : grep { $_->[2] } @$items)
	{
		my ($name, $told) = split /\|/, shift @told;
		my ($least, $most) = @{ $item->[2] };

		next if $told >= $least && $told <= $most;
		next if $count{failures}++ >= 3;
		fail("erase() on $name tells $told, should be $least to $most");
		diag("its history:\n" . join('', @{ $item->[0]{sql} }));
	}
	return;
}

# Steps with the server killed in the midst of them.
sub crash
{
	my (@topics) = @_;
	my @work = make_steps($steps, @topics);
	my ($from, $to) = do_steps(\@work,
		{ %offered, alter => 0, truncate => 0, apply_retention => 0, delete_records => 0, dry_run => 0 },
		sub { usleep(rand(1_500_000)); kill_all($node); });
	my @interrupted;

	$count{crashes}++;
	$node->start;
	foreach my $item (@work)
	{
		my ($topic, $step, undef, $how) = @$item;

		$topic->apply($step, $from, $to) if ($how // '') eq 'done';
		push @interrupted, $item if ($how // '') eq 'interrupted';
	}
	end_prepared_as_rollback();
	my $seen = look(@topics);
	$_->apply_crash($seen->{ $_->{name} } // {}) foreach @topics;
	$_->[0]->apply_interrupted($_->[1], $seen->{ $_->[0]{name} } // {}, $from, $to) foreach @interrupted;
	check($seen, "after a crash", @topics);
	return;
}

# A transaction that the crash has left prepared.
sub end_prepared_as_rollback
{
	$node->safe_psql('postgres', "ROLLBACK PREPARED '$_'")
	  foreach split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');
	return;
}

# Nobody produces and all transactions' outcomes are known: what compaction
# leaves is known exactly.
sub compact_exactly
{
	my (@topics) = @_;

	wait_resolved($node);
	foreach my $pass (1 .. 1 + int(rand(2)))
	{
		my @work = map { [ $_, { kind => 'whole', sql => "SELECT count(*) FROM compact('$_->{name}');\n" } ] } @topics;
		my ($from, $to) = do_steps(\@work);

		$_->whole_pass($from, $to) foreach @topics;
	}
	check(look(@topics), 'after a compaction of all', @topics);
	return;
}

# Have the maintenance worker compact as well, or not.
sub set_worker
{
	my ($on, @topics) = @_;

	$node->safe_psql('postgres', 'ALTER SYSTEM SET pg_topics.log_cleaner_enable = ' . ($on ? 'on' : 'off'));
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('pg_topics.log_cleaner_enable')", $on ? 'on' : 'off')
	  or die 'the setting does not change';
	foreach my $topic ($on ? @topics : ())
	{
		$topic->{worker_since} = int(time * 1000);
	}
	$count{with_worker} += @topics if $on;
	return;
}

for (my $first = 1; $first <= $histories && !$count{failures} && !($seconds && time > $began + $seconds); $first += $together)
{
	my @topics = map { CompactionModel->new("t$_", now()) } $first .. $first + $together - 1;

	set_worker(rand() < 0.4, @topics);

	$node->safe_psql('postgres', join '', map { $_->create_sql } @topics);
	push @{ $_->{sql} }, $_->create_sql foreach @topics;
	foreach my $round (1 .. $rounds)
	{
		my @work = make_steps($steps, @topics);

		# also time enough for delete horizons to pass
		$clock += CompactionModel::pick(0, 0, 1_800_000, 7_200_000, 100_000_000);
		do_steps(\@work, \%offered);
		if (rand() < 0.3)
		{
			check(look(@topics), 'after steps', @topics);
			crash(@topics);
		}
		elsif (rand() < 0.5)
		{
			rand() < 0.5 ? $node->restart : $node->safe_psql('postgres', 'CHECKPOINT');
		}
		check(look(@topics), 'after steps', @topics);
		compact_exactly(grep { rand() < 0.5 } @topics);
	}
	$count{records} += $_ foreach map { scalar keys %{ $_->{records} } } map { @{ $_->{partitions} } } @topics;
	$count{removed} += $_ foreach map { $_->{end} - keys %{ $_->{records} } } map { @{ $_->{partitions} } } @topics;
	$count{histories} += @topics;
	$node->safe_psql('postgres', 'DROP FOREIGN TABLE ' . join(', ', map { $_->{name} } @topics));
	note(join ', ', map { "$count{$_} $_" } sort keys %count);
}

is($count{failures}, 0, "$count{histories} histories are as the model has them (TOPIC_TEST_SEED=$seed)");
cmp_ok($count{removed}, '>', $count{records}, 'compaction removed more records than it left');
cmp_ok($count{crashes}, '>', 0, 'the server crashed in the middle of some histories');
done_testing();
