\set node random(1, 25)
\set parent random(-1, 25)
SELECT attempt('UPDATE nodes SET parent_id = nullif(:parent, 25) WHERE id = :node');
