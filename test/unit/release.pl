#!/usr/bin/env perl
# What several files say about a release must agree: the version, which
# pg_topics.control states, the license, and what a build needs.  META.json must also
# follow PGXN's specification, version 1.0.0.  Needs no server; "make unit" runs it.
use strict;
use warnings;

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

done_testing();
