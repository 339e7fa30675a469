# The .log files are Kafka's: a stock Kafka library reads from them what a
# query of the topic gives.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $python = '/usr/bin/python3';
my $decoder = "$FindBin::RealBin/../kafka_decode.py";

plan skip_all => 'the Debian package python3-kafka is not installed'
  if system("$python -c 'import kafka' 2>/dev/null") != 0;

my $node = new_node('main', settings => ['pg_topics.batch_size = 4kB']);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# As the library reads a topic's files: for each partition a list of records.
# The segments of a partition are handed to it one behind the other.
sub read_files
{
	my ($topic) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @partitions;

	foreach my $line (split /\n/, sql(qq{
		SELECT partition, bytes, path FROM pg_topic_segments WHERE topic = '$topic'::regclass ORDER BY 1, base_offset}))
	{
		my ($partition, $bytes, $path) = split /\|/, $line;

		append_to_file("$directory/$partition", substr(slurp_file($node->data_dir . "/$path"), 0, $bytes));
	}
	foreach my $file (sort glob("$directory/*"))
	{
		my ($partition) = $file =~ /(\d+)$/;
		my ($out, $err) = run_command([ $python, $decoder, $file ]);

		is($err, '', "the library reads partition $partition of $topic");
		$partitions[$partition] = [ map { decode_json($_) } split /\n/, $out ];
	}
	return \@partitions;
}

