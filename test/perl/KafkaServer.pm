# A server with a listener for Kafka's clients, with which most of their tests begin.
package KafkaServer;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaLogin;
use PostgreSQL::Test::Cluster;
use TopicTest;

our @EXPORT = qw(start_kafka_server use_kafka_server wait_for_listener sql client client_as);

my ($server, $server_port);

# Start a server whose database "postgres" has a listener on 127.0.0.1, with these settings besides; those of the
# same name count.  Clients that do not log in are the role "app".  Returns the server and the port.
sub start_kafka_server
{
	my (@settings) = @_;

	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $node = new_node('main', settings => [
		"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'",
		"pg_topics.kafka_anonymous_role = 'app'",
		@settings ]);
	$node->start;
	use_kafka_server($node, $port);
	return ($node, $port);
}

# Let the functions below be about this server, which has a listener for its database "postgres" on this port.
sub use_kafka_server { return ($server, $server_port) = @_ }

# Run statements in the database "postgres"; returns what they print.
sub sql { return $server->safe_psql('postgres', @_) }

# Wait until the listener takes connections, which it does once its database has the extension.  False: it does not.
sub wait_for_listener
{
	return poll_until(sub { KafkaClient->new($server_port) });
}

# A connection that has not logged in.
sub client { return KafkaClient->new($server_port) // die "no connection: $!" }

# A connection as a role, by PLAIN with any password.
sub client_as
{
	my ($role) = @_;
	my $client = client();

	die "$role cannot log in" if login_plain($client, $role, 'any')->{error} != 0;
	return $client;
}

1;
