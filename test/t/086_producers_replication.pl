# Files under test: src/log/producer_state.c, src/wal/log_redo.c, src/wal/producer_file.c,
# src/wal/producer_ids.c.
# What is remembered of idempotent producers comes with the WAL: to a standby that is
# promoted, after restart points of its own or without one, to a base backup, and to a
# recovery that ends earlier.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProducerProbe;
use TopicTest;

my $primary = new_node('primary', init => { allows_streaming => 1, has_archiving => 1 },
	settings => [ 'checkpoint_timeout = 1h', 'wal_keep_size = 256MB' ]);
$primary->start;
create_producer_probe($primary);

# Append in a transaction of its own; on a server that has just been promoted the sync process may be on its way.
sub append
{
	my ($node, $id, $sequence, $records) = @_;
	my $answer;

	poll_until(sub { ($answer = $node->safe_psql('postgres',
		"SELECT append_batch('events', 0, $id, 0, $sequence, $records)")) ne 'try again' }) or die;
	return $answer;
}

sub ids { return split /\n/, $_[0]->safe_psql('postgres', 'SELECT next_producer_id() FROM generate_series(1, 20)'); }

# All that a server must know of producer $_[1] to $_[1] + 3, from prepare().
sub prepare
{
	my ($node, $id) = @_;
	my %offsets;

	# one that only goes on
	append($node, $id, 10 * $_, 10) foreach 0 .. 6;
	$offsets{plain} = append($node, $id, 70, 10);
	# one whose last batches were rolled back, and are resolved
	$offsets{aborted} = append($node, $id + 1, 0, 10);
	$node->safe_psql('postgres', sprintf(q{BEGIN; SELECT append_batch('events', 0, %d, 0, 10, 10),
		append_batch('events', 0, %d, 0, 20, 10); ROLLBACK}, $id + 1, $id + 1));
	wait_resolved($node);
	# one whose last batches were rolled back, and gone in then
	append($node, $id + 2, 0, 10);
	$node->safe_psql('postgres', sprintf(q{BEGIN; SELECT append_batch('events', 0, %d, 0, 10, 10); ROLLBACK}, $id + 2));
	$offsets{again} = append($node, $id + 2, 10, 10);
	return \%offsets;
}

sub check
{
	my ($node, $id, $offsets, $where) = @_;

	s/appended/duplicate/ foreach values %$offsets;
	is(append($node, $id, 70, 10), $offsets->{plain}, "$where: a batch that is sent again is known");
	is(append($node, $id, 0, 10), 'old duplicate', "$where: an old one, too");
	is(append($node, $id + 1, 0, 10), $offsets->{aborted}, "$where: one before batches that were rolled back");
	is(append($node, $id + 1, 20, 10), 'out of order', "$where: those are missing");
	like(append($node, $id + 1, 10, 10), qr/^appended/, "$where: and go in");
	is(append($node, $id + 2, 10, 10), $offsets->{again}, "$where: one that went in when it was sent again");
	like(append($node, $id, 80, 10), qr/^appended/, "$where: producers go on");
	return;
}

# ---- promotion -------------------------------------------------------------------

my $before = prepare($primary, 10);
my $standby = start_standby($primary, 'standby');
my $restarted = start_standby($primary, 'restarted');
my $after = prepare($primary, 20);
my @given = ids($primary);

# a restart point, from which this one then starts
$primary->safe_psql('postgres', 'CHECKPOINT');
$primary->wait_for_catchup($_) foreach $standby, $restarted;
$restarted->safe_psql('postgres', 'CHECKPOINT');
ok(-s $restarted->data_dir . '/pg_topics/producers' > 40 + 5 * 168, 'a restart point saves the producers');
my $last = prepare($primary, 30);
$primary->wait_for_catchup($restarted);
kill_all($restarted);
$restarted->start;

# a transaction that is open when its server is lost
my $open = open_session($primary);
append($primary, 40, 0, 10);
$open->run('BEGIN');
$open->run(q{SELECT append_batch('events', 0, 40, 0, 10, 10)});
push @given, ids($primary);
$primary->safe_psql('postgres', q{SELECT produce('events', 'k', 'last', partition => 1)});
$primary->wait_for_catchup($_) foreach $standby, $restarted;

# as if the primary were lost here
$restarted->stop;
$standby->promote;
$primary->backup('backup');
$open->run('ROLLBACK');
my $late = append($primary, 40, 10, 10);
# else the copy that is being made is cut short
switch_archived($primary);
$primary->stop('immediate');

foreach my $promoted ($standby)
{
	my %copy = (before => { %$before }, after => { %$after }, last => { %$last });

	check($promoted, 10, $copy{before}, 'a standby made after it');
	check($promoted, 20, $copy{after}, 'a standby that replayed it');
	check($promoted, 30, $copy{last}, 'a standby that replayed more');
	like(append($promoted, 40, 10, 10), qr/^appended/, 'a batch of a transaction that was open goes in');
	my %seen = map { $_ => 1 } @given;
	is(scalar(grep { $seen{$_} } ids($promoted)), 0, 'its ids are others');
	kill_all($promoted);
	$promoted->start;
	like(append($promoted, 40, 10, 10), qr/^duplicate/, 'what it has appended is known after a crash');
}
$standby->stop;

$restarted->start;
$restarted->promote;
check($restarted, 10, { %$before }, 'a standby that started again, of before');
check($restarted, 20, { %$after }, 'a standby that started again, of its restart point');
check($restarted, 30, { %$last }, 'a standby that started again, of what it replayed');
$restarted->stop;

# ---- backup ------------------------------------------------------------------------

# Restored from the backup and the archive, up to here.
sub restored
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init_from_backup($primary, 'backup', has_restoring => 1, standby => 0);
	$node->append_conf('postgresql.conf', join "\n", "recovery_target_timeline = 'current'", "recovery_target_action = 'promote'", @settings);
	$node->start;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die;
	return $node;
}

my $whole = restored('whole');
check($whole, 10, { %$before }, 'a restored backup, of before');
check($whole, 30, { %$last }, 'a restored backup, of the end');
is(append($whole, 40, 10, 10), $late =~ s/appended/duplicate/r, 'a restored backup has what came behind it');
$whole->stop;

my $early = restored('early', "recovery_target = 'immediate'");
check($early, 20, { %$after }, 'a recovery that ends early');
like(append($early, 40, 10, 10), qr/^appended/, 'a recovery that ends early takes what came later');
my %seen = map { $_ => 1 } @given;
is(scalar(grep { $seen{$_} } ids($early)), 0, 'and gives other ids');
$early->stop;

done_testing();
