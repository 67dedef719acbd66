-- Long base64 values, kept once beside the bodies that hold them (src/store/part.h). part: the
-- bytes, compressed, under their SHA-256; for a while there may be several of one hash. part_new:
-- those that were not looked at for that yet. part_use: which version holds which. A part belongs
-- to no shard, as several patients may have the same.
CREATE TABLE part (
    id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash bytea NOT NULL, bytes bytea NOT NULL);
ALTER TABLE part ALTER bytes SET STORAGE EXTERNAL;
CREATE INDEX part_hash ON part (hash);
CREATE TABLE part_new (id int8 PRIMARY KEY, hash bytea NOT NULL);
CREATE TABLE part_use (
    rid int8 NOT NULL, version int4 NOT NULL, hash bytea NOT NULL,
    PRIMARY KEY (rid, version, hash));
CREATE INDEX part_use_hash ON part_use (hash, rid);
