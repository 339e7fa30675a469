# A recovery point may name a segment that begins later than where redo starts: there was a
# roll, which is not logged, and then a checkpoint that had not completed when the server
# crashed.  Redo appends to the segment before it, and no later one counts any more: the log
# reads whole, however often that happens, with deletions and rewrites in between,
# and on a standby that began with such files.  And redo leaves the segment as it
# was: the next append goes into it, and does not roll for its age.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('primary', init => { allows_streaming => 1 }, settings => [ 'checkpoint_timeout = 1h', 'wal_keep_size = 1GB' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# What is done to a topic beside producing and rolling, a statement a line.
my %changes = (
	nothing => 'SELECT',
	inside => q{DELETE FROM sent WHERE topic = 'TOPIC' AND value <= (SELECT value::int FROM TOPIC ORDER BY record_offset OFFSET 2 LIMIT 1);
		SELECT delete_records('TOPIC', 0, (SELECT record_offset FROM TOPIC ORDER BY record_offset OFFSET 3 LIMIT 1))},
	emptied => q{DELETE FROM sent WHERE topic = 'TOPIC'; SELECT delete_records('TOPIC', 0, (SELECT max(record_offset) + 1 FROM TOPIC))},
	erased => q{DELETE FROM sent WHERE topic = 'TOPIC' AND key = 'k1'; SELECT erase('TOPIC', 'k1')},
	truncated => q{DELETE FROM sent WHERE topic = 'TOPIC'; TRUNCATE TOPIC},
	explicit => q{INSERT INTO TOPIC (record_offset, key, value) SELECT max(record_offset) + 20, 'k0', nextval('numbers') FROM TOPIC;
		INSERT INTO sent SELECT 'TOPIC', 'k0', currval('numbers')});

# One of each that rolls for its age, and one that never does.
my @topics = map { ("${_}_forever", "${_}_aging") } sort keys %changes;
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE sent (topic text, key text, value int);
	CREATE SEQUENCE numbers;
	-- one batch each
	CREATE PROCEDURE produce_some(topic text, count int) LANGUAGE plpgsql AS $$
	DECLARE n int;
	BEGIN
		FOR i IN 1 .. count LOOP
			n := nextval('numbers');
			INSERT INTO sent VALUES (topic, 'k' || n % 5, n);
			PERFORM produce(topic::regclass, 'k' || n % 5, n::text);
			COMMIT;
		END LOOP;
	END $$});

