# acks and min.insync.replicas on a primary and two standbys: what a producer with
# acks 'all' was told is on the standby that takes over, whenever the primary is
# lost; with '1' and '0' nobody is waited for; where too few replicas are in sync
# nothing is appended.
#
# synchronous_commit is "local" by configuration: whatever waits for a standby here
# does so because of acks.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Path qw(rmtree);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my %node = (a => new_node('a', init => { allows_streaming => 1 },
	settings => [ 'max_connections = 30', 'wal_keep_size = 1GB', 'synchronous_commit = local',
		'wal_retrieve_retry_interval = 50ms', 'log_min_messages = warning' ]));
my $primary = $node{a};
$primary->start;
create_load_schema($primary);
$primary->safe_psql('postgres', q{
	SELECT alter_topic('events', '{"min.insync.replicas": 2}');
	SELECT create_topic('plain');
	SELECT create_topic('strict', config => '{"min.insync.replicas": 2}');
	SELECT create_topic('stricter', config => '{"min.insync.replicas": 3}');
	-- the end of a function with settings of its own takes back those made in it
	CREATE FUNCTION produce_and_flush(value text) RETURNS bigint SET work_mem = '5MB' LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM produce('plain', value);
		RETURN (SELECT base_offset FROM flush() LIMIT 1);
	END $$;
});

# The nodes that are not the primary, in order.
sub standbys
{
	return map { $node{$_} } grep { $node{$_} != $primary } sort keys %node;
}

# A standby of the primary, made anew.
sub make_standby
{
	my ($name) = @_;

	$node{$name} ? rmtree($node{$name}->data_dir) : ($node{$name} = PostgreSQL::Test::Cluster->new($name));
	# backups are the primary's; each has a name of its own
	my $backup = "for_${name}_" . time . int(rand(1_000_000));
	$primary->backup($backup);
	$node{$name}->init_from_backup($primary, $backup, has_streaming => 1);
	$node{$name}->start;
	return;
}

