# Files under test: src/broker/topics/metadata.c, describe_cluster.c, describe_topics.c, src/broker/core/topic_names.c,
# cluster.c, topic_lookup.c.
# What Kafka's clients learn of topics: names and ids, whom they are shown to, and what becomes of
# them when topics come and go.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my ($node, $port) = start_kafka_server("pg_topics.kafka_search_path = 'public, second'");

sql('CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE SCHEMA second; CREATE SCHEMA third');
sql(q{SELECT create_topic('events', partitions => 3), create_topic('second.deep', partitions => 2),
	create_topic('third.far'), create_topic('third.events', partitions => 4), create_topic('"orders.created"'),
	create_topic('hidden'), create_topic('second.events'), create_topic('"no good"')});
sql('GRANT SELECT ON events, second.deep, third.far, third.events, second.events, "no good" TO app; GRANT INSERT ON "orders.created" TO app');
sql('GRANT USAGE ON SCHEMA second, third TO app');
my $client;
ok(poll_until(sub { $client = KafkaClient->new($port) }), 'the listener has started') or BAIL_OUT('no listener');

sub topics
{
	my $topics = $client->metadata(@_)->{topics};

	return join(' ', map { "$_:$topics->{$_}{error}:$topics->{$_}{partitions}" } sort keys %$topics);
}

# ---- names -------------------------------------------------------------------

is(topics(), 'deep:0:2 events:0:3 orders.created:0:1 second.events:0:1 third.events:0:4 third.far:0:1',
	'all topics that the role has a privilege on, each by the name that leads to it');
is(topics('events', 'deep', 'second.deep', 'third.events'), 'deep:0:2 events:0:3 third.events:0:4',
	'topics by name, with a schema and without, each once');
is(topics('far', 'nothing', 'third.nothing', 'nowhere.far'), 'far:3:0 nothing:3:0 nowhere.far:3:0 third.nothing:3:0',
	'topics that are not there are unknown');
is(topics('hidden'), 'hidden:29:0', 'a topic without any privilege is refused');
is(topics('no good', '', '..', 'x' x 250), ':17:0 ..:17:0 no good:17:0 ' . 'x' x 250 . ':17:0',
	'names that Kafka does not allow are no names');
is(topics('y' x 249), 'y' x 249 . ':3:0', 'a long name is only unknown');
is(topics("pg_class"), 'pg_class:3:0', 'a table is no topic');

sql('GRANT SELECT ON hidden TO app');
is(topics('hidden'), 'hidden:0:1', 'a privilege counts at once');
sql('REVOKE SELECT ON hidden FROM app');
is(topics('hidden'), 'hidden:29:0', 'and so does its loss');
sql(q{DROP FOREIGN TABLE hidden; ALTER FOREIGN TABLE second.deep RENAME TO deeper; SELECT create_topic('late', partitions => 5); GRANT SELECT ON late TO app});
is(topics('hidden', 'deep', 'deeper', 'late'), 'deep:3:0 deeper:0:2 hidden:3:0 late:0:5',
	'topics that are dropped, renamed or created are seen at once');
sql(q{ALTER FOREIGN TABLE late OPTIONS (SET partitions '6')});
is(topics('late'), 'late:0:6', 'and so are partitions that are added');

# nothing is created by being asked for
is(topics('automatic'), 'automatic:3:0', 'a topic is not created by being asked for');
is(sql(q{SELECT count(*) FROM pg_topics WHERE topic::text = 'automatic'}), 0, 'nor behind the back');

# ---- versions ----------------------------------------------------------------

# The body of a request and how to read the response, of the versions from one on.
sub metadata_body
{
	my ($version, $topics, $operations, $cluster) = @_;
	my $flexible = $version >= 9;
	my $body;

	if (!defined $topics)
	{
		$body = $version == 0 ? KafkaClient::int32(0) : $flexible ? "\0" : KafkaClient::int32(-1);
	}
	else
	{
		$body = $flexible ? KafkaClient::compact_count(scalar @$topics) : KafkaClient::int32(scalar @$topics);
		foreach my $topic (@$topics)
		{
			my ($id, $name) = ref $topic eq 'ARRAY' ? @$topic : ref $topic ? ($$topic, undef) : ('0', $topic);
			$body .= pack('H32', $id) if $version >= 10;
			$body .= $flexible ? KafkaClient::compact_string($name) . "\0" : KafkaClient::string($name);
		}
	}
	$body .= "\1" if $version >= 4;
	$body .= $cluster ? "\1" : "\0" if $version >= 8 && $version <= 10;
	$body .= $operations ? "\1" : "\0" if $version >= 8;
	$body .= "\0" if $flexible;
	return $body;
}

