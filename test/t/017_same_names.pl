# A segment's name may be used again: by a roll that fails, whatever fails in it, by
# an empty segment that is made anew, by a topic that comes again.  A session
# that had the files of that name open before does not append to what was
# removed: what is acknowledged is in the files, for all to read, and after a crash.
# And a roll that fails leaves the log as it was, for erasing and for a standby too.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('primary', init => { allows_streaming => 1 }, settings => [ 'wal_keep_size = 1GB',
	# nobody looks at the topics on the side
	'pg_topics.log_retention_check_interval_ms = 1d' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
my $standby = start_standby($node);

sub sql { return $node->safe_psql('postgres', @_); }

# Records with their offsets; an error too.
sub records
{
	my ($topic, $on) = @_;
	my ($code, $out, $err) = ($on // $node)->psql('postgres',
		"SELECT string_agg(record_offset || ':' || value, ' ' ORDER BY record_offset) FROM $topic");

	return "$out$err";
}

my $bounds = q{SELECT concat_ws(' ', log_start_offset, log_end_offset) FROM pg_topic_partitions WHERE topic = '%s'::regclass};
my $far = 3_000_000_000;		# more than a segment can span
my $number = 0;

# ---- a roll that fails -----------------------------------------------------------

my %expected = ();
foreach my $error ('header-write:ENOSPC', 'file-open:EACCES', 'log-write:ENOSPC', 'index-extend:ENOSPC', 'none')
{
	foreach my $empty (1, 0)
	{
		my $topic = 't' . ++$number;
		my $name = ($error eq 'none' ? 'no error' : $error) . ($empty ? ', an empty segment' : ', a segment with records');
		my ($holder, $other) = (open_session($node), open_session($node));

		# the holder has the active segment open, to append to it
		sql("SELECT create_topic('$topic')");
		$holder->run("SELECT produce('$topic', 'k', 'a')");
		$holder->run("SELECT erase('$topic', 'no such key')") if $empty;
		$other->run("SELECT count(*) FROM $topic");
		my $before = sql(sprintf $bounds, $topic);
		if ($error ne 'none')
		{
			$other->run("SET pg_topics.fault_point = '$error'");
			like($other->fails("INSERT INTO $topic (record_offset, value) VALUES ($far, 'lost')"), qr/ERROR:  could not (write|open|extend)/,
				"$name: a roll that fails is reported");
			$other->run('RESET pg_topics.fault_point');
			is(sql(sprintf $bounds, $topic), $before,
				"$name: a roll that fails leaves start and end of the log as they were");
			is(sql("SELECT max(base_offset) FROM pg_topic_segments WHERE topic = '$topic'::regclass"), $empty ? 1 : 0,
				"$name: a roll that fails adds no segment");
		}
		$other->run("SELECT produce('$topic', 'k', 'b')");
		$holder->run("SELECT produce('$topic', 'k', 'c')");
		$other->run("SELECT produce('$topic', 'k', 'd')");
		is(records($topic), '0:a 1:b 2:c 3:d',
			"$name: all later records are there, whichever session produced them");
		is($other->run("SELECT erase('$topic', 'no such key')"), '0',
			"$name: erasing works after a roll that failed");
		# the same offset again, and on from there
		$other->run("INSERT INTO $topic (record_offset, value) VALUES ($far, 'e')");
		$holder->run("SELECT produce('$topic', 'k', 'f')");
		$expected{$topic} = "0:a 1:b 2:c 3:d $far:e " . ($far + 1) . ':f';
		is(records($topic), $expected{$topic}, "$name: rolling at the offset where it failed before works");
		$_->close foreach $holder, $other;
	}
}

# ---- a failed roll, and then the log is emptied -----------------------------------

sql(q{SELECT create_topic('emptied'); SELECT produce('emptied', 'k', 'a')});
$node->psql('postgres', qq{
	SET pg_topics.fault_point = 'log-write:ENOSPC';
	INSERT INTO emptied (record_offset, value) VALUES ($far, 'lost')});
sql(q{SELECT delete_records('emptied', 0, 1)});
catch_up($node, $standby);
is($standby->safe_psql('postgres', sprintf $bounds, 'emptied'), sql(sprintf $bounds, 'emptied'),
	"emptied after a failed roll, the standby's log ends where the primary's does");
sql(q{SELECT produce('emptied', 'k', 'b')});
$expected{emptied} = '1:b';

# ---- an empty segment whose files are gone, made anew -------------------------------

sql(q{SELECT create_topic('anew'); SELECT produce('anew', 'k', 'a')});
my @sessions = map { open_session($node) } 1 .. 2;
$sessions[0]->run(q{SELECT erase('anew', 'no such key')});
$sessions[1]->run(q{SELECT count(*) FROM anew});
unlink glob(topic_directory($node, 'anew', 0) . '/00000000000000000001.*');
foreach my $value (qw(b c d e))
{
	$sessions[0]->run("SELECT produce('anew', 'k', '$value')");
	push @sessions, shift @sessions;
}
$expected{anew} = '0:a 1:b 2:c 3:d 4:e';
is(records('anew'), $expected{anew},
	'an empty segment whose files are made anew gets the records of both sessions');

# ---- a topic emptied and filled, again and again ------------------------------------

sql(q{SELECT create_topic('again')});
foreach my $n (1 .. 3)
{
	$sessions[0]->run("SELECT produce('again', 'k', '$n')");
	$sessions[1]->run("SELECT produce('again', 'k', '$n')");
	$sessions[0]->run('TRUNCATE again');
	$sessions[0]->run('TRUNCATE again');
}
$sessions[1]->run(q{SELECT produce('again', 'k', 'x')});
$sessions[0]->run(q{SELECT produce('again', 'k', 'y')});
$expected{again} = '6:x 7:y';
is(records('again'), $expected{again}, 'a topic that was truncated twice gets the records of both sessions');
$_->close foreach @sessions;

# ---- what was acknowledged stays ----------------------------------------------------

sql('CHECKPOINT');
kill_all($node);
$node->start;
catch_up($node, $standby);
foreach my $topic (sort keys %expected)
{
	is(records($topic), $expected{$topic}, "$topic: all acknowledged records are there after a crash");
	is(records($topic, $standby), $expected{$topic}, "$topic: all acknowledged records are on the standby");
	is(sql("SELECT count(*) FROM verify_topic('$topic')"), '0', "$topic: no file is damaged");
}
$standby->stop;
$node->stop;

done_testing();
