#!/usr/bin/env perl
# ACLs as privileges: DescribeAcls, CreateAcls and DeleteAcls (src/broker/users/describe_acls.c, create_acls.c,
# delete_acls.c, src/broker/core/acl_binding.c, src/broker/users/acl_catalog.c, acl_implied.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAcls;
use KafkaClient;
use KafkaMember;
use KafkaLogin;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server(
	"pg_topics.kafka_anonymous_role = ''",
	"pg_topics.kafka_search_path = 'public'",
	'max_worker_processes = 12');

sub granted { return sql("SELECT coalesce(relacl::text, '') FROM pg_class WHERE oid = '$_[0]'::regclass") }

use constant ALL => 'ANY - ANY - - ANY ANY';

sql('CREATE EXTENSION pg_topics; CREATE ROLE boss LOGIN; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE nobody LOGIN');
sql(q{CREATE ROLE "o'dd ""role" LOGIN; CREATE ROLE "Grüße" LOGIN});
sql('GRANT CREATE ON SCHEMA public TO boss');
sql(qq{SET ROLE boss; SELECT create_topic('$_', 1, 'bytea', 'bytea')}) foreach 'orders', 'bills', '"Mixed.Case"';
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $root = client_as('postgres');
my $boss = client_as('boss');
my $app = client_as('app');
my $versions = $boss->api_versions;
is_deeply([ @{$versions}{ 29, 30, 31 } ], [ ([ 1, 3 ]) x 3 ], 'the versions that Kafka 4.4 serves');

# ---- what there is ---------------------------------------------------------------

is_deeply([ describe_acls($boss, ALL) ],
	[ map { "TOPIC $_ LITERAL User:boss * ALL ALLOW" } 'Mixed.Case', 'bills', 'orders' ], 'the owner may do all');
is_deeply([ describe_acls($app, ALL) ], [], 'topics that a role may not know of have none for it');

# ---- CreateAcls -------------------------------------------------------------------

