# Records and batches of them as a Kafka client sends them, byte by byte, so that tests can make
# them wrong; and the frames of requests that have them, for KafkaClient.
package KafkaRecords;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use TopicTest qw(crc32c);

our @EXPORT = qw(zigzag record_of record_batch produce_frame produced fetch_frame);

use constant { PRODUCE => 0, FETCH => 1 };

# A number with a sign as records have it.
sub zigzag
{
	my ($number) = @_;

	return KafkaClient::varint($number < 0 ? -2 * $number - 1 : 2 * $number);
}

# A record without key and headers.
sub record_of
{
	my ($value, $delta) = @_;
	my $body = "\0" . zigzag(0) . zigzag($delta // 0) . zigzag(-1) . zigzag(length $value) . $value . zigzag(0);

	return zigzag(length $body) . $body;
}

# A batch of so many records, which may be compressed, with the attributes that say so; the fields
# "count", "crc", "base_offset", "producer_id", "producer_epoch" and "sequence" may be others
# than is right.
sub record_batch
{
	my ($records, $count, %other) = @_;
	my $covered = pack('s>l>q>q>q>s>l>l>', $other{attributes} // 0, $count - 1, 1700000000000, 1700000000000,
		$other{producer_id} // -1, $other{producer_epoch} // -1, $other{sequence} // -1, $other{count} // $count) . $records;

	return pack('q>l>l>cN', $other{base_offset} // 0, 9 + length $covered, 0, 2, $other{crc} // crc32c($covered)) . $covered;
}

# A request, Produce of version 7, that appends these bytes to a partition.
sub produce_frame
{
	my ($topic, $partition, $records) = @_;

	return KafkaClient::frame(PRODUCE, 7, 1, KafkaClient::string(undef) . KafkaClient::int16(-1) . pack('l>2', 30000, 1)
		. KafkaClient::string($topic) . pack('l>3', 1, $partition, length $records) . $records);
}

# The error code in the answer to it.
sub produced
{
	my ($client) = @_;
	my $answer = $client->read_response // return;

	$answer->int32;
	$answer->string;
	$answer->int32;
	$answer->int32;
	return $answer->int16;
}

# A request, Fetch of version 4, for a partition's records.
sub fetch_frame
{
	my ($topic, $partition, $offset, %other) = @_;
	my $max_bytes = $other{max_bytes} // 50_000_000;

	return KafkaClient::frame(FETCH, 4, 1, pack('l>4', -1, $other{max_wait} // 0, 1, $max_bytes) . KafkaClient::int8(0)
		. KafkaClient::int32(1) . KafkaClient::string($topic) . pack('l>2', 1, $partition) . KafkaClient::int64($offset)
		. KafkaClient::int32($max_bytes));
}

1;
