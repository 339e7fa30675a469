# Crashes in the middle of concurrent load: afterwards each committed record is
# there exactly once and in order, and no other is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main');
$node->start;
create_load_schema($node);
$node->safe_psql('postgres', q{CREATE TABLE got (partition int, record_offset bigint, value text)});

# exactly once, through all the crashes
my $consumer = "INSERT INTO got SELECT partition, record_offset, value FROM consume('events', 'g', 200);\n" x ENDLESS;
my $checkpoints = "CHECKPOINT;\n" x ENDLESS;

# Client 4 does not wait for its commits: what it lost it must have lost in
# both places.
my %prologue = (4 => "SET synchronous_commit = off;\n");

for my $round (1 .. 8)
{
	my $kind = $round % 2 ? 'immediate' : 'SIGKILL';
	my $name = "round $round, $kind";
	my $transactions = 'SELECT count(DISTINCT (client, n)) FROM sent';
	my $before = $node->safe_psql('postgres', $transactions);
	my $with_checkpoints = $round > 2;
	my $load = start_load($node, clients => 4, prologue => \%prologue,
		also => [ $consumer, $with_checkpoints ? $checkpoints : () ]);

	# enough for some rolls; where the load stands then is not to be foretold
	$node->poll_query_until('postgres', "SELECT ($transactions) > $before + 400")
	  or die 'the load does not get on';
	$kind eq 'immediate' ? $node->stop('immediate') : kill_all($node);
	finish_load($load);
	$node->start;

	check_acknowledged($node, $load, $name, 1 .. 3);
	end_prepared($node);
	check_events($node, "$name: topic and table agree");
	wait_resolved($node);
	check_events($node, "$name: topic and table agree when all transactions' outcomes are noted");
}

note($node->safe_psql('postgres', q{
	SELECT format('%s records, %s offsets, %s segments', (SELECT count(*) FROM events), sum(log_end_offset), sum(segments))
	FROM pg_topic_partitions}));
cmp_ok($node->safe_psql('postgres', 'SELECT min(segments) FROM pg_topic_partitions'), '>', 10,
	'the load filled more than ten segments in each partition');
cmp_ok($node->safe_psql('postgres', 'SELECT sum(log_end_offset) - (SELECT count(*) FROM events) FROM pg_topic_partitions'),
	'>', 100, 'the load left records of transactions that did not commit');

# the consumer: drain what it has not read
$node->poll_query_until('postgres', q{
	WITH more AS (INSERT INTO got SELECT partition, record_offset, value FROM consume('events', 'g', 10000) RETURNING 1)
	SELECT count(*) = 0 FROM more});
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM (
		(SELECT partition, record_offset, value FROM events EXCEPT ALL SELECT * FROM got)
		UNION ALL
		(SELECT * FROM got EXCEPT ALL SELECT partition, record_offset, value FROM events)) AS difference}),
	'0', 'the consumer got each record exactly once, through all crashes');

$node->restart;
check_events($node, 'topic and table agree after a restart');
$node->stop;

done_testing();
