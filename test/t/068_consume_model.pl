# Files under test: src/consume/consume_scan.c, src/consume/consume_live.c, src/consume/consume_node.c,
# src/group/group_position.c.
# Random transactions that consume by LIMIT, cursors, joins and functions, with savepoints, against
# a model: a group gets each record of a partition once and in order, from where it stands, which
# is behind the last record that was fetched and neither rolled back nor, without auto_commit,
# left uncommitted.
#
# TOPIC_TEST_SEED repeats a run, TOPIC_TEST_HISTORIES asks for more transactions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $histories = $ENV{TOPIC_TEST_HISTORIES} // 150;
my $steps = 20;
my @partitions = (0 .. 2);
my $records = 60;				# of each partition

srand($seed);
note("TOPIC_TEST_SEED=$seed TOPIC_TEST_HISTORIES=$histories");

my $node = new_node('main', settings => [ 'fsync = off', 'client_min_messages = error' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE numbers AS SELECT generate_series(0, 2) AS n;
	-- a loop, each third step of which fails and is rolled back
	CREATE FUNCTION looped(call text) RETURNS TABLE (partition int, record_offset bigint) LANGUAGE plpgsql AS $$
	DECLARE n int := 0;
	BEGIN
		FOR partition, record_offset IN EXECUTE call LOOP
			n := n + 1;
			BEGIN
				IF n % 3 = 0 THEN RAISE 'no'; END IF;
			EXCEPTION WHEN raise_exception THEN NULL;
			END;
			RETURN NEXT;
		END LOOP;
	END $$;
});

# ---- the groups --------------------------------------------------------------

# auto: auto_commit; manual: commit_offsets(); member: a lease, whose position lasts
my %extra = (auto => '', manual => ', auto_commit => false', member => q{, member_id => 'm', lease => '1 hour'});

# where each group reads on, and what it has committed: {group}[partition]
my (%next, %committed);

sub copy { my ($of) = @_; return { map { $_ => [ @{ $of->{$_} } ] } keys %$of }; }

