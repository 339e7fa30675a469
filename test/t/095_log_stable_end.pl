# What consumers outside of the database are shown: up to where, and which bytes of which
# files.  Files under test: log_stable_end.c, log_ranges.c, batch_outcome.c, entry_walk.c,
# log_file_cache.c; test/modules/log_look calls them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LogLook;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($major) = `pg_config --version` =~ /(\d+)/;
plan skip_all => 'from PostgreSQL 16 on the library shows other modules only what SQL calls' if $major >= 16;

my ($node, $standby) = start_pair('wal_writer_delay = 10s');

sub sql { return $node->safe_psql('postgres', @_); }

sql('CREATE EXTENSION pg_topics');
create_log_look($node);
sql(q{
	CREATE PROCEDURE fill(topic regclass, n int, length int DEFAULT 3) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce(topic, repeat('v', length));
			COMMIT;
		END LOOP;
	END $$});

my $look = open_session($node);
my $other = open_session($node);

# The end as the looking session finds it.
sub stable { my ($topic, $session) = @_; return ($session // $look)->run("SELECT stable_end FROM stable_end('$topic', 0, true)"); }

# The row of a look without a flush.
sub unflushed
{
	my ($topic, $session) = @_;
	return $session->run("SELECT log_start, stable_end, log_end, is_known, awaited IS NOT NULL FROM stable_end('$topic', 0, false)");
}

# What is found: the next offset, the number of ranges, and "first-last" of the batches.
sub ranges
{
	my ($topic, $offset, $max, $at_least_one) = @_;
	my ($next, $count, $bytes) = split /\|/, $look->run(
		"SELECT next_offset, ranges, encode(bytes, 'hex') FROM log_ranges('$topic', 0, $offset, "
		. ($max // 1000000) . ', ' . ($at_least_one // 'true') . ')');
	return join ' ', $next, $count, map { $_->{first} == $_->{last} ? $_->{first} : "$_->{first}-$_->{last}" } batches($bytes);
}

# ---- the end ---------------------------------------------------------------------

sql(q{SELECT create_topic('events')});
is($look->run(q{SELECT * FROM stable_end('events', 0, false)}), '0|0|0|t|', 'nothing was appended yet');
sql(q{CALL fill('events', 3)});
is(stable('events'), 3, 'what has committed is shown');
is(ranges('events', 0), '3 1 0 1 2', 'batches side by side are one range');
is($look->run(q{SELECT encode(bytes, 'hex') FROM log_ranges('events', 0, 0, 100000, true)}),
	unpack('H*', slurp_file(topic_directory($node, 'events', 0) . '/00000000000000000000.log')),
	'the bytes are those of the log');

$other->run(q{BEGIN; SELECT produce('events', 'open'::text); SELECT * FROM flush()});
sql(q{CALL fill('events', 2)});
is(unflushed('events', $look), '0|3|6|t|f', 'an open transaction hides what is behind it');
$other->run('ROLLBACK');
is(stable('events'), 6, 'when it has rolled back, what is behind it is shown');
is(ranges('events', 0), '6 2 0 1 2 4 5', 'but not its own batches');
is(ranges('events', 3), '6 1 4 5', 'also not to who asks for them');
$other->run(q{BEGIN; SELECT produce('events', 'open'::text); SELECT * FROM flush(); ROLLBACK});
is(unflushed('events', $look), '0|6|7|t|f', 'where the last batches are rolled back, the end is before them');
is(ranges('events', 6), '6 0', 'and there is nothing at it');
sql(q{CALL fill('events', 1)});
is(stable('events'), 8, 'it passes them with the next one that commits');
is(ranges('events', 6), '8 1 7', 'which is found from there');

sql(q{BEGIN; SELECT produce('events', 'prepared'::text); PREPARE TRANSACTION 'p'});
sql(q{CALL fill('events', 1)});
is(stable('events'), 8, 'a prepared transaction hides what is behind it, too');
sql(q{COMMIT PREPARED 'p'});
is(stable('events'), 10, 'until it is committed');

$other->run(q{BEGIN; SELECT produce('events', 'own'::text); SELECT * FROM flush()});
is(stable('events', $other), 10, "one's own open transaction hides its batches as well");
$other->run('COMMIT');
is(stable('events', $other), 11, 'until it commits');
is($look->run(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SELECT stable_end FROM stable_end('events', 0, true); COMMIT}),
	"1\n11", 'a snapshot does not matter');

# ---- limits ------------------------------------------------------------------------

my $size = length($look->run(q{SELECT encode(bytes, 'hex') FROM log_ranges('events', 0, 0, 1, true)})) / 2;
is(ranges('events', 0, 1), '1 1 0', 'one batch is found in any case');
is(ranges('events', 0, $size - 1, 'false'), '0 0', 'unless that is not asked for');
is(ranges('events', 0, $size, 'false'), '1 1 0', 'and the size is right to the byte');
is(ranges('events', 0, 2 * $size), '2 1 0 1', 'two batches');
is(ranges('events', 2, 2 * $size), '5 2 2 4', 'two batches with one between that is rolled back');
is(ranges('events', 11), '11 0', 'nothing is found at the end');
is(ranges('events', 1000), '1000 0', 'nor behind it');
sql(q{BEGIN; SELECT produce('events', i::text) FROM generate_series(1, 5) i; COMMIT});
stable('events');
is(ranges('events', 13), '16 1 11-15', 'the batch that holds the offset is found, although it begins before');

# ---- what is not flushed -----------------------------------------------------------

sql(q{SELECT create_topic('lazy'); CALL fill('lazy', 2)});
is(stable('lazy'), 2, 'the end before asynchronous commits');
wait_resolved($node);
# those who would flush what nobody waits for
my ($writer, $sync) = map { sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$_'") } 'walwriter', 'pg_topics sync';
my $lazy = open_session($node);
my $fresh = open_session($node);
halt_asleep($node, $writer, $sync);
$lazy->run(q{SET synchronous_commit = off; CALL fill('lazy', 2)});
is(unflushed('lazy', $look), '0|2|4|t|t', 'asynchronous commits are not shown before they are flushed');
is($lazy->run('SELECT count(*) FROM lazy'), 4, 'though all sessions see them');
is(unflushed('lazy', $fresh), '0|0|4|f|t', 'who looks for the first time does not know an end');
is(stable('lazy', $look), 4, 'they are shown when they are flushed');
is(unflushed('lazy', $fresh), '0|4|4|t|f', 'then he knows it as well');
go_on($writer, $sync);
$fresh->close;

# resolved is not flushed
$lazy->run(q{CALL fill('lazy', 1)});
wait_resolved($node);
halt_asleep($node, $writer, $sync);
$lazy->run(q{CALL fill('lazy', 1)});
$fresh = open_session($node);
is(unflushed('lazy', $fresh), '0|0|6|f|t', 'what is resolved is not taken as flushed');
is(stable('lazy', $fresh), 6, 'until it is');
go_on($writer, $sync);
$fresh->close;

# The commit log has one LSN for 32 transactions: what was flushed, and shown, looks as if it were not.
sql(q{SELECT create_topic('young')});
halt_asleep($node, $writer, $sync);
do {} while sql('SELECT pg_current_xact_id()') % 32;
sql(q{CALL fill('young', 1)});
is(stable('young', $look), 1, 'a batch of a log of which nothing is resolved');
$lazy->run(q{CALL fill('young', 1)});
$fresh = open_session($node);
is(unflushed('young', $fresh), '0|0|2|f|t', 'who looks for the first time does not know that it was shown, and no end');
is(stable('young', $fresh), 2, 'until all is flushed');
go_on($writer, $sync);
$fresh->close;

# ---- segments ------------------------------------------------------------------------

sql(q{SELECT create_topic('small', config => '{"segment.bytes": 1024, "batch.merge.lag.ms": 0}');
	CALL fill('small', 10, 400)});
is(stable('small'), 10, 'the end in the last of many segments');
is(ranges('small', 0), '10 5 0 1 2 3 4 5 6 7 8 9', 'ranges go on over segments');
is(ranges('small', 7), '10 2 7 8 9', 'and begin in any of them');
my $before = $look->run(q{SELECT encode(bytes, 'hex') FROM log_ranges('small', 0, 0, 100000, true)});
my $sender = open_session($node);
$sender->run(q{SELECT hold_ranges('small', 0, 0, 100000)});

wait_resolved($node);
sql(q{SELECT merge_batches('small')});
is($sender->run(q{SELECT encode(held_bytes(), 'hex')}), $before, 'merging does not change what is being sent');
is(stable('small'), 10, 'the end after merging');
like(ranges('small', 0), qr/^10 \d 0-/, 'merged batches are found');
my @merged = batches($look->run(q{SELECT encode(bytes, 'hex') FROM log_ranges('small', 0, 0, 100000, true)}));
my $records = 0;
$records += $_->{count} foreach @merged;
is($records, 10, 'with all records');

$sender->run(q{SELECT hold_ranges('small', 0, 0, 100000)});
$before = $sender->run(q{SELECT encode(held_bytes(), 'hex')});
sql(q{SELECT delete_records('small', 0, 9)});
is($sender->run(q{SELECT encode(held_bytes(), 'hex')}), $before, 'deleting does not change it either');
is($look->run(q{SELECT log_start, stable_end FROM stable_end('small', 0, true)}), '9|10', 'the log start after deleting');
like(ranges('small', 0), qr/^10 1 \d+(-9)?( 9)?$/, 'what is left is found');
sql(q{SELECT delete_records('small', 0, -1)});
is($look->run(q{SELECT log_start, stable_end, log_end FROM stable_end('small', 0, true)}), '10|10|10', 'all is deleted');
is(ranges('small', 10), '10 0', 'nothing is found then');

# trailing batches that are rolled back, and deleted
$other->run(q{BEGIN; SELECT produce('small', 'open'::text); SELECT * FROM flush(); ROLLBACK});
is($look->run(q{SELECT log_start, stable_end, log_end FROM stable_end('small', 0, true)}), '10|10|11', 'one is rolled back');
wait_resolved($node);
sql(q{TRUNCATE small});
is($look->run(q{SELECT log_start, stable_end, log_end FROM stable_end('small', 0, true)}), '11|11|11',
	'the end is at least the log start');

# ---- truncate and drop -----------------------------------------------------------------

sql(q{CALL fill('small', 5, 400)});
is(stable('small'), 16, 'the end after new batches');
$sender->run(q{SELECT hold_ranges('small', 0, 0, 100000)});
sql(q{TRUNCATE small});
is($sender->run(q{SELECT length(held_bytes())}), 0, 'truncating cuts what is being sent');
is($look->run(q{SELECT log_start, stable_end FROM stable_end('small', 0, true)}), '16|16', 'the end after truncating');
sql(q{CALL fill('small', 1)});
is(stable('small'), 17, 'and after the next batch');
is(ranges('small', 0), '17 1 16', 'which is found');
sql('DROP FOREIGN TABLE small');
is($look->run(qq{SELECT * FROM stable_end(1::oid::regclass, 0, true)}), '0|0|0|t|', 'there is no end without a topic');
sql(q{SELECT create_topic('small'); CALL fill('small', 2)});
is(stable('small'), 2, "a new topic in a dropped one's place begins anew");
is(ranges('small', 0), '2 1 0 1', 'and has its own batches');

# ---- what a synchronous standby does not have ---------------------------------------------

sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'the standby is a synchronous one');
sql(q{SELECT create_topic('merged', config => '{"segment.bytes": 1024, "batch.merge.lag.ms": 0}'); CALL fill('merged', 1, 300)});
ok(poll_until(sub { stable('merged', $look) eq '1' }), 'the end of what it has');
$standby->stop;
sql(q{SET synchronous_commit = local; CALL fill('merged', 9, 300)});
wait_resolved($node);
sql(q{SELECT merge_batches('merged')});
is(unflushed('merged', $look), '0|1|10|t|t', 'the end does not move back where others could be merged with the last batch');
is(ranges('merged', 0), '1 1 0', 'which is shown as before, since merging waits for the standby');
$standby->start;
ok(poll_until(sub { stable('merged', $look) eq '10' }), 'until the standby has them');
sql('ALTER SYSTEM RESET synchronous_standby_names');
sql('SELECT pg_reload_conf()');

# ---- standby -----------------------------------------------------------------------------

$other->run(q{BEGIN; SELECT produce('small', 'open'::text); SELECT * FROM flush()});
sql(q{CALL fill('small', 1)});
catch_up($node, $standby);
my $there = open_session($standby);
is(stable('events', $there), 16, 'the end on a standby');
is(stable('small', $there), 2, 'an open transaction hides what is behind it there, too');
$other->run('COMMIT');
catch_up($node, $standby);
is(stable('small', $there), 4, 'until it commits');

$_->close foreach $look, $other, $lazy, $sender, $there;
done_testing();
