# A database with records has a maintenance worker, which comes back when it
# ends, leaves when there is nothing to do or when a statement needs the database
# for itself, and goes on where one topic fails.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $node = new_node('main', init => { allows_streaming => 1 },
	settings => [ 'max_worker_processes = 12', 'max_wal_senders = 4' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# A database with the extension and a topic that has a record.
sub make_database
{
	my ($database, $topic) = @_;
	$topic //= 'events';

	sql("CREATE DATABASE $database");
	$node->safe_psql($database, qq{
		CREATE EXTENSION pg_topics;
		SELECT create_topic('$topic');
		SELECT produce('$topic', 'k', 'v')});
	return;
}

# A column of the row of a database's worker in pg_stat_activity, '' without one.
sub worker
{
	my ($database, $column, $of) = @_;

	return ($of // $node)->safe_psql('postgres', qq{
		SELECT $column FROM pg_stat_activity
		WHERE backend_type = 'pg_topics maintenance' AND datname = '$database'});
}

# Wait for a database's worker, another one than $before; its process id.
sub wait_worker
{
	my ($database, $before, $of) = @_;
	my $pid;

	$before //= '';
	poll_until(sub { ($pid = worker($database, 'pid', $of)) ne '' && $pid ne $before })
	  or die "no worker in $database";
	return $pid;
}

# Wait until the launcher has looked at all databases: one that has topics by now has a
# worker then.
sub wait_launcher
{
	sql(q{SELECT produce('events', 'k', 'v')});
	my $before = wait_worker('postgres');
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance' AND datname = 'postgres'});
	wait_worker('postgres', $before);
	return;
}

# ---- which databases ---------------------------------------------------------

sql(q{CREATE DATABASE without; CREATE EXTENSION pg_topics; SELECT create_topic('events')});
$node->safe_psql('without', 'CREATE EXTENSION pg_topics');
make_database('a');
make_database('b', '"Odd name"');
my $a = wait_worker('a');
my $b = wait_worker('b');
is(worker('a', 'pid') . '|' . worker('b', 'pid'), "$a|$b", 'two databases have workers at the same time');
like(wait_worker('postgres'), qr/^\d+$/, 'a database whose topic was never produced to has a worker');
is(worker('without', 'pid'), '', 'a database without a topic has no worker');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_topics launcher'}), '1',
	'the server has one launcher');

# ---- what it shows and holds -------------------------------------------------

ok(poll_until(sub { worker('b', 'state') eq 'idle' }), 'a worker without work is idle');
is(worker('b', 'query'), 'applying retention to topic public."Odd name"',
	'an idle worker shows what it has done last');
is(worker('b', 'backend_xmin IS NULL AND backend_xid IS NULL AND xact_start IS NULL'), 't',
	'an idle worker has no transaction and no snapshot');

sub last_run
{
	my ($database, $topic) = @_;

	return $node->safe_psql($database, qq{SELECT last_run FROM pg_stat_topics WHERE topic = '$topic'::regclass});
}

my $run = last_run('a', 'events');
isnt($run, '', 'pg_stat_topics shows when the worker was last at a topic');
is($node->safe_psql('a', q{SELECT last_duration < interval '1 minute' AND errors = 0 AND last_error IS NULL FROM pg_stat_topics}),
	't', 'pg_stat_topics shows how long that took, and no error');

# The interval is five minutes: only the new setting can cause the next run.
sql(q{ALTER SYSTEM SET pg_topics.log_retention_check_interval_ms = 50});
sql('SELECT pg_reload_conf()');
ok(poll_until(sub { last_run('a', 'events') ne $run }), 'a new interval applies to a worker that waits');
is(worker('a', 'pid'), $a, 'a new interval applies without a new worker');

# ---- one topic fails ---------------------------------------------------------

