# What is done beside a model of consumer groups (KafkaGroupsModel.pm): topics that come, grow and go, owners that change, groups that are
# deleted, members in SQL that lease partitions.  Each takes the model and a group, and notes in the model what must be then.
package KafkaGroupsBeside;

use strict;
use warnings;

use Exporter 'import';
use KafkaClient;
use KafkaMember ();
use TopicTest;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(add_topic drop_topic grow_topic learn_names change_owner delete_in_sql delete_by_client lease_in_sql);

use constant LEASE => 1.5;		# seconds

# A psql that stops at the first error: [code, output, errors].
sub as_producer { my ($model, $sql) = @_; return try_psql($model->{node}, "SET ROLE producer\nSET statement_timeout = '2s'\n$sql") }

# ---- topics ----------------------------------------------------------------------------

sub add_topic
{
	my ($model, $topic, $partitions) = @_;

	$model->{node}->safe_psql('postgres', "SELECT create_topic('$topic', partitions => $partitions);
		INSERT INTO $topic (partition, value) SELECT p, i FROM generate_series(0, $partitions - 1) p, generate_series(1, "
		  . KafkaGroupsModel::RECORDS() . ") i;
		GRANT SELECT ON $topic TO producer");
	$model->{topics}{$topic} = $partitions;
	return;
}

# The ids of topics, as members of the new protocol know them.
sub learn_names
{
	my ($model) = @_;
	my $client = KafkaClient->new($model->{port});
	my $reader = $client->call(KafkaClient::METADATA, 12, KafkaClient::compact_count(-1) . "\1\0\0", 1);

	$reader->int32;
	foreach (1 .. $reader->compact_count) { $reader->int32; $reader->compact_string; $reader->int32; $reader->compact_string; $reader->tags; }
	$reader->compact_string;
	$reader->int32;
	foreach (1 .. $reader->compact_count)
	{
		$reader->int16;
		my $name = $reader->compact_string;
		$model->{names}{ $reader->uuid } = $name;
		$reader->int8;
		foreach (1 .. $reader->compact_count)
		{
			$reader->int16;
			$reader->int32 foreach 1 .. 3;
			foreach (1 .. 3) { $reader->int32 foreach 1 .. $reader->compact_count; }
			$reader->tags;
		}
		$reader->int32;
		$reader->tags;
	}
	$client->close;
	return;
}

# Members of the classic protocol see by their metadata that a topic has changed, and join again.
sub let_join
{
	my ($model, $topic) = @_;

	foreach my $group (grep { grep { $_ eq $topic } @{ $_->{topics} } } values %{ $model->{groups} })
	{
		@$_{qw(state owned)} = ('out', {}) foreach grep { $_->{kind} eq 'classic' && $_->{state} eq 'stable' && $_->{client} } @{ $group->{members} };
	}
	return;
}

sub come
{
	my ($model, $topic) = @_;

	add_topic($model, $topic, 1 + int rand 3);
	learn_names($model);
	let_join($model, $topic);
	return;
}

# Another one of that name is another topic.
sub drop_topic
{
	my ($model, $topic) = @_;
	my ($code, $out, $err) = try_psql($model->{node}, "SET lock_timeout = '1s'\nDROP FOREIGN TABLE $topic");

	return if $code != 0;
	delete $model->{topics}{$topic};
	foreach my $group (values %{ $model->{groups} })
	{
		delete $group->{commits}{$_} foreach grep { /^\Q$topic\E-/ } keys %{ $group->{commits} };
		foreach my $member (@{ $group->{members} })
		{
			delete $member->{owned}{$_} foreach grep { /^\Q$topic\E-/ } keys %{ $member->{owned} };
		}
	}
	$model->{names}{$_} = "gone$_" foreach grep { $model->{names}{$_} eq $topic } keys %{ $model->{names} };
	let_join($model, $topic);
	return;
}

sub grow_topic
{
	my ($model, $topic) = @_;
	my $partitions = $model->{topics}{$topic} // return come($model, $topic);

	return drop_topic($model, $topic) if $partitions >= 5 || ($topic =~ /^come/ && rand() < 0.5);
	return if $topic !~ /^come/;
	my ($code) = try_psql($model->{node}, "SET lock_timeout = '1s'\nALTER FOREIGN TABLE $topic OPTIONS (SET partitions '" . ($partitions + 1) . "')");

	return if $code != 0;
	$model->{topics}{$topic} = $partitions + 1;
	let_join($model, $topic);
	return;
}

# ---- groups ------------------------------------------------------------------------------

# The group belongs to the other of two roles, for one of which the clients may act as well.
sub change_owner
{
	my ($model, $group, $topic) = @_;
	my $owner = ('producer', 'other')[ rand 2 ];
	my ($code, $out, $err) = try_psql($model->{node}, "SET statement_timeout = '2s'\nSELECT alter_group_owner('$topic', '$group->{name}', '$owner')");

	$model->problem("group $group->{name}: its owner in $topic cannot be changed: $err") if $code != 0 && $err !~ /does not exist|canceling statement|has no|not use/;
	return;
}

# Nobody has anything in a topic, or the group would not have been deleted there.
sub deleted_in
{
	my ($model, $group, $topic, $by) = @_;

	foreach my $member (grep { KafkaGroupsModel::is_live($_) } @{ $group->{members} })
	{
		$model->problem("group $group->{name}: it is deleted by $by in $topic beside", $model->describe($member)) if grep { /^\Q$topic\E-/ } keys %{ $member->{owned} };
	}
	foreach my $at (grep { /^\Q$topic\E-/ } keys %{ $group->{commits} })
	{
		$group->{commits}{$at}{acked} = undef;
		$group->{commits}{$at}{any} = 0 if !%{ $group->{commits}{$at}{maybe} };
	}
	return;
}

sub delete_in_sql
{
	my ($model, $group, $topic) = @_;
	my ($code, $out, $err) = as_producer($model, "SELECT delete_group('$topic'::regclass, '$group->{name}')");

	if ($code == 0) { deleted_in($model, $group, $topic, 'SQL'); }
	elsif ($err !~ /in use|has members|canceling statement|does not exist|belongs to/) { $model->unsure($group, $topic, $_) foreach 0 .. $model->{topics}{$topic} - 1; }
	return;
}

# By DeleteGroups: the group is not known any more, and begins anew.
sub delete_by_client
{
	my ($model, $group) = @_;
	my $client = KafkaClient->new($model->{port}) // return;
	my $errors = eval { local $PostgreSQL::Test::Utils::timeout_default = 7; KafkaMember::delete_groups($client, [ $group->{name} ]) };
	my $error = $errors ? $errors->{ $group->{name} } : undef;

	$client->close;
	if (!defined $error || $error == 15)
	{
		foreach my $topic (@{ $group->{topics} }) { $model->unsure($group, $topic, $_) foreach 0 .. ($model->{topics}{$topic} // 0) - 1; }
		return;
	}
	return if $error != 0;
	deleted_in($model, $group, $_, 'DeleteGroups') foreach grep { $model->{topics}{$_} } @{ $group->{topics} };
	@$group{qw(told shares top)} = ({}, {}, 0);
	return;
}

# A member in SQL leases partitions for a while.  What it has read is committed when it comes again, which it does not.
sub lease_in_sql
{
	my ($model, $group, $topic) = @_;
	my $until = time + LEASE;
	my ($code, $out, $err) = as_producer($model, "SELECT partition, count(*) FROM consume('$topic', '$group->{name}', 3, auto_offset_reset => 'earliest', member_id => 'w"
		  . int(rand 3) . "', lease => '" . LEASE . " s') GROUP BY 1");

	$model->unsure($group, $topic, $_) foreach 0 .. ($model->{topics}{$topic} // 0) - 1;
	return if $code != 0;
	foreach my $partition (map { /^(\d+)/ ? $1 : () } split /\n/, $out)
	{
		foreach my $member (grep { KafkaGroupsModel::is_live($_) } @{ $group->{members} })
		{
			$model->problem("group $group->{name}: SQL leases $topic-$partition beside member", $model->describe($member)) if $member->{owned}{"$topic-$partition"};
		}
		push @{ $model->{leases} }, { group => $group, topic => $topic, partition => $partition, until => $until };
	}
	return;
}

1;
