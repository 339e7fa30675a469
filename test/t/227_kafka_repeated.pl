#!/usr/bin/env perl
# Files under test: src/broker/transactions/describe_transactions.c, list_transactions.c, write_txn_markers.c, add_partitions_to_txn.c,
# txn_offset_commit.c, src/broker/data/describe_producers.c, src/broker/share/share_acks.c, share_fetch.c, describe_share_offsets.c,
# src/broker/groups/share_group_describe.c, src/log/kafka_txn_map.c.
# Requests about transactions and share groups that name the same things again and again, as many as a request may have: nobody
# beside them waits for long, and the memory of the process stays bounded.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAttack;
use KafkaFields;
use KafkaServer;
use KafkaShare;
use KafkaTransactions;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# As many items as the memory of a request has room for, of those that take little of it.
use constant MANY => $ENV{TOPIC_TEST_SANITIZED} || $ENV{TOPIC_TEST_VALGRIND} ? 4_000 : 40_000;
use constant RECORDS => 2000;

my ($node, $port) = start_kafka_server("pg_topics.kafka_group_share_auto_offset_reset = 'earliest'");
sql(q{
	CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN;
	SELECT create_topic('events', partitions => 100), create_topic('orders'), create_topic('other');
	GRANT SELECT, INSERT ON events, orders, other TO app;
	INSERT INTO orders (value) SELECT 'x' FROM generate_series(1, 2100)});
wait_for_listener() or die 'nobody listens';
my $worker = begin_attacks($node, $port, 'other');
my $client = attacker();

# An array of so many items that are alike.
sub many { my ($count, $item) = @_; return count_of(1, $count) . $item x $count }

# ---- transactions ---------------------------------------------------------------

my ($error, $id, $epoch) = init_transactions($client, 'open');
transactional_produce($client, 'open', $id, $epoch, 'events', $_, 0, ['x']) =~ /^0 / or die foreach 0 .. 99;

is(scalar(describe_transactions($client, 'open', 'none', 'open')), 2, 'a transactional id that is named twice is described once');
attack('DescribeTransactions of one', 100, sub {
	ok(ask_kafka(65, 0, many(2 * MANY, text(1, 'open')) . "\0", 1), 'it is answered');
});
attack('DescribeTransactions of many', 150, sub {
	ok(ask_kafka(65, 0, count_of(1, MANY) . join('', map { text(1, "t$_") } 1 .. MANY) . "\0", 1), 'it is answered');
});
attack('DescribeProducers of a partition', 100, sub {
	ok(ask_kafka(61, 0, many(1, text(1, 'events') . many(MANY, int32(0)) . "\0") . "\0", 1), 'it is answered');
});
attack('ListTransactions with many filters', 100, sub {
	ok(ask_kafka(66, 2, many(MANY, text(1, 'Ongoinh')) . many(MANY, int64(1)) . int64(-1) . text(1, undef) . "\0", 1), 'it is answered');
});
attack('AddPartitionsToTxn of a partition', 150, sub {
	ok(ask_kafka(24, 3, text(1, 'open') . int64($id) . int16($epoch) . many(1, text(1, 'events') . many(10 * MANY, int32(0)) . "\0") . "\0", 1),
		'it is answered');
});
attack('TxnOffsetCommit of a partition', 100, sub {
	ok(ask_kafka(28, 5, text(1, 'open') . text(1, 'g') . int64($id) . int16($epoch) . int32(-1) . text(1, '') . text(1, undef)
		. many(1, text(1, 'events') . many(5000, int32(0) . int64(1) . int32(-1) . text(1, '') . "\0") . "\0") . "\0", 1), 'it is answered');
});
attack('WriteTxnMarkers of nobody', 100, sub {
	ok(ask_kafka(27, 1, many(MANY, int64(7) . int16(0) . int8(0) . many(1, text(1, 'events') . many(1, int32(0)) . "\0") . int32(0) . "\0") . "\0", 1),
		'it is answered');
});
is((end_transaction($client, 'open', $id, $epoch, 1))[0], 0, 'the transaction is as it was');

# ---- share groups ------------------------------------------------------------------

my $topic = topic_ids(\&sql)->{orders};

