#!/usr/bin/env perl
# Many of Kafka's consumer groups at once, floods of requests, and bytes that mean nothing (src/broker/groups/join_group.c,
# classic_store.c, classic_claims.c, src/coordinator/consumer_protocol.c): nobody else is held up, and all is given back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 200',
	'pg_topics.kafka_group_min_session_timeout = 500',
	'pg_topics.kafka_group_max_size = 300');

sub member { return KafkaMember->new($port, @_) }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN');
sql(q{SELECT create_topic('orders', partitions => 12); SELECT create_topic('secret', partitions => 2); GRANT SELECT ON orders TO app});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');

# a member that is there all the time
my $witness = member('witness', topics => ['orders']);
form_group('orders', 12, $witness);

# ---- 200 groups at once ------------------------------------------------------------------

my @groups = map { my $g = $_; [ map { member("g$g", topics => ['orders']) } 1, 2 ] } 1 .. 200;
$_->send_join_generation foreach map { @$_ } @groups;
is(join(' ', grep { $_ } map { $_->read_join_generation } map { @$_ } @groups), '', '200 groups get a generation');
foreach my $group (@groups)
{
	$_->send_sync_generation('orders', 12) foreach sort { $a->leads <=> $b->leads } @$group;
}
my $right = 0;
foreach my $group (@groups)
{
	my @shares = map { $_->read_sync_generation } @$group;
	my %all = map { $_ => 1 } map { split ' ' } @shares;

	$right++ if keys %all == 12 && !grep { scalar(split ' ') != 6 } @shares;
}
is($right, 200, 'and each shares out the topic');
is(join(' ', grep { $_ } map { $_->heartbeat_error } map { @$_ } @groups), '', 'all are alive');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE member_id LIKE 'kafka:%'}), 201 * 12, 'all is claimed');
is(sql(q{SELECT count(*) FROM topic_kafka_members}), 401, 'all is stored');
$_->client->close foreach map { @$_ } @groups;
@groups = ();

# ---- a group that is full --------------------------------------------------------------------

my @many = map { member('full', topics => ['orders'], session => 30000) } 1 .. 300;
$_->send_join_generation foreach @many;
is(join(' ', grep { $_ } map { $_->read_join_generation } @many), '', 'as many members as there may be');
is(join_group(client(), 'full', topics => ['orders'])->{error}, 81, 'and no more');
my ($leader) = grep { $_->leads } @many;
is(scalar keys %{ $leader->{members} }, 300, 'the leader knows all');
$_->client->close foreach @many;

# ---- floods ---------------------------------------------------------------------------------------

# ids that nobody uses, in groups that are not there
my $flood = client();
send_join($flood, "flood$_", topics => ['orders'], session => 500) foreach 1 .. 2000;
is(join(' ', grep { $_ != 79 } map { read_join($flood)->{error} } 1 .. 2000), '', 'a flood of new groups');
is($witness->heartbeat_error, 0, 'others are served');
ok(poll_until(sub { !grep { /^flood/ } keys %{ list_groups($flood) } }), 'groups that nobody joins are forgotten');

# members that never wait for their answers
foreach (1 .. 100)
{
	my $rude = client();

	send_join($rude, 'rude', topics => ['orders'], version => 2, session => 500, rebalance => 1000);
	$rude->close;
}
my $polite = member('rude', topics => ['orders'], session => 30000, rebalance => 1000);
$polite->send_join_generation;
is($polite->read_join_generation, 0, 'clients that are gone hold nobody up');
$polite->send_sync_generation('orders', 12);
my $assignment = $polite->read_sync_generation;
ok(poll_until(sub {
	my $error = $polite->heartbeat_error;

	if ($error eq 27)
	{
		$polite->send_join_generation;
		return 0 if $polite->read_join_generation;
		$polite->send_sync_generation('orders', 12);
		$assignment = $polite->read_sync_generation;
	}
	return $assignment eq join(' ', map { "orders-$_" } 0 .. 11) }), 'and after their sessions nothing is theirs');

# the same request again and again, without waiting
my $hasty = client();
my $id = join_group($hasty, 'hasty', topics => ['orders'], once => 1)->{member};
foreach (1 .. 50)
{
	my $again = client();

	send_join($again, 'hasty', topics => ['orders'], member => $id);
	$again->close;
}
# of several requests the last one counts that the server has read
ok(poll_until(sub { my $error = join_group($hasty, 'hasty', topics => ['orders'], member => $id)->{error}; die $error if $error && $error != 27; !$error }),
	'a member that asks again is answered');

# ---- bytes that mean nothing ---------------------------------------------------------------------------

my $number = 0;
foreach my $bytes ('', "\0", "\xff" x 100, "\0\0\x7f\xff\xff\xff", "\0\0\0\0\0\1\xff\xff", "\0\0\0\0\0\1\0\6orders\x7f\xff\xff\xff" . "\0" x 40,
	"\0\0\0\0\0\2\0\6orders\0\0\0\1\xff\xff\xff\xff\0\6orders\0\0\0\1\0\0\0\1", "\0\0\0\0\0\1\0\6orders\0\0\0\2\0\0\0\1\0\0\0\1",
	"\xff\xff\0\0\0\1\0\6orders\0\0\0\1\0\0\0\1", join('', map { chr(int(rand 256)) } 1 .. 1000))
{
	my $group = 'hostile' . ++$number;
	my $one = client();
	my $answer = join_group($one, $group, metadata => $bytes, protocols => [ 'range', 'other' ]);

	is("$answer->{error} " . ($answer->{members}{ $answer->{member} } eq $bytes), '0 1', "metadata $number are handed on as they are");
	my $sync = sync_group($one, $group, member => $answer->{member}, generation => 1, assignments => { $answer->{member} => $bytes, nobody => $bytes });
	is("$sync->{error} " . ($sync->{assignment} eq $bytes), '0 1', 'and so are these as an assignment');
	is(sql("SELECT count(*) FROM topic_group_offsets WHERE group_id = '$group'"), $number >= 6 && $number <= 8 ? 1 : 0, 'only what is sound is claimed')
	  if $number > 1;
	is(heartbeat($one, $group, member => $answer->{member}, generation => 1), 0, 'it is a member');
}

# partitions of topics that the role may not read
my $thief = client();
my $answer = join_group($thief, 'thief', topics => ['secret']);
is(sync_group($thief, 'thief', member => $answer->{member}, generation => 1,
	assignments => { $answer->{member} => assignment(secret => [ 0, 1 ], orders => [ 0, 99 ], nothing => [0]) })->{error}, 0, 'any assignment is handed on');
is(sql(q{SELECT string_agg(topic || ' ' || partition, ', ') FROM topic_group_offsets WHERE group_id = 'thief'}), 'orders 0',
	'but only what the role may read is claimed');

# an assignment with very many partitions
$answer = join_group($thief, 'greedy', topics => ['orders']);
send_sync($thief, 'greedy', member => $answer->{member}, generation => 1,
	assignments => { $answer->{member} => assignment(map { ("t$_" => [ 0 .. 99 ]) } 1 .. 2000) });
is($witness->heartbeat_error, 0, 'others are served meanwhile');
is(read_sync($thief)->{error}, 0, 'a large assignment');

# ---- what is left -----------------------------------------------------------------------------------------

is($witness->heartbeat_error, 0, 'the witness has heard nothing of all that');
is("$witness->{generation}", 1, 'and is in its generation');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|server process/, 'nothing has crashed');
is((() = slurp_file($node->logfile) =~ /ERROR/g), 0, 'nor failed');

done_testing();