# The answer, as {cluster, topics => {name => ...}}; names that are null are "-".
sub metadata
{
	my ($version, $topics, $operations, $cluster) = @_;
	my $flexible = $version >= 9;
	my $r = $client->call(KafkaClient::METADATA, $version, metadata_body($version, $topics, $operations, $cluster), $flexible)
	  // return undef;
	my $count = sub { $flexible ? $r->compact_count : $r->int32 };
	my $string = sub { $flexible ? $r->compact_string : $r->string };
	my $end = sub { $r->tags if $flexible };
	my %answer;

	$r->int32 if $version >= 3;
	foreach (1 .. $count->())
	{
		$answer{broker} = join(':', $r->int32, $string->(), $r->int32);
		$string->() if $version >= 1;
		$end->();
	}
	$answer{cluster} = $string->() if $version >= 2;
	$r->int32 if $version >= 1;
	foreach (1 .. $count->())
	{
		my %topic = (error => $r->int16);
		my $name = $string->() // '-';
		$topic{id} = $r->uuid if $version >= 10;
		$r->int8 if $version >= 1;
		foreach (1 .. $count->())
		{
			my ($error, $index, $leader) = ($r->int16, $r->int32, $r->int32);
			my $epoch = $version >= 7 ? $r->int32 : 'none';
			my @lists = map { [ map { $r->int32 } 1 .. $count->() ] } 1 .. ($version >= 5 ? 3 : 2);
			push @{ $topic{partitions} }, "$error/$index/$leader/$epoch/" . join('/', map { join(',', @$_) } @lists);
			$end->();
		}
		$topic{operations} = $r->int32 if $version >= 8;
		$end->();
		$answer{topics}{$name} = \%topic;
	}
	$answer{operations} = $r->int32 if $version >= 8 && $version <= 10;
	$answer{error} = $r->int16 if $version >= 13;
	$end->();
	die "bytes are left over\n" if $r->left;
	return \%answer;
}

foreach my $version (0 .. 13)
{
	my $answer = metadata($version, ['events']);
	my $epoch = $version >= 7 ? 1 : 'none';
	my $end = $version >= 5 ? '1/1/' : '1/1';

	is_deeply($answer->{topics}{events}{partitions}, [ map { "0/$_/1/$epoch/$end" } 0 .. 2 ], "version $version: partitions");
	is(join(' ', sort keys %{ metadata($version, undef)->{topics} }),
		'deeper events late orders.created second.events third.events third.far', "version $version: all topics");
	is_deeply(metadata($version, [])->{topics}, undef, "version $version: no topic") if $version >= 1;
}
is(metadata(13, undef)->{error}, 0, 'version 13 has an error for all');
like(metadata(2, [])->{cluster}, qr/^[A-Za-z0-9_-]{22}$/, 'the cluster has an id');

# ---- ids ---------------------------------------------------------------------

my $id = metadata(12, ['events'])->{topics}{events}{id};
is(substr($id, 24), sprintf('%08x', sql(q{SELECT 'events'::regclass::oid})), 'a topic has an id');
is(metadata(12, [ \$id ])->{topics}{events}{error}, 0, 'by which it is found');
is(join(' ', %{ metadata(12, [ [ $id, '' ] ])->{topics}{events} }{qw(error id)}), "error 0 id $id", 'also with an empty name beside it');
is(metadata(12, [ [ $id, 'late' ] ])->{topics}{events}{error}, 0, 'or with any other name');
is_deeply(metadata(12, [ \substr($id, 0, 24) . '00000001' ]) && metadata(12, [ \'0123456789abcdef0123456789abcdef' ])->{topics}{'-'}{error}, 100,
	'an id of no topic is unknown');
my $far = metadata(12, ['third.far'])->{topics}{'third.far'}{id};
sql('REVOKE ALL ON third.far FROM app');
is(metadata(12, [ \$far ])->{topics}{'-'}{error}, 100, 'and so is that of a topic without a privilege');
is(metadata(12, [ [ $far, 'third.far' ] ])->{topics}{'-'}{error}, 100, 'whose name is not told either');
is(metadata(11, [ \$id ])->{topics}{''}{error}, 42, 'older versions do not take ids');
sql('DROP FOREIGN TABLE events');
sql(q{SELECT create_topic('events'); GRANT SELECT, INSERT ON events TO app});
isnt(metadata(12, ['events'])->{topics}{events}{id}, $id, 'a topic that is created again has another id');
is(metadata(12, [ \$id ])->{topics}{'-'}{error}, 100, 'and its old one is unknown');

# ---- rights, as operations ---------------------------------------------------

is(metadata(12, ['events'], 0)->{topics}{events}{operations}, -2147483648, 'operations are not told unasked');
is(metadata(12, ['events'], 1)->{topics}{events}{operations}, 1 << 3 | 1 << 4 | 1 << 8 | 1 << 10, 'reading and writing');
is(metadata(12, ['orders.created'], 1)->{topics}{'orders.created'}{operations}, 1 << 4 | 1 << 8 | 1 << 10, 'writing alone');
sql('ALTER FOREIGN TABLE events OWNER TO app');
is(metadata(12, ['events'], 1)->{topics}{events}{operations},
	1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11, 'what an owner may do');

# ---- DescribeCluster ---------------------------------------------------------