foreach my $version (1 .. 3)
{
	is(create_acls($boss, [ 'TOPIC orders LITERAL User:app * READ ALLOW', 'TOPIC orders LITERAL User:other * WRITE ALLOW' ], $version),
		'0 0', "version $version grants");
	is(granted('orders'), '{boss=arwdDxt/boss,app=r/boss,other=a/boss}' =~ s/arwdDxt/granted('orders') =~ m{boss=(\w+)} ? $1 : ''/er,
		'privileges on the table');
	is_deeply([ describe_acls($app, 'TOPIC orders LITERAL - - ANY ANY', $version) ],
		[ 'TOPIC orders LITERAL User:app * READ ALLOW', 'TOPIC orders LITERAL User:boss * ALL ALLOW',
			'TOPIC orders LITERAL User:other * WRITE ALLOW' ], 'which describe as they were asked for');
	is_deeply([ delete_acls($boss, [ 'TOPIC orders LITERAL User:app * READ ALLOW', 'TOPIC orders ANY User:other - ANY ANY' ], $version) ],
		[ 'TOPIC orders LITERAL User:app * READ ALLOW', 'TOPIC orders LITERAL User:other * WRITE ALLOW' ], 'and are removed');
	is_deeply([ describe_acls($boss, 'TOPIC orders LITERAL - - ANY ANY', $version) ],
		['TOPIC orders LITERAL User:boss * ALL ALLOW'], 'what is left');
}
is(create_acls($boss, [ ('TOPIC orders LITERAL User:app * READ ALLOW') x 3 ]), '0 0 0', 'the same three times');
is(create_acls($boss, ['TOPIC Mixed.Case LITERAL User:* * READ ALLOW']), '0', 'for all');
is(sql(q{SELECT has_table_privilege('nobody', '"Mixed.Case"', 'SELECT')}), 't', 'which is PUBLIC');
is_deeply([ describe_acls($app, 'TOPIC - ANY User:* - ANY ANY') ], ['TOPIC Mixed.Case LITERAL User:* * READ ALLOW'], 'and describes so');
is(create_acls($boss, [ [ 'TOPIC', 'orders', 'LITERAL', qq{User:o'dd "role}, '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders', 'LITERAL', "User:Gr\xc3\xbc\xc3\x9fe", '*', 'WRITE', 'ALLOW' ] ]), '0 0', 'names that SQL quotes');
is_deeply([ grep { /odd|dd|Gr/ } describe_acls($boss, 'TOPIC orders LITERAL - * ANY ALLOW') ],
	[ "TOPIC orders LITERAL User:Gr\xc3\xbc\xc3\x9fe * WRITE ALLOW", qq{TOPIC orders LITERAL User:o'dd "role * READ ALLOW} ],
	'come back as they are');

# what kafka-acls adds together
is(create_acls($boss, [ map { "TOPIC bills LITERAL User:app * $_ ALLOW" } qw(CREATE DESCRIBE WRITE) ]), '0 0 0', '--producer');
is(create_acls($boss, [ map { "TOPIC bills LITERAL User:app * $_ ALLOW" } qw(CREATE DESCRIBE) ]), '0 0', 'again');
is(create_acls($boss, ['CLUSTER kafka-cluster LITERAL User:app * IDEMPOTENT_WRITE ALLOW']), '0', '--idempotent');
is(create_acls($boss, [ map { "TOPIC bills LITERAL User:other * $_ ALLOW" } qw(DESCRIBE READ) ]), '0 0', '--consumer');
is(create_acls($boss, ['GROUP g1 LITERAL User:other * READ ALLOW']), '0', 'and its group, which is nobody\'s');
is_deeply([ grep { !/boss/ } describe_acls($boss, 'TOPIC bills LITERAL - - ANY ANY') ],
	[ 'TOPIC bills LITERAL User:app * WRITE ALLOW', 'TOPIC bills LITERAL User:other * READ ALLOW' ], 'privileges are all that there is');

# what is not so is not said to be
is(create_acls($boss, [ map { "TOPIC bills LITERAL User:nobody * $_ ALLOW" } qw(DESCRIBE CREATE ALL ALTER DELETE ALTER_CONFIGS CLUSTER_ACTION) ]),
	join(' ', (44) x 7), 'rights that are no privileges');
is(create_acls($boss, [ map { "TOPIC bills LITERAL User:boss * $_ ALLOW" } qw(DESCRIBE CREATE ALL ALTER DELETE ALTER_CONFIGS DESCRIBE_CONFIGS) ]),
	join(' ', (0) x 7), 'the owner has them');
is(sql(q{SELECT count(*) FROM pg_class WHERE relname = 'bills' AND relacl::text LIKE '%nobody%'}), 0, 'nothing was granted');
sql(q{GRANT SELECT ON bills TO app; SET ROLE app; SELECT commit_offset('bills', 'mine', 0, 0)});
is(create_acls($boss, ['GROUP mine LITERAL User:other * READ ALLOW']), '44', 'a group of another role');
is(create_acls($boss, ['GROUP mine LITERAL User:* * READ ALLOW']), '44', 'is not for all');
is(create_acls($boss, ['GROUP mine LITERAL User:app * READ ALLOW', 'GROUP mine LITERAL User:boss * ALL ALLOW' ]), '0 0',
	'it is its owner\'s, and the topic owner\'s');
is_deeply([ describe_acls($app, 'GROUP - ANY - - ANY ANY') ], ['GROUP mine LITERAL User:app * ALL ALLOW'], 'the owner sees it');
is_deeply([ describe_acls($boss, 'GROUP mine MATCH - - ANY ANY') ], ['GROUP mine LITERAL User:app * ALL ALLOW'], 'and the topic\'s owner');
is_deeply([ describe_acls(client_as('other'), 'GROUP - ANY - - ANY ANY') ], [], 'others do not');

# one of Kafka's clients that has neither offsets nor partitions, as those of Kafka Connect
my $worker = KafkaMember->new($port, 'connect', client => client_as('app'), type => 'connect', topics => []);
is(join('', form_group('orders', 0, $worker)), '', 'a member of another kind of group');
is_deeply([ describe_acls($app, 'GROUP - ANY - - ANY ANY') ], [ 'GROUP connect LITERAL User:app * ALL ALLOW', 'GROUP mine LITERAL User:app * ALL ALLOW' ],
	'a group without partitions is shown to its owner');
is_deeply([ describe_acls(client_as('other'), 'GROUP connect LITERAL - - ANY ANY') ], [], 'and not to others');
is(create_acls($boss, ['GROUP connect LITERAL User:other * READ ALLOW']), '44', 'it is not for others');
is(create_acls($boss, ['GROUP connect LITERAL User:app * READ ALLOW']), '0', 'but for its owner');
leave_group($worker->client, 'connect', [ [ $worker->{member}, undef ] ]);
is(join(' ', values %{ delete_groups($worker->client, ['connect']) }), 0, 'it is deleted');
sql('REVOKE SELECT ON bills FROM app');

# errors
my %refused = (
	'TOPIC nothing LITERAL User:app * READ ALLOW'             => 3,
	'TOPIC orders LITERAL User:norole * READ ALLOW'           => 91,
	'TOPIC orders PREFIXED User:app * READ ALLOW'             => 44,
	'TOPIC * LITERAL User:app * READ ALLOW'                   => 44,
	'TOPIC orders LITERAL User:app 10.0.0.1 READ ALLOW'       => 44,
	'TOPIC orders LITERAL User:app * READ DENY'               => 44,
	'TOPIC orders LITERAL Group:app * READ ALLOW'             => 44,
	'TOPIC orders LITERAL User: * READ ALLOW'                 => 44,
	'TRANSACTIONAL_ID t LITERAL User:app * WRITE ALLOW'       => 44,
	'CLUSTER kafka-cluster LITERAL User:app * ALTER ALLOW'    => 44,
	'USER app LITERAL User:app * CREATE_TOKENS ALLOW'         => 44,
	'GROUP * LITERAL User:app * READ ALLOW'                   => 44,
	'CLUSTER other LITERAL User:app * ALTER ALLOW'            => 42,
	'ANY orders LITERAL User:app * READ ALLOW'                => 42,
	'8 orders LITERAL User:app * READ ALLOW'                  => 42,
	'-1 orders LITERAL User:app * READ ALLOW'                 => 42,
	'TOPIC orders MATCH User:app * READ ALLOW'                => 42,
	'TOPIC orders LITERAL User:app * ANY ALLOW'               => 42,
	'TOPIC orders LITERAL User:app * 16 ALLOW'                => 42,
	'TOPIC orders LITERAL User:app * READ ANY'                => 42,
	'TOPIC orders LITERAL app * READ ALLOW'                   => 42);
foreach my $acl (sort keys %refused)
{
	my ($result) = create_acl_messages($boss, [$acl]);

	is($result->[0], $refused{$acl}, $acl);
	like($result->[1], qr/\w/, 'with a reason');
}
is(create_acls($boss, [ [ 'TOPIC', '', 'LITERAL', 'User:app', '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', "orders\0", 'LITERAL', 'User:app', '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders', 'LITERAL', "User:app\0", '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders', 'LITERAL', "User:\xff\xfe", '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders', 'LITERAL', 'User:' . 'x' x 200, '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders', 'LITERAL', 'User:PUBLIC', '*', 'READ', 'ALLOW' ],
	[ 'TOPIC', 'orders"; DROP TABLE x', 'LITERAL', 'User:app', '*', 'READ', 'ALLOW' ],
	[ 'GROUP', "g\0", 'LITERAL', 'User:app', '*', 'READ', 'ALLOW' ] ]),
	'42 3 91 40 91 91 3 42', 'hostile names');

# ---- who may ------------------------------------------------------------------------

is(create_acls($app, [ 'TOPIC orders LITERAL User:other * READ ALLOW', 'TOPIC bills LITERAL User:other * WRITE ALLOW' ]), '29 29',
	'a role without a grant option cannot grant');
is(create_acls(client_as('nobody'), ['TOPIC orders LITERAL User:nobody * READ ALLOW']), '29', 'nor can who may not know of the topic');
is_deeply([ delete_acls($app, ['TOPIC orders LITERAL User:app * READ ALLOW']) ], ['error 29: TOPIC orders LITERAL User:app * READ ALLOW'],
	'nor revoke');
sql('SET ROLE boss; GRANT INSERT ON orders TO app WITH GRANT OPTION');
is(create_acls($app, [ 'TOPIC orders LITERAL User:other * WRITE ALLOW', 'TOPIC orders LITERAL User:other * READ ALLOW' ]), '0 29',
	'with one it grants that privilege');
is_deeply([ delete_acls($boss, ['TOPIC orders LITERAL User:other * WRITE ALLOW']) ],
	['error 44: TOPIC orders LITERAL User:other * WRITE ALLOW'], 'which the owner does not revoke in SQL either');
is_deeply([ delete_acls($app, ['TOPIC orders LITERAL User:other * WRITE ALLOW']) ], ['TOPIC orders LITERAL User:other * WRITE ALLOW'],
	'but the one who has granted it');
is(create_acls($root, ['TOPIC orders LITERAL User:other * WRITE ALLOW']), '0', 'a superuser grants');
is(sql(q{SELECT count(*) FROM pg_class WHERE relname = 'orders' AND relacl::text LIKE '%other=a/boss%'}), 1, 'for the owner');
ok(!$node->log_contains('no privileges were granted|not all privileges'), 'no statement only warned');

# ---- filters -------------------------------------------------------------------------

sub count_described { return scalar(() = describe_acls($root, $_[0])) }
is(count_described('TOPIC orders MATCH - - ANY ANY'), count_described('TOPIC orders LITERAL - - ANY ANY'), 'MATCH is what is literal');
is(count_described('TOPIC orders PREFIXED - - ANY ANY'), 0, 'nothing is prefixed');
is(count_described('TOPIC ord MATCH - - ANY ANY'), 0, 'MATCH of a part');
is(count_described('TOPIC - ANY - 10.0.0.1 ANY ANY'), 0, 'a host');
is(count_described('TOPIC - ANY - - ANY DENY'), 0, 'what is denied');
is(count_described('CLUSTER - ANY - - ANY ANY'), 0, 'the cluster');
is_deeply([ describe_acls($root, 'TOPIC - ANY User:other - WRITE ANY') ], ['TOPIC orders LITERAL User:other * WRITE ALLOW'], 'an operation');
like(describe_acls($root, $_), qr/^error 42: /, "filter $_") foreach
  'UNKNOWN - ANY - - ANY ANY', '9 - ANY - - ANY ANY', 'ANY - 0 - - ANY ANY', 'ANY - 5 - - ANY ANY', 'ANY - ANY - - 0 ANY', 'ANY - ANY - - ANY 4';
like((delete_acls($root, ['ANY - UNKNOWN - - ANY ANY']))[0], qr/^error 42: /, 'a filter that is none removes nothing');

# ---- DeleteAcls: all that can be --------------------------------------------------------

sql('SET ROLE app; REVOKE INSERT ON orders FROM other');
sql('SET ROLE boss; REVOKE GRANT OPTION FOR INSERT ON orders FROM app CASCADE');
my ($removed) = delete_acls($boss, ['TOPIC orders ANY - - ANY ANY']);
unlike($removed, qr/error|boss/, 'a filter without a principal passes the owner over');
like($removed, qr/User:app \* READ ALLOW.*User:app \* WRITE ALLOW/, 'and removes all that was granted');
is_deeply([ describe_acls($boss, 'TOPIC orders ANY - - ANY ANY') ], ['TOPIC orders LITERAL User:boss * ALL ALLOW'], 'the owner is left');
is_deeply([ delete_acls($boss, [ 'TOPIC orders ANY User:boss - ANY ANY', 'GROUP mine LITERAL User:app - ANY ANY' ]) ],
	[ 'error 44: TOPIC orders LITERAL User:boss * ALL ALLOW', 'error 44: GROUP mine LITERAL User:app * ALL ALLOW' ],
	'who names the owner is told that it stays');
is_deeply([ delete_acls($boss, ['TOPIC orders ANY - - ANY ANY', ALL ]) ],
	[ '', 'TOPIC Mixed.Case LITERAL User:* * READ ALLOW, TOPIC bills LITERAL User:app * WRITE ALLOW, TOPIC bills LITERAL User:other * READ ALLOW' ],
	'nothing to remove is no error');
sql('SET ROLE boss; REVOKE INSERT ON orders FROM boss');
is_deeply([ describe_acls($boss, 'TOPIC orders LITERAL - - ANY ANY') ],
	[ map { "TOPIC orders LITERAL User:boss * $_ ALLOW" } qw(ALTER ALTER_CONFIGS DELETE DESCRIBE DESCRIBE_CONFIGS READ) ],
	'an owner that has taken a privilege from itself');
is(create_acls($boss, ['TOPIC orders LITERAL User:boss * WRITE ALLOW']), '0', 'gives it back');

# ---- many ---------------------------------------------------------------------------------

is_deeply([ create_acls($boss, []), delete_acls($boss, []) ], [''], 'none at all');
my @errors = split / /, create_acls($boss, [ ('TOPIC orders LITERAL User:norole * READ ALLOW') x 2000 ]);
is(scalar(grep { $_ == 91 } @errors), 2000, 'two thousand that are wrong');
my @filters = delete_acls($boss, [ ('TOPIC orders LITERAL User:app * READ ALLOW') x 2000 ]);
is(scalar(grep { $_ eq '' } @filters), 2000, 'and as many filters');
my $many = KafkaClient->new($port);
login_plain($many, 'boss', 'any');
my @results = create_acl_messages($many, [ ('TOPIC x LITERAL User:app * 99 ALLOW') x 100000 ]);
ok(@results == 100000 ? $results[99999][0] == 42 : $results[0][0] eq 'closed', 'a hundred thousand');
is(count_described('TOPIC orders LITERAL User:boss - ANY ANY'), 1, 'others are served');

# event triggers and statements see what is done
sql(q{CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
	CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('GRANT') EXECUTE FUNCTION refuse()});
my ($refused) = create_acl_messages($boss, ['TOPIC orders LITERAL User:app * READ ALLOW']);
is($refused->[0], 44, 'an event trigger refuses');
is($refused->[1], 'not today', 'with its words');
sql('DROP EVENT TRIGGER refuse');
is(create_acls($boss, ['TOPIC orders LITERAL User:app * READ ALLOW']), '0', 'or does not');

$node->stop;
done_testing();
