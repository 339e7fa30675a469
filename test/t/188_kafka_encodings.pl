#!/usr/bin/env perl
# Files under test: src/broker/core/database_text.c, group_coordinator.c, sql_group.c, describe_groups.c, acl_catalog.c, quota.c,
# src/broker/transactions/list_transactions.c.
# Databases that are not UTF-8, as Kafka's clients are: names and texts with other characters than ASCII are kept as what they
# are, or refused; no client is told bytes that are no UTF-8, and nothing falls over.
use strict;
use warnings;

use Encode ();
use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaAcls;
use KafkaAdmin;
use KafkaClient;
use KafkaHeartbeat ();
use KafkaLogin;
use KafkaMember;
use KafkaOffsets;
use KafkaTransactions;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

use constant { INVALID_GROUP_ID => 24, INVALID_REQUEST => 42, MEMBER_ID_REQUIRED => 79 };

my %encodings = (latin => 'LATIN1', bare => 'SQL_ASCII', kanji => 'EUC_JP', utf => 'UTF8');
my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } keys %encodings;
my $node = new_node('main', init => { extra => [ '--encoding=SQL_ASCII', '--locale=C' ] }, settings => [
	'pg_topics.kafka_plain_without_tls = on', 'max_worker_processes = 40', 'pg_topics.kafka_group_initial_rebalance_delay = 0' ]);

$node->start;
# a role whose name is Latin-1, for databases that do not know what encoding it has
$node->safe_psql('postgres', qq{CREATE ROLE friend LOGIN; CREATE ROLE "r\xf4le" LOGIN IN ROLE friend});

my $role_oid = $node->safe_psql('postgres', q{SELECT oid FROM pg_roles WHERE rolname LIKE 'r%le'});
foreach my $database (sort keys %encodings)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encodings{$database}' LC_COLLATE 'C' LC_CTYPE 'C'");
}
$node->append_conf('postgresql.conf', "pg_topics.kafka_listeners = '" . join(', ', map { "127.0.0.1:$port{$_}/$_" } sort keys %port) . "'");
$node->restart;

my ($utf8, $latin1) = ("gr\xc3\xbcppe", "gr\xfcppe");
my %broken = ('Latin-1' => $latin1, 'a zero byte' => "a\0b", 'half a character' => "gr\xc3", 'too long a form' => "\xc0\xaf", 'a surrogate' => "\xed\xa0\x80");

# Is every text of this frame, in which there are no other bytes above ASCII, good UTF-8?
sub is_utf8 { my ($bytes) = @_; return defined eval { Encode::decode('UTF-8', my $copy = $bytes, Encode::FB_CROAK) } }

