# Two-phase commit: orphan checks act before the transaction is prepared, and
# COMMIT PREPARED needs nothing but the server, not even the same start of it.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;

$node->safe_psql('postgres', <<'EOSQL');
CREATE EXTENSION cascade;
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors);
CREATE TABLE reviews (id int PRIMARY KEY, book_id int REFERENCES books);
CREATE TABLE loans (id int PRIMARY KEY, book_id int REFERENCES books);
CREATE TABLE log (n serial, what text);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO log (what) VALUES (TG_TABLE_NAME || ' ' || OLD.id); RETURN NULL; END $$;
CREATE TRIGGER log AFTER DELETE ON books FOR EACH ROW EXECUTE FUNCTION log();
SELECT cascade.add_relationship('authors', 'books', 'all, delete-orphan');
SELECT cascade.add_relationship('books', 'reviews', 'all');
INSERT INTO authors VALUES (1);
INSERT INTO books SELECT i, 1 FROM generate_series(1, 6) i;
INSERT INTO reviews SELECT i, i FROM generate_series(1, 6) i;
INSERT INTO loans VALUES (1, 6);
EOSQL

sub ids
{
	my ($table) = @_;
	return $node->safe_psql('postgres', "SELECT string_agg(id::text, ' ' ORDER BY id) FROM $table");
}

sub detach_and_prepare
{
	my ($book, $gid) = @_;
	return $node->psql('postgres', <<"EOSQL");
BEGIN;
UPDATE books SET author_id = NULL WHERE id = $book;
PREPARE TRANSACTION '$gid';
EOSQL
}

my ($ret, $stdout, $stderr);

($ret, $stdout, $stderr) = detach_and_prepare(1, 'commit');
is($ret, 0, 'prepared') or diag($stderr);
is(ids('books'), '1 2 3 4 5 6', 'others see nothing yet');
$node->safe_psql('postgres', q{COMMIT PREPARED 'commit'});
is(ids('books'), '2 3 4 5 6', 'the orphan is gone after COMMIT PREPARED');
is(ids('reviews'), '2 3 4 5 6', 'with what hung on it');
is($node->safe_psql('postgres', 'SELECT what FROM log'), 'books 1', 'deleted once');

detach_and_prepare(2, 'rollback');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'rollback'});
is(ids('books'), '2 3 4 5 6', 'the orphan is back after ROLLBACK PREPARED');
is($node->safe_psql('postgres', 'SELECT author_id FROM books WHERE id = 2'), '1', 'and has its author');

# What the check runs into is an error of PREPARE, not of COMMIT PREPARED.
($ret, $stdout, $stderr) = detach_and_prepare(6, 'refused');
like($stderr, qr/violates foreign key constraint "loans_book_id_fkey"/, 'a check that fails stops PREPARE');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'nothing prepared then');
is(ids('books'), '2 3 4 5 6', 'and nothing changed');

# The session can go on: nothing is left of the checks, nothing was forgotten.
$node->safe_psql('postgres', <<'EOSQL');
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 2;
PREPARE TRANSACTION 'first';
BEGIN;
UPDATE books SET author_id = NULL WHERE id = 3;
COMMIT;
COMMIT PREPARED 'first';
EOSQL
is(ids('books'), '4 5 6', 'PREPARE and COMMIT in turn in one session');

# A savepoint rolled back before PREPARE takes its checks with it.
$node->safe_psql('postgres', <<'EOSQL');
BEGIN;
SAVEPOINT a;
UPDATE books SET author_id = NULL WHERE id = 4;
ROLLBACK TO a;
UPDATE books SET author_id = NULL WHERE id = 5;
PREPARE TRANSACTION 'restart';
EOSQL
$node->restart;
$node->safe_psql('postgres', q{COMMIT PREPARED 'restart'});
is(ids('books'), '4 6', 'prepared before a restart, committed after it');
is(ids('reviews'), '4 6', 'with what hung on it');

$node->stop;
done_testing();
