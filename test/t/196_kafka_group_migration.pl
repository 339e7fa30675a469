#!/usr/bin/env perl
# Groups of Kafka's clients that go, with members, from the classic protocol to the new one and back
# (src/broker/groups/migrate_group.c, classic_in_consumer.c, src/coordinator/group_migration.c, modern_classic.c): in both directions, with
# static members, each policy, what is refused, requests that are repeated, rows that cannot be stored, crashes on the way, and a
# switch to a standby.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat ();
use KafkaMember;
use KafkaOffsets;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $standby_port = PostgreSQL::Test::Cluster::get_free_port();
my $role = (getpwuid($<))[0];
my $node = new_node('main', init => { allows_streaming => 1 }, settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'", "pg_topics.kafka_anonymous_role = '$role'",
	'pg_topics.kafka_group_initial_rebalance_delay = 100', 'pg_topics.kafka_group_max_size = 6', 'wal_retrieve_retry_interval = 50ms',
	'max_worker_processes = 12' ]);
my $serving = $node;
my $at = $port;
my $error = { %{ KafkaHeartbeat->ERRORS }, REBALANCE_IN_PROGRESS => 27, ILLEGAL_GENERATION => 22, UNKNOWN_SERVER_ERROR => 65535 };

sub sql { return $serving->safe_psql('postgres', @_) }

