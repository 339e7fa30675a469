#!/usr/bin/env perl
# ShareFetch and ShareAcknowledge (src/broker/share, src/share/share_member.c): sessions, what members acquire and acknowledge,
# leases, and workers in SQL beside them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember qw(delete_groups);
use KafkaServer;
use KafkaShare;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_group_share_auto_offset_reset = 'earliest'",
	'pg_topics.kafka_group_share_record_lock_duration = 1h',
	'pg_topics.share_partition_max_record_locks = 200',
	'max_prepared_transactions = 2',
	'pg_topics.kafka_group_share_max_share_sessions = 8');
my $error = KafkaShare::ERRORS;

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic('orders', partitions => 2); SELECT create_topic('secret');
	GRANT SELECT, INSERT ON orders TO app; GRANT SELECT ON orders TO other; GRANT app TO other});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $id = topic_ids(\&sql)->{orders};
my $p0 = "$id:0";

# Produce so many records to a partition, in one transaction.
sub produce { my ($count, $partition) = @_; sql("SELECT produce('orders', 'k', 'v' || i, partition => " . ($partition // 0) . ") FROM generate_series(1, $count) i"); return }

sub member { my ($name, %said) = @_; return KafkaShare->new(client(), group => 'g', member => $name, %said) }

# What a member acquires in a partition now, as text; it waits for a moment where there is nothing.
sub acquires
{
	my ($member, %said) = @_;
	my $answer = $member->fetch(wait => 0, %said);

	return "error $answer->{error}" if $answer->{error};
	return acquired_text($answer->{partitions}{$p0} // {});
}

# The error of acknowledging [first, last, type, ...] in partition 0.
sub acks { my ($member, @batches) = @_; return $member->acknowledge({ $p0 => \@batches })->{partitions}{$p0}{error} }

sub state { return sql(q{SELECT start_offset || ' ' || available || ' ' || acquired || ' ' || finished FROM pg_topic_share_groups WHERE group_id = 'g' AND partition = 0}) }

# ---- fetching --------------------------------------------------------------------------

produce(10);
my $first = member('first');
my $answer;
poll_until(sub { $answer = $first->fetch(add => { $id => [ 0, 1 ] }, records => 4); $first->{epoch} = 0 if $answer->{error} == 14; $answer->{error} != 14 });
is($answer->{error}, 0, 'a session begins');
is($answer->{lock}, 3_600_000, 'its leases last as long as the setting says');
is(acquired_text($answer->{partitions}{$p0}), '0-3x1', 'as many records are acquired as the client wants');
like($answer->{partitions}{$p0}{records}, qr/v1.*v4/s, 'and sent');
my $second = member('second');
is(acquires($second, add => { $id => [0] }), '4-9x1', 'another member gets others');
is(acquires($first), '', 'nobody gets more');
is(state(), '0 0 10 0', 'as the view shows');

# ---- acknowledging -----------------------------------------------------------------------

is(acks($first, [ 0, 1, 1 ], [ 2, 3, 1, 2 ]), 0, 'the first one accepts three records and releases one');
is(state(), '3 1 6 0', 'which are done with, and available');
is(acquires($second), '3-3x2', 'what was released is delivered again');
is(acks($first, [ 3, 3, 1 ]), $error->{INVALID_RECORD_STATE}, 'the first one does not have it any more');
is(acks($first, [ 0, 0, 1 ]), $error->{INVALID_RECORD_STATE}, 'nor what it has accepted');
is(acks($first, [ 500, 600, 1 ]), $error->{INVALID_RECORD_STATE}, 'nor what nobody has acquired');
is(acks($second, [ 3, 4, 1 ], [ 9, 10, 1 ]), $error->{INVALID_RECORD_STATE}, 'of a partition all is acknowledged');
is(state(), '3 0 7 0', 'or nothing');
is(acks($second, [ 3, 4, 1 ], [ 5, 6, 3 ], [ 7, 7, 0 ]), 0, 'accept, reject, a gap');
is(state(), '8 0 2 0', 'all are done with');
foreach my $bad ([ [ 9, 8, 1 ] ], [ [ 8, 9, 1 ], [ 9, 9, 1 ] ], [ [ 8, 9 ] ], [ [ 8, 9, 1, 1, 1 ] ], [ [ 8, 8, 5 ] ], [ [ 8, 8, -1 ] ],
	[ [ 8, 8, 4 ] ], [ [ -1, 8, 1 ] ], [ [ 0, 9223372036854775807, 1 ] ])
{
	is(acks($second, @$bad), $error->{INVALID_REQUEST}, 'nonsense: ' . join(' ', map { "[@$_]" } @$bad));
}
is($second->acknowledge({ $p0 => [ [ 8, 9, 4 ] ] }, renew => 1)->{partitions}{$p0}{error}, 0, 'a lease is renewed');

# ---- acknowledgements with a fetch ---------------------------------------------------------

produce(5);
$answer = $second->fetch(acks => { $p0 => [ [ 8, 9, 1 ] ] }, wait => 0);
is("$answer->{partitions}{$p0}{ack_error} " . acquired_text($answer->{partitions}{$p0}), '0 10-14x1', 'one request acknowledges and fetches');
$answer = $second->fetch(acks => { $p0 => [ [ 8, 9, 1 ] ] }, wait => 0);
is($answer->{partitions}{$p0}{ack_error}, $error->{INVALID_RECORD_STATE}, 'its error is told beside');
is($second->fetch(acks => { $p0 => [ [ 10, 14, 4 ] ] }, renew => 1)->{error}, $error->{INVALID_REQUEST}, 'what renews fetches nothing');
$second->{epoch}--;
is($second->fetch(acks => { $p0 => [ [ 10, 14, 4 ] ] }, renew => 1, records => 0)->{partitions}{$p0}{ack_error}, 0, 'it renews');

# ---- sessions ---------------------------------------------------------------------------------

$second->{epoch} += 5;
is(acquires($second), "error $error->{INVALID_SHARE_SESSION_EPOCH}", 'an epoch that is not the current one');
$second->{epoch} -= 6;
is(member('nobody')->fetch(epoch => 1)->{error}, $error->{SHARE_SESSION_NOT_FOUND}, 'a session that there is not');
is($first->acknowledge({ $p0 => [ [ 0, 0, 1 ] ] }, epoch => 0)->{error}, $error->{INVALID_SHARE_SESSION_EPOCH}, 'no session begins by acknowledging');
is(member('early')->fetch(acks => { $p0 => [ [ 0, 0, 1 ] ] })->{error}, $error->{INVALID_REQUEST}, 'nor is anything acknowledged with the first request');
$first->{epoch}--;
is(state(), '10 0 5 0', 'the second one has five records');
is($second->acknowledge({ $p0 => [ [ 10, 10, 1 ] ] }, epoch => -1)->{partitions}{$p0}{error}, 0, 'it acknowledges one and ends');
is(state(), '11 4 0 0', 'the others are available again');
is(acquires($first), '11-14x2', 'and the first one gets them');
$first->{client}->close;
ok(poll_until(sub { state() eq '11 4 0 0' }), 'so they are when a connection ends');
$first = member('first');
is(acquires($first, add => { $id => [0] }), '11-14x3', 'a member comes back');
my $again = KafkaShare->new($first->{client}, group => 'g', member => 'first');
is(acquires($again, add => { $id => [0] }), '', 'and again, with a session in the place of the one before');
is(acks($again, [ 11, 14, 1 ]), 0, 'which has its records');
is($again->fetch(epoch => -1)->{error}, 0, 'a fetch ends a session, too');
my @many = map { member("m$_") } 1 .. 8;
my $answers = join ' ', map { $_->fetch(add => { $id => [0] }, wait => 0)->{error} } @many;
@many = ();
like($answers, qr/$error->{SHARE_SESSION_LIMIT_REACHED}/, 'a role has no more than half of the sessions');

# ---- what cannot be fetched --------------------------------------------------------------------

my $secret = topic_ids(\&sql)->{secret};
my $none = 'ff' x 16;
ok(poll_until(sub { member('x')->fetch(add => { $id => [0] }, wait => 0)->{error} == 0 }), 'sessions have ended with their connections');
my $member = member('x');
$answer = $member->fetch(add => { $secret => [0], $none => [0], $id => [ 7, -1 ] }, wait => 0);
is($answer->{partitions}{"$secret:0"}{error}, $error->{TOPIC_AUTHORIZATION_FAILED}, 'a topic that the role may not read');
is($answer->{partitions}{"$none:0"}{error}, $error->{UNKNOWN_TOPIC_ID}, 'one that there is not');
is($answer->{partitions}{"$id:$_"}{error}, $error->{UNKNOWN_TOPIC_OR_PARTITION}, "partition $_") foreach 7, -1;
$answer = $member->fetch(forget => { $secret => [0], $none => [0], $id => [ 7, -1 ] }, add => { $id => [0] }, wait => 0);
is_deeply([ keys %{ $answer->{partitions} // {} } ], [], 'they are forgotten');
$answer = $member->acknowledge({ "$secret:0" => [ [ 0, 0, 1 ] ], "$none:0" => [ [ 0, 0, 1 ] ], "$id:7" => [ [ 0, 0, 1 ] ] });
is($answer->{partitions}{"$secret:0"}{error}, $error->{TOPIC_AUTHORIZATION_FAILED}, 'nothing is acknowledged there');
is($answer->{partitions}{"$none:0"}{error}, $error->{UNKNOWN_TOPIC_ID}, 'nor there');
is($answer->{partitions}{"$id:7"}{error}, $error->{UNKNOWN_TOPIC_OR_PARTITION}, 'nor there');
is(member('')->fetch(add => { $id => [0] })->{error}, $error->{INVALID_REQUEST}, 'a member without an id');
is(member('x', group => '')->fetch(add => { $id => [0] })->{error}, $error->{INVALID_GROUP_ID}, 'a group without one');

# ---- waiting -----------------------------------------------------------------------------------

send_share_fetch($member->{client}, group => 'g', member => 'x', epoch => $member->next_epoch, wait => 60_000);
produce(2);
$answer = read_share_fetch($member->{client});
is(acquired_text($answer->{partitions}{$p0}), '15-16x1', 'a fetch waits for records');
my $other = member('y');
is(acquires($other, add => { $id => [0] }), '', 'which others do not get');
send_share_fetch($other->{client}, group => 'g', member => 'y', epoch => $other->next_epoch, wait => 60_000);
is(acks($member, [ 15, 16, 2 ]), 0, 'they are released');
$answer = read_share_fetch($other->{client});
is(acquired_text($answer->{partitions}{$p0}), '15-16x2', 'and wake who waits for them');
is(acks($other, [ 15, 16, 1 ]), 0, 'who accepts them');

# ---- with SQL ------------------------------------------------------------------------------------

sub consumed { return sql("SET ROLE app; SELECT string_agg(record_offset || 'x' || delivery_count, ' ' ORDER BY record_offset) FROM consume_shared('orders', 'g', max_records => $_[0], lease => '1 hour', partitions => '{0}')") }

produce(6);
is(acquires($member, records => 2), '17-18x1', 'a client has two');
is(consumed(2), '19x1 20x1', 'a worker in SQL two others');
is(acquires($member), '21-22x1', 'the client the rest');
is(consumed(5), '', 'and there are no more');
my ($rc, $out, $err) = $node->psql('postgres', "SET ROLE app; SELECT acknowledge('orders', 'g', 0, 17)");
like($err, qr/another transaction has the record at offset 17/, 'SQL does not acknowledge for a client');
is(acks($member, [ 19, 19, 1 ]), $error->{INVALID_RECORD_STATE}, 'nor a client for SQL');
sql(q{SET ROLE app; SELECT acknowledge('orders', 'g', 0, 19), acknowledge('orders', 'g', 0, 20, 'release')});
is(acquires($member), '20-20x2', 'what SQL releases, a client gets');
is(acks($member, [ 17, 18, 2 ], [ 20, 22, 1 ]), 0, 'what a client releases');
is(consumed(5), '17x2 18x2', 'SQL gets');
sql(q{SET ROLE app; SELECT acknowledge('orders', 'g', 0, o) FROM generate_series(17, 18) o});
is(state(), '23 0 0 0', 'all is done');
sql(q{SET ROLE app; BEGIN; SELECT produce('orders', 'k', 'late', partition => 0); PREPARE TRANSACTION 'late'});
produce(1);
is(acquires($member), '', 'records of a transaction that has not ended, and what is behind them, are not acquired');
sql(q{ROLLBACK PREPARED 'late'});
my $got = '';
ok(poll_until(sub { ($got = acquires($member)) ne '' }), 'those that were rolled back are passed');
is($got, '24-24x1', 'for the next one');
is(acks($member, [ 24, 24, 1 ]), 0, 'which is acknowledged');
is(state(), '25 0 0 0', 'without a gap');

# ---- deliveries, windows and leases ---------------------------------------------------------------

sql(q{ALTER FOREIGN TABLE orders OPTIONS (ADD "max.attempts" '3')});
produce(1);
foreach my $delivery (1 .. 3)
{
	is(acquires($member), "25-25x$delivery", "delivery $delivery");
	is(acks($member, [ 25, 25, 2 ]), 0, 'released');
}
is(state(), '26 0 0 0', 'after the last one the group is done with it');
produce(300);
is(acquires($member), '26-225x1', 'no more is in flight than the window has room for');
is(acquires($member), '', 'then nothing');
is(acks($member, [ 26, 225, 1 ]), 0, 'until it is acknowledged');
is(acquires($member, records => 1000), '226-325x1', 'the rest');
sql(q{ALTER SYSTEM SET pg_topics.kafka_group_share_record_lock_duration = '100ms'; SELECT pg_reload_conf()});
is($member->acknowledge({ $p0 => [ [ 226, 325, 4 ] ] }, renew => 1)->{lock} > 0, 1, 'leases are renewed');
ok(poll_until(sub { my $is = $member->acknowledge({ $p0 => [ [ 226, 325, 4 ] ] }, renew => 1); $is->{lock} == 100 || $is->{partitions}{$p0}{error} }),
	'with those of the setting that is read again');
ok(poll_until(sub { acquires($other) eq '226-325x2' }), 'when they end, others get the records');

# ---- who may -----------------------------------------------------------------------------------------

is(KafkaShare->new(client_as('other'), group => 'g', member => 'o')->fetch(add => { $id => [1] }, wait => 0)->{error}, 0,
	'a role with the rights of the owner may use the group');
sql(q{REVOKE app FROM other});
$answer = KafkaShare->new(client_as('other'), group => 'g', member => 'o')->fetch(add => { $id => [1] }, wait => 0);
is($answer->{partitions}{"$id:1"}{error} // $answer->{error}, $error->{GROUP_AUTHORIZATION_FAILED}, 'one without may not');
sql(q{REVOKE SELECT ON orders FROM app});
is($other->fetch(wait => 0)->{partitions}{$p0}{error}, $error->{TOPIC_AUTHORIZATION_FAILED}, 'nor one that may not read the topic any more');
sql(q{GRANT SELECT ON orders TO app});

# ---- offsets -------------------------------------------------------------------------------------------

sql(q{ALTER SYSTEM SET pg_topics.kafka_group_share_record_lock_duration = '1h'; SELECT pg_reload_conf()});
ok(poll_until(sub { $other->fetch(wait => 0)->{lock} == 3_600_000 }), 'long leases again');
my $admin = client();
is(describe_share_offsets($admin, 'nothing')->{error}, $error->{GROUP_ID_NOT_FOUND}, 'a group that there is not');
$answer = describe_share_offsets($admin, 'g');
is(join(',', map { "$_=$answer->{topics}{orders}{$_}{start}+$answer->{topics}{orders}{$_}{lag}" } sort keys %{ $answer->{topics}{orders} }),
	'0=226+100,1=0+0', 'where the group stands');
$answer = describe_share_offsets($admin, 'g', { orders => [ 0, 9 ], secret => [0], nowhere => [0] });
is($answer->{topics}{orders}{9}{start}, -1, 'where it has not begun');
is($answer->{topics}{secret}{0}{error}, $error->{TOPIC_AUTHORIZATION_FAILED}, 'a topic that the role may not know of');
is($answer->{topics}{nowhere}{0}{error}, $error->{UNKNOWN_TOPIC_OR_PARTITION}, 'one that there is not');
ok(poll_until(sub { acquires($other); state() eq '226 0 100 0' }), 'a client has records');
sub altered { my ($offset, $partition) = @_; $partition //= 0; return alter_share_offsets($admin, 'g', { orders => { $partition => $offset } })->{topics}{orders}{$partition} }
is(altered(100), $error->{NON_EMPTY_GROUP}, 'nothing is altered while somebody has records');
$other->{client}->close;
ok(poll_until(sub { altered(100) == 0 }), 'the group begins anew');
is(describe_share_offsets($admin, 'g')->{topics}{orders}{0}{start}, 100, 'at another offset');
is(altered(1000), 1, 'one that there is not');
is(altered(-1), 1, 'nor that');
is(altered(0, 7), $error->{UNKNOWN_TOPIC_OR_PARTITION}, 'a partition that there is not');
is(alter_share_offsets($admin, 'nothing', { orders => { 0 => 1 } })->{error}, $error->{GROUP_ID_NOT_FOUND}, 'a group that there is not');
$other = member('y');
is(acquires($other, add => { $id => [0] }, records => 5), '100-104x1', 'members read from there on');
is(share_heartbeat($admin, group => 'g', member => 'y', epoch => 0, names => ['orders'])->{error}, 0, 'a group with a member');
is(alter_share_offsets($admin, 'g', { orders => { 0 => 1 } })->{error}, $error->{NON_EMPTY_GROUP}, 'is not altered');
is(delete_share_offsets($admin, 'g', 'orders')->{error}, $error->{NON_EMPTY_GROUP}, 'nor is anything forgotten');
is_deeply(delete_groups($admin, ['g']), { g => $error->{NON_EMPTY_GROUP} }, 'nor is it deleted');
is(share_heartbeat($admin, group => 'g', member => 'y', epoch => -1)->{error}, 0, 'the member leaves');
$other->{client}->close;
ok(poll_until(sub { altered(226) == 0 }), 'and it is altered');
KafkaShare->new($admin, group => 'h', member => 'h')->fetch(add => { $id => [0] }, records => 1);
ok(poll_until(sub { delete_share_offsets($admin, 'h', 'nowhere', 'secret')->{error} == 0 }), 'topics');
$answer = delete_share_offsets($admin, 'h', 'nowhere', 'secret', 'orders');
is_deeply($answer->{topics}, { nowhere => 3, secret => 29, orders => $error->{NON_EMPTY_GROUP} }, 'are not forgotten while somebody has records');
KafkaShare->new($admin, group => 'h', member => 'h')->fetch(epoch => -1);
is(delete_share_offsets($admin, 'h', 'orders')->{topics}{orders}, 0, 'then one is');
is(describe_share_offsets($admin, 'h')->{error}, $error->{GROUP_ID_NOT_FOUND}, 'it was all that the group had');
KafkaShare->new($admin, group => 'h', member => 'h')->fetch(add => { $id => [0] }, records => 1);
is_deeply(delete_groups($admin, [ 'h', 'nothing' ]), { h => $error->{NON_EMPTY_GROUP}, nothing => $error->{GROUP_ID_NOT_FOUND} },
	'a group is not deleted while somebody has records');
KafkaShare->new($admin, group => 'h', member => 'h')->fetch(epoch => -1);
is_deeply(delete_groups($admin, ['h']), { h => 0 }, 'then it is');
is(sql(q{SELECT count(*) FROM pg_topic_share_groups WHERE group_id = 'h'}), '0', 'for SQL as well');

# ---- crash -------------------------------------------------------------------------------------------

$other = member('z');
poll_until(sub { acquires($other, add => { $id => [0] }) =~ /^226-325/ || do { $other->{client}->close; $other = member('z'); 0 } });
is(acks($other, [ 226, 300, 1 ]), 0, 'some are accepted');
$node->stop('immediate');
$node->start;
ok(wait_for_listener(), 'the server is there again');
is(state(), '301 0 0 0', 'what was acknowledged is so after a crash');
$other = member('z');
poll_until(sub { $answer = acquires($other, add => { $id => [0] }); $other->{epoch} = 0 if $answer =~ /error/; $answer =~ /^\d/ });
like($answer, qr/^301-325x\d$/, 'and the rest is available');

done_testing();
