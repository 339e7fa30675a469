# Files under test: src/wal/log_stable_end.c, log_epochs.c, src/broker/data/fetch.c, list_offsets.c, leader_epoch.c.
# Consumers beside standbys: with a synchronous one they are shown only what it has; after its
# promotion they learn which leader wrote what.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use LogLook qw(batches);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $role = (getpwuid($<))[0];
my $node = new_node('main', init => { allows_streaming => 1 }, settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = '$role'",
	'wal_retrieve_retry_interval = 50ms' ]);
$node->start;
my $standby = new_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'",
	"synchronous_standby_names = ''");

sub sql { return $node->safe_psql('postgres', @_) }

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('events'); SELECT produce('events', 'first'::text)});
$standby->start;
catch_up($node, $standby);
my ($consumer, $there);
poll_until(sub { $consumer = KafkaConsumer->new($port) }) or die 'no listener';

# "error high watermark: first-last ..."
sub told
{
	my ($answer) = @_;
	my $partition = $answer->{events}{0};

	return "$partition->{error} $partition->{high_watermark}:" . join '', map { " $_->{first}" } batches(unpack('H*', $partition->{records}));
}
sub fetch { my ($from, $offset, %params) = @_; return told($from->fetch(topics => { events => { 0 => $offset } }, %params)); }

is(fetch($consumer, 0, max_wait => 10_000), '0 1: 0', 'the primary serves consumers');
sql(q{BEGIN; SELECT produce('events', 'open'::text); SELECT * FROM flush(); ROLLBACK});
sql(qq{SELECT produce('events', '$_'::text)}) foreach qw(second third);

# ---- a synchronous standby -----------------------------------------------------------

sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'the standby is a synchronous one');
sql(q{SELECT produce('events', 'fourth'::text)});
is(fetch($consumer, 4, max_wait => 10_000), '0 5: 4', 'what it has is shown');
$standby->stop;
sql(q{SET synchronous_commit = local; SELECT produce('events', 'fifth'::text)});
sql(q{SET synchronous_commit = off; SELECT produce('events', 'sixth'::text)});
is(sql('SELECT count(*) FROM events'), 6, 'SQL sees what was committed without it');
is(fetch($consumer, 5, max_wait => 500), '0 5:', 'consumers do not: a failover would take it back');
$consumer->send_fetch(topics => { events => { 0 => 5 } }, max_wait => 100_000);
$standby->start;
like(told($consumer->fetched), qr/^0 [67]: 5/, 'until the standby has it');
is(fetch($consumer, 6, max_wait => 10_000), '0 7: 6', 'all of it');

# a listener that begins anew while the standby is away
$standby->stop;
$node->restart;
poll_until(sub { $consumer = KafkaConsumer->new($port) }) or die 'no listener';
is(fetch($consumer, 0, max_wait => 500), '78 -1:', 'nothing is known to be on a standby that was not there yet');
is(fetch($consumer, 7, max_wait => 0), '78 -1:', 'no end is told that would be lower than one that was told before');
is(fetch($consumer, 0, max_wait => 0, version => 10), '6 -1:', 'old clients look for the leader anew');
my $other = KafkaConsumer->new($port);
my $opened = $other->fetch(topics => { events => { 0 => 7 } }, session_id => 0, session_epoch => 0);
is(told($opened), '78 -1:', 'nor in a session');
is($consumer->list_offsets('events', { 0 => -1 })->{0}, '78 -1 -1 -1', 'and no end is told by ListOffsets');
is($consumer->list_offsets('events', { 0 => -1 }, version => 4)->{0}, '5 -1 -1 -1', 'old clients are told that there is no leader');
is($consumer->list_offsets('events', { 0 => -2 })->{0}, '0 0 -1 1', 'the start is');
$standby->start;
ok(poll_until(sub { fetch($consumer, 0, max_wait => 1000) eq '0 7: 0 2 3 4 5 6' }), 'until it comes');
is($consumer->list_offsets('events', { 0 => -1 })->{0}, '0 7 -1 1', 'the end is told then');
is(told($other->fetch(session_id => $opened->{session}, session_epoch => 1)), '0 7:', 'and in the session');

# ---- promotion -----------------------------------------------------------------------------

catch_up($node, $standby);
$node->stop;
$standby->promote;
poll_until(sub { $there = KafkaConsumer->new($standby_port) }) or die 'no listener on the standby';
$standby->safe_psql('postgres', q{SET synchronous_commit = local; SELECT produce('events', 'new leader'::text)});
ok(poll_until(sub { fetch($there, 6, max_wait => 1000) eq '0 8: 6 7' }), 'old and new records');
is($there->epoch_end('events', 0, 1), '0 1 7', "where the old leader's records end");
is($there->epoch_end('events', 0, 2), '0 2 8', "where the new one's do");
is($there->epoch_end('events', 0, 3), '0 -1 -1', 'a leader that there was not yet');
is($there->fetch(topics => { events => { 0 => { offset => 0, leader_epoch => 1 } } })->{events}{0}{error}, 74, 'the old leader is none any more');
is($there->list_offsets('events', { 0 => -2 })->{0}, '0 0 -1 1', 'the first record is of the old leader');
is($there->list_offsets('events', { 0 => -1 })->{0}, '0 8 -1 2', 'the end is of the new one');
is($there->fetch(version => 12, topics => { events => { 0 => { offset => 8, last_epoch => 1 } } })->{events}{0}{diverging}, '1,7',
	'a consumer that has more of the old leader than is left has to go back');
my $right = $there->fetch(version => 12, topics => { events => { 0 => { offset => 7, last_epoch => 1 } } })->{events}{0};
is(($right->{diverging} // 'no') . " $right->{high_watermark}", 'no 8', 'one that has not goes on');

done_testing();
