# A model of compacted topics: what a topic must and may hold after a history
# of transactions, compactions, mergings, deletions and crashes.
#
# A history is one topic, made of steps.  A step is SQL for the server and a
# change of the model, which applies it; offsets are foreseen, since one session
# at a time produces.  After some steps the model is shown what the server has
# and tells what is wrong.
#
# The model holds each record that may still be there:
#
#	  key, value, headers, timestamp	as produced; they never change
#	  may_go		a compaction has run since a later record of its key came
#	  passes		compactions since it was produced; a tombstone gets its
#					delete horizon in the first
#	  horizon		earliest and latest time that may be
#
# Where a maintenance worker compacts as well ("worker_since" is when it began, by
# the clock alone), a compaction may have run at any moment.
#
# A record that is the last of its key must be there, unless it is a tombstone
# past its horizon.  Where that is gone no earlier record of the key may be
# there, or a deleted key would be back.
package CompactionModel;

use strict;
use warnings;

my @keys = ('', 'a', 'b', 'c', 'key of 15 bytes', 'key of 16 bytes.', 'a key of more than fifteen bytes', 'žluťoučký kůň');
my @codecs = qw(none producer lz4 zstd snappy gzip);

sub pick { return $_[ rand @_ ]; }

sub quote
{
	my ($text) = @_;

	return 'NULL' unless defined $text;
	return "'$text'";
}

# ---- a history ---------------------------------------------------------------

# A new one: a topic with that name and options by chance.
sub new
{
	my ($class, $name, $now) = @_;
	my $partitions = 1 + int(rand(3));
	my $self = {
		name => $name,
		sql => [],
		began => $now,
		keys => [ @keys[ 0 .. int(rand(@keys)) ] ],
		delete_retention => pick(0, 3_600_000, 86_400_000),
		append_time => rand() < 0.1,
		deletes => rand() < 0.2,
		number => 0,
		partitions => [ map { { start => 0, end => 0, records => {} } } 1 .. $partitions ],
	};

	$self->{options} = {
		'cleanup.policy' => $self->{deletes} ? 'compact,delete' : 'compact',
		# records are up to three days old: none expires by the worker's clock
		'retention.ms' => 4 * 86_400_000,
		'segment.bytes' => pick(1024, 2048, 4096, 65536),
		'delete.retention.ms' => $self->{delete_retention},
		'compression.type' => pick(@codecs),
		'batch.merge' => pick(qw(on on on off)),
		'batch.merge.lag.ms' => 0,
		# the model's clock runs ahead of the server's
		'message.timestamp.after.max.ms' => '9223372036854775807',
		'message.timestamp.type' => $self->{append_time} ? 'LogAppendTime' : 'CreateTime'
	};
	return bless $self, $class;
}

sub create_sql
{
	my ($self) = @_;
	my $options = join ', ', map { qq{"$_": "$self->{options}{$_}"} } sort keys %{ $self->{options} };

	return sprintf("SELECT create_topic('%s', partitions => %d, config => '{%s}');\n",
		$self->{name}, scalar @{ $self->{partitions} }, $options);
}

# ---- transactions ------------------------------------------------------------

# Some records by chance.
sub make_records
{
	my ($self, $most) = @_;

	return [ map {
		{
			partition => int(rand(@{ $self->{partitions} })),
			key => pick(@{ $self->{keys} }),
			value => rand() < 0.2 ? undef : ++$self->{number} . ' ' . 'v' x int(rand(pick(4, 150))),
			headers => rand() < 0.1 ? '{"h": "' . $self->{number} . '"}' : undef,
			timestamp => $self->{began} - int(rand(3 * 86_400_000))
		}
	} 1 .. 1 + int(rand($most)) ];
}

sub insert_sql
{
	my ($self, $records) = @_;
	my @rows = map {
		sprintf("(%d, to_timestamp(%s::numeric / 1000), %s, %s, %s)",
			$_->{partition}, $_->{timestamp}, quote($_->{key}), quote($_->{value}), quote($_->{headers}))
	} @$records;

	return "INSERT INTO $self->{name} (partition, record_timestamp, key, value, headers) VALUES\n  "
	  . join(",\n  ", @rows) . ";\n";
}

