# Files under test: src/wal/log_resolve.c, src/log/kafka_txn_map.c, src/log/kafka_txn_table.c, src/wal/log_redo.c.
# Kafka transactions that end behind an open one of the same partition take no room: there can be any number of them, and
# they are seen as they have ended when the one in front of them ends, through crashes and on a standby.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use LogLook;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'pg_topics.kafka_max_transactions = 10', 'restart_after_crash = on', 'checkpoint_timeout = 1h' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
$node->safe_psql('postgres', q{SELECT create_topic('events', partitions => 2, config => '{"segment.bytes": 4096}')});
create_kafka_txn_probe($node);
create_log_look($node);

sub sql { return $node->safe_psql('postgres', $_[0]) }
sub values_of { return sql(qq{SELECT coalesce(string_agg(value, ' ' ORDER BY record_offset), '') FROM events WHERE partition = $_[0]}) }
sub count_of { return $_[0]->safe_psql('postgres', 'SELECT count(*) FROM kafka_transactions()') }
sub stable { return sql("SELECT stable_end FROM stable_end('events', $_[0], true)") }

my $producer = 0;
my @expected = ([], []);

# One of a new producer, with a record in each partition, in some of them twice with another one between; its number.
sub begin_with
{
	my ($value, @partitions) = @_;
	my $number = kafka_begin($node, ++$producer);

	kafka_append($node, 'events', $_, $number, $producer, 0, [$value]) =~ /^appended/ or die foreach @partitions;
	return $number;
}

# Many that end, one after the other and one in another one.
sub end_many
{
	my ($count, $prefix) = @_;

	foreach my $n (1 .. $count)
	{
		my $value = "$prefix$n";
		my @partitions = $n % 3 == 0 ? (0, 1) : (0);
		my $number = begin_with($value, @partitions);
		my $own = $producer;

		# what has ended is settled each second, and sooner where there is less room
		if ($n % 3 == 0)
		{
			poll_until(sub { count_of($node) < 6 }) or return 0;
		}
		if ($n % 5 == 0)
		{
			my $inner = begin_with("$value inner", 0);
			kafka_append($node, 'events', 0, $number, $own, 1, ["$value again"]) =~ /^appended/ or die;
			kafka_end($node, $inner, 1);
		}
		kafka_end($node, $number, $n % 4);
		push @{ $expected[$_] }, $value foreach grep { $n % 4 } @partitions;
		push @{ $expected[0] }, "$value inner", $n % 4 ? "$value again" : () if $n % 5 == 0;
	}
	return 1;
}

# ---- room ---------------------------------------------------------------------------------

my $front = begin_with('front', 0);
ok(end_many(15, 'a'), 'more than there is room for end behind an open one');
my $middle = begin_with('middle', 0);
ok(end_many(3, 'b'), 'and behind two');
ok(poll_until(sub { count_of($node) == 2 }), 'only those that are open take room');
is(scalar(grep { $_ eq 'kafka' } entry_xids($node, 'events', 0)), 2, 'no entry has the number of another one');
is(values_of(0), '', 'nothing is seen behind the first one');
is(stable(0), 0, 'nor by consumers outside');
is(values_of(1), join(' ', @{ $expected[1] }), 'in the other partition all is seen');

# ---- a crash and a standby -------------------------------------------------------------------

my $standby = start_standby($node, 'standby');
ok(end_many(5, 'c'), 'others');
ok(poll_until(sub { count_of($node) == 2 }), 'which take no room either');
$node->wait_for_catchup($standby);
is(count_of($standby), 2, 'on a standby neither');
# in partition 1 nothing is in front of them
foreach my $step ([ 'kafka-settled', 0 ], [ 'kafka-settled', 1 ], [ 'kafka-settle-logged', 0 ], [ 'kafka-numbers-logged', 0 ])
{
	my ($point, $partition) = @$step;
	my $from = -s $node->logfile;

	sql(qq{ALTER SYSTEM SET pg_topics.fault_point = '$point'});
	sql('SELECT pg_reload_conf()');
	kafka_end($node, begin_with($point, $partition), 1);
	push @{ $expected[$partition] }, $point;
	poll_until(sub { slurp_file($node->logfile, $from) =~ /dying at fault point "\Q$point\E"/ }) or die;
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->reload;
	poll_until(sub { slurp_file($node->logfile, $from) =~ /database system is ready to accept connections/ }) or die;
	ok(poll_until(sub { count_of($node) == 2 }), "$point: behind a crash there are those that are open");
}
kill_all($node);
$node->start;
is(count_of($node), 2, 'behind another crash as well');
is(values_of(0), '', 'nothing is seen');

# ---- as they have ended ------------------------------------------------------------------------------

my $session = open_session($node);
$session->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($session->run('SELECT count(*) FROM events WHERE partition = 0'), 0, 'a snapshot');
kafka_end($node, $front, 1);
my ($before) = grep { $expected[0][$_] eq 'b1' } 0 .. $#{ $expected[0] };
is(values_of(0), join(' ', 'front', @{ $expected[0] }[ 0 .. $before - 1 ]), 'up to the second open one all is seen as it has ended');
poll_until(sub { count_of($node) == 1 }) or die;
is($session->run('SELECT count(*) FROM events WHERE partition = 0'), 0, 'not by the earlier snapshot');
$session->run('COMMIT');
kafka_end($node, $middle, 0);
is(values_of(0), join(' ', 'front', @{ $expected[0] }), 'then all');
ok(poll_until(sub { count_of($node) == 0 }), 'and no number is left');
is(stable(0), sql(q{SELECT log_end_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass AND partition = 0}), 'consumers outside come to the end');
is(sql(q{SELECT count(*) FROM verify_topic('events')}), 0, 'the topic is sound');
$node->wait_for_catchup($standby);
foreach my $partition (0, 1)
{
	is(values_of($partition), join(' ', $partition == 0 ? 'front' : (), @{ $expected[$partition] }), "all is there in partition $partition");
	is($standby->safe_psql('postgres', qq{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM events WHERE partition = $partition}),
		values_of($partition), 'a standby has the same');
}
is(count_of($standby), 0, 'and no numbers');

$standby->stop;
$node->stop;
done_testing();
