# Files under test: src/share/share_window.c, src/share/share_transaction.c, src/share/share_row.c,
# src/share/share_table.c, src/share/share_group.c, src/consume/consume_shared.c, src/consume/acknowledge.c,
# src/consume/share_death.c.
# Many workers of a share group, through a connection pooler, each of which does at random what workers do:
# accepts in the transaction in which it consumes, or by a lease in a later one; rolls back, to a savepoint or
# as a whole; prepares; releases, rejects, renews, forgets; is too late.  Meanwhile acknowledgements
# are merged, backends are killed, and in the end a standby is promoted.
#
# The model: a worker writes a record into "done" in the transaction that accepts it.  So in the end each
# record is in "done" or in the dead-letter topic, once, and not in both.
#
# TOPIC_TEST_SEED repeats a run, TOPIC_TEST_HISTORIES asks for more turns of each worker.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use Pooler;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
my $turns = $ENV{TOPIC_TEST_HISTORIES} // 120;
srand($seed);
note("TOPIC_TEST_SEED=$seed TOPIC_TEST_HISTORIES=$turns");

plan skip_all => 'pgbouncer is not installed' unless Pooler::program();

my $partitions = 2;
my $workers = 6;

my $primary = new_node('primary', init => { allows_streaming => 1 },
	settings => [ 'max_connections = 40', 'wal_keep_size = 1GB', 'fsync = off', 'restart_after_crash = on',
		'pg_topics.share_partition_max_record_locks = 100', 'pg_topics.max_share_partitions = 3' ]);
$primary->start;
$primary->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('jobs', partitions => $partitions, config => '{"max.attempts": 6}');
	SELECT create_topic('"jobs.dlq"');
	SELECT create_topic('others', partitions => 2);
	INSERT INTO others (key, value) SELECT i, i FROM generate_series(1, 100) i;
	CREATE TABLE sent (n int);
	CREATE TABLE done (n int, partition int, record_offset bigint, worker text);
	CREATE TABLE held (worker text, n int, partition int, record_offset bigint, delivery_count int);
	CREATE SEQUENCE numbers;
});
# The group is there before anybody prepares a transaction: others would wait for the one that makes it.
$primary->safe_psql('postgres', q{SELECT count(*) FROM consume_shared('jobs', 'g')});
my $standby = start_standby($primary);

# ---- the pooler --------------------------------------------------------------

my $pooler = Pooler->new;

# Fewer server connections than workers, handed out a transaction at a time.
sub start_pooler
{
	my ($node) = @_;

	$pooler->start($node, 'pool_mode = transaction', 'default_pool_size = 5', 'max_client_conn = 50', 'server_login_retry = 0');
	return;
}

# ---- workers -----------------------------------------------------------------

my $names = 0;

# Produce some jobs; some of it rolls back, which leaves gaps.
sub produce
{
	my $many = 1 + int(rand 30);
	my $end = rand() < 0.2 ? 'ROLLBACK' : 'COMMIT';
	my $early = rand() < 0.3 ? "SELECT count(*) FROM flush();\n" : '';

	return "BEGIN;\nWITH new AS (INSERT INTO sent SELECT nextval('numbers') FROM generate_series(1, $many) RETURNING n)\n"
	  . "INSERT INTO jobs (partition, value) SELECT n % $partitions, n FROM new;\n$early$end;\n";
}

# Records of a call, as rows of "done".
sub done
{
	my ($worker, $call) = @_;

	return "INSERT INTO done SELECT value::int, partition, record_offset, '$worker' FROM $call;\n";
}

