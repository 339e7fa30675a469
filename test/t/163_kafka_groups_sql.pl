#!/usr/bin/env perl
# Groups that Kafka's clients and consumers in SQL want at the same time, as the coordinator sees it
# (src/broker/groups/join_group.c, classic_claims.c, classic_store.c): who comes second waits, or is refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 200',
	'pg_topics.kafka_group_min_session_timeout = 500');

sub member { return KafkaMember->new($port, @_) }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN');
sql(q{SELECT create_topic('orders', partitions => 2); SELECT create_topic('bills', partitions => 2);
	GRANT SELECT ON orders, bills TO app, other});
sql(q{SELECT produce('orders', i::text, 'v') FROM generate_series(1, 20) i});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');

# ---- a transaction in SQL has a partition ------------------------------------------------

my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{BEGIN; SET ROLE app; SELECT count(*) FROM consume('orders', 'both', max_records => 1)});
my $member = member('both', topics => ['orders'], session => 30000);
$member->send_join_generation;
is($member->read_join_generation, 0, 'a client joins while a transaction consumes');
$member->send_sync_generation('orders', 2);
my $other = client();
is(join(' ', map { heartbeat($other, 'both', member => $member->{member}, generation => 1) } 1 .. 100), join(' ', (0) x 100), 'others are served');
ok(!$member->client->is_readable, 'it waits for its assignment');
$session->query_safe('COMMIT');
is($member->read_sync_generation, 'orders-0 orders-1', 'and gets it when the transaction has ended');
my ($result, $out, $error) = $node->psql('postgres', q{SET ROLE app; SELECT count(*) FROM consume('orders', 'both')});
like($error, qr/ERROR/, 'then SQL is refused');
is($member->heartbeat_error, 0, 'the member goes on');

# ---- a transaction that does not end -----------------------------------------------------------

my ($held, $next) = split /\|/, $session->query_safe(q{BEGIN; SET ROLE app;
	SELECT partition, record_offset + 1 FROM consume('orders', 'stuck', max_records => 1)});
my $patient = member('stuck', topics => ['orders'], session => 30000, rebalance => 1000);
my $rest = 'orders-' . (1 - $held);
$patient->send_join_generation;
$patient->read_join_generation;
$patient->send_sync_generation('orders', 2);
is($patient->read_sync_generation, $rest, 'after the rebalance timeout it goes on without that partition');
like(slurp_file($node->logfile), qr/consumer group "stuck" of Kafka clients waits for partition $held of topic "orders", which is used in SQL/, 'which the log tells');
is($patient->heartbeat_error, 0, 'the group is stable');
my ($described) = values %{ describe_groups($other, ['stuck'])->[0]{members} };
is(KafkaMember::read_assignment($described->{assignment}), $rest, 'and described as it is');

# the next generation does not wait for it again
my $late = member('stuck', topics => ['orders'], session => 30000, rebalance => 1_800_000);
$late->send_join_generation;
ok(poll_until(sub { $patient->heartbeat_error == 27 }), 'another member joins');
$patient->send_join_generation;
is(join(' ', map { $_->read_join_generation } $patient, $late), '0 0', 'they rebalance');
$_->send_sync_generation('orders', 2) foreach sort { $a->leads <=> $b->leads } $patient, $late;
is(join(' ', sort map { $_->read_sync_generation } $patient, $late), " $rest", 'and do not wait for the partition again');

# nor is it forgotten with the process that coordinates
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
ok(poll_until(sub { $late->reconnect && eval { $late->heartbeat_error eq 0 } }), 'the group is loaded anew');
$patient->reconnect;
$other = client();
sync_group($_->client, 'stuck', member => $_->{member}, generation => $_->{generation}) foreach $patient, $late;
is(join(' ', sort map { KafkaMember::read_assignment(sync_group($_->client, 'stuck', member => $_->{member}, generation => $_->{generation})->{assignment}) } $patient, $late),
	" $rest", 'and tells what it told before');
is(join(' ', map { $_->heartbeat_error } ($patient, $late) x 20), join(' ', (0) x 40), 'it is stable while SQL has the partition');
$session->query_safe('COMMIT');
ok(poll_until(sub { $patient->heartbeat_error == 27 }), 'and rebalances when SQL has let go of it');
$_->send_join_generation foreach $patient, $late;
is(join(' ', map { $_->read_join_generation } $patient, $late), '0 0', 'so that it is served');
$_->send_sync_generation('orders', 2) foreach sort { $a->leads <=> $b->leads } $patient, $late;
is(join(' ', sort map { $_->read_sync_generation } $patient, $late), 'orders-0 orders-1', 'by one of them');
is(fetch_offsets($other, 'stuck', { orders => [$held] })->{topics}{orders}{$held}[0], $next, 'from where SQL has stopped');
is(join(' ', map { $_->heartbeat_error } ($patient, $late) x 20), join(' ', (0) x 40), 'and is stable again');

