# The ways of dumping and restoring a database, or a part of it: after each the
# relationships of every shape work, or an error says why not.

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
$node->append_conf('postgresql.conf', 'max_connections = 20');
$node->start;
my $dir = $node->basedir;

sub create_database
{
	my ($db, $option) = @_;
	$option //= '';
	$node->safe_psql('postgres', "CREATE DATABASE $db $option");
	return;
}

# command_ok shows nothing of what went wrong
sub succeeds
{
	my ($what, @command) = @_;
	my ($out, $err);

	my $result = IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return ok($result, $what) || diag($err);
}

sub dump_ok
{
	my ($file, @options) = @_;
	return succeeds("pg_dump @options", 'pg_dump', @options, '-f', "$dir/$file", '-d', $node->connstr('original'));
}

sub psql_ok
{
	my ($db, $file, @options) = @_;
	return succeeds("$db: psql < $file",
		'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', @options, '-f', "$dir/$file", '-d', $node->connstr($db));
}

sub restore_ok
{
	my ($db, $file, @options) = @_;
	return succeeds(join(' ', "$db: pg_restore", @options) =~ s{\Q$dir/\E}{}r,
		'pg_restore', '--exit-on-error', @options, '-d', $node->connstr($db), "$dir/$file");
}

create_database('original');
declare_shapes($node, 'original');
fill_shapes($node, 'original');
create_database('empty', 'TEMPLATE original');
$node->safe_psql('empty', 'TRUNCATE ' . $node->safe_psql('empty', <<'EOSQL'));
SELECT string_agg(oid::regclass::text, ', ')
  FROM pg_class
 WHERE relkind IN ('r', 'p') AND relnamespace IN ('public'::regnamespace, '"sch ema"'::regnamespace)
EOSQL

my $relationships = relationships_of($node, 'original');
my $triggers = triggers_of($node, 'original');
my $rows = state_of($node, 'original');
is(scalar(split(/\n/, $relationships)), 13, 'relationships of every shape');

dump_ok('plain.sql');
dump_ok('custom.dump', '-Fc');
dump_ok('folder', '-Fd', '-j', '2');
dump_ok('schema.sql', '--schema-only');
dump_ok('data.sql', '--data-only', '--disable-triggers');
dump_ok('inserts.sql', '--inserts');

# What every copy is held against: catalog (but for how its rows came to be
# there), triggers and whether they are
# enabled, rows; then the events, each in a fresh session.
sub check_copy
{
	my ($db, %options) = @_;

	is(relationships_of($node, $db), $relationships, "$db: same relationships");
	is(triggers_of($node, $db), $triggers, "$db: same triggers");
	fill_shapes($node, $db) if $options{no_rows};
	is(state_of($node, $db), $rows, "$db: same rows");
	check_shapes($node, $db, $db);
	check_guards($node, $db, $db) if $options{guards};
	return;
}

#
# All of it
#
create_database('plain');
psql_ok('plain', 'plain.sql');
check_copy('plain', guards => 1);

create_database('inserts');
psql_ok('inserts', 'inserts.sql', '--single-transaction');
check_copy('inserts');

create_database('custom');
restore_ok('custom', 'custom.dump', '-j', '2');
check_copy('custom');

create_database('sections');
restore_ok('sections', 'folder', '-j', '2', "--section=$_") foreach ('pre-data', 'data', 'post-data');
check_copy('sections');

# Orders that parallel workers may take: triggers do not wait for constraints,
# nor for the rows of the catalog table.
my ($list) = run_command([ 'pg_restore', '-l', "$dir/custom.dump" ]);
my @entries = grep { /^\d/ } split(/\n/, $list);

sub restore_in_order
{
	my ($db, @patterns) = @_;
	my %rank;

	foreach my $entry (@entries)
	{
		my $rank = 0;
		$rank++ while $rank < @patterns && $entry !~ $patterns[$rank];
		$rank{$entry} = $rank;
	}
	my $file = "$dir/$db.list";
	append_to_file($file, join('', map { "$_\n" } sort { $rank{$a} <=> $rank{$b} } @entries));
	create_database($db);
	restore_ok($db, 'custom.dump', '-L', $file);
	check_copy($db);
	return;
}

my $pre_data = qr/ (?:EXTENSION|SCHEMA|TABLE|TABLE ATTACH|DATABASE|ENCODING|STDSTRINGS|SEARCHPATH) /;
restore_in_order('order_verify', qr/$pre_data| TABLE DATA /, qr/ TRIGGER .*CASCADE_verify/, qr/ CONSTRAINT .*pkey/, qr/ TRIGGER /);
restore_in_order('order_update', qr/$pre_data| TABLE DATA /, qr/ TRIGGER .*(?:CASCADE_verify|CASCADE_update)/, qr/ CONSTRAINT .*pkey/, qr/ TRIGGER /);
restore_in_order('order_catalog', $pre_data, qr/ TABLE DATA (?!cascade )/, qr/ TRIGGER /, qr/ TABLE DATA /);

# What is there already is dropped first.  pg_restore drops each trigger before
# its table, and ours are not dropped by hand; nor are primary keys of partitions,
# or of what references that are enforced lead to.
my ($out, $err);
IPC::Run::run([ 'pg_restore', '--clean', '--if-exists', '-d', $node->connstr('custom'), "$dir/custom.dump" ],
	'>', \$out, '2>', \$err);
