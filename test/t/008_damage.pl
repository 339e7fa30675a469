# Damaged and missing files: reading reports data_corrupted with file, position
# and offset, never gives wrong rows, and everything else stays readable.
#
# Each partition of one topic gets one kind of damage.  All have the same
# records, and the value of a record tells its partition and offset.
use strict;
use warnings;

use File::Copy;
use File::Path;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { RECORDS => 800, ENTRY_SIZE => 64, ALL => 1_000_000 };

my $node = new_node('main', settings => [ 'pg_topics.batch_size = 1kB' ]);

sub sql { return $node->safe_psql('postgres', @_); }

# ---- files -------------------------------------------------------------------

# The entries of an index file, as segment_index.h has them.
sub read_index
{
	my ($path) = @_;
	my $bytes = slurp_file($path);
	my @entries;

	for (my $at = ENTRY_SIZE; $at < length $bytes; $at += ENTRY_SIZE)
	{
		my ($first, $last, $position, $length) = unpack('L4', substr($bytes, $at, 16));

		push @entries, { first => $first, last => $last, position => $position, length => $length } if $length;
	}
	return @entries;
}

# A partition's segments: base offset, paths, entries.
sub segments
{
	my ($directory) = @_;

	return map {
		my ($path, $base) = m{^(.*/0*(\d+))\.log$};
		{ base => $base, log => "$path.log", index => "$path.index", entries => [ read_index("$path.index") ] };
	} sort glob("$directory/*.log");
}

sub flip
{
	my ($path, $position) = @_;

	overwrite($path, $position, chr(ord(substr(slurp_file($path), $position, 1)) ^ 0x10));
	return;
}

sub cut
{
	my ($path, $size) = @_;

	truncate($path, $size) or die "$path: $!";
	return;
}

# ---- kinds of damage ---------------------------------------------------------

