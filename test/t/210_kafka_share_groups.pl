#!/usr/bin/env perl
# Share groups, KIP-932, and their members (src/broker/groups/share_group_heartbeat.c, share_group_describe.c, share_groups.c):
# members that come and go, where they are to fetch, who may; groups of other kinds and of SQL beside them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaMember qw(list_groups);
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_group_share_max_size = 5');
my $error = KafkaShare::ERRORS;

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic('orders', partitions => 3); SELECT create_topic('bills'); SELECT create_topic('secret');
	GRANT SELECT ON orders, bills TO app, other});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
my $ids = topic_ids(\&sql);
my %names = reverse %$ids;

sub as_text
{
	my ($assignment) = @_;

	return 'none' if !defined $assignment;
	return join ' ', map { my $id = $_; ($names{$id} // $id) . ':' . join(',', @{ $assignment->{$id} }) }
	  sort { ($names{$a} // $a) cmp($names{$b} // $b) } keys %$assignment;
}

sub beat { my (%said) = @_; return share_heartbeat($client, group => 'g', member => 'm', %said) }

is_deeply([ @{ $client->api_versions }{ 76 .. 79 } ], [ [ 1, 1 ], [ 1, 1 ], [ 1, 2 ], [ 1, 2 ] ], 'the versions that Kafka 4.4 serves');

# ---- joining and leaving ---------------------------------------------------------------

my $answer;
poll_until(sub { $answer = beat(member => 'first', epoch => 0, names => [ 'orders', 'bills', 'orders' ]); $answer->{error} != 14 });
is("$answer->{error} $answer->{member} $answer->{interval}", '0 first 5000', 'a member joins');
is(as_text($answer->{assignment}), 'bills:0 orders:0,1,2', 'and is to fetch everywhere');
my $epoch = $answer->{epoch};
cmp_ok($epoch, '>', 0, 'with an epoch');
$answer = beat(member => 'first', epoch => $epoch);
is("$answer->{error} $answer->{epoch} " . as_text($answer->{assignment}), "0 $epoch none", 'a heartbeat with nothing new is told nothing');
$answer = beat(member => 'second', epoch => 0, names => ['orders'], rack => 'r');
is("$answer->{error} $answer->{epoch}", '0 ' . ($epoch + 1), 'a second one joins');
my %has = (second => as_text($answer->{assignment}));
$answer = beat(member => 'first', epoch => $epoch);
is($answer->{epoch}, $epoch + 1, 'the first one hears of it');
$has{first} = as_text($answer->{assignment});
is(join(' ', sort map { /orders:([\d,]+)/ ? split(/,/, $1) : () } values %has), '0 1 2', 'partitions are shared out');
is(beat(member => 'first', epoch => $epoch)->{epoch}, $epoch + 1, 'one that has not got its answer is told again');
$answer = beat(member => "m$_", epoch => 0, names => ['bills']) foreach 1 .. 2;
is(as_text($answer->{assignment}), 'bills:0', 'members that are more than the partitions share these');

my $described = describe_share_groups($client, 'g', 'nothing', 'g');
is_deeply([ @{ $described->{g} }{qw(error state assignor operations)} ], [ 0, 'Stable', 'simple', (1 << 3) | (1 << 6) | (1 << 8) ],
	'the group is described');
is_deeply([ @{ $described->{g}{members}{second} }{qw(client host names rack)} ], [ 'test', '/127.0.0.1', ['orders'], 'r' ], 'with its members');
is(keys %{ $described->{g}{members} }, 4, 'all of them');
is(join(',', sort keys %{ $described->{g}{members}{m1}{assignment} }), 'bills', 'and what they have');
is($described->{nothing}{error}, $error->{GROUP_ID_NOT_FOUND}, 'a group that there is not is told so');
is(list_groups($client)->{g}, 'share:Stable:Share', 'it is listed');

sql(q{SELECT create_topic('later', partitions => 2); GRANT SELECT ON later TO app});
$ids = topic_ids(\&sql);
%names = reverse %$ids;
$answer = beat(member => 'm1', epoch => beat(member => 'm1', epoch => 0, names => [ 'bills', 'soon', 'later' ])->{epoch});
is(as_text(describe_share_groups($client, 'g')->{g}{members}{m1}{assignment}), 'bills:0 later:0,1', 'a member changes what it is subscribed to');
sql(q{SELECT create_topic('soon'); GRANT SELECT ON soon TO app});
ok(poll_until(sub { beat(member => 'm1', epoch => $answer->{epoch}); exists describe_share_groups($client, 'g')->{g}{members}{m1}{assignment}{soon} }),
	'and gets partitions of a topic that comes later');

is(beat(member => 'second', epoch => -1)->{epoch}, -1, 'one leaves');
is(beat(member => 'second', epoch => -1)->{error}, $error->{UNKNOWN_MEMBER_ID}, 'and is unknown then');
beat(member => $_, epoch => -1) foreach qw(first m1 m2);
is(list_groups($client, types => ['share'])->{g}, 'share:Empty:Share', 'the group is there without them');
is(list_groups($client, types => ['consumer'])->{g}, undef, 'as one of its type');

sql(q{ALTER SYSTEM SET pg_topics.kafka_group_share_session_timeout = '1s'; SELECT pg_reload_conf()});
my $silent = 0;
ok(poll_until(sub {
	beat(group => 'silent' . $silent++, epoch => 0, names => ['orders']);
	grep { describe_share_groups($client, "silent$_")->{"silent$_"}{state} eq 'Empty' } 0 .. $silent - 1;
}), 'members that are silent are removed');
sql(q{ALTER SYSTEM RESET pg_topics.kafka_group_share_session_timeout; SELECT pg_reload_conf()});
ok(poll_until(sub {
	beat(group => 'long', epoch => 0, names => ['orders']);
	sql('SELECT pg_sleep(1.5)');
	describe_share_groups($client, 'long')->{long}{state} eq 'Stable';
}), 'sessions are long again');

# ---- errors ------------------------------------------------------------------------------

sub error_of { my (%said) = @_; return share_heartbeat($client, group => 'e', member => 'm', %said)->{error} }

my %joins = (epoch => 0, names => ['orders']);
is(error_of(epoch => 3), $error->{UNKNOWN_MEMBER_ID}, 'a member of a group that is not known any more joins again');
is(error_of(epoch => -1), $error->{GROUP_ID_NOT_FOUND}, 'nobody leaves it');
is(error_of(%joins, group => ''), $error->{INVALID_GROUP_ID}, 'an empty group id');
is(error_of(%joins, names => undef), $error->{INVALID_REQUEST}, 'without a subscription');
is(error_of(%joins, names => []), $error->{INVALID_REQUEST}, 'with an empty one');
is(error_of(%joins, member => ''), $error->{INVALID_REQUEST}, 'without an id');
is(error_of(%joins, rack => ''), $error->{INVALID_REQUEST}, 'with an empty rack');
is(error_of(%joins, epoch => -2), $error->{INVALID_REQUEST}, 'an epoch that there is not');
is(error_of(%joins, names => [ 'orders', 'secret' ]), $error->{TOPIC_AUTHORIZATION_FAILED}, 'a topic that the role may not read');
is(error_of(%joins, names => ["a\0b"]), $error->{INVALID_REQUEST}, 'a name that is none');
is(error_of(%joins, member => "\xff"), $error->{INVALID_REQUEST}, 'an id that is no text');
is(error_of(%joins, names => ['nowhere']), 0, 'a topic that there is not');
$epoch = share_heartbeat($client, group => 'e', member => 'm', %joins)->{epoch};
is(error_of(epoch => $epoch + 1), $error->{FENCED_MEMBER_EPOCH}, 'an epoch that is ahead');
is(error_of(epoch => $epoch, member => 'x'), $error->{UNKNOWN_MEMBER_ID}, 'an unknown member');
is(error_of(%joins, member => "m$_"), 0, 'another member') foreach 1 .. 4;
is(error_of(%joins, member => 'm5'), $error->{GROUP_MAX_SIZE_REACHED}, 'one too many');
is(share_heartbeat(client_as('other'), group => 'e', member => 'o', %joins)->{error}, $error->{GROUP_AUTHORIZATION_FAILED},
	'a group belongs to the role that has made it');
is(describe_share_groups(client_as('other'), 'e')->{e}{error}, $error->{GROUP_AUTHORIZATION_FAILED}, 'and others do not see it');
is(list_groups(client_as('other'))->{e}, undef, 'nor is it listed for them');

# ---- names ---------------------------------------------------------------------------------

is(heartbeat($client, group => 'e', member => 'c', epoch => 0, names => ['orders'], timeout => 1000, owned => {})->{error},
	$error->{GROUP_ID_NOT_FOUND}, 'a consumer does not join a share group');
heartbeat($client, group => 'consumers', member => 'c', epoch => 0, names => ['orders'], timeout => 1000, owned => {});
is(error_of(%joins, group => 'consumers'), $error->{GROUP_ID_NOT_FOUND}, 'nor the other way round');
sql(q{SET ROLE app; SELECT consume('bills', 'sql_consumers'); SELECT commit_offset('bills', 'sql_consumers', 0, 0)});
is(error_of(%joins, group => 'sql_consumers'), $error->{GROUP_ID_NOT_FOUND}, 'nor with a group of SQL');
sql(q{SET ROLE app; SELECT consume_shared('bills', 'sql_share')});
is(list_groups($client)->{sql_share}, 'share:Empty:Share',
	'a share group of SQL is listed');
is(describe_share_groups($client, 'sql_share')->{sql_share}{state}, 'Empty', 'and described');
is(describe_share_groups(client_as('other'), 'sql_share')->{sql_share}{error}, $error->{GROUP_AUTHORIZATION_FAILED}, 'for whom it belongs to');
is(heartbeat($client, group => 'sql_share', member => 'c', epoch => 0, names => ['orders'], timeout => 1000, owned => {})->{error},
	$error->{GROUP_ID_NOT_FOUND}, 'a consumer does not join it');
is(error_of(%joins, group => 'sql_share'), 0, 'a member of share groups does');

# ---- owners ---------------------------------------------------------------------------------

is(share_heartbeat(client_as('other'), group => 'sql_share', member => 'o', %joins)->{error}, $error->{GROUP_AUTHORIZATION_FAILED},
	'another role does not');
sql(q{SELECT alter_group_owner('bills', 'sql_share', 'other')});
is(share_heartbeat(client_as('other'), group => 'sql_share', member => 'o', %joins)->{error}, 0, 'until it is given the group');

# ---- a restart --------------------------------------------------------------------------------

$node->restart;
ok(wait_for_listener(), 'the listener has started again');
$client = client();
poll_until(sub { $answer = beat(epoch => $epoch); $answer->{error} != 14 });
is($answer->{error}, $error->{UNKNOWN_MEMBER_ID}, 'members are unknown after a restart');
is(beat(epoch => 0, names => ['orders'])->{error}, 0, 'and join again');

done_testing();
