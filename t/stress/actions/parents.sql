\set which random(1, 8)
INSERT INTO authors SELECT * FROM generate_series(1, 8) i WHERE i <> :which ON CONFLICT DO NOTHING;
INSERT INTO posts SELECT generate_series(1, 8) ON CONFLICT DO NOTHING;
INSERT INTO photos SELECT generate_series(1, 8) ON CONFLICT DO NOTHING;
INSERT INTO halls SELECT 1 + :which % 2, generate_series(1, 3) ON CONFLICT DO NOTHING;
