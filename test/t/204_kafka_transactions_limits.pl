# Files under test: src/broker/transactions/txn_role_limits.c, txn_look.c and txn_expiry.c.
# How many transactions a role can have open and how many transactional ids it can have, and that those that are not used are
# forgotten.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaServer;
use KafkaTransactions;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server('pg_topics.kafka_max_transactions = 8', 'pg_topics.kafka_max_transactional_ids = 10');
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic('events', partitions => 11);
	GRANT SELECT, INSERT ON events TO app, other});
wait_for_listener() or die;
my $client = client();

# ---- open transactions -----------------------------------------------------------------

# each in a partition of its own: what has ended behind an open one counts until that ends

my %producers = map { $_ => [ (init_transactions($client, "t$_"))[ 1, 2 ] ] } 1 .. 10;

# those that connect from now on are another role
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'other'");
$node->reload;

sub produce { return transactional_produce($client, "t$_[0]", @{ $producers{ $_[0] } }, 'events', $_[0], $_[1], ["v$_[0]"]) }
sub begin   { return begin_transaction($client, "t$_[0]", @{ $producers{ $_[0] } }, { events => [0] }) }

like(produce($_, 0), qr/^0 /, "transaction $_") foreach 1 .. 3;
is(begin(4), 0, 'another one, by its partitions');
is(produce(5, 0), '51 -1', 'a role has as many as it leaves free');
is(begin(5), 51, 'however it begins');
like(produce(1, 1), qr/^0 /, 'those that it has go on');
my $other;
ok(poll_until(sub { $other = client(); (init_transactions($other, 't1'))[0] == 53 }), 'another role');
my ($error, $id, $epoch) = init_transactions($other, 'o');
like(transactional_produce($other, 'o', $id, $epoch, 'events', 0, 0, ['o']), qr/^0 /, 'can begin one');
is((end_transaction($other, 'o', $id, $epoch, 0))[0], 0, 'and end it');
is((end_transaction($client, 't1', @{ $producers{1} }, 1))[0], 0, 'one of the first role ends');
ok(poll_until(sub { produce(5, 0) =~ /^0 / }), 'so it can begin another one');
is((end_transaction($client, "t$_", @{ $producers{$_} }, 1))[0], 0, "transaction $_ ends") foreach 2 .. 5;
is(sql(q{SELECT string_agg(value, ' ' ORDER BY value) FROM events WHERE value LIKE 'v%'}), 'v1 v1 v2 v3 v5', 'all are committed');
# as often as one likes, one after the other
$producers{1}[1]++;
foreach my $n (1 .. 30)
{
	poll_until(sub { produce(1, 0) =~ /^0 / }) or die;
	(end_transaction($client, 't1', @{ $producers{1} }, $n % 2))[0] == 0 or die;
	$producers{1}[1]++;
}
is(sql(q{SELECT count(*) FROM events WHERE value = 'v1'}), 17, 'those that have ended do not count');

# ---- transactional ids ---------------------------------------------------------------------

is((init_transactions($client, 't11'))[0], 44, 'a role has so many transactional ids');
is((init_transactions($client, 't10'))[0], 0, 'which it can use');
is((init_transactions($other, 'o2'))[0], 0, 'others have theirs');

# ---- expiry --------------------------------------------------------------------------------------

produce(1, 0);
$node->append_conf('postgresql.conf', 'pg_topics.kafka_transactional_id_expiration = 1s');
$node->reload;
ok(poll_until(sub { sql(q{SELECT string_agg(transactional_id, ' ') FROM topic_kafka_transactional_ids}) eq 't1' }), 'those that are not used are forgotten');
is((end_transaction($client, 't3', @{ $producers{3} }, 0))[0], 49, 'their producers are told');
is((end_transaction($client, 't1', @{ $producers{1} }, 1))[0], 0, 'one that is open is not');

$node->stop;
done_testing();
