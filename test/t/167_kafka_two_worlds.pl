# Files under test: src/broker/offsets/offset_commit.c and offset_delete.c as members use them, src/group/kafka_claim.c and
# kafka_offset.c.
# One group in two worlds: consumers in SQL, then members of Kafka's, and back; commits of members; offsets that were
# answered outlive kill -9 and a fail-over; a random model of both worlds against what should be committed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaOffsets;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

use constant { CRASHES => 5, STEPS => 250 };

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $port = PostgreSQL::Test::Cluster::get_free_port();
my @settings = (kafka_settings($port), 'pg_topics.kafka_group_initial_rebalance_delay = 0', 'pg_topics.kafka_group_min_session_timeout = 500',
	'restart_after_crash = off', 'wal_retrieve_retry_interval = 50ms');
my $node = new_node('main', init => { allows_streaming => 1 }, settings => \@settings);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events', partitions => 3);
	INSERT INTO events (partition, value) SELECT i % 3, i FROM generate_series(0, 89) i;
	GRANT SELECT ON events TO producer});

# A connection to a server whose groups are there.
sub connect_to
{
	my ($where) = @_;
	my $client;

	poll_until(sub { $client = KafkaClient->new($where) and eval { fetched($client, 'nobody', 'events', 0) } eq '-1  -1' }) or die 'no listener';
	return $client;
}

sub committed { my ($group) = @_; return sql(qq{SELECT string_agg(partition || ':' || coalesce(committed_offset::text, 'none'), ' ' ORDER BY partition)
	FROM topic_group_offsets WHERE group_id = '$group'}) }

my $client = connect_to($port);

# ---- from SQL to Kafka, and back --------------------------------------------------------

my $session = open_session($node);
$session->run('SET ROLE producer');
is($session->run(q{SELECT count(*) FROM consume('events', 'g', 30)}), '30', 'SQL consumes');
$session->run(q{BEGIN; SELECT count(*) FROM consume('events', 'g', 5)});

my $member = KafkaMember->new($port, 'g', topics => ['events'], session => 30000);
$member->send_join_generation;
is($member->read_join_generation, 0, 'a client joins');
$member->send_sync_generation('events', 3);
is(fetched($client, 'other', 'events', 0), '-1  -1', 'others are served meanwhile');
ok(!$member->client->is_readable, 'and is not told of its partitions while a transaction in SQL has one');
$session->run('COMMIT');
is($member->read_sync_generation, 'events-0 events-1 events-2', 'then it is');
my %at = map { split /:/ } split ' ', committed('g');
is_deeply({ map { $_ => $at{$_} } 0 .. 2 }, { map { my $a = fetched($member->client, 'g', 'events', $_); $_ => $a eq '-1  -1' ? 'none' : (split ' ', $a)[0] } 0 .. 2 },
	'it finds what SQL has committed');

my @membership = (member => $member->{member}, generation => $member->{generation});
is(commit_error($member->client, 'g', 'events', 0, 20, @membership), 0, 'it commits');
is(commit_error($client, 'g', 'events', 0, 21), 25, 'who is no member may not');
is(commit_error($member->client, 'g', 'events', 0, 21, member => $member->{member}, generation => $member->{generation} + 1), 22, 'nor of another generation');
is(commit_error($member->client, 'g', 'events', 0, 21, member => 'nobody', generation => $member->{generation}), 25, 'nor another member');
is(fetched($member->client, 'g', 'events', 0), '20  -1', 'which change nothing');
is((delete_offsets($client, 'g', { events => [0] }))[1]{events}{0}, 86, 'offsets of a topic that is subscribed to stay');
like($session->fails(q{SELECT count(*) FROM consume('events', 'g')}), qr/in use by Kafka clients in topic "events".*member "\Q$member->{member}\E", of client "test" at .*127\.0\.0\.1/s,
	'SQL is refused, and told by whom');
like($session->fails(q{SELECT remove_kafka_members('g')}), qr/while the listener for Kafka clients runs/, 'the listener looks after its members');
is(sql(q{SELECT DISTINCT member_kind, client_id FROM pg_topic_groups WHERE group_id = 'g'}), 'kafka|test', 'views show the client');
is(sql(q{SELECT topic, partitions, kind, protocol, epoch, client_id, owner FROM pg_topic_group_members WHERE group_id = 'g'}),
	'events|{0,1,2}|classic|range|1|test|producer', 'as a member');
