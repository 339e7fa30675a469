# Files under test: src/broker/offsets/offset_commit.c, offset_fetch.c, offset_delete.c, offset_request.c, offset_turn.c,
# src/broker/groups/find_coordinator.c and database_text.c, and src/group/kafka_offset.c.
# Offsets that clients without a membership commit, read and delete, in all versions; the same in SQL; who may do
# that; what hostile clients send.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaOffsets;
use KafkaProducer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ kafka_settings($port), 'pg_topics.max_partitions = 4096' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	CREATE ROLE other;
	SELECT create_topic('events', partitions => 3), create_topic('more', partitions => 2), create_topic('secret');
	INSERT INTO events (partition, value) SELECT i % 3, i FROM generate_series(0, 29) i;
	GRANT SELECT ON events, more TO producer, other});

my $client;
poll_until(sub { $client = KafkaClient->new($port) and fetched($client, 'g', 'events', 0) ne 'group error 14' }) or die 'no listener';
my $ids = topic_metadata($client, [ 'events', 'more' ], version => 12);
my $events_id = $ids->{events}{id};

# ---- the coordinator ---------------------------------------------------------------

foreach my $version (0 .. 6)
{
	my $found = find_coordinator($client, ['g'], version => $version)->[0];

	is("$found->{error} $found->{host}:$found->{port}", "0 127.0.0.1:$port", "version $version: this node coordinates groups");
}
my $found = find_coordinator($client, [ 'a', 'b', 'a' ], version => 4);
is(join(' ', map { "$_->{key} $_->{error} $_->{port}" } @$found), "a 0 $port b 0 $port a 0 $port", 'several keys');
is_deeply(find_coordinator($client, [], version => 4), [], 'none');
is(find_coordinator($client, ['t'], version => 6, type => $_)->[0]{error}, 42, "there is no type $_") foreach 3, -1;
is(find_coordinator($client, ['g:AAAAAAAAAAAAAAAAAAAAAQ:0'], version => 6, type => 2)->[0]{error}, 0, 'a share partition is found, which brokers ask for');
is(join(' ', map { $_->{error} } @{ find_coordinator($client, [ 'g', 'g:AAAAAAAAAAAAAAAAAAAAAQ:0', 'g:1:0' ], version => 6, type => 2) }), '42 0 42', 'and what names none is not');
is(find_coordinator($client, ['g:AAAAAAAAAAAAAAAAAAAAAQ:0'], version => 5, type => 2)->[0]{error}, 42, 'nor is one by an older version');

# ---- versions ------------------------------------------------------------------------

foreach my $version (2 .. 10)
{
	my $topic = $version >= 10 ? $events_id : 'events';

	is(commit_error($client, "v$version", $topic, 1, [ 5, "meta $version", 0 ], version => $version), 0, "version $version: committed");
	is(fetched($client, "v$version", 'events', 1), "5 meta $version " . ($version >= 6 ? 0 : -1), 'and found');
	is(commit_error($client, "v$version", $topic, 1, [ 6, undef ], version => $version), 0, 'metadata may be null');
	is(fetched($client, "v$version", 'events', 1), '6  -1', 'which is found as none');
}
commit_offsets($client, 'all', { events => { 0 => [ 3, 'm', 7 ], 2 => 4 }, more => { 1 => 9 } });
foreach my $version (1 .. 10)
{
	my $topic = $version >= 10 ? $events_id : 'events';
	my $none = [ -1, '', -1, 0 ];
	my $answer = fetch_offsets($client, 'all', { $topic => [ 0, 1, 7, -1 ] }, version => $version);

	is_deeply($answer, { error => 0, topics => { $topic =>
				{ 0 => [ 3, 'm', $version >= 5 ? 7 : -1, 0 ], 1 => $none, 7 => $none, -1 => $none } } }, "version $version: partitions");
	next if $version < 2;
	$answer = fetch_offsets($client, 'all', undef, version => $version, stable => 1);
	is(join(' ', map { my $t = $_; map { "$t-$_:$answer->{topics}{$t}{$_}[0]" } sort keys %{ $answer->{topics}{$t} } }
			sort { $answer->{topics}{$b}{1} ? 1 : -1 } keys %{ $answer->{topics} }),
		$version >= 10 ? "$ids->{more}{id}-1:9 $events_id-0:3 $events_id-2:4" : 'more-1:9 events-0:3 events-2:4',
		"version $version: all topics") or diag explain $answer;
	is_deeply(fetch_offsets($client, 'all', {}, version => $version), { error => 0, topics => {} }, 'no topics');
}
send_fetch_offsets($client, [ [ 'all', { more => [1] } ], [ 'v9', undef ], [ 'nobody', undef ], [ '', undef ] ]);
is_deeply(read_fetch_offsets($client), {
		all => { error => 0, topics => { more => { 1 => [ 9, '', -1, 0 ] } } },
		v9 => { error => 0, topics => { events => { 1 => [ 6, '', -1, 0 ] } } },
		nobody => { error => 0, topics => {} }, '' => { error => 24, topics => {} } }, 'several groups at once');

