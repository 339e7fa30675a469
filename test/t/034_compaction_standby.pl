# Compaction on a primary, seen from standbys, backups and after promotion: the
# same files byte for byte, and reads that give the last value of each key.
#
# What is right is a table, "truth": each transaction that produces to the
# compacted topic "state" writes the same to it.  One session at a time
# produces, so a statement sees records and rows alike.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $primary = new_node('primary', init => { allows_streaming => 1 },
	settings => [ 'max_connections = 30', 'wal_keep_size = 1GB', 'pg_topics.batch_size = 1kB',
		'pg_topics.maintenance_interval = 1s', 'pg_topics.log_cleaner_enable = off' ]);
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('state', partitions => 3, config =>
		'{"cleanup.policy": "compact", "segment.bytes": 8192, "compression.type": "lz4", "delete.retention.ms": 0}');
	CREATE TABLE truth (key text PRIMARY KEY, value text);
	CREATE FUNCTION put(count int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		k text;
		v text;
	BEGIN
		FOR i IN 1 .. count LOOP
			k := 'key ' || (random() * 60)::int;
			v := CASE WHEN random() < 0.8 THEN clock_timestamp() || repeat(md5(random()::text), 2) END;
			PERFORM produce('state', k, v);
			DELETE FROM truth WHERE key = k;
			INSERT INTO truth SELECT k, v WHERE v IS NOT NULL;
		END LOOP;
	END $$;
	-- differences; beside a compaction a key may be missing on a standby that gives no
	-- feedback, but none be older or back
	CREATE VIEW wrong AS
		SELECT CASE WHEN t.key IS NULL THEN 'back' WHEN l.key IS NULL THEN 'missing' ELSE 'stale' END AS how, key
		FROM latest(NULL::state) l FULL JOIN truth t USING (key)
		WHERE l.value IS DISTINCT FROM t.value;
	CREATE VIEW disorder AS
		SELECT * FROM (SELECT partition, record_offset, lag(record_offset) OVER (PARTITION BY partition ORDER BY place) AS previous
			FROM (SELECT partition, record_offset, row_number() OVER () AS place FROM state) AS r) AS o
		WHERE record_offset <= previous;
});

my @transactions = (("SELECT put(20);\n") x 6, "BEGIN;\nSELECT put(5);\nROLLBACK;\n",
	"BEGIN;\nSELECT put(10);\nSELECT count(*) FROM flush();\nROLLBACK;\n",
	"BEGIN;\nSELECT put(10);\nSAVEPOINT s;\nSELECT put(10);\nROLLBACK TO s;\nSELECT put(1);\nCOMMIT;\n");

# Produce, compact and checkpoint until the end, each in a session of its own.
sub start_work
{
	my ($node) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my %scripts = (
		produce => join('', map { $transactions[ rand @transactions ] } 1 .. ENDLESS),
		compact => "SELECT sum(records_before - records_after) FROM compact('state');\n" x ENDLESS,
		checkpoint => "CHECKPOINT;\nSELECT pg_sleep(0.2);\n" x 2000);

	append_to_file("$directory/$_.sql", $scripts{$_}) foreach keys %scripts;
	return {
		directory => $directory,
		runs => [ map { start_psql($node, "$directory/$_.sql", "$directory/$_.out") } sort keys %scripts ]
	};
}

# Stop it, or find it stopped by the loss of the server.
sub finish_work
{
	my ($work, $name) = @_;
	my @unexpected;

	foreach my $run (@{ $work->{runs} })
	{
		$run->kill_kill;
		$run->finish;
	}
	foreach my $what (qw(produce compact checkpoint))
	{
		push @unexpected, grep { !/connection to (the )?server|server closed|terminat|crash|shutting down|^\s|^(DETAIL|HINT)/ }
		  split /\n/, slurp_file("$work->{directory}/$what.out.err");
	}
	is("@unexpected", '', "$name: no session failed but for the loss of the server");
	return;
}

# Sessions whose client is gone end their statement first.
sub wait_quiet
{
	my ($node) = @_;

	$node->poll_query_until('postgres', q{
		SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state = 'active'}) or die 'no end of work';
	return;
}

# Wait until compaction has removed that many records.
sub wait_compacted
{
	my ($work, $records) = @_;
	my $file = "$work->{directory}/compact.out";

	poll_until(sub {
		my $sum = 0;
		$sum += $_ || 0 foreach split /\n/, slurp_file($file);
		return $sum > $records;
	}) or die 'compaction does not get on';
	return;
}

