# The power goes, at any moment: what was not on disk is gone.  Afterwards each
# acknowledged transaction is there, topics and tables agree, and no file is
# damaged.
#
# The data directory is on a disk whose power can be cut (ScratchDisk.pm); what the
# clients were told is outside of it.  Cuts come at random moments of a load that
# rolls, checkpoints, resolves, deletes and compacts all the time, and while a
# process stands still at one of the sources' fault points; of the only server, and of
# a standby behind its restart points.  Controls leave out syncs and must lose data,
# else this test could not tell.
#
# TOPIC_TEST_CUTS=n: so many cuts of either kind ("test/run power n").
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use List::Util qw(max shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ScratchDisk;
use Test::More;
use Time::HiRes qw(usleep);
use TopicTest;

need_scratch_disk();

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");
my $cuts = $ENV{TOPIC_TEST_CUTS} // 3;

# What clients may see while the disk is gone.
my $gone = qr/Input\/output error|PANIC|could not|No such file|checkpoint request failed|WARNING|FATAL/;

# ---- the cluster and its load ------------------------------------------------

my @settings = ('min_wal_size = 2MB', 'max_wal_size = 16MB', 'pg_topics.batch_size = 1kB',
	'pg_topics.log_retention_check_interval_ms = 1d');

# A cluster on the disk.
sub make_node
{
	my ($name, @more) = @_;
	my $node = new_node($name, init => { extra => ['--wal-segsize=1'] }, settings => [ @settings, @more ]);

	clear_disk();
	move_to_disk($node);
	$node->start;
	create_schema($node);
	return $node;
}

sub create_schema
{
	my ($node) = @_;

	create_load_schema($node);
	$node->safe_psql('postgres', q{
		CREATE TABLE got (partition int, record_offset bigint, value text);
		-- the last value of each key, and a topic that is compacted
		SELECT create_topic('changes', config => '{"cleanup.policy": "compact", "segment.bytes": 4096}');
		CREATE TABLE state (key text PRIMARY KEY, value text);
		CREATE FUNCTION set_state(n int) RETURNS void LANGUAGE sql AS $$
			INSERT INTO state VALUES ('key ' || n % 20, n || repeat('x', 100))
			ON CONFLICT (key) DO UPDATE SET value = excluded.value;
			SELECT produce('changes', 'key ' || n % 20, n || repeat('x', 100)); $$;
		-- numbers in order, and a topic whose beginning is deleted
		SELECT create_topic('trimmed', config => '{"segment.bytes": 4096}');
		CREATE TABLE numbers (n int);
		CREATE FUNCTION add_number(n int) RETURNS void LANGUAGE sql AS $$
			INSERT INTO numbers VALUES (n);
			SELECT produce('trimmed', NULL::text, n || repeat('x', 100)); $$;
		-- numbers that Kafka transactions have brought with two records each; each is ended by the next one
		SELECT create_topic('kafka', partitions => 2, config => '{"segment.bytes": 4096}');
		CREATE TABLE kafka_numbers (n int)});
	create_kafka_txn_probe($node);
	$node->safe_psql('postgres', q{
		CREATE PROCEDURE add_kafka(n int) LANGUAGE plpgsql AS $$
		DECLARE
			number text; open bigint;
		BEGIN
			LOOP
				number := kafka_begin(n, 0);
				EXIT WHEN number <> 'try again';
				PERFORM pg_sleep(0.01);
			END LOOP;
			PERFORM kafka_append('kafka', p, number::bigint, n, 0, 0, '', ARRAY[n::text], 1, true) FROM generate_series(0, 1) p;
			COMMIT;
			SELECT t.number INTO open FROM kafka_transactions() t WHERE xid = 0 AND producer_id = n - 1;
			IF FOUND THEN
				INSERT INTO kafka_numbers VALUES (n - 1);
				IF kafka_end(open, true) <> 'done' OR n % 7 = 0 THEN
					ROLLBACK;
				END IF;
			END IF;
		END$$});
	return;
}

my $next = 1;

# What runs beside the clients of the load; numbers go on from round to round.
sub side_scripts
{
	my ($changes, $trimmed, $kafka) = ('', '', '');

	for my $n ($next .. $next + 4999)
	{
		$changes .= "SELECT set_state($n);\n\\echo state $n\n";
		$changes .= "SELECT FROM compact('changes');\n" if $n % 60 == 0;
		$kafka .= "CALL add_kafka($n);\n" . ($n % 7 == 0 ? '' : "\\echo kafka " . ($n - 1) . "\n");
		$trimmed .= "SELECT add_number($n);\n\\echo number $n\n";
		$trimmed .= "SELECT 'deleted ' || delete_records('trimmed', 0, greatest(0, log_end_offset - 30))"
		  . " FROM pg_topic_partitions WHERE topic = 'trimmed'::regclass;\n" if $n % 60 == 0;
	}
	$next += 5000;
	return ($changes, $trimmed, $kafka, "CHECKPOINT;\n" x 5000,
		"INSERT INTO got SELECT partition, record_offset, value FROM consume('events', 'g', 200);\n" x 5000);
}

# End the Kafka transaction that a load has left open: what comes behind it would not be seen.
sub end_kafka
{
	my ($node) = @_;

	poll_until(sub { $node->safe_psql('postgres', 'SELECT kafka_begin(0, 0)') ne 'try again' }) or die 'none begins';
	$node->safe_psql('postgres', 'SELECT kafka_end(number, false) FROM kafka_transactions() WHERE xid = 0');
	return;
}

# Start all of it, and wait until some transactions have gone by.
sub run_load
{
	my ($node, $transactions) = @_;
	my $count = 'SELECT count(DISTINCT (client, n)) FROM sent';
	my $before = $node->safe_psql('postgres', $count);
	end_kafka($node);
	my $load = start_load($node, clients => 3, transactions => 2000, also => [ side_scripts() ]);

	$node->poll_query_until('postgres', "SELECT ($count) > $before + $transactions") or die 'the load does not get on';
	return $load;
}

# ---- checking ----------------------------------------------------------------

# The largest number behind a word in what the clients were told.
sub told
{
	my ($load, $word) = @_;

	return max(0, map { slurp_file($_) =~ /^$word (\d+)$/mg } @{ $load->{files} });
}

# Acknowledged, agreeing and undamaged.
sub check_all
{
	my ($node, $load, $name) = @_;
	my $sql = sub { return $node->safe_psql('postgres', @_); };

	check_acknowledged($node, $load, $name);
	end_prepared($node);
	check_events($node, "$name: topic and table have the same records");
	cmp_ok($sql->(q{SELECT coalesce(max(substring(value FROM '^\d+')::int), 0) FROM state}), '>=', told($load, 'state'),
		"$name: the table of states has the last acknowledged change");
	is($sql->(q{SELECT count(*) FROM (SELECT key, value FROM latest(NULL::changes) EXCEPT SELECT * FROM state) AS s})
		  . $sql->(q{SELECT count(*) FROM (SELECT * FROM state EXCEPT SELECT key, value FROM latest(NULL::changes)) AS s}),
		'00', "$name: latest() of the compacted topic has the same rows as its table");
	cmp_ok($sql->('SELECT coalesce(max(n), 0) FROM numbers'), '>=', told($load, 'number'),
		"$name: the table of numbers has the last acknowledged number");
	is($sql->(q{
		WITH t AS (SELECT substring(value FROM '^\d+')::int AS n FROM trimmed)
		SELECT coalesce((SELECT array_agg(n) FROM t), '{}') =
			coalesce((SELECT array_agg(n ORDER BY n) FROM numbers WHERE n >= (SELECT min(n) FROM t)), '{}')}),
		't', "$name: the trimmed topic has the last records, as its table does");
	cmp_ok($sql->(q{SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'trimmed'::regclass}), '>=',
		told($load, 'deleted'), "$name: the log starts at or behind the last acknowledged deletion");
	# on a standby it is open at the end, and nothing is behind it
	end_kafka($node) if $sql->('SELECT pg_is_in_recovery()') eq 'f';
	cmp_ok($sql->('SELECT coalesce(max(n), 0) FROM kafka_numbers'), '>=', told($load, 'kafka') - 1,
		"$name: the table of Kafka transactions has the last acknowledged one");
	is($sql->(q{SELECT string_agg(n::text, ' ') FROM (SELECT n FROM (SELECT value::int AS n FROM kafka UNION ALL SELECT n FROM kafka_numbers) AS s
			GROUP BY n HAVING count(*) <> 3) AS torn}), '', "$name: each of them is there with its two records, and no others");
	is($sql->(q{SELECT count(*) FROM got g LEFT JOIN events e USING (partition, record_offset) WHERE e.value IS DISTINCT FROM g.value}),
		'0', "$name: each consumed record is in the topic");
	is($sql->(q{SELECT count(*) - count(DISTINCT (partition, record_offset)) FROM got}), '0',
		"$name: no record was consumed twice");
	is($sql->(q{SELECT string_agg(v::text, E'\n') FROM unnest('{events,changes,trimmed,kafka}'::regclass[]) AS t, verify_topic(t) AS v}),
		'', "$name: verify_topic() finds no damage");
	return;
}

# ---- cuts --------------------------------------------------------------------

my $node = make_node('main');

# Sometimes the kernel has written everything just before.
sub cut
{
	my ($load, $name) = @_;
	my $synced = rand() < 0.3;

	system('sync', '-f', $node->data_dir) if $synced;
	usleep(rand(30_000));
	lose_power($node);
	finish_load($load, expected => $gone);
	$node->start;
	check_all($node, $load, $name . ($synced ? ', after a sync' : ''));
	return;
}

foreach my $round (1 .. $cuts)
{
	my $load = run_load($node, 20 + int(rand(150)));

	cut($load, "power cut $round at a random moment");
}

# The steps of which each may be the last; those of CREATE and DROP are none of this load's,
# and a segment is discarded only where rewriting it fails.  Its batches are too young to be merged,
# no topic has an index of keys, no producer is given an id, no group shares a topic, no Kafka transaction waits for
# another one, and no Kafka client is there; 035_crash_points.pl, 084_idempotent_producers.pl and 191_kafka_txn_crash.pl
# come to these steps.
my %points = map { $_ => 1 }
  grep { !/^(reserve|drop|discard|key-index|merge|producer-ids|sync-producers|share|kafka-numbers|kafka-settled?|kafka-rejected|txn-end)\b/ } map { slurp_file($_) =~ /\bFAULT_POINT\("([^"]+)"\)/g } glob("$FindBin::RealBin/../../src/*.c $FindBin::RealBin/../../src/*/*.c $FindBin::RealBin/../../src/*/*/*.c");

foreach my $point ((shuffle sort keys %points)[ 0 .. $cuts - 1 ])
{
	last if !defined $point;
	my $load = run_load($node, 10);
	my $from = -s $node->logfile;

	$node->safe_psql('postgres', "ALTER SYSTEM SET pg_topics.fault_point = '$point:stop'");
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	ok(poll_until(sub { slurp_file($node->logfile, $from) =~ /stopping at fault point "\Q$point\E"/ }),
		"a process stops at the fault point $point");
	# it would stop recovery as well
	unlink $node->data_dir . '/postgresql.auto.conf';
	system('sync', $node->data_dir);
	cut($load, "power cut at the fault point $point");
}
$node->stop;

# ---- controls ----------------------------------------------------------------

# A load with a checkpoint in it, and the power goes; true where something is lost.
sub loses
{
	my ($of) = @_;
	my $load = run_load($of, 100);

	$of->safe_psql('postgres', 'CHECKPOINT');
	lose_power($of);
	finish_load($load, expected => $gone);
	return 'the server does not start' unless $of->start(fail_ok => 1);
	my ($code, $out, $err) = $of->psql('postgres', q{SELECT DISTINCT client || ' ' || n FROM sent});
	my %there = map { $_ => 1 } split /\n/, $out;
	my $missing = grep { !$there{"$_->[0] $_->[1]"} } acknowledged($load);
	my $differs = eval { end_prepared($of); events_differ($of) } // ($@ =~ /(ERROR:.*)/ ? $1 : $@);

	$of->stop('immediate');
	return $missing ? "$missing transactions are lost" : $differs;
}

my %controls = (
	'without fsync' => 'fsync = off',
	# WAL and tables are synced, segments are not
	"without the segments' syncs" => "pg_topics.fault_point = 'segment-sync:skip'");

foreach my $control (sort keys %controls)
{
	(my $name = $control) =~ s/\W+/_/g;
	my $lost = loses(make_node($name, $controls{$control}));

	isnt($lost, '', "$control a power cut loses data, so that this test would see it");
	note("$control: $lost");
}

# ---- a standby's power -------------------------------------------------------

my $primary = new_node('primary', init => { allows_streaming => 1, extra => ['--wal-segsize=1'] },
	settings => [ @settings, 'max_connections = 20', 'wal_keep_size = 1GB' ]);
$primary->start;
create_schema($primary);

# A standby whose data directory is on the disk.
sub make_standby
{
	my ($name, @more) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name);

	$primary->backup($name);
	$standby->init_from_backup($primary, $name, has_streaming => 1);
	$standby->append_conf('postgresql.conf', join("\n", 'wal_retrieve_retry_interval = 50ms', @more));
	clear_disk();
	move_to_disk($standby);
	$standby->start;
	return $standby;
}

