# Files under test: src/share/share_row.c, src/share/share_transaction.c, src/share/share_table.c,
# src/share/share_group.c, src/consume/consume_shared.c, src/maintenance/maintenance_worker.c.
# What of share groups survives: crashes, restarts, prepared transactions, a promotion; more
# share partitions than there is room for; waiting; poolers that hand out single statements.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use Pooler;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'restart_after_crash = on', 'pg_topics.max_share_partitions = 2', 'wal_keep_size = 1GB' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('jobs');
	INSERT INTO jobs (value) SELECT i FROM generate_series(0, 99) i;
	CREATE VIEW stands AS SELECT start_offset, end_offset, available, acquired, pending, finished, max_delivery_count
		FROM pg_topic_share_groups WHERE group_id = 'g';
});
my $standby = start_standby($node);

# What a call delivers: "offset x deliveries", of single records or of several.
sub take
{
	my ($where, $many, $more) = @_;

	return $where->safe_psql('postgres', q{SELECT string_agg(record_offset || 'x' || delivery_count, ' ' ORDER BY record_offset) }
		. "FROM consume_shared('jobs', 'g', $many" . ($more // '') . ')');
}

sub stands { return $_[0]->safe_psql('postgres', 'SELECT * FROM stands'); }

my $lease = q{, lease => '1 hour'};

# ---- crashes -----------------------------------------------------------------------

is(take($node, 4, $lease), '0x1 1x1 2x1 3x1', 'leased');
$node->safe_psql('postgres', q{SELECT acknowledge('jobs', 'g', 0, 1)});
$node->safe_psql('postgres', q{SELECT acknowledge('jobs', 'g', 0, 2, 'release')});
my $open = open_background($node, 'open');
ask($open, q{BEGIN; SELECT acknowledge('jobs', 'g', 0, 3);});
answer($open);
is(stands($node), '0|4|1|1|1|1|1', 'one of each');
kill_all($node);
$open->{run}->kill_kill;
$node->start;
is(stands($node), '0|3|2|0|0|1|1', 'a crash keeps what was committed, and nothing else');
is(take($node, 4), '0x1 2x2 3x1 4x1', 'what was leased is delivered again, with the deliveries that rows know');
is(stands($node), '5|5|0|0|0|0|0', 'and is accepted');
$node->restart;
is(stands($node), '5|5|0|0|0|0|0', 'a restart keeps it');

# one backend dies: all the memory of the server is made anew
is(take($node, 2, $lease), '5x1 6x1', 'leased again');
crash_one($node, sub { kill 'KILL', $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}) });
is(take($node, 2), '5x1 6x1', 'the crash of a process gives leases back');

# ---- prepared transactions -----------------------------------------------------------

$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'g', 2); PREPARE TRANSACTION 'a'});
$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'g', 2); PREPARE TRANSACTION 'b'});
is(stands($node), '7|11|0|0|4|0|1', 'prepared transactions hold what they have acknowledged');
is(take($node, 1), '11x1', 'and nobody else gets it');
$node->safe_psql('postgres', q{COMMIT PREPARED 'a'});
is(stands($node), '9|12|0|0|2|1|1', 'one has committed');
$node->restart;
is(stands($node), '9|12|0|0|2|1|0', 'the other one holds its records across a restart');
is(take($node, 1), '12x1', 'and nobody else gets them then');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'b'});
is(take($node, 3), '9x1 10x1 13x1', 'it has rolled back: they are delivered again');
$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'p', 2); PREPARE TRANSACTION 'new'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_topic_share_groups WHERE group_id = 'p'}), '0', 'a prepared transaction has made a group');
$node->safe_psql('postgres', q{COMMIT PREPARED 'new'});
is($node->safe_psql('postgres', q{SELECT start_offset FROM pg_topic_share_groups WHERE group_id = 'p'}), '2', 'and commits it');
my ($code, $out, $err) = $node->psql('postgres', q{BEGIN; SELECT delete_group('jobs', 'p'); PREPARE TRANSACTION 'c'});
like($err, qr/cannot PREPARE a transaction that has deleted or changed a share group/, 'deleting a group is not prepared');
is($node->safe_psql('postgres', q{SELECT delete_group('jobs', 'p')}), '1', 'but done');

# ---- standbys -------------------------------------------------------------------------

