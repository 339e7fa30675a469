#!/usr/bin/env perl
# Regular expressions that members of Kafka's new consumer protocol subscribe to (src/broker/groups/topic_regex.c, regex_resolver.c).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use KafkaClient;
use KafkaHeartbeat;
use KafkaServer;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TopicTest;

my ($node, $port) = start_kafka_server(
	'pg_topics.max_partitions = 2000',
	'max_worker_processes = 12');

my $error = KafkaHeartbeat::ERRORS;

sub member { my (%said) = @_; return KafkaHeartbeat->new(\&client, %said) }

# What a member has, by name.
sub owned
{
	my ($member) = @_;
	my $group = $member->{said}{group};
	my $described = describe_consumer_groups(client(), $group)->{$group}{members}{ $member->{said}{member} };

	return join ' ', sort keys %{ $described->{assignment} };
}

my $count = 0;

# The topics that an expression matches, in a group of its own; or the error.
sub matches
{
	my ($regex, %other) = @_;
	my $client = $other{client} // client();
	my $group = 'm' . ++$count;
	my $answer = heartbeat($client, group => $group, member => 'm', epoch => 0, timeout => 1000, owned => {}, regex => $regex,
		names => $other{names});

	note(substr($regex, 0, 30) . ": $answer->{message}") if $answer->{error};
	return "error $answer->{error}" if $answer->{error};
	return join ' ', sort keys %{ describe_consumer_groups($client, $group)->{$group}{members}{m}{assignment} };
}

sql(q{CREATE EXTENSION pg_topics; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN;
	SELECT create_topic(quote_ident(t)) FROM unnest(ARRAY['orders', 'orders_eu', 'Orders_us', 'bills', 'a.b', 'a-b', 'secret']) AS t;
	GRANT SELECT ON orders, orders_eu, "Orders_us", bills, "a.b", "a-b" TO app});
ok(poll_until(sub { my $client = KafkaClient->new($port) or return 0;
	describe_consumer_groups($client, 'x')->{x}{error} == $error->{GROUP_ID_NOT_FOUND} }), 'the listener has started')
  or BAIL_OUT('no listener');

# ---- what matches --------------------------------------------------------------------------

foreach my $case (
	[ 'orders',            'orders',                       'a name as a whole' ],
	[ 'orders.*',          'orders orders_eu',             'a beginning' ],
	[ '.*_(eu|us)',        'Orders_us orders_eu',          'one of two' ],
	[ 'orders|bills',      'bills orders',                 'alternatives, as a whole' ],
	[ '(?i)orders.*',      'Orders_us orders orders_eu',   'without regard to case' ],
	[ '[A-Z]\w+',          'Orders_us',                    'classes' ],
	[ 'a\.b',              'a.b',                          'an escaped dot' ],
	[ 'a.b',               'a-b a.b',                      'any character' ],
	[ 'a[.]b',             'a.b',                          'a dot by itself' ],
	[ '[]:a[]{1,2}b|a[^].[:alpha:]b]b', 'a-b',             'brackets in brackets' ],
	[ '\Aorders',          'orders',                       'an escape that both engines have' ],
	[ '^bills$',           'bills',                        'anchors' ],
	[ '[[:alpha:]]{5}',    'bills',                        'bounds' ],
	[ '(?:or|bi).+?s',     'bills orders',                 'a group, and a lazy quantifier' ],
	[ 'nothing',           '',                             'nothing' ],
	[ '',                  '',                             'an empty one' ],
	[ '.*',                'Orders_us a-b a.b bills orders orders_eu', 'all that the role may read' ])
{
	is(matches($case->[0]), $case->[1], "$case->[0]: $case->[2]");
}
is(matches('bill.*', names => ['orders']), 'bills orders', 'an expression and names');

# ---- what is refused ------------------------------------------------------------------------

