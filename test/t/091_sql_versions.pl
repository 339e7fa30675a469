# Files under test: src/util/sql_version.c, sql/*.sql.
# A database's version of the extension and the server's library: an update from each
# version leads to the same objects as a new installation, a C symbol is declared in
# one way in all versions, and a version that the library does not serve is a clear
# error that the documented ways lead out of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main');
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

# The error of the SQL in a session of its own, with its SQLSTATE.
sub error_of
{
	my ($database, $sql) = @_;

	return ($node->psql($database, "\\set VERBOSITY verbose\n$sql"))[2];
}

# ---- what an extension is made of ------------------------------------------------

# A line each.
my $objects = q{
	SELECT translate(line, E'\n', ' ') FROM (
	WITH members AS (
		SELECT d.classid, d.objid, i.type || ' ' || i.identity AS name
		FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid,
			pg_identify_object(d.classid, d.objid, d.objsubid) i
		WHERE d.deptype = 'e' AND e.extname = 'pg_topics')
	SELECT name || ' comment ' || coalesce(obj_description(objid, classid::regclass::name), 'none') AS line FROM members
	UNION ALL
	SELECT name || ' ' || pg_get_functiondef(p.oid) || ' ' || coalesce(p.probin, '') || ' ' || p.prosrc || ' ' || p.proowner::regrole
		|| ' grants ' || coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(p.proacl) a), 'default')
	FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
	UNION ALL
	SELECT name || ' ' || c.relkind::text || ' ' || coalesce(c.reloptions::text, '') || ' ' || coalesce(pg_get_viewdef(c.oid), '') || ' ' || c.relowner::regrole
		|| ' grants ' || coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) a), 'default')
	FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	UNION ALL
	SELECT name || ' column ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
		|| ' ' || a.attcollation::regcollation || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
		|| ' ' || coalesce(col_description(a.attrelid, a.attnum), '')
	FROM members m JOIN pg_attribute a ON m.classid = 'pg_class'::regclass AND a.attrelid = m.objid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	UNION ALL
	SELECT name || ' index ' || pg_get_indexdef(i.indexrelid)
	FROM members m JOIN pg_index i ON m.classid = 'pg_class'::regclass AND i.indrelid = m.objid
	UNION ALL
	SELECT name || ' constraint ' || pg_get_constraintdef(c.oid)
	FROM members m JOIN pg_constraint c ON m.classid = 'pg_class'::regclass AND c.conrelid = m.objid
	UNION ALL
	SELECT name || ' trigger ' || pg_get_triggerdef(t.oid)
	FROM members m JOIN pg_trigger t ON m.classid = 'pg_class'::regclass AND t.tgrelid = m.objid
	UNION ALL
	SELECT name || ' ' || w.fdwhandler::regproc || ' ' || w.fdwvalidator::regproc || ' ' || coalesce(w.fdwacl::text, '') || coalesce(w.fdwoptions::text, '')
	FROM members m JOIN pg_foreign_data_wrapper w ON m.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = m.objid
	UNION ALL
	SELECT name || ' ' || coalesce(s.srvacl::text, '') || coalesce(s.srvoptions::text, '')
	FROM members m JOIN pg_foreign_server s ON m.classid = 'pg_foreign_server'::regclass AND s.oid = m.objid
	UNION ALL
	SELECT name || ' ' || t.evtevent || ' ' || t.evtfoid::regprocedure || ' ' || t.evtenabled::text || ' ' || coalesce(t.evttags::text, '')
	FROM members m JOIN pg_event_trigger t ON m.classid = 'pg_event_trigger'::regclass AND t.oid = m.objid
	UNION ALL
	SELECT 'dumped ' || c.config::regclass || ' ' || c.condition
	FROM pg_extension, unnest(extconfig, extcondition) AS c(config, condition) WHERE extname = 'pg_topics') AS lines
	ORDER BY 1};

my $number = 0;

# A new database with the extension in these versions one after the other.
sub database_with
{
	my ($version, @updates) = @_;
	my $database = 'db' . ++$number;

	sql("CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION pg_topics VERSION '$version'");
	$node->safe_psql($database, "ALTER EXTENSION pg_topics UPDATE TO '$_'") foreach @updates;
	return $database;
}

sub objects_of { return { map { $_ => 1 } split /\n/, $node->safe_psql($_[0], $objects) }; }