# It makes a restart point in mid-replay, gets on a little, and its power goes.
sub lose_standby
{
	my ($standby) = @_;
	my $load = run_load($primary, 20);

	$primary->safe_psql('postgres', 'CHECKPOINT');
	my $lsn = $primary->safe_psql('postgres', 'SELECT pg_current_wal_flush_lsn()');
	$standby->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() >= '$lsn'") or die 'the standby does not follow';
	$standby->safe_psql('postgres', 'CHECKPOINT');
	my $replayed = $standby->safe_psql('postgres', 'SELECT pg_last_wal_replay_lsn()');
	$standby->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() > '$replayed'::pg_lsn + 20000")
	  or die 'the standby does not get on';
	usleep(rand(100_000));
	lose_power($standby);
	# the primary's clients and what they have left behind
	stop_load($primary, $load);
	return $load;
}

my $standby = make_standby('standby');
foreach my $round (1 .. $cuts)
{
	my $load = lose_standby($standby);

	$standby->start;
	catch_up($primary, $standby);
	check_all($standby, $load, "power cut $round of a standby");
}
$standby->stop;

my $careless = make_standby('careless', "pg_topics.fault_point = 'segment-sync:skip'");
lose_standby($careless);
my $lost = !$careless->start(fail_ok => 1) ? 'it does not start'
  : !eval { catch_up($primary, $careless); 1 } ? 'it does not catch up'
  : join(' ', map { contents($primary, $_) eq (eval { contents($careless, $_) } // $@) ? () : "$_ differs" } qw(events changes trimmed));
isnt($lost, '', "a standby without the segments' syncs loses data");
note("standby without the segments' syncs: $lost");
$careless->stop('immediate', fail_ok => 1);
clear_disk();

done_testing();
