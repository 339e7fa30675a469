# The SQL of README.md and docs/ does what the pages say: each page is followed from its
# top to its end in a fresh database, each block succeeds or fails with the error that the
# page shows, and output that is shown is the output.  Links lead somewhere.
# Pictures are as their script draws them.  The reference has all options and settings.
#
# test/perl/DocPage.pm says how blocks are marked that need something special.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use DocPage;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $top = "$FindBin::RealBin/../..";

# ---- the test's own rules ----------------------------------------------------

my @example = DocPage::blocks(<<'PAGE');
Text.

```sql
SELECT 1;
```

```text
 1
```

- In a list:

  <!-- test: terminal 2, waits -->
  ```sql
    SELECT 2;
  ```
<!-- test: skip, needs a standby -->
But not here.
```sql
SELECT 3;
```
PAGE
is(join('|', map { "$_->{line} $_->{language} $_->{how}" } @example),
	'4 sql |8 text |15 sql terminal 2, waits|20 sql ', 'a page is taken apart into its blocks');
is($example[0]{shown}, " 1\n", 'a text block is the output of the SQL block before it');
is($example[2]{text}, "  SELECT 2;\n", 'the indentation of a list is no part of its blocks');
ok(!eval { DocPage::manner('skip') }, 'a block is not skipped without a reason');
ok(DocPage::is_shown(" at\n----\n 2024-01-01 00:00:00+00\n a...z", "BEGIN\n at\n-------\n 2026-11-29 10:00:00.123+00\n abcz\n"),
	'times and the width of columns may differ from what is shown, and dots stand for anything');
ok(!DocPage::is_shown(' 1', " 2\n"), 'other output is noticed');
ok(!DocPage::is_shown(" 1\n 3", " 1\n 2\n 3\n"), 'so is a line that is not shown between others');
is(join('|', DocPage::surprises("ERROR:  shown\n", "ERROR:  shown\nERROR:  not shown\nNOTICE:  no matter\n")),
	'ERROR: not shown', 'an error that is not shown is noticed');
is(join('|', DocPage::stray_sql("    SELECT 1;\n```sql\n    SELECT 2;\n```\n    postgres -D x\n")),
	'line 1:     SELECT 1;', 'SQL outside of SQL blocks is noticed');

is(join(' ', DocPage::anchors("# Who's `it`, and a_b?\n```sql\n# no\n```\n## Two\n")), 'whos-it-and-a_b two', 'headings have their names');
is(join(' ', DocPage::links("[a](b.md#c), [d](https://e), ![f](g.svg)\n")), 'b.md#c g.svg', 'links are found');

# ---- links -------------------------------------------------------------------

chdir $top or die "could not enter $top: $!";
my @pages = ('README.md', sort glob 'docs/*.md docs/*/*.md');

