# Files under test: src/wal/kafka_txn.c, src/wal/kafka_txn_file.c, src/wal/log_resolve.c,
# src/wal/log_apply.c, src/wal/log_redo.c, src/wal/log_sync.c, src/wal/log_writer.c.
# Crashes at each step of a Kafka transaction: beginning it, appending, ending it, resolving it, saving
# the table.  Whatever was lost, its records are seen with the rows of the transaction that has committed
# it, or neither are; and an open one goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use LogLook;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# nothing is flushed behind the test's back
my $node = new_node('main', settings => [ 'restart_after_crash = on', 'wal_writer_delay = 10s', 'wal_writer_flush_after = 0',
	'checkpoint_timeout = 1h', 'pg_topics.log_retention_check_interval_ms = 1d' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics; CREATE TABLE rows (value text)');
create_kafka_txn_probe($node);
create_log_look($node);

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Make all durable that is in the WAL.
sub flush { sql(q{SELECT pg_logical_emit_message(true, 'flush', '')}); return; }

my ($topics, $producer) = (0, 0);

# A new topic of two partitions; its name.
sub new_topic
{
	my $topic = 't' . ++$topics;
	sql("SELECT create_topic('$topic', partitions => 2)");
	return $topic;
}

# Begin one of a new producer, with records in both partitions; topic, number, producer.
sub new_transaction
{
	my ($topic) = (new_topic(), ++$producer);
	my $number = kafka_begin($node, $producer);
	kafka_append($node, $topic, $_, $number, $producer, 0, [ "$topic a", "$topic b" ]) foreach 0, 1;
	return ($topic, $number, $producer);
}

# What a topic has, and what the transaction has written elsewhere.
sub seen
{
	my ($topic) = @_;
	return sql("SELECT (SELECT count(*) FROM $topic) || ' ' || (SELECT count(*) FROM rows WHERE value = '$topic')");
}

# End it with a row: SQL.  What has ended is durable in spite of the setting.
sub ending
{
	my ($topic, $number, $commit) = @_;
	return "SET synchronous_commit = off;\nBEGIN;\nINSERT INTO rows VALUES ('$topic');\nSELECT kafka_end($number, " . ($commit ? 'true' : 'false') . ");\nCOMMIT";
}

my %died;

sub died_in
{
	my ($point, $from) = @_;
	$died{$point}++;
	return poll_until(sub { slurp_file($node->logfile, $from) =~ /dying at fault point "\Q$point\E"\n.*database system is ready to accept connections/s });
}

# A session dies at the point.
sub die_at
{
	my ($point, $sql) = @_;
	my $from = -s $node->logfile;
	my ($code) = $node->psql('postgres', "SET pg_topics.fault_point = '$point';\n$sql");

	isnt($code, 0, "$point: the session dies") and return died_in($point, $from);
	return 0;
}

# The sync process dies at the point, once.
sub sync_dies_at
{
	my ($point, $sql) = @_;
	my $from = -s $node->logfile;

	unlink $node->data_dir . '/pg_topics_died_once';
	sql("ALTER SYSTEM SET pg_topics.fault_point = '$point:once'");
	sql('SELECT pg_reload_conf()');
	try_psql($node, $sql);
	my $died = died_in($point, $from);
	sql('ALTER SYSTEM RESET pg_topics.fault_point');
	sql('SELECT pg_reload_conf()');
	ok($died, "$point: the sync process dies");
	return;
}

# All that is known ends, and is forgotten.
sub clean
{
	sql('SELECT kafka_end(number, false) FROM kafka_transactions() WHERE xid = 0');
	poll_until(sub { sql('SELECT count(*) FROM kafka_transactions()') == 0 }) or die 'transactions stay';
	return;
}

# Let it be known what became of it: it is as it should be, and entries say so when it is forgotten.
sub check_ended
{
	my ($topic, $expected, $name) = @_;

	is(seen($topic), $expected, "$name: " . ($expected eq '0 0' ? 'nothing is seen' : 'all is seen'));
	clean();
	is(seen($topic), $expected, "$name: so it is when it is resolved");
	is(scalar(grep { $_ eq 'kafka' } map { entry_xids($node, $topic, $_) } 0, 1), 0, "$name: no entry has a number");
	return;
}

# ---- beginning and appending ---------------------------------------------------------------

foreach my $checkpoint (0, 1)
{
	my $how = $checkpoint ? 'behind a checkpoint' : 'without a checkpoint';

	sql('CHECKPOINT') if $checkpoint;
	die_at('kafka-begin-logged', 'SELECT kafka_begin(' . ++$producer . ', 0)');
	my $number = kafka_begin($node, $producer);
	my $topic = new_topic();
	is(kafka_append($node, $topic, 0, $number, $producer, 0, ['a']), 'appended 0', "kafka-begin-logged, $how: it is begun again");
	is(kafka_end($node, $number, 1), 'done', 'and ends');
	is(sql("SELECT count(*) FROM $topic"), 1, 'with its record');

	foreach my $point (qw(append-written append-logged append-entered append-done))
	{
		my ($topic, $number, $producer) = new_transaction();
		my $name = "$point, $how";

		sql('CHECKPOINT') if $checkpoint;
		die_at($point, "SELECT kafka_append('$topic', 0, $number, $producer, 0, 2, '', ARRAY['$topic c'], 1, false)");
		is(kafka_state($node, $number), 'open', "$name: the transaction is open");
		is(seen($topic), '0 0', "$name: nothing is seen");
		like(kafka_append($node, $topic, 0, $number, $producer, 2, ["$topic c"]), qr/^(?:appended|duplicate) 2$/,
			"$name: the batch is sent again");
		is(kafka_append($node, $topic, 0, $number, $producer, 0, [ "$topic a", "$topic b" ]), 'duplicate 0',
			"$name: the one before is known");
		sql(ending($topic, $number, 1));
		check_ended($topic, '5 1', $name);
	}
}

# ---- ending -----------------------------------------------------------------------------------

foreach my $checkpoint (0, 1)
{
	foreach my $commit (1, 0)
	{
		my $how = ($checkpoint ? 'behind a checkpoint' : 'without a checkpoint') . ($commit ? ', commit' : ', abort');

		# before its record is durable it may be open again, and be ended otherwise
		foreach my $point ('kafka-end-logged', 'kafka-end-before-commit')
		{
			my ($topic, $number) = new_transaction();

			sql('CHECKPOINT') if $checkpoint;
			die_at($point, ending($topic, $number, $commit));
			my $state = kafka_state($node, $number);
			like($state, qr/^(?:open|aborted|forgotten)$/, "$point, $how: it is open, or aborted");
			is(seen($topic), '0 0', "$point, $how: nothing is seen");
			is(kafka_end($node, $number, 1), $state eq 'open' ? 'done' : 'not open', "$point, $how: an open one can be committed");
			check_ended($topic, $state eq 'open' ? '4 0' : '0 0', "$point, $how");
		}

		# when its record is durable it has ended
		my ($topic, $number) = new_transaction();
		my $session = open_session($node);

		sql('CHECKPOINT') if $checkpoint;
		$session->run('BEGIN');
		$session->run("INSERT INTO rows VALUES ('$topic')");
		$session->run("SELECT kafka_end($number, " . ($commit ? 'true' : 'false') . ')');
		flush();
		kill_all($node);
		$node->start;
		like(kafka_state($node, $number), qr/^(?:aborted|forgotten)$/, "in mid-transaction, $how: it is aborted");
		is(kafka_end($node, $number, 1), 'not open', "in mid-transaction, $how: and cannot be committed");
		check_ended($topic, '0 0', "in mid-transaction, $how");

		# there is no asynchronous commit
		($topic, $number) = new_transaction();
		sql('CHECKPOINT') if $checkpoint;
		sql(ending($topic, $number, $commit));
		kill_all($node);
		$node->start;
		check_ended($topic, $commit ? '4 1' : '0 1', "behind an asynchronous commit, $how");
	}
}

# Who was told that it has ended may begin the next one: with what was aborted nothing can be committed any
# more, though nobody has asked for the WAL to be flushed.
my %endings = (
	'a commit is rolled back' => [ 'BEGIN; SELECT kafka_end(%s, true); ROLLBACK', 1 ],
	'an abort is rolled back' => [ 'BEGIN; SELECT kafka_end(%s, false); ROLLBACK', 1 ],
	'a session ends in mid-commit' => [ 'BEGIN; SELECT kafka_end(%s, true)', 1 ],
	'an error behind a commit' => [ 'DO $$BEGIN PERFORM kafka_end(%s, true); RAISE EXCEPTION \'no\'; END$$', 1 ],
	'a savepoint is rolled back' => [ 'SET synchronous_commit = off; BEGIN; SAVEPOINT s; SELECT kafka_end(%s, true); ROLLBACK TO s; COMMIT', 1 ],
	'an asynchronous abort' => [ 'SET synchronous_commit = off; SELECT kafka_end(%s, false)', 1 ],
	'an asynchronous commit' => [ 'SET synchronous_commit = off; SELECT kafka_end(%s, true)', 5 ]);
foreach my $name (sort keys %endings)
{
	my ($sql, $expected) = @{ $endings{$name} };
	my ($topic, $number, $id) = new_transaction();

	$node->psql('postgres', sprintf($sql, $number), on_error_stop => 0);
	kill_all($node);
	$node->start;
	my $next = kafka_begin($node, $id);
	isnt($next, $number, "$name, and a crash: its producer begins another one");
	kafka_append($node, $topic, 0, $next, $id, 2, ["$topic c"]);
	kafka_end($node, $next, 1);
	is(sql("SELECT count(*) FROM $topic"), $expected, "$name, and a crash: which has its own records only");
}

# An abort is known before its record is durable.  Until that is, consumers outside are given nothing from behind,
# as they would miss what was committed in the end.
{
	my ($topic, $number) = new_transaction();
	my $look = open_session($node);
	my $abort = open_background($node, 'abort');

	sql("SELECT produce('$topic', 'k', 'behind', partition => 0)");
	is($look->run("SELECT stable_end FROM stable_end('$topic', 0, true)"), '0', 'the stable end stands before an open transaction');
	my @others = split /\n/, sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type IN ('walwriter', 'pg_topics sync')});
	is(@others + 0, 2, 'who would flush the WAL');
	halt_asleep($node, @others);
	ask($abort, "SET pg_topics.fault_point = 'kafka-end-aborted:halt';\nBEGIN;\nSELECT kafka_end($number, true);\nROLLBACK;");
	wait_halted(pid_of_session($node, 'abort'));
	is($look->run("SELECT kafka_state($number)"), 'aborted', 'an aborted one');
	is($look->run("SELECT stable_end, awaited > pg_current_wal_flush_lsn() FROM stable_end('$topic', 0, false)"), '0|t', 'holds it until that is durable');
	is($look->run("SELECT stable_end FROM stable_end('$topic', 0, true)"), '3', 'and then no more');
	go_on();
	answer($abort);
	clean();
	is($look->run("SELECT stable_end FROM stable_end('$topic', 0, false)"), '3', 'nor when it is resolved');
}