# synchronous_standby_names, once so many standbys are in sync.
sub set_synchronous
{
	my ($names, $count) = @_;

	$primary->safe_psql('postgres', "ALTER SYSTEM SET synchronous_standby_names = '$names'; SELECT pg_reload_conf()");
	$primary->poll_query_until('postgres', qq{
		SELECT current_setting('synchronous_standby_names') = '$names' AND
			(SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming') = $count})
	  or die 'the standbys do not become synchronous';
	return;
}

sub ends
{
	return $primary->safe_psql('postgres', q{
		SELECT string_agg(topic || ' ' || log_end_offset, ', ' ORDER BY topic::text, partition) FROM pg_topic_partitions});
}

# The error of a statement that must fail.
sub failure
{
	my ($sql) = @_;
	my ($code, $out, $err) = $primary->psql('postgres', "\\set VERBOSITY verbose\n$sql");

	isnt($code, 0, "this is an error: $sql");
	return $err;
}

# A session that has begun to wait for the standbys.
my $sessions = 0;

sub waiting
{
	my ($sql, $name) = @_;
	my $session = open_background($primary, 'waits' . ++$sessions);

	ask($session, "$sql;");
	ok($primary->poll_query_until('postgres',
		"SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE application_name = '$session->{name}'"),
		"$name: the commit waits for a standby");
	return $session;
}

sub stop_standbys { $_->stop foreach standbys(); return; }
sub start_standbys { $_->start foreach standbys(); return; }

make_standby($_) foreach 'b', 'c';

# ---- what each waits for -----------------------------------------------------

my $any = 'ANY 1 (a, b, c)';
set_synchronous($any, 2);
$primary->safe_psql('postgres', q{SET pg_topics.acks = 'all'; SELECT produce('strict', 'v')});
is($primary->safe_psql('postgres', 'SELECT count(*) FROM strict'), '1',
	q{with acks 'all' and two standbys a commit succeeds});

stop_standbys();
$primary->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_replication') or die 'standbys stay connected';
foreach my $acks ('0', '1')
{
	$primary->safe_psql('postgres', qq{SET synchronous_commit = on; SET pg_topics.acks = '$acks'; SELECT produce('$_', '$acks')})
	  foreach 'plain', 'strict';
}
is($primary->safe_psql('postgres', q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM plain}), '0 1',
	q{with acks '0' and '1' a commit waits for no standby, whatever synchronous_commit is});
is($primary->safe_psql('postgres', q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM strict}), 'v 0 1',
	q{with acks '0' and '1' min.insync.replicas does not count});

my @waiting = (
	waiting(q{SET pg_topics.acks = 'all'; SELECT produce('plain', 'all')}, q{acks 'all'}),
	waiting(q{SET pg_topics.acks = 'all'; BEGIN; SELECT produce_and_flush('flushed'); SET LOCAL synchronous_commit = off; COMMIT},
		q{acks 'all' after a flush() in a function with settings of its own}),
	waiting(q{SET synchronous_commit = on; SELECT produce('plain', 'unset')},
		'acks not set and synchronous_commit on'));
is($primary->safe_psql('postgres', q{SELECT string_agg(value, ' ' ORDER BY record_offset) FROM plain}), '0 1',
	'records whose commit waits for a standby are not seen yet');

# PostgreSQL cannot take back what it has committed here
my $given_up = waiting(q{SET pg_topics.acks = 'all'; SELECT produce('plain', 'given up')},
	'a session that will be cancelled');
$primary->safe_psql('postgres', qq{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = '$given_up->{name}'});
answer($given_up);
like($given_up->{err}, qr/WARNING:  canceling wait for synchronous replication.*committed locally/s,
	'a wait that is cancelled warns that the commit is local only');

# ---- too few in sync ---------------------------------------------------------

my $ends = ends();
my $too_few = qr/ERROR:  55000: cannot produce to topic "(strict|events)": only 1 of 2 required replicas are in sync\n.*HINT:  /s;
foreach my $sql (q{SELECT produce('strict', 'k', 'v')},
	q{BEGIN; SELECT produce('plain', 'v'); SELECT produce('strict', 'v'); COMMIT},
	q{BEGIN; SELECT produce('plain', 'v'); SELECT produce('strict', 'v'); SELECT count(*) FROM flush()},
	q{BEGIN; SELECT produce('strict', 'v'); PREPARE TRANSACTION 'p'},
	q{SELECT send_many(1, 1, 1000, 100)})
{
	like(failure("SET pg_topics.acks = 'all'; $sql"), $too_few,
		'with too few replicas in sync the error says how many there are');
}
like(failure(q{SET synchronous_commit = remote_write; SELECT produce('strict', 'v')}), $too_few,
	'with acks not set and synchronous_commit remote_write too few replicas are an error, too');
is(ends(), $ends, 'where too few replicas are in sync nothing was appended to any topic');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM sent'), '0',
	'where too few replicas are in sync no row was written');

# ---- it heals ----------------------------------------------------------------

my ($first) = standbys();
$first->start;
answer($_) foreach @waiting;
is(join('', map { $_->{err} } @waiting), '',
	'once a standby is back the commits that waited end without a warning');
is($primary->safe_psql('postgres', q{SELECT string_agg(value, ' ' ORDER BY value) FROM plain}), '0 1 all flushed given up unset',
	'once a standby is back the records of these commits are seen');
$primary->safe_psql('postgres', q{SET pg_topics.acks = 'all'; SELECT produce('strict', 'healed')});
is($primary->safe_psql('postgres', q{SELECT count(*) FROM strict WHERE value = 'healed'}), '1',
	'one of two standbys is enough for two replicas');

# three replicas: as many as a commit waits for, not as many as are there
(standbys())[1]->start;
set_synchronous($any, 2);
like(failure(q{SET pg_topics.acks = 'all'; SELECT produce('stricter', 'v')}), qr/2 of 3 required replicas are in sync/,
	'ANY 1 makes two replicas, however many standbys there are');