# Its options cannot be read; whatever concerns the topic fails.
$node->safe_psql('a', q{
	SELECT create_topic('bad', config => '{"retention.ms": 1000}');
	SELECT produce('bad', 'k', 'v');
	SELECT create_topic('good', partitions => 2);
	SELECT produce('good', 'k', 'v', partition => p) FROM generate_series(0, 1) p});

sub set_option
{
	my ($value) = @_;

	$node->safe_psql('a', qq{
		UPDATE pg_foreign_table SET ftoptions = array['retention.ms=$value'] WHERE ftrelid = 'bad'::regclass;
		UPDATE pg_class SET relname = relname WHERE oid = 'bad'::regclass});
	return;
}

# the view cannot be read while the options are broken, but the server's log can
my $log = -s $node->logfile;
set_option('broken');
ok(poll_until(sub { slurp_file($node->logfile, $log) =~ /ERROR: .*\n(.*\n)*?.*CONTEXT:  applying retention to topic \d+, partition 0/ }),
	"a failure of the worker is in the server's log with the topic");
set_option('1000');
my $errors = $node->safe_psql('a', q{SELECT errors > 0 AND last_error_at > now() - interval '1 minute', last_error FROM pg_stat_topics WHERE topic = 'bad'::regclass});
like($errors, qr/^t\|.*retention\.ms/, 'a failure of the worker is in pg_stat_topics');
is($node->safe_psql('a', q{SELECT sum(errors) FROM pg_stat_topics WHERE topic <> 'bad'::regclass}), '0',
	'other topics have no errors');

my $count = q{SELECT count(*) FROM pg_stat_topics WHERE topic = 'good'::regclass AND last_run > };
my $damaged = sql('SELECT clock_timestamp()');
set_option('broken');
$log = -s $node->logfile;
ok(poll_until(sub { (() = slurp_file($node->logfile, $log) =~ /CONTEXT:  applying retention/g) >= 3 }),
	'a topic that cannot be maintained fails again and again');
set_option('1000');
is($node->safe_psql('a', "$count '$damaged'"), '2', 'all partitions of another topic were served meanwhile');
is(worker('a', 'pid'), $a, 'the worker is still the same after the errors');

# A topic that is locked is skipped, not waited for.
my $session = open_session($node, 'a');
$session->run('BEGIN; ALTER FOREIGN TABLE bad ALTER COLUMN value SET STATISTICS 10');
my $locked = sql('SELECT clock_timestamp()');
ok(poll_until(sub { $node->safe_psql('a', "$count '$locked'") eq '2' }),
	'a locked topic does not keep the worker from others');
$session->run('ROLLBACK; DROP FOREIGN TABLE bad');
sql(q{ALTER SYSTEM RESET pg_topics.log_retention_check_interval_ms});
sql('SELECT pg_reload_conf()');

# ---- retention and compaction ------------------------------------------------

sub set_options
{
	my (%settings) = @_;

	sql("ALTER SYSTEM SET pg_topics.$_ = $settings{$_}") foreach keys %settings;
	sql('SELECT pg_reload_conf()');
	return;
}

# Records one by one, so that they fill segments of 10 kB; all of them resolved.
sub fill
{
	my ($topic, $keys, $timestamp) = @_;

	sql(qq{
		DO \$\$ BEGIN
			FOR i IN 1 .. $keys LOOP
				PERFORM produce('$topic', 'key' || i, repeat('x', 1000), record_timestamp => $timestamp);
				COMMIT;
			END LOOP;
		END \$\$});
	wait_resolved($node);
	return;
}

# A figure of a topic's only partition.
sub statistic
{
	my ($topic, $figure) = @_;

	return sql("SELECT $figure FROM pg_stat_topics WHERE topic = '$topic'::regclass");
}

sub create
{
	my ($topic, $config) = @_;

	sql(qq{SELECT create_topic('$topic', config => '{"segment.bytes": 10000, $config}')});
	return;
}

