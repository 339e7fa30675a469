# pg_upgrade and the command that brings the records after it, pg_topics_upgrade: from this
# major to itself, and from each older one that is installed beside it.  Whatever is forgotten,
# broken off or done twice: the new server either has every record or does not start.
use strict;
use warnings;

use Cwd;
use File::Basename;
use File::Path;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

# ---- helpers -------------------------------------------------------------------

my ($from, $old);      # how the older server is called in test names; the old cluster
my $tablespace;        # where a tablespace of it is, or ""
my $marks_columns;     # whether this server marks columns, see marks_columns()
my $new_programs;      # a directory with programs in place of the new server's, or nothing
my %config;            # by node: the directory of its configuration, where that is one of its own

# Where an older server with the extension is installed, by major.
sub older_servers
{
	my %found;

	foreach my $directory (glob('/usr/lib/postgresql/*'))
	{
		my ($major) = $directory =~ m{/(\d+)$} or next;
		$found{$major} = $directory
		  if -x "$directory/bin/pg_topics_upgrade" && $major < own_major();
	}
	return %found;
}

sub own_major
{
	chomp(my $version = `pg_config --version`);
	return $version =~ /(\d+)/ ? $1 : die "no major in $version";
}

# A new cluster for pg_upgrade.
sub make_new
{
	my ($name, %params) = @_;
	my $node = PostgreSQL::Test::Cluster->new("${name}_from_$from");
	my @extra = $old->pg_version < 18 && own_major() >= 18 ? ('--no-data-checksums') : ();

	$node->init(extra => [ @{ $params{extra} // \@extra } ]);
	configure_node($node, @{ $params{settings} // [] });
	return $node;
}

# Have a node's configuration in a directory of its own, as Debian's clusters do.
sub move_configuration
{
	my ($node) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();

	foreach my $file (qw(postgresql.conf pg_hba.conf pg_ident.conf))
	{
		append_to_file("$directory/$file", slurp_file($node->data_dir . "/$file"));
	}
	append_to_file("$directory/postgresql.conf", "data_directory = '" . $node->data_dir . "'\n");
	$config{ $node->name } = $directory;
	return;
}

# The arguments that pg_upgrade takes; where the new server's programs are it knows without -B.
sub upgrade_options
{
	my ($new) = @_;
	my ($old_config, $new_config) = map { $config{ $_->name } // $_->data_dir } $old, $new;
	my @bin = $config{ $new->name } ? () : ('-B', $new_programs // $new->config_data('--bindir'));

	return ('--no-sync', '-b', $old->config_data('--bindir'), @bin,
		'-d', $old_config, '-D', $new_config, '-p', $old->port, '-P', $new->port, '-s', $new->host);
}

# Run pg_topics_upgrade (or "program"): true or false, and what it said.
sub upgrade
{
	my ($new, @arguments) = @_;
	my $program = ($arguments[0] // '') =~ /^pg_/ ? shift @arguments : 'pg_topics_upgrade';
	my $output;

	chdir PostgreSQL::Test::Utils::tempdir() or die $!;
	# as a user would, with nothing of the test's own servers in the environment
	local %ENV = %ENV;
	delete @ENV{qw(PGPORT PGHOST PGDATA)};
	my $done = IPC::Run::run([ $new->config_data('--bindir') . "/$program", @arguments, upgrade_options($new) ],
		'<', \undef, '>&', \$output);
	note($output);
	return ($done, $output);
}

# Each new cluster's tables are in the tablespace as well: make room for the next one's.
sub clear_tablespace
{
	rmtree(glob("$tablespace/PG_" . own_major() . '_*')) if $tablespace;
	return;
}

# A directory with the new server's programs, where pg_resetwal fails at what pg_upgrade has
# to do last, once the tables' files are in place.
sub failing_programs
{
	my $directory = PostgreSQL::Test::Utils::tempdir();
	chomp(my $programs = `pg_config --bindir`);

	symlink($_, "$directory/" . basename($_)) foreach grep { !/pg_resetwal$/ } glob("$programs/*");
	append_to_file("$directory/pg_resetwal", qq{#!/bin/sh
case " \$* " in *" -o "*) exit 1 ;; esac
exec $programs/pg_resetwal "\$@"
});
	chmod 0755, "$directory/pg_resetwal";
	return $directory;
}

# The start must fail; the log of it.
sub failed_start
{
	my ($node, $name) = @_;
	my $log = -s $node->logfile // 0;
	my $started = $node->start(fail_ok => 1);

	ok(!$started, $name);
	$node->stop if $started;
	return slurp_file($node->logfile, $log);
}

# All that the topics show, in both databases.
sub all_contents
{
	my ($node) = @_;
	my $groups = q{SELECT group_id, topic::regclass, partition, committed_offset, owner FROM topic_group_offsets ORDER BY 1, 2::text, 3};
	my $bounds = q{SELECT topic, partition, log_start_offset, log_end_offset, resolved_offset FROM pg_topic_partitions ORDER BY topic::text, partition};

	return join("\n----\n", map({ contents($node, $_) } qw(events changed)), $node->safe_psql('postgres', $groups),
		$node->safe_psql('postgres', $bounds), $node->safe_psql('shop', 'SELECT partition, record_offset, key, value FROM purchases ORDER BY 1, 2'),
		$node->safe_psql('shop', $groups), $node->safe_psql('shop', $bounds));
}

# ---- the old cluster --------------------------------------------------------------

sub make_old
{
	my ($install_path, $name) = @_;

	$old = PostgreSQL::Test::Cluster->new("${name}_$from", $install_path ? (install_path => $install_path) : ());
	$old->init;
	configure_node($old);
	$old->start;
	create_load_schema($old);
	$old->safe_psql('postgres', q{
		SELECT create_topic('doomed');
		INSERT INTO doomed (value) SELECT 'doomed' FROM generate_series(1, 100);
		SELECT create_topic('changed', config => '{"cleanup.policy": "compact", "segment.bytes": 4096}');
		INSERT INTO changed (key, value) SELECT 'key ' || n % 10, repeat('x', 100) FROM generate_series(1, 500) AS n;
		SELECT count(*) FROM compact('changed')});
	$old->safe_psql('postgres', 'DROP FOREIGN TABLE doomed');
	# one that is in another tablespace; pg_upgrade does not take that to the same major
	$tablespace = $install_path ? PostgreSQL::Test::Utils::tempdir() : '';
	$old->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$tablespace'") if $tablespace;
	$old->safe_psql('postgres', 'CREATE DATABASE shop' . ($tablespace ? ' TABLESPACE elsewhere' : ''));
	$old->safe_psql('shop', q{
		CREATE EXTENSION pg_topics;
		SELECT create_topic('purchases', partitions => 2);
		SELECT create_topic('untouched', partitions => 2);
		INSERT INTO purchases (partition, key, value) SELECT n % 2, n, 'purchase ' || n FROM generate_series(1, 200) AS n;
		CREATE ROLE accountant;
		GRANT SELECT ON purchases TO accountant;
		SET ROLE accountant;
		SELECT count(*) FROM consume('purchases', 'accounting', max_records => 50);
		RESET ROLE;
		SELECT count(*) FROM consume('purchases', 'leased', member_id => 'm', max_records => 30)});
	finish_load(start_load($old, clients => 2, transactions => 40));
	end_prepared($old);
	wait_resolved($old);
	return;
}

# Whether the old server gives columns an option that servers of an earlier release do not
# know: those restore no foreign table of it.
sub marks_columns
{
	return $old->safe_psql('postgres', q{
		SELECT count(*) > 0 FROM pg_attribute WHERE attrelid = 'events'::regclass AND attoptions::text ~ 'pg_attver'}) eq 't';
}

# ---- one older major ----------------------------------------------------------------

# What pg_upgrade has done to the new cluster's catalogs is sound: nothing has kept it
# from freezing them.
sub check_frozen
{
	my ($new) = @_;

	$new->safe_psql('shop', 'CREATE EXTENSION amcheck');
	is($new->safe_psql('shop', q{
		SELECT c.oid::regclass, v.msg FROM pg_class c, verify_heapam(c.oid) AS v
		WHERE relkind IN ('r', 'm') AND relpersistence = 'p'}), '',
		"$from: no row is older than relfrozenxid of its table");
	return;
}

sub check_new
{
	my ($new, $expected, $name) = @_;

	ok(all_contents($new) eq $expected, "$from, $name: all records and offsets are there")
	  or diag(all_contents($new) . "\n======== expected\n$expected");
	check_events($new, "$from, $name: topic and table have the same records");
	is($new->safe_psql('shop', q{SELECT count(*) FROM verify_topic('purchases')}), '0',
		"$from, $name: verify_topic() finds no damage");
	is($new->safe_psql('shop', q{SET ROLE accountant; SELECT count(*) FROM consume('purchases', 'accounting', max_records => 1000)}), '150',
		"$from, $name: a consumer group goes on at its committed offset, with its owner");
	$new->safe_psql('shop', q{SELECT produce('untouched', 'k', 'v', partition => 1)});
	is($new->safe_psql('shop', 'SELECT partition, record_offset, value FROM untouched'), '1|0|v',
		"$from, $name: a record can be produced to a topic that had none");
	check_frozen($new);
	finish_load(start_load($new, clients => 2, transactions => 20));
	end_prepared($new);
	kill_all($new);
	$new->start;
	check_events($new, "$from, $name: after more load and a crash topic and table have the same records");
	wait_resolved($new);
	$new->restart;
	ok(!-e $new->data_dir . '/pg_topics/adopt', "$from, $name: the topics' files belong to the new cluster");
	return;
}

sub test_upgrade
{
	my ($install_path) = @_;

	make_old($install_path, 'old');
	my $expected = all_contents($old);
	my ($done, $output, $log);

	$marks_columns //= marks_columns();
	return test_older_release($expected) if marks_columns() && !$marks_columns;

	# a prepared transaction
	$old->safe_psql('postgres', q{BEGIN; SELECT send(9, 1, 1, 0, 10); PREPARE TRANSACTION 'open'});
	$old->stop;
	my $new = make_new('first');
	($done, $output) = upgrade($new);
	ok(!$done, "$from: with a prepared transaction pg_topics_upgrade is refused");
	like($output, qr/prepared transactions/, "$from: the error names prepared transactions");
	$old->start;
	$old->safe_psql('postgres', q{ROLLBACK PREPARED 'open'});
	wait_resolved($old);
	$expected = all_contents($old);

	# what is to be seen to before
	($done, $output) = upgrade($new);
	ok(!$done && $output =~ /the server in .* runs/,
		"$from: with the old server running pg_topics_upgrade is refused");
	$old->stop;
	my $original = join(' ', map { "$_ " . -s } sort glob($old->data_dir . '/pg_topics/*/*/*'));

	$new->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
	($done, $output) = upgrade($new);
	ok(!$done && $output =~ /the new server does not load pg_topics/,
		"$from: where the new server does not load the library pg_topics_upgrade is refused");
	$new->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'pg_topics'");
	$new->append_conf('postgresql.conf', 'pg_topics.max_partitions = 5');
	($done, $output) = upgrade($new);
	ok(!$done && $output =~ /has room for 5 topic partitions, the old one for 1024/,
		"$from: where the new server has a smaller max_partitions pg_topics_upgrade is refused");
	$new->adjust_conf('postgresql.conf', 'pg_topics.max_partitions', undef);
	my $different = make_new('different', extra => [ $old->pg_version < 18 ? '--data-checksums' : '--no-data-checksums' ]);
	($done, $output) = upgrade($different);
	ok(!$done && $output =~ /data checksums/,
		"$from: where only one server has data checksums pg_topics_upgrade is refused");
	like($output, qr/hint: .*initdb --(no-)?data-checksums/, "$from: the hint says how to make the new cluster with the same checksums");
	foreach my $shortened ('--lin', '--old-data=' . $old->data_dir)
	{
		($done, $output) = upgrade($new, $shortened);
		ok(!$done && $output =~ /option "--(lin|old-data)" is shortened/,
			"$from: the shortened option $shortened is refused");
	}
	($done, $output) = upgrade($new, '-kj2');
	ok(!$done && $output =~ /give the options one by one, instead of "-kj2"/,
		"$from: several options in one word are refused");
	($done, $output) = upgrade($new, '--check');
	ok($done, "$from: pg_topics_upgrade --check succeeds");
	ok(!-e $new->data_dir . '/pg_topics_upgrade.done', "$from: pg_topics_upgrade --check upgrades nothing");

	# the recipe forgotten: pg_upgrade alone
	($done, $output) = upgrade($new, 'pg_upgrade');
	ok($done, "$from: pg_upgrade alone succeeds");
	$log = failed_start($new, "$from: the new server does not start without the records");
	like($log, qr/FATAL:  the records of this cluster's topics are missing/,
		"$from: the log says that the records are missing");
	like($log, qr/HINT:  Do not run delete_old_cluster\.sh yet.*pg_topics_upgrade --topics-only/,
		"$from: the hint says to run pg_topics_upgrade --topics-only");
	$new->append_conf('postgresql.conf', 'pg_topics.adopt_log_dir = on');
	failed_start($new, "$from: with adopt_log_dir the new server does not start without the records either");
	$new->adjust_conf('postgresql.conf', 'pg_topics.adopt_log_dir', undef);
	($done, $output) = upgrade($new);
	ok(!$done && $output =~ /--topics-only/,
		"$from: after pg_upgrade a second run is refused and --topics-only recommended");

	# broken off half way, at each copy that there is to make
	my $fake = PostgreSQL::Test::Utils::tempdir();
	append_to_file("$fake/cp", qq{#!/bin/sh
echo >>$fake/calls
[ "\$(wc -l <$fake/calls)" != "\$(cat $fake/stop)" ] || kill -KILL \$PPID
exec /bin/cp "\$@"
});
	chmod 0755, "$fake/cp";
	for (my $stop = 1;; $stop++)
	{
		unlink "$fake/calls", "$fake/stop";
		append_to_file("$fake/calls", '');
		append_to_file("$fake/stop", "$stop\n");
		local $ENV{PATH} = "$fake:$ENV{PATH}";
		($done, $output) = upgrade($new, '--topics-only');
		last if $done;
		$log = failed_start($new,
			"$from: where copying was broken off at file $stop the server does not start");
		like($log, qr/the records of this cluster's topics are missing/,
			"$from: where copying was broken off at file $stop the log says that records are missing");
		die 'no end' if $stop > 20;
	}
	like($output, qr/The topics are complete/,
		"$from: pg_topics_upgrade --topics-only can be repeated until all topics are complete");
	like($output, qr/To go back: stop the new server and start the old one/,
		"$from: pg_topics_upgrade says how to go back to the old server");
	($done, $output) = upgrade($new, '--topics-only');
	ok($done && $output =~ /complete already/,
		"$from: where the topics are complete pg_topics_upgrade does nothing");
	$new->start;
	check_new($new, $expected, 'copied');
	$new->stop;
	($done, $output) = upgrade($new, '--topics-only');
	ok(!$done && $output =~ /the new cluster has records already/,
		"$from: once the new server has records of its own pg_topics_upgrade is refused");
	is(join(' ', map { "$_ " . -s } sort glob($old->data_dir . '/pg_topics/*/*/*')), $original,
		"$from: copying leaves the topics' files of the old cluster as they are");
	$old->start;
	ok(all_contents($old) eq $expected, "$from: the old server has all records after copying");
	$old->stop;

	test_clone($expected);
	test_half_linked($expected);

	# in one go, with links
	clear_tablespace();
	my $linked = make_new('linked');
	move_configuration($_) foreach $old, $linked;
	($done, $output) = upgrade($linked, '--link');
	ok($done, "$from: pg_topics_upgrade --link succeeds");
	like($output, qr/before the new server has been started/,
		"$from: pg_topics_upgrade --link says until when the old server can be used again");
	my ($segment) = glob($linked->data_dir . '/pg_topics/*/*/*.log');
	is((stat $segment)[3], 2, "$from: the new cluster's segments are links to the old ones");
	($done, $output) = upgrade($linked, '--link');
	ok($done && $output =~ /complete already/,
		"$from: where the topics are complete pg_topics_upgrade does nothing");
	# the old cluster goes, as delete_old_cluster.sh does it
	rmtree($old->data_dir . '/pg_topics');
	$linked->start;
	check_new($linked, $expected, 'linked');
	$linked->stop;
	return;
}

# The new major in a minor release before the old one's, which pg_upgrade finds too late.
sub test_older_release
{
	my ($expected) = @_;
	my $new = make_new('first');

	$old->stop;
	foreach my $option ('--check', '--copy')
	{
		my ($done, $output) = upgrade($new, $option);
		ok(!$done && $output =~ /the new server's minor release is older than the old one's/,
			"$from: with $option a new server of an earlier minor release is refused");
		like($output, qr/hint: Update the new server to its newest minor release first/,
			"$from: the hint says to update the new server");
	}
	ok(!-e $new->data_dir . '/pg_upgrade_output.d',
		"$from: an earlier minor release is refused before pg_upgrade begins");
	my ($done, $output) = upgrade($new, 'pg_upgrade', '--copy');
	ok(!$done && $output =~ /Restoring database schemas.*failure/s,
		"$from: pg_upgrade alone fails while it restores the schemas");
	$old->start;
	ok(all_contents($old) eq $expected, "$from: after pg_upgrade has failed the old server has all records");
	$old->stop;
	return;
}

# Clones, where the file system has them; the old cluster stays as it is.
sub test_clone
{
	my ($expected) = @_;
	my $new = make_new('cloned');

	clear_tablespace();
	my ($done, $output) = upgrade($new, '--clone');
	SKIP:
	{
		like($output, qr/the records cannot be cloned/,
			"$from: where the file system has no clones --clone is refused") if !$done;
		ok(!-e $new->data_dir . '/pg_topics_upgrade.done',
			"$from: where the file system has no clones nothing is upgraded") if !$done;
		skip 'this file system has no clones', 1 if !$done;
		$new->start;
		check_new($new, $expected, 'cloned');
		$new->stop;
		$old->start;
		ok(all_contents($old) eq $expected, "$from: the old server has all records after cloning");
		$old->stop;
	}
	return;
}

# pg_upgrade that fails after it has linked the tables' files and put the old cluster's
# control file away.
sub test_half_linked
{
	my ($expected) = @_;
	my $new = make_new('half');

	clear_tablespace();
	$new_programs = failing_programs();
	my ($done, $output) = upgrade($new, '--link');
	undef $new_programs;
	ok(!$done && $output =~ /error: pg_upgrade has failed/,
		"$from: where pg_upgrade fails near its end pg_topics_upgrade reports it");
	ok(-e $old->data_dir . '/global/pg_control.old',
		"$from: pg_upgrade has failed after it renamed the old control file");
	($done, $output) = upgrade($new, '--link', '--topics-only');
	ok(!$done && $output =~ /pg_upgrade has not come to its end in the new cluster/,
		"$from: pg_topics_upgrade is refused where pg_upgrade has not ended");
	failed_start($new, "$from: the new server does not start where pg_upgrade has not ended");
	# as pg_upgrade's manual has it
	rename($old->data_dir . '/global/pg_control.old', $old->data_dir . '/global/pg_control') or die $!;
	$old->start;
	ok(all_contents($old) eq $expected, "$from: the old server has all records once its control file is put back");
	$old->stop;
	return;
}

# 18 can move the old cluster's files, which ends that one.  Before, the old cluster is given
# the checksums that a new one has by default.
sub test_swap
{
	my ($install_path) = @_;
	my ($done, $output);

	make_old($install_path, 'given');
	my $expected = all_contents($old);
	my $refused = marks_columns() && !$marks_columns;
	$old->stop;
	return if $refused;
	my $new = make_new('swapped', extra => []);
	if ($old->pg_version < 18)
	{
		($done, $output) = upgrade($new, '--swap');
		ok(!$done && $output =~ /old one checksums with "(\S+) (--enable) (-D) (\S+)"/,
			"$from: with --swap the hint says how to turn on checksums in the old cluster");
		command_ok([ $1, $2, $3, $4 ], "$from: the command in the hint turns checksums on");
	}
	($done, $output) = upgrade($new, '--swap');
	my $script = getcwd() . '/delete_old_cluster.sh';
	ok($done, "$from: pg_topics_upgrade --swap succeeds");
	like($output, qr/There is no way back but a backup/,
		"$from: pg_topics_upgrade --swap says that there is no way back");
	unlike($output, qr/To go back/, "$from: pg_topics_upgrade --swap shows no way back");
	($done, $output) = upgrade($new, '--swap');
	ok($done && $output =~ /complete already/,
		"$from: where the topics are complete pg_topics_upgrade does nothing");
	command_ok([$script], "$from: delete_old_cluster.sh succeeds after --swap");
	ok(!-e $old->data_dir, "$from: delete_old_cluster.sh removes the old cluster's directory");
	$new->start;
	check_new($new, $expected, 'swapped');
	$new->stop;
	return;
}

my %older = older_servers();
$from = own_major();
test_upgrade();
test_swap() if own_major() >= 18;
foreach my $major (sort keys %older)
{
	$from = $major;
	test_upgrade($older{$major});
	test_swap($older{$major}) if own_major() >= 18;
}
SKIP:
{
	# 15 is the oldest that is supported
	skip('no older server is installed beside this one', 1) if !%older && own_major() > 15;
	pass('pg_topics_upgrade works from each installed older server: ' . join(' ', sort keys %older));
}

done_testing();
