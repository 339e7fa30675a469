# What the index counts is what the rows are: beside producers, compaction and deletion, on a
# standby, after crashes, and in files of libraries whose entries do not say which batches are
# dense.  src/query/aggregate_scan.c, src/wal/log_reader.c, src/wal/batch_reader.c,
# src/format/segment_index.c
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my ($node, $standby) = start_pair();

sub sql { return $node->safe_psql('postgres', @_); }

sql(q{
	CREATE EXTENSION pg_topics;
	SELECT create_topic('counted', partitions => 3, config => '{"cleanup.policy": "compact", "segment.bytes": 20000}');
	-- several batches a transaction, beside others; some are taken back, as a whole or in part
	CREATE PROCEDURE fill(n int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. n LOOP
			INSERT INTO counted (key, value) SELECT 'k' || (random() * 200)::int, repeat('v', (random() * 200)::int)
			FROM generate_series(0, (random() * 20)::int);
			PERFORM flush();
			IF random() < 0.3 THEN
				PERFORM produce('counted', 'k' || (random() * 200)::int, 'later');
			END IF;
			IF random() < 0.2 THEN
				ROLLBACK;
			ELSE
				COMMIT;
			END IF;
		END LOOP;
	END $$;
	CREATE FUNCTION both_ways(condition text, OUT indexed text, OUT plain text) LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('SELECT i::text, r::text FROM
			(SELECT count(*), min(record_offset), max(record_offset), min(record_timestamp), max(record_timestamp) FROM counted WHERE %1$s) i,
			(SELECT count(*), min(record_offset), max(record_offset), min(record_timestamp), max(record_timestamp)
				FROM (SELECT * FROM counted WHERE %1$s OFFSET 0) c) r', condition) INTO indexed, plain;
	END $$});

# Ask with some random conditions; how often do the two ways differ?  One statement has one snapshot.
sub differences
{
	my ($of, $times) = @_;
	my @wrong;

	foreach (1 .. $times)
	{
		my @conditions = ('true');
		push @conditions, 'partition = ' . int(rand(4)) if rand() < 0.6;
		push @conditions, 'record_offset >= ' . int(rand(2000)) if rand() < 0.4;
		push @conditions, 'record_offset < ' . int(rand(4000)) if rand() < 0.4;
		push @conditions, "record_timestamp > now() - interval '" . rand(5) . " s'" if rand() < 0.3;
		my $condition = join(' AND ', @conditions);
		my ($indexed, $plain) = split /\|/, $of->safe_psql('postgres', 'SELECT * FROM both_ways($c$' . $condition . '$c$)');
		push @wrong, "$condition: $indexed, not $plain" if $indexed ne $plain;
	}
	return join("\n", @wrong);
}

like(sql('EXPLAIN SELECT count(*) FROM counted'), qr/From Index: count/, 'the index is asked');

# ---- beside producers ----------------------------------------------------------

my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/fill.sql", "CALL fill(300);\n");
my @producers = map { start_psql($node, "$directory/fill.sql", "$directory/fill$_.out") } 1 .. 3;
my $rounds = 0;
my $wrong = '';
my $wrong_on_standby = '';
while ($rounds < 3 || sql(q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL fill%' AND state <> 'idle'}) > 0)
{
	$wrong .= differences($node, 3);
	$wrong_on_standby .= differences($standby, 2);
	# not in the midst of a statement, for which the two ways would see it at different times
	sql(q{SELECT FROM compact('counted')}) if ++$rounds % 3 == 0;
}
$_->finish foreach @producers;
is(slurp_file("$directory/fill$_.out.err"), '', "producer $_ had no trouble") foreach 1 .. 3;
cmp_ok($rounds, '>', 1, 'there was time to look');
is($wrong, '', 'beside producers the index counts what the rows are');
is($wrong_on_standby, '', 'so it does on the standby, where batches come through the WAL');

wait_resolved($node);
sql(q{SELECT FROM compact('counted')});
sql(q{SELECT delete_records('counted', 1, (SELECT min(record_offset) + 7 FROM counted WHERE partition = 1))});
catch_up($node, $standby);
is(differences($node, 10), '', 'after compaction and deletion');
is(differences($standby, 10), '', 'after compaction and deletion, on the standby');

# ---- a crash ---------------------------------------------------------------------

sql(q{CHECKPOINT; CALL fill(20)});
$node->stop('immediate');
$node->start;
is(differences($node, 10), '', 'after a crash, where batches come through the WAL');

# ---- entries that do not say that their batch is dense -----------------------------

use constant { HEADER => 64, ENTRY => 64, FLAGS => 56, CRC => 60, DENSE => 0x04 };

my @directories = map { topic_directory($node, 'counted', $_) } 0 .. 2;

# Change the flags of all entries of the topic's indexes; returns how many had the flag.
sub change_flags
{
	my ($change) = @_;
	my $found = 0;

	foreach my $index (map { glob("$_/*.index") } @directories)
	{
		my $bytes = slurp_file($index);

		for (my $at = HEADER; $at + ENTRY <= length($bytes) && substr($bytes, $at, ENTRY) =~ /[^\0]/; $at += ENTRY)
		{
			my $entry = substr($bytes, $at, ENTRY);
			my $flags = ord(substr($entry, FLAGS, 1));

			$found++ if $flags & DENSE;
			substr($entry, FLAGS, 1) = chr($change->($flags));
			substr($entry, CRC, 4) = pack('L', crc32c(substr($entry, 0, CRC)));
			overwrite($index, $at, $entry);
		}
	}
	return $found;
}

my $all = sql('SELECT count(*), sum(record_offset) FROM counted');
$node->stop;
cmp_ok(change_flags(sub { return $_[0] & ~DENSE }), '>', 50, 'entries of dense batches say so');
$node->start;
is(sql('SELECT count(*), sum(record_offset) FROM counted'), $all, 'without the flag all is read as before');
is(differences($node, 20), '', 'without the flag the headers count');
is(sql(q{SELECT count(*) FROM verify_topic('counted')}), '0', 'verify_topic() does not miss the flag');
sql('CALL fill(20)');
is(differences($node, 10), '', 'with and without it');
$node->stop;
change_flags(sub { return $_[0] | DENSE });
$node->start;
my $holes = sql(q{SELECT count(*) FROM verify_topic('counted') WHERE problem LIKE '%at each offset%'});
cmp_ok($holes, '>', 0, 'verify_topic() reports the flag at batches with holes');
is(sql('SELECT count(*) FROM (SELECT * FROM counted OFFSET 0) r') > 0, 1, 'whose records can be read nevertheless');

done_testing();
