# Idempotent producers: in SQL, as a build for tests has them (src/produce/append_probe.c), and asking
# for an id over Kafka's protocol.
package ProducerProbe;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(PRODUCER_PROBE create_producer_probe numbers init_producer_id);

use constant PRODUCER_PROBE => q{
	CREATE FUNCTION append_batch(topic regclass, partition int, producer_id bigint, epoch int, sequence int, records int)
	RETURNS text LANGUAGE c STRICT AS 'pg_topics', 'pgt_append_probe';
	CREATE FUNCTION producers(topic regclass, partition int)
	RETURNS text LANGUAGE c STRICT AS 'pg_topics', 'pgt_append_probe_producers';
	CREATE FUNCTION next_producer_id()
	RETURNS bigint LANGUAGE c STRICT AS 'pg_topics', 'pgt_append_probe_next_id'};

# The extension, these functions, and a topic "events".
sub create_producer_probe
{
	my ($node) = @_;

	$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics; ' . PRODUCER_PROBE);
	$node->safe_psql('postgres', q{SELECT create_topic('events', partitions => 2)});
	return;
}

# The numbers that a partition shows, in order.
sub numbers
{
	my ($node, $topic, $partition) = @_;

	return $node->safe_psql('postgres', qq{
		SELECT string_agg(value, ' ' ORDER BY record_offset) FROM $topic WHERE partition = $partition});
}

# Ask a broker for an id over a connection of KafkaProducer: error, id and epoch.
sub init_producer_id
{
	my ($client, %other) = @_;
	my $version = $other{version} // 4;
	my $transaction = $other{transaction};
	my $body = $version < 2 ? (defined $transaction ? pack('n/a*', $transaction) : pack('n', 0xffff))
	  : defined $transaction ? chr(1 + length $transaction) . $transaction : "\0";

	$body .= pack('N', 60000);
	$body .= pack('q>n', $other{id} // -1, ($other{epoch} // -1) & 0xffff) if $version >= 3;
	$body = pack('nnNn/a*', 22, $version, 1, 'perl') . ($version >= 2 ? "\0$body\0" : $body);
	$client->write_all(pack('N', length $body) . $body);

	my $frame = $client->read_frame // die 'the connection was closed';
	return unpack($version >= 2 ? 'x4 x x4 s>q>s> x' : 'x4 x4 s>q>s>', $frame);
}

1;
