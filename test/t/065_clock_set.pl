# The wall clock is set, back and forth, under a running server: whatever waits, retries,
# paces or gives up goes on by the monotonic clock, and what is promised in wall time
# (leases, delays of retries, timestamps) goes by the new time.  Files under test:
# clock.c and all that use it.
#
# The server sees a clock that test/modules/clock_shift shifts; this script does not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $directory = PostgreSQL::Test::Utils::tempdir();
my $library = "$directory/clock_shift.so";
my $shift_file = "$directory/shift";

command_ok([ 'cc', '-shared', '-fPIC', '-Wall', '-Werror', '-o', $library, "$FindBin::RealBin/../modules/clock_shift/clock_shift.c" ],
	'the library that shifts the clock builds');
append_to_file($shift_file, pack('q', 0));

my $node = new_node('main', settings => [
	'pg_topics.log_retention_check_interval_ms = 200',
	'pg_topics.log_cleaner_io_max_bytes_per_second = 100000' ]);
{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{CLOCK_SHIFT_FILE} = $shift_file;
	$node->start;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub holds { my ($sql, $name) = @_; return ok($node->poll_query_until('postgres', $sql), $name); }

# Seconds by which the server's clock is ahead.
sub set_clock { overwrite($shift_file, 0, pack('q', $_[0] * 1_000_000)); return; }

# What a session answers, if it does in time.
sub answer_of { return eval { answer($_[0]) } // 'no answer in time'; }

# Wait until a session sleeps in consume().
sub wait_asleep
{
	my ($name) = @_;

	$node->poll_query_until('postgres', qq{SELECT EXISTS (SELECT FROM pg_stat_activity
		WHERE application_name = '$name' AND state = 'active' AND wait_event_type = 'Extension')})
	  or die "session $name does not wait";
	return;
}

# All is resolved, a rolled-back record too, without anybody asking for it.
sub resolves
{
	my ($when) = @_;

	sql(q{BEGIN; SELECT produce('events', 'k', 'rolled back'); SELECT 1 FROM flush(); ROLLBACK;
		SELECT produce('events', 'k', 'committed')});
	return holds(q{SELECT resolved_offset = log_end_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass},
		"transactions are resolved $when");
}

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events');
	SELECT create_topic('by_size', config => '{"segment.bytes": 1024, "retention.bytes": 1024}');
	SELECT create_topic('compacted', config => '{"segment.bytes": 65536, "cleanup.policy": "compact"}');
	SELECT create_topic('leased', partitions => 2);
	SELECT create_topic('delayed', config => '{"retry.delay.ms": 1800000}'), create_topic('"delayed.retry"');
	INSERT INTO leased (partition, value) VALUES (0, 'a'), (1, 'b');
	INSERT INTO compacted (key, value) SELECT n % 100, repeat(md5(n::text), 3) FROM generate_series(1, 3000) AS n;
});
resolves('at first');
my $server_now = q{SELECT round(extract(epoch FROM clock_timestamp()))};
my $real = time;
set_clock(7200);
cmp_ok(sql($server_now) - $real, '>=', 7199, 'the server sees the shifted clock');
set_clock(0);

# ---- an hour back ------------------------------------------------------------------

# a member that never calls again, consumers that wait, a checkpoint that cannot end and
# a compaction under way
is(sql(q{SELECT count(*) FROM consume('leased', 'g', member_id => 'dead', lease => '2 s')}), '2',
	'a member leases both partitions');
my %waiting = (short => q{SELECT count(*) FROM consume('events', 'short', timeout => '2 s')},
	nap => q{SELECT count(*) FROM consume_many('{events,leased}', 'nap', timeout => '2 s')});
sql(qq{SELECT seek_to_end('$_->[0]', '$_->[1]')})
  foreach [ 'events', 'short' ], [ 'events', 'nap' ], [ 'leased', 'nap' ];
my %sessions = map { $_ => open_background($node, $_) } 'checkpoint', 'compact', keys %waiting;

