#!/usr/bin/env perl
# Quotas of Kafka's clients: the table and the APIs (src/broker/core/quota_table.c, src/broker/users/describe_quotas.c, alter_quotas.c),
# and what they do to clients (src/broker/core/quota.c, answer.c, src/kafka/kafka_throttle.c, src/listener/connection.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaFields;
use KafkaRecords;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server("pg_topics.kafka_anonymous_role = ''", 'max_worker_processes = 12');

sub double { return pack('d>', $_[0]) }

# The frame of a request of a client with this client.id.
sub frame_of
{
	my ($client_id, $key, $version, $body, $flexible) = @_;
	my $request = int16($key) . int16($version) . int32(1) . KafkaClient::string($client_id) . ($flexible ? "\0" : '') . $body;

	return int32(length $request) . $request;
}

# Produce so many bytes in all, with a client.id, and return the time that is told; the connection is "client".
sub produce
{
	my ($client, $bytes, %other) = @_;
	my $topic = $other{topic} // 'orders';
	my $version = 7;
	my $make = sub {
		my $batch = record_batch(record_of('x' x $_[0]), 1);
		return frame_of($other{client_id} // 'test', 0, $version, KafkaClient::string(undef) . int16($other{acks} // -1) . pack('l>2', 30000, 1)
			. KafkaClient::string($topic) . pack('l>3', 1, 0, length $batch) . $batch) };
	my $frame = $make->($bytes - (length($make->($bytes)) - 4 - $bytes));

	# numbers of variable length may add a byte
	$client->send_bytes($frame);
	return if defined $other{acks} && $other{acks} == 0;
	my $answer = $client->read_response // return 'closed';
	$answer->int32;
	$answer->string;
	$answer->take(8);
	my $error = $answer->int16;
	die "produced in vain: error $error" if $error;
	$answer->take(length($answer->{bytes}) - $answer->{at} - 4);
	return $answer->int32;
}

# Is the throttle time what these missing tokens take?  A bucket fills while the test runs.
sub is_throttled
{
	my ($told, $missing, $rate, $name) = @_;
	my $exact = 1000 * $missing / $rate;

	ok($told <= $exact + 5 && $told >= $exact - 10000 && $told > 0, $name) or diag("told $told, and it is $exact");
	return;
}

# ---- the APIs -----------------------------------------------------------------------

# An entity, as "user=app client-id=" with "" for the default: [type, name] pairs.
sub entity_of { return map { /(.*?)=(.*)/ ? [ $1, length $2 ? $2 : undef ] : die $_ } split / /, $_[0] }

