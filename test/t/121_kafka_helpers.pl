#!/usr/bin/env perl
# The processes that serve requests of Kafka's clients which may wait (src/broker/helpers/helper_pool.c,
# topic_change.c, src/broker/helper_process.c), in trouble: they end, halt, are too few, or have lost their client.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaServer;
use KafkaTopics;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($port, $other_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1, 2;
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres, 127.0.0.1:$other_port/other'",
	"pg_topics.kafka_anonymous_role = 'app'",
	'max_worker_processes = 20', 'wal_level = replica', 'max_wal_senders = 2' ]);
$node->start;
use_kafka_server($node, $port);

sub pids { return split /\n/, sql("SELECT pid FROM pg_stat_activity WHERE datname = 'postgres' AND backend_type = '$_[0]' ORDER BY pid") }

sub helpers { return pids('pg_topics kafka helper') }

sub listener { return (pids('pg_topics kafka'))[0] }

# The helpers that wait for a lock, when there are so many.
sub waiting_helpers
{
	my ($count) = @_;
	my @pids;

	poll_until(sub { @pids = split /\n/, sql(q{SELECT pid FROM pg_stat_activity
		WHERE backend_type = 'pg_topics kafka helper' AND wait_event_type = 'Lock'});
		return @pids == $count }) or die "not $count helpers wait, but " . @pids;
	return @pids;
}

# A topic that a session of the name uses, so that nobody can delete it.
my %sessions;
sub hold
{
	my (@topics) = @_;

	foreach my $topic (@topics)
	{
		sql("SELECT create_topic('$topic'); ALTER FOREIGN TABLE $topic OWNER TO app");
		$sessions{$topic} = open_session($node);
		$sessions{$topic}->run("BEGIN; SELECT count(*) FROM $topic");
	}
	return;
}

sub release { foreach my $topic (@_) { $sessions{$topic}->run('COMMIT'); (delete $sessions{$topic})->close } return }

# Is there a topic, whoever has locked it?
sub exists_topic { return sql("SELECT count(*) FROM pg_class WHERE relname = '$_[0]'") }

sql('CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app; CREATE EXTENSION pg_topics; CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION pg_topics; GRANT CREATE ON SCHEMA public TO app');
ok(poll_until(sub { KafkaClient->new($port) && KafkaClient->new($other_port) }), 'the listeners have started') or BAIL_OUT('no listener');
my $client = client();

# ---- a helper ends ------------------------------------------------------------------

hold('held');
send_delete($client, ['held']);
my ($pid) = waiting_helpers(1);
sql("SELECT pg_terminate_backend($pid)");
my $results = read_delete($client);
is($results->[0]{error}, 7, 'where a helper ends in its work, the client is told to try again');
like($results->[0]{message}, qr/^the process that served the request has ended/, 'and why');
ok(exists_topic('held'), 'nothing is half done');
is(create_error($client, 'after'), 0, 'the next request finds a new helper');
my ($idle) = helpers();
sql("SELECT pg_terminate_backend($idle)");
is(delete_error($client, 'after'), 0, 'as it does where one has ended that was free');
my $before = slurp_file($node->logfile);
send_delete($client, ['held']);
($pid) = waiting_helpers(1);
sql("SELECT pg_cancel_backend($pid)");
is(read_delete($client)->[0]{error}, 7, 'a helper whose statement is canceled');
is(join(' ', helpers()), $pid, 'goes on');

# ---- a client goes ------------------------------------------------------------------

my $gone = client();
send_delete($gone, ['held']);
waiting_helpers(1);
$gone->close;
ok(poll_until(sub { sql('SELECT count(*) FROM pg_kafka_connections') == 1 }), 'a client goes while its request is served');
release('held');
ok(poll_until(sub { !exists_topic('held') }), 'which is done all the same');
is(create_error($client, 'held'), 0, 'and nothing is left of it');
is(delete_error($client, 'held'), 0, 'for others');

# ---- more requests than helpers --------------------------------------------------------