# Name and bytes of each segment that counts, as the server tells.
sub segments
{
	my ($node) = @_;
	my %bytes;

	foreach my $line (split /\n/, $node->safe_psql('postgres', q{
		SELECT path, bytes FROM pg_topic_segments WHERE topic = 'state'::regclass}))
	{
		my ($path, $bytes) = split /\|/, $line;

		$bytes{$path} = substr(slurp_file($node->data_dir . "/$path"), 0, $bytes);
	}
	return \%bytes;
}

# The same of those that hold anything: a standby knows of a roll by what comes
# behind it.
sub filled_segments
{
	my ($node) = @_;
	my $all = segments($node);

	return { map { $_ => $all->{$_} } grep { $all->{$_} ne '' } keys %$all };
}

# Files of the topic that no segment has.
sub left_over
{
	my ($node) = @_;
	my $has = segments($node);
	my @left;

	foreach my $partition (0 .. 2)
	{
		my $directory = topic_directory($node, 'state', $partition);

		foreach my $file (glob("$directory/*"))
		{
			(my $log = substr($file, length($node->data_dir) + 1)) =~ s/\.index$/.log/;
			push @left, $log unless exists $has->{$log};
		}
	}
	return @left;
}

# All is right, with nobody at work.
sub check_right
{
	my ($node, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql('postgres', 'SELECT how, key FROM wrong LIMIT 5'), '', "$name: each key has its last value");
	is($node->safe_psql('postgres', 'SELECT * FROM disorder LIMIT 5'), '', "$name: records are in order");
	return;
}

