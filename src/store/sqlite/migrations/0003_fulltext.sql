-- Lists of resources by a term (src/store/fulltext.h): rids is a run that begins with `first`.
CREATE TABLE posting (
    list INTEGER NOT NULL, term TEXT NOT NULL, first INTEGER NOT NULL, rids BLOB NOT NULL,
    PRIMARY KEY (list, term, first)) WITHOUT ROWID;

-- One row: how much of the feed the lists hold, in which form, and the purges so far.
CREATE TABLE posted (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    t INTEGER NOT NULL, form INTEGER NOT NULL, purges INTEGER NOT NULL);
INSERT INTO posted VALUES (1, 0, 0, 0);
