# Files under test: src/wal/log_redo.c (the next transaction id), src/broker/data/turn_batch.c, produce.c.
# A broker that dies between its append and its commit leaves a batch in the WAL whose transaction has no
# other trace there.  Whoever replays that, after a crash, on a standby or up to a point in time, must
# not give the transaction's id to a stranger, or the batch would be his.  And an answer to a
# batch that was sent again waits until its first append is durable, whoever did not wait for that.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ProducerProbe;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', init => { has_archiving => 1, allows_streaming => 1 },
	settings => [ kafka_settings($port), 'restart_after_crash = off', 'checkpoint_timeout = 1h',
		'wal_retrieve_retry_interval = 50ms' ]);

$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events');
	GRANT SELECT, INSERT ON events TO producer;
	CREATE TABLE strangers (n int);
	SELECT produce('events', 'first'::text)});
$node->backup('backup');

sub sql { return $node->safe_psql('postgres', @_) }

# A connection, as soon as there is a listener.
sub connect_to
{
	my ($where) = @_;
	my $client;

	poll_until(sub { $client = kafka_connect($where) }) or die 'no listener';
	return $client;
}

# The producer's id is the server's to give.
sub new_producer
{
	my ($error, $id);

	poll_until(sub { ($error, $id) = init_producer_id(connect_to($port)); $error != 14 }) or die 'no id';
	die "error $error" if $error != 0;
	return { id => $id, sequence => 0 };
}

# The next batch of a producer: one record.
sub batch
{
	my ($producer, $sequence) = @_;

	return kafka_batch([ [ 'k', "$producer->{id}:$sequence" ] ],
		producer_id => $producer->{id}, producer_epoch => 0, sequence => $sequence);
}

# Let the broker append a batch and stop before the commit, with all WAL flushed that there is.  The
# hash has its transaction's id, and the producer with the sequence number of that batch.
sub leave_open
{
	my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
	my $producer = new_producer();
	my $client = connect_to($port);
	my $stopped = sub { open(my $stat, '<', "/proc/$worker/stat") or return 0; return (<$stat> // '') =~ /\) T /; };

	sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'turn-appended:halt'});
	sql('SELECT pg_reload_conf()');
	# until the process has read its setting it does not stop
	until ($stopped->())
	{
		$client->send([ [ 'events', [ 0, batch($producer, $producer->{sequence}++) ] ] ]);
		poll_until(sub { $stopped->() || $client->is_ready(0) }) or die 'neither stopped nor answered';
		$client->receive if $client->is_ready(0);
	}
	ok(!$client->is_ready(0), 'a batch is appended and not answered');
	my $xid = sql("SELECT backend_xid FROM pg_stat_activity WHERE pid = $worker");
	# flushes the WAL, and needs no transaction id, which would tell recovery the next one
	my $lsn = sql('SELECT pg_switch_wal()');
	return { xid => $xid, lsn => $lsn, producer => $producer, value => "$producer->{id}:" . --$producer->{sequence} };
}

# Start a server that was killed, or is a copy of one, and does not stop any more.
sub start_again
{
	my ($server) = @_;

	$server->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$server->start;
	return;
}

# The flags of the batches of a transaction, in the index.
sub flags_of
{
	my ($server, $xid) = @_;
	my @flags;

	foreach my $file (glob(topic_directory($server, 'events', 0) . '/*.index'))
	{
		my $bytes = slurp_file($file);

		for (my $at = 64; $at + 64 <= length $bytes; $at += 64)
		{
			my ($entry_xid, undef, $flags) = unpack 'Q< Q< L<', substr($bytes, $at + 40, 20);
			push @flags, $flags & 1 if $entry_xid == $xid;
		}
	}
	return "@flags";
}

# All that a consumer is given, as bytes.
sub fetch_all
{
	my ($server_port) = @_;
	my ($consumer, $answer);

	poll_until(sub { $consumer = KafkaConsumer->new($server_port) }) or die 'no listener';
	poll_until(sub {
		$answer = $consumer->fetch(topics => { events => { 0 => 0 } }, max_wait => 100);
		return $answer && !$answer->{events}{0}{error} && length $answer->{events}{0}{records}; }) or die 'nothing is shown';
	return $answer->{events}{0}{records};
}

