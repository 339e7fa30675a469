# The index of keys: built by the worker, damaged, out of date, from elsewhere, after
# crashes, on a standby, and gone with what it belongs to.  Whatever its files are, a query
# for a key finds the records that a walk through all of them finds.
#
# Files under test: src/log/key_index_file.c, src/log/key_index_writer.c,
# src/maintenance/key_index_build.c, src/views/key_check.c; for the histories also
# src/query/latest_reader.c and src/wal/backward_reader.c.
#
# TOPIC_TEST_SEED repeats the random histories, TOPIC_TEST_HISTORIES asks for more of them.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $page = 4096;
my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'restart_after_crash = on', 'wal_keep_size = 1GB', 'max_prepared_transactions = 20', 'pg_topics.batch_size = 1kB',
		'pg_topics.key_index_interval = 1s', 'pg_topics.maintenance_interval = 1s', 'pg_topics.log_cleaner_enable = off' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE FUNCTION fill(topic text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %I (key, value) SELECT ''key '' || i %% 2000, repeat(md5(i::text), 2) FROM generate_series($1, $2) i', topic) USING first, last;
	END $$;
	-- how many of some keys a query finds, by the index and by all records
	CREATE FUNCTION found(topic text, by_index bool) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
		part text;
	BEGIN
		FOREACH part IN ARRAY '{key 0,key 1,key 77,key 1999,key 2000,none}'::text[] LOOP
			EXECUTE format($sql$SELECT concat_ws(' ', $2, (SELECT concat_ws('/', count(*), sum(record_offset)) FROM %1$I WHERE %2$s = $1),
				(SELECT string_agg(record_offset::text, '<') FROM (SELECT record_offset FROM %1$I WHERE %2$s = $1 ORDER BY 1 DESC LIMIT 3) r),
				(SELECT record_offset FROM latest(NULL::%1$I) WHERE %2$s = $1))$sql$, topic,
				CASE WHEN by_index THEN 'key' ELSE 'key || ''''' END) INTO part USING part, result;
			result := part;
		END LOOP;
		RETURN result;
	END $$;
	-- batches read and skipped
	CREATE FUNCTION skipped(topic text) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE
		plan json;
	BEGIN
		EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) SELECT * FROM %I WHERE key = ''key 77''', topic) INTO plan;
		RETURN plan -> 0 -> 'Plan' ->> 'Key Index Batches Skipped';
	END $$;
	CREATE VIEW coverage AS SELECT topic::text, base_offset, active, path, batches, indexed_batches, key_index_bytes FROM pg_topic_segments;
});

my $any = $node;

sub sql { return $any->safe_psql('postgres', @_); }

# What psql says on standard error.
sub messages
{
	my ($of, $sql) = @_;

	return ($of->psql('postgres', $sql))[2];
}

