# Files under test: src/consume/seek.c, src/group/kafka_claim.c.
# Clients of Kafka's that are members of a group and write what comes of the records to tables of the same database: they commit their
# offsets in the same transaction in SQL, in the name of their members, and so each record is worked on exactly once.  Members are
# held up, killed and replaced in the midst of it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use KafkaServer;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

# Steps of the random part, and records in each of the three partitions.
use constant { STEPS => $ENV{TOPIC_TEST_ROUNDS} // 200, RECORDS => 200 };

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 0',
	'pg_topics.kafka_group_min_session_timeout = 500',
	'pg_topics.kafka_group_consumer_session_timeout = 1000');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	CREATE TABLE sink (partition int, record_offset bigint);
	SELECT create_topic('events', partitions => 3);
	GRANT SELECT ON events TO app, other; GRANT ALL ON sink TO app});
sql('INSERT INTO events (partition, value) SELECT i % 3, i FROM generate_series(0, ' . (3 * RECORDS - 1) . ') i');
wait_for_listener() or die;
my $client = client();

sub session { my $session = open_session($node); $session->run('SET ROLE app'); return $session }

# What is committed in a partition of a group; 0 where nothing is.
sub committed
{
	my ($group, $partition) = @_;
	my ($offset) = split ' ', fetched($client, $group, 'events', $partition);

	return $offset < 0 ? 0 : $offset;
}

# What a client does with records of a partition that it has read: the statements of a transaction.
sub work
{
	my ($group, $member, $partition, $from, $to) = @_;

	return "INSERT INTO sink SELECT partition, record_offset FROM events WHERE partition = $partition AND record_offset >= $from AND record_offset < $to; "
		. "SELECT commit_offset('events', '$group', $partition, $to, member_id => 'kafka:$member')";
}

my $refused = qr/ERROR:  partition \d of topic "events" is not assigned to Kafka member/;

# ---- a member of the classic protocol ----------------------------------------------------

my $member = KafkaMember->new($port, 'classic', topics => ['events'], session => 30000);
is((form_group('events', 3, $member))[0], 'events-0 events-1 events-2', 'a client is a member of a group');
my $id = $member->{member};
my $session = session();
$session->run('BEGIN; ' . work('classic', $id, 0, 0, 10) . '; COMMIT');
is(committed('classic', 0), 10, 'it commits in SQL');
$session->run('BEGIN; ' . work('classic', $id, 0, 10, 20));
is(committed('classic', 0), 10, 'which counts when the transaction does');
is(heartbeat($member->client, 'classic', member => $id, generation => $member->{generation}), 0, 'meanwhile it is served');
$session->run('ROLLBACK');
is(committed('classic', 0), 10, 'and not otherwise');
is(sql('SELECT count(*) FROM sink'), 10, 'like the rows');
is(commit_error($member->client, 'classic', 'events', 1, 5, member => $id, generation => $member->{generation}), 0, 'it may commit by its own protocol, too');
$session->run(q{SELECT commit_offset('events', 'classic', 1, 6, 'as of today', 'kafka:} . $id . q{')});
is(fetched($client, 'classic', 'events', 1), '6 as of today -1', 'with metadata');
is(sql(q{SELECT string_agg(DISTINCT member_id, ' ') FROM pg_topic_groups WHERE group_id = 'classic'}), $id, 'its partitions stay its own');
is($session->run(q{SELECT commit_offset('events', 'classic', partition, 7, member_id => 'kafka:' || member_id) FROM pg_topic_groups
	WHERE group_id = 'classic' AND partition = 2}), '', 'the view has its name');
like($session->fails(q{SELECT commit_offset('events', 'classic', 0, 11, member_id => 'kafka:somebody')}), $refused, 'another name is refused');
like($session->fails(q{SELECT commit_offset('events', 'none', 0, 11, member_id => 'kafka:somebody')}), qr/$refused.*It is assigned to no Kafka client/s,
	'as is one of a group without members');
like($session->fails(q{SELECT commit_offset('events', 'classic', 0, 11)}), qr/in use by Kafka clients/, 'and who has no name');
like($session->fails(qq{SELECT commit_offset('events', 'classic', 0, 201, member_id => 'kafka:$id')}), qr/past the end/, 'an offset that is not there');
like($session->fails(qq{SET ROLE other; SELECT commit_offset('events', 'classic', 0, 11, member_id => 'kafka:$id')}), qr/permission denied|must be/,
	'another role');
$session->run('SET ROLE app');

# a second member: the partition that a transaction has is not given away before its end
$session->run('BEGIN; ' . join('; ', map { work('classic', $id, $_, committed('classic', $_), 20) } 0 .. 2));
my $second = KafkaMember->new($port, 'classic', topics => ['events'], session => 30000);
$second->send_join_generation;
poll_until(sub { $member->heartbeat_error == 27 }) or die 'no rebalance';
$member->send_join_generation;
is($_->read_join_generation, 0, 'the group rebalances') foreach $member, $second;
$_->send_sync_generation('events', 3) foreach sort { $a->leads <=> $b->leads } $member, $second;
is(fetched($client, 'other', 'events', 0), '-1  -1', 'others are served');
ok(!$second->client->is_readable, 'a member is not told of a partition while a transaction has it');
$session->run('COMMIT');
my %has = map { $_->{member} => $_->read_sync_generation } $member, $second;
my ($lost) = $has{ $second->{member} } =~ /events-(\d)/;
is(committed('classic', $lost), 20, 'and then begins where that has ended');
like($session->fails('BEGIN; ' . work('classic', $id, $lost, 20, 30)), qr/$refused.*assigned to member "\Q$second->{member}\E"/s,
	'who has lost it cannot commit, and is told whose it is');
