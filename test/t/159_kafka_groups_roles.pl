#!/usr/bin/env perl
# Files under test: src/broker/offsets/offset_turn.c, offset_request.c, src/group/kafka_offset.c.
# Roles that commit for one group in the same turn of the loop: each gets what it would get alone, and what one may not do
# takes nothing from another one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_plain_without_tls = on');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE owner LOGIN;
	CREATE ROLE friend LOGIN IN ROLE owner;
	CREATE ROLE foe LOGIN;
	SELECT create_topic('events', partitions => 2);
	GRANT SELECT ON events TO owner, foe});

ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my %client = map { $_ => client_as($_) } qw(owner friend foe);
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
ok(poll_until(sub { commit_error($client{owner}, 'ready', 'events', 0, 1) == 0 }), 'groups are coordinated');

# Commit an offset for each role, in this order, all of which the listener finds when it wakes: the errors.
sub commit_at_once
{
	my ($group, @commits) = @_;

	kill 'STOP', $worker;
	send_commit($client{ $_->[0] }, $group, { events => { 0 => $_->[1] } }) foreach @commits;
	kill 'CONT', $worker;
	return join(' ', map { read_commit($client{ $_->[0] })->{events}{0} } @commits);
}

sub committed { my ($group) = @_; return sql("SELECT committed_offset FROM topic_group_offsets WHERE group_id = '$group' AND partition = 0") }

# whichever of the connections is read first
foreach my $round (1 .. 5)
{
	is(commit_error($client{owner}, "g$round", 'events', 0, 1), 0, "round $round: a group is the owner's");
	is(commit_at_once("g$round", [ owner => 2 ], [ foe => 9 ]), '0 30', 'another role is refused, and the owner is not');
	is(committed("g$round"), 2, 'what the owner has committed is there');
	is(commit_at_once("g$round", [ foe => 9 ], [ owner => 3 ]), '30 0', 'in the other order too');
	is(committed("g$round"), 3, 'and is there');
	is(commit_at_once("g$round", [ owner => 4 ], [ friend => 5 ], [ foe => 9 ]), '0 0 30', 'one who may use the group may');
	like(committed("g$round"), qr/^[45]$/, 'and one of them is last');

	my $errors = commit_at_once("new$round", [ owner => 6 ], [ foe => 7 ]);
	like($errors, qr/^(?:0 30|30 0)$/, 'a new group belongs to one of two');
	is(committed("new$round"), $errors eq '0 30' ? 6 : 7, 'and has the offset of that one');
}
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not/, 'nothing has failed');
$node->stop;
done_testing();
