# A process dies at each step of what changes segments: appending, rolling, syncing
# for a checkpoint, resolving, rewriting, swapping, discarding, deleting, dropping; and
# of what commits a group's offsets, and of what indexes keys.
# The server recovers to what was before the step
# or to what is after it, whatever the step: for a segment that is rewritten, to the
# one or to the other as a whole.  Then the same is done again, to its end.
#
# The places are the FAULT_POINT()s of the sources: each must have a scenario here
# that gets there.  What is right is computed from what the topic shows before.  A
# standby follows through all of it and ends with the same files.
#
# The steps of Kafka transactions are in 191_kafka_txn_crash.pl.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use List::Util qw(max sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProducerProbe;
use Test::More;
use TopicTest;

my $sources = "$FindBin::RealBin/../../src";
my $node = new_node('primary', init => { allows_streaming => 1 },
	settings => [ 'restart_after_crash = on', 'wal_keep_size = 1GB', 'pg_topics.batch_size = 1kB',
		'wal_retrieve_retry_interval = 50ms',
		# the worker collects what is left over, when it starts, and does nothing else
		'pg_topics.log_cleaner_enable = off', 'pg_topics.log_retention_check_interval_ms = 1d', 'pg_topics.key_index_interval = 1d' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	-- all that can be seen of a topic: in one transaction, so by one snapshot
	CREATE FUNCTION look(topic text) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN QUERY SELECT concat_ws('|', 'bounds', log_start_offset, log_end_offset)
			FROM pg_topic_partitions p WHERE p.topic = look.topic::regclass;
		RETURN QUERY SELECT concat_ws('|', 'segment', base_offset, batches, bytes, active, path)
			FROM pg_topic_segments s WHERE s.topic = look.topic::regclass ORDER BY base_offset;
		RETURN QUERY EXECUTE format($sql$
			SELECT concat_ws('|', 'record', record_offset, key, coalesce(value, '~')) FROM %1$I
			UNION ALL
			SELECT concat_ws('|', 'latest', record_offset, key, value) FROM latest(NULL::%1$I)$sql$, topic);
	END $$;
	-- transactions of several batches and of one, tombstones among them
	CREATE PROCEDURE fill(topic text, transactions int, keys int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. transactions LOOP
			PERFORM produce(topic::regclass, 'key ' || n * 7 % keys,
				CASE WHEN n % 11 <> 0 THEN format('%s %s', n, repeat(md5(n::text), 1 + n % 3)) END);
			IF n % 20 = 0 THEN
				PERFORM produce(topic::regclass, 'key ' || k % keys, repeat('many ', 20) || k) FROM generate_series(1, 25) AS k;
			END IF;
			COMMIT;
		END LOOP;
	END $$;
});
$node->safe_psql('postgres', PRODUCER_PROBE);

# ---- the topic ---------------------------------------------------------------

# Have all that has ended resolved, at once: a dry run asks for that.
sub resolve
{
	my ($topic) = @_;

	$node->safe_psql('postgres', "SELECT count(*) FROM apply_retention('$topic', dry_run => true)");
	return;
}

# Make a topic with a history: aborted batches, tombstones, several segments, some
# of them compacted before.
sub make_topic
{
	my ($topic, $config) = @_;
	my $aborted = "BEGIN; SELECT produce('$topic', 'key 1', 'aborted'); SELECT count(*) FROM flush(); ROLLBACK;";

	$node->safe_psql('postgres', qq{
		SET synchronous_commit = off;
		SELECT create_topic('$topic', config => '{"cleanup.policy": "compact", "segment.bytes": 4096, $config}');
		CALL fill('$topic', 50, 12);
		$aborted
		SELECT count(*) FROM compact('$topic');
		CALL fill('$topic', 60, 15);
		$aborted
		CALL fill('$topic', 30, 9);
		RESET synchronous_commit;
		SELECT pg_logical_emit_message(true, 'flush', '')});
	resolve($topic);
	return;
}

# What is to be seen of a topic: bounds, segments, records in order, latest.
sub look
{
	my ($of, $topic) = @_;
	my %seen = (records => [], latest => {}, segments => []);

	foreach my $line (split /\n/, $of->safe_psql('postgres', "SELECT look('$topic')"))
	{
		my ($what, @rest) = split /\|/, $line;

		$seen{start} = $rest[0], $seen{end} = $rest[1] if $what eq 'bounds';
		push @{ $seen{segments} }, { base => $rest[0], batches => $rest[1], bytes => $rest[2], active => $rest[3] eq 't', path => $rest[4] }
		  if $what eq 'segment';
		push @{ $seen{records} }, \@rest if $what eq 'record';
		$seen{latest}{ $rest[1] } = "$rest[0] $rest[2]" if $what eq 'latest';
	}
	return \%seen;
}

# Records as text, those of [from, to).
sub text_of
{
	my ($records, $from, $to) = @_;

	return join "\n", map { join '|', @$_ } grep { $_->[0] >= $from && $_->[0] < $to } @$records;
}

# ---- what an operation leaves ------------------------------------------------

# The records that are left, given all of them and the log start.
my %leaves = (
	compact => sub {
		my ($records) = @_;
		my %last = map { $_->[1] => $_->[0] } @$records;
		return [ grep { $last{ $_->[1] } == $_->[0] } @$records ];
	},
	erase => sub { return [ grep { $_->[1] ne 'key 1' } @{ $_[0] } ]; },
	delete => sub { my ($records, $start) = @_; return [ grep { $_->[0] >= $start } @$records ]; },
	nothing => sub { return $_[0]; });

# What latest() gives for these records.
sub latest_of
{
	my ($records) = @_;
	my %latest = map { $_->[1] => "$_->[0] $_->[2]" } @$records;

	delete $latest{$_} foreach grep { $latest{$_} =~ / ~$/ } keys %latest;
	return \%latest;
}

# Each segment has all of what was before, or all of what is after.
sub check_segments
{
	my ($seen, $before, $after, $name) = @_;
	my @bases = (map({ $_->{base} } @{ $seen->{segments} }), $seen->{end});
	my @mixed;

	foreach my $i (0 .. $#bases - 1)
	{
		my ($from, $to) = ($i == 0 ? 0 : $bases[$i], max($bases[ $i + 1 ], $bases[$i]));
		my $here = text_of($seen->{records}, $from, $to);

		push @mixed, "[$from, $to)"
		  unless $here eq text_of($before, $from, $to) || $here eq text_of($after, $from, $to);
	}
	is("@mixed", '', "$name: each segment has all records from before the operation or all from after it");
	return;
}

# Files of the topic that no segment has.
sub left_over
{
	my ($of, $topic, $seen) = @_;
	my $directory = topic_directory($of, $topic, 0);
	my %has = map { ($of->data_dir . "/$_->{path}") => 1 } @{ $seen->{segments} };

	# where the log starts has a file of its own
	return grep { (my $log = $_) =~ s/\.(index|keys\d+)$/.log/; !$has{$log} } grep { !/\/log_start$/ } glob("$directory/*");
}

# After the crash: either or, per segment; nothing that never was.
sub check_crashed
{
	my ($topic, $case, $before, $after, $name) = @_;
	my $seen = look($node, $topic);
	my ($old, $new) = map { text_of($_, 0, 9e15) } $before->{records}, $after;
	my $text = text_of($seen->{records}, 0, 9e15);

	check_segments($seen, $before->{records}, $after, $name);
	is_deeply($seen->{latest}, latest_of($case->{leaves} eq 'compact' ? $before->{records} : $seen->{records}),
		"$name: latest() gives the last record of each key after the crash");
	is($text, $old,
		"$name: the topic has the records from before the operation") if $case->{shows} eq 'before';
	isnt($text, $old,
		"$name: the topic shows that a part of the operation is done") if $case->{shows} eq 'some';
	is($text, $new,
		"$name: the topic has the records that the whole operation leaves") if $case->{shows} eq 'after';
	my @strange = grep { !/\.[1-9]\d*\.(log|index)$|\.keys_new$/ } left_over($node, $topic, $seen);
	is("@strange", '', "$name: the crash leaves no unused files but those of rewritten segments, and of indexes of keys under way");
	# an append whose transaction has not committed leaves a gap, or nothing
	my $moved = $case->{appends} ? $seen->{end} - $before->{end} : 0;
	ok($seen->{end} == $before->{end} || $moved > 0,
		"$name: the log ends where it did, or behind records that did not commit");
	return;
}

# After the operation was done again.
sub check_done
{
	my ($topic, $case, $before, $after, $name) = @_;
	my $seen;

	is(text_of(look($node, $topic)->{records}, 0, 9e15), text_of($after, 0, 9e15),
		"$name: done again, the operation leaves the records that it should");
	ok(poll_until(sub { $seen = look($node, $topic); !left_over($node, $topic, $seen) }),
		"$name: done again, the operation leaves no unused file")
	  or diag(join ' ', left_over($node, $topic, $seen));
	is_deeply($seen->{latest}, latest_of($after),
		"$name: done again, latest() gives the last record of each key");
	return;
}

# ---- the standby -------------------------------------------------------------

$node->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('standby')});
my $standby = start_standby($node, 'standby', q{primary_slot_name = 'standby'});

