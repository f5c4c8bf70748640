# Dump and restore: relationships, their triggers and the pending orphan checks
# work in the copy as in the original, and DROP EXTENSION leaves nothing behind.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# One relationship of each kind that has a trigger of its own, names that need
# quotes, and columns dropped in between, which a restore renumbers.
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', <<'EOSQL');
CREATE EXTENSION cascade;
CREATE SCHEMA "sch ema";

CREATE TABLE authors (gone int, id int PRIMARY KEY, name text, deleted_at date);
CREATE TABLE books (id int PRIMARY KEY, gone int, title text, author_id int REFERENCES authors, deleted_at date);
CREATE TABLE "sch ema"."re'view""s\" (id int PRIMARY KEY, gone int, "book	id" int NOT NULL REFERENCES books);
CREATE TABLE accounts (tenant int, id int, PRIMARY KEY (tenant, id));
CREATE TABLE orders (id int PRIMARY KEY, tenant int NOT NULL, account int);
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int REFERENCES nodes);
ALTER TABLE authors DROP COLUMN gone;
ALTER TABLE books DROP COLUMN gone;
ALTER TABLE "sch ema"."re'view""s\" DROP COLUMN gone;

SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan', propagate => '{"deleted_at": "deleted_at"}');
SELECT cascade.add_relationship('books', '"sch ema"."re''view""s\"', 'all, delete-orphan');
SELECT cascade.add_relationship('accounts', 'orders', name => 'placed',
	source_columns => '{tenant,id}', target_columns => '{tenant,account}', nullify_columns => '{account}');
SELECT cascade.add_relationship('nodes', 'nodes', 'all, delete-orphan', name => 'children',
	direction => 'one-to-many', deferred => false);

INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 4) i;
INSERT INTO books SELECT i, 'book ' || i, (i + 1) / 2 FROM generate_series(1, 8) i;
INSERT INTO "sch ema"."re'view""s\" SELECT i, (i + 1) / 2 FROM generate_series(1, 16) i;
INSERT INTO accounts VALUES (1, 1), (1, 2);
INSERT INTO orders VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2), (4, NULL), (5, 4);
EOSQL

my $dir = $node->basedir;
command_ok([ 'pg_dump', '-d', $node->connstr('original'), '-f', "$dir/plain.sql" ],
	'pg_dump, plain');
command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('original'), '-f', "$dir/custom.dump" ],
	'pg_dump, custom');

$node->safe_psql('postgres', 'CREATE DATABASE plain');
command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dir/plain.sql" ],
	'psql restores');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
command_ok([ 'pg_restore', '-j', '2', '--exit-on-error', '-d', $node->connstr('custom'), "$dir/custom.dump" ],
	'pg_restore -j 2 restores');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE original');

my $relationships = 'SELECT * FROM cascade.relationship ORDER BY source::text, name';
my $triggers = q{SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'CASCADE\_%' ORDER BY tgrelid::regclass::text, tgname};
my $expected = $node->safe_psql('original', $relationships);
my $expected_triggers = $node->safe_psql('original', $triggers);
is(scalar(split(/\n/, $expected)), 4, 'four relationships declared');

# Each statement in a session of its own: nothing is left from declaring.
sub ids
{
	my ($db, $table, $column) = @_;
	$column //= 'id';
	return $node->safe_psql($db, "SELECT string_agg(concat($column), ' ' ORDER BY id) FROM $table");
}

my $reviews = q{"sch ema"."re'view""s\"};

foreach my $db ('plain', 'custom', 'copy', 'original')
{
	is($node->safe_psql($db, $relationships), $expected, "$db: same relationships");
	is($node->safe_psql($db, $triggers), $expected_triggers, "$db: same triggers");

	$node->safe_psql($db, 'DELETE FROM authors WHERE id = 1');
	is(ids($db, 'books'), '3 4 5 6 7 8', "$db: delete, first level");
	is(ids($db, $reviews), '5 6 7 8 9 10 11 12 13 14 15 16', "$db: delete, second level");

	is($node->safe_psql($db, <<'EOSQL'), 't', "$db: an orphan is there before commit");
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 3;
SELECT EXISTS (SELECT FROM books WHERE id = 3);
COMMIT;
EOSQL
	is(ids($db, 'books'), '4 5 6 7 8', "$db: orphan gone at commit");
	is(ids($db, $reviews), '7 8 9 10 11 12 13 14 15 16', "$db: and what hung on it");

	$node->safe_psql($db, qq{UPDATE $reviews SET "book	id" = NULL WHERE id = 7});
	is(ids($db, $reviews), '8 9 10 11 12 13 14 15 16', "$db: orphan with a NOT NULL key");

	$node->safe_psql($db, 'UPDATE authors SET id = 30 WHERE id = 3');
	is(ids($db, 'books', 'author_id'), '2 30 30 4 4', "$db: keys follow");

	$node->safe_psql($db, q{UPDATE authors SET deleted_at = '2024-02-29' WHERE id = 4});
	is($node->safe_psql($db, 'SELECT id FROM books WHERE deleted_at IS NOT NULL ORDER BY id'),
		"7\n8", "$db: propagate");

	$node->safe_psql($db, 'DELETE FROM accounts WHERE id = 1');
	is($node->safe_psql($db, 'SELECT * FROM orders ORDER BY id'),
		"1|1|\n2|1|2", "$db: nullify of one column of two");

	$node->safe_psql($db, 'DELETE FROM nodes WHERE id = 1');
	$node->safe_psql($db, 'UPDATE nodes SET parent_id = NULL WHERE id = 5');
	is(ids($db, 'nodes'), '4', "$db: self-referential, delete and orphan");

	$node->safe_psql($db, 'DROP EXTENSION cascade');
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal}),
		'0', "$db: DROP EXTENSION leaves no trigger");
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_namespace WHERE nspname = 'cascade'}),
		'0', "$db: nor the schema");
	my ($ret, $stdout, $stderr) = $node->psql($db, 'DELETE FROM authors WHERE id = 2');
	like($stderr, qr/violates foreign key constraint/, "$db: the foreign key is as it was");
}

$node->stop;
done_testing();
