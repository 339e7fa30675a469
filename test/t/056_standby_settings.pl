# A standby that has room for fewer partitions than its primary does not die of it in
# mid-recovery: it says so when it starts, and pauses when the primary gets a larger
# setting, as for max_connections and the like.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $primary = new_node('primary', init => { allows_streaming => 1 },
	settings => [ 'wal_keep_size = 1GB', 'pg_topics.max_partitions = 20' ]);
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION pg_topics; SELECT create_topic('events', partitions => 3)});
my $next = 0;

# Produce to a topic's partition, on the primary.
sub produce
{
	my ($topic, $partition) = @_;

	$primary->safe_psql('postgres', sprintf q{SELECT produce('%s', 'k', '%d', partition => %d)}, $topic, ++$next, $partition);
	return;
}

sub set_partitions
{
	my ($node, $partitions) = @_;

	$node->append_conf('postgresql.conf', "pg_topics.max_partitions = $partitions");
	return;
}

# It does not start, and says why.
sub fails_to_start
{
	my ($node, $name, $partitions, $wanted) = @_;
	my $from = -s $node->logfile;

	$node->start(fail_ok => 1);
	# what is replayed decides, which may be after pg_ctl has seen it start
	ok(poll_until(sub { !-e $node->data_dir . '/postmaster.pid' }), "$name does not start");
	$node->{_pid} = undef;
	like(slurp_file($node->logfile, $from),
		qr/FATAL:  recovery aborted because of insufficient parameter settings\n.*DETAIL:  pg_topics.max_partitions = $partitions is a lower setting than on the primary server, where its value was $wanted\./,
		"$name says in its log why it does not start");
	return;
}

# Ask for promotion, and see whether that is refused.
sub try_promote
{
	my ($node) = @_;
	my $since = -s $node->logfile;

	$node->safe_psql('postgres', 'SELECT pg_promote(wait => false)');
	return !poll_until(sub { slurp_file($node->logfile, $since) =~ /promotion is not possible because of insufficient parameter settings/ });
}

sub shows_the_same
{
	my ($standby, $name) = @_;

	catch_up($primary, $standby);
	is(contents($standby, 'events'), contents($primary, 'events'), $name);
	return;
}

# ---- one that starts with less ---------------------------------------------------

produce('events', $_) foreach 0 .. 2;
my $standby = new_standby($primary);
set_partitions($standby, 10);
append_to_file($standby->logfile, '');
fails_to_start($standby, 'a standby with a smaller max_partitions than its primary', 10, 20);
set_partitions($standby, 20);
$standby->start;
produce('events', $_) foreach 0 .. 2;
shows_the_same($standby, 'a standby with the same max_partitions follows its primary');

# ---- a primary that is raised later ----------------------------------------------

my $from = -s $standby->logfile;
set_partitions($primary, 40);
$primary->restart;
produce('events', 0);
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'recovery does not pause';
like(slurp_file($standby->logfile, $from),
	qr/WARNING:  hot standby is not possible because of insufficient parameter settings\n.*DETAIL:  pg_topics.max_partitions = 20 is a lower setting than on the primary server, where its value was 40\./,
	'once the primary has a larger max_partitions recovery pauses, and the log says why');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM events'), '6',
	'while recovery is paused the standby can be read');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM events'), '7',
	'while its standby is paused the primary goes on');
ok(!try_promote($standby), 'a standby that paused so cannot be promoted');
# promoting has ended the pause, and with it the server
ok(poll_until(sub { !-e $standby->data_dir . '/postmaster.pid' }),
	'a standby that paused so shuts down when it is told to promote');
$standby->{_pid} = undef;
set_partitions($standby, 40);
$standby->start;
shows_the_same($standby, 'with the same max_partitions the standby goes on');

# ---- and lowered -----------------------------------------------------------------

set_partitions($primary, 10);
$primary->stop('immediate');
$primary->start;
produce('events', 1);
shows_the_same($standby,
	'the standby follows a primary whose max_partitions was lowered, after a crash, too');
set_partitions($standby, 10);
$standby->restart;
produce('events', 2);
shows_the_same($standby, 'the standby follows with the lowered max_partitions');

# ---- where nothing says what it takes --------------------------------------------

$primary->backup('unknown');
unlink $primary->backup_dir . '/unknown/pg_topics/recovery_point' or die;
my $unknown = PostgreSQL::Test::Cluster->new('unknown');
$unknown->init_from_backup($primary, 'unknown', has_streaming => 1);
set_partitions($unknown, 4);
$unknown->start;
shows_the_same($unknown, "a standby that does not know its primary's max_partitions follows it");
$primary->safe_psql('postgres', q{SELECT create_topic('more')});
produce('more', 0);
shows_the_same($unknown, 'such a standby follows while it has room for the partitions');
$from = -s $unknown->logfile;
$primary->safe_psql('postgres', q{SELECT create_topic('wide', partitions => 3)});
produce('wide', 2);
$unknown->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'recovery does not pause';
like(slurp_file($unknown->logfile, $from), qr/pg_topics.max_partitions = 4 is a lower setting/,
	'such a standby pauses when it has no room for a partition');
is($unknown->safe_psql('postgres', 'SELECT count(*) FROM more'), '1',
	'such a standby can be read while it is paused');
$unknown->stop;
set_partitions($unknown, 10);
$unknown->start;
catch_up($primary, $unknown);
is($unknown->safe_psql('postgres', 'SELECT count(*) FROM wide'), '1',
	'such a standby goes on with a larger max_partitions');

# ---- a promoted one asks for its own -----------------------------------------------

$unknown->stop;
set_partitions($standby, 30);
$standby->restart;
$primary->stop;
$standby->promote;
$standby->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'});
my $follower = new_standby($standby, 'follower');
set_partitions($follower, 10);
append_to_file($follower->logfile, '');
fails_to_start($follower, 'a standby with a smaller max_partitions than a promoted server', 10, 30);
$standby->stop;

done_testing();