# Bytes of each segment that is finished and not empty, by its path.
sub finished
{
	my ($of, $seen, $paths) = @_;
	my %bytes;

	foreach my $segment (grep { $paths ? $paths->{ $_->{path} } : !$_->{active} && $_->{batches} } @{ $seen->{segments} })
	{
		$bytes{ $segment->{path} } = substr(slurp_file($of->data_dir . "/$segment->{path}"), 0, $segment->{bytes});
	}
	return \%bytes;
}

# The standby has the same finished segments and shows the same.
sub check_standby
{
	my ($topic, $name) = @_;

	$node->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'flush', '')});
	$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
	my ($here, $there) = map { look($_, $topic) } $node, $standby;
	my $files = finished($node, $here);
	my $copies = finished($standby, $there, $files);

	is(join(' ', sort keys %$copies), join(' ', sort keys %$files),
		"$name: the standby has the same finished segments");
	is(scalar(grep { $copies->{$_} ne $files->{$_} } keys %$copies), 0,
		"$name: the standby's finished segments have the same bytes");
	is(text_of($there->{records}, 0, 9e15), text_of($here->{records}, 0, 9e15),
		"$name: the standby shows the same records");
	is($there->{start}, $here->{start}, "$name: the log starts at the same offset on the standby");
	return;
}

