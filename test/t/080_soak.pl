# Everything at once, until a round has ended in each way, or for as long as TOPIC_SOAK_SECONDS
# says (test/soak MINUTES):
# producers of all kinds of transactions, two consumer groups, a table published to a
# compacted topic, a topic with retention, the maintenance worker, maintenance by
# hand, checkpoints; and at random a killed backend, an immediate or clean stop, or
# the loss of all processes.  After each round all must agree with what is known:
#
#	events		the table "sent", written in the same transactions
#	groups		each record once, in the table that was written with it
#	account_state	latest() is the table "accounts"
#	all			verify_topic() finds nothing
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seconds = $ENV{TOPIC_SOAK_SECONDS};
my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed TOPIC_SOAK_SECONDS=" . ($seconds // ''));

my $node = new_node('main', settings => [
	'pg_topics.log_cleaner_enable = on', 'pg_topics.log_cleaner_backoff_ms = 300',
	'pg_topics.log_retention_check_interval_ms = 500', 'pg_topics.maintenance_interval = 1s',
	'max_connections = 40', 'restart_after_crash = on' ]);
$node->start;
create_load_schema($node);
$node->safe_psql('postgres', q{
	CREATE TABLE got (group_id text, partition int, record_offset bigint, value text);
	CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
	SELECT publish_table('accounts', 'account_state', format => 'row');
	ALTER FOREIGN TABLE account_state OPTIONS (ADD "segment.bytes" '16384', ADD "min.cleanable.dirty.ratio" '0.1');
	SELECT create_topic('journal', partitions => 2,
		config => '{"segment.bytes": 16384, "retention.bytes": 65536, "compression.type": "lz4"}');
});

# one transaction each, by hundreds
my %also = (
	consume_a => sub { "INSERT INTO got SELECT 'a', partition, record_offset, value FROM consume('events', 'a', 200);\n" },
	consume_b => sub {
		"BEGIN;\nINSERT INTO got SELECT 'b', partition, record_offset, value FROM consume('events', 'b', 50);\n"
		  . (rand() < 0.3 ? "ROLLBACK;\n" : "COMMIT;\n");
	},
	change => sub {
		my $id = int(rand(200));
		my $change = rand() < 0.2 ? "DELETE FROM accounts WHERE id = $id;\n"
		  : "INSERT INTO accounts VALUES ($id, 1) ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + 1;\n";
		return rand() < 0.1 ? "BEGIN;\n${change}ROLLBACK;\n" : $change;
	},
	journal => sub { "SELECT produce('journal', NULL::text, repeat('j', " . int(rand(2000)) . "));\n" },
	read => sub { "SELECT count(*) FROM latest(NULL::account_state);\nSELECT count(*) FROM journal;\n" },
	maintain => sub {
		my @ways = ("SELECT count(*) FROM compact();\n", "SELECT count(*) FROM apply_retention();\n", "CHECKPOINT;\n",
			"SELECT delete_records('journal', 0, -1);\n", "SELECT erase('account_state', '999');\n",
			"SELECT count(*) FROM verify_topic('account_state');\n", "VACUUM FREEZE accounts;\n");
		return $ways[ rand @ways ] . "SELECT pg_sleep(0.1);\n";
	});

# What ends a round.
my %ends = (
	immediate => sub { $node->stop('immediate'); $node->start },
	fast => sub { $node->restart },
	everything => sub { kill_all($node); $node->start },
	backend => sub {
		my $pid = $node->safe_psql('postgres', q{
			SELECT pid FROM pg_stat_activity WHERE backend_type IN ('client backend', 'pg_topics sync', 'pg_topics maintenance')
			AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
		kill 'KILL', $pid if $pid;
	});

# Drain a group; then it has had each record once.
sub check_group
{
	my ($group, $name) = @_;
	my $drained = $node->poll_query_until('postgres', qq{
		WITH more AS (INSERT INTO got SELECT '$group', partition, record_offset, value FROM consume('events', '$group', 100000) RETURNING 1)
		SELECT count(*) = 0 FROM more});

	return ok($drained, "$name: the group $group reads the topic to its end")
	  && is($node->safe_psql('postgres', qq{
		SELECT count(*) FROM (
			(SELECT partition, record_offset, value FROM events EXCEPT ALL SELECT partition, record_offset, value FROM got WHERE group_id = '$group')
			UNION ALL
			(SELECT partition, record_offset, value FROM got WHERE group_id = '$group' EXCEPT ALL SELECT partition, record_offset, value FROM events)) d}),
		'0', "$name: the group $group got each record exactly once");
}

# All of it, when nobody is at work.
sub check_all
{
	my ($name) = @_;

	end_prepared($node);
	check_events($node, "$name: topic and table have the same records");
	check_group($_, $name) foreach qw(a b);
	is($node->safe_psql('postgres', q{
		SELECT count(*) FROM (SELECT key, (value::jsonb->>'balance')::int AS balance FROM latest(NULL::account_state)) t
		FULL JOIN accounts a ON a.id::text = t.key WHERE a.balance IS DISTINCT FROM t.balance}),
		'0', "$name: latest() of the compacted topic has the same rows as the table");
	is($node->safe_psql('postgres', q{
		SELECT string_agg(t::text || ': ' || problem, '; ') FROM unnest('{events,account_state,journal}'::regclass[]) t, verify_topic(t)}),
		'', "$name: verify_topic() finds no damage");
	return;
}

my $end = time + ($seconds // 0);
my %count = map { $_ => 0 } 'rounds', keys %ends;
my @ways = sort keys %ends;
# each of them once, then any
my @first = shuffle(@ways);
while (@first || time < $end)
{
	my $how = shift @first // $ways[ rand @ways ];
	my $name = "round " . ++$count{rounds} . ", $how";
	my $load = start_load($node, clients => 3, transactions => 10_000,
		also => [ map { my $way = $_; join('', map { $also{$way}->() } 1 .. 3000) } sort keys %also ]);

	usleep(1_000_000 + rand(4_000_000));
	$ends{$how}->();
	$count{$how}++;
	finish_load($load, expected => qr/deadlock detected|canceling|terminating/);
	wait_ready($node);
	check_acknowledged($node, $load, $name);
	check_all($name);
	last unless Test::More->builder->is_passing;
}
diag(join(', ', map { "$count{$_} $_" } 'rounds', @ways) . ', ' . $node->safe_psql('postgres', q{
	WITH ends AS (SELECT topic::text, sum(log_end_offset) AS produced, sum(log_start_offset) AS deleted FROM pg_topic_partitions GROUP BY topic)
	SELECT format('events: %s produced, %s consumed; account_state: %s of %s left; journal: %s of %s deleted',
		(SELECT count(*) FROM events), (SELECT count(*) FROM got),
		(SELECT count(*) FROM account_state), (SELECT produced FROM ends WHERE topic = 'account_state'),
		(SELECT deleted FROM ends WHERE topic = 'journal'), (SELECT produced FROM ends WHERE topic = 'journal'))}));
$node->stop;

done_testing();
