# Random histories of topics, with crashes, against a model: after each restart the log
# (offsets, keys, values, timestamps, headers, its start and its end), the group's
# offsets and the prepared transactions are what the model says, verify_topic() finds
# nothing, no segment has come without a reason, and a standby shows the same; a copy
# of the standby that is promoted does so too, and goes on.  See test/perl/LogModel.pm.
#
# A crash is the loss of all processes: while the server is idle; in the midst of a
# step; at a fault point that a step comes by; while the sync process stands at a step
# of a checkpoint, before or after the recovery point is there; during a spread
# checkpoint; and again during recovery, once or twice.
#
#	TOPIC_TEST_SEED			repeats a run (which moment a process is killed in is the
#							only chance that it does not repeat)
#	TOPIC_TEST_HISTORY		only this history of it
#	TOPIC_TEST_HISTORIES	so many histories (8)
#	TOPIC_TEST_SECONDS		as many as there is time for (test/run model MINUTES)
#	TOPIC_TEST_SHRINK		so many tries to shorten a history that has failed (0)
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Path qw(rmtree);
use LogModel;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(time);
my $seconds = $ENV{TOPIC_TEST_SECONDS};
my $histories = $ENV{TOPIC_TEST_HISTORIES} // ($seconds ? 1_000_000 : 8);
my $began = time;

diag("TOPIC_TEST_SEED=$seed");

my ($primary, $standby, %sessions, %extra_options, @done, $spread);
my %count = map { $_ => 0 } qw(histories steps errors crashes looks standby_looks promotions);

# ---- servers -----------------------------------------------------------------

my $clusters = 0;

sub new_servers
{
	my $number = ++$clusters;

	$primary = new_node("primary$number", init => { allows_streaming => 1 }, settings => [
		# what killed processes have written is not lost, so fsync would only cost time
		'fsync = off', 'restart_after_crash = off', 'client_min_messages = error', 'pg_topics.sync_interval = 5ms',
		'checkpoint_timeout = 30s', 'checkpoint_completion_target = 0.9', 'max_wal_size = 256MB', 'min_wal_size = 32MB',
		'wal_retrieve_retry_interval = 200ms', 'jit = off' ]);
	$primary->start;
	$primary->safe_psql('postgres', q{
		CREATE EXTENSION pg_topics;
		SELECT create_topic('rounds', config => '{"cleanup.policy": "compact"}');
		CREATE TABLE filler WITH (fillfactor = 10) AS SELECT n, repeat('f', 500) AS f FROM generate_series(1, 400) AS n;
		-- all there is to know of some topics
		CREATE FUNCTION look(topics text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
		DECLARE name text;
		BEGIN
			RETURN QUERY
				SELECT concat_ws('|', 'bounds', topic, partition, log_start_offset, log_end_offset)
				FROM pg_topic_partitions WHERE topic = ANY (topics::regclass[]);
			RETURN QUERY
				SELECT concat_ws('|', 'group', topic, partition, coalesce(committed_offset::text, ''))
				FROM topic_group_offsets WHERE topic = ANY (topics::regclass[]) AND group_id = 'g';
			RETURN QUERY
				SELECT concat_ws('|', 'segment', topic, partition, base_offset)
				FROM pg_topic_segments WHERE topic = ANY (topics::regclass[]) ORDER BY topic, partition, base_offset;
			FOREACH name IN ARRAY topics LOOP
				RETURN QUERY EXECUTE format($sql$
					SELECT concat_ws('|', 'record', %1$L, partition, record_offset,
						(extract(epoch FROM record_timestamp) * 1000)::bigint, coalesce(key, '~'),
						coalesce(value, '~'), coalesce(headers::text, '~')) FROM %1$I
					UNION ALL
					SELECT concat_ws('|', 'damage', %1$L, v::text) FROM verify_topic(%1$L) AS v
				$sql$, name);
			END LOOP;
		END $$});
	$primary->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('standby')});
	$primary->backup('backup');
	$standby = PostgreSQL::Test::Cluster->new("standby$number");
	$standby->init_from_backup($primary, 'backup', has_streaming => 1);
	$standby->append_conf('postgresql.conf', q{primary_slot_name = 'standby'});
	$standby->start;
	find_extra_options();
	return;
}

