# Files under test: src/broker/transactions/txn_row.c, txn_request.c, src/broker/offsets/pending_offset.c, src/log/kafka_txn_table.c and
# src/wal/log_resolve.c.
# What many transactions leave behind: neither memory, files, tables nor their indexes grow with how many there were.  While some
# snapshot keeps all versions of rows, transactions stay as fast as they were, and when it is gone the tables are pruned.
#
# TOPIC_KAFKA_TRANSACTIONS says how many there are (3,000); for the long form a million.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaServer;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

use constant { PRODUCERS => 8, CHUNK => 1000 };

my $count = $ENV{TOPIC_KAFKA_TRANSACTIONS} // 3000;
my ($node, $port) = start_kafka_server('autovacuum = on', 'autovacuum_naptime = 1s', 'autovacuum_vacuum_cost_delay = 0', 'log_autovacuum_min_duration = -1',
	'checkpoint_timeout = 30s', 'pg_topics.log_retention_ms = 1000', 'pg_topics.log_segment_bytes = 16MB');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 4), create_topic('source');
	GRANT SELECT, INSERT ON events, source TO app});
wait_for_listener() or die;

# ---- the load -------------------------------------------------------------------------

# A producer has a connection, on which one transaction is behind the other.
my @producers = map {
	my $client = client();
	my ($error, $id, $epoch) = init_transactions($client, "id$_");

	die "error $error" if $error != 0;
	{ name => "id$_", client => $client, id => $id, epoch => $epoch, partition => $_ % 4, sequence => 0, ended => 0 }
} 1 .. PRODUCERS;

# One transaction of each producer, of which the second half commits an offset; what they wait for is durable together.
sub round
{
	my ($commit) = @_;

	foreach my $one (@producers)
	{
		send_transactional_produce($one->{client}, @$one{qw(name id epoch)}, 'events', $one->{partition}, 0, ["$one->{ended}"]);
	}
	foreach my $one (@producers)
	{
		my $answer = read_transactional_produce($one->{client});
		$answer =~ /^0 / or die "$one->{name}, transaction $one->{ended}: Produce was answered with $answer";
	}
	foreach my $one (@producers[ PRODUCERS / 2 .. PRODUCERS - 1 ])
	{
		my $answer = commit_in_transaction($one->{client}, @$one{qw(name id epoch)}, "group $one->{name}", { source => { 0 => $one->{ended} } });
		$answer eq '0' or die "$one->{name}, transaction $one->{ended}: TxnOffsetCommit was answered with $answer";
	}
	send_end($_->{client}, @$_{qw(name id epoch)}, $commit) foreach @producers;
	foreach my $one (@producers)
	{
		my ($error, $id, $epoch) = read_end_transaction($one->{client});
		($error // 'closed') eq '0' or die "$one->{name}, transaction $one->{ended}: EndTxn was answered with " . ($error // 'closed');
		@$one{qw(id epoch)} = ($id, $epoch);
		$one->{ended}++;
	}
	return;
}

# So many transactions, each tenth of them aborted: transactions a second.
my $rounds = 0;
sub run
{
	my ($transactions) = @_;
	my $began = time;
	my $least = $rounds + $transactions / PRODUCERS;

	round(++$rounds % 10 != 0) while $rounds < $least;
	return $transactions / (time - $began);
}

# ---- what it leaves --------------------------------------------------------------------

my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
my $sync = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics sync'});
my $log_dir = $node->data_dir . '/' . sql('SHOW pg_topics.log_dir');

sub own_memory
{
	my ($pid) = @_;
	my ($kilobytes) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s*(\d+) kB/m;

	return $kilobytes;
}

my @tables = qw(topic_kafka_transactional_ids topic_kafka_pending_offsets topic_group_offsets);

sub state
{
	my %state = (worker => own_memory($worker), sync => own_memory($sync), xids => sql('SELECT pg_current_xact_id()'),
		file => -s "$log_dir/kafka_transactions" // 0, producers => -s "$log_dir/producers" // 0);

	foreach my $table (@tables)
	{
		@state{ "$table", "indexes of $table" } = split /\|/, sql("SELECT pg_relation_size('$table') / 8192, pg_indexes_size('$table') / 8192");
	}
	return \%state;
}

sub told
{
	my ($what, $state, $rate) = @_;

	note("$what: " . $rounds * PRODUCERS . ' transactions' . (defined $rate ? sprintf(', %.0f a second', $rate) : ''));
	note("    $_: $state->{$_}") foreach sort keys %$state;
	return;
}

# How many blocks of the tables and their indexes were asked for; all transactions have one update of the row of their id.
sub blocks
{
	poll_until(sub { sql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = '$tables[0]'") >= $rounds * PRODUCERS }) or die 'no statistics';
	return sql('SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read) FROM pg_statio_user_tables WHERE relname = ANY (\'{'
		. join(',', @tables) . '}\')');
}

sub set_autovacuum
{
	sql("ALTER SYSTEM SET autovacuum = $_[0]");
	sql('SELECT pg_reload_conf()');
	return;
}

# ---- many, one behind the other ------------------------------------------------------------

my $rate = run($count / 4);
my $before = state();
told('warm', $before, $rate);
$rate = run($count);
my $after = state();
told('after all', $after, $rate);

cmp_ok($after->{worker}, '<=', $before->{worker} + 1024, 'the process that serves the clients has no more memory, in kB');
cmp_ok($after->{sync}, '<=', $before->{sync} + 1024, 'nor has the one that resolves');
ok(poll_until(sub { sql('SELECT count(*) FROM pg_kafka_transactions_info()') == 0 }), 'all are resolved');
cmp_ok($after->{file}, '<=', 256 * 1024, 'the file of transactions has the last ones only');
cmp_ok($after->{producers}, '<=', 64 * 1024, 'and that of producers those that there are');
cmp_ok($after->{ $tables[0] }, '<=', 16, 'the rows of transactional ids are pruned');
cmp_ok($after->{"indexes of $tables[0]"}, '<=', 8, 'and leave nothing in indexes');
my $xids = ($after->{xids} - $before->{xids}) / $count;
note(sprintf('%.2f transaction ids for each transaction', $xids));
cmp_ok($xids, '<', 5, 'a transaction takes few transaction ids');

# ---- with a snapshot that keeps all versions --------------------------------------------------

set_autovacuum('off');
my $snapshot = $node->background_psql('postgres');
$snapshot->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
my ($last, @blocks) = blocks();
foreach (1 .. 5)
{
	run($count / 5);
	push @blocks, (blocks() - $last) / ($count / 5);
	$last = blocks();
}
my $beside = state();
told('beside a snapshot', $beside);
note('blocks for each transaction: ' . join ' ', map { sprintf '%.1f', $_ } @blocks);
cmp_ok($blocks[-1], '<=', 1.5 * $blocks[0], 'beside a snapshot that keeps old versions a transaction looks at no more blocks than before');
$snapshot->query_safe('COMMIT');
$snapshot->quit;

# ---- and behind it --------------------------------------------------------------------------------

sql("VACUUM $_") foreach @tables;
run($count / 10);
my $behind = state();
told('behind it', $behind);
cmp_ok($behind->{$_}, '<=', $beside->{$_} + 8, "when it is gone $_ uses the room that there is") foreach @tables;
my $hot = sql("SELECT n_tup_hot_upd::float8 / n_tup_upd FROM pg_stat_user_tables WHERE relname = '$tables[0]'");
cmp_ok($hot, '>', 0.9, 'updates are HOT');

done_testing();
