-- a target that has referrers stays
\set avatar random(1, 8)
\set new random(1, 8)
\set pause random(0, 3)
BEGIN;
SELECT attempt('UPDATE avatars SET id = :new WHERE id = :avatar');
\sleep :pause ms
SELECT attempt('DELETE FROM avatars WHERE id = 1 + :avatar % 8');
END;
