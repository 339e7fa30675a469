# Deleted records stay deleted when the recovery point is lost or damaged, on a
# standby too: where a log starts inside a segment is kept beside the segment as well.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('primary', init => { allows_streaming => 1 }, settings => [ 'wal_keep_size = 1GB', 'pg_topics.batch_size = 1kB' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
my $standby = start_standby($node);

sub sql { return $node->safe_psql('postgres', @_); }

# What is done to a topic of a few segments, records 0 to 99.
my %topics = (
	'inside the first' => q{SELECT delete_records('TOPIC', 0, 5)},
	'inside another' => q{SELECT delete_records('TOPIC', 0, 52)},
	'inside the active one' => q{SELECT delete_records('TOPIC', 0, 98)},
	'several times' => q{SELECT delete_records('TOPIC', 0, n) FROM generate_series(3, 60, 7) AS n},
	'everything' => q{SELECT delete_records('TOPIC', 0, 100)},
	'everything, and on' => qq{SELECT delete_records('TOPIC', 0, 100);\nSELECT produce('TOPIC', 'k', 'on')},
	'truncated' => qq{TRUNCATE TOPIC;\nSELECT produce('TOPIC', 'k', 'on')},
	'rewritten' => qq{SELECT delete_records('TOPIC', 0, 52);\nSELECT erase('TOPIC', 'k3')},
	'after a gap' => qq{TRUNCATE TOPIC;\nINSERT INTO TOPIC (record_offset, key, value) VALUES (500, 'k', 'far')},
	'nothing' => 'SELECT');
my %names;
my $number = 0;

sub make_topics
{
	%names = ();
	foreach my $name (sort keys %topics)
	{
		my $topic = $names{$name} = 't' . ++$number;

		sql(qq{
			SELECT create_topic('$topic', config => '{"segment.bytes": 4096}');
			INSERT INTO $topic (key, value) SELECT 'k' || n % 7, repeat('x', 100) || n FROM generate_series(0, 99) AS n;
		} . $topics{$name} =~ s/TOPIC/$topic/gr . ';');
	}
	return;
}

# Bounds and contents of all topics.
sub look
{
	my ($on) = @_;

	return $on->safe_psql('postgres', q{SELECT topic, log_start_offset, log_end_offset FROM pg_topic_partitions ORDER BY 1})
	  . "\n" . join("\n", map { "$_: " . $on->safe_psql('postgres', "SELECT string_agg(record_offset || ' ' || right(value, 3), ',' ORDER BY record_offset) FROM $names{$_}") } sort keys %names);
}

my %losses = (
	missing => sub { unlink $_[0] or die "no $_[0]" },
	'header damaged' => sub { overwrite($_[0], 20, "\xff\xfe") },
	'entry damaged' => sub { overwrite($_[0], 40, "\xff\xfe") });

foreach my $case ([ 'missing', 'stopped' ], [ 'missing', 'crashed' ], [ 'header damaged', 'crashed' ], [ 'entry damaged', 'stopped' ])
{
	my ($loss, $how) = @$case;

	make_topics();
	my $before = look($node);

	catch_up($node, $standby);
	is(look($standby), $before, "$loss, $how: before the loss the standby shows what the primary does");
	sql('CHECKPOINT');
	$how eq 'stopped' ? $node->stop : kill_all($node);
	$losses{$loss}->($node->data_dir . '/pg_topics/recovery_point');
	$node->start;
	is(look($node), $before, "$loss, $how: nothing that was deleted comes back");

	catch_up($node, $standby);
	$standby->safe_psql('postgres', 'CHECKPOINT');
	$how eq 'stopped' ? $standby->stop : kill_all($standby);
	$losses{$loss}->($standby->data_dir . '/pg_topics/recovery_point');
	$standby->start;
	catch_up($node, $standby);
	is(look($standby), $before, "$loss, $how: on the standby nothing that was deleted comes back either");

	# and on from there
	sql(join '', map { "SELECT produce('$_', 'k', 'more');" } values %names);
	catch_up($node, $standby);
	is(look($standby), look($node), "$loss, $how: primary and standby show the same new records");
	is(sql(join ' UNION ALL ', map { "SELECT count(*) FROM verify_topic('$_')" } values %names) =~ s/0\n?//gr, '', "$loss, $how: no file is damaged");
}

# the file itself damaged, or from nowhere: the recovery point decides
make_topics();
my $before = look($node);
$node->stop;
overwrite($_, 8, "\xff\xff\xff\xff") foreach glob($node->data_dir . '/pg_topics/*/*/log_start');
$node->start;
is(look($node), $before, 'damage to the files that note where logs start does no harm alone');
$standby->stop;
$node->stop;

done_testing();
