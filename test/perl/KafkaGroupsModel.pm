# A model of consumer groups: members of both protocols and consumers in SQL that do things at random, what they were
# told, and what must therefore be.
#
#   my $model = KafkaGroupsModel->new(node => $node, port => $port, topics => { orders => 4 });
#   $model->add_group('g', 'classic', ['orders']);    # or 'consumer', or 'mixed': members of both protocols
#   $model->run(2);          # for so many seconds, with all kinds of actions
#   $model->settle;          # no more actions: all groups must come to rest
#   $model->problems;
#
# What must be:
#
#   a commit that was acknowledged is there, until the next commit, or a consumer in SQL that goes on from there
#   a partition has one owner: a live member that was told of it and has not given it up, or a transaction in SQL
#   a generation is told once, to one set of members, and goes back only with the server; the epoch of a member never does
#   a member that is heard of is not thrown out
#   what was committed as of an old generation or epoch is refused
#
# A member is live while a request that it sent a moment ago was answered.  An answer may lie for long until it is read, as that
# of a member that was silent: it tells what was when the request was sent, or nothing.  Where this script was slow, or a request was
# not answered, the model knows less, and asks for less.
package KafkaGroupsModel;

use strict;
use warnings;

use IO::Socket;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember ();
use KafkaOffsets ();
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);
use TopicTest;

use constant {
	RECORDS => 100,				# of each partition
	LIVE    => 1.5,				# seconds since the last answer
	SESSION => 4,				# seconds
	REQUEST => 5				# seconds that an answer may take
};

sub new
{
	my ($class, %params) = @_;

	return bless { groups => {}, problems => [], number => 0, answers => 0, holders => [], did => {}, %params }, $class;
}

sub problems { return @{ $_[0]{problems} } }

sub problem
{
	my ($self, @words) = @_;

	push @{ $self->{problems} }, join(' ', @words) if @{ $self->{problems} } < 10;
	return;
}

# What a member was told and did, for whoever looks for the cause of a problem of its group.
sub trace
{
	my ($self, $member, @words) = @_;
	my $trace = $member->{group}{trace};

	push @$trace, sprintf('%.3f member %d: ', time, $member->{number}) . join ' ', @words;
	shift @$trace if @$trace > 40;
	return;
}

# The traces of groups that have problems.
sub traces
{
	my ($self) = @_;
	my %named = map { /group (\S+?):? / ? ($1 => 1) : () } $self->problems;

	return map { ("group $_:", @{ $self->{groups}{$_}{trace} }) } sort grep { $self->{groups}{$_} } keys %named;
}

# The server is another one, or was away: no answer that was expected is one, and who was not heard of is not to blame.
sub lost_server
{
	my ($self, $port) = @_;

	$self->{port} = $port if $port;
	$self->forget_connection($_) foreach $self->members;
	# a generation whose leader has not shared out is not stored: the one before goes on, and its number is used no more
	$_->{top} = 0 foreach values %{ $self->{groups} };
	$self->unsure($_->{group}, $_->{topic}, $_->{partition}) foreach @{ $self->{holders} };
	# where only the listener was lost the transactions go on, and whoever wants their tables for himself would wait for ever
	eval { $_->{session}->close } foreach @{ $self->{holders} };
	$self->{holders} = [];
	return;
}

# ---- groups and members -----------------------------------------------------------------

sub add_group
{
	my ($self, $name, $kind, $topics) = @_;

	return $self->{groups}{$name} = { name => $name, kind => $kind, topics => $topics, members => [], told => {}, shares => {}, top => 0, commits => {}, trace => [] };
}

sub members { my ($self) = @_; return map { @{ $self->{groups}{$_}{members} } } sort keys %{ $self->{groups} } }

sub add_member
{
	my ($self, $group, $instance) = @_;
	my $kind = $group->{kind} eq 'mixed' ? some(qw(classic consumer)) : $group->{kind};
	my $member = { group => $group, kind => $kind, owned => {}, state => 'out', id => '', generation => -1, heard => 0,
		instance => $instance, lost => 0, next => 0, number => ++$self->{number} };

	$member->{beats} = KafkaHeartbeat->new(sub { $member->{client} }, group => $group->{name}, member => "m$self->{number}",
		names => $group->{topics}, instance => $instance) if $kind eq 'consumer';
	push @{ $group->{members} }, $member;
	return $member;
}

