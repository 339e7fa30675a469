# Compressed batches: a stock Kafka client reads our files, damage is an error
# that names the place whatever the bytes are, crashes lose nothing.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my @codecs = qw(gzip snappy lz4 zstd);
my $decoder = "$FindBin::RealBin/../kafka_decode.py";
my $json = JSON::PP->new->canonical;
my $node = new_node('main');
$node->start;
create_load_schema($node);

# ---- python3-kafka reads what we wrote -----------------------------------------

$node->safe_psql('postgres', q{
	CREATE TABLE source AS
	SELECT n, CASE WHEN n % 7 > 0 THEN 'key ' || n % 10 END AS key,
	       CASE WHEN n % 5 > 0 THEN format('{"number": %s, "text": "%s"}', n, repeat('records ', n % 30)) END AS value,
	       CASE n % 4 WHEN 1 THEN jsonb_build_object('trace', 'trace ' || n) WHEN 2 THEN '{"a": null, "b": "x"}' END AS headers
	FROM generate_series(1, 3000) AS n;
});

# All records of a partition as kafka_decode.py shows them, in order.
sub our_records
{
	my ($topic) = @_;
	my $lines = $node->safe_psql('postgres', qq{
		SELECT jsonb_build_object('offset', record_offset, 'timestamp', (extract(epoch FROM record_timestamp) * 1000)::bigint,
			'key', encode(convert_to(key, 'UTF8'), 'hex'), 'value', encode(convert_to(value, 'UTF8'), 'hex'),
			'headers', (SELECT coalesce(jsonb_agg(jsonb_build_array(h.key, encode(convert_to(h.value, 'UTF8'), 'hex')) ORDER BY h.key), '[]')
			            FROM jsonb_each_text(headers) AS h))
		FROM $topic ORDER BY record_offset});

	return [ map { $json->encode($json->decode($_)) } split /\n/, $lines ];
}

# The same, decoded from the files by the client.
sub kafka_records
{
	my ($topic) = @_;
	my @records;

	foreach my $line (split /\n/, $node->safe_psql('postgres',
		qq{SELECT path, bytes FROM pg_topic_segments WHERE topic = '$topic'::regclass ORDER BY base_offset}))
	{
		my ($path, $bytes) = split /\|/, $line;
		my ($out, $err) = run_command([ '/usr/bin/python3', $decoder, $node->data_dir . "/$path", $bytes ]);

		is($err, '', "a Kafka client finds nothing wrong with a segment of $topic");
		push @records, map { $_->{headers} = [ sort { $a->[0] cmp $b->[0] } @{ $_->{headers} } ]; $json->encode($_) }
		  map { $json->decode($_) } split /\n/, $out;
	}
	return \@records;
}

# The codec in the attributes of a segment's batches, each once.
sub codecs_in
{
	my ($file) = @_;
	my $data = slurp_file($file);
	my %codecs;

	for (my $at = 0; $at + 61 <= length $data; )
	{
		my $length = unpack('N', substr($data, $at + 8, 4)) or last;
		$codecs{ unpack('n', substr($data, $at + 21, 2)) & 7 } = 1;
		$at += 12 + $length;
	}
	return join ',', sort keys %codecs;
}

# "producer" leaves the choice to the server, which takes lz4 for batches that are large enough
foreach my $codec (@codecs, 'producer')
{
	# several batches and several segments
	$node->safe_psql('postgres', qq{
		SELECT create_topic('kafka_$codec', config => '{"compression.type": "$codec", "segment.bytes": 20000}');
		INSERT INTO kafka_$codec (key, value, headers) SELECT key, value, headers FROM source WHERE n <= 2000 ORDER BY n;
		INSERT INTO kafka_$codec (key, value, headers) SELECT key, value, headers FROM source WHERE n > 2000 ORDER BY n;
	});
	my $ours = our_records("kafka_$codec");
	is(scalar @$ours, 3000, "$codec: all compressed records are read");
	is_deeply(kafka_records("kafka_$codec"), $ours, "$codec: a Kafka client reads the same records");
	my ($number) = grep { $codecs[ $_ - 1 ] eq ($codec eq 'producer' ? 'lz4' : $codec) } 1 .. 4;
	is(codecs_in($node->data_dir . '/' . $node->safe_psql('postgres',
		qq{SELECT path FROM pg_topic_segments WHERE topic = 'kafka_$codec'::regclass AND base_offset = 0})),
		$number, "$codec: the batches are marked as compressed by it");
}

