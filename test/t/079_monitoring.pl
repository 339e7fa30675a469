# Files under test: monitoring/*.
# The queries for postgres_exporter run and have the columns that the file declares, as the role
# that README.md makes, and the dashboard and the alert rules use only metrics and labels that
# the queries make.
use strict;
use warnings FATAL => 'all';

use CPAN::Meta::YAML;
use FindBin;
use JSON::PP;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TopicTest;

my $directory = "$FindBin::RealBin/../../monitoring";
my $queries = CPAN::Meta::YAML->read_string(slurp_file("$directory/pg_topics_queries.yaml"))->[0];
my $alerts = CPAN::Meta::YAML->read_string(slurp_file("$directory/pg_topics_alerts.yaml"))->[0];
my $dashboard = decode_json(slurp_file("$directory/pg_topics_dashboard.json"));

# ---- something of everything that is measured ------------------------------------------------

my $node = new_node('main', settings => [ 'pg_topics.maintenance_interval = 1s' ]);
$node->start;
$node->safe_psql('postgres', q{
	CREATE SCHEMA topics;
	CREATE EXTENSION pg_topics SCHEMA topics;
	CREATE ROLE exporter LOGIN IN ROLE pg_monitor;
	GRANT USAGE ON SCHEMA topics TO exporter;
	ALTER ROLE exporter SET search_path = topics, public;
	SET search_path = topics, public;
	SELECT create_topic('orders', 2, config => '{"cleanup.policy": "compact"}');
	INSERT INTO orders (partition, key, value) SELECT i % 2, i, 'v' FROM generate_series(1, 20) i;
	SELECT count(*) FROM consume('orders', 'billing', 3);
	SELECT count(*) FROM consume('orders', 'leased', 4, member_id => 'm', lease => '1 hour');
	SELECT create_topic('empty', config => '{"min.insync.replicas": 2}')});
wait_in('topics');
my $session = open_session($node);
$session->run(q{SET search_path = topics, public});
$session->run(q{BEGIN});
$session->run(q{SELECT produce('orders', 'k'::text, 'held', partition => 1)});
$session->run(q{SELECT count(*) FROM flush()});

# Until the outcome of every batch is in the index.
sub wait_in
{
	$node->poll_query_until('postgres', qq{SELECT bool_and(resolved_offset = log_end_offset) FROM $_[0].pg_topic_partitions}) or die 'unresolved';
	return;
}

# ---- the queries --------------------------------------------------------------------------------

my (%metrics, %labels);
my %values;

foreach my $name (sort keys %$queries)
{
	my $query = $queries->{$name};
	my @columns = map { [ %$_ ] } @{ $query->{metrics} };

	is_deeply([ grep { !/^(query|metrics|cache_seconds|master)$/ } sort keys %$query ], [], "$name: nothing that the exporter does not know");
	foreach (@columns)
	{
		my ($column, $is) = @$_;

		like($is->{usage}, qr/^(LABEL|COUNTER|GAUGE)$/, "$name: usage of $column");
		like($is->{description}, qr/^\w.{3,}[^.]$/, "$name: description of $column");
		if ($is->{usage} eq 'LABEL') { $labels{$column} = 1 }
		else
		{
			$metrics{"${name}_$column"} = $is->{usage};
			is(($column =~ /_total$/) ? 'COUNTER' : 'GAUGE', $is->{usage}, "$name: the name of $column says what it is");
		}
	}

	# the columns of the result, and that each has a type that the exporter takes
	(my $sql = $query->{query}) =~ s/;?\s*\z//;
	my $described = $node->safe_psql('postgres', "$sql \\gdesc", extra_params => [ '-U', 'exporter' ]);
	my @described = map { [ split /\|/ ] } split /\n/, $described;
	is(join(' ', map { $_->[0] } @described), join(' ', map { $_->[0] } @columns), "$name: the columns are those declared");
	foreach my $i (0 .. $#columns)
	{
		my $type = $columns[$i][1]{usage} eq 'LABEL' ? qr/^(text|name)$/ : qr/^(bigint|integer|numeric|double precision)$/;

		like($described[$i][1], $type, "$name: the type of $columns[$i][0]");
	}

	# and the rows
	my @labels = grep { $_->[1]{usage} eq 'LABEL' } @columns;
	my $missing = join(' OR ', map { "$_->[0] IS NULL" } @labels);
	my $key = join(', ', map { $_->[0] } @labels);
	is($node->safe_psql('postgres', "SELECT count(*) FILTER (WHERE $missing), count(*) - count(DISTINCT ($key)), count(*) > 0 FROM ($sql) q", extra_params => [ '-U', 'exporter' ]),
		'0|0|t', "$name: rows, each with labels of its own");
	$values{$name} = decode_json($node->safe_psql('postgres', "SELECT json_agg(q) FROM ($sql) q", extra_params => [ '-U', 'exporter' ]));
}

# The value of a metric where its labels are these.
sub value
{
	my ($name, $column, %where) = @_;
	my @rows = grep { my $row = $_; !grep { $row->{$_} ne $where{$_} } keys %where } @{ $values{$name} };

	return scalar @rows == 1 ? $rows[0]{$column} : scalar @rows . ' rows';
}

is(value('pg_topics_topic', 'partitions', topic => 'orders'), 2, 'partitions of a topic');
is(value('pg_topics_topic', 'offsets', topic => 'orders'), 21, 'its offsets');
is(value('pg_topics_topic', 'held_back_offsets', topic => 'orders'), 1, 'what is held back');
is(value('pg_topics_topic', 'held_back_partitions', topic => 'orders'), 1, 'where');
cmp_ok(value('pg_topics_topic', 'held_back_seconds', topic => 'orders'), '>', 0, 'for how long');
cmp_ok(value('pg_topics_topic', 'bytes', topic => 'orders'), '>', 100, 'bytes');
is(value('pg_topics_topic', 'partitions', topic => 'empty'), 1, 'an empty topic is there');
is(value('pg_topics_traffic', 'records_in_total', topic => 'orders'), 21, 'records in');
is(value('pg_topics_traffic', 'records_out_total', topic => 'orders') >= 7, 1, 'records out');
is(value('pg_topics_group', 'lag', topic => 'orders', consumer_group => 'billing'), 17, 'lag of a group');
cmp_ok(value('pg_topics_group', 'lag_seconds', topic => 'orders', consumer_group => 'billing'), '>', 0, 'in time');
is(value('pg_topics_group', 'members', topic => 'orders', consumer_group => 'leased'), 1, 'members');
is(value('pg_topics_group', 'leased_partitions', topic => 'orders', consumer_group => 'leased'), 2, 'their partitions');
is(value('pg_topics_group', 'uncommitted_offsets', topic => 'orders', consumer_group => 'leased'), 4, 'what they have not committed');
is(value('pg_topics_maintenance', 'held_partitions', topic => 'orders', work => 'retention', held_by => 'cleanup.policy') =~ /^[12]$/, 1, 'what holds retention back');
is(value('pg_topics_doctor', 'findings', check_name => 'acks', severity => 'critical'), 1, 'findings');
is(value('pg_topics_server', 'sync_processes') . value('pg_topics_server', 'launchers') . value('pg_topics_server', 'maintenance_workers'), '111', 'processes');
$session->run('COMMIT');
$session->close;
$node->stop;

# ---- the rules and the dashboard -------------------------------------------------------------------

my @functions = qw(and or by sum max min rate increase time vector label_values);
my %used;

# An expression has no metric and no label but those of the queries, Prometheus and Grafana.
sub check_expression
{
	my ($expression, $where) = @_;
	my %known = map { $_ => 1 } keys %labels, qw(instance job server);
	my @wrong;

	while ($expression =~ /\b(pg_topics_\w+)/g)
	{
		$used{$1} = 1;
		push @wrong, $1 if !$metrics{$1};
	}
	push @wrong, grep { !$known{$_} } $expression =~ /(\w+)\s*(?:=~|!~|!=|=(?!=))\s*"/g;
	push @wrong, grep { !$known{$_} } map { split /\s*,\s*/ } $expression =~ /\bby\s*\(([^)]*)\)/g;
	is("@wrong", '', "$where: what $expression uses exists");
	return;
}

