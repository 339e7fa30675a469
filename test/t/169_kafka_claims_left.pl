#!/usr/bin/env perl
# Claims of Kafka's groups that cannot be released at once, because a topic is locked (src/broker/groups/classic_store.c, consumer_store.c): they
# are not forgotten by a crash, by what the group does meanwhile, nor by a group of the other protocol that takes its place.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaServer qw(start_kafka_server sql);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 0',
	'pg_topics.kafka_group_min_session_timeout = 500');

sub client { my $client; poll_until(sub { $client = KafkaClient->new($port) and eval { ref list_groups($client) } }) or die 'no listener'; return $client }

sub consumer { my (%said) = @_; return KafkaHeartbeat->new(\&client, names => ['orders'], %said) }

# The topics in which a group has claims.
sub claimed { my ($group) = @_; return sql(qq{SELECT string_agg(DISTINCT topic::regclass::text, ' ') FROM topic_group_offsets WHERE group_id = '$group' AND member_id LIKE 'kafka:%'}) }

sub claims_become { my ($group, $topics, $name) = @_; return ok(poll_until(sub { claimed($group) eq $topics }), $name) }

# A session that has locked the topic.
sub lock_orders
{
	my $session = open_session($node);

	$session->run('BEGIN; ALTER FOREIGN TABLE orders OWNER TO CURRENT_USER');
	return $session;
}

# A member of the classic protocol with a topic.
sub have_topic { my ($topic, $member) = @_; return (form_group($topic, 2, $member))[0] }

# One of the new one.
sub settle { my ($member, $topic) = @_; return poll_until(sub { $member->beat; join(',', map { @$_ } values %{ $member->{owned} }) eq '0,1' && claimed($member->{said}{group}) =~ /$topic/ }) }

sub crash { kill_all($node); $node->start; client(); return }

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('orders', partitions => 2); SELECT create_topic('bills', partitions => 2); GRANT SELECT ON orders, bills TO app});
client();

# ---- the classic protocol ------------------------------------------------------------------

my $member = KafkaMember->new($port, 'crash', topics => [ 'orders', 'bills' ]);
have_topic('orders', $member);
my $session = lock_orders();
is(have_topic('bills', $member), 'bills-0 bills-1', 'a group moves to another topic while the first one is locked');
is(claimed('crash'), 'bills orders', 'which it cannot give up yet');
$session->close;
$session = lock_orders();
crash();
claims_become('crash', 'bills', 'a crash does not make it forget that');
$member->reconnect;
is($member->heartbeat_error, 0, 'its member goes on');

my $static = KafkaMember->new($port, 'static', topics => [ 'orders', 'bills' ], instance => 'i');
have_topic('orders', $static);
$session = lock_orders();
have_topic('bills', $static);
my $other = KafkaMember->new($port, 'static', topics => [ 'orders', 'bills' ], instance => 'i');
$other->send_join_generation;
is($other->read_join_generation, 0, 'a static member is replaced meanwhile');
is(claimed('static'), 'bills orders', 'without a rebalance');
$session->close;
claims_become('static', 'bills', 'what is not needed is given up all the same');

# ---- the new protocol ------------------------------------------------------------------------

my $one = consumer(group => 'new', member => 'one');
ok(settle($one, 'orders'), 'a group of the new protocol');
$session = lock_orders();
$one->say(names => ['bills']);
ok(settle($one, 'bills'), 'moves to another topic while the first one is locked');
is(claimed('new'), 'bills orders', 'which it cannot give up yet');
my $two = consumer(group => 'new', member => 'two', names => ['bills']);
# the pauses between attempts grow
foreach my $n (1 .. 6)
{
	my $more = consumer(group => 'new', member => "more$n", names => ['bills']);

	is($more->beat->{error}, 0, 'another member joins');
	is(sql(qq{SELECT count(*) FROM topic_kafka_members WHERE group_id = 'new' AND member_id = 'more$n'}), 1, 'and is stored when it is told so');
	is($more->leave->{error}, 0, 'it leaves');
}
is($two->beat->{error}, 0, 'one more joins');
crash();
claims_become('new', 'bills', 'a crash does not make the group forget');
$_->reconnect foreach $one, $two;
is(join(' ', map { $_->beat->{error} } $one, $two), '0 0', 'its members go on');

# ---- from one protocol to the other --------------------------------------------------------------

$member = KafkaMember->new($port, 'forth', topics => ['orders']);
have_topic('orders', $member);
$session = lock_orders();
is(leave_group($member->client, 'forth', $member->{member}), '0 0', 'a classic group becomes empty while its topic is locked');
my $next = consumer(group => 'forth', member => 'next', names => ['nothing']);
is($next->beat->{error}, 0, 'a member of the new protocol joins');
is(claimed('forth'), 'orders', 'what the group had before is claimed still');
is(sql(q{SELECT string_agg(member_id, ' ') FROM topic_kafka_members WHERE group_id = 'forth'}), 'next', 'its members are gone');
$session->close;
claims_become('forth', '', 'and not any more when the topic is free');

my $former = consumer(group => 'back', member => 'former');
ok(settle($former, 'orders'), 'a group of the new protocol');
$session = lock_orders();
$former->leave;
$member = KafkaMember->new($port, 'back', topics => ['bills']);
is(have_topic('bills', $member), 'bills-0 bills-1', 'becomes empty, and a classic one, while its topic is locked');
is(claimed('back'), 'bills orders', 'what it had is claimed still');
is(sql(q{SELECT kind FROM topic_kafka_groups WHERE group_id = 'back'}), 'classic', 'its row is that of a classic group');
is(sql(q{SELECT count(*) FROM topic_kafka_members WHERE group_id = 'back'}), 1, 'with its member');
$session->close;
claims_become('back', 'bills', 'and not any more when the topic is free');

done_testing();
