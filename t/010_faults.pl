# What goes wrong in the middle of a cascade undoes all of it and nothing else:
# checks that were pending before stay pending, and the session and the others
# go on.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Shapes;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'EOCONF');
autovacuum = off
jit = off
max_prepared_transactions = 5
EOCONF
$node->start;

my $many = 300;

declare_shapes($node, 'postgres');

# A row in the middle of the many does what fault.kind says.
$node->safe_psql('postgres', <<'EOSQL');
CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE current_setting('fault.kind', true)
		WHEN 'error' THEN RAISE 'fault' USING ERRCODE = 'F0001';
		WHEN 'sleep' THEN PERFORM pg_sleep(600);
		WHEN 'spill' THEN PERFORM count(*) FROM (SELECT FROM generate_series(1, 10000) i ORDER BY i DESC OFFSET 0) t;
		WHEN 'cancel' THEN PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(600);
		WHEN 'terminate' THEN PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(600);
		ELSE
	END CASE;
	RETURN NULL;
END
$$;
CREATE TRIGGER fault AFTER DELETE ON "sch ema"."re'view""s\" FOR EACH ROW WHEN (OLD.id = 1300) EXECUTE FUNCTION fault();
CREATE TRIGGER fault AFTER DELETE ON "sch ema"."book's tags" FOR EACH ROW WHEN (OLD.tag = 1150) EXECUTE FUNCTION fault();
CREATE TRIGGER fault AFTER UPDATE OF author_id, editor_id ON books FOR EACH ROW WHEN (NEW.id = 1150) EXECUTE FUNCTION fault();
CREATE TRIGGER fault AFTER DELETE ON covers FOR EACH ROW WHEN (OLD.id = 1150) EXECUTE FUNCTION fault();
EOSQL

# Several kinds of checks, queued before the fault.
my $pending = <<'EOSQL';
UPDATE books SET author_id = NULL WHERE id = 1;
DELETE FROM "sch ema"."book's tags" WHERE tag = 5;
UPDATE books SET cover_id = NULL WHERE id = 8;
UPDATE comments SET on_type = NULL WHERE id = 7;
EOSQL

# Where the fault is: the statement, and how to reach it without a COMMIT.
my %place = (
	'deletion, second level' => ['DELETE FROM authors WHERE id = 1000'],
	'link rows' => ['DELETE FROM tags WHERE id >= 1000'],
	'nullified keys' => ['DELETE FROM editors WHERE id = 1'],
	'keys that follow' => ['UPDATE authors SET id = 1999 WHERE id = 1000'],
	'orphans' => [ 'UPDATE books SET cover_id = NULL WHERE id >= 1000', 'SET CONSTRAINTS ALL IMMEDIATE' ]);

