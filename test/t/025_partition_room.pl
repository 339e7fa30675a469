# A server has room for a limited number of partitions.  A topic takes room for its partitions
# when it is created, and is refused where there is none; whatever undoes the creation gives
# the room back; restarts, crashes and standbys know what is taken; and a database or a role
# can have a limit of its own.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $max = 40;
my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ "pg_topics.max_partitions = $max", 'pg_topics.maintenance_interval = 1s' ]);

$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# The error of SQL that must fail.
sub failure
{
	my ($sql, %params) = @_;
	my $on = $params{node} // $node;
	my ($code, $out, $err) = $on->psql($params{database} // 'postgres', $sql, on_error_stop => 1);

	isnt($code, 0, "fails: $sql");
	return $err;
}

# How many partitions have taken room.  The error of a topic that asks for all the room there
# is tells it.
sub taken
{
	my ($on) = @_;
	my ($code, $out, $err) = ($on // $node)->psql('postgres', "SELECT create_topic('probe', $max)");

	return $err =~ /DETAIL:  The topics of the server have (\d+) of/ ? $1 : "nothing: $out $err";
}

sub taken_is
{
	my ($expected, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(taken(), $expected, $name);
	return;
}

# The same, once what dropped topics have left has been collected.
sub taken_becomes
{
	my ($expected, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	poll_until(sub { taken() eq $expected });
	is(taken(), $expected, $name);
	return;
}

# ---- refused when it is created ------------------------------------------------

sql('CREATE EXTENSION pg_topics');
like(failure("SELECT create_topic('wide', 41)"),
	qr/ERROR:  topic "wide" cannot have 41 partitions\nDETAIL:  All topics of the server together can have at most 40 .*\nHINT:  .*raise pg_topics\.max_partitions/,
	'a topic with more partitions than the server can have is refused');
like(failure("CREATE FOREIGN TABLE wide (value text) SERVER topics OPTIONS (partitions '65536')"),
	qr/ERROR:  topic "wide" cannot have 65536 partitions/,
	'CREATE FOREIGN TABLE refuses more partitions than a topic can have');
sql("SELECT create_topic('first', 10)");
taken_is(10, 'a topic takes room for its partitions though nobody has produced to it');
like(failure("SELECT create_topic('wide', 31)"),
	qr/ERROR:  no room for 31 more partitions of topic "wide": too many topic partitions\nDETAIL:  The topics of the server have 10 of at most 40 partitions \(pg_topics\.max_partitions\), 10 of them in this database/,
	'a topic with more partitions than are free is refused');
like(failure(q{SELECT alter_topic('first', '{"partitions": 41}')}), qr/ERROR:  topic "first" cannot have 41 partitions/,
	'alter_topic() refuses more partitions than the server can have');
sql(q{SELECT create_topic('second', 20)});
like(failure(q{SELECT alter_topic('first', '{"partitions": 21}')}),
	qr/ERROR:  no room for 11 more partitions of topic "first"/,
	'alter_topic() refuses to add more partitions than are free');
like(failure(q{ALTER FOREIGN TABLE first OPTIONS (SET partitions '21')}),
	qr/ERROR:  no room for 11 more partitions of topic "first"/,
	'ALTER FOREIGN TABLE refuses to add more partitions than are free');
taken_is(30, 'statements that were refused took no room');
sql(q{INSERT INTO first (partition, value) SELECT p, p FROM generate_series(0, 9) p});
taken_is(30, 'producing takes no more room');

# ---- given back ------------------------------------------------------------------

sql('DROP FOREIGN TABLE second');
taken_is(10, 'a dropped topic gives its room back');
sql(q{BEGIN; SELECT create_topic('t', 20); INSERT INTO t (partition, value) VALUES (3, 'v'); SELECT flush(); ROLLBACK});
taken_is(10, 'a topic with records whose creation is rolled back gives its room back');
failure(q{BEGIN; SELECT create_topic('t', 20); INSERT INTO t (partition, value) VALUES (3, 'v'); SELECT 1/0});
taken_is(10, 'a topic gives its room back when its transaction fails');
sql(q{DO $$ BEGIN PERFORM create_topic('t', 20); RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $$});
taken_is(10, 'a topic gives its room back when it was created in a block that failed');
sql(q{BEGIN; SAVEPOINT s; SELECT create_topic('t', 20); ROLLBACK TO s; SELECT create_topic('t', 30); COMMIT});
taken_is(40, 'after ROLLBACK TO the room can be taken again');
sql(q{BEGIN; DROP FOREIGN TABLE t; ROLLBACK});
taken_is(40, 'a topic whose DROP is rolled back keeps its room');
like(failure(q{BEGIN; DROP FOREIGN TABLE t; SELECT create_topic('u', 30)}), qr/ERROR:  no room for 30/,
	'a dropped topic keeps its room until the transaction has committed');
sql('DROP FOREIGN TABLE t');

sql(q{BEGIN; SELECT alter_topic('first', '{"partitions": 25}');
	INSERT INTO first (partition, value) VALUES (20, 'v'), (4, 'kept not'); SELECT flush(); ROLLBACK});
taken_is(10, 'partitions that were added and rolled back give their room back');
is(sql(q{SELECT count(*), count(DISTINCT partition) FROM first}), '10|10',
	'the other partitions have their records after that');
ok(!-e topic_directory($node, 'first', 20), 'the files of a partition whose addition was rolled back are gone');
sql(q{BEGIN; SAVEPOINT s; SELECT alter_topic('first', '{"partitions": 25}'); ROLLBACK TO s;
	SELECT alter_topic('first', '{"partitions": 11}'); COMMIT});
taken_is(11, 'partitions added before a rollback to a savepoint give their room back');
sql(q{INSERT INTO first (partition, value) VALUES (10, 'v')});

sql(q{BEGIN; SELECT create_topic('t', 12); SELECT alter_topic('first', '{"partitions": 20}');
	INSERT INTO t (partition, value) VALUES (1, 'v'); INSERT INTO first (partition, value) VALUES (19, 'v');
	PREPARE TRANSACTION 'p'});
taken_is(32, 'a prepared transaction keeps the room it took');
$node->restart;
taken_is(32, 'a prepared transaction keeps its room over a restart');
kill_all($node);
$node->start;
taken_is(32, 'a prepared transaction keeps its room over a crash');
sql(q{ROLLBACK PREPARED 'p'});
taken_is(11, 'a prepared transaction that is rolled back gives its room back');
is(sql(q{SELECT count(*), count(DISTINCT partition) FROM first}), '11|11',
	'the topic has the records from before the prepared transaction');
sql(q{BEGIN; SELECT create_topic('t', 12); PREPARE TRANSACTION 'p'});
sql(q{COMMIT PREPARED 'p'});
taken_is(23, 'a prepared transaction that is committed keeps its room');

# a crash in the middle
foreach my $checkpoint ('', 'CHECKPOINT')
{
	my $session = open_session($node);

	$session->run(q{BEGIN; SELECT create_topic('u', 10); SELECT alter_topic('t', '{"partitions": 14}')});
	taken_is(35, 'an open transaction has taken room');
	# so that the WAL of it is on disk
	sql($checkpoint) if $checkpoint;
	sql(q{SELECT pg_switch_wal(); CREATE TABLE IF NOT EXISTS x (); DROP TABLE x});
	kill_all($node);
	eval { $session->close };
	$node->start;
	taken_becomes(23, "a crash gives back what an open transaction took $checkpoint");
	is(sql(q{SELECT sum(partitions) FROM pg_topics}), '23',
		'pg_topics shows as many partitions as room is taken');
}

# ---- standbys ----------------------------------------------------------------------

my $standby = start_standby($node);
sql(q{SELECT create_topic('after', 3)});
sql(q{BEGIN; SELECT create_topic('undone', 5); ROLLBACK});
sql(q{BEGIN; SELECT alter_topic('after', '{"partitions": 6}'); ROLLBACK});
sql(q{SELECT alter_topic('after', '{"partitions": 4}')});
catch_up($node, $standby);
$standby->promote;
is(taken($standby), 27, 'a promoted standby knows the room of all topics, also of those without records');
$standby->stop;

# ---- databases -----------------------------------------------------------------------

sql('CREATE DATABASE other');
$node->safe_psql('other', q{CREATE EXTENSION pg_topics; SELECT create_topic('many', 6)});
sql('CREATE DATABASE copy TEMPLATE other');
taken_is(33, 'the topics of a copied database take room when they are produced to');
$node->safe_psql('copy', q{INSERT INTO many (partition, value) VALUES (0, 'v')});
taken_is(34, 'a copied topic takes room only for the partition that is produced to');
sql(q{SELECT create_topic('filler', 3)});
like(failure(q{INSERT INTO many (partition, value) SELECT p, p FROM generate_series(0, 5) p}, database => 'copy'),
	qr/ERROR:  cannot produce to topic "many": too many topic partitions\nDETAIL:  The transaction needs 5 new partitions. The server has room for 40, of which 37 are in use, 1 of them by this database/,
	'a transaction that needs more partitions than are free is refused');
taken_is(37, 'the refused transaction has taken no room for any partition');
sql('DROP FOREIGN TABLE filler; DROP DATABASE copy');
taken_is(33, 'a dropped database gives its room back');

sql('ALTER DATABASE other SET pg_topics.max_partitions_per_database = 7');
like(failure(q{SELECT create_topic('one_more'); SELECT create_topic('too_many')}, database => 'other'),
	qr/ERROR:  no room for 1 more partitions of topic "too_many": too many topic partitions\nDETAIL:  The topics of this database have 7 of at most 7 partitions \(pg_topics\.max_partitions_per_database\)/,
	'a database cannot have more partitions than its limit');
taken_is(34, 'the database has taken room up to its limit');
sql(q{SELECT create_topic('filler', 6)});
sql(q{DROP DATABASE other});

# ---- roles -----------------------------------------------------------------------------

sql(q{
	DROP FOREIGN TABLE filler;
	CREATE ROLE tenant LOGIN; CREATE SCHEMA tenant AUTHORIZATION tenant;
	CREATE ROLE pool; GRANT pool TO tenant; GRANT CREATE ON SCHEMA tenant TO pool;
	ALTER ROLE tenant SET search_path = tenant, public;
	ALTER ROLE tenant SET pg_topics.max_partitions_per_role = 4});
my $tenant = 'SET search_path = tenant, public; SET pg_topics.max_partitions_per_role = 4; SET ROLE tenant;';
my $connection = $node->connstr('postgres') . ' user=tenant';

sub as_tenant { return $node->safe_psql('postgres', $_[0], connstr => $connection); }

sub tenant_fails
{
	my ($sql, $expected, $name) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $sql, connstr => $connection, on_error_stop => 1);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($err, $expected, $name);
	return;
}

as_tenant(q{SELECT create_topic('a', 3)});
tenant_fails(q{SELECT create_topic('b', 2)},
	qr/ERROR:  topics of role "tenant" cannot have 5 partitions\nDETAIL:  In this database they can have at most 4 partitions \(pg_topics\.max_partitions_per_role\)/,
	'a role cannot have more partitions than its limit');
tenant_fails(q{SELECT alter_topic('a', '{"partitions": 5}')}, qr/role "tenant" cannot have 5 partitions/,
	"partitions that are added count for the role's limit");
tenant_fails('SET pg_topics.max_partitions_per_role = 100', qr/permission denied to set parameter/,
	'the role cannot raise its limit in a session');
tenant_fails('ALTER ROLE tenant SET pg_topics.max_partitions_per_role = 100', qr/permission denied to set parameter/,
	'the role cannot raise its limit for later sessions');
tenant_fails('SET pg_topics.max_partitions_per_database = 100', qr/permission denied to set parameter/,
	'the role cannot raise the limit of the database');
as_tenant(q{SELECT create_topic('b', 1)});
as_tenant(q{ALTER FOREIGN TABLE a RENAME TO a2; SELECT alter_topic('a2', '{"retention.ms": 1000}'); ALTER FOREIGN TABLE a2 RENAME TO a});
tenant_fails(q{SELECT create_topic('c')}, qr/role "tenant" cannot have 5 partitions/,
	'a role that has reached its limit cannot create another topic');
as_tenant(q{ALTER FOREIGN TABLE a OWNER TO pool; SELECT create_topic('c', 2)});
tenant_fails(q{ALTER FOREIGN TABLE c OWNER TO pool}, qr/role "pool" cannot have 5 partitions/,
	'a topic cannot be given to a role that would exceed its limit');
tenant_fails(q{SET ROLE pool; SELECT create_topic('tenant.d', 2)}, qr/role "pool" cannot have 5 partitions/,
	"with SET ROLE the other role's topics count");

# two at once
my @sessions = map { my $s = open_session($node); $s->run($tenant); $s } 1 .. 2;
sql('DROP FOREIGN TABLE tenant.b');
$sessions[0]->run(q{BEGIN; SELECT create_topic('e', 2)});
$sessions[1]->both(q{SET lock_timeout = '1s'});
like($sessions[1]->fails(q{SELECT create_topic('f', 2)}), qr/lock timeout/,
	'one transaction of a role that creates topics waits for the other');
$sessions[0]->run('COMMIT');
like($sessions[1]->fails(q{SELECT create_topic('f', 2)}), qr/role "tenant" cannot have 6 partitions/,
	'the second transaction counts the topics that the first one created');
$_->close foreach @sessions;


# ---- room for very many --------------------------------------------------------

# costs a session only what it uses
$node->append_conf('postgresql.conf', "pg_topics.max_partitions = 300000\npg_topics.max_partitions_per_database = -1");
$node->restart;
sql(q{SELECT create_topic('roomy'); SELECT produce('roomy', 'k'::text, 'v'::text)});
is(sql(q{SELECT count(*) FROM roomy; SELECT total_bytes < 5000000 FROM pg_backend_memory_contexts WHERE name = 'TopMemoryContext'}),
	"1\nt", 'reading one topic takes no memory for all partitions that there may be');

$node->stop;
done_testing();
