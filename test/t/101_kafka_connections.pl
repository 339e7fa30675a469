# Files under test: src/listener/connection.c, event_loop.c, output.c, src/broker/dispatch.c,
# src/broker/core/broker_wait.c, src/broker/connection_status.c.
# Connections of Kafka clients: requests cut anyhow and many at once, frames of enemies, clients
# that are slow, silent, gone or too many, and an error inside a request.  What they do ends
# their own connection, and nothing else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use IO::Socket::INET;
use KafkaClient;
use KafkaRecords;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(time usleep);
use TopicTest;

my $role = (getpwuid($<))[0];
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $node = new_node('main', settings => [
	"pg_topics.kafka_listeners = '127.0.0.1:$port/postgres'",
	"pg_topics.kafka_anonymous_role = '$role'",
	'pg_topics.kafka_max_connections = 3000' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_) }

# Change settings, and wait until the listener has them: it answers with the new host.
my $version = 0;
sub reload_with
{
	my (%settings) = @_;

	$version++;
	sql("ALTER SYSTEM SET $_ = '$settings{$_}'") foreach keys %settings;
	sql("ALTER SYSTEM SET pg_topics.kafka_rack = 'v$version'");
	sql('SELECT pg_reload_conf()');
	die "the settings do not arrive\n" if !poll_until(sub { rack() eq "v$version" });
	return;
}

my $watch;

sub rack
{
	$watch = undef if $watch && $watch->is_readable;
	$watch //= client();
	my $reader = $watch->call(KafkaClient::METADATA, 1, KafkaClient::int32(0));
	$reader->int32;
	$reader->int32;
	$reader->string;
	$reader->int32;
	return $reader->string // '';
}

