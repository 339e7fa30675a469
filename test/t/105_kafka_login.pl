#!/usr/bin/env perl
# Who may connect to the Kafka listener: the rules of pg_hba.conf, PLAIN and SCRAM, and what the
# role itself may (src/broker/login/authentication.c, client_rule.c, client_address.c, role_facts.c,
# hba_rules.c, refusal_log.c, sasl.c, password_check.c).
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaLogin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

# an address of this machine that is not a loopback one, if it has any
my ($outside) = grep { !/^127\./ } (`ip -4 -o addr show 2>/dev/null` // '') =~ /\binet ([\d.]+)/g;
my ($port, $outside_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1, 2;
my $node = new_node('main', settings => [ 'log_connections = on',
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres" . ($outside ? ", $outside:$outside_port/postgres" : '') . "'" ]);

# ---- helpers -----------------------------------------------------------------------

# Write pg_hba.conf with these lines, and have it read.
sub write_rules
{
	my (@lines) = @_;

	open(my $file, '>', $node->data_dir . '/pg_hba.conf') or die "no pg_hba.conf: $!";
	print $file join("\n", 'local all all trust', @lines), "\n";
	close($file);
	$node->reload;
	return;
}

sub sql { return $node->safe_psql('postgres', $_[0]) }

# Log in on a connection of its own; the last answer, and the connection.
sub plain { my $socket = dial($port); return (login_plain($socket, @_), $socket) }
sub scram { my $socket = dial($port); return (login_scram($socket, @_), $socket) }

# What the server's log has gained since an offset matches.
sub logged
{
	my ($pattern, $offset) = @_;

	return poll_until(sub { slurp_file($node->logfile, $offset) =~ $pattern });
}

# Tell that a login was refused, with this message, and the connection closed.
sub refused
{
	my ($answer, $socket, $message, $name) = @_;

	is($answer->{error}, FAILED, "$name: refused");
	like($answer->{message} // '', $message, "$name: says so");
	ok($socket->is_closed, "$name: and closed");
	return;
}

sub accepted
{
	my ($answer, $socket, $name) = @_;

	is($answer->{error}, 0, $name) or diag($answer->{message});
	return $socket;
}

# ---- the cluster -------------------------------------------------------------------

$node->start;
sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t');
	CREATE ROLE alice LOGIN PASSWORD 'secret';
	CREATE ROLE "we,ird=näme" LOGIN PASSWORD 'pässword';
	CREATE ROLE nopassword LOGIN;
	CREATE ROLE nologin PASSWORD 'secret';
	CREATE ROLE expired LOGIN PASSWORD 'secret' VALID UNTIL '2001-01-01';
	CREATE ROLE lasting LOGIN PASSWORD 'secret' VALID UNTIL 'infinity';
	CREATE ROLE single LOGIN PASSWORD 'secret' CONNECTION LIMIT 1;
	CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'secret' CONNECTION LIMIT 0;
	CREATE ROLE crew;
	CREATE ROLE member LOGIN PASSWORD 'secret' IN ROLE crew;
	SET password_encryption = md5;
	CREATE ROLE old LOGIN PASSWORD 'secret';
	GRANT SELECT ON t TO alice, "we,ird=näme", old, lasting, single, member;
});
write_rules('host all all 127.0.0.1/32 scram-sha-256');

my $first;
ok(poll_until(sub { $first = dial($port) }), 'the listener listens');
ok(poll_until(sub { (scram('alice', 'secret'))[0]{error} == 0 }), 'and has read pg_hba.conf');

# ---- SCRAM and PLAIN -----------------------------------------------------------------

my ($answer, $socket) = scram('alice', 'secret');
accepted($answer, $socket, 'SCRAM with the right password');
ok($answer->{signed}, 'the server proves that it knows the password too');
is($answer->{lifetime}, 0, 'the session has no end');
is(topic_error($socket, 't'), 0, 'and is served');

my $failure = qr/^authentication failed for role "alice"$/;
my $unknown = qr/^authentication failed for role "nobody"$/;
refused(scram('alice', 'wrong'), $failure, 'SCRAM with a wrong password');
refused(scram('nobody', 'secret'), $unknown, 'SCRAM with an unknown role');
accepted(plain('alice', 'secret'), 'PLAIN with the right password');
accepted(plain('alice', 'secret'), 'PLAIN again');
refused(plain('alice', 'wrong'), $failure, 'PLAIN with a wrong password');
refused(plain('nobody', 'secret'), $unknown, 'PLAIN with an unknown role');
refused(plain('nopassword', 'secret'), qr/^authentication failed/, 'PLAIN without a stored password');
refused(plain('alice', ''), qr/malformed PLAIN/, 'PLAIN with an empty password');
accepted(scram('we,ird=näme', 'pässword'), 'SCRAM with a name and a password that have to be escaped');
accepted(plain('we,ird=näme', 'pässword'), 'PLAIN with them');
refused(plain('x' x 100, 'secret'), qr/too long/, 'a name that no role can have');

# md5 is read by PLAIN alone
accepted(plain('old', 'secret'), 'PLAIN with an MD5 password');
refused(plain('old', 'wrong'), qr/^authentication failed/, 'PLAIN with a wrong MD5 password');
refused(scram('old', 'secret'), qr/^authentication failed/, 'SCRAM with an MD5 password');

my $offset = -s $node->logfile;
plain('alice', 'wrong');
ok(logged(qr/refused Kafka client 127\.0\.0\.1:\d+: authentication failed for role "alice"\n.*The password is wrong/, $offset), 'the log says why');
unlike(slurp_file($node->logfile), qr/secret'?\b.*refused|wrong\b.*password "wrong"/, 'and tells no password');
ok(logged(qr/Kafka client \S+ authorized: role=alice database=postgres/, 0), 'log_connections logs clients');

# ---- what a changed password does -----------------------------------------------------

sql(q{ALTER ROLE alice PASSWORD 'changed'});
refused(plain('alice', 'secret'), $failure, 'the old password, though it was known');
accepted(plain('alice', 'changed'), 'the new password');
is(topic_error($socket, 't'), 0, 'who is connected stays so');
sql(q{ALTER ROLE alice PASSWORD 'secret'});

# ---- a role's limits -----------------------------------------------------------------

refused(scram('nologin', 'secret'), qr/not permitted to log in/, 'NOLOGIN');
refused(scram('nologin', 'wrong'), qr/^authentication failed/, 'NOLOGIN is told only to who knows the password');
refused(scram('expired', 'secret'), qr/^authentication failed/, 'VALID UNTIL in the past');
refused(plain('expired', 'secret'), qr/^authentication failed/, 'the same with PLAIN');
is((accepted(scram('lasting', 'secret'), 'VALID UNTIL infinity') and (scram('lasting', 'secret'))[0]{lifetime}), 0, 'is no end of the session');

my $only = accepted(scram('single', 'secret'), 'the first connection of one');
refused(scram('single', 'secret'), qr/too many connections for role "single"/, 'the second one');
$only->close;
ok(poll_until(sub { (scram('single', 'secret'))[0]{error} == 0 }), 'another one, once the first is gone');
accepted(scram('boss', 'secret'), 'CONNECTION LIMIT does not hold for superusers');

sql('REVOKE CONNECT ON DATABASE postgres FROM public');
refused(scram('alice', 'secret'), qr/no privilege to connect to database "postgres"/, 'no privilege to connect');
sql('GRANT CONNECT ON DATABASE postgres TO public');

# what the database says counts as for SQL sessions
sql('ALTER DATABASE postgres CONNECTION LIMIT 0');
refused(scram('alice', 'secret'), qr/too many connections for database "postgres"/, 'CONNECTION LIMIT of the database');
refused(scram('alice', 'wrong'), qr/^authentication failed/, 'it is told only to who knows the password');
sql('ALTER ROLE boss CONNECTION LIMIT -1');
accepted(scram('boss', 'secret'), 'it does not hold for superusers');
sql('ALTER DATABASE postgres CONNECTION LIMIT -1');
$node->safe_psql('template1', 'ALTER DATABASE postgres ALLOW_CONNECTIONS false');
refused(scram('boss', 'secret'), qr/database "postgres" is not currently accepting connections/, 'ALLOW_CONNECTIONS');
$node->safe_psql('template1', 'ALTER DATABASE postgres ALLOW_CONNECTIONS true');
accepted(scram('alice', 'secret'), 'ALLOW_CONNECTIONS again');

# ---- sessions that end ---------------------------------------------------------------

sql(q{DO $$ BEGIN EXECUTE format('ALTER ROLE lasting VALID UNTIL %L', now() + '1 h'); END $$});
($answer, $socket) = scram('lasting', 'secret');
accepted($answer, $socket, 'VALID UNTIL in an hour');
cmp_ok($answer->{lifetime}, '>', 3500_000, 'the session is that long');
cmp_ok($answer->{lifetime}, '<=', 3600_000, 'and no longer');
is(login_scram($socket, 'lasting', 'secret')->{error}, 0, 'the client authenticates again in its connection');
is(login_plain($socket, 'lasting', 'secret')->{error}, 0, 'and by another mechanism');
is(topic_error($socket, 't'), 0, 'and is served on');
refused(login_scram($socket, 'alice', 'secret'), $socket, qr/cannot become role "alice"/, 'it cannot become another role');
($answer, $socket) = scram('lasting', 'secret');
sql(q{DO $$ BEGIN EXECUTE format('ALTER ROLE lasting VALID UNTIL %L', now() + '1 s'); END $$});
topic_error($socket, 't');
ok($socket->is_closed, 'a session is closed at its end');

# ---- roles that change ---------------------------------------------------------------

sql(q{CREATE ROLE passing LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO passing});
(undef, $socket) = scram('passing', 'secret');
is(topic_error($socket, 't'), 0, 'a role that changes');
sql('REVOKE SELECT ON t FROM passing');
ok(poll_until(sub { topic_error($socket, 't') == NOT_AUTHORIZED }), 'REVOKE counts for who is connected');
sql('GRANT SELECT ON t TO crew; GRANT crew TO passing');
ok(poll_until(sub { topic_error($socket, 't') == 0 }), 'so does membership in a role');
sql('REVOKE crew FROM passing; GRANT INSERT ON t TO passing');
ok(poll_until(sub { topic_error($socket, 't') == 0 }), 'INSERT alone lets see a topic');
sql('REVOKE USAGE ON SCHEMA public FROM public');
ok(poll_until(sub { topic_error($socket, 't') != 0 }), 'without USAGE of the schema it is not seen');
sql('GRANT USAGE ON SCHEMA public TO public');
ok(poll_until(sub { topic_error($socket, 't') == 0 }), 'and with it again');
sql(q{CREATE ROLE landlord; GRANT landlord TO passing; REVOKE INSERT ON t FROM passing; GRANT SELECT ON t TO pg_database_owner;
	ALTER DATABASE postgres OWNER TO landlord});
ok(poll_until(sub { topic_error($socket, 't') == 0 }), 'the owner of the database is a member of pg_database_owner');
sql('ALTER DATABASE postgres OWNER TO CURRENT_USER');
ok(poll_until(sub { topic_error($socket, 't') == NOT_AUTHORIZED }), 'as long as it is the owner');
sql('REVOKE SELECT ON t FROM pg_database_owner; REVOKE landlord FROM passing; GRANT INSERT ON t TO passing');
ok(poll_until(sub { topic_error($socket, 't') == 0 }), 'a privilege of its own again');
sql('ALTER ROLE passing RENAME TO passed');
is(topic_error($socket, 't'), 0, 'another name does no harm');
sql('ALTER ROLE passed NOLOGIN');
ok(poll_until(sub { !defined topic_error($socket, 't') }), 'NOLOGIN closes the connection');
sql('ALTER ROLE passed LOGIN');
(undef, $socket) = scram('passed', 'secret');
is(topic_error($socket, 't'), 0, 'and LOGIN lets it in again');
sql('REVOKE ALL ON t FROM passed; DROP ROLE passed');
ok(poll_until(sub { !defined topic_error($socket, 't') }), 'DROP ROLE closes the connection');

# ---- the order of messages --------------------------------------------------------------

$socket = dial($port);
is_deeply([ handshake($socket, 'SCRAM-SHA-512') ], [ UNSUPPORTED_MECHANISM, 'PLAIN', 'SCRAM-SHA-256' ], 'a mechanism that there is not');
ok($socket->is_closed, 'closes the connection');
$socket = dial($port);
is(authenticate($socket, "\0alice\0secret")->{error}, ILLEGAL_STATE, 'a message without a handshake');
ok($socket->is_closed, 'closes the connection');
$socket = dial($port);
is(topic_error($socket, 't'), undef, 'nothing is served without authentication');
$socket = dial($port);
handshake($socket, 'SCRAM-SHA-256');
is(topic_error($socket, 't'), undef, 'nor in the midst of it');
$socket = dial($port);
handshake($socket, 'SCRAM-SHA-256');
authenticate($socket, 'n,,' . scram_first('alice', 'abc'));
ok(is_served($socket), 'but ApiVersions is');
is((handshake($socket, 'PLAIN'))[0], 0, 'and a handshake begins anew');
is(authenticate($socket, "\0alice\0secret")->{error}, 0, 'with another mechanism');

# while it proves that it is the role, another one gets the name
sql(q{CREATE ROLE former LOGIN PASSWORD 'secret'; CREATE ROLE heir LOGIN PASSWORD 'other'});
my $begun = scram_first('former', 'abc');
$socket = dial($port);
handshake($socket, 'SCRAM-SHA-256');
my ($proof) = scram_final($begun, authenticate($socket, "n,,$begun")->{bytes}, 'secret');
sql('ALTER ROLE former RENAME TO retired; ALTER ROLE heir RENAME TO former');
refused(authenticate($socket, $proof), $socket, qr/^authentication failed for role "former"$/, 'a name that was given away');

# ---- hostile messages -----------------------------------------------------------------

sub hostile
{
	my ($name, $mechanism, $bytes) = @_;
	my $peer = dial($port);

	handshake($peer, $mechanism);
	my $reply = authenticate($peer, $bytes);

	ok(!defined $reply || $reply->{error} == FAILED, "$name: refused");
	ok($peer->is_closed, "$name: closed");
	return;
}

my %scrams = (
	'nothing' => '', 'a comma' => ',', 'commas' => ',,,,', 'a zero byte' => "n,,n=al\0ice,r=abc", 'no nonce' => 'n,,n=alice',
	'no name' => 'n,,r=abc', 'an empty name' => 'n,,n=,r=abc', 'a wrong escape' => 'n,,n=al=ice,r=abc', 'no UTF-8' => "n,,n=al\xffice,r=abc",
	'another role' => 'n,a=boss,n=alice,r=abc', 'channel binding' => 'p=tls-server-end-point,,n=alice,r=abc',
	'an extension' => 'n,,m=x,n=alice,r=abc', 'a broken nonce' => "n,,n=alice,r=a\x01c", 'a long one' => 'n,,n=alice,r=' . 'a' x 100_000,
	'a final one' => 'c=biws,r=abc,p=AAAA', 'no head' => 'n=alice,r=abc', 'a long name' => 'n,,n=' . 'a' x 5000 . ',r=abc');
hostile("SCRAM with $_", 'SCRAM-SHA-256', $scrams{$_}) for sort keys %scrams;

my %plains = ('nothing' => '', 'one zero byte' => "\0", 'two' => "\0\0", 'three' => "\0alice\0sec\0ret", 'no password' => "\0alice\0",
	'no name' => "\0\0secret", 'another role' => "boss\0alice\0secret", 'no UTF-8' => "\0al\xffice\0secret", 'no zero bytes' => 'alice');
hostile("PLAIN with $_", 'PLAIN', $plains{$_}) for sort keys %plains;

# the server's first message is answered wrongly
for my $case ([ 'another nonce', nonce => 'other' ], [ 'another binding', binding => 'eSws' ])
{
	my ($name, @other) = @$case;

	refused(scram('alice', 'secret', @other), qr/^authentication failed/, "SCRAM with $name");
}
# librdkafka before 2.6.1 repeats its nonce
accepted(scram('alice', 'secret', repeat => 1), 'SCRAM with the nonce twice');
ok((scram('alice', 'secret', repeat => 1))[0]{signed}, 'and the server proves itself');
refused(scram('alice', 'wrong', repeat => 1), $failure, 'SCRAM with the nonce twice and a wrong password');
refused(scram('nobody', 'secret', repeat => 1), $unknown, 'SCRAM with the nonce twice and no role');
refused(scram('alice', 'secret', nonce => 'other', repeat => 1), $failure, 'SCRAM with another nonce twice');
for my $final ('', 'c=biws', 'c=biws,r=x,p=', "c=biws,r=x\0,p=AAAA", 'n,,n=alice,r=abc')
{
	$socket = dial($port);
	handshake($socket, 'SCRAM-SHA-256');
	authenticate($socket, 'n,,' . scram_first('alice', 'abc'));
	is(authenticate($socket, $final)->{error}, FAILED, "SCRAM with '" . ($final =~ s/\0/0/r) . "' at the end");
}
# a proof of one role for another one
$socket = dial($port);
handshake($socket, 'SCRAM-SHA-256');
my $message = scram_first('boss', 'abc');
$answer = authenticate($socket, "n,,$message");
my ($final) = scram_final($message, $answer->{bytes}, 'guess');
is(authenticate($socket, $final)->{error}, FAILED, 'SCRAM with a wrong proof');
is(topic_error($socket, 't'), undef, 'which lets do nothing');
is($answer->{error}, 0, 'a role is not told to exist by the first answer');
my ($mock) = map { authenticate($_->[0], 'n,,' . scram_first('nobody', 'abc')) } map { handshake($_, 'SCRAM-SHA-256'); [$_] } dial($port);
is($mock->{error}, 0, 'nor one that does not');
like($mock->{bytes}, qr/^r=abc[^,]+,s=[^,]+,i=4096$/, 'which gets a salt as well');

# ---- version 0 of the handshake -------------------------------------------------------------

$socket = dial($port);
is((handshake($socket, 'PLAIN', 0))[0], 0, 'a handshake of version 0');
is(bare($socket, "\0alice\0secret"), '', 'is followed by bare messages of PLAIN');
is(topic_error($socket, 't'), 0, 'and then by requests');
$socket = dial($port);
handshake($socket, 'PLAIN', 0);
is(bare($socket, "\0alice\0wrong"), undef, 'a wrong password closes the connection');
$socket = dial($port);
handshake($socket, 'SCRAM-SHA-256', 0);
$message = scram_first('alice', 'abc');
my ($last, $signature) = scram_final($message, bare($socket, "n,,$message"), 'secret');
is(bare($socket, $last), $signature, 'so with SCRAM');
is(topic_error($socket, 't'), 0, 'and its requests');

# ---- rules -----------------------------------------------------------------------------

# Write rules, and wait until they count: the first one lets in a role of its own.
my $mark = 0;
sub rules
{
	my (@lines) = @_;
	my $role = 'mark' . ++$mark;

	write_rules("host all $role 127.0.0.1/32 trust", @lines);
	sql("CREATE ROLE $role LOGIN");
	poll_until(sub { (plain($role, 'any'))[0]{error} == 0 }) or die 'the rules do not count';
	return;
}

my $no_entry = qr/^no entry of pg_hba\.conf lets host "127\.0\.0\.1", role "\w+", database "postgres" in by SASL (PLAIN|SCRAM), no TLS$/;

rules('host all alice 127.0.0.1/32 md5', 'host all member all password', 'host all old samehost trust', 'host postgres "all" 127.0.0.1/32 trust');
accepted(scram('alice', 'secret'), 'rule md5');
accepted(plain('member', 'secret'), 'rule password');
accepted(plain('old', 'anything'), 'rule trust, samehost');
refused(scram('old', 'anything'), qr/^authentication failed/, 'rule trust, with SCRAM');
refused(plain('lasting', 'secret'), $no_entry, 'a quoted "all" is a name');

rules('host all alice 127.0.0.1/32 reject', 'host all all 127.0.0.1/32 scram-sha-256');
refused(scram('alice', 'secret'), $no_entry, 'rule reject');
accepted(scram('member', 'secret'), 'the rule after it');

rules('host all +crew samenet scram-sha-256', 'host sameuser alice 127.0.0.1/32 scram-sha-256', 'host replication single 127.0.0.1/32 trust',
	'hostssl all single 127.0.0.1/32 trust', 'host other single 127.0.0.1/32 trust', 'host all single 10.0.0.0/8 trust', 'host all single ::1/128 trust', 'host samerole crew all trust');
accepted(scram('member', 'secret'), 'a rule for members of a role');
refused(scram('alice', 'secret'), $no_entry, 'a rule for a database of the same name');
refused(scram('single', 'secret'), $no_entry, 'rules for replication, TLS, other databases and other addresses');
refused(scram('boss', 'secret'), $no_entry, 'a superuser is not a member of each role');

$offset = -s $node->logfile;
rules('host all alice 127.0.0.1/32 ident', 'host all single localhost trust', 'host all all 127.0.0.1/32 trust');
refused(scram('alice', 'secret'), $no_entry, 'rule ident');
ok(logged(qr/Line 3 of the file is the one that counts\. Its method "ident" cannot be used/, $offset), 'the log says why');
refused(plain('single', 'secret'), $no_entry, 'a rule with a host name');
ok(logged(qr/It has a host name/, $offset), 'the log says why');
refused(plain('nobody', 'secret'), qr/^authentication failed for role "nobody"$/, 'trust, but no such role');
refused(plain('nologin', 'secret'), qr/not permitted to log in/, 'trust, but NOLOGIN');

# a file that is included, and one that is broken
open(my $names, '>', $node->data_dir . '/names') or die;
print $names "alice\nmember\n";
close($names);
rules('host all @names 127.0.0.1/32 scram-sha-256');
accepted(scram('member', 'secret'), 'a rule with names from a file');
$offset = -s $node->logfile;
write_rules('host all all nonsense');
ok(logged(qr/could not load ".*pg_hba\.conf" for clients of Kafka\n.*The rules that were loaded before stay/, $offset), 'a broken file is logged');
accepted(scram('member', 'secret'), 'and the rules before it stay');

# ---- clients without SASL ---------------------------------------------------------------

rules('host all alice 127.0.0.1/32 trust', 'host all member 127.0.0.1/32 scram-sha-256');
is(topic_error(dial($port), 't'), undef, 'no anonymous role');
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'alice'");
$node->reload;
ok(poll_until(sub { (topic_error(dial($port), 't') // -1) == 0 }), 'the anonymous role');
$offset = -s $node->logfile;
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'member'");
$node->reload;
ok(poll_until(sub { !defined topic_error(dial($port), 't') }), 'a password is asked of the anonymous role');
ok(logged(qr/role "member", database "postgres" in by no SASL/, $offset), 'the log says so');
$node->append_conf('postgresql.conf', "pg_topics.kafka_anonymous_role = 'nobody'");
$node->reload;
ok(poll_until(sub { !defined topic_error(dial($port), 't') }), 'the anonymous role does not exist');

# ---- guesses --------------------------------------------------------------------------

rules('host all all 127.0.0.1/32 scram-sha-256');
accepted(plain('member', 'secret'), 'a password that is known from now on');
my @guessers = map { dial($port) } 1 .. 150;
handshake($_, 'PLAIN') foreach @guessers;
my $guessed = time;
send_message($guessers[$_], "\0alice\0guess$_") foreach 0 .. $#guessers;
accepted(plain('member', 'secret'), 'while passwords are guessed, a known one');
ok(is_served($first = dial($port)), 'and other requests');
ok(scalar(grep { !$_->is_readable } @guessers), 'do not wait');
my $failed = grep { defined && unpack('x4n', $_) == FAILED } map { $_->read_frame } @guessers;
is($failed, 150, 'each guess gets its answer');
cmp_ok(time - $guessed, '>', 5, 'but not all at once');

# many rounds take long, and do not hold up others
SKIP:
{
	skip 'scram_iterations came with 16', 2 if $node->pg_version < 16;
	sql(q{SET scram_iterations = 1000000; ALTER ROLE single PASSWORD 'rounds'});
	my $slow = dial($port);
	handshake($slow, 'PLAIN');
	send_message($slow, "\0single\0rounds");
	ok(is_served(dial($port)), 'a password with many rounds does not hold up others');
	is(unpack('x4n', $slow->read_frame), 0, 'and is right in the end');
}

# ---- the server's log --------------------------------------------------------------------

# who is refused again and again does not fill it
rules('host all all 127.0.0.1/32 scram-sha-256');
my $flooded = -s $node->logfile;
for (1 .. 60)
{
	my $client = dial($port);
	handshake($client, 'DIGEST-MD5');
	$client->close;
}
is(scalar(() = slurp_file($node->logfile, $flooded) =~ /refused Kafka client 127\.0\.0\.1:/g), 10, 'ten refused clients of an address are logged');
$node->reload;
ok(logged(qr/50 further lines about refused Kafka clients of 127\.0\.0\.1 were left out/, $flooded), 'then how many more there were');
refused(plain('alice', 'wrong'), qr/^authentication failed/, 'another one');
ok(logged(qr/were left out.*refused Kafka client 127\.0\.0\.1:\d+: authentication failed for role "alice"/s, $flooded), 'and lines are logged again');

# ---- from elsewhere -------------------------------------------------------------------

SKIP:
{
	skip 'this machine has only loopback addresses', 5 if !$outside;
	rules("host all all $outside/32 scram-sha-256", 'host all all 127.0.0.1/32 scram-sha-256');
	my $elsewhere = sub {
		return KafkaClient->of_socket(IO::Socket::INET->new(PeerHost => $outside, PeerPort => $outside_port, LocalHost => $outside));
	};
	$socket = $elsewhere->();
	is_deeply([ handshake($socket, 'PLAIN') ], [ UNSUPPORTED_MECHANISM, 'SCRAM-SHA-256' ], 'PLAIN without TLS is not offered to others');
	ok($socket->is_closed, 'and closes the connection');
	is(login_scram($elsewhere->(), 'alice', 'secret')->{error}, 0, 'SCRAM is');
	$node->append_conf('postgresql.conf', 'pg_topics.kafka_plain_without_tls = on');
	$node->reload;
	ok(poll_until(sub { (handshake($elsewhere->(), 'PLAIN'))[0] == 0 }), 'unless the setting says so');
	is(login_plain($elsewhere->(), 'alice', 'secret')->{error}, 0, 'PLAIN with it');
}

is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server is well');
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP/, 'and no process has died');

done_testing();
