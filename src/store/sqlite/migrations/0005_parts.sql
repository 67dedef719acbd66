-- Long base64 values, kept once beside the bodies that hold them (src/store/part.h). part: the
-- bytes, compressed, under their SHA-256; for a while there may be several of one hash. part_new:
-- those that were not looked at for that yet. part_use: which version holds which.
CREATE TABLE part (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX part_hash ON part (hash);
CREATE TABLE part_new (id INTEGER PRIMARY KEY);
CREATE TABLE part_use (
    rid INTEGER NOT NULL, version INTEGER NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (rid, version, hash)) WITHOUT ROWID;
CREATE INDEX part_use_hash ON part_use (hash, rid);
