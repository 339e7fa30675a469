# pg_cron runs maintenance on a schedule, as docs/operations.md has it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
my $library = $node->config_data('--pkglibdir') . '/pg_cron.so';
plan skip_all => "there is no $library: Debian's package postgresql-NN-cron has it" unless -e $library;

# Nothing but the schedule applies retention or compacts.
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'pg_topics, pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = on
max_worker_processes = 16
pg_topics.log_retention_check_interval_ms = 2147483647
pg_topics.log_cleaner_enable = off});
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

sql('CREATE EXTENSION pg_topics');
sql('CREATE EXTENSION pg_cron');
sql(q{SELECT create_topic('expires', config => '{"retention.ms": 3600000, "segment.bytes": 1024}')});
sql(q{SELECT create_topic('compacted', config => '{"cleanup.policy": "compact", "segment.bytes": 1024}')});
# the worker's first round is over before there is anything to do
sql(q{SELECT create_topic('other'); SELECT produce('other', 'v')});
ok($node->poll_query_until('postgres', q{SELECT last_run IS NOT NULL FROM pg_stat_topics WHERE topic = 'other'::regclass}),
	'the maintenance worker has had its only round');

foreach my $i (1 .. 20)
{
	sql(qq{INSERT INTO expires (record_timestamp, value) VALUES (now() - interval '1 day', repeat('x', 300));
		SELECT produce('compacted', 'same', repeat('x', 300))});
}
sql(q{SELECT produce('expires', 'k', 'last')});
my ($start, $records) = split /\|/, sql(q{
	SELECT (SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'expires'::regclass),
		(SELECT count(*) FROM compacted)});
is("$start|$records", '0|20', 'without the schedule no records are removed');

sql(q{SELECT cron.schedule('retention', '* * * * *', 'SELECT apply_retention()');
	SELECT cron.schedule('compaction', '* * * * *', 'SELECT * FROM compact()')});
ok($node->poll_query_until('postgres', q{
	SELECT count(DISTINCT jobid) = 2 FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}),
	'pg_cron runs both jobs');
is(sql(q{SELECT DISTINCT status FROM cron.job_run_details WHERE status <> 'running' AND status <> 'starting'}), 'succeeded',
	'both jobs of pg_cron succeed');
cmp_ok(sql(q{SELECT log_start_offset FROM pg_topic_partitions WHERE topic = 'expires'::regclass}), '>', 0,
	'expired segments are deleted by the scheduled job');
is(sql("SELECT count(*) FROM expires WHERE value = 'last'"), '1', 'records that have not expired are there');
is(sql('SELECT count(*) FROM compacted'), '1', 'the scheduled compaction leaves one record of the key');
is(sql('SELECT count(*) FROM cron.job'), '2', 'the jobs stay scheduled');
sql('SELECT cron.unschedule(jobid) FROM cron.job');
$node->stop;

done_testing();
