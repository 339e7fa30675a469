# Files under test: src/group/group_role.c, src/group/group_owned.c.
# Roles that own consumer groups: dropping them is not held up by groups, in this database and
# in others, and leaves no oid that a later role could have; a dump brings the owners back by
# name, and can be restored where a role is missing.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $node = new_node('main', settings => [ 'pg_topics.maintenance_interval = 1s' ]);
$node->start;

sub sql { return $node->safe_psql(@_); }

# The rows of groups in a database, each with its owner and whether that is an oid.
sub owners
{
	return sql($_[0], q{SELECT string_agg(format('%s %s %s', group_id, owner, owner::oid = 0), ', ' ORDER BY group_id, partition)
		FROM topic_group_offsets});
}

sql('postgres', 'CREATE ROLE ann; CREATE ROLE bob; CREATE ROLE "C. d"');
foreach my $database (qw(postgres other))
{
	sql('postgres', 'CREATE DATABASE other') if $database eq 'other';
	sql($database, q{
		CREATE EXTENSION pg_topics;
		SELECT create_topic('events', partitions => 2);
		INSERT INTO events (partition, value) SELECT i % 2, i FROM generate_series(1, 10) i;
		GRANT SELECT ON events TO PUBLIC});
	sql($database, qq{SET ROLE $_->[1]; SELECT count(*) FROM consume('events', '$_->[0]', 8)})
	  foreach [ 'a', 'ann' ], [ 'b', 'bob' ], [ 'c', '"C. d"' ];
}
my $before = 'a ann f, a ann f, b bob f, b bob f, c "C. d" f, c "C. d" f';
is(owners('postgres'), $before, 'groups with their owners');

# ---- dumping ----------------------------------------------------------------------------

my $dump = $node->backup_dir . '/dump.sql';
mkdir $node->backup_dir;
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');

sub restore
{
	my ($database, $expected) = @_;

	sql('postgres', "CREATE DATABASE $database");
	my ($out, $err) = run_command([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $dump ]);
	is(owners($database), $expected, "$database: owners");
	return $err;
}

is(restore('restored', $before), '', 'restoring tells nothing');

# the binary form has names too
sql('restored', qq{COPY topic_group_offsets (group_id, topic, partition, owner) TO '@{[$node->backup_dir]}/binary' (FORMAT binary);
	TRUNCATE topic_group_offsets;
	COPY topic_group_offsets (group_id, topic, partition, owner) FROM '@{[$node->backup_dir]}/binary' (FORMAT binary)});
is(owners('restored'), $before, 'COPY in the binary format');

# ---- a role that is dropped -----------------------------------------------------------------

# a session has the group's partitions until its transaction ends
my $session = open_session($node, 'postgres');
$session->run('BEGIN');
$session->run(q{SELECT count(*) FROM consume('events', 'b', 1, partitions => '{1}')});
sql('postgres', 'DROP ROLE bob');
is(sql('postgres', q{SELECT rolname FROM pg_roles WHERE rolname = 'bob'}), '', 'a role that owns groups is dropped');
my $gone = 'a ann f, a ann f, b - t, b - t, c "C. d" f, c "C. d" f';
ok(poll_until(sub { owners('other') eq $gone }), 'in another database its groups are without an owner');
my $half = 'a ann f, a ann f, b - t, b - f, c "C. d" f, c "C. d" f';
ok(poll_until(sub { owners('postgres') eq $half }), 'and so is the row that is not in use');
$session->run('COMMIT');
ok(poll_until(sub { owners('postgres') eq $gone }), 'the other one follows when it is free');
$session->close;
is(sql('postgres', q{SELECT DISTINCT owner FROM pg_topic_groups WHERE group_id = 'b'}), '', 'the view has no owner');
is(sql('postgres', q{SELECT count(*) FROM consume('events', 'b')}), '1', 'the owner of the topic consumes');
like(($node->psql('postgres', q{SET ROLE ann; SELECT * FROM consume('events', 'b')}))[2],
	qr/permission denied for consumer group "b".*does not exist/s, 'others are refused');

# ---- restoring where it is missing ------------------------------------------------------------

like(restore('partly', $gone), qr/^\S* WARNING:  role "bob" does not exist\n(?!.*WARNING)/s, 'a missing role is a warning, once');

# a dump of rows without an owner: from a version that had none
sql('partly', q{TRUNCATE topic_group_offsets;
	INSERT INTO topic_group_offsets (group_id, topic, partition, committed_offset) VALUES ('old', 'events', 0, 1)});
is(sql('partly', q{SET ROLE ann; SELECT count(*) FROM consume('events', 'old', auto_offset_reset => 'latest', partitions => '{1}')}), '0',
	'a group without an owner is used');
is(sql('partly', q{SET ROLE ann; SELECT seek_to_beginning('events', 'old'); SELECT DISTINCT owner FROM pg_topic_groups WHERE group_id = 'old'}),
	"\nann", 'and is the group of who writes it first');

$node->stop;
done_testing();
