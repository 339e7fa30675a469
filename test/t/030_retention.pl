# Files under test: src/maintenance/retention.c, src/maintenance/maintenance_functions.c.
# Deleting old segments with crashes, a standby, transactions that have not ended, and
# sessions that read and write meanwhile.
use strict;
use warnings;

use File::Copy;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $standby) = start_pair('pg_topics.sync_interval = 1ms');

sub sql { return $node->safe_psql('postgres', @_); }

sub bounds
{
	my ($server, $topic) = @_;

	return $server->safe_psql('postgres', qq{
		SELECT log_start_offset, log_end_offset, segments FROM pg_topic_partitions
		WHERE topic = '$topic'::regclass AND partition = 0});
}

# The names of a partition's files.
sub files
{
	my ($server, $directory) = @_;

	return join ' ', sort map { s{.*/}{}r } glob($server->data_dir . "/$directory/*");
}

# Apply retention as it will be at another time.
sub apply_retention
{
	my ($topic, $ahead) = @_;

	return sql(qq{
		SET pg_topics.clock_offset = '$ahead';
		SELECT segments_deleted, log_start_offset FROM apply_retention('$topic') WHERE partition = 0});
}

sql(q{
	CREATE EXTENSION pg_topics;
	-- one record a segment, which says itself what it must be
	CREATE PROCEDURE fill(topic regclass, records int, first int DEFAULT 0) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN first .. first + records - 1 LOOP
			PERFORM produce(topic, n::text, repeat(md5(n::text), 20));
			COMMIT;
		END LOOP;
	END $$;
	SELECT create_topic('old', config => '{"segment.bytes": 1024, "retention.ms": 3600000}');
	CALL fill('old', 20);
});
wait_resolved($node);
my $directory = topic_directory($node, 'old', 0);
$directory =~ s{^\Q@{[$node->data_dir]}\E/}{};

# ---- the settings' order: ms over minutes over hours, the topic's option first --

sql(q{SELECT create_topic('by_setting'); SELECT produce('by_setting', 'v')});

# Is the record due at the one time and not at the other?
sub due
{
	return join ' ', map { sql(qq{
		SET pg_topics.clock_offset = '$_'; SELECT segments_deleted FROM apply_retention('by_setting', true)}) } @_;
}

# Set server-wide settings, and wait until new sessions have them.
sub set_all
{
	my (%settings) = @_;

	foreach my $name (sort keys %settings)
	{
		sql("ALTER SYSTEM SET pg_topics.log_retention_$name = $settings{$name}");
		$node->reload;
		$node->poll_query_until('postgres',
			"SELECT setting = '$settings{$name}' FROM pg_settings WHERE name = 'pg_topics.log_retention_$name'") or die;
	}
	return;
}

# the tests' clusters keep records for ever
set_all(ms => -2);
is(due('167h', '169h'), '0 1', 'by default records expire after a week');
set_all(hours => 10);
is(due('9h', '11h'), '0 1', 'log_retention_hours decides where nothing else is set');
set_all(minutes => 10);
is(due('9min', '11min'), '0 1', 'log_retention_minutes goes before log_retention_hours');
set_all(ms => 120000);
is(due('1min', '3min'), '0 1', 'log_retention_ms goes before log_retention_minutes');
set_all(ms => -1);
is(due('20000h'), '0', 'log_retention_ms = -1 keeps records for ever');
sql(q{SELECT alter_topic('by_setting', '{"retention.ms": 3600000}')});
is(due('59min', '61min'), '0 1', "the topic's own retention.ms goes before the server's settings");
set_all(ms => -2, minutes => -1);
sql(q{SELECT alter_topic('by_setting', '{"retention.ms": null}')});
is(due('20000h'), '0', 'log_retention_minutes = -1 keeps records for ever');
set_all(ms => -1, minutes => -2, hours => 168);

# ---- crashes -----------------------------------------------------------------

