# What waiting consumers must not do: sleep with a row lock or a transaction id
# that they took, miss a wake-up, or look again and again where nothing has
# changed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_topics'");
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => 2);
	-- a row of the group in each partition
	SELECT seek_to_beginning('events', 'g');
});

# A session in the background, known by its application name.
sub session { return open_background($node, @_); }

sub run
{
	my ($self, $sql) = @_;

	ask($self, $sql);
	return answer($self);
}

# Wait until the session waits for that kind of event.
sub wait_event
{
	my ($name, $type) = @_;

	$node->poll_query_until('postgres', qq{
		SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE application_name = '$name' AND state = 'active' AND wait_event_type = '$type')})
	  or die "session $name does not wait for $type";
	return;
}

# How often the session has gone to sleep within a second.
sub sleeps_in_a_second
{
	my ($name) = @_;
	my $pid = $node->safe_psql('postgres', qq{SELECT pid FROM pg_stat_activity WHERE application_name = '$name'});
	my $count = sub {
		return (slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s*(\d+)/m)[0];
	};
	my $before = $count->();

	sleep 1;
	return $count->() - $before;
}

sub produce
{
	my ($value) = @_;

	return $node->safe_psql('postgres', qq{SELECT produce('events', NULL::text, '$value', partition => 0)});
}

# Consume all that is there for the group.
sub drain
{
	my ($group) = @_;

	return $node->safe_psql('postgres', qq{SELECT count(*) FROM consume('events', '$group')});
}

my $nothing = 'no xmin|no xid|virtualxid';
my $waiter = session('waiter');
my $rival = session('rival');
my $gate = session('gate');

# Let the waiter see a record, and lock its row only after a rival has consumed
# the record: a lock on the table that the rival's has to be compatible with
# comes in between.  "wait" is how the waiter consumes.
sub lose_race
{
	my ($wait, $group) = @_;

	run($rival, qq{BEGIN; SELECT count(*) FROM consume('events', '$group');});
	ask($gate, q{BEGIN; LOCK TABLE topic_group_offsets IN SHARE MODE;});
	wait_event('gate', 'Lock');
	ask($waiter, $wait);
	wait_event('waiter', 'Lock');
	run($rival, q{COMMIT;});
	answer($gate);
	run($gate, q{COMMIT;});
	wait_event('waiter', 'Extension');
	return;
}

# ---- neither an xid nor a lock --------------------------------------------------

my $wait = q{SELECT value FROM consume('events', 'g', timeout => '1 hour');};

produce('one');
lose_race($wait, 'g');
is(holdings($node, 'waiter'), $nothing,
	'a waiter that lost a record to a rival holds no transaction id and no lock');
$node->safe_psql('postgres', q{SET lock_timeout = '5s'; SELECT seek_to_end('events', 'g')});
pass('a waiter that lost a record does not keep others from moving the group');
produce('two');
is(answer($waiter), 'two', 'a waiter that lost a record gets the next one');

# a new group has no row to lock
lose_race(q{SELECT value FROM consume('events', 'new', timeout => '1 hour');}, 'new');
is(holdings($node, 'waiter'), $nothing, 'a waiter in a new group that lost a record holds nothing either');
produce('three');
is(answer($waiter), 'three', 'a waiter in a new group gets the next record');

# inside of a statement the snapshot stays
drain('g');
produce('four');
lose_race(qq{DO \$\$ BEGIN PERFORM consume('events', 'g', timeout => '1 hour'); END \$\$;}, 'g');
like(holdings($node, 'waiter'), qr/\|no xid\|relation virtualxid$/,
	'a waiter inside a statement that lost a record has no transaction id');
produce('five');
is(answer($waiter) . $waiter->{err}, '', 'a waiter inside a statement gets the next record without an error');
is(drain('g'), '0', 'the record that it got inside a statement is consumed');

# while a rival owns what there is
produce('six');
run($rival, q{BEGIN; SELECT count(*) FROM consume('events', 'g');});
ask($waiter, $wait);
wait_event('waiter', 'Extension');
is(holdings($node, 'waiter'), $nothing, 'a waiter whose partition a rival owns holds nothing');
run($rival, q{ROLLBACK;});
is(answer($waiter), 'six', 'the waiter gets the record when the rival gives it up');

# ---- no wake-up is missed ---------------------------------------------------------

# A look that has to wait for a lock does not see what is committed meanwhile,
# and its latch is reset.
ask($waiter, $wait);
wait_event('waiter', 'Extension');
run($gate, q{BEGIN; LOCK TABLE topic_group_offsets IN ACCESS EXCLUSIVE MODE;});
run($rival, q{BEGIN; SELECT produce('events', NULL::text, 'undone', partition => 0); SELECT count(*) FROM flush(); ROLLBACK;});
wait_event('waiter', 'Lock');
produce('seven');
run($gate, q{COMMIT;});
is(answer($waiter), 'seven', 'a record that is committed while the waiter is held up by a lock is found');

