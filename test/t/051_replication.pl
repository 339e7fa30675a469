# Topics in what PostgreSQL does with its WAL beyond one standby: a standby of a
# standby, reads there beside retention and compaction, promotion and pg_rewind of
# topics that have diverged, recovery to a time, an LSN and a name, base backups with
# checksums, restart points.
#
# Everything happens under the load of TopicTest, whose table "sent" tells what the
# topic "events" must hold, beside two more topics that lose records all the time, so
# that the maintenance worker, deletions and swaps of segments are in the WAL too:
#
#	  state		compacted; each transaction writes the same to the table "truth"
#	  recent	retention by size; each transaction writes the same to "produced"
use strict;
use warnings;

use File::Copy qw(copy);
use File::Path qw(rmtree);
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

my $primary = new_node('primary',
	init => { allows_streaming => 1, has_archiving => 1, extra => ['--data-checksums'] },
	settings => [ 'max_connections = 40', 'shared_buffers = 16MB', 'wal_keep_size = 1GB', 'max_wal_senders = 10',
		'hot_standby_feedback = on', 'wal_receiver_status_interval = 1', 'wal_retrieve_retry_interval = 50ms',
		'max_standby_streaming_delay = -1', 'track_commit_timestamp = on', 'max_worker_processes = 16',
		'pg_topics.batch_size = 2kB', 'pg_topics.log_cleaner_enable = on', 'pg_topics.log_cleaner_backoff_ms = 200',
		'pg_topics.log_retention_check_interval_ms = 200', 'pg_topics.maintenance_interval = 1s' ]);
$primary->start;
create_load_schema($primary);
$primary->safe_psql('postgres', q{
	SELECT create_topic('state', partitions => 2, config => '{"cleanup.policy": "compact", "segment.bytes": 8192,
		"min.cleanable.dirty.ratio": 0.1, "delete.retention.ms": 0}');
	CREATE TABLE truth (key text PRIMARY KEY, value text);
	SELECT create_topic('recent', config => '{"retention.bytes": 65536, "segment.bytes": 8192}');
	CREATE TABLE produced (id bigserial PRIMARY KEY, value text);
	CREATE FUNCTION put(count int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		k text;
		v text;
	BEGIN
		FOR i IN 1 .. count LOOP
			k := 'key ' || (random() * 40)::int;
			v := CASE WHEN random() < 0.8 THEN clock_timestamp() || repeat(md5(random()::text), 2) END;
			PERFORM produce('state', k, v);
			DELETE FROM truth WHERE key = k;
			INSERT INTO truth SELECT k, v WHERE v IS NOT NULL;
			WITH p AS (INSERT INTO produced (value) VALUES (repeat(md5(random()::text), 3)) RETURNING *)
			SELECT 'x' INTO v FROM p WHERE produce('recent', id::text, value) >= 0;
		END LOOP;
	END $$;
	-- what disagrees in these two, by one snapshot
	CREATE VIEW wrong AS
		WITH r AS MATERIALIZED (SELECT key, value FROM recent)
		SELECT 'state ' || CASE WHEN t.key IS NULL THEN 'back' WHEN l.key IS NULL THEN 'missing' ELSE 'stale' END AS how, key
		FROM latest(NULL::state) l FULL JOIN truth t USING (key)
		WHERE l.value IS DISTINCT FROM t.value
		UNION ALL
		-- a suffix of what was produced, whole
		SELECT CASE WHEN p.id IS NULL THEN 'recent not produced' ELSE 'recent missing' END, coalesce(r.key, p.id::text)
		FROM r FULL JOIN (SELECT * FROM produced WHERE id >= (SELECT min(key::bigint) FROM r)) p
			ON r.key = p.id::text AND r.value = p.value
		WHERE r.key IS NULL OR p.id IS NULL;
});

# ---- the load ----------------------------------------------------------------

my @puts = (("SELECT put(8);\n") x 4, "BEGIN;\nSELECT put(3);\nROLLBACK;\n",
	"BEGIN;\nSELECT put(3);\nSELECT count(*) FROM flush();\nROLLBACK;\n",
	"BEGIN;\nSELECT put(3);\nSAVEPOINT s;\nSELECT put(3);\nROLLBACK TO s;\nCOMMIT;\n");

# Clients of all topics; one of "state", whose order the table has.  They pause between transactions:
# the checks ask how much has come and gone, and compare all of it, which takes the longer the more a
# client without a pause writes meanwhile.
my $rest = "SELECT pg_sleep(0.005);\n";

sub start_all
{
	my ($node, @also) = @_;

	return start_load($node, clients => 2, rest => $rest,
		also => [ join('', map { $puts[ rand @puts ] . $rest } 1 .. ENDLESS), @also ]);
}

sub transactions
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT (SELECT count(DISTINCT (client, n)) FROM sent) + (SELECT count(*) / 8 FROM produced)');
}

