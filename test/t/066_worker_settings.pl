# File under test: src/util/background_worker.c.
# What is set for users' sessions, for the server or a database, neither ends the
# background workers' work nor keeps them from it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [
	'pg_topics.log_cleaner_enable = on', 'pg_topics.log_cleaner_backoff_ms = 100',
	'pg_topics.maintenance_interval = 1s' ]);
$node->start;

sub work { return $node->safe_psql('work', @_); }

sub worker
{
	return $node->safe_psql('postgres', q{
		SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance' AND datname = 'work'});
}

sub restart_worker
{
	my $pid = worker();

	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	poll_until(sub { my $now = worker(); $now ne '' && $now ne $pid }) or die 'no worker';
	return worker();
}

$node->safe_psql('postgres', 'CREATE DATABASE work');
$node->safe_psql('work', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('state', config => '{"cleanup.policy": "compact", "segment.bytes": 20000, "min.cleanable.dirty.ratio": 0.01}')});
poll_until(sub { worker() ne '' }) or die 'no worker';

# all that would stop it; our own sessions are without them.  transaction_timeout is
# there from 17 on.
my %settings = (
	statement_timeout => [ '1ms', 0 ], lock_timeout => [ '1ms', 0 ],
	idle_in_transaction_session_timeout => [ '1ms', 0 ],
	default_transaction_read_only => [ 'on', 'off' ], default_transaction_deferrable => [ 'on', 'off' ],
	default_transaction_isolation => [ 'serializable', 'repeatable\\ read' ],
	search_path => [ 'nowhere', 'public' ],
	'pg_topics.fault_point' => [ 'compact-group-done:stop', '' ]);
$settings{transaction_timeout} = [ '500ms', 0 ] if $node->pg_version >= 17;
$ENV{PGOPTIONS} = join(' ', map { "-c $_=$settings{$_}[1]" } keys %settings);
$node->safe_psql('postgres', "ALTER DATABASE work SET $_ = '$settings{$_}[0]'") foreach keys %settings;
my $pid = restart_worker();

# several segments
work(q{SELECT produce('state', (i % 10)::text, repeat('v', 100)) FROM generate_series(1, 250) i}) foreach 1 .. 8;
wait_halted($pid);
poll_until(sub { $node->safe_psql('postgres',
	"SELECT clock_timestamp() > xact_start + interval '700 ms' FROM pg_stat_activity WHERE pid = $pid") eq 't' })
  or die 'the transaction does not grow old';
# it halts once a group of segments
poll_until(sub {
	go_on($pid);
	work(q{SELECT compactions > 0 FROM pg_stat_topics}) eq 't' });
is(work(q{SELECT compactions > 0, errors, last_error FROM pg_stat_topics}), 't|0|',
	"a compaction that takes longer than the timeouts for users' sessions succeeds");
is(worker(), $pid, 'the worker that began the compaction has ended it');

# the worker may stand there once more and would not end
kill_all($node);
done_testing();
