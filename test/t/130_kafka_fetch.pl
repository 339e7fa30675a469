# Files under test: src/broker/data/fetch.c, fetch_session.c, list_offsets.c, leader_epoch.c, and
# src/wal/log_times.c, log_epochs.c.
# What Kafka's consumers get: records that SQL has produced, byte for byte; when they wait and what
# ends that; limits, errors, sessions; offsets by time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaServer;
use LogLook qw(batches);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server('wal_writer_delay = 10s');

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	CREATE PROCEDURE fill(topic regclass, n int, length int DEFAULT 3, part int DEFAULT 0) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce(topic, null::text, repeat('v', length), part);
			COMMIT;
		END LOOP;
	END $$;
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app;
	SELECT create_topic('events', partitions => 3);
	SELECT create_topic('secret');
	REVOKE SELECT ON secret FROM app});

my $consumer;
ok(poll_until(sub { $consumer = KafkaConsumer->new($port) }), 'the listener has started') or BAIL_OUT('no listener');

# Fetch from one partition.  Of one that the process has not looked at before the end may not be
# known until the WAL is flushed, for which ListOffsets waits.
my %known;
sub fetch_one
{
	my ($topic, $partition, $offset, %params) = @_;

	$consumer->list_offsets($topic, { $partition => -1 }) unless $known{"$topic $partition"}++;
	my $answer = ($params{with} // $consumer)->fetch(topics => { $topic => { $partition => $offset } }, %params);

	return undef if !$answer;
	die "error $answer->{error}" if $answer->{error};
	return $answer->{$topic}{$partition};
}

# "error high watermark, log start: first-last ..."
sub told
{
	my ($partition) = @_;

	return "$partition->{error} $partition->{high_watermark} $partition->{log_start}:" . join '',
		map { $_->{first} == $_->{last} ? " $_->{first}" : " $_->{first}-$_->{last}" } batches(unpack('H*', $partition->{records}));
}

sub log_bytes
{
	my ($topic, $partition, $name) = @_;
	return slurp_file(topic_directory($node, $topic, $partition) . '/' . ($name // '00000000000000000000.log'));
}

# ---- records -----------------------------------------------------------------

is(told(fetch_one('events', 0, 0)), '0 0 0:', 'an empty partition has no records, but not null');
sql(q{CALL fill('events', 3)});
my $got = fetch_one('events', 0, 0);
is(told($got), '0 3 0: 0 1 2', 'what SQL has produced is there');
is($got->{records}, log_bytes('events', 0), 'byte for byte');
is($got->{stable}, 3, 'the last stable offset is the high watermark');
is($got->{aborted}, 0, 'no transaction is called aborted');
is(fetch_one('events', 0, 0, isolation => 0)->{aborted}, -1, 'with isolation read_uncommitted that list is null');
my $read = sub { return split / /, sql(q{SELECT records_out || ' ' || bytes_out FROM pg_stat_topics WHERE topic = 'events'::regclass AND partition = 0}) };
my @before = $read->();
fetch_one('events', 0, 0);
my @after = $read->();
is("$after[0] $after[1]", $before[0] + 3 . ' ' . ($before[1] + length $got->{records}), 'what is fetched is counted');
is(told(fetch_one('events', 0, 2)), '0 3 0: 2', 'from an offset on');
is(told(fetch_one('events', 0, 3)), '0 3 0:', 'nothing at the end');
my $id = unpack('H*', pack('H*', sql(q{SELECT ''})));
foreach my $version (4 .. 12)
{
	my $partition = fetch_one('events', 0, 1, version => $version);

	is("$partition->{error} $partition->{high_watermark} " . length($partition->{records}),
		'0 3 ' . length($got->{records}) * 2 / 3, "version $version");
}

# the ids of topics, by Metadata of version 10
sub topic_id
{
	my ($topic) = @_;
	my $body = KafkaClient::compact_count(1) . "\0" x 16 . KafkaClient::compact_string($topic) . "\0" . "\0\0\0" . "\0";
	my $reader = $consumer->call(KafkaClient::METADATA, 10, $body, 1);

	$reader->int32;
	for (1 .. $reader->compact_count)
	{
		$reader->int32; $reader->compact_string; $reader->int32; $reader->compact_string; $reader->tags;
	}
	$reader->compact_string;
	$reader->int32;
	$reader->compact_count;
	$reader->int16;
	$reader->compact_string;
	return $reader->uuid;
}

$id = topic_id('events');
foreach my $version (13 .. 18)
{
	is(told(fetch_one($id, 0, 1, version => $version)), '0 3 0: 1 2', "version $version, by the topic's id");
}
my $nobody = '0123456789abcdef' x 2;
is(fetch_one($nobody, 0, 0, version => 13)->{error}, 100, 'an id of no topic');

# ---- transactions --------------------------------------------------------------

my $other = open_session($node);
$other->run(q{BEGIN; SELECT produce('events', null::text, 'open'::text, 0); SELECT * FROM flush()});
sql(q{CALL fill('events', 1)});
is(told(fetch_one('events', 0, 3)), '0 3 0:', 'an open transaction hides what is behind it');
is(told(fetch_one('events', 0, 4)), '0 3 0:', 'also from who asks for it');
$other->run('ROLLBACK');
is(told(fetch_one('events', 0, 3)), '0 5 0: 4', 'what is rolled back is left out');

# ---- errors ----------------------------------------------------------------------

is(told(fetch_one('events', 0, 6)), '1 -1 -1:', 'an offset behind the end is out of range');
is(told(fetch_one('events', 0, -1)), '1 -1 -1:', 'so is one before the log start');
is(fetch_one('events', 3, 0)->{error}, 3, 'a partition that is not there');
is(fetch_one('events', -1, 0)->{error}, 3, 'nor can be');
is(fetch_one('nothing', 0, 0)->{error}, 3, 'a topic that is not there');
is(fetch_one('secret', 0, 0)->{error}, 29, 'a topic that the role may not read');
is(fetch_one('events', 0, { offset => 0, leader_epoch => 0 })->{error}, 74, "an older leader's epoch");
is(fetch_one('events', 0, { offset => 0, leader_epoch => 2 })->{error}, 75, 'an epoch of no leader yet');
is(told(fetch_one('events', 0, { offset => 0, leader_epoch => 1 })), '0 5 0: 0 1 2 4', "this leader's epoch");
my $begin = time;
is(fetch_one('nothing', 0, 0, max_wait => 100_000)->{error}, 3, 'an error is told at once');
my $both = $consumer->fetch(topics => { events => { 0 => 5, 1 => 7 } }, max_wait => 100_000);
is("$both->{events}{0}{error} $both->{events}{1}{error}", '0 1', "one partition's error is not the other's");
cmp_ok(time - $begin, '<', 50, 'without waiting');

sql(q{SELECT create_topic('packed', config => '{"compression.type": "zstd"}');
	SELECT produce('packed', repeat('v', 1000))});
# as Apache Kafka does, which converts nothing for old clients any more
is(told(fetch_one('packed', 0, 0, version => $_)), '0 1 0: 0', "a batch of zstd is sent in version $_") foreach 9, 10;

# ---- limits ----------------------------------------------------------------------

sql(q{SELECT create_topic('large', partitions => 3); CALL fill('large', 4, 1000, 0); CALL fill('large', 4, 1000, 1)});
fetch_one('large', $_, 0) foreach 0, 1;
my $size = length(fetch_one('large', 0, 3)->{records});
is(told(fetch_one('large', 0, { offset => 0, max_bytes => 1 })), '0 4 0: 0', 'one batch comes, whatever the limit is');
is(told(fetch_one('large', 0, 0, max_bytes => 1)), '0 4 0: 0', "and whatever that of the request is");
is(told(fetch_one('large', 0, { offset => 0, max_bytes => 3 * $size })), '0 4 0: 0 1 2', 'the limit is right to the byte');
is(told(fetch_one('large', 0, { offset => 0, max_bytes => 3 * $size - 1 })), '0 4 0: 0 1', 'and one below');
$both = $consumer->fetch(topics => { large => { 0 => 0, 1 => 0, 2 => 0 } }, max_bytes => 5 * $size);
is(join(';', map { told($both->{large}{$_}) } 0 .. 2), '0 4 0: 0 1 2 3;0 4 0: 0;0 0 0:', "the request's limit is that of all partitions");
$both = $consumer->fetch(topics => { large => { 0 => { offset => 0, max_bytes => 1 }, 1 => { offset => 0, max_bytes => 1 } } });
is(join(';', map { told($both->{large}{$_}) } 0 .. 1), '0 4 0: 0;0 4 0:', 'only the first partition may exceed its limit');

# ---- waiting ---------------------------------------------------------------------

# Send a Fetch that finds nothing now; returns when the server has it.
sub wait_for
{
	my ($with, %params) = @_;

	$with->send_fetch(max_wait => 100_000, %params);
	# a request on another connection is answered behind it
	$consumer->metadata('events');
	ok(!$with->is_readable, 'nothing is there yet');
	return;
}

$begin = time;
is(told(fetch_one('events', 1, 0, max_wait => 300)), '0 0 0:', 'nothing comes');
cmp_ok(time - $begin, '>=', 0.29, 'and that takes as long as the client would wait');
my $waiter = KafkaConsumer->new($port);
wait_for($waiter, topics => { events => { 1 => 0 } });
sql(q{CALL fill('events', 1, 3, 1)});
is(told($waiter->fetched->{events}{1}), '0 1 0: 0', 'a commit ends the waiting');

wait_for($waiter, topics => { events => { 1 => 1 } });
$other->run(q{BEGIN; SELECT produce('events', null::text, 'open'::text, 1); SELECT * FROM flush()});
sql(q{CALL fill('events', 1, 3, 1); CALL fill('events', 1, 3, 0)});
$consumer->metadata('events');
ok(!$waiter->is_readable, 'a commit behind an open transaction, or in another partition, does not');
$other->run('ROLLBACK');
is(told($waiter->fetched->{events}{1}), '0 3 0: 2', 'but the end of that transaction does');

my $small = length(fetch_one('events', 1, 2)->{records});
wait_for($waiter, topics => { events => { 1 => 3 } }, min_bytes => 2 * $small + 1);
sql(q{CALL fill('events', 2, 3, 1)});
$consumer->metadata('events');
ok(!$waiter->is_readable, 'fewer bytes than wanted do not');
sql(q{CALL fill('events', 1, 3, 1)});
is(told($waiter->fetched->{events}{1}), '0 6 0: 3 4 5', 'enough do');
is(told(fetch_one('events', 1, 3, min_bytes => 10 * $small, max_wait => 100)), '0 6 0: 3 4 5',
	'what there is comes at the end of the time');

sql(q{SELECT create_topic('gone')});
wait_for($waiter, topics => { gone => { 0 => 0 } });
sql('DROP FOREIGN TABLE gone');
is($waiter->fetched->{gone}{0}{error}, 3, 'dropping the topic ends the waiting');

# who waits may not read what comes after a REVOKE
sql(q{SELECT create_topic('taken')});
fetch_one('taken', 0, 0);
wait_for($waiter, topics => { taken => { 0 => 0 } });
sql(q{REVOKE SELECT ON taken FROM app; CALL fill('taken', 1)});
my $taken = $waiter->fetched->{taken}{0};
is("$taken->{error} " . length($taken->{records} // ''), '29 0', 'REVOKE ends the waiting with the next record');
sql(q{GRANT SELECT ON taken TO app});
wait_for($waiter, topics => { taken => { 0 => 1 } });
sql('ALTER ROLE app NOLOGIN');
sql(q{CALL fill('taken', 1)});
ok($waiter->is_closed, 'who may not log in any more gets nothing');
sql('ALTER ROLE app LOGIN');
$waiter = KafkaConsumer->new($port);

wait_for($waiter, topics => { events => { 1 => 6 } });
$waiter->close;
sql(q{CALL fill('events', 1, 3, 1)});
is(told(fetch_one('events', 1, 6)), '0 7 0: 6', 'a client that went away while it waited does no harm');
$waiter = KafkaConsumer->new($port);

# each of many is woken, again and again
my @crowd = map { KafkaConsumer->new($port) } 1 .. 20;
foreach my $round (7 .. 16)
{
	wait_for($_, topics => { events => { 1 => $round } }) foreach $crowd[0];
	$_->send_fetch(topics => { events => { 1 => $round } }, max_wait => 100_000) foreach @crowd[ 1 .. $#crowd ];
	sql(q{CALL fill('events', 1, 3, 1)});
	is_deeply([ map { told($_->fetched->{events}{1}) } @crowd ], [ ('0 ' . ($round + 1) . " 0: $round") x @crowd ],
		"all who wait are woken, round $round");
}

# ---- what is not flushed -----------------------------------------------------------

my $writer = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
my $lazy = open_session($node);
$lazy->run('SET synchronous_commit = off');
sql(q{SELECT create_topic('lazy'); CALL fill('lazy', 1)});
is(told(fetch_one('lazy', 0, 0)), '0 1 0: 0', 'before an asynchronous commit');
my $flusher = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka flush'});
halt_asleep($node, $writer, $flusher);
wait_for($waiter, topics => { lazy => { 0 => 1 } });
$lazy->run(q{CALL fill('lazy', 1)});
$consumer->metadata('events');
ok(!$waiter->is_readable, 'an asynchronous commit is not shown before it is flushed');
is(told(fetch_one('lazy', 0, 1)), '0 1 0:', 'also not to who asks anew');
go_on($flusher);
is(told($waiter->fetched->{lazy}{0}), '0 2 0: 1', 'it is flushed for who waits for it');
go_on($writer);

# ---- deleting, truncating, merging ---------------------------------------------------

sql(q{SELECT create_topic('worn', config => '{"segment.bytes": 1024, "batch.merge.lag.ms": 0}'); CALL fill('worn', 10, 400)});
is(told(fetch_one('worn', 0, 0)), '0 10 0: 0 1 2 3 4 5 6 7 8 9', 'records of several segments');
wait_resolved($node);
sql(q{SELECT merge_batches('worn')});
like(told(fetch_one('worn', 0, 3)), qr/^0 10 0: 2-3 /, 'merged batches');
sql(q{SELECT delete_records('worn', 0, 9)});
like(told(fetch_one('worn', 0, 9)), qr/^0 10 9: (\d-)?9$/, 'the log start after deleting');
is(told(fetch_one('worn', 0, 8)), '1 -1 -1:', 'what was deleted is out of range');
sql('TRUNCATE worn');
is(told(fetch_one('worn', 0, 10)), '0 10 10:', 'nothing is left after truncating');
sql(q{CALL fill('worn', 1)});
is(told(fetch_one('worn', 0, 10)), '0 11 10: 10', 'and what comes then is there');
sql('DROP FOREIGN TABLE worn');
is(fetch_one('worn', 0, 10)->{error}, 3, 'after the topic was dropped');

# a response that waits in the server while its topic is truncated, deleted from, merged
sub slow_reader
{
	my ($name, $statement, $truncates) = @_;
	my $slow = KafkaConsumer->new($port);

	sql(qq{SELECT create_topic('wide', config => '{"segment.bytes": 1048576, "max.message.bytes": 1048588, "batch.merge.lag.ms": 0}');
		CALL fill('wide', 40, 1000000)});
	wait_resolved($node);
	my $whole = fetch_one('wide', 0, { offset => 0, max_bytes => 50_000_000 }, max_bytes => 50_000_000, max_wait => 100_000)->{records};
	cmp_ok(length($whole), '>', 40_000_000, 'a long response');
	$slow->send_fetch(topics => { wide => { 0 => { offset => 0, max_bytes => 50_000_000 } } }, max_bytes => 50_000_000);
	poll_until(sub { $slow->is_readable });
	sql($statement);
	my $answer = eval { $slow->fetched };
	if ($truncates && !$answer)
	{
		ok(1, "$name: the connection is closed rather than giving wrong bytes");
	}
	else
	{
		ok($answer && $answer->{wide}{0}{records} eq $whole, "$name: a response that is being sent stays as it is");
	}
	is(told(fetch_one('events', 0, 0, max_bytes => 1)) =~ /^0 /, 1, "$name: the listener goes on");
	sql('DROP FOREIGN TABLE IF EXISTS wide');
	return;
}
slow_reader('delete', q{SELECT delete_records('wide', 0, -1)});
slow_reader('merge', q{SELECT merge_batches('wide')});
slow_reader('truncate', 'TRUNCATE wide', 1);
slow_reader('drop', 'DROP FOREIGN TABLE wide', 1);

# ---- sessions --------------------------------------------------------------------------

sql(q{SELECT create_topic('first', partitions => 2), create_topic('second', partitions => 2);
	CALL fill('first', 2); CALL fill('second', 1)});
# an end that becomes known later would be news
$consumer->list_offsets($_, { 0 => -1, 1 => -1 }) foreach qw(first second);
my $session = KafkaConsumer->new($port);
my $answer = $session->fetch(topics => { first => { 0 => 0, 1 => 0 }, second => { 0 => 0, 1 => 0 } }, session_epoch => 0);
my $number = $answer->{session};
cmp_ok($number, '>', 0, 'a session begins');
is("@{ $answer->{order} }", 'first-0 first-1 second-0 second-1', 'all partitions are told of at first');

# The next request of the session: the partitions that are told of.
sub next_in_session
{
	my ($epoch, %params) = @_;

	$answer = $session->fetch(session_id => $number, session_epoch => $epoch, %params);
	return "$answer->{error} $answer->{session}: @{ $answer->{order} }";
}
is(next_in_session(1, topics => { first => { 0 => 2 }, second => { 0 => 1 } }), "0 $number: ", 'then only what is new');
sql(q{CALL fill('first', 1, 3, 1)});
is(next_in_session(2), "0 $number: first-1", 'such as records');
is(told($answer->{first}{1}), '0 1 0: 0', 'which it gets');
is(next_in_session(3), "0 $number: first-1", 'again while it does not move on');
is(next_in_session(4, topics => { first => { 1 => 1 } }), "0 $number: ", 'until it does');
sql(q{SELECT delete_records('second', 0, 1)});
is(next_in_session(5), "0 $number: second-0", 'a log start that has moved is new, too');
is(next_in_session(6), "0 $number: ", 'once');
is(next_in_session(7, forgotten => { first => [ 0, 1 ] }), "0 $number: ", 'what is forgotten');
sql(q{CALL fill('first', 1); CALL fill('second', 1, 3, 1)});
is(next_in_session(8), "0 $number: second-1", 'is not told of any more');
is(next_in_session(9, topics => { first => { 0 => 0 }, second => { 1 => 1, 7 => 0 } }), "0 $number: first-0 second-7", 'new partitions');
is(next_in_session(10, topics => { first => { 0 => 3 } }), "0 $number: second-7", 'an error is told each time');
is(next_in_session(11, forgotten => { second => [7] }), "0 $number: ", 'until it is forgotten');
is(next_in_session(11), '71 0: ', 'an epoch that was there before');
is(next_in_session(13), '71 0: ', 'and one that is ahead');
is(next_in_session(12), "0 $number: ", 'do not end the session');
$session->send_fetch(session_id => $number, session_epoch => 13, max_wait => 100_000);
$consumer->metadata('events');
ok(!$session->is_readable, 'a session waits, too');
sql(q{CALL fill('first', 1)});
is("@{ $session->fetched->{order} }", 'first-0', 'and is woken');
is(next_in_session(14, version => 13), '106 0: ', 'a session with names does not go on with ids');
is(told(fetch_one('first', 0, 3, with => $session, session_id => $number)), '0 4 0: 3', 'a request without a session');
is(next_in_session(14), '70 0: ', 'ends it');
$answer = $session->fetch(topics => { first => { 0 => 4 } }, session_epoch => 0);
isnt($answer->{session}, $number, 'a new one has a new number');
$number = $answer->{session};
is(next_in_session(1, forgotten => { first => [0] }), '0 0: ', 'a session without partitions ends');
is($consumer->fetch(session_id => 12345, session_epoch => 1)->{error}, 70, 'a session that was never there');

# partitions that are not there take memory, too
my %many = map { $_ => 0 } 0 .. 9999;
sql(q{ALTER SYSTEM SET pg_topics.kafka_queued_max_request_bytes = '1MB'});
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { $session->fetch(topics => { first => \%many }, session_epoch => 0)->{session} == 0 }),
	'no session begins that would take too much memory');
$number = $session->fetch(topics => { first => { 0 => 4 } }, session_epoch => 0)->{session};
cmp_ok($number, '>', 0, 'a small one does');
is(next_in_session(1, topics => { first => \%many }), '70 0: ', 'and ends when it grows too large');
cmp_ok($session->fetch(topics => { first => { 0 => 4 } }, session_epoch => 0)->{session}, '>', 0, 'its memory is there again');

# one record in each partition of many: more files than a process may have open
my $wide = KafkaConsumer->new($port);
sql(q{SELECT create_topic('wider', partitions => 500); SELECT produce('wider', null::text, 'v', p) FROM generate_series(0, 499) p});
my %next = map { $_ => 0 } 0 .. 499;
$wide->list_offsets('wider', { map { $_ => -1 } 0 .. 499 });
for (1 .. 500)
{
	my $got = $wide->fetch(topics => { wider => \%next }, min_bytes => 1, max_wait => 10_000)->{wider};

	die "error $got->{$_}{error}" foreach grep { $got->{$_}{error} } keys %$got;
	delete $next{$_} foreach grep { length $got->{$_}{records} } keys %$got;
	last if !%next;
}
is(scalar keys %next, 0, 'partitions with more files than may be open give their records in turn');
$wide->close;

# those who wait with large requests must not keep the memory that others need
my %all = map { $_ => 1 } 0 .. 499;
my @crowd = map { KafkaConsumer->new($port) } 1 .. 80;
my $began = time;
$_->send_fetch(topics => { wider => \%all }, max_wait => 50_000) foreach @crowd;
is($session->fetch(topics => { wider => { 0 => 1 } }, max_wait => 0)->{wider}{0}{error}, 0, 'a crowd that waits leaves memory to others');
cmp_ok(time - $began, '<', 40, 'before its time is over');
$_->close foreach @crowd;
sql('ALTER SYSTEM RESET pg_topics.kafka_queued_max_request_bytes');
sql('SELECT pg_reload_conf()');
$session->close;

# who gets records has his next turn behind the others
$session = KafkaConsumer->new($port);
$answer = $session->fetch(topics => { large => { 0 => 0, 1 => 0 } }, session_epoch => 0, max_bytes => 1);
is(join(';', map { told($answer->{large}{$_}) } 0 .. 1), '0 4 0: 0;0 4 0:', 'one partition gets all the room');
$number = $answer->{session};
is(next_in_session(1, topics => { large => { 0 => 1 } }, max_bytes => 1), "0 $number: large-1", 'then the other one does');
is(next_in_session(2, topics => { large => { 1 => 1 } }, max_bytes => 1), "0 $number: large-0", 'in turn');

# ---- offsets -----------------------------------------------------------------------------

sub offsets { my ($topic, $wanted, %params) = @_; return $consumer->list_offsets($topic, { 0 => $wanted }, %params)->{0}; }

sql(q{SELECT create_topic('times', config => '{"segment.bytes": 1024, "message.timestamp.after.max.ms": 9223372036854775807}')});
is(offsets('times', -1), '0 0 -1 1', 'the end of an empty partition');
is(offsets('times', -2) =~ /^0 0 -1 /, 1, 'its start');
is(offsets('times', -3), '0 -1 -1 -1', 'it has no record with the largest timestamp');
is(offsets('times', 0), '0 -1 -1 -1', 'nor any other');
sql(qq{BEGIN; SELECT produce('times', null::text, repeat('v', 500), 0, to_timestamp($_)); COMMIT}) foreach 100, 200, 400, 300, 500, 450;
is(offsets('times', -1), '0 6 -1 1', 'the end');
is(offsets('times', -2) =~ /^0 0 -1 /, 1, 'the start');
is(offsets('times', -4) =~ /^0 0 -1 /, 1, 'the first offset that is stored here');
is(offsets('times', -3) =~ /^0 4 500000 /, 1, 'the largest timestamp');
is(offsets('times', -5), '0 -1 -1 -1', 'there is no tiered storage');
is(offsets('times', -6), '0 -1 -1 -1', 'for which nothing waits');
is(offsets('times', $_->[0]) =~ /^0 $_->[1] /, 1, "the first record at or past $_->[0]")
	foreach [ 0, '0 100000' ], [ 100000, '0 100000' ], [ 100001, '1 200000' ], [ 250000, '2 400000' ], [ 400001, '4 500000' ], [ 500001, '-1 -1' ];
foreach my $version (1 .. 11)
{
	is(offsets('times', -1, version => $version) =~ /^0 6 -1 /, 1, "version $version");
}
is(offsets('times', -3, version => 6), '35 -1 -1 -1', 'what a version does not have');
is(offsets('times', -7), '35 -1 -1 -1', 'and what none has');
is(offsets('times', -1, leader_epoch => 0), '74 -1 -1 -1', "an older leader's epoch");
is(offsets('times', -1, leader_epoch => 2), '75 -1 -1 -1', 'an epoch of no leader yet');
is(offsets('nothing', -1), '3 -1 -1 -1', 'a topic that is not there');
is(offsets('secret', -1), '29 -1 -1 -1', 'a topic that the role may not read');
is($consumer->list_offsets('events', { 7 => -1 })->{7}, '3 -1 -1 -1', 'a partition that is not there');

# Partitions, each with a timestamp, in topics of a request of version 1, as "topic/partition:error ...".
sub listed
{
	my (@topics) = @_;
	my $body = pack('l>2', -1, scalar @topics);

	foreach my $topic (@topics)
	{
		my ($name, @partitions) = @$topic;
		$body .= KafkaClient::string($name) . KafkaClient::int32(scalar @partitions) . join '', map { pack('l>q>', $_, -1) } @partitions;
	}
	my $reader = $consumer->call(2, 1, $body);
	my @answers;
	for (1 .. $reader->int32)
	{
		my $name = $reader->string;
		for (1 .. $reader->int32)
		{
			push @answers, "$name/" . $reader->int32 . ':' . $reader->int16;
			$reader->take(16);
		}
	}
	return "@answers";
}

is(listed([ 'first', 0, 1, 0, 0 ], [ 'nothing', 0, 0 ]), 'first/0:42 first/1:0 nothing/0:3 nothing/0:3',
	'a partition that is asked for more than once is an error, and answered once');
is(listed([ 'first', 0 ], [ 'second', 0 ], [ 'first', 1, 0 ]), 'first/0:42 second/0:0 first/1:0', 'also one of a topic that is named twice');
$other->run(q{BEGIN; SELECT produce('times', null::text, 'open'::text, 0, to_timestamp(1000)); SELECT * FROM flush()});
sql(q{SELECT produce('times', null::text, 'behind'::text, 0, to_timestamp(2000))});
is(offsets('times', -1), '0 6 -1 1', 'the end before an open transaction');
is(offsets('times', 600000), '0 -1 -1 -1', 'behind it nothing is found');
is(offsets('times', -3) =~ /^0 4 500000 /, 1, 'nor the largest timestamp');
$other->run('ROLLBACK');
is(offsets('times', 600000) =~ /^0 7 2000000 /, 1, 'nor what is rolled back');
is(offsets('times', -3) =~ /^0 7 2000000 /, 1, 'the largest timestamp then');
sql(q{SELECT delete_records('times', 0, 1)});
is(offsets('times', -2) =~ /^0 1 -1 /, 1, 'the start after deleting');
is(offsets('times', 0) =~ /^0 1 200000 /, 1, 'and the first record');

# ---- leaders -------------------------------------------------------------------------------

is($consumer->epoch_end('times', 0, 1), '0 1 8', "the end of this leader's batches");
is($consumer->epoch_end('times', 0, 2), '0 -1 -1', 'a leader that there was not yet');
is($consumer->epoch_end('times', 0, 1, leader_epoch => 0), '74 -1 -1', 'who asks an older leader');
is($consumer->epoch_end('nothing', 0, 1), '3 -1 -1', 'a topic that is not there');
is($consumer->epoch_end('secret', 0, 1), '29 -1 -1', 'a topic that the role may not read');
is($consumer->epoch_end('events', 0, 1, version => $_), '0 1 ' . fetch_one('events', 0, 0)->{high_watermark}, "version $_") foreach 2 .. 4;

# ---- after a start anew -----------------------------------------------------------------------

my %before = map { $_ => told(fetch_one($_, 0, 0)) } qw(events lazy first);
$node->restart;
ok(poll_until(sub { $consumer = KafkaConsumer->new($port) }), 'the listener has started again') or BAIL_OUT('no listener');
is(told(fetch_one($_, 0, 0, max_wait => 10_000)), $before{$_}, "$_ after a restart") foreach sort keys %before;
kill_all($node);
$node->start;
ok(poll_until(sub { $consumer = KafkaConsumer->new($port) }), 'the listener has started once more') or BAIL_OUT('no listener');
is(told(fetch_one($_, 0, 0, max_wait => 10_000)), $before{$_}, "$_ after a crash") foreach sort keys %before;

# ---- damage -------------------------------------------------------------------------

sql(q{SELECT create_topic('broken', partitions => 2); CALL fill('broken', 3, 3, 0); CALL fill('broken', 3, 3, 1)});
is(fetch_one('broken', $_, 0)->{high_watermark}, 3, 'the end of a partition') foreach 0, 1;
overwrite(topic_directory($node, 'broken', 0) . '/00000000000000000000.index', 64 + 20, 'XXXX');
my $broken = $consumer->fetch(topics => { broken => { 0 => 0, 1 => 0 } })->{broken};
is(join(' ', map { "$broken->{$_}{error}:" . length($broken->{$_}{records} // '') } 0, 1), '56:0 0:' . length(fetch_one('broken', 1, 0)->{records}),
	'damage is an error of its partition, and the others are given');
my $times = $consumer->list_offsets('broken', { 0 => 1, 1 => 1 });
like("$times->{0}, $times->{1}", qr/^56 -1 -1 -1, 0 0 \d+ 1$/, 'so it is with offsets by time');
like(slurp_file($node->logfile), qr/ERROR:  damaged segment index .*\n.*DETAIL: .*\n.*CONTEXT:  Kafka request Fetch/, 'the log tells what it is');

done_testing();