# As a query gives it, in the same form; keys and values in hex by "hex".
sub read_topic
{
	my ($topic, $hex) = @_;
	my @partitions;

	foreach my $line (split /\n/, sql(qq{
		SELECT jsonb_build_object('partition', partition, 'offset', record_offset,
			'timestamp', (extract(epoch FROM record_timestamp) * 1000)::bigint,
			'key', @{[ sprintf($hex, 'key') ]}, 'value', @{[ sprintf($hex, 'value') ]},
			'headers', coalesce((
				SELECT jsonb_agg(jsonb_build_array(name, encode(convert_to(content #>> '{}', 'UTF8'), 'hex')))
				FROM jsonb_each(headers) AS h(name, contents),
					jsonb_array_elements(CASE jsonb_typeof(contents) WHEN 'array' THEN contents
						ELSE jsonb_build_array(contents) END) AS content), '[]'))
		FROM $topic ORDER BY partition, record_offset}))
	{
		my $record = decode_json($line);
		my $partition = delete $record->{partition};

		push @{ $partitions[$partition] }, $record;
	}
	return \@partitions;
}

my $text = q{encode(convert_to(%s::text, 'UTF8'), 'hex')};

# the library alone, against known bytes
my ($out, $err) = run_command([ $python, $decoder, '--self-test' ]);
unlike($out, qr/^not ok/m, 'the Kafka library reads batches whose bytes are known');

# ---- text, of all shapes -----------------------------------------------------

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => 3,
		config => '{"segment.bytes": 16384, "compression.type": "none", "message.timestamp.after.max.ms": 9223372036854775807}');
	-- several batches and segments in one transaction
	INSERT INTO events (partition, key, value, record_timestamp, headers)
	SELECT n % 3, CASE WHEN n % 7 > 0 THEN 'key' || n % 10 END, CASE WHEN n % 11 > 0 THEN repeat('v', n % 300) END,
		CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN timestamptz '2020-01-01 00:00:00.123+00' - n * interval '1 ms'
			ELSE timestamptz '2024-05-06 07:08:09.876543+00' + n * interval '1 hour' END,
		CASE n % 4 WHEN 0 THEN jsonb_build_object('n', n, 'h', 'x' || n, 'none', NULL)
			WHEN 1 THEN jsonb_build_object('many', jsonb_build_array('1', NULL, '3'), 'ü', 'äöü') END
	FROM generate_series(1, 2000) AS n;
});
# one by one, with all edges
foreach my $record (
	q{NULL::text, NULL::text}, q{'', ''}, q{'k', NULL::text}, q{NULL::text, 'v'}, q{'k', ''},
	q{'ключ', '値 🎉'}, q{repeat('k', 127), repeat('v', 128)}, q{repeat('k', 1000), repeat('v', 200000)},
	q{'k', 'v', record_timestamp => '1970-01-01 00:00:00+00'}, q{'k', 'v', record_timestamp => '1969-12-31 23:59:59.999+00'},
	q{'k', 'v', record_timestamp => '294276-12-31 23:59:59.999+00'}, q{'k', 'v', record_timestamp => '4714-11-24 00:00:00+00 BC'}, q{'k', 'v', headers => '{}'},
	q{'k', 'v', headers => '{"": "", "a": null, "b": ["x", "y", "x"]}'})
{
	sql("SELECT produce('events', $record)");
}
# rolled back to savepoints in the middle of batches
sql(q{
	BEGIN;
	SELECT produce('events', 'k', 'before', partition => 0);
	SAVEPOINT a;
	INSERT INTO events (partition, value) SELECT 0, repeat('lost', 100) FROM generate_series(1, 50);
	ROLLBACK TO a;
	SELECT produce('events', 'k', 'after', partition => 0);
	COMMIT});
cmp_ok(sql('SELECT min(segments) FROM pg_topic_partitions'), '>', 2, 'each partition has several segments');
cmp_ok(sql('SELECT max(batches) FROM pg_topic_segments WHERE NOT active'), '>', 2,
	'a segment has several batches');
my $read = read_files('events');
is_deeply($read, read_topic('events', $text), 'text: a Kafka library reads the same records as a query');
# and both what was written: its time, and some bytes
my %times = map { $_->{timestamp} => 1 } grep { ($_->{key} // '') eq '6b' } map { @$_ } @$read;
ok($times{$_},
	"a record of the time $_ ms after 1970 is in the files") foreach 0, -1, 9224318015999999, -210866803200000;
is(scalar(grep { ($_->{value} // '') eq 'e580a420f09f8e89' } map { @$_ } @$read), 1,
	'a value in UTF-8 is in the files as it was produced');

# ---- bytea, integers, JSON ---------------------------------------------------

sql(q{
	SELECT create_topic('bytes', key_type => 'bytea', value_type => 'bytea');
	INSERT INTO bytes (key, value)
	SELECT decode(lpad(to_hex(n), 2, '0'), 'hex'), decode(repeat(lpad(to_hex(n), 2, '0'), n), 'hex') FROM generate_series(0, 255) AS n;
	SELECT produce('bytes', '\x'::bytea, NULL::bytea);
	SELECT create_topic('typed', key_type => 'int', value_type => 'jsonb');
	INSERT INTO typed (key, value) SELECT n, jsonb_build_object('n', n) FROM generate_series(-100, 100) AS n;
});
is_deeply(read_files('bytes'), read_topic('bytes', q{encode(%s, 'hex')}),
	'bytea: a Kafka library reads the same bytes as a query');
is_deeply(read_files('typed'), read_topic('typed', $text), 'int and jsonb: a Kafka library reads their text');

# ---- aborted batches, log append time, explicit offsets ----------------------

# A Kafka library that knows nothing of our index reads aborted ones as well.
sql(q{
	SELECT create_topic('aborted');
	SELECT produce('aborted', 'k', 'one');
	BEGIN; SELECT produce('aborted', 'k', 'lost'); SELECT count(*) FROM flush(); ROLLBACK;
	SELECT produce('aborted', 'k', 'two')});
my $files = read_files('aborted');
is(join(' ', map { pack('H*', $_->{value}) } @{ $files->[0] }), 'one lost two',
	'the files hold records of transactions that were rolled back');
@{ $files->[0] } = grep { $_->{value} ne unpack('H*', 'lost') } @{ $files->[0] };
is_deeply($files, read_topic('aborted', $text),
	'without the rolled-back ones they hold the same as a query shows');

sql(q{
	SELECT create_topic('appended', config => '{"message.timestamp.type": "LogAppendTime"}');
	SELECT produce('appended', 'k', 'v', record_timestamp => '2001-01-01') FROM generate_series(1, 10);
	SELECT create_topic('holes');
	INSERT INTO holes (record_offset, value) VALUES (5, 'a'), (6, 'b'), (100, 'c'), (5000000000, 'd')});
is_deeply(read_files('appended'), read_topic('appended', $text),
	'LogAppendTime: a Kafka library reads the same times as a query');
is_deeply(read_files('holes'), read_topic('holes', $text),
	'given offsets with gaps: a Kafka library reads the same as a query');

# ---- merged batches ----------------------------------------------------------

# each record in a transaction of its own, with other append times
sql(q{
	SELECT create_topic('small_' || codec, config => jsonb_build_object('batch.merge.lag.ms', 0, 'compression.type', codec,
		'message.timestamp.type', type))
	FROM (VALUES ('none', 'CreateTime'), ('zstd', 'CreateTime'), ('lz4', 'LogAppendTime')) AS t(codec, type);
	DO $$ BEGIN
		FOR n IN 1 .. 300 LOOP
			PERFORM produce(topic, 'k' || n % 7, CASE WHEN n % 11 > 0 THEN repeat('v' || n, n % 60) END,
				headers => CASE WHEN n % 4 = 0 THEN jsonb_build_object('n', n, 'none', NULL) END)
			FROM unnest('{small_none, small_zstd, small_lz4}'::regclass[]) AS topic;
			IF n % 10 = 3 THEN
				PERFORM flush();
				ROLLBACK;
			ELSE
				COMMIT;
			END IF;
		END LOOP;
	END $$});
foreach my $topic (qw(small_none small_zstd small_lz4))
{
	my $before = read_topic($topic, $text);

	is(sql("SELECT records_before - records_after FROM merge_batches('$topic')"), '30', "$topic: batches are merged");
	cmp_ok(sql("SELECT sum(batches) FROM pg_topic_segments WHERE topic = '$topic'::regclass"), '<', 30, "$topic: few are left");
	is_deeply(read_topic($topic, $text), $before, "$topic: a query shows the same as before");
	is_deeply(read_files($topic), $before, "$topic: a Kafka library reads the same from merged batches");
}

# after a crash, as redo has written it
kill_all($node);
$node->start;
is_deeply(read_files('events'), read_topic('events', $text),
	'after a crash a Kafka library reads the same records as a query');
$node->stop;

done_testing();
