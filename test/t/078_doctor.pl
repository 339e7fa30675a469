# Files under test: src/views/doctor.c, src/views/doctor_checks.c.
# pg_topics_doctor(): a healthy server has nothing but rows that say ok, and each finding is
# there when what it tells of was brought about, with advice, and gone when it is over.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', init => { allows_streaming => 1 }, settings => [ 'pg_topics.maintenance_interval = 1s', 'pg_topics.log_retention_check_interval_ms = 500' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

my @checks = qw(shared_preload_libraries worker_processes open_files max_partitions wal repair_settings acks
  held_back prepared_transactions old_versions damage maintenance retention_consumers kafka_groups kafka_transactions share_groups);

# What is not ok, a line each, with these arguments; every finding has advice.
sub findings
{
	my ($arguments) = @_;
	my $call = 'pg_topics_doctor(' . ($arguments // '') . ')';

	return sql(qq{SET client_min_messages = error;
		SELECT concat_ws('|', check_name, severity, subject, finding, CASE WHEN advice IS NULL THEN 'NO ADVICE' END)
		FROM $call WHERE severity <> 'ok'});
}

# The one finding that there is.
sub is_found
{
	my ($pattern, $name, $arguments) = @_;

	like(findings($arguments), qr/\A$pattern\z/, $name);
	return;
}

sub set_reloaded
{
	my ($setting, $value) = @_;

	sql(defined $value ? "SET synchronous_commit = local; ALTER SYSTEM SET $setting = '$value'" : "ALTER SYSTEM RESET $setting");
	my $log = -s $node->logfile;
	sql('SELECT pg_reload_conf()');
	poll_until(sub { slurp_file($node->logfile, $log) =~ /parameter "\Q$setting\E" (changed|removed|cannot)/ }) or die "no reload of $setting";
	return;
}

# A finding that a setting brings about, and that goes with it.
sub check_setting
{
	my ($setting, $value, $pattern) = @_;

	set_reloaded($setting, $value);
	is_found($pattern, "$setting = $value");
	set_reloaded($setting);
	is(findings(), '', 'and no longer');
	return;
}

sql('CREATE EXTENSION pg_topics');
is(findings(), '', 'without topics all is well');
sql(q{SELECT create_topic('orders', 2, config => '{"segment.bytes": 1024}');
	INSERT INTO orders (partition, value) SELECT i % 2, repeat('v', 600) FROM generate_series(1, 20) i;
	SELECT count(*) FROM consume('orders', 'g')});
is(findings(), '', 'and with topics');
is(sql(q{SELECT string_agg(check_name, ' ') FROM pg_topics_doctor() WHERE finding <> '' AND advice IS NULL AND subject IS NULL}), "@checks",
	'each check says that it was made');

# ---- settings ----------------------------------------------------------------------------

check_setting('synchronous_commit', 'off', qr/wal\|notice\|synchronous_commit\|synchronous_commit = off: .*/);
check_setting('fsync', 'off', qr/wal\|critical\|fsync\|fsync = off: .*/);
check_setting('full_page_writes', 'off', qr/wal\|critical\|full_page_writes\|.*/);
check_setting('pg_topics.forgotten_transactions', 'abort', qr/repair_settings\|warning\|pg_topics\.forgotten_transactions\|.*/);

sql(q{ALTER SYSTEM SET shared_preload_libraries = 'auto_explain, pg_topics_of_another_name'});
is_found(qr/shared_preload_libraries\|critical\|\S*postgresql\.auto\.conf\|.*/, 'a next start without the library');
sql(q{ALTER SYSTEM SET shared_preload_libraries = auto_explain, '$libdir/pg_topics'});
is(findings(), '', 'with it, among others');
sql('ALTER SYSTEM RESET shared_preload_libraries');

# ---- replicas -----------------------------------------------------------------------------

sql(q{SELECT alter_topic('orders', '{"min.insync.replicas": 2}')});
is_found(qr/acks\|critical\|public\.orders\|min\.insync\.replicas: 2; standbys that a commit waits for: 0\. .*/, 'a topic that wants more replicas than there are');
sql(q{SELECT alter_topic('orders', '{"min.insync.replicas": null}')});
sql(q{CREATE ROLE "A. b"; ALTER ROLE "A. b" IN DATABASE postgres SET pg_topics.acks = 'all'});
is_found(qr/acks\|warning\|pg_topics\.acks\|pg_topics\.acks is "all" for role "A\. b" database postgres.*/, 'acks that wait for nobody, for a role');
sql(q{ALTER ROLE "A. b" IN DATABASE postgres RESET pg_topics.acks});
check_setting('pg_topics.acks', 'all', qr/acks\|warning\|pg_topics\.acks\|pg_topics\.acks is "all", and .*/);
foreach ([ 'nobody', 1 ], [ 'ANY 2 (a, b, c)', 2 ], [ '3 (a, b, c)', 3 ])
{
	check_setting('synchronous_standby_names', $_->[0],
		qr/acks\|critical\|synchronous_standby_names\|Standbys that a commit waits for: $_->[1]; connected: 0\. .*/);
}

# ---- transactions ---------------------------------------------------------------------------

my $session = open_session($node);
$session->run(q{SET application_name = 'slow one'});
$session->run(q{BEGIN});
$session->run(q{INSERT INTO orders (partition, value) SELECT i, 'held' FROM generate_series(0, 1) i});
is(findings(q{'0s'}), '', 'a transaction that has appended nothing yet');
$session->run(q{SELECT count(*) FROM flush()});
my $pid = $session->run('SELECT pg_backend_pid()');
my $since = sql("SELECT xact_start FROM pg_stat_activity WHERE pid = $pid");
is(findings(), '', 'a transaction that has been open for a moment');
is_found(qr/held_back\|warning\|public\.orders\|Consumers and queries stop in partition 0, 1 at records of process $pid \(user \w+, application "slow one", idle in transaction\), open since \Q$since\E\./,
	'one that is open for longer', q{held_for => '0s'});
$session->run(q{PREPARE TRANSACTION 'it''s me'});
is(findings(), '', 'one that was prepared a moment ago');
like(findings(q{held_for => '0s'}), qr/\Aheld_back\|warning\|public\.orders\|.* of the prepared transaction 'it''s me', open since .*\nprepared_transactions\|warning\|prepared transaction 'it''s me'\|.*in database postgres.*\z/,
	'one that was for longer');
$session->run(q{COMMIT PREPARED 'it''s me'});
is(findings(q{'0s'}), '', 'and no longer');

sql(q{CREATE PROCEDURE move(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			PERFORM commit_offset('orders', 'g', 0, i % 2);
			COMMIT;
		END LOOP;
	END $$});
# the server counts what commits leave behind when a session ends
sub dead { return sql(q{SELECT n_dead_tup FROM pg_stat_all_tables WHERE relname = 'topic_group_offsets'}) >= 10000; }
$session->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
$pid = $session->run('SELECT pg_backend_pid()');
sql('SET synchronous_commit = off; CALL move(11000)');
ok(poll_until(\&dead), 'there are many old versions of a group\'s row');
is(findings(), '', 'a snapshot that has been taken a moment ago');
is_found(qr/old_versions\|notice\|topic_group_offsets\|It has \d+ kB with about \d+ old versions of rows, which process $pid \(user \w+, application "slow one", idle in transaction\) keeps, open since .*/,
	'one that is held for longer', q{held_for => '0s'});
$session->run('COMMIT');
sql('VACUUM topic_group_offsets');
is(findings(q{'0s'}), '', 'and no longer');
$session->close;

# ---- groups that keep files ------------------------------------------------------------------

sql(q{SELECT create_topic('waits', 2, config => '{"segment.bytes": 1024, "retention.ms": 1, "retention.consumers": "wait"}');
	INSERT INTO waits (partition, value, record_timestamp) SELECT i % 2, repeat('v', 600), now() - interval '1 day' FROM generate_series(1, 20) i;
	SELECT count(*) FROM consume('waits', 'done', 100);
	SELECT count(*) FROM consume('waits', 'idle', 1);
	SELECT count(*) FROM consume('waits', 'busy', 1)});
is(findings(), '', 'groups that are not far behind yet');
sub set_last_use { sql("UPDATE topic_group_offsets SET commit_timestamp = now() - interval '2 hours' WHERE group_id = '$_'") foreach @_; return; }
set_last_use('done', 'idle');
wait_resolved($node);
is_found(qr/retention_consumers\|warning\|consumer group "idle" of public\.waits\|It has not committed since .*, and the topic keeps files for it\. Offsets that it has still to read: 19\./, 'a group that is idle');
is(findings(q{idle_for => '3 hours'}), '', 'but not for long enough');
$session = open_session($node);
$session->run('BEGIN');
$session->run(q{SELECT count(*) FROM consume('waits', 'idle', 1, auto_commit => false)});
is(findings(), '', 'one whose consumer is at work');
$session->run('ROLLBACK');
$session->close;
sql(q{SELECT alter_topic('waits', '{"retention.consumers.groups": "done, busy"}')});
is(findings(), '', 'one that the topic does not wait for');
sql(q{SELECT alter_topic('waits', '{"retention.consumers.groups": "never, \"and, never\", busy"}')});
is(join("\n", sort split /\n/, findings()), join("\n", map {
		qq{retention_consumers|warning|consumer group "$_" of public.waits|It has never committed, and the topic keeps all files for it, since retention.consumers.groups names it.} }
	'and, never', 'never'), 'groups that have never committed');
sql(q{SELECT alter_topic('waits', '{"retention.consumers.groups": "idle"}')});
is_found(qr/retention_consumers\|warning\|consumer group "idle".*/, 'a named group that is idle');
sql(q{DROP FOREIGN TABLE waits});

# ---- maintenance ---------------------------------------------------------------------------

sql(q{SELECT create_topic('packed', config => '{"cleanup.policy": "compact"}')});
is_found(qr/maintenance\|warning\|public\.packed\|The topic is to be compacted, and pg_topics\.log_cleaner_enable is off\./, 'compaction is off');
sql('DROP FOREIGN TABLE packed');

# options that cannot be read, for the worker
sub set_option
{
	sql(qq{UPDATE pg_foreign_table SET ftoptions = array['partitions=2', 'retention.ms=$_[0]'] WHERE ftrelid = 'orders'::regclass;
		UPDATE pg_class SET relname = relname WHERE oid = 'orders'::regclass});
	return;
}
my $log = -s $node->logfile;
set_option('broken');
poll_until(sub { slurp_file($node->logfile, $log) =~ /CONTEXT:  applying retention to topic/ }) or die 'no error';
my $broken = findings();
like($broken, qr/^acks\|unknown\|invalid value for option "retention\.ms".*\n/m, 'a check that fails is told');
like($broken, qr/^maintenance\|unknown\|/m, 'and does not keep others from being made');
is(sql(q{SET client_min_messages = error; SELECT count(DISTINCT check_name) FROM pg_topics_doctor()}), scalar @checks, 'all of them');
set_option('1000000000000');
like(findings(), qr/\A(maintenance\|warning\|public\.orders, partition \d\|Errors of the maintenance worker: \d+, the last one at .*: .*retention\.ms.*\n?)+\z/, 'errors of the worker');
is(findings(q{idle_for => '0s'}), '', 'errors of long ago');
sql('SELECT pg_stat_reset_topics()');
is(findings(), '', 'errors that are forgotten');

# ---- damage ----------------------------------------------------------------------------------

my ($index) = sort glob($node->data_dir . '/pg_topics/*/' . sql(q{SELECT 'orders'::regclass::oid}) . '-1/*.index');
my $sound = slurp_file($index);
sql('SELECT pg_stat_reset_topics()');
overwrite($index, 0, "\xff" x length $sound);
my $damaged = findings();
like($damaged, qr/^damage\|critical\|public\.orders, partition 1\|/m, 'a damaged partition');
unlike($damaged, qr/partition 0/, 'the other one is sound');
overwrite($index, 0, $sound);
sql('SELECT pg_stat_reset_topics()');
is(findings(), '', 'mended');

# ---- a standby ---------------------------------------------------------------------------------

my $standby = start_standby($node);
catch_up($node, $standby);
is($standby->safe_psql('postgres', q{SELECT string_agg(check_name, ' ') FROM pg_topics_doctor('0s', '0s') WHERE severity = 'ok'}), "@checks",
	'a standby answers too');
set_reloaded('synchronous_standby_names', 'standby');
poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'}) eq '1' }) or die 'the standby is not synchronous';
is(sql(q{SELECT finding FROM pg_topics_doctor() WHERE check_name = 'acks'}), 'Standbys that a commit waits for: 1. No topic wants more.',
	'a synchronous standby is there');
sql(q{SELECT alter_topic('orders', '{"min.insync.replicas": 2}')});
is(findings(), '', 'as many as the topic wants');
$standby->stop;
poll_until(sub { findings() ne '' }) or die 'the standby is still there';
is_found(qr/acks\|critical\|synchronous_standby_names\|Standbys that a commit waits for: 1; connected: 0\. .*/, 'it is gone');
set_reloaded('synchronous_standby_names', '');
set_reloaded('synchronous_standby_names');
sql(q{SELECT alter_topic('orders', '{"min.insync.replicas": null}')});

# ---- groups that Kafka clients have left --------------------------------------------------------

sql(q{INSERT INTO topic_kafka_groups (group_id, kind, epoch, changed) VALUES ('kafka', 'classic', 1, now());
	INSERT INTO topic_kafka_members (group_id, member_id, client_id, client_host, session_timeout, rebalance_timeout, epoch)
	VALUES ('kafka', 'm', 'app', '/127.0.0.1', 1, 1, 1)});
is_found(qr/kafka_groups\|warning\|consumer group "kafka"\|Kafka clients are members of it, but no listener serves this database: .*/, 'members without a listener');
sql(q{SELECT remove_kafka_members('kafka')});
is(findings(), '', 'they are removed');

# ---- who may not see all ------------------------------------------------------------------------

is($node->safe_psql('postgres', q{SET ROLE "A. b"; SELECT concat_ws('|', check_name, severity, subject, finding, advice) FROM pg_topics_doctor() WHERE severity <> 'ok'}),
	'shared_preload_libraries|unknown|permission denied for view pg_file_settings|Ask as a superuser.', 'a check that takes more rights');

# ---- room, after a restart ----------------------------------------------------------------------

sub restart_with
{
	$node->stop;
	$node->append_conf('postgresql.conf', $_) foreach @_;
	$node->start;
	return;
}

restart_with('pg_topics.max_partitions = 100', 'max_worker_processes = 3');
is_found(qr/worker_processes\|critical\|max_worker_processes\|Databases with topics: 1; worker processes: 3, and 4 are needed: .* deletes and compacts nothing\./, 'too few workers');
restart_with('max_logical_replication_workers = 0');
is(findings(), '', 'enough');
restart_with("pg_topics.kafka_listeners = '127.0.0.1:" . PostgreSQL::Test::Cluster::get_free_port() . '/postgres, 127.0.0.1:'
	. PostgreSQL::Test::Cluster::get_free_port() . "/postgres'");
is_found(qr/worker_processes\|critical\|max_worker_processes\|Databases with topics: 1; processes of Kafka's listeners: 3; worker processes: 3, and 6 are needed: .* compacts nothing, and a listener without its process serves nobody\./, 'too few for a listener');
like(sql(q{SELECT advice FROM pg_topics_doctor() WHERE check_name = 'worker_processes'}), qr/at least 7/, 'which takes three, and one for requests that may wait');
restart_with('max_worker_processes = 6');
is_found(qr/worker_processes\|warning\|max_worker_processes\|Databases with topics: 1; processes of Kafka's listeners: 3; worker processes: 6\. .* REQUEST_TIMED_OUT\./, 'none is left for these');
restart_with('max_worker_processes = 7');
is(findings(), '', 'one is enough');
restart_with("pg_topics.kafka_listeners = ''");
restart_with('max_worker_processes = 8', 'wal_level = minimal', 'max_wal_senders = 0', 'pg_topics.adopt_log_dir = on');
is_found(qr/wal\|warning\|wal_level\|.*\nrepair_settings\|warning\|pg_topics\.adopt_log_dir\|.*/, 'no WAL for standbys, and files of any cluster');
restart_with('wal_level = replica', 'pg_topics.adopt_log_dir = off', 'max_files_per_process = 72');
is(findings(), '', 'as before');
sql(q{SELECT create_topic('wide', 76)});
is(findings(), qq{open_files|notice|max_files_per_process|} . findings_of_files(), 'more partitions than files');
sub findings_of_files { return sql(q{SELECT finding FROM pg_topics_doctor() WHERE check_name = 'open_files'}); }
sql(q{SELECT alter_topic('wide', '{"partitions": 78}')});
like(findings(), qr/^max_partitions\|warning\|pg_topics\.max_partitions\|80 of 100 partitions are taken\./m, 'little room');
sql(q{SELECT alter_topic('wide', '{"partitions": 98}')});
like(findings(), qr/^max_partitions\|critical\|pg_topics\.max_partitions\|100 of 100 partitions are taken\./m, 'no room');
sql('DROP FOREIGN TABLE wide');

# the limit of the system, which the server inherits
system_or_bail('prlimit', "--pid=$$", '--nofile=300:');
restart_with('max_files_per_process = 1000');
is_found(qr/open_files\|warning\|max_files_per_process\|The system lets each process of the server open 300 files, fewer than max_files_per_process = 1000\./, 'a low limit of the system');
$node->stop;

done_testing();
