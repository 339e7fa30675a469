# Files under test: src/group/lease.c, src/group/lease_call.c, src/group/live_members.c,
# src/group/group_member.c, src/consume/consume.c.
# Members that lease partitions, through a connection pooler: they stop calling,
# are too slow, come and go, while the server crashes and a standby is promoted.
#
# Two groups read the same topic.  A member of "exact" commits in the transaction
# of its work: each record is in the table "exact" once and in order, since who
# has lost a partition cannot commit.  A member of "loose" works in one
# transaction and commits in another: each record is in "loose" at least once.
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

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

plan skip_all => 'pgbouncer is not installed' unless Pooler::program();

my $partitions = 6;
my $workers = 5;
my $lease = '400 ms';

my $primary = new_node('primary', init => { allows_streaming => 1 },
	# the members' commits leave dead rows as any update does, which vacuum is to find in time
	settings => [ 'max_connections = 40', 'wal_keep_size = 1GB', 'autovacuum_naptime = 1s' ]);
$primary->start;
$primary->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => $partitions);
	CREATE TABLE exact (id bigserial, member text, pid int DEFAULT pg_backend_pid(), partition int, record_offset bigint);
	CREATE TABLE loose (LIKE exact INCLUDING ALL);
});
my $standby = start_standby($primary);

# ---- the pooler --------------------------------------------------------------

my $pooler = Pooler->new;

# Fewer server connections than clients, handed out a transaction at a time.
sub start_pooler
{
	my ($node) = @_;

	$pooler->start($node, 'pool_mode = transaction', 'default_pool_size = 3', 'max_client_conn = 50');
	return;
}

# ---- workers -----------------------------------------------------------------

my $lives = 0;
my $count = 0;

