\set book random(1, 40)
DELETE FROM books WHERE id = :book;
