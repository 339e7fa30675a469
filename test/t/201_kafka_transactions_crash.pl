# Files under test: src/broker/transactions/txn_coordinator.c, txn_request.c, txn_timeout.c, src/broker/core/turn.c, and
# src/broker/data/turn_batch.c.
# Transactions of Kafka's clients through crashes at each step, timeouts, a fail-over, and errors of others in their turn: each is
# seen as a whole, or is not, as its client is told when it asks again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaConsumer;
use KafkaServer;
use KafkaTransactions;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my @listener = ("pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = 'app'");
my $node = new_node('main', init => { allows_streaming => 1 }, settings => [ @listener, 'restart_after_crash = on',
	'wal_writer_delay = 10s', 'wal_writer_flush_after = 0', 'bgwriter_lru_maxpages = 0', 'checkpoint_timeout = 1h', 'log_min_messages = log' ]);
$node->start;
use_kafka_server($node, $port);
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 2), create_topic('more');
	GRANT SELECT, INSERT ON events, more TO app});
wait_for_listener() or die;

my $client = client();
my $ids = 0;

# A connection to the server, which may be about to start.
sub reconnect
{
	my ($where) = @_;

	poll_until(sub { $client = KafkaClient->new($where // $port) and eval { $client->api_versions } }) or die 'no listener';
	return;
}

# A transaction with a record in each partition, of a new transactional id; its id, producer and epoch.
sub open_transaction
{
	my ($version) = @_;
	my $name = 'id' . ++$ids;
	my ($error, $id, $epoch) = init_transactions($client, $name);

	die "error $error" if $error != 0;
	if ($version < 5)
	{
		is(begin_transaction($client, $name, $id, $epoch, { events => [ 0, 1 ] }), 0, "$name: begun");
	}
	foreach my $partition (0, 1)
	{
		like(transactional_produce($client, $name, $id, $epoch, 'events', $partition, 0, [$name], version => $version < 5 ? 11 : 12),
			qr/^0 \d+$/, "$name: produced");
	}
	return ($name, $id, $epoch);
}

sub count_of { return sql("SELECT count(*) FROM events WHERE value = '$_[0]'") }

# Ask again for an end, as clients do: the error.
sub ask_again
{
	my (@end) = @_;
	my $error = 'nothing';

	poll_until(sub {
		$error = (end_transaction($client, @end))[0];
		reconnect() if !defined $error;
		return defined $error && $error !~ /^(?:14|15|16|51)$/;
	}) or die "error $error";
	return $error;
}

# What its client is told must be so, and it must be able to go on.
sub check_whole
{
	my ($what, $version, $name, $id, $epoch) = @_;
	my $error = ask_again($name, $id, $epoch, 1, version => $version);
	my $seen = count_of($name);

	like($error, $version < 5 ? qr/^(?:0|90)$/ : qr/^(?:0|120)$/, "$what: the answer is $error");
	is($seen, $error == 0 ? 2 : 0, "$what: so are its records");
	my ($again, $next_id, $next) = init_transactions($client, $name);
	is("$again $next_id", "0 $id", "$what: its producer goes on");
	transactional_produce($client, $name, $id, $next, 'events', 0, 0, ["$name next"]);
	is((end_transaction($client, $name, $id, $next, 1))[0], 0, "$what: with the next one");
	is(count_of("$name next"), 1, "$what: which is committed");
	return $error;
}

sub set_fault
{
	my ($fault) = @_;

	sql(qq{ALTER SYSTEM SET pg_topics.fault_point = '$fault'});
	sql('SELECT pg_reload_conf()');
	return;
}

# Open a transaction and send its end to a process that meets the fault there; one that has not heard of that yet ends it.
sub end_at_fault
{
	my ($version, $opened, $is_met) = @_;
	my @transaction;

	for (;;)
	{
		@transaction = open_transaction($opened);
		send_end($client, @transaction, 1, version => $version);
		poll_until(sub { $is_met->() || $client->is_readable }) or die 'no answer';
		# the connection's end tells of a death
		last if $is_met->() || !defined((read_end_transaction($client))[0]);
	}
	return @transaction;
}

# ---- the process dies --------------------------------------------------------------------

foreach my $place (qw(kafka-end-logged txn-end-done kafka-end-before-commit))
{
	foreach my $version (3, 5)
	{
		my $from = -s $node->logfile;

		set_fault($place);
		my @transaction = end_at_fault($version, $version, sub {
			return slurp_file($node->logfile, $from) =~ /dying at fault point/ });
		$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
		$node->reload;
		poll_until(sub { slurp_file($node->logfile, $from) =~ /dying at fault point "\Q$place\E"\n.*database system is ready to accept connections/s }) or die;
		reconnect();
		check_whole("$place $version", $version, @transaction);
	}
}

# ---- the end is durable, and the commit is not ------------------------------------------------

foreach my $version (3, 4, 5)
{
	my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND datname = 'postgres'});

	set_fault('kafka-end-before-commit:stop');
	# a client that begins by Produce and ends as older ones do has its transaction marked first
	my @transaction = end_at_fault($version, $version == 4 ? 5 : $version, sub { slurp_file("/proc/$worker/stat") =~ /\) T / });
	sql(q{SELECT pg_logical_emit_message(true, 'flush', '')});
	kill_all($node);
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->start;
	reconnect();
	my $error = ask_again(@transaction, 1, version => $version);
	is($error, $version == 3 ? 90 : 120, "version $version: a commit that was lost is told of");
	is(count_of($transaction[0]), 0, 'nothing of it is there');
	is(transactional_produce($client, @transaction, 'events', 0, 1, ['half'], version => 12), '120 -1', 'nothing is added to it')
		if $version < 5;
	is(ask_again(@transaction, 0, version => $version), 0, 'it can be aborted');
	is((init_transactions($client, $transaction[0]))[0], 0, 'its client goes on');
	is(count_of('half'), 0, 'no half of it is there');
}

