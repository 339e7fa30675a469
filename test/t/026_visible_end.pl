# How far a partition is visible is found without going through all of its log,
# whatever old transaction there is on the server; and it is right for old snapshots.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $standby) = start_pair();

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE other (i int);
	SELECT create_topic('events', config => '{"segment.bytes": 1024}');
	-- a segment for each
	CREATE PROCEDURE fill(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM produce('events', repeat('v', 800));
			COMMIT;
		END LOOP;
	END $$});

my $end = q{SELECT next_offset, exact FROM visible_offsets('events')};

# The end, found by looking into no more than two segments: the third would halt it.
sub found_at_once
{
	my ($of, $name) = @_;
	my $session = open_background($of, 'finder');
	my $pid = pid_of_session($of, 'finder');
	my $halted = 0;

	ask($session, "SET pg_topics.fault_point = 'reader-segment:halt:3'; $end;");
	poll_until(sub {
		$session->{run}->pump_nb;
		return 1 if $session->{out} =~ /:done:\n/;
		return $halted = 1 if slurp_file("/proc/$pid/stat") =~ /\) T /;
		return 0 }) or die 'neither an end nor a halt';
	kill 'CONT', $pid;
	ok(!$halted, "$name: the end is found without reading all segments");
	my $found = answer($session);
	$session->{in} .= "\\q\n";
	$session->{run}->finish;
	return $found;
}

# ---- an idle transaction, older than all of the log ----------------------------

my $old = open_session($node);
$old->run('BEGIN; INSERT INTO other VALUES (1)');
sql('CALL fill(20)');
wait_resolved($node);
is(found_at_once($node, 'an old transaction'), '20|t', 'all is visible in spite of an old idle transaction');
catch_up($node, $standby);
is(found_at_once($standby, 'an old transaction, on the standby'), '20|t',
	'all is visible on the standby in spite of an old idle transaction');

# ---- snapshots that are older than what is in the log --------------------------

# the transaction in the middle runs when they are taken and has ended when they look
my $producer = open_session($node);
$producer->run(q{BEGIN; INSERT INTO other VALUES (2); SELECT produce('events', 'in the middle'::text)});
sql('CALL fill(10)');
catch_up($node, $standby);
my %readers = map { $_ => open_session($_ eq 'primary' ? $node : $standby) } qw(primary standby);
$_->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1') foreach values %readers;
$producer->run('COMMIT');
sql('CALL fill(5)');
wait_resolved($node);
catch_up($node, $standby);
is($readers{$_}->run($end), '30|t',
	"$_: an old snapshot's end is before what was committed after it") foreach sort keys %readers;
is($readers{$_}->run('SELECT count(*) FROM events'), '30',
	"$_: an old snapshot does not read what was committed after it") foreach sort keys %readers;
is(found_at_once($node, 'a new snapshot'), '36|t', 'a new snapshot sees all while older ones are held');
is(found_at_once($standby, 'a new snapshot on the standby'), '36|t',
	'a new snapshot on the standby sees all while older ones are held');
$_->run('COMMIT') foreach values %readers;
is($readers{$_}->run($end), '36|t', "$_: the next snapshot sees all") foreach sort keys %readers;
$old->run('COMMIT');
is(found_at_once($node, 'no old transaction'), '36|t', 'all is visible without an old transaction');

done_testing();
