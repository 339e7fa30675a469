#!/usr/bin/env perl
# Files under test: src/broker/share/share_rejected.c, src/consume/share_death.c, src/share/share_window.c.
# What clients of share groups reject, and what has had its last try with one, goes to the dead-letter topic: once, through crashes,
# and as soon as that topic takes it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server("pg_topics.kafka_group_share_auto_offset_reset = 'earliest'",
	'pg_topics.kafka_group_share_record_lock_duration = 1h', 'restart_after_crash = on', 'max_worker_processes = 20',
	'pg_topics.share_partition_max_record_locks = 200');

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN IN ROLE app; CREATE ROLE publisher;
	GRANT CREATE ON SCHEMA public TO publisher; SET ROLE publisher;
	SELECT create_topic('jobs', config => '{"max.attempts": 2}'), create_topic('"jobs.dlq"'), create_topic('plain'), create_topic('elsewhere');
	GRANT SELECT, INSERT ON jobs, plain TO app; GRANT INSERT ON "jobs.dlq" TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $ids = topic_ids(\&sql);
my $p = "$ids->{jobs}:0";

sub produce { my ($count, $topic) = @_; $topic //= 'jobs'; return sql("SELECT produce('$topic', 'k' || i, 'v' || i) FROM generate_series(1, $count) i") }
sub member { my ($name, $client) = @_; return KafkaShare->new($client // client(), group => 'g', member => $name) }

# What a member acquires, when there is something; its session begins again where the server has lost it.
sub acquires
{
	my ($member, $id, %said) = @_;
	my $answer;

	$id //= $ids->{jobs};
	poll_until(sub {
		$answer = $member->fetch(add => { $id => [0] }, wait => 3000, %said) // return 0;
		$member->{epoch} = 0 if $answer->{error} == 15 || $answer->{error} == 122 || $answer->{error} == 123;
		$answer->{error} == 0
	}) or return 'error ' . ($answer // {})->{error};
	return acquired_text($answer->{partitions}{"$id:0"} // {});
}

# Its fetch is what has things looked after.
sub looks { my ($member) = @_; return acquires($member, undef, wait => 0) }

sub acks { my ($member, @batches) = @_; return $member->acknowledge({ $p => \@batches })->{partitions}{$p}{error} }
sub state { my ($topic) = @_; $topic //= 'jobs'; return sql("SELECT start_offset || ' ' || available || ' ' || acquired || ' ' || pending FROM pg_topic_share_groups WHERE topic = '$topic'::regclass") }

# What a topic has: the offsets that the records were at, and how often they were delivered.
sub dead { my ($topic) = @_; $topic //= '"jobs.dlq"'; return sql("SELECT string_agg((headers->>'nack.offset') || 'x' || (headers->>'nack.attempts'), ' ' ORDER BY (headers->>'nack.offset')::int) FROM $topic") }

# ---- reject, and the last try ---------------------------------------------------------

produce(10);
my $first = member('first');
is(acquires($first, undef, records => 10), '0-9x1', 'a member has records');
is(acks($first, [ 0, 0, 1 ], [ 1, 2, 3 ], [ 3, 9, 1, 3, 1, 1, 1, 2, 2 ]), 0, 'it accepts some, rejects three, and releases two');
ok(poll_until(sub { dead() eq '1x1 2x1 4x1' }), 'those that it has rejected go to the dead-letter topic') or diag(dead());
is(sql(q{SELECT key || ' ' || value || ' ' || (headers->>'nack.topic') || ' ' || (headers->>'nack.group') || ' ' || (headers ? 'nack.error')
	FROM "jobs.dlq" WHERE headers->>'nack.offset' = '2'}), 'k3 v3 public.jobs g true', 'with what consumers in SQL get there');
ok(poll_until(sub { state() eq '8 2 0 0' }), 'and the group is done with them') or diag(state());
is(acquires($first), '8-9x2', 'those that are released are delivered again');
is(acks($first, [ 8, 8, 2 ], [ 9, 9, 1 ]), 0, 'one is released after its last try');
ok(poll_until(sub { dead() eq '1x1 2x1 4x1 8x2' }), 'and goes there') or diag(dead());

# A client that does not acknowledge, and goes: what it had for the last time nobody gets.
produce(4);
is(acquires($first), '10-13x1', 'the first try');
$first->{client}->close;
my $second = member('second');
ok(poll_until(sub { state() eq '10 4 0 0' }), 'the client is gone') or diag(state());
is(acquires($second), '10-13x2', 'the last one');
$second->{client}->close;
ok(poll_until(sub { state() eq '10 4 0 0' }), 'the client is gone, too') or diag(state());
produce(1);
my $third = member('third');
is(acquires($third), '14-14x1', 'who comes next gets what is behind');
ok(poll_until(sub { dead() eq '1x1 2x1 4x1 8x2 10x2 11x2 12x2 13x2' }), 'and they are in the dead-letter topic') or diag(dead());
is(acks($third, [ 14, 14, 0 ]), 0, 'a gap is no record');
is(dead(), '1x1 2x1 4x1 8x2 10x2 11x2 12x2 13x2', 'which nobody is told of');

# ---- a dead-letter topic that does not take them ----------------------------------------

# Does the log tell why records are not sent on?  A member looks after them meanwhile.
sub failure_is_told { my ($why, $from, $member) = @_; return poll_until(sub { looks($member) if $member; slurp_file($node->logfile, $from) =~ /could not send records on that share group "g" has rejected in partition 0 of topic \d+: $why/ }) }

my $from = -s $node->logfile;
sql(q{TRUNCATE "jobs.dlq"; REVOKE INSERT ON "jobs.dlq" FROM app});
produce(6);
is(acquires($third), '15-20x1', 'a member has records');
is(acks($third, [ 15, 17, 3 ], [ 18, 18, 1 ]), 0, 'it may reject some that may not be sent on');
ok(failure_is_told('permission denied', $from), 'the log tells why they are not');
is(state(), '15 0 2 3', 'the group is not done with them');
is(acks($third, [ 19, 20, 1 ]), 0, 'with others it is');
produce(3);
is(acquires($third), '21-23x1', 'and there are more');
is(acks($third, [ 21, 23, 1 ]), 0, 'all the same');
sql(q{GRANT INSERT ON "jobs.dlq" TO app});
ok(poll_until(sub { looks($third); dead() eq '15x1 16x1 17x1' }), 'when it is granted they are sent on') or diag(dead());
ok(poll_until(sub { state() eq '24 0 0 0' }), 'and done with') or diag(state());

$from = -s $node->logfile;
sql(q{ALTER FOREIGN TABLE jobs OPTIONS (ADD "dlq.topic" 'elsewhere'); REVOKE INSERT ON elsewhere FROM publisher; GRANT INSERT ON elsewhere TO app});
produce(2);
is(acquires($third), '24-25x1', 'a member has records');
is(acks($third, [ 24, 24, 3 ], [ 25, 25, 1 ]), 0, 'it rejects one');
ok(failure_is_told('owner of topic "jobs" is not allowed', $from), q{the topic's owner must be allowed to, too});
sql(q{GRANT INSERT ON elsewhere TO publisher; ALTER FOREIGN TABLE jobs OPTIONS (SET "dlq.topic" 'nowhere')});
ok(failure_is_told('topic public.nowhere, the dead-letter topic of "jobs", does not exist', $from, $third), 'a topic that there is not');

# The client waits in a fetch, which sees to it.
send_share_fetch($third->{client}, group => 'g', member => 'third', epoch => $third->next_epoch, wait => 60_000);
sql(q{SELECT create_topic('nowhere'); GRANT INSERT ON nowhere TO app, publisher});
ok(poll_until(sub { dead('nowhere') eq '24x1' }), 'it is sent on as soon as the topic is there');
produce(1);
is(acquired_text(read_share_fetch($third->{client})->{partitions}{$p}), '26-26x1', 'by a fetch that waits');
is(acks($third, [ 26, 26, 3 ]), 0, 'another one');
ok(poll_until(sub { state() eq '27 0 0 0' }), 'is done with') or diag(state());

# ---- without one, and in SQL -----------------------------------------------------------------

produce(2, 'plain');
is(acquires($third, $ids->{plain}), '0-1x1', 'a topic without a dead-letter topic');
is($third->acknowledge({ "$ids->{plain}:0" => [ [ 0, 1, 3 ] ] })->{partitions}{"$ids->{plain}:0"}{error}, 0, 'records are rejected');
is(state('plain'), '2 0 0 0', 'and the group is done with them at once');

sql(q{ALTER FOREIGN TABLE jobs OPTIONS (SET "dlq.topic" 'missing')});
$from = -s $node->logfile;
produce(2);
is(acquires($third), '27-28x1', 'a member has records');
is(acks($third, [ 27, 27, 3 ], [ 28, 28, 2 ]), 0, 'it rejects one');
ok(failure_is_told('topic public.missing', $from), 'which cannot be sent on');
my ($rc, $out, $err) = $node->psql('postgres', q{SET ROLE app; SELECT count(*) FROM consume_shared('jobs', 'g')});
like($err, qr/topic public.missing, the dead-letter topic of "jobs", does not exist/, 'a consumer in SQL is told');
$third->{client}->close;
sql(q{SELECT create_topic('missing'); GRANT INSERT ON missing TO app, publisher});
is(sql(q{SET ROLE app; SELECT string_agg(record_offset || 'x' || delivery_count, ' ') FROM consume_shared('jobs', 'g')}), '28x2', 'or sends it on');
is(dead('missing'), '27x1', 'in its transaction');
is(state(), '29 0 0 0', 'and all is done');
is(sql(q{SET ROLE other; SELECT count(*) FROM consume_shared('jobs', 'g')}), '0', 'once');

# ---- crashes ------------------------------------------------------------------------------------

sql(q{ALTER FOREIGN TABLE jobs OPTIONS (DROP "dlq.topic"); TRUNCATE "jobs.dlq"});
my $n = 29;

# Reject two records, let a process die at a step of sending them on, and let them be sent on afterwards.
sub crash_at
{
	my ($point) = @_;
	my $crashes = sub { return scalar(() = slurp_file($node->logfile) =~ /all server processes terminated/g) };
	my $before = $crashes->();
	my $member = member("c$n");

	sql(q{REVOKE INSERT ON "jobs.dlq" FROM app});
	produce(3);
	is(acquires($member), "$n-" . ($n + 2) . 'x1', "$point: a member has records");
	is(acks($member, [ $n, $n + 1, 3 ], [ $n + 2, $n + 2, 1 ]), 0, "$point: it rejects two");
	$node->append_conf('postgresql.conf', "pg_topics.fault_point = '$point'");
	$node->reload;
	sql(q{GRANT INSERT ON "jobs.dlq" TO app});
	ok(poll_until(sub { eval { $member->fetch(wait => 0) }; $crashes->() > $before }), "$point: a process dies");
	$node->append_conf('postgresql.conf', "pg_topics.fault_point = ''");
	wait_ready($node);
	$node->reload;
	ok(wait_for_listener(), "$point: the server is there again");
	$member = member("d$n");
	is(looks($member), '', "$point: nobody gets them");
	$n += 3;
	ok(poll_until(sub { looks($member); state() eq "$n 0 0 0" }), "$point: all is done") or diag(state());
	is(dead(), join(' ', map { ($_ * 3 + 29) . 'x1', ($_ * 3 + 30) . 'x1' } 0 .. ($n - 29) / 3 - 1), "$point: there is one copy of each");
	return;
}

crash_at('kafka-rejected-sent');
crash_at('append-written');

# The server stops before anything is sent on.
my $member = member('late');
sql(q{REVOKE INSERT ON "jobs.dlq" FROM app});
produce(1);
is(acquires($member), "$n-${n}x1", 'a record');
is(acks($member, [ $n, $n, 3 ]), 0, 'is rejected');
$node->stop('immediate');
$node->start;
ok(wait_for_listener(), 'the server is there again');
sql(q{GRANT INSERT ON "jobs.dlq" TO app; SELECT merge_share_acks()});
$member = member('late');
ok(poll_until(sub { looks($member); dead() =~ / ${n}x1$/ }), 'it is sent on after a restart');
ok(poll_until(sub { state() eq ($n + 1) . ' 0 0 0' }), 'and done with') or diag(state());

unlike(slurp_file($node->logfile), qr/PANIC|TRAP/, 'nothing has gone wrong');
done_testing();
