# Files under test: src/log/topic_waiters.c, src/consume/record_count.c, src/group/group_wakeup.c.
# Who is woken by what: a consumer that waits for many records sleeps until there are as
# many, news wakes one consumer and none where nobody could read it, and whoever leaves
# passes on what he was woken for.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
$node->start;
sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => 3), create_topic('others');
	-- a row of the group in each partition
	SELECT seek_to_beginning('events', 'g'), seek_to_beginning('others', 'g')});

my %sessions = map { $_ => open_background($node, $_) } qw(first second rival);

sub run
{
	my ($name, $sql) = @_;

	ask($sessions{$name}, $sql);
	return answer($sessions{$name});
}

sub asleep
{
	my ($name) = @_;

	$node->poll_query_until('postgres', qq{SELECT EXISTS (SELECT FROM pg_stat_activity
		WHERE application_name = '$name' AND state = 'active' AND wait_event_type = 'Extension')})
	  or die "session $name does not wait";
	return;
}

# Begin a statement that waits.
sub wait_for
{
	my ($name, $sql) = @_;

	ask($sessions{$name}, $sql);
	asleep($name);
	return;
}

# A call that waits for so many records; the number of them that it returns.
sub many
{
	my ($records, $more) = @_;

	return "SELECT count(*) FROM consume('events', 'g', timeout => '1 hour', min_records => $records" . ($more // '') . ');';
}

my $one = q{SELECT string_agg(value, ' ') FROM consume('events', 'g', timeout => '1 hour');};

# Records, each of a transaction of its own.
sub produce
{
	my ($count, $partition, $topic) = @_;

	sql(join(' ', ('SELECT produce(' . "'" . ($topic // 'events') . "', NULL::text, 'v', partition => " . ($partition // 0) . ');') x $count));
	return;
}

# How often the session has gone to sleep so far.
sub sleeps
{
	my ($name) = @_;

	return (slurp_file('/proc/' . pid_of_session($node, $name) . '/status') =~ /^voluntary_ctxt_switches:\s*(\d+)/m)[0];
}

# Does the session sleep on while the code runs?  The server itself may wake it once in a
# while.  It must not have ended its statement.
sub sleeps_through
{
	my ($name, $limit, $test, $code) = @_;
	my $before = sleeps($name);

	$code->();
	asleep($name);
	$sessions{$name}{run}->pump_nb;
	cmp_ok(sleeps($name) - $before, '<=', $limit, $test);
	is($sessions{$name}{out}, '', "$test, and has returned nothing");
	return;
}

# ---- as many records as are wanted ---------------------------------------------

wait_for('first', many(100));
sleeps_through('first', 8, 'a consumer that waits for 100 records is not woken by each of 99', sub { produce(99) });
produce(1);
is(answer($sessions{first}), '100', 'it returns when there are 100');

produce(3);
is(run('first', many(3)), '3', 'records that are there already are returned at once');
wait_for('first', many(2, ', max_records => 2'));
sql(q{INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 5)});
is(answer($sessions{first}), '2', 'one transaction can bring all that is wanted');
is(run('first', many(3)), '3', 'the rest of its records');
is(run('first', q{SELECT count(*) FROM consume('events', 'g', timeout => '20 ms', min_records => 2);}), '0',
	'nothing comes: it returns at its timeout');
produce(1);
is(run('first', q{SELECT count(*) FROM consume('events', 'g', timeout => '20 ms', min_records => 2);}), '1',
	'too few come: at the timeout it returns them');
wait_for('first', q{SELECT count(*) FROM consume('events', 'g', timeout => '2 s', min_records => 2);});
produce(1);
is(answer($sessions{first}), '1', 'so it does if they come while it waits');

wait_for('first', many(3));
produce(1, $_) foreach 0 .. 2;
is(answer($sessions{first}), '3', 'records of several partitions count together');
wait_for('first', many(2, q{, partitions => '{1}'}));
sleeps_through('first', 4, 'records of a partition that is not chosen do not count', sub { produce(3, 0) });
produce(2, 1);
is(answer($sessions{first}), '2', 'those of the chosen one do');
is(run('first', many(3)), '3', 'the other ones are still there');
wait_for('first', q{SELECT count(DISTINCT topic) FROM consume_many('{events,others}', 'g', timeout => '1 hour', min_records => 2);});
produce(1, 0);
produce(1, 0, 'others');
is(answer($sessions{first}), '2', 'consume_many(): records of several topics count together');
wait_for('first', q{SELECT count(*) FROM consume_as(NULL::events, 'g', timeout => '1 hour', min_records => 2);});
produce(2);
is(answer($sessions{first}), '2', 'consume_as() waits for many as well');
wait_for('first', q{SELECT count(*) FROM consume('events', 'late', timeout => '1 hour', min_records => 2, auto_offset_reset => 'latest');});
produce(2);
is(answer($sessions{first}), '2', 'a new group that starts at the end waits for records behind it');
is(run('first', many(2)), '2', 'which another group has as well');

# inside a statement
sub inside
{
	my ($timeout) = @_;

	return qq{DO \$\$ BEGIN RAISE NOTICE 'got %', (SELECT count(*)
		FROM consume('events', 'g', timeout => '$timeout', min_records => 2)); END \$\$;};
}
sub got { return answer($sessions{first}) . ($sessions{first}{err} =~ /got (\d+)/)[0]; }

wait_for('first', inside('1 hour'));
sleeps_through('first', 4, 'within a statement it waits for the second record', sub { produce(1) });
produce(1);
is(got(), '2', 'within a statement it returns both');
wait_for('first', inside('2 s'));
produce(1);
is(got(), '1', 'within a statement it returns at the timeout what has come meanwhile');
produce(2);
ask($sessions{first}, inside('1 hour'));
is(got(), '2', 'within a statement it does not wait for what is there');

# ---- what offsets do not tell ----------------------------------------------------

my $flushed = q{BEGIN; INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 3); SELECT count(*) FROM flush();};

run('rival', "$flushed ROLLBACK;");
wait_for('first', many(3));
sleeps_through('first', 4, 'records that were rolled back do not count', sub { produce(2) });
produce(1);
is(answer($sessions{first}), '3', 'behind them as many as are wanted do');

run('rival', $flushed);
produce(3);
wait_for('first', many(5));
run('rival', 'COMMIT;');
is(answer($sessions{first}), '6', 'the end of a transaction makes readable what others have committed behind it');

run('rival', $flushed);
wait_for('first', many(4));
sleeps_through('first', 6, 'records behind an open transaction cannot be read yet', sub { produce(4) });
run('rival', 'ROLLBACK;');
is(answer($sessions{first}), '4', 'its rollback frees them');

run('rival', $flushed . q{PREPARE TRANSACTION 'p';});
produce(2);
wait_for('first', many(4));
run('rival', q{COMMIT PREPARED 'p';});
is(answer($sessions{first}), '5', 'so does COMMIT PREPARED');

run('rival', q{BEGIN; SELECT produce('events', NULL::text, 'v', partition => 1) FROM generate_series(1, 3); SAVEPOINT s;
	SELECT produce('events', NULL::text, 'v', partition => 1) FROM generate_series(1, 3); ROLLBACK TO s;});
wait_for('first', many(4));
run('rival', 'COMMIT;');
produce(1, 1);
is(answer($sessions{first}), '4', 'records of a savepoint that was rolled back do not count');

sql(q{SELECT create_topic('again'), create_topic('failed');
	SELECT alter_topic('events', '{"retry.topic": "again", "dlq.topic": "failed", "retry.delay.ms": 1500, "max.attempts": 3}');});
produce(2);
is(run('first', q{BEGIN; SELECT count(nack('events', 'g', partition, record_offset, 'no')) FROM consume('events', 'g'); COMMIT;}), '2',
	'two records are sent to a topic that holds them back');
is(run('first', q{SELECT count(*) FROM consume('again', 'g', timeout => '1 hour', min_records => 2);}), '2',
	'records that are held back count when their time has come');

# What is committed during a look: the look is held up by a lock, and does not see it.  The
# look is for news of the partition, or for some that are of no partition.
foreach my $news (
	q{BEGIN; INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 3); SELECT count(*) FROM flush(); ROLLBACK;},
	q{BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p';})
{
	wait_for('first', many(3));
	run('rival', q{BEGIN; LOCK TABLE topic_group_offsets IN ACCESS EXCLUSIVE MODE;});
	run('second', $news);
	$node->poll_query_until('postgres', q{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'first'})
	  or die 'the first one does not look';
	produce(3);
	run('rival', 'COMMIT;');
	is(answer($sessions{first}), '3', 'records that are committed during a look are found by another one');
}

# ---- partitions that others own --------------------------------------------------

produce(3, 0);
is(run('rival', q{BEGIN; SELECT count(*) FROM consume('events', 'g', partitions => '{0}');}), '3', 'a rival consumes');
wait_for('first', many(3));
is(holdings($node, 'first'), 'no xmin|no xid|virtualxid', 'who waits for many records holds nothing');
sleeps_through('first', 12, 'records that a rival has do not count', sub { produce(2, 1) });
run('rival', 'ROLLBACK;');
is(answer($sessions{first}), '5', 'those that he gives back do');

produce(2, 0);
run('rival', q{BEGIN; SELECT count(*) FROM consume('events', 'g', partitions => '{0}');});
wait_for('first', many(2));
produce(3, 0);
run('rival', 'COMMIT;');
is(answer($sessions{first}), '3', 'so do those that come while he reads');

# Who waits for many records is woken first, finds too few, and leaves them to one who waits for fewer.
foreach my $end ([ 'ROLLBACK;', 'those that are given back' ], [ 'COMMIT;', 'what came meanwhile' ])
{
	produce(3, 0);
	wait_for('first', many(20));
	run('rival', q{BEGIN; SELECT count(*) FROM consume('events', 'g', partitions => '{0}');});
	wait_for('second', $one);
	produce(3, 0) if $end->[0] eq 'COMMIT;';
	run('rival', $end->[0]);
	is(answer($sessions{second}), 'v v v', "$end->[1] one takes who waits for fewer");
	sql(q{INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 20)});
	is(answer($sessions{first}), '20', 'the other one waits on');
}
run('rival', q{BEGIN; SELECT produce('events', NULL::text, 'v', partition => 1) FROM generate_series(1, 3); SAVEPOINT s;
	SELECT produce('events', NULL::text, 'v', partition => 1) FROM generate_series(1, 3); ROLLBACK TO s;});
wait_for('first', many(5));
wait_for('second', $one);
run('rival', 'COMMIT;');
is(answer($sessions{second}), 'v v v', 'so it is if more were announced than there are');
sql(q{INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 5)});
is(answer($sessions{first}), '5', 'and the other one waits on');

# ---- members ----------------------------------------------------------------------

sub member
{
	my ($records, $lease) = @_;

	return qq{SELECT count(*) FROM consume('events', 'm', member_id => 'a', lease => '$lease', timeout => '1 hour', min_records => $records);};
}
sql(q{SELECT seek_to_end('events', 'm')});
is(run('first', member(2, '1 hour')), '0', 'a member that joins does not wait');
wait_for('first', member(3, '1 hour'));
sleeps_through('first', 6, 'a member waits for as many records as it wants', sub { produce(1, $_) foreach 0, 1 });
produce(1, 2);
is(answer($sessions{first}), '3', 'they may be in any of its partitions');
is(run('first', q{SELECT commit_offsets('events', 'm', 'a');} . member(2, '2 s')), "\n0",
	'a member that waits for many returns in time to renew its lease');
produce(1);
is(run('first', member(2, '2 s')), '1', 'with what there is');
sql(q{SELECT leave_group('events', 'm', 'a'), delete_group('m', 'events')});
sql(q{SELECT seek_to_end('events', 'g')});

# ---- one is woken, and passes on what he was woken for ---------------------------

# The first waits longer, so he is woken.  He is halted before he can look.
sub halt_first
{
	my ($statement) = @_;

	wait_for('first', $statement // $one);
	wait_for('second', $one);
	halt_asleep($node, pid_of_session($node, 'first'));
	return;
}

foreach my $end (
	[ 'is cancelled', 'pg_cancel_backend', qr/canceling statement due to user request/ ],
	[ 'is terminated', 'pg_terminate_backend', qr/terminating connection/ ])
{
	my ($what, $function, $error) = @$end;

	halt_first();
	my $pid = pid_of_session($node, 'first');
	sleeps_through('second', 2, "$what: the second one is not woken while the first one is to look", sub { produce(1) });
	sql("SELECT $function($pid)");
	go_on($pid);
	is(answer($sessions{second}), 'v', "$what: the second one gets the record when the first one $what");
	if ($function eq 'pg_cancel_backend')
	{
		answer($sessions{first});
		like($sessions{first}{err}, $error, "$what: the first one fails");
	}
	else
	{
		$sessions{first}{run}->pump until $sessions{first}{err} =~ /server closed|terminating/;
		eval { $sessions{first}{run}->finish };
		$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'first')});
		$sessions{first} = open_background($node, 'first');
	}
}