# a subtransaction that rolls back
foreach my $durable (0, 1)
{
	my ($topic, $number) = new_transaction();
	my $session = open_session($node);
	my $name = 'a subtransaction rolls back, its record is ' . ($durable ? 'durable' : 'lost');

	$session->run('SET synchronous_commit = off; BEGIN; SAVEPOINT s');
	$session->run("INSERT INTO rows VALUES ('$topic')");
	$session->run("SELECT kafka_end($number, true)");
	flush();
	$session->run('ROLLBACK TO s; COMMIT');
	flush() if $durable;
	kill_all($node);
	$node->start;
	check_ended($topic, '0 0', $name);
}

# ---- resolving -----------------------------------------------------------------------------------

foreach my $commit (1, 0)
{
	foreach my $point (qw(kafka-settled kafka-settle-logged resolve-flagged resolve-logged))
	{
		my $name = "$point, " . ($commit ? 'commit' : 'abort');
		my ($topic, $number) = new_transaction();

		# redo must not write the entries anew
		sql('CHECKPOINT');
		sync_dies_at($point, ending($topic, $number, $commit));
		check_ended($topic, $commit ? '4 1' : '0 1', $name);
	}
}

# behind one that is open
foreach my $commit (1, 0)
{
	foreach my $point (qw(kafka-settled kafka-numbers-logged))
	{
		my $topic = new_topic();
		my $front = kafka_begin($node, ++$producer);

		kafka_append($node, $topic, 0, $front, $producer, 0, ['front']);
		my $number = kafka_begin($node, ++$producer);
		kafka_append($node, $topic, $_, $number, $producer, 0, [ 'a', 'b' ]) foreach 0, 1;
		sql('CHECKPOINT');
		sync_dies_at($point, ending($topic, $number, $commit));
		sql("SELECT kafka_end($front, false)");
		check_ended($topic, $commit ? '4 1' : '0 1', "$point behind an open one, " . ($commit ? 'commit' : 'abort'));
	}
}