sub client { return KafkaClient->new($at) // die "no connection: $!" }

sub classic { my ($group, %params) = @_; return KafkaMember->new($at, $group, topics => ['orders'], %params) }

sub consumer { my ($group, %said) = @_; return KafkaHeartbeat->new(\&client, group => $group, names => ['orders'], %said) }

sub told { my ($group) = @_; return KafkaMember::list_groups(client())->{$group} }

sub group { my ($group) = @_; return KafkaHeartbeat::describe_consumer_groups(client(), $group)->{$group} }

# What the rows say: the kind, and whose these are.
sub rows
{
	my ($group) = @_;

	return sql(qq{SELECT kind || ' ' || (SELECT count(*) FROM topic_kafka_members m WHERE m.group_id = g.group_id) ||
		' ' || (SELECT count(*) FROM topic_group_offsets o WHERE o.group_id = g.group_id AND member_id LIKE 'kafka:%')
		FROM topic_kafka_groups g WHERE group_id = '$group'});
}

sub set
{
	my (%settings) = @_;

	$serving->append_conf('postgresql.conf', "$_ = $settings{$_}") foreach keys %settings;
	$serving->reload;
	poll_until(sub { !grep { sql("SHOW $_") ne $settings{$_} } keys %settings });
	return;
}

# Which partitions a member has, of either kind: "0,1".
sub has
{
	my ($member) = @_;

	return join ',', sort { $a <=> $b } map { @$_ } values %{ $member->{target} // $member->{owned} } if $member->isa('KafkaHeartbeat');
	return join ',', sort { $a <=> $b } map { /-(\d+)$/ } split / /, $member->{assignment} // '';
}

# Each of six partitions is one member's, and all members have as many.
sub is_shared
{
	my @shares = map { has($_) } @_;
	my %counts = map { scalar(split /,/) => 1 } @shares;

	return join(',', sort { $a <=> $b } map { split /,/ } @shares) eq '0,1,2,3,4,5' && keys %counts == 1;
}

# Let members come to a generation of a classic group together, though the first one may have begun one without the others: how
# many partitions each has.
sub form
{
	my @members = @_;

	foreach (1 .. 30)
	{
		$_->send_join_generation foreach @members;
		my @errors = map { $_->read_join_generation } @members;

		$members[$_]{member} = '' foreach grep { $errors[$_] eq 25 } 0 .. $#members;
		next if grep { $_ ne 0 } @errors;
		$_->send_sync_generation('orders', 6) foreach sort { $a->leads <=> $b->leads } @members;
		my @assigned = map { $_->read_sync_generation } @members;

		return join ' ', map { scalar split / / } @assigned if !grep { /error|closed/ } @assigned;
	}
	return 'never';
}

# Let members of both kinds go on until they share the partitions; false if they do not get there.
sub share
{
	my @members = @_;

	foreach (1 .. 30)
	{
		$_->beat foreach @members;
		return 1 if is_shared(@members) && !grep { $_->isa('KafkaHeartbeat') ? $_->{target} : $_->heartbeat_error } @members;
	}
	diag(explain([ map { has($_) } @members ]));
	return 0;
}

sub serves
{
	my $client = KafkaClient->new($at) // return 0;
	my $groups = eval { KafkaHeartbeat::describe_consumer_groups($client, 'x') } // return 0;

	return $groups->{x}{error} == 0 || $groups->{x}{error} == $error->{GROUP_ID_NOT_FOUND};
}

$node->start;
sql(q{CREATE EXTENSION pg_topics; SELECT create_topic('orders', partitions => 6); SELECT create_topic('bills')});
ok(poll_until(\&serves), 'the listener has started') or BAIL_OUT('no listener');

# ---- to the new protocol -------------------------------------------------------------------------

my @classic = map { classic('g', cooperative => $_ == 1) } 0, 1;
is(form(@classic), '3 3', 'two members of the classic protocol');
my $generation = $classic[0]{generation};
my $new = consumer('g', member => 'new');
my $answer = $new->beat;
is("$answer->{error} $answer->{epoch}", '0 ' . ($generation + 1), 'a member of the new protocol joins them');
is(has($new), '', 'and gets nothing that is another one\'s');
is(told('g'), 'consumer:Reconciling:Consumer', 'it is a consumer group now');
is(rows('g'), 'consumer 3 6', 'so its rows say, with the members and the claims that it had');
is_deeply([ sort map { $_->{type} } values %{ group('g')->{members} } ], [ 0, 0, 1 ], 'ConsumerGroupDescribe tells of both');
is(KafkaMember::describe_groups(client(), ['g'])->[0]{state}, 'Dead', 'DescribeGroups of none');
is($classic[0]->heartbeat_error, $error->{REBALANCE_IN_PROGRESS}, 'the others are told to join again');
my %as = (member => $classic[0]{member}, generation => $generation, version => 9);
my ($owned) = split /,/, has($classic[0]);
is(commit_error(client(), 'g', 'orders', $owned, 7, %as), 0, 'before, they commit what they have consumed');
is(commit_error(client(), 'g', 'orders', $owned, 7, %as, generation => $generation + 1), $error->{ILLEGAL_GENERATION}, 'in their generation');
is(commit_error(client(), 'g', 'orders', $owned, 7, version => 9, member => 'new', generation => $generation), $error->{STALE_MEMBER_EPOCH},
	'which is not that of the new one');
is(commit_error(client(), 'g', 'orders', $owned, 7), $error->{UNKNOWN_MEMBER_ID}, 'and tools do not');
is(sync_group(client(), 'g', member => $classic[0]{member}, generation => $generation)->{error}, $error->{REBALANCE_IN_PROGRESS},
	'SyncGroup is no way around that');

# one that gives all up, one that keeps what it can
my $before = has($classic[1]);
is($classic[0]->beat, 0, 'one joins again');
is($classic[0]{leader}, '', 'and does not lead');
is($classic[0]{generation}, $generation + 1, 'its generation is the epoch');
my $repeated = $classic[0]{assignment};
is($classic[0]->join_again, 0, 'a JoinGroup that is repeated');
is($classic[0]{assignment}, $repeated, 'leads to the same');
is($classic[1]->beat, 0, 'one that says what it owns');
ok($classic[1]{generation} == $generation && index($before, has($classic[1])) == 0 && has($classic[1]) ne $before,
	'stays in its generation until it has given up what it must') or diag("$classic[1]{generation} $before " . has($classic[1]));
is($classic[1]->heartbeat_error, $error->{REBALANCE_IN_PROGRESS}, 'and is told to join again');
ok(share(@classic, $new), 'the three share the partitions');
push @classic, classic('g');
my @six = (@classic, consumer('g', member => 'new2'), consumer('g', member => 'new3'));
ok(share(@six, $new), 'six members of both kinds share the partitions');
is(told('g'), 'consumer:Stable:Consumer', 'and the group is stable');
is(rows('g'), 'consumer 6 6', 'its rows have all');
is(join_group(client(), 'g', topics => ['orders'])->{error}, $error->{GROUP_MAX_SIZE_REACHED}, 'it is full for both');
is(consumer('g', member => 'new4')->beat->{error}, $error->{GROUP_MAX_SIZE_REACHED}, 'kinds');

# what does not fit
is(leave_group(client(), 'g', $classic[2]{member}), '0 0', 'a member of the classic protocol leaves');
is(leave_group(client(), 'g', $classic[2]{member}), '0 25', 'once');
is($classic[2]->heartbeat_error, $error->{UNKNOWN_MEMBER_ID}, 'and is none any more');
is(join_group(client(), 'g', type => 'connect', topics => ['orders'])->{error}, $error->{INCONSISTENT_GROUP_PROTOCOL}, 'another type of protocol');
is(join_group(client(), 'g', protocols => ['mine'], topics => ['orders'])->{error}, $error->{INCONSISTENT_GROUP_PROTOCOL},
	'a protocol that the others do not support');
is(join_group(client(), 'g', metadata => 'x')->{error} & 0xffff, $error->{UNKNOWN_SERVER_ERROR}, 'a subscription that is none');
is(sync_group($classic[0]->client, 'g', member => $classic[0]{member}, generation => $classic[0]{generation}, protocol => 'mine')->{error},
	$error->{INCONSISTENT_GROUP_PROTOCOL}, 'SyncGroup of another protocol');
is(heartbeat($classic[0]->client, 'g', member => 'new', generation => $new->epoch), $error->{UNKNOWN_MEMBER_ID},
	'a member of the new protocol does not send Heartbeat');
is(leave_group(client(), 'g', [ ['new3'] ]), '0 0', 'but an administrator may remove it');
$six[3]->leave;
ok(share(@classic[0, 1], $new), 'three are left');

# ---- and back --------------------------------------------------------------------------------------

$generation = $classic[0]{generation};
is($new->leave->{error}, 0, 'the last member of the new protocol leaves');
is(told('g'), 'consumer:PreparingRebalance:Classic', 'it is a classic group, which rebalances');
is(rows('g'), 'classic 2 6', 'so its rows say');
is(group('g')->{error}, $error->{GROUP_ID_NOT_FOUND}, 'and none of the new protocol');
is($classic[0]->heartbeat_error, $error->{REBALANCE_IN_PROGRESS}, 'members hear of it in time to commit');
is(commit_error(client(), 'g', 'orders', 0, 8, member => $classic[0]{member}, generation => $generation), 0, 'what they have');
is(form(@classic[0, 1]), '3 3', 'they share the partitions by themselves');
cmp_ok($classic[0]{generation}, '>', $generation, 'in a later generation');
is(told('g'), 'consumer:Stable:Classic', 'and the group is stable');
is(sql(q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'g' AND partition = 0}), 8, 'committed offsets are there');

# again, by a session that ends
set('pg_topics.kafka_group_consumer_session_timeout' => '1s');
is($new->beat->{error}, 0, 'a member of the new protocol comes');
ok(poll_until(sub { $_->heartbeat_error foreach @classic[0, 1]; told('g') =~ /Classic/ }), 'and falls silent: the group is a classic one again');
set('pg_topics.kafka_group_consumer_session_timeout' => '45s');
is(form(@classic[0, 1]), '3 3', 'which goes on');
leave_group(client(), 'g', $_->{member}) foreach @classic[0, 1];

# ---- static members -----------------------------------------------------------------------------------

my @static = map { classic('s', instance => "i$_") } 1, 2;
form(@static);
$generation = $static[0]{generation};
my @rolled = map { consumer('s', member => "r$_", instance => "i$_") } 1, 2;
$answer = $rolled[0]->beat;
is("$answer->{error} $answer->{epoch}", "0 $generation", 'a static member comes back with the new protocol: there is no rebalance');
is(has($rolled[0]), has($static[0]), 'it has what it had');
is($static[0]->heartbeat_error, $error->{FENCED_INSTANCE_ID}, 'who it was is fenced');
is($static[1]->heartbeat_error, 0, 'the other one hears of nothing');
is(rows('s'), 'consumer 2 6', 'the rows have the two');
is($rolled[1]->beat->{epoch}, $generation, 'the other one comes back, too');
is(group('s')->{epoch}, $generation, 'in the same epoch');
is(consumer('s', member => 'x', instance => 'i1')->beat->{error}, $error->{UNRELEASED_INSTANCE_ID}, 'in the new protocol they are not replaced');
my @back = map { classic('s', instance => "i$_") } 1, 2;
is($back[0]->join_again, 0, 'but by the classic one they are');
is(has($back[0]), has($static[0]), 'with what they had');
is($rolled[0]->beat->{error}, $error->{FENCED_INSTANCE_ID}, 'who it was is fenced');
is(join_group(client(), 's', instance => 'i1', member => 'wrong', topics => ['orders'])->{error}, $error->{FENCED_INSTANCE_ID}, 'so is a wrong id');
is(told('s'), 'consumer:Stable:Consumer', 'the group has one of each kind');
is($back[1]->join_again, 0, 'the other one comes back as well');
is(told('s'), 'consumer:Stable:Classic', 'and it is a classic group, without a rebalance');
is(rows('s'), 'classic 2 6', 'of two members');
is(join(' ', map { $_->heartbeat_error } @back), '0 0', 'which go on');
is("@{[ map { has($_) } @back ]}", "@{[ map { has($_) } @static ]}", 'with what they had at first');
is(leave_group(client(), 's', [ [ '', 'i1' ], [ '', 'i2' ] ]), '0 0 0', 'an administrator removes them');

# ---- what is refused -------------------------------------------------------------------------------------

# The error of a member of the new protocol that joins, and what it leaves of the group.
sub refused { my ($group) = @_; return consumer($group, member => 'n')->beat->{error} . ' ' . told($group) }

$answer = join_group(client(), 'connect', type => 'connect');
is(sync_group(client(), 'connect', type => 'connect', member => $answer->{member}, generation => $answer->{generation})->{error}, 0,
	'a group of another type');
is(refused('connect'), '69 connect:Stable:Classic', 'is none of consumers');
my $told = classic('told');
$told->send_join_generation;
$told->read_join_generation;
send_sync($told->client, 'told', member => $told->{member}, generation => $told->{generation}, assignments => {
	$told->{member} => substr(assignment(orders => [0]), 0, -4) . KafkaClient::int32(3) . 'abc' });
is(read_sync($told->client)->{error}, 0, 'a group whose assignor tells more than partitions');
is(refused('told'), '69 consumer:Stable:Classic', 'would lose that');
my $odd = classic('odd', metadata => "\0\0\0");
form($odd);
is(refused('odd'), '69 consumer:Stable:Classic', 'a subscription that cannot be read');
my @many = map { classic('many') } 1 .. 6;
form(@many);
is(refused('many'), "$error->{GROUP_MAX_SIZE_REACHED} consumer:Stable:Classic", 'a group that is full');
set('pg_topics.kafka_group_max_size' => 5);
is(refused('many'), '69 consumer:Stable:Classic', 'or too large');
set('pg_topics.kafka_group_max_size' => 6);
is(consumer('many', member => 'n', epoch => 3)->request && KafkaHeartbeat::heartbeat(client(), group => 'many', member => 'n', epoch => 3)->{error},
	$error->{GROUP_ID_NOT_FOUND}, 'who does not join does not find the group');
is(join(' ', map { $_->heartbeat_error } @many), '0 0 0 0 0 0', 'its members have not heard of all that');
leave_group(client(), 'many', [ map { [ $_->{member} ] } @many ]);

# ---- policies ----------------------------------------------------------------------------------------------

my @two = map { classic('p') } 1, 2;
form(@two);
is(sql(q{SHOW pg_topics.kafka_group_consumer_migration_policy}), 'bidirectional', 'by default both ways are open');
foreach my $policy (qw(disabled downgrade))
{
	set('pg_topics.kafka_group_consumer_migration_policy' => $policy);
	is(refused('p'), '69 consumer:Stable:Classic', "the policy \"$policy\" keeps a classic group");
}
set('pg_topics.kafka_group_consumer_migration_policy' => 'upgrade');
my $one = consumer('p', member => 'one');
is($one->beat->{error}, 0, 'the policy "upgrade" does not');
ok(share(@two, $one), 'the three share the partitions');
$one->leave;
is(told('p') =~ s/:\w+:/:/r, 'consumer:Consumer', 'but then it keeps the new protocol');
ok(share(@two), 'and two members of the classic one go on by it');
set('pg_topics.kafka_group_consumer_migration_policy' => 'downgrade');
is($two[0]->join_again, 0, 'when it may');
like(told('p'), qr/Classic/, 'it is a classic group again');
set('pg_topics.kafka_group_consumer_migration_policy' => 'bidirectional');
is(form(@two), '3 3', 'and goes on');

# ---- what cannot be stored ----------------------------------------------------------------------------------------

sql('ALTER TABLE topic_kafka_members RENAME TO away');
is(consumer('p', member => 'lost')->beat->{error}, $error->{COORDINATOR_NOT_AVAILABLE}, 'who joins is not told of a group that is not stored');
is(told('p'), 'consumer:Stable:Classic', 'which is what it was');
is(join(' ', map { $_->heartbeat_error } @two), '0 0', 'for its members as well');
sql('ALTER TABLE away RENAME TO topic_kafka_members');
is($one->beat->{error}, 0, 'then it is the other');
ok(share(@two, $one), 'and goes on');
sql('ALTER TABLE topic_kafka_members RENAME TO away');
is($one->leave->{error}, $error->{COORDINATOR_NOT_AVAILABLE}, 'who leaves is not told so either');
like(told('p'), qr/Consumer/, 'the group stays what it is');
is($two[0]->heartbeat_error, $error->{REBALANCE_IN_PROGRESS}, 'its members go on');
sql('ALTER TABLE away RENAME TO topic_kafka_members');
ok(poll_until(sub { told('p') =~ /Classic/ }), 'until that can be stored');
is(rows('p'), 'classic 2 6', 'as a whole');
is(form(@two), '3 3', 'and it goes on');

# ---- crashes -------------------------------------------------------------------------------------------------------

# After a crash the group is one or the other, with its members, which go on: with the protocol that it has.
sub is_whole
{
	my ($text, $wanted, @members) = @_;

	$node->start;
	ok(poll_until(\&serves), "$text: the listener is back");
	$_->reconnect foreach @members;
	is(rows('p'), $wanted, 'the group is whole');
	return;
}

# Kill all while the process that serves clients is in the midst of it: what it has written is not committed.
sub crash_amid
{
	my ($do) = @_;
	my $client = client();

	$node->append_conf('postgresql.conf', "pg_topics.fault_point = 'group-migrated:halt'");
	$node->reload;
	poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) eq '1' });
	my $pid = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'});
	$do->();
	ok(poll_until(sub { slurp_file("/proc/$pid/stat") =~ /\) T / }), 'it is in the midst of it');
	kill_all($node);
	$node->append_conf('postgresql.conf', "pg_topics.fault_point = ''");
	return;
}

