# Base backups taken under load: started as they are and recovered from the
# archive, to the end and to a point in time, topics and tables agree.
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

my $primary = new_node('primary', init => { allows_streaming => 1, has_archiving => 1 },
	settings => [ 'max_connections = 30', 'shared_buffers = 16MB' ]);
$primary->start;
create_load_schema($primary);
$primary->safe_psql('postgres', q{
	SET pg_topics.batch_size = '4kB';
	SELECT create_topic('emptied', config => '{"segment.bytes": 16384}');
	INSERT INTO emptied (value) SELECT repeat('e', 100) FROM generate_series(1, 2000);
	SELECT create_topic('doomed', config => '{"segment.bytes": 16384}');
	INSERT INTO doomed (value) SELECT repeat('d', 100) FROM generate_series(1, 2000);
});
$primary->safe_psql('postgres', 'TRUNCATE emptied');
$primary->safe_psql('postgres', q{INSERT INTO emptied (value) SELECT 'after' FROM generate_series(1, 10)});

my $transactions = 'SELECT count(DISTINCT (client, n)) FROM sent';

sub wait_for_transactions
{
	my ($more) = @_;
	my $before = $primary->safe_psql('postgres', $transactions);

	$primary->poll_query_until('postgres', "SELECT ($transactions) > $before + $more")
	  or die 'the load does not get on';
	return;
}

# A server from a backup, running.
sub restored
{
	my ($name, $backup, $conf, @params) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($primary, $backup, @params);
	# it must not write to the archive it reads
	$node->append_conf('postgresql.conf', "archive_mode = off\n$conf");
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
	return $node;
}

# All is as it should be there, and stays so.
sub check_restored
{
	my ($node) = @_;
	my $name = $node->name;

	end_prepared($node);
	check_events($node, "$name: topic and table agree");
	is($node->safe_psql('postgres', q{SELECT min(record_offset), count(*), max(value) FROM emptied}), '2000|10|after',
		"$name: a topic that was truncated before the backup has only its later records");
	wait_resolved($node);
	check_events($node, "$name: topic and table agree when all outcomes are noted");

	my $load = start_load($node, clients => 2, transactions => 50);
	finish_load($load);
	check_events($node, "$name: topic and table agree after more load");
	kill_all($node);
	$node->start;
	check_events($node, "$name: topic and table agree after a crash");
	return;
}

# ---- the backup, with everything going on meanwhile --------------------------

# Slow enough that segments roll and checkpoints complete while it is copied.
my $load = start_load($primary, clients => 4, also => [ "CHECKPOINT;\n" x ENDLESS ]);
wait_for_transactions(100);
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/meanwhile.sql", q{
	CREATE FUNCTION wait_streamed(bytes bigint) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		WHILE NOT EXISTS (SELECT FROM pg_stat_progress_basebackup WHERE backup_streamed > bytes) LOOP
			PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
		END LOOP;
	END $$;
	SELECT wait_streamed(2000000);
	TRUNCATE doomed;
	SELECT wait_streamed(8000000);
	DROP FOREIGN TABLE doomed;
});
my $segments = q{SELECT sum(segments) FROM pg_topic_partitions WHERE topic = 'events'::regclass};
my $counted = $primary->safe_psql('postgres', $segments);
my $meanwhile = start_psql($primary, "$directory/meanwhile.sql", "$directory/meanwhile.out");
$primary->backup('backup', backup_options => [ '--wal-method=stream', '--max-rate=16M' ]);
ok($meanwhile->finish, 'a topic was truncated and dropped meanwhile');
cmp_ok($primary->safe_psql('postgres', $segments), '>', $counted + 5, 'segments rolled while the backup was taken');
command_ok([ 'pg_verifybackup', $primary->backup_dir . '/backup' ], 'pg_verifybackup finds the backup sound');

# ---- a point in the middle ---------------------------------------------------

wait_for_transactions(100);
$primary->safe_psql('postgres', q{SELECT pg_create_restore_point('middle')});
wait_for_transactions(100);
kill_all($primary);
finish_load($load);
$primary->start;
end_prepared($primary);
check_events($primary, 'the primary, after a crash: topic and table agree');
switch_archived($primary);
my $all = contents($primary, 'events');
my $total = $primary->safe_psql('postgres', $transactions);

# ---- restored ----------------------------------------------------------------

my $plain = restored('plain', 'backup', '');
cmp_ok($plain->safe_psql('postgres', $transactions), '<', $total,
	'a backup that is started without an archive ends with the backup');
check_restored($plain);
$plain->stop;

my $middle = restored('middle', 'backup',
	"recovery_target_name = 'middle'\nrecovery_target_action = 'promote'", has_restoring => 1, standby => 0);
my $here = $middle->safe_psql('postgres', $transactions);
ok($here < $total, 'recovery to a restore point leaves out later transactions');
check_restored($middle);
is($middle->safe_psql('postgres', q{SELECT to_regclass('doomed') IS NULL}), 't',
	'middle: a topic that was dropped before the restore point is gone');

# a backup of the recovered server, on its own timeline, is good as well
$middle->append_conf('postgresql.conf', 'max_wal_senders = 10');
$middle->restart;
$middle->backup('again');
command_ok([ 'pg_verifybackup', $middle->backup_dir . '/again' ],
	'pg_verifybackup finds a backup of the recovered server sound');
my $expected = contents($middle, 'events');
my $again = PostgreSQL::Test::Cluster->new('again');
$again->init_from_backup($middle, 'again');
$again->start;
ok(contents($again, 'events') eq $expected, 'a backup of the recovered server holds the same records');
$again->stop;
$middle->stop;

my $end = restored('end', 'backup', '', has_restoring => 1, standby => 0);
ok(contents($end, 'events') eq $all, 'recovery to the end of the archive restores all records of the primary');
check_restored($end);
$end->stop;
$primary->stop;

done_testing();
