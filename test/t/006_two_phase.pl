# Two-phase commit: a prepared transaction's records hold readers back until it
# ends, whatever crashes and restarts come between.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => 2);
	CREATE TABLE rows (value text);
});

sub prepare
{
	my ($gid, $partition) = @_;

	sql(qq{BEGIN;
		INSERT INTO rows VALUES ('$gid');
		SELECT produce('events', NULL::text, '$gid', partition => $partition);
		PREPARE TRANSACTION '$gid'});
	return;
}

# What each partition shows.
sub check
{
	my ($expected, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(sql(q{SELECT string_agg(partition || ':' || value, ' ' ORDER BY partition, record_offset) FROM events}),
		$expected, "$name: the records that are seen");
	return;
}

# Who holds readers back in each partition.
sub blockers
{
	return sql(q{
		SELECT partition, log_end_offset - last_stable_offset, blocking_xid IS NOT NULL, blocking_pid, blocking_gid
		FROM pg_topic_partitions WHERE topic = 'events'::regclass ORDER BY 1});
}

my %restarts = (
	'restart' => sub { $node->restart },
	'crash' => sub { $node->stop('immediate'); $node->start },
	'checkpoint and crash' => sub { sql('CHECKPOINT'); kill_all($node); $node->start },
);
my $expected = '';

foreach my $how (sort keys %restarts)
{
	sql('TRUNCATE events');
	sql('TRUNCATE rows');
	prepare("committed", 0);
	prepare("rolled back", 1);
	sql(q{INSERT INTO events (value, partition) VALUES ('behind', 0), ('behind', 1)});

	check('', "$how, while transactions are prepared");
	is(blockers(), "0|2|t||committed\n1|2|t||rolled back",
		"$how: the view names the prepared transactions that hold readers back");
	is(sql(q{SELECT count(*) FROM consume('events', 'g')}), '0',
		"$how: consumers get nothing while transactions are prepared");

	$restarts{$how}->();
	check('', "$how, still prepared afterwards");
	is(blockers(), "0|2|t||committed\n1|2|t||rolled back",
		"$how: the view still names the prepared transactions afterwards");
	is(sql('SELECT count(*) FROM pg_prepared_xacts'), '2', "$how: the prepared transactions are still there");

	sql(q{COMMIT PREPARED 'committed'});
	check('0:committed 0:behind', "$how, one committed");
	sql(q{ROLLBACK PREPARED 'rolled back'});
	check('0:committed 0:behind 1:behind', "$how, the other one rolled back");
	is(sql('SELECT value FROM rows'), 'committed',
		"$how: the table has the row of the committed transaction alone");
	is(blockers(), "0|0|f||\n1|0|f||", "$how: nobody holds readers back once both have ended");
	is(sql(q{SELECT string_agg(partition || ':' || value, ' ' ORDER BY partition, record_offset) FROM consume('events', 'g')}),
		'0:committed 0:behind 1:behind', "$how: consumers get the committed records and what followed them");

	$restarts{$how}->();
	check('0:committed 0:behind 1:behind', "$how, once more after both have ended");
	wait_resolved($node);
	check('0:committed 0:behind 1:behind', "$how, when all outcomes are noted");
}

# ended and then crashed at once: the outcome is not resolved yet
sql('TRUNCATE events');
prepare($_, 0) foreach qw(a b c d);
sql(q{COMMIT PREPARED 'a'; ROLLBACK PREPARED 'b'; ROLLBACK PREPARED 'c'; COMMIT PREPARED 'd'});
kill_all($node);
$node->start;
check('0:a 0:d', 'crash right after the prepared transactions have ended');
wait_resolved($node);
check('0:a 0:d', 'the same when all outcomes are noted');

# an open session blocks as well, and is named by its process
my $session = open_session($node);
$session->run(q{BEGIN; SELECT produce('events', NULL::text, 'open', partition => 1); SELECT count(*) FROM flush()});
my $pid = $session->run('SELECT pg_backend_pid()');
is(blockers(), "0|0|f||\n1|1|t|$pid|", 'the view names the process whose open transaction holds readers back');

# savepoints, flush and several topics in a prepared transaction
$session->run('ROLLBACK');
sql(q{TRUNCATE events; });
sql(q{SELECT create_topic('second')});
$session->run(q{
	BEGIN;
	SELECT produce('events', NULL::text, 'flushed', partition => 0);
	SELECT count(*) FROM flush();
	SAVEPOINT a;
	SELECT produce('events', NULL::text, 'lost', partition => 0);
	SELECT produce('second', 'lost');
	ROLLBACK TO a;
	SELECT produce('second', 'kept');
	SELECT produce('events', NULL::text, 'kept', partition => 0);
	PREPARE TRANSACTION 'several'});
is($session->run('SELECT count(*) FROM produced()'), '0', 'produced() says nothing about a prepared transaction');
is($session->run(q{SELECT produce('second', 'next'); SELECT count(*) FROM second}), "0\n0",
	'after PREPARE TRANSACTION the session can produce again');
kill_all($node);
$node->start;
sql(q{COMMIT PREPARED 'several'});
check('0:flushed 0:kept', 'a prepared transaction with a flush and savepoints, committed after a crash');
is(sql('SELECT string_agg(value, $$ $$ ORDER BY record_offset) FROM second'), 'kept next',
	"a prepared transaction's records in another topic are seen once it commits");

# a prepared consumer keeps its partitions, and moves its offset only with its commit
sql(q{BEGIN; SELECT count(*) FROM consume('events', 'p'); PREPARE TRANSACTION 'consumer'});
is(sql(q{SELECT count(*) FROM consume('events', 'p')}), '0',
	'while a prepared transaction has consumed, other consumers get nothing');
kill_all($node);
$node->start;
is(sql(q{SELECT count(*) FROM consume('events', 'p')}), '0', 'after a crash other consumers still get nothing');
sql(q{ROLLBACK PREPARED 'consumer'});
is(sql(q{SELECT count(*) FROM consume('events', 'p')}), '2',
	'when the prepared consumer is rolled back another one gets the records');

# ---- a topic created and dropped in prepared transactions --------------------

# the files of a dropped one go, sooner or later, once that is committed
$node->append_conf('postgresql.conf', 'pg_topics.maintenance_interval = 1');
$node->reload;
my $directory = topic_directory($node, 'events', 0);
sql(q{BEGIN; DROP FOREIGN TABLE events; PREPARE TRANSACTION 'drop'});
kill_all($node);
$node->start;
ok(-d $directory, "a prepared DROP keeps the topic's files through a crash");
sql(q{ROLLBACK PREPARED 'drop'});
check('0:flushed 0:kept', 'a prepared DROP that is rolled back loses nothing');
sql(q{BEGIN; DROP FOREIGN TABLE events; PREPARE TRANSACTION 'drop'});
sql(q{COMMIT PREPARED 'drop'});
ok(poll_until(sub { !-e $directory }), "a prepared DROP that is committed removes the topic's files");
is(sql(q{SELECT count(*) FROM pg_topic_partitions WHERE topic::text NOT IN ('second')}), '0',
	'a prepared DROP that is committed removes the topic');

# A topic that is produced to and dropped in one prepared transaction; another one that is
# created there must not be taken for the leftover of a dropped topic.
$session = open_session($node);
$session->run(q{
	BEGIN;
	SELECT create_topic('created');
	SELECT produce('created', 'kept');
	SELECT produce('second', 'last');
	SELECT drop_topic('second');
	PREPARE TRANSACTION 'both'});
my ($created) = sort { -M $a <=> -M $b } grep { -d } glob($node->data_dir . '/pg_topics/*/*-0');
# the maintenance launcher looks at everything once more after the PREPARE
mkdir $node->data_dir . '/pg_topics/999999';
ok(poll_until(sub { !-e $node->data_dir . '/pg_topics/999999' }),
	'directories of databases that do not exist are collected');
mkdir "$created/../424242-0";
ok(poll_until(sub { !-e "$created/../424242-0" }), 'directories of topics that do not exist are collected');
ok(-d $created, 'the files of a topic that a prepared transaction has created are kept');
kill_all($node);
$node->start;
sql(q{COMMIT PREPARED 'both'});
is(sql('SELECT value FROM created'), 'kept',
	'a topic that a prepared transaction created is there with its record');
is(sql(q{SELECT to_regclass('second') IS NULL}), 't',
	'a topic that the same prepared transaction dropped is gone');

sql(q{BEGIN; SELECT create_topic('never'); SELECT produce('never', 'lost'); PREPARE TRANSACTION 'never'});
my ($never) = sort { -M $a <=> -M $b } grep { -d } glob($node->data_dir . '/pg_topics/*/*-0');
isnt($never, $created, 'a topic that another prepared transaction creates has files');
sql(q{ROLLBACK PREPARED 'never'});
ok(poll_until(sub { !-e $never }), 'a prepared creation that is rolled back leaves no files');
is(sql('SELECT value FROM created'), 'kept', 'rolling back a prepared creation leaves other topics alone');
$node->stop;

done_testing();
