# A model of topics' logs: what must be there after a history of steps and crashes.
#
# A history is a list of steps, plain data made by chance beforehand: what a step
# names is relative to the log as it will be found (a gap behind its end, a place
# between its bounds), so a step still means something where steps before it are
# left out.  The model turns a step into SQL, and is told how that went: "ok", an
# "error", or "gone", where the server went down meanwhile and the step may have
# happened or not.  Offsets are foreseen, since one step runs at a time.
#
# Of each partition it knows
#
#	  records		offset => record, of transactions that committed
#	  pending		the same of transactions that have appended and not ended
#	  start, end	the log's bounds
#	  starts		other log starts that are right as well: an explicit offset into
#					an empty log may move the log start there
#	  durable		what the end does not fall below in a crash: the WAL is
#					flushed up to there
#	  taken			at most so many offsets more may be taken, by a transaction that
#					failed in the midst of its appends or at a crash
#	  group			the committed offset of the topic's consumer group
#
# A record says itself where it is unsure: may_go (a compaction, an erasure or
# retention that may have been done), together (the number of a transaction that is
# there as a whole or not at all).  What is seen next settles it: what is gone then is
# gone for good.
package LogModel;

use strict;
use warnings;

use List::Util qw(any max min sum0);

use constant FAR => 4_102_444_800_000;    # 2100
use constant HOUR => 3_600_000;

# Retention lets everything live, but for a step that shifts its clock: the maintenance
# worker, which applies it when it likes, removes nothing.
use constant LONG => 100_000_000_000_000;

my @keys = ('a', 'b', 'c', 'key of 16 bytes.', 'žluťoučký kůň');

sub pick { return $_[ rand @_ ]; }

sub chance { return rand() < $_[0]; }

sub quote { return defined $_[0] ? "'$_[0]'" : 'NULL'; }

# ---- a history ---------------------------------------------------------------

# How often each kind of step comes; a history leaves some out and prefers others.
my %weights = (
	transaction => 30, explicit => 6, finish => 4, erase => 6, compact => 5, merge => 5, retention => 2, delete_records => 5,
	truncate => 2, checkpoint => 5, consume => 6, spread => 1, look => 2, empty_roll => 2, far_failure => 2);

# Places of fault_point.h that a step may come by: where it dies, and what may fail.
my @appending = qw(append-written append-logged append-entered append-done all-appended roll-created roll-synced);
my @rewriting = qw(rewrite-written rewrite-logged rewrite-synced swap-logged swap-flushed swap-stamped swap-one-removed
  swap-done compact-group-done merge-group-done roll-created roll-synced);
my @deleting = qw(delete-logged delete-flushed delete-one-removed roll-created roll-synced);
my %dies = (
	transaction => \@appending, explicit => \@appending, erase => \@rewriting, compact => \@rewriting, merge => \@rewriting,
	retention => \@deleting, delete_records => \@deleting, truncate => \@deleting, consume => ['offset-stored']);
my @append_fails = qw(directory-create header-write log-write log-write index-extend file-open log-open header-read
  spill-write spill-read entry-write segment-sync);
my @rewrite_fails = qw(header-write entries-write log-read index-read header-read file-open log-open file-remove segment-sync);
my @delete_fails = qw(file-remove header-write header-read file-open segment-sync);
my %fails = (
	transaction => \@append_fails, explicit => \@append_fails, erase => \@rewrite_fails, compact => \@rewrite_fails, merge => \@rewrite_fails,
	retention => \@delete_fails, delete_records => \@delete_fails, truncate => \@delete_fails, consume => [qw(log-read index-read)]);

# Steps of the sync process at a checkpoint, before and after the recovery point is
# there, at which it stands still or has no space; and what recovery comes by as well.
my @sync_points = qw(sync-collected sync-done recovery-point-written recovery-point-synced sync-point-written sync-logged);
my @checkpoint_points = ((map { "$_:stop" } @sync_points), 'recovery-point-write:ENOSPC');
my @recovery_points = (@sync_points, qw(roll-created roll-synced delete-one-removed swap-one-removed swap-done));

# A history by chance: { topics => [ ... ], steps => [ ... ] }.  "now" is the time in
# milliseconds, "promote" says whether a standby's copy is promoted in it.
sub make_history
{
	my ($now, %params) = @_;
	my $chances = {
		now => $now,
		number => 0,
		weights => { map { $_ => $weights{$_} * pick(0, 1, 1, 3) } keys %weights },
		faults => pick(0, 0.1, 0.3),
		times => pick('now', 'old', 'mixed', 'mixed'),
		topics => [ map { make_topic($_) } 1 .. pick(1, 1, 2) ]
	};
	my $rounds = 1 + int(rand(4));
	my @steps;

	$chances->{weights}{transaction} ||= 10;
	foreach my $round (1 .. $rounds)
	{
		push @steps, map { make_steps($chances) } 1 .. 2 + int(rand(pick(4, 8, 12)));
		push @steps, make_crash($chances);
	}
	$steps[-1]{promote} = 1 if $params{promote};
	return { topics => $chances->{topics}, steps => \@steps };
}

