# Files under test: src/broker/broker_worker.c, src/broker/core/broker_settings.c, src/listener/listen_address.c.
# The process that serves Kafka's clients: it is not there by default; wrong settings keep the
# server from starting; a port that is in use is waited for; it comes again after it has
# ended, and SQL sessions do not notice; a reload changes what clients are told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Socket::INET;
use KafkaClient;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
my $port = PostgreSQL::Test::Cluster::get_free_port();

sub sql { return $node->safe_psql('postgres', @_) }

# The pid of the listener's process, or nothing.
sub listener { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }

# A client as soon as there is a listener that answers, which may be the next one.
sub connected
{
	my ($at) = @_;
	my $client = KafkaClient->served($at // $port);

	ok($client, 'a client can connect') or BAIL_OUT('no listener');
	return $client;
}

# ---- off by default ----------------------------------------------------------

$node->start;
is(sql('SHOW pg_topics.kafka_listeners'), '', 'no listener is configured by default');
is(listener(), '', 'there is no process for one');
sql('CREATE EXTENSION pg_topics');
is(sql('SELECT count(*) FROM pg_kafka_connections'), 0, 'the view of connections is empty');
$node->stop;

# ---- wrong settings ----------------------------------------------------------

foreach my $case (
	[ 'localhost', qr/an item must begin with a host and a port/ ],
	[ '/postgres', qr/an item must begin with a host and a port/ ],
	[ 'localhost:9092', qr/a port must be followed by a slash and a database/ ],
	[ 'localhost:0/postgres', qr/a port must be a number from 1 to 65535/ ],
	[ 'localhost:65536/postgres', qr/a port must be a number from 1 to 65535/ ],
	[ 'localhost:99999999999999999999/postgres', qr/a port must be a number from 1 to 65535/ ],
	[ 'localhost:-1/postgres', qr/a port must be a number from 1 to 65535/ ],
	[ '[::1:9092/postgres', qr/an IPv6 address must be in brackets/ ],
	[ 'localhost:9092/', qr/the name of a database is missing/ ],
	[ 'localhost:9092/"a', qr/a quoted name of a database has no end/ ],
	[ 'localhost:9092/' . 'a' x 64, qr/the name of a database is too long/ ],
	[ 'localhost:9092/a,', qr/an item is missing behind the last comma/ ],
	[ 'localhost:9092/a b:1/c', qr/items must be separated by commas/ ],
	[ join(',', map { "localhost:9092/d$_" } 1 .. 17), qr/At most 16 databases can have a listener/ ])
{
	my ($value, $problem) = @$case;
	my $offset = -s $node->logfile;

	$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '$value'");
	ok(!$node->start(fail_ok => 1), "the server does not start with kafka_listeners = '$value'");
	like(slurp_file($node->logfile, $offset), qr/FATAL:  invalid value for parameter "pg_topics.kafka_listeners".*DETAIL:  $problem/s,
		'it says what is wrong');
}

# ---- a port that is in use ---------------------------------------------------

my $squatter = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Proto => 'tcp', Listen => 1, ReuseAddr => 1)
  or die "could not listen: $!";
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'");
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = '" . (getpwuid($<))[0] . "'");
my $offset = -s $node->logfile;
$node->start;
ok(poll_until(sub { slurp_file($node->logfile, $offset) =~ /could not listen for Kafka clients on "127.0.0.1", port $port.*HINT:  Another program uses this port/s }),
	'a port that is in use is told in the log');
is(sql('SELECT 1'), 1, 'SQL is served all the same');
close $squatter;

my $client = connected();
my $versions = $client->api_versions;
is_deeply($versions->{ KafkaClient::API_VERSIONS() }, [ 0, 5 ], 'the listener comes when the port is free');
ok($versions->{ KafkaClient::METADATA() }, 'Metadata is served');
ok(!$versions->{99}, 'what is not served is not told of');
is($client->metadata->{broker}, "1\@127.0.0.1:$port", 'a client is told the address of the listener');

