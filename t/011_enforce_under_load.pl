# doc/enforce.md: from a foreign key to an enforced relationship and back, with
# the commands of that page, while others write.  At no moment may a child come
# to a parent that is not there.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

open(my $page, '<', 'doc/enforce.md') or die "doc/enforce.md: $!";
my $text = do { local $/; <$page> };
close $page;
my @blocks = $text =~ /^```sql\n(.*?)^```\n/msg;
is(scalar(@blocks), 2, 'the page has two blocks of commands');
my ($there, $back) = @blocks;
my ($tables, $move) = split /^(?=-- 1\.)/m, $there, 2;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'\nmax_connections = 30\nfsync = off");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION cascade;\n$tables
	CREATE INDEX ON books (author_id);
	INSERT INTO authors SELECT generate_series(1, 50);
	INSERT INTO books SELECT i, i % 50 + 1 FROM generate_series(1, 500) i;
	CREATE SEQUENCE book_id START 1000;
	CREATE TABLE outcome (what text, n bigint);");

# Children come for parents that come and go.  A refusal is a right answer,
# anything else than that and a deadlock is not.
my $writer = <<'EOSQL';
DO $$
DECLARE
	stop timestamptz := clock_timestamp() + interval '8 s';
	written bigint := 0;
	refused bigint := 0;
	author int;
BEGIN
	WHILE clock_timestamp() < stop LOOP
		author := 1 + floor(random() * 60);
		BEGIN
			CASE floor(random() * 5)
				WHEN 0 THEN DELETE FROM authors WHERE id = author;
				WHEN 1 THEN INSERT INTO authors VALUES (author) ON CONFLICT DO NOTHING;
				WHEN 2 THEN UPDATE books SET author_id = author
								WHERE id IN (SELECT id FROM books ORDER BY random() LIMIT 2);
				ELSE INSERT INTO books VALUES (nextval('book_id'), author), (nextval('book_id'), author);
			END CASE;
			written := written + 1;
		EXCEPTION
			WHEN foreign_key_violation OR deadlock_detected THEN refused := refused + 1;
		END;
		COMMIT;
	END LOOP;
	INSERT INTO outcome VALUES ('written', written), ('refused', refused);
END $$;
EOSQL

# Rows that the constraint or the relationship should not have let in.
sub dangling
{
	return $node->safe_psql('postgres',
		'SELECT count(*) FROM books WHERE author_id NOT IN (SELECT id FROM authors)');
}

my $script = $node->basedir . '/writer.sql';
append_to_file($script, $writer);
my @sessions = map {
	my ($out, $err) = ('', '');
	{ err => \$err, run => IPC::Run::start(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $script ],
		'>', \$out, '2>', \$err) };
} 1 .. 4;
# all of them at work?
ok($node->poll_query_until('postgres', "SELECT count(*) = 4 FROM pg_stat_activity WHERE query LIKE '%DECLARE%stop%'
	AND pid <> pg_backend_pid()"), 'four sessions write');

# A step that loses a deadlock against a writer is taken again.
sub step
{
	my ($sql, $name) = @_;
	my ($ret, $out, $err);

	for (1 .. 20)
	{
		$ret = $node->psql('postgres', $sql, stdout => \$out, stderr => \$err, on_error_stop => 1);
		last if $ret == 0 || $err !~ /deadlock detected/;
	}
	is($ret, 0, $name) or diag $err;
	is(dangling(), 0, "$name: no dangling row");
	select(undef, undef, undef, 0.3);
}

foreach my $round (1 .. 2)
{
	my @there = split /^(?=-- \d\.)/m, $move;
	my @back = split /^(?=-- \d\.)/m, $back;

	# the relationship stays declared when the foreign key is back
	$there[0] =~ s/add_relationship\('authors', 'books', 'all', /alter_relationship('authors', 'books', / if $round > 1;
	step($_, "round $round, there, " . (split /\n/)[0]) foreach @there;
	step($_, "round $round, back, " . (split /\n/)[0]) foreach @back;
}

foreach my $session (@sessions)
{
	ok($session->{run}->finish, 'a writer ends without an error') or diag ${ $session->{err} };
}
is(dangling(), 0, 'no dangling row in the end');
cmp_ok($node->safe_psql('postgres', "SELECT sum(n) FROM outcome WHERE what = 'written'"), '>', 100,
	'the writers have written');
cmp_ok($node->safe_psql('postgres', "SELECT sum(n) FROM outcome WHERE what = 'refused'"), '>', 0,
	'and were refused where they had to be');
$node->stop;
done_testing();
