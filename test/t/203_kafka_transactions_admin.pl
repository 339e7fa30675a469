# Files under test: src/broker/transactions/list_transactions.c, describe_transactions.c, write_txn_markers.c,
# abort_kafka_transaction.c, src/broker/data/describe_producers.c, src/views/inspect_kafka.c and doctor_checks.c.
# Transactions of Kafka's clients as administrators see and end them, in Kafka and in SQL.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAdmin;
use KafkaServer;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server();
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE monitor IN ROLE pg_monitor;
	SELECT create_topic('events', partitions => 3), create_topic('more');
	GRANT SELECT, INSERT ON events, more TO app; GRANT INSERT ON more TO other});
wait_for_listener() or die;
my $client = client();

# Open a transaction with records in some partitions of events; its producer and epoch.
sub open_one
{
	my ($name, @partitions) = @_;
	my ($error, $id, $epoch) = init_transactions($client, $name);

	transactional_produce($client, $name, $id, $epoch, 'events', $_, 0, [$name]) =~ /^0 / or die foreach @partitions;
	return ($id, $epoch);
}

sub shown { return sql("SET ROLE $_[0]; SELECT string_agg(transactional_id || ' ' || state, ' ' ORDER BY transactional_id) FROM pg_kafka_transactions") }

is_deeply([ list_transactions($client, version => $_) ], [ 0, [] ], "version $_: there are none") foreach 0 .. 2;
my ($open_id, $open_epoch) = open_one('open', 0, 2);
my ($ended_id, $ended_epoch) = open_one('ended', 1);
end_transaction($client, 'ended', $ended_id, $ended_epoch, 1);
my ($aborted_id) = (init_transactions($client, 'aborted'))[1];
end_transaction($client, 'aborted', $aborted_id, 0, 0);
my ($empty_id) = (init_transactions($client, 'empty'))[1];

# ---- ListTransactions ---------------------------------------------------------------------

my @all = ("aborted $aborted_id CompleteAbort", "empty $empty_id Empty", "ended $ended_id CompleteCommit", "open $open_id Ongoing");
is_deeply([ list_transactions($client, version => $_) ], [ 0, [], @all ], "version $_: all are listed") foreach 0 .. 2;
is_deeply([ list_transactions($client, states => [ 'Ongoing', 'Nothing' ]) ], [ 0, ['Nothing'], $all[3] ], 'by their state');
is_deeply([ list_transactions($client, producers => [ $empty_id, 5 ]) ], [ 0, [], $all[1] ], 'by their producer');
is_deeply([ list_transactions($client, duration => 3600000) ], [ 0, [], $all[1] ], 'by their age, which one that never began has not');
is_deeply([ list_transactions($client, pattern => 'e.*') ], [ 0, [], @all[ 1, 2 ] ], 'by a pattern');
is_deeply([ list_transactions($client, pattern => 'e') ], [ 0, [] ], 'of the whole name');
is((list_transactions($client, pattern => '('))[0], 128, 'a pattern that is none');

# ---- DescribeTransactions --------------------------------------------------------------------

my ($open, $ended, $nobody, $none) = describe_transactions($client, 'open', 'ended', 'nobody', '');
is_deeply([ @$open{qw(error state timeout producer epoch topics)} ], [ 0, 'Ongoing', 60000, $open_id, $open_epoch, { events => [ 0, 2 ] } ],
	'one that is open is described');
cmp_ok(abs($open->{start} / 1000 - time), '<', 600, 'with its start');
is_deeply([ @$ended{qw(error state start epoch topics)} ], [ 0, 'CompleteCommit', -1, $ended_epoch + 1, {} ], 'one that has ended');
is($nobody->{error}, 105, 'one that is not there');
is($none->{error}, 42, 'one that is none');

# ---- DescribeProducers ---------------------------------------------------------------------------

sql(q{INSERT INTO events (partition, value) VALUES (2, 'behind')});
my %producers = map { my $p = $_; map { ("$p $_->{id}" => $_) } @{ describe_producers($client, [ [ 'events', [$p] ] ])->[0][1]{producers} } } 0 .. 2;
is($producers{"0 $open_id"}{start}, 0, 'where an open transaction begins in a partition');
is($producers{"2 $open_id"}{start}, 0, 'and in another one');
is($producers{"1 $ended_id"}{start}, undef, 'not of one that has ended');

# ---- SQL ------------------------------------------------------------------------------------------

is(shown('app'), 'aborted aborted empty empty ended committed open open', 'the view has those of the role');
is(shown('monitor'), 'aborted aborted empty empty ended committed open open', 'all for who may read all statistics');
is(shown('other'), '', 'none for others');
is(sql(q{SELECT owner, topics, partitions, pending_offsets, timeout, started_at <= changed_at + interval '1 minute' FROM pg_kafka_transactions WHERE state = 'open'}),
	'app|1|2|0|00:01:00|t', 'what it says of one');
