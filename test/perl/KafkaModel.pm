# A load of Kafka's clients whose right outcome is known, whatever becomes of the server meanwhile:
#
#   - what was acknowledged is in the log once, at the offset that the answer said, and the records of a
#     producer are in the order in which it has sent them;
#   - nothing that a consumer was given ever changes or vanishes, and nothing comes in between.
#
# Idempotent producers have up to five requests under way, and after each loss of a connection send
# again, in order, what has no answer, as Kafka's clients do; others send once, with acks=0, 1 or all.
# Consumers have sessions or none, wait for long or not, go on or begin anew.  They share one memory of
# what was given.  SQL producers (TopicTest's load) write to the first topic as well.
#
#   events    3 partitions, batches of which are merged
#   changes   compacted: records may go where a later one has their key
#   trimmed   records are deleted from its start; timestamps are the server's
#
#   my $model = KafkaModel->new(node => $node, port => $port, lasting => [ -1, 1 ]);
#   $model->run($seconds);          # as often as wanted, with crashes between or meanwhile
#   $model->finish;
#   is(join("\n", $model->problems), '');
package KafkaModel;

use strict;
use warnings;

use IO::Select;
use KafkaConsumer;
use KafkaProducer;
use PostgreSQL::Test::Utils;
use ProducerProbe;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant { UNDER_WAY => 5, KEYS => 20, PROBLEMS => 10, RECONNECT => 0.05, PATIENCE => 3 };

my %partitions = (events => 3, changes => 1, trimmed => 1);

# The errors after which a client tries again: not the leader, timed out, and those of a server that begins.
my %passing = map { $_ => 1 } 3, 5, 6, 7, 14, 78;

# All topics with their partitions.
sub places { return map { my $topic = $_; map { [ $topic, $_ ] } 0 .. $partitions{$topic} - 1 } sort keys %partitions }

# ---- the topics ------------------------------------------------------------------------

# Make them in a server that runs.
sub create_topics
{
	my ($node) = @_;

	create_load_schema($node);
	$node->safe_psql('postgres', q{
		CREATE ROLE producer LOGIN;
		SELECT alter_topic('events', '{"batch.merge.lag.ms": 0}');
		SELECT create_topic('changes', config => '{"cleanup.policy": "compact", "segment.bytes": 4096, "min.compaction.lag.ms": 0}');
		SELECT create_topic('trimmed', config => '{"segment.bytes": 4096, "message.timestamp.type": "LogAppendTime"}');
		GRANT SELECT, INSERT ON events, changes, trimmed TO producer});
	return;
}

# What changes the topics' files meanwhile: scripts for TopicTest's load.
sub neighbours
{
	my $changes = "SELECT FROM merge_batches('events');\nSELECT FROM compact('changes');\n"
	  . "SELECT delete_records('trimmed', 0, greatest(log_start_offset, log_end_offset - 30))"
	  . " FROM pg_topic_partitions WHERE topic = 'trimmed'::regclass;\nSELECT pg_sleep(random() * 0.2);\n";

	return ($changes x 2000, "CHECKPOINT;\nSELECT pg_sleep(random());\n" x 2000);
}

