# Files under test: src/broker/transactions/txn_coordinator.c, txn_request.c, txn_row.c, add_partitions_to_txn.c, end_txn.c,
# src/broker/data/init_producer_id.c, produce.c and turn_batch.c.
# Transactions of Kafka's clients in all versions: what readers see of them, fencing, requests that are sent again, who may use
# a transactional id, and what hostile clients send.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaOffsets;
use KafkaServer;
use KafkaTransactions;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_transaction_max_timeout = '10min'");
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; 
	SELECT create_topic('events', partitions => 2), create_topic('more'), create_topic('closed');
	GRANT SELECT, INSERT ON events, more TO app, other});
wait_for_listener() or die;
my $client = client();
my $consumer = KafkaConsumer->new($port);

# The values that SQL sees in a topic.
sub seen { return sql("SELECT coalesce(string_agg(value, ' ' ORDER BY partition, record_offset), '') FROM $_[0]") }

# How far a consumer sees a partition, by both isolations.
sub ends
{
	my ($topic, $partition) = @_;

	return join ' ', map {
		my $answer = $consumer->fetch(version => 11, topics => { $topic => { $partition => 0 } }, max_wait => 0, isolation => $_)
			->{$topic}{$partition};
		"$answer->{high_watermark}/$answer->{stable}" } 0, 1;
}

sub end_is
{
	my ($expected, $name, @end) = @_;

	is(join(' ', end_transaction($client, @end)), $expected, $name);
	return;
}

# ---- the coordinator -------------------------------------------------------------------

is_deeply([ map { find_coordinator($client, ['t'], version => $_, type => 1)->[0]{error} } 1 .. 6 ], [ (0) x 6 ],
	'this node coordinates transactions');
my ($error, $id, $epoch) = init_transactions($client, 't');
is("$error $epoch", '0 0', 'a transactional id gets a producer');
foreach my $version (0 .. 5)
{
	my @again = init_transactions($client, 't', version => $version);

	is("@again", "0 $id " . ($version + 1), "version $version: another epoch for the next client");
}
$epoch = 6;
is(join(' ', init_transactions($client, 't', id => $id, epoch => 6)), "0 $id 7", 'a client that is known goes on');
is(join(' ', init_transactions($client, 't', id => $id, epoch => 6)), "0 $id 7", 'and is told the same when it asks again');
is(join(' ', init_transactions($client, 't', id => $id, epoch => 5)), '90 -1 -1', 'one that was fenced is told so');
is(join(' ', init_transactions($client, 't', id => $id, epoch => 5, version => 3)), '47 -1 -1', 'in the words of its version');
is(join(' ', init_transactions($client, 't', id => $id + 1, epoch => 7)), '90 -1 -1', 'as is one that was another producer');
is((init_transactions($client, 't', timeout => $_))[0], 50, "a timeout of $_ is refused") foreach 0, -1, 600001;
is((init_transactions($client, ''))[0], 42, 'an empty transactional id is none');
is((init_transactions($client, $_))[0], 42, 'nor is one of bytes that are no text') foreach "\xff", "a\0b", 'x' x 1025;
is((init_transactions($client, 'x' x 1024))[0], 0, 'a long one is one');
$epoch = 7;

# ---- transactions that name their partitions ------------------------------------------------

my $sequence = 0;
foreach my $version (0 .. 3)
{
	my $commit = $version != 1;
	my $before = seen('events');

	is(begin_transaction($client, 't', $id, $epoch, { events => [ 0, 1 ] }, version => $version), 0, "version $version: partitions are added");
	is(begin_transaction($client, 't', $id, $epoch, { more => [0] }, version => $version), 0, 'and more of them');
	like(transactional_produce($client, 't', $id, $epoch, 'events', 0, $sequence, ["a$version"], version => 8 + $version), qr/^0 \d+$/,
		'records are produced');
	like(transactional_produce($client, 't', $id, $epoch, 'events', 1, $sequence, ["b$version"], version => 3 + $version), qr/^0 \d+$/,
		'also in another partition');
	is(seen('events'), $before, 'nobody sees them');
	end_is(0, "version $version: it ends", 't', $id, $epoch, $commit, version => $version + ($version == 3));
	end_is(0, 'and again', 't', $id, $epoch, $commit, version => $version);
	end_is(48, 'but not otherwise', 't', $id, $epoch, !$commit, version => $version);
	is(transactional_produce($client, 't', $id, $epoch, 'events', 0, $sequence + 1, ['late'], version => 11), '48 -1',
		'then it takes no records');
	$sequence++;
}
is(seen('events'), 'a0 a2 a3 b0 b2 b3', 'those that were committed are seen');
ok(poll_until(sub { ends('events', 0) eq '4/4 4/4' }), 'to the end');
is(transactional_produce($client, 't', $id, $epoch, 'more', 0, 0, ['x'], version => 9), '48 -1', 'a transaction is to be begun first');

