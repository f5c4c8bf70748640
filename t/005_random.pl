# Random schemas, relationships and transactions, compared with a plain model
# of the rules and with native foreign keys: the first seeds of t/random/run.py,
# which runs any others, too.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $version = `python3 -c "import sys; print(sys.version_info >= (3, 7))" 2>&1` // '';
plan skip_all => 'needs python3, 3.7 or later' unless $version =~ /^True$/;
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;

my $node = PostgreSQL::Test::Cluster->new('random');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

sub run_seeds
{
	my ($what, $seeds, @options) = @_;
	my ($out, $err);

	my $result = IPC::Run::run(
		[
			'python3', 't/random/run.py', '--seeds', $seeds, @options,
			'-h', $node->host, '-p', $node->port, '-d', 'postgres'
		],
		'>', \$out, '2>', \$err);
	ok($result && $out =~ /^\d+ seeds: [1-9]\d* same, \d+ left open by the rules, 0 different$/m,
		"$what, seeds $seeds")
	  or diag($out, $err);
	return;
}

foreach my $batch (0 .. 6)
{
	run_seeds('the model', sprintf('%d-%d', 10 * $batch + 1, 10 * $batch + 10));
}
foreach my $batch (0 .. 2)
{
	run_seeds('native foreign keys', sprintf('%d-%d', 10 * $batch + 1, 10 * $batch + 10), '--twin');
}

$node->stop;
done_testing();