# A standby that has caught up has the same files and shows the same.
sub check_same
{
	my ($standby, $name) = @_;

	wait_quiet($primary);
	catch_up($primary, $standby);
	check_right($_, "$name, " . $_->name) foreach $primary, $standby;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($here, $there) = map { filled_segments($_) } $primary, $standby;

	is(join(' ', sort keys %$there), join(' ', sort keys %$here), "$name: the standby has the same segments");
	is(scalar(grep { ($there->{$_} // '') ne $here->{$_} } keys %$here), 0,
		"$name: the standby's segments have the same bytes");
	ok(contents($primary, 'state') eq contents($standby, 'state'), "$name: the standby shows the same records");
	return;
}

# Read on a node until work has got on; each look must be right, but for keys
# missing where "may_miss".
sub read_meanwhile
{
	my ($node, $work, $records, $name, $may_miss) = @_;
	my $session = open_session($node);
	my ($looks, $wrong, $missing) = (0, 0, 0);
	my $done = 0;
	my $last = time;

	until ($done)
	{
		my $found = $session->run(q{
			SELECT count(*) FILTER (WHERE how <> 'missing'), count(*) FILTER (WHERE how = 'missing') FROM wrong;
			SELECT count(*) FROM disorder});
		my ($bad, $gone, $disorder) = $found =~ /^(\d+)\|(\d+)\n(\d+)$/;

		note("$name: $found") if $bad || $disorder || $gone;
		$wrong += $bad + $disorder + ($may_miss ? 0 : $gone);
		$missing += $gone;
		$looks++;
		my $sum = 0;
		$sum += $_ || 0 foreach split /\n/, slurp_file("$work->{directory}/compact.out");
		$done = $looks >= 30 && $sum > $records;
		die 'compaction does not get on' if time > $last + $PostgreSQL::Test::Utils::timeout_default;
	}
	$session->close;
	is($wrong, 0, "$name: each of $looks snapshots was right ($missing keys missing)");
	return;
}

# ---- a standby ---------------------------------------------------------------

$primary->safe_psql('postgres', 'SELECT put(500)');
my $standby = start_standby($primary);

my $work = start_work($primary);
read_meanwhile($standby, $work, 2000, 'reading on the standby', 1);
read_meanwhile($primary, $work, 4000, 'reading on the primary');
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1");
$standby->reload;
$primary->poll_query_until('postgres', 'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication') or die 'no feedback';
read_meanwhile($standby, $work, 6000, 'reading on the standby with feedback');
finish_work($work, 'standby');
check_same($standby, 'after compactions');
cmp_ok($primary->safe_psql('postgres', 'SELECT sum(log_end_offset) - (SELECT count(*) FROM state) FROM pg_topic_partitions'),
	'>', 4000, 'compaction has removed many records');

my ($code, $out, $err) = $standby->psql('postgres', q{SELECT count(*) FROM compact('state')});
like($err, qr/cannot execute .*compact.*(during recovery|read-only)/, 'a standby refuses to compact');

# an old snapshot on the standby
my $old = open_session($standby);
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->run(q{SELECT count(*) FROM truth});
$primary->safe_psql('postgres', 'SELECT put(200)');
wait_resolved($primary);
$primary->safe_psql('postgres', q{SELECT count(*) FROM compact('state')});
catch_up($primary, $standby);
is($old->run(q{SELECT how, count(*) FROM wrong GROUP BY how}), '',
	'with hot_standby_feedback a snapshot on the standby loses no key to compaction');
$old->run('COMMIT');
$old->close;

# ---- the standby crashes in the middle ---------------------------------------

foreach my $round (1 .. 4)
{
	$work = start_work($primary);
	wait_compacted($work, 300);
	if ($round > 2)
	{
		catch_up($primary, $standby);
		$standby->safe_psql('postgres', 'CHECKPOINT');
	}
	usleep(rand(300_000));
	$round % 2 ? $standby->stop('immediate') : kill_all($standby);
	$standby->start;
	wait_compacted($work, 600);
	finish_work($work, "standby crashed, round $round");
	check_same($standby, "standby crashed, round $round");
}
$standby->restart;
check_same($standby, 'standby restarted');

# ---- the primary crashes in the middle ---------------------------------------

foreach my $round (1 .. 4)
{
	$work = start_work($primary);
	wait_compacted($work, 300);
	usleep(rand(300_000));
	$round % 2 ? kill_all($primary) : $primary->stop('immediate');
	finish_work($work, "primary crashed, round $round");
	$primary->start;
	check_same($standby, "primary crashed, round $round");
}
ok(poll_until(sub { !left_over($primary) }), 'what compactions had not finished is removed on the primary')
  or diag(join ' ', left_over($primary));
catch_up($primary, $standby);
ok(poll_until(sub { !left_over($standby) }), 'and on the standby')
  or diag(join ' ', left_over($standby));

# ---- a backup taken meanwhile ------------------------------------------------

foreach my $round (1 .. 2)
{
	$work = start_work($primary);
	wait_compacted($work, 300);
	$primary->backup("meanwhile $round", backup_options => [ '--wal-method=stream', '--max-rate=20M' ]);
	finish_work($work, "backup, round $round");
	command_ok([ 'pg_verifybackup', $primary->backup_dir . "/meanwhile $round" ],
		'pg_verifybackup finds a backup taken during compaction sound');
	my $copy = PostgreSQL::Test::Cluster->new("copy$round");
	$copy->init_from_backup($primary, "meanwhile $round");
	$copy->start;
	check_right($copy, "copy $round");
	wait_resolved($copy);
	$copy->safe_psql('postgres', q{SELECT put(200)});
	$copy->safe_psql('postgres', q{SELECT count(*) FROM compact('state')});
	check_right($copy, "copy $round compacted");
	ok(poll_until(sub { !left_over($copy) }), "copy $round: no file is left over") or diag(join ' ', left_over($copy));
	$copy->stop;
}

# ---- promotion in the middle -------------------------------------------------

$primary->append_conf('postgresql.conf', q{synchronous_standby_names = '*'});
$primary->reload;
$primary->poll_query_until('postgres', q{SELECT sync_state = 'sync' FROM pg_stat_replication})
  or die 'the standby does not become synchronous';
$work = start_work($primary);
wait_compacted($work, 300);
kill_all($primary);
finish_work($work, 'promotion');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
check_right($standby, 'promoted');

# it goes on
$work = start_work($standby);
wait_compacted($work, 500);
kill_all($standby);
finish_work($work, 'promoted and crashed');
$standby->start;
check_right($standby, 'promoted and crashed');
wait_resolved($standby);
$standby->safe_psql('postgres', q{SELECT count(*) FROM compact('state')});
check_right($standby, 'promoted and compacted');
ok(poll_until(sub { !left_over($standby) }), 'no file is left over') or diag(join ' ', left_over($standby));
$standby->stop;

done_testing();
