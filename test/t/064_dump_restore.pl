# pg_dump, psql and pg_restore bring back everything that can be in a topic: topics made at
# random, whose options were changed after they were filled, are dumped with their records and
# restored, serially and by several processes at once, and read back equal.
#
# Files under test: src/produce/producer.c (restored records), src/query/topic_modify.c,
# src/ddl/topic_ddl.c.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // int(rand(2**31));
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main');
$node->start;
my $backup = $node->backup_dir;
mkdir $backup;

sub sql
{
	my ($database, $query) = @_;
	return $node->safe_psql($database, $query);
}

sub any { return $_[ rand @_ ]; }

$node->safe_psql('postgres', 'CREATE DATABASE origin');
sql('origin', 'CREATE EXTENSION pg_topics');

# Everything about a topic's records that a query can tell.
my $contents = q{SELECT partition, record_offset, record_timestamp, md5(key),
	md5(value::text), headers FROM %s ORDER BY partition, record_offset};

# Produce to a topic in some transactions, some of which are rolled back.
sub fill
{
	my ($topic, $value) = @_;
	foreach (1 .. 2 + int(rand(4)))
	{
		my $rows = any(1, 5, 200);
		my $key = any("'k' || i % 7", "'k' || i % 7", "'ä'");
		my $headers = any('NULL::jsonb', q{'{"h": "v", "n": null}'::jsonb}, q{'{"h": ["1", "2"]}'::jsonb});
		my $time = any('NULL::timestamptz', "timestamptz '2021-02-03 04:05:06.789+00' + i * interval '1 s'");
		my $end = any('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK');
		sql('origin', "BEGIN; INSERT INTO $topic (key, value, headers, record_timestamp)
			SELECT $key, $value, $headers, $time FROM generate_series(1, $rows) i; $end");
	}
	return;
}

my @topics;
foreach my $n (1 .. 8)
{
	my $topic = "t$n";
	my %config = (
		'message.timestamp.type' => any('CreateTime', 'LogAppendTime'),
		'compression.type' => any(qw(none producer lz4 zstd gzip)),
		'retention.ms' => -1,
		'segment.bytes' => any(1024, 100_000, 1_073_741_824),
	);
	my $config = join(', ', map { qq{"$_": "$config{$_}"} } sort keys %config);
	my $partitions = any(1, 2, 3);
	my ($type, $value) = @{ any(
			[ 'text', "repeat('x', i * 20)" ],
			[ 'text', "NULLIF(repeat('y', i % 3), '')" ],
			[ 'jsonb', "jsonb_build_object('i', i, 'text', 'a\nb')" ],
			[ 'bytea', "decode(repeat('00ff', i), 'hex')" ],
			[ 'timestamptz', "timestamptz '2024-05-06 07:08:09+00' + i * interval '1 day'" ]) };
	sql('origin', "SELECT create_topic('$topic', $partitions, value_type => '$type', config => '{$config}')");
	fill($topic, $value);
	push @topics, $topic;
}

# Options that none of the records from before would be accepted with.
sql('origin', q{SELECT create_topic('strict', 2)});
sql('origin', q{INSERT INTO strict (key, value, record_timestamp)
	SELECT CASE WHEN i % 2 = 0 THEN 'k' || i END, repeat(md5(i::text), 100), now() - i * interval '1 day' FROM generate_series(1, 50) i});
sql('origin', q{SELECT alter_topic('strict', '{"cleanup.policy": "compact", "min.cleanable.dirty.ratio": 1,
	"min.compaction.lag.ms": 9000000000000, "max.message.bytes": 200, "message.timestamp.before.max.ms": 1000}')});
sql('origin', q{SELECT create_topic('packed', config => '{"compression.type": "zstd"}')});
sql('origin', q{INSERT INTO packed (key, value) SELECT i, repeat('z', 100000) FROM generate_series(1, 5) i});
sql('origin', q{SELECT alter_topic('packed', '{"compression.type": "none", "max.message.bytes": 200}')});

# A record set aside with headers that make it larger than the topic allows; erased and deleted ones.
sql('origin', q{SELECT create_topic('jobs', config => '{"max.message.bytes": 1100, "max.attempts": 1}', retry_topics => true)});
my @set_aside = split /\n/, sql('origin', q{SELECT topic FROM pg_topics WHERE topic::text ~ 'jobs.'});
ok(@set_aside > 0, 'create_topic() makes topics for records that fail');
sql('origin', "SELECT alter_topic('$_', '{\"max.message.bytes\": 1100}')") foreach @set_aside;
sql('origin', q{SELECT produce('jobs', 'k', repeat('j', 900))});
sql('origin', q{SELECT nack('jobs', 'g', partition, record_offset, 'a reason') FROM consume('jobs', 'g')});
my ($filled) = grep { sql('origin', "SELECT count(*) FROM $_") ne '0' } @set_aside;
ok($filled, 'nack() passes a record on to one of these topics');
sql('origin', q{SELECT erase('t1', 'k1')});
sql('origin', q{SELECT delete_records('t2', 0, last_stable_offset / 2) FROM pg_topic_partitions WHERE topic = 't2'::regclass AND partition = 0});
push @topics, 'strict', 'packed', 'jobs', @set_aside;

# Published tables, with several versions of their schemas.
foreach my $table (qw(accounts orders))
{
	sql('origin', qq{CREATE TABLE $table (id int PRIMARY KEY, name text);
		SELECT publish_table('$table', '${table}_changes');
		INSERT INTO $table SELECT i, 'name ' || i FROM generate_series(1, 20) i});
	sql('origin', "ALTER TABLE $table ADD COLUMN more text DEFAULT 'm'");
	sql('origin', "UPDATE $table SET name = 'new' WHERE id < 5");
	# under another name than the one that the triggers were made with
	sql('origin', "ALTER FOREIGN TABLE ${table}_changes RENAME TO ${table}_history");
	push @topics, "${table}_history";
}
sql('origin', q{SELECT count(*) FROM consume('t1', 'half', 3)});

my $versions = 'SELECT count(*), md5(string_agg(v::text, E\'\n\' ORDER BY v::text)) FROM topic_schema_versions v';
my $groups = 'SELECT group_id, topic, partition, committed_offset FROM topic_group_offsets ORDER BY 1, 2, 3';

# All of a database that must come back.
sub check
{
	my ($name) = @_;
	foreach my $topic (@topics)
	{
		my $query = sprintf($contents, $topic);
		is(sql($name, $query), sql('origin', $query), "$name: all records of $topic are as they were");
		is(sql($name, "SELECT count(*) FROM verify_topic('$topic')"), '0',
			"$name: verify_topic() finds no damage in $topic");
	}
	is(sql($name, $versions), sql('origin', $versions),
		"$name: the versions of published tables' schemas are as they were");
	is(sql($name, $groups), sql('origin', $groups), "$name: the groups' committed offsets are as they were");

	# new records are judged as before
	foreach my $refused (q{produce('strict', NULL::text, 'v')}, q{produce('strict', 'k', repeat('v', 300))},
		q{produce('strict', 'k', 'v', record_timestamp => now() - interval '1 day')})
	{
		my ($status) = $node->psql($name, "SELECT $refused");
		isnt($status, 0, "$name: the topic's options refuse $refused");
	}
	# and go on behind
	is(sql($name, q{SELECT max(record_offset) FROM t1}), sql('origin', q{SELECT max(record_offset) FROM t1}),
		"$name: the last offset is as it was");
	is(sql($name, q{INSERT INTO accounts VALUES (100, 'last'); SELECT count(*) FROM accounts_history WHERE key ~ '100'}), '1',
		"$name: changes of a restored table are published");
	sql($name, 'TRUNCATE orders');
	is(sql($name, q{SELECT value ->> 'op' FROM orders_history ORDER BY record_offset DESC LIMIT 1}), 't',
		"$name: TRUNCATE of a restored table is published");
	my (undef, undef, $error) = $node->psql($name, 'DROP FOREIGN TABLE orders_history');
	my $triggers = () = $error =~ /trigger publish_orders_\w+ on table orders depends on/g;
	is($triggers, 4, "$name: the triggers of a restored table depend on its topic");
	return;
}

# in one process, as a script
$node->command_ok([ 'pg_dump', '--include-foreign-data=topics', '-f', "$backup/dump.sql",
	$node->connstr('origin') ], 'pg_dump of a database with topics succeeds');
sql('postgres', 'CREATE DATABASE serial');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('serial'), '-f',
	"$backup/dump.sql" ], 'psql restores the dump without an error');
check('serial');

# by several processes at once
$node->command_ok([ 'pg_dump', '-Fc', '--include-foreign-data=topics', '-f', "$backup/dump.custom", $node->connstr('origin') ],
	'pg_dump -Fc of a database with topics succeeds');
foreach my $jobs (1, 4)
{
	sql('postgres', "CREATE DATABASE jobs_$jobs");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-j', $jobs, '-d', $node->connstr("jobs_$jobs"), "$backup/dump.custom" ],
		"pg_restore with $jobs processes succeeds");
	check("jobs_$jobs");
}