# The server has replayed the append: its transaction has aborted, for all and for good.
sub check
{
	my ($server, $server_port, $open, $when) = @_;
	my $on_server = sub { return $server->safe_psql('postgres', @_) };

	cmp_ok($on_server->('SELECT pg_snapshot_xmax(pg_current_snapshot())'), '>', $open->{xid}, "$when: the id is not given out again");
	# as many as would come to it, committed either way
	my $least = $on_server->('INSERT INTO strangers VALUES (1) RETURNING pg_current_xact_id()');
	$on_server->('SET synchronous_commit = off; INSERT INTO strangers VALUES (2)') foreach 1 .. 3;
	$on_server->('INSERT INTO strangers VALUES (3)');
	cmp_ok($least, '>', $open->{xid}, "$when: a stranger gets a later one");
	wait_resolved($server);
	is($on_server->("SELECT count(*) FROM events WHERE value = '$open->{value}'"), '0', "$when: SQL does not see the batch");
	is(index(fetch_all($server_port), $open->{value}), -1, "$when: consumers are not given it");
	is(flags_of($server, $open->{xid}), '1', "$when: the index has it as aborted");
	is($on_server->(q{SELECT count(*) FROM verify_topic('events')}), '0', "$when: the topic is sound");

	# its producer sends it again, and goes on
	my $client = connect_to($server_port);
	my $producer = $open->{producer};
	my $answer;
	foreach my $sequence ($producer->{sequence}, $producer->{sequence} + 1)
	{
		# a new leader may have to be found ready
		poll_until(sub { $answer = $client->produce('events', 0, batch($producer, $sequence)); $answer->{error} != 7 });
		is($answer->{error}, 0, "$when: its producer sends batch $sequence");
		is($on_server->("SELECT record_offset FROM events WHERE value = '$producer->{id}:$sequence'"), $answer->{offset},
			"$when: which is there once, where the answer says");
	}
	return;
}

# ---- crash recovery -------------------------------------------------------------------

my $open = leave_open();
kill_all($node);
start_again($node);
check($node, $port, $open, 'after a crash');

$open = leave_open();
sql('CHECKPOINT');
kill_all($node);
start_again($node);
check($node, $port, $open, 'after a checkpoint and a crash');

$open = leave_open();
kill_all($node);
start_again($node);
kill_all($node);
start_again($node);
check($node, $port, $open, 'after two crashes');

# the worker alone dies, and all other processes with it
$open = leave_open();
sql(q{ALTER SYSTEM RESET pg_topics.fault_point});
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
crash_one($node, sub { kill 'KILL', sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) });
check($node, $port, $open, 'after the death of the worker');

# ---- standbys, and a point in time ----------------------------------------------------------

# One that serves readers meanwhile, and one whose recovery is told less of transactions.
my %standby_port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(hot cold);
my %standby = map {
	$_ => start_standby($node, $_, kafka_settings($standby_port{$_}), $_ eq 'cold' ? 'hot_standby = off' : ()) } sort keys %standby_port;

$open = leave_open();
foreach my $name (sort keys %standby)
{
	ok($node->poll_query_until('postgres', qq{SELECT replay_lsn >= '$open->{lsn}' FROM pg_stat_replication WHERE application_name = '$name'}),
		"the $name standby has the batch");
}
is($standby{hot}->safe_psql('postgres', "SELECT count(*) FROM events WHERE value = '$open->{value}'"), '0', 'a standby does not show it');
$node->poll_query_until('postgres', qq{SELECT last_archived_wal >= pg_walfile_name('$open->{lsn}') FROM pg_stat_archiver}) or die 'WAL is not archived';
kill_all($node);
foreach my $name (sort keys %standby)
{
	$standby{$name}->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
	$standby{$name}->promote;
	check($standby{$name}, $standby_port{$name}, $open, "a promoted $name standby");
	$standby{$name}->stop;
}

my $restored_port = PostgreSQL::Test::Cluster::get_free_port();
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($node, 'backup', has_restoring => 1, standby => 0);
$restored->append_conf('postgresql.conf', join("\n", kafka_settings($restored_port), "recovery_target_lsn = '$open->{lsn}'",
	"recovery_target_action = 'promote'"));
$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
check($restored, $restored_port, $open, 'restored to a point in time');
$restored->stop;

# ---- a batch that is sent again -----------------------------------------------------------------

# Nobody flushes the WAL but who wants something durable.  The process that the walwriter is
# halts where it holds no lock.
start_again($node);
foreach my $acks (1, -1)
{
	my $producer = new_producer();
	my $client = connect_to($port);

	halt_asleep($node, sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}));
	$client->send([ [ 'events', [ 0, batch($producer, $_) ] ] ], acks => 0) foreach 0 .. 4;
	poll_until(sub { sql("SELECT count(*) FROM events WHERE value LIKE '$producer->{id}:%'") eq '5' }) or die 'no records';
	my @answers = map { $client->produce('events', 0, batch($producer, $_), acks => $acks) } 0 .. 4;
	kill_all($node);
	start_again($node);
	is(join(' ', map { "$_->{error} $_->{offset}" } @answers),
		sql("SELECT string_agg('0 ' || record_offset, ' ' ORDER BY record_offset) FROM events WHERE value LIKE '$producer->{id}:%'"),
		"acks=$acks: what was sent with acks=0 and answered when it was sent again survives a crash");
}
$node->stop;
done_testing();
