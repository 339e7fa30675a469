# File under test: src/group/group_expiry.c.
# Offsets of groups that have committed nothing for offsets_retention_minutes go,
# but not those of a group that waits, holds a partition or commits.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'pg_topics.maintenance_interval = 1s' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# Groups that have offsets.
sub groups
{
	return sql(q{SELECT string_agg(DISTINCT group_id, ' ' ORDER BY group_id) FROM topic_group_offsets});
}

# Let the worker's clock be so far ahead.
sub set_clock
{
	my ($ahead) = @_;

	sql("ALTER SYSTEM SET pg_topics.clock_offset = '$ahead'");
	sql('SELECT pg_reload_conf()');
	return;
}

# Until the group "sentinel", which nobody uses, has been looked at once more.
sub wait_round
{
	poll_until(sub { groups() !~ /sentinel/ }) or die 'no round has taken place';
	return;
}

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('events', partitions => 2);
	SELECT create_topic('other');
	SELECT produce('events', NULL::text, 'v', partition => p) FROM generate_series(0, 1) p;
	SELECT produce('other', 'v'::text)});
sql("SELECT count(*) FROM consume('events', '$_')") foreach qw(sentinel dead waiting holding);
sql(q{SELECT count(*) FROM consume('other', 'dead')});

# members: one with a lease that outlasts the offsets, one that is alive and has
# no partition, one that is dead; and a group that is about to begin with a partition
sql(q{SELECT count(*) FROM consume('events', 'leased', member_id => 'm', lease => '10 days');
	SELECT commit_offsets('events', 'leased', 'm')});
foreach my $group (qw(spare deceased))
{
	sql(qq{SELECT count(*) FROM consume('events', '$group', member_id => 'm', lease => '1 minute');
		SELECT commit_offsets('events', '$group', 'm')});
}
sql(q{UPDATE topic_group_members SET lease_until = now() + interval '10 days' WHERE group_id = 'spare'});
sql(q{SELECT count(*) FROM consume('events', 'beginning', partitions => '{0}');
	SELECT count(*) FROM consume('events', 'chosen')});

# one partition's row is old, the other's is not: the group keeps both
sql(q{SELECT count(*) FROM consume('events', 'half');
	UPDATE topic_group_offsets SET commit_timestamp = commit_timestamp + interval '1 day'
	WHERE group_id = 'half' AND partition = 1;
	UPDATE topic_group_offsets SET commit_timestamp = commit_timestamp + interval '1 day'
	WHERE group_id = 'dead' AND topic = 'other'::regclass;
	UPDATE topic_group_offsets SET commit_timestamp = commit_timestamp - interval '2 days' WHERE group_id = 'sentinel'});

set_clock('6d');
wait_round();
is(groups(), 'beginning chosen dead deceased half holding leased spare waiting',
	'before seven days have passed groups are kept, except for one that is older');

my $waiter = open_background($node, 'waiter');
ask($waiter, q{SELECT value FROM consume('events', 'waiting', timeout => '1 hour');});
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity
	WHERE application_name = 'waiter' AND wait_event_type = 'Extension')});
my $chooser = open_background($node, 'chooser');
ask($chooser, q{SELECT value FROM consume('events', 'chosen', timeout => '1 hour', partitions => '{0}');});
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity
	WHERE application_name = 'chooser' AND wait_event_type = 'Extension')});
my $holder = open_session($node);
$holder->run(q{BEGIN; SELECT seek_to_beginning('events', 'holding', 1)});
my $beginner = open_session($node);
$beginner->run(q{BEGIN; SELECT seek_to_beginning('events', 'beginning', 1)});

sql(q{SELECT commit_offset('events', 'sentinel', 0, 0)});
set_clock('169h');
wait_round();
is(groups(), 'beginning chosen dead half holding leased spare waiting',
	'after seven days groups that nobody uses are removed');
is(sql(q{SELECT string_agg(group_id, ' ' ORDER BY group_id) FROM topic_group_members}), 'leased spare',
	'the members of removed groups are removed, and those that are alive are kept');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'beginning'}), '1',
	'a group with an open first commit in another partition is kept');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'chosen'}), '2',
	'a group that waits for one of its partitions keeps the offsets of both');
is(sql(q{SELECT topic FROM topic_group_offsets WHERE group_id = 'dead'}), 'other',
	'a group is removed from the topic that it does not use, and kept in another one');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'half'}), '2',
	'a group that has committed in one partition keeps the offsets of both');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'holding'}), '2',
	'a group that holds a partition keeps the offsets of both');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'waiting'}), '2',
	'a group that waits keeps the offsets of both partitions');

$holder->run('ROLLBACK');
$beginner->run('ROLLBACK');
sql(q{SELECT produce('events', NULL::text, 'news', partition => 0)});
is(answer($waiter), 'news', 'a waiting consumer of an old group goes on at its offset');
is(answer($chooser), 'news', 'a waiting consumer of one partition goes on at its offset');
ok(poll_until(sub { groups() !~ /holding|beginning/ }),
	'a group is removed once it holds no partition any more');
is($node->safe_psql('postgres', q{SELECT count(*) FROM consume('events', 'dead', auto_offset_reset => 'earliest')}), '3',
	'a group that was removed starts as a new one');

# who polls is there, though there be nothing to read
set_clock('0');
sql(q{SELECT count(*) FROM consume('events', 'polling');
	SELECT commit_offset('events', 'sentinel', 0, 0);
	UPDATE topic_group_offsets SET commit_timestamp = now() - interval '6 days' WHERE group_id IN ('polling', 'sentinel')});
is(sql(q{SELECT count(*) FROM consume('events', 'polling')}), '0', 'a group that polls finds no record');
set_clock('2d');
wait_round();
like(groups(), qr/polling/, 'polling keeps a group whose last commit is old');

# the rounds of retention tell that the worker has been round more than once
sql(q{ALTER SYSTEM SET pg_topics.offsets_retention_minutes = -1;});
sql(q{ALTER SYSTEM SET pg_topics.log_retention_check_interval_ms = 100});
set_clock('1000d');
sql(q{SELECT commit_offset('events', 'kept', 0, 0)});
my $log = -s $node->logfile;
my $begun = sql('SELECT now()');
$node->poll_query_until('postgres',
	qq{SELECT max(last_run) > timestamptz '$begun' + interval '2.5 s' FROM pg_stat_topics});
like(groups(), qr/kept/, 'with offsets_retention_minutes = -1 no group is removed');
unlike(slurp_file($node->logfile, $log), qr/removed expired|ERROR/,
	'with offsets_retention_minutes = -1 the log has no error and no removed group');

$_->close foreach $holder, $beginner;
$chooser->{run}->finish;
$waiter->{run}->finish;
$node->stop;
done_testing();
