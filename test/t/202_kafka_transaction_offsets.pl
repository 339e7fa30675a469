# Files under test: src/broker/transactions/add_offsets_to_txn.c, txn_offset_commit.c, txn_coordinator.c,
# src/broker/offsets/pending_offset.c and offset_fetch.c.
# Offsets that are committed in transactions: in all versions, through crashes, beside SQL, of groups that are another role's, and
# of what was dropped.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaOffsets;
use KafkaServer;
use KafkaTopics;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('restart_after_crash = on', 'wal_writer_delay = 10s', 'wal_writer_flush_after = 0');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic('source', partitions => 3), create_topic('target'), create_topic('dropped');
	INSERT INTO source (partition, value) SELECT i % 3, i FROM generate_series(0, 29) i;
	GRANT SELECT, INSERT ON source, target, dropped TO app; GRANT SELECT ON source TO other});
wait_for_listener() or die;
my $client = client();
my ($error, $id, $epoch) = init_transactions($client, 't');
my $source_id = topic_metadata($client, ['source'], version => 12)->{source}{id};

sub produced { return sql("SELECT count(*) FROM target WHERE value = '$_[0]'") }

# What is committed in a partition, without and with a wish for what is certain.
sub both { return join ' / ', map { fetched($client, $_[0], 'source', $_[1] // 0, stable => $_) } 0, 1 }

# ---- clients that name what they do ------------------------------------------------------

my $sequence = 0;
foreach my $version (0 .. 4)
{
	my $group = "v$version";

	is(add_offsets($client, 't', $id, $epoch, $group, version => $version), 0, "version $version: a group is added");
	is(commit_in_transaction($client, 't', $id, $epoch, $group, { source => { 0 => [ 5, 'first', 0 ], 1 => 7 } }, version => $version), 0,
		'offsets are committed');
	is(commit_in_transaction($client, 't', $id, $epoch, $group, { source => { 0 => [ 6, "m$version", 0 ] } }, version => $version), 0,
		'and once more');
	is(both($group), '-1  -1 / error 88', 'they are pending');
	is(both($group, 2), '-1  -1 / -1  -1', 'in those partitions alone');
	is(begin_transaction($client, 't', $id, $epoch, { target => [0] }), 0, 'records are added');
	like(transactional_produce($client, 't', $id, $epoch, 'target', 0, $sequence++, ["r$version"], version => 11), qr/^0 /, 'and produced');
	is((end_transaction($client, 't', $id, $epoch, 1, version => $version))[0], 0, 'it is committed');
	is(both($group), join(' / ', ("6 m$version " . ($version >= 2 ? 0 : -1)) x 2), 'so are the offsets');
	is(fetched($client, $group, 'source', 1), '7  -1', 'in both partitions');
	is(sql("SELECT committed_offset FROM pg_topic_groups WHERE group_id = '$group' AND partition = 0"), 6, 'for SQL as well');
	is(produced("r$version"), 1, 'with the records');
}
add_offsets($client, 't', $id, $epoch, 'v4');
commit_in_transaction($client, 't', $id, $epoch, 'v4', { source => { 0 => 9 } }, version => 4);
is((end_transaction($client, 't', $id, $epoch, 0, version => 3))[0], 0, 'one is aborted');
is(both('v4'), '6 m4 0 / 6 m4 0', 'its offsets are not there');
is(sql('SELECT count(*) FROM topic_kafka_pending_offsets'), 0, 'nothing is pending');
is(commit_in_transaction($client, 't', $id, $epoch, 'v4', { source => { 0 => 9 } }, version => 4), 48, 'no offsets without a transaction');
is(add_offsets($client, 't', $id, $epoch + 1, 'v4'), 90, 'none of another epoch');
is(add_offsets($client, 't', $id, $epoch + 1, 'v4', version => 1), 47, 'in the words of its version');
is(add_offsets($client, 't', $id, $epoch, ''), 24, 'nor for no group');
is(commit_in_transaction($client, 't', $id, $epoch + 1, 'v4', { source => { 0 => 9 } }), 47, 'nor does another epoch commit');
is(commit_in_transaction($client, 'u', $id, $epoch, 'v4', { source => { 0 => 9 } }), 49, 'or another transactional id');

# ---- clients whose commit begins a transaction -------------------------------------------------

foreach my $version (5, 6)
{
	my $topic = $version == 6 ? $source_id : 'source';

	is(commit_in_transaction($client, 't', $id, $epoch, 'new', { $topic => { 0 => $version } }, version => $version), 0,
		"version $version: a commit begins a transaction");
	like(both('new'), qr/ \/ error 88$/, 'it is pending');
	my $all = fetch_offsets($client, 'new', undef, stable => 1)->{topics}{source};
	is($all->{0}[3] // 'nothing', $version == 5 ? 'nothing' : 88, 'also for who asks for all that is committed');
	like(transactional_produce($client, 't', $id, $epoch, 'target', 0, $epoch == 0 ? $sequence : 0, ["n$version"]), qr/^0 /, 'and records go with it');
	is(join(' ', end_transaction($client, 't', $id, $epoch, 1)), "0 $id " . ($epoch + 1), 'it is committed');
	is(both('new'), "$version  -1 / $version  -1", 'with its offsets');
	$epoch++;
}
is(commit_in_transaction($client, 't', $id, $epoch, 'new', { source => { 0 => 1, 7 => 1 } }), '0,3', 'a partition that is not there');
is(commit_in_transaction($client, 't', $id, $epoch, 'new', { source => { 1 => -2 } }), '1', 'an offset that is none');
is(commit_in_transaction($client, 't', $id, $epoch, 'new', { source => { 1 => [ 1, 'm' x 5000 ] } }), '12', 'metadata that is too large');
is(commit_in_transaction($client, 't', $id, $epoch, 'new', { source => { map { $_ => 1 } 0 .. 5000 } }), '28', 'too many');
is(commit_in_transaction($client, 't', $id, $epoch, 'new', { source => { 1 => 1 } }, generation => 3, member => 'm'), '22', 'a generation that is not there');
end_transaction($client, 't', $id, $epoch++, 0);
is(both('new'), '6  -1 / 6  -1', 'an aborted one changes nothing');

# ---- rights ------------------------------------------------------------------------------------------

sql(q{SET ROLE other; SELECT commit_offset('source', 'others', 0, 3)});
is(commit_in_transaction($client, 't', $id, $epoch, 'others', { source => { 0 => 4 } }), 0, 'of a group that is, in a topic, another role\'s');
transactional_produce($client, 't', $id, $epoch, 'target', 0, 0, ['others']);
is((end_transaction($client, 't', $id, $epoch, 1))[0], 120, 'offsets are not committed');
is(sql("SELECT committed_offset FROM pg_topic_groups WHERE group_id = 'others' AND partition = 0"), 3, 'the group stays where it was');
is(produced('others'), 0, 'nor are the records');
is(transactional_produce($client, 't', $id, $epoch, 'target', 0, 1, ['others']), '120 -1', 'which cannot go on');
is(join(' ', end_transaction($client, 't', $id, $epoch, 0)), "0 $id " . ($epoch + 1), 'but is aborted');
$epoch++;

# ---- SQL ------------------------------------------------------------------------------------------------

my $session = open_session($node);
commit_in_transaction($client, 't', $id, $epoch, 'busy', { source => { 0 => 1 } });
end_transaction($client, 't', $id, $epoch++, 1);
$session->run(q{BEGIN});
$session->run(q{SELECT count(*) FROM consume('source', 'busy', max_records => 1)});
commit_in_transaction($client, 't', $id, $epoch, 'busy', { source => { 0 => 2, 1 => 2, 2 => 2 } });
is((end_transaction($client, 't', $id, $epoch, 1))[0], 51, 'a partition that SQL uses is waited for');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 51, 'by the client');
$session->run('ROLLBACK');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 0, 'and then it is committed');
is(sql(q{SELECT string_agg(committed_offset::text, ' ') FROM pg_topic_groups WHERE group_id = 'busy'}), '2 2 2', 'in all partitions');
$epoch++;
commit_in_transaction($client, 't', $id, $epoch, 'gone', { source => { 0 => 2 }, dropped => { 0 => 1 } });
sql(q{SELECT drop_topic('dropped')});
is((end_transaction($client, 't', $id, $epoch++, 1))[0], 0, 'a topic that was dropped keeps nobody from committing');
is(fetched($client, 'gone', 'source', 0), '2  -1', 'what is still there');

# ---- crashes ---------------------------------------------------------------------------------------------

my $offset = 1;
foreach my $fault ('kafka-end-logged', 'txn-end-done', 'kafka-end-before-commit', 'kafka-end-before-commit:stop')
{
	my ($place) = split /:/, $fault;
	my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics kafka%' AND datname = 'postgres'});
	my $from = -s $node->logfile;
	my $met = sub { $fault =~ /stop/ ? slurp_file("/proc/$worker/stat") =~ /\) T / : slurp_file($node->logfile, $from) =~ /dying at fault point/ };

	sql(qq{ALTER SYSTEM SET pg_topics.fault_point = '$fault'; });
	sql('SELECT pg_reload_conf()');
	for (;;)
	{
		$offset++;
		die if commit_in_transaction($client, 't', $id, $epoch, 'crash', { source => { 0 => $offset, 1 => $offset } }) ne '0';
		like(transactional_produce($client, 't', $id, $epoch, 'target', 0, 0, ["$fault $offset"]), qr/^0 /, "$fault: produced");
		send_end($client, 't', $id, $epoch, 1);
		poll_until(sub { $met->() || $client->is_readable }) or die;
		last if $met->() || !defined((read_end_transaction($client))[0]);
		$epoch++;
	}
	if ($fault =~ /stop/)
	{
		# the end is durable, and its commit is not
		sql(q{SELECT pg_logical_emit_message(true, 'flush', '')});
		kill_all($node);
		$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
		$node->start;
	}
	else
	{
		$node->append_conf('postgresql.auto.conf', "pg_topics.fault_point = ''");
		$node->reload;
	}
	poll_until(sub { $client = KafkaClient->new($port) and eval { $client->api_versions } && fetched($client, 'crash', 'source', 0) !~ /group/ }) or die;
	my ($ended, @next);
	poll_until(sub { ($ended, @next) = end_transaction($client, 't', $id, $epoch, 1); $ended !~ /^(?:14|15|51)$/ }) or die;
	like($ended, $fault =~ /stop/ ? qr/^120$/ : qr/^(?:0|120)$/, "$fault: the end is $ended");
	is(join(' ', map { fetched($client, 'crash', 'source', $_, stable => 1) =~ /^(-?\d+)/ ? $1 == $offset ? 1 : 0 : 'error' } 0, 1), $ended == 0 ? '1 1' : '0 0',
		"$fault: so are the offsets");
	is(produced("$fault $offset"), $ended == 0 ? 1 : 0, "$fault: and the records");
	($error, $id, $epoch) = init_transactions($client, 't');
	is(sql('SELECT count(*) FROM topic_kafka_pending_offsets'), 0, "$fault: nothing is left");
}

# ---- a restart -------------------------------------------------------------------------------------------------

is(commit_in_transaction($client, 't', $id, $epoch, 'kept', { source => { 2 => 8 } }), 0, 'offsets of an open transaction');
$node->restart;
poll_until(sub { $client = KafkaClient->new($port) and eval { $client->api_versions } && fetched($client, 'kept', 'source', 2) !~ /group/ }) or die;
is(both('kept', 2), '-1  -1 / error 88', 'are pending over a restart');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 0, 'it is committed');
is(both('kept', 2), '8  -1 / 8  -1', 'with them');

# ---- an error in the midst of it ------------------------------------------------------------------------------

($error, $id, $epoch) = init_transactions($client, 't');
sql(q{DELETE FROM topic_group_offsets; CREATE UNIQUE INDEX in_the_way ON topic_group_offsets (committed_offset)});
is(commit_error($client, 'taken', 'source', 0, 4), 0, 'an offset that can be there once');
is(commit_in_transaction($client, 't', $id, $epoch, 'late', { source => { 1 => 3, 2 => 4 } }), 0, 'the same in a transaction');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 15, 'cannot be committed');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'late'}), 0, 'and is not, nor is another one');
is(commit_error($client, 'after', 'source', 0, 5), 0, 'what other clients commit');
is(sql(q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'after'}), 5, 'is there');
sql('DROP INDEX in_the_way');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 0, 'then it is committed');
is(sql(q{SELECT string_agg(committed_offset::text, ' ' ORDER BY partition) FROM topic_group_offsets WHERE group_id = 'late'}), '3 4', 'with all offsets');
$node->stop;
done_testing();
