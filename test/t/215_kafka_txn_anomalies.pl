# Files under test: test/perl/KafkaTxnHistory.pm, which judges the histories of 216_kafka_transactions_model.pl and
# 217_kafka_transactions_power_loss.pl.
# Histories that are made up, each with one anomaly: that it is found, by its name, and that what is right is not taken for one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaTxnHistory;
use Test::More;

# Transaction 1 of p has a record in each of two places, and offsets; it is committed, and 2 of q aborted.
my $good = q{
	begin 1 p/1
	write 1 a-0 1.0
	ack 1 1.0 0
	begin 2 q/1
	write 2 a-0 2.0
	ack 2 2.0 1
	write 1 a-1 1.1
	ack 1 1.1 0
	offsets 1 g
	commit 1
	committed 1
	ask r
	poll r a-0 0 1 1 1 0:1.0
	poll r a-1 0 1 1 1 0:1.1
	abort 2
	aborted 2
	ask r
	groups r g 1 1
};

# What is wrong with a history: the names of the anomalies, each once.
sub anomalies
{
	my ($text) = @_;
	my %names = map { /^([^:]*):/ ? ($1 => 1) : ($_ => 1) } KafkaTxnHistory->parse($text)->problems;

	return join ', ', sort keys %names;
}

sub is_bad
{
	my ($name, $expected, @lines) = @_;

	is(anomalies(join "\n", $good, @lines), $expected, "$name: " . ($expected || 'nothing is wrong'));
	return;
}

# The good one with some of it replaced.
sub is_bad_with
{
	my ($name, $expected, $line, @instead) = @_;
	my $text = $good;
	my $there = join "\n", @instead;

	$text =~ s/\Q$line\E/$there/ or die "no line $line";
	is(anomalies($text), $expected, "$name: $expected");
	return;
}

is_bad('a good history', '');
is_bad('and more of it', '', 'begin 3 q/1', 'write 3 a-0 3.0', 'ack 3 3.0 2', 'again 3', 'ack 3 3.0 2', 'commit 3', 'committed 3', 'ask r', 'poll r a-0 1 3 3 3 2:3.0');

# ---- lost writes -----------------------------------------------------------------------------

is_bad_with('a reader passes what was committed', 'half transaction, lost write', 'poll r a-0 0 1 1 1 0:1.0', 'poll r a-0 0 1 1 1');
is_bad('another one has read it', 'half transaction, lost write, skipped poll', 'ask r', 'poll r a-0 0 2 2 2');
is_bad('nobody reads it to the end', 'lost write', 'begin 3 s/1', 'write 3 a-0 3.0', 'commit 3', 'committed 3', 'final', 'snap s 1 a-0 3 0:1.0',
	'snap s 1 a-1 1 0:1.1');
is_bad('offsets are gone', 'lost write, offsets moved back', 'ask r', 'groups r g 0 0');
is_bad_with('offsets never came', 'lost write', 'groups r g 1 1', 'groups r g 0 0');

# ---- dirty reads ---------------------------------------------------------------------------------

is_bad('an aborted record is read', 'aborted read', 'ask r', 'poll r a-0 1 2 2 2 1:2.0');
is_bad_with('one is read before its end', 'dirty read', 'abort 2', 'ask r', 'poll r a-0 1 2 2 2 1:2.0', 'commit 2', 'committed 2', 'begin 2 q/1');
is_bad('one that nobody has sent', 'aborted read', 'ask r', 'poll r a-0 1 3 3 3 2:9.0');
is_bad('a savepoint has taken it back', 'aborted read', 'begin 3 s/1', 'write 3 a-0 3.0', 'undone 3 3.0', 'write 3 a-0 3.1', 'commit 3', 'committed 3',
	'ask r', 'poll r a-0 1 4 4 4 2:3.0 3:3.1');
is_bad('it has not', '', 'begin 3 s/1', 'write 3 a-0 3.0', 'undone 3 3.0', 'write 3 a-0 3.1', 'commit 3', 'committed 3', 'ask r', 'poll r a-0 1 4 4 4 3:3.1');
is_bad('offsets of an aborted one', 'aborted read', 'begin 3 p/1', 'offsets 3 g', 'abort 3', 'aborted 3', 'ask r', 'groups r g 3 3');
is_bad('offsets of none', 'aborted read', 'ask r', 'groups r g 9 9');
is_bad('offsets before the end', 'dirty read', 'begin 3 p/1', 'offsets 3 g', 'ask r', 'groups r g 3 3');

# ---- halves ------------------------------------------------------------------------------------------