# a member that gives up waiting
$session->query_safe(q{BEGIN; SET ROLE app; SELECT count(*) FROM consume('orders', 'gone', max_records => 1)});
my $gone = member('gone', topics => ['orders'], session => 1000, rebalance => 30000);
$gone->send_join_generation;
$gone->read_join_generation;
$gone->send_sync_generation('orders', 2);
is(describe_groups($other, ['gone'])->[0]{state}, 'CompletingRebalance', 'a member waits');
$gone->client->close;
ok(poll_until(sub { describe_groups($other, ['gone'])->[0]{state} eq 'Empty' }), 'and is out after its session, if its connection is closed');
$session->query_safe('COMMIT');
is(sql(q{SET ROLE app; SELECT count(*) > 0 FROM consume('orders', 'gone')}), 't', 'and SQL goes on');

# ---- members in SQL ---------------------------------------------------------------------------------

sql(q{SET ROLE app; SELECT count(*) FROM consume('orders', 'leased', member_id => 'worker-7', lease => '1 hour')});
my $answer = join_group($other, 'leased', topics => [ 'bills', 'orders' ], once => 1);
is($answer->{error}, 23, 'a group with a living member in SQL');
like(slurp_file($node->logfile), qr/cannot join consumer group "leased", since member "worker-7" consumes topic "orders" in SQL/, 'whom the log names');
is(join_group($other, 'leased', topics => ['bills'], once => 1)->{error}, 79, 'is for another topic, and free there');
sql(q{SET ROLE app; SELECT leave_group('orders', 'leased', 'worker-7')});
is(join_group($other, 'leased', topics => ['orders'])->{error}, 0, 'and for all when it has left');

# ---- claims follow assignments -----------------------------------------------------------------------------

my $mover = member('moves', topics => [ 'orders', 'bills' ], session => 30000);
form_group('orders', 2, $mover);
is(sql(q{SELECT string_agg(topic || '-' || partition, ' ' ORDER BY 1) FROM topic_group_offsets WHERE group_id = 'moves'}), 'orders-0 orders-1', 'one topic');
$mover->send_join_generation;
is($mover->read_join_generation, 0, 'the leader joins again');
$mover->send_sync_generation('bills', 2);
is($mover->read_sync_generation, 'bills-0 bills-1', 'for another topic');
ok(poll_until(sub { sql(q{SELECT string_agg(topic || '-' || partition, ' ' ORDER BY 1) FROM topic_group_offsets WHERE group_id = 'moves'}) eq 'bills-0 bills-1' }),
	'the first one is free again');
is(sql(q{SET ROLE app; SELECT count(*) > 0 FROM consume('orders', 'moves')}), 't', 'for SQL');

# a topic that is dropped
my $drop = member('drop', topics => [ 'bills' ], session => 30000, rebalance => 5000);
form_group('bills', 2, $drop);
sql('DROP FOREIGN TABLE bills');
is($drop->heartbeat_error, 0, 'a topic that is dropped: its member goes on');
is(leave_group($drop->client, 'drop', $drop->{member}), '0 0', 'and leaves');
is(leave_group($mover->client, 'moves', $mover->{member}), '0 0', 'as another one does');
ok(poll_until(sub { sql(q{SELECT count(*) FROM topic_kafka_members WHERE group_id IN ('drop', 'moves')}) eq '0' }), 'both are stored');

# ---- the extension is dropped and made anew ---------------------------------------------------------------------

$session->quit;
sql('DROP EXTENSION pg_topics CASCADE; CREATE EXTENSION pg_topics');
sql(q{SELECT create_topic('orders', partitions => 2); GRANT SELECT ON orders TO app});
ok(poll_until(sub { my $e = $member->heartbeat_error; $e eq 25 || ($e eq 'closed' && !$member->reconnect) }), 'a group of the old one is unknown');
my $fresh = member('both', topics => ['orders']);
form_group('orders', 2, $fresh);
is("$fresh->{generation} $fresh->{assignment}", '1 orders-0 orders-1', 'and a new one begins');

done_testing();
