# Histories of transactions, and what is wrong with one: the checks have the names that Jepsen's tests of Kafka give to anomalies.
#
# A history is what clients have done and were told, in the order in which one process has seen it.  Each line is an event:
#
#   begin T WHO                     a transaction, by its number.  WHO is a client, "name/incarnation"
#   write T PLACE VALUE             a record is sent; the value is "T.n", n counts the transaction's records
#   undone T VALUE                  it is rolled back, and the transaction goes on (a savepoint)
#   offsets T GROUP                 the group's offsets of this transaction, which are T in each partition, are sent
#   again T                         something of it is sent again
#   ack T VALUE OFFSET              the record was acknowledged
#   commit T, abort T               its end is asked for, for the first time
#   committed T, aborted T          and was told
#   unknown T                       nobody will be told
#   fence WHO                       another client has the name: what WHO sends from now on must fail
#   ask R                           a reader sends a question
#   poll R PLACE FROM NEXT HIGH STABLE [OFFSET:VALUE ...]
#                                   and was given records from one offset on to another one, and told the partition's ends
#   told R PLACE HIGH               or was told an end
#   groups R GROUP N ...            or a group's offsets in its partitions; 0: none
#   snap R NUMBER PLACE END [OFFSET:VALUE ...]
#                                   what a reader in SQL sees with one snapshot (those of one number) below the end that it has
#   snapgroup R NUMBER GROUP N ...  likewise a group's offsets
#   take R PLACE [OFFSET:VALUE ...] what a group has consumed, once its transaction has committed
#   final                           the snapshots behind it are of all that there is, and nothing is open any more
#   event TEXT                      what befell the server
#   failover                        a synchronous standby took over: what SQL saw on the other one may be gone
#   mark NAME, recovered NAME       the server was restored to that moment, and all clients began anew
#
# What must be, if the server does one transaction after the other:
#
#   lost write            a record of a committed transaction is read by all who pass its offset
#   aborted read (G1a)    none of an aborted one is read, or was taken back by a savepoint
#   dirty read            none is read before the end was asked for
#   half transaction      all of a transaction is seen, its offsets too, or nothing; also by each snapshot
#   duplicate             a value is at one offset
#   inconsistent offset   what is at an offset is always the same
#   skipped poll          who passes an offset is given what others are given there
#   out-of-order poll     records come by their offsets, those of a client as it has sent them
#   non-monotonic poll    a group never goes back, and is given each record once
#   write cycle (G0)      see below
#   end moved back        no end is told that is lower than one that was told before the question
#   offsets moved back    the same of a group's offsets
#   zombie                what was sent with an epoch that another client had taken fails
#
# A transaction of which nobody was told is committed if the first who sees it says so, and then for ever.
#
# Write cycles.  Kafka gives records their offsets when they are sent, so of two transactions that are open at the same time each may be
# the first one in another partition; Kafka has such cycles, and so has pg_topics.  There must be none as soon as they follow each other: one that
# began when another one had been told to be committed stands behind it everywhere.  As the order of those that do not overlap is one
# without cycles, it is enough to look at pairs.  overlapping() counts the others.
package KafkaTxnHistory;

use strict;
use warnings;

use constant PROBLEMS => 10;

sub new { my ($class) = @_; return bless { lines => [] }, $class }

# Add an event.
sub add { my ($self, @event) = @_; push @{ $self->{lines} }, \@event; return; }