my $log_position = -s $node->logfile;
sql(q{ALTER SYSTEM SET pg_topics.fault_point = 'recovery-point-write:EIO'});
sql(q{SELECT pg_reload_conf(); SELECT produce('events', 'k', 'v')});
ask($sessions{checkpoint}, 'CHECKPOINT;');
$node->wait_for_log(qr/(?:recovery_point|kafka_transactions)\.tmp".*Input\/output error/, $log_position);
ask($sessions{compact}, q{SELECT records_after FROM compact('compacted');});
$node->poll_query_until('postgres', 'SELECT EXISTS (SELECT FROM pg_stat_progress_topic_compaction WHERE bytes_mapped > 0)')
  or die 'compaction does not begin';
sql(q{SELECT seek_to_end('events', 'short'), seek_to_end('events', 'nap')});
ask($sessions{$_}, "$waiting{$_};") foreach sort keys %waiting;
wait_asleep($_) foreach sort keys %waiting;

set_clock(-3600);
is(answer_of($sessions{$_}), '0',
	"with the clock set back a waiting consumer ($_) waits no longer than its timeout") foreach sort keys %waiting;
is(answer_of($sessions{compact}), '100', 'with the clock set back a compaction with a limited rate goes on');
sql(q{ALTER SYSTEM RESET pg_topics.fault_point});
sql(q{SELECT pg_reload_conf()});
is(answer_of($sessions{checkpoint}), '', 'with the clock set back a checkpoint that failed is tried again');
resolves('with the clock set back');
is(sql(q{SELECT count(*) FROM consume('leased', 'g', member_id => 'alive')}), '0',
	'with the clock set back a lease still keeps others out');
holds(q{SELECT count(*) = 2 FROM consume('leased', 'g', member_id => 'alive', lease => '5 s')},
	'with the clock set back a lease is taken over when its time has passed');

sql(q{DO $$ BEGIN FOR n IN 1 .. 10 LOOP PERFORM produce('by_size', 'k', repeat('v', 700)); COMMIT; END LOOP; END $$});
holds(q{SELECT segments <= 3 FROM pg_topic_partitions WHERE topic = 'by_size'::regclass},
	'with the clock set back the worker goes on with retention');
my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance'});
sql("SELECT pg_terminate_backend($worker)");
holds("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance' AND pid <> $worker)",
	'with the clock set back a worker that has ended is started again');
is(sql(q{SELECT last_duration BETWEEN '0' AND '1 min' FROM pg_stat_topics WHERE topic = 'by_size'::regclass}), 't',
	'with the clock set back last_duration is not negative and not an hour');

# ---- further back while waiting, and forth ------------------------------------------

# a record that is to be tried again in half an hour; the clock runs on in between
my $delayed = open_background($node, 'delayed');
sql(q{SELECT produce('delayed', 'k', 'tried again');
	SELECT seek_to_beginning('"delayed.retry"', 'g')});
is(sql(q{SELECT nack('delayed', 'g', 0, 0, 'fails')}), '"delayed.retry"',
	'nack() sends a record to the retry topic');
ask($delayed, q{SELECT value FROM consume('"delayed.retry"', 'g', timeout => '1 hour');});
wait_asleep('delayed');
set_clock(0);
is(answer_of($delayed), 'tried again',
	'a consumer that waits for a delayed record gets it when the clock is set past its time');

ask($sessions{short}, q{SELECT value FROM consume('events', 'short', timeout => '1 hour', auto_offset_reset => 'latest');});
sql(q{SELECT 1});
resolves('with the clock set forth');
is(answer_of($sessions{short}) =~ /^(rolled back|v|committed)/ ? 1 : 0, 1,
	'with the clock set forth a waiting consumer gets a new record');

is(sql(q{SELECT count(*) FROM consume('leased', 'g', member_id => 'alive', lease => '10 min')}), '0',
	'a member renews its lease for ten minutes');
set_clock(3600);
is(sql(q{SELECT count(*) FROM consume('leased', 'g', member_id => 'other')}), '2',
	'with the clock set forth past its end a lease is taken over');
like(($node->psql('postgres', q{SELECT commit_offsets('leased', 'g', 'alive')}))[2],
	qr/"alive" is not a member|has lost its lease/, 'the member that has lost its lease so cannot commit');
resolves('with the clock set forth by an hour');

# ---- timestamps ---------------------------------------------------------------------

set_clock(-1800);
is(sql(q{SELECT count(*) FROM events WHERE record_timestamp > clock_timestamp() + interval '1 hour'}) > 0, 1,
	'after the clock was set back there are records with a time in the future');
is(sql(q{SELECT produce('events', 'k', 'now')}), '0',
	'after the clock was set back a record can be produced');
is(sql(q{SELECT count(*) FROM events WHERE value = 'now' AND record_timestamp < clock_timestamp()}), '1',
	'after the clock was set back a new record has a time by the new clock');
is(sql(q{SELECT count(*) FROM pg_topic_groups WHERE lag_time < '0'}), '0',
	'after the clock was set back no lag_time is negative');
is(sql(q{SELECT count(*) FROM verify_topic('events')}), '0',
	'after all changes of the clock verify_topic() finds no damage');

$_->{in} .= "\\q\n", $_->{run}->finish foreach values %sessions, $delayed;
$node->stop;
done_testing();
