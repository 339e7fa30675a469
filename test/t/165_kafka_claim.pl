# Files under test: src/group/kafka_claim.c and kafka_group_row.c, and what they keep consumers in SQL from.
# Partitions are claimed for Kafka's members, and consumers in SQL are at work: with and without rows, for
# several roles, while they wait; and a random model, in which the two worlds never have a partition at the same time
# and each record goes to one of them, in order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaGroup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my $seed = $ENV{TOPIC_TEST_SEED} // time;
srand($seed);
note("TOPIC_TEST_SEED=$seed");

my $node = new_node('main', settings => [ 'autovacuum = off', 'pg_topics.maintenance_interval = 1s' ]);

$node->start;
sub sql { return $node->safe_psql('postgres', @_) }
sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE reader;
	CREATE ROLE other;
	SELECT create_topic('events', partitions => 3), create_topic('more');
	INSERT INTO events (partition, value) SELECT i % 3, i FROM generate_series(0, 29) i;
	GRANT SELECT ON events, more TO reader, other});
create_kafka_group($node);

my @session = map { open_session($node) } 1 .. 2;
sub claim { my ($group, $partition, $member, $role) = @_; $role //= 'reader'; return sql("SELECT kafka_claim('$group', 'events', $partition, '$member', '$role')") }
sub rows
{
	my ($group) = @_;

	return sql("SELECT string_agg(concat_ws(' ', partition, coalesce(committed_offset::text, 'none'), coalesce(member_id, 'free')), ', ' ORDER BY partition)
		FROM topic_group_offsets WHERE group_id = '$group' AND topic = 'events'::regclass");
}

# ---- claims --------------------------------------------------------------------

is(claim('g', 0, 'm1'), 'done', 'a partition without a row');
is(rows('g'), '0 none kafka:m1', 'has one then');
is(sql(q{SELECT owner, lease_until, position, commit_timestamp FROM topic_group_offsets WHERE group_id = 'g'}), 'reader|infinity||', 'of the role that the member acts as');
my $row = q{SELECT ctid, xmin FROM topic_group_offsets WHERE group_id = 'g' AND partition = 0};
my $before = sql($row);
is(claim('g', 0, 'm1'), 'done', 'once more');
is(sql($row), $before, 'writes nothing');
is(claim('g', 0, 'm2'), 'done', 'another member of the group');
is(rows('g'), '0 none kafka:m2', 'has it now');
is(claim('g', 1, 'm3', 'other'), 'denied', 'the group belongs to a role');
is(claim('g', 3, 'm1'), 'gone', 'there is no such partition');
is(claim('g', -1, 'm1'), 'gone', 'nor that one');
is(sql(q{SELECT kafka_claim('g', 2147480000::oid::regclass, 0, 'm', 'reader')}), 'gone', 'nor such a topic');
is(sql(q{SELECT kafka_release('g', 'events', 0)}), 't', 'a claim is given up');
is(rows('g'), '', 'and leaves nothing where nothing was committed');
is(sql(q{SELECT kafka_release('g', 'events', 0)}), 't', 'there is none any more');
sql(q{SET ROLE reader; SELECT commit_offset('events', 'g', 1, 3)});
is(claim('g', $_, 'm1'), 'done', "partition $_") foreach 0 .. 2;
is(sql(q{SELECT kafka_release_all('g')}), 't', 'all are given up');
is(rows('g'), '1 3 free', 'what is committed stays');
is(sql(q{SELECT kafka_release_all('nobody')}), 't', 'of a group that is not there');

# ---- beside transactions in SQL ----------------------------------------------------

my ($first, $second) = @session;

$_->run('SET ROLE reader') foreach @session;
$first->run(q{BEGIN; SELECT count(*) FROM consume('events', 'new', 2, partitions => '{0}')});
is(claim('new', 0, 'm'), 'busy', 'a consumer in SQL has the first row of a group');
is(claim('new', 1, 'm'), 'done', 'another partition is free');
$first->run('COMMIT');
is(claim('new', 0, 'm'), 'done', 'and that one afterwards');
is(rows('new'), '0 2 kafka:m, 1 none kafka:m', 'what SQL has committed stays');
like($first->fails(q{SELECT count(*) FROM consume('events', 'new')}), qr/in use by Kafka clients/, 'SQL is refused');
$first->run(q{BEGIN; SELECT count(*) FROM consume('events', 'undone', 2, partitions => '{0}')});
is(claim('undone', 0, 'm'), 'busy', 'a first row that is not committed');
$first->run('ROLLBACK');
is(claim('undone', 0, 'm'), 'done', 'and never will be');
is(rows('undone'), '0 none kafka:m', 'has left nothing');

# a claim that is not committed yet, of a partition without a row
$second->run('RESET ROLE; BEGIN');
$second->run(q{SELECT kafka_claim('open', 'events', 0, 'm', 'reader')});
$first->run(q{BEGIN; CREATE TEMP TABLE got AS SELECT partition, record_offset FROM consume('events', 'open', 100)});
is($first->run(q{SELECT count(*), count(*) FILTER (WHERE partition = 0) FROM got}), '20|0', 'a consumer passes over it');
is(claim('open', 1, 'm'), 'busy', 'and has the others');
$second->run('COMMIT');
$first->run('COMMIT; DROP TABLE got');
is(rows('open'), '0 none kafka:m, 1 10 free, 2 10 free', 'so both have what they have come first to');
like($first->fails(q{SELECT count(*) FROM consume('events', 'open')}), qr/in use by Kafka clients/, 'until SQL consumes again');

# members in SQL
$first->run(q{SELECT count(*) FROM consume('events', 'leased', 1, member_id => 'sql', lease => '1 hour')});
is(claim('leased', 0, 'm'), 'sql member', 'a living member in SQL');
is(sql(q{SELECT kafka_sql_member('leased', 'events')}), 'sql', 'is found');
is(sql(q{SELECT coalesce(kafka_sql_member('leased', 'more'), 'none')}), 'none', 'in that topic');
$second->run(q{SET pg_topics.clock_offset = '2h'});
is($second->run(q{SELECT kafka_claim('leased', 'events', 0, 'm', 'reader')}), 'done', 'a lease that has ended');
is($second->run(q{SELECT coalesce(kafka_sql_member('leased', 'events'), 'none')}), 'none', 'of a member that counts no more');
like($first->fails(q{SELECT commit_offsets('events', 'leased', 'sql')}), qr/in use by Kafka clients/, 'who comes back is told');
$second->run('RESET pg_topics.clock_offset');

# a consumer that waits is told
my $waiting = open_background($node, 'waits');
ask($waiting, q{SET ROLE reader; SELECT count(*) FROM consume('more', 'waits', timeout => '5 min');});
poll_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waits' AND wait_event_type = 'Extension'}) ne '0' })
  or die 'nobody waits';
is(sql(q{SELECT kafka_claim('waits', 'more', 0, 'm', 'reader')}), 'done', 'a claim while a consumer in SQL waits');
answer($waiting);
like($waiting->{err}, qr/in use by Kafka clients/, 'ends the wait with an error');
is(sql(q{SELECT kafka_release_all('waits')}), 't', 'the claim is given up');
is(sql(q{SELECT kafka_claim('waits', 'more', 0, 'm', 'reader')}), 'done', 'and taken again');

# ---- rows of groups and members ------------------------------------------------------

my $large = 20_000;
sql(q{SELECT kafka_write_group('b', 'classic', 1, 'state'), kafka_write_group('a', 'consumer', 7, NULL),
	kafka_write_member('a', 'x', 'static'), kafka_write_member('b', 'y'), kafka_write_member('b', 'x', NULL, 'bytes')});
my $owner = sql(q{SELECT oid FROM pg_roles WHERE rolname = current_user});
is(sql('SELECT kafka_load()'), "a kind 1 epoch 7 owner $owner leader - -\na/x instance static client app /10.1.2.3 45000 60000 epoch 1 - -\n" .
	"b kind 0 epoch 1 owner $owner leader - 5:state\nb/x instance - client app /10.1.2.3 45000 60000 epoch 1 - 5:bytes\n" .
	"b/y instance - client app /10.1.2.3 45000 60000 epoch 1 - -\n", 'rows are read as they were written');
sql(qq{SELECT kafka_write_group('b', 'classic', 2, NULL), kafka_write_member('b', 'x', 'i', convert_to(repeat(md5(random()::text), $large), 'UTF8'))});
like(sql('SELECT kafka_load()'), qr/b kind 0 epoch 2 .*b\/x instance i .* @{[ 32 * $large ]}:/s, 'and as they were written last');
sql(q{SELECT kafka_delete_member('b', 'x'), kafka_delete_member('b', 'nobody')});
unlike(sql('SELECT kafka_load()'), qr{b/x}, 'a member is deleted');
sql(q{SELECT kafka_delete_group('a'), kafka_delete_group('nobody')});
unlike(sql('SELECT kafka_load()'), qr{^a}m, 'a group with its members');
sql(qq{SELECT kafka_write_member('b', 'big', NULL, convert_to(repeat(md5(random()::text), $large), 'UTF8'))});
sql(q{SELECT kafka_delete_group('b')});
is(sql('SELECT kafka_load()'), '', 'also a large one');
is(sql(q{SELECT kafka_group_names('reader')}), 'g leased new open undone waits ', 'the groups of a role');
sql(q{SET ROLE other; SELECT commit_offset('more', 'g', 0, 0), commit_offset('more', 'theirs', 0, 0)});
is(sql(q{SELECT kafka_group_names()}), 'g leased new open theirs undone waits ', 'of all');

# ---- one process coordinates -----------------------------------------------------------

sql(q{SELECT kafka_write_member('new', 'm'), kafka_write_member('new', 'idle')});
is($second->run('SELECT kafka_coordinate() AND kafka_coordinate()'), 't', 'a process coordinates');
is(sql('SELECT kafka_coordinate()'), 'f', 'and no other one');
like($first->fails(q{SELECT remove_kafka_members('new')}), qr/while the listener for Kafka clients runs/, 'members are not removed then');
$second->run('BEGIN; SELECT count(*) FROM pg_class');
$second->fails('SELECT 1/0');
$second->run('ROLLBACK');
is(sql('SELECT kafka_coordinate()'), 'f', 'an error does not end that');
$second->close;
poll_until(sub { sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 9}) eq '0' }) or die;
$first->run(q{SET ROLE reader; BEGIN});
is($first->run(q{SELECT remove_kafka_members('new')}), '2', 'they are when it has gone');
is(sql('SELECT kafka_coordinate()'), 'f', 'and nobody begins meanwhile');
$first->run('COMMIT');
is(rows('new'), '0 2 free', 'the group is free');
is($first->run(q{SELECT count(*) FROM consume('events', 'new', 1)}), '1', 'for SQL');

