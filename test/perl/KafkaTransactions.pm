# Requests of transactional producers, by hand and in all versions: over a connection of KafkaClient.
#
#   my ($error, $id, $epoch) = init_transactions($client, 't');
#   begin_transaction($client, 't', $id, $epoch, { orders => [ 0 ] });
#   transactional_produce($client, 't', $id, $epoch, orders => 0, 0, [ 'a', 'b' ]);
#   end_transaction($client, 't', $id, $epoch, 1);
package KafkaTransactions;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaFields;
use KafkaProducer qw(kafka_batch);

our @EXPORT = qw(init_transactions send_init read_init begin_transaction added send_added read_added transactional_produce
  send_transactional_produce read_transactional_produce send_transactional_batches read_transactional_batches
  end_transaction send_end read_end_transaction add_offsets send_add_offsets read_add_offsets commit_in_transaction
  send_commit_in_transaction read_commit_in_transaction list_transactions describe_transactions send_markers read_markers
  write_markers);

use constant { PRODUCE => 0, INIT_PRODUCER_ID => 22, ADD_PARTITIONS => 24, ADD_OFFSETS => 25, END_TXN => 26,
	WRITE_MARKERS => 27, TXN_OFFSET_COMMIT => 28, DESCRIBE_TRANSACTIONS => 65, LIST_TRANSACTIONS => 66, TRANSACTIONAL => 0x10 };

# ---- InitProducerId ------------------------------------------------------------------

