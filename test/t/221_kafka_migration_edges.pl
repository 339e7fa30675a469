#!/usr/bin/env perl
# Groups of Kafka's clients that go from one protocol to the other at bad moments (src/coordinator/group_migration.c,
# src/broker/groups/migrate_group.c, consumer_change.c): amid rebalances, while SQL has a partition, with static members that are away, while the
# policy changes, and while a topic does.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_group_initial_rebalance_delay = 0');

sub classic { my ($group, %params) = @_; return KafkaMember->new($port, $group, topics => ['orders'], %params) }
sub consumer { my ($group, %said) = @_; return KafkaHeartbeat->new(\&client, group => $group, names => ['orders'], %said) }
sub told { my ($group) = @_; return KafkaMember::list_groups(client())->{$group} }

# Which partitions a member of the new protocol has: "0,1".
sub has { my ($member) = @_; return join ',', sort { $a <=> $b } map { @$_ } values %{ $member->{target} // $member->{owned} } }

sub claims { my ($group) = @_; return sql(qq{SELECT string_agg(topic::regclass || '-' || partition, ' ' ORDER BY topic::regclass::text, partition) FROM topic_group_offsets WHERE group_id = '$group' AND member_id LIKE 'kafka:%'}) }

sub set_policy
{
	my ($policy) = @_;

	$node->append_conf('postgresql.conf', "pg_topics.kafka_group_consumer_migration_policy = $policy");
	$node->reload;
	poll_until(sub { sql('SHOW pg_topics.kafka_group_consumer_migration_policy') eq $policy });
	return;
}

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('orders', partitions => 6); SELECT create_topic('bills');
	INSERT INTO orders (partition, value) SELECT i % 6, i FROM generate_series(1, 60) i; INSERT INTO bills (value) VALUES (1), (2);
	GRANT SELECT ON orders, bills TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');

# ---- a rebalance that was begun anew -----------------------------------------------------------

my @three = map { classic('again') } 1 .. 3;
form_group('orders', 6, $three[0]);
is($three[0]{assignment}, join(' ', map { "orders-$_" } 0 .. 5), 'a member has all');
# it gives up only what it must
$three[0]{params}{metadata} = KafkaMember::owning_subscription($three[0]{assignment}, 'orders');
$three[1]->send_join_generation;
ok(poll_until(sub { $three[0]->heartbeat_error == 27 }), 'another one comes');
$three[0]->send_join_generation;
is(join(' ', map { $_->read_join_generation } @three[0, 1]), '0 0', 'both come to a generation');
$three[2]->send_join_generation;
ok(poll_until(sub { told('again') =~ /:PreparingRebalance:/ }), 'before they have their assignments a third one comes');
my $new = consumer('again', member => 'new');
is($new->beat->{error}, 0, 'and one of the new protocol');
is(has($new), '', 'which gets nothing that the first one has');
is($three[2]->read_join_generation, 27, 'who waits is told to join again');
is($three[0]->heartbeat_error, 27, 'so is who has it all');
is(commit_error(client(), 'again', 'orders', 0, 3, member => $three[0]{member}, generation => $three[0]{generation}, version => 9), 0,
	'which commits before it gives anything up');

# ---- a partition that SQL had for too long -----------------------------------------------------

my $session = open_session($node);
$session->run(q{BEGIN; SET LOCAL ROLE app; SELECT count(*) FROM consume('bills', 'slow', 1, auto_offset_reset => 'earliest')});
my $slow = classic('slow', topics => ['bills'], rebalance => 500);
form_group('bills', 1, $slow);
is($slow->{assignment}, '', 'a member is not told of a partition that SQL has not given back within the rebalance timeout');
is(claims('slow'), '', 'which is not claimed for it');
$new = consumer('slow', member => 'new');
is($new->beat->{error}, 0, 'the group becomes one of the new protocol');
$session->run('COMMIT');
$session->close;
is($slow->heartbeat_error, 27, 'the member is told to join again');
is($slow->join_again, 0, 'which it does');
is("$slow->{assignment} " . (claims('slow') =~ s{ orders.*}{}r), 'bills-0 bills-0', 'and what it has is claimed now');
like((try_psql($node, q{SELECT * FROM consume('bills', 'slow')}))[2], qr/in use by Kafka clients/, 'so that SQL does not get it again');

# ---- a static member that is away for a while -----------------------------------------------------

my $here = classic('away', instance => 'here');
form_group('orders', 6, $here);
$new = consumer('away', member => 'new', instance => 'there');
ok(poll_until(sub { $new->beat; $here->beat; has($new) ne '' && $new->{owned} && !$new->{target} && $here->heartbeat_error == 0 }), 'two static members, one of each kind');
my $had = has($new);
is($new->leave(-2)->{error}, 0, 'that of the new protocol leaves for a while');
like(told('away'), qr/:Consumer$/, 'the group waits for it as it is');
is($here->heartbeat_error, 0, 'and the other one hears of nothing');
my $back = classic('away', instance => 'there');
is($back->join_again, 0, 'it comes back with the classic protocol');
is(join(',', $back->{assignment} =~ /-(\d+)/g), $had, 'to what it had');
is(told('away'), 'consumer:Stable:Classic', 'and the group is a classic one');
is("@{[ map { $_->heartbeat_error } $here, $back ]}", '0 0', 'without a rebalance');

# ---- a policy that changes meanwhile ----------------------------------------------------------------

$new = consumer('away', member => 'policy');
is($new->beat->{error}, 0, 'a member of the new protocol comes');
set_policy('disabled');
ok(poll_until(sub { $new->beat; $_->beat foreach $here, $back; has($new) ne '' }), 'the group goes on, whatever the policy says then');
is($new->leave->{error}, 0, 'it leaves');
like(told('away'), qr/:Consumer$/, 'and the group may not go back');
ok(poll_until(sub { $_->beat foreach $here, $back; join(' ', sort map { split ' ', $_->{assignment} } $here, $back) eq join(' ', map { "orders-$_" } 0 .. 5) }),
	'its members share the partitions');
set_policy('bidirectional');
is($back->join_again, 0, 'when it may, the next that joins');
like(told('away'), qr/:Classic$/, 'finds it a classic one');
is(consumer('away', member => 'late', epoch => 3)->beat->{error}, 0, 'and it may become one of the new protocol again');

# ---- a topic that is being changed ---------------------------------------------------------------------

my $old = classic('changed');
form_group('orders', 6, $old);
$session = open_session($node);
$session->run(q{BEGIN; ALTER FOREIGN TABLE orders OPTIONS (ADD "retention.ms" '1000000')});
# what the listener knows of topics is not current any more
sql(q{SELECT create_topic('others')});
$new = consumer('changed', member => 'new');
is($new->beat->{error}, 14, 'while somebody has the topic for himself, who comes with the new protocol is asked to come again');
like(told('changed'), qr/:Stable:Classic$/, 'since nobody can tell what members have there');
is($old->heartbeat_error, 0, 'and the member hears of nothing');
$session->run('ROLLBACK');
$session->close;
ok(poll_until(sub { $new->beat->{error} == 0 }), 'then it joins');
is(has($new), '', 'and gets nothing that the other one has');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
done_testing();