$node->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM consume_shared('jobs', 'g', 2); PREPARE TRANSACTION 'd'});
is(take($node, 2, $lease), '16x1 17x1', 'leased');
$node->safe_psql('postgres', q{SELECT acknowledge('jobs', 'g', 0, 17)});
catch_up($node, $standby);
is($standby->safe_psql('postgres', q{SELECT start_offset, finished FROM pg_topic_share_groups WHERE group_id = 'g'}), '14|1', 'a standby shows what is durable');
($code, $out, $err) = $standby->psql('postgres', q{SELECT consume_shared('jobs', 'g')});
like($err, qr/cannot execute consume_shared\(\) in a read-only transaction/, 'and consumes nothing');
is($node->safe_psql('postgres', 'SELECT merge_share_acks() > 0'), 'f', 'acknowledgements are not merged while a prepared transaction has written some');
$node->safe_psql('postgres', q{SELECT count(*) FROM consume_shared('jobs', 'g', 1)});
is($node->safe_psql('postgres', q{SELECT count(*) > 0 FROM topic_share_acks_0}) . $node->safe_psql('postgres', q{SELECT count(*) > 0 FROM topic_share_acks_1}),
	'tt', 'and others are written to the other table meanwhile');
$node->safe_psql('postgres', q{COMMIT PREPARED 'd'});
is($node->safe_psql('postgres', 'SELECT merge_share_acks() > 0'), 't', 'then they are merged');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM topic_share_acks_0) + (SELECT count(*) FROM topic_share_acks_1)}), '0', 'and their tables are empty');
catch_up($node, $standby);
$node->stop('immediate');
$standby->promote;
is(take($standby, 3), '16x2 19x1 20x1', 'a promoted standby goes on, and knows deliveries that were merged');
$node = $standby;

# ---- more share partitions than there is room for ---------------------------------------

is($node->safe_psql('postgres', q{
	SELECT count(*) FROM generate_series(1, 6) i, LATERAL (SELECT count(*) FROM consume_shared('jobs', 'room' || i % 2, 1)) c}), '6', 'groups in one transaction');
is($node->safe_psql('postgres', qq{SELECT count(*) FROM consume_shared('jobs', 'room$_', 1)}), '1', "group $_ takes the room of an idle one") for 1 .. 5;
is(take($node, 1), '21x1', 'which comes back as it was');
is($node->safe_psql('postgres', qq{SELECT count(*) FROM consume_shared('jobs', 'busy$_', 1$lease)}), '1', "busy group $_") for 1 .. 2;
($code, $out, $err) = $node->psql('postgres', q{SELECT consume_shared('jobs', 'g')});
like($err, qr/too many partitions are in use by share groups.*Raise pg_topics.max_share_partitions/s, 'no room for a third one');
$node->safe_psql('postgres', qq{SELECT acknowledge('jobs', 'busy$_', 0, 0)}) for 1 .. 2;
is(take($node, 1), '22x1', 'until their records are acknowledged');

# ---- the maintenance worker merges -------------------------------------------------------

my $filler = q{DO $$ BEGIN FOR i IN 1 .. 10000 LOOP PERFORM count(*) FROM consume_shared('jobs', 'filler', 1); COMMIT; END LOOP; END $$};
$node->safe_psql('postgres', "SET synchronous_commit = off; INSERT INTO jobs (value) SELECT i FROM generate_series(100, 10000) i; $filler");
ok($node->poll_query_until('postgres', q{SELECT start_offset >= 7000 FROM topic_share_groups WHERE group_id = 'filler'}),
	'the maintenance worker merges acknowledgements');

# ---- a setting that is too small -----------------------------------------------------------

$node->safe_psql('postgres', q{
	SELECT count(*) FROM consume_shared('jobs', 'wide', 500, lease => '1 hour');
	SELECT acknowledge('jobs', 'wide', 0, 499)});