is(sql(q{SELECT count(*) FROM pg_topics_doctor() WHERE check_name = 'kafka_groups' AND severity = 'ok'}), '1', 'nothing is wrong with that');
is(leave_group($member->client, 'g', $member->{member}), '0 0', 'it leaves');
poll_until(sub { sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'g' AND member_id IS NOT NULL}) eq '0' }) or die 'claims stay';
is($session->run(q{SELECT min(record_offset) FROM consume('events', 'g', partitions => '{0}')}), '20', 'SQL goes on where the client has committed');
is(commit_error($client, 'g', 'events', 1, 5), 0, 'without members whoever may use the group commits');

# a client that vanishes
$member = KafkaMember->new($port, 'g', topics => ['events'], session => 500);
is((form_group('events', 3, $member))[0], 'events-0 events-1 events-2', 'another client');
like($session->fails(q{SELECT seek_to_beginning('events', 'g')}), qr/in use by Kafka clients/, 'has the group');
$member->client->close;
poll_until(sub { ($session->both(q{SELECT seek_to_beginning('events', 'g')}))[1] eq '' }) or die 'the group stays closed';
pass('until its session has timed out');
is(committed('g'), '0:0 1:0 2:0', 'then SQL moves the group');

# the listener is switched off while there are members
$member = KafkaMember->new($port, 'g', topics => ['events'], session => 600_000);
form_group('events', 3, $member);
is(commit_error($member->client, 'g', 'events', 2, 7, member => $member->{member}, generation => $member->{generation}), 0, 'a client commits');
$session->close;
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = ''");
$node->restart;
$session = open_session($node);
like($session->fails(q{SELECT count(*) FROM consume('events', 'g')}), qr/in use by Kafka clients/, 'the group is closed without a listener');
is(sql(q{SELECT finding FROM pg_topics_doctor() WHERE check_name = 'kafka_groups' AND severity = 'warning'}),
	'Kafka clients are members of it, but no listener serves this database: the group is closed to consumers in SQL.', 'as the doctor says');
is($session->run(q{SELECT remove_kafka_members('g')}), '1', 'its member is removed');
is(committed('g'), '0:0 1:0 2:7', 'what it has committed stays');
is($session->run(q{SELECT count(*) FROM consume('events', 'g', partitions => '{2}')}), '23', 'SQL goes on there');
$session->close;
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'");
$node->restart;
$client = connect_to($port);

# ---- kill -9 -----------------------------------------------------------------------------

my $last = 0;
foreach my $round (1 .. CRASHES)
{
	my $wanted = 1 + int rand 20;
	my @answers = map { commit_error($client, 'crash', 'events', 0, [ ++$last, "m$last", 3 ]) } 1 .. $wanted;

	kill_all($node);
	is_deeply(\@answers, [ (0) x $wanted ], "round $round: $wanted commits");
	$node->start;
	$client = connect_to($port);
	is(fetched($client, 'crash', 'events', 0), "$last m$last 3", 'the last one is there after kill -9');
}

# many clients at once: what was answered is there
my @crowd = map { KafkaClient->new($port) } 1 .. 6;
my @acknowledged = (0) x 6;
my @sent = (0) x 6;
foreach my $round (1 .. 40)
{
	send_commit($crowd[$_], "crowd$_", { events => { 0 => ++$sent[$_], 1 => $sent[$_] } }) foreach 0 .. 5;
	last if $round == 40;
	foreach (0 .. 5)
	{
		my $errors = read_commit($crowd[$_])->{events};
		$acknowledged[$_] = $sent[$_] if $errors->{0} == 0 && $errors->{1} == 0;
	}
}
kill_all($node);
$node->start;
$client = connect_to($port);
foreach my $n (0 .. 5)
{
	my @found = map { (split ' ', fetched($client, "crowd$n", 'events', $_))[0] } 0, 1;

	cmp_ok($found[0], '>=', $acknowledged[$n], "client $n: what was answered is there");
	is($found[0], $found[1], 'commits are whole');
}

# ---- a fail-over --------------------------------------------------------------------------

my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $standby = start_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'",
	"primary_conninfo = '" . $node->connstr . " application_name=standby'");