commit_in_transaction($client, 'open', $open_id, $open_epoch, 'g', { events => { 1 => 1 } });
is(sql(q{SELECT pending_offsets FROM pg_kafka_transactions WHERE state = 'open'}), 1, 'with pending offsets');
like(sql(q{SELECT subject || ': ' || finding || ' ' || advice FROM pg_topics_doctor('0 seconds') WHERE check_name = 'kafka_transactions'}),
	qr/^transactional id "open": Its transaction is open since .*: 2\. .*abort_kafka_transaction\('open'\)/, 'the doctor names it');
is(sql(q{SELECT severity FROM pg_topics_doctor() WHERE check_name = 'kafka_transactions'}), 'ok', 'when it is old enough');

my $session = open_session($node);
like($session->fails(q{SELECT abort_kafka_transaction('nobody')}), qr/transactional id "nobody" does not exist/, 'one that is not there');
$session->run('SET ROLE other');
like($session->fails(q{SELECT abort_kafka_transaction('open')}), qr/permission denied for transactional id "open"/, 'one of another role');
$session->run('SET ROLE app');
is($session->run(q{SELECT abort_kafka_transaction('ended')}), 'f', 'one that has ended');
$session->run('BEGIN');
is($session->run(q{SELECT abort_kafka_transaction('open')}), 't', 'one that is open');
send_init(my $waiting = client(), 'open');
is((read_init($waiting))[0], 51, 'meanwhile its client is to wait');
$session->run('ROLLBACK');
like(transactional_produce($client, 'open', $open_id, $open_epoch, 'events', 0, 1, ['more']), qr/^0 /, 'rolled back it was nothing');
is($session->run(q{SELECT abort_kafka_transaction('open')}), 't', 'again');
ok(poll_until(sub { sql(q{SELECT state FROM pg_kafka_transactions WHERE transactional_id = 'open'}) eq 'aborted' }), 'it is aborted');
is(transactional_produce($client, 'open', $open_id, $open_epoch, 'events', 0, 2, ['more']), '47 -1', 'its producer is fenced');
is(sql(q{SELECT string_agg(value, ' ' ORDER BY partition) FROM events}), 'ended behind', 'its records are not there');
is(sql('SELECT count(*) FROM topic_kafka_pending_offsets'), 0, 'nor are its offsets');

# ---- WriteTxnMarkers --------------------------------------------------------------------------------

my ($id, $epoch) = open_one('open', 0);
is(write_markers($client, $id, $epoch, 1, 'events', 0), 31, 'nobody commits by a marker');
is(write_markers($client, 12345, 0, 0, 'events', 0), 31, 'nor aborts what is not there');
is(write_markers($client, $id, $epoch - 1, 0, 'events', 0), 47, 'nor with an old epoch');
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'other'");
$node->reload;
my $other;
ok(poll_until(sub { $other = client(); (describe_transactions($other, 'open'))[0]{error} == 53 }), 'another role is told nothing');
is_deeply([ list_transactions($other) ], [ 0, [] ], 'nor are they listed');
is(write_markers($other, $id, $epoch, 0, 'events', 0), 31, 'nor does it abort them');
is((describe_transactions($client, 'open'))[0]{state}, 'Ongoing', 'all that did nothing');
is(write_markers($client, $id, $epoch, 0, 'events', 0, version => 1), 0, 'its own role aborts it');
is((describe_transactions($client, 'open'))[0]{state}, 'CompleteAbort', 'at once');
is((end_transaction($client, 'open', $id, $epoch, 1))[0], 90, 'its producer is fenced');
is(write_markers($client, $id, $epoch + 1, 0, 'events', 0), 0, 'again there is nothing to do');

# ---- partitions that were added, and not written to ------------------------------------------------------

my ($added_id, $added_epoch) = (init_transactions($client, 'added', timeout => 500))[ 1, 2 ];
is(begin_transaction($client, 'added', $added_id, $added_epoch, { events => [ 0, 1 ] }), 0, 'partitions are added');
my ($added) = describe_transactions($client, 'added');
is_deeply([ @$added{qw(state topics)} ], [ 'Ongoing', {} ], 'it is open, and has no records anywhere');
cmp_ok(abs($added->{start} / 1000 - time), '<', 600, 'its time counts');
ok(poll_until(sub { (describe_transactions($client, 'added'))[0]{state} eq 'CompleteAbort' }), 'until it is over');

# ---- patterns -----------------------------------------------------------------------------------------

my ($long_id) = (init_transactions($client, 'l' x 1000))[1];
is_deeply([ list_transactions($client, pattern => 'l+') ], [ 0, [], 'l' x 1000 . " $long_id Empty" ], 'a pattern matches names of any length');

my $worker = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
my $memory = sub { (slurp_file("/proc/$worker/status") =~ /^RssAnon:\s+(\d+)/m)[0] / 1024 };
my $ask = sub { (list_transactions($client, pattern => '(abc|def|ghi){1,60}'))[0] == 0 or die };
$ask->() for 1 .. 10;
my $before = $memory->();
$ask->() for 1 .. 100;
is_bounded($memory->() - $before, 5, 'memory of patterns is given back');

$node->stop;
done_testing();