$node->append_conf('postgresql.conf', 'pg_topics.share_partition_max_record_locks = 100');
$node->restart;
($code, $out, $err) = $node->psql('postgres', q{SELECT consume_shared('jobs', 'wide')});
like($err, qr/records in flight from offset 0 to 499.*Set it to 500 or more/s, 'a window that is too small is an error that says so');
is($node->safe_psql('postgres', q{SELECT finished, end_offset FROM pg_topic_share_groups WHERE group_id = 'wide'}), '1|500', 'which the view still shows');
is($node->safe_psql('postgres', q{SELECT count(*) FROM consume_shared('jobs', 'small', 500, lease => '1 hour')}), '100', 'no more are in flight than the setting says');
is($node->safe_psql('postgres', q{SELECT count(*) FROM consume_shared('jobs', 'small', 500, lease => '1 hour')}), '0', 'not by another call either');
$node->safe_psql('postgres', q{SELECT acknowledge_many('jobs', 'small', 0, '{0,1,2}')});
is($node->safe_psql('postgres', q{SELECT count(*) FROM consume_shared('jobs', 'small', 500, lease => '1 hour')}), '3', 'until some are finished');

# ---- waiting --------------------------------------------------------------------------------

$node->safe_psql('postgres', q{SELECT create_topic('slow')});
my $waits = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waits' AND state = 'active' AND wait_event_type IN ('Extension', 'Activity', 'IPC', 'Timeout')};
my $waiter = open_background($node, 'waits');
ask($waiter, q{SELECT value FROM consume_shared('slow', 'w', 1, timeout => '10 min');});
ok($node->poll_query_until('postgres', $waits), 'a call waits');
is($node->safe_psql('postgres', q{SELECT backend_xmin IS NULL FROM pg_stat_activity WHERE application_name = 'waits'}), 't', 'without a snapshot');
$node->safe_psql('postgres', q{SELECT produce('slow', 'it comes')});
is(answer($waiter), 'it comes', 'until a record comes');
# released records wake as well
$node->safe_psql('postgres', q{SELECT produce('slow', 'again')});
my $holder = open_background($node, 'holds');
ask($holder, q{BEGIN; SELECT value FROM consume_shared('slow', 'w', 1);});
is(answer($holder), 'again', 'somebody has it');
ask($waiter, q{SELECT value, delivery_count FROM consume_shared('slow', 'w', 1, timeout => '10 min');});
ok($node->poll_query_until('postgres', $waits), 'another call waits');
ask($holder, 'ROLLBACK;');
answer($holder);
is(answer($waiter), 'again|2', 'until it is released');
$_->{run}->kill_kill foreach $waiter, $holder;

# ---- a pooler that hands out single statements ------------------------------------------------

SKIP: {
	skip 'pgbouncer is not installed', 1 unless Pooler::program();
	my $pooler = Pooler->new;

	$pooler->start($node, 'pool_mode = statement', 'default_pool_size = 3');
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'psql', '-XAtq', '-d', $pooler->connstr, map { ('-c', $_) }
		  q{SELECT count(*) FROM consume_shared('jobs', 'pooled', 3, lease => '1 hour')},
		  q{SELECT acknowledge('jobs', 'pooled', 0, 1)},
		  q{SELECT renew('jobs', 'pooled', 0, 2) IS NOT NULL},
		  q{SELECT acknowledge_many('jobs', 'pooled', 0, '{0,2}')},
		  q{SELECT start_offset FROM pg_topic_share_groups WHERE group_id = 'pooled'} ],
		'<', \undef, '>', \$stdout, '2>', \$stderr);
	is($stdout . $stderr, "3\n\nt\n2\n3\n", 'a share group through a pooler of statements');
	$pooler->stop;
}

# ---- dump and restore ----------------------------------------------------------------------------

$node->safe_psql('postgres', 'SELECT merge_share_acks()');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'dumped');
$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], 'restored');
is($node->safe_psql('copy', q{SELECT start_offset FROM pg_topic_share_groups WHERE group_id = 'pooled'}),
	'3', 'a restored share group stands where it stood');
($code, $out, $err) = $node->psql('copy', q{SELECT consume_shared('jobs', 'pooled')});
like($err, qr/begins at offset 3 of partition 0 of topic "jobs", past the log end offset 0.*delete_group/s, 'but not without the records');
$node->safe_psql('copy', q{SELECT delete_group('jobs', 'pooled'); INSERT INTO jobs (value) VALUES ('new')});
is($node->safe_psql('copy', q{SELECT value FROM consume_shared('jobs', 'pooled')}), 'new', 'until it begins anew');
$node->stop;
done_testing();