set_synchronous('ANY 2 (a, b, c)', 2);
$primary->safe_psql('postgres', q{SET pg_topics.acks = 'all'; SELECT produce('stricter', 'v')});
is($primary->safe_psql('postgres', 'SELECT count(*) FROM stricter'), '1', 'ANY 2 makes three replicas');
set_synchronous('FIRST 1 (a, b, c)', 1);
like(failure(q{SET pg_topics.acks = 'all'; SELECT produce('stricter', 'v')}), qr/2 of 3 required replicas are in sync/,
	'FIRST 1 makes two replicas');
set_synchronous($any, 2);

# ---- remote_apply ------------------------------------------------------------

# Replay is paused on both: a commit is flushed there, but not applied.
sub pause
{
	my ($what) = @_;

	$_->safe_psql('postgres', "SELECT pg_wal_replay_$what()") foreach standbys();
	return;
}

$primary->wait_for_catchup($_, 'replay', $primary->lsn('flush')) foreach standbys();
pause('pause');
$_->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) foreach standbys();
$primary->safe_psql('postgres', q{SET pg_topics.acks = 'all'; SELECT produce('plain', 'flushed there')});
pass(q{with acks 'all' a commit waits for the flush on a standby, not for its replay});
my $set = waiting(q{SET synchronous_commit = remote_apply; SET pg_topics.acks = 'all'; SELECT produce('plain', 'applied')},
	'synchronous_commit is remote_apply in the session');
$primary->safe_psql('postgres', 'ALTER SYSTEM SET synchronous_commit = remote_apply; SELECT pg_reload_conf()');
$primary->poll_query_until('postgres', q{SELECT current_setting('synchronous_commit') = 'remote_apply'});
my $configured = waiting(q{SET pg_topics.acks = 'all'; SELECT produce('plain', 'applied')},
	'synchronous_commit is remote_apply by configuration');
my $lowered = waiting(q{SET synchronous_commit = off; SET pg_topics.acks = 'all'; SELECT produce('plain', 'applied')},
	'synchronous_commit is remote_apply by configuration and off in the session');
pause('resume');
foreach my $session ($set, $configured, $lowered)
{
	answer($session);
	is($session->{err}, '', 'once a standby has replayed the commit it ends without a warning');
}
$primary->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_commit; SELECT pg_reload_conf()');
$primary->poll_query_until('postgres', q{SELECT current_setting('synchronous_commit') = 'local'});

# ---- the primary is lost, acks 'all' -----------------------------------------

my @loads;
my $number = 1;

# Four clients with that acks.  A prepared transaction commits as its session is set.
sub start_clients
{
	my ($acks) = @_;
	my @scripts = map { load_script($_, $number, ENDLESS) } 1 .. 4;

	$number += ENDLESS;
	if ($acks eq 'all')
	{
		s/^(COMMIT PREPARED .*)$/SET synchronous_commit = on;\n$1\nRESET synchronous_commit;/mg foreach @scripts;
	}
	return start_load($primary, clients => 0,
		also => [ map { "CREATE TEMP TABLE of_session ();\nSET pg_topics.acks = '$acks';\n$_" } @scripts ]);
}

sub wait_acknowledged
{
	my ($load, $more) = @_;
	my $from = acknowledged($load);

	poll_until(sub { acknowledged($load) > $from + $more }) or die 'the load does not get on';
	return;
}

# How much of the WAL a standby has on disk.
sub received
{
	my ($standby) = @_;
	my ($high, $low) = split m{/}, $standby->safe_psql('postgres',
		'SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())');

	return hex($high) * 2**32 + hex($low);
}

# From now on nothing reaches the standbys, as if the network was cut.
sub cut
{
	halt_asleep($primary, split /\n/, $primary->safe_psql('postgres', 'SELECT pid FROM pg_stat_replication'));
	return;
}

