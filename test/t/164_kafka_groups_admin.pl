#!/usr/bin/env perl
# ListGroups, DescribeGroups and DeleteGroups (src/broker/groups/list_groups.c, describe_groups.c, delete_groups.c, sql_group.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaMember;
use KafkaOffsets;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.kafka_group_initial_rebalance_delay = 200',
	'pg_topics.kafka_group_min_session_timeout = 500');

sub member { return KafkaMember->new($port, @_) }

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE root LOGIN SUPERUSER');
sql(q{SELECT create_topic('orders', partitions => 2); GRANT SELECT ON orders TO app, other});
sql(q{SELECT produce('orders', i::text, 'v') FROM generate_series(1, 20) i});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $client = client();
is_deeply([ @{ $client->api_versions }{ 15, 16, 42 } ], [ [ 0, 6 ], [ 0, 5 ], [ 0, 3 ] ], 'the versions that Kafka 4.4 serves');

# ---- the groups --------------------------------------------------------------------

my @members = (member('stable', topics => ['orders']), member('stable', topics => ['orders'], instance => 'i1'));
form_group('orders', 2, @members);
my $waits = member('waits', topics => ['orders'], rebalance => 60000);
form_group('orders', 2, $waits);
my $new = member('waits', topics => ['orders']);
$new->send_join_generation;
my $left = member('left', topics => ['orders']);
form_group('orders', 2, $left);
leave_group($left->client, 'left', $left->{member});
my $connect = client();
join_group($connect, 'connect', type => 'connect', metadata => 'x');
sql(q{SET ROLE app; SELECT count(*) FROM consume('orders', 'sql')});
sql(q{SET ROLE app; SELECT count(*) FROM consume('orders', 'leased', member_id => 'worker', lease => '1 hour')});
sql(q{SET ROLE other; SELECT count(*) FROM consume('orders', 'theirs')});
commit_offsets($client, 'offsets', { orders => { 0 => 5, 1 => 7 } });

# ---- ListGroups ----------------------------------------------------------------------

my %all = (stable => 'consumer:Stable:Classic', waits => 'consumer:PreparingRebalance:Classic', left => 'consumer:Empty:Classic',
	connect => 'connect:CompletingRebalance:Classic', sql => 'consumer:Empty:Classic', leased => 'consumer:Stable:Classic',
	offsets => 'consumer:Empty:Classic');
is_deeply(list_groups($client), \%all, 'all groups');
foreach my $version (0 .. 5)
{
	my %expected = map { $_ => join(':', (split /:/, $all{$_})[ 0 .. ($version < 4 ? 0 : $version - 3) ]) } keys %all;

	is_deeply(list_groups($client, version => $version), \%expected, "ListGroups of version $version");
}
is(join(' ', sort keys %{ list_groups($client, states => ['stable']) }), 'leased stable', 'those in a state');
is(join(' ', sort keys %{ list_groups($client, states => [ 'EMPTY', 'CompletingRebalance' ]) }), 'connect left offsets sql', 'in one of two');
is(join(' ', sort keys %{ list_groups($client, states => ['none']) }), '', 'in none');
is(scalar keys %{ list_groups($client, types => ['classic']) }, 7, 'those of a type');
is(scalar keys %{ list_groups($client, types => ['consumer']) }, 0, 'of another one');
is_deeply(list_groups(client_as('other')), { theirs => 'consumer:Empty:Classic' }, 'another role sees its own');
is(scalar keys %{ list_groups(client_as('root')) }, 8, 'a superuser sees all');

# ---- DescribeGroups --------------------------------------------------------------------