sub forget_member
{
	my ($self, $member) = @_;
	my $group = $member->{group};

	$member->{client}->close if $member->{client};
	@{ $group->{members} } = grep { $_ != $member } @{ $group->{members} };
	# a group that is empty for long by the shifted clock is forgotten, and begins anew
	@$group{qw(told shares top)} = ({}, {}, 0) if !@{ $group->{members} };
	return;
}

# Its connection is closed, or its answer lost.
sub forget_connection
{
	my ($self, $member) = @_;

	$self->trace($member, "loses its connection ($member->{state})");
	$member->{client}->close if $member->{client};
	$member->{client} = undef;
	$member->{lost} = 1;
	if ($member->{beats})
	{
		$member->{beats}->reconnect;
		$self->gave_up($member);
	}
	$member->{state} = 'out' if $member->{state} eq 'joining';
	$member->{state} = 'told' if $member->{state} eq 'syncing';
	return;
}

sub connected
{
	my ($self, $member) = @_;

	$member->{client} //= KafkaClient->new($self->{port}) // return 0;
	return 1;
}

sub is_live { my ($member) = @_; return !$member->{silent} && $member->{heard} > time - LIVE }

# A member has partitions, as it was told just now.
sub owns
{
	my ($self, $member, %owned) = @_;

	$member->{owned} = \%owned;
	return if !is_live($member);
	foreach my $other (grep { $_ != $member && is_live($_) } @{ $member->{group}{members} })
	{
		my @both = grep { $other->{owned}{$_} } sort keys %owned;

		$self->problem("group $member->{group}{name}: members $member->{number} and $other->{number} both have @both:",
			$self->describe($member), 'and', $self->describe($other)) if @both;
	}
	foreach my $holder (grep { $_->{group} == $member->{group} && $_->{until} > time } @{ $self->{holders} })
	{
		$self->problem("group $member->{group}{name}: member $member->{number} has $holder->{topic}-$holder->{partition}, which a transaction in SQL has")
		  if $owned{"$holder->{topic}-$holder->{partition}"};
	}
	return;
}

sub describe
{
	my ($self, $member) = @_;

	return "$member->{number} ($member->{state}, " . ($member->{beats} ? 'epoch ' . $member->{beats}->epoch : "generation $member->{generation}")
	  . sprintf(', heard %.2f s ago', time - $member->{heard}) . ')';
}

# A request is about to be sent.
sub asks { my ($member) = @_; $member->{asked} = time; return }

# It was answered.
sub heard
{
	my ($self, $member) = @_;

	$member->{heard} = $member->{asked};
	$member->{lost} = 0 if is_live($member);
	$self->{answers}++;
	return;
}

# ---- members of the classic protocol ------------------------------------------------------

sub send_join
{
	my ($self, $member) = @_;
	my %params = (topics => $member->{group}{topics}, session => SESSION * 1000, rebalance => 10_000, instance => $member->{instance});
	my ($client, $name) = ($member->{client}, $member->{group}{name});

	$member->{owned} = {};
	# without its id it would take its place back from the member that has its name now, which is not silent
	return $self->replaced($member) if $member->{superseded} && $member->{id} eq '';
	$member->{since} = $member->{group}{top};
	if ($member->{id} eq '' && !defined $member->{instance})
	{
		my $answer = KafkaMember::join_group($client, $name, %params, once => 1) // return $self->forget_connection($member);

		return if $answer->{error} != 79;
		$member->{id} = $answer->{member};
		$member->{stored} = 0;
	}
	asks($member);
	KafkaMember::send_join($client, $name, %params, member => $member->{id});
	$self->trace($member, "joins as '$member->{id}'");
	$member->{state} = 'joining';
	return;
}