# ---- an error of another one in the turn ---------------------------------------------------------

{
	my ($name, $id, $epoch) = open_transaction(5);
	my $other = client();
	my $third = client();
	my ($error, $other_id, $other_epoch) = init_transactions($other, 'other');
	my $sequence = 0;

	# both in a turn: one ends, and what another one produces meets an error behind that
	set_fault('log-write:ENOSPC');
	poll_until(sub { transactional_produce($other, 'other', $other_id, $other_epoch, 'more', 0, $sequence, ['before']) !~ /^0 / || !++$sequence })
		or die 'no error';
	my $stopped = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND datname = 'postgres'});
	kill 'STOP', $stopped;
	send_end($third, $name, $id, $epoch, 1);
	send_transactional_produce($other, 'other', $other_id, $other_epoch, 'more', 0, $sequence, ['fails']);
	kill 'CONT', $stopped;
	my @answer = read_end_transaction($third);
	my $produced = read_transactional_produce($other);
	is($produced, '56 -1', 'one that produces meets an error');
	$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$node->reload;
	is(count_of($name), $answer[0] == 0 ? 2 : 0, 'what is told of the end is so') or diag "@answer";
	is(join(' ', end_transaction($third, $name, $id, $epoch, 1)), "0 $id " . ($epoch + 1), 'also when it is asked again');
	is(count_of($name), 2, 'it is committed');
}

# ---- an end that is not durable yet ------------------------------------------------------------------

# Open a transaction, with a record behind it, and end it while nobody flushes the WAL; where something else has flushed it, another one.
sub end_unflushed
{
	my ($commit) = @_;

	foreach my $try (1 .. 5)
	{
		my @transaction = open_transaction(5);
		my $consumer = KafkaConsumer->new($port);

		sql(qq{INSERT INTO events (partition, value) VALUES (0, 'behind $transaction[0]')});
		# of a partition that a process meets for the first time it must know what is durable
		poll_until(sub { $consumer->fetch(version => 11, topics => { events => { 0 => 0 } })->{events}{0}{high_watermark} > 0 }) or die 'no consumer';
		my @others = split /\n/, sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type IN ('walwriter', 'pg_topics sync', 'pg_topics kafka flush')});
		is(@others + 0, 3, 'who would flush the WAL');
		halt_asleep($node, @others);
		my $from = sql('SELECT pg_current_wal_insert_lsn()');
		send_end($client, @transaction, $commit);
		poll_until(sub { sql("SELECT state = 'open' FROM pg_kafka_transactions WHERE transactional_id = '$transaction[0]'") eq 'f' }) or die 'it does not end';
		return ($consumer, @transaction) if sql("SELECT pg_current_wal_flush_lsn() <= '$from'") eq 't';
		note(sql(q{SELECT string_agg(backend_type || ' ' || coalesce(wait_event, ''), ', ') FROM pg_stat_activity}));
		go_on();
		is((read_end_transaction($client))[0], 0, 'it was flushed');
	}
	die 'an end is always flushed';
}