foreach my $database (sort keys %encodings)
{
	my $encoding = $encodings{$database};
	my $port = $port{$database};
	my $name = $database eq 'utf' || $database eq 'bare' ? $utf8 : undef;
	my $sql = sub { return $node->safe_psql($database, @_) };

	$sql->(q{CREATE EXTENSION pg_topics; SELECT create_topic('events', partitions => 2); GRANT SELECT, INSERT ON events TO friend;
		INSERT INTO events (partition, value) SELECT p, 'x' FROM generate_series(0, 1) p});
	$sql->("DO \$\$ BEGIN EXECUTE format('GRANT SELECT ON events TO %I', pg_get_userbyid($role_oid)); END \$\$");
	my $client;
	my $connect = sub {
		my ($role) = @_;
		my $new = KafkaClient->new($port) // return undef;

		return ($new) if (login_plain($new, $role // 'friend', 'any')->{error} // -1) == 0;
		return undef;
	};

	poll_until(sub { $client = $connect->() and commit_error($client, 'ready', 'events', 0, 1) == 0 }) or BAIL_OUT("no listener for $database");

	# ---- what clients say of groups -----------------------------------------------------------------
	my $good = $name ? 0 : INVALID_GROUP_ID;
	foreach my $kind ('good UTF-8', sort keys %broken)
	{
		my $id = $broken{$kind} // $utf8;
		my $group = $kind eq 'good UTF-8' ? $good : INVALID_GROUP_ID;
		my $text = $kind eq 'good UTF-8' && $name;
		my $what = "$encoding: $kind";
		# in these the offsets' groups are those of SQL, whatever characters they have
		my $commits = $group;

		is(join_group($client, $id, topics => ['events'], once => 1)->{error}, $group == 0 ? MEMBER_ID_REQUIRED : $group, "$what as a group, JoinGroup");
		is(KafkaHeartbeat::heartbeat($client, group => "$id-2", member => 'm', epoch => 0, timeout => 60000, names => ['events'], owned => {})->{error}, $group,
			'ConsumerGroupHeartbeat');
		is(commit_error($client, $id, 'events', 0, 1), $commits, 'OffsetCommit');
		is(heartbeat($client, $id, member => 'm', generation => 1), $group == 0 ? 25 : $group, 'Heartbeat');
		like(join(' ', values %{ delete_groups($client, ["$id-3"]) }), qr/^69$/, 'DeleteGroups knows none');
		ok(ref describe_groups($client, [$id]), 'DescribeGroups is answered');
		ok(ref KafkaHeartbeat::describe_consumer_groups($client, $id), 'ConsumerGroupDescribe too');
		ok(defined fetch_offsets($client, $id, { events => [0] }), 'OffsetFetch too');
		ok(defined leave_group($client, $id, [ [ 'm', undef ] ]), 'LeaveGroup too');

		my $instance = join_group($client, "ascii-$database", topics => ['events'], instance => $id, once => 1)->{error};
		is($instance, $text ? 0 : INVALID_REQUEST, "$what as an instance");
		is(join_group($client, 'none', topics => ['events'], protocols => [$id], once => 1)->{error}, $text ? MEMBER_ID_REQUIRED : INVALID_REQUEST, 'as a protocol');
		is(join_group($client, 'none', topics => [], type => $id, once => 1)->{error}, $text ? MEMBER_ID_REQUIRED : INVALID_REQUEST, 'as its type');
		is(join_group($client, 'none', topics => ['events'], member => $id, once => 1)->{error}, 25, 'as a member that there is not');
		is(KafkaHeartbeat::heartbeat($client, group => "new-$database", member => $id, epoch => 0, timeout => 60000, names => ['events'], owned => {})->{error},
			$text ? 0 : INVALID_REQUEST, 'as a member of the new protocol');
		is(KafkaHeartbeat::heartbeat($client, group => "new2-$database", member => 'm', epoch => 0, timeout => 60000, names => [$id], owned => {})->{error},
			$text ? 0 : INVALID_REQUEST, 'as the name of a topic');
		isnt(KafkaHeartbeat::heartbeat($client, group => "new3-$database", member => 'm', epoch => 0, timeout => 60000, regex => $id, owned => {})->{error} // 'closed',
			'closed', 'as a regular expression');
		ok(defined join_group($client, 'subscribed', topics => [$id], once => 1)->{error}, 'as a topic in a subscription');
		is(commit_error($client, 'metadata', 'events', 0, [ 1, $id, -1 ]), 0, 'as metadata of a commit');
		ok(defined $client->metadata($id), 'as a topic whose metadata are wanted');
		is(commit_error($client, 'topics', $id, 0, 1), 3, 'as a topic that is committed');
		is(fetched($client, 'metadata', 'events', 0), "1 $id -1", 'which are read as they were written');
	}

	# ---- what SQL has -----------------------------------------------------------------------------------
	my $of_sql = $database eq 'utf' ? $utf8 : $database eq 'kanji' ? "\xb4\xc1\xbb\xfa" : $latin1;
	$sql->("SET ROLE friend; SELECT count(*) FROM consume('events', E'sql-$of_sql', auto_offset_reset => 'earliest')") if 1;
	$sql->("SET ROLE friend; SELECT count(*) FROM consume('events', 'leased', member_id => '$of_sql', lease => '10min', auto_offset_reset => 'earliest')");
	my $listed = list_groups($client);
	is(join(' ', grep { !is_utf8($_) } keys %$listed), '', "$encoding: groups are listed as UTF-8");
	is(exists $listed->{"sql-$utf8"} ? 1 : 0, $database eq 'utf' ? 1 : 0, 'one that clients cannot say is not');
	ok(exists $listed->{leased}, 'others are');
	my ($described) = @{ describe_groups($client, ['leased']) };
	my ($member) = keys %{ $described->{members} };
	is($member, { utf => $utf8, latin => $utf8, bare => 'gr?ppe', kanji => "\xe6\xbc\xa2\xe5\xad\x97" }->{$database}, 'members in SQL are described as UTF-8');

	# ---- transactional ids ---------------------------------------------------------------------------------
	my $transactional = "caf\xc3\xa9";
	my ($error, $producer) = init_transactions($client, $transactional);
	ok($error == 0 || $database eq 'kanji', "$encoding: good UTF-8 as a transactional id");
	is_deeply([ list_transactions($client, pattern => "c.f\xc3\xa9") ], [ 0, [], $error == 0 ? "$transactional $producer Empty" : () ], 'is found by a pattern');

	# ---- roles -------------------------------------------------------------------------------------------
	my $role = $connect->("r\xc3\xb4le");
	SKIP:
	{
		skip 'this encoding gives the role another name', 2 if $database ne 'latin';
		ok($role, 'a role whose name is not ASCII') or next;
		ok(ref list_groups($role), 'is served');
	}
	my @acls = describe_acls($client, 'TOPIC events LITERAL - - ANY ANY');
	like("@acls", $database eq 'latin' ? qr/User:r\xc3\xb4le/ : qr/User:r\?le/, 'its ACLs are told as far as they can be');
	is(join(' ', grep { !is_utf8($_) } @acls), '', 'as UTF-8');
	is(commit_error($client, 'ready', 'events', 0, 2), 0, "$encoding: all goes on");
}

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
unlike(slurp_file($node->logfile), qr/invalid byte sequence|could not convert/, 'and nobody was asked to take what is no text');
$node->stop;
done_testing();