# ---- one group for both worlds --------------------------------------------------------

is(sql(q{SELECT count(*), min(record_offset) FROM consume('events', 'v2', partitions => '{1}')}), '4|6', 'SQL goes on where Kafka has stopped');
is(fetched($client, 'v2', 'events', 1), '10  -1', 'and Kafka where SQL has');
sql(q{SELECT commit_offset('events', 'v2', 1, 8, metadata => 'from SQL')});
is(fetched($client, 'v2', 'events', 1), '8 from SQL -1', 'metadata of SQL');
sql(q{SELECT seek_to_beginning('events', 'v2')});
is(fetched($client, 'v2', 'events', 2), '0  -1', 'a group that SQL has moved');
is(sql(q{SELECT owner FROM topic_group_offsets WHERE group_id = 'v9'}), 'producer', 'a group belongs to the role of the client');
is(sql(q{SELECT committed_offset, metadata, leader_epoch, commit_timestamp > now() - interval '1 hour', lost_records
	FROM topic_group_offsets WHERE group_id = 'all' AND topic = 'events'::regclass AND partition = 0}), '3|m|7|t|0', 'the row of a commit');

# what is committed again leaves the row, and what it says of the epoch
my $row = q{SELECT ctid, xmin FROM topic_group_offsets WHERE group_id = 'all' AND topic = 'events'::regclass AND partition = 0};
my $before = sql($row);
is(commit_error($client, 'all', 'events', 0, [ 3, 'm', 7 ]), 0, 'the same once more');
is(sql($row), $before, 'writes nothing');
is(commit_error($client, 'all', 'events', 0, [ 3, 'n', 7 ]), 0, 'other metadata');
isnt(sql($row), $before, 'are written');
sql(q{UPDATE topic_group_offsets SET commit_timestamp = commit_timestamp - interval '2 minutes' WHERE group_id = 'all'});
$before = sql($row);
is(commit_error($client, 'all', 'events', 0, [ 3, 'n', 7 ]), 0, 'the same later');
isnt(sql($row), $before, 'is written, or the group would expire');

# records that retention takes count as lost
sql(q{SELECT delete_records('events', 0, 6)});
is(commit_error($client, 'all', 'events', 0, 8), 0, 'a commit behind deleted records');
is(sql(q{SELECT lost_records FROM topic_group_offsets WHERE group_id = 'all' AND topic = 'events'::regclass AND partition = 0}), '3', 'counts them');
is(commit_error($client, 'all', 'events', 0, 0), 0, 'a commit before the start of the log');
is(sql(q{SELECT min(record_offset) FROM consume('events', 'all', partitions => '{0}')}), '6', 'leads to its start');
is(commit_error($client, 'all', 'events', 0, 1000), 0, 'a commit behind the end of the log');
is(sql(q{SELECT count(*) FROM consume('events', 'all', partitions => '{0}', auto_offset_reset => 'latest')}), '0', 'is no trouble in SQL');

# ---- several commits in a turn --------------------------------------------------------

# one packet: the requests are served one after the other
my $packet = join '', map { my $n = $_; my $body = KafkaClient::string('turn') . KafkaClient::int32(-1) . KafkaClient::string('') .
	  KafkaClient::int64(-1) . KafkaClient::int32(1) . KafkaClient::string('events') . KafkaClient::int32(1) .
	  KafkaClient::int32(0) . KafkaClient::int64($n) . KafkaClient::string("m$n"); KafkaClient::frame(8, 2, $n, $body) } 1 .. 20;