# What differs between two, a line each.
sub differences
{
	my ($one, $other) = @_;

	return join "\n", (map { "only updated: $_" } grep { !$other->{$_} } sort keys %$one),
	  (map { "only new: $_" } grep { !$one->{$_} } sort keys %$other);
}

# ---- all versions that were released ------------------------------------------------

my @scripts = map { m{/pg_topics--(.*)\.sql$} } sort glob("$FindBin::RealBin/../../sql/*.sql");
my @versions = grep { !/--/ } @scripts;
my $default = sql(q{SELECT default_version FROM pg_available_extensions WHERE name = 'pg_topics'});
ok((grep { $_ eq $default } @versions), "the default version $default has an installation script");

my %new = map { $_ => objects_of(database_with($_)) } @versions;
cmp_ok(scalar keys %{ $new{$default} }, '>', 150,
	'the comparison finds more than 150 lines about the extension');
foreach my $from (@versions)
{
	foreach my $to (grep { $_ ne $from } @versions)
	{
		my $path = sql("SELECT path FROM pg_extension_update_paths('pg_topics') WHERE source = '$from' AND target = '$to'");

		next if $path eq '';
		is(differences(objects_of(database_with($from, $to)), $new{$to}), '',
			"an update from $from to $to ($path) makes the same objects as an installation");
	}
	next if $from eq $default;
	isnt(sql("SELECT path FROM pg_extension_update_paths('pg_topics') WHERE source = '$from' AND target = '$default'"), '',
		"version $from can be updated to $default");
}

# one that makes all functions anew, and one more
my $again = objects_of(database_with('1.0', 'again'));
is(join("\n", grep { !/is_updated/ } split /\n/, differences($again, $new{'1.0'})), '',
	'an update that creates all functions anew makes the same objects as an installation');
is(scalar(grep { /is_updated/ } keys %$again), 2, 'an update to a version with one function more creates it');

# the comparison sees whatever may be forgotten
my $database = database_with($default);
my $so_far = objects_of($database);
foreach my $change (
	q{COMMENT ON FUNCTION flush() IS 'changed'},
	'REVOKE SELECT ON pg_topics FROM PUBLIC',
	'GRANT EXECUTE ON FUNCTION number_schemas() TO PUBLIC',
	'ALTER FUNCTION flush() STABLE',
	q{ALTER FUNCTION produced() SET search_path = 'pg_catalog'},
	'ALTER TABLE topic_group_offsets ALTER metadata SET NOT NULL',
	'ALTER TABLE topic_group_offsets ALTER lost_records SET DEFAULT 1',
	'ALTER TABLE topic_group_members SET (fillfactor = 90)',
	'CREATE INDEX ON topic_group_offsets (group_id)',
	'ALTER VIEW pg_topic_groups RESET (security_barrier)',
	'REVOKE USAGE ON FOREIGN SERVER topics FROM PUBLIC',
	'ALTER EVENT TRIGGER pg_topics_number_schemas DISABLE',
	q{UPDATE pg_extension SET extcondition = '{a,b}' WHERE extname = 'pg_topics'},
	'ALTER EXTENSION pg_topics DROP VIEW pg_stat_topics')
{
	$node->safe_psql($database, $change);
	my $now = objects_of($database);
	isnt(differences($now, $so_far), '', "the comparison notices $change");
	$so_far = $now;
}

# a symbol has one declaration
my %declared;
foreach my $version (@versions)
{
	foreach my $line (split /\n/, $node->safe_psql(database_with($version), q{
		SELECT p.prosrc || '|' || pg_get_function_identity_arguments(p.oid) || ' ' || coalesce(p.proallargtypes::regtype[]::text, '')
			|| coalesce(p.proargmodes::text, '') || ' returns ' || p.proretset || ' ' || p.prorettype::regtype
		FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		WHERE p.probin LIKE '%pg_topics'}))
	{
		my ($symbol, $declaration) = split /\|/, $line, 2;
		push @{ $declared{$symbol} }, $declaration if !grep { $_ eq $declaration } @{ $declared{$symbol} // [] };
	}
}
is(join("\n", map { "$_: " . join(', ', @{ $declared{$_} }) } grep { @{ $declared{$_} } > 1 } sort keys %declared), '',
	'each C symbol has one declaration in all versions');
cmp_ok(scalar keys %declared, '>', 40, 'the extension has more than 40 C symbols');

# ---- a library that is newer, or older -------------------------------------------------

$database = database_with($default);
$node->safe_psql($database, q{
	SELECT create_topic('events');
	SELECT produce('events', 'k', 'v');
	SELECT seek_to_beginning('events', 'g');
	CREATE TABLE published (id int PRIMARY KEY);
	SELECT publish_table('published')});

# Every C function, called with nulls that the planner does not see; but for those of the type
# topic_role, which a dump needs in any version.
my @calls = split /\n/, $node->safe_psql($database, q{
	SELECT format('SELECT * FROM %I(%s)', p.proname, (
		SELECT string_agg(format('(SELECT NULL::%s)', CASE t WHEN '"any"'::regtype THEN 'text' WHEN 'anyelement'::regtype THEN 'events'
			ELSE t::regtype::text END), ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n)))
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.probin LIKE '%pg_topics' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'fdw_handler'::regtype)
		AND p.proname NOT LIKE 'topic\_role\_%'
	ORDER BY 1});
