# Files under test: src/util/format_version.c, src/format/segment_index.c,
# src/format/recovery_point_format.c, src/format/producer_file_format.c, src/log/log_start.c, src/log/segment.c,
# src/wal/log_load.c, src/wal/log_redo.c.
# What a newer version of pg_topics has written is refused: each kind of file and each type
# of WAL record, when the server starts, when it is read and in recovery, with an error that says
# what it is.  Nothing is changed, so the right library finds all as it was.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProducerProbe;
use Test::More;
use TopicTest;

use constant { RMGR => 187, WAL_SEGMENT => 16 * 1024 * 1024 };

my $node = new_node('main', settings => [ 'pg_topics.batch_size = 1kB' ]);
my $log_dir = $node->data_dir . '/pg_topics';

# what the tree's version is, and which version of each format it writes and reads
my $release = slurp_file("$FindBin::RealBin/../../pg_topics.control") =~ /default_version = '(.*)'/ ? $1 : die;
my %newest = (run_command(["$FindBin::RealBin/../unit/formats"]))[0] =~ /^(.*): version (\d+), read/mg;
my %oldest = (run_command(["$FindBin::RealBin/../unit/formats"]))[0] =~ /^(.*): .* read from (\d+)/mg;

sub sql { return $node->safe_psql('postgres', @_); }

# ---- changing versions --------------------------------------------------------

# Where the checksum of a file's first bytes is, and how far it goes.
my %checksum_at = (index => 60, recovery_point => 36, producers => 36, kafka_transactions => 36, log_start => 20);

sub format_of { return (my ($ending) = $_[0] =~ /(index|recovery_point|producers|kafka_transactions|log_start)$/)[0]; }

# Give a file another format version, with a checksum that is right.
sub set_version
{
	my ($path, $version) = @_;
	my $at = $checksum_at{ format_of($path) };
	my $bytes = substr(slurp_file($path), 0, $at);

	substr($bytes, 4, 4, pack 'L', $version);
	overwrite($path, 0, $bytes . pack('L', crc32c($bytes)));
	return;
}

# The WAL file of the last record of ours of that type, and the record's place in it and length.
# Of one that does not go over the end of a page and is not before "start", a position in the WAL.
sub find_record
{
	my ($type, $start) = @_;
	my $wal_dir = $node->data_dir . '/pg_wal';
	my @files = sort grep { m{/[0-9A-F]{24}$} } glob("$wal_dir/*");
	my ($found, $length);

	foreach my $file (@files)
	{
		my $out = '';
		IPC::Run::run([ 'pg_waldump', '-r', 'custom' . RMGR, $file ], '>', \$out, '2>', \my $err);
		foreach my $line (split /\n/, $out)
		{
			my ($total, $high, $low, $info) = $line =~ m{len \(rec/tot\): +\d+/ +(\d+),.* lsn: ([0-9A-F]+)/([0-9A-F]+),.* desc: UNKNOWN \(([0-9A-F]+)\)}i or next;
			next if (hex($info) & 0xf0) != $type || hex($high) * 2**32 + hex($low) < $start || int(hex($low) / 8192) != int((hex($low) + $total) / 8192);
			($found, $length) = ([ $file, hex($low) % WAL_SEGMENT ], $total);
		}
	}
	return $found ? (@$found, $length) : ();
}

# Give a WAL record another format version, with a checksum that is right.
sub set_wal_version
{
	my ($file, $position, $length, $version) = @_;
	my $record = substr(slurp_file($file), $position, $length);

	# behind the header of 24 bytes: the marker of short or of long data, its length, and the data
	my $at = { 255 => 26, 254 => 29 }->{ ord(substr($record, 24, 1)) };
	die 'no record with data of its own alone' if unpack('L', $record) != $length || !$at;
	substr($record, $at, 1, chr $version);
	substr($record, 20, 4, pack 'L', crc32c(substr($record, 0, 20), crc32c(substr($record, 24))));
	overwrite($file, $position, $record);
	return;
}

# ---- what must happen -----------------------------------------------------------

# Names and contents of all files but those that a start that fails may make.
sub fingerprint
{
	return join "\n", map { "$_ " . md5_hex(slurp_file($_)) } sort grep { -f } glob("$log_dir/* $log_dir/*/*/*");
}

