#!/usr/bin/env perl
# What several files say about a release must agree: the version, which
# pg_topics.control states, the license, and what a build needs.  META.json must also
# follow PGXN's specification, version 1.0.0.  What released versions have left can be read
# and updated.  Needs no server; "make unit" runs it.
use strict;
use warnings;

use Digest::SHA qw(sha1_hex);
use FindBin;
use JSON::PP;
use Test::More;

my $top = "$FindBin::RealBin/../..";

sub text_of
{
	my ($name) = @_;

	open(my $file, '<', "$top/$name") or die "$name: $!";
	local $/;
	return scalar <$file>;
}

sub found
{
	my ($name, $pattern) = @_;

	return text_of($name) =~ $pattern ? $1 : "nothing like $pattern";
}

# ---- one version ---------------------------------------------------------------

my $version = found('pg_topics.control', qr/^default_version = '(\d+\.\d+(?:\.\d+)?)'$/m);
# PGXN wants three numbers
my $semantic = $version =~ /^\d+\.\d+$/ ? "$version.0" : $version;
my $meta = decode_json(text_of('META.json'));

is($meta->{version}, $semantic, 'META.json: the version of the distribution');
is($meta->{provides}{pg_topics}{version}, $semantic, 'META.json: the version of the extension');
is($meta->{provides}{pg_topics}{file}, "sql/pg_topics--$version.sql", 'META.json: the SQL file is of that version');
is(found('CHANGELOG.md', qr/^## (\S+)/m), $version, 'CHANGELOG.md: the newest version');
is(found('debian/changelog', qr/\Apg-topics \((.+)-[^-]+\)/), $version, 'debian/changelog: the upstream version');

# ---- META.json by the specification ----------------------------------------------

my $semantic_version = qr/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?$/;
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3
  gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib
  open_source restricted unrestricted unknown);
my %known = map { $_ => 1 } qw(abstract description generated_by license maintainer meta-spec name no_index prereqs
  provides release_status resources tags version);

ok(defined $meta->{$_}, "META.json: $_ is there")
  for qw(name version abstract maintainer license provides meta-spec);
is(join(' ', grep { !$known{$_} && !/^x_/i } sort keys %$meta), '', 'META.json: no unknown key');
like($meta->{name}, qr{^[^\s/\\\p{Cntrl}]{2,}$}, 'META.json: the name');
like($meta->{version}, $semantic_version, 'META.json: the version is a semantic one');
ok($licenses{ $meta->{license} }, 'META.json: the license is one of the list');
is($meta->{'meta-spec'}{version}, '1.0.0', 'META.json: the version of the specification');
like($meta->{release_status} // 'stable', qr/^(?:stable|testing|unstable)$/, 'META.json: the status');
for my $extension (sort keys %{ $meta->{provides} })
{
	my $provided = $meta->{provides}{$extension};

	like($provided->{version}, $semantic_version, "META.json: $extension has a semantic version");
	ok(-f "$top/$provided->{$_}", "META.json: $extension, the $_ is there") for qw(file docfile);
}
for my $phase (sort keys %{ $meta->{prereqs} })
{
	like($phase, qr/^(?:configure|build|test|runtime|develop)$/, "META.json: $phase is a phase");
	for my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		like($relation, qr/^(?:requires|recommends|suggests|conflicts)$/, "META.json: $relation is a relation");
		like($_, $semantic_version, 'META.json: a prerequisite has a semantic version')
		  for values %{ $meta->{prereqs}{$phase}{$relation} };
	}
}
is(join(' ', grep { !/^[^\/\\\p{Cntrl}]{1,255}$/ } @{ $meta->{tags} }), '', 'META.json: all tags are valid');

# ---- one license, one list of libraries -------------------------------------------

sub words { return join(' ', split(' ', shift)); }

my ($terms) = text_of('LICENSE') =~ /(Permission to use.*)/s;
my ($copied) = text_of('debian/copyright') =~ /(Permission to use.*)/s;
$copied =~ s/^ \.$//mg;
is(words($copied), words($terms), 'debian/copyright has the text of LICENSE');
is($meta->{license}, 'postgresql', 'META.json names that license');

my ($packages) = text_of('test/supported.sh') =~ /^build_packages=\((.*?)\)/ms;
my @libraries = grep { /-dev$/ && !/^libc6/ } split(' ', $packages);
ok(@libraries > 3, 'test/supported.sh lists the libraries of a build');
for my $library (@libraries)
{
	like(text_of('debian/control.in'), qr/^ \Q$library\E,$/m, "debian/control.in: $library is needed for a build");
	like(text_of('README.md'), qr/\b\Q$library\E\b/, "README.md: $library is needed for a build");
}
is(text_of('debian/control.in') =~ s/PGVERSION/15/gr, text_of('debian/control'), 'debian/control is made from debian/control.in');

# ---- one list of majors --------------------------------------------------------------

my @majors = split ' ', found('test/supported.sh', qr/^majors=\((.*?)\)/m);
is($meta->{prereqs}{runtime}{requires}{PostgreSQL}, "$majors[0].0.0", 'META.json: the oldest major');
is(text_of('debian/pgversions'), "$majors[0]+\n", 'debian/pgversions: the oldest major');
like(text_of('README.md'), qr/supported majors, $majors[0] to $majors[-1]\b/, 'README.md: the majors');
my ($package_version) = text_of('debian/changelog') =~ /\Apg-topics \((.+?)\)/;
like(text_of('README.md'), qr/-pg-topics_\Q$package_version\E~deb/, 'README.md: the version of the package');

# ---- formats, fixtures and updates --------------------------------------------------

# The names and contents of the lines of test/unit/formats.
sub formats_in { return map { /^(.*?): (.*)$/ ? ($1 => $2) : () } split /\n/, shift; }

# Can a chain of the scripts sql/pg_topics--OLD--NEW.sql lead from one version to another?
sub can_update
{
	my ($from, $to) = @_;
	my @updates = map { m{/pg_topics--(.+)--(.+)\.sql$} ? [ $1, $2 ] : () } glob("$top/sql/*.sql");
	my %reached = ($from => 1);

	for (@updates)
	{
		$reached{ $_->[1] } = 1 for grep { $reached{ $_->[0] } } @updates;
	}
	return $reached{$to};
}

# Nothing is left to be done for a version that is or was released.
sub check_released
{
	my ($of, $formats) = @_;

	ok(scalar(() = glob("$top/test/fixtures/$of/pg*.tar.xz")), "test/fixtures/$of: released data of this version is there")
	  or diag("Version $of is released, so later ones must read its data: run test/fixtures/make in its tree and commit what it makes.");
	is(substr(sha1_hex(text_of("sql/pg_topics--$of.sql")), 0, 12), ($formats->{'SQL objects'} // '') =~ /script (\w+)/ ? $1 : 'none',
		"sql/pg_topics--$of.sql: as it was released")
	  or diag($of eq $version ? "The SQL script has changed since test/fixtures/$of was made: run test/fixtures/make and commit what it makes." :
		"The script of a released version is never edited: write sql/pg_topics--$of--NEW.sql.");
	ok(can_update($of, $version), "sql: the extension can be updated from $of to $version")
	  or diag("Write sql/pg_topics--$of--$version.sql: without it ALTER EXTENSION pg_topics UPDATE fails.");
	ok($of eq $version || text_of('src/util/sql_version.c') =~ /\{"\Q$of\E", (?:true|false)\},/, "src/util/sql_version.c: knows version $of")
	  or diag("Add $of to its table of versions, or the library takes the objects of $of for newer ones than it serves.");
	return;
}

# What an earlier version has written can be read, and is told from what the tree writes.
sub check_read
{
	my ($of, $formats, $now) = @_;

	for my $format (sort grep { $_ ne 'SQL objects' } keys %$formats)
	{
		my ($old, $old_layout) = $formats->{$format} =~ /^version (\d+),.* layout (\w+)$/;
		my ($new, $oldest, $layout) = ($now->{$format} // '') =~ /^version (\d+), read from (\d+), layout (\w+)$/;

		ok(defined $new && $oldest <= $old && $old <= $new, "$format: those of version $of are read")
		  or diag("pg_topics $of writes version $old of $format, and this tree does not read it any more.");
		ok(!defined $new || $new != $old || $layout eq $old_layout, "$format: a layout other than that of version $of has another number")
		  or diag("The layout of $format has changed, and released servers have files or WAL of version $old: make it version "
			  . ($old + 1) . ', and let readers go on with the old one.');
	}
	return;
}

my $printed = qx("$top/test/unit/formats" "$top");
my %now = formats_in($printed);
is($?, 0, 'test/unit/formats finds all formats');
my $is_released = text_of('CHANGELOG.md') !~ /^## \Q$version\E \(unreleased\)/m;
my @in_changelog = text_of('CHANGELOG.md') =~ /^## (\S+)/mg;

for my $of (@in_changelog)
{
	my %formats = -e "$top/test/fixtures/$of/formats" ? formats_in(text_of("test/fixtures/$of/formats")) : ();

	check_released($of, \%formats) if $of ne $version || $is_released;
	check_read($of, \%formats, \%now) if $of ne $version;
}

# a version that is being made needs fixtures as soon as it writes something of its own
my ($nearest) = grep { -e "$top/test/fixtures/$_/formats" } @in_changelog;
ok(defined $nearest, 'there are fixtures') or BAIL_OUT('run test/fixtures/make');
my %of_fixtures = formats_in(text_of("test/fixtures/$nearest/formats"));
for my $format (sort grep { $_ ne 'SQL objects' } keys %now)
{
	is($now{$format}, $of_fixtures{$format}, "$format: the fixtures of version $nearest have what the tree writes")
	  or diag("The format of $format has changed since test/fixtures/$nearest was made. "
		  . 'Run test/fixtures/make (for each supported major whose archive is there) and commit what it makes; test/fixtures/README.md tells more.');
}

# ---- the manual page ------------------------------------------------------------------

my $page = text_of('bin/pg_topics_upgrade.1') =~ s/\\-/-/gr;
my ($options) = text_of('bin/pg_topics_upgrade') =~ /^parse_options\(\)(.*?)^\}/ms;
my %named = map { $_ => 1 } grep { !/^--(?:jobs|socketdir|username|sync-method|set-char-signedness|old-|new-)/ } $options =~ /(--[a-z-]+)/g;
ok(keys %named > 8, 'pg_topics_upgrade has options');
like($page, qr/\Q$_\E\b/, "bin/pg_topics_upgrade.1: $_ is there") for sort keys %named, qw(--old-bindir --new-bindir --old-datadir --new-datadir);

done_testing();
