# Files under test: src/broker/transactions/txn_coordinator.c, txn_request.c, src/wal/kafka_txn.c, kafka_txn_file.c, log_stable_end.c.
# The power goes while transactions of Kafka's clients and of SQL are open, begin and end: what was not on disk is gone.  Each is
# there as a whole or not at all, as its client was told, and nothing that a reader was given has changed.
# test/perl/KafkaTxnModel.pm has the load, KafkaTxnHistory.pm says what must be.  A control leaves out syncs and must be
# found out, else this test could not tell.
#
# TOPIC_TEST_CUTS=n: so many cuts ("test/run power n").
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaProducer qw(kafka_settings);
use KafkaTxnModel;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use ScratchDisk;
use Test::More;
use TopicTest;

use constant CUTS_OF_A_TOPIC => 10;

need_scratch_disk();

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");
my $cuts = $ENV{TOPIC_TEST_CUTS} // 3;

# A cluster on the disk, and its clients.
sub start
{
	my ($name, @settings) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $node = new_node($name, init => { extra => ['--wal-segsize=1'] },
		settings => [ kafka_settings($port), 'min_wal_size = 2MB', 'max_wal_size = 16MB', 'max_worker_processes = 16', @settings ]);

	clear_disk();
	move_to_disk($node);
	$node->start;
	KafkaTxnModel::create_topics($node);
	return KafkaTxnModel->new(node => $node, port => $port);
}

# The power goes.
sub cut
{
	my ($model, $number) = @_;

	$model->event("power cut $number");
	$model->disk_is_gone;
	lose_power($model->{node}, rand() < 0.5 ? sub { $model->run(rand(0.2)) } : undef);
	$model->disk_is_back;
	return;
}

# What is wrong when all is over.
sub is_whole
{
	my ($model, $name) = @_;

	eval { $model->finish; 1 } or $model->wrong("the end: $@");
	my @problems = $model->problems;
	is(join("\n", @problems), '', "each transaction is there as a whole or not at all (TOPIC_TEST_SEED=$seed)");
	append_to_file("$PostgreSQL::Test::Utils::log_path/kafka_transactions_$name.txt", $model->{history}->text) if @problems;
	return;
}

for (my $done = 0; $done < $cuts; $done += CUTS_OF_A_TOPIC)
{
	my $model = start("main$done");
	my $last = $done + CUTS_OF_A_TOPIC < $cuts ? $done + CUTS_OF_A_TOPIC : $cuts;

	foreach my $number ($done + 1 .. $last)
	{
		$model->run(0.7 + rand(1.2));
		# sometimes the kernel has written everything just before
		system('sync', '-f', $model->{node}->data_dir) if rand() < 0.3;
		$model->run(rand(0.05)) if rand() < 0.5;
		cut($model, $number);
		$model->{node}->start;
		$model->run(0.3);
	}
	is_whole($model, $done);
	note($model->summary);
	cmp_ok($model->{counts}{committed} // 0, '>', 10, 'there was a load');
	$model->{node}->stop('immediate');
	last if !Test::More->builder->is_passing;
}

# ---- a control ----------------------------------------------------------------

{
	my $model = start('control', 'fsync = off');
	my $lost = 'the server does not start';

	$model->run(1);
	$model->{node}->safe_psql('postgres', 'CHECKPOINT');
	$model->run(0.5);
	cut($model, 'of the control');
	if ($model->{node}->start(fail_ok => 1))
	{
		local $PostgreSQL::Test::Utils::timeout_default = 5;

		eval { $model->run(0.3); $model->finish; 1 } or $model->wrong("the end: $@");
		$lost = join "\n", $model->problems;
	}
	isnt($lost, '', 'without fsync a power cut is found out');
	note('without fsync: ' . substr($lost, 0, 1000));
	$model->{node}->stop('immediate', fail_ok => 1);
}
clear_disk();

done_testing();
