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
		'-p', $subscriber->port, '-s', $subscriber->host, '-d', 'postgres' ], 'pg_createsubscriber');

my $log = -s $subscriber->logfile;
ok(!$subscriber->start(fail_ok => 1), 'the subscriber does not start as it is');
$log = slurp_file($subscriber->logfile, $log);
like($log, qr/FATAL:  the topics in "pg_topics" belong to another database cluster/, 'it says why');
like($log, qr/HINT:  .*pg_createsubscriber.*adopt_log_dir = on/, 'and what to do');

$subscriber->append_conf('postgresql.conf', 'pg_topics.adopt_log_dir = on');
$subscriber->start;
ok(contents($subscriber, 'events') eq $expected, 'adopted, all records are there');
check_events($subscriber, 'topic and table agree');
$subscriber->stop;
$subscriber->adjust_conf('postgresql.conf', 'pg_topics.adopt_log_dir', undef);
$subscriber->start;
ok(contents($subscriber, 'events') eq $expected, 'once is enough');

# tables go on being replicated, topics are not; the groups' offsets are in a table
my $groups = q{SELECT committed_offset FROM topic_group_offsets WHERE group_id = 'accounting' ORDER BY 1};
$publisher->safe_psql('postgres', q{
	SELECT produce('purchases', 'k', 'of the publisher');
	SELECT count(*) FROM consume('purchases', 'accounting', max_records => 3);
	INSERT INTO orders VALUES (1)});
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 1 FROM orders'), 'a table is replicated');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM purchases'), '20', 'a topic is not');
is($subscriber->safe_psql('postgres', $groups), '8', "a group's offset is");
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
ok($subscriber->poll_query_until('postgres', 'SELECT count(*) = 2 FROM orders'), 'with a trigger in its way, tables go on');
is($subscriber->safe_psql('postgres', $groups), '10', 'and groups are the own ones');
is($subscriber->safe_psql('postgres', q{SELECT count(*) FROM consume('purchases', 'new')}), '20', 'a new one reads all');

# and it is a cluster of its own
$subscriber->safe_psql('postgres', q{SELECT produce('purchases', 'k', 'of the subscriber')});
kill_all($subscriber);
$subscriber->start;
is($subscriber->safe_psql('postgres', 'SELECT record_offset, value FROM purchases ORDER BY record_offset DESC LIMIT 1'), '20|of the subscriber',
	'it goes on by itself, and after a crash');
is($publisher->safe_psql('postgres', 'SELECT record_offset, value FROM purchases ORDER BY record_offset DESC LIMIT 1'), '20|of the publisher',
	'and so does the publisher');
$subscriber->stop;
$publisher->stop;

done_testing();