# ---- dying and coming back ---------------------------------------------------

# Run it in a session that dies at the point; false where it does not get there.
sub die_at
{
	my ($point, $sql, $how) = @_;
	my $from = -s $node->logfile;
	my ($code, $out, $err) = $node->psql('postgres', "SET pg_topics.fault_point = '$point';\n$sql");
	my $died = sub { return slurp_file($node->logfile, $from) =~ /dying at fault point "\Q$point\E"\n(.*)/s ? $1 : undef; };

	if ($code == 0 || !defined $died->())
	{
		diag("$point: not reached: $err");
		return 0;
	}
	if ($how eq 'stop')
	{
		$node->stop('immediate');
		$node->start;
	}
	poll_until(sub { $died->() =~ /database system is ready to accept connections/ }) or die 'the server does not come back';
	return 1;
}

# Run it again and again until another process, the sync process, dies at the point
# for the first time.
sub die_elsewhere
{
	my ($point, $sql) = @_;
	my $from = -s $node->logfile;
	my $died = sub { return slurp_file($node->logfile, $from) =~ /dying at fault point "\Q$point\E"\n(.*)/s ? $1 : undef; };
	my $once = $node->data_dir . '/pg_topics_died_once';

	unlink $once;
	$node->safe_psql('postgres', "ALTER SYSTEM SET pg_topics.fault_point = '$point:once'");
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	poll_until(sub { return 1 if defined $died->(); try_psql($node, $sql); return 0; }) or return 0;
	poll_until(sub { $died->() =~ /database system is ready to accept connections/ }) or die 'the server does not come back';
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_topics.fault_point');
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	return 1;
}

