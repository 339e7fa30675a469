# A load of transactions, by Kafka's clients and in SQL, and what each of them has done and was told: a history, of which
# KafkaTxnHistory.pm says whether it may be.
#
# Producers have a transactional id each, and do what clients do: those that name their partitions before (AddPartitionsToTxn and
# AddOffsetsToTxn), those that know KIP-890 (Produce 12, EndTxn 5), and those that begin as the latter and end as the former.  A
# transaction has records in some of the partitions of two topics, offsets of a group, both or one of them.  Connections are cut after any
# request, before the answer or with it, and the request is sent again.  Now and then a client dies and comes back, a second one takes
# the same transactional id while the first one goes on, or one is silent for longer than its timeout.
#
# Sessions in SQL produce into the same partitions, with savepoints, early appends and offsets; one consumes with a
# group, and one looks at all with a snapshot.  Consumers fetch with both isolations, with sessions or without, some
# from the beginning again and again; one asks for the groups' offsets.
#
#   my $model = KafkaTxnModel->new(node => $node, port => $port);
#   $model->run($seconds);          # as often as wanted, with crashes between or meanwhile
#   $model->finish;
#   is(join("\n", $model->problems), '');
package KafkaTxnModel;

use strict;
use warnings;

use IO::Select;
use KafkaClient;
use KafkaConsumer;
use KafkaModel;
use KafkaOffsets;
use KafkaTransactions;
use KafkaTxnHistory;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant {
	RECONNECT => 0.05,			# seconds
	RETRY     => 0.03,
	PATIENCE  => 3,
	SHORT     => 700,			# milliseconds, of a transaction that may time out
	LONG      => 60000
};

my %partitions = (a => 2, b => 2);
my @places = map { my $topic = $_; map { "$topic-$_" } 0 .. $partitions{$topic} - 1 } sort keys %partitions;

# Who has which transactional id, and produces as clients of which kind.
my %kinds = (t1 => 'old', t2 => 'new', t3 => 'mixed', t4 => 'new', t5 => 'old', t6 => 'new');
my %hasty = map { $_ => 1 } qw(t5 t6);

# Errors after which a request is sent again, and those of a producer that another one has fenced.
my %passing = map { $_ => 1 } 3, 5, 6, 7, 14, 15, 16, 51, 78;
my %fenced  = map { $_ => 1 } 47, 49, 90;
use constant { NOT_OPEN => 48, UNSTABLE => 88, ABORTABLE => 120 };

sub some { return $_[ rand @_ ] }

# ---- the topics ------------------------------------------------------------------------------

# Make them in a server that runs.
sub create_topics
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
		CREATE EXTENSION pg_topics;
		CREATE ROLE producer LOGIN;
		CREATE TABLE done (number int PRIMARY KEY);
		CREATE TABLE consumed (n bigint GENERATED ALWAYS AS IDENTITY, place text, record_offset bigint, value text)});
	$node->safe_psql('postgres', qq{
		SELECT create_topic('$_', partitions => $partitions{$_}, config => '{"segment.bytes": 16384, "batch.merge.lag.ms": 0}');
		GRANT SELECT, INSERT ON $_ TO producer}) foreach sort keys %partitions;
	# in which offsets are committed that are the numbers of transactions
	$node->safe_psql('postgres', q{
		SELECT create_topic('input', partitions => 2);
		INSERT INTO input (partition, record_offset, value) VALUES (0, 1000000000, 'last'), (1, 1000000000, 'last');
		GRANT SELECT ON input TO producer});
	return;
}

sub new
{
	my ($class, %params) = @_;
	my $self = bless { history => KafkaTxnHistory->new, problems => [], number => 0, snapshots => 0, counts => {}, %params }, $class;

	$self->begin_anew;
	return $self;
}

# All clients are new ones.
sub begin_anew
{
	my ($self) = @_;

	$self->{producers} = [ map { $self->new_producer($_) } sort keys %kinds ];
	$self->{consumers} = [ (map { { kind => $_, number => $_, position => {} } } qw(session plain again small)),
		{ kind => 'session', number => 'session2', position => {} } ];
	$self->{groups} = { kind => 'groups', number => 'groups' };
	$self->{sessions} = [ (map { { kind => 'writer', name => "s$_", logins => 0 } } 1, 2), { kind => 'reader', name => 'sql' }, { kind => 'consumer', name => 'c' } ];
	return;
}

sub new_producer
{
	my ($self, $name) = @_;

	return { name => $name, kind => $kinds{$name}, steps => [ $self->step_init ], sequence => {} };
}

# ---- what is known ---------------------------------------------------------------------------

sub log { my ($self, @event) = @_; $self->{history}->add(@event); return; }

sub count { my ($self, $what) = @_; $self->{counts}{$what}++; return; }