# A transaction: records; some of them in a savepoint, some appended by flush().
sub transaction
{
	my ($self) = @_;
	my $kind = pick(qw(commit commit commit commit savepoint savepoint_rollback flush flush_rollback rollback
		prepared prepared_rollback));
	my $first = $self->make_records(pick(1, 4, 12));
	my $second = $self->make_records(4);
	my $sql = "BEGIN;\n" . $self->insert_sql($first);
	my %of = (appended => [], lost => []);

	if ($kind eq 'commit')
	{
		$sql .= "COMMIT;\n";
		$of{appended} = $first;
	}
	elsif ($kind =~ /^savepoint/)
	{
		my $back = $kind eq 'savepoint_rollback';

		$sql .= "SAVEPOINT s;\n" . $self->insert_sql($second) . ($back ? "ROLLBACK TO s;\n" : '') . "COMMIT;\n";
		$of{appended} = [ @$first, $back ? () : @$second ];
	}
	elsif ($kind =~ /^flush/)
	{
		my $back = $kind eq 'flush_rollback';

		$sql .= "SELECT count(*) FROM flush();\n" . $self->insert_sql($second) . ($back ? "ROLLBACK;\n" : "COMMIT;\n");
		$of{ $back ? 'lost' : 'appended' } = [ @$first, $back ? () : @$second ];
	}
	elsif ($kind eq 'rollback')
	{
		$sql .= "ROLLBACK;\n";
	}
	else
	{
		my $back = $kind eq 'prepared_rollback';

		$sql .= "PREPARE TRANSACTION '$self->{name}';\n" . ($back ? 'ROLLBACK' : 'COMMIT') . " PREPARED '$self->{name}';\n";
		$of{ $back ? 'lost' : 'appended' } = $first;
	}
	return { kind => $kind, sql => $sql, %of };
}

# The next offsets are these records'; "lost" ones are a gap.
sub append
{
	my ($self, $records, $lost) = @_;

	foreach my $record (@$records)
	{
		my $partition = $self->{partitions}[ $record->{partition} ];
		my $offset = $partition->{end}++;

		next if $lost;
		$partition->{committed_end} = $partition->{end};
		$partition->{records}{$offset} =
		  { %$record, passes => 0, timestamp => $self->{append_time} ? undef : $record->{timestamp} };
	}
	return;
}

# ---- steps -------------------------------------------------------------------

# The next step by chance, of those kinds that the server offers.
sub step
{
	my ($self, $offered) = @_;
	my $name = $self->{name};
	my $partition = int(rand(@{ $self->{partitions} }));
	my $key = pick(@{ $self->{keys} });
	my @merge = $self->{options}{'batch.merge'} eq 'on' ? ('merge_batches') x 3 : ();
	my $kind = pick(('transaction') x 12, ('compact') x 4, @merge, grep { $offered->{$_} }
		qw(dry_run alter apply_retention apply_retention delete_records erase erase truncate));

	return $self->transaction if $kind eq 'transaction';
	return { kind => $kind, sql => "SELECT count(*) FROM compact('$name');\n" } if $kind eq 'compact';
	return { kind => $kind, sql => "SELECT count(*) FROM compact('$name', dry_run => true);\n" } if $kind eq 'dry_run';
	# nothing that the model knows of: no record goes that can be read
	return { kind => $kind, sql => "SELECT count(*) FROM merge_batches('$name', dry_run => " . pick(qw(false false false true)) . ");\n" }
	  if $kind eq 'merge_batches';
	return { kind => $kind, sql => sprintf("SELECT alter_topic('%s', '{\"compression.type\": \"%s\", \"segment.bytes\": %d}');\n",
			$name, pick(@codecs), pick(1024, 3000, 65536)) } if $kind eq 'alter';
	return { kind => $kind, sql => "SELECT count(*) FROM apply_retention('$name');\n" } if $kind eq 'apply_retention';
	return { kind => $kind, sql => "SELECT 'erased', '$name', erase('$name', " . quote($key) . ");\n", key => $key } if $kind eq 'erase';
	return { kind => $kind, sql => "TRUNCATE $name;\n" } if $kind eq 'truncate';

	my $bounds = $self->{partitions}[$partition];
	my $before = $bounds->{start} + int(rand($bounds->{end} - $bounds->{start} + 1));

	return { kind => $kind, partition => $partition, before => $before,
		sql => "SELECT delete_records('$name', $partition, $before);\n" };
}

# The SQL that begins and ends somebody's steps, kept for the report of a failure.
sub sql_of
{
	my ($self, $step) = @_;

	push @{ $self->{sql} }, $step->{sql};
	return $step->{sql};
}

