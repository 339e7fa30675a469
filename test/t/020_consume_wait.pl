# Waiting for records: consume(timeout => ...) wakes when something is
# committed, and holds no snapshot and no lock while it waits.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_topics'");
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE written (value text);
	SELECT create_topic('events', partitions => 2);
});

# A session in the background, known by its application name.
sub session { return open_background($node, @_); }

sub finish
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

# Wait until the session sleeps in an extension.
sub wait_asleep
{
	my ($name) = @_;

	$node->poll_query_until('postgres', qq{
		SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE application_name = '$name' AND state = 'active' AND wait_event_type = 'Extension')})
	  or die "session $name does not wait";
	return;
}

my $nothing = 'no xmin|no xid|virtualxid';
my $waiter = session('waiter');

# it wakes on a commit, holding nothing before
ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
is(holdings($node, 'waiter'), $nothing, 'a waiting session holds no snapshot, no transaction id and no lock');
my $begun = time;
$node->safe_psql('postgres', q{SELECT produce('events', NULL::text, 'one', partition => 1)});
is(answer($waiter), 'one', 'a commit wakes the waiter');
note(sprintf('woken and answered after %.0f ms, a psql start included', (time - $begun) * 1000));
is($node->safe_psql('postgres', q{SELECT partition, committed_offset FROM topic_group_offsets}),
	'1|1', 'the offset behind what the waiter got is committed');

# the statement sees the tables as of the wake-up
ask($waiter, q{SELECT value, (SELECT count(*) FROM written) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO written VALUES ('two');
	SELECT produce('events', NULL::text, 'two', partition => 0);
	COMMIT;});
is(answer($waiter), 'two|1', 'records and tables are seen as of the wake-up');

# a sub-select's tables are locked while it waits, as planning has locked them; not more
ask($waiter, q{SELECT value, (SELECT count(*) FROM written) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
is($node->safe_psql('postgres', q{
	SELECT string_agg(format('%s %s %s', locktype, relation::regclass, mode), ', ' ORDER BY locktype)
	FROM pg_locks JOIN pg_stat_activity a USING (pid) WHERE application_name = 'waiter'}),
	'relation written AccessShareLock, virtualxid  ExclusiveLock',
	'tables that a waiting statement names elsewhere stay locked for reading');
like(holdings($node, 'waiter'), qr/^no xmin\|no xid\|/,
	'a statement that names other tables waits without a snapshot');
$node->safe_psql('postgres', q{INSERT INTO written VALUES ('beside'); DELETE FROM written WHERE value = 'beside'; VACUUM written});
like(($node->psql('postgres', q{SET lock_timeout = '10ms'; ALTER TABLE written ADD COLUMN more int}))[2],
	qr/canceling statement due to lock timeout/,
	'changing the definition of such a table waits for the waiting statement');
$node->safe_psql('postgres', q{SELECT produce('events', NULL::text, 'three', partition => 0)});
is(answer($waiter), 'three|1', 'writing to such a table does not wait, and a commit wakes the statement');

# VACUUM is not held back
ask($waiter, q{SELECT count(*) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{DELETE FROM written});
my ($out, $err) = ('', '');
$node->psql('postgres', 'VACUUM (VERBOSE) written', stderr => \$err);
like($err, qr/tuples: 1 removed/, 'a waiting consumer does not hold VACUUM back');
$node->safe_psql('postgres', q{SELECT produce('events', 'x'::text)});
is(answer($waiter), '1', 'after VACUUM a commit still wakes the waiting consumer');

$node->safe_psql('postgres', q{
	SELECT create_topic('quiet');
	SELECT create_topic('quiet' || i) FROM generate_series(1, 9) i});

# forms of the statement that wait without a snapshot, and ones that cannot
my %forms = (
	'a limit' => q{SELECT value FROM consume('events', 'g', 1, timeout => '1 hour') LIMIT 1;},
	'an aggregate' => q{SELECT string_agg(value, '') FROM consume('events', 'g', timeout => '1 hour');},
	'an order' => q{SELECT value FROM consume('events', 'g', timeout => '1 hour') ORDER BY record_offset;},
	'a subquery' => q{SELECT upper(value) FROM (SELECT value FROM consume('events', 'g', timeout => '1 hour') OFFSET 0) s;},
	'a target list' => q{SELECT (consume('events', 'g', timeout => '1 hour')).value;},
	'consume_as' => q{SELECT value FROM consume_as(NULL::events, 'g', timeout => '1 hour');},
	'a computed argument' => q{SELECT value FROM consume('events', 'g', timeout => make_interval(hours => length(current_user)));},
	'auto_commit off' => q{SELECT value FROM consume('events', 'tx', timeout => '1 hour', auto_commit => false, auto_offset_reset => 'latest');},
	'several topics' => q{SELECT value FROM consume_many('{quiet,events}', 'g', timeout => '1 hour');},
	'more topics than a waiter names' => q{SELECT value FROM consume_many('{quiet1,quiet2,quiet3,quiet4,quiet5,quiet6,quiet7,quiet8,quiet9,events}', 'g', timeout => '1 hour');},
	'a new group at the end' => q{SELECT value FROM consume('events', 'tail', timeout => '1 hour', auto_offset_reset => 'latest');},
);
foreach my $form (sort keys %forms)
{
	# what the other groups had is still there for this one
	$node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'g')});
	ask($waiter, $forms{$form});
	wait_asleep('waiter');
	is(holdings($node, 'waiter'), $nothing, "$form: a waiting session holds nothing");
	$node->safe_psql('postgres', q{SELECT produce('events', 'y'::text)});
	like(answer($waiter), qr/^y$/i, "$form: a commit wakes the waiter");
}