sub wait_for_transactions
{
	my ($node, $more) = @_;
	my $end = transactions($node) + $more;

	poll_until(sub { transactions($node) >= $end }) or die 'the load does not get on';
	return;
}

# Segments that retention and compaction have taken away so far.
sub removed
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{
		SELECT coalesce(sum(log_start_offset) FILTER (WHERE topic = 'recent'::regclass), 0)
			+ (SELECT sum(log_end_offset) FROM pg_topic_partitions WHERE topic = 'state'::regclass) - (SELECT count(*) FROM state)
		FROM pg_topic_partitions});
}

sub wait_for_removal
{
	my ($node, $more) = @_;
	my $end = removed($node) + $more;

	poll_until(sub { removed($node) >= $end }) or die 'retention and compaction do not get on';
	return;
}

# ---- checks ------------------------------------------------------------------

# What the view "wrong" tells, by a function that runs a query there.  Retention
# does not spare a statement that is reading: what it had before it when the worker
# removed it is no error, and is below the topic's first record afterwards.
sub disagreements
{
	my ($run) = @_;
	my @found = split /\n/, $run->('SELECT how, key FROM wrong');
	my $first = @found ? $run->('SELECT min(key::bigint) FROM recent') : 0;

	return join "\n", grep { !/^recent missing\|(\d+)$/ || $1 >= $first } @found;
}