$client->send_bytes($packet);
is(join(' ', map { read_commit($client, version => 2)->{events}{0} } 1 .. 20), join(' ', (0) x 20), 'twenty commits at once');
is(fetched($client, 'turn', 'events', 0), '20 m20 -1', 'the last one counts');
is_deeply(commit_offsets($client, 'turn', [ [ events => [ [ 0, 1 ], [ 0, 2 ] ] ], [ events => [ [ 0, 3 ] ] ] ], all => \my @all)->{events}, { 0 => 0 },
	'a partition named three times in a request');
is("@all", '0 0 0', 'has three answers');
is(fetched($client, 'turn', 'events', 0), '3  -1', 'and the last offset');
# beside others
my @crowd = map { KafkaClient->new($port) } 1 .. 10;
send_commit($crowd[$_], 'crowd', { events => { 0 => $_, 1 => $_ }, more => { 0 => $_ } }) foreach 0 .. 9;
is_deeply(read_commit($_), { events => { 0 => 0, 1 => 0 }, more => { 0 => 0 } }, 'a commit beside others') foreach @crowd;
is((split ' ', fetched($client, 'crowd', 'events', $_))[0], (split ' ', fetched($client, 'crowd', 'more', 0))[0], 'commits are whole') foreach 0, 1;
$_->close foreach @crowd;

# ---- a transaction in SQL --------------------------------------------------------------

my $session = open_session($node);
$session->run('SET ROLE producer');
$session->run(q{BEGIN; SELECT count(*) FROM consume('events', 'busy', 2, partitions => '{1}')});
send_commit($client, 'busy', { events => { 1 => 7, 2 => 7 } });
my $beside = KafkaClient->new($port);
is(commit_error($beside, 'beside', 'events', 1, 3), 0, 'others are served while a partition is busy');
$session->run('COMMIT');
is_deeply(read_commit($client), { events => { 1 => 0, 2 => 0 } }, 'a commit waits for a transaction in SQL');
is(fetched($client, 'busy', 'events', 1), '7  -1', 'and counts');
$session->run(q{BEGIN; SELECT count(*) FROM consume('events', 'stuck', 2, partitions => '{1}')});
is_deeply(commit_offsets($client, 'stuck', { events => { 1 => 7, 2 => 7 } }), { events => { 1 => 14, 2 => 0 } }, 'not for ever');
$session->run('ROLLBACK');
$session->run(q{SELECT count(*) FROM consume('events', 'leased', 1, member_id => 'm', lease => '1 hour')});
is(commit_error($client, 'leased', 'events', 0, 1), 25, 'a group with a living member in SQL');
is((delete_offsets($client, 'leased', { events => [0] }))[1]{events}{0}, 86, 'keeps its offsets');
$session->run(q{SELECT leave_group('events', 'leased', 'm')});
is(commit_error($client, 'leased', 'events', 0, 1), 0, 'until it leaves');
# a topic that somebody has for himself
$session->run(q{RESET ROLE; BEGIN; SELECT alter_topic('more', '{"retention.ms": 1000000000}')});
send_commit($client, 'locked', { more => { 0 => 1 }, events => { 0 => 1 } });
is(commit_error($beside, 'beside', 'events', 1, 4), 0, 'others are served while a topic is locked');
$session->run('COMMIT');
is_deeply(read_commit($client), { events => { 0 => 0 }, more => { 0 => 0 } }, 'a commit waits for a lock on the topic');
$session->close;

# ---- errors -----------------------------------------------------------------------------

is_deeply(commit_offsets($client, 'e', { events => { 0 => 1, 3 => 1, -1 => 1 }, missing => { 0 => 1 }, secret => { 0 => 1 } }),
	{ events => { 0 => 0, 3 => 3, -1 => 3 }, missing => { 0 => 3 }, secret => { 0 => 29 } }, 'partitions and topics that are not there, or not for us');