# Alter: [entity, quota => value (undef: remove)...]; the errors.
sub alter
{
	my ($client, $entries, %other) = @_;
	my $version = $other{version} // 1;
	my $flexible = $version >= 1;
	my $body = count_of($flexible, scalar @$entries);

	foreach my $entry (@$entries)
	{
		my ($entity, @quotas) = @$entry;
		my @parts = ref $entity ? @$entity : entity_of($entity);

		$body .= count_of($flexible, scalar @parts) . join('', map { text($flexible, $_->[0]) . text($flexible, $_->[1]) . tags($flexible) } @parts);
		$body .= count_of($flexible, @quotas / 2);
		while (my ($key, $value) = splice @quotas, 0, 2)
		{
			$body .= text($flexible, $key) . double($value // 0) . int8(defined $value ? 0 : 1) . tags($flexible);
		}
		$body .= tags($flexible);
	}
	my $reader = $client->call(49, $version, $body . int8($other{dry} ? 1 : 0) . tags($flexible), $flexible) // return 'closed';
	my @errors;

	$reader->int32;
	foreach (1 .. read_count($reader, $flexible))
	{
		my $error = $reader->int16;
		my $message = read_text($reader, $flexible);

		die 'a message without an error, or the reverse' if !$error != !defined $message;
		foreach (1 .. read_count($reader, $flexible))
		{
			read_text($reader, $flexible) for 1 .. 2;
			$reader->tags if $flexible;
		}
		$reader->tags if $flexible;
		push @errors, $error;
	}
	$reader->tags if $flexible;
	die 'bytes behind a response' if $reader->left;
	return "@errors";
}

# Describe: components as [type, match type, match]; "entity: quotas" lines, sorted.
sub describe
{
	my ($client, $components, %other) = @_;
	my $version = $other{version} // 1;
	my $flexible = $version >= 1;
	my $body = count_of($flexible, scalar @$components)
	  . join('', map { text($flexible, $_->[0]) . int8($_->[1]) . text($flexible, $_->[2]) . tags($flexible) } @$components);
	my $reader = $client->call(48, $version, $body . int8($other{strict} ? 1 : 0) . tags($flexible), $flexible) // return 'closed';
	my @lines;

	$reader->int32;
	my $error = $reader->int16;
	my $message = read_text($reader, $flexible);
	my $count = read_count($reader, $flexible);
	return "error $error " . ($count < 0 && defined $message ? 'null' : 'what?') if $error;
	foreach (1 .. $count)
	{
		my @parts = map { my $type = read_text($reader, $flexible); my $name = read_text($reader, $flexible) // ''; $reader->tags if $flexible; "$type=$name" }
		  1 .. read_count($reader, $flexible);
		my @values = map { my $key = read_text($reader, $flexible); my $value = unpack('d>', $reader->take(8)); $reader->tags if $flexible; "$key=$value" }
		  1 .. read_count($reader, $flexible);

		$reader->tags if $flexible;
		push @lines, "@parts: @values";
	}
	$reader->tags if $flexible;
	die 'bytes behind a response' if $reader->left;
	return join(', ', sort @lines);
}

sql('CREATE EXTENSION pg_topics; CREATE ROLE god LOGIN SUPERUSER');
sql("CREATE ROLE $_ LOGIN") foreach qw(app u1 u2 u3 u4 steady reader boss);
sql(q{SELECT create_topic('orders', 1, 'bytea', 'bytea'); GRANT SELECT, INSERT ON orders TO PUBLIC; GRANT CREATE ON SCHEMA public TO boss});
ok(wait_for_listener(), 'the listener has started') or BAIL_OUT('no listener');
my $god = client_as('god');
my $app = client_as('app');
my $versions = $god->api_versions;
is_deeply([ @{$versions}{ 48, 49 } ], [ [ 0, 1 ], [ 0, 1 ] ], 'the versions that Kafka 4.4 serves');
is(describe($app, []), '', 'there are no quotas');
is(produce($app, 1000), 0, 'and nobody waits');

foreach my $version (0, 1)
{
	is(alter($god, [ [ 'user=app', producer_byte_rate => 1e9, request_percentage => 12.5 ], [ 'client-id=', consumer_byte_rate => 2000 ],
		[ 'user= client-id=c1', controller_mutation_rate => 0.5 ] ], version => $version), '0 0 0', "AlterClientQuotas $version");
	is(describe($app, [], version => $version),
		'client-id=: consumer_byte_rate=2000, user= client-id=c1: controller_mutation_rate=0.5, user=app: producer_byte_rate=1000000000 request_percentage=12.5',
		"DescribeClientQuotas $version");
	is(alter($god, [ [ 'user=app', request_percentage => undef, producer_byte_rate => 5e8 ], [ 'client-id=', consumer_byte_rate => undef ] ], version => $version),
		'0 0', 'one is changed, others are removed');
	is(sql(q{SELECT string_agg(coalesce(role_name, 'null') || '/' || coalesce(client_id, 'null') || ' ' || coalesce(producer_byte_rate::text, '-'), ', ' ORDER BY client_id)
		FROM topic_kafka_quotas}), '/c1 -, app/null 500000000', 'as rows of the table');
	is(alter($god, [ [ 'user=app', producer_byte_rate => undef ], [ 'user= client-id=c1', controller_mutation_rate => undef ], [ 'user=never', producer_byte_rate => undef ] ],
		version => $version), '0 0 0', 'all are removed');
	is(describe($app, [], version => $version), '', 'none is left');
}
is(alter($god, [ [ 'user=app', producer_byte_rate => 1 ] ], dry => 1), '0', 'validated only');
is(sql('SELECT count(*) FROM topic_kafka_quotas'), 0, 'nothing is stored');

my @refused = (
	[ [], 'no entity' ], [ [ [ 'user', '' ] ], 'an empty name' ], [ [ [ 'user', 'a' ], [ 'user', 'b' ] ], 'a type twice' ],
	[ [ [ 'ip', '1.2.3.4' ] ], 'an address' ], [ [ [ 'group', 'g' ] ], 'another type' ], [ [ [ '', 'g' ] ], 'an empty type' ], [ [ [ 'user', "a\0b" ] ], 'a zero byte' ]);
is(alter($god, [ [ $_->[0], producer_byte_rate => 1 ] ]), '42', $_->[1]) foreach @refused;
is(alter($god, [ [ 'user=app', @$_ ] ]), '42', "quota @$_") foreach [ producer_byte_rate => 0 ], [ producer_byte_rate => -1 ], [ producer_byte_rate => 1.5 ],
  [ consumer_byte_rate => 1e30 ], [ consumer_byte_rate => 'nan' ], [ request_percentage => 'inf' ], [ connection_creation_rate => 1 ], [ leader_rate => 1 ],
  [ '' => 1 ], [ request_percentage => 1, request_percentage => 2 ];
is(alter($god, [ [ [ [ 'user', "Gr\xc3\xbc\xc3\x9fe'\"" ] ], producer_byte_rate => 7 ], [ [ [ 'client-id', 'x' x 5000 ] ], producer_byte_rate => 7 ],
	[ [ [ 'user', "\xff" ] ], producer_byte_rate => 7 ] ]), '0 40 40' =~ s/ 40/ 0/r, 'names of all kinds');
like(describe($god, [ [ 'user', 0, "Gr\xc3\xbc\xc3\x9fe'\"" ] ]), qr/^user=Gr\xc3\xbc\xc3\x9fe'": producer_byte_rate=7$/, 'are described');
sql('TRUNCATE topic_kafka_quotas');
is(describe($god, []), '', 'TRUNCATE removes all');

# ---- filters ---------------------------------------------------------------------------

alter($god, [ map { [ $_, producer_byte_rate => 1e9 ] } 'user=a', 'user=', 'client-id=c', 'client-id=', 'user=a client-id=c', 'user=a client-id=', 'user= client-id=c' ]);
sub entities { return describe($god, @_) =~ s/: producer_byte_rate=1000000000//gr }
is(entities([ [ 'user', 0, 'a' ] ]), 'user=a client-id=, user=a client-id=c, user=a', 'a user');
is(entities([ [ 'user', 0, 'a' ] ], strict => 1), 'user=a', 'strictly');
is(entities([ [ 'user', 1, undef ] ]), 'user= client-id=c, user=', 'the default user');
is(entities([ [ 'user', 2, undef ] ], strict => 1), 'user=, user=a', 'any user');
is(entities([ [ 'user', 0, 'a' ], [ 'client-id', 2, undef ] ]), 'user=a client-id=, user=a client-id=c', 'with a client');
is(entities([ [ 'client-id', 0, 'c' ] ], strict => 1), 'client-id=c', 'a client');
is(entities([ [ 'client-id', 1, undef ] ]), 'client-id=, user=a client-id=', 'the default client');
my @all = split /, /, entities([]);
is(scalar(@all), 7, 'all');
is(entities([], strict => 1), '', 'none, strictly');
is(entities([ [ 'ip', 2, undef ] ]), '', 'addresses');
is(describe($god, $_->[0]), "error $_->[1] null", $_->[2]) foreach
  [ [ [ '', 0, 'a' ] ], 42, 'no type' ], [ [ [ 'group', 0, 'a' ] ], 35, 'another type' ], [ [ [ 'user', 0, 'a' ], [ 'user', 1, undef ] ], 42, 'a type twice' ],
  [ [ [ 'user', 0, undef ] ], 42, 'no name' ], [ [ [ 'user', 1, 'a' ] ], 42, 'a name with the default' ], [ [ [ 'user', 2, 'a' ] ], 42, 'or with any' ],
  [ [ [ 'user', 3, undef ] ], 42, 'an unknown match' ], [ [ [ 'ip', 2, undef ], [ 'user', 2, undef ] ], 42, 'addresses and users' ];
sql('DELETE FROM topic_kafka_quotas');

# ---- who may --------------------------------------------------------------------------------

is(alter($app, [ [ 'user=app', producer_byte_rate => 1e9 ] ]), '31', 'who has no privileges on the table changes nothing');
sql('GRANT INSERT, UPDATE, DELETE ON topic_kafka_quotas TO app');
is(alter($app, [ [ 'user=app', producer_byte_rate => 1e9 ] ]), '0', 'with them he does');
sql('REVOKE INSERT, UPDATE, DELETE ON topic_kafka_quotas FROM app; DELETE FROM topic_kafka_quotas');
like(($node->psql('postgres', $_))[2], qr/violates check constraint/, $_) foreach
  "INSERT INTO topic_kafka_quotas (role_name, producer_byte_rate) VALUES ('a', 0)",
  "INSERT INTO topic_kafka_quotas (role_name, consumer_byte_rate) VALUES ('a', 'NaN')",
  'INSERT INTO topic_kafka_quotas (producer_byte_rate) VALUES (1)';

# ---- producers -------------------------------------------------------------------------------------

is(alter($god, [ [ 'user=app', producer_byte_rate => 10000 ] ]), '0', 'a quota of 10 kB/s');
is(produce($app, 50000), 0, 'what comes in ten seconds may come at once');
is_throttled(produce($app, 100000), 50000, 10000, 'the rest has to wait');
sub state_of { return sql('SELECT state FROM pg_kafka_connections WHERE client_port = ' . $_[0]->socket->sockport) }
ok(poll_until(sub { state_of($app) eq 'throttled' }), 'the connection is not read');
my $requests = 'SELECT requests FROM pg_kafka_connections WHERE client_port = ' . $app->socket->sockport;
my $served = sql($requests);
$app->send_bytes(frame_of('test', 3, 1, int32(0)));
my $second = client_as('app');
is_throttled(produce($second, 1000), 51000, 10000, 'another connection of the role waits too');
is(produce(client_as('u1'), 200000), 0, 'another role does not');
is(sql($requests), $served, 'what it sends is left');
ok(!$app->is_readable, 'and not answered');
sql(q{UPDATE topic_kafka_quotas SET producer_byte_rate = 1000000000});
is(produce(client_as('app'), 1000), 0, 'a larger quota counts at once');
sql(q{BEGIN; UPDATE topic_kafka_quotas SET producer_byte_rate = 1; ROLLBACK});
is(produce(client_as('app'), 1000), 0, 'one that is rolled back does not');
sql(q{UPDATE topic_kafka_quotas SET producer_byte_rate = 1000});
my $silent = client_as('app');
produce($silent, 30000, acks => 0);
ok(poll_until(sub { state_of($silent) eq 'throttled' }), 'acks=0 is not told, and waits');
sql('BEGIN; LOCK TABLE topic_kafka_quotas; DELETE FROM topic_kafka_quotas; COMMIT');
is(produce(client_as('app'), 300000), 0, 'without a quota nobody waits');

# while somebody has the table, it cannot be read
my $locker = open_session($node);
my $unread = client_as('u1');
sql(q{INSERT INTO topic_kafka_quotas VALUES ('u1', NULL, 1000)});
$locker->run('BEGIN; LOCK TABLE topic_kafka_quotas');
is(produce($unread, 1000), 0, 'who sends while the table is locked is served');
$locker->run('COMMIT');
is_throttled(produce($unread, 30000), 20000, 1000, 'and has the quota as soon as the table can be read');
$locker->close;
sql('DELETE FROM topic_kafka_quotas');

# N bytes a second over some seconds: what is told is what the bytes take
sql(q{INSERT INTO topic_kafka_quotas VALUES ('steady', NULL, 20000)});
my $steady = client_as('steady');
is(produce($steady, 199000), 0, 'the beginning');
my $sum = 0;
foreach (1 .. 6)
{
	$sum += produce($steady, 10000);
}
ok($sum >= 1000 && $sum <= 3100, '60 kB more at 20 kB/s take some three seconds') or diag("told $sum ms");
sql('DELETE FROM topic_kafka_quotas');

# ---- which quota counts ---------------------------------------------------------------------------

sub told { my ($role, $client_id) = @_; return produce(client_as($role), 20000, client_id => $client_id) }
alter($god, [ [ 'user=u1 client-id=c1', producer_byte_rate => 100 ], [ 'user=u1 client-id=', producer_byte_rate => 200 ], [ 'user=u2', producer_byte_rate => 300 ],
	[ 'user= client-id=c2', producer_byte_rate => 400 ], [ 'user= client-id=', producer_byte_rate => 500 ], [ 'user=u1', producer_byte_rate => 50, consumer_byte_rate => 1000 ],
	[ 'user=', producer_byte_rate => 60 ], [ 'client-id=c1', producer_byte_rate => 70 ], [ 'client-id=', producer_byte_rate => 80 ] ]);
is_throttled(told('u1', 'c1'), 19000, 100, 'user and client');
is_throttled(told('u1', 'c2'), 18000, 200, 'user and any client');
is_throttled(told('u2', 'c2'), 17000, 300, 'user');
is_throttled(told('u3', 'c2'), 16000, 400, 'any user and client');
is_throttled(told('u3', 'c3'), 15000, 500, 'any user and any client');
is_throttled(told('u3', 'c3'), 35000, 500, 'which is each one\'s own');
is_throttled(told('u3', 'c4'), 15000, 500, 'and another\'s another');
sql('DELETE FROM topic_kafka_quotas');
alter($god, [ [ 'user=', producer_byte_rate => 600 ], [ 'client-id=c5', producer_byte_rate => 70 ] ]);
is_throttled(told('u3', 'c5'), 14000, 600, 'any user');
sql('DELETE FROM topic_kafka_quotas');
alter($god, [ [ 'client-id=c5', producer_byte_rate => 700 ], [ 'client-id=', producer_byte_rate => 800 ] ]);
is_throttled(told('u3', 'c5'), 13000, 700, 'client');
is_throttled(told('u4', 'c5'), 33000, 700, 'of all users together');
is_throttled(told('u4', 'c6'), 12000, 800, 'any client');
is_throttled(told('u4', 'x' x 3000), 12000, 800, 'of a long name');
sql('DELETE FROM topic_kafka_quotas');

# ---- consumers -----------------------------------------------------------------------------------------

sql(q{SELECT create_topic('fetched', 1, 'bytea', 'bytea'); GRANT SELECT, INSERT ON fetched TO PUBLIC});
my $writer = client_as('u4');
produce($writer, 80000, topic => 'fetched') for 1 .. 3;
alter($god, [ [ 'user=reader', consumer_byte_rate => 10000 ] ]);
# Fetch of version 4: the time told, and how many bytes of records
sub fetch
{
	my ($client, $offset) = @_;

	$client->send_bytes(fetch_frame('fetched', 0, $offset));
	my $reader = $client->read_response;
	my $told = $reader->int32;
	$reader->int32;
	$reader->string;
	$reader->take(4 + 4);
	my ($error, $end) = ($reader->int16, $reader->int64);
	die "fetched in vain: error $error" if $error;
	$reader->take(8 + 4);
	my $bytes = $reader->int32;
	die "nothing was fetched, told $told, and the log ends at $end" if $bytes <= 0;
	return ($told, $bytes);
}
my $reader = client_as('reader');
my ($told, $bytes) = fetch($reader, 0);
ok($told == 0 && $bytes > 70000 && $bytes < 90000, 'a response has no more than what comes in ten seconds') or diag("$told, $bytes");
($told, $bytes) = fetch($reader, 1);
is_throttled($told, 60000 - 2 * (80000 - $bytes), 10000, 'the next one has to wait');
is((fetch(client_as('u4'), 0))[0], 0, 'others do not');

# ---- partitions that are created and deleted ----------------------------------------------------------------

# [time told, errors]
sub create
{
	my ($client, $version, @topics) = @_;
	my $flexible = $version >= 5;
	my $body = count_of($flexible, scalar @topics)
	  . join('', map { text($flexible, $_->[0]) . int32($_->[1]) . int16(1) . count_of($flexible, 0) x 2 . tags($flexible) } @topics) . int32(30000) . int8(0) . tags($flexible);
	my $answer = $client->call(19, $version, $body, $flexible);
	my $told = $answer->int32;

	read_count($answer, $flexible);
	read_text($answer, $flexible);
	$answer->uuid if $version >= 7;
	return [ $told, $answer->int16 ];
}
sub add_partitions
{
	my ($client, $version, $name, $partitions) = @_;
	my $flexible = $version >= 2;
	my $body = count_of($flexible, 1) . text($flexible, $name) . int32($partitions) . count_of($flexible, -1) . tags($flexible);
	my $answer = $client->call(37, $version, $body . int32(30000) . int8(0) . tags($flexible), $flexible);
	my $told = $answer->int32;

	read_count($answer, $flexible);
	read_text($answer, $flexible);
	return [ $told, $answer->int16 ];
}
sub delete_topic
{
	my ($client, $version, $name) = @_;
	my $answer = $client->call(20, $version, int32(1) . KafkaClient::string($name) . int32(30000)) if $version < 4;

	$answer = $client->call(20, $version, "\2" . KafkaClient::compact_string($name) . int32(30000) . "\0", 1) if $version >= 4;
	my $told = $answer->int32;
	read_count($answer, $version >= 4);
	read_text($answer, $version >= 4);
	return [ $told, $answer->int16 ];
}
alter($god, [ [ 'user=boss', controller_mutation_rate => 1 ] ]);
my $made = create(client_as('boss'), 7, [ 'm1', 31 ]);
is($made->[1], 0, 'a topic is created');
is_throttled($made->[0], 20, 1, 'with more partitions than the quota has, and waits');
$made = create(client_as('boss'), 7, [ 'm2', 1 ]);
is($made->[1], 89, 'then the next one is refused');
is_throttled($made->[0], 20, 1, 'with the time until it will not be');
$made = create(client_as('boss'), 5, [ 'm2', 1 ]);
is($made->[1], 0, 'old versions are not refused');
is_throttled($made->[0], 21, 1, 'but have to wait');
$made = add_partitions(client_as('boss'), 3, 'm2', 2);
is($made->[1], 89, 'more partitions are refused as well');
$made = add_partitions(client_as('boss'), 1, 'm2', 2);
is($made->[1], 0, 'and not in an old version');
is_throttled($made->[0], 22, 1, 'only those that are new count');
$made = delete_topic(client_as('boss'), 5, 'm1');
is($made->[1], 89, 'a deletion is refused');
$made = delete_topic(client_as('boss'), 3, 'm1');
is($made->[1], 0, 'and not in an old version');
is_throttled($made->[0], 53, 1, 'it counts all partitions');
sql('DELETE FROM topic_kafka_quotas');

# ---- the process's time, and all responses ------------------------------------------------------------------------

alter($god, [ [ 'user=app', request_percentage => 0.000001 ] ]);
my $answer = client_as('app')->call(3, 3, int32(0));
$told = $answer->int32;
ok($told > 0 && $told <= 1000, 'who has used up its time waits for a second at most') or diag($told);

# the place of the time in responses: in bytes from the body's begin, or negative, from the end
my @requests = (
	[ 1, 4, pack('l>4', -1, 0, 1, 1000) . int8(0) . int32(0), 0, 0, 'Fetch' ],
	[ 2, 2, int32(-1) . int8(0) . int32(0), 0, 0, 'ListOffsets' ],
	[ 3, 9, KafkaClient::compact_count(0) . int8(0) x 3 . "\0", 1, 0, 'Metadata' ],
	[ 8, 3, KafkaClient::string('g') . int32(-1) . KafkaClient::string('') . KafkaClient::int64(-1) . int32(0), 0, 0, 'OffsetCommit' ],
	[ 9, 3, KafkaClient::string('g') . int32(-1), 0, 0, 'OffsetFetch' ],
	[ 10, 1, KafkaClient::string('g') . int8(0), 0, 0, 'FindCoordinator' ],
	[ 11, 2, KafkaClient::string('') . int32(10000) x 2 . KafkaClient::string('') . KafkaClient::string('consumer') . int32(0), 0, 0, 'JoinGroup' ],
	[ 12, 1, KafkaClient::string('g') . int32(1) . KafkaClient::string('m'), 0, 0, 'Heartbeat' ],
	[ 13, 1, KafkaClient::string('g') . KafkaClient::string('m'), 0, 0, 'LeaveGroup' ],
	[ 14, 1, KafkaClient::string('g') . int32(1) . KafkaClient::string('m') . int32(0), 0, 0, 'SyncGroup' ],
	[ 15, 1, int32(0), 0, 0, 'DescribeGroups' ],
	[ 16, 1, '', 0, 0, 'ListGroups' ],
	[ 18, 2, '', 0, -4, 'ApiVersions' ],
	[ 19, 7, KafkaClient::compact_count(0) . int32(30000) . int8(0) . "\0", 1, 0, 'CreateTopics' ],
	[ 20, 3, int32(0) . int32(30000), 0, 0, 'DeleteTopics' ],
	[ 21, 1, int32(0) . int32(1000), 0, 0, 'DeleteRecords' ],
	[ 22, 2, KafkaClient::compact_string(undef) . int32(1000) . "\0", 1, 0, 'InitProducerId' ],
	[ 23, 3, int32(-1) . int32(0), 0, 0, 'OffsetForLeaderEpoch' ],
	[ 24, 3, KafkaClient::compact_string('t') . KafkaClient::int64(1) . KafkaClient::int16(0) . KafkaClient::compact_count(0) . "\0", 1, 0, 'AddPartitionsToTxn' ],
	[ 25, 3, KafkaClient::compact_string('t') . KafkaClient::int64(1) . KafkaClient::int16(0) . KafkaClient::compact_string('g') . "\0", 1, 0, 'AddOffsetsToTxn' ],
	[ 26, 3, KafkaClient::compact_string('t') . KafkaClient::int64(1) . KafkaClient::int16(0) . int8(0) . "\0", 1, 0, 'EndTxn' ],
	[ 28, 3, KafkaClient::compact_string('t') . KafkaClient::compact_string('g') . KafkaClient::int64(1) . KafkaClient::int16(0) . int32(-1)
		. KafkaClient::compact_string('') . "\0" . KafkaClient::compact_count(0) . "\0", 1, 0, 'TxnOffsetCommit' ],
	[ 29, 1, int8(1) . KafkaClient::string(undef) . int8(1) . KafkaClient::string(undef) x 2 . int8(1) x 2, 0, 0, 'DescribeAcls' ],
	[ 30, 3, KafkaClient::compact_count(0) . "\0", 1, 0, 'CreateAcls' ],
	[ 31, 1, int32(0), 0, 0, 'DeleteAcls' ],
	[ 32, 1, int32(0) . int8(0), 0, 0, 'DescribeConfigs' ],
	[ 33, 1, int32(0) . int8(0), 0, 0, 'AlterConfigs' ],
	[ 34, 2, KafkaClient::compact_count(0) . "\0", 1, 0, 'AlterReplicaLogDirs' ],
	[ 35, 1, int32(0), 0, 0, 'DescribeLogDirs' ],
	[ 37, 1, int32(0) . int32(1000) . int8(0), 0, 0, 'CreatePartitions' ],
	[ 38, 1, int32(0) . KafkaClient::int64(1), 0, -4, 'CreateDelegationToken' ],
	[ 41, 1, int32(0), 0, -4, 'DescribeDelegationToken' ],
	[ 42, 0, int32(0), 0, 0, 'DeleteGroups' ],
	[ 43, 1, int8(0) . int32(-1) . int32(1000), 0, 0, 'ElectLeaders' ],
	[ 44, 0, int32(0) . int8(0), 0, 0, 'IncrementalAlterConfigs' ],
	[ 45, 0, int32(1000) . KafkaClient::compact_count(0) . "\0", 1, 0, 'AlterPartitionReassignments' ],
	[ 46, 0, int32(1000) . KafkaClient::compact_count(-1) . "\0", 1, 0, 'ListPartitionReassignments' ],
	[ 47, 0, KafkaClient::string('g') . int32(0), 0, 2, 'OffsetDelete' ],
	[ 48, 0, int32(0) . int8(0), 0, 0, 'DescribeClientQuotas' ],
	[ 49, 1, KafkaClient::compact_count(0) . int8(0) . "\0", 1, 0, 'AlterClientQuotas' ],
	[ 50, 0, KafkaClient::compact_count(0) . "\0", 1, 0, 'DescribeUserScramCredentials' ],
	[ 51, 0, KafkaClient::compact_count(0) x 2 . "\0", 1, 0, 'AlterUserScramCredentials' ],
	[ 57, 0, int32(1000) . KafkaClient::compact_count(0) . "\0", 1, 0, 'UpdateFeatures' ],
	[ 60, 0, int8(0) . "\0", 1, 0, 'DescribeCluster' ],
	[ 61, 0, KafkaClient::compact_count(0) . "\0", 1, 0, 'DescribeProducers' ],
	[ 64, 0, int32(7) . "\0", 1, 0, 'UnregisterBroker' ],
	[ 65, 0, KafkaClient::compact_count(0) . "\0", 1, 0, 'DescribeTransactions' ],
	[ 66, 0, KafkaClient::compact_count(0) x 2 . "\0", 1, 0, 'ListTransactions' ],
	[ 68, 0, KafkaClient::compact_string('g') . KafkaClient::compact_string('m') . int32(1) . "\0\0" . int32(-1) . "\0\0\0\0", 1, 0, 'ConsumerGroupHeartbeat' ],
	[ 69, 0, KafkaClient::compact_count(0) . int8(0) . "\0", 1, 0, 'ConsumerGroupDescribe' ],
	[ 74, 0, "\0", 1, 0, 'ListConfigResources' ],
	[ 75, 0, KafkaClient::compact_count(0) . int32(10) . KafkaClient::int8(-1) . "\0", 1, 0, 'DescribeTopicPartitions' ],
	[ 76, 1, KafkaClient::compact_string('g') . KafkaClient::compact_string('m') . int32(1) . "\0\0\0", 1, 0, 'ShareGroupHeartbeat' ],
	[ 77, 1, KafkaClient::compact_count(0) . int8(0) . "\0", 1, 0, 'ShareGroupDescribe' ],
	[ 78, 1, KafkaClient::compact_string('g') . KafkaClient::compact_string('m') . int32(5) . int32(0) x 5 . KafkaClient::compact_count(0) x 2 . "\0", 1, 0, 'ShareFetch' ],
	[ 79, 1, KafkaClient::compact_string('g') . KafkaClient::compact_string('m') . int32(5) . KafkaClient::compact_count(0) . "\0", 1, 0, 'ShareAcknowledge' ],
	[ 90, 0, KafkaClient::compact_count(0) . "\0", 1, 0, 'DescribeShareGroupOffsets' ],
	[ 91, 0, KafkaClient::compact_string('g') . KafkaClient::compact_count(0) . "\0", 1, 0, 'AlterShareGroupOffsets' ],
	[ 92, 0, KafkaClient::compact_string('g') . KafkaClient::compact_count(0) . "\0", 1, 0, 'DeleteShareGroupOffsets' ]);
foreach my $request (@requests)
{
	my ($key, $version, $body, $flexible, $place, $name) = @$request;
	my $response = client_as('app')->call($key, $version, $body, $flexible);
	my $size = length($response->{bytes});

	$told = unpack('l>', substr($response->{bytes}, $place < 0 ? $size + $place : $response->{at} + $place, 4));
	ok($told > 0 && $told <= 1000, "$name tells it") or diag("told $told");
}
my %tested = map { $_->[0] => 1 } @requests;
# Produce is above; SASL and WriteTxnMarkers have no such field, and tokens have two more APIs of the same kind
is(join(' ', sort { $a <=> $b } grep { !$tested{$_} } keys %{ $god->api_versions }), '0 17 27 36 39 40', 'these are all that have it');
sql('DELETE FROM topic_kafka_quotas');

# ---- many ----------------------------------------------------------------------------------------------------------

sql(q{INSERT INTO topic_kafka_quotas SELECT NULL, 'client ' || i, 1e9 FROM generate_series(1, 10005) i});
@all = split /, /, describe($god, []);
is(scalar(@all), 10000, 'so many quotas count');
ok($node->log_contains('no more than 10000 quotas of Kafka clients count'), 'which the log tells');
sql('TRUNCATE topic_kafka_quotas');
alter($god, [ [ 'client-id=', producer_byte_rate => 1e9, request_percentage => 1e6 ] ]);
my $names = client_as('u1');
foreach my $name (1 .. 3000)
{
	$names->send_bytes(frame_of("many $name", 3, 1, int32(0)));
	$names->read_frame // last;
}
is($names->metadata('orders')->{topics}{orders}{error}, 0, 'a client of many names');
my @many = split / /, alter(client_as('god'), [ ([ 'user=x', no_such_quota => 1 ]) x 20000 ]);
is(scalar(grep { $_ == 42 } @many), 20000, 'many entries');

unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP/, 'no process has died');
$node->stop;
done_testing();
