--
-- chinook: a store of music, with NO ACTION foreign keys on NOT NULL columns,
-- that nobody prepared for cascades
--
CREATE SCHEMA chinook_test AUTHORIZATION regress_cascade_user;
SET ROLE regress_cascade_user;
SET search_path = chinook_test, helper;

CREATE TABLE artist (artist_id integer PRIMARY KEY, name text);
CREATE TABLE album (
    album_id integer PRIMARY KEY,
    title text NOT NULL,
    artist_id integer NOT NULL REFERENCES artist
);
CREATE TABLE track (
    track_id integer PRIMARY KEY,
    album_id integer NOT NULL REFERENCES album,
    name text NOT NULL
);
CREATE TABLE invoice_line (
    invoice_line_id integer PRIMARY KEY,
    track_id integer NOT NULL REFERENCES track
);
CREATE TABLE playlist_track (
    playlist_id integer,
    track_id integer REFERENCES track,
    PRIMARY KEY (playlist_id, track_id)
);

INSERT INTO artist SELECT i, 'artist ' || i FROM generate_series(1, 100) i;
INSERT INTO album SELECT i, 'album ' || i, (i + 1) / 2 FROM generate_series(1, 200) i;
INSERT INTO track SELECT i, (i + 9) / 10, 'track ' || i FROM generate_series(1, 2000) i;
INSERT INTO invoice_line SELECT i, i % 2000 + 1 FROM generate_series(1, 1000) i;
INSERT INTO playlist_track SELECT p, t FROM generate_series(1, 3) p, generate_series(p, 2000, p) t;

SELECT cascade.add_relationship('artist', 'album', 'all, delete-orphan');
SELECT cascade.add_relationship('album', 'track', 'all, delete-orphan');
SELECT cascade.add_relationship('track', 'invoice_line', 'all');
SELECT cascade.add_relationship('track', 'playlist_track', 'all');

CREATE VIEW counts AS
    SELECT (SELECT count(*) FROM artist) AS artists,
           (SELECT count(*) FROM album) AS albums,
           (SELECT count(*) FROM track) AS tracks,
           (SELECT count(*) FROM invoice_line) AS invoice_lines,
           (SELECT count(*) FROM playlist_track) AS playlist_tracks;
CREATE VIEW dangling AS
    SELECT (SELECT count(*) FROM album WHERE artist_id NOT IN (SELECT artist_id FROM artist)) AS albums,
           (SELECT count(*) FROM track WHERE album_id NOT IN (SELECT album_id FROM album)) AS tracks,
           (SELECT count(*) FROM invoice_line WHERE track_id NOT IN (SELECT track_id FROM track)) AS invoice_lines,
           (SELECT count(*) FROM playlist_track WHERE track_id NOT IN (SELECT track_id FROM track)) AS playlist_tracks;

TABLE counts;
SET cascade.trace = on;
\set VERBOSITY terse
\set QUIET off
DELETE FROM artist WHERE artist_id <= 50;
\set QUIET on
\set VERBOSITY default
SET cascade.trace = off;
TABLE counts;
TABLE dangling;
SELECT min(artist_id), max(artist_id) FROM artist;
SELECT min(track_id), max(track_id) FROM track;

-- an album loses its artist: a NOT NULL column
SELECT count(*) FROM track WHERE album_id = 150;
\set QUIET off
UPDATE album SET artist_id = NULL WHERE album_id = 150;
\set QUIET on
SELECT count(*) FROM album WHERE album_id = 150;
SELECT count(*) FROM track WHERE album_id = 150;
TABLE counts;
TABLE dangling;

-- the keys of what is left change
UPDATE artist SET artist_id = artist_id + 1000;
UPDATE album SET album_id = album_id + 1000;
UPDATE track SET track_id = track_id + 10000 WHERE track_id % 7 = 0;
TABLE counts;
TABLE dangling;
SELECT min(artist_id), max(artist_id) FROM album;
SELECT min(album_id), max(album_id) FROM track;

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA chinook_test CASCADE;