my @unknown = ('begin 3 p/1', 'write 3 a-0 3.0', 'ack 3 3.0 2', 'write 3 a-1 3.1', 'ack 3 3.1 1', 'offsets 3 g', 'commit 3', 'unknown 3', 'ask r');
is_bad('nobody was told of one, and it is seen', '', @unknown, 'poll r a-0 1 3 3 3 2:3.0', 'poll r a-1 1 2 2 2 1:3.1', 'ask r', 'groups r g 3 3');
is_bad('or not', '', @unknown, 'poll r a-0 1 3 3 3', 'poll r a-1 1 2 2 2', 'groups r g 1 1');
is_bad('in one place', 'half transaction', @unknown, 'poll r a-0 1 3 3 3 2:3.0', 'poll r a-1 1 2 2 2');
is_bad('its offsets alone', 'half transaction', @unknown, 'poll r a-0 1 3 3 3', 'groups r g 3 3');
is_bad('its records alone', 'lost write', @unknown, 'poll r a-0 1 3 3 3 2:3.0', 'ask r', 'groups r g 1 1');
is_bad('one partition of the offsets', 'half transaction', @unknown, 'groups r g 3 1');
is_bad('first there, then not', 'half transaction, skipped poll', @unknown, 'poll r a-0 1 3 3 3 2:3.0', 'ask r', 'poll r a-0 1 3 3 3');
is_bad('one record is nowhere', 'half transaction', 'begin 3 s/1', 'write 3 a-0 3.0', 'write 3 a-1 3.1', 'commit 3', 'unknown 3', 'final', 'snap s 1 a-0 3 0:1.0 2:3.0',
	'snap s 1 a-1 1 0:1.1');
is_bad('a snapshot that has one place', 'half transaction, skipped poll', @unknown, 'snap s 1 a-0 3 0:1.0 2:3.0', 'snap s 1 a-1 2 0:1.1', 'snap s 2 a-1 2 0:1.1 1:3.1');
is_bad('the other place ends before', '', @unknown, 'snap s 1 a-0 3 0:1.0 2:3.0', 'snap s 1 a-1 1 0:1.1', 'snap s 2 a-1 2 0:1.1 1:3.1');
is_bad('a snapshot without the offsets', 'half transaction', @unknown[ 0 .. 7 ], 'ask s', 'snap s 1 a-0 3 0:1.0 2:3.0', 'snap s 1 a-1 2 0:1.1 1:3.1', 'snapgroup s 1 g 1 1');
is_bad('a snapshot with nothing but offsets', 'half transaction', @unknown, 'snap s 1 a-0 3 0:1.0', 'snap s 1 a-1 1 0:1.1', 'snapgroup s 1 g 3 3');

# ---- places -------------------------------------------------------------------------------------------

is_bad('a record is there twice', 'duplicate', 'ask r', 'poll r a-0 1 3 3 3 2:1.0');
is_bad('in another partition', 'duplicate', 'ask r', 'poll r b-0 1 2 2 2 1:1.0');
is_bad('it was acknowledged twice', 'duplicate', 'again 1', 'ack 1 1.0 5');
is_bad('it is elsewhere than it was acknowledged', 'half transaction, lost write', 'begin 3 q/1', 'write 3 a-0 3.0', 'ack 3 3.0 2', 'commit 3', 'committed 3', 'ask r', 'poll r a-0 1 4 4 4 3:3.0');
is_bad('there is another one', 'inconsistent offset', 'begin 3 q/1', 'write 3 a-0 3.0', 'commit 3', 'committed 3', 'ask r', 'poll r a-0 0 1 3 3 0:3.0');
is_bad('two were acknowledged at one offset', 'inconsistent offset', 'begin 3 q/1', 'write 3 a-0 3.0', 'ack 3 3.0 1', 'abort 3', 'aborted 3');

# ---- order ------------------------------------------------------------------------------------------------

my @ordered = ('begin 3 p/1', 'write 3 a-0 3.0', 'write 3 a-0 3.1', 'commit 3', 'committed 3', 'ask r');
is_bad('records come in order', '', @ordered, 'poll r a-0 1 4 4 4 2:3.0 3:3.1');
is_bad('or not', 'out-of-order poll', @ordered, 'poll r a-0 1 4 4 4 3:3.1 2:3.0');
is_bad('they were sent in another order', 'out-of-order poll', @ordered, 'poll r a-0 1 4 4 4 2:3.1 3:3.0');
is_bad('by another incarnation of the client', 'out-of-order poll, write cycle', 'begin 3 q/2', 'write 3 a-1 3.0', 'commit 3', 'committed 3', 'begin 4 q/3', 'write 4 a-1 4.0',
	'commit 4', 'committed 4', 'ask r', 'poll r a-1 1 3 3 3 1:4.0 2:3.0');
is_bad('a record comes before it was asked for', 'out-of-order poll', @ordered, 'poll r a-0 3 4 4 4 2:3.0');
is_bad('one is left out', 'half transaction, lost write, skipped poll', @ordered, 'poll r a-0 1 4 4 4 2:3.0 3:3.1', 'ask s', 'poll s a-0 0 4 4 4 0:1.0 3:3.1');
is_bad('a group takes each once', '', 'take c a-0 0:1.0', @ordered, 'poll r a-0 1 4 4 4 2:3.0 3:3.1', 'take c a-0 2:3.0 3:3.1');
is_bad('or goes back', 'non-monotonic poll', 'take c a-0 0:1.0', 'take c a-0 0:1.0');
is_bad('or leaves one out', 'skipped poll', 'take c a-0 0:1.0', @ordered, 'poll r a-0 1 4 4 4 2:3.0 3:3.1', 'take c a-0 3:3.1');

