\set comment random(1, 40)
\set subject random(0, 9)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    UPDATE comments SET subject_type = CASE subject_type WHEN 'post' THEN 'photo' ELSE 'post' END
    WHERE id BETWEEN :comment AND :comment + 2 $$);
\sleep :pause ms
SELECT attempt('UPDATE comments SET subject_id = :subject WHERE id = :comment');
END;
