# Files under test: src/share/share_row.c, src/share/share_table.c, src/share/share_transaction.c,
# src/share/share_group.c, src/consume/consume_shared.c, src/consume/share_death.c, src/views/inspect_share.c.
# Share groups where it is narrow: a window after a crash, full windows, slots of topics that are gone, and calls that
# wait.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'max_prepared_transactions = 10',
	'pg_topics.share_partition_max_record_locks = 100', 'pg_topics.max_share_partitions = 4' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('jobs');
	SELECT create_topic('"jobs.dlq"');
	INSERT INTO jobs (value) SELECT i FROM generate_series(0, 299) i;
	CREATE VIEW stands AS SELECT start_offset, end_offset, available, acquired, pending, finished
		FROM pg_topic_share_groups WHERE group_id = 'g';
});

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The session's call sleeps until there is news.
my $sleeps = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '%s' AND state = 'active' AND wait_event_type IN ('Extension', 'Activity', 'IPC', 'Timeout')};

# A session that waits in this call.
sub waiting
{
	my ($name, $call) = @_;
	my $session = open_background($node, $name);

	ask($session, $call);
	ok($node->poll_query_until('postgres', sprintf($sleeps, $name)), "$name: waits");
	return $session;
}

# ---- a wide gap behind which only a prepared transaction has acknowledged ----------------------

sql(q{SELECT create_topic('gaps'); INSERT INTO gaps (value) VALUES ('first')});
is(sql(q{SELECT value FROM consume_shared('gaps', 'g')}), 'first', 'a group begins');
sql(q{BEGIN; INSERT INTO gaps (value) SELECT 'never' FROM generate_series(1, 50000); SELECT flush(); ROLLBACK;
	INSERT INTO gaps (value) VALUES ('second'), ('third')});
is(sql(q{BEGIN; SELECT value FROM consume_shared('gaps', 'g', 1); PREPARE TRANSACTION 'gap'}), 'second',
	'it passes over what rolled back, and a prepared transaction has acknowledged');
kill_all($node);
$node->start;
is(sql('SELECT * FROM stands'), '50001|50002|0|0|1|0', 'after a crash the window begins behind what rolled back');
is(sql(q{SELECT value FROM consume_shared('gaps', 'g')}), 'third', 'and others go on');
sql(q{ROLLBACK PREPARED 'gap'});
is(sql(q{SELECT value FROM consume_shared('gaps', 'g')}), 'second', 'nothing is lost');
sql('DROP FOREIGN TABLE gaps');

# ---- a group that a prepared transaction makes ----------------------------------------------------

foreach my $end ('COMMIT', 'ROLLBACK')
{
	my $behind = open_background($node, 'behind');

	is(sql(qq{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'made by $end', 2); PREPARE TRANSACTION 'made'}), '2', "$end: a prepared transaction makes a group");
	ask($behind, qq{SELECT min(record_offset) FROM consume_shared('jobs', 'made by $end', 2);});
	ok($node->poll_query_until('postgres', q{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'behind'}),
		"$end: who uses it waits for that with its commit");
	sql("$end PREPARED 'made'");
	is(answer($behind), '2', "$end: and has other records");
	is(sql(qq{SELECT min(record_offset) FROM consume_shared('jobs', 'made by $end', 2)}), $end eq 'COMMIT' ? '4' : '0', "$end: none is lost, none is accepted twice");
	$behind->{run}->kill_kill;
}

is(sql(q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'leases', 2, lease => '1 hour'); PREPARE TRANSACTION 'leases'}), '2',
	'a prepared transaction makes a group and leases records');
sql(q{COMMIT PREPARED 'leases'});
is(sql(qq{SELECT min(record_offset) FROM consume_shared('jobs', '$_', 2)}), $_ eq 'leases' ? '2' : '0', "$_: leases last") for 'other1', 'other2', 'other3', 'other4', 'leases';
sql(q{SELECT acknowledge_many('jobs', 'leases', 0, '{0,1}')});

# ---- topics that are gone leave their slots, whatever was leased ---------------------------------

sub lease_for_long
{
	my ($topic) = @_;

	return qq{SELECT create_topic('$topic'); INSERT INTO $topic (value) VALUES ('x');
		SELECT value FROM consume_shared('$topic', 'long', lease => '50 years')};
}