# What each kind of operation does.  For erase() and compact() a step of the first
# segment is met.
my %operations = (
	compact => { leaves => 'compact', sql => sub { return "SELECT count(*) FROM compact('$_[0]')"; } },
	erase => { leaves => 'erase', sql => sub { return "SELECT erase('$_[0]', 'key 1'::text)"; } },
	merge => { leaves => 'nothing', small => 1, sql => sub { return "SELECT count(*) FROM merge_batches('$_[0]')"; } },
	delete => { leaves => 'delete', sql => sub { return "SELECT delete_records('$_[0]', 0, 150)"; }, start => 150 },
	retention => {
		leaves => 'delete',
		config => '"cleanup.policy": "compact,delete", "retention.ms": 3600000',
		sql => sub { return "SET pg_topics.clock_offset = 7200000;\nSELECT count(*) FROM apply_retention('$_[0]')"; },
		start => 9e15
	},
	roll => { leaves => 'nothing', adds => 1, sql => sub { return "SELECT produce('$_[0]', 'key 1', repeat('x', 5000))"; } },
	produce => { leaves => 'nothing', adds => 1, appends => 1,
		sql => sub { return "SELECT produce('$_[0]', 'key 1', repeat('x', 5000))"; } },
	# what the sync process does with a batch whose transaction did not commit
	checkpoint => { leaves => 'nothing', appends => 1, elsewhere => 1, sql => sub {
		return "BEGIN;\nSELECT produce('$_[0]', 'key 1', 'aborted');\nSELECT count(*) FROM flush();\nROLLBACK;\nCHECKPOINT"; } },
	resolve => { leaves => 'nothing', appends => 1, elsewhere => 1, sql => sub {
		return "BEGIN;\nSELECT produce('$_[0]', 'key 1', 'aborted');\nSELECT count(*) FROM flush();\nROLLBACK;\nSELECT count(*) FROM compact('$_[0]', dry_run => true)"; } },
	# what a sync saves of an idempotent producer, and the ids of such ones
	producers => { leaves => 'nothing', appends => 1, elsewhere => 1, sql => sub {
		return "BEGIN;\nSELECT append_batch('$_[0]', 0, 7, 0, 0, 1);\nROLLBACK;\nCHECKPOINT"; } },
	ids => { leaves => 'nothing', sql => sub { return 'SELECT count(next_producer_id()) FROM generate_series(1, 1001)'; } },
	# a segment is finished that has a file already: its new one takes that one's place
	keys => { leaves => 'nothing', config => '"key.index": "on"',
		prepare => sub { return "SELECT count(*) FROM build_key_index('$_[0]'); CALL fill('$_[0]', 60, 15);"; },
		sql => sub { return "SELECT count(*) FROM build_key_index('$_[0]')"; } },
	discard => { leaves => 'erase', large => 1, damage => 1, sql => sub { return "SELECT erase('$_[0]', 'key 1'::text)"; } });

# Which operations die where, and what is to be seen then: before, some of it done,
# after, or either.
my @swaps = qw(compact erase);
# merging removes no record, so nothing is to be seen of it
my @merges = qw(rewrite-written rewrite-logged rewrite-synced swap-logged swap-flushed swap-stamped swap-one-removed swap-done);
my %scenarios = (
	'rewrite-written' => [ 'before', @swaps ],
	'rewrite-logged' => [ 'before', @swaps ],
	'rewrite-synced' => [ 'before', @swaps ],
	'swap-logged' => [ 'either', @swaps ],
	'swap-flushed' => [ 'some', @swaps ],
	'swap-stamped' => [ 'some', @swaps ],
	'swap-one-removed' => [ 'some', @swaps ],
	'swap-done' => [ 'some', @swaps ],
	'compact-group-done' => [ 'some', 'compact' ],
	'merge-group-done' => [ 'before', 'merge' ],
	'discard-logged' => [ 'before', 'discard' ],
	'delete-logged' => [ 'either', qw(delete retention) ],
	'delete-flushed' => [ 'after', qw(delete retention) ],
	'delete-one-removed' => [ 'after', qw(delete retention) ],
	'roll-created' => [ 'before', qw(roll compact erase) ],
	'roll-synced' => [ 'before', qw(roll compact erase) ],
	(map { $_ => [ 'before', 'produce' ] } qw(append-written append-logged append-entered append-done)),
	'all-appended' => [ 'before', 'produce', 'consume' ],
	'offset-stored' => [ 'before', 'consume' ],
	'share-acquired' => [ 'before', 'share' ],
	(map { $_ => [ 'before', 'checkpoint' ] }
		qw(sync-collected sync-done sync-point-written sync-logged checkpoint-release recovery-point-written recovery-point-synced)),
	'sync-producers-written' => [ 'before', 'producers' ],
	(map { $_ => [ 'before', 'ids' ] } qw(producer-ids-logged producer-ids-flushed)),
	(map { $_ => [ 'before', 'resolve' ] } qw(resolve-flagged resolve-logged)),
	(map { $_ => [ 'before', 'keys' ] } qw(key-index-written key-index-renamed key-index-removed)),
	(map { $_ => [ 'gone', qw(drop create) ] } qw(drop-settled drop-logged drop-one-removed drop-done)),
	'reserve-logged' => [ 'gone', 'create' ]);

