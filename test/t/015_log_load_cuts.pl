# Batches in the files whose WAL was lost in a crash are gone afterwards, also
# when their transaction ids, or the topic's oid, come again.
#
# Asynchronous commits that nothing flushes make it happen: the segment files
# have the batches, since the kernel does, and the WAL has not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [
	# nobody writes WAL on the side, see also lose()
	'bgwriter_lru_maxpages = 0', 'checkpoint_timeout = 1h',
	'pg_topics.batch_size = 4kB'
]);
$node->start;
create_load_schema($node);

sub sql { return $node->safe_psql('postgres', @_); }

# Let transactions commit until an id at or past the given one is used.
sub use_ids_up_to
{
	my ($xid) = @_;

	sql("DO \$\$ BEGIN WHILE txid_current() <= $xid LOOP COMMIT; END LOOP; END \$\$");
	return;
}

my $orphan;

# Run SQL that commits asynchronously, and crash before it gets to the disk.
# Returns the ids of its first and last transaction.
sub lose
{
	my ($sql, $look) = @_;

	halt_asleep($node, sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'}));
	my @output = split /\n/, sql("SET synchronous_commit = off; SELECT txid_current(); $sql; SELECT txid_current()");
	kill_all($node);
	$orphan = $look->() if $look;
	$node->start;
	return @output[ 0, -1 ];
}

# what stays
sql(q{SELECT send_many(1, 1, 300, 100); CHECKPOINT});
wait_resolved($node);
sql('CHECKPOINT');
my $segments = q{SELECT sum(segments) FROM pg_topic_partitions};
my $before = sql($segments);

my %losses = (
	'one batch' => 'SELECT send(2, 1, 1, 0, 50)',
	'several batches and partitions' => 'SELECT send_many(2, 1, 6, 50); SELECT send_many(2, 2, 6, 50)',
	'several segments' => 'SELECT send_many(2, 1, 900, 100)',
	'an aborted one' => 'BEGIN; SELECT send(2, 1, 1, 0, 50); SELECT count(*) FROM flush(); ROLLBACK; SELECT send(2, 2, 1, 0, 50)',
);
foreach my $name (sort keys %losses)
{
	my $log = -s $node->logfile;
	my ($first, $last) = lose($losses{$name});

	cmp_ok(sql('SELECT txid_current()'), '<=', $first, "$name: the transaction ids were lost");
	like(slurp_file($node->logfile, $log), qr/removing the last \d+ bytes of topic file/,
		"$name: the server's log tells of what was cut off");
	is(sql('SELECT count(*) FROM sent WHERE client = 2'), '0',
		"$name: the table has lost the rows of the lost transactions");
	check_events($node, "$name: the topic has lost the same transactions");
	is(sql($segments), $before, "$name: the segments that those transactions began are gone");

	use_ids_up_to($last);
	check_events($node, "$name: nothing reappears when their transaction ids are used again");
	sql('SELECT send(3, txid_current()::int, 1, p, 10) FROM generate_series(0, 2) AS p');
	check_events($node, "$name: producing goes on after the loss");
	wait_resolved($node);
	check_events($node, "$name: topic and table agree when all outcomes are noted");
	sql('CHECKPOINT');
	$before = sql($segments);
}

# ---- a topic that was lost ---------------------------------------------------

my $kept = PostgreSQL::Test::Utils::tempdir() . '/kept';
my (undef, $last) = lose(q{
	SELECT create_topic('created');
	SELECT produce('created', 'k', 'lost')},
	sub {
		my ($newest) = sort { -M $a <=> -M $b } glob($node->data_dir . '/pg_topics/*/*-0');
		PostgreSQL::Test::RecursiveCopy::copypath($newest, $kept);
		return $newest;
	});
is(sql(q{SELECT to_regclass('created') IS NULL}), 't',
	'the creation of a topic that was not on disk is lost in the crash');
ok(poll_until(sub { !-e $orphan }), 'the files of the lost topic are removed when the server starts');

# should they be there again
PostgreSQL::Test::RecursiveCopy::copypath($kept, $orphan);

# made again until one has its oid
sql(qq{DO \$\$ BEGIN
	LOOP
		PERFORM create_topic('created');
		EXIT WHEN 'created'::regclass::oid >= @{[ $orphan =~ /(\d+)-0$/ ]};
		DROP FOREIGN TABLE created;
	END LOOP;
END \$\$});
is(topic_directory($node, 'created', 0), $orphan, 'a new topic gets the oid of the lost one');
use_ids_up_to($last);
is(sql('SELECT count(*) FROM created'), '0', 'a new topic does not show records of a lost one with its oid');
$node->restart;
is(sql('SELECT count(*) FROM created'), '0', 'after a restart it still does not show them');
sql(q{SELECT produce('created', 'k', 'new')});
is(sql('SELECT partition, record_offset, value FROM created'), '0|0|new',
	'a new topic with that oid begins at offset 0');
kill_all($node);
$node->start;
is(sql('SELECT partition, record_offset, value FROM created'), '0|0|new',
	'after a crash a new topic with that oid has its own record alone');
$node->stop;

done_testing();