# A text has no label but those of the queries.
sub check_text
{
	my ($text, $where) = @_;

	is(join(' ', grep { !$labels{$_} && $_ ne 'server' && $_ ne 'instance' } $text =~ /\{\{\s*(?:\$labels\.)?([a-z_]\w*)[^}]*\}\}/g), '', "$where: labels of its text");
	return;
}

my @rules = map { @{ $_->{rules} } } @{ $alerts->{groups} };
cmp_ok(scalar @rules, '>=', 10, 'there are rules');
foreach my $rule (@rules)
{
	check_expression($rule->{expr}, $rule->{alert});
	check_text("$rule->{annotations}{summary} $rule->{annotations}{description}", $rule->{alert});
	like($rule->{labels}{severity}, qr/^(critical|warning)$/, "$rule->{alert}: severity");
}
is(join(' ', sort map { $_->{alert} } @rules), join(' ', sort keys %{ { map { $_->{alert} => 1 } @rules } }), 'each rule has a name of its own');

my @panels = grep { $_->{type} ne 'row' } @{ $dashboard->{panels} };
cmp_ok(scalar @panels, '>=', 15, 'there are panels');
my %variables = map { $_->{name} => 1 } @{ $dashboard->{templating}{list} };
foreach my $panel (@panels)
{
	foreach my $target (@{ $panel->{targets} })
	{
		check_expression($target->{expr}, $panel->{title});
		check_text($target->{legendFormat}, $panel->{title});
		is(join(' ', grep { !/^__/ && !$variables{$_} } $target->{expr} =~ /\$(\w+)/g), '', "$panel->{title}: variables");
	}
	isnt($panel->{description}, '', "$panel->{title}: description");
}
foreach my $variable (grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} })
{
	my ($metric, $label) = $variable->{definition} =~ /^label_values\((.*), (\w+)\)$/;

	check_expression("$metric by ($label)", "variable $variable->{name}");
}
is(scalar keys %{ { map { $_->{id} => 1 } @{ $dashboard->{panels} } } }, scalar @{ $dashboard->{panels} }, 'each panel has an id of its own');

# rows for what must be seen
foreach my $metric (qw(pg_topics_group_lag pg_topics_group_lag_seconds pg_topics_traffic_bytes_in_total pg_topics_traffic_bytes_out_total
	pg_topics_traffic_records_in_total pg_topics_traffic_records_out_total pg_topics_topic_bytes pg_topics_topic_held_back_seconds
	pg_topics_maintenance_held_partitions pg_topics_traffic_worker_errors_total))
{
	ok($used{$metric}, "$metric is shown");
}

# README.md lists all groups of metrics
my $readme = slurp_file("$directory/README.md");
like($readme, qr/`\Q$_\E_/, "README.md lists $_") foreach sort keys %$queries;

done_testing();
