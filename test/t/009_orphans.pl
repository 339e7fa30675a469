# Files that dropped topics have left are removed, those of topics that are being
# created are not, and a new topic never sees what was left behind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => ['pg_topics.maintenance_interval = 1']);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql($_, 'CREATE EXTENSION pg_topics') foreach qw(postgres other);

sub sql { return $node->safe_psql('postgres', @_); }

my $log_dir = $node->data_dir . '/pg_topics';
my $kept = PostgreSQL::Test::Utils::tempdir();

sub copy_tree
{
	my ($from, $to) = @_;

	PostgreSQL::Test::RecursiveCopy::copypath($from, $to);
	return;
}

# Wait until the maintenance launcher has looked at everything: directories that it must
# remove are made now, and are gone when it has looked.
my $marks = 0;

sub wait_launcher
{
	my $database = sql(q{SELECT oid FROM pg_database WHERE datname = current_database()});

	foreach my $i (1 .. 2)
	{
		my $mark = "$log_dir/$database/" . (4_000_000_000 + ++$marks) . '-0';
		mkdir "$log_dir/$database";
		mkdir $mark;
		poll_until(sub { !-e $mark }) or die 'the launcher does not look';
	}
	return;
}

# Create the topic "again" with that oid; large objects use up the ones before.
sub create_at
{
	my ($oid) = @_;

	sql("DO \$\$ BEGIN WHILE lo_creat(-1) < $oid - 1 LOOP END LOOP; END \$\$");
	sql(q{SELECT create_topic('again', partitions => 2)});
	return;
}

# ---- dropped, and killed before the files were removed -----------------------

sql(q{
	SELECT create_topic('dropped', partitions => 2);
	INSERT INTO dropped (value, partition) SELECT 'old', p FROM generate_series(0, 1) AS p, generate_series(1, 10);
	SELECT create_topic('stays', partitions => 2);
	INSERT INTO stays (value, partition) SELECT 'stays', p FROM generate_series(0, 1) AS p, generate_series(1, 10);
});
my @dropped = map { topic_directory($node, 'dropped', $_) } 0, 1;
copy_tree($_, $kept . '/' . ($_ =~ s{.*/}{}r)) foreach @dropped;
sql('DROP FOREIGN TABLE dropped');
ok(!-e $_, "DROP removes a partition's files at once") foreach @dropped;

foreach my $how ('stopped', 'killed')
{
	$how eq 'stopped' ? $node->stop : kill_all($node);
	copy_tree("$kept/" . ($_ =~ s{.*/}{}r), $_) foreach @dropped;
	$node->start;
	ok(poll_until(sub { !grep { -e } @dropped }), "$how: files that a dropped topic has left are collected");
	is(sql('SELECT count(*) FROM stays'), '20', "$how: a topic that is there stays whole");
	is(sql('SELECT count(*) FROM pg_topic_partitions'), '2',
		"$how: partitions of the dropped topic are not shown");
}

# A drop whose commit is flushed and whose WAL record of the removal is not:
# redo makes the files anew from the appends since the checkpoint.
sql(q{
	SELECT create_topic('replayed');
	CHECKPOINT;
	INSERT INTO replayed (value) SELECT 'old' FROM generate_series(1, 10);
});
my $replayed = topic_directory($node, 'replayed', 0);
sql('DROP FOREIGN TABLE replayed');
kill_all($node);
$node->start;
ok(poll_until(sub { !-e $replayed }), 'files of a dropped topic that recovery has made again are collected');

# ---- databases ---------------------------------------------------------------

$node->safe_psql('other', q{SELECT create_topic('events', partitions => 2); SELECT produce('events', 'k', 'v', partition => p) FROM generate_series(0, 1) AS p});
my $oid = sql(q{SELECT oid FROM pg_database WHERE datname = 'other'});
ok(-d "$log_dir/$oid", 'a database whose topic has records has a directory');
copy_tree("$log_dir/$oid", "$kept/$oid");
sql('DROP DATABASE other');
ok(poll_until(sub { !-e "$log_dir/$oid" }), "DROP DATABASE removes the topics' files");
$node->stop;
copy_tree("$kept/$oid", "$log_dir/$oid");
$node->start;
ok(poll_until(sub { !-e "$log_dir/$oid" }),
	'files that a dropped database has left are collected when the server starts');
is(sql('SELECT count(*) FROM stays'), '20', 'collecting them leaves topics of other databases alone');

# also while it is there: the launcher notices
copy_tree("$kept/$oid", "$log_dir/$oid");
ok(poll_until(sub { !-e "$log_dir/$oid" }), 'files of a dropped database are collected while the server runs');

# things that are not topics are left alone
mkdir "$log_dir/not a database";
append_to_file("$log_dir/stays/x", '') if mkdir "$log_dir/stays";
my ($database) = topic_directory($node, 'stays', 0) =~ m{(.*)/};
mkdir "$database/no topic";
wait_launcher();
ok(-d "$log_dir/not a database" && -d "$database/no topic" && -e "$log_dir/stays/x",
	'files and directories that are no topics are left alone');