# The DETAIL of what the library reads of a format.
sub known_versions
{
	my ($what) = @_;
	my $format = $what =~ s/^its //r;
	my $known = $oldest{$format} == $newest{$format} ? "version $newest{$format}" : "versions $oldest{$format} to $newest{$format}";

	return qr/DETAIL:  This library is pg_topics \Q$release\E, which reads $known of $what\./;
}

sub check_refused
{
	my ($name, $what, $message, $version) = @_;
	my $before = fingerprint();
	my $log = -s $node->logfile;
	my $started = $node->start(fail_ok => 1);

	ok(!$started, "$name: the server does not start");
	$node->stop if $started;
	$log = slurp_file($node->logfile, $log);
	like($log, qr/FATAL:  $message has format version $version, which this library cannot read/,
		"$name: the log names the file or record and its format version");
	like($log, known_versions($what), "$name: the detail says which versions the library reads");
	like($log, $version > 0 ? qr/HINT:  A newer version of pg_topics has written it\. Install that version or a later one/ :
		qr/HINT:  A version of pg_topics that is too old/, "$name: the hint says what to install");
	unlike($log, qr/PANIC|TRAP/, "$name: no process crashes");
	# recovery has done what is in front of the record, as it should
	is(fingerprint(), $before, "$name: no file of a topic is changed") if $name !~ /WAL/;
	return;
}

# ---- the topics -----------------------------------------------------------------

$node->start;
sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', config => '{"segment.bytes": 4096}');
	INSERT INTO events (key, value) SELECT n, repeat('x', 50) FROM generate_series(0, 299) n;
	SELECT create_topic('cut', config => '{"segment.bytes": 4096}');
	INSERT INTO cut (key, value) SELECT n, repeat('x', 50) FROM generate_series(0, 299) n;
	SELECT delete_records('cut', 0, 100);
	SELECT create_topic('compacted', config => '{"segment.bytes": 4096, "cleanup.policy": "compact"}');
	INSERT INTO compacted (key, value) SELECT n % 10, repeat('x', 50) || n FROM generate_series(0, 299) n});
sql(PRODUCER_PROBE);
create_kafka_txn_probe($node);
sql(q{SELECT create_topic('numbered'); SELECT append_batch('numbered', 0, 7, 0, 0, 1)});
wait_resolved($node);
sql(q{SELECT compact('compacted')});
my %expected = map { $_ => contents($node, $_) } qw(events cut compacted);
my %directory = map { $_ => topic_directory($node, $_, 0) } keys %expected;
$node->stop;

my @events = sort grep { !/\.\d+\.index$/ } glob("$directory{events}/*.index");
my ($rewritten) = sort grep { /\/\d+\.\d+\.index$/ } glob("$directory{compacted}/*.index");
ok(@events > 2 && $rewritten && -e "$directory{cut}/log_start", 'there is a file of each format');

# ---- when the server starts --------------------------------------------------------

my %files = (
	'recovery point' => [ "$log_dir/recovery_point", 'recovery points' ],
	'producers' => [ "$log_dir/producers", 'files of producers' ],
	'kafka transactions' => [ "$log_dir/kafka_transactions", 'files of Kafka transactions' ],
	'log_start' => [ "$directory{cut}/log_start", 'log_start files' ],
	'active segment' => [ $events[-1], 'segment indexes' ],
	'rewritten segment' => [ $rewritten, 'segment indexes' ]);
foreach my $name (sort keys %files)
{
	my ($path, $what) = @{ $files{$name} };

	(my $shown = $path) =~ s{^\Q@{[ $node->data_dir ]}\E/}{};
	foreach my $version ($newest{$what} + 1, 0)
	{
		set_version($path, $version);
		check_refused("$name of version $version", $what, qr/topic file "\Q$shown\E"/, $version);
	}
	set_version($path, $newest{$what});
}
$node->start;
is(contents($node, $_), $expected{$_},
	"with the right versions the server starts with all records of $_") foreach sort keys %expected;
$node->stop;

# a version without its checksum is damage like any other
overwrite("$log_dir/recovery_point", 4, pack 'L', $newest{'recovery points'} + 1);
$node->start;
is(contents($node, $_), $expected{$_},
	"with a damaged version number in the recovery point the server starts with all records of $_") foreach sort keys %expected;
like(slurp_file($node->logfile), qr/file "pg_topics\/recovery_point" is damaged; scanning all segments instead/,
	'the log says that the recovery point is damaged');

# ---- when it is read ----------------------------------------------------------------

