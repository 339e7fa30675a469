# A log directory that another cluster has written is refused, but taken over
# after pg_upgrade when told to.
use strict;
use warnings;

use File::Path;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($old, $new) = map { new_node($_) } qw(old new);
$old->start;
create_load_schema($old);
my $load = start_load($old, clients => 2, transactions => 100);
finish_load($load);
wait_resolved($old);
my $expected = contents($old, 'events');
my $end = q{SELECT sum(log_end_offset) FROM pg_topic_partitions};
my $old_end = $old->safe_psql('postgres', $end);
$old->stop;

sub identifier
{
	my ($node) = @_;
	my ($out) = run_command([ 'pg_controldata', $node->data_dir ]);

	return $out =~ /system identifier:\s+(\d+)/ ? $1 : die 'no system identifier';
}

sub failed_start
{
	my ($node) = @_;
	my $log = -s $node->logfile;

	my $started = $node->start(fail_ok => 1);
	ok(!$started, "a server with another cluster's log directory does not start");
	$node->stop if $started;
	return slurp_file($node->logfile, $log);
}

# ---- pg_upgrade --------------------------------------------------------------

# It copies what it knows: the topics are there, their files are not.
{
	my $bin = $old->config_data('--bindir');
	my $here = PostgreSQL::Test::Utils::tempdir();

	chdir $here or die $!;
	local $ENV{PGPORT} = $new->port;
	$new->command_ok([
		'pg_upgrade', '--no-sync', '-b', $bin, '-B', $bin, '-d', $old->data_dir, '-D', $new->data_dir,
		'-p', $old->port, '-P', $new->port, '-s', $new->host ], 'pg_upgrade succeeds');
}
my $directory = $new->data_dir . '/pg_topics';
my $original = $old->data_dir . '/pg_topics';

# Bring the old cluster's files, as the manual has it.
sub copy_logs
{
	rmtree($directory);
	PostgreSQL::Test::RecursiveCopy::copypath($original, $directory);
	return;
}

# ---- refused -----------------------------------------------------------------

copy_logs();
my @before = map { [ $_, -s ] } sort glob("$directory/*/*/*");
my ($here, $there) = map { identifier($_) } $new, $old;
isnt($here, $there, 'the new cluster has another system identifier');
append_to_file($new->logfile, '');
my $log = failed_start($new);
like($log, qr/FATAL:  the topics in "pg_topics" belong to another database cluster/,
	'the error says that the topics are of another cluster');
like($log, qr/DETAIL:  .*$there; this cluster has system identifier $here/,
	'the error names both system identifiers');
like($log, qr/HINT:  .*pg_topics.adopt_log_dir = on/, 'the hint says how to take the topics over');
is_deeply([ map { [ $_, -s ] } sort glob("$directory/*/*/*") ], \@before,
	'a start that is refused changes no file');
like(failed_start($new), qr/belong to another database cluster/, 'a second start is refused in the same way');

# without a recovery point the segments themselves tell whose they are
unlink "$directory/recovery_point";
like(failed_start($new), qr/belong to another database cluster/,
	'without a recovery point the start is refused as well');

# ---- adopted -----------------------------------------------------------------

# "start once": also when nothing is produced then
copy_logs();
$new->append_conf('postgresql.conf', 'pg_topics.adopt_log_dir = on');
$new->start;
ok(contents($new, 'events') eq $expected, 'taken over by pg_topics.adopt_log_dir, all records are there');
$new->stop;
$new->adjust_conf('postgresql.conf', 'pg_topics.adopt_log_dir', undef);
ok($new->start(fail_ok => 1), 'once is enough') or die 'the log directory needs to be taken over only once';
ok(contents($new, 'events') eq $expected, 'the next start without the setting shows all records');
is($new->safe_psql('postgres', $end), $old_end, 'in the new cluster the logs end at the same offsets');
check_events($new, 'in the new cluster topic and table agree');

# it is its own: goes on, crashes, and comes back
$load = start_load($new, clients => 2, transactions => 50);
finish_load($load);
check_events($new, 'after more load topic and table agree');
kill_all($new);
$new->start;
check_events($new, 'after a crash topic and table agree');
wait_resolved($new);
$new->restart;
check_events($new, 'after a restart topic and table agree');
$new->stop;

# the old cluster still takes its own
$old->start;
ok(contents($old, 'events') eq $expected, 'the old cluster still has all its records');
$old->stop;

done_testing();
