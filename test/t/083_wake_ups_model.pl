# Files under test: src/log/topic_waiters.c, src/group/group_wakeup.c, src/consume/record_count.c.
# No wake-up is lost, whatever waiting consumers and producers do: they commit, roll back,
# go back to savepoints, run out of time and are cancelled, at random.  All consumers wait for
# an hour, so a record that is not consumed soon is one that nobody was woken for.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(rand(1_000_000));
my $partitions = 3;
my $batch = 7;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main', settings => ['pg_topics.log_retention_check_interval_ms = 1000000']);
$node->start;
sub sql { return $node->safe_psql('postgres', @_); }

sql(qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => $partitions), create_topic('more');
	CREATE TABLE got (group_id text, topic regclass, partition int, record_offset bigint, PRIMARY KEY (group_id, topic, partition, record_offset))});

sub pick { return $_[ rand @_ ]; }

# ---- consumers -----------------------------------------------------------------

# A statement that notes what it consumes.  It is a call in a SELECT of its own, which waits
# before it begins, or within a larger one.
sub consume
{
	my ($group, $arguments) = @_;
	my $call = pick(
		"SELECT 'events'::regclass AS topic, partition, record_offset FROM consume('events', '$group', timeout => '1 hour', $arguments)",
		"SELECT topic, partition, record_offset FROM consume_many('{events,more}', '$group', timeout => '1 hour', $arguments)");

	return "INSERT INTO got SELECT '$group', * FROM ($call) c;\n" if rand() < 0.2;
	return "SELECT coalesce(string_agg(format('(%L,%L::regclass,%s,%s)', '$group', topic, partition, record_offset), ','), 'n') AS batch FROM ($call) c \\gset\n"
	  . "INSERT INTO got SELECT * FROM (VALUES :batch) v;\n";
}

# What a consumer does once.
sub turn
{
	my ($group, $arguments) = @_;
	my $consume = consume($group, $arguments);

	return pick(
		("BEGIN;\n${consume}COMMIT;\n") x 6,
		"BEGIN;\n${consume}ROLLBACK;\n",
		"BEGIN;\nSAVEPOINT a;\n${consume}ROLLBACK TO a;\n${consume}COMMIT;\n",
		"BEGIN;\n${consume}SAVEPOINT a;\n${consume}ROLLBACK TO a;\nCOMMIT;\n",
		"BEGIN;\nSET LOCAL statement_timeout = '" . int(1 + rand(20)) . "ms';\n${consume}COMMIT;\n",
		"BEGIN;\n${consume}SELECT pg_sleep(" . rand(0.02) . ");\nCOMMIT;\n",
		"BEGIN;\n${consume}PREPARE TRANSACTION 'GID';\nCOMMIT PREPARED 'GID';\n",
		"BEGIN;\n${consume}PREPARE TRANSACTION 'GID';\nROLLBACK PREPARED 'GID';\n");
}

my $directory = PostgreSQL::Test::Utils::tempdir();
my @runs;

sub start_client
{
	my ($name, $script) = @_;

	append_to_file("$directory/$name.sql", $script);
	push @runs, IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . " application_name=$name", '-f', "$directory/$name.sql" ],
		'<', \undef, '>', "$directory/$name.out", '2>', "$directory/$name.err");
	return;
}

my %consumers = (ones => 'max_records => 5', many => "min_records => $batch");

foreach my $group ('ones', 'many')
{
	foreach my $n (1 .. 4)
	{
		my $script = '';

		foreach my $turn (1 .. 3000)
		{
			my $text = turn($group, $consumers{$group});
			$text =~ s/GID/$group-$n-$turn/g;
			$script .= $text;
		}
		start_client("consumer_$group$n", $script);
	}
}

# ---- producers -----------------------------------------------------------------

sub produce
{
	my ($topic, $partition) = @_;

	$topic //= pick('events', 'events', 'events', 'more');
	$partition //= $topic eq 'events' ? int(rand($partitions)) : 0;
	return "SELECT count(produce('$topic', NULL::text, 'v', partition => $partition)) FROM generate_series(1, " . pick(1, 1, 1, 2, 10) . ");\n";
}

