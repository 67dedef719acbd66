-- Lists of resources by a term (src/store/fulltext.h): rids is a run that begins with `first`. A
-- list is of the whole population: it belongs to no patient, and has no shard.
CREATE TABLE posting (
    list int8 NOT NULL, first int8 NOT NULL, term bytea NOT NULL, rids bytea NOT NULL,
    PRIMARY KEY (list, term, first)) WITH (fillfactor = 80);
ALTER TABLE posting ALTER rids SET STORAGE PLAIN;

-- One row: how much of the feed the lists hold, in which form, and the purges so far. Whoever
-- changes a list holds its lock.
CREATE TABLE posted (
    one int4 PRIMARY KEY CHECK (one = 1), form int4 NOT NULL, t int8 NOT NULL,
    purges int8 NOT NULL) WITH (fillfactor = 10);
INSERT INTO posted VALUES (1, 0, 0, 0);
