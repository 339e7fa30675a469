# Fields of Kafka's messages as bytes, for those that write messages of all versions by hand.  "flexible" says in
# which form: that of versions with compact types and tagged fields, or that of older ones.
package KafkaFields;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;

our @EXPORT = qw(int8 int16 int32 int64 text count_of tags array values_of read_text read_count read_tags read_array read_end);

# ---- writing -----------------------------------------------------------------

sub int8  { return KafkaClient::int8(@_) }
sub int16 { return KafkaClient::int16(@_) }
sub int32 { return KafkaClient::int32(@_) }
sub int64 { return KafkaClient::int64(@_) }

# A string, null where it is undefined; how many items an array has, -1 for null; the end of a struct.
sub text     { my ($flexible, $text) = @_; return $flexible ? KafkaClient::compact_string($text) : KafkaClient::string($text) }
sub count_of { my ($flexible, $count) = @_; return $flexible ? KafkaClient::compact_count($count) : int32($count) }
sub tags     { my ($flexible) = @_; return $flexible ? "\0" : '' }

# An array of structs, null where it is undefined: each made of an item by a function, which leaves out the tags.
sub array
{
	my ($flexible, $items, $make) = @_;

	return values_of($flexible, $items, sub { return $make->($_[0]) . tags($flexible) });
}

# The same of plain values.
sub values_of
{
	my ($flexible, $items, $make) = @_;

	return count_of($flexible, -1) if !defined $items;
	return count_of($flexible, scalar @$items) . join('', map { $make->($_) } @$items);
}

# ---- reading -----------------------------------------------------------------

sub read_text  { my ($reader, $flexible) = @_; return $flexible ? $reader->compact_string : $reader->string }
sub read_count { my ($reader, $flexible) = @_; return $flexible ? $reader->compact_count : $reader->int32 }
sub read_tags  { my ($reader, $flexible) = @_; $reader->tags if $flexible; return }

# An array of structs, as a reference to a list: each read by a function, which leaves out the tags.
sub read_array
{
	my ($reader, $flexible, $read) = @_;
	my @items;

	foreach (1 .. read_count($reader, $flexible))
	{
		push @items, $read->();
		read_tags($reader, $flexible);
	}
	return \@items;
}

# The end of a response, behind which there must be nothing.
sub read_end
{
	my ($reader, $flexible) = @_;

	read_tags($reader, $flexible);
	die 'bytes behind a response' if $reader->left;
	return;
}

1;
