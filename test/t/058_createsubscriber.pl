# pg_createsubscriber (since 17) gives a standby another system identifier: it is refused until
# told to go on with its topics, which are its own from there on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

chomp(my $version = `pg_config --version`);
plan skip_all => "pg_createsubscriber comes with PostgreSQL 17, this is $version" if ($version =~ /(\d+)/)[0] < 17;

my ($publisher, $subscriber) = start_pair('wal_level = logical', 'max_worker_processes = 20');
create_load_schema($publisher);
$publisher->safe_psql('postgres', q{
	CREATE TABLE orders (id int PRIMARY KEY);
	SELECT create_topic('purchases');
	INSERT INTO purchases (value) SELECT n FROM generate_series(1, 20) AS n;
	SELECT count(*) FROM consume('purchases', 'accounting', max_records => 5)});
finish_load(start_load($publisher, clients => 2, transactions => 50));
end_prepared($publisher);
wait_resolved($publisher);
my $expected = contents($publisher, 'events');
catch_up($publisher, $subscriber);
$subscriber->stop;

command_ok([ 'pg_createsubscriber', '-D', $subscriber->data_dir, '-P', $publisher->connstr('postgres'),
		'-p', $subscriber->port, '-s', $subscriber->host, '-d', 'postgres' ],
	'pg_createsubscriber succeeds with a standby that has topics');

my $log = -s $subscriber->logfile;
ok(!$subscriber->start(fail_ok => 1), 'the subscriber does not start with topics of another cluster');
$log = slurp_file($subscriber->logfile, $log);
like($log, qr/FATAL:  the topics in "pg_topics" belong to another database cluster/,
	'the subscriber says why it does not start');
like($log, qr/HINT:  .*pg_createsubscriber.*adopt_log_dir = on/, 'the hint says to set adopt_log_dir');

$subscriber->append_conf('postgresql.conf', 'pg_topics.adopt_log_dir = on');
$subscriber->start;
ok(contents($subscriber, 'events') eq $expected, 'with adopt_log_dir the subscriber starts with all records');
check_events($subscriber, 'on the subscriber topic and table have the same records');
$subscriber->stop;
$subscriber->adjust_conf('postgresql.conf', 'pg_topics.adopt_log_dir', undef);
$subscriber->start;
ok(contents($subscriber, 'events') eq $expected,
	'the subscriber needs adopt_log_dir for its first start only');

# tables go on being replicated, topics are not; the groups' offsets are in a table
my $groups = q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'accounting' ORDER BY 1};
$publisher->safe_psql('postgres', q{
	SELECT produce('purchases', 'k', 'of the publisher');
	SELECT count(*) FROM consume('purchases', 'accounting', max_records => 3);
	INSERT INTO orders VALUES (1)});
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 1 FROM orders'),
	'the rows of a table are replicated');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM purchases'), '20',
	'the records of a topic are not replicated');
is($subscriber->safe_psql('postgres', $groups), '8',
	"the committed offset of a group, which is in a table, is replicated");
# unless, as the manual has it
$subscriber->safe_psql('postgres', q{
	CREATE FUNCTION keep_own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER keep_own BEFORE INSERT OR UPDATE OR DELETE ON topic_group_offsets
		FOR EACH ROW EXECUTE FUNCTION keep_own();
	ALTER TABLE topic_group_offsets ENABLE REPLICA TRIGGER keep_own;
	SELECT count(*) FROM consume('purchases', 'accounting', max_records => 2)});
$publisher->safe_psql('postgres', q{
	SELECT count(*) FROM consume('purchases', 'accounting', max_records => 7);
	SELECT count(*) FROM consume('purchases', 'new');
	INSERT INTO orders VALUES (2)});
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 2 FROM orders'),
	'with a trigger on topic_group_offsets other tables are still replicated');
is($subscriber->safe_psql('postgres', $groups), '10',
	'with that trigger the subscriber keeps its own committed offsets');
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM consume('purchases', 'new')}), '20',
	'with that trigger a group that is new on the publisher starts anew on the subscriber');

# and it is a cluster of its own
$subscriber->safe_psql('postgres', q{SELECT produce('purchases', 'k', 'of the subscriber')});
kill_all($subscriber);
$subscriber->start;
is($subscriber->safe_psql('postgres', 'SELECT record_offset, value FROM purchases ORDER BY record_offset DESC LIMIT 1'), '20|of the subscriber',
	'the subscriber has its own records after a crash');
is($publisher->safe_psql('postgres', 'SELECT record_offset, value FROM purchases ORDER BY record_offset DESC LIMIT 1'), '20|of the publisher',
	'the publisher has its own records');
$subscriber->stop;
$publisher->stop;

done_testing();