# What is settled must be durable.  Without the flush before it a batch has aborted, of a transaction that is open
# again and may be committed: which is what the rule is for.
foreach my $skip (0, 1)
{
	my ($topic, $number, $id) = new_transaction();
	my $name = $skip ? 'without the flush' : 'with the flush';
	my $abort = open_background($node, 'abort');

	sql('CHECKPOINT');
	sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'kafka-settle-flush:skip'}) if $skip;
	sql('SELECT pg_reload_conf()') if $skip;
	ask($abort, "SET pg_topics.fault_point = 'kafka-end-aborted:halt';\nBEGIN;\nSELECT kafka_end($number, true);\nROLLBACK;");
	poll_until(sub { !grep { $_ eq 'kafka' } map { entry_xids($node, $topic, $_) } 0, 1 }) or die 'it is not settled';
	kill_all($node);
	$node->start;
	sql('ALTER SYSTEM RESET pg_topics.fault_point');
	sql('SELECT pg_reload_conf()');
	if ($skip)
	{
		is(scalar(grep { !/-$/ } map { entry_xids($node, $topic, $_) } 0, 1), 0, "$name: the entries have aborted");
		is(kafka_state($node, $number), 'open', "$name: of one that is open again");
		is(kafka_append($node, $topic, 0, $number, $id, 2, ["$topic c"]), 'appended 2', "$name: and goes on");
		kafka_end($node, $number, 1);
		is(seen($topic), '1 0', "$name: a part of it is committed");
		sql("DROP FOREIGN TABLE $topic");
		clean();
	}
	else
	{
		isnt(kafka_state($node, $number), 'open', "$name: it has ended");
		check_ended($topic, '0 0', $name);
	}
}