is(told('p'), 'consumer:Stable:Classic', 'before a crash it is a classic group');
$one = consumer('p', member => 'one', timeout => 60000);
crash_amid(sub { KafkaHeartbeat::send_heartbeat($one->client, $one->request) });
is_whole('a crash on the way up', 'classic 2 6', @two, $one);
is(join(' ', map { $_->heartbeat_error } @two), '0 0', 'its members have not heard of it');
is($one->beat->{error}, 0, 'the other one tries again');
kill_all($node);
is_whole('a crash after that', 'consumer 3 6', @two, $one);
ok(share(@two, $one), 'they share the partitions');
crash_amid(sub { KafkaHeartbeat::send_heartbeat($one->client, group => 'p', member => 'one', epoch => -1) });
is_whole('a crash on the way down', 'consumer 3 6', @two, $one);
is($two[0]->heartbeat_error, 0, 'its members have not heard of it');
is($one->leave->{error}, 0, 'the other one leaves again');
kill_all($node);
is_whole('a crash after that', 'classic 2 6', @two, $one);
is(join(' ', map { $_->heartbeat_error } @two), '27 27', 'its members are told to join again, since they have not what the other one had');
is(form(@two), '3 3', 'and go on');

# ---- a switch to a standby ---------------------------------------------------------------------------------------------

my $standby = new_standby($node, 'standby', "pg_topics.kafka_listeners = '127.0.0.1:$standby_port/postgres'",
	"synchronous_standby_names = ''");
$standby->start;
catch_up($node, $standby);
sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }), 'a synchronous standby');
is($one->beat->{error}, 0, 'a member of the new protocol joins');
$two[0]->beat;
my $described = group('p');
$node->stop('immediate');
$standby->promote;
($serving, $at) = ($standby, $standby_port);
ok(poll_until(\&serves), 'the standby serves groups once it is promoted');
is_deeply(group('p'), $described, 'the group is what it was, with members of both kinds');
@{$_}{qw(port client)} = ($at, client()) foreach @two;
$one->reconnect;
ok(share(@two, $one), 'which go on');
$one->leave;
like(told('p'), qr/Classic/, 'down it goes there, too');
is(form(@two), '3 3', 'as a classic group');
unlike(slurp_file($_->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed by itself') foreach $standby;

done_testing();