my @held = map { "held$_" } 1 .. 6;
hold(@held);
my @clients = map { client() } @held;
send_delete($clients[$_], [ $held[$_] ]) foreach 0 .. 5;
my @pids = waiting_helpers(3);
my $start = time;
is(create_error($client, 'late', timeout => 700), 7, 'a request that no helper is free for is told so in time');
cmp_ok(time - $start, '<', 30, 'not later');
ok(!exists_topic('late'), 'and not done');
is_deeply($client->metadata('held1')->{topics}{held1}{error} // 'none', 5, 'others are served meanwhile');
$gone = client();
send_create($gone, [ { name => 'never' } ]);
$gone->close;
release(@held);
is(join(' ', map { read_delete($_)->[0]{error} } @clients), '0 0 0 0 0 0', 'those that wait are served when it is their turn');
is(create_error($client, 'again'), 0, 'and later ones');
ok(!exists_topic('never'), 'not those whose client has gone');
is(delete_error($client, 'again'), 0, 'a topic is deleted');

# ---- one role and others ---------------------------------------------------------------

sql('CREATE ROLE ' . $_ . ' LOGIN; GRANT CREATE ON SCHEMA public TO ' . $_) foreach 'second', 'third';
@held = map { "greedy$_" } 1 .. 8;
hold(@held);
@clients = map { client() } @held;
send_delete($clients[$_], [ $held[$_] ]) foreach 0 .. 7;
waiting_helpers(3);
my ($second, $third) = (client_as('second'), client_as('third'));
is(create_error($second, 'of-second'), 0, 'a role that has many requests leaves a helper for another role');
is(create_error($third, 'of-third'), 0, 'and for a third one');
send_create($second, [ { name => 'second-waits', configs => [ 'no.such' => 1 ] } ]);
is(read_create($second)->{'second-waits'}{error}, 40, 'whose requests are served one after the other');

# all helpers are taken, by two roles
sql(q{SELECT create_topic('second-held'); ALTER FOREIGN TABLE "second-held" OWNER TO second});
$sessions{'second-held'} = open_session($node);
$sessions{'second-held'}->run('BEGIN; SELECT count(*) FROM "second-held"');
my $second_delete = client_as('second');
send_delete($second_delete, ['second-held']);
waiting_helpers(4);
send_create($third, [ { name => 'third-waits' } ]);
$client->metadata('greedy1');
release('greedy1');
is(read_create($third)->{'third-waits'}{error}, 0, 'the next helper that is free is for a role that has none');
is(read_delete($clients[0])->[0]{error}, 0, 'the first of many is done');
waiting_helpers(4);
# while others wait, a role has half of the helpers: when one of its three is free, it goes to another role
my @thirds = map { client_as('third') } 1 .. 2;
send_create($thirds[$_], [ { name => "thirds$_" } ]) foreach 0, 1;
$client->metadata('greedy2');
release('greedy2');
is(join(' ', map { read_create($thirds[$_])->{"thirds$_"}{error} } 0, 1), '0 0', 'others have their turns before the rest of the many');
release('second-held', map { "greedy$_" } 3 .. 8);
is(read_delete($second_delete)->[0]{error}, 0, 'all is done in the end');
is(join(' ', map { read_delete($_)->[0]{error} } @clients[ 1 .. 7 ]), '0 0 0 0 0 0 0', 'also the rest of the many');

# topics that nobody waits for
sql('ALTER SYSTEM SET pg_topics.kafka_auto_create_topics = on');
sql(q{ALTER SYSTEM SET pg_topics.kafka_rack = 'auto'});
$node->reload;
poll_until(sub { $client->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(0)); $client->read_frame =~ /auto/ })
  or die 'the listener does not have the settings';
@held = map { "busy$_" } 1 .. 6;
hold(@held);
@clients = map { client() } @held;
send_delete($clients[$_], [ $held[$_] ]) foreach 0 .. 5;
waiting_helpers(3);
metadata_error($client, "auto-app$_", create => 1) foreach 1 .. 10;
metadata_error($second, "auto-second$_", create => 1) foreach 1 .. 3;
ok(poll_until(sub { metadata_error($second, 'auto-second3') eq '0:1' }), 'what one role asks for takes not the place of what others do');
ok(!exists_topic('auto-app1'), 'while its own waits');
release(@held);
is(join(' ', map { read_delete($_)->[0]{error} } @clients), '0 0 0 0 0 0', 'until it is its turn');
ok(poll_until(sub { exists_topic('auto-app4') }), 'some of that is done then');
ok(!exists_topic('auto-app5'), 'and not more than half of what all may leave');
sql('ALTER SYSTEM RESET pg_topics.kafka_auto_create_topics');
sql('ALTER SYSTEM RESET pg_topics.kafka_rack');
$node->reload;

# ---- a helper halts -------------------------------------------------------------------

sub set_fault { sql("ALTER SYSTEM SET pg_topics.fault_point = '$_[0]'"); $node->reload; return }

# the setting counts in helpers that start anew
sub end_helpers
{
	foreach (helpers())
	{
		sql("SELECT pg_terminate_backend($_)");
	}
	poll_until(sub { !helpers() }) or die 'helpers do not end';
	return;
}