# Process within one transaction.
sub in_transaction
{
	my ($worker) = @_;
	my $many = 1 + int(rand 12);
	my $call = "consume_shared('jobs', 'g', $many)";
	my $dice = rand 100;

	return done($worker, $call) if $dice < 20;
	return "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM held;\n" . done($worker, $call) . "COMMIT;\n" if $dice < 25;
	# wait within the statement, whose snapshot is older then; the loop's blocks are subtransactions
	return "DO \$\$ DECLARE r record; BEGIN\nFOR r IN SELECT * FROM consume_shared('jobs', 'g', $many, timeout => '5 ms', auto_acknowledge => false) LOOP\nBEGIN\n"
	  . "INSERT INTO done VALUES (r.value::int, r.partition, r.record_offset, '$worker');\n"
	  . "PERFORM acknowledge('jobs', 'g', r.partition, r.record_offset);\nIF r.value::int % 7 = 0 THEN RAISE 'no'; END IF;\n"
	  . "EXCEPTION WHEN raise_exception THEN\nPERFORM acknowledge('jobs', 'g', r.partition, r.record_offset, CASE WHEN r.value::int % 50 = 0 THEN 'reject' ELSE 'release' END);\n"
	  . "END; END LOOP; END \$\$;\n" if $dice < 30;
	return "BEGIN;\n" . done($worker, $call) . "ROLLBACK;\n" if $dice < 40;
	return "BEGIN;\nSAVEPOINT a;\n" . done($worker, $call) . "ROLLBACK TO a;\n" . done($worker, $call) . "COMMIT;\n" if $dice < 55;
	return "BEGIN;\nSAVEPOINT a;\n" . done($worker, $call) . "RELEASE a;\n" . done($worker, $call) . "COMMIT;\n" if $dice < 65;
	if ($dice < 80)
	{
		my $gid = "'" . $worker . '_' . ++$names . "'";
		my $end = rand() < 0.7 ? 'COMMIT' : 'ROLLBACK';
		# some are left for others to end
		my $ended = rand() < 0.7 ? "$end PREPARED $gid;\n" : '';
		return "BEGIN;\n" . done($worker, $call) . "PREPARE TRANSACTION $gid;\n$ended";
	}
	# accept some, and leave the others
	return "BEGIN;\nINSERT INTO done SELECT n, partition, record_offset, '$worker' FROM (\n"
	  . "SELECT value::int AS n, partition, record_offset, CASE WHEN record_offset % 3 > 0 THEN acknowledge('jobs', 'g', partition, record_offset, delivery_count => delivery_count) IS NOT NULL END AS accepted\n"
	  . "FROM consume_shared('jobs', 'g', $many, auto_acknowledge => false)) c WHERE accepted IS NOT NULL;\nCOMMIT;\n";
}

# Lease, and acknowledge in another transaction, perhaps too late.
sub by_lease
{
	my ($worker) = @_;
	my $many = 1 + int(rand 12);
	my $lease = rand() < 0.3 ? '3 ms' : '2 s';
	my $take = "DELETE FROM held WHERE worker = '$worker';\n"
	  . "INSERT INTO held SELECT '$worker', value::int, partition, record_offset, delivery_count FROM consume_shared('jobs', 'g', $many, lease => '$lease');\n";
	my $of = "FROM held WHERE worker = '$worker'";
	my $dice = rand 100;
	my $late = rand() < 0.2 ? "SELECT pg_sleep(0.01);\n" : '';
	my $end = rand() < 0.15 ? 'ROLLBACK' : 'COMMIT';

	return $take if $dice < 10;
	return "BEGIN;\n$take" . "ROLLBACK;\n" if $dice < 15;
	return $take . "SELECT count(acknowledge('jobs', 'g', partition, record_offset, CASE WHEN n % 50 = 0 THEN 'reject' ELSE 'release' END, delivery_count)) $of;\n" if $dice < 35;
	$take .= "SELECT count(renew('jobs', 'g', partition, record_offset, '1 s', delivery_count)) $of;\n" if $dice < 50;
	return $take . $late . "BEGIN;\nINSERT INTO done SELECT n, partition, record_offset, '$worker' $of;\n"
	  . "SELECT count(acknowledge('jobs', 'g', partition, record_offset, 'accept', delivery_count)) $of;\n$end;\n";
}

sub script
{
	my $script = "\\set ON_ERROR_STOP off\n";

	for (1 .. $turns)
	{
		my $worker = 'w' . ++$names;
		my $dice = rand 100;

		if ($dice < 25) { $script .= produce() }
		elsif ($dice < 60) { $script .= in_transaction($worker) }
		elsif ($dice < 94) { $script .= by_lease($worker) }
		elsif ($dice < 97) { $script .= "SELECT merge_share_acks();\n" }
		# groups that need the windows as well
		else { $script .= "SELECT count(*) FROM consume_shared('others', 'o" . int(rand 3) . "', 5);\n" }
	}
	return $script;
}