# ---- write cycles ---------------------------------------------------------------------------------------

my @first = ('begin 3 p/1', 'write 3 a-0 3.0', 'write 3 a-1 3.1');
my @second = ('begin 4 q/1', 'write 4 a-0 4.0', 'write 4 a-1 4.1');
my @both = ('commit 3', 'committed 3', 'commit 4', 'committed 4', 'ask r');
my @cycle = ('poll r a-0 1 4 4 4 2:3.0 3:4.0', 'poll r a-1 1 3 3 3 1:4.1 2:3.1');
is_bad('two that are open at the same time', '', @first, @second, @both, @cycle);
is(KafkaTxnHistory->parse(join "\n", $good, @first, @second, @both, @cycle)->overlapping, 1, 'are counted');
is_bad('two that follow each other', 'write cycle', @first, @both[ 0, 1 ], @second, @both[ 2 .. 4 ], @cycle);

# ---- ends ---------------------------------------------------------------------------------------------------

is_bad('an end moves back', 'end moved back', 'ask r', 'poll r a-0 1 1 0 0');
is_bad('as ListOffsets tells it', 'end moved back', 'ask r', 'told r a-0 0');
is_bad('the stable one', 'end moved back', 'ask r', 'poll r a-0 1 1 1 0');
is_bad('an answer that was under way', '', 'ask s', 'ask r', 'poll r a-0 1 1 7 7', 'poll s a-0 1 1 1 1');
is_bad('stable behind the end', 'end moved back', 'ask r', 'poll r a-0 1 1 1 2');
is_bad('records behind the end', 'end moved back', 'begin 3 q/1', 'write 3 a-0 3.0', 'commit 3', 'committed 3', 'ask r', 'poll r a-0 1 3 2 2 2:3.0');

# ---- zombies ---------------------------------------------------------------------------------------------------

my @zombie = ('begin 3 q/1', 'write 3 a-0 3.0', 'fence q/1');
is_bad('an answer comes late', '', @zombie, 'ack 3 3.0 2', 'unknown 3');
is_bad('one that was fenced produces', 'zombie', @zombie, 'again 3', 'ack 3 3.0 2', 'unknown 3');
is_bad('and commits', 'zombie', @zombie, 'commit 3', 'committed 3');

# ---- what befalls servers ------------------------------------------------------------------------------------------

my @later = ('begin 3 p/1', 'write 3 a-0 3.0', 'ack 3 3.0 2', 'commit 3');
is_bad('what was committed behind the moment of recovery is gone', '', 'mark m', @later, 'committed 3', 'ask r', 'poll r a-0 1 3 3 3 2:3.0', 'recovered m', 'ask r',
	'poll r a-0 0 2 2 2 0:1.0');
is_bad('and not there', 'aborted read', 'mark m', @later, 'committed 3', 'recovered m', 'ask r', 'poll r a-0 0 3 3 3 0:1.0 2:3.0');
is_bad('what was before is there', 'half transaction, lost write, skipped poll', @later, 'committed 3', 'ask r', 'poll r a-0 1 3 3 3 2:3.0', 'mark m', 'recovered m',
	'ask r', 'poll r a-0 0 3 3 3 0:1.0');
is_bad('what was about to end is there', '', @later, 'mark m', 'committed 3', 'recovered m', 'ask r', 'poll r a-0 0 3 3 3 0:1.0 2:3.0');
is_bad('or not', '', @later, 'mark m', 'committed 3', 'recovered m', 'ask r', 'poll r a-0 0 3 3 3 0:1.0');
is_bad('what was open is not', 'aborted read, dirty read', @later[ 0 .. 2 ], 'mark m', 'commit 3', 'committed 3', 'recovered m', 'ask r', 'poll r a-0 0 3 3 3 0:1.0 2:3.0');
is_bad('anomalies before are found', 'aborted read', 'mark m', 'ask r', 'poll r a-0 1 2 2 2 1:2.0', 'recovered m');
is_bad('what SQL alone has seen before a fail-over may be gone', '', @later, 'unknown 3', 'snap s 1 a-0 3 0:1.0 2:3.0', 'failover', 'ask r', 'poll r a-0 0 3 3 3 0:1.0');
is_bad('what a client was given may not', 'half transaction, skipped poll', @later, 'unknown 3', 'ask r', 'poll r a-0 1 3 3 3 2:3.0', 'failover', 'ask r',
	'poll r a-0 0 3 3 3 0:1.0');

done_testing();