# ... and one of the rows that it writes.
my %row = (
	'deletion, second level' => q{"sch ema"."re'view""s\" WHERE id = 1300},
	'link rows' => q{"sch ema"."book's tags" WHERE tag = 1150},
	'nullified keys' => 'books WHERE id = 1150',
	'keys that follow' => 'books WHERE id = 1150',
	'orphans' => 'covers WHERE id = 1150');

my $state_file = $node->basedir . '/state.sql';
append_to_file($state_file, state_query());

# Run a script that shows the state now and then; returns the states and the
# SQLSTATEs.
sub run_script
{
	my ($script) = @_;
	my ($out, $err);

	$script =~ s/^STATE$/\\i $state_file\n\\echo --/mg;
	IPC::Run::run([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', '-' ],
		'<', \$script, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return (join(' ', $err =~ /(?:ERROR|FATAL):  (.*)$/mg), split(/^--\n/m, $out));
}

# Without a fault: what the pending checks do, and what the statement does.
my ($errors, $filled, $pending_done, %done);

fill_shapes($node, 'postgres', $many);
($errors, $filled, $pending_done) = run_script("STATE\nBEGIN;\n${pending}COMMIT;\nSTATE\n");
is($errors, '', 'no fault: no error');
is($pending_done, <<"EOT", 'no fault: pending checks');
authors: 1 2 3 4 +1
editors: 1 2
books: 2-1-1-2 3-2-2-3 4-2-1-4 5-3-2-5 6-3-1-6 7-4-2-7 8-4-1- +$many
covers: 2 3 4 5 6 7 +$many
reviews: 3-2 4-2 5-3 6-3 7-4 8-4 9-5 10-5 11-6 12-6 13-7 14-7 15-8 16-8 +@{[ 2 * $many ]}
links: 2-2 2-3 3-3 3-4 4-4 5-6 6-6 6-7 7-7 7-8 8-1 8-8 +$many
tags: 1 2 3 4 6 7 8 +$many
photos: 1 2 3 4 5 6 7 8
comments: 2-a "bo-2 3-a "bo-3 4-a "bo-4 5-a "bo-5 6-a "bo-6 8-a "bo-8 11-photo-1 12-photo-2 13-photo-3 14-photo-4 15-photo-5 16-photo-6 17-photo-7 18-photo-8 +$many
customers: eu1 eu2 eu3 us1 us2 us3
orders: 1-1990-eu1 2-2010-eu2 3-1990-eu3 4-2010-us1 5-1990-us2 6-2010-us3
lines: 1-1-1990 2-1-1990 3-2-2010 4-2-2010 5-3-1990 6-3-1990 7-4-2010 8-4-2010 9-5-1990 10-5-1990 11-6-2010 12-6-2010
nodes: 1- 2-1 3-2 4- 5-4
makers: 1 2 3
parts: 1-1 2-1 3-2 4-2 5-3 6-3
manuals: 1-3
EOT
my %changes = (
	'deletion, second level' => qr/^books:[^+]*\ncovers:[^+]*\nreviews:[^+]*\nlinks:[^+]*\ntags:[^+]*\nphotos:[^+]*\ncomments:[^+]*\n/m,
	'link rows' => qr/^links:[^+]*\ntags:[^+]*\n/m,
	'nullified keys' => qr/^books: 2-1--2 3-2-2-3 4-2--4 /m,
	'keys that follow' => qr/\A\Q$pending_done\E\z/,
	'orphans' => qr/^covers: 2 3 4 5 6 7\nreviews:/m);
foreach my $place (sort keys %place)
{
	fill_shapes($node, 'postgres', $many);
	($errors, $done{$place}) = run_script("BEGIN;\n${pending}COMMIT;\nBEGIN;\n$place{$place}[0];\nCOMMIT;\nSTATE\n");
	is($errors, '', "no fault: $place, no error");
	like($done{$place}, $changes{$place}, "no fault: $place");
}
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM books WHERE author_id = 1000)'), $many, 'no fault: books of their own author');

# One session meets the fault in a savepoint, then in a transaction of its own,
# then does without it.
sub check_fault
{
	my ($kind, $sqlstate, $settings, $place, %options) = @_;
	my ($statement, $immediate) = @{ $place{$place} };
	my $before = $options{before} // '';
	my $after = $options{after} // '';
	my $local = join('', map { "SET LOCAL $_;\n" } @$settings);
	my $in_savepoint = $immediate ? "$statement;\n$immediate" : $statement;
	my $alone = $options{not_at_commit} ? $in_savepoint : $statement;

	fill_shapes($node, 'postgres', $many);
	my ($errors, @states) = run_script(<<"EOSQL");
$before
BEGIN;
${pending}SAVEPOINT s;
$local$in_savepoint;
ROLLBACK TO s;
COMMIT;
STATE
BEGIN;
$local$alone;
COMMIT;
STATE
$after
BEGIN;
$statement;
COMMIT;
STATE
EOSQL
	is($errors, "$sqlstate $sqlstate", "$kind: $place, both times");
	is($states[0], $pending_done, "$kind: $place, in a savepoint: what was pending is done, the rest is as it was");
	is($states[1], $pending_done, "$kind: $place, alone: nothing is done");
	is($states[2], $done{$place}, "$kind: $place, the same session without the fault");
	return;
}

foreach my $place (sort keys %place)
{
	check_fault('error in a trigger', 'F0001', [q{fault.kind = 'error'}], $place);
	check_fault('cancel', '57014', [q{fault.kind = 'cancel'}], $place);
	# COMMIT has no statement_timeout
	check_fault('statement_timeout', '57014', [ q{fault.kind = 'sleep'}, q{statement_timeout = '200ms'} ], $place,
		not_at_commit => 1);
	check_fault('temp_file_limit', '53400', [ q{fault.kind = 'spill'}, 'work_mem = 64', 'temp_file_limit = 0' ], $place);
	# somebody else has locked one of the rows
	check_fault('lock_timeout', '55P03', [q{lock_timeout = '20ms'}], $place,
		before => "BEGIN; SELECT FROM $row{$place} FOR SHARE; PREPARE TRANSACTION 'holder';",
		after => q{ROLLBACK PREPARED 'holder';});
}

# An error that a PL/pgSQL block catches.
foreach my $place (sort keys %place)
{
	my $body = join('; ', @{ $place{$place} });

	fill_shapes($node, 'postgres', $many);
	my ($errors, @states) = run_script(<<"EOSQL");
BEGIN;
${pending}SET LOCAL fault.kind = 'error';
DO \$\$ BEGIN $body; EXCEPTION WHEN SQLSTATE 'F0001' THEN NULL; END \$\$;
SET LOCAL fault.kind = '';
COMMIT;
STATE
EOSQL
	is($errors, '', "caught error: $place");
	is($states[0], $pending_done, "caught error: $place, what was pending is done, the rest is as it was");
}

# The session ends, with everything that it had not committed.
foreach my $place (sort keys %place)
{
	fill_shapes($node, 'postgres', $many);
	($errors) = run_script("BEGIN;\n${pending}SET LOCAL fault.kind = 'terminate';\n$place{$place}[0];\nCOMMIT;\n");
	is($errors, '57P01', "terminate: $place");
	is(state_of($node, 'postgres'), $filled, "terminate: $place, nothing is done");
}

# Deadlock: the cascade waits for a row of the other session, which waits for a
# row of this one.
my ($ours, $other) = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 2;

sub wait_for_waiter
{
	$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_locks WHERE NOT granted') or die 'nobody waits';
	return;
}

# Send a query, do not wait for its end.
sub send_query
{
	my ($session, $sql) = @_;

	$session->query_until(qr/sent/, "\\echo sent\n$sql;\n");
	return;
}

fill_shapes($node, 'postgres', $many);
$ours->query(<<"EOSQL");
\\set VERBOSITY sqlstate
SET deadlock_timeout = '10ms';
BEGIN;
${pending}SAVEPOINT s;
SELECT FROM nodes WHERE id = 1 FOR UPDATE
EOSQL
$other->query(q{SET deadlock_timeout = '1h'; BEGIN; SELECT FROM "sch ema"."re'view""s\" WHERE id = 1300 FOR KEY SHARE});
send_query($other, 'SELECT FROM nodes WHERE id = 1 FOR UPDATE');
wait_for_waiter();
$ours->query('DELETE FROM authors WHERE id = 1000');
like($ours->{stderr}, qr/ERROR:  40P01/, 'deadlock: the cascade is its victim');
$ours->query('ROLLBACK TO s; COMMIT');
$other->query('COMMIT');
is(state_of($node, 'postgres'), $pending_done, 'deadlock: what was pending is done, the rest is as it was');
$ours->query('DELETE FROM authors WHERE id = 1000');
is(state_of($node, 'postgres'), $done{'deletion, second level'}, 'deadlock: the same session, once more');

fill_shapes($node, 'postgres', $many);
$ours->query("SET deadlock_timeout = '1h'; BEGIN; $pending SELECT FROM nodes WHERE id = 1 FOR UPDATE");
$other->query(q{SET deadlock_timeout = '10ms'; BEGIN; SELECT FROM "sch ema"."re'view""s\" WHERE id = 1300 FOR KEY SHARE});
send_query($ours, 'DELETE FROM authors WHERE id = 1000');
wait_for_waiter();
$other->query('SELECT FROM nodes WHERE id = 1 FOR UPDATE; COMMIT');
$ours->query('COMMIT');
is(state_of($node, 'postgres'), $done{'deletion, second level'}, 'deadlock: the other session is its victim, the cascade goes on');
$_->quit foreach ($ours, $other);

#
# Out of memory: less and less address space for a backend whose cascades carry
# some megabytes of keys.
#
SKIP:
{
	skip 'needs prlimit and /proc', 5 unless IPC::Run::run([ 'sh', '-c', 'prlimit --pid $$ --as && test -r /proc/$$/status' ], '>&', \my $ignored);

	$node->safe_psql('postgres', <<'EOSQL');
CREATE TABLE big (id text PRIMARY KEY);
CREATE TABLE small (id int PRIMARY KEY, big text REFERENCES big);
SELECT cascade.add_relationship('big', 'small', 'all, delete-orphan');
ALTER TABLE big ALTER id SET STORAGE PLAIN;
INSERT INTO big SELECT i || repeat('x', 1000) FROM generate_series(1, 3000) i;
INSERT INTO small SELECT row_number() OVER (), id FROM big;
EOSQL
	my $limit = '\! prlimit --pid $PID --as=$(($(sed -n "s/^VmSize:\s*\([0-9]*\).*/\1/p" /proc/$PID/status) * 1024 + %d)):';
	my $no_limit = '\! prlimit --pid $PID --as=unlimited:';
	my $counts = 'SELECT count(big), count(*) FROM small';
	# deep in the stack once, which cannot grow under the limit
	my $script = <<'EOSQL';
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
CREATE FUNCTION pg_temp.deep(n int) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN RETURN CASE WHEN n = 0 THEN 0 ELSE pg_temp.deep(n - 1) END; END $$;
SELECT pg_temp.deep(100) \g /dev/null
EOSQL
	my @kilobytes = (0, 200, 600, 1200, 2000, 4000, 12000);
	foreach my $kilobytes (@kilobytes)
	{
		my $limited = sprintf($limit, 1024 * $kilobytes);

		foreach my $statements ([ 'DELETE FROM big', '' ], [ 'UPDATE small SET big = NULL', 'SET CONSTRAINTS ALL IMMEDIATE' ])
		{
			$script .= <<"EOSQL";
BEGIN;
UPDATE small SET big = NULL WHERE id = 1;
SAVEPOINT s;
$limited
$statements->[0];
$statements->[1];
$no_limit
ROLLBACK TO s;
$counts;
SET CONSTRAINTS ALL IMMEDIATE;
$counts;
ROLLBACK;
EOSQL
		}
	}
	my ($errors, $out) = run_script("$script\nDELETE FROM big;\n$counts;\n");
	is($out, "2999|3000\n2999|2999\n" x (2 * @kilobytes) . "0|0\n", 'out of memory: what was pending is done, the rest is as it was');
	my %seen = map { $_ => 1 } split(/ /, $errors);
	ok(delete $seen{'53200'}, 'out of memory: an error for lack of it');
	# SET CONSTRAINTS after the statement that failed
	delete $seen{'25P02'};
	is(join(' ', sort keys %seen), '', 'out of memory: no other error');
	is($node->safe_psql('postgres', $counts), '0|0', 'out of memory: the same session without it');
}

#
# Disk full: a tablespace on a small file system, which the server sees in a
# mount namespace of its own.
#
SKIP:
{
	my $dir = $node->basedir . '/tablespace';
	my $bin = $node->basedir . '/bin';
	my ($uid, $gid, $pg_ctl) = ($<, $( + 0, $node->config_data('--bindir') . '/pg_ctl');
	my $in_namespace = "unshare -Urm sh -c 'mount -t tmpfs -o size=1m,mode=777 none $dir && "
	  . "exec unshare -U --map-user=$uid --map-group=$gid \"\$@\"' sh";

	mkdir $_ foreach ($dir, $bin);
	skip 'needs user namespaces', 6 unless IPC::Run::run([ 'sh', '-c', "$in_namespace true" ], '>&', \my $ignored);

	append_to_file("$bin/pg_ctl", "#!/bin/sh\nexec $in_namespace $pg_ctl \"\$@\"\n");
	chmod 0755, "$bin/pg_ctl";
	$node->stop;
	{
		local $ENV{PATH} = "$bin:$ENV{PATH}";
		$node->start;
	}
	$node->safe_psql('postgres', <<"EOSQL");
CREATE TABLESPACE small LOCATION '$dir'
EOSQL
	$node->safe_psql('postgres', <<'EOSQL');
CREATE TABLE shelves (id int PRIMARY KEY);
CREATE TABLE volumes (id int, shelf int REFERENCES shelves, note text);
CREATE TABLE pages (id int, volume int) TABLESPACE small;
ALTER TABLE volumes ADD PRIMARY KEY (id);
ALTER TABLE pages ADD FOREIGN KEY (volume) REFERENCES volumes;
SELECT cascade.add_relationship('shelves', 'volumes', 'all, delete-orphan');
SELECT cascade.add_relationship('volumes', 'pages', 'all');
INSERT INTO shelves VALUES (1), (2);
INSERT INTO volumes VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO pages SELECT i, 1 FROM generate_series(1, 20000) i;
INSERT INTO pages VALUES (20001, 3);
EOSQL
	my ($errors, $out) = run_script(<<'EOSQL');
BEGIN;
UPDATE volumes SET shelf = NULL WHERE id = 3;
SAVEPOINT s;
UPDATE volumes SET id = 10 WHERE id = 1;
ROLLBACK TO s;
COMMIT;
UPDATE volumes SET id = 10 WHERE id = 1;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM volumes;
SELECT volume, count(*) FROM pages GROUP BY 1;
DELETE FROM shelves WHERE id = 1;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM volumes;
SELECT count(*) FROM pages;
TRUNCATE pages;
INSERT INTO pages SELECT i, 2 FROM generate_series(1, 5000) i;
UPDATE volumes SET id = 20 WHERE id = 2;
SELECT volume, count(*) FROM pages GROUP BY 1;
EOSQL
	is($errors, '53100 53100', 'disk full: both times');
	is($out, <<'EOT', 'disk full: nothing half done, what was pending is done, the session goes on');
1 2
1|20000
2
0
20|5000
EOT
}

check_guards($node, 'postgres', 'after all');
$node->stop;
ok(!$node->log_contains(qr/PANIC|TRAP:|terminated by signal/), 'no crash');
done_testing();
