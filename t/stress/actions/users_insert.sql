-- the avatar is new, or the user comes to one that is there
\set user random(1, 20)
\set avatar random(0, 8)
\set pause random(0, 3)
BEGIN;
SELECT attempt($$
    INSERT INTO avatars VALUES (:avatar) ON CONFLICT DO NOTHING;
    INSERT INTO users VALUES (:user, :avatar) ON CONFLICT (id) DO UPDATE SET avatar_id = excluded.avatar_id $$);
\sleep :pause ms
END;
