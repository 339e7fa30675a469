#!/usr/bin/env perl
# TLS on the Kafka listener's port, with the server's certificate and settings, and certificates of
# clients (src/listener/tls.c, src/broker/login/authentication.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaLogin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [ "pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'" ]);
my $data = $node->data_dir;

plan skip_all => 'the server was built without OpenSSL' if !check_pg_config('#define USE_OPENSSL 1');

# ---- certificates ---------------------------------------------------------------------

my $dir = PostgreSQL::Test::Utils::tempdir();

sub openssl { system_or_bail('openssl', @_); return }

# An authority, and what it signs: <name>.crt and <name>.key.
sub make_authority
{
	my ($name) = @_;

	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '10',
		'-subj', "/CN=$name", '-keyout', "$dir/$name.key", '-out', "$dir/$name.crt");
	return;
}

sub sign
{
	my ($authority, $file, $subject) = @_;

	openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
		'-subj', $subject, '-keyout', "$dir/$file.key", '-out', "$dir/$file.csr");
	openssl('x509', '-req', '-in', "$dir/$file.csr", '-CA', "$dir/$authority.crt", '-CAkey', "$dir/$authority.key",
		'-CAcreateserial', '-days', '10', '-out', "$dir/$file.crt");
	chmod(0600, "$dir/$file.key");
	return;
}

sub certificate { my ($name) = @_; return ('-cert', "$dir/$name.crt", '-key', "$dir/$name.key") }

make_authority($_) for qw(authority stranger);
sign('authority', 'server', '/CN=first.example');
sign('authority', 'second', '/CN=second.example');
sign('authority', 'alice', '/CN=alice');
sign('authority', 'bob', '/CN=bob');
sign('stranger', 'forged', '/CN=alice');

# one that nobody has signed, for a name with an attribute that only its maker knows
open(my $config, '>', "$dir/odd.cnf") or die "no odd.cnf: $!";
print $config "oid_section = oids\n[oids]\noddity = 1.3.6.1.4.1.99999.1\n",
	"[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = alice\noddity = odd\n";
close($config);
openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '10',
	'-config', "$dir/odd.cnf", '-keyout', "$dir/odd.key", '-out', "$dir/odd.crt");

# ---- helpers ---------------------------------------------------------------------------

sub write_rules
{
	my (@lines) = @_;

	open(my $file, '>', "$data/pg_hba.conf") or die "no pg_hba.conf: $!";
	print $file join("\n", 'local all all trust', @lines), "\n";
	close($file);
	$node->reload;
	return;
}

sub set
{
	my (@lines) = @_;

	$node->append_conf('postgresql.conf', join("\n", @lines));
	$node->reload;
	return;
}

# The name in the certificate that the listener shows.
sub server_name
{
	my $text = `openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null`;

	return $text =~ /CN ?= ?(\S+)/ ? $1 : '';
}

sub logged
{
	my ($pattern, $offset) = @_;

	return poll_until(sub { slurp_file($node->logfile, $offset) =~ $pattern });
}

# ---- the cluster -------------------------------------------------------------------------

$node->append_conf('postgresql.conf', join("\n", 'ssl = on', "ssl_cert_file = '$dir/server.crt'", "ssl_key_file = '$dir/server.key'",
	"ssl_ca_file = '$dir/authority.crt'", "pg_topics.kafka_anonymous_role = 'guest'"));
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('t');
	CREATE ROLE guest LOGIN;
	CREATE ROLE alice LOGIN PASSWORD 'secret';
	CREATE ROLE bob LOGIN PASSWORD 'secret';
	CREATE ROLE carol LOGIN PASSWORD 'secret';
	GRANT SELECT ON t TO public;
});