# The versions of schemas may be restored after the triggers, which number the tables as well ...
command_ok([ 'pg_restore', '-l', '-f', "$backup/list", "$backup/dump.custom" ], 'pg_restore lists the dump');
my ($last, @first) = ('');
foreach (split /^/, slurp_file("$backup/list"))
{
	if (/TABLE DATA public topic_schema_versions/) { $last = $_ }
	else { push @first, $_ }
}
isnt($last, '', 'the dump has the versions of schemas');
append_to_file("$backup/late", join('', @first, $last));
sql('postgres', 'CREATE DATABASE late');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-L', "$backup/late", '-d', $node->connstr('late'), "$backup/dump.custom" ],
	'pg_restore succeeds with the versions of schemas at its end');
check('late');

# ... or beside them
sql('postgres', 'CREATE DATABASE beside');
append_to_file("$backup/without", join('', @first));
foreach (['--section=pre-data'], [ '--section=data', '-L', "$backup/without" ])
{
	$node->command_ok([ 'pg_restore', '--exit-on-error', @$_, '-d', $node->connstr('beside'), "$backup/dump.custom" ],
		"pg_restore succeeds with @$_[0]");
}
$node->command_ok([ 'pg_restore', '--data-only', '-t', 'topic_schema_versions', '-f', "$backup/versions.sql", "$backup/dump.custom" ],
	'pg_restore writes the versions of schemas to a file');