# Run SQL for each topic.
sub on_each
{
	my ($sql) = @_;

	sql(join("\n", map { (my $one = ref $sql ? $sql->{ s/_.*//r } : $sql) =~ s/TOPIC/$_/g; "$one;" } @topics));
	return;
}

on_each(q{SELECT create_topic('TOPIC')});
sql(qq{ALTER FOREIGN TABLE $_ OPTIONS (ADD "segment.ms" '9223372036854775807')}) foreach grep { /forever/ } @topics;

# Bases of the segments, which all topics have.
sub bases
{
	return sql(q{
		SELECT DISTINCT string_agg(base_offset::text, ' ' ORDER BY base_offset) FROM pg_topic_segments GROUP BY topic});
}

# Topics and tables hold the same, in order, and the files are sound.
sub check
{
	my ($name, $on) = @_;
	my $one = q{
		SELECT 'lost of TOPIC: ' || s::text FROM (SELECT key, value FROM sent WHERE topic = 'TOPIC' EXCEPT ALL SELECT key, value::int FROM TOPIC) AS s
		UNION ALL SELECT 'wrong in TOPIC: ' || s::text FROM (SELECT key, value::int FROM TOPIC EXCEPT ALL SELECT key, value FROM sent WHERE topic = 'TOPIC') AS s
		UNION ALL SELECT 'out of order in TOPIC: ' || r::text FROM (SELECT value, lag(value::int) OVER (ORDER BY record_offset) AS before FROM TOPIC) AS r WHERE before > value::int
		UNION ALL SELECT 'damaged in TOPIC: ' || problem FROM verify_topic('TOPIC');};
	my ($code, $out, $err) = ($on // $node)->psql('postgres', join('', map { $one =~ s/TOPIC/$_/gr } @topics));

	is("$out$err", '', "$name: the topics are whole");
	return;
}

# Crash when a checkpoint has made the recovery point new, and not the start of redo.
sub crash_in_checkpoint
{
	my $from = -s $node->logfile;

	sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'sync-logged:stop'});
	sql('SELECT pg_reload_conf()');
	my $checkpoint = start_psql($node, '/dev/null', PostgreSQL::Test::Utils::tempdir() . '/checkpoint', '-c', 'CHECKPOINT');
	poll_until(sub { slurp_file($node->logfile, $from) =~ /stopping at fault point "sync-logged"/ }) or die 'no recovery point';
	kill_all($node);
	$checkpoint->finish;
	unlink $node->data_dir . '/postgresql.auto.conf';
	append_to_file($node->data_dir . '/postgresql.auto.conf', '');
	return;
}

# Roll, and nothing else: no record has that key.
my $roll = q{SELECT erase('TOPIC', 'no such key')};

# ---- one stray segment ---------------------------------------------------------

on_each(q{CALL produce_some('TOPIC', 1)});
sql('CHECKPOINT');
on_each(q{CALL produce_some('TOPIC', 5)});
on_each($roll);
crash_in_checkpoint();
$node->backup_fs_cold('crashed');
$node->start;
check('after a crash');
on_each(q{CALL produce_some('TOPIC', 3)});
is(bases(), '0', 'after a crash new records go into the segments that were appended to last');
on_each($roll);
on_each(q{CALL produce_some('TOPIC', 1)});
check('rolled after a crash');
is(bases(), '0 9', 'rolling after a crash makes the next segment at the right offset');

# ---- a standby that began with those files --------------------------------------

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'crashed', has_streaming => 1);
$standby->start;
catch_up($node, $standby);
check('the standby', $standby);
my $segments = 'SELECT topic, base_offset, batches, bytes, active, path FROM pg_topic_segments ORDER BY 1, 2';
is($standby->safe_psql('postgres', $segments), sql($segments), 'the standby has the same segments');
# a restart point, and a crash of its own
$standby->safe_psql('postgres', 'CHECKPOINT');
kill_all($standby);
$standby->start;
catch_up($node, $standby);
check('the standby, crashed', $standby);
is($standby->safe_psql('postgres', $segments), sql($segments),
	"after a crash the standby still has the primary's segments");

# ---- again and again, with other changes in between ------------------------------

foreach my $place ('before the roll', 'behind it', 'behind an append to the new segment')
{
	on_each(q{CALL produce_some('TOPIC', 4)});
	sql('CHECKPOINT');
	on_each(q{CALL produce_some('TOPIC', 5)});
	on_each(\%changes) if $place eq 'before the roll';
	on_each($roll);
	on_each(q{CALL produce_some('TOPIC', 2)}) if $place =~ /append/;
	on_each(\%changes) if $place =~ /behind/;
	on_each($roll) if $place =~ /append/;
	crash_in_checkpoint();
	$node->start;
	check("changes $place");
	# a crash of what has just recovered, and one more
	on_each(q{CALL produce_some('TOPIC', 2)});
	kill_all($node);
	$node->start;
	kill_all($node);
	$node->start;
	on_each(q{CALL produce_some('TOPIC', 2)});
	on_each($roll);
	on_each(q{CALL produce_some('TOPIC', 1)});
	check("changes $place, and on from there");
}

# the first append to a partition is to have a given offset, and is broken off before the WAL
# knows of it: its segment does not count
sql(q{SELECT create_topic('far')});
my $from = -s $node->logfile;
my $far = start_psql($node, '/dev/null', PostgreSQL::Test::Utils::tempdir() . '/far', '-c', q{SET pg_topics.fault_point = 'roll-synced:stop'},
	'-c', q{INSERT INTO far (partition, record_offset, value) VALUES (0, 10000000000, 'never')});
poll_until(sub { slurp_file($node->logfile, $from) =~ /stopping at fault point "roll-synced"/ }) or die 'no roll';
kill_all($node);
$far->finish;
$node->start;
is(sql(q{SELECT log_start_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'far'::regclass}), '0|0',
	'an append that was broken off before it was logged skips no offsets');
sql('CHECKPOINT');
kill_all($node);
$node->start;
sql(q{SELECT produce('far', 'v')});
is(sql(q{SELECT record_offset FROM far}), '0', 'nor does it after a checkpoint and another crash');
sql(q{INSERT INTO far (partition, record_offset, value) VALUES (0, 20, 'w')});

catch_up($node, $standby);
check('the standby, after all that', $standby);
is($standby->safe_psql('postgres', q{SELECT string_agg(record_offset::text, ' ') FROM far}), '0 20', 'and the standby has the same offsets');
$standby->restart;
check('the standby, restarted', $standby);
$node->stop;
$standby->promote;
$node = $standby;
on_each(q{CALL produce_some('TOPIC', 2)});
on_each($roll);
on_each(q{CALL produce_some('TOPIC', 1)});
check('the standby, promoted');
$node->stop;

done_testing();
