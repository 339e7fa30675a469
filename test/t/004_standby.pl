# A streaming standby serves the same reads as its primary and sees nothing
# uncommitted, survives crashes of its own, and, promoted under load, goes on.
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

my $primary = new_node('primary', init => { allows_streaming => 1 },
	settings => [ 'max_connections = 30', 'shared_buffers = 16MB', 'wal_keep_size = 1GB' ]);
$primary->start;
create_load_schema($primary);
$primary->safe_psql('postgres', q{
	CREATE TABLE got (partition int, record_offset bigint, value text);
	SELECT create_topic('other', key_type => 'int', value_type => 'jsonb');
	SELECT create_topic('doomed', partitions => 2, config => '{"segment.bytes": 16384}');
	SELECT create_topic('emptied', config => '{"segment.bytes": 16384}');
	INSERT INTO doomed (value) SELECT repeat('d', 100) FROM generate_series(1, 1000);
});
my $standby = start_standby($primary);

# Both show the same of every topic, and it is what was sent.
sub compare
{
	my ($name) = @_;

	catch_up($primary, $standby);
	foreach my $topic (qw(events other emptied))
	{
		ok(contents($standby, $topic) eq contents($primary, $topic), "$name: the standby shows the same of $topic");
	}
	is(events_differ($standby), '', "$name: on the standby topic and table agree");
	is(events_differ($primary), '', "$name: on the primary topic and table agree");
	return;
}

# The failing statement's message.
sub failure
{
	my ($node, $sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	isnt($code, 0, "fails: $sql");
	return $err;
}

# ---- the same reads ----------------------------------------------------------

my $load = start_load($primary, clients => 4, transactions => 150);
finish_load($load);
compare('after load');

$primary->safe_psql('postgres', q{
	SELECT produce('other', 1, '{"a": 1}'::jsonb, headers => '{"h": "x", "n": null}');
	SELECT produce('other', NULL::int, NULL::jsonb, record_timestamp => '2020-02-02 20:20:20.202+00');
	INSERT INTO other (key, value) SELECT i, to_jsonb(repeat('z', i)) FROM generate_series(1, 500) AS i;
	SET pg_topics.batch_size = '4kB';
	INSERT INTO emptied (value) SELECT repeat('e', 100) FROM generate_series(1, 1000);
});
compare('all kinds of records');

# offsets and bounds are served alike
my $look = q{SELECT topic, partition, log_start_offset, log_end_offset, last_stable_offset, segments
	FROM pg_topic_partitions ORDER BY 1, 2};
catch_up($primary, $standby);
is($standby->safe_psql('postgres', $look), $primary->safe_psql('postgres', $look),
	'the standby shows the same offsets and segments of each partition');
is($standby->safe_psql('postgres', q{SELECT value FROM events WHERE partition = 1 AND record_offset >= 100 ORDER BY record_offset LIMIT 10}),
	$primary->safe_psql('postgres', q{SELECT value FROM events WHERE partition = 1 AND record_offset >= 100 ORDER BY record_offset LIMIT 10}),
	'the standby gives the same records from an offset on');

# ---- what has not committed --------------------------------------------------

my $old = open_session($standby);
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $count = $old->run('SELECT count(*) FROM events');

my $session = open_session($primary);
$session->run(q{BEGIN; SELECT send(200, 1, 1, 0, 10); SELECT count(*) FROM flush()});
$primary->safe_psql('postgres', q{SELECT send(201, 1, 1, 0, 10)});
catch_up($primary, $standby);
foreach my $node ($primary, $standby)
{
	my $name = $node->name;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM events WHERE key IN ('200', '201')}), '0',
		"$name: neither the record of an open transaction is seen nor what follows it");
	is($node->safe_psql('postgres', q{
		SELECT log_end_offset - last_stable_offset, blocking_xid IS NOT NULL FROM pg_topic_partitions
		WHERE topic = 'events'::regclass AND partition = 0}), '2|t',
		"$name: the view names the open transaction that holds readers back");
}
$session->run('COMMIT');
catch_up($primary, $standby);
foreach my $node ($primary, $standby)
{
	is($node->safe_psql('postgres', q{SELECT string_agg(key, ' ' ORDER BY record_offset) FROM events WHERE key IN ('200', '201')}),
		'200 201', $node->name . ': both are seen once it has committed');
}
is($old->run('SELECT count(*) FROM events'), $count,
	'a snapshot on the standby from before the commit does not see the records');
$old->run('COMMIT');
$old->close;

# two-phase: held back while prepared
$primary->safe_psql('postgres', q{BEGIN; SELECT send(202, 1, 1, 0, 10); PREPARE TRANSACTION 'to be committed'});
$primary->safe_psql('postgres', q{BEGIN; SELECT send(203, 1, 1, 0, 10); PREPARE TRANSACTION 'to be rolled back'});
catch_up($primary, $standby);
is($standby->safe_psql('postgres', q{SELECT count(*) FROM events WHERE key IN ('202', '203')}), '0',
	'prepared transactions are not seen on the standby');