# A step was done, between two times as the server's maintenance reckons.
sub apply
{
	my ($self, $step, $from, $to) = @_;
	my $kind = $step->{kind};

	$self->maybe_worked($to);
	$self->append($step->{appended}) if $step->{appended};
	$self->append($step->{lost}, 1) if $step->{lost};
	$self->pass($from, $to) if $kind eq 'compact';
	$self->{retention} = 1 if $kind eq 'apply_retention' && $self->{deletes};
	$self->forget_key($step->{key}) if $kind eq 'erase';
	$self->start_at($step->{partition}, $step->{before}) if $kind eq 'delete_records';
	$self->start_at($_, $self->{partitions}[$_]{end})
	  foreach $kind eq 'truncate' ? 0 .. $#{ $self->{partitions} } : ();
	return;
}

# The last offset of each key in a partition.
sub last_offsets
{
	my ($partition) = @_;
	my %last;

	$last{ $partition->{records}{$_}{key} } = $_ foreach sort { $a <=> $b } keys %{ $partition->{records} };
	return \%last;
}

# A worker may have compacted meanwhile, and may have done so before.
sub maybe_worked
{
	my ($self, $to) = @_;

	$self->pass($self->{worker_since}, $to) foreach $self->{worker_since} ? 1 .. 2 : ();
	return;
}

# A compaction has run, maybe over part of the log only.
sub pass
{
	my ($self, $from, $to) = @_;

	foreach my $partition (@{ $self->{partitions} })
	{
		my $last = last_offsets($partition);

		foreach my $offset (keys %{ $partition->{records} })
		{
			my $record = $partition->{records}{$offset};

			$record->{passes}++;
			$record->{horizon} //= [ $from + $self->{delete_retention}, undef ];
			$record->{may_go} = 1
			  if $offset < $last->{ $record->{key} }
			  || (!defined $record->{value} && $record->{passes} > 1 && $record->{horizon}[0] <= $to);
		}
	}
	return;
}

# A compaction has run over all of the log: what remains is known, but for
# tombstones whose horizon is not known well enough.
sub whole_pass
{
	my ($self, $from, $to) = @_;

	$self->pass($from, $to);
	foreach my $partition (@{ $self->{partitions} })
	{
		my $last = last_offsets($partition);

		foreach my $offset (keys %{ $partition->{records} })
		{
			my $record = $partition->{records}{$offset};
			my $latest = $record->{horizon}[1];

			delete $partition->{records}{$offset}
			  if $offset < $last->{ $record->{key} }
			  || (!defined $record->{value} && defined $latest && $latest <= $from);
			$record->{horizon}[1] //= $to + $self->{delete_retention};
		}
	}
	return;
}

sub forget_key
{
	my ($self, $key) = @_;

	foreach my $records (map { $_->{records} } @{ $self->{partitions} })
	{
		delete @{$records}{ grep { $records->{$_}{key} eq $key } keys %$records };
	}
	return;
}

# How many records of the key erase() finds for sure, and at most: those below the
# log start may still be in a file, and those that retention has met may not.
sub count_key
{
	my ($self, $key) = @_;
	my @of_key = grep { $_->{key} eq $key } map { values %{ $_->{records} } } @{ $self->{partitions} };

	my $most = @of_key;

	$most += $_->{below}{$key} // 0 foreach @{ $self->{partitions} };
	return ($self->{retention} ? 0 : scalar(grep { !$_->{may_go} } @of_key), $most);
}

# Nothing below that offset is left.
sub start_at
{
	my ($self, $number, $start) = @_;
	my $partition = $self->{partitions}[$number];

	return if $start <= $partition->{start};
	$partition->{start} = $start;
	foreach my $offset (grep { $_ < $start } keys %{ $partition->{records} })
	{
		my $record = delete $partition->{records}{$offset};

		$partition->{below}{ $record->{key} }++;
	}
	return;
}

# ---- a crash -----------------------------------------------------------------