# right after the deletion, and what the file system has not made durable is back
my $keep = PostgreSQL::Test::Utils::tempdir();
sub keep_files { copy($_, $keep) or die foreach glob($node->data_dir . "/$directory/*.*") }
sub bring_back
{
	foreach my $file (glob("$keep/*"))
	{
		my $name = $file =~ s{.*/}{}r;
		my $target = $node->data_dir . "/$directory/$name";
		copy($file, $target) or die unless -e $target;
		unlink $file;
	}
}

keep_files();
is(sql(q{SELECT delete_records('old', 0, 5)}), '5', 'delete_records() deletes up to the offset');
my $after = files($node, $directory);
unlike($after, qr/0000000000000004\.log/, 'delete_records() removes the files of deleted segments');
kill_all($node);
bring_back();
like(files($node, $directory), qr/0000000000000004\.log/, 'the crash brings the removed files back');
$node->start;
is(bounds($node, 'old'), '5|20|15', 'after the crash the log starts where it was deleted to');
is(files($node, $directory), $after, 'after the crash recovery has removed those files again');
is(sql('SELECT min(record_offset), count(*) FROM old'), '5|15', 'after the crash the other records are there');

# a crash between the record and the unlinking, which a checkpoint has passed:
# redo does not come to it
keep_files();
is(sql(q{SELECT delete_records('old', 0, 8)}), '8', 'delete_records() deletes up to a later offset');
$after = files($node, $directory);
sql('CHECKPOINT');
kill_all($node);
bring_back();
$node->start;
is(sql(q{SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'old'::regclass}), '8',
	'after a checkpoint and a crash the log starts where it was deleted to');
is(sql('SELECT min(record_offset), count(*) FROM old'), '8|12',
	'after a checkpoint and a crash the other records are there');
is(files($node, $directory), $after,
	'after a checkpoint and a crash the files are removed when the server starts');

# files that could not be unlinked: retention tries again
keep_files();
is(sql(q{SELECT delete_records('old', 0, 11)}), '11', 'delete_records() deletes once more');
$after = files($node, $directory);
bring_back();
like(files($node, $directory), qr/0000000000000008\.log/,
	'files of deleted segments are back while the server runs');
is(sql('SELECT min(record_offset), count(*) FROM old'), '11|9',
	'records in files of deleted segments are not shown');
is(sql(q{SELECT segments_deleted, bytes_deleted > 0 FROM apply_retention('old', true)}), '3|t',
	'a dry run of retention counts files of deleted segments');
is(sql(q{SELECT segments_deleted, bytes_deleted > 0, log_start_offset FROM apply_retention('old')}), '3|t|11',
	'retention removes files of deleted segments');
is(files($node, $directory), $after, 'after that those files are gone');

# of all there is, the active segment too
$node->wait_for_catchup($standby);
is(apply_retention('old', '2h'), '9|20', 'retention deletes all of an idle topic, its active segment too');
kill_all($node);
$node->start;
is(bounds($node, 'old'), '20|20|1', 'a topic that retention has emptied is empty after a crash');
sql(q{CALL fill('old', 3, 20)});
is(sql('SELECT record_offset, key FROM old LIMIT 1'), '20|20', 'the emptied topic goes on at the next offset');

# ---- the standby -------------------------------------------------------------

$node->wait_for_catchup($standby);
is(bounds($standby, 'old'), '20|23|3', 'on the standby the log has the same start and end');
is(files($standby, $directory), files($node, $directory), 'on the standby there are the same files');

my $reader = open_session($standby);
$reader->run('BEGIN; DECLARE c CURSOR FOR SELECT record_offset FROM old');
is($reader->run('FETCH 1 FROM c'), '20', 'a cursor on the standby reads the first record');
sql(q{SELECT delete_records('old', 0, 22)});
$node->wait_for_catchup($standby);
is($reader->run('FETCH ALL FROM c'), '22', 'the cursor goes on behind what was deleted meanwhile');
$reader->close;
$standby->stop('immediate');
$standby->start;
$node->wait_for_catchup($standby);
is(bounds($standby, 'old'), '22|23|1', 'after a crash of the standby its log has the right start and end');
is(files($standby, $directory), files($node, $directory),
	'after a crash of the standby it has the same files as the primary');
