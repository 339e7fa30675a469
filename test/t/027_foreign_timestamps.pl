# Logs that this server did not write may have any 64 bits for a timestamp.  Those that
# timestamptz cannot hold are read as infinities, by everything that reads records, and
# one record fails neither a query nor a view.  Nor does a damaged one fail a view.
# Files under test: clock.c, record_batch.c, catch_error.c.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { HEADER => 61, ENTRY => 64, SMALLEST => -9223372036854775807 - 1, LARGEST => 9223372036854775807 };

my $node = new_node('main', settings => ['pg_topics.log_retention_check_interval_ms = 1d']);
$node->start;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# ---- rewriting a log --------------------------------------------------------------------

# Give batch n of a segment other timestamps, in the log and in the index, with checksums
# that are right.
sub set_timestamps
{
	my ($base, $n, $first, $smallest, $largest, $so_far) = @_;
	my $index = slurp_file("$base.index");
	my $entry = substr($index, ENTRY * ($n + 1), ENTRY);
	my ($position, $length) = unpack 'x8 L2', $entry;
	my $batch = substr(slurp_file("$base.log"), $position, $length);

	substr($batch, 27, 16, pack 'q> q>', $first, $largest);
	substr($batch, 17, 4, pack 'N', crc32c(substr($batch, 21)));
	overwrite("$base.log", $position, $batch);
	substr($entry, 16, 24, pack 'q3', $smallest, $largest, $so_far);
	substr($entry, 60, 4, pack 'L', crc32c(substr($entry, 0, 60)));
	overwrite("$base.index", ENTRY * ($n + 1), $entry);
	return;
}

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('foreign_log', config => '{"segment.ms": 9223372036854775807}');
	SELECT create_topic('sound');
	INSERT INTO sound (value) VALUES ('sound')});
# batches of one record, one of two with 10 ms between them, and one as it should be
sql(qq{SELECT produce('foreign_log', 'k$_', '$_', record_timestamp => '2020-01-01')}) foreach 0 .. 2;
sql(q{BEGIN; SELECT produce('foreign_log', 'k3', '3', record_timestamp => '2020-01-01 00:00:00+00');
	SELECT produce('foreign_log', 'k4', '4', record_timestamp => '2020-01-01 00:00:00.010+00'); COMMIT});
sql(q{SELECT produce('foreign_log', 'k5', '5', record_timestamp => '2020-02-02 00:00:00.020+00')});
sql(q{SELECT commit_offset('foreign_log', 'g' || n, 0, n) FROM generate_series(0, 5) AS n});
sql(q{SELECT commit_offset('sound', 'g', 0, 0)});
my $segment = topic_directory($node, 'foreign_log', 0) . '/' . ('0' x 20);
wait_resolved($node);
$node->stop;
set_timestamps($segment, 0, SMALLEST, SMALLEST, SMALLEST, SMALLEST);
set_timestamps($segment, 1, LARGEST, LARGEST, LARGEST, LARGEST);
# the first that are too early and too late
set_timestamps($segment, 2, -210866803200001, -210866803200001, -210866803200001, LARGEST);
# goes round
set_timestamps($segment, 3, LARGEST - 4, SMALLEST + 5, LARGEST - 4, LARGEST);
set_timestamps($segment, 4, 9224318016000000, 9224318016000000, 9224318016000000, LARGEST);
$node->start;
sql(q{ALTER FOREIGN TABLE foreign_log OPTIONS (ADD "retention.ms" '3600000')});

# ---- everything that reads -----------------------------------------------------------------

my $times = "-infinity\ninfinity\n-infinity\ninfinity\n-infinity\ninfinity";

is(sql('SELECT record_timestamp FROM foreign_log ORDER BY record_offset'), $times,
	'a query shows times that timestamptz cannot hold as infinite');
is(sql(q{SELECT record_timestamp FROM consume('foreign_log', 'g0') ORDER BY record_offset}), $times,
	'consume() gives such times as infinite');
is(sql(q{SELECT record_timestamp FROM consume_as(NULL::foreign_log, 'typed') ORDER BY record_offset}), $times,
	'consume_as() gives such times as infinite');
is(sql(q{SELECT record_timestamp FROM consume_many('{foreign_log}', 'many') ORDER BY record_offset}), $times,
	'consume_many() gives such times as infinite');
is(sql(q{SELECT record_timestamp FROM latest(NULL::foreign_log) ORDER BY key}), $times,
	'latest() gives such times as infinite');
is(sql(qq{SELECT count(*) FROM foreign_log WHERE record_timestamp $_->[0]}), $_->[1], "record_timestamp $_->[0]")
  foreach [ q{= 'infinity'}, 3 ], [ q{= '-infinity'}, 3 ], [ q{> '294276-12-31'}, 3 ], [ q{< '4714-11-25 BC'}, 3 ],
	[ q{BETWEEN '4714-11-25 BC' AND '294276-12-31'}, 0 ], [ q{>= '2020-01-01' AND record_timestamp < 'infinity'}, 0 ];
is(sql(q{SELECT offset_for_timestamp('foreign_log', 0, '2020-01-01')}), '1',
	'offset_for_timestamp() finds a record with such a time');
is(sql(q{SELECT group_id, lag_time > '100 years' FROM pg_topic_groups WHERE topic = 'foreign_log'::regclass AND lag > 0 ORDER BY 1}),
	"g1|f\ng2|t\ng3|f\ng4|t\ng5|f", 'pg_topic_groups shows a lag in time for records with such times');
