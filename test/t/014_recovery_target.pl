# Recovery that is broken off and begun again with an earlier target: what was
# replayed behind that target cannot be taken out of the topics' files, so the
# earlier target must be refused, or nothing of what is behind it be seen.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# The server itself notes how far it has replayed when it writes a buffer: it
# must have no reason to.
my $primary = new_node('primary', init => { has_archiving => 1, allows_streaming => 1 },
	settings => [ 'bgwriter_lru_maxpages = 0', 'shared_buffers = 64MB', 'checkpoint_timeout = 1h' ]);
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE history (step text);
	SELECT create_topic('events');
	SELECT create_topic('emptied');
	SELECT create_topic('dropped');
	INSERT INTO events (value) VALUES ('base');
	INSERT INTO emptied (value) SELECT i FROM generate_series(1, 100) AS i;
	INSERT INTO dropped (value) SELECT i FROM generate_series(1, 100) AS i;
});
$primary->backup('backup');

# The steps of its history ("base" replays no append, which would set the log's
# end anew); each ends in a recovery target, and nothing but the
# step is between two.  A commit flushes what nobody waits for.
my @steps = (
	[ 'base' ],
	[ 'later', q{INSERT INTO events (value) VALUES ('later1')}, q{INSERT INTO events (value) VALUES ('later2')}, 'CHECKPOINT' ],
	[ 'aborted', q{BEGIN; INSERT INTO events (value) VALUES ('rolled back'); SELECT count(*) FROM flush(); ROLLBACK;
		INSERT INTO events (value) VALUES ('last')} ],
	[ 'resolved' ],
	[ 'truncate', 'TRUNCATE emptied' ],
	[ 'drop', 'DROP FOREIGN TABLE dropped' ]);
my %target;
foreach my $step (@steps)
{
	my ($name, @statements) = @$step;

	$primary->safe_psql('postgres', $_) foreach @statements;
	wait_resolved($primary) if $name ne 'aborted';
	$primary->safe_psql('postgres', "INSERT INTO history VALUES ('$name')");
	$target{$name} = $primary->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
}
$primary->safe_psql('postgres', 'INSERT INTO history SELECT generate_series(1, 100); SELECT pg_switch_wal()');
$primary->poll_query_until('postgres', qq{SELECT last_archived_wal <> '' AND
	pg_walfile_name('$target{drop}') <= last_archived_wal FROM pg_stat_archiver}) or die 'WAL is not archived';

# What the topics show when recovery ended at a step.
my %expected = (
	base => [ '0:base', 100, 100 ],
	later => [ '0:base 1:later1 2:later2', 100, 100 ],
	aborted => [ '0:base 1:later1 2:later2 4:last', 100, 100 ],
	resolved => [ '0:base 1:later1 2:later2 4:last', 100, 100 ],
	truncate => [ '0:base 1:later1 2:later2 4:last', 0, 100 ],
	drop => [ '0:base 1:later1 2:later2 4:last', 0, '' ]);

sub told
{
	my ($node, $sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql);

	return $code == 0 ? $out : $err;
}

sub check_topics
{
	my ($node, $step, $name) = @_;
	my ($events, $emptied, $dropped) = @{ $expected{$step} };

	is(told($node, q{SELECT string_agg(record_offset || ':' || value, ' ' ORDER BY record_offset) FROM events}),
		$events, "$name: the records produced up to there are seen and no others");
	is(told($node, 'SELECT count(*) FROM emptied'), $emptied,
		"$name: the truncated topic is empty exactly if TRUNCATE was before that");
	is(told($node, q{SELECT to_regclass('dropped')}), $dropped eq '' ? '' : 'dropped',
		"$name: the dropped topic is gone exactly if DROP was before that");
	is(told($node, 'SELECT count(*) FROM dropped'), $dropped, "$name: a topic that is dropped later has all its records") if $dropped ne '';
	return;
}

# A node of the backup that recovers to a step.
sub set_target
{
	my ($node, $step, $action) = @_;

	$node->append_conf('postgresql.conf', "recovery_target_lsn = '$target{$step}'\nrecovery_target_inclusive = off\nrecovery_target_action = '$action'");
	return;
}

# Let it recover to "far" and stop there, then try to end at "near".
sub turn_back
{
	my ($far, $near) = @_;
	my $name = "from $far back to $near";
	my $node = PostgreSQL::Test::Cluster->new("from_${far}_to_$near");

	$node->init_from_backup($primary, 'backup', has_restoring => 1, standby => 0);
	# its timeline is no matter of the others
	$node->append_conf('postgresql.conf', 'archive_mode = off');
	set_target($node, $far, 'pause');
	$node->start;
	$node->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die 'recovery does not get on';
	check_topics($node, $far, "$name, first");
	$node->stop('immediate');

	set_target($node, $near, 'promote');
	my $log = -s $node->logfile;
	if ($node->start(fail_ok => 1))
	{
		note("$name: accepted");
		$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'no end of recovery';
		# transaction ids that come again must not make anything visible
		$node->safe_psql('postgres', "CREATE TABLE again$_ (a int)") foreach 1 .. 12;
		check_topics($node, $near, $name);
		wait_resolved($node);
		check_topics($node, $near, "$name, resolved");
		$node->stop;
		return;
	}
	like(slurp_file($node->logfile, $log), qr/FATAL:  requested recovery stop point is before consistent recovery point/,
		"$name: an earlier recovery target is refused");

	# it can still go on, to the end
	set_target($node, 'drop', 'promote');
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'no end of recovery';
	check_topics($node, 'drop', "$name, then on to the end");
	$node->safe_psql('postgres', q{INSERT INTO events (value) VALUES ('new')});
	is(told($node, q{SELECT max(record_offset) FROM events}), '5',
		"$name: after recovery to the end, producing goes on");
	$node->stop('immediate');
	$node->start;
	is(told($node, q{SELECT max(record_offset) FROM events}), '5',
		"$name: after another crash the new record is there");
	$node->stop;
	return;
}

turn_back('later', 'base');
turn_back('resolved', 'aborted');
turn_back('truncate', 'resolved');
turn_back('drop', 'truncate');
$primary->stop;

done_testing();