# The links of a page that lead nowhere.
sub dead_links
{
	my ($page) = @_;
	my ($folder) = $page =~ m{^(.*/)} ? $1 : '';
	my @dead;

	foreach my $link (DocPage::links(slurp_file($page)))
	{
		my ($file, $anchor) = $link =~ /^([^#]*)#?(.*)$/;
		my $target = $file eq '' ? $page : "$folder$file";
		push @dead, $link
		  if !-e $target || $anchor ne '' && !grep { $_ eq $anchor } DocPage::anchors(slurp_file($target));
	}
	return "@dead";
}
is(dead_links($_), '', "$_: its links lead somewhere") foreach @pages, 'CONTRIBUTING.md', glob 'src/*.md src/*/*.md src/*/*/*.md';
is(join(' ', grep { slurp_file('docs/README.md') !~ /\(\Q$_\E[#)]/ } map { m{^docs/(.+)} && $1 ne 'README.md' ? $1 : () } @pages),
	'', 'the index of the documentation has all pages');

# ---- pictures ----------------------------------------------------------------

SKIP:
{
	skip('there is no python3', 1) if system('python3 -c ""') != 0;
	my $drawn = PostgreSQL::Test::Utils::tempdir();

	system_or_bail('python3', 'docs/pictures/draw', $drawn);
	is_deeply({ map { s{^.*/}{}r => slurp_file($_) } glob "$drawn/*" },
		{ map { s{^.*/}{}r => slurp_file($_) } glob 'docs/pictures/*.svg' },
		'docs/pictures/draw draws the pictures that are there');
}

# ---- the reference -----------------------------------------------------------

# A reader's server: retention and the maintenance workers are as they come.
my $node = new_node('main', settings => [ 'fsync = off', 'pg_topics.log_retention_ms = -2', "timezone = 'UTC'" ]);
$node->start;

# The names that no table of the reference has in its first column; one name stands for
# `pg_topics.a_ms` over `_minutes` too.
sub missing_in_reference
{
	my @cells = slurp_file('docs/reference.md') =~ /^\|([^|]*)\|/mg;
	my %there = map { $_ => 1 } map { /`([^`]+)`/g } @cells;

	return join(' ', grep { !$there{$_} && !(/(_[a-z]+)$/ && $there{$1}) } @_);
}

$node->safe_psql('postgres', 'CREATE EXTENSION pg_topics');
my (undef, undef, $hint) = $node->psql('postgres', q{SELECT create_topic('t', config => '{"no.such.option": 1}')});
my ($options) = $hint =~ /Valid options are: (.*)\.$/m;
is(missing_in_reference(split /, /, $options), '', 'docs/reference.md: a row for each topic option');
is(missing_in_reference(grep { $_ ne 'pg_topics.fault_point' }
			split /\n/, $node->safe_psql('postgres', q{SELECT name FROM pg_settings WHERE name LIKE 'pg\_topics.%'})),
	'', 'docs/reference.md: a row for each setting');

# ---- the pages ---------------------------------------------------------------

my %terminals;

# A psql in the page's database, as a reader has it at a terminal.
sub open_terminal
{
	my $self = { in => '', out => '' };

	$self->{run} = IPC::Run::start([ 'psql', '-X', '-P', 'pager=off', '-d', $node->connstr('shop') ],
		'<', \$self->{in}, '>&', \$self->{out}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $self;
}

# Have a block run, without waiting for its end.
sub begin_block
{
	my ($terminal, $block) = @_;

	$terminal->{out} = '';
	$terminal->{in} .= "$block->{text}\\echo :done:\n";
	$terminal->{run}->pump_nb;
	return;
}

# Wait for the end of a block and judge its output.
sub end_block
{
	my ($terminal, $page, $block) = @_;

	$terminal->{run}->pump until $terminal->{out} =~ /^:done:\n/m;
	(my $output = $terminal->{out}) =~ s/^:done:\n.*//ms;
	my @surprises = DocPage::surprises($block->{shown}, $output);
	my $as_shown = !defined $block->{shown} || DocPage::is_shown($block->{shown}, $output);

	ok(!@surprises && $as_shown, "$page, line $block->{line}: the SQL does what the page says")
	  or diag("$block->{text}gives\n$output", defined $block->{shown} ? "and the page shows\n$block->{shown}" : '');
	return;
}

# Run a page's blocks, one after the other.
sub follow_page
{
	my ($page, @blocks) = @_;
	my $waiting;

	foreach my $block (@blocks)
	{
		my $manner = DocPage::manner($block->{how});
		if ($manner->{skip})
		{
			note("$page, line $block->{line}: not run, $manner->{skip}");
			next;
		}
		my $terminal = $terminals{ $manner->{terminal} // 1 } //= open_terminal();
		begin_block($terminal, $block);
		if ($manner->{waits}) { $waiting = [ $terminal, $page, $block ]; next; }
		end_block($terminal, $page, $block);
		end_block(@$waiting), $waiting = undef if $waiting;
	}
	die "$page: nothing ends the wait in line $waiting->[2]{line}" if $waiting;
	return;
}

# A database as new for the next page, and no roles or settings of the one before.
sub clear_server
{
	$_->{in} = "\\q\n", $_->{run}->finish foreach values %terminals;
	%terminals = ();
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS shop WITH (FORCE)');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
	$node->safe_psql('postgres', q{
		SELECT pg_reload_conf();
		SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND oid <> 10 \gexec
		CREATE DATABASE shop});
	return;
}

foreach my $page (@pages)
{
	my $markdown = slurp_file($page);
	my @sql = grep { $_->{language} eq 'sql' } DocPage::blocks($markdown);

	is(join("\n", DocPage::stray_sql($markdown)), '', "$page: all SQL is in blocks that are run");
	next if !@sql;
	clear_server();
	$node->safe_psql('shop', 'CREATE EXTENSION pg_topics')
	  if !grep { $_->{text} =~ /CREATE EXTENSION pg_topics/ } @sql;
	follow_page($page, @sql);
	# some pages have dropped it, or need none
	like($node->safe_psql('shop', q{
			SELECT relkind, partitions, key_type, value_type
			FROM pg_class LEFT JOIN pg_topics ON topic = oid WHERE relname = 'orders'}),
		qr/^(f\|3\|text\|jsonb)?$/, "$page: orders is the topic that it is on all pages");
}
clear_server();

# ---- a console consumer ------------------------------------------------------

# docs/psql.md: ":console \watch 1" reads again and again what is new.
$node->safe_psql('shop', q{CREATE EXTENSION pg_topics; SELECT create_topic('orders', partitions => 3, value_type => 'jsonb')});
my $console = open_terminal();
begin_block($console, { text => "\\i sql/pg_topics.psql\n\\set topic orders\n\\set group watchers\n:console \\watch 1\n" });
foreach my $item ('book', 'pen')
{
	$node->safe_psql('shop', qq{SELECT produce('orders', '4711', '{"item": "$item"}')});
	ok(poll_until(sub { $console->{run}->pump_nb; $console->{out} =~ /"item": "$item"/ }), "the console consumer shows the $item");
}
$console->{run}->kill_kill;

done_testing();
