\set house random(1, 2)
\set hall random(1, 3)
\set new random(1, 4)
\set pause random(0, 3)
BEGIN;
SELECT attempt('DELETE FROM halls WHERE house = :house AND number = :hall');
\sleep :pause ms
SELECT attempt('UPDATE halls SET number = :new WHERE house = :house AND number = 1 + :hall % 3');
END;