$primary->safe_psql('postgres', q{COMMIT PREPARED 'to be committed'});
$primary->safe_psql('postgres', q{ROLLBACK PREPARED 'to be rolled back'});

# a serialization failure is found at the commit, when the records are appended
my $ends = q{SELECT log_end_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass AND partition = 2};
$primary->safe_psql('postgres', 'CREATE TABLE skew (a int)');
my $other = open_session($primary);
foreach my $s ($session, $other)
{
	$s->run('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM skew; INSERT INTO skew VALUES (1)');
}
$session->run('SELECT send(204, 1, 1, 2, 10)');
$other->run('SELECT send(205, 1, 1, 2, 10)');
my $end = $primary->safe_psql('postgres', $ends);
$session->run('COMMIT');
like($other->fails('COMMIT'), qr/could not serialize access/,
	'the second of two transactions that conflict fails to commit');
$other->close;
is($primary->safe_psql('postgres', $ends), $end + 2,
	'the transaction that failed at its commit had appended its record');

# aborted in further ways, then all of it again when resolved
$session->run(q{BEGIN; SELECT send(206, 1, 1, 1, 10); SELECT count(*) FROM flush(); ROLLBACK});
$session->close;
compare('aborted in all ways');
is($standby->safe_psql('postgres', q{SELECT string_agg(key, ' ' ORDER BY key) FROM events WHERE key::int >= 200}),
	'200 201 202 204', 'no record of a transaction that was rolled back is seen on the standby');
wait_resolved($primary);
compare('when resolved');
is($standby->safe_psql('postgres', q{SELECT bool_and(resolved_offset = log_end_offset) FROM pg_topic_partitions}), 't',
	'the standby knows the outcome of all transactions');

# A crash of the primary between flagging aborted batches and logging that: who
# replays the WAL must get to know of them all the same.  They are behind an
# open transaction until a checkpoint has passed them, so that the primary's
# own redo does not write them anew, unflagged.
my $blocker = open_session($primary);
$blocker->run('SET synchronous_commit = off; BEGIN; SELECT send(207, 1, 1, p, 10) FROM generate_series(0, 2) AS p; SELECT count(*) FROM flush()');
$primary->safe_psql('postgres', q{
	BEGIN; SELECT send(208, 1, 1, p, 10) FROM generate_series(0, 2) AS p; SELECT count(*) FROM flush(); ROLLBACK});
$primary->safe_psql('postgres', 'CHECKPOINT');
# nobody writes WAL from here on
halt_asleep($primary, $primary->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}));
$blocker->run('ROLLBACK');
wait_resolved($primary);
kill_all($primary);
$primary->start;
compare('primary crashed while resolving');
wait_resolved($primary);
compare('primary crashed while resolving, resolved again');

# ---- what a standby refuses --------------------------------------------------

foreach my $sql (q{SELECT produce('events', 'k', 'v')}, q{INSERT INTO events (value) VALUES ('v')},
	q{COPY events (value) FROM stdin;}, q{SELECT count(*) FROM consume('events', 'g')},
	q{SELECT create_topic('new')}, 'TRUNCATE events', q{SELECT drop_topic('events')},
	q{SELECT seek_to_beginning('events', 'g')}, q{SELECT count(*) FROM consume('events', 'g', timeout => '1 h', member_id => 'm')},
	q{SELECT count(*) FROM consume_many('{events}', 'g', timeout => '1 h')}, q{SELECT commit_offset('events', 'g', 0, 0)},
	q{SELECT commit_offsets('events', 'g', 'm')}, q{SELECT leave_group('events', 'g', 'm')}, q{SELECT delete_group('g')},
	q{SELECT nack('events', 'g', 0, 0, 'e')})
{
	like(failure($standby, $sql), qr/ERROR:  25006: cannot .* (read-only transaction|during recovery)/,
		"the standby refuses it as impossible there: $sql");
}
catch_up($primary, $standby);
is($standby->safe_psql('postgres', 'SELECT count(*) > 0 FROM events'), 't',
	'the standby can still be read after it has refused statements');
is($standby->safe_psql('postgres', q{SELECT string_agg(v::text, ' ') FROM visible_offsets('events') v}),
	$primary->safe_psql('postgres', q{SELECT string_agg(v::text, ' ') FROM visible_offsets('events') v}),
	'visible_offsets() gives the same on the standby and the primary');

# ---- TRUNCATE and DROP -------------------------------------------------------