# The group has come to a generation.
sub told_generation
{
	my ($self, $member, $answer) = @_;
	my ($group, $generation) = ($member->{group}, $answer->{generation});

	$self->trace($member, "is told of generation $generation as $answer->{member}, leader $answer->{leader}");

	# an answer that was not read for a while may be of a generation that is over since
	$self->problem("group $group->{name}: generation $generation for who joined after $member->{since}") if $generation < $member->{since};
	$group->{top} = $generation if $generation > $group->{top};
	@$member{qw(id generation state)} = ($answer->{member}, $generation, 'told');
	$member->{members} = $answer->{leader} eq $answer->{member} ? $answer->{members} : {};
	return if !%{ $answer->{members} };
	# a static member that comes back has another id in the same generation
	my $all = join(',', sort map { /^(i\d+)-/ ? $1 : $_ } keys %{ $answer->{members} });

	# a group that was not stored before the server was lost begins anew, with members that have new ids
	my $before = $group->{told}{$generation} // $all;
	my %known = map { $_ => 1 } split /,/, $before;

	$self->problem("group $group->{name}: generation $generation of $all, and of $before") if $before ne $all && grep { $known{$_} } split /,/, $all;
	$group->{told}{$generation} = $all;
	return;
}

sub read_join
{
	my ($self, $member) = @_;
	my $answer = KafkaMember::read_join($member->{client}) // return $self->forget_connection($member);

	$self->thrown_out($member, 'joins') if $answer->{error} == 25 && $member->{stored};
	$self->heard($member);
	$self->trace($member, "joins in vain: $answer->{error}") if $answer->{error};
	$member->{state} = 'out';
	$member->{id} = '' if $answer->{error} == 25;
	$self->replaced($member) if $answer->{error} == 82;
	$self->told_generation($member, $answer) if $answer->{error} == 0;
	return;
}

# Who leads shares all partitions out.
sub send_sync
{
	my ($self, $member) = @_;
	my $group = $member->{group};
	my %shares;

	if (%{ $member->{members} })
	{
		my @ids = sort { substr($a, -4) cmp substr($b, -4) || $a cmp $b } keys %{ $member->{members} };
		my $n = 0;

		$shares{$_} = {} foreach @ids;
		foreach my $topic (grep { $self->{topics}{$_} } @{ $group->{topics} })
		{
			push @{ $shares{ $ids[ $n++ % @ids ] }{$topic} }, $_ foreach 0 .. $self->{topics}{$topic} - 1;
		}
		$group->{shares}{ $member->{generation} } = { map { my $id = $_; $id => join(' ', map { my $t = $_; map { "$t-$_" } @{ $shares{$id}{$t} } } sort keys %{ $shares{$id} }) } @ids };
		%shares = map { $_ => KafkaMember::assignment(%{ $shares{$_} }) } @ids;
	}
	asks($member);
	KafkaMember::send_sync($member->{client}, $group->{name}, member => $member->{id}, generation => $member->{generation},
		instance => $member->{instance}, assignments => \%shares);
	$member->{state} = 'syncing';
	return;
}

sub read_sync
{
	my ($self, $member) = @_;
	my $answer = KafkaMember::read_sync($member->{client}) // return $self->forget_connection($member);
	my $group = $member->{group};

	$self->heard($member);
	if ($answer->{error})
	{
		$member->{state} = 'out';
		$member->{id} = '' if $answer->{error} == 25;
		$self->replaced($member) if $answer->{error} == 82;
		return;
	}
	my $assignment = KafkaMember::read_assignment($answer->{assignment});
	my $share = $group->{shares}{ $member->{generation} }{ $member->{id} };

	$self->problem("group $group->{name}: member $member->{number} is told of '$assignment' in place of '$share'")
	  if defined $share && $share ne $assignment && !defined $member->{instance};
	@$member{qw(state stored)} = ('stable', 1);
	$self->owns($member, map { $_ => 1 } split ' ', $assignment);
	return;
}

# A member that was heard of is not one any more.
sub thrown_out
{
	my ($self, $member, $what) = @_;

	$self->problem("group $member->{group}{name}: a member that $what is thrown out:", $self->describe($member))
	  if is_live($member) && !$member->{lost};
	return;
}

# Another one has its instance.
sub replaced
{
	my ($self, $member) = @_;

	$member->{owned} = {};
	$member->{gone} = 1;
	return;
}