# a group with members never expires
sql(q{SELECT kafka_write_member('idle', 'm')});
$first->run(q{SELECT commit_offset('more', 'idle', 0, 0), commit_offset('more', 'unused', 0, 0)});
sql(q{UPDATE topic_group_offsets SET commit_timestamp = commit_timestamp - interval '10 days' WHERE topic = 'more'::regclass});
sql(q{ALTER SYSTEM SET pg_topics.log_retention_check_interval_ms = 100; SELECT pg_reload_conf()});
poll_until(sub { sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'unused'}) eq '0' }) or die 'no group expires';
is(sql(q{SELECT count(*) FROM topic_group_offsets WHERE group_id = 'idle'}), '1', 'a group with a member does not expire');

$first->close;

# ---- the model -----------------------------------------------------------------------------

# Four processes, each some of the time a consumer in SQL of a random kind, and some of the time a coordinator that
# claims partitions, reads their records as Kafka's clients do, commits by the row and gives them up.  A record is
# given to who has its partition at that time; each is noted with the transaction that commits it.
sql(q{
	DROP FOREIGN TABLE events;
	SELECT create_topic('events', partitions => 3);
	CREATE TABLE seen (world text, partition int, record_offset bigint);
	CREATE TABLE refused (n int);
	CREATE PROCEDURE consume_some(kind int, me text) LANGUAGE plpgsql AS $$
	BEGIN
		IF kind = 0 THEN
			INSERT INTO seen SELECT 'sql', partition, record_offset FROM consume('events', 'g', 3);
		ELSIF kind = 1 THEN
			INSERT INTO seen SELECT 'sql', partition, record_offset FROM consume('events', 'g', 5, auto_commit => false);
			PERFORM commit_offsets('events', 'g');
		ELSIF kind = 2 THEN
			INSERT INTO seen SELECT 'sql', partition, record_offset FROM consume('events', 'g', 4, member_id => me, lease => '1 hour');
			PERFORM commit_offsets('events', 'g', me);
			PERFORM leave_group('events', 'g', me);
		ELSE
			INSERT INTO seen SELECT 'sql', partition, record_offset FROM consume('events', 'g', 2, partitions => ARRAY[kind % 3]);
			RAISE EXCEPTION 'undone';
		END IF;
	EXCEPTION WHEN object_in_use THEN
		INSERT INTO refused VALUES (1);
	WHEN lock_not_available OR raise_exception THEN NULL;
	END $$;
	CREATE FUNCTION as_kafka(me text, p int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		claimed text := kafka_claim('g', 'events', p, me);
	BEGIN
		RETURN claimed;
	END $$;
	CREATE PROCEDURE read_as_kafka(me text, p int) LANGUAGE plpgsql AS $$
	DECLARE
		next_offset bigint;
		read_to bigint;
	BEGIN
		SELECT coalesce(committed_offset, 0) INTO next_offset FROM topic_group_offsets
		WHERE topic = 'events'::regclass AND group_id = 'g' AND partition = p AND member_id = 'kafka:' || me;
		IF NOT FOUND THEN RAISE EXCEPTION 'a claim was lost'; END IF;
		WITH r AS (SELECT partition, record_offset FROM events WHERE partition = p AND record_offset >= next_offset ORDER BY record_offset LIMIT 4),
			i AS (INSERT INTO seen SELECT 'kafka', partition, record_offset FROM r)
		SELECT max(record_offset) + 1 INTO read_to FROM r;
		IF read_to IS NOT NULL THEN
			UPDATE topic_group_offsets SET committed_offset = read_to, commit_timestamp = now()
			WHERE topic = 'events'::regclass AND group_id = 'g' AND partition = p;
		END IF;
	END $$});
my ($records, $steps) = (600, 150);
sql("INSERT INTO events (partition, value) SELECT i % 3, i FROM generate_series(1, $records) i");
my @pool = map { open_session($node) } 1 .. 4;
my %claimed;	# partition => number of the session
# both worlds read in any case, whatever chance has for them
is($pool[0]->run(q{SELECT as_kafka('k0', 0)}), 'done', 'a partition is claimed');
$pool[0]->run(q{CALL read_as_kafka('k0', 0)});
is($pool[0]->run(q{SELECT kafka_release('g', 'events', 0)}), 't', 'and given up');
$pool[1]->run(q{CALL consume_some(0, 'm1')});
for my $step (1 .. $steps)
{
	my $n = int rand 4;
	my $partition = int rand 3;
	my $holder = $claimed{$partition};

	if (rand() < 0.5)
	{
		my $kind = int rand 6;

		$pool[$n]->run("CALL consume_some($kind, 'm$n')");
	}
	elsif (defined $holder)
	{
		$pool[$n]->run("CALL read_as_kafka('k$holder', $partition)");
		next if rand() < 0.6;
		is($pool[$n]->run("SELECT kafka_release('g', 'events', $partition)"), 't', 'given up');
		delete $claimed{$partition};
	}
	else
	{
		# while another session consumes
		my $other = ($n + 1) % 4;
		my $consumes = rand() < 0.5;
		$pool[$other]->run("BEGIN; CALL consume_some(" . int(rand 2) . ", 'm$other')") if $consumes;
		my $result = $pool[$n]->run("SELECT as_kafka('k$n', $partition)");
		$claimed{$partition} = $n if $result eq 'done';
		$pool[$n]->run("CALL read_as_kafka('k$n', $partition)") if $result eq 'done';
		$pool[$other]->run(rand() < 0.5 ? 'COMMIT' : 'ROLLBACK') if $consumes;
	}
}
$_->close foreach @pool;
is(sql(q{SELECT count(*) FROM (SELECT partition, record_offset FROM seen GROUP BY 1, 2 HAVING count(*) > 1) twice}), '0', 'no record was given twice');
is(sql(q{SELECT count(*) FROM topic_group_offsets o WHERE group_id = 'g' AND topic = 'events'::regclass AND coalesce(committed_offset, 0) <>
	(SELECT count(*) FROM seen s WHERE s.partition = o.partition)}), '0', 'and none left out');
cmp_ok(sql(q{SELECT count(DISTINCT world) FROM seen}), '==', 2, 'both worlds have read');
cmp_ok(sql('SELECT count(*) FROM refused'), '>', 0, 'and SQL was refused at times');
note(sql(q{SELECT string_agg(world || ' ' || n, ', ') FROM (SELECT world, count(*) AS n FROM seen GROUP BY 1) c}), ', refused ', sql('SELECT count(*) FROM refused'));
unlike(slurp_file($node->logfile), qr/(PANIC|TRAP|terminated by signal)/, 'nothing in the log');

done_testing();
