# Files under test: src/maintenance/durable_horizon.c, merging.c, compaction.c.
# Merging and synchronous standbys: batches that a standby lacks do not become one with batches that it has,
# as a consumer that was told of these would wait for all of them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaProducer;
use LogLook qw(batches);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($node, $standby) = start_pair(kafka_settings($port), 'wal_retrieve_retry_interval = 50ms', 'synchronous_commit = local',
	'pg_topics.log_cleaner_enable = on', 'pg_topics.log_cleaner_backoff_ms = 50');
my $name = $standby->name;

sub sql { return $node->safe_psql('postgres', @_) }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('by_hand', config => '{"batch.merge.lag.ms": 0}'), create_topic('by_worker', config => '{"batch.merge.lag.ms": 0}'),
		create_topic('compacted', config => '{"cleanup.policy": "compact", "batch.merge.lag.ms": 0}'),
		create_topic('control', config => '{"cleanup.policy": "compact", "segment.ms": 1, "min.cleanable.dirty.ratio": 0}');
	GRANT SELECT, INSERT ON by_hand, by_worker, compacted TO producer});
my $consumer;
poll_until(sub { $consumer = eval { KafkaConsumer->new($port) } }) or die 'no listener';

# Small batches: so many transactions of one record for each topic.
sub produce
{
	my ($topics, $first, $last) = @_;

	sql(join ';', map { my $n = $_; map { "SELECT produce('$_', 'key $n', 'value $n')" } @$topics } $first .. $last);
}

sub end_of { my ($topic) = @_; return $consumer->fetch(topics => { $topic => { 0 => 0 } }, max_wait => 0)->{$topic}{0}{high_watermark} }
sub batch_count { my ($topic) = @_; return sql("SELECT sum(batches) FROM pg_topic_segments WHERE topic = '$topic'::regclass") }

# Offsets from which a consumer gets nothing, though it was told of an end behind them.
sub unreadable
{
	my ($topic, $end) = @_;

	return join ' ', grep {
		my $partition = $consumer->fetch(topics => { $topic => { 0 => $_ } }, max_wait => 0)->{$topic}{0};
		$partition->{error} != 0 || length($partition->{records} // '') == 0;
	} 0 .. $end - 1;
}

# Wait until the worker has been over all topics: it compacts first, and then it merges.
sub wait_for_worker
{
	for (1 .. 2)
	{
		my $before = sql(q{SELECT compactions FROM pg_stat_topics WHERE topic = 'control'::regclass});

		produce(['control'], $_, $_ + 2);
		poll_until(sub { sql(q{SELECT compactions FROM pg_stat_topics WHERE topic = 'control'::regclass}) > $before }) or die 'the worker does nothing';
	}
}

my @topics = qw(by_hand by_worker compacted);

sql("ALTER SYSTEM SET synchronous_standby_names = '$name'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'the standby is a synchronous one');
produce(\@topics, 1, 20);
foreach my $topic (@topics)
{
	ok(poll_until(sub { end_of($topic) == 20 }), "$topic: consumers are told of what the standby has");
}

$standby->stop;
produce(\@topics, 21, 40);
# the worker merges what is in finished segments
sql(q{SELECT alter_topic('by_worker', '{"segment.ms": 1}')});
produce(['by_worker'], 41, 41);
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_topic_segments WHERE topic = 'by_worker'::regclass}) > 1 }), 'the segment is finished');

is(sql(q{SELECT records_before FROM merge_batches('by_hand')}), 0, 'nothing is merged that the standby lacks');
ok(sql(q{SELECT count(*) FROM compact('compacted')}) >= 0, 'compaction goes on');
is(sql(q{SELECT held_by FROM pg_topic_maintenance WHERE topic = 'by_worker'::regclass AND work = 'merging'}), 'standby', 'it is told why');
wait_for_worker();
foreach my $topic (@topics)
{
	is(end_of($topic), 20, "$topic: consumers are told of the same end");
	is(unreadable($topic, 20), '', 'and can read up to there');
}

$standby->start;
foreach my $topic (@topics)
{
	ok(poll_until(sub { end_of($topic) >= 40 }), "$topic: the standby has the rest");
}
ok(poll_until(sub { sql(q{SELECT count(*) FROM merge_batches('by_hand')}); batch_count('by_hand') <= 2 }), 'it is merged now');
ok(poll_until(sub { batch_count('by_worker') <= 2 }), 'by the worker, too');
is(unreadable($_, 40), '', "$_: all can be read") foreach @topics;

$standby->stop;
sql('ALTER SYSTEM RESET synchronous_standby_names');
sql('SELECT pg_reload_conf()');
$node->stop;
done_testing();