# ---- saving the table ------------------------------------------------------------------------------

foreach my $commit (1, 0)
{
	my $name = 'sync-kafka-txns-written, ' . ($commit ? 'commit' : 'abort');
	my ($topic, $number, $id) = new_transaction();

	sync_dies_at('sync-kafka-txns-written', 'CHECKPOINT');
	is(kafka_state($node, $number), 'open', "$name: it is open");
	is(kafka_append($node, $topic, 0, $number, $id, 2, ['c']), 'appended 2', "$name: and goes on");
	sql(ending($topic, $number, $commit));
	sync_dies_at('sync-kafka-txns-written', 'CHECKPOINT');
	check_ended($topic, $commit ? '5 1' : '0 1', $name);
}

# with many open ones, ended by a checkpoint and a crash, nothing is left over
my @transactions = map { [ new_transaction() ] } 1 .. 5;
sql('CHECKPOINT');
kill_all($node);
$node->start;
is(sql('SELECT count(*) FROM kafka_transactions() WHERE xid = 0'), 5, 'open ones are open after a crash');
$node->restart;
is(sql('SELECT count(*) FROM kafka_transactions() WHERE xid = 0'), 5, 'and after a restart');
foreach my $i (0 .. $#transactions)
{
	my ($topic, $number, $id) = @{ $transactions[$i] };

	is(kafka_append($node, $topic, 1, $number, $id, 2, ['c']), 'appended 2', 'each goes on');
	sql(ending($topic, $number, $i % 2));
	is(seen($topic), $i % 2 ? '5 1' : '0 1', 'and ends');
}
clean();

# each step that is one of Kafka transactions was the last one here
my %points = map { $_ => 1 } grep { /^(?:sync-)?kafka-/ } map { slurp_file($_) =~ /\bFAULT_POINT\("([^"]+)"\)/g }
  glob("$FindBin::RealBin/../../src/*.c $FindBin::RealBin/../../src/*/*.c");
is(join(' ', sort grep { /^(?:sync-)?kafka-/ } keys %died), join(' ', sort keys %points), 'each fault point of Kafka transactions has a scenario');

# ---- a file that is damaged, or lost --------------------------------------------------------------------

my $file = $node->data_dir . '/pg_topics/kafka_transactions';
my ($topic, $number) = new_transaction();
sql('CHECKPOINT');
$node->stop;
ok(-s $file > 40, 'the file has it');
overwrite($file, 50, 'xx');
my $from = -s $node->logfile;
$node->start;
like(slurp_file($node->logfile, $from), qr/file of Kafka transactions ".*" is damaged; they are forgotten/, 'damage is reported');
is(kafka_state($node, $number), 'forgotten', 'its transaction is not known');
my ($code, $out, $err) = $node->psql('postgres', "SELECT count(*) FROM $topic");
like($err, qr/cannot tell whether Kafka transaction \d+ was committed/, 'who reads its records is told');
sql(q{ALTER SYSTEM SET pg_topics.forgotten_transactions = 'abort'});
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql("SELECT bool_and(resolved_offset = log_end_offset) FROM pg_topic_partitions WHERE topic = '$topic'::regclass") eq 't' }),
	'the setting says that they do not count');
