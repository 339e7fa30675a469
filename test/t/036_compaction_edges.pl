# Edges of compaction and erasing: a lost recovery point or index, extreme options,
# options that are rolled back, few keys to a pass, who waits for the topic; and a
# stock Kafka client reads what is left, with each codec.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $decoder = "$FindBin::RealBin/../kafka_decode.py";
my $json = JSON::PP->new->canonical;
my $node = new_node('main', settings => [ 'pg_topics.batch_size = 1kB', 'pg_topics.maintenance_interval = 1s',
	'pg_topics.log_cleaner_enable = off', 'pg_topics.log_retention_check_interval_ms = 1d' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE PROCEDURE fill(topic text, transactions int, keys int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. transactions LOOP
			PERFORM produce(topic::regclass, 'key ' || n % keys, n || repeat(' value', 10));
			COMMIT;
		END LOOP;
	END $$;
});

# Have all that has ended resolved, at once.
sub resolve { return sql("SELECT create_topic('resolving', config => '{\"cleanup.policy\": \"compact\"}', if_not_exists => true);
	SELECT count(*) FROM compact('resolving', dry_run => true)"); }

sub make_topic
{
	my ($topic, $config, $transactions, $keys) = @_;

	sql("SELECT create_topic('$topic', config => '{$config}'); CALL fill('$topic', $transactions, $keys)");
	resolve();
	return;
}

# ---- the recovery point is lost ----------------------------------------------

# Segments behind one that was rewritten after the last checkpoint stay.
make_topic('behind', '"segment.bytes": 2048', 100, 100);
sql('CHECKPOINT');
is(sql(q{SELECT erase('behind', 'key 3'::text)}), '1', 'erase() removes a record of the first segment');
my $left = contents($node, 'behind');
$node->stop('immediate');
unlink($node->data_dir . '/pg_topics/recovery_point') or die 'there is no recovery point';
$node->start;
is(contents($node, 'behind'), $left, 'without a recovery point all segments behind an erased one are found');
is(sql(q{SELECT log_start_offset, log_end_offset FROM pg_topic_partitions WHERE topic = 'behind'::regclass}), '0|100',
	'without a recovery point the log has its start and its end');

# The same of all that was compacted, after a clean stop.
make_topic('compacted', '"segment.bytes": 2048, "cleanup.policy": "compact"', 100, 7);
sql(q{SELECT count(*) FROM compact('compacted')});
$left = contents($node, 'compacted');
$node->stop;
unlink($node->data_dir . '/pg_topics/recovery_point') or die 'there is no recovery point';
$node->start;
is(contents($node, 'compacted'), $left,
	'without a recovery point all segments of a compacted topic are found');
sql(q{SELECT produce('compacted', 'key 1', 'later')});
is(sql(q{SELECT value FROM latest(NULL::compacted) WHERE key = 'key 1'}), 'later',
	'a compacted topic that was loaded so takes more records');

# ---- an index is lost --------------------------------------------------------

# Nobody removes the log, which may be the only copy.
make_topic('indexless', '"segment.bytes": 2048, "cleanup.policy": "compact"', 100, 7);
sql(q{SELECT count(*) FROM compact('indexless')});
my $log = $node->data_dir . '/' . sql(q{
	SELECT path FROM pg_topic_segments WHERE topic = 'indexless'::regclass AND batches > 0 AND NOT active LIMIT 1});
(my $index = $log) =~ s/log$/index/;
$left = contents($node, 'indexless');
foreach my $how ('is missing', 'is cut')
{
	rename($index, "$index.saved") or die "$index: $!";
	append_to_file($index, 'short') if $how eq 'is cut';
	# a worker that starts collects what is left over
	$node->restart;
	sql(q{SELECT produce('resolving', 'k', 'v')});
	my $from = -s $node->logfile;
	ok($node->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance' AND backend_start < now() - interval '1500 ms'}),
		"the worker has collected leftovers while an index $how");
	ok(-s $log, "the log of a segment whose index $how is not removed");
	my ($code, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM indexless');
	like($err, qr/missing|damaged/, "reading a segment whose index $how is an error");
	last unless -e $log;
	rename("$index.saved", $index) or die "$index: $!";
	$node->restart;
	is(contents($node, 'indexless'), $left,
		"a topic is read whole again once its index, which $how, is restored");
}

# ---- options -----------------------------------------------------------------

# Tombstones that are to stay for ever.
sql(q{
	SELECT create_topic('ever', config => '{"cleanup.policy": "compact", "delete.retention.ms": 9223372036854775807}');
	SELECT produce('ever', 'key 1', NULL::text);
	SELECT count(*) FROM compact('ever');
	SET pg_topics.clock_offset = 100000000000;
	SELECT count(*) FROM compact('ever');
	SELECT count(*) FROM compact('ever')});
is(sql('SELECT record_offset, key, value IS NULL FROM ever'), '0|key 1|t',
	'with the largest delete.retention.ms a tombstone is never removed');
is(sql(q{SELECT record_timestamp BETWEEN now() - interval '1 h' AND now() FROM ever}), 't',
	'a tombstone that is kept for ever keeps its timestamp');

# What is rolled back removes nothing.
make_topic('kept', '"segment.bytes": 2048', 100, 7);
$node->psql('postgres', qq{
	BEGIN;
	SELECT alter_topic('kept', '{"cleanup.policy": "compact"}');
	SELECT count(*) FROM compact('kept');
	ROLLBACK;
	BEGIN;
	SELECT alter_topic('kept', '{"retention.bytes": 0}');
	SELECT count(*) FROM apply_retention('kept');
	ROLLBACK});
is(sql('SELECT count(*) FROM kept'), '100',
	'compaction and retention remove nothing by options that are rolled back');

# ---- more keys than a pass has room for --------------------------------------

sql(q{
	SELECT create_topic('many', config => '{"cleanup.policy": "compact", "segment.bytes": 1000000}');
	SET pg_topics.batch_size = '64kB';
	INSERT INTO many (key, value) SELECT 'key ' || n % 50000, n FROM generate_series(1, 150000) AS n});
resolve();
my $calls = 0;
while ($calls++ < 20 && sql(q{SELECT count(*) FROM many}) > 50000)
{
	sql(q{SET maintenance_work_mem = '1MB'; SELECT count(*) FROM compact('many')});
}
note("$calls calls");
is(sql(q{SELECT count(*), count(DISTINCT key), min(value::int), max(value::int) FROM many}),
	'50000|50000|100001|150000',
	'with little memory several calls of compact() leave the last record of each key');

# ---- a gap of offsets behind what is deleted ---------------------------------

sql(q{
	SELECT create_topic('gap', config => '{"segment.bytes": 1024}');
	INSERT INTO gap (key, value) SELECT 'k', repeat('x', 80) FROM generate_series(1, 9);
	INSERT INTO gap (key, value, record_offset) VALUES ('k', repeat('x', 800), 1000)});
resolve();
is(sql(q{SELECT delete_records('gap', 0, 9)}), '9', 'delete_records() deletes the records in front of a gap');
is(sql(q{SELECT base_offset FROM pg_topic_segments WHERE topic = 'gap'::regclass}), '1000',
	'the segment of the deleted records is removed');

# ---- who waits for the topic -------------------------------------------------

# The worker takes about ten seconds to filter this segment, and gives way meanwhile.
sql(q{
	SELECT create_topic('slow', config => '{"cleanup.policy": "compact", "segment.bytes": 400000}');
	INSERT INTO slow (key, value) SELECT 'key ' || n % 100, repeat('v', 50) FROM generate_series(1, 7000) AS n;
	ALTER SYSTEM SET pg_topics.log_cleaner_io_max_bytes_per_second = 80000;
	ALTER SYSTEM SET pg_topics.log_cleaner_backoff_ms = 100;
	ALTER SYSTEM SET pg_topics.log_cleaner_enable = on;
	SELECT pg_reload_conf()});
$node->poll_query_until('postgres',
	q{SELECT count(*) > 0 FROM pg_stat_progress_topic_compaction WHERE topic = 'slow'::regclass AND phase LIKE 'rewriting%'})
  or die 'the worker does not compact';
# from when it has the lock nothing else gets on
is(sql(q{BEGIN; ALTER FOREIGN TABLE slow OPTIONS (ADD "segment.ms" '100000000');
	SELECT compactions FROM pg_stat_topics WHERE topic = 'slow'::regclass; COMMIT}), '0',
	'the worker gives up its lock in the midst of a segment when a session waits for it');
sql('ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()');

# ---- a stock Kafka client ----------------------------------------------------

# All records of a topic as kafka_decode.py shows them, in order.
sub our_records
{
	my ($topic) = @_;

	return [ map { $json->encode($json->decode($_)) } split /\n/, sql(qq{
		SELECT jsonb_build_object('offset', record_offset, 'timestamp', (extract(epoch FROM record_timestamp) * 1000)::bigint,
			'key', encode(convert_to(key, 'UTF8'), 'hex'), 'value', encode(convert_to(value, 'UTF8'), 'hex'),
			'headers', (SELECT coalesce(jsonb_agg(jsonb_build_array(h.key, encode(convert_to(h.value, 'UTF8'), 'hex')) ORDER BY h.key), '[]')
			            FROM jsonb_each_text(headers) AS h))
		FROM $topic ORDER BY record_offset}) ];
}

# The same, decoded from the files by the client.
sub kafka_records
{
	my ($topic) = @_;
	my @records;

	foreach my $line (split /\n/, sql(qq{SELECT path, bytes FROM pg_topic_segments WHERE topic = '$topic'::regclass ORDER BY base_offset}))
	{
		my ($path, $bytes) = split /\|/, $line;
		my ($out, $err) = run_command([ '/usr/bin/python3', $decoder, $node->data_dir . "/$path", $bytes ]);

		die $err if $err ne '';
		push @records, map { $_->{headers} = [ sort { $a->[0] cmp $b->[0] } @{ $_->{headers} } ]; $json->encode($_) }
		  map { $json->decode($_) } split /\n/, $out;
	}
	return \@records;
}

foreach my $codec (qw(none gzip snappy lz4 zstd))
{
	my $topic = "of_$codec";

	sql(qq{
		SELECT create_topic('$topic', config => '{"cleanup.policy": "compact", "segment.bytes": 20000, "compression.type": "$codec",
			"message.timestamp.type": "@{[ $codec eq 'lz4' ? 'LogAppendTime' : 'CreateTime' ]}"}');
		INSERT INTO $topic (key, value, headers)
		SELECT 'key ' || n * 7919 % 500, CASE WHEN n % 5 > 0 THEN n || repeat('text', n % 20) END,
			CASE WHEN n % 3 = 0 THEN jsonb_build_object('h', n, 'n', NULL) END FROM generate_series(1, 3000) AS n;
		BEGIN; SELECT produce('$topic', 'key 1', 'aborted'); SELECT count(*) FROM flush(); ROLLBACK;
		INSERT INTO $topic (key, value) SELECT 'key ' || n * 7919 % 300, CASE WHEN n % 4 > 0 THEN n END FROM generate_series(1, 500) AS n;
		SELECT count(*) FROM compact('$topic');
		SELECT erase('$topic', 'key 3'::text);
		SELECT count(*) FROM compact('$topic')});
	my $ours = our_records($topic);
	is(scalar @$ours, 499, "$codec: compaction and erase() leave the last record of each other key");
	is_deeply(kafka_records($topic), $ours, "$codec: a stock Kafka client reads the same records as a query");
}

$node->stop;
done_testing();