is(commit_error($client, 'e', '0' x 32, 0, 1, version => 10), 100, 'no topic id');
is(commit_error($client, 'e', 'f' x 32, 0, 1, version => 10), 100, 'an unknown one');
is(fetched($client, 'e', 'f' x 32, 0, version => 10), 'error 100', 'also to read');
is(fetched($client, 'e', 'missing', 0), '-1  -1', 'nothing is committed in a topic that is not there');
is(fetched($client, 'e', 'secret', 0), 'error 29', 'a topic that is not for us');
is(commit_error($client, 'e', 'events', 0, $_), 1, "offset $_") foreach -1, -2, -(2**62), 9223372036854775807;
is(commit_error($client, 'e', 'events', 0, 2**62), 0, 'a large offset');
is(commit_error($client, 'e', 'events', 0, [ 1, 'x' x 4096 ]), 0, 'long metadata');
is(fetched($client, 'e', 'events', 0), '1 ' . 'x' x 4096 . ' -1', 'are kept');
is(commit_error($client, 'e', 'events', 0, [ 2, 'x' x 4097 ]), 12, 'too long ones are not');
foreach my $bytes ("a\0b", "name\0", "\0", "a\xffb", "\xff" x 4096, '\x', '\x6869', 'a\x62')
{
	is(commit_error($client, 'e', 'events', 0, [ 2, $bytes ]), 0, 'metadata that are no text, or look like it');
	is(fetched($client, 'e', 'events', 0), "2 $bytes -1", 'are kept');
}
is(commit_error($client, 'e', 'events', 0, [ 2, "\xff" x 4097 ]), 12, 'too long ones of them are not');
is(commit_error($client, 'e', 'events', 0, [ 2, "a\0b" ]), 0, 'metadata with a zero byte');
is(sql(q{SELECT metadata FROM topic_group_offsets WHERE group_id = 'e' AND topic = 'events'::regclass AND partition = 0}), '\x610062', 'are shown as bytea would be');
foreach my $text ('\x', '\x6', '\x6g', '\X6869', 'x6869')
{
	sql(qq{SELECT commit_offset('events', 'e', 0, 2, metadata => '$text')});
	is(fetched($client, 'e', 'events', 0), "2 $text -1", "SQL's metadata that are not of that form");
}
sql(q{SELECT commit_offset('events', 'e', 0, 2, metadata => '\x61FF')});
is(fetched($client, 'e', 'events', 0), "2 a\xff -1", 'that are');
is(commit_error($client, 'e', 'events', 0, [ 2, "\xc3\xa4\xe2\x82\xac" ]), 0, 'metadata in UTF-8');
is(fetched($client, 'e', 'events', 0), "2 \xc3\xa4\xe2\x82\xac -1", 'are kept');
is(commit_error($client, $_->[0], 'events', 0, 1), $_->[1], 'a name of a group')
  foreach [ '', 24 ], [ 'g' x 255, 0 ], [ 'g' x 256, 24 ], [ "g\0", 24 ], [ "\xff", 24 ], [ "\xe2\x82\xac", 0 ], [ "'; DROP TABLE x", 0 ];
is(fetched($client, 'g' x 256, 'events', 0), 'group error 24', 'a name that is none, to read');
is(fetched($client, '', 'events', 0, version => 1), 'error 24', 'in the first version');
is(commit_error($client, 'e', 'events', 0, 3, member => 'm', generation => 1), 22, 'a generation of a group without members');
is(commit_error($client, 'e', 'events', 0, 3, member => 'm'), 0, 'a member without one is as good as none');

# ---- rights ---------------------------------------------------------------------------------

sql(q{SET ROLE other; SELECT count(*) FROM consume('events', 'theirs')});
is(commit_error($client, 'theirs', 'events', 0, 1), 30, 'the group of another role');
is(fetched($client, 'theirs', 'events', 0), 'error 30', 'is not told either');
is_deeply(fetch_offsets($client, 'theirs', undef)->{topics}, {}, 'nor in a list');
is((delete_offsets($client, 'theirs', { events => [0] }))[1]{events}{0}, 30, 'nor deleted');
is(commit_error($client, 'theirs', 'more', 0, 1), 0, 'in another topic it is ours');
sql('GRANT other TO producer');
is(commit_error($client, 'theirs', 'events', 0, 1), 0, 'members of the role may use it');
sql('REVOKE other FROM producer; REVOKE SELECT ON events FROM producer');
is(commit_error($client, 'v9', 'events', 0, 1), 29, 'a right that is gone');
is_deeply(fetch_offsets($client, 'all', undef)->{topics}, { more => { 1 => [ 9, '', -1, 0 ] } }, 'a list tells what one may see');
sql('GRANT SELECT ON events TO producer');