# Make a topic of a finished segment and an active one, with an index of keys.
sub make_topic
{
	my ($topic, $config) = @_;

	sql("SELECT create_topic('$topic', config => '{\"key.index\": \"on\", \"segment.bytes\": 400000" . ($config // '') . "}');
		SELECT fill('$topic', 1, 6000)");
	sql("SELECT count(*) FROM build_key_index('$topic')");
	return;
}

sub key_files
{
	my ($of, $topic) = @_;

	return glob(topic_directory($of, $topic, 0) . '/*.keys*');
}

# A query by the index and one without find the same; returns what was reported.
sub agrees
{
	my ($of, $topic, $name) = @_;
	my ($code, $out, $err) = $of->psql('postgres', "SELECT found('$topic', true) = found('$topic', false)");

	is($out, 't', "$name: a query for a key finds all records of the key");
	return $err;
}

# ---- the worker ------------------------------------------------------------------

sql(q{SELECT create_topic('grown', config => '{"key.index": "on", "segment.bytes": 1000000}')});
sql("SELECT fill('grown', 1, 5000)");
ok($node->poll_query_until('postgres', q{SELECT sum(indexed_batches) > 300 FROM coverage WHERE topic = 'grown'}),
	'the worker indexes the keys of the active segment');
foreach my $round (1 .. 4)
{
	sql("SELECT fill('grown', 1, 5000)");
}
ok($node->poll_query_until('postgres', q{
	SELECT bool_and(indexed_batches = batches) AND count(*) > 1 FROM coverage WHERE topic = 'grown' AND NOT active}),
	'it covers each segment that is finished');
ok(poll_until(sub {
	my %files;
	$files{s/\.keys\d+$//r}++ foreach key_files($node, 'grown');
	return !grep { $files{$_} > 1 } map { $node->data_dir . "/$_" =~ s/\.log$//r } split /\n/, sql("SELECT path FROM coverage WHERE topic = 'grown' AND NOT active");
}), 'with one file each');
is(agrees($node, 'grown', 'beside the worker'), '', 'nothing is reported');
is(sql("SELECT count(*) FROM verify_topic('grown')"), '0', 'verify_topic() finds no damage');

# ---- random histories ------------------------------------------------------------------

# Whatever was produced, taken back, deleted, compacted and indexed: for any keys the node of
# latest() gives what the function gives, and a query backward what one forward gives.
my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
srand($seed);
note("TOPIC_TEST_SEED=$seed");
sql(q{
	CREATE FUNCTION differs(topic text, wanted text) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN QUERY EXECUTE format($sql$
			WITH by_node AS MATERIALIZED (SELECT row_number() OVER (), l.* FROM (SELECT * FROM latest(NULL::%1$I) WHERE key = ANY (%2$L)) l),
				by_function AS MATERIALIZED (SELECT row_number() OVER (), l.* FROM (SELECT * FROM latest(NULL::%1$I) WHERE key || '' = ANY (%2$L)) l),
				backward AS MATERIALIZED (SELECT * FROM %1$I WHERE key = ANY (%2$L) ORDER BY record_offset DESC, partition DESC LIMIT 20),
				forward AS MATERIALIZED (SELECT * FROM %1$I WHERE key || '' = ANY (%2$L) ORDER BY record_offset DESC, partition DESC LIMIT 20)
			SELECT 'latest ' || d::text FROM ((TABLE by_node EXCEPT TABLE by_function) UNION ALL (TABLE by_function EXCEPT TABLE by_node)) d
			UNION ALL
			SELECT 'backward ' || d::text FROM ((TABLE backward EXCEPT TABLE forward) UNION ALL (TABLE forward EXCEPT TABLE backward)) d
			$sql$, topic, wanted);
	END $$;
});
sub some_keys { return join ',', map { 'k' . int(rand 60) } 1 .. 1 + rand $_[0]; }
sub random_step
{
	my ($topic, $number, $policy) = @_;
	my $rows = "SELECT floor(random() * 2), 'k' || floor(random() * random() * 60), CASE WHEN random() < 0.8 THEN repeat('v', (random() * 60)::int) || i END FROM generate_series(1, "
		. int(1 + rand 400) . ") i";
	my $insert = "INSERT INTO $topic (partition, key, value) $rows;";
	my @steps = ((sub { $insert }) x 5,
		(sub { "SELECT count(*) FROM build_key_index('$topic');" }) x 4,
		sub { "BEGIN; $insert SELECT count(*) FROM flush(); ROLLBACK;" },
		sub { "BEGIN; $insert PREPARE TRANSACTION '$topic $number'; $insert" },
		sub { qq{SELECT format('%s PREPARED %L', CASE WHEN random() < 0.5 THEN 'COMMIT' ELSE 'ROLLBACK' END, gid) FROM pg_prepared_xacts WHERE gid LIKE '$topic %'\n\\gexec\n} },
		$policy eq 'compact' ? (sub { "SELECT count(*) FROM compact('$topic');" }) x 2 :
		sub { "SELECT delete_records('$topic', partition, log_start_offset + (last_stable_offset - log_start_offset) / 5) FROM pg_topic_partitions WHERE topic = '$topic'::regclass;" },
		sub { "SELECT count(*) FROM merge_batches('$topic');" });

	return $steps[ rand @steps ]->();
}
foreach my $number (1 .. $ENV{TOPIC_TEST_HISTORIES} // 20)
{
	my $topic = "random$number";
	my $policy = rand() < 0.5 ? 'compact' : 'delete';
	my $script = qq{SELECT create_topic('$topic', partitions => 2, config => '{"key.index": "on", "segment.bytes": "20000", "cleanup.policy": "$policy"}');\n};
	my $checks = join '', map { "SELECT 'wrong: ' || d FROM differs('$topic', '{" . some_keys($_) . "}') d;\n" } 1, 1, 1, 3, 20;

	$script .= random_step($topic, "$number $_", $policy) . "\n$checks" foreach 1 .. 12;
	$script .= "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts\n\\gexec\nDROP FOREIGN TABLE $topic;\n";
	my ($code, $out, $err) = $node->psql('postgres', $script, on_error_stop => 1);
	is("$code $err " . join("\n", grep { /^wrong/ } split /\n/, $out), '0  ', "history $number: for keys all ways find the same")
		or diag($script);
}

# ---- damage ------------------------------------------------------------------------

# Change a byte.
sub flip
{
	my ($path, $place) = @_;

	overwrite($path, $place, chr(ord(substr(slurp_file($path), $place, 1)) ^ 1));
	return;
}

# Set the version, with a checksum that matches.
sub set_version
{
	my ($path, $version) = @_;
	my $header = substr(slurp_file($path), 0, 128);

	substr($header, 4, 4) = pack('L', $version);
	substr($header, 124, 4) = pack('L', crc32c(substr($header, 0, 124)));
	overwrite($path, 0, $header);
	return;
}

my $damaged = qr/WARNING:  damaged key index ".*\.keys\d+" at position \d+/;
my @damages = (
	[ 'a byte of the header', sub { flip($_[0], 40) }, $damaged ],
	[ 'the magic number', sub { flip($_[0], 0) }, $damaged ],
	[ 'a byte of each leaf', sub { my ($path) = @_; flip($path, $_ * $page + 100) foreach 1 .. (-s $path) / $page - 1 }, $damaged ],
	[ 'a byte of the root', sub { flip($_[0], (-s $_[0]) - $page + 13) }, $damaged ],
	[ 'pages that changed places', sub {
		my ($path) = @_;
		my $bytes = slurp_file($path);
		overwrite($path, $page, substr($bytes, 2 * $page, $page));
		overwrite($path, 2 * $page, substr($bytes, $page, $page)); }, $damaged ],
	[ 'a file that is cut', sub { truncate($_[0], 2 * $page) }, $damaged ],
	[ 'an empty file', sub { truncate($_[0], 0) }, $damaged ],
	[ 'a file of zeros', sub { overwrite($_[0], 0, "\0" x -s $_[0]) }, $damaged ],
	[ 'a newer version', sub { set_version($_[0], 99) }, qr/^$/ ]);

my $number = 0;
foreach my $damage (@damages)
{
	my ($name, $do, $message) = @$damage;
	my $topic = 'd' . ++$number;

	make_topic($topic);
	my ($path) = key_files($node, $topic);
	# no process has it open
	cmp_ok(-s $path, '>', 3 * $page, "$name: the file has some pages");
	$do->($path);
	my $from = -s $node->logfile;
	$node->restart;
	# the worker may have met it before
	like(agrees($node, $topic, $name) || (slurp_file($node->logfile, $from) =~ /(WARNING: .*)/)[0] || '', $message,
		"$name: it is reported, if it is damage");
	my $worker_may_be_first = sql("SELECT count(*) FROM verify_topic('$topic')");
	ok($worker_may_be_first =~ /^\d+$/, "$name: verify_topic() reads it");
	if ($name =~ /version/)
	{
		sql("SELECT count(*) FROM build_key_index('$topic')");
	}
	ok(poll_until(sub {
		return sql("SELECT count(*) FROM verify_topic('$topic')") eq '0' &&
			sql("SELECT bool_and(indexed_batches = batches) FROM coverage WHERE topic = '$topic' AND NOT active") eq 't'; }),
		"$name: the file is made anew");
	is(agrees($node, $topic, "$name, made anew"), '', "$name: nothing is reported any more");
	cmp_ok(sql("SELECT skipped('$topic')"), '>', 100, "$name: and it is used");
	sql("DROP FOREIGN TABLE $topic");
}

# without the worker: verify_topic() tells of the damage
$node->append_conf('postgresql.conf', 'pg_topics.key_index_interval = 1d');
$node->reload;
make_topic('told');
{
	my ($path) = key_files($node, 'told');

	flip($path, 3 * $page + 50);
	like(sql("SELECT problem FROM verify_topic('told')"), qr/the index of keys in file "keys\d+": the page's checksum does not match/,
		'verify_topic() tells of a damaged page');
	flip($path, 3 * $page + 50);
	is(sql("SELECT count(*) FROM verify_topic('told')"), '0', 'and of none without');
	# a slot that is missing: the file of another topic, with other keys, under a right header
	sql(q{SELECT create_topic('other', config => '{"key.index": "on", "segment.bytes": 400000}');
		INSERT INTO other (key, value) SELECT 'other ' || i % 2000, repeat(md5(i::text), 2) FROM generate_series(1, 6000) i});
	sql("SELECT count(*) FROM build_key_index('other')");
	my ($other) = key_files($node, 'other');
	copy($other, $path);
	is(agrees($node, 'told', 'a file of another topic'), '', 'the file of another topic is not used');
	is(sql("SELECT count(*) FROM verify_topic('told')"), '0', 'which is no damage');
	sql("SELECT count(*) FROM build_key_index('told')");
	cmp_ok(sql("SELECT skipped('told')"), '>', 100, 'building takes its place');
	sql("DROP FOREIGN TABLE other");
}

# a file that cannot be opened any more when others are to stand behind it
make_topic('lost');
{
	my ($path) = grep { !/\/0+\.keys\d+$/ } key_files($node, 'lost');
	my $builder = open_background($node, 'builder');

	# the active segment grows, and a new one begins while its keys are collected
	sql("SELECT fill('lost', 1, 500)");
	is(sql("SELECT indexed_batches > 0 AND indexed_batches < batches FROM coverage WHERE topic = 'lost' AND active"), 't',
		'the active segment is covered in part');
	ask($builder, "SET pg_topics.fault_point = 'key-index-collected:halt'; SELECT count(*) FROM build_key_index('lost');");
	wait_halted(my $pid = pid_of_session($node, 'builder'));
	unlink $path or die "$path: $!";
	sql("SELECT fill('lost', 1, 6000)");
	go_on($pid);
	answer($builder);
	is(agrees($node, 'lost', 'a file that is lost while the next one is made'), '', 'nothing is reported of it');
	is(sql("SELECT count(*) FROM verify_topic('lost')"), '0', 'no file covers what it has no keys of');
	sql("SELECT count(*) FROM build_key_index('lost')");
	is(sql("SELECT bool_and(indexed_batches = batches) FROM coverage WHERE topic = 'lost' AND NOT active"), 't',
		'what was lost is made anew');
	sql("DROP FOREIGN TABLE lost");
}

# ---- leftovers -----------------------------------------------------------------------

{
	my ($path) = key_files($node, 'told');
	my $new = $path =~ s/\.keys\d+$/.keys_new/r;
	my $orphan = topic_directory($node, 'told', 0) . '/00000000000000999999.3.keys0';

	copy($path, $new);
	copy($path, $orphan);
	ok(poll_until(sub { !-e $new && !-e $orphan }), 'the worker removes unfinished files, and those without a segment');
	ok(-e $path, 'and no others');
	sql(q{SELECT alter_topic('told', '{"key.index": "off"}')});
	ok(poll_until(sub { !key_files($node, 'told') }), 'with the option off it removes all of them');
	sql("DROP FOREIGN TABLE told");
}

# ---- crashes ---------------------------------------------------------------------------

make_topic('crashed');
sql("SET synchronous_commit = off; SELECT fill('crashed', 1, 700); SELECT count(*) FROM build_key_index('crashed')");
$node->stop('immediate');
$node->start;
is(agrees($node, 'crashed', 'after a crash'), '', 'nothing is reported after a crash');
cmp_ok(sql("SELECT skipped('crashed')"), '>', 100, 'after a crash the files are used');
sql("SELECT fill('crashed', 1, 1000)");
agrees($node, 'crashed', 'after a crash, and more records');

# ---- a standby ---------------------------------------------------------------------------

my $standby = start_standby($node, 'standby');
is(agrees($standby, 'crashed', 'on a standby'), '', 'nothing is reported on a standby');
cmp_ok($standby->safe_psql('postgres', "SELECT skipped('crashed')"), '>', 100, 'a standby uses the files of its base backup');
make_topic('fresh');
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
is(agrees($standby, 'fresh', 'on a standby without files'), '', 'it reads records where it has none');
is($standby->safe_psql('postgres', "SELECT skipped('fresh')"), '0', 'and skips no batch');
like(messages($standby, "SELECT * FROM build_key_index('fresh')"), qr/cannot execute build_key_index\(\) during recovery/,
	'it cannot build any');
is(sql("SELECT delete_records('crashed', 0, -1) > 0"), 't', 'records are deleted');
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
sub stray
{
	my ($of) = @_;
	return grep { !-e s/\.keys\w+$/.log/r } key_files($of, 'crashed');
}
is(join(' ', stray($_)), '', 'the files of keys go with their segments on ' . $_->name) foreach $node, $standby;
my %directory = map { $_->name => topic_directory($_, 'crashed', 0) } $node, $standby;
sql('DROP FOREIGN TABLE crashed');
$node->wait_for_catchup($standby, 'replay', $node->lsn('flush'));
ok(poll_until(sub { !-e $directory{ $_->name } }), 'and with their topic on ' . $_->name) foreach $node, $standby;

$standby->append_conf('postgresql.conf', 'pg_topics.key_index_interval = 1s');
$standby->reload;
$standby->promote;
ok($standby->poll_query_until('postgres', q{SELECT bool_and(indexed_batches = batches) FROM coverage WHERE topic = 'fresh' AND NOT active}),
	'after its promotion the worker builds the index');
agrees($standby, 'fresh', 'after the promotion');
cmp_ok($standby->safe_psql('postgres', "SELECT skipped('fresh')"), '>', 100, 'which is used');

done_testing();