# Its client is not answered, and consumers are given nothing of it and nothing from behind; who sees it in SQL has made it durable, and
# without that flush would have seen what the crash takes back.
foreach my $commit (1, 0)
{
	foreach my $reader ('nobody', 'a reader', 'a reader that does not flush')
	{
		my $how = ($commit ? 'a commit that ' : 'an abort that ') . "$reader sees";
		my ($consumer, @transaction) = end_unflushed($commit);
		my $behind = "behind $transaction[0]";

		ok(!$client->is_readable, "$how: its client is not answered");
		unlike($consumer->fetch(version => 11, topics => { events => { 0 => 0 } })->{events}{0}{records}, qr/\Q$transaction[0]\E/,
			"$how: a consumer is given nothing of it, and nothing behind");
		if ($reader ne 'nobody')
		{
			my $skip = $reader eq 'a reader' ? '' : q{SET pg_topics.fault_point = 'kafka-seen-flush:skip';};

			is(sql(qq{$skip SELECT count(*) FILTER (WHERE value = '$transaction[0]'), count(*) FILTER (WHERE value = '$behind') FROM events}),
				$commit ? '2|1' : '0|1', "$how: it is seen");
		}
		kill_all($node);
		go_on();
		$node->start;
		reconnect();
		is(sql("SELECT state FROM pg_kafka_transactions WHERE transactional_id = '$transaction[0]'"),
			$reader ne 'a reader' ? 'open' : $commit ? 'committed' : 'aborted', "$how: after a crash");
		is(ask_again(@transaction, $commit), 0, "$how: its client ends it");
		is(count_of($transaction[0]), $commit ? 2 : 0, "$how: as it has asked");
		is(count_of($behind), 1, "$how: what is behind is seen");
	}
}

# ---- too long ---------------------------------------------------------------------------------

{
	my ($error, $id, $epoch) = init_transactions($client, 'slow', timeout => 300);
	my $consumer = KafkaConsumer->new($port);

	transactional_produce($client, 'slow', $id, $epoch, 'more', 0, 0, ['slow']);
	sql(q{INSERT INTO more (value) VALUES ('behind')});
	ok(poll_until(sub {
		my $records = $consumer->fetch(version => 11, topics => { more => { 0 => 0 } })->{more}{0}{records};
		$records =~ /behind/ }), 'one that is open for too long holds nobody back any more');
	is(sql(q{SELECT count(*) FROM more WHERE value = 'slow'}), 0, 'it is aborted');
	is(transactional_produce($client, 'slow', $id, $epoch, 'more', 0, 1, ['slow']), '47 -1', 'its producer is fenced');
	is((end_transaction($client, 'slow', $id, $epoch, $_))[0], 90, 'and ends nothing') foreach 0, 1;
	is(join(' ', init_transactions($client, 'slow')), "0 $id " . ($epoch + 2), 'it can begin anew');
	like(slurp_file($node->logfile), qr/aborting a transaction of a Kafka client.*\n.*DETAIL:  It is that of the transactional id "slow"/, 'the server log tells');

	# nobody could end this one
	($error, $id, $epoch) = init_transactions($client, 'gone');
	transactional_produce($client, 'gone', $id, $epoch, 'more', 0, 0, ['gone']);
	sql(q{DELETE FROM topic_kafka_transactional_ids WHERE transactional_id = 'gone'; INSERT INTO more (value) VALUES ('behind gone')});
	ok(poll_until(sub { $consumer->fetch(version => 11, topics => { more => { 0 => 0 } })->{more}{0}{records} =~ /behind gone/ }),
		'one without a transactional id is aborted');
	is((init_transactions($client, 'gone'))[0], 0, 'which can be had again');
}

# ---- a fail-over --------------------------------------------------------------------------------

{
	my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
	my $standby = start_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'");
	my @ended = open_transaction(5);
	my @one = open_transaction(3);
	my @other = open_transaction(5);

	is((end_transaction($client, @ended, 1))[0], 0, 'one is committed');
	$node->wait_for_catchup($standby);
	kill_all($node);
	$standby->promote;
	use_kafka_server($standby, $standby_port);
	$port = $standby_port;
	reconnect();
	is(ask_again(@ended, 1), 0, 'after a fail-over it still is');
	is(count_of($ended[0]), 2, 'as a whole');
	is(ask_again(@one, 1, version => 3), 0, 'one that was open is committed');
	is(ask_again(@other, 1), 0, 'and another one');
	is(count_of($_), 2, 'it is whole') foreach $one[0], $other[0];
	is(join(' ', init_transactions($client, $one[0])), "0 $one[1] " . ($one[2] + 1), 'the producer goes on');
	$standby->stop;
}

done_testing();
