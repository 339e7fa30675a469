# Files under test: src/broker/data/produce.c, fetch.c, src/broker/core/flusher.c, src/wal/log_stable_end.c, log_sync.c.
# The power goes while Kafka's clients and SQL produce and consume: what was not on disk is gone.  What
# was acknowledged with acks=1 or all is there once and in order, and nothing that a consumer was given
# has changed (test/perl/KafkaModel.pm).  Controls leave out syncs and must be found out, else this
# test could not tell.
#
# TOPIC_TEST_CUTS=n: so many cuts ("test/run power n").
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaModel;
use KafkaProducer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ScratchDisk;
use Test::More;
use Time::HiRes qw(usleep);
use TopicTest;

use constant CUTS_OF_A_TOPIC => 10;

need_scratch_disk();

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");
my $cuts = $ENV{TOPIC_TEST_CUTS} // 3;

# What clients of SQL may see while the disk is gone.
my $gone = qr/Input\/output error|PANIC|could not|No such file|checkpoint request failed|WARNING|FATAL/;

# A cluster on the disk, and what must be in it.
sub start
{
	my ($name, @settings) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $node = new_node($name, init => { extra => ['--wal-segsize=1'] },
		settings => [ kafka_settings($port), 'min_wal_size = 2MB', 'max_wal_size = 16MB', @settings ]);

	clear_disk();
	move_to_disk($node);
	$node->start;
	KafkaModel::create_topics($node);
	return KafkaModel->new(node => $node, port => $port);
}

# Work for a while, and the power goes.  Returns the transactions of SQL that were acknowledged.
sub cut
{
	my ($model) = @_;
	my $node = $model->{node};
	my $load = start_load($node, clients => 2, transactions => 3000, prologue => { 2 => "SET synchronous_commit = off;\n" },
		also => [ KafkaModel::neighbours() ]);

	$model->run(0.5 + rand(1.5));
	# sometimes the kernel has written everything just before
	system('sync', '-f', $node->data_dir) if rand() < 0.3;
	$model->run(rand(0.05)) if rand() < 0.5;
	$model->disk_is_gone;
	# the server runs on for a moment, and clients ask it
	lose_power($node, rand() < 0.5 ? sub { $model->run(rand(0.2)) } : undef);
	$model->disk_is_back;
	finish_load($load, expected => $gone);
	return map { "@$_" } grep { $_->[0] != 2 } acknowledged($load);
}

# What is wrong when all is over.
sub differences
{
	my ($model, @sent) = @_;
	my $node = $model->{node};

	$model->finish;
	wait_resolved($node);
	$model->check;
	my %there = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{SELECT DISTINCT client || ' ' || n FROM sent});
	my @lost = grep { !$there{$_} } @sent;
	return join("\n", $model->problems, @lost ? 'SQL has lost ' . join(', ', @lost) : ());
}

for (my $done = 0; $done < $cuts; $done += CUTS_OF_A_TOPIC)
{
	my $model = start("main$done");
	my $last = $done + CUTS_OF_A_TOPIC < $cuts ? $done + CUTS_OF_A_TOPIC : $cuts;
	my @sent;

	foreach my $number ($done + 1 .. $last)
	{
		push @sent, cut($model);
		$model->{node}->start;
		end_prepared($model->{node});
		$model->run(0.3);
		is(join("\n", $model->problems), '', "power cut $number: consumers are given what they were given before");
	}
	is(differences($model, @sent), '', "all is as it was told (TOPIC_TEST_SEED=$seed)");
	note("$model->{answers} batches were acknowledged, consumers were given records $model->{fetches} times");
	cmp_ok($model->{answers}, '>', 20, 'there was a load');
	$model->{node}->stop('immediate');
}

# ---- controls ----------------------------------------------------------------

my %controls = (
	'without fsync' => 'fsync = off',
	# WAL and tables are synced, segments are not
	"without the segments' syncs" => "pg_topics.fault_point = 'segment-sync:skip'");

foreach my $control (sort keys %controls)
{
	(my $name = $control) =~ s/\W+/_/g;
	my $model = start($name, $controls{$control});
	my $node = $model->{node};
	my $lost;

	$model->run(1);
	$node->safe_psql('postgres', 'CHECKPOINT');
	$model->run(0.5);
	$model->disk_is_gone;
	lose_power($node);
	$model->disk_is_back;
	if (!$node->start(fail_ok => 1)) { $lost = 'the server does not start'; }
	else
	{
		$model->run(0.3);
		eval { $model->check; 1 } or $model->wrong($@ =~ /(ERROR:.*)/ ? $1 : $@);
		$lost = join("\n", $model->problems);
	}
	isnt($lost, '', "$control a power cut is found out");
	note("$control: $lost");
	$node->stop('immediate', fail_ok => 1);
}
clear_disk();

done_testing();