sql(q{ALTER SYSTEM SET synchronous_standby_names = 'standby'});
$node->reload;
poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }) or die 'the standby is not synchronous';
$client = connect_to($port);
foreach my $n (1 .. 30)
{
	die if commit_error($client, 'failover', 'events', 0, $n) != 0;
}
kill_all($node);
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'no promotion';
$standby->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()});
$client = connect_to($standby_port);
is(fetched($client, 'failover', 'events', 0), '30  -1', 'what was answered is on a synchronous standby');
is(commit_error($client, 'failover', 'events', 0, 31), 0, 'which goes on when it is promoted');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'failover', partitions => '{0}', auto_offset_reset => 'earliest')}) > 0, 1, 'also in SQL');
$node = $standby;

# ---- a model ---------------------------------------------------------------------------------

# What should be committed: {group}{partition} = [offset, metadata, epoch]; offsets of SQL have no epoch, and one
# that is committed again keeps it.
my %model;
$session = open_session($node);
$session->run('SET ROLE producer');
my %last_offset = map { split /:/ } split ' ', sql(q{SELECT string_agg(partition || ':' || log_end_offset, ' ') FROM pg_topic_partitions WHERE topic = 'events'::regclass});

sub model_commit
{
	my ($group, $partition, $offset, $metadata, $epoch) = @_;
	my $before = $model{$group}{$partition};

	$epoch = $before->[2] if $epoch < 0 && $before && $before->[0] == $offset;
	$model{$group}{$partition} = [ $offset, $metadata, $epoch ];
	return;
}

my %did;
foreach my $step (1 .. STEPS)
{
	my $group = 'model' . int rand 3;
	my $partition = int rand 3;
	my $offset = int rand(1 + $last_offset{$partition});
	my $action = int rand 9;
	my $metadata = rand() < 0.5 ? '' : "m$step";

	$did{$action}++;
	if ($action <= 2)
	{
		my $epoch = rand() < 0.5 ? -1 : int rand 5;

		is(commit_error($client, $group, 'events', $partition, [ $offset, $metadata, $epoch ]), 0, 'commit') or last;
		# what is the same already is not written, and what it says of the epoch stays unless it is another one
		model_commit($group, $partition, $offset, $metadata, $epoch);
	}
	elsif ($action == 3)
	{
		$session->run("SELECT commit_offset('events', '$group', $partition, $offset, NULLIF('$metadata', ''))");
		model_commit($group, $partition, $offset, $metadata, -1);
	}
	elsif ($action == 4)
	{
		my $from = $model{$group}{$partition} ? $model{$group}{$partition}[0] : 0;
		my $count = 1 + int rand 4;
		my $got = $session->run("SELECT coalesce(min(record_offset), -1), count(*) FROM consume('events', '$group', $count, partitions => '{$partition}')");
		my $expected = $last_offset{$partition} - $from < $count ? $last_offset{$partition} - $from : $count;

		is($got, ($expected > 0 ? $from : -1) . "|$expected", "consume") or last;
		model_commit($group, $partition, $from + $expected, '', -1) if $expected > 0;
	}
	elsif ($action == 5)
	{
		$session->run("BEGIN; SELECT count(*) FROM consume('events', '$group', 3, partitions => '{$partition}')");
		$session->run('ROLLBACK');
	}
	elsif ($action == 6)
	{
		is((delete_offsets($client, $group, { events => [$partition] }))[0], keys %{ $model{$group} // {} } ? 0 : 69, 'delete') or last;
		delete $model{$group}{$partition};
	}
	elsif ($action == 7)
	{
		$session->run("SELECT seek_to_beginning('events', '$group', $partition)");
		model_commit($group, $partition, 0, '', -1);
	}
	else
	{
		my $all = fetch_offsets($client, $group, undef)->{topics}{events} // {};

		is_deeply($all, { map { $_ => [ @{ $model{$group}{$_} }, 0 ] } keys %{ $model{$group} // {} } }, 'all offsets') or last;
	}
	my $is = $model{$group}{$partition};
	is(fetched($client, $group, 'events', $partition), $is ? join(' ', @$is) : '-1  -1', 'fetch') or last;
	is(sql("SELECT committed_offset, metadata FROM topic_group_offsets WHERE group_id = '$group' AND partition = $partition"),
		$is ? "$is->[0]|$is->[1]" : '', 'row') or last;
}
note('actions: ', join ', ', map { "$_ x $did{$_}" } sort keys %did);
$session->close;
unlike(slurp_file($_->logfile), qr/(PANIC|TRAP|terminated by signal (?!9))/, 'nothing in the log') foreach $node;

done_testing();
