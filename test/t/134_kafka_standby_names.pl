# Files under test: src/wal/durable_wal.c, src/broker/core/flusher.c.
# Synchronous standbys that come and go by a reload of synchronous_standby_names, while producers with
# acks=all and consumers wait: with each form of the setting they wait from then on, and no longer
# than it asks for.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaConsumer;
use KafkaProducer;
use LogLook qw(batches);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($node, $standby) = start_pair(kafka_settings($port), 'wal_retrieve_retry_interval = 50ms', 'synchronous_commit = local');
my $name = $standby->name;

sub sql { return $node->safe_psql('postgres', @_) }

sql(q{
	CREATE EXTENSION pg_topics;
	CREATE ROLE producer LOGIN;
	SELECT create_topic('events');
	SELECT create_topic('strict', config => '{"min.insync.replicas": 2}');
	GRANT SELECT, INSERT ON events, strict TO producer});

my $producer;
poll_until(sub { $producer = kafka_connect($port) }) or die 'no listener';
my $other = kafka_connect($port);
my $consumer = KafkaConsumer->new($port);
my $batch = kafka_batch([ [ 'k', 'v' ] ]);

sub set_names
{
	my ($names) = @_;

	sql("ALTER SYSTEM SET synchronous_standby_names = '$names'");
	sql('SELECT pg_reload_conf()');
	return;
}

# Does a request with acks=all and little time get its answer for want of a standby?
sub is_late { return $other->produce('events', 0, $batch, timeout => 1)->{error} == 7 }

# The end that consumers are told.
sub shown_end { return $consumer->fetch(topics => { events => { 0 => 0 } }, max_wait => 0)->{events}{0}{high_watermark} }

# Let a producer and a consumer wait: for the standby, and for what is not shown yet.  Returns from
# where on.
sub begin_to_wait
{
	my ($why) = @_;
	my $from = shown_end();

	$consumer->send_fetch(topics => { events => { 0 => $from } }, max_wait => 60_000);
	$producer->send([ [ 'events', [ 0, $batch ] ] ], timeout => 600_000);
	ok(!$producer->is_ready(0.3), "$why: a producer waits");
	ok(!$consumer->is_readable, 'and a consumer');
	return $from;
}

# The consumer that waits gets records from that offset on.
sub is_shown
{
	my ($from, $why) = @_;
	my $partition = $consumer->fetched->{events}{0};

	is("$partition->{error} " . ((batches(unpack('H*', $partition->{records})))[0] // { first => 'none' })->{first}, "0 $from", $why);
	return;
}

# Both that wait are answered.
sub are_answered
{
	my ($from, $why) = @_;

	is(($producer->receive)[1]->{error}, 0, $why);
	is_shown($from, 'and the consumer is');
	return;
}

is($producer->produce('events', 0, $batch)->{error}, 0, 'there are no synchronous standbys');
# what a consumer is told first is not before that is durable on synchronous standbys
ok(poll_until(sub { shown_end() >= 0 }), 'the end is known');
$standby->stop;
is($producer->produce('events', 0, $batch)->{error}, 0, 'one that is away is waited for by nobody');

foreach my $names ($name, "FIRST 1 ($name, other)", 'ANY 1 (*)', '*')
{
	my $from;

	set_names($names);
	ok(poll_until(\&is_late), "\"$names\": from the reload on acks=all wants the standby");
	$from = begin_to_wait('it is away');
	set_names('');
	are_answered($from, 'with an empty string the producer is answered');
	is($producer->produce('events', 0, $batch)->{error}, 0, 'so are others');
	set_names($names);
	ok(poll_until(\&is_late), 'the setting is back');
	$from = begin_to_wait('the standby is still away');
	$standby->start;
	are_answered($from, 'when it comes the producer is answered');

	# while nothing waits for it, and a consumer waits for records
	set_names('');
	ok(poll_until(sub { $other->produce('strict', 0, $batch)->{error} == 19 }), 'there are none again');
	$from = shown_end();
	$consumer->send_fetch(topics => { events => { 0 => $from } }, max_wait => 60_000);
	set_names($names);
	ok(poll_until(sub { $other->produce('strict', 0, $batch)->{error} == 0 }), 'there is one again');
	$standby->stop;
	is($other->produce('events', 0, $batch, acks => 1)->{error}, 0, 'acks=1 does not wait for it');
	ok(!$producer->is_ready(0.3) && !$consumer->is_readable, 'a consumer that has waited since before does');
	set_names('');
	is_shown($from, 'until the setting is emptied');
	ok(poll_until(sub { !is_late() }), 'nobody waits any more');
}

# another one is named while they wait
$standby->start;
set_names('elsewhere');
ok(poll_until(\&is_late), 'a standby that is not there is wanted');
my $from = begin_to_wait('another one is there');
set_names("elsewhere, $name");
are_answered($from, 'when that one will do the producer is answered');
set_names("2 (elsewhere, $name)");
ok(poll_until(\&is_late), 'two are wanted');
$from = begin_to_wait('one is there');
set_names("ANY 1 (elsewhere, $name)");
are_answered($from, 'when one will do the producer is answered');

$standby->stop;
$node->stop;
done_testing();