# ---- open transactions -------------------------------------------------------

my $session = open_session($node);
$session->run(q{
	BEGIN;
	SELECT create_topic('created', partitions => 2);
	SELECT produce('created', 'k', 'kept', partition => p) FROM generate_series(0, 1) AS p;
	SELECT count(*) FROM flush();
	SELECT produce('created', 'k', 'kept', partition => p) FROM generate_series(0, 1) AS p});
my $created = $node->data_dir . '/' . $session->run(q{
	SELECT format('pg_topics/%s/%s-1', oid, 'created'::regclass::oid) FROM pg_database WHERE datname = current_database()});
ok(-d $created, 'a topic whose creation has not committed has files');
wait_launcher();
ok(-d $created, 'files of a topic whose creation has not committed are not collected');
$session->run('COMMIT');
is(sql('SELECT count(*) FROM created'), '4', 'once the creation commits all records are there');

$session->run(q{
	BEGIN;
	SELECT create_topic('never');
	SELECT produce('never', 'k', 'lost');
	SELECT count(*) FROM flush()});
my $never = $node->data_dir . '/' . $session->run(q{
	SELECT format('pg_topics/%s/%s-0', oid, 'never'::regclass::oid) FROM pg_database WHERE datname = current_database()});
ok(-d $never, 'a topic whose creation is to be rolled back has files');
$session->run('ROLLBACK');
ok(!-e $never, 'rolling back the creation removes the files');

# in a subtransaction
$session->run(q{
	BEGIN;
	SAVEPOINT a;
	SELECT create_topic('never');
	ROLLBACK TO a;
	SELECT create_topic('later');
	SELECT produce('later', 'k', 'kept')});
wait_launcher();
$session->run('COMMIT');
is(sql('SELECT value FROM later'), 'kept', 'a topic created after a rollback to a savepoint keeps its record');

# a session that is killed while it creates
$session->run(q{
	BEGIN;
	SELECT create_topic('never');
	SELECT produce('never', 'k', 'lost');
	SELECT count(*) FROM flush()});
$never = $node->data_dir . '/' . $session->run(q{
	SELECT format('pg_topics/%s/%s-0', oid, 'never'::regclass::oid) FROM pg_database WHERE datname = current_database()});
ok(-d $never, 'a topic that a session is creating has files');
kill_all($node);
$node->start;
ok(poll_until(sub { !-e $never }), 'when the server crashes before the commit the files are collected');

# DROP rolled back: nothing is lost, whatever looks meanwhile
$session = open_session($node);
$session->run(q{BEGIN; DROP FOREIGN TABLE stays});
wait_launcher();
$session->run('ROLLBACK');
is(sql('SELECT count(*) FROM stays'), '20', 'a drop that is rolled back loses nothing');
$session->run(q{BEGIN; SELECT produce('stays', 'k', 'late', partition => 0); SAVEPOINT a; DROP FOREIGN TABLE stays; ROLLBACK TO a; COMMIT});
is(sql('SELECT count(*) FROM stays'), '21', 'a drop that is rolled back to a savepoint loses nothing');
$session->close;

# ---- an oid that comes again -------------------------------------------------

# Files lie where the next topic's will be, with valid batches of a committed
# transaction.  The launcher must not be quicker.
$node->append_conf('postgresql.conf', 'pg_topics.maintenance_interval = 86400');
$node->restart;
my $next = sql('SELECT lo_creat(-1)') + 100;
copy_tree("$kept/" . ($dropped[$_] =~ s{.*/}{}r), "$database/$next-$_") foreach 0, 1;
create_at($next);
is(sql(q{SELECT 'again'::regclass::oid}), $next, 'a new topic gets the oid whose files lie there');
is(sql('SELECT count(*) FROM again'), '0', 'a new topic does not show records of old files with its oid');
sql(q{SELECT produce('again', 'k', 'new', partition => 1)});
is(sql('SELECT partition, record_offset, value FROM again'), '1|0|new',
	'a new topic begins at offset 0 whatever old files lie there');
$node->restart;
is(sql('SELECT partition, record_offset, value FROM again'), '1|0|new',
	'after a restart the new topic shows its own record alone');

# a leftover with a slot in shared memory: there when the server started
sql('DROP FOREIGN TABLE again');
$next = sql('SELECT lo_creat(-1)') + 100;
$node->append_conf('postgresql.conf', 'max_worker_processes = 1');	# that is the sync process
$node->stop;
copy_tree("$kept/" . ($dropped[$_] =~ s{.*/}{}r), "$database/$next-$_") foreach 0, 1;
$node->start;
ok(-e "$database/$next-0", 'without a maintenance process old files stay');
create_at($next);
is(sql(q{SELECT 'again'::regclass::oid}), $next, 'a new topic gets an oid whose files the server has loaded');
is(sql('SELECT count(*) FROM again'), '0',
	'a new topic does not show records that the server has loaded for its oid');
$node->stop;

done_testing();
