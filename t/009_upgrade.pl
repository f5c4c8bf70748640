# pg_upgrade from the oldest to the newest PostgreSQL that is installed here
# with the extension: relationships, rows and triggers arrive, and what protects
# them, which pg_upgrade makes anew.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Shapes;

# The folder of each major version, by what it has: 15 => /usr/lib/postgresql/15
my %installed;
foreach my $pg_config (glob('/usr/lib/postgresql/*/bin/pg_config /usr/pgsql-*/bin/pg_config'))
{
	my ($version, $share, $lib) = split(/\n/, `'$pg_config' --version --sharedir --pkglibdir`);
	my ($major) = $version =~ /^PostgreSQL (\d+)/ or next;
	my $dir = $pg_config =~ s{/bin/pg_config$}{}r;

	$installed{$major} = $dir
	  if -e "$share/extension/cascade.control" && -e "$lib/cascade.so" && -x "$dir/bin/postgres";
}
my @versions = sort { $a <=> $b } keys %installed;
plan skip_all => 'needs two versions of PostgreSQL that have the extension installed, not '
  . (join(' and ', @versions) || 'none')
  if @versions < 2;
my ($from, $to) = @versions[ 0, -1 ];
note("from $from to $to");

# The extension is found where it is installed, not where TEMP_CONFIG says that
# one version has been staged.
delete $ENV{TEMP_CONFIG};

sub make_node
{
	my ($name, $version) = @_;

	my $node = PostgreSQL::Test::Cluster->new($name, install_path => $installed{$version});
	# from 18 on checksums are the default; pg_upgrade wants both alike
	$node->init(extra => [ '--locale', 'C', '-E', 'UTF8', $version >= 18 ? '--no-data-checksums' : () ]);
	return $node;
}

my $old = make_node('old', $from);
my $new = make_node('new', $to);

$old->start;
$old->safe_psql('postgres', 'CREATE DATABASE shapes');
declare_shapes($old, 'shapes');
fill_shapes($old, 'shapes');
my $relationships = relationships_of($old, 'shapes');
my $triggers = triggers_of($old, 'shapes');
my $rows = state_of($old, 'shapes');
$old->stop;

# pg_upgrade writes into the current folder
my ($out, $err);
my $result = IPC::Run::run(
	[
		"$installed{$to}/bin/pg_upgrade", '--no-sync', '--link',
		'-d', $old->data_dir, '-b', "$installed{$from}/bin", '-p', $old->port,
		'-D', $new->data_dir, '-B', "$installed{$to}/bin", '-P', $new->port,
		'-s', $new->host
	],
	'<', \undef, '>', \$out, '2>', \$err, init => sub { chdir $new->basedir or die });
ok($result, "pg_upgrade from $from to $to") or BAIL_OUT($out . $err);

$new->start;
is(relationships_of($new, 'shapes'), $relationships, 'same relationships');
is(triggers_of($new, 'shapes'), $triggers, 'same triggers');
is(state_of($new, 'shapes'), $rows, 'same rows');
check_shapes($new, 'shapes', 'upgraded');

# and on to a copy, with the new version's pg_dump
my $dump = $new->basedir . '/shapes.sql';
$new->command_ok([ 'pg_dump', '-f', $dump, '-d', $new->connstr('shapes') ], 'pg_dump of the new version');
$new->safe_psql('postgres', 'CREATE DATABASE copy');
$new->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $new->connstr('copy') ], 'and psql');
is(relationships_of($new, 'copy'), $relationships, 'copy: same relationships');
is(triggers_of($new, 'copy'), $triggers, 'copy: same triggers');

check_guards($new, 'shapes', 'upgraded');

$new->stop;
done_testing();