# Write rules, and wait until they count: the first one lets in a role of its own.
my $mark = 0;
sub rules
{
	my (@lines) = @_;
	my $role = 'mark' . ++$mark;

	write_rules("host all $role 127.0.0.1/32 trust", @lines);
	$node->safe_psql('postgres', "CREATE ROLE $role LOGIN");
	poll_until(sub { my $socket = dial($port); $socket && (login_plain($socket, $role, 'any')->{error} // 1) == 0 }) or die 'the rules do not count';
	return;
}

# ---- TLS and none on one port ----------------------------------------------------------------

rules('hostssl all guest 127.0.0.1/32 trust', 'hostssl all carol 127.0.0.1/32 scram-sha-256', 'hostnossl all bob 127.0.0.1/32 scram-sha-256');

ok(is_served(dial($port)), 'without TLS');
my $kept = dial_tls($port);
ok(is_served($kept), 'with TLS');
is(server_name(), 'first.example', 'with the certificate of the server');
is(topic_error($kept, 't'), 0, 'a rule hostssl');
is(topic_error(dial($port), 't'), undef, 'which does not hold without TLS');
is(login_scram(dial_tls($port), 'carol', 'secret')->{error}, 0, 'SCRAM over TLS');
is(login_scram(dial_tls($port), 'carol', 'secret', head => 'y,,', binding => 'eSws')->{error}, 0,
	'with a client that could bind it to the channel');
is(login_plain(dial_tls($port), 'carol', 'secret')->{error}, 0, 'PLAIN over TLS');
is(login_plain(dial($port), 'carol', 'secret')->{error}, FAILED, 'a rule hostssl without TLS');
is(login_plain(dial($port), 'bob', 'secret')->{error}, 0, 'a rule hostnossl');
is(login_plain(dial_tls($port), 'bob', 'secret')->{error}, FAILED, 'which does not hold with TLS');

# an answer of many records of TLS, and a request
my $names = join '', map { KafkaClient::string("topic$_" . 'x' x 100) } 1 .. 4000;
my $many = dial_tls($port);
$many->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(4000) . $names);
my $answer = $many->read_frame;
is(unpack('N', $answer // ''), 1, 'a large request is answered');
cmp_ok(length $answer, '>', 400_000, 'with a large answer');
like($answer, qr/topic1x.*topic4000x{100}/s, 'which is whole');

# many requests at once
my $burst = dial_tls($port);
$burst->send_bytes(join '', map { KafkaClient::frame(KafkaClient::API_VERSIONS, 0, $_, '') } 1 .. 500);
is_deeply([ map { my $frame = $burst->read_frame; defined $frame ? unpack('N', $frame) : undef } 1 .. 500 ], [ 1 .. 500 ],
	'many requests are answered in their order');

# ---- clients that do not do as they should ------------------------------------------------------

my $silent = dial($port);
$silent->send_bytes("\x16");
my $half = dial($port);
$half->send_bytes("\x16\x03\x01\x02\x00\x01\x00");
ok(is_served(dial_tls($port)), 'a handshake that does not go on holds up nobody');
for my $bytes ("\x16\x03\x01\x00\x05hello", "\x16" . 'x' x 1000, "\x16\x03\x01\xff\xff" . 'y' x 70000)
{
	my $socket = dial($port);

	$socket->send_bytes($bytes);
	ok(is_over($socket), 'what is no handshake closes the connection');
}
my $gone = dial($port);
$gone->send_bytes("\x16\x03\x01");
setsockopt($gone->socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
$gone->close;
ok(is_served(dial_tls($port)), 'the listener is well');
ok(logged(qr/closing the Kafka connection of \S+: the TLS handshake has failed/, 0), 'the log tells of them');

# ---- certificates of clients ---------------------------------------------------------------------

rules('hostssl all alice 127.0.0.1/32 cert', 'hostssl all bob 127.0.0.1/32 scram-sha-256 clientcert=verify-full',
	'hostssl all carol 127.0.0.1/32 scram-sha-256 clientcert=verify-ca', 'host all guest 127.0.0.1/32 trust');

is(topic_error(dial_tls($port, certificate('alice')), 't'), 0, 'a certificate is who the client is');
my $offset = -s $node->logfile;
is(topic_error(dial_tls($port, certificate('bob')), 't'), undef, 'its role needs a password too');
ok(logged(qr/role "bob", database "postgres" in by no SASL, TLS/, $offset), 'the log says so');
is(topic_error(dial_tls($port), 't'), 0, 'who has none is anonymous');
is(login_scram(dial_tls($port, certificate('bob')), 'bob', 'secret')->{error}, 0, 'certificate and password');
is(login_scram(dial_tls($port, certificate('bob')), 'bob', 'wrong')->{error}, FAILED, 'certificate and a wrong password');
is(login_scram(dial_tls($port, certificate('alice')), 'bob', 'secret')->{error}, FAILED, 'the certificate of another one, and the password');
is(login_scram(dial_tls($port), 'bob', 'secret')->{error}, FAILED, 'no certificate, and the password');
is(login_scram(dial_tls($port, certificate('alice')), 'carol', 'secret')->{error}, 0, 'any certificate, and the password');
is(login_scram(dial_tls($port), 'carol', 'secret')->{error}, FAILED, 'not without one');
is(login_scram(dial_tls($port, certificate('alice')), 'alice', 'secret')->{error}, FAILED, 'method cert is not for passwords');
my $beside = dial_tls($port, certificate('alice'));
is(topic_error($beside, 't'), 0, 'one beside those that come now');
ok(!is_served(dial_tls($port, certificate('forged'))), 'a certificate of a strange authority ends the connection');
ok(!is_served(dial_tls($port, certificate('odd'))), 'so does one with a strange attribute');
is(topic_error($beside, 't'), 0, 'and none but that connection');
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server is well');

# ---- changes ---------------------------------------------------------------------------------------

set("ssl_cert_file = '$dir/second.crt'", "ssl_key_file = '$dir/second.key'");
ok(poll_until(sub { server_name() eq 'second.example' }), 'another certificate');
ok(is_served($kept), 'connections go on with the old one');
$offset = -s $node->logfile;
set("ssl_cert_file = '$dir/alice.crt'");
ok(logged(qr/could not load the server's certificate for clients of Kafka\n.*stays in use/, $offset), 'a certificate without its key is logged');
is(server_name(), 'second.example', 'and what was there stays');
set("ssl_cert_file = '$dir/second.crt'", "ssl_max_protocol_version = 'TLSv1.2'");
ok(poll_until(sub { !is_served(dial_tls($port, '-tls1_3')) }), 'the versions of the protocol that the server allows');
ok(is_served(dial_tls($port, '-tls1_2')), 'and no others');
set('ssl = off');
ok(poll_until(sub { !is_served(dial_tls($port)) }), 'TLS is off');
ok(is_served(dial($port)), 'and connections without it go on');
ok(is_served($kept), 'as do those with it');
set('ssl = on');
ok(poll_until(sub { is_served(dial_tls($port)) }), 'TLS is on again');

unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP/, 'no process has died');

done_testing();