# ---- deleting ---------------------------------------------------------------------------------

commit_offsets($client, 'gone', { events => { 0 => 1, 1 => 2 } });
my ($error, $errors) = delete_offsets($client, 'gone', { events => [ 0, 2, 9 ], missing => [0], secret => [0] });
is($error, 0, 'offsets are deleted');
is_deeply($errors, { events => { 0 => 0, 2 => 0, 9 => 3 }, missing => { 0 => 3 }, secret => { 0 => 29 } }, 'partition by partition');
is(fetched($client, 'gone', 'events', 0), '-1  -1', 'one is gone');
is(fetched($client, 'gone', 'events', 1), '2  -1', 'another one is not');
is((delete_offsets($client, 'never', { events => [0] }))[0], 69, 'of a group that is not there');
is((delete_offsets($client, '', { events => [0] }))[0], 24, 'of no group');

# ---- hostile requests ----------------------------------------------------------------------------

sql(q{SELECT create_topic('wide', partitions => 2000); GRANT SELECT ON wide TO producer});
my $wide = commit_offsets($client, 'wide', { wide => { map { $_ => $_ + 1 } 0 .. 2999 } });
is((grep { $wide->{wide}{$_} == 0 } 0 .. 1999), 2000, 'many partitions in a request');
is((grep { $wide->{wide}{$_} == 3 } 2000 .. 2999), 1000, 'of which some are not there');
my $answer = fetch_offsets($client, 'wide', undef);
is((grep { $answer->{topics}{wide}{$_}[0] == $_ + 1 } 0 .. 1999), 2000, 'and read again');
$answer = fetch_offsets($client, 'wide', { wide => [ (7) x 20000 ] });
is($answer->{topics}{wide}{7}[0], 8, 'the same partition very often');
send_commit($client, 'many', [ map { [ "topic$_", [ [ 0, 1 ] ] ] } 1 .. 20000 ]);
is(commit_error($beside, 'beside', 'events', 1, 5), 0, 'others are served meanwhile');
is(scalar(keys %{ read_commit($client) }), 20000, 'many topics in a request');
# a connection that is closed before the answer
foreach (1 .. 20)
{
	my $hasty = KafkaClient->new($port);

	send_commit($hasty, 'hasty', { wide => { map { $_ => 1 } 0 .. 99 } });
	$hasty->close;
}
poll_until(sub { sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'hasty'}) eq '100' }) or die;
pass('what was sent is committed');

# ---- another encoding -------------------------------------------------------------------------------

sql(q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'});
my $latin_port = PostgreSQL::Test::Cluster::get_free_port();
$node->safe_psql('latin', q{CREATE EXTENSION pg_topics; SELECT create_topic('events'); GRANT SELECT ON events TO producer});
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres, 127.0.0.1:$latin_port/latin'");
$node->restart;
poll_until(sub { $client = KafkaClient->new($latin_port) and fetched($client, 'g', 'events', 0) ne 'group error 14' }) or die 'no listener';
is(commit_error($client, 'g', 'events', 0, [ 1, "\xc3\xa4" ]), 0, 'text that the encoding has');
is($node->safe_psql('latin', q{SELECT encode(convert_to(metadata, 'LATIN1'), 'hex') FROM topic_group_offsets}), 'e4', 'is stored in it');
is(fetched($client, 'g', 'events', 0), "1 \xc3\xa4 -1", 'and read');
is(commit_error($client, 'g', 'events', 0, [ 1, "\xe2\x82\xac" ]), 0, 'text that it has not');
is($node->safe_psql('latin', q{SELECT metadata FROM topic_group_offsets}), '\xe282ac', 'is stored as bytes');
is(fetched($client, 'g', 'events', 0), "1 \xe2\x82\xac -1", 'and read');
is(commit_error($client, "\xe2\x82\xac", 'events', 0, 1), 24, 'also as a name');

unlike(slurp_file($node->logfile), qr/(PANIC|TRAP|terminated by signal|unexpected)/, 'nothing in the log');

done_testing();
