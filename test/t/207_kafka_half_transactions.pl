# Files under test: src/broker/transactions/txn_coordinator.c, txn_timeout.c, txn_request.c, write_txn_markers.c, and
# abort_kafka_transaction.c.
# A transaction that somebody else than its client ends, and what becomes of that is lost but for the log's record: its client, which
# knows of nothing, must not be able to commit what it sends next, as that is half of what it takes for one transaction.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaServer;
use KafkaTransactions;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = 'app'",
	'wal_writer_delay = 10s', 'wal_writer_flush_after = 0', 'checkpoint_timeout = 1h' ]);
$node->start;
use_kafka_server($node, $port);
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 2);
	GRANT SELECT, INSERT ON events TO app});
wait_for_listener() or die;

my $client = client();
my $ids = 0;

sub worker { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND datname = 'postgres'}) }
sub is_stopped { return slurp_file("/proc/$_[0]/stat") =~ /\) T / }
sub count_of { return sql("SELECT count(*) FROM events WHERE value = '$_[0]'") }

# The first half of a transaction of a new transactional id; its id, producer and epoch.
sub open_half
{
	my ($timeout, $partition) = @_;
	my $name = 'id' . ++$ids;
	my ($error, $id, $epoch) = init_transactions($client, $name, timeout => $timeout);

	die "error $error" if $error != 0;
	transactional_produce($client, $name, $id, $epoch, 'events', $partition // 0, 0, [$name]) =~ /^0 / or die;
	return ($name, $id, $epoch);
}

# Its client goes on: is what it gets a half?
sub check_half
{
	my ($what, $name, $id, $epoch) = @_;
	my $produced = transactional_produce($client, $name, $id, $epoch, 'events', 0, 1, [$name]);
	my ($ended) = end_transaction($client, $name, $id, $epoch, 1);
	my $seen = count_of($name);

	note("$what: produced $produced, ended $ended");
	is($seen, $ended == 0 ? 2 : 0, "$what: no half is committed");
	return;
}

# Let a server that is about to end a transaction lose all but the log's record of that.
sub lose_commit
{
	sql(q{SELECT pg_logical_emit_message(true, 'flush', '')});
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	poll_until(sub { $client = KafkaClient->new($port) and eval { $client->api_versions } }) or die 'no listener';
	return;
}

sub set_fault
{
	sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'kafka-end-before-commit:stop'});
	sql('SELECT pg_reload_conf()');
	return;
}

# ---- ended by somebody else -----------------------------------------------------------------

my $other;
my @ends = (
	[ 'another client', 60000, sub { send_init($other, $_[0]) } ],
	[ 'a timeout', 200, sub { } ],
	[ 'SQL', 60000, sub { sql("SELECT abort_kafka_transaction('$_[0]')") } ],
	[ 'an administrator', 60000, sub { send_markers($other, $_[1], $_[2], 0, 'events', 0) } ]);

foreach my $end (@ends)
{
	my ($what, $timeout, $do) = @$end;
	my $worker = worker();
	my @half;

	set_fault();
	# one that has not heard of that yet ends it
	do
	{
		$other = client();
		@half = open_half($timeout);
		$do->(@half);
		poll_until(sub { is_stopped($worker) || sql("SELECT state FROM pg_kafka_transactions WHERE transactional_id = '$half[0]'") ne 'open' }) or die;
	} until is_stopped($worker);
	lose_commit();
	check_half($what, @half);
	my ($error, $id, $epoch) = init_transactions($client, $half[0]);
	is("$error $id", "0 $half[1]", "$what: its producer goes on");
	transactional_produce($client, $half[0], $id, $epoch, 'events', 0, 0, ["$half[0] next"]);
	is((end_transaction($client, $half[0], $id, $epoch, 1))[0], 0, "$what: with the next one");
	is(count_of("$half[0] next"), 1, "$what: which is committed");
}

# ---- two that end it at once -----------------------------------------------------------------------

{
	my ($name, $id, $epoch) = open_half(60000);
	my $worker = worker();

	is((end_transaction($client, $name, $id, $epoch, 1, version => 4))[0], 0, 'one is committed');
	is(count_of($name), 1, 'and is there');
	transactional_produce($client, $name, $id, $epoch, 'events', 0, 1, ['second']) =~ /^0 / or die;
	set_fault();
	kill 'STOP', $worker;
	poll_until(sub { is_stopped($worker) }) or die;
	my @askers = (client(), client());
	send_end($_, $name, $id, $epoch, 1, version => 4) foreach @askers;
	kill 'CONT', $worker;
	# where the process has not heard of the fault yet, it is committed
	poll_until(sub { is_stopped($worker) || $askers[0]->is_readable }) or die;
	lose_commit();
	my $error = 51;
	poll_until(sub { $error = (end_transaction($client, $name, $id, $epoch, 1, version => 4))[0]; $error != 51 }) or die;
	is(count_of('second'), $error == 0 ? 1 : 0, 'the one behind it is not taken for it') or diag "error $error";
}

# ---- one of several ------------------------------------------------------------------------------------

{
	my @first = open_half(60000);
	my @second = open_half(60000, 1);
	my $session = open_session($node);

	$session->run("BEGIN; SELECT FROM topic_kafka_transactional_ids WHERE transactional_id = '$second[0]' FOR UPDATE");
	is(write_markers($client, @first[ 1, 2 ], 0, 'events', 0, also => [ [ @second[ 1, 2 ] ] ]), '51 51', 'one of two cannot be aborted now');
	check_half('the other one', @first);
	$session->run('ROLLBACK');
	is(write_markers($client, $first[1], $first[2] + 1, 0, 'events', 0, also => [ [ @second[ 1, 2 ] ] ]), '0 0', 'then it can');
	check_half('that one', @second);
}

# ---- the extension made anew -----------------------------------------------------------------------------

{
	my @half = open_half(60000);
	my $from = -s $node->logfile;

	sql(q{DROP EXTENSION pg_topics CASCADE; CREATE EXTENSION pg_topics; SELECT create_topic('events'); GRANT SELECT, INSERT ON events TO app});
	ok(poll_until(sub { $client = client(); (init_transactions($client, 'anew'))[0] == 0 }), 'the tables of a new one are found');
}

$node->stop;
done_testing();