halt_first(q{SET statement_timeout = '2 s';} . $one);
produce(1);
ok($node->poll_query_until('postgres', q{SELECT clock_timestamp() > query_start + interval '3 s'
	FROM pg_stat_activity WHERE application_name = 'first'}), 'the statement_timeout of the first one passes');
go_on(pid_of_session($node, 'first'));
is(answer($sessions{second}), 'v', 'the second one gets the record when the first one has run out of time');
answer($sessions{first});
like($sessions{first}{err}, qr/statement timeout/, 'the first one fails');
run('first', 'RESET statement_timeout;');

# he wants more than has come
halt_first(many(3));
sql(q{INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 2)});
is(answer($sessions{second}), 'v v', 'who wants fewer records is woken though another one waits longer');
sql(q{INSERT INTO events (partition, value) SELECT 0, 'v' FROM generate_series(1, 3)});
go_on(pid_of_session($node, 'first'));
is(answer($sessions{first}), '3', 'and the other one when there are enough');

# An owner ends.  The second one waits, so that the first one is known as the owner.
foreach my $end (
	[ 'ROLLBACK;', 'v v', 'rolls back' ],
	[ 'COMMIT;', 'v', 'commits' ],
	[ 'ROLLBACK TO s;', 'v v', 'rolls back to a savepoint' ],
	[ q{PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p';}, 'v', 'prepares and commits' ],
	[ q{PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p';}, 'v v', 'prepares and rolls back' ])
{
	my ($statements, $left, $what) = @$end;

	wait_for('second', $one);
	my $pid = pid_of_session($node, 'second');
	halt_asleep($node, $pid);
	produce(1);
	is(run('first', q{BEGIN; SAVEPOINT s; SELECT value FROM consume('events', 'g');}), 'v',
		"an owner who $what: has the record");
	go_on($pid);
	# he finds it owned, and sleeps until the owner ends
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid");
	sleeps_through('second', 4, "an owner who $what: nobody else is woken by news of the partition", sub { produce(1) });
	run('first', $statements);
	is(answer($sessions{second}), $left, "an owner who $what: then the other one gets what is left");
	run('first', 'COMMIT;') if $statements =~ /TO s/;
	is(sql(q{SELECT count(*) FROM consume('events', 'g')}), '0', "an owner who $what: nothing is left behind");
}

# who owns a partition and waits for more of it is woken himself
my $more = q{SELECT string_agg(value, ' ') FROM consume('events', 'g', timeout => '1 hour', auto_commit => false);};
produce(1);
is(run('first', "BEGIN; $more"), 'v', 'a consumer keeps what he has read uncommitted');
wait_for('second', $one);
wait_for('first', $more);
produce(1);
is(answer($sessions{first}), 'v', 'and is woken by what comes to his partition, though another one waits longer');
run('first', q{SELECT commit_offsets('events', 'g'); COMMIT;});
produce(1, 2);
is(answer($sessions{second}), 'v', 'who is woken by what comes elsewhere');

foreach my $self (values %sessions)
{
	$self->{in} .= "\\q\n";
	$self->{run}->finish;
}
$node->stop;
done_testing();
