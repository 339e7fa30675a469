#!/usr/bin/env perl
# Passwords of roles as SCRAM credentials: DescribeUserScramCredentials and AlterUserScramCredentials
# (src/broker/users/describe_credentials.c, alter_credentials.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaLogin;
use KafkaServer;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
# an address of this machine that is not a loopback one, if it has any
my ($outside) = grep { !/^127\./ } (`ip -4 -o addr show 2>/dev/null` // '') =~ /\binet ([\d.]+)/g;
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres" . ($outside ? ", $outside:$port/postgres'" : "'"),
	"pg_topics.kafka_anonymous_role = 'boss'",
	'max_worker_processes = 12', 'log_statement = all', 'log_min_messages = debug1' ]);
open(my $rules, '>', $node->data_dir . '/pg_hba.conf') or die "no pg_hba.conf: $!";
print $rules "local all all trust\nhost all user_scram,\"other user\" all scram-sha-256\nhost all all all trust\n";
close($rules);
$node->start;
use_kafka_server($node, $port);

sub bytes { my ($bytes) = @_; return KafkaClient::varint(1 + length $bytes) . $bytes }

# Describe: "name: mechanism rounds" or "name: error", sorted.
sub describe
{
	my ($client, @names) = @_;
	my $null = @names == 1 && !defined $names[0];
	my $body = $null ? KafkaClient::compact_count(-1)
	  : KafkaClient::compact_count(scalar @names) . join('', map { KafkaClient::compact_string($_) . "\0" } @names);
	my $reader = $client->call(50, 0, "$body\0", 1) // return 'closed';
	my @results;

	die 'a throttle time' if $reader->int32;
	my $error = $reader->int16;
	my $message = $reader->compact_string;
	return "error $error: $message" if $error;
	foreach (1 .. $reader->compact_count)
	{
		my $name = $reader->compact_string;
		my $failed = $reader->int16;
		my $why = $reader->compact_string;
		my @infos;

		die 'a message without an error, or the reverse' if !$failed != !defined $why;
		foreach (1 .. $reader->compact_count)
		{
			push @infos, $reader->int8 . ' ' . $reader->int32;
			$reader->tags;
		}
		$reader->tags;
		push @results, "$name: " . ($failed ? "error $failed" : "@infos");
	}
	$reader->tags;
	die 'bytes behind a response' if $reader->left;
	return join(', ', sort @results);
}