end_helpers();
set_fault('helper-serve:halt');
send_create($client, [ { name => 'halted' } ], timeout => 500);
poll_until(sub { helpers() == 1 }) or die 'no helper';
($pid) = helpers();
wait_halted($pid);
set_fault('');
is(read_create($client)->{halted}{error}, 7, 'a helper that does not come to an end keeps no client waiting');
is(create_error($client, 'beside'), 0, 'nor others');
go_on($pid);
ok(poll_until(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state = 'idle'") }), 'it is free again when it goes on');
ok(!exists_topic('halted'), 'and has not done what there was no time for');
is(delete_error($client, 'beside'), 0, 'a topic is deleted');

# ---- standbys that are away -----------------------------------------------------------------

sql(q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
my ($n, $took) = (0);
ok(poll_until(sub { $start = time; my $error = create_error($client, 'alone' . ++$n, timeout => 1500); $took = time - $start; return $error == 7 }),
	'where a standby is away, the time is waited for');
cmp_ok($took, '>', 1.4, 'all of it');
ok(exists_topic("alone$n"), 'the topic is there, though');
is(create_error($client, "alone$n", timeout => 1500), 36, 'as the next attempt tells');
sql('ALTER SYSTEM RESET synchronous_standby_names');
$node->reload;

# ---- the listener ends -------------------------------------------------------------------------

hold('kept');
send_delete($client, ['kept']);
($pid) = waiting_helpers(1);
my $old = listener();
sql("SELECT pg_terminate_backend($old)");
ok($client->is_closed, 'the listener ends, and with it the connection');
ok(poll_until(sub { my $new = listener(); $new && $new != $old && ($client = KafkaClient->new($port)) }), 'it starts again');
is(create_error($client, 'anew'), 0, 'and serves requests');
release('kept');
ok(poll_until(sub { !grep { $_ == $pid } helpers() }), 'the helper of the old one has ended');
ok(!exists_topic('kept'), 'having done its work');

# ---- a database is dropped --------------------------------------------------------------------------

my $other = KafkaClient->new($other_port);
is(create_error($other, 'there'), 0, 'a topic in another database');
$node->safe_psql('postgres', 'DROP DATABASE other');
pass('a database is dropped that has a helper');

# ---- a helper that is quick ---------------------------------------------------------------------------

# a helper may be at its queues sooner than the listener is back from starting it
end_helpers();
set_fault('helper-registered:halt');
sql(q{ALTER SYSTEM SET pg_topics.kafka_rack = 'halting'});
$node->reload;
poll_until(sub { $client->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(0)); $client->read_frame =~ /halting/ })
  or die 'the listener does not have the settings';
send_create($client, [ { name => 'early' } ], timeout => 20000);
$old = listener();
wait_halted($old);
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka helper' AND state = 'idle'}) }),
	'a helper is ready before the listener is back from starting it');
go_on($old);
is(read_create($client)->{early}{error}, 0, 'and serves its first request');
set_fault('');

# ---- the end ------------------------------------------------------------------------------------------

ok(poll_until(sub { !helpers() }), 'helpers end that have nothing to do');
is(create_error($client, 'last'), 0, 'and start again');
unlike(substr(slurp_file($node->logfile), length $before), qr/TRAP|PANIC|still running|leak/, 'the log tells of no trouble');
$node->stop;

# ---- no room for a process ------------------------------------------------------------------------------

$node = new_node('full', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'",
	"pg_topics.kafka_anonymous_role = 'app'",
	'max_logical_replication_workers = 0',
	'max_worker_processes = 6' ]);
$node->start;
use_kafka_server($node, $port);
sql('CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app; CREATE EXTENSION pg_topics');
sql(q{SELECT create_topic('first')});
ok(poll_until(sub { pids('pg_topics maintenance') == 1 }), 'a server whose worker processes all run');
ok(poll_until(sub { $client = KafkaClient->new($port) }), 'the listener has started');
$start = time;
is(create_error($client, 'none', timeout => 1200), 7, 'a request that there is no process for is told so in time');
cmp_ok(time - $start, '<', 30, 'not later');
like(slurp_file($node->logfile), qr/could not start a helper process for requests of Kafka clients: too many background workers/, 'the log says why');
send_create($client, [ { name => 'none' } ]);
sql('DROP FOREIGN TABLE first');
ok(poll_until(sub { pids('pg_topics maintenance') == 0 }), 'a process ends');
is(read_create($client)->{none}{error}, 0, 'and the request is served by one that takes its place');
$node->stop;

done_testing();
