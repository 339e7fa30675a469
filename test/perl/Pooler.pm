# PgBouncer in front of a server.
#
#   plan skip_all => 'pgbouncer is not installed' unless Pooler::program();
#   my $pooler = Pooler->new;
#   $pooler->start($node, 'pool_mode = transaction', 'default_pool_size = 3');
#   psql -d $pooler->connstr
#   $pooler->stop;               # and start() it again, in front of the same server or another one
package Pooler;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use TopicTest;

# Its path; undef where it is not installed.
sub program { return (grep { -x } '/usr/sbin/pgbouncer', '/usr/bin/pgbouncer')[0] }

sub new
{
	my ($class) = @_;

	return bless { directory => PostgreSQL::Test::Utils::tempdir_short(), port => PostgreSQL::Test::Cluster::get_free_port() }, $class;
}

# How psql connects to it.
sub connstr
{
	my ($self) = @_;

	return "host=$self->{directory} port=$self->{port} dbname=postgres user=" . getpwuid($<);
}

# Start it with settings of the section [pgbouncer].
sub start
{
	my ($self, $node, @settings) = @_;
	my ($directory, $port) = @$self{qw(directory port)};

	unlink "$directory/pgbouncer.ini";
	append_to_file("$directory/pgbouncer.ini", join("\n",
		'[databases]',
		'postgres = host=' . $node->host . ' port=' . $node->port . ' user=' . getpwuid($<),
		'[pgbouncer]', @settings,
		'listen_addr =', "unix_socket_dir = $directory", "listen_port = $port",
		'auth_type = any', 'ignore_startup_parameters = extra_float_digits,options',
		"logfile = $directory/pgbouncer.log", ''));
	$self->{run} = IPC::Run::start([ program(), "$directory/pgbouncer.ini" ],
		'<', \undef, '>', "$directory/out", '2>', "$directory/err");
	poll_until(sub { -S "$directory/.s.PGSQL.$port" }) or die 'pgbouncer does not start';
	return;
}

sub stop { my ($self) = @_; $self->{run}->kill_kill; return }

1;