# A history from its text.
sub parse
{
	my ($class, $text) = @_;
	my $self = $class->new;

	$self->add(split ' ') foreach grep { /\S/ && !/^\s*#/ } split /\n/, $text;
	return $self;
}

# As text, with each line's number.
sub text
{
	my ($self) = @_;
	my $n = 0;

	return join '', map { ++$n . ' ' . join(' ', @$_) . "\n" } @{ $self->{lines} };
}

# The lines that are about something, of those that a problem names.
sub about
{
	my ($self, $problem) = @_;
	my %transactions = map { $_ => 1 } $problem =~ /transaction (\d+)/g;
	my $n = 0;

	return map { $_->[1] } grep {
		my $event = $_->[0];
		$event->[0] =~ /^(?:event|failover|mark|recovered)$/ || (defined $event->[1] && $transactions{ $event->[1] } && $event->[0] =~ /^(?:begin|write|undone|offsets|again|ack|commit|abort|committed|aborted|unknown)$/)
	} map { [ $_, ++$n . ' ' . join(' ', @$_) ] } @{ $self->{lines} };
}

# What is wrong: a line for each problem, the first ones.
sub problems
{
	my ($self) = @_;
	my (@problems, @lines, %marks);

	foreach my $event (map { [ $_, @{ $self->{lines}[$_] } ] } 0 .. $#{ $self->{lines} })
	{
		my (undef, $type, $name) = @$event;

		if ($type eq 'mark') { $marks{$name} = [@lines]; }
		elsif ($type eq 'recovered')
		{
			push @problems, KafkaTxnHistory::Check->new(@lines)->problems;
			# what was open then was never committed; what was about to end may have been
			@lines = @{ $marks{$name} };
			push @lines, map { [ $event->[0], 'aborted', $_ ] } KafkaTxnHistory::Check->new(@lines)->open;
		}
		elsif ($type eq 'failover')
		{
			push @problems, KafkaTxnHistory::Check->new(@lines)->problems;
			@lines = grep { $_->[1] !~ /^snap/ } @lines;
		}
		else { push @lines, $event; }
	}
	push @problems, KafkaTxnHistory::Check->new(@lines)->problems;
	my %told;
	@problems = grep { !$told{$_}++ } @problems;
	return @problems <= PROBLEMS ? @problems : (@problems[ 0 .. PROBLEMS - 1 ], '... ' . @problems . ' in all');
}

# How many pairs of transactions that were open at the same time have each the first place in another partition.
sub overlapping
{
	my ($self) = @_;

	return KafkaTxnHistory::Check->new(map { [ $_, @{ $self->{lines}[$_] } ] } 0 .. $#{ $self->{lines} })->cycles;
}

# ---- a history without turns ---------------------------------------------------------------------

package KafkaTxnHistory::Check;

use strict;
use warnings;

# Events, each with its number in front.
sub new
{
	my ($class, @lines) = @_;
	my $self = bless { problems => [], txn => {}, at => {}, where => {}, polls => [], told => {}, asked => {}, fenced => {}, last => {},
		snaps => {}, groups => {}, taken => {}, first => {}, line => 0 }, $class;

	foreach my $line (@lines)
	{
		my ($number, $type, @arguments) = @$line;
		my $take = $self->can("take_$type") or next;

		$self->{line} = $number;
		$take->($self, @arguments);
	}
	return $self;
}

sub problem
{
	my ($self, $name, @words) = @_;

	push @{ $self->{problems} }, "$name: " . join('', @words);
	return;
}

sub problems
{
	my ($self) = @_;

	if (!$self->{checked}++)
	{
		$self->check_snapshots;
		$self->check_polls;
		$self->check_outcomes;
		$self->check_orders;
		$self->check_groups;
		$self->check_taken;
		$self->check_cycles;
	}
	return @{ $self->{problems} };
}

# Those that nobody has asked to commit.
sub open
{
	my ($self) = @_;

	return grep { ($self->{txn}{$_}{end} // '') ne 'commit' && !$self->{txn}{$_}{outcome} } sort { $a <=> $b } keys %{ $self->{txn} };
}

sub line { return '(line ' . (1 + $_[0]) . ')' }

sub number_of { return $_[0] =~ /^(\d+)\./ ? $1 : 0 }

# ---- what clients do -------------------------------------------------------------------

# A transaction; what is said of one that has not begun, as it belongs to another turn of history, counts for nothing.
sub txn
{
	my ($self, $number) = @_;

	return $self->{txn}{$number} // { missing => 1 };
}

sub take_begin
{
	my ($self, $number, $who) = @_;

	$self->{txn}{$number} = { number => $number, who => $who, began => $self->{line}, writes => [], sent => $self->{line} };
	return;
}

sub take_write
{
	my ($self, $number, $place, $value) = @_;
	my $txn = $self->txn($number);

	push @{ $txn->{writes} }, { place => $place, value => $value };
	$txn->{sent} = $self->{line};
	return;
}

sub take_undone { my ($self, $number, $value) = @_; $_->{undone} = 1 foreach $self->write($number, $value); return; }
sub take_again  { my ($self, $number) = @_; $self->txn($number)->{sent} = $self->{line}; return; }

sub write { my ($self, $number, $value) = @_; return grep { $_->{value} eq $value } @{ $self->txn($number)->{writes} // [] }; }

sub take_offsets
{
	my ($self, $number, $group) = @_;

	$self->txn($number)->{group} = $group;
	return $self->take_again($number);
}

# Something that was sent last of a transaction has succeeded.
sub succeeded
{
	my ($self, $txn, $what) = @_;
	my $fenced = $self->{fenced}{ $txn->{who} // '' } // return;

	$self->problem('zombie', "$what of transaction $txn->{number} ", line($self->{line}), " was sent by $txn->{who} ", line($txn->{sent}),
		', which was fenced ', line($fenced)) if $txn->{sent} > $fenced;
	return;
}

sub take_ack
{
	my ($self, $number, $value, $offset) = @_;
	my $txn = $self->txn($number);

	foreach my $write ($self->write($number, $value))
	{
		$self->problem('duplicate', "$value of transaction $number was acknowledged at $write->{offset}, and again at $offset ", line($self->{line}))
		  if defined $write->{offset} && $write->{offset} != $offset;
		$write->{offset} = $offset;
	}
	return $self->succeeded($txn, $value);
}

sub take_commit { my ($self, $number) = @_; return $self->ask_end($number, 'commit'); }
sub take_abort  { my ($self, $number) = @_; return $self->ask_end($number, 'abort'); }

sub ask_end
{
	my ($self, $number, $end) = @_;
	my $txn = $self->txn($number);

	@$txn{qw(end asked sent)} = ($end, $self->{line}, $self->{line});
	return;
}

sub take_committed
{
	my ($self, $number) = @_;
	my $txn = $self->txn($number);

	@$txn{qw(outcome ended)} = ('committed', $self->{line});
	return $self->succeeded($txn, 'a commit');
}

sub take_aborted
{
	my ($self, $number) = @_;

	@{ $self->txn($number) }{qw(outcome ended)} = ('aborted', $self->{line});
	return;
}

sub take_fence { my ($self, $who) = @_; $self->{fenced}{$who} //= $self->{line}; return; }

# ---- what readers are given --------------------------------------------------------------

# What was told until now, as others may be told more before the answer comes.
sub take_ask
{
	my ($self, $reader) = @_;

	$self->{asked}{$reader} = { told => { %{ $self->{told} } }, groups => { %{ $self->{last} } }, line => $self->{line} };
	return;
}

sub tell_end
{
	my ($self, $reader, $place, $end) = @_;
	my $before = $self->{asked}{$reader}{told}{$place};

	return if $end eq '-';
	$self->problem('end moved back', "$reader was told $end of $place ", line($self->{line}), ", and before that $before->[0] was told ", line($before->[1]))
	  if $before && $before->[0] > $end;
	$self->{told}{$place} = [ $end, $self->{line} ] if $end > ($self->{told}{$place} // [-1])->[0];
	return;
}

# A record was read, somewhere.
sub read_record
{
	my ($self, $reader, $place, $offset, $value) = @_;
	my $at = $self->{at}{$place}{$offset};
	my $where = $self->{where}{$value};
	my $txn = $self->{txn}{ number_of($value) };

	$self->problem('inconsistent offset', "$reader reads $value at $offset of $place ", line($self->{line}), ", where there was $at->[0] ", line($at->[1]))
	  if $at && $at->[0] ne $value;
	$self->problem('duplicate', "$value is at $offset of $place ", line($self->{line}), " and at $where->[1] of $where->[0] ", line($where->[2]))
	  if $where && ($where->[0] ne $place || $where->[1] != $offset);
	$self->{at}{$place}{$offset} //= [ $value, $self->{line} ];
	$self->{where}{$value} //= [ $place, $offset, $self->{line} ];
	return $self->problem('aborted read', "$reader reads $value ", line($self->{line}), ', of a transaction that there is not') if !$txn;
	$txn->{seen} //= [ $reader, $self->{line}, "$value at $offset of $place" ];
	$self->problem('dirty read', "$reader reads $value ", line($self->{line}), ", and the end of transaction $txn->{number} was not asked for")
	  if !$txn->{end} && !$txn->{dirty}++;
	return;
}

# Records in the order in which they came: offsets with values.
sub read_records
{
	my ($self, $reader, $place, @records) = @_;
	my %given;
	my $last = -1;

	foreach my $record (@records)
	{
		my ($offset, $value) = split /:/, $record, 2;

		$self->problem('out-of-order poll', "$reader is given $offset of $place behind $last ", line($self->{line})) if $offset <= $last;
		$last = $offset;
		$given{$offset} = $value;
		$self->read_record($reader, $place, $offset, $value);
	}
	return \%given;
}

sub take_poll
{
	my ($self, $reader, $place, $from, $next, $high, $stable, @records) = @_;
	my $given = $self->read_records($reader, $place, @records);

	$self->problem('out-of-order poll', "$reader is given $_ of $place from $from to $next ", line($self->{line}))
	  foreach grep { $_ < $from || $_ >= $next } keys %$given;
	$self->problem('end moved back', "$reader is given records of $place up to $next, behind its end $high ", line($self->{line}))
	  if $high ne '-' && @records && $next > $high;
	$self->problem('end moved back', "$reader was told that $place is stable up to $stable, behind its end $high ", line($self->{line}))
	  if $high ne '-' && $stable ne '-' && $stable > $high;
	$self->tell_end($reader, $place, $_) foreach $high, $stable;
	push @{ $self->{polls} }, { reader => $reader, place => $place, from => $from, next => $next, given => $given, line => $self->{line} };
	return;
}

sub take_told { my ($self, $reader, $place, $end) = @_; return $self->tell_end($reader, $place, $end); }

sub take_snap
{
	my ($self, $reader, $number, $place, $end, @records) = @_;
	my $given = $self->read_records($reader, $place, @records);

	$self->{snaps}{$number}{places}{$place} = { end => $end, given => $given };
	@{ $self->{snaps}{$number} }{qw(reader line)} = ($reader, $self->{line});
	push @{ $self->{polls} }, { reader => $reader, place => $place, from => 0, next => $end, given => $given, line => $self->{line} };
	return;
}

sub take_snapgroup
{
	my ($self, $reader, $number, $group, @offsets) = @_;

	$self->{snaps}{$number}{groups}{$group} = $offsets[0];
	return $self->take_groups($reader, $group, @offsets);
}

sub take_groups
{
	my ($self, $reader, $group, @offsets) = @_;
	my %different = map { $_ => 1 } @offsets;
	my $before = $self->{asked}{$reader}{groups}{$group};
	my $offset = $offsets[0];

	return $self->problem('half transaction', "the offsets of $group are @offsets ", line($self->{line})) if keys %different > 1;
	$self->problem('offsets moved back', "those of $group are $offset ", line($self->{line}), " and were $before->[0] ", line($before->[1]))
	  if $before && $before->[0] > $offset;
	push @{ $self->{groups}{$group} }, [ $offset, $self->{line}, $self->{asked}{$reader}{line} // $self->{line}, $reader ];
	$self->{last}{$group} = [ $offset, $self->{line} ] if $offset > ($self->{last}{$group} // [0])->[0];
	return if $offset == 0;
	my $txn = $self->{txn}{$offset};
	return $self->problem('aborted read', "the offsets of $group are $offset ", line($self->{line}), ', of a transaction that there is not') if !$txn;
	$txn->{seen} //= [ $reader, $self->{line}, "its offsets of $group" ];
	$self->problem('dirty read', "$reader reads the offsets of transaction $offset ", line($self->{line}), ', whose end was not asked for')
	  if !$txn->{end} && !$txn->{dirty}++;
	return;
}

sub take_take
{
	my ($self, $reader, $place, @records) = @_;
	my $taken = $self->{taken}{"$reader $place"} //= { next => 0, given => {} };

	foreach my $record (@records)
	{
		my ($offset, $value) = split /:/, $record, 2;

		$self->problem('non-monotonic poll', "$reader has consumed $offset of $place ", line($self->{line}), ", and was at $taken->{next}")
		  if $offset < $taken->{next};
		$taken->{next} = $offset + 1;
		$taken->{given}{$offset} = $value;
		$self->read_record($reader, $place, $offset, $value);
	}
	return;
}

sub take_final { my ($self) = @_; $self->{final} = 1; return; }

# ---- what is wrong with it ---------------------------------------------------------------------

# Where a record is, as it was acknowledged or read.
sub offset_of
{
	my ($self, $write) = @_;

	return $write->{offset} // ($self->{where}{ $write->{value} } // [])->[1];
}

# Since when it is certain that one is committed.
sub committed_at
{
	my ($txn) = @_;
	my $told = ($txn->{outcome} // '') eq 'committed' ? $txn->{ended} : undef;
	my $seen = $txn->{seen} ? $txn->{seen}[1] : undef;

	return defined $told && defined $seen ? ($told < $seen ? $told : $seen) : $told // $seen;
}

# What is known to be at the offsets of a place: what somebody has read there, and what was acknowledged.
sub known
{
	my ($self) = @_;

	if (!$self->{known})
	{
		my %known;

		foreach my $place (keys %{ $self->{at} }) { $known{$place}{$_} = $self->{at}{$place}{$_}[0] foreach keys %{ $self->{at}{$place} }; }
		foreach my $txn (values %{ $self->{txn} })
		{
			foreach my $write (grep { defined $_->{offset} } @{ $txn->{writes} })
			{
				my $there = $known{ $write->{place} }{ $write->{offset} } //= $write->{value};

				$self->problem('inconsistent offset', "$write->{value} of transaction $txn->{number} was acknowledged at $write->{offset} of $write->{place}, "
					. "where $there is") if $there ne $write->{value};
			}
		}
		$self->{known} = \%known;
	}
	return $self->{known};
}

# The offsets of a place that are known, in order.
sub known_offsets
{
	my ($self, $place) = @_;

	return $self->{sorted}{$place} //= [ sort { $a <=> $b } keys %{ $self->known->{$place} // {} } ];
}

# Where an offset stands in a sorted list, or would.
sub position
{
	my ($list, $offset) = @_;
	my ($low, $high) = (0, scalar @$list);

	while ($low < $high)
	{
		my $middle = ($low + $high) >> 1;

		if ($list->[$middle] < $offset) { $low = $middle + 1; } else { $high = $middle; }
	}
	return $low;
}

# Who passes an offset without what is there takes its transaction for one that has not committed.
sub check_polls
{
	my ($self) = @_;

	foreach my $poll (@{ $self->{polls} })
	{
		my $place = $poll->{place};
		my $offsets = $self->known_offsets($place);

		for (my $i = position($offsets, $poll->{from}); $i < @$offsets && $offsets->[$i] < $poll->{next}; $i++)
		{
			my $offset = $offsets->[$i];
			my $value = $self->known->{$place}{$offset};
			my $txn = $self->txn(number_of($value));

			next if defined $poll->{given}{$offset};
			$self->problem('skipped poll', "$poll->{reader} has passed $offset of $place ", line($poll->{line}), ", where others read $value ",
				line($self->{at}{$place}{$offset}[1])) if $self->{at}{$place}{$offset};
			$txn->{passed} //= [ $poll->{reader}, $poll->{line}, "$value at $offset of $place" ] if !grep { $_->{undone} } $self->write(number_of($value), $value);
		}
	}
	return;
}

# Each transaction is committed or aborted, as it was told, and as a whole.
sub check_outcomes
{
	my ($self) = @_;

	foreach my $txn (map { $self->{txn}{$_} } sort { $a <=> $b } keys %{ $self->{txn} })
	{
		my ($seen, $passed, $outcome) = (@$txn{qw(seen passed)}, $txn->{outcome} // 'unknown');
		my $name = "transaction $txn->{number}";

		$self->problem('aborted read', "$name was aborted, and $seen->[0] has read $seen->[2] ", line($seen->[1])) if $outcome eq 'aborted' && $seen;
		$self->problem('lost write', "$name was committed, and $passed->[0] has passed $passed->[2] ", line($passed->[1]))
		  if $outcome eq 'committed' && $passed;
		$self->problem('half transaction', "of $name $seen->[0] has read $seen->[2] ", line($seen->[1]), " and $passed->[0] has passed $passed->[2] ",
			line($passed->[1])) if $seen && $passed;
		foreach my $write (grep { $_->{undone} && $self->{where}{ $_->{value} } } @{ $txn->{writes} })
		{
			$self->problem('aborted read', "$write->{value} of $name was rolled back, and was read ", line($self->{where}{ $write->{value} }[2]));
		}
		foreach my $write (grep { $self->{final} && defined committed_at($txn) && !$_->{undone} && !$self->{where}{ $_->{value} } } @{ $txn->{writes} })
		{
			$self->problem($outcome eq 'committed' ? 'lost write' : 'half transaction', "$name was committed, and nobody has read $write->{value} in $write->{place}");
		}
	}
	return;
}

# A snapshot that has records of a transaction has its offsets.  What it lacks of other records it has passed.
sub check_snapshots
{
	my ($self) = @_;

	foreach my $number (sort { $a <=> $b } keys %{ $self->{snaps} })
	{
		my $snap = $self->{snaps}{$number};
		my %has = map { number_of($_) => 1 } map { values %{ $_->{given} } } values %{ $snap->{places} };

		foreach my $txn (map { $self->txn($_) } sort { $a <=> $b } keys %has)
		{
			my $group = defined $txn->{group} ? $snap->{groups}{ $txn->{group} } : undef;

			$self->problem('half transaction', "$snap->{reader} sees records of transaction $txn->{number} with one snapshot ", line($snap->{line}),
				", and its group $txn->{group} is at $group") if defined $group && $group < $txn->{number};
		}
	}
	return;
}

# Those of one client are in the order in which it has sent them.
sub check_orders
{
	my ($self) = @_;

	foreach my $place (sort keys %{ $self->{at} })
	{
		my %last;

		foreach my $offset (sort { $a <=> $b } keys %{ $self->{at}{$place} })
		{
			my $value = $self->{at}{$place}{$offset}[0];
			my ($number, $n) = split /\./, $value;
			my ($who) = ($self->txn($number)->{who} // next) =~ m{^([^/]*)};
			my $last = $last{$who};

			$self->problem('out-of-order poll', "$value is behind $last->[2] in $place, though $who has sent it before")
			  if $last && ($number <=> $last->[0] || $n <=> $last->[1]) < 0;
			$last{$who} = [ $number, $n, $value ];
		}
	}
	return;
}

# A group's offsets are those of the last transaction that has committed some.
sub check_groups
{
	my ($self) = @_;

	foreach my $txn (grep { defined $_->{group} && defined committed_at($_) } map { $self->{txn}{$_} } sort { $a <=> $b } keys %{ $self->{txn} })
	{
		foreach my $read (@{ $self->{groups}{ $txn->{group} } // [] })
		{
			my ($offset, $line, $asked) = @$read;

			$self->problem('lost write', "transaction $txn->{number} was committed ", line(committed_at($txn)), ", and the offsets of $txn->{group} are $offset ",
				line($line)) if committed_at($txn) < $asked && $offset < $txn->{number};
		}
	}
	return;
}

# A group has left out nothing.
sub check_taken
{
	my ($self) = @_;

	foreach my $name (sort keys %{ $self->{taken} })
	{
		my ($reader, $place) = split / /, $name;
		my $taken = $self->{taken}{$name};

		foreach my $offset (grep { $_ < $taken->{next} && !defined $taken->{given}{$_} } sort { $a <=> $b } keys %{ $self->{at}{$place} // {} })
		{
			$self->problem('skipped poll', "$reader has not consumed $self->{at}{$place}{$offset}[0] at $offset of $place");
		}
	}
	return;
}

# Of those that follow each other the first one is in front everywhere.
sub check_cycles
{
	my ($self) = @_;

	foreach my $place (sort keys %{ $self->known })
	{
		my $latest;

		foreach my $offset (@{ $self->known_offsets($place) })
		{
			my $txn = $self->txn(number_of($self->known->{$place}{$offset}));

			next if !defined committed_at($txn);
			$self->problem('write cycle', "transaction $txn->{number} was committed ", line(committed_at($txn)),
				", and stands at $offset of $place behind transaction $latest->{number}, which began ", line($latest->{began}))
			  if $latest && committed_at($txn) < $latest->{began};
			$latest = $txn if !$latest || $txn->{began} > $latest->{began};
		}
	}
	return;
}

# Pairs of those that overlap, each of which is in front of the other one somewhere.
sub cycles
{
	my ($self) = @_;
	my (%first, %found);

	foreach my $place (keys %{ $self->known })
	{
		foreach my $offset (@{ $self->known_offsets($place) })
		{
			my $number = number_of($self->known->{$place}{$offset});

			$first{$number}{$place} //= $offset if defined committed_at($self->txn($number));
		}
	}
	my @numbers = sort { $a <=> $b } keys %first;
	foreach my $i (0 .. $#numbers)
	{
		# numbers are given in the order in which transactions begin
		foreach my $k ($i + 1 .. ($i + 20 < $#numbers ? $i + 20 : $#numbers))
		{
			my ($one, $other) = @first{ @numbers[ $i, $k ] };
			my %signs = map { ($one->{$_} <=> $other->{$_}) => 1 } grep { defined $other->{$_} } keys %$one;

			$found{"$i $k"} = 1 if keys %signs > 1;
		}
	}
	return scalar keys %found;
}

1;