$node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'g')});
my %inside = (
	'PL/pgSQL' => q{DO $$ BEGIN PERFORM consume('events', 'g', timeout => '1 hour'); END $$;},
	'a join' => q{SELECT value FROM consume('events', 'g', timeout => '1 hour') JOIN (VALUES (1)) v ON partition >= 0 LEFT JOIN written USING (value);},
	'INSERT ... SELECT' => q{INSERT INTO written SELECT value FROM consume('events', 'g', timeout => '1 hour');},
	'a cursor' => q{BEGIN; DECLARE c CURSOR FOR SELECT value FROM consume('events', 'g', timeout => '1 hour'); FETCH ALL FROM c; COMMIT;},
);
foreach my $form (sort keys %inside)
{
	ask($waiter, $inside{$form});
	wait_asleep('waiter');
	$node->safe_psql('postgres', q{SELECT produce('events', 'z'::text)});
	answer($waiter);
	is($waiter->{err}, '', "$form: the statement waits and a commit wakes it");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'g')}), '0',
		"$form: the statement has consumed the record");
}

# with a parameter, through the extended protocol
ask($waiter, q{PREPARE p(text, interval) AS SELECT value FROM consume('events', $1, timeout => $2); EXECUTE p('g', '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT produce('events', 'p'::text)});
is(answer($waiter), 'p', 'EXECUTE of a prepared statement waits, and a commit wakes it');
my $script = PostgreSQL::Test::Utils::tempdir . '/bind.sql';
append_to_file($script, q{\set n 5
SELECT value FROM consume('events', 'g', :n, timeout => '1 hour');
});
my ($bench_out, $bench_err) = ('', '');
my $bench = IPC::Run::start(
	[ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-f', $script,
		$node->connstr('postgres') . ' application_name=bench' ],
	'>', \$bench_out, '2>', \$bench_err);
wait_asleep('bench');
is(holdings($node, 'bench'), $nothing, 'bound parameters: a waiting session holds nothing');
$node->safe_psql('postgres', q{SELECT produce('events', 'q'::text)});
$bench->finish;
like($bench_out, qr{actually processed: 1/1}, 'bound parameters: a commit wakes the waiter');

# in a transaction block only what the block did before is held
ask($waiter, q{BEGIN; SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
is(holdings($node, 'waiter'), $nothing, 'in a transaction block a waiting session holds nothing either');
$node->safe_psql('postgres', q{SELECT produce('events', 'b'::text)});
is(answer($waiter), 'b', 'in a transaction block a commit wakes the waiter');
ask($waiter, q{ROLLBACK;});
answer($waiter);
is($node->safe_psql('postgres', q{SELECT value FROM consume('events', 'g', timeout => '1 hour')}), 'b',
	'a record whose consumer rolled back is given to the next one at once');

# what ends a wait
ask($waiter, q{SELECT count(*) FROM consume('events', 'g', timeout => '50 ms');});
is(answer($waiter), '0', 'a wait ends at its timeout without records');

ask($waiter, q{SELECT count(*) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'});
answer($waiter);
like($waiter->{err}, qr/canceling statement due to user request/, 'a wait can be cancelled');

ask($waiter, q{SET statement_timeout = '100ms'; SELECT count(*) FROM consume('events', 'g', timeout => '1 hour'); RESET statement_timeout;});
answer($waiter);
like($waiter->{err}, qr/canceling statement due to statement timeout/, 'statement_timeout ends a wait');

ask($waiter, q{DO $$ BEGIN PERFORM consume('events', 'g', timeout => '1 hour'); END $$;});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'});
answer($waiter);
like($waiter->{err}, qr/canceling statement due to user request/, 'a wait inside a function can be cancelled');

ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT produce('events', 'after'::text)});
is(answer($waiter), 'after', 'after such errors the session waits and is woken as before');

# a client that is killed while it waits leaves no session behind, and what comes then goes to
# the next one that waits; the server's own check of clients is off
is($node->safe_psql('postgres', 'SHOW client_connection_check_interval'), 0,
	'client_connection_check_interval is off');
foreach my $form (q{SELECT value FROM consume('events', 'g', timeout => '1 hour');},
	q{SELECT value FROM consume('events', 'g', timeout => '1 hour') JOIN pg_extension ON extname = 'pg_topics';},
	q{BEGIN; DECLARE c CURSOR FOR SELECT value FROM consume('events', 'g', timeout => '1 hour'); FETCH c;},
	q{SELECT value FROM consume('events', 'g', timeout => '1 hour', member_id => 'killed', lease => '1 hour');})
{
	my $killed = session('killed');

	if ($form =~ /member_id/)
	{
		# the call that joins does not wait
		ask($killed, $form);
		answer($killed);
	}
	ask($killed, $form);
	wait_asleep('killed');
	$killed->{run}->signal('KILL');
	$killed->{run}->finish;
	my $killed_at = time;
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'killed'})
	  or die "the session does not end: $form";
	note(sprintf('its session was seen to have ended after %.0f ms', (time - $killed_at) * 1000));
	$node->safe_psql('postgres', q{SELECT leave_group('events', 'g', 'killed')});
	ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
	wait_asleep('waiter');
	$node->safe_psql('postgres', q{SELECT produce('events', 'left behind'::text)});
	is(answer($waiter), 'left behind',
		"a record goes to the next waiter, not to a client that was killed: $form");
}

# one that stops its own long poll is free at once, with nothing lost
my $stopping = session('stopping');
ask($stopping, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('stopping');
my $stopped_at = time;
$stopping->{run}->signal('INT');
$stopping->{run}->finish;
my $stopped_after = (time - $stopped_at) * 1000;
like($stopping->{err}, qr/canceling statement due to user request/, 'a client can stop its long poll');
cmp_ok($stopped_after, '<', 5000, sprintf('at once: %.0f ms', $stopped_after));
$node->safe_psql('postgres', q{SELECT produce('events', 'not lost'::text)});
is($node->safe_psql('postgres', q{SELECT value FROM consume('events', 'g')}), 'not lost',
	'a record goes to the next consumer when a waiting one was stopped by its client');

# of several waiters one gets a record, the others go on waiting
my @crowd = map { session("crowd$_") } (1 .. 3);
ask($_, q{SELECT value FROM consume('events', 'g', 1, timeout => '1 hour');}) foreach @crowd;
wait_asleep($_->{name}) foreach @crowd;
foreach my $n (1 .. 3)
{
	$node->safe_psql('postgres', qq{SELECT produce('events', NULL::text, 'for one', partition => 0)});
	$node->poll_query_until('postgres', q{
		SELECT count(*) FILTER (WHERE state = 'idle') = } . $n . q{ AND
			   count(*) FILTER (WHERE state = 'active') = } . (3 - $n) . q{
		FROM pg_stat_activity WHERE application_name LIKE 'crowd%'})
	  or die 'not exactly one waiter woke';
}
is(answer($_), 'for one', "$_->{name} of several waiters got one record") foreach @crowd;
finish($_) foreach @crowd;

# a record held back by an open transaction comes when that has ended
my $holder = session('holder');
ask($holder, q{BEGIN; SELECT produce('events', NULL::text, 'held', partition => 0); SELECT count(*) FROM flush();});
answer($holder);
ask($waiter, q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT produce('events', NULL::text, 'behind', partition => 0)});
ask($holder, q{COMMIT;});
answer($holder);
is(answer($waiter), 'held behind', 'a waiter gets records once the transaction before them commits');

ask($holder, q{BEGIN; SELECT produce('events', NULL::text, 'undone', partition => 0); SELECT count(*) FROM flush();});
answer($holder);
ask($waiter, q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT produce('events', NULL::text, 'behind', partition => 0)});
ask($holder, q{ROLLBACK;});
answer($holder);
is(answer($waiter), 'behind', 'a waiter gets the records behind a transaction that is rolled back');

ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT produce('events', NULL::text, 'prepared', partition => 0);
	PREPARE TRANSACTION 'p';});
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
is(answer($waiter), 'prepared', 'COMMIT PREPARED wakes a waiter');