# Note what is wrong, but for what the history tells.
sub wrong
{
	my ($self, $text) = @_;

	push @{ $self->{problems} }, $text if @{ $self->{problems} } < 10;
	$self->log('event', "wrong: $text");
	return;
}

# What is wrong, with the lines of the history that are about it.
sub problems
{
	my ($self) = @_;
	my @found = $self->{history}->problems;

	return (@{ $self->{problems} }, map { ($_, map { "    $_" } $self->{history}->about($_)) } @found);
}

# Is something wrong that the clients themselves have seen?
sub is_wrong { return scalar @{ $_[0]{problems} } }

# What was done, how often.
sub summary
{
	my ($self) = @_;

	return join(', ', map { "$_ x $self->{counts}{$_}" } sort keys %{ $self->{counts} }) . '; ' . $self->{history}->overlapping . ' overlapping pairs in two orders';
}

# ---- connections -----------------------------------------------------------------------------

# The server is another one from now on.
sub move_to
{
	my ($self, $node, $port) = @_;

	@$self{qw(node port)} = ($node, $port);
	return;
}

# The connection is of no use any more; what has no answer is sent again.
sub lose
{
	my ($self, $client) = @_;

	$client->{connection}->close if $client->{connection};
	delete @$client{qw(connection busy session epoch_of_session cut asked no_disk)};
	$client->{retry} = time + RECONNECT;
	return;
}

sub clients { my ($self) = @_; return (@{ $self->{producers} }, @{ $self->{consumers} }, $self->{groups}); }