# One turn of a member's loop.
sub turn
{
	my ($member, $group, $dies) = @_;
	my $records = 1 + int(rand(20));
	my $slow = rand() < 0.04 ? "SELECT pg_sleep(0.6);\n" : '';
	my $from = rand() < 0.3 ? q{consume_many('{events}'} : q{consume('events'};
	my $fetch = "SELECT coalesce(json_agg(c), '[]')::text AS batch FROM $from, '$group', $records, "
	  . "member_id => '$member', lease => '$lease', timeout => '50 ms') c \\gset\n";
	my $work = "INSERT INTO $group (member, partition, record_offset) SELECT '$member', partition, record_offset "
	  . "FROM json_to_recordset(:'batch') AS r(partition int, record_offset bigint);\n";
	my $commit = "SELECT commit_offsets('events', '$group', '$member');\n";

	return $fetch if $dies && rand() < 0.5;
	return $fetch . $slow . "BEGIN;\n$work" . $commit . "COMMIT;\n" if $group eq 'exact';
	return $fetch . $work if $dies;
	return $fetch . $slow . $work . $commit;
}

# What one client does: lives of members, each of which just stops, or leaves.
# A fenced commit is an error; the loop goes on.
sub script
{
	my ($turns) = @_;
	my $script = '';

	while ($turns > 0)
	{
		my $member = 'm' . ++$lives;
		my $group = rand() < 0.5 ? 'exact' : 'loose';
		my $life = 5 + int(rand(40));

		$script .= turn($member, $group, 0) for 1 .. $life;
		$script .= rand() < 0.6 ? turn($member, $group, 1) : "SELECT leave_group('events', '$group', '$member');\n";
		$turns -= $life;
	}
	return $script;
}

# Start the workers as clients of the pooler.
sub start_workers
{
	my ($turns) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @started;

	for my $worker (1 .. $workers)
	{
		my $file = "$directory/" . ++$count;

		append_to_file("$file.sql", script($turns));
		push @started, { file => $file, run => IPC::Run::start(
			[ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
				$pooler->connstr, '-f', "$file.sql" ],
			'<', \undef, '>', "$file.out", '2>', "$file.err") };
	}
	return @started;
}

my $fenced = 0;

# Wait for the workers; no error but those of fencing, and of what the test did to the server.
sub finish_workers
{
	my ($allowed, @started) = @_;
	my @unexpected;

	foreach my $worker (@started)
	{
		$worker->{run}->finish;
		my @lines = grep { /ERROR|FATAL|PANIC/ } split /\n/, slurp_file("$worker->{file}.err");
		$fenced += grep { /55P03/ } @lines;
		push @unexpected, grep { !/55P03|in failed sql|current transaction is aborted/i && !($allowed && /$allowed/) } @lines;
	}
	is(join("\n", @unexpected), '', 'members met no error but that of a lost lease');
	return;
}

sub produce
{
	my ($node, $records) = @_;

	$node->safe_psql('postgres', qq{
		INSERT INTO events (partition, value) SELECT i % $partitions, i::text FROM generate_series(1, $records) i});
	return;
}

# What is wrong with the oracles; "complete": with both groups at the end.
sub differences
{
	my ($node, $complete) = @_;
	my $missing = join('', map { qq{
		UNION ALL
		(SELECT '$_ missed: ' || partition || ':' || record_offset FROM (
			SELECT partition, record_offset FROM events EXCEPT SELECT partition, record_offset FROM $_) m LIMIT 5)} } qw(exact loose));

	return $node->safe_psql('postgres', q{
		(SELECT 'exact twice: ' || partition || ':' || record_offset FROM exact GROUP BY partition, record_offset
		 HAVING count(*) > 1 LIMIT 5)
		UNION ALL
		(SELECT 'exact out of order: ' || partition || ':' || record_offset FROM (
			SELECT *, lag(record_offset) OVER (PARTITION BY partition ORDER BY id) AS previous FROM exact) o
		 WHERE record_offset <> coalesce(previous, -1) + 1 LIMIT 5)
		UNION ALL
		(SELECT 'loose out of order: ' || partition || ':' || record_offset FROM (
			SELECT *, lag(record_offset) OVER (PARTITION BY member, partition ORDER BY id) AS previous FROM loose) o
		 WHERE record_offset > previous + 1 AND NOT EXISTS (
			SELECT FROM loose e WHERE e.partition = o.partition AND e.record_offset = o.record_offset - 1 AND e.id < o.id)
		 LIMIT 5)
		UNION ALL
		(SELECT 'committed but not handled: ' || group_id || ' ' || partition || ' up to ' || committed_offset
		 FROM pg_topic_groups g WHERE committed_offset IS DISTINCT FROM coalesce(
			CASE group_id WHEN 'exact' THEN (SELECT max(record_offset) + 1 FROM exact e WHERE e.partition = g.partition)
			ELSE committed_offset END, committed_offset)
			OR group_id = 'loose' AND committed_offset > (SELECT count(DISTINCT record_offset) FROM loose l WHERE l.partition = g.partition)
		 LIMIT 5)} . ($complete ? $missing : ''));
}

# Let one last member of each group read what is left.
sub drain
{
	my ($node) = @_;

	foreach my $group (qw(exact loose))
	{
		my $member = 'last' . ++$lives;

		poll_until(sub {
			$node->safe_psql('postgres', qq{
				SELECT coalesce(json_agg(c), '[]')::text AS batch
				FROM consume('events', '$group', 100000, member_id => '$member', lease => '$lease') c \\gset
				BEGIN;
				INSERT INTO $group (member, partition, record_offset) SELECT '$member', partition, record_offset
				FROM json_to_recordset(:'batch') AS r(partition int, record_offset bigint);
				SELECT commit_offsets('events', '$group', '$member');
				COMMIT});
			return $node->safe_psql('postgres', qq{
				SELECT count(*) = $partitions AND sum(lag) = 0 FROM pg_topic_groups WHERE group_id = '$group'}) eq 't';
		}) or die "group $group does not come to the end";
	}
	return;
}

# ---- waiting -----------------------------------------------------------------

# What a waiting session holds, once it waits: its xmin, its xid and its locks.
sub waits_holding
{
	my ($name) = @_;
	my $holds;

	poll_until(sub {
		$holds = $primary->safe_psql('postgres', qq{
			SELECT coalesce(a.backend_xmin::text, 'no xmin'), coalesce(a.backend_xid::text, 'no xid'),
				   (SELECT string_agg(locktype, ' ' ORDER BY locktype) FROM pg_locks l WHERE l.pid = a.pid)
			FROM pg_stat_activity a WHERE application_name = '$name' AND state = 'active' AND wait_event_type = 'Extension'});
		return $holds ne '';
	}) or die "$name does not wait";
	return $holds;
}

my $polling = sub {
	my ($member, $wait, $length) = @_;
	return "SELECT string_agg(partition || ':' || record_offset, ' ') FROM consume('waiting', 'w', timeout => '$wait', "
	  . "member_id => '$member', lease => '$length');";
};
$primary->safe_psql('postgres', q{SELECT create_topic('waiting', partitions => 2)});
my $waiter = open_background($primary, 'waiter');
ask($waiter, $polling->('w1', '1 h', '5 min'));
is(answer($waiter), '', 'the call by which a member joins the group does not wait');
ask($waiter, $polling->('w1', '1 h', '5 min'));
is(waits_holding('waiter'), 'no xmin|no xid|virtualxid',
	'a member that waits holds no xmin, no transaction id and no lock');
$primary->safe_psql('postgres', q{INSERT INTO waiting (partition, value) VALUES (1, 'a')});
is(answer($waiter), '1:0', 'a new record wakes a member that waits');
ask($waiter, $polling->('w1', '1 h', '5 min') . ' ' . $polling->('w1', '1 h', '5 min'));
waits_holding('waiter');
$primary->safe_psql('postgres', q{SELECT commit_offsets('waiting', 'w', 'w1')});
is($primary->safe_psql('postgres', $polling->('w2', '0', '5 min')), '',
	'a new member gets no partition while another one leases all');
$primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM topic_group_offsets WHERE member_id = 'w1'})
  or die 'nothing is given up';
