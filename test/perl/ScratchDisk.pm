# A cluster on a disk of its own, which can lose its power and can be full: see
# test/scratch_disk, which test/run starts beside the TAP tests where it can.
package ScratchDisk;

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(:flock);
use POSIX qw(:signal_h);
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

our @EXPORT = qw(need_scratch_disk have_no_scratch_disk move_to_disk lose_power clear_disk fill_disk);

my $directory = $ENV{TOPIC_TEST_DISK};

our $refused;

my $lock;

# Run code that waits in one system call: the end of a child process, for which
# PostgreSQL::Test has a handler, would break that off.
sub undisturbed
{
	my ($code) = @_;
	my $ended = POSIX::SigSet->new(SIGCHLD);

	sigprocmask(SIG_BLOCK, $ended);
	my $done = $code->();
	my $error = $!;
	sigprocmask(SIG_UNBLOCK, $ended);
	$! = $error;
	return $done;
}

# Is there none?  $refused says why.  Else it is ours from now on: tests may run at the
# same time, and there is one.
sub have_no_scratch_disk
{
	if ($directory && -d "$directory/disk" && -p "$directory/request")
	{
		open($lock, '>', "$directory/lock") or die "$directory/lock: $!";
		undisturbed(sub { flock($lock, LOCK_EX) }) or die "$directory/lock: $!";
		return 0;
	}
	$refused = 'no disk of its own: '
	  . ($directory && -e "$directory/refused" ? slurp_file("$directory/refused") : 'test/run makes one, as root');
	return 1;
}

# Skip all of the test where there is none.
sub need_scratch_disk
{
	plan skip_all => $refused if have_no_scratch_disk();
	return;
}

# One word to the helper.
sub request
{
	my ($word) = @_;
	my ($out, $in);

	undisturbed(sub { open($out, '>', "$directory/request") }) or die "$directory/request: $!";
	print $out "$word\n";
	close($out);
	undisturbed(sub { open($in, '<', "$directory/answer") }) or die "$directory/answer: $!";
	my $answer = <$in>;
	die "scratch disk, $word: $answer" if $answer ne "done\n";
	return;
}

# Nothing is left on it.
sub clear_disk
{
	system('rm', '-rf', glob("$directory/disk/*")) == 0 or die 'cannot clear the disk';
	return;
}

# Put the data directory of a stopped cluster on the disk, for certain.
sub move_to_disk
{
	my ($node) = @_;
	my $place = "$directory/disk/" . $node->name;

	system('cp', '-a', $node->data_dir, $place) == 0 && system('rm', '-rf', $node->data_dir) == 0
	  && symlink($place, $node->data_dir) && system('sync', '-f', $place) == 0 or die "cannot move " . $node->data_dir;
	return;
}

# The power goes, the server dies, the disk comes back with what was on it.  The
# postmaster's pid must be known before.  What is to be done while the server runs without its disk
# may be given as code.
sub lose_power
{
	my ($node, $meanwhile) = @_;
	my $postmaster = (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0];

	request('cut');
	$meanwhile->() if $meanwhile;
	kill_all($node, $postmaster);
	request('restore');
	# what was not on disk of it yet; a server refuses to start beside an empty one
	unlink $node->data_dir . '/postmaster.pid' if -z $node->data_dir . '/postmaster.pid';
	return;
}

# Take all space but "rest" bytes, with a file that is returned: unlink it.
sub fill_disk
{
	my ($rest) = @_;
	my $path = "$directory/disk/ballast";
	my ($free) = `df --output=avail -B1 $directory/disk` =~ /(\d+)\s*\z/ or die 'no df';

	system('fallocate', '-l', $free - $rest, $path) == 0 or die "cannot fill the disk";
	return $path;
}

1;