sub send_init
{
	my ($client, $transactional_id, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 2;
	my $body = text($flexible, $transactional_id) . int32($other{timeout} // 60000);

	$body .= int64($other{id} // -1) . int16($other{epoch} // -1) if $version >= 3;
	$client->{version} = $version;
	return $client->send_request(INIT_PRODUCER_ID, $version, $body . tags($flexible), $flexible);
}

# The error, the producer's id and its epoch; nothing at the connection's end.
sub read_init
{
	my ($client) = @_;
	my $flexible = $client->{version} >= 2;
	my $reader = $client->read_response($flexible) // return;

	$reader->int32;
	my @answer = ($reader->int16, $reader->int64, $reader->int16);
	KafkaFields::read_end($reader, $flexible);
	return @answer;
}

# The same as soon as the transactional id is to be had: what the server cannot do yet is asked again, as clients do.
sub init_transactions
{
	my ($client, @other) = @_;

	for (1 .. 1000)
	{
		send_init($client, @other);
		my @answer = read_init($client) or return;

		return @answer if $answer[0] != 14 && $answer[0] != 51;
		select(undef, undef, undef, 0.02);
	}
	die 'the server does not give a producer';
}

# ---- AddPartitionsToTxn -----------------------------------------------------------------

# Add { topic => [ partition, ... ] }.
sub send_added
{
	my ($client, $transactional_id, $id, $epoch, $topics, %other) = @_;
	my $version = $other{version} // 3;
	my $flexible = $version >= 3;

	$client->{version} = $version;
	return $client->send_request(ADD_PARTITIONS, $version, text($flexible, $transactional_id) . int64($id) . int16($epoch)
		. array($flexible, [ sort keys %$topics ], sub {
			return text($flexible, $_[0]) . values_of($flexible, $topics->{ $_[0] }, \&int32);
		}) . tags($flexible), $flexible);
}

# The answer: { topic => { partition => error } }; nothing at the connection's end.
sub read_added
{
	my ($client) = @_;
	my $flexible = $client->{version} >= 3;
	my $reader = $client->read_response($flexible) // return;
	my %errors;

	$reader->int32;
	read_array($reader, $flexible, sub {
		my $topic = read_text($reader, $flexible);

		read_array($reader, $flexible, sub { my $partition = $reader->int32; $errors{$topic}{$partition} = $reader->int16 });
	});
	KafkaFields::read_end($reader, $flexible);
	return \%errors;
}

sub added { send_added(@_); return read_added($_[0]) }

# The same: the one error of all partitions.
sub begin_transaction
{
	my $errors = added(@_) // return 'closed';
	my %different = map { $_ => 1 } map { values %$_ } values %$errors;

	return join ',', sort keys %different;
}

# ---- Produce ------------------------------------------------------------------------------

# Send batches of different partitions: a list of [ topic, partition, sequence, values ].
sub send_transactional_batches
{
	my ($client, $transactional_id, $id, $epoch, $batches, %other) = @_;
	my $version = $other{version} // 12;
	my $flexible = $version >= 9;
	my %batches_of;

	push @{ $batches_of{ $_->[0] } }, $_ foreach @$batches;
	$client->{version} = $version;
	return $client->send_request(PRODUCE, $version, text($flexible, $transactional_id) . int16($other{acks} // -1) . int32(30000)
		. array($flexible, [ sort keys %batches_of ], sub {
			return text($flexible, $_[0]) . array($flexible, $batches_of{ $_[0] }, sub {
				my (undef, $partition, $sequence, $values) = @{ $_[0] };
				my $bytes = kafka_batch([ map { [ 'k', $_ ] } @$values ], producer_id => $id, producer_epoch => $epoch,
					sequence => $sequence, attributes => $other{attributes} // TRANSACTIONAL);

				return int32($partition) . count_of($flexible, length $bytes) . $bytes;
			});
		}) . tags($flexible), $flexible);
}

sub send_transactional_produce
{
	my ($client, $transactional_id, $id, $epoch, $topic, $partition, $sequence, $values, %other) = @_;

	return send_transactional_batches($client, $transactional_id, $id, $epoch, [ [ $topic, $partition, $sequence, $values ] ], %other);
}

# The answer: { "topic partition" => [ error, offset ] }; nothing at the connection's end.
sub read_transactional_batches
{
	my ($client) = @_;
	my $version = $client->{version};
	my $flexible = $version >= 9;
	my $reader = $client->read_response($flexible) // return;
	my %answers;

	read_array($reader, $flexible, sub {
		my $topic = read_text($reader, $flexible);

		read_array($reader, $flexible, sub {
			my $partition = $reader->int32;

			$answers{"$topic $partition"} = [ $reader->int16, $reader->int64 ];
			$reader->int64 foreach 1 .. ($version >= 2) + ($version >= 5);
			if ($version >= 8)
			{
				read_array($reader, $flexible, sub { $reader->int32; read_text($reader, $flexible) });
				read_text($reader, $flexible);
			}
		});
	});
	$reader->int32;
	KafkaFields::read_end($reader, $flexible);
	return \%answers;
}

# The same of one batch, as "error offset"; "closed" at the connection's end.
sub read_transactional_produce
{
	my ($client) = @_;
	my $answers = read_transactional_batches($client) // return 'closed';

	return join ' ', map { @$_ } values %$answers;
}

sub transactional_produce
{
	my ($client) = @_;

	send_transactional_produce(@_);
	return read_transactional_produce($client);
}

# ---- AddOffsetsToTxn and TxnOffsetCommit ---------------------------------------------------

sub send_add_offsets
{
	my ($client, $transactional_id, $id, $epoch, $group, %other) = @_;
	my $version = $other{version} // 4;
	my $flexible = $version >= 3;

	$client->{version} = $version;
	return $client->send_request(ADD_OFFSETS, $version, text($flexible, $transactional_id) . int64($id) . int16($epoch)
		. text($flexible, $group) . tags($flexible), $flexible);
}

# The error; "closed" at the connection's end.
sub read_add_offsets
{
	my ($client) = @_;
	my $flexible = $client->{version} >= 3;
	my $reader = $client->read_response($flexible) // return 'closed';

	$reader->int32;
	my $error = $reader->int16;
	KafkaFields::read_end($reader, $flexible);
	return $error;
}

sub add_offsets { send_add_offsets(@_); return read_add_offsets($_[0]) }

# Commit { topic => { partition => offset or [ offset, metadata, epoch ] } } of a group; topics of version 6 are ids, in hexadecimal.
sub send_commit_in_transaction
{
	my ($client, $transactional_id, $id, $epoch, $group, $topics, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 3;
	my $body = text($flexible, $transactional_id) . text($flexible, $group) . int64($id) . int16($epoch);

	$client->{version} = $version;
	$body .= int32($other{generation} // -1) . text(1, $other{member} // '') . text(1, $other{instance}) if $version >= 3;
	$body .= array($flexible, [ sort keys %$topics ], sub {
		my ($topic) = @_;

		return ($version >= 6 ? pack('H*', $topic) : text($flexible, $topic)) . array($flexible, [ sort { $a <=> $b } keys %{ $topics->{$topic} } ], sub {
			my $what = $topics->{$topic}{ $_[0] };
			my ($offset, $metadata, $leader_epoch) = ref $what ? @$what : ($what, '', -1);

			return int32($_[0]) . int64($offset) . ($version >= 2 ? int32($leader_epoch // -1) : '') . text($flexible, $metadata);
		});
	});
	return $client->send_request(TXN_OFFSET_COMMIT, $version, $body . tags($flexible), $flexible);
}

# The errors of all partitions, each once; "closed" at the connection's end.
sub read_commit_in_transaction
{
	my ($client) = @_;
	my $version = $client->{version};
	my $flexible = $version >= 3;
	my $reader = $client->read_response($flexible) // return 'closed';
	my %errors;

	$reader->int32;
	read_array($reader, $flexible, sub {
		$version >= 6 ? $reader->uuid : read_text($reader, $flexible);
		read_array($reader, $flexible, sub { $reader->int32; $errors{ $reader->int16 }++ });
	});
	KafkaFields::read_end($reader, $flexible);
	return join ',', sort { $a <=> $b } keys %errors;
}

sub commit_in_transaction { send_commit_in_transaction(@_); return read_commit_in_transaction($_[0]) }

# ---- EndTxn ---------------------------------------------------------------------------------

sub send_end
{
	my ($client, $transactional_id, $id, $epoch, $commit, %other) = @_;
	my $version = $other{version} // 5;
	my $flexible = $version >= 3;

	$client->{version} = $version;
	return $client->send_request(END_TXN, $version, text($flexible, $transactional_id) . int64($id) . int16($epoch)
		. int8($commit ? 1 : 0) . tags($flexible), $flexible);
}

# The error, and from version 5 on the producer's id and epoch; nothing at the connection's end.
sub read_end_transaction
{
	my ($client) = @_;
	my $flexible = $client->{version} >= 3;
	my $reader = $client->read_response($flexible) // return;

	$reader->int32;
	my @answer = ($reader->int16, $client->{version} >= 5 ? ($reader->int64, $reader->int16) : ());
	KafkaFields::read_end($reader, $flexible);
	return @answer;
}

sub end_transaction
{
	my ($client) = @_;

	send_end(@_);
	return read_end_transaction($client);
}

# ---- administrators ----------------------------------------------------------------------------

# The error, states that are not known, and "id producer state" of each, sorted.
sub list_transactions
{
	my ($client, %other) = @_;
	my $version = $other{version} // 2;
	my $reader = $client->call(LIST_TRANSACTIONS, $version, values_of(1, $other{states} // [], sub { text(1, $_[0]) })
		. values_of(1, $other{producers} // [], \&int64) . ($version >= 1 ? int64($other{duration} // -1) : '')
		. ($version >= 2 ? text(1, $other{pattern}) : '') . tags(1), 1) // return;
	my @found;

	$reader->int32;
	my $error = $reader->int16;
	my @unknown = map { read_text($reader, 1) } 1 .. read_count($reader, 1);
	read_array($reader, 1, sub {
		push @found, join ' ', map { $_ // 'null' } read_text($reader, 1), $reader->int64, read_text($reader, 1);
	});
	KafkaFields::read_end($reader, 1);
	return ($error, \@unknown, sort @found);
}

# Hashes with error, id, state, timeout, start, producer, epoch, topics => { topic => [ partitions ] }.
sub describe_transactions
{
	my ($client, @ids) = @_;
	my $reader = $client->call(DESCRIBE_TRANSACTIONS, 0, values_of(1, \@ids, sub { text(1, $_[0]) }) . tags(1), 1) // return;
	my @found;

	$reader->int32;
	read_array($reader, 1, sub {
		my %one = (error => $reader->int16, id => read_text($reader, 1), state => read_text($reader, 1), timeout => $reader->int32,
			start => $reader->int64, producer => $reader->int64, epoch => $reader->int16, topics => {});

		read_array($reader, 1, sub {
			my $topic = read_text($reader, 1);

			$one{topics}{$topic} = [ map { $reader->int32 } 1 .. read_count($reader, 1) ];
		});
		push @found, \%one;
	});
	KafkaFields::read_end($reader, 1);
	return @found;
}

# Ask for a marker of a producer in a partition, and for those of others, [ id, epoch ] each.
sub send_markers
{
	my ($client, $id, $epoch, $commit, $topic, $partition, %other) = @_;
	my $version = $other{version} // 2;

	return $client->send_request(WRITE_MARKERS, $version, array(1, [ [ $id, $epoch ], @{ $other{also} // [] } ], sub {
		return int64($_[0][0]) . int16($_[0][1]) . int8($commit ? 1 : 0)
			. array(1, [1], sub { return text(1, $topic) . values_of(1, [$partition], \&int32) }) . int32(0)
			. ($version >= 2 ? int8(0) : '');
	}) . tags(1), 1);
}

# The errors, one behind the other; "closed" at the connection's end.
sub read_markers
{
	my ($client) = @_;
	my $reader = $client->read_response(1) // return 'closed';
	my @errors;

	read_array($reader, 1, sub {
		$reader->int64;
		read_array($reader, 1, sub { read_text($reader, 1); read_array($reader, 1, sub { $reader->int32; push @errors, $reader->int16 }) });
	});
	KafkaFields::read_end($reader, 1);
	return join ' ', @errors;
}

sub write_markers
{
	my ($client) = @_;

	send_markers(@_);
	return read_markers($client);
}

1;