# all or nothing
is_deeply(added($client, 't', $id, $epoch, { events => [ 0, 7 ], nothing => [0], closed => [0] }),
	{ events => { 0 => 55, 7 => 3 }, nothing => { 0 => 3 }, closed => { 0 => 29 } }, 'partitions that cannot be added');
is(transactional_produce($client, 't', $id, $epoch, 'events', 0, 4, ['x'], version => 9), '48 -1', 'begin nothing');
is(begin_transaction($client, 't', $id, $epoch - 1, { events => [0] }, version => 2), 90, 'an old epoch is fenced');
is(begin_transaction($client, 't', $id, $epoch - 1, { events => [0] }, version => 1), 47, 'in the words of its version');
is(begin_transaction($client, 't', $id + 1, $epoch, { events => [0] }), 49, 'another producer');
is(begin_transaction($client, 'u', $id, $epoch, { events => [0] }), 49, 'another transactional id');
my $reader = $client->call(24, 4, "\1\0", 1);
$reader->int32;
is($reader->int16, 31, 'what brokers ask each other is not for clients');

# readers wait for it, whatever their isolation
is(begin_transaction($client, 't', $id, $epoch, { events => [0] }), 0, 'one is begun');
transactional_produce($client, 't', $id, $epoch, 'events', 0, 4, ['held'], version => 9);
sql(q{INSERT INTO events (partition, value) VALUES (0, 'behind')});
is(ends('events', 0), '4/4 4/4', 'what is open holds all behind it back') for 1 .. 3;
end_is(0, 'it is aborted', 't', $id, $epoch, 0, version => 3);
ok(poll_until(sub { ends('events', 0) eq '6/6 6/6' }), 'then it is shown');
is(seen('events'), 'a0 a2 a3 behind b0 b2 b3', 'without what was aborted');

# a request that waits is answered by the end
begin_transaction($client, 't', $id, $epoch, { events => [0] });
transactional_produce($client, 't', $id, $epoch, 'events', 0, 5, ['awaited'], version => 9);
$consumer->send_fetch(version => 11, topics => { events => { 0 => 6 } }, max_wait => 60000);
end_is(0, 'it is committed', 't', $id, $epoch, 1, version => 3);
like($consumer->fetched->{events}{0}{records}, qr/awaited/, 'a Fetch that waits gets its records');

# ---- transactions with an epoch each ------------------------------------------------------------

($error, $id, $epoch) = init_transactions($client, 'v2');
like(transactional_produce($client, 'v2', $id, $epoch, 'more', 0, 0, ['m0']), qr/^0 \d+$/, 'Produce begins a transaction');
like(transactional_produce($client, 'v2', $id, $epoch, 'more', 0, 0, ['m0']), qr/^0 \d+$/, 'a batch that is sent again is there once');
is(seen('more'), '', 'nobody sees it');
end_is("0 $id " . ($epoch + 1), 'it is committed, with another epoch', 'v2', $id, $epoch, 1);
is(seen('more'), 'm0', 'and seen');
end_is("0 $id " . ($epoch + 1), 'again: the same answer', 'v2', $id, $epoch, 1);
end_is('48 -1 -1', 'but not otherwise', 'v2', $id, $epoch, 0);
is(transactional_produce($client, 'v2', $id, $epoch, 'more', 0, 1, ['late']), '47 -1', 'the epoch is over');
$epoch++;
end_is('120 -1 -1', 'nothing to be committed', 'v2', $id, $epoch, 1);
end_is("0 $id " . ($epoch + 1), 'nothing to be aborted is aborted', 'v2', $id, $epoch, 0);
$epoch++;
like(transactional_produce($client, 'v2', $id, $epoch, 'more', 0, 0, ['m1']), qr/^0 \d+$/, 'the next one');
end_is('90 -1 -1', 'an end of the one before does not end it', 'v2', $id, $epoch - 1, 0);
end_is("0 $id " . ($epoch + 1), 'it is aborted', 'v2', $id, $epoch, 0);
$epoch++;
is(seen('more'), 'm0', 'and not seen');
like(transactional_produce($client, 'v2', $id, $epoch, 'more', 0, 0, ['m2']), qr/^0 \d+$/, 'one that an older client');
end_is(0, 'ends', 'v2', $id, $epoch, 1, version => 4);
end_is(0, 'is ended, also when asked again', 'v2', $id, $epoch, 1, version => 4);
is(seen('more'), 'm0 m2', 'and committed');

# epochs are used up
sql(qq{UPDATE topic_kafka_transactional_ids SET epoch = 32766 WHERE transactional_id = 'v2'});
transactional_produce($client, 'v2', $id, 32766, 'events', 0, 0, ['last']);
my ($ended, $next, $first) = end_transaction($client, 'v2', $id, 32766, 1);
ok($ended == 0 && $next != $id && $first == 0, 'the last epoch is followed by another producer');
end_is("0 $next 0", 'which is told again', 'v2', $id, 32766, 1);
is(transactional_produce($client, 'v2', $id, 32766, 'events', 0, 1, ['late']), '49 -1', 'then the old one is nobody');
like(transactional_produce($client, 'v2', $next, 0, 'events', 0, 0, ['first']), qr/^0 \d+$/, 'and the new one produces');
end_is("0 $next 1", 'and commits', 'v2', $next, 0, 1);
like(seen('events'), qr/ last first /, 'in order');

