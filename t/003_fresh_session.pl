# Everything works in a session that has never called the extension: pg_regress
# cannot show that, as its sessions have declared the relationships.  Each
# statement below has a session of its own; all of it runs without and with
# shared_preload_libraries.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

# Run SQL in a fresh session, with settings that are there before the library.
sub run_with
{
	my ($options, $sql) = @_;
	local $ENV{PGOPTIONS} = $options;
	return $node->psql('postgres', $sql);
}

sub fresh
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

sub ids
{
	my ($table, $column) = @_;
	$column //= 'id';
	return fresh("SELECT string_agg(concat($column), ' ' ORDER BY id) FROM $table");
}

sub prepare_tables
{
	fresh(<<'EOSQL');
DROP SCHEMA IF EXISTS shop CASCADE;
DROP EXTENSION IF EXISTS cascade;
DROP ROLE IF EXISTS clerk;
CREATE EXTENSION cascade;
CREATE SCHEMA shop;
CREATE TABLE shop.authors (id int PRIMARY KEY, deleted_at date);
CREATE TABLE shop.books (id int PRIMARY KEY, author_id int REFERENCES shop.authors, deleted_at date);
CREATE TABLE shop.reviews (id int PRIMARY KEY, book_id int NOT NULL REFERENCES shop.books);
CREATE TABLE shop.editors (id int PRIMARY KEY);
ALTER TABLE shop.books ADD editor_id int REFERENCES shop.editors;
CREATE ROLE clerk LOGIN;
GRANT USAGE ON SCHEMA shop TO clerk;
GRANT SELECT, DELETE ON shop.authors TO clerk;
INSERT INTO shop.authors SELECT i FROM generate_series(1, 9) i;
INSERT INTO shop.editors VALUES (1), (2);
INSERT INTO shop.books SELECT i, (i + 1) / 2, NULL, i % 2 + 1 FROM generate_series(1, 18) i;
INSERT INTO shop.reviews SELECT i, i FROM generate_series(1, 18) i;
EOSQL
	fresh(q{SELECT cascade.add_relationship('shop.authors', 'shop.books', 'all, delete-orphan', propagate => '{"deleted_at": "deleted_at"}')});
	fresh(q{SELECT cascade.add_relationship('shop.books', 'shop.reviews', 'all, delete-orphan')});
	fresh(q{SELECT cascade.add_relationship('shop.editors', 'shop.books')});
	return;
}

sub test_all
{
	my ($how) = @_;
	my ($ret, $stdout, $stderr);

	prepare_tables();

	fresh('DELETE FROM shop.authors WHERE id = 1');
	is(ids('shop.books'), '3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18', "$how: delete");
	is(ids('shop.reviews'), '3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18', "$how: delete, second level");

	fresh('UPDATE shop.books SET author_id = NULL WHERE id = 3');
	is(ids('shop.books'), '4 5 6 7 8 9 10 11 12 13 14 15 16 17 18', "$how: orphan, its own transaction");

	is(fresh(<<'EOSQL'), '0', "$how: orphan, SET CONSTRAINTS ALL IMMEDIATE");
BEGIN;
UPDATE shop.books SET author_id = NULL WHERE id = 4;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT count(*) FROM shop.books WHERE id = 4;
COMMIT;
EOSQL

	fresh(<<'EOSQL');
BEGIN;
SAVEPOINT a;
UPDATE shop.books SET author_id = NULL WHERE id = 5;
ROLLBACK TO a;
UPDATE shop.books SET author_id = NULL WHERE id = 6;
RELEASE a;
COMMIT;
EOSQL
	is(ids('shop.books'), '5 7 8 9 10 11 12 13 14 15 16 17 18', "$how: orphan, savepoint rolled back");

	fresh('UPDATE shop.reviews SET book_id = NULL WHERE id = 5');
	is(ids('shop.reviews'), '7 8 9 10 11 12 13 14 15 16 17 18', "$how: orphan, NOT NULL key");

	fresh('UPDATE shop.authors SET id = 40 WHERE id = 4');
	is(ids('shop.books', 'author_id'), '3 40 40 5 5 6 6 7 7 8 8 9 9', "$how: keys follow");

	fresh(q{UPDATE shop.authors SET deleted_at = '2024-02-29' WHERE id = 5});
	is(fresh('SELECT id FROM shop.books WHERE deleted_at IS NOT NULL ORDER BY id'), "9\n10", "$how: propagate");

	fresh('DELETE FROM shop.editors WHERE id = 1');
	is(ids('shop.books', 'editor_id'), join(' ', 2, (2, '') x 6), "$how: nullify");

	# Settings given before the library is there.
	($ret, $stdout, $stderr) = run_with('-c cascade.trace=on', 'DELETE FROM shop.authors WHERE id = 5');
	like($stderr, qr/NOTICE:  cascade: authors\.books delete: 2 rows\n/, "$how: cascade.trace");
	like($stderr, qr/NOTICE:  cascade: books\.reviews delete: 2 rows\n/, "$how: cascade.trace, second level");

	($ret, $stdout, $stderr) = run_with('-c cascade.max_rows=3', "\\set VERBOSITY sqlstate\nDELETE FROM shop.authors WHERE id = 6");
	like($stderr, qr/54000/, "$how: cascade.max_rows, one row too many");
	is(fresh('SELECT count(*) FROM shop.authors WHERE id = 6'), '1', "$how: cascade.max_rows, nothing changed");
	($ret, $stdout, $stderr) = run_with('-c cascade.max_rows=4', 'DELETE FROM shop.authors WHERE id = 6');
	is($ret, 0, "$how: cascade.max_rows, as many rows as allowed");

	($ret, $stdout, $stderr) = run_with('-c cascade.enabled=off', 'DELETE FROM shop.authors WHERE id = 7');
	like($stderr, qr/violates foreign key constraint "books_author_id_fkey"/, "$how: cascade.enabled, superuser");

	# A user without any right on the children: they go all the same, even if
	# that user would rather switch cascades off.
	local $ENV{PGUSER} = 'clerk';
	($ret, $stdout, $stderr) = $node->psql('postgres', 'DELETE FROM shop.authors WHERE id = 7');
	is($ret, 0, "$how: delete by an ordinary user") or diag($stderr);
	($ret, $stdout, $stderr) = run_with('-c cascade.enabled=off', 'DELETE FROM shop.authors WHERE id = 8');
	like($stderr, qr/permission denied to set parameter "cascade\.enabled"/,
		"$how: cascade.enabled, ordinary user");
	fresh('DELETE FROM shop.authors WHERE id = 8') if $ret != 0;
	delete $ENV{PGUSER};
	is(ids('shop.books'), '5 7 8 17 18', "$how: all the books are gone");
	is(ids('shop.reviews'), '7 8 17 18', "$how: and their reviews");
	return;
}

test_all('on demand');
$node->append_conf('postgresql.conf', q{shared_preload_libraries = 'cascade'});
$node->restart;
is(fresh('SHOW cascade.trace'), 'off', 'the library is preloaded');
test_all('preloaded');

$node->stop;
done_testing();
