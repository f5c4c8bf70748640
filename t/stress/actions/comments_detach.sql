\set comment random(1, 40)
\set subject random(0, 9)
\set pause random(0, 3)
BEGIN;
UPDATE comments SET subject_id = NULL WHERE id BETWEEN :comment AND :comment + 2;
\sleep :pause ms
-- of no declared type, so of no parent
SELECT attempt($$ UPDATE comments SET subject_type = 'video' WHERE id = :comment + 3 $$);
SELECT attempt('UPDATE comments SET subject_id = :subject WHERE id = :comment');
END;
