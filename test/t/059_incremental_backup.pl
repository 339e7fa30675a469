# Incremental backups and pg_combinebackup (since 17): combined, the topics are as they were at
# the last increment, whatever was appended, compacted, truncated and dropped between.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

chomp(my $version = `pg_config --version`);
plan skip_all => "incremental backups come with PostgreSQL 17, this is $version" if ($version =~ /(\d+)/)[0] < 17;

my $primary = new_node('primary', init => { allows_streaming => 1, has_archiving => 1 }, settings => ['summarize_wal = on']);
$primary->start;
create_load_schema($primary);
$primary->safe_psql('postgres', q{
	SELECT create_topic('changed', config => '{"cleanup.policy": "compact", "segment.bytes": 4096}');
	INSERT INTO changed (key, value) SELECT 'key ' || n % 10, repeat('x', 100) FROM generate_series(1, 500) AS n;
	SELECT create_topic('emptied');
	INSERT INTO emptied (value) SELECT n FROM generate_series(1, 100) AS n;
	SELECT create_topic('doomed');
	INSERT INTO doomed (value) SELECT n FROM generate_series(1, 100) AS n});

# A backup under load, the next of the chain.
my @chain;
sub next_backup
{
	my $load = start_load($primary, clients => 2);
	my $name = 'backup' . @chain;
	my @incremental = @chain ? ('--incremental', $primary->backup_dir . "/$chain[-1]/backup_manifest") : ();

	$primary->poll_query_until('postgres', 'SELECT count(*) > 100 * ' . (@chain + 1) . ' FROM sent') or die 'no load';
	$primary->backup($name, backup_options => [@incremental]);
	push @chain, $name;
	stop_load($primary, $load);
	return;
}

next_backup();
$primary->safe_psql('postgres', q{
	SELECT count(*) FROM compact('changed');
	INSERT INTO changed (key, value) VALUES ('key 1', 'new')});
$primary->safe_psql('postgres', 'TRUNCATE emptied');
$primary->safe_psql('postgres', q{INSERT INTO emptied (value) VALUES ('after'); DROP FOREIGN TABLE doomed});
next_backup();
$primary->safe_psql('postgres', q{INSERT INTO emptied (value) VALUES ('the last')});
my %expected = map { $_ => contents($primary, $_) } qw(changed emptied);
next_backup();

# the topics are in each increment whole, tables are not
my $increment = $primary->backup_dir . "/$chain[-1]";
my @whole = glob("$increment/pg_topics/*/*/*.log");
cmp_ok(scalar @whole, '>', 3, 'an incremental backup has the segments of all topics');
ok(!grep({ /INCREMENTAL/ } glob("$increment/pg_topics/*/*/*")),
	'an incremental backup has the files of topics whole');
ok(scalar(grep { /INCREMENTAL/ } glob("$increment/base/*/*")),
	'an incremental backup has only the changed blocks of tables');

my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($primary, $chain[-1], combine_with_prior => [ @chain[ 0 .. $#chain - 1 ] ]);
command_ok([ 'pg_verifybackup', '-n', '-i', 'postgresql.conf', $restored->data_dir ],
	'pg_verifybackup finds no damage in the combined backup but for its configuration');
$restored->append_conf('postgresql.conf', 'archive_mode = off');
$restored->start;
end_prepared($restored);
check_events($restored, 'restored from a combined backup, topic and table have the same records');
ok(contents($restored, $_) eq $expected{$_},
	"restored from a combined backup, the topic $_ is as it was at the last increment") foreach sort keys %expected;
is($restored->safe_psql('postgres', q{SELECT to_regclass('doomed') IS NULL}), 't',
	'restored from a combined backup, a topic that was dropped does not exist');
is($restored->safe_psql('postgres', q{SELECT count(*) FROM verify_topic('events')}), '0',
	'restored from a combined backup, the topic has no damage');
finish_load(start_load($restored, clients => 2, transactions => 20));
end_prepared($restored);
kill_all($restored);
$restored->start;
check_events($restored, 'after more load and a crash topic and table have the same records');
$restored->stop;
$primary->stop;

done_testing();
