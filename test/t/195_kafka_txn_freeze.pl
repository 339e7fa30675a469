# Files under test: src/wal/log_resolve.c, src/wal/kafka_txn.c, src/log/kafka_txn_map.c, src/log/commit_log.c.
# Kafka transactions that are open for long, while transaction ids are used up and the commit log is cut: it is
# kept for whom they hold back, and for those that have ended them; and they can always be ended.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnProbe;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;
use XidJump;

my $node = new_node('main', settings => [ 'autovacuum_freeze_max_age = 2000000000', 'max_connections = 20' ]);
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION pg_topics; SELECT create_topic('events'), create_topic('others')});
create_kafka_txn_probe($node);
create_xid_jump($node);

sub sql { return $node->safe_psql('postgres', @_); }

sub seen { return sql(q{SELECT coalesce(string_agg(value, ' ' ORDER BY record_offset), '') FROM events}); }

sub resolved { return poll_until(sub { sql(q{SELECT resolved_offset = log_end_offset FROM pg_topic_partitions WHERE topic = 'events'::regclass}) eq 't' }); }

# Let the ids pass so many, and freeze.
sub pass_by
{
	jump($node, next_xid($node) + ($_[0] // 2 * CLOG_SEGMENT));
	wait_rounds($node);
	freeze_all($node);
	return;
}

# Is the commit log kept for a transaction?
sub is_kept { return -e clog_file($node, $_[0]) ? 1 : 0; }

# Begin one of a new producer, with a record.
my $producer = 0;
sub begin_with
{
	my ($value) = @_;
	my $number = kafka_begin($node, ++$producer);
	my $answer = kafka_append($node, 'events', 0, $number, $producer, 0, [$value]);

	die "$value: $answer" if $answer !~ /^appended/;
	return $number;
}

# ---- an open one, and records behind it ---------------------------------------------------

my $open = begin_with('a');
my $behind = sql(q{BEGIN; SELECT txid_current(); DO $$BEGIN PERFORM produce('events', 'k', 'b'); END$$; COMMIT});
sql(q{BEGIN; SELECT produce('events', 'k', 'no'); SELECT count(*) FROM flush(); ROLLBACK});
pass_by() foreach 1, 2;
ok(is_kept($behind), 'the commit log is kept for records behind an open transaction');
my ($code, $out, $err) = $node->psql('postgres', q{SET pg_topics.max_xid_distance = 100; SELECT produce('others', 'k', 'v')});
like($err, qr/cannot produce: transaction \d+ is too far from the oldest unresolved one/, 'which in the long run ends producing');
is($node->psql('postgres', "SET pg_topics.max_xid_distance = 100; SELECT kafka_end($open, true)"), 0, 'but not ending what is in the way');
is(seen(), 'a b', 'then all is seen');
ok(resolved(), 'and resolved');
pass_by() foreach 1, 2;
ok(!is_kept($behind), 'and the commit log is cut');
is(seen(), 'a b', 'without which the records are as they were');

# ---- one that was ended long ago, and is not resolved -------------------------------------------

$open = begin_with('c');
my %ended = map { $_ => begin_with($_) } 'd', 'no', 'e';
my $session = open_session($node);
my $early = $session->run('BEGIN; SELECT txid_current()');
jump($node, next_xid($node) + 2 * CLOG_SEGMENT);
$session->run("SELECT kafka_end($ended{d}, true), kafka_end($ended{no}, false)");
# the sync process has looked at these entries before they were mapped
wait_rounds($node);
$session->run('COMMIT');
sql("SELECT kafka_end($ended{e}, true)");
pass_by() foreach 1, 2;
ok(is_kept($early), 'the commit log is kept for the transaction that has ended one behind an open one');
$node->restart;
pass_by();
ok(is_kept($early), 'also behind a restart');
is(seen(), 'a b', 'the open one still ends what is seen');
kill_all($node);
$node->start;
is(kafka_end($node, $open, 1), 'done', 'it ends behind a crash');
is(seen(), 'a b c d e', 'then what has committed is seen');
ok(resolved(), 'and resolved');
pass_by() foreach 1, 2;
ok(!is_kept($early), 'and the commit log is cut');
is(seen(), 'a b c d e', 'without which the records are as they were');

# ---- ids wrap around -------------------------------------------------------------------------------

$open = begin_with('f');
my $before = next_xid($node);
pass_by(1_000_000_000) foreach 1 .. 5;
cmp_ok(next_xid($node) - $before, '>', 2**32, 'all ids were used up');
is(seen(), 'a b c d e', 'an open one is still open');
is(kafka_end($node, $open, 1), 'done', 'it ends');
is(seen(), 'a b c d e f', 'and is seen');
ok(resolved(), 'and resolved');
is(sql(q{SELECT count(*) FROM verify_topic('events')}), 0, 'the topic is sound');

$node->stop;
done_testing();