# "lasting": with which acks what is acknowledged must survive; idempotent producers use no other.
sub new
{
	my ($class, %params) = @_;
	my $self = bless { lasting => [ -1, 1 ], problems => [], acknowledged => [], shown => {}, seen => {}, told => {},
		start => {}, answers => 0, fetches => 0, %params }, $class;

	$self->{producers} = [
		(map { $self->new_producer($_, 1) } 1 .. $params{idempotent} // 4),
		(map { $self->new_producer(100 + $_, 0) } 1 .. $params{others} // 3) ];
	$self->{consumers} = [ map { { kind => $_, position => {} } } qw(session session plain again small) ];
	return $self;
}

sub new_producer
{
	my ($self, $number, $idempotent) = @_;

	return { number => $number, idempotent => $idempotent, window => [], sent => {}, next => {}, sequence => {},
		acks => $idempotent ? [] : [ [ 0 ], [ 1 ], [ -1, 0, 1 ] ]->[ $number % 3 ] };
}

# Note what is wrong.
sub wrong
{
	my ($self, $text) = @_;

	push @{ $self->{problems} }, sprintf('%.3f %s', time, $text);
	return;
}

# The first things that are wrong.
sub problems
{
	my ($self) = @_;
	my @problems = @{ $self->{problems} };

	return @problems <= PROBLEMS ? @problems : (@problems[ 0 .. PROBLEMS - 1 ], '... ' . @problems . ' in all');
}

# ---- connections ---------------------------------------------------------------------------

# From now on the server is another one.
sub move_to
{
	my ($self, $node, $port) = @_;

	@$self{qw(node port)} = ($node, $port);
	return;
}

# The connection is of no use any more: what has no answer is sent again, or given up.
sub lose
{
	my ($self, $client) = @_;

	$client->{connection}->close if $client->{connection};
	delete $client->{connection};
	$client->{retry} = time + RECONNECT;
	$client->{sent} = {};
	$client->{window} = [] if exists $client->{idempotent} && !$client->{idempotent};
	delete @$client{qw(session epoch busy no_disk)};
	return;
}

# The server has no disk from now on, and clients may meet any error; or it has one, and those may that are connected still.  What
# such a connection was answered may be read when the server has long been started anew.
sub disk_is_gone { my ($self) = @_; $_->{no_disk} = 1 foreach $self, @{ $self->{producers} }, @{ $self->{consumers} }; return }
sub disk_is_back { my ($self) = @_; $self->{no_disk} = 0; return }

# Connect those who are not, if somebody answers.
sub connect_all
{
	my ($self) = @_;

	foreach my $producer (grep { !$_->{connection} && ($_->{retry} // 0) < time } @{ $self->{producers} })
	{
		$producer->{connection} = kafka_connect($self->{port}) or $self->lose($producer), next;
		$producer->{no_disk} = $self->{no_disk};
		if ($producer->{idempotent} && !defined $producer->{id})
		{
			my ($error, $id) = eval { init_producer_id($producer->{connection}) };

			$self->lose($producer), next if !defined $error || $error == 14 || ($error && $producer->{no_disk});
			$self->wrong("no id: error $error") if $error != 0;
			$producer->{id} = $id;
		}
		# a batch a request, as not all of them need to be sent again together
		$self->send_request($producer, $_) foreach @{ $producer->{window} };
	}
	foreach my $consumer (grep { !$_->{connection} && ($_->{retry} // 0) < time } @{ $self->{consumers} })
	{
		$consumer->{connection} = KafkaConsumer->new($self->{port}) or $self->lose($consumer), next;
		$consumer->{no_disk} = $self->{no_disk};
	}
	return;
}

# ---- producers ------------------------------------------------------------------------------------

# The next batch of a producer for a partition.
sub new_batch
{
	my ($producer, $topic, $partition) = @_;
	my $place = "$topic $partition";
	my $count = 1 + int(rand(4));
	my @values = map { join(':', $producer->{number}, $producer->{next}{$place}++, 'x' x int(rand(150))) } 1 .. $count;
	my @keys = map { $topic eq 'changes' ? 'key ' . int(rand(KEYS)) : "p$producer->{number}" } @values;
	my $batch = { topic => $topic, partition => $partition, keys => \@keys, values => \@values,
		sequence => $producer->{sequence}{$place} // 0 };

	$producer->{sequence}{$place} += $count;
	$batch->{bytes} = kafka_batch([ map { [ $keys[$_], $values[$_] ] } 0 .. $#values ],
		time => int(time * 1000), $producer->{idempotent} ?
		(producer_id => $producer->{id}, producer_epoch => 0, sequence => $batch->{sequence}) : ());
	return $batch;
}

# Send batches of different partitions in a request.
sub send_request
{
	my ($self, $producer, @batches) = @_;
	my @acks = $producer->{idempotent} ? @{ $self->{lasting} } : @{ $producer->{acks} };
	my $acks = $acks[ rand @acks ];
	my $number = $producer->{connection}->send([ map { [ $_->{topic}, [ $_->{partition}, $_->{bytes} ] ] } @batches ],
		acks => $acks, timeout => rand() < 0.2 ? 1000 : 30000);

	$producer->{sent}{$number} = { acks => $acks, batches => \@batches } if $acks != 0;
	# nobody will hear of the others
	$producer->{window} = [ grep { my $one = $_; !grep { $_ == $one } @batches } @{ $producer->{window} } ] if $acks == 0;
	return;
}

# Send new batches until five requests are under way.
sub fill
{
	my ($self, $producer) = @_;
	my @places = places();

	for (my $i = 0; $i < UNDER_WAY && @{ $producer->{window} } < UNDER_WAY; $i++)
	{
		my @chosen = map { $places[ rand @places ] } 1 .. (rand() < 0.7 ? 1 : 2);

		pop @chosen if @chosen == 2 && ($chosen[0] == $chosen[1] || @{ $producer->{window} } + 2 > UNDER_WAY);
		my @batches = map { new_batch($producer, @$_) } @chosen;
		push @{ $producer->{window} }, @batches;
		$self->send_request($producer, @batches);
	}
	return;
}

# The answer to a batch.  False if the producer has to send again.
sub take_answer
{
	my ($self, $producer, $batch, $acks, $answer) = @_;
	my $place = "$batch->{topic} $batch->{partition}";
	my ($first) = grep { "$_->{topic} $_->{partition}" eq $place } @{ $producer->{window} };
	my $name = "producer $producer->{number}, batch $batch->{sequence} of $place";

	if ($answer->{error} != 0)
	{
		$self->wrong("$name: error $answer->{error}: " . ($answer->{message} // ''))
		  if !$passing{ $answer->{error} } && !$producer->{no_disk} && !($answer->{error} == 45 && $producer->{idempotent} && $batch != ($first // 0));
		return 0;
	}
	$self->wrong("$name was at $batch->{offset} and is at $answer->{offset}")
	  if defined $batch->{offset} && $batch->{offset} != $answer->{offset};
	$batch->{offset} = $answer->{offset};
	push @{ $self->{acknowledged} }, { %$batch, acks => $acks, bytes => undef };
	$self->{answers}++;
	return 1;
}

# Take the answer to a request.
sub take_response
{
	my ($self, $producer) = @_;
	my ($number, @answers) = eval { $producer->{connection}->receive };
	my $request = defined $number ? delete $producer->{sent}{$number} : undef;
	my $again = 0;

	return $self->lose($producer) if !$request;
	foreach my $answer (@answers)
	{
		my ($batch) = grep { $_->{topic} eq $answer->{topic} && $_->{partition} == $answer->{partition} } @{ $request->{batches} };

		$self->wrong("an answer for $answer->{topic} $answer->{partition}"), next if !$batch;
		if ($self->take_answer($producer, $batch, $request->{acks}, $answer))
		{
			# now and then the answer is lost
			$again = 1, next if $producer->{idempotent} && rand() < 0.01;
		}
		elsif ($producer->{idempotent}) { $again = 1, next; }
		$producer->{window} = [ grep { $_ != $batch } @{ $producer->{window} } ];
	}
	return $self->lose($producer) if $again;
	return;
}

# ---- consumers ----------------------------------------------------------------------------------

# A number as records have it, taken off the bytes.
sub take_varint
{
	my ($bytes, $at) = @_;
	my ($number, $shift) = (0, 0);

	while (1)
	{
		my $byte = ord substr($$bytes, $$at++, 1);

		$number |= ($byte & 127) << $shift;
		last if $byte < 128;
		$shift += 7;
	}
	return $number & 1 ? -(($number + 1) >> 1) : $number >> 1;
}

sub take_bytes
{
	my ($bytes, $at) = @_;
	my $length = take_varint($bytes, $at);

	return undef if $length < 0;
	$$at += $length;
	return substr($$bytes, $$at - $length, $length);
}

# The records of batches, each as [ offset, key, value, time ], and the offset behind the last batch.
# Dies where a batch is not whole.
sub records_of
{
	my ($bytes, $checked) = @_;
	my ($end, @records);

	for (my $batch = 0; $batch < length $bytes;)
	{
		die "a batch is cut\n" if length($bytes) - $batch < 61;
		my ($base, $length, undef, $magic, $crc, $attributes, $delta, $first_time, $max_time, undef, undef, undef, $count) =
		  unpack 'q> N N C N n N q> q> q> n N N', substr($bytes, $batch, 61);
		die "no batch of version 2\n" if $magic != 2 || $attributes & 7;
		die "a batch is cut\n" if length($bytes) - $batch < 12 + $length;
		die "a batch is damaged\n" if $checked && KafkaProducer::crc32c(substr($bytes, $batch + 21, $length - 9)) != $crc;
		my $at = $batch + 61;

		foreach (1 .. $count)
		{
			my $record_length = take_varint(\$bytes, \$at);
			my $record_end = $at + $record_length;

			$at++;
			my $time = take_varint(\$bytes, \$at);
			my $offset = take_varint(\$bytes, \$at);
			my $key = take_bytes(\$bytes, \$at);
			my $value = take_bytes(\$bytes, \$at);

			push @records, [ $base + $offset, $key, $value, $attributes & 8 ? $max_time : $first_time + $time ];
			$at = $record_end;
		}
		$batch += 12 + $length;
		die "records end elsewhere than their batch\n" if $at != $batch;
		$end = $base + $delta + 1;
	}
	return ($end, @records);
}

# Ask for what comes next.
sub send_fetch
{
	my ($self, $consumer) = @_;
	my %params = (max_wait => $consumer->{kind} eq 'again' ? 0 : int(rand(400)), isolation => int(rand(2)));
	my $session = $consumer->{kind} eq 'session';
	my %topics;

	$params{max_bytes} = 1000 if $consumer->{kind} eq 'small';
	foreach my $place (places())
	{
		my ($topic, $partition) = @$place;
		my $position = $consumer->{position}{"@$place"} //= $self->{start}{"@$place"} // 0;

		$topics{$topic}{$partition} = $position if !$session || !$consumer->{session} || ($consumer->{asked}{"@$place"} // -1) != $position;
		$consumer->{asked}{"@$place"} = $position;
	}
	@params{qw(session_id session_epoch)} = $consumer->{session} ? ($consumer->{session}, ++$consumer->{epoch}) : (0, 0) if $session;
	# others may be told more before this answer is read
	$consumer->{before} = { seen => { %{ $self->{seen} } }, told => { %{ $self->{told} } } };
	$consumer->{connection}->send_fetch(topics => \%topics, %params);
	$consumer->{busy} = 1;
	return;
}

# What a consumer was given from a position on: compare it with what was given before.
sub take_records
{
	my ($self, $consumer, $place, $position, $answer) = @_;
	my ($end, @records) = eval { records_of($answer->{records}, rand() < 0.2) };
	my $shown = $self->{shown}{$place} //= {};
	my ($seen, $told) = map { $consumer->{before}{$_}{$place} // 0 } qw(seen told);
	my %given;

	return $self->wrong("$place from $position: $@") if $@;
	return if !defined $end;
	foreach my $record (grep { $_->[0] >= $position } @records)
	{
		my ($offset, @is) = @$record;
		my $text = join(' ', map { $_ // '(null)' } @is);

		$self->wrong("$place: the record at $offset was \"$shown->{$offset}\" and is \"$text\"")
		  if defined $shown->{$offset} && $shown->{$offset} ne $text;
		$self->wrong("$place: a record at $offset has come behind the consumers, who are at $seen: $text")
		  if !defined $shown->{$offset} && $offset < $seen;
		$shown->{$offset} = $text;
		$given{$offset} = 1;
	}
	# what may go from the others is looked for in the end
	foreach my $offset ($place =~ /^events/ ? ($position .. ($seen < $end ? $seen : $end) - 1) : ())
	{
		$self->wrong("$place: the record at $offset is gone: $shown->{$offset}") if defined $shown->{$offset} && !$given{$offset};
	}
	$self->wrong("$place: an end of $answer->{high_watermark}, before the end $end of its records") if $answer->{high_watermark} < $end;
	$self->wrong("$place: an end of $answer->{high_watermark}, but $told was told before")
	  if $place =~ /^events/ && $answer->{high_watermark} < $told;
	$self->{told}{$place} = $answer->{high_watermark} if $answer->{high_watermark} > ($self->{told}{$place} // 0);
	$self->{seen}{$place} = $end if $end > ($self->{seen}{$place} // 0);
	$consumer->{position}{$place} = $end;
	$self->{fetches}++;
	return;
}

# A partition's answer.
sub take_partition
{
	my ($self, $consumer, $place, $answer) = @_;
	my $position = $consumer->{position}{$place};

	if ($answer->{error} == 1 && $place =~ /^trimmed/)
	{
		# its beginning was deleted
		my ($start) = ($consumer->{connection}->list_offsets('trimmed', { 0 => -2 })->{0} // '') =~ /^0 (\d+)/;

		return if !defined $start;
		$self->wrong("$place: $position is out of range, but the log starts at $start") if $start <= $position;
		$self->wrong("$place: the log starts at $start, but has started at $self->{start}{$place}") if $start < ($self->{start}{$place} // 0);
		$self->{start}{$place} = $start;
		$consumer->{position}{$place} = $start;
		return;
	}
	return if $passing{ $answer->{error} } || ($answer->{error} && $consumer->{no_disk});
	return $self->wrong("$place from $position: error $answer->{error}") if $answer->{error} != 0;
	my $before = $position;
	$self->take_records($consumer, $place, $position, $answer) if defined $answer->{records} && $answer->{records} ne '';
	# one reads everything again and again
	delete $consumer->{position}{$place}
	  if $consumer->{kind} eq 'again' && $consumer->{position}{$place} == $before && $answer->{high_watermark} <= $before;
	return;
}

# Take the answer to a Fetch.
sub take_fetched
{
	my ($self, $consumer) = @_;
	my $answer = eval { $consumer->{connection}->fetched };

	return $self->lose($consumer) if !$answer;
	delete $consumer->{busy};
	if ($answer->{error})
	{
		$self->wrong("a Fetch: error $answer->{error}") if $answer->{error} != 70 && $answer->{error} != 71;
		return $self->lose($consumer);
	}
	@$consumer{qw(session epoch)} = ($answer->{session}, 0)
	  if $consumer->{kind} eq 'session' && !$consumer->{session} && $answer->{session};
	foreach my $name (@{ $answer->{order} })
	{
		my ($topic, $partition) = $name =~ /^(.*)-(\d+)$/;

		eval { $self->take_partition($consumer, "$topic $partition", $answer->{$topic}{$partition}); 1 }
		  or return $self->lose($consumer);
	}
	return $self->lose($consumer) if rand() < 0.003;
	return;
}

# ---- the loop --------------------------------------------------------------------------------

# One turn: take what has come, send what is next.
sub turn
{
	my ($self, $filling) = @_;
	my $select = IO::Select->new;
	my %client_of;
	# half of an answer may be all that comes from a process that stands still
	local $PostgreSQL::Test::Utils::timeout_default = PATIENCE;

	$self->connect_all;
	foreach my $producer (grep { $_->{connection} } @{ $self->{producers} })
	{
		$self->fill($producer) if $filling && !($self->{unanswered_only} && "@{ $producer->{acks} }" ne '0');
		$client_of{ fileno $producer->{connection}{socket} } = $producer;
		$select->add($producer->{connection}{socket});
	}
	foreach my $consumer (grep { $_->{connection} } @{ $self->{consumers} })
	{
		$self->send_fetch($consumer) if !$consumer->{busy};
		$client_of{ fileno $consumer->{connection}->socket } = $consumer;
		$select->add($consumer->{connection}->socket);
	}
	usleep(10_000) if !%client_of;
	foreach my $socket ($select->can_read(0.02))
	{
		my $client = $client_of{ fileno $socket };

		if (!exists $client->{window}) { $self->take_fetched($client); next; }
		do { $self->take_response($client) } while $client->{connection} && length $client->{connection}{in};
	}
	return;
}

# From now on only those produce who want no answer, and so ask for no flush; or all of them again.
sub unanswered_only { my ($self, $only) = @_; $self->{unanswered_only} = $only; return }

# Let all of them work for a while.
sub run
{
	my ($self, $seconds) = @_;
	my $end = time + $seconds;

	$self->turn(1) while time < $end;
	return;
}

# Send what is under way until all of it is answered, and let consumers come to the end that they were told.
sub finish
{
	my ($self) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;
	my $consumer = $self->{consumers}[0];
	my $under_way = sub { return scalar grep { $_->{idempotent} && @{ $_->{window} } } @{ $self->{producers} } };
	my $behind = sub {
		return join ', ', map { "$_ at " . ($consumer->{position}{$_} // 'none') . " of $self->{told}{$_}" }
		  grep { ($consumer->{position}{$_} // 0) < $self->{told}{$_} } grep { /^events/ } sort keys %{ $self->{told} } };

	$self->turn(0) while ($under_way->() || $behind->()) && time < $end;
	$self->wrong('batches are not answered: ' . join(', ', map { "producer $_->{number}: " . @{ $_->{window} } }
		grep { $_->{idempotent} && @{ $_->{window} } } @{ $self->{producers} })) if $under_way->();
	$self->wrong('a consumer does not come to the end: ' . $behind->()) if $behind->();
	# and some time to get what was produced last
	$self->run_consumers(0.5);
	$self->lose($_) foreach @{ $self->{producers} }, @{ $self->{consumers} };
	return;
}

sub run_consumers
{
	my ($self, $seconds) = @_;
	my $end = time + $seconds;

	$self->turn(0) while time < $end;
	return;
}

# ---- the end -----------------------------------------------------------------------------------

# What SQL sees: by place, the offsets with "key value time", and the log's start.
sub read_topics
{
	my ($self) = @_;
	my (%rows, %start);

	foreach my $topic (sort keys %partitions)
	{
		foreach my $line (split /\n/, $self->{node}->safe_psql('postgres', qq{
			SELECT partition || ' ' || record_offset || ' ' || coalesce(key, '(null)') || ' ' || coalesce(value, '(null)') || ' '
				|| (extract(epoch FROM record_timestamp) * 1000)::bigint FROM $topic}))
		{
			my ($partition, $offset, $text) = split / /, $line, 3;

			$self->wrong("$topic $partition: two records at $offset") if exists $rows{"$topic $partition"}{$offset};
			$rows{"$topic $partition"}{$offset} = $text;
		}
		$start{"$topic $_"} = $self->{node}->safe_psql('postgres',
			"SELECT log_start_offset FROM pg_topic_partitions WHERE topic = '$topic'::regclass AND partition = $_")
		  foreach 0 .. $partitions{$topic} - 1;
	}
	return (\%rows, \%start);
}

# May a record be missing?
sub may_miss
{
	my ($place, $offset, $key, $rows, $start) = @_;

	return 1 if $offset < $start->{$place};
	return 0 if $place !~ /^changes/;
	return scalar grep { $_ > $offset && $rows->{$place}{$_} =~ /^\Q$key\E \S+ \d+$/ } keys %{ $rows->{$place} };
}

# Compare all that was told with what is there, where all transactions have ended.
sub check
{
	my ($self) = @_;
	my ($rows, $start) = $self->read_topics;

	foreach my $topic (sort keys %partitions)
	{
		my $damage = $self->{node}->safe_psql('postgres', "SELECT string_agg(v::text, ', ') FROM verify_topic('$topic') AS v");

		$self->wrong("$topic is damaged: $damage") if $damage ne '';
	}
	$self->check_answers($rows, $start);
	$self->check_shown($rows, $start);
	$self->check_order($rows, $start);
	return;
}

sub check_answers
{
	my ($self, $rows, $start) = @_;
	my %lasting = map { $_ => 1 } @{ $self->{lasting} };

	foreach my $batch (grep { $lasting{ $_->{acks} } } @{ $self->{acknowledged} })
	{
		my $place = "$batch->{topic} $batch->{partition}";

		foreach my $i (0 .. $#{ $batch->{values} })
		{
			my $offset = $batch->{offset} + $i;
			my $found = $rows->{$place}{$offset};

			next if defined $found && (split / /, $found)[-2] eq $batch->{values}[$i];
			next if !defined $found && may_miss($place, $offset, $batch->{keys}[$i], $rows, $start);
			$self->wrong("$place: \"$batch->{values}[$i]\" was acknowledged (acks=$batch->{acks}) at $offset, where is "
				. ($found // 'nothing'));
		}
	}
	return;
}

sub check_shown
{
	my ($self, $rows, $start) = @_;

	foreach my $place (sort keys %{ $self->{shown} })
	{
		my $shown = $self->{shown}{$place};

		foreach my $offset (sort { $a <=> $b } keys %$shown)
		{
			my $found = $rows->{$place}{$offset};
			my ($key) = $shown->{$offset} =~ /^(.*) \S+ \d+$/;

			next if defined $found ? $found eq $shown->{$offset} : may_miss($place, $offset, $key, $rows, $start);
			$self->wrong("$place: consumers were given \"$shown->{$offset}\" at $offset, where is " . ($found // 'nothing'));
		}
		foreach my $offset (grep { $_ < $self->{seen}{$place} && !defined $shown->{$_} } sort { $a <=> $b } keys %{ $rows->{$place} })
		{
			$self->wrong("$place: consumers have passed $offset, where is \"$rows->{$place}{$offset}\"");
		}
	}
	return;
}

# Each producer's records are there once and in order, those of idempotent ones without gaps.
sub check_order
{
	my ($self, $rows, $start) = @_;
	my (%numbers, %sql);

	foreach my $place (sort keys %$rows)
	{
		foreach my $offset (sort { $a <=> $b } keys %{ $rows->{$place} })
		{
			my ($number, $n) = $rows->{$place}{$offset} =~ /^(?:p\d+|key \d+) (\d+):(\d+):/ or next;

			push @{ $numbers{"$number $place"} }, $n;
		}
	}
	foreach my $producer (@{ $self->{producers} })
	{
		foreach my $place (map { "@$_" } places())
		{
			my @found = @{ $numbers{"$producer->{number} $place"} // [] };
			my $name = "producer $producer->{number} in $place";

			$self->wrong("$name: $found[$_] follows $found[$_ - 1]") foreach grep { $found[$_] <= $found[ $_ - 1 ] } 1 .. $#found;
			next if !$producer->{idempotent} || $place =~ /^changes/;
			my $sent = $producer->{next}{$place} // 0;
			# of a log whose start is gone the last ones must be there
			my $first = $place =~ /^trimmed/ ? $found[0] // $sent : 0;

			$self->wrong("$name: not all from $first to " . ($sent - 1) . ' are there') if @found != $sent - $first;
		}
	}
	return;
}

1;