# Some options are given where the server knows them.
sub find_extra_options
{
	my %wanted = ('message.timestamp.after.max.ms' => '9223372036854775807');

	foreach my $name (sort keys %wanted)
	{
		my ($code) = $primary->psql('postgres', qq(BEGIN; SELECT create_topic('t', config => '{"$name": "$wanted{$name}"}'); ROLLBACK));
		$extra_options{$name} = $wanted{$name} if $code == 0;
	}
	return;
}

# Whatever is left of them goes, with their files.
sub drop_servers
{
	close_sessions();
	foreach my $node ($standby, $primary)
	{
		kill_all($node, $node->{_pid}) if $node->{_pid};
		rmtree($node->data_dir);
	}
	rmtree($primary->backup_dir);
	return;
}

# What the server's log says from there on.
sub log_from
{
	my ($node, $from) = @_;

	return slurp_file($node->logfile, $from);
}

sub log_size { return -s $_[0]->logfile || 0; }

sub set_fault
{
	my ($node, $setting) = @_;

	append_to_file($node->data_dir . '/postgresql.auto.conf', "pg_topics.fault_point = '$setting'\n");
	return;
}

sub reset_fault
{
	my ($node) = @_;

	unlink $node->data_dir . '/postgresql.auto.conf';
	append_to_file($node->data_dir . '/postgresql.auto.conf', '');
	return;
}

sub start_node
{
	my ($node, $points) = @_;
	my $from = log_size($node);

	crash_in_recovery($node, $_) foreach @$points;
	return 1 if $node->start(fail_ok => 1);
	my @last = grep { /FATAL|PANIC|ERROR|DETAIL|CONTEXT/ } split /\n/, log_from($node, $from);
	die $node->name . " does not start: @last[-5 .. -1]\n" if @last > 5;
	die $node->name . " does not start: @last\n";
}

# Start it, wait until recovery stands at that point, or it does not come by and the
# server is up; and kill it.
sub crash_in_recovery
{
	my ($node, $point) = @_;
	my $pid_file = $node->data_dir . '/postmaster.pid';
	my $from = log_size($node);

	unlink $pid_file;
	set_fault($node, "$point:stop");
	system_or_bail('pg_ctl', '-W', '-D', $node->data_dir, '-l', $node->logfile, '-o', '--cluster-name=' . $node->name, 'start');
	poll_until(sub { -s $pid_file && slurp_file($pid_file) =~ /^(\d+)\n/ && ($node->{_pid} = $1) }) or die "no postmaster\n";
	poll_until(sub { log_from($node, $from) =~ /stopping at fault point|ready to accept|shutting down|database system is shut down|FATAL:  (?!the database system is)/
		|| !-e $pid_file })
	  or die $node->name . ": recovery neither gets to $point nor ends\n";
	$count{recovery_stops}++ if log_from($node, $from) =~ /stopping at fault point/;
	push @done, "-- " . $node->name . " killed in recovery, at $point or later";
	kill_all($node, $node->{_pid});
	reset_fault($node);
	return;
}

# ---- sessions ----------------------------------------------------------------

sub close_sessions
{
	foreach my $session (values %sessions)
	{
		eval { $session->{run}->kill_kill(grace => 1); $session->{run}->finish; 1 } or next;
	}
	%sessions = ();
	return;
}

# Run SQL in that session: "ok", "error" or, where the server went down, "gone"; and
# what it said.
sub ask_session
{
	my ($name, $sql, $meanwhile) = @_;
	my ($out, $err);
	my $alive = eval {
		my $session = $sessions{$name} //= open_session($primary);
		($out, $err) = $session->both($sql, $meanwhile);
		1;
	};

	die "a step does not end: $sql" if !$alive && $@ =~ /timeout/;
	return ('gone', $@) if !$alive;
	return $err =~ /^(psql|ERROR|FATAL|PANIC|.*ERROR: )/m ? ('error', $err) : ('ok', $out);
}

# Have the sync process go round twice; it resolves what has ended.
sub resolve_all
{
	$primary->safe_psql('postgres', q{SELECT count(*) FROM compact('rounds', dry_run => true)});
	return;
}

# ---- looking -----------------------------------------------------------------

# Compare what that server shows with the model.
sub check
{
	my ($model, $node, $when) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $model->look_sql);

	die "$when: $err\n" if $code != 0;
	my ($seen, @damage) = LogModel::parse_look($out);
	my @wrong = ($model->compare($seen), @damage);

	$count{looks}++;
	die join("\n", "$when:", @wrong) . "\n" if @wrong;
	return;
}