foreach my $case (
	[ '(',              'a parenthesis is missing' ],
	[ 'a)|(b',          'it would be good between other parentheses' ],
	[ '[a',             'a bracket is missing' ],
	[ '*a',             'nothing to repeat' ],
	[ '(o)\1',          'a back reference' ],
	[ 'a(?=b)',         'look-ahead' ],
	[ '(?<!a)b',        'look-behind' ],
	[ '\p{L}+',         'a class of Unicode' ],
	[ '(?P<x>a)',       'a named group' ],
	[ '***=orders',     'a kind of expression' ],
	[ '(?x)orders',     'flags of another engine' ],
	[ '\morders\M',     'escapes of another engine' ],
	[ '\borders\b',     'one that means something else there' ],
	[ 'orders\Z',       'another end' ],
	[ '\x6frders',      'a number of a character' ],
	[ '[[:<:]]orders',  'a word\'s beginning' ],
	[ '[[.o.]]rders',   'a collating element' ],
	[ 'o(?#x)rders',    'a comment' ],
	[ "\xff",           'it is not UTF-8' ],
	[ 'a' x 2000,       'it is too long' ])
{
	is(matches($case->[0]), "error $error->{INVALID_REGULAR_EXPRESSION}", "$case->[1] is refused");
}
my $answer = heartbeat(client(), group => 'x', member => 'm', epoch => 0, timeout => 1000, owned => {}, regex => 'a(');
like($answer->{message}, qr/parentheses/, 'and the client is told why');

# ---- expressions that want to take long ---------------------------------------------------------

foreach my $regex ('((a{1,200}){1,200}){1,200}', '(((((a*)*)*)*)*)*b', '(a|aa)+c' x 60, '(.*a){30}', '(x+x+)+y')
{
	my $begin = time;
	matches($regex);
	# others would have waited as long
	cmp_ok(time - $begin, '<', 20, 'an expression ends in time: ' . substr($regex, 0, 30));
}
is(matches('orders'), 'orders', 'and others are served');

# ---- topics that change ------------------------------------------------------------------------------

my $one = member(group => 'r', member => 'one', regex => 'log_.*');
$one->beat;
is(owned($one), '', 'there is nothing yet');
sql(q{SELECT create_topic('log_a', partitions => 2); GRANT SELECT ON log_a TO app});
ok(poll_until(sub { $one->beat; owned($one) eq 'log_a' }), 'a topic that comes is matched');
my $two = member(group => 'r', member => 'two', regex => 'log_.*');
ok(KafkaHeartbeat::settle(sub { owned($one) eq 'log_a' && owned($two) eq 'log_a' }, $one, $two), 'two members share it');
sql(q{SELECT create_topic('log_b', partitions => 2)});
sql('GRANT SELECT ON log_b TO app');
ok(poll_until(sub { $_->beat foreach $one, $two; "@{[ owned($one), owned($two) ]}" =~ /log_b/ }), 'when the role may read another one, that is matched, too');
sql('DROP FOREIGN TABLE log_a');
ok(poll_until(sub { $_->beat foreach $one, $two; "@{[ owned($one), owned($two) ]}" eq 'log_b log_b' }), 'and one that is gone is not');
my $epoch = $one->epoch;
$two->say(regex => '', names => ['log_b']);
$two->beat;
$one->beat;
cmp_ok($one->epoch, '>', $epoch, 'another kind of subscription moves the group');
$node->restart;
$_->reconnect foreach $one, $two;
poll_until(sub { my $client = KafkaClient->new($port) or return 0; (describe_consumer_groups($client, 'r') // return 0)->{r}{error} == 0 });
$one->beat;
is(describe_consumer_groups(client(), 'r')->{r}{members}{one}{regex}, 'log_.*', 'an expression survives a restart');

# ---- many topics ---------------------------------------------------------------------------------------

sql(q{DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM create_topic('many_' || i); EXECUTE 'GRANT SELECT ON many_' || i || ' TO app'; END LOOP; END $$});
is(scalar(split / /, matches('many_.*')), 300, 'many topics');
is(scalar(split / /, matches('many_\d')), 9, 'a few of many');

done_testing();