sub heartbeat
{
	my ($self, $member) = @_;
	asks($member);
	my $error = KafkaMember::heartbeat($member->{client}, $member->{group}{name}, member => $member->{id},
		generation => $member->{generation}, instance => $member->{instance});

	return $self->forget_connection($member) if $error eq 'closed';
	$self->thrown_out($member, 'sends heartbeats') if $error == 25;
	$self->heard($member) if $error != 14 && $error != 15 && $error != 16;
	return $self->owns($member, %{ $member->{owned} }) if $error == 0;
	return if $error == 14 || $error == 15 || $error == 16;
	return $self->replaced($member) if $error == 82;
	@$member{qw(state owned)} = ('out', {});
	$member->{id} = '' if $error == 25;
	return;
}

sub step_classic
{
	my ($self, $member) = @_;
	my $waits = $member->{state} eq 'joining' || $member->{state} eq 'syncing';

	return if $waits && !$member->{client}->is_readable;
	return $self->read_join($member) if $member->{state} eq 'joining';
	return $self->read_sync($member) if $member->{state} eq 'syncing';
	return $self->send_sync($member) if $member->{state} eq 'told';
	return $self->send_join($member) if $member->{state} eq 'out';
	return $self->heartbeat($member);
}

# ---- members of the new protocol --------------------------------------------------------------

