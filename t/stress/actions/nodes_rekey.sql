\set node random(1, 25)
\set new random(1, 29)
SELECT attempt('UPDATE nodes SET id = :new WHERE id = :node');