sub described
{
	my ($group) = @_;

	return join(':', map { $_ // '' } @{$group}{qw(error id state type protocol)}, scalar keys %{ $group->{members} });
}

my @names = qw(stable waits left connect sql leased theirs nothing);
is(join(' ', map { described($_) } @{ describe_groups($client, \@names) }),
	'0:stable:Stable:consumer:range:2 0:waits:PreparingRebalance:consumer::2 0:left:Empty:consumer::0'
	. ' 0:connect:CompletingRebalance:connect::1 0:sql:Empty:consumer::0 0:leased:Stable:consumer::1 30:theirs::::0 69:nothing:Dead:::0', 'all groups');
foreach my $version (0 .. 6)
{
	my ($group, $none) = @{ describe_groups($client, [ 'stable', 'nothing' ], version => $version) };

	is(described($group), '0:stable:Stable:consumer:range:2', "DescribeGroups of version $version");
	is(described($none), ($version < 6 ? 0 : 69) . ':nothing:Dead:::0', 'a group that is not there');
}
my ($group) = @{ describe_groups($client, ['stable'], operations => 1) };
is($group->{operations}, (1 << 3) | (1 << 6) | (1 << 8), 'what the client may do');
my $described = $group->{members}{ $members[1]{member} };
is("$described->{instance} $described->{client} $described->{host} " . read_assignment($described->{assignment}),
	"i1 test /127.0.0.1 $members[1]{assignment}", 'a member');
is($described->{metadata}, subscription('orders'), 'with what it has said of itself');
is(describe_groups($client, ['stable'])->[0]{operations}, -2147483648, 'unless it does not ask');
($group) = @{ describe_groups($client, ['leased']) };
is(read_assignment($group->{members}{worker}{assignment}), 'orders-0 orders-1', 'a member in SQL has what it has leased');
is(scalar @{ describe_groups($client, [ 'stable', 'stable', 'left' ]) }, 2, 'named twice, described once');
is(described(describe_groups($client, ["\xff\0"])->[0]), "69:\xff\0:Dead:::0", 'a name that is none');
is(scalar @{ describe_groups($client, [ map { "none$_" } 1 .. 20000 ]) }, 20000, 'very many names');

# ---- DeleteGroups ---------------------------------------------------------------------------

is_deeply(delete_groups($client, [ @names, 'stable', '', "\xff" ]),
	{ stable => 68, waits => 68, left => 0, connect => 68, sql => 0, leased => 68, theirs => 30, nothing => 69, '' => 69, "\xff" => 69 },
	'empty groups are deleted, others are not');
is(join(' ', sort keys %{ list_groups($client) }), 'connect leased offsets stable waits', 'they are gone');
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id IN ('left', 'sql')}), 0, 'with their offsets');
is(sql(q{SELECT count(*) FROM topic_kafka_groups WHERE group_id = 'left'}), 0, 'and their rows');
is_deeply(delete_groups($client, ['left']), { left => 69 }, 'once');
is(join(' ', map { $_->heartbeat_error } @members), '0 0', 'the members of others hear nothing of it');
foreach my $version (0 .. 3)
{
	commit_offsets($client, "v$version", { orders => { 0 => 1, 1 => 1 } });
	is_deeply(delete_groups($client, ["v$version"], version => $version), { "v$version" => 0 }, "DeleteGroups of version $version");
}

# right after the last member has left
leave_group($members[0]->client, 'stable', [ [ $members[0]{member}, undef ], [ '', 'i1' ] ]);
is_deeply(delete_groups($client, ['stable']), { stable => 0 }, 'a group whose last members have just left');
is(sql(q{SELECT count(*) FROM topic_kafka_groups WHERE group_id = 'stable'}) . sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'stable'}),
	'00', 'leaves nothing');

# a transaction has a partition
my $session = $node->background_psql('postgres');
$session->query_safe(q{BEGIN; SET ROLE app; SELECT commit_offset('orders', 'offsets', 0, 3)});
is_deeply(delete_groups($client, ['offsets']), { offsets => 68 }, 'a group that a transaction uses remains');
$session->query_safe('COMMIT');
$session->quit;
is(sql(q{SELECT string_agg(partition || ':' || committed_offset, ' ' ORDER BY partition) FROM topic_group_offsets WHERE group_id = 'offsets'}),
	'0:3 1:7', 'as a whole');
is_deeply(delete_groups($client, ['offsets']), { offsets => 0 }, 'until it has ended');

# after a restart
$node->restart;
ok(poll_until(sub { KafkaClient->new($port) }), 'the listener is back');
$client = client();
ok(poll_until(sub { ref list_groups($client) }), 'the groups are loaded');
is(join(' ', sort keys %{ list_groups($client) }), 'leased waits', 'what was deleted does not come back');

done_testing();
