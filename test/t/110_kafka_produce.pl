# Produce, Kafka's API: what a client sends stands in the log byte for byte and is what SQL
# reads; what a topic's options, columns and rights refuse of SQL's records is refused, with
# Kafka's errors; locks, full disks and lost rights are one partition's error.
#
# Crashes are 111_kafka_produce_crash.pl's, standbys 112_kafka_produce_standby.pl's.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Compress::Zlib;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ kafka_settings($port), 'restart_after_crash = off' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
});

# Make a topic to which the clients may produce; its columns, and its options as JSON.
sub create
{
	my ($topic, $columns, $config, $partitions) = @_;

	$columns //= 'key bytea, value bytea';
	sql(qq{
		CREATE FOREIGN TABLE $topic ("partition" int, record_offset bigint, record_timestamp timestamptz, $columns, headers jsonb)
			SERVER topics OPTIONS (partitions '@{[ $partitions // 1 ]}');
		SELECT alter_topic('$topic', '{@{[ $config // '' ]}}');
		GRANT INSERT ON $topic TO producer});
	return;
}

my $client;
poll_until(sub { $client = kafka_connect($port) }) or die 'no listener';

# The answer to one batch, as "error offset".
sub produce
{
	my ($topic, $partition, $batch, %other) = @_;
	my $answer = $client->produce($topic, $partition, $batch, %other);

	return $answer;
}