# a partition that another consumer owns
ask($holder, q{BEGIN; SELECT count(*) FROM consume('events', 'g', partitions => '{0}');});
answer($holder);
$node->safe_psql('postgres', q{SELECT produce('events', NULL::text, 'owned', partition => 0)});
ask($holder, q{SELECT value FROM consume('events', 'g', partitions => '{0}');});
is(answer($holder), 'owned', 'a consumer in a transaction gets the record of its partition');
ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
ask($holder, q{ROLLBACK;});
answer($holder);
is(answer($waiter), 'owned', 'a partition that its consumer gives up goes to the waiter');
ask($holder, q{BEGIN; SELECT count(*) FROM consume('events', 'chosen', partitions => '{0}');});
answer($holder);
ask($waiter, q{SELECT count(*) > 0 FROM consume('events', 'chosen', timeout => '1 hour', partitions => '{0}');});
wait_asleep('waiter');
ask($holder, q{ROLLBACK;});
answer($holder);
is(answer($waiter), 't', 'it goes to a waiter that asked for that partition alone as well');
finish($holder);

# the right to read goes while somebody waits, before the statement or within it:
# what comes later is not delivered
$node->safe_psql('postgres', q{CREATE ROLE reader; SELECT create_topic('closed'); GRANT SELECT ON closed TO reader;
	SET ROLE reader; SELECT seek_to_beginning('closed', 'g')});