my $doomed = topic_directory($standby, 'doomed', 1);
my $emptied = topic_directory($standby, 'emptied', 0);
my @before = glob("$emptied/*.log");
ok(-d $doomed, 'the topic that is to be dropped has files on the standby');
cmp_ok(scalar(@before), '>', 3, 'the topic that is to be truncated has several segments on the standby');
$primary->safe_psql('postgres', 'TRUNCATE emptied');
$primary->safe_psql('postgres', 'DROP FOREIGN TABLE doomed');
compare('TRUNCATE and DROP');
my %is_there = map { $_ => 1 } glob("$emptied/*.log");
is(scalar(grep { $is_there{$_} } @before), 0, 'TRUNCATE has removed the segments on the standby');
ok(!-e $doomed, 'DROP has removed the files on the standby');
$primary->safe_psql('postgres', q{INSERT INTO emptied (value) SELECT 'after' FROM generate_series(1, 10)});
compare('after TRUNCATE');
is($standby->safe_psql('postgres', 'SELECT min(record_offset), count(*) FROM emptied'), '1000|10',
	'after TRUNCATE the standby shows new records at the offsets that follow');

# ---- the standby crashes -----------------------------------------------------

foreach my $round (1 .. 4)
{
	$load = start_load($primary, clients => 3);
	if ($round > 1)
	{
		# a restart point in mid-replay: what is before it is not replayed again
		$primary->safe_psql('postgres', 'CHECKPOINT');
		catch_up($primary, $standby);
		$standby->safe_psql('postgres', 'CHECKPOINT');
	}
	my $replayed = $standby->safe_psql('postgres', 'SELECT pg_last_wal_replay_lsn()');
	$standby->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() > '$replayed'::pg_lsn + 20000")
	  or die 'the standby does not get on';
	$round % 2 ? $standby->stop('immediate') : kill_all($standby);
	$standby->start;
	finish_load($load, kill => 1);
	end_prepared($primary);
	compare("standby crashed, round $round");
}

# a clean restart
$standby->restart;
compare('standby restarted');

# the logs are the same bytes: what the primary's index covers
my $covered = q{SELECT topic || ' ' || partition, base_offset, bytes, path FROM pg_topic_segments ORDER BY 1, 2};
my $same = 1;
foreach my $line (split /\n/, $primary->safe_psql('postgres', $covered))
{
	my (undef, undef, $bytes, $path) = split /\|/, $line;
	my @logs = map { substr(slurp_file($_->data_dir . "/$path"), 0, $bytes) } $primary, $standby;
	$same = 0, note("differ: $path") if $logs[0] ne $logs[1] || length($logs[0]) != $bytes;
}
ok($same, 'each segment has the same bytes on the primary and the standby');

# ---- promotion under load ----------------------------------------------------

# what is acknowledged from here on is on the standby
$primary->append_conf('postgresql.conf', q{synchronous_standby_names = '*'});
$primary->reload;
$primary->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication})
  or die 'the standby does not become synchronous';

my $consumer = "INSERT INTO got SELECT partition, record_offset, value FROM consume('events', 'g', 100);\n" x ENDLESS;
my $before = $primary->safe_psql('postgres', 'SELECT count(DISTINCT (client, n)) FROM sent');
$load = start_load($primary, clients => 4, also => [$consumer]);
$primary->poll_query_until('postgres', "SELECT (SELECT count(DISTINCT (client, n)) FROM sent) > $before + 150")
  or die 'the load does not get on';
kill_all($primary);
finish_load($load);
$standby->promote;
end_prepared($standby);
check_events($standby, 'promoted: topic and table agree');
check_acknowledged($standby, $load, 'promoted');

# it goes on: produced and consumed, the consumer from where it was
$load = start_load($standby, clients => 4, also => [$consumer]);
$before = $standby->safe_psql('postgres', 'SELECT count(DISTINCT (client, n)) FROM sent');
$standby->poll_query_until('postgres', "SELECT (SELECT count(DISTINCT (client, n)) FROM sent) > $before + 150")
  or die 'the load does not get on';
kill_all($standby);
finish_load($load);
$standby->start;
end_prepared($standby);
check_events($standby, 'promoted, loaded and crashed: topic and table agree');
check_acknowledged($standby, $load, 'promoted, loaded and crashed');
wait_resolved($standby);
check_events($standby, 'promoted, loaded and crashed: they agree when all outcomes are noted');

$standby->poll_query_until('postgres', q{
	WITH more AS (INSERT INTO got SELECT partition, record_offset, value FROM consume('events', 'g', 10000) RETURNING 1)
	SELECT count(*) = 0 FROM more});
is($standby->safe_psql('postgres', q{
	SELECT count(*) FROM (
		(SELECT partition, record_offset, value FROM events EXCEPT ALL SELECT * FROM got)
		UNION ALL
		(SELECT * FROM got EXCEPT ALL SELECT partition, record_offset, value FROM events)) AS difference}),
	'0', 'the consumer got each record exactly once, on both servers');
$standby->stop;

done_testing();