# What may be unreadable after the damage: the offsets of the entries
# from .. to (of all without them).
sub offsets
{
	my ($segment, $from, $to) = @_;
	my @entries = @{ $segment->{entries} };
	my ($first, $last) = @entries[ $from // 0, $to // -1 ];

	return ($segment->{base} + $first->{first}, $segment->{base} + $last->{last});
}

# Each does its damage and returns the file and the offsets that it is about.
sub in_log
{
	my ($entry, $at) = @_;

	return sub {
		my ($segment) = @_;

		flip($segment->{log}, $segment->{entries}[$entry]{position} + $at);
		return ($segment->{log}, offsets($segment, $entry, $entry));
	};
}

sub in_index
{
	my ($entry, $at) = @_;

	return sub {
		my ($segment) = @_;

		flip($segment->{index}, ENTRY_SIZE * ($entry + 1) + $at);
		return ($segment->{index}, offsets($segment));
	};
}

my %damages = (
	# the batch header: see record_batch.h
	'log: base offset' => in_log(3, 7),
	'log: batch length' => in_log(3, 11),
	'log: format version' => in_log(3, 16),
	'log: checksum' => in_log(3, 18),
	'log: record count' => in_log(3, 60),
	'log: a record of the first batch' => in_log(0, 100),
	'log: a record of the last batch' => in_log(-1, 100),
	'log: zeros over a batch' => sub {
		my ($segment) = @_;
		my $entry = $segment->{entries}[4];

		overwrite($segment->{log}, $entry->{position}, "\0" x $entry->{length});
		return ($segment->{log}, offsets($segment, 4, 4));
	},
	'log: cut within a batch' => sub {
		my ($segment) = @_;

		cut($segment->{log}, $segment->{entries}[4]{position} + 70);
		return ($segment->{log}, offsets($segment, 4));
	},
	'log: cut between batches' => sub {
		my ($segment) = @_;

		cut($segment->{log}, $segment->{entries}[4]{position});
		return ($segment->{log}, offsets($segment, 4));
	},
	'log: empty' => sub {
		my ($segment) = @_;

		cut($segment->{log}, 0);
		return ($segment->{log}, offsets($segment));
	},
	'log: missing' => sub {
		my ($segment) = @_;

		unlink $segment->{log};
		return ($segment->{log}, offsets($segment));
	},
	'index: magic' => in_index(-1, 1),
	'index: base offset' => in_index(-1, 16),
	'index: position of an entry' => in_index(3, 8),
	'index: transaction id of an entry' => in_index(3, 40),
	'index: flags of an entry' => in_index(3, 56),
	'index: the first entry' => in_index(0, 0),
	'index: the last entry' => sub {
		my ($segment) = @_;

		flip($segment->{index}, ENTRY_SIZE * @{ $segment->{entries} } + 4);
		return ($segment->{index}, offsets($segment));
	},
	'index: zeros over an entry' => sub {
		my ($segment) = @_;

		overwrite($segment->{index}, ENTRY_SIZE * 5, "\0" x ENTRY_SIZE);
		return ($segment->{index}, offsets($segment));
	},
	'index: zeros over the last entries' => sub {
		my ($segment) = @_;

		overwrite($segment->{index}, ENTRY_SIZE * (@{ $segment->{entries} } - 2), "\0" x (3 * ENTRY_SIZE));
		return ($segment->{index}, offsets($segment));
	},
	'index: cut within an entry' => sub {
		my ($segment) = @_;

		cut($segment->{index}, ENTRY_SIZE * 5 + 20);
		return ($segment->{index}, offsets($segment));
	},
	'index: cut between entries' => sub {
		my ($segment) = @_;

		cut($segment->{index}, ENTRY_SIZE * 5);
		return ($segment->{index}, offsets($segment));
	},
	'index: empty' => sub {
		my ($segment) = @_;

		cut($segment->{index}, 0);
		return ($segment->{index}, offsets($segment));
	},
	'index: missing' => sub {
		my ($segment) = @_;

		unlink $segment->{index};
		# the message names the segment by its log
		return ($segment->{log}, offsets($segment));
	},
	'both missing' => sub {
		my ($segment) = @_;

		unlink $segment->{log}, $segment->{index};
		return ($segment->{log}, offsets($segment));
	},
	'log of another segment' => sub {
		my ($segment, $other) = @_;

		unlink $segment->{log};
		copy($other->{log}, $segment->{log});
		return ($segment->{log}, offsets($segment));
	},
	'index of another segment' => sub {
		my ($segment, $other) = @_;

		unlink $segment->{index};
		copy($other->{index}, $segment->{index});
		return ($segment->{index}, offsets($segment));
	},
	'none' => sub { return (undef, 0, -1) },
);
my @names = sort keys %damages;

# ---- checking ----------------------------------------------------------------

# Rows from one offset up to before another: right, or an error, which is
# returned.  Wrong ones fail the test.
sub read_range
{
	my ($partition, $from, $to, $limit, $name) = @_;
	my ($code, $out, $err) = $node->psql('postgres', qq{
		\\set VERBOSITY verbose
		SELECT count(*), count(*) FILTER (WHERE value LIKE format('%s:%s:%%', $partition, record_offset)),
			min(record_offset), max(record_offset)
		FROM events WHERE partition = $partition AND record_offset >= $from AND record_offset < $to});

	return $err if $code;
	$to = $limit if $to > $limit;
	is($out, $to > $from ? join('|', $to - $from, $to - $from, $from, $to - 1) : '0|0||',
		"$name: each row that is read is right");
	return '';
}

# From the last record to the first one at or past an offset, one by one: the rows are right
# and in order.  Returns the last one's offset, and the SQLSTATE of an error.
sub read_backward
{
	my ($partition, $from, $limit, $name) = @_;
	my ($wrong, $lowest, $error) = split /\|/, sql("SELECT * FROM read_backward($partition, $from, $limit)"), 3;

	is($wrong, 0, "$name: each row that is read backward is right");
	return ($lowest, $error);
}

# All that is behind the damage comes before the error.  But where the damage keeps the end
# from being found, nothing does, unless one asks only for what is behind it.
sub check_backward
{
	my ($partition, $is_damaged, $name, $high, $limit, $end_is_known) = @_;
	my ($lowest, $error) = read_backward($partition, 0, $limit, $name);

	return is("$lowest $error", '0 ', "$name: all is read backward") unless $is_damaged;
	is($error, 'XX001', "$name: reading backward meets the damage");
	cmp_ok($lowest, '<=', $high + 1, "$name: what is after it is read backward first") if $end_is_known;
	return if $high + 1 >= $limit;
	is(join(' ', read_backward($partition, $high + 1, $limit, $name)), $high + 1 . ' ', "$name: what is after it is readable backward");
	return;
}

# What the index counts is right, or it is the error that reading gives: damage that is only in
# the log is not noticed, but never makes a count wrong.
sub check_counted
{
	my ($partition, $err, $name, $limit) = @_;
	my ($code, $out, $own) = $node->psql('postgres', qq{
		\\set VERBOSITY verbose
		SELECT count(*), min(record_offset), max(record_offset) FROM events WHERE partition = $partition});

	# the same message, from another line of psql's input; of a log that is cut the last header is met first
	my ($met, $expected) = map { /(ERROR: .*)/ ? $1 : $_ } $own, $err;
	s/(damaged record batch in "\S+").*/$1/ foreach $met, $expected;
	return is($met, $expected, "$name: counting meets the damage that reading meets") if $code;
	is($out, $limit > 0 ? "$limit|0|" . ($limit - 1) : '0||', "$name: what is counted is right");
	return;
}

# What verify_topic() finds: problems where reading fails, and nowhere else.
sub check_verified
{
	my ($partition, $is_damaged, $name, $low, $high) = @_;
	my ($problems, $about) = split /\|/, sql(qq{
		SELECT count(*), bool_and(problem <> '' AND coalesce(record_offset BETWEEN $low AND $high + 1, true))
		FROM verify_topic('events') WHERE partition = $partition});

	return is($problems, '0', "$name: verify_topic() finds no problem") unless $is_damaged;
	cmp_ok($problems, '>', 0, "$name: verify_topic() finds the damage");
	is($about, 't', "$name: verify_topic() reports the damaged offsets and no others");
	return;
}

# One damaged partition.
sub check_partition
{
	my ($partition, $name, $file, $low, $high, $limit, $end_is_known) = @_;

	# what could be repaired is no damage any more
	my $err = read_range($partition, 0, ALL, $limit, "$name: all of it");
	if ($err ne '')
	{
		my ($base) = $file =~ m{(\d+)\.(log|index)$};
		like($err, qr/ERROR:  XX001: .*(\Q$base\E.*offset \d|records of partition $partition from offset \d+ to $high are missing)/si,
			"$name: reading reports the file or the offsets that are damaged");
	}
	check_verified($partition, $err ne '', $name, $low, $high);
	check_counted($partition, $err, $name, $limit);
	check_backward($partition, $err ne '', $name, $high, $limit, $end_is_known // 1);
	is(read_range($partition, 0, $low, $limit, "$name: before"), '', "$name: what is before it is readable");
	is(read_range($partition, $high + 1, ALL, $limit, "$name: after"), '', "$name: what is after it is readable");
	return;
}

# Damage all partitions' segments with that number, from the end; then check.
sub damage_all
{
	my ($number, $kind) = @_;
	my @about;

	$node->stop;
	foreach my $partition (0 .. $#names)
	{
		my @segments = segments(partition_directory($partition));
		$about[$partition] = [ $damages{ $names[$partition] }->(@segments[ $number, $number - 1 ]) ];
	}
	$node->start;
	my $started = sql('SELECT pg_postmaster_start_time()');
	foreach my $partition (0 .. $#names)
	{
		check_partition($partition, "$kind, $names[$partition]", @{ $about[$partition] }, RECORDS);
	}
	is(read_range(scalar(@names), 0, ALL, RECORDS, "$kind: the untouched partition"), '',
		"$kind: the undamaged partition is readable");
	check_verified(scalar(@names), 0, "$kind: the untouched partition", 0, 0);
	is(sql('SELECT pg_postmaster_start_time()'), $started, "$kind: the server has not restarted");
	return;
}

my $pristine = PostgreSQL::Test::Utils::tempdir() . '/pristine';
my $log_dir;

# Put the files back as they were.
sub restore_files
{
	$node->stop;
	rmtree($log_dir);
	PostgreSQL::Test::RecursiveCopy::copypath($pristine, $log_dir);
	$node->start;
	return;
}

my @directories;
sub partition_directory { return $directories[ $_[0] ]; }

# ---- the topic ---------------------------------------------------------------

$node->start;
$log_dir = $node->data_dir . '/pg_topics';
my $partitions = @names + 1;
sql(qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => $partitions, config => '{"segment.bytes": 16384}');
	INSERT INTO events (partition, value)
	SELECT p, format('%s:%s:', p, n) || repeat('x', 50)
	FROM generate_series(0, @{[ RECORDS - 1 ]}) AS n, generate_series(0, $partitions - 1) AS p ORDER BY n, p;
	CREATE FUNCTION read_backward(p int, first int, below int, OUT wrong int, OUT lowest int, OUT error text)
	LANGUAGE plpgsql AS \$\$
	DECLARE
		r record;
		c CURSOR FOR SELECT record_offset, value FROM events
			WHERE partition = p AND record_offset >= first AND record_offset < below ORDER BY record_offset DESC;
	BEGIN
		wrong := 0;
		lowest := below;
		OPEN c;
		LOOP
			FETCH c INTO r;
			EXIT WHEN NOT FOUND;
			lowest := lowest - 1;
			wrong := wrong + (r.record_offset <> lowest OR r.value NOT LIKE format('%s:%s:%%', p, lowest))::int;
		END LOOP;
	EXCEPTION WHEN OTHERS THEN
		error := SQLSTATE;
	END \$\$;
});
@directories = map { topic_directory($node, 'events', $_) } 0 .. $#names;
wait_resolved($node);
$node->stop;
PostgreSQL::Test::RecursiveCopy::copypath($log_dir, $pristine);
my $count = () = segments(partition_directory(0));
cmp_ok($count, '>', 3, 'the topic has several segments');
$node->start;

# ---- sealed segments ---------------------------------------------------------

damage_all(1, 'sealed segment');

# consuming goes no further than the damage, and loses nothing
my $bad = (grep { $names[$_] eq 'log: checksum' } 0 .. $#names)[0];
my ($code, $out, $err);
foreach my $i (1 .. 2)
{
	($code, $out, $err) = $node->psql('postgres', qq{
		\\set VERBOSITY verbose
		SELECT count(*) FROM consume('events', 'g', 100000, partitions => '{$bad}')});
	like($err, qr/ERROR:  XX001/, 'consume() of a damaged batch is an error');
}
is(sql('SELECT coalesce(max(committed_offset), 0) FROM topic_group_offsets'), '0',
	'a consume() that meets damage moves no offset');
sql("SELECT seek_to_offset('events', 'g', 700, $bad)");
is(sql("SELECT count(*) FROM consume('events', 'g', 100000, partitions => '{$bad}')"), '100',
	'a group that is moved behind the damage gets the rest');

# ---- the active segment ------------------------------------------------------

restore_files();
damage_all(-1, 'active segment');

# producing to a damaged partition: an error, or the new records are readable
foreach my $partition (0 .. $#names)
{
	my $name = "active segment, $names[$partition]";
	($code, $out, $err) = $node->psql('postgres', qq{
		\\set VERBOSITY verbose
		SELECT produce('events', NULL::text, '$partition:@{[ RECORDS ]}:new', partition => $partition)});
	if ($code)
	{
		like($err, qr/ERROR:  (XX001|58P01): .*(HINT|DETAIL)/s,
			"$name: producing is refused with an explanation");
		next;
	}
	$err = read_range($partition, RECORDS, ALL, RECORDS + 1, "$name: the new record");
	ok($err eq '' || $err =~ /ERROR:  XX001/,
		"$name: what was produced is readable, or an error says it is not");
	$err = read_range($partition, 0, ALL, RECORDS + 1, "$name: all with the new one");
	ok($err eq '' || $err =~ /ERROR:  XX001/, "$name: reading all gives right rows or an error");
}
is(read_range(scalar(@names), 0, ALL, RECORDS, 'the untouched partition'), '',
	'the undamaged partition is readable after all that');
sql('CHECKPOINT');
ok(1, 'a checkpoint completes with damaged files');

# crash recovery with damaged files
kill_all($node);
$node->start;
is(read_range(scalar(@names), 0, ALL, RECORDS, 'the untouched partition, after a crash'), '',
	'the undamaged partition is readable after recovery with damaged files');

# TRUNCATE makes it whole again
($code, $out, $err) = $node->psql('postgres', qq{
	TRUNCATE events;
	INSERT INTO events (value, partition) SELECT 'new', p FROM generate_series(0, $#names) AS p;
	SELECT count(*), count(*) FILTER (WHERE value = 'new') FROM events});
is($out, @names . '|' . @names, 'after TRUNCATE all partitions take records again');
is($err, '', 'after TRUNCATE no damage is reported');

# ---- the recovery point ------------------------------------------------------

my $point = "$log_dir/recovery_point";
my %points = (
	'header damaged' => sub { flip($point, 20) },
	'entry damaged' => sub { flip($point, 100) },
	'cut' => sub { cut($point, 100) },
	'empty' => sub { cut($point, 0) },
	'missing' => sub { unlink $point },
);
foreach my $kind (sort keys %points)
{
	restore_files();
	$node->stop;
	$points{$kind}->();
	# and a batch that cannot be read beside it: nothing but that may be lost
	my $segment = (segments(partition_directory(2)))[1];
	my @about = in_index(3, 8)->($segment);
	my $sizes = join ' ', map { -s } sort glob(partition_directory(2) . '/*');
	$node->start;
	is(read_range($_, 0, ALL, RECORDS, "recovery point $kind: partition $_"), '',
		"recovery point $kind: partition $_ is readable") foreach 0, 1, $#names;
	check_partition(2, "recovery point $kind", @about, RECORDS, 0);
	is(join(' ', map { -s } sort glob(partition_directory(2) . '/*')), $sizes,
		"recovery point $kind: the damaged partition's files keep their sizes");
	sql("SELECT produce('events', NULL::text, '0:@{[ RECORDS ]}:new', partition => 0)");
	is(read_range(0, 0, ALL, RECORDS + 1, "recovery point $kind: produced"), '',
		"recovery point $kind: what is produced afterwards is readable");
}

# ---- a file that may not be opened ---------------------------------------------

my $denied = q{SET client_min_messages = error; SET pg_topics.fault_point = 'file-open:EACCES'; };
like(sql("$denied SELECT string_agg(problem, ' ') FROM verify_topic('events')"), qr/could not open topic file .*: Permission denied/,
	'verify_topic() reports a file that may not be opened');
my $segments_shown = 'SELECT topic, partition, base_offset FROM pg_topic_segments ORDER BY 1, 2, 3';
is(sql("$denied $segments_shown"), sql($segments_shown),
	'pg_topic_segments shows a segment whose file may not be opened');
my $hidden = partition_directory(1);
my $others = "SELECT topic, partition, base_offset FROM pg_topic_segments WHERE partition <> 1 ORDER BY 1, 2, 3";
my $seen = sql($others);
chmod 0, $hidden or die "$hidden: $!";
is(sql("SET client_min_messages = error; $segments_shown"), $seen,
	'pg_topic_segments shows the other partitions where a directory may not be read');
chmod 0700, $hidden or die "$hidden: $!";
$node->stop;

done_testing();
