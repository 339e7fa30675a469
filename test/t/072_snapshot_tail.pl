# File under test: src/query/visible_offsets.c.
# Copy tables with an exported snapshot, then tail a topic from visible_offsets
# of that snapshot: whatever writers do meanwhile, copy and tail together are the
# table.  Changes are sums, so what is missing or comes twice shows.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'max_connections = 40' ]);
$node->start;

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO accounts SELECT i, 0 FROM generate_series(1, 20) i;
	SELECT create_topic('moves', partitions => 3)});
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->safe_psql('copy', 'CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL)');

# ---- what a row says ---------------------------------------------------------

is(sql(q{SELECT string_agg(v::text, ' ') FROM visible_offsets('moves') v}),
	'(0,0,t) (1,0,t) (2,0,t)', 'visible_offsets() gives 0 for each partition of an empty topic');

my $running = open_session($node);
my $reader = open_session($node);
$running->run(q{BEGIN; SELECT produce('moves', '1', '5', partition => 1); SELECT flush()});
sql(q{BEGIN; UPDATE accounts SET balance = 7 WHERE id = 2;
	SELECT produce('moves', '2', '7', partition => 1), produce('moves', '2', '0', partition => 2); COMMIT});
my $visible = q{SELECT string_agg(v::text, ' ') FROM visible_offsets('moves') v};
$reader->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($reader->run($visible), '(0,0,t) (1,0,f) (2,1,t)',
	'a visible record behind one of a running transaction makes its partition inexact');
is($reader->run('SELECT balance FROM accounts WHERE id = 2'), '7',
	'the row that was committed with that record is visible');
$running->run('COMMIT');
is(sql($visible), '(0,0,t) (1,2,t) (2,1,t)', 'once the transaction has ended a later snapshot is exact');
is($reader->run($visible), '(0,0,t) (1,0,f) (2,1,t)',
	'once the transaction has ended the earlier snapshot gives what it gave');
$reader->run('COMMIT');
$running->run(q{BEGIN; SELECT produce('moves', '3', '0', partition => 1); SELECT flush()});
is(sql($visible), '(0,0,t) (1,2,t) (2,1,t)',
	'a running transaction with no record behind its own leaves its partition exact');
$running->run('COMMIT');

like($reader->fails(q{SELECT visible_offsets('accounts')}), qr/"accounts" is not a topic/,
	'visible_offsets() of a table is an error');
$reader->run('CREATE ROLE nobody_else');
like($reader->fails(q{SET ROLE nobody_else; SELECT visible_offsets('moves')}), qr/permission denied/,
	'visible_offsets() needs the privilege SELECT');
$reader->run('RESET ROLE');

# ---- under load --------------------------------------------------------------

# Moves money between two accounts; one in four takes back a part of what it did.
my $script = PostgreSQL::Test::Utils::tempdir . '/move.sql';
append_to_file($script, q{
\set a random(1, 20)
\set d random(1, 1000)
\set undo random(1, 4)
BEGIN;
UPDATE accounts SET balance = balance + :d WHERE id = :a;
SELECT produce('moves', :a::text, :d::text, partition => :a % 3);
\if :undo = 1
SAVEPOINT s;
UPDATE accounts SET balance = balance - 1 WHERE id = :a;
SELECT produce('moves', :a::text, '-1', partition => :a % 3);
ROLLBACK TO s;
\endif
COMMIT;
});

my ($load_out, $load_err) = ('', '');
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '8', '-T', '600', '-f', $script, $node->connstr('postgres') ],
	'>', \$load_out, '2>', \$load_err);
$node->poll_query_until('postgres', q{SELECT sum(next_offset) > 200 FROM visible_offsets('moves')});

# Copy accounts as the recipe says; returns where the tail begins, by partition.
my $retries = 0;
sub copy_accounts
{
	my $session = open_session($node);
	my ($snapshot, $exact, @from);

	while (1)
	{
		$session->run('BEGIN ISOLATION LEVEL REPEATABLE READ');
		$snapshot = $session->run('SELECT pg_export_snapshot()');
		@from = split /\n/, $session->run(
			q{SELECT next_offset || CASE WHEN exact THEN '' ELSE '!' END FROM visible_offsets('moves') ORDER BY partition});
		last unless grep { /!/ } @from;
		$session->run('ROLLBACK');
		$retries++;
	}
	my $dump = PostgreSQL::Test::Utils::tempdir . '/accounts.sql';
	$node->command_ok([ 'pg_dump', '--data-only', '-t', 'accounts', "--snapshot=$snapshot", '-f', $dump,
			$node->connstr('postgres') ], 'pg_dump copies the table with the exported snapshot');
	$session->run('COMMIT');
	$session->close;
	$node->safe_psql('copy', 'TRUNCATE accounts');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('copy') ],
		'psql restores the copy without an error');
	return @from;
}

my @rounds;
foreach my $round (1 .. 5)
{
	my @from = copy_accounts();
	push @rounds, { from => \@from,
		copy => $node->safe_psql('copy', q{SELECT string_agg(format('(%s,%s)', id, balance), ',') FROM accounts}) };

	# another snapshot has moved on: the load is running
	$node->poll_query_until('postgres', 'SELECT sum(next_offset) > 50 + '
		  . ($from[0] + $from[1] + $from[2]) . q{ FROM visible_offsets('moves')});
}
$load->signal('INT');
$load->finish;
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'});
note("$retries snapshots were inexact");

my $table = sql('SELECT id, balance FROM accounts ORDER BY id');
foreach my $round (@rounds)
{
	# a group tails from there
	my @from = @{ $round->{from} };
	sql(join ';', map { "SELECT seek_to_offset('moves', 'tail', $from[$_], $_)" } (0 .. 2));
	sql(q{CREATE TABLE tail AS SELECT key::int AS id, value::bigint AS change
		FROM consume('moves', 'tail', 100000000)});
	is(sql("SELECT id, c.balance + coalesce((SELECT sum(change) FROM tail t WHERE t.id = c.id), 0)
			FROM (VALUES $round->{copy}) c (id, balance) ORDER BY id"), $table,
		"a copy at offsets (@from) and the records from there on make the table");
	cmp_ok(sql('SELECT count(*) FROM tail'), '>=', 50, 'at least 50 records came after the copy');
	sql('DROP TABLE tail');
}

$running->close;
$reader->close;
$node->stop;
done_testing();