create('expired', '"retention.ms": 3600000');
create('read', '"retention.ms": 3600000, "retention.consumers": "wait"');
fill($_, 30, q{now() - interval '1 day'}) foreach qw(expired read);
sql(q{SELECT count(*) FROM consume('read', 'g', 15)});
set_options(log_retention_check_interval_ms => 50);
ok(poll_until(sub { statistic($_, 'segments_deleted') > 0 }),
	"topic $_: the worker deletes expired records") foreach qw(expired read);
is(sql(q{SELECT count(*) FROM expired}), '0', 'the worker deletes all that has expired');
is(sql(q{SELECT min(record_offset) BETWEEN 1 AND 15 FROM read}), 't',
	'the worker leaves what a group has still to read');
is(statistic($_, 'errors'), '0', "topic $_: the worker meets no error") foreach qw(expired read);
set_options(log_retention_check_interval_ms => 86400000);

# By the order of their first records alone "more" would be in the middle.
create($_, '"cleanup.policy": "compact", "min.cleanable.dirty.ratio": 0.1') foreach qw(damaged less more least);
fill($_, 40, 'now()') foreach qw(damaged less more least);
sql(qq{SELECT compact('$_')}) foreach qw(less least);
fill($_, 25, 'now()') foreach qw(less least);
fill('more', 40, 'now()');
my $before_compaction = sql(q{SELECT count(*) FROM more});
my ($segment) = sort glob(topic_directory($node, 'damaged', 0) . '/*.log');
overwrite($segment, 200, 'damage' x 20);
is(statistic('more', 'compactions'), '0', 'with log_cleaner_enable = off the worker compacts nothing');
set_options(log_cleaner_enable => 'on', log_cleaner_backoff_ms => 50);
ok(poll_until(sub { statistic('less', 'compactions') == 2 && statistic('least', 'compactions') == 2 }),
	'with log_cleaner_enable = on the worker compacts');
is(statistic('more', 'compactions'), '1', 'the worker compacts every topic that is due');
cmp_ok(sql('SELECT count(*) FROM more'), '<', $before_compaction, 'records with a later one of their key are gone');
is(sql(q{SELECT bool_and(m.last_run < l.last_run) FROM pg_stat_topics m, pg_stat_topics l
	WHERE m.topic = 'more'::regclass AND l.topic IN ('less'::regclass, 'least'::regclass)}), 't',
	'the topic with the largest share of new records is compacted first');
is(statistic('damaged', 'errors'), '1', 'compacting a damaged topic is counted as an error');
like(statistic('damaged', 'last_error'), qr/damaged/, 'pg_stat_topics shows that a segment is damaged');
is(statistic('less', 'errors') + statistic('more', 'errors'), '0',
	'a damaged topic does not keep others from being compacted');
fill('more', 40, 'now()') foreach 1 .. 2;
ok(poll_until(sub { statistic('more', 'compactions') >= 2 }),
	'the worker compacts a topic again when it is due again');
is(statistic('damaged', 'errors'), '1', 'the worker does not try the damaged topic again');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_progress_topic_compaction'),
	'pg_stat_progress_topic_compaction is empty when all is done');
sql('DROP FOREIGN TABLE damaged');

# A compaction that takes minutes.
set_options(log_cleaner_enable => 'off');
create('slow', '"cleanup.policy": "compact"');
fill('slow', 200, 'now()') foreach 1 .. 2;
set_options(log_cleaner_enable => 'on', log_cleaner_io_max_bytes_per_second => 2000);
my $progress = q{SELECT p.topic, partition, phase, bytes_mapped > 0, keys > 0, query, backend_xmin IS NULL
	FROM pg_stat_progress_topic_compaction p JOIN pg_stat_activity USING (pid)
	WHERE backend_type = 'pg_topics maintenance' AND keys > 0};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($progress) p"),
	'pg_stat_progress_topic_compaction shows a running compaction');
is(sql($progress), 'slow|0|building map|t|t|compacting topic public.slow|t',
	'it shows how far the compaction is; the worker holds no snapshot');
