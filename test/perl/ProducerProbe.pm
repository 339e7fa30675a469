# Idempotent producers in SQL: what a build for tests has (src/produce/append_probe.c).
package ProducerProbe;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(PRODUCER_PROBE create_producer_probe numbers);

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

1;
