# What was deleted, as opposed to a gap, is known after a crash, from the WAL and from
# the recovery point, and on a standby; so groups there lose nothing that never was.
# Also: offsets that were given, and a log that is damaged where it is deleted.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $primary = new_node('primary', init => { allows_streaming => 1 });
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
my $standby = start_standby($primary);

sub sql { return $primary->safe_psql('postgres', @_); }

# Where each topic's log starts, and behind which record it is deleted.
sub starts
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{
		SELECT topic, log_start_offset, deleted_end_offset, log_end_offset
		FROM pg_topic_partitions WHERE topic::text <> 'beat' ORDER BY topic::text});
}

# The primary, through whatever crashes, and the standby know the same.
sub all_know
{
	my ($name, $expected) = @_;

	is(starts($primary), $expected, "$name: the primary has the right starts and ends of logs");
	catch_up($primary, $standby);
	is(starts($standby), $expected, "$name: the standby has the right starts and ends of logs");
	kill_all($primary);
	$primary->start;
	is(starts($primary), $expected, "$name: the primary has them after a crash");
	sql('CHECKPOINT');
	kill_all($primary);
	$primary->start;
	is(starts($primary), $expected, "$name: the primary has them from the recovery point");
	sql(q{SELECT produce('beat', 'x')});
	sql('CHECKPOINT');
	catch_up($primary, $standby);
	$standby->restart;
	catch_up($primary, $standby);
	is(starts($standby), $expected, "$name: the standby has them after a restart");
	return;
}

# A transaction that has taken offsets and rolls back.
sub gap
{
	my ($topic, $records) = @_;

	sql("BEGIN; SELECT produce('$topic', 'gone') FROM generate_series(1, $records); SELECT flush(); ROLLBACK;");
	return;
}

# ---- a tail that was rolled back, and one that was given ---------------------

sql(q{
	SELECT create_topic(t) FROM unnest('{given,rolled,truncated,late,beat}'::text[]) t;
	SELECT produce(t::regclass, 'v' || i) FROM unnest('{given,rolled,truncated}'::text[]) t, generate_series(0, 4) i;
	SELECT commit_offset(t::regclass, 'g', 0, 5) FROM unnest('{given,rolled,truncated}'::text[]) t;
});
gap('rolled', 3);
gap('truncated', 2);
wait_resolved($primary);
sql(q{SELECT delete_records('rolled', 0, -1), delete_records('given', 0, -1)});
sql('TRUNCATE truncated');
sql(q{INSERT INTO given (record_offset, value) VALUES (4611686018427387904, 'far')});
sql(q{INSERT INTO late (record_offset, value) VALUES (500, 'the first')});
all_know('gaps of rollbacks and of given offsets',
	"given|4611686018427387904|5|4611686018427387905\nlate|500|0|501\nrolled|8|5|8\ntruncated|7|5|7");

# ---- records and a gap behind them, once more ---------------------------------

sql(q{SELECT produce(t::regclass, 'w') FROM unnest('{given,rolled,truncated}'::text[]) t, generate_series(1, 2)});
gap('rolled', 1);
wait_resolved($primary);
sql(q{SELECT delete_records('rolled', 0, 9), delete_records('given', 0, -1)});
all_know('gaps behind more records',
	"given|4611686018427387907|4611686018427387907|4611686018427387907\nlate|500|0|501\nrolled|9|9|11\ntruncated|7|5|9");

# ---- a group that goes on at the standby ---------------------------------------

my $next = sub {
	my ($node, $topic, $reset) = @_;
	my ($code, $out, $err) = $node->psql('postgres',
		"SELECT string_agg(record_offset::text, ',') FROM consume('$topic', 'g', auto_offset_reset => '$reset')");

	return $code == 0 ? "$out|$err" : $err;
};
$standby->promote;
is($next->($standby, 'truncated', 'none'), '7,8|',
	'on the promoted standby a group passes a gap without losing a record');
like($next->($standby, 'rolled', 'none'), qr/offset 5 of consumer group "g" .* is below the log start offset 9/,
	'a group whose next record was deleted gets an error with auto_offset_reset none');
like($next->($standby, 'rolled', 'earliest'), qr/\A9\|.*skips 4 offsets of partition 0 of topic "rolled"/s,
	'with auto_offset_reset earliest the notice counts offsets up to the last deleted record');
is($next->($standby, 'rolled', 'none'), '|', 'the lost records are reported once');
is($standby->safe_psql('postgres', q{SELECT string_agg(lag::text, ',') FROM pg_topic_groups WHERE topic::text = 'rolled'}),
	'0', 'a group that has passed the gap has no lag');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM unnest('{given,rolled,truncated}'::text[]) t, verify_topic(t::regclass)}), '0',
	'verify_topic() finds no damage on the promoted standby');

# ---- damage does not keep from deleting -----------------------------------------

sql(q{
	SELECT create_topic('hurt');
	INSERT INTO hurt (record_offset, value) VALUES (0, 'a'), (5, 'b');
	SELECT commit_offset('hurt', 'g', 0, 5);
});
gap('hurt', 2);
wait_resolved($primary);
overwrite(topic_directory($primary, 'hurt', 0) . '/' . ('0' x 20) . '.log', 61, 'damaged');
sql('TRUNCATE hurt');
is(sql(q{SELECT log_start_offset, deleted_end_offset FROM pg_topic_partitions WHERE topic = 'hurt'::regclass}), '8|6',
	'where a batch cannot be read the log counts as deleted up to its end');

$standby->stop;
$primary->stop;
done_testing();