is(join("\n", grep { /ERROR/ && !/cannot drop (?:trigger "~?CASCADE_|inherited constraint|the unique key)/ } split(/\n/, $err)),
	'', 'custom: pg_restore --clean is refused nothing else');
check_copy('custom');

#
# Schema and rows apart
#
create_database('schema');
psql_ok('schema', 'schema.sql');
check_copy('schema', no_rows => 1, guards => 1);

create_database('apart');
psql_ok('apart', 'schema.sql');
psql_ok('apart', 'data.sql');
check_copy('apart');

create_database('apart_custom');
restore_ok('apart_custom', 'custom.dump', '--schema-only', '-j', '2');
restore_ok('apart_custom', 'custom.dump', '--data-only', '--disable-triggers', '-j', '2');
check_copy('apart_custom');

# where an application has declared them itself
create_database('declared', 'TEMPLATE empty');
psql_ok('declared', 'data.sql');
check_copy('declared');

# where the tables are there, but nothing is declared
create_database('undeclared');
create_tables($node, 'undeclared');
$node->safe_psql('undeclared', 'CREATE EXTENSION cascade');
psql_ok('undeclared', 'data.sql');
check_copy('undeclared');

# A restore writes the catalog past the functions, with its triggers disabled;
# they are as they were afterwards.
my $catalog_triggers = q{SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'cascade.relationship'::regclass ORDER BY tgname};
is($node->safe_psql('apart', $catalog_triggers),
	$node->safe_psql('original', $catalog_triggers), 'the triggers of the catalog table are as they were');

# one schema of the two, then the other
create_database('schemas');
$node->safe_psql('schemas', 'CREATE EXTENSION cascade SCHEMA pg_catalog; DROP SCHEMA public');
dump_ok('public.sql', '-n', 'public', '--section=pre-data', '--section=data');
dump_ok('public_post.sql', '-n', 'public', '--section=post-data');
dump_ok('other.sql', '-n', '"sch ema"', '--section=pre-data', '--section=data');
dump_ok('other_post.sql', '-n', '"sch ema"', '--section=post-data');
psql_ok('schemas', $_) foreach ('public.sql', 'other.sql', 'public_post.sql', 'other_post.sql');
check_copy('schemas');

#
# Tables: a dump of them has neither the extension nor its catalog
#
dump_ok('tables.sql', '-t', 'public.*', '-t', '"sch ema".*');
create_database('tables');
$node->safe_psql('tables', 'CREATE EXTENSION cascade; CREATE SCHEMA "sch ema"');
psql_ok('tables', 'tables.sql');
check_copy('tables', guards => 1);

create_database('without');
$node->safe_psql('without', 'CREATE SCHEMA "sch ema"');
command_fails_like(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('without'), '-f', "$dir/tables.sql" ],
	qr/schema "cascade" does not exist/,
	'without the extension the triggers are not restored');

# A parent without its child must not lose its cascade without a word: its
# trigger is refused, or raises an error.
sub never_silent
{
	my ($db, $file, $sql, $what) = @_;

	my ($ret, $stdout, $stderr);
	IPC::Run::run([ 'psql', '-Xq', '-d', $node->connstr($db), '-f', "$dir/$file" ], '>', \$stdout, '2>', \$stderr);
	my $restored = $stderr;
	($ret, $stdout, $stderr) = $node->psql($db, $sql);
	ok($restored =~ /ERROR/ || $ret != 0, "$what: not silent") or diag($restored . $stderr);
	like($restored . $stderr, qr/HINT/, "$what: with a hint") or diag($restored . $stderr);
	return;
}

create_database('parent');
$node->safe_psql('parent', 'CREATE EXTENSION cascade');
dump_ok('makers.sql', '-t', 'makers');
never_silent('parent', 'makers.sql', 'DELETE FROM makers WHERE id = 1', 'a parent without its children');
# ... and goes on where the children come later
dump_ok('parts.sql', '-t', 'parts');
dump_ok('manuals.sql', '-t', 'manuals');
psql_ok('parent', $_) foreach ('parts.sql', 'manuals.sql');
$node->psql('parent', 'DELETE FROM makers WHERE id = 1');
is($node->safe_psql('parent', 'SELECT (SELECT count(*) FROM makers WHERE id = 1) = (SELECT count(*) FROM parts WHERE maker_id = 1) / 2'),
	't', 'a parent whose children came later: both go, or none');

# One table is lost and comes back: what was declared on it was dropped with it.
create_database('lost', 'TEMPLATE original');
$node->safe_psql('lost', 'DROP TABLE nodes');
is($node->safe_psql('lost', q{SELECT count(*) FROM cascade.relationship WHERE name = 'children'}), '0', 'lost: gone with its table');
dump_ok('nodes.sql', '-t', 'nodes');
psql_ok('lost', 'nodes.sql');
check_copy('lost');

#
# Restored by a user who may not write the catalog
#
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
create_database('app', 'OWNER app');
$node->safe_psql('app', 'CREATE EXTENSION cascade');
{
	local $ENV{PGUSER} = 'app';
	IPC::Run::run([ 'pg_restore', '--no-owner', '-d', $node->connstr('app'), "$dir/custom.dump" ], '>', \$out, '2>', \$err);
}
is($node->safe_psql('app', q{SELECT tableowner, count(*) FROM pg_tables WHERE schemaname IN ('public', 'sch ema') GROUP BY 1}),
	'app|21', 'app: restored by an ordinary user');
{
	local $ENV{PGUSER} = 'app';
	check_copy('app');
}

$node->stop;
done_testing();