$session->run('ROLLBACK; BEGIN; ' . work('classic', $second->{member}, $lost, 20, 30) . '; COMMIT');
is(committed('classic', $lost), 30, 'who has got it can');
is(sql('SELECT count(*), count(DISTINCT (partition, record_offset)) FROM sink'), sql(q{SELECT sum(committed_offset) - 13, sum(committed_offset) - 13
	FROM pg_topic_groups WHERE group_id = 'classic'}), 'each record was worked on once, but those that were passed over');

# ---- members of the newer protocol, that come, stop and die -------------------------------

sql('TRUNCATE sink');
my ($born, $held, %did) = (0, undef);

sub new_sink
{
	my $name = 'm' . $born++;

	return { name => $name, session => session(), at => {},
		member => KafkaHeartbeat->new(\&client, group => 'new', member => $name, names => ['events']) };
}

# A heartbeat; the sink goes on where its group is in partitions that it has got.
sub beat
{
	my ($sink) = @_;

	$sink->{member}->beat;
	my %owned = map { $_ => 1 } map { @$_ } values %{ $sink->{member}{owned} };

	delete $sink->{at}{$_} foreach grep { !$owned{$_} } keys %{ $sink->{at} };
	$sink->{at}{$_} //= committed('new', $_) foreach keys %owned;
	return;
}

# End the one transaction that was left open.
sub end_held
{
	my ($how) = @_;

	return if !$held;
	my ($sink, $partition, $to) = @$held;

	$held = undef;
	$sink->{session}->run($how // 'COMMIT');
	$sink->{at}{$partition} = $to if !$how && defined $sink->{at}{$partition};
	return;
}

# Work on some records of a partition, as the sink believes to be right: commit, roll back, or leave it open.
sub go_on_with
{
	my ($sink, $end) = @_;
	my @partitions = grep { $sink->{at}{$_} < RECORDS } keys %{ $sink->{at} };

	end_held();
	return if !@partitions;
	my $partition = $partitions[ rand @partitions ];
	my $from = $sink->{at}{$partition};
	my $to = $from + 1 + int rand 20;

	$to = RECORDS if $to > RECORDS;
	my (undef, $error) = $sink->{session}->both('BEGIN; ' . work('new', $sink->{name}, $partition, $from, $to));
	if ($error ne '')
	{
		die $error if $error !~ $refused;
		$sink->{session}->run('ROLLBACK');
		delete $sink->{at}{$partition};
		return $did{'refused'}++;
	}
	if ($end eq 'hold')
	{
		$held = [ $sink, $partition, $to ];
		return $did{'held'}++;
	}
	$sink->{session}->run($end);
	$sink->{at}{$partition} = $to if $end eq 'COMMIT';
	return $did{ lc $end }++;
}

# It is gone at once, in the midst of a transaction or not.
sub kill_sink
{
	my ($sink) = @_;

	$held = undef if $held && $held->[0] == $sink;
	my $pid = $sink->{session}->run('SELECT pg_backend_pid()');
	sql("SELECT pg_terminate_backend($pid, 10000)");
	$sink->{session}{run}->kill_kill;
	$sink->{member}->client->close;
	$did{'killed'}++;
	return;
}

my @sinks = map { new_sink() } 0 .. 1;
my @asleep;
poll_until(sub { $sinks[0]{member}->beat->{error} != 14 });
foreach my $step (1 .. STEPS)
{
	my $n = int rand @sinks;
	my $what = rand;

	beat($_) foreach @sinks;
	if ($what < 0.6)
	{
		go_on_with($sinks[$n], rand() < 0.8 ? 'COMMIT' : 'ROLLBACK');
	}
	elsif ($what < 0.8)
	{
		go_on_with($sinks[$n], 'hold');
	}
	elsif ($what < 0.85)
	{
		kill_sink($sinks[$n]);
		$sinks[$n] = new_sink();
	}
	elsif ($what < 0.92 && !@asleep)
	{
		# it is held up, and does not know that it is out
		push @asleep, $sinks[$n];
		$sinks[$n] = new_sink();
		$did{'held up'}++;
	}
	elsif (@asleep && $what < 0.96)
	{
		my $late = pop @asleep;

		go_on_with($late, 'COMMIT');
		end_held('ROLLBACK') if $held && $held->[0] == $late;
		kill_sink($late);
	}
	elsif (@sinks < 4 && $what < 0.98)
	{
		push @sinks, new_sink();
	}
	elsif (@sinks > 1)
	{
		my ($leaver) = splice @sinks, $n, 1;

		end_held() if $held && $held->[0] == $leaver;
		$leaver->{member}->leave;
		$leaver->{session}->close;
		$did{'left'}++;
	}
	last if sql('SELECT count(*) FROM sink') == 3 * RECORDS;
}
end_held();
kill_sink($_) foreach @asleep;
ok(poll_until(sub {
	beat($_), go_on_with($_, 'COMMIT') foreach @sinks;
	sql('SELECT count(*) FROM sink') >= 3 * RECORDS }), 'all records come to their tables');
is(sql('SELECT count(*), count(DISTINCT (partition, record_offset)) FROM sink'), 3 * RECORDS . '|' . 3 * RECORDS, 'and each one once');
is(join(' ', map { committed('new', $_) } 0 .. 2), join(' ', (RECORDS) x 3), 'to the end');
note(join ', ', map { "$_ $did{$_} times" } sort keys %did);

$node->stop;
done_testing();