# A standby takes over; the others follow it, the lost primary made anew.
sub take_over
{
	my ($new) = @_;
	my $old = $primary;
	my ($other) = grep { $_ != $new } standbys();

	# one that nobody waited for may have more than the new primary will have; with its primary
	# lost it gets no more
	my $ahead = received($other) > received($new);

	$new->promote;
	$new->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'recovery does not end';
	$primary = $new;
	$other->stop('fast', fail_ok => 1);
	if ($ahead)
	{
		make_standby($other->name);
	}
	else
	{
		$other->enable_streaming($new);
		$other->start;
	}
	# prepared transactions left by the crash may want replicas no more
	end_prepared($primary);
	make_standby($old->name);
	return;
}

foreach my $round (1 .. 5)
{
	my $first_wins = $round > 3;
	my $names = $first_wins ? sprintf('FIRST 1 (%s)', join(', ', map { $_->name } reverse standbys())) : $any;

	set_synchronous($names, $first_wins ? 1 : 2);
	my $load = start_clients('all');
	push @loads, $load;
	wait_acknowledged($load, 150);
	my ($lost) = $round == 3 ? standbys() : ();
	if ($lost)
	{
		# one of two is lost first, the other carries on
		kill_all($lost);
		wait_acknowledged($load, 50);
	}
	usleep(rand(200_000));
	if ($round % 2 == 0)
	{
		# clients wait from here on, and are told nothing
		cut();
		usleep(300_000);
	}
	kill_all($primary);
	finish_load($load);
	my @alive = grep { !$lost || $_ != $lost } standbys();
	my ($new) = $first_wins ? reverse @alive : sort { received($b) <=> received($a) } @alive;
	my $name = "round $round, $names, " . $new->name . ' takes over from ' . $primary->name;
	$lost->start if $lost;
	take_over($new);
	check_events($primary, "$name: each transaction has the same records in the topic as in the table");
	check_acknowledged($primary, $_, $name) foreach @loads;
	wait_resolved($primary);
	check_events($primary, "$name: the records are the same once the log is resolved");
}

# ---- the primary is lost, acks '1' -------------------------------------------

# The same, and what was acknowledged is lost: so would it be above.
set_synchronous($any, 2);
my $load = start_clients('1');
wait_acknowledged($load, 50);
cut();
wait_acknowledged($load, 50);
kill_all($primary);
finish_load($load);
take_over((standbys())[0]);
check_events($primary,
	q{acks '1': on the standby that takes over each transaction has the same records in topic and table});
check_acknowledged($primary, $_, q{acks '1': what was acknowledged with acks 'all' before}) foreach @loads;
my %there = map { $_ => 1 } split /\n/, $primary->safe_psql('postgres', q{SELECT DISTINCT client || ' ' || n FROM sent});
cmp_ok(scalar(grep { !$there{"$_->[0] $_->[1]"} } acknowledged($load)), '>=', 20,
	q{acks '1': acknowledged transactions that no standby had received are lost});

# ---- the server crashes, acks '1' and '0' ------------------------------------

set_synchronous('', 0);
# nobody writes WAL but who waits for it
halt_asleep($primary, $primary->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}));
my $session = open_session($primary);
$session->run(q{SET synchronous_commit = off; SET pg_topics.acks = '1'; SELECT send(900, 1, 1, 0, 10)});
is($session->run('SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() - 200'), 't',
	q{with acks '1' the WAL is flushed on the primary when the commit returns});
$session->run(q{SET synchronous_commit = on; SET pg_topics.acks = '0'; SELECT send(901, 1, 1, 0, 1000)});
is($session->run('SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() > 1000'), 't',
	q{with acks '0' the WAL is not flushed when the commit returns});
kill_all($primary);
$primary->start;
end_prepared($primary);
is($primary->safe_psql('postgres', q{SELECT count(*) FROM events WHERE key = '900'}), '1',
	q{after a crash of the server the records of acks '1' are there});
check_events($primary, q{after a crash a transaction of acks '0' has records and rows or neither});
check_acknowledged($primary, $_, q{after that crash, acks 'all'}) foreach @loads;
$_->stop foreach values %node;

done_testing();