sub describe_cluster
{
	my ($version, $body) = @_;
	my $r = $client->call(KafkaClient::DESCRIBE_CLUSTER, $version, $body . "\0", 1);
	my %answer;

	$r->int32;
	@answer{qw(error message)} = ($r->int16, $r->compact_string);
	$answer{type} = $r->int8 if $version >= 1;
	@answer{qw(cluster controller)} = ($r->compact_string, $r->int32);
	foreach (1 .. $r->compact_count)
	{
		push @{ $answer{brokers} }, join(':', $r->int32, $r->compact_string, $r->int32, $r->compact_string // '-');
		$r->int8 if $version >= 2;
		$r->tags;
	}
	$answer{operations} = $r->int32;
	return \%answer;
}
is_deeply(describe_cluster(0, "\0")->{brokers}, ["1:127.0.0.1:$port:-"], 'DescribeCluster has the one broker');
is(describe_cluster(0, "\0")->{cluster}, metadata(2, [])->{cluster}, 'and the same id of the cluster');
is(describe_cluster(2, "\0\1\0")->{error}, 0, 'in its last version, too');
is(describe_cluster(1, "\0\2")->{error}, 114, 'there are no controllers to ask for');

# What the role may do with the cluster, as a set of bits.
sub cluster_operations
{
	my @operations = (describe_cluster(0, "\1")->{operations}, describe_cluster(2, "\1\1\0")->{operations},
		map { metadata($_, [], 0, 1)->{operations} } 8 .. 10);

	return join(' ', sort { $a <=> $b } keys %{ { map { $_ => 1 } @operations } });
}
is(join(' ', describe_cluster(0, "\0")->{operations}, metadata(9, [], 1, 0)->{operations}), '-2147483648 -2147483648',
	'what may be done with the cluster is not told unasked');
my $everybody = 1 << 8 | 1 << 10 | 1 << 12;
is(cluster_operations(), $everybody, 'everybody sees the cluster and its configuration, and producers may number records');
sql('GRANT CREATE ON SCHEMA public TO app');
is(cluster_operations(), $everybody | 1 << 5, 'who may create topics is told so');
sql('GRANT INSERT, UPDATE ON topic_kafka_quotas TO app');
is(cluster_operations(), $everybody | 1 << 5, 'a part of what altering quotas takes is not enough');
sql('GRANT DELETE ON topic_kafka_quotas TO app');
is(cluster_operations(), $everybody | 1 << 5 | 1 << 11, 'who may alter quotas is told so');
sql('REVOKE CREATE ON SCHEMA public FROM app; REVOKE INSERT, UPDATE, DELETE ON topic_kafka_quotas FROM app');
is(cluster_operations(), $everybody, 'until that is taken back');
sql('ALTER ROLE app SUPERUSER');
is(cluster_operations(), $everybody | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 11, 'superusers may do everything');
sql('ALTER ROLE app NOSUPERUSER');
is(cluster_operations(), $everybody, 'as long as they are that');

# ---- DescribeTopicPartitions -------------------------------------------------

# A page of topics: ("name:error:first-last ...", cursor).
sub describe_topics
{
	my ($limit, $cursor, @names) = @_;
	my $body = KafkaClient::compact_count(scalar @names) . join('', map { KafkaClient::compact_string($_) . "\0" } @names) .
	  KafkaClient::int32($limit) .
	  ($cursor ? KafkaClient::int8(1) . KafkaClient::compact_string($cursor->[0]) . KafkaClient::int32($cursor->[1]) . "\0" : KafkaClient::int8(-1)) . "\0";
	my $r = $client->call(KafkaClient::DESCRIBE_TOPIC_PARTITIONS, 0, $body, 1);
	my @topics;

	$r->int32;
	foreach (1 .. $r->compact_count)
	{
		my ($error, $name) = ($r->int16, $r->compact_string);
		$r->uuid;
		$r->int8;
		my @partitions;
		foreach (1 .. $r->compact_count)
		{
			$r->int16;
			push @partitions, $r->int32;
			$r->take(8);
			foreach (1 .. 5)
			{
				my $count = $r->compact_count;
				$r->take(4 * $count) if $count > 0;
			}
			$r->tags;
		}
		$r->int32;
		$r->tags;
		push @topics, "$name:$error:" . join(',', @partitions);
	}
	my $next = $r->int8 < 0 ? undef : [ $r->compact_string, $r->int32 ];
	return ("@topics", $next);
}
is_deeply([ describe_topics(2000, undef, 'late', 'nothing', 'deeper', 'late') ],
	[ 'deeper:0:0,1 late:0:0,1,2,3,4,5 nothing:3:', undef ], 'topics in the order of their names, each once');
my ($page, $next) = describe_topics(4, undef, 'late', 'deeper');
is("$page -> @$next", 'deeper:0:0,1 late:0:0,1 -> late 2', 'no more partitions than wanted');
($page, $next) = describe_topics(4, $next, 'late', 'deeper');
is($page, 'late:0:2,3,4,5', 'the rest from there on');
is($next, undef, 'that is all');
($page, $next) = describe_topics(2, undef);
is("$page -> @$next", 'deeper:0:0,1 -> events 0', 'the same for all topics');
($page, $next) = describe_topics(2000, $next);
is($page, 'events:0:0 late:0:0,1,2,3,4,5 orders.created:0:0 second.events:0:0 third.events:0:0,1,2,3', 'from the next one on');

$node->stop;
done_testing();