# ---- the setting is what a topic without the option has ---------------------------

is(codec_of_setting('zstd'), '4 0', 'pg_topics.compression_type is the codec of topics that name none, and of no others');
is(codec_of_setting('producer'), '0 0', 'by default a small batch is not compressed');

# The codec of a batch of 200 bytes in a topic without the option, and in one that says none.
sub codec_of_setting
{
	my ($value) = @_;
	my @found;

	$node->safe_psql('postgres', "ALTER SYSTEM SET pg_topics.compression_type = '$value'");
	$node->reload;
	foreach my $option ('{}', '{"compression.type": "none"}')
	{
		my $topic = 'setting' . scalar(@found);
		# a session of its own has the setting from its start
		$node->safe_psql('postgres', qq{
			DROP FOREIGN TABLE IF EXISTS $topic;
			SELECT create_topic('$topic', config => '$option');
			SELECT produce('$topic', repeat('x', 200))});
		push @found, codecs_in($node->data_dir . '/' . $node->safe_psql('postgres',
			qq{SELECT path FROM pg_topic_segments WHERE topic = '$topic'::regclass}));
	}
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_topics.compression_type');
	$node->reload;
	return "@found";
}

# ---- damage ----------------------------------------------------------------------

# Rewrites the compressed bytes of the batch at a position and makes its CRC
# right again, as a hostile or faulty writer would:
#   FILE POSITION flip BIT | noise SEED | bomb
my $vandal = PostgreSQL::Test::Utils::tempdir() . '/vandal.py';
append_to_file($vandal, <<'PYTHON');
import random, struct, sys
import zstandard
from kafka.record.util import calc_crc32c

path, position, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(path, "r+b") as f:
    f.seek(position)
    head = bytearray(f.read(61))
    (length,) = struct.unpack_from(">i", head, 8)
    body = bytearray(f.read(length + 12 - 61))
    if how == "flip":
        bit = int(sys.argv[4]) % (len(body) * 8)
        body[bit // 8] ^= 1 << (bit % 8)
    elif how == "noise":
        random.seed(int(sys.argv[4]))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(body))
            for i in range(at, min(len(body), at + random.randint(1, 12))):
                body[i] = random.choice((0, 255, random.randrange(256)))
    elif how == "bomb":
        # 300 MB of zeros, and a frame to skip that fills the batch up
        bomb = zstandard.ZstdCompressor().compress(bytes(300 << 20))
        rest = len(body) - len(bomb) - 8
        assert rest >= 0, (len(body), len(bomb))
        body[:] = bomb + struct.pack("<II", 0x184D2A50, rest) + bytes(rest)
    struct.pack_into(">I", head, 17, calc_crc32c(bytes(head[21:]) + bytes(body)))
    f.seek(position)
    f.write(head + body)
PYTHON

# A topic of two batches, the first of some kilobytes, for each codec.
sub damage_topic
{
	my ($codec) = @_;

	$node->safe_psql('postgres', qq{
		SELECT create_topic('damage_$codec', config => '{"compression.type": "$codec"}');
		INSERT INTO damage_$codec (key, value) SELECT key, value || md5(n::text) FROM source WHERE n <= 200;
		INSERT INTO damage_$codec (key, value) SELECT key, value FROM source WHERE n <= 100;
	});
	return topic_directory($node, "damage_$codec", 0) . '/' . ('0' x 20) . '.log';
}