my @producers;
foreach my $n (1 .. 3)
{
	my $script = '';

	foreach my $turn (1 .. 250)
	{
		my $gid = "producer-$n-$turn";
		$script .= pick(
			(produce()) x 6,
			'BEGIN;' . produce() . produce() . produce() . 'COMMIT;',
			'BEGIN;' . produce() . 'SAVEPOINT a;' . produce() . 'ROLLBACK TO a;' . produce() . 'COMMIT;',
			'BEGIN;' . produce() . 'ROLLBACK;',
			'BEGIN;' . produce() . 'SELECT count(*) FROM flush();' . produce() . 'COMMIT;',
			'BEGIN;' . produce() . 'SELECT count(*) FROM flush(); ROLLBACK;',
			'BEGIN;' . produce() . "PREPARE TRANSACTION '$gid'; COMMIT PREPARED '$gid';",
			'BEGIN;' . produce() . "PREPARE TRANSACTION '$gid'; ROLLBACK PREPARED '$gid';",
			'SELECT pg_sleep(' . rand(0.05) . ');') . "\n";
	}
	append_to_file("$directory/producer$n.sql", $script . "\\echo done\n");
	push @producers, start_psql($node, "$directory/producer$n.sql", "$directory/producer$n.out");
}
sub produced { return !grep { !-e $_ || slurp_file($_) !~ /^done$/m } map { "$directory/producer$_.out" } 1 .. 3; }

# meanwhile some are cancelled
poll_until(sub {
	sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
		WHERE application_name LIKE 'consumer_%' AND state = 'active' AND random() < 0.02});
	return produced() }) or die 'the producers do not end';
$_->finish foreach @producers;
is(slurp_file("$directory/producer$_.out.err"), '', "producer $_ met no error") foreach 1 .. 3;

# ---- the end ---------------------------------------------------------------------

# What a group has not consumed yet.
sub missing
{
	my ($group) = @_;

	return "SELECT count(*) FROM (SELECT 'events'::regclass AS topic, partition, record_offset FROM events
		UNION ALL SELECT 'more', partition, record_offset FROM more) r
		WHERE NOT EXISTS (SELECT FROM got g WHERE group_id = '$group' AND (g.topic, g.partition, g.record_offset) = (r.topic, r.partition, r.record_offset))";
}

# One more record in each partition: who waits for one topic only need not care for the other.
sql(q{SELECT count(produce('events', NULL::text, 'last', partition => p)) FROM generate_series(0, 2) p});
ok($node->poll_query_until('postgres', 'SELECT (' . missing('ones') . q{ AND r.topic = 'events'::regclass) = 0}),
	'all records are consumed, each one once') or diag(sql(q{SELECT application_name, wait_event_type, query FROM pg_stat_activity WHERE application_name LIKE 'consumer_%'}));
# A consumer that has consumed in its transaction and waits for more still has what it may roll back.
my $held = q{SELECT topic, partition FROM pg_topic_groups WHERE group_id = 'many' AND consumer_pid IS NOT NULL};
ok($node->poll_query_until('postgres', 'SELECT (' . missing('many')
		  . qq{ AND r.topic = 'events'::regclass AND (r.topic, r.partition) NOT IN ($held)) < $batch}),
	'those who wait for many leave only fewer than they wait for') or diag(sql(missing('many')));
note('transactions: ', sql('SELECT count(DISTINCT xmin::text) FROM got'), ', records: ', sql('SELECT count(*) FROM got'));

sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'consumer_%'});
$_->finish foreach @runs;
my @errors = map { grep { /ERROR|FATAL/ && !/canceling statement|terminating connection|current transaction is aborted|syntax error|does not exist/ } split /\n/, slurp_file($_) }
  glob("$directory/consumer_*.err");
is(join("\n", @errors), '', 'consumers met no error but being cancelled');
$node->stop;
done_testing();