# An answer is an error: this one, with this message, records and no offset.
sub refused
{
	my ($answer, $error, $message, $name, @records) = @_;

	is("$answer->{error} $answer->{offset} $answer->{time}", "$error -1 -1", "$name: error $error");
	like($answer->{message} // '', $message, "$name: its message") if defined $message;
	is_deeply([ map { $_->[0] } @{ $answer->{records} // [] } ], \@records, "$name: the records to blame") if @records;
	return;
}

# ---- bytes -------------------------------------------------------------------

create('raw', undef, undef, 2);

my @records = (
	[ 'k', 'v' ],
	[ undef, "\0\xff", 7, 'h', 'one', 'h', undef ],
	[ '', undef, -5 ],
	[ "\x01" x 300, 'x' x 5000, 9, '', '' ]);
my $expected = sql(q{SELECT string_agg(concat_ws('|', ms, coalesce(encode(key, 'hex'), '~'), coalesce(md5(value), '~'), coalesce(headers::text, '~')), E'\n' ORDER BY n) FROM (VALUES
	(1, 0, 'k'::bytea, 'v'::bytea, NULL::jsonb), (2, 7, NULL, '\x00ff', '{"h": ["one", null]}'), (3, -5, '', NULL, NULL),
	(4, 9, decode(repeat('01', 300), 'hex'), repeat('x', 5000)::bytea, '{"": ""}')) AS v (n, ms, key, value, headers)});

foreach my $version (3 .. 12)
{
	my $answer = produce('raw', $version % 2, kafka_batch(\@records), version => $version, acks => $version % 3 ? -1 : 1);
	my $number = int(($version - 3) / 2);

	is_deeply([ @$answer{qw(topic partition error offset time)} ], [ 'raw', $version % 2, 0, $number * 4, -1 ],
		"version $version: the answer has the offset");
	is($answer->{start}, 0, "version $version: and the log's start") if $version >= 5;
	is(sql(qq{SELECT string_agg(concat_ws('|', extract(epoch FROM record_timestamp)::numeric * 1000 - @{[ FIRST_TIME ]}, coalesce(encode(key, 'hex'), '~'),
			coalesce(md5(value), '~'), coalesce(headers::text, '~')), E'\n' ORDER BY record_offset)
		FROM (SELECT "partition", record_offset, record_timestamp, key, value, headers FROM raw) AS raw
		WHERE "partition" = @{[ $version % 2 ]} AND record_offset >= $number * 4}) =~ s/\.0+\|/|/gr,
		$expected, "version $version: SQL reads what was sent");
}

# The bytes of a partition's first segment.
sub log_bytes
{
	my ($topic, $partition) = @_;

	return slurp_file(topic_directory($node, $topic, $partition // 0) . '/00000000000000000000.log');
}

my $sent = kafka_batch(\@records);
substr($sent, 12, 4) = pack('N', 1);
is(substr(log_bytes('raw', 0), 0, length $sent), $sent, 'the log has the batch as it was sent, but for its epoch: the timeline');
substr($sent, 0, 8) = pack('q>', 4);
is(substr(log_bytes('raw', 0), length $sent, length $sent), $sent, 'and but for its offset');
is(sql(q{SELECT count(*) FROM verify_topic('raw')}), '0', 'the topic is sound');

# SQL's own batches stand between those
sql(qq{INSERT INTO raw ("partition", key, value, record_timestamp) VALUES (0, 'sql', 'sql', to_timestamp(@{[ FIRST_TIME / 1000 ]}))});
is(produce('raw', 0, kafka_batch([ [ 'after', 'sql' ] ]))->{offset}, 21, 'offsets go on behind a record of SQL');
is(unpack('x12N', substr(log_bytes('raw', 0), 5 * length $sent)), 1, 'whose batch has the epoch, too');

# a producer's id and sequence stay
$sent = kafka_batch([ [ 'a', 'b' ] ], producer_id => 12, producer_epoch => 3, sequence => 77);
is(produce('raw', 1, $sent)->{error}, 0, 'a batch of an idempotent producer is taken');
is(substr(log_bytes('raw', 1), -(length $sent) + 43, 14), substr($sent, 43, 14), 'and keeps its producer and sequence');

# ---- compressed ---------------------------------------------------------------

my $gzip = sub { return Compress::Zlib::memGzip($_[0]) };

create('squeezed', undef, '"compression.type": "producer"');
$sent = kafka_batch([ map { [ "k$_", 'value ' x 50 ] } 0 .. 9 ], attributes => 1, pack => $gzip);
is(produce('squeezed', 0, $sent)->{error}, 0, 'a compressed batch is taken');
is(substr(log_bytes('squeezed'), 16), substr($sent, 16), 'and kept as it is');
is(sql(q{SELECT count(*), min(length(value)), max(record_offset) FROM squeezed}), '10|300|9', 'SQL reads it');
refused(produce('squeezed', 0, kafka_batch([ [ 'a', 'b' ] ], attributes => 1, pack => sub { 'no gzip' })), 87, qr/./, 'what does not decompress');
refused(produce('squeezed', 0, kafka_batch([ [ 'a', 'b' ] ], attributes => 4), version => 3), 76, undef, 'zstd before version 7');

foreach my $type (qw(gzip uncompressed zstd))
{
	my $topic = "as_$type";
	my $repeated = kafka_batch([ map { [ "k$_", 'value ' x 50, $_ ] } 0 .. 9 ]);

	create($topic, undef, qq{"compression.type": "$type"});
	is(produce($topic, 0, $repeated)->{offset}, 0, "compression.type $type: a batch without a codec is taken");
	is(produce($topic, 0, $sent)->{offset}, 10, "compression.type $type: so is one with another codec");
	is_deeply([ map { $_ & 7 } unpack('x22C x' . (unpack('x8N', log_bytes($topic)) - 11) . 'x22C', log_bytes($topic)) ],
		[ ({ gzip => 1, uncompressed => 0, zstd => 4 }->{$type}) x 2 ], "compression.type $type: and both have that one now");
	is(sql(qq{SELECT count(*), min(length(value)), max(extract(epoch FROM record_timestamp)::numeric * 1000 - @{[ FIRST_TIME ]})::int FROM $topic}),
		'20|300|9', "compression.type $type: SQL reads them");
	is(sql(qq{SELECT count(*) FROM verify_topic('$topic')}), '0', "compression.type $type: the topic is sound");
}

# ---- what is refused -----------------------------------------------------------

my $one = kafka_batch([ [ 'k', 'v' ] ]);

refused(produce('nothing', 0, $one), 3, undef, 'a topic that does not exist');
refused(produce('raw', 2, $one), 3, qr/^partition 2 of topic "raw" does not exist/, 'a partition that does not exist');
refused(produce('raw', -1, $one), 3, undef, 'a partition below 0');
refused(produce("\1" x 16, 0, $one, version => 13), 100, undef, 'a topic id that does not exist');
refused(produce('raw', 0, $one, acks => 2), 21, undef, 'acks that do not exist');
refused(produce('raw', 0, ''), 87, undef, 'no records');
refused(produce('raw', 0, kafka_batch([ [ 'k', 'v' ] ], crc => 1)), 2, undef, 'a wrong checksum');
refused(produce('raw', 0, "$one$one"), 87, undef, 'two batches');
refused(produce('raw', 0, kafka_batch([ [ 'k', 'v' ] ], count => 2)), 87, undef, 'a wrong count');
refused(produce('raw', 0, kafka_batch([ [ 'k', 'v' ] ], attributes => 32)), 87, undef, 'a control batch');
refused(produce('raw', 0, kafka_batch([ [ 'k', 'v' ] ], attributes => 16), transaction => 't'), 49, undef, 'a batch of a transaction without a producer');
refused(produce('raw', 0, kafka_batch([ [ 'k', 'v' ] ], attributes => 8)), 32, undef, 'LogAppendTime by the producer');
is(sql(q{SELECT count(*) FROM raw WHERE "partition" = 0}), '22', 'nothing of it is in the log');

create('small', undef, '"max.message.bytes": 1000');
refused(produce('small', 0, kafka_batch([ [ 'k', 'v' x 1000 ] ])), 10,
	qr/^record batch of \d+ bytes for partition 0 of topic "small" is too large: it can have at most 1000 bytes \(max\.message\.bytes\)$/, 'a batch that is too large');
is(produce('small', 0, kafka_batch([ [ 'k', 'v' x 900 ] ]))->{error}, 0, 'one that is not');

create('compacted', undef, '"cleanup.policy": "compact"');
refused(produce('compacted', 0, kafka_batch([ [ 'k', 'v' ], [ undef, 'v' ], [ 'k', 'v' ], [ undef, 'w' ] ])), 87,
	qr/^record 1 of the batch: record has no key, and the topic is compacted$/, 'records without keys in a compacted topic', 1, 3);

create('timely', undef, '"message.timestamp.before.max.ms": 3600000, "message.timestamp.after.max.ms": 3600000');
my $now = time * 1000;
is(produce('timely', 0, kafka_batch([ [ 'k', 'v' ], [ 'k', 'v', 3000000 ] ], time => $now))->{error}, 0, 'timestamps within the limits');
refused(produce('timely', 0, kafka_batch([ [ 'k', 'v' ], [ 'k', 'v', 4000000 ] ], time => $now)), 32,
	qr/is too far ahead of the server's clock; the topic's option message\.timestamp\.after\.max\.ms allows 3600000 ms$/, 'a timestamp ahead', 1);
refused(produce('timely', 0, kafka_batch([ [ 'k', 'v', -4000000 ] ], time => $now)), 32, qr/behind the server's clock/, 'a timestamp behind', 0);
refused(produce('timely', 0, kafka_batch([ [ 'k', 'v', -4000000 ] ], time => $now), version => 7), 32, undef, 'the same without room for words');

create('placed', undef, '"partitioner.enforce": "on"', 4);
my $where = sql(q{SELECT produce('placed', 'k'::bytea, 'v'::bytea)});
is(produce('placed', $where, $one)->{error}, 0, 'a key where the partitioner places it');
refused(produce('placed', ($where + 1) % 4, $one), 87, qr/key belongs to partition $where, and the topic's option partitioner\.enforce is on/, 'a key elsewhere', 0);

create('stamped', undef, '"message.timestamp.type": "LogAppendTime"');
my $answer = produce('stamped', 0, kafka_batch([ [ 'k', 'v' ], [ 'k', 'v', 5 ] ]));
cmp_ok(abs($answer->{time} - time * 1000), '<', 600_000, 'with LogAppendTime the answer has the time');
is(sql(q{SELECT count(DISTINCT record_timestamp), (extract(epoch FROM max(record_timestamp)) * 1000)::bigint FROM stamped}),
	"1|$answer->{time}", 'and all records have it');
is(sql(q{SELECT count(*) FROM verify_topic('stamped')}), '0', 'the topic is sound');

# a wrong largest timestamp does not mislead lookups
create('late');
is(produce('late', 0, kafka_batch([ [ 'k', 'v' ], [ 'k', 'v', 5000 ] ], max_time => FIRST_TIME - 10))->{error}, 0, 'a batch with a wrong largest timestamp');
is(sql(qq{SELECT count(*) FROM late WHERE record_timestamp >= to_timestamp(@{[ FIRST_TIME ]} / 1000.0 + 4)}), '1', 'is found by the right one');
is(sql(q{SELECT count(*) FROM verify_topic('late')}), '0', 'the topic is sound');

# ---- types ---------------------------------------------------------------------

create('typed', 'key int, value jsonb');
is(produce('typed', 0, kafka_batch([ [ '1', '{"a":   1}' ], [ undef, undef ], [ '-7', 'null' ] ]))->{error}, 0, 'what its columns take');
is(sql(q{SELECT string_agg(concat_ws('|', coalesce(key::text, '~'), coalesce(value::text, '~')), ' ' ORDER BY record_offset) FROM typed}), '1|{"a": 1} ~|~ -7|null', 'SQL reads it');
$answer = produce('typed', 0, kafka_batch([ [ '1', '{}' ], [ 'one', '{}' ], [ '2', '{' ], [ '3', '{}' ], [ '4', '' ], [ '5', "\"\xff\"" ] ]));
refused($answer, 87, qr/^record 1 of the batch: invalid input syntax for type integer: "one"$/, 'what they do not take', 1, 2, 4, 5);
like($answer->{records}->[1]->[1], qr/^invalid input syntax for type json: The input string ended unexpectedly/, 'each record has its reason');
is(sql(q{SELECT count(*) FROM typed}), '3', 'nothing of the batch is in the log');
is(scalar(@{ produce('typed', 0, kafka_batch([ map { [ 'x', '{}' ] } 1 .. 50 ]))->{records} }), 10, 'not more than ten records are named');

create('texts', 'key text, value varchar(3)');
refused(produce('texts', 0, kafka_batch([ [ "caf\xc3\xa9", 'abc' ], [ "caf\xe9", 'abc' ], [ "a\0b", 'abc' ], [ 'k', 'abcd' ] ])), 87,
	qr/^record 1 of the batch: record key is not valid text in encoding UTF8/, 'text that is none', 1, 2, 3);
is(produce('texts', 0, kafka_batch([ [ "caf\xc3\xa9", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac" ] ]))->{error}, 0, 'text that is');

# functions of others run as the client's role, and not for long
sql(q{
	CREATE TABLE book ();
	GRANT SELECT ON book TO producer;
	CREATE FUNCTION nobody_knows(text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		IF $1 = 'sleep' THEN PERFORM pg_sleep(600); END IF;
		WHILE $1 = 'work' LOOP END LOOP;
		IF $1 = 'look' THEN PERFORM count(*) FROM public.book; END IF;
		IF $1 = 'who' THEN RAISE EXCEPTION 'I am %', current_user; END IF;
		IF $1 = 'role' THEN RESET ROLE; END IF;
		IF $1 = 'set' THEN PERFORM set_config('pg_topics.acks', 'all', false); END IF;
		IF $1 = 'see' THEN RAISE EXCEPTION 'acks are %', current_setting('pg_topics.acks'); END IF;
		RETURN $1 <> 'bad';
	END $$;
	CREATE DOMAIN checked AS text NOT NULL CONSTRAINT known CHECK (nobody_knows(VALUE));
});
create('domains', 'key text, value checked');
refused(produce('domains', 0, kafka_batch([ [ 'k', 'good' ], [ 'k', 'bad' ], [ 'k', 'who' ], [ 'k', undef ], [ 'k', 'role' ] ])), 87,
	qr/value for domain public.checked violates check constraint "known"/, 'what a domain does not take', 1, 2, 3, 4);
$answer = produce('domains', 0, kafka_batch([ [ 'k', 'who' ] ]));
like($answer->{records}->[0]->[1], qr/^I am producer$/, 'its constraint runs as the client');
refused(produce('domains', 0, kafka_batch([ [ 'k', 'sleep' ] ]), timeout => 1000), 7, qr/functions of the topic's types wait for too long/, 'a constraint that sleeps');
# one that waits for a lock is tried again, and is not waited for
my $reader = open_session($node);
$reader->run('BEGIN; LOCK TABLE book');
$client->send([ [ 'domains', [ 0, kafka_batch([ [ 'k', 'look' ] ]) ] ] ]);
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_kafka_connections WHERE state = 'waiting' AND last_api = 'Produce'}) eq '1' }), 'a constraint that waits for a lock');
my $beside = kafka_connect($port);
is($beside->produce('texts', 0, kafka_batch([ [ 'k', 'abc' ] ]))->{error}, 0, 'others are served meanwhile');
ok(!$client->is_ready(0), 'and it waits');
$reader->run('COMMIT');
$answer = ($client->receive)[1];
is($answer->{error}, 0, 'until the lock is released') or diag($answer->{message});
# on a busy machine a second is over before
refused(produce('domains', 0, kafka_batch([ map { [ 'k', 'work' ] } 1 .. 5 ])), 87,
	qr/functions of the topic's types took more than 200 ms of a processor|canceling statement due to statement timeout/,
	'a constraint that has no end: no other record is looked at', 0);
is(produce('domains', 0, kafka_batch([ [ 'k', 'good' ] ]))->{error}, 0, 'what comes behind it');
is(produce('domains', 0, kafka_batch([ [ 'k', 'set' ] ]))->{error}, 0, 'a constraint that changes a setting');
$answer = produce('domains', 0, kafka_batch([ [ 'k', 'see' ] ]));
like($answer->{records}->[0]->[1], qr/^acks are $/, 'has changed it for itself alone');
is(produce('domains', 0, kafka_batch([ [ 'k', 'good' ] ]))->{error}, 0, 'what it takes');
is(sql(q{SELECT count(*) FROM domains}), '4', 'nothing else is in the log');

# ---- rights ---------------------------------------------------------------------

sql('REVOKE INSERT ON typed FROM producer');
refused(produce('typed', 0, kafka_batch([ [ '1', '{}' ] ])), 29, undef, 'a role without the right to INSERT');
sql('GRANT INSERT (value) ON typed TO producer');
refused(produce('typed', 0, kafka_batch([ [ '1', '{}' ] ])), 29, undef, 'a role with the right to one column, as in produce()');
sql('GRANT INSERT ON typed TO producer');
is(produce('typed', 0, kafka_batch([ [ '1', '{}' ] ]))->{error}, 0, 'a role that got the right');

# triggers do not fire, as with produce()
sql(q{
	CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'I object'; END $$;
	CREATE TRIGGER object BEFORE INSERT ON squeezed FOR EACH ROW EXECUTE FUNCTION object();
});
is(produce('squeezed', 0, $one)->{error}, 0, 'a trigger does not fire');

# ---- several at once --------------------------------------------------------------

create('many', undef, undef, 30);
$client->send([ [ 'raw', [ 0, $one ], [ 7, $one ] ], [ 'nothing', [ 0, $one ] ], [ 'many', map { [ $_, $one ] } 0 .. 29 ], [ 'compacted', [ 0, kafka_batch([ [ undef, 'v' ] ]) ] ] ]);
my ($number, @answers) = $client->receive;
is(join(' ', map { "$_->{topic}/$_->{partition}:$_->{error}" } @answers),
	join(' ', 'raw/0:0', 'raw/7:3', 'nothing/0:3', (map { "many/$_:0" } 0 .. 29), 'compacted/0:87'), 'each partition has its own answer');

$client->send([ [ 'many', [ 3, kafka_batch([ [ 'k', 'first' ] ]) ], [ 4, $one ], [ 3, kafka_batch([ [ 'k', 'second' ] ]) ] ] ]);
($number, @answers) = $client->receive;
is(join(' ', map { "$_->{partition}:$_->{error}:$_->{offset}" } @answers), '3:0:1 4:0:1', 'a repeated partition has one answer');
is(sql(q{SELECT convert_from(value, 'UTF8') FROM many WHERE "partition" = 3 AND record_offset = 1}), 'second', 'that of its last batch');
$client->send([ [ 'many', map { [ $_ % 12, kafka_batch([ [ 'k', "entry $_" ] ]) ] } 0 .. 23 ] ]);
($number, @answers) = $client->receive;
is(join(' ', map { "$_->{partition}:$_->{error}" } @answers), join(' ', map { "$_:0" } 0 .. 11), 'so it is with many partitions');
is(sql(q{SELECT string_agg(convert_from(value, 'UTF8'), ',' ORDER BY "partition") FROM (SELECT DISTINCT ON ("partition") "partition", value FROM many WHERE "partition" < 12 ORDER BY "partition", record_offset DESC) AS last}),
	join(',', map { 'entry ' . ($_ + 12) } 0 .. 11), 'whose last batches count');

# many requests under way: answers and offsets in their order
my $before = sql(q{SELECT log_end_offset FROM pg_topic_partitions WHERE topic = 'raw'::regclass AND "partition" = 0});
$client->send([ [ 'raw', [ 0, kafka_batch([ [ 'k', "under way $_" ] ]) ] ] ]) foreach 1 .. 500;
my @offsets = map { my ($n, $a) = $client->receive; $a->{offset} } 1 .. 500;
is_deeply(\@offsets, [ $before .. $before + 499 ], '500 requests under way are answered in order');
is(sql(qq{SELECT count(*) FROM raw WHERE "partition" = 0 AND record_offset >= $before
	AND convert_from(value, 'UTF8') = 'under way ' || record_offset - $before + 1}), '500', 'and their records are in order');

# more than a transaction takes at once
my @others = map { kafka_connect($port) } 1 .. 8;
$_->send([ [ 'many', map { [ $_, kafka_batch([ [ 'k', 'v' x 90_000 ] ]) ] } 0 .. 9 ] ]) foreach @others;
@answers = map { my ($n, @a) = $_->receive; @a } @others;
is(scalar(grep { $_->{error} == 0 } @answers), 80, 'more than a transaction takes at once');
is(sql(q{SELECT count(*) FROM many WHERE length(value) = 90000}), '80', 'is all there');

# ---- acks=0 ---------------------------------------------------------------------

my $silent = kafka_connect($port);
$silent->send([ [ 'raw', [ 1, kafka_batch([ [ 'k', "silent $_" ] ]) ] ] ], acks => 0) foreach 1 .. 3;
is($silent->produce('raw', 1, kafka_batch([ [ 'k', 'loud' ] ]))->{error}, 0, 'acks=0: the next answer is that of the next request that wants one');
is(sql(q{SELECT count(*) FROM raw WHERE "partition" = 1 AND encode(value, 'escape') LIKE 'silent%'}), '3', 'acks=0: the records are there');
$silent->send([ [ 'nothing', [ 0, $one ] ] ], acks => 0);
is(scalar($silent->receive), undef, 'acks=0: an error closes the connection');
$silent = kafka_connect($port);
$silent->send([ [ 'raw', [ 1, kafka_batch([ [ 'k', "parting $_" ] ]) ] ] ], acks => 0) foreach 1 .. 20;
$silent->close;
ok(poll_until(sub { sql(q{SELECT count(*) FROM raw WHERE "partition" = 1 AND encode(value, 'escape') LIKE 'parting%'}) eq '20' }),
	'acks=0: what is sent before the connection is closed is there');

# ---- waiting consumers -----------------------------------------------------------

create('awaited', 'key text, value text');
my $consumer = open_background($node, 'consumer');
ask($consumer, q{SELECT value FROM consume('awaited', 'g', timeout => '1 hour');});
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'consumer' AND wait_event_type = 'Extension'}) }), 'a consumer waits');
is(produce('awaited', 0, kafka_batch([ [ 'k', 'news' ] ]))->{error}, 0, 'a record comes');
is(answer($consumer), 'news', 'the consumer has it');

# ---- locks ------------------------------------------------------------------------

my $locker = open_session($node);
$locker->run(q{BEGIN; ALTER FOREIGN TABLE raw OPTIONS (SET partitions '2')});
$client->send([ [ 'raw', [ 0, kafka_batch([ [ 'k', 'waits' ] ]) ], [ 1, kafka_batch([ [ 'k', 'waits' ] ]) ] ], [ 'many', [ 0, $one ] ] ]);
$client->send([ [ 'raw', [ 0, kafka_batch([ [ 'k', 'behind it' ] ]) ] ] ]);
is($others[0]->produce('many', 1, $one)->{error}, 0, 'while a topic is locked other topics go on');
ok(!$client->is_ready(0), 'a client that produces to it waits');
refused($others[0]->produce('raw', 0, $one, timeout => 1), 7, qr/another session holds a lock/, 'its time can be over');
$locker->run('COMMIT');
($number, @answers) = $client->receive;
is(join(' ', map { $_->{error} } @answers), '0 0 0', 'without the lock it goes on');
my ($second, $behind) = $client->receive;
is($behind->{offset}, $answers[0]->{offset} + 1, 'and the request behind it comes behind it');

# an ALTER waits for no client, and is seen at once
my $alterer = open_session($node);
foreach my $round (1 .. 10)
{
	$_->send([ [ 'raw', [ 0, $one ] ] ]) foreach @others;
	$alterer->run(q{ALTER FOREIGN TABLE raw OPTIONS (SET partitions '2')});
	$_->receive foreach @others;
}
pass('ALTER beside producers comes to its end');
is(sql('TRUNCATE raw'), '', 'so does TRUNCATE');
is(produce('raw', 0, $one)->{start} > 0, 1, 'after it the log starts later');
$locker->run(q{BEGIN; SELECT count(*) FROM raw});
$alterer->{in} .= "DROP FOREIGN TABLE raw;\n";
$alterer->{run}->pump_nb;
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'raw'::regclass}) }), 'a DROP waits for a reader');
$client->send([ [ 'raw', [ 0, $one ] ] ]);
$locker->run('COMMIT');
(undef, $answer) = $client->receive;
refused($answer, 3, undef, 'a producer behind it finds no topic');
refused(produce('raw', 0, $one), 3, undef, 'nor does one that comes later');
create('raw', undef, undef, 2);
is(produce('raw', 0, $one)->{offset}, 0, 'a topic of the same name is another one');