sub make_topic
{
	my $policy = pick('delete', 'delete', 'compact', 'compact,delete');

	return {
		partitions => pick(1, 1, 2, 3),
		compacts => $policy =~ /compact/ ? 1 : 0,
		deletes => $policy =~ /delete/ ? 1 : 0,
		options => {
			'cleanup.policy' => $policy,
			'segment.bytes' => pick(1024, 3000, 16384, 1_000_000_000),
			'segment.ms' => pick(1, 604_800_000, '9223372036854775807', '9223372036854775807'),
			'retention.ms' => LONG,
			'delete.retention.ms' => 86_400_000,
			'compression.type' => pick(qw(none producer lz4 zstd)),
			'batch.merge' => pick(qw(on on on off)),
			'batch.merge.lag.ms' => 0,
		}
	};
}

# A record in one of the topics.
sub make_record
{
	my ($chances, $topic) = @_;
	my $number = ++$chances->{number};
	my $of = $chances->{topics}[$topic];
	my %times = (now => $chances->{now} - int(rand(60_000)), old => pick(0, 1, 5, int(rand(1000)), 86_400_000), ahead => FAR + int(rand(1000)));
	my $time = $chances->{times} eq 'mixed' ? pick(qw(now now old ahead)) : $chances->{times};

	return {
		topic => $topic,
		partition => int(rand($of->{partitions})),
		key => $of->{compacts} || chance(0.7) ? pick(@keys) : undef,
		value => chance(0.1) ? undef : "$number " . 'v' x int(rand(pick(4, 40, 400))),
		headers => chance(0.1) ? qq({"h": "$number"}) : undef,
		timestamp => $times{$time}
	};
}

sub make_records
{
	my ($chances, $most) = @_;
	my $topics = @{ $chances->{topics} };

	return [ map { make_record($chances, int(rand($topics))) } 1 .. 1 + int(rand($most)) ];
}

# The next step; two kinds are several steps, which a fault once needed.
sub make_steps
{
	my ($chances) = @_;
	my @kinds = map { ($_) x $chances->{weights}{$_} } sort keys %weights;
	my $kind = pick(@kinds);

	return make_empty_roll($chances) if $kind eq 'empty_roll';
	return make_far_failure($chances) if $kind eq 'far_failure';
	return make_step($chances, $kind);
}

sub make_step
{
	my ($chances, $kind) = @_;
	my $topic = int(rand(@{ $chances->{topics} }));
	my $of = $chances->{topics}[$topic];
	my $step = {
		kind => $kind, topic => $topic, session => int(rand(3)),
		partition => int(rand($of->{partitions})), at => rand(), key => pick(@keys, 'no such key')
	};

	if ($kind eq 'transaction' || $kind eq 'explicit')
	{
		$step->{how} = $kind eq 'explicit' ? pick(qw(commit commit commit flush_rollback rollback))
		  : pick(qw(commit commit commit commit savepoint savepoint_rollback flush flush_rollback rollback
			prepared prepared_rollback prepare hold));
		$step->{batch_size} = pick('1kB', '1kB', '16kB');
		$step->{first} = make_records($chances, pick(1, 4, 20));
		$step->{big} = chance(0.1);
		$step->{second} = make_records($chances, 4);
	}
	make_explicit($step) if $kind eq 'explicit';
	# more than is kept in memory
	$_->{value} .= 'v' x 30_000 foreach $step->{big} ? grep { defined $_->{value} } @{ $step->{first} } : ();
	$step->{commit} = chance(0.5) if $kind eq 'finish';
	$step->{count} = pick(1, 5, 1000) if $kind eq 'consume';
	add_fault($chances, $step);
	return $step;
}

# The records of the step go to one partition, with gaps before them.
sub make_explicit
{
	my ($step) = @_;

	splice @{ $step->{first} }, 3;
	foreach my $record (@{ $step->{first} })
	{
		@{$record}{qw(topic partition)} = @{$step}{qw(topic partition)};
		$record->{key} //= 'a';
		$record->{gap} = pick(0, 0, 1, 7, 1000, 2_147_483_648 + int(rand(1000)), 10_000_000_000);
	}
	return;
}