# A member of a group that has many records.
sub member_of
{
	my ($group) = @_;
	my $member = KafkaShare->new(attacker(), group => $group, member => 'm');
	my $last = RECORDS - 1;

	is(acquired_text($member->fetch(add => { $topic => [0] }, records => RECORDS)->{partitions}{"$topic:0"}), "0-${last}x1", "a member of $group has records");
	return $member;
}

# The partition's acknowledgements as bytes, again and again; and requests with those.
sub acks { my ($count, @batches) = @_; return many(1, pack('H*', $topic) . many($count, int32(0) . join('', count_of(1, scalar @batches), @batches) . "\0") . "\0") }
sub batch { my ($first, $last, $types) = @_; return int64($first) . int64($last) . count_of(1, length $types) . $types . "\0" }
sub acknowledge { my ($group, $epoch, $renew, $acks) = @_; return (79, 2, text(1, $group) . text(1, 'm') . int32($epoch) . int8($renew) . $acks . "\0", 1) }

# A session is its connection's: the error of the whole.
sub ask_as
{
	my ($member, $key, $version, $body) = @_;

	$member->{client}->send_request($key, $version, $body, 1);
	my $reader = $member->{client}->read_response(1) // return 'closed';
	$reader->int32;
	return $reader->int16;
}

my $renewer = member_of('renewed');
attack('ShareAcknowledge that renews all of a window', 150, sub {
	is(ask_as($renewer, acknowledge('renewed', $renewer->{epoch}++, 1, acks(MANY, batch(0, RECORDS - 1, int8(4))))), 0, 'it is answered');
});
attack('ShareAcknowledge of all of a window and of what nobody has', 150, sub {
	is(ask_as($renewer, acknowledge('renewed', $renewer->{epoch}++, 0, acks(MANY, batch(0, RECORDS, int8(1))))), 0, 'it is answered');
});
attack('ShareAcknowledge with many types', 150, sub {
	is(ask_as($renewer, acknowledge('renewed', $renewer->{epoch}++, 0, acks(4, batch(0, 15 * MANY - 1, join('', (int8(1), int8(2)) x (15 * MANY / 2)))))), 0, 'it is answered');
});
attack('ShareAcknowledge with many batches', 150, sub {
	is(ask_as($renewer, acknowledge('renewed', $renewer->{epoch}++, 0, acks(1, map { batch($_, $_, int8(1)) } 1 .. 2 * MANY))), 0, 'it is answered');
});
is($renewer->acknowledge({ "$topic:0" => [ [ 0, RECORDS - 1, 1 ] ] })->{partitions}{"$topic:0"}{error}, 0, 'the records are the member\'s still');

# states that take as much room as they can
my $half = member_of('half');
is($half->acknowledge({ "$topic:0" => [ [ 1, RECORDS - 1, (1, 3) x (RECORDS / 2 - 1), 1 ] ] })->{partitions}{"$topic:0"}{error}, 0, 'another one has acknowledged all but one');
sql('SELECT merge_share_acks()');
is(describe_share_offsets($client, 'half', { orders => [0] })->{topics}{orders}{0}{start}, 0, 'the group begins with that one');
attack('DescribeShareGroupOffsets of a partition', 150, sub {
	ok(ask_kafka(90, 1, many(1, text(1, 'half') . many(1, text(1, 'orders') . many(MANY / 4, int32(0)) . "\0") . "\0") . "\0", 1), 'it is answered');
});
attack('DescribeShareGroupOffsets of a group', 150, sub {
	ok(ask_kafka(90, 1, many(MANY / 4, text(1, 'half') . count_of(1, -1) . "\0") . "\0", 1), 'it is answered');
});
attack('ShareGroupDescribe of a group', 100, sub {
	ok(ask_kafka(77, 1, many(2 * MANY, text(1, 'half')) . int8(0) . "\0", 1), 'it is answered');
});
attack('ShareFetch of many partitions', 150, sub {
	ok(ask_kafka(78, 2, text(1, 'wide') . text(1, 'm') . int32(0) . int32(0) . int32(1) . int32(1000) . int32(5) . int32(5) . int8(0) . int8(0)
		. many(1, pack('H*', $topic) . count_of(1, MANY) . join('', map { int32($_) . count_of(1, 0) . "\0" } 1 .. MANY) . "\0") . count_of(1, 0) . "\0", 1), 'it is answered');
});

is(sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), $worker, 'the process is the same');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
