#!/usr/bin/env perl
# File under test: src/broker/groups/delete_groups.c.
# A group with many offsets is deleted in parts.  After a crash between two of them the group is there with what is left, as it
# was, and can be used or deleted.
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

use constant PARTITIONS => 1200;

my $role = (getpwuid($<))[0];
my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = '$role'", 'pg_topics.max_partitions = 2000',
	'pg_topics.kafka_group_initial_rebalance_delay = 0', 'restart_after_crash = on');

sub rows { return sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'g'}) }
sub listener { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }

# What is committed, by partition, as Kafka's clients see it and as rows say.
sub committed
{
	my $offsets = fetch_offsets(client(), 'g', { wide => [ 0 .. PARTITIONS - 1 ] })->{topics}{wide};

	return join(' ', map { "$_:" . $offsets->{$_}[0] } grep { $offsets->{$_}[0] >= 0 } sort { $a <=> $b } keys %$offsets);
}
sub stored
{
	return sql(q{SELECT string_agg(partition || ':' || committed_offset, ' ' ORDER BY partition) FROM topic_group_offsets WHERE group_id = 'g'});
}

sql('CREATE EXTENSION pg_topics; SELECT create_topic($$wide$$, partitions => ' . PARTITIONS . ')');
sql(q{INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset) SELECT 'g', 'wide', p, p + 1 FROM generate_series(0, 1199) p});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $worker = listener();

# halt when the first part is committed
sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'group-rows-deleted:halt'});
$node->reload;
ok(poll_until(sub { client()->api_versions && sql('SHOW pg_topics.fault_point') ne '' }),
	'the setting is read');
my $client = client();
$client->send_request(42, 2, KafkaClient::compact_count(1) . KafkaClient::compact_string('g') . "\0", 1);
ok(poll_until(sub { slurp_file("/proc/$worker/stat") =~ /^\d+ \(.*\) T/ }), 'the process stands still after the first part');
my $left = rows();
cmp_ok($left, '<', PARTITIONS, 'which is deleted');
cmp_ok($left, '>', 0, 'and is not all');

# what a commit has flushed is there after the crash
sql('CREATE TABLE flushed ()');
my $stored = stored();
sql(q{ALTER SYSTEM RESET pg_topics.fault_point});
$node->reload;
poll_until(sub { sql('SHOW pg_topics.fault_point') eq '' });
kill 'KILL', $worker;
ok(poll_until(sub { (eval { listener() } // $worker) ne $worker && eval { client()->api_versions } }), 'the server is there again');
ok($client->is_closed, 'the client has no answer');
is(stored(), $stored, 'what was left of the group is left');
ok(poll_until(sub { committed() eq $stored }), 'as clients see it');
ok(list_groups(client())->{g}, 'the group is listed');
is(commit_error(client(), 'g', 'wide', 0, 5), 0, 'and can be used');
ok(poll_until(sub { my $error = delete_groups(client(), ['g'])->{g}; $error == 0 || diag("error $error") }), 'or deleted');
is(rows(), 0, 'with all that was left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP/, 'nothing has crashed by itself');
$node->stop;
done_testing();