# Alter: deletions as names, or [name, mechanism]; upsertions as [name, rounds, salt, salted password, mechanism].
# "name: error", sorted.
sub alter
{
	my ($client, $deletions, $upsertions) = @_;
	my $body = KafkaClient::compact_count(scalar @$deletions)
	  . join('', map { my ($name, $mechanism) = ref $_ ? @$_ : ($_, 1); KafkaClient::compact_string($name) . KafkaClient::int8($mechanism) . "\0" } @$deletions)
	  . KafkaClient::compact_count(scalar @$upsertions)
	  . join('', map { KafkaClient::compact_string($_->[0]) . KafkaClient::int8($_->[4] // 1) . KafkaClient::int32($_->[1]) . bytes($_->[2]) . bytes($_->[3]) . "\0" } @$upsertions);
	my $reader = $client->call(51, 0, "$body\0", 1) // return 'closed';
	my @results;

	die 'a throttle time' if $reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		push @results, $reader->compact_string . ': ' . $reader->int16;
		$reader->compact_string;
		$reader->tags;
	}
	$reader->tags;
	die 'bytes behind a response' if $reader->left;
	return join(', ', sort @results);
}

# An upsertion with a password.
sub password { my ($name, $password, $rounds, $salt) = @_; return [ $name, $rounds, $salt, salted_password($salt, $rounds, $password) ] }

sub scram { my ($role, $password) = @_; return login_scram(KafkaClient->new($port), $role, $password)->{error} }

sql('CREATE EXTENSION pg_topics; CREATE ROLE boss LOGIN CREATEROLE; CREATE ROLE user_scram LOGIN; CREATE ROLE "other user" LOGIN; CREATE ROLE plain LOGIN');
sql(q{CREATE ROLE "Grüße" LOGIN; CREATE ROLE "o'dd ""role" LOGIN; CREATE ROLE god LOGIN SUPERUSER});
my $major = int(sql('SHOW server_version_num') / 10000);
sql(qq{GRANT "$_" TO boss WITH ADMIN OPTION}) foreach $major >= 16 ? ('user_scram', 'other user', 'plain', 'Grüße') : ();
sql(q{GRANT "o'dd ""role" TO boss WITH ADMIN OPTION}) if $major >= 16;
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $god = client_as('god');
my $boss = client_as('boss');
my $plain = client_as('plain');
my $versions = $boss->api_versions;
is_deeply([ @{$versions}{ 50, 51 } ], [ [ 0, 0 ], [ 0, 0 ] ], 'the versions that Kafka 4.4 serves');

# ---- what is stored is what the server stores -------------------------------------------

is(describe($god, undef), '', 'no role has a password');
is(alter($boss, [], [ password('user_scram', 'secret', 4096, 'NaCl' x 4) ]), 'user_scram: 0', 'a password is set');
is(scram('user_scram', 'secret'), 0, 'and lets in');
is(scram('user_scram', 'secret2'), 58, 'another one does not');
is(describe($god, undef), 'user_scram: 1 4096', 'it is described');
sql(q{SET scram_iterations = 5000; ALTER ROLE "other user" PASSWORD 'from sql'}) if $major >= 16;
sql(q{ALTER ROLE "other user" PASSWORD 'from sql'}) if $major < 16;
my $rounds = $major >= 16 ? 5000 : 4096;
is(describe($god), "other user: 1 $rounds, user_scram: 1 4096", 'as one of SQL is');
is(alter($god, [], [ password('user_scram', 'new', 8192, "\0\1\2\xff"), password('other user', 'other', 16384, 's') ]),
	'other user: 0, user_scram: 0', 'several are changed');
is(scram('user_scram', 'new'), 0, 'the new one lets in');
is(scram('user_scram', 'secret'), 58, 'the old one does not');
is(scram('other user', 'other'), 0, 'with a short salt and many rounds');
is(alter($god, [], [ password('other user', 'other', 4096, 's' x 256) ]), 'other user: 0', 'a long salt is taken');
is(scram('other user', 'other'), 0, 'and lets in');
is(alter($god, [], [ password('other user', 'other', 16384, 's') ]), 'other user: 0', 'and goes');
is(describe($god, 'user_scram', 'nobody', 'plain', 'other user'),
	'nobody: error 91, other user: 1 16384, plain: error 91, user_scram: 1 8192', 'described by name');
is(describe($god, 'user_scram', 'user_scram', 'plain'), 'plain: error 91, user_scram: error 92', 'a name twice');
is(alter($boss, ['user_scram'], []), 'user_scram: 0', 'a password is deleted');
is(scram('user_scram', 'new'), 58, 'nobody is let in');
is(sql(q{SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'user_scram'}), 't', 'there is none');
is(alter($boss, [ 'user_scram', 'nobody' ], []), 'nobody: 91, user_scram: 91', 'to delete what there is not');
sql(q{SET password_encryption = 'md5'; ALTER ROLE plain PASSWORD 'old'});
is(alter($boss, ['plain'], []), 'plain: 91', 'a password of another kind');
is(sql(q{SELECT rolpassword ~ '^md5' FROM pg_authid WHERE rolname = 'plain'}), 't', 'stays');
is(describe($god, 'plain'), 'plain: error 91', 'and is none for SCRAM');

# ---- errors -------------------------------------------------------------------------------

my $salted = 'x' x 32;
is(alter($boss, [], [ [ '', 4096, 'salt', $salted ] ]), ': 93', 'no name');
is(alter($boss, [], [ [ 'plain', $_->[0], $_->[1], $_->[2], $_->[3] ] ]), "plain: $_->[4]", $_->[5]) foreach
  [ 4095, 'salt', $salted, 1, 93, 'too few rounds' ], [ 16385, 'salt', $salted, 1, 93, 'too many' ], [ -1, 'salt', $salted, 1, 93, 'a negative number' ],
  [ 4096, '', $salted, 1, 93, 'no salt' ], [ 4096, 'x' x 257, $salted, 1, 93, 'much salt' ],
  [ 4096, 'salt', 'x' x 31, 1, 93, 'a short key' ], [ 4096, 'salt', 'x' x 64, 1, 93, 'a long one' ],
  [ 4096, 'salt', 'x' x 64, 2, 33, 'SCRAM-SHA-512' ], [ 4096, 'salt', $salted, 0, 33, 'an unknown mechanism' ];
is(alter($boss, [ [ 'plain', 2 ] ], []), 'plain: 33', 'to delete one of another mechanism');
is(alter($boss, ['plain'], [ [ 'plain', 4096, 'salt', $salted ], [ 'user_scram', 4096, 'salt', $salted ] ]), 'plain: 92, user_scram: 0', 'twice in a request');
is(alter($boss, [ 'user_scram', 'user_scram' ], []), 'user_scram: 92', 'or deleted twice');
is(alter($boss, [], [ map { [ $_, 4096, 'salt', $salted ] } "plain\0", 'x' x 100, 'nobody', "plain'; DROP ROLE plain", 'public', 'none' ]),
	join(', ', sort map { "$_: 91" } "plain\0", 'x' x 100, 'nobody', "plain'; DROP ROLE plain", 'public', 'none'), 'names of no roles');
is(alter($boss, [], [ [ "\xff", 4096, 'salt', $salted ] ]) =~ s/^.*: //r, '40', 'a name that is no text');
is(alter($boss, [], [ map { [ $_, 4096, 'salt', $salted ] } "Gr\xc3\xbc\xc3\x9fe", qq{o'dd "role} ]),
	qq{Gr\xc3\xbc\xc3\x9fe: 0, o'dd "role: 0}, 'names that SQL quotes');
is(describe($god, "Gr\xc3\xbc\xc3\x9fe", qq{o'dd "role}), qq{Gr\xc3\xbc\xc3\x9fe: 1 4096, o'dd "role: 1 4096}, 'and their description');
is(alter($boss, [], []) . describe($boss), '', 'nothing at all');

# ---- who may -------------------------------------------------------------------------------

is(alter($plain, [], [ [ 'user_scram', 4096, 'salt', $salted ], [ 'god', 4096, 'salt', $salted ] ]), 'god: 31, user_scram: 31', 'others\' passwords are not one\'s own to change');
is(alter($plain, [ 'user_scram', 'god' ], []), 'god: 31, user_scram: 31', 'nor to delete');
is(alter($boss, [], [ [ 'god', 4096, 'salt', $salted ] ]), 'god: 31', 'a superuser\'s is not CREATEROLE\'s');
is(alter($plain, [], [ password('plain', 'mine', 4096, 'salt') ]), 'plain: 0', 'but one\'s own is');
is(describe($plain, 'plain', 'god', 'user_scram', 'nobody'), 'god: error 31, nobody: error 31, plain: 1 4096, user_scram: error 31', 'and is shown');
is(describe($plain, undef), 'plain: 1 4096', 'of all roles, oneself');
sql('GRANT SELECT ON pg_authid TO plain');
is(describe($plain, 'user_scram'), 'user_scram: 1 4096', 'who may read pg_authid may know');
is(alter($plain, ['plain'], []), 'plain: 0', 'one may delete one\'s own');

SKIP:
{
	skip 'this machine has only loopback addresses', 3 if !$outside;
	my $far = KafkaClient->of_socket(IO::Socket::INET->new(PeerHost => $outside, PeerPort => $port, LocalHost => $outside));

	# from an address that is not the machine's own
	is(alter($far, [], [ [ 'plain', 4096, 'salt', $salted ] ]), 'plain: 44', 'no password is told where others can hear it');
	is(alter($far, ['user_scram'], []), 'user_scram: 0', 'a deletion tells none');
	sql('ALTER SYSTEM SET pg_topics.kafka_plain_without_tls = on');
	$node->reload;
	ok(poll_until(sub { alter($far, [], [ [ 'plain', 4096, 'salt', $salted ] ]) eq 'plain: 0' }), 'unless the administrator allows it');
}

# ---- secrets ------------------------------------------------------------------------------------

my $log = slurp_file($node->logfile);
unlike($log, qr/SCRAM-SHA-256\$/, 'no verifier is in the log');
unlike($log, qr/\Q$_\E/, 'nor parts of one') foreach map { encode_base64($_, '') } $salted, 'NaCl' x 4;
like($log, qr/refused Kafka client/, 'the log is the one');

my @errors = split /, /, alter($plain, [], [ map { [ "role $_", 4096, 'salt', $salted ] } 1 .. 2000 ]);
is(scalar(grep { /: 91$/ } @errors), 2000, 'many');

$node->stop;
done_testing();