is(sql(q{SELECT count(at_risk_at) FROM pg_topic_groups WHERE topic = 'foreign_log'::regclass}), '0',
	'no group is at risk of losing records for such times');
is(sql(q{SELECT first_timestamp, largest_timestamp FROM pg_topic_segments WHERE topic = 'foreign_log'::regclass}),
	'-infinity|infinity', 'pg_topic_segments shows such times as infinite');
is(sql(q{SELECT held_by, record_offset, record_timestamp, held_until FROM pg_topic_maintenance WHERE topic = 'foreign_log'::regclass AND work = 'retention'}),
	'retention.ms|1|infinity|', 'pg_topic_maintenance shows such a time as infinite');
is(sql(q{SELECT count(*) FROM pg_topic_partitions, pg_topics, pg_stat_topics}), '8',
	'the other views can be read with such times');
is(sql(q{SELECT count(*) FROM verify_topic('foreign_log')}), '0',
	'verify_topic() finds no problem in such times');
like(($node->psql('postgres', q{INSERT INTO sound (record_timestamp) SELECT record_timestamp FROM foreign_log}))[2],
	qr/timestamp cannot be infinite/, 'infinite times cannot be produced');
is(sql(q{SELECT segments_deleted FROM apply_retention('foreign_log')}), '0',
	'retention deletes nothing for such times');

# appends and compaction go on; the bytes keep their timestamps
sql(q{ALTER FOREIGN TABLE foreign_log OPTIONS (ADD "cleanup.policy" 'compact', SET "segment.ms" '3600000');
	INSERT INTO foreign_log (key, value) VALUES ('k0', 'new'), ('k4', NULL)});
is(sql(q{SELECT records_after FROM compact('foreign_log')}), '6', 'a topic with such times is compacted');
is(sql(q{SELECT record_timestamp FROM foreign_log WHERE record_offset < 6 ORDER BY record_offset}),
	"infinity\n-infinity\ninfinity\ninfinity", 'compaction keeps such times');
is(sql(q{SELECT count(*) FROM verify_topic('foreign_log')}), '0', 'after compaction the files are undamaged');
sql(q{CREATE ROLE reader; GRANT SELECT ON foreign_log TO reader});
is(sql(q{SELECT nack('foreign_log', 'g', 0, 1, 'no')}), 'sound', 'nack()')
  if sql(q{ALTER FOREIGN TABLE foreign_log OPTIONS (ADD "retry.topic" 'sound')}) eq '';
is(sql(q{SELECT headers->>'nack.timestamp' FROM sound WHERE key = 'k1'}), LARGEST,
	'nack() passes on the time as the number it was');

# ---- a damaged record -----------------------------------------------------------------------

sql(q{SELECT create_topic('damaged', config => '{"retention.ms": 3600000}');
	INSERT INTO damaged (key, value) VALUES ('k', 'v');
	SELECT commit_offset('damaged', 'g', 0, 0)});
wait_resolved($node);
my $file = topic_directory($node, 'damaged', 0) . '/' . ('0' x 20) . '.log';
$node->stop;
overwrite($file, HEADER + 8, 'X');
$node->start;

like(($node->psql('postgres', 'SELECT * FROM damaged'))[2], qr/checksum/,
	'reading a damaged record is an error');
my ($status, $out, $error) = $node->psql('postgres', q{SELECT topic, lag, lag_time IS NULL FROM pg_topic_groups
	WHERE topic IN ('sound'::regclass, 'damaged'::regclass) ORDER BY 1::text DESC});
is($status, 0, 'a damaged record does not make pg_topic_groups fail');
is($out, "sound|2|f\ndamaged|1|t", 'pg_topic_groups shows all groups, with no lag in time at a damaged record');
like($error, qr/WARNING:.*checksum/s, 'pg_topic_groups warns of the damaged record');
($status, $out, $error) = $node->psql('postgres', q{SELECT topic, held_by, record_offset IS NULL FROM pg_topic_maintenance
	WHERE topic IN ('sound'::regclass, 'damaged'::regclass) AND work = 'retention' ORDER BY 1::text DESC});
is("$status: $out", "0: sound|retention.ms|f\ndamaged|retention.ms|t",
	'pg_topic_maintenance shows both topics, one with a damaged record');
like($error, qr/WARNING:.*checksum/s, 'pg_topic_maintenance warns of the damaged record');
is(sql("SELECT count(*) FROM $_ WHERE topic = 'damaged'::regclass"), '1',
	"$_ shows a topic with a damaged record")
  foreach qw(pg_topics pg_topic_partitions pg_topic_segments pg_stat_topics);

# ---- a damaged index entry -----------------------------------------------------------------

(my $index = $file) =~ s/log$/index/;
sql(q{INSERT INTO damaged (key, value) VALUES ('k', 'v')});
wait_resolved($node);
overwrite($index, ENTRY * $_ + 20, 'XXXX') foreach 1, 2;
foreach my $view (qw(pg_topics pg_topic_partitions pg_topic_segments pg_topic_groups pg_topic_maintenance pg_stat_topics))
{
	($status, $out, $error) = $node->psql('postgres', "SELECT count(DISTINCT topic) FROM $view WHERE topic IN ('sound'::regclass, 'damaged'::regclass)");
	is("$status $out", '0 2', "$view shows a topic with a damaged index") or diag($error);
}
is(($node->psql('postgres', q{SELECT held_by FROM pg_topic_maintenance WHERE topic = 'damaged'::regclass AND work = 'retention'}))[1], 'damage',
	'pg_topic_maintenance says that damage holds retention back');

$node->stop;
done_testing();