foreach my $call (q{SELECT apply_retention('old')}, q{SELECT delete_records('old', 0, -1)})
{
	my ($code, $out, $err) = $standby->psql('postgres', $call);
	like($err, qr/cannot execute (apply_retention|delete_records)\(\) (during recovery|in a read-only transaction)/,
		'the standby refuses to delete records');
}
is($standby->safe_psql('postgres', q{SELECT segments_deleted FROM apply_retention('old', dry_run => true)}), '0',
	'the standby allows a dry run of retention');

# ---- transactions that have not ended ------------------------------------------

sql(q{
	SELECT create_topic('held', config => '{"segment.bytes": 1024, "retention.ms": 3600000}');
	CALL fill('held', 3);
	BEGIN; SELECT produce('held', '3', repeat(md5('3'), 20)); PREPARE TRANSACTION 'held';
});
sql(q{CALL fill('held', 3, 4)});
my $running = open_session($node);
$running->run(q{BEGIN; SELECT produce('held', '7', repeat(md5('7'), 20)); SELECT count(*) FROM flush()});
$node->poll_query_until('postgres', q{SELECT resolved_offset = 3 FROM pg_topic_partitions WHERE topic = 'held'::regclass});
is(apply_retention('held', '2h'), '3|3', 'retention stops at records of a prepared transaction');
is(apply_retention('held', '1000h'), '0|3',
	'retention does not pass the prepared transaction, whatever the time');
$running->close;
kill_all($node);
$node->start;
is(apply_retention('held', '2h'), '0|3', 'after a crash retention still stops at the prepared transaction');
sql(q{COMMIT PREPARED 'held'});
is(sql(q{SELECT string_agg(key, ' ' ORDER BY record_offset) FROM held}), '3 4 5 6',
	"the prepared transaction's records are there when it is committed");
wait_resolved($node);
is(apply_retention('held', '2h'), '5|8', 'once it has ended retention passes its records');

# ---- a thousand segments, beside readers and writers ---------------------------

sql(q{
	SELECT create_topic('many', config => '{"segment.bytes": 1024, "retention.ms": 3600000}');
	CREATE TABLE got (name text, record_offset bigint, key text, value text);
	CALL fill('many', 2000);
});
wait_resolved($node);

# A consumer that is overtaken in the middle of a call gets, or is told to have
# lost, each record: it stands still behind the first segments, each time some more.
my $deleter = open_session($node);
foreach my $round (1 .. 10)
{
	my $from = ($round - 1) * 150;
	my $to = $from + 150;
	my $consumer = open_background($node, "round$round");
	my $consume = qq{INSERT INTO got SELECT 'round$round', record_offset, key, value
		FROM consume('many', 'round$round', 100000)};

	sql(qq{SELECT commit_offset('many', 'round$round', 0, $from)});
	ask($consumer, "SET pg_topics.fault_point = 'reader-segment:halt:@{[ 3 + $round * $round ]}'; $consume;");
	my $pid = pid_of_session($node, "round$round");
	wait_halted($pid);
	$deleter->run(qq{SELECT delete_records('many', 0, $to)});
	go_on($pid);
	answer($consumer);
	$consumer->{run}->finish;
	sql($consume);
	is(sql(qq{
		SELECT committed_offset - $from - lost_records = (SELECT count(*) FROM got WHERE name = 'round$round'), committed_offset
		FROM topic_group_offsets WHERE group_id = 'round$round'}), 't|2000',
		"round $round: the consumer got each record or was told that it was lost");
	is(sql(qq{SELECT lost_records BETWEEN 1 AND 149 FROM topic_group_offsets WHERE group_id = 'round$round'}), 't',
		"round $round: records were deleted in the middle of the consumer's call");
}
$deleter->close;
sql(q{CALL fill('many', 500, 2000); SELECT commit_offset('many', 'steady', 0, 1500)});
is((split /\|/, bounds($node, 'many'))[2], '1000', 'the topic has a thousand segments');
wait_resolved($node);