my $copying = open_session($node, 'beside');
# of the file, which also has settings and a command that forbids psql's own
my ($copy) = slurp_file("$backup/versions.sql") =~ /^(COPY .*?^\\\.\n)/ms;
$copying->run("BEGIN;\n${copy}SELECT 1");
my $restoring = IPC::Run::start([ 'pg_restore', '--exit-on-error', '--section=post-data', '-d', $node->connstr('beside'), "$backup/dump.custom" ],
	'<', \undef, '2>', \my $said);
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity
	WHERE datname = 'beside' AND wait_event_type = 'Lock')})
  or die 'pg_restore does not wait';
$copying->run('COMMIT');
ok($restoring->finish, 'triggers are restored while the versions of schemas are') or diag($said);
$copying->close;
check('beside');

# a topic that shows offsets shows their partition
my ($status, undef, $error) = $node->psql('origin', q{CREATE FOREIGN TABLE offsets_alone (record_offset bigint, value text)
	SERVER topics OPTIONS (partitions '2')});
like($error, qr/a dump of the topic could not be restored/,
	'creating a topic whose dump could not be restored is an error');
sql('origin', q{CREATE FOREIGN TABLE offsets_alone (record_offset bigint, value text) SERVER topics});
(undef, undef, $error) = $node->psql('origin', q{SELECT alter_topic('offsets_alone', '{"partitions": 2}')});
like($error, qr/a dump of the topic could not be restored/,
	'altering a topic so that its dump could not be restored is an error');

# only the owner restores
sql('origin', q{CREATE ROLE writer; GRANT INSERT, SELECT ON strict TO writer});
(undef, undef, $error) = $node->psql('origin', q{SET ROLE writer; INSERT INTO strict (record_offset, value) VALUES (1000, 'v')});
like($error, qr/must be owner/, 'a user who does not own the topic cannot give offsets');

# times of a restored LogAppendTime topic are those of the dump; new records get the append's
sql('origin', q{SELECT create_topic('appended', config => '{"message.timestamp.type": "LogAppendTime", "retention.ms": -1}')});
sql('origin', q{BEGIN; INSERT INTO appended (partition, record_offset, record_timestamp, value) VALUES (0, 10, '2001-01-01', 'old');
	INSERT INTO appended (value, record_timestamp) VALUES ('new', '2001-01-01'); COMMIT});
is(sql('origin', q{SELECT record_offset, value, record_timestamp < '2002-01-01' FROM appended}), "10|old|t\n11|new|f",
	'in a topic of LogAppendTime a restored record keeps its time and a new one gets the time of the append');

$node->stop;
done_testing();