# A call of consume() for a group; "more" is added to max_records.
sub call
{
	my ($group, $more) = @_;
	my $max = 1 + int(rand 40) . ($more // '');
	my $member = $group eq 'member';
	my $chosen = !$member && rand() < 0.2 ? ", partitions => ARRAY[" . int(rand 3) . ']' : '';
	return "consume('events', '$group', $max$extra{$group}$chosen)";
}

# ---- a history ----------------------------------------------------------------

# A statement of a transaction: [sql, group or savepoint, kind], where kind says what the model
# makes of it.
sub random_step
{
	my ($state) = @_;
	my $group = (sort keys %extra)[ rand 3 ];
	my $call = call($group);
	my $columns = 'partition, record_offset';
	my $dice = rand 100;

	if ($dice < 9)
	{
		my $name = 'c' . ++$state->{cursors};
		my $scroll = rand() < 0.2 ? 'SCROLL ' : '';
		push @{ $state->{open} }, { name => $name, group => $group, scroll => $scroll };
		return [ "DECLARE $name ${scroll}CURSOR FOR SELECT $columns FROM $call", $group, 'none' ];
	}
	if ($dice < 48 && @{ $state->{open} })
	{
		my $cursor = $state->{open}[ rand @{ $state->{open} } ];
		my $many = rand() < 0.1 ? 'ALL' : 1 + int(rand 5);
		return [ "FETCH $many FROM $cursor->{name}", $cursor->{group}, 'rows' ];
	}
	if ($dice < 51 && @{ $state->{open} })
	{
		my $cursor = splice @{ $state->{open} }, rand @{ $state->{open} }, 1;
		return [ "CLOSE $cursor->{name}", $cursor->{group}, 'none' ];
	}
	return [ "SELECT $columns FROM $call LIMIT " . (1 + int(rand 6)), $group, 'rows' ] if $dice < 58;
	return [ "SELECT $columns FROM $call WHERE record_offset >= 0 ORDER BY 1, 2", $group, 'rows' ] if $dice < 61;
	return [ "SELECT (c).partition, (c).record_offset FROM (SELECT $call AS c OFFSET 0) s", $group, 'rows' ] if $dice < 64;
	return [ "SELECT c.partition, c.record_offset FROM numbers, LATERAL (SELECT $columns FROM " . call($group, ' + n') . ' LIMIT 2) c', $group, 'rows' ] if $dice < 67;
	return [ "SELECT $columns FROM looped(\$\$ SELECT $columns FROM $call \$\$)", $group, 'rows' ] if $dice < 70;
	if ($dice < 80)
	{
		my $name = 's' . ++$state->{savepoints};
		push @{ $state->{saved} }, $name;
		return [ "SAVEPOINT $name", $name, 'save' ];
	}
	if ($dice < 91 && @{ $state->{saved} })
	{
		my $name = $state->{saved}[ rand @{ $state->{saved} } ];
		pop @{ $state->{saved} } while $state->{saved}[-1] ne $name;
		return [ "ROLLBACK TO $name", $name, 'back' ];
	}
	if ($dice < 93 && @{ $state->{saved} })
	{
		my $name = $state->{saved}[ rand @{ $state->{saved} } ];
		pop @{ $state->{saved} } while @{ $state->{saved} } && $state->{saved}[-1] ne $name;
		pop @{ $state->{saved} };
		return [ "RELEASE $name", $name, 'release' ];
	}
	return [ "SELECT commit_offsets('events', 'manual')", 'manual', 'commit' ] if $dice < 95;
	return [ "SELECT commit_offsets('events', 'member', 'm')", 'member', 'commit' ] if $dice < 97;
	# what is settled for others must not change what a cursor gives
	return [ "SELECT alter_group_owner('events', 'auto', current_user)", 'auto', 'none' ];
}

# Run a transaction's statements in psql; returns for each one its SQLSTATE and rows.
sub run
{
	my ($on_error_rollback, @steps) = @_;
	my $script = "\\set ON_ERROR_ROLLBACK " . ($on_error_rollback ? 'on' : 'off') . "\n";
	my (@results, $stdout, $stderr);
	for my $i (0 .. $#steps)
	{
		$script .= "\\echo >$i\n$steps[$i][0];\n\\echo <:SQLSTATE\n";
	}
	$node->psql('postgres', $script, stdout => \$stdout, stderr => \$stderr, on_error_stop => 0,
		extra_params => ['-At']);
	for my $part (split /^>\d+\n/m, $stdout)
	{
		next unless $part =~ s/^<(\w+)\n?\z//m;
		push @results, { state => $1, rows => [ map { [ split /\|/ ] } grep { /^\d+\|\d+$/ } split /\n/, $part ] };
	}
	return @results;
}

my $failures = 0;

sub complain
{
	my ($history, $steps, $i, $what) = @_;
	return if $failures++ > 3;
	fail("history $history, step $i: $what");
	diag(join("\n", map { $_->[0] } @$steps));
}

# Judge the rows of a statement: each is the next record of its partition.
sub judge_rows
{
	my ($next, $group, $rows) = @_;
	for my $row (@$rows)
	{
		my ($partition, $offset) = @$row;
		my $wanted = $next->{$group}[$partition];
		return "group $group got $offset of partition $partition instead of $wanted" if $offset != $wanted;
		$next->{$group}[$partition]++;
	}
	return undef;
}

# Whether the statement may have failed so: 24000: the cursor cannot go on; 34000, 55000: it is
# closed, or has failed; 25P02: the transaction has; 3B001: the savepoint is gone.
sub may_fail { return $_[0] =~ /^(24000|34000|55000|25P02|3B001)$/; }

# Go through a transaction's statements; returns where the groups stand and what they have committed.
sub judge
{
	my ($history, $steps, $results) = @_;
	my ($now, $done) = (copy(\%next), copy(\%committed));
	my (%saved, $alive);

	for my $i (0 .. $#$steps)
	{
		my ($sql, $name, $kind) = @{ $steps->[$i] };
		my ($sqlstate, $rows) = @{ $results->[$i] }{qw(state rows)};

		if ($sqlstate ne '00000')
		{
			complain($history, $steps, $i, "$sql fails with $sqlstate") unless may_fail($sqlstate);
			next;
		}
		if ($kind eq 'rows' && defined(my $problem = judge_rows($now, $name, $rows)))
		{
			complain($history, $steps, $i, "$sql: $problem");
		}
		$saved{$name} = [ copy($now), copy($done) ] if $kind eq 'save';
		($now, $done) = map { copy($_) } @{ $saved{$name} } if $kind eq 'back';
		$done->{$name} = [ @{ $now->{$name} } ] if $kind eq 'commit';
		$alive = 1 if $kind eq 'alive';
	}
	return $alive ? ($now, $done) : (copy(\%next), copy(\%committed));
}

# Where the groups stand according to the table: what they have committed, and the member's position.
sub stands
{
	my %stands = map { $_ => [ map { [ 0, 0 ] } @partitions ] } keys %extra;
	for my $row (split /\n/, $node->safe_psql('postgres', q{
		SELECT group_id, partition, coalesce(committed_offset, 0), coalesce(position, committed_offset, 0)
		FROM topic_group_offsets WHERE topic = 'events'::regclass}))
	{
		my ($group, $partition, @offsets) = split /\|/, $row;
		$stands{$group}[$partition] = \@offsets;
	}
	return \%stands;
}

sub play
{
	my ($history) = @_;
	my $state = { open => [], saved => [], cursors => 0, savepoints => 0 };
	my $commits = rand() < 0.75;
	my @steps = ([ 'BEGIN', '', 'none' ], (map { random_step($state) } 1 .. $steps),
		[ 'SELECT 1', '', $commits ? 'alive' : 'none' ], [ $commits ? 'COMMIT' : 'ROLLBACK', '', 'none' ]);
	my @results = run(rand() < 0.4, @steps);

	return complain($history, \@steps, 0, 'has not run') if @results != @steps;
	my ($now, $done) = judge($history, \@steps, \@results);
	%committed = (%$done, auto => [ @{ $now->{auto} } ]);
	%next = (%{ copy(\%committed) }, member => $now->{member});

	my $stands = stands();
	for my $group (sort keys %extra)
	{
		for my $partition (@partitions)
		{
			my ($offset, $position) = @{ $stands->{$group}[$partition] };
			complain($history, \@steps, 'end', "group $group has committed $offset of partition $partition instead of $committed{$group}[$partition]")
			  if $offset != $committed{$group}[$partition];
			complain($history, \@steps, 'end', "the member stands at $position of partition $partition instead of $next{member}[$partition]")
			  if $group eq 'member' && $position != $next{member}[$partition];
		}
	}
}

# ---- the test ----------------------------------------------------------------

# New groups and a new log now and then: else all is consumed soon.
sub begin_anew
{
	$node->safe_psql('postgres', qq{
		DROP FOREIGN TABLE IF EXISTS events;
		SELECT create_topic('events', partitions => 3);
		INSERT INTO events (partition, key, value) SELECT p, n, n FROM generate_series(0, 2) p, generate_series(1, $records) n;
		SELECT seek_to_beginning('events', 'auto'), seek_to_beginning('events', 'manual')});
	%next = map { $_ => [ map { 0 } @partitions ] } keys %extra;
	%committed = %{ copy(\%next) };
	# the member joins with its first record
	my ($partition) = split /\|/, $node->safe_psql('postgres', "SELECT partition FROM consume('events', 'member', 1$extra{member})");
	$next{member}[$partition]++;
}

for my $history (1 .. $histories)
{
	begin_anew() if $history % 6 == 1;
	play($history);
	last if $failures;
}
is($failures, 0, "$histories random transactions have consumed what they fetched");

# nothing was lost: the rest is there
for my $group (sort keys %extra)
{
	last if $failures;
	my @left = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres',
		"SELECT partition, record_offset FROM consume('events', '$group', 1000$extra{$group})");
	is(judge_rows(\%next, $group, \@left), undef, "group $group goes on where it stands");
	is_deeply($next{$group}, [ map { $records } @partitions ], "and gets the rest");
}

$node->stop;
done_testing();