my $busy = wait_worker('postgres');
sql(q{SET statement_timeout = '90s'; ALTER FOREIGN TABLE slow ALTER COLUMN value SET STATISTICS 10});
pass('ALTER FOREIGN TABLE does not wait for a running compaction to end');
is(worker('postgres', 'pid'), $busy, 'a worker that gives way to a statement goes on');
is(statistic('slow', 'errors'), '0', 'giving way to a statement is not counted as an error');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($progress) p"),
	'the worker begins the compaction again');
sql("SELECT pg_terminate_backend($busy)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($progress) p"),
	'after the worker is terminated another one begins the compaction again');
is(sql($progress), 'slow|0|building map|t|t|compacting topic public.slow|t',
	'the other worker holds no snapshot either');
set_options(log_cleaner_io_max_bytes_per_second => -1);
$node->safe_psql('a', q{SET statement_timeout = '90s'; CREATE DATABASE busy TEMPLATE postgres});
pass('CREATE DATABASE with that database as template does not wait for the compaction');
ok(poll_until(sub { statistic('slow', 'compactions') eq '1' }), 'the next worker finishes the compaction');
is(sql(q{SELECT count(*) FROM pg_stat_progress_topic_compaction}), '0',
	'compactions that were given up are not shown as running');
sql('DROP DATABASE busy');
sql('DROP FOREIGN TABLE expired, read, less, more, least, slow');
sql("ALTER SYSTEM RESET pg_topics.$_") foreach qw(log_retention_check_interval_ms log_cleaner_enable log_cleaner_backoff_ms);
sql('SELECT pg_reload_conf()');

# ---- it comes back -----------------------------------------------------------

sub terminate
{
	my ($database) = @_;
	my $pid = wait_worker($database);

	my $ended = sql("SELECT extract(epoch FROM clock_timestamp()) FROM pg_terminate_backend($pid)");
	wait_worker($database, $pid);
	return worker($database, 'extract(epoch FROM backend_start)') - $ended;
}

my @delays = map { terminate('a') } 1 .. 3;
note("back after @delays");
cmp_ok($delays[0], '>=', 0.9, 'a worker that is terminated comes back');
cmp_ok($delays[1], '>=', 1.9, 'terminated again, a worker comes back later');
cmp_ok($delays[2], '>=', 3.9, 'terminated a third time, it comes back later still');

# ---- statements that want a database to themselves ---------------------------

wait_worker('b');
sql('CREATE DATABASE copy TEMPLATE b');
pass('CREATE DATABASE works with a template that has a worker');
is($node->safe_psql('copy', q{SELECT count(*) FROM "Odd name"}), '0', 'the copy has no records');

make_database($_) foreach qw(renamed moved dropped forced);
wait_worker('renamed');
sql('ALTER DATABASE renamed RENAME TO again');
wait_worker('again');
pass('after ALTER DATABASE RENAME the database has a worker');

wait_worker('moved');
my $tablespace = PostgreSQL::Test::Utils::tempdir();
sql("CREATE TABLESPACE other LOCATION '$tablespace'");
sql('ALTER DATABASE moved SET TABLESPACE other');
wait_worker('moved');
pass('after ALTER DATABASE SET TABLESPACE the database has a worker');
sql('DROP DATABASE moved');
sql('DROP TABLESPACE other');

# the owner need be nobody special
wait_worker('forced');
sql('CREATE ROLE owner LOGIN CREATEDB; ALTER DATABASE forced OWNER TO owner');
$node->safe_psql('postgres', 'DROP DATABASE forced WITH (FORCE)', extra_params => [ '-U', 'owner' ]);
pass('an owner who is no superuser can drop a database that has a worker');

wait_worker('dropped');
sql('DROP DATABASE dropped');
is(worker('dropped', 'pid'), '', 'a dropped database has no worker');