# Change a byte of the last batch in the topic's first segment; returns what gives
# it back, which recovery may have done before.
sub damage_first_segment
{
	my ($topic) = @_;
	my $segment = look($node, $topic)->{segments}[0];
	my $path = $node->data_dir . "/$segment->{path}";
	my $place = $segment->{bytes} - 10;
	my $byte = substr(slurp_file($path), $place, 1);

	overwrite($path, $place, chr(ord($byte) ^ 1));
	return sub { overwrite($path, $place, $byte); };
}

# More than a rewriting writes at once, in one segment.
sub make_large_topic
{
	my ($topic) = @_;

	$node->safe_psql('postgres', qq{
		SELECT create_topic('$topic', config => '{"cleanup.policy": "compact"}');
		INSERT INTO $topic (key, value) SELECT 'key ' || n, repeat(md5(n::text), 10) FROM generate_series(1, 2000) AS n});
	resolve($topic);
	return;
}

# Segments of many small batches, aborted ones among them, in a topic that is not compacted.
sub make_small_topic
{
	my ($topic) = @_;

	$node->safe_psql('postgres', qq{
		SET synchronous_commit = off;
		SELECT create_topic('$topic', config => '{"segment.bytes": 4096, "batch.merge.lag.ms": 0}');
		CALL fill('$topic', 70, 12);
		BEGIN; SELECT produce('$topic', 'key 1', 'aborted'); SELECT count(*) FROM flush(); ROLLBACK;
		CALL fill('$topic', 60, 15);
		RESET synchronous_commit;
		SELECT pg_logical_emit_message(true, 'flush', '')});
	resolve($topic);
	return;
}

my $number = 0;