sub client { return KafkaClient->new($port) // die "could not connect: $!\n" }

sub listener { return sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics kafka'}) }

sub connections { return sql('SELECT count(*) FROM pg_kafka_connections') }

sql('CREATE EXTENSION pg_topics');
sql(q{SELECT create_topic('events', partitions => 3)});
ok(poll_until(sub { KafkaClient->new($port) }), 'the listener has started');
my $pid = listener();

# ---- requests ----------------------------------------------------------------

my $client = client();
my $request = KafkaClient::frame(KafkaClient::METADATA, 1, 77, KafkaClient::int32(-1));

foreach my $byte (split //, $request)
{
	$client->send_bytes($byte);
}
is($client->read_response->{correlation_id}, 77, 'a request is served that comes byte by byte');

$client->send_bytes(join '', map { KafkaClient::frame(KafkaClient::METADATA, 1, $_, KafkaClient::int32(-1)) } 1 .. 2000);
is(join(' ', map { $client->read_response->{correlation_id} } 1 .. 2000), join(' ', 1 .. 2000),
	'two thousand requests at once are answered in their order');

my $large = KafkaClient::int32(1) . KafkaClient::string('x' x 30000);
$client->send_bytes(substr($request, 0, 3));
$client->send_bytes(substr($request, 3) . KafkaClient::frame(KafkaClient::METADATA, 1, 78, $large) . substr($request, 0, 7));
is(join(' ', map { $client->read_response->{correlation_id} } 1 .. 2), '77 78', 'frames may be cut anywhere');
$client->send_bytes(substr($request, 7));
is($client->read_response->{correlation_id}, 77, 'even in the size of the next one');

# as large as the limit, of a name too long for a topic
my $names = join('', map { KafkaClient::string('n' x 1000) } 1 .. 5000);
my $answer = $client->call(KafkaClient::METADATA, 1, KafkaClient::int32(5000) . $names);
is(scalar(keys %{ $answer->metadata->{topics} }), 1, 'a request of 5 MB is served');

$client->send_bytes($request . $request);
$client->shut;
is(join(' ', map { $client->read_response->{correlation_id} } 1 .. 2), '77 77', 'a client that sends no more gets its answers');
ok($client->is_closed, 'and is disconnected then');

# ---- enemies -----------------------------------------------------------------

my $head = KafkaClient::int16(KafkaClient::METADATA) . KafkaClient::int16(1) . KafkaClient::int32(5);
my %enemy = (
	'a negative size'              => KafkaClient::int32(-1),
	'a size of 2 GB'               => KafkaClient::int32(0x7fffffff),
	'a size over the limit'        => KafkaClient::int32(100 * 1024 * 1024 + 1),
	'an empty frame'               => KafkaClient::int32(0),
	'a frame of three bytes'       => KafkaClient::int32(3) . 'abc',
	'a frame that ends in its header' => KafkaClient::int32(8) . $head,
	'an unknown API'               => KafkaClient::frame(1000, 0, 1, ''),
	'a negative API'               => KafkaClient::frame(-5, 0, 1, ''),
	'an API that is not served'    => KafkaClient::frame(7, 0, 1, ''),
	'an unknown version'           => KafkaClient::frame(KafkaClient::METADATA, 99, 1, "\0", 1),
	'a negative version'           => KafkaClient::frame(KafkaClient::METADATA, -1, 1, ''),
	'an array of two billion'      => KafkaClient::frame(KafkaClient::METADATA, 1, 1, KafkaClient::int32(0x7fffffff)),
	'a string that is too long'    => KafkaClient::frame(KafkaClient::METADATA, 1, 1, KafkaClient::int32(1) . KafkaClient::int16(500) . 'abc'),
	'a TLS greeting'               => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'r' x 500,
	'HTTP'                         => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	'a startup packet of SQL'      => pack('NN', 8, 80877103) . 'x' x 100,
);
foreach my $what (sort keys %enemy)
{
	my $enemy = client();

	$enemy->send_bytes($enemy{$what});
	ok($enemy->is_closed, "$what: the connection is closed");
}
like(slurp_file($node->logfile), qr/closing the Kafka connection of 127.0.0.1:\d+: size of the frame is negative|closing the Kafka connection of 127.0.0.1:\d+: API key is unknown/,
	'the log tells of them');

# what came before the bad frame is served as if it had come alone, whether its answer is there already or is waited for
my $bad = $enemy{'an API that is not served'};
my %good = (
	'a request that is answered' => KafkaClient::frame(KafkaClient::METADATA, 1, 1, KafkaClient::int32(-1)),
	'one that waits' => produce_frame('events', 0, record_batch(record_of('x'), 1)));
foreach my $what (sort keys %good)
{
	foreach my $end ($bad, $enemy{'a negative size'}, $bad . $good{$what})
	{
		my $mixed = client();

		$mixed->send_bytes($good{$what} . $good{$what} . $end);
		is(scalar(grep { $mixed->read_response } 1 .. 2), 2, "$what gets its answer before the connection is closed for another one");
		ok($mixed->is_closed, 'which has none');
	}
}

# neither does what the client has sent behind it, and nobody has read, take the answer away from a client that is slow
my $patient = IO::Socket::INET->new(Proto => 'tcp') // die "no socket: $!\n";
setsockopt($patient, SOL_SOCKET, SO_RCVBUF, 20_000) or die "no small buffer: $!\n";
connect($patient, pack_sockaddr_in($port, inet_aton('127.0.0.1'))) or die "could not connect: $!\n";
$patient = KafkaClient->of_socket($patient);
my $numbered = KafkaClient::int32(4000) . join('', map { KafkaClient::string("no-such-topic-$_") } 1 .. 4000);
$patient->send_bytes(KafkaClient::frame(KafkaClient::METADATA, 1, 1, $numbered) . $bad . 'x' x 200_000);
ok(poll_until(sub { sql('SELECT count(*) FROM pg_kafka_connections WHERE client_port = ' . $patient->socket->sockport) == 0 }), 'the server closes a connection');
$answer = $patient->read_response;
is($answer && keys %{ $answer->metadata->{topics} }, 4000, 'whose client still gets its answer');

# but the server does not wait for clients that never close their side
sub sockets { return scalar grep { (readlink($_) // '') =~ /^socket/ } glob("/proc/$pid/fd/*") }
my $sockets = sockets();
my @staying = map { client() } 1 .. 50;
$_->send_bytes($good{'a request that is answered'} . $bad) foreach @staying;
is(scalar(grep { $_->read_response && $_->is_closed } @staying), 50, 'many clients are closed at once');
$_->send_bytes('x' x 100_000) foreach @staying;
ok(poll_until(sub { sockets() <= $sockets }), 'of which nothing is left, though they stay');

my $unknown = client();
$answer = $unknown->call(KafkaClient::API_VERSIONS, 99, '', 1);
is_deeply([ $answer->int16, $answer->int32, $answer->int16, $answer->int16, $answer->int16, $answer->left ],
	[ 35, 1, KafkaClient::API_VERSIONS, 0, 5, 0 ], 'ApiVersions of an unknown version tells which ones there are');
$answer = $unknown->call(KafkaClient::API_VERSIONS, 3, KafkaClient::compact_string('-bad-') . KafkaClient::compact_string('1') . "\0", 1);
is($answer->int16, 42, 'software with a name that is not allowed is told so');
$answer = $unknown->call(KafkaClient::API_VERSIONS, 3, KafkaClient::compact_string('perl') . KafkaClient::compact_string('5.x') . "\0", 1);
is($answer->int16, 0, 'and may try again');
is(sql(q{SELECT software_name || ' ' || software_version FROM pg_kafka_connections WHERE software_name = 'perl'}), 'perl 5.x',
	'the view tells what software a client is');

# noise, from a fixed seed
srand(4711);
foreach (1 .. 200)
{
	my $noise = client();

	$noise->send_bytes(KafkaClient::int32(int rand 200) . join('', map { chr int rand 256 } 1 .. 400));
	$noise->close;
}
is(listener(), $pid, 'it is the same process after all that');
ok(poll_until(sub { connections() <= 2 }), 'no connection is left over');

# ---- an error inside a request -----------------------------------------------

sql(q{SELECT create_topic('broken')});
sql(q{UPDATE pg_foreign_table SET ftoptions = '{partitions=abc}' WHERE ftrelid = 'broken'::regclass});
my $session = client();
my $other = client();
$other->metadata('events');
$session->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(1) . KafkaClient::string('broken'));
ok($session->is_closed, 'an error inside a request closes its connection');
like(slurp_file($node->logfile), qr/ERROR:  invalid value for option.*CONTEXT:  Kafka request Metadata, version 1, of client "test" at 127\.0\.0\.1:\d+/s, 'the log tells of it, and whose request it was');
is_deeply($other->metadata('events')->{topics}, { events => { error => 0, partitions => 3 } }, 'others are served on');
is(listener(), $pid, 'by the same process');
sql(q{UPDATE pg_foreign_table SET ftoptions = '{partitions=1}' WHERE ftrelid = 'broken'::regclass});
sql('DROP FOREIGN TABLE broken');

# ---- a lock that cannot be had -----------------------------------------------

sql(q{SELECT create_topic('locked')});
my $ddl = open_session($node, 'postgres');
$ddl->run('BEGIN; ALTER FOREIGN TABLE locked RENAME TO later');
is_deeply($other->metadata('locked', 'events')->{topics},
	{ locked => { error => 5, partitions => 0 }, events => { error => 0, partitions => 3 } },
	'a topic that a statement has locked is without a leader, and nobody waits');
$ddl->run('ROLLBACK');
is($other->metadata('locked')->{topics}{locked}{error}, 0, 'after the statement it has one again');
is(sql(q{SELECT xact_start IS NULL AND backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = } . $pid), 't',
	'no transaction is open while the process sleeps');

# ---- the view ----------------------------------------------------------------

$other->call(KafkaClient::METADATA, 1, KafkaClient::int32(0));
is(sql(qq{
	SELECT role::text, client_addr, listen_port = $port, client_id, state, last_api, waiting_requests, unsent_bytes,
		requests, bytes_in > 100, bytes_out > 100, active_at >= connected_at, pid = $pid
	FROM pg_kafka_connections WHERE client_port = } . $other->socket->sockport),
	"$role|127.0.0.1|t|test|idle|Metadata|0|0|5|t|t|t|t", 'the view describes a connection');
sql('CREATE ROLE stranger');
is(sql('SET ROLE stranger; SELECT count(*) FROM pg_kafka_connections'), 0, 'it is not shown to other roles');
sql('GRANT pg_monitor TO stranger');
isnt(sql('SET ROLE stranger; SELECT count(*) FROM pg_kafka_connections'), 0, 'but to those that watch the server');

# ---- clients that do not read ------------------------------------------------

# The memory of the process, in kB.
sub memory { return (slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m)[0] }

my $wide = KafkaClient::int32(400) . join('', map { KafkaClient::string("no-such-topic-$_") } 1 .. 400);
my $many = join('', map { KafkaClient::frame(KafkaClient::METADATA, 1, $_, $wide) } 1 .. 10000);
my $deaf = client();
my $before = memory();
# as long as the server takes something, wait for it to take more
my $sent = 0;
my $quiet_since = time;
while ($sent < length $many && time < $quiet_since + 2)
{
	my $count = $deaf->send_some(substr($many, $sent, 1_000_000));

	$sent += $count;
	$quiet_since = time if $count > 0;
	usleep(1000) if $count == 0;
}
cmp_ok($sent, '<', length $many, 'a client that does not read its answers cannot send on');
is_bounded(memory() - $before, 30_000, 'its answers do not take much memory');
is(sql('SELECT state FROM pg_kafka_connections WHERE client_port = ' . $deaf->socket->sockport), 'sending', 'the view tells of it');
is($other->metadata('events')->{topics}{events}{error}, 0, 'others are served meanwhile');
is(join(' ', map { $deaf->read_response->{correlation_id} } 1 .. 1000), join(' ', 1 .. 1000), 'when it reads, the answers are in order');
$deaf->close;

# ---- time limits -------------------------------------------------------------

reload_with('pg_topics.kafka_client_timeout' => '300ms');
my $slow = client();
$slow->send_bytes(substr($request, 0, 10));
ok($slow->is_closed, 'a client that leaves a request half sent is disconnected');
$deaf = client();
$deaf->send_some($many);
ok(poll_until(sub { sql('SELECT count(*) FROM pg_kafka_connections WHERE client_port = ' . $deaf->socket->sockport) == 0 }),
	'so is one that does not take its answers');
my $silent = client();
$silent->metadata('events');
reload_with('pg_topics.kafka_client_timeout' => '1min', 'pg_topics.kafka_connections_max_idle_ms' => '300');
$silent = client();
$silent->metadata('events');
ok($silent->is_closed, 'a client that is silent for too long is disconnected');
reload_with('pg_topics.kafka_connections_max_idle_ms' => '600000');

# ---- without authentication --------------------------------------------------

$other = client();
$other->metadata('events');
sql(q{ALTER SYSTEM SET pg_topics.kafka_anonymous_role = ''});
reload_with();
my $nobody = client();
ok($nobody->api_versions, 'a client that is nobody may ask for versions');
is(sql('SELECT state FROM pg_kafka_connections WHERE client_port = ' . $nobody->socket->sockport), 'unauthenticated', 'the view tells of it');
$nobody->send_request(KafkaClient::METADATA, 1, KafkaClient::int32(-1));
ok($nobody->is_closed, 'but not for topics');
$nobody = client();
$nobody->send_bytes(KafkaClient::int32(1024 * 1024 + 1));
ok($nobody->is_closed, 'its requests must not be large');
reload_with('authentication_timeout' => '1s');
$nobody = client();
ok($nobody->is_closed, 'and it has authentication_timeout to become somebody');
is($other->metadata('events')->{topics}{events}{error}, 0, 'who was let in before stays');
sql('ALTER SYSTEM RESET pg_topics.kafka_anonymous_role');
# connecting takes many clients longer where the machine is busy
reload_with('authentication_timeout' => '60s');

# ---- memory over all connections ---------------------------------------------

reload_with('pg_topics.kafka_queued_max_request_bytes' => '1MB');
# each has a frame of 900 kB under way: the first ones take all memory
my @greedy = map { client() } 1 .. 10;
my $frame = KafkaClient::frame(KafkaClient::METADATA, 1, 9, KafkaClient::int32(900) . KafkaClient::string('n' x 1000) x 900);
$_->send_some(substr($frame, 0, 100)) foreach @greedy;
my $half = int(length($frame) / 2);
$greedy[$_]->send_bytes(substr($frame, 100, $half)) foreach 0 .. 1;
$greedy[$_]->send_bytes(substr($frame, 100 + $half)) foreach 0 .. 1;
is(join(' ', map { $greedy[$_]->read_response->{correlation_id} } 0 .. 1), '9 9', 'frames that have begun come to their end');
foreach my $number (2 .. 9)
{
	$greedy[$number]->send_bytes(substr($frame, 100));
	is($greedy[$number]->read_response->{correlation_id}, 9, 'those that had to wait come after them');
}
$_->close foreach @greedy;
reload_with('pg_topics.kafka_queued_max_request_bytes' => '256MB');

# ---- many clients ------------------------------------------------------------

# Clients in processes of their own, as a process may not have so many sockets.
sub crowd
{
	my ($count) = @_;
	my @children;

	for (my $left = $count; $left > 0; $left -= 500)
	{
		pipe(my $from, my $to) or die "pipe: $!";
		my $child = fork // die "fork: $!";
		if ($child == 0)
		{
			my @clients = map { KafkaClient->new($port) } 1 .. ($left < 500 ? $left : 500);
			my $served = grep { $_ && eval { $_->metadata('events')->{topics}{events}{partitions} == 3 } } @clients;
			syswrite($to, "$served\n");
			sleep 1000;
			POSIX::_exit(0);
		}
		close $to;
		push @children, { pid => $child, from => $from };
	}
	return @children;
}

my @children = crowd(2500);
my $served = 0;
$served += readline $_->{from} foreach @children;
is($served, 2500, 'two thousand and five hundred clients are served at once');
cmp_ok(connections(), '>=', 2500, 'the view has them');
is_bounded(memory() / 2500, 20, 'each of them takes little memory');

# what they cost while they are silent
sub ticks { my @fields = split ' ', slurp_file("/proc/$pid/stat") =~ s/.*\) //r; return $fields[11] + $fields[12] }
my ($ticks, $since) = (ticks(), time);
usleep(2_000_000);
cmp_ok((ticks() - $ticks) / 100 / (time - $since), '<', 0.02, 'two thousand and five hundred silent clients cost nearly nothing');

my @more = crowd(600);
my $further = 0;
$further += readline $_->{from} foreach @more;
cmp_ok($further, '<=', 500, 'kafka_max_connections limits them');
cmp_ok($further, '>=', 480, 'and no earlier');
like(slurp_file($node->logfile), qr/refusing a Kafka connection: there are 3000 already/, 'the log tells of those that are refused');
kill 'KILL', map { $_->{pid} } @children, @more;
waitpid $_->{pid}, 0 foreach @children, @more;
ok(poll_until(sub { connections() <= 3 }), 'clients that are killed leave nothing behind');

# ---- connections of one address ------------------------------------------------

# Whether a connection from an address of this machine is served.
sub is_served
{
	my ($address) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, LocalAddr => $address) or die "no socket: $!";

	# length, ApiVersions, version 0, correlation id, client id
	syswrite $socket, pack('N n n N n', 10, 18, 0, 7, 0xffff);
	return unless sysread $socket, my $answer, 8;
	return $socket;
}

my $of_this = sql(q{SELECT count(*) FROM pg_kafka_connections WHERE client_addr = '127.0.0.1'});

reload_with('pg_topics.kafka_max_connections_per_ip' => $of_this + 2);
my @served = grep { $_ } map { is_served('127.0.0.1') } 1 .. 5;
is(scalar @served, 2, 'one address may have so many connections');
ok(is_served('127.0.0.2'), 'that leaves others alone');
like(slurp_file($node->logfile), qr/refusing a Kafka connection of 127\.0\.0\.1:\d+: its address has @{[ $of_this + 2 ]} already/, 'the log tells whose');
pop @served;
ok(poll_until(sub { push @served, grep { $_ } is_served('127.0.0.1'); @served == 2 }), 'one that is closed makes room for another');
reload_with('pg_topics.kafka_max_connections_per_ip' => '0');
ok(is_served('127.0.0.1'), 'without a limit there is none');
is(listener(), $pid, 'all that was one process');
is($other->metadata('events')->{topics}{events}{error}, 0, 'and it still serves');

$node->stop;
done_testing();