my $scripts = PostgreSQL::Test::Utils::tempdir();
append_to_file("$scripts/write.sql", "CALL fill('many', 300, 2500);\n");
append_to_file("$scripts/consume.sql",
	"INSERT INTO got SELECT 'steady', record_offset, key, value FROM consume('many', 'steady', 10);\n" x 400);
append_to_file("$scripts/read.sql",
	"SELECT count(*) FROM many WHERE value <> repeat(md5(key), 20) OR key::bigint <> record_offset;\n" x 30);
my @beside = map { start_psql($node, "$scripts/$_.sql", "$scripts/$_.out") } qw(write consume read);
my $start = time;
my ($deleted) = split /\|/, sql(q{SELECT delete_records('many', 0, 2500)}) eq '2500' ? '1000' : '0';
diag(sprintf('deleting 1000 segments beside readers and writers: %.3f s', time - $start));
is($deleted, '1000', 'a thousand segments are deleted');
ok($_->finish, 'sessions that read and write during the deletion meet no error') foreach @beside;
foreach my $name (qw(write consume read))
{
	my $errors = join "\n", grep { !/NOTICE|DETAIL/ } split /\n/, slurp_file("$scripts/$name.out.err");
	is($errors, '', "$name: no error during the deletion");
}
unlike(slurp_file("$scripts/read.out"), qr/[^0\n]/, 'each record that was read during the deletion is right');
sql(q{INSERT INTO got SELECT 'steady', record_offset, key, value FROM consume('many', 'steady', 100000)});
is(sql(q{
	SELECT committed_offset - 1500 - lost_records = (SELECT count(*) FROM got WHERE name = 'steady'), committed_offset
	FROM topic_group_offsets WHERE group_id = 'steady'}), 't|2800',
	'the consumer got each record or was told that it was lost');
is(sql(q{SELECT count(*), count(*) FILTER (WHERE value <> repeat(md5(key), 20) OR key::bigint <> record_offset),
	count(DISTINCT (name, record_offset)) = count(*) FROM got WHERE name = 'steady' AND record_offset >= 2500}), '300|0|t',
	'each record that was written during the deletion is there exactly once');

# ---- all is due at once, but for who has still to read it ----------------------

# the active segment goes whenever it has been read, unless somebody appends just then
sql(q{
	SELECT create_topic('waited', config => '{"segment.bytes": 4096, "retention.ms": 0, "retention.consumers": "wait"}');
	SELECT commit_offset('waited', 'g', 0, 0);
});
append_to_file("$scripts/write_waited.sql", "CALL fill('waited', 2000);\n");
append_to_file("$scripts/consume_waited.sql",
	"INSERT INTO got SELECT 'waited', record_offset, key, value FROM consume('waited', 'g');\n" x 1000);
@beside = map { start_psql($node, "$scripts/$_.sql", "$scripts/$_.out") } qw(write_waited consume_waited);
my $retention = open_session($node);
my $taker = open_session($node);
my $emptied = 0;
ok(poll_until(sub {
	for (1 .. 20)
	{
		$taker->run(q{INSERT INTO got SELECT 'waited', record_offset, key, value FROM consume('waited', 'g')});
		$emptied += $retention->run(q{
			SELECT (a.segments_deleted > 0 AND a.log_start_offset = p.log_end_offset)::int
			FROM apply_retention('waited') a JOIN pg_topic_partitions p USING (topic, partition)});
	}
	return $retention->run(q{SELECT log_end_offset = 2000 AND log_start_offset = 2000
		FROM pg_topic_partitions WHERE topic = 'waited'::regclass}) eq 't' }),
		'all records are written, consumed and deleted');
$_->close foreach $retention, $taker;
note("emptied $emptied times");
$_->finish foreach @beside;
foreach my $name (qw(write_waited consume_waited))
{
	is(slurp_file("$scripts/$name.out.err"), '', "$name: no error and no lost records");
}
is(sql(q{SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE value <> repeat(md5(key), 20)) FROM got WHERE name = 'waited'}),
	'2000|2000|0', 'the group got each record once, whatever was deleted meanwhile');
is(sql(q{SELECT lost_records FROM pg_topic_groups WHERE group_id = 'g'}), '0', 'the group has lost no records');

done_testing();
