# Files under test: src/consume/consume_shared.c, src/share/share_window.c, src/wal/batch_visibility.c.
# Share groups and transactions of Kafka's producers: records of one that is open are not delivered, nor passed over for
# good, also where others have been given more of the log than they can read.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION pg_topics; SELECT create_topic('jobs'); INSERT INTO jobs (value) VALUES ('before')});
create_kafka_txn_probe($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub take { return sql(q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM consume_shared('jobs', 'g')}); }

my %wanted = (1 => 'open behind', 0 => 'behind');
foreach my $commits (1, 0)
{
	my $producer = 7 + $commits;
	my $number = kafka_begin($node, $producer);

	like(kafka_append($node, 'jobs', 0, $number, $producer, 0, ['open']), qr/^appended/, 'a client produces in a transaction');
	sql(q{INSERT INTO jobs (value) VALUES ('behind')});
	is(take(), $commits ? 'before' : '', 'its records are not delivered, nor those behind them');
	is(take(), '', 'nor by another call');
	is(sql(q{SELECT sum(available + acquired + pending + finished) FROM pg_topic_share_groups}), '0', 'and the group has nothing in flight');
	my $waiter = open_background($node, 'waiter');
	ask($waiter, q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM consume_shared('jobs', 'g', timeout => '10 min');});
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waiter' AND state = 'active' AND wait_event_type IN ('Extension', 'Activity', 'IPC', 'Timeout')}), 'a call waits');
	kafka_end($node, $number, $commits);
	is(answer($waiter), $wanted{$commits}, $commits ? 'for the commit' : 'for the abort, and gets what is behind');
	$waiter->{run}->kill_kill;
}
is(sql(q{SELECT start_offset = end_offset AND lag = 0 FROM pg_topic_share_groups}), 't', 'the group is done with all');
$node->stop;
done_testing();