# ---- reload ------------------------------------------------------------------

sql(q{ALTER SYSTEM SET pg_topics.kafka_advertised = 'db.example:1234'});
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { $client->metadata->{broker} eq '1@db.example:1234' }),
	'a reload changes what clients are told, on a connection that is there');
my ($code, undef, $error) = $node->psql('postgres', q{ALTER SYSTEM SET pg_topics.kafka_advertised = 'db.example'});
like($error, qr/DETAIL:  an item must begin with a host and a port.*\nHINT:  List one host with a port/, 'a wrong value is refused');
($code, undef, $error) = $node->psql('postgres', q{SET pg_topics.kafka_listeners = ''});
like($error, qr/cannot be changed without restarting the server/, 'the addresses need a restart');
sql('ALTER SYSTEM RESET pg_topics.kafka_advertised');
sql('SELECT pg_reload_conf()');

# ---- its end -----------------------------------------------------------------

my $session = open_session($node, 'postgres');
my $backend = $session->run('SELECT pg_backend_pid()');
my $old = listener();
is(sql('SELECT pg_cancel_backend((SELECT pid FROM pg_stat_activity WHERE backend_type = $$pg_topics kafka$$))'), 't',
	'the process is told to cancel what it does');
is($client->api_versions->{ KafkaClient::API_VERSIONS() }[0], 0, 'which is nothing that ends its connections');
is(listener(), $old, 'or itself');
is(sql('SELECT pg_terminate_backend((SELECT pid FROM pg_stat_activity WHERE backend_type = $$pg_topics kafka$$))'), 't',
	'the process can be terminated');
ok($client->is_closed, 'its clients are disconnected');
$client = connected();
is($client->api_versions->{ KafkaClient::API_VERSIONS() }[0], 0, 'it comes again');
isnt(listener(), $old, 'as another process');
is($session->run('SELECT pg_backend_pid()'), $backend, 'SQL sessions have not noticed');
$session->close;

# a client that is there must not keep the server from stopping
$node->stop('fast');
ok($client->is_closed, 'the server stops with clients connected');

# ---- addresses ---------------------------------------------------------------

my $second = PostgreSQL::Test::Cluster::get_free_port();
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '*:$port/postgres, 127.0.0.1:$second/\"postgres\"'");
$node->append_conf('postgresql.conf', "pg_topics.kafka_advertised = 'first:1'");
$node->append_conf('postgresql.conf', "pg_topics.kafka_node_id = 7");
$node->start;
is(connected($port)->metadata->{broker}, '7@first:1', 'the first listener has an advertised address');
is(connected($second)->metadata->{broker}, "7\@127.0.0.1:$second", 'the second has none, and tells its own');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}), 1, 'a database has one process');
$node->append_conf('postgresql.conf', "pg_topics.kafka_advertised = ''");
$node->reload;
$client = connected($port);
ok(poll_until(sub { $client->metadata->{broker} eq "7\@127.0.0.1:$port" }),
	'with a wildcard a client is told the address that it has connected to');
$node->stop;

# ---- a database that is not there --------------------------------------------

$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '127.0.0.1:$port/later'");
$node->start;
ok(poll_until(sub { slurp_file($node->logfile) =~ /database "later" does not exist/ }), 'a database that is missing is told in the log');
sql('CREATE DATABASE later');
is(connected()->metadata->{controller}, 7, 'its listener comes when it is created, even without the extension');

# ---- a database that is copied and dropped -----------------------------------

sql('CREATE DATABASE copy TEMPLATE later');
is(connected()->metadata->{controller}, 7, 'a database that is served can be copied, and is served again');
sql('DROP DATABASE later');
is(sql(q{SELECT count(*) FROM pg_database WHERE datname = 'later'}), 0, 'it can be dropped');
$node->stop;

done_testing();