# the same in the first look, before the session is among the waiters
run($gate, q{BEGIN; LOCK TABLE topic_group_offsets IN ACCESS EXCLUSIVE MODE;});
ask($waiter, $wait);
wait_event('waiter', 'Lock');
produce('eight');
run($gate, q{COMMIT;});
is(answer($waiter), 'eight', 'a record that is committed before the session begins to wait is found');

# what is moved back is announced as well
ask($waiter, $wait);
wait_event('waiter', 'Extension');
$node->safe_psql('postgres', q{SELECT seek_to_offset('events', 'g', committed_offset - 1, 0)
	FROM topic_group_offsets WHERE group_id = 'g' AND partition = 0});
is(answer($waiter), 'eight', 'moving a group back wakes its waiters');
ask($waiter, q{SELECT count(*) > 0 FROM consume('events', 'g', timeout => '1 hour');});
wait_event('waiter', 'Extension');
$node->safe_psql('postgres', q{SELECT delete_group('g', 'events')});
is(answer($waiter), 't', 'deleting a group wakes its waiters');

# ---- no looking again without need ------------------------------------------------

run($rival, q{BEGIN; SELECT produce('events', NULL::text, 'undone', partition => 0); SELECT count(*) FROM flush(); ROLLBACK;});
ask($waiter, $wait);
wait_event('waiter', 'Extension');
cmp_ok(sleeps_in_a_second('waiter'), '<', 4, 'a waiter does not look again and again at rolled-back records');
produce('nine');
is(answer($waiter), 'nine', 'a record behind rolled-back ones wakes the waiter');

run($rival, q{BEGIN; SELECT produce('events', NULL::text, 'ten', partition => 0); SELECT count(*) FROM flush();});
ask($waiter, $wait);
wait_event('waiter', 'Extension');
cmp_ok(sleeps_in_a_second('waiter'), '<', 4,
	"a waiter does not look again and again at an open transaction's records");
run($rival, q{COMMIT;});
is(answer($waiter), 'ten', 'the commit of the open transaction wakes the waiter');

$node->safe_psql('postgres', q{
	BEGIN; SELECT produce('events', NULL::text, 'eleven', partition => 0); PREPARE TRANSACTION 'p';});
ask($waiter, $wait);
wait_event('waiter', 'Extension');
cmp_ok(sleeps_in_a_second('waiter'), '<', 4,
	"a waiter does not look again and again at a prepared transaction's records");
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
is(answer($waiter), 'eleven', 'COMMIT PREPARED wakes the waiter');

# ---- a group behind whose back records were deleted ------------------------------

my $latest = q{SELECT string_agg(value, ' ') FROM consume('events', 'late', timeout => '1 hour', auto_offset_reset => 'latest');};
my $inside = q{DO $$ BEGIN RAISE NOTICE 'got %', (SELECT string_agg(value, ' ')
	FROM consume('events', 'late', timeout => '1 hour', auto_offset_reset => 'latest')); END $$;};

foreach my $how ('before', 'inside')
{
	$node->safe_psql('postgres', q{
		SELECT seek_to_beginning('events', 'late');
		SELECT produce('events', NULL::text, 'deleted', partition => 0);});
	$node->safe_psql('postgres', 'TRUNCATE events');
	ask($waiter, $how eq 'before' ? $latest : $inside);
	wait_event('waiter', 'Extension');
	like(holdings($node, 'waiter'), $how eq 'before' ? qr/^\Q$nothing\E$/ : qr/\|no xid\|relation virtualxid$/,
		"latest, waiting $how the statement: a group behind deleted records holds nothing");
	produce("first $how");
	like(answer($waiter) . "\n" . $waiter->{err}, qr/first $how$/m,
		"latest, waiting $how the statement: the group gets the first new record");
}

# its start is committed when the time is up
$node->safe_psql('postgres', q{
	SELECT seek_to_beginning('events', 'late');
	SELECT produce('events', NULL::text, 'deleted', partition => 0);});
$node->safe_psql('postgres', 'TRUNCATE events');
foreach my $how ("SELECT count(*) FROM consume('events', 'late', timeout => '50 ms', auto_offset_reset => 'latest');",
	"SELECT count(*) FROM consume('events', 'late 2', timeout => '50 ms', auto_offset_reset => 'latest') JOIN pg_extension ON extname = 'pg_topics';")
{
	is(run($waiter, $how), '0', 'latest: a wait without a new record ends at its timeout');
}
is($node->safe_psql('postgres', q{
	SELECT group_id, count(*), bool_and(committed_offset = log_end_offset)
	FROM topic_group_offsets JOIN pg_topic_partitions USING (topic, partition)
	WHERE group_id LIKE 'late%' GROUP BY 1 ORDER BY 1}),
	"late|2|t\nlate 2|2|t", 'latest: when the wait times out the end of the log is committed');
produce('after');
is($node->safe_psql('postgres', qq{SELECT string_agg(value, ' ') FROM consume('events', '$_')}), 'after',
	"$_: goes on where the wait began") foreach 'late', "$_: the group goes on where its wait began";

foreach my $self ($waiter, $rival, $gate)
{
	$self->{in} .= "\\q\n";
	$self->{run}->finish;
}
$node->stop;
done_testing();