sub check_right
{
	my ($node, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	check_events($node, "$name: each transaction has the same records in the topic events as in its table");
	is(disagreements(sub { $node->safe_psql('postgres', @_) }), '',
		"$name: the topics state and recent have the same records as their tables");
	return;
}

my @topics = ('events', 'state', 'recent');

# Both at rest, with the worker: the same of everything.
sub check_same
{
	my ($one, $other, $name) = @_;
	my $bounds = q{SELECT topic, partition, log_start_offset, log_end_offset FROM pg_topic_partitions ORDER BY 1, 2};
	my $same;

	# the worker may be at it
	poll_until(sub {
		catch_up($one, $other);
		my @all = map { my $node = $_; join "\n", map({ contents($node, $_) } @topics), $node->safe_psql('postgres', $bounds) } $one, $other;
		return $same = $all[0] eq $all[1];
	});
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($same, "$name: " . $other->name . ' shows the same topics as ' . $one->name);
	return;
}

# Names and bytes of all segments, as the server tells; nothing where one of them has gone
# since: the worker deletes and replaces segments.
sub segments
{
	my ($node) = @_;
	my %bytes;

	foreach my $line (split /\n/, $node->safe_psql('postgres', 'SELECT path, bytes FROM pg_topic_segments WHERE bytes > 0'))
	{
		my ($path, $bytes) = split /\|/, $line;
		my $file = $node->data_dir . "/$path";

		$bytes{$path} = eval { substr(slurp_file($file), 0, $bytes) };
		next if defined $bytes{$path};
		die $@ if -e $file;
		return;
	}
	return \%bytes;
}

sub check_same_files
{
	my ($one, $other, $name) = @_;
	my @differ;

	poll_until(sub {
		catch_up($one, $other);
		my ($here, $there) = map { scalar segments($_) } $one, $other;
		@differ = ('(segments go while they are read)');
		return 0 if !$here || !$there;
		my %all = (%$here, %$there);
		@differ = grep { ($here->{$_} // '') ne ($there->{$_} // '') } sort keys %all;
		return !@differ;
	});
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("@differ", '', "$name: all segments have the same names and bytes on both nodes");
	return;
}

# Read again and again while the load and the worker get on; each look is one
# statement, and must see a committed prefix of each partition: each record with its
# row, and no record before one that is seen left out.
sub read_meanwhile
{
	my ($node, $from, $name) = @_;
	my $session = open_session($node);
	my ($looks, $wrong) = (0, 0);
	my $end = removed($from) + 3000;
	my $stop = time + $PostgreSQL::Test::Utils::timeout_default;
	my ($last, $grown) = (0, 0);

	until ($looks >= 40 && $grown > 5 && removed($from) > $end)
	{
		die "$name: the load does not get on" if time > $stop;
		my $found = disagreements(sub { $session->run(@_) });
		my $count = $session->run(q{
			WITH r AS MATERIALIZED (SELECT partition, key, value FROM events),
			lost AS (SELECT part, client::text, value FROM sent EXCEPT ALL SELECT * FROM r)
			SELECT (SELECT count(*) FROM r),
				(SELECT count(*) FROM (SELECT * FROM r EXCEPT ALL SELECT part, client::text, value FROM sent) AS more),
				-- what is not seen is behind an open transaction: then nor is what the client sent later
				(SELECT count(*) FROM lost JOIN r ON r.partition = lost.part AND r.key = lost.client
				 WHERE (split_part(r.value, ':', 2)::int, split_part(r.value, ':', 3)::int)
					> (split_part(lost.value, ':', 2)::int, split_part(lost.value, ':', 3)::int))});
		my ($records, $more, $skipped) = split /\|/, $count;

		note("$name: $found, without a row $more, skipped $skipped") if $found ne '' || $more || $skipped;
		$wrong++ if $found ne '' || $more || $skipped || $records < $last;
		$grown++ if $records > $last;
		$last = $records;
		$looks++;
	}
	$session->close;
	is($wrong, 0, "$name: each of $looks statements under load saw a committed part of each topic");
	return;
}

# ---- a standby and a standby of it -------------------------------------------

my $load = start_all($primary);
wait_for_transactions($primary, 50);
my $standby = start_standby($primary, 'standby', 'archive_mode = off');
$standby->backup('of standby');
command_ok([ 'pg_verifybackup', $standby->backup_dir . '/of standby' ],
	'pg_verifybackup finds no damage in a backup of a standby under load');
my $cascading = PostgreSQL::Test::Cluster->new('cascading');
$cascading->init_from_backup($standby, 'of standby', has_streaming => 1);
$cascading->start;

# what the standbys' snapshots see is not compacted away from now on
$_->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_replication WHERE backend_xmin IS NOT NULL') or die 'no feedback'
  foreach $standby, $primary;
read_meanwhile($standby, $primary, 'on the standby');
read_meanwhile($cascading, $primary, 'on the standby of the standby');
read_meanwhile($primary, $primary, 'on the primary');
is($cascading->safe_psql('postgres', 'SELECT sender_port FROM pg_stat_wal_receiver'), $standby->port,
	'the cascading standby gets its WAL from the standby');

# ---- restart points ----------------------------------------------------------

foreach my $round (1 .. 4)
{
	foreach my $node ($standby, $cascading)
	{
		$primary->safe_psql('postgres', 'CHECKPOINT');
		catch_up($primary, $node);
		$node->safe_psql('postgres', 'CHECKPOINT');
		is($node->safe_psql('postgres', 'SELECT redo_lsn > \'0/0\' FROM pg_control_checkpoint()'), 't',
			'the standby makes a restart point');
		my $replayed = $node->safe_psql('postgres', 'SELECT pg_last_wal_replay_lsn()');
		$node->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() > '$replayed'::pg_lsn + 30000")
		  or die 'the standby does not get on';
		usleep(rand(100_000));
		$round % 2 ? kill_all($node) : $node->stop('immediate');
		$node->start;
	}
	catch_up($primary, $cascading);
	is(disagreements(sub { $cascading->safe_psql('postgres', @_) }), '',
		"round $round of kills behind restart points: the cascading standby has the records of the tables");
}
stop_load($primary, $load);
check_right($primary, 'once the load has ended');
foreach my $node ($standby, $cascading)
{
	check_same($primary, $node, 'once the load has ended');
	check_same_files($primary, $node, $node->name);
	check_right($node, $node->name);
}
cmp_ok(removed($primary), '>', 5000, 'retention and compaction have removed more than 5000 records');

# ---- base backups with checksums ---------------------------------------------

is($primary->safe_psql('postgres', 'SHOW data_checksums'), 'on', 'data checksums are on');
$load = start_all($primary, "CHECKPOINT;\nSELECT pg_sleep(0.1);\n" x ENDLESS);
my %format = (plain => [ '--format=plain' ], tar => [ '--format=tar', '--gzip' ]);
foreach my $format (sort keys %format)
{
	my $gone = removed($primary);
	my $path = $primary->backup_dir . "/$format";

	$primary->backup($format, backup_options => [ @{ $format{$format} }, '--wal-method=stream', '--max-rate=12M' ]);
	wait_for_removal($primary, 1) if removed($primary) == $gone;
	if ($format eq 'tar')
	{
		# pg_verifybackup reads plain backups
		mkdir "$path.plain";
		system_or_bail('tar', '-C', "$path.plain", '-xzf', "$path/base.tar.gz");
		mkdir "$path.plain/pg_wal";
		system_or_bail('tar', '-C', "$path.plain/pg_wal", '-xzf', "$path/pg_wal.tar.gz");
		copy("$path/backup_manifest", "$path.plain/backup_manifest");
		rename("$path", "$path.packed");
		rename("$path.plain", $path);
	}
	command_ok([ 'pg_verifybackup', $path ],
		"$format: pg_verifybackup finds no damage in a backup of the primary under load");
	my $copy = PostgreSQL::Test::Cluster->new("copy_$format");
	$copy->init_from_backup($primary, $format);
	$copy->append_conf('postgresql.conf', 'archive_mode = off');
	$copy->start;
	end_prepared($copy);
	check_right($copy, "restored from $format");
	wait_resolved($copy);
	my $more = start_all($copy);
	wait_for_transactions($copy, 20);
	stop_load($copy, $more);
	check_right($copy, "restored from $format, after more load");
	$copy->stop;
	command_ok([ 'pg_checksums', '--check', '-D', $copy->data_dir ],
		"restored from $format: pg_checksums finds no damage");
}

# a backup with a bit of a topic's file turned is told
my $bad = $primary->backup_dir . '/plain';
my ($log) = grep { -s > 100 } glob("$bad/pg_topics/*/*/*.log");
overwrite($log, 50, chr(ord(substr(slurp_file($log), 50, 1)) ^ 1));
command_fails_like([ 'pg_verifybackup', '--exit-on-error', $bad ], qr/checksum mismatch for file "pg_topics/,
	"pg_verifybackup reports a changed byte in a topic's file");

# ---- recovery to a time, an LSN and a name -----------------------------------

$primary->backup('base');
my (%target, %expected);
foreach my $kind (qw(name lsn time))
{
	wait_for_transactions($primary, 40);
	# a mark in the tables tells that recovery ended there and not elsewhere
	$primary->safe_psql('postgres', "CREATE TABLE before_$kind ()");
	$target{$kind} = $kind eq 'name' ? $primary->safe_psql('postgres', q{SELECT 'middle' FROM pg_create_restore_point('middle')})
	  : $kind eq 'lsn' ? $primary->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()')
	  : $primary->safe_psql('postgres', 'SELECT clock_timestamp()');
	$primary->safe_psql('postgres', "CREATE TABLE after_$kind ()");
	wait_for_transactions($primary, 40);
}
stop_load($primary, $load);
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
my $switched = $primary->safe_psql('postgres', q{SELECT pg_walfile_name(pg_current_wal_lsn() - 1)});
$primary->safe_psql('postgres', q{CREATE TABLE last (); SELECT pg_switch_wal()});
$primary->poll_query_until('postgres', "SELECT last_archived_wal >= '$switched' FROM pg_stat_archiver") or die 'WAL is not archived';
foreach my $kind (qw(name lsn time))
{
	my $node = PostgreSQL::Test::Cluster->new("to_$kind");

	$node->init_from_backup($primary, 'base', has_restoring => 1, standby => 0);
	$node->append_conf('postgresql.conf', "archive_mode = off\nrecovery_target_$kind = '$target{$kind}'\nrecovery_target_action = 'promote'");
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
	is($node->safe_psql('postgres', "SELECT to_regclass('before_$kind') IS NOT NULL, to_regclass('after_$kind') IS NULL"), 't|t',
		"recovery to $target{$kind} ($kind) ends before the next transaction");
	end_prepared($node);
	check_right($node, "recovered to a $kind");
	wait_resolved($node);
	check_right($node, "recovered to a $kind, once the log is resolved");
	$load = start_all($node);
	wait_for_transactions($node, 20);
	kill_all($node);
	finish_load($load);
	$node->start;
	end_prepared($node);
	check_right($node, "recovered to a $kind, after more load and a crash");
	$node->stop;
	rmtree($node->data_dir);
}

# ---- promotion in mid-load, synchronous and not ------------------------------

# As pg_rewind finds it: it is told where the new primary is.
sub follow
{
	my ($node, $new) = @_;

	$node->append_conf('postgresql.conf', "primary_conninfo = '" . $new->connstr . " application_name=" . $node->name . "'\nport = "
		. $node->port . "\nunix_socket_directories = '" . $node->host . "'\nsynchronous_standby_names = ''");
	$node->set_standby_mode;
	return;
}

# Make a node that has diverged follow the new primary.
sub rewind
{
	my ($old, $new, $name) = @_;

	# pg_rewind wants what the new primary's control file says of its timeline
	$new->safe_psql('postgres', 'CHECKPOINT');
	# the configuration comes from there as well
	command_ok([ 'pg_rewind', '--source-server', $new->connstr('postgres'), '--target-pgdata', $old->data_dir ],
		"$name: pg_rewind succeeds with " . $old->name);
	follow($old, $new);
	$old->start;
	return;
}

# The nodes in the order in which they are primary.
my @rounds = ([ $primary, $standby, 1 ], [ $standby, $primary, 0 ]);
foreach my $round (@rounds)
{
	my ($old, $new, $synchronous) = @$round;
	my $name = ($synchronous ? 'synchronous' : 'asynchronous') . ', ' . $new->name . ' takes over from ' . $old->name;

	if ($synchronous)
	{
		$old->append_conf('postgresql.conf', 'synchronous_standby_names = \'' . $new->name . '\'');
		$old->reload;
		$old->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'})
		  or die 'the standby does not become synchronous';
	}
	$load = start_all($old);
	wait_for_transactions($old, 60);
	wait_for_removal($old, 100);
	usleep(rand(200_000));
	if ($synchronous)
	{
		kill_all($old);
		finish_load($load);
	}
	# the old primary does not know yet, and goes on
	$new->promote;
	$new->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
	if (!$synchronous)
	{
		wait_for_transactions($old, 30);
		stop_load($old, $load);
	}
	end_prepared($new);
	check_right($new, $name);
	check_acknowledged($new, $load, $name) if $synchronous;

	# both append, delete and compact: offsets mean other records here and there
	if ($synchronous)
	{
		$old->append_conf('postgresql.conf', q{synchronous_standby_names = ''});
		$old->start;
		end_prepared($old);
	}
	my @loads = map { [ $_, start_all($_) ] } $old, $new;
	foreach my $pair (@loads)
	{
		wait_for_transactions($pair->[0], 40);
		wait_for_removal($pair->[0], 500);
	}
	foreach my $node ($old, $new)
	{
		$node->safe_psql('postgres', q{
			SELECT count(*) FROM compact('state');
			SELECT count(*) FROM apply_retention('recent');
			SELECT create_topic('of_} . $old->name . q{');
			SELECT produce('of_} . $old->name . q{', '} . $node->name . q{')});
	}
	$old->safe_psql('postgres', q{SELECT delete_records('events', 0, 5)}) if !$synchronous;
	foreach my $pair (@loads)
	{
		# one is stopped as it should be, the other crashes: pg_rewind recovers it first
		if ($pair->[0] == $old && $synchronous)
		{
			kill_all($old);
			finish_load($pair->[1]);
		}
		else
		{
			stop_load(@$pair);
		}
	}
	check_right($new, "$name, after the old primary has diverged");
	$old->stop if !$synchronous;
	rewind($old, $new, $name);
	check_same($new, $old, "$name, after pg_rewind");
	check_same_files($new, $old, "$name, after pg_rewind");
	check_right($old, "$name, after pg_rewind");

	# it goes on following
	$load = start_all($new);
	wait_for_transactions($new, 30);
	stop_load($new, $load);
	check_same($new, $old, "$name, following under load");
	kill_all($old);
	$old->start;
	check_same($new, $old, "$name, following after a crash");
}

# ---- the standby of the standby ----------------------------------------------

# it has followed one of them through all of it, or follows it now
$cascading->stop;
rewind($cascading, $primary, 'the cascading standby');
check_same($primary, $cascading, 'the cascading standby follows the last primary');
check_right($cascading, 'the cascading standby, at the end');

foreach my $node ($cascading, $standby, $primary)
{
	$node->stop;
	command_ok([ 'pg_checksums', '--check', '-D', $node->data_dir ],
		'pg_checksums finds no damage on ' . $node->name);
}

done_testing();