# ---- full disks ---------------------------------------------------------------------

# Have a step fail, or none.
sub let_fail
{
	my ($place) = @_;

	sql("ALTER SYSTEM SET pg_topics.fault_point = '$place'");
	sql('SELECT pg_reload_conf()');
	return;
}

# an index has room for more entries where it has any
foreach ([ 'log-write:ENOSPC', 20, 1 ], [ 'index-extend:ENOSPC', 10, 11 ])
{
	my ($place, $failing, $next) = @$_;
	my $topic = 'full_' . substr($place, 0, 3);

	create($topic, undef, undef, 2);
	is(produce($topic, 0, $one)->{offset}, 0, "$place: before");
	let_fail($place);
	ok(poll_until(sub { $answer = produce('many', 20, $one); $answer->{error} == 56 }), "$place: an append fails with error 56");
	like($answer->{message}, qr/^could not .*: No space left on device$/, "$place: which says why");
	$client->send([ [ $topic, [ 0, $one ], [ 1, $one ] ] ]) foreach 1 .. 10;
	@answers = map { my ($n, @a) = $client->receive; @a } 1 .. 10;
	is(scalar(grep { $_->{error} == 56 && $_->{offset} == -1 } @answers), $failing, "$place: so do others");
	is(scalar(grep { $_->{error} == 0 } @answers), 20 - $failing, "$place: and nothing else does");
	let_fail('');
	ok(poll_until(sub { produce('many', 20, $one)->{error} == 0 }), "$place: appends work again");
	is(produce($topic, 0, $one)->{offset}, $next, "$place: without a gap");
	is(sql(qq{SELECT count(*) FROM verify_topic('$topic')}), '0', "$place: the topic is sound");
}

# ---- replicas -------------------------------------------------------------------------

create('copied', undef, '"min.insync.replicas": 2');
refused(produce('copied', 0, $one), 19, qr/^only 1 of 2 required replicas are in sync$/, 'too few replicas');
is(produce('copied', 0, $one, acks => 1)->{error}, 0, 'which acks=1 does not ask for');

# ---- nothing is left open ---------------------------------------------------------------

is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)}), '0',
	'no transaction is open while nothing happens');
is(sql(q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.backend_type LIKE 'pg_topics kafka%' AND l.locktype = 'relation'}), '0', 'and no lock is held');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'the server log is clean');
$node->stop;
done_testing();