my $newer = $newest{'segment indexes'} + 1;
set_version($events[1], $newer);
my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT count(*) FROM events");
like($err, qr/ERROR:  0A000: topic file "[^"]*\Q@{[ $events[1] =~ m{(\d+\.index)$} ]}\E" has format version $newer, which this library cannot read/,
	'reading a finished segment of a newer version is an error');
like($err, qr/@{[known_versions('segment indexes')]}.*HINT:  A newer version of pg_topics has written it/s,
	'the error says which versions the library reads and what to install');
like(($node->psql('postgres', "SELECT * FROM consume('events', 'g', 10)"))[2] // '', qr/^$/,
	'records before a segment of a newer version can be consumed');
like(($node->psql('postgres', "SELECT * FROM consume('events', 'g', 1000)"))[2], qr/has format version $newer/,
	'consuming records of a segment of a newer version is an error');
is(contents($node, 'cut'), $expected{cut}, 'other topics can be read');
is(sql("SELECT count(*) > 0 FROM $_"), 't', "$_ shows the topics that can be read")
  foreach qw(pg_topic_segments pg_topic_partitions pg_topic_groups);
sql(q{SELECT produce('events', 'k', 'more'); CHECKPOINT});
set_version($events[1], $newer - 1);
is(sql('SELECT count(*) FROM events'), 301, 'with the right version the topic has all records');

# ---- in recovery -----------------------------------------------------------------------

# Each type of record, by its number in the WAL.  DISCARD, which a rewrite that was broken off
# leaves, is not among them, and there is no SYNC if none was due since the checkpoint; all go
# through one check.
my %types = (APPEND => 0x00, SYNC => 0x10, RESOLVE => 0x20, DELETE => 0x30, DROP => 0x40,
	REWRITE => 0x50, SWAP => 0x60, SETTINGS => 0x80, RESERVE => 0x90, PRODUCER_IDS => 0xA0,
	KAFKA_BEGIN => 0xB0, KAFKA_END => 0xC0, SETTLE => 0xD0, KAFKA_SETTLED => 0xE0);

# the start after a change of it logs SETTINGS
$node->append_conf('postgresql.conf', 'pg_topics.max_partitions = 2000');
$node->stop;
$node->start;
sql(q{INSERT INTO compacted (key, value) SELECT n % 10, 'again ' || n FROM generate_series(0, 299) n});
sql(q{BEGIN; SELECT produce('events', 'k', 'rolled back'), flush(); ROLLBACK});
sql(q{SELECT create_topic('dropped'); SELECT produce('dropped', 'k', 'v')});
wait_resolved($node);
sql(q{SELECT compact('compacted'); DROP FOREIGN TABLE dropped; SELECT delete_records('cut', 0, 150)});
sql(q{SELECT count(next_producer_id()) FROM generate_series(1, 1001)});
my $front = kafka_begin($node, 8);
kafka_append($node, 'events', 0, $front, 8, 0, ['in front of it']);
my $number = kafka_begin($node, 7);
kafka_append($node, 'events', 0, $number, 7, 0, ['in a Kafka transaction']);
kafka_end($node, $number, 0);
poll_until(sub { sql('SELECT count(*) FROM kafka_transactions()') == 1 }) or die 'it is not settled';
kafka_end($node, $front, 0);
wait_resolved($node);
sql(q{SELECT produce('cut', 'k', 'last'), pg_switch_wal()});
sql(q{SELECT produce('cut', 'k', 'very last')});
$expected{$_} = contents($node, $_) foreach keys %expected;
my $redo = sql(q{SELECT redo_lsn - '0/0'::pg_lsn FROM pg_control_checkpoint()});
kill_all($node);
foreach my $type (sort keys %types)
{
	my @record = find_record($types{$type}, $redo);

	next if $type eq 'SYNC' && !@record;
	ok(@record == 3, "there is a record $type that recovery replays") or next;
	foreach my $version ($newest{'WAL records'} + 1, $type eq 'APPEND' ? 0 : ())
	{
		set_wal_version(@record, $version);
		check_refused("WAL record $type of version $version", 'its WAL records',
			qr/WAL record of pg_topics that ends at [0-9A-F]+\/[0-9A-F]+/, $version);
	}
	set_wal_version(@record, $newest{'WAL records'});
}
$node->start;
is(contents($node, $_), $expected{$_},
	"with the right versions recovery ends with all records of $_") foreach sort keys %expected;
$node->stop;

done_testing();