sub run_case
{
	my ($point, $kind, $shows, $how) = @_;
	my $case = { %{ $operations{$kind} }, shows => $shows };
	my $topic = 't' . ++$number;
	my $name = "$point, $kind, $how";
	my $sql = $case->{sql}->($topic);

	note("---- $name");
	$case->{small} ? make_small_topic($topic) : $case->{large} ? make_large_topic($topic) : make_topic($topic, $case->{config} // '"index.interval.bytes": 4096');
	$node->safe_psql('postgres', $case->{prepare}->($topic)), resolve($topic) if $case->{prepare};
	$node->safe_psql('postgres', 'CHECKPOINT') if $number % 2;
	my $before = look($node, $topic);
	my $after = $leaves{ $case->{leaves} }->($before->{records}, $case->{start});
	my $give_back = $case->{damage} ? damage_first_segment($topic) : sub { };

	my $reached = $case->{elsewhere} ? die_elsewhere($point, $sql) : die_at($point, $sql, $how);
	$give_back->();
	ok($reached, "$name: a process died at the fault point") or return;
	if ($how eq 'again')
	{
		# recovery over what a recovery has left
		$node->stop('immediate');
		$node->start;
	}
	check_crashed($topic, $case, $before, $after, $name);
	check_standby($topic, $name);
	if ($case->{adds})
	{
		push @$after, [ look($node, $topic)->{end}, 'key 1', 'x' x 5000 ];
	}
	resolve($topic);
	$node->safe_psql('postgres', $sql);
	check_done($topic, $case, $before, $after, $name);
	cmp_ok(sum0(map { $_->{batches} } @{ look($node, $topic)->{segments} }), '<', @{ $before->{records} } / 4,
		"$name: done again, the operation leaves few batches") if $kind eq 'merge';
	check_standby($topic, "$name, done again");
	return;
}

# Drop a topic, or take its creation back, and die: its files go nevertheless, here
# and on the standby, and the next topic has its own.
sub run_drop
{
	my ($point, $kind) = @_;
	my $topic = 't' . ++$number;
	my $name = "$point, $kind";
	my @known = map { glob($_->data_dir . '/pg_topics/*/*-*') } $node, $standby;
	my $create = "SELECT create_topic('$topic', partitions => 2, config => '{\"segment.bytes\": 4096}')";
	my $fill = "INSERT INTO $topic (partition, value) SELECT n % 2, repeat('x', 200) FROM generate_series(1, 200) AS n";

	note("---- $name");
	$node->safe_psql('postgres', "$create;\n$fill") if $kind eq 'drop';
	ok(die_at($point, $kind eq 'drop' ? "SELECT drop_topic('$topic')"
			: "BEGIN;\n$create;\n$fill;\nSELECT count(*)
				FROM flush();\nROLLBACK", 'restart'), "$name: a process died at the fault point");
	is($node->safe_psql('postgres', "SELECT to_regclass('$topic')"), '',
		"$name: the topic does not exist after the crash");
	foreach my $of ($node, $standby)
	{
		my %known = map { $_ => 1 } @known;
		ok(poll_until(sub { !grep { !$known{$_} } glob($of->data_dir . '/pg_topics/*/*-*') }),
			"$name: no directory of the topic is left on " . $of->name);
	}
	$node->safe_psql('postgres', "$create;\n$fill");
	is($node->safe_psql('postgres', "SELECT count(*), max(record_offset) FROM $topic"), '200|99',
		"$name: a new topic of that name has its own records alone");
	check_standby($topic, $name);
	return;
}

# Consume, work and produce in one transaction, and die: all of it is taken back, and
# the group gets the same records once more.
sub run_consume
{
	my ($point) = @_;
	my $topic = 't' . ++$number;
	my $name = "$point, consume";
	my $work = "BEGIN;\nINSERT INTO ${topic}_work SELECT record_offset, value FROM consume('$topic', 'g', 30);\n"
	  . "SELECT count(produce('${topic}_done', NULL::text, value)) FROM (SELECT value FROM ${topic}_work ORDER BY n DESC LIMIT 30) AS w;\nCOMMIT";
	my $seen = sub {
		return $node->safe_psql('postgres', qq{
			SELECT committed_offset, (SELECT count(*) FROM ${topic}_work), (SELECT count(DISTINCT n) FROM ${topic}_work),
				(SELECT count(*) FROM ${topic}_done)
			FROM pg_topic_groups WHERE topic = '$topic'::regclass});
	};

	note("---- $name");
	make_topic($topic, '"index.interval.bytes": 4096');
	$node->safe_psql('postgres', "CREATE TABLE ${topic}_work (n bigint, value text); SELECT create_topic('${topic}_done')");
	# the group's first commit, and a later one
	foreach my $done (30, 60)
	{
		my $from = $seen->();

		ok(die_at($point, $work, 'restart'), "$name: a process died at the fault point");
		is($seen->(), $from, "$name: neither the offset nor the work of the transaction is kept");
		$node->safe_psql('postgres', $work);
		like($seen->(), qr/^\d+\|$done\|$done\|$done$/,
			"$name: done again, the transaction has each record once");
	}
	return;
}

# Acquire records for a share group, and die: they are available again, in a group that is new and in one that is not.
sub run_share
{
	my ($point) = @_;
	my $topic = 't' . ++$number;
	my $name = "$point, share";
	my $work = "INSERT INTO ${topic}_work SELECT record_offset FROM consume_shared('$topic', 's', 30)";

	note("---- $name");
	make_topic($topic, '"index.interval.bytes": 4096');
	$node->safe_psql('postgres', "CREATE TABLE ${topic}_work (n bigint)");
	foreach my $done (30, 60)
	{
		ok(die_at($point, $work, 'restart'), "$name: a process died at the fault point");
		$node->safe_psql('postgres', $work);
		is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT n) FROM ${topic}_work"), "$done|$done",
			"$name: done again, the transaction has each record once");
	}
	return;
}

# ---- all of them -------------------------------------------------------------

my %run = (drop => \&run_drop, create => \&run_drop, consume => \&run_consume, share => \&run_share);

my %points = map { $_ => 1 } grep { !/^(?:sync-)?kafka-/ } map { slurp_file($_) =~ /\bFAULT_POINT\("([^"]+)"\)/g } glob("$sources/*.c $sources/*/*.c");

is(join(' ', sort keys %scenarios), join(' ', sort keys %points), 'each fault point of the sources has a scenario');
foreach my $point (sort keys %scenarios)
{
	my ($shows, @kinds) = @{ $scenarios{$point} };

	($run{$_} // \&run_case)->($point, $_, $shows, 'restart') foreach @kinds;
}

run_case($_, 'merge', 'before', 'restart') foreach @merges;

# the whole server stops at once, or recovers twice
run_case('swap-logged', 'compact', 'either', 'stop');
run_case('swap-flushed', 'compact', 'some', 'stop');
run_case('delete-flushed', 'delete', 'after', 'stop');
run_case('swap-flushed', 'merge', 'before', 'stop');
run_case('swap-stamped', 'compact', 'some', 'again');
run_case('swap-stamped', 'merge', 'before', 'again');
run_case('swap-one-removed', 'compact', 'some', 'again');
run_case('delete-one-removed', 'retention', 'after', 'again');

$standby->stop;
$node->stop;
done_testing();