for (1 .. 6)
{
	is(sql(lease_for_long('gone') . '; DROP FOREIGN TABLE gone'), "gone\nx", "topic $_ is dropped");
	is(sql(lease_for_long('gone') . q{; BEGIN; SELECT acknowledge('gone', 'long', 0, 0); DROP FOREIGN TABLE gone; COMMIT}),
		"gone\nx\n", "topic $_ is dropped by a transaction that uses it");
}
sql('CREATE DATABASE gone');
$node->safe_psql('gone', 'CREATE EXTENSION pg_topics');
$node->safe_psql('gone', lease_for_long("gone$_")) for 1 .. 4;
like(($node->psql('postgres', q{SELECT consume_shared('jobs', 'g')}))[2], qr/too many partitions are in use/, 'all slots are used');
sql('DROP DATABASE gone');
is(sql(q{SELECT count(*) FROM consume_shared('jobs', 'g', 10)}), '10', 'until that database is dropped');

# ---- waiting -------------------------------------------------------------------------------------

# a window without room, which others make
my $busy = open_background($node, 'busy');
ask($busy, q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'full', 100);});
is(answer($busy), '100', 'a transaction has filled the window');
my $waiter = waiting('full', q{SELECT count(*) FROM consume_shared('jobs', 'full', 100, timeout => '10 min');});
ask($busy, 'COMMIT;');
answer($busy);
is(answer($waiter), '100', 'full: its commit makes room');
$waiter->{run}->kill_kill;

# the statement's snapshot is older than the record
sql(q{SELECT create_topic('inside'); SELECT create_topic('"inside.dlq"')});
$waiter = waiting('inside', q{DO $$ BEGIN
	PERFORM acknowledge('inside', 'g', partition, record_offset, 'reject')
	FROM consume_shared('inside', 'g', 1, auto_acknowledge => false, timeout => '10 min'); END $$;});
sql(q{INSERT INTO inside (value) VALUES ('bad')});
answer($waiter);
is(sql(q{SELECT value FROM "inside.dlq"}), 'bad', 'inside: what a function waits for, and rejects, is in the dead-letter topic');
$waiter->{run}->kill_kill;

# records that rolled back are not what a call waits for
sql(q{SELECT create_topic('rolls'); BEGIN; INSERT INTO rolls (value) VALUES ('never'); SELECT flush(); ROLLBACK});
$waiter = waiting('rolls', q{SELECT value FROM consume_shared('rolls', 'g', timeout => '10 min');});
sql(q{INSERT INTO rolls (value) VALUES ('ever')});
is(answer($waiter), 'ever', 'rolls: until there is a record');
$waiter->{run}->kill_kill;

# nor is one that nack() has delayed; what is behind it can be had, once
sql(q{SELECT create_topic('later', retry_topics => true, config => '{"retry.delay.ms": 3600000}');
	INSERT INTO later (value) VALUES ('delayed');
	SELECT record_offset FROM consume('later', 'c'); SELECT nack('later', 'c', 0, 0, 'not yet')});
$waiter = waiting('delayed', q{SELECT value FROM consume_shared('"later.retry"', 'g', timeout => '10 min');});
sql(q{INSERT INTO "later.retry" (value) VALUES ('now')});
is(answer($waiter), 'now', 'delayed: gets what has no delay');
is(sql(q{SELECT value FROM consume_shared('"later.retry"', 'g')}), '', 'which is accepted');
is(sql(q{SET pg_topics.clock_offset = '2h'; SELECT value, delivery_count FROM consume_shared('"later.retry"', 'g')}), 'delayed|1', 'and the other one comes in its time');
$waiter->{run}->kill_kill;

# a record that somebody has acquired and does not see is nobody's news: who gives it back tells
sql(q{SELECT create_topic('seen')});
my $producer = open_background($node, 'producer');
ask($producer, q{BEGIN; INSERT INTO seen (value) VALUES ('late'); SELECT count(*) FROM flush();});
answer($producer);
my $blind = open_background($node, 'blind');
ask($blind, q{SET pg_topics.fault_point = 'share-acquired:stop'; SELECT value FROM consume_shared('seen', 'g');});
wait_halted(my $pid = pid_of_session($node, 'blind'));
$waiter = waiting('seen', q{SELECT value FROM consume_shared('seen', 'g', timeout => '10 min');});
ask($producer, 'COMMIT;');
answer($producer);
ok($node->poll_query_until('postgres', sprintf($sleeps, 'seen')), 'seen: there is nothing for it yet');
go_on($pid);
is(answer($blind), '', 'who began before does not see the record');
is(answer($waiter), 'late', 'seen: gets it');
$_->{run}->kill_kill foreach $busy, $producer, $blind, $waiter;
$node->stop;
done_testing();
