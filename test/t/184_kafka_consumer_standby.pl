#!/usr/bin/env perl
# Groups of Kafka's new consumer protocol beside standbys (src/broker/groups/consumer_store.c, consumer_group_heartbeat.c):
# members
# are told only what a synchronous one has, and go on there after its promotion.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $role = (getpwuid($<))[0];
my $node = new_node('main', init => { allows_streaming => 1 }, settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = '$role'",
	'wal_retrieve_retry_interval = 50ms', 'max_worker_processes = 12' ]);
$node->start;
my $standby = new_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'",
	"synchronous_standby_names = ''");

my $error = KafkaHeartbeat::ERRORS;
my $at = $port;

sub sql { return $node->safe_psql('postgres', @_) }

sub client { return KafkaClient->new($at) // die "no connection: $!" }

sub member { my (%said) = @_; return KafkaHeartbeat->new(\&client, group => 'g', names => ['orders'], %said) }

sub group { return describe_consumer_groups(client(), 'g')->{g} }

sub serves_groups
{
	my $client = KafkaClient->new($at) // return 0;
	my $groups = eval { describe_consumer_groups($client, 'g') } // return 0;

	return $groups->{g}{error} == 0 || $groups->{g}{error} == $error->{GROUP_ID_NOT_FOUND};
}

sub has_sync { return sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }

sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('orders', partitions => 4)});
$standby->start;
catch_up($node, $standby);
ok(poll_until(\&serves_groups), 'the listener has started') or BAIL_OUT('no listener');

# ---- a synchronous standby ---------------------------------------------------------------------

sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
sql('SELECT pg_reload_conf()');
ok(poll_until(\&has_sync), 'the standby is a synchronous one');
my @members = map { member(member => "m$_") } 1, 2;
ok(KafkaHeartbeat::settle(sub { group()->{state} eq 'Stable' && !grep { $_->{target} } @members }, @members), 'two members');
$standby->stop;
is($members[0]->beat->{error}, 0, 'without it, who has nothing new to say is answered');
push @members, member(member => 'm3');
is($members[2]->beat->{error}, $error->{COORDINATOR_NOT_AVAILABLE}, 'who joins is not, as a failover would take it back');
$standby->start;
ok(poll_until(\&has_sync), 'the standby is back');
is($members[2]->beat->{error}, 0, 'then it is');
ok(KafkaHeartbeat::settle(sub { group()->{state} eq 'Stable' && !grep { $_->{target} } @members }, @members), 'and gets its share');

# ---- its promotion --------------------------------------------------------------------------------

my $before = group();
$node->stop('immediate');
$standby->promote;
$at = $standby_port;
ok(poll_until(\&serves_groups), 'the standby serves groups once it is promoted');
is_deeply(group(), $before, 'the group is what it was');
$_->reconnect foreach @members;
my @owned = map { $_->owned } @members;
my @answers = map { $_->beat } @members;
is_deeply([ map { "$_->{error} $_->{epoch}" } @answers ], [ ("0 $before->{epoch}") x 3 ], 'members go on in their epochs');
is_deeply([ map { KafkaHeartbeat::as_text($_->{assignment}) } @answers ], \@owned, 'with what they have');

done_testing();
