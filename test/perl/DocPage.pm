# A page of the documentation, for the test that runs its SQL.
#
# Each ```sql block is run, from the top of the page to its end.  A ```text block shows
# the output of the ```sql block before it.  A block may have a comment in the line before
# it that says how it is run:
#
#   <!-- test: skip, REASON -->      not at all
#   <!-- test: terminal 2 -->        in a second session of psql
#   <!-- test: terminal 2, waits --> in a second session, where it waits for what the next
#                                    block does
#
# Before a ```text block, the second one says of which terminal's last block it is the output.
#
# Readers of the rendered page do not see these comments.
package DocPage;

use strict;
use warnings;

# The blocks of a page: hashes of "line" (in the file), "language", "text", "how" (what the
# comment says, or "") and, of an SQL block, "shown": its output as the page shows it.
sub blocks
{
	my ($markdown) = @_;
	my (@blocks, $open, $sql, %last);
	my ($line, $how) = (0, '');

	foreach (split /\n/, $markdown)
	{
		$line++;
		if ($open && /^\s*```\s*$/)
		{
			push @blocks, $open;
			if ($open->{language} eq 'sql')
			{
				$sql = $open;
				$last{ manner($open->{how})->{terminal} // 1 } = $open;
			}
			elsif ($open->{language} eq 'text' && $sql)
			{
				my $of = $open->{how} eq '' ? $sql : $last{ manner($open->{how})->{terminal} };
				$of->{shown} = ($of->{shown} // '') . $open->{text};
			}
			$open = undef;
		}
		elsif ($open) { s/^\Q$open->{indent}\E//; $open->{text} .= "$_\n"; }
		elsif (/^(\s*)```(\w*)\s*$/)
		{
			$open = { line => $line + 1, language => $2, indent => $1, text => '', how => $how };
			$how  = '';
		}
		elsif (/^\s*<!-- test: (.*) -->$/) { $how = $1; }
		elsif (/\S/)                       { $how = ''; }
	}
	die "a block in line $open->{line} has no end\n" if $open;
	return @blocks;
}

# How a block is run: skipped for a reason, or in a terminal, and whether it waits there.
sub manner
{
	my ($how) = @_;

	return {} if $how eq '';
	return { skip => $1 } if $how =~ /^skip, (\S.*\S)$/;
	return { terminal => $1, waits => defined $2 } if $how =~ /^terminal (\d)(, waits)?$/;
	die "there is no way to run a block called \"$how\"\n";
}

# Lines of SQL that stand in the page as plain code, where nothing would run them.
sub stray_sql
{
	my ($markdown) = @_;
	my ($line, $in_block, @found) = (0, 0);

	foreach (split /\n/, $markdown)
	{
		$line++;
		$in_block = !$in_block if /^\s*```/;
		push @found, "line $line: $_"
		  if !$in_block && /^ {4,}(SELECT|INSERT|CREATE|ALTER|BEGIN|UPDATE|SET|COPY|DROP|TRUNCATE|GRANT) ?[^a-z]*.*;?$/;
	}
	return @found;
}

# ---- links -------------------------------------------------------------------

# A page without its blocks, whose text is no markdown.
sub prose
{
	my ($markdown) = @_;

	$markdown =~ s/^\s*```.*?^\s*```\s*$//msg;
	return $markdown;
}

# The names under which a page's headings can be linked to, made as GitHub makes them.
sub anchors
{
	my ($markdown) = @_;

	return map { my $name = lc; $name =~ s/[^\w\- ]//g; $name =~ s/ /-/gr } prose($markdown) =~ /^#+ +(.*?) *$/mg;
}

# Links of a page to files of the tree and to its own headings.
sub links
{
	my ($markdown) = @_;

	return grep { !/^\w+:/ } prose($markdown) =~ /\]\(([^)\s]+)\)/g;
}

# ---- comparing ---------------------------------------------------------------

# Output without what differs from run to run, or by the width of what differs.
sub plain
{
	my ($output) = @_;

	$output =~ s/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?)?/TIME/g;
	$output =~ s/"(ts_ms|xid)": ?\d+/"$1":N/g;
	$output =~ s/\b[0-9A-F]{8}-[0-9A-F]{8}-\d+\b/SNAPSHOT/g;
	$output =~ s/-{2,}/-/g;
	$output =~ s/[ \t]+/ /g;
	return map { s/^ | $//gr } grep { /\S/ } split /\n/, $output;
}

# Are the shown lines in the output, next to each other?  Three dots stand for anything.
sub is_shown
{
	my ($shown, $output) = @_;
	my @shown = map { my $line = quotemeta; $line =~ s/\\\.\\\.\\\./.*/g; qr/^$line$/ } plain($shown);
	my @output = plain($output);

	foreach my $start (0 .. @output - @shown)
	{
		return 1 if !grep { $output[ $start + $_ ] !~ $shown[$_] } 0 .. $#shown;
	}
	return 0;
}

# The errors and warnings in some output that the page does not show.
sub surprises
{
	my ($shown, $output) = @_;
	my %known = map { $_ => 1 } plain($shown // '');

	return grep { /^(ERROR|FATAL|PANIC|WARNING): / && !$known{$_} || /^(\\|invalid command|unrecognized)/ } plain($output);
}

1;