sub add_fault
{
	my ($chances, $step) = @_;
	my $kind = $step->{kind};

	return unless $dies{$kind} && ($step->{how} // '') ne 'hold' && chance($chances->{faults});
	$step->{fault} = chance(0.3) ? pick(@{ $dies{$kind} }) : pick(@{ $fails{$kind} }) . ':' . pick(qw(ENOSPC EIO));
	return;
}

# A transaction that goes to that place, first of all.
sub make_commit
{
	my ($chances, %place) = @_;
	my $step = make_step($chances, 'transaction');

	foreach my $record (@{ $step->{first} })
	{
		@{$record}{qw(topic partition)} = @place{qw(topic partition)};
		$record->{key} //= 'a';
	}
	return { %$step, how => 'commit', fault => undef, session => $place{session} };
}

# A place by chance.
sub make_place
{
	my ($chances) = @_;
	my $topic = int(rand(@{ $chances->{topics} }));

	return (topic => $topic, partition => int(rand($chances->{topics}[$topic]{partitions})), session => int(rand(3)));
}

# A segment is rolled and stays empty, between a checkpoint that is done and one that
# has written the recovery point when the crash comes; then records go past it.
sub make_empty_roll
{
	my ($chances) = @_;
	my %place = make_place($chances);
	my $roll = { %place, kind => 'erase', key => 'no such key' };

	return (
		make_commit($chances, %place), { %place, kind => 'checkpoint' }, make_commit($chances, %place), {%$roll},
		{ %{ make_crash($chances) }, how => 'checkpoint', point => pick(@checkpoint_points), during => undef },
		map({ make_commit($chances, %place) } 1 .. pick(1, 2)),
		chance(0.7) ? ({%$roll}, make_commit($chances, %place)) : ());
}

# A far offset has the log rolled, and is not appended: the segment before it, which
# is empty, is made again while a session has it open.
sub make_far_failure
{
	my ($chances) = @_;
	my %place = make_place($chances);
	my $far = { %{ make_step($chances, 'explicit') }, %place, how => 'commit', session => 0 };

	make_explicit($far);
	$far->{first}[0]{gap} = 2_147_483_648 + int(rand(1000));
	$far->{fault} = pick(qw(log-write index-extend header-write)) . ':' . pick(qw(ENOSPC EIO));
	return (
		make_commit($chances, %place, session => 1), { %place, kind => 'erase', key => 'no such key', session => 1 },
		$far, make_commit($chances, %place, session => 0), make_commit($chances, %place, session => 1));
}

# A crash, and what comes with it.
sub make_crash
{
	my ($chances) = @_;
	my $crash = {
		kind => 'crash',
		how => pick(qw(kill kill kill during during checkpoint checkpoint immediate restart)),
		point => pick(@checkpoint_points),
		delay => int(rand(30_000)),
		recovery => [ chance(0.3) ? map({ pick(@recovery_points) } 1 .. pick(1, 1, 2)) : () ],
		standby => pick(qw(stays stays killed restarted restartpoint)),
		standby_recovery => [ chance(0.3) ? pick(@recovery_points) : () ],
		promote => chance(0.03)
	};

	$crash->{during} = make_step($chances, pick(qw(transaction transaction explicit erase compact merge merge delete_records truncate consume retention)));
	delete $crash->{during}{fault};
	return $crash;
}

# ---- the model ---------------------------------------------------------------

# A new one, of topics whose names begin with that.
sub new
{
	my ($class, $history, $name) = @_;
	my $self = bless { topics => [], pending => {}, count => 0, history => [] }, $class;

	foreach my $topic (@{ $history->{topics} })
	{
		push @{ $self->{topics} }, { %$topic, name => $name . '_' . @{ $self->{topics} },
			logs => [ map { { records => {}, pending => {}, start => 0, end => 0, durable => 0, taken => 0, starts => [] } }
				1 .. $topic->{partitions} ] };
	}
	return $self;
}

sub names { return map { $_->{name} } @{ $_[0]{topics} }; }

sub create_sql
{
	my ($self, $extra) = @_;

	return map {
		my %options = (%{ $_->{options} }, %$extra);
		my $options = join ', ', map { qq("$_": "$options{$_}") } sort keys %options;

		qq(SELECT create_topic('$_->{name}', partitions => $_->{partitions}, config => '{$options}'))
	} @{ $self->{topics} };
}

# The log that a record or step is about.
sub log_of
{
	my ($self, $of) = @_;

	return $self->{topics}[ $of->{topic} ]{logs}[ $of->{partition} ];
}

sub all_logs { return map { @{ $_->{logs} } } @{ $_[0]{topics} }; }

# Where readers of the log stop: at what has not ended.
sub stable_end
{
	my ($log) = @_;

	return min($log->{end}, keys %{ $log->{pending} });
}

# ---- a step's SQL --------------------------------------------------------------

# What the server is asked to do; nothing where the step cannot be done now.  Erasing
# and TRUNCATE would wait for whom they wait for without end.
sub sql
{
	my ($self, $step) = @_;
	my $kind = $step->{kind};
	my $topic = $self->{topics}[ $step->{topic} // 0 ];
	my $sql;

	return if ($kind eq 'erase' || $kind eq 'truncate') && any { %{ $_->{pending} } } @{ $topic->{logs} };
	return if $kind eq 'compact' && !$topic->{compacts};
	return if $kind eq 'retention' && !$topic->{deletes};
	return if $kind eq 'merge' && $topic->{options}{'batch.merge'} eq 'off';
	return $self->finish_sql($step) if $kind eq 'finish';

	$sql = $self->transaction_sql($step) if $kind eq 'transaction' || $kind eq 'explicit';
	$sql = "SELECT erase('$topic->{name}', " . quote($step->{key}) . ");\n" if $kind eq 'erase';
	$sql = "SELECT count(*) FROM compact('$topic->{name}');\n" if $kind eq 'compact';
	$sql = "SELECT count(*) FROM merge_batches('$topic->{name}');\n" if $kind eq 'merge';
	$sql = 'SET pg_topics.clock_offset = ' . (LONG - HOUR) . ";\nSELECT count(*) FROM apply_retention('$topic->{name}');\n"
	  . "RESET pg_topics.clock_offset;\n" if $kind eq 'retention';
	$sql = "TRUNCATE $topic->{name};\n" if $kind eq 'truncate';
	$sql = "CHECKPOINT;\n" if $kind eq 'checkpoint';
	$sql = $self->delete_sql($step) if $kind eq 'delete_records';
	$sql = sprintf("SELECT 'got', record_offset FROM consume('%s', 'g', %d, partitions => '{%d}');\n",
		$topic->{name}, @{$step}{qw(count partition)}) . $self->group_sql if $kind eq 'consume';
	return $sql unless $step->{fault} && $sql;
	return "SET pg_topics.fault_point = '$step->{fault}';\n${sql}RESET pg_topics.fault_point;\n";
}

sub group_sql
{
	my ($self) = @_;

	return "SELECT 'group', topic, partition, committed_offset FROM topic_group_offsets WHERE group_id = 'g' AND topic = ANY ('{"
	  . join(',', $self->names) . "}'::regclass[]);\n";
}

# The place is at one of the log's ends, or between.
sub delete_sql
{
	my ($self, $step) = @_;
	my $log = $self->log_of($step);
	my $end = stable_end($log);
	my @offsets = sort { $a <=> $b } grep { $_ < $end } keys %{ $log->{records} };
	my $at = $step->{at};

	$step->{before} = $at < 0.1 ? $log->{start} : $at > 0.8 || !@offsets ? $end : $offsets[ @offsets * $at ] + ($at * 100 % 2);
	return sprintf("SELECT delete_records('%s', %d, %s);\n", $self->{topics}[ $step->{topic} ]{name}, $step->{partition}, $step->{before});
}

# Commit or roll back the transaction that has been open or prepared longest.
sub finish_sql
{
	my ($self, $step) = @_;
	my ($id) = sort { $a <=> $b } keys %{ $self->{pending} };
	my $end = $step->{commit} ? 'COMMIT' : 'ROLLBACK';

	return unless defined $id;
	$step->{of} = $id;
	$step->{session} = 'held' if $self->{pending}{$id}{how} eq 'hold';
	return $self->{pending}{$id}{how} eq 'hold' ? "$end;\n" : "$end PREPARED '$self->{pending}{$id}{name}';\n";
}

sub insert_sql
{
	my ($self, $records) = @_;
	my $sql = '';
	my @run;

	# one statement for records of one topic that follow each other
	foreach my $record (@$records, undef)
	{
		if (@run && (!$record || $record->{topic} != $run[0]{topic}))
		{
			my $offsets = defined $run[0]{offset_wanted};

			$sql .= "INSERT INTO $self->{topics}[$run[0]{topic}]{name} (partition, record_timestamp, key, value, headers"
			  . ($offsets ? ', record_offset' : '') . ") VALUES\n  "
			  . join(",\n  ", map {
				sprintf("(%d, to_timestamp(%s::numeric / 1000), %s, %s, %s%s)", $_->{partition}, $_->{timestamp},
					quote($_->{key}), quote($_->{value}), quote($_->{headers}), $offsets ? ", $_->{offset_wanted}" : '') } @run)
			  . ";\n";
			@run = ();
		}
		push @run, $record if $record;
	}
	return $sql;
}

# A transaction; what it appends, in order, goes into "appends", with offsets.
sub transaction_sql
{
	my ($self, $step) = @_;
	my $how = $step->{how};
	my $end = 'COMMIT';
	my $sql;

	return if $how eq 'hold' && any { $_->{how} eq 'hold' } values %{ $self->{pending} };
	return if $how eq 'prepare' && keys %{ $self->{pending} } > 2;
	$step->{session} = 'held' if $how eq 'hold';
	$step->{name} = $self->{topics}[0]{name} . '_' . ++$self->{count};
	$step->{appends} = [ @{ $step->{first} } ];
	push @{ $step->{appends} }, @{ $step->{second} } if $how =~ /^(savepoint|flush)$/;
	$self->foresee($step);
	$sql = sprintf("SET pg_topics.batch_size = '%s';\nSET pg_topics.buffer_memory = '%s';\nBEGIN;\n", $step->{batch_size}, $step->{big} ? '64kB' : '32MB')
	  . $self->insert_sql($step->{first});
	$sql .= "SAVEPOINT s;\n" . $self->insert_sql($step->{second}) if $how =~ /^savepoint/;
	$sql .= "ROLLBACK TO s;\n" if $how eq 'savepoint_rollback';
	$sql .= "SELECT count(*) FROM flush();\n" if $how =~ /^flush|^hold/;
	$sql .= $self->insert_sql($step->{second}) if $how =~ /^flush/ && $step->{kind} ne 'explicit';
	return $sql if $how eq 'hold';
	return $sql . "PREPARE TRANSACTION '$step->{name}';\n" if $how eq 'prepare';
	$end = 'ROLLBACK' if $how =~ /rollback$/ && $how !~ /^savepoint/;
	return $sql . "PREPARE TRANSACTION '$step->{name}';\n$end PREPARED '$step->{name}';\n" if $how =~ /^prepared/;
	return $sql . "$end;\n";
}

# The offsets of what a transaction appends.
sub foresee
{
	my ($self, $step) = @_;
	my %end;

	foreach my $record (@{ $step->{appends} })
	{
		my $log = $self->log_of($record);

		$end{$log} //= $log->{end};
		$record->{offset_wanted} = $end{$log} += $record->{gap} if defined $record->{gap};
		$record->{offset} = $end{$log}++;
	}
	return;
}

# ---- what a step does ------------------------------------------------------------

# The step went so; "out" is what the server said.  Returns what is wrong with that.
sub apply
{
	my ($self, $step, $outcome, $out) = @_;
	my $kind = $step->{kind};
	my $topic = $self->{topics}[ $step->{topic} // 0 ];
	my $unsure = $outcome ne 'ok';

	return $self->apply_transaction($step, $outcome) if $kind eq 'transaction' || $kind eq 'explicit';
	return $self->apply_finish($step, $outcome) if $kind eq 'finish';
	return $self->apply_consume($step, $outcome, $out) if $kind eq 'consume';
	$self->flushed if $kind eq 'checkpoint' && !$unsure;
	return if $kind eq 'checkpoint';
	$self->superseded($topic) if $kind eq 'compact';
	$self->expired($topic) if $kind eq 'retention';
	if ($kind eq 'erase')
	{
		foreach my $log (@{ $topic->{logs} })
		{
			my @of_key = grep { ($log->{records}{$_}{key} // '') eq $step->{key} } keys %{ $log->{records} };

			$log->{records}{$_}{may_go} = 1 foreach $unsure ? @of_key : ();
			delete @{ $log->{records} }{@of_key} unless $unsure;
		}
	}
	$self->start_at($self->log_of($step), $step->{before}, $unsure) if $kind eq 'delete_records';
	$self->start_at($_, $_->{end}, $unsure) foreach $kind eq 'truncate' ? @{ $topic->{logs} } : ();
	$_->{rolled} = 1 foreach @{ $topic->{logs} };
	return;
}

# The WAL is flushed: all that was appended stays.
sub flushed
{
	my ($self) = @_;

	$_->{durable} = $_->{end} foreach $self->all_logs;
	return;
}

# Records that have a later one of their key, which every snapshot sees.
sub superseded
{
	my ($self, $topic) = @_;

	foreach my $records (map { $_->{records} } @{ $topic->{logs} })
	{
		my %last = map { $records->{$_}{key} => $_ } sort { $a <=> $b } keys %$records;

		$records->{$_}{may_go} = 1 foreach grep { $_ < $last{ $records->{$_}{key} } } keys %$records;
	}
	return;
}

# Retention removes segments whose records are older than an hour, from the log's
# start on: as many as it finds.
sub expired
{
	my ($self, $topic) = @_;

	foreach my $log (@{ $topic->{logs} })
	{
		my ($stays) = sort { $a <=> $b } grep { $log->{records}{$_}{timestamp} > time * 1000 - HOUR } keys %{ $log->{records} };

		$stays = min($stays // $log->{end}, stable_end($log));
		$log->{start_most} = max($log->{start_most} // 0, $stays);
	}
	return;
}

# Nothing below that offset is left; unsure: perhaps.
sub start_at
{
	my ($self, $log, $start, $unsure) = @_;

	return if $start <= $log->{start};
	push(@{ $log->{starts} }, $start), return if $unsure;
	$log->{start} = $start;
	$log->{starts} = [];
	delete @{ $log->{records} }{ grep { $_ < $start } keys %{ $log->{records} } };
	$self->flushed;
	return;
}

# What is appended: committed, lost, pending or to be found out.
sub apply_transaction
{
	my ($self, $step, $outcome) = @_;
	my $how = $step->{how};
	my $lost = $how =~ /rollback$/ && $how !~ /^savepoint/;

	$self->note_rolls($step);
	return if $how eq 'rollback';
	return $self->unsure_transaction($step, $outcome) if $outcome ne 'ok';
	$self->{pending}{ $self->{count} } = $step if $how eq 'prepare' || $how eq 'hold';
	foreach my $record (@{ $step->{appends} })
	{
		my $log = $self->log_of($record);

		moves_start($log, $record);
		$log->{end} = $record->{offset} + 1;
		next if $lost;
		$log->{ $how eq 'prepare' || $how eq 'hold' ? 'pending' : 'records' }{ $record->{offset} } = {%$record};
	}
	$self->flushed unless $how =~ /^hold|rollback$/ && $how ne 'savepoint_rollback' && $how ne 'prepared_rollback';
	return;
}

# An explicit offset into an empty log is where that begins.
sub moves_start
{
	my ($log, $record) = @_;

	return if $log->{start} != $log->{end} || $record->{offset} <= $log->{end};
	push @{ $log->{starts} }, $record->{offset};
	$log->{tried}{ $record->{offset} } = 1;
	return;
}

# It failed: offsets may be taken.  Or it may be there as a whole.
sub unsure_transaction
{
	my ($self, $step, $outcome) = @_;
	my $may_be = $outcome eq 'gone' && $step->{how} =~ /^(commit|savepoint|savepoint_rollback|flush|prepared)$/;
	my $together = { decided => undef };

	$self->{unsure_prepared}{ $step->{name} } = $step if $outcome eq 'gone' && $step->{how} =~ /^prepare/;
	foreach my $record (@{ $step->{appends} })
	{
		my $log = $self->log_of($record);

		moves_start($log, $record);
		$log->{taken} = max($log->{taken}, $record->{offset} + 1 - $log->{end});
		$log->{maybe}{ $record->{offset} } = { %$record, together => $together } if $may_be;
	}
	return;
}

# A transaction that was open or prepared has ended.
sub apply_finish
{
	my ($self, $step, $outcome) = @_;
	my $of = $self->{pending}{ $step->{of} };
	my $together = { decided => undef };

	return ["$step->{of}: no end of it"] if $outcome eq 'error';
	if ($outcome eq 'gone' && $of->{how} eq 'prepare')
	{
		# still prepared, or it has ended
		$of->{ending} = $step->{commit} ? 'commit' : 'rollback';
		return;
	}
	delete $self->{pending}{ $step->{of} };
	foreach my $record (@{ $of->{appends} })
	{
		my $log = $self->log_of($record);

		delete $log->{pending}{ $record->{offset} };
		next unless $step->{commit};
		$log->{ $outcome eq 'ok' ? 'records' : 'maybe' }{ $record->{offset} } = { %$record, together => $outcome eq 'ok' ? undef : $together };
	}
	$self->flushed if $step->{commit} && $outcome eq 'ok';
	return;
}

# ---- groups ----------------------------------------------------------------------

# Consuming gives the next records, no other, and moves the offset no further than
# behind the gap that follows them.
sub apply_consume
{
	my ($self, $step, $outcome, $out) = @_;
	my $log = $self->log_of($step);
	my $from = max($log->{group} // 0, $log->{start});
	my $end = stable_end($log);
	my @there = sort { $a <=> $b } grep { $_ >= $from && $_ < $end } keys %{ $log->{records} };
	my @want = @there[ 0 .. min($step->{count}, scalar @there) - 1 ];
	my @wrong;

	$log->{group_most} = max($log->{group_most} // 0, @there > @want ? $there[@want] : $end) if $outcome ne 'ok';
	return if $outcome ne 'ok';
	my @got = $out =~ /^got\|(\d+)$/mg;
	my $seen = { map { /^group\|(\w+)\|(\d+)\|(\d*)$/ ? ("$1.$2" => $3) : () } split /\n/, $out };
	my $group = $seen->{"$self->{topics}[$step->{topic}]{name}.$step->{partition}"} // '';

	# a compaction that failed may have removed some
	push @wrong, "consumed @got, should be @want"
	  if "@got" ne "@want" && !any { $log->{records}{$_}{may_go} } @there;
	push @wrong, "the group's offset is $group behind @got" if @got && ($group || 0) <= $got[-1];
	push @wrong, "the group's offset is $group, before a record was read" if ($group || 0) > (@there > @want ? $there[@want] : $end);
	$log->{group} = $group eq '' ? undef : $group;
	$self->flushed if @got;
	return @wrong ? \@wrong : ();
}

# ---- what is seen ------------------------------------------------------------------

# What is to be seen of the topics, as SQL that any server can answer.
sub look_sql
{
	my ($self) = @_;

	return 'SELECT look(ARRAY[' . join(', ', map { quote($_) } $self->names) . '])';
}

# The lines of look() as topic.partition => { start, end, order, records, group, bases }.
sub parse_look
{
	my ($lines) = @_;
	my (%seen, @damage);

	foreach my $line (split /\n/, $lines)
	{
		my ($what, $name, $partition, @rest) = split /\|/, $line, -1;

		push(@damage, $line), next if $what eq 'damage';
		my $log = $seen{"$name.$partition"} //= { order => [], records => {}, bases => [] };
		@{$log}{qw(start end)} = @rest if $what eq 'bounds';
		push @{ $log->{bases} }, $rest[0] if $what eq 'segment';
		$log->{group} = $rest[0] if $what eq 'group';
		next unless $what eq 'record';
		my $offset = shift @rest;
		push @{ $log->{order} }, $offset;
		$log->{records}{$offset} = join '|', @rest;
	}
	return (\%seen, @damage);
}

# Prepared transactions after a crash, by name: those that were under way are there or
# not; open ones are gone.
sub crashed
{
	my ($self, @prepared) = @_;
	my %there = map { $_ => 1 } @prepared;
	my @wrong;

	foreach my $id (keys %{ $self->{pending} })
	{
		my $step = $self->{pending}{$id};
		my $stays = $step->{how} eq 'prepare' && delete $there{ $step->{name} };
		my $ending = delete $step->{ending};

		next if $stays;
		push @wrong, "transaction $step->{name} is not prepared any more" if $step->{how} eq 'prepare' && !$ending;
		$self->drop_pending($id, ($ending // '') eq 'commit');
	}
	foreach my $name (keys %{ $self->{unsure_prepared} // {} })
	{
		next unless delete $there{$name};
		# prepared, with all its records, and not ended
		my $step = $self->{unsure_prepared}{$name};
		my $id = ++$self->{count};

		$self->{pending}{$id} = { %$step, how => 'prepare' };
		foreach my $record (@{ $step->{appends} })
		{
			my $log = $self->log_of($record);

			delete $log->{maybe}{ $record->{offset} };
			$log->{pending}{ $record->{offset} } = {%$record};
			$log->{end} = $record->{offset} + 1;
		}
		$self->flushed;
	}
	$self->{unsure_prepared} = {};
	push @wrong, map { "transaction $_ is prepared" } keys %there;
	$_->{crashed} = 1 foreach $self->all_logs;
	return @wrong;
}

sub drop_pending
{
	my ($self, $id, $committed) = @_;
	my $step = delete $self->{pending}{$id};

	foreach my $record (@{ $step->{appends} })
	{
		my $log = $self->log_of($record);
		my $was = delete $log->{pending}{ $record->{offset} };

		$log->{records}{ $record->{offset} } = $was if $committed;
	}
	return;
}

# Is there anything that only a look can tell?
sub is_unsure
{
	my ($self) = @_;

	return any {
		$_->{taken} || @{ $_->{starts} } || $_->{start_most} || defined $_->{group_most} || %{ $_->{maybe} // {} }
		  || any { $_->{may_go} } values %{ $_->{records} }
	} $self->all_logs;
}

# Compare with what is seen and take over what was unsure.  Returns what is wrong.
sub compare
{
	my ($self, $seen) = @_;
	my @wrong;

	foreach my $topic (@{ $self->{topics} })
	{
		foreach my $partition (0 .. $#{ $topic->{logs} })
		{
			my $name = "$topic->{name}.$partition";
			my $log = $topic->{logs}[$partition];
			my $got = $seen->{$name} // { order => [], records => {}, bases => [] };

			push @wrong, map { "$name: $_" } compare_bounds($log, $got), compare_group($log, $got),
			  compare_records($log, $got), compare_segments($log, $got);
		}
	}
	return @wrong;
}

sub compare_bounds
{
	my ($log, $got) = @_;
	my ($start, $end) = ($got->{start} // 0, $got->{end} // 0);
	my $crashed = delete $log->{crashed};
	my $least = $crashed ? $log->{durable} : $log->{end};
	my $most = $log->{end} + $log->{taken};
	my @wrong;

	# a crash may leave an empty log where one that failed would have begun it
	push(@{ $log->{starts} }, $start), $most = max($most, $end)
	  if $crashed && !%{ $log->{records} } && $start == $end && $log->{tried}{$start};

	push @wrong, "the log end is $end, should be " . ($least == $most ? $least : "$least to $most") if $end < $least || $end > $most;
	push @wrong, "the log start is $start, should be " . join(' or ', $log->{start}, @{ $log->{starts} })
	  . ($log->{start_most} ? " to $log->{start_most}" : '')
	  unless (any { $start == $_ } $log->{start}, @{ $log->{starts} }) || ($start >= $log->{start} && $start <= ($log->{start_most} // -1));
	$log->{adrift} = $start == $end && $end > $log->{durable};
	@{$log}{qw(start end taken starts)} = ($start, $end, 0, []);
	$log->{durable} = min($log->{durable}, $end);
	delete $log->{start_most};
	delete @{ $log->{records} }{ grep { $_ < $start } keys %{ $log->{records} } };
	return @wrong;
}

sub compare_group
{
	my ($log, $got) = @_;
	my ($want, $have) = map { $_ // '' } $log->{group}, $got->{group};
	my $most = delete $log->{group_most};

	return if $have eq $want;
	$log->{group} = $have eq '' ? undef : $have;
	return if defined $most && $have ne '' && $have >= ($want || 0) && $have <= $most;
	return "the group's offset is $have, should be " . ($want eq '' ? 'none' : $want) . (defined $most ? " to $most" : '');
}

sub text_of
{
	my ($record) = @_;

	return join '|', map { $record->{$_} // '~' } qw(timestamp key value headers);
}

sub compare_records
{
	my ($log, $got) = @_;
	my ($records, $pending) = @{$log}{qw(records pending)};
	my $blocked = min(9e18, keys %$pending);
	my $maybe = delete $log->{maybe} // {};
	my @wrong;

	push @wrong, "offsets out of order: @{ $got->{order} }"
	  if any { $got->{order}[ $_ - 1 ] >= $got->{order}[$_] } 1 .. $#{ $got->{order} };
	foreach my $offset (sort { $a <=> $b } keys %$maybe)
	{
		my $record = $maybe->{$offset};
		my $together = $record->{together};

		# other records may be there in its place since, but in the same run none are.  Behind a
		# transaction that has not ended nothing is shown, so that what is not seen may be there
		$together->{decided} = 1 if ($got->{records}{$offset} // '') eq text_of($record);
		$together->{decided} //= 0 if $offset < $blocked || $offset >= $log->{end};
		$log->{maybe}{$offset} = $record if !defined $together->{decided};
		$records->{$offset} = $record if $together->{decided} && $offset >= $log->{start};
	}
	foreach my $offset (sort { $a <=> $b } keys %{ { %$records, %{ $got->{records} } } })
	{
		my ($want, $have) = ($records->{$offset}, $got->{records}{$offset});

		push @wrong, "offset $offset must not be there: $have" if !$want;
		push @wrong, "offset $offset is missing: " . text_of($want) if !defined $have && !$want->{may_go} && $offset < $blocked;
		push @wrong, "offset $offset is $have, should be " . text_of($want) if $want && defined $have && $have ne text_of($want);
		delete $records->{$offset} if $want && !defined $have && $offset < $blocked;
		delete $want->{may_go} if $want && defined $have;
	}
	return @wrong;
}

# ---- segments --------------------------------------------------------------------

# Does a transaction give the log a reason to roll?
sub note_rolls
{
	my ($self, $step) = @_;

	foreach my $record (@{ $step->{appends} })
	{
		my $log = $self->log_of($record);
		my $options = $self->{topics}[ $record->{topic} ]{options};

		$log->{oldest} = min($log->{oldest} // $record->{timestamp}, $record->{timestamp});
		$log->{newest} = max($log->{newest} // $record->{timestamp}, $record->{timestamp});
		$log->{rolls} = 1 if ($record->{gap} // 0) > 1_000_000_000 || $step->{fault} || $options->{'segment.bytes'} < 1_000_000
		  || $log->{newest} - $log->{oldest} >= $options->{'segment.ms'};
	}
	return;
}

# Without a reason no segment comes, and a crash is none.  Where the log has rolled for
# a batch that then failed, or rolls by itself, nothing is foreseen.
sub compare_segments
{
	my ($log, $got) = @_;
	my %before = map { $_ => 1 } @{ $log->{bases} // [] };
	my @new = grep { !$before{$_} } @{ $got->{bases} };
	my $reason = delete $log->{rolled} || $log->{rolls} || !%before;

	$log->{bases} = $got->{bases};
	return $reason || !@new ? () : "segments have come without a reason: @new";
}

1;