foreach my $call (q{SELECT value FROM consume('closed', 'g', timeout => '1 hour');},
	q{DO $$ BEGIN PERFORM consume('closed', 'g', timeout => '1 hour'); END $$;},
	q{SELECT value FROM consume_many('{closed}', 'g', timeout => '1 hour');},
	q{DO $$ BEGIN PERFORM consume_many('{closed}', 'g', timeout => '1 hour'); END $$;})
{
	$node->safe_psql('postgres', q{GRANT SELECT ON closed TO reader});
	ask($waiter, 'SET ROLE reader;');
	answer($waiter);
	ask($waiter, $call);
	wait_asleep('waiter');
	$node->safe_psql('postgres', q{REVOKE SELECT ON closed FROM reader});
	$node->safe_psql('postgres', q{SELECT produce('closed', 'secret'::text)});
	is(answer($waiter), '', "with the right to read revoked during the wait no record is given: $call");
	like($waiter->{err}, qr/permission denied for foreign table closed/,
		"with the right to read revoked during the wait the call fails: $call");
	ask($waiter, q{RESET ROLE; SELECT value FROM consume('closed', 'g');});
	is(answer($waiter), 'secret', "a record that was refused is still there for the group: $call");
}
# or the group is given to somebody else
$node->safe_psql('postgres', q{GRANT SELECT ON closed TO reader});
ask($waiter, q{SET ROLE reader; SELECT value FROM consume('closed', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT alter_group_owner('closed', 'g', current_user)});
$node->safe_psql('postgres', q{SELECT produce('closed', 'secret'::text)});
is(answer($waiter), '', 'with the group given away during the wait no record is given');
like($waiter->{err}, qr/permission denied for consumer group "g" of topic "closed"/, 'with the group given away during the wait the call fails');
ask($waiter, q{RESET ROLE; SELECT value FROM consume('closed', 'g');});
is(answer($waiter), 'secret', 'the record is there for its new owner');

# the topic goes while somebody waits
ask($waiter, q{SELECT value FROM consume('events', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{DROP FOREIGN TABLE events});
answer($waiter);
isnt($waiter->{err}, '', 'dropping the topic ends the wait with an error');
note($waiter->{err});

# a terminated session, and a server that stops
$node->safe_psql('postgres', q{SELECT create_topic('more')});
ask($waiter, q{SELECT value FROM consume('more', 'g', timeout => '1 hour');});
wait_asleep('waiter');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'waiter'});
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'waiter'});
pass('a waiting session can be terminated');
$waiter->{run}->finish;

my $last = session('last');
ask($last, q{SELECT value FROM consume('more', 'g', timeout => '1 hour');});
wait_asleep('last');
$node->stop('fast');
pass('a fast stop does not wait for the waiters');
$last->{run}->finish;

done_testing();
