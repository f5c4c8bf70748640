\set book random(1, 40)
\set new random(1, 45)
SELECT attempt('UPDATE books SET id = :new WHERE id = :book');