is(sql("SELECT count(*) FROM $topic"), 0, 'and they are not seen');
sql('ALTER SYSTEM RESET pg_topics.forgotten_transactions');
sql('SELECT pg_reload_conf()');

# ---- room, with a smaller setting --------------------------------------------------------------------------

@transactions = map { [ new_transaction() ] } 1 .. 5;
$node->append_conf('postgresql.conf', 'pg_topics.kafka_max_transactions = 2');
$node->stop;
is($node->start(fail_ok => 1), 0, 'a server with room for fewer than there are does not start');
like(slurp_file($node->logfile), qr/has more than this server has room for: 5, with 10 partitions.*HINT:  Raise pg_topics.kafka_max_transactions/s,
	'and says which setting is to be raised');
$node->append_conf('postgresql.conf', 'pg_topics.kafka_max_transactions = 3');
$node->start;
is(sql('SELECT count(*) FROM kafka_transactions()'), 5, 'it has room for some more than it lets begin');
is($node->psql('postgres', 'SELECT kafka_begin(1000, 0)'), 3, 'and lets none begin meanwhile');
kafka_end($node, $_->[1], 1) foreach @transactions;
is(seen($transactions[4][0]), '4 0', 'they end');
clean();
like(kafka_begin($node, 1000), qr/^-/, 'then it does again');

$node->stop;
done_testing();
