# SIGKILL for the backend, or for the postmaster, in the middle of a cascade:
# after recovery it has not happened at all, or, once committed, completely, and
# the relationships work.  A template's copy survives as well.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use Shapes;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'EOCONF');
autovacuum = off
restart_after_crash = on
max_prepared_transactions = 10
EOCONF
$node->start;

my $many = 3000;

$node->safe_psql('postgres', 'CREATE DATABASE shapes');
declare_shapes($node, 'shapes');
fill_shapes($node, 'shapes', $many);

# One row among the many waits for a lock that a prepared transaction holds, so
# it outlives the crash.
$node->safe_psql('shapes', <<'EOSQL');
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
CREATE TRIGGER wait AFTER DELETE ON "sch ema"."re'view""s\" FOR EACH ROW WHEN (OLD.id = 3000) EXECUTE FUNCTION wait();
CREATE TRIGGER wait_deferred AFTER DELETE ON covers FOR EACH ROW WHEN (OLD.id = 3000) EXECUTE FUNCTION wait();
CREATE TRIGGER wait_follow AFTER UPDATE ON books FOR EACH ROW WHEN (NEW.id = 3000) EXECUTE FUNCTION wait();
CREATE UNLOGGED TABLE drafts (id int PRIMARY KEY, author_id int REFERENCES authors);
SELECT cascade.add_relationship('authors', 'drafts', 'all');
BEGIN;
SELECT pg_advisory_xact_lock(1);
PREPARE TRANSACTION 'holder';
EOSQL
my $relationships = relationships_of($node, 'shapes');
my $triggers = triggers_of($node, 'shapes');

# Start what gets stuck; returns when it is.
my ($stuck, $stuck_out, $stuck_pid);

sub start_stuck
{
	my ($sql) = @_;

	$stuck_out = '';
	$stuck = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('shapes'), '-c', $sql ],
		'<', \undef, '>&', \$stuck_out, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$node->poll_query_until('shapes', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted})
	  or die "does not wait: $stuck_out";
	$stuck_pid = $node->safe_psql('shapes', q{SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
	return;
}

sub kill_backend
{
	my $log = -s $node->logfile;

	kill 'KILL', $stuck_pid;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
	$stuck->finish;
	$node->poll_query_until('postgres', 'SELECT true') or die 'no recovery';
	return;
}

sub kill_postmaster
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	$node->kill9;
	$stuck->finish if $stuck;
	# The server cannot start while its predecessor is seen, be it as a process
	# that nobody has waited for, be it by backends that have yet to notice.
	for (my $i = 0; $i < 200 && kill(0, $pid); $i++)
	{
		usleep(100_000);
	}
	foreach (1 .. 100)
	{
		return if $node->start(fail_ok => 1);
		usleep(100_000);
	}
	die 'no start';
}

my %statement = (
	'a deletion, second level' => 'DELETE FROM authors WHERE id = 1000',
	'orphan checks at commit' => 'BEGIN; UPDATE books SET cover_id = NULL WHERE id >= 1000; DELETE FROM tags WHERE id > 3500; COMMIT',
	'keys that follow' => 'UPDATE authors SET id = 2000 WHERE id = 1000',
	'a relationship that is dropped' =>
	  q{BEGIN; SELECT cascade.drop_relationship('authors', 'books'); SELECT pg_advisory_xact_lock(1); COMMIT});
my $before = state_of($node, 'shapes');

sub check_unchanged
{
	my ($what) = @_;

	like($stuck_out, qr/server closed the connection unexpectedly|terminating connection/, "$what: the client was told");
	is(state_of($node, 'shapes'), $before, "$what: nothing half done");
	is(relationships_of($node, 'shapes'), $relationships, "$what: same relationships");
	is(triggers_of($node, 'shapes'), $triggers, "$what: same triggers");
	return;
}

foreach my $what (sort keys %statement)
{
	start_stuck($statement{$what});
	kill_backend();
	check_unchanged("backend killed, $what");
}
foreach my $what ('a deletion, second level', 'orphan checks at commit')
{
	start_stuck($statement{$what});
	kill_postmaster();
	check_unchanged("postmaster killed, $what");
}
$stuck = undef;

# An unlogged child is empty after a crash, and still a child.
$node->safe_psql('shapes', 'INSERT INTO drafts VALUES (1, 1), (2, 2)');
$node->safe_psql('shapes', 'DELETE FROM authors WHERE id = 1');
is($node->safe_psql('shapes', 'SELECT * FROM drafts'), '2|2', 'an unlogged child');
$node->safe_psql('shapes', 'DROP TABLE drafts');

# All of it, when it was committed or prepared just before.
$node->safe_psql('shapes', q{ROLLBACK PREPARED 'holder'});
fill_shapes($node, 'shapes', $many);
$node->safe_psql('shapes', <<'EOSQL');
DELETE FROM authors WHERE id = 1000;
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 1;
DELETE FROM "sch ema"."book's tags" WHERE tag = 5;
UPDATE books SET cover_id = NULL WHERE id = 8;
UPDATE authors SET id = 40 WHERE id = 4;
PREPARE TRANSACTION 'survives';
EOSQL
kill_postmaster();
is( $node->safe_psql('shapes', <<'EOSQL'),
SELECT (SELECT count(*) FROM books WHERE id > 1000), (SELECT count(*) FROM covers WHERE id > 1000),
	   (SELECT count(*) FROM tags WHERE id > 1000), (SELECT count(*) FROM comments WHERE id > 1000),
	   (SELECT count(*) FROM "sch ema"."re'view""s\" WHERE id > 1000),
	   (SELECT string_agg(concat(id, '-', author_id), ' ' ORDER BY id) FROM books WHERE id < 1000)
EOSQL
	'0|0|0|0|0|1-1 2-1 3-2 4-2 5-3 6-3 7-4 8-4',
	'committed before the crash: all is gone; prepared: nothing is');
$node->safe_psql('shapes', q{COMMIT PREPARED 'survives'});
is( $node->safe_psql('shapes', <<'EOSQL'),
SELECT (SELECT string_agg(concat(id, '-', author_id, '-', cover_id), ' ' ORDER BY id) FROM books),
	   (SELECT string_agg(id::text, ' ' ORDER BY id) FROM covers),
	   (SELECT string_agg(id::text, ' ' ORDER BY id) FROM tags)
EOSQL
	'2-1-2 3-2-3 4-2-4 5-3-5 6-3-6 7-40-7 8-40-|2 3 4 5 6 7|1 2 3 4 6 7 8',
	'COMMIT PREPARED after the crash: orphans gone, keys followed');

# CREATE DATABASE ... TEMPLATE, both ways, and a crash before any checkpoint.
fill_shapes($node, 'shapes');
$relationships = relationships_of($node, 'shapes');
foreach my $strategy ('wal_log', 'file_copy')
{
	$node->safe_psql('postgres', "CREATE DATABASE copy_$strategy TEMPLATE shapes STRATEGY $strategy");
}
kill_postmaster();
foreach my $db ('copy_wal_log', 'copy_file_copy', 'shapes')
{
	is(relationships_of($node, $db), $relationships, "$db: same relationships");
	check_shapes($node, $db, $db);
	check_guards($node, $db, $db);
}

$node->stop;
done_testing();
