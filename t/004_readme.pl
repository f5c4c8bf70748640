# The examples of README.md, run as they stand there, in one session: every
# block of sql, and the output of one that is followed by a block of text.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

open(my $readme, '<', 'README.md') or die "README.md: $!";
my $text = do { local $/; <$readme> };
close $readme;

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->start;

my $script = "\\set ON_ERROR_STOP on\n";
my @expected;
while ($text =~ /^```sql\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/msg)
{
	my ($sql, $output) = ($1, $2);

	$script .= "$sql\n\\qecho --\n";
	push @expected, $output;
}
ok(@expected >= 3, 'README.md has examples');

# psql as a person sees it: aligned, with headings
my ($in, $out) = ($node->basedir . '/readme.sql', $node->basedir . '/readme.out');
append_to_file($in, $script);
my $result = system_log('psql', '-X', '-d', $node->connstr('postgres'), '-f', $in, '-o', $out);
is($result, 0, 'the examples run');

my @shown = split /^--\n/m, slurp_file($out);
foreach my $i (0 .. $#expected)
{
	next unless defined $expected[$i];
	my ($got, $wanted) = map { s/[ \t]+$//mgr =~ s/\n+\z/\n/r } $shown[$i], $expected[$i];

	like($got, qr/\Q$wanted\E\z/, "example @{[ $i + 1 ]} gives what README.md shows");
}

$node->stop;
done_testing();