# Let workers do their turns; "meanwhile" runs beside them.
sub work
{
	my ($node, $meanwhile) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @started;

	for my $worker (1 .. $workers)
	{
		my $file = "$directory/$worker";

		append_to_file("$file.sql", script());
		push @started, { file => $file, run => IPC::Run::start(
			[ 'psql', '-XAtq', '-d', $pooler->connstr, '-f', "$file.sql" ],
			'<', \undef, '>', "$file.out", '2>', "$file.err") };
	}
	$meanwhile->() if $meanwhile;
	$_->{run}->finish foreach @started;

	# what may go wrong: a lease that has ended, somebody else's record, the lost server
	my @unexpected = map { slurp_file("$_->{file}.err") =~ /^psql:.*?(?:ERROR|FATAL|PANIC):  (.*)/mg } @started;
	@unexpected = grep { !/has not acquired|is done with|has delivered|another transaction has|too many partitions are in use|maximum number of prepared transactions/ } @unexpected;
	@unexpected = grep { !/terminat|crash|connection|recovery|starting up|current transaction is aborted|does not exist|unexpected eof|server/ } @unexpected;
	is(join("\n", @unexpected), '', 'workers met no other error than being late');
	return;
}

# ---- the model ---------------------------------------------------------------

# What is wrong with "done", with the dead-letter topic, and, at the end, with what is in neither.
sub check
{
	my ($node, $name, $at_end) = @_;

	is($node->safe_psql('postgres', 'SELECT n, count(*) FROM done GROUP BY n HAVING count(*) > 1'), '',
		"$name: no record is accepted twice");
	is($node->safe_psql('postgres', 'SELECT value, count(*) FROM "jobs.dlq" GROUP BY value HAVING count(*) > 1'), '',
		"$name: no record is given up twice");
	is($node->safe_psql('postgres', 'SELECT n FROM done INTERSECT SELECT value::int FROM "jobs.dlq"'), '',
		"$name: no record is accepted and given up");
	is($node->safe_psql('postgres', q{SELECT value FROM "jobs.dlq" WHERE (headers->>'nack.attempts')::int < 6 AND value::int % 50 > 0}), '',
		"$name: records are given up after their last try");
	is($node->safe_psql('postgres', 'SELECT n FROM done EXCEPT SELECT n FROM sent'), '', "$name: nothing is made up");
	return unless $at_end;
	is($node->safe_psql('postgres', 'SELECT n FROM sent EXCEPT SELECT n FROM done EXCEPT SELECT value::int FROM "jobs.dlq"'), '',
		"$name: no record is lost");
	is($node->safe_psql('postgres', q{SELECT sum(lag), sum(acquired), sum(pending) FROM pg_topic_share_groups WHERE group_id = 'g'}), '0|0|0',
		"$name: the group is done with all");
	return;
}

# Consume what is left, when all leases have ended.
sub drain
{
	my ($node) = @_;

	end_prepared($node);
	$node->safe_psql('postgres', q{
		SET pg_topics.clock_offset = '1h';
		DO $$
		DECLARE more int := 1;
		BEGIN
			WHILE more > 0 LOOP
				INSERT INTO done SELECT value::int, partition, record_offset, 'last' FROM consume_shared('jobs', 'g', 50);
				GET DIAGNOSTICS more = ROW_COUNT;
				COMMIT;
			END LOOP;
		END $$;
	});
	return;
}

start_pooler($primary);
work($primary);
check($primary, 'workers');

for my $round (1 .. 2)
{
	work($primary, sub {
		crash_one($primary, sub {
			my $pid = $primary->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1});
			$pid = $primary->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}) if $pid eq '';
			kill 'KILL', $pid;
		});
	});
	wait_ready($primary);
	end_prepared($primary) if $round == 1;
	check($primary, "crash $round");
}
drain($primary);
check($primary, 'drained', 1);
is($primary->safe_psql('postgres', 'SELECT merge_share_acks() >= 0'), 't', 'merged');

work($primary);
catch_up($primary, $standby);
is($standby->safe_psql('postgres', q{SELECT sum(lag) IS NOT NULL FROM pg_topic_share_groups WHERE group_id = 'g'}), 't',
	'a standby shows the group');
$pooler->stop;
$primary->stop('immediate');
$standby->promote;
start_pooler($standby);
work($standby);
drain($standby);
check($standby, 'promoted', 1);
cmp_ok($standby->safe_psql('postgres', 'SELECT count(*) FROM done'), '>', 100, 'there was something to do');
$pooler->stop;
$standby->stop;
done_testing();