# The server was killed while it did this step or before it: take it as done or
# not, as what is seen tells.  "seen" is as in compare().
sub apply_interrupted
{
	my ($self, $step, $seen, $from, $to) = @_;
	my $appended = $step->{appended} // [];

	$self->pass($from, $to) if $step->{kind} eq 'compact';
	if ($step->{kind} eq 'erase')
	{
		foreach my $record (map { values %{ $_->{records} } } @{ $self->{partitions} })
		{
			$record->{may_go} = $record->{unsure} = 1 if $record->{key} eq $step->{key};
		}
	}
	foreach my $record (@$appended)
	{
		my $partition = $seen->{ $record->{partition} };

		# its first record is there, and so must be the others
		return $self->append($appended)
		  if exists $partition->{records}{ $self->{partitions}[ $record->{partition} ]{end} };
		last;
	}
	# offsets may have been taken by a batch whose transaction never committed
	my %taken;
	$taken{ $_->{partition} }++ foreach @$appended, @{ $step->{lost} // [] };
	foreach my $number (keys %taken)
	{
		my $partition = $self->{partitions}[$number];
		my $end = $seen->{$number}{end};

		$partition->{end} = $end if $end > $partition->{end} && $end <= $partition->{end} + $taken{$number};
	}
	return;
}

# After a crash: what was taken back and never flushed may be no gap.
sub apply_crash
{
	my ($self, $seen) = @_;

	foreach my $number (0 .. $#{ $self->{partitions} })
	{
		my $partition = $self->{partitions}[$number];
		my $end = $seen->{$number}{end} // 0;

		$partition->{end} = $end if $end < $partition->{end} && $end >= ($partition->{committed_end} // 0);
	}
	return;
}

# ---- what the server shows ---------------------------------------------------

# Compare with what is seen: a hash from partition to { start, end, order,
# records: offset => [timestamp, key, value, headers], latest: key => [offset,
# value] }.  Returns what is wrong; what is gone then is gone for the model too.
sub compare
{
	my ($self, $seen, $now) = @_;
	my @wrong;

	$self->maybe_worked($now);

	foreach my $number (0 .. $#{ $self->{partitions} })
	{
		my $got = $seen->{$number} // { start => 0, end => 0, order => [], records => {}, latest => {} };

		push @wrong, map { "partition $number: $_" } $self->compare_partition($number, $got);
	}
	$self->{retention} = 0;
	return @wrong;
}

sub compare_partition
{
	my ($self, $number, $got) = @_;
	my $partition = $self->{partitions}[$number];
	my @wrong;

	push @wrong, "log end offset $got->{end}, should be $partition->{end}" if $got->{end} != $partition->{end};
	if ($self->{retention} && $got->{start} > $partition->{start} && $got->{start} <= $got->{end})
	{
		$self->start_at($number, $got->{start});
	}
	push @wrong, "log start offset $got->{start}, should be $partition->{start}" if $got->{start} != $partition->{start};
	push @wrong, 'offsets out of order: ' . join(' ', @{ $got->{order} })
	  if join(' ', @{ $got->{order} }) ne join(' ', sort { $a <=> $b } @{ $got->{order} });

	push @wrong, compare_records($partition->{records}, $got->{records});
	push @wrong, missing_records($partition, $got->{records});
	delete @{ $partition->{records} }{ grep { !$got->{records}{$_} } keys %{ $partition->{records} } };
	push @wrong, compare_latest($partition, $got->{latest});
	return @wrong;
}

# What is there was produced, committed, not removed for good, and is unchanged.
sub compare_records
{
	my ($records, $got) = @_;
	my @wrong;

	foreach my $offset (sort { $a <=> $b } keys %$got)
	{
		my $record = $records->{$offset};

		if (!$record)
		{
			push @wrong, "offset $offset must not be there: @{ $got->{$offset} }";
			next;
		}
		$record->{timestamp} //= $got->{$offset}[0];
		my $want = join '|', map { $_ // '~' } @{$record}{qw(timestamp key value headers)};
		my $have = join '|', @{ $got->{$offset} };
		push @wrong, "offset $offset is $have, should be $want" if $have ne $want;
	}
	return @wrong;
}

# What must be there is; an earlier record does not outlive a later one that went.
sub missing_records
{
	my ($partition, $got) = @_;
	my $records = $partition->{records};
	my $last = last_offsets($partition);
	my @wrong;

	foreach my $offset (sort { $a <=> $b } keys %$records)
	{
		my $record = $records->{$offset};
		my $last_of_key = $last->{ $record->{key} };

		push @wrong, "offset $offset is missing: $record->{key}" if !$got->{$offset} && !$record->{may_go};
		push @wrong, "offset $offset is there, $last_of_key of the same key is gone: $record->{key}"
		  if $got->{$offset} && !$got->{$last_of_key} && !$records->{$last_of_key}{unsure};
	}
	return @wrong;
}

# latest() is the last record of each key, but for tombstones.
sub compare_latest
{
	my ($partition, $got) = @_;
	my $last = last_offsets($partition);
	my %want = map { $_ => "$last->{$_} $partition->{records}{$last->{$_}}{value}" }
	  grep { defined $partition->{records}{ $last->{$_} }{value} } keys %$last;
	my @wrong;

	foreach my $key (sort keys %{ { %want, %$got } })
	{
		my $have = $got->{$key} ? "$got->{$key}[0] $got->{$key}[1]" : 'nothing';

		push @wrong, "latest() has $have for key $key, should be " . ($want{$key} // 'nothing')
		  if $have ne ($want{$key} // 'nothing');
	}
	return @wrong;
}

1;
