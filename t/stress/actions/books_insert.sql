\set author random(0, 9)
\set book random(1, 40)
\set pause random(0, 3)
BEGIN;
SELECT attempt('INSERT INTO books VALUES (:book, :author) ON CONFLICT DO NOTHING');
\sleep :pause ms
SELECT attempt('INSERT INTO notes SELECT generate_series(:book, :book + 3), :book ON CONFLICT DO NOTHING');
END;