pass('a new member wakes one with more than its share, which gives a partition up');
$primary->safe_psql('postgres', q{INSERT INTO waiting (partition, value) VALUES (0, 'b')});
is(answer($waiter), "\n0:0", 'a member that has given a partition up waits for the other one');
# time to renew: the call ends before its timeout, in a function too
ask($waiter, $polling->('w1', '1 h', '1 s') . ' ' . $polling->('w1', '1 h', '1 s'));
is(answer($waiter), "\n", 'a member waits no longer than half of its lease');
ask($waiter, q{DO $$ BEGIN PERFORM * FROM consume('waiting', 'w', timeout => '1 h', member_id => 'w1', lease => '1 s'); END $$;});
is(answer($waiter), '', 'inside of a function a member waits no longer than half of its lease, too');
# over several topics
$primary->safe_psql('postgres', q{SELECT create_topic('"waiting too"')});
my $many = q{SELECT string_agg(topic || ':' || record_offset, ' ')
	FROM consume_many('{waiting,"\"waiting too\""}', 'many', timeout => '1 h', member_id => 'm', lease => '5 min');};
ask($waiter, $many);
answer($waiter);
ask($waiter, $many);
is(waits_holding('waiter'), 'no xmin|no xid|virtualxid',
	'a member of several topics that waits holds no xmin, no transaction id and no lock');
$primary->safe_psql('postgres', q{SELECT produce('"waiting too"', 'c'::text)});
is(answer($waiter), '"waiting too":0', 'a record in one of several topics wakes the member');
(my $call = $many) =~ s/;$//;
ask($waiter, "DO \$\$ BEGIN RAISE NOTICE 'got %', ($call); END \$\$;");
waits_holding('waiter');
$primary->safe_psql('postgres', q{SELECT produce('waiting', NULL::text, 'd', partition => 1)});
answer($waiter);
like($waiter->{err}, qr/got waiting:1/, 'a record in one of several topics wakes a member inside of a function, too');

$waiter->{in} .= "\\q\n";
$waiter->{run}->finish;
$primary->safe_psql('postgres', q{
	SELECT leave_group('waiting', 'w', 'w1'), leave_group('waiting', 'w', 'w2');
	SELECT drop_topic('waiting'), drop_topic('"waiting too"')});

# ---- through the pooler ------------------------------------------------------

start_pooler($primary);
produce($primary, 6000);
my @started = start_workers(150);
produce($primary, 3000);
finish_workers(undef, @started);
is(differences($primary, 0), '',
	'under a pooler no record is handled twice or out of order by members that die, are slow, come and go');
cmp_ok($primary->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT member FROM exact GROUP BY member HAVING count(DISTINCT pid) > 1) m}), '>', 0,
	'members worked over several server connections');
cmp_ok($primary->safe_psql('postgres', q{SELECT min(n) FROM (SELECT count(DISTINCT member) AS n FROM exact GROUP BY partition) p}),
	'>', 1, 'each partition was leased by more than one member');
cmp_ok($fenced, '>', 0, "$fenced commits of members that had lost a lease were refused");
drain($primary);
is(differences($primary, 1), '', 'both groups have handled all records');

# ---- a crash of the server ---------------------------------------------------

produce($primary, 6000);
@started = start_workers(400);
poll_until(sub { $primary->safe_psql('postgres', 'SELECT count(*) > 10500 FROM exact') eq 't' }) or die 'nothing is processed';
kill_all($primary);
$pooler->stop;
finish_workers('connection|terminat|shutting down|server|FATAL', @started);
$primary->start;
is(differences($primary, 0), '', 'after a crash of the server no record is handled twice or out of order');
start_pooler($primary);
finish_workers(undef, start_workers(60));
drain($primary);
is(differences($primary, 1), '', 'after a crash of the server new members handle the remaining records');

# ---- a standby is promoted ---------------------------------------------------

produce($primary, 6000);
@started = start_workers(400);
poll_until(sub { $primary->safe_psql('postgres', 'SELECT count(*) > 16500 FROM exact') eq 't' }) or die 'nothing is processed';
$primary->stop('immediate');
$pooler->stop;
finish_workers('connection|terminat|shutting down|server|FATAL', @started);
$standby->promote;
is(differences($standby, 0), '', 'on the promoted standby no record is handled twice or out of order');
isnt($standby->safe_psql('postgres', 'SELECT count(*) FROM topic_group_members'), '0',
	'the promoted standby has the members of the groups');
start_pooler($standby);
finish_workers(undef, start_workers(60));
drain($standby);
is(differences($standby, 1), '', 'on the promoted standby new members handle the remaining records');

# ---- what stays ----------------------------------------------------------------

cmp_ok($standby->safe_psql('postgres', 'SELECT count(*) FROM topic_group_members'), '<', 5,
	'the rows of members that died are removed');
$standby->safe_psql('postgres', 'VACUUM topic_group_offsets, topic_group_members');
cmp_ok($standby->safe_psql('postgres', q{
	SELECT pg_relation_size('topic_group_offsets') + pg_relation_size('topic_group_members')}), '<', 1024 * 1024,
	'the tables of offsets and members stay below 1 MB');
$pooler->stop;
$standby->stop;
done_testing();