cmp_ok(scalar @calls, '>', 40, 'more than 40 functions are called with each version');

sub set_version
{
	$node->safe_psql($database, "UPDATE pg_extension SET extversion = '$_[0]' WHERE extname = 'pg_topics'");
	return;
}

sub check_not_served
{
	my ($version, $hint) = @_;
	my $says = qr/ERROR:  55000: extension "pg_topics" is of version \Q$version\E in this database, which the server's library of version \Q$default\E does not serve\nHINT:  $hint/;

	set_version($version);
	foreach my $call (@calls, 'SELECT * FROM events', q{INSERT INTO events (value) VALUES ('v')}, 'INSERT INTO published VALUES (1)',
		q{CREATE FOREIGN TABLE more (partition int, record_offset bigint, value text) SERVER topics}, 'SELECT * FROM pg_topic_groups')
	{
		like(error_of($database, $call), $says, "with version $version this is an error: $call");
	}
	is(error_of($database, 'CREATE TABLE of_user (a int); ALTER TABLE of_user ADD b int; DROP TABLE of_user'), '',
		"with version $version DDL on other tables works");
	command_ok([ 'pg_dump', '-f', PostgreSQL::Test::Utils::tempdir() . '/dump', '-d', $node->connstr($database) ],
		"with version $version pg_dump works");
	return;
}

check_not_served('0.9', qr/Run ALTER EXTENSION pg_topics UPDATE in this database/);
$node->safe_psql($database, 'ALTER EXTENSION pg_topics UPDATE');
is($node->safe_psql($database, q{SELECT produce('events', 'k', 'w'); SELECT count(*) FROM events}), "0\n2",
	'after ALTER EXTENSION UPDATE records can be produced and read');

my $newer = '99.0';
check_not_served($newer, qr/If a newer package has been installed, restart the server .* install the package of version \Q$newer\E or later/);
my $log = -s $node->logfile;
$node->restart;
poll_until(sub { slurp_file($node->logfile, $log) =~ /WARNING:  extension "pg_topics" is of version \Q$newer\E/ }) or die 'no warning';
ok(1, 'the maintenance worker warns of a version that the library does not serve');
is($node->psql($database, 'SELECT 1 FROM pg_class'), 0, 'a database with such a version can be used');

# ---- scripts that are newer than the library ---------------------------------------------

# where test/update begins
set_version('1.0');
my $before = objects_of($database);
like(error_of($database, q{ALTER EXTENSION pg_topics UPDATE TO 'next'}),
	qr/ERROR:  55000: extension "pg_topics" is of version next in this database.*HINT:  If a newer package has been installed, restart the server/s,
	'an update to a version that the loaded library does not know is refused');
is(differences(objects_of($database), $before), '', 'an update that is refused changes no objects');
sql('CREATE DATABASE of_next');
like(error_of('of_next', q{CREATE EXTENSION pg_topics VERSION 'next'}), qr/ERROR:  55000: extension "pg_topics" is of version next/,
	'an installation of a version that the loaded library does not know is refused');
set_version($default);
like(error_of($database, 'ALTER EXTENSION pg_topics UPDATE'), qr/NOTICE: .* version "\Q$default\E" of extension "pg_topics" is already installed/,
	'an update to the installed version gives a notice');

# and out of it altogether
set_version($newer);
is(error_of($database, 'SET client_min_messages = warning; DROP EXTENSION pg_topics CASCADE'), '',
	'the extension can be dropped in a version that the library does not serve');
$node->stop;

done_testing();