# ---- who comes second fences the first -----------------------------------------------------------

($error, $id, $epoch) = init_transactions($client, 'f');
transactional_produce($client, 'f', $id, $epoch, 'more', 0, 0, ['zombie']);
my $second = client();
is(join(' ', init_transactions($second, 'f')), "0 $id " . ($epoch + 1), 'another client takes the transactional id');
is(transactional_produce($client, 'f', $id, $epoch, 'more', 0, 1, ['zombie']), '47 -1', 'the first one cannot produce');
end_is('90 -1 -1', 'nor commit', 'f', $id, $epoch, 1);
end_is('47', 'in the words of its version', 'f', $id, $epoch, 1, version => 1);
like(transactional_produce($second, 'f', $id, $epoch + 1, 'more', 0, 0, ['heir']), qr/^0 \d+$/, 'the second one produces');
is(join(' ', end_transaction($second, 'f', $id, $epoch + 1, 1)), "0 $id " . ($epoch + 2), 'and commits');
is(seen('more'), 'm0 m2 heir', 'what was left open was aborted');

# ---- rights ----------------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'other'");
$node->reload;
my $other;
ok(poll_until(sub { $other = client(); (init_transactions($other, 't'))[0] == 53 }), 'another role gets no producer of it');
is(begin_transaction($other, 'f', $id, $epoch + 2, { events => [0] }), 53, 'nor begins a transaction');
is(transactional_produce($other, 'f', $id, $epoch + 2, 'events', 0, 0, ['x']), '53 -1', 'nor produces');
is((end_transaction($other, 'f', $id, $epoch + 2, 0))[0], 53, 'nor ends it');
my ($own_error, $own_id, $own_epoch) = init_transactions($other, 'own');
is($own_error, 0, 'it has one of its own');
like(transactional_produce($client, 'f', $id, $epoch + 2, 'more', 0, 0, ['mine']), qr/^0 \d+$/, 'a transaction of the first role');
is(transactional_produce($other, 'own', $id, $epoch + 2, 'more', 0, 1, ['thief']), '49 -1', 'takes no records of the other one');
is((end_transaction($other, 'own', $id, $epoch + 2, 1))[0], 49, 'nor is it ended with its transactional id');
is(transactional_produce($other, undef, $own_id, $own_epoch, 'more', 0, 0, ['x']), '53 -1', 'records without a transactional id');
sql('GRANT app TO other');
ok(poll_until(sub { (init_transactions($other, 'f'))[0] == 0 }), 'a member of the role may use it');
is(seen('more'), 'm0 m2 heir', 'what it found was aborted');
sql('REVOKE app FROM other; REVOKE ALL ON events, more FROM other');
ok(poll_until(sub { (init_transactions($other, 'new'))[0] == 53 }), 'who may not produce gets none');
sql('GRANT INSERT ON more TO other');

# ---- what clients should not do ---------------------------------------------------------------------

($error, $id, $epoch) = init_transactions($other, 'own');
foreach my $producer ([ -1, -1 ], [ -1, 0 ], [ $id, -1 ], [ $id, 30000 ], [ 9e15, 0 ])
{
	like(transactional_produce($other, 'own', @$producer, 'more', 0, 0, ['x']), qr/^(?:49|47) -1$/, "the producer @$producer");
	like((end_transaction($other, 'own', @$producer, 1))[0], qr/^(?:49|90)$/, 'does not end anything');
}
like(transactional_produce($other, 'own', $id, $epoch, 'more', 0, 5, ['x']), qr/^0 /, 'a number that is not the first one');
is((end_transaction($other, 'own', $id, $epoch, 0))[0], 0, 'of which nothing is left');
end_is('42 -1 -1', 'an end of nothing', '', $id, $epoch, 0);
is((init_transactions($client, 'g'))[0], 0, 'others are served');

# ---- it is kept ----------------------------------------------------------------------------------------

($error, $id, $epoch) = init_transactions($client, 'kept');
transactional_produce($client, 'kept', $id, $epoch, 'more', 0, 0, ['over the restart']);
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'app'");
$node->restart;
wait_for_listener() or die;
$client = client();
poll_until(sub { transactional_produce($client, 'kept', $id, $epoch, 'more', 0, 1, ['and behind it']) =~ /^0 / }) or die;
end_is("0 $id " . ($epoch + 1), 'a transaction goes on over a restart', 'kept', $id, $epoch, 1);
like(seen('more'), qr/over the restart and behind it$/, 'and is whole');
is(join(' ', init_transactions($client, 'kept')), "0 $id " . ($epoch + 2), 'its producer is the same');

$node->stop;
done_testing();