# An attempt without the right to do it does not end the worker.
$b = wait_worker('b');
isnt($node->psql('postgres', 'DROP DATABASE b', extra_params => [ '-U', 'owner' ]), 0,
	'a role that is not the owner cannot drop the database');
isnt($node->psql('postgres', 'CREATE DATABASE mine TEMPLATE b', extra_params => [ '-U', 'owner' ]), 0,
	'a role that is not the owner cannot copy the database');
is(worker('b', 'pid'), $b, "such attempts do not end the database's worker");

# As long as the transaction lasts, no worker comes.
$session = open_session($node);
my $holder = $session->run('SELECT pg_backend_pid()');
$session->run('BEGIN; ALTER DATABASE again RENAME TO renamed');
is(worker('again', 'pid'), '', 'a database being renamed has no worker');
wait_launcher();
is(worker('again', 'pid'), '', 'no worker starts while the renaming has not committed');
sql("SELECT pg_terminate_backend($holder)");
wait_worker('again');
pass('a worker starts once the renaming session has ended');
$session->{run}->kill_kill;

# ---- the last topic goes -----------------------------------------------------

$node->safe_psql('b', q{SELECT create_topic('second'); SELECT produce('second', 'k', 'v')});
$b = wait_worker('b');
$node->safe_psql('b', q{DROP FOREIGN TABLE "Odd name"});
wait_launcher();
is(worker('b', 'pid'), $b, 'a worker stays while there is a topic');
$node->safe_psql('b', q{DROP FOREIGN TABLE second});
ok(poll_until(sub { worker('b', 'pid') eq '' }), 'a worker ends with the last topic of its database');
$node->safe_psql('b', q{SELECT create_topic('third'); SELECT produce('third', 'k', 'v')});
wait_worker('b');
pass('a worker starts with the next topic of its database');

# ---- crashes -----------------------------------------------------------------

# The launcher takes its workers with it, and comes back.
$a = wait_worker('a');
my $launcher = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topics launcher'};
my $before = sql($launcher);
sql("SELECT pg_terminate_backend($before)");
ok(poll_until(sub { worker('a', 'pid') ne $a }), 'workers end when the launcher does');
wait_worker('a', $a);
isnt(sql($launcher), $before, 'another launcher starts them again');
is(worker('a', 'count(*)'), '1', 'a database has one worker after that');

$a = wait_worker('a');
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
sql('SELECT pg_reload_conf()');
kill 'KILL', $a;
ok(poll_until(sub { my $pid = eval { worker('a', 'pid') } // ''; $pid ne '' && $pid ne $a }),
	'after a crash of a worker the restarted server has another one');

# ---- standby -----------------------------------------------------------------

my $standby = start_standby($node);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pg_topics %'}),
	'0', 'a standby has none of the processes of pg_topics');
$standby->promote;
wait_worker('a', '', $standby);
pass('a promoted standby has a worker');
$standby->stop;
$node->stop;

# ---- no room -----------------------------------------------------------------

# the sync process, the launcher and one worker
$node->append_conf('postgresql.conf', "max_worker_processes = 3\nmax_logical_replication_workers = 0");
$log = -s $node->logfile;
$node->start;
my $full = qr/could not start a pg_topics maintenance worker for database \d+: too many background workers/;
ok(poll_until(sub { slurp_file($node->logfile, $log) =~ $full }),
	'the log says that there is no room for a worker');
my $others = q{SELECT datname FROM pg_stat_activity WHERE backend_type = 'pg_topics maintenance'};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($others) w"),
	'with room for one worker one database has it');
my $seated = sql($others);
$node->safe_psql($seated, 'DROP EXTENSION pg_topics CASCADE');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($others AND datname <> '$seated') w"),
	'when its topics are dropped another database gets a worker');
cmp_ok(scalar(() = slurp_file($node->logfile, $log) =~ /$full/g), '<=', 3,
	'the log does not say it again and again');
$node->stop;

done_testing();