# The standby, or what was promoted, shows what the primary showed last.
sub check_copy
{
	my ($model, $node, $when) = @_;

	$_->{rolled} = 1 foreach $model->all_logs;
	my @kept = map { { %{$_}{qw(bases start end)} } } $model->all_logs;

	# an empty log that a lost append has begun elsewhere is there with the next append
	foreach my $log (grep { $_->{adrift} } $model->all_logs)
	{
		$log->{starts} = [ @{$log}{qw(durable start)} ];
		$log->{crashed} = 1;
	}
	check($model, $node, $when);
	foreach my $log ($model->all_logs)
	{
		my $was = shift @kept;

		@{$log}{ keys %$was } = values %$was;
	}
	return;
}

# ---- steps -------------------------------------------------------------------

# Dirty pages, and a checkpoint that takes its time with them.
sub start_spread
{
	return if $spread;
	$primary->safe_psql('postgres', 'UPDATE filler SET n = n + 1');
	$spread = $sessions{spread} = open_session($primary);
	$spread->{in} .= "SELECT pg_backup_start('spread', false);\n";
	$spread->{run}->pump_nb;
	push @done, 'UPDATE filler SET n = n + 1; SELECT pg_backup_start(\'spread\', false) -- does not wait';
	return;
}

# Have the sync process stop, or fail, at a point of the next checkpoint; false where it
# does not come by.
sub stop_checkpoint
{
	my ($point) = @_;
	my $from = log_size($primary);
	my $there = sub { return log_from($primary, $from) =~ /stopping at fault point|ERROR:  could not write file/ };
	my $session;

	set_fault($primary, $point);
	$primary->reload;
	# a new process has the setting: then the others have been told
	$primary->poll_query_until('postgres', 'SHOW pg_topics.fault_point', $point) or die "no new setting\n";
	# and after two rounds the sync process has read it
	resolve_all();
	$session = $sessions{checkpoint} = open_session($primary);
	$session->{in} .= "CHECKPOINT;\n\\echo :done:\n";
	$session->{run}->pump_nb;
	poll_until(sub {
		$session->{run}->pump_nb;
		return $session->{out} =~ /:done:/ || $there->();
	}) or die "neither a checkpoint nor its stop\n";
	push @done, "CHECKPOINT -- with $point";
	return $there->();
}

# One step; returns false where the server went down.
sub do_step
{
	my ($model, $step, $meanwhile) = @_;

	return start_spread() || 1 if $step->{kind} eq 'spread';
	check($model, $primary, 'at a look') if $step->{kind} eq 'look';
	my $sql = $step->{kind} eq 'look' ? undef : $model->sql($step);
	my ($outcome, $said);

	if (!defined $sql)
	{
		$meanwhile->() if $meanwhile;
		return !$meanwhile;
	}
	push @done, "-- session $step->{session}\n$sql";
	($outcome, $said) = ask_session($step->{session}, $sql, $meanwhile);
	$done[-1] .= "-- $outcome" . ($outcome eq 'error' ? ": $said" : '') . "\n" if $outcome ne 'ok';
	$count{steps}++;
	$count{errors}++ if $outcome eq 'error';
	my $wrong = $model->apply($step, $outcome, $said);

	die join("\n", @$wrong) . "\n" if $wrong;
	die "an error: $said\n" if $outcome eq 'error' && !$step->{fault};
	return 0 if $outcome eq 'gone' || $meanwhile;
	ask_session($step->{session}, 'ROLLBACK; RESET pg_topics.fault_point') if $outcome eq 'error';
	check($model, $primary, "after $step->{kind}") if $model->is_unsure;
	return 1;
}

# ---- crashes -----------------------------------------------------------------