# What a member has, and will have, as "topic-partition" => 1.
sub partitions_of
{
	my ($self, $beats) = @_;

	return map { my $topics = $_; map { my $id = $_; map { ($self->{names}{$id} // $id) . "-$_" => 1 } @{ $topics->{$id} } } keys %$topics }
	  grep { $_ } $beats->{owned}, $beats->{target};
}

sub step_consumer
{
	my ($self, $member) = @_;
	my $beats = $member->{beats};
	my $epoch = $beats->epoch;
	asks($member);
	my $answer = $beats->beat;

	$self->gave_up($member);
	if ($answer->{error} == 110 || $answer->{error} == 25)
	{
		$self->thrown_out($member, 'sends heartbeats') if $epoch > 0;
		$member->{owned} = {};
	}
	elsif ($answer->{error} == 82 || $answer->{error} == 111)
	{
		$member->{owned} = {};
		$member->{gone} = 1 if $answer->{error} == 82;
	}
	elsif ($answer->{error} == 0)
	{
		$self->problem("group $member->{group}{name}: member $member->{number} is told of epoch $answer->{epoch} after $epoch")
		  if $answer->{epoch} < $epoch;
		$member->{state} = 'stable';
		$self->heard($member);
		$self->owns($member, $self->partitions_of($beats));
	}
	return;
}

# Its last request, which may have come to the server without an answer, told of partitions that it has given up.
sub gave_up
{
	my ($self, $member) = @_;
	my %has = $self->partitions_of($member->{beats});

	delete $member->{owned}{$_} foreach grep { !$has{$_} } keys %{ $member->{owned} };
	return;
}

# A member that was silent goes on: the answer that it may find is of a time that is over.
sub wakes { my ($member) = @_; @$member{qw(lost asked)} = (1, 0); return }

# Let a member do what is to be done next.
sub step
{
	my ($self, $member) = @_;

	return if $member->{silent} && $member->{silent} > time;
	wakes($member) if delete $member->{silent};
	return if $member->{next} > time || !$self->connected($member);
	my $waits = $member->{state} eq 'joining' || $member->{state} eq 'syncing';
	$member->{next} = time + ($waits ? 0.01 : 0.15);
	eval {
		local $PostgreSQL::Test::Utils::timeout_default = REQUEST;
		$member->{kind} eq 'classic' ? $self->step_classic($member) : $self->step_consumer($member);
		1;
	} or do {
		die $@ if $@ !~ /closed|does not answer|too short/;
		$self->forget_connection($member);
	};
	$self->forget_member($member) if $member->{gone};
	return;
}

sub step_all { my ($self) = @_; $self->step($_) foreach $self->members; return }

# ---- commits --------------------------------------------------------------------------------------

sub commits { my ($self, $group, $topic, $partition) = @_; return $group->{commits}{"$topic-$partition"} //= { maybe => {} } }

# Nothing is known of what is committed there.
sub unsure { my ($self, $group, $topic, $partition) = @_; $self->commits($group, $topic, $partition)->{any} = 1; return }

# A commit of a member, as of its generation or another one: its error, or 'closed'.
sub commit
{
	my ($self, $member, $topic, $partition, $offset, $metadata, $generation) = @_;
	my $consumer = $member->{kind} eq 'consumer';

	return eval {
		local $PostgreSQL::Test::Utils::timeout_default = 7;
		KafkaOffsets::commit_error($member->{client}, $member->{group}{name}, $topic, $partition, [ $offset, $metadata, -1 ],
			version => $consumer ? 9 : 8, member => $consumer ? $member->{beats}{said}{member} : $member->{id},
			instance => $member->{instance}, generation => $generation // ($consumer ? $member->{beats}->epoch : $member->{generation}));
	} // 'closed';
}

sub act_commit
{
	my ($self, $member) = @_;
	my ($owned) = sort { rand() <=> 0.5 } sort keys %{ $member->{owned} };
	my ($topic, $partition) = ($owned // '') =~ /^(\w+)-(\d+)$/ or return;
	my $offset = int rand(RECORDS + 1);
	my $value = "$offset v" . ++$self->{number};
	my $commits = $self->commits($member->{group}, $topic, $partition);
	my $error = $self->commit($member, $topic, $partition, $offset, "v$self->{number}");

	if ($error eq 'closed')
	{
		$commits->{maybe}{$value} = 1;
		$self->forget_connection($member);
		return;
	}
	if ($error == 0)
	{
		$commits->{acked} = $value;
		return;
	}
	# what waits for standbys may come yet; others are refused
	$commits->{maybe}{$value} = 1 if $error == 7 || $error == 15;
	return;
}

# As of a generation that is over, or is to come.
sub act_stale
{
	my ($self, $member) = @_;
	my ($owned) = sort keys %{ $member->{owned} };
	my ($topic, $partition) = ($owned // '') =~ /^(\w+)-(\d+)$/ or return;
	my $now = $member->{beats} ? $member->{beats}->epoch : $member->{generation};
	my $error = $self->commit($member, $topic, $partition, 1, 'stale', $now + (rand() < 0.5 ? 1 : -1));

	return $self->forget_connection($member) if $error eq 'closed';
	$self->problem("group $member->{group}{name}: a commit as of another generation than $now is taken:", $self->describe($member)) if $error == 0;
	return;
}

# What is committed, of all groups: {group}{topic-partition} = "offset metadata".
sub committed
{
	my ($self) = @_;
	my %committed;

	foreach my $row (split /\n/, $self->{node}->safe_psql('postgres', q{SELECT group_id, topic::regclass, partition, committed_offset, metadata
		FROM topic_group_offsets WHERE committed_offset IS NOT NULL}))
	{
		my ($group, $topic, $partition, $offset, $metadata) = split /\|/, $row, -1;

		$committed{$group}{"$topic-$partition"} = "$offset $metadata";
	}
	return \%committed;
}

# Compare what is committed with what was acknowledged.  "known": requests that were not answered are over.
sub check_commits
{
	my ($self, $when, $known) = @_;
	my $committed = $self->committed;

	foreach my $group (map { $self->{groups}{$_} } sort keys %{ $self->{groups} })
	{
		foreach my $at (sort keys %{ $group->{commits} })
		{
			my $commits = $group->{commits}{$at};
			my $is = $committed->{ $group->{name} }{$at} // 'nothing';

			$self->problem("$when: group $group->{name} has committed $is in $at in place of", $commits->{acked} // 'nothing',
				(map { "or $_" } sort keys %{ $commits->{maybe} }))
			  if !$commits->{any} && $is ne ($commits->{acked} // 'nothing') && !$commits->{maybe}{$is};
			@$commits{qw(acked maybe any)} = ($is eq 'nothing' ? undef : $is, {}, 0) if $known;
		}
	}
	return;
}

# ---- consumers in SQL --------------------------------------------------------------------------------

# A partition was read in SQL up to an offset, as its group was free.
sub consumed
{
	my ($self, $group, $topic, $partition, $first, $next) = @_;
	my $commits = $self->commits($group, $topic, $partition);
	my ($before) = split ' ', $commits->{acked} // '';

	foreach my $member (grep { is_live($_) } @{ $group->{members} })
	{
		$self->problem("group $group->{name}: SQL has got $topic-$partition beside member", $self->describe($member), 'which has', join(',', sort keys %{ $member->{owned} }))
		  if grep { /^\Q$topic\E-/ } keys %{ $member->{owned} };
	}
	$self->problem("group $group->{name}: SQL goes on at $first in $topic-$partition in place of $commits->{acked}")
	  if defined $before && $first != $before && !$commits->{any} && !%{ $commits->{maybe} };
	@$commits{qw(acked maybe any)} = ("$next ", {}, 0);
	return;
}

sub act_consume
{
	my ($self, $group, $topic) = @_;
	my ($code, $out, $err) = try_psql($self->{node}, "SET ROLE producer\nSET statement_timeout = '3s'\n"
		. "SELECT partition, min(record_offset), max(record_offset) + 1 FROM consume('$topic', '$group->{name}', 3, auto_offset_reset => 'earliest') GROUP BY 1");

	if ($code == 0)
	{
		$self->consumed($group, $topic, split /\|/) foreach split /\n/, $out;
		return;
	}
	return if $err =~ /in use by Kafka clients|does not exist/;
	$self->unsure($group, $topic, $_) foreach 0 .. ($self->{topics}{$topic} // 0) - 1;
	return;
}

# A transaction that has a partition for a while.
sub act_hold
{
	my ($self, $group, $topic) = @_;

	return if @{ $self->{holders} } >= 2;
	my $session = eval { open_session($self->{node}) } // return;
	my ($out, $err) = eval { $session->both("BEGIN; SET LOCAL statement_timeout = '3s'; SET LOCAL ROLE producer; SELECT partition, min(record_offset), max(record_offset) + 1 FROM consume('$topic', '$group->{name}', 2, auto_offset_reset => 'earliest') GROUP BY 1") };

	if (!defined $err || $err ne '' || $out !~ /^(\d+)\|(\d+)\|(\d+)$/)
	{
		eval { $session->close };
		return;
	}
	push @{ $self->{holders} }, { session => $session, group => $group, topic => $topic, partition => $1, end => $3, until => time + 0.3 + rand(2) };
	return;
}

# Transactions whose time is over.
sub end_holds
{
	my ($self, $all) = @_;

	foreach my $holder (@{ $self->{holders} })
	{
		next if !$all && $holder->{until} > time;
		my ($group, $topic, $partition) = @$holder{qw(group topic partition)};
		my $commit = rand() < 0.7;
		my ($out, $err) = eval { $holder->{session}->both($commit ? 'COMMIT' : 'ROLLBACK') };

		if (!defined $err || $err ne '') { $self->unsure($group, $topic, $partition); }
		elsif ($commit)
		{
			my $commits = $self->commits($group, $topic, $partition);

			@$commits{qw(acked maybe any)} = ("$holder->{end} ", {}, 0);
		}
		eval { $holder->{session}->close };
		$holder->{over} = 1;
	}
	@{ $self->{holders} } = grep { !$_->{over} } @{ $self->{holders} };
	return;
}

# A seek, which is refused while the group has members there.
sub act_seek
{
	my ($self, $group, $topic) = @_;
	my $offset = int rand(RECORDS);
	my ($code, $out, $err) = try_psql($self->{node}, "SET ROLE producer\nSET statement_timeout = '1s'\nSELECT seek_to_offset('$topic', '$group->{name}', $offset, 0)");

	if ($code == 0)
	{
		foreach my $member (grep { is_live($_) } @{ $group->{members} })
		{
			$self->problem("group $group->{name}: SQL seeks in $topic beside", $self->describe($member)) if grep { /^\Q$topic\E-/ } keys %{ $member->{owned} };
		}
		my $commits = $self->commits($group, $topic, 0);

		@$commits{qw(acked maybe any)} = ("$offset ", {}, 0);
	}
	elsif ($err !~ /in use by Kafka clients|canceling statement/) { $self->unsure($group, $topic, 0); }
	return;
}

# ---- what happens ----------------------------------------------------------------------------------------

sub some { return $_[ rand @_ ] }

# A member leaves, comes, is silent, loses an answer, is replaced.
sub act_member
{
	my ($self, $group) = @_;
	my $member = some(@{ $group->{members} });
	my $what = rand();

	return $self->add_member($group, rand() < 0.25 ? 'i' . int(rand 1e6) : undef) if !$member || (@{ $group->{members} } < 4 && $what < 0.25);
	if ($what < 0.4) { $self->leave($member); }
	elsif ($what < 0.6) { $member->{silent} = time + rand(2 * SESSION); }
	elsif ($what < 0.85) { $self->lose_answer($member); }
	elsif (defined $member->{instance} && $member->{kind} eq 'classic' && !$member->{superseded})
	{
		# another process with its name
		$member->{silent} = time + 1 + rand(3);
		@$member{qw(owned superseded)} = ({}, 1);
		$self->add_member($group, $member->{instance});
	}
	return;
}

sub leave
{
	my ($self, $member) = @_;

	$self->trace($member, "leaves ($member->{state})");
	$member->{owned} = {};
	eval {
		local $PostgreSQL::Test::Utils::timeout_default = REQUEST;
		if ($member->{beats}) { $member->{beats}->leave if $member->{client}; }
		elsif ($member->{client} && $member->{state} eq 'stable')
		{
			KafkaMember::leave_group($member->{client}, $member->{group}{name}, [ [ $member->{id}, $member->{instance} ] ]);
		}
	};
	$self->forget_member($member);
	return;
}

# A request is sent, and its connection closed.
sub lose_answer
{
	my ($self, $member) = @_;

	return if !$self->connected($member);
	if ($member->{beats})
	{
		my %request = $member->{beats}->request;

		KafkaHeartbeat::send_heartbeat($member->{client}, %request);
		usleep(int rand 20_000);
	}
	$self->forget_connection($member);
	return;
}

sub act
{
	my ($self) = @_;
	my $group = $self->{groups}{ some(sort keys %{ $self->{groups} }) };
	my @stable = grep { $_->{state} eq 'stable' && $_->{client} && !$_->{silent} && !$_->{lost} } @{ $group->{members} };
	my $topic = some(grep { $self->{topics}{$_} } @{ $group->{topics} }) // return;
	my $what = int rand 100;
	my $name;

	if ($what < 15) { $name = 'member'; $self->act_member($group); }
	elsif ($what < 75 && @stable) { $name = 'commit'; $self->act_commit(some(@stable)); }
	elsif ($what < 80 && @stable) { $name = 'stale'; $self->act_stale(some(@stable)); }
	elsif ($what < 86) { $name = 'consume'; $self->act_consume($group, $topic); }
	elsif ($what < 90) { $name = 'hold'; $self->act_hold($group, $topic); }
	elsif ($what < 93) { $name = 'seek'; $self->act_seek($group, $topic); }
	elsif ($what < 95) { $name = 'empty'; $self->empty($group); }
	$self->{did}{$name}++ if $name;
	return;
}

# All leave, and the group may get members of the other protocol.
sub empty
{
	my ($self, $group) = @_;

	$self->leave($_) foreach @{ [ @{ $group->{members} } ] };
	return if !$group->{flips} || rand() < 0.5;
	@$group{qw(kind told shares top)} = ($group->{kind} eq 'classic' ? 'consumer' : 'classic', {}, {}, 0);
	$self->add_member($group);
	return;
}

sub run
{
	my ($self, $seconds) = @_;
	my $end = time + $seconds;

	while (time < $end && !@{ $self->{problems} })
	{
		my $began = time;

		$self->step_all;
		$self->end_holds;
		$self->act;
		usleep(10_000) if time < $began + 0.01;
	}
	return;
}

# ---- rest ----------------------------------------------------------------------------------------------------

# The partitions of a group's topics.
sub all_partitions
{
	my ($self, $group) = @_;

	return join(' ', sort map { my $topic = $_; map { "$topic-$_" } 0 .. ($self->{topics}{$topic} // 0) - 1 } @{ $group->{topics} });
}

sub is_settled
{
	my ($self, $group) = @_;
	my @members = @{ $group->{members} };

	return !@members || (!(grep { $_->{state} ne 'stable' || ($_->{beats} && $_->{beats}{target} && KafkaHeartbeat::as_text($_->{beats}{target}) ne KafkaHeartbeat::as_text($_->{beats}{owned})) } @members)
		&& join(' ', sort map { keys %{ $_->{owned} } } @members) eq $self->all_partitions($group));
}

# Nothing happens any more: all groups must come to rest.
sub settle
{
	my ($self) = @_;
	my $end = time + 60;
	my @groups = map { $self->{groups}{$_} } sort keys %{ $self->{groups} };

	$self->end_holds(1);
	wakes($_) foreach grep { delete $_->{silent} } $self->members;
	$self->add_member($_) foreach grep { !@{ $_->{members} } } @groups;
	until (!grep { !$self->is_settled($_) } @groups)
	{
		$self->step_all;
		last if @{ $self->{problems} };
		usleep(5000);
		next if time < $end;
		$self->problem("group $_->{name} does not come to rest:", (map { $self->describe($_) . ' has ' . join(',', sort keys %{ $_->{owned} }) } @{ $_->{members} }),
			'of', $self->all_partitions($_)) foreach grep { !$self->is_settled($_) } @groups;
		last;
	}
	return;
}

# Tables must say what members were told, and what APIs tell.
sub check_tables
{
	my ($self) = @_;
	my $client = KafkaClient->new($self->{port}) // return $self->problem('no connection');
	my $listed = KafkaMember::list_groups($client);
	my $rows = sub { return map { my ($name, @rest) = split /\|/, $_, -1; $name => "@rest" } split /\n/, $self->{node}->safe_psql('postgres', $_[0]) };
	my %epochs = $rows->('SELECT group_id, kind, epoch FROM topic_kafka_groups');
	my %count = $rows->('SELECT group_id, count(*) FROM topic_kafka_members GROUP BY 1');
	my %claims = $rows->(q{SELECT group_id, string_agg(topic::regclass || '-' || partition, ' ' ORDER BY (topic::regclass || '-' || partition) COLLATE "C")
		FROM topic_group_offsets WHERE member_id LIKE 'kafka:%' GROUP BY 1});

	foreach my $group (map { $self->{groups}{$_} } sort keys %{ $self->{groups} })
	{
		my $name = $group->{name};
		# as long as one of its members speaks the new protocol, the group does
		my $kind = (grep { $_->{kind} eq 'consumer' } @{ $group->{members} }) ? 'consumer' : 'classic';
		my $members = @{ $group->{members} };
		my $epoch = $kind eq 'classic' ? $group->{members}[0]{generation} : KafkaHeartbeat::describe_consumer_groups($client, $name)->{$name}{epoch};

		$self->problem("group $name: row is '", $epochs{$name} // 'none', "' in place of '$kind $epoch'") if ($epochs{$name} // '') ne "$kind $epoch";
		$self->problem("group $name has", $count{$name} // 'no', "rows of members in place of $members") if ($count{$name} // 0) != $members;
		$self->problem("group $name has claimed", $claims{$name} // 'nothing', 'in place of', $self->all_partitions($group)) if ($claims{$name} // '') ne $self->all_partitions($group);
		$self->problem("group $name is listed as", $listed->{$name} // 'nothing') if ($listed->{$name} // '') !~ /^consumer:Stable:/i;
	}
	return;
}

# All leave: SQL may use the groups, which have no claims and no members any more.
sub finish
{
	my ($self) = @_;
	my @groups = map { $self->{groups}{$_} } sort keys %{ $self->{groups} };

	foreach my $group (@groups)
	{
		$self->leave($_) foreach @{ [ @{ $group->{members} } ] };
	}
	poll_until(sub { $self->{node}->safe_psql('postgres', q{SELECT (SELECT count(*) FROM topic_kafka_members) + (SELECT count(*) FROM topic_group_offsets WHERE member_id LIKE 'kafka:%')}) eq '0' })
	  or $self->problem('claims or members stay:', $self->{node}->safe_psql('postgres', q{SELECT string_agg(DISTINCT group_id, ' ') FROM
		(SELECT group_id FROM topic_kafka_members UNION ALL SELECT group_id FROM topic_group_offsets WHERE member_id LIKE 'kafka:%') x}));
	$self->check_commits('at the end', 0);
	foreach my $group (@groups[ 0 .. ($#groups < 9 ? $#groups : 9) ])
	{
		foreach my $topic (grep { $self->{topics}{$_} } @{ $group->{topics} })
		{
			$self->{node}->safe_psql('postgres', "SET ROLE producer; SELECT count(*) FROM consume('$topic', '$group->{name}', 100000, auto_offset_reset => 'earliest')");
		}
	}
	return;
}

1;