sub write_file
{
	my ($file, $data) = @_;

	open(my $handle, '+<:raw', $file) or die "$file: $!";
	print $handle $data;
	close $handle or die "$file: $!";
	return;
}

# What reading a topic says; the error with its SQLSTATE.
sub read_error
{
	my ($topic) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "SELECT count(*), sum(length(value)) FROM $topic",
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);

	return $err;
}

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

foreach my $codec (@codecs)
{
	my $topic = "damage_$codec";
	my $file = damage_topic($codec);
	my $sound = slurp_file($file);
	my $contents = contents($node, $topic);
	my $place = qr/ERROR:  XX001: damaged record batch in "[^"]*\/0{20}\.log" at position 0, offset \d+/;

	# what a disk does: the checksum finds it
	my $flipped = $sound;
	substr($flipped, 100, 1) ^= "\x10";
	write_file($file, $flipped);
	like(read_error($topic), qr/$place.*batch checksum does not match/s,
		"$codec: a changed bit is reported with file and position");
	is($node->safe_psql('postgres', "SELECT count(*) FROM $topic WHERE record_offset >= 200"), '100',
		"$codec: the batch behind the damaged one is read");

	# with a good checksum it is the decoder that must hold
	my ($errors, $others) = (0, 0);
	for my $try (1 .. 25)
	{
		write_file($file, $sound);
		PostgreSQL::Test::Utils::system_or_bail('/usr/bin/python3', $vandal, $file, 0,
			$try % 2 ? ('flip', int(rand(100000))) : ('noise', int(rand(1e9))));
		my $err = read_error($topic);
		next if $err eq '';
		# bytes that decode to others are no damage the log can know of, but they may not be text
		if ($err =~ $place) { $errors++ } elsif ($err !~ /22021|22P05|22023/) { $others++; diag($err) }
	}
	is($others, 0, "$codec: damage with a matching checksum is an error that names the place");
	cmp_ok($errors, '>', 0, "$codec: some of the damage was noticed ($errors of 25)");

	write_file($file, $sound);
	is(contents($node, $topic), $contents, "$codec: with the right bytes back all records are read");
}

# a bomb: 300 MB from a few kilobytes
$node->safe_psql('postgres', q{
	SELECT create_topic('damage_bomb', config => '{"compression.type": "zstd"}');
	SET pg_topics.batch_size = '1MB';
	INSERT INTO damage_bomb (key, value) SELECT key, md5(n::text) || md5((n + 1)::text) FROM source;
});
PostgreSQL::Test::Utils::system_or_bail('/usr/bin/python3', $vandal,
	topic_directory($node, 'damage_bomb', 0) . '/' . ('0' x 20) . '.log', 0, 'bomb');
like(read_error('damage_bomb'), qr/XX001: damaged record batch.*position 0, offset 0.*decompressed records do not fit/s,
	'a batch that decompresses to far too much is reported as damaged');

is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started,
	'reading damaged batches does not restart the server');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/,
	'reading damaged batches crashes no process');

# ---- crashes ------------------------------------------------------------------------

for my $round (0 .. 3)
{
	my $codec = $codecs[$round];
	my $before = $node->safe_psql('postgres', 'SELECT count(DISTINCT (client, n)) FROM sent');

	$node->safe_psql('postgres', qq{SELECT alter_topic('events', '{"compression.type": "$codec"}')});
	my $load = start_load($node, clients => 3, also => [ "CHECKPOINT;\n" x ENDLESS ]);
	$node->poll_query_until('postgres', "SELECT (SELECT count(DISTINCT (client, n)) FROM sent) > $before + 200")
	  or die 'the load does not get on';
	$round % 2 ? $node->stop('immediate') : kill_all($node);
	finish_load($load);
	$node->start;

	check_acknowledged($node, $load, $codec);
	end_prepared($node);
	check_events($node, "$codec: topic and table agree after a crash");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM kafka_zstd'), '3000',
	'records from before the crashes are still there');
$node->stop;

done_testing();