# The server goes, as the step says; it may be gone already.
sub crash
{
	my ($model, $step, $is_gone) = @_;
	my $how = $is_gone ? 'gone' : $step->{how};

	if ($how eq 'during')
	{
		my $killed = 0;
		do_step($model, $step->{during}, sub { usleep($step->{delay}), kill_all($primary) unless $killed++; });
	}
	elsif ($how eq 'checkpoint' && stop_checkpoint($step->{point}) && $step->{during} && $step->{during}{kind} eq 'transaction')
	{
		do_step($model, $step->{during});
	}
	elsif ($how eq 'immediate' || $how eq 'restart')
	{
		$primary->stop($how eq 'restart' ? 'fast' : 'immediate');
		$model->flushed if $how eq 'restart';
	}
	# if anything of it is left
	kill_all($primary, $primary->{_pid}) if $primary->{_pid};
	close_sessions();
	$spread = undef;
	push @done, $how eq 'immediate' || $how eq 'restart' ? "-- $how" : '-- kill -9 of all';
	reset_fault($primary);
	$count{crashes} += 1 + @{ $step->{recovery} };
	return;
}

# Up again, and as the model says.
sub recover
{
	my ($model, $step) = @_;
	my @wrong;

	start_node($primary, $step->{recovery});
	push @done, '-- start';
	@wrong = $model->crashed(split /\n/, $primary->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts ORDER BY 1'));
	die join("\n", @wrong) . "\n" if @wrong;
	check($model, $primary, 'after the crash');
	return;
}

# What happens to the standby, and that it shows the same.
sub follow
{
	my ($model, $step) = @_;
	my $how = $step->{standby};

	$standby->stop('fast') if $how eq 'restarted';
	kill_all($standby) if $how eq 'killed';
	try_psql($standby, 'CHECKPOINT') if $how eq 'restartpoint';
	start_node($standby, $step->{standby_recovery}) if $how eq 'restarted' || $how eq 'killed';
	push @done, "-- standby: $how" if $how ne 'stays';
	# a transaction that the crash has ended runs on there, beside a prepared one that is
	# older, until it is told that the batch is resolved
	resolve_all();
	catch_up($primary, $standby);
	check_copy($model, $standby, 'on the standby');
	$count{standby_looks}++;
	promote_copy($model) if $step->{promote};
	return;
}

# A copy of the standby, promoted, shows the same; and goes on: after records in each
# partition, a crash and a start they are there, and no other.
sub promote_copy
{
	my ($model) = @_;
	my $copy = PostgreSQL::Test::Cluster->new('promoted' . ++$count{promotions});
	my @topics = @{ $model->{topics} };
	my $all = join ' UNION ALL ', map { "SELECT '$_->{name}', partition, record_offset, value FROM $_->{name}" } @topics;
	my ($before, $after);

	$standby->stop($count{promotions} % 2 ? 'fast' : 'immediate');
	PostgreSQL::Test::RecursiveCopy::copypath($standby->data_dir, $copy->data_dir);
	chmod 0700, $copy->data_dir;
	unlink $copy->data_dir . '/postmaster.pid';
	$standby->start;
	$copy->append_conf('postgresql.conf', join "\n", '', 'port = ' . $copy->port, "primary_slot_name = ''", "primary_conninfo = ''");
	append_to_file($copy->data_dir . '/postgresql.auto.conf', "primary_conninfo = ''\n");
	push @done, '-- a copy of the standby is promoted';
	start_node($copy, []);
	$copy->promote;
	check_copy($model, $copy, 'promoted');
	if (!%{ $model->{pending} })
	{
		$before = $copy->safe_psql('postgres', "$all ORDER BY 1, 2, 3");
		$copy->safe_psql('postgres', "INSERT INTO $_->{name} (partition, key, value) SELECT p, 'a', 'promoted' FROM generate_series(0, $_->{partitions} - 1) AS p")
		  foreach @topics;
		kill_all($copy);
		start_node($copy, []);
		$after = $copy->safe_psql('postgres', "SELECT * FROM ($all) AS a WHERE value IS DISTINCT FROM 'promoted' ORDER BY 1, 2, 3");
		die "the promoted copy shows other records after it went on\n" if $after ne $before;
		die "the promoted copy is damaged\n" if $copy->safe_psql('postgres', join ' UNION ALL ', map { "SELECT v::text FROM verify_topic('$_->{name}') AS v" } @topics) ne '';
	}
	kill_all($copy);
	rmtree($copy->data_dir);
	return;
}

# ---- histories ---------------------------------------------------------------

# Run a history; what went wrong, or nothing.
sub run_history
{
	my ($history, $name) = @_;
	my $model = LogModel->new($history, $name);

	@done = ();
	my $well = eval {
		foreach my $sql ($model->create_sql(\%extra_options))
		{
			push @done, $sql;
			$primary->safe_psql('postgres', $sql);
		}
		foreach my $step (@{ $history->{steps} })
		{
			my $is_gone = $step->{kind} ne 'crash' && !do_step($model, $step);

			next if $step->{kind} ne 'crash' && !$is_gone;
			my $crash = $is_gone ? { how => 'kill', recovery => [], standby => 'stays', standby_recovery => [] } : $step;
			crash($model, $crash, $is_gone);
			recover($model, $crash);
			follow($model, $crash);
		}
		end_history($model);
		1;
	};
	return $well ? undef : $@;
}

# What is still open ends, and the topics go.
sub end_history
{
	my ($model) = @_;

	while (%{ $model->{pending} })
	{
		do_step($model, { kind => 'finish', commit => 1 }) or die "the server went down\n";
	}
	check($model, $primary, 'at the end');
	close_sessions();
	$spread = undef;
	$primary->safe_psql('postgres', "DROP FOREIGN TABLE $_") foreach $model->names;
	return;
}

# Servers as if they were new, after a history that went wrong.
sub renew_servers
{
	close_sessions();
	$spread = undef;
	return if eval {
		foreach my $node ($primary, $standby)
		{
			kill_all($node, $node->{_pid}) if $node->{_pid};
			reset_fault($node);
			start_node($node, []);
		}
		$primary->safe_psql('postgres', "ROLLBACK PREPARED '$_'")
		  foreach split /\n/, $primary->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');
		$primary->safe_psql('postgres', "DROP FOREIGN TABLE $_")
		  foreach split /\n/, $primary->safe_psql('postgres', q{SELECT oid::regclass FROM pg_class WHERE relkind = 'f' AND relname <> 'rounds'});
		catch_up($primary, $standby);
		1;
	};
	drop_servers();
	new_servers();
	return;
}

# Leave steps out as long as it fails, in pieces that become smaller.
sub shrink
{
	my ($history, $tries) = @_;
	my $steps = $history->{steps};
	my $piece = int(@$steps / 2);
	my ($shortest, $problem) = ([@done], undef);

	while ($piece >= 1 && $tries > 0)
	{
		for (my $from = 0; $from < @$steps && $tries-- > 0;)
		{
			my @less = @$steps;

			splice @less, $from, $piece;
			renew_servers();
			my $wrong = run_history({ %$history, steps => \@less }, "shrunk$tries");
			$from += $piece, next if !defined $wrong;
			($steps, $shortest, $problem) = (\@less, [@done], $wrong);
		}
		$piece = int($piece / 2);
	}
	@done = @$shortest;
	return $problem;
}

# What was done, long values shortened.
sub history_text
{
	my $text = join "\n", 'what was done:', @done;

	$text =~ s/v{6,}/'v x ' . length($&)/ge;
	return $text;
}

sub report
{
	my ($number, $history, $problem) = @_;

	fail("history $number leaves the topics as the model says");
	diag("TOPIC_TEST_SEED=$seed TOPIC_TEST_HISTORY=$number fails:\n$problem");
	diag(history_text());
	diag("the end of the primary's log:\n" . join("\n", (grep { !/the database system is/ } split /\n/, slurp_file($primary->logfile))[ -30 .. -1 ]));
	return unless $ENV{TOPIC_TEST_SHRINK};
	my $shorter = shrink($history, $ENV{TOPIC_TEST_SHRINK});
	diag("shortened:\n$shorter" . history_text()) if defined $shorter;
	return;
}

new_servers();
my @numbers = defined $ENV{TOPIC_TEST_HISTORY} ? $ENV{TOPIC_TEST_HISTORY} : 1 .. $histories;
foreach my $number (@numbers)
{
	last if $seconds && time > $began + $seconds;
	srand($seed + $number);
	my $history = LogModel::make_history(int($began * 1000), promote => $number % 8 == 4);
	my $problem = run_history($history, "h$number");

	$count{histories}++;
	note(sprintf "history %d, %d crashes, %d s", $number, $count{crashes}, time - $began) if $number % 10 == 0;
	next if !defined $problem;
	report($number, $history, $problem);
	last;
}
ok(Test::More->builder->is_passing, 'all histories leave the topics as the model says');
diag(join ', ', map { "$count{$_} $_" } sort keys %count);
drop_servers();

done_testing();
