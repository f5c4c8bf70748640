\set house random(0, 2)
\set hall random(1, 3)
\set seat random(1, 12)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    INSERT INTO seats VALUES (:seat, :house, :hall)
    ON CONFLICT (id) DO UPDATE SET house = excluded.house, hall = excluded.hall $$);
\sleep :pause ms
DELETE FROM seats WHERE id = 1 + :seat * 5 % 12;
UPDATE seats SET hall = NULL WHERE id = 1 + :seat * 7 % 12;
END;
