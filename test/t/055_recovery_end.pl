# Where a recovery ends is where others' restart points begin: a server that has
# recovered, or was promoted, writes no record of ours that says that all before is
# durable, since a recovery inserts none.  A standby that goes on behind that and is
# killed then has lost nothing: neither what was appended nor a log start or the outcome
# of a transaction.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my @settings = ('wal_retrieve_retry_interval = 50ms', 'wal_keep_size = 256MB');
my $primary = new_node('primary', init => { allows_streaming => 1 }, settings => \@settings);
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION pg_topics; SELECT create_topic('events')});
$primary->backup('backup');

# A standby of that server.
sub make_standby
{
	my ($name, $of) = @_;
	my $standby = PostgreSQL::Test::Cluster->new($name);

	$standby->init_from_backup($primary, 'backup');
	$standby->enable_streaming($of);
	$standby->start;
	return $standby;
}

# Records, some rolled back, with a checkpoint between; and the beginning deleted,
# inside the segment.
sub produce_and_delete
{
	my ($of, $topic, $from) = @_;

	$of->safe_psql('postgres', qq{
		INSERT INTO $topic (value) SELECT 'value ' || n FROM generate_series($from, $from + 4) AS n;
		CHECKPOINT;
		INSERT INTO $topic (value) SELECT 'value ' || n FROM generate_series($from + 5, $from + 9) AS n;
		BEGIN; INSERT INTO $topic (value) VALUES ('rolled back'); SELECT count(*) FROM flush(); ROLLBACK;
		SELECT delete_records('$topic', 0, $from + 3)});
	return;
}

sub look
{
	my ($of) = @_;

	return contents($of, 'events') . "\n" . $of->safe_psql('postgres', q{
		SELECT log_start_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass;
		SELECT v::text FROM verify_topic('events') AS v});
}

# A restart point where the recovery of the other ended, by what the standby has
# replayed last; then it is killed.
sub restart_there
{
	my ($standby, $name, $before) = @_;
	my $point = sub { return $standby->safe_psql('postgres', 'SELECT redo_lsn FROM pg_control_checkpoint()'); };
	my $was = $point->();

	$standby->safe_psql('postgres', 'CHECKPOINT');
	isnt($point->(), $was, "$name: the standby makes a restart point where the recovery ended");
	kill_all($standby);
	$standby->start;
	is(look($standby), $before,
		"$name: the standby has the same topic after it was killed behind that restart point");
	return;
}

my $near = make_standby('near', $primary);
my $far = make_standby('far', $near);

# ---- a server that has recovered ------------------------------------------------

produce_and_delete($primary, 'events', 0);
kill_all($primary);
$primary->start;
catch_up($primary, $near);
my $before = look($primary);
is(look($near), $before, 'the standby of a server that has recovered has the same topic');
restart_there($near, 'standby of a server that has recovered', $before);

# ---- one that was promoted --------------------------------------------------------

produce_and_delete($primary, 'events', 11);
catch_up($primary, $near);
catch_up($primary, $far);
kill_all($primary);
$near->promote;
# the checkpoint that it makes first
$near->poll_query_until('postgres', q{SELECT timeline_id = 2 FROM pg_control_checkpoint()}) or die 'no checkpoint';
catch_up($near, $far);
$before = look($near);
is(look($far), $before, 'the standby of a server that was promoted has the same topic');
restart_there($far, 'standby of a server that was promoted', $before);
$far->stop;
$near->stop;

done_testing();
