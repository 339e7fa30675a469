# Files under test: src/broker/data/init_producer_id.c.
# A producer asks for its number before it names topics: where there are none that its role may produce to, who may create one gets
# it, too.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaServer;
use KafkaTransactions;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server();
sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; SELECT create_topic('private');
	REVOKE USAGE ON FOREIGN SERVER topics FROM PUBLIC});
wait_for_listener() or die;
my $client = client();

sub errors { return join ' ', map { (init_transactions($client, $_))[0] } undef, 't' }

is(errors(), '31 53', 'who can produce to nothing and creates nothing gets no number');
sql(q{GRANT CREATE ON SCHEMA public TO app});
is(errors(), '31 53', 'a schema alone is not enough to create topics');
sql(q{GRANT USAGE ON FOREIGN SERVER topics TO app});
is(errors(), '0 0', 'who may create topics gets one');
my ($error, $id, $epoch) = init_transactions($client, 't');
sql(q{SET ROLE app; SELECT create_topic('mine')});
like(transactional_produce($client, 't', $id, $epoch, 'mine', 0, 0, ['first']), qr/^0 /, 'and produces to what it has created meanwhile');
is((end_transaction($client, 't', $id, $epoch, 1))[0], 0, 'in a transaction');
is(sql('SELECT value FROM mine'), 'first', 'that is seen');
sql(q{REVOKE CREATE ON SCHEMA public FROM app});
is(errors(), '0 0', 'its own topic is enough from then on');
sql(q{DROP FOREIGN TABLE mine});
is(errors(), '31 53', 'and nothing is not');

$node->stop;
done_testing();