# Connect those who are not, if somebody answers.
sub connect_all
{
	my ($self) = @_;

	foreach my $client (grep { !$_->{connection} && ($_->{retry} // 0) < time } $self->clients)
	{
		$client->{connection} = KafkaConsumer->new($self->{port}) or $self->lose($client), next;
		$client->{no_disk} = $self->{no_disk};
	}
	return;
}

# ---- producers: steps ----------------------------------------------------------------------------
#
# A step is a request: what sends it, what reads the answer, and what takes that.  The last one returns true if the step is done;
# else it is sent again.

# Send the next request of a producer.
sub send_step
{
	my ($self, $producer) = @_;
	my $step;

	$self->plan($producer) if !@{ $producer->{steps} } && !$self->{finishing};
	$step = $producer->{steps}[0] // return;
	$self->log('again', $producer->{txn}{number}) if $step->{tries}++ && $producer->{txn} && !$step->{silent};
	$step->{send}->($producer, $step);
	$producer->{busy} = 1;
	return if rand() >= ($self->{cuts} // 0.03);
	$self->count('cut');
	# before the server has seen it, perhaps, or with the answer
	if (rand() < 0.5) { $self->lose($producer); }
	else { $producer->{cut} = 1; }
	return;
}

# Take the answer to it.
sub take_step
{
	my ($self, $producer) = @_;
	my $step = $producer->{steps}[0];
	my @answer = eval { $step->{read}->($producer->{connection}) };

	if ($producer->{cut} || !@answer || !defined $answer[0] || $answer[0] eq 'closed')
	{
		# who was to take another one's place may never come back, and then that one goes on
		$self->remove($producer) if !$producer->{cut} && !defined $producer->{id} && $self->rivals($producer) && rand() < 0.5;
		return $self->lose($producer);
	}
	delete $producer->{busy};
	if ($step->{take}->($producer, $step, @answer)) { shift @{ $producer->{steps} } if ($producer->{steps}[0] // 0) == $step; }
	else { $producer->{retry_at} = time + RETRY; }
	# it dies, and comes back as another one that knows nothing
	$self->reborn($producer) if rand() < 0.004 && $producer->{txn};
	return;
}

# How its transaction has ended is not known to a producer that comes to an end itself: it was aborted, unless its commit was under way.
sub abandon
{
	my ($self, $producer, $is_certain) = @_;
	my $txn = delete $producer->{txn} // return;

	$self->log(($txn->{asked} // '') eq 'commit' && !$is_certain ? 'unknown' : 'aborted', $txn->{number});
	return;
}

# It begins anew.
sub reborn
{
	my ($self, $producer) = @_;

	$self->count('reborn');
	$self->abandon($producer);
	$self->lose($producer);
	delete @$producer{qw(id epoch)};
	@$producer{qw(steps sequence)} = ([ $self->step_init ], {});
	return;
}

# Others with the same transactional id.
sub rivals { my ($self, $producer) = @_; return grep { $_ != $producer && $_->{name} eq $producer->{name} } @{ $self->{producers} }; }

sub remove
{
	my ($self, $producer) = @_;

	@{ $self->{producers} } = grep { $_ != $producer } @{ $self->{producers} };
	return;
}

# It was told that it is fenced.  A commit that was sent more than once may have been done before another one came.
sub is_fenced
{
	my ($self, $producer, $step) = @_;

	$self->count('fenced');
	$self->abandon($producer, $step->{tries} == 1 || !$self->{contested}{ $producer->{name} });
	if ($self->rivals($producer))
	{
		$self->lose($producer);
		$self->remove($producer);
		return 0;
	}
	delete @$producer{qw(id epoch)};
	@$producer{qw(steps sequence)} = ([ $self->step_init ], {});
	return 0;
}

# An error that is no other's business.  True if the step is not done.
sub failed
{
	my ($self, $producer, $step, $error) = @_;

	return 0 if $error == 0;
	return 1 if $passing{$error} || $producer->{no_disk};
	# a crash may have lost that another one came, but not that it has aborted what was open; older clients are told in these words
	my $is_lost = $error == NOT_OPEN && $producer->{kind} eq 'old' && $self->{contested}{ $producer->{name} } && $step->{name} =~ /^(?:Produce|TxnOffsetCommit)/;
	if ($fenced{$error} || $is_lost) { $self->is_fenced($producer, $step); return 1; }
	$self->wrong("$step->{name} of $producer->{name} ($producer->{kind}), transaction " . ($producer->{txn}{number} // 'none') . ": error $error");
	$self->reborn($producer);
	return 1;
}

# ---- producers: requests ---------------------------------------------------------------------------

sub step_init
{
	my ($self, $known) = @_;

	return { name => 'InitProducerId', silent => 1,
		send => sub {
			my ($producer) = @_;

			send_init($producer->{connection}, $producer->{name}, timeout => $hasty{ $producer->{name} } ? SHORT : LONG,
				$known ? (id => $producer->{id}, epoch => $producer->{epoch}) : ());
		},
		read => \&read_init,
		take => sub {
			my ($producer, $step, $error, $id, $epoch) = @_;

			return 0 if $self->failed($producer, $step, $error);
			@$producer{qw(id epoch sequence who)} = ($id, $epoch, {}, "$producer->{name}/$epoch");
			$self->fence($producer);
			return 1;
		} };
}

# A producer got an epoch: whoever has a lower one is fenced.  Answers of two may come in either order.
sub fence
{
	my ($self, $producer) = @_;

	foreach my $rival (grep { defined $_->{epoch} } $self->rivals($producer))
	{
		my ($loser) = sort { $a->{epoch} <=> $b->{epoch} } $producer, $rival;

		$self->log('fence', $loser->{who});
	}
	return;
}

sub step_add
{
	my ($self, @added) = @_;
	my %topics;

	foreach my $place (@added) { my ($topic, $partition) = split /-/, $place; push @{ $topics{$topic} }, $partition; }
	return { name => 'AddPartitionsToTxn',
		send => sub { my ($producer) = @_; send_added($producer->{connection}, @$producer{qw(name id epoch)}, \%topics, version => int(rand(4))); },
		read => \&read_added,
		take => sub {
			my ($producer, $step, $errors) = @_;
			my %different = map { $_ => 1 } map { values %$_ } values %$errors;

			$self->wrong('AddPartitionsToTxn: errors ' . join ', ', keys %different) if keys %different > 1;
			return !$self->failed($producer, $step, (keys %different)[0]);
		} };
}

# The first of the values of a batch names its transaction; so does each of them.
sub make_batches
{
	my ($self, $producer, @chosen) = @_;
	my $txn = $producer->{txn};

	return map {
		my $place = $_;
		my ($topic, $partition) = split /-/, $place;
		my @values = map { $txn->{number} . '.' . $txn->{count}++ } 1 .. 1 + int(rand(3));
		my $sequence = $producer->{sequence}{$place} // 0;

		$producer->{sequence}{$place} = $sequence + @values;
		$self->log('write', $txn->{number}, $place, $_) foreach @values;
		{ place => $place, names => \@values, sent => [ $topic, $partition, $sequence, [ map { "$_:" . 'x' x int(rand(150)) } @values ] ] }
	} @chosen;
}

sub step_produce
{
	my ($self, @chosen) = @_;

	return { name => 'Produce',
		send => sub {
			my ($producer, $step) = @_;

			$step->{batches} //= [ $self->make_batches($producer, @chosen) ];
			send_transactional_batches($producer->{connection}, @$producer{qw(name id epoch)}, [ map { $_->{sent} } @{ $step->{batches} } ],
				version => $producer->{kind} eq 'old' ? 9 + int(rand(3)) : 12);
		},
		read => \&read_transactional_batches,
		take => sub {
			my ($producer, $step, $answers) = @_;

			foreach my $batch (@{ $step->{batches} })
			{
				my ($error, $offset) = @{ $answers->{"$batch->{sent}[0] $batch->{sent}[1]"} // [ -1, -1 ] };

				return $self->cannot_commit($producer) if $error == ABORTABLE;
				return 0 if $self->failed($producer, $step, $error) && !$passing{$error};
				next if $error != 0;
				$self->log('ack', $producer->{txn}{number}, $_, $offset++) foreach @{ $batch->{names} };
				$batch->{done} = 1;
			}
			@{ $step->{batches} } = grep { !$_->{done} } @{ $step->{batches} };
			return !@{ $step->{batches} };
		} };
}

sub group_of { return "g-$_[0]{name}" }

sub step_add_offsets
{
	my ($self) = @_;

	return { name => 'AddOffsetsToTxn',
		send => sub { my ($producer) = @_; send_add_offsets($producer->{connection}, @$producer{qw(name id epoch)}, group_of($producer), version => int(rand(5))); },
		read => \&read_add_offsets,
		take => sub { my ($producer, $step, $error) = @_; return !$self->failed($producer, $step, $error); } };
}

# The offsets that are committed are the transaction's number.
sub step_offsets
{
	my ($self) = @_;

	return { name => 'TxnOffsetCommit',
		send => sub {
			my ($producer, $step) = @_;
			my $number = $producer->{txn}{number};

			$self->log('offsets', $number, group_of($producer)) if $step->{tries} == 1;
			send_commit_in_transaction($producer->{connection}, @$producer{qw(name id epoch)}, group_of($producer), { input => { 0 => $number, 1 => $number } },
				version => $producer->{kind} eq 'old' ? int(rand(5)) : 5);
		},
		read => \&read_commit_in_transaction,
		take => sub {
			my ($producer, $step, $errors) = @_;
			my ($error) = sort { $b <=> $a } split /,/, $errors;

			return $self->cannot_commit($producer) if $error == ABORTABLE;
			return !$self->failed($producer, $step, $error);
		} };
}

sub step_end
{
	my ($self, $commit) = @_;

	return { name => 'EndTxn',
		send => sub {
			my ($producer, $step) = @_;

			$producer->{txn}{asked} = $commit ? 'commit' : 'abort';
			$self->log($producer->{txn}{asked}, $producer->{txn}{number}) if $step->{tries} == 1;
			send_end($producer->{connection}, @$producer{qw(name id epoch)}, $commit, version => $producer->{kind} eq 'new' ? 5 : int(rand(5)));
		},
		read => \&read_end_transaction,
		take => sub {
			my ($producer, $step, $error, @next) = @_;

			if ($error == ABORTABLE && $commit)
			{
				$self->count('lost');
				return $self->cannot_commit($producer);
			}
			return 0 if $self->failed($producer, $step, $error);
			$self->log($commit ? 'committed' : 'aborted', delete($producer->{txn})->{number});
			$self->count($commit ? 'committed' : 'aborted');
			$self->next_epoch($producer, @next);
			return 1;
		} };
}

# From EndTxn version 5 on the producer has another epoch with each end.
sub next_epoch
{
	my ($self, $producer, @next) = @_;

	return if !@next;
	@$producer{qw(id epoch)} = @next;
	$producer->{sequence} = {};
	return;
}

# The transaction was aborted: the client says so itself, or begins anew with the epoch that it has.
sub cannot_commit
{
	my ($self, $producer) = @_;

	$self->log('aborted', delete($producer->{txn})->{number});
	$producer->{steps} = [ rand() < 0.5 ? $self->step_init(1) : $self->step_clean ];
	return 0;
}

sub step_clean
{
	my ($self) = @_;

	return { name => 'EndTxn of what was aborted',
		send => sub { my ($producer) = @_; send_end($producer->{connection}, @$producer{qw(name id epoch)}, 0, version => $producer->{kind} eq 'new' ? 5 : 4); },
		read => \&read_end_transaction,
		take => sub {
			my ($producer, $step, $error, @next) = @_;

			return 0 if $self->failed($producer, $step, $error);
			$self->next_epoch($producer, @next);
			return 1;
		} };
}

# Silence for longer than a transaction may be open.
sub step_silence
{
	my ($self) = @_;

	$self->count('silent');
	return { name => 'silence', waits => 2.2 };
}

# ---- producers: transactions ---------------------------------------------------------------------------

# What a producer does next.
sub plan
{
	my ($self, $producer) = @_;
	my $old = $producer->{kind} eq 'old';
	my $number = ++$self->{number};
	my @chunks = map { my @mixed = sort { rand() <=> 0.5 } @places; [ @mixed[ 0 .. int(rand(2)) ] ] } 1 .. 1 + int(rand(4));
	my @steps = map { $self->step_produce(@$_) } @chunks;

	$producer->{txn} = { number => $number, count => 0 };
	$self->log('begin', $number, $producer->{who});
	if (rand() < 0.5)
	{
		my @offsets = (($old ? $self->step_add_offsets : ()), $self->step_offsets);

		splice @steps, rand() < 0.2 ? 0 : scalar @steps, 0, @offsets;
	}
	if ($old)
	{
		my %needed = map { $_ => 1 } map { @$_ } @chunks;

		unshift @steps, map { $self->step_add(@$_) } rand() < 0.5 ? [ sort keys %needed ] : map { [$_] } sort keys %needed;
	}
	push @steps, $self->step_silence if $hasty{ $producer->{name} } && rand() < 0.04;
	push @steps, $self->step_end(rand() < 0.75);
	$producer->{steps} = \@steps;
	# somebody else takes its transactional id, and it does not know
	if (rand() < ($self->{rivalry} // 0.04) && !$self->rivals($producer))
	{
		$self->count('zombie');
		$self->{contested}{ $producer->{name} } = 1;
		push @{ $self->{producers} }, $self->new_producer($producer->{name});
	}
	return;
}

# Is there something that it can do now?
sub is_ready
{
	my ($producer) = @_;
	my $step = $producer->{steps}[0];

	if ($step && $step->{waits})
	{
		$step->{until} //= time + $step->{waits};
		return 0 if time < $step->{until};
		shift @{ $producer->{steps} };
	}
	return !$producer->{busy} && time >= ($producer->{retry_at} // 0);
}

# ---- consumers ---------------------------------------------------------------------------------------

# Ask for what comes next.
sub send_fetch
{
	my ($self, $consumer) = @_;
	my %params = (max_wait => $consumer->{kind} eq 'again' ? 0 : int(rand(300)), isolation => int(rand(2)));
	my $session = $consumer->{kind} eq 'session';
	my %topics;

	$params{max_bytes} = 1000 if $consumer->{kind} eq 'small';
	foreach my $place (@places)
	{
		my ($topic, $partition) = split /-/, $place;
		my $position = $consumer->{position}{$place} //= 0;

		$topics{$topic}{$partition} = $position if !$session || !$consumer->{session} || ($consumer->{asked}{$place} // -1) != $position;
		$consumer->{asked}{$place} = $position;
	}
	@params{qw(session_id session_epoch)} = $consumer->{session} ? ($consumer->{session}, ++$consumer->{epoch_of_session}) : (0, 0) if $session;
	$self->log('ask', $consumer->{number});
	$consumer->{connection}->send_fetch(topics => \%topics, %params);
	$consumer->{busy} = 1;
	return;
}

# What a history says of records: at which offset is which value.
sub records_of
{
	my ($bytes, $position) = @_;
	my ($end, @records) = KafkaModel::records_of($bytes, rand() < 0.1);

	return ($end, map { $_->[0] . ':' . ($_->[2] =~ /^(\d+\.\d+):/)[0] } grep { $_->[0] >= $position } @records);
}

# A partition's answer.
sub take_partition
{
	my ($self, $consumer, $place, $answer) = @_;
	my $position = $consumer->{position}{$place};
	my ($end, @records);

	return if $passing{ $answer->{error} } || ($answer->{error} && $consumer->{no_disk});
	return $self->wrong("$consumer->{number} fetches $place from $position: error $answer->{error}") if $answer->{error} != 0;
	($end, @records) = records_of($answer->{records}, $position) if length($answer->{records} // '');
	$end //= $position;
	$self->log('poll', $consumer->{number}, $place, $position, $end, $answer->{high_watermark}, $answer->{stable}, @records);
	$self->count('poll') if @records;
	$consumer->{position}{$place} = $end;
	# one reads everything again and again
	delete $consumer->{position}{$place} if $consumer->{kind} eq 'again' && !@records && rand() < 0.1;
	return;
}

# Take the answer to a Fetch.
sub take_fetched
{
	my ($self, $consumer) = @_;
	my $answer = eval { $consumer->{connection}->fetched };

	$self->wrong("$consumer->{number}: $@") if $@ && $@ !~ /does not answer/;
	return $self->lose($consumer) if !$answer;
	delete $consumer->{busy};
	if ($answer->{error})
	{
		$self->wrong("a Fetch: error $answer->{error}") if $answer->{error} != 70 && $answer->{error} != 71;
		return $self->lose($consumer);
	}
	@$consumer{qw(session epoch_of_session)} = ($answer->{session}, 0)
	  if $consumer->{kind} eq 'session' && !$consumer->{session} && $answer->{session};
	foreach my $place (@{ $answer->{order} })
	{
		my ($topic, $partition) = split /-/, $place;

		if (!eval { $self->take_partition($consumer, $place, $answer->{$topic}{$partition}); 1 })
		{
			$self->wrong("$consumer->{number}, $place: $@");
			return $self->lose($consumer);
		}
	}
	return $self->ask_ends($consumer) if rand() < 0.02;
	return $self->lose($consumer) if rand() < 0.003;
	return;
}

# What ListOffsets tells.
sub ask_ends
{
	my ($self, $consumer) = @_;
	my $topic = some(sort keys %partitions);

	$self->log('ask', $consumer->{number});
	my $ends = eval { $consumer->{connection}->list_offsets($topic, { map { $_ => -1 } 0 .. $partitions{$topic} - 1 }) } or return $self->lose($consumer);
	foreach my $partition (sort keys %$ends)
	{
		$self->log('told', $consumer->{number}, "$topic-$partition", $1) if $ends->{$partition} =~ /^0 (\d+) /;
	}
	return;
}

# ---- offsets of groups -----------------------------------------------------------------------------

sub send_groups
{
	my ($self, $client) = @_;

	$client->{stable} = int(rand(2));
	$self->log('ask', $client->{number});
	send_fetch_offsets($client->{connection}, [ map { [ "g-$_", { input => [ 0, 1 ] } ] } sort keys %kinds ], stable => $client->{stable});
	$client->{busy} = 1;
	return;
}

sub take_groups
{
	my ($self, $client) = @_;
	my $groups = eval { read_fetch_offsets($client->{connection}) } or return $self->lose($client);

	delete $client->{busy};
	$client->{retry_at} = time + rand(0.2);
	foreach my $group (sort keys %$groups)
	{
		my @offsets = map { $groups->{$group}{topics}{input}{$_} // [ -1, undef, -1, 0 ] } 0, 1;
		my ($error) = (grep { $_ != 0 } $groups->{$group}{error}, map { $_->[3] } @offsets)[0] // 0;

		next if $passing{$error} || ($client->{stable} && $error == UNSTABLE) || ($error && $client->{no_disk});
		$self->wrong("offsets of $group: error $error"), next if $error != 0;
		$self->log('groups', $client->{number}, $group, map { $_->[0] < 0 ? 0 : $_->[0] } @offsets);
	}
	return;
}

# ---- sessions in SQL ---------------------------------------------------------------------------------

# A transaction of a writer: its statements.
sub write_sql
{
	my ($self, $session) = @_;
	my $number = ++$self->{number};
	my $n = 0;
	my @sql = 'BEGIN;';
	my $produce = sub {
		my $place = some(@places);
		my ($topic, $partition) = split /-/, $place;
		my $value = "$number." . $n++;

		$self->log('write', $number, $place, $value);
		push @sql, "SELECT produce('$topic', 'k', '$value:' || repeat('x', " . int(rand(150)) . "), partition => $partition);";
		return $value;
	};

	$self->log('begin', $number, "$session->{name}/$session->{logins}");
	$produce->() foreach 1 .. 1 + int(rand(3));
	if (rand() < 0.4)
	{
		push @sql, 'SAVEPOINT s;';
		my @values = map { $produce->() } 1 .. 1 + int(rand(2));
		if (rand() < 0.6)
		{
			push @sql, 'ROLLBACK TO s;';
			$self->log('undone', $number, $_) foreach @values;
		}
		push @sql, 'RELEASE s;';
	}
	# its records are in the log from then on, and all that comes behind them waits
	push @sql, 'SELECT count(*) < 0 FROM flush();', 'SELECT pg_sleep(' . rand(0.1) . ');' if rand() < 0.3;
	$produce->() foreach 1 .. int(rand(3));
	if (rand() < 0.5)
	{
		$self->log('offsets', $number, "g-$session->{name}");
		push @sql, "SELECT commit_offset('input', 'g-$session->{name}', $_, $number);" foreach 0, 1;
	}
	push @sql, "INSERT INTO done VALUES ($number);";
	my $commit = rand() < 0.8;
	push @sql, $commit ? 'COMMIT;' : 'ROLLBACK;', "SELECT 'committed' FROM done WHERE number = $number;", "\\echo ended";
	$self->log($commit ? 'commit' : 'abort', $number);
	$session->{txn} = { number => $number, commit => $commit };
	return join "\n", @sql;
}

# What it says of its end.
sub take_written
{
	my ($self, $session, $out) = @_;
	my $txn = delete $session->{txn};
	my $is_told = $out =~ /^ended$/m && $session->{session}{err} eq '';

	$self->wrong("SQL, transaction $txn->{number}: $session->{session}{err}")
	  if $session->{session}{err} =~ /ERROR:/ && $session->{session}{err} !~ /terminat|crash|server closed|shutting down|Input\/output|could not/;
	$self->log(!$txn->{commit} ? 'aborted' : !$is_told ? 'unknown' : $out =~ /^committed$/m ? 'committed' : 'aborted', $txn->{number});
	$self->count('SQL') if $is_told;
	return;
}

# All that there is, by one snapshot.
use constant LOOK => join "\n", 'BEGIN ISOLATION LEVEL REPEATABLE READ;', (map { (
	"SELECT 'r $_-' || partition || ' ' || string_agg(record_offset || ':' || split_part(value, ':', 1), ' ' ORDER BY record_offset) FROM $_ GROUP BY partition;",
	"SELECT 'e $_-' || partition || ' ' || next_offset FROM visible_offsets('$_');") } sort keys %partitions),
	q{SELECT 'g ' || group_id || ' ' || string_agg(coalesce(committed_offset, 0)::text, ' ' ORDER BY partition) FROM pg_topic_groups
		WHERE topic = 'input'::regclass AND group_id LIKE 'g-%' GROUP BY group_id;}, 'COMMIT;', '\echo ended';

# What it has found.
sub take_look
{
	my ($self, $session, $out) = @_;
	my (%end, %records);
	my $number = ++$self->{snapshots};

	return if $out !~ /^ended$/m || $session->{session}{err} ne '';
	foreach my $line (split /\n/, $out)
	{
		my ($kind, $name, @values) = split / /, $line;

		if ($kind eq 'r') { $records{$name} = \@values; }
		elsif ($kind eq 'e') { $end{$name} = $values[0]; }
		elsif ($kind eq 'g') { $self->log('snapgroup', $session->{name}, $number, $name, @values); }
	}
	$self->log('snap', $session->{name}, $number, $_, $end{$_}, @{ $records{$_} // [] }) foreach sort keys %end;
	$self->count('snapshot');
	return;
}

# What a consumer does: records go to a table by the transaction that consumes them, or come again.
sub consume_sql
{
	my ($commit, $many) = @_;

	return join "\n", 'BEGIN;', q{INSERT INTO consumed (place, record_offset, value) SELECT 'a-' || partition, record_offset, split_part(value, ':', 1)
		FROM consume('a', 'c', max_records => } . ($many // 1 + int(rand(30))) . ');', $commit ? 'COMMIT;' : 'ROLLBACK;',
		(rand() < 0.03 ? 'CHECKPOINT;' : rand() < 0.05 ? "SELECT count(*) < 0 FROM merge_batches('a');" : ()), '\echo ended';
}

# Give a session something to do.
sub ask_session
{
	my ($self, $session) = @_;

	$session->{logins}++ if !$session->{session} && defined $session->{logins};
	$session->{session} //= open_background($self->{node}, $session->{name});
	$self->log('ask', $session->{name}) if $session->{kind} eq 'reader';
	my $sql = $session->{kind} eq 'writer' ? $self->write_sql($session) : $session->{kind} eq 'reader' ? LOOK : consume_sql(rand() < 0.8);

	# where there is no server any more, take_session() finds that out
	eval { ask($session->{session}, $sql) };
	$session->{busy} = 1;
	return;
}

# Has it answered, or gone?
sub take_session
{
	my ($self, $session) = @_;
	my $run = $session->{session}{run};
	my $is_there = eval { $run->pump_nb; $run->pumpable };

	if ($session->{session}{out} =~ /:done:\n/ || !$is_there)
	{
		my $take = { writer => \&take_written, reader => \&take_look }->{ $session->{kind} };

		$take->($self, $session, $session->{session}{out}) if $take;
		delete $session->{busy};
		$session->{retry_at} = time + ($session->{kind} eq 'writer' ? rand(0.05) : rand(0.4));
	}
	$self->end_session($session) if !$is_there || $session->{session}{err} =~ /connection|FATAL/;
	return;
}

sub end_session
{
	my ($self, $session) = @_;
	my $open = delete $session->{session} // return;

	eval { $open->{run}->kill_kill; };
	$self->log('unknown', delete($session->{txn})->{number}) if $session->{txn};
	delete $session->{busy};
	$session->{retry_at} = time + 0.2;
	return;
}

# ---- the loop --------------------------------------------------------------------------------------------

# One turn: take what has come, send what is next.
sub turn
{
	my ($self) = @_;
	my $select = IO::Select->new;
	my %client_of;
	# half of an answer may be all that comes from a process that stands still
	local $PostgreSQL::Test::Utils::timeout_default = PATIENCE;

	$self->connect_all;
	$self->send_step($_) foreach grep { $_->{connection} && is_ready($_) } @{ $self->{producers} };
	$self->send_fetch($_) foreach grep { $_->{connection} && !$_->{busy} } @{ $self->{consumers} };
	$self->send_groups($_) foreach grep { $_->{connection} && !$_->{busy} && time >= ($_->{retry_at} // 0) } $self->{groups};
	$self->ask_session($_) foreach grep { !$_->{busy} && !$self->{finishing} && time >= ($_->{retry_at} // 0) } @{ $self->{sessions} };
	foreach my $client (grep { $_->{connection} && $_->{busy} } $self->clients)
	{
		$client_of{ fileno $client->{connection}->socket } = $client;
		$select->add($client->{connection}->socket);
	}
	usleep(5_000) if !%client_of;
	foreach my $socket ($select->can_read(0.01))
	{
		my $client = $client_of{ fileno $socket };

		if ($client->{steps}) { $self->take_step($client); }
		elsif ($client->{kind} eq 'groups') { $self->take_groups($client); }
		else { $self->take_fetched($client); }
	}
	$self->take_session($_) foreach grep { $_->{busy} } @{ $self->{sessions} };
	return;
}

# Let all of them work for a while.
sub run
{
	my ($self, $seconds) = @_;
	my $end = time + $seconds;

	$self->turn while time < $end;
	return;
}

# The server has no disk from now on, and clients may meet any error; or it has one, and those may that are connected still.
sub disk_is_gone { my ($self) = @_; $_->{no_disk} = 1 foreach $self, $self->clients; return; }
sub disk_is_back { my ($self) = @_; $self->{no_disk} = 0; return; }

# Something befell the server.
sub event { my ($self, @words) = @_; $self->log('event', @words); return; }

# How often another client takes a transactional id that is in use; usually now and then.
sub let_rival { my ($self, $share) = @_; $self->{rivalry} = $share; return; }

# The standby has taken over.
sub failed_over
{
	my ($self, $node, $port) = @_;

	$self->log('failover');
	$self->move_to($node, $port);
	$self->lose_all;
	return;
}

sub lose_all
{
	my ($self) = @_;

	$self->lose($_) foreach $self->clients;
	$self->end_session($_) foreach @{ $self->{sessions} };
	return;
}

# A moment to which the server may be restored.
sub mark
{
	my ($self, $name) = @_;

	$self->log('mark', $name);
	$self->{node}->safe_psql('postgres', "SELECT pg_create_restore_point('$name')");
	$self->event("the moment $name is over");
	return;
}

# It was.
sub recovered
{
	my ($self, $name, $node, $port) = @_;

	$self->lose_all;
	$self->abandon($_) foreach @{ $self->{producers} };
	$self->log('recovered', $name);
	$self->move_to($node, $port);
	$self->begin_anew;
	return;
}

# ---- the end -------------------------------------------------------------------------------------------

# Let all come to the end of what they do.  What is left is that of clients that are gone.
sub finish
{
	my ($self) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;
	my $under_way = sub {
		return join ', ', (map { "$_->{name} ($_->{steps}[0]{name})" } grep { @{ $_->{steps} } } @{ $self->{producers} }),
		  map { $_->{name} } grep { $_->{busy} } @{ $self->{sessions} };
	};

	@$self{qw(finishing cuts)} = (1, 0);
	$self->turn while $under_way->() ne '' && time < $end;
	$self->wrong('this does not end: ' . $under_way->()) if $under_way->() ne '';
	$self->end_session($_) foreach @{ $self->{sessions} };
	# each producer has begun anew behind those that are gone, so nothing is open
	my $visible = join ' UNION ALL ', map { "SELECT '$_'::regclass AS topic, * FROM visible_offsets('$_')" } sort keys %partitions;
	poll_until(sub { $self->{node}->safe_psql('postgres',
		"SELECT bool_and(next_offset = log_end_offset) FROM pg_topic_partitions JOIN ($visible) v USING (topic, partition)") eq 't' })
	  or $self->wrong('something is open still');
	$self->run(0.5);
	$self->read_all;
	$self->lose($_) foreach $self->clients;
	return;
}

# Read everything, by Kafka's protocol and in SQL.
sub read_all
{
	my ($self) = @_;
	my $consumer = KafkaConsumer->served($self->{port}) // die 'no listener';
	my $session = { kind => 'reader', name => 'final', session => { err => '' } };

	foreach my $place (@places) { $self->read_place($consumer, $place); }
	$self->log('final');
	$self->log('ask', 'final');
	$self->take_look($session, $self->{node}->safe_psql('postgres', LOOK));
	while ($self->{node}->safe_psql('postgres', consume_sql(1, 10000) . "\nSELECT count(*) FROM consume('a', 'c', max_records => 1, auto_commit => false)") !~ /^0$/m) { }
	$self->log('take', 'c', split / /) foreach split /\n/, $self->{node}->safe_psql('postgres',
		q{SELECT place || ' ' || record_offset || ':' || value FROM consumed ORDER BY n});
	foreach my $topic (sort keys %partitions)
	{
		my $damage = $self->{node}->safe_psql('postgres', "SELECT string_agg(v::text, ', ') FROM verify_topic('$topic') AS v");

		$self->wrong("$topic is damaged: $damage") if $damage ne '';
	}
	return;
}

# Read a partition up to an end behind which there is nothing.
sub read_place
{
	my ($self, $consumer, $place) = @_;
	my ($topic, $partition) = split /-/, $place;

	for (my ($position, $next) = (0, 0);; $position = $next)
	{
		$self->log('ask', 'final');
		my $answer = $consumer->fetch(topics => { $topic => { $partition => $position } }, max_wait => 200)->{$topic}{$partition};
		my ($end, @records) = length($answer->{records} // '') ? records_of($answer->{records}, $position) : ();

		return $self->wrong("fetching $place from $position: error $answer->{error}") if $answer->{error} != 0;
		$next = $end // $answer->{high_watermark};
		$self->log('poll', 'final', $place, $position, $next, $answer->{high_watermark}, $answer->{stable}, @records);
		return if !defined $end;
	}
}

1;
